"""What becomes of each row. Every expected disposition is read off the rules of the module by hand."""

import numpy as np
import pandas as pd
import pytest

from mbt_rom.acceptance import (
    accept,
    accept_register,
    conservation,
    dispositions,
    forms_of_the_day,
    has_error,
    held_back,
    n_answered,
    open_rows,
    summarise_findings,
    withdrawn_rows,
)
from mbt_rom.findings import as_findings
from mbt_rom.registry import instrument
from mbt_rom.tables import CONTENTS, PATIENTS, findings_table, items_table
from mbt_rom.withdrawn import replaced_files

PHQ9 = instrument("phq9")
NONE = findings_table("phq9").empty()


def form(row_id, *, patient="p_1", on="2024-03-01", answers=1, at="2024-04-01", **more):
    """One administration of the PHQ-9: the same answer to all items, or a list of answers in item order."""
    given = [answers] * len(PHQ9.items) if isinstance(answers, int) or answers is None else answers
    base = {
        "programme_id": "north",
        "row_id": row_id,
        "delivery_id": "d1",
        "received_at": pd.Timestamp(at, tz="UTC"),
        "source_row": 2,
        "block": 0,
        "patient_id": patient,
        "administered_on": on,
    }
    return base | dict(zip(PHQ9.item_ids, given, strict=False)) | more


def table(*forms):
    return items_table(PHQ9).conform(pd.DataFrame(list(forms)))


def errors(*row_ids, rule="answer_out_of_range"):
    rows = [{"programme_id": "north", "delivery_id": "d1", "row_id": r, "rule": rule} for r in row_ids]
    return as_findings(rows, source="phq9")


def decided(*forms, findings=NONE, deliveries=None):
    return dispositions(table(*forms), findings, deliveries).to_dict()


def test_a_good_row_is_accepted():
    assert decided(form("a")) == {"a": "accepted"}


def test_a_row_with_an_error_is_set_aside_and_a_notice_sets_nothing_aside():
    both = decided(form("a"), form("b", on="2024-05-01"), findings=errors("a"))
    assert both == {"a": "set_aside", "b": "accepted"}
    assert decided(form("a"), findings=errors("a", rule="form_empty")) == {"a": "accepted"}


def test_an_error_of_the_reader_sets_aside_as_well():
    assert decided(form("a"), deliveries=errors("a", rule="patient_form")) == {"a": "set_aside"}


def test_the_same_row_id_in_another_programme_is_another_row():
    here, there = form("a"), form("a", programme_id="south", patient="p_2")
    items = table(here, there)
    assert dispositions(items, errors("a")).tolist() == ["set_aside", "accepted"]


def test_a_finding_of_a_shared_file_meets_the_row_of_whichever_programme():
    shared = errors("a").assign(programme_id="_shared")
    assert decided(form("a"), deliveries=shared) == {"a": "set_aside"}


# Duplicates ------------------------------------------------------------------------------------------------------------


def test_of_exact_duplicates_the_first_received_stays():
    late, early = form("late", at="2024-05-01", delivery_id="d2"), form("early", at="2024-04-01")
    assert decided(late, early) == {"late": "duplicate", "early": "accepted"}


def test_duplicates_received_together_are_ordered_by_delivery_row_and_block():
    same = [
        form("c", delivery_id="d2", source_row=2),
        form("b", delivery_id="d1", source_row=9),
        form("a", delivery_id="d1", source_row=3, block=1),
        form("z", delivery_id="d1", source_row=3, block=0),
    ]
    assert decided(*same) == {"z": "accepted", "a": "duplicate", "b": "duplicate", "c": "duplicate"}


@pytest.mark.parametrize(
    "other", [{"patient": "p_2"}, {"on": "2024-03-02"}, {"programme_id": "south"}], ids=["patient", "date", "programme"]
)
def test_equal_answers_of_another_patient_day_or_programme_are_no_duplicate(other):
    assert set(decided(form("a"), form("b", **other)).values()) == {"accepted"}


def test_rows_without_a_patient_are_not_duplicates_of_each_other():
    assert decided(form("a", patient=None), form("b", patient=None)) == {"a": "accepted", "b": "accepted"}


def test_rows_without_date_and_moment_are_not_duplicates_of_each_other():
    rows = form("a", on=None), form("b", on=None)
    assert set(decided(*rows).values()) == {"accepted"}


