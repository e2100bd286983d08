"""A home as one run sees it: settings, mappings, ledger, tables, and what every table ought to have been computed from.

Belongs here: what several assets read, each delivery parsed once, and fingerprints. Does not belong here: Dagster, the
clock, taking in files (`intake`), deciding what runs (`pipelines.nightly`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

import pandas as pd

from assets import software
from assets.archive import Archive
from assets.home import Home
from assets.vault import Vault
from assets.warehouse import Warehouse
from mbt_rom import conform, corrected, corrections, registry
from mbt_rom.conform import Conformed
from mbt_rom.corrections import Changes, Recorded
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.mapping import Mapping, parse_mapping
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.model import Instrument, Norm
from mbt_rom.norms import ChangeNorm, change_norm, reference_norms, refuse_unknown_scales
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registers import CORE
from mbt_rom.settings import SHARED
from mbt_rom.tables import (
    ALERTS,
    ATTENDANCE,
    ATTENDANCE_BY_MONTH,
    CLOSED,
    CONTENTS,
    FINDINGS_SUMMARY,
    FLOW,
    FLOW_CURVES,
    LEDGER,
    REGISTERS,
    STATES,
    TRANSFERS,
    Catalogue,
    Table,
    findings_table,
    items_table,
)
from mbt_rom.valuation import ValueSet
from mbt_rom.withdrawn import FILE_COLUMNS

TAKEN_IN, REFUSED = "taken_in", "refused"
#: Kinds of deliveries.
EXPORT, CODEBOOK, CORRECTION = "export", "codebook", "correction"
#: Stages whose tables depend on the date of the run: what is due by then.
_DATED = {"outcomes", "contributions"}
#: Tables of these stages that do not: a risk answer is as old as it was when it arrived.
_UNDATED = {ALERTS.name}
#: Stages that depend on the day on which forms are judged.
_JUDGED = {"findings", "reference", "scores", "outcomes", "contributions"}
#: Stages that depend on what definitions say beyond how forms are recognised, read and judged.
_DEFINED = {"scores", "outcomes", "contributions", "benchmarks", "published"}
#: Tables of these stages that do not: they rest on registers alone.
_OF_REGISTERS = {t.name for t in (STATES, FLOW, FLOW_CURVES, TRANSFERS, ATTENDANCE, ATTENDANCE_BY_MONTH)}
#: Tables of other stages that do so too: they hold what psychometrics find.
_DEFINED_TOO = {"findings/psychometrics", "findings/plausibility", FINDINGS_SUMMARY.name}
#: Tables that hold which forms count, and depend on no more of the definitions than that.
_FROM_FINDINGS = {"deliveries/conservation", CLOSED.name, ALERTS.name}
SITE = "published/site"
#: Tables without partitions -> the tables that they are computed from, beside the ledger.
ACROSS: dict[str, tuple[str, ...]] = {
    "reference/programmes": ("deliveries/contents", "deliveries/conservation"),
    "outcomes/transfers": ("reference/episodes",),
    "benchmarks/programmes": ("contributions/outcomes",),
    "benchmarks/inclusion": ("contributions/inclusion",),
    SITE: (
        "reference/programmes",
        "benchmarks/programmes",
        "benchmarks/inclusion",
        "contributions/outcomes",
        "outcomes/response",
        "deliveries/conservation",
        "deliveries/revisions",
        "findings/summary",
        "outcomes/flow",
        "outcomes/flow_curves",
        "outcomes/attendance_by_month",
    ),
}


@dataclass(frozen=True)
class Deliveries:
    """What a number of deliveries hold for some partitions, together: see `mbt_rom.conform.Conformed`.

    `parsed` are in the order in which they came. `people`: per programme the pseudonym of every linked number -> the one that stands
    for the person. `linked_at`: per programme and pseudonym when it was linked.
    """

    parsed: Sequence[Conformed]
    partitions: frozenset[str]
    people: Dict[str, Dict[str, str]] = field(default_factory=dict)
    linked_at: Dict[str, Dict[str, datetime]] = field(default_factory=dict)

    def linked(self, definition: Instrument) -> dict[str, pd.Timestamp]:
        """The rows of an instrument whose patient number was linked with another that stands for the person, and since when."""
        if not any(self.people.values()):
            return {}
        rows, found = replace(self, people={}).items(definition), {}
        for programme, person in self.people.items():
            mine = rows[rows["programme_id"].eq(programme) & rows["patient_id"].isin(list(person))]
            for row, patient in zip(mine["row_id"], mine["patient_id"], strict=True):
                if person[patient] != patient:
                    found[row] = pd.Timestamp(self.linked_at[programme][patient])
        return found

    def items(self, definition: Instrument) -> pd.DataFrame:
        """Every administration of one instrument."""
        return self._together(
            items_table(definition), [p.items[definition.id] for p in self.parsed if definition.id in p.items]
        )

    def register(self, name: str) -> pd.DataFrame:
        """Rows of the register of that name: a key of `REGISTERS`."""
        rows = self._together(REGISTERS[name], [p.registers[name] for p in self.parsed if name in p.registers])
        return corrected.without_replaced(rows, [p.replaces for p in self.parsed])

    def findings(self) -> pd.DataFrame:
        """What is wrong with the files and their columns."""
        return self._together(findings_table("deliveries"), [p.findings for p in self.parsed])

    def contents(self) -> pd.DataFrame:
        """What the files offered to each instrument."""
        return self._together(CONTENTS, [p.contents for p in self.parsed])

    def _together(self, table: Table, frames: list[pd.DataFrame]) -> pd.DataFrame:
        rows = below_each_other([*frames, table.empty()])
        rows = rows[rows["programme_id"].isin(self.partitions)].reset_index(drop=True)
        return self._of_one_person(rows) if "patient_id" in rows else rows

    def _of_one_person(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows, with one pseudonym per person where numbers are linked."""
        for programme, person in self.people.items():
            mine = rows["programme_id"].eq(programme) & rows["patient_id"].isin(list(person))
            if mine.any():
                rows.loc[mine, "patient_id"] = rows.loc[mine, "patient_id"].map(dict(person)).astype("str")
        return rows


