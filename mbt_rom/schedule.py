"""The measurement plan in days: which form was due when, and which form answers it.

Belongs here: due dates, windows, which forms fit which moment, statuses. Does not belong here: what is asked (`plans`), choosing
among forms (`matching`), who can no longer be asked (`eligibility`), response, scores, lists of whom to call.

Matching. A form counts for a moment when its date lies in the moment's window; no form is used twice and no moment has two
forms. Among all ways to do that the one with most moments answered is taken, and among those the one with the fewest days
between forms and due dates (a minimum-cost assignment per patient and instrument, over all of the patient's episodes, so that
a form goes to the episode whose window takes it). At baseline a form on or before the anchor is preferred to one after it,
whatever the days (the last one before treatment is the baseline); a form the survey tool calls incomplete, or that was only begun, is taken
only where no other is. A form that fits a month and also the re-baseline or the end of treatment answers the month. A form that
states its moment is matched by that where it has no date, or where the plan knows no episode of its patient. What fits nothing
is `unscheduled` (of a weekly series: `weekly`), at its own date and never lost.

Moments beside the months. `rebaseline` is due on the first main session where that lies further from month 0 than a baseline
form may lie before it; `end` on the last main session, of an episode that did not end in death.

All of it works on whole numbers: days since 1970, positions of episodes, instruments and moments. A slot is one moment of one
instrument of one episode; texts are written down only when the rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import eligibility, keys
from mbt_rom.form_states import UNFINISHED
from mbt_rom.matching import NONE, Edges, assign, settled
from mbt_rom.model import Instrument
from mbt_rom.plans import BASELINE as BASELINE
from mbt_rom.plans import REBASELINE, Plan, place_of, plan_of, window_of
from mbt_rom.plans import UNSCHEDULED as UNSCHEDULED
from mbt_rom.plans import moment_name as moment_name
from mbt_rom.plans import month_of as month_of
from mbt_rom.settings import Consortium
from mbt_rom.tables import EXPECTED

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]
#: Positions of episodes, cells of episode x moment, and the like, where there are many.
Cells = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]
Value = TypeVar("Value", bound=np.generic)

TO_BE_FINISHED = "to_be_finished"
WITHDRAWN, WEEKLY = "withdrawn", "weekly"
DAYS_PER_MONTH = 30.4375
#: Costs on top of the days (at most some thousands): a form that another moment should have, one after the anchor, a broken-off one.
_OTHER_MOMENT, _LATE, _INCOMPLETE = 100_000, 1_000_000, 10_000_000
#: A day that no date reaches, for dates that are not known: nothing lies after it, and no window opens before it.
_NEVER = np.int32(2**30)
_STATUSES = ("not_yet_due", "open", "missed", "died", WITHDRAWN, TO_BE_FINISHED, "received")
_FORM = (
    "programme_id", "patient_id", "instrument", "row_id", "administered_on", "moment_given", "is_complete", "form_state",
)  # fmt: skip
#: Forms are looked at so many at a time, which keeps them near the processor.
_BLOCK = 2**16
#: Columns are made in so many threads.
_THREADS = 2
_NOT_YET_DUE, _OPEN, _MISSED, _DIED, _WITHDRAWN, _BEGUN, _RECEIVED = range(len(_STATUSES))


def add_months(dates: Dates, months: npt.ArrayLike) -> Dates:
    """Dates so many calendar months later; where that day does not exist, the last day of the month.

    >>> add_months(np.array(["2023-08-31", "2024-01-15"], dtype="datetime64[D]"), 6).astype(str).tolist()
    ['2024-02-29', '2024-07-15']
    """
    days = dates.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    target = month + np.asarray(months, dtype="timedelta64[M]")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    moved = target.astype("datetime64[D]") + (days - month.astype("datetime64[D]"))
    return np.asarray(np.minimum(moved, last))


def anchors(episodes: pd.DataFrame, *, settings: Consortium) -> pd.Series:
    """Month 0 of every episode: the date that its programme declares; missing when that date is not recorded."""
    kinds = episodes["programme_id"].map({k: p.anchor for k, p in settings.programmes.items()})
    found = pd.Series(pd.NaT, index=episodes.index, dtype="datetime64[s]")
    for kind in kinds.dropna().unique():
        found = found.mask(kinds == kind, episodes[kind])
    return found


def first_episodes(episodes: pd.DataFrame, *, settings: Consortium) -> pd.DataFrame:
    """The first episode of every patient in a programme (by anchor, then id), with its `anchor`: each person once per table."""
    known = episodes.assign(anchor=anchors(episodes, settings=settings)).dropna(subset=["anchor", "patient_id"])
    ordered = known.sort_values(["programme_id", "patient_id", "anchor", "episode_id"])
    return ordered.drop_duplicates(["programme_id", "patient_id"]).reset_index(drop=True)


@dataclass(frozen=True)
class _Grid:
    """Episodes x moments, and the slots that the plans make of them.

    `episodes` are in the order of the result. Arrays of episode x moment hold days, `_NEVER` where the moment does not exist.
    `asks`: one row per programme, instrument and moment that is asked for, in the order of the result, as positions;
    `place`: the row of `asks` by programme, instrument and moment, -1 where it is not asked.
    """

    episodes: pd.DataFrame
    programmes: tuple[str, ...]
    instruments: tuple[str, ...]
    moments: tuple[str, ...]
    asks: pd.DataFrame
    place: Ints
    due: Days
    opens: Days
    closes: Days
    ended: Days
    has_withdrawn: Bools

    @cached_property
    def programme(self) -> Cells:
        """Position of the programme of every episode."""
        return keys.positions(self.episodes["programme_id"], pd.Series(self.programmes, dtype="str"))

    @cached_property
    def first_ask(self) -> Ints:
        """First row of `asks` of every programme, and the number of rows."""
        return np.searchsorted(self.asks["programme"].to_numpy(), np.arange(len(self.programmes) + 1))

    @cached_property
    def first_slot(self) -> Ints:
        """Number of the first slot of every episode, and the number of slots."""
        return np.concatenate([[0], np.cumsum(np.diff(self.first_ask)[self.programme])])

    @property
    def n_slots(self) -> int:
        """Slots of all episodes together."""
        return int(self.first_slot[-1])

    def slots(self, episode: Ints | Cells, instrument: Cells, moment: Ints) -> Ints:
        """Slot of each episode, instrument and moment, -1 where the plan does not ask for it."""
        programme = self.programme[episode]
        ask = self.place[programme, instrument, moment]
        return np.where(ask == NONE, NONE, self.first_slot[episode] + ask - self.first_ask[programme])

    @cached_property
    def moment_of_ask(self) -> Cells:
        """Position of the moment of every row of `asks`."""
        return self.asks["moment"].to_numpy(dtype=np.int32)

    @cached_property
    def cohorts(self) -> dict[tuple[int, int], Cells]:
        """Per programme and moment that it asks for: its episodes that have the moment, in order."""
        bounds = np.searchsorted(self.programme, np.arange(len(self.programmes) + 1)).tolist()
        return {
            (p, k): (bounds[p] + np.flatnonzero(self.due[bounds[p] : bounds[p + 1], k] != _NEVER)).astype(np.int32)
            for p, k in dict.fromkeys(self.cohort_of_ask)
        }

    @cached_property
    def cohort_of_ask(self) -> list[tuple[int, int]]:
        """Programme and moment of every row of `asks`."""
        return list(zip(self.asks["programme"].tolist(), self.asks["moment"].tolist(), strict=True))


@dataclass(frozen=True)
class _Forms:
    """The forms, as numbers: `patient` and `instrument` are positions, -1 where the plans do not know them.

    `of_patient` holds, per rank, the episode of each form's patient that has that rank, -1 where there is none.
    """

    frame: pd.DataFrame
    instrument: Cells
    day: Days
    is_unfinished: Bools
    is_incomplete: Bools
    of_patient: tuple[Cells, ...]

    def __len__(self) -> int:
        return len(self.frame)

    def group(self, some: Ints | Cells) -> Ints:
        """Number of the patient and instrument of some forms, within which forms compete."""
        patient = self.of_patient[0][some] if self.of_patient else np.full(len(some), NONE)
        return (patient.astype(np.int64) + 1) * (int(self.instrument.max(initial=0)) + 2) + self.instrument[some] + 1

    @cached_property
    def n_episodes(self) -> npt.NDArray[np.int16]:
        """Episodes of the patient whose plan asks for the instrument at all."""
        none = np.zeros(len(self), dtype=np.int16)
        return sum((episodes != NONE for episodes in self.of_patient), start=none)


def expected(
    administrations: pd.DataFrame,
    episodes: pd.DataFrame,
    *,
    settings: Consortium,
    definitions: Mapping[str, Instrument],
    as_of: date,
    ends: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What the plan asks of every episode and what came of it: rows of `outcomes/expected`.

    `administrations`: accepted forms of all instruments, with programme_id, patient_id, instrument, row_id, administered_on,
    moment_given and, optionally, is_complete and form_state. `episodes`: rows of `reference/episodes` (may be empty). `ends`:
    who died or withdrew, as `eligibility.ends` tells it; None: what the episodes tell.
    One row per episode, instrument and moment of the plan of its programme, in order of programme, instrument, moment and
    episode; then one per form that fits none.
    `status`: received; to_be_finished (its form was only begun and the window is open; once it has closed the form counts as
    what it holds: received); missed (the window has closed); open; not_yet_due; died or withdrawn (before it was due: not
    eligible); weekly (of an instrument with a weekly series, and fits no moment); unscheduled. Death and withdrawal count for
    all episodes of the person; a death without a date makes every unanswered moment `died`. Nobody is `open` after either.
    An episode whose anchor is not recorded has no due dates, so no rows. Without an episode of the patient only what the
    export states is known: a row `received` for each moment given, without due date or episode.
    """
    plans = [plan_of(p, settings=settings, definitions=definitions) for p in settings.programmes]
    known = eligibility.ends(episodes, as_of=as_of) if ends is None else ends
    grid = _grid(episodes, plans, settings=settings, ends=known, as_of=as_of)
    return _one_below_other(*_rows(administrations, grid, episodes=episodes, settings=settings, as_of=as_of))


