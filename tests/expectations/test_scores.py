"""Scores: within the range of their scale, bounds included. Ranges: PHQ-9 total 0-27 (Kroenke 2001), GSI 0-4."""

import pandas as pd
import pytest

from expectations.scores import validate_scores
from mbt_rom.registry import instrument
from mbt_rom.tables import scores_table


def scores(*rows):
    phq9 = instrument("phq9")
    frame = pd.DataFrame(rows, columns=["row_id", "scale", "score"]).assign(programme_id="north")
    return scores_table(phq9).conform(frame)


def broken(*rows):
    return validate_scores(instrument("phq9"), scores(*rows))[["row_id", "item", "rule"]].values.tolist()


@pytest.mark.parametrize("score", [0, 27, 12.5, None])
def test_scores_within_the_range_and_missing_scores_are_good(score):
    assert broken(("r1", "total", score)) == []


@pytest.mark.parametrize("score", [-0.5, 27.5, 1e9, float("inf")])
def test_a_score_outside_the_range_is_found(score):
    assert broken(("r1", "total", 3), ("r2", "total", score)) == [["r2", "total", "score_out_of_range"]]


def test_rounding_of_sums_is_no_fault():
    assert broken(("r1", "total", 27 + 1e-12)) == []


def test_a_scale_that_does_not_exist_is_found():
    assert broken(("r1", "grand_total", 3)) == [["r1", "grand_total", "score_out_of_range"]]


def test_the_finding_names_the_range_and_not_the_score():
    found = validate_scores(instrument("phq9"), scores(("r1", "total", 777)))
    assert found["detail"].tolist() == ["0 to 27"]
    assert "777" not in found.to_csv()


def test_no_scores_have_no_findings():
    assert validate_scores(instrument("phq9"), scores().head(0)).empty
