"""From bytes to sheets, and how a sheet without a mapping file is understood: by the names of its columns.

Belongs here: choosing reader and header row, deciding between the columns of one sheet. Does not belong here: spellings
(`names`), mapping files (`mapped`). Nothing is guessed: where two columns could be meant, or two editions, the file is
refused with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mbt_rom.exports.accounts import Judged, judge_forms, tell
from mbt_rom.exports.answers import about_count, items_in_order
from mbt_rom.exports.bare_keys import bare_key, is_bare
from mbt_rom.exports.columns import Columns
from mbt_rom.exports.editions import decided, renumbered
from mbt_rom.exports.entry import NAME as ENTRY
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.fhir import NAME as FHIR
from mbt_rom.exports.kinds import Reading, read_kind
from mbt_rom.exports.names import LOINC, Meaning, Vocabulary, normalised
from mbt_rom.exports.register_columns import register_of
from mbt_rom.exports.role_names import FORM_ROLES
from mbt_rom.exports.role_words import says_day, says_filling
from mbt_rom.exports.sheets import Grid, RawSheet, Recogniser, find_header, with_header
from mbt_rom.exports.understanding import FormPlan, RegisterPlan, Source, Understanding
from mbt_rom.exports.values import means_complete, moment, of_answers
from mbt_rom.exports.waves import Wave, unlike
from mbt_rom.exports.workbook import is_zip
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import is_blank
from mbt_rom.registers import Register, RegisterColumn, code_words

MEGABYTE = 1 << 20
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xlsb", ".ods")
#: How a form came about. Two columns that could be one of these are neither: a file is not refused for them.
_ABOUT_ANSWERING = ("respondent", "assisted", "interviewer", "is_blind")
#: What a file of forms says of the person: only held against the register.
_CHECKED = ("birth_year", "sex")
_FORM_ROLES = (
    "patient", "date", "submitted_at", "moment", "response_id", "programme", "complete", "language", "mode", "opened",
    *_ABOUT_ANSWERING, *_CHECKED,
)  # fmt: skip
#: Faults of one instrument's columns. The other forms of the sheet are taken in all the same.
_OF_ONE_INSTRUMENT = ("item_count_wrong", "order_undeclared", "raw_items_not_accepted", "column_twice")
#: Words that say that an order of items is told.
_ORDER = frozenset(["order", "volgorde", "reihenfolge"])
_NOT = frozenset(["not", "no", "niet", "geen", "nicht", "kein", "unlike", "unknown", "onbekend"])
#: Roles that one form of a sheet may have a column of its own for.
_OF_ONE_FORM = (*FORM_ROLES, "opened")
#: Where the cells contradict the names of so many fields, the header is not that of the rows below it: nothing of it is believed.
_MOST_DOUBTED = 3


def read_grids(data: bytes, *, file_name: str, largest_bytes: int, recognise: Recogniser) -> list[Grid]:
    """All sheets of a file, every cell as text. The kind of file is told by its contents, never by its name (`kinds`).

    Raises `ExportError` file_empty, file_too_large, file_unreadable, file_unpacks_too_large.
    """
    if not data:
        raise ExportError("file_empty", "the file has 0 bytes")
    if len(data) > largest_bytes:
        raise ExportError(
            "file_too_large",
            f"the file has {len(data) / MEGABYTE:,.0f} MB; 'largest_file_mb' allows {largest_bytes / MEGABYTE:,.0f}",
        )
    try:
        return read_kind(data, Reading(largest_bytes, recognise))
    except ExportError as error:
        if error.rule == "file_unreadable" and not is_zip(data) and file_name.casefold().endswith(_WORKBOOK_NAMES):
            raise ExportError(error.rule, f"the file is called a workbook and is none: {error.detail}") from None
        raise


def read_export(
    data: bytes, *, file_name: str, largest_bytes: int, recognise: Recogniser | None = None
) -> list[RawSheet]:
    """The sheets of an export that hold anything, each below its header. `recognise` scores a row as a header.

    Raises `ExportError` as `read_grids`, and file_empty, file_header_only.
    """
    score = recognise or Vocabulary({}).recognised
    grids = read_grids(data, file_name=file_name, largest_bytes=largest_bytes, recognise=score)
    sheets = [with_header(grid, find_header(grid, score)) for grid in grids]
    return nonempty(sheets)


def nonempty(sheets: Iterable[RawSheet]) -> list[RawSheet]:
    """The sheets that have data rows. Raises `ExportError` file_empty or file_header_only when none has."""
    named = [sheet for sheet in sheets if sheet.headers or len(sheet.frame)]
    if not named:
        raise ExportError("file_empty", "no cell of the file holds anything")
    filled = [sheet for sheet in named if len(sheet.frame)]
    if not filled:
        raise ExportError("file_header_only", f"{len(named[0].headers)} columns and no row below them")
    return filled


def understand(
    sheet: RawSheet, vocabulary: Vocabulary, instruments: Mapping[str, Instrument], *, usual: Collection[str]
) -> Understanding:
    """How the sheet is understood by the names of its columns, unless something else in the file contradicts them.

    `usual` names the instruments of the programme: they decide between two editions that share a name. Raises
    `ExportError` item_count_wrong, raw_items_not_accepted, order_undeclared, column_twice, edition_ambiguous, columns_unknown
    (no patient column). A sheet in which nothing is recognised comes back as an understanding that takes nothing.
    """
    looked = Columns(sheet, vocabulary, instruments, usual)
    if len({meaning.role for meaning, _ in looked.doubts.values()}) >= _MOST_DOUBTED:
        return Understanding(sheet=sheet, columns=tell(looked, {}, Judged()))
    items, refused = _items(sheet, looked.meanings, instruments, usual)
    beside = _beside(looked, items)
    if refused and not items and not any(wave.judged.forms for wave in beside):
        raise next(error for _, error in refused.values())
    judged = judge_forms(looked, items).with_refused(refused)
    if judged.forms or any(wave.judged.forms for wave in beside):
        return _forms(looked, judged, beside)
    judged = judged.and_also([wave.judged for wave in beside])
    if judged.doubtful:
        return Understanding(sheet=sheet, columns=tell(looked, {}, judged))
    return _registers(looked)


def proposed(
    sheet: RawSheet, vocabulary: Vocabulary, instruments: Mapping[str, Instrument], *, usual: Collection[str]
) -> Understanding:
    """What the columns of a sheet that cannot be taken in probably are. Takes nothing and never raises `ExportError`."""
    looked = Columns(sheet, vocabulary, instruments, usual)
    return Understanding(sheet=sheet, columns=tell(looked, {}, Judged()))


# Items ----------------------------------------------------------------------------------------------------------------


def _items(
    sheet: RawSheet,
    meanings: Mapping[int, tuple[Meaning, ...]],
    instruments: Mapping[str, Instrument],
    usual: Collection[str],
) -> tuple[dict[str, dict[int, Meaning]], dict[str, tuple[dict[int, Meaning], ExportError]]]:
    """Instrument -> position -> item, and the instruments whose columns cannot be its items, with the reason."""
    every = {i: [m for m in found if m.role == "item"] for i, found in meanings.items()}
    items: dict[str, dict[int, Meaning]] = {}
    every = renumbered({i: m for i, m in every.items() if m}, instruments)
    for position, meaning in decided(every, sheet, instruments, usual=usual).items():
        items.setdefault(str(meaning.instrument), {})[position] = meaning
    without = {i: _without_totals(columns) for i, columns in items.items()}
    checked: dict[str, dict[int, Meaning]] = {}
    refused: dict[str, tuple[dict[int, Meaning], ExportError]] = {}
    for i, columns in without.items():
        try:
            checked |= {i: _checked(sheet, columns, instruments[i])} if columns else {}
        except ExportError as error:
            if error.rule not in _OF_ONE_INSTRUMENT:
                raise
            refused[i] = columns, error
    return checked, refused


@dataclass(frozen=True)
class _Moment:
    """One of several moments beside each other, and the forms of it."""

    wave: Wave
    judged: Judged


def _beside(looked: Columns, items: Mapping[str, Any]) -> list[_Moment]:
    """The moments beside each other, each with its forms. An instrument waits as a whole where one of its moments cannot be taken in,
    where their columns are not called alike, or where it stands there without a moment, too."""
    sheet = looked.sheet
    found = [(w, *_items(sheet, w.meanings, looked.instruments, looked.usual)) for w in looked.waves]
    held_up: dict[str, str] = {i: str(error.detail) for _, _, refused in found for i, (_, error) in refused.items()}
    held_up |= {i: "it stands there without a moment, too" for _, named, _ in found for i in named if i in items}
    for i in {i for _, named, _ in found for i in named}:
        if unlike([(wave, named[i]) for wave, named, _ in found if i in named]):
            held_up.setdefault(i, "the columns of its moments are not called alike")
    moments = []
    for wave, named, refused in found:
        error = {i: ExportError("file_to_confirm", said) for i, said in held_up.items()}
        waiting = {i: (c, error[i]) for i, c in named.items() if i in held_up} | refused
        judged = judge_forms(looked, {i: c for i, c in named.items() if i not in held_up}).with_refused(waiting)
        moments.append(_Moment(wave, judged))
    contradicted = {i for m in moments for i in m.judged.doubtful}
    return [_Moment(m.wave, m.judged.without(contradicted)) for m in moments]


def _without_totals(columns: dict[int, Meaning]) -> dict[int, Meaning]:
    """Drops a column such as 'phq9' unless it stands among 'phq1', 'phq2' ...: elsewhere it is a total score."""
    sure = {m.prefix for m in columns.values() if m.rank == 0}
    among = {m.prefix for m in columns.values() if m.rank == 1} == sure
    return {i: m for i, m in columns.items() if m.rank == 0 or among}


def _checked(sheet: RawSheet, columns: Mapping[int, Meaning], instrument: Instrument) -> dict[int, Meaning]:
    """The columns, when they are the items of the instrument, each once, all that it needs, and in a known order."""
    order = _stated_order(sheet, columns, instrument)
    if order is not None:
        placed = printed_items(sheet, instrument, order)
        columns = {i: replace(m, item=placed.get(str(m.number))) for i, m in columns.items()}
    known = {i: m for i, m in columns.items() if m.item is not None}
    if len(known) < len(columns):
        unknown = [sheet.headers[i] for i in columns if i not in known]
        has_needed = set(instrument.needed_items) <= {m.item for m in known.values()}
        if not (instrument.key == "external_scores" and has_needed):
            raise unknown_numbers(
                sheet, instrument, unknown, n_columns=len({meaning.number for meaning in columns.values()})
            )
    by_item: dict[str, int] = {}
    for position, meaning in known.items():
        if (first := by_item.setdefault(str(meaning.item), position)) != position:
            raise ExportError(
                "column_twice",
                f"'{sheet.headers[first]}' and '{sheet.headers[position]}' would both be {meaning.item}",
                sheet=sheet.name,
                column=sheet.headers[position],
            )
    if not _omits_questions(sheet, known):
        refuse_missing_items(sheet, by_item, instrument)
    if sheet.dialect != ENTRY:  # there the columns are called by item id, whatever the printed order
        printed_items(sheet, instrument, order)
    return known


def _stated_order(sheet: RawSheet, columns: Mapping[int, Meaning], instrument: Instrument) -> str | None:
    """The one order that the text of every item names by all its words, where an order must be stated: '(author page order)'."""
    if not instrument.order_must_be_stated:
        return None
    texts = [normalised(sheet.fact(i).text or sheet.headers[i]).split("_") for i in columns]
    told = [
        name
        for name in instrument.orders
        if all(
            _ORDER & set(words) and not _NOT & set(words) and all(_has(words, word) for word in name.split("_"))
            for words in texts
        )
    ]
    return told[0] if len(told) == 1 else None


def _has(words: Sequence[str], word: str) -> bool:
    """Whether a word stands there, also as 'authors'."""
    return word in words or f"{word}s" in words


def _omits_questions(sheet: RawSheet, known: Mapping[int, Meaning]) -> bool:
    """FHIR leaves unanswered questions out; where a LOINC code or our own item id names every other one, they may lack without doubt
    about the edition: a file of one form that was only begun holds the first questions and no more."""
    return sheet.dialect == FHIR and all(m.prefix == LOINC or sheet.headers[i] == m.item for i, m in known.items())


def unknown_numbers(sheet: RawSheet, instrument: Instrument, headers: list[str], *, n_columns: int) -> ExportError:
    """The error that columns are called like items which the instrument does not have, or does not take."""
    if instrument.key == "external_scores":
        said = (
            f"{len(headers)} columns are numbered like single questions of {instrument.name}. {instrument.needs or ''}"
        )
        return ExportError("raw_items_not_accepted", said.strip(), sheet=sheet.name, column=headers[0])
    return ExportError(
        "item_count_wrong",
        f"{n_columns} columns are called {instrument.name}. {about_count(instrument, n_columns)} "
        f"Not items of it: {_listed(headers)}",
        sheet=sheet.name,
        column=headers[0],
    )


def refuse_missing_items(sheet: RawSheet, present: Collection[str], instrument: Instrument) -> None:
    """Raises `ExportError` item_count_wrong when items that the instrument needs have no column, naming them."""
    missing = [item for item in instrument.needed_items if item not in present]
    if present and missing:
        raise ExportError(
            "item_count_wrong",
            f"{len(present)} columns of {instrument.name} were found. {about_count(instrument, len(present))} "
            f"Not found: {_listed(missing)}{_turned_round(sheet)}",
            sheet=sheet.name,
        )


def _turned_round(sheet: RawSheet) -> str:
    """What is said of columns whose names say that their answers are stored turned round."""
    named = [header for i, header in enumerate(sheet.headers) if sheet.fact(i).role == "reversed"]
    said = f". Stored turned round, by their names, and therefore not taken: {_listed(named)}; name them in a mapping"
    return said if named else ""


def printed_items(sheet: RawSheet, instrument: Instrument, order: str | None = None) -> dict[str, str]:
    """`items_in_order` for the columns of a sheet."""
    try:
        return items_in_order(instrument, order)
    except ExportError as error:
        raise ExportError(error.rule, error.detail, sheet=sheet.name) from None


def _listed(names: list[str], most: int = 8) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


# Roles ----------------------------------------------------------------------------------------------------------------


def _roles(
    sheet: RawSheet,
    meanings: Mapping[int, tuple[Meaning, ...]],
    wanted: Collection[str],
    taken: Collection[int] = (),
    *,
    lenient: Collection[str] = _ABOUT_ANSWERING,
) -> dict[str, int]:
    """Role -> position of the surest column. Two equally sure columns: refused for a sure name, neither for
    others and for those of `lenient`."""
    roles: dict[str, int] = {}
    for role in wanted:
        ranked = [
            (m.rank, i)
            for i, found in meanings.items()
            for m in found
            if m.role == role and m.instrument is None and i not in taken and _fits(sheet, i, role)
            if not _is_of_one_form(sheet, i, role, taken)
        ]
        best = _unlike(sheet, sorted(i for rank, i in ranked if rank == min(r for r, _ in ranked)))
        if role == "date" and len(best) > 1:  # 'Invuldatum' beside 'Datum'
            best = [i for i in best if says_filling(sheet.codes[i])] or best
        if len(best) > 1 and role not in lenient and (role == "patient" or min(r for r, _ in ranked) <= 0):
            names = " and ".join(f"'{sheet.headers[i]}'" for i in best[:2])
            raise ExportError(
                "column_twice",
                f"{names} could both be the {role.replace('_', ' ')}; name one in a mapping file",
                sheet=sheet.name,
                column=sheet.headers[best[1]],
            )
        best = [i for i in best if i != roles.get("patient")]
        if len(best) == 1:
            roles[role] = best[0]
    return roles


def _unlike(sheet: RawSheet, positions: list[int]) -> list[int]:
    """The columns without those that hold the same as an earlier one on every row: these say nothing else."""
    kept: list[int] = []
    for i in positions:
        if not any(sheet.frame.iloc[:, i].equals(sheet.frame.iloc[:, k]) for k in kept):
            kept.append(i)
    return kept


def _is_of_one_form(sheet: RawSheet, position: int, role: str, taken: Collection[int]) -> bool:
    """True for a column that says something of the one form it belongs to: by the tool's word, or as that form holds items."""
    fact = sheet.fact(position)
    if fact.form is None or role not in _OF_ONE_FORM:
        return False
    return fact.role == role or fact.form in {sheet.fact(i).form for i in taken}


