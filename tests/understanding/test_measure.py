"""The measurement of column understanding: what it counts, and that nothing of our own exports is taken in as something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.understanding.measure import REFUSED, RIGHT, WRONG, judged, outcomes, report, upper_bound
from tests.understanding.own_exports import EXPORTS, write

ITEM = {"role": "item", "instrument": "phq9", "item": "phq9_01"}
LEFT = {"role": "not_taken_in", "instrument": None, "item": None}


@pytest.mark.parametrize(
    ("meant", "found", "outcome"),
    [
        (ITEM, ITEM, RIGHT),
        (ITEM, LEFT, REFUSED),
        (ITEM, {**ITEM, "item": "phq9_02"}, WRONG),
        (ITEM, {"role": "date", "instrument": None, "item": None}, WRONG),
        ({"role": "none"}, LEFT, RIGHT),
        ({"role": "none"}, ITEM, WRONG),
        ({"role": "none"}, {"role": "patients: sex"}, RIGHT),
        ({"role": "none", "also": ["patient"]}, {"role": "patient"}, RIGHT),
        ({"role": "total", "instrument": "phq9"}, {"role": "total", "instrument": "bsi"}, WRONG),
    ],
)
def test_what_became_of_a_column(meant: dict[str, object], found: dict[str, object], outcome: str) -> None:
    assert judged(meant, found) == outcome


def test_nothing_of_a_refused_file_is_right() -> None:
    assert judged({"role": "none"}, LEFT, refused="item_count_wrong") == REFUSED


def test_upper_limits_of_clopper_and_pearson() -> None:
    """None of 100: 1 - 0.025 ** (1 / 100) = 0.0362. 1 of 10: 0.4450, as tables of the exact interval print it."""
    assert upper_bound(0, 100) == pytest.approx(0.0362, abs=5e-5)
    assert upper_bound(1, 10) == pytest.approx(0.4450, abs=5e-5)
    assert upper_bound(3, 3) == 1


def test_our_own_exports(tmp_path: Path) -> None:
    write(tmp_path)
    found = list(outcomes(tmp_path))
    by_file = {name: {one.outcome for one in found if one.file == name} for name in EXPORTS}
    assert not [one for one in found if one.outcome == WRONG], report(found, columns=True)
    assert by_file.pop("unnamed.csv") == {REFUSED}
    assert set().union(*by_file.values()) == {RIGHT}, report(found, columns=True)
    assert len(found) == sum(len(columns) for _, columns in EXPORTS.values())
    assert "wrong silently: 0 (0.0%)" in report(found, columns=False)
