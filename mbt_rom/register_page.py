"""The page about the registers, `docs/registers.md`: what each is for, its columns, an example, and what is missing without it.

Belongs here: turning the declarations into Markdown. Does not belong here: any declaration (`registers`), writing files (`make docs` catches
what this module prints).
"""

from __future__ import annotations

from collections.abc import Mapping

from mbt_rom.markdown import table
from mbt_rom.register_forms import MOMENTS
from mbt_rom.registers import REGISTERS, Register, RegisterColumn

_INTRODUCTION = """\
# Registers

<!-- generated from mbt_rom/registers.py; do not edit -->

A register tells what forms cannot: who is in treatment, since when, with whom, and what happened. Each is optional. **Where one is missing,
what depends on it is *no data*, never zero.** A programme begins with patients and episodes; everything else can come later, one by one.

There are three ways to deliver one, and all of them may be used for the same register:

1. **An export** (CSV, XLSX ...) whose columns are called as below, in English or Dutch: `rom load FILE --programme P`, or the file in
   the inbox. `--dry-run` shows how every column was understood. A sheet is taken for a register only where that is unmistakable.
2. **An export with a mapping file**, where columns or codes are called otherwise ([mapping files](mapping-files.md)).
3. **A workbook that is typed into**: `rom template spells` writes one for a register, `rom template registers` one with a sheet for each.
   Codes are drop-downs, dates are checked, a note says in English and Dutch what belongs where.

```
rom template registers -o registers.xlsx
rom load registers.xlsx --programme our_programme
```

What holds for all of them:

* **Of rows with one key the one delivered last counts.** To change a row, deliver it again; to end something, give it a last day. A row that
  a later file no longer holds stays as it was. The first delivery is kept, and what was known on an earlier day can be computed again.
* `from_on` is the first day and `until_on` the last day on which something holds; both count. Without a last day it still holds.
* Codes are lower-case English words; Dutch and English words that mean them are read, whatever their case. A number is no word: a mapping
  must say what a 1 means.
* Patients and staff are replaced by keyed pseudonyms at the door, the same ones in every register. **Names and free text are never taken
  in**; a team or a medicine is one short name.
* A row that lacks a column marked *needed*, or has an unreadable date, an unknown code in a needed column, a last day before its first or
  a patient who is not in the register of patients, is set aside with a finding ([rules](rules.md)). An unknown code elsewhere
  counts as not recorded; in `given_by` of a permission, where nothing recorded may stand for the patient, it sets the row aside.
* A file or sheet without rows says nothing: it cannot tell that there was nothing to tell.
"""
_EXAMPLES: Mapping[str, str] = {
    "patient": "001001",
    "staff": "T12",
    "episode": "E7",
    "boolean": "yes",
    "count": "5",
    "instrument": "phq9",
    "moment": MOMENTS[1],
    "birth_year": "1990",
}
_WORDS = {"medicine": "N06AB04"}
_DAYS = ("2026-01-12", "2026-02-02", "2026-03-02", "2026-04-01", "2027-06-30", "2027-06-28", "2028-06-30")


def registers_page() -> str:
    """The page, as Markdown: what holds for all registers, an overview, and a section for each.

    >>> "## `spells`" in registers_page()
    True
    """
    overview = table(
        ["register", "holds", "without it no data on"],
        [[f"[`{r.name}`](#{r.name})", r.meaning, r.without] for r in REGISTERS.values()],
    )
    sections = [line for register in REGISTERS.values() for line in _section(register)]
    return "\n".join([_INTRODUCTION, *overview, "", *sections])


def example(register: Register) -> str:
    """Two lines of CSV: the names of the columns, and a row in which every one of them holds something.

    >>> print(example(REGISTERS["medication"]))
    patient_id,medicine,from_on,until_on
    001001,N06AB04,2026-01-12,2026-02-02
    """
    days = iter(_DAYS)
    cells = [next(days) if column.kind == "date" else _cell(column) for column in register.columns]
    return f"{','.join(register.column_names)}\n{','.join(cells)}"


def _cell(column: RegisterColumn) -> str:
    if column.codes:
        return next(iter(column.codes))
    return _WORDS.get(column.name) or _EXAMPLES.get(column.kind, "Team A")


def _section(register: Register) -> list[str]:
    rows = [
        [f"`{c.name}`", "needed" if c.is_required else "", c.meaning, _read(c), c.meaning_nl] for c in register.columns
    ]
    key = ", ".join(f"`{name}`" for name in register.key)
    return [
        f"## `{register.name}`",
        "",
        f"{register.title} ({register.title_nl}). {register.meaning} Without it there is no data on {register.without}.",
        "",
        f"Rows are told apart by {key}.",
        "",
        *table(["column", "needed", "what", "may hold", "in het Nederlands"], rows),
        "",
        "```",
        example(register),
        "```",
        "",
    ]


def _read(column: RegisterColumn) -> str:
    """What may stand in a column, with the words by which codes are read."""
    if column.codes:
        return "; ".join(_code(code, words) for code, words in column.codes.items())
    said = {
        "patient": "the patient number",
        "staff": "the code of a member of staff",
        "episode": "the number of the episode",
        "date": "a date",
        "boolean": "yes or no, ja or nee",
        "count": "a whole number",
        "word": "one short name",
        "instrument": "an instrument",
        "moment": ", ".join(MOMENTS),
        "birth_year": "a year or a date of birth",
    }
    return said[column.kind]


def _code(code: str, words: str) -> str:
    others = [word.replace("_", " ") for word in words.split()[1:]]
    return f"`{code}` ({', '.join(others)})" if others else f"`{code}`"


if __name__ == "__main__":
    print(registers_page(), end="")
