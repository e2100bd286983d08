"""Dagster's instance of a home, and what a killed run left in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import QueuePool

from assets.home import Home
from assets.resources import PROCESS_TAG, is_alive

_BUSY_SECONDS = 60
_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def open_instance(home: Home) -> dg.DagsterInstance:
    """The instance in `ROM_HOME/dagster`, with the settings that lie there (telemetry off)."""
    return dg.DagsterInstance.from_config(str(home.dagster_folder))


def reconcile(instance: dg.DagsterInstance) -> int:
    """Marks as failed the runs whose process is no more, so that none holds the queue for ever; their number."""
    dead = left_behind(instance)
    for run in dead:
        instance.report_run_failed(run, message="The process of this run was killed; the next run does what it left.")
    return len(dead)


def left_behind(instance: dg.DagsterInstance) -> list[dg.DagsterRun]:
    """Runs that are said to go on but whose process is no more."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED))
    return [run for run in runs if PROCESS_TAG in run.tags and not is_alive(run.tags[PROCESS_TAG])]


@contextmanager
def kept_connections(instance: dg.DagsterInstance) -> Iterator[None]:
    """Within the block, Dagster's SQLite event log keeps its connections open instead of opening one for every event.

    That is what an event mostly costs: 10 ms without, 4 ms with it (Dagster 1.13, measured), and more on a slow disk, for
    which commits then wait at checkpoints only. After a power cut the last events may be missing, never a table; the files
    stay whole (SQLite, "Write-Ahead Logging"). Any other storage is left as it is. What is stored does not change.
    """
    from dagster._core.storage.event_log import SqliteEventLogStorage

    storage: Any = instance.event_log_storage
    if type(storage) is not SqliteEventLogStorage:
        yield
        return
    engines: dict[str, Engine] = {}
    setattr(storage, "_connect", partial(_connected, storage, engines=engines))  # noqa: B010  (for mypy, it is a method)
    try:
        yield
    finally:
        del storage._connect
        for engine in engines.values():
            engine.dispose()


def _wait_less(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def _connected(storage: Any, shard: str, *, engines: dict[str, Engine]) -> Iterator[Connection]:
    with storage._db_lock:
        if shard not in engines:
            arguments = {"timeout": _BUSY_SECONDS, "check_same_thread": False}
            address = storage.conn_string_for_shard(shard)
            engines[shard] = create_engine(address, poolclass=QueuePool, connect_args=arguments)
            event.listen(engines[shard], "connect", _wait_less)
        if shard not in storage._initialized_dbs:
            storage._initdb(engines[shard])
            storage._initialized_dbs.add(shard)
        with engines[shard].connect() as connection, connection.begin():
            yield connection
