"""Dagster's instance of a home: fewer connections, the same contents."""

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from assets.home import DAGSTER_YAML
from pipelines.instance import kept_connections

PROGRAMMES = [f"p{number}" for number in range(20)]


@pytest.fixture
def instance(tmp_path: Path):
    (tmp_path / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as opened:
        opened.get_dynamic_partitions("programme")  # makes the files
        yield opened


def _connections(instance: dg.DagsterInstance) -> int:
    """Connections that are opened to store twenty things one by one."""
    opened: list[object] = []

    def count(connection: object, _record: object) -> None:
        opened.append(connection)

    event.listen(Engine, "connect", count)
    try:
        for name in PROGRAMMES:
            instance.add_dynamic_partitions("programme", [name])
    finally:
        event.remove(Engine, "connect", count)
    return len(opened)


def test_a_night_opens_a_connection_once_and_not_for_every_event(instance: dg.DagsterInstance) -> None:
    with kept_connections(instance):
        kept = _connections(instance)
    n = len(PROGRAMMES)  # Dagster also asks every time, on a connection of its own, whether the table is there
    assert kept <= n + 1
    assert _connections(instance) >= 2 * n, "afterwards Dagster does as it always does"


def test_what_is_stored_is_there_for_everybody_else(instance: dg.DagsterInstance) -> None:
    with kept_connections(instance):
        _connections(instance)
        with dg.DagsterInstance.from_config(instance.root_directory) as other:
            assert sorted(other.get_dynamic_partitions("programme")) == sorted(PROGRAMMES)
    assert sorted(instance.get_dynamic_partitions("programme")) == sorted(PROGRAMMES)
