"""`rom deliveries`: what was delivered, how it was understood, and a mapping file drafted from that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    import pandas as pd


@click.group(name="deliveries", invoke_without_command=True)
@click.option("--programme", "-p", help="Only this drop folder.")
@home_option
@click.pass_context
def deliveries(ctx: click.Context, programme: str | None, home: Path) -> None:
    """What was delivered: when, by whom, which tool wrote it, how many rows. No cell of it is shown.

    \b
    Example:
      rom deliveries
      rom deliveries show 3fa2 --home rom-home
      rom deliveries draft 3fa2 -o intake.yaml
    """
    if ctx.invoked_subcommand is None:
        rows = _ledger(home)
        if programme is not None:
            rows = rows[rows["programme_id"] == programme]
        click.echo("\n".join(_told(row) for row in rows.itertuples()) or "Nothing was delivered.")


@deliveries.command(name="show")
@click.argument("delivery")
@home_option
def show(delivery: str, home: Path) -> None:
    """How every column of a delivery was understood. DELIVERY is the beginning of its id, as the list shows it."""
    from pipelines.commands.load import columns_told

    row = _one(_ledger(home), delivery)
    click.echo(_told(row))
    click.echo("\n".join(columns_told(_understood(row))))


@deliveries.command(name="draft")
@click.argument("delivery")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="FILE.yaml to write."
)
@home_option
def draft(delivery: str, output: Path, home: Path) -> None:
    """Draft a mapping file from how a delivery was understood; check it, then load the file again with it."""
    row = _one(_ledger(home), delivery)
    write_draft(_understood(row), output, file_name=str(row.file_name))


def write_draft(understood: list[dict[str, Any]], output: Path, *, file_name: str) -> None:
    """Writes the draft; UsageError where the file exists or nothing can be drafted."""
    from assets.home import write_atomically
    from mbt_rom.exports.drafting import draft as drafted
    from mbt_rom.exports.names import slug

    if output.suffix not in (".yaml", ".yml"):
        raise click.BadParameter("the ending of the draft must be .yaml")
    if output.exists():
        raise click.UsageError(f"{output} exists; choose another name")
    name = slug(output.stem)
    try:
        text = drafted(understood, name=name if name[:1].isalpha() else f"map_{name}", file_name=file_name)
    except ValueError as error:
        raise click.UsageError(
            f"{file_name}: {error}; write the mapping file yourself (docs/mapping-files.md)"
        ) from None
    write_atomically(output, f"{text}\n".encode())
    n = text.count("# confirm")
    click.echo(
        f"{output}: drafted; {n} lines are to be confirmed. Then: rom load FILE --programme P --mapping {output}"
    )


def _ledger(home: Path) -> pd.DataFrame:
    from assets.home import Home
    from assets.state import State
    from pipelines import clock

    opened = Home.open(home)
    return State(opened, clock.today(opened.settings.timezone)).ledger.sort_values("received_at", ignore_index=True)


def _one(rows: pd.DataFrame, delivery: str) -> Any:
    found = rows[rows["delivery_id"].str.startswith(delivery.casefold())].drop_duplicates("delivery_id")
    if len(found) != 1:
        said = "no delivery" if found.empty else f"{len(found)} deliveries"
        raise click.BadParameter(
            f"{said} with an id that begins so; `rom deliveries` lists them", param_hint="DELIVERY"
        )
    return next(found.itertuples())


def _understood(row: Any) -> list[dict[str, Any]]:
    import json

    return list(json.loads(row.understood)) if isinstance(row.understood, str) else []


def _told(row: Any) -> str:
    facts = [
        row.kind,
        row.dialect,
        _rows(row.n_rows),
        row.status,
        row.reason,
    ]
    known = [str(fact) for fact in facts if isinstance(fact, str)]
    by = f" by {row.received_by}" if isinstance(row.received_by, str) else ""
    return f"{row.delivery_id[:8]}  {row.received_at:%Y-%m-%d %H:%M}{by}  {row.programme_id}/{row.file_name}: {', '.join(known)}"


def _rows(n: Any) -> str | None:
    import pandas as pd

    return None if pd.isna(n) else f"{int(n):,} rows"
