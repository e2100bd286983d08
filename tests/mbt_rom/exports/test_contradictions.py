"""What speaks against the name of a column, and what follows: the column or the form is held up, and told as a proposal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mbt_rom import registry
from mbt_rom.exports.detection import proposed, read_export, understand
from mbt_rom.exports.evidence import CONTRADICTED, THRESHOLD, WITHOUT_A_NAME
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.sheets import ColumnFacts, RawSheet
from mbt_rom.exports.understanding import Understanding

INSTRUMENTS = {i: d for i, d in registry.instruments().items() if d.monitors == "outcome"}
VOCABULARY = Vocabulary(INSTRUMENTS)
PHQ9 = [f"phq9_{n}" for n in range(1, 10)]
EN = ["Not at all", "Several days", "More than half the days", "Nearly every day"]


def sheet(columns: dict[str, list[str]], facts: dict[str, ColumnFacts] | None = None) -> RawSheet:
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    text = "\n".join(",".join(row) for row in rows)
    read = read_export(text.encode(), file_name="x.csv", largest_bytes=10**6, recognise=VOCABULARY.recognised)[0]
    given = facts or {}
    return replace(read, facts=tuple(given.get(header, ColumnFacts()) for header in read.headers))


def form(n: int = 10, cell: str = "1", **more: list[str]) -> dict[str, list[str]]:
    """A PHQ-9 of `n` rows; `more`: columns beside or in the place of others."""
    base = {"patient": [str(100 + row) for row in range(n)], "date": ["2025-03-01"] * n}
    return base | {item: [cell] * n for item in PHQ9} | more


def understood(
    columns: dict[str, list[str]], facts: dict[str, ColumnFacts] | None = None, usual: tuple[str, ...] = ("phq9",)
) -> Understanding:
    return understand(sheet(columns, facts), VOCABULARY, INSTRUMENTS, usual=usual)


def told(plan: Understanding, column: str) -> dict[str, Any]:
    return next(entry for entry in plan.columns if entry["column"] == column)


def listed(*labels: str, start: int = 0) -> dict[str, ColumnFacts]:
    answers = {str(start + place): label for place, label in enumerate(labels)}
    return {item: ColumnFacts(answers=answers) for item in PHQ9}


def test_a_named_form_is_sure_and_says_why() -> None:
    entry = told(understood(form()), "phq9_3")
    assert entry["confidence"] >= THRESHOLD
    assert (entry["coding"], entry["proposal"]) == ("canonical", None)
    assert entry["reason"] == "named phq9_3, number 3; answers 0 to 3 as PHQ-9 has"


@pytest.mark.parametrize(
    ("column", "cell", "why"),
    [
        ("date", "T0", "it holds no dates"),
        ("complete", "2025-01-02", "it holds dates"),
        ("response_id", "7", "the same few stand there again and again"),
        ("geslacht", "blue", "it holds neither words nor codes for a sex"),
        ("birth_year", "x", "it holds no years and no dates"),
    ],
)
def test_a_field_whose_cells_contradict_its_name_is_not_assumed(column: str, cell: str, why: str) -> None:
    plan = understood(form(**{column: [cell] * 10}))
    entry = told(plan, column)
    assert (entry["role"], entry["confidence"]) == ("not_taken_in", CONTRADICTED)
    assert why in entry["reason"]
    assert len(plan.forms) == 1


def test_few_cells_contradict_nothing() -> None:
    assert told(understood(form(4, date=["T0"] * 4)), "date")["role"] == "date"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (listed("a", "b", "c", "d", "e"), "has 5 answers (0 to 4) and PHQ-9 has 4 (0 to 3)"),
        (listed(*EN[::-1]), "runs the other way round"),
        (listed("always", "b", "c", "d"), "runs the other way round"),
        (listed("a", "b", "c", "d", start=1), "state 'coding: one_based' in a mapping file"),
        (listed(EN[0], EN[2], EN[1], EN[3]), "gives the codes other meanings"),
    ],
)
def test_an_answer_list_that_is_not_the_instruments_holds_up_the_form(facts: dict[str, ColumnFacts], why: str) -> None:
    plan = understood(form(), facts)
    assert not plan.takes_something
    entry = told(plan, "phq9_3")
    assert why in entry["reason"]
    assert entry["confidence"] == CONTRADICTED
    assert entry["proposal"]["item"] == "phq9_03"


@pytest.mark.parametrize(
    ("facts", "coding"),
    [
        (listed(*EN), ("canonical",)),
        (listed(*EN, start=1), ("one_based",)),
        (listed("0 = Helemaal niet", "1 = Verscheidene dagen", "2 = Meer dan de helft van de dagen", "3 = Bijna elke dag"), ("canonical",)),
        ({i: ColumnFacts(answers={**f.answers, "9": "unknown"}) for i, f in listed(*EN).items() if f.answers}, ("canonical",)),
        (listed("w", "x", "y", "z"), ()),
    ],
)  # fmt: skip
def test_known_labels_decide_what_the_codes_mean(facts: dict[str, ColumnFacts], coding: tuple[str, ...]) -> None:
    plan = understood(form(), facts)
    assert [f.coding for f in plan.forms] == [coding]
    assert told(plan, "phq9_1")["coding"] == (coding[0] if coding else "canonical")


def test_labels_of_some_columns_are_not_enough_for_another_coding() -> None:
    some = {item: fact for item, fact in listed(*EN, start=1).items() if item != "phq9_9"}
    plan = understood(form(), some)
    assert not plan.forms
    assert "not enough to tell which coding" in told(plan, "phq9_9")["reason"]


def test_one_form_that_contradicts_itself_holds_up_no_other() -> None:
    columns = form(cell="7") | {f"sds_{n}": ["4"] * 10 for n in (1, 2, 3)}
    plan = understood(columns)
    assert [f.instrument for f in plan.forms] == ["sds"]
    assert "most of its cells hold no answer that PHQ-9 has" in told(plan, "phq9_1")["reason"]


def test_totals_are_never_items_and_free_text_is_listed_by_name() -> None:
    plan = understood(form(phq9_total=["9"] * 10, remarks=["see the letter of Monday"] * 10, phq9_som=["9"] * 10))
    assert told(plan, "phq9_total")["role"] == told(plan, "phq9_som")["role"] == "total"
    assert plan.forms[0].total is None  # two of them: neither can be held against the items
    assert told(plan, "remarks")["reason"].startswith("free text")
    one = understood(form(totaal=["9"] * 10))
    assert one.forms[0].total is not None
    assert one.forms[0].total.column == one.sheet.headers.index("totaal")


def test_what_a_file_says_of_the_person_is_only_for_checking() -> None:
    plan = understood(form(geboortejaar=["1980"] * 10, geslacht=["v"] * 10))
    assert plan.birth_year is not None
    assert plan.sex is not None
    assert (plan.birth_year.column, plan.sex.column) == (11, 12)


def test_a_text_that_names_instrument_and_number_is_a_name() -> None:
    columns = {f"V{n}": ["1"] * 10 for n in range(1, 10)} | {"patient": ["7"] * 10}
    facts = {f"V{n}": ColumnFacts(text=f"PHQ-9: {n}. Question about topic {n}") for n in range(1, 10)}
    plan = understood(columns, facts)
    assert plan.forms[0].items["phq9_04"] == 3
    assert told(plan, "V4")["reason"].startswith("its text names PHQ-9, number 4")
    other = {f"V{n}": ColumnFacts(text=f"PHQ-4: Question about topic {n}") for n in range(1, 10)}
    assert not understood(columns, other).forms


def test_numbered_columns_without_a_name_are_a_proposal_and_no_more() -> None:
    columns = {"client": [str(row) for row in range(10)]} | {f"Q{n}": ["1"] * 10 for n in range(1, 10)}
    plan = understood(columns)
    assert not plan.takes_something
    entry = told(plan, "Q4")
    assert entry["proposal"] == {"role": "item", "instrument": "phq9", "item": "phq9_04"}
    assert 0 < entry["confidence"] <= WITHOUT_A_NAME < THRESHOLD
    backwards = {header: columns[header] for header in reversed(columns)}
    assert told(understood(backwards), "Q4")["proposal"] == entry["proposal"]


def test_proposals_take_nothing_and_never_raise() -> None:
    twice = form() | {"PHQ9_01": ["1"] * 10}
    plan = proposed(sheet(twice), VOCABULARY, INSTRUMENTS, usual=("phq9",))
    assert not plan.takes_something
    assert told(plan, "PHQ9_01")["proposal"]["item"] == "phq9_01"


def test_initials_are_no_patients_numbers_and_the_weaker_name_counts() -> None:
    plan = understood(form(patient=["A.B."] * 10, participant=[str(n) for n in range(10)]))
    assert told(plan, "patient")["reason"].endswith("it holds names, initials or words")
    assert told(plan, "participant")["role"] == "patient"


def test_respondent_with_numbers_is_the_patient() -> None:
    columns = form(respondent=[f"{n}01" for n in range(10)])
    del columns["patient"]
    assert told(understood(columns), "respondent")["role"] == "patient"


def test_the_same_number_twice_is_one_patient() -> None:
    columns = form()
    plan = understood(columns | {"client": columns["patient"]})
    assert plan.forms
    assert told(plan, "patient")["role"] == "patient"


def test_a_header_that_many_columns_contradict_is_not_believed() -> None:
    plan = understood(form(taal=["6"] * 10, complete=["J. de Wit"] * 10, moment=["rustig"] * 10))
    assert (plan.forms, told(plan, "phq9_1")["role"]) == ((), "not_taken_in")
