"""Items and findings are computed again only when `Instrument.reading_hash` changes: so they may look at nothing else."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from expectations.items import validate_items
from mbt_rom import conform
from mbt_rom.exports.mapping import Mapping, parse_mapping
from mbt_rom.model import BEYOND_READING, Instrument
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registry import instrument
from mbt_rom.settings import Consortium, Issuer, Programme

IDS = ("bsi", "eq5d3l", "eq5d5l", "ecrr", "mpq", "oq45", "phq9", "rmet", "sipp118", "sshi")


class ReadOnly(Instrument):
    """A definition that is used for reading: what is said beyond it must not be asked for."""

    def __getattribute__(self, name: str) -> Any:
        if name in BEYOND_READING:
            raise AssertionError(f"reading looks at '{name}', which the reading hash leaves out: see mbt_rom.model")
        return super().__getattribute__(name)


def read_only(definition: Instrument) -> Instrument:
    made = ReadOnly.model_construct(**{name: getattr(definition, name) for name in Instrument.model_fields})
    # What the hash holds of the scales: their names, needed items, right answers, and which items are reversed.
    made.__dict__.update(
        primary=definition.primary,
        named_scales=definition.named_scales,
        needed_items=definition.needed_items,
        right_answers=definition.right_answers,
    )
    return made


INSTRUMENTS = {i: read_only(instrument(i)) for i in IDS}
SETTINGS = Consortium(
    name="x",
    issuers={"hospital": Issuer()},
    programmes={"north": Programme(name="North", issuer="hospital", instruments=("bsi", "phq9", "eq5d5l"))},
)
MAPPING = """
name: lists
matches: {columns: [Case, Day, Q1]}
patient: {column: Case}
date: {column: Day}
forms:
  - {instrument: bsi, prefix: Q, coding: one_based}
"""


SCORED = MAPPING.replace("instrument: bsi", "instrument: rmet").replace("one_based", "scored")


def csv(header: list[str], *rows: list[object]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode()


def deliver(data: bytes, *mappings: Mapping) -> conform.Conformed:
    return conform.deliver(
        data,
        file_name="x.csv",
        programme_id="north",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 6, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments=INSTRUMENTS,
        pseudonyms=Pseudonyms(b"an example key, of no use at all"),
        mappings=mappings,
    )


def numbered(name: str, n: int) -> list[str]:
    return ["patient_id", "date", *(f"{name}_{i}" for i in range(1, n + 1))]


def oq45(answer: int) -> list[int]:
    """That answer to every item, and its opposite to the nine that are scored the other way round."""
    return [4 - answer if n in (1, 12, 13, 20, 21, 24, 31, 37, 43) else answer for n in range(1, 46)]


GOOD = ["1", "2026-03-01"]
FILES = {
    "good": (csv(numbered("phq9", 9), [*GOOD, *[1] * 9]), (), None),
    "bad cells": (csv(numbered("phq9", 9), [*GOOD, 7, "x", *[1] * 7], ["2", "soon", *[9] * 9]), (), None),
    "one-based": (csv(numbered("bsi", 53), [*GOOD, *[5] * 53]), (), "coding_undeclared"),
    "other edition": (csv(["patient_id", "date", *(f"eq5d_{d}" for d in ("mo", "sc", "ua", "pd", "ad"))], [*GOOD, *[4] * 5]), (), None),
    "too many items": (csv(numbered("phq9", 12), [*GOOD, *[1] * 12]), (), "item_count_wrong"),
    "too few items": (csv(numbered("bsi", 20), [*GOOD, *[1] * 20]), (), "item_count_wrong"),
    "items turned round": (csv(numbered("oq45", 45), *([i, "2026-03-01", *oq45(i % 5)] for i in range(40))), (), None),
    "right and wrong": (csv(["Case", "Day", *(f"Q{i}" for i in range(1, 37))], [*GOOD, *[1] * 36]), (SCORED,), None),
    "right and wrong undeclared": (csv(numbered("rmet", 36), [*GOOD, *[0] * 36]), (), "coding_undeclared"),
    "no order": (csv(numbered("ecrr", 36), [*GOOD, *[1] * 36]), (), "order_undeclared"),
    "no coding": (csv(numbered("sipp118", 118), [*GOOD, *[1] * 118]), (), "coding_undeclared"),
    "single questions": (csv(numbered("mpq", 276), [*GOOD, *[1] * 276]), (), "raw_items_not_accepted"),
    "interview": (csv(["patient", "date", "sshi_suicidal_acts"], [*GOOD, 400]), (), None),
    "mapped": (csv(["Case", "Day", *(f"Q{i}" for i in range(1, 54))], [*GOOD, *[5] * 53]), (MAPPING,), None),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_reading_and_judging_look_at_nothing_that_the_reading_hash_leaves_out(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    data, mappings, refused_for = FILES[name]
    found = deliver(data, *(parse_mapping(text, file="lists.yaml") for text in mappings))
    # What a reader did not foresee is told in the log by its type only.
    assert "AssertionError" not in caplog.text
    assert found.refused_for == refused_for
    for instrument_id, items in found.items.items():
        validate_items(INSTRUMENTS[instrument_id], items, as_of=date(2026, 6, 1), delivery_findings=found.findings)


def test_the_guard_sees_somebody_who_looks() -> None:
    with pytest.raises(AssertionError, match="'scales'"):
        INSTRUMENTS["phq9"].scale("total")
