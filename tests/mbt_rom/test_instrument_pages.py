"""Pages of instruments: every figure of a definition stands on its page, with its source and how sure it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from mbt_rom.alerts import NOT_WATCHED
from mbt_rom.instrument_pages import instrument_page, pages
from mbt_rom.model import Fact, Instrument, Record
from mbt_rom.norms import usable_norms
from mbt_rom.registry import domains, instrument, instruments, value_sets

PAGES = pages(instruments(), domains=domains(), value_sets={i: value_sets(i) for i in instruments()})
DEFINITIONS = list(instruments().values())
PROVISIONAL = {"derived", "memory", "unverified"}
#: Appendix 1 of the manual, read by hand: count of items, then start and months 6 to 36.
APPENDIX_1 = """
scid1   -  X - - X - - (X)
scid2   -  X - - X - - (X)
sshi    -  X X X X (X) (X) X
paibor 45  X X X X (X) (X) X
bsi    60  X X X X (X) (X) X
iip64  64  X (X) (X) X (X) (X) X
ecr    36  X (X) (X) X (X) (X) X
rfq54  45  X (X) (X) X (X) (X) X
bdi2   20  X (X) (X) X (X) (X) X
dappsf 120 X - - X - - X
eq5d3l  5  X X X X (X) (X) X
eq5d5l  5  X X X X (X) (X) X
ticp   15  X X X X (X) (X) X
sds     3  X X X X (X) (X) X
"""
#: Both counts where they differ: the manual's, and that of the published form (articles named on the pages).
COUNTS = {"paibor": (45, 24), "bsi": (60, 53), "bdi2": (20, 21), "rfq54": (45, 54), "dappsf": (120, 136), "ticp": (15, 14),
          "clinical_process": (17, 20)}  # fmt: skip


def page(instrument_id: str) -> str:
    return PAGES[f"{instrument_id}.md"]


def section(instrument_id: str, heading: str) -> str:
    """The text under a heading; empty where there is none."""
    _, _, after = page(instrument_id).partition(f"\n## {heading}\n")
    return after.split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of every table in the text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def row_of(instrument_id: str, heading: str, record_id: str) -> list[str]:
    [found] = [row for row in rows(section(instrument_id, heading)) if row[0] == f"`{record_id}`"]
    return found


def written(number: float) -> str:
    """A number as people write it, without zeros at the end: not the formatting of the pages."""
    return f"{Decimal(str(number)).normalize():f}"


def numbers_in(row: list[str]) -> set[str]:
    """Every number of a row's cells that stands by itself."""
    return {number for cell in row for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]|\.\d)", cell)}


def records(heading: str, field: str) -> Iterator[Any]:
    for definition in DEFINITIONS:
        for record in getattr(definition, field):
            yield pytest.param(definition.id, heading, record, id=f"{definition.id}: {record.id}")


# --- every figure --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument_id", "heading", "record"),
    [
        *records("Norms", "norms"),
        *records("Reliability", "reliabilities"),
        *records("Cut-offs", "cutoffs"),
        *records("Change", "published_changes"),
    ],
)
def test_a_published_figure_stands_there_with_its_numbers_its_scale_and_how_sure_it_is(
    instrument_id: str, heading: str, record: Record
) -> None:
    row = row_of(instrument_id, heading, record.id)
    names = ("mean", "sd", "n", "value", "sem", "interval_days")
    wanted = {written(x) for name in names if (x := getattr(record, name, None)) is not None}
    wanted |= {written(age) for age in getattr(record, "age", None) or () if age is not None}
    assert wanted - numbers_in(row) == set()
    assert row[1] == f"`{record.scale}`"
    _is_said_to_be_as_sure_as_it_is(row, record)


