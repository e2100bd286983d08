"""`rom plan`: what every programme asks for and when, before anybody is treated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mbt_rom.model import Instrument
    from mbt_rom.settings import Consortium

_MARKS = {"required": "X", "desired": "(X)"}


@click.command(name="plan")
@click.option("--programme", "-p", help="Only this programme.")
@home_option
def plan(programme: str | None, home: Path) -> None:
    """The measurement plan: instruments by moments, X required and (X) desired, with windows and minutes.

    \b
    Examples:
      rom plan
      rom plan -p our_programme
    """
    from assets.home import Home
    from pipelines.own_instruments import every_instrument

    settings = Home.open(home).settings
    if programme is not None and programme not in settings.programmes:
        known = ", ".join(settings.programmes)
        raise click.BadParameter(f"no programme '{programme}'; there are {known}", param_hint="--programme")
    definitions = every_instrument(home)
    chosen = [programme] if programme is not None else list(settings.programmes)
    for number, name in enumerate(chosen):
        if number:
            click.echo()
        for line in _described(name, settings, definitions):
            click.echo(line.rstrip())


def _described(name: str, settings: Consortium, definitions: Mapping[str, Instrument]) -> Iterator[str]:
    from dashboards.wording import ANCHORS
    from mbt_rom.plans import month_of, plan_of, window_of

    programme, windows = settings.programmes[name], settings.windows_of(name)
    asked = plan_of(name, settings=settings, definitions=definitions)
    yield f"{programme.name} ({name}): plan {programme.plan}; month 0 is the {ANCHORS[programme.anchor]}"
    yield from _aligned(_rows(asked.asks, asked.moments, definitions))
    yield "X required, (X) desired. Minutes are for one form; ~ is our estimate from its length, - is stated by nobody."
    kinds = dict.fromkeys("month" if month_of(m) else m for m in asked.moments)
    told = "; ".join(_window(kind, *window_of(kind, windows)) for kind in kinds)
    yield f"Windows in days around the due date (ours: the manual prints none): {told}"
    unasked = [i for i in programme.instruments if i not in asked.asks and i not in programme.weekly]
    if unasked:
        yield f"Listed and not asked by this plan: {', '.join(unasked)}; their forms are kept as unscheduled"
    if programme.weekly:
        yield f"Every week of treatment: {', '.join(programme.weekly)}"
    for closure in programme.closures:
        yield f"Closed from {closure.from_on} until {closure.until_on}"


def _window(moment: str, before: int, after: int) -> str:
    name = {"month": "other months", "rebaseline": "re-baseline", "end": "end of treatment"}.get(moment, moment)
    return f"{name} {before:+d} to {after:+d}".replace("+0", "0")


def _rows(
    asks: Mapping[str, Mapping[str, str]], moments: tuple[str, ...], definitions: Mapping[str, Instrument]
) -> list[list[str]]:
    rows = [["instrument", *moments, "minutes"]]
    for name, asked in asks.items():
        minutes = _minutes(definitions[name]) if name in definitions else "-"
        rows.append([name, *(_MARKS.get(asked.get(m, ""), "") for m in moments), minutes])
    return rows


def _minutes(definition: Instrument) -> str:
    from mbt_rom.due import minutes_of

    minutes, is_estimated = minutes_of(definition)
    return "-" if minutes is None else f"~{minutes}" if is_estimated else str(minutes)


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        first, *others = zip(row, widths, strict=True)
        yield "  ".join([f"{first[0]:<{first[1]}}", *(f"{text:^{width}}" for text, width in others)])
