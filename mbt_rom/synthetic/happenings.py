"""What befell invented patients and programmes: referrals, events, and why forms did not come.

Belongs here: these three registers. Does not belong here: care as planned (`care`), files (`register_files`).

Events are few. They are invented, and their dates mean nobody.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from mbt_rom.days import Days, days_of
from mbt_rom.synthetic.care import dated
from mbt_rom.synthetic.closures import is_closed
from mbt_rom.synthetic.moments import moments
from mbt_rom.synthetic.patients import YEARS_BACK, People
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.streams import Streams

#: Numbers of people who were referred and never became patients begin so far above those of the patients.
_STRANGERS = 110_000
_NEVER = np.datetime64("NaT", "D")
#: Chance in a year of treatment at average severity, and how many days it lasts (0: a day).
_EVENTS = {
    "crisis_contact": (0.10, 0), "admission": (0.04, 21), "suicide_attempt": (0.02, 0), "self_harm": (0.06, 0),
    "violence": (0.01, 0),
}  # fmt: skip
_SOURCES = ("general_practitioner", "mental_health_service", "mental_health_service", "crisis_service", "self", "other")
_REASONS = ("refused", "refused", "refused", "too_unwell", "moved", "administrative", "administrative", "language")


def events(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Events: number ('' for those of the programme), event_on, until_on, kind."""
    rng = Streams(seed=seed, programme=plan.index)("events")
    start, today = days_of(people.episodes["started_on"]), np.datetime64(as_of, "D")
    ended = days_of(people.episodes["ended_on"])
    stay = (np.where(np.isnat(ended), today, ended) - start).astype(np.int64)
    draw = rng.random((plan.n_patients, len(_EVENTS), 2))
    weight = np.exp(0.5 * people.latent["severity"].to_numpy()) * stay / 365
    parts = [_programme_events(plan, as_of), _deaths(people)]
    for column, (kind, (chance, lasts)) in enumerate(_EVENTS.items()):
        who = np.flatnonzero(draw[:, column, 0] < chance * weight)
        on = start[who] + (draw[who, column, 1] * stay[who]).astype("timedelta64[D]")
        until = np.where(lasts > 0, np.minimum(on + lasts, today - 1), _NEVER)
        parts.append(_events(people.patients["number"].to_numpy()[who], kind, on, until))
    made = pd.concat(parts, ignore_index=True)
    return made.sort_values(["event_on", "number", "kind"], kind="stable").reset_index(drop=True)


def _deaths(people: People) -> pd.DataFrame:
    died = people.episodes[people.episodes["end_reason"] == "died"]
    on = days_of(died["ended_on"])
    return _events(died["number"].to_numpy(), "death", on, np.full(len(on), _NEVER))


def _programme_events(plan: Plan, as_of: date) -> pd.DataFrame:
    """A reorganisation in the first programme, a year and a half ago, for three months."""
    on = np.array([np.datetime64(as_of, "D") - 540] * (plan.index == 0), dtype="datetime64[D]")
    return _events(np.full(len(on), "", dtype=object), "reorganisation", on, on + 91)


def _events(numbers: object, kind: str, on: Days, until: Days) -> pd.DataFrame:
    texts = np.asarray(numbers, dtype=object)
    return pd.DataFrame({"number": texts, "event_on": dated(on), "until_on": dated(until), "kind": kind})


