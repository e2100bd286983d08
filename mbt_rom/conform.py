"""A delivered export as rows of our tables: items, registers, and findings about what is wrong. Drops nothing.

Belongs here: carrying out the plan of each sheet (`exports.understanding`). Does not belong here: reading bytes, deciding
what a column means (`exports`), judging answers and dates (`expectations`), deciding what counts (`acceptance`).

A file as a whole is either taken in or refused. Refused means one fatal finding, no rows and no contents; every other
fault leaves the row in place and says what is wrong with it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports import mapped, screening, values
from mbt_rom.exports.answers import Answers, read_answers, refuse_other_edition
from mbt_rom.exports.dates import Reading, birth_years, read_dates, read_times
from mbt_rom.exports.detection import MEGABYTE, nonempty, read_grids, understand
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.mapping import REGISTER_COLUMNS
from mbt_rom.exports.mapping import Mapping as MappingFile
from mbt_rom.exports.names import Vocabulary, column_key, normalised, slug
from mbt_rom.exports.sheets import Grid, RawSheet, find_header, with_header
from mbt_rom.exports.understanding import FormPlan, RegisterPlan, Source, Understanding
from mbt_rom.findings import as_findings
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms, canonical_number, is_blank, map_unique
from mbt_rom.settings import SHARED, Consortium
from mbt_rom.tables import CONTENTS, EPISODES, PATIENTS, THERAPISTS, Table, findings_table, items_table

Flags = npt.NDArray[np.bool_]
REGISTERS: dict[str, Table] = {"therapists": THERAPISTS, "patients": PATIENTS, "episodes": EPISODES}
CITIZEN_COLUMN = "patient_column_citizen_numbers"
#: More findings of one kind in one column become one finding that counts them.
MOST_ROWS_NAMED = 50
_LONGEST_HEADER = 120
_CITIZEN_HEADERS = frozenset({"bsn", "burgerservicenummer", "sofinummer", "bsn_nummer", "citizen_service_number"})
_WORD_COLUMNS = ("sex", "end_reason", "function")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Conformed:
    """What one delivery holds.

    `items`: instrument -> rows of its items table. `registers`: 'patients', 'therapists', 'episodes' -> rows of those
    tables. `findings`: rows of `findings/deliveries`. `contents`: rows of `deliveries/contents`; per programme and
    instrument n_rows = n_blank + n_left_out + rows in `items` + findings `programme_unknown` whose item is the instrument.
    `understood`: per column its role, instrument, item, block and reason. `numbers`: issuer, number, patient_id, for the
    encrypted vault only. `n_rows`: data rows in the file.
    """

    items: dict[str, pd.DataFrame] = field(default_factory=dict)
    registers: dict[str, pd.DataFrame] = field(default_factory=dict)
    findings: pd.DataFrame = field(default_factory=lambda: findings_table("deliveries").empty())
    contents: pd.DataFrame = field(default_factory=CONTENTS.empty)
    understood: list[dict[str, Any]] = field(default_factory=list)
    numbers: pd.DataFrame = field(default_factory=lambda: _numbers([]))
    dialect: str | None = None
    encoding: str | None = None
    mapping: str | None = None
    mapping_hash: str | None = None
    n_rows: int = 0

    @property
    def refused_for(self) -> str | None:
        """The rule under which the file was refused; None when it was taken in."""
        fatal = self.findings.loc[self.findings["severity"] == "fatal", "rule"]
        return str(fatal.iloc[0]) if len(fatal) else None

    @property
    def may_be_kept(self) -> bool:
        """False when the bytes hold a column of citizen numbers: then they must not be archived."""
        return self.refused_for != CITIZEN_COLUMN


@dataclass(frozen=True)
class _Delivery:
    """What is the same for every sheet of a delivery."""

    programme_id: str | None
    delivery_id: str
    received_at: datetime
    settings: Consortium
    instruments: Mapping[str, Instrument]
    pseudonyms: Pseudonyms

    @property
    def folder(self) -> str:
        """Where findings and contents go that belong to no programme."""
        return self.programme_id or SHARED

    def usual_instruments(self) -> frozenset[str]:
        """Instruments of the programme, or of all programmes for a shared file."""
        programmes = self.settings.programmes
        chosen = programmes.values() if self.programme_id is None else [programmes[self.programme_id]]
        return frozenset(i for programme in chosen for i in programme.instruments)

    def allows_nine_digits(self) -> bool:
        """Whether the issuers of all programmes of this delivery give out nine-digit numbers of their own."""
        programmes = self.settings.programmes
        chosen = programmes.values() if self.programme_id is None else [programmes[self.programme_id]]
        return all(self.settings.issuers[p.issuer].allows_nine_digits for p in chosen)


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
) -> Conformed:
    """The whole way from the bytes of a file to rows. Never raises for bad input: that becomes a fatal finding.

    `programme_id` None: a shared file whose programmes stand in a column. `delivery_id` is the sha256 of the bytes.
    `received_at` carries a time zone.
    """
    delivery = _Delivery(programme_id, delivery_id, received_at, settings, instruments, pseudonyms)
    if programme_id is not None and programme_id not in settings.programmes:
        return refused(ExportError("programme_unknown_folder", "no programme of that name"), delivery_id=delivery_id)
    sheets: list[RawSheet] = []
    try:
        vocabulary = Vocabulary(instruments)
        grids = _grids(data, file_name, delivery, vocabulary, mappings)
        plans = _chosen(grids, vocabulary, mappings)
        sheets = nonempty(sheet for sheet, _ in plans)
        _refuse_citizen_columns(sheets, delivery, at_least=screening.CITIZEN_CELLS)
        understandings = [
            mapped.understand_mapped(sheet, mapping, instruments)
            if mapping
            else understand(sheet, vocabulary, instruments, usual=delivery.usual_instruments())
            for sheet, mapping in plans
            if len(sheet.frame)
        ]
        return _conform(understandings, delivery)
    except ExportError as error:
        return _refused(error, delivery, sheets)
    except Exception as error:  # whatever a reader did not foresee is the file's refusal, not the run's end
        _LOG.error("a delivery could not be read: %s", type(error).__name__)
        return _refused(ExportError("file_unreadable", f"unforeseen: {type(error).__name__}"), delivery, sheets)


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
    delivery = _Delivery(programme_id, delivery_id, received_at, settings, instruments, pseudonyms)
    return _conform(understandings, delivery)


def refused(error: ExportError, *, delivery_id: str, folder: str = SHARED) -> Conformed:
    """A delivery that is nothing but one fatal finding."""
    finding = {
        "programme_id": folder,
        "delivery_id": delivery_id,
        "rule": error.rule,
        "detail": error.detail,
        "sheet": error.sheet,
        "source_column": _short(error.column),
    }
    return Conformed(findings=as_findings([finding], source="deliveries"))


def _refused(error: ExportError, delivery: _Delivery, sheets: Sequence[RawSheet]) -> Conformed:
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


# From bytes to sheets -------------------------------------------------------------------------------------------------


def _grids(
    data: bytes,
    file_name: str,
    delivery: _Delivery,
    vocabulary: Vocabulary,
    mappings: Sequence[MappingFile],
) -> list[Grid]:
    named = {column_key(name) for mapping in mappings for name in mapping.matches.columns}

    def recognise(cells: Sequence[str]) -> int:
        return vocabulary.recognised(cells) + sum(bool(cell) and column_key(cell) in named for cell in cells)

    largest = delivery.settings.largest_file_mb * MEGABYTE
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


def _refuse_citizen_columns(sheets: Iterable[RawSheet], delivery: _Delivery, *, at_least: int) -> None:
    roles = Vocabulary({})
    for sheet in sheets:
        for i, header in enumerate(sheet.headers):
            is_patient = any(meaning.role == "patient" for meaning in roles.meanings(header))
            if is_patient and delivery.allows_nine_digits():
                continue
            is_named = is_patient or normalised(header) in _CITIZEN_HEADERS
            _refuse_citizen_column(sheet, i, at_least=1 if is_named else at_least)


def _refuse_citizen_column(sheet: RawSheet, position: int, *, at_least: int) -> None:
    if screening.is_citizen_column(sheet.frame.iloc[:, position], at_least=at_least):
        raise ExportError(
            CITIZEN_COLUMN,
            "most numbers in this column are citizen service numbers; the file was refused and must not be kept",
            sheet=sheet.name,
            column=_short(sheet.headers[position]),
        )


# A delivery -----------------------------------------------------------------------------------------------------------


def _conform(understandings: Sequence[Understanding], delivery: _Delivery) -> Conformed:
    _refuse_unknown(understandings)
    sheets = [_Sheet(u, delivery) for u in understandings if u.takes_something]
    for sheet in sheets:
        sheet.run()
    notes = [_idle_sheet(u, delivery) for u in understandings if not u.takes_something]
    findings = [finding for sheet in sheets for finding in sheet.findings] + notes
    used = next((u for u in understandings if u.mapping), None)
    return Conformed(
        items=_stacked(sheets, delivery),
        registers=_stacked_registers(sheets),
        findings=as_findings(pd.DataFrame(findings), source="deliveries") if findings else Conformed().findings,
        contents=_contents(sheets, delivery),
        understood=[_shown(column) for u in understandings for column in u.columns],
        numbers=_numbers([sheet.numbers for sheet in sheets]),
        dialect=understandings[0].sheet.dialect,
        encoding=understandings[0].sheet.encoding,
        mapping=used.mapping if used else "detected",
        mapping_hash=used.mapping_hash if used else None,
        n_rows=sum(len(u.sheet.frame) for u in understandings),
    )


def _refuse_unknown(understandings: Sequence[Understanding]) -> None:
    if not any(u.takes_something for u in understandings):
        sheet = understandings[0].sheet
        n = sum(len(u.sheet.headers) for u in understandings)
        raise ExportError("columns_unknown", f"{n} columns, the first header taken from row {sheet.header_row}")


def _idle_sheet(understanding: Understanding, delivery: _Delivery) -> dict[str, Any]:
    return {
        "programme_id": delivery.folder,
        "delivery_id": delivery.delivery_id,
        "rule": "column_not_taken_in",
        "sheet": understanding.sheet.name,
        "detail": "no column of this sheet was recognised",
    }


def _shown(column: Mapping[str, Any]) -> dict[str, Any]:
    return {**{key: value for key, value in column.items() if key != "position"}, "column": _short(column["column"])}


def _short(header: str | None) -> str | None:
    return header if header is None or len(header) <= _LONGEST_HEADER else header[: _LONGEST_HEADER - 3] + "..."


def _stacked(sheets: Sequence[_Sheet], delivery: _Delivery) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for sheet in sheets:
        for instrument_id, frame in sheet.items:
            parts.setdefault(instrument_id, []).append(frame)
    return {
        i: items_table(delivery.instruments[i]).conform(pd.concat(frames, ignore_index=True))
        for i, frames in parts.items()
    }


def _stacked_registers(sheets: Sequence[_Sheet]) -> dict[str, pd.DataFrame]:
    parts: dict[str, list[pd.DataFrame]] = {}
    for sheet in sheets:
        for register, frame in sheet.registers:
            parts.setdefault(register, []).append(frame)
    return {r: REGISTERS[r].conform(pd.concat(frames, ignore_index=True)) for r, frames in parts.items()}


def _contents(sheets: Sequence[_Sheet], delivery: _Delivery) -> pd.DataFrame:
    counts = [part for sheet in sheets for part in sheet.contents]
    if not counts:
        return CONTENTS.empty()
    summed = pd.concat(counts).groupby(["programme_id", "instrument"], as_index=False).sum()
    return CONTENTS.conform(summed.assign(delivery_id=delivery.delivery_id))


def _numbers(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("issuer", "number", "patient_id")})
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).drop_duplicates(ignore_index=True) if filled else empty


# A sheet --------------------------------------------------------------------------------------------------------------


class _Sheet:
    """One sheet on its way to rows. `run` fills items, registers, contents, findings and numbers."""

    def __init__(self, understanding: Understanding, delivery: _Delivery) -> None:
        self.plan = understanding
        self.delivery = delivery
        self.sheet = understanding.sheet
        self.items: list[tuple[str, pd.DataFrame]] = []
        self.registers: list[tuple[str, pd.DataFrame]] = []
        self.contents: list[pd.DataFrame] = []
        self.findings: list[dict[str, Any]] = []
        self.numbers = _numbers([])
        self._dates: dict[Source, Reading] = {}

    def run(self) -> None:
        """Does everything, in the order in which the parts need each other."""
        self._screen()
        left_out = self._left_out()
        self.programmes = self._programmes()
        self._count_left_out(left_out)
        self.sheet = self.sheet.keep(~left_out)
        self.programmes = self.programmes[~left_out].reset_index(drop=True)
        self.known = self.programmes.notna().to_numpy(dtype=bool)
        self.base = self._base()
        for form in self.plan.forms:
            self._form(form)
        for register in self.plan.registers:
            self._register(register)
        self._ragged()

    # Cells and findings

    def column(self, position: int) -> pd.Series:
        """Text cells of one column."""
        return self.sheet.frame.iloc[:, position].rename(None)

    def texts(self, source: Source) -> pd.Series:
        """Text cells of a source: its column, or its constant on every row."""
        if source.column is None:
            return pd.Series(source.constant, index=self.sheet.frame.index, dtype="str")
        return self.column(source.column)

    def header(self, source: Source | None) -> str | None:
        """Header of the source's column."""
        return self.sheet.headers[source.column] if source is not None and source.column is not None else None

    def row_ids(self, block: int | str) -> pd.Series:
        """One id per row of the sheet."""
        prefix = f"{self.delivery.delivery_id[:12]}-{self.sheet.number}-"
        return (prefix + pd.Series(self.sheet.rows.astype(str), dtype="str") + f"-{block}").astype("str")

    def note(self, rule: str, *, programme_id: str | None = None, column: str | None = None, **more: Any) -> None:
        """One finding about the sheet, a column or a row."""
        self.findings.append(
            {
                "programme_id": programme_id or self.delivery.folder,
                "delivery_id": self.delivery.delivery_id,
                "rule": rule,
                "sheet": self.sheet.name,
                "source_column": _short(column),
                **more,
            }
        )

    def note_rows(
        self, rule: str, flags: Flags, *, block: int | str | None = None, column: str | None = None, **more: Any
    ) -> None:
        """One finding per flagged row, in the programme of the row."""
        positions = np.flatnonzero(flags)
        ids = self.row_ids(block) if block is not None and len(positions) else None
        programmes = self.programmes.fillna(self.delivery.folder)
        for i in positions:
            row_id = None if ids is None else ids.iloc[i]
            row = {"source_row": int(self.sheet.rows[i]), "row_id": row_id}
            self.note(rule, programme_id=programmes.iloc[i], column=column, **row, **more)

    def note_cells(self, rule: str, flags: Flags, column: str | None) -> None:
        """One notice per flagged cell; where there are many, one that counts them."""
        n = int(flags.sum())
        if n > MOST_ROWS_NAMED:
            self.note(rule, column=column, detail=f"{n} cells, the first in row {int(self.sheet.rows[flags.argmax()])}")
            return
        for i in np.flatnonzero(flags):
            self.note(rule, column=column, source_row=int(self.sheet.rows[i]))

    # Looking through the cells

    def _screen(self) -> None:
        patient = self.plan.patient.column if self.plan.patient else None
        if patient is not None and not self.delivery.allows_nine_digits():
            _refuse_citizen_column(self.sheet, patient, at_least=1)
        left = set(self.plan.left_columns)
        for i, header in enumerate(self.sheet.headers):
            column = self.column(i)
            if i != patient or not self.delivery.allows_nine_digits():
                self.note_cells("citizen_number_elsewhere", screening.citizen_cells(column), header)
            if i not in left:
                self.note_cells("cell_like_formula", screening.formula_cells(column), header)
            elif screening.holds_text(column):
                self.note("column_not_taken_in", column=header)

    def _left_out(self) -> Flags:
        left_out = np.zeros(len(self.sheet.frame), dtype=bool)
        for condition in self.plan.only:
            column = self.column(condition.column)
            if condition.values is None:
                left_out |= map_unique(column, is_blank).to_numpy(dtype=bool)
            else:
                left_out |= ~values.is_among(column, condition.values)
        return left_out

    # Programmes

    def _programmes(self) -> pd.Series:
        """Programme of each row; missing where the row names one that is unknown, or another than its folder's."""
        own, source = self.delivery.programme_id, self.plan.programme
        if source is None:
            if own is None:
                raise ExportError(
                    "columns_unknown",
                    "a file in the shared folder must name its programmes in a column; name the column in a mapping file",
                    sheet=self.sheet.name,
                )
            return pd.Series(own, index=self.sheet.frame.index, dtype="str")
        column = self.texts(source)
        named = values.translated(column, source.codes) if source.codes else map_unique(column, slug).astype("str")
        known = named.where(named.isin(set(self.delivery.settings.programmes)))
        return known if own is None else self._in_folder(column, known, own)

    def _in_folder(self, column: pd.Series, known: pd.Series, own: str) -> pd.Series:
        """In a programme's own folder an empty or (without a mapping) foreign word is that programme's."""
        blank = map_unique(column, is_blank).to_numpy(dtype=bool)
        unnamed = blank if self.plan.mapping else blank | known.isna().to_numpy(dtype=bool)
        known = known.mask(unnamed, own)
        return known.where(known == own)

    def _count(self, form: FormPlan, programmes: pd.Series, **counts: Flags) -> None:
        frame = pd.DataFrame({name: flags.astype("int64") for name, flags in counts.items()})
        frame["programme_id"] = programmes.fillna(self.delivery.folder).to_numpy()
        frame["instrument"] = form.instrument
        self.contents.append(frame.groupby(["programme_id", "instrument"], as_index=False).sum())

    def _count_left_out(self, left_out: Flags) -> None:
        none = np.zeros(len(left_out), dtype=bool)
        for form in self.plan.forms:
            self._count(form, self.programmes, n_rows=left_out, n_blank=none, n_left_out=left_out)

    # What all forms of a row share

    def _base(self) -> pd.DataFrame:
        base = pd.DataFrame({"programme_id": self.programmes, "source_row": self.sheet.rows})
        base["patient_id"], base["patient_problem"] = self._patients()
        base["response_id"] = self._response_ids()
        for name in ("language", "mode"):
            source = getattr(self.plan, name)
            base[name] = self._words(source, name) if source is not None else pd.Series(pd.NA, base.index, dtype="str")
        return base

    def _patients(self) -> tuple[pd.Series, pd.Series]:
        index = self.sheet.frame.index
        ids, problems = (pd.Series(pd.NA, index=index, dtype="str") for _ in range(2))
        if self.plan.is_surrogate:
            scope = f"{self.delivery.delivery_id}\x1f{self.sheet.number}"
            return self.delivery.pseudonyms.surrogate(
                scope, pd.Series(self.sheet.rows.astype(str), dtype="str")
            ), problems
        if self.plan.patient is None:
            return ids, problems
        raw = self.texts(self.plan.patient)
        issuers = self._issuers()
        for issuer_id in issuers.dropna().unique():
            mine = (issuers == issuer_id).to_numpy(dtype=bool)
            ids[mine], problems[mine] = self._of_issuer(str(issuer_id), raw[mine])
        return ids, problems

    def _issuers(self) -> pd.Series:
        by_programme = {p: programme.issuer for p, programme in self.delivery.settings.programmes.items()}
        return self.programmes.map(by_programme).astype("str")

    def _of_issuer(self, issuer_id: str, raw: pd.Series) -> tuple[pd.Series, pd.Series]:
        read = canonical_number(raw, self.delivery.settings.issuers[issuer_id])
        ids = self.delivery.pseudonyms.of_numbers(issuer_id, read["number"])
        numbers = pd.DataFrame({"issuer": issuer_id, "number": read["number"], "patient_id": ids}).dropna()
        self.numbers = _numbers([self.numbers, numbers.astype("str")])
        if n := int(read["is_restored"].sum()):
            self.note("leading_zeros_restored", column=self.header(self.plan.patient), detail=f"in {n} rows")
        return ids, read["problem"]

    def _response_ids(self) -> pd.Series:
        if self.plan.response_id is None:
            return pd.Series(pd.NA, index=self.sheet.frame.index, dtype="str")
        raw = self.texts(self.plan.response_id)
        filled = ~map_unique(raw, is_blank).to_numpy(dtype=bool) & self.known
        scoped = (self.programmes + "\x1f" + raw).where(filled)
        return self.delivery.pseudonyms.response("", scoped)

    def _words(self, source: Source, kind: str) -> pd.Series:
        """Words of a column as values of our tables; what is not understood becomes missing, with a notice."""
        column = self.texts(source)
        read = values.words(column, kind, source.codes)
        if n := int(values.not_understood(column, read).sum()):
            self.note("code_not_understood", column=self.header(source), item=kind, detail=f"in {n} rows")
        return read

    def dates(self, source: Source) -> Reading:
        """Dates of a column, read once however many forms share it."""
        key = replace(source, codes=None)
        if key not in self._dates:
            self._dates[key] = read_dates(
                self.texts(source),
                timezone=self.delivery.settings.timezone,
                format=source.format,
                has_serials=self.sheet.dialect == "xlsx",
            )
        return self._dates[key]

    # Forms

    def _form(self, form: FormPlan) -> None:
        answers = self._answers(form)
        several = len(self.plan.forms) > 1
        blank = answers.is_blank if several else np.zeros(len(answers.is_blank), dtype=bool)
        every, none = np.ones(len(blank), dtype=bool), np.zeros(len(blank), dtype=bool)
        self._count(form, self.programmes, n_rows=every, n_blank=blank, n_left_out=none)
        unknown = ~self.known & ~blank
        column = self.header(self.plan.programme)
        self.note_rows("programme_unknown", unknown, block=form.block, column=column, item=form.instrument)
        kept = self.known & ~blank
        frame = pd.concat([self.base, self._administration(form, kept), answers.codes], axis=1)
        frame["unreadable_items"], frame["out_of_range_items"] = answers.unreadable, answers.too_large
        self.items.append((form.instrument, frame.loc[kept].reset_index(drop=True)))

    def _answers(self, form: FormPlan) -> Answers:
        instrument = self.delivery.instruments[form.instrument]
        cells = {item: self.column(position) for item, position in form.items.items()}
        try:
            answers = read_answers(cells, instrument, coding=form.coding, missing=form.missing)
            if form.coding is None:
                refuse_other_edition(answers, instrument, self.delivery.instruments)
        except ExportError as error:
            column = self.sheet.headers[form.items[error.column]] if error.column in form.items else None
            raise ExportError(error.rule, error.detail, sheet=self.sheet.name, column=column) from None
        return answers

    def _administration(self, form: FormPlan, kept: Flags) -> pd.DataFrame:
        frame = pd.DataFrame({"row_id": self.row_ids(form.block)}, index=self.sheet.frame.index)
        frame["delivery_id"] = self.delivery.delivery_id
        frame["received_at"] = pd.Timestamp(self.delivery.received_at).tz_convert("UTC")
        frame["sheet"] = self.sheet.name
        frame["block"] = form.block
        frame["edition"] = form.edition
        dated = form.date or form.submitted_at
        if dated is not None:
            reading = self.dates(dated)
            frame["administered_on"], frame["date_problem"] = reading.dates, reading.problems
        if form.submitted_at is not None:
            frame["submitted_at"] = self._submitted(form.submitted_at)
        if form.complete is not None:
            frame["is_complete"] = values.is_complete(self.texts(form.complete), yes=form.complete.yes)
        if form.moment is not None:
            frame["moment_given"] = self._moments(form, form.moment, kept, frame.get("administered_on"))
        return frame

    def _submitted(self, source: Source) -> pd.Series:
        return read_times(
            self.texts(source),
            timezone=self.delivery.settings.timezone,
            format=source.format,
            has_serials=self.sheet.dialect == "xlsx",
        )

    def _moments(self, form: FormPlan, source: Source, kept: Flags, dates: pd.Series | None) -> pd.Series:
        """Stated moments. One that is not understood is a finding where a mapping asked for it or no date stands beside it."""
        months = self.delivery.settings.months
        column = self.texts(source)
        read = values.moments(column, months=months, codes=source.codes)
        unknown = values.not_understood(column, read) & kept
        if source.column is None and unknown.any():
            raise ExportError("mapping_invalid", f"the settings' 'months' do not hold the moment '{source.constant}'")
        if self.plan.mapping is None and dates is not None:
            unknown &= dates.isna().to_numpy(dtype=bool)
        self.note_rows("moment_unknown", unknown, block=form.block, column=self.header(source), item=form.instrument)
        return read

    def _ragged(self) -> None:
        """Rows with more or fewer cells than the header: set aside, because their answers may stand in the wrong columns."""
        blocks = {form.block for form in self.plan.forms} | {_letter(plan.register) for plan in self.plan.registers}
        for block in sorted(blocks, key=str):
            flags = self.sheet.ragged & self.known
            for i in np.flatnonzero(flags):
                detail = f"the header has {len(self.sheet.headers)} cells, the row {int(self.sheet.n_cells[i])}"
                one = np.zeros(len(flags), dtype=bool)
                one[i] = True
                self.note_rows("row_ragged", one, block=block, detail=detail)

    # Registers

    def _register(self, plan: RegisterPlan) -> None:
        letter = _letter(plan.register)
        frame = pd.DataFrame({"programme_id": self.programmes, "row_id": self.row_ids(letter)})
        frame["delivery_id"] = self.delivery.delivery_id
        for name in REGISTER_COLUMNS[plan.register]:
            if name in plan.columns or name == "patient_id":
                frame[name] = self._register_column(plan, name, letter)
        column = self.header(self.plan.programme)
        self.note_rows("programme_unknown", ~self.known, block=letter, column=column, item=plan.register)
        usable = self._with_keys(plan, frame, letter)
        content = [name for name in frame.columns if name != "row_id"]
        self.registers.append((plan.register, frame.loc[usable].drop_duplicates(content)))

    def _register_column(self, plan: RegisterPlan, name: str, letter: str) -> pd.Series:
        if name == "patient_id":
            return self.base["patient_id"]
        source = plan.columns[name]
        if name in _WORD_COLUMNS:
            return self._words(source, name)
        if name in ("therapist_id", "episode_id"):
            return self._register_ids(source, name)
        reading = self._birth_years(source) if name == "birth_year" else self.dates(source)
        problems = reading.problems.notna().to_numpy(dtype=bool) & self.known
        self.note_rows("register_date_unreadable", problems, block=letter, column=self.header(source), item=name)
        return reading.dates

    def _birth_years(self, source: Source) -> Reading:
        return birth_years(
            self.texts(source),
            timezone=self.delivery.settings.timezone,
            format=source.format,
            has_serials=self.sheet.dialect == "xlsx",
        )

    def _register_ids(self, source: Source, name: str) -> pd.Series:
        raw, issuers = self.texts(source), self._issuers()
        make = self.delivery.pseudonyms.therapist if name == "therapist_id" else self.delivery.pseudonyms.episode
        ids = pd.Series(pd.NA, index=raw.index, dtype="str")
        for issuer_id in issuers.dropna().unique():
            mine = (issuers == issuer_id).to_numpy(dtype=bool)
            ids[mine] = make(str(issuer_id), raw[mine])
        return ids

    def _with_keys(self, plan: RegisterPlan, frame: pd.DataFrame, letter: str) -> Flags:
        """Rows that say whom they are about. The others are findings: a register cannot hold them."""
        usable = self.known.copy()
        for key in dict.fromkeys((REGISTER_COLUMNS[plan.register][0], *_also_needed(plan.register))):
            missing = frame[key].isna().to_numpy(dtype=bool) if key in frame else ~np.zeros(len(frame), dtype=bool)
            rules = self._key_rules(key, len(frame))
            column = self.header(self.plan.patient if key == "patient_id" else plan.columns.get(key))
            for rule in ("register_key_missing", "patient_form"):
                flags = missing & usable & (rules == rule)
                self.note_rows(rule, flags, block=letter, column=column, item=key)
            usable &= ~missing
        return usable

    def _key_rules(self, key: str, n: int) -> npt.NDArray[np.object_]:
        rules = np.full(n, "register_key_missing", dtype=object)
        if key == "patient_id":
            rules[(self.base["patient_problem"] == "patient_form").to_numpy(dtype=bool)] = "patient_form"
        return rules


def _letter(register: str) -> str:
    return register[0]


def _also_needed(register: str) -> tuple[str, ...]:
    return ("patient_id",) if register == "episodes" else ()
