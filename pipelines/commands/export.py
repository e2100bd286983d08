"""`rom export`: a table to files. Person-level tables ask what for, and every such export is logged."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import Date, home_option, progress

if TYPE_CHECKING:
    from assets.home import Home
    from assets.state import State

#: Stages that hold only those who permit it today.
NO_EARLIER_DAY = ("contributions", "benchmarks")
FORMATS = ("csv", "parquet", "xlsx")


@click.command(name="export")
@click.argument("table")
@click.option("--format", "formats", default="csv", show_default=True, help="csv, parquet, xlsx; several with commas.")
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write to."
)
@click.option("--programme", "-p", multiple=True, help="Only these programmes.")
@click.option("--purpose", help="What a person-level table is exported for; it is logged.")
@click.option("--known-on", type=Date(), help="The table as it was known at the end of this day; computed anew.")
@home_option
def export(
    table: str,
    formats: str,
    output: Path,
    programme: tuple[str, ...],
    purpose: str | None,
    known_on: date | None,
    home: Path,
) -> None:
    """Write a table to files named after it.

    With --known-on it is computed from the files and decisions that had been received by the end of that day, with the definitions,
    mappings and settings of today.

    \b
    Example:
      rom export benchmarks/programmes --format csv,parquet -o results
      rom export outcomes/response --known-on 2026-01-31
    """
    from assets.home import Home
    from assets.state import State
    from pipelines import clock
    from pipelines.writing import write

    opened = Home.open(home)
    state = State(opened, clock.today(opened.settings.timezone))
    wanted = _formats(formats)
    if table not in state.catalogue.tables:
        raise click.BadParameter(f"no table '{table}'; `rom tables` lists them")
    declared = state.catalogue[table]
    if declared.is_person_level:
        purpose = asked(purpose, table)
    with _known(state, table, known_on) as known:
        rows = known.read(table, programmes=programme or None)
    if declared.is_person_level:
        log(opened, table=table, purpose=str(purpose), n_rows=len(rows), formats=wanted, now=clock.now())
    output.mkdir(parents=True, exist_ok=True)
    for ending in wanted:
        path = output / f"{table.replace('/', '_')}.{ending}"
        write(rows, path)
        click.echo(f"{path}: {len(rows)} rows")


@contextmanager
def _known(state: State, table: str, day: date | None) -> Iterator[State]:
    """The home as it is, or as it was known at the end of that day."""
    if day is None:
        yield state
        return
    from pipelines import clock
    from pipelines.replay import as_known_on

    if day > state.as_of:
        raise click.BadParameter("--known-on lies in the future")
    if table.split("/")[0] in NO_EARLIER_DAY:
        raise click.BadParameter(
            f"{table} is not computed for an earlier day: whoever withdrew a permission since would be in it again"
        )
    with as_known_on(state.home, day, table=table, now=clock.now(), say=progress) as (then, summary):
        if summary.failures:
            raise click.ClickException("; ".join(summary.failures))
        n, n_now = len(then.ledger), len(state.ledger)
        click.echo(
            f"As known at the end of {day}: {n} of {n_now} files and decisions; definitions, mappings and settings are today's."
        )
        yield then


def _formats(text: str) -> list[str]:
    wanted = [f.strip() for f in text.split(",") if f.strip()]
    if not wanted or (unknown := [f for f in wanted if f not in FORMATS]):
        raise click.BadParameter(
            f"--format knows {', '.join(FORMATS)}, not {', '.join(unknown) if wanted else 'nothing'}"
        )
    return wanted


def asked(purpose: str | None, table: str) -> str:
    """What the table is wanted for: as given or, on a terminal, as answered; wrong use where nobody says."""
    given = purpose if purpose is not None else (_prompt(table) if os.isatty(0) else "")
    if not given.strip():
        raise click.UsageError(f"{table} holds data of single persons: say what for, with --purpose '...'")
    return given.strip()


def _prompt(table: str) -> str:
    return str(click.prompt(f"{table} holds data of single persons. What is it exported for?", err=True))


def log(home: Home, *, table: str, purpose: str, n_rows: int, formats: list[str], now: datetime) -> None:
    """Appends one line to the home's export log, before anything is written."""
    line = {"at": now.isoformat(), "who": getpass.getuser(), "table": table, "purpose": purpose, "n_rows": n_rows}
    descriptor = os.open(home.export_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
        stream.write(json.dumps({**line, "formats": formats}, ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