def days_quiet(programmes: pd.DataFrame, *, as_of: date) -> pd.Series:
    """Days since a programme was last heard of: since its newest form, or its last delivery where that is longer ago.

    `programmes`: rows of `reference/programmes`. Missing where nothing was ever delivered. A register that keeps arriving
    does not make a programme heard of when no patient has filled in a form for months.

    >>> rows = pd.DataFrame({"last_delivery_on": ["2026-11-20", "2026-11-20", None],
    ...                      "newest_form_on": ["2026-11-18", "2026-07-25", None]}, dtype="datetime64[s]")
    >>> days_quiet(rows, as_of=date(2026, 11, 22)).tolist()
    [4, 120, <NA>]
    """
    last = programmes[["last_delivery_on", "newest_form_on"]].min(axis=1)
    return pd.Series((pd.Timestamp(as_of) - last).dt.days, dtype="Int64")


def is_unfinished(administrations: pd.DataFrame) -> Bools:
    """Forms that were opened or begun and not finished, where the frame says in which state they are."""
    if "form_state" not in administrations:
        return np.zeros(len(administrations), dtype=bool)
    return administrations["form_state"].isin(UNFINISHED).to_numpy(dtype=bool)


def _dates(days: npt.NDArray[np.int32]) -> Dates:
    """Days as dates, those that do not exist as missing."""
    seconds = days.astype(np.int64)
    seconds *= 86_400
    seconds[np.abs(days) == _NEVER] = np.iinfo(np.int64).min
    return seconds.view("datetime64[s]")


