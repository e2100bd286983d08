"""Words for what definitions say: every term has some, and they say what is done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from mbt_rom.in_words import (
    CONFIDENCE,
    CONFIDENCE_MEANS,
    KEYS,
    KEYS_MEAN,
    METHODS,
    MISSING_RULES,
    MONITORS,
    item_numbers,
    made_of,
    method_in_words,
    missing_in_words,
)
from mbt_rom.model import Confidence, Key, Method, MissingRule, Monitor
from mbt_rom.registry import instrument, instruments


@pytest.mark.parametrize(
    ("terms", "catalogues"),
    [
        (Method, [METHODS]),
        (MissingRule, [MISSING_RULES]),
        (Confidence, [CONFIDENCE, CONFIDENCE_MEANS]),
        (Key, [KEYS, KEYS_MEAN]),
        (Monitor, [MONITORS]),
    ],
    ids=["method", "missing rule", "confidence", "key", "monitor"],
)
def test_every_term_has_words(terms: object, catalogues: list[dict[str, str]]) -> None:
    for catalogue in catalogues:
        assert set(catalogue) == set(get_args(terms))
        assert len(set(catalogue.values())) == len(catalogue)


@pytest.mark.parametrize("definition", instruments().values(), ids=lambda d: d.id)
def test_no_gap_of_a_sentence_is_left_open_for_any_scale(definition: object) -> None:
    for scale in definition.scales:  # type: ignore[attr-defined]
        said = f"{method_in_words(definition, scale)} {missing_in_words(definition, scale)}"  # type: ignore[arg-type]
        assert "None" not in said
        assert "{" not in said


def method(name: str) -> str:
    definition, _, scale = name.partition(".")
    return method_in_words(instrument(definition), instrument(definition).scale(scale))


def missing(name: str) -> str:
    definition, _, scale = name.partition(".")
    return missing_in_words(instrument(definition), instrument(definition).scale(scale))


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("bsi.pst", "1 or higher"),
        ("scid2.bpd_criteria", "3 or higher"),
        ("team_adherence.n_below_4", "3 or lower"),
        ("sshi.suicidal_acts_rate", "divided by months covered"),
        ("iip64.love", "at 0 degrees: 2/8 x"),
        ("mpq.nem", "publisher's T-score"),
        ("sipp118.self_control", "not published"),
    ],
)
def test_a_method_is_said_with_its_numbers(scale: str, words: str) -> None:
    assert words in method(scale)


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("phq9.total", ["Up to 2 answers", "sum x number of items / number answered", "one source"]),
        ("bsi.gsi", ["Up to 13 answers", "mean of the answers that there are", "recalled, **provisional**"]),
        ("bsi.som", ["One answer may be missing", "Rule: one source."]),
        ("oq45.sd", ["Up to 4 answers", "all items of total", "rounded half up"]),
        ("oq45.total", ["Up to 4 answers", "sd, ir and sr"]),
        ("team_adherence.mean", ["Our rule, **provisional**"]),
        ("sshi.crisis_event", ["Up to 2 answers", "nothing is made up"]),
        ("bdi2.total", ["must be answered", "No published rule was seen"]),
        ("ticp.unpriced_contacts", ["must be answered", "known to us, and we make none up"]),
        ("sshi.suicidal_acts", ["A single answer", "never zero"]),
        ("dappsf.inhibition", ["every scale that it is made of"]),
        ("eq5d5l.index", ["a health state has one level of each"]),
        ("mpq.nem", ["publisher's scoring left blank"]),
    ],
)
def test_a_rule_for_missing_answers_is_said_with_its_limit_and_how_sure_it_is(scale: str, words: list[str]) -> None:
    assert [w for w in words if w not in missing(scale)] == []


def test_a_scale_that_is_scored_only_complete_says_why() -> None:
    for definition in instruments().values():
        for scale in definition.scales:
            if scale.missing.rule == "complete" and len(scale.items) > 1 and scale.method != "not_published":
                why = missing_in_words(definition, scale).partition(". ")[2]
                assert why or scale.method in {"value_set", "profile"}, (definition.id, scale.id)


@pytest.mark.parametrize(
    ("definition", "numbers", "words"),
    [
        ("bsi", [1, 2], "1, 2"),
        ("bsi", [1, 2, 3], "1-3"),
        ("bsi", [3, 1, 2, 53, 9, 10], "1-3, 9, 10, 53"),
        ("bsi", range(1, 54), "all 53"),
        ("bsi", [], ""),
    ],
)
def test_items_are_numbered_in_runs(definition: str, numbers: list[int], words: str) -> None:
    assert item_numbers(instrument(definition), [f"{definition}_{n:02d}" for n in numbers]) == words


def test_named_items_run_when_they_are_numbered_and_not_otherwise() -> None:
    mbtacs, sshi = instrument("mbtacs"), instrument("sshi")
    assert made_of(mbtacs, mbtacs.scale("mean_adherence")) == "items adherence_01 to adherence_17"
    assert made_of(sshi, sshi.scale("crisis_event")) == "items suicidal_acts, self_harm_acts, hospital_admissions"
    assert made_of(sshi, sshi.primary) == "item suicidal_acts"


def test_what_only_the_licence_holder_knows_is_not_made_up() -> None:
    sipp = instrument("sipp118")
    assert made_of(sipp, sipp.scale("respect")) == "the site's key says"


def test_the_guide_to_own_instruments_names_every_method_and_every_rule(project_root: Path) -> None:
    guide = (project_root / "docs" / "own-instruments.md").read_text(encoding="utf-8")
    for first, catalogue in (("method", METHODS), ("rule", MISSING_RULES)):
        [rows] = re.findall(rf"\| {first} \| .*\n\|[-|]+\n((?:\|.*\n)+)", guide)
        named = {name for row in rows.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        assert named == set(catalogue)
