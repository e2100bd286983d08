"""How care went with invented patients: phases, who treats them, sessions and who came, reviews, medicines, supervision.

Belongs here: registers that follow from people and their episodes. Does not belong here: permissions (`consents`), what
befell people (`happenings`), files (`register_files`).

Frames have the columns of the registers that programmes keep, with `number` for the patient and local codes of staff. A register of a day
to day kind (contacts, supervision) covers the last twelve months, as exports of an appointment system do.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import Days, days_of
from mbt_rom.synthetic.closures import is_closed
from mbt_rom.synthetic.patients import Floats, People
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.streams import Streams

Ints = npt.NDArray[np.int64]
_NEVER = np.datetime64("NaT", "D")
_WEEKS = 52
_FOLLOW_UP_DAYS = 360
#: Antidepressants, antipsychotics, mood stabilisers, sleep: ATC codes, in small letters as registers hold them.
_MEDICINES = ("n06ab06", "n06ax16", "n05ah04", "n05ax12", "n03ax09", "n05ch01")
_COVERED = {"has_formulation": 0.9, "has_crisis_plan": 0.85, "has_goals": 0.95, "has_medication": 0.8}


def dated(days: Days) -> npt.NDArray[np.datetime64]:
    """Days as registers hold them, in seconds."""
    return days.astype("datetime64[s]")


def spells(plan: Plan, people: People, *, as_of: date) -> pd.DataFrame:
    """Phases of every episode: number, phase, format, team, from_on, until_on (missing while it lasts)."""
    every = people.every_episode
    referred, course = days_of(every["referred_on"]), days_of(every["first_introductory_on"])
    started, ended = days_of(every["started_on"]), days_of(every["ended_on"])
    is_completed = (every["end_reason"] == "completed").to_numpy()
    last = days_of(every["last_followup_on"])
    is_through = (last - ended).astype(np.int64) == _FOLLOW_UP_DAYS
    first_of_follow_up = np.where(is_completed & (ended < np.datetime64(as_of, "D")), ended + 1, _NEVER)
    phases = [
        ("waiting", referred, course - 1),
        ("introductory", course, started - 1),
        ("main", started, ended),
        ("follow_up", first_of_follow_up, np.where(is_through, last, _NEVER)),
    ]
    team = np.where(every["therapist"].str[-1].isin(list("13579")), "blue", "green")
    parts = []
    for phase, first, until in phases:
        form = plan.kind.format if phase == "main" else ""
        part = every[["number"]].assign(
            phase=phase, format=form, team=team, from_on=dated(first), until_on=dated(until)
        )
        parts.append(part[~np.isnat(first)])
    made: pd.DataFrame = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    return made


def staff(plan: Plan, people: People) -> pd.DataFrame:
    """Everybody who works there: staff_id, function, from_on, until_on, deputy_id (one of the same function)."""
    therapists = people.therapists
    others = pd.DataFrame(
        {
            "code": [f"{plan.code}-{letter}01" for letter in ("P", "N", "R", "M")] + [f"{plan.code}-P02"],
            "function": ["psychiatrist", "nurse", "research_assistant", "manager", "psychiatrist"],
            "started_on": therapists["started_on"].min(),
            "ended_on": pd.Series(pd.NaT, index=range(5), dtype="datetime64[s]"),
        }
    )
    every = pd.concat([therapists, others], ignore_index=True)
    return pd.DataFrame(
        {
            "staff_id": every["code"],
            "function": every["function"],
            "from_on": every["started_on"],
            "until_on": every["ended_on"],
            "deputy_id": _deputies(every),
        }
    )


def _deputies(every: pd.DataFrame) -> list[str]:
    """The next one of the same function who is there; nobody where there is none."""
    stays = every["ended_on"].isna()
    made = []
    for position, person in enumerate(every.itertuples()):
        same = [i for i in np.flatnonzero((every["function"] == person.function) & stays) if i != position]
        after = [i for i in same if i > position] or same
        made.append(every["code"].iloc[after[0]] if after else "")
    return made


def allocations(plan: Plan, people: People) -> pd.DataFrame:
    """Who treats whom: number, staff_id, function, deputy_id, from_on, until_on. Patients of a therapist who left go to the
    deputy on the next day."""
    every = people.every_episode
    who, ended = every["who"].to_numpy(), days_of(every["ended_on"])
    referred, seen = days_of(every["referred_on"]), days_of(every["first_assessment_on"])
    known = staff(plan, people).set_index("staff_id")
    groups = known[(known["function"] == "group") & known["until_on"].isna()].index.to_numpy()
    group = groups[who % len(groups)] if len(groups) else np.full(len(who), "", dtype=object)
    parts = [
        _individual(every, known),
        _allocated(every, group, "group", days_of(every["started_on"]), ended),
        _allocated(every, np.full(len(who), f"{plan.code}-P01"), "psychiatrist", seen, ended),
        _allocated(
            every, np.full(len(who), f"{plan.code}-R01"), "research_assistant", referred, np.full(len(who), _NEVER)
        ),
    ]
    rows = pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)
    # a second episode of somebody whose assistant never changed is no second allocation
    rows = rows[(rows["function"] != "research_assistant") | ~rows.duplicated(["number", "function"])]
    rows = rows.assign(deputy_id=rows["staff_id"].map(known["deputy_id"]).fillna(""))
    return rows[["number", "staff_id", "function", "deputy_id", "from_on", "until_on"]].reset_index(drop=True)


def _allocated(every: pd.DataFrame, staff_id: object, function: str, first: Days, until: Days) -> pd.DataFrame:
    rows = every[["number"]].assign(
        staff_id=np.asarray(staff_id, dtype=object), function=function, from_on=dated(first), until_on=dated(until)
    )
    return rows[~np.isnat(first) & (rows["staff_id"] != "").to_numpy()]


def _individual(every: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The principal therapist from the introductory course on, and the deputy from the day after a therapist left."""
    first, ended = days_of(every["first_introductory_on"]), days_of(every["ended_on"])
    left = days_of(every["therapist"].map(known["until_on"]))
    still = np.isnat(ended) | (ended > left)
    is_gone_before = ~np.isnat(left) & (first > left)
    goes_over = ~np.isnat(left) & still & ~is_gone_before
    deputy = every["therapist"].map(known["deputy_id"])
    principal = every["therapist"].where(~is_gone_before, deputy)
    until = np.where(goes_over, left, ended)
    own = _allocated(every, principal, "individual", first, until)
    over = _allocated(every[goes_over], deputy[goes_over], "individual", (left + 1)[goes_over], ended[goes_over])
    return pd.concat([own, over])