def _days(dates: pd.Series, *, missing: np.int32 = _NEVER) -> Days:
    days = dates.to_numpy(dtype="datetime64[s]").astype("datetime64[D]")
    found = days.astype(np.int64).clip(-_NEVER, _NEVER).astype(np.int32)
    found[np.isnat(days)] = missing
    return found


# ---- the plan in days ---------------------------------------------------------------------------------------------------------


def _grid(episodes: pd.DataFrame, plans: list[Plan], *, settings: Consortium, ends: pd.DataFrame, as_of: date) -> _Grid:
    known = episodes.assign(month_0=anchors(episodes, settings=settings)).dropna(subset=["month_0", "patient_id"])
    known = known[known["programme_id"].isin([p.programme_id for p in plans])]
    known = known.sort_values(["programme_id", "episode_id"]).reset_index(drop=True)
    plans = sorted(plans, key=lambda plan: plan.programme_id)
    programmes = tuple(plan.programme_id for plan in plans)
    instruments = tuple(dict.fromkeys(i for plan in plans for i in plan.asks))
    moments = tuple(sorted({m for plan in plans for m in plan.moments}, key=place_of))
    asks, place = _asks(plans, instruments, moments)
    due, opens, closes = _windows(known, moments, settings=settings, as_of=as_of)
    ended, has_withdrawn = _ends_of(known, ends)
    return _Grid(
        known, programmes, instruments, moments, asks, place, due, opens, closes, ended, has_withdrawn
    )  # fmt: skip


