"""A mapping file drafted from how a sheet was understood: what is sure is stated, what must be confirmed is marked.

Belongs here: the text of the draft. Does not belong here: what a column probably is (`accounts`, `proposals`), what a mapping file
may say (`mapping`), writing files (`pipelines`).

A line that ends in `# confirm` states what only a person can know. A mapping drafted here fits the sheets that have all columns
of this one, so it is used again for files of the same shape, and for no other survey.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mbt_rom.exports.names import column_key, normalised
from mbt_rom.exports.register_columns import REGISTER_ROLES
from mbt_rom.exports.understanding import NOT_TAKEN_IN
from mbt_rom.model import Instrument

CONFIRM = "  # confirm"
#: Stands where nothing in the file says what belongs there. No column, order or coding has this name: a draft that still holds it is refused.
UNKNOWN = "fill_in"
#: No more columns than this say to which sheets the mapping applies.
_MOST_MATCHED = 200
_WIDTH = 110
_FIELDS = ("date", "submitted_at", "complete")
_PLAIN = ("language", "mode", "respondent", "assisted", "interviewer", "is_blind")
_MOMENT = re.compile(r"baseline|m\d{1,3}")


@dataclass(frozen=True)
class _Column:
    """What one column is, or is proposed to be."""

    header: str
    meant: Mapping[str, Any]
    is_sure: bool
    confidence: float
    is_derived: bool

    @property
    def mark(self) -> str:
        return "" if self.is_sure else CONFIRM


def sheets_of(understood: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Names of the sheets of a file in which anything could be drafted, in their order."""
    return list(dict.fromkeys(column["sheet"] for column in understood if _column(column) is not None))


def draft(
    understood: Sequence[Mapping[str, Any]], *, name: str, sheet: str | None, instruments: Mapping[str, Instrument]
) -> str | None:
    """The text of a mapping file for one sheet of a file; None where no form and no register could be drafted.

    `understood`: the columns of the file (`understanding.described`). `name`: the mapping is called so, as far as a name allows.
    """
    mine = [column for column in understood if column["sheet"] == sheet]
    columns = [column for entry in mine if (column := _column(entry)) is not None]
    forms, registers = _forms(columns, instruments), _registers(columns)
    if not forms and not registers:
        return None
    several = len({column["sheet"] for column in understood}) > 1
    return "\n".join(
        [
            "# Drafted from how MBT-ROM understood the file. Check every line, above all those marked 'confirm', and correct",
            "# or remove what is wrong. Then: rom load FILE --mapping THIS_FILE --programme PROGRAMME (--dry-run shows it first)",
            f"name: {_identifier(name)}",
            *_matches(mine),
            *([f"sheet: {_text(sheet)}"] if sheet and several else []),
            *_fields(columns, has_forms=bool(forms)),
            *(["forms:", *forms] if forms else []),
            *(["registers:", *registers] if registers else []),
            *_left(mine),
            "",
        ]
    )


def _column(entry: Mapping[str, Any]) -> _Column | None:
    sure = entry["role"] != NOT_TAKEN_IN
    meant = entry if sure else entry.get("proposal")
    header = str(entry.get("header") or entry["column"] or "")
    if meant is None or not header:
        return None
    return _Column(header, meant, sure, float(entry["confidence"]), bool(entry.get("is_derived")))


def _identifier(name: str) -> str:
    plain = normalised(name) or "export"
    return plain if plain[0].isalpha() else f"export_{plain}"


def _text(value: str) -> str:
    """A value as YAML writes it on one line."""
    return (
        yaml.safe_dump(str(value), default_flow_style=True, width=10_000, allow_unicode=True)
        .removesuffix("\n...\n")
        .strip()
    )


