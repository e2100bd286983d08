"""Time until something happens, seen for as long as it could be: Kaplan-Meier, and Aalen-Johansen for ends that compete.

Belongs here: the two estimators, their standard errors and limits, for one group. Does not belong here: who is in a group and
what counts as an end (`flow`), which numbers may be shown (`disclosure`).

Times are whole days. Somebody whose time is known only to be longer is *censored*, at the last day on which that was known; at a
day on which some end and others are censored, those censored still count as at risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Curve:
    """A share at each distinct time of a group, with its standard error; `at_risk` is counted just before the time.

    `is_falling` tells a curve of those left (from 1 down) from one of those to whom it happened (from 0 up); `is_exhausted` is
    true when the last of the group was seen to end, so that the curve does not change any more.
    """

    times: Floats
    share: Floats
    se: Floats
    at_risk: Ints
    n: int
    is_falling: bool
    is_exhausted: bool

    def at(self, times: npt.ArrayLike, *, confidence: float = 0.95) -> tuple[Floats, Floats, Floats]:
        """The share at these times with its lower and upper limit.

        Limits on the scale log(-log(share)): share ^ exp(-/+ z se / (share log(share))), which stays within 0..1. Source:
        Kalbfleisch and Prentice (1980); for competing ends Pintilie (2006), p. 58. Missing (NaN) after the last time at which
        anybody was seen, unless nobody was left by then; there are no limits where the share is 0 or 1.
        """
        when = np.asarray(times, dtype=float)
        place = np.searchsorted(self.times, when, side="right")
        share = np.append(1.0 if self.is_falling else 0.0, self.share)[place]
        se = np.append(0.0, self.se)[place]
        unknown = np.isnan(self._known(when))
        share, se = np.where(unknown, np.nan, share), np.where(unknown, np.nan, se)
        lower, upper = _log_log_limits(share, se, z=NormalDist().inv_cdf(0.5 + confidence / 2))
        return share, lower, upper

    def n_at_risk(self, times: npt.ArrayLike) -> Ints:
        """How many were still at risk at these times: seen until then at least, and without an end before it."""
        place = np.searchsorted(self.times, np.asarray(times, dtype=float), side="left")
        return np.append(self.at_risk, 0)[place]

    def _known(self, when: Floats) -> Floats:
        """Times at which the share is known; after the last one that was seen only where nobody was left."""
        last = np.inf if self.is_exhausted else self.times.max(initial=-np.inf)
        return np.where(when <= last, when, np.nan)


def kaplan_meier(days: npt.ArrayLike, *, has_ended: npt.ArrayLike) -> Curve:
    """Share to whom it has not happened yet, by the product-limit estimator.

    `days`: time of each person; `has_ended`: whether it happened then, or is known only not to have happened before. With d of the
    n at risk at a time: S(t) = product of (1 - d/n); variance by Greenwood, S^2 x sum of d / (n (n - d)). Source: Kaplan and
    Meier (1958), Journal of the American Statistical Association 53:457-481. Checked against the 6-MP data of Freireich et al.
    (1963) as Stata prints them, and statsmodels. Raises ValueError where a time is negative or missing.

    >>> curve = kaplan_meier([3, 5, 5, 8], has_ended=[True, True, False, True])
    >>> curve.times.tolist(), curve.share.round(3).tolist(), curve.at_risk.tolist()
    ([3.0, 5.0, 8.0], [0.75, 0.5, 0.0], [4, 3, 1])
    """
    steps = _steps(days, np.asarray(has_ended, dtype=np.int64), kinds=1)
    left, variance = _left(steps)
    se = left * np.sqrt(variance)
    return Curve(steps.times, left, se, steps.at_risk, steps.n, is_falling=True, is_exhausted=_is_exhausted(left))


def cumulative_incidence(days: npt.ArrayLike, *, end: npt.ArrayLike, kinds: int) -> list[Curve]:
    """Share to whom each of several ends has happened, where one end rules out the others, by Aalen and Johansen.

    `end`: 0 for somebody who was still there at that time, else the number of the end, 1 .. `kinds`. With d_j ends of kind j among
    the n at risk at a time: F_j(t) = sum of S(before) d_j / n, where S is Kaplan-Meier over all ends, so that all F_j and S add
    up to 1. One minus Kaplan-Meier of a single end would count those who ended otherwise as if they might still end so.
    Variance by the delta method: with h = d_j / n, sum of [F(t) - F(s)]^2 d / (n (n - d)) + S(before)^2 h (1 - h) / n -
    2 [F(t) - F(s)] S(before) h / n. Source: Aalen and Johansen (1978), Scandinavian Journal of Statistics 5:141-150; Marubini
    and Valsecchi (1995), section 10.3. Checked against R (cmprsk) for the shares, Stata (stcompet) for the errors, and statsmodels.

    >>> dropped, completed = cumulative_incidence([2, 4, 4, 6], end=[1, 0, 2, 2], kinds=2)
    >>> dropped.at([1, 5])[0].tolist(), completed.at([1, 5, 6])[0].round(3).tolist()
    ([0.0, 0.25], [0.0, 0.25, 0.75])
    """
    ends = np.asarray(end, dtype=np.int64)
    if ends.size and not 0 <= ends.min() <= ends.max() <= kinds:
        raise ValueError(f"an end lies outside 0..{kinds}")
    steps = _steps(days, ends, kinds=kinds)
    left, _ = _left(steps)
    before = np.append(1.0, left[:-1])
    curves = []
    for counted in steps.ended:
        hazard = counted / steps.at_risk
        share = np.cumsum(before * hazard)
        se = np.sqrt(np.maximum(_incidence_variance(steps, share, before, hazard), 0))
        curve = Curve(
            steps.times, share, se, steps.at_risk, steps.n, is_falling=False, is_exhausted=_is_exhausted(left)
        )
        curves.append(curve)
    return curves


def _is_exhausted(left: Floats) -> bool:
    return len(left) > 0 and bool(left[-1] <= 0)


@dataclass(frozen=True)
class _Steps:
    """Distinct times; how many were at risk just before each, and how many ended at it, per kind (kinds x times)."""

    times: Floats
    at_risk: Ints
    ended: Ints
    n: int


def _steps(days: npt.ArrayLike, ends: Ints, *, kinds: int) -> _Steps:
    time = np.asarray(days, dtype=float)
    if np.isnan(time).any() or (time < 0).any():
        raise ValueError("a time is negative or missing")
    times, rank = np.unique(time, return_inverse=True)
    leaving = np.bincount(rank, minlength=len(times))
    at_risk = leaving[::-1].cumsum()[::-1].astype(np.int64)
    ended = [np.bincount(rank[ends == kind + 1], minlength=len(times)) for kind in range(kinds)]
    return _Steps(times, at_risk, np.array(ended, dtype=np.int64).reshape(kinds, len(times)), len(time))


def _left(steps: _Steps) -> tuple[Floats, Floats]:
    """Share left after each time, and the sum of Greenwood's formula; that has no value once nobody is left."""
    ended = steps.ended.sum(axis=0)
    rest = steps.at_risk - ended
    terms = np.divide(ended, steps.at_risk * rest, out=np.zeros(len(ended)), where=rest > 0)
    variance = np.cumsum(terms)
    return np.cumprod(rest / steps.at_risk), np.where(rest > 0, variance, np.nan)


