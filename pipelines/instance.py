"""Dagster's instance of a home, and what a killed run left in it."""

from __future__ import annotations

import dagster as dg

from assets.home import Home
from assets.resources import PROCESS_TAG, is_alive
from pipelines import sqlite

_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def open_instance(home: Home) -> dg.DagsterInstance:
    """The instance in `ROM_HOME/dagster`, with the settings that lie there (telemetry off)."""
    sqlite.wait_less()
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