def test_counts_are_answers_like_any_other():
    """Counts are stored wider than answers are; a form that differs in nothing else is another form."""
    sshi = instrument("sshi")
    base = {
        "programme_id": "north",
        "delivery_id": "d1",
        "received_at": pd.Timestamp("2024-04-01", tz="UTC"),
        "block": 0,
    }
    base |= {"patient_id": "p_1", "administered_on": "2024-03-01", "sshi_months_covered": 6}
    counts = [{"sshi_suicidal_acts": 0}, {"sshi_suicidal_acts": 3}, {"sshi_suicidal_acts": 3}]
    rows = [base | one | {"row_id": f"r{n}", "source_row": n + 2} for n, one in enumerate(counts)]
    items = items_table(sshi).conform(pd.DataFrame(rows))
    assert dispositions(items, findings_table("sshi").empty()).tolist() == ["accepted", "accepted", "duplicate"]
    assert n_answered(items).tolist() == [2, 2, 2]
    assert forms_of_the_day(items.head(2)).tolist() == [2, 2]


def test_a_moment_serves_where_there_is_no_date():
    rows = form("a", on=None, moment_given="m6"), form("b", on=None, moment_given="m6")
    assert decided(*rows) == {"a": "accepted", "b": "duplicate"}
    rows = form("a", on=None, moment_given="baseline"), form("b", on=None, moment_given="m6")
    assert set(decided(*rows).values()) == {"accepted"}


def test_missing_answers_are_part_of_the_content():
    some = [1, None, *[1] * 8]
    assert decided(form("a", answers=some), form("b", answers=some)) == {"a": "accepted", "b": "duplicate"}
    zero = [1, 0, *[1] * 8]
    assert set(decided(form("a", answers=some), form("b", answers=zero)).values()) == {"accepted"}


def test_a_copy_of_a_bad_row_is_a_duplicate_and_a_mended_row_is_not():
    bad = form("bad", answers=[None, *[1] * 9], unreadable_items="phq9_01")
    copy = bad | {"row_id": "copy", "source_row": 3}
    blank = form("blank", answers=[None, *[1] * 9], source_row=4)
    assert decided(bad, copy, blank, findings=errors("bad")) == {
        "bad": "set_aside",
        "copy": "duplicate",
        "blank": "accepted",
    }


# States of one response --------------------------------------------------------------------------------------------------


def test_a_form_finished_later_supersedes_its_earlier_state():
    begun = form("begun", answers=[2, *[None] * 9], response_id="x", is_complete=False)
    done = form("done", answers=2, response_id="x", is_complete=True, on="2024-03-02")
    assert decided(done, begun) == {"begun": "superseded", "done": "accepted"}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"is_complete": False, "submitted_at": "2024-03-09"}, {"is_complete": True, "submitted_at": "2024-03-01"}),
        ({"submitted_at": "2024-03-01"}, {"submitted_at": "2024-03-02"}),
        ({"submitted_at": None}, {"submitted_at": "2024-03-02"}),
        ({"answers": [3, *[None] * 9], "at": "2024-06-01"}, {"answers": 3, "at": "2024-05-01"}),
        ({"answers": 3, "at": "2024-05-01"}, {"answers": 2, "at": "2024-06-01"}),
        ({"answers": 3, "source_row": 7}, {"answers": 2, "source_row": 8}),
    ],
    ids=["complete", "submitted", "submitted at all", "answers", "received", "row"],
)
def test_the_order_of_states(earlier, later):
    base = {"answers": 1, "response_id": "x"}
    first = form("first", **{**base, **earlier})
    last = form("last", **{**base, "answers": 2, **later})
    assert decided(first, last) == decided(last, first) == {"first": "superseded", "last": "accepted"}


def test_the_last_state_delivered_twice_is_accepted_once():
    begun = form("begun", answers=[2, *[None] * 9], response_id="x")
    done = form("done", answers=2, response_id="x", at="2024-05-01", delivery_id="d2")
    again = form("again", answers=2, response_id="x", at="2024-06-01", delivery_id="d3")
    assert decided(begun, done, again) == {"begun": "superseded", "done": "accepted", "again": "duplicate"}


def test_a_corrected_state_leaves_nothing_to_mend():
    bad, good = form("bad", answers=9, response_id="x"), form("good", answers=2, response_id="x", at="2024-06-01")
    assert decided(bad, good, findings=errors("bad")) == {"bad": "superseded", "good": "accepted"}
    assert open_rows(table(bad, good))["row_id"].tolist() == ["good"]


def test_two_forms_on_one_row_are_two_forms():
    before = form("before", response_id="x", block=0, on=None, moment_given="baseline")
    after = form("after", response_id="x", block=1, on=None, moment_given="m6", answers=0)
    assert set(decided(before, after).values()) == {"accepted"}


