"""Applying mapping files to sheets: which one fits, and how it makes the sheet understood.

Belongs here: finding the columns that a mapping names. Does not belong here: the shape of a mapping file (`mapping`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from typing import Any

from mbt_rom.exports.accounts import coding_said
from mbt_rom.exports.answers import items_in_order, profile_items
from mbt_rom.exports.codings import declared_codings
from mbt_rom.exports.detection import opened_of, refuse_missing_items, unknown_numbers
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.mapping import ColumnOrConstant, Complete, DateColumn, Form, Mapping, MomentGiven, RegisterPart
from mbt_rom.exports.names import Spelling, column_key, item_key, items_by_key, normalised
from mbt_rom.exports.sheets import HEADER_WITHIN, Grid, RawSheet
from mbt_rom.exports.understanding import Condition, FormPlan, RegisterPlan, Source, Understanding, described
from mbt_rom.model import Instrument


def choose(grid: Grid, mappings: Sequence[Mapping]) -> tuple[Mapping, int] | None:
    """The mapping that fits the sheet and the position of its header; None when none fits.

    Raises `ExportError` mapping_ambiguous, naming them, when several do.
    """
    fitting = [(m, position) for m in mappings if (position := _header_of(grid, m)) is not None]
    if len(fitting) > 1:
        names = ", ".join(m.name for m, _ in fitting)
        raise ExportError("mapping_ambiguous", f"the mappings {names} all fit this sheet", sheet=grid.name)
    return fitting[0] if fitting else None


def _header_of(grid: Grid, mapping: Mapping) -> int | None:
    if mapping.sheet is not None and column_key(mapping.sheet) != column_key(grid.name or ""):
        return None
    wanted = {column_key(name) for name in mapping.matches.columns}
    within = min(HEADER_WITHIN, len(grid.cells))
    positions = range(within) if mapping.header_row is None else [mapping.header_row - 1]
    if grid.header is not None:
        positions = [grid.header]
    for position in positions:
        if position < len(grid.cells) and wanted <= {column_key(cell) for cell in grid.row_texts(position)}:
            return position
    return None


def understand_mapped(sheet: RawSheet, mapping: Mapping, instruments: Dict[str, Instrument]) -> Understanding:
    """How the mapping understands the sheet. What the mapping does not name is not taken in.

    Raises `ExportError` mapping_invalid (a column, instrument, item, coding or order that is not there), column_twice,
    item_count_wrong, raw_items_not_accepted, order_undeclared.
    """
    columns = _Columns(sheet, mapping)
    blocks: dict[str, int] = {}
    forms = []
    for form in mapping.forms:
        block = blocks.setdefault(form.instrument, 0)
        blocks[form.instrument] += 1
        forms.append(_form(form, block, columns, mapping, instruments))
    programme = mapping.programme
    return Understanding(
        sheet=sheet,
        mapping=mapping.name,
        mapping_hash=mapping.hash,
        patient=_patient(mapping, columns),
        is_surrogate=bool(mapping.patient and mapping.patient.surrogate),
        programme=Source(columns.at(programme.column, "programme"), codes=programme.map) if programme else None,
        response_id=Source(columns.at(mapping.response_id, "response_id")) if mapping.response_id else None,
        language=_value(mapping.language, "language", columns),
        mode=_value(mapping.mode, "mode", columns),
        respondent=_value(mapping.respondent, "respondent", columns),
        assisted=_value(mapping.assisted, "assisted", columns),
        only=tuple(
            Condition(columns.at(o.column, "condition"), frozenset(o.values) if o.values is not None else None)
            for o in mapping.only
        ),
        forms=tuple(forms),
        registers=tuple(_register(part, columns) for part in mapping.registers),
        columns=described(sheet, columns.told, dict.fromkeys(range(len(sheet.headers)), "not named in the mapping")),
    )


def _patient(mapping: Mapping, columns: _Columns) -> Source | None:
    """The one column of patient numbers, of forms and registers alike."""
    named = {part.columns["patient_id"] for part in mapping.registers if "patient_id" in part.columns}
    if mapping.patient is not None:
        named |= {mapping.patient.column} if mapping.patient.column is not None else set()
    if len({column_key(header) for header in named}) > 1:
        raise columns.invalid("'patient' and the registers name different columns of patient numbers; use two mappings")
    return Source(columns.at(named.pop(), "patient")) if named else None


class _Columns:
    """Columns of a sheet by header, keeping account of what each is used for."""

    def __init__(self, sheet: RawSheet, mapping: Mapping) -> None:
        self.sheet = sheet
        self.mapping = mapping
        self.told: dict[int, dict[str, Any]] = {}
        self._positions: dict[str, list[int]] = {}
        for i, header in enumerate(sheet.headers):
            self._positions.setdefault(column_key(header), []).append(i)

    def at(self, header: str, role: str, **told: Any) -> int:
        """Position of the column of that header."""
        positions = self._positions.get(column_key(header), [])
        if not positions:
            raise self.invalid(f"the sheet has no column '{header}'")
        if len(positions) > 1:
            raise ExportError(
                "column_twice",
                f"{len(positions)} columns are called '{header}', which mapping '{self.mapping.name}' names",
                sheet=self.sheet.name,
                column=header,
            )
        entry = {"role": role, "reason": f"mapping '{self.mapping.name}'", "confidence": 1.0, **told}
        if positions[0] not in self.told or self.told[positions[0]]["role"] == "condition":
            self.told[positions[0]] = entry
        return positions[0]

    def placed(self, error: ExportError) -> ExportError:
        """An error of the form, in this sheet."""
        return ExportError(error.rule, error.detail, sheet=self.sheet.name, column=error.column)

    def invalid(self, what: str) -> ExportError:
        """The error that the mapping does not fit the sheet, or itself."""
        return ExportError("mapping_invalid", f"mapping '{self.mapping.name}': {what}", sheet=self.sheet.name)


def _form(form: Form, block: int, columns: _Columns, mapping: Mapping, instruments: Dict[str, Instrument]) -> FormPlan:
    if form.instrument not in instruments:
        raise columns.invalid(f"there is no instrument '{form.instrument}'; there are {', '.join(instruments)}")
    instrument = instruments[form.instrument]
    if form.edition is not None and form.edition.casefold() != instrument.edition.casefold():
        raise columns.invalid(
            f"'{instrument.id}' is edition '{instrument.edition}', not '{form.edition}': name the instrument of that edition"
        )
    try:
        declared_codings(instrument, form.codings)
        profiled = profile_items(instrument) if form.profile is not None else ()
    except ExportError as error:
        raise (columns.invalid(error.detail) if error.rule == "mapping_invalid" else columns.placed(error)) from None
    items = (
        _named_items(form, instrument, columns) if form.prefix is None else _prefixed_items(form, instrument, columns)
    )
    constants = _constants(form, instrument, columns)
    _refuse_item_twice(instrument, columns, profiled, items, constants)
    told = {"instrument": instrument.id, "block": block}
    coding = coding_said(instrument, form.codings)
    positions = {item: columns.at(header, "item", item=item, coding=coding, **told) for item, header in items.items()}
    return FormPlan(
        instrument=instrument.id,
        block=block,
        items=positions,
        edition=instrument.edition,
        moment=_moment(form.moment, columns),
        date=_date(form.date or mapping.date, "date", columns),
        submitted_at=_date(mapping.submitted_at, "submitted_at", columns),
        complete=_complete(form.complete or mapping.complete, columns),
        coding=form.codings,
        missing=(*mapping.missing, *form.missing),
        interviewer=_value(form.interviewer or mapping.interviewer, "interviewer", columns),
        is_blind=_value(form.is_blind or mapping.is_blind, "is_blind", columns),
        profile=columns.at(form.profile, "profile", **told) if form.profile is not None else None,
        constants=constants,
        opened=opened_of(columns.sheet, positions.values()) if len(mapping.forms) == 1 else None,
    )


def _named_items(form: Form, instrument: Instrument, columns: _Columns) -> dict[str, str]:
    named: dict[str, str] = {}
    for written, header in (form.items or {}).items():
        item = _item(written, instrument, columns)
        if item in named:
            raise columns.invalid(f"item '{item}' of {instrument.name} is named twice in one form")
        named[item] = header
    return named


def _item(written: str, instrument: Instrument, columns: _Columns) -> str:
    """Id of the item that a mapping calls by id, number or tag."""
    keys = {**items_by_key(instrument.items), **{item.id: item.id for item in instrument.items}}
    item = keys.get(written.casefold()) or keys.get(item_key(written))
    if item is None:
        raise columns.invalid(f"{instrument.name} has no item '{written}'; it has {', '.join(instrument.item_ids)}")
    return item


def _constants(form: Form, instrument: Instrument, columns: _Columns) -> dict[str, int]:
    constants: dict[str, int] = {}
    for written, value in form.constants.items():
        item = instrument.item(_item(written, instrument, columns))
        if not re.fullmatch(r"\d{1,5}", value) or not item.allows(int(value)):
            raise columns.invalid(f"the constant of '{written}' must be a whole number: {item.bounds}")
        constants[item.id] = int(value)
    return constants


def _refuse_item_twice(instrument: Instrument, columns: _Columns, *named: Iterable[str]) -> None:
    every = [item for items in named for item in items]
    if twice := sorted({item for item in every if every.count(item) > 1}):
        raise columns.invalid(
            f"{twice[0]} of {instrument.name} is given twice: 'items', 'prefix', 'profile' and 'constants' may not overlap"
        )


def _prefixed_items(form: Form, instrument: Instrument, columns: _Columns) -> dict[str, str]:
    sheet = columns.sheet
    try:
        order = items_in_order(instrument, form.order)
    except ExportError as error:
        raise (columns.invalid(error.detail) if error.rule == "mapping_invalid" else columns.placed(error)) from None
    spelling = Spelling(normalised(form.prefix or ""), instrument, order=order)
    read = [(header, m) for header in sheet.headers if header and (m := spelling.meaning(normalised(header)))]
    found: dict[str, str] = {}
    for header, meaning in read:
        if meaning.role != "item" or meaning.item is None:
            continue
        if meaning.item in found:
            raise ExportError(
                "column_twice",
                f"'{found[meaning.item]}' and '{header}' begin with '{form.prefix}' and would both be {meaning.item}",
                sheet=sheet.name,
                column=header,
            )
        found[meaning.item] = header
    unknown = [header for header, meaning in read if meaning.role == "item" and meaning.item is None]
    if unknown:
        raise unknown_numbers(sheet, instrument, unknown, n_columns=len(found) + len(unknown))
    if not found:
        raise columns.invalid(f"no column begins with '{form.prefix}' and goes on as an item of {instrument.name}")
    refuse_missing_items(sheet, found, instrument)
    return found


def _moment(given: MomentGiven | None, columns: _Columns) -> Source | None:
    if given is None:
        return None
    column = columns.at(given.column, "moment") if given.column is not None else None
    return Source(column, given.constant, codes=given.map)


def _date(given: DateColumn | None, role: str, columns: _Columns) -> Source | None:
    return Source(columns.at(given.column, role), format=given.format) if given is not None else None


def _complete(given: Complete | None, columns: _Columns) -> Source | None:
    return Source(columns.at(given.column, "complete"), yes=given.values) if given is not None else None


def _value(given: ColumnOrConstant | None, role: str, columns: _Columns) -> Source | None:
    if given is None:
        return None
    column = columns.at(given.column, role) if given.column is not None else None
    return Source(column, given.constant, codes=given.map)


def _register(part: RegisterPart, columns: _Columns) -> RegisterPlan:
    name = part.register_name
    return RegisterPlan(
        name,
        {
            column: Source(
                columns.at(header, f"{name}: {column}"), codes=part.values.get(column), format=part.formats.get(column)
            )
            for column, header in part.columns.items()
            if column != "patient_id"
        },
    )
