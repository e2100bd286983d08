"""Qualtrics: three header rows and two, zones, previews and tests, -99, loops, references. All data are invented but the last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from invented import ANSWERS, NONE, PHQ9, column, counts, days, deliver, patient, rules, text, workbook

from mbt_rom.acceptance import conservation
from mbt_rom.findings import findings_table

OWN = [
    "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId",
    "RecipientLastName", "RecipientFirstName", "RecipientEmail", "ExternalReference", "LocationLatitude", "LocationLongitude",
    "DistributionChannel", "UserLanguage",
]  # fmt: skip
IDS = [
    "startDate", "endDate", "status", "ipAddress", "progress", "duration", "finished", "recordedDate", "_recordId",
    "recipientLastName", "recipientFirstName", "recipientEmail", "externalDataReference", "locationLatitude",
    "locationLongitude", "distributionChannel", "userLanguage",
]  # fmt: skip
ENGLISH = [
    "Start Date", "End Date", "Response Type", "IP Address", "Progress", "Duration (in seconds)", "Finished", "Recorded Date",
    "Response ID", "Recipient Last Name", "Recipient First Name", "Recipient Email", "External Data Reference",
    "Location Latitude", "Location Longitude", "Distribution Channel", "User Language",
]  # fmt: skip
DUTCH = [
    "Begindatum", "Einddatum", "Responstype", "IP-adres", "Voortgang", "Duur (in seconden)", "Voltooid", "Opgenomen datum",
    "Respons-ID", "Achternaam ontvanger", "Voornaam ontvanger", "E-mailadres ontvanger", "Externe gegevensreferentie",
    "Breedtegraad", "Lengtegraad", "Distributiekanaal", "Gebruikerstaal",
]  # fmt: skip
GERMAN = [
    "Anfangsdatum", "Enddatum", "Antworttyp", "IP-Adresse", "Aktueller Stand", "Dauer (in Sekunden)", "Beendet", "Erfassungsdatum",
    "Antwort-ID", "Nachname des Empfängers", "Vorname des Empfängers", "E-Mail des Empfängers", "Externe Datenreferenz",
    "Breitengrad", "Längengrad", "Verteilungskanal", "Benutzersprache",
]  # fmt: skip


def ids(questions: list[str], zone: str | None = None) -> list[str]:
    told = [{"ImportId": i} | ({"timeZone": zone} if zone and i.endswith("Date") else {}) for i in [*IDS, *questions]]
    return [json.dumps(one, separators=(",", ":")) for one in told]


def response(
    answers: list[str], *, id: str = "R_1aB", status: str = "0", finished: str = "1", reference: str = "", channel: str = "email",
    ended: str = "2026-01-05 10:06:00", progress: str = "100", language: str = "NL",
) -> list[str]:  # fmt: skip
    own = ["2026-01-05 10:00:00", ended, status, "192.0.2.1", progress, "360", finished, "2026-01-12 10:06:00", id]
    return [*own, "Doe", "Jo", "jo@example.org", reference, "52.1", "4.3", channel, language, *answers]


def export(
    questions: list[str], *rows: list[str], texts: list[str] = ENGLISH, zone: str | None = None, delimiter: str = ","
) -> bytes:
    asked = [f"Questions about mood - {q}" for q in questions]
    head = [[*OWN, *questions], [*texts, *asked], ids([f"QID{i}" for i in range(len(questions))], zone)]
    return text(*head, *rows, delimiter=delimiter)


ASKED = ["patient_id", *PHQ9]


@pytest.mark.parametrize("texts", [ENGLISH, DUTCH, GERMAN], ids=["english", "dutch", "german"])
@pytest.mark.parametrize("delimiter", [",", "\t"], ids=["csv", "tsv"])
def test_three_header_rows(texts: list[str], delimiter: str) -> None:
    rows = [
        response(["P1", *ANSWERS]),
        response(["P2", *ANSWERS[:4], *[""] * 5], id="R_2", finished="0", progress="40"),
    ]
    got = deliver(export(ASKED, *rows, texts=texts, delimiter=delimiter))
    items = got.items["phq9"]
    assert (got.dialect, got.refused_for, got.n_rows) == ("qualtrics", None, 2)
    assert items["source_row"].tolist() == [4, 5]
    assert items["patient_id"].tolist() == [patient("P1"), patient("P2")]
    assert days(items) == ["2026-01-05", "2026-01-05"]
    assert items["is_complete"].tolist() == [True, False]
    assert items["language"].tolist() == ["nl", "nl"]
    assert items["response_id"].nunique() == 2
    assert items["phq9_04"].tolist() == [3, 3]
    assert counts(got) == (2, 0, 2)


@pytest.mark.parametrize("n_below", [0, 1])
def test_rows_that_somebody_deleted(n_below: int) -> None:
    """The row with ids, or both rows below the names, are gone."""
    rows = text([*OWN, *ASKED], *[[*DUTCH, *ASKED]][:n_below], response(["P1", *ANSWERS]))
    got = deliver(rows)
    assert (got.dialect, got.n_rows, counts(got)) == ("qualtrics", 1, (1, 0, 1))
    assert got.items["phq9"]["source_row"].tolist() == [2 + n_below]


def test_workbook() -> None:
    rows = [[*OWN, *ASKED], [*DUTCH, *ASKED], ids(ASKED), response(["P1", *ANSWERS])]
    got = deliver(workbook({"Sheet0": rows}))
    assert (got.dialect, got.n_rows, counts(got)) == ("qualtrics", 1, (1, 0, 1))
    assert got.items["phq9"]["source_row"].tolist() == [4]


def test_choice_texts() -> None:
    labels = ["Not at all", "Several days", "More than half the days", "Nearly every day", *["Not at all"] * 5]
    got = deliver(export(ASKED, response(["P1", *labels], status="IP Address", finished="True", language="EN-GB")))
    items = got.items["phq9"]
    assert items[["phq9_01", "phq9_02", "phq9_03", "phq9_04"]].iloc[0].tolist() == [0, 1, 2, 3]
    assert items["language"].tolist() == ["en"]


@pytest.mark.parametrize(
    ("yes", "no"),
    [("1", "0"), ("True", "False"), ("WAHR", "FALSCH"), ("Ja", "Nee"), ("Waar", "Onwaar"), ("Vrai", "Faux")],
)
def test_words_for_finished(yes: str, no: str) -> None:
    rows = [response(["P1", *ANSWERS], finished=yes), response(["P2", *ANSWERS], id="R_2", finished=no)]
    assert deliver(export(ASKED, *rows)).items["phq9"]["is_complete"].tolist() == [True, False]


def test_progress_says_it_where_nothing_else_does() -> None:
    own = ["EndDate", "Progress", "ResponseId", "UserLanguage", *ASKED]
    row = ["2026-01-05 10:06:00", "100", "R_1", "NL", "P1", *ANSWERS]
    got = deliver(text(own, row, ["2026-01-05 10:06:00", "62", "R_2", "NL", "P2", *ANSWERS]))
    assert got.items["phq9"]["is_complete"].tolist() == [True, False]


def test_form_that_was_opened_and_left_empty_stays() -> None:
    got = deliver(export(ASKED, response(["P1", *NONE], finished="0", progress="5")))
    items = got.items["phq9"]
    assert counts(got) == (1, 0, 1)
    assert (items["is_complete"].tolist(), days(items)) == ([False], ["2026-01-05"])


@pytest.mark.parametrize(
    ("zone", "utc", "day"),
    [
        (None, "2026-07-01 21:30:00+00:00", "2026-07-01"),
        ("America/New_York", "2026-07-02 03:30:00+00:00", "2026-07-02"),
        ("Z", "2026-07-01 23:30:00+00:00", "2026-07-02"),
        ("No/Such_Zone", "2026-07-01 21:30:00+00:00", "2026-07-01"),
    ],
    ids=["none", "new york", "utc", "unknown"],
)
def test_time_zone_of_the_account(zone: str | None, utc: str, day: str) -> None:
    """Half past eleven at night on 1 July: in Amsterdam, and where the row of ids names a zone, there."""
    got = deliver(export(ASKED, response(["P1", *ANSWERS], ended="2026-07-01 23:30:00"), zone=zone))
    items = got.items["phq9"]
    assert str(items["submitted_at"][0]) == utc
    assert days(items) == [day]


def test_day_that_was_asked_goes_before_the_day_of_typing_in() -> None:
    got = deliver(export(["patient_id", "invuldatum", *PHQ9], response(["P1", "2025-12-20", *ANSWERS])))
    assert days(got.items["phq9"]) == ["2025-12-20"]


@pytest.mark.parametrize(
    "status", ["1", "2", "9", "17", "Survey Preview", "Survey Test", "Umfragevorschau", "Enquêtevoorbeeld"]
)
def test_previews_and_tests_are_left_out_and_counted(status: str) -> None:
    got = deliver(export(ASKED, response(["P1", *ANSWERS]), response(["P2", *ANSWERS], id="R_2", status=status)))
    items = got.items["phq9"]
    assert items["source_row"].tolist() == [4]
    assert rules(got)["response_of_a_trial"] == 1
    assert got.findings.loc[got.findings["rule"] == "response_of_a_trial", "source_row"].tolist() == [5]
    law = conservation(got.contents, {"phq9": items}, {"phq9": findings_table("phq9").empty()}, got.findings)
    assert law["is_conserved"].tolist() == [True]
    assert law[["n_offered", "n_left_out"]].to_numpy().tolist() == [[2, 1]]


@pytest.mark.parametrize("status", ["0", "4", "8", "16", "IP Address", "IP-adres", "IP-Adresse", "Imported", ""])
def test_other_kinds_of_responses_count(status: str) -> None:
    got = deliver(export(ASKED, response(["P1", *ANSWERS], status=status)))
    assert (counts(got), "response_of_a_trial" in rules(got), "response_kind_unknown" in rules(got)) == (
        (1, 0, 1),
        False,
        False,
    )


def test_preview_by_its_channel() -> None:
    got = deliver(export(ASKED, response(["P1", *ANSWERS]), response(["P2", *ANSWERS], id="R_2", channel="preview")))
    assert (len(got.items["phq9"]), rules(got)["response_of_a_trial"]) == (1, 1)


def test_kind_that_nobody_knows_is_said_and_counts() -> None:
    got = deliver(export(ASKED, response(["P1", *ANSWERS], status="Anketa")))
    assert (len(got.items["phq9"]), rules(got)["response_kind_unknown"]) == (1, 1)


def test_seen_and_unanswered_is_no_answer() -> None:
    got = deliver(export(ASKED, response(["P1", "-99", *ANSWERS[1:]])))
    items = got.items["phq9"]
    assert items["phq9_01"].isna().tolist() == [True]
    assert items["unreadable_items"].isna().tolist() == [True]


def test_reference_is_the_patient_where_nothing_better_is() -> None:
    alone = deliver(export(PHQ9, response(ANSWERS, reference="P7")))
    assert alone.items["phq9"]["patient_id"].tolist() == [patient("P7")]
    beside = deliver(export(ASKED, response(["P1", *ANSWERS], reference="P7")))
    assert beside.items["phq9"]["patient_id"].tolist() == [patient("P1")]
    assert deliver(export(PHQ9, response(ANSWERS))).refused_for == "columns_unknown"


def test_people_and_places_are_never_taken_in_nor_listed() -> None:
    got = deliver(export(ASKED, response(["P1", *ANSWERS])))
    for name in ("RecipientLastName", "RecipientEmail", "IPAddress", "LocationLatitude", "StartDate", "RecordedDate"):
        assert column(got, name)["role"] == "not_taken_in"
        assert column(got, name)["reason"] == "kept by the survey tool for itself"
    assert "column_not_taken_in" not in rules(got)


def test_free_text_and_what_qualtrics_adds() -> None:
    questions = [*ASKED, "Q20", "Q21_4_TEXT", "Q3_First Click", "Q3_DO_1", "Q20 - Topics"]
    asked = [
        *[f"QID{i}" for i in range(10)],
        "QID20_TEXT",
        "QID21_4_TEXT",
        "QID3_FIRST_CLICK",
        "QID3_DO_1",
        "QID20_TEXT_abcTopics",
    ]
    row = response(["P1", *ANSWERS, "I slept badly", "the neighbours", "1.2", "3", "sleep"])
    got = deliver(text([*OWN, *questions], [*ENGLISH, *questions], ids(asked), row))
    assert [column(got, c)["reason"] for c in questions[-5:]] == [
        *["free text"] * 2,
        *["kept by the survey tool for itself"] * 3,
    ]
    assert rules(got)["column_not_taken_in"] == 2


def test_typed_number_is_no_free_text() -> None:
    """A patient's number and an answer may be typed into an entry of text."""
    eq = ["eq5d3l_mo", "eq5d3l_sc", "eq5d3l_ua", "eq5d3l_pd", "eq5d3l_ad", "eq5d3l_vas"]
    asked = ["QID1_TEXT", *[f"QID{i}" for i in range(2, 7)], "QID7_TEXT"]
    got = deliver(
        text([*OWN, "patient_id", *eq], [*ENGLISH, "patient_id", *eq], ids(asked), response(["P1", *"11213", "80"]))
    )
    assert got.items["eq5d3l"]["eq5d3l_vas"].tolist() == [80]


