"""FHIR QuestionnaireResponse: one sheet per Questionnaire, one row per response, one column per linkId. STU3, R4 and R4B.

Belongs here: from resources to sheets, and the Questionnaire as a codebook. Does not belong here: reading JSON (`fhir_json`), what is
said of one question (`fhir_questions`), what a column measures (`names`).

Rows are numbered as the sender can find them: the line in NDJSON (bulk export), the position among the entries of a Bundle, 1
for a single resource. Responses to different Questionnaires, or to different versions of one, never share a sheet, since a linkId
means something in its Questionnaire only.

What a question measures is told, in this order, by LOINC codes of its item in the Questionnaire, by its linkId where that is a
LOINC code or one of our own names ('phq9_01'), and by the address of the Questionnaire together with the number in the linkId
('.../Questionnaire/phq9' and 'q3'). The last is as sure as a CSV column called 'phq9_3': the address must name one instrument,
and the numbers must be exactly those of its items, or the file is refused. The order of items never says anything.

A resource that breaks its definition is a row with a fault (`resource_invalid`) and without answers, so that it is set aside and
counted. Where its Questionnaire cannot be told it stands in the sheet with most rows. A response that was entered in error is a row
to be left out (`response_entered_in_error`). Resources of other types are no rows.

A patient is known by `subject.identifier.value` where every response of the file has one, otherwise by the id in
`subject.reference` ('Patient/123' is 123): both at once would be two numbers for one person.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.fhir_json import QUESTIONNAIRE, RESPONSE, Found, every_item, resources
from mbt_rom.exports.fhir_questions import cell_of, coding_of, numbered_name, questions_of, with_score
from mbt_rom.exports.sheets import ColumnFacts, Grid, RowFault

NAME = "fhir"
_CODEBOOK = "fhir_questionnaire"
#: Stands between address and linkId where both are one key.
_SEPARATOR = "\x1f"
MOST_QUESTIONS = 5_000
MOST_CELLS = 60_000_000
_PATIENT = re.compile(r"(?:.*/)?Patient/([A-Za-z0-9.-]{1,64})(?:/_history/[^/]*)?", re.ASCII)
#: Type of `source` -> who answered.
_SOURCES = {
    "Patient": "self", "RelatedPerson": "relative", "Practitioner": "clinician", "PractitionerRole": "clinician",
}  # fmt: skip
_STATES = {
    "completed": "completed", "amended": "completed", "in-progress": "in progress", "stopped": "incomplete",
}  # fmt: skip
#: Column of the response itself -> what it is used for.
_ROLES = {
    "questionnaire": "technical", "id": "response_id", "status": "complete", "subject": "patient", "authored": "date",
    "saved": "submitted_at", "source": "respondent", "language": "language",
}  # fmt: skip


@dataclass(frozen=True)
class _Response:
    row: int
    canonical: str
    stated: Mapping[str, str]
    cells: Mapping[str, str]
    identifier: str
    reference: str
    fault: RowFault | None = None


@dataclass
class _Question:
    """What the responses themselves say of a question."""

    text: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    scores: dict[str, str] = field(default_factory=dict)

    def facts(self) -> ColumnFacts:
        return ColumnFacts(text=self.text, answers=self.labels or None, scores=self.scores or None)


@dataclass
class _Reading:
    """All that was read of a file so far: Questionnaire -> linkId -> question."""

    responses: list[_Response] = field(default_factory=list)
    questions: dict[str, dict[str, _Question]] = field(default_factory=dict)
    known: dict[str, ColumnFacts] = field(default_factory=dict)
    patients: dict[str, tuple[str, str]] = field(default_factory=dict)
    faults: list[Found] = field(default_factory=list)
    n_others: int = 0


def read_fhir(data: bytes) -> list[Grid]:
    """The sheets of a FHIR file. One that holds Questionnaires and no responses gives the one sheet of a codebook.

    Raises `ExportError` file_unreadable, columns_unknown (no resource of these types), file_unpacks_too_large,
    patient_column_citizen_numbers.
    """
    reading = _Reading()
    for found in resources(data):
        _take(reading, found)
    if reading.responses:
        return _grids(reading)
    if reading.faults:
        first = reading.faults[0]
        raise ExportError(
            "file_unreadable",
            f"{len(reading.faults)} resources cannot be read, the first in row {first.row}: {first.fault}",
        )
    if not reading.known:
        raise ExportError(
            "columns_unknown", f"{reading.n_others} resources, none of them a {RESPONSE} or {QUESTIONNAIRE}"
        )
    return [_codebook_grid(reading.known)]


def _take(reading: _Reading, found: Found) -> None:
    if found.fault is not None and (found.kind != RESPONSE or not _canonical(found.resource)):
        reading.faults.append(found)
    elif found.kind == RESPONSE:
        _take_response(reading, found)
    elif found.kind == QUESTIONNAIRE:
        reading.known |= _known(found.resource)
    else:
        reading.n_others += 1
        if found.kind == "Patient" and found.address:
            reading.patients[found.address] = _patient_of(found.resource)


def _take_response(reading: _Reading, found: Found) -> None:
    canonical = _canonical(found.resource)
    cells: dict[str, str] = {}
    if found.fault is None:
        cells = _answers(found.resource, reading.questions.setdefault(canonical, {}))
    reading.responses.append(_response(found, canonical, cells))


# Responses ------------------------------------------------------------------------------------------------------------


def _answers(resource: Mapping[str, Any], questions: dict[str, _Question]) -> dict[str, str]:
    """linkId -> cell. Several answers to one question share a cell, which is then none of its codes. Groups have no column."""
    cells: dict[str, list[str]] = {}
    for item in every_item(resource):
        answers = item.get("answer") or []
        if "item" in item and not answers:
            continue
        link_id = str(item["linkId"])
        question = questions.setdefault(link_id, _Question())
        question.text = question.text or item.get("text")
        cells.setdefault(link_id, []).extend(cell for answer in answers if (cell := cell_of(answer)))
        for code, label, score in filter(None, map(coding_of, answers)):
            question.labels.setdefault(code, label)
            with_score(question.scores, code, score)
    return {link_id: "; ".join(texts) for link_id, texts in cells.items()}


def _response(found: Found, canonical: str, cells: Mapping[str, str]) -> _Response:
    resource = found.resource
    authored, meta = _text(resource, "authored"), _inner(resource, "meta")
    subject, source = _inner(resource, "subject"), _inner(resource, "source")
    status = _text(resource, "status")
    stated = {
        "questionnaire": canonical or RESPONSE,
        "id": _text(resource, "id") or _text(_inner(resource, "identifier"), "value") or found.address,
        "status": _STATES.get(status, status),
        "authored": authored,
        "saved": _text(meta, "lastUpdated") or authored,
        "source": _SOURCES.get(_type_of(source), ""),
        "language": _text(resource, "language"),
    }
    return _Response(
        found.row,
        canonical,
        stated,
        cells,
        identifier=_text(_inner(subject, "identifier"), "value"),
        reference=_text(subject, "reference"),
        fault=_fault(found, status),
    )


def _fault(found: Found, status: str) -> RowFault | None:
    if found.fault is not None:
        return RowFault("resource_invalid", found.fault)
    return RowFault("response_entered_in_error", "") if status == "entered-in-error" else None


def _canonical(resource: Mapping[str, Any]) -> str:
    """The Questionnaire that a response names: an address in R4, a reference in STU3; '' where it names none."""
    stated = resource.get("questionnaire")
    if isinstance(stated, dict):
        return _text(stated, "reference") or _text(_inner(stated, "identifier"), "value")
    return stated if isinstance(stated, str) else ""


def _type_of(reference: Mapping[str, Any]) -> str:
    parts = _text(reference, "reference").split("/_history/")[0].split("/")
    return _text(reference, "type") or (parts[-2] if len(parts) > 1 else "")


def _patient_of(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Number and id of a Patient in the same Bundle; no number where it has several."""
    stated = resource.get("identifier")
    values = {_text(x, "value") for x in stated if isinstance(x, dict)} if isinstance(stated, list) else set()
    return (values.pop() if len(values) == 1 else ""), _text(resource, "id")


