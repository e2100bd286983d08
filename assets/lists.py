"""The lists of whom to ask, as a home stands at this moment: last night's plan, this moment's stops and links.

Belongs here: gathering what `mbt_rom.due` and `mbt_rom.handover` need. Does not belong here: who is due (`mbt_rom.due`), words, files and
local numbers (`pipelines`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from assets import stops
from assets.state import State
from mbt_rom import due, eligibility
from mbt_rom.stops import to_be_confirmed
from mbt_rom.tables import EPISODES, EXPECTED


@dataclass(frozen=True)
class Calling:
    """The sittings of some programmes on `day`, and what is to be told beside them.

    `sittings`: see `mbt_rom.due.sittings`, with `staff_id` and `deputy_id` (missing where no register says). `without_episodes`:
    programmes whose register of episodes was not delivered. `ends`: who died or withdrew, as the registers tell it, deaths of those of
    every programme; `stops`: those that hold, in every programme. `is_current`: the stored plan holds all that was delivered and decided.
    """

    day: date
    programmes: tuple[str, ...]
    sittings: pd.DataFrame
    burden: pd.DataFrame
    ends: pd.DataFrame
    stops: pd.DataFrame
    n_stopped: int
    n_to_confirm: int
    without_episodes: frozenset[str]
    has_allocations: bool
    is_current: bool


def calling(
    state: State,
    programmes: Sequence[str],
    *,
    day: date,
    today: date,
    now: datetime,
    closing_soon: int = due.CLOSING_SOON,
    ahead_days: int = 0,
) -> Calling:
    """The sittings that may be asked for on `day`. Stops are those that hold `now`, which is the day `today`.

    Whoever is known by now to have died or withdrawn is on the list of no day, not of an earlier one either.

    One with a last day before `day` has lapsed by then.
    """
    expected = stops.under_one_name(state, state.read(EXPECTED.name, programmes=programmes))
    episodes = stops.under_one_name(state, state.read(EPISODES.name, programmes=programmes))
    known_on = max(day, today)
    holding = stops.holding(state, now=now, today=known_on)
    events, permissions = (register(state, name, programmes) for name in ("events", "permissions"))
    ends = eligibility.ends(episodes, as_of=known_on, events=events, permissions=permissions)
    ends = pd.concat([ends, _deaths(state, programmes)], ignore_index=True)
    definitions = state.instruments
    found = due.sittings(
        expected,
        episodes,
        stops=holding,
        ends=ends,
        definitions=definitions,
        settings=state.home.settings,
        as_of=day,
        closing_soon=closing_soon,
        ahead_days=ahead_days,
    )
    allocations, staff = register(state, "allocations", programmes), register(state, "staff", programmes)
    given = stops.given(state, now=now, today=known_on)
    mine = given[given["programme_id"].isin(programmes)]
    missing = pd.DataFrame({"staff_id": None, "deputy_id": None}, index=found.index, dtype="str")
    asked_by = missing if allocations is None or staff is None else due.askers(found, allocations, staff, as_of=day)
    return Calling(
        day=day,
        programmes=tuple(programmes),
        sittings=found.assign(staff_id=asked_by["staff_id"], deputy_id=asked_by["deputy_id"]),
        burden=due.burden(expected, definitions),
        ends=ends,
        stops=holding,
        n_stopped=mine["patient_id"].nunique(),
        n_to_confirm=int(to_be_confirmed(mine).sum()),
        without_episodes=frozenset(programmes) - set(episodes["programme_id"]),
        has_allocations=allocations is not None and staff is not None,
        is_current=is_current(state, programmes, today=today),
    )


def _deaths(state: State, programmes: Sequence[str]) -> pd.DataFrame:
    """Who died as the registers of any programme tell it, for each of these programmes; a death dated ahead was mistyped, and is one."""
    every = list(state.home.settings.programmes)
    episodes = stops.under_one_name(state, state.read(EPISODES.name, programmes=every))
    rows = eligibility.ends(episodes, as_of=date.max, events=register(state, "events", every))
    names = stops.everywhere(state, rows)
    return pd.concat([names.assign(programme_id=programme) for programme in programmes], ignore_index=True)


def is_current(state: State, programmes: Sequence[str], *, today: date) -> bool:
    """Whether the stored plan is what it would be if it were computed now."""
    return not State(state.home, today).outdated(state.catalogue[EXPECTED.name], programmes)


def register(state: State, name: str, programmes: Sequence[str]) -> pd.DataFrame | None:
    """Rows of `reference/<name>`; None where there is no such register, or nothing of it was delivered by these programmes."""
    table = f"reference/{name}"
    if table not in state.catalogue.tables:
        return None
    rows = state.read(table, programmes=programmes)
    if rows.empty:
        return None
    return stops.under_one_name(state, rows) if "patient_id" in rows else rows