def contacts(plan: Plan, people: People, given: pd.DataFrame, *, seed: int, as_of: date) -> pd.DataFrame:
    """Sessions of the last twelve months: number, contact_on, kind, attendance, staff_id. `given`: `allocations`.

    In the main phase one individual and one group session a week; in the introductory course one; medication every eight
    weeks; the intake. Who comes is the person's own share; in the eight weeks before dropping out it halves.
    """
    streams = Streams(seed=seed, programme=plan.index)
    every, today = people.every_episode, np.datetime64(as_of, "D")
    monday = today - np.timedelta64((as_of.weekday()) + 7 * _WEEKS, "D") + 7 * np.arange(_WEEKS + 1)
    started, ended = days_of(every["started_on"]), days_of(every["ended_on"])
    course, place = days_of(every["first_introductory_on"]), every["who"].to_numpy()
    in_main = [
        _weekly(monday, place, "individual", started, ended, every=1),
        _weekly(monday, place + 2, "group", started, ended, every=1),
        _weekly(monday, place + 1, "medication", started, ended, every=8),
        _weekly(monday, place, "introductory", course, started - 1, every=1),
    ]
    seen = days_of(every["first_assessment_on"])
    position = np.flatnonzero(~np.isnat(seen))
    intake = pd.DataFrame({"episode": position, "on": seen[position], "kind": "intake"})
    rows = pd.concat([*in_main, intake], ignore_index=True)
    rows = rows[((rows["on"] >= monday[0]) & (rows["on"] < today)).to_numpy()].reset_index(drop=True)
    made = pd.DataFrame(
        {
            "number": every["number"].to_numpy()[rows["episode"]],
            "contact_on": rows["on"].to_numpy().astype("datetime64[s]"),
            "kind": rows["kind"],
            "attendance": _attendance(rows, people, every, streams, as_of=as_of),
        }
    )
    made = made.assign(staff_id=_with_whom(plan, made, given))
    ordered = made.sort_values(["contact_on", "number", "kind"], kind="stable")
    return ordered.drop_duplicates(["number", "contact_on", "kind"]).reset_index(drop=True)


