"""States of forms, stored totals and neighbouring numbers, whatever the answers and the numbers are."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.form_states import form_states
from mbt_rom.registry import instrument
from mbt_rom.scoring import score
from mbt_rom.stored_totals import agreement, shift
from mbt_rom.tables import items_table
from mbt_rom.wrong_person import neighbours

PHQ9 = instrument("phq9")
ANSWERS = st.lists(st.none() | st.integers(0, 3), min_size=10, max_size=10)


def table(forms, **columns):
    rows = [dict(zip(PHQ9.item_ids, answers, strict=True)) for answers in forms]
    facts = {
        "programme_id": "a",
        "row_id": [f"r{n}" for n in range(len(forms))],
        "patient_id": [f"p{n}" for n in range(len(forms))],
        "delivery_id": "d",
        "source_row": 2,
        "block": 0,
        "received_at": pd.Timestamp("2024-01-01", tz="UTC"),
    }
    return items_table(PHQ9).conform(pd.DataFrame(rows).assign(**facts, **columns))


@given(st.lists(st.tuples(ANSWERS, st.sampled_from([True, False, None])), min_size=1, max_size=8))
def test_a_form_is_in_one_state_and_only_a_partial_one_waits_for_answers(forms):
    rows = table([answers for answers, _ in forms], is_complete=[says for _, says in forms])
    rows["form_state"] = form_states(PHQ9, rows)
    total = score(PHQ9, rows, software_version="x").query("scale == 'total'").reset_index(drop=True)
    for n, (answers, says) in enumerate(forms):
        given_ones = [a for a in answers if a is not None]
        is_waiting = says is False and bool(given_ones) and None in answers[:9]
        assert (rows["form_state"][n] == "partial") is is_waiting
        assert (rows["form_state"][n] == "opened") is (not given_ones)
        assert (total["unscored_because"].fillna("")[n] == "not_finished") is is_waiting
        if None not in answers[:9]:
            assert total["score"][n] == sum(answers[:9])


@given(
    st.lists(st.lists(st.integers(0, 3), min_size=10, max_size=10), min_size=3, max_size=12),
    st.sampled_from(["sum", "mean"]),
    st.integers(0, 11),
    st.integers(1, 4),
)
def test_a_total_that_was_made_from_the_answers_agrees_and_one_that_was_not_does_not(forms, how, where, off):
    totals = [sum(answers[:9]) if how == "sum" else round(sum(answers[:9]) / 9, 2) for answers in forms]
    assert agreement(PHQ9, table(forms, total_given=totals)).all()
    assert not shift(PHQ9, table(forms, total_given=totals)).is_systematic
    wrong = where % len(forms)
    # More than any of 27 points, so that it is neither sum, mean nor score.
    mistyped = [t + (27 + off) * (n == wrong) for n, t in enumerate(totals)]
    assert agreement(PHQ9, table(forms, total_given=mistyped)).tolist() == [n != wrong for n in range(len(forms))]


@given(st.lists(st.lists(st.integers(0, 2), min_size=10, max_size=10), min_size=3, max_size=12))
def test_a_coding_that_was_read_one_too_low_always_shows_in_the_totals(forms):
    totals = [sum(answers[:9]) + 9 for answers in forms]
    assert shift(PHQ9, table(forms, total_given=totals)).is_systematic


@given(st.text(alphabet="0123456789", min_size=1, max_size=9), st.text(alphabet="0123456789", min_size=1, max_size=9))
def test_being_neighbours_is_mutual(one, other):
    assert (other in neighbours(one)) == (one in neighbours(other))
    assert one not in neighbours(one)


@given(st.text(alphabet="0123456789", min_size=1, max_size=9))
def test_a_neighbour_differs_by_one_slip(number):
    for other in neighbours(number):
        same_length = len(other) == len(number)
        differing = [i for i, (a, b) in enumerate(zip(number, other, strict=False)) if a != b] if same_length else []
        assert (
            abs(len(other) - len(number)) == 1 or len(differing) == 1 or differing == [differing[0], differing[0] + 1]
        )
        assert np.all([c.isdigit() for c in other])
