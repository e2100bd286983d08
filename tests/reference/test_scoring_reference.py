"""Scores beside those of other software and of published data."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mbt_rom.registry import instrument, value_set
from mbt_rom.scoring import MISSING, scale_scores

#: Expected values in the tests of the R package eq5d (fragla/eq5d on GitHub: tests/testthat/test-eq5d3l.R, test-eq5d5l.R).
R_PACKAGE_EQ5D = [
    ("nl_2006", "21211", 0.861),
    ("nl_2006", "21231", 0.298),
    ("nl_2006", "21333", -0.052),
    ("nl_2006", "33333", -0.329),
    ("uk_1997", "11221", 0.760),
    ("uk_1997", "33221", -0.037),
    ("uk_1997", "12321", 0.329),
    ("uk_1997", "33333", -0.594),
    ("england_2018", "23245", 0.247),
    ("england_2018", "11112", 0.922),
    ("england_2018", "11121", 0.937),
    ("england_2018", "11211", 0.950),
    ("england_2018", "12111", 0.950),
    ("england_2018", "21111", 0.942),
    ("nl_2016", "21111", 0.918),
    ("nl_2016", "55511", 0.390),
    ("nl_2016", "44444", -0.289),
    ("nl_2016", "55555", -0.446),
]


def answers_from(columns: dict[str, list[str]], codes: tuple[str, ...]) -> dict[str, NDArray[np.int8]]:
    """Columns of text as answers; empty cells and the codes are missing."""
    missing = {"", *codes}
    return {
        item: np.array([MISSING if cell in missing else int(float(cell)) for cell in cells], dtype=np.int8)
        for item, cells in columns.items()
    }


@pytest.mark.parametrize(("value_set_id", "state", "utility"), R_PACKAGE_EQ5D)
def test_index_equals_that_of_the_r_package_eq5d(value_set_id: str, state: str, utility: float) -> None:
    chosen = value_set(value_set_id)
    definition = instrument(chosen.instrument)
    answers = {item: np.array([int(d)], np.int8) for item, d in zip(definition.item_ids[:5], state, strict=True)}
    answers[definition.item_ids[5]] = np.array([MISSING])
    scores = scale_scores(definition, answers, value_set=chosen).scores
    assert scores["index"].tolist() == [utility]
    assert scores["profile"].tolist() == [int(state)]


@pytest.mark.real_data
def test_phq9_of_nhanes(shared_data: Path) -> None:
    """5,533 people of NHANES 2017-18; counts taken from the same file with pandas 3 (sum over rows without a gap).

    5,068 people answered all nine, 459 of them with 10 or more, mean 3.2411; 18 more miss one or two answers.
    """
    with (shared_data / "data/nhanes_phq9/DPQ_J.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [f"DPQ{n:02d}0" for n in range(1, 11)]
    columns = {f"phq9_{n:02d}": [row[name] for row in rows] for n, name in enumerate(names, start=1)}
    result = scale_scores(instrument("phq9"), answers_from(columns, ("7.0", "9.0")))
    total, complete = result.scores["total"], result.n_missing("total") == 0
    assert len(rows) == 5533
    assert complete.sum() == 5068
    assert (total[complete] >= 10).sum() == 459
    assert total[complete].mean() == pytest.approx(3.2411207576953434)
    assert np.isfinite(total).sum() == 5068 + 18


@pytest.mark.real_data
@pytest.mark.parametrize("moment", ["Pre-Op Q", "Post-Op Q"])
def test_uk_index_that_the_nhs_stored(moment: str, shared_data: Path) -> None:
    """44,241 hip replacements: every complete state has the index of the published file, every other one has none."""
    archive = zipfile.ZipFile(shared_data / "data/nhs_proms_eq5d3l/Hip Replacement Provider 1617.csv.zip")
    with archive.open("Hip Replacement Provider 1617.csv") as member:
        rows = list(csv.DictReader(io.TextIOWrapper(member, encoding="latin-1", newline="")))
    words = ["Mobility", "Self-Care", "Activity", "Discomfort", "Anxiety"]
    columns = {
        f"eq5d3l_{d}": [row[f"{moment} {word}"] for row in rows]
        for d, word in zip(("mo", "sc", "ua", "pd", "ad"), words, strict=True)
    }
    columns["eq5d3l_vas"] = [""] * len(rows)
    index = scale_scores(
        instrument("eq5d3l"), answers_from(columns, ("9", "*")), value_set=value_set("uk_1997")
    ).scores["index"]
    stored = np.array([float(row[f"{moment} EQ5D Index"] or "nan") for row in rows])
    assert np.isfinite(stored).sum() > 37_000
    np.testing.assert_allclose(index, stored, atol=5e-7, equal_nan=True)
