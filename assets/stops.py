"""Stops of a home: recorded at once, whoever else is writing, and read by every list straight from where they are kept.

Belongs here: keeping a decision about a stop, and the frame of all stops. Does not belong here: which stops hold
(`mbt_rom.stops`), asking for one (`pipelines.commands.stop`).

A stop waits for nobody. It goes into the encrypted archive, and a note that it is there (its id and the time, no number) into the
folder `stops` of the home; from then on it holds. The ledger row follows as soon as nobody else writes: at once, or at the
beginning of the next night. The note goes when the row is there, so that a kill at any moment loses nothing and counts nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from assets import intake
from assets.decisions import DecisionError
from assets.home import sync_folder, write_atomically
from assets.intake import Taken
from assets.lock import LockedError, writing
from assets.state import CORRECTION, State
from mbt_rom import stops as core
from mbt_rom.settings import SHARED
from mbt_rom.stops import RecordedStop, StopDecision, document, parse_document

#: How long a stop waits for somebody else who writes before it leaves the ledger row to the next night.
WAIT_SECONDS = 5.0


def record(
    state: State, programme: str, decision: StopDecision, *, now: datetime, wait_seconds: float | None = None
) -> tuple[str, bool]:
    """Keeps a decision about a stop; it holds when this returns. Its id, and whether its row is in the ledger already.

    Raises `DecisionError` where it does not fit what is there. Takes the lock of the home itself, and does without where somebody
    else holds it.
    """
    _refuse_unfit(state, programme, decision, now=now)
    data = document(decision)
    name = hashlib.sha256(data).hexdigest()
    state.archive.store(data)
    _note(state, programme, name, now)
    try:
        with writing(
            state.home.root,
            who="rom stop",
            now=now,
            wait_seconds=WAIT_SECONDS if wait_seconds is None else wait_seconds,
        ):
            state.reread_ledger()
            enter_waiting(state)
    except LockedError:
        return name, False  # the next night enters it
    return name, True


def enter_waiting(state: State) -> int:
    """Gives every stop that waits its row in the ledger; how many there were. The caller holds the lock of the home."""
    waiting = [(p, *note) for p in state.home.settings.programmes for note in _waiting(state, p)]
    for programme, name, received_at in waiting:
        data = state.archive.read(name)
        if (decision := parse_document(data)) is not None:
            state.vault.add(programme, {state.pseudonym(decision.number): decision.number})
            label = f"stop-{name[:12]}.json"
            conformed = state.decided(programme, name, {})
            taken = Taken(label, programme, name, "taken_in", conformed=conformed, by=decision.by)
            intake.enter(state, [taken], sizes={name: len(data)}, now=received_at)
        _path(state, programme, name).unlink(missing_ok=True)
    return len(waiting)


def decisions(state: State, programme: str) -> dict[str, RecordedStop]:
    """All decisions about stops of a programme by id, those that wait for their ledger row among them."""
    # Notes first: one that is entered meanwhile is then in the ledger, read after them. The other order could miss it.
    waiting = dict(_waiting(state, programme))
    state.reread_ledger()
    rows = state.ledger
    mine = rows[rows["programme_id"].eq(programme) & rows["kind"].eq(CORRECTION)]
    known = dict(zip(mine["delivery_id"], mine["received_at"].dt.to_pydatetime(), strict=True))
    found: dict[str, RecordedStop] = {}
    for name, at in {**waiting, **known}.items():
        if (said := parse_document(state.archive.read(name))) is not None:
            found[name] = RecordedStop(said, at)
    return found


def table(state: State, programmes: Iterable[str]) -> pd.DataFrame:
    """The frame `stops` of these programmes, lifted ones too: see `mbt_rom.stops.stops`."""
    frames = [core.stops({}, programme=SHARED, people={})]
    for programme in programmes:
        known = decisions(state, programme)
        people = {one.decision.number: person(state, programme, one.decision.number) for one in known.values()}
        frames.append(core.stops(known, programme=programme, people=people))
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def withdrew(state: State, programmes: Iterable[str]) -> pd.DataFrame:
    """Those stops of these programmes, not lifted, that say that somebody withdrew: what `permissions.holds` asks for."""
    rows = table(state, programmes)
    return rows[rows["kind"].eq("withdrew") & rows["lifted_at"].isna()].reset_index(drop=True)


def given(state: State, *, now: datetime, today: date) -> pd.DataFrame:
    """The stops of all programmes that hold now, each once."""
    return core.holding(table(state, state.home.settings.programmes), at=now, today=today)


def holding(state: State, *, now: datetime, today: date) -> pd.DataFrame:
    """What every list leaves off: the stops that hold now, and who died once more under each name that stands for them elsewhere."""
    rows = given(state, now=now, today=today)
    dead = rows[rows["kind"].isin(core.HOLD_EVERYWHERE)]
    return pd.concat([rows, everywhere(state, dead)], ignore_index=True).drop_duplicates(ignore_index=True)


def everywhere(state: State, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows once per name under which any programme knows their person, `patient_id`: links differ between programmes."""
    links = {programme: state.people(programme) for programme in state.home.settings.programmes}
    names = []
    for programme, one in zip(rows["programme_id"], rows["patient_id"], strict=True):
        mine = {one, *(name for name, other in links[programme].items() if other == one)}
        names.append(sorted({people.get(name, name) for people in links.values() for name in mine}))
    told = rows.assign(patient_id=pd.Series(names, index=rows.index, dtype=object)).explode("patient_id")
    return told.astype({"patient_id": "str"}).reset_index(drop=True)


