"""What may be told of an error: its kind and its place in the code, never its message, which may hold an answer or a name.

Belongs here: making errors free of values before they reach Dagster's storage, a log or the terminal.
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import pandas as pd

from assets.archive import ArchiveError
from assets.warehouse import InvariantError

_OURS = ("mbt_rom", "expectations", "dashboards", "assets", "pipelines")
_ROOT = Path(__file__).resolve().parents[1]
#: Errors whose messages hold counts and names of tables only.
_VALUE_FREE = (ArchiveError, InvariantError)

P = ParamSpec("P")
R = TypeVar("R")


class ComputationError(Exception):
    """Something went wrong while a table was computed; the message names kind and place."""


def refuse(wrong: pd.Series, what: str) -> None:
    """Raises `InvariantError` with the number of wrong rows, so that a table which cannot be right is never stored."""
    if n := int(wrong.sum()):
        raise InvariantError(f"{n} {what}")


def place(error: BaseException) -> str:
    """Kind of the error and the innermost line of our own code that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if _relative(f.filename)]
    last = ours[-1] if ours else (frames[-1] if frames else None)
    where = f", {_relative(last.filename) or Path(last.filename).name} line {last.lineno}" if last else ""
    return f"{type(error).__name__}{where}"


def _relative(file_name: str) -> str | None:
    try:
        path = Path(file_name).resolve().relative_to(_ROOT)
    except ValueError:
        return None
    return path.as_posix() if path.parts[0] in _OURS else None


def value_free(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose errors tell their kind and place only and keep no trace of the original."""

    @functools.wraps(function)
    def call(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(*arguments, **named)
        except Exception as error:
            told = f"{place(error)}: {error}" if isinstance(error, _VALUE_FREE) else place(error)
        raise ComputationError(told)  # outside of the handler: it carries no context

    return call