def test_the_same_response_number_in_two_programmes_is_two_responses():
    rows = form("a", response_id="x"), form("b", response_id="x", programme_id="south", answers=0)
    assert set(decided(*rows).values()) == {"accepted"}


def test_an_empty_form_gives_way_to_a_filled_one_of_the_same_day():
    rows = form("empty", answers=None), form("filled"), form("alone", answers=None, on="2024-09-01")
    assert decided(*rows) == {"empty": "superseded", "filled": "accepted", "alone": "accepted"}


# Fatal deliveries --------------------------------------------------------------------------------------------------------


def test_a_refused_delivery_contributes_nothing_and_leaves_the_last_good_one():
    fatal = as_findings(
        [{"programme_id": "north", "delivery_id": "bad", "rule": "edition_contradicted"}], source="deliveries"
    )
    good = form("good", response_id="x")
    later = form("later", response_id="x", answers=3, at="2024-09-01", delivery_id="bad", is_complete=True)
    earlier = form("earlier", at="2024-01-01", delivery_id="bad")
    assert decided(good, later, earlier, deliveries=fatal) == {
        "good": "accepted",
        "later": "set_aside",
        "earlier": "set_aside",
    }


# Conflicts ---------------------------------------------------------------------------------------------------------------


def test_forms_of_the_day_counts_those_that_contradict_each_other():
    items = table(
        form("a"),
        form("b", answers=2),
        form("other day", on="2024-03-02"),
        form("other patient", patient="p_2"),
        form("other programme", programme_id="south"),
        form("nobody", patient=None),
        form("never", on=None),
        form("empty", answers=None),
    )
    assert forms_of_the_day(items).tolist() == [2, 2, 1, 1, 1, pd.NA, pd.NA, pd.NA]


# Whole tables ------------------------------------------------------------------------------------------------------------


def test_accept_keeps_the_accepted_rows_with_their_types():
    items = table(form("a"), form("b", on="2024-05-01"))
    kept = accept(items, dispositions(items, errors("a")))
    assert kept["row_id"].tolist() == ["b"]
    assert kept.dtypes.equals(items.dtypes)


def test_an_empty_table_has_no_dispositions():
    assert dispositions(table(form("a")).head(0), NONE).empty
    assert open_rows(table(form("a")).head(0)).empty


def test_number_of_answers_counts_what_is_given():
    assert n_answered(table(form("a", answers=[0, None, 3]), form("b", answers=None))).tolist() == [2, 0]


def test_has_error_needs_a_row():
    about_a_column = errors(None, rule="date_missing")
    assert not has_error(table(form("a")), about_a_column, None).any()


def test_the_law_counts_every_row_once():
    items = table(form("a"), form("b", at="2024-05-01"), form("c", on="2024-05-02"), form("s", programme_id="south"))
    contents = CONTENTS.conform(
        pd.DataFrame(
            {
                "programme_id": ["north", "north", "south", "west"],
                "delivery_id": ["d1", "d2", "d1", "d1"],
                "instrument": "phq9",
                "n_rows": [3, 2, 2, 1],
                "n_blank": [1, 0, 0, 0],
                "n_left_out": [0, 1, 0, 1],
            }
        )
    )
    law = conservation(contents, {"phq9": items}, {"phq9": errors("c")}).set_index("programme_id")
    assert law.loc["north", ["n_offered", "n_blank", "n_left_out"]].tolist() == [5, 1, 1]
    assert law.loc["north", ["n_accepted", "n_set_aside", "n_duplicate", "n_superseded"]].tolist() == [1, 1, 1, 0]
    assert law["is_conserved"].to_dict() == {"north": True, "south": False, "west": True}
    newest = law["newest_form_on"].dt.strftime("%Y-%m-%d")  # c is newer, but set aside
    assert newest.to_dict() == {"north": "2024-03-01", "south": "2024-03-01", "west": np.nan}


def test_rows_of_an_instrument_that_nobody_counted_break_the_law():
    law = conservation(CONTENTS.empty(), {"phq9": table(form("a"))}, {"phq9": NONE})
    assert law[["n_offered", "n_accepted", "is_conserved"]].values.tolist() == [[0, 1, False]]


def test_the_law_of_nothing_is_empty():
    assert conservation(CONTENTS.empty(), {}, {}).empty
    assert conservation(CONTENTS.empty(), {"phq9": table(form("a")).head(0)}, {"phq9": NONE}).empty


