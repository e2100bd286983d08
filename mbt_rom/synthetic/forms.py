"""Which forms are filled in, when, and which never come.

Belongs here: sittings (a patient on a day), what is skipped, late and weekly forms. Does not belong here: answers, files.

Leaving treatment does not end the schedule; it lowers the chance that a form comes. Who was worse at the start or misses
sessions answers less, and the worse somebody is at the moment, the less likely the form, so that what is missing is not missing at
random. `RESPONSE` holds the log odds. Nothing comes after a death or after a withdrawal.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import Days
from mbt_rom.synthetic.moments import END, REBASELINE, moments
from mbt_rom.synthetic.patients import Floats, People, distress
from mbt_rom.synthetic.plans import LATE_DAYS, Plan
from mbt_rom.synthetic.streams import Streams

WEEKLY = "weekly"
_WEEKS = 12
#: Log odds of an answer per moment in treatment: about 91 % at the start, 80 % at 12 months, 70 % at three years.
LOG_ODDS = {
    "baseline": 2.7, "m6": 1.9, "m12": 1.7, "m18": 1.5, "m24": 1.3, "m30": 1.0, "m36": 1.1, REBASELINE: 2.2, END: 1.6,
}  # fmt: skip
#: What is added to the log odds: per SD of the person's liking for forms, of attendance, of distress on that day and at the
#: start, and for those who dropped out or whose treatment ended otherwise before the moment.
RESPONSE = {
    "responder": 0.7, "attendance": 0.45, "distress": -0.25, "severity": -0.3, "dropped_out": -1.7, "ended": -0.5,
}  # fmt: skip
_SKIPPED_INSTRUMENT = 0.03
_LATE_SHARE = 0.05


def forms(plan: Plan, people: People, *, withdrawn_on: Days, seed: int, as_of: date) -> pd.DataFrame:
    """Every form that was filled in: one row per sitting and instrument, ordered by sitting.

    `withdrawn_on`: per person the last day on which forms were permitted, missing where they are.

    Columns: form_id (unique in the consortium), sitting, response_id (one per sitting), who (position of the patient), number,
    instrument, moment (the one it was filled in for, or `weekly`), is_late (outside the window), administered_on,
    submitted_at, distress (the latent state on that day).
    """
    streams = Streams(seed=seed, programme=plan.index)
    last = np.datetime64(as_of, "D") - (LATE_DAYS if plan.is_late else 1)
    sittings = pd.concat([_scheduled(plan, people, streams), _weekly(plan, people, streams)], ignore_index=True)
    sittings = _that_happened(sittings, people, withdrawn_on, last)
    rows = _per_instrument(sittings, plan, streams)
    return _numbered(rows, plan, people, streams)


def _scheduled(plan: Plan, people: People, streams: Streams) -> pd.DataFrame:
    """One candidate per episode and moment, less those that did not come."""
    asked = moments(plan, people)
    draw = _draws(plan, asked, streams)
    moment, due = asked["moment"].to_numpy(dtype=object), asked["due_on"].to_numpy(dtype="datetime64[s]")
    is_late = (draw[:, 1] < _LATE_SHARE) & (moment != REBASELINE)
    on = due.astype("datetime64[D]") + _delay(moment, draw[:, 2], is_late)
    sittings = pd.DataFrame(
        {"who": asked["who"], "moment": moment, "is_late": is_late, "on": on.astype("datetime64[s]")}
    )
    came: pd.DataFrame = sittings[draw[:, 0] < _chance(people, asked)].reset_index(drop=True)
    return came


def _draws(plan: Plan, asked: pd.DataFrame, streams: Streams) -> Floats:
    """Random numbers per row of `asked`; those of first episodes do not change when second ones are added."""
    position = asked["moment"].map({m: k for k, m in enumerate(LOG_ODDS)}).to_numpy()
    first, again = (
        streams(name).random((plan.n_patients, len(LOG_ODDS), 3)) for name in ("sittings", "sittings again")
    )
    who, is_first = asked["who"].to_numpy(), asked["is_first"].to_numpy()[:, None]
    return np.asarray(np.where(is_first, first[who, position], again[who, position]))


def _delay(
    moment: npt.NDArray[np.object_], draw: Floats, is_late: npt.NDArray[np.bool_]
) -> npt.NDArray[np.timedelta64]:
    """Days after the due date. In time: within the default windows. Late: after the window, before the next one opens."""
    in_time, late = {"baseline": (-40, 5), REBASELINE: (-25, 0), END: (0, 40)}, {"baseline": (18, 60)}
    kinds = zip(moment, is_late, strict=True)
    bounds = np.array([late.get(m, (50, 90)) if is_so else in_time.get(m, (-20, 40)) for m, is_so in kinds])
    low, high = bounds.reshape(-1, 2).T
    return np.asarray((low + draw * (high - low + 1)).astype("timedelta64[D]"))


def _chance(people: People, asked: pd.DataFrame) -> Floats:
    who, due = asked["who"].to_numpy(), asked["due_on"].to_numpy(dtype="datetime64[s]")
    every, latent = people.every_episode, people.latent
    episodes = every.iloc[asked["row"].to_numpy()]
    state = distress(latent=latent, episodes=people.episodes, who=who, on=due.astype("datetime64[D]"))
    has_left = episodes["left_on"].to_numpy(dtype="datetime64[s]") < due
    terms = {
        "responder": latent["responder"].to_numpy()[who],
        "attendance": latent["attendance"].to_numpy()[who],
        "distress": state,
        "severity": latent["severity"].to_numpy()[who],
        "dropped_out": has_left,
        "ended": (episodes["ended_on"].to_numpy(dtype="datetime64[s]") < due) & ~has_left,
    }
    log_odds = asked["moment"].map(LOG_ODDS).to_numpy(dtype=np.float64)
    for name, values in terms.items():
        log_odds = log_odds + RESPONSE[name] * values
    return np.asarray(1 / (1 + np.exp(-log_odds)))


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


def _that_happened(sittings: pd.DataFrame, people: People, withdrawn_on: Days, last: np.datetime64) -> pd.DataFrame:
    """Without what lies in the future, after a death, a withdrawal or the last upload; one sitting per patient and day."""
    died = people.episodes["ended_on"].where(people.episodes["end_reason"] == "died").to_numpy(dtype="datetime64[s]")
    on, died_on = sittings["on"].to_numpy(), died[sittings["who"].to_numpy()]
    keep = (on <= last) & (np.isnat(died_on) | (on < died_on)) & ~(on > withdrawn_on[sittings["who"].to_numpy()])
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
