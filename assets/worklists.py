"""The work list of a home: its rows as they are today, and what a returned list corrects.

Belongs here: gathering findings with the places and ages of their files, the present values where somebody may see them, and recording
a returned list. Does not belong here: words and columns of the list (`mbt_rom.worklist`), files for people (`pipelines`).

A row of the list closes itself: where a form was corrected, delivered in a later state, or delivered twice, what was wrong with the
earlier row is no longer told. A returned list is not kept itself: the decisions that it holds are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from assets import intake
from assets.decisions import DecisionError, record
from assets.intake import Found, Taken
from assets.state import CORRECTION, State
from assets.stops import under_one_name
from mbt_rom import acceptance, corrections, schedule
from mbt_rom.conform import Conformed
from mbt_rom.corrections import CellCorrection, Correction
from mbt_rom.exports.detection import MEGABYTE, read_grids
from mbt_rom.exports.errors import ExportError
from mbt_rom.findings import RULES, as_findings
from mbt_rom.settings import SHARED
from mbt_rom.stops import is_stopped
from mbt_rom.tables import CLOSED, NO_OPEN_FINDINGS
from mbt_rom.worklist import (
    CellKey,
    Problem,
    Returned,
    ReturnedCell,
    column_of,
    may_be_returned,
    present_text,
    returned,
)

QUIET = "programme_quiet"
#: Beside the number of a patient whom nobody may ask how a form should be mended.
DO_NOT_ASK = " (do not ask / niet vragen)"
_ORDER = {"fatal": 0, "error": 1, "notice": 2}
_PLACE = ["programme_id", "delivery_id", "sheet", "source_row", "source_column", "item", "rule", "detail"]


# The list of today --------------------------------------------------------------------------------------------------------

#: What is told of a finding that closed itself.
CLOSED_COLUMNS = [
    "programme", "file", "sheet", "row", "column", "item", "rule", "severity", "opened", "closed", "closed_by", "closed_how",
]  # fmt: skip


def work_list(state: State, programme: str | None = None) -> pd.DataFrame:
    """What is wrong today, the gravest first and the oldest of those first.

    Columns: those of `mbt_rom.worklist.COLUMNS` before they are words, and `detail`, `folder`, `delivery_id`, `row_id`, `key` (missing
    where no single cell is meant). Programmes that were not heard of for too long come last, with the rule `QUIET`.
    """
    wanted = None if programme is None else [programme]
    rows = pd.concat([_open(state, wanted), _quiet(state, wanted)], ignore_index=True)
    rows = rows.drop_duplicates(
        _PLACE, ignore_index=True
    )  # one row of a file is one thing to mend, however many forms stand on it
    placed = _placed(rows, state)
    is_quiet = placed["rule"].eq(QUIET)
    order = ["is_quiet", "order", "received", "programme", "file", "row", "column", "item", "rule"]
    placed = placed.assign(is_quiet=is_quiet, order=placed["severity"].map(_ORDER))
    placed = placed.sort_values(order, ignore_index=True, kind="stable")
    return placed.assign(number=range(1, len(placed) + 1)).drop(columns=["is_quiet", "order"])


def _open(state: State, wanted: list[str] | None) -> pd.DataFrame:
    """Findings that nothing has closed."""
    names = [n for n in state.catalogue.tables if n.startswith("findings/") and n not in NO_OPEN_FINDINGS]
    found = {n.partition("/")[2]: state.read(n, programmes=wanted) for n in names}
    deliveries = found["deliveries"]
    key = ["programme_id", "row_id"]
    closed: set[tuple[str, str]] = set()
    for instrument in state.instruments:
        named = pd.concat([found[instrument]["row_id"], deliveries["row_id"]]).dropna()
        if len(named):
            items = state.read(f"items/{instrument}", programmes=wanted)
            told = found[instrument]
            closed |= set(_pairs(told.loc[told["rule"] == acceptance.WITHDRAWN, key]))
            standing = acceptance.open_rows(items, deliveries)
            closed |= set(_pairs(items[key])) - set(_pairs(standing[key]))
    rows = pd.concat([f for f in found.values() if len(f)] or [deliveries], ignore_index=True)
    return rows[[pair not in closed for pair in _pairs(rows[key])]]


def _pairs(rows: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Programme and row: the same bytes may have been delivered to two programmes."""
    return rows.itertuples(index=False, name=None)


