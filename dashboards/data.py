"""What the published site is made from: frames and facts, all aggregated and after disclosure control.

Belongs here: the shape of the input and its check. Does not belong here: reading tables, computing a statistic, HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import pandas as pd

from mbt_rom.model import Instrument
from mbt_rom.tables import ATTENDANCE_BY_MONTH, COMPARED, FLOW, FLOW_CURVES
from mbt_rom.trajectories import COURSE_COLUMNS

Row = dict[str, Any]


class RuleText(Protocol):
    """What a page says about a rule (`mbt_rom.findings.Rule` has it)."""

    @property
    def severity(self) -> str: ...
    @property
    def sentence(self) -> str: ...
    @property
    def remedy(self) -> str: ...
    @property
    def owner(self) -> str: ...


class NormText(Protocol):
    """What a page says about the norm behind reliable change (`mbt_rom.norms.ChangeNorm` has it)."""

    @property
    def cutoff(self) -> float | None: ...
    @property
    def is_provisional(self) -> bool: ...
    @property
    def sentence(self) -> str: ...


@dataclass(frozen=True)
class SiteData:
    """Everything the site shows. No frame holds a row about one person.

    `programmes`, `response`, `benchmark`, `inclusion`, `conservation` and `findings_summary` have the columns of those tables in
    `mbt_rom.tables`, and `course` is what `mbt_rom.trajectories.programme_course` returns. `benchmark`, `inclusion` and
    `course` come after disclosure control; `response` is `outcomes/response` as stored, and the site itself protects it. `norms` is keyed
    `instrument.scale`, as in the settings; `value_set_labels` by value set id. `compares` is true where the
    home may set programmes side by side. `notes` are sentences printed at the foot of every page.
    `changed`: per programme the forms that changed since `changed_since`, None where they are too few to tell.
    """

    consortium: str
    is_synthetic: bool
    as_of: date
    software_version: str
    threshold: int
    instruments: Mapping[str, Instrument]
    rules: Mapping[str, RuleText]
    programmes: pd.DataFrame
    response: pd.DataFrame
    benchmark: pd.DataFrame
    course: pd.DataFrame
    conservation: pd.DataFrame
    findings_summary: pd.DataFrame
    flow: pd.DataFrame = field(default_factory=FLOW.empty)
    flow_curves: pd.DataFrame = field(default_factory=FLOW_CURVES.empty)
    attendance: pd.DataFrame = field(default_factory=ATTENDANCE_BY_MONTH.empty)
    inclusion: pd.DataFrame = field(default_factory=COMPARED.empty)
    norms: Mapping[str, NormText] = field(default_factory=dict)
    value_set_labels: Mapping[str, str] = field(default_factory=dict)
    quiet_after_days: int = 60
    primary_moment: str = "m18"
    compares: bool = True
    notes: tuple[str, ...] = ()
    changed_since: date | None = None
    changed: Mapping[str, int | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        missing = [c for c in COURSE_COLUMNS if c not in self.course.columns]
        if missing:
            raise ValueError(f"course has no column {missing}; it needs {', '.join(COURSE_COLUMNS)}")


def rows(frame: pd.DataFrame) -> list[Row]:
    """The rows of a frame as plain dictionaries, with None for every missing value.

    >>> rows(pd.DataFrame({"n": pd.Series([3, None], dtype="Int64")}))
    [{'n': 3}, {'n': None}]
    """
    names = [str(c) for c in frame.columns]
    columns = [frame[c].astype(object).where(frame[c].notna(), None).tolist() for c in frame.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def by_programme(frame: pd.DataFrame) -> dict[str, list[Row]]:
    """The rows of every programme, in the order of the frame."""
    grouped: dict[str, list[Row]] = {}
    for row in rows(frame):
        grouped.setdefault(row["programme_id"], []).append(row)
    return grouped
