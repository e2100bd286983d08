"""Every reader, fed with files that nobody would write: rows, or a refusal by a known rule; never anything else, within bounds.

Belongs here: the table of readers, the three ways of feeding them (noise, honest files damaged, grids of any contents) and the corpus.
A new reader is a line in `READERS` and a folder of honest files in `corpus/` (`make_corpus.py`). Runs for each reader and way: 100 in
the usual tests (30 where each run starts a process), 2,000 under HYPOTHESIS_PROFILE=long.

A file is held to these: it becomes rows, a codebook, or a refusal whose rule the catalogue knows and which was foreseen; never
no rows without a word; within seconds; and the memory of this process and of those that it starts stays bounded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import resource
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mbt_rom import conform, registry
from mbt_rom.conform import Conformed
from mbt_rom.exports.detection import read_grids
from mbt_rom.findings import RULES
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
IS_LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
MOST_SECONDS = 30
MB = 1 << 20
#: Memory of one process while it reads what this module feeds it; an honest run needs a third of it.
MOST_MEMORY_MB = 1500

_spec = importlib.util.spec_from_file_location("make_corpus", HERE / "make_corpus.py")
assert _spec is not None
assert _spec.loader is not None
made: Any = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)

SETTINGS = Consortium(
    name="test",
    largest_file_mb=20,
    issuers={"hospital": Issuer()},
    programmes={"north": Programme(name="north", issuer="hospital", instruments=("phq9",))},
)
PSEUDONYMS = Pseudonyms(b"an example key, of no use at all")


@dataclass(frozen=True)
class Reader:
    """One kind of file: its folder in the corpus, how a grid is written in it, and whether reading it starts a process."""

    folder: str
    write: Callable[[list[list[object]]], bytes] | None = None
    starts_process: bool = False

    @property
    def runs(self) -> int:
        """How often each way of feeding it is tried."""
        return 2_000 if IS_LONG else 30 if self.starts_process else 100

    def honest(self) -> list[bytes]:
        """The files of the corpus."""
        return [path.read_bytes() for path in sorted((CORPUS / self.folder).iterdir())]


READERS = (
    Reader("csv", lambda rows: made.csv(rows, delimiter=";")),
    Reader("zip", lambda rows: made.zipped({"export.csv": made.csv(rows)})),
    Reader("xlsx", made.xlsx, starts_process=True),
    Reader("xls", made.xls, starts_process=True),
    Reader("ods", made.ods, starts_process=True),
    Reader("sav", starts_process=True),
    Reader("zsav", starts_process=True),
    Reader("por", starts_process=True),
    Reader("redcap"),
    Reader("castor"),
    Reader("formr"),
)
each_reader = pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.folder)
each_writer = pytest.mark.parametrize(
    ("write", "runs"), [pytest.param(r.write, r.runs, id=r.folder) for r in READERS if r.write is not None]
)
Write = Callable[[list[list[object]]], bytes]


def deliver(data: bytes) -> Conformed:
    """The whole way from bytes to rows, within its time."""
    started = time.monotonic()
    conformed = conform.deliver(
        data,
        file_name="export",
        programme_id="north",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 11, 22, 4, tzinfo=UTC),
        settings=SETTINGS,
        instruments=registry.instruments(),
        pseudonyms=PSEUDONYMS,
    )
    assert time.monotonic() - started < MOST_SECONDS
    return conformed


def hold(data: bytes) -> Conformed:
    """Delivers the bytes and holds the outcome to what every outcome must be."""
    conformed = deliver(data)
    assert set(conformed.findings["rule"]) <= set(RULES)
    assert not conformed.findings["detail"].fillna("").str.contains("unforeseen").any()
    if conformed.refused_for is None and conformed.codebook is None:
        assert conformed.n_rows > 0
    return conformed


def hold_memory() -> None:
    """The peaks of this process and of the readers that it started. They never go down, so one look at the end tells."""
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        assert resource.getrusage(who).ru_maxrss / 1024 < MOST_MEMORY_MB


# Noise ----------------------------------------------------------------------------------------------------------------

_BEGINNINGS = (
    b"", b"PK\x03\x04", b"PK\x05\x06", b"$FL2", b"$FL3", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xff\xfe\0\0", b"\xfe\xff", b"sep=;\r\n", b"{", b"[", b"patient,phq9_1\n", b'"', b"0" * 456 + b"SPSSPORT",
)  # fmt: skip


@settings(max_examples=2_000 if IS_LONG else 100)
@given(beginning=st.sampled_from(_BEGINNINGS), rest=st.binary(max_size=400), times=st.sampled_from([1, 1, 1, 50]))
def test_noise(beginning: bytes, rest: bytes, times: int) -> None:
    hold(beginning + rest * times)


# Honest files, damaged ------------------------------------------------------------------------------------------------

_EDIT = st.tuples(
    st.sampled_from(["flip", "cut", "insert", "remove", "repeat"]),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=8) | st.sampled_from([b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b'"']),
)
_EDITS = st.lists(_EDIT, min_size=1, max_size=6)


def damaged(data: bytes, edits: list[tuple[str, float, bytes]]) -> bytes:
    """The bytes after the edits."""
    for kind, share, piece in edits:
        at = int(share * len(data))
        behind = data[at + len(piece) :]
        data = {
            "flip": data[:at] + piece + behind,
            "cut": data[:at],
            "insert": data[:at] + piece + data[at:],
            "remove": data[:at] + behind,
            "repeat": data[:at] + data[at : at + 64] * 20 + data[at:],
        }[kind]
    return data


def damaged_inside(data: bytes, share: float, edits: list[tuple[str, float, bytes]]) -> bytes:
    """An archive of which one part is damaged, packed again without a fault."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = sorted(parts)[int(share * len(parts))]
    packed: bytes = made.zipped({**parts, name: damaged(parts[name], edits)})
    return packed


