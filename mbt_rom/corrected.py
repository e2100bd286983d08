"""Rows that were read again with corrected cells, as the rows of the decision that corrected them.

Belongs here: giving them ids of their own that tell which rows they stand for. Does not belong here: which cells are read how
(`corrections`), reading them (`conform`), what becomes of the rows they stand for (`acceptance`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd

from mbt_rom.conform import Conformed
from mbt_rom.findings import as_findings
from mbt_rom.sheet_rows import local_numbers
from mbt_rom.tables import CONTENTS

DIALECT = "correction"


def renamed(read: Conformed, *, by: str, group: int) -> Conformed:
    """Rows of one sheet of one delivery as those of the decision `by`; `group` counts the sheets that it corrects."""
    rows = (
        pd.concat([frame["row_id"] for frame in read.registers.values()])
        if read.registers
        else pd.Series([], dtype="str")
    )
    return replace(
        read,
        items={i: _named(f.assign(corrects=f["row_id"]), by, group) for i, f in read.items.items()},
        registers={name: _named(f, by, group) for name, f in read.registers.items()},
        findings=_named(read.findings, by, group),
        contents=read.contents.assign(delivery_id=by),
        replaces={_id(row, by, group): row for row in rows},
    )


def together(parts: Sequence[Conformed], *, by: str, undone: datetime | None) -> Conformed:
    """Everything that a decision holds. One that was undone keeps its forms, which say so, and nothing else."""
    items = _stacked([part.items for part in parts])
    findings = [part.findings for part in parts if len(part.findings)]
    contents = [part.contents for part in parts if len(part.contents)]
    counted = (
        pd.concat(contents).groupby(["programme_id", "instrument"], as_index=False).sum(numeric_only=True)
        if contents
        else None
    )
    whole = Conformed(
        items=items,
        registers=_stacked([part.registers for part in parts]),
        findings=as_findings(pd.concat(findings, ignore_index=True), source="deliveries")
        if findings
        else Conformed().findings,
        contents=CONTENTS.empty() if counted is None else CONTENTS.conform(counted.assign(delivery_id=by)),
        numbers=local_numbers([part.numbers for part in parts]),
        staff=local_numbers([part.staff for part in parts]),
        dialect=DIALECT,
        n_rows=sum(part.n_rows for part in parts),
        is_decision=True,
        replaces={new: root for part in parts for new, root in part.replaces.items()},
    )
    if undone is None:
        return whole
    at = pd.Timestamp(undone).tz_convert("UTC")
    marked = {
        i: frame.assign(undone_at=at).astype({"undone_at": frame["undone_at"].dtype}) for i, frame in items.items()
    }
    return replace(whole, items=marked, registers={}, replaces={})


def _named(frame: pd.DataFrame, by: str, group: int) -> pd.DataFrame:
    ids = frame["row_id"].map(lambda row: _id(row, by, group), na_action="ignore")
    return frame.assign(row_id=ids.astype("str"), delivery_id=by).astype({"delivery_id": "str"})


def _id(row: str, by: str, group: int) -> str:
    """A row's id: the delivery and the number of the sheet in front are the decision's.

    >>> _id("0f1e2d3c4b5a-2-17-0", "abcdefabcdefabcd", 1)
    'abcdefabcdef-1-17-0'
    """
    return f"{by[:12]}-{group}-{row.split('-', 2)[2]}"


def _stacked(parts: Sequence[Any]) -> dict[str, pd.DataFrame]:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: pd.concat([part[name] for part in parts if name in part], ignore_index=True) for name in names}


def without_replaced(rows: pd.DataFrame, replaces: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Rows of a register without those that a correction stands for: the corrected row, its repeats, and earlier corrections of it.

    `replaces`: what each delivery replaces, in the order in which they came.
    """
    stands_in: dict[str, str] = {}
    outdated: set[str] = set()
    for new, root in (pair for one in replaces for pair in one.items()):
        outdated |= {stands_in[root]} if root in stands_in else set()
        stands_in[root] = new
    if not stands_in:
        return rows
    content = [name for name in rows.columns if name not in ("row_id", "delivery_id")]
    roots = pd.MultiIndex.from_frame(rows.loc[rows["row_id"].isin(stands_in), content])
    delivered = ~rows["row_id"].isin(set(stands_in.values()) | outdated)
    is_gone = pd.MultiIndex.from_frame(rows[content]).isin(roots) & delivered | rows["row_id"].isin(outdated)
    return rows.loc[~is_gone].reset_index(drop=True)
