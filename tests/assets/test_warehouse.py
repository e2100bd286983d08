"""Tables come back as they were declared; a commit replaces exactly the programmes that were computed."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assets.warehouse import WHOLE, InvariantError, Warehouse
from mbt_rom.registry import instrument
from mbt_rom.tables import BENCHMARK, Table, items_table

ITEMS = items_table(instrument("phq9"))


def _items(programmes: list[str], answers: list[int | None]) -> pd.DataFrame:
    n = len(programmes)
    raw = {
        "programme_id": programmes,
        "row_id": [f"r{i}" for i in range(n)],
        "delivery_id": ["d"] * n,
        "received_at": pd.to_datetime(["2026-01-05 04:00:00.000001"] * n, utc=True),
        "source_row": range(2, n + 2),
        "block": [0] * n,
        "administered_on": [pd.Timestamp("2026-01-02"), *[pd.NaT] * (n - 1)],
        "is_complete": [True, *[None] * (n - 1)],
        "phq9_01": pd.array(answers, dtype="Int8"),
    }
    return ITEMS.conform(pd.DataFrame(raw))


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "warehouse")


def test_a_table_that_was_never_written_is_empty_and_typed(warehouse: Warehouse) -> None:
    pd.testing.assert_frame_equal(warehouse.read(ITEMS), ITEMS.empty())
    assert warehouse.fingerprints(ITEMS) == {}
    assert not warehouse.has(ITEMS)


def test_what_is_read_is_what_was_written_with_its_types(warehouse: Warehouse) -> None:
    frame = _items(["_shared", "a", "b"], [3, None, 0])
    warehouse.replace(ITEMS, frame, programmes=["_shared", "a", "b"], fingerprints={})
    pd.testing.assert_frame_equal(warehouse.read(ITEMS), frame)
    pd.testing.assert_frame_equal(
        warehouse.read(ITEMS, programmes=["a"], columns=["programme_id", "phq9_01"]),
        frame.loc[[1], ["programme_id", "phq9_01"]].reset_index(drop=True),
    )


def test_a_table_that_gained_a_column_keeps_the_rows_of_other_programmes(warehouse: Warehouse) -> None:
    before = Table(ITEMS.name, ITEMS.meaning, ITEMS.key, tuple(c for c in ITEMS.columns if c.name != "phq9_10"))
    rows = _items(["a", "b"], [1, 2])
    warehouse.replace(before, rows.drop(columns="phq9_10"), programmes=["a", "b"], fingerprints={})
    warehouse.replace(ITEMS, rows.tail(1).assign(phq9_10=3), programmes=["b"], fingerprints={})
    read = warehouse.read(ITEMS, columns=["phq9_01", "phq9_10"])
    assert read["phq9_01"].tolist() == [1, 2]
    assert read["phq9_10"].isna().tolist() == [True, False]


def test_only_the_programmes_computed_are_replaced_and_fingerprints_are_carried_forward(warehouse: Warehouse) -> None:
    warehouse.replace(ITEMS, _items(["a", "b"], [1, 2]), programmes=["a", "b"], fingerprints={"a": "old", "b": "old"})
    warehouse.replace(ITEMS, _items(["b", "b"], [0, 3]), programmes=["b"], fingerprints={"b": "new"})
    assert warehouse.read(ITEMS)[["programme_id", "phq9_01"]].to_numpy().tolist() == [["a", 1], ["b", 0], ["b", 3]]
    assert warehouse.fingerprints(ITEMS) == {"a": "old", "b": "new"}


def test_a_programme_without_rows_loses_its_old_ones(warehouse: Warehouse) -> None:
    warehouse.replace(ITEMS, _items(["a", "b"], [1, 2]), programmes=["a", "b"], fingerprints={"a": "1", "b": "1"})
    warehouse.replace(ITEMS, ITEMS.empty(), programmes=["a"], fingerprints={"a": "2"})
    assert warehouse.read(ITEMS)["programme_id"].tolist() == ["b"]
    warehouse.forget(ITEMS, ["b", "never_there"])
    assert warehouse.read(ITEMS).empty
    assert warehouse.fingerprints(ITEMS) == {"a": "2"}


def test_tables_without_partitions_are_replaced_whole(warehouse: Warehouse) -> None:
    warehouse.replace(BENCHMARK, BENCHMARK.empty(), fingerprints={WHOLE: "1"})
    warehouse.replace(BENCHMARK, BENCHMARK.empty(), fingerprints={WHOLE: "2"})
    assert warehouse.fingerprints(BENCHMARK) == {WHOLE: "2"}
    pd.testing.assert_frame_equal(warehouse.read(BENCHMARK), BENCHMARK.empty())


def test_a_fraction_in_an_integer_column_is_an_error_and_nothing_is_written(warehouse: Warehouse) -> None:
    frame = _items(["a"], [1]).astype({"phq9_01": "float64"})
    frame["phq9_01"] = 1.5
    with pytest.raises(TypeError):
        warehouse.replace(ITEMS, frame, programmes=["a"], fingerprints={})
    assert not warehouse.has(ITEMS)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.assign(row_id="r0"), "1 rows repeat the key"),
        (lambda f: f.assign(programme_id="c"), "2 rows belong to no programme"),
        (lambda f: f.assign(delivery_id=None), "values are missing in delivery_id"),
    ],
)
def test_a_table_that_cannot_be_right_is_not_written(warehouse: Warehouse, spoil: object, message: str) -> None:
    assert callable(spoil)
    with pytest.raises(InvariantError, match=message):
        warehouse.replace(ITEMS, spoil(_items(["a", "a"], [1, 2])), programmes=["a"], fingerprints={})
    assert not warehouse.has(ITEMS)


def test_answers_stand_neither_in_the_log_nor_in_its_statistics(warehouse: Warehouse) -> None:
    warehouse.replace(ITEMS, _items(["a"], [3]), programmes=["a"], fingerprints={})
    log = "".join(p.read_text() for p in (warehouse.path(ITEMS) / "_delta_log").glob("*.json"))
    assert "minValues" in log or "numRecords" in log  # there are statistics, and they count rows only
    assert '\\"phq9_01\\":3' not in log
    assert '\\"phq9_01\\": 3' not in log
    assert "r0" not in log


def test_readers_see_whole_versions_while_a_writer_writes_and_cleans_up(warehouse: Warehouse) -> None:
    """Every version holds one answer in all its rows; a reader that saw half of two would see two."""
    seen: list[int] = []

    def write() -> None:
        for answer in range(4):
            warehouse.replace(ITEMS, _items(["a", "b"], [answer, answer]), programmes=["a", "b"], fingerprints={})
            warehouse.vacuum(ITEMS, retention_hours=0)

    warehouse.replace(ITEMS, _items(["a", "b"], [0, 0]), programmes=["a", "b"], fingerprints={})
    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive():
        answers = warehouse.read(ITEMS)["phq9_01"]
        assert len(answers) == 2
        seen.append(answers.nunique())
    writer.join()
    assert set(seen) == {1}
    assert warehouse.read(ITEMS)["phq9_01"].tolist() == [3, 3]


def test_cleaning_up_keeps_what_the_rows_were_computed_from(warehouse: Warehouse) -> None:
    """Cleaning up is a commit of its own, and the last commit tells the fingerprints."""
    for answer in (1, 2):
        warehouse.replace(ITEMS, _items(["a"], [answer]), programmes=["a"], fingerprints={"a": f"f{answer}"})
    assert warehouse.vacuum(ITEMS, retention_hours=0) == 1
    assert warehouse.fingerprints(ITEMS) == {"a": "f2"}
    assert warehouse.read(ITEMS)["phq9_01"].tolist() == [2]


def test_a_thorough_clean_up_leaves_the_current_rows_and_nothing_else(warehouse: Warehouse) -> None:
    for answer in (1, 2):
        warehouse.replace(ITEMS, _items(["a"], [answer]), programmes=["a"], fingerprints={"a": f"f{answer}"})
    parquet = sorted(warehouse.path(ITEMS).rglob("*.parquet"))
    assert len(parquet) == 2
    left_by_a_killed_writer = parquet[0].with_name("part-killed.parquet")
    left_by_a_killed_writer.write_bytes(parquet[0].read_bytes())
    assert warehouse.vacuum(ITEMS, retention_hours=0, is_thorough=True) == 2
    assert len(list(warehouse.path(ITEMS).rglob("*.parquet"))) == 1
    assert warehouse.read(ITEMS)["phq9_01"].tolist() == [2]
    n_commits = len(list((warehouse.path(ITEMS) / "_delta_log").glob("*.json")))
    assert warehouse.vacuum(ITEMS, retention_hours=0, is_thorough=True) == 0
    assert len(list((warehouse.path(ITEMS) / "_delta_log").glob("*.json"))) == n_commits


READ_AND_WRITE = """
import sys
from pathlib import Path
from assets.warehouse import Warehouse
from mbt_rom.tables import BENCHMARK, CONTENTS
warehouse = Warehouse(Path(sys.argv[1]))
warehouse.replace(CONTENTS, CONTENTS.empty(), programmes=["a"], fingerprints={"a": "1"})
warehouse.replace(CONTENTS, CONTENTS.conform(warehouse.read(CONTENTS)), programmes=["a"], fingerprints={"a": "2"})
warehouse.vacuum(CONTENTS, retention_hours=0)
sys.exit(3)
"""


@pytest.mark.parametrize("attempt", range(4))
def test_the_interpreter_leaves_with_its_own_exit_code(tmp_path: Path, attempt: int) -> None:
    """`DeltaTable.to_pyarrow_table` aborted two in three processes at exit (134); exit codes are an interface here."""
    done = subprocess.run(
        [sys.executable, "-c", READ_AND_WRITE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (3, "")


def test_missing_text_comes_back_missing_and_empty_text_empty(warehouse: Warehouse) -> None:
    assert isinstance(ITEMS, Table)
    frame = _items(["a", "a"], [1, 2]).assign(sheet=["", None])
    warehouse.replace(ITEMS, ITEMS.conform(frame), programmes=["a"], fingerprints={})
    sheet = warehouse.read(ITEMS)["sheet"]
    assert sheet.tolist()[0] == ""
    assert sheet[1] is np.nan
