"""The command line `rom`: which commands there are, and how they end.

Belongs here: the list of commands, loading one when it is called, exit codes, and what an error looks like. Does not belong
here: what a command does (`pipelines.commands`). This module imports nothing heavy, so that `rom --help` answers at once.

Exit codes: 0 done; 1 the data need attention (the message says what); 2 wrong use, or a home or settings that cannot be used.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

#: Name of every command -> what it does, in the words of `rom --help`. Its module is `pipelines.commands.<name>`.
COMMANDS = {
    "init": "Make a new home with a commented consortium.yaml.",
    "demo": "Make a home with a synthetic consortium in its inbox.",
    "load": "Take in an export; says how every column was understood.",
    "deliveries": "What was delivered and how it was understood; drafts a mapping file.",
    "template": "Write a workbook for typing in forms from paper, or a register.",
    "compare": "Where two entries of the same paper forms differ.",
    "nightly": "Run everything that changed, end to end.",
    "findings": "What is wrong in the data, and how to mend it.",
    "move": "Give a form to the right patient.",
    "link": "Say that two numbers are one person.",
    "unlink": "Say that two numbers are two persons.",
    "undo": "Take back a decision.",
    "decisions": "What people decided about delivered data.",
    "alerts": "Risk answers of one programme, for its treating team.",
    "score": "Score any wide file of items; needs no home.",
    "change": "Reliable change for any two-wave file; needs no home.",
    "tables": "The tables there are.",
    "export": "Write a table to files.",
    "rules": "The rules that data are held against.",
    "instruments": "The instruments that are known.",
    "doctor": "Say whether the home is in order.",
}
#: Errors whose message was written for the user: class name -> exit code. Names, so that nothing need be imported.
_EXPECTED = {
    "HomeError": 2,
    "SettingsError": 2,
    "DefinitionError": 2,
    "MappingError": 2,
    "LockedError": 2,
    "DecisionError": 2,
    "ArchiveError": 1,
    "InvariantError": 1,
}
CRASHED = 1


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"pipelines.commands.{cmd_name}")
        found: Any = getattr(module, cmd_name, None) or module.command
        return found if isinstance(found, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _show_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted:
        from assets.software import version

        click.echo(f"rom, version {version()}")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--home", type=click.Path(path_type=Path), help="Folder of the home (default ./rom-home or $ROM_HOME).")
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def rom(home: Path | None) -> None:
    """Routine outcome monitoring for programmes of Mentalization-Based Treatment.

    \b
    Example:
      rom demo && rom nightly && rom findings
    """
    if home is not None:
        os.environ["ROM_HOME"] = str(home)


def main(arguments: list[str] | None = None) -> None:
    """Runs the command and leaves with its exit code. No error shows a traceback or anything out of the data."""
    try:
        rom.main(args=arguments, prog_name="rom", standalone_mode=True)
    except Exception as error:
        sys.exit(_told(error))


def _told(error: Exception) -> int:
    code = _EXPECTED.get(type(error).__name__)
    if code is not None:
        click.echo(f"Error: {error}", err=True)
        return code
    from assets.failures import place

    click.echo(
        f"Error: something went wrong in MBT-ROM itself ({place(error)}). Nothing of your data is shown here; "
        "please report this line. What was finished is kept; running the command again does the rest.",
        err=True,
    )
    return CRASHED


if __name__ == "__main__":
    main()
