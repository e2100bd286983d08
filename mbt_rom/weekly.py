"""Series of forms that are filled in every week of treatment: weeks that were due, answered, and closed.

Belongs here: counting weeks. Does not belong here: the moments of the plan, which a form of a series may answer as well
(`schedule`), the course of the scores.

The first week begins on the day of the first main session. A week counts once it is over, up to the last main session, death
or withdrawal. A week whose working days (Monday to Friday) were all closed is a gap and never missed.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import keys
from mbt_rom.days import day_numbers
from mbt_rom.settings import Closure, Consortium
from mbt_rom.tables import WEEKLY

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
_SERIES = ["programme_id", "episode_id", "instrument"]


def weekly(
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    *,
    settings: Consortium,
    as_of: date,
    ends: pd.DataFrame,
) -> pd.DataFrame:
    """One row per episode that began and instrument of its programme's weekly series: rows of `outcomes/weekly`.

    `expected`: rows of `outcomes/expected`, whose forms answer a week whether or not they also answer a moment; `episodes`:
    rows of `reference/episodes`; `ends`: as `eligibility.ends` tells it. `as_of` itself is not over.
    """
    series = _series(episodes, ends, settings=settings, as_of=as_of)
    forms = expected[expected["row_id"].notna() & expected["administered_on"].notna() & expected["episode_id"].notna()]
    of_series, of_forms = keys.row_codes(series, forms, columns=_SERIES)
    where = keys.lookup(of_forms, of_series)
    day = day_numbers(forms["administered_on"])[where >= 0]
    where = where[where >= 0]
    is_closed = _closed_weeks(series, settings)
    week = (day - series["first"].to_numpy()[where]) // 7
    is_within = (day >= series["first"].to_numpy()[where]) & (day <= series["last"].to_numpy()[where])
    is_due = is_within & (week < series["n_weeks"].to_numpy()[where])
    offset = np.cumsum(series["n_weeks"].to_numpy()) - series["n_weeks"].to_numpy()
    answered = np.unique(offset[where[is_due]] + week[is_due])
    owner = np.repeat(np.arange(len(series)), series["n_weeks"].to_numpy())
    answered = answered[~is_closed[answered]]
    last = pd.Series(day[is_within]).groupby(where[is_within]).max().reindex(range(len(series)))
    n_closed = np.bincount(owner[is_closed], minlength=len(series))
    table = series.assign(
        n_weeks_due=series["n_weeks"] - n_closed,
        n_weeks_answered=np.bincount(owner[answered], minlength=len(series)),
        n_weeks_closed=n_closed,
        last_answered_on=pd.to_datetime(last, unit="D").astype("datetime64[s]").array,
    )
    return WEEKLY.conform(table[[c for c in WEEKLY.column_names if c in table]])


def _series(episodes: pd.DataFrame, ends: pd.DataFrame, *, settings: Consortium, as_of: date) -> pd.DataFrame:
    """Episodes x weekly instruments with the first and last day of the series, and the whole weeks between them."""
    asked = [(p, i) for p, programme in settings.programmes.items() for i in programme.weekly]
    instruments = pd.DataFrame(asked, columns=["programme_id", "instrument"], dtype="str")
    yesterday = pd.Timestamp(as_of) - pd.Timedelta(days=1)
    known = episodes[(episodes["started_on"] <= yesterday) & episodes["patient_id"].notna()]
    person = ["programme_id", "patient_id"]
    known = known.merge(ends[[*person, "ended_on"]], how="left", on=person, suffixes=("", "_person"))
    ended = known[["ended_on", "ended_on_person"]].min(axis=1).fillna(yesterday)
    last = ended.where(ended <= yesterday, yesterday).astype("datetime64[s]")
    known = known.assign(first=day_numbers(known["started_on"]), last=day_numbers(last))
    known["n_weeks"] = ((known["last"] - known["first"] + 1) // 7).clip(lower=0)
    rows = known[["programme_id", "patient_id", "episode_id", "first", "last", "n_weeks"]].merge(
        instruments, on="programme_id"
    )
    return rows.sort_values(_SERIES).reset_index(drop=True)


def _closed_weeks(series: pd.DataFrame, settings: Consortium) -> Bools:
    """Whether each week of each series was closed, in order of series and weeks."""
    n = series["n_weeks"].to_numpy()
    within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    first_day = np.repeat(series["first"].to_numpy(), n) + 7 * within
    closed = np.zeros(len(first_day), dtype=bool)
    programme = np.repeat(series["programme_id"].to_numpy(dtype=object), n)
    for name in series["programme_id"].unique():
        closures = settings.programmes[name].closures
        if closures:
            mine = programme == name
            closed[mine] = weeks_closed(first_day[mine].astype("datetime64[D]"), closures)
    return closed


def weeks_closed(first: npt.NDArray[np.datetime64], closures: tuple[Closure, ...]) -> Bools:
    """Whether all working days of the seven days that begin on each date lie in closures.

    >>> closed = (Closure(from_on=date(2024, 7, 22), until_on=date(2024, 7, 26)),)
    >>> weeks_closed(np.array(["2024-07-20", "2024-07-22", "2024-07-23"], dtype="datetime64[D]"), closed).tolist()
    [True, True, False]
    """
    days = [pd.date_range(c.from_on, c.until_on).to_numpy(dtype="datetime64[D]") for c in closures]
    return np.asarray(np.busday_count(first, first + 7, holidays=np.unique(np.concatenate(days))) == 0)
