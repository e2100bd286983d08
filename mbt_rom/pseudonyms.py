"""Keyed pseudonyms: what a local number becomes at the door, and how a citizen number is recognised there.

Belongs here: the canonical form of a number, the Dutch citizen-number test, the keyed hash. Does not belong here: where
the key is kept (`assets.home`), the encrypted list of local numbers (`assets.vault`).

The issuer (a hospital or registration system) is part of every pseudonym, so that number 1001 of two hospitals stays two
people. Without the key nobody can recompute a pseudonym from a number, nor try all numbers.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pandas as pd

from mbt_rom.exports.cells import is_blank as is_blank
from mbt_rom.settings import Issuer

MINIMUM_KEY_BYTES = 32
_DIGITS_KEPT = 20
#: Weights of the eleven-test: 9 x first digit + 8 x second ... + 2 x eighth - 1 x ninth must divide by 11.
_NINE_DIGITS = re.compile(r"([0-9](?:[ .\u00a0]?[0-9]){8})(?:[.,]0{1,2})?")
_BSN_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
_SPACES = re.compile(r"\s+")
_READ_AS_NUMBER = re.compile(r"[.,]0{1,2}$")


def map_unique(values: pd.Series, function: Callable[[str], object]) -> pd.Series:
    """`function` of every text in `values`, computed once per different text; missing is read as ''. Dtype object.

    >>> list(map_unique(pd.Series(["a", "b", "a"]), str.upper))
    ['A', 'B', 'A']
    """
    codes, unique = pd.factorize(values.fillna(""))
    results = np.empty(len(unique), dtype=object)
    results[:] = [function(value) for value in unique.to_numpy(dtype=object)]
    return pd.Series(results[codes], index=values.index, dtype="object")


def is_citizen_number(text: str) -> bool:
    """True when the text is nine digits (dots and spaces between them allowed) that pass the Dutch eleven-test.

    A lone nine-digit number passes by chance one time in eleven. Source of the rule: the published 'elfproef' for the
    burgerservicenummer, weights 9 8 7 6 5 4 3 2 -1, sum divisible by 11, not all digits 0.

    >>> is_citizen_number("111222333"), is_citizen_number("1112.22.333"), is_citizen_number("111222334")
    (True, True, False)
    """
    if not (found := _NINE_DIGITS.fullmatch(text.strip())):
        return False
    digits = re.sub(r"\D", "", found.group(1))
    if digits == "000000000":
        return False
    return sum(w * int(d) for w, d in zip(_BSN_WEIGHTS, digits, strict=True)) % 11 == 0


def passes_bsn_test(values: pd.Series) -> pd.Series:
    """For each text whether it has the form of a Dutch citizen number and passes its test (boolean, same index).

    >>> list(passes_bsn_test(pd.Series(["111222333", "1001", None])))
    [True, False, False]
    """
    return map_unique(values, is_citizen_number).astype(bool)


_INSIDE_TEXT = re.compile(r"(?<![\d.,])\d(?:[ .\u00a0]?\d){8}(?![\d]|[.,]\d)")
_ZEROS = re.compile(r"\.0+$")
_DECIMAL = re.compile(r"[+-]?\d+[.,]\d+")


def holds_citizen_number(text: str) -> bool:
    """True when somewhere in the text stand nine digits that pass the eleven-test.

    A cell that is nothing but a decimal fraction (0.673776042) is none.

    >>> holds_citizen_number("bsn 111222333, see file"), holds_citizen_number("0.111222333")
    (True, False)
    """
    if len(text) < 9:
        return False
    cell = _ZEROS.sub("", text.strip())
    if _DECIMAL.fullmatch(cell):
        return False
    return any(is_citizen_number(found) for found in _INSIDE_TEXT.findall(cell))


def canonical_number(raw: pd.Series, issuer: Issuer) -> pd.DataFrame:
    """Local numbers in the form that their issuer declares.

    Returns one row per value, index kept: `number` (missing where there is none to use), `problem` (missing, or the rule
    that was broken: patient_missing, patient_form), `is_restored` (leading zeros were put back).

    >>> issuer = Issuer(form="digits", length=5, leading_zeros="restore")
    >>> canonical_number(pd.Series(["00123", "123.0", "12x", ""]), issuer)
      number          problem  is_restored
    0  00123              NaN        False
    1  00123              NaN         True
    2    NaN     patient_form        False
    3    NaN  patient_missing        False
    """
    parts = map_unique(raw, lambda text: _canonical(text, issuer))
    frame = pd.DataFrame(list(parts), columns=["number", "problem", "is_restored"], index=raw.index)
    return frame.astype({"number": "str", "problem": "str", "is_restored": bool})


def _canonical(text: str, issuer: Issuer) -> tuple[str | None, str | None, bool]:
    text = unicodedata.normalize("NFKC", text).strip()
    if is_blank(text):
        return None, "patient_missing", False
    return _canonical_digits(text, issuer) if issuer.form == "digits" else _canonical_text(text, issuer)


def _canonical_digits(text: str, issuer: Issuer) -> tuple[str | None, str | None, bool]:
    number = _READ_AS_NUMBER.sub("", _SPACES.sub("", text))
    if not (number.isascii() and number.isdigit()):
        return None, "patient_form", False
    short = issuer.length is not None and len(number) < issuer.length
    restored = short and issuer.leading_zeros == "restore"
    if restored and issuer.length is not None:
        number = number.zfill(issuer.length)
    return _checked(number, issuer, restored)


def _canonical_text(text: str, issuer: Issuer) -> tuple[str | None, str | None, bool]:
    number = _SPACES.sub(" ", text)
    number = {"upper": number.upper(), "lower": number.lower(), "keep": number}[issuer.case]
    return _checked(number, issuer, False)


def _checked(number: str, issuer: Issuer, restored: bool) -> tuple[str | None, str | None, bool]:
    fits = issuer.length is None or len(number) == issuer.length
    if not fits or (is_citizen_number(number) and not issuer.allows_nine_digits):
        return None, "patient_form", False
    return number, None, restored


class Pseudonyms:
    """Makes pseudonyms with one secret key. The key is never shown, not even by `repr`.

    Raises ValueError when the key has fewer than 32 bytes.

    >>> Pseudonyms(b"short")
    Traceback (most recent call last):
    ...
    ValueError: the key for pseudonyms has 5 bytes; it needs at least 32 (`rom init` makes one)
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MINIMUM_KEY_BYTES:
            raise ValueError(
                f"the key for pseudonyms has {len(key)} bytes; it needs at least {MINIMUM_KEY_BYTES} (`rom init` makes one)"
            )
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(key withheld)"

    def patient(self, issuer_id: str, issuer: Issuer, raw: pd.Series) -> tuple[pd.Series, pd.Series]:
        """`patient_id` = 'p_' + 20 hexadecimal digits of HMAC-SHA256(key, issuer|canonical number), and the problem.

        Both are of dtype str with the index of `raw`; exactly one of them is missing in each row.

        >>> example = Pseudonyms(b"an example key, of no use at all")
        >>> ids, problems = example.patient("hospital", Issuer(), pd.Series(["1001", "1001.0", "ten"]))
        >>> list(ids)
        ['p_aaefebd9dbe2cf7d8934', 'p_aaefebd9dbe2cf7d8934', nan]
        >>> list(problems)
        [nan, nan, 'patient_form']
        """
        read = canonical_number(raw, issuer)
        return self.of_numbers(issuer_id, read["number"]), read["problem"]

    def of_numbers(self, issuer_id: str, numbers: pd.Series) -> pd.Series:
        """`patient_id` of numbers that are in canonical form already; missing stays missing."""
        return self._keyed("p_", f"{issuer_id}|", numbers)

    def surrogate(self, scope: str, rows: pd.Series) -> pd.Series:
        """`patient_id` for exports without patient numbers: each row of one delivery (`scope`) is its own person."""
        return self._keyed("p_", f"surrogate\x1f{scope}\x1f", rows)

    def therapist(self, issuer_id: str, raw: pd.Series) -> pd.Series:
        """`therapist_id` ('t_...'): codes are compared without spaces around them and without regard to case."""
        return self._keyed("t_", f"therapist\x1f{issuer_id}\x1f", _code(raw))

    def episode(self, issuer_id: str, raw: pd.Series) -> pd.Series:
        """`episode_id` ('e_...') from the local number of an episode."""
        return self._keyed("e_", f"episode\x1f{issuer_id}\x1f", _code(raw))

    def response(self, scope: str, raw: pd.Series) -> pd.Series:
        """`response_id` ('r_...') from the survey tool's id; `scope` (the programme) keeps two tools apart."""
        return self._keyed("r_", f"response\x1f{scope}\x1f", _code(raw))

    def contribution(self, patient_id: pd.Series) -> pd.Series:
        """Second pseudonym ('c_...') under which scores leave a programme; without the key it leads back to nobody."""
        return self._keyed("c_", "contribution\x1f", patient_id)

    def _keyed(self, prefix: str, scope: str, texts: pd.Series) -> pd.Series:
        def keyed(text: str) -> str | None:
            if not text:
                return None
            digest = hmac.digest(self._key, (scope + text).encode("utf-8", "surrogatepass"), hashlib.sha256)
            return prefix + digest.hex()[:_DIGITS_KEPT]

        return map_unique(texts, keyed).astype("str")


def _code(raw: pd.Series) -> pd.Series:
    def canonical(text: str) -> str:
        text = _READ_AS_NUMBER.sub("", _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip())
        return "" if is_blank(text) else text.casefold()

    return map_unique(raw, canonical).astype("str")
