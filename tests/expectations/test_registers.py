"""Registers: each rule fires where it must and not beside it."""

from datetime import date

import pandas as pd
import pytest

from expectations.registers import validate_registers
from mbt_rom.registers import REGISTERS as DECLARED
from mbt_rom.tables import REGISTERS, findings_table

AS_OF = date(2024, 6, 1)
RECEIVED = pd.Series({"d1": pd.Timestamp("2024-01-01", tz="UTC"), "d2": pd.Timestamp("2024-02-01", tz="UTC")})


def register(name, *rows):
    """Rows of a register of programme north from file d1, numbered from row 2 on."""
    base = {"programme_id": "north", "delivery_id": "d1"}
    filled = [{**base, "row_id": f"{row.get('delivery_id', 'd1')}-0-{n + 2}-p", **row} for n, row in enumerate(rows)]
    return REGISTERS[name].conform(pd.DataFrame(filled))


def patients(*rows):
    return register("patients", *rows)


def broken(registers, **settings):
    """(row of the file, column, rule) of each finding."""
    found = validate_registers(registers, **{"as_of": AS_OF, **settings})
    return found[["source_row", "item", "rule"]].values.tolist()


GOOD = {
    "patients": patients({"patient_id": "p1", "birth_year": 1990}, {"patient_id": "p2"}),
    "therapists": register("therapists", {"therapist_id": "t1", "started_on": "2020-01-01"}),
    "episodes": register(
        "episodes", {"episode_id": "e1", "patient_id": "p1", "started_on": "2023-01-01", "ended_on": "2023-01-01"}
    ),
}


def test_good_registers_have_no_findings():
    found = validate_registers(GOOD, as_of=AS_OF, received=RECEIVED)
    assert found.empty
    assert found.dtypes.equals(findings_table("registers").empty().dtypes)


def test_no_registers_have_no_findings():
    assert validate_registers({}, as_of=AS_OF).empty
    assert validate_registers({name: GOOD[name].head(0) for name in GOOD}, as_of=AS_OF, received=RECEIVED).empty


@pytest.mark.parametrize(("name", "key"), [(n, DECLARED[n].key[0]) for n in GOOD])
def test_a_row_that_does_not_say_whom_it_is_about(name, key):
    row = {"episode_id": "e1", "patient_id": "p1"} if name == "episodes" else {key: "x"}
    found = broken({name: register(name, row, {**row, key: None})})
    assert found == [[3, key, "register_key_missing"]]


def test_an_episode_needs_a_patient():
    found = broken({"episodes": register("episodes", {"episode_id": "e1", "patient_id": None})})
    assert found == [[2, "patient_id", "register_key_missing"]]


def test_an_episode_ends_on_or_after_the_day_it_starts():
    rows = [
        {"episode_id": "e1", "patient_id": "p1", "started_on": "2023-01-02", "ended_on": "2023-01-01"},
        {"episode_id": "e2", "patient_id": "p1", "started_on": "2023-01-02", "ended_on": "2023-01-02"},
        {"episode_id": "e3", "patient_id": "p1", "started_on": "2023-01-02"},
        {"episode_id": "e4", "patient_id": "p1", "ended_on": "2023-01-02"},
    ]
    assert broken({"episodes": register("episodes", *rows)}) == [[2, "ended_on", "episode_ends_before_start"]]


def test_the_patient_of_an_episode_is_in_the_register_of_the_programme():
    rows = [
        {"episode_id": "e1", "patient_id": "p1"},
        {"episode_id": "e2", "patient_id": "p9"},
        {"episode_id": "e3", "patient_id": "p9", "programme_id": "south"},
    ]
    found = broken({"episodes": register("episodes", *rows), "patients": GOOD["patients"]})
    assert found == [[3, "patient_id", "patient_unknown"]]
    assert broken({"episodes": register("episodes", *rows)}) == []


@pytest.mark.parametrize(
    ("year", "is_plausible"), [(1914, True), (1913, False), (2014, True), (2015, False), (90, False)]
)
def test_the_year_of_birth_is_that_of_a_person_of_10_to_110(year, is_plausible):
    found = broken({"patients": patients({"patient_id": "p1", "birth_year": year})})
    assert found == ([] if is_plausible else [[2, "birth_year", "birth_year_implausible"]])


@pytest.mark.parametrize(
    ("day", "is_plausible"), [("1900-01-01", True), ("1899-12-31", False), ("2029-12-31", True), ("2030-01-01", False)]
)
def test_dates_lie_between_1900_and_five_years_ahead(day, is_plausible):
    found = broken({"therapists": register("therapists", {"therapist_id": "t1", "ended_on": day})})
    assert found == ([] if is_plausible else [[2, "ended_on", "register_date_implausible"]])


def test_one_file_that_says_two_things_about_one_person_conflicts():
    rows = patients(
        {"patient_id": "p1", "birth_year": 1990},
        {"patient_id": "p1", "birth_year": 1991},
        {"patient_id": "p2", "birth_year": 1990},
        {"patient_id": "p2", "birth_year": 1990},
        {"patient_id": "p1", "birth_year": 1970, "programme_id": "south"},
    )
    assert broken({"patients": rows}) == [
        [2, "patient_id", "register_conflict"],
        [3, "patient_id", "register_conflict"],
    ]