def test_findings_are_counted_per_programme_source_and_rule():
    two = pd.concat([errors("a", "b"), errors("c").assign(delivery_id="d2")])
    summary = summarise_findings({"phq9": two, "deliveries": NONE})
    assert summary[["source", "rule", "severity", "n_findings", "n_deliveries"]].values.tolist() == [
        ["phq9", "answer_out_of_range", "error", 3, 2]
    ]
    assert summarise_findings({"phq9": NONE}).empty


# Registers ---------------------------------------------------------------------------------------------------------------


def test_of_a_register_the_last_good_row_counts():
    rows = [("p_1", 1990, "r1", "d1"), ("p_1", 1991, "r2", "d2"), ("p_2", 1980, "r3", "d1"), ("p_2", 1800, "r4", "d2")]
    register = PATIENTS.conform(
        pd.DataFrame(rows, columns=["patient_id", "birth_year", "row_id", "delivery_id"]).assign(programme_id="north")
    )
    received = pd.Series({"d1": pd.Timestamp("2024-01-01"), "d2": pd.Timestamp("2024-02-01")})
    bad = errors("r4", rule="birth_year_implausible")
    kept = accept_register(register, bad, key=["patient_id"], received=received)
    assert kept["row_id"].tolist() == ["r2", "r3"]
    fatal = as_findings([{"programme_id": "north", "delivery_id": "d2", "rule": "column_twice"}], source="deliveries")
    kept = accept_register(register, bad, fatal, key=["patient_id"], received=received)
    assert kept["row_id"].tolist() == ["r1", "r3"]


def test_a_register_of_which_every_row_is_set_aside_is_empty():
    register = PATIENTS.conform(
        pd.DataFrame({"programme_id": ["north"], "patient_id": ["p1"], "row_id": ["r1"], "delivery_id": ["d1"]})
    )
    received = pd.Series({"d1": pd.Timestamp("2024-01-01")})
    bad = errors("r1", rule="birth_year_implausible")
    assert accept_register(register, bad, key=["patient_id"], received=received).empty


def test_two_hundred_thousand_rows_are_decided_at_once():
    n = 100_000
    first = items_table(PHQ9).conform(
        pd.DataFrame(
            {
                "programme_id": "north",
                "row_id": np.char.add("a", np.arange(n).astype(str)),
                "delivery_id": "d1",
                "received_at": pd.Timestamp("2024-01-01", tz="UTC"),
                "source_row": np.arange(n),
                "block": 0,
                "patient_id": np.char.add("p", np.arange(n).astype(str)),
                "administered_on": pd.Timestamp("2024-01-01"),
                **{i: np.arange(n) % 4 for i in PHQ9.item_ids},
            }
        )
    )
    again = first.assign(row_id="b" + first["row_id"], received_at=pd.Timestamp("2024-02-01", tz="UTC"))
    counts = dispositions(pd.concat([again, first], ignore_index=True), NONE).value_counts()
    assert counts.to_dict() == {"accepted": n, "duplicate": n}


# Corrections -----------------------------------------------------------------------------------------------------------


def corrected(row_id, *, corrects="root", at="2024-06-01", **more):
    return form(row_id, corrects=corrects, at=at, delivery_id="decision", **more)


def test_a_corrected_row_takes_the_place_of_its_root_with_fewer_answers_too():
    rows = form("root", response_id="r_1"), corrected("new", response_id="r_1", answers=[1, 1, None, 1])
    assert decided(*rows) == {"root": "superseded", "new": "accepted"}


def test_a_repeat_of_the_root_in_a_later_export_changes_nothing():
    rows = form("root"), corrected("new", answers=2), form("again", at="2024-07-01", delivery_id="d2")
    assert decided(*rows) == {"root": "superseded", "new": "accepted", "again": "superseded"}


def test_rows_without_a_day_repeat_the_root_only_within_its_response():
    rows = (
        form("root", on=None, response_id="r_1"),
        corrected("new", response_id="r_1"),
        form("same response", on=None, response_id="r_1", at="2024-07-01"),
        form("another", on=None, response_id="r_2", at="2024-07-01"),
    )
    assert decided(*rows) == {
        "root": "superseded",
        "new": "accepted",
        "same response": "superseded",
        "another": "accepted",
    }


def test_of_two_corrections_of_a_row_the_last_one_counts():
    rows = form("root"), corrected("first", answers=2), corrected("second", answers=3, at="2024-06-02")
    assert decided(*rows) == {"root": "superseded", "first": "superseded", "second": "accepted"}


