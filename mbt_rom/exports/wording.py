"""Whether a survey was changed under the names of its questions: other texts, or other answers behind the same codes.

Belongs here: holding the files of one folder against each other. Does not belong here: reading a file, the hashes that are compared
(`understanding.wording_hash`), what counts (`acceptance`).

Files are compared by what they hold and never by the order in which they came: loading them in another order gives the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

#: A delivery: folder, delivery id, and how its columns were understood.
Delivered = tuple[str, str, Sequence[Mapping[str, Any]]]
_Place = tuple[str, str, str]
_List = tuple[tuple[str, str], ...]


def changes(deliveries: Sequence[Delivered]) -> list[dict[str, Any]]:
    """Findings `question_text_changed` and `answer_list_changed`, for every delivery that differs from another of its folder.

    A text is changed when the same item under the same name was asked in other words, and so is a label that is new. An answer list is
    changed when one and the same label stands behind different codes: then at most one of the lists is read rightly. The list that
    most files have stands, and files with another are left out until a person states their coding; of lists that equally many
    have, none stands, since nobody can tell. Files are held against each other only where neither a person nor known labels told
    the coding: those are read rightly whatever the list.

    >>> def file(name, *labels):
    ...     answers = {str(code): label for code, label in enumerate(labels)}
    ...     return ("here", name, [{"role": "item", "item": "x_1", "column": "q1", "answers": answers}])
    >>> found = changes([file("d1", "no", "yes"), file("d2", "no", "yes"), file("d3", "yes", "no")])
    >>> [(one["rule"], one["delivery_id"]) for one in found]
    [('answer_list_changed', 'd3')]
    """
    found: list[dict[str, Any]] = []
    for folder in sorted({folder for folder, _, _ in deliveries}):
        items = _items([d for d in deliveries if d[0] == folder])
        turned = _turned(items)
        found += _findings(folder, "answer_list_changed", turned)
        reworded = {place: held for place, held in _reworded(items).items() if place not in turned}
        found += _findings(folder, "question_text_changed", reworded)
    return found


def _items(deliveries: Sequence[Delivered]) -> dict[_Place, dict[str, Mapping[str, Any]]]:
    """Item under its name (and sheet) -> delivery -> its column."""
    items: dict[_Place, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for _, delivery_id, understood in deliveries:
        for column in understood:
            if column["role"] == "item":
                name = str(column.get("code") or column["column"])
                items[(str(column["item"]), name, str(column.get("sheet") or ""))][delivery_id] = column
    return items


def _turned(items: Mapping[_Place, Mapping[str, Mapping[str, Any]]]) -> dict[_Place, dict[str, Mapping[str, Any]]]:
    """The columns whose answer list contradicts one that more, or as many, files have."""
    turned = {}
    for place, columns in items.items():
        unsure = {d: c for d, c in columns.items() if c.get("answers") and not _is_told(c)}
        counted = Counter(_list(column) for column in unsure.values())
        lost = {
            one for one in counted for other in counted if _contradict(one, other) and counted[one] <= counted[other]
        }
        if held := {d: c for d, c in unsure.items() if _list(c) in lost}:
            turned[place] = held
    return turned


def _reworded(items: Mapping[_Place, Mapping[str, Mapping[str, Any]]]) -> dict[_Place, dict[str, Mapping[str, Any]]]:
    """The columns of items that were asked, or whose answers were put, in more than one way."""
    reworded = {}
    for place, columns in items.items():
        for key in ("text", "answers"):
            worded = {d: c for d, c in columns.items() if c.get(key)}
            if len({_list(c) if key == "answers" else c[key] for c in worded.values()}) > 1:
                reworded[place] = worded
                break
    return reworded


def _is_told(column: Mapping[str, Any]) -> bool:
    """Whether a person, or labels that the definition knows, say what the codes mean."""
    return bool(column.get("is_coding_told")) or column.get("confidence") == 1


def _list(column: Mapping[str, Any]) -> _List:
    return tuple(sorted(column["answers"].items()))


def _contradict(one: _List, other: _List) -> bool:
    """Whether a label stands behind one code here and behind another there."""
    by_label: dict[str, set[str]] = defaultdict(set)
    for code, label in one:
        by_label[label].add(code)
    return any(label in by_label and code not in by_label[label] for code, label in other)


def _findings(folder: str, rule: str, held: Mapping[_Place, Mapping[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One finding per delivery and sheet, that names the first column and counts them."""
    by_delivery: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (_, _, sheet), columns in sorted(held.items()):
        for delivery, column in columns.items():
            by_delivery[(delivery, sheet)].append(str(column["column"]))
    return [
        {
            "programme_id": folder,
            "delivery_id": delivery,
            "rule": rule,
            "sheet": sheet or None,
            "source_column": names[0],
            "detail": f"in {len(names)} columns",
        }
        for (delivery, sheet), names in sorted(by_delivery.items())
    ]