def _asks(plans: list[Plan], instruments: tuple[str, ...], moments: tuple[str, ...]) -> tuple[pd.DataFrame, Ints]:
    rows = [
        (p, instruments.index(i), moments.index(m), requirement)
        for p, plan in enumerate(plans)
        for i, asked in plan.asks.items()
        for m, requirement in asked.items()
    ]
    asks = pd.DataFrame(rows, columns=["programme", "instrument", "moment", "requirement"])
    asks = asks.astype({"programme": "int64", "instrument": "int64", "moment": "int64", "requirement": "str"})
    place = np.full((len(plans), len(instruments), len(moments)), NONE, dtype=np.int64)
    place[asks["programme"], asks["instrument"], asks["moment"]] = np.arange(len(asks))
    return asks, place


def _windows(
    known: pd.DataFrame, moments: tuple[str, ...], *, settings: Consortium, as_of: date
) -> tuple[Days, Days, Days]:
    """Due date and window of every episode and moment; programmes differ in their windows."""
    due = np.full((len(known), len(moments)), _NEVER, dtype=np.int32)
    opens, closes = due.copy(), np.full_like(due, -_NEVER)
    month_0 = known["month_0"].to_numpy(dtype="datetime64[s]").astype("datetime64[D]")
    programme, names = pd.factorize(known["programme_id"])
    windows = [settings.windows_of(name) for name in names]
    for k, moment in enumerate(moments):
        month = month_of(moment)
        if month is not None:
            due[:, k] = add_months(month_0, month).astype(np.int64)
        elif moment == REBASELINE:
            longest = np.array([-each.baseline[0] for each in windows], dtype=np.int64)[programme]
            due[:, k] = _long_waits(known, longest)
        else:
            due[:, k] = _ended_treatments(known, as_of=as_of)
        exists = due[:, k] != _NEVER
        for at, days in enumerate((opens, closes)):
            moved = np.array([window_of(moment, each)[at] for each in windows], dtype=np.int64)[programme]
            days[exists, k] = (due[:, k] + moved)[exists]
    if REBASELINE in moments and BASELINE in moments:
        again, first = moments.index(REBASELINE), moments.index(BASELINE)
        opens[:, again] = np.maximum(opens[:, again], closes[:, first] + 1)
    return due, opens, closes


def _long_waits(known: pd.DataFrame, longest: Ints) -> Days:
    """First main session of the episodes that waited for it longer than so many days, and `_NEVER` for the others."""
    started, month_0 = _days(known["started_on"]), _days(known["month_0"])
    return np.where(started.astype(np.int64) - month_0 > longest, started, _NEVER).astype(np.int32)


def _ended_treatments(known: pd.DataFrame, *, as_of: date) -> Days:
    """Last main session of the episodes that have ended by then and not in death, and `_NEVER` for the others."""
    is_over = (known["ended_on"] <= pd.Timestamp(as_of)) & (known["end_reason"] != "died").fillna(True)
    return np.where(is_over.to_numpy(dtype=bool), _days(known["ended_on"]), _NEVER)


def _ends_of(known: pd.DataFrame, ends: pd.DataFrame) -> tuple[Days, Bools]:
    """Day on which the person of every episode died or withdrew, `_NEVER` where neither; and whether it was a withdrawal."""
    of_known, of_ends = keys.row_codes(known, ends, columns=["programme_id", "patient_id"])
    where = keys.lookup(of_known, of_ends)
    ended = np.append(_days(ends["ended_on"]), _NEVER)[where]
    return ended, np.append((ends["why"] == eligibility.WITHDREW).to_numpy(dtype=bool), False)[where]


# ---- matching -----------------------------------------------------------------------------------------------------------------


