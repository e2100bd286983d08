"""Reading definitions: what they state, what is said about one that is broken, keys of licence holders, a home's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mbt_rom import registry
from mbt_rom.model import Instrument
from mbt_rom.registry import (
    FOLDER,
    DefinitionError,
    instrument,
    instruments,
    keyed_instruments,
    local_instruments,
    parse_instrument,
    with_key,
)
from mbt_rom.tables import items_table

PHQ9 = (FOLDER / "phq9.yaml").read_text(encoding="utf-8")


def broken(old: str, new: str) -> DefinitionError:
    """What is said about the PHQ-9 with one passage changed."""
    assert old in PHQ9
    with pytest.raises(DefinitionError) as caught:
        parse_instrument(PHQ9.replace(old, new, 1), file="phq9.yaml")
    return caught.value


#: Appendix 1 of the quality manual, chapter 6.2 and the monitors of chapter 6.3.
# fmt: off
OUTCOMES = [
    "bdi2", "bsi", "bsi18", "dappsf", "ecr", "ecrr", "eq5d3l", "eq5d5l", "iip32", "iip64", "mmpi2rf", "mpq", "oq45", "paibor",
    "phq9", "rfq54", "rfq8", "rmet", "scid1", "scid2", "sds", "sipp118", "sshi", "ticp",
]
QUALITY = [
    "clinical_process", "mbtacs", "patient_adherence", "programme_recommendations", "programme_requirements",
    "supervisor_adherence", "team_adherence",
]
# fmt: on


def test_every_instrument_of_the_consortium_is_there_in_order_of_its_id() -> None:
    assert list(instruments()) == sorted(OUTCOMES + QUALITY)
    assert [i for i, d in instruments().items() if d.monitors == "outcome"] == OUTCOMES


def test_the_schedule_and_the_domains_are_no_instruments() -> None:
    assert {"schedule", "domains"}.isdisjoint(registry.instrument_ids())


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
def test_no_definition_holds_the_wording_of_a_question(definition: Instrument) -> None:
    """Our own tags are at most four words; only the manual's own checklists, which are free, have longer ones."""
    longest = max(len((item.tag or "").split()) for item in definition.items)
    is_own = definition.monitors != "outcome" and definition.licence.status == "free"
    assert longest <= (8 if is_own else 4)
    assert not definition.licence.ship_item_wording


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ("is_primary: true", "is_primry: true", "scales.total.is_primry", "spelling"),
        ("method: sum", "method: summ", "scales.total.method", "correct"),
        ("max: 3\n  tags", "max: three\n  tags", "items.max", "correct"),
        ("  count: 9", "  names: [one]\n  count: 9", "items", "correct"),
        ("{1: anhedonia", "{12: anhedonia", "items", "correct"),
        (
            "items: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n    method: sum",
            "items: [1, 2, 3, 4, 5, 6, 7, 8, 19]\n    method: sum",
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


#: A definition as short as it can be, with everything that speaks of items.
TINY = """
id: tiny
name: Tiny
full_name: Tiny
edition: '1'
kind: self_report
measures: nothing
items: {count: 2, min: 0, max: 3, others: [{number: days, min: 0, unusual_above: 28, gate: any}, {number: any, min: 0, max: 1, is_scored: false}]}
codings:
  - {id: canonical, min: 0, confidence: verified}
  - {id: turned, min: 0, max: 3, items: [1, 2], reversed_items: [2], confidence: verified}
orders: {backwards: [2, 1, days, any]}
scales:
  - {id: total, label: Total, items: [1, 2], reverse: [2], method: sum, range: [0, 6], direction: neutral, is_primary: true,
     confidence: verified}
  - {id: key, label: Key, items: [1, 2], method: answer_key, answer_key: {1: 3, 2: 0}, range: [0, 2], direction: neutral,
     confidence: verified}
  - {id: rate, label: Rate, items: [1], method: rate, exposure: 2, range: [0, null], direction: neutral, confidence: verified}
  - {id: recoded, label: Recoded, items: [1, 2], method: sum, range: [0, 6], direction: neutral, confidence: verified,
     recode: {default: {0: 3, 1: 2, 2: 1, 3: 0}, items: {2: {0: 0, 1: 1, 2: 2, 3: 3}}}}
  - {id: cost, label: Cost, items: [days], method: weighted, price_year: 2024, price_rows: {days: Emergency care},
     range: [0, null], direction: neutral, confidence: verified}
risk: [{id: two, item: 2, about: x, value: 1, level: alert, origin: published, confidence: verified}]
licence: {status: free}
"""


def changed(old: str, new: str, *, file: str = "tiny.yaml") -> Instrument:
    assert old in TINY
    return parse_instrument(TINY.replace(old, new, 1), file=file)


class TestShortForms:
    """What a definition writes as a number or a name is an item's id everywhere it stands."""

    def test_items_by_count_and_by_themselves(self) -> None:
        tiny = changed("", "")
        assert tiny.item_ids == ("tiny_01", "tiny_02", "tiny_days", "tiny_any")
        first, _, days, gate = tiny.items
        assert (first.min, first.max, first.number, first.is_wide) == (0, 3, "1", False)
        assert (days.max, days.unusual_above, days.gate, days.is_wide) == (None, 28, "tiny_any", True)
        assert (gate.max, gate.is_scored) == (1, False)

    def test_items_of_scales_codings_orders_and_risks(self) -> None:
        tiny = changed("", "")
        total, key, rate, recoded, cost = tiny.scales
        assert (total.items, total.reverse) == (("tiny_01", "tiny_02"), ("tiny_02",))
        assert key.answer_key == {"tiny_01": 3, "tiny_02": 0}
        assert (rate.items, rate.exposure) == (("tiny_01",), "tiny_02")
        assert recoded.recode is not None
        assert [recoded.recode.of(item)[0] for item in recoded.items] == [3, 0]
        assert cost.price_rows == {"tiny_days": "Emergency care"}
        assert (tiny.codings[1].items, tiny.codings[1].reversed_items) == (("tiny_01", "tiny_02"), ("tiny_02",))
        assert tiny.orders == {"backwards": ("tiny_02", "tiny_01", "tiny_days", "tiny_any")}
        assert tiny.risk[0].item == "tiny_02"

    def test_items_by_name_take_the_bounds_of_the_run_and_their_tags(self) -> None:
        sshi = instrument("sshi")
        assert sshi.item_ids[:2] == ("sshi_suicidal_acts", "sshi_self_harm_acts")
        assert [item.unusual_above for item in sshi.items] == [183, 183, 183, 183, None]
        assert sshi.item("sshi_suicidal_acts").tag == "suicidal acts"

    def test_nothing_but_others_needs_no_run(self) -> None:
        assert len(instrument("ticp").items) == 36

    @pytest.mark.parametrize(
        ("items", "wrong"),
        [
            ("{max: 3}", "either 'count' or 'names'"),
            ("{count: 2, names: [a], max: 3}", "either 'count' or 'names'"),
            ("{count: 2, max: 3, tags: {3: third}}", "'tags' names items that do not exist: ['3']"),
        ],
    )
    def test_a_run_is_either_counted_or_named(self, items: str, wrong: str) -> None:
        start, end = TINY.index("items: {"), TINY.index("codings:")
        with pytest.raises(DefinitionError) as caught:
            parse_instrument(TINY[:start] + f"items: {items}\n" + TINY[end:], file="tiny.yaml")
        assert caught.value.key == "items"
        assert wrong in caught.value.wrong

    @pytest.mark.parametrize(
        ("old", "new", "key"),
        [
            ("reversed_items: [2]", "reversed_items: [3]", "codings.turned.reversed_items"),
            ("reverse: [2]", "reverse: [3]", "scales.total.reverse"),
            ("answer_key: {1: 3, 2: 0}", "answer_key: {1: 3, 3: 0}", "scales.key.answer_key"),
            ("exposure: 2", "exposure: 3", "scales.rate.exposure"),
            ("items: {2: {0: 0", "items: {3: {0: 0", "scales.recoded.recode.items"),
            ("price_rows: {days", "price_rows: {3", "scales.cost.price_rows"),
            ("[2, 1, days, any]", "[3, 1, days, any]", "orders.backwards"),
            ("item: 2,", "item: 3,", "risk.two.item"),
        ],
    )
    def test_an_item_that_is_not_listed_is_named_with_the_place_that_names_it(
        self, old: str, new: str, key: str
    ) -> None:
        with pytest.raises(DefinitionError) as caught:
            changed(old, new)
        assert (caught.value.key, caught.value.wrong[-1:], caught.value.file) == (key, "3", "tiny.yaml")

    def test_a_scale_that_cannot_be_computed_is_refused_when_it_is_read(self) -> None:
        with pytest.raises(DefinitionError, match="scale 'total' turns round items that are not its own"):
            changed("items: [1, 2], reverse: [2]", "items: [1], reverse: [2]")

    def test_an_entry_of_a_list_without_an_id_is_named_by_its_place(self) -> None:
        with pytest.raises(DefinitionError) as caught:
            changed("{id: turned, ", "{")
        assert (caught.value.key, caught.value.remedy) == ("codings.2.id", "add it")


class TestPrices:
    """Weights of a cost are the reference prices of its year (Kostenhandleiding 2024, price year 2022)."""

    def test_the_prices_of_the_costs_of_the_ticp(self) -> None:
        weights = instrument("ticp").scale("medical_cost").weights
        assert len(weights) == 14
        printed = {
            "gp": 30.87,
            "hospital_outpatient": 120,
            "hospital_days": 644,
            "psychiatric_days": 327,
            "emergency": 258,
        }
        assert {name: weights[f"ticp_{name}"] for name in printed} == printed

    def test_another_year_has_other_prices(self) -> None:
        assert changed("", "").scale("cost").weights == {"tiny_days": 276.83}
        assert changed("price_year: 2024", "price_year: 2022").scale("cost").weights == {"tiny_days": 258}

    @pytest.mark.parametrize(
        ("old", "new", "wrong"),
        [
            ("Emergency care", "Emergency cure", "no reference price of 2024 is called 'Emergency cure'"),
            ("price_year: 2024", "price_year: 1999", "no reference price of 1999 is called 'Emergency care'"),
        ],
    )
    def test_a_unit_or_a_year_without_a_price_is_refused(self, old: str, new: str, wrong: str) -> None:
        with pytest.raises(DefinitionError) as caught:
            changed(old, new)
        assert (caught.value.file, caught.value.key, caught.value.wrong) == (
            "tiny.yaml",
            "scales.cost.price_rows",
            wrong,
        )
        assert "nl_reference_prices.csv" in caught.value.remedy


class TestOrders:
    def test_the_mixed_order_of_the_ecrr_has_anxiety_at_the_even_places(self) -> None:
        """Fraley's mixed form: odd places avoidance, even places anxiety; fourteen reversed places."""
        ecrr = instrument("ecrr")
        mixed = ecrr.orders["alternating"]
        anxiety, avoidance = ecrr.scale("anxiety"), ecrr.scale("avoidance")
        assert ecrr.order_must_be_stated
        assert set(mixed[1::2]) == set(anxiety.items)
        assert set(mixed[::2]) == set(avoidance.items)
        turned = [place for place, item in enumerate(mixed, 1) if item in {*anxiety.reverse, *avoidance.reverse}]
        assert turned == [2, 3, 5, 11, 15, 17, 19, 22, 25, 27, 29, 31, 33, 35]

    def test_the_grouped_order_of_the_paibor_has_six_items_of_each_subscale(self) -> None:
        paibor = instrument("paibor")
        grouped = paibor.orders["grouped_by_subscale"]
        subscales = ["affective_instability", "identity_problems", "negative_relationships", "self_harm"]
        assert [set(grouped[k * 6 : k * 6 + 6]) for k in range(4)] == [set(paibor.scale(s).items) for s in subscales]
        reverse = paibor.scale("total").reverse
        assert [place for place, item in enumerate(grouped, 1) if item in reverse] == [3, 5, 12, 16, 18, 24]


class TestKeysOfLicenceHolders:
    def error(self, text: str, *, instrument_id: str = "dappsf") -> DefinitionError:
        with pytest.raises(DefinitionError) as caught:
            with_key(instrument(instrument_id), text, file=f"{instrument_id}.yaml")
        assert caught.value.file == f"{instrument_id}.yaml"
        assert str(caught.value) == (
            f"{instrument_id}.yaml, key '{caught.value.key}': {caught.value.wrong}; {caught.value.remedy}"
        )
        return caught.value

    @pytest.mark.parametrize(
        ("text", "key", "wrong", "remedy"),
        [
            ("", "(whole file)", "holds no keys", "begin from"),
            ("scales: [", "line 2", "", "indentation"),
            ("scales: {self_harm: {items: [1]}, self_harm: {items: [2]}}", "line 1", "twice", "repeated keys"),
            ("scale: {}", "scales", "Field required", "add it"),
            ("scales: {}", "scales", "at least 1", "correct"),
            (
                "scales: {selfharm: {items: [1]}}",
                "scales.selfharm",
                "is no scale",
                "DAPP-SF are emotional_dysregulation",
            ),
            ("scales: {inhibition: {items: [1]}}", "scales.inhibition", "its key is published", "leave this scale out"),
            ("scales: {self_harm: {items: [137]}}", "scales.self_harm.items", "137", "correct the number"),
            ("scales: {self_harm: {items: [1], reverse: [x]}}", "scales.self_harm.reverse", "x", "correct the number"),
            (
                "scales: {self_harm: {items: [1], reversed: []}}",
                "scales.self_harm.reversed",
                "not permitted",
                "spelling",
            ),
            ("scales: {self_harm: {items: [1], method: median}}", "scales.self_harm.method", "'sum'", "correct"),
            ("scales: {self_harm: {items: 1}}", "scales.self_harm.items", "tuple", "correct"),
            ("scales: {self_harm: {scales: [other]}}", "(whole file)", "['other']", "correct"),
            (
                "scales: {self_harm: {items: [1, 2, 2]}}",
                "(whole file)",
                "'self_harm' names items twice: ['dappsf_02']",
                "",
            ),
            (
                "scales: {self_harm: {items: [1], reverse: [2]}}",
                "(whole file)",
                "not its own: ['dappsf_02']",
                "correct",
            ),
        ],
    )
    def test_what_cannot_be_used_is_named_with_key_wrong_and_remedy(
        self, text: str, key: str, wrong: str, remedy: str
    ) -> None:
        error = self.error(text)
        assert error.key == key
        assert wrong in error.wrong
        assert remedy in error.remedy

    def test_a_key_gives_items_method_range_and_rule(self) -> None:
        text = """
        source: the licence holder's letter
        scales:
          rfq_u: {items: [1, 2, "3"], reverse: [2], method: sum, range: [3, 21], missing: {rule: prorate, max_missing: 1}}
        """
        plain, keyed = instrument("rfq54"), with_key(instrument("rfq54"), text, file="rfq54.yaml")
        scale = keyed.scale("rfq_u")
        assert (scale.items, scale.reverse) == (("rfq54_01", "rfq54_02", "rfq54_03"), ("rfq54_02",))
        assert (scale.method, scale.range, scale.missing.rule, scale.missing.max_missing) == (
            "sum",
            (3, 21),
            "prorate",
            1,
        )
        assert scale.label == plain.scale("rfq_u").label
        assert keyed.scale("rfq_c") == plain.scale("rfq_c")
        assert plain.scale("rfq_u").items == ()

    def test_what_a_key_does_not_state_stays_as_it_was(self) -> None:
        keyed = with_key(instrument("rfq54"), "scales: {rfq_u: {items: [1]}}", file="rfq54.yaml")
        before, after = instrument("rfq54").scale("rfq_u"), keyed.scale("rfq_u")
        assert after.model_copy(update={"items": ()}) == before

    def test_a_key_may_make_a_scale_of_others(self) -> None:
        text = "scales: {self_control: {scales: [emotion_regulation], method: mean_of_scales, range: [1, 4]}}"
        scale = with_key(instrument("sipp118"), text, file="sipp118.yaml").scale("self_control")
        assert (scale.scales, scale.method, scale.range, scale.is_keyed) == (
            ("emotion_regulation",),
            "mean_of_scales",
            (1, 4),
            True,
        )

    def test_the_hash_tells_scores_with_a_key_apart_whether_or_not_it_was_asked_for_before(self) -> None:
        plain = instrument("rfq54")
        first = with_key(plain, "scales: {rfq_u: {items: [1]}}", file="rfq54.yaml")
        before = plain.definition_hash, plain.primary, plain.item_ids, plain.needed_items
        second = with_key(plain, "scales: {rfq_u: {items: [1]}}", file="rfq54.yaml")
        other = with_key(plain, "scales: {rfq_u: {items: [2]}}", file="rfq54.yaml")
        assert first.definition_hash == second.definition_hash
        assert len({before[0], first.definition_hash, other.definition_hash}) == 3
        assert second.primary == second.scale(plain.primary.id)

    def test_keys_of_a_folder_go_to_the_instruments_of_their_names(self, tmp_path: Path) -> None:
        (tmp_path / "rfq54.yaml").write_text("scales: {rfq_u: {items: [1]}}", encoding="utf-8")
        (tmp_path / "notes.txt").write_text("nothing", encoding="utf-8")
        keyed = keyed_instruments(instruments(), tmp_path)
        assert list(keyed) == list(instruments())
        assert keyed["rfq54"].scale("rfq_u").items == ("rfq54_01",)
        assert [i for i, d in keyed.items() if d != instrument(i)] == ["rfq54"]
        assert instruments()["rfq54"].scale("rfq_u").items == ()

    def test_a_key_of_no_instrument_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "dapp.yaml").write_text("scales: {}", encoding="utf-8")
        with pytest.raises(
            DefinitionError, match="no instrument has that name; name it after its instrument"
        ) as caught:
            keyed_instruments(instruments(), tmp_path)
        assert (caught.value.file, caught.value.key) == ("dapp.yaml", "(whole file)")

    def test_without_a_folder_there_are_no_keys(self, tmp_path: Path) -> None:
        assert keyed_instruments(instruments(), tmp_path / "none") == instruments()


