"""What was mended: every finding that was open once and is no longer, with who closed it, when and how.

Belongs here: `findings/closed`. It is a function of the deliveries, like every table; nothing is marked by hand.
"""

import dagster as dg
import pandas as pd

from assets.failures import value_free
from assets.keys import DELIVERY_FINDINGS, LEDGER, each, of_stage
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from assets.state import below_each_other
from mbt_rom import acceptance, withdrawn
from mbt_rom.tables import CLOSED


def closed_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `findings/closed` over these instruments."""

    @dg.asset(
        key=["findings", "closed"],
        group_name="findings",
        deps=[LEDGER],
        ins={
            "patients": dg.AssetIn(["reference", "patients"]),
            "episodes": dg.AssetIn(["reference", "episodes"]),
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
            **each("items", instruments),
            **each("findings", instruments),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def closed(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        patients: pd.DataFrame,
        episodes: pd.DataFrame,
        delivery_findings: pd.DataFrame,
        **tables: pd.DataFrame,
    ) -> pd.DataFrame:
        """Findings that were open once: when each was opened and closed, by whom and how."""
        from expectations.closed import closed_findings

        state, partitions = rom.state, context.partition_keys
        files = state.files(partitions)
        items, findings = of_stage("items", tables), of_stage("findings", tables)
        found = [replaced_files(state.deliveries(partitions).findings(), files)]
        for day, programmes in state.by_day(partitions).items():
            for name, rows in items.items():
                mine = rows[rows["programme_id"].isin(programmes)].reset_index(drop=True)
                if len(mine):
                    found.append(
                        closed_findings(
                            state.instruments[name],
                            mine,
                            findings[name],
                            patients=patients,
                            episodes=episodes,
                            as_of=day,
                            delivery_findings=delivery_findings,
                            files=files,
                        ).assign(source=name)
                    )
        return told(below_each_other(found), state.ledger)

    return closed


def replaced_files(found: pd.DataFrame, files: pd.DataFrame) -> pd.DataFrame:
    """The fatal findings among `found` of files that a later delivery replaced."""
    fatal = found[found["severity"] == "fatal"]
    unusable = files["delivery_id"].isin(acceptance.fatal_deliveries(found))
    closed = withdrawn.replaced_files(files, unusable)
    of_files = files.loc[closed.index, ["folder", "delivery_id", "received_at"]].join(closed)
    of_files = of_files.rename(columns={"folder": "programme_id", "received_at": "opened_at"})
    return fatal.merge(of_files, on=["programme_id", "delivery_id"]).assign(
        closed_how="file_replaced", source="deliveries"
    )


def told(found: pd.DataFrame, ledger: pd.DataFrame) -> pd.DataFrame:
    """Rows of `findings/closed`: with the person who delivered what closed a finding in the place of the delivery."""
    people = ledger.drop_duplicates("delivery_id").set_index("delivery_id")["received_by"]
    return CLOSED.conform(found.assign(closed_by=found["closed_by"].map(people).astype("str")))