def _fits(sheet: RawSheet, position: int, role: str) -> bool:
    """A column called 'completed', without a word for a day, is a date when it holds anything longer than a yes or no."""
    if role != "date" or sheet.fact(position).role is not None or says_day(sheet.codes[position]):
        return True
    texts = [str(text).strip() for text in sheet.frame.iloc[:, position].unique()]
    filled = [text for text in texts if not is_blank(text)]
    return sum(len(text) >= 6 and any(c.isdigit() for c in text) for text in filled) * 2 > len(filled)


def _source(roles: Mapping[str, int], role: str) -> Source | None:
    return Source(column=roles[role]) if role in roles else None


def _forms(looked: Columns, judged: Judged, beside: Sequence[_Moment]) -> Understanding:
    sheet, meanings, items = looked.sheet, looked.meanings, judged.forms
    taken = {position for columns in (*items.values(), *judged.doubtful.values()) for position in columns}
    roles = _roles(sheet, meanings, _FORM_ROLES, taken, lenient=(*_ABOUT_ANSWERING, *_CHECKED))
    if "patient" not in roles and (key := bare_key(looked, roles, taken)) is not None:
        roles = {role: i for role, i in roles.items() if i != key} | {"patient": key}
    if "patient" not in roles:
        raise ExportError(
            "columns_unknown",
            "items were found but no column for the patient number (patient, patient_id, patientnummer, client_id ...)",
            sheet=sheet.name,
        )
    forms: list[FormPlan] = []
    told: dict[int, Meaning] = {i: Meaning(role) for role, i in roles.items()}
    if is_bare(looked, roles["patient"]):
        told[roles["patient"]] = Meaning("patient", rank=1)
    blocks: dict[int, int] = {}
    moments: dict[int, str] = {}
    groups = [(None, judged)] if items else []
    for wave, found in [*groups, *((one.wave, one.judged) for one in beside)]:
        made = _forms_of(looked, found, roles, wave)
        for form, columns in made:
            block = sum(earlier.instrument == form.instrument for earlier in forms)
            forms.append(replace(form, block=block))
            told |= columns
            blocks |= dict.fromkeys(columns, block)
            if wave is not None:
                moments |= dict.fromkeys(columns, moment(wave.mark) or wave.mark)
    judged = judged.and_also([one.judged for one in beside])
    return Understanding(
        sheet=sheet,
        patient=_source(roles, "patient"),
        programme=_source(roles, "programme"),
        response_id=_source(roles, "response_id"),
        language=_source(roles, "language"),
        mode=_source(roles, "mode"),
        respondent=_source(roles, "respondent"),
        assisted=_source(roles, "assisted"),
        birth_year=_source(roles, "birth_year"),
        sex=_source(roles, "sex"),
        forms=tuple(forms),
        columns=tell(looked, told, judged, blocks=blocks, moments=moments),
    )


