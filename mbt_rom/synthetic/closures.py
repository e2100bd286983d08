"""The weeks in which every synthetic programme is closed: two in August and two around Christmas.

Belongs here: these dates. Does not belong here: what a closure means for due dates and weeks (`mbt_rom.schedule`).
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from mbt_rom.days import Days
from mbt_rom.synthetic.patients import YEARS_BACK

_FORTNIGHT = 13


def closures(as_of: date) -> list[tuple[date, date]]:
    """First and last day of every closure from the first year of the demo to the next one: Monday to the Sunday after next.

    >>> closures(date(2026, 11, 22))[-2:]
    [(datetime.date(2027, 8, 2), datetime.date(2027, 8, 15)), (datetime.date(2027, 12, 20), datetime.date(2028, 1, 2))]
    """
    made = []
    for year in range(as_of.year - YEARS_BACK - 1, as_of.year + 2):
        for first in (_monday_from(date(year, 8, 1)), _monday_from(date(year, 12, 19))):
            made.append((first, first + timedelta(days=_FORTNIGHT)))
    return made


def is_closed(days: Days, as_of: date) -> npt.NDArray[np.bool_]:
    """Which of the days lie in a closure."""
    first, last = (np.array(ends, dtype="datetime64[D]") for ends in zip(*closures(as_of), strict=True))
    at = np.searchsorted(first, days, side="right") - 1
    return np.asarray((at >= 0) & (days <= last[np.maximum(at, 0)]))


def _monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)