@dataclass
class State:
    """One home at one moment, for tables as they are on `as_of`."""

    home: Home
    as_of: date
    _parsed: dict[tuple[Any, ...], Conformed] = field(default_factory=dict)
    _instruments_of: dict[str, set[str]] = field(default_factory=dict)
    _registers_of: dict[str, frozenset[str]] = field(default_factory=dict)
    _codebooks: dict[str, list[tuple[str, Codebook]]] = field(default_factory=dict)
    _decisions: dict[str, dict[str, Recorded]] = field(default_factory=dict)

    @cached_property
    def instruments(self) -> dict[str, Instrument]:
        """Definitions of all instruments that monitor outcome, by id: see `instruments_of`."""
        return instruments_of(self.home)

    @cached_property
    def catalogue(self) -> Catalogue:
        """All tables."""
        return Catalogue(tuple(self.instruments.values()))

    @cached_property
    def warehouse(self) -> Warehouse:
        """The tables on disk."""
        return Warehouse(self.home.warehouse_folder)

    @cached_property
    def archive(self) -> Archive:
        """Delivered files."""
        return Archive(self.home.archive_folder, self.home.key("archive"))

    @cached_property
    def vault(self) -> Vault:
        """Local numbers."""
        return Vault(self.home.vault_folder, self.home.key("vault"))

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What turns local numbers into pseudonyms."""
        return Pseudonyms(self.home.key("pseudonyms"))

    @cached_property
    def mappings(self) -> tuple[Mapping, ...]:
        """All confirmed column mappings, in the order of their file names."""
        return tuple(parse_mapping(text, file=name) for name, text in self.home.mapping_texts().items())

    def prepare(self) -> None:
        """Reads definitions, norms, mappings and keys now, so that an error in them is told as what it is."""
        _ = (self.instruments, self.norms, self.references, self.mappings, self.pseudonyms, self.archive, self.vault)

    def try_mapping(self, name: str, text: str) -> None:
        """Uses a mapping as if it lay among the confirmed ones, for as long as this state is used."""
        self.__dict__["mappings"] = (*self.mappings, parse_mapping(text, file=name))

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """The ledger, as it was when it was first asked for."""
        return self.warehouse.read(LEDGER)

    def reread_ledger(self) -> None:
        """Forgets what was read of the ledger."""
        for name in ("ledger", "_ledger_prints", "_shared_print", "_folders_taken_in", "_received"):
            self.__dict__.pop(name, None)
        self._instruments_of.clear()
        self._registers_of.clear()
        self._codebooks.clear()
        self._decisions.clear()

    def read(
        self, name: str, *, programmes: Iterable[str] | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Rows of the table of that name."""
        return self.warehouse.read(self.catalogue[name], programmes=programmes, columns=columns)

    # Deliveries ------------------------------------------------------------------------------------------------------

    def parse(
        self,
        data: Callable[[], bytes],
        *,
        delivery_id: str,
        folder: str,
        file_name: str,
        received_at: datetime,
        changes: Changes | None = None,
    ) -> Conformed:
        """One delivered file, understood, with changed cells where `changes` says so. Each is parsed once per run."""
        codebooks = [book for sha, book in self._codebooks_of(folder) if sha != delivery_id]
        key = (delivery_id, folder, file_name, received_at, len(codebooks), changes)
        if key not in self._parsed:
            self._parsed[key] = conform.deliver(
                data(),
                file_name=file_name,
                programme_id=None if folder == SHARED else folder,
                delivery_id=delivery_id,
                received_at=received_at,
                settings=self.home.settings,
                instruments=self.instruments,
                pseudonyms=self.pseudonyms,
                mappings=self.mappings,
                codebooks=codebooks,
                changes=changes,
            )
        return self._parsed[key]

    def decisions(self, folder: str) -> dict[str, Recorded]:
        """The decisions that were recorded in a folder, by id, in the order in which they came."""
        if folder not in self._decisions:
            rows = self._taken_in({folder})
            mine = rows[rows["kind"].eq(CORRECTION) & rows["programme_id"].eq(folder)]
            read = {str(row.delivery_id): self._decision(row) for row in mine.itertuples()}
            self._decisions[folder] = {name: one for name, one in read.items() if one is not None}
        return self._decisions[folder]

    def _decision(self, row: Any) -> Recorded | None:
        decision = corrections.parse_document(self.archive.read(row.delivery_id))
        return None if decision is None else Recorded(decision, row.received_at.to_pydatetime())

    def decided(self, folder: str, name: str, recorded: Dict[str, Recorded] | None = None) -> Conformed:
        """What the decision of that id holds, among those `recorded` in the folder."""
        known = self.decisions(folder) if recorded is None else recorded
        places = corrections.sheets_of(known[name].correction) if name in known else []
        parts = [self._corrected(folder, name, place, known) for place in places]
        undone = corrections.undone_at(known).get(name)
        parts = [part for part in parts if not (undone and part.refused_for)]
        if fatal := next((part for part in parts if part.refused_for), None):
            return replace(corrected.renamed(fatal, by=name, group=1), is_decision=True, dialect=corrected.DIALECT)
        renamed = [corrected.renamed(part, by=name, group=n) for n, part in enumerate(parts, start=1)]
        return corrected.together(renamed, by=name, undone=undone)

    def _corrected(
        self, folder: str, name: str, place: tuple[str, str | None], known: Dict[str, Recorded]
    ) -> Conformed:
        """Rows of one sheet that the decision corrects, as they are read with it."""
        row = self.delivery(folder, place[0])
        if row is None:
            error = ExportError("correction_misplaced", "the file was not delivered to this folder", sheet=place[1])
            return conform.refused(error, delivery_id=name, folder=folder)
        return self.parse(
            lambda: self.archive.read(row.delivery_id),
            delivery_id=row.delivery_id,
            folder=folder,
            file_name=row.file_name,
            received_at=known[name].received_at,
            changes=corrections.changes_of(known, name, place),
        )

    def delivery(self, folder: str, delivery_id: str) -> Any | None:
        """The row of the ledger of an export that was taken in there; None where there is none."""
        ledger = self.ledger
        mine = ledger["programme_id"].eq(folder) & ledger["delivery_id"].eq(delivery_id)
        rows = ledger[mine & ledger["status"].eq(TAKEN_IN) & ~ledger["kind"].isin([CODEBOOK, CORRECTION])]
        return next(rows.itertuples(), None)

    def people(self, partition: str) -> dict[str, str]:
        """For every linked number of a programme, by pseudonym, the one that stands for the person."""
        pairs = {pair for folder in {partition, SHARED} for pair in corrections.links(self.decisions(folder))}
        return corrections.canonical((self.pseudonym(first), self.pseudonym(second)) for first, second in pairs)

    def _linked_at(self, partition: str) -> dict[str, datetime]:
        """When each linked number of a programme, by pseudonym, was last linked."""
        since: dict[str, datetime] = {}
        for folder in (partition, SHARED):
            for pair, at in corrections.links(self.decisions(folder)).items():
                for number in pair:
                    name = self.pseudonym(number)
                    since[name] = max(at, since.get(name, at))
        return since

    def pseudonym(self, number: tuple[str, str]) -> str:
        """The pseudonym of an issuer and a number in canonical form."""
        issuer, text = number
        return str(self.pseudonyms.of_numbers(issuer, pd.Series([text], dtype="str")).iloc[0])

    def _codebooks_of(self, folder: str) -> list[tuple[str, Codebook]]:
        """The codebooks that were delivered to a folder and to the shared one, with their deliveries, in order of arrival."""
        if folder not in self._codebooks:
            self._codebooks[folder] = []  # they are read without each other
            rows = self._taken_in({folder})
            books = [self.parsed(row).codebook for row in rows[rows["kind"] == CODEBOOK].itertuples()]
            shas = rows.loc[rows["kind"] == CODEBOOK, "delivery_id"]
            self._codebooks[folder] = [(sha, b) for sha, b in zip(shas, books, strict=True) if b is not None]
        return self._codebooks[folder]

    def read_with(self, folder: str) -> str:
        """Hash of everything that decides how a file of that folder is understood, beside its bytes."""
        books = [sha for sha, _ in self._codebooks_of(folder)]
        return _hash([software.code_hash(), self._reading, self._mappings, self.home.settings.fingerprint(), books])

    def files(self, partitions: Iterable[str]) -> pd.DataFrame:
        """The exports that were taken in for these partitions: see `mbt_rom.withdrawn`."""
        rows = self._taken_in(set(partitions))
        exports = rows.loc[rows["kind"].eq(EXPORT)].rename(columns={"programme_id": "folder"})
        return exports[FILE_COLUMNS].reset_index(drop=True)

    def forget_parsed(self) -> None:
        """Gives back the memory that parsed deliveries take."""
        self._parsed.clear()

    def deliveries(self, partitions: Iterable[str]) -> Deliveries:
        """Everything that was delivered for these partitions, from their own folders and the shared one."""
        wanted = set(partitions)
        parsed = [self.parsed(row) for row in self._taken_in(wanted).itertuples()]
        people = {p: self.people(p) for p in sorted(wanted)}
        return Deliveries(
            parsed, frozenset(wanted), people, {p: self._linked_at(p) for p, person in people.items() if person}
        )

    def _taken_in(self, partitions: set[str]) -> pd.DataFrame:
        ledger = self.ledger
        mine = ledger["programme_id"].isin(partitions | {SHARED}) & ledger["status"].eq(TAKEN_IN)
        return ledger[mine].sort_values(["received_at", "programme_id", "delivery_id"], kind="stable")

    def parsed(self, row: Any) -> Conformed:
        """The delivery of a row of the ledger (as `itertuples` gives it), understood.

        Only what was recorded as a decision is read as one: a file in an inbox never is, whatever it holds.
        """
        if row.kind == CORRECTION:
            return self.decided(row.programme_id, row.delivery_id)
        return self.parse(
            lambda: self.archive.read(row.delivery_id),
            delivery_id=row.delivery_id,
            folder=row.programme_id,
            file_name=row.file_name,
            received_at=row.received_at.to_pydatetime(),
        )

    def sheets(self, row: Any) -> list[RawSheet]:
        """The sheets of the export of a row of the ledger, as it came."""
        return conform.delivered_sheets(
            self.archive.read(row.delivery_id),
            file_name=row.file_name,
            settings=self.home.settings,
            instruments=self.instruments,
            mappings=self.mappings,
            codebooks=[book for _, book in self._codebooks_of(row.programme_id)],
        )

    def used_instruments(self) -> dict[str, Instrument]:
        """The instruments that any programme plans to use or has delivered, by id."""
        used = set().union(*(self.instruments_of(p) for p in self.home.partitions))
        return {i: d for i, d in self.instruments.items() if i in used}

    def instruments_of(self, partition: str) -> set[str]:
        """Ids of the instruments that a programme plans to use or has delivered."""
        if partition not in self._instruments_of:
            self._instruments_of[partition] = self._planned_or_delivered(partition)
        return self._instruments_of[partition]

    def _planned_or_delivered(self, partition: str) -> set[str]:
        programme = self.home.settings.programmes.get(partition)
        planned = set(programme.instruments) if programme else set()
        delivered = {str(column.get("instrument")) for column in self._columns({partition, SHARED})}
        return (planned | delivered) & set(self.instruments)

    def _columns(self, folders: set[str]) -> Iterator[Dict[str, Any]]:
        """How the columns of everything in these folders were understood."""
        ledger = self.ledger
        mine = ledger["programme_id"].isin(folders) & ledger["status"].eq(TAKEN_IN)
        for text in ledger.loc[mine, "understood"].dropna():
            yield from json.loads(text)

    def used_registers(self) -> set[str]:
        """Names of the registers that every home has, and of those that anybody ever delivered."""
        return set(CORE).union(*(self.registers_of(p) for p in self.home.partitions))

    def registers_of(self, partition: str) -> frozenset[str]:
        """Names of the registers that were delivered to a partition's own folder or to the shared one."""
        return self._registers_in(partition) | self._registers_in(SHARED)

    def _registers_in(self, folder: str) -> frozenset[str]:
        if folder not in self._registers_of:
            roles = {str(column.get("role")).partition(": ")[0] for column in self._columns({folder})}
            self._registers_of[folder] = frozenset(roles & set(REGISTERS))
        return self._registers_of[folder]

    @cached_property
    def norms(self) -> dict[tuple[str, str], ChangeNorm]:
        """The norm of reliable change by instrument and scale, where there is one that may be used."""
        settings = self.home.settings
        found = {(i, s.id): change_norm(d, s.id, settings) for i, d in self.instruments.items() for s in d.scales}
        return {key: norm for key, norm in found.items() if norm is not None}

    @cached_property
    def references(self) -> dict[str, dict[str, tuple[Norm, ...]]]:
        """The reference groups of T-scores by instrument and scale, in the order of preference."""
        refuse_unknown_scales(self.home.settings, self.instruments)
        return {i: reference_norms(d, self.home.settings) for i, d in self.instruments.items()}

    def value_set(self, definition: Instrument) -> ValueSet | None:
        """The value set that the home chose for an instrument, or its default; None where it has none."""
        chosen = self.home.settings.value_sets.get(definition.id)
        default = next((s.value_set for s in definition.scales if s.value_set), None)
        name = chosen or default
        return registry.value_set(name) if name else None

    def by_day(self, partitions: Iterable[str]) -> dict[date, set[str]]:
        """The days on which partitions are judged (see `known_on`), and which are judged on each."""
        days: dict[date, set[str]] = {}
        for partition in partitions:
            days.setdefault(self.known_on(partition), set()).add(partition)
        return days

    # Fingerprints ----------------------------------------------------------------------------------------------------

    def known_on(self, partition: str) -> date:
        """The day on which this partition's forms are judged: that of its last delivery, or `as_of` when that is earlier.

        A form dated after the day it came in lies in the future; judging by that day, and not by tonight, keeps one
        delivery's findings the same for ever.
        """
        last = max((self._received[f] for f in (partition, SHARED) if f in self._received), default=self.as_of)
        return min(last, self.as_of)

    def fingerprint(self, table: Table, partition: str) -> str:
        """What that partition of the table ought to be computed from; equal fingerprints, equal rows."""
        stage, name = table.name.split("/")
        parts: list[Any] = [
            table.name,
            partition,
            software.code_hash(),
            self._reading,
            self._mappings,
            self._settings_of(partition),
        ]
        parts += [self._ledger_prints.get(partition), self._shared_print]
        if stage in _JUDGED or name == "conservation":
            parts.append(str(self.known_on(partition)))
        if name in self.instruments and stage == "findings":
            parts.append(self.instruments[name].judging_hash)
        elif table.name in _FROM_FINDINGS:
            parts.append({i: self.instruments[i].judging_hash for i in self.instruments_of(partition)})
        if table.name == ALERTS.name:
            parts.append({i: self._risk[i] for i in self.instruments_of(partition)})
        elif (stage in _DEFINED and table.name not in _OF_REGISTERS) or table.name in _DEFINED_TOO:
            used = {name} if stage == "scores" else self.instruments_of(partition)
            parts.append({i: self._definitions[i] for i in used})
        if stage in _DATED and table.name not in _UNDATED:
            parts.append(str(self.as_of))
        return _hash(parts)

    def fingerprint_across(self, name: str) -> str:
        """What a table without partitions ought to be computed from: the programmes' tables as they are stored now."""
        inputs = {i: self.fingerprint_across(i) if i in ACROSS else self._stored(i) for i in ACROSS[name]}
        defined = self._definitions if name.split("/")[0] in _DEFINED and name not in _OF_REGISTERS else None
        day = str(self.as_of) if name in (SITE, TRANSFERS.name) else None
        return _hash(
            [
                name,
                software.code_hash(),
                self.home.settings.fingerprint(),
                defined,
                self._ledger_prints,
                inputs,
                day,
            ]
        )

    def _stored(self, name: str) -> dict[str, str]:
        return self.warehouse.fingerprints(self.catalogue[name])

    def outdated(self, table: Table, partitions: Iterable[str]) -> set[str]:
        """Those of the partitions that are not stored as they ought to be; instruments they do not use are left out."""
        stored = self.warehouse.fingerprints(table)
        used = [p for p in partitions if self.uses(table, p)]
        return {p for p in used if stored.get(p) != self.fingerprint(table, p)}

    def uses(self, table: Table, partition: str) -> bool:
        """Whether a partition has rows of that table at all: all but those of instruments and registers it does not use."""
        stage, _, name = table.name.partition("/")
        if stage == "reference" and name in REGISTERS:
            return name in CORE or name in self.registers_of(partition)
        return name not in self.instruments or name in self.instruments_of(partition)

    @cached_property
    def _reading(self) -> str:
        # Of all together: the columns of a file are recognised among those of every instrument.
        return _hash({i: d.reading_hash for i, d in self.instruments.items()})

    @cached_property
    def _risk(self) -> dict[str, str]:
        return {i: _hash([rule.model_dump(mode="json") for rule in d.risk]) for i, d in self.instruments.items()}

    @cached_property
    def _definitions(self) -> dict[str, str]:
        return {i: d.definition_hash for i, d in self.instruments.items()}

    @cached_property
    def _mappings(self) -> str:
        return _hash(self.home.mapping_texts())

    @cached_property
    def _ledger_prints(self) -> dict[str, str]:
        columns = ["delivery_id", "received_at", "file_name", "status", "reason"]
        rows = self.ledger.sort_values("delivery_id").astype({"received_at": "str"})
        return {str(p): _hash(g[columns].fillna("").to_numpy().tolist()) for p, g in rows.groupby("programme_id")}

    @cached_property
    def _shared_print(self) -> str:
        rows = self.ledger
        shared = rows[(rows["programme_id"] == SHARED) & (rows["status"] == TAKEN_IN)]
        return _hash(sorted(zip(shared["delivery_id"], shared["received_at"].astype("str"), strict=True)))

    @cached_property
    def _folders_taken_in(self) -> set[str]:
        return set(self.ledger.loc[self.ledger["status"] == TAKEN_IN, "programme_id"])

    @cached_property
    def _received(self) -> dict[str, date]:
        last = self.ledger.groupby("programme_id")["received_at"].max()
        local = last.dt.tz_convert(self.home.settings.timezone)
        return {str(p): t.date() for p, t in local.items()}

    def _settings_of(self, partition: str) -> Any:
        """The settings that one programme's tables depend on; all of them for what belongs to no programme."""
        settings = self.home.settings
        programme = settings.programmes.get(partition)
        if programme is None or SHARED in self._folders_taken_in:
            return settings.fingerprint()
        general = settings.model_dump(mode="json", exclude={"programmes", "issuers"})
        return [general, programme.model_dump(mode="json"), settings.issuers[programme.issuer].model_dump(mode="json")]


def instruments_of(home: Home) -> dict[str, Instrument]:
    """The instruments that a home takes in, by id: those of the software that monitor outcome, and those of the site itself.

    Each has its licensed key where the site supplied one. Raises `mbt_rom.registry.DefinitionError`.
    """
    every = {**registry.instruments(), **registry.local_instruments(home.instruments_folder)}
    keyed = registry.keyed_instruments(every, home.scoring_keys_folder)
    return {i: d for i, d in sorted(keyed.items()) if d.monitors == "outcome"}


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def below_each_other(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of all frames, which have the same columns; one of them when all are empty."""
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)
