"""One exporter per way in which survey tools write the same sittings: sittings in, files out.

Belongs here: layouts, headers and codes of each tool, written after the tool's own documentation. Does not belong here: reading
them. `Exporter.option` values are variants of one tool (delimiter, encoding, layout), drawn by the case.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyreadstat
import xlsxwriter
import xlwt

from tests.exporters.truth import INSTRUMENTS, PHQ9, Case, Sitting

Files = dict[str, bytes]


@dataclass(frozen=True)
class Exporter:
    """`write`: sittings of one export, the case -> files (codebooks first). `has_dates`: forms carry their day, else the moment.

    `has_responses`: a form that is finished later can be told from another form.
    """

    name: str
    write: Callable[[Sequence[Sitting], Case, int], Files]
    has_dates: bool = True
    has_responses: bool = True


def _cell(sitting: Sitting, instrument: str, item: str) -> str:
    answer = sitting.answers.get(instrument, {}).get(item)
    return "" if answer is None else str(answer)


def _items(case: Case, instrument: str) -> list[str]:
    return case.shuffled(INSTRUMENTS[instrument].item_ids)


def _both(case: Case) -> list[tuple[str, str]]:
    """(instrument, item), questionnaire by questionnaire, in the case's order."""
    return [(name, item) for name in case.shuffled(["phq9", "eq5d5l"]) for item in _items(case, name)]


def _csv(rows: Sequence[Sequence[str]], *, delimiter: str = ",", encoding: str = "utf-8", end: str = "\r\n") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue().encode(encoding)