def closed(state: State, programme: str | None) -> pd.DataFrame:
    """Findings that closed themselves, the last one first: place, rule, days of opening and closing, who and how."""
    rows = state.read(CLOSED.name, programmes=None if programme is None else [programme])
    names = state.ledger.drop_duplicates("delivery_id").set_index("delivery_id")["file_name"]
    zone = state.home.settings.timezone
    days = {c: rows[c].dt.tz_convert(zone).dt.date for c in ("opened_at", "closed_at")}
    placed = rows.rename(columns={"programme_id": "programme", "source_row": "row", "source_column": "column"})
    placed = placed.assign(file=rows["delivery_id"].map(names), opened=days["opened_at"], closed=days["closed_at"])
    placed = placed.sort_values(["closed_at", "programme", "file", "row", "rule"], ascending=[False, *[True] * 4])
    # one row of a file was one thing to mend, however many forms stand on it
    return placed[CLOSED_COLUMNS].drop_duplicates(ignore_index=True)


def _quiet(state: State, wanted: list[str] | None) -> pd.DataFrame:
    """The programmes that were not heard of for too long: a finding of today, so it is in no table."""
    programmes = state.read("reference/programmes")
    days = schedule.days_quiet(programmes, as_of=state.as_of)
    allowed = state.home.settings.quiet_after_days
    late = programmes[
        days.fillna(allowed + 1).gt(allowed) & programmes["programme_id"].isin(wanted or programmes["programme_id"])
    ]
    told = days[late.index].map("{} days ago".format, na_action="ignore").fillna("never").astype("str")
    rows = late[["programme_id"]].assign(rule=QUIET, detail="last heard of: " + told)
    return as_findings(rows, source="deliveries")


def _placed(rows: pd.DataFrame, state: State) -> pd.DataFrame:
    """The findings with the file, the cell and the age of what they are about."""
    ledger: dict[tuple[str, str], Any] = {
        (str(r.programme_id), str(r.delivery_id)): r for r in state.ledger.itertuples()
    }
    read: dict[tuple[str, str], list[dict[str, Any]]] = {}
    places = []
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        entry = _delivered(state, row, ledger)
        at = (entry.programme_id, entry.delivery_id) if entry is not None else ("", "")
        if entry is not None and at not in read:
            read[at] = json.loads(entry.understood) if isinstance(entry.understood, str) else []
        places.append(_place(row, entry, read.get(at, []), state))
    columns = ["folder", "delivery_id", "file", "received", "days", "column", "key", "row"]
    frame = pd.DataFrame(places, columns=columns, index=rows.index).astype({"days": "Int64", "row": "Int64"})
    kept = rows[["programme_id", "sheet", "item", "rule", "severity", "detail", "row_id"]]
    together = pd.concat([kept.rename(columns={"programme_id": "programme"}), frame], axis=1)
    return together.assign(owner=together["rule"].map({r.id: r.owner for r in RULES.values()}))


def _delivered(state: State, row: dict[Any, Any], ledger: dict[tuple[str, str], Any]) -> Any | None:
    """The row of the ledger of the file that a finding is about: of the corrected file where it is about a correction."""
    for folder in (row["programme_id"], SHARED):
        entry = ledger.get((folder, row["delivery_id"]))
        if entry is not None and entry.kind != CORRECTION:
            return entry
        if entry is not None:
            made = state.decisions(folder).get(row["delivery_id"])
            cells = made.correction.cells if made else ()
            mine = [c for c in cells if (c.sheet, c.row) == (row["sheet"], row["source_row"])] or cells[:1]
            return ledger.get((folder, mine[0].delivery_id)) if mine else None
    return None


def _place(row: dict[Any, Any], entry: Any | None, understood: list[dict[str, Any]], state: State) -> dict[str, Any]:
    stated = {"column": row["source_column"], "row": row["source_row"]}
    if entry is None:
        return {"delivery_id": row["delivery_id"], **stated}
    received = entry.received_at.tz_convert(state.home.settings.timezone).date()
    column, key = row["source_column"], None
    if row["source_row"] is not None:
        column = column_of(row, understood)
        key = column and CellKey(entry.programme_id, entry.delivery_id, row["sheet"], int(row["source_row"]), column)
    return {
        "folder": entry.programme_id,
        "delivery_id": entry.delivery_id,
        "file": entry.file_name,
        "received": received,
        "days": None if row["severity"] == "notice" else (state.as_of - received).days,
        "column": column,
        "row": row["source_row"],
        "key": key.text() if key else None,
    }


