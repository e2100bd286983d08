"""Looking through cells for what must not be there: citizen numbers, free text, cells that look like formulas.

Belongs here: telling that something is there and where. Does not belong here: the cells' contents, which never leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports.dates import is_date_like
from mbt_rom.pseudonyms import holds_citizen_number, is_blank, is_citizen_number

Flags = npt.NDArray[np.bool_]
#: A column counts as one of citizen numbers when at least this share of its filled cells pass the test ...
CITIZEN_SHARE = 0.5
#: ... and, outside the column of patient numbers, at least this many do.
CITIZEN_CELLS = 3
_FORMULA = re.compile(r"\s*[=+@]")
_NUMBER = re.compile(r"[-+]?[\d.,\s]+(?:[eE][-+]?\d+)?%?")


def is_citizen_column(column: pd.Series, *, at_least: int) -> bool:
    """True when most filled cells of the column are Dutch citizen numbers. Chance alone gives one nine-digit in eleven."""
    n_passing = int(_cells(column, is_citizen_number).sum())
    if n_passing < at_least:
        return False
    return n_passing >= CITIZEN_SHARE * int((~_cells(column, is_blank)).sum())


def citizen_cells(column: pd.Series) -> Flags:
    """Which cells hold nine digits, anywhere in their text, that pass the test."""
    return _cells(column, holds_citizen_number)


def formula_cells(column: pd.Series) -> Flags:
    """Which cells begin with =, + or @."""
    return _cells(column, lambda text: bool(_FORMULA.match(text)))


def _cells(column: pd.Series, is_so: Callable[[str], bool]) -> Flags:
    """Which cells are so. Each different text is asked once, and in most columns none is: then no cell is looked at again."""
    found = [text for text in column.unique() if is_so(text if isinstance(text, str) else "")]
    return column.isin(found).to_numpy(dtype=bool) if found else np.zeros(len(column), dtype=bool)


def holds_text(column: pd.Series) -> bool:
    """True when some cell is neither empty nor a number nor a date: then it may be free text.

    >>> holds_text(pd.Series(["1,5", "", "2026-01-31"])), holds_text(pd.Series(["1", "see letter"]))
    (False, True)
    """
    return any(_is_text(str(text)) for text in column.unique())


def _is_text(text: str) -> bool:
    return not (is_blank(text) or _NUMBER.fullmatch(text.strip()) or is_date_like(text))
