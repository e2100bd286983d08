"""Which norm a home uses: the definition's own, what the site chose, what the site entered, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pytest

from mbt_rom.change import categories, classify
from mbt_rom.model import ChangeBasis, Cutoff, Instrument, Norm, Reliability
from mbt_rom.norms import change_norm, reference_norms, refuse_unknown_scales
from mbt_rom.registry import instrument, instruments
from mbt_rom.settings import Consortium, SettingsError, parse_settings

RECALLED = {"clinical": "us_outpatient", "functional": "us_nonpatient", "reliability": "retest_derogatis1993"}


def settings_with(norms: dict[str, Any], **other: Any) -> Consortium:
    return Consortium.model_validate({"name": "x", "issuers": {}, "programmes": {}, "norms": norms, **other})


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


# --- what the wider definitions allow ---------------------------------------------------------------------------------------


def scale_with(cutoff: dict[str, Any], *, direction: str, kind: str = "alpha") -> Instrument:
    """PHQ-9 whose change rests on one norm of two groups (20 and 10, SD 5 and 5), r 0.8 and one boundary."""
    given = {"scale": "total", "confidence": "single_source"}
    group = {"population": "outpatient", "sd": 5.0, **given}
    phq9 = instrument("phq9")
    return phq9.model_copy(
        update={
            "scales": tuple(s.model_copy(update={"direction": direction}) for s in phq9.scales),
            "norms": (Norm(id="before", mean=20.0, **group),),
            "reliabilities": (Reliability(id="r", kind=kind, value=0.8, population="outpatient", **given),),
            "cutoffs": (Cutoff(id="limit", meaning="m", **{"value": 10.0, **cutoff}, **given),),
            "change": (ChangeBasis(scale="total", clinical="before", reliability="r", cutoff="limit"),),
        }
    )


@pytest.mark.parametrize(
    ("direction", "op", "at_the_boundary"),
    [
        # caseness from 10 on, or from below 10 down: 10 is on the worse side, then on the better one
        ("lower_is_better", ">=", "reliably_improved"),
        ("higher_is_better", "<", "reliably_improved_into_reference_range"),
        # "in remission below 10", "adherent from 10 on"
        ("lower_is_better", "<", "reliably_improved"),
        ("higher_is_better", ">=", "reliably_improved_into_reference_range"),
    ],
)
def test_a_score_at_a_published_boundary_is_on_the_side_that_its_operator_says(
    direction: str, op: str, at_the_boundary: str
) -> None:
    """SD 5, r 0.8: SEM 2.236, limit 6.20. Changes of 10 points to the boundary itself and to the points beside it."""
    norm = change_norm(scale_with({"op": op}, direction=direction), "total", NOTHING_CHOSEN)
    assert norm is not None
    start = 20.0 if direction == "lower_is_better" else 0.0
    beyond = {"lower_is_better": 9.9, "higher_is_better": 10.1}[direction]
    before = {"lower_is_better": 10.1, "higher_is_better": 9.9}[direction]
    words = categories(
        [3.2, 3.2, 3.2],
        [start] * 3,
        [before, 10.0, beyond],
        cutoff=norm.cutoff,
        direction=direction,  # type: ignore[arg-type]
        includes_cutoff=norm.includes_cutoff,
    )
    assert words.tolist() == ["reliably_improved", at_the_boundary, "reliably_improved_into_reference_range"]


def test_the_side_of_a_published_boundary_reaches_the_table_of_change() -> None:
    definition = scale_with({"op": "<"}, direction="higher_is_better")
    norm = change_norm(definition, "total", NOTHING_CHOSEN)
    assert norm is not None
    pairs = pd.DataFrame(
        {"instrument": "phq9", "scale": "total", "baseline_score": [0.0], "score": [10.0], "is_adult": True}
    ).assign(is_provisional=pd.array([False], dtype="boolean"))
    classified = classify(pairs, definitions={"phq9": definition}, norms={("phq9", "total"): norm})
    assert classified["category"].tolist() == ["reliably_improved_into_reference_range"]


@pytest.mark.parametrize(
    ("cutoff", "wrong"), [({"metric": "t", "op": "<"}, "is one of T-scores"), ({"op": "=="}, "is a single score")]
)
def test_a_boundary_that_does_not_part_the_scale_is_refused(cutoff: dict[str, Any], wrong: str) -> None:
    with pytest.raises(SettingsError, match=rf"norms\.phq9\.total\.cutoff.*'limit' {wrong}"):
        change_norm(scale_with(cutoff, direction="higher_is_better"), "total", NOTHING_CHOSEN)


@pytest.mark.parametrize("kind", get_args(Reliability.model_fields["kind"].annotation))
def test_every_kind_of_reliability_has_a_name(kind: str) -> None:
    norm = change_norm(scale_with({}, direction="lower_is_better", kind=kind), "total", NOTHING_CHOSEN)
    assert norm is not None
    assert " 0.80 (outpatient)" in norm.sentence
    assert "_" not in norm.sentence


def test_no_provisional_figure_is_used_for_change_unless_it_is_chosen() -> None:
    """Of all instruments only the PHQ-9 has figures that were seen in print; the other bases wait for a choice."""
    every = instruments().values()
    usable = {(d.id, s.id) for d in every for s in d.scales if change_norm(d, s.id, NOTHING_CHOSEN) is not None}
    assert usable == {("phq9", "total")}
    assert {(d.id, b.scale) for d in every for b in d.change} == {("phq9", "total"), ("bsi", "gsi"), ("oq45", "total")}


# --- reference groups of T-scores -------------------------------------------------------------------------------------------


def references(instrument_id: str, chosen: dict[str, Any] | None = None) -> dict[str, list[str]]:
    settings = settings_with({}, reference_norms=chosen or {})
    found = reference_norms(instrument(instrument_id), settings)
    return {scale: [norm.id for norm in norms] for scale, norms in found.items()}


def test_without_a_choice_only_community_samples_with_an_sd_that_were_seen_in_print_are_used() -> None:
    used = {i: references(i) for i in instruments()}
    bsi = ("gsi", "som", "oc", "ins", "dep", "anx", "hos", "phob", "par", "psy")
    assert {i: norms for i, norms in used.items() if norms} == {
        "bsi": {scale: [f"de_community_m_{scale}", f"de_community_f_{scale}"] for scale in bsi},
        "eq5d5l": {"index": ["nl_women"]},
    }


def test_norms_that_need_a_permission_are_not_shipped() -> None:
    waiting = [
        d
        for d in instruments().values()
        if "by permission of the publisher" in " ".join((d.licence.note or "").split())
    ]
    assert [d.id for d in waiting] == ["iip32", "iip64"]
    assert [d.norms for d in waiting] == [(), ()]


def test_a_choice_takes_the_place_of_what_the_definition_would_give() -> None:
    assert references("bsi", {"bsi.gsi": "us_nonpatient"})["gsi"] == ["us_nonpatient"]
    assert references("bsi", {"bsi.gsi": ["us_nonpatient"]})["dep"] == ["de_community_m_dep", "de_community_f_dep"]
    assert "gsi" not in references("bsi", {"bsi.gsi": []})
    assert references("rmet", {"rmet.total": ["uk_students", "uk_general"]})["total"] == ["uk_students", "uk_general"]


def test_a_norm_for_one_sex_goes_before_one_for_all_in_the_order_of_the_home() -> None:
    chosen = ["us_nonpatient", "de_community_f_gsi", "de_community_m_gsi"]
    assert references("bsi", {"bsi.gsi": chosen})["gsi"] == [*chosen[1:], "us_nonpatient"]


OWN = {"id": "ours", "mean": 1.1, "sd": 0.6, "population": "Dutch community", "source": "manual, table 3"}


def test_figures_of_the_site_become_a_norm_with_everything_they_state() -> None:
    stated = {**OWN, "language": "nl", "sex": "female", "age": [18, None]}
    settings = settings_with({}, reference_norms={"iip64.total": stated})
    [norm] = reference_norms(instrument("iip64"), settings)["total"]
    assert (norm.id, norm.mean, norm.sd, norm.sex, norm.ages) == ("ours", 1.1, 0.6, "female", (18, 150))
    assert (norm.population, norm.spoken, norm.note) == ("Dutch community", "nl", "manual, table 3")
    assert not norm.is_provisional


def test_ids_and_figures_may_stand_in_one_list() -> None:
    assert references("bsi", {"bsi.gsi": ["us_nonpatient", OWN]})["gsi"] == ["us_nonpatient", "ours"]


@pytest.mark.parametrize(
    ("key", "choice", "message"),
    [
        ("bsi.gsi", "nobody", "scale 'gsi' has no record 'nobody'; there are: de_community_m_gsi, de_community_f_gsi"),
        ("bsi.gsi", "de_community_f_dep", "scale 'gsi' has no record 'de_community_f_dep'"),
        ("bsi.gsi", "us_outpatient", "the population of 'us_outpatient' is 'outpatient'"),
        ("rmet.total", "uk_as_hfa", "the population of 'uk_as_hfa' is 'other'"),
        ("bsi.gsi", {**OWN, "population": "bpd"}, "the population of 'ours' is 'bpd'"),
        ("eq5d5l.vas", "nz_vas", "record 'nz_vas' has a mean and no SD"),
        (
            "bsi.gsi",
            {**OWN, "id": "us_nonpatient"},
            "'us_nonpatient' is the id of a norm that comes with the definition",
        ),
        ("eq5d5l.index", OWN, "does not say by which value set its utilities were made; add 'value_set'"),
        ("eq5d5l.vas", {**OWN, "value_set": "nl_2016"}, "'ours' names a value set; remove 'value_set'"),
    ],
)
def test_what_is_no_reference_group_is_refused_by_its_key(key: str, choice: Any, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        references(key.partition(".")[0], {key: ["us_nonpatient", choice] if key == "bsi.gsi" else choice})
    assert f"key 'reference_norms.{key}'" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize("section", ["norms", "reference_norms"])
@pytest.mark.parametrize(
    ("key", "there_are"), [("eq5d5l.idx", "eq5d5l.index, eq5d5l.level_sum"), ("sbi.gsi", "bsi, eq5d5l")]
)
def test_a_scale_that_does_not_exist_is_told(section: str, key: str, there_are: str) -> None:
    mine = {i: instrument(i) for i in ("bsi", "eq5d5l")}
    entry = {"norms": RECALLED, "reference_norms": OWN}[section]

    def sections(key: str) -> dict[str, Any]:
        return {"norms": {}, section: {key: entry}}

    with pytest.raises(SettingsError, match=rf"key '{section}\.{key}': no such scale; there are: {there_are}"):
        refuse_unknown_scales(settings_with(**sections(key)), mine)
    refuse_unknown_scales(settings_with(**sections("bsi.gsi")), mine)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{id: ours, mean: 1, population: p, source: s}", "reference_norms.bsi.gsi.0.figures.sd': Field required"),
        ("{id: ours, mean: 1, sd: 0, population: p, source: s}", "reference_norms.bsi.gsi.0.figures.sd': Input should"),
        ("[us_nonpatient, Ours]", "reference_norms.bsi.gsi.1.id': String should match"),
        (
            "{id: o, mean: 1, sd: 1, population: p, source: s, age: [65, 18]}",
            "reference_norms.bsi.gsi.0.figures.age': ages are written [youngest, oldest]",
        ),
        (
            "{id: o, mean: 1, sd: 1, population: p, source: s, language: Dutch}",
            "reference_norms.bsi.gsi.0.figures.language': String should match",
        ),
    ],
)
def test_an_entry_that_cannot_be_used_is_told_with_its_place(entry: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse_settings(f"name: x\nissuers: {{}}\nprogrammes: {{}}\nreference_norms:\n  bsi.gsi: {entry}\n")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_the_example_of_the_page_is_accepted(project_root: Path) -> None:
    page = (project_root / "docs" / "norms.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    settings = parse_settings(f"name: x\nissuers: {{}}\nprogrammes: {{}}\n{example}")
    refuse_unknown_scales(settings, instruments())
    assert [n.id for n in reference_norms(instrument("iip64"), settings)["total"]] == ["manual_women", "manual_men"]
    assert [n.id for n in reference_norms(instrument("phq9"), settings)["total"]] == ["de_community"]
