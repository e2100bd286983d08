"""SPSS files: codes and not labels, missing values that the file declares, dates, and files that crash the library."""

from __future__ import annotations

import warnings
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from mbt_rom.exports.apart import LIMITS, read_apart
from mbt_rom.exports.detection import read_grids
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.foreign import Limits
from mbt_rom.exports.sheets import Grid, find_header, with_header
from mbt_rom.exports.spss import is_spss

CASES = pd.DataFrame(
    {
        "patient": ["0012", "13"],
        "q1": [1.0, 9.0],
        "q2": [np.nan, 95.0],
        "q3": [2.5, -1.0],
        "seen": [date(2026, 1, 31), None],
        "sent": [datetime(2026, 1, 31, 12, 30, 5), None],  # noqa: DTZ001  dates of SPSS have no zone
        "at": [time(12, 3, 4), None],
        "letter": ["x" * 600, "Zoë"],
        "unit": ["a", "ZZ"],
    }
)
DECLARED: dict[str, Any] = {
    "column_labels": {"q1": "Question about sleep"},
    "variable_value_labels": {"q1": {0.0: "never", 1.0: "always", 9.0: "no answer"}, "unit": {"a": "North"}},
    "missing_ranges": {"q1": [9], "q2": [{"lo": 90, "hi": 99}], "unit": ["ZZ"]},
}


def sav(folder: Path, cases: pd.DataFrame = CASES, **declared: Any) -> bytes:
    path = folder / "cases.sav"
    pyreadstat.write_sav(cases, str(path), **declared)
    return path.read_bytes()


def por(folder: Path, cases: pd.DataFrame, *, after: bytes = b"", records: bytes = b"") -> bytes:
    """A portable file; `records` are put into its dictionary behind the bytes `after`, which the writer cannot do itself."""
    path = folder / "cases.por"
    pyreadstat.write_por(cases, str(path))
    data = path.read_bytes()
    head, body = data[:456].replace(b"\r\n", b""), data[456:].replace(b"\r\n", b"")
    assert body.count(after) == 1 or not after
    whole = head + body.replace(after, after + records)
    return b"".join(whole[i : i + 80] + b"\r\n" for i in range(0, len(whole), 80))


def read(data: bytes) -> Grid:
    (grid,) = read_grids(data, file_name="x", largest_bytes=1 << 20, recognise=lambda cells: 0)
    return grid


def test_cells_are_codes_and_missing_values_are_empty(tmp_path: Path) -> None:
    grid = read(sav(tmp_path, **DECLARED))
    assert grid.row_texts(0) == list(CASES.columns)
    assert grid.row_texts(1) == [
        "0012", "1", "", "2.5", "2026-01-31", "2026-01-31 12:30:05", "12:03:04", "x" * 600, "a",
    ]  # fmt: skip
    assert grid.row_texts(2) == ["13", "", "", "-1", "", "", "", "Zoë", ""]


def test_labels_are_facts_and_those_of_missing_values_are_left_out(tmp_path: Path) -> None:
    facts = dict(zip(CASES.columns, read(sav(tmp_path, **DECLARED)).facts, strict=True))
    assert facts["q1"].text == "Question about sleep"
    assert facts["q1"].answers == {"0": "never", "1": "always"}
    assert facts["unit"].answers == {"a": "North"}
    assert (facts["q2"].text, facts["q2"].answers) == (None, None)


def test_the_header_is_known_and_cases_count_from_row_two(tmp_path: Path) -> None:
    grid = read(sav(tmp_path))
    sheet = with_header(grid, find_header(grid, lambda cells: 0))
    assert (grid.header, grid.dialect, grid.encoding) == (0, "spss", "UTF-8")
    assert (sheet.headers, sheet.rows.tolist(), sheet.has_serials) == (tuple(CASES.columns), [2, 3], False)


def test_compressed_file_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "cases.zsav"
    pyreadstat.write_sav(CASES, str(path), compress=True, **DECLARED)
    assert path.read_bytes().startswith(b"$FL3")
    pd.testing.assert_frame_equal(read(path.read_bytes()).cells, read(sav(tmp_path, **DECLARED)).cells)


