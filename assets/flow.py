"""Where people stand and whether they come: flow, attendance and who answers, per programme and inside it."""

from collections.abc import Callable

import dagster as dg
import pandas as pd

from assets import stops
from assets.failures import value_free
from assets.keys import key
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from mbt_rom import attendance as presence
from mbt_rom import eligibility
from mbt_rom import flow as course
from mbt_rom import responders as answering
from mbt_rom.permissions import holds
from mbt_rom.tables import (
    ATTENDANCE,
    ATTENDANCE_BY_MONTH,
    BALANCE,
    FLOW,
    FLOW_CURVES,
    RESPONDERS,
    STATES,
    TRANSFERS,
    Table,
)

_EPISODES = dg.AssetIn(["reference", "episodes"])
_STATES = dg.AssetIn(["outcomes", "states"])
_CONTACTS = dg.AssetIn(["reference", "contacts"])
#: Those who answer are modelled on these.
_RESPONSE = {
    "expected": dg.AssetIn(["outcomes", "expected"]),
    "trajectories": dg.AssetIn(["outcomes", "trajectories"]),
    "episodes": _EPISODES,
    "patients": dg.AssetIn(["reference", "patients"]),
    "contacts": _CONTACTS,
    "permissions": dg.AssetIn(["reference", "permissions"]),
}


@dg.asset(
    key=["outcomes", "states"],
    group_name="outcomes",
    description=STATES.meaning,
    ins={
        "episodes": _EPISODES,
        "spells": dg.AssetIn(["reference", "spells"]),
        "referrals": dg.AssetIn(["reference", "referrals"]),
        "events": dg.AssetIn(["reference", "events"]),
    },
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def states(
    context: dg.AssetExecutionContext,
    rom: HomeResource,
    episodes: pd.DataFrame,
    spells: pd.DataFrame,
    referrals: pd.DataFrame,
    events: pd.DataFrame,
) -> pd.DataFrame:
    """Where every case stands; a death counts whoever tells it: an episode, an event or a stop."""
    state = rom.state
    deaths = eligibility.deaths(
        episodes,
        as_of=state.as_of,
        events=events,
        stops=stops.table(state, context.partition_keys),
        timezone=state.home.settings.timezone,
    )
    return course.states(episodes, spells, referrals, as_of=state.as_of, deaths=deaths)


@dg.asset(key=key(TRANSFERS.name), group_name="outcomes", description=TRANSFERS.meaning, ins={"episodes": _EPISODES})
@value_free
def transfers(rom: HomeResource, episodes: pd.DataFrame) -> pd.DataFrame:
    """Who came from another programme of the home, counted; without partitions, since it looks at all of them."""
    return course.transfers(episodes, as_of=rom.state.as_of)


@dg.asset(
    key=["outcomes", "flow"],
    group_name="outcomes",
    description=FLOW.meaning,
    ins={"cases": _STATES, "referrals": dg.AssetIn(["reference", "referrals"])},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def flow(rom: HomeResource, cases: pd.DataFrame, referrals: pd.DataFrame) -> pd.DataFrame:
    """The figures of every cohort."""
    return course.flow(cases, as_of=rom.state.as_of, with_referrals=set(referrals["programme_id"]))


@dg.asset(
    key=["outcomes", "flow_curves"],
    group_name="outcomes",
    description=FLOW_CURVES.meaning,
    ins={"cases": _STATES},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def flow_curves(cases: pd.DataFrame) -> pd.DataFrame:
    """Waiting, staying and ending month by month."""
    return course.curves(cases)


@dg.asset(
    key=["outcomes", "attendance"],
    group_name="outcomes",
    description=ATTENDANCE.meaning,
    ins={"contacts": _CONTACTS},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def attendance(rom: HomeResource, contacts: pd.DataFrame) -> pd.DataFrame:
    """Offered and kept contacts per patient and month."""
    return presence.per_patient(contacts, as_of=rom.state.as_of, closures=rom.state.home.settings.closures)


@dg.asset(
    key=["outcomes", "attendance_by_month"],
    group_name="outcomes",
    description=ATTENDANCE_BY_MONTH.meaning,
    ins={"attendance": dg.AssetIn(["outcomes", "attendance"])},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def attendance_by_month(attendance: pd.DataFrame) -> pd.DataFrame:
    """Offered and kept contacts per month."""
    return presence.per_programme(attendance)


def _of_responders(table: Table, computed: Callable[[pd.DataFrame], pd.DataFrame]) -> dg.AssetsDefinition:
    @dg.asset(
        key=key(table.name),
        group_name="outcomes",
        description=table.meaning,
        ins=_RESPONSE,
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def responding(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        expected: pd.DataFrame,
        trajectories: pd.DataFrame,
        episodes: pd.DataFrame,
        patients: pd.DataFrame,
        contacts: pd.DataFrame,
        permissions: pd.DataFrame,
    ) -> pd.DataFrame:
        state = rom.state
        withdrew = stops.withdrew(state, context.partition_keys)
        rows = answering.response_rows(
            expected,
            trajectories,
            episodes,
            patients,
            contacts,
            permitted=holds(permissions, patients, purpose="model_fitting", on=state.as_of, withdrew=withdrew),
            definitions=state.instruments,
            closures=state.home.settings.closures,
        )
        return computed(rows)

    return responding


responders = _of_responders(RESPONDERS, answering.responders)
balance = _of_responders(BALANCE, answering.balance)
#: All of them, in the order in which they are computed.
TABLES = (states, flow, flow_curves, transfers, attendance, attendance_by_month, responders, balance)
