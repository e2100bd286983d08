"""What a later delivery takes away from an earlier one of the same export: files that were mended, and rows that are gone at the source.

Belongs here: reading that off the deliveries. Does not belong here: judging a row (`expectations`), and what follows for it (`acceptance`).

Two deliveries are of the same export when they came to the same folder under the same name or with the same set of columns. A file
that could not be used is replaced by any later one of its export that could.

A row with an error may not tell which form it is: without a number or a date nothing connects it with the form as it was mended. It is
withdrawn when a later delivery of its export no longer holds it, and holds every good row beside it. So an export that was cut to a
period withdraws nothing: it lacks good rows. Where no row beside it is good, the later delivery must bear the same name.
"""

from __future__ import annotations

import pandas as pd

from mbt_rom.settings import SHARED

#: What must be known of delivered files; decisions of people are none.
FILE_COLUMNS = ["folder", "delivery_id", "file_name", "shape", "received_at"]
#: What closes a finding: the delivery and the time at which it came.
CLOSED = ["closed_at", "closed_by"]
_GROUP = ["programme_id", "delivery_id"]


def replaced_files(files: pd.DataFrame, unusable: pd.Series) -> pd.DataFrame:
    """`CLOSED` of those of the `unusable` deliveries (a mask on `files`) that a later usable one replaces, on their index.

    `files` has `FILE_COLUMNS`.
    """
    bad, good = files.loc[unusable].reset_index(names="at"), files.loc[~unusable]
    pairs = _later(bad, good)
    return _first(pairs, at="at", index=files.index)


def withdrawn(rows: pd.DataFrame, *, is_broken: pd.Series, is_open: pd.Series, files: pd.DataFrame) -> pd.DataFrame:
    """`CLOSED` of the rows that are withdrawn at the source, on their index.

    `rows` are those of one instrument, of any number of programmes, with `content` (see `acceptance`); `is_open`: they are neither
    superseded nor delivered before; `is_broken`: an error names them. `files` has `FILE_COLUMNS`; rows of other deliveries (decisions
    of people) take no part.
    """
    rows = rows.loc[rows["delivery_id"].isin(files["delivery_id"])]
    broken = rows.loc[is_broken & is_open, [*_GROUP, "content"]]
    pairs = _pairs(rows, files, broken)
    if pairs.empty:
        return nothing(rows.index)
    good = rows.loc[is_open & ~is_broken, ["programme_id", "content"]].drop_duplicates()
    pairs = pairs.loc[_holds_what_is_good(pairs, rows[[*_GROUP, "content"]].drop_duplicates(), good)]
    last_held = rows.groupby(["programme_id", "content"])["received_at"].transform("max").rename("last_held")
    gone = broken.join(last_held).reset_index(names="at").merge(pairs, on=_GROUP)
    return _first(gone.loc[gone["received_at_later"] > gone["last_held"]], at="at", index=rows.index)


def _pairs(rows: pd.DataFrame, files: pd.DataFrame, broken: pd.DataFrame) -> pd.DataFrame:
    """Every delivery with a broken row beside each later one of the same export that has rows of the instrument."""
    held = rows[_GROUP].drop_duplicates().merge(files, on="delivery_id")
    held = held.loc[held["folder"].isin([SHARED]) | held["folder"].eq(held["programme_id"])]
    of_broken = held.merge(broken[_GROUP].drop_duplicates(), on=_GROUP)
    return _later(of_broken, held, within=["programme_id"])


def _holds_what_is_good(pairs: pd.DataFrame, held: pd.DataFrame, good: pd.DataFrame) -> pd.Series:
    """Whether the later delivery of a pair holds all good rows of the earlier one, and is known by one of them or by its name."""
    asked = pairs[_GROUP].drop_duplicates().merge(held, on=_GROUP).merge(good, on=["programme_id", "content"])
    n_asked = asked.groupby(_GROUP).size().rename("n_asked").reset_index()
    offered = held.rename(columns={"delivery_id": "delivery_id_later"})
    offered = offered.merge(pairs[["programme_id", "delivery_id_later"]].drop_duplicates())
    shared = asked.merge(offered, on=["programme_id", "content"])
    n_shared = shared.groupby([*_GROUP, "delivery_id_later"]).size().rename("n_shared").reset_index()
    counted = pairs.merge(n_asked, how="left").merge(n_shared, how="left").set_axis(pairs.index)
    asks, shares = counted["n_asked"].fillna(0), counted["n_shared"].fillna(0)
    return (asks == shares) & ((asks > 0) | counted["is_same_name"])


def _later(bad: pd.DataFrame, good: pd.DataFrame, within: list[str] | None = None) -> pd.DataFrame:
    """Each of `bad` beside every later one of `good` of the same export."""
    found = []
    for same in ("file_name", "shape"):
        key = ["folder", *(within or []), same]
        beside = bad.dropna(subset=same).merge(good.dropna(subset=same), on=key, suffixes=("", "_later"))
        found.append(beside.assign(is_same_name=same == "file_name"))
    pairs = pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True)
    pairs = pairs.loc[pairs["received_at_later"] > pairs["received_at"]]
    both = ["delivery_id", "delivery_id_later", *(within or ["folder"])]
    return pairs.drop_duplicates(both).reset_index(drop=True)


def _first(found: pd.DataFrame, *, at: str, index: pd.Index) -> pd.DataFrame:
    """Of each place the first of the deliveries that close it, in the order of `index`."""
    first = found.sort_values(["received_at_later", "delivery_id_later"]).drop_duplicates(at).set_index(at)
    first = first[["received_at_later", "delivery_id_later"]].set_axis(CLOSED, axis=1)
    return first.reindex(index[index.isin(first.index)])


def nothing(index: pd.Index) -> pd.DataFrame:
    """`CLOSED` of no row."""
    when = pd.Series(dtype="datetime64[us, UTC]")
    return pd.DataFrame({"closed_at": when, "closed_by": pd.Series(dtype="str")}, index=index[:0])
