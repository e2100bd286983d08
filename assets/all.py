"""Every asset and check, assembled from the registry: the list that the code location loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import dagster as dg

from assets import (
    benchmarks,
    checks,
    closed,
    contributions,
    deliveries,
    flow,
    instruments,
    outcomes,
    publication,
    reference,
)
from mbt_rom import registry
from mbt_rom.model import Instrument
from mbt_rom.tables import SOURCES


def definitions(
    known: Mapping[str, Instrument] | None = None, used_registers: Collection[str] | None = None
) -> dg.Definitions:
    """Assets and checks for those instruments and registers; when none are given, for all (instruments: that monitor outcome)."""
    given = registry.outcome_instruments() if known is None else known
    names = sorted(given)
    per_instrument = [asset for i in names for asset in instruments.tables_of(given[i])]
    single: list[dg.AssetsDefinition | dg.AssetSpec] = [
        deliveries.ledger,
        deliveries.contents,
        deliveries.delivery_findings,
        deliveries.conservation_of(names),
        deliveries.revisions_of(names),
        closed.closed_of(names),
        deliveries.summary_of([*names, *SOURCES]),
        *reference.registers(used_registers),
        reference.programmes,
        outcomes.expected_of(names),
        outcomes.response,
        outcomes.response_by_period,
        outcomes.weekly,
        outcomes.trajectories_of(names),
        *outcomes.psychometrics_of(names),
        outcomes.plausibility_of(names),
        outcomes.change,
        *flow.TABLES,
        outcomes.alerts_of(given),
        contributions.outcomes,
        contributions.inclusion,
        benchmarks.programmes,
        benchmarks.inclusion,
        publication.site,
    ]
    return dg.Definitions(
        assets=[*per_instrument, *single],
        asset_checks=[
            *(check for i in names for check in checks.checks_of(given[i])),
            checks.every_file_is_in_order,
            checks.every_row_is_accounted_for,
        ],
    )
