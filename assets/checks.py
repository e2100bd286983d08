"""What Dagster shows as green or red: reports on the data, and invariants of our own code that stop a run.

Belongs here: asset checks, each a statement that is true when green. They count; what is wrong is in the findings.
A report never stops anything: bad rows are set aside by `mbt_rom.acceptance`. An invariant stops the run: it asks of the
stored table what the asset asked of its own result before storing it.
"""

import dagster as dg
import pandas as pd

from assets.failures import value_free
from assets.keys import key
from assets.partitions import of_run
from assets.resources import HomeResource
from mbt_rom.model import Instrument


def checks_of(definition: Instrument) -> list[dg.AssetChecksDefinition]:
    """The report on the forms of one instrument, and the invariant of its scores."""
    return [_every_form_is_in_order(definition), _every_score_is_within_its_range(definition)]


def _every_form_is_in_order(definition: Instrument) -> dg.AssetChecksDefinition:
    name = f"findings/{definition.id}"

    @dg.asset_check(asset=key(name), name="every_form_is_in_order")
    @value_free
    def every_form_is_in_order(context: dg.AssetCheckExecutionContext, rom: HomeResource) -> dg.AssetCheckResult:
        """No finding sets a form of this instrument aside."""
        return report(rom.state.read(name, programmes=of_run(context.run, context.instance)))

    return every_form_is_in_order


def _every_score_is_within_its_range(definition: Instrument) -> dg.AssetChecksDefinition:
    name = f"scores/{definition.id}"

    @dg.asset_check(asset=key(name), name="every_score_is_within_its_range", blocking=True)
    @value_free
    def every_score_is_within_its_range(
        context: dg.AssetCheckExecutionContext, rom: HomeResource
    ) -> dg.AssetCheckResult:
        """No score lies outside of what its scale can give."""
        from expectations.scores import validate_scores

        found = validate_scores(definition, rom.state.read(name, programmes=of_run(context.run, context.instance)))
        return dg.AssetCheckResult(passed=found.empty, metadata={"n_scores_out_of_range": len(found)})

    return every_score_is_within_its_range


@dg.asset_check(asset=key("deliveries/conservation"), name="every_row_is_accounted_for", blocking=True)
@value_free
def every_row_is_accounted_for(context: dg.AssetCheckExecutionContext, rom: HomeResource) -> dg.AssetCheckResult:
    """Every row offered was accepted, blank, left out, set aside, a duplicate or superseded: nothing is lost."""
    rows = rom.state.read("deliveries/conservation", programmes=of_run(context.run, context.instance))
    lost = int((~rows["is_conserved"]).sum())
    return dg.AssetCheckResult(passed=lost == 0, metadata={"n_not_conserved": lost, "n_checked": len(rows)})


@dg.asset_check(asset=key("findings/deliveries"), name="every_file_is_in_order")
@value_free
def every_file_is_in_order(context: dg.AssetCheckExecutionContext, rom: HomeResource) -> dg.AssetCheckResult:
    """No finding sets a file or a row of it aside."""
    return report(rom.state.read("findings/deliveries", programmes=of_run(context.run, context.instance)))


def report(findings: pd.DataFrame) -> dg.AssetCheckResult:
    """Green when nothing is set aside; counts per rule either way."""
    counts = findings["rule"].value_counts().sort_index()
    return dg.AssetCheckResult(
        passed=not findings["severity"].isin(["fatal", "error"]).any(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={str(rule): int(n) for rule, n in counts.items()},
    )
