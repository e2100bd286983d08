"""Whom to ask, and by when: the chasing list, made from the schedule alone.

Belongs here: sittings (all forms of one moment of one patient), their days in working days, who is asked for them, the burden in
minutes, and counts for a calendar. Does not belong here: the plan itself (`schedule`), which stops there are (`stops`), local numbers
and files (`pipelines.commands.due`).

**Order.** By days left, then required before desired, then baseline first, then programme, moment and pseudonym. Nothing that a
patient answered has a say: this module reads dates and names of forms only, and imports nothing that knows scores.

**Working days.** Monday to Friday without the closures of the programme. A due date on a closed day moves to the next working day;
a window that closes on one is chased by the working day before.

**Minutes** come from the definition where it states them; otherwise a self-report is taken at `ITEMS_PER_MINUTE`, which is ours, and
is told as an estimate. Interviews and tests without stated minutes are not estimated: they are named as not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import days_of
from mbt_rom.model import Instrument
from mbt_rom.settings import Consortium
from mbt_rom.stops import is_stopped

#: Answers per minute of a self-report whose definition states no minutes. Ours: of most instruments nobody printed any.
ITEMS_PER_MINUTE = 7
#: From more minutes than this on a sitting is worth a notice.
LONGEST_SITTING = 60
#: Working days before the end of the window in which a sitting is called closing soon, unless asked otherwise. Ours.
CLOSING_SOON = 10
#: Moments that go before all others.
BASELINES = ("baseline", "rebaseline")
#: Statuses of `outcomes/expected` in which a form may still be asked for; `missed` too, since the night that called it so may be another.
_TO_ASK = ("open", "not_yet_due", "to_be_finished", "missed")
#: Statuses after which nobody is asked for anything more.
_NEVER_AGAIN = ("died", "withdrawn")
_SITTING = ["programme_id", "patient_id", "episode_id", "moment"]
_ESTIMATED = frozenset({"self_report", "cost_inventory", "checklist"})
_BY_THE_PATIENT = frozenset({"self_report", "cost_inventory"})

COLUMNS = (
    "programme_id", "patient_id", "episode_id", "moment", "state", "has_left", "requirement", "instruments", "to_be_finished", "minutes",
    "is_estimated", "not_stated", "mode", "opens_on", "due_on", "last_on", "closes_on", "days_left", "days_overdue",
)  # fmt: skip


@dataclass(frozen=True)
class WorkingDays:
    """The working days of one programme: Monday to Friday, without its closures."""

    calendar: np.busdaycalendar

    @classmethod
    def of(cls, programme_id: str, settings: Consortium) -> WorkingDays:
        """Those of a programme of the home."""
        programme = settings.programmes.get(programme_id)
        closures = programme.closures if programme else ()
        days = [np.arange(np.datetime64(c.from_on), np.datetime64(c.until_on) + 1) for c in closures]
        return cls(np.busdaycalendar(holidays=np.concatenate(days) if days else []))

    def on_or_after(self, days: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
        """The first working day from each day on."""
        return np.asarray(np.busday_offset(days, 0, roll="forward", busdaycal=self.calendar))

    def on_or_before(self, days: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
        """The last working day up to each day."""
        return np.asarray(np.busday_offset(days, 0, roll="backward", busdaycal=self.calendar))

    def between(self, first: npt.ArrayLike, last: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Working days after `first` up to `last`, that day included; 0 where it lies before."""
        after, until = (np.asarray(days, dtype="datetime64[D]") + 1 for days in (first, last))
        return np.maximum(np.busday_count(after, until, busdaycal=self.calendar), 0)


