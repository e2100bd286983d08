"""The history of forms: which state of a form stood before the one that stands now, until when, and what changed it.

Belongs here: reading that off items tables. Does not belong here: which state counts (`acceptance`), showing it (`dashboards`).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from mbt_rom import acceptance
from mbt_rom.replaced import RESPONSE
from mbt_rom.tables import REVISIONS, findings_table

FINISHED, AGAIN, CORRECTED, MOVED, LINKED, UNDONE = (
    "finished_later",
    "exported_again",
    "corrected",
    "moved",
    "linked",
    "undone",
)
_RECEIVED = ["received_at", "delivery_id", "row_id"]
_FORM = ["patient_id", "administered_on"]


def revisions(
    instrument: str,
    items: pd.DataFrame,
    delivery_findings: pd.DataFrame | None = None,
    *,
    linked: Mapping[str, pd.Timestamp] | None = None,
) -> pd.DataFrame:
    """`REVISIONS` of one instrument: a row per form that stands and per state of it that stood before.

    `linked`: row_id -> when its patient number was linked with another. A state that was never the newest (an older export that came
    later), a copy, and what a correction holds back are no states that stood.
    """
    rows = _states(items, delivery_findings)
    several = rows.loc[rows["form"].duplicated(keep=False)]
    found = [_form(group) for _, group in several.groupby("form", sort=False)]
    told = [row for form in found for row in form] + _linked(rows, linked or {})
    if not told:
        return REVISIONS.empty()
    made = REVISIONS.conform(pd.DataFrame(told).assign(instrument=instrument))
    return made.sort_values([*REVISIONS.key], ignore_index=True)


def _states(items: pd.DataFrame, delivery_findings: pd.DataFrame | None) -> pd.DataFrame:
    """Rows that may be a state of a form, with the `form` they belong to, what became of them and their number of answers."""
    none = findings_table("deliveries").empty()
    became = acceptance.dispositions(items, none, delivery_findings).to_numpy()
    held = acceptance.held_back(items, delivery_findings)
    refused = acceptance.fatal_deliveries(delivery_findings)
    rows = items.assign(became=became, n_answered=acceptance.n_answered(items), content=acceptance.contents_of(items))
    rows = rows.loc[rows["became"].ne("duplicate") & ~rows["row_id"].isin(held) & ~rows["delivery_id"].isin(refused)]
    return rows.assign(form=_forms(rows)).reset_index(drop=True)


def _forms(rows: pd.DataFrame) -> pd.Series:
    """A number per row, equal for the states of one form: those of a response, and a corrected row and its root."""
    own = pd.Series(np.arange(len(rows)), index=rows.index)
    response = rows.groupby(RESPONSE, dropna=False, sort=False).ngroup() + len(rows)
    form = response.where(rows["response_id"].notna(), own)
    by_row = pd.Series(form.to_numpy(), index=pd.MultiIndex.from_frame(rows[["programme_id", "row_id"]]))
    root = by_row.reindex(pd.MultiIndex.from_frame(rows[["programme_id", "corrects"]]))
    return pd.Series(root.to_numpy(), index=rows.index).fillna(form).astype("int64")


def _form(states: pd.DataFrame) -> list[dict[str, object]]:
    """The states before the one of these that stands, each with what took its place."""
    standing = states.loc[states["became"].eq("accepted")]
    if len(standing) != 1:
        return []
    now = standing.iloc[0]
    is_undone = states["undone_at"].notna()
    before = states.loc[~is_undone & states["became"].eq("superseded") & (states["received_at"] <= now["received_at"])]
    before = before.sort_values(_RECEIVED).drop_duplicates("content")
    before = before.loc[before["content"].ne(now["content"]) | before["row_id"].eq(now["corrects"])]
    chain = [*(row for _, row in before.iterrows()), now]
    told = [_revision(now, one, following) for one, following in pairwise(chain)]
    undone = states.loc[is_undone]
    return told + [_told(now, row["row_id"], row["undone_at"], UNDONE) for _, row in undone.iterrows()]


def _revision(now: pd.Series, before: pd.Series, following: pd.Series) -> dict[str, object]:
    if pd.notna(following["corrects"]):
        is_moved = (
            before["patient_id"] is not following["patient_id"] and before["patient_id"] != following["patient_id"]
        )
        how = MOVED if is_moved else CORRECTED
    else:
        how = FINISHED if following["n_answered"] > before["n_answered"] else AGAIN
    return _told(now, before["row_id"], following["received_at"], how)


def _linked(rows: pd.DataFrame, linked: Mapping[str, pd.Timestamp]) -> list[dict[str, object]]:
    mine = rows.loc[rows["became"].eq("accepted") & rows["row_id"].isin(list(linked))]
    return [_told(row, row["row_id"], linked[row["row_id"]], LINKED) for _, row in mine.iterrows()]


def _told(now: pd.Series, before: str, at: pd.Timestamp, how: str) -> dict[str, object]:
    kept = {name: now[name] for name in ("programme_id", "row_id", *_FORM)}
    return {**kept, "row_id_before": before, "changed_at": at, "how": how}
