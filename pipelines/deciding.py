"""What the commands have in common that record a decision of a person: who decides, asking once more, and telling the outcome.

Belongs here: the dialogue. Does not belong here: what a decision is (`mbt_rom.corrections`) and keeping it (`assets.decisions`).

A patient number may be given as `-`: it is asked for, so that it stands in no list of commands. No number is shown again.
"""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import clock
from pipelines.options import Command

if TYPE_CHECKING:
    from assets.intake import Taken
    from assets.state import State

WAIT_SECONDS = 60


def reason_option(function: Command) -> Command:
    """`--reason`, without which nothing is decided."""
    return click.option("--reason", required=True, help="Why; kept with the decision.")(function)


def programme_option(function: Command) -> Command:
    """`--programme`."""
    return click.option("--programme", "-p", required=True, help="Programme of the patient.")(function)


def state_of(home: Path, programme: str | None = None) -> State:
    """The home as it is today; wrong use where it has no such programme."""
    from assets.home import Home
    from assets.state import State

    opened = Home.open(home)
    if programme is not None and programme not in opened.settings.programmes:
        known = ", ".join(opened.settings.programmes)
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {known}")
    return State(opened, clock.today(opened.settings.timezone))


#: Where Linux keeps who logged in, whatever account a command was changed to since; and what it says of nobody.
_LOGIN, _NOBODY = Path("/proc/self/loginuid"), 2**32 - 1


def account() -> str:
    """Who this is, as the machine knows it: the account that logged in, else the one under which this runs.

    No variable of the environment can say otherwise, and two people who both act as the owner of the home stay two.
    """
    uid = _login_uid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _login_uid() -> int:
    try:
        uid = int(_LOGIN.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return os.getuid()
    return os.getuid() if uid == _NOBODY else uid


def asked_number(given: str, question: str) -> str:
    """The number as given, or as answered where `-` was given."""
    return str(click.prompt(question, err=True)) if given == "-" else given


def decide_of_two_numbers(
    home: Path, programme: str, *, kind: str, numbers: Sequence[tuple[str, str]], question: str, reason: str
) -> None:
    """Records a decision about two numbers of a programme, each given with the question that asks for it where it is `-`."""
    from assets.decisions import number_of

    state = state_of(home, programme)
    both = tuple(number_of(state, programme, asked_number(given, asked)) for given, asked in numbers)
    confirm(question)
    decide(state, programme, command=kind, kind=kind, reason=reason, numbers=both)


def confirm(question: str) -> None:
    """Asks a person at a terminal; where nobody sits, the command was the answer."""
    if os.isatty(0):
        click.confirm(question, abort=True, err=True)


def decide(state: State, folder: str, *, command: str, **what: Any) -> None:
    """Records the decision and says what became of it; exit code 1 when it was refused."""
    from assets.decisions import record
    from assets.lock import writing
    from mbt_rom.corrections import Correction

    now = clock.now()
    if not str(what["reason"]).strip():
        raise click.BadParameter("--reason must say something")
    correction = Correction(by=getpass.getuser(), at=now, **what)
    root = state.home.root
    with writing(root, who=f"rom {command}", now=now, wait_seconds=WAIT_SECONDS):
        state.reread_ledger()
        taken = record(state, folder, correction, now=now)
    click.echo(_told(taken, root))
    raise SystemExit(1 if taken.outcome == "refused" else 0)


def _told(taken: Taken, root: Path) -> str:
    from mbt_rom.findings import RULES

    if taken.outcome == "refused":
        rule = RULES[str(taken.reason)]
        return f"REFUSED ({rule.id}): {rule.sentence}. {rule.remedy}. Nothing was kept."
    short = taken.delivery_id[:12]
    return f"Recorded as {short}. Next: rom nightly --home {root}\nTo take it back: rom undo {short} --reason '...'"
