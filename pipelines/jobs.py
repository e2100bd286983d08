"""Jobs: the whole night, one programme, and what lies across programmes."""

import os
from datetime import date
from pathlib import Path

import dagster as dg

from assets.home import Home
from assets.keys import key
from assets.partitions import PROGRAMME
from assets.resources import PROCESS_TAG, WAIT_SECONDS, process
from assets.state import ACROSS
from pipelines import clock

_across = dg.AssetSelection.assets(*(key(name) for name in ACROSS))
_ledger = dg.AssetSelection.assets(["deliveries", "ledger"])

programme = dg.define_asset_job(
    "programme",
    selection=dg.AssetSelection.all() - _across - _ledger,
    partitions_def=PROGRAMME,
    executor_def=dg.in_process_executor,
    description="Everything of one programme, or of a range of them.",
)
across = dg.define_asset_job(
    "across",
    selection=_across,
    executor_def=dg.in_process_executor,
    description="What is compared and published, from what programmes contributed.",
)


class NightlyConfig(dg.Config):
    """`as_of`: the date for which is computed, YYYY-MM-DD; today's where the home is when it is empty."""

    as_of: str = ""


@dg.op(name="night")
def nightly_op(context: dg.OpExecutionContext, config: NightlyConfig) -> None:
    """Takes in what lies in the inbox and computes what changed: what `rom nightly` does."""
    from pipelines.nightly import run

    root = Path(os.environ.get("ROM_HOME", "rom-home"))
    context.instance.add_run_tags(context.run_id, {PROCESS_TAG: process()})
    today = clock.today(Home.open(root).settings.timezone)
    as_of = date.fromisoformat(config.as_of) if config.as_of else today
    summary = run(root, as_of=as_of, now=clock.now(), instance=context.instance, wait_seconds=WAIT_SECONDS)
    context.add_output_metadata(summary.counts())
    if summary.failures:
        raise dg.Failure(description="; ".join(summary.failures))


@dg.job(name="nightly", executor_def=dg.in_process_executor, description="The scheduled run, end to end.")
def nightly() -> None:
    """The scheduled run, end to end."""
    nightly_op()