def test_portable_file_with_missing_values_and_labels(tmp_path: Path) -> None:
    """Numbers in a portable file are written to the base 30: 30 is 90, 39 is 99. Q1 prints as F8.2."""
    cases = pd.DataFrame({"pat": ["1", "2", "3"], "q1": [1.0, 9.0, 95.0]})
    records = b"B30/39/89/C8/QuestionD1/2/Q12/1/6/always9/2/no"
    grid = read(por(tmp_path, cases, after=b"2/Q15/8/2/5/8/2/", records=records))
    assert [grid.row_texts(i) for i in range(4)] == [["PAT", "Q1"], ["1", "1"], ["2", ""], ["3", ""]]
    assert grid.facts[1].text == "Question"


def test_portable_file_with_dates(tmp_path: Path) -> None:
    cases = pd.DataFrame({"pat": ["1"], "seen": [date(2026, 1, 31)]})
    assert read(por(tmp_path, cases)).row_texts(1) == ["1", "2026-01-31"]


@pytest.mark.parametrize(
    ("written", "seconds", "text"),
    [
        ("ADATE10", 13989196800.0, "2026-01-31"),  # month first on paper
        ("SDATE10", 13989196800.0, "2026-01-31"),
        ("MOYR8", 13986604800.0, "2026-01-01"),
        ("DTIME12", 90_061.0, "25:01:01"),  # a day, an hour, a minute and a second
        ("DATE11", 1e300, "1e+300"),  # no day at all: left for the reader of dates to refuse
        ("F8.2", 3.25, "3.25"),
        ("WKDAY9", 2.0, "2"),
    ],
)
def test_print_formats(tmp_path: Path, written: str, seconds: float, text: str) -> None:
    data = sav(tmp_path, pd.DataFrame({"v": [seconds]}), variable_format={"v": written})
    assert read(data).row_texts(1) == [text]


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_file_that_is_cut_off(tmp_path: Path, share: float) -> None:
    data = sav(tmp_path, pd.concat([CASES] * 200, ignore_index=True))
    with pytest.raises(ExportError) as caught:
        read(data[: int(len(data) * share)])
    assert caught.value.rule == "file_unreadable"


def test_more_cells_than_are_read(tmp_path: Path) -> None:
    data = sav(tmp_path, pd.DataFrame({"a": [1.0] * 50, "b": [2.0] * 50}))
    few = Limits(cells=99, characters=LIMITS.characters, memory=LIMITS.memory, seconds=60)
    with pytest.raises(ExportError) as caught:
        read_apart(data, "sav", dialect="spss", limits=few)
    assert caught.value.rule == "file_unpacks_too_large"


def test_many_cases_are_all_there_in_order(tmp_path: Path) -> None:
    grid = read(sav(tmp_path, pd.DataFrame({"n": np.arange(12_345, dtype=float)})))
    assert grid.cells[0].tolist() == ["n", *map(str, range(12_345))]
    assert grid.rows[-1] == 12_346


def test_file_that_crashes_the_library_is_refused(tmp_path: Path) -> None:
    """The length of a record that says more than there is: the library reads beyond its memory. Whatever it does, we go on."""
    data = bytearray(sav(tmp_path, **DECLARED))
    outcomes = set()
    for at in range(len(data) - 2200, len(data), 200):
        damaged = bytes(data[:at]) + b"\xff" + bytes(data[at + 1 :])
        try:
            outcomes.add(read(damaged).dialect)
        except ExportError as error:
            outcomes.add(error.rule)
    assert "file_unreadable" in outcomes
    assert outcomes <= {"spss", "file_unreadable", "file_unpacks_too_large"}


def test_nothing_of_a_damaged_file_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ExportError):
            read(b"$FL2" + b"Zoe has said 3" * 100)
    assert capfd.readouterr() == ("", "")


def test_text_about_spss_is_no_spss_file() -> None:
    assert not is_spss(b"patient,answer\n1,$FL2 SPSSPORT ASCII SPSS PORT FILE\n")
