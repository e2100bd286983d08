"""What a definition refuses, and what can be read off it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mbt_rom.model import Instrument, Item, Manual, MissingItems, Norm, Recode, Scale
from mbt_rom.registry import instrument, with_key


def definition(**changes: Any) -> dict[str, Any]:
    """A small valid definition, changed as asked."""
    valid: dict[str, Any] = {
        "id": "tiny",
        "name": "Tiny",
        "full_name": "Tiny",
        "edition": "1",
        "kind": "self_report",
        "measures": "nothing",
        "items": [item(1), item(2)],
        "codings": [{"id": "canonical", "min": 0, "max": 3, "confidence": "verified"}],
        "scales": [scale()],
        "norms": [norm()],
        "reliabilities": [reliability()],
        "licence": {"status": "free"},
        "sources": {"somebody": {"cite": "Somebody (2020)", "seen": "abstract"}},
    }
    return {**valid, **changes}


def scale(**changes: Any) -> dict[str, Any]:
    valid: dict[str, Any] = {
        "id": "total",
        "label": "Total",
        "items": ["tiny_01", "tiny_02"],
        "method": "sum",
        "range": [0, 6],
        "direction": "lower_is_better",
        "is_primary": True,
        "confidence": "verified",
    }
    return {**valid, **changes}


def norm(**changes: Any) -> dict[str, Any]:
    valid = {"id": "clinic", "scale": "total", "population": "outpatient", "mean": 3, "sd": 1, "confidence": "verified"}
    return {**valid, "source": ["somebody"], **changes}


def reliability(**changes: Any) -> dict[str, Any]:
    valid = {"id": "alpha", "scale": "total", "kind": "alpha", "value": 0.8, "population": "outpatient"}
    return {**valid, "confidence": "verified", **changes}


def item(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"tiny_0{number}", "number": str(number), "min": 0, "max": 3, **changes}


def risk(**changes: Any) -> dict[str, Any]:
    valid = {"id": "r", "item": "tiny_01", "about": "x", "value": 1, "level": "alert", "origin": "published"}
    return {**valid, "confidence": "verified", **changes}


def band(**changes: Any) -> dict[str, Any]:
    return {"scale": "total", "lower": 0, "upper": 3, "label": "mild", "confidence": "verified", **changes}


def test_the_small_definition_is_valid() -> None:
    assert Instrument.model_validate(definition()).item_ids == ("tiny_01", "tiny_02")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scales": [scale(items=["tiny_01", "tiny_09"])]}, "tiny_09"),
        ({"scales": [scale(reverse=["tiny_08"])]}, "tiny_08"),
        ({"scales": [scale(is_primary=False)]}, "exactly one scale"),
        ({"scales": [scale(), scale(id="other")]}, "exactly one scale"),
        ({"norms": [norm(scale="other")]}, "other"),
        ({"norms": [norm(source=["nobody"])]}, "nobody"),
        ({"change": [{"scale": "total", "clinical": "nowhere", "reliability": "alpha"}]}, "nowhere"),
        ({"change": [{"scale": "other", "clinical": "clinic", "reliability": "alpha"}]}, "other"),
        ({"surprise": 1}, "surprise"),
        ({"scales": [scale(method="median")]}, "method"),
        ({"id": "Tiny Scale"}, "id"),
        ({"scales": [scale(scales=["part"])]}, "part"),
        ({"scales": [scale(missing={"rule": "by_parts", "parts": ["part"]})]}, "part"),
        ({"scales": [scale(missing={"rule": "prorate", "counted_over": "whole"})]}, "whole"),
        ({"scales": [scale(exposure="tiny_07")]}, "tiny_07"),
        ({"scales": [scale(weights={"tiny_07": 1})]}, "tiny_07"),
        ({"scales": [scale(answer_key={"tiny_07": 1})]}, "tiny_07"),
        ({"scales": [scale(recode={"default": {}, "items": {"tiny_07": {}}})]}, "tiny_07"),
        ({"items": [item(1), item(2, gate="tiny_07")]}, "'gate' names .*tiny_07"),
        ({"risk": [risk(item="tiny_07")]}, "'risk' names .*tiny_07"),
        ({"risk": [risk(source=["nobody"])]}, "nobody"),
        ({"orders": {"other": ["tiny_01", "tiny_01"]}}, "order 'other' names an item twice"),
        ({"orders": {"other": ["tiny_01", "tiny_07"]}}, "order 'other'"),
        ({"severity_bands": [band(scale="other")]}, "other"),
        ({"severity_bands": [band(source=["nobody"])]}, "nobody"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Instrument.model_validate(definition(**changes))


#: Recodes every answer of an item.
WHOLE = {"default": {0: 3, 1: 2, 2: 1, 3: 0}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": ["tiny_01", "tiny_02", "tiny_01"]}, r"items twice: \['tiny_01'\]"),
        ({"items": ["tiny_01"], "reverse": ["tiny_02"]}, r"not its own: \['tiny_02'\]"),
        ({"reverse": ["tiny_02"], "recode": WHOLE}, "'reverse' that a recoding"),
        ({"reverse": ["tiny_02"], "method": "profile"}, "'reverse' that a recoding or its method"),
        ({"method": "count_at_least"}, "needs a 'threshold' for its method 'count_at_least'"),
        ({"method": "count_at_most"}, "threshold"),
        ({"method": "any_at_least"}, "threshold"),
        ({"method": "distress_index"}, "threshold"),
        ({"method": "single"}, "has several items"),
        ({"method": "rate", "items": ["tiny_01"]}, "needs one item and an 'exposure'"),
        ({"method": "rate", "exposure": "tiny_02"}, "needs one item and an 'exposure'"),
        ({"method": "weighted", "weights": {"tiny_01": 1}}, r"without weight or right answer: \['tiny_02'\]"),
        ({"method": "answer_key", "answer_key": {"tiny_02": 1}}, r"right answer: \['tiny_01'\]"),
        ({"recode": {"default": {0: 0, 1: 1, 2: 2}}}, r"recodes not every answer of \['tiny_01', 'tiny_02'\]"),
        ({"recode": {**WHOLE, "items": {"tiny_02": {0: 0}}}}, r"not every answer of \['tiny_02'\]"),
        ({"method": "mean_of_scales", "items": [], "scales": ["total"]}, "computed from itself"),
        ({"missing": {"rule": "by_parts", "parts": ["part"]}}, "computed from itself"),
    ],
)
def test_a_scale_that_could_not_be_computed_as_written_is_refused_by_name(
    changes: dict[str, Any], message: str
) -> None:
    part = scale(id="part", is_primary=False, items=[], method="mean_of_scales", scales=["total"])
    with pytest.raises(ValidationError, match=f"scale 'total' .*{message}"):
        Instrument.model_validate(definition(scales=[scale(**changes), part]))


def test_a_count_without_a_limit_cannot_be_recoded_answer_by_answer() -> None:
    with pytest.raises(ValidationError, match="recodes not every answer"):
        Instrument.model_validate(definition(items=[item(1, max=None), item(2)], scales=[scale(recode=WHOLE)]))


@pytest.mark.parametrize(
    "changes",
    [
        {"reverse": ["tiny_02"], "method": "mean"},
        {"recode": WHOLE},
        {"method": "count_at_least", "threshold": 0},
        {"method": "rate", "items": ["tiny_01"], "exposure": "tiny_02"},
        {"method": "weighted", "weights": {"tiny_01": 0, "tiny_02": 2}},
        {"method": "answer_key", "answer_key": {"tiny_01": 0, "tiny_02": 3}},
        {"method": "single", "items": ["tiny_02"]},
        {"missing": {"rule": "by_parts", "parts": ["part"]}},
    ],
)
def test_scales_that_can_be_computed_are_taken(changes: dict[str, Any]) -> None:
    part = scale(id="part", is_primary=False)
    assert Instrument.model_validate(definition(scales=[scale(**changes), part])).primary.id == "total"


def test_a_count_has_the_largest_that_can_be_stored_and_needs_sixteen_bits() -> None:
    count, short, long = (
        Item(id="a", number="1", min=0),
        Item(id="b", number="2", min=0, max=127),
        Item(id="c", number="3", min=0, max=128),
    )
    assert (count.largest, count.is_wide, count.bounds) == (32_767, True, "0 or more")
    assert (short.largest, short.is_wide, short.bounds) == (127, False, "0 to 127")
    assert (long.largest, long.is_wide) == (128, True)
    assert [count.allows(n) for n in (-1, 0, 32_767, 32_768)] == [False, True, True, False]
    assert [short.allows(n) for n in (-1, 0, 127, 128)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("ends", "limits", "text"),
    [
        ((0, 4), (0, 4), "0 to 4"),
        ((-0.723, 1), (-0.723, 1), "-0.723 to 1"),
        ((0, None), (0, float("inf")), "0 or more"),
        ((None, 5.5), (float("-inf"), 5.5), "up to 5.5"),
        ((None, None), (float("-inf"), float("inf")), "no limits"),
    ],
)
def test_a_range_may_be_open_at_either_end(ends: Any, limits: tuple[float, float], text: str) -> None:
    tested = Scale.model_validate(scale(range=ends))
    assert (tested.limits, tested.range_text) == (limits, text)


def test_a_recoding_of_one_item_goes_before_that_of_all() -> None:
    recode = Recode(default={1: 0}, items={"tiny_02": {1: 3}})
    assert (recode.of("tiny_01"), recode.of("tiny_02")) == ({1: 0}, {1: 3})


def test_items_of_a_scale_are_its_own_its_exposure_and_those_of_its_parts_once_each() -> None:
    tested = Instrument.model_validate(
        definition(
            items=[item(n) for n in (1, 2, 3, 4)],
            scales=[
                scale(items=["tiny_02", "tiny_01"]),
                scale(id="rate", items=["tiny_03"], method="rate", exposure="tiny_04", is_primary=False),
                scale(id="both", items=[], scales=["rate", "total", "rate"], method="mean_of_scales", is_primary=False),
                scale(id="unknown", items=[], is_primary=False, key="site_supplied"),
            ],
        )
    )
    found = {s.id: tested.items_of(s) for s in tested.scales}
    assert found["total"] == ("tiny_02", "tiny_01")
    assert found["rate"] == ("tiny_03", "tiny_04")
    assert found["both"] == ("tiny_03", "tiny_04", "tiny_02", "tiny_01")
    assert found["unknown"] == ()
    assert {s.id: s.is_keyed for s in tested.scales} == {"total": True, "rate": True, "both": True, "unknown": False}


def test_a_formula_that_is_not_published_is_never_keyed() -> None:
    assert not Scale.model_validate(scale(method="not_published")).is_keyed


def test_needed_items_are_those_of_the_primary_scale_or_without_its_key_all_that_are_scored() -> None:
    unscored = [item(1), item(2), item(3, is_scored=False)]
    assert Instrument.model_validate(definition(items=unscored, scales=[scale(items=["tiny_03"])])).needed_items == (
        "tiny_03",
    )
    without_key = Instrument.model_validate(definition(items=unscored, scales=[scale(items=[])]))
    assert without_key.needed_items == ("tiny_01", "tiny_02")


def test_an_item_that_is_not_there_is_named() -> None:
    assert instrument("phq9").item("phq9_02").number == "2"
    with pytest.raises(KeyError, match="phq9 has no item 'phq9_11'"):
        instrument("phq9").item("phq9_11")


@pytest.mark.parametrize(("printed", "published", "differs"), [(60, 53, True), (53, 53, False), (None, 53, False)])
def test_the_manual_differs_where_it_prints_another_number_of_items(
    printed: int | None, published: int, differs: bool
) -> None:
    assert Manual(items=printed, published_items=published).differs is differs


@pytest.mark.parametrize(
    ("changes", "ages", "spoken"),
    [
        ({}, (18, 150), None),
        ({"age": [12, 17], "country": "NL"}, (12, 17), "nl"),
        ({"age": [None, 65], "country": "UK", "language": "cy"}, (18, 65), "cy"),
        ({"age": [60, None], "country": "XX"}, (60, 150), None),
    ],
)
def test_ages_and_language_of_a_norm(changes: dict[str, Any], ages: tuple[int, int], spoken: str | None) -> None:
    tested = Norm.model_validate(norm(**changes))
    assert (tested.ages, tested.spoken) == (ages, spoken)


def test_nothing_of_a_definition_can_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        instrument("phq9").name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("confidence", ["memory", "derived", "unverified"])
def test_recalled_and_derived_facts_are_provisional(confidence: str) -> None:
    assert Norm.model_validate(norm(confidence=confidence)).is_provisional


@pytest.mark.parametrize("confidence", ["verified", "single_source"])
def test_facts_that_were_seen_are_not_provisional(confidence: str) -> None:
    assert not Norm.model_validate(norm(confidence=confidence)).is_provisional


def test_a_rule_that_fills_nothing_in_is_never_provisional() -> None:
    assert not MissingItems(rule="complete", confidence="memory").is_provisional
    assert MissingItems(rule="person_mean", max_missing=1, confidence="memory").is_provisional


def test_the_hash_changes_with_the_definition_and_only_then() -> None:
    before = Instrument.model_validate(definition())
    assert before.definition_hash == Instrument.model_validate(definition()).definition_hash
    assert before.definition_hash != Instrument.model_validate(definition(norms=[norm(mean=4)])).definition_hash


def test_a_copy_has_hashes_and_a_primary_scale_of_its_own() -> None:
    one = Instrument.model_validate(definition(scales=[scale(), scale(id="other", is_primary=False)]))
    hashes = (one.definition_hash, one.reading_hash, one.primary.id)
    swapped = tuple(s.model_copy(update={"is_primary": not s.is_primary}) for s in one.scales)
    other = one.model_copy(update={"scales": swapped, "edition": "2"})
    assert other.primary.id == "other"
    assert set(hashes).isdisjoint({other.definition_hash, other.reading_hash, other.primary.id})
    assert (one.definition_hash, one.reading_hash, one.primary.id) == hashes


@pytest.mark.parametrize(
    ("changes", "is_read_otherwise"),
    [
        ({"norms": [norm(mean=4)]}, False),
        ({"scales": [scale(method="mean")]}, False),
        ({"scales": [scale(reverse=["tiny_01"])]}, False),
        ({"measures": "something else"}, False),
        ({"scales": [scale(items=["tiny_01"])]}, True),
        ({"prefixes": ["other"]}, True),
        ({"edition": "second"}, True),
        ({"wrong_counts": {3: "another form"}}, True),
        ({"codings": []}, True),
        ({"missing_codes": ["9"]}, True),
        ({"order_must_be_stated": True}, True),
    ],
)
def test_the_reading_hash_changes_with_what_decides_how_forms_are_read(
    changes: dict[str, Any], is_read_otherwise: bool
) -> None:
    before, after = (Instrument.model_validate(definition(**c)) for c in ({}, changes))
    assert before.definition_hash != after.definition_hash
    assert (before.reading_hash != after.reading_hash) is is_read_otherwise


TURNED = {"id": "turned", "confidence": "memory", "reversed_items": ["tiny_01"]}
SCORED = {"id": "scored", "confidence": "memory", "min": 0, "max": 1, "is_scored": True}


@pytest.mark.parametrize(
    ("coding", "change"), [(TURNED, {"reverse": ["tiny_01"]}), (SCORED, {"answer_key": {"tiny_01": 1}})]
)
def test_what_a_coding_asks_of_the_scales_decides_how_forms_are_read(
    coding: dict[str, Any], change: dict[str, Any]
) -> None:
    """A form that is stored turned round, or as right and wrong, is read by what the scale says of its items."""
    for codings, is_read_otherwise in (([coding], True), ([], False)):
        before = Instrument.model_validate(definition(codings=codings))
        after = Instrument.model_validate(definition(codings=codings, scales=[scale(**change)]))
        assert (before.reading_hash != after.reading_hash) is is_read_otherwise


def test_a_key_that_a_site_supplies_changes_how_forms_are_read_by_the_items_it_names_only() -> None:
    """The first key names the items without which a form is refused; which of them are turned round is a matter of scoring."""
    bare = instrument("rfq54")
    assert bare.definition_hash != bare.reading_hash  # asked for beforehand, as a process does that has run before
    keys = ("{items: [1, 2], reverse: [1]}", "{items: [1, 2], reverse: [2]}", "{items: [1, 3], reverse: [1]}")
    one, turned, other = (with_key(bare, f"scales: {{rfq_u: {key}}}", file="rfq54.yaml") for key in keys)
    assert len({d.definition_hash for d in (bare, one, turned, other)}) == 4
    assert one.reading_hash == turned.reading_hash
    assert len({d.reading_hash for d in (bare, one, other)}) == 3


def test_a_scale_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(KeyError, match="gsi"):
        instrument("bsi").scale("total")


@pytest.mark.parametrize(
    ("changes", "is_judged_otherwise"),
    [
        ({"norms": [norm(mean=4)]}, False),
        ({"scales": [scale(label="Another name")]}, False),
        ({"scales": [scale(method="mean")]}, True),
        ({"scales": [scale(reverse=["tiny_01"])]}, True),
        ({"prefixes": ["other"]}, True),
    ],
)
def test_the_judging_hash_changes_with_how_the_primary_score_is_made(
    changes: dict[str, Any], is_judged_otherwise: bool
) -> None:
    """A stored total is compared with it."""
    before, after = (Instrument.model_validate(definition(**c)) for c in ({}, changes))
    assert (before.judging_hash != after.judging_hash) is is_judged_otherwise
