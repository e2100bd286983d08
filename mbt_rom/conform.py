"""A delivered export as rows of our tables: items, registers, and findings about what is wrong. Drops nothing.

Belongs here: the way of a delivery from bytes to tables, and refusing it. Does not belong here: the rows of one sheet
(`sheet_rows`), reading bytes, deciding what a column means (`exports`), judging answers and dates (`expectations`), deciding
what counts (`acceptance`).

A file as a whole is either taken in or refused. Refused means one fatal finding, no rows and no contents; every other
fault leaves the row in place and says what is wrong with it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.corrections import CellCorrection, Changes
from mbt_rom.exports import mapped, screening
from mbt_rom.exports.accounts import as_proposals
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.detection import MEGABYTE, nonempty, proposed, read_grids, understand
from mbt_rom.exports.dialects import codebook_of, plain_sheets
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.evidence import CONTRADICTED
from mbt_rom.exports.mapping import Mapping as MappingFile
from mbt_rom.exports.names import Vocabulary, column_key, normalised
from mbt_rom.exports.sheets import Grid, RawSheet, find_header, with_header
from mbt_rom.exports.understanding import Understanding
from mbt_rom.findings import as_findings
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import SHARED, Consortium
from mbt_rom.sheet_rows import CITIZEN_COLUMN, Delivery, SheetRows, local_numbers, refuse_citizen_column, short
from mbt_rom.stored_totals import shift
from mbt_rom.tables import CONTENTS, REGISTERS, findings_table, items_table

Flags = npt.NDArray[np.bool_]
_CITIZEN_HEADERS = frozenset({"bsn", "burgerservicenummer", "sofinummer", "bsn_nummer", "citizen_service_number"})
#: Key of a header that is too long for the ledger, in the account of columns. It is often a question, and is not kept.
FULL_HEADER = "header"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conformed:
    """What one delivery holds.

    `items`: instrument -> rows of its items table. `registers`: name of a register -> rows of its
    table. `findings`: rows of `findings/deliveries`. `contents`: rows of `deliveries/contents`; per programme and
    instrument n_rows = n_blank + n_left_out + rows in `items` + findings `programme_unknown` whose item is the instrument.
    `understood`: per column its role, instrument, item, block and reason. `numbers`: issuer, number, patient_id, for the
    encrypted vault only. `n_rows`: data rows in the file. `codebook`: what the file is instead of an export, where it is one.
    `is_decision`: a person's decision, and not a file. `shape`: hash of the set of its columns, also where the file was refused for
    what stands in them. `replaces`: row of a register -> the delivered row that it stands for.
    """

    items: dict[str, pd.DataFrame] = field(default_factory=dict)
    registers: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: pd.DataFrame = field(default_factory=lambda: findings_table("deliveries").empty())
    contents: pd.DataFrame = field(default_factory=CONTENTS.empty)
    understood: list[dict[str, Any]] = field(default_factory=list)
    numbers: pd.DataFrame = field(default_factory=lambda: local_numbers([]))
    dialect: str | None = None
    encoding: str | None = None
    mapping: str | None = None
    mapping_hash: str | None = None
    n_rows: int = 0
    codebook: Codebook | None = None
    is_decision: bool = False
    shape: str | None = None
    replaces: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused_for(self) -> str | None:
        """The rule under which the file was refused; None when it was taken in."""
        fatal = self.findings.loc[self.findings["severity"] == "fatal", "rule"]
        return str(fatal.iloc[0]) if len(fatal) else None

    @property
    def may_be_kept(self) -> bool:
        """False when the bytes hold a column of citizen numbers: then they must not be archived."""
        return self.refused_for != CITIZEN_COLUMN


def deliver(
    data: bytes,
    *,
    file_name: str,
    programme_id: str | None,
    delivery_id: str,
    received_at: datetime,
    settings: Consortium,
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms,
    mappings: Sequence[MappingFile] = (),
    codebooks: Sequence[Codebook] = (),
    changes: Changes | None = None,
) -> Conformed:
    """The whole way from the bytes of a file to rows. Never raises for bad input: that becomes a fatal finding.

    `programme_id` None: a shared file whose programmes stand in a column. `delivery_id` is the sha256 of the bytes.
    `received_at` carries a time zone. `codebooks` are those delivered to the same folder, in the order of their arrival; a
    file that is one itself holds nothing else. With `changes` some cells are read otherwise, after the file was understood as it
    came, and only the rows of the changes are kept.
    """
    delivery = Delivery(programme_id, delivery_id, received_at, settings, instruments, pseudonyms)
    if programme_id is not None and programme_id not in settings.programmes:
        return refused(ExportError("programme_unknown_folder", "no programme of that name"), delivery_id=delivery_id)
    sheets: list[RawSheet] = []
    shape = None
    understandings: list[Understanding] = []
    vocabulary = Vocabulary(instruments)
    try:
        grids = _grids(data, file_name, settings, vocabulary, mappings)
        if (codebook := codebook_of(grids)) is not None:
            return Conformed(dialect=grids[0].dialect, encoding=grids[0].encoding, codebook=codebook)
        plans = _chosen(plain_sheets(grids, codebooks), vocabulary, mappings)
        sheets = [sheet for sheet, _ in plans]
        shape, sheets = shape_of(sheets), nonempty(sheets)
        _refuse_citizen_columns(sheets, delivery, at_least=screening.CITIZEN_CELLS)
        understandings += [
            mapped.understand_mapped(sheet, mapping, instruments)
            if mapping
            else understand(sheet, vocabulary, instruments, usual=delivery.usual_instruments())
            for sheet, mapping in plans
            if len(sheet.frame)
        ]
        if changes is None:
            return replace(_conform(understandings, delivery), shape=shape)
        return _conform(_changed(understandings, changes), delivery, only=changes.rows)
    except ExportError as error:
        outcome = _refused(error, delivery, sheets)
        return replace(
            outcome,
            shape=shape or shape_of(sheets),
            understood=_to_confirm(outcome, sheets, understandings, vocabulary, delivery),
        )
    except Exception as error:  # whatever a reader did not foresee is the file's refusal, not the run's end
        _LOG.error("a delivery could not be read: %s", type(error).__name__)
        return _refused(ExportError("file_unreadable", f"unforeseen: {type(error).__name__}"), delivery, sheets)


def delivered_sheets(
    data: bytes,
    *,
    file_name: str,
    settings: Consortium,
    instruments: Mapping[str, Instrument],
    mappings: Sequence[MappingFile] = (),
    codebooks: Sequence[Codebook] = (),
) -> list[RawSheet]:
    """The sheets of a file below their headers, as `deliver` sees them. Raises `ExportError`."""
    vocabulary = Vocabulary(instruments)
    grids = _grids(data, file_name, settings, vocabulary, mappings)
    return [sheet for sheet, _ in _chosen(plain_sheets(grids, codebooks), vocabulary, mappings)]


def conform(
    understandings: Sequence[Understanding],
    *,
    programme_id: str | None,
    delivery_id: str,
    received_at: datetime,
    settings: Consortium,
    instruments: Mapping[str, Instrument],
    pseudonyms: Pseudonyms,
) -> Conformed:
    """Rows of sheets that are understood. Raises `ExportError` where the file as a whole cannot be taken in."""
    delivery = Delivery(programme_id, delivery_id, received_at, settings, instruments, pseudonyms)
    return _conform(understandings, delivery)


def refused(error: ExportError, *, delivery_id: str, folder: str = SHARED) -> Conformed:
    """A delivery that is nothing but one fatal finding."""
    finding = {
        "programme_id": folder,
        "delivery_id": delivery_id,
        "rule": error.rule,
        "detail": error.detail,
        "sheet": error.sheet,
        "source_column": short(error.column),
    }
    return Conformed(findings=as_findings([finding], source="deliveries"))


def _refused(error: ExportError, delivery: Delivery, sheets: Sequence[RawSheet]) -> Conformed:
    """Refused, for holding citizen numbers where it does: such a file must not be kept, whatever else is wrong with it."""
    try:
        _refuse_citizen_columns(sheets, delivery, at_least=1)
    except ExportError as citizen:
        error = citizen
    outcome = refused(error, delivery_id=delivery.delivery_id, folder=delivery.folder)
    first = sheets[0] if sheets else None
    return replace(
        outcome,
        dialect=first.dialect if first else None,
        encoding=first.encoding if first else None,
        n_rows=sum(len(sheet.frame) for sheet in sheets),
    )


def shape_of(sheets: Sequence[RawSheet]) -> str | None:
    """Hash of the set of columns of all sheets; None without sheets.

    A hash, for where a file is refused a heading may be a cell that nobody recognised as one.
    """
    if not sheets:
        return None
    columns = sorted({header for sheet in sheets for header in sheet.headers})
    return hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:16]


def _to_confirm(
    outcome: Conformed,
    sheets: Sequence[RawSheet],
    understandings: Sequence[Understanding],
    vocabulary: Vocabulary,
    delivery: Delivery,
) -> list[dict[str, Any]]:
    """What the columns of a refused file probably are, so that a person can confirm it; nothing of one that must not be kept."""
    if not outcome.may_be_kept:
        return []
    why, usual = f"the file was refused ({outcome.refused_for})", delivery.usual_instruments()
    try:
        plans = understandings or [proposed(s, vocabulary, delivery.instruments, usual=usual) for s in sheets]
        return [_shown(column) for plan in plans for column in as_proposals(plan.columns, why)]
    except Exception as error:  # the file is refused already; nothing may hide why
        _LOG.error("the columns of a refused delivery could not be told: %s", type(error).__name__)
        return []


# From bytes to sheets -------------------------------------------------------------------------------------------------


def _grids(
    data: bytes,
    file_name: str,
    settings: Consortium,
    vocabulary: Vocabulary,
    mappings: Sequence[MappingFile],
) -> list[Grid]:
    named = {column_key(name) for mapping in mappings for name in mapping.matches.columns}

    def recognise(cells: Sequence[str]) -> int:
        return vocabulary.recognised(cells) + sum(bool(cell) and column_key(cell) in named for cell in cells)

    largest = settings.largest_file_mb * MEGABYTE
    return read_grids(data, file_name=file_name, largest_bytes=largest, recognise=recognise)


def _chosen(
    grids: Sequence[Grid], vocabulary: Vocabulary, mappings: Sequence[MappingFile]
) -> list[tuple[RawSheet, MappingFile | None]]:
    plans: list[tuple[RawSheet, MappingFile | None]] = []
    for grid in grids:
        choice = mapped.choose(grid, mappings)
        mapping, position = choice if choice else (None, find_header(grid, vocabulary.recognised))
        sheet = with_header(grid, position)
        _refuse_shifted(sheet)
        plans.append((sheet, mapping))
    return plans


def _refuse_shifted(sheet: RawSheet) -> None:
    """A header with fewer names than the rows have cells: nobody can tell which name was lost."""
    if len(sheet.frame) and int(sheet.too_long.sum()) * 2 > len(sheet.frame):
        raise ExportError(
            "file_unreadable",
            f"the header in row {sheet.header_row} names {len(sheet.headers)} columns and most rows have more cells",
            sheet=sheet.name,
        )


def _refuse_citizen_columns(sheets: Iterable[RawSheet], delivery: Delivery, *, at_least: int) -> None:
    roles = Vocabulary({})
    for sheet in sheets:
        for i, header in enumerate(sheet.headers):
            fact = sheet.fact(i)
            if fact.is_derived:  # it repeats cells of other columns
                continue
            is_patient = fact.role == "patient" or any(m.role == "patient" for m in roles.meanings(header))
            if is_patient and delivery.allows_nine_digits():
                continue
            is_named = is_patient or normalised(header) in _CITIZEN_HEADERS
            refuse_citizen_column(sheet, i, at_least=1 if is_named else at_least)


# A delivery -----------------------------------------------------------------------------------------------------------


def _changed(understandings: Sequence[Understanding], changes: Changes) -> list[Understanding]:
    """The sheet of the changes, with their cells: its columns mean what they meant."""
    mine = [u for u in understandings if u.sheet.name == changes.sheet]
    if not mine:
        raise ExportError("correction_misplaced", "the file has no sheet of that name", sheet=changes.sheet)
    return [replace(u, sheet=_with_cells(u.sheet, changes.cells)) for u in mine]


def _with_cells(sheet: RawSheet, cells: Iterable[CellCorrection]) -> RawSheet:
    frame = sheet.frame.copy()
    for cell in cells:
        rows = np.flatnonzero(sheet.rows == cell.row)
        columns = [i for i, header in enumerate(sheet.headers) if cell.column in (header, short(header))]
        columns = [i for i in columns if not sheet.fact(i).is_derived]
        if len(rows) != 1 or len(columns) != 1:
            found = f"{len(columns)} columns of that name, {len(rows)} rows of that number"
            raise ExportError("correction_misplaced", found, sheet=sheet.name, column=short(cell.column))
        frame.iloc[rows[0], columns[0]] = cell.value
    return replace(sheet, frame=frame)


def _conform(
    understandings: Sequence[Understanding], delivery: Delivery, *, only: frozenset[int] | None = None
) -> Conformed:
    _refuse_unknown(understandings)
    sheets = [SheetRows(u, delivery, only=only) for u in understandings if u.takes_something]
    for sheet in sheets:
        sheet.run()
    items = _stacked(sheets, delivery)
    _refuse_shifted_totals(items, delivery)
    notes = [_idle_sheet(u, delivery) for u in understandings if not u.takes_something]
    notes += [note for u in understandings if (note := _note_to_confirm(u, delivery)) is not None]
    findings = [finding for sheet in sheets for finding in sheet.findings] + notes
    used = next((u for u in understandings if u.mapping), None)
    return Conformed(
        items=items,
        registers=_stacked_registers(sheets),
        findings=as_findings(pd.DataFrame(findings), source="deliveries") if findings else Conformed().findings,
        contents=_contents(sheets, delivery),
        understood=[_shown(column) for u in understandings for column in u.columns],
        numbers=local_numbers([sheet.numbers for sheet in sheets]),
        dialect=understandings[0].sheet.dialect,
        encoding=understandings[0].sheet.encoding,
        mapping=used.mapping if used else "detected",
        mapping_hash=used.mapping_hash if used else None,
        n_rows=sum(len(u.sheet.frame) for u in understandings),
    )


def _refuse_shifted_totals(items: Mapping[str, pd.DataFrame], delivery: Delivery) -> None:
    """Refuses a delivery whose stored totals show that answers were read one point too high or too low: the coding is wrong."""
    for instrument_id, rows in items.items():
        found = shift(delivery.instruments[instrument_id], rows)
        if found.is_systematic:
            raise ExportError(
                "coding_contradicted_by_totals",
                f"{instrument_id}: {found.n} of {found.n_compared} totals differ by one point an item",
            )


def _refuse_unknown(understandings: Sequence[Understanding]) -> None:
    if not any(u.takes_something for u in understandings):
        sheet = understandings[0].sheet
        to_confirm = [column for u in understandings for column in u.columns if column["proposal"]]
        if any(column["proposal"]["role"] == "item" for column in to_confirm):
            raise ExportError("file_to_confirm", _doubts(to_confirm), sheet=sheet.name, column=to_confirm[0]["column"])
        n = sum(len(u.sheet.headers) for u in understandings)
        raise ExportError("columns_unknown", f"{n} columns, the first header taken from row {sheet.header_row}")


def _idle_sheet(understanding: Understanding, delivery: Delivery) -> dict[str, Any]:
    return {
        "programme_id": delivery.folder,
        "delivery_id": delivery.delivery_id,
        "rule": "column_not_taken_in",
        "sheet": understanding.sheet.name,
        "detail": "no column of this sheet was recognised",
    }


def _note_to_confirm(understanding: Understanding, delivery: Delivery) -> dict[str, Any] | None:
    """One notice per sheet of which a column with a name of its own, or a whole form, waits for a person."""
    waiting = [column for column in understanding.columns if column["proposal"] and _is_pressing(column)]
    if not waiting:
        return None
    return {
        "programme_id": delivery.folder,
        "delivery_id": delivery.delivery_id,
        "rule": "columns_to_confirm",
        "sheet": understanding.sheet.name,
        "source_column": short(waiting[0]["column"]),
        "detail": _doubts(waiting),
    }


def _is_pressing(column: Mapping[str, Any]) -> bool:
    """Whether a column waits that is an item, or that something contradicts: other guesses only help to write a mapping."""
    return bool(column["proposal"]["role"] == "item" or column["confidence"] == CONTRADICTED)


def _doubts(columns: Sequence[Mapping[str, Any]]) -> str:
    """How many columns wait, of which instruments, and why the first of them does."""
    instruments = dict.fromkeys(str(c["proposal"]["instrument"]) for c in columns if "instrument" in c["proposal"])
    named = f" of {', '.join(instruments)}" if instruments else ""
    contradicted = next((c for c in columns if ", but " in c["reason"]), columns[0])
    return f"{len(columns)} columns{named}; '{short(contradicted['column'])}': {contradicted['reason']}"


def _shown(column: Mapping[str, Any]) -> dict[str, Any]:
    """A column as it is told: a header that is cut off is kept whole beside it, for a mapping file to name; see `FULL_HEADER`."""
    header, shown = column["column"], short(column["column"])
    whole = {FULL_HEADER: header} if header != shown else {}
    return {**{key: value for key, value in column.items() if key != "position"}, "column": shown, **whole}


def _stacked(sheets: Sequence[SheetRows], delivery: Delivery) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for sheet in sheets:
        for instrument_id, frame in sheet.items:
            parts.setdefault(instrument_id, []).append(frame)
    return {
        i: items_table(delivery.instruments[i]).conform(pd.concat(frames, ignore_index=True))
        for i, frames in parts.items()
    }


def _stacked_registers(sheets: Sequence[SheetRows]) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for sheet in sheets:
        for register, frame in sheet.registers:
            parts.setdefault(register, []).append(frame)
    return {r: REGISTERS[r].conform(pd.concat(frames, ignore_index=True)) for r, frames in parts.items()}


def _contents(sheets: Sequence[SheetRows], delivery: Delivery) -> pd.DataFrame:
    counts = [part for sheet in sheets for part in sheet.contents]
    if not counts:
        return CONTENTS.empty()
    summed = pd.concat(counts).groupby(["programme_id", "instrument"], as_index=False).sum()
    return CONTENTS.conform(summed.assign(delivery_id=delivery.delivery_id))
