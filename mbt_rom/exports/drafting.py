"""A mapping file drafted from how a file was understood, for a person to check, complete and confirm.

Belongs here: the text of the draft. Does not belong here: understanding columns (`detection`, `proposals`), what a mapping file may say
(`mapping`), writing it to disk.

What is sure stands there as it is. What is only probable stands there too, marked `confirm`: nothing counts by it until a person has
loaded the file with the draft. Headers of columns come out of the file; no cell does.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CONFIRM = "# confirm"
#: Roles with a key of their own in a mapping file -> how it is written around the header.
_WRITTEN = {
    "patient": "patient: {{column: {0}}}",
    "date": "date: {{column: {0}}}",
    "programme": "programme: {{column: {0}}}",
    "response_id": "response_id: {0}",
    "submitted_at": "submitted_at: {{column: {0}}}",
    "complete": "complete: {{column: {0}}}",
    "language": "language: {{column: {0}}}",
    "mode": "mode: {{column: {0}}}",
}
Column = Mapping[str, Any]


def draft(understood: Sequence[Column], *, name: str, file_name: str) -> str:
    """The text of a mapping file for a sheet whose columns are described as `conform.Conformed.understood` describes them.

    `name` is an identifier. It matches every sheet that has the columns it names. Of a workbook, the first sheet that holds items.
    Raises ValueError where no column was, or probably is, an item of an instrument: then there is nothing to draft.

    >>> told = {"sheet": None, "role": "not_taken_in", "item": None, "instrument": None, "block": None, "coding": None}
    >>> columns = [
    ...     told | {"column": "Nr", "proposal": {"role": "patient"}, "reason": "?"},
    ...     told | {"column": "Q1", "proposal": {"role": "item", "instrument": "phq9", "item": "phq9_01"}, "reason": "?"},
    ... ]
    >>> print(draft(columns, name="intake", file_name="q.csv"))
    # Drafted from q.csv. Check every line marked 'confirm', above all the order of the questions; then load the file with it:
    #   rom load FILE --programme P --mapping THIS_FILE
    name: intake
    matches: {columns: ["Nr", "Q1"]}
    patient: {column: "Nr"}  # confirm
    forms:
      - instrument: phq9
        items:
          phq9_01: "Q1"  # confirm
    """
    columns = [_meant(column) for column in _of_one_sheet(understood)]
    used = [c for c in columns if c["role"] in (*_WRITTEN, "moment", "item")]
    items = [c for c in used if c["role"] == "item"]
    if not items:
        raise ValueError("no column is, or probably is, an item of an instrument")
    lines = [
        f"# Drafted from {file_name}. Check every line marked 'confirm', above all the order of the questions; then load the file with it:",
        "#   rom load FILE --programme P --mapping THIS_FILE",
        f"name: {name}",
        f"matches: {{columns: [{', '.join(_quoted(c['column']) for c in used)}]}}",
        *_sheet(items[0]),
        *_shared(used),
        *(
            []
            if any(c["role"] == "patient" for c in used)
            else ["# patient: {column: ...}  # confirm: no column was found"]
        ),
        "forms:",
        *(line for key in _forms(items) for line in _form(key, columns)),
    ]
    return "\n".join(lines)


def _of_one_sheet(understood: Sequence[Column]) -> list[Column]:
    with_items = [c["sheet"] for c in understood if _meant(c)["role"] == "item"]
    return [c for c in understood if not with_items or c["sheet"] == with_items[0]]


def _meant(column: Column) -> dict[str, Any]:
    """The column as it is understood or, where it is not taken in, as it probably is."""
    proposal = column.get("proposal")
    if column["role"] != "not_taken_in" or not proposal:
        return {**column, "is_sure": True}
    return {**column, **proposal, "is_sure": False}


def _quoted(header: str) -> str:
    """A header as YAML reads it back, whatever it holds: JSON is YAML."""
    return json.dumps(header, ensure_ascii=False)


def _mark(column: Column) -> str:
    return "" if column["is_sure"] else f"  {CONFIRM}"


def _sheet(item: Column) -> list[str]:
    return [f"sheet: {_quoted(item['sheet'])}"] if item.get("sheet") else []


def _shared(used: Iterable[Column]) -> list[str]:
    """One line per role of the whole sheet; a second column of the same role is left for the person to choose."""
    lines: dict[str, str] = {}
    for column in used:
        role = column["role"]
        if role in _WRITTEN and not column.get("instrument"):
            line = _WRITTEN[role].format(_quoted(column["column"])) + _mark(column)
            lines[f"{role} {len(lines)}" if role in lines else role] = f"# {line}" if role in lines else line
    return list(lines.values())


def _forms(items: Iterable[Column]) -> list[tuple[str, int]]:
    return list(dict.fromkeys((c["instrument"], c.get("block") or 0) for c in items))


def _form(key: tuple[str, int], columns: Sequence[Column]) -> list[str]:
    instrument, block = key
    mine = [c for c in columns if c.get("instrument") == instrument and (c.get("block") or 0) == block]
    items = {c["item"]: c for c in reversed(mine) if c["role"] == "item" and c.get("item")}
    coding = next((c["coding"] for c in mine if c.get("coding")), None)
    moment = next((c for c in columns if c["role"] == "moment"), None)
    own = [f"    date: {{column: {_quoted(c['column'])}}}{_mark(c)}" for c in mine if c["role"] == "date"][:1]
    return [
        f"  - instrument: {instrument}",
        *([f"    coding: {coding}"] if coding and coding != "canonical" else []),
        *([f"    moment: {{column: {_quoted(moment['column'])}}}{_mark(moment)}"] if moment else []),
        *own,
        "    items:",
        *(f"      {item}: {_quoted(c['column'])}{_mark(c)}" for item, c in sorted(items.items())),
    ]
