"""THE BOUNDARY: what leaves a programme. After it comparison begins, and it reads nothing but this."""

import dagster as dg
import pandas as pd

from assets.failures import value_free
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from mbt_rom import contributions as boundary


@dg.asset(
    key=["contributions", "outcomes"],
    group_name="contributions",
    ins={
        "trajectories": dg.AssetIn(["outcomes", "trajectories"]),
        "expected": dg.AssetIn(["outcomes", "expected"]),
        "episodes": dg.AssetIn(["reference", "episodes"]),
        "patients": dg.AssetIn(["reference", "patients"]),
    },
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def outcomes(
    rom: HomeResource,
    trajectories: pd.DataFrame,
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    patients: pd.DataFrame,
) -> pd.DataFrame:
    """Scores, moments and banded background under a second pseudonym; no date, number, answer or first pseudonym."""
    state = rom.state
    return boundary.contributions(
        trajectories,
        expected,
        episodes,
        patients,
        settings=state.home.settings,
        definitions=state.instruments,
        pseudonyms=state.pseudonyms,
    )
