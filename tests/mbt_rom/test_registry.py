"""Reading definitions: what the four state, and what is said about one that is broken."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from mbt_rom import registry
from mbt_rom.registry import FOLDER, DefinitionError, instrument, instruments, parse_instrument

PHQ9 = (FOLDER / "phq9.yaml").read_text(encoding="utf-8")
#: Our name -> file and column in the collected tables.
TABLES = {
    "nl_2006": "eq5d3l_nl_2006",
    "uk_1997": "eq5d3l_uk_mvh_a1_1997",
    "nl_2026": "eq5d3l_nl_2026",
    "nl_2016": "eq5d5l_nl_2016",
    "england_2018": "eq5d5l_england_2018",
    "uk_2026": "eq5d5l_uk_2026",
}


def broken(old: str, new: str) -> DefinitionError:
    """What is said about the PHQ-9 with one passage changed."""
    assert old in PHQ9
    with pytest.raises(DefinitionError) as caught:
        parse_instrument(PHQ9.replace(old, new, 1), file="phq9.yaml")
    return caught.value


def test_the_four_instruments_are_there_in_order_of_their_ids() -> None:
    assert list(instruments()) == ["bsi", "eq5d3l", "eq5d5l", "phq9"]


def test_items_have_the_names_that_everybody_uses() -> None:
    assert instrument("phq9").item_ids == tuple(f"phq9_{n:02d}" for n in range(1, 11))
    assert instrument("bsi").item_ids == tuple(f"bsi_{n:02d}" for n in range(1, 54))
    assert instrument("eq5d3l").item_ids == tuple(f"eq5d3l_{d}" for d in ("mo", "sc", "ua", "pd", "ad", "vas"))


def test_the_difficulty_question_of_the_phq9_is_not_scored() -> None:
    assert [item.id for item in instrument("phq9").items if not item.is_scored] == ["phq9_10"]
    assert all("phq9_10" not in scale.items for scale in instrument("phq9").scales)


def test_the_nine_subscales_of_the_bsi_share_no_item_and_leave_four() -> None:
    """49 items in nine scales and four additional ones (11, 25, 39, 52), as every published source has it."""
    subscales = [s for s in instrument("bsi").scales if len(s.items) < 53]
    items = [item for scale in subscales for item in scale.items]
    assert (len(subscales), len(items), len(set(items))) == (9, 49, 49)
    assert set(instrument("bsi").item_ids) - set(items) == {"bsi_11", "bsi_25", "bsi_39", "bsi_52"}


def test_sixty_columns_are_explained() -> None:
    assert "53" in instrument("bsi").wrong_counts[60]


@pytest.mark.parametrize("definition", instruments().values(), ids=lambda d: d.id)
def test_no_definition_holds_the_wording_of_a_question(definition: object) -> None:
    """Our own tags are at most four words; no wording is shipped."""
    assert all(len((item.tag or "").split()) <= 4 for item in definition.items)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ("is_primary: true", "is_primry: true", "scales.total.is_primry", "spelling"),
        ("method: sum", "method: summ", "scales.total.method", "correct"),
        ("min: 0\n  max: 3\n  tags", "max: 3\n  tags", "items.min", "add"),
        ("{1: anhedonia", "{12: anhedonia", "items", "correct"),
        (
            "items: [1, 2, 3, 4, 5, 6, 7, 8, 9]",
            "items: [1, 2, 3, 4, 5, 6, 7, 8, 19]",
            "scales.total.items",
            "list the item",
        ),
        ("mean: 15.4", "mean: high", "norms.uk_talking_therapies_start.mean", "correct"),
        ("id: uk_talking_therapies_end", "id: uk_talking_therapies_start", "norms", "rename"),
        ("id: phq9", "id: phq8", "id", "id: phq9"),
        ("name: PHQ-9", "name: PHQ-9\nname: PHQ", "line", "repeated"),
        ("scales:\n", "scales: [\n", "line", "indentation"),
    ],
)
def test_a_broken_definition_is_named_with_file_key_and_remedy(old: str, new: str, key: str, remedy: str) -> None:
    error = broken(old, new)
    assert error.file == "phq9.yaml"
    assert error.key.startswith(key)
    assert remedy in error.remedy
    assert str(error).startswith(f"phq9.yaml, key '{error.key}'")


def test_a_file_without_keys_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no keys"):
        parse_instrument("- a\n- b\n", file="phq9.yaml")


def test_the_word_all_means_the_scored_items() -> None:
    text = PHQ9.replace("items: [1, 2, 3, 4, 5, 6, 7, 8, 9]", "items: all", 1)
    assert parse_instrument(text, file="phq9.yaml").scale("total").items == instrument("phq9").scale("total").items


def test_an_unknown_instrument_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(KeyError, match="phq9"):
        instrument("phq2")


def test_an_unknown_value_set_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(KeyError, match="nl_2006"):
        registry.value_set("nl_1066")


def test_committed_schema_is_current() -> None:
    """When this fails: write `json.dumps(registry.json_schema(), indent=2)` and a line end to instruments/schema.json."""
    committed = (FOLDER / "schema.json").read_text(encoding="utf-8")
    assert committed == json.dumps(registry.json_schema(), indent=2) + "\n"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_definition_fits_the_schema_that_editors_use(path: Path) -> None:
    if path.stem in {"schedule", "domains"}:
        pytest.skip("no instrument")
    as_json = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    jsonschema.validate(as_json, registry.json_schema())


def test_the_schema_knows_a_misspelt_key() -> None:
    as_json = json.loads(json.dumps(yaml.safe_load(PHQ9.replace("is_primary", "is_primry"))))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json, registry.json_schema())


def test_value_sets_of_an_instrument() -> None:
    assert list(registry.value_sets("eq5d3l")) == ["nl_2006", "uk_1997", "nl_2026"]
    assert registry.value_sets("phq9") == {}


@pytest.mark.real_data
@pytest.mark.parametrize(("value_set_id", "table"), TABLES.items())
def test_every_state_equals_the_collected_table(value_set_id: str, table: str, shared_data: Path) -> None:
    value_set = registry.value_set(value_set_id)
    with (shared_data / "dossier" / "value_sets" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        published = {row["state"]: float(row["value"]) for row in csv.DictReader(file)}
    assert len(published) == len(value_set.values)
    assert {state: value_set.utility(state) for state in published} == published
