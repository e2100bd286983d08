"""`rom deliveries`: what was delivered, how it was understood, and mapping files drafted from that. No value is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from pipelines.column_tables import TO_CONFIRM, standing, table, write_drafts
from pipelines.deciding import state_of
from pipelines.options import home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.state import State

_SHORTEST = 4


@click.group(name="deliveries", invoke_without_command=True)
@click.option("--programme", "-p", help="Only this programme.")
@home_option
@click.pass_context
def deliveries(context: click.Context, programme: str | None, home: Path) -> None:
    """What was delivered: when, by whom, file, tool, rows, and whether it was taken in.

    \b
    Example:
      rom deliveries -p our_programme
      rom deliveries show 3f2a9c1b
      rom deliveries draft 3f2a9c1b -o survey.yaml
    """
    if context.invoked_subcommand is not None:
        return
    state = state_of(home, programme)
    rows = _rows(state, programme)
    click.echo("\n".join(_lines(state, rows)) if len(rows) else "Nothing was delivered so far.")


@deliveries.command()
@click.argument("delivery")
@home_option
def show(delivery: str, home: Path) -> None:
    """How the columns of a delivery were understood: the table to confirm. DELIVERY is the beginning of its id."""
    state = state_of(home)
    row = _found(state, delivery)
    click.echo("\n".join(_lines(state, row)))
    entry = row.iloc[0]
    understood = _understood(entry)
    click.echo("\n".join(table(understood, n_rows=_number(entry["n_rows"]))) or "  Nothing is known of its columns.")
    if any(standing(column) == TO_CONFIRM for column in understood):
        click.echo(f"Next: rom deliveries draft {entry['delivery_id'][:8]} -o FILE.yaml")


@deliveries.command()
@click.argument("delivery")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.yaml to write."
)
@home_option
def draft(delivery: str, output: Path, home: Path) -> None:
    """Write a mapping file drafted from a delivery in the archive. Overwrites nothing."""
    state = state_of(home)
    row = _found(state, delivery)
    if row["status"].iloc[0] == "refused":
        raise click.UsageError(
            "the file was refused and not kept; use: rom load FILE --programme PROGRAMME --draft FILE.yaml"
        )
    state.prepare()
    parsed = state.parsed(next(row.itertuples()))
    write_drafts(parsed.understood, output, name=output.stem, instruments=state.instruments)


def _rows(state: State, programme: str | None) -> pd.DataFrame:
    ledger = state.ledger
    mine = ledger if programme is None else ledger[ledger["programme_id"] == programme]
    return mine.sort_values(["received_at", "programme_id", "delivery_id"], kind="stable")


def _found(state: State, delivery: str) -> pd.DataFrame:
    if len(delivery) < _SHORTEST:
        raise click.BadParameter(f"give at least the first {_SHORTEST} characters of the id")
    ledger = state.ledger
    rows = ledger[ledger["delivery_id"].str.startswith(delivery.lower())]
    if len(rows) == 1:
        return rows
    said = "no delivery begins" if rows.empty else f"{len(rows)} deliveries begin"
    raise click.BadParameter(f"{said} with '{delivery}'; `rom deliveries` lists them")


def _lines(state: State, rows: pd.DataFrame) -> list[str]:
    zone = ZoneInfo(state.home.settings.timezone)
    fatal = _fatal(state)
    lines = []
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        local = row["received_at"].astimezone(zone)
        facts = [
            str(row["delivery_id"])[:8],
            f"{local:%Y-%m-%d %H:%M}",
            str(row["received_by"] or "-"),
            str(row["programme_id"]),
            str(row["file_name"]),
            str(row["dialect"] or row["kind"] or "-"),
            f"{_number(row['n_rows'])} rows",
            _status(row, fatal),
        ]
        lines.append("  ".join(facts))
    return lines


def _fatal(state: State) -> dict[str, str]:
    """Delivery -> the rule for which nothing of it was taken in."""
    found = state.read("findings/deliveries", columns=["delivery_id", "rule", "severity"])
    fatal = found[found["severity"] == "fatal"]
    return dict(zip(fatal["delivery_id"], fatal["rule"], strict=True))


def _status(row: Mapping[Any, Any], fatal: dict[str, str]) -> str:
    if row["status"] == "refused":
        return f"refused ({row['reason']})"
    if rule := fatal.get(row["delivery_id"]):
        return f"nothing taken in ({rule})"
    understood = _understood(row)
    n = sum(standing(column) == TO_CONFIRM for column in understood)
    is_taken = row["kind"] != "export" or any(standing(column) == "taken in" for column in understood)
    said = "taken in" if is_taken else "nothing taken in"
    return f"{said}, {n} columns to confirm" if n else said


def _understood(row: Any) -> list[dict[str, Any]]:
    text = row["understood"]
    return json.loads(text) if isinstance(text, str) else []


def _number(value: Any) -> int:
    return 0 if value is None or value != value else int(value)
