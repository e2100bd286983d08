"""What the survey tools of the programmes write: one function per kind of tool, from forms to files.

Belongs here: columns, headers, codes and file names of each kind of export, faultless. Does not belong here: registers
(`register_files`), bytes (`files`), faults (`faults`), what the mapping files say (`configuration`).

Kinds: `plain` UTF-8 CSV with commas, a file per instrument; `dutch` CSV with semicolons in Windows-1252, dd-mm-yyyy, all
instruments in one file; `workbook` XLSX with titles above the headers and a sheet per instrument; `one_based` UTF-8 CSV with
byte order mark whose answers count from one; `redcap` a row per record and event, without dates; `regional` the file of
several programmes in the drop folder `_shared`. Instruments beside
those of its kind a programme sends as `plain` does. Dated deliveries come in two parts, cut `SECOND_PART_DAYS` before the demo's date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import Days
from mbt_rom.model import Instrument, Item
from mbt_rom.settings import SHARED
from mbt_rom.synthetic.answers import MISSING, Answers
from mbt_rom.synthetic.files import HIDDEN, ExportFile, Sheet
from mbt_rom.synthetic.forms import WEEKLY
from mbt_rom.synthetic.moments import MONTHS, moment_name
from mbt_rom.synthetic.patients import People
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.register_files import DUTCH, ISO, date_cells, register_files

SECOND_PART_DAYS = 180
#: REDCap's event names by moment.
EVENTS = {moment_name(month): f"month_{month}_arm_1" if month else "start_arm_1" for month in MONTHS}
_DUTCH_LEVELS = {"mo": "mobiliteit", "sc": "zelfzorg", "ua": "dagelijkse activiteiten", "pd": "pijn", "ad": "angst"}
_REMARKS = ("", "", "", "", "", "", "", "filled in at home", "second reminder", "filled in together")
_DUTCH_REMARKS = ("", "", "", "", "", "", "", "thuis ingevuld", "tweede herinnering", "samen met patiënte ingevuld")


@dataclass(frozen=True)
class Programme:
    """All that is true of one programme: its plan, people, forms and the answers per instrument (rows: its forms in order).

    `registers`: those it keeps beside patients, therapists and episodes. `withdrawn_on`: see `consents.withdrawn_on`.
    """

    plan: Plan
    people: People
    forms: pd.DataFrame
    answers: Mapping[str, Answers]
    registers: Mapping[str, pd.DataFrame]
    withdrawn_on: Days

    def of(self, instrument: str) -> tuple[pd.DataFrame, Answers]:
        """The forms of one instrument and their answers, row by row."""
        return self.forms[self.forms["instrument"] == instrument], self.answers[instrument]


@dataclass(frozen=True)
class Parts:
    """The two deliveries of a dated export: forms before `cut` are in the first, the others in the second."""

    cut: date
    end: date

    def split(self, forms: pd.DataFrame) -> list[tuple[date, npt.NDArray[np.bool_]]]:
        """For each part the date in its file name and which of the forms are in it."""
        is_first = (forms["administered_on"] < pd.Timestamp(self.cut)).to_numpy()
        return [(self.cut, is_first), (self.end, ~is_first)]


def parts(as_of: date) -> Parts:
    """The parts of the deliveries of a demo."""
    return Parts(cut=as_of - timedelta(days=SECOND_PART_DAYS), end=as_of - timedelta(days=1))


def exports(programmes: Iterable[Programme], instruments: Mapping[str, Instrument], *, as_of: date) -> list[ExportFile]:
    """All files of all programmes, in the order of the programmes, the shared ones last."""
    made, shared = [], []
    when = parts(as_of)
    for programme in programmes:
        made += register_files(programme.plan, programme.people, programme.registers)
        made += _OWN[programme.plan.kind.shape](programme, instruments, when)
        made += _file_each(programme, _further(programme), instruments, when)
        shared += [programme] if programme.plan.kind.shape in ("one_based", "regional") else []
    return _without_empty(made + (_regional(shared, instruments, when) if shared else []))


def _without_empty(files: list[ExportFile]) -> list[ExportFile]:
    """Without sheets that have no rows and files that have no sheets: a tool that has nothing to export writes nothing."""
    for file in files:
        file.sheets = [sheet for sheet in file.sheets if len(sheet.frame)]
    return [file for file in files if file.sheets]


# --- cells ------------------------------------------------------------------------------------------------------------


def answer_cells(answers: Answers, headers: list[str], *, shift: int = 0) -> pd.DataFrame:
    """Answers as text, '' where left open; `shift` is added to every code."""
    texts = np.array([str(code) for code in range(int(answers.max(initial=0)) + 1 + shift)] + [""], dtype=object)
    return pd.DataFrame(texts[np.where(answers == MISSING, -1, answers + shift)], columns=headers, dtype="str")


def _remarks(forms: pd.DataFrame, choices: tuple[str, ...]) -> npt.NDArray[np.object_]:
    return np.asarray(np.array(choices, dtype=object)[forms["sitting"].to_numpy() * 7 % len(choices)])


def _number(item: Item) -> str:
    return item.number.lstrip("0") or "0"


# --- a file per instrument --------------------------------------------------------------------------------------------


def _plain(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    return _file_each(programme, programme.plan.kind.instruments, instruments, when)


def _further(programme: Programme) -> list[str]:
    """Instruments beside those of its kind: whatever the tool, each comes in a file of its own."""
    return [i for i in programme.plan.instruments if i not in programme.plan.kind.instruments]


def _file_each(
    programme: Programme, chosen: Iterable[str], instruments: Mapping[str, Instrument], when: Parts
) -> list[ExportFile]:
    made = []
    for instrument in chosen:
        forms, answers = programme.of(instrument)
        frame = _plain_frame(forms, answers, instruments[instrument])
        for day, mask in when.split(forms):
            path = f"inbox/{programme.plan.programme_id}/{instrument}_{day.isoformat()}.csv"
            made.append(ExportFile(path, [Sheet(instrument, frame[mask].reset_index(drop=True))]))
    return made


def _plain_frame(forms: pd.DataFrame, answers: Answers, definition: Instrument) -> pd.DataFrame:
    head = pd.DataFrame(
        {
            "response_id": forms["response_id"],
            "patient_id": forms["number"],
            "date": date_cells(forms["administered_on"], ISO),
            "submitted_at": date_cells(forms["submitted_at"], "%Y-%m-%d %H:%M:%S"),
            "complete": "yes",
            "remarks": _remarks(forms, _REMARKS),
            HIDDEN + definition.id: forms["form_id"],
        }
    ).reset_index(drop=True)
    return pd.concat([head, answer_cells(answers, list(definition.item_ids))], axis=1).astype("str")


def _workbook_parts(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    made = []
    for position, day in enumerate((when.cut, when.end)):
        sheets = [
            _titled_sheet(programme, instruments[i], day, when.split(programme.of(i)[0])[position][1])
            for i in programme.plan.kind.instruments
        ]
        path = f"inbox/{programme.plan.programme_id}/rom_export_{day.isoformat()}.xlsx"
        made.append(ExportFile(path, sheets, kind="xlsx"))
    return made


def _titled_sheet(programme: Programme, definition: Instrument, day: date, mask: npt.NDArray[np.bool_]) -> Sheet:
    forms, answers = programme.of(definition.id)
    headers = [_titled_header(definition, item) for item in definition.items]
    head = pd.DataFrame(
        {
            "Response ID": forms["response_id"],
            "Patient number": forms["number"],
            "Date completed": date_cells(forms["administered_on"], ISO),
            HIDDEN + definition.id: forms["form_id"],
        }
    ).reset_index(drop=True)
    frame = pd.concat([head, answer_cells(answers, headers)], axis=1).astype("str")[mask].reset_index(drop=True)
    return Sheet(
        name=definition.name,
        frame=frame,
        titles=(f"{programme.plan.name}: {definition.name}", f"Exported on {day.isoformat()} - synthetic data", ""),
        dates=frozenset({"Date completed"}),
        numbers=frozenset(headers),
    )


def _titled_header(definition: Instrument, item: Item) -> str:
    return f"{definition.name} " + (f"item {_number(item)}" if item.number.isdigit() else item.number.upper())


def _one_based(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    """The BSI with answers 1 to 5 under headers that do not name it; the other forms are in the regional file."""
    definition = instruments["bsi"]
    forms, answers = programme.of("bsi")
    head = pd.DataFrame(
        {
            "Case": forms["number"],
            "Filled in on": date_cells(forms["administered_on"], "%d/%m/%Y"),
            "Form number": forms["response_id"],
            HIDDEN + "bsi": forms["form_id"],
        }
    ).reset_index(drop=True)
    cells = answer_cells(answers, [f"Q{_number(item)}" for item in definition.items], shift=1)
    frame = pd.concat([head, cells], axis=1).astype("str")
    return [
        ExportFile(
            f"inbox/{programme.plan.programme_id}/symptoms_{day.isoformat()}.csv",
            [Sheet("symptoms", frame[mask].reset_index(drop=True))],
            encoding="utf-8-sig",
        )
        for day, mask in when.split(forms)
    ]


# --- all instruments on one row ---------------------------------------------------------------------------------------


def _by_sitting(programme: Programme, blocks: Mapping[str, list[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per sitting: what is known of it, and the cells of every block (instrument -> headers), '' where not filled in."""
    wanted = programme.forms[programme.forms["instrument"].isin(list(blocks))]
    sittings = wanted.drop_duplicates("sitting").reset_index(drop=True)
    columns = []
    for instrument, headers in blocks.items():
        forms, answers = programme.of(instrument)
        cells = answer_cells(answers, headers).assign(**{HIDDEN + instrument: forms["form_id"].to_numpy()})
        columns.append(cells.set_index(forms["sitting"].to_numpy()).reindex(sittings["sitting"]).reset_index(drop=True))
    return sittings, pd.concat(columns, axis=1).fillna("").astype("str")


