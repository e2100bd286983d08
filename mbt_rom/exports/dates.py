"""Date and time cells of exports: text in, dates out, with the rule that a cell broke.

Belongs here: the ways in which dates are written. Does not belong here: whether a date is plausible (`expectations`).

Understood without being told: 2026-01-31 (also with a time, a time zone, as 20260131 or 2026/01/31), 31-01-2026 and
31.01.2026 (day first: the custom in this region), 31 jan 2026, and in workbooks the serial number of a day. A date with
slashes says nothing about its order: where some date of the column has a part over 12, that decides for the column; where
none has, or where they contradict each other, the cells are unreadable until a mapping states the format. The same
evidence overrules the custom for dashes. Two-digit years are never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.pseudonyms import is_blank

Order = Literal["day_first", "month_first", "unknown"]
UNREADABLE = "date_unreadable"
AMBIGUOUS = "date_ambiguous"
_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})")
_PARTS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?)?")
_NAMED = re.compile(r"(\d{1,2})[-. ]*([a-zé]{3,9})\.?[-. ,]*(\d{4})", re.IGNORECASE)
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?")
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  dates of a workbook have no zone
#: 1927 to 2119: other five-digit numbers are no serial numbers of a day.
_SERIALS = range(10_000, 80_001)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januari", "feb february februari", "mar mrt march maart", "apr april", "may mei",
            "jun june juni", "jul july juli", "aug august augustus", "sep sept september", "oct okt october oktober",
            "nov november", "dec december",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_TOKENS = (
    ("yyyy", "%Y"), ("jjjj", "%Y"), ("mm", "%m"), ("dd", "%d"), ("yy", "%y"), ("jj", "%y"), ("hh:%m", "%H:%M"),
    (":ss", ":%S"), ("hh", "%H"), ("uu", "%H"),
)  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """What a column of dates was read as, and per row the rule that its cell broke (missing where it broke none)."""

    dates: pd.Series
    problems: pd.Series


def read_dates(raw: pd.Series, *, timezone: str, format: str | None = None, has_serials: bool = False) -> Reading:
    """`dates` (datetime64[s], midnight) and `problems` (missing, date_unreadable or date_ambiguous) of text cells.

    Blank cells are missing without a problem. A time with a zone counts on the day it was in `timezone`.

    >>> reading = read_dates(pd.Series(["31/01/2026", "02/03/2026", "", "soon"]), timezone="Europe/Amsterdam")
    >>> [str(d.date()) if pd.notna(d) else None for d in reading.dates]
    ['2026-01-31', '2026-03-02', None, None]
    >>> list(reading.problems)
    [nan, nan, nan, 'date_unreadable']
    """
    codes, read = _read(raw, timezone=timezone, format=format, has_serials=has_serials)
    days = [r.replace(tzinfo=None).date() if isinstance(r, datetime) else None for r in read]
    problems = pd.Series([r if isinstance(r, str) else None for r in read], dtype="str")
    dates = pd.to_datetime(pd.Series(days, dtype="object"), errors="coerce").astype("datetime64[s]")
    return Reading(dates.take(codes).set_axis(raw.index), problems.take(codes).set_axis(raw.index))


def read_times(raw: pd.Series, *, timezone: str, format: str | None = None, has_serials: bool = False) -> pd.Series:
    """Moments in time (datetime64[us, UTC]) of text cells; unreadable is missing. Without a zone it is local time.

    >>> str(read_times(pd.Series(["2026-07-01 12:00"]), timezone="Europe/Amsterdam")[0])
    '2026-07-01 10:00:00+00:00'
    """
    codes, read = _read(raw, timezone=timezone, format=format, has_serials=has_serials)
    utc = pd.Series([r.astimezone(UTC) if isinstance(r, datetime) else None for r in read], dtype="object")
    times = pd.to_datetime(utc, utc=True, errors="coerce").astype("datetime64[us, UTC]")
    return times.take(codes).set_axis(raw.index)


def _read(
    raw: pd.Series, *, timezone: str, format: str | None, has_serials: bool
) -> tuple[npt.NDArray[np.int64], list[datetime | str | None]]:
    """Code of each row, and for each code what its text was read as: a time in its zone, a rule, or nothing."""
    zone = ZoneInfo(timezone)
    codes, unique = pd.factorize(raw.fillna(""))
    texts = [str(text) for text in unique]
    if format is not None:
        pattern = strptime_format(format)
        return codes, [_declared(text, pattern, zone) for text in texts]
    orders = {sign: order_of(raw, sign) for sign in "/-."}
    return codes, [_detected(text, orders, zone, has_serials) for text in texts]


def strptime_format(written: str) -> str:
    """A format in the letters of spreadsheets as one of Python's; one with '%' is taken as it is.

    >>> strptime_format("dd/mm/yyyy"), strptime_format("%m/%d/%Y")
    ('%d/%m/%Y', '%m/%d/%Y')
    """
    if "%" in written:
        return written
    pattern = written.casefold()
    for token, directive in _TOKENS:
        pattern = pattern.replace(token, directive)
    return pattern


def order_of(raw: pd.Series, sign: str) -> Order:
    """Which part of the dates written with this sign is the day, as far as the column itself proves it.

    >>> order_of(pd.Series(["01/31/2026", "02/03/2026"]), "/"), order_of(pd.Series(["02/03/2026"]), "/")
    ('month_first', 'unknown')
    """
    found = [m for text in raw.dropna().unique() if (m := _PARTS.fullmatch(str(text).strip())) and m.group(2) == sign]
    day_first = any(int(m.group(1)) > 12 for m in found)
    month_first = any(int(m.group(3)) > 12 for m in found)
    if day_first == month_first:
        return "unknown" if sign == "/" or day_first else "day_first"
    return "day_first" if day_first else "month_first"


def _declared(text: str, pattern: str, zone: ZoneInfo) -> datetime | str | None:
    if is_blank(text):
        return None
    try:
        read = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007  the zone follows
    except (ValueError, OverflowError):
        return _detected_iso(text.strip(), zone) or UNREADABLE
    return read if read.tzinfo else read.replace(tzinfo=zone)


def _detected(text: str, orders: dict[str, Order], zone: ZoneInfo, has_serials: bool) -> datetime | str | None:
    if is_blank(text):
        return None
    text = text.strip()
    if found := _PARTS.fullmatch(text):
        return _in_order(found, orders[found.group(2)], zone)
    read = _detected_iso(text, zone) or _detected_named(text, zone)
    if read is None and has_serials:
        read = _serial(text, zone)
    return read or UNREADABLE


def _in_order(found: re.Match[str], order: Order, zone: ZoneInfo) -> datetime | str:
    if order == "unknown":
        return AMBIGUOUS
    first, second, year = int(found.group(1)), int(found.group(3)), int(found.group(4))
    day, month = (first, second) if order == "day_first" else (second, first)
    return _built(zone, year, month, day, *(int(part or 0) for part in found.groups()[4:7])) or UNREADABLE


def _detected_iso(text: str, zone: ZoneInfo) -> datetime | None:
    if compact := _COMPACT.fullmatch(text):
        return _built(zone, *(int(part) for part in compact.groups()))
    if found := _ISO.fullmatch(text):
        read = _built(zone, *(int(part or 0) for part in found.groups()[:6]))
        return _shifted(read, found.group(7), zone) if read and found.group(7) else read
    return None


def _shifted(read: datetime, written_zone: str, zone: ZoneInfo) -> datetime | None:
    try:
        offset = datetime.strptime(written_zone.replace("Z", "+0000"), "%z").tzinfo
        return read.replace(tzinfo=offset).astimezone(zone)
    except (ValueError, OverflowError):
        return None


def _detected_named(text: str, zone: ZoneInfo) -> datetime | None:
    if (found := _NAMED.fullmatch(text)) and (month := _MONTHS.get(found.group(2).casefold())):
        return _built(zone, int(found.group(3)), month, int(found.group(1)))
    return None


def _serial(text: str, zone: ZoneInfo) -> datetime | None:
    found = _SERIAL.fullmatch(text)
    if found is None or int(found.group(1)) not in _SERIALS:
        return None
    fraction = float(f"0.{found.group(2) or 0}")
    return (_EXCEL_EPOCH + timedelta(days=int(found.group(1)), seconds=round(86_400 * fraction))).replace(tzinfo=zone)


def _built(zone: ZoneInfo, *parts: int) -> datetime | None:
    if not 1800 <= parts[0] <= 2200:
        return None
    try:
        return datetime(parts[0], *parts[1:], tzinfo=zone)  # type: ignore[arg-type,misc]
    except ValueError:
        return None


def birth_years(raw: pd.Series, *, timezone: str, format: str | None = None, has_serials: bool = False) -> Reading:
    """Years of birth from cells that hold a year or a date of birth; `dates` holds the year as Int16 here.

    >>> list(birth_years(pd.Series(["1990", "31-01-1985", ""]), timezone="UTC").dates.astype("str"))
    ['1990', '1985', nan]
    """
    is_year = raw.fillna("").str.strip().str.fullmatch(r"(?:18|19|20)\d{2}(?:[.,]0)?").astype(bool)
    reading = read_dates(raw.mask(is_year, ""), timezone=timezone, format=format, has_serials=has_serials)
    years = reading.dates.dt.year.astype("Int16")
    stated = pd.to_numeric(raw.where(is_year).str.strip().str[:4], errors="coerce").astype("Int16")
    return Reading(stated.fillna(years), reading.problems)


def is_date_like(text: str) -> bool:
    """True when the text is written as a date or time, whatever its order."""
    text = text.strip()
    return any(p.fullmatch(text) for p in (_ISO, _PARTS, _NAMED, _COMPACT)) or bool(
        re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text)
    )
