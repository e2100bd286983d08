"""Totals that a tool stored against the answers: counted by hand."""

import pandas as pd
import pytest

from mbt_rom.registry import instrument
from mbt_rom.stored_totals import agreement, shift
from mbt_rom.tables import items_table

PHQ9, BSI, OQ45, EQ5D = (instrument(i) for i in ("phq9", "bsi", "oq45", "eq5d5l"))


def rows(definition, *forms):
    """Pairs of answers by item (the others are the lowest answer) and stored total."""
    lowest = {item.id: item.min for item in definition.items}
    frame = pd.DataFrame([{**lowest, **answers, "total_given": total} for answers, total in forms])
    facts = {"programme_id": "a", "row_id": "r", "delivery_id": "d", "source_row": 2, "block": 0}
    return items_table(definition).conform(frame.assign(received_at=pd.Timestamp("2024-01-01", tz="UTC"), **facts))


@pytest.mark.parametrize(
    ("answers", "total", "agrees"),
    [
        ({"phq9_01": 3, "phq9_02": 2}, 5, True),
        ({"phq9_01": 3, "phq9_02": 2}, 0.56, True),  # 5 / 9
        ({"phq9_01": 3, "phq9_02": 2}, 6, False),
        ({"phq9_01": 3, "phq9_02": 2}, 5.01, False),
        ({"phq9_01": 3, "phq9_10": 3}, 3, True),  # the tenth is in no score
        ({"phq9_01": None}, 4, None),
        ({"phq9_01": 7}, 7, None),
        ({"phq9_01": 3}, None, None),
    ],
)
def test_a_total_is_the_sum_or_the_mean_of_a_complete_form(answers, total, agrees):
    found = agreement(PHQ9, rows(PHQ9, (answers, total))).item()
    assert (None if pd.isna(found) else found) == agrees


def test_items_that_the_scale_turns_round_may_be_turned_round_or_not():
    """Nine items of the OQ-45 are reversed: all zeros are a score of 9 x 4 = 36, and a sum of 0."""
    assert agreement(OQ45, rows(OQ45, *(({}, t) for t in (36, 0, 0.8, 35)))).tolist() == [True, True, True, False]


def test_a_utility_is_not_compared_for_it_depends_on_the_tariff():
    assert agreement(EQ5D, rows(EQ5D, ({}, 0.7))).isna().all()


@pytest.mark.parametrize("way", [1, -1])
def test_totals_that_are_off_by_one_point_an_item_are_the_sign_of_another_coding(way):
    forms = [({"phq9_01": n % 3, "phq9_02": 1}, n % 3 + 1 + 9 * way) for n in range(4)]
    found = shift(PHQ9, rows(PHQ9, *forms))
    assert (found.n, found.n_compared, found.is_systematic) == (4, 4, True)
    means = [({"phq9_01": 3}, 0.33 + way)] * 3
    assert shift(PHQ9, rows(PHQ9, *means)).is_systematic


def test_half_of_the_forms_or_two_forms_are_no_sign():
    off, right = ({"phq9_01": 2}, 11), ({"phq9_01": 2}, 2)
    assert not shift(PHQ9, rows(PHQ9, off, off)).is_systematic
    assert not shift(PHQ9, rows(PHQ9, *[off] * 3, *[right] * 3)).is_systematic
    assert shift(PHQ9, rows(PHQ9, *[off] * 4, *[right] * 3)).is_systematic
    # not all in the same direction
    assert not shift(
        PHQ9, rows(PHQ9, off, off, ({"phq9_01": 3, "phq9_02": 3, "phq9_03": 3, "phq9_04": 1}, 1))
    ).is_systematic


def test_an_incomplete_form_says_nothing():
    begun = ({"phq9_01": 2, "phq9_02": None}, 11)
    assert shift(PHQ9, rows(PHQ9, begun, begun, begun)).n_compared == 0
