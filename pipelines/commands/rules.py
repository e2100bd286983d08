"""`rom rules`: the rules that data are held against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from mbt_rom.findings import Language
    from mbt_rom.model import Instrument


@click.command(name="rules")
@click.option("--language", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="English or Dutch.")
@click.option("--instrument", help="What the definition of this instrument asks of its forms.")
@home_option
def rules(language: Language, instrument: str | None, home: Path) -> None:
    """The rules that data are held against, with severity and remedy.

    \b
    Examples:
      rom rules
      rom rules --language nl
      rom rules --instrument phq9
    """
    if instrument is not None:
        _of_instrument(instrument, home)
        return
    from mbt_rom.findings import RULES, WORDS, consequences, rule

    words = WORDS[language]
    for severity, consequence in consequences(language).items():
        click.echo(f"{words[severity]}: {consequence}")
        for one in (rule(rule_id, language=language) for rule_id in RULES):
            if one.severity == severity:
                click.echo(f"  {one.id}\n      {one.sentence}\n      {one.remedy} ({words[one.owner]})")


def _of_instrument(name: str, home: Path) -> None:
    """Writes the checks that the definition of one instrument gives rise to. Needs no home; one may define more instruments."""
    from mbt_rom.checks_in_words import checks_of
    from mbt_rom.findings import RULES

    known = _known(home)
    if name not in known:
        raise click.BadParameter(f"no instrument '{name}'; there are {', '.join(sorted(known))}")
    click.echo(f"{known[name].name}: what its definition asks of every form")
    for rule_id, asked in checks_of(known[name]):
        severity = f" ({RULES[rule_id].severity})" if rule_id in RULES else ""
        click.echo(f"  {rule_id}{severity}\n      {asked}")


def _known(home: Path) -> dict[str, Instrument]:
    """The instruments of the home, or those of the software where there is no home."""
    from mbt_rom.registry import outcome_instruments

    if not home.is_dir():
        return dict(outcome_instruments())
    from assets.home import Home
    from assets.state import instruments_of

    return instruments_of(Home.open(home))