def _matches(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that a sheet must have: all that the file itself names, each once."""
    named = [str(e.get("header") or e["column"]) for e in entries if e["column"] and not e.get("is_derived")]
    once = list({column_key(header): header for header in named}.values())[:_MOST_MATCHED]
    return ["matches:", "  columns:", *_flow([_text(header) for header in once], indent=4)]


def _flow(values: Sequence[str], *, indent: int, ends: tuple[str, str] = ("[", "]")) -> list[str]:
    """A YAML list, or mapping, over as many lines as it needs."""
    lines, line = [], ""
    for value in values:
        if line and len(line) + len(value) > _WIDTH:
            lines.append(line.rstrip())
            line = ""
        line += f"{value}, "
    lines.append(line.removesuffix(", "))
    pad = " " * indent
    return [f"{pad}{ends[0]}", *(f"{pad} {one}" for one in lines), f"{pad}{ends[1]}"]


# What all forms of a row share ----------------------------------------------------------------------------------------


def _fields(columns: Sequence[_Column], *, has_forms: bool) -> list[str]:
    shared = [c for c in columns if c.meant.get("instrument") is None and c.meant.get("moment") is None]
    lines = _patient(shared, has_forms=has_forms)
    if (programme := _best(shared, "programme")) is not None:
        lines.append(f"programme: {{column: {_text(programme.header)}}}{programme.mark}")
    if not has_forms:
        return lines
    if (response := _best(shared, "response_id")) is not None:
        lines.append(f"response_id: {_text(response.header)}{response.mark}")
    for role in (*_FIELDS, *_PLAIN):
        if (found := _best(shared, role)) is not None:
            lines.append(f"{role}: {{column: {_text(found.header)}}}{found.mark}")
    return lines


def _patient(columns: Sequence[_Column], *, has_forms: bool) -> list[str]:
    found = _best(columns, "patient")
    if found is not None:
        return [f"patient: {{column: {_text(found.header)}}}{found.mark}"]
    return [f"patient: {{column: {UNKNOWN}}}{CONFIRM}: no column looks like the patient number"] if has_forms else []


def _best(columns: Sequence[_Column], role: str) -> _Column | None:
    """The surest column of a role, the first of equals; a register's is meant, too."""
    mine = [c for c in columns if str(c.meant["role"]).rpartition(": ")[2] == role]
    return min(mine, key=lambda c: (not c.is_sure, -c.confidence), default=None)


# Forms ----------------------------------------------------------------------------------------------------------------


def _forms(columns: Sequence[_Column], instruments: Mapping[str, Instrument]) -> list[str]:
    """One form per instrument and moment that the columns name."""
    groups: dict[tuple[str, str | None], list[_Column]] = {}
    for column in columns:
        instrument = column.meant.get("instrument")
        if column.meant["role"] == "item" and instrument in instruments:
            groups.setdefault((str(instrument), column.meant.get("moment")), []).append(column)
    lines: list[str] = []
    for (instrument, moment), items in groups.items():
        own = [
            c for c in columns if c.meant.get("instrument") in (instrument, None) and c.meant.get("moment") == moment
        ]
        lines += _form(instruments[instrument], moment, items, own, shared=columns)
    return lines


def _form(
    instrument: Instrument,
    moment: str | None,
    items: Sequence[_Column],
    own: Sequence[_Column],
    *,
    shared: Sequence[_Column],
) -> list[str]:
    mark = "" if all(c.is_sure for c in items) else CONFIRM
    lines = [f"  - instrument: {instrument.id}{mark}"]
    lines += _ordered(instrument, items) if instrument.order_must_be_stated else _items(items, instrument)
    lines += [f"    {line}" for line in (*_moment(moment, shared), *_coding(instrument, items))]
    for role in _FIELDS:
        mine = [c for c in own if c.meant.get("instrument") or c.meant.get("moment")]
        if role != "submitted_at" and (found := _best(mine, role)) is not None:
            lines.append(f"    {role}: {{column: {_text(found.header)}}}{found.mark}")
    return lines


def _items(items: Sequence[_Column], instrument: Instrument) -> list[str]:
    numbers = {item.id: item.number for item in instrument.items}
    known = {numbers[str(c.meant["item"])]: c.header for c in items if c.meant.get("item") in numbers}
    unknown = [c.header for c in items if c.meant.get("item") not in numbers]
    pairs = [f"{_text(number)}: {_text(header)}" for number, header in known.items()]
    missing = [numbers[i] for i in instrument.needed_items if numbers[i] not in known]
    lines = ["    items:", *_flow(pairs, indent=6, ends=("{", "}"))]
    lines += [f"    # confirm: no column for number {', '.join(missing)}; without a column they were not asked"] * bool(
        missing
    )
    return lines + [f"    # confirm: not numbers of {instrument.name}: {', '.join(map(_comment, unknown))}"] * bool(
        unknown
    )


def _ordered(instrument: Instrument, items: Sequence[_Column]) -> list[str]:
    """Items found by prefix and number: in which printed order, nobody but a person with the form can say."""
    stems = {re.sub(r"[\W_]*\d+\W*$", "", c.header) for c in items}
    prefix = stems.pop() if len(stems) == 1 else UNKNOWN
    return [
        f"    prefix: {_text(prefix)}",
        f"    order: {UNKNOWN}{CONFIRM}: {' or '.join(instrument.orders)}, as the form prints its items",
    ]


def _moment(moment: str | None, columns: Sequence[_Column]) -> list[str]:
    if moment is None:
        found = _best([c for c in columns if c.meant.get("instrument") is None], "moment")
        return [f"moment: {{column: {_text(found.header)}}}{found.mark}"] if found is not None else []
    if _MOMENT.fullmatch(moment):
        return [f"moment: {{constant: {moment}}}{CONFIRM}"]
    return [f"# moment: {{constant: m6}}{CONFIRM}: baseline, m6, m12 ...; the columns say '{_comment(moment)}'"]


def _coding(instrument: Instrument, items: Sequence[_Column]) -> list[str]:
    told = {str(c.meant["coding"]) for c in items if c.meant.get("coding")}
    published = instrument.codings[0].id if instrument.codings else None
    known = [coding.id for coding in instrument.codings]
    if len(told) == 1 and (named := next(iter(told))) != published and named in known:
        return [f"coding: {named}" + ("" if all(c.is_sure for c in items) else CONFIRM)]
    if instrument.coding_must_be_stated:
        return [f"coding: {UNKNOWN}{CONFIRM}: {' or '.join(known)}"]
    if len(known) > 1:
        return [f"# coding: {published}   # where the file writes answers in another way: {', '.join(known[1:])}"]
    return []


# Registers, and what is left ------------------------------------------------------------------------------------------


def _registers(columns: Sequence[_Column]) -> list[str]:
    lines: list[str] = []
    for register, roles in REGISTER_ROLES.items():
        mine = {
            c.meant["role"].partition(": ")[2]: c for c in columns if str(c.meant["role"]).startswith(f"{register}: ")
        }
        pairs = [f"{name}: {_text(mine[role].header)}" for name, role in roles.items() if role in mine]
        if any(role in mine for role in roles.values() if role != "patient"):
            lines += [f"  - register: {register}", "    columns:", *_flow(pairs, indent=6, ends=("{", "}"))]
    return lines


def _left(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    left = [e for e in entries if e["role"] == NOT_TAKEN_IN and not e.get("proposal") and e["column"]]
    free = [e for e in left if str(e["reason"]).startswith("free text")]
    totals = [e for e in entries if e["role"] == "total"]
    rest = [e for e in left if e not in free]
    lines = []
    for what, some in (("free text", free), ("stored scores", totals), ("other columns", rest)):
        if some:
            lines.append(f"# Not taken in, {what}: {', '.join(_comment(str(e['column'])) for e in some)}")
    return lines


def _comment(text: str) -> str:
    """A header within a comment: on one line."""
    return " ".join(text.split())