def sittings(
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    *,
    stops: pd.DataFrame,
    ends: pd.DataFrame,
    definitions: Mapping[str, Instrument],
    settings: Consortium,
    as_of: date,
    closing_soon: int = CLOSING_SOON,
    ahead_days: int = 0,
) -> pd.DataFrame:
    """Every sitting that may be asked for on `as_of`, and those that fall due within `ahead_days`, in the order of the list: `COLUMNS`.

    `expected`: rows of `outcomes/expected`; `episodes`: rows of `reference/episodes`; `stops`: rows of `mbt_rom.stops.stops` that hold;
    `ends`: who died or withdrew, as `mbt_rom.eligibility.ends` tells it. Left off: whoever is stopped, died or withdrew, and sittings whose window has closed. `state`: ahead (the window has not
    opened), due, overdue (past its due date) or closing_soon (at most `closing_soon` working days left). `has_left`: treatment has
    ended, and the patient is asked all the same. `requirement`: required where one of its forms is. `due_on`, `last_on`: working
    days; `closes_on`: the last day on which a form counts. `days_left`: working days after `as_of` until `last_on`.
    `minutes` are those of the forms that are still missing; `not_stated` names the ones whose minutes nobody knows.
    """
    rows = expected[expected["status"].isin(_TO_ASK) & expected["due_on"].notna()]
    today = pd.Timestamp(as_of)
    has_begun = (rows["opens_on"] <= today) | (rows["due_on"] <= today + pd.Timedelta(days=ahead_days))
    rows = rows[has_begun & (rows["closes_on"] >= today)]
    rows = rows[~_is_never_asked_again(rows, expected, ends) & ~is_stopped(rows, stops)]
    rows = rows.assign(is_begun=rows["status"].eq("to_be_finished"))
    found = _together(rows, definitions)
    dated = _dated(found, settings=settings, as_of=as_of)
    left = _has_left(dated, episodes, as_of=as_of)
    return _in_order(dated.assign(has_left=left, state=_states(dated, as_of=as_of, closing_soon=closing_soon)))


