"""Dates as whole days, for arithmetic on columns.

Belongs here: the one way from a column of dates to numpy's days and their numbers. Does not belong here: months (`schedule`), working
days (`due`), time zones (`alerts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Days = npt.NDArray[np.datetime64]


def days_of(dates: pd.Series) -> Days:
    """The days of a column of dates (datetime64[D], one per row); missing ones are NaT.

    >>> import pandas as pd
    >>> days_of(pd.to_datetime(pd.Series(["2026-03-01 15:30", None]))).astype(str).tolist()
    ['2026-03-01', 'NaT']
    """
    return np.asarray(dates.to_numpy(dtype="datetime64[s]").astype("datetime64[D]"))


def day_numbers(dates: pd.Series) -> npt.NDArray[np.int64]:
    """The same as whole numbers of days since 1 January 1970; a missing date is the lowest number there is.

    >>> import pandas as pd
    >>> day_numbers(pd.to_datetime(pd.Series(["1970-01-02", "1969-12-31"]))).tolist()
    [1, -1]
    """
    return days_of(dates).astype(np.int64)