def _forms_of(
    looked: Columns, judged: Judged, roles: Mapping[str, int], wave: Wave | None
) -> list[tuple[FormPlan, dict[int, Meaning]]]:
    """The forms of a row, or of one of its moments: the plan of each, and what its columns are.

    A moment has the date, the state and the totals that its own columns tell, and no others: those of the row may be of any moment.
    """
    sheet, instruments, items = looked.sheet, looked.instruments, judged.forms
    meanings = looked.meanings if wave is None else wave.meanings
    taken = {position for columns in (*items.values(), *judged.doubtful.values()) for position in columns}
    shared = roles if wave is None else _roles(sheet, meanings, ("date", "submitted_at", "complete"), taken)
    stated = _source(roles, "moment") if wave is None else Source(constant=wave.mark)
    totals = _totals(meanings, looked, items, taken)
    made = []
    for i, columns in items.items():
        own = _own_roles(sheet, meanings, i, items)
        form = FormPlan(
            instrument=i,
            block=0,
            items={str(m.item): position for position, m in columns.items()},
            edition=instruments[i].edition,
            coding=_stated_coding(sheet, instruments[i]) or judged.codings.get(i, ()),
            moment=stated,
            date=_source(own, "date") or _source(shared, "date"),
            submitted_at=_source(own, "submitted_at") or _source(shared, "submitted_at"),
            complete=_complete(sheet, own) or _complete(sheet, shared),
            interviewer=_source(own, "interviewer") or _of_interview(instruments[i], roles, "interviewer"),
            is_blind=_source(own, "is_blind") or _of_interview(instruments[i], roles, "is_blind"),
            opened=_source(own, "opened") or (_source(roles, "opened") if len(items) == 1 and wave is None else None),
            total=_total(totals, instruments[i]),
        )
        told = {position: m for position, m in totals.items() if m.instrument == i}
        told |= columns
        told |= {position: Meaning(role, 0, i) for role, position in own.items()}
        if wave is not None:
            told = {position: Meaning(role) for role, position in shared.items()} | told
        made.append((form, told))
    return made


