"""Confidence intervals of a share and of a mean, for any number of rows at once.

Belongs here: interval formulas on counts, means and SDs. Does not belong here: which counts may be shown (`disclosure`),
funnel limits, intervals that need a model.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def wilson(*, count: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
    """Share `count / n` with its lower and upper Wilson score limit; all three missing (NaN) where n is 0 or missing.

    With z the normal quantile and p = count / n: (p + z^2/2n -/+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), without
    continuity correction. Unlike p -/+ z SE it stays within 0..1 and has width at 0 and n.
    Source: Wilson (1927); method 3 of Newcombe (1998), Statistics in Medicine 17:857-872. Checked against Newcombe's
    table I and statsmodels. Raises ValueError where a count is negative or larger than its n.

    >>> [round(float(x), 4) for x in wilson(count=81, n=263)]
    [0.308, 0.2553, 0.3662]
    """
    k, size = np.broadcast_arrays(np.asarray(count, dtype=float), np.asarray(n, dtype=float))
    if np.any(k < 0) or np.any(k > size):
        raise ValueError("a count lies outside 0..n")
    size = np.where(size > 0, size, np.nan)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share = k / size
    middle = (share + z**2 / (2 * size)) / (1 + z**2 / size)
    half = z * np.sqrt(share * (1 - share) / size + z**2 / (4 * size**2)) / (1 + z**2 / size)
    return share, np.where(k == 0, share, middle - half), np.where(k == size, share, middle + half)


def mean_t(
    *, mean: npt.ArrayLike, sd: npt.ArrayLike, n: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Lower and upper limit of a mean: mean -/+ t(n-1) sd / sqrt(n); missing (NaN) where n < 2.

    `sd` is the sample standard deviation (divisor n - 1). Student (1908). Assumes independent observations and a mean
    that is about normally distributed.

    >>> [round(float(x), 2) for x in mean_t(mean=10.0, sd=2.0, n=16)]
    [8.93, 11.07]
    """
    from scipy.special import stdtrit

    size = np.asarray(n, dtype=float)
    size = np.where(size >= 2, size, np.nan)
    half = stdtrit(size - 1, 0.5 + confidence / 2) * np.asarray(sd, dtype=float) / np.sqrt(size)
    return np.asarray(mean, dtype=float) - half, np.asarray(mean, dtype=float) + half