def test_turns_of_a_loop_are_nobodys() -> None:
    questions = ["patient_id", *[f"1_{q}" for q in PHQ9], *[f"2_{q}" for q in PHQ9]]
    got = deliver(export(questions, response(["P1", *ANSWERS, *ANSWERS])))
    assert got.refused_for == "columns_unknown"


def test_turns_of_a_loop_are_what_a_mapping_says() -> None:
    """And a preview is left out under a mapping too."""
    mapping = """\
name: loops
matches: {columns: [patient_id, 1_phq9_1, 2_phq9_1]}
patient: {column: patient_id}
response_id: ResponseId
forms:
  - {instrument: phq9, prefix: 1_phq9, moment: {constant: baseline}}
  - {instrument: phq9, prefix: 2_phq9, moment: {constant: m6}}
"""
    questions = ["patient_id", *[f"1_{q}" for q in PHQ9], *[f"2_{q}" for q in PHQ9]]
    rows = [response(["P1", *ANSWERS, *ANSWERS]), response(["P2", *ANSWERS, *ANSWERS], id="R_2", status="1")]
    got = deliver(export(questions, *rows), mapping=mapping)
    assert got.items["phq9"]["moment_given"].tolist() == ["baseline", "m6"]
    assert got.items["phq9"]["patient_id"].tolist() == [patient("P1")] * 2
    assert rules(got)["response_of_a_trial"] == 1


