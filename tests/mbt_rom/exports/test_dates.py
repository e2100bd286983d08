"""Dates: how they are written, and what is never guessed."""

from __future__ import annotations

import pandas as pd
import pytest

from mbt_rom.exports.dates import birth_years, order_of, read_dates, read_times

ZONE = "Europe/Amsterdam"


def read(*texts: str, **more: object) -> list[str]:
    """Per text its date, or the rule that it broke, or '' for neither."""
    reading = read_dates(pd.Series(list(texts), dtype="str"), timezone=ZONE, **more)  # type: ignore[arg-type]
    dates = reading.dates.dt.strftime("%Y-%m-%d")
    return list(dates.fillna(reading.problems).fillna(""))


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("2026-01-31", "2026-01-31"),
        ("2026/1/31", "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("2026-01-31 23:59:59", "2026-01-31"),
        ("2026-01-31T23:30:00.123Z", "2026-02-01"),  # half past midnight in Amsterdam
        ("2026-07-01T23:30:00+02:00", "2026-07-01"),
        ("31-01-2026", "2026-01-31"),
        ("1-2-2026", "2026-02-01"),
        ("01.02.2026 13:45", "2026-02-01"),
        ("31/01/2026", "2026-01-31"),
        ("5 mei 2024", "2024-05-05"),
        ("05-Mar-2024", "2024-03-05"),
        ("29-02-2024", "2024-02-29"),
        ("29-02-2023", "date_unreadable"),
        ("31-04-2023", "date_unreadable"),
        ("01-02-26", "date_unreadable"),
        ("45000", "date_unreadable"),
        ("soon", "date_unreadable"),
        ("01/02/2026", "date_ambiguous"),
        ("", ""),
        ("NA", ""),
    ],
)
def test_one_date(written: str, date: str) -> None:
    assert read(written) == [date]


def test_one_date_decides_for_a_column_with_slashes() -> None:
    assert read("01/02/2026", "25/12/2025") == ["2026-02-01", "2025-12-25"]
    assert read("01/02/2026", "12/25/2025") == ["2026-01-02", "2025-12-25"]


def test_month_first_evidence_overrules_the_custom_for_dashes() -> None:
    assert read("01-02-2026", "12-25-2025") == ["2026-01-02", "2025-12-25"]


def test_contradicting_dates_leave_the_column_unreadable() -> None:
    assert read("01/02/2026", "25/12/2025", "12/25/2025") == ["date_ambiguous"] * 3
    assert order_of(pd.Series(["25-12-2025", "12-25-2025"]), "-") == "unknown"


def test_stated_format_decides() -> None:
    assert read("01/02/2026", format="dd/mm/yyyy") == ["2026-02-01"]
    assert read("01/02/2026", format="mm/dd/yyyy") == ["2026-01-02"]
    assert read("01/02/26", format="%d/%m/%y") == ["2026-02-01"]
    assert read("13/13/2026", format="dd/mm/yyyy") == ["date_unreadable"]


def test_serial_numbers_are_days_in_workbooks_only() -> None:
    # LibreOffice shows 45000 as 2023-03-15, and 45000.75 as 18:00 of that day
    assert read("45000", "45000.75", has_serials=True) == ["2023-03-15", "2023-03-15"]
    assert read("123", "1001", has_serials=True) == ["date_unreadable"] * 2


def test_times_of_the_clock_change_are_read() -> None:
    # 2026-10-25 02:30 occurs twice in Amsterdam: the first (summer time) is taken; 2026-03-29 02:30 does not exist
    times = read_times(pd.Series(["2026-10-25 02:30", "2026-03-29 02:30", "x"]), timezone=ZONE)
    assert str(times[0]) == "2026-10-25 00:30:00+00:00"
    assert times.notna().tolist() == [True, True, False]


def test_years_of_birth() -> None:
    reading = birth_years(pd.Series(["1990", "1990.0", "31-12-1985", "old", ""]), timezone=ZONE)
    assert reading.dates.astype("str").tolist()[:3] == ["1990", "1990", "1985"]
    assert reading.dates.isna().tolist() == [False, False, False, True, True]
    assert reading.problems.notna().tolist() == [False, False, False, True, False]
