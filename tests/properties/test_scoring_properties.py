"""What holds for every form of every instrument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mbt_rom.model import Instrument, Scale
from mbt_rom.registry import instruments, value_sets
from mbt_rom.scoring import MISSING, scale_scores

DEFINITIONS = list(instruments().values())
PROPORTIONAL = [(d, s) for d in DEFINITIONS for s in d.scales if s.method in ("sum", "mean")]
FILLED_IN = [(d, s) for d, s in PROPORTIONAL if s.missing.rule != "complete"]
RISING = [(d, s) for d, s in PROPORTIONAL] + [
    (d, s) for d in DEFINITIONS for s in d.scales if s.method in ("count_at_least", "major_depression", "value_set")
]


def names(pair: Any) -> str:
    return f"{pair[0].id}.{pair[1].id}"


@st.composite
def forms(draw: st.DrawFn, definition: Instrument, n: int = 4, p_missing: bool = True) -> dict[str, NDArray[np.int8]]:
    """Answers of n forms; gaps are rare enough for most scales to be scorable."""
    seed = draw(st.integers(0, 2**32 - 1))
    share = draw(st.sampled_from([0.0, 0.02, 0.1, 0.3, 0.9])) if p_missing else 0.0
    random = np.random.default_rng(seed)
    columns = {}
    for item in definition.items:
        column = random.integers(item.min, item.max + 1, n).astype(np.int8)
        column[random.random(n) < share] = MISSING
        columns[item.id] = column
    return columns


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.id)
@given(data=st.data())
def test_scores_stay_within_the_range_of_their_scale(definition: Instrument, data: st.DataObject) -> None:
    answers = data.draw(forms(definition))
    chosen = data.draw(st.sampled_from([None, *value_sets(definition.id).values()]))
    scores = scale_scores(definition, answers, value_set=chosen).scores
    for scale in definition.scales:
        given_scores = scores[scale.id][np.isfinite(scores[scale.id])]
        assert ((given_scores >= scale.range[0]) & (given_scores <= scale.range[1])).all(), scale.id


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.id)
@given(data=st.data())
def test_the_order_of_the_rows_does_not_matter(definition: Instrument, data: st.DataObject) -> None:
    answers = data.draw(forms(definition, n=6))
    order = np.array(data.draw(st.permutations(range(6))))
    straight = scale_scores(definition, answers).scores
    shuffled = scale_scores(definition, {item: column[order] for item, column in answers.items()}).scores
    for scale in definition.scales:
        np.testing.assert_array_equal(shuffled[scale.id], straight[scale.id][order])


@pytest.mark.parametrize("pair", RISING, ids=names)
@given(data=st.data())
def test_a_higher_answer_never_moves_a_score_the_other_way(pair: tuple[Instrument, Scale], data: st.DataObject) -> None:
    definition, scale = pair
    answers = data.draw(forms(definition, n=1))
    item = data.draw(st.sampled_from([i for i in definition.items if i.id in scale.items]))
    low, high = sorted(data.draw(st.lists(st.integers(item.min, item.max), min_size=2, max_size=2)))
    scores = [
        scale_scores(definition, {**answers, item.id: np.array([answer], np.int8)}).scores[scale.id][0]
        for answer in (low, high)
    ]
    towards = -1 if scale.method == "value_set" else 1
    if np.isfinite(scores).all():
        assert towards * (scores[1] - scores[0]) >= -1e-12
    else:
        assert np.isnan(scores).all()


@pytest.mark.parametrize("pair", FILLED_IN, ids=names)
@given(data=st.data())
def test_filling_in_a_constant_gives_the_score_of_the_constant(
    pair: tuple[Instrument, Scale], data: st.DataObject
) -> None:
    definition, scale = pair
    bounds = {i.id: i for i in definition.items}
    answer = data.draw(st.integers(bounds[scale.items[0]].min, bounds[scale.items[0]].max))
    gaps = data.draw(st.sets(st.sampled_from(scale.items), max_size=scale.missing.max_missing))
    complete = {i.id: np.array([answer], np.int8) for i in definition.items}
    gapped = {i: np.array([MISSING]) if i in gaps else column for i, column in complete.items()}
    expected = answer * len(scale.items) if scale.method == "sum" else answer
    assert scale_scores(definition, complete).scores[scale.id][0] == expected
    assert scale_scores(definition, gapped).scores[scale.id][0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("pair", [(d, s) for d in DEFINITIONS for s in d.scales], ids=names)
@given(data=st.data())
def test_a_score_is_there_exactly_within_the_limit(pair: tuple[Instrument, Scale], data: st.DataObject) -> None:
    definition, scale = pair
    answers = data.draw(forms(definition, n=1, p_missing=False))
    # A form of zeros has no distress index whatever is answered, so one answer is set above zero.
    gaps = data.draw(st.sets(st.sampled_from(scale.items)))
    kept = [item for item in scale.items if item not in gaps]
    if kept:
        answers[kept[0]] = np.array([next(i.max for i in definition.items if i.id == kept[0])], np.int8)
    gapped = {i: np.array([MISSING]) if i in gaps else column for i, column in answers.items()}
    result = scale_scores(definition, gapped)
    allowed = scale.missing.max_missing if scale.missing.rule != "complete" else 0
    assert np.isfinite(result.scores[scale.id][0]) == (len(gaps) <= allowed and bool(kept))
    assert result.n_missing(scale.id).tolist() == [len(gaps)]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.id)
@given(data=st.data())
def test_what_is_not_an_item_of_a_scale_does_not_touch_it(definition: Instrument, data: st.DataObject) -> None:
    answers = data.draw(forms(definition, n=3))
    other = data.draw(forms(definition, n=3))
    scale = data.draw(st.sampled_from(definition.scales))
    mixed = {item: answers[item] if item in scale.items else other[item] for item in definition.item_ids}
    np.testing.assert_array_equal(
        scale_scores(definition, mixed).scores[scale.id], scale_scores(definition, answers).scores[scale.id]
    )