def _incidence_variance(steps: _Steps, share: Floats, before: Floats, hazard: Floats) -> Floats:
    ended = steps.ended.sum(axis=0)
    rest = steps.at_risk - ended
    # where nobody is left F(t) - F(s) is 0 from then on, so that the term falls away
    greenwood = np.divide(ended, steps.at_risk * rest, out=np.zeros(len(ended)), where=rest > 0)
    own = before**2 * hazard * (1 - hazard) / steps.at_risk
    cross = before * hazard / steps.at_risk
    return np.asarray(
        share**2 * np.cumsum(greenwood)
        - 2 * share * np.cumsum(share * greenwood)
        + np.cumsum(share**2 * greenwood)
        + np.cumsum(own)
        - 2 * (share * np.cumsum(cross) - np.cumsum(share * cross))
    )


def _log_log_limits(share: Floats, se: Floats, *, z: float) -> tuple[Floats, Floats]:
    inside = (share > 0) & (share < 1) & ~np.isnan(se)
    base = np.where(inside, share, 0.5)
    width = z * np.where(inside, se, 0) / np.abs(base * np.log(base))
    return (
        np.where(inside, base ** np.exp(width), np.nan),
        np.where(inside, base ** np.exp(-width), np.nan),
    )


def median_time(curve: Curve) -> float:
    """First time at which half or fewer are left; missing (NaN) when that was not reached.

    >>> median_time(kaplan_meier([3, 5, 5, 8], has_ended=[True, True, False, True]))
    5.0
    """
    reached = np.flatnonzero(curve.share <= 0.5 + 1e-12)
    return float(curve.times[reached[0]]) if len(reached) else float("nan")


def median_limits(curve: Curve, *, confidence: float = 0.95) -> tuple[float, float]:
    """Limits of the median by Brookmeyer and Crowley (1982): first times at which the lower, then the upper limit is at most 0.5.

    Missing (NaN) where a limit never comes that low.
    """
    _, lower, upper = curve.at(curve.times, confidence=confidence)
    lower, upper = (np.where(curve.share <= 0, 0.0, limit) for limit in (lower, upper))
    found = [np.flatnonzero(limit <= 0.5) for limit in (lower, upper)]
    first, last = (float(curve.times[f[0]]) if len(f) else float("nan") for f in found)
    return first, last
