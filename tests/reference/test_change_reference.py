"""Reliable change against printed cases, the data of its authors, and what it does when nothing changed."""

import csv

import numpy as np
import pytest

from mbt_rom import change


def test_worked_case_of_jacobson_and_truax():
    """Jacobson & Truax (1991): S = 7.5, r = .80, from 32.5 to 47.5, higher is better: SEM 3.354, RC 3.16; a 55, b 45, c 50."""
    assert round(float(change.standard_error(sd=7.5, reliability=0.80)), 3) == 3.354
    index = change.reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, direction="higher_is_better")
    assert round(float(index), 2) == 3.16
    clinical, functional = {"clinical_mean": 40, "clinical_sd": 7.5}, {"functional_mean": 60, "functional_sd": 7.5}
    assert change.cutoff_a(**clinical, direction="higher_is_better") == 55
    assert change.cutoff_b(**functional, direction="higher_is_better") == 45
    assert change.cutoff_c(**clinical, **functional) == 50


def test_cut_offs_with_unequal_sds():
    """By hand, lower is better, M1 = 24, S1 = 6, M0 = 8, S0 = 3: a = 24 - 12 = 12; b = 8 + 6 = 14, twice the SD of the
    *functional* group (one R package takes the clinical SD and would give 20); c = (3 x 24 + 6 x 8) / 9 = 13.333."""
    assert change.cutoff_a(clinical_mean=24, clinical_sd=6, direction="lower_is_better") == 12
    assert change.cutoff_b(functional_mean=8, functional_sd=3, direction="lower_is_better") == 14
    c = change.cutoff_c(clinical_mean=24, clinical_sd=6, functional_mean=8, functional_sd=3)
    assert round(c, 3) == 13.333


def test_reliable_change_of_phq9_is_six_points_as_nhs_talking_therapies_publishes():
    """NHS England, Talking Therapies data guide: reliable improvement is a fall of 6 points or more. Mean 15.4, SD 5.5 at the
    start of treatment there and Cronbach's alpha .89 (Kroenke, Spitzer & Williams 2001) give it: 5 is not enough, 6 is."""
    index = change.reliable_change([20, 20], [15, 14], sd=5.5, reliability=0.89, direction="lower_is_better")
    assert change.index_categories(index).tolist() == ["unchanged", "improved"]


@pytest.mark.real_data
def test_marital_therapy_data_of_jacobson_and_truax(shared_data):
    """30 couples, Dyadic Adjustment Scale, r = .88 and the sample SD: 19 reliably improved and 1 worse; cut-off c 94.84 with
    functional 114.8 / 17.8; 14 crossed it and improved reliably (clinicalsignificance, article on the Jacobson data)."""
    with (shared_data / "data/jacobson_truax_das/jacobson_1989.csv").open() as file:
        rows = list(csv.DictReader(file))
    scores = {(row["subject"], row["time"]): float(row["das"]) for row in rows if row["das"]}
    people = sorted({subject for subject, _ in scores})
    pre, post = (np.array([scores[person, time] for person in people]) for time in ("pre", "post"))
    assert len(people) == 30
    index = change.reliable_change(pre, post, sd=pre.std(ddof=1), reliability=0.88, direction="higher_is_better")
    words = change.index_categories(index).tolist()
    assert (words.count("improved"), words.count("deteriorated")) == (19, 1)
    c = change.cutoff_c(
        clinical_mean=pre.mean(), clinical_sd=pre.std(ddof=1), functional_mean=114.8, functional_sd=17.8
    )
    assert round(c, 2) == 94.84
    clinical = change.clinical_categories(index, pre, post, cutoff=c, direction="higher_is_better").tolist()
    assert clinical.count("recovered") == 14
    table = change.categories(index, pre, post, cutoff=c, direction="higher_is_better").tolist()
    assert table.count("reliably_improved_into_reference_range") == 14


def test_with_the_sem_of_a_norm_and_no_true_change_the_tails_are_as_simulated():
    """METHODS, simulation A, r = .90, lower is better, no true change, in % improved / % deteriorated: unselected 2.5 / 2.5;
    intake above +1 SD 5.0 / 0.9. Bands are 4 Monte-Carlo standard errors wide on each side."""
    rng = np.random.default_rng(20_240_401)
    n, reliability = 200_000, 0.90
    true = rng.normal(0, np.sqrt(reliability), n)
    x1, x2 = (true + rng.normal(0, np.sqrt(1 - reliability), n) for _ in range(2))
    index = change.reliable_change(x1, x2, sd=1.0, reliability=reliability, direction="lower_is_better")
    severe = x1 > 1
    for rows, better, worse in ((np.ones(n, dtype=bool), 2.5, 2.5), (severe, 5.0, 0.9)):
        size = rows.sum()
        for found, wanted in ((change.is_improved(index[rows]), better), (change.is_worse(index[rows]), worse)):
            # the printed percentages are rounded to 0.1, so half of that is allowed on top
            band = 4 * 100 * np.sqrt(wanted / 100 * (1 - wanted / 100) / size) + 0.05
            assert abs(100 * found.mean() - wanted) < band
