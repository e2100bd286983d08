"""Intervals: behaviour at the edges; reference numbers are in tests/reference."""

import numpy as np
import pytest

from mbt_rom import intervals


def test_nobody_eligible_has_no_share_and_no_limits():
    share, lower, upper = intervals.wilson(count=[0, np.nan], n=[0, np.nan])
    assert np.isnan([share, lower, upper]).all()


def test_limits_stay_within_0_and_1_and_touch_them_only_at_the_ends():
    _, lower, upper = intervals.wilson(count=np.arange(21), n=20)
    assert lower[0] == 0
    assert upper[20] == 1
    assert ((lower[1:] > 0) & (upper[:-1] < 1)).all()
    assert (np.diff(lower) > 0).all()


def test_a_count_above_its_n_is_refused():
    with pytest.raises(ValueError, match=r"outside 0\.\.n"):
        intervals.wilson(count=[3, 12], n=[10, 10])


def test_mean_of_one_patient_has_no_interval():
    lower, upper = intervals.mean_t(mean=[5.0, 5.0], sd=[np.nan, 1.0], n=[1, 4])
    assert np.isnan([lower[0], upper[0]]).all()
    assert lower[1] < 5 < upper[1]
