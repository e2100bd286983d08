"""`rom undo`: take back a decision."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import confirm, decide, reason_option, state_of
from pipelines.options import home_option


@click.command(name="undo")
@click.argument("decision")
@reason_option
@home_option
def undo(decision: str, reason: str, home: Path) -> None:
    """Take back a decision: DECISION is its id, or the beginning of it. An undoing can be undone as well.

    \b
    Example:
      rom undo 7be01a --reason "the first number was right after all"
    """
    from assets.decisions import decision_of

    state = state_of(home)
    folder, found = decision_of(state, decision)
    confirm(f"Take back decision {found[:12]} of {folder}?")
    decide(state, folder, command="undo", kind="undo", reason=reason, undoes=found)
