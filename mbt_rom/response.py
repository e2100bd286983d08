"""How many of the forms that should have come did come, and why the others did not.

Belongs here: counts per programme, instrument, moment and year of start, with Wilson intervals. Does not belong here: what was
due and what answers it (`schedule`), what may be published of it (`disclosure`), who responds.

Leaving treatment does not end eligibility: whoever left is counted like the others, and apart as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import intervals, keys, schedule
from mbt_rom.days import day_numbers
from mbt_rom.plans import UNSCHEDULED, month_of, place_of
from mbt_rom.settings import Consortium
from mbt_rom.tables import NONRESPONSE_REASONS, RESPONSE, RESPONSE_BY_PERIOD

Bools = npt.NDArray[np.bool_]

#: Treatments that ended so were left, and not completed.
LEFT = ("dropped_out", "referred_on")
_BY = ["programme_id", "instrument", "moment"]
_EPISODE = ["programme_id", "episode_id"]


def response(
    expected: pd.DataFrame, *, episodes: pd.DataFrame, nonresponse: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Response per programme, instrument and moment: rows of `outcomes/response`.

    `expected`: rows of `outcomes/expected`, any number of programmes; `episodes`: rows of `reference/episodes`; `nonresponse`:
    rows of the register of that name. Eligible = received or missed; an episode counts as not yet due until its window has
    closed or its form has come; one that was only begun has not come. Started = not yet due + not eligible (died) + withdrawn +
    eligible. Where a programme has no episodes of an instrument registered, all but n_received is no data: missing, never zero.
    So are the reasons of a programme without a register of them. Forms outside the plan of a programme that has one do not count.
    """
    rows = _with_facts(expected, episodes, nonresponse)
    return RESPONSE.conform(_counted(rows, by=_BY).drop(columns=["complete_on"]))


