"""What arrived: the ledger (written when files are taken in), contents, findings about files, and the conservation law."""

import json
from collections.abc import Sequence

import dagster as dg
import pandas as pd

from assets.failures import refuse, value_free
from assets.keys import DELIVERY_FINDINGS, LEDGER, each, of_stage
from assets.partitions import PROGRAMME, RANGE
from assets.reference import received
from assets.resources import HomeResource
from assets.state import EXPORT, REFUSED, below_each_other
from mbt_rom import acceptance, withdrawn
from mbt_rom.exports import wording
from mbt_rom.findings import as_findings
from mbt_rom.revisions import revisions
from mbt_rom.tables import REVISIONS, findings_table

ledger = dg.AssetSpec(
    LEDGER,
    group_name="deliveries",
    description="One row per delivered file; the row is written when the file is safe in the archive.",
)


@dg.asset(
    key=["deliveries", "contents"],
    group_name="deliveries",
    deps=[LEDGER],
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def contents(context: dg.AssetExecutionContext, rom: HomeResource) -> pd.DataFrame:
    """What each delivery offered to each instrument, counted by the reader."""
    return rom.state.deliveries(context.partition_keys).contents()


@dg.asset(key=DELIVERY_FINDINGS, group_name="findings", deps=[LEDGER], partitions_def=PROGRAMME, backfill_policy=RANGE)
@value_free
def delivery_findings(context: dg.AssetExecutionContext, rom: HomeResource) -> pd.DataFrame:
    """What is wrong with files and their columns, those that were refused included."""
    found = rom.state.deliveries(context.partition_keys).findings()
    found = below_each_other([found, changed_surveys(rom.state.ledger, context.partition_keys)])
    found = found[~is_mended(found, rom.state.files(context.partition_keys))]
    refused = refusals(rom.state.ledger, context.partition_keys)
    return below_each_other([found, refused])


def changed_surveys(ledger: pd.DataFrame, partitions: Sequence[str]) -> pd.DataFrame:
    """Findings about deliveries whose question texts or answer lists differ from those of others of the same folder."""
    mine = ledger[ledger["programme_id"].isin(partitions) & ledger["kind"].eq(EXPORT) & ledger["understood"].notna()]
    rows = mine[["programme_id", "delivery_id", "understood"]].itertuples(index=False)
    told = [(str(folder), str(delivery), json.loads(str(understood))) for folder, delivery, understood in rows]
    return as_findings(wording.changes(told), source="deliveries")


def is_mended(found: pd.DataFrame, files: pd.DataFrame) -> pd.Series:
    """Whether a finding is about a file that could not be used, and that a later delivery of the same export replaces."""
    fatal = found.loc[found["severity"] == "fatal", ["programme_id", "delivery_id"]]
    unusable = pd.MultiIndex.from_frame(files[["folder", "delivery_id"]]).isin(pd.MultiIndex.from_frame(fatal))
    replaced = files.loc[withdrawn.replaced_files(files, pd.Series(unusable, index=files.index)).index]
    named = pd.MultiIndex.from_frame(replaced[["folder", "delivery_id"]])
    is_named = pd.MultiIndex.from_frame(found[["programme_id", "delivery_id"]]).isin(named)
    return pd.Series(is_named, index=found.index)


def refusals(ledger: pd.DataFrame, partitions: list[str]) -> pd.DataFrame:
    """One fatal finding per refused file of these partitions, until a file of the same name was taken in there."""
    mine = ledger[ledger["programme_id"].isin(partitions)]
    taken = mine[mine["status"] != REFUSED].groupby(["programme_id", "file_name"])["received_at"].max()
    refused = mine[mine["status"] == REFUSED]
    mended = taken.reindex(pd.MultiIndex.from_frame(refused[["programme_id", "file_name"]])).array
    open_ones = refused[~(pd.Series(mended, index=refused.index) > refused["received_at"])]
    rows = open_ones[["programme_id", "delivery_id"]].assign(rule=open_ones["reason"], severity="fatal")
    return findings_table("deliveries").conform(rows)


def conservation_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `deliveries/conservation` over these instruments."""

    @dg.asset(
        key=["deliveries", "conservation"],
        group_name="deliveries",
        ins={
            "contents": dg.AssetIn(["deliveries", "contents"]),
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
            **each("items", instruments),
            **each("findings", instruments),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def conservation(contents: pd.DataFrame, delivery_findings: pd.DataFrame, **tables: pd.DataFrame) -> pd.DataFrame:
        """Offered = blank + left out + accepted + set aside + exact duplicates + superseded, per instrument."""
        law = acceptance.conservation(
            contents, of_stage("items", tables), of_stage("findings", tables), delivery_findings
        )
        refuse(~law["is_conserved"], "rows of the conservation law do not add up")
        return law

    return conservation


def revisions_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `deliveries/revisions` over these instruments."""

    @dg.asset(
        key=["deliveries", "revisions"],
        group_name="deliveries",
        ins={"delivery_findings": dg.AssetIn(DELIVERY_FINDINGS), **each("items", instruments)},
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def revised(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        delivery_findings: pd.DataFrame,
        **tables: pd.DataFrame,
    ) -> pd.DataFrame:
        """States of forms that stood before, and what changed them."""
        deliveries, definitions = rom.state.deliveries(context.partition_keys), rom.state.instruments
        found = [
            revisions(name, items, delivery_findings, linked=deliveries.linked(definitions[name]))
            for name, items in of_stage("items", tables).items()
        ]
        return below_each_other([*found, REVISIONS.empty()])

    return revised


def summary_of(sources: list[str]) -> dg.AssetsDefinition:
    """The asset `findings/summary` over these sources."""

    @dg.asset(
        key=["findings", "summary"],
        group_name="findings",
        ins=each("findings", sources),
        deps=[LEDGER],
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def summary(rom: HomeResource, **tables: pd.DataFrame) -> pd.DataFrame:
        """Findings counted per programme, source and rule."""
        return acceptance.summarise_findings(of_stage("findings", tables), received=received(rom.state))

    return summary
