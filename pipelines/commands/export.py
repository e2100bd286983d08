"""`rom export`: a table to files. Person-level tables ask what for, and every such export is logged."""

from __future__ import annotations

import getpass
import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from assets.home import Home

FORMATS = ("csv", "parquet", "xlsx")


@click.command(name="export")
@click.argument("table")
@click.option("--format", "formats", default="csv", show_default=True, help="csv, parquet, xlsx; several with commas.")
@click.option(
    "--output", "-o", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder to write to."
)
@click.option("--programme", "-p", multiple=True, help="Only these programmes.")
@click.option("--purpose", help="What a person-level table is exported for; it is logged.")
@home_option
def export(table: str, formats: str, output: Path, programme: tuple[str, ...], purpose: str | None, home: Path) -> None:
    """Write a table to files named after it.

    \b
    Example:
      rom export benchmarks/programmes --format csv,parquet -o results
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
    rows = state.read(table, programmes=programme or None)
    if declared.is_person_level:
        log(opened, table=table, purpose=str(purpose), n_rows=len(rows), formats=wanted, now=clock.now())
    output.mkdir(parents=True, exist_ok=True)
    for ending in wanted:
        path = output / f"{table.replace('/', '_')}.{ending}"
        write(rows, path)
        click.echo(f"{path}: {len(rows)} rows")


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
