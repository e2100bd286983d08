"""Where a score stands. Expected figures are worked by hand; areas under the normal curve are those of printed tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom import common_metric
from mbt_rom.common_metric import FLAGS, severity_words, standing
from mbt_rom.model import Instrument, Norm, SeverityBand
from mbt_rom.norms import reference_norms
from mbt_rom.registry import instrument, instruments
from mbt_rom.scoring import beyond
from mbt_rom.settings import Consortium
from mbt_rom.tables import scores_table

BSI = instrument("bsi")
NOTHING_CHOSEN = Consortium.model_validate({"name": "x", "issuers": {}, "programmes": {}})
#: BSI, Germany, as the definition states them: women M 0.35, SD 0.23; men M 0.28, SD 0.23.
BSI_NORMS = reference_norms(BSI, NOTHING_CHOSEN)
ADULT_WOMAN = {"age": 30.0, "sex": "female", "language": "de"}


def norm(**stated: Any) -> Norm:
    given = {"id": "n", "scale": "gsi", "population": "community", "country": "DE", "mean": 1.0, "sd": 0.5}
    return Norm.model_validate({**given, "confidence": "single_source", **stated})


def stand(
    *rows: dict[str, Any], definition: Instrument = BSI, norms: dict[str, tuple[Norm, ...]] | None = None
) -> pd.DataFrame:
    """Rows with age, sex and columns of the scores table -> that table with their standing."""
    defaults = {"programme_id": "a", "patient_id": "p", "instrument": definition.id, "scale": definition.primary.id}
    known = {"age": np.nan, "sex": None}
    provenance = {
        "n_items": 1,
        "n_answered": 1,
        "is_prorated": False,
        "is_provisional": False,
        "definition_hash": "h",
        "software_version": "v",
    }
    frame = pd.DataFrame([{**defaults, **provenance, **known, "row_id": f"r{i}", **row} for i, row in enumerate(rows)])
    scores = scores_table(definition).conform(frame.drop(columns=["age", "sex"]))
    chosen = BSI_NORMS if norms is None else norms
    sexes = frame["sex"].astype(object).where(frame["sex"].notna(), None).to_numpy()
    return standing(scores, definition, ages=frame["age"].to_numpy(dtype=float), sexes=sexes, norms=chosen)


# --- T-scores and percentiles ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sex", "score", "t", "percentile"),
    [
        # (0.58 - 0.35) / 0.23 = 1; Phi(1) = 0.8413
        ("female", 0.58, 60, 84.13),
        # (0.81 - 0.35) / 0.23 = 2; Phi(2) = 0.9772
        ("female", 0.81, 70, 97.72),
        ("female", 0.35, 50, 50.00),
        # (0.235 - 0.35) / 0.23 = -0.5; Phi(-0.5) = 0.3085
        ("female", 0.235, 45, 30.85),
        # (0.51 - 0.28) / 0.23 = 1
        ("male", 0.51, 60, 84.13),
        # (0 - 0.28) / 0.23 = -1.21739; T = 37.826; Phi(-1.2174) = 0.1117
        ("male", 0.0, 37.826, 11.17),
    ],
)
def test_t_score_and_percentile_of_the_bsi(sex: str, score: float, t: float, percentile: float) -> None:
    row = stand({**ADULT_WOMAN, "sex": sex, "score": score}).iloc[0]
    assert row["t_score"] == pytest.approx(t, abs=0.0005)
    assert row["percentile"] == pytest.approx(percentile, abs=0.01)
    assert row["norm_id"] == f"de_community_{sex[0]}_gsi"
    assert pd.isna(row["norm_flags"])


def test_a_t_score_keeps_the_direction_of_its_scale() -> None:
    """EQ-5D-5L, Dutch women: M 0.911, SD 0.155; a better health state stands above 50. (1 - 0.911) / 0.155 = 0.57419."""
    eq5d = instrument("eq5d5l")
    norms = reference_norms(eq5d, NOTHING_CHOSEN)
    about = {"age": 40.0, "sex": "female", "language": "nl", "value_set_id": "nl_2016"}
    best, poor = stand({**about, "score": 1.0}, {**about, "score": 0.446}, definition=eq5d, norms=norms).itertuples()
    assert best.t_score == pytest.approx(55.742, abs=0.001)
    assert poor.t_score == pytest.approx(20.0, abs=1e-9)  # 0.911 - 3 x 0.155 = 0.446


@given(
    score=st.floats(-50, 50),
    mean=st.floats(-5, 5),
    sd=st.floats(0.1, 20),
    factor=st.floats(0.1, 100),
    shift=st.floats(-100, 100),
)
def test_another_unit_gives_the_same_t_score(score: float, mean: float, sd: float, factor: float, shift: float) -> None:
    """A scale in points or as mean answer, counted from 0 or from 1: T says the same."""
    there = common_metric.t_scores([factor * score + shift], mean=factor * mean + shift, sd=factor * sd)
    assert there[0] == pytest.approx(common_metric.t_scores([score], mean=mean, sd=sd)[0], abs=1e-4)


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = [
        {"score": 0.58, "sex": "female", "age": 30.0, "language": "nl"},
        {"score": 0.51, "sex": "male", "age": 16.0, "language": "de"},
        {"score": 0.30, "sex": "male", "age": np.nan, "assisted": True},
        {"score": 1.00, "scale": "dep", "sex": "female", "age": 30.0, "language": "de"},
        {"score": np.nan, "sex": "female", "age": 30.0},
    ]
    named = [{**row, "row_id": f"r{i}"} for i, row in enumerate(rows)]
    there, back = stand(*named), stand(*reversed(named))
    pd.testing.assert_frame_equal(back.iloc[::-1].reset_index(drop=True), there)
    assert there["norm_id"].tolist()[0] == "de_community_f_gsi"
    assert there["norm_id"].tolist()[3] == "de_community_f_dep"
    # (1 - 0.33) / 0.40 = 1.675
    assert there["t_score"].iloc[3] == pytest.approx(66.75)


def test_a_form_without_a_score_stands_nowhere() -> None:
    row = stand({**ADULT_WOMAN, "score": np.nan, "unscored_because": "too_many_missing"}).iloc[0]
    assert row[["norm_id", "t_score", "percentile", "norm_flags", "severity"]].isna().all()


def test_nothing_at_all_stands_nowhere_and_is_no_error() -> None:
    assert len(stand({**ADULT_WOMAN, "score": 1.0}).iloc[:0]) == 0
    empty = standing(
        scores_table(BSI).empty(), BSI, ages=np.array([]), sexes=np.array([], dtype=object), norms=BSI_NORMS
    )
    assert list(empty.columns) == scores_table(BSI).column_names


def test_a_mean_without_an_sd_gives_no_t_score() -> None:
    with pytest.raises(ValueError, match="'n' of scale 'gsi' has no SD"):
        stand({**ADULT_WOMAN, "score": 1.0}, norms={"gsi": (norm(sd=None),)})


# --- which norm, and which flags -------------------------------------------------------------------------------------------


def of(row: dict[str, Any], *norms: Norm) -> tuple[Any, set[str]]:
    """Norm and flags of one row of the BSI whose scale has these norms."""
    found = stand({**ADULT_WOMAN, "score": 1.0, **row}, norms={"gsi": norms} if norms else {}).iloc[0]
    assert pd.isna(found["norm_id"]) == pd.isna(found["t_score"]) == pd.isna(found["percentile"])
    flags = set() if pd.isna(found["norm_flags"]) else set(found["norm_flags"].split())
    return None if pd.isna(found["norm_id"]) else found["norm_id"], flags


ALL, WOMEN, MEN = norm(id="all"), norm(id="women", sex="female"), norm(id="men", sex="male")


def test_a_scale_without_a_norm_says_so_and_borrows_none() -> None:
    assert of({}) == (None, {"no_norm"})


def test_the_first_that_fits_is_used() -> None:
    assert of({}, WOMEN, ALL) == ("women", set())
    assert of({"sex": "male"}, WOMEN, ALL) == ("all", set())
    assert of({"sex": "male"}, WOMEN, MEN) == ("men", set())


@pytest.mark.parametrize(
    ("row", "norms", "expected"),
    [
        ({"sex": "male"}, (WOMEN,), (None, {"no_norm", "other_sex"})),
        ({"sex": "other"}, (WOMEN, MEN), (None, {"no_norm", "other_sex"})),
        ({"sex": "other"}, (WOMEN, MEN, ALL), ("all", set())),
        ({"sex": None}, (WOMEN, MEN), (None, {"no_norm", "sex_unknown"})),
        ({"sex": None}, (WOMEN, ALL), ("all", {"sex_unknown"})),
        ({"sex": None}, (ALL,), ("all", set())),
    ],
)
def test_sex(row: dict[str, Any], norms: tuple[Norm, ...], expected: tuple[Any, set[str]]) -> None:
    assert of(row, *norms) == expected


YOUNG, OLD, WIDE = norm(id="young", age=(12, 17)), norm(id="old", age=(65, None)), norm(id="wide", age=(16, 75))


@pytest.mark.parametrize(
    ("age", "norms", "expected"),
    [
        (17, (ALL,), (None, {"no_norm", "under_18"})),
        (18, (ALL,), ("all", set())),
        (90, (ALL,), ("all", set())),
        (17, (ALL, YOUNG), ("young", {"under_18"})),
        (16, (WIDE,), ("wide", {"under_18"})),
        (15, (WIDE,), (None, {"no_norm", "under_18"})),
        (75, (WIDE,), ("wide", set())),
        (76, (WIDE,), (None, {"no_norm", "outside_age"})),
        (64, (OLD, ALL), ("all", set())),
        (65, (OLD, ALL), ("old", set())),
        (np.nan, (ALL,), ("all", {"age_unknown"})),
        (np.nan, (OLD, YOUNG, WIDE), ("wide", {"age_unknown"})),
        (np.nan, (OLD, YOUNG), (None, {"no_norm", "age_unknown"})),
    ],
)
def test_age(age: float, norms: tuple[Norm, ...], expected: tuple[Any, set[str]]) -> None:
    assert of({"age": age}, *norms) == expected


@pytest.mark.parametrize(
    ("language", "stated", "flags"),
    [
        ("de", {"country": "DE"}, set()),
        ("nl", {"country": "DE"}, {"other_language"}),
        ("nl", {"country": "DE", "language": "nl"}, set()),
        (None, {"country": "DE"}, {"language_unknown"}),
        ("nl", {"country": None}, {"language_unknown"}),
        ("en", {"country": "NZ"}, set()),
    ],
)
def test_a_translated_form_keeps_its_t_score_with_a_flag(
    language: str | None, stated: dict[str, Any], flags: set[str]
) -> None:
    assert of({"language": language}, norm(**stated)) == ("n", flags)


@pytest.mark.parametrize(("assisted", "flags"), [(True, {"assisted"}), (False, set()), (None, set())])
def test_a_form_filled_in_with_help_keeps_its_t_score_with_a_flag(assisted: bool | None, flags: set[str]) -> None:
    assert of({"assisted": assisted}, ALL) == ("all", flags)


def test_a_recalled_norm_that_the_home_chose_is_flagged() -> None:
    assert of({}, norm(confidence="memory")) == ("n", {"provisional"})


def test_flags_add_up_in_a_fixed_order() -> None:
    row = {"score": 1.0, "age": 16.0, "sex": None, "language": "nl", "assisted": True}
    norms = {"gsi": (WOMEN, norm(id="wide", age=(16, 75), confidence="derived"))}
    assert stand(row, norms=norms)["norm_flags"].tolist() == [
        "under_18 sex_unknown other_language assisted provisional"
    ]


@pytest.mark.parametrize(
    ("value_set", "expected"), [("nl_2016", "nl_women"), ("england_2018", None), ("nl_2016_rounded", None)]
)
def test_a_utility_is_compared_within_its_value_set_only(value_set: str, expected: str | None) -> None:
    eq5d = instrument("eq5d5l")
    about = {"age": 40.0, "sex": "female", "language": "nl", "score": 0.9, "value_set_id": value_set}
    row = stand(about, definition=eq5d, norms=reference_norms(eq5d, NOTHING_CHOSEN)).iloc[0]
    assert (None if pd.isna(row["norm_id"]) else row["norm_id"]) == expected
    assert ("no_norm" in str(row["norm_flags"])) is (expected is None)


def test_every_flag_is_explained(project_root: Path) -> None:
    page = (project_root / "docs" / "norms.md").read_text(encoding="utf-8")
    assert [flag for flag in FLAGS if f"| `{flag}` |" not in page] == []


# --- severity -------------------------------------------------------------------------------------------------------------


def phq9(*scores: float, **about: Any) -> list[Any]:
    rows = stand(*({"score": s, "age": 30.0, **about} for s in scores), definition=instrument("phq9"), norms={})
    return [None if pd.isna(word) else word for word in rows["severity"]]


def test_bounds_of_a_band_are_in_it() -> None:
    """Kroenke, Spitzer and Williams (2001): 0-4, 5-9, 10-14, 15-19, 20-27."""
    words = ["minimal", "minimal", "mild", "mild", "moderate", "moderate", "moderately severe", "moderately severe"]
    assert phq9(0, 4, 5, 9, 10, 14, 15, 19, 20, 27) == [*words, "severe", "severe"]


def test_a_prorated_score_between_two_bands_has_not_reached_the_upper_one() -> None:
    """PHQ-9: 9 points on eight answers make 9 x 9 / 8 = 10.125, 4 points 4.5; 15 points on seven make 15 x 9 / 7 = 19.29."""
    assert phq9(9.5, 9.99, 10.125, 4.5, 19.29) == ["mild", "mild", "moderate", "minimal", "moderately severe"]


def test_rounding_of_floating_point_numbers_moves_nobody_into_another_band() -> None:
    assert phq9(10 - 1e-12, 9 + 1e-12, 27 + 1e-12) == ["moderate", "mild", "severe"]


@pytest.mark.parametrize("definition", [d for d in instruments().values() if d.severity_bands], ids=lambda d: d.id)
def test_a_word_changes_exactly_where_a_cut_off_at_its_bound_is_crossed(definition: Instrument) -> None:
    """In steps of 0.05 from below the first band to above the last: word and cut-off change at the same score."""
    compared = 0
    for scale in {b.scale for b in definition.severity_bands}:
        bands = [b for b in definition.severity_bands if b.scale == scale]
        scores = np.round(np.arange(0, 181, 0.05), 2)
        words = severity_words(scores, bands)
        above = {b.label: b.lower for b in bands}
        for cutoff in definition.cutoffs:
            if cutoff.scale == scale and cutoff.value in above.values() and cutoff.metric == bands[0].metric:
                known = np.array([w is not None for w in words])
                reached = np.array([above[w] is not None and above[w] >= cutoff.value for w in words[known]])
                crossed = beyond(scores[known], cutoff)
                assert (reached == (crossed if cutoff.op == ">=" else ~crossed)).all()
                compared += 1
    assert compared or definition.id not in ("phq9", "sipp118")


def test_between_bands_that_do_not_meet_there_is_no_word() -> None:
    given = {"scale": "total", "confidence": "verified"}
    bands = [
        SeverityBand(lower=lower, upper=upper, label=label, **given)
        for lower, upper, label in [(10, 14, "high"), (None, 4, "low")]
    ]
    assert severity_words([-3, 4, 4.5, 7, 10, 14.5, 15], bands).tolist() == [
        "low", "low", None, None, "high", None, None,
    ]  # fmt: skip


def test_bands_of_t_scores_need_a_norm() -> None:
    """SIPP-118: below 30 very low, 30-39 low, 40-59 mediate, 60-69 high, from 70 very high, all of T-scores."""
    sipp = instrument("sipp118")
    scale = sipp.primary.id
    rows = [{"score": x, "age": 30.0, "sex": "male", "scale": scale} for x in (20, 39.6, 40, 59.9, 75)]
    own = norm(scale=scale, mean=50.0, sd=10.0)
    there = stand(*rows, definition=sipp, norms={scale: (own,)})["severity"].tolist()
    assert there == ["very low", "low", "mediate", "mediate", "very high"]
    assert stand(*rows, definition=sipp, norms={})["severity"].isna().all()


def test_nobody_under_18_gets_a_word_made_for_adults() -> None:
    assert phq9(12, age=17.0) == [None]
    assert phq9(12, age=18.0) == ["moderate"]
    assert phq9(12, age=np.nan) == ["moderate"]


def test_a_band_that_was_only_recalled_gives_no_word() -> None:
    phq = instrument("phq9")
    recalled = phq.model_copy(
        update={"severity_bands": tuple(b.model_copy(update={"confidence": "memory"}) for b in phq.severity_bands)}
    )
    assert stand({"score": 12, "age": 30.0}, definition=recalled, norms={})["severity"].isna().all()
