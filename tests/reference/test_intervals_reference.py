"""Intervals against printed and independently computed numbers."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from mbt_rom import intervals


@pytest.mark.parametrize(
    ("count", "n", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_worked_examples_of_newcombe(count, n, lower, upper):
    """Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3 (score without continuity correction)."""
    _, low, high = intervals.wilson(count=count, n=n)
    assert (round(float(low), 4), round(float(high), 4)) == (lower, upper)


def test_wilson_agrees_with_statsmodels_at_every_count():
    for n in (1, 7, 40, 1000):
        counts = np.arange(n + 1)
        _, lower, upper = intervals.wilson(count=counts, n=n)
        theirs = proportion_confint(counts, n, method="wilson")
        np.testing.assert_allclose([lower, upper], theirs, atol=1e-12)


def test_mean_agrees_with_statsmodels():
    values = np.array([12.0, 15.5, 9.0, 21.0, 18.5, 11.0])
    theirs = DescrStatsW(values).tconfint_mean()
    ours = intervals.mean_t(mean=values.mean(), sd=values.std(ddof=1), n=6)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_mean_of_gossets_sleep_data():
    """Student (1908), extra hours of sleep with drug 1, n = 10: mean 0.75, SD 1.789, limits -0.53 and 2.03 (R: t.test(extra[group == 1]))."""
    lower, upper = intervals.mean_t(mean=0.75, sd=1.789010, n=10)
    assert (round(float(lower), 3), round(float(upper), 3)) == (-0.530, 2.030)
