"""Numbers, dates, cells and sentences as readers see them.

Belongs here: how a value is written, including a value that is withheld or does not exist. Does not belong here: HTML,
figures, computing a statistic. Numbers are written in the English way whatever the locale of the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from dashboards.data import Row
from mbt_rom.model import Instrument, Scale

MINUS = "\u2212"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
FORMATS = {
    "day_hospital": "Day hospital",
    "intensive_outpatient": "Intensive outpatient",
    "outpatient": "Outpatient",
    "adolescent": "Adolescent",
    "other": "Other format",
}
ANCHORS = {
    "referred_on": "date of referral",
    "first_assessment_on": "first assessment",
    "first_introductory_on": "first session of the introductory course",
    "started_on": "first session of the main programme",
}
#: Month 0 in the name of a stratum, short enough to stand beside a figure.
COUNTED_FROM = {
    "referred_on": "from referral",
    "first_assessment_on": "from first assessment",
    "first_introductory_on": "from introductory course",
    "started_on": "from main programme",
}
SEVERITIES = {
    "fatal": "File not counted",
    "error": "Row set aside",
    "notice": "For information",
}
NOT_COMPARED = frozenset({"profile", "major_depression"})


@dataclass(frozen=True)
class Cell:
    """One value of a table: its text, its interval, and whether it is shown, withheld or absent."""

    text: str
    interval: str = ""
    kind: Literal["shown", "withheld", "absent"] = "shown"

    @property
    def is_shown(self) -> bool:
        """True when the cell holds a number."""
        return self.kind == "shown"


def number(value: float, decimals: int = 0) -> str:
    """The value with a true minus sign and a thin grouping of thousands.

    >>> number(-0.456, 2), number(12345), number(-0.001, 2)
    ('−0.46', '12,345', '0.00')
    """
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def percent(share: float) -> str:
    """The share in whole per cent.

    >>> percent(0.614)
    '61 %'
    """
    return f"{number(100 * share)} %"


def plural(count: int, one: str, many: str | None = None) -> str:
    """The count and its noun.

    >>> plural(1, "finding"), plural(2, "finding")
    ('1 finding', '2 findings')
    """
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def day(value: date | datetime | None) -> str:
    """The date as people write it.

    >>> day(date(2026, 11, 2))
    '2 November 2026'
    """
    return "never" if value is None else f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def moment_label(moment: str) -> str:
    """The moment in words.

    >>> moment_label("baseline"), moment_label("m18")
    ('Start', 'Month 18')
    """
    return "Start" if moment == "baseline" else f"Month {moment[1:]}" if moment[1:].isdigit() else moment.capitalize()


def moment_order(moment: str) -> int:
    """Months since the start; forms that fit no moment come last."""
    return 0 if moment == "baseline" else int(moment[1:]) if moment[1:].isdigit() else 10_000


def by_name(name: str) -> tuple[str, str]:
    """Sorting key of a name, the same for every locale."""
    return name.casefold(), name


def mean_decimals(scale: Scale) -> int:
    """Decimals in which means of the scale are written: about a hundredth of what can be told apart.

    The scale's own `decimals` if stated; otherwise two for a scale of at most ten points and one for a longer one.
    """
    if scale.decimals:
        return scale.decimals
    low, high = scale.limits
    return 2 if high - low <= 10 else 1


def direction_label(scale: Scale) -> str:
    """Which way is better."""
    return scale.direction.replace("_", " ")


def scale_title(instrument: Instrument, scale: Scale) -> str:
    """Instrument and scale.

    The label of the scale is left out where it repeats the name of the instrument.
    """
    return scale.label if instrument.name in scale.label else f"{instrument.name} {scale.label}"


def range_label(scale: Scale) -> str:
    """Unit and range of the scale."""
    return f"{scale.unit}, {scale.range_text.replace('-', MINUS)}"


def is_withheld(row: Row, *columns: str) -> bool:
    """True when disclosure control withholds any of the columns, by its name or with the whole row.

    >>> is_withheld({"suppressed": "improved_share"}, "improved_share"), is_withheld({"suppressed": ""}, "improved_share")
    (True, False)
    """
    flag = row.get("suppressed")
    if not isinstance(flag, str):
        return bool(flag)
    names = flag.split()
    return "all" in names or any(column in names for column in columns)


def withheld() -> Cell:
    """The cell of a number that exists and is not shown."""
    return Cell("withheld", kind="withheld")


def absent(text: str = "no data") -> Cell:
    """The cell of a number that does not exist."""
    return Cell(text, kind="absent")


def value_cell(
    row: Row, name: str, *, write: Any, limits: tuple[str, str] | None = None, none: str = "no data"
) -> Cell:
    """The cell of one column, with the interval between its two `limits`."""
    if is_withheld(row, name, *(limits or ())):
        return withheld()
    value = row.get(name)
    if value is None:
        return absent(none)
    return Cell(write(value), _interval(row, limits, write) if limits else "")


def _interval(row: Row, limits: tuple[str, str], write: Any) -> str:
    low, high = (row.get(limit) for limit in limits)
    return "" if low is None or high is None else f"{write(low).removesuffix(' %')} to {write(high)}"


def response_cell(row: Row) -> Cell:
    """The response of one programme, instrument and moment, from a row of the response or of the benchmark."""
    limits = ("lower_95", "upper_95") if "lower_95" in row else ("response_lower_95", "response_upper_95")
    return value_cell(row, "response_share", write=percent, limits=limits)


def listing(parts: Sequence[str]) -> str:
    """The parts as an enumeration.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""