def _totals(
    meanings: Mapping[int, tuple[Meaning, ...]],
    looked: Columns,
    items: Mapping[str, dict[int, Meaning]],
    taken: Collection[int],
) -> dict[int, Meaning]:
    """Columns of stored totals and scores of the instruments whose items stand beside them. They are never items.

    A column called just 'total' is that of the only instrument of the sheet; beside several it is nobody's.
    """
    totals: dict[int, Meaning] = {}
    for position, found in meanings.items():
        if position in taken:
            continue
        mine = [m for m in found if m.role == "total" and m.instrument in items]
        mine += [_as_total(m, looked) for m in found if m.role == "item" and m.rank and m.instrument in items]
        if len(items) == 1 and any(m.role == "total" and m.instrument is None for m in found):
            only = next(iter(items))
            mine = [Meaning("total", 1, only, scale=looked.instruments[only].primary.id)]
        if len(mine) == 1:
            totals[position] = mine[0]
    return totals


def _as_total(meaning: Meaning, looked: Columns) -> Meaning:
    return Meaning("total", 1, meaning.instrument, scale=looked.instruments[str(meaning.instrument)].primary.id)


def _total(totals: Mapping[int, Meaning], instrument: Instrument) -> Source | None:
    """The one column that holds totals of the primary scale; None where there is none, or more than one."""
    mine = [i for i, m in totals.items() if m.instrument == instrument.id and m.scale == instrument.primary.id]
    return Source(column=mine[0]) if len(mine) == 1 else None


