"""Headers: spellings of items and roles."""

from __future__ import annotations

import pytest

from mbt_rom import registry
from mbt_rom.exports.names import Vocabulary

VOCABULARY = Vocabulary(registry.instruments())


def items_of(header: str) -> set[str | None]:
    return {m.item for m in VOCABULARY.meanings(header) if m.role == "item" and m.rank == 0}


def roles_of(header: str) -> set[str]:
    return {m.role for m in VOCABULARY.meanings(header)}


@pytest.mark.parametrize(
    ("header", "item"),
    [
        ("phq9_1", "phq9_01"),
        ("PHQ9-01", "phq9_01"),
        ("phq_9_1", "phq9_01"),
        ("PHQ-9 item 1", "phq9_01"),
        ("PHQ9.1", "phq9_01"),
        ("phq91", "phq9_01"),
        ("phq910", "phq9_10"),
        ("phq9 vraag 3", "phq9_03"),
        ("phq9[SQ001]", "phq9_01"),
        ("phq9[SQ002]. Some text [part]", "phq9_02"),
        ("BSI1", "bsi_01"),
        ("bsi_53", "bsi_53"),
        ("eq5d3l_mo", "eq5d3l_mo"),
        ("EQ-5D-3L mobility", "eq5d3l_mo"),
        ("EQ-5D-5L Pijn/klachten", "eq5d5l_pd"),
        ("eq5d5l VAS", "eq5d5l_vas"),
    ],
)
def test_items(header: str, item: str) -> None:
    assert items_of(header) == {item}


@pytest.mark.parametrize(
    "header", ["phq9_total", "bsi_gsi", "bsi18_3", "bsi_2019", "baseline_phq9_1", "eq5d", "", "age"]
)
def test_no_items(header: str) -> None:
    assert items_of(header) == set()


def test_number_that_the_instrument_does_not_have_is_recognised_as_such() -> None:
    assert [(m.instrument, m.item, m.number) for m in VOCABULARY.meanings("bsi_60")] == [("bsi", None, "60")]


def test_header_without_edition_means_both_editions() -> None:
    assert items_of("EQ5D_MO") == {"eq5d3l_mo", "eq5d5l_mo"}


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("Patiëntnummer", "patient"),
        ("patient_id", "patient"),
        ("Record ID", "patient"),
        ("Datum invulling", "date"),
        ("submitdate. Date submitted", "submitted_at"),
        ("Meetmoment", "moment"),
        ("redcap_event_name", "moment"),
        ("id. Response ID", "response_id"),
        ("ResponseId", "response_id"),
        ("startlanguage. Start language", "language"),
        ("Geslacht", "sex"),
        ("Geboortejaar", "birth_year"),
        ("phq9_complete", "complete"),
    ],
)
def test_roles(header: str, role: str) -> None:
    assert role in roles_of(header)


def test_names_of_people_have_no_role() -> None:
    for header in ("name", "naam", "first_name", "last_name", "achternaam", "email", "telephone"):
        assert roles_of(header) == set()
