"""Dagster's SQLite files: no wait for the disk at every event, and the files stay whole."""

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from pipelines import sqlite


def _store(path: Path, value: int) -> int:
    """Opens the file, stores a value and closes it again, as Dagster does per event; the synchronous setting it had."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS events (value INTEGER)"))
        connection.execute(text("INSERT INTO events VALUES (:value)"), {"value": value})
        setting = connection.execute(text("PRAGMA synchronous")).scalar_one()
    engine.dispose()
    return int(setting)


def test_commits_wait_for_the_disk_at_checkpoints_only(tmp_path: Path) -> None:
    sqlite.wait_less()
    settings = [_store(tmp_path / "a.db", value) for value in range(3)]
    assert settings == [1, 1, 1]  # 1 is NORMAL, 2 is FULL
    assert (tmp_path / "a.db-wal").exists(), "the last to close the file would have written it back and waited"


def test_whoever_opens_the_file_meanwhile_reads_everything(tmp_path: Path) -> None:
    sqlite.wait_less()
    for number in range(40):  # more files than are kept open
        _store(tmp_path / f"{number}.db", number)
    assert len(list(tmp_path.glob("*-wal"))) <= 16
    found = [sqlite3.connect(tmp_path / f"{n}.db").execute("SELECT value FROM events").fetchall() for n in range(40)]
    assert found == [[(n,)] for n in range(40)]
