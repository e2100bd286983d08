"""`rom link`: one person with two numbers."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import decide_of_two_numbers, programme_option, reason_option
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
    decide_of_two_numbers(
        home,
        programme,
        kind="link",
        numbers=[(first, "Number that goes"), (second, "Number that stays")],
        question=f"Count what stands under these two numbers in {programme} as one person?",
        reason=reason,
    )
