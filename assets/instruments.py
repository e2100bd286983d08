"""Items, findings and scores of every instrument. This module names none: they come from `instruments/*.yaml`.

Belongs here: the three tables that each definition gives rise to, and the checks that report on them.
"""

import dagster as dg
import pandas as pd

from assets import software
from assets.failures import refuse, value_free
from assets.keys import DELIVERY_FINDINGS, LEDGER
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from assets.state import State, below_each_other
from mbt_rom import acceptance, common_metric, people, scoring
from mbt_rom.model import Instrument


def tables_of(definition: Instrument) -> list[dg.AssetsDefinition]:
    """The assets `items/<id>`, `findings/<id>` and `scores/<id>` of one definition."""
    return [_items(definition), _findings(definition), _scores(definition)]


def _items(definition: Instrument) -> dg.AssetsDefinition:
    @dg.asset(
        key=["items", definition.id],
        group_name="items",
        description=f"Every {definition.name} as it was delivered; drops nothing.",
        deps=[LEDGER],
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
        code_version=definition.reading_hash,
    )
    @value_free
    def items(context: dg.AssetExecutionContext, rom: HomeResource) -> pd.DataFrame:
        return rom.state.deliveries(context.partition_keys).items(definition)

    return items


def _findings(definition: Instrument) -> dg.AssetsDefinition:
    @dg.asset(
        key=["findings", definition.id],
        group_name="findings",
        description=f"What is wrong in every {definition.name}, one row per thing, without answers.",
        ins={
            "items": dg.AssetIn(["items", definition.id]),
            "patients": dg.AssetIn(["reference", "patients"]),
            "episodes": dg.AssetIn(["reference", "episodes"]),
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
        code_version=definition.judging_hash,
    )
    @value_free
    def findings(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        items: pd.DataFrame,
        patients: pd.DataFrame,
        episodes: pd.DataFrame,
        delivery_findings: pd.DataFrame,
    ) -> pd.DataFrame:
        from expectations.items import validate_items

        found = []
        for day, programmes in rom.state.by_day(context.partition_keys).items():
            rows = items[items["programme_id"].isin(programmes)].reset_index(drop=True)
            found.append(
                validate_items(
                    definition,
                    rows,
                    patients=patients,
                    episodes=episodes,
                    as_of=day,
                    delivery_findings=delivery_findings,
                )
            )
        return below_each_other(found)

    return findings


def _scores(definition: Instrument) -> dg.AssetsDefinition:
    @dg.asset(
        key=["scores", definition.id],
        group_name="scores",
        description=f"Scale scores of every accepted {definition.name}.",
        ins={
            "items": dg.AssetIn(["items", definition.id]),
            "findings": dg.AssetIn(["findings", definition.id]),
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
            "patients": dg.AssetIn(["reference", "patients"]),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
        code_version=definition.definition_hash,
    )
    @value_free
    def scores(
        rom: HomeResource,
        items: pd.DataFrame,
        findings: pd.DataFrame,
        delivery_findings: pd.DataFrame,
        patients: pd.DataFrame,
    ) -> pd.DataFrame:
        from expectations.scores import validate_scores

        accepted = acceptance.accept(items, acceptance.dispositions(items, findings, delivery_findings))
        table = scored(definition, accepted, patients, state=rom.state)
        refuse(validate_scores(definition, table)["row_id"].notna(), "scores lie outside of their scale")
        return table

    return scores


def scored(definition: Instrument, accepted: pd.DataFrame, patients: pd.DataFrame, *, state: State) -> pd.DataFrame:
    """Rows of `scores/<instrument>`: the scores of accepted forms, and where they stand among this home's reference groups."""
    ages = people.behind(accepted, patients, on="administered_on").ages
    value_set, version = state.value_set(definition), software.version()
    table = scoring.score(definition, accepted, value_set=value_set, ages=ages, software_version=version)
    known = people.behind(table, patients, on="administered_on")
    return common_metric.standing(
        table, definition, ages=known.ages, sexes=known.sexes, norms=state.references[definition.id]
    )
