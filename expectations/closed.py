"""Findings about forms that were open once and are no longer: judged as they stood, with what closed them.

Belongs here: judging rows that count no longer. Does not belong here: what closes a row (`mbt_rom.acceptance`), who delivered it.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from expectations.administrations import PLACE, administration_findings
from expectations.items import answer_findings, moved_findings
from expectations.totals import total_findings
from mbt_rom import acceptance
from mbt_rom.findings import as_findings, combined
from mbt_rom.model import Instrument

CLOSING = ["opened_at", "closed_at", "closed_by", "closed_how"]
_KEY = ["programme_id", "row_id"]


def closed_findings(
    definition: Instrument,
    items: pd.DataFrame,
    findings: pd.DataFrame,
    *,
    patients: pd.DataFrame | None = None,
    episodes: pd.DataFrame | None = None,
    as_of: date,
    delivery_findings: pd.DataFrame | None = None,
    files: pd.DataFrame,
) -> pd.DataFrame:
    """Errors of forms that were open once, as findings with `CLOSING`; `closed_by` is the delivery that closed them.

    `findings` are what `validate_items` found in `items`. Of forms of one day that contradicted each other only those that are
    withdrawn are told, not the one that counts now.
    """
    closings = _closings(items, findings, delivery_findings, files)
    if closings.empty:
        return combined([], source=definition.id).reindex(columns=[*findings.columns, *CLOSING])
    rows = items.loc[closings.index].reset_index(drop=True)
    own = [
        answer_findings(definition, rows),
        administration_findings(definition, rows, patients=patients, episodes=episodes, as_of=as_of),
        moved_findings(definition, rows, acceptance.held_back(items, delivery_findings)),
        total_findings(definition, items, rows),
    ]
    told = combined([*own, _contradicted(definition, rows, closings, own)], source=definition.id)
    closed = items.loc[closings.index, _KEY].join(closings)
    return told.loc[told["severity"] == "error"].merge(closed, on=_KEY)


def _closings(
    items: pd.DataFrame, findings: pd.DataFrame, delivery_findings: pd.DataFrame | None, files: pd.DataFrame
) -> pd.DataFrame:
    """`CLOSING` of every row that a later delivery closed, on the index of `items`."""
    later = acceptance.closed_rows(items, delivery_findings)
    is_gone = acceptance.is_withdrawn(items, findings)
    if is_gone.any():
        open_ids = pd.MultiIndex.from_frame(acceptance.open_rows(items, delivery_findings)[_KEY])
        is_open = pd.Series(pd.MultiIndex.from_frame(items[_KEY]).isin(open_ids), index=items.index)
        is_broken = is_gone | acceptance.has_error(items, findings, delivery_findings)
        gone = acceptance.withdrawn_rows(items, files, is_open=is_open, is_broken=is_broken)
        later = pd.concat([later, gone.loc[is_gone[gone.index]].assign(closed_how="withdrawn_at_source")])
    return later.assign(opened_at=items.loc[later.index, "received_at"])[CLOSING]


def _contradicted(
    definition: Instrument, rows: pd.DataFrame, closings: pd.DataFrame, own: list[pd.DataFrame]
) -> pd.DataFrame:
    """The conflict of withdrawn rows that are good by themselves: nothing else can have set them aside."""
    is_gone = closings["closed_how"].eq("withdrawn_at_source").to_numpy()
    is_good = ~acceptance.has_error(rows, *own)
    return as_findings(rows.loc[is_gone & is_good, PLACE].assign(rule="same_day_conflict"), source=definition.id)