@each_reader
def test_honest_files_damaged(reader: Reader) -> None:
    files = reader.honest()

    @settings(max_examples=reader.runs)
    @given(st.sampled_from(files), _EDITS, st.booleans(), st.floats(0, 1, exclude_max=True))
    def feed(data: bytes, edits: list[tuple[str, float, bytes]], inside: bool, share: float) -> None:
        is_archive = data.startswith(b"PK")
        hold(damaged_inside(data, share, edits) if is_archive and inside else damaged(data, edits))

    feed()
    hold_memory()


# Grids of any contents ------------------------------------------------------------------------------------------------

_NAMES = ["patient", "date", *[f"phq9_{i}" for i in range(1, 10)], "complete", "bsn", "", "x" * 300, "total"]
_TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cn", "Co"]), max_size=12
)
_CELL = st.integers(-9, 999) | st.sampled_from(["", "NA", "3", "31-01-2026", "1001", "=1+1", "never"]) | _TEXT
_GRIDS = st.tuples(
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=14), st.lists(st.lists(_CELL, max_size=14), max_size=6)
)


@each_writer
def test_grids_of_any_contents(write: Write, runs: int) -> None:

    @settings(max_examples=runs)
    @given(_GRIDS)
    def feed(grid: tuple[list[str], list[list[object]]]) -> None:
        rows: list[list[object]] = [list(grid[0]), *grid[1]]
        hold(write(rows))

    feed()
    hold_memory()


#: What the headers of survey tools hold: what makes a sheet one of theirs, and what else they may write.
_OF_REDCAP = "redcap_repeat_instrument redcap_repeat_instance redcap_data_access_group phq9_timestamp phq9_complete other_complete"
_TOOLS: dict[str, tuple[list[str], list[str]]] = {
    "redcap": (
        ["record_id", "redcap_event_name"],
        [*_OF_REDCAP.split(), "_complete", "x___1", "patient_number", "sex"],
    ),
    "redcap with labels": (
        ["Record ID", "Event Name", "Complete?"],
        [
            "Survey Timestamp",
            "Complete?",
            "Repeat Instance",
            "Data Access Group",
            "Which? (choice=A)",
            "Patient number",
        ],
    ),
    "redcap dictionary": (
        ["field_name", "form_name", "field_type", "field_label"],
        ["select_choices_or_calculations", "identifier", "text_validation_type_or_show_slider_number"],
    ),
    "castor": (
        ["Castor Participant ID", "Survey Instance ID"],
        ["Survey Progress", "Survey Completed On", "Survey Parent", "Site Abbreviation", "Report Name Custom", "a#b"],
    ),
    "formr": (["session", "created", "modified", "ended"], ["expired", "phq9_3R", "run_name", "patient_number"]),
}
_SIGNS = (
    "2 0 [not_completed] Complete m6_arm_1 -99 ##USER_MISSING_95## 01-01-2999 100 NASK checkbox 2026-01-05 2026-13-45"
)
_TOOL_CELL = st.sampled_from([*_SIGNS.split(), "[not completed]", "0, a | 1, b", "2026-01-05 10:00:00"])


