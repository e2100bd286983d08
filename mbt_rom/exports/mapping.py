"""A mapping file: how one kind of export is to be read, stated by a person (guide: `docs/mapping-files.md`).

Belongs here: the shape of a mapping file and reading it from text. Does not belong here: applying it to a sheet
(`understanding`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Dict
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import AfterValidator, Field, ValidationError, model_validator

from mbt_rom.model import Frozen, Identifier
from mbt_rom.registers import REGISTERS, Register
from mbt_rom.settings import SettingsError

Texts = tuple[str, ...]


def _known_register(name: str) -> str:
    if name not in REGISTERS:
        raise ValueError(f"there is no register '{name}'; there are {', '.join(REGISTERS)}")
    return name


class Matches(Frozen):
    """A mapping applies to a sheet that has all these columns."""

    columns: Annotated[Texts, Field(min_length=1)]


class PatientColumn(Frozen):
    """Where the patient number stands; or `surrogate: row` where an export has none and each row is a person."""

    column: str | None = None
    surrogate: Literal["row"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.column is None) == (self.surrogate is None):
            raise ValueError("give either 'column' or 'surrogate: row'")
        return self


class ProgrammeColumn(Frozen):
    """Where the programme's code stands. Without `map`, the code in small letters must be a programme of the settings."""

    column: str
    map: dict[str, Identifier] | None = None


class DateColumn(Frozen):
    """Where a date stands and, where it cannot be told from the cells, how it is written: 'dd/mm/yyyy' or '%d/%m/%Y'."""

    column: str
    format: str | None = None


class MomentGiven(Frozen):
    """The moment of a form: a constant, or a column whose codes `map` translates."""

    constant: Annotated[str, Field(pattern=r"^(baseline|m\d{1,3})$")] | None = None
    column: str | None = None
    map: dict[str, Annotated[str, Field(pattern=r"^(baseline|m\d{1,3})$")]] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either 'constant' or 'column'")
        return self


class Complete(Frozen):
    """The column that says whether a form was finished, and the codes that mean yes."""

    column: str
    values: Texts = ("1", "yes", "true", "ja")


class ColumnOrConstant(Frozen):
    """A value from a column (`map` translates its codes) or the same for all rows."""

    column: str | None = None
    constant: str | None = None
    map: dict[str, str] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either 'column' or 'constant'")
        return self


class Only(Frozen):
    """A condition on rows; rows that do not meet it are left out and counted."""

    column: str
    values: Annotated[Texts | None, Field(alias="in")] = None
    not_empty: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.values is None) != self.not_empty:
            raise ValueError("give either 'in: [...]' or 'not_empty: true'")
        return self


class Form(Frozen):
    """One form of an instrument on a row. Several forms of one instrument on a row are its blocks, in this order.

    `items` names the column of each item, by item id or number; `prefix` finds them by prefix and number instead, in the printed
    `order` of that name. `profile` is a column of health states ('11232'), beside which `items` may name the thermometer.
    `constants` are answers that hold for every row.
    """

    instrument: Identifier
    items: dict[str, str] | None = None
    prefix: str | None = None
    profile: str | None = None
    order: Identifier | None = None
    constants: dict[str, str] = {}
    moment: MomentGiven | None = None
    date: DateColumn | None = None
    complete: Complete | None = None
    interviewer: ColumnOrConstant | None = None
    is_blind: ColumnOrConstant | None = None
    edition: str | None = None
    coding: Identifier | tuple[Identifier, ...] = ()
    missing: Texts = ()

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.items is None and self.profile is None) == (self.prefix is None):
            raise ValueError(
                "give either 'items' (item: column) or 'prefix'; or 'profile', with 'items' where it is not all"
            )
        if self.order is not None and self.prefix is None:
            raise ValueError("'order' goes with 'prefix': 'items' says itself which column is which item")
        return self

    @property
    def codings(self) -> tuple[str, ...]:
        """The declared codings."""
        return (self.coding,) if isinstance(self.coding, str) else self.coding


