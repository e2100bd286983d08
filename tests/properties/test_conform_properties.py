"""Whatever a file holds: an answer and no traceback, and every row accounted for."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, datetime

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom import registry
from mbt_rom.conform import Conformed, deliver
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.findings import RULES
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

SETTINGS = Consortium(
    name="test",
    issuers={"hospital": Issuer(length=4, leading_zeros="restore")},
    programmes={p: Programme(name=p, issuer="hospital", instruments=("phq9",)) for p in ("north", "south")},
)
PHQ9 = [f"phq9_{i}" for i in range(1, 10)]
WIDE = parse_mapping(
    """
name: wide
matches: {columns: [unit, a1, b1]}
patient: {column: nr}
programme: {column: unit}
date: {column: when}
missing: [9]
only: [{column: keep, in: [1]}]
forms:
  - {instrument: phq9, prefix: a, moment: {constant: baseline}}
  - {instrument: phq9, prefix: b, moment: {constant: m6}}
""",
    file="wide.yaml",
)
CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "2", "3", "3.0", "1,5", "9", "999", "NA", "=1", "x", "2026-01-02", "01/02/2026"]),
    st.sampled_from(["1001", "0012", "12", "123456782", "north", "south", "west", "ja", "2", '"', "a\nb", "a,b;c\td"]),
    st.text(max_size=8),
)
HEADERS = st.one_of(
    st.sampled_from(
        [*PHQ9, "patient", "date", "moment", "response_id", "programme", "complete", "id", "completed", ""]
    ),
    st.sampled_from(["phq9", "phq9_10", "bsi_1", "eq5d_mo", "dob", "sex", "episode_id", "started_on", "therapist_id"]),
    st.text(max_size=8),
)


def taken(data: bytes, *, programme: str | None = "north", name: str = "x.csv") -> Conformed:
    return deliver(
        data,
        file_name=name,
        programme_id=programme,
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
        settings=SETTINGS,
        instruments=registry.instruments(),
        pseudonyms=Pseudonyms(b"an example key, of no use at all"),
        mappings=[WIDE],
    )


def written(rows: list[list[str]], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


def assert_accounted_for(got: Conformed) -> None:
    """n_rows = n_blank + n_left_out + rows + rows of unknown programmes, per programme and instrument."""
    assert set(got.findings["rule"]) <= set(RULES)
    assert not got.findings["detail"].fillna("").str.contains("unforeseen").any()
    for part in got.contents.itertuples():
        items = got.items[part.instrument]
        found = got.findings[got.findings["rule"] == "programme_unknown"]
        unknown = found[(found["item"] == part.instrument) & (found["programme_id"] == part.programme_id)]
        n = int((items["programme_id"] == part.programme_id).sum()) + len(unknown)
        assert part.n_rows == part.n_blank + part.n_left_out + n
    for frame in got.items.values():
        assert frame["row_id"].is_unique
        assert (frame["patient_id"].isna() == frame["patient_problem"].notna()).all()


@given(st.binary(max_size=400), st.sampled_from(["x.csv", "x.xlsx", "x.zip"]))
def test_any_bytes(data: bytes, name: str) -> None:
    got = taken(data, name=name)
    assert got.refused_for in RULES or got.n_rows
    assert_accounted_for(got)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_signature_of_an_archive(data: bytes) -> None:
    assert taken(b"PK\x03\x04" + data, name="x.xlsx").refused_for == "file_unreadable"


@given(
    st.lists(HEADERS, min_size=1, max_size=14),
    st.lists(st.lists(CELLS, max_size=15), max_size=6),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([None, "north"]),
)
def test_any_table(headers: list[str], rows: list[list[str]], delimiter: str, programme: str | None) -> None:
    assert_accounted_for(taken(written([headers, *rows], delimiter), programme=programme))


@given(st.lists(st.lists(CELLS, min_size=13, max_size=13), min_size=1, max_size=8), st.sampled_from([None, "north"]))
def test_any_cells_of_known_columns(rows: list[list[str]], programme: str | None) -> None:
    header = ["programme", "patient", "date", "moment", *PHQ9]
    got = taken(written([header, *rows]), programme=programme)
    assert_accounted_for(got)
    if got.refused_for is None:
        # A row counts when some cell holds anything at all, be it a space.
        assert int(got.contents["n_rows"].sum()) == sum(any(cell != "" for cell in row) for row in rows)


@given(st.lists(st.lists(CELLS, min_size=22, max_size=22), min_size=1, max_size=8), st.sampled_from([None, "north"]))
def test_any_cells_of_two_blocks(rows: list[list[str]], programme: str | None) -> None:
    header = ["unit", "nr", "when", "keep", *[f"a{i}" for i in range(1, 10)], *[f"b{i}" for i in range(1, 10)]]
    assert_accounted_for(taken(written([header, *rows]), programme=programme))


@given(st.permutations(list(range(6))))
def test_order_of_rows_does_not_change_what_they_say(order: list[int]) -> None:
    rows = [[f"{i:04d}", f"2026-01-{i + 1:02d}", *[str((i + k) % 4) for k in range(9)]] for i in range(6)]
    header = ["patient", "date", *PHQ9]
    got = taken(written([header, *[rows[i] for i in order]])).items["phq9"].sort_values("administered_on")
    want = taken(written([header, *rows])).items["phq9"]
    same = [c for c in want.columns if c not in ("row_id", "delivery_id", "source_row")]
    pd.testing.assert_frame_equal(got[same].reset_index(drop=True), want[same])
