"""Programmes beside each other, from what they contributed. Nothing here has partitions."""

import dagster as dg
import pandas as pd

from assets.failures import value_free
from assets.resources import HomeResource
from mbt_rom import benchmarks


@dg.asset(
    key=["benchmarks", "programmes"],
    group_name="benchmarks",
    ins={"contributions": dg.AssetIn(["contributions", "outcomes"])},
)
@value_free
def programmes(rom: HomeResource, contributions: pd.DataFrame) -> pd.DataFrame:
    """Response, change and shares per programme, after disclosure control."""
    state = rom.state
    return benchmarks.benchmark(
        contributions, settings=state.home.settings, definitions=state.instruments, norms=state.norms
    )


@dg.asset(
    key=["benchmarks", "inclusion"],
    group_name="benchmarks",
    ins={"contributed": dg.AssetIn(["contributions", "inclusion"])},
)
@value_free
def inclusion(rom: HomeResource, contributed: pd.DataFrame) -> pd.DataFrame:
    """Who is in the comparison of each programme and how many are not, after disclosure control."""
    return benchmarks.inclusion(contributed, settings=rom.state.home.settings)
