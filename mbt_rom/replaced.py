"""Rows that a person's correction replaces, and those that it holds back: what a corrected row does to the rows around it.

Belongs here: reading that off an items table. Does not belong here: what it makes of a row (`acceptance`), and making corrected rows
(`corrected`).

A corrected row stands for its root: the delivered row that was corrected. It replaces the root, every repeat of it in another
delivery, every earlier correction of it, and all states of the same response that were received before it. A state that came later
and says something else counts by the usual order, for it was changed at its source, with one exception: where the correction moved the
form to another patient and the later state still names the first one. Nobody knows then which of the two is meant.
"""

from __future__ import annotations

import pandas as pd

#: What the states of one form have in common.
RESPONSE = ["programme_id", "response_id", "block", "moment_given"]
_ROOT = ["programme_id", "corrects"]


def standing_corrections(rows: pd.DataFrame) -> pd.DataFrame:
    """Of each corrected row the correction that was recorded last."""
    made = rows.loc[rows["corrects"].notna()].sort_values(["received_at", "delivery_id", "row_id"])
    return made.drop_duplicates(_ROOT, keep="last")


def replaced(rows: pd.DataFrame) -> pd.Index:
    """Rows that a corrected row stands for. `rows` carry `content` and `day` (see `acceptance`); undone corrections are not among them."""
    last = standing_corrections(rows)
    if last.empty:
        return last.index
    earlier_corrections = rows.index[rows["corrects"].notna()].difference(last.index)
    delivered = rows.loc[rows["corrects"].isna()]
    roots = _roots(delivered, last)
    return earlier_corrections.union(_repeats(delivered, roots)).union(_earlier_states(rows, last))


def held_back(rows: pd.DataFrame) -> pd.Index:
    """Later states of a moved form that still name the patient from whom it was moved, with other answers; none that is replaced."""
    last = standing_corrections(rows)
    if last.empty:
        return last.index
    delivered = rows.loc[rows["corrects"].isna()]
    roots = _roots(delivered, last)
    to = last.set_index("row_id", drop=False)[[*_ROOT, "patient_id", "received_at"]]
    to = to.rename(columns={"corrects": "row_id", "patient_id": "moved_to", "received_at": "moved_at"})
    moved = roots.merge(to.reset_index(drop=True), on=["programme_id", "row_id"])
    moved = moved.loc[moved["patient_id"].notna() & moved["moved_to"].ne(moved["patient_id"])]
    later = delivered.drop(index=replaced(rows).intersection(delivered.index))
    by_response = moved.loc[moved["response_id"].notna()]
    by_day = moved.loc[moved["response_id"].isna() & moved["day"].notna()]
    return _later(later, by_response, RESPONSE).union(_later(later, by_day, ["programme_id", "day"]))


def _later(rows: pd.DataFrame, moved: pd.DataFrame, same: list[str]) -> pd.Index:
    key = [*same, "patient_id"]
    since = moved.groupby(key, dropna=False)["moved_at"].min().rename("moved_at").reset_index()
    found = rows.reset_index(names="at").merge(since, on=key)
    places: pd.Index = pd.Index(found.loc[found["received_at"] > found["moved_at"], "at"].unique())
    return places


def _roots(delivered: pd.DataFrame, last: pd.DataFrame) -> pd.DataFrame:
    named = pd.MultiIndex.from_frame(last[_ROOT])
    return delivered.loc[pd.MultiIndex.from_frame(delivered[["programme_id", "row_id"]]).isin(named)]


def _repeats(delivered: pd.DataFrame, roots: pd.DataFrame) -> pd.Index:
    """The roots, and rows of the same content that are the same form: of one response, or of a known patient on a known day."""
    found = roots.index
    placed = delivered["patient_id"].notna() & delivered["day"].notna()
    for key, of in ((["programme_id", "content"], placed), ([*RESPONSE, "content"], delivered["response_id"].notna())):
        wanted = pd.MultiIndex.from_frame(roots.loc[roots.index.isin(delivered.index[of]), key])
        mine = delivered.loc[of]
        found = found.union(mine.index[pd.MultiIndex.from_frame(mine[key]).isin(wanted)])
    return found


def _earlier_states(rows: pd.DataFrame, last: pd.DataFrame) -> pd.Index:
    """States of a corrected response that were received before its last correction."""
    corrected = last.loc[last["response_id"].notna()]
    if corrected.empty:
        return corrected.index
    since = corrected.groupby(RESPONSE, dropna=False)["received_at"].max().rename("corrected_at").reset_index()
    found = rows.reset_index(names="at").merge(since, on=RESPONSE)
    places: pd.Index = pd.Index(found.loc[found["received_at"] < found["corrected_at"], "at"].unique())
    return places