def _weekly(monday: Days, place: Ints, kind: str, first: Days, last: Days, *, every: int) -> pd.DataFrame:
    """One session a week (or every so many weeks) on the weekday of the person, from the first day to the last."""
    on = monday[None, :] + (place % 5)[:, None]
    is_in = (on >= first[:, None]) & (np.isnat(last)[:, None] | (on <= last[:, None]))
    is_in &= (np.arange(len(monday))[None, :] + place[:, None]) % every == 0
    episode, week = np.nonzero(is_in)
    return pd.DataFrame({"episode": episode, "on": on[episode, week], "kind": kind})


def _attendance(
    rows: pd.DataFrame, people: People, every: pd.DataFrame, streams: Streams, *, as_of: date
) -> npt.NDArray[np.object_]:
    episode, on = rows["episode"].to_numpy(), days_of(rows["on"])
    left = days_of(every["left_on"])[episode]
    share = people.latent["attends"].to_numpy()[every["who"].to_numpy()[episode]]
    is_leaving = ~np.isnat(left) & ((left - on).astype(np.int64) < 56)
    draw = streams("attendance of sessions").random((len(rows), 2))
    absent = np.select(
        [draw[:, 1] < 0.5, draw[:, 1] < 0.85], ["cancelled_by_patient", "no_show"], "cancelled_by_programme"
    )
    came = (draw[:, 0] < np.where(is_leaving, share / 2, share)) | (rows["kind"] == "intake").to_numpy()
    return np.where(is_closed(on, as_of), "closed", np.where(came, "attended", absent)).astype(object)