def referrals(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Referrals: number, referred_on, source, decided_on, decision. More than episodes: one in seven had been declined, sent
    elsewhere or withdrawn once before, and for every six patients one person never came into treatment."""
    rng = Streams(seed=seed, programme=plan.index)("referrals")
    every = people.every_episode
    draw = rng.random((len(every), 5))
    on, seen = days_of(every["referred_on"]), days_of(every["first_assessment_on"])
    today = np.datetime64(as_of, "D")
    sources = np.array(_SOURCES, dtype=object)[(draw[:, 0] * len(_SOURCES)).astype(np.int64)]
    decided = np.where(np.isnat(seen), np.where(on + 30 < today, on + 30, _NEVER), seen)
    decision = np.where(np.isnat(decided), "", "accepted").astype(object)
    accepted = _referrals(every["number"].to_numpy(), on, sources, decided, decision)
    is_before = (draw[:, 1] < 1 / 7) & ~every.duplicated("who").to_numpy()
    earlier = on - (120 + draw[:, 2] * 500).astype("timedelta64[D]")
    outcome = np.select([draw[:, 3] < 0.5, draw[:, 3] < 0.75], ["declined", "elsewhere"], "withdrawn").astype(object)
    days = (14 + draw[:, 4] * 30).astype("timedelta64[D]")
    before = _referrals(every["number"].to_numpy(), earlier, sources, earlier + days, outcome)[is_before]
    every_one = pd.concat([accepted, before, _never_started(plan, rng, today)])
    made: pd.DataFrame = every_one.sort_values(["referred_on", "number"], kind="stable").reset_index(drop=True)
    return made


def _never_started(plan: Plan, rng: np.random.Generator, today: np.datetime64) -> pd.DataFrame:
    """People who are in no other register: declined, sent elsewhere or withdrawn."""
    n = plan.n_patients // 6
    draw = rng.random((n, 4))
    on = today - 60 - (draw[:, 0] * YEARS_BACK * 365).astype("timedelta64[D]")
    decided = on + (7 + draw[:, 1] * 35).astype("timedelta64[D]")
    sources = np.array(_SOURCES, dtype=object)[(draw[:, 2] * len(_SOURCES)).astype(np.int64)]
    outcome = np.select([draw[:, 3] < 0.6, draw[:, 3] < 0.8], ["declined", "elsewhere"], "withdrawn").astype(object)
    numbers = [f"{plan.first_number + _STRANGERS + i:06d}" for i in range(n)]
    return _referrals(numbers, on, sources, decided, outcome)


def _referrals(numbers: object, on: Days, source: object, decided: Days, decision: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": np.asarray(numbers, dtype=object),
            "referred_on": dated(on),
            "source": np.asarray(source, dtype=object),
            "decided_on": dated(decided),
            "decision": np.asarray(decision, dtype=object),
        }
    )


def nonresponse(
    plan: Plan, people: People, forms: pd.DataFrame, withdrawn_on: Days, *, seed: int, as_of: date
) -> pd.DataFrame:
    """Why a sitting did not take place, written down for a third of those missed: number, moment, instrument ('': the whole
    sitting), reason, recorded_on. People with two episodes have none: a reason does not say which of them it is about."""
    rng = Streams(seed=seed, programme=plan.index)("nonresponse")
    asked = moments(plan, people)
    came = set(zip(forms["who"], forms["moment"], strict=True))
    is_missed = np.array([key not in came for key in zip(asked["who"], asked["moment"], strict=True)], dtype=bool)
    gone = days_of(people.episodes["ended_on"].where(people.episodes["end_reason"] == "died"))
    last = np.fmin(gone, withdrawn_on)[asked["who"].to_numpy()]
    closes, due = days_of(asked["closes_on"]), days_of(asked["due_on"])
    is_missed &= (closes + 7 < np.datetime64(as_of, "D")) & ~(closes > last)
    is_missed &= ~asked["number"].isin(people.again["number"]).to_numpy()
    draw = rng.random((len(asked), 2))
    reason = np.array(_REASONS, dtype=object)[(draw[:, 0] * len(_REASONS)).astype(np.int64)]
    made = pd.DataFrame(
        {
            "number": asked["number"].to_numpy(),
            "moment": asked["moment"].to_numpy(),
            "instrument": "",
            "reason": np.where(is_closed(due, as_of) & (draw[:, 0] < 0.5), "closed", reason),
            "recorded_on": dated(np.busday_offset(closes + 1, 0, roll="forward")),
        }
    )
    return made[is_missed & (draw[:, 1] < 1 / 3)].reset_index(drop=True)