def person(state: State, programme: str, number: tuple[str, str]) -> str:
    """The pseudonym that stands for the person with that number in a programme, today's links counted."""
    name = state.pseudonym(number)
    return state.people(programme).get(name, name)


def under_one_name(state: State, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a stored table, with today's links counted: numbers that were linked after the last night are one person already."""
    names = rows["patient_id"].copy()
    for programme in rows["programme_id"].unique():
        for one, other in state.people(str(programme)).items():
            names[rows["programme_id"].eq(programme) & rows["patient_id"].eq(one)] = other
    return rows.assign(patient_id=names)


def programmes_of(state: State, number: str) -> list[str]:
    """The programmes in which that local number may be a patient: those that were delivered it, else those whose numbers look so."""
    settings, fits = state.home.settings, []
    shared = set(state.vault.numbers(SHARED))
    own: list[str] = []
    for programme in settings.programmes:
        name = _pseudonym(state, programme, number)
        if name is None:
            continue
        if name in state.vault.numbers(programme):
            own.append(programme)
        elif name in shared:
            fits.append(programme)
    return own or fits


def _pseudonym(state: State, programme: str, number: str) -> str | None:
    issuer = state.home.settings.programmes[programme].issuer
    ids, _ = state.pseudonyms.patient(issuer, state.home.settings.issuers[issuer], pd.Series([number], dtype="str"))
    return None if pd.isna(ids.iloc[0]) else str(ids.iloc[0])


def _refuse_unfit(state: State, programme: str, decision: StopDecision, *, now: datetime) -> None:
    rows = table(state, [programme])
    if decision.act == "stop":
        same = rows[rows["patient_id"].eq(person(state, programme, decision.number)) & rows["lifted_at"].isna()]
        same = same[same["kind"].eq(str(decision.kind))]
        if decision.until is not None:
            same = same[same["until_on"].eq(pd.Timestamp(decision.until))]
        if len(same):
            raise DecisionError("that stop holds already; `rom stop --list` says since when and by whom")
        return
    row = rows[rows["stop_id"].eq(str(decision.of))]
    if row.empty or row["lifted_at"].notna().any():
        raise DecisionError("there is no such stop, or it was lifted already; `rom stop --list` lists them")
    if decision.act == "confirm":
        if not core.to_be_confirmed(row).any():
            raise DecisionError("that stop needs no confirmation, or was confirmed already")
        if row["by"].eq(decision.by).any():
            raise DecisionError("a second person confirms: you recorded this stop yourself. It holds meanwhile")


# What waits for its ledger row ------------------------------------------------------------------------------------------------


def _path(state: State, programme: str, name: str) -> Path:
    return state.home.waiting_stops / programme / name


def _note(state: State, programme: str, name: str, now: datetime) -> None:
    path = _path(state, programme, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sync_folder(path.parent.parent)
    write_atomically(path, now.isoformat().encode())


def _waiting(state: State, programme: str) -> list[tuple[str, datetime]]:
    """Id and time of the stops of a programme whose ledger row is not known to be there."""
    folder = state.home.waiting_stops / programme
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if not path.name.startswith(".") and len(path.name) == 64:
            try:
                found.append((path.name, datetime.fromisoformat(path.read_text(encoding="ascii"))))
            except FileNotFoundError:
                continue  # it was entered a moment ago
    return found