def _with_whom(plan: Plan, rows: pd.DataFrame, given: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Who was allocated on that day: the individual therapist, unless the kind asks for somebody else."""
    functions = {"group": "group", "medication": "psychiatrist", "intake": "psychiatrist"}
    asked = rows[["number", "contact_on"]].assign(
        place=np.arange(len(rows)), function=rows["kind"].map(functions).fillna("individual")
    )
    pairs = asked.merge(given, on=["number", "function"])
    holds = (pairs["contact_on"] >= pairs["from_on"]) & ~(pairs["contact_on"] > pairs["until_on"])
    found = pairs[holds].drop_duplicates("place").set_index("place")["staff_id"]
    return np.asarray(found.reindex(np.arange(len(rows))).fillna("").to_numpy(), dtype=object)


def reviews(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Treatment reviews every three months of the main phase, one in six left out: number, reviewed_on and what was covered."""
    rng = Streams(seed=seed, programme=plan.index)("reviews")
    every, today = people.every_episode, np.datetime64(as_of, "D")
    started, ended = days_of(every["started_on"]), days_of(every["ended_on"])
    on = started[:, None] + 91 * np.arange(1, 7)[None, :]
    draw = rng.random((*on.shape, 1 + len(_COVERED)))
    takes_place = (on < today) & (np.isnat(ended)[:, None] | (on <= ended[:, None])) & (draw[..., 0] > 1 / 6)
    episode, quarter = np.nonzero(takes_place)
    made = every[["number"]].iloc[episode].reset_index(drop=True)
    made = made.assign(reviewed_on=dated(np.busday_offset(on[episode, quarter], 0, roll="forward")))
    for column, (name, share) in enumerate(_COVERED.items(), start=1):
        made[name] = draw[episode, quarter, column] < share
    return made[(made["reviewed_on"] < pd.Timestamp(as_of)).to_numpy()].reset_index(drop=True)


def feedback_sessions(plan: Plan, people: People, forms: pd.DataFrame, *, seed: int, as_of: date) -> pd.DataFrame:
    """Sessions in which answers were talked over, after six in ten sittings: number, session_on, staff_id, is_released_to_patient."""
    rng = Streams(seed=seed, programme=plan.index)("feedback")
    sittings = forms[forms["moment"].isin(["m6", "m12", "m18"])].drop_duplicates("sitting").reset_index(drop=True)
    draw = rng.random((len(sittings), 3))
    on = days_of(sittings["administered_on"]) + (7 + draw[:, 1] * 21).astype("timedelta64[D]")
    therapist = people.episodes["therapist"].to_numpy()[sittings["who"]]
    made = pd.DataFrame(
        {
            "number": sittings["number"],
            "session_on": dated(np.busday_offset(on, 0, roll="forward")),
            "staff_id": therapist,
            "is_released_to_patient": draw[:, 2] < 0.8,
        }
    )
    takes_place = (draw[:, 0] < 0.6) & (made["session_on"] < pd.Timestamp(as_of)).to_numpy()
    return made[takes_place].drop_duplicates(["number", "session_on"]).reset_index(drop=True)


def medication(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Medicines of about half of the patients: number, medicine (ATC code), from_on, until_on (missing: still)."""
    rng = Streams(seed=seed, programme=plan.index)("medication")
    n, start = plan.n_patients, days_of(people.episodes["started_on"])
    draw = rng.random((n, 2, 4))
    takes = draw[:, :, 0] < np.array([0.5, 0.2])
    which = (draw[:, :, 1] * len(_MEDICINES) // 2).astype(np.int64) * 2 + np.arange(2)
    first = start[:, None] + (draw[:, :, 2] * 120 - 60).astype("timedelta64[D]")
    last = first + (90 + draw[:, :, 3] * 600).astype("timedelta64[D]")
    takes &= first < np.datetime64(as_of, "D")
    who, course = np.nonzero(takes)
    until = np.where(last < np.datetime64(as_of, "D"), last, _NEVER)[who, course]
    return pd.DataFrame(
        {
            "number": people.patients["number"].to_numpy()[who],
            "medicine": np.array(_MEDICINES, dtype=object)[which[who, course]],
            "from_on": dated(first[who, course]),
            "until_on": dated(until),
        }
    )


def supervision(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """Supervision of the last twelve months: held_on, kind, staff_id (missing for the team), n_present. Team weekly, with an expert
    every quarter; none in closed weeks."""
    rng: Floats = Streams(seed=seed, programme=plan.index)("supervision").random(_WEEKS)
    tuesday = np.datetime64(as_of, "D") - as_of.weekday() - 7 * _WEEKS + 1 + 7 * np.arange(_WEEKS)
    known = staff(plan, people)
    n_staff = int(known["until_on"].isna().sum())
    leads = known[known["function"].isin(["supervisor", "psychiatrist"]) & known["until_on"].isna()]["staff_id"].iloc[0]
    is_expert = np.arange(_WEEKS) % 13 == 6
    rows = pd.DataFrame(
        {
            "held_on": dated(tuesday + is_expert),
            "kind": np.where(is_expert, "expert_contact", "team").astype(object),
            "staff_id": np.where(is_expert, leads, "").astype(object),
            "n_present": np.maximum(2, (n_staff * (0.5 + 0.5 * rng)).astype(np.int64)),
        }
    )
    return rows[~is_closed(tuesday, as_of)].reset_index(drop=True)
