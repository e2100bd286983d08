"""Which register a sheet holds, by the names of its columns or by what the sheet says of itself.

Belongs here: choosing the register and its columns. Does not belong here: what registers there are and what their columns may be called
(`mbt_rom.registers`), forms (`detection`), mapping files (`mapped`), rows (`mbt_rom.sheet_rows`).

A sheet is a register only where that is unmistakable: all columns that its rows need are there, one of them has a name that no other
register has (or all have exactly our own names), and no other register would fit as well. Everything else asks for a mapping file.
"""

from __future__ import annotations

from collections.abc import Mapping

from mbt_rom.exports import shapes
from mbt_rom.exports.columns import Columns
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import normalised
from mbt_rom.registers import REGISTERS, Register, RegisterColumn

#: Of these at least one must be there beside the key, or the sheet is no such register.
_TELLING: dict[str, tuple[str, ...]] = {
    "episodes": ("started_on", "referred_on", "ended_on"),
    "therapists": ("function", "started_on", "ended_on"),
    "patients": ("birth_year", "sex"),
}
#: Register -> column of its table -> role under which the account of a file names it.
REGISTER_ROLES: dict[str, dict[str, str]] = {
    name: {column.name: column.role for column in register.columns} for name, register in REGISTERS.items()
}
#: Rank of a column with a sure name of its role.
_SURE = 1
#: How the facts of a column say which register and column it is: 'spells: phase' (see `register_book`).
_STATED = {f"{name}: {column}": (name, column) for name, r in REGISTERS.items() for column in r.column_names}


def stated_role(register: str, column: str) -> str:
    """The role by which a sheet that says itself what it holds names a column."""
    return f"{register}: {column}"


def register_of(columns: Columns) -> tuple[Register, dict[str, int]] | None:
    """The register that a sheet holds and the position of each of its columns; None where that cannot be told.

    The column of patient numbers may stand there under the tool's own role, and then has no position here. Raises `ExportError`
    column_twice where two columns could be the same one.
    """
    stated = _stated(columns)
    if stated is not None:
        return stated
    names = {i: normalised(columns.sheet.codes[i]) for i, header in enumerate(columns.sheet.headers) if header}
    fitting = [(r, found) for r in REGISTERS.values() if (found := _candidates(columns, r, names)) is not None]
    if not fitting:
        return None
    most = max(len(found) for _, found in fitting)
    best = [(r, found) for r, found in fitting if len(found) == most]
    if len(best) > 1 and not all(r.is_core for r, _ in best):
        return None
    register, candidates = best[0]
    return register, _alone(columns, register, candidates)


def _stated(columns: Columns) -> tuple[Register, dict[str, int]] | None:
    facts = ((i, columns.sheet.fact(i).role) for i in range(len(columns.sheet.headers)))
    found = {_STATED[role]: i for i, role in facts if role in _STATED}
    names = {name for name, _ in found}
    if len(names) != 1:
        return None
    return REGISTERS[names.pop()], {column: i for (_, column), i in found.items()}


def _candidates(columns: Columns, register: Register, names: Mapping[int, str]) -> dict[str, list[int]] | None:
    """Per column of the register the positions that are as sure as each other; None where the sheet is not that register without doubt."""
    found: dict[str, list[int]] = {}
    for column in register.columns:
        taken = {position for positions in found.values() for position in positions}
        ranked = [
            (r, i) for i, name in names.items() if i not in taken and (r := _rank(columns, i, name, column)) is not None
        ]
        best = [i for rank, i in ranked if rank == min(r for r, _ in ranked)]
        if best and (len(best) == 1 or column.is_required or min(r for r, _ in ranked) <= _SURE):
            found[column.name] = best
    return found if _is_told(columns, register, found, names) else None


def _rank(columns: Columns, position: int, name: str, column: RegisterColumn) -> int | None:
    """How sure a column is of this name: 0 its own, 1 that of a role, 2 a second choice, 3 a plain one; None where it is not."""
    rank = _rank_of_name(columns, position, name, column)
    if rank is not None and column.kind == "date" and shapes.against("date", columns.sample(position)) is not None:
        return None
    return rank


def _rank_of_name(columns: Columns, position: int, name: str, column: RegisterColumn) -> int | None:
    if name == column.name or name in column.headers:
        return 0
    of_role = [m.rank for m in columns.meanings.get(position, ()) if m.role in column.roles and m.instrument is None]
    if of_role:
        return _SURE + min(of_role)
    return 3 if name in column.plain else None


def _alone(columns: Columns, register: Register, candidates: Mapping[str, list[int]]) -> dict[str, int]:
    headers = columns.sheet.headers
    for name, positions in candidates.items():
        if len(positions) > 1:
            both = " and ".join(f"'{headers[i]}'" for i in positions[:2])
            raise ExportError(
                "column_twice",
                f"{both} could both be the {register.column(name).role.replace('_', ' ')}; name one in a mapping file",
                sheet=columns.sheet.name,
                column=headers[positions[1]],
            )
    return {name: positions[0] for name, positions in candidates.items()}


def _is_told(columns: Columns, register: Register, found: Mapping[str, list[int]], names: Mapping[int, str]) -> bool:
    """Whether these columns say without doubt that the sheet is this register."""
    if not register.has_patients and _has_patients(columns):
        return False
    if register.is_core:
        return _is_told_core(columns, register, found)
    if any(name not in found for name in register.required):
        return False
    said = {name: names[positions[0]] for name, positions in found.items() if name != "patient_id"}
    is_own = all(name == own for own, name in said.items())
    return register.is_told_by_key or is_own or any(name in register.column(own).headers for own, name in said.items())


def _has_patients(columns: Columns) -> bool:
    return any(m.role == "patient" and m.rank <= 0 for found in columns.meanings.values() for m in found)


def _is_told_core(columns: Columns, register: Register, found: Mapping[str, list[int]]) -> bool:
    if register.key[0] not in found or not set(_TELLING[register.name]) & set(found):
        return False
    # A number of a second-choice name and a sex stand in the data of any study: no register follows from them.
    return register.name != "patients" or "birth_year" in found or _has_patients(columns)
