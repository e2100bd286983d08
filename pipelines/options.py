"""Options and habits that commands share: which home, which date, progress on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULT_HOME = "rom-home"


def home_option(function: Command) -> Command:
    """`--home`, from the environment variable ROM_HOME or `./rom-home`."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="ROM_HOME",
        default=DEFAULT_HOME,
        show_default=True,
        help="Folder of the home.",
    )(function)


class Date(click.ParamType):
    """A date written YYYY-MM-DD."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The date, or a message that says how to write one."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007  a date has no time zone
        except ValueError:
            self.fail(f"'{value}' is not a date; write it as 2026-11-22", param, ctx)


def progress(message: str) -> None:
    """Tells a person at a terminal what is going on; nothing in logs and pipes."""
    if sys.stderr.isatty():
        click.echo(f"  {message}", err=True)
