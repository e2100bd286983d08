"""What a score can be: within the range that its scale can give. An invariant of our own code, not a rule about data.

Belongs here: `validate_scores` and its suite. Does not belong here: whether a score is plausible for a patient.
"""

from __future__ import annotations

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.context import failures
from mbt_rom.findings import as_findings, combined
from mbt_rom.model import Instrument

#: Rounding of floating-point sums that a bound allows for.
ROUNDING = 1e-9


def validate_scores(definition: Instrument, scores: pd.DataFrame) -> pd.DataFrame:
    """Scores outside the range of their scale, as a findings table: one row per score, named by `row_id` and scale.

    Judged on one summary row per scale first (lowest and highest score beside the range), and row by row only where that
    fails. A scale that the definition does not have is such a finding too.
    """
    scored = scores.loc[scores["score"].notna(), ["programme_id", "row_id", "scale", "score"]]
    summary = scored.groupby("scale", as_index=False).agg(lowest=("score", "min"), highest=("score", "max"))
    failing = failures(_with_range(definition, summary), score_suite("lowest", "highest"), index_columns=["scale"])
    rows = scored.loc[scored["scale"].isin(failing["scale"])].reset_index(drop=True).rename_axis("at").reset_index()
    found = failures(_with_range(definition, rows), score_suite("score", "score"), index_columns=["at"])
    if found.empty:
        return combined([], source=definition.id)
    placed = rows.iloc[found["at"].drop_duplicates().astype("int64")]
    details = {s.id: s.range_text for s in definition.scales}
    wrong = placed[["programme_id", "row_id"]].assign(
        rule="score_out_of_range", item=placed["scale"], detail=placed["scale"].map(details).astype("str")
    )
    return as_findings(wrong, source=definition.id)


def score_suite(lowest: str, highest: str) -> list[Expectation]:
    """The rule about the range, on a frame with these columns and `minimum` and `maximum`."""
    return [_at_least(lowest, "minimum"), _at_least("maximum", highest)]


def _at_least(column_A: str, column_B: str) -> Expectation:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=column_A,
        column_B=column_B,
        or_equal=True,
        ignore_row_if="neither",
        meta={"rule": "score_out_of_range"},
    )


def _with_range(definition: Instrument, frame: pd.DataFrame) -> pd.DataFrame:
    low, high = {s.id: s.limits[0] for s in definition.scales}, {s.id: s.limits[1] for s in definition.scales}
    # The range of a scale that does not exist is empty, so that nothing lies within it.
    return frame.assign(
        minimum=frame["scale"].map(low).astype("float64").fillna(float("inf")) - ROUNDING,
        maximum=frame["scale"].map(high).astype("float64").fillna(float("-inf")) + ROUNDING,
    )
