"""Names of the patient's number and of the date, made of words; and what the cells say to them."""

from __future__ import annotations

import pytest

from mbt_rom.exports.role_words import date_rank, patient_rank


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("SUBJID", 2),
        ("LocalPatientID", 0),
        ("ID_patient", 0),
        ("Probandennummer", 1),
        ("Patienten-ID", 0),
        ("numéro patient", 0),
        ("Cliëntcode", 0),
        ("Patiënt-\nnummer", 0),
        ("RESPONDENTNR", 3),
        ("Wat is je patiëntnummer?", 0),
        ("Please type the patient number from your letter", 0),
        ("NHS number", 0),
        ("Chart number", 0),
        ("StudyID", 4),
        ("pasient_id", 0),
        ("Deltagernummer", 1),
        ("Código del paciente", 0),
        ("Service user no.", 0),
        ("mrn_deid", 0),
    ],
)
def test_numbers_of_patients(name: str, rank: int) -> None:
    assert patient_rank(name) == rank


@pytest.mark.parametrize(
    "name",
    [
        "Behandelaar", "therapist_id", "regiebehandelaar", "interviewer nr", "partner patient id", "patient initials",
        "Naam patient", "Patient (name)", "BSN", "BSN patient", "age patient", "patient group", "nr", "code", "id", "study",
        "What do you like to be called?", "hospital", "number of patients seen",
    ],
)  # fmt: skip
def test_no_numbers_of_patients(name: str) -> None:
    assert patient_rank(name) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("INVULDAG", (0, "")),
        ("testdag", (0, "")),
        ("date (dd/mm/yy)", (0, "")),
        ("date.completed", (0, "")),
        ("datum waarop vragenlijst is ingevuld", (0, "")),
        ("Wanneer is de lijst ingevuld?", (0, "")),
        ("Afgenomen", (1, "")),
        ("EXAMDATE", (1, "")),
        ("Date of visit", (1, "")),
        ("oq_dat", (0, "oq")),
        ("bsi_datum", (0, "bsi")),
    ],
)
def test_dates_of_answers(name: str, found: tuple[int, str]) -> None:
    assert date_rank(name, ["oq", "bsi"]) == found


@pytest.mark.parametrize(
    "name",
    [
        "Geboortedatum", "date of birth", "Datum intake", "referral date", "Exportdatum", "consent_date", "Datum opname",
        "Datum aanmelding", "start date", "Uitgezet op", "getypt op", "Datum besproken", "update", "date created",
    ],
)  # fmt: skip
def test_other_dates(name: str) -> None:
    assert date_rank(name, ["oq", "bsi"]) is None
