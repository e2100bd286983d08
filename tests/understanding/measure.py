"""How well columns are understood: a folder of exports held against what each of their columns is.

    python tests/understanding/measure.py FOLDER [--columns]

FOLDER/truth.json: {file: {"usual": [instrument ...], "sheets": {sheet or "": {header: {"role", "instrument", "item", "also"}}}}}, where
"sheets" may be left out; "codebooks" names files delivered beside it. Role "none": the column must not be taken in. `also`: other
roles that a careful person could defend.

Per column: *right* (taken in as what it is, or left out where it must be), *refused* (it should have been taken in and was not,
or its file was refused), *wrong silently* (taken in as something else). The rate of the last is given with the upper limit of its
exact 95 % interval (Clopper and Pearson), over columns and over files: columns of one file are no independent trials.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scipy.stats import beta

from mbt_rom import registry
from mbt_rom.conform import Conformed, deliver
from mbt_rom.exports.codebook import Codebook
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium

RIGHT, REFUSED, WRONG = "right", "refused", "wrong silently"
#: Roles that are taken in only to be held against a register or an interview: for the truth they are columns that hold no answer.
_CHECKED_ONLY = frozenset(
    {"birth_year", "sex", "respondent", "assisted", "interviewer", "is_blind", "opened", "not_taken_in"}
)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Outcome:
    """What became of one column."""

    file: str
    sheet: str
    header: str
    truth: str
    found: str
    outcome: str
    why: str
    is_proposed: bool


def settings(usual: Sequence[str]) -> Consortium:
    """A consortium of one programme with these instruments."""
    return Consortium.model_validate(
        {
            "name": "blind",
            "issuers": {"hospital": {"form": "text", "allows_nine_digits": True}},
            "programmes": {"here": {"name": "Here", "issuer": "hospital", "instruments": list(usual)}},
        }
    )


def read(folder: Path, name: str, usual: Sequence[str], codebooks: Sequence[Codebook] = ()) -> Conformed:
    """One file of the folder, delivered as to a programme that uses these instruments."""
    return deliver(
        (folder / name).read_bytes(),
        file_name=name,
        programme_id="here",
        delivery_id="0" * 64,
        received_at=_NOW,
        settings=settings(usual),
        instruments={i: d for i, d in registry.instruments().items() if d.monitors == "outcome"},
        pseudonyms=Pseudonyms(b"k" * 32),
        codebooks=codebooks,
    )


def outcomes(folder: Path) -> Iterator[Outcome]:
    """What became of every column of the folder."""
    for name, entry in json.loads((folder / "truth.json").read_text(encoding="utf-8")).items():
        books = [read(folder, book, entry["usual"]).codebook for book in entry.get("codebooks", [])]
        conformed = read(folder, name, entry["usual"], [book for book in books if book is not None])
        sheets = entry.get("sheets") or {s: c for s, c in entry.items() if s not in ("usual", "codebooks")}
        for sheet, truth in sheets.items():
            yield from _of_sheet(name, sheet, truth, conformed, is_only=len(sheets) == 1)


def _of_sheet(
    name: str, sheet: str, truth: Mapping[str, Any], conformed: Conformed, *, is_only: bool
) -> Iterator[Outcome]:
    told: dict[str, list[dict[str, Any]]] = {}
    for column in conformed.understood:
        if is_only or (column["sheet"] or "") == sheet:
            told.setdefault(column["column"] or "", []).append(column)
    for header, meant in truth.items():
        found = told.get(_short(header)) or [{"role": "not_taken_in", "reason": "no such column was found"}]
        for column in found:
            outcome = judged(meant, column, refused=conformed.refused_for)
            why = conformed.refused_for or ""
            detail = conformed.findings["detail"].iloc[0] if why else column.get("reason")
            said = f"{why} {detail}".strip()
            yield Outcome(name, sheet, header, _said(meant), _said(column), outcome, said, _is_proposed(meant, column))


def _is_proposed(meant: Mapping[str, Any], column: Mapping[str, Any]) -> bool:
    """Whether a column that was not taken in is proposed as what it is: one confirmation away."""
    guess = column.get("proposal")
    if not guess:
        return False
    return judged(meant, {"instrument": None, "item": None, **guess}) == RIGHT


def _short(header: str) -> str:
    header = header.strip()
    return header if len(header) <= 120 else header[:117] + "..."


def judged(meant: Mapping[str, Any], column: Mapping[str, Any], *, refused: str | None = None) -> str:
    """Right, refused or wrong silently. Of a refused file nothing counts as right."""
    if refused:
        return REFUSED
    role = column["role"].rpartition(": ")[2]
    role = "none" if role in _CHECKED_ONLY else role
    if role not in (meant["role"], *meant.get("also", ())):
        return REFUSED if role == "none" else WRONG
    if role == "item" and (column["instrument"], column["item"]) != (meant["instrument"], meant["item"]):
        return WRONG
    if role == "total" and meant.get("instrument") not in (None, column["instrument"]):
        return WRONG
    return RIGHT


def _said(column: Mapping[str, Any]) -> str:
    return " ".join(str(column[key]) for key in ("role", "instrument", "item") if column.get(key))


def upper_bound(n_wrong: int, n: int, *, confidence: float = 0.95) -> float:
    """Upper limit of the exact two-sided interval of a rate (Clopper and Pearson); of none wrong among 100 it is 0.0362."""
    return 1.0 if n_wrong >= n else float(beta.ppf((1 + confidence) / 2, n_wrong + 1, n - n_wrong))


def report(found: Sequence[Outcome], *, columns: bool) -> str:
    """The counts, the upper limits, and the columns that were not right."""
    n = Counter(one.outcome for one in found)
    meant = [one for one in found if one.truth != "none"]
    files = {one.file for one in found}
    wrong_files = {one.file for one in found if one.outcome == WRONG}
    lines = [
        f"files {len(files)}, columns {len(found)} (to be taken in: {len(meant)})",
        *(f"{kind}: {n[kind]} ({n[kind] / len(found):.1%})" for kind in (RIGHT, REFUSED, WRONG)),
        f"of those to be taken in, right: {sum(o.outcome == RIGHT for o in meant)} "
        f"({sum(o.outcome == RIGHT for o in meant) / len(meant):.1%})",
        f"refused, but proposed as what they are: {sum(o.outcome == REFUSED and o.is_proposed for o in meant)}",
        f"wrong silently, upper 95 % limit: {upper_bound(n[WRONG], len(found)):.2%} of columns, "
        f"{upper_bound(len(wrong_files), len(files)):.1%} of files",
    ]
    refused = Counter((o.file, o.why) for o in found if o.outcome == REFUSED)
    lines += [f"  refused {k:>4}  {file}: {why}" for (file, why), k in refused.most_common()] if not columns else []
    bad = [o for o in found if o.outcome == WRONG or (columns and o.outcome == REFUSED)]
    return "\n".join(
        lines
        + [f"  {o.outcome}: {o.file} [{o.sheet}] {o.header[:60]!r}: {o.truth} -> {o.found} ({o.why})" for o in bad]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--columns", action="store_true", help="every column that was not right")
    arguments = parser.parse_args()
    print(report(list(outcomes(arguments.folder)), columns=arguments.columns))