def response_by_period(
    expected: pd.DataFrame,
    *,
    episodes: pd.DataFrame,
    settings: Consortium,
    nonresponse: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The same per year of month 0, of planned moments only: rows of `outcomes/response_by_period`.

    `complete_on` is the last day on which a form can still count for a moment of the row; until then its share may yet change.
    """
    rows = _with_facts(expected, episodes, nonresponse)
    start = schedule.anchors(episodes, settings=settings).dt.year
    rows["start_year"] = _of_episode(rows, episodes, start.astype("float64"))
    rows = rows[rows["start_year"].notna() & rows["due_on"].notna()].reset_index(drop=True)
    return RESPONSE_BY_PERIOD.conform(_counted(rows, by=[*_BY, "start_year"]))


def _with_facts(expected: pd.DataFrame, episodes: pd.DataFrame, nonresponse: pd.DataFrame | None) -> pd.DataFrame:
    """The rows that belong to a moment, with is_late, has_left and reason; `has_reasons`: their programme registers them."""
    is_moment = (expected["moment"] != UNSCHEDULED).to_numpy()
    rows = expected[is_moment].reset_index(drop=True)
    rows["is_late"] = came_late(expected)[is_moment]
    left = episodes["ended_on"].where(episodes["end_reason"].isin(LEFT))
    rows["has_left"] = (_of_episode(rows, episodes, left) < rows["due_on"]).astype("bool")
    rows["reason"] = _reasons(rows, nonresponse)
    registering = [] if nonresponse is None else list(nonresponse["programme_id"].unique())
    return rows.assign(has_reasons=rows["programme_id"].isin(registering))


def _of_episode(rows: pd.DataFrame, episodes: pd.DataFrame, values: pd.Series) -> pd.Series:
    """The value of each row's episode, missing where it has none."""
    of_rows, of_episodes = keys.row_codes(rows, episodes, columns=_EPISODE)
    where = np.where(rows["episode_id"].notna(), keys.lookup(of_rows, of_episodes), -1)
    return pd.Series(values.reset_index(drop=True).reindex(pd.Index(where)).array, index=rows.index)


def _counted(rows: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Counts and shares per combination of the columns `by`."""
    (codes,) = keys.row_codes(rows, columns=by)
    first = np.flatnonzero(keys.first_of_each(codes))
    table = rows.iloc[first][[*by, "anchor"]].assign(code=codes[first]).set_index("code").sort_index()
    is_planned, status = rows["due_on"].notna().to_numpy(), rows["status"]
    received, missed = (status == "received").to_numpy(), (status == "missed").to_numpy()
    waiting = status.isin(["open", "not_yet_due", schedule.TO_BE_FINISHED]).to_numpy()
    eligible, left = is_planned & (received | missed), rows["has_left"].to_numpy()
    chosen = {
        "n_started": is_planned,
        "n_not_yet_due": is_planned & waiting,
        "n_not_eligible": is_planned & (status == "died").to_numpy(),
        "n_withdrawn": is_planned & (status == schedule.WITHDRAWN).to_numpy(),
        "n_eligible": eligible,
        "n_received": is_planned & received,
        "n_given": received,
        "n_late": missed & rows["is_late"].to_numpy(),
        "n_late_baseline": received & rows["is_late_baseline"].fillna(False).to_numpy(dtype=bool),
        "n_left_eligible": eligible & left,
        "n_left_received": is_planned & received & left,
        **{f"n_{reason}": missed & (rows["reason"] == reason).to_numpy(dtype=bool) for reason in NONRESPONSE_REASONS},
    }
    for name, which in chosen.items():
        table[name] = np.bincount(codes[which], minlength=len(table))
    table["complete_on"] = rows["closes_on"].groupby(codes).max()
    table["has_reasons"] = rows["has_reasons"].groupby(codes).any()
    return _in_order(_with_share(_without_data(table)), by)


def _without_data(table: pd.DataFrame) -> pd.DataFrame:
    """Counts that nobody can know made missing."""
    counts = [name for name in table.columns if name.startswith("n_")]
    table = table.astype(dict.fromkeys(counts, "Int64"))
    has_plan = table.groupby(["programme_id", "instrument"])["n_started"].transform("sum") > 0
    table["n_received"] = table["n_received"].where(has_plan, table["n_given"])
    unknown = [name for name in counts if name != "n_received"]
    table[unknown] = table[unknown].where(has_plan)
    reasons = [f"n_{reason}" for reason in NONRESPONSE_REASONS]
    table[reasons] = table[reasons].where(table["has_reasons"])
    return table.drop(columns=["n_given", "has_reasons"])


def _with_share(table: pd.DataFrame) -> pd.DataFrame:
    eligible = table["n_eligible"].to_numpy(dtype=float, na_value=np.nan)
    received = np.where(np.isnan(eligible), np.nan, table["n_received"].to_numpy(dtype=float, na_value=np.nan))
    share, lower, upper = intervals.wilson(count=received, n=eligible)
    return table.assign(response_share=share, lower_95=lower, upper_95=upper)


def _in_order(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    place = table["moment"].map({name: place_of(name) for name in table["moment"].unique()})
    order = ["programme_id", "instrument", "place", *by[3:]]
    return table.assign(place=place).sort_values(order).drop(columns="place")


def came_late(expected: pd.DataFrame) -> Bools:
    """Per row: a form came after the window of this missed month had closed and before the next one of the plan opened.

    `expected`: rows of `outcomes/expected`. Such a form answers nothing and stays unscheduled; it tells that the patient did answer.
    """
    months = [name for name in expected["moment"].unique() if month_of(name) is not None]
    at = np.flatnonzero(expected["moment"].isin(months) & expected["due_on"].notna())
    strays = expected[
        (expected["status"] == UNSCHEDULED) & expected["administered_on"].notna() & expected["episode_id"].notna()
    ]
    late = np.zeros(len(expected), dtype=bool)
    if strays.empty or not len(at):
        return late
    planned = expected.iloc[at]
    of_planned, of_strays = keys.row_codes(planned, strays, columns=[*_EPISODE, "instrument"])
    opens, closes, came = (
        day_numbers(dates) for dates in (planned["opens_on"], planned["closes_on"], strays["administered_on"])
    )
    order = np.lexsort((closes, of_planned))
    before = np.searchsorted(_placed(of_planned, closes)[order], _placed(of_strays, came), side="left") - 1
    slot, following = order[np.maximum(before, 0)], order[np.minimum(before + 1, len(order) - 1)]
    is_after = (before >= 0) & (of_planned[slot] == of_strays) & (planned["status"].iloc[slot] == "missed").to_numpy()
    has_next = (before + 1 < len(order)) & (of_planned[following] == of_strays)
    late[at[slot[is_after & (~has_next | (came < opens[following]))]]] = True
    return late


def _placed(group: npt.NDArray[np.int64], day: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Numbers that sort by group and then by day."""
    return group * 2**24 + day + 2**22


def _reasons(rows: pd.DataFrame, nonresponse: pd.DataFrame | None) -> pd.Series:
    """The recorded reason per row: that of its instrument, otherwise that of the whole sitting."""
    nobody = pd.Series(None, index=rows.index, dtype="str")
    if nonresponse is None:
        return nobody
    sitting = nonresponse[nonresponse["instrument"].isna()]
    one = nonresponse[nonresponse["instrument"].notna()]
    found = nobody
    for known, columns in ((one, ["instrument", "moment"]), (sitting, ["moment"])):
        by = ["programme_id", "patient_id", *columns]
        of_rows, of_known = keys.row_codes(rows, known, columns=by)
        where = keys.lookup(of_rows, of_known)
        found = found.fillna(
            pd.Series(known["reason"].reset_index(drop=True).reindex(pd.Index(where)).array, index=rows.index)
        )
    return found.astype("str")
