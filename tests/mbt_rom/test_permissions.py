"""Who is permitted on a day, and why not: who gave it, from when until when, and who decides at which age."""

from datetime import date

import pandas as pd
import pytest

from mbt_rom import permissions

PURPOSE = "consortium_benchmark"
TODAY = date(2026, 6, 30)


def register(*rows):
    """Rows of the register: patient, given_by, from_on, until_on and, where it differs, purpose and programme."""
    names = ["patient_id", "given_by", "from_on", "until_on", "purpose", "programme_id"]
    full = [(*row, *(None, None, None, PURPOSE, "a")[len(row) - 1 :]) for row in rows]
    frame = pd.DataFrame(full, columns=names)
    days = {c: pd.to_datetime(frame[c]).astype("datetime64[s]") for c in ("from_on", "until_on")}
    return frame.astype(dict.fromkeys(("patient_id", "given_by", "purpose", "programme_id"), "str")).assign(**days)


def people(**born):
    """Rows of the register of patients of programme a: patient and year of birth."""
    return pd.DataFrame(
        {
            "programme_id": pd.Series(["a"] * len(born), dtype="str"),
            "patient_id": pd.Series(list(born), dtype="str"),
            "birth_year": pd.Series(list(born.values()), dtype="Int16"),
        }
    )


def why(given, born, on=TODAY, purpose=PURPOSE):
    """Of the one patient: 'permitted', or why not."""
    known = people(p=born)
    found = permissions.holds(given, known, purpose=purpose, on=on).reasons(known)
    return found.fillna("permitted").iloc[0]


def test_nothing_holds_for_whom_a_stop_says_that_they_withdrew():
    given = register(("p", "patient", "2025-01-01", None), ("q", "patient", "2025-01-01", None))
    known = people(p=1990, q=1990, r=1990)
    said = pd.DataFrame({"programme_id": ["a", "a", "b"], "patient_id": ["p", "r", "q"]}, dtype="str")
    found = permissions.holds(given, known, purpose=PURPOSE, on=TODAY, withdrew=said).reasons(known)
    assert found.fillna("permitted").tolist() == ["withdrawn", "permitted", "never_recorded"]
    nobody = permissions.holds(given, known, purpose=PURPOSE, on=TODAY, withdrew=said.head(0)).reasons(known)
    assert nobody.fillna("permitted").tolist() == ["permitted", "permitted", "never_recorded"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "never_recorded"),
        ([("p", "patient", "2025-01-01", None)], "permitted"),
        ([("p", None, "2025-01-01", None)], "permitted"),
        ([("p", "patient", "2026-06-30", "2026-06-30")], "permitted"),
        ([("p", "patient", "2025-01-01", "2026-06-29")], "withdrawn"),
        ([("p", "patient", "2026-07-01", None)], "not_yet"),
        ([("p", "patient", "2025-01-01", None, "model_fitting")], "never_recorded"),
        ([("p", "patient", "2025-01-01", None, PURPOSE, "b")], "never_recorded"),
        ([("q", "patient", "2025-01-01", None)], "never_recorded"),
        ([("p", "patient", "2025-01-01", "2025-12-31"), ("p", "patient", "2026-03-01", None)], "permitted"),
        ([("p", "patient", "2025-01-01", "2025-12-31"), ("p", "patient", "2026-09-01", None)], "withdrawn"),
        ([("p", "representative", "2025-01-01", None)], "representative_no_longer_decides"),
        ([("p", "both", "2025-01-01", None)], "permitted"),
        ([("p", "both", "2025-01-01", "2025-03-01")], "withdrawn"),
    ],
)
def test_what_the_rows_of_an_adult_say(rows, reason):
    assert why(register(*rows), 1990) == reason


def test_an_older_permission_that_was_left_open_does_not_undo_a_withdrawal():
    given = register(("p", "patient", "2024-01-01", None), ("p", "patient", "2025-01-01", "2025-06-30"))
    assert why(given, 1990) == "withdrawn"
    assert why(given.iloc[::-1], 1990) == "withdrawn"
    same_day = register(("p", "patient", "2024-01-01", None), ("p", "patient", "2024-01-01", "2025-06-30"))
    assert why(same_day, 1990) == why(same_day.iloc[::-1], 1990) == "withdrawn"


def test_what_a_representative_gave_holds_while_the_representative_decides_alone():
    """Born in 2014: under 12 until the end of 2025, as far as a year of birth can tell."""
    given = register(("p", "representative", "2024-03-01", None))
    assert why(given, 2014, date(2025, 12, 31)) == "permitted"
    assert why(given, 2014, date(2026, 1, 1)) == "representative_no_longer_decides"
    assert why(register(("p", "patient", "2024-03-01", None)), 2014, date(2025, 12, 31)) == "representative_missing"


def test_from_twelve_both_decide_and_either_may_end_it():
    born, day = 2012, date(2026, 5, 1)
    assert why(register(("p", "both", "2025-01-01", None)), born, day) == "permitted"
    apart = [("p", "representative", "2025-01-01", None), ("p", "patient", "2025-02-01", None)]
    assert why(register(*apart), born, day) == "permitted"
    assert why(register(apart[0]), born, day) == "representative_no_longer_decides"
    assert why(register(apart[1]), born, day) == "representative_missing"
    both = ("p", "both", "2025-01-01", None)
    assert why(register(both, ("p", "patient", "2025-06-01", "2025-09-01")), born, day) == "withdrawn"
    assert why(register(both, ("p", "representative", "2025-06-01", "2025-09-01")), born, day) == "withdrawn"