def _forms(administrations: pd.DataFrame, grid: _Grid) -> _Forms:
    columns = [c for c in _FORM if c in administrations.columns]
    frame = administrations[columns].reset_index(drop=True)
    begun = is_unfinished(frame)
    complete = frame["is_complete"].fillna(True).to_numpy(dtype=bool) if "is_complete" in frame else True
    instrument = keys.positions(frame["instrument"], pd.Series(grid.instruments, dtype="str"))
    of_patient = tuple(_asking(grid, episodes, instrument) for episodes in _episodes_of(frame, grid))
    return _Forms(frame, instrument, _days(frame["administered_on"]), begun, begun | ~np.asarray(complete), of_patient)


def _asking(grid: _Grid, episode: Cells, instrument: Cells) -> Cells:
    """The episodes whose programme asks for the instrument, -1 for the others."""
    asks = np.zeros((len(grid.programmes) + 1, len(grid.instruments) + 1), dtype=bool)
    asks[:-1, :-1] = (grid.place != NONE).any(axis=2)
    programme = np.append(grid.programme, np.int32(NONE))[episode]
    return np.where(asks[programme, instrument], episode, np.int32(NONE))


def _episodes_of(rows: pd.DataFrame, grid: _Grid) -> Iterator[Cells]:
    """Per rank the position of the episode of each row's patient that has it, -1 where there are fewer, in order of the episodes."""
    patients = grid.episodes["patient_id"].drop_duplicates()
    of_episodes = keys.positions(grid.episodes["patient_id"], patients)
    patient = keys.positions(rows["patient_id"], patients)
    programme = keys.positions(rows["programme_id"], pd.Series(grid.programmes, dtype="str"))
    rank = grid.episodes.groupby(["programme_id", "patient_id"]).cumcount().to_numpy()
    for k in range(int(rank.max(initial=-1)) + 1):
        some = np.flatnonzero(rank == k)
        # one row and one column more, which position -1 falls into
        where = np.full((len(patients) + 1, len(grid.programmes) + 1), NONE, dtype=np.int32)
        where[of_episodes[some], grid.programme[some]] = some
        yield where[patient, programme]


def _match_by_date(grid: _Grid, forms: _Forms) -> Cells:
    """The form of every slot, -1 where there is none."""
    form, slot = _fitting(grid, forms)
    slot_form = np.full(grid.n_slots, NONE, dtype=np.int32)
    is_settled = settled(form, slot, n_forms=len(forms), n_slots=grid.n_slots)
    slot_form[slot[is_settled]] = form[is_settled]
    edges, number = _edges(grid, forms, form[~is_settled], slot[~is_settled])
    chosen = assign(edges)
    slot_form[chosen.slot] = number[chosen.form]
    return slot_form


def _fitting(grid: _Grid, forms: _Forms) -> tuple[Cells, Cells]:
    """All pairs of a form and a slot whose window holds the form's date."""
    found: list[tuple[Cells, Cells]] = []
    for episodes, first in product(forms.of_patient, range(0, len(forms), _BLOCK)):
        some = first + np.flatnonzero(episodes[first : first + _BLOCK] != NONE).astype(np.int32)
        episode, day = episodes[some], forms.day[some, None]
        fits = (day >= grid.opens.take(episode, axis=0)) & (day <= grid.closes.take(episode, axis=0))
        at, moment = fits.nonzero()
        slot = grid.slots(episode[at], forms.instrument[some[at]], moment)
        found.append((some[at[slot != NONE]], slot[slot != NONE].astype(np.int32)))
    nothing = np.zeros(0, dtype=np.int32)
    return np.concatenate([nothing, *(f for f, _ in found)]), np.concatenate([nothing, *(s for _, s in found)])


