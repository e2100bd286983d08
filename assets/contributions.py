"""THE BOUNDARY: what leaves a programme. After it comparison begins, and it reads nothing but this."""

from collections.abc import Iterable

import dagster as dg
import pandas as pd

from assets import stops
from assets.failures import value_free
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from assets.state import State
from mbt_rom import contributions as boundary
from mbt_rom.permissions import Permitted, holds

_REFERENCE = {
    "episodes": dg.AssetIn(["reference", "episodes"]),
    "patients": dg.AssetIn(["reference", "patients"]),
    "permissions": dg.AssetIn(["reference", "permissions"]),
}


@dg.asset(
    key=["contributions", "outcomes"],
    group_name="contributions",
    ins={
        "trajectories": dg.AssetIn(["outcomes", "trajectories"]),
        "expected": dg.AssetIn(["outcomes", "expected"]),
        **_REFERENCE,
    },
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def outcomes(
    context: dg.AssetExecutionContext,
    rom: HomeResource,
    trajectories: pd.DataFrame,
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    patients: pd.DataFrame,
    permissions: pd.DataFrame,
) -> pd.DataFrame:
    """Scores, moments and banded background of those who permit it, under a second pseudonym; no date, number, answer or first pseudonym."""
    state = rom.state
    return boundary.contributions(
        trajectories,
        expected,
        episodes,
        patients,
        settings=state.home.settings,
        definitions=state.instruments,
        pseudonyms=state.pseudonyms,
        permitted=_permitted(state, permissions, patients, programmes=context.partition_keys),
    )


@dg.asset(
    key=["contributions", "inclusion"],
    group_name="contributions",
    ins={"expected": dg.AssetIn(["outcomes", "expected"]), **_REFERENCE},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def inclusion(
    context: dg.AssetExecutionContext,
    rom: HomeResource,
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    patients: pd.DataFrame,
    permissions: pd.DataFrame,
) -> pd.DataFrame:
    """How many may be compared, how many may not, and why."""
    return boundary.inclusion(
        expected,
        episodes,
        settings=rom.state.home.settings,
        permitted=_permitted(rom.state, permissions, patients, programmes=context.partition_keys),
    )


def _permitted(
    state: State, permissions: pd.DataFrame, patients: pd.DataFrame, *, programmes: Iterable[str]
) -> Permitted:
    withdrew = stops.withdrew(state, programmes)
    return holds(permissions, patients, purpose=boundary.PURPOSE, on=state.as_of, withdrew=withdrew)