def _stated_coding(sheet: RawSheet, instrument: Instrument) -> tuple[str, ...]:
    """Answers in an entry workbook are typed as the published codes, which it shows; elsewhere nothing is stated."""
    return (instrument.codings[0].id,) if sheet.dialect == ENTRY and instrument.codings else ()


def _of_interview(instrument: Instrument, roles: Mapping[str, int], role: str) -> Source | None:
    """A column about the interviewer, where it says nothing of which form, is not about those that patients fill in alone."""
    return None if instrument.kind == "self_report" else _source(roles, role)


def _own_roles(
    sheet: RawSheet,
    meanings: Mapping[int, tuple[Meaning, ...]],
    instrument_id: str,
    items: Mapping[str, dict[int, Meaning]],
) -> dict[str, int]:
    """Columns of one instrument alone: those with its name ('phq9_date'), or else those of the tool's form that holds its items.

    Of a form that holds several instruments nobody can tell which of them was opened.
    """
    held = {i: forms_of(sheet, columns) for i, columns in items.items()}
    forms = held[instrument_id]
    is_shared = any(forms & others for i, others in held.items() if i != instrument_id)
    taken = {position for columns in items.values() for position in columns}
    every = [(m, i) for i, ms in meanings.items() if i not in taken for m in ms]
    named = [(m.role, i) for m, i in every if m.instrument == instrument_id and m.role in _OF_ONE_FORM]
    in_form = [
        (m.role, i)
        for m, i in every
        if m.instrument is None and m.role in _OF_ONE_FORM and sheet.fact(i).form in forms
        if not (m.role == "opened" and is_shared)
    ]
    return _surest(in_form) | _surest(named)


