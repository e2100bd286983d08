"""`rom unlink`: two numbers that are two persons after all."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import asked_number, confirm, decide, programme_option, reason_option, state_of
from pipelines.options import home_option


@click.command(name="unlink")
@click.argument("first")
@click.argument("second")
@reason_option
@programme_option
@home_option
def unlink(first: str, second: str, reason: str, programme: str, home: Path) -> None:
    """Take back a link between two numbers, in whichever order they are named. - asks for a number.

    \b
    Example:
      rom unlink - - --reason "they were two people" -p our_programme
    """
    from assets.decisions import number_of

    state = state_of(home, programme)
    numbers = tuple(
        number_of(state, programme, asked_number(given, question))
        for given, question in ((first, "One number"), (second, "The other number"))
    )
    confirm(f"Count what stands under these two numbers in {programme} as two persons?")
    decide(state, programme, command="unlink", kind="unlink", reason=reason, numbers=numbers)
