"""The whole: same seed same bytes, any number of programmes, and a truth that the files bear out when read by other means."""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
from collections import Counter
from datetime import date

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.registry import instruments
from mbt_rom.settings import parse_settings
from mbt_rom.synthetic import SyntheticConsortium, make_consortium

AS_OF = date(2026, 11, 22)


def digest(made: SyntheticConsortium) -> str:
    """One hash over every path and byte of files, mappings, settings and truth."""
    total = hashlib.sha256()
    for path, data in made.files.items():
        total.update(path.encode() + b"\0" + data)
    for name, text in made.mappings.items():
        total.update(name.encode() + text.encode())
    total.update(made.settings.encode())
    for name, frame in made.truth.items():
        total.update(name.encode() + frame.to_csv(index=False).encode())
    return total.hexdigest()


def rows_of(made: SyntheticConsortium, path: str, *, delimiter: str = ",", encoding: str = "utf-8") -> list[dict]:
    """A CSV export read with the csv module, as strings."""
    text = made.files[path].decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_the_same_seed_gives_the_same_bytes_in_another_process(made):
    # another process has another hash seed: nothing may hang on the order of a set
    code = (
        "from datetime import date\n"
        "from mbt_rom.synthetic import make_consortium\n"
        "import hashlib\n"
        "m = make_consortium(as_of=date(2026, 11, 22))\n"
        "print(hashlib.sha256(b''.join(p.encode() + d for p, d in m.files.items())).hexdigest())\n"
    )
    here = hashlib.sha256(b"".join(p.encode() + d for p, d in made.files.items())).hexdigest()
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert there.stdout.strip() == here
    assert digest(make_consortium(as_of=AS_OF)) == digest(made)


def test_another_seed_gives_other_people(made):
    other = make_consortium(seed=2, as_of=AS_OF)
    assert set(other.files) == set(made.files)
    changed = [p for p in made.files if other.files[p] != made.files[p]]
    assert changed == list(made.files)


def test_adding_a_programme_leaves_the_others_as_they_were(made):
    # 520 patients are 120 more, which is what the seventh programme weighs: the first six keep their sizes
    more = make_consortium(programmes=7, patients=520, as_of=AS_OF)
    assert {p for p in more.files if p.startswith("inbox/waal/")}
    assert all(more.files[path] == data for path, data in made.files.items())


def test_default_has_six_programmes_two_of_them_small(made):
    sizes = made.truth["patients"].groupby("programme_id").size().to_dict()
    assert sizes == {"amstel": 120, "maas": 95, "ijssel": 85, "vecht": 70, "linge": 18, "dommel": 12}


@pytest.mark.parametrize("programmes", range(1, 13))
def test_any_number_of_programmes_can_be_made(programmes):
    made = make_consortium(programmes=programmes, patients=40, as_of=AS_OF)
    settings = parse_settings(made.settings)
    assert len(settings.programmes) == made.truth["patients"]["programme_id"].nunique() == programmes
    assert len(made.truth["patients"]) == 40
    folders = {path.split("/")[1] for path in made.files}
    assert folders - {"_shared"} == set(settings.programmes)
    for path, data in made.files.items():
        assert data, path
        assert path.endswith(".xlsx") or data.count(b"\n") >= 2, f"{path} has no rows"


@pytest.mark.parametrize(("programmes", "patients"), [(0, 10), (13, 400), (6, 5), (3, 200_000)])
def test_what_cannot_be_made_is_refused_with_the_range(programmes, patients):
    with pytest.raises(ValueError, match=r"ask for \d+ to \d+"):
        make_consortium(programmes=programmes, patients=patients, as_of=AS_OF)


def test_two_hospitals_share_numbers_and_in_a_hospital_a_number_is_one_person(made):
    patients = made.truth["patients"]
    assert not patients.duplicated(["programme_id", "number"]).any()
    one_person = patients.groupby(["issuer", "number"])[["birth_year", "sex"]].nunique()
    assert (one_person == 1).all(axis=None)
    issuers_of = patients[patients["number"] == "001001"]["issuer"].tolist()
    assert issuers_of == ["hospital_north", "hospital_south"]


def test_settings_and_mappings_are_understood_and_say_synthetic(made):
    settings = parse_settings(made.settings)
    assert settings.is_synthetic
    assert set(settings.roles) == {"programme", "consortium"}
    chosen = settings.norms["bsi.gsi"]
    known = {record.id for record in (*instruments()["bsi"].norms, *instruments()["bsi"].reliabilities)}
    assert {chosen.clinical, chosen.functional, chosen.reliability} <= known
    for name, text in made.mappings.items():
        assert parse_mapping(text, file=name).name == name.removesuffix(".yaml")


