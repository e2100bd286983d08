"""Figures of a scale: a case worked by hand, the edges, how well the intervals cover, and the tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from mbt_rom import reliability
from mbt_rom.item_moments import Contribution
from mbt_rom.model import Instrument, Scale
from mbt_rom.registry import instrument, instruments
from mbt_rom.reliability import (
    Estimate,
    below_published,
    contribution,
    contributions_of,
    has_consistency,
    internal_consistency,
    item_psychometrics,
    psychometrics,
    published_alpha,
)
from mbt_rom.scoring import MISSING

Grid = NDArray[np.float64]


def questionnaire(n_items: int, *, top: int = 4, low: int = 0, **scale: Any) -> Instrument:
    """A questionnaire with one scale over all its items, changed as asked."""
    items = [{"id": f"q_{n:03d}", "number": str(n), "min": low, "max": top} for n in range(1, n_items + 1)]
    total = {
        "id": "total",
        "label": "Total",
        "items": [item["id"] for item in items],
        "method": "sum",
        "range": [0, 10_000],
        "direction": "lower_is_better",
        "is_primary": True,
        "confidence": "verified",
    }
    return Instrument.model_validate(
        {
            "id": "q",
            "name": "Q",
            "full_name": "Q",
            "edition": "first",
            "kind": "self_report",
            "measures": "nothing",
            "items": items,
            "codings": [],
            "scales": [{**total, **scale}],
            "licence": {"status": "free"},
        }
    )


def scale_of(*columns: list[int | None], low: int = 0, high: int = 4) -> list[Contribution]:
    return [
        Contribution(f"q{i}", np.array([MISSING if x is None else x for x in column], dtype=np.int8), low, high)
        for i, column in enumerate(columns, start=1)
    ]


def items_table(definition: Instrument, answers: NDArray[np.int8], **columns: Any) -> pd.DataFrame:
    """An items table: one row per form."""
    given = pd.DataFrame(answers, columns=list(definition.item_ids)).astype("Int8")
    given = given.mask(given == int(MISSING))
    return given.assign(**{"programme_id": "north", "edition": None, "moment": "baseline", **columns})


def likert(n: int, k: int, *, seed: int = 3, gaps: float = 0.0) -> NDArray[np.int8]:
    random = np.random.default_rng(seed)
    values = np.clip(np.round(1.5 + random.normal(size=(n, 1)) + random.normal(size=(n, k))), 0, 4)
    return np.where(random.random((n, k)) < gaps, MISSING, values).astype(np.int8)


class TestByHand:
    """Four forms, three items: a = 1 2 3 4, b = 1 3 2 4, c = 2 2 3 5.

    Variances 5/3, 5/3 and 2; totals 4 7 8 13 with variance 14. alpha = 3/2 (1 - (16/3)/14) = 13/14, and
    SEM = sqrt(14 x 1/14) = 1. The sum of b and c is 3 5 5 9: covariance with a 3, variance 19/3, so r = 3 / sqrt(95/9); a and c
    are 3 4 6 9: covariance with b 8/3, variance 7; a and b are 2 5 5 8: covariance with c 3, variance 6. Covariances of two items
    are 4/3 (a, b), 5/3 (a, c) and 4/3 (b, c).
    """

    found = internal_consistency(scale_of([1, 2, 3, 4], [1, 3, 2, 4], [2, 2, 3, 5], low=1, high=5), min_forms=2)

    def test_alpha(self) -> None:
        assert self.found.alpha.value[0] == pytest.approx(13 / 14, abs=1e-14)

    def test_item_total(self) -> None:
        expected = [3 / np.sqrt(95 / 9), (8 / 3) / np.sqrt(5 / 3 * 7), 3 / np.sqrt(12)]
        np.testing.assert_allclose(self.found.item_total.value[0], expected, rtol=1e-14)

    def test_sem_and_sd(self) -> None:
        assert self.found.sem.value[0] == pytest.approx(1, abs=1e-14)
        assert self.found.sd[0] == pytest.approx(np.sqrt(14), abs=1e-14)
        np.testing.assert_allclose(self.found.item_sd[0], np.sqrt([5 / 3, 5 / 3, 2]), rtol=1e-14)

    def test_mean_correlation_of_two_items(self) -> None:
        expected = ((4 / 3) / (5 / 3) + (5 / 3) / np.sqrt(10 / 3) + (4 / 3) / np.sqrt(10 / 3)) / 3
        assert self.found.mean_inter_item.value[0] == pytest.approx(expected, rel=1e-14)

    def test_interval_of_sem_is_that_of_a_mean_over_persons(self) -> None:
        """Deviations from the item means less the person's mean deviation, squared and summed over items, by hand:

        the item means are 5/2, 5/2 and 3, so the deviations of the forms are (-3/2, -3/2, -1), (-1/2, 1/2, -1),
        (1/2, -1/2, 0) and (3/2, 3/2, 2), their own means -4/3, -1/3, 0 and 5/3, and the sums of squares 1/6, 7/6, 1/2, 1/6.
        Their mean is 1/2 and their variance 2/9, so that the relative error is sqrt(2/9 / 4) / (1/2) = sqrt(2) / 3, and with
        t(3) = 3.1824463 the limits are exp(-/+ 3.1824463 sqrt(2) / 6).
        """
        half = 3.182446305284263 * np.sqrt(2) / 6
        assert self.found.sem.lower[0] == pytest.approx(np.exp(-half), rel=1e-12)
        assert self.found.sem.upper[0] == pytest.approx(np.exp(half), rel=1e-12)

    def test_shares_at_the_ends(self) -> None:
        found = internal_consistency(scale_of([0, 0, 4, 1, 0], [0, 0, 4, 2, 0], [0, 0, 4, 3, None]), min_forms=2)
        assert (found.n_forms[0], found.n_complete[0]) == (5, 4)
        assert (found.floor.value[0], found.ceiling.value[0]) == (0.5, 0.25)
        assert found.floor.lower[0] < 0.5 < found.floor.upper[0]


class TestNotEstimable:
    def test_one_item(self) -> None:
        found = internal_consistency(scale_of([0, 1, 2, 3] * 5))
        assert found.reason.tolist() == ["too_few_items"]
        assert np.isnan([*found.alpha, *found.sem]).all()
        assert np.isnan(found.item_total.value).all()

    def test_too_few_forms(self) -> None:
        columns = [[0, 1, 2, 3, 4, 0, 1, 2, 3], [0, 1, 2, 3, 4, 0, 1, 2, 4]]
        found = internal_consistency(scale_of(*columns))
        assert found.reason.tolist() == ["too_few_forms"]
        for estimate in (found.alpha, found.sem, found.mean_inter_item, found.floor, found.ceiling):
            assert np.isnan([*estimate]).all()
        assert np.isnan(found.item_total.value).all()
        assert np.isnan([found.sd, *found.item_sd.T]).all()
        assert found.n_used.tolist() == [9]
        assert internal_consistency(scale_of(*([*column, 1] for column in columns))).reason.tolist() == [""]

    @pytest.mark.parametrize("missing", ["listwise", "pairwise"])
    def test_no_variance(self, missing: reliability.Policy) -> None:
        """Each item varies, the sum does not."""
        found = internal_consistency(scale_of([0, 4] * 8, [4, 0] * 8), missing=missing)
        assert found.reason.tolist() == ["no_variance"]
        assert np.isnan(found.alpha.value[0])
        assert np.isnan(found.sem.value[0])
        assert found.sd.tolist() == [0.0]

    def test_no_forms_at_all(self) -> None:
        found = internal_consistency(scale_of([None] * 20, [None] * 20))
        assert (found.n_forms[0], found.n_complete[0], found.reason[0]) == (20, 0, "too_few_forms")

    def test_an_item_that_does_not_vary_has_no_correlation_and_the_others_do(self) -> None:
        given = likert(50, 4)
        given[:, 1] = 2
        found = internal_consistency(scale_of(*given.T.tolist()))
        assert np.isnan(found.item_total.value[0]).tolist() == [False, True, False, False]
        assert found.n_items_varying.tolist() == [3]
        assert np.isfinite(found.alpha.value[0])

    def test_an_item_beside_constants_has_nothing_to_go_with(self) -> None:
        found = internal_consistency(scale_of([0, 1, 2, 3] * 5, [2] * 20, [1] * 20))
        assert found.alpha.value.tolist() == [0.0]
        assert np.isnan(found.item_total.value).all()
        assert np.isnan(found.mean_inter_item.value[0])

    def test_every_reason_is_explained(self) -> None:
        assert set(reliability.REASONS) == {"too_few_items", "too_few_forms", "no_variance"}


def test_the_same_item_twice_is_perfectly_consistent() -> None:
    column = [0, 1, 2, 3, 4] * 4
    found = internal_consistency(scale_of(column, column))
    assert (found.alpha.value[0], found.alpha.lower[0], found.alpha.upper[0]) == (1.0, 1.0, 1.0)
    assert found.item_total.value[0].tolist() == pytest.approx([1.0, 1.0])
    assert found.sem.value.tolist() == [0.0]


def test_alpha_of_items_that_contradict_each_other_is_below_zero() -> None:
    """a and b = 4 - a but for one form: 2 (1 - (v_a + v_b) / V) is far below 0."""
    found = internal_consistency(scale_of([0, 1, 2, 3, 4] * 4, [4, 3, 2, 1, 0] * 3 + [4, 3, 2, 1, 1]))
    assert found.alpha.value[0] < -10
    assert (found.item_total.value[0] < -0.9).all()


class TestPairwise:
    given = likert(400, 6, gaps=0.1)

    def test_sem_has_no_interval_and_alpha_that_of_the_sparsest_pair(self) -> None:
        found = internal_consistency(scale_of(*self.given.T.tolist()), missing="pairwise")
        answered = (self.given != MISSING).astype(int)
        assert found.n_used.tolist() == [(answered.T @ answered).min()]
        assert np.isfinite(found.sem.value[0])
        assert np.isnan([found.sem.lower[0], found.sem.upper[0]]).all()
        lower, upper = reliability.feldt(found.alpha.value, n_forms=found.n_used, n_items=6)
        assert (found.alpha.lower[0], found.alpha.upper[0]) == (lower[0], upper[0])

    def test_without_gaps_the_policies_agree(self) -> None:
        complete = scale_of(*likert(200, 5).T.tolist())
        by_form, by_pair = (internal_consistency(complete, missing=policy) for policy in ("listwise", "pairwise"))
        for name in ("alpha", "item_total", "mean_inter_item", "floor", "ceiling"):
            np.testing.assert_allclose(getattr(by_form, name), getattr(by_pair, name), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(by_form.sem.value, by_pair.sem.value, rtol=1e-12)


def test_groups_are_as_if_each_were_alone() -> None:
    given, groups = likert(600, 5, gaps=0.02), np.arange(600) % 3
    together = internal_consistency(scale_of(*given.T.tolist()), groups=groups, n_groups=4)
    assert together.reason.tolist() == ["", "", "", "too_few_forms"]
    for group in range(3):
        alone = internal_consistency(scale_of(*given[groups == group].T.tolist()))
        for name in ("alpha", "item_total", "mean_inter_item", "sem", "floor", "ceiling"):
            for part, expected in zip(getattr(together, name), getattr(alone, name), strict=True):
                np.testing.assert_array_equal(part[group], expected[0], err_msg=name)


def test_without_the_second_pass_only_what_needs_it_is_missing() -> None:
    scale = scale_of(*likert(100, 4).T.tolist())
    full, quick = internal_consistency(scale), internal_consistency(scale, with_second_pass=False)
    np.testing.assert_array_equal(quick.alpha, full.alpha)
    np.testing.assert_array_equal(quick.sem.value, full.sem.value)
    assert np.isnan([quick.sem.lower[0], quick.mean_inter_item.value[0]]).all()
    assert np.isfinite([full.sem.lower[0], full.mean_inter_item.value[0]]).all()


def test_below_published_needs_the_whole_interval_below() -> None:
    nan = np.nan
    estimate = Estimate(
        np.array([0.7, 0.7, 0.7, nan]), np.array([0.6, 0.6, 0.6, nan]), np.array([0.78, 0.80, 0.82, nan])
    )
    assert below_published(estimate, 0.80).tolist() == [True, False, False, False]
    assert below_published(estimate, [nan, 0.9, 0.9, 0.9]).tolist() == [False, True, True, False]


# --- how well the intervals cover -----------------------------------------------------------------------------------------


def graded(random: np.random.Generator, n: int, *, severity: float, k: int = 9) -> NDArray[np.int8]:
    """Answers of 0 to 4 by a graded response model; items differ in how much they tell and how often they are met."""
    fixed = np.random.default_rng(k)
    slope, location = fixed.uniform(0.6, 2.0, k), fixed.normal(0, 0.5, k)
    strength = slope * (random.normal(size=(n, 1)) + severity) + location + 0.8 * random.logistic(size=(n, k))
    return np.digitize(strength, [-0.8, 0.3, 1.3, 2.3]).astype(np.int8)


def coverage(*, severity: float, n: int = 60, n_samples: int = 1500) -> dict[str, float]:
    """Shares of samples whose 95 % interval holds the value of the population, and whose alpha lies wholly below it."""
    random = np.random.default_rng(20)
    truth = internal_consistency(scale_of_array(graded(random, 400_000, severity=severity)))
    samples = np.concatenate([graded(random, n, severity=severity) for _ in range(n_samples)])
    groups = np.repeat(np.arange(n_samples), n)
    found = internal_consistency(scale_of_array(samples), groups=groups, n_groups=n_samples)
    shares = {
        name: float(((getattr(found, name).lower <= value) & (value <= getattr(found, name).upper)).mean())
        for name, value in (("alpha", truth.alpha.value), ("sem", truth.sem.value))
    }
    shares["item_total"] = float(
        np.mean((found.item_total.lower <= truth.item_total.value) & (truth.item_total.value <= found.item_total.upper))
    )
    return shares | {"below": float(below_published(found.alpha, truth.alpha.value).mean())}


def scale_of_array(answers: NDArray[np.int8]) -> list[Contribution]:
    return [Contribution(f"q{i}", column.copy(), 0, 4) for i, column in enumerate(answers.T)]


def test_intervals_hold_what_they_promise_where_answers_lie_in_the_middle() -> None:
    """Standard error of a share of 1,500 samples is 0.6 %."""
    shares = coverage(severity=0.0)
    assert 0.93 < shares["alpha"] < 0.98
    assert 0.93 < shares["sem"] < 0.97
    assert 0.91 < shares["item_total"] < 0.97
    assert shares["below"] < 0.04


def test_where_most_answers_are_zero_only_that_of_sem_does() -> None:
    """The limits that the documentation states; a better interval would be news and should change the text."""
    shares = coverage(severity=-1.5)
    assert 0.93 < shares["sem"] < 0.97
    assert 0.75 < shares["alpha"] < 0.88
    assert 0.70 < shares["item_total"] < 0.90
    assert 0.06 < shares["below"] < 0.14


# --- contributions --------------------------------------------------------------------------------------------------------


class TestContribution:
    def scale(self, **changes: Any) -> tuple[Instrument, Scale]:
        definition = questionnaire(3, low=1, top=5, **changes)
        return definition, definition.primary

    @pytest.mark.parametrize("method", ["sum", "mean"])
    def test_a_reversed_item_is_turned_round(self, method: str) -> None:
        definition, scale = self.scale(method=method, reverse=["q_002"])
        answers = np.array([1, 2, 5, MISSING], dtype=np.int8)
        straight, reversed_item = (contribution(scale, item, answers) for item in definition.items[:2])
        assert straight.values.tolist() == [1, 2, 5, int(MISSING)]
        assert reversed_item.values.tolist() == [5, 4, 1, int(MISSING)]
        assert (reversed_item.item, reversed_item.lowest, reversed_item.highest) == ("q_002", 1, 5)
        assert answers.tolist() == [1, 2, 5, int(MISSING)]

    def test_a_count_takes_a_nought_or_a_one(self) -> None:
        definition, scale = self.scale(method="count_at_least", threshold=4, reverse=["q_001"])
        answers = np.array([1, 2, 4, MISSING], dtype=np.int8)
        reversed_item, straight = (contribution(scale, item, answers) for item in definition.items[:2])
        assert straight.values.tolist() == [0, 0, 1, int(MISSING)]
        assert reversed_item.values.tolist() == [1, 1, 0, int(MISSING)]
        assert (straight.lowest, straight.highest) == (0, 1)

    def test_a_scale_that_is_no_sum_has_none(self) -> None:
        bsi = instrument("bsi")
        with pytest.raises(ValueError, match="'psdi'"):
            contribution(bsi.scale("psdi"), bsi.items[0], np.zeros(2, dtype=np.int8))


def test_only_sums_means_and_counts_of_yes_and_no_have_a_consistency() -> None:
    chosen = {(d.id, s.id) for d in instruments().values() for s in d.scales if has_consistency(d, s)}
    assert ("bsi", "gsi") in chosen
    assert ("phq9", "total") in chosen
    assert not chosen & {
        ("bsi", "pst"),
        ("bsi", "psdi"),
        ("phq9", "major_depression"),
        ("eq5d5l", "vas"),
        ("eq5d5l", "index"),
    }
    for top, threshold, expected in ((1, 1, True), (4, 1, False)):
        definition = questionnaire(6, top=top, method="count_at_least", threshold=threshold)
        assert has_consistency(definition, definition.primary) is expected
    assert not has_consistency(questionnaire(2), questionnaire(2).primary)


# --- tables ---------------------------------------------------------------------------------------------------------------

KEY = ["programme_id", "instrument", "edition", "scale", "moment"]


class TestTables:
    definition = questionnaire(5, reverse=["q_003"])
    answers = likert(90, 5, gaps=0.01)
    table = items_table(
        definition,
        answers,
        programme_id=np.where(np.arange(90) < 60, "south", "north"),
        moment=np.where(np.arange(90) % 3 == 0, "m12", np.where(np.arange(90) % 3 == 1, "m6", "baseline")),
    )

    def test_one_row_per_programme_edition_and_moment_in_the_order_of_the_course(self) -> None:
        found = psychometrics(self.definition, self.table)
        assert found[KEY].values.tolist() == [
            [programme, "q", "first", "total", moment]
            for programme in ("north", "south")
            for moment in ("baseline", "m6", "m12")
        ]
        assert found["n_forms"].tolist() == [10, 10, 10, 20, 20, 20]

    def test_figures_are_those_of_the_rows_of_the_group(self) -> None:
        rows = (self.table["programme_id"] == "south") & (self.table["moment"] == "m6")
        answers = {item: self.answers[rows, i] for i, item in enumerate(self.definition.item_ids)}
        alone = internal_consistency(contributions_of(self.definition, self.definition.primary, answers))
        found = psychometrics(self.definition, self.table).set_index(["programme_id", "moment"]).loc[("south", "m6")]
        for name, estimate in (
            ("alpha", alone.alpha),
            ("sem", alone.sem),
            ("mean_inter_item", alone.mean_inter_item),
            ("floor_share", alone.floor),
            ("ceiling_share", alone.ceiling),
        ):
            columns = [name, f"{name}_lower_95", f"{name}_upper_95"]
            np.testing.assert_array_equal(found[columns].to_numpy(dtype=float), [part[0] for part in estimate])
        lowest = alone.item_total.value[0].argmin()
        assert found["lowest_item"] == self.definition.item_ids[lowest]
        assert found["lowest_item_total"] == alone.item_total.value[0, lowest]
        assert found["n_complete"] == alone.n_complete[0]
        assert found["method"] == "listwise"

    def test_items_have_a_row_each(self) -> None:
        found = item_psychometrics(self.definition, self.table, missing="pairwise")
        assert len(found) == 6 * 5
        first = found[(found["programme_id"] == "north") & (found["moment"] == "baseline")]
        assert first["item"].tolist() == list(self.definition.item_ids)
        assert (first["item_total_lower_95"] < first["item_total"]).all()
        assert (first["item_total"] < first["item_total_upper_95"]).all()
        assert set(first["method"]) == {"pairwise"}
        lowest = first.loc[first["item_total"].idxmin(), "item"]
        assert psychometrics(self.definition, self.table, missing="pairwise").loc[0, "lowest_item"] == lowest

    def test_too_few_forms_keep_their_row_and_say_so(self) -> None:
        found = psychometrics(self.definition, self.table.iloc[:9])
        assert found["reason"].tolist() == ["too_few_forms"] * 3
        assert found[["alpha", "sem", "floor_share", "lowest_item_total", "lowest_item"]].isna().all(axis=None)
        assert (
            psychometrics(self.definition, self.table)["reason"].notna().sum()
            == (psychometrics(self.definition, self.table)["n_complete"] < 10).sum()
        )

    def test_editions_are_never_pooled(self) -> None:
        found = psychometrics(self.definition, self.table.assign(edition=["second", None] * 45))
        assert found.groupby(["programme_id", "moment"])["edition"].apply(list).tolist() == [["first", "second"]] * 6
        assert found["n_forms"].sum() == 90

    def test_no_rows_give_no_rows(self) -> None:
        assert psychometrics(self.definition, self.table.iloc[:0]).empty
        assert item_psychometrics(self.definition, self.table.iloc[:0]).empty

    def test_sem_and_sd_of_a_mean_score_are_those_of_the_sum_over_the_number_of_items(self) -> None:
        names = ["score_sd", "sem", "sem_lower_95", "sem_upper_95"]
        of_sum = psychometrics(self.definition, self.table)[names]
        of_mean = psychometrics(questionnaire(5, reverse=["q_003"], method="mean"), self.table)[names]
        pd.testing.assert_frame_equal(of_mean, of_sum / 5)

    def test_the_rows_may_come_in_any_order(self) -> None:
        shuffled = self.table.sample(frac=1, random_state=1)
        pd.testing.assert_frame_equal(
            psychometrics(self.definition, self.table), psychometrics(self.definition, shuffled)
        )


class TestPublished:
    records = (
        {"id": "low", "value": 0.80, "kind": "alpha", "confidence": "single_source"},
        {"id": "high", "value": 0.90, "kind": "alpha", "confidence": "verified"},
        {"id": "recalled", "value": 0.70, "kind": "alpha", "confidence": "memory"},
        {"id": "retest", "value": 0.60, "kind": "test_retest_r", "confidence": "verified"},
    )

    def definition(self, *records: dict[str, Any]) -> Instrument:
        plain = questionnaire(5).model_dump()
        plain["reliabilities"] = [{"scale": "total", "population": "any", **record} for record in records]
        return Instrument.model_validate(plain)

    def test_the_lowest_that_was_seen_in_print_counts(self) -> None:
        published = published_alpha(self.definition(*self.records), "total")
        assert published is not None
        assert published.id == "low"
        assert published_alpha(self.definition(*self.records[2:]), "total") is None

    def test_a_scale_of_noise_lies_below_and_one_that_hangs_together_does_not(self) -> None:
        definition = self.definition(*self.records)
        noise = np.random.default_rng(1).integers(0, 5, (60, 5)).astype(np.int8)
        for answers, expected in ((noise, True), (likert(60, 5), False)):
            found = psychometrics(definition, items_table(definition, answers))
            assert found["is_below_published"].tolist() == [expected]
            assert found[["published_alpha", "published_alpha_id"]].values.tolist() == [[0.80, "low"]]

    def test_without_a_published_alpha_or_an_interval_there_is_no_verdict(self) -> None:
        with_records, without = self.definition(*self.records), self.definition()
        assert psychometrics(without, items_table(without, likert(60, 5)))["is_below_published"].isna().all()
        assert psychometrics(with_records, items_table(with_records, likert(5, 5)))["is_below_published"].isna().all()
