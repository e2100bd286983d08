"""The registers of a programme as its systems export them: files or sheets, headers and codes in English or Dutch, faultless.

Belongs here: columns, headers and codes of every register. Does not belong here: what is in them (`care`, `happenings`,
`consents`), exports of forms (`exports`), bytes (`files`).

Most have the column names that the project gives them; the programme whose tool is Dutch exports some of them in Dutch. One
programme keeps all in one workbook.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from mbt_rom.synthetic.files import ExportFile, Sheet
from mbt_rom.synthetic.patients import DATES, People
from mbt_rom.synthetic.plans import Plan

ISO, DUTCH = "%Y-%m-%d", "%d-%m-%Y"
DUTCH_SEX = {"female": "v", "male": "m", "other": "x"}
DUTCH_REASONS = {
    "completed": "voltooid", "dropped_out": "voortijdig gestopt", "referred_on": "doorverwezen", "died": "overleden",
}  # fmt: skip
#: Dutch headers of the dates of an episode.
DUTCH_DATES = dict(
    zip(
        DATES,
        (
            "Verwijsdatum",
            "Intakedatum",
            "Start MBT-I",
            "Startdatum",
            "Geplande einddatum",
            "Einddatum",
            "Laatste nazorg",
        ),
        strict=True,
    )
)
#: Register -> its Dutch name and column -> header, for those that are exported in Dutch.
_DUTCH: dict[str, tuple[str, dict[str, str]]] = {
    "spells": (
        "fasen",
        {"number": "Patiëntnummer", "phase": "Fase", "format": "Behandelvorm", "team": "Team", "from_on": "Begindatum",
         "until_on": "Einddatum"},
    ),
    "allocations": (
        "toewijzingen",
        {"number": "Patiëntnummer", "staff_id": "Medewerker", "function": "Toewijzing", "deputy_id": "Vervanger",
         "from_on": "Begindatum", "until_on": "Einddatum"},
    ),
    "permissions": (
        "toestemmingen",
        {"number": "Patiëntnummer", "purpose": "Doel", "basis": "Grondslag", "given_by": "Gegeven door",
         "from_on": "Begindatum", "until_on": "Einddatum"},
    ),
    "contacts": (
        "contacten",
        {"number": "Patiëntnummer", "contact_on": "Contactdatum", "kind": "Contactsoort", "attendance": "Opkomst",
         "staff_id": "Medewerker"},
    ),
    "events": (
        "gebeurtenissen",
        {"number": "Patiëntnummer", "event_on": "Datum gebeurtenis", "until_on": "Einddatum", "kind": "Gebeurtenis"},
    ),
    "reviews": (
        "evaluaties",
        {"number": "Patiëntnummer", "reviewed_on": "Evaluatiedatum", "has_formulation": "Formulering",
         "has_crisis_plan": "Crisisplan", "has_goals": "Doelen", "has_medication": "Medicatie"},
    ),
}  # fmt: skip
_DUTCH_CODES = {
    "phase": {"waiting": "wachtlijst", "introductory": "introductiecursus", "main": "hoofdprogramma", "follow_up": "nazorg"},
    "format": {"intensive_outpatient": "intensief ambulant"},
    "function": {
        "individual": "individueel", "group": "groep", "psychiatrist": "psychiater", "research_assistant": "onderzoeksassistent",
    },
    "purpose": {
        "own_care": "eigen zorg", "programme_quality": "kwaliteit", "consortium_benchmark": "benchmark",
        "model_fitting": "modellen", "research": "onderzoek",
    },
    "basis": {"contract": "overeenkomst", "no_objection": "geen bezwaar", "consent": "toestemming"},
    "given_by": {"patient": "patient", "representative": "vertegenwoordiger", "both": "beiden"},
    "attendance": {
        "attended": "aanwezig", "cancelled_by_patient": "afgezegd door patient",
        "cancelled_by_programme": "afgezegd door programma", "no_show": "niet verschenen", "closed": "gesloten",
    },
    "kind": {
        "intake": "intake", "introductory": "introductie", "individual": "individueel", "group": "groep",
        "medication": "medicatie", "crisis_contact": "crisiscontact", "admission": "opname",
        "suicide_attempt": "suicidepoging", "self_harm": "zelfbeschadiging", "violence": "geweld", "death": "overlijden",
        "reorganisation": "reorganisatie",
    },
}  # fmt: skip


def register_files(plan: Plan, people: People, kept: Mapping[str, pd.DataFrame]) -> list[ExportFile]:
    """Registers of patients, therapists and episodes, and those of `kept`: a CSV file each, or a workbook with a sheet each."""
    folder = f"inbox/{plan.programme_id}"
    if plan.kind.shape == "dutch":
        made = {**_dutch_core(people), **{_DUTCH[n][0]: _dutch(n, rows) for n, rows in kept.items() if n in _DUTCH}}
        files = [
            ExportFile(f"{folder}/{name}.csv", [Sheet(name, frame)], delimiter=";", encoding="cp1252")
            for name, frame in made.items()
        ]
        others = {name: _english(rows) for name, rows in kept.items() if name not in _DUTCH}
        return files + [ExportFile(f"{folder}/{name}.csv", [Sheet(name, frame)]) for name, frame in others.items()]
    sheets = [_sheet(name, frame) for name, frame in _english_core(people).items()]
    sheets += [_sheet(name, _english(rows)) for name, rows in kept.items()]
    if plan.kind.shape == "workbook":
        return [ExportFile(f"{folder}/registers.xlsx", sheets, kind="xlsx")]
    return [ExportFile(f"{folder}/{sheet.name}.csv", [sheet]) for sheet in sheets]


def date_cells(dates: pd.Series, form: str) -> pd.Series:
    """Dates as text, '' where there is none."""
    if form != ISO:
        return pd.Series(dates.dt.strftime(form).fillna(""), dtype="str")
    days = dates.to_numpy(dtype="datetime64[s]").astype("datetime64[D]")
    return pd.Series(np.where(np.isnat(days), "", days.astype("str")), index=dates.index, dtype="str")


def _sheet(name: str, frame: pd.DataFrame) -> Sheet:
    dates = [c for c in frame.columns if c.endswith("_on") or c in ("from", "until")]
    return Sheet(name, frame, dates=frozenset(dates), numbers=frozenset({"birth_year", "n_present"}))


def _cells(rows: pd.DataFrame, *, form: str, yes: str, no: str) -> pd.DataFrame:
    """A register as text: dates in their form, yes and no as words, medicines in capitals as pharmacies write them."""
    made = {}
    for name, column in rows.items():
        if column.dtype.kind == "M":
            made[name] = date_cells(column, form)
        elif column.dtype == bool:
            made[name] = column.map({True: yes, False: no})
        else:
            made[name] = column.astype("str").str.upper() if name == "medicine" else column.astype("str")
    return pd.DataFrame(made, dtype="str")


def _english(rows: pd.DataFrame) -> pd.DataFrame:
    return _cells(rows, form=ISO, yes="yes", no="no").rename(columns={"number": "patient_id"})


def _dutch(register: str, rows: pd.DataFrame) -> pd.DataFrame:
    headers = _DUTCH[register][1]
    cells = _cells(rows, form=DUTCH, yes="ja", no="nee")
    for name, codes in _DUTCH_CODES.items():
        if name in cells:
            cells[name] = cells[name].map({**codes, "": ""})
    return cells[list(headers)].rename(columns=headers)


# --- patients, therapists, episodes -----------------------------------------------------------------------------------


def _english_core(people: People) -> dict[str, pd.DataFrame]:
    patients, therapists, episodes = people.patients, people.therapists, people.every_episode
    return {
        "patients": pd.DataFrame(
            {
                "patient_id": patients["number"],
                "birth_year": patients["birth_year"].astype("str"),
                "sex": patients["sex"],
            }
        ),
        "therapists": pd.DataFrame(
            {
                "therapist_id": therapists["code"],
                "function": therapists["function"],
                "from": date_cells(therapists["started_on"], ISO),
                "until": date_cells(therapists["ended_on"], ISO),
            }
        ),
        "episodes": pd.DataFrame(
            {
                "episode_id": episodes["episode"],
                "patient_id": episodes["number"],
                "therapist_id": episodes["therapist"],
                **{name: date_cells(episodes[name], ISO) for name in DATES},
                "end_reason": episodes["end_reason"].fillna(""),
            }
        ),
    }


def _dutch_core(people: People) -> dict[str, pd.DataFrame]:
    patients, therapists, episodes = people.patients, people.therapists, people.every_episode
    return {
        "patienten": pd.DataFrame(
            {
                "Patiëntnummer": patients["number"],
                "Geboortejaar": patients["birth_year"].astype("str"),
                "Geslacht": patients["sex"].map(DUTCH_SEX),
            }
        ),
        "therapeuten": pd.DataFrame(
            {
                "Therapeutcode": therapists["code"],
                "Functie": therapists["function"],
                "In dienst": date_cells(therapists["started_on"], DUTCH),
                "Uit dienst": date_cells(therapists["ended_on"], DUTCH),
            }
        ),
        "trajecten": pd.DataFrame(
            {
                "Trajectnummer": episodes["episode"],
                "Patiëntnummer": episodes["number"],
                "Behandelaar": episodes["therapist"],
                **{header: date_cells(episodes[name], DUTCH) for name, header in DUTCH_DATES.items()},
                "Reden einde": episodes["end_reason"].map(DUTCH_REASONS).fillna(""),
            }
        ),
    }
