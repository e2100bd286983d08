"""Kaplan-Meier and Aalen-Johansen against printed numbers and other software."""

import numpy as np
import pytest
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from mbt_rom import survival

#: Weeks of remission with 6-mercaptopurine, and whether there was a relapse: Freireich et al. (1963), Blood 21:699-716, table in
#: Cox and Oakes (1984), Analysis of Survival Data, p. 7.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("week", "n", "share", "se", "lower", "upper"),
    [
        (6, 21, 0.8571, 0.0764, 0.6197, 0.9516),
        (7, 17, 0.8067, 0.0869, 0.5631, 0.9228),
        (10, 15, 0.7529, 0.0963, 0.5032, 0.8894),
        (13, 12, 0.6902, 0.1068, 0.4316, 0.8491),
        (16, 11, 0.6275, 0.1141, 0.3675, 0.8049),
        (22, 7, 0.5378, 0.1282, 0.2678, 0.7468),
        (23, 6, 0.4482, 0.1346, 0.1881, 0.6801),
    ],
)
def test_remission_with_6mp_is_as_stata_lists_it(week, n, share, se, lower, upper):
    """Output of `sts list` in Stata, which takes limits on the scale log(-log), for the 6-MP group."""
    curve = survival.kaplan_meier(WEEKS, has_ended=RELAPSED)
    got = [float(x) for x in curve.at(week)]
    assert [round(x, 4) for x in got] == [share, lower, upper]
    assert curve.n_at_risk(week) == n
    assert round(float(curve.se[np.searchsorted(curve.times, week)]), 4) == se


def test_median_remission_is_23_weeks_from_13_on():
    """Median 23 weeks: Kleinbaum and Klein (2012), Survival Analysis, chapter 2; the limits agree with statsmodels."""
    curve = survival.kaplan_meier(WEEKS, has_ended=RELAPSED)
    theirs = SurvfuncRight(np.array(WEEKS), np.array(RELAPSED)).quantile_ci(0.5)
    assert survival.median_time(curve) == 23
    lower, upper = survival.median_limits(curve)
    assert (lower, np.isnan(upper)) == (theirs[0], np.isinf(theirs[1]))


def test_incidence_is_that_of_r_and_its_error_that_of_stata():
    """Shares by R's cuminc (cmprsk), standard errors by Stata's stcompet, both as the tests of statsmodels print them."""
    time = [1, 1, 2, 4, 4, 4, 6, 6, 7, 8, 9, 9, 9, 1, 2, 2, 4, 4]
    end = [1, 1, 1, 2, 2, 2, 3, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]
    first, second, third = survival.cumulative_incidence(time, end=end, kinds=3)
    np.testing.assert_allclose(first.share, [0.11111111, *[0.17037037] * 6], atol=1e-8)
    np.testing.assert_allclose(second.share, [0, 0, *[0.20740741] * 5], atol=1e-8)
    np.testing.assert_allclose(third.share, [0, 0, 0, 0.17777778, *[0.26666667] * 3], atol=1e-8)
    np.testing.assert_allclose(first.se, [0.07407407, *[0.08976251] * 6], atol=1e-8)
    np.testing.assert_allclose(second.se, [0, 0, *[0.10610391] * 5], atol=1e-8)
    np.testing.assert_allclose(third.se, [0, 0, 0, 0.11196147, *[0.12787781] * 3], atol=1e-8)


@pytest.mark.parametrize("seed", range(5))
def test_both_agree_with_statsmodels(seed):
    rng = np.random.default_rng(seed)
    time, end = rng.integers(1, 60, 120), rng.integers(0, 4, 120)
    time[np.argmax(time)], end[np.argmax(time)] = 61, 0
    ours = survival.kaplan_meier(time, has_ended=end > 0)
    theirs = SurvfuncRight(time, (end > 0).astype(int))
    np.testing.assert_allclose(ours.at(theirs.surv_times)[0], theirs.surv_prob, atol=1e-12)
    np.testing.assert_allclose(ours.se[np.isin(ours.times, theirs.surv_times)], theirs.surv_prob_se, atol=1e-12)
    incidence = CumIncidenceRight(time, end)
    for k, curve in enumerate(survival.cumulative_incidence(time, end=end, kinds=3)):
        np.testing.assert_allclose(curve.share, incidence.cinc[k], atol=1e-12)
        np.testing.assert_allclose(curve.se, incidence.cinc_se[k], atol=1e-9)


def test_without_censoring_the_error_is_that_of_a_proportion():
    """20 people, 6 of whom end in the first way by day 10: sqrt(0.3 x 0.7 / 20)."""
    time = np.arange(1, 21)
    end = np.where(np.isin(time, [1, 3, 5, 6, 8, 10, 15]), 1, 2)
    curve, other = survival.cumulative_incidence(time, end=end, kinds=2)
    at = np.searchsorted(curve.times, 10)
    assert curve.share[at] == pytest.approx(0.3)
    assert curve.se[at] == pytest.approx(np.sqrt(0.3 * 0.7 / 20))
    assert curve.share[-1] + other.share[-1] == pytest.approx(1)
