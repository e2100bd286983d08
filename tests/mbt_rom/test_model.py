"""What a definition refuses, and what can be read off it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mbt_rom.model import Instrument, MissingItems, Norm
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
        "items": [{"id": f"tiny_0{n}", "number": str(n), "min": 0, "max": 3} for n in (1, 2)],
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
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Instrument.model_validate(definition(**changes))


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
