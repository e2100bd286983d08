"""The registers of the synthetic consortium: they agree with the episodes, and the files hold what the truth says."""

from __future__ import annotations

import csv
import io
from datetime import date

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from mbt_rom.settings import parse_settings
from mbt_rom.synthetic import SyntheticConsortium, make_consortium

AS_OF = date(2026, 11, 22)
TODAY = pd.Timestamp(AS_OF)
KEYS = {
    "spells": ["number", "phase", "from_on"],
    "allocations": ["number", "staff_id", "function", "from_on"],
    "permissions": ["number", "purpose", "from_on"],
    "contacts": ["number", "contact_on", "kind", "staff_id"],
    "events": ["number", "event_on", "kind"],
    "reviews": ["number", "reviewed_on"],
    "feedback_sessions": ["number", "session_on"],
    "medication": ["number", "medicine", "from_on"],
    "referrals": ["number", "referred_on"],
    "staff": ["staff_id"],
    "supervision": ["held_on", "kind", "staff_id"],
    "nonresponse": ["number", "moment", "instrument"],
}


@pytest.mark.parametrize("register", KEYS)
def test_a_key_stands_once_and_its_patients_are_known(made, register):
    rows = made.truth[register]
    assert len(rows)
    assert not rows.duplicated(["programme_id", *KEYS[register]]).any()
    if "number" in rows and register != "referrals":
        known = set(zip(made.truth["patients"]["programme_id"], made.truth["patients"]["number"], strict=True))
        about = rows[rows["number"] != ""]
        assert set(zip(about["programme_id"], about["number"], strict=True)) <= known


@pytest.mark.parametrize("register", KEYS)
def test_no_day_comes_before_the_one_it_follows_and_none_lies_ahead(made, register):
    rows = made.truth[register]
    days = [c for c in rows.columns if c.endswith("_on")]
    for first in {"from_on", "event_on"} & set(days):
        assert not (rows["until_on"] < rows[first]).any()
    for day in days:
        assert not (rows[day] > TODAY).any(), day