def _is_said_to_be_as_sure_as_it_is(row: list[str], fact: Fact) -> None:
    text = " | ".join(row)
    assert ("provisional" in text) == (fact.confidence in PROVISIONAL)
    assert [source for source in fact.source if source not in text] == []
    assert not fact.source or f"({', '.join(fact.source)})" in text


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.id)
class TestPage:
    def test_has_one_row_per_scale_with_its_range_and_how_sure_it_is(self, definition: Instrument) -> None:
        found = {
            row[0].split("`")[1]: row
            for row in rows(section(definition.id, "Scales"))
            if len(row) > 4 and "`" in row[0]
        }
        for scale in definition.scales:
            row = found[scale.id]
            wanted = {written(end) for end in scale.range if end is not None}
            assert wanted - numbers_in(row) == set()
            assert ("*ours*" in row[0]) == (scale.origin == "project_rule")
            assert ("primary" in row[0]) == (scale.is_primary or scale.is_co_primary)
            _is_said_to_be_as_sure_as_it_is(row, scale)

    def test_says_for_every_scale_what_is_done_about_missing_answers(self, definition: Instrument) -> None:
        said = section(definition.id, "Missing answers")
        lines = [line.partition(": ") for line in said.strip().splitlines()]
        assert all(len(rule) > 20 for _, _, rule in lines)
        named = [scale for who, _, _ in lines for scale in re.findall(r"`(\w+)`", who)]
        assert len(named) == len(set(named))
        if lines[-1][0] not in {"All scales", "- all other scales"}:
            assert set(named) == {scale.id for scale in definition.scales}

    def test_has_every_item_with_its_answers(self, definition: Instrument) -> None:
        bounds = {item.bounds for item in definition.items}
        answers = {row[1] for row in rows(section(definition.id, "Items"))[2:]}
        assert answers == bounds

    def test_has_recoding_right_answers_and_weights(self, definition: Instrument) -> None:
        said = section(definition.id, "Scales")
        for scale in definition.scales:
            maps = [scale.recode.default, *scale.recode.items.values()] if scale.recode else []
            assert all(f"{answer}→{value}" in said for one in maps for answer, value in one.items())
            assert all(f"{int(item[-2:])}: {right}" in said for item, right in scale.answer_key.items())
            assert {written(weight) for weight in scale.weights.values()} <= numbers_in([said])

    def test_has_codings_orders_and_wrong_counts(self, definition: Instrument) -> None:
        said = section(definition.id, "Exports")
        assert [c.id for c in definition.codings if f"`{c.id}`" not in said] == []
        assert [name for name in definition.orders if f"`{name}`" not in said] == []
        assert {str(count) for count in definition.wrong_counts} <= {row[0] for row in rows(said)}

    def test_has_every_severity_band(self, definition: Instrument) -> None:
        found = [(row[0], row[2], numbers_in(row)) for row in rows(section(definition.id, "Severity bands"))]
        for band in definition.severity_bands:
            wanted = {written(end) for end in (band.lower, band.upper) if end is not None}
            assert any(
                (scale, word) == (f"`{band.scale}`", band.label) and wanted <= numbers for scale, word, numbers in found
            )

    def test_has_every_risk_rule_with_its_origin_and_the_warning(self, definition: Instrument) -> None:
        said = section(definition.id, "Answers that somebody should see")
        found = rows(said)
        for rule in definition.risk:
            who = "publisher" if rule.origin == "published" else "*ours*"
            number = definition.item(rule.item).number
            assert any(row[0] == number and row[1] == rule.about and rule.level in row and who in row for row in found)
            assert definition.monitors != "outcome" or not found or NOT_WATCHED["en"] in said

    def test_has_licence_and_sources_and_says_that_no_wording_is_shipped(self, definition: Instrument) -> None:
        licence = section(definition.id, "Licence")
        assert "- Status: " in licence
        assert "Wording of questions and answers: not shipped" in licence
        named = {row[0] for row in rows(section(definition.id, "Sources"))}
        assert {f"`{source}`" for source in definition.sources} <= named

    def test_has_every_hazard_and_open_question(self, definition: Instrument) -> None:
        assert section(definition.id, "Take care").count("\n- ") == len(definition.hazards)
        assert section(definition.id, "Open questions").count("\n- ") == len(definition.open_questions)

    def test_says_that_there_are_no_t_scores_where_no_norm_can_be_used(self, definition: Instrument) -> None:
        says_none = "No usable norm: T-scores are not given" in section(definition.id, "Norms")
        assert says_none == (not usable_norms(definition) and definition.key != "external_scores")

    def test_marks_what_is_a_proposal_of_this_project(self, definition: Instrument) -> None:
        assert ("**Proposal.**" in page(definition.id)) == definition.is_proposal

    def test_has_tables_whose_rows_are_as_long_as_their_heads(self, definition: Instrument) -> None:
        for block in re.findall(r"(?:^\|.*\n)+", page(definition.id), flags=re.MULTILINE):
            head, rule, *body = [len(cells) for cells in rows(block)]
            assert {rule, *body} == {head}
            assert set(block.splitlines()[1]) == {"|", "-"}

    def test_holds_no_word_of_python(self, definition: Instrument) -> None:
        assert re.findall(r"\bNone\b|Decimal|frozenset|\{\}|=\(|_is_", page(definition.id)) == []


# --- the manual ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", APPENDIX_1.strip().splitlines(), ids=lambda line: line.split()[0])
def test_count_and_schedule_are_those_of_appendix_1(line: str) -> None:
    instrument_id, count, *moments = line.split()
    said = section(instrument_id, "In the MBT quality manual")
    assert said.strip().startswith("In Appendix 1.")
    assert [moment.replace("-", "–") for moment in moments] in rows(said)
    printed = {row[0]: row[1] for row in rows(said) if len(row) == 3}
    assert printed["items"] == count.replace("-", "none printed")


