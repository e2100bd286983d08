"""FHIR resources of every shape, from bytes to rows. All of them are invented, but for the one of the last test."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mbt_rom import conform, registry
from mbt_rom.conform import Conformed
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.fhir import read_fhir
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

ITEMS = [f"phq9_{n:02d}" for n in range(1, 10)]
#: LOINC codes of the nine items, from loinc.org (panel 44249-1), and of the four answers.
LOINC = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
ANSWERS = ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]
GIVEN = [0, 1, 2, 3, 3, 2, 1, 0, 1]
ADDRESS = "https://example.org/Questionnaire/mood"


def item(link_id: str, **value: Any) -> dict[str, Any]:
    return {"linkId": link_id, "answer": [value]}


def choice(code: str, **more: Any) -> dict[str, Any]:
    return {"valueCoding": {"system": "http://loinc.org", "code": code, **more}}


def coded(answers: Sequence[int] = GIVEN, link_ids: Sequence[str] = LOINC) -> list[dict[str, Any]]:
    return [
        item(f"/{link}" if "-" in link else link, **choice(ANSWERS[a]))
        for link, a in zip(link_ids, answers, strict=False)
    ]


def response(items: Sequence[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r1",
        "status": "completed",
        "questionnaire": ADDRESS,
        "subject": {"reference": "Patient/123"},
        "authored": "2026-03-01T10:00:00+01:00",
        "item": coded() if items is None else items,
        **more,
    }


def bundle(*resources: Any, kind: str = "searchset") -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in resources]}


def lines(*resources: Any) -> bytes:
    return b"\n".join(r if isinstance(r, bytes) else json.dumps(r).encode() for r in resources) + b"\n"


def deliver(data: Any, *, codebooks: Sequence[Codebook] = (), used: Sequence[str] = ("phq9",)) -> Conformed:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    settings = Consortium(
        name="test",
        issuers={"hospital": Issuer(form="text")},
        programmes={"north": Programme(name="north", issuer="hospital", instruments=tuple(used))},
    )
    return conform.deliver(
        raw,
        file_name="export.json",
        programme_id="north",
        delivery_id=hashlib.sha256(raw).hexdigest(),
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
        settings=settings,
        instruments=registry.instruments(),
        pseudonyms=Pseudonyms(b"an example key, of no use at all"),
        codebooks=codebooks,
    )


def answers(done: Conformed, row: int = 0) -> list[Any]:
    assert done.refused_for is None, done.findings[["rule", "detail"]].to_dict("records")
    return [None if a != a or a is None else int(a) for a in done.items["phq9"][ITEMS].astype("float").iloc[row]]


def rules(done: Conformed) -> list[str]:
    return [r for r in done.findings["rule"] if r != "column_not_taken_in"]


def test_an_r4_response_with_loinc_link_ids_is_one_form() -> None:
    done = deliver(response())
    assert answers(done) == GIVEN
    row = done.items["phq9"].iloc[0]
    assert (row["source_row"], str(row["administered_on"].date()), row["is_complete"]) == (1, "2026-03-01", True)
    assert done.numbers["number"].tolist() == ["123"]
    assert done.dialect == "fhir"


def test_an_stu3_response_names_its_questionnaire_by_a_reference() -> None:
    old = response(questionnaire={"reference": ADDRESS}, context={"reference": "Encounter/1"})
    assert answers(deliver(old)) == GIVEN


def test_items_below_groups_and_below_answers_are_found() -> None:
    first = {**item("intro", valueBoolean=True), "answer": [{"valueBoolean": True, "item": coded()[:4]}]}
    nested = [first, {"linkId": "group", "item": [{"linkId": "inner", "item": coded()[4:]}]}]
    assert answers(deliver(response(nested))) == GIVEN


@pytest.mark.parametrize("kind", ["searchset", "collection", "transaction"])
def test_rows_of_a_bundle_are_the_positions_of_its_entries(kind: str) -> None:
    patient = {"resourceType": "Patient", "id": "123"}
    done = deliver(bundle(patient, response(), response(coded([3] * 9), id="r2"), kind=kind))
    assert done.items["phq9"]["source_row"].tolist() == [2, 3]
    assert [answers(done, 0), answers(done, 1)] == [GIVEN, [3] * 9]


def test_a_patient_of_the_bundle_gives_its_own_number_to_an_address_of_that_file_only() -> None:
    patient = {"resourceType": "Patient", "identifier": [{"value": "A7"}]}
    both = bundle(patient, response(subject={"reference": "urn:uuid:1"}))
    both["entry"][0]["fullUrl"] = "urn:uuid:1"
    assert deliver(both).numbers["number"].tolist() == ["A7"]


def test_rows_of_ndjson_are_its_lines_and_a_broken_line_is_set_aside_by_itself() -> None:
    done = deliver(lines(response(), b"", b'{"resourceType": "Questionn', response(coded([1] * 9), id="r3")))
    assert done.items["phq9"]["source_row"].tolist() == [1, 3, 4]
    found = done.findings[done.findings["rule"] == "resource_invalid"].iloc[0]
    assert (found["source_row"], found["severity"]) == (3, "error")
    assert found["row_id"] == done.items["phq9"]["row_id"].iloc[1]
    assert int(done.contents["n_rows"].sum()) == 3


def test_an_invalid_resource_is_named_by_path_and_without_its_values() -> None:
    wrong = response([item("/44250-9", valueInteger="secret-word")], id="r2")
    done = deliver(bundle(response(), wrong))
    found = done.findings[done.findings["rule"] == "resource_invalid"]
    assert found["source_row"].tolist() == [2]
    assert found["detail"].iloc[0].startswith("QuestionnaireResponse.item[0].answer[0].valueInteger")
    assert "secret" not in done.findings.to_csv()
    assert answers(done, 0) == GIVEN


def test_only_invalid_resources_refuse_the_file() -> None:
    assert deliver(response(status=7)).refused_for == "file_unreadable"


def test_a_response_entered_in_error_is_left_out_and_counted() -> None:
    done = deliver(bundle(response(), response(coded([3] * 9), id="r2", status="entered-in-error")))
    assert done.items["phq9"]["source_row"].tolist() == [1]
    assert "response_entered_in_error" in rules(done)
    assert done.contents[["n_rows", "n_left_out"]].sum().tolist() == [2, 1]


@pytest.mark.parametrize(
    ("status", "is_complete"), [("completed", True), ("amended", True), ("in-progress", False), ("stopped", False)]
)
def test_the_status_says_whether_a_form_is_complete(status: str, is_complete: bool) -> None:
    assert deliver(response(status=status)).items["phq9"]["is_complete"].tolist() == [is_complete]


def test_a_question_that_was_not_answered_may_be_left_out_by_the_tool() -> None:
    assert answers(deliver(response(coded()[:2] + coded()[3:]))) == [0, 1, None, 3, 3, 2, 1, 0, 1]


def test_a_form_that_was_only_begun_holds_its_first_questions_under_our_own_ids() -> None:
    begun = [item(f"phq9_{n:02d}", valueInteger=a) for n, a in enumerate(GIVEN[:2], 1)]
    found = deliver(response(begun, status="in-progress"))
    assert answers(found) == [*GIVEN[:2], *[None] * 7]
    assert found.items["phq9"]["form_state"].tolist() == ["partial"]
    # 'phq9_1' is a name as programmes write it, and no id of ours: it must have its whole row.
    usual = [item(f"phq9_{n}", valueInteger=a) for n, a in enumerate(GIVEN[:2], 1)]
    assert deliver(response(usual, status="in-progress")).refused_for == "item_count_wrong"


def test_our_own_names_and_plain_numbers_are_read() -> None:
    typed = [item(f"phq9_{n}", valueInteger=a) for n, a in enumerate(GIVEN, 1)]
    assert answers(deliver(response(typed))) == GIVEN


def test_the_address_of_the_questionnaire_and_exactly_its_numbers_are_read_whatever_the_order() -> None:
    numbered = [item(f"q{n}", valueInteger=a) for n, a in enumerate(GIVEN, 1)]
    named = "https://example.org/Questionnaire/phq-9|2.0"
    assert answers(deliver(response(numbered[::-1], questionnaire=named))) == GIVEN
    assert deliver(response(numbered, questionnaire=ADDRESS)).refused_for == "file_to_confirm"
    assert deliver(response(numbered[1:], questionnaire=named)).refused_for == "item_count_wrong"
    extra = [*numbered, item("q11", valueInteger=1)]
    assert deliver(response(extra, questionnaire=named)).refused_for == "item_count_wrong"


def questionnaire(
    extension: str = "http://hl7.org/fhir/StructureDefinition/ordinalValue", **more: Any
) -> dict[str, Any]:
    def option(code: str, score: int) -> dict[str, Any]:
        return {"valueCoding": {"code": code, "extension": [{"url": extension, "valueDecimal": score}]}}

    options = [option(code, score) for score, code in enumerate("1234")]
    items = [
        {"linkId": f"x{n}", "type": "choice", "text": f"Question about topic {n}", "answerOption": options,
         "code": [{"system": "http://loinc.org", "code": code}]}
        for n, code in enumerate(LOINC, 1)
    ]  # fmt: skip
    return {"resourceType": "Questionnaire", "status": "active", "url": ADDRESS, "version": "1", "item": items, **more}


def unnamed() -> list[dict[str, Any]]:
    return [item(f"x{n}", valueCoding={"code": str(a + 1)}) for n, a in enumerate(GIVEN, 1)]


@pytest.mark.parametrize("name", ["ordinalValue", "itemWeight"])
def test_a_questionnaire_beside_it_tells_what_link_ids_measure_and_what_answers_are_worth(name: str) -> None:
    book = deliver(questionnaire(f"http://hl7.org/fhir/StructureDefinition/{name}")).codebook
    assert book is not None
    assert deliver(response(unnamed())).refused_for == "file_to_confirm"
    assert answers(deliver(response(unnamed(), questionnaire=f"{ADDRESS}|1"), codebooks=[book])) == GIVEN
    assert deliver(response(unnamed(), questionnaire=f"{ADDRESS}|2"), codebooks=[book]).refused_for == "file_to_confirm"


def test_a_questionnaire_in_the_same_bundle_is_used() -> None:
    assert answers(deliver(bundle(questionnaire(), response(unnamed())))) == GIVEN


def test_a_known_answer_with_a_score_that_contradicts_it_is_no_answer() -> None:
    weight = [{"url": "http://hl7.org/fhir/StructureDefinition/itemWeight", "valueDecimal": 1}]
    items = [item(f"/{LOINC[0]}", **choice(ANSWERS[0], extension=weight)), *coded()[1:]]
    done = deliver(response(items))
    assert answers(done)[0] is None
    assert done.items["phq9"]["unreadable_items"].tolist() == ["phq9_01"]


def test_two_answers_to_one_question_are_no_answer() -> None:
    items = [{"linkId": f"/{LOINC[0]}", "answer": [choice(ANSWERS[0]), choice(ANSWERS[1])]}, *coded()[1:]]
    assert deliver(response(items)).items["phq9"]["unreadable_items"].tolist() == ["phq9_01"]


def test_link_ids_of_two_questionnaires_do_not_meet() -> None:
    numbered = [item(str(n), valueInteger=a) for n, a in enumerate(GIVEN, 1)]
    other = response([item("1", valueInteger=3)], id="r2", questionnaire="https://example.org/Questionnaire/sleep")
    done = deliver(bundle(response(numbered, questionnaire="https://example.org/Questionnaire/phq9"), other))
    assert len(done.items["phq9"]) == 1
    assert answers(done) == GIVEN


def test_one_kind_of_number_for_all_patients_of_a_file() -> None:
    with_both = response(subject={"reference": "Patient/123", "identifier": {"value": "A7"}})
    assert deliver(bundle(with_both, with_both)).numbers["number"].tolist() == ["A7"]
    assert deliver(bundle(with_both, response(id="r2"))).numbers["number"].tolist() == ["123"]


def test_a_file_with_citizen_numbers_is_refused_and_may_not_be_kept() -> None:
    subject = {"identifier": {"system": "http://fhir.nl/fhir/NamingSystem/bsn", "value": "x"}}
    done = deliver(response(subject=subject))
    assert done.refused_for == "patient_column_citizen_numbers"
    assert not done.may_be_kept


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceType": "QuestionnaireResponse", "id": "a", "id": "b"}',
        b'{"resourceType": "QuestionnaireResponse", "x": NaN}',
        b'{"resourceType": "QuestionnaireResponse", "x": "\xff"}',
        b'{"resourceType": "QuestionnaireResponse", "x": ' + b"9" * 6000 + b"}",
        b'{"resourceType": "QuestionnaireResponse", "x": ' + b"[" * 200 + b"]" * 200 + b"}",
        b'{"resourceType": "QuestionnaireResponse", "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"resourceType": "QuestionnaireResponse", "x": 1e99999999999999999999}',
        b'{"resourceType": "QuestionnaireResponse", "status": "completed", "language": "\\uD800"}',
        b'{"resourceType": "Bundle", "entry": 3}',
        b'{"resourceType": "Bundle", "entry": [3]}',
        b'{"resourceType": ["QuestionnaireResponse"]}',
        b'{"resourceType": "QuestionnaireResponse", "status": "completed", "item": [[]]}',
        b'{"resourceType": "Questionnaire", "item": [{"linkId": 3}]}',
    ],
)
def test_damaged_files_are_refused_with_a_rule(text: bytes) -> None:
    with pytest.raises(ExportError) as error:
        read_fhir(text)
    assert error.value.rule == "file_unreadable"
    assert deliver(text).refused_for == "file_unreadable"


def test_other_resources_alone_are_no_answers() -> None:
    assert deliver({"resourceType": "Patient", "id": "1"}).refused_for == "columns_unknown"


@pytest.mark.real_data
def test_the_argonaut_example_is_one_phq9_with_the_answers_counted_by_hand() -> None:
    """By hand in the file: 'not at all' (LA6568-5) to all nine, 'not difficult at all' (LA6572-7) to the tenth."""
    root = Path(os.environ.get("MBT_ROM_SHARED", Path(__file__).resolve().parents[4] / "shared"))
    folder = root / "data/fhir_phq9"
    if not folder.is_dir():
        pytest.skip("the real data sets are not there; set MBT_ROM_SHARED to their folder")
    book = deliver((folder / "questionnaire-example-phq9.json").read_bytes()).codebook
    assert book is not None
    raw = (folder / "questionnaireresponse-example-phq9.json").read_bytes()
    done = deliver(raw, codebooks=[book])
    assert answers(done) == [0] * 9
    assert done.items["phq9"]["phq9_10"].tolist() == [0]
    assert done.items["phq9"]["respondent"].tolist() == ["self"]
    assert rules(done) == []
    assert deliver(raw).refused_for == "file_to_confirm"