class RegisterPart(Frozen):
    """Columns of one register: table column -> column of the export; `values` translates codes, e.g. of sex."""

    register_name: Annotated[str, Field(alias="register"), AfterValidator(_known_register)]
    columns: dict[str, str]
    values: dict[str, dict[str, str]] = {}
    formats: dict[str, str] = {}

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        register = REGISTERS[self.register_name]
        allowed = register.column_names
        if unknown := sorted({*self.columns, *self.values, *self.formats} - set(allowed)):
            raise ValueError(f"register '{self.register_name}' has no column {unknown}; it has {', '.join(allowed)}")
        needed = [name for name in register.required if name != "patient_id" and name not in self.columns]
        if needed:
            raise ValueError(f"register '{self.register_name}' needs its key: {', '.join(needed)}")
        self._refuse_unknown_codes(register)
        return self

    def _refuse_unknown_codes(self, register: Register) -> None:
        for name, codes in self.values.items():
            allowed = {"boolean": ("yes", "no")}.get(register.column(name).kind, tuple(register.column(name).codes))
            if allowed and (unknown := sorted(set(codes.values()) - set(allowed))):
                raise ValueError(f"values.{name}: {unknown} may not stand there; codes are {', '.join(allowed)}")


class Mapping(Frozen):
    """A mapping file. Everything that it does not name is not taken in."""

    name: Identifier
    matches: Matches
    description: str | None = None
    sheet: str | None = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    missing: Texts = ()
    patient: PatientColumn | None = None
    programme: ProgrammeColumn | None = None
    date: DateColumn | None = None
    response_id: str | None = None
    submitted_at: DateColumn | None = None
    complete: Complete | None = None
    language: ColumnOrConstant | None = None
    mode: ColumnOrConstant | None = None
    respondent: ColumnOrConstant | None = None
    assisted: ColumnOrConstant | None = None
    interviewer: ColumnOrConstant | None = None
    is_blind: ColumnOrConstant | None = None
    only: tuple[Only, ...] = ()
    forms: tuple[Form, ...] = ()
    registers: tuple[RegisterPart, ...] = ()

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.forms and not self.registers:
            raise ValueError("give at least one form under 'forms' or one register under 'registers'")
        if self.patient is None and (self.forms or any("patient_id" not in r.columns for r in self._about_patients())):
            raise ValueError("'patient' is missing: give 'column', or 'surrogate: row' where the export has no numbers")
        return self

    def _about_patients(self) -> list[RegisterPart]:
        return [part for part in self.registers if "patient_id" in REGISTERS[part.register_name].required]

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that change whenever the mapping does."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()[:16]


class _RepeatedKeyError(Exception):
    def __init__(self, key: str, line: int) -> None:
        super().__init__(key)
        self.key = key
        self.line = line


class _TextLoader(yaml.BaseLoader):
    """Reads every value as the text that stands there: YAML itself would make True of a column 'On' and 8 of a code 010."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """The mapping, whose keys must differ: YAML itself would drop all but the last."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise _RepeatedKeyError(str(key.value), key.start_mark.line + 1)
            if isinstance(key.value, str):
                seen.add(key.value)
        found: dict[Any, Any] = super().construct_mapping(node, deep=True)
        return found


def parse_mapping(text: str, *, file: str) -> Mapping:
    """The mapping that a YAML text states.

    Raises `SettingsError` naming the file, the key, what is wrong and what may stand there.

    >>> try:
    ...     parse_mapping("name: x\\nmatches: {columns: [A]}", file="x.yaml")
    ... except SettingsError as error:
    ...     print(error)
    x.yaml, key '(whole file)': give at least one form under 'forms' or one register under 'registers'
    """
    try:
        raw: Any = yaml.load(text, Loader=_TextLoader)  # noqa: S506  makes nothing but text, lists and dicts
    except _RepeatedKeyError as error:
        raise SettingsError(f"{file}, line {error.line}, key '{error.key}': stands there twice; remove one") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{file}{where}: not YAML; check indentation and colons there") from None
    if not isinstance(raw, Dict):
        raise SettingsError(f"{file}: must be a list of keys such as 'name:' and 'forms:'; see docs/mapping-files.md")
    try:
        return Mapping.model_validate(raw)
    except ValidationError as error:
        sentences = [_sentence(file, e) for e in error.errors(include_url=False, include_input=False)]
        raise SettingsError("\n".join(sentences)) from None


def _sentence(file: str, error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(whole file)"
    remedy = "; remove it or correct its spelling" if error["type"] == "extra_forbidden" else ""
    return f"{file}, key '{key}': {error['msg'].removeprefix('Value error, ')}{remedy}"
