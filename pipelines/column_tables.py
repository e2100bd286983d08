"""The table that says how the columns of a file were understood, and the mapping files drafted from it; for `load` and `deliveries`.

Belongs here: lines for people and writing drafts. Does not belong here: what a column is (`mbt_rom.exports`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mbt_rom.model import Instrument

TO_CONFIRM, FREE_TEXT, NOT_TAKEN_IN = "to confirm", "free text", "not taken in"
_HEAD = ("column", "what it is", "coding", "sure", "why")
_WIDEST = (34, 40, 14, 5)


def table(understood: Sequence[Mapping[str, Any]], *, n_rows: int | None) -> list[str]:
    """Lines of a table: column, what it is, coding, how sure that is, why. Columns to confirm say what they probably are."""
    if not understood:
        return []
    rows = [_HEAD, *(_row(column) for column in understood)]
    widths = [min(max(len(row[i]) for row in rows), most) for i, most in enumerate(_WIDEST)]
    lines = ["  " + "  ".join([*(_cut(row[i], widths[i]) for i in range(4)), row[4]]).rstrip() for row in rows]
    return [*lines, f"  {_counted(understood, n_rows)}"]


def standing(column: Mapping[str, Any]) -> str:
    """Whether a column is taken in, waits to be confirmed, is free text, or is left."""
    if column["role"] != "not_taken_in":
        return "taken in"
    if column.get("proposal"):
        return TO_CONFIRM
    return FREE_TEXT if str(column.get("reason") or "").startswith("free text") else NOT_TAKEN_IN


def _row(column: Mapping[str, Any]) -> tuple[str, str, str, str, str]:
    place = f"{column['sheet']}: " if column.get("sheet") else ""
    state = standing(column)
    meant = column if state == "taken in" else column.get("proposal") or {}
    what = _what(meant) if meant else state
    shown = f"{state}: {what}" if state == TO_CONFIRM else what
    sure = f"{column['confidence']:.2f}" if meant and column.get("confidence") is not None else ""
    coding = str(meant.get("coding") or "")
    return f"{place}{column['column'] or ''}", shown, coding, sure, str(column.get("reason") or "")


def _what(meant: Mapping[str, Any]) -> str:
    named = [str(meant[key]) for key in ("instrument", "item", "scale", "moment") if meant.get(key)]
    return " ".join([str(meant["role"]).replace("_", " "), *named])


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    return text.ljust(width) if len(text) <= width else f"{text[: width - 3]}..."


def _counted(understood: Sequence[Mapping[str, Any]], n_rows: int | None) -> str:
    n = Counter(standing(column) for column in understood)
    parts = [f"{n[state]} {state}" for state in ("taken in", TO_CONFIRM, FREE_TEXT, NOT_TAKEN_IN)]
    return f"{n_rows or 0} rows; {len(understood)} columns: {', '.join(parts)}"


def write_drafts(
    understood: Sequence[Mapping[str, Any]], target: Path, *, name: str, instruments: Mapping[str, Instrument]
) -> None:
    """Writes one draft per sheet of the file, the first to `target`, and says so. Overwrites nothing."""
    from assets.home import write_atomically
    from mbt_rom.exports.drafting import CONFIRM, draft, sheets_of

    drafts = [
        (s, draft(understood, name=_named(name, s, i), sheet=s, instruments=instruments))
        for i, s in enumerate(sheets_of(understood))
    ]
    written = [(sheet, text) for sheet, text in drafts if text is not None]
    if not written:
        raise click.UsageError(
            "no questionnaire and no register was recognised; write the mapping file by hand (docs/mapping-files.md)"
        )
    if target.suffix not in (".yaml", ".yml"):
        raise click.BadParameter("the ending of the draft must be .yaml")
    paths = [target.with_stem(_named(target.stem, sheet, i)) for i, (sheet, _) in enumerate(written)]
    if there := [str(path) for path in paths if path.exists()]:
        raise click.UsageError(f"{there[0]} exists; nothing was written")
    for path, (_, text) in zip(paths, written, strict=True):
        write_atomically(path, text.encode())
        n = sum(CONFIRM.strip() in line for line in text.splitlines()[2:])
        click.echo(f"{path}: drafted, {n} lines to confirm. Then: rom load FILE --programme PROGRAMME --mapping {path}")


def _named(name: str, sheet: str | None, place: int) -> str:
    """The name of the first draft, and for further sheets the name with that of the sheet."""
    return name if place == 0 else f"{name}_{re.sub(r'[^a-z0-9]+', '_', str(sheet or place).casefold()).strip('_')}"
