"""The partition of everything before the boundary: the programme. `consortium.yaml` is the truth for which there are."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import dagster as dg

from assets.state import State

# Dagster calls ranged runs and sensors "beta", once per definition; what we rely on is held by our own tests.
warnings.filterwarnings("ignore", category=dg.BetaWarning)

PROGRAMME = dg.DynamicPartitionsDefinition(name="programme")
#: One run may compute a range of programmes at once.
RANGE = dg.BackfillPolicy.single_run()
_ONE = "dagster/partition"
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


def sync(instance: dg.DagsterInstance, state: State) -> tuple[list[str], list[str]]:
    """Makes Dagster's partitions those of `consortium.yaml` (and `_shared`); names those added and those removed.

    Rows of programmes that left are removed from every table but the ledger; their deliveries stay in the archive, so that
    naming the programme again brings everything back.
    """
    present = instance.get_dynamic_partitions("programme")
    wanted = state.home.partitions
    added = [p for p in wanted if p not in present]
    removed = [p for p in present if p not in wanted]
    if added:
        instance.add_dynamic_partitions("programme", added)
    for partition in removed:
        instance.delete_dynamic_partition("programme", partition)
    _forget(state)
    return added, removed


def of_run(run: dg.DagsterRun, instance: dg.DagsterInstance) -> list[str] | None:
    """The partitions that a run computes; None when it has none (asset checks are not told by Dagster itself)."""
    if _ONE in run.tags:
        return [run.tags[_ONE]]
    if _FIRST not in run.tags:
        return None
    order = list(instance.get_dynamic_partitions("programme"))
    return order[order.index(run.tags[_FIRST]) : order.index(run.tags[_LAST]) + 1]


def range_tags(span: Sequence[str]) -> dict[str, str]:
    """The tags of a run over a range of partitions."""
    return {_FIRST: span[0], _LAST: span[-1]}


def _forget(state: State) -> None:
    wanted = set(state.home.partitions)
    for name, table in state.catalogue.tables.items():
        if table.is_partitioned and name != "deliveries/ledger":
            gone = set(state.warehouse.fingerprints(table)) - wanted
            if gone:
                state.warehouse.forget(table, gone)
