"""`rom tables`: the tables there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from mbt_rom.tables import Catalogue, Table


@click.command(name="tables")
@click.argument("name", required=False)
@home_option
def tables(name: str | None, home: Path) -> None:
    """The tables there are; with a NAME, its columns and what they mean.

    \b
    Example:
      rom tables outcomes/change
    """
    from mbt_rom.registry import instruments
    from mbt_rom.tables import Catalogue

    catalogue = Catalogue(tuple(instruments().values()))
    if name is None:
        click.echo("\n".join(_listed(catalogue, home)))
        return
    if name not in catalogue.tables:
        raise click.BadParameter(f"no table '{name}'; `rom tables` lists them")
    table = catalogue[name]
    click.echo(f"{table.name}: {table.meaning}\nkey: {', '.join(table.key)}")
    click.echo("\n".join(f"  {c.name:<26} {c.dtype:<20} {c.meaning}" for c in table.columns))


def _listed(catalogue: Catalogue, home: Path) -> list[str]:
    from assets.warehouse import Warehouse

    warehouse = Warehouse(home / "warehouse")
    rows = {
        n: str(len(warehouse.read(t, columns=[t.key[0]]))) if t.tells_its_size and warehouse.has(t) else "-"
        for n, t in catalogue.tables.items()
    }
    head = f"{'table':<26} {'rows':>9}  meaning"
    return [head, *(f"{n:<26} {rows[n]:>9}  {t.meaning}{_level(t)}" for n, t in catalogue.tables.items())]


def _level(table: Table) -> str:
    return " [person-level]" if table.is_person_level else ""
