"""Workbooks and SPSS files, read by `foreign` in a process of its own: bytes in, grids out.

Belongs here: starting that process, limiting it, and grids from what it says. Does not belong here: calling the libraries.

Why apart: they are written in C and Rust, and a damaged file makes them crash, abort, or take all memory, and so would end the
night's run; here that is the refusal of one file. They also print to the error stream what they trip over, and that may be an
answer of a patient: that stream goes nowhere. The process is handed the bytes in memory, so that patients' data never lie in a
file that somebody else may open or that stays behind, and it gets no part of the surroundings that may hold a key.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from mbt_rom.exports import foreign
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.foreign import Limits
from mbt_rom.exports.sheets import ColumnFacts, Grid

#: An honest export stays far below these.
LIMITS = Limits(cells=60_000_000, characters=1 << 29, memory=3 << 30, seconds=300)
#: A small file needs less; a damaged one takes what it is given.
_MEMORY_OF_SMALL = 1 << 30
_MEMORY_PER_BYTE = 40
_SURROUNDINGS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_NEVER_CAME_BACK = "the file is damaged, or unpacks to more than can be read; open it and save it again"


@dataclass
class _Sheet:
    name: str | None
    columns: list[str] | None = None
    facts: tuple[ColumnFacts, ...] = ()
    encoding: str | None = None
    blocks: list[pa.Table] = field(default_factory=list)


def read_apart(
    data: bytes, kind: Literal["workbook", "sav", "por"], *, dialect: str, limits: Limits = LIMITS
) -> list[Grid]:
    """The sheets of a workbook, or the cases of an SPSS file below a header of their variables.

    Raises `ExportError` file_unreadable, file_unpacks_too_large.
    """
    sheets: list[_Sheet] = []
    for line in _answered(data, kind, limits).splitlines():
        _take(json.loads(line), sheets)
    return [_grid(i, sheet, dialect) for i, sheet in enumerate(sheets, start=1)]


def _answered(data: bytes, kind: str, limits: Limits) -> bytes:
    memory = min(limits.memory, _MEMORY_OF_SMALL + _MEMORY_PER_BYTE * len(data))
    numbers = (limits.cells, limits.characters, memory, limits.seconds)
    command = [sys.executable, "-I", str(Path(foreign.__file__)), kind, *map(str, numbers)]
    surroundings = {"OPENBLAS_NUM_THREADS": "1"} | {
        name: os.environ[name] for name in _SURROUNDINGS if name in os.environ
    }
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=surroundings,
            timeout=2 * limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ExportError("file_unreadable", f"reading it did not end within {2 * limits.seconds} seconds") from None
    if done.returncode != 0 or not done.stdout.endswith(b'{"end":true}\n'):
        raise ExportError("file_unreadable", _NEVER_CAME_BACK)
    return done.stdout


def _take(said: Mapping[str, Any], sheets: list[_Sheet]) -> None:
    """One line of the answer."""
    if "refused" in said:
        raise ExportError(str(said["refused"]), str(said["detail"]))
    if "sheet" in said:
        facts = tuple(ColumnFacts(text=fact["text"], answers=fact["answers"]) for fact in said.get("facts", ()))
        sheets.append(_Sheet(said["sheet"], said.get("columns"), facts, said.get("encoding")))
    elif "rows" in said:
        sheets[-1].blocks.append(_table(said["columns"]))


def _table(columns: Sequence[Sequence[str]]) -> pa.Table:
    return pa.table(
        [pa.array(column, type=pa.string()) for column in columns], names=[str(i) for i in range(len(columns))]
    )


def _grid(number: int, sheet: _Sheet, dialect: str) -> Grid:
    blocks = sheet.blocks if sheet.columns is None else [_table([[name] for name in sheet.columns]), *sheet.blocks]
    cells = pa.concat_tables(blocks).to_pandas() if blocks else pd.DataFrame(dtype="str")
    cells.columns = pd.RangeIndex(cells.shape[1])
    return Grid(
        number=number,
        name=sheet.name,
        cells=cells.astype("str"),
        rows=np.arange(1, len(cells) + 1, dtype=np.int32),
        n_cells=np.full(len(cells), cells.shape[1], dtype=np.int32),
        dialect=dialect,
        encoding=sheet.encoding,
        header=None if sheet.columns is None else 0,
        facts=sheet.facts,
        has_serials=sheet.columns is None,
    )
