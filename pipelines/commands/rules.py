"""`rom rules`: the rules that data are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mbt_rom.findings import Language


@click.command(name="rules")
@click.option("--language", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="English or Dutch.")
def rules(language: Language) -> None:
    """The rules that data are held against, with severity and remedy.

    \b
    Examples:
      rom rules
      rom rules --language nl
    """
    from mbt_rom.findings import RULES, WORDS, consequences, rule

    words = WORDS[language]
    for severity, consequence in consequences(language).items():
        click.echo(f"{words[severity]}: {consequence}")
        for one in (rule(rule_id, language=language) for rule_id in RULES):
            if one.severity == severity:
                click.echo(f"  {one.id}\n      {one.sentence}\n      {one.remedy} ({words[one.owner]})")