def test_an_undone_correction_is_superseded_and_the_root_counts_again():
    rows = form("root"), corrected("new", answers=2, undone_at=pd.Timestamp("2024-06-03", tz="UTC"))
    assert decided(*rows) == {"root": "accepted", "new": "superseded"}


def test_a_form_finished_at_its_source_after_the_correction_counts():
    rows = (
        form("root", response_id="r_1", answers=[1, 1]),
        corrected("new", response_id="r_1", answers=[1, 2]),
        form("finished", response_id="r_1", at="2024-07-01"),
    )
    assert decided(*rows) == {"root": "superseded", "new": "superseded", "finished": "accepted"}


def test_a_moved_form_that_changed_under_the_first_patient_is_held_back_and_the_moved_one_stays():
    rows = (
        form("root", response_id="r_1", answers=1),
        corrected("moved", response_id="r_1", answers=1, patient="p_2"),
        form("changed", response_id="r_1", answers=2, at="2024-07-01"),
        form("changed, exported again", response_id="r_1", answers=2, at="2024-08-01"),
        form("of another response", on="2024-05-01", response_id="r_2", answers=2, at="2024-07-01"),
    )
    items = table(*rows)
    assert held_back(items) == {"changed", "changed, exported again"}
    assert decided(*rows, findings=errors("changed", rule="moved_form_changed")) == {
        "root": "superseded",
        "moved": "accepted",
        "changed": "set_aside",
        "changed, exported again": "duplicate",
        "of another response": "accepted",
    }


def test_a_moved_form_without_response_id_is_known_by_patient_and_day():
    rows = form("root"), corrected("moved", patient="p_2"), form("changed", answers=2, at="2024-07-01")
    assert held_back(table(*rows)) == {"changed"}


def test_a_moved_form_whose_number_was_mended_at_the_source_counts_as_it_stands_there():
    rows = (
        form("root", response_id="r_1"),
        corrected("moved", response_id="r_1", patient="p_2"),
        form("mended", response_id="r_1", patient="p_2", answers=2, at="2024-07-01"),
    )
    assert held_back(table(*rows)) == set()
    assert decided(*rows) == {"root": "superseded", "moved": "superseded", "mended": "accepted"}


def test_a_changed_form_that_is_moved_as_well_counts_for_the_second_patient():
    rows = (
        form("root", response_id="r_1"),
        corrected("moved", response_id="r_1", patient="p_2"),
        form("changed", response_id="r_1", answers=2, at="2024-07-01"),
        corrected("moved too", corrects="changed", response_id="r_1", patient="p_2", answers=2, at="2024-07-02"),
    )
    assert decided(*rows) == {
        "root": "superseded",
        "moved": "superseded",
        "changed": "superseded",
        "moved too": "accepted",
    }


# Withdrawn at the source -----------------------------------------------------------------------------------------------


def files(*told):
    """Deliveries of programme north: id, name, shape, day in April 2024."""
    rows = [
        {"folder": "north", "delivery_id": d, "file_name": n, "shape": s, "received_at": f"2024-04-{day:02d}"}
        for d, n, s, day in told
    ]
    return pd.DataFrame(rows).astype({"received_at": "datetime64[us, UTC]"})


WEEKLY = files(("d1", "april.csv", "one", 1), ("d2", "may.csv", "one", 8))


def gone(*forms, broken, known=WEEKLY):
    """Row id -> delivery that withdrew it. No row of these tests is a state of another."""
    items = table(*forms)
    is_open = items["row_id"].isin(open_rows(items)["row_id"])
    found = withdrawn_rows(items, known, is_open=is_open, is_broken=items["row_id"].isin(broken))
    return dict(zip(items.loc[found.index, "row_id"], found["closed_by"], strict=True))


def first(row_id, **more):
    return form(row_id, at="2024-04-01", delivery_id="d1", **more)


def second(row_id, **more):
    return form(row_id, at="2024-04-08", delivery_id="d2", **more)


BAD = {"patient": None, "on": "2024-02-01"}


def test_a_row_without_a_number_is_withdrawn_by_a_full_export_in_which_it_has_one():
    rows = first("good"), first("bad", **BAD), second("again"), second("mended", patient="p_9", on="2024-02-01")
    assert gone(*rows, broken=["bad"]) == {"bad": "d2"}


def test_a_row_that_the_later_export_still_holds_stays():
    rows = first("good"), first("bad", **BAD), second("again"), second("still", **BAD)
    assert gone(*rows, broken=["bad", "still"]) == {}


