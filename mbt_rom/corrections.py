"""A decision of a person about delivered data, as a document: cells to read otherwise, two numbers of one person, an undoing.

Belongs here: the shapes, their bytes, which decisions hold, and which numbers lead to one person. Does not belong here: keeping
a document (`assets.decisions`), reading the corrected rows (`conform`), what becomes of the rows (`acceptance`).

A document goes into the encrypted archive like a delivered file. It is the only place where corrected values, numbers and reasons stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal["cells", "link", "unlink", "undo"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MARK = "mbt-rom decision 1"


@dataclass(frozen=True)
class CellCorrection:
    """What one cell of a delivered file should hold. `row` as a spreadsheet shows it; `column`: its header."""

    delivery_id: str
    sheet: str | None
    row: int
    column: str
    value: str


@dataclass(frozen=True)
class Correction:
    """One decision. `at` carries a time zone.

    `cells`: of a decision of kind cells. `numbers`: issuer and number of the two that are linked or no longer; the first leads to
    the second. `undoes`: delivery id of the decision that is undone. Raises ValueError where these do not fit the kind.
    """

    kind: Kind
    reason: str
    by: str
    at: datetime
    cells: tuple[CellCorrection, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    undoes: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError("a decision is one of " + ", ".join(KINDS))
        if not self.reason.strip():
            raise ValueError("a decision needs a reason")
        if self.at.tzinfo is None:
            raise ValueError("the time of a decision needs a time zone")
        given = (bool(self.cells), len(self.numbers), self.undoes is not None)
        wanted = {"cells": (True, 0, False), "undo": (False, 0, True)}.get(self.kind, (False, 2, False))
        if given != wanted:
            raise ValueError(f"a decision of kind {self.kind} does not hold what it needs, or holds more")


@dataclass(frozen=True)
class Recorded:
    """A decision and when it was recorded."""

    correction: Correction
    received_at: datetime


@dataclass(frozen=True)
class Changes:
    """Cells of one sheet that are read otherwise, in order (the last one of a cell counts), and the rows that are asked for."""

    sheet: str | None
    cells: tuple[CellCorrection, ...]
    rows: frozenset[int]


def document(correction: Correction) -> bytes:
    """The decision as bytes; equal decisions, equal bytes."""
    told = {"format": _MARK, **asdict(correction), "at": correction.at.isoformat()}
    return json.dumps(told, sort_keys=True, ensure_ascii=False).encode()


def parse_document(data: bytes) -> Correction | None:
    """The decision that the bytes hold; None where they are something else."""
    try:
        told: Any = json.loads(data)
        if not isinstance(told, dict) or told.pop("format", None) != _MARK:
            return None
        cells = tuple(CellCorrection(**cell) for cell in told.pop("cells"))
        numbers = tuple((str(issuer), str(number)) for issuer, number in told.pop("numbers"))
        return Correction(**{**told, "at": datetime.fromisoformat(told["at"]), "cells": cells, "numbers": numbers})
    except (ValueError, TypeError, KeyError):
        return None


def standing(decisions: Mapping[str, Correction]) -> set[str]:
    """Ids of the decisions that hold: those that no holding decision undoes."""
    undone_by: dict[str, list[str]] = {}
    for name, decision in decisions.items():
        if decision.undoes is not None:
            undone_by.setdefault(decision.undoes, []).append(name)

    def holds(name: str) -> bool:
        return not any(holds(other) for other in undone_by.get(name, ()))

    return {name for name in decisions if holds(name)}


def undone_by(recorded: Mapping[str, Recorded]) -> dict[str, str]:
    """For each decision that no longer holds the one that undid it."""
    holding = standing({name: one.correction for name, one in recorded.items()})
    undone: dict[str, str] = {}
    for name in sorted(holding, key=lambda name: (recorded[name].received_at, name)):
        target = recorded[name].correction.undoes
        if target is not None and target in recorded:
            undone.setdefault(target, name)
    return undone


def undone_at(recorded: Mapping[str, Recorded]) -> dict[str, datetime]:
    """When each decision that no longer holds was undone."""
    return {target: recorded[name].received_at for target, name in undone_by(recorded).items()}


def sheets_of(correction: Correction) -> list[tuple[str, str | None]]:
    """The sheets whose cells a decision corrects: delivery id and name of the sheet, in a fixed order."""
    return sorted(
        {(cell.delivery_id, cell.sheet) for cell in correction.cells}, key=lambda pair: (pair[0], pair[1] or "")
    )


def changes_of(recorded: Mapping[str, Recorded], name: str, place: tuple[str, str | None]) -> Changes:
    """What a decision changes in one sheet, on top of what the decisions before it that hold have changed there."""
    holding = standing({other: one.correction for other, one in recorded.items()})
    order = sorted((one.received_at, other) for other, one in recorded.items())
    earlier = [other for _, other in order[: order.index((recorded[name].received_at, name))] if other in holding]
    cells = [cell for one in (*earlier, name) for cell in recorded[one].correction.cells]
    mine = tuple(cell for cell in cells if (cell.delivery_id, cell.sheet) == place)
    own = recorded[name].correction.cells
    return Changes(place[1], mine, frozenset(c.row for c in own if (c.delivery_id, c.sheet) == place))


def links(recorded: Mapping[str, Recorded]) -> dict[tuple[tuple[str, str], tuple[str, str]], datetime]:
    """Pairs of numbers (with their issuers) of one person and when they were linked: those that were not unlinked since."""
    holding = standing({name: one.correction for name, one in recorded.items()})
    pairs: dict[tuple[tuple[str, str], tuple[str, str]], datetime] = {}
    for name in sorted(holding, key=lambda name: (recorded[name].received_at, name)):
        decision = recorded[name].correction
        if decision.kind in ("link", "unlink"):
            first, second = decision.numbers
            pairs = {pair: at for pair, at in pairs.items() if set(pair) != {first, second}}
            if decision.kind == "link":
                pairs[(first, second)] = recorded[name].received_at
    return pairs


def canonical(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For every pseudonym that is linked (from, to) the one that stands for the person; the order of links does not matter.

    Of those that are linked together it is the one that leads to no other; the smallest where several do, or all are in a circle.

    >>> canonical([("a", "b"), ("b", "c")]) == {"a": "c", "b": "c", "c": "c"}
    True
    """
    pairs = sorted(set(links))
    leads = {first for first, second in pairs if first != second}
    group: dict[str, set[str]] = {}
    for first, second in pairs:
        joined = group.get(first, {first}) | group.get(second, {second})
        group.update(dict.fromkeys(joined, joined))
    return {name: min(members - leads or members) for name, members in group.items()}
