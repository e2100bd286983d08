"""Programmes beside each other, on numbers small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest

from mbt_rom import benchmarks, registry
from mbt_rom.norms import ChangeNorm
from mbt_rom.settings import Consortium
from mbt_rom.tables import BENCHMARK, COMPARED, CONTRIBUTIONS, INCLUSION

DEFINITIONS = {name: registry.instrument(name) for name in ("phq9", "eq5d5l")}
NORM = ChangeNorm(
    norm_id="n",
    clinical_mean=15.0,
    clinical_sd=5.0,
    functional_mean=None,
    functional_sd=None,
    reliability=0.80,
    cutoff=10.0,
    cutoff_kind="published",
    is_provisional=False,
    is_mixed=False,
    sentence="",
)
NORMS = {("phq9", "total"): NORM}
SETTINGS = Consortium.model_validate({"name": "test", "issuers": {}, "programmes": {}})


def people(programme="a", *, before, after, status="received", **changes):
    """One patient per pair of scores; None is a moment that was missed."""
    n = len(before)
    rows = [
        {
            "contribution_id": f"{programme}{i}",
            "moment": moment,
            "score": score,
            "status": status if score is not None else "missed",
        }
        for moment, scores in (("baseline", before), ("m6", after))
        for i, score in zip(range(n), scores, strict=True)
    ]
    frame = pd.DataFrame(rows).assign(
        programme_id=programme, format="outpatient", instrument="phq9", edition="x", scale="total"
    )
    return CONTRIBUTIONS.conform(frame.assign(is_provisional=False).assign(**changes))


def compared(*parts, norms=NORMS):
    given = CONTRIBUTIONS.conform(pd.concat(parts, ignore_index=True))
    return benchmarks.compare(given, definitions=DEFINITIONS, norms=norms).set_index(["programme_id", "moment"])


def test_one_programme_counted_by_hand():
    """Pairs 20-8, 15-14, 12-20, 6-22 (of six patients): changes -12, -1, 8, 16; mean 2.75, SD 12.0381, t(3) 3.1824.

    SEM = 5 sqrt(.2), RC = change / 3.1623: 3.79 better and below 10; 0.32; -2.53 worse; started below 10 and -5.06: worse,
    out of the range. Wilson limits of 1/4 and 2/4 from statsmodels 0.14.
    """
    row = compared(people(before=[20, 15, 12, 6, 18, None], after=[8, 14, 20, 22, None, 5])).loc[("a", "m6")]
    assert row[["n_eligible", "n_received", "n_pairs", "n_classified"]].tolist() == [6, 5, 4, 4]
    assert round(row["response_share"], 4) == 0.8333
    assert row["mean_baseline"] == 13.25
    assert row["mean_change"] == 2.75
    assert row[["change_lower_95", "change_upper_95"]].astype(float).round(2).tolist() == [-16.41, 21.91]
    assert row["n_started_in_reference_range"] == 0
    shares = row[
        ["improved_share", "improved_lower_95", "improved_upper_95", "worse_share", "worse_lower_95", "worse_upper_95"]
    ]
    assert shares.astype(float).round(4).tolist() == [0.25, 0.0456, 0.6994, 0.5, 0.15, 0.85]
    assert row["norm_id"] == "n"


def test_effect_is_scaled_by_the_baseline_sd_of_the_whole_format_and_positive_is_better():
    """Baselines of the outpatient programmes a and b: 10, 20, 30, 40 -> SD 12.9099; those of format 'other' do not count.

    a: changes -4, -6, mean -5, so the effect is 5 / 12.9099 = 0.3873; limits -5 -/+ 12.706 x 1.4142 / sqrt(2), scaled.
    """
    table = compared(
        people("a", before=[10, 20], after=[6, 14]),
        people("b", before=[30, 40], after=[30, None]),
        people("c", before=[0, 27, 13], after=[1, 1, 1], format="other"),
    )
    row = table.loc[("a", "m6")]
    assert row[["effect", "effect_lower_95", "effect_upper_95"]].astype(float).round(3).tolist() == [
        0.387,
        -0.597,
        1.372,
    ]
    assert pd.isna(table.loc[("b", "m6"), "effect_lower_95"])


def test_higher_is_better_gives_the_effect_the_other_sign():
    frames = [people("a", before=[10, 20, 30], after=[15, 22, 32], instrument="eq5d5l", scale="vas")]
    row = compared(*frames).loc[("a", "m6")]
    assert row["mean_change"] == 3.0
    assert round(row["effect"], 2) == 0.30
    assert row[["n_classified", "improved_share", "norm_id"]].isna().all()


def test_who_started_in_the_reference_range_stays_in_the_denominator_and_out_of_the_numerator():
    row = compared(people(before=[9, 9, 20], after=[0, 9, 8])).loc[("a", "m6")]
    assert row[["n_classified", "n_started_in_reference_range"]].tolist() == [3, 2]
    assert round(row["improved_share"], 4) == 0.3333
    assert row["worse_share"] == 0.0


def test_adolescents_are_counted_but_not_classified_by_an_adult_norm():
    young = people(before=[20, 20], after=[8, 8]).assign(age_band=["under_18", "18_24"] * 2)
    row = compared(young).loc[("a", "m6")]
    assert row[["n_pairs", "n_classified", "improved_share", "norm_id"]].tolist() == [2, 1, 1.0, "n"]
    row = compared(people(before=[20, 20], after=[8, 8], format="adolescent")).loc[("a", "m6")]
    assert row["mean_change"] == -12.0
    assert row[["n_classified", "improved_share", "norm_id"]].isna().all()


def test_baseline_has_its_own_row_without_change():
    row = compared(people(before=[20, 15, None], after=[8, 14, 3])).loc[("a", "baseline")]
    assert row[["n_eligible", "n_received", "n_pairs", "mean_baseline"]].tolist() == [3, 2, 2, 17.5]
    assert row[["mean_change", "effect", "n_classified", "improved_share"]].isna().all()


@pytest.mark.parametrize("column", ["edition", "value_set_id"])
def test_scores_of_two_editions_or_value_sets_are_never_a_pair(column):
    frame = people(before=[20, 15], after=[8, 14])
    frame[column] = frame["moment"].map({"baseline": "one", "m6": "other"})
    assert compared(frame).loc[("a", "m6"), "n_pairs"] == 0


def test_without_a_register_the_response_is_no_data_and_what_came_is_counted():
    row = compared(people(before=[20, 15, 10], after=[8, 14, 9], status=None)).loc[("a", "m6")]
    assert row["n_received"] == 3
    assert row[["n_eligible", "response_share"]].isna().all()
    assert row["n_pairs"] == 3


def test_a_moment_at_which_nothing_came_has_a_row():
    row = compared(people(before=[20, 15], after=[None, None])).loc[("a", "m6")]
    assert row[["n_eligible", "n_received", "n_pairs"]].tolist() == [2, 0, 0]
    assert row["response_share"] == 0.0


def test_without_a_norm_there_are_no_shares():
    row = compared(people(before=[20, 15], after=[8, 14]), norms={}).loc[("a", "m6")]
    assert row["mean_change"] == -6.5
    assert row[["n_classified", "improved_share", "worse_share"]].isna().all()


def test_provisional_norm_or_rule_marks_the_row():
    plain = compared(people(before=[20, 15], after=[8, 14]))
    assert not plain["is_provisional"].any()
    frame = people(before=[20, 15], after=[8, 14])
    frame.loc[frame["moment"] == "baseline", "is_provisional"] = [True, False]
    assert compared(frame)["is_provisional"].all()
    provisional = {("phq9", "total"): ChangeNorm(**{**NORM.__dict__, "is_provisional": True})}
    table = compared(people(before=[20, 15], after=[8, 14]), norms=provisional)
    assert table["is_provisional"].to_dict() == {("a", "baseline"): False, ("a", "m6"): True}


def test_the_table_is_protected():
    few = people("a", before=[20] * 9, after=[8] * 9)
    many = people("b", before=list(range(12, 27)), after=list(range(15)))
    table = benchmarks.benchmark(
        CONTRIBUTIONS.conform(pd.concat([few, many])), settings=SETTINGS, definitions=DEFINITIONS, norms=NORMS
    ).set_index(["programme_id", "moment"])
    assert table.loc["a", "suppressed"].tolist() == ["all", "all"]
    row = table.loc[("b", "m6")]
    assert row["n_pairs"] == 15
    assert row["mean_change"] == -12.0
    # all 15 improved: a complement of 0 is withheld like any other small number
    assert pd.isna(row["improved_share"])
    assert "improved_share" in row["suppressed"].split()


def test_rows_do_not_depend_on_order_and_other_programmes_do_not_change_a_row_but_by_the_sd_of_the_format():
    a, b = people("a", before=[20, 15, 11], after=[8, 14, 12]), people("b", before=[9, 5, 27], after=[3, 3, 3])
    both = compared(a, b).sort_index()
    turned = compared(b.iloc[::-1], a.iloc[::-1]).sort_index()
    pd.testing.assert_frame_equal(both, turned)
    alone = compared(a)
    same = [c for c in alone.columns if not c.startswith("effect")]
    pd.testing.assert_frame_equal(both.loc[["a"], same].sort_index(), alone[same].sort_index())


def test_nothing_in_gives_nothing_out():
    table = benchmarks.benchmark(CONTRIBUTIONS.empty(), settings=SETTINGS, definitions=DEFINITIONS, norms=NORMS)
    assert list(table.columns) == BENCHMARK.column_names
    assert len(table) == 0


def test_a_single_pair_has_a_mean_and_no_interval():
    row = compared(people(before=[20], after=[8])).loc[("a", "m6")]
    assert row["mean_change"] == -12.0
    assert np.isnan(row["change_lower_95"])
    assert pd.isna(row["effect"])


def test_a_late_baseline_is_in_the_response_and_in_no_pair():
    given = people(before=[20, 15, 12], after=[8, 14, 20])
    given["is_late_baseline"] = (given["moment"] == "baseline") & (given["contribution_id"] == "a0")
    table = compared(given)
    assert table.loc[("a", "baseline"), ["n_eligible", "n_received", "n_pairs"]].tolist() == [3, 3, 2]
    assert table.loc[("a", "m6"), ["n_received", "n_pairs", "mean_change"]].tolist() == [3, 2, 3.5]


def test_change_while_waiting_is_in_the_response_and_in_no_pair():
    """Without the first patient, who was still waiting at month 6, changes are -1 and 8: mean 3.5, none improved."""
    given = people(before=[20, 15, 12], after=[8, 14, 20])
    given["is_before_treatment"] = (given["moment"] == "baseline") | (given["contribution_id"] == "a0")
    table = compared(given)
    assert table.loc[("a", "baseline"), "n_pairs"] == 3
    row = table.loc[("a", "m6")]
    assert row[["n_received", "n_pairs", "n_classified", "mean_change", "improved_share"]].tolist() == [3, 2, 2, 3.5, 0]


def test_effects_are_scaled_within_programmes_of_one_anchor():
    """Baselines 10 and 20 (SD 7.0711) from the start of treatment, 10 and 12 (SD 1.4142) from referral."""
    started = people("a", before=[10, 20], after=[5, 15], anchor="started_on")
    referred = people("b", before=[10, 12], after=[5, 7], anchor="referred_on")
    table = compared(started, referred).xs("m6", level="moment")
    assert table["effect"].astype(float).round(4).to_dict() == {"a": 0.7071, "b": 3.5355}
    assert table["anchor"].to_dict() == {"a": "started_on", "b": "referred_on"}


def test_who_is_compared_is_summed_over_the_years_of_start():
    """81 of 263 is an example of Newcombe (1998), table I: Wilson limits .2553 and .3662."""
    years = pd.DataFrame(
        {
            "programme_id": ["a", "a", "b"], "format": "outpatient", "start_year": [2023, 2024, None], "has_register": [True, True, False],
            "n_started": [163, 100, 12], "n_permitted": [51, 30, 0], "n_never_recorded": [60, 40, 12], "n_withdrawn": [12, 10, 0],
            "n_not_yet": [10, 10, 0], "n_representative_no_longer_decides": [15, 5, 0], "n_representative_missing": [15, 5, 0],
        }
    )  # fmt: skip
    found = benchmarks.inclusion(INCLUSION.conform(years), settings=SETTINGS)
    assert list(found.columns) == COMPARED.column_names
    counts = ["n_started", "n_permitted", *[c for c in found.columns if c.startswith("n_")][2:]]
    assert found[counts].to_numpy().tolist() == [[263, 81, 100, 22, 20, 20, 20], [12, 0, 12, 0, 0, 0, 0]]
    limits = found[["permitted_share", "permitted_lower_95", "permitted_upper_95"]].astype(float).round(4)
    assert limits.iloc[0].tolist() == [0.308, 0.2553, 0.3662]
    assert found["has_register"].tolist() == [True, False]
    assert benchmarks.inclusion(INCLUSION.empty(), settings=SETTINGS).empty
