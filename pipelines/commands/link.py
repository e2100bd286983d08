"""`rom link`: one person with two numbers."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import asked_number, confirm, decide, programme_option, reason_option, state_of
from pipelines.options import home_option


@click.command(name="link")
@click.argument("first")
@click.argument("second")
@reason_option
@programme_option
@home_option
def link(first: str, second: str, reason: str, programme: str, home: Path) -> None:
    """Say that two numbers are one person: what stands under FIRST counts for SECOND. - asks for a number.

    Numbers of one programme are linked, in its own files and in shared ones. `rom unlink` and `rom undo` take it back.

    \b
    Example:
      rom link - - --reason "a new number after the merger of two hospitals" -p our_programme
    """
    from assets.decisions import number_of

    state = state_of(home, programme)
    numbers = tuple(
        number_of(state, programme, asked_number(given, question))
        for given, question in ((first, "Number that goes"), (second, "Number that stays"))
    )
    confirm(f"Count what stands under these two numbers in {programme} as one person?")
    decide(state, programme, command="link", kind="link", reason=reason, numbers=numbers)