@pytest.mark.parametrize(("instrument_id", "counts"), COUNTS.items())
def test_where_the_counts_differ_both_stand_there_and_the_decision(instrument_id: str, counts: tuple[int, int]) -> None:
    said = section(instrument_id, "In the MBT quality manual")
    assert f"**The counts differ: {counts[0]} in the manual, {counts[1]} as published.**" in said
    assert re.search(r"Decision: .{30}", said)


def test_nowhere_else_do_the_counts_differ() -> None:
    assert {d.id for d in DEFINITIONS if "The counts differ" in page(d.id)} == set(COUNTS)


# --- single pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("instrument_id", ["dappsf", "rfq54", "sipp118"])
def test_what_the_site_must_supply_is_said_at_the_top(instrument_id: str) -> None:
    opening = page(instrument_id).split("\n## ")[0]
    assert "No score without the site's key" in opening
    assert "needed from the site" in opening


@pytest.mark.parametrize("instrument_id", ["eq5d3l", "eq5d5l"])
def test_every_value_set_stands_there_with_its_ends(instrument_id: str) -> None:
    for value_set in value_sets(instrument_id).values():
        row = row_of(instrument_id, "Value sets", value_set.id)
        ends = {written(float(value_set.values.min())), written(float(value_set.values.max()))}
        assert ends <= numbers_in(row)


def test_what_must_be_declared_is_said_loudly() -> None:
    assert "**The mapping file must state the coding**" in section("sipp118", "Exports")
    assert "**The mapping file must state the order of the items**" in section("ecrr", "Exports")
    assert "must state" not in section("bsi", "Exports")


def test_reliable_change_that_rests_on_recalled_figures_is_said_to_be_off() -> None:
    assert "Provisional: off until a home chooses these figures." in section("bsi", "Change")
    assert "off until" not in section("phq9", "Change").split("\n\n")[0]


def test_norms_that_may_not_be_passed_on_are_said_not_to_be_here() -> None:
    assert "by permission of the publisher" in section("iip64", "Licence")


def test_a_bar_in_a_note_stays_in_its_cell() -> None:
    phq9 = instrument("phq9")
    norm = phq9.norms[0].model_copy(update={"note": "one | two"})
    text = instrument_page(phq9.model_copy(update={"norms": (norm,)}))
    [row] = [row for row in rows(text) if row[0] == f"`{norm.id}`"]
    assert row[-1] == "one \\| two"


def test_the_page_of_an_instrument_in_no_domain_names_none() -> None:
    own = instrument("phq9").model_copy(update={"id": "own"})
    assert "| domain |" not in instrument_page(own, domains=domains())
    assert "| domain | [Symptoms](index.md#symptoms) |" in page("phq9")


# --- the list ------------------------------------------------------------------------------------------------------------

INDEX = PAGES["index.md"]


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.id)
def test_the_list_has_a_row_for_every_instrument(definition: Instrument) -> None:
    [row] = [row for row in rows(INDEX) if row[0] == f"[{definition.name}]({definition.id}.md) `{definition.id}`"]
    assert row[1] == definition.measures
    assert str(len(definition.items)) in row[2]
    key = {"published": "published", "site_supplied": "site supplies it", "external_scores": "scores from publisher"}
    assert key[definition.key] in row
    assert ("yes" if usable_norms(definition) else "no") in row


def test_links_to_headings_lead_to_headings() -> None:
    anchors = {re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)", INDEX, re.M)}
    linked = {a for text in PAGES.values() for a in re.findall(r"\]\((?:index\.md)?#([^)]+)\)", text)}
    assert linked - anchors == set()
    assert "quality-of-life" in linked


def test_the_list_says_how_the_two_lists_of_the_manual_differ() -> None:
    for difference in domains().differences:
        assert " ".join(difference.split()) in INDEX


@pytest.mark.parametrize(
    ("changes", "usable"),
    [
        ({}, True),
        ({"population": "outpatient"}, False),
        ({"sd": None}, False),
        ({"confidence": "memory"}, False),
        ({"confidence": "derived"}, False),
        ({"confidence": "verified"}, True),
        ({"value_set": "nl_2016"}, False),
    ],
)
def test_a_norm_is_usable_when_it_is_of_people_at_large_with_an_sd_and_seen_in_print(
    changes: dict[str, Any], usable: bool
) -> None:
    bsi = instrument("bsi")
    norm = next(n for n in bsi.norms if n.id == "de_community_f_gsi").model_copy(update=changes)
    assert bool(usable_norms(bsi.model_copy(update={"norms": (norm,)}))) is usable


def test_a_norm_of_utilities_needs_its_value_set() -> None:
    eq5d5l = instrument("eq5d5l")
    [women] = [n for n in eq5d5l.norms if n.id == "nl_women"]
    for value_set, n_usable in (("nl_2016", 1), (None, 0)):
        norm = women.model_copy(update={"value_set": value_set})
        assert len(usable_norms(eq5d5l.model_copy(update={"norms": (norm,)}))) == n_usable
