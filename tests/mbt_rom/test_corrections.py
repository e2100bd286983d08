"""Decisions as documents: their bytes, which of them hold, and which numbers lead to one person."""

from datetime import UTC, datetime

import pytest

from mbt_rom.corrections import CellCorrection, Correction, canonical, document, parse_document, standing

AT = datetime(2026, 11, 22, 4, tzinfo=UTC)
CELLS = Correction("cells", "typing error", "ra", AT, cells=(CellCorrection("d1", None, 5, "phq9_1", "2"),))
LINK = Correction("link", "two registrations", "ra", AT, numbers=(("north", "1001"), ("south", "1002")))


def undo(name):
    return Correction("undo", "was right", "ra", AT, undoes=name)


@pytest.mark.parametrize("decision", [CELLS, LINK, undo("d2")], ids=["cells", "link", "undo"])
def test_a_decision_comes_back_from_its_bytes(decision):
    assert parse_document(document(decision)) == decision


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", b'{"format": "mbt-rom decision 1"}', b"a,b\n1,2\n"])
def test_other_bytes_are_no_decision(data):
    assert parse_document(data) is None


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "cells"},
        {"kind": "link", "numbers": (("north", "1"),)},
        {"kind": "undo"},
        {"kind": "undo", "reason": " "},
    ],
)
def test_a_decision_that_lacks_something_is_refused(more):
    with pytest.raises(ValueError, match="decision"):
        Correction(**{"reason": "why", "by": "ra", "at": AT, **more})


def test_an_undone_decision_holds_again_when_the_undoing_is_undone():
    assert standing({"a": CELLS, "b": undo("a")}) == {"b"}
    assert standing({"a": CELLS, "b": undo("a"), "c": undo("b")}) == {"a", "c"}


def test_numbers_lead_along_a_chain_to_one_person_in_any_order():
    assert canonical([("a", "b"), ("b", "c")]) == canonical([("b", "c"), ("a", "b")]) == {"a": "c", "b": "c", "c": "c"}


def test_a_circle_and_two_ends_lead_to_the_smallest():
    assert canonical([("b", "c"), ("c", "b")]) == {"b": "b", "c": "b"}
    assert canonical([("a", "c"), ("a", "b")]) == {"a": "b", "b": "b", "c": "b"}
    assert canonical([("a", "a")]) == {"a": "a"}
