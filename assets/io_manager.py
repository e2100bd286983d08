"""Frames between assets: read from and written to the warehouse, exactly the partitions of the run, with fingerprints.

Belongs here: what Dagster asks of an IO manager. Does not belong here: Delta (`warehouse`), fingerprints (`state`).
"""

from collections import defaultdict
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import PrivateAttr

from assets.failures import value_free
from assets.resources import HomeResource
from assets.warehouse import WHOLE
from mbt_rom.tables import Table

#: Stands in place of a fingerprint where an input was not current: the nightly run computes such a table again.
NOT_CURRENT = "from inputs that were not current"


def _no_partitions() -> defaultdict[str, set[str]]:
    return defaultdict(set)


class TableStore(dg.ConfigurableIOManager):  # type: ignore[misc]
    """Asset `stage/table` is table `stage/table` of the warehouse."""

    rom: dg.ResourceDependency[HomeResource]
    _outdated: defaultdict[str, set[str]] = PrivateAttr(default_factory=_no_partitions)

    @value_free
    def load_input(self, context: dg.InputContext) -> pd.DataFrame:
        """The rows of the partitions of this run; of all of them where the reader has no partitions."""
        state = self.rom.state
        table = state.catalogue[_name(context.asset_key)]
        if not context.has_asset_partitions:
            return state.warehouse.read(table)
        partitions = list(context.asset_partition_keys)
        self._outdated[context.step_context.step.key] |= state.outdated(table, partitions)
        return state.warehouse.read(table, programmes=partitions)

    @value_free
    def handle_output(self, context: dg.OutputContext, obj: pd.DataFrame) -> None:
        """Puts the frame in place of the partitions of this run, in one commit."""
        state = self.rom.state
        table = state.catalogue[_name(context.asset_key)]
        partitions = list(context.asset_partition_keys) if context.has_asset_partitions else None
        outdated = self._outdated.pop(context.step_context.step.key, set())
        state.warehouse.replace(
            table, obj, programmes=partitions, fingerprints=self._fingerprints(table, partitions, outdated)
        )
        if table.tells_its_size:
            context.add_output_metadata({"n_rows": len(obj)})

    def _fingerprints(self, table: Table, partitions: list[str] | None, outdated: set[str]) -> dict[str, str]:
        state = self.rom.state
        if partitions is None:
            return {WHOLE: state.fingerprint_across(table.name)}
        return {p: NOT_CURRENT if p in outdated else state.fingerprint(table, p) for p in partitions}


def _name(key: Any) -> str:
    return "/".join(key.path)