def _dutch_header(definition: Instrument, item: Item) -> str:
    level = _DUTCH_LEVELS.get(item.number, item.number)
    return f"{definition.name} vraag {_number(item)}" if item.number.isdigit() else f"{definition.name} {level}"


def _dutch(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    definitions = [instruments[i] for i in programme.plan.kind.instruments]
    sittings, cells = _by_sitting(programme, {d.id: [_dutch_header(d, i) for i in d.items] for d in definitions})
    head = pd.DataFrame(
        {
            "Response ID": sittings["response_id"],
            "Patiëntnummer": sittings["number"],
            "Datum invulling": date_cells(sittings["administered_on"], DUTCH),
            "Submitdate": date_cells(sittings["submitted_at"], "%d-%m-%Y %H:%M"),
            "Voltooid": "ja",
        }
    )
    frame = pd.concat([head, cells], axis=1).assign(Opmerkingen=_remarks(sittings, _DUTCH_REMARKS)).astype("str")
    return [
        ExportFile(
            f"inbox/{programme.plan.programme_id}/vragenlijsten_{day.isoformat()}.csv",
            [Sheet("vragenlijsten", frame[mask].reset_index(drop=True))],
            delimiter=";",
            encoding="cp1252",
        )
        for day, mask in when.split(sittings)
    ]


def _redcap(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    """One row per record and event. REDCap keeps one form per event: of two the first stays, and weekly forms have none."""
    definitions = [instruments[i] for i in programme.plan.kind.instruments]
    sittings, cells = _by_sitting(programme, {d.id: list(d.item_ids) for d in definitions})
    has_event = (sittings["moment"] != WEEKLY) & ~sittings.duplicated(["number", "moment"])
    for definition in definitions:
        cells[f"{definition.id}_complete"] = np.where(cells[HIDDEN + definition.id] != "", "2", "0")
    head = pd.DataFrame({"record_id": sittings["number"], "redcap_event_name": sittings["moment"].map(EVENTS)})
    frame = pd.concat([head, cells], axis=1)[has_event].astype("str")
    ordered = frame.sort_values(["record_id", "redcap_event_name"], kind="stable").reset_index(drop=True)
    path = f"inbox/{programme.plan.programme_id}/redcap_data_{when.end.isoformat()}.csv"
    return [ExportFile(path, [Sheet("redcap", ordered)])]


def _regional(programmes: list[Programme], instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    """The file of a regional survey service: programmes in a column, every instrument a block, tools' own headers."""
    wanted = [i for i in ("bsi", "phq9", "eq5d5l") if any(i in _regional_instruments(p) for p in programmes)]
    blocks = {i: [f"{instruments[i].id}_{_number(item)}" for item in instruments[i].items] for i in wanted}
    made = [_regional_rows(p, blocks) for p in programmes]
    frame = pd.concat([rows for rows, _ in made], ignore_index=True).fillna("").astype("str")
    columns = ["Site", "Client", "Survey date", "Token", "Finished", *(h for hs in blocks.values() for h in hs)]
    frame = frame[columns + [c for c in frame.columns if c.startswith(HIDDEN)]]
    sittings = pd.concat([sittings for _, sittings in made], ignore_index=True)
    return [
        ExportFile(
            f"inbox/{SHARED}/regional_survey_{day.isoformat()}.csv",
            [Sheet("survey", frame[mask].reset_index(drop=True))],
        )
        for day, mask in when.split(sittings)
    ]


def _regional_instruments(programme: Programme) -> tuple[str, ...]:
    """The programme with a BSI file of its own sends only the other forms through the region."""
    own = {"bsi"} if programme.plan.kind.shape == "one_based" else set()
    return tuple(i for i in programme.plan.kind.instruments if i not in own)


def _regional_rows(programme: Programme, blocks: Mapping[str, list[str]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    asked = {i: blocks[i] for i in _regional_instruments(programme)}
    sittings, cells = _by_sitting(programme, asked)
    head = pd.DataFrame(
        {
            "Site": programme.plan.code,
            "Client": sittings["number"],
            "Survey date": date_cells(sittings["administered_on"], ISO),
            "Token": sittings["response_id"],
            "Finished": "1",
        }
    )
    return pd.concat([head, cells], axis=1), sittings


def _nothing(programme: Programme, instruments: Mapping[str, Instrument], when: Parts) -> list[ExportFile]:
    """A programme whose forms all come through the regional file."""
    return []


_OWN: dict[str, Callable[[Programme, Mapping[str, Instrument], Parts], list[ExportFile]]] = {
    "plain": _plain,
    "dutch": _dutch,
    "workbook": _workbook_parts,
    "one_based": _one_based,
    "redcap": _redcap,
    "regional": _nothing,
}
