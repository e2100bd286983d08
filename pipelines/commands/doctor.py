"""`rom doctor`: whether the home is in order, one line per question."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from assets.home import Home
    from assets.state import State

_FREE_SHARE = 0.05


@click.command(name="doctor")
@home_option
def doctor(home: Path) -> None:
    """Say whether the home is in order: version, keys, telemetry, lock, partitions, quiet programmes, disk.

    Exit code 1 when something is not; every such line says what to do.

    \b
    Example:
      rom doctor --home rom-home
    """
    from assets.home import Home

    opened = Home.open(home)
    lines = list(_examined(opened))
    for is_good, text in lines:
        click.echo(f"{'ok  ' if is_good else 'LOOK'}  {text}")
    raise SystemExit(0 if all(is_good for is_good, _ in lines) else 1)


def _examined(home: Home) -> Iterator[tuple[bool, str]]:
    from assets.home import LAYOUT
    from assets.state import State
    from pipelines import clock

    yield True, f"a home of layout {LAYOUT}; consortium.yaml can be read"
    state = State(home, clock.today(home.settings.timezone))
    for question in (_keys, _mappings, _archive, _lock, _dagster, _inbox, _quiet, _disk):
        yield from _asked(question, state)


def _asked(question: Callable[[State], Iterator[tuple[bool, str]]], state: State) -> Iterator[tuple[bool, str]]:
    """The answers; a question that cannot be answered is an answer too, without the message of the error."""
    from assets.home import HomeError
    from mbt_rom.settings import SettingsError

    try:
        yield from question(state)
    except (HomeError, SettingsError) as error:
        yield False, str(error)


def _keys(state: State) -> Iterator[tuple[bool, str]]:
    from assets.home import KEYS

    for name in KEYS:
        state.home.key(name)
    open_folder = state.home.secrets_folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    yield (
        not open_folder,
        (
            f"others can open {state.home.secrets_folder}; run: chmod 700 {state.home.secrets_folder}"
            if open_folder
            else "keys are there and can be read by their owner only; see that a backup of them lies elsewhere"
        ),
    )


def _mappings(state: State) -> Iterator[tuple[bool, str]]:
    yield True, f"{len(state.mappings)} mapping files can be read"


def _archive(state: State) -> Iterator[tuple[bool, str]]:
    from assets.state import TAKEN_IN

    ledger = state.ledger
    wanted = set(ledger.loc[ledger["status"] == TAKEN_IN, "delivery_id"])
    missing = sorted(sha[:12] for sha in wanted if sha not in state.archive)
    yield (
        not missing,
        (
            f"deliveries are missing from the archive: {', '.join(missing)}; restore them from the backup"
            if missing
            else f"all {len(wanted)} deliveries are in the archive"
        ),
    )


def _lock(state: State) -> Iterator[tuple[bool, str]]:
    from assets.lock import holder

    who = holder(state.home.root)
    yield True, f"being written to by {who}" if who else "nobody is writing"


def _dagster(state: State) -> Iterator[tuple[bool, str]]:
    from pipelines.instance import left_behind, open_instance

    with open_instance(state.home) as instance:
        yield (
            not instance.telemetry_enabled,
            (
                f"Dagster's telemetry is on; write 'telemetry: {{enabled: false}}' into {state.home.dagster_folder}/dagster.yaml"
                if instance.telemetry_enabled
                else "Dagster's telemetry is off"
            ),
        )
        present, wanted = set(instance.get_dynamic_partitions("programme")), set(state.home.partitions)
        yield (
            present == wanted or not present,
            (
                "partitions are those of consortium.yaml"
                if present == wanted
                else "partitions are not yet those of consortium.yaml; run: rom nightly"
            ),
        )
        dead = left_behind(instance)
        yield not dead, f"{len(dead)} runs were killed; run: rom nightly" if dead else "no run was left unfinished"


def _inbox(state: State) -> Iterator[tuple[bool, str]]:
    from assets.intake import ignored, scan

    files = scan(state.home.inbox, settings=state.home.settings)
    strangers = sorted(f.label for f in files if f.folder is None)
    if strangers:
        yield False, f"in no programme's folder: {', '.join(strangers)}; move them into one of inbox/"
    passed_over = ignored(state.home.inbox)
    if passed_over:
        yield False, f"{passed_over} links or folders below a programme's folder are not looked at; move the files up"
    yield True, f"{len(files) - len(strangers)} files wait in the inbox"


def _quiet(state: State) -> Iterator[tuple[bool, str]]:
    from mbt_rom import schedule

    rows = state.read("reference/programmes")
    days = state.home.settings.quiet_after_days
    silent = schedule.days_quiet(rows, as_of=state.as_of).fillna(days + 1) > days
    quiet = [_last(row) for row in rows[silent].to_dict("records")]
    yield (
        not quiet,
        (
            f"no delivery or no new form for {days} days from {', '.join(quiet)}; ask them"
            if quiet
            else f"no programme was quiet for {days} days"
        ),
    )


def _last(row: dict[Any, Any]) -> str:
    last, newest = row["last_delivery_on"], row["newest_form_on"]
    if last != last:
        return f"{row['programme_id']} (never)"
    return f"{row['programme_id']} (last on {last.date()}" + (
        ")" if newest != newest else f", newest form of {newest.date()})"
    )


def _disk(state: State) -> Iterator[tuple[bool, str]]:
    usage = shutil.disk_usage(state.home.root)
    free = f"{usage.free / 2**30:.1f} GB free"
    yield usage.free / usage.total > _FREE_SHARE, f"{free} on the disk of the home"
