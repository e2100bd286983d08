"""Invented people: patients, therapists, episodes and each patient's latent course of distress.

Belongs here: who there is, when they were treated, how they fare. Does not belong here: which forms they fill in
(`forms`), what they answer (`answers`).

The latent course. Distress at month t of patient i is `severity_i - improvement_i x curve(t)`. 0 is the average patient of the
consortium at the start; the unit is close to the SD at the start (0.9 between patients, the programmes' differences come on top). The curve rises as 1 - exp(-t / 9), scaled to 1 at month 18; after dropping out
half of what was still to come is lost. Improvement varies with an SD of 0.85 around the programme's mean (and its
therapist's), so that a minority gets worse; those who start worse gain more, as regression to the mean has it. A second
episode goes on where the course has come to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import Days, days_of
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.streams import Streams

Floats = npt.NDArray[np.float64]
DAYS_PER_MONTH = 30.4375
YEARS_BACK = 4
_RISE_MONTHS = 9.0
_SEVERITY_SD = 0.9
_IMPROVEMENT_SD = 0.85
_THERAPIST_SD = 0.15
_DIED_AFTER_DAYS = 400
_AGAIN_SHARE, _WAITING_SHARE = 0.06, 0.04
_TRANSFER_DAYS = 60
#: Share of the sessions attended: log odds at average severity, and what severity and a person's own habit (SD 1) add.
ATTENDANCE = {"intercept": 1.8, "severity": -0.3, "habit": 0.7}
DATES = (
    "referred_on", "first_assessment_on", "first_introductory_on", "started_on", "planned_end_on", "ended_on",
    "last_followup_on",
)  # fmt: skip


@dataclass(frozen=True)
class People:
    """The people of one programme. Row i of `patients`, `episodes` and `latent` is the same person.

    `patients`: number, birth_year, sex. `therapists`: code, function, started_on, ended_on. `episodes`: episode, number,
    therapist, the dates `DATES` (ended_on missing while in treatment), end_reason, left_on (day of dropping out, missing
    otherwise); everybody's first. `again`: second episodes, with `who`, the position of their person; started_on is missing
    while they wait. `latent`: severity, improvement, responder (liking for filling in forms, SD 1), attends (share of the
    sessions that the person comes to), attendance (the same in SD).
    """

    patients: pd.DataFrame
    therapists: pd.DataFrame
    episodes: pd.DataFrame
    latent: pd.DataFrame
    again: pd.DataFrame

    @cached_property
    def every_episode(self) -> pd.DataFrame:
        """First and second episodes, with `who`, the position of their person; the first ones first."""
        first = self.episodes.assign(who=np.arange(len(self.episodes)))
        return pd.concat([first, self.again], ignore_index=True) if len(self.again) else first


def people(plan: Plan, *, seed: int, as_of: date) -> People:
    """The people of one programme: the same for the same plan, seed and date."""
    streams = Streams(seed=seed, programme=plan.index)
    today = np.datetime64(as_of, "D")
    therapists = _therapists(plan, streams, today)
    latent = _latent(plan, streams, n_therapists=len(therapists))
    dates = _dates(plan, streams, latent, today)
    numbers = _numbers(plan)
    episodes = dates.assign(
        episode=[f"{plan.code}-E{i + 1:05d}" for i in range(plan.n_patients)],
        number=numbers,
        therapist=therapists["code"].to_numpy()[latent["therapist"].to_numpy()],
    )[["episode", "number", "therapist", *DATES, "end_reason", "left_on"]]
    return People(
        patients=_patients(plan, streams, numbers, dates["started_on"]),
        therapists=therapists,
        episodes=episodes,
        latent=latent.assign(number=numbers),
        again=_again(plan, streams, episodes, therapists, today),
    )


def with_transfers(made: Sequence[People], plans: Sequence[Plan]) -> list[People]:
    """The same people, some of whom came from an earlier programme of the same hospital: one number, one person.

    Whoever left a programme within 60 days before somebody of the next one started is that somebody, for one in forty of the
    patients there. The earlier programme stays as it was. Nobody is sent to or from a programme for adolescents.
    """
    done: list[People] = []
    for plan, persons in zip(plans, made, strict=True):
        before = [k for k, p in enumerate(plans[: plan.index]) if p.issuer == plan.issuer]
        is_adult = plan.kind.format != "adolescent"
        done.append(_transferred(persons, done[before[-1]], plan) if before and is_adult else persons)
    return done


def _transferred(persons: People, senders: People, plan: Plan) -> People:
    at_most, of_senders = -(-plan.n_patients // 40), senders.episodes
    has_left = of_senders["end_reason"].isin(["dropped_out", "referred_on"])
    leavers = np.flatnonzero(has_left & ~of_senders["number"].isin(senders.again["number"]))
    started, left = days_of(persons.episodes["started_on"]), days_of(of_senders["ended_on"])
    taken: dict[int, int] = {}
    busy = np.isin(np.arange(len(started)), persons.again["who"])
    for leaver in leavers:
        gap = (started - left[leaver]).astype(np.int64)
        free = np.flatnonzero((gap >= 14) & (gap <= _TRANSFER_DAYS) & ~busy)
        if len(free) and len(taken) < at_most:
            taken[int(free[0])] = int(leaver)
            busy[free[0]] = True
    rows, came = np.array(list(taken), dtype=np.int64), np.array(list(taken.values()), dtype=np.int64)
    return replace(
        persons,
        patients=_with(persons.patients, rows, senders.patients.iloc[came]),
        latent=_with(persons.latent, rows, senders.patients[["number"]].iloc[came]),
        episodes=_with(
            persons.episodes, rows, _waited(of_senders["number"].to_numpy()[came], left[came], started[rows])
        ),
    )


def _with(frame: pd.DataFrame, rows: npt.NDArray[np.int64], other: pd.DataFrame) -> pd.DataFrame:
    """The frame with what `other` says, row by row, in its columns."""
    made = frame.copy()
    for name in other.columns:
        values = made[name].to_numpy(copy=True)
        values[rows] = other[name].to_numpy()
        made[name] = pd.Series(values, index=made.index, dtype=made[name].dtype)
    return made


def _waited(numbers: npt.NDArray[np.object_], referred: Days, started: Days) -> pd.DataFrame:
    """Numbers and dates before the start of those who were referred on one day and started on another."""
    wait = (started - referred).astype(np.int64)
    days = {"referred_on": 0 * wait, "first_assessment_on": wait // 4, "first_introductory_on": wait // 2}
    dates = {name: _dated(referred + n.astype("timedelta64[D]")) for name, n in days.items()}
    return pd.DataFrame({"number": numbers, **dates})


def _again(
    plan: Plan, streams: Streams, episodes: pd.DataFrame, therapists: pd.DataFrame, today: np.datetime64
) -> pd.DataFrame:
    """Second episodes of some who left or completed the first; some of them still wait. Not for adolescents, who grow up."""
    draw = streams("second episodes").random((plan.n_patients, 5))
    ended = days_of(episodes["ended_on"])
    referred = ended + (60 + draw[:, 1] * 300).astype("timedelta64[D]")
    wait = (28 + draw[:, 2] * 120).astype("timedelta64[D]")
    may = episodes["end_reason"].isin(["dropped_out", "completed"]).to_numpy() & (plan.kind.format != "adolescent")
    has_started = may & (draw[:, 0] < _AGAIN_SHARE) & (referred + wait < today - 10)
    waits = may & (draw[:, 0] >= 1 - _WAITING_SHARE) & (ended < today - 90)
    referred = np.where(waits, today - 15 - (draw[:, 1] * 60).astype("timedelta64[D]"), referred)
    who = np.flatnonzero(has_started | waits)
    started = np.where(waits, np.datetime64("NaT", "D"), _weekday(referred + wait))[who]
    stayed = np.where(draw[:, 3] < 0.3, 60 + (draw[:, 4] * 200).astype(np.int64), plan.kind.planned_days)[who]
    over = started + stayed.astype("timedelta64[D]")
    is_over = over <= today
    reason = np.where(draw[who, 3] < 0.3, "dropped_out", "completed").astype(object)
    dates = _with_course(referred[who], started, started + plan.kind.planned_days, over, is_over, reason, today)
    free = therapists[therapists["ended_on"].isna()]["code"].to_numpy()
    return dates.assign(
        episode=[f"{plan.code}-E{i + 1 + plan.n_patients:05d}" for i in range(len(who))],
        number=episodes["number"].to_numpy()[who],
        therapist=free[who % len(free)],
        who=who,
    )[[*episodes.columns, "who"]]


def distress(*, latent: pd.DataFrame, episodes: pd.DataFrame, who: npt.NDArray[np.int64], on: Days) -> Floats:
    """True distress of person `who[j]` (position) on day `on[j]`, in SD at the start, without the mood of the day."""
    start, left = days_of(episodes["started_on"])[who], days_of(episodes["left_on"])[who]
    months = np.maximum((on - start).astype(float), 0) / DAYS_PER_MONTH
    months_left = np.where(np.isnat(left), np.inf, (left - start).astype(float) / DAYS_PER_MONTH)
    reached = curve(np.minimum(months, months_left))
    gained = reached + 0.5 * (curve(months) - reached)
    return np.asarray(latent["severity"].to_numpy()[who] - latent["improvement"].to_numpy()[who] * gained)


def curve(months: Floats) -> Floats:
    """Share of the improvement at month 18 that is reached after so many months.

    >>> curve(np.array([0.0, 6.0, 18.0, 36.0])).round(2).tolist()
    [0.0, 0.56, 1.0, 1.14]
    """
    return np.asarray((1 - np.exp(-months / _RISE_MONTHS)) / (1 - np.exp(-18 / _RISE_MONTHS)))


def _therapists(plan: Plan, streams: Streams, today: np.datetime64) -> pd.DataFrame:
    n = max(2, plan.n_patients // 12)
    rng = streams("therapists")
    started = today - np.timedelta64(YEARS_BACK * 365 + 60, "D") - (rng.random(n) * 2000).astype("timedelta64[D]")
    functions = np.array(["individual", "individual", "group", "supervisor"], dtype=object)
    has_left = (np.arange(n) % 6 == 5) & (n > 6)
    ended = np.where(has_left, today - np.timedelta64(200, "D"), np.datetime64("NaT", "D"))
    codes = [f"{plan.code}-T{i + 1:02d}" for i in range(n)]
    return pd.DataFrame(
        {
            "code": codes,
            "function": functions[np.arange(n) % 4],
            "started_on": _dated(started),
            "ended_on": _dated(ended),
        }
    )


def _dated(days: Days) -> pd.Series:
    return pd.Series(days.astype("datetime64[s]"))


def _latent(plan: Plan, streams: Streams, *, n_therapists: int) -> pd.DataFrame:
    n, kind = plan.n_patients, plan.kind
    severity = kind.severity + _SEVERITY_SD * streams("severity").standard_normal(n)
    therapist = (streams("therapist of patient").random(n) * n_therapists).astype(np.int64)
    effect = _THERAPIST_SD * streams("therapist effect").standard_normal(n_therapists)
    noise = _IMPROVEMENT_SD * streams("improvement").standard_normal(n)
    habit = ATTENDANCE["severity"] * severity + ATTENDANCE["habit"] * streams("attendance").standard_normal(n)
    return pd.DataFrame(
        {
            "severity": severity,
            "improvement": kind.improvement + 0.25 * severity + effect[therapist] + noise,
            "responder": streams("responder").standard_normal(n),
            "attends": 1 / (1 + np.exp(-(ATTENDANCE["intercept"] + habit))),
            "attendance": habit / np.hypot(ATTENDANCE["severity"] * _SEVERITY_SD, ATTENDANCE["habit"]),
            "therapist": therapist,
        }
    )


def _dates(plan: Plan, streams: Streams, latent: pd.DataFrame, today: np.datetime64) -> pd.DataFrame:
    """The dates of first episodes and why they ended; who is more severe drops out more often. Waits: weeks to a year."""
    draw = streams("dates").random((plan.n_patients, 5))
    started = _weekday(today - 10 - (draw[:, 0] * (YEARS_BACK * 365 - 10)).astype("timedelta64[D]"))
    referred = started - 28 - (draw[:, 1] ** 3 * 340).astype("timedelta64[D]")
    # 9 % early drop-out in a day hospital (Laurenssen 2018), 32 % of both arms not completed in two years (Jorgensen 2013)
    drop_share = 1 / (1 + np.exp(-(-1.45 + 0.75 * latent["severity"].to_numpy())))
    drops = draw[:, 2] < drop_share
    planned = plan.kind.planned_days + (draw[:, 3] * 60 - 30).astype(np.int64)
    stayed = np.where(drops, 30 + (draw[:, 4] * 330).astype(np.int64), planned)
    reason = np.where(drops, "dropped_out", np.where(draw[:, 4] > 0.93, "referred_on", "completed")).astype(object)
    stayed, reason = _one_death(plan, started, stayed, reason, today)
    ended = started + stayed.astype("timedelta64[D]")
    planned_end = started + planned.astype("timedelta64[D]")
    return _with_course(referred, started, planned_end, ended, ended <= today, reason, today)


def _with_course(
    referred: Days, started: Days, planned_end: Days, ended: Days, is_over: npt.NDArray[np.bool_],
    reason: npt.NDArray[np.object_], today: np.datetime64,
) -> pd.DataFrame:  # fmt: skip
    """All dates of episodes: assessment after a quarter of the wait, the introductory course in its last twelve weeks or
    its second half, follow-up contacts every sixty days for a year after a treatment that was completed."""
    never = np.datetime64("NaT", "D")
    wait = np.where(np.isnat(started), 0, (started - referred).astype(np.int64))
    seen = np.where(np.isnat(started), (today - referred).astype(np.int64) > 30, True)
    quarter = np.maximum(np.where(np.isnat(started), 100, wait) // 4, 5)
    course = np.minimum(84, wait // 2)
    since = np.where(is_over & (reason == "completed"), (today - ended).astype(np.int64), 0)
    last = np.minimum(since // 60, 6) * 60
    return pd.DataFrame(
        {
            "referred_on": _dated(referred),
            "first_assessment_on": _dated(np.where(seen, referred + quarter.astype("timedelta64[D]"), never)),
            "first_introductory_on": _dated(started - course.astype("timedelta64[D]")),
            "started_on": _dated(started),
            "planned_end_on": _dated(planned_end),
            "ended_on": _dated(np.where(is_over, ended, never)),
            "last_followup_on": _dated(np.where(last > 0, ended + last.astype("timedelta64[D]"), never)),
            "end_reason": pd.Series(reason, dtype="str").where(is_over),
            "left_on": _dated(np.where(is_over & (reason == "dropped_out"), ended, never)),
        }
    )


def _one_death(
    plan: Plan, started: Days, stayed: npt.NDArray[np.int64], reason: npt.NDArray[np.object_], today: np.datetime64
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.object_]]:
    """In the first programme the first person who started long enough ago died after 400 days."""
    long_ago = np.flatnonzero(started < today - 800)
    if plan.index != 0 or not len(long_ago):
        return stayed, reason
    stayed, reason = stayed.copy(), reason.copy()
    stayed[long_ago[0]], reason[long_ago[0]] = _DIED_AFTER_DAYS, "died"
    return stayed, reason


def _weekday(days: Days) -> Days:
    """Saturdays and Sundays moved back to Friday: treatment starts on a working day."""
    return np.asarray(np.busday_offset(days, 0, roll="backward"))


def _numbers(plan: Plan) -> list[str]:
    """Six digits with leading zeros from the hospitals, so that two hospitals share numbers; a code with letters elsewhere."""
    if plan.issuer == "youth_registry":
        return [f"{plan.code}-{i + 1:03d}" for i in range(plan.n_patients)]
    return [f"{plan.first_number + i:06d}" for i in range(plan.n_patients)]


def _patients(plan: Plan, streams: Streams, numbers: list[str], started: pd.Series) -> pd.DataFrame:
    draw = streams("people").random((plan.n_patients, 2))
    youngest, spread = (14, 4.0) if plan.kind.format == "adolescent" else (18, 36.0)
    # ages bunch in the twenties, as in patients with borderline personality disorder who seek treatment
    age = youngest + (draw[:, 0] ** (1.0 if spread < 10 else 1.9) * spread).astype(np.int64)
    sex = np.select([draw[:, 1] < 0.76, draw[:, 1] < 0.98], ["female", "male"], "other")
    return pd.DataFrame(
        {"number": numbers, "birth_year": started.dt.year.to_numpy() - age, "sex": pd.Series(sex, dtype="str")}
    )
