"""Which forms are filled in, when, and which never come.

Belongs here: sittings (a patient on a day), what is skipped, late and weekly forms. Does not belong here: answers, files.

Leaving treatment does not end the schedule; it lowers the chance that a form comes. The worse somebody is at the moment, the
less likely the form, so that what is missing is not missing at random.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.synthetic.patients import Floats, People, distress
from mbt_rom.synthetic.plans import LATE_DAYS, Plan
from mbt_rom.synthetic.streams import Streams

MONTHS = (0, 6, 12, 18, 24, 30, 36)
WEEKLY = "weekly"
_WEEKS = 12
# log odds of an answer per moment in treatment: about 91 % at the start, 80 % at 12 months, 70 % at three years
_LOG_ODDS = {0: 2.7, 6: 1.9, 12: 1.7, 18: 1.5, 24: 1.3, 30: 1.0, 36: 1.1}
_SKIPPED_INSTRUMENT = 0.03
_LATE_SHARE = 0.05


def moment_name(month: int) -> str:
    """`baseline` for 0, else `m6`, `m12` ..."""
    return f"m{month}" if month else "baseline"


def forms(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Every form that was filled in: one row per sitting and instrument, ordered by sitting.

    Columns: form_id (unique in the consortium), sitting, response_id (one per sitting), who (position of the patient), number,
    instrument, moment (the one it was filled in for, or `weekly`), is_late (outside the window), administered_on,
    submitted_at, distress (the latent state on that day).
    """
    streams = Streams(seed=seed, programme=plan.index)
    last = np.datetime64(as_of, "D") - (LATE_DAYS if plan.is_late else 1)
    sittings = pd.concat([_scheduled(plan, people, streams), _weekly(plan, people, streams)], ignore_index=True)
    sittings = _that_happened(sittings, people, last)
    rows = _per_instrument(sittings, plan, streams)
    return _numbered(rows, plan, people, streams)


def _scheduled(plan: Plan, people: People, streams: Streams) -> pd.DataFrame:
    """One candidate per patient and month of the plan, less those that did not come."""
    n, start = plan.n_patients, people.episodes["started_on"]
    draws = streams("sittings").random((n, len(MONTHS), 4))
    parts = []
    for position, month in enumerate(MONTHS):
        draw = draws[:, position]
        due = (start + pd.DateOffset(months=month)).to_numpy(dtype="datetime64[s]").astype("datetime64[D]")
        is_late = draw[:, 1] < _LATE_SHARE
        part = pd.DataFrame({"who": np.arange(n), "moment": moment_name(month), "is_late": is_late})
        part["on"] = (due + _delay(month, draw[:, 2], is_late)).astype("datetime64[s]")
        parts.append(part[draw[:, 0] < _chance(people, month, due)])
    return pd.concat(parts, ignore_index=True)


def _delay(month: int, draw: Floats, is_late: npt.NDArray[np.bool_]) -> npt.NDArray[np.timedelta64]:
    """Days after the due date. In time: within the default windows. Late: after the window, before the next one opens."""
    in_time = (-40, 5) if month == 0 else (-20, 40)
    late = (18, 60) if month == 0 else (50, 90)
    low, high = (np.where(is_late, late[i], in_time[i]) for i in (0, 1))
    return np.asarray((low + draw * (high - low + 1)).astype("timedelta64[D]"))


def _chance(people: People, month: int, due: npt.NDArray[np.datetime64]) -> Floats:
    who = np.arange(len(people.latent))
    state = distress(latent=people.latent, episodes=people.episodes, who=who, on=due)
    ended = people.episodes["ended_on"].to_numpy(dtype="datetime64[s]") < due
    dropped = people.episodes["left_on"].to_numpy(dtype="datetime64[s]") < due
    log_odds = _LOG_ODDS[month] + 0.7 * people.latent["responder"].to_numpy() - 0.25 * state
    return np.asarray(1 / (1 + np.exp(-(log_odds - 1.7 * dropped - 0.5 * (ended & ~dropped)))))


def _weekly(plan: Plan, people: People, streams: Streams) -> pd.DataFrame:
    """PHQ-9 in the first twelve weeks of treatment, for six in ten patients of the programmes that do so."""
    draw = streams("weekly").random((plan.n_patients, _WEEKS + 1))
    takes_part = (draw[:, :1] < 0.6) & plan.kind.has_weekly
    who, week = np.nonzero(takes_part & (draw[:, 1:] < 0.8))
    start = people.episodes["started_on"].to_numpy(dtype="datetime64[s]").astype("datetime64[D]")[who]
    on = start + (7 * (week + 1)).astype("timedelta64[D]")
    weekly = pd.DataFrame({"who": who, "moment": WEEKLY, "is_late": False, "on": on.astype("datetime64[s]")})
    has_left = weekly["on"].to_numpy() > people.episodes["ended_on"].to_numpy(dtype="datetime64[s]")[who]
    return weekly[~has_left]


def _that_happened(sittings: pd.DataFrame, people: People, last: np.datetime64) -> pd.DataFrame:
    """Without what lies in the future, after a death or after the last upload; one sitting per patient and day."""
    died = people.episodes["ended_on"].where(people.episodes["end_reason"] == "died").to_numpy(dtype="datetime64[s]")
    on, died_on = sittings["on"].to_numpy(), died[sittings["who"].to_numpy()]
    keep = (on <= last) & (np.isnat(died_on) | (on < died_on))
    happened: pd.DataFrame = sittings[keep].drop_duplicates(["who", "on"]).reset_index(drop=True)
    return happened


def _per_instrument(sittings: pd.DataFrame, plan: Plan, streams: Streams) -> pd.DataFrame:
    instruments = plan.instruments
    skipped = streams("skipped").random((len(sittings), len(instruments))) < _SKIPPED_INSTRUMENT
    is_weekly = (sittings["moment"] == WEEKLY).to_numpy()
    wanted = ~skipped & (~is_weekly[:, None] | (np.array(instruments) == "phq9")[None, :])
    sitting, instrument = np.nonzero(wanted)
    rows = sittings.iloc[sitting].reset_index(drop=True)
    return rows.assign(sitting=sitting, instrument=np.array(instruments, dtype=object)[instrument])


def _numbered(rows: pd.DataFrame, plan: Plan, people: People, streams: Streams) -> pd.DataFrame:
    on = rows["on"].to_numpy(dtype="datetime64[s]")
    n_sittings = int(rows["sitting"].max()) + 1 if len(rows) else 0
    seconds = 8 * 3600 + (streams("time of day").random(n_sittings) * 14 * 3600).astype(np.int64)
    mood = 0.3 * streams("mood of the day").standard_normal(n_sittings)
    sitting, who = rows["sitting"].to_numpy(), rows["who"].to_numpy()
    state = distress(latent=people.latent, episodes=people.episodes, who=who, on=on.astype("datetime64[D]"))
    return pd.DataFrame(
        {
            "form_id": [f"{plan.code}-F{i + 1:06d}" for i in range(len(rows))],
            "sitting": sitting,
            "response_id": [f"{plan.code}{s + 1:06d}" for s in sitting],
            "who": who,
            "number": people.patients["number"].to_numpy()[who],
            "instrument": rows["instrument"].astype("str"),
            "moment": rows["moment"].astype("str"),
            "is_late": rows["is_late"],
            "administered_on": on,
            "submitted_at": on + seconds[sitting].astype("timedelta64[s]"),
            "distress": state + mood[sitting],
        }
    )
