"""Mapping files: precise errors, and the examples of the guide."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.exports.values import is_complete, moments, words, yes_no
from mbt_rom.settings import SettingsError

GOOD = """
name: clinic
matches: {columns: [Nr, Q1]}
patient: {column: Nr}
forms:
  - {instrument: phq9, prefix: Q, moment: {constant: m6}}
"""


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_mapping(text, file="clinic.yaml")
    return str(caught.value)


def test_good_mapping_and_its_hash() -> None:
    one, other = parse_mapping(GOOD, file="a"), parse_mapping(GOOD.replace("m6", "m12"), file="a")
    assert one.forms[0].moment is not None
    assert one.forms[0].moment.constant == "m6"
    assert one.hash == parse_mapping(GOOD, file="b").hash
    assert one.hash != other.hash


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (": [", "clinic.yaml, line 1: not YAML"),
        ("- a", "must be a list of keys"),
        (GOOD + "colour: red", "key 'colour': Extra inputs are not permitted; remove it"),
        (GOOD.replace("constant: m6", "constant: half a year"), "key 'forms.0.moment.constant'"),
        (GOOD.replace("{column: Nr}", "{}"), "key 'patient': give either 'column' or 'surrogate: row'"),
        (GOOD.replace("patient: {column: Nr}", ""), "'patient' is missing"),
        (GOOD.replace("prefix: Q, ", ""), "give either 'items' (item: column) or 'prefix'"),
        (GOOD + "only: [{column: a}]", "give either 'in: [...]' or 'not_empty: true'"),
        (GOOD + "registers: [{register: patients, columns: {name: N}}]", "has no column ['name']"),
        (GOOD + "registers: [{register: episodes, columns: {patient_id: N}}]", "needs its key: episode_id"),
    ],
)
def test_errors_name_file_key_and_remedy(text: str, said: str) -> None:
    message = complaint(text)
    assert message.startswith("clinic.yaml")
    assert said in message


def test_codes_may_be_written_as_numbers() -> None:
    mapping = parse_mapping(GOOD + "missing: [7, 9]\nonly: [{column: Flag, in: [0]}]", file="a")
    assert mapping.missing == ("7", "9")
    assert mapping.only[0].values == ("0",)


def test_words_and_numbers_of_yaml_stay_the_text_that_was_written() -> None:
    text = (
        GOOD + "date: {column: On}\nprogramme: {column: No, map: {010: north, 1.0: south}}\nmissing: [no, 2026-01-01]"
    )
    mapping = parse_mapping(text, file="a")
    assert mapping.date is not None
    assert mapping.programme is not None
    assert (mapping.date.column, mapping.programme.column) == ("On", "No")
    assert mapping.programme.map == {"010": "north", "1.0": "south"}
    assert mapping.missing == ("no", "2026-01-01")


def test_key_that_stands_there_twice() -> None:
    assert "line 3, key 'patient': stands there twice" in complaint("name: x\npatient: {}\npatient: {}")


def test_examples_of_the_guide_are_valid(project_root: Path) -> None:
    files = sorted((project_root / "docs" / "examples").glob("*.yaml"))
    names = [parse_mapping(path.read_text(encoding="utf-8"), file=path.name).name for path in files]
    assert {"nhanes_phq9", "nhs_hip_2017"} <= set(names)


def test_every_mapping_in_the_guide_is_valid(project_root: Path) -> None:
    text = (project_root / "docs" / "mapping-files.md").read_text(encoding="utf-8")
    blocks = [part.split("```")[0] for part in text.split("```yaml\n")[1:]]
    whole = [block for block in blocks if block.lstrip().startswith("name:")]
    assert len(whole) >= 3
    for block in whole:
        parse_mapping(block, file="docs/mapping-files.md")


def test_moments() -> None:
    stated = pd.Series(["Baseline", "t0", "nulmeting", "6m", "m12", "18 maanden", "month 24", "baseline_arm_1"])
    assert moments(stated, months=(0, 6, 12, 18, 24)).tolist() == [
        "baseline", "baseline", "baseline", "m6", "m12", "m18", "m24", "baseline",
    ]  # fmt: skip
    assert moments(pd.Series(["T1", "2", "6", "m7", ""]), months=(0, 6)).isna().all()
    assert moments(pd.Series(["T1", "2.0"]), months=(0, 6), codes={"t1": "baseline", "2": "m6"}).tolist() == [
        "baseline",
        "m6",
    ]


def test_numbers_never_mean_a_sex() -> None:
    assert words(pd.Series(["1", "2", "*"]), "sex").isna().all()
    assert words(pd.Series(["1", "2", "*"]), "sex", {"1": "male", "2": "female"}).tolist()[:2] == ["male", "female"]


def test_completeness_of_redcap_and_of_yes_and_no() -> None:
    assert is_complete(pd.Series(["0", "1", "2", ""])).tolist() == [False, False, True, pd.NA]
    assert is_complete(pd.Series(["0", "1", "Voltooid"])).tolist() == [False, True, True]
    assert is_complete(pd.Series(["A", "B", ""]), yes=["a"]).tolist() == [True, False, pd.NA]


@pytest.mark.parametrize(
    ("kind", "cells", "read"),
    [
        (
            "is_blind",
            ["Blind", "niet geblindeerd", "J", "0.0", "2", "misschien"],
            [True, False, True, False, None, None],
        ),
        ("assisted", ["ja", "zonder hulp", "1", "false", ""], [True, False, True, False, None]),
    ],
)
def test_yes_and_no(kind: str, cells: list[str], read: list[bool | None]) -> None:
    assert [None if pd.isna(one) else one for one in yes_no(pd.Series(cells), kind)] == read


def test_who_answered() -> None:
    cells = pd.Series(["Patiënt", "moeder", "behandelaar", "anders", "Jansen"])
    assert words(cells, "respondent").fillna("").tolist() == ["self", "relative", "clinician", "other", ""]
