"""Which norm a home uses: the definition's own, what the site chose, what the site entered, or none."""

from __future__ import annotations

from typing import Any

import pytest

from mbt_rom.norms import change_norm
from mbt_rom.registry import instrument
from mbt_rom.settings import Consortium, SettingsError

RECALLED = {"clinical": "us_outpatient", "functional": "us_nonpatient", "reliability": "retest_derogatis1993"}


def settings_with(norms: dict[str, Any]) -> Consortium:
    return Consortium.model_validate({"name": "x", "issuers": {}, "programmes": {}, "norms": norms})


NOTHING_CHOSEN = settings_with({})


def test_phq9_uses_its_published_boundary_and_says_that_the_samples_differ() -> None:
    norm = change_norm(instrument("phq9"), "total", NOTHING_CHOSEN)
    assert norm is not None
    assert (norm.clinical_mean, norm.clinical_sd, norm.reliability) == (15.4, 5.5, 0.89)
    assert (norm.cutoff, norm.cutoff_kind) == (10, "published")
    assert norm.is_mixed
    assert not norm.is_provisional
    assert "different samples" in norm.sentence


def test_recalled_norm_of_the_bsi_is_off_until_it_is_chosen() -> None:
    assert change_norm(instrument("bsi"), "gsi", NOTHING_CHOSEN) is None


def test_chosen_recalled_norm_is_used_and_marked() -> None:
    norm = change_norm(instrument("bsi"), "gsi", settings_with({"bsi.gsi": RECALLED}))
    assert norm is not None
    assert norm.is_provisional
    assert "Provisional" in norm.sentence
    assert norm.cutoff_kind == "c"
    # (0.31 x 1.32 + 0.72 x 0.30) / (0.31 + 0.72) = 0.6252 / 1.03, worked by hand
    assert norm.cutoff == pytest.approx(0.60699, abs=1e-5)


@pytest.mark.parametrize("instrument_id", ["eq5d3l", "eq5d5l"])
def test_no_reliability_no_norm(instrument_id: str) -> None:
    assert change_norm(instrument(instrument_id), "index", NOTHING_CHOSEN) is None


def test_scale_without_a_basis_has_no_norm() -> None:
    assert change_norm(instrument("bsi"), "dep", NOTHING_CHOSEN) is None


def test_figures_of_the_site_go_before_the_definition() -> None:
    own = {"id": "site_2024", "clinical_mean": 14, "clinical_sd": 5, "reliability": 0.8, "source": "licensed manual"}
    norm = change_norm(instrument("phq9"), "total", settings_with({"phq9.total": own}))
    assert norm is not None
    assert (norm.norm_id, norm.clinical_sd, norm.cutoff, norm.cutoff_kind) == ("site_2024", 5, None, None)
    assert "licensed manual" in norm.sentence


def test_boundary_of_the_site_is_called_its_own() -> None:
    own = {"id": "s", "clinical_mean": 14, "clinical_sd": 5, "reliability": 0.8, "cutoff": 9, "source": "manual"}
    norm = change_norm(instrument("phq9"), "total", settings_with({"phq9.total": own}))
    assert norm is not None
    assert (norm.cutoff, norm.cutoff_kind) == (9, "own")


def test_chosen_published_boundary_goes_before_c() -> None:
    choice = {**RECALLED, "cutoff": "gsi_056_code"}
    norm = change_norm(instrument("bsi"), "gsi", settings_with({"bsi.gsi": choice}))
    assert norm is not None
    assert (norm.cutoff, norm.cutoff_kind) == (0.56, "published")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"clinical": "nobody"}, "norms.bsi.gsi.clinical"),
        ({"reliability": "nobody"}, "norms.bsi.gsi.reliability"),
        ({"functional": "de_community_f_dep"}, "norms.bsi.gsi.functional"),
        ({"cutoff": "nl_manual_dep_men"}, "norms.bsi.gsi.cutoff"),
    ],
)
def test_record_that_the_scale_does_not_have_is_refused_by_name(change: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError, match=key):
        change_norm(instrument("bsi"), "gsi", settings_with({"bsi.gsi": {**RECALLED, **change}}))


def test_record_without_sd_is_refused() -> None:
    bare = instrument("bsi").model_copy(
        update={
            "norms": tuple(
                n.model_copy(update={"sd": None}) if n.id == "us_outpatient" else n for n in instrument("bsi").norms
            )
        }
    )
    with pytest.raises(SettingsError, match="no SD"):
        change_norm(bare, "gsi", settings_with({"bsi.gsi": RECALLED}))