def test_legacy_with_two_header_rows() -> None:
    first = [*[f"V{i}" for i in range(1, 11)], "patient_id", *PHQ9, "LocationLatitude", ""]
    second = [
        "ResponseID",
        "ResponseSet",
        "Name",
        "ExternalDataReference",
        "EmailAddress",
        "IPAddress",
        "Status",
        "StartDate",
    ]
    second += ["EndDate", "Finished", "Number", *PHQ9, "LocationLatitude", ""]
    row = [
        "R_1",
        "Default Response Set",
        "Anonymous",
        "",
        "",
        "192.0.2.1",
        "0",
        "2026-01-05 10:00:00",
        "2026-01-05 10:06:00",
        "1",
    ]
    trial = [*["R_2", *row[1:6]], "1", *row[7:]]
    rows = [[*row, "P1", *ANSWERS, "52.1", ""], [*trial, "P2", *ANSWERS, "52.1", ""]]
    got = deliver(b"\xef\xbb\xbf" + text(first, second, *rows))
    items = got.items["phq9"]
    assert (got.dialect, got.n_rows) == ("qualtrics", 2)
    assert items["source_row"].tolist() == [3]
    assert (items["patient_id"].tolist(), days(items), items["is_complete"].tolist()) == (
        [patient("P1")],
        ["2026-01-05"],
        [True],
    )
    assert rules(got) == {"response_of_a_trial": 1}


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n"), [("sample_3header.csv", 1), ("sample_legacy_2header_bom.csv", 1)])
def test_real_exports_are_recognised_and_hold_no_instrument(name: str, n: int, shared_data: Path) -> None:
    file = shared_data / "data" / "qualtrics_export" / name
    if not file.is_file():
        pytest.skip("the real exports of Qualtrics are not there; set MBT_ROM_SHARED to their folder")
    got = deliver(file.read_bytes())
    assert (got.dialect, got.n_rows, got.refused_for, got.items) == ("qualtrics", n, "columns_unknown", {})