def test_a_later_file_that_says_something_else_is_noticed_on_the_earlier_row():
    rows = patients(
        {"patient_id": "p1", "birth_year": 1991, "delivery_id": "d2"},
        {"patient_id": "p1", "birth_year": 1990},
        {"patient_id": "p2", "birth_year": 1980},
        {"patient_id": "p2", "birth_year": 1980, "delivery_id": "d2"},
    )
    assert broken({"patients": rows}, received=RECEIVED) == [[3, "patient_id", "register_updated"]]
    assert broken({"patients": rows}) == []


def test_a_row_that_a_later_file_put_right_asks_for_nothing():
    bad, good = {"patient_id": "p1", "birth_year": 90}, {"patient_id": "p1", "birth_year": 1990}
    mended = patients(bad, {**good, "delivery_id": "d2"})
    assert broken({"patients": mended}, received=RECEIVED) == [[2, "patient_id", "register_updated"]]
    spoilt = patients(good, {**bad, "delivery_id": "d2"})
    assert broken({"patients": spoilt}, received=RECEIVED) == [
        [2, "patient_id", "register_updated"],
        [3, "birth_year", "birth_year_implausible"],
    ]


def spells(*rows):
    return {"spells": register("spells", *({"patient_id": "p1", "phase": "main", **row} for row in rows))}


@pytest.mark.parametrize(
    ("name", "row", "item"),
    [
        (
            "allocations",
            {"staff_id": "t1", "function": "group", "from_on": "2023-01-02", "until_on": "2023-01-01"},
            "until_on",
        ),
        ("events", {"event_on": "2023-01-02", "kind": "admission", "until_on": "2023-01-01"}, "until_on"),
        ("referrals", {"referred_on": "2023-01-02", "decided_on": "2023-01-01"}, "decided_on"),
        ("therapists", {"therapist_id": "t1", "started_on": "2023-01-02", "ended_on": "2023-01-01"}, "ended_on"),
    ],
)
def test_nothing_ends_before_it_begins(name, row, item):
    person = {} if name == "therapists" else {"patient_id": "p1"}
    assert broken({name: register(name, {**person, **row})}) == [[2, item, "register_until_before_from"]]


def test_rows_of_one_phase_in_one_file_do_not_overlap():
    found = broken(
        spells(
            {"from_on": "2023-01-01", "until_on": "2023-03-31"},
            {"from_on": "2023-03-31"},
            {"from_on": "2023-01-01", "phase": "waiting"},
            {"from_on": "2023-02-01", "patient_id": "p2"},
            {"from_on": "2022-01-01", "until_on": "2022-12-31"},
        )
    )
    assert found == [[2, "from_on", "register_rows_overlap"], [3, "from_on", "register_rows_overlap"]]


def test_a_row_that_overlaps_with_one_of_a_later_file_gives_way_to_it_unless_that_is_wrong_itself():
    earlier = {"from_on": "2023-01-01"}
    later = {"from_on": "2023-02-01", "delivery_id": "d2"}
    assert broken(spells(earlier, later), received=RECEIVED) == [[2, "from_on", "register_row_replaced"]]
    wrong = {**later, "until_on": "2023-01-15"}
    assert broken(spells(earlier, wrong), received=RECEIVED) == [[3, "until_on", "register_until_before_from"]]


def test_a_key_of_several_columns_may_hold_one_that_is_missing():
    team = {"held_on": "2023-01-01", "kind": "team"}
    rows = [{**team, "n_present": 5}, {**team, "n_present": 6}, {**team, "staff_id": "t1"}]
    found = broken({"supervision": register("supervision", *rows)})
    assert found == [[2, "held_on", "register_conflict"], [3, "held_on", "register_conflict"]]


def test_an_event_of_a_person_needs_a_person_and_one_of_the_programme_does_not():
    rows = [{"event_on": "2023-01-01", "kind": "closure"}, {"event_on": "2023-01-01", "kind": "admission"}]
    assert broken({"events": register("events", *rows)}) == [[3, "patient_id", "register_key_missing"]]


def test_whoever_was_referred_need_not_be_registered():
    person = {"patient_id": "p9"}
    registers = {
        "referrals": register("referrals", {**person, "referred_on": "2023-01-01"}),
        "contacts": register("contacts", {**person, "contact_on": "2023-01-01", "kind": "intake"}),
        "patients": GOOD["patients"],
    }
    assert broken(registers) == [[2, "patient_id", "patient_unknown"]]


def test_a_finding_holds_no_value_of_a_person():
    rows = patients({"patient_id": "p_canary", "birth_year": 1777})
    text = validate_registers({"patients": rows}, as_of=AS_OF).to_csv()
    assert "birth_year_implausible" in text
    assert "1777" not in text
    assert "canary" not in text
