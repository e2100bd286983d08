"""Alpha, its interval, item-total correlations and SEM beside pingouin, statsmodels, scipy and printed numbers.

pingouin rounds its interval to three decimals, and counts the forms before it deletes those with a gap; so its interval is
compared on complete forms, and the unrounded limits with what an R function prints.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin as pg
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.formula.api import ols

from mbt_rom.item_moments import Contribution
from mbt_rom.registry import instrument
from mbt_rom.reliability import Consistency, Policy, contributions_of, feldt, fisher, internal_consistency
from mbt_rom.scoring import MISSING


def consistency(frame: pd.DataFrame, *, missing: Policy = "listwise", low: int = 0, high: int = 20) -> Consistency:
    scale = [
        Contribution(str(name), frame[name].fillna(int(MISSING)).to_numpy(dtype=np.int8), low, high) for name in frame
    ]
    return internal_consistency(scale, missing=missing, min_forms=2)


def wide_likert() -> pd.DataFrame:
    return pg.read_dataset("cronbach_alpha").pivot(index="Subj", columns="Items", values="Scores")


#: Printed in pingouin's documentation, which states them to agree with psych::alpha in R; data of real-statistics.com.
PRINTED = [
    ("pairwise", 0.732660835214447, (0.435, 0.909)),
    ("listwise", 0.8016949152542373, None),
]


@pytest.mark.parametrize(("missing", "alpha", "interval"), PRINTED)
def test_alpha_of_binary_items_with_gaps_is_the_printed_one(missing: Policy, alpha: float, interval) -> None:
    data = pg.read_dataset("cronbach_wide_missing")
    found = consistency(data, missing=missing, high=1)
    assert found.alpha.value[0] == pytest.approx(alpha, abs=1e-12)
    if interval:
        limits = feldt(found.alpha.value[0], n_forms=len(data), n_items=data.shape[1])
        assert tuple(np.round(limits, 3)) == interval


def test_alpha_of_a_likert_scale_is_the_printed_one() -> None:
    """11 items, 150 answers in all; pingouin's documentation prints 0.5917188485995826 and [0.195, 0.84]."""
    found = consistency(wide_likert()).alpha
    assert found.value[0] == pytest.approx(0.5917188485995826, abs=1e-12)
    assert (found.lower[0].round(3), found.upper[0].round(3)) == (0.195, 0.840)


def test_limits_of_alpha_are_those_of_an_r_function() -> None:
    """feldt1.return(0.913, 873, 20) of Chris Evans, on the statistics wiki of the MRC Cognition and Brain Sciences Unit."""
    assert np.round(feldt(0.913, n_forms=873, n_items=20), 7).tolist() == [0.9044024, 0.9211588]


@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
@pytest.mark.parametrize(("n", "k", "gaps"), [(40, 3, 0.0), (300, 9, 0.05), (5_000, 53, 0.03), (9_001, 6, 0.3)])
def test_alpha_is_that_of_pingouin(missing: Policy, n: int, k: int, gaps: float) -> None:
    random = np.random.default_rng(n)
    values = np.clip(np.round(2 + random.normal(size=(n, 1)) + random.normal(size=(n, k))), 0, 4)
    data = pd.DataFrame(np.where(random.random((n, k)) < gaps, np.nan, values))
    found = consistency(data, missing=missing, high=4)
    alpha, _ = pg.cronbach_alpha(data, nan_policy=missing)
    assert found.alpha.value[0] == pytest.approx(alpha, abs=1e-10)
    if missing == "listwise":
        complete = data.dropna()
        alpha, interval = pg.cronbach_alpha(complete)
        assert found.alpha.value[0] == pytest.approx(alpha, abs=1e-10)
        assert np.round([found.alpha.lower[0], found.alpha.upper[0]], 3).tolist() == interval.tolist()


def test_alpha_and_sem_are_those_of_a_two_way_analysis_of_variance() -> None:
    """Hoyt (1941), Psychometrika 6:153-160: alpha = 1 - MS(residual) / MS(persons); and SEM of a sum = sqrt(k MS(residual))."""
    data = wide_likert()
    long = data.reset_index().melt(id_vars="Subj", var_name="item", value_name="answer")
    table = sm.stats.anova_lm(ols("answer ~ C(Subj) + C(item)", data=long).fit())
    square = table["sum_sq"] / table["df"]
    found = consistency(data)
    assert found.alpha.value[0] == pytest.approx(1 - square["Residual"] / square["C(Subj)"], abs=1e-12)
    assert found.sem.value[0] == pytest.approx(np.sqrt(data.shape[1] * square["Residual"]), abs=1e-12)


def test_item_total_correlation_is_that_of_scipy_with_the_sum_of_the_others() -> None:
    data = wide_likert()
    found = consistency(data).item_total
    for i, name in enumerate(data):
        r = stats.pearsonr(data[name], data.drop(columns=name).sum(axis=1))
        interval = r.confidence_interval(0.95)
        assert found.value[0, i] == pytest.approx(r.statistic, abs=1e-12)
        assert (found.lower[0, i], found.upper[0, i]) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_fisher_is_the_interval_of_pingouin() -> None:
    for r, n in ((0.3, 10), (-0.85, 44), (0.999, 500)):
        assert np.round(fisher(r, n=n), 4) == pytest.approx(pg.compute_esci(r, nx=n, ny=n, eftype="r", decimals=4))


@pytest.mark.real_data
@pytest.mark.parametrize("missing", ["listwise", "pairwise"])
def test_phq9_of_nhanes(shared_data: Path, missing: Policy) -> None:
    """Answers of 5,533 people of NHANES 2017-18, of whom 5,068 answered all nine questions."""
    with (shared_data / "data/nhanes_phq9/DPQ_J.csv").open(encoding="utf-8", newline="") as file:
        frame = pd.DataFrame(csv.DictReader(file)).apply(pd.to_numeric)
    phq9 = instrument("phq9")
    data = frame[[f"DPQ{n:02d}0" for n in range(1, 10)]].set_axis(list(phq9.primary.items), axis=1)
    data = data.where(data <= 3)
    answers = {name: data[name].fillna(int(MISSING)).to_numpy(dtype=np.int8) for name in data}
    found = internal_consistency(contributions_of(phq9, phq9.primary, answers), missing=missing)
    alpha, _ = pg.cronbach_alpha(data, nan_policy=missing)
    assert (found.n_forms[0], found.n_complete[0]) == (5533, 5068)
    assert found.alpha.value[0] == pytest.approx(alpha, abs=1e-10)
    complete = data.dropna()
    at_floor = (complete.sum(axis=1) == 0).mean()
    assert found.floor.value[0] == pytest.approx(at_floor)
    assert 0.3 < at_floor < 0.5
