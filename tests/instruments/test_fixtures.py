"""Every instrument scores the forms of its fixture as was worked out by hand or published.

`<id>.csv` beside this file: one form per row; `source` says where the expected scores come from; a column per item, then one per
scale (`index@uk_1997` is the scale with that value set). An expected score may be a fraction (28/53); an empty one means that
the form cannot be scored.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mbt_rom.registry import FOLDER, instrument, instruments, value_set
from mbt_rom.scoring import MISSING, scale_scores

FIXTURES = Path(__file__).parent


def forms_of(instrument_id: str) -> list[dict[str, str]]:
    with (FIXTURES / f"{instrument_id}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cases() -> Iterator[object]:
    for path in sorted(FIXTURES.glob("*.csv")):
        for form in forms_of(path.stem):
            yield pytest.param(path.stem, form, id=f"{path.stem}: {form['case']}")


def expected_score(text: str) -> float:
    return float(Fraction(text)) if text else float("nan")


@pytest.mark.parametrize(("instrument_id", "form"), cases())
def test_form_is_scored_as_expected(instrument_id: str, form: dict[str, str]) -> None:
    definition = instrument(instrument_id)
    answers = {i: np.array([int(form[i]) if form[i] else MISSING], dtype=np.int8) for i in definition.item_ids}
    columns = [c for c in form if c not in {"case", "source", *definition.item_ids}]
    for column in columns:
        scale, _, chosen = column.partition("@")
        scores = scale_scores(definition, answers, value_set=value_set(chosen) if chosen else None).scores
        assert scores[scale][0] == pytest.approx(expected_score(form[column]), abs=1e-12, nan_ok=True), column


def test_every_definition_has_a_fixture_and_every_fixture_a_definition() -> None:
    defined = {path.stem for path in FOLDER.glob("*.yaml")} - {"schedule"}
    assert {path.stem for path in FIXTURES.glob("*.csv")} == defined == set(instruments())


@pytest.mark.parametrize("instrument_id", sorted(path.stem for path in FIXTURES.glob("*.csv")))
class TestFixture:
    def test_covers_every_scale_with_and_without_a_score(self, instrument_id: str) -> None:
        forms = forms_of(instrument_id)
        for scale in instrument(instrument_id).scales:
            values = [form[scale.id] for form in forms]
            assert "" in values, scale.id
            assert any(values), scale.id

    def test_holds_at_least_twelve_forms_with_a_source_each(self, instrument_id: str) -> None:
        forms = forms_of(instrument_id)
        assert len(forms) >= 12
        assert all(form["source"] for form in forms)

    def test_holds_forms_with_missing_answers_and_the_largest_answers(self, instrument_id: str) -> None:
        definition = instrument(instrument_id)
        scored = [item for item in definition.items if item.id in definition.primary.items]
        answers = [[form[item.id] for item in scored] for form in forms_of(instrument_id)]
        assert any("" in given and any(given) for given in answers)
        assert [str(item.max) for item in scored] in answers