@pytest.mark.parametrize("tool", _TOOLS)
def test_grids_of_survey_tools(tool: str) -> None:
    """Their own columns in any order, any number of times, above any cells: no row vanishes without a word."""
    own, further = _TOOLS[tool]
    names = st.lists(st.sampled_from(further + _NAMES), max_size=10)
    header = names.flatmap(lambda more: st.permutations(own + more))

    @settings(max_examples=2_000 if IS_LONG else 100)
    @given(header, st.lists(st.lists(_CELL | _TOOL_CELL, max_size=16), max_size=6))
    def feed(names: list[str], cells: list[list[object]]) -> None:
        conformed = hold(made.csv([list(names), *cells]))
        held = {i: len(frame) for i, frame in conformed.items.items()}
        counted = conformed.contents.set_index("instrument")
        for instrument, n in held.items():
            row = counted.loc[instrument]
            assert row["n_rows"] == row["n_blank"] + row["n_left_out"] + n

    feed()
    hold_memory()


@each_writer
def test_every_cell_of_a_grid_is_read(write: Write, runs: int) -> None:
    """Nothing is lost between writing and reading: the same texts in the same places."""
    text = st.text("abcXYZ0123456789éß .-", min_size=1, max_size=8).map(str.strip).filter(bool)

    @settings(max_examples=runs)
    @given(st.lists(st.lists(st.integers(0, 9) | text, min_size=3, max_size=3), min_size=1, max_size=8))
    def feed(rows: list[list[object]]) -> None:
        (grid,) = read_grids(write(rows), file_name="x", largest_bytes=MB, recognise=lambda cells: 0)
        assert [grid.row_texts(i) for i in range(len(grid.cells))] == [[str(cell) for cell in row] for row in rows]

    feed()


# The corpus -----------------------------------------------------------------------------------------------------------

HONEST = [path for path in sorted(CORPUS.rglob("*")) if path.is_file() and path.parent.name != "hostile"]
HOSTILE = sorted((CORPUS / "hostile").iterdir())


def test_the_corpus_is_what_its_script_makes() -> None:
    there = {path.relative_to(CORPUS).as_posix() for path in [*HONEST, *HOSTILE]}
    assert there == set(made.honest()) | set(made.hostile())


@pytest.mark.parametrize("path", HONEST, ids=lambda path: path.name)
def test_honest_file_is_read(path: Path) -> None:
    conformed = hold(path.read_bytes())
    assert (conformed.refused_for, conformed.n_rows) == (None, 4)
    assert conformed.items["phq9"][[f"phq9_{i:02d}" for i in range(1, 10)]].to_numpy().tolist() == [
        [0, 1, 2, 3, 0, 1, 2, 3, 0],
        [1, 2, 3, 0, 1, 2, 3, 0, 1],
        [2, 3, 0, 1, 2, 3, 0, 1, 2],
        [3, 0, 1, 2, 3, 0, 1, 2, 3],
    ]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.name)
def test_hostile_file_is_refused(path: Path) -> None:
    refused_for = hold(path.read_bytes()).refused_for
    assert refused_for is not None
    assert refused_for.startswith("file_")
    hold_memory()


def test_hostile_files_are_refused_where_memory_is_scarce() -> None:
    """All of them in one process that is given 2,000 MB of addresses: what it loads to start takes most of that."""
    program = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (2000 << 20, 2000 << 20))\n"
        "module = runpy.run_path(sys.argv[1])\n"
        "print([module['hold'](path.read_bytes()).refused_for for path in module['HOSTILE']])"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, str(Path(__file__))]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("'file_") == len(HOSTILE)


def test_bomb_is_not_unpacked_whatever_it_states() -> None:
    """A stream of ten gigabytes of zeros, deflated three times over, is small; unpacking stops at the first layer's limit."""
    layer = zlib.compress(b"0" * (64 * MB), 9)
    assert hold(made.zipped({"a.csv": layer})).refused_for == "file_unreadable"
    assert hold(made.zipped({"a.csv": b"1,2\n" * (30 * MB)})).refused_for == "file_unpacks_too_large"
