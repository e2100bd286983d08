"""A patient's number that is called nothing but a number: told by the rows in which it comes back."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mbt_rom import registry
from mbt_rom.exports.detection import read_export, understand
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.understanding import Source, Understanding

VOCABULARY = Vocabulary(registry.instruments())
ITEMS = [f"phq9_{n}" for n in range(1, 10)]
KEYS = ["A12", "A17", "B03", "B04", "C22", "C31"]


def plan(keys: Sequence[str], moments: Sequence[str], *, name: str = "code", more: Sequence[str] = ()) -> Understanding:
    lines = [",".join([name, "meting", *more, *ITEMS])]
    lines += [
        ",".join([key, at, *(str(i) for _ in more), *["1"] * 9])
        for i, (key, at) in enumerate(zip(keys, moments, strict=True))
    ]
    data = "\n".join(lines).encode()
    sheet = read_export(data, file_name="x.csv", largest_bytes=100_000, recognise=VOCABULARY.recognised)[0]
    return understand(sheet, VOCABULARY, registry.instruments(), usual=["phq9"])


@pytest.mark.parametrize("name", ["code", "ID", "nr"])
def test_the_same_number_at_other_moments_is_that_of_a_person(name: str) -> None:
    found = plan(KEYS * 2, ["T0"] * 6 + ["T6"] * 6, name=name)
    assert found.patient == Source(0)
    assert found.response_id is None


@pytest.mark.parametrize(
    ("keys", "moments"),
    [
        (KEYS, ["T0"] * 6),  # nobody comes back
        (KEYS * 2, ["T0"] * 12),  # twice at one moment
        (["1", "2", "3", "4", "5", "6"] * 2, ["T0"] * 6 + ["T6"] * 6),  # the rows of a list
        (["A1", "A2", "A3"] * 2, ["T0"] * 3 + ["T6"] * 3),  # a few groups
    ],
)
def test_rows_that_do_not_say_so(keys: Sequence[str], moments: Sequence[str]) -> None:
    with pytest.raises(ExportError, match="no column for the patient number"):
        plan(keys, moments)


def test_two_such_columns_are_neither() -> None:
    with pytest.raises(ExportError, match="no column for the patient number"):
        plan(KEYS * 2, ["T0"] * 6 + ["T6"] * 6, more=["nr"])