def test_a_row_that_came_back_after_it_was_gone_stays():
    known = pd.concat([WEEKLY, files(("d3", "june.csv", "one", 15))], ignore_index=True)
    back = form("back", at="2024-04-15", delivery_id="d3", **BAD)
    rows = first("good"), first("bad", **BAD), second("again"), back
    assert gone(*rows, broken=["bad", "back"], known=known) == {}


def test_an_export_of_a_later_period_withdraws_nothing():
    rows = first("good"), first("bad", **BAD), second("new", on="2024-04-05")
    assert gone(*rows, broken=["bad"]) == {}


def test_an_export_that_lacks_one_good_row_withdraws_nothing():
    rows = first("good"), first("other", patient="p_2"), first("bad", **BAD), second("again")
    assert gone(*rows, broken=["bad"]) == {}


def test_an_earlier_export_withdraws_nothing():
    late = files(("d1", "april.csv", "one", 8), ("d2", "may.csv", "one", 1))
    rows = first("good"), first("bad", **BAD), second("again")
    assert gone(*rows, broken=["bad"], known=late) == {}


@pytest.mark.parametrize(
    ("second_file", "withdrew"),
    [
        (("d2", "may.csv", "other", 8), {}),
        (("d2", "may.csv", None, 8), {}),
        (("d2", "april.csv", "other", 8), {"bad": "d2"}),
    ],
    ids=["other columns", "unknown columns", "same name"],
)
def test_only_the_same_export_withdraws(second_file, withdrew):
    known = files(("d1", "april.csv", "one", 1), second_file)
    rows = first("good"), first("bad", **BAD), second("again")
    assert gone(*rows, broken=["bad"], known=known) == withdrew


@pytest.mark.parametrize(("name", "withdrew"), [("april.csv", {"bad": "d2"}), ("may.csv", {})], ids=["same", "other"])
def test_without_a_good_row_the_name_must_be_the_same(name, withdrew):
    known = files(("d1", "april.csv", "one", 1), ("d2", name, "one", 8))
    rows = first("bad", **BAD), second("mended", patient="p_9", on="2024-02-01")
    assert gone(*rows, broken=["bad"], known=known) == withdrew


def test_an_export_of_another_folder_or_programme_withdraws_nothing():
    rows = [first("good"), first("bad", **BAD), second("again")]
    assert gone(*rows, broken=["bad"], known=WEEKLY.assign(folder=["north", "_shared"])) == {}
    rows[2] |= {"programme_id": "south"}
    assert gone(*rows, broken=["bad"], known=WEEKLY.assign(folder="_shared")) == {}


def test_the_first_export_without_the_row_withdraws_it_in_whatever_order_rows_and_files_stand():
    known = pd.concat([WEEKLY, files(("d3", "june.csv", "one", 15))], ignore_index=True)
    rows = [first("good"), first("bad", **BAD), second("again"), form("third", at="2024-04-15", delivery_id="d3")]
    assert gone(*rows, broken=["bad"], known=known) == {"bad": "d2"}
    assert gone(*reversed(rows), broken=["bad"], known=known.iloc[::-1]) == {"bad": "d2"}


def test_a_withdrawn_row_is_superseded_and_not_set_aside():
    told = errors("a", rule="withdrawn_at_source")
    assert decided(form("a"), form("b", on="2024-05-01"), findings=told) == {"a": "superseded", "b": "accepted"}


def test_an_unusable_file_is_replaced_by_a_later_usable_one_of_the_same_export():
    told = files(
        ("bad", "april.csv", None, 1),
        ("other", "may.csv", "two", 2),
        ("bad as well", "april.csv", "two", 3),
        ("mended", "april.csv", "one", 4),
        ("open", "june.csv", "nine", 5),
    )
    found = replaced_files(told, told["delivery_id"].isin(["bad", "bad as well", "open"]))
    assert found["closed_by"].to_dict() == {0: "mended", 2: "mended"}
    assert found["closed_at"].eq(pd.Timestamp("2024-04-04", tz="UTC")).all()


def test_an_unusable_file_is_replaced_by_one_of_the_same_columns_and_not_from_another_folder():
    told = files(("bad", "april.csv", "one", 1), ("mended", "again.csv", "one", 2))
    is_bad = told["delivery_id"].eq("bad")
    assert replaced_files(told, is_bad)["closed_by"].tolist() == ["mended"]
    assert replaced_files(told.assign(folder=["north", "south"]), is_bad).empty