def with_values(state: State, rows: pd.DataFrame, *, stops: pd.DataFrame) -> pd.DataFrame:
    """The rows with the present text of their cell and the local number of their patient: for people who may see them.

    Beside the number of somebody about whom one of these `stops` is (those that hold) stands `DO_NOT_ASK`.
    """
    return rows.assign(present=_present(state, rows), patient_number=_patient_numbers(state, rows, stops))


def _present(state: State, rows: pd.DataFrame) -> pd.Series:
    """What the cells hold: as they were delivered, or as they were corrected last."""
    corrected: dict[CellKey, str] = {}
    sheets: dict[tuple[str, str], Any] = {}
    for folder in rows["folder"].dropna().unique():
        corrected |= _standing(state, str(folder))
    for folder, delivery in (
        rows.loc[rows["key"].notna(), ["folder", "delivery_id"]].drop_duplicates().itertuples(index=False)
    ):
        entry = state.delivery(folder, delivery)
        sheets[folder, delivery] = [] if entry is None else state.sheets(entry)
    keys = [_key(text) for text in rows["key"]]
    found = {
        key: present_text(sheets[key.folder, key.delivery_id], key) for key in keys if key and key not in corrected
    }
    told = [None if key is None else {**found, **corrected}.get(key) for key in keys]
    return pd.Series(told, index=rows.index, dtype="str")


def _key(text: Any) -> CellKey | None:
    return CellKey(*json.loads(text)) if isinstance(text, str) else None


def _patient_numbers(state: State, rows: pd.DataFrame, stops: pd.DataFrame) -> pd.Series:
    numbers = {
        p: n for folder in (*rows["programme"].unique(), SHARED) for p, (_, n) in state.vault.numbers(folder).items()
    }
    parts = [_people(state, f"items/{i}") for i in state.instruments]
    parts += [_people(state, f"reference/{name}") for name in ("patients", "episodes")]
    people = pd.concat(parts, ignore_index=True)
    people = people[people["row_id"].isin(rows["row_id"].dropna().unique())]
    told = people["patient_id"].map(numbers)
    told = told.where(~is_stopped(under_one_name(state, people), stops), told + DO_NOT_ASK)
    number = dict(zip(_pairs(people[["programme_id", "row_id"]]), told, strict=True))
    found = [number.get(pair) for pair in _pairs(rows[["programme", "row_id"]])]
    return pd.Series(found, index=rows.index, dtype="str")


def _people(state: State, table: str) -> pd.DataFrame:
    declared = [c.name for c in state.catalogue[table].columns]
    wanted = ["programme_id", "row_id", "patient_id"]
    return (
        state.read(table, columns=wanted) if set(wanted) <= set(declared) else pd.DataFrame(columns=wanted, dtype="str")
    )


# The list returned ----------------------------------------------------------------------------------------------------------


def read_returned(state: State, data: bytes, *, file_name: str) -> Returned | None:
    """What a returned work list holds; None where the bytes are something else."""
    if not may_be_returned(data):
        return None
    largest = state.home.settings.largest_file_mb * MEGABYTE
    try:
        return returned(read_grids(data, file_name=file_name, largest_bytes=largest, recognise=lambda cells: 0))
    except ExportError:
        return None


def take_in_list(
    state: State, path: Path, *, folder: str, now: datetime, by: str, label: str | None = None, is_kept: bool = True
) -> Taken | None:
    """Records what a returned list corrects; None where the file is no such list. Nothing is recorded where a row is wrong.

    With `is_kept` false it only says what would become of it.
    """
    if path.stat().st_size > state.home.settings.largest_file_mb * MEGABYTE:
        return None
    data = intake.read_bytes(path)
    held = read_returned(state, data, file_name=path.name)
    if held is None:
        return None
    taken = Taken(label or path.name, folder, hashlib.sha256(data).hexdigest(), "refused", by=by, n_corrected=0)
    problems = [*held.problems, *_of_other_folders(held.cells, folder)]
    if problems:
        return _refused(taken, problems)
    new = [c for c in held.cells if _standing(state, folder).get(c.key) != c.value]
    if is_kept and new:
        return _recorded(state, taken, new, now=now)
    return replace(taken, outcome="taken_in" if new else "known", n_corrected=len(_rows_of(new)))