def test_every_form_stands_where_the_truth_says_with_the_answers_it_says(made):
    forms = made.truth["forms"]
    plain = forms[(forms["programme_id"] == "amstel") & (forms["instrument"] == "bsi")]
    answers = made.truth["answers_bsi"].set_index("form_id")
    read = {path: rows_of(made, path) for path in plain["file"].unique()}
    assert len(plain) > 350
    for form in plain.itertuples():
        row = read[form.file][form.row - 2]
        assert (row["patient_id"], row["response_id"]) == (form.number, form.response_id)
        assert row["date"] == form.administered_on.date().isoformat()
        true = ["" if pd.isna(a) else str(a) for a in answers.loc[form.form_id]]
        assert [row[f"bsi_{n:02d}"] for n in range(1, 54)] == true


def test_answers_of_the_one_based_export_are_one_more_than_the_truth(made):
    forms = made.truth["forms"]
    own = forms[(forms["programme_id"] == "vecht") & (forms["instrument"] == "bsi")]
    answers = made.truth["answers_bsi"].set_index("form_id")
    data = made.files[own["file"].iloc[0]]
    assert data.startswith(b"\xef\xbb\xbf")
    read = rows_of(made, own["file"].iloc[0], encoding="utf-8-sig")
    for form in own[own["file"] == own["file"].iloc[0]].itertuples():
        true = ["" if pd.isna(a) else str(a + 1) for a in answers.loc[form.form_id]]
        assert [read[form.row - 2][f"Q{n}"] for n in range(1, 54)] == true


def test_the_dutch_export_is_semicolons_windows_1252_and_day_first(made):
    path = "inbox/maas/vragenlijsten_2026-05-26.csv"
    with pytest.raises(UnicodeDecodeError):
        made.files[path].decode("utf-8")
    forms = made.truth["forms"].query("file == @path and instrument == 'phq9'")
    answers = made.truth["answers_phq9"].set_index("form_id")
    read = rows_of(made, path, delimiter=";", encoding="cp1252")
    for form in forms.itertuples():
        row = read[form.row - 2]
        assert row["Patiëntnummer"] == form.number
        assert row["Datum invulling"] == form.administered_on.strftime("%d-%m-%Y")
        assert [row[f"PHQ-9 vraag {n}"] for n in range(1, 11)] == [
            "" if pd.isna(a) else str(a) for a in answers.loc[form.form_id]
        ]


def test_the_workbook_has_a_sheet_per_instrument_and_its_header_in_row_four(made):
    path = "inbox/ijssel/rom_export_2026-05-26.xlsx"
    book = CalamineWorkbook.from_filelike(io.BytesIO(made.files[path]))
    assert book.sheet_names == ["BSI", "PHQ-9", "EQ-5D-3L"]
    cells = book.get_sheet_by_name("BSI").to_python(skip_empty_area=False)
    assert cells[3][:3] == ["Response ID", "Patient number", "Date completed"]
    forms = made.truth["forms"].query("file == @path and sheet == 'BSI'")
    answers = made.truth["answers_bsi"].set_index("form_id")
    for form in forms.itertuples():
        row = cells[form.row - 1]
        assert row[1] == form.number
        assert row[2] == form.administered_on.date()
        assert row[3:56] == ["" if pd.isna(a) else a for a in answers.loc[form.form_id]]


def test_redcap_gives_the_event_and_no_date(made):
    path = next(p for p in made.files if p.startswith("inbox/linge/redcap"))
    read = rows_of(made, path)
    assert not [column for column in read[0] if "date" in column]
    forms = made.truth["forms"].query("file == @path and instrument == 'bsi'")
    months = {row["redcap_event_name"] for row in read}
    assert "start_arm_1" in months
    for form in forms.itertuples():
        event = "start_arm_1" if form.moment == "baseline" else f"month_{form.moment[1:]}_arm_1"
        assert (read[form.row - 2]["record_id"], read[form.row - 2]["redcap_event_name"]) == (form.number, event)


def test_the_shared_file_holds_several_programmes(made):
    read = rows_of(made, "inbox/_shared/regional_survey_2026-05-26.csv")
    assert set(Counter(row["Site"] for row in read)) == {"VE", "DO"}


def test_expected_statuses_follow_from_forms_and_dates(made):
    """Recomputed with Python dates, form by form; the windows are 60/14 days at baseline and 45/45 later."""
    forms, episodes = made.truth["forms"], made.truth["episodes"].query("programme_id == 'maas'")
    dates = {}
    for f in forms[forms["programme_id"] == "maas"].itertuples():
        dates.setdefault((f.number, f.instrument), []).append(f.administered_on.date())
    started = episodes.set_index("episode")["started_on"].dropna()
    gone = made.truth["ends"].query("programme_id == 'maas'").set_index("number")["ended_on"]
    second = set(episodes[episodes.duplicated("number")]["number"])
    rows = made.truth["expected"].query("programme_id == 'maas'")
    assert len(rows) == len(started) * 3 * 7
    for row in rows[~rows["number"].isin(second)].itertuples():
        months = 0 if row.moment == "baseline" else int(row.moment[1:])
        start = started[row.episode]
        before, after = (60, 14) if months == 0 else (45, 45)
        year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
        last = pd.Timestamp(year, month + 1, 1).days_in_month
        due = date(year, month + 1, min(start.day, last))
        assert row.due_on.date() == due
        gaps = [(d - due).days for d in dates.get((row.number, row.instrument), [])]
        if any(-before <= gap <= after for gap in gaps):
            assert row.status == "received"
        elif row.number in gone.index and gone[row.number].date() < due:
            assert row.status == "withdrawn"
        elif (AS_OF - due).days > after or row.number in gone.index:
            assert row.status == "missed"
        else:
            assert row.status == ("open" if (AS_OF - due).days >= -before else "not_yet_due")