def _text(element: Mapping[str, Any], key: str) -> str:
    value = element.get(key)
    return value if isinstance(value, str) else ""


def _inner(element: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = element.get(key)
    return value if isinstance(value, dict) else {}


# Sheets ---------------------------------------------------------------------------------------------------------------


def _grids(reading: _Reading) -> list[Grid]:
    responses = sorted([*_at_home(reading), *_homeless(reading)], key=lambda response: response.row)
    responses = _with_patients(responses, reading.patients)
    book = Codebook(NAME, reading.known)
    grids = []
    for number, canonical in enumerate(dict.fromkeys(r.canonical for r in responses), start=1):
        mine = [r for r in responses if r.canonical == canonical]
        grids.append(_explained(_grid(number, canonical, mine, reading.questions.get(canonical, {})), [book]))
    return grids


def _at_home(reading: _Reading) -> list[_Response]:
    """The responses; one that cannot be read goes to another sheet where its own would hold no question."""
    home = _largest(reading)
    return [r if r.canonical in reading.questions else replace(r, canonical=home) for r in reading.responses]


def _homeless(reading: _Reading) -> list[_Response]:
    home = _largest(reading)
    return [_response(found, home, {}) for found in reading.faults]


def _largest(reading: _Reading) -> str:
    """The Questionnaire with most responses that can be read, the first on a tie."""
    counted = Counter(r.canonical for r in reading.responses if r.fault is None or r.fault.rule != "resource_invalid")
    if not counted:
        first = min(reading.responses, key=lambda r: r.row)
        detail = first.fault.detail if first.fault else ""
        raise ExportError("file_unreadable", f"no response can be read, the first in row {first.row}: {detail}")
    return counted.most_common(1)[0][0]


def _with_patients(responses: Sequence[_Response], patients: Mapping[str, tuple[str, str]]) -> list[_Response]:
    """The responses with the number of their patient, of one kind for all of the file."""
    both = [_both_numbers(response, patients) for response in responses]
    named = [numbers for numbers in both if any(numbers)]
    place = 0 if named and all(identifier for identifier, _ in named) else 1
    return [
        replace(response, stated={**response.stated, "subject": numbers[place]})
        for response, numbers in zip(responses, both, strict=True)
    ]


def _both_numbers(response: _Response, patients: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Identifier and id of the patient. An address within the Bundle differs from file to file and is no id."""
    identifier, own_id = patients.get(response.reference, ("", ""))
    found = _PATIENT.fullmatch(response.reference)
    return response.identifier or identifier, found.group(1) if found else own_id


def _grid(number: int, canonical: str, responses: Sequence[_Response], questions: Mapping[str, _Question]) -> Grid:
    if len(questions) > MOST_QUESTIONS or len(questions) * len(responses) > MOST_CELLS:
        raise ExportError(
            "file_unpacks_too_large", f"{len(questions)} different linkIds; at most {MOST_QUESTIONS} are read"
        )
    columns = [[f"{RESPONSE}.{name}", *(r.stated.get(name, "") for r in responses)] for name in _ROLES]
    columns += [[link_id, *(r.cells.get(link_id, "") for r in responses)] for link_id in questions]
    cells = pd.DataFrame(dict(enumerate(columns)), dtype="str")
    return Grid(
        number=number,
        name=canonical or None,
        cells=cells,
        rows=np.array([0, *(r.row for r in responses)], dtype=np.int32),
        n_cells=np.full(len(cells), cells.shape[1], dtype=np.int32),
        dialect=NAME,
        encoding="utf-8",
        facts=(*(ColumnFacts(role=role) for role in _ROLES.values()), *(q.facts() for q in questions.values())),
        faults={r.row: r.fault for r in responses if r.fault is not None},
    )


# Codebooks ------------------------------------------------------------------------------------------------------------


def _known(questionnaire: Mapping[str, Any]) -> dict[str, ColumnFacts]:
    """Address and linkId of every item -> its facts. A Questionnaire has its canonical address, and its id on the server."""
    url, version = _text(questionnaire, "url"), _text(questionnaire, "version")
    own_id = _text(questionnaire, "id")
    addresses = [f"{url}|{version}" if version else url] if url else []
    addresses += [f"{QUESTIONNAIRE}/{own_id}"] if own_id else []
    return {
        f"{address}{_SEPARATOR}{link_id}": facts
        for address in addresses
        for link_id, facts in questions_of(questionnaire)
    }


def _codebook_grid(known: Mapping[str, ColumnFacts]) -> Grid:
    cells = pd.DataFrame({i: [key] for i, key in enumerate(known)}, dtype="str")
    one = np.ones(1, dtype=np.int32)
    return Grid(1, None, cells, one, one * len(known), _CODEBOOK, encoding="utf-8", facts=tuple(known.values()))


def codebook(grid: Grid) -> Codebook | None:
    """The codebook that a file of Questionnaires is."""
    return Codebook(NAME, dict(zip(grid.row_texts(0), grid.facts, strict=True))) if grid.dialect == _CODEBOOK else None


def _told(canonical: str, codebooks: Iterable[Codebook]) -> dict[str, ColumnFacts]:
    """linkId -> facts, from the Questionnaire of that address; of several the one delivered last.

    A Questionnaire of another version is none: its linkIds may mean something else. By its id on the server one is found only
    where none has the address.
    """
    by_address: dict[str, dict[str, ColumnFacts]] = {}
    for book in codebooks:
        if book.tool == NAME:
            fresh: dict[str, dict[str, ColumnFacts]] = {}
            for key, facts in book.columns.items():
                address, _, link_id = key.partition(_SEPARATOR)
                fresh.setdefault(address, {})[link_id] = facts
            by_address |= fresh
    url, _, version = canonical.partition("|")
    same = [a for a in by_address if a.partition("|")[0] == url and version in ("", a.partition("|")[2])]
    same = same or [a for a in by_address if a == url]
    same = same or [a for a in by_address if a == "/".join(url.split("/")[-2:]) and a.startswith(f"{QUESTIONNAIRE}/")]
    return by_address[same[-1]] if same else {}


def _explained(grid: Grid, codebooks: Sequence[Codebook]) -> Grid:
    """The sheet with all that is known of its questions, and with a column for each that nobody answered."""
    canonical, n_own = grid.name or "", len(_ROLES)
    told = _told(canonical, codebooks)
    headers = grid.row_texts(0)
    questions = headers[n_own:]
    unanswered = [link_id for link_id, facts in told.items() if link_id not in questions and facts.role != "technical"]
    cells = grid.cells.copy()
    for link_id in unanswered:
        cells[cells.shape[1]] = pd.Series([link_id, *[""] * (len(cells) - 1)], dtype="str")
    read = [*grid.facts[n_own:], *[ColumnFacts()] * len(unanswered)]
    facts = [
        _merged(link_id, canonical, own, told.get(link_id, ColumnFacts()))
        for link_id, own in zip([*questions, *unanswered], read, strict=True)
    ]
    n_cells = np.full(len(cells), cells.shape[1], dtype=np.int32)
    return replace(grid, cells=cells, n_cells=n_cells, facts=(*grid.facts[:n_own], *facts))


def _merged(link_id: str, canonical: str, own: ColumnFacts, told: ColumnFacts) -> ColumnFacts:
    numbered = numbered_name(canonical, link_id)
    names = [
        *own.others,
        *told.others,
        *([link_id] if own.code or told.code else []),
        *([numbered] if numbered else []),
    ]
    scores = dict(own.scores or {})
    for code, score in (told.scores or {}).items():
        with_score(scores, code, score)
    return ColumnFacts(
        code=own.code or told.code,
        text=told.text or own.text,
        answers={**(own.answers or {}), **(told.answers or {})} or None,
        role=own.role or told.role,
        others=tuple(dict.fromkeys(names)),
        scores=scores or None,
    )


# The dialect ----------------------------------------------------------------------------------------------------------


def header(grid: Grid) -> int | None:
    """The first row of a sheet that `read_fhir` made."""
    return 0 if grid.dialect == NAME else None


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The sheet with what Questionnaires that were delivered beside it say of its columns."""
    return replace(_explained(grid, codebooks), header=position)


DIALECT = Dialect(NAME, header, read, codebook)
