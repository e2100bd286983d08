"""Answer cells: codes, missing codes, codings, and contradictions that no single row shows."""

from __future__ import annotations

import pandas as pd
import pytest

from mbt_rom.exports.answers import Answers, read_answers, refuse_other_edition
from mbt_rom.exports.errors import ExportError
from mbt_rom.registry import instrument, instruments

PHQ9 = instrument("phq9")
EQ5D = instrument("eq5d3l")


def phq9(rows: list[list[str]], **more: object) -> Answers:
    columns = {item: pd.Series(cells, dtype="str") for item, cells in zip(PHQ9.item_ids, zip(*rows, strict=True))}  # noqa: B905
    return read_answers(columns, PHQ9, **more)  # type: ignore[arg-type]


def one(text: str, **more: object) -> tuple[int | None, str | None, str | None]:
    read = read_answers({"phq9_01": pd.Series([text], dtype="str")}, PHQ9, **more)  # type: ignore[arg-type]
    answer, unreadable, large = read.codes["phq9_01"][0], read.unreadable[0], read.too_large[0]
    return (
        None if pd.isna(answer) else int(answer),
        None if pd.isna(unreadable) else unreadable,
        None if pd.isna(large) else large,
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [("3", 3), (" 3 ", 3), ("3.0", 3), ("3,0", 3), ("03", 3), ("7", 7), ("-1", -1), ("", None), ("NA", None)],
)
def test_codes(text: str, answer: int | None) -> None:
    assert one(text) == (answer, None, None)


@pytest.mark.parametrize("text", ["1,5", "1.5", "often", "=3", "+3", "3!", "3-", "١", "½"])
def test_no_codes(text: str) -> None:
    assert one(text) == (None, "phq9_01", None)


@pytest.mark.parametrize("text", ["128", "999", "-129", "99999999"])
def test_numbers_too_large_to_store(text: str) -> None:
    assert one(text) == (None, None, "phq9_01")


def test_declared_missing_codes_become_missing() -> None:
    assert one("9", missing=["7", "9"]) == (None, None, None)
    assert one("9.0", missing=["9"]) == (None, None, None)
    assert one("refused", missing=["refused"]) == (None, None, None)
    assert one("8", missing=["7", "9"]) == (8, None, None)


def test_missing_code_within_the_range_of_an_item_is_an_answer_there() -> None:
    cells = {"eq5d3l_mo": pd.Series(["9"]), "eq5d3l_vas": pd.Series(["9"])}
    read = read_answers(cells, EQ5D, missing=["9", "999"])
    assert pd.isna(read.codes["eq5d3l_mo"][0])
    assert read.codes["eq5d3l_vas"][0] == 9


def test_declared_coding_shifts_the_scale_and_not_the_thermometer() -> None:
    cells = {"eq5d3l_mo": pd.Series(["0", "2"]), "eq5d3l_vas": pd.Series(["0", "70"])}
    read = read_answers(cells, EQ5D, coding="zero_based")
    assert read.codes["eq5d3l_mo"].tolist() == [1, 3]
    assert read.codes["eq5d3l_vas"].tolist() == [0, 70]


def test_one_based_answers_are_shifted_when_declared() -> None:
    read = phq9([["1"] * 10, ["4"] * 10], coding="one_based")
    assert read.codes.iloc[0].tolist() == [0] * 10
    assert read.codes.iloc[1].tolist() == [3] * 10


def test_undeclared_one_based_answers_are_refused_with_the_remedy() -> None:
    with pytest.raises(ExportError) as caught:
        phq9([["1", "2", "3", "4", "1", "2", "3", "4", "1", "1"]] * 3)
    assert caught.value.rule == "coding_undeclared"
    assert "coding: one_based" in caught.value.detail


def test_one_zero_disproves_another_coding() -> None:
    rows = [["1", "2", "3", "4", "1", "2", "3", "4", "1", "1"]] * 3
    assert phq9([*rows, ["0"] * 10]).codes["phq9_04"].tolist() == [4, 4, 4, 0]


def test_a_single_slip_is_no_evidence_of_another_coding() -> None:
    assert phq9([["4", *["1"] * 9]]).codes["phq9_01"].tolist() == [4]


def test_labels_of_a_known_coding_are_translated() -> None:
    # LOINC answer list LL358-3: LA6568-5 is 0 ... LA6571-9 is 3
    assert phq9([["LA6568-5"] * 10, ["LA6571-9"] * 10]).codes["phq9_01"].tolist() == [0, 3]


def test_several_faults_of_one_row_are_named_in_order() -> None:
    read = phq9([["x", "1", "y", "300", "1", "1", "1", "1", "1", "1"]])
    assert read.unreadable.tolist() == ["phq9_01 phq9_03"]
    assert read.too_large.tolist() == ["phq9_04"]


def test_blank_means_no_answer_at_all() -> None:
    read = phq9([[""] * 10, ["9"] * 10, ["", "0", *[""] * 8], ["x", *[""] * 9]], missing=["9"])
    assert read.is_blank.tolist() == [True, True, False, False]


def test_answers_of_another_edition_are_refused() -> None:
    read = read_answers({"eq5d3l_mo": pd.Series(["1", "5", "2"])}, EQ5D)
    with pytest.raises(ExportError, match="answers run to 5: is this the 5L version") as caught:
        refuse_other_edition(read, EQ5D, instruments())
    assert caught.value.rule == "edition_contradicted"


def test_answers_outside_every_edition_are_left_to_validation() -> None:
    read = read_answers({"eq5d3l_mo": pd.Series(["1", "9", "2"])}, EQ5D)
    refuse_other_edition(read, EQ5D, instruments())
    assert read.codes["eq5d3l_mo"].tolist() == [1, 9, 2]


def test_unknown_coding() -> None:
    with pytest.raises(ExportError, match="has no coding 'upside_down'"):
        one("1", coding="upside_down")