def read_csv(made: SyntheticConsortium, path: str, *, dutch: bool = False) -> list[dict[str, str]]:
    """Rows of a register's file with the csv module."""
    text = made.files[path].decode("cp1252" if dutch else "utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if dutch else ","))


@pytest.mark.parametrize("register", KEYS)
def test_the_file_of_the_first_programme_holds_the_truth(made, register):
    read = read_csv(made, f"inbox/amstel/{register}.csv")
    true = made.truth[register].query("programme_id == 'amstel'").drop(columns=["programme_id", "issuer"])
    assert list(read[0]) == [{"number": "patient_id"}.get(c, c) for c in true.columns]
    for row, fact in zip(read, true.itertuples(index=False), strict=True):
        for cell, value in zip(row.values(), fact, strict=True):
            if isinstance(value, pd.Timestamp):
                assert date.fromisoformat(cell) == value.date()
            elif isinstance(value, bool | np.bool_):
                assert cell == ("yes" if value else "no")
            elif not isinstance(value, str) and pd.isna(value):
                assert cell == ""
            else:
                assert cell.lower() == str(value).lower()


def test_dutch_headers_and_codes_and_days_first(made):
    rows = read_csv(made, "inbox/maas/toestemmingen.csv", dutch=True)
    assert set(rows[0]) == {"Patiëntnummer", "Doel", "Grondslag", "Gegeven door", "Begindatum", "Einddatum"}
    true = made.truth["permissions"].query("programme_id == 'maas'")
    counts = true["purpose"].value_counts()
    assert sum(r["Doel"] == "eigen zorg" for r in rows) == counts["own_care"]
    assert sum(r["Doel"] == "benchmark" for r in rows) == counts["consortium_benchmark"]
    assert [r["Begindatum"] for r in rows] == true["from_on"].dt.strftime("%d-%m-%Y").tolist()
    contacts = read_csv(made, "inbox/maas/contacten.csv", dutch=True)
    assert {r["Opkomst"] for r in contacts} == {
        "aanwezig", "afgezegd door patient", "afgezegd door programma", "niet verschenen", "gesloten",
    }  # fmt: skip


def test_the_workbook_keeps_every_register_on_a_sheet_of_its_own(made):
    book = CalamineWorkbook.from_filelike(io.BytesIO(made.files["inbox/ijssel/registers.xlsx"]))
    assert set(book.sheet_names) == {"patients", "therapists", "episodes", *KEYS}
    rows = book.get_sheet_by_name("spells").to_python()
    assert len(rows) - 1 == len(made.truth["spells"].query("programme_id == 'ijssel'"))


def test_what_a_programme_does_not_keep_is_in_no_file_and_no_truth(made):
    assert not [p for p in made.files if p.startswith("inbox/dommel/") and "contacts" in p]
    assert "dommel" not in set(made.truth["contacts"]["programme_id"])
    assert set(made.truth["permissions"]["programme_id"]) == set(made.truth["patients"]["programme_id"])


def test_phases_follow_each_other_without_a_gap_and_agree_with_the_episodes(made):
    spells, episodes = made.truth["spells"], made.truth["episodes"]
    order = ["waiting", "introductory", "main", "follow_up"]
    main = spells[spells["phase"] == "main"].merge(
        episodes, left_on=["programme_id", "number", "from_on"], right_on=["programme_id", "number", "started_on"]
    )
    assert len(main) == episodes["started_on"].notna().sum()
    assert main["until_on"].equals(main["ended_on"])
    once = spells.groupby(["programme_id", "number"]).filter(lambda rows: not rows.duplicated("phase").any())
    for _, rows in once.groupby(["programme_id", "number"]):
        assert rows["phase"].tolist() == order[: len(rows)]
        gaps = rows["from_on"].iloc[1:].to_numpy() - rows["until_on"].iloc[:-1].to_numpy()
        assert (gaps == np.timedelta64(1, "D")).all()


def test_nobody_is_treated_by_somebody_who_left(made):
    staff = made.truth["staff"].set_index("staff_id")
    rows = made.truth["allocations"]
    left = rows["staff_id"].map(staff["until_on"])
    assert left.notna().any()
    assert not (rows["until_on"].isna() & left.notna()).any()
    assert not (rows["until_on"] > left).any()
    assert not (rows["from_on"] > left).any()
    functions = rows["staff_id"].map(staff["function"])
    other = rows["function"].isin(["group", "psychiatrist", "research_assistant"])
    assert (functions[other] == rows["function"][other]).all()


def test_patients_of_a_therapist_who_left_go_to_the_deputy_on_the_next_day(made):
    staff = made.truth["staff"].dropna(subset=["until_on"])
    rows = made.truth["allocations"].query("function == 'individual'")
    moved = rows.merge(staff, on=["programme_id", "staff_id", "until_on"])
    after = moved.merge(
        rows, left_on=["programme_id", "number", "deputy_id_y"], right_on=["programme_id", "number", "staff_id"]
    )
    assert len(moved) == len(after) > 3
    assert ((after["from_on"] - after["until_on_x"]).dt.days == 1).all()


def test_about_nine_in_ten_permit_the_comparison_and_some_take_it_back(made):
    rows = made.truth["permissions"].query("purpose == 'consortium_benchmark'")
    holds = rows[rows["until_on"].isna() & (rows["programme_id"] != "linge")]
    n = (made.truth["patients"]["programme_id"] != "linge").sum()
    assert 0.83 < holds.groupby(["programme_id", "number"]).ngroups / n < 0.93
    assert (rows["until_on"] < TODAY).sum() >= 5
    asked = made.truth["permissions"].groupby("programme_id")["number"].nunique().sum()
    assert 3 <= len(made.truth["patients"]) - asked <= 25


def test_adolescents_speak_for_themselves_from_the_year_in_which_they_turn_sixteen():
    made = make_consortium(programmes=12, patients=900, as_of=AS_OF)
    rows = made.truth["permissions"].merge(made.truth["patients"], on=["programme_id", "number"])
    is_sixteen = rows["from_on"].dt.year >= rows["birth_year"] + 16
    assert set(rows[is_sixteen]["given_by"]) == {"patient"}
    assert set(rows[~is_sixteen]["given_by"]) == {"representative", "both"}
    own = rows[(rows["given_by"] == "patient") & rows.duplicated(["programme_id", "number", "purpose"])]
    assert len(own) > 5
    assert (own["from_on"].dt.strftime("%m-%d") == "01-01").all()


def test_withdrawals_of_the_truth_are_those_of_the_register(made):
    needed = made.truth["permissions"].query("purpose in ['own_care', 'programme_quality']").dropna(subset=["until_on"])
    gone = made.truth["ends"].query("why == 'withdrawn'")
    assert set(zip(gone["number"], gone["ended_on"], strict=True)) == set(
        zip(needed["number"], needed["until_on"], strict=True)
    )


def test_sessions_are_of_the_last_year_and_closed_in_closed_weeks(made):
    contacts, settings = made.truth["contacts"], parse_settings(made.settings)
    assert contacts["contact_on"].between(TODAY - pd.Timedelta(days=372), TODAY).all()
    assert (contacts["contact_on"].dt.dayofweek < 5)[contacts["kind"] != "intake"].all()
    closed = pd.Series(False, index=contacts.index)
    for closure in settings.programmes["amstel"].closures:
        closed |= contacts["contact_on"].between(pd.Timestamp(closure.from_on), pd.Timestamp(closure.until_on))
    assert (closed == (contacts["attendance"] == "closed")).all()
    assert closed.sum() > 100
    held = contacts[contacts["kind"].isin(["individual", "group"])]
    main = held.merge(made.truth["spells"].query("phase == 'main'"), on=["programme_id", "number"])
    inside = (main["contact_on"] >= main["from_on"]) & ~(main["contact_on"] > main["until_on"])
    assert inside.groupby([main["programme_id"], main["number"], main["contact_on"], main["kind"]]).any().all()


def test_who_misses_sessions_is_who_tends_to(made):
    rows = made.truth["contacts"].merge(made.truth["latent"], on=["programme_id", "number"])
    rows = rows[rows["attendance_x"] != "closed"]
    came = (rows["attendance_x"] == "attended").groupby(rows["attendance_y"] > 0).mean()
    assert came[True] > came[False] + 0.1
    assert 0.7 < (rows["attendance_x"] == "attended").mean() < 0.9


def test_the_death_of_the_episode_is_the_death_of_the_events(made):
    event = made.truth["events"].query("kind == 'death'")
    died = made.truth["episodes"].query("end_reason == 'died'")
    assert event[["programme_id", "number", "event_on"]].to_numpy().tolist() == (
        died[["programme_id", "number", "ended_on"]].to_numpy().tolist()
    )
    (reorganisation,) = made.truth["events"].query("kind == 'reorganisation'").itertuples()
    assert reorganisation.number == ""


def test_more_are_referred_than_start_and_every_start_was_accepted(made):
    referrals, episodes = made.truth["referrals"], made.truth["episodes"]
    kept = episodes[episodes["programme_id"].isin(referrals["programme_id"].unique())]
    assert len(referrals) > 1.2 * len(kept)
    started = kept.dropna(subset=["started_on"]).merge(referrals, on=["programme_id", "number", "referred_on"])
    assert len(started) == kept["started_on"].notna().sum()
    assert set(started["decision"]) == {"accepted"}
    assert set(referrals["decision"]) == {"accepted", "declined", "elsewhere", "withdrawn", ""}


def test_a_third_of_the_missed_sittings_have_a_reason(made):
    reasons = made.truth["nonresponse"]
    by = ["programme_id", "number", "moment"]
    rows = made.truth["expected"][made.truth["expected"]["programme_id"].isin(reasons["programme_id"])]
    # a weekly form may answer for one questionnaire of a sitting that did not take place
    missed = rows.groupby(by)["status"].agg(lambda s: "missed" in set(s))
    told = pd.MultiIndex.from_frame(reasons[by])
    assert missed.reindex(told).all()
    assert 0.2 < len(told) / missed.sum() < 0.4
