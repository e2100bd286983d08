"""The scoring kernel and the table of scores: edges that the fixtures of the instruments do not reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mbt_rom import scoring
from mbt_rom.model import Instrument
from mbt_rom.registry import instrument, value_set
from mbt_rom.scoring import MISSING, answers_of, scale_scores, score
from mbt_rom.tables import items_table, scores_table


def questionnaire(n_items: int, *, top: int = 4, low: int = 0, **scale: Any) -> Instrument:
    """A questionnaire with one scale over all its items, changed as asked."""
    items = [{"id": f"q_{n:03d}", "number": str(n), "min": low, "max": top} for n in range(1, n_items + 1)]
    total = {
        "id": "total",
        "label": "Total",
        "items": [item["id"] for item in items],
        "method": "sum",
        "range": [0, 10_000],
        "direction": "lower_is_better",
        "is_primary": True,
        "confidence": "verified",
    }
    return Instrument.model_validate(
        {
            "id": "q",
            "name": "Q",
            "full_name": "Q",
            "edition": "1",
            "kind": "self_report",
            "measures": "nothing",
            "items": items,
            "codings": [],
            "scales": [{**total, **scale}],
            "licence": {"status": "free"},
        }
    )


def forms(definition: Instrument, *rows: list[int | None]) -> dict[str, np.ndarray]:
    columns = zip(*rows, strict=True)
    return {
        item: np.array([MISSING if answer is None else answer for answer in column], dtype=np.int8)
        for item, column in zip(definition.item_ids, columns, strict=True)
    }


def scores_of(definition: Instrument, *rows: list[int | None]) -> list[float]:
    return scale_scores(definition, forms(definition, *rows)).scores["total"].tolist()


class TestWrapping:
    """Sums of int8 wrap at 128 without a word."""

    @pytest.mark.parametrize(("n_items", "top"), [(53, 4), (31, 4), (32, 4), (338, 1), (2, 100), (400, 100)])
    def test_all_answers_at_their_largest(self, n_items: int, top: int) -> None:
        assert scores_of(questionnaire(n_items, top=top), [top] * n_items) == [n_items * top]

    def test_more_answers_than_int8_can_count(self) -> None:
        definition = questionnaire(200, top=1, method="mean")
        assert scores_of(definition, [1] * 200) == [1]
        assert scale_scores(definition, forms(definition, [1] * 200)).n_answered("total").tolist() == [200]


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
        with pytest.raises(ValueError, match=r"q_002 holds answers outside 0\.\.4") as caught:
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

    def test_value_set_of_another_edition(self) -> None:
        definition = instrument("eq5d3l")
        with pytest.raises(ValueError, match="eq5d5l"):
            scale_scores(definition, forms(definition, [1, 1, 1, 1, 1, 80]), value_set=value_set("nl_2016"))


def items_frame(definition: Instrument, *rows: list[int | None]) -> pd.DataFrame:
    n = len(rows)
    answers = pd.DataFrame(list(rows), columns=list(definition.item_ids)).astype("Int8")
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
