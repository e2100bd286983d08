"""Reliable change: boundaries, categories, pairing; printed numbers are in tests/reference."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from mbt_rom import change, registry
from mbt_rom.norms import ChangeNorm
from mbt_rom.tables import PATIENTS, TRAJECTORIES

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


def course(**columns):
    n = max(len(values) for values in columns.values() if isinstance(values, list))
    frame = pd.DataFrame(
        {"programme_id": "a", "patient_id": "p1", "episode_id": "e1", "instrument": "phq9", "scale": "total"} | columns,
        index=range(n),
    )
    defaults = {"edition": "PHQ-9", "is_provisional": False, "row_id": [f"r{i}" for i in range(n)]}
    return TRAJECTORIES.conform(frame.assign(**{k: v for k, v in defaults.items() if k not in columns}))


def changes(frame, norms=None, *, birth_year=None, **more):
    definitions = {"phq9": registry.instrument("phq9"), "bsi": registry.instrument("bsi")}
    norms = {("phq9", "total"): NORM} if norms is None else norms
    people = (
        frame[["programme_id", "patient_id"]].drop_duplicates().assign(birth_year=birth_year, row_id="", delivery_id="")
    )
    return change.change(frame, patients=PATIENTS.conform(people), definitions=definitions, norms=norms, **more)


def test_an_adult_norm_is_not_applied_to_somebody_under_18():
    """Born 2007: 17 in 2024, 18 in 2025. A fall of 12 with SEM 2.2361 is reliable (RC 3.79)."""
    frame = course(moment=["baseline", "m6"], score=[20.0, 8.0], administered_on=["2024-03-01", "2024-09-01"])
    young = changes(frame, birth_year=2007).iloc[0]
    assert young["category"] == "not_classifiable"
    assert young[["index", "norm_id", "cutoff"]].isna().all()
    assert young["change"] == -12.0
    assert changes(frame, birth_year=2006).iloc[0]["category"] == "reliably_improved_into_reference_range"
    assert changes(frame).iloc[0]["category"] == "reliably_improved_into_reference_range"


def test_an_unknown_age_in_a_programme_of_adolescents_is_that_of_no_adult():
    frame = course(moment=["baseline", "m6"], score=[20.0, 8.0], administered_on=["2024-03-01", "2024-09-01"])
    of = {"of_adolescents": ["a"]}
    assert changes(frame, **of).iloc[0]["category"] == "not_classifiable"
    assert changes(frame, birth_year=2000, **of).iloc[0]["category"] == "reliably_improved_into_reference_range"
    assert changes(frame, of_adolescents=["b"]).iloc[0]["category"] == "reliably_improved_into_reference_range"


def test_a_change_of_exactly_the_smallest_reliable_change_is_not_reliable():
    """SD 4.8412..., r .80 chosen so that 1.96 x sqrt(2) x SEM is 6 in exact arithmetic; floats may land on either side."""
    sd = 6 / (1.96 * np.sqrt(2) * np.sqrt(0.2))
    for start in np.arange(6.0, 27.5, 0.1):
        index = change.reliable_change([start], [start - 6], sd=sd, reliability=0.8, direction="lower_is_better")
        assert change.index_categories(index).tolist() == ["unchanged"]
        index = change.reliable_change([start], [start - 6.001], sd=sd, reliability=0.8, direction="lower_is_better")
        assert change.index_categories(index).tolist() == ["improved"]


def test_a_score_at_the_cut_off_is_outside_the_reference_range_in_both_directions():
    assert change.in_reference_range([9, 10, 11], cutoff=10, direction="lower_is_better").tolist() == [
        True,
        False,
        False,
    ]
    assert change.in_reference_range([9, 10, 11], cutoff=10, direction="higher_is_better").tolist() == [
        False,
        False,
        True,
    ]
    assert not change.in_reference_range(0.1 + 0.2, cutoff=0.3, direction="higher_is_better")


def test_every_pair_has_exactly_one_table_code_with_the_meaning_of_the_methods_page():
    """All start, end and index combinations, judged by the sentences of METHODS section 0 written out as conditions."""
    for direction, d in (("lower_is_better", -1), ("higher_is_better", 1)):
        for x1 in (5.0, 10.0, 15.0):
            for x2 in (5.0, 10.0, 15.0):
                for index in (-3.0, -1.96, 0.0, 1.96, 3.0):
                    (word,) = change.categories([index], [x1], [x2], cutoff=10, direction=direction)
                    started_in, ended_in = d * x1 > d * 10, d * x2 > d * 10
                    holds = {
                        "started_in_reference_range": started_in and not (index < -1.96 and not ended_in),
                        "reliably_worse_out_of_reference_range": started_in and index < -1.96 and not ended_in,
                        "reliably_improved_into_reference_range": not started_in and index > 1.96 and ended_in,
                        "reliably_improved": not started_in and index > 1.96 and not ended_in,
                        "reliably_worse": not started_in and index < -1.96,
                        "no_reliable_change": not started_in and -1.96 <= index <= 1.96,
                    }
                    assert [name for name, true in holds.items() if true] == [word]


def test_without_a_cut_off_nobody_is_in_or_out_of_a_range():
    words = change.categories(
        [3, 0, -3, np.nan], [1, 1, 1, 1], [9, 1, 0, np.nan], cutoff=None, direction="higher_is_better"
    )
    assert words.tolist() == ["reliably_improved", "no_reliable_change", "reliably_worse", "not_classifiable"]


def test_impossible_norms_and_scales_without_direction_are_refused():
    with pytest.raises(ValueError, match="SD must be above 0"):
        change.standard_error(sd=0, reliability=0.9)
    with pytest.raises(ValueError, match="SD must be above 0"):
        change.standard_error(sd=5, reliability=1.0)
    with pytest.raises(ValueError, match="no direction"):
        change.reliable_change(1, 2, sd=1, reliability=0.9, direction="neutral")


def test_change_pairs_each_later_moment_with_the_baseline_of_the_same_episode():
    frame = course(
        moment=["m6", "baseline", "m12", "baseline", "unscheduled"],
        episode_id=["e1", "e1", "e1", "e2", "e1"],
        score=[8.0, 20.0, 19.0, 5.0, 1.0],
    )
    rows = changes(frame).set_index("moment")
    assert list(rows.index) == ["m6", "m12"]
    assert rows["change"].tolist() == [-12.0, -1.0]
    # SEM = 5 sqrt(.2) = 2.2361; RC = 12 / 3.1623 = 3.79
    assert rows["index"].round(2).tolist() == [3.79, 0.32]
    assert rows["smallest_reliable_change"].round(2).tolist() == [6.2, 6.2]
    assert rows["category"].tolist() == ["reliably_improved_into_reference_range", "no_reliable_change"]


@pytest.mark.parametrize("column", ["edition", "value_set_id"])
def test_there_is_no_change_across_editions_or_value_sets(column):
    frame = course(moment=["baseline", "m6"], score=[20.0, 8.0], **{column: ["one", "other"]})
    (row,) = changes(frame).itertuples()
    assert np.isnan(row.change)
    assert row.category == "not_classifiable"


def test_a_missing_score_or_baseline_or_norm_is_not_classifiable_and_stays():
    frame = course(moment=["baseline", "m6", "m12"], score=[20.0, np.nan, 8.0])
    assert changes(frame)["category"].tolist()[0] == "not_classifiable"
    assert changes(frame[frame["moment"] != "baseline"])["category"].tolist() == ["not_classifiable"] * 2
    without = changes(frame, norms={})
    assert without["category"].tolist() == ["not_classifiable"] * 2
    assert without["change"].tolist()[1] == -12.0


def test_only_the_primary_scale_carries_categories():
    frame = course(moment=["baseline", "m6"], score=[2.0, 1.0], instrument="bsi", scale="anx")
    norm = SimpleNamespace(**(NORM.__dict__ | {"clinical_sd": 0.7}))
    (row,) = changes(frame, norms={("bsi", "anx"): norm}).itertuples()
    assert row.index > 0
    assert pd.isna(row.category)


def test_provisional_norm_or_score_makes_a_change_provisional():
    frame = course(moment=["baseline", "m6"], score=[20.0, 8.0], is_provisional=[True, False])
    assert changes(frame)["is_provisional"].tolist() == [True]
    norm = SimpleNamespace(**(NORM.__dict__ | {"is_provisional": True}))
    clean = course(moment=["baseline", "m6"], score=[20.0, 8.0])
    assert changes(clean)["is_provisional"].tolist() == [False]
    assert changes(clean, norms={("phq9", "total"): norm})["is_provisional"].tolist() == [True]


def test_programmes_with_the_same_patient_pseudonym_are_not_mixed():
    frame = course(programme_id=["a", "b"], moment=["baseline", "m6"], score=[20.0, 8.0])
    assert changes(frame)["baseline_score"].isna().all()


def test_nothing_in_gives_the_declared_columns_out():
    assert list(changes(TRAJECTORIES.empty()).columns) == list(changes(course(moment=["m6"], score=[1.0])).columns)


@pytest.mark.parametrize(
    ("is_late", "category"), [(True, "not_classifiable"), (False, "reliably_improved_into_reference_range")]
)
def test_a_late_baseline_gives_a_change_and_no_category(is_late, category):
    given = course(moment=["baseline", "m6"], score=[20.0, 2.0], is_late_baseline=[is_late, False])
    (row,) = changes(given).itertuples()
    assert (row.change, row.is_late_baseline, row.category) == (-18, is_late, category)


@pytest.mark.parametrize("is_before", [True, False, None])
def test_change_up_to_a_rebaseline_counts_for_no_category(is_before):
    """On the day of the first main session, or without a date, the form itself does not tell that it ends a wait."""
    waited = pd.array([True, is_before], dtype="boolean")
    given = course(moment=["baseline", "rebaseline"], score=[20.0, 2.0], is_before_treatment=waited)
    (row,) = changes(given).itertuples()
    assert (row.change, row.category) == (-18, "not_classifiable")


@pytest.mark.parametrize(
    ("is_waiting", "category"), [(True, "not_classifiable"), (None, "reliably_improved_into_reference_range")]
)
def test_change_while_waiting_is_shown_and_counts_for_no_category(is_waiting, category):
    waited = pd.array([True, is_waiting], dtype="boolean")
    given = course(moment=["baseline", "m6"], score=[20.0, 2.0], is_before_treatment=waited)
    (row,) = changes(given).itertuples()
    assert (row.change, row.category) == (-18, category)