def _xlsx(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, text in enumerate(row):
                    number = text.isdigit() and r > 0 and c > 3
                    _ = sheet.write_number(r, c, int(text)) if number else sheet.write_string(r, c, text)
    return out.getvalue()


def _xls(rows: Sequence[Sequence[str]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("data")
    for r, row in enumerate(rows):
        for c, text in enumerate(row):
            sheet.write(r, c, int(text) if text.isdigit() and r > 0 and c > 3 else text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _ods(rows: Sequence[Sequence[str]]) -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(text)}</text:p></table:table-cell>'
            if text
            else "<table:table-cell/>"
            for text in row
        )
        + "</table:table-row>"
        for row in rows
    )
    spaces = ["office:1.0", "table:1.0", "text:1.0"]
    names = " ".join(f'xmlns:{s.split(":")[0]}="urn:oasis:names:tc:opendocument:xmlns:{s}"' for s in spaces)
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {names} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="data">{cells}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.2" '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
        f'manifest:media-type="{kind}"/><manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return out.getvalue()


# Plain tables ---------------------------------------------------------------------------------------------------------


def _table(sittings: Sequence[Sitting], case: Case, *, dates: str = "%Y-%m-%d") -> list[list[str]]:
    """A row per sitting; the columns in the case's order, the first four and a remark somewhere among them."""
    head = {
        "patient_id": lambda s: s.patient,
        "response_id": lambda s: s.response,
        "date": lambda s: s.day.strftime(dates),
        "complete": lambda s: "yes" if s.is_finished else "no",
    }
    named = _both(case)
    rows = [[*head, *(item for _, item in named), "remarks"]]
    for s in sittings:
        rows.append([*(make(s) for make in head.values()), *(_cell(s, n, i) for n, i in named), "thanks, see letter"])
    return rows


def _plain(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    delimiter = ",;\t|"[case.option % 4]
    encoding = ("utf-8", "utf-8-sig", "cp1252", "utf-16")[case.option % 4]
    rows = _table(sittings, case, dates=("%Y-%m-%d", "%d-%m-%Y")[case.option % 2])
    order = case.shuffled([str(i) for i in range(len(rows[0]))])
    rows = [[row[int(i)] for i in order] for row in rows]
    return {f"forms_{nth}.csv": _csv(rows, delimiter=delimiter, encoding=encoding, end=("\n", "\r\n")[case.option % 2])}


def _workbook(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    rows = _table(sittings, case)
    if case.option % 3 == 0:
        titled = [["Clinic of the north"], ["exported on Monday"], [], *rows]
        return {f"forms_{nth}.xlsx": _xlsx({"Forms": titled})}
    return {f"forms_{nth}.xls": _xls(rows)} if case.option % 3 == 1 else {f"forms_{nth}.ods": _ods(rows)}


def _spss(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    named = _both(case)
    columns: dict[str, Any] = {
        "patient_id": [s.patient for s in sittings],
        "response_id": [s.response for s in sittings],
        "date": [s.day.isoformat() for s in sittings],
        "complete": [str(int(s.is_finished)) for s in sittings],
    }
    columns |= {
        item: [float(cell) if (cell := _cell(s, name, item)) else None for s in sittings] for name, item in named
    }
    labels = {0: "Not at all", 1: "Several days", 2: "More than half the days", 3: "Nearly every day"}
    told = dict.fromkeys(PHQ9.item_ids[:9], labels) if case.option % 2 else {}
    ending = ("sav", "zsav")[case.option // 2 % 2]  # names of a .por file have eight letters at most
    frame = pd.DataFrame(columns)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"x.{ending}"
        pyreadstat.write_sav(frame, str(path), variable_value_labels=told, compress=ending == "zsav")
        return {f"forms_{nth}.{ending}": path.read_bytes()}


# REDCap ---------------------------------------------------------------------------------------------------------------

_EVENTS = {"baseline": "baseline_arm_1", "m6": "month_6_arm_1", "m12": "12_maanden_arm_1"}
_DICTIONARY_HEAD = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?", "Field Annotation",
]  # fmt: skip
_FORM_NAMES = {"phq9": "depression_list", "eq5d5l": "quality_of_life"}


def _dictionary(case: Case) -> bytes:
    blank = [""] * (len(_DICTIONARY_HEAD) - 5)
    rows = [_DICTIONARY_HEAD, ["record_id", "registration", "", "text", "Record ID", *blank]]
    for name, item in _both(case):
        bounds = next(i for i in INSTRUMENTS[name].items if i.id == item)
        kind = "radio" if bounds.largest < 10 else "text"
        choices = (
            " | ".join(f"{k}, option {k}" for k in range(bounds.min, bounds.largest + 1)) if kind == "radio" else ""
        )
        rows.append([item, _FORM_NAMES[name], "", kind, f"Question {item}", choices, *blank[1:]])
    return _csv(rows)


def _redcap_fields(case: Case) -> tuple[list[str], list[tuple[str, str]]]:
    """Columns as REDCap orders them: the fields of a form, then its `_complete`."""
    header, cells = [], []
    for name in case.shuffled(["phq9", "eq5d5l"]):
        for item in _items(case, name):
            header.append(item)
            cells.append((name, item))
        header.append(f"{_FORM_NAMES[name]}_complete")
        cells.append((name, ""))
    return header, cells


def _redcap_cell(s: Sitting, name: str, item: str) -> str:
    if item:
        return _cell(s, name, item)
    return ("2" if s.is_finished else "0") if name in s.answers else ""


def _redcap_events(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    header, cells = _redcap_fields(case)
    rows = [["record_id", "redcap_event_name", "redcap_data_access_group", *header]]
    rows += [
        [s.patient, _EVENTS[s.moment], "north" if case.option % 2 else "", *(_redcap_cell(s, n, i) for n, i in cells)]
        for s in sittings
    ]
    data = {f"Project_DATA_{nth}.csv": _csv(rows, delimiter=",;"[case.option % 2])}
    return ({f"Project_DataDictionary_{nth}.csv": _dictionary(case)} if case.option % 3 else {}) | data


def _redcap_repeats(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    """Every questionnaire a repeating instrument; a first row of each record holds what does not repeat."""
    header, cells = _redcap_fields(case)
    dates = {"phq9": "phq9_date", "eq5d5l": "eq5d5l_date"}
    rows = [["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "first_seen", *_dated(header, dates)]]
    for patient in dict.fromkeys(s.patient for s in sittings):
        rows.append([patient, "", "", "2024-12-01", *[""] * (len(header) + 2)])
        for s in (s for s in sittings if s.patient == patient):
            for name in s.answers:
                own = [_redcap_cell(s, n, i) if n == name else "" for n, i in cells]
                placed = _with_dates(own, cells, name, s.day.isoformat())
                rows.append([patient, _FORM_NAMES[name], str(1 + list(_EVENTS).index(s.moment)), "", *placed])
    return {f"Project_DataDictionary_{nth}.csv": _dated_dictionary(case, dates), f"Project_DATA_{nth}.csv": _csv(rows)}


def _dated(header: list[str], dates: Mapping[str, str]) -> list[str]:
    """The header with each form's own date before its `_complete`."""
    made = []
    for column in header:
        form = column.removesuffix("_complete")
        own = next((d for n, d in dates.items() if _FORM_NAMES[n] == form), None)
        made += [own, column] if column.endswith("_complete") and own else [column]
    return made


def _with_dates(own: list[str], cells: Sequence[tuple[str, str]], name: str, day: str) -> list[str]:
    made = []
    for text, (n, item) in zip(own, cells, strict=True):
        made += [day if n == name else "", text] if item == "" else [text]
    return made


def _dated_dictionary(case: Case, dates: Mapping[str, str]) -> bytes:
    lines = _dictionary(case).decode().splitlines()
    blank = "," * 9
    extra = [f"{column},{_FORM_NAMES[n]},,text,Date of completion,,,date_ymd{blank}," for n, column in dates.items()]
    return ("\r\n".join([*lines, *extra]) + "\r\n").encode()


# Qualtrics, LimeSurvey ------------------------------------------------------------------------------------------------


def _qualtrics(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    named = _both(case)
    names = ["StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate",
             "ResponseId", "RecipientLastName", "RecipientEmail", "UserLanguage", "patient_id", *(i for _, i in named)]  # fmt: skip
    texts = ["Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)", "Finished",
             "Recorded Date", "Response ID", "Recipient Last Name", "Recipient Email", "User Language", "Number on your letter",
             *(f"Question {i}, with a comma" for _, i in named)]  # fmt: skip
    ids = [json.dumps({"ImportId": f"QID{k}"}) for k in range(len(names))]
    rows = [names, texts, ids]
    for s in sittings:
        time = f"{s.day.isoformat()} 10:{int(s.response):02d}:00"
        rows.append([time, time, "0", "192.0.2.1", "100" if s.is_finished else "40", "300", "1" if s.is_finished else "0",
                     time, f"R_{s.response}", "", "", "NL", s.patient, *(_cell(s, n, i) for n, i in named)])  # fmt: skip
    return {f"survey_{nth}.csv": _csv(rows, encoding="utf-8-sig", end="\n")}


def _limesurvey(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    """Array questions whose sub-questions are numbered, under a code that names the questionnaire."""
    named = _both(case)
    both = case.option % 2 == 1
    own = ["id", "submitdate", "lastpage", "startlanguage", "seed", "patientnummer", "startdate", "datestamp"]
    own_texts = ["Response ID", "Date submitted", "Last page", "Start language", "Seed", "Patientnummer", "Date started",
                 "Date last action"]  # fmt: skip
    codes = [f"{n}[SQ{i[-2:].zfill(3)}]" if n == "phq9" else i for n, i in named]
    header = [f"{c}. {t}" for c, t in zip(own, own_texts, strict=True)] if both else own
    header = header + [f"{c}. Question {i} [part]" if both else c for c, (_, i) in zip(codes, named, strict=True)]
    rows = [header]
    for s in sittings:
        time = f"{s.day.isoformat()} 09:30:00"
        rows.append([s.response, time if s.is_finished else "", "3", "nl", "77", s.patient, time, time,
                     *(_cell(s, n, i) for n, i in named)])  # fmt: skip
    return {f"results-survey{nth}.csv": _csv(rows, delimiter=",;"[case.option // 2 % 2], encoding="utf-8-sig")}


# Castor, formr, Kobo, ODK ---------------------------------------------------------------------------------------------


def _castor(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    named = _both(case)
    own = ["Castor Participant ID", "Participant Status", "Site Abbreviation", "Survey Creation Date", "Survey Instance ID",
           "Survey Package Name", "Survey Name", "Survey Completed On", "Survey Progress"]  # fmt: skip
    rows = [[*own, *(i for _, i in named)]]
    for s in sittings:
        day = s.day.strftime("%d-%m-%Y")
        rows.append([s.patient, "Not Set", "NRD", f"{day} 08:00:00", f"AB-{s.response}", "ROM", "ROM", f"{day} 09:00:00" if s.is_finished else "",
                     "100" if s.is_finished else "30", *(_cell(s, n, i) or ("-99" if n in s.answers else "") for n, i in named)])  # fmt: skip
    return {f"Study_ROM_export_{nth}.csv": _csv(rows, delimiter=";", encoding="utf-8-sig")}


def _formr(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    named = _both(case)
    rows = [["session", "created", "modified", "ended", "expired", "patient_id", *(i for _, i in named)]]
    for s in sittings:
        time = f"{s.day.isoformat()} 09:00:00"
        rows.append([f"sess-{s.response}", time, time, time if s.is_finished else "", "", s.patient,
                     *(_cell(s, n, i) for n, i in named)])  # fmt: skip
    return {f"run_{nth}.csv": _csv(rows)}


def _kobo(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    named = _both(case)
    mark = "/-"[case.option % 2]
    head = ["start", "end", "today", f"about{mark}patient_id"]
    tail = ["__version__", "_id", "_uuid", "_submission_time", "_validation_status", "_index"]
    rows = [[*head, *(f"{n}_group{mark}{i}" for n, i in named), *tail]]
    for k, s in enumerate(sittings):
        day = s.day.isoformat()
        rows.append([f"{day}T09:00:00.000+01:00", f"{day}T09:20:00.000+01:00", day, s.patient, *(_cell(s, n, i) for n, i in named),
                     "v1", s.response, f"u-{s.response}", f"{day}T09:21:00", "", str(k + 1)])  # fmt: skip
    return {f"ROM_-_all_versions_{nth}.csv": _csv(rows, delimiter=",;"[case.option // 2 % 2])}


# FHIR -----------------------------------------------------------------------------------------------------------------

_LOINC = {"phq9_01": "44250-9", "phq9_02": "44255-8", "phq9_03": "44259-0", "phq9_04": "44254-1", "phq9_05": "44251-7",
          "phq9_06": "44258-2", "phq9_07": "44252-5", "phq9_08": "44253-3", "phq9_09": "44260-8", "phq9_10": "69722-7"}  # fmt: skip
_LOINC_ANSWERS = {0: "LA6568-5", 1: "LA6569-3", 2: "LA6570-1", 3: "LA6571-9"}


def _fhir_answer(case: Case, item: str, answer: int) -> dict[str, Any]:
    if item in _LOINC and item != "phq9_10" and case.option % 2 and answer in _LOINC_ANSWERS:
        return {"valueCoding": {"system": "http://loinc.org", "code": _LOINC_ANSWERS[answer]}}
    return {"valueInteger": answer}


def _fhir_response(case: Case, s: Sitting, name: str) -> dict[str, Any]:
    told = [
        {"linkId": f"/{_LOINC[i]}" if i in _LOINC else i, "answer": [_fhir_answer(case, i, a)]}
        for i in _items(case, name)
        if (a := s.answers[name].get(i)) is not None
    ]
    resource = {
        "resourceType": "QuestionnaireResponse",
        "id": f"qr-{s.response}-{name}",
        "status": "completed" if s.is_finished else "in-progress",
        "subject": {"reference": f"Patient/{s.patient}"},
        "authored": f"{s.day.isoformat()}T10:00:00+01:00",
        "item": [{"linkId": "group", "item": told}] if case.option % 3 else told,
    }
    stu3 = case.option % 4 == 3
    return resource | ({} if stu3 else {"questionnaire": f"http://example.org/Questionnaire/{name}"})


def _fhir(sittings: Sequence[Sitting], case: Case, nth: int) -> Files:
    resources = [_fhir_response(case, s, name) for s in sittings for name in s.answers]
    if case.option % 2:
        text = "\n".join(json.dumps(r) for r in resources)
        return {f"responses_{nth}.ndjson": text.encode()}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    return {f"bundle_{nth}.json": json.dumps(bundle).encode()}


EXPORTERS: tuple[Exporter, ...] = (
    Exporter("plain", _plain),
    Exporter("workbook", _workbook),
    Exporter("spss", _spss),
    Exporter("redcap_events", _redcap_events, has_dates=False),
    Exporter("redcap_repeats", _redcap_repeats),
    Exporter("qualtrics", _qualtrics),
    Exporter("limesurvey", _limesurvey),
    Exporter("castor", _castor),
    Exporter("formr", _formr),
    Exporter("kobo", _kobo),
    Exporter("fhir", _fhir),
)
