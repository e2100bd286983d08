"""Small numbers: what is withheld, row by row."""

import numpy as np
import pandas as pd
import pytest

from mbt_rom import disclosure, intervals
from mbt_rom.tables import BENCHMARK, COMPARED, RESPONSE

THRESHOLD = 10


def row(*, eligible=60, received=50, pairs=45, started=11, improved=12, worse=11, is_primary=True):
    """One row of the benchmark before disclosure control, with every number that these counts give rise to."""
    frame = {
        "programme_id": "a",
        "format": "other",
        "instrument": "bsi",
        "scale": "gsi",
        "moment": "m6",
        "is_provisional": False,
    }
    frame |= {"suppressed": "", "n_eligible": eligible, "n_received": received, "n_pairs": pairs, "mean_baseline": 1.5}
    frame |= {"mean_change": -0.2, "change_lower_95": -0.3, "change_upper_95": -0.1, "effect": 0.3}
    frame |= {"effect_lower_95": 0.1, "effect_upper_95": 0.5}
    if is_primary:
        frame |= {"n_classified": pairs, "n_started_in_reference_range": started}
        for word, count in (("improved", improved), ("worse", worse)):
            limits = intervals.wilson(count=count, n=pairs)
            frame |= dict(
                zip([f"{word}_share", f"{word}_lower_95", f"{word}_upper_95"], map(float, limits), strict=True)
            )
    response = (
        intervals.wilson(count=received, n=eligible if eligible is not None else np.nan) if eligible else [np.nan] * 3
    )
    names = ["response_share", "response_lower_95", "response_upper_95"]
    frame |= dict(zip(names, map(float, response), strict=True))
    return BENCHMARK.conform(pd.DataFrame([frame]))


def shown(**counts):
    return disclosure.protect(row(**counts), threshold=THRESHOLD).iloc[0]


def test_large_enough_numbers_are_all_shown():
    assert shown()["suppressed"] == ""
    pd.testing.assert_frame_equal(disclosure.protect(row(), threshold=THRESHOLD), row(), check_dtype=False)


NUMBERS = [c.name for c in BENCHMARK.columns if c.dtype in ("Int64", "float64")]


@pytest.mark.parametrize(
    "counts",
    [
        {"eligible": 9, "received": 9, "pairs": 9},
        {"eligible": None, "received": 9, "pairs": 9},
        {"eligible": 0, "received": 0, "pairs": 0},
    ],
)
def test_under_the_threshold_the_whole_row_is_withheld(counts):
    found = shown(**counts, started=0, improved=0, worse=0)
    assert found["suppressed"] == "all"
    assert found[NUMBERS].isna().all()


def test_few_answers_of_many_are_withheld_but_not_how_many_were_asked():
    found = shown(eligible=40, received=9, pairs=5, started=0, improved=3, worse=1)
    assert found["n_eligible"] == 40
    assert found[[n for n in NUMBERS if n != "n_eligible"]].isna().all()
    assert set(found["suppressed"].split()) == set(NUMBERS) - {"n_eligible"}


def test_few_pairs_withhold_the_outcome_and_not_the_response():
    found = shown(pairs=9, started=0, improved=3, worse=1)
    assert found["n_received"] == 50
    assert found[["n_pairs", "mean_change", "effect", "improved_share", "n_classified"]].isna().all()


def test_a_nearly_complete_response_may_be_shown():
    assert shown(eligible=50, received=50)["response_share"] == 1.0


@pytest.mark.parametrize(("improved", "is_shown"), [(10, True), (9, False), (0, False), (25, True), (26, False)])
def test_a_share_is_shown_when_neither_it_nor_its_complement_is_small(improved, is_shown):
    """45 pairs; at 26 improved, 10 worse and 0 started the rest is 9, from which nobody else may be worked out."""
    counts = {"worse": 10, "started": 10} if improved == 10 else {"worse": 0, "started": 0}
    counts = {"worse": 10, "started": 10} if improved == 25 else counts
    found = shown(pairs=35 if improved == 26 else 55, improved=improved, **counts)
    assert pd.notna(found["improved_share"]) == is_shown
    assert ("improved_share" in found["suppressed"]) != is_shown
    assert pd.isna(found["improved_lower_95"]) != is_shown


def test_a_single_small_count_takes_another_with_it():
    """45 pairs = 20 improved + 14 worse + 11 started + 0 without change: that nobody stayed the same must not follow."""
    found = shown(improved=20, worse=14, started=11)
    assert pd.isna(found["n_started_in_reference_range"])
    assert found["suppressed"] == "n_started_in_reference_range"
    assert found[["improved_share", "worse_share"]].notna().all()


