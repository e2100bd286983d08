"""Who answers: a model of response at a moment, and how those who answered differed at the start from those who did not.

Belongs here: the rows behind both, the logistic model with errors that allow for several moments of one patient, standardised
differences. Does not belong here: how many answered (`schedule.response`), weighting or imputing what is missing.

Both describe; neither says why somebody did not answer. They stay inside the programme.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import attendance, people, schedule
from mbt_rom.model import Instrument
from mbt_rom.permissions import Permitted
from mbt_rom.tables import BALANCE, RESPONDERS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Attendance is looked at in so many days before the moment was due.
ATTENDANCE_DAYS = 91
#: Fewer answers, or fewer missed forms, per coefficient: not estimated (Peduzzi et al. 1996, J Clin Epidemiol 49:1373-1379).
EVENTS_PER_COEFFICIENT = 10
#: A term known of fewer of the forms is left out of the model, not the forms of which it is unknown. Ours.
KNOWN_SHARE = 0.5
#: Fewer on either side: no standardised difference. Ours.
FEWEST = 5
TERMS = ("baseline_severity", "attendance", "left_treatment", "years_since_start")
VARIABLES = (*TERMS[:3], "age", "is_female")
_BINARY = ("left_treatment", "is_female")
_CASE = ["programme_id", "patient_id", "episode_id"]


def response_rows(
    expected: pd.DataFrame,
    trajectories: pd.DataFrame,
    episodes: pd.DataFrame,
    patients: pd.DataFrame,
    contacts: pd.DataFrame,
    *,
    permitted: Permitted,
    definitions: Mapping[str, Instrument],
    closures: attendance.Closures | None = None,
) -> pd.DataFrame:
    """One row per form that should have come by now after the start, with what is known beforehand of whom it was asked.

    Inputs are rows of the tables and registers of these names; of people who do not permit model fitting there is no row, and no answer is read. `is_received`; `baseline_severity` (primary scale of the same instrument
    at baseline, turned so that higher is worse, in SDs of these people's baselines in the programme); `attendance` (share of offered contacts
    kept in the three months before it was due, or before the treatment ended where that was earlier; missing without contacts); `left_treatment` (before it was due, 0 or 1; whatever
    the reason but death); `years_since_start` (of the moment); `age` and `is_female`.
    """
    expected, trajectories = permitted.only(expected), permitted.only(trajectories)
    asked = expected[expected["status"].isin(["received", "missed"]) & expected["due_on"].notna()]
    months = asked["moment"].map({m: schedule.month_of(m) for m in asked["moment"].unique()})
    asked = asked.assign(months=months)[(months > 0).to_numpy(dtype=bool)].reset_index(drop=True)
    rows = asked[[*_CASE, "instrument", "moment", "due_on"]].assign(
        is_received=(asked["status"] == "received").astype("int64"),
        years_since_start=asked["months"].astype(float) / 12,
    )
    rows = rows.merge(_severity(trajectories, definitions), on=[*_CASE, "instrument"], how="left")
    ended = episodes.loc[episodes["end_reason"].fillna("") != "died", [*_CASE, "ended_on"]]
    ended_on = rows[_CASE].merge(ended, on=_CASE, how="left")["ended_on"]
    rows["left_treatment"] = (ended_on < rows["due_on"]).astype(float)
    rows["until_on"] = pd.concat([rows["due_on"], ended_on], axis=1).min(axis=1)
    rows["attendance"] = attendance.share_before(rows, contacts, on="until_on", days=ATTENDANCE_DAYS, closures=closures)
    background = people.behind(rows, patients, on="due_on")
    sex = pd.Series(background.sexes, index=rows.index)
    return rows.assign(age=background.ages, is_female=(sex == "female").astype(float).where(sex.notna()))


def _severity(trajectories: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    scales = {i: d.primary for i, d in definitions.items()}
    rows = trajectories[trajectories["moment"] == schedule.BASELINE]
    rows = rows[rows["scale"] == rows["instrument"].map({i: s.id for i, s in scales.items()})].dropna(subset=["score"])
    rows = rows.drop_duplicates([*_CASE, "instrument"])
    sign = (
        rows["instrument"]
        .map({i: 1.0 if s.direction == "lower_is_better" else -1.0 for i, s in scales.items()})
        .astype(float)
    )
    by = rows["score"].groupby([rows["programme_id"], rows["instrument"]])
    spread = by.transform("std")
    severity = sign * (rows["score"] - by.transform("mean")) / spread.where(spread > 0)
    return rows[[*_CASE, "instrument"]].assign(baseline_severity=severity)


# ---- the model ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fit:
    """Coefficients on the log-odds with their cluster-robust standard errors, in the order of the columns."""

    coefficients: Floats
    errors: Floats


def logit(y: npt.ArrayLike, x: npt.ArrayLike, *, clusters: npt.ArrayLike) -> Fit:
    """Logistic regression by maximum likelihood, with standard errors that hold when rows of a cluster go together.

    `y`: 0 or 1; `x`: rows x columns, an intercept among them. Newton-Raphson. With bread B = (X'WX)^-1 and per cluster the sum u of
    x (y - p): variance B (sum of uu') B x G/(G-1) x (n-1)/(n-k), G clusters. Source: Liang and Zeger (1986), Biometrika
    73:13-22, with the small-sample factor that Stata and statsmodels use. Checked against statsmodels and, for one yes-or-no
    column, the odds ratio of its table. Raises ValueError where the columns separate the answers or do not determine the coefficients.
    """
    answers, design = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise ValueError("the columns do not determine the coefficients")
    if is_separated(answers, design):
        raise ValueError("the columns separate the answers")
    beta = np.zeros(design.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-design @ beta))
        information = design.T @ (design * (p * (1 - p))[:, None])
        step = np.linalg.solve(information, design.T @ (answers - p))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return Fit(beta, _cluster_errors(answers, design, beta, np.asarray(clusters)))


def _cluster_errors(y: Floats, x: Floats, beta: Floats, clusters: npt.NDArray[Any]) -> Floats:
    p = 1 / (1 + np.exp(-x @ beta))
    bread = np.linalg.inv(x.T @ (x * (p * (1 - p))[:, None]))
    _, number = np.unique(clusters, return_inverse=True)
    sums = np.zeros((number.max() + 1, x.shape[1]))
    np.add.at(sums, number, x * (y - p)[:, None])
    groups, (n, k) = len(sums), x.shape
    factor = groups / (groups - 1) * (n - 1) / (n - k)
    return np.asarray(np.sqrt(np.diag(bread @ sums.T @ sums @ bread) * factor))


def is_separated(y: npt.ArrayLike, x: npt.ArrayLike) -> bool:
    """True when some combination of the columns tells all answers apart, so that a coefficient would be infinite.

    Linear programme: the largest sum of (2y - 1) x'b over -1 <= b <= 1 with every term at least 0; positive when separated,
    completely or in part (Albert and Anderson 1984, Biometrika 71:1-10).

    >>> ones = [[1, 0], [1, 1], [1, 2], [1, 3]]
    >>> is_separated([0, 0, 1, 1], ones), is_separated([0, 1, 0, 1], ones)
    (True, False)
    """
    from scipy.optimize import linprog

    signed = (2 * np.asarray(y, dtype=float) - 1)[:, None] * np.asarray(x, dtype=float)
    distinct = np.unique(signed, axis=0)
    found = linprog(-distinct.sum(axis=0), A_ub=-distinct, b_ub=np.zeros(len(distinct)), bounds=(-1, 1))
    return found.fun is not None and bool(found.fun < -1e-7)


def responders(rows: pd.DataFrame) -> pd.DataFrame:
    """The model of every programme and instrument: rows of `outcomes/responders`.

    `rows`: from `response_rows`. Left out, and counted: rows without a term. A term of which a programme knows nothing, or too
    little (`KNOWN_SHARE`; a young register of contacts), or that does not vary, is left out of its model. Not estimated, with the reason: too_few_events (fewer than `EVENTS_PER_COEFFICIENT` answers
    or missed forms per coefficient, the intercept included) and separation.
    """
    found = [_model(str(p), str(i), mine) for (p, i), mine in rows.groupby(["programme_id", "instrument"])]
    return RESPONDERS.conform(pd.concat(found, ignore_index=True) if found else RESPONDERS.empty())


def _model(programme: str, instrument: str, rows: pd.DataFrame) -> pd.DataFrame:
    known = {t: rows[t].notna().mean() for t in TERMS}
    used = rows.dropna(subset=[t for t in TERMS if known[t] >= KNOWN_SHARE])
    terms = [t for t in TERMS if known[t] >= KNOWN_SHARE and used[t].max() > used[t].min()]
    n, events = len(used), int(min(used["is_received"].sum(), (1 - used["is_received"]).sum()))
    table = pd.DataFrame({"term": ["intercept", *TERMS]}).assign(
        programme_id=programme,
        instrument=instrument,
        n_rows=n,
        n_patients=used["patient_id"].nunique(),
        n_received=int(used["is_received"].sum()),
        n_left_out=len(rows) - n,
    )
    why = {
        t: "no_data" if known[t] == 0 else "mostly_unknown" if known[t] < KNOWN_SHARE else "no_spread" for t in TERMS
    }
    absent = table["term"].map({t: why[t] for t in TERMS if t not in terms}).astype(object)
    if events < EVENTS_PER_COEFFICIENT * (len(terms) + 1):
        return table.assign(reason=absent.fillna("too_few_events"))
    design = np.column_stack([np.ones(n), used[terms].to_numpy(dtype=float)])
    try:
        fit = logit(used["is_received"], design, clusters=used["patient_id"].to_numpy(dtype=object).astype(str))
    except ValueError:
        return table.assign(reason=absent.fillna("separation"))
    place = table["term"].map({t: k for k, t in enumerate(["intercept", *terms])})
    beta, error = (pd.Series(v).reindex(place).to_numpy() for v in (fit.coefficients, fit.errors))
    z = NormalDist().inv_cdf(0.975)
    limits = {"lower_95": beta - z * error, "upper_95": beta + z * error}
    odds = {
        "odds_ratio": np.exp(beta),
        "odds_ratio_lower_95": np.exp(beta - z * error),
        "odds_ratio_upper_95": np.exp(beta + z * error),
    }
    return table.assign(coefficient=beta, standard_error=error, **limits, **odds, reason=absent)


# ---- balance --------------------------------------------------------------------------------------------------------------------


def balance(rows: pd.DataFrame) -> pd.DataFrame:
    """Those who answered beside those who did not, per programme, instrument and moment: rows of `outcomes/balance`.

    `rows`: from `response_rows`. Standardised difference: of means over sqrt((s1^2 + s2^2) / 2), of shares over
    sqrt((p1 (1 - p1) + p2 (1 - p2)) / 2), those who answered minus the others. Over 0.1 is commonly called an imbalance. Source: Austin
    (2009), Statistics in Medicine 28:3083-3107. Its error: sqrt((n1 + n2) / (n1 n2) + d^2 / (2 (n1 + n2))) (Hedges and Olkin
    1985). Missing with fewer than `FEWEST` on a side or no spread.
    """
    found = [
        row for key, mine in rows.groupby(["programme_id", "instrument", "moment"]) for row in _balance_of(key, mine)
    ]
    return BALANCE.conform(pd.DataFrame(found, columns=BALANCE.column_names))


def _balance_of(key: Any, rows: pd.DataFrame) -> Iterator[dict[str, Any]]:
    came = rows["is_received"] == 1
    for variable in VARIABLES:
        first, second = rows.loc[came, variable].dropna(), rows.loc[~came, variable].dropna()
        difference = standardised_difference(first, second, is_share=variable in _BINARY)
        error = difference_error(difference, len(first), len(second))
        z = NormalDist().inv_cdf(0.975)
        yield {
            **dict(zip(("programme_id", "instrument", "moment"), key, strict=True)),
            "variable": variable,
            "n_responders": len(first),
            "n_others": len(second),
            "responders_mean": first.mean(),
            "others_mean": second.mean(),
            "difference": difference,
            "lower_95": difference - z * error,
            "upper_95": difference + z * error,
            "reason": _why_missing(first, second, difference),
        }


def _why_missing(first: pd.Series, second: pd.Series, difference: float) -> str | None:
    if not len(first) + len(second):
        return "no_data"
    if min(len(first), len(second)) < FEWEST:
        return "too_few_persons"
    return "no_spread" if np.isnan(difference) else None


def standardised_difference(first: npt.ArrayLike, second: npt.ArrayLike, *, is_share: bool) -> float:
    """Difference of two groups in units of their common SD; missing (NaN) with fewer than `FEWEST` on a side or no spread.

    >>> standardised_difference([1, 2, 3, 4, 5], [3, 4, 5, 6, 7], is_share=False)
    -1.26...
    """
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(len(a), len(b)) < FEWEST:
        return float("nan")
    spread = [v.mean() * (1 - v.mean()) if is_share else v.var(ddof=1) for v in (a, b)]
    common = np.sqrt(sum(spread) / 2)
    return float((a.mean() - b.mean()) / common) if common > 0 else float("nan")


def difference_error(difference: float, n_first: int, n_second: int) -> float:
    """Standard error of a standardised difference (Hedges and Olkin 1985); missing where the difference is.

    >>> round(difference_error(0.5, 50, 50), 4)
    0.2031
    """
    if np.isnan(difference):
        return float("nan")
    n = n_first + n_second
    return float(np.sqrt(n / (n_first * n_second) + difference**2 / (2 * n)))
