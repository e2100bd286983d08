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
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mbt_rom.model import Instrument, Item
from mbt_rom.registry import FOLDER, instrument, instruments, value_set, with_key
from mbt_rom.scoring import MISSING, scale_scores

FIXTURES = Path(__file__).parent


def forms_of(instrument_id: str) -> list[dict[str, str]]:
    with (FIXTURES / f"{instrument_id}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cases() -> Iterator[object]:
    for path in sorted(FIXTURES.glob("*.csv")):
        for form in forms_of(path.stem):
            yield pytest.param(path.stem, form, id=f"{path.stem}: {form['case']}")


def keyed(instrument_id: str) -> Instrument:
    """The definition; where only its licence holder has the key, with one invented for the tests (`keys/<id>.yaml`)."""
    key = FIXTURES / "keys" / f"{instrument_id}.yaml"
    definition = instrument(instrument_id)
    return with_key(definition, key.read_text(encoding="utf-8"), file=key.name) if key.exists() else definition


def answers_of(definition: Instrument, form: dict[str, str]) -> dict[str, NDArray[np.signedinteger[Any]]]:
    types = {item.id: np.int16 if item.is_wide else np.int8 for item in definition.items}
    return {i: np.array([int(form[i]) if form[i] else MISSING], dtype=t) for i, t in types.items()}


def expected_score(text: str) -> float:
    return float(Fraction(text)) if text else float("nan")


@pytest.mark.parametrize(("instrument_id", "form"), cases())
def test_form_is_scored_as_expected(instrument_id: str, form: dict[str, str]) -> None:
    definition = keyed(instrument_id)
    answers = answers_of(definition, form)
    columns = [c.partition("@") for c in form if c not in {"case", "source", *definition.item_ids}]
    scores = {
        chosen: scale_scores(definition, answers, value_set=value_set(chosen) if chosen else None).scores
        for chosen in {chosen for *_, chosen in columns}
    }
    for scale, at, chosen in columns:
        expected = expected_score(form[f"{scale}{at}{chosen}"])
        assert scores[chosen][scale][0] == pytest.approx(expected, rel=1e-13, abs=1e-12, nan_ok=True), scale


def test_every_definition_has_a_fixture_and_every_fixture_a_definition() -> None:
    defined = {path.stem for path in FOLDER.glob("*.yaml")} - {"schedule", "domains"}
    assert {path.stem for path in FIXTURES.glob("*.csv")} == defined == set(instruments())


@pytest.mark.parametrize("instrument_id", sorted(path.stem for path in FIXTURES.glob("*.csv")))
class TestFixture:
    def test_covers_every_scale_with_and_without_a_score(self, instrument_id: str) -> None:
        forms = forms_of(instrument_id)
        for scale in keyed(instrument_id).scales:
            if scale.method == "not_published":
                continue
            values = [form[scale.id] for form in forms]
            assert "" in values, scale.id
            assert any(values), scale.id

    def test_holds_at_least_twelve_forms_with_a_source_each(self, instrument_id: str) -> None:
        forms = forms_of(instrument_id)
        assert len(forms) >= 12
        assert all(form["source"] for form in forms)

    def test_holds_forms_with_missing_answers_and_the_largest_answers(self, instrument_id: str) -> None:
        definition = keyed(instrument_id)
        scored = [item for item in definition.items if item.id in definition.needed_items]
        answers = [[form[item.id] for item in scored] for form in forms_of(instrument_id)]
        assert any("" in given and any(given) for given in answers) or len(scored) == 1
        assert any(_is_largest(scored, form) for form in answers)


def _is_largest(items: list[Item], form: list[str]) -> bool:
    """Every answer the largest; of counts without a limit at least one that eight bits would not hold."""
    by_item = list(zip(items, form, strict=True))
    limited = [answer == str(item.max) for item, answer in by_item if item.max is not None]
    unlimited = [int(answer or 0) > 127 for item, answer in by_item if item.max is None]
    return all(limited) and (any(unlimited) or not unlimited)
