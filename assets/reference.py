"""Registers: programmes (from consortium.yaml), and what deliveries hold of people, staff and events: `mbt_rom.registers`."""

from collections.abc import Collection

import dagster as dg
import pandas as pd

from assets.failures import value_free
from assets.keys import DELIVERY_FINDINGS, LEDGER
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from assets.state import CORRECTION, TAKEN_IN, State, below_each_other
from mbt_rom import acceptance, permissions
from mbt_rom.registers import CORE, REGISTERS
from mbt_rom.tables import PROGRAMMES


@dg.asset(
    key=["findings", "registers"], group_name="findings", deps=[LEDGER], partitions_def=PROGRAMME, backfill_policy=RANGE
)
@value_free
def register_findings(context: dg.AssetExecutionContext, rom: HomeResource) -> pd.DataFrame:
    """What is wrong in registers, one row per thing."""
    from expectations.registers import validate_registers

    state = rom.state
    deliveries = state.deliveries(context.partition_keys)
    delivered = {name: deliveries.register(name) for name in REGISTERS}
    found = []
    for day, programmes in state.by_day(context.partition_keys).items():
        mine = {name: rows[rows["programme_id"].isin(programmes)] for name, rows in delivered.items()}
        found.append(validate_registers(mine, received=received(state), as_of=day))
    return below_each_other(found)


def registers(used: Collection[str] | None = None) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """An asset `reference/<register>` for each register that is used (all, when that is not given), and the findings about them.

    The others are there by name only, so that tables may be computed from them: a table that nobody fills is empty, and costs a run
    nothing but that.
    """
    made = set(REGISTERS) if used is None else set(used) | CORE
    return [register_findings, *(_register(name) if name in made else _unused(name) for name in REGISTERS)]


def _unused(name: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        ["reference", name],
        group_name="reference",
        description=f"{REGISTERS[name].meaning} Nobody delivered this register yet.",
        partitions_def=PROGRAMME,
    )


def _register(name: str) -> dg.AssetsDefinition:
    declared = REGISTERS[name]

    @dg.asset(
        key=["reference", name],
        group_name="reference",
        description=f"{declared.meaning} Of rows with one key the one that was delivered last.",
        deps=[LEDGER],
        ins={"findings": dg.AssetIn(["findings", "registers"]), "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS)},
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def register(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        findings: pd.DataFrame,
        delivery_findings: pd.DataFrame,
    ) -> pd.DataFrame:
        rows = rom.state.deliveries(context.partition_keys).register(name)
        came = received(rom.state)
        accepted = acceptance.accept_register(
            rows, findings, delivery_findings, key=declared.key, needed=declared.required, received=came
        )
        if name != "permissions":
            return accepted
        is_bad = acceptance.has_error(rows, findings, delivery_findings)
        return permissions.undoubted(accepted, rows, is_bad=is_bad, received=came)

    return register


def received(state: State) -> pd.Series:
    """When each delivery came, by its id."""
    return state.ledger.groupby("delivery_id")["received_at"].max()


@dg.asset(key=["reference", "programmes"], group_name="reference", deps=[LEDGER])
@value_free
def programmes(rom: HomeResource) -> pd.DataFrame:
    """The programmes of the consortium and when each last sent something."""
    return programmes_table(rom.state)


def programmes_table(state: State) -> pd.DataFrame:
    """Rows of `reference/programmes`; a shared file counts for every programme that it holds forms of."""
    came = state.read("deliveries/contents")[["programme_id", "delivery_id"]].drop_duplicates()
    own = state.ledger.loc[state.ledger["status"] == TAKEN_IN, ["programme_id", "delivery_id"]]
    decisions = state.ledger.loc[state.ledger["kind"] == CORRECTION, "delivery_id"]
    received = state.ledger.drop_duplicates("delivery_id").set_index("delivery_id")["received_at"]
    rows = pd.concat([came, own]).drop_duplicates().loc[lambda each: ~each["delivery_id"].isin(decisions)]
    days = (
        received.reindex(rows["delivery_id"])
        .set_axis(rows.index)
        .dt.tz_convert(state.home.settings.timezone)
        .dt.tz_localize(None)
    )
    by = rows.assign(day=days.dt.normalize()).groupby("programme_id")["day"]
    newest = state.read("deliveries/conservation").groupby("programme_id")["newest_form_on"].max()
    names = list(state.home.settings.programmes)
    declared = [
        p.model_dump(include={"name", "format", "issuer", "anchor"}) for p in state.home.settings.programmes.values()
    ]
    return PROGRAMMES.conform(
        pd.DataFrame(declared, columns=["name", "format", "issuer", "anchor"]).assign(
            programme_id=names,
            last_delivery_on=by.max().reindex(names).astype("datetime64[s]").array,
            n_deliveries=by.size().reindex(names, fill_value=0).array,
            newest_form_on=newest.reindex(names).astype("datetime64[s]").array,
        )
    )
