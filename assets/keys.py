"""Keys of assets that more than one module names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import dagster as dg

Value = TypeVar("Value")

LEDGER = dg.AssetKey(["deliveries", "ledger"])
DELIVERY_FINDINGS = dg.AssetKey(["findings", "deliveries"])


def key(table: str) -> dg.AssetKey:
    """Asset key of the table of that name: `items/bsi` has two levels."""
    return dg.AssetKey(table.split("/"))


def each(stage: str, names: list[str]) -> dict[str, dg.AssetIn]:
    """Inputs `<stage>_<name>` for the tables `stage/name`."""
    return {f"{stage}_{name}": dg.AssetIn([stage, name]) for name in names}


def of_stage(stage: str, inputs: Mapping[str, Value]) -> dict[str, Value]:
    """Those inputs of `each(stage, ...)`, by the names of the tables."""
    return {name.removeprefix(f"{stage}_"): frame for name, frame in inputs.items() if name.startswith(f"{stage}_")}