def take_in_lists(state: State, found: Iterable[Found], *, now: datetime) -> tuple[list[Taken], list[Found]]:
    """Records the returned lists among files of the inbox, and gives back the other files. A refused list stays where it is."""
    taken, others = [], []
    for file in found:
        by = intake.owner(file.path)
        mine = file.folder and take_in_list(state, file.path, folder=file.folder, now=now, by=by, label=file.label)
        if not mine:
            others.append(file)
            continue
        taken.append(mine)
        if mine.outcome != "refused":
            intake.remove(file)
    return taken, others


def _standing(state: State, folder: str) -> dict[CellKey, str]:
    """What cells of files in that folder hold by the corrections that hold, the last one of each cell."""
    recorded = state.decisions(folder)
    holding = corrections.standing({name: one.correction for name, one in recorded.items()})
    made = sorted((one.received_at, name) for name, one in recorded.items() if name in holding)
    cells = [cell for _, name in made for cell in recorded[name].correction.cells]
    return {CellKey(folder, c.delivery_id, c.sheet, c.row, c.column): c.value for c in cells}


def _of_other_folders(cells: Sequence[ReturnedCell], folder: str) -> list[Problem]:
    others = [c for c in cells if c.key.folder != folder]
    return [Problem("worklist_other_folder", c.sheet, c.row, c.key.column, c.key.folder) for c in others]


def _rows_of(cells: Iterable[ReturnedCell]) -> set[tuple[str, str | None, int]]:
    return {(c.key.delivery_id, c.key.sheet, c.key.row) for c in cells}


def _recorded(state: State, taken: Taken, cells: list[ReturnedCell], *, now: datetime) -> Taken:
    """One decision per reason. A reason whose decision is refused is told, and stops no other."""
    corrected: set[tuple[str, str | None, int]] = set()
    problems: list[Problem] = []
    forms: dict[str, pd.DataFrame] = {}
    for n, reason in enumerate(dict.fromkeys(c.reason for c in cells)):
        mine = [c for c in cells if c.reason == reason]
        done = _record(state, taken, mine, now=now + timedelta(microseconds=n))
        if isinstance(done, Taken):
            corrected |= _rows_of(mine)
            items = done.conformed.items if done.conformed else {}
            forms |= {i: pd.concat([forms[i], f], ignore_index=True) if i in forms else f for i, f in items.items()}
        else:
            problems += done
    if problems:
        return _refused(taken, problems, forms=forms, n_corrected=len(corrected))
    return replace(taken, outcome="taken_in", conformed=Conformed(items=forms), n_corrected=len(corrected))


def _record(state: State, taken: Taken, cells: list[ReturnedCell], *, now: datetime) -> Taken | list[Problem]:
    """Records the cells of one reason; what is wrong with them where they are refused."""
    told = tuple(CellCorrection(c.key.delivery_id, c.key.sheet, c.key.row, c.key.column, c.value) for c in cells)
    decision = Correction("cells", cells[0].reason, str(taken.by), now, cells=told)
    try:
        done = record(state, taken.folder, decision, now=now)
    except DecisionError as error:
        return [Problem("worklist_not_possible", c.sheet, c.row, c.key.column, str(error)) for c in cells]
    if done.outcome == "refused":
        return [Problem(str(done.reason), c.sheet, c.row, c.key.column) for c in cells]
    return done


def _refused(
    taken: Taken, problems: Sequence[Problem], *, forms: dict[str, pd.DataFrame] | None = None, n_corrected: int = 0
) -> Taken:
    rows = [
        {
            "programme_id": taken.folder,
            "delivery_id": taken.delivery_id,
            "rule": p.rule,
            "sheet": p.sheet,
            "source_row": p.row,
            "source_column": p.column,
            "detail": p.detail or None,
        }
        for p in problems
    ]
    conformed = Conformed(items=forms or {}, findings=as_findings(rows, source="deliveries"))
    return replace(taken, outcome="refused", reason=problems[0].rule, conformed=conformed, n_corrected=n_corrected)
