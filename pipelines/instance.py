"""Dagster's instance of a home, and what a killed run left in it."""

from __future__ import annotations

import dagster as dg

from assets.home import Home
from assets.resources import PROCESS_TAG, is_alive

_UNFINISHED = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def open_instance(home: Home) -> dg.DagsterInstance:
    """The instance in `ROM_HOME/dagster`, with the settings that lie there (telemetry off)."""
    return dg.DagsterInstance.from_config(str(home.dagster_folder))


def reconcile(instance: dg.DagsterInstance) -> int:
    """Marks as failed the runs whose process is no more, so that none holds the queue for ever; their number."""
    runs = instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED))
    dead = [run for run in runs if PROCESS_TAG in run.tags and not is_alive(run.tags[PROCESS_TAG])]
    for run in dead:
        instance.report_run_failed(run, message="The process of this run was killed; the next run does what it left.")
    return len(dead)
