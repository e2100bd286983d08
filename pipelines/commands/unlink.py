"""`rom unlink`: two numbers that are two persons after all."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import decide_of_two_numbers, programme_option, reason_option
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
    decide_of_two_numbers(
        home,
        programme,
        kind="unlink",
        numbers=[(first, "One number"), (second, "The other number")],
        question=f"Count what stands under these two numbers in {programme} as two persons?",
        reason=reason,
    )
