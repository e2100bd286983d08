"""A delivery against those before it: the statistics by hand and by brute force, and how often they cry wolf.

The rates of `docs/plausibility.md` come from the same simulation with more forms; here enough of it runs to see it break.
"""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from mbt_rom import drift
from mbt_rom.registry import instrument
from mbt_rom.synthetic.answers import MISSING, answers
from mbt_rom.synthetic.streams import Streams

PHQ9 = instrument("phq9")


def test_each_patient_is_compared_once_with_the_first_form():
    rows = pd.DataFrame(
        [
            ("p1", "2024-01-01", "2024-02-01", "d1", "r1"),
            ("p1", "2024-07-01", "2024-08-01", "d2", "r2"),  # was there before
            ("p2", "2024-07-02", "2024-08-01", "d2", "r3"),
            ("p2", "2024-07-30", "2024-08-01", "d2", "r4"),  # the second of a new patient
            (None, "2024-07-03", "2024-08-01", "d2", "r5"),
        ],
        columns=["patient_id", "administered_on", "received_at", "delivery_id", "row_id"],
    )
    for shuffled in (rows, rows.iloc[::-1]):
        groups = drift.newest_and_before(shuffled)
        assert groups.delivery_id == "d2"
        assert groups.new["row_id"].tolist() == ["r3"]
        assert groups.past["row_id"].tolist() == ["r1"]
        assert not groups.are_large_enough


def test_the_chance_is_that_of_all_ways_to_deal_the_patients():
    """Eight patients, three new, two items: of all 56 deals, 1 in p is as far from what is expected as the one that was seen."""
    cells = [np.eye(2)[[0, 0, 0, 1, 1, 1, 1, 0]], np.eye(3)[[2, 1, 2, 0, 1, 0, 0, 0]]]

    def far(chosen):
        total = 0.0
        for cell in cells:
            expected = cell.sum(axis=0) * 3 / 8
            seen = cell[list(chosen)].sum(axis=0)
            total += (((seen - expected) ** 2 / expected).sum() / (cell.shape[1] - 1)) ** 3
        return total

    exact = np.mean([far(chosen) >= far((0, 1, 2)) - 1e-9 for chosen in combinations(range(8), 3)])
    found = [drift.permutation_p(cells, n_new=3, rng=np.random.default_rng(seed)) for seed in range(60)]
    assert np.mean(found) == pytest.approx(exact, abs=0.02)


def test_where_everybody_answers_the_same_nothing_drifted():
    assert drift.permutation_p([np.ones((80, 1))], n_new=20, rng=np.random.default_rng(0)) == 1.0


def test_the_gain_of_an_exchange_is_that_of_the_normal_model():
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((4, 4))
    past, new = rng.standard_normal((200, 4)) @ mix + rng.standard_normal(4), rng.standard_normal((30, 4)) @ mix
    covariance = np.cov(past, rowvar=False)
    shrunk = covariance * (1 - drift.SHRINKAGE) + np.diag(np.diag(covariance)) * drift.SHRINKAGE

    def log_likelihood(rows):
        """Of the best common shift, found by trying."""
        from scipy.optimize import minimize_scalar
        from scipy.stats import multivariate_normal

        def loss(shift):
            return -multivariate_normal(past.mean(axis=0) + shift, shrunk).logpdf(rows).sum()

        return -minimize_scalar(loss, bounds=(-10, 10), method="bounded", options={"xatol": 1e-9}).fun

    gains = drift.swap_gains(new, past)
    for i, j in combinations(range(4), 2):
        order = np.arange(4)
        order[[i, j]] = j, i
        expected = log_likelihood(new[:, order]) - log_likelihood(new)
        assert [gains[i, j], gains[j, i]] == pytest.approx([expected] * 2, abs=1e-5)
    assert np.isneginf(np.diag(gains)).all()


def test_an_item_that_never_varied_says_nothing():
    rng = np.random.default_rng(2)
    past, new = rng.standard_normal((100, 3)), rng.standard_normal((30, 3))
    past[:, 1] = 2
    assert np.isneginf(drift.swap_gains(new, past)[1]).all()


# ---- simulation -----------------------------------------------------------------------------------------------------------------


def groups(seed, *, n_new=40, n_past=120, change=lambda new: new):
    """New and earlier patients of the synthetic model, who differ in nothing but what `change` does to the new ones."""
    rng = np.random.default_rng(seed)
    n = n_new + n_past
    made = answers(PHQ9, distress=rng.standard_normal(n), who=np.arange(n), streams=Streams(seed=seed, programme=0))
    frame = pd.DataFrame(made.astype(float), columns=PHQ9.item_ids)
    frame = frame.mask(frame == MISSING)
    return drift.Groups(f"d{seed}", change(frame.iloc[:n_new].copy()), frame.iloc[n_new:])


def one_too_high(new):
    return (new + 1).clip(upper=3)


def exchanged(new):
    """The first and the ninth: worry about death is much rarer than loss of interest."""
    return new.rename(columns={"phq9_01": "phq9_09", "phq9_09": "phq9_01"})[list(PHQ9.item_ids)]


def test_without_a_change_there_is_hardly_ever_an_alarm():
    """Of 200 deliveries 0.2 would drift at the stated chance; three or more have a chance of 1 in 900."""
    n_drifted = sum(drift.drift_p(PHQ9, groups(seed)) <= drift.ALPHA for seed in range(200))
    gains = [drift.likeliest_swap(PHQ9, groups(seed)) for seed in range(200)]
    assert n_drifted <= 2
    assert sum(found is not None and found.gain > drift.SWAP_GAIN for found in gains) <= 2
    assert sum(found is not None for found in gains) > 150


def test_answers_read_one_too_high_are_always_found():
    assert all(drift.drift_p(PHQ9, groups(seed, change=one_too_high)) <= drift.ALPHA for seed in range(10))


def test_two_columns_that_are_unlike_are_found_when_exchanged():
    found = [drift.likeliest_swap(PHQ9, groups(seed, change=exchanged)) for seed in range(10)]
    assert all(swap is not None and swap.items == ("phq9_01", "phq9_09") for swap in found)
    assert all(swap is not None and swap.gain > drift.SWAP_GAIN for swap in found)


def test_the_result_is_the_same_each_night():
    assert drift.drift_p(PHQ9, groups(3)) == drift.drift_p(PHQ9, groups(3))


def test_few_patients_are_not_compared():
    few = groups(1, n_new=19)
    assert np.isnan(drift.drift_p(PHQ9, few))
    assert drift.likeliest_swap(PHQ9, few) is None
