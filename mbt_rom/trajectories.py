"""The course of every patient at real dates, and of a programme at its moments.

Belongs here: scores joined to the moment and episode they were matched to, and their summary per moment. Does not belong
here: reliable change (`change`), expected courses and alerts, drawing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import disclosure, intervals, keys, schedule
from mbt_rom.settings import Consortium
from mbt_rom.tables import TRAJECTORIES

_NEVER = pd.Timestamp(9999, 12, 31).as_unit("s")
_SCALE = ["programme_id", "instrument", "edition", "scale", "value_set_id"]
COURSE_COLUMNS = (
    *_SCALE, "moment", "months", "n", "mean", "lower_95", "upper_95", "quartile_1", "quartile_3", "suppressed",
)  # fmt: skip


def trajectories(
    scores: pd.DataFrame, expected: pd.DataFrame, episodes: pd.DataFrame, *, settings: Consortium
) -> pd.DataFrame:
    """Every accepted score with its moment, episode and months since month 0: rows of `outcomes/trajectories`.

    `scores`: rows of `scores/<instrument>` of any instruments and programmes; `expected`: rows of `outcomes/expected` of the
    same; `episodes`: rows of `reference/episodes`. A form that fits no moment stays, as `unscheduled`. Months are of
    30.4375 days and missing where the form has no date or the episode no anchor. `is_before_treatment`: filled in before the first
    main session of its episode, or in an episode without such a session in a programme that records them; else missing where a date is.
    """
    matched = expected[expected["row_id"].notna()].reset_index(drop=True)
    of_scores, of_matched = keys.row_codes(scores, matched, columns=["programme_id", "instrument", "row_id"])
    where = keys.lookup(of_scores, of_matched)
    frame = scores.reset_index(drop=True)
    for column in ("episode_id", "moment", "is_late_baseline"):
        frame[column] = matched[column].reindex(pd.Index(where)).array
    frame["moment"] = frame["moment"].fillna(schedule.UNSCHEDULED)
    frame["anchor"] = frame["programme_id"].map({k: p.anchor for k, p in settings.programmes.items()})
    frame["months_since_start"] = _months(frame, episodes, settings=settings)
    frame["is_before_treatment"] = _is_before_treatment(frame, episodes)
    return TRAJECTORIES.conform(frame[[c for c in TRAJECTORIES.column_names if c in frame.columns]])


def _months(frame: pd.DataFrame, episodes: pd.DataFrame, *, settings: Consortium) -> npt.NDArray[np.float64]:
    anchor = _of_episode(frame, episodes, schedule.anchors(episodes, settings=settings))
    days = (frame["administered_on"] - anchor).dt.days
    return np.asarray(days.to_numpy(dtype=float) / schedule.DAYS_PER_MONTH)


def _is_before_treatment(frame: pd.DataFrame, episodes: pd.DataFrame) -> pd.Series:
    """A programme that records first sessions has none of who still waits, or left before it."""
    records = episodes["programme_id"].isin(episodes.loc[episodes["started_on"].notna(), "programme_id"])
    started = _of_episode(
        frame, episodes, episodes["started_on"].where(~records, episodes["started_on"].fillna(_NEVER))
    )
    is_known = frame["administered_on"].notna() & started.notna()
    return (frame["administered_on"] < started).astype("boolean").where(is_known)


def _of_episode(frame: pd.DataFrame, episodes: pd.DataFrame, dates: pd.Series) -> pd.Series:
    """The date of each row's episode, missing where it has none; on the index of `frame`, which counts from 0."""
    of_frame, of_episodes = keys.row_codes(frame, episodes, columns=["programme_id", "episode_id"])
    known = dates.reset_index(drop=True).reindex(pd.Index(keys.lookup(of_frame, of_episodes)))
    return known.reset_index(drop=True)


def programme_course(trajectories: pd.DataFrame, *, threshold: int, months: Sequence[int]) -> pd.DataFrame:
    """Mean score of a programme at every moment of the plan, as it may be published: the rows behind its figure.

    `trajectories`: rows of `outcomes/trajectories`. Rows: programme x instrument x edition x scale x value set x moment, for
    all `months` whether anything came or not. Left out: late baselines, and later forms that came before the first main session.
    Columns: `COURSE_COLUMNS`; n is patients, each with the first episode only;
    limits of the mean by t; quartiles by linear interpolation. Below `threshold` patients `suppressed` is true and all
    numbers are missing, so that none and few look the same. Whoever answered differs between moments: this is no course of
    one fixed group.
    """
    names = {schedule.moment_name(month): month for month in months}
    rows = trajectories[trajectories["score"].notna() & trajectories["patient_id"].notna()]
    rows = _first_episodes(rows[rows["moment"].isin(list(names)) & ~_is_out_of_place(rows)])
    summary = _summary(rows)
    grid = (
        summary[_SCALE]
        .drop_duplicates()
        .merge(pd.DataFrame({"moment": list(names), "months": names.values()}), how="cross")
    )
    of_grid, of_summary = keys.row_codes(grid, summary, columns=[*_SCALE, "moment"])
    found = summary.reindex(pd.Index(keys.lookup(of_grid, of_summary))).reset_index(drop=True)
    course = grid.join(found.drop(columns=[*_SCALE, "moment"]))
    course["suppressed"] = disclosure.too_few(course["n"].fillna(0), threshold=threshold)
    numbers = ["n", "mean", "lower_95", "upper_95", "quartile_1", "quartile_3"]
    course[numbers] = course[numbers].mask(course["suppressed"])
    return course.astype({"n": "Int64", "months": "Int64"})[list(COURSE_COLUMNS)]


def _is_out_of_place(rows: pd.DataFrame) -> pd.Series:
    """Baselines that came after the first main session, and later forms that came before it."""
    is_late, is_waiting = (rows[c].fillna(False).astype(bool) for c in ("is_late_baseline", "is_before_treatment"))
    out_of_place: pd.Series = is_late.where(rows["moment"] == schedule.BASELINE, is_waiting)
    return out_of_place


def _first_episodes(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of every patient's first episode: the one with the earliest month 0. Rows without an episode all stay."""
    month_0 = rows["administered_on"] - pd.to_timedelta(rows["months_since_start"] * schedule.DAYS_PER_MONTH, unit="D")
    starts = rows.assign(month_0=month_0)[["programme_id", "patient_id", "episode_id", "month_0"]]
    order = starts.dropna(subset=["episode_id"]).sort_values(["month_0", "episode_id"])
    first = order.drop_duplicates(["programme_id", "patient_id"])
    of_rows, of_first = keys.row_codes(rows, first, columns=["programme_id", "patient_id", "episode_id"])
    is_first = keys.lookup(of_rows, of_first) >= 0
    return rows[is_first | rows["episode_id"].isna().to_numpy()]


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    by = [*_SCALE, "moment"]
    (codes,) = keys.row_codes(rows, columns=by)
    table = rows[by].drop_duplicates().reset_index(drop=True)
    scores = rows["score"].groupby(codes)
    table["n"], table["mean"] = scores.count().array, scores.mean().array
    table["lower_95"], table["upper_95"] = intervals.mean_t(
        mean=table["mean"], sd=scores.std().to_numpy(), n=table["n"]
    )
    table["quartile_1"], table["quartile_3"] = scores.quantile(0.25).array, scores.quantile(0.75).array
    return table.sort_values(by).reset_index(drop=True)
