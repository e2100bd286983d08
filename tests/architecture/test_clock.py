"""Nothing reads the clock but `pipelines/clock.py`: everything else is told what day it is, so any night can be replayed."""

from __future__ import annotations

import ast
from typing import Any

import pytest

CLOCK = "pipelines/clock.py"
CLASSES = {"datetime", "date", "Timestamp", "dt"}
METHODS = {"now", "utcnow", "today"}
TIME = {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime"}


def _reads_clock(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        owner = ast.unparse(node.value).split(".")[-1]
        return (owner in CLASSES and node.attr in METHODS) or (ast.unparse(node.value) == "time" and node.attr in TIME)
    if isinstance(node, ast.ImportFrom) and node.module == "time":
        return any(alias.name in TIME for alias in node.names)
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        maker = ast.unparse(node.func).split(".")[-1]
        return maker in {"datetime64", "Timestamp", "to_datetime"} and node.args[0].value in {"now", "today"}
    return False


def _lines(tree: ast.AST) -> list[int]:
    return sorted({node.lineno for node in ast.walk(tree) if _reads_clock(node)})  # type: ignore[attr-defined]


def test_only_the_clock_reads_the_clock(sources: list[Any]) -> None:
    readers = {source.path: lines for source in sources if (lines := _lines(source.tree)) and source.path != CLOCK}
    assert readers == {}


def test_the_clock_does_read_it(sources: list[Any]) -> None:
    assert [source.path for source in sources if source.path == CLOCK and _lines(source.tree)] == [CLOCK]


@pytest.mark.parametrize(
    "code",
    [
        "datetime.now()",
        "datetime.datetime.now(tz=utc)",
        "dt.date.today()",
        "Field(default_factory=date.today)",
        "pd.Timestamp.now()",
        "pd.Timestamp('now')",
        "np.datetime64('today')",
        "time.time()",
        "from time import time",
        "time.strftime('%Y')",
    ],
)
def test_every_way_of_asking_the_time_is_recognised(code: str) -> None:
    assert _lines(ast.parse(code)) == [1]


@pytest.mark.parametrize("code", ["clock.now()", "time.monotonic()", "time.sleep(1)", "pd.Timestamp('2026-01-01')"])
def test_what_does_not_ask_the_time_is_let_through(code: str) -> None:
    assert _lines(ast.parse(code)) == []
