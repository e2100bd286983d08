"""One sheet of a delivery as rows: its administrations, its register rows, and what is wrong with them. Drops nothing.

Belongs here: carrying out the plan of one sheet (`exports.understanding`), row by row of the file. Does not belong here: the
delivery as a whole and whether it is refused (`conform`), reading bytes and deciding what a column means (`exports`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports import screening, values
from mbt_rom.exports.answers import Answers, profile_cells, read_answers, refuse_other_edition, with_constants
from mbt_rom.exports.codings import labels_told
from mbt_rom.exports.dates import Reading, birth_years, read_dates, read_times
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import slug
from mbt_rom.exports.sheets import RawSheet, RowFault
from mbt_rom.exports.understanding import FormPlan, RegisterPlan, Source, Understanding
from mbt_rom.exports.weights import weighed
from mbt_rom.findings import RULES
from mbt_rom.form_states import form_states
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms, canonical_number, is_blank, map_unique
from mbt_rom.registers import REGISTERS, Register, RegisterColumn, code_words
from mbt_rom.settings import SHARED, Consortium

Flags = npt.NDArray[np.bool_]
CITIZEN_COLUMN = "patient_column_citizen_numbers"
#: More findings of one kind in one column become one finding that counts them.
MOST_ROWS_NAMED = 50
#: Rows with these faults are none of ours: the tool itself takes them back, or no patient filled them in.
LEFT_OUT = frozenset({"response_entered_in_error", "response_of_a_trial"})
_LONGEST_HEADER = 120


@dataclass(frozen=True)
class Delivery:
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


class SheetRows:
    """One sheet on its way to rows. `run` fills items, registers, contents, findings and numbers.

    `only`: every row is read, since they decide together what a column holds, but nothing is told or kept of others than these.
    """

    def __init__(self, understanding: Understanding, delivery: Delivery, *, only: frozenset[int] | None = None) -> None:
        self.plan = understanding
        self.delivery = delivery
        self.only = only
        self.sheet = understanding.sheet
        self.items: list[tuple[str, pd.DataFrame]] = []
        self.registers: list[tuple[str, pd.DataFrame]] = []
        self.contents: list[pd.DataFrame] = []
        self.findings: list[dict[str, Any]] = []
        self.numbers = local_numbers([])
        self.staff = local_numbers([])
        self._dates: dict[Source, Reading] = {}
        self._seen: dict[tuple[str, int | None], pd.Series] = {}

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
        self._faulty()

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
        if self.only is not None and more.get("source_row") not in self.only:
            return
        self.findings.append(
            {
                "programme_id": programme_id or self.delivery.folder,
                "delivery_id": self.delivery.delivery_id,
                "rule": rule,
                "sheet": self.sheet.name,
                "source_column": short(column),
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
            refuse_citizen_column(self.sheet, patient, at_least=1)
        left = set(self.plan.left_columns)
        for i, header in enumerate(self.sheet.headers):
            if self.sheet.fact(i).is_derived:  # it repeats cells of other columns
                continue
            column = self.column(i)
            if i != patient or not self.delivery.allows_nine_digits():
                self.note_cells("citizen_number_elsewhere", screening.citizen_cells(column), header)
            if i not in left:
                self.note_cells("cell_like_formula", screening.formula_cells(column), header)
            elif self.sheet.fact(i).role != "technical" and screening.holds_text(column):
                self.note("column_not_taken_in", column=header)

    def _left_out(self) -> Flags:
        left_out = np.zeros(len(self.sheet.frame), dtype=bool)
        for condition in self.plan.only:
            column = self.column(condition.column)
            if condition.values is None:
                left_out |= map_unique(column, is_blank).to_numpy(dtype=bool)
            else:
                left_out |= ~values.is_among(column, condition.values)
        taken_back = self._faulty_rows(lambda fault: fault.rule in LEFT_OUT)
        for row in self.sheet.rows[taken_back]:
            self.note(self.sheet.faults[int(row)].rule, source_row=int(row))
        return left_out | taken_back

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

    def _wanted(self) -> Flags:
        """Rows that something is kept of."""
        every = np.ones(len(self.sheet.rows), dtype=bool)
        return every if self.only is None else np.isin(self.sheet.rows, list(self.only))

    def _count(self, form: FormPlan, programmes: pd.Series, **counts: Flags) -> None:
        frame = pd.DataFrame({name: flags.astype("int64") for name, flags in counts.items()})
        frame["programme_id"] = programmes.fillna(self.delivery.folder).to_numpy()
        frame = frame[self._wanted()]
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
        for name in ("language", "mode", "respondent"):
            source = getattr(self.plan, name)
            base[name] = self._words(source, name) if source is not None else pd.Series(pd.NA, base.index, dtype="str")
        if self.plan.assisted is not None:
            base["assisted"] = self._yes_no(self.plan.assisted, "assisted")
        if self.plan.birth_year is not None:
            base["birth_year_given"] = self._birth_years(self.plan.birth_year).dates
        if self.plan.sex is not None:
            base["sex_given"] = self._words(self.plan.sex, "sex")
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
        self.numbers = local_numbers([self.numbers, numbers.astype("str")])
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

    def _yes_no(self, source: Source, kind: str) -> pd.Series:
        """A yes/no column, read and noted once however many forms share it."""
        key = (kind, source.column)
        if key not in self._seen:
            column = self.texts(source)
            self._seen[key] = values.yes_no(column, kind, source.codes)
            if n := int(values.not_understood(column, self._seen[key]).sum()):
                self.note("code_not_understood", column=self.header(source), item=kind, detail=f"in {n} rows")
        return self._seen[key]

    def dates(self, source: Source) -> Reading:
        """Dates of a column, read once however many forms share it."""
        key = replace(source, codes=None)
        if key not in self._dates:
            self._dates[key] = read_dates(
                self.texts(source),
                timezone=self.delivery.settings.timezone,
                format=source.format,
                has_serials=self.sheet.has_serials,
            )
        return self._dates[key]

    # Forms

    def _form(self, form: FormPlan) -> None:
        answers = self._answers(form)
        blank = self._blank(form, answers)
        every, none = np.ones(len(blank), dtype=bool), np.zeros(len(blank), dtype=bool)
        self._count(form, self.programmes, n_rows=every, n_blank=blank, n_left_out=none)
        unknown = ~self.known & ~blank
        column = self.header(self.plan.programme)
        self.note_rows("programme_unknown", unknown, block=form.block, column=column, item=form.instrument)
        kept = self.known & ~blank & self._wanted()
        frame = pd.concat([self.base, self._administration(form, kept), answers.codes], axis=1)
        frame["unreadable_items"], frame["out_of_range_items"] = answers.unreadable, answers.too_large
        frame["form_state"] = form_states(self.delivery.instruments[form.instrument], frame)
        self.items.append((form.instrument, frame.loc[kept].reset_index(drop=True)))

    def _blank(self, form: FormPlan, answers: Answers) -> Flags:
        """Rows that do not hold the form: no answer, in a sheet of several forms or of a tool that says which were opened."""
        if form.opened is not None:
            is_closed: Flags = map_unique(self.texts(form.opened), is_blank).to_numpy(dtype=bool)
            return np.asarray(answers.is_blank & is_closed, dtype=bool)
        return (
            answers.is_blank & ~self._is_unreadable()
            if len(self.plan.forms) > 1
            else np.zeros(len(answers.is_blank), dtype=bool)
        )

    def _answers(self, form: FormPlan) -> Answers:
        instrument = self.delivery.instruments[form.instrument]
        cells = {item: self._cells(item, position, form) for item, position in form.items.items()}
        places = dict(form.items)
        if form.profile is not None:
            profile = profile_cells(self.column(form.profile), instrument, missing=form.missing)
            cells, places = profile | cells, dict.fromkeys(profile, form.profile) | places
        try:
            answers = read_answers(cells, instrument, coding=form.coding, missing=form.missing)
            if not form.coding:
                refuse_other_edition(answers, instrument, self.delivery.instruments)
        except ExportError as error:
            column = self.sheet.headers[places[error.column]] if error.column in places else None
            raise ExportError(
                error.rule, error.detail, sheet=self.sheet.name, column=column, instrument=form.instrument
            ) from None
        return with_constants(answers, form.constants)

    def _cells(self, item: str, position: int, form: FormPlan) -> pd.Series:
        """Cells of an item; where no coding is declared, with the scores that the tool itself gives."""
        facts, column = self.sheet.fact(position), self.column(position)
        if form.coding or not (facts.scores or facts.answers):
            return column
        instrument = self.delivery.instruments[form.instrument]
        return weighed(column, facts, labels_told(instrument, instrument.item(item))[0])

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
        if form.total is not None:
            frame["total_given"] = values.decimals(self.texts(form.total), missing=form.missing)
        if form.interviewer is not None:
            frame["interviewer"] = self._keyed_codes(form.interviewer, is_staff=True)
        if form.is_blind is not None:
            frame["is_blind"] = self._yes_no(form.is_blind, "is_blind")
        if form.moment is not None:
            frame["moment_given"] = self._moments(form, form.moment, kept, frame.get("administered_on"))
        return frame

    def _submitted(self, source: Source) -> pd.Series:
        return read_times(
            self.texts(source),
            timezone=self.delivery.settings.timezone,
            format=source.format,
            has_serials=self.sheet.has_serials,
        )

    def _moments(self, form: FormPlan, source: Source, kept: Flags, dates: pd.Series | None) -> pd.Series:
        """Stated moments. One that is not understood is a finding where a mapping asked for it or no date stands beside it."""
        months = self.delivery.settings.every_month
        column = self.texts(source)
        read = values.moments(column, months=months, codes=source.codes)
        unknown = values.not_understood(column, read) & kept
        if source.column is None and self.plan.mapping is not None and unknown.any():
            raise ExportError("mapping_invalid", f"the settings' 'months' do not hold the moment '{source.constant}'")
        if self.plan.mapping is None and dates is not None:
            unknown &= dates.isna().to_numpy(dtype=bool)
        self.note_rows("moment_unknown", unknown, block=form.block, column=self.header(source), item=form.instrument)
        return read

    def _ragged(self) -> None:
        """Rows with more or fewer cells than the header: set aside, because their answers may stand in the wrong columns."""
        blocks = {form.block for form in self.plan.forms} | {
            REGISTERS[plan.register].mark for plan in self.plan.registers
        }
        for block in sorted(blocks, key=str):
            flags = self.sheet.ragged & self.known
            for i in np.flatnonzero(flags):
                n_header, n_row = (
                    n - self.sheet.n_derived for n in (len(self.sheet.headers), int(self.sheet.n_cells[i]))
                )
                detail = f"the header has {n_header} cells, the row {n_row}"
                one = np.zeros(len(flags), dtype=bool)
                one[i] = True
                self.note_rows("row_ragged", one, block=block, detail=detail)

    def _faulty_rows(self, wanted: Callable[[RowFault], bool]) -> Flags:
        return np.isin(self.sheet.rows, [row for row, fault in self.sheet.faults.items() if wanted(fault)])

    def _is_unreadable(self) -> Flags:
        return self._faulty_rows(lambda fault: RULES[fault.rule].severity == "error")

    def _faulty(self) -> None:
        """What the reader found wrong with rows, for every form that they could hold; errors are set aside."""
        found = [fault for fault in dict.fromkeys(self.sheet.faults.values()) if fault.rule not in LEFT_OUT]
        for block in sorted({form.block for form in self.plan.forms}):
            for fault in found:
                flags = self._faulty_rows(fault.__eq__) & self.known
                self.note_rows(fault.rule, flags, block=block, detail=fault.detail or None)

    # Registers

    def _register(self, plan: RegisterPlan) -> None:
        register = REGISTERS[plan.register]
        frame = pd.DataFrame({"programme_id": self.programmes, "row_id": self.row_ids(register.mark)})
        frame["delivery_id"] = self.delivery.delivery_id
        unread: dict[str, Flags] = {}
        for column in register.columns:
            if column.kind == "patient":
                frame[column.name] = self.base["patient_id"]
            elif column.name in plan.columns:
                source = plan.columns[column.name]
                frame[column.name], unread[column.name] = self._register_column(register, column, source)
        header = self.header(self.plan.programme)
        self.note_rows("programme_unknown", ~self.known, block=register.mark, column=header, item=plan.register)
        usable = self._with_keys(plan, frame, unread)
        content = [name for name in frame.columns if name != "row_id"]
        self.registers.append((plan.register, frame.loc[usable & self._wanted()].drop_duplicates(content)))

    def _register_column(self, register: Register, column: RegisterColumn, source: Source) -> tuple[pd.Series, Flags]:
        """Values of one column, and the cells that hold something which is none; those are noted."""
        if column.kind in ("date", "birth_year"):
            reading = self._birth_years(source) if column.kind == "birth_year" else self.dates(source)
            problems = reading.problems.notna().to_numpy(dtype=bool) & self.known
            place = {"block": register.mark, "column": self.header(source), "item": column.name}
            self.note_rows("register_date_unreadable", problems, **place)
            return reading.dates, problems
        if column.kind in ("staff", "episode"):
            keyed = self._keyed_codes(source, is_staff=column.kind == "staff")
            return keyed, np.zeros(len(self.known), dtype=bool)
        texts = self.texts(source)
        read = self._register_words(register, column, source, texts)
        unknown = values.not_understood(texts, read) & self.known
        if column.is_required or column.is_strict:
            place = {"block": register.mark, "column": self.header(source), "item": column.name}
            self.note_rows("register_code_unknown", unknown, detail=_allowed(column), **place)
        elif n := int(unknown.sum()):
            self.note("code_not_understood", column=self.header(source), item=column.name, detail=f"in {n} rows")
        return read, unknown

    def _register_words(
        self, register: Register, column: RegisterColumn, source: Source, texts: pd.Series
    ) -> pd.Series:
        if column.kind == "boolean":
            return values.yes_no(texts, "boolean", source.codes)
        if column.kind == "count":
            return values.counts(texts)
        if column.kind == "word":
            return values.short_names(texts, source.codes)
        if column.kind == "moment":
            return values.planned_moments(texts, source.codes)
        if column.kind == "instrument":
            named = texts if source.codes is None else values.translated(texts, source.codes)
            return values.instruments(named, self._instruments_by_name)
        return values.words(texts, code_words(register.name, column.name), source.codes)

    @cached_property
    def _instruments_by_name(self) -> dict[str, str]:
        """What a cell may call an instrument -> its id."""
        return values.instrument_names(self.delivery.instruments)

    def _birth_years(self, source: Source) -> Reading:
        return birth_years(
            self.texts(source),
            timezone=self.delivery.settings.timezone,
            format=source.format,
            has_serials=self.sheet.has_serials,
        )

    def _keyed_codes(self, source: Source, *, is_staff: bool) -> pd.Series:
        """Pseudonyms of codes that mean something within one issuer: staff (whose codes are noted for the vault), or episodes."""
        make = self.delivery.pseudonyms.therapist if is_staff else self.delivery.pseudonyms.episode
        raw, issuers = self.texts(source), self._issuers()
        if source.codes is not None:
            raw = values.translated(raw, source.codes)
        ids = pd.Series(pd.NA, index=raw.index, dtype="str")
        for issuer_id in issuers.dropna().unique():
            mine = (issuers == issuer_id).to_numpy(dtype=bool)
            ids[mine] = make(str(issuer_id), raw[mine])
        if is_staff:
            codes = pd.DataFrame({"issuer": issuers, "number": raw.str.strip(), "patient_id": ids}).dropna()
            self.staff = local_numbers([self.staff, codes.astype("str")])
        return ids

    def _with_keys(self, plan: RegisterPlan, frame: pd.DataFrame, unread: Mapping[str, Flags]) -> Flags:
        """Rows that say whom and what they are about. The others are findings: a register cannot hold them.

        A row that puts others in doubt (`Register.doubted_by`) stays, and is set aside later.
        """
        register, usable = REGISTERS[plan.register], self.known.copy()
        none = np.zeros(len(frame), dtype=bool)
        for key in register.required:
            missing = frame[key].isna().to_numpy(dtype=bool) if key in frame else ~none
            rules = self._key_rules(key, len(frame))
            column = self.header(self.plan.patient if key == "patient_id" else plan.columns.get(key))
            for rule in ("register_key_missing", "patient_form"):
                flags = missing & usable & (rules == rule) & ~unread.get(key, none)
                self.note_rows(rule, flags, block=register.mark, column=column, item=key)
            if key in register.doubted_by or not register.doubted_by:
                usable &= ~missing
        if register.has_patients and "patient_id" not in register.required:
            is_wrong = (self._key_rules("patient_id", len(frame)) == "patient_form") & usable
            self.note_rows(
                "patient_form", is_wrong, block=register.mark, column=self.header(self.plan.patient), item="patient_id"
            )
            usable &= ~is_wrong
        return usable

    def _key_rules(self, key: str, n: int) -> npt.NDArray[np.object_]:
        rules = np.full(n, "register_key_missing", dtype=object)
        if key == "patient_id":
            rules[(self.base["patient_problem"] == "patient_form").to_numpy(dtype=bool)] = "patient_form"
        return rules


def _allowed(column: RegisterColumn) -> str | None:
    """What may stand in a column, as the detail of a finding."""
    return ", ".join(column.codes) or None


def short(header: str | None) -> str | None:
    """A header as findings and the ledger show it: long question texts are cut off."""
    return header if header is None or len(header) <= _LONGEST_HEADER else header[: _LONGEST_HEADER - 3] + "..."


def local_numbers(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Issuer, number and patient_id below each other, each once: for the encrypted vault only."""
    empty = pd.DataFrame({name: pd.Series(dtype="str") for name in ("issuer", "number", "patient_id")})
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True).drop_duplicates(ignore_index=True) if filled else empty


def refuse_citizen_column(sheet: RawSheet, position: int, *, at_least: int) -> None:
    """Raises `ExportError` where the column holds citizen numbers, at least so many of them."""
    if screening.is_citizen_column(sheet.frame.iloc[:, position], at_least=at_least):
        raise ExportError(
            CITIZEN_COLUMN,
            "most numbers in this column are citizen service numbers; the file was refused and must not be kept",
            sheet=sheet.name,
            column=short(sheet.headers[position]),
        )