def _edges(grid: _Grid, forms: _Forms, form: Cells, slot: Cells) -> tuple[Edges, Ints]:
    """The pairs with their costs, and the form behind each of their numbers, which do not depend on the order of the input."""
    episode = np.repeat(np.arange(len(grid.episodes), dtype=np.int32), np.diff(grid.first_slot))[slot]
    moment = grid.moment_of_ask[slot - grid.first_slot[episode] + grid.first_ask[grid.programme[episode]]]
    month_like = np.array([month_of(name) is not None for name in grid.moments], dtype=bool)
    is_first = np.array([name in (BASELINE, REBASELINE) for name in grid.moments], dtype=bool)
    days = forms.day[form].astype(np.int64) - grid.due[episode, moment]
    cost = 2 * np.abs(days) + (days > 0)  # of two forms equally near the earlier is taken
    cost += _LATE * (is_first[moment] & (days > 0)) + _OTHER_MOMENT * ~month_like[moment]
    cost += _INCOMPLETE * forms.is_incomplete[form]
    used = np.flatnonzero(np.bincount(form, minlength=len(forms)))
    used = used[_order(forms, used)]
    number = np.empty(len(forms), dtype=np.int32)
    number[used] = np.arange(len(used))
    return Edges(number[form], slot, cost, forms.group(form)), used


def _order(forms: _Forms, some: Ints) -> Ints:
    """Order of some forms that does not depend on the order of the input.

    By patient (as the plan knows them) and instrument; then complete ones first, by date, and by row. Rows are compared only
    where all others agree.
    """
    group = forms.group(some) * 2 + forms.is_incomplete[some]
    key = (group << 32) + forms.day[some]
    order = np.argsort(key, kind="stable")
    is_same = np.diff(key[order]) == 0
    is_tied = np.append(is_same, False) | np.append(False, is_same) if len(some) else np.zeros(0, dtype=bool)
    tied = order[is_tied]
    row = pd.factorize(forms.frame["row_id"].take(some[tied]), sort=True)[0]
    order[is_tied] = tied[np.lexsort([row, key[tied]])]
    return order


def _given(forms: pd.DataFrame, moments: tuple[str, ...]) -> Cells:
    """Position of the moment that each form states, -1 where it states none of them."""
    return keys.positions(forms["moment_given"], pd.Series(moments, dtype="str"))


def _match_by_given_moment(grid: _Grid, forms: _Forms, slot_form: Cells) -> None:
    """Adds forms without a date to `slot_form`, at the stated moment, where the patient has one episode and it is free."""
    undated = np.flatnonzero((forms.day == _NEVER) & (forms.n_episodes == 1))
    if not len(undated):
        return
    undated = undated[_order(forms, undated)]
    moment = _given(forms.frame.iloc[undated], grid.moments)
    undated, moment = undated[moment != NONE], moment[moment != NONE]
    episode = np.max([episodes[undated] for episodes in forms.of_patient], axis=0)
    slot = grid.slots(episode, forms.instrument[undated], moment)
    is_free = (slot != NONE) & (slot_form[slot] == NONE) & (grid.due[episode, moment] != _NEVER)
    slot, undated = slot[is_free], undated[is_free]
    first = keys.first_of_each(slot)
    slot_form[slot[first]] = undated[first]


# ---- rows ---------------------------------------------------------------------------------------------------------------------