def test_no_form_answers_two_moments_and_each_answer_lies_in_the_window(made):
    """Checked without the matching: as many different forms must exist as moments are answered, and each must be near."""
    forms = made.truth["forms"]
    rows = made.truth["expected"].query("status == 'received'").dropna(subset=["answered_on"])
    person = ["programme_id", "number", "instrument"]
    assert not rows.duplicated([*person, "answered_on"]).any()
    known = rows.merge(forms, left_on=[*person, "answered_on"], right_on=[*person, "administered_on"])
    assert len(known) == len(rows)
    days = (rows["answered_on"] - rows["due_on"]).dt.days
    bounds = {"baseline": (-60, 14), "rebaseline": (-60, 0), "end": (0, 42)}
    for moment, of_moment in days.groupby(rows["moment"]):
        assert of_moment.between(*bounds.get(moment, (-45, 45))).all(), moment


def test_appendix_1_says_what_is_required(made):
    """BSI and EQ-5D: X at the start, 6, 12, 18 and 36 months, (X) at 24 and 30. The PHQ-9 is not in it: nobody requires it."""
    rows = made.truth["expected"].groupby(["instrument", "moment"])["requirement"].agg(set)
    for instrument in ("bsi", "eq5d3l", "eq5d5l"):
        for moment in ("baseline", "m6", "m12", "m18", "m36"):
            assert rows[instrument, moment] == {"required"}
        assert rows[instrument, "m24"] == rows[instrument, "m30"] == {"desired"}
    assert set().union(*rows["phq9"]) == {"desired"}


def test_a_wait_that_is_longer_than_the_window_asks_for_a_new_baseline():
    """Only where month 0 lies before the start of treatment, as in the sixth programme: its anchor is the first assessment."""
    made = make_consortium(programmes=12, patients=900, as_of=AS_OF)
    rows, settings = made.truth["expected"], parse_settings(made.settings)
    anchored = {k for k, p in settings.programmes.items() if p.anchor == "first_assessment_on"}
    again = rows[rows["moment"] == "rebaseline"]
    assert set(again["programme_id"]) == anchored == {"dommel", "roer"}
    episodes = made.truth["episodes"].query("programme_id in @anchored").dropna(subset=["started_on"])
    wait = (episodes["started_on"] - episodes["first_assessment_on"]).dt.days
    assert set(again["episode"]) == set(episodes[wait > 60]["episode"])
    assert (wait <= 60).any()
    ends = rows[rows["moment"] == "end"].merge(episodes, on="episode")
    assert (ends["due_on"] == ends["ended_on"]).all()
    assert len(ends) == 3 * episodes["ended_on"].notna().sum()


def test_late_baselines_were_filled_in_after_the_first_main_session(made):
    rows = made.truth["expected"].merge(made.truth["episodes"], on=["programme_id", "number", "episode"])
    told = rows.dropna(subset=["is_late_baseline"])
    assert set(told["moment"]) == {"baseline"}
    assert (told["is_late_baseline"] == (told["answered_on"] > told["started_on"])).all()
    assert 0.05 < told["is_late_baseline"].mean() < 0.25


def test_who_withdrew_fills_in_nothing_after_it(made):
    gone = made.truth["ends"].query("why == 'withdrawn'")
    assert len(gone) >= 3
    forms = made.truth["forms"].merge(gone, on=["programme_id", "number"])
    assert (forms["administered_on"] <= forms["ended_on"]).all()
    rows = made.truth["expected"].merge(gone, on=["programme_id", "number"])
    assert set(rows[rows["due_on"] > rows["ended_on"]]["status"]) <= {"withdrawn", "received"}
    assert not rows["status"].isin(["open", "not_yet_due"]).any()


def test_one_patient_died_and_owes_nothing_after_that(made):
    died = made.truth["episodes"].query("end_reason == 'died'")
    assert len(died) == 1
    person = died.iloc[0]
    after = made.truth["expected"].query("number == @person.number and programme_id == @person.programme_id")
    after = after[after["due_on"] > person.ended_on]
    assert len(after) > 0
    assert (after["status"] == "died").all()
    forms = made.truth["forms"].query("number == @person.number and programme_id == @person.programme_id")
    assert (forms["administered_on"] < person.ended_on).all()
