"""What holds for the consistency of any scale, whatever its answers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mbt_rom.item_moments import Contribution
from mbt_rom.model import Item, Scale
from mbt_rom.reliability import Consistency, Policy, contribution, internal_consistency
from mbt_rom.scoring import MISSING

FIGURES = ("alpha", "mean_inter_item", "sem", "floor", "ceiling")
POLICIES: list[Policy] = ["listwise", "pairwise"]


class Forms(NamedTuple):
    """Answers of a scale: rows are forms, columns items, all from `low` to `high`."""

    answers: NDArray[np.int8]
    low: int
    high: int


@st.composite
def forms(draw: st.DrawFn) -> Forms:
    """Scales of 2 to 12 items with 2 to 9 answers; many hang together, some are noise, some hardly vary, some have gaps."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, k = draw(st.integers(2, 60)), draw(st.integers(2, 12))
    low = draw(st.integers(-2, 2))
    high = low + draw(st.integers(1, 8))
    together = draw(st.sampled_from([0.0, 0.5, 2.0]))
    middle = draw(st.sampled_from([0.05, 0.5]))
    spread = (high - low) / 3
    values = low + middle * (high - low) + spread * (together * random.normal(size=(n, 1)) + random.normal(size=(n, k)))
    answers = np.clip(np.round(values), low, high).astype(np.int8)
    answers[random.random((n, k)) < draw(st.sampled_from([0.0, 0.05, 0.4]))] = MISSING
    return Forms(answers, low, high)


def found_in(given_forms: Forms, missing: Policy) -> Consistency:
    scale = [
        Contribution(f"q{i}", column.copy(), given_forms.low, given_forms.high)
        for i, column in enumerate(given_forms.answers.T)
    ]
    return internal_consistency(scale, missing=missing, min_forms=2)


def assert_same_figures(one: Consistency, other: Consistency, names: tuple[str, ...] = FIGURES) -> None:
    """Both have the same figures. The width of SEM's interval is a root, so 1e-16 beside 0 becomes 1e-8 there."""
    assert one.reason.tolist() == other.reason.tolist()
    for name in names:
        for part, expected in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-7 if name == "sem" else 1e-9, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("missing", POLICIES)
@given(data=forms())
def test_alpha_is_that_of_pingouin(missing: Policy, data: Forms) -> None:
    frame = pd.DataFrame(np.where(data.answers == MISSING, np.nan, data.answers.astype(float)))
    found = found_in(data, missing)
    if found.reason[0] == "":
        alpha, _ = pg.cronbach_alpha(frame, nan_policy=missing)
        assert found.alpha.value[0] == pytest.approx(alpha, rel=1e-10, abs=1e-10)


@given(data=forms())
def test_alpha_of_complete_forms_is_at_most_one_and_its_interval_holds_it(data: Forms) -> None:
    alpha = found_in(data, "listwise").alpha
    if np.isfinite(alpha.value[0]):
        assert alpha.value[0] <= 1 + 1e-12
        assert alpha.lower[0] <= alpha.value[0] <= alpha.upper[0] <= 1 + 1e-12


@pytest.mark.parametrize("missing", POLICIES)
@given(data=forms(), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_forms_and_items_does_not_matter(missing: Policy, data: Forms, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows, columns = (random.permutation(size) for size in data.answers.shape)
    plain, shuffled = (
        found_in(data, missing),
        found_in(data._replace(answers=data.answers[rows][:, columns]), missing),
    )
    assert_same_figures(shuffled, plain)
    np.testing.assert_allclose(shuffled.item_total.value, plain.item_total.value[:, columns], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("missing", POLICIES)
@given(data=forms(), shift=st.integers(-100, 100))
def test_adding_a_constant_to_every_answer_changes_nothing(missing: Policy, data: Forms, shift: int) -> None:
    moved = np.where(data.answers == MISSING, MISSING, data.answers + np.int8(shift)).astype(np.int8)
    plain, shifted = found_in(data, missing), found_in(Forms(moved, data.low + shift, data.high + shift), missing)
    assert_same_figures(shifted, plain)
    np.testing.assert_array_equal(shifted.item_total.value, plain.item_total.value)


def turned(data: Forms, columns: range) -> Forms:
    """The forms with some items turned round, by the scoring's own rule."""
    answers = data.answers.copy()
    for column in columns:
        item = Item(id="q", number="1", min=data.low, max=data.high)
        scale = Scale(
            id="s",
            label="S",
            items=("q",),
            reverse=("q",),
            method="sum",
            range=(0, 1),
            direction="neutral",
            confidence="verified",
        )
        answers[:, column] = contribution(scale, item, answers[:, column]).values
    return data._replace(answers=answers)


@given(data=forms())
def test_turning_round_twice_is_nothing(data: Forms) -> None:
    columns = range(0, data.answers.shape[1], 2)
    np.testing.assert_array_equal(turned(turned(data, columns), columns).answers, data.answers)


@pytest.mark.parametrize("missing", POLICIES)
@given(data=forms())
def test_turning_round_every_item_swaps_floor_and_ceiling_and_nothing_else(missing: Policy, data: Forms) -> None:
    plain, mirrored = found_in(data, missing), found_in(turned(data, range(data.answers.shape[1])), missing)
    assert_same_figures(mirrored, plain, ("alpha", "mean_inter_item", "sem"))
    np.testing.assert_allclose(mirrored.item_total.value, plain.item_total.value, rtol=1e-9, atol=1e-9)
    assert_same_figures(
        Consistency(**{**vars(mirrored), "floor": mirrored.ceiling, "ceiling": mirrored.floor}),
        plain,
        ("floor", "ceiling"),
    )


@given(data=forms())
def test_correlations_and_shares_stay_within_their_range(data: Forms) -> None:
    for missing in POLICIES:
        found = found_in(data, missing)
        for estimate, lowest in ((found.floor, 0), (found.ceiling, 0), (found.item_total, -1)):
            values = np.array(estimate)[np.isfinite(estimate)]
            assert ((values >= lowest) & (values <= 1)).all()
    complete = found_in(data, "listwise")
    assert not (complete.sem.value > complete.sd * (1 + 1e-12)).any() or complete.alpha.value[0] < 0


@given(data=forms())
def test_every_form_twice_leaves_alpha_and_narrows_its_interval(data: Forms) -> None:
    once, twice = (
        found_in(data, "listwise"),
        found_in(data._replace(answers=np.repeat(data.answers, 2, axis=0)), "listwise"),
    )
    if np.isfinite(once.alpha.value[0]) and once.alpha.value[0] < 1 - 1e-9:
        assert twice.alpha.value[0] == pytest.approx(once.alpha.value[0], rel=1e-9, abs=1e-9)
        width = [estimate.upper[0] - estimate.lower[0] for estimate in (once.alpha, twice.alpha)]
        assert width[1] < width[0]