def _rows(
    administrations: pd.DataFrame, grid: _Grid, *, episodes: pd.DataFrame, settings: Consortium, as_of: date
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What was planned, and the forms outside the plan."""
    forms = _forms(administrations, grid)
    slot_form = _match_by_date(grid, forms)
    _match_by_given_moment(grid, forms, slot_form)
    is_other = np.ones(len(forms), dtype=bool)
    is_other[slot_form[slot_form != NONE]] = False
    other = _other_rows(forms, np.flatnonzero(is_other), moments=grid.moments, episodes=episodes, settings=settings)
    return _planned_rows(grid, forms, slot_form, settings=settings, as_of=as_of), other


def _planned_rows(grid: _Grid, forms: _Forms, slot_form: Cells, *, settings: Consortium, as_of: date) -> pd.DataFrame:
    """The slots that exist, one ask after the other, so that what an ask has in common is held once."""
    n = [len(grid.cohorts[cohort]) for cohort in grid.cohort_of_ask]
    form = _forms_in_turn(grid, slot_form)
    day = np.append(forms.day, _NEVER)[form]
    of_programme, of_instrument, of_moment = (
        [names[at] for at in grid.asks[kind]]
        for kind, names in (("programme", grid.programmes), ("instrument", grid.instruments), ("moment", grid.moments))
    )
    columns: dict[str, Callable[[], Any]] = {
        "programme_id": lambda: keys.repeated(of_programme, n),
        "patient_id": lambda: keys.taken_in_turn(grid.episodes["patient_id"], grid.cohorts, grid.cohort_of_ask),
        "episode_id": lambda: keys.taken_in_turn(grid.episodes["episode_id"], grid.cohorts, grid.cohort_of_ask),
        "instrument": lambda: keys.repeated(of_instrument, n),
        "moment": lambda: keys.repeated(of_moment, n),
        "requirement": lambda: keys.repeated(grid.asks["requirement"].tolist(), n),
        "anchor": lambda: keys.repeated([settings.programmes[p].anchor for p in of_programme], n),
        "due_on": lambda: _in_turn(grid, _dates(grid.due)),
        "opens_on": lambda: _in_turn(grid, _dates(grid.opens)),
        "closes_on": lambda: _in_turn(grid, _dates(grid.closes)),
        "status": lambda: _texts(_STATUSES, _status(grid, forms, form, as_of=as_of)),
        "row_id": lambda: keys.taken(forms.frame["row_id"], form),
        "administered_on": lambda: _dates(day),
        "days_from_due": lambda: _days_from_due(grid, day),
        "is_late_baseline": lambda: _is_late(grid, of_moment, day),
    }
    return EXPECTED.conform(pd.DataFrame(_made(columns), copy=False))


def _forms_in_turn(grid: _Grid, slot_form: Cells) -> Cells:
    """The form of every row, -1 where there is none."""
    found = [
        slot_form[grid.first_slot[grid.cohorts[p, k]] + (ask - grid.first_ask[p])]
        for ask, (p, k) in enumerate(grid.cohort_of_ask)
    ]
    return np.concatenate([np.zeros(0, dtype=np.int32), *found])


def _in_turn(grid: _Grid, values: npt.NDArray[Value]) -> npt.NDArray[Value]:
    """Values of episode x moment as a value per row."""
    found = {(p, k): values[cohort, k] for (p, k), cohort in grid.cohorts.items()}
    return np.concatenate([np.zeros(0, dtype=values.dtype), *(found[cohort] for cohort in grid.cohort_of_ask)])


def _made(columns: Mapping[str, Callable[[], Any]]) -> dict[str, Any]:
    """The columns, several at a time: what makes them lets other threads run."""
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip(columns, pool.map(lambda make: make(), columns.values()), strict=True))


def _texts(names: Sequence[str], codes: npt.NDArray[np.integer]) -> pd.api.extensions.ExtensionArray:
    return keys.taken(pd.Series(names, dtype="str"), codes)


def _days_from_due(grid: _Grid, day: Days) -> pd.arrays.IntegerArray:
    is_unknown = day == _NEVER
    days = day - _in_turn(grid, grid.due)
    days[is_unknown] = 0
    return pd.arrays.IntegerArray(days, is_unknown)


def _status(grid: _Grid, forms: _Forms, form: Cells, *, as_of: date) -> npt.NDArray[np.int8]:
    status = _in_turn(grid, _without_form(grid, as_of=as_of))
    has_form = form != NONE
    if forms.is_unfinished.any():
        is_begun = np.append(forms.is_unfinished, False)[form] & np.isin(status, [_OPEN, _NOT_YET_DUE])
        status[is_begun] = _BEGUN
        has_form &= ~is_begun
    status[has_form] = _RECEIVED
    return status


def _without_form(grid: _Grid, *, as_of: date) -> npt.NDArray[np.int8]:
    """Status of every episode and moment for which no form came."""
    today = (as_of - date(1970, 1, 1)).days
    ended = grid.ended[:, None]
    is_over = (today > grid.closes) | (ended != _NEVER)
    gone = np.where(grid.has_withdrawn, _WITHDRAWN, _DIED)[:, None]
    waiting = np.where(today < grid.opens, _NOT_YET_DUE, _OPEN)
    return np.where(ended < grid.due, gone, np.where(is_over, _MISSED, waiting)).astype(np.int8)


def _is_late(grid: _Grid, moments: Sequence[str], day: Days) -> pd.arrays.BooleanArray:
    """Whether a baseline came after the first main session; missing where that is not known, false for what is no baseline."""
    started = _days(grid.episodes["started_on"])
    late, unknown = np.zeros(len(day), dtype=bool), np.zeros(len(day), dtype=bool)
    last = 0
    for moment, cohort in zip(moments, grid.cohort_of_ask, strict=True):
        episode = grid.cohorts[cohort]
        first, last = last, last + len(episode)
        if moment == BASELINE:
            has_come = day[first:last] != _NEVER
            late[first:last] = has_come & (day[first:last] > started[episode])
            unknown[first:last] = has_come & (started[episode] == _NEVER)
    return pd.arrays.BooleanArray(late, unknown)


def _one_below_other(planned: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Both as one table. They are taken apart column by column, so that no more than one column is held twice."""
    if other.empty:
        return planned
    columns = {c: pd.concat([planned.pop(c), other.pop(c)], ignore_index=True) for c in EXPECTED.column_names}
    return pd.DataFrame(columns, copy=False)


def _other_rows(
    forms: _Forms, some: Ints, *, moments: tuple[str, ...], episodes: pd.DataFrame, settings: Consortium
) -> pd.DataFrame:
    """One row per form outside the plan: `received` at the moment it states where that counts, else `unscheduled` or `weekly`."""
    some = some[_order(forms, some)]
    rows = forms.frame.iloc[some]
    counts = _without_plan(forms, some, moments)
    status = np.where(counts, 2, _is_weekly(rows, settings))
    other = pd.DataFrame(
        {
            **{c: rows[c].array for c in ("programme_id", "patient_id", "instrument", "row_id", "administered_on")},
            "episode_id": _episode_of(rows, episodes=episodes, settings=settings),
            "moment": rows["moment_given"].where(counts, UNSCHEDULED).array,
            "anchor": rows["programme_id"].map({k: p.anchor for k, p in settings.programmes.items()}).array,
            "status": _texts((UNSCHEDULED, WEEKLY, "received"), status),
        }
    )
    return EXPECTED.conform(other)


def _without_plan(forms: _Forms, some: Ints, moments: tuple[str, ...]) -> Bools:
    """True for the forms that count for the moment they state because no episode asks their patient for the instrument."""
    at = np.flatnonzero(forms.n_episodes[some] == 0)
    rows = forms.frame.iloc[some[at]]
    can = (_given(rows, moments) != NONE) & rows["patient_id"].notna().to_numpy()
    (codes,) = keys.row_codes(rows[can], columns=["programme_id", "patient_id", "instrument", "moment_given"])
    counts = np.zeros(len(some), dtype=bool)
    counts[at[can][keys.first_of_each(codes)]] = True
    return counts


def _is_weekly(rows: pd.DataFrame, settings: Consortium) -> Bools:
    """Forms of a known patient of an instrument that the programme has filled in every week."""
    series = [(p, i) for p, programme in settings.programmes.items() for i in programme.weekly]
    known = pd.DataFrame(series, columns=["programme_id", "instrument"], dtype="str")
    if not series:
        return np.zeros(len(rows), dtype=bool)
    of_rows, of_known = keys.row_codes(rows, known, columns=["programme_id", "instrument"])
    return (keys.lookup(of_rows, of_known) >= 0) & rows["patient_id"].notna().to_numpy()


def _episode_of(
    forms: pd.DataFrame, *, episodes: pd.DataFrame, settings: Consortium
) -> pd.api.extensions.ExtensionArray:
    """Episode during which a form was filled in: the last whose baseline window had opened, else the patient's first.

    A form without a date belongs to the patient's only episode; where there are several, to none.
    """
    known = episodes.assign(anchor=anchors(episodes, settings=settings)).dropna(subset=["anchor", "patient_id"])
    known = known.sort_values(["anchor", "episode_id"])
    of_forms, of_episodes = keys.row_codes(forms, known, columns=["programme_id", "patient_id"])
    form, episode = keys.join(of_forms, of_episodes)
    chosen = np.full(len(forms), NONE, dtype=np.int64)
    chosen[form[::-1]] = episode[::-1]
    before = known["programme_id"].map({p: settings.windows_of(p).baseline[0] for p in settings.programmes})
    opened = _days(known["anchor"]) + before.to_numpy(dtype=float)
    day = _days(forms["administered_on"], missing=-_NEVER)
    begun = day[form] >= opened[episode]
    chosen[form[begun]] = episode[begun]
    chosen[(day == -_NEVER) & (np.bincount(form, minlength=len(forms)) > 1)] = NONE
    return keys.taken(known["episode_id"], chosen)
