"""Findings as lines of a table: what is wrong, how often, how to mend it.

Belongs here: wording of the summary of findings. Does not belong here: single findings, file names, ids of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.data import Row
from dashboards.views.context import Context
from dashboards.wording import SEVERITIES, by_name, number

_ORDER = {severity: place for place, severity in enumerate(SEVERITIES)}


@dataclass(frozen=True)
class FindingLine:
    """One rule: how severe, what is wrong, the remedy, who mends it, how often, since how many days and where."""

    rule: str
    severity: str
    severity_label: str
    sentence: str
    remedy: str
    owner: str
    n: str
    age: str
    places: list[str]


def finding_lines(found: list[Row], *, context: Context, by: str = "source") -> list[FindingLine]:
    """One line per rule, the most severe first; `by` names what the counts are broken down by (source or programme)."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in found:
        groups.setdefault((row["severity"], row["rule"]), []).append(row)
    ordered = sorted(groups, key=lambda k: (_ORDER.get(k[0], len(_ORDER)), k[1]))
    return [_line(severity, rule, groups[severity, rule], context=context, by=by) for severity, rule in ordered]


def _line(severity: str, rule: str, found: list[Row], *, context: Context, by: str) -> FindingLine:
    text = context.data.rules.get(rule)
    places: dict[str, int] = {}
    for row in found:
        place = context.name(row["programme_id"]) if by == "programme" else _source(row["source"], context)
        places[place] = places.get(place, 0) + row["n_findings"]
    return FindingLine(
        rule=rule,
        severity=severity,
        severity_label=SEVERITIES.get(severity, severity),
        sentence=_capital(text.sentence) if text else rule.replace("_", " "),
        remedy=text.remedy if text else "",
        owner=text.owner.replace("_", " ") if text else "",
        n=number(sum(row["n_findings"] for row in found)),
        age=_age(found, context),
        places=[f"{place} {number(places[place])}" for place in sorted(places, key=by_name)],
    )


def _age(found: list[Row], context: Context) -> str:
    """For how long the oldest of the findings has stood, in words; empty where no delivery is meant."""
    since = [row["oldest_received_at"] for row in found if row["oldest_received_at"] is not None]
    if not since:
        return ""
    days = max((context.data.as_of - min(since).date()).days, 0)
    return "1 day" if days == 1 else f"{number(days)} days"


def _source(source: str, context: Context) -> str:
    instrument = context.data.instruments.get(source)
    return instrument.name if instrument else source


def _capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}."
