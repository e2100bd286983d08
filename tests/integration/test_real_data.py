"""NHANES and the NHS PROMs through the real pipeline, beside the published figures (`real_data.py` says which)."""

from pathlib import Path

import pandas as pd
import pytest
import real_data

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def shared() -> Path:
    folder = real_data.shared_folder()
    if not (folder / "data/nhanes_phq9/DPQ_J.csv").is_file():
        pytest.skip(f"the real data sets are not at {folder.name}/data; set MBT_ROM_SHARED to their folder")
    return folder


@pytest.fixture(scope="module")
def nhanes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("real") / "nhanes"
    real_data.load_nhanes(home, shared)
    return home


long = pytest.mark.long  # 281 programmes: two to three minutes


@pytest.fixture(scope="module")
def nhs(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("real") / "nhs"
    real_data.load_nhs(home, shared)
    return home


def test_answers_to_the_first_phq9_item_are_those_of_the_cdc_codebook(nhanes: Path) -> None:
    assert [line for line in real_data.nhanes_comparisons(nhanes) if line.difference] == []


def test_refused_and_dont_know_are_never_summed(nhanes: Path, shared: Path) -> None:
    """By hand from the file: 5,068 people answered all nine, 15 eight, 3 seven; a sum with a 7 or 9 could pass 27."""
    scores = real_data.exported("scores/phq9", nhanes)
    totals = scores[scores["scale"] == "total"]
    assert totals["n_answered"].value_counts().to_dict() == {9: 5068, 0: 440, 8: 15, 1: 5, 7: 3, 5: 1, 6: 1}
    assert totals["score"].notna().sum() == 5068 + 15 + 3
    assert (totals.loc[totals["n_answered"] == 9, "score"] >= 10).sum() == 459
    assert totals["score"].max() <= 27


@long
def test_every_complete_state_has_the_uk_index_that_the_nhs_stored(nhs: Path, shared: Path) -> None:
    """Row by row: the index of the pipeline against `EQ5D Index` in the file, for the rows that the mapping keeps."""
    archive = shared / "data/nhs_proms_eq5d3l/Hip Replacement Provider 1617.csv.zip"
    raw = real_data.nhs_rows(archive)
    scores = real_data.exported("scores/eq5d3l", nhs)
    index = scores[scores["scale"] == "index"].copy()
    index["record"] = index["row_id"].str.split("-").str[2].astype(int) - 2
    for moment, column in {"baseline": "Pre-Op Q EQ5D Index", "m6": "Post-Op Q EQ5D Index"}.items():
        ours = index[index["moment_given"] == moment].set_index("record")["score"]
        stored = pd.to_numeric(raw[column], errors="coerce").reindex(ours.index)
        assert len(ours) > 37_000
        assert (ours.notna() == stored.notna()).all()
        assert (ours - stored).abs().max() < 5e-7
        assert set(index["value_set_id"]) == {"uk_1997"}


@long
def test_mean_health_gain_of_every_provider_is_the_published_one(nhs: Path, shared: Path) -> None:
    """The published table prints six decimals; 281 of its providers are in the record-level file."""
    matched, worst = real_data.nhs_comparisons(nhs, shared)
    assert matched.ours == 281
    assert worst.ours <= 5.1e-7


@long
def test_the_benchmark_gives_the_same_gain_and_withholds_small_providers(nhs: Path, shared: Path) -> None:
    benchmark = real_data.exported("benchmarks/programmes", nhs)
    rows = benchmark[(benchmark["scale"] == "index") & (benchmark["moment"] == "m6")]
    joined = rows.merge(real_data.published_gains(shared), on="programme_id")
    shown = joined[joined["mean_change"].notna()]
    assert len(shown) > 200
    assert (shown["mean_change"] - shown["gain"]).abs().max() <= 5.1e-7
    small = joined[pd.to_numeric(joined["records"], errors="coerce") < 10]
    assert len(small) > 0
    assert small["mean_change"].isna().all()
    assert (small["suppressed"] != "").all()
