"""`rom instruments`: the instruments that are known, and the records that a home can choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mbt_rom.model import Instrument


@click.command(name="instruments")
@click.argument("name", required=False)
def instruments(name: str | None) -> None:
    """The instruments that are known; with a NAME, its scales, norms and value sets by their ids.

    \b
    Example:
      rom instruments bsi
    """
    from mbt_rom import registry

    if name is None:
        for definition in registry.instruments().values():
            click.echo(
                f"{definition.id:<10} {definition.full_name} ({len(definition.items)} items): {definition.measures}"
            )
        return
    if name not in registry.instruments():
        raise click.BadParameter(f"no instrument '{name}'; there are {', '.join(registry.instruments())}")
    click.echo("\n".join(_described(registry.instrument(name))))


def _described(definition: Instrument) -> list[str]:
    from mbt_rom.registry import value_sets

    lines = [f"{definition.full_name}, edition {definition.edition}", "scales:"]
    lines += [f"  {s.id:<28} {s.label}, {s.range[0]:g} to {s.range[1]:g}, {s.direction}" for s in definition.scales]
    lines.append("records that consortium.yaml can choose under 'norms' (provisional ones are off until chosen):")
    for record in (*definition.norms, *definition.reliabilities, *definition.cutoffs):
        mark = ", provisional" if record.is_provisional else ""
        lines.append(f"  {record.id:<28} {type(record).__name__.lower()} of {record.scale} ({record.confidence}{mark})")
    lines += [f"value set {v.id:<18} {v.label}" for v in value_sets(definition.id).values()]
    return lines