class TestInstrumentsOfAHome:
    def test_each_file_is_an_instrument_of_its_name(self, tmp_path: Path) -> None:
        (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
        (tmp_path / "aaa.yaml").write_text(TINY.replace("id: tiny", "id: aaa", 1), encoding="utf-8")
        found = local_instruments(tmp_path)
        assert list(found) == ["aaa", "tiny"]
        assert found["aaa"].item_ids[0] == "aaa_01"

    def test_without_a_folder_there_are_none(self, tmp_path: Path) -> None:
        assert local_instruments(tmp_path / "none") == {}

    def test_the_id_of_an_instrument_of_the_software_is_taken(self, tmp_path: Path) -> None:
        (tmp_path / "phq9.yaml").write_text(PHQ9, encoding="utf-8")
        with pytest.raises(DefinitionError) as caught:
            local_instruments(tmp_path)
        assert (caught.value.file, caught.value.key) == ("phq9.yaml", "id")
        assert caught.value.wrong == "'phq9' is an instrument that comes with the software"
        assert "another id" in caught.value.remedy

    def test_a_file_under_another_name_than_its_id_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mine.yaml").write_text(TINY, encoding="utf-8")
        with pytest.raises(
            DefinitionError, match=r"mine\.yaml, key 'id': is not the name of the file; write 'id: mine'"
        ):
            local_instruments(tmp_path)


@pytest.mark.parametrize("definition", instruments().values(), ids=lambda d: d.id)
def test_items_are_stored_in_as_many_bits_as_their_answers_need(definition: Instrument) -> None:
    columns: dict[str, Any] = {c.name: c.dtype for c in items_table(definition).columns}
    for item in definition.items:
        fits = item.max is not None and item.max <= 127
        assert columns[item.id] == ("Int8" if fits else "Int16"), item.id


def test_the_word_all_means_the_scored_items() -> None:
    text = PHQ9.replace("items: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n    method: sum", "items: all\n    method: sum", 1)
    assert text != PHQ9
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


@pytest.mark.parametrize("instrument_id", registry.instrument_ids())
def test_every_definition_fits_the_schema_that_editors_use(instrument_id: str) -> None:
    path = FOLDER / f"{instrument_id}.yaml"
    as_json = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    jsonschema.validate(as_json, registry.json_schema())


def test_the_schema_knows_a_misspelt_key() -> None:
    as_json = json.loads(json.dumps(yaml.safe_load(PHQ9.replace("is_primary", "is_primry"))))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json, registry.json_schema())


def test_value_sets_of_an_instrument() -> None:
    assert list(registry.value_sets("eq5d3l")) == ["nl_2006", "uk_1997", "nl_2026"]
    assert registry.value_sets("phq9") == {}
