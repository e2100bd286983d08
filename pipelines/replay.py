"""A home as it was known at the end of an earlier day: computed again from what had been received and decided by then.

Belongs here: the private home in which that is computed, and removing it. Does not belong here: computing (`nightly`), the ledger.

Files and decisions are those of that day. Definitions, mappings and settings are today's, and so is the software: where they changed
since, a table may differ from the one that was written then.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pandas as pd

from assets import intake
from assets.home import DAGSTER_YAML, SETTINGS, STAMP, Home
from assets.lock import holder, writing
from assets.state import State
from mbt_rom.tables import LEDGER
from pipelines.nightly import Night, Summary

FOLDER = ".replay"
_SAME = ("secrets", "archive", "vault", "mappings", "instruments", "scoring_keys", SETTINGS, STAMP)
_OWN = ("inbox", "warehouse", "published", "dagster")
_PRIVATE = 0o700
_WAIT_SECONDS = 10


@contextmanager
def as_known_on(
    home: Home, day: date, *, table: str, now: datetime, say: Callable[[str], None] = lambda message: None
) -> Iterator[tuple[State, Summary]]:
    """The home as it was known at the end of that day, with `table` and what it is made of; gone after the block."""
    root = _made(home, now=now)
    try:
        with writing(root, who="rom export", now=now):
            state = State(Home.open(root), day)
            _fill_ledger(state, home, day)
            summary = Summary(day)
            with dg.DagsterInstance.ephemeral() as instance:
                Night(state, instance, summary, say, only=_needed(state, table)).work()
            yield state, summary
    finally:
        shutil.rmtree(root, ignore_errors=True)


def received_by(ledger: pd.DataFrame, day: date, timezone: str) -> pd.DataFrame:
    """Rows of the ledger that were there when that day ended where the home is."""
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(timezone))
    return ledger[ledger["received_at"] < pd.Timestamp(end)]


def _made(home: Home, *, now: datetime) -> Path:
    """A new private folder that shares with the home what is only read; those of runs that were killed are removed."""
    every = home.root / FOLDER
    every.mkdir(mode=_PRIVATE, exist_ok=True)
    with writing(every, who="rom export", now=now, wait_seconds=_WAIT_SECONDS):
        remove_left_over(home)
        taken = {path.name for path in every.iterdir()}
        root = every / next(f"{n}" for n in range(1, len(taken) + 2) if f"{n}" not in taken)
        root.mkdir(mode=_PRIVATE)
        for name in _OWN:
            (root / name).mkdir()
        for name in _SAME:
            (root / name).symlink_to(home.root / name)
        (root / "dagster" / "dagster.yaml").write_text(DAGSTER_YAML)
        return root


def remove_left_over(home: Home) -> int:
    """Removes the folders in which nobody computes any more; their number."""
    folders = [path for path in (home.root / FOLDER).glob("*") if path.is_dir() and holder(path) is None]
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    return len(folders)


def _fill_ledger(state: State, home: Home, day: date) -> None:
    then = received_by(State(home, day).ledger, day, home.settings.timezone)
    folders = sorted(set(then["programme_id"]))
    if folders:
        state.warehouse.replace(LEDGER, then, programmes=folders, fingerprints={})
    state.reread_ledger()
    state.prepare()
    intake.understand_again(state)


def _needed(state: State, table: str) -> frozenset[str]:
    """The tables from which that one is computed, and itself."""
    from assets.keys import key
    from pipelines.definitions import build_defs

    graph = build_defs(root=state.home.root, as_of=state.as_of).resolve_asset_graph()
    if key(table) not in graph.get_all_asset_keys():
        return frozenset()
    found = dg.AssetSelection.assets(key(table)).upstream().resolve(graph)
    return frozenset("/".join(one.path) for one in found)
