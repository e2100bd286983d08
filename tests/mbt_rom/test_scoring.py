"""The scoring kernel and the table of scores: edges that the fixtures of the instruments do not reach."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mbt_rom import scoring
from mbt_rom.model import Cutoff, Instrument
from mbt_rom.registry import instrument, value_set, with_key
from mbt_rom.scoring import MISSING, answers_of, beyond, cutoffs_crossed, possible_range, scale_scores, score
from mbt_rom.tables import items_table, scores_table

KEYS = Path(__file__).parents[1] / "instruments" / "keys"
#: Places of the eight octants, in degrees.
OCTANTS = (90, 135, 180, 225, 270, 315, 0, 45)


def made(items: list[dict[str, Any]], *scales: dict[str, Any], **more: Any) -> Instrument:
    """A questionnaire with these items and scales; the first scale is the primary one."""
    facts = {"name": "Q", "full_name": "Q", "edition": "1", "kind": "self_report", "measures": "nothing"}
    common = {"method": "sum", "range": [None, None], "direction": "lower_is_better", "confidence": "verified"}
    full = [{**common, "label": s["id"], "is_primary": place == 0, **s} for place, s in enumerate(scales)]
    whole = {"id": "q", **facts, "items": items, "codings": [], "scales": full, "licence": {"status": "free"}, **more}
    return Instrument.model_validate(whole)


def some_items(n_items: int, *, top: int | None = 4, low: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"q_{n:03d}", "number": str(n), "min": low, "max": top} for n in range(1, n_items + 1)]


def questionnaire(n_items: int, *, top: int | None = 4, low: int = 0, **scale: Any) -> Instrument:
    """A questionnaire with one scale over all its items, changed as asked."""
    items = some_items(n_items, top=top, low=low)
    return made(items, {"id": "total", "items": [item["id"] for item in items], **scale})


def forms(definition: Instrument, *rows: list[int | None]) -> dict[str, np.ndarray]:
    columns = zip(*rows, strict=True)
    return {
        item.id: np.array(
            [MISSING if answer is None else answer for answer in column], dtype=np.int16 if item.is_wide else np.int8
        )
        for item, column in zip(definition.items, columns, strict=True)
    }


def scores_of(definition: Instrument, *rows: list[int | None], scale: str = "total") -> list[float]:
    return scale_scores(definition, forms(definition, *rows)).scores[scale].tolist()


def approx(*expected: float | None) -> Any:
    """Those scores; None where there is to be none."""
    return pytest.approx([math.nan if e is None else e for e in expected], rel=1e-13, abs=1e-13, nan_ok=True)


class TestWrapping:
    """Sums of int8 wrap at 128 without a word."""

    @pytest.mark.parametrize(("n_items", "top"), [(53, 4), (31, 4), (32, 4), (338, 1), (2, 100), (400, 100)])
    def test_all_answers_at_their_largest(self, n_items: int, top: int) -> None:
        assert scores_of(questionnaire(n_items, top=top), [top] * n_items) == [n_items * top]

    def test_more_answers_than_int8_can_count(self) -> None:
        definition = questionnaire(200, top=1, method="mean")
        assert scores_of(definition, [1] * 200) == [1]
        answered = scale_scores(definition, forms(definition, [1] * 200)).n_answered("total")
        assert answered.tolist() == [200]
        assert answered.dtype == np.int16


class TestReverse:
    """Reversed value = min + max - x."""

    def test_sum_of_one_to_five_with_the_last_two_reversed(self) -> None:
        definition = questionnaire(4, low=1, top=5, reverse=["q_003", "q_004"])
        assert scores_of(definition, [1, 2, 4, 5], [5, 5, 1, 1], [3, 3, 3, 3]) == [1 + 2 + 2 + 1, 20, 12]

    def test_missing_reversed_item_adds_nothing(self) -> None:
        rule = {"rule": "prorate", "max_missing": 1}
        definition = questionnaire(4, low=1, top=5, reverse=["q_003", "q_004"], missing=rule)
        # 1 + 2 + (6 - 4) = 5 over three answers; times 4 / 3
        assert scores_of(definition, [1, 2, 4, None]) == [pytest.approx(20 / 3)]

    def test_count_at_a_threshold_turns_the_answer_round_first(self) -> None:
        definition = questionnaire(3, method="count_at_least", threshold=3, reverse=["q_003"])
        # reversed answers of item 3: 4, 1, 3, 2
        assert scores_of(definition, [0, 0, 0], [3, 4, 3], [2, 3, 1], [4, 2, 2]) == [1, 2, 2, 1]

    def test_missing_reversed_item_is_never_counted(self) -> None:
        rule = {"rule": "person_mean", "max_missing": 1}
        definition = questionnaire(2, method="count_at_least", threshold=1, reverse=["q_002"], missing=rule)
        assert scores_of(definition, [1, None]) == [1]


class TestMethods:
    """Each method on answers whose score can be worked out on paper."""

    def test_mean_with_and_without_a_blank(self) -> None:
        definition = questionnaire(4, method="mean", missing={"rule": "person_mean", "max_missing": 1})
        # (0 + 1 + 3 + 4) / 4 = 2; (1 + 3 + 4) / 3; two blanks are one too many
        assert scores_of(definition, [0, 1, 3, 4], [None, 1, 3, 4], [None, None, 3, 4]) == approx(2, 8 / 3, None)

    def test_sum_without_a_rule_is_not_made_up(self) -> None:
        assert scores_of(questionnaire(3), [1, 2, 3], [1, 2, None]) == approx(6, None)

    def test_a_limit_that_stands_beside_the_rule_complete_is_none(self) -> None:
        definition = questionnaire(3, missing={"rule": "complete", "max_missing": 2})
        assert scores_of(definition, [1, 2, None]) == approx(None)

    def test_a_form_without_any_answer_has_no_score_whatever_may_be_missing(self) -> None:
        for rule in ("prorate", "person_mean", "answered", "rounded_item_mean"):
            definition = questionnaire(2, missing={"rule": rule, "max_missing": 2})
            assert scores_of(definition, [None, None], [1, None]) == approx(None, 1 if rule == "answered" else 2)

    def test_rounded_item_mean_is_rounded_half_up(self) -> None:
        """OQ-45: a blank becomes the mean of the others, to the nearest whole number."""
        definition = questionnaire(4, missing={"rule": "rounded_item_mean", "max_missing": 2})
        # 1, 2: mean 1.5 -> 2, twice: 3 + 4 = 7. 2, 3: 2.5 -> 3 (not 2, as half to even would have it): 5 + 6 = 11.
        # 0, 1, 0: 1/3 -> 0: 1. 1, 1, 3: 5/3 -> 2: 7.
        rows = [[1, 2, None, None], [2, 3, None, None], [0, 1, 0, None], [1, 1, None, 3], [1, None, None, None]]
        assert scores_of(definition, *rows) == approx(7, 11, 1, 7, None)

    def test_rounded_item_mean_of_reversed_answers(self) -> None:
        definition = questionnaire(3, reverse=["q_003"], missing={"rule": "rounded_item_mean", "max_missing": 1})
        # 4 - 0 = 4; 4 and 1: mean 2.5 -> 3; 5 + 3 = 8
        assert scores_of(definition, [1, None, 0]) == approx(8)

    def test_by_parts_adds_the_completed_parts(self) -> None:
        first, second = ["q_001", "q_002", "q_003"], ["q_004", "q_005"]
        rule = {"rule": "prorate", "max_missing": 1}
        definition = made(
            some_items(5),
            {
                "id": "total",
                "items": first + second,
                "missing": {"rule": "by_parts", "max_missing": 1, "parts": ["a", "b"]},
            },
            {"id": "a", "items": first, "missing": rule},
            {"id": "b", "items": second, "missing": rule},
        )
        # (1 + 1) x 3/2 + 8 = 11 against 10 x 5/4 = 12.5. A blank in each part is one too many in all.
        assert scores_of(definition, [1, 1, None, 4, 4], [1, 1, None, None, 4], [1, None, None, 4, 4]) == approx(
            11, None, None
        )
        assert scores_of(definition, [1, 1, None, None, 4], scale="b") == approx(8)

    def test_the_limit_of_a_part_is_counted_over_the_whole(self) -> None:
        part = {"rule": "rounded_item_mean", "max_missing": 2, "counted_over": "total"}
        definition = made(
            some_items(6),
            {"id": "total", "items": [f"q_00{n}" for n in range(1, 7)]},
            {"id": "part", "items": ["q_001", "q_002", "q_003"], "missing": part},
        )
        rows = [
            [2, None, None, 0, 0, 0],  # two blanks in all: 2 + 2 + 2
            [2, 1, None, 0, None, 0],  # two blanks in all, one here: mean 1.5 -> 2
            [2, 1, 0, None, None, None],  # none here, three in all
            [None, None, None, 0, 0, 0],  # three in all, nothing here
        ]
        assert scores_of(definition, *rows, scale="part") == approx(6, 5, None, None)

    def test_a_part_without_an_answer_has_no_score_though_the_whole_has_few_blanks(self) -> None:
        part = {"rule": "rounded_item_mean", "max_missing": 2, "counted_over": "total"}
        definition = made(
            some_items(4),
            {"id": "total", "items": ["q_001", "q_002", "q_003", "q_004"]},
            {"id": "part", "items": ["q_001"], "missing": part},
        )
        assert scores_of(definition, [None, 1, 1, 1], [3, None, None, 1], scale="part") == approx(None, 3)

    def test_answered_adds_what_is_there(self) -> None:
        definition = questionnaire(4, top=1, missing={"rule": "answered", "max_missing": 2})
        assert scores_of(definition, [1, 1, None, None], [1, 0, 1, None], [1, None, None, None]) == approx(2, 2, None)

    def test_count_at_least_and_at_most_take_the_threshold_in(self) -> None:
        answers = [[0, 1, 2, 3], [2, 2, 2, 2], [1, 1, 3, 3], [0, None, 0, 0]]
        least, most = (questionnaire(4, method=f"count_at_{end}", threshold=2) for end in ("least", "most"))
        assert scores_of(least, *answers) == approx(2, 4, 2, None)
        assert scores_of(most, *answers) == approx(3, 4, 2, None)

    def test_count_at_most_of_reversed_answers_and_never_of_blanks(self) -> None:
        rule = {"rule": "answered", "max_missing": 1}
        definition = questionnaire(3, method="count_at_most", threshold=1, reverse=["q_003"], missing=rule)
        # reversed answers of item 3: 4 - 3 = 1 counts, 4 - 2 = 2 does not
        assert scores_of(definition, [1, 2, 3], [1, 2, 2], [None, 1, 3], [1, 1, None]) == approx(2, 1, 2, 2)

    def test_any_at_least_of_a_complete_form(self) -> None:
        definition = questionnaire(3, method="any_at_least", threshold=3)
        assert scores_of(definition, [2, 2, 2], [2, 3, 2], [3, 4, None]) == approx(0, 1, None)

    def test_any_at_least_of_what_was_answered_is_never_a_no(self) -> None:
        definition = questionnaire(
            3, method="any_at_least", threshold=1, missing={"rule": "answered", "max_missing": 2}
        )
        assert scores_of(definition, [1, None, None], [0, None, 0], [0, 0, 0], [None] * 3) == approx(1, None, 0, None)

    def test_distress_index_is_the_mean_of_what_is_at_or_above_the_threshold(self) -> None:
        definition = questionnaire(4, method="distress_index", threshold=1)
        # (1 + 2 + 4) / 3; nothing reported, no index; a blank, no index
        assert scores_of(definition, [0, 1, 2, 4], [0, 0, 0, 0], [None, 1, 2, 4]) == approx(7 / 3, None, None)

    def test_weighted_by_prices_and_by_a_negative_weight(self) -> None:
        """Prices of the Dutch costing manual 2024, price year 2022: GP 30.87, emergency department 258."""
        weights = {"q_001": 30.87, "q_002": 258, "q_003": -1}
        definition = questionnaire(3, method="weighted", weights=weights)
        # 2 x 30.87 + 1 x 258 - 3 = 316.74
        assert scores_of(definition, [2, 1, 3], [2, None, 3]) == approx(316.74, None)

    def test_answer_key_counts_the_right_ones(self) -> None:
        key = {"q_001": 1, "q_002": 4, "q_003": 2}
        definition = questionnaire(3, low=1, method="answer_key", answer_key=key)
        assert scores_of(definition, [1, 4, 2], [1, 4, 3], [2, 1, 4], [1, None, 2]) == approx(3, 2, 0, None)

    def test_answer_key_under_the_rule_answered_takes_a_blank_for_neither(self) -> None:
        rule = {"rule": "answered", "max_missing": 1}
        definition = questionnaire(2, low=1, method="answer_key", answer_key={"q_001": 1, "q_002": 4}, missing=rule)
        assert scores_of(definition, [1, None], [None, 3]) == approx(1, 0)

    def test_rate_per_month_covered(self) -> None:
        items = [
            {"id": "q_acts", "number": "acts", "min": 0},
            {"id": "q_months", "number": "months", "min": 0, "max": 60},
        ]
        definition = made(items, {"id": "total", "items": ["q_acts"], "method": "rate", "exposure": "q_months"})
        # 9 acts in 6 months; none in 6; a thousand in 12; unknown acts; unknown months; no month
        rows = [[9, 6], [0, 6], [1000, 12], [None, 6], [9, None], [9, 0], [0, 0]]
        assert scores_of(definition, *rows) == approx(1.5, 0, 1000 / 12, None, None, None, None)

    def test_mean_of_scales_before_they_are_rounded(self) -> None:
        parts = {"a": ["q_001", "q_002"], "b": ["q_003", "q_004"]}
        definition = made(
            some_items(4),
            {"id": "total", "scales": ["a", "b"], "method": "mean_of_scales", "decimals": 1},
            *({"id": i, "items": items, "method": "mean", "decimals": 0} for i, items in parts.items()),
        )
        # (0.5 + 3.5) / 2 = 2; halves to even make of the parts 0 and 4. (1.5 + 1) / 2 = 1.25 -> 1.2; rounded first: 1.5
        rows = [[0, 1, 3, 4], [1, 2, 1, 1], [1, 2, None, 4]]
        assert scores_of(definition, *rows) == approx(2, 1.2, None)
        assert scores_of(definition, *rows, scale="a") == approx(0, 2, 2)

    def test_ipsatised_octant_is_its_sum_less_its_items_times_the_mean_of_all(self) -> None:
        definition = made(
            some_items(8),
            {"id": "total", "scales": ["octant", "level"], "method": "ipsatised"},
            {"id": "octant", "items": ["q_001", "q_002"], "decimals": 0},
            {"id": "level", "items": [f"q_00{n}" for n in range(1, 9)], "method": "mean", "decimals": 0},
        )
        # 3 + 4 - 2 x 13/8 = 3.75; equal answers to all: 0
        rows = [[3, 4, 1, 1, 1, 1, 1, 1], [2] * 8, [3, 4, None, 1, 1, 1, 1, 1]]
        assert scores_of(definition, *rows) == approx(3.75, 0, None)

    def test_a_dyad_of_answers_at_45_degrees_lies_between_the_axes(self) -> None:
        definition = circumplex(items_each=1)
        # 2/8 x 4 x cos 45 = 1/sqrt 2 on both; all at 90: 2/8 x 4 = 1 and exactly nothing on the other
        rows = [octant_answers(45, 4), octant_answers(90, 4), octant_answers(225, 2), [3] * 8]
        half = math.sqrt(0.5)
        assert scores_of(definition, *rows, scale="love") == approx(half, 0, -half / 2, 0)
        assert scores_of(definition, *rows, scale="dominance") == approx(half, 1, -half / 2, 0)
        assert scores_of(definition, rows[1], scale="love") == [0]

    def test_an_axis_takes_the_mean_answer_of_octants_with_several_items(self) -> None:
        definition = circumplex(items_each=2)
        row = [0] * 16
        row[14:] = [1, 4]  # the last octant, at 45 degrees: mean 2.5
        assert scores_of(definition, row, scale="love") == approx(0.25 * 2.5 * math.sqrt(0.5))
        assert scores_of(definition, [None, *row[1:]], scale="love") == approx(None)

    def test_not_published_is_never_a_score(self) -> None:
        definition = made(
            some_items(2), {"id": "total", "method": "not_published", "scales": ["a"]}, {"id": "a", "items": ["q_001"]}
        )
        assert scores_of(definition, [1, 1], [4, 4]) == approx(None, None)
        assert scores_of(definition, [1, 1], [4, 4], scale="a") == approx(1, 4)

    def test_recode_goes_before_sum_mean_and_counts(self) -> None:
        """RFQ-8 style: answers from 1 to 7 become 3 2 1 0 0 0 0."""
        items = [f"q_00{n}" for n in (1, 2)]
        recode = {
            "default": {1: 3, 2: 2, 3: 1, 4: 0, 5: 0, 6: 0, 7: 0},
            "items": {"q_002": {n: n - 1 for n in range(1, 8)}},
        }
        rows: list[list[int | None]] = [[1, 1], [3, 7], [7, 4], [None, 2]]
        expected = {
            ("sum", None): (3, 7, 3, None),
            ("mean", None): (1.5, 3.5, 1.5, None),
            ("count_at_least", 3): (1, 1, 1, None),
            ("count_at_most", 0): (1, 0, 1, None),
            ("any_at_least", 6): (0, 1, 0, None),
            ("distress_index", 1): (3, 3.5, 3, None),
        }
        for (method, threshold), scores in expected.items():
            scale = {"id": "total", "items": items, "method": method, "threshold": threshold, "recode": recode}
            assert scores_of(made(some_items(2, low=1, top=7), scale), *rows) == approx(*scores), method

    def test_a_blank_is_not_recoded_and_not_counted(self) -> None:
        rule = {"rule": "person_mean", "max_missing": 1}
        recode = {"default": {0: 4, 1: 3, 2: 2, 3: 1, 4: 0}}
        assert scores_of(questionnaire(2, recode=recode, missing=rule), [None, 1]) == approx(6)
        counted = questionnaire(2, recode=recode, missing=rule, method="count_at_least", threshold=0)
        assert scores_of(counted, [None, 1]) == approx(1)

    @pytest.mark.parametrize(
        ("answers", "expected"),
        [
            ([2, 2, 2, 2, 2, 0, 0, 0, 0], 1),  # five, the first two among them
            ([2, 0, 2, 2, 2, 0, 0, 0, 0], 0),  # four
            ([2, 0, 2, 2, 2, 0, 0, 0, 1], 1),  # the ninth counts from 1 on
            ([0, 2, 2, 2, 2, 0, 0, 0, 1], 1),
            ([2, 0, 2, 2, 2, 0, 0, 1, 0], 0),  # the eighth does not
            ([1, 1, 2, 2, 2, 2, 2, 2, 3], 0),  # seven, but neither of the first two
            ([3, 3, 3, 3, 3, 3, 3, 3, 3], 1),
            ([2, 2, 2, 2, 2, 2, 2, 2, None], None),
        ],
    )
    def test_major_depression_of_the_phq9(self, answers: list[int | None], expected: float | None) -> None:
        """Five of nine at 2 or above, the ninth from 1 on, with the first or the second (Kroenke and Spitzer 2002)."""
        assert scores_of(instrument("phq9"), [*answers, None], scale="major_depression") == approx(expected)

    def test_profile_has_the_levels_for_digits(self) -> None:
        rows: list[list[int | None]] = [[1, 2, 3, 4, 5, 50], [5, 5, 5, 5, 5, None], [1, 1, None, 1, 1, 50]]
        assert scores_of(instrument("eq5d5l"), *rows, scale="profile") == approx(12345, 55555, None)

    def test_decimals_are_those_of_the_scale(self) -> None:
        thirds = [[1, 0, 0], [1, 1, 0]]
        for decimals, expected in ((0, (0, 1)), (1, (0.3, 0.7)), (2, (0.33, 0.67)), (None, (1 / 3, 2 / 3))):
            assert scores_of(questionnaire(3, method="mean", decimals=decimals), *thirds) == approx(*expected)


def circumplex(*, items_each: int) -> Instrument:
    """Eight octants and the two axes through them."""
    items = some_items(8 * items_each)
    octants = [
        {"id": f"o{angle}", "angle": angle, "items": [i["id"] for i in items[n * items_each : (n + 1) * items_each]]}
        for n, angle in enumerate(OCTANTS)
    ]
    axes = [
        {"id": name, "angle": angle, "method": "axis", "scales": [o["id"] for o in octants]}
        for name, angle in (("love", 0), ("dominance", 90))
    ]
    return made(items, *octants, *axes)


def octant_answers(angle: int, answer: int) -> list[int | None]:
    """One answer to the octant at that place, none of it elsewhere."""
    return [answer if place == angle else 0 for place in OCTANTS]


class TestCounts:
    """Counts without a limit are int16, and the sums of them wider."""

    def test_counts_beyond_eight_and_sixteen_bits(self) -> None:
        definition = questionnaire(3, top=None)
        assert scores_of(definition, [128, 200, 0], [32_767] * 3, [None, 200, 0]) == approx(328, 98_301, None)

    def test_a_mean_of_counts_is_not_that_of_wrapped_ones(self) -> None:
        assert scores_of(questionnaire(2, top=None, method="mean"), [30_000, 30_000]) == [30_000]

    def test_counts_may_come_as_int8_where_they_fit(self) -> None:
        definition = questionnaire(2, top=None)
        columns = {"q_001": np.array([100, MISSING], np.int8), "q_002": np.array([100, 1000], np.int16)}
        assert scale_scores(definition, columns).scores["total"].tolist() == approx(200, None)

    def test_a_negative_count_is_refused(self) -> None:
        with pytest.raises(ValueError, match="q_001 holds answers outside 0 or more"):
            scores_of(questionnaire(1, top=None), [-1])

    def test_a_wide_answer_above_its_limit_is_refused_and_blanks_alone_are_not(self) -> None:
        definition = questionnaire(1, top=300)
        with pytest.raises(ValueError, match="outside 0 to 300"):
            scores_of(definition, [301])
        assert scores_of(definition, [300], [0]) == [300, 0]
        assert scores_of(definition, [None]) == approx(None)

    def test_an_answer_of_eight_bits_does_not_come_in_sixteen(self) -> None:
        with pytest.raises(TypeError, match="q_001"):
            scale_scores(questionnaire(1), {"q_001": np.zeros(1, np.int16)})

    def test_counts_at_a_threshold_of_more_than_eight_bits(self) -> None:
        definition = questionnaire(2, top=None, method="count_at_least", threshold=200)
        assert scores_of(definition, [199, 200], [127, 20_000], [0, 0]) == [1, 1, 0]

    def test_a_no_before_a_blank_count_is_none_and_needs_the_column_of_the_question(self) -> None:
        items = [
            {"id": "q_any", "number": "any", "min": 0, "max": 1, "is_scored": False},
            {"id": "q_visits", "number": "visits", "min": 0, "gate": "q_any"},
        ]
        definition = made(items, {"id": "total", "items": ["q_visits"]})
        assert scores_of(definition, [0, None], [1, None], [None, None], [0, 7]) == approx(0, None, None, 7)
        alone = {"q_visits": np.array([MISSING, 7], np.int16)}
        assert scale_scores(definition, alone).scores["total"].tolist() == approx(None, 7)
        assert alone["q_visits"].tolist() == [MISSING, 7]


class TestPossibleRange:
    """Lowest and highest score, had the missing items been answered either way."""

    def limits(self, definition: Instrument, *rows: list[int | None], scale: str = "total") -> tuple[Any, Any]:
        lowest, highest = possible_range(scale_scores(definition, forms(definition, *rows)), scale)
        return lowest.tolist(), highest.tolist()

    def test_sum_with_an_item_turned_round(self) -> None:
        definition = questionnaire(3, low=1, top=5, reverse=["q_003"])
        # 2 + 3 and a blank reversed item: from 1 to 5. A blank item 1: 3 + (6 - 5) and from 1 to 5.
        lowest, highest = self.limits(definition, [2, 3, None], [None, 3, 5], [2, 3, 4], [None] * 3)
        assert lowest == approx(6, 5, 7, None)
        assert highest == approx(10, 9, 7, None)

    def test_weights_of_either_sign_with_and_without_recoding(self) -> None:
        weights = {"q_001": 2, "q_002": -3}
        plain = questionnaire(2, method="weighted", weights=weights)
        recoded = questionnaire(
            2, method="weighted", weights=weights, recode={"default": {0: 9, 1: 5, 2: 5, 3: 5, 4: 1}}
        )
        # 2 x (0..4) - 3 x 1; 2 x 1 - 3 x (0..4)
        assert self.limits(plain, [None, 1], [1, None]) == (approx(-3, -10), approx(5, 2))
        # 2 x (1..9) - 3 x 5; 2 x 5 - 3 x (1..9)
        assert self.limits(recoded, [None, 1], [1, None]) == (approx(-13, -17), approx(3, 7))

    def test_a_blank_count_leaves_the_lowest_cost_known(self) -> None:
        definition = questionnaire(2, top=None, method="weighted", weights={"q_001": 10, "q_002": 1})
        assert self.limits(definition, [7, None], [None, 7], [7, 7]) == (approx(70, 7, 77), approx(None, None, 77))

    def test_a_blank_count_with_a_negative_weight_leaves_the_highest_known(self) -> None:
        definition = questionnaire(2, top=None, method="weighted", weights={"q_001": 10, "q_002": -1})
        assert self.limits(definition, [7, None]) == (approx(None), approx(70))

    def test_a_blank_count_makes_at_most_one_more_of_those_that_reach_a_threshold(self) -> None:
        counted = questionnaire(3, top=None, method="count_at_least", threshold=5)
        few = questionnaire(3, top=None, method="count_at_most", threshold=5)
        any_one = questionnaire(3, top=None, method="any_at_least", threshold=5)
        rows: list[list[int | None]] = [[9, 1, None], [1, 1, None], [None, None, 9]]
        assert self.limits(counted, *rows) == (approx(1, 0, 1), approx(2, 1, 3))
        assert self.limits(few, *rows) == (approx(1, 2, 0), approx(2, 3, 2))
        assert self.limits(any_one, *rows) == (approx(1, 0, 1), approx(1, 1, 1))

    def test_answer_key_where_the_first_answer_is_the_right_one(self) -> None:
        key = {"q_001": 1, "q_002": 4}
        definition = questionnaire(2, low=1, method="answer_key", answer_key=key)
        assert self.limits(definition, [None, 4], [1, None], [2, None]) == (approx(1, 1, 0), approx(2, 2, 1))

    def test_mean_of_scales_with_a_blank_in_one_of_them(self) -> None:
        definition = made(
            some_items(4),
            {"id": "total", "scales": ["a", "b"], "method": "mean_of_scales"},
            {"id": "a", "items": ["q_001", "q_002"], "reverse": ["q_002"], "method": "mean"},
            {"id": "b", "items": ["q_003", "q_004"], "method": "count_at_most", "threshold": 0},
        )
        # a: (2 + (4 - 0..4)) / 2 from 1 to 3 and b = 1: means 1 and 2. a = 3 and b from 1 to 2.
        assert self.limits(definition, [2, None, 0, 3], [2, 0, 0, None]) == (approx(1, 2), approx(2, 2.5))

    def test_a_wrong_answer_is_one_that_can_be_given_where_there_are_only_two(self) -> None:
        definition = questionnaire(2, top=1, method="answer_key", answer_key={"q_001": 0, "q_002": 1})
        assert self.limits(definition, [None, 1], [0, None]) == (approx(1, 1), approx(2, 2))

    def test_a_scale_of_scales_of_scales_is_filled_at_the_bottom(self) -> None:
        definition = made(
            some_items(3),
            {"id": "total", "scales": ["middle", "b"], "method": "mean_of_scales"},
            {"id": "middle", "scales": ["a"], "method": "mean_of_scales"},
            {"id": "a", "items": ["q_001", "q_002"], "reverse": ["q_001"], "method": "mean"},
            {"id": "b", "items": ["q_003"], "method": "single"},
        )
        # a: ((4 - 0..4) + 2) / 2 from 1 to 3; with b = 3: (1 + 3) / 2 and (3 + 3) / 2
        assert self.limits(definition, [None, 2, 3]) == (approx(2), approx(3))

    def test_a_limit_counted_over_another_scale_does_not_bind_the_filled_form(self) -> None:
        part = {"rule": "rounded_item_mean", "max_missing": 1, "counted_over": "total"}
        definition = made(
            some_items(4),
            {"id": "total", "items": ["q_001", "q_002", "q_003", "q_004"]},
            {"id": "part", "items": ["q_001", "q_002"], "missing": part},
        )
        rows: list[list[int | None]] = [[3, None, None, None]]
        assert scores_of(definition, *rows, scale="part") == approx(None)
        assert self.limits(definition, *rows, scale="part") == (approx(3), approx(7))

    def test_utilities_fall_with_every_level(self) -> None:
        """UK 1997: 11111 is 1; 11113 is 1 - 0.081 - 0.236 - 0.269 = 0.414 (Dolan 1997)."""
        eq5d = instrument("eq5d3l")
        result = scale_scores(eq5d, forms(eq5d, [1, 1, 1, 1, None, 80]), value_set=value_set("uk_1997"))
        assert [limit.tolist() for limit in possible_range(result, "index")] == [[0.414], [1.0]]

    @pytest.mark.parametrize("method", ["profile", "rate", "ipsatised", "axis", "distress_index"])
    def test_methods_without_limits_give_none_for_a_form_with_gaps(self, method: str) -> None:
        definition, scale = {
            "profile": (instrument("eq5d3l"), "profile"),
            "rate": (instrument("sshi"), "suicidal_acts_rate"),
            "ipsatised": (instrument("iip32"), "ips_de_cold"),
            "axis": (circumplex(items_each=1), "love"),
            "distress_index": (instrument("bsi"), "psdi"),
        }[method]
        first = definition.items_of(definition.scale(scale))[0]
        row: list[int | None] = [None if item.id == first else 1 for item in definition.items]
        assert self.limits(definition, row, scale=scale) == (approx(None), approx(None))

    def test_a_scale_without_a_key_has_no_limits(self) -> None:
        rfq = instrument("rfq54")
        assert self.limits(rfq, [1] * 54, [None] + [1] * 53, scale="rfq_u") == (approx(None, None), approx(None, None))

    def test_the_answers_are_left_as_they_were(self) -> None:
        definition = questionnaire(2)
        result = scale_scores(definition, forms(definition, [1, None]))
        possible_range(result, "total")
        assert result.answers["q_002"].tolist() == [MISSING]
        assert result.scores["total"].tolist() == approx(None)


class TestCutoffsCrossed:
    def crossed(self, lowest: list[float], highest: list[float], *cutoffs: tuple[str, float]) -> list[str | None]:
        named = [
            {"id": f"c{place}", "scale": "total", "op": op, "value": value, "meaning": "m", "confidence": "verified"}
            for place, (op, value) in enumerate(cutoffs)
        ]
        others = [
            {**named[0], "id": "elsewhere", "scale": "other"},
            {**named[0], "id": "of_t_scores", "metric": "t"},
        ]
        definition = made(
            some_items(1),
            {"id": "total", "items": ["q_001"]},
            {"id": "other", "items": ["q_001"]},
            cutoffs=[*others, *named],
        )
        return cutoffs_crossed(definition, definition.scale("total"), np.array(lowest), np.array(highest)).tolist()

    def test_at_or_above(self) -> None:
        # the limit that reaches the cut-off has crossed it; two of them are both named
        lowest, highest = [8, 9, 10, 8, 12], [9, 10, 12, 11, 14]
        assert self.crossed(lowest, highest, (">=", 10)) == [None, "c0", None, "c0", None]
        assert self.crossed([8], [12], (">=", 10), (">=", 12), (">=", 13)) == ["c0 c1"]

    def test_below(self) -> None:
        assert self.crossed([8, 10, 9.5], [9, 12, 10], ("<", 10)) == [None, None, "c0"]

    def test_one_value_lies_between_or_is_one_of_two_different_limits(self) -> None:
        assert self.crossed([0, 0, 2, 1, 2], [1, 3, 3, 2, 2], ("==", 2)) == [None, "c0", "c0", "c0", None]

    def test_one_unknown_limit_is_an_infinite_one_and_two_say_nothing(self) -> None:
        nan = math.nan
        lowest, highest = [5, 15, nan, nan, nan], [nan, nan, 5, 15, nan]
        for op in (">=", "<", "=="):
            assert self.crossed(lowest, highest, (op, 10)) == ["c0", None, None, "c0", None], op

    @pytest.mark.parametrize(
        ("op", "expected"),
        [(">=", [False, True, True, False]), ("<", [True, False, False, False]), ("==", [False, True, False, False])],
    )
    def test_which_side_of_a_cutoff_a_score_is_on(self, op: str, expected: list[bool]) -> None:
        cutoff = Cutoff.model_validate(
            {"id": "c", "scale": "total", "op": op, "value": 10, "meaning": "m", "confidence": "verified"}
        )
        assert beyond(np.array([9.9, 10, 10.1, math.nan]), cutoff).tolist() == expected


class TestBlocks:
    """Rows are taken in blocks; the borders leave no trace."""

    def test_forms_around_the_border_of_a_block(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(scoring, "BLOCK", 3)
        assert scores_of(questionnaire(1), *[[n % 5] for n in range(8)]) == [0, 1, 2, 3, 4, 0, 1, 2]

    def test_no_forms_no_scores(self) -> None:
        definition = instrument("bsi")
        nobody = {item: np.zeros(0, dtype=np.int8) for item in definition.item_ids}
        assert {len(scores) for scores in scale_scores(definition, nobody).scores.values()} == {0}


class TestRefusals:
    def test_answer_above_the_range_is_named_by_its_item_alone(self) -> None:
        with pytest.raises(ValueError, match="q_002 holds answers outside 0 to 4") as caught:
            scores_of(questionnaire(2), [0, 77])
        assert "77" not in str(caught.value)

    def test_answer_below_the_range(self) -> None:
        with pytest.raises(ValueError, match="q_001"):
            scores_of(questionnaire(2, low=1, top=5), [0, 1])

    def test_item_without_a_column(self) -> None:
        with pytest.raises(KeyError, match="q_002"):
            scale_scores(questionnaire(2), {"q_001": np.zeros(1, np.int8)})

    def test_another_type_than_int8(self) -> None:
        with pytest.raises(TypeError, match="q_001"):
            scale_scores(questionnaire(1), {"q_001": np.zeros(1)})  # type: ignore[dict-item]

    def test_columns_of_different_length(self) -> None:
        with pytest.raises(ValueError, match="number of rows"):
            scale_scores(questionnaire(2), {"q_001": np.zeros(1, np.int8), "q_002": np.zeros(2, np.int8)})

    def test_a_utility_without_a_value_set(self) -> None:
        definition = questionnaire(5, low=1, top=3, method="value_set")
        with pytest.raises(ValueError, match="scale 'total' needs a value set"):
            scores_of(definition, [1, 1, 1, 1, 1])

    def test_value_set_of_another_edition(self) -> None:
        definition = instrument("eq5d3l")
        with pytest.raises(ValueError, match="eq5d5l"):
            scale_scores(definition, forms(definition, [1, 1, 1, 1, 1, 80]), value_set=value_set("nl_2016"))


def items_frame(definition: Instrument, *rows: list[int | None]) -> pd.DataFrame:
    n = len(rows)
    answers = pd.DataFrame(list(rows), columns=list(definition.item_ids)).astype("Int16")
    facts = {
        "programme_id": [f"p{i % 2}" for i in range(n)],
        "row_id": [f"r{i}" for i in range(n)],
        "delivery_id": "d",
        "received_at": pd.Timestamp("2026-01-02", tz="UTC"),
        "source_row": range(2, n + 2),
        "block": 0,
        "patient_id": [f"patient{i}" for i in range(n)],
        "administered_on": pd.Timestamp("2026-01-01"),
    }
    return items_table(definition).conform(answers.assign(**facts))


class TestTable:
    """`scores/<instrument>`: one row per form and scale."""

    def test_rows_keep_their_order_and_every_scale_has_one(self) -> None:
        bsi = instrument("bsi")
        long = score(bsi, items_frame(bsi, [0] * 53, [4] * 53), software_version="1.2.3")
        assert long["row_id"].tolist() == ["r0"] * 12 + ["r1"] * 12
        assert long["scale"].tolist() == [scale.id for scale in bsi.scales] * 2
        assert long["programme_id"].unique().tolist() == ["p0", "p1"]
        assert not long.duplicated(list(scores_table(bsi).key)).any()

    def test_provenance_of_a_score_that_was_filled_in(self) -> None:
        phq9 = instrument("phq9")
        frame = items_frame(phq9, [2, 2, 2, 2, 2, 2, 2, None, None, None], [1] * 10)
        total = score(phq9, frame, software_version="1.2.3").query("scale == 'total'")
        assert total["score"].tolist() == [18, 9]
        assert total["n_items"].tolist() == [9, 9]
        assert total["n_answered"].tolist() == [7, 9]
        assert total["is_prorated"].tolist() == [True, False]
        assert total["is_provisional"].tolist() == [False, False]
        assert total["definition_hash"].unique().tolist() == [phq9.definition_hash]
        assert total["software_version"].unique().tolist() == ["1.2.3"]
        assert total["edition"].unique().tolist() == [phq9.edition]

    def test_only_the_recalled_rule_of_the_bsi_is_provisional_and_only_where_it_filled_in(self) -> None:
        bsi = instrument("bsi")
        frame = items_frame(bsi, [None] + [1] * 52, [1] * 53, [None] * 14 + [1] * 39)
        long = score(bsi, frame, software_version="x").set_index(["row_id", "scale"])
        assert long.loc[("r0", "gsi"), "is_provisional"]
        assert not long.loc[("r0", "anx"), "is_provisional"]
        assert long.loc[("r0", "anx"), "is_prorated"]
        assert not long.loc[("r1", "gsi"), "is_provisional"]
        assert not long.loc[("r2", "gsi"), "is_prorated"]

    def test_a_form_that_cannot_be_scored_keeps_its_rows(self) -> None:
        phq9 = instrument("phq9")
        long = score(phq9, items_frame(phq9, [None] * 10), software_version="x")
        assert long["scale"].tolist() == ["total", "major_depression"]
        assert long["score"].isna().all()

    def test_the_value_set_is_named_at_the_index_and_nowhere_else(self) -> None:
        eq5d = instrument("eq5d3l")
        frame = items_frame(eq5d, [2, 1, 1, 1, 1, 70])
        long = score(eq5d, frame, value_set=value_set("uk_1997"), software_version="x").set_index("scale")
        assert long.loc["index", "value_set_id"] == "uk_1997"
        assert long["value_set_id"].notna().sum() == 1
        assert long.loc["index", "score"] == 0.850
        assert score(eq5d, frame, software_version="x").set_index("scale").loc["index", "value_set_id"] == "nl_2006"

    def test_what_was_known_of_the_form_goes_with_every_score(self) -> None:
        sds = instrument("sds")
        facts = {"moment_given": "m6", "language": "nl", "mode": "paper", "assisted": True}
        long = score(sds, items_frame(sds, [1, 2, 3], [0, 0, 0]).assign(**facts), software_version="x")
        assert len(long) == 2 * 4
        for name, value in facts.items():
            assert long[name].unique().tolist() == [value]
        assert long["instrument"].unique().tolist() == ["sds"]
        assert long["patient_id"].tolist() == ["patient0"] * 4 + ["patient1"] * 4
        assert long["administered_on"].unique().tolist() == [pd.Timestamp("2026-01-01")]

    def test_possible_range_and_cutoffs_stand_beside_a_score_with_gaps(self) -> None:
        phq9 = instrument("phq9")
        # seven ones and two blanks: 7 x 9/7 = 9, from 7 to 7 + 2 x 3 = 13; the five cut-offs at 10 lie between
        frame = items_frame(phq9, [1] * 7 + [None] * 3, [1] * 10, [3] * 7 + [None] * 3)
        total = score(phq9, frame, software_version="x").query("scale == 'total'")
        assert total["score"].tolist() == approx(9, 9, 27)
        assert total["lowest_possible"].tolist() == [7, 9, 21]
        assert total["highest_possible"].tolist() == [13, 9, 27]
        cutoffs = [c.id for c in phq9.cutoffs if c.scale == "total"]
        assert len(cutoffs) == 5
        assert total["cutoffs_crossed"].tolist()[0].split() == cutoffs
        assert total["cutoffs_crossed"].isna().tolist() == [False, True, True]

    def test_each_reason_for_a_missing_score(self) -> None:
        bsi = instrument("bsi")
        frame = items_frame(bsi, [0] * 53, [None] * 53, [1] * 53)
        long = score(bsi, frame, software_version="x").set_index(["scale", "row_id"])["unscored_because"]
        # nobody who reports nothing has a mean of what is reported
        assert long["psdi"].tolist()[:2] == ["not_defined", "too_many_missing"]
        assert long["psdi"].isna().tolist() == [False, False, True]
        assert long["gsi"].isna().tolist() == [True, False, True]
        assert long["gsi"].tolist()[1] == "too_many_missing"

    def test_a_scale_without_a_key_or_without_a_formula_says_so_of_every_form(self) -> None:
        sipp = instrument("sipp118")
        frame = items_frame(sipp, [1] * 118, [None] * 118)
        long = score(sipp, frame, software_version="x").set_index("scale")
        assert long.loc["respect", "unscored_because"].tolist() == ["key_not_supplied"] * 2
        assert long.loc["self_control", "unscored_because"].tolist() == ["not_published"] * 2
        assert long["score"].isna().all()
        assert long["n_items"].unique().tolist() == [0]

    def test_a_scale_of_scales_waits_for_the_keys_of_all_of_them(self) -> None:
        part = with_key(instrument("dappsf"), "scales: {restricted_expression: {items: [1, 2]}}", file="dappsf.yaml")
        long = score(part, items_frame(part, [3] * 136, [None] * 136), software_version="x").set_index("scale")
        assert long.loc["restricted_expression", "score"].tolist() == approx(3, None)
        assert long.loc["restricted_expression", "unscored_because"].tolist()[1] == "too_many_missing"
        assert long.loc["inhibition", "unscored_because"].tolist() == ["key_not_supplied"] * 2
        assert long.loc["inhibition", "score"].isna().all()

    def test_a_scale_of_scales_has_a_score_once_all_keys_are_there(self) -> None:
        key = "scales: {restricted_expression: {items: [1, 2]}, intimacy_problems: {items: [3], reverse: [3]}}"
        keyed = with_key(instrument("dappsf"), key, file="dappsf.yaml")
        long = score(keyed, items_frame(keyed, [2, 4, 1] + [None] * 133), software_version="x").set_index("scale")
        # (2 + 4) / 2 = 3 and 6 - 1 = 5: mean 4
        assert long.loc["inhibition", "score"] == 4
        assert long.loc["inhibition", ["n_items", "n_answered"]].tolist() == [3, 3]
        assert pd.isna(long.loc["inhibition", "unscored_because"])

    def test_no_utility_under_18_and_everything_else_of_the_form_stays(self) -> None:
        eq5d = instrument("eq5d5l")
        row = [2, 1, None, 1, 1, 70]
        frame = items_frame(eq5d, *[[2, 1, 1, 1, 1, 70]] * 4, row, row)
        ages = np.array([17.99, 18.0, math.nan, 40.0, 12.0, 40.0])
        long = score(eq5d, frame, ages=ages, software_version="x").set_index("scale")
        index = long.loc["index"]
        # NL 2016: 21111 is 1 - 0.047 - 0.035 = 0.918 (Versteegh 2016)
        assert index["score"].tolist() == approx(None, 0.918, 0.918, 0.918, None, None)
        reasons = index["unscored_because"].tolist()
        assert [reasons[0], *reasons[4:]] == ["no_value_set_under_18", "no_value_set_under_18", "too_many_missing"]
        assert index["unscored_because"].isna().tolist() == [False, True, True, True, False, False]
        assert index["lowest_possible"].isna().tolist() == [True, False, False, False, True, False]
        assert index["highest_possible"].isna().tolist() == [True, False, False, False, True, False]
        assert index["value_set_id"].notna().all()
        assert long.loc["vas", "score"].tolist() == [70] * 6
        assert long.loc["profile", "score"].tolist() == approx(*[21111] * 4, None, None)
        assert long.loc["vas", "unscored_because"].isna().all()

    def test_nobody_is_too_young_where_no_ages_are_given(self) -> None:
        eq5d = instrument("eq5d5l")
        long = score(eq5d, items_frame(eq5d, [2, 1, 1, 1, 1, 70]), software_version="x").set_index("scale")
        assert long.loc["index", "score"] == 0.918

    def test_the_age_of_the_person_takes_no_other_score_away(self) -> None:
        phq9 = instrument("phq9")
        long = score(phq9, items_frame(phq9, [1] * 10), ages=np.array([15.0]), software_version="x")
        assert long["score"].tolist() == [9, 0]

    def test_what_was_answered_is_no_prorated_score(self) -> None:
        sshi = instrument("sshi")
        frame = items_frame(sshi, [1, None, 0, 0, 6], [0, None, 0, 0, 6])
        long = score(sshi, frame, software_version="x").set_index("scale").loc["crisis_event"]
        assert long["score"].tolist() == approx(1, None)
        assert long["n_answered"].tolist() == [2, 2]
        assert not long["is_prorated"].any()
        assert long["lowest_possible"].tolist() == [1, 0]
        assert long["highest_possible"].tolist() == [1, 1]

    def test_a_score_of_scales_is_as_provisional_as_the_rule_that_completed_one_of_them(self) -> None:
        rule = {"rule": "person_mean", "max_missing": 1, "confidence": "memory"}
        definition = made(
            some_items(3),
            {"id": "total", "scales": ["a", "b"], "method": "mean_of_scales"},
            {"id": "a", "items": ["q_001", "q_002"], "method": "mean", "missing": rule},
            {"id": "b", "items": ["q_003"], "method": "single"},
        )
        long = score(definition, items_frame(definition, [1, None, 3], [1, 2, 3]), software_version="x")
        long = long.set_index(["scale", "row_id"])
        assert long["score"].tolist() == approx(2, 1, 3, 2.25, 1.5, 3)
        assert long["is_prorated"].tolist() == [True, True, False, False, False, False]
        assert long["is_provisional"].tolist() == [True, True, False, False, False, False]

    def test_an_instrument_of_one_scale_has_one_row_per_form(self) -> None:
        bdi2 = instrument("bdi2")
        long = score(bdi2, items_frame(bdi2, [1] * 21, [3] * 21), software_version="x")
        assert long[["row_id", "scale", "score"]].to_numpy().tolist() == [["r0", "total", 21], ["r1", "total", 63]]

    def test_a_scale_of_scales_whose_parts_are_added_as_answered_is_not_prorated(self) -> None:
        rule = {"rule": "answered", "max_missing": 1}
        definition = made(
            some_items(2),
            {"id": "total", "scales": ["a"], "method": "mean_of_scales"},
            {"id": "a", "items": ["q_001", "q_002"], "missing": rule},
        )
        long = score(definition, items_frame(definition, [3, None]), software_version="x")
        assert long["score"].tolist() == [3, 3]
        assert long["is_prorated"].tolist() == [False, False]

    def test_edition_of_the_form_goes_before_that_of_the_definition(self) -> None:
        phq9 = instrument("phq9")
        frame = items_frame(phq9, [1] * 10).assign(edition=pd.Series(["telephone"], dtype="str"))
        assert score(phq9, frame, software_version="x")["edition"].unique().tolist() == ["telephone"]

    def test_no_forms_make_an_empty_table_of_the_declared_types(self) -> None:
        bsi = instrument("bsi")
        long = score(bsi, items_frame(bsi), software_version="x")
        assert long.empty
        assert long.dtypes.astype(str).to_dict() == {c.name: c.dtype for c in scores_table(bsi).columns}

    def test_the_items_are_left_as_they_were(self) -> None:
        phq9 = instrument("phq9")
        frame = items_frame(phq9, [1, None, 3, 0, 1, 2, 3, 0, 1, 2])
        before = frame.copy(deep=True)
        score(phq9, frame, software_version="x")
        pd.testing.assert_frame_equal(frame, before)

    def test_answers_of_a_table_are_int8_with_the_mark_for_missing(self) -> None:
        phq9 = instrument("phq9")
        answers = answers_of(phq9, items_frame(phq9, [3, None] + [0] * 8))
        assert answers["phq9_01"].dtype == np.int8
        assert [answers["phq9_01"][0], answers["phq9_02"][0]] == [3, MISSING]

    def test_counts_of_a_table_are_int16(self) -> None:
        sshi = instrument("sshi")
        frame = items_frame(sshi, [1000, None, 0, 0, 6])
        answers = answers_of(sshi, frame)
        assert frame["sshi_suicidal_acts"].dtype == "Int16"
        assert answers["sshi_suicidal_acts"].dtype == np.int16
        assert [answers["sshi_suicidal_acts"][0], answers["sshi_self_harm_acts"][0]] == [1000, MISSING]
        assert answers["sshi_months_covered"].dtype == np.int8


class TestKeys:
    def test_only_the_scales_of_the_key_get_a_score(self) -> None:
        rfq = instrument("rfq54")
        keyed = with_key(rfq, (KEYS / "rfq54.yaml").read_text(encoding="utf-8"), file="rfq54.yaml")
        row: list[int | None] = [1] * 54
        assert scores_of(rfq, row, scale="rfq_u") == approx(None)
        # 25 items, 6 of them turned round: (19 x 1 + 6 x 7) / 25
        assert scores_of(keyed, row, scale="rfq_u") == approx(61 / 25)