def minutes_of(definition: Instrument) -> tuple[int | None, bool]:
    """Minutes that one form takes and whether that is an estimate; (None, False) where nobody knows.

    Questions are counted as published: of some instruments an export holds scores only.

    >>> from mbt_rom.registry import instrument
    >>> minutes_of(instrument("bsi")), minutes_of(instrument("scid2"))
    ((8, True), (None, False))
    """
    if definition.minutes is not None:
        return definition.minutes, False
    if definition.kind not in _ESTIMATED:
        return None, False
    n_questions = definition.manual.published_items or len(definition.items)
    return -(-n_questions // ITEMS_PER_MINUTE), True


def burden(expected: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    """What the plan asks of one patient at one moment, answered or not: one row per programme and moment.

    Columns: programme_id, moment, n_forms, minutes (those that are known or estimated), n_estimated, n_not_stated, is_long (more than
    `LONGEST_SITTING` minutes). `expected`: rows of `outcomes/expected`.
    """
    planned = expected[expected["due_on"].notna()]
    asked = planned[["programme_id", "moment", "instrument"]].drop_duplicates()
    told = asked.assign(**_minutes(asked["instrument"], definitions))
    by = told.groupby(["programme_id", "moment"], as_index=False)
    table = by.agg(
        n_forms=("instrument", "size"),
        minutes=("minutes", "sum"),
        n_estimated=("is_estimated", "sum"),
        n_not_stated=("is_not_stated", "sum"),
    )
    return table.assign(is_long=table["minutes"] > LONGEST_SITTING)


def _minutes(instruments: pd.Series, definitions: Mapping[str, Instrument]) -> dict[str, pd.Series]:
    known = {i: minutes_of(d) for i, d in definitions.items()}
    pairs = [known.get(i, (None, False)) for i in instruments]
    index = instruments.index
    return {
        "minutes": pd.Series([m or 0 for m, _ in pairs], index=index, dtype="int64"),
        "is_estimated": pd.Series([e for _, e in pairs], index=index, dtype=bool),
        "is_not_stated": pd.Series([m is None for m, _ in pairs], index=index, dtype=bool),
    }


def _is_never_asked_again(rows: pd.DataFrame, expected: pd.DataFrame, ends: pd.DataFrame) -> pd.Series:
    """Rows of whoever died or withdrew, whichever moment was due before that."""
    keys = ["programme_id", "patient_id"]
    over = expected.loc[expected["status"].isin(_NEVER_AGAIN), keys]
    gone = pd.MultiIndex.from_frame(pd.concat([over, ends[keys]]).drop_duplicates())
    return pd.Series(pd.MultiIndex.from_frame(rows[keys]).isin(gone), index=rows.index, dtype=bool)


def _together(rows: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    """One row per sitting, its forms in the order of their names; what is required first."""
    told = rows.assign(**_minutes(rows["instrument"], definitions))
    told = told.assign(
        kind=[definitions[i].kind if i in definitions else "self_report" for i in told["instrument"]],
        name=[definitions[i].name if i in definitions else i for i in told["instrument"]],
    ).sort_values([*_SITTING, "requirement", "instrument"], ascending=[True] * len(_SITTING) + [False, True])
    by = told.groupby(_SITTING, dropna=False, sort=True)
    found = by.agg(
        requirement=("requirement", "max"),  # required comes after desired in the alphabet
        instruments=("name", ", ".join),
        minutes=("minutes", "sum"),
        is_estimated=("is_estimated", "any"),
        mode=("kind", _mode),
        opens_on=("opens_on", "min"),
        due_on=("due_on", "min"),
        closes_on=("closes_on", "min"),
    ).reset_index()
    for column, flag in (("to_be_finished", "is_begun"), ("not_stated", "is_not_stated")):
        names = told[told[flag]].groupby(_SITTING, dropna=False)["name"].agg(", ".join).rename(column).reset_index()
        found = found.merge(names, on=_SITTING, how="left")
    return found.astype({"to_be_finished": "str", "not_stated": "str"})


def _mode(kinds: pd.Series) -> str:
    """How the forms are taken: self_report, interview (or another way in which somebody must be there), or both."""
    alone = kinds.isin(_BY_THE_PATIENT)
    if alone.all():
        return "self_report"
    return "both" if alone.any() else "interview"


def _dated(found: pd.DataFrame, *, settings: Consortium, as_of: date) -> pd.DataFrame:
    """Due and last days as working days of each programme, and the working days from today to them."""
    today = np.datetime64(as_of)
    shape = len(found)
    due, last = np.empty(shape, dtype="datetime64[D]"), np.empty(shape, dtype="datetime64[D]")
    left, over = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    opens, falls, closes = (days_of(found[c]) for c in ("opens_on", "due_on", "closes_on"))
    for programme, positions in found.groupby("programme_id").indices.items():
        at, days = np.asarray(positions), WorkingDays.of(str(programme), settings)
        # Where the whole window lies in a closure there is no working day to chase it on: its own last day stays.
        before = days.on_or_before(closes[at])
        last[at] = np.where(before < opens[at], closes[at], before)
        due[at] = np.minimum(days.on_or_after(falls[at]), last[at])
        left[at], over[at] = days.between(today, last[at]), days.between(due[at], today)
    return found.assign(
        due_on=due.astype("datetime64[s]"), last_on=last.astype("datetime64[s]"), days_left=left, days_overdue=over
    )


def _states(rows: pd.DataFrame, *, as_of: date, closing_soon: int) -> pd.Series:
    today = pd.Timestamp(as_of)
    chosen = [rows["opens_on"] > today, rows["days_left"] <= closing_soon, rows["due_on"] < today]
    words = np.select(chosen, ["ahead", "closing_soon", "overdue"], "due")
    return pd.Series(words, index=rows.index, dtype="str")


def _has_left(rows: pd.DataFrame, episodes: pd.DataFrame, *, as_of: date) -> pd.Series:
    ended = episodes.loc[episodes["ended_on"] < pd.Timestamp(as_of), ["programme_id", "episode_id"]]
    pairs = pd.MultiIndex.from_frame(rows[["programme_id", "episode_id"]])
    return pd.Series(pairs.isin(pd.MultiIndex.from_frame(ended)), index=rows.index, dtype=bool)


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    order = ["days_left", "is_desired", "is_later", "programme_id", "due_on", "moment", "patient_id", "episode_id"]
    is_later = ~rows["moment"].isin(BASELINES)
    keyed = rows.assign(is_desired=rows["requirement"].ne("required"), is_later=is_later)
    return keyed.sort_values(order, ignore_index=True)[list(COLUMNS)]


# Who asks -----------------------------------------------------------------------------------------------------------------

#: Functions of allocations in the order in which one of them is taken for the list.
ASKERS = ("research_assistant", "individual", "nurse", "group", "psychiatrist", "supervisor")


def askers(patients: pd.DataFrame, allocations: pd.DataFrame, staff: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Who asks each patient on `as_of`: `staff_id`, and `deputy_id` where that person has left, is not there yet, or is away.

    `patients`: any rows with programme_id and patient_id; the answer has their index. `allocations`, `staff`: rows of these registers.
    Of several people the first in `ASKERS` is taken, and among equals the one allocated last. A deputy stated with the allocation goes
    before the one stated with the person; a deputy who has left is none. Somebody of whom `staff` knows nothing is there.
    """
    today = pd.Timestamp(as_of)
    now = allocations[holds(allocations, today)].assign(
        rank=lambda rows: rows["function"].map({f: n for n, f in enumerate(ASKERS)}).fillna(len(ASKERS)),
    )
    people = staff.drop_duplicates(["programme_id", "staff_id"], keep="last")
    people = people.assign(is_away=~holds(people, today))[["programme_id", "staff_id", "is_away"]]
    now = now.merge(people, on=["programme_id", "staff_id"], how="left")
    is_away = now["is_away"].eq(True)
    now["deputy_id"] = deputies(now, staff, as_of=as_of).where(is_away)
    # somebody who is there goes before somebody who is away and has no deputy
    now["is_lost"] = is_away & now["deputy_id"].isna()
    order = ["programme_id", "patient_id", "is_lost", "rank", "from_on", "staff_id"]
    now = now.sort_values(order, ascending=[True, True, True, True, False, True])
    chosen = now.drop_duplicates(["programme_id", "patient_id"])[
        ["programme_id", "patient_id", "staff_id", "deputy_id"]
    ]
    keys = patients[["programme_id", "patient_id"]]
    return keys.merge(chosen, how="left").set_axis(patients.index)[["staff_id", "deputy_id"]]


def deputies(allocations: pd.DataFrame, staff: pd.DataFrame, *, as_of: date) -> pd.Series:
    """The deputy stated with each allocation, else the one stated with the person; one who is not there on `as_of` is none.

    `allocations`, `staff`: rows of these registers; the answer has the index of the former.
    """
    people = staff.drop_duplicates(["programme_id", "staff_id"], keep="last")
    absent = people.loc[~holds(people, pd.Timestamp(as_of)), ["programme_id", "staff_id"]]
    gone = pd.MultiIndex.from_frame(absent)
    whose = allocations[["programme_id", "staff_id"]]
    usual = whose.merge(people, how="left")["deputy_id"].set_axis(allocations.index)

    def there(named: pd.Series) -> pd.Series:
        pairs = pd.MultiIndex.from_arrays([allocations["programme_id"], named])
        return named.mask(pairs.isin(gone))

    return there(allocations["deputy_id"]).fillna(there(usual))


def holds(rows: pd.DataFrame, today: pd.Timestamp) -> pd.Series:
    """Rows of a register whose days include today; an open end holds still, an open beginning always did."""
    return ~(rows["from_on"] > today) & ~(rows["until_on"] < today)


# A calendar ------------------------------------------------------------------------------------------------------------------


def calendar_days(sittings: pd.DataFrame, *, as_of: date, n_days: int) -> pd.DataFrame:
    """Counts per programme and day from `as_of` on, for so many days: only days on which a sitting is due or can be asked last.

    Columns: programme_id, on, n_due (due that day), n_closing (whose last day lies in that week, Monday to Sunday, and not before that
    day), n_overdue (on `as_of` itself only). Counts and dates, and nothing of any patient.
    """
    first, last = pd.Timestamp(as_of), pd.Timestamp(as_of) + pd.Timedelta(days=n_days)
    told: list[dict[str, Any]] = []
    for programme, rows in sittings.groupby("programme_id"):
        n_overdue = int((rows["due_on"] < first).sum())
        days = sorted({*rows["due_on"], *rows["last_on"], *([first] if n_overdue else [])})
        told += [
            {"programme_id": programme, "on": day, **_counts(rows, day), "n_overdue": n_overdue if day == first else 0}
            for day in days
            if first <= day <= last
        ]
    return pd.DataFrame(told, columns=["programme_id", "on", "n_due", "n_closing", "n_overdue"])


def _counts(rows: pd.DataFrame, day: pd.Timestamp) -> dict[str, int]:
    sunday = day + pd.Timedelta(days=6 - day.weekday())
    return {"n_due": int(rows["due_on"].eq(day).sum()), "n_closing": int(rows["last_on"].between(day, sunday).sum())}
