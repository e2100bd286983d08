"""Means and covariances from blocks, beside numpy and pandas on the whole."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mbt_rom.item_moments import Contribution, ItemTable, Moments, listwise, pairwise, persons
from mbt_rom.scoring import MISSING

Answers = NDArray[np.int8]


def answers(n: int, k: int, *, low: int = 0, high: int = 4, gaps: float = 0.0, seed: int = 1) -> Answers:
    """Rows are forms, columns items that hang together; a share of the answers is missing."""
    random = np.random.default_rng(seed)
    middle, width = (low + high) / 2, (high - low) / 4
    values = middle + width * (random.normal(size=(n, 1)) + random.normal(size=(n, k)))
    given = np.clip(np.round(values), low, high).astype(np.int8)
    return np.where(random.random((n, k)) < gaps, MISSING, given).astype(np.int8)


def contributions(given: Answers, *, low: int = 0, high: int = 4) -> list[Contribution]:
    return [Contribution(f"q{i}", given[:, i].copy(), low, high) for i in range(given.shape[1])]


def one_group(given: Answers, *, low: int = 0, high: int = 4) -> ItemTable:
    return ItemTable.of(contributions(given, low=low, high=high), groups=None, n_groups=1)


def floats(given: Answers) -> NDArray[np.float64]:
    return np.where(given == MISSING, np.nan, given.astype(float))


def assert_fits(found: Moments, covariance: NDArray[np.float64], n_used: int) -> None:
    assert found.n_used.tolist() == [n_used]
    np.testing.assert_allclose(found.variance[0], covariance.diagonal(), rtol=1e-12)
    np.testing.assert_allclose(found.with_sum[0], covariance.sum(axis=1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.of_sum[0], covariance.sum(), rtol=1e-12)


#: Shapes that end in the middle of a block, fill several, need double precision, or have a low bound other than 0.
SHAPES = [
    (7, 3, 0, 4),
    (9_000, 5, 0, 3),
    (2_500, 53, 0, 4),
    (3_000, 4, 0, 100),
    (500, 6, -3, 3),
    (400, 5, 1, 7),
    (300, 2, -127, 127),
]


@pytest.mark.parametrize(("n", "k", "low", "high"), SHAPES)
def test_complete_forms_give_the_covariances_of_numpy(n: int, k: int, low: int, high: int) -> None:
    given = answers(n, k, low=low, high=high)
    covariance = np.cov(given.T.astype(float))
    table = one_group(given, low=low, high=high)
    for found in (listwise(table), pairwise(table)):
        assert_fits(found, covariance, n)
        np.testing.assert_allclose(found.mean[0], given.mean(axis=0) - low, rtol=1e-12)
        assert found.n_forms.tolist() == found.n_complete.tolist() == [n]


@pytest.mark.parametrize(("n", "k", "low", "high"), SHAPES)
def test_gaps_are_left_out_by_form_or_by_pair_as_pandas_does(n: int, k: int, low: int, high: int) -> None:
    given = answers(n, k, low=low, high=high, gaps=0.1)
    frame = pd.DataFrame(floats(given))
    table, complete = one_group(given, low=low, high=high), frame.dropna()
    assert_fits(pairwise(table), frame.cov().to_numpy(), int((frame.notna().T.astype(int) @ frame.notna()).min().min()))
    found = listwise(table)
    assert found.n_complete.tolist() == [len(complete)]
    if len(complete) > 1:
        assert_fits(found, complete.cov().to_numpy(), len(complete))


@pytest.mark.parametrize("gaps", [0.0, 0.05])
def test_mean_correlation_is_that_of_the_covariances_standardised(gaps: float) -> None:
    """Over the items that vary; with gaps, each covariance divided by the SDs of the two items, as `cov2cor` in R does."""
    given = answers(3_000, 8, gaps=gaps)
    given[:, 3] = 2
    frame = pd.DataFrame(floats(given))
    table = one_group(given)
    for covariance, found in (
        (frame.cov(), pairwise(table).mean_correlation),
        (frame.dropna().cov(), persons(table, listwise(table), least=2).mean_correlation),
    ):
        values = covariance.drop(index=3, columns=3).to_numpy()
        sd = np.sqrt(values.diagonal())
        correlations = (values / np.outer(sd, sd))[np.tril_indices(7, -1)]
        assert found[0] == pytest.approx(correlations.mean(), rel=1e-12)


def test_lowest_and_highest_forms_are_counted_among_the_complete() -> None:
    given = np.array([[1, 1, 1], [1, 1, MISSING], [5, 5, 5], [5, 5, 5], [1, 5, 1], [MISSING] * 3], dtype=np.int8)
    for found in (listwise(one_group(given, low=1, high=5)), pairwise(one_group(given, low=1, high=5))):
        assert (found.n_forms[0], found.n_complete[0], found.n_floor[0], found.n_ceiling[0]) == (6, 4, 1, 2)


def test_items_of_different_range_have_a_floor_and_a_ceiling_of_their_own() -> None:
    scale = [
        Contribution("a", np.array([0, 3, 0, 2], dtype=np.int8), 0, 3),
        Contribution("b", np.array([1, 7, 7, 7], dtype=np.int8), 1, 7),
    ]
    found = listwise(ItemTable.of(scale, groups=None, n_groups=1))
    assert (found.n_floor.tolist(), found.n_ceiling.tolist()) == ([1], [1])


@pytest.mark.parametrize("gather", [listwise, pairwise])
def test_a_group_has_the_moments_it_has_alone(gather) -> None:
    given = answers(900, 6, gaps=0.04)
    groups = np.random.default_rng(5).integers(-1, 4, len(given))
    groups[groups == 2] = 1
    found = gather(ItemTable.of(contributions(given), groups=groups, n_groups=4))
    assert found.n_forms.tolist() == [(groups == g).sum() for g in range(4)]
    for group in (0, 1, 3):
        alone = gather(one_group(given[groups == group]))
        for name, together in found._asdict().items():
            np.testing.assert_array_equal(together[group], getattr(alone, name)[0], err_msg=name)
    assert found.n_forms[2] == 0
    assert np.isnan(found.of_sum[2])


def test_sums_of_large_answers_do_not_wrap() -> None:
    """300 forms of 53 fours: as int8 the total of one form would already be -44."""
    given = np.full((300, 53), 4, dtype=np.int8)
    given[:150] = 0
    found = listwise(one_group(given))
    assert found.mean[0].tolist() == [2.0] * 53
    assert found.of_sum[0] == pytest.approx(150 * 150 / 300 * 212**2 / 299)
    assert (found.n_floor[0], found.n_ceiling[0]) == (150, 150)


def test_a_constant_has_no_variance_to_the_last_bit() -> None:
    given = np.full((100_003, 7), 3, dtype=np.int8)
    for found in (listwise(one_group(given)), pairwise(one_group(given))):
        assert found.of_sum.tolist() == [0.0]
        assert not found.variance.any()


@pytest.mark.parametrize("gather", [listwise, pairwise])
@pytest.mark.parametrize("wrong", [5, -1, 127])
def test_an_answer_out_of_bounds_is_refused_with_its_item_and_without_its_value(gather, wrong: int) -> None:
    given = answers(50, 4, gaps=0.1)
    given[17, 2] = wrong
    with pytest.raises(ValueError, match=r"^q2: answers outside the bounds of the items$"):
        gather(one_group(given))


def test_what_does_not_fit_together_is_refused() -> None:
    scale = contributions(answers(5, 3))
    with pytest.raises(ValueError, match="without items"):
        ItemTable.of([], groups=None, n_groups=1)
    with pytest.raises(ValueError, match="number of rows"):
        ItemTable.of([*scale, Contribution("r", np.zeros(4, dtype=np.int8), 0, 4)], groups=None, n_groups=1)
    with pytest.raises(TypeError, match="not so: w"):
        ItemTable.of([Contribution("w", np.zeros(5, dtype=np.int64), 0, 4)], groups=None, n_groups=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="need 'groups'"):
        ItemTable.of(scale, groups=None, n_groups=2)
    with pytest.raises(ValueError, match="has 4 rows"):
        ItemTable.of(scale, groups=np.zeros(4, dtype=int), n_groups=1)
    for outside in (-2, 1):
        with pytest.raises(ValueError, match=r"outside 0\.\.0"):
            ItemTable.of(scale, groups=np.array([0, 0, outside, 0, 0]), n_groups=1)


@pytest.mark.parametrize("gather", [listwise, pairwise])
def test_memory_does_not_grow_with_the_number_of_forms(gather) -> None:
    """Beside the answers themselves: a few blocks, for ten times as many forms the same."""
    extra = []
    for n in (30_000, 300_000):
        table = one_group(np.tile(answers(3_000, 10, gaps=0.03), (n // 3_000, 1)))
        tracemalloc.start()
        found = gather(table)
        persons(table, found, least=2)
        extra.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert extra[1] < 1.1 * extra[0] < 8_000_000
