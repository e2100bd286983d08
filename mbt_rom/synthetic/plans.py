"""Which synthetic programmes there are: their names, formats, sizes, hospitals, questionnaires and survey tools.

Belongs here: what is decided before anything is drawn. Does not belong here: people, answers, files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Format = Literal["day_hospital", "intensive_outpatient", "outpatient", "adolescent"]
#: Which survey tool writes the exports: see `exports`, one function each.
Shape = Literal["plain", "dutch", "workbook", "one_based", "redcap", "regional"]
#: Registers beside those of patients, therapists and episodes, in the order in which they are made.
ALL_REGISTERS = (
    "spells", "allocations", "permissions", "contacts", "events", "reviews", "feedback_sessions", "medication",
    "referrals", "staff", "supervision", "nonresponse",
)  # fmt: skip
MOST_PROGRAMMES = 12
_SMALL = ("linge", "dommel")
_NUMBERS_PER_PROGRAMME = 150_000


@dataclass(frozen=True)
class Archetype:
    """What programmes of one kind have in common. `improvement`: mean gain at 18 months in SD of distress at the start.

    `registers`: those it keeps; what depends on another is no data there.
    """

    format: Format
    shape: Shape
    instruments: tuple[str, ...]
    weight: int
    improvement: float
    severity: float
    planned_days: int
    has_weekly: bool = False
    anchor: Literal["started_on", "first_assessment_on"] = "started_on"
    has_end_of_treatment: bool = False
    registers: tuple[str, ...] = ALL_REGISTERS


@dataclass(frozen=True)
class Plan:
    """One programme to be made: position in the consortium, names, number of patients and its archetype."""

    index: int
    programme_id: str
    name: str
    code: str
    issuer: str
    first_number: int
    n_patients: int
    kind: Archetype
    further: tuple[str, ...] = ()

    @property
    def instruments(self) -> tuple[str, ...]:
        """Everything that its patients fill in: what programmes of its kind use, and `further` instruments beside it."""
        return (*self.kind.instruments, *(i for i in self.further if i not in self.kind.instruments))

    @property
    def is_late(self) -> bool:
        """True for the programme whose forms stopped coming (`LATE_DAYS` before the date of the demo)."""
        return self.programme_id == LATE_PROGRAMME


#: Its registers are there, its newest form is over 90 days old: nothing came in the meantime.
LATE_PROGRAMME = "ijssel"
LATE_DAYS = 120

_THREE_LEVELS = ("bsi", "phq9", "eq5d3l")
_FIVE_LEVELS = ("bsi", "phq9", "eq5d5l")
_FEW = ("spells", "allocations", "permissions", "events", "staff")
_MOST = (*_FEW, "contacts", "reviews", "referrals", "nonresponse")
# Improvements lie around the effects published for Dutch programmes: 1.06 SD at 18 months (Bales 2015, day hospital) and
# 0.55 to 1.05 in four centres of routine care (GIT-PD).
_ARCHETYPES = (
    Archetype("day_hospital", "plain", _THREE_LEVELS, 120, 1.25, 0.25, 548),
    Archetype("intensive_outpatient", "dutch", _FIVE_LEVELS, 95, 1.10, 0.10, 548, has_weekly=True),
    Archetype("outpatient", "workbook", _THREE_LEVELS, 85, 0.95, -0.05, 548),
    Archetype("outpatient", "one_based", _FIVE_LEVELS, 70, 0.70, -0.05, 548, has_weekly=True, registers=_MOST),
    Archetype("adolescent", "redcap", _THREE_LEVELS, 18, 1.10, 0.05, 365, registers=_FEW),
    Archetype(
        "outpatient",
        "regional",
        _FIVE_LEVELS,
        12,
        0.95,
        0.00,
        548,
        anchor="first_assessment_on",
        has_end_of_treatment=True,
        registers=_FEW,
    ),
)
# Invented names, after rivers: no real programme is meant.
_RIVERS = (
    "amstel", "maas", "ijssel", "vecht", "linge", "dommel", "waal", "eem", "berkel", "regge", "merwede", "roer",
)  # fmt: skip
_FORMAT_NAMES = {
    "day_hospital": "day hospital",
    "intensive_outpatient": "intensive outpatient",
    "outpatient": "outpatient",
    "adolescent": "adolescents",
}


def plans(*, programmes: int, patients: int, further: tuple[str, ...] = ()) -> list[Plan]:
    """The first `programmes` programmes of the list, with `patients` divided among them; `further` instruments for each.

    Two of the first six are kept small whatever the number of patients. Two hospitals give out numbers from 1001 each, so
    that their numbers overlap; the programme for adolescents has a registration system of its own.
    Raises ValueError for a number of programmes outside 1..12 or fewer patients than programmes.

    >>> [(p.programme_id, p.n_patients) for p in plans(programmes=6, patients=400)]
    [('amstel', 120), ('maas', 95), ('ijssel', 85), ('vecht', 70), ('linge', 18), ('dommel', 12)]
    """
    if not 1 <= programmes <= MOST_PROGRAMMES:
        raise ValueError(f"programmes: {programmes} cannot be made; ask for 1 to {MOST_PROGRAMMES}")
    if not programmes <= patients <= _NUMBERS_PER_PROGRAMME:
        raise ValueError(
            f"patients: {patients} cannot be divided among {programmes} programmes; "
            f"ask for {programmes} to {_NUMBERS_PER_PROGRAMME}"
        )
    sizes = _sizes(programmes, patients)
    return [_plan(index, size, further) for index, size in enumerate(sizes)]


def _plan(index: int, size: int, further: tuple[str, ...]) -> Plan:
    river, kind = _RIVERS[index], _ARCHETYPES[index % len(_ARCHETYPES)]
    issuer = "youth_registry" if kind.shape == "redcap" else ("hospital_north", "hospital_south")[index % 2]
    return Plan(
        index=index,
        programme_id=river,
        name=f"MBT {river.capitalize()} ({_FORMAT_NAMES[kind.format]})",
        code=river[:2].upper(),
        issuer=issuer,
        first_number=1001 + index // 2 * _NUMBERS_PER_PROGRAMME,
        n_patients=size,
        kind=kind,
        further=further,
    )


def _sizes(programmes: int, patients: int) -> list[int]:
    """Everybody gets one patient, the small ones at most their own number, the others by weight (largest remainders)."""
    weights = [_ARCHETYPES[k % len(_ARCHETYPES)].weight for k in range(programmes)]
    is_small = [river in _SMALL for river in _RIVERS[:programmes]]
    share = patients / sum(weights)
    sizes = [max(1, min(w, int(w * share))) if small else 1 for w, small in zip(weights, is_small, strict=True)]
    return _divide(patients - sum(sizes), weights, is_small, sizes)


def _divide(rest: int, weights: list[int], is_small: list[bool], sizes: list[int]) -> list[int]:
    large = [k for k, small in enumerate(is_small) if not small]
    total, base = sum(weights[k] for k in large), rest + len(large)
    exact = {k: base * weights[k] / total - 1 for k in large}
    for k in large:
        sizes[k] += max(0, int(exact[k]))
    left = rest - sum(max(0, int(e)) for e in exact.values())
    by_remainder = sorted(large, key=lambda k: (int(exact[k]) - exact[k], k))
    for position in range(abs(left)):
        sizes[by_remainder[position % len(large)]] += 1 if left > 0 else -1
    return sizes
