"""The measurement plan of a programme: which instrument is asked for at which moment, and whether it is required.

Belongs here: what settings and definitions amount to, before anybody is treated; the names of moments. Does not belong here:
due dates of people, matching and response (`schedule`).

The consortium's plan is Appendix 1 of the manual, as the definitions hold it under `manual: schedule`: X is required, (X)
desired. An alternative (`in_place_of`) has the schedule of the instrument whose place it takes. An instrument that a programme
lists and the manual gives no moments is desired at every month: the programme wants it, and nobody requires it. `rebaseline`
asks what the baseline asks. `end` asks for everything that the plan asks for at all, and requires what the baseline requires.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from mbt_rom.model import Instrument
from mbt_rom.settings import EVERY_MONTHS, SMALLEST_SET, Asked, Consortium, Programme, Windows

Requirement = Literal["required", "desired"]

BASELINE = "baseline"
REBASELINE = "rebaseline"
END = "end"
UNSCHEDULED = "unscheduled"


def moment_name(month: int) -> str:
    """Name of the moment that falls so many months after the anchor.

    >>> [moment_name(month) for month in (0, 6, 18)]
    ['baseline', 'm6', 'm18']
    """
    return BASELINE if month == 0 else f"m{month}"


def month_of(moment: str) -> int | None:
    """Months after the anchor of a moment; None when it is not at a number of months (end, rebaseline, unscheduled).

    >>> month_of("baseline"), month_of("m6"), month_of("end"), month_of("unscheduled")
    (0, 6, None, None)
    """
    if moment == BASELINE:
        return 0
    return int(moment[1:]) if moment[:1] == "m" and moment[1:].isdigit() else None


def place_of(moment: str) -> float:
    """Place of a moment in the order of a table: baseline, rebaseline, months, end, unscheduled.

    >>> sorted(["end", "m6", "unscheduled", "rebaseline", "baseline"], key=place_of)
    ['baseline', 'rebaseline', 'm6', 'end', 'unscheduled']
    """
    month = month_of(moment)
    others = {REBASELINE: 0.5, END: float(10**6), UNSCHEDULED: float(10**7)}
    return others.get(moment, float(10**8)) if month is None else float(month)


def window_of(moment: str, windows: Windows) -> tuple[int, int]:
    """Days before (negative) and after its due date in which a form counts for a moment.

    A re-baseline is due on the first main session and comes before it.

    >>> window_of("m6", Windows()), window_of("rebaseline", Windows()), window_of("end", Windows())
    ((-45, 45), (-60, 0), (0, 42))
    """
    if moment == REBASELINE:
        return windows.baseline[0], 0
    if moment == END:
        return windows.end
    return windows.baseline if moment == BASELINE else windows.later


@dataclass(frozen=True)
class Plan:
    """What one programme asks for: `asks` holds, per instrument, the requirement of each moment, in order of the moments."""

    programme_id: str
    asks: Mapping[str, Mapping[str, Requirement]]

    @property
    def moments(self) -> tuple[str, ...]:
        """Every moment at which anything is asked, in order."""
        return tuple(sorted({m for asked in self.asks.values() for m in asked}, key=place_of))


def plan_of(programme_id: str, *, settings: Consortium, definitions: Mapping[str, Instrument]) -> Plan:
    """The plan of a programme. An instrument without definition counts as one that the manual gives no moments.

    >>> from mbt_rom.registry import instrument
    >>> of = {"name": "Dijk", "issuer": "h", "instruments": ["oq45", "eq5d5l"], "plan": "three_monthly"}
    >>> settings = Consortium(name="x", issuers={"h": {}}, programmes={"dijk": of}, months=(0, 6))
    >>> known = {name: instrument(name) for name in ("oq45", "bsi", "eq5d5l")}
    >>> plan_of("dijk", settings=settings, definitions=known).asks["oq45"]
    {'baseline': 'required', 'm3': 'required', 'm6': 'required'}
    """
    programme = settings.programmes[programme_id]
    months = settings.usual_months_of(programme_id)
    asked = dict(_usual(programme, months=months, definitions=definitions))
    asked |= {name: _own(own) for name, own in programme.moments.items()}
    asks = {i: _with_end(_named(asked[i]), programme) for i in programme.instruments if asked.get(i)}
    return Plan(programme_id, asks)


def _own(asked: Asked) -> dict[int, Requirement]:
    found: dict[int, Requirement] = dict.fromkeys(asked.required, "required")
    return found | dict.fromkeys(asked.desired, "desired")


def _usual(
    programme: Programme, *, months: tuple[int, ...], definitions: Mapping[str, Instrument]
) -> Iterator[tuple[str, dict[int, Requirement]]]:
    """What the plan says of each instrument that the programme does not arrange itself."""
    if programme.plan == "own":
        return
    if programme.plan in EVERY_MONTHS:
        for choice in SMALLEST_SET:
            first = next(i for i in programme.instruments if i in choice)
            yield first, dict.fromkeys(months, "required")
        return
    for name in programme.instruments:
        printed = _printed(name, definitions)
        if printed is None:
            yield name, dict.fromkeys(months, "desired")
        else:
            yield name, {month: printed[moment_name(month)] for month in months if moment_name(month) in printed}


def _printed(name: str, definitions: Mapping[str, Instrument]) -> Mapping[str, Requirement] | None:
    """The schedule that the manual prints for an instrument, or for the one whose place it takes; None when for neither."""
    if name not in definitions:
        return None
    manual = definitions[name].manual
    other = definitions.get(manual.in_place_of or "")
    printed = manual.schedule or (other.manual.schedule if other else {})
    return {str(moment): requirement for moment, requirement in printed.items()} or None


def _named(asked: Mapping[int, Requirement]) -> dict[str, Requirement]:
    return {moment_name(month): asked[month] for month in sorted(asked)}


def _with_end(asked: dict[str, Requirement], programme: Programme) -> dict[str, Requirement]:
    """The re-baseline and the end of treatment beside the months."""
    first = asked.get(BASELINE)
    found = dict(asked)
    if first and programme.anchor != "started_on":
        found[REBASELINE] = first
    if programme.has_end_of_treatment:
        found[END] = first or "desired"
    return {moment: found[moment] for moment in sorted(found, key=place_of)}