def test_whoever_turns_sixteen_needs_a_row_of_their_own_from_the_first_of_january():
    """Born in 2010, they turn 16 in the course of 2026."""
    parent = ("p", "representative", "2024-03-01", None)
    new_year = date(2026, 1, 1)
    assert why(register(("p", "both", "2024-03-01", None)), 2010, new_year) == "permitted"
    assert why(register(parent), 2010, new_year) == "representative_no_longer_decides"
    assert why(register(("p", "representative", "2024-03-01", "2025-12-31")), 2010, new_year) == (
        "representative_no_longer_decides"
    )
    own = ("p", "patient", "2026-01-01", None)
    assert why(register(parent, own), 2010, date(2025, 12, 31)) == "representative_no_longer_decides"
    assert why(register(parent, own), 2010, new_year) == "permitted"


def test_a_representative_who_withdraws_after_sixteen_changes_nothing_and_the_patient_can_alone():
    own, parent = ("p", "patient", "2024-05-01", None), ("p", "both", "2024-01-01", None)
    born = 2008
    assert why(register(own, parent, ("p", "representative", "2025-01-01", "2025-02-01")), born) == "permitted"
    assert why(register(parent, ("p", "patient", "2025-01-01", "2025-02-01")), born) == "withdrawn"


def test_where_the_year_of_birth_is_unknown_the_patient_decides():
    assert why(register(("p", "patient", "2025-01-01", None)), None) == "permitted"
    assert why(register(("p", "representative", "2025-01-01", None)), None) == "representative_no_longer_decides"


def test_who_gave_it_unsaid_is_the_patient_only_where_they_had_surely_turned_sixteen():
    """Given in the year in which they turn 16 or before, it may be anybody's, and counts for nobody, then and later."""
    given = register(("p", None, "2025-01-01", None))
    assert why(given, 2008) == why(given, None) == "permitted"
    assert why(given, 2009) == why(given, 2013) == why(given, 2016) == "never_recorded"
    assert why(given, 2009, date(2030, 1, 1)) == "never_recorded"


def test_people_who_are_only_in_one_of_the_two_registers_are_judged_by_what_is_there():
    given = register(("q", "patient", "2025-01-01", None))
    permitted = permissions.holds(given, people(p=1990), purpose=PURPOSE, on=TODAY)
    asked = pd.DataFrame(
        {"programme_id": "a", "patient_id": pd.Series(["q", "p", "r", None], dtype="str"), "n": range(4)}
    )
    assert permitted.reasons(asked).fillna("permitted").tolist() == ["permitted", *["never_recorded"] * 3]
    assert permitted.only(asked)["n"].tolist() == [0]
    assert permitted.registered == {"a"}


def test_nobody_is_permitted_without_a_register():
    permitted = permissions.holds(register(), people(p=1990, q=2012), purpose=PURPOSE, on=TODAY)
    assert set(permitted.people["reason"]) == {"never_recorded"}
    assert permitted.only(people(p=1990)).empty
    assert permitted.registered == frozenset()


def test_the_order_of_the_rows_is_irrelevant():
    given = register(
        ("p", "both", "2024-01-01", None), ("p", "patient", "2025-01-01", "2025-02-01"), ("q", "patient", "2025-01-01", None),
        ("p", "patient", "2026-01-01", None), ("q", "representative", "2025-06-01", None), ("r", "patient", "2027-01-01", None),
    )  # fmt: skip
    known = people(p=1990, q=2012, r=2001)
    expected = permissions.holds(given, known, purpose=PURPOSE, on=TODAY).reasons(known).fillna("permitted").tolist()
    assert expected == ["permitted", "permitted", "not_yet"]
    for seed in range(5):
        shuffled = given.sample(frac=1, random_state=seed)
        assert (
            permissions.holds(shuffled, known, purpose=PURPOSE, on=TODAY).reasons(known).fillna("permitted").tolist()
            == expected
        )


def test_a_row_that_is_set_aside_puts_in_doubt_what_came_before_it_and_with_it():
    """p: a bad row came after the good one; q: with it; r: a good one came after it; s: about another purpose; t: whose nobody knows."""
    rows = register(
        ("p", "patient", "2024-01-01", None), ("p", "patient", "2024-01-01", None), ("q", "patient", "2024-01-01", None),
        ("q", "patient", "2025-01-01", None), ("r", "patient", "2024-01-01", None), ("r", "patient", "2024-01-01", None),
        ("s", "patient", "2024-01-01", None), ("s", "patient", "2024-01-01", None, "research"), (None, "patient", "2024-01-01", None),
    ).assign(delivery_id=["d1", "d2", "d2", "d2", "d1", "d2", "d1", "d2", "d2"])  # fmt: skip
    is_bad = pd.Series([False, True, False, True, True, False, False, True, True])
    received = pd.Series({"d1": pd.Timestamp("2026-01-01", tz="UTC"), "d2": pd.Timestamp("2026-02-01", tz="UTC")})
    left = permissions.undoubted(rows[~is_bad].reset_index(drop=True), rows, is_bad=is_bad, received=received)
    assert left["patient_id"].tolist() == ["r", "s"]
    untouched = permissions.undoubted(rows, rows, is_bad=is_bad & False, received=received)
    pd.testing.assert_frame_equal(untouched, rows)
    assert permissions.undoubted(rows.head(0), rows.head(0), is_bad=is_bad.head(0), received=received).empty