def forms_of(sheet: RawSheet, positions: Iterable[int]) -> set[str]:
    """The forms of the tool that the columns belong to."""
    return {form for i in positions if (form := sheet.fact(i).form) is not None}


def opened_of(sheet: RawSheet, positions: Iterable[int]) -> Source | None:
    """Where the tool says whether the one form that holds these columns was opened; None where it says nothing of it."""
    forms = forms_of(sheet, positions)
    found = [i for i, fact in enumerate(sheet.facts) if fact.role == "opened" and (fact.form in forms or not fact.form)]
    return Source(column=found[0]) if len(found) == 1 else None


def _surest(found: Collection[tuple[str, int]]) -> dict[str, int]:
    return {role: i for role, i in found if sum(r == role for r, _ in found) == 1}


def _complete(sheet: RawSheet, roles: Mapping[str, int]) -> Source | None:
    """The column that says whether a form was finished; where its tool says what its codes mean, by those."""
    if "complete" not in roles:
        return None
    answers = sheet.fact(roles["complete"]).answers or {}
    yes = tuple(code for code, label in answers.items() if means_complete(label))
    return Source(column=roles["complete"], yes=yes or None)


# Registers ------------------------------------------------------------------------------------------------------------


def _registers(looked: Columns) -> Understanding:
    """The register that the sheet holds; an understanding that takes nothing where it is none, or may be several."""
    sheet, found = looked.sheet, register_of(looked)
    if found is None:
        return Understanding(sheet=sheet, columns=tell(looked, {}, Judged()))
    register, positions = found
    shared = _roles(sheet, looked.meanings, ["programme", *["patient"] * register.has_patients])
    shared |= {"patient": positions["patient_id"]} if "patient_id" in positions else {}
    others = [(register.column(name), i) for name, i in positions.items() if name != "patient_id"]
    plan = RegisterPlan(register.name, {c.name: _in_words(sheet, i, register, c) for c, i in others})
    told = {i: Meaning(role) for role, i in shared.items()} | {i: Meaning(column.role) for column, i in others}
    return Understanding(
        sheet=sheet,
        patient=_source(shared, "patient"),
        programme=_source(shared, "programme"),
        registers=(plan,),
        columns=tell(looked, told, Judged(), register=register.name),
    )


def _in_words(sheet: RawSheet, position: int, register: Register, column: RegisterColumn) -> Source:
    """A column of a register; its codes are translated where its tool says what they mean."""
    answers = sheet.fact(position).answers
    if not answers or not column.codes:
        return Source(position)
    return Source(position, codes=of_answers(answers, code_words(register.name, column.name)))