def test_what_is_withheld_has_one_name_whether_it_was_nothing_or_a_few():
    none, few = (shown(improved=n, worse=12, started=12)["suppressed"] for n in (0, 9))
    assert none == few


def test_scales_without_categories_do_not_call_them_withheld():
    assert "improved_share" not in shown(is_primary=False, pairs=5)["suppressed"]


def test_a_total_is_shown_only_when_every_part_is():
    table = pd.DataFrame(
        {"scale": ["gsi", "gsi", "pst", "pst"], "value_set_id": [None] * 4, "suppressed": ["", "worse_share", "", ""]}
    )
    assert disclosure.total_may_be_shown(table, by=["scale", "value_set_id"]).tolist() == [False, False, True, True]


def response(**counts):
    counts = {"n_started": 60, "n_not_yet_due": 20, "n_not_eligible": 0, "n_eligible": 40, "n_received": 30} | counts
    frame = pd.DataFrame([{"programme_id": "a", "instrument": "bsi", "moment": "m6", "response_share": 0.75} | counts])
    return disclosure.protect_response(RESPONSE.conform(frame), threshold=THRESHOLD).iloc[0]


def test_few_deaths_are_withheld_with_the_numbers_they_follow_from():
    found = response(n_not_eligible=1, n_not_yet_due=19)
    assert found[["n_not_eligible", "n_not_yet_due"]].isna().all()
    assert found[["n_started", "n_eligible", "n_received"]].tolist() == [60, 40, 30]
    found = response(n_not_eligible=1, n_not_yet_due=0, n_started=41)
    assert found[["n_not_eligible", "n_not_yet_due", "n_started"]].isna().all()


def test_few_answers_are_withheld_from_the_response():
    assert response(n_received=9)[["n_received", "response_share"]].isna().all()
    assert response(n_received=3, n_eligible=9, n_not_yet_due=51)["suppressed"] == "all"
    assert (
        response(n_received=3, n_eligible=None, n_started=None, n_not_yet_due=None, n_not_eligible=None)["suppressed"]
        == "all"
    )


WHY_NOT = [
    "n_never_recorded",
    "n_withdrawn",
    "n_not_yet",
    "n_representative_no_longer_decides",
    "n_representative_missing",
]


def included(started, *why_not, has_register=True):
    """Who is compared as it is published, of so many who started, with these counts of `WHY_NOT`."""
    counts = [*why_not, *[0] * (len(WHY_NOT) - len(why_not))]
    permitted = started - sum(counts)
    share, lower, upper = (float(x) for x in intervals.wilson(count=permitted, n=started))
    row = {
        "programme_id": "a", "format": "other", "suppressed": "", "has_register": has_register, "n_started": started,
        "n_permitted": permitted, "permitted_share": share, "permitted_lower_95": lower, "permitted_upper_95": upper,
        **dict(zip(WHY_NOT, counts, strict=True)),
    }  # fmt: skip
    return disclosure.protect_inclusion(COMPARED.conform(pd.DataFrame([row])), threshold=THRESHOLD).iloc[0]


def test_how_many_are_not_compared_is_shown_and_few_reasons_are_not():
    found = included(62, 4, 2)
    assert found[["n_started", "n_permitted"]].tolist() == [62, 56]
    assert found["permitted_share"] == pytest.approx(56 / 62)
    assert found[WHY_NOT].isna().all()
    assert set(found["suppressed"].split()) == set(WHY_NOT)


def test_reasons_of_many_are_shown_and_the_others_cannot_be_told_apart():
    found = included(100, 15, 12, 4, 5)
    assert found[["n_never_recorded", "n_withdrawn"]].tolist() == [15, 12]
    assert found[WHY_NOT[2:]].isna().all()
    one = included(100, 15, 4)
    assert one[["n_never_recorded", "n_withdrawn"]].isna().all(), "15 of 19 would tell the four"


@pytest.mark.parametrize(("started", "why_not", "shown"), [(9, (1,), []), (30, (15, 6), ["n_started"])])
def test_few_who_started_or_are_compared_are_withheld_with_all_that_would_tell_them(started, why_not, shown):
    found = included(started, *why_not)
    counts = ["n_started", "n_permitted", *WHY_NOT]
    assert [c for c in counts if pd.notna(found[c])] == shown
    assert pd.isna(found["permitted_share"])


def test_where_everybody_is_compared_or_no_register_came_nothing_is_left_to_hide():
    everybody, nobody = included(40), included(40, 40, has_register=False)
    assert (everybody["suppressed"], nobody["suppressed"]) == ("", "")
    assert everybody[WHY_NOT].tolist() == [0] * 5
    assert nobody[["n_permitted", *WHY_NOT]].tolist() == [0, 40, 0, 0, 0, 0]
