"""Pseudonyms at the door: the keyed hash, the canonical form, the citizen-number test."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.pseudonyms import (
    Pseudonyms,
    canonical_number,
    holds_citizen_number,
    is_citizen_number,
    passes_bsn_test,
)
from mbt_rom.settings import Issuer

KEY = b"an example key, of no use at all"


def series(*texts: str | None) -> pd.Series:
    return pd.Series(list(texts), dtype="str")


def test_pseudonym_is_the_hmac_that_openssl_computes() -> None:
    # printf 'hospital|1001' | openssl dgst -sha256 -hmac 'an example key, of no use at all'
    # aaefebd9dbe2cf7d89341823d81e189b5c735e8390216b16d9f86a0e2b96912b
    ids, _ = Pseudonyms(KEY).patient("hospital", Issuer(), series("1001"))
    assert list(ids) == ["p_aaefebd9dbe2cf7d8934"]


def test_same_number_of_two_issuers_is_two_people() -> None:
    pseudonyms = Pseudonyms(KEY)
    one, _ = pseudonyms.patient("north", Issuer(), series("1001"))
    other, _ = pseudonyms.patient("south", Issuer(), series("1001"))
    assert one[0] != other[0]


def test_number_patient_therapist_episode_and_contribution_have_different_pseudonyms() -> None:
    pseudonyms = Pseudonyms(KEY)
    patient, _ = pseudonyms.patient("h", Issuer(), series("7"))
    every = [patient[0], pseudonyms.therapist("h", series("7"))[0], pseudonyms.episode("h", series("7"))[0]]
    every += [pseudonyms.response("h", series("7"))[0], pseudonyms.contribution(patient)[0]]
    assert len({e[2:] for e in every}) == 5
    assert [e[:2] for e in every] == ["p_", "t_", "e_", "r_", "c_"]


def test_another_key_gives_another_pseudonym() -> None:
    one, _ = Pseudonyms(KEY).patient("h", Issuer(), series("7"))
    other, _ = Pseudonyms(KEY[::-1]).patient("h", Issuer(), series("7"))
    assert one[0] != other[0]


@pytest.mark.parametrize("length", [0, 5, 31])
def test_short_key_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Pseudonyms(b"x" * length)


def test_key_is_not_shown() -> None:
    assert "example" not in repr(Pseudonyms(KEY))


@pytest.mark.parametrize(
    ("issuer", "written", "number", "problem"),
    [
        (Issuer(), "1001", "1001", None),
        (Issuer(), " 1001.0 ", "1001", None),
        (Issuer(), "10 01", "1001", None),
        (Issuer(), "1,23457E+11", None, "patient_form"),
        (Issuer(), "12.000", None, "patient_form"),
        (Issuer(), "=1001", None, "patient_form"),
        (Issuer(), "", None, "patient_missing"),
        (Issuer(), "NA", None, "patient_missing"),
        (Issuer(length=6), "12345", None, "patient_form"),
        (Issuer(length=6, leading_zeros="restore"), "12345", "012345", None),
        (Issuer(length=6, leading_zeros="restore"), "1234567", None, "patient_form"),
        (Issuer(form="text"), " ab 12 ", "AB 12", None),
        (Issuer(form="text", case="lower"), "AB12", "ab12", None),
        (Issuer(form="text", case="keep"), "aB12", "aB12", None),
        (Issuer(form="text", length=4), "AB123", None, "patient_form"),
        # 111222333 passes the eleven-test: 9+8+7+12+10+8+9+6-3 = 66 = 6 x 11
        (Issuer(), "111222333", None, "patient_form"),
        (Issuer(allows_nine_digits=True), "111222333", "111222333", None),
        (Issuer(), "111222334", "111222334", None),
    ],
)
def test_canonical_form_is_that_of_the_issuer(
    issuer: Issuer, written: str, number: str | None, problem: str | None
) -> None:
    read = canonical_number(series(written), issuer).iloc[0]
    assert (read["number"] if pd.notna(read["number"]) else None) == number
    assert (read["problem"] if pd.notna(read["problem"]) else None) == problem


def test_restored_zeros_are_told() -> None:
    read = canonical_number(series("12", "012"), Issuer(length=3, leading_zeros="restore"))
    assert list(read["number"]) == ["012", "012"]
    assert list(read["is_restored"]) == [True, False]


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        # Invented; by hand, weights 9 8 7 6 5 4 3 2 -1.
        ("123456782", True),  # 9+16+21+24+25+24+21+16-2 = 154 = 14 x 11
        ("123456789", False),  # 156 - 9 = 147
        ("100000009", True),  # 9 - 9 = 0
        ("000000000", False),  # divisible by 11, and nobody's number
        ("12345678", False),
        ("1234.56.782", True),
        ("123 456 782", True),
        ("123456782.0", True),
        ("A23456782", False),
    ],
)
def test_eleven_test(text: str, passes: bool) -> None:
    assert is_citizen_number(text) is passes
    assert list(passes_bsn_test(series(text))) == [passes]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("letter sent, bsn 123456782.", True),
        ("1234.56.782 and more", True),
        ("0.123456782", False),
        ("1123456782", False),
        ("2026-11-22 10:00:00", False),
        ("phone 06-12345678", False),
        ("", False),
    ],
)
def test_citizen_number_inside_text(text: str, holds: bool) -> None:
    assert holds_citizen_number(text) is holds


@given(st.integers(min_value=10_000_000, max_value=99_999_999))
def test_for_every_eight_digits_at_most_one_last_digit_passes(first: int) -> None:
    passing = [d for d in range(10) if is_citizen_number(f"{first}{d}")]
    assert len(passing) <= 1


@given(st.lists(st.text(max_size=12), max_size=20))
def test_each_row_has_either_a_pseudonym_or_a_problem(numbers: list[str]) -> None:
    ids, problems = Pseudonyms(KEY).patient("h", Issuer(), series(*numbers))
    assert (ids.isna() != problems.isna()).all()
