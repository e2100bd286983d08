"""`rom rules`: the rules that data are held against."""

from __future__ import annotations

import click


@click.command(name="rules")
def rules() -> None:
    """The rules that data are held against, with severity and remedy.

    \b
    Example:
      rom rules
    """
    from mbt_rom.findings import CONSEQUENCES, RULES

    for severity, consequence in CONSEQUENCES.items():
        click.echo(f"{severity}: {consequence}")
        for rule in RULES.values():
            if rule.severity == severity:
                click.echo(f"  {rule.id}\n      {rule.sentence}\n      {rule.remedy} ({rule.owner.replace('_', ' ')})")
