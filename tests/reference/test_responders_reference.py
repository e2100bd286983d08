"""Logistic regression with errors by cluster against statsmodels and the odds ratio of a table."""

import numpy as np
import pytest
import statsmodels.api as sm

from mbt_rom import responders


def test_one_yes_or_no_column_gives_the_odds_ratio_of_its_table():
    """10 of 40 and 30 of 50: log odds ratio log(30 x 30 / (20 x 10)), intercept log(10 / 30)."""
    x = np.repeat([0, 1], [40, 50])
    y = np.concatenate([np.repeat([1, 0], [10, 30]), np.repeat([1, 0], [30, 20])])
    fit = responders.logit(y, np.column_stack([np.ones(90), x]), clusters=np.arange(90))
    assert fit.coefficients == pytest.approx([np.log(10 / 30), np.log(30 * 30 / (20 * 10))])


@pytest.mark.parametrize("seed", range(4))
def test_coefficients_and_cluster_errors_are_those_of_statsmodels(seed):
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, 60, 300)
    x = np.column_stack([np.ones(300), rng.normal(size=(300, 2)), clusters % 2])
    y = (rng.uniform(size=300) < 1 / (1 + np.exp(-(0.3 + x[:, 1] - 0.5 * x[:, 3])))).astype(int)
    theirs = sm.GLM(y, x, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, tol=1e-12, maxiter=200
    )
    ours = responders.logit(y, x, clusters=clusters)
    np.testing.assert_allclose(ours.coefficients, theirs.params, rtol=1e-6)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=1e-5)


def test_separation_is_found_in_full_and_in_part():
    x = np.column_stack([np.ones(6), [0, 0, 0, 1, 1, 1]])
    assert responders.is_separated([0, 0, 0, 1, 1, 1], x)
    assert responders.is_separated([0, 1, 0, 1, 1, 1], x), "an empty cell is separation in part"
    assert not responders.is_separated([0, 1, 0, 1, 0, 1], x)
