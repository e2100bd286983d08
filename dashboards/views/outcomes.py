"""Lines of outcome tables, the same on a programme's page and beside the others.

Belongs here: one row of the benchmark as cells. Does not belong here: computing it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.data import Row
from dashboards.views.context import Context, Measured
from dashboards.wording import Cell, is_withheld, mean_decimals, number, percent, response_cell, value_cell


@dataclass(frozen=True)
class OutcomeLine:
    """One programme and moment: response, pairs, change, effect and shares."""

    heading: str
    link: str
    is_primary: bool
    response: Cell
    received: Cell
    pairs: Cell
    baseline: Cell
    change: Cell
    effect: Cell
    classified: Cell
    in_range: Cell
    improved: Cell
    worse: Cell


def outcome_line(
    row: Row, *, context: Context, about: Measured, heading: str, link: str = "", is_primary: bool = False
) -> OutcomeLine:
    """The row of the benchmark as a line of a table; what is withheld says so."""
    digits = mean_decimals(about.scale)
    classes = "no norm in use" if about.norm is None else "no data"
    return OutcomeLine(
        heading=heading,
        link=link,
        is_primary=is_primary,
        response=response_cell(row),
        received=received_cell(row, context=context),
        pairs=count(row, "n_pairs", context=context),
        baseline=value_cell(row, "mean_baseline", write=lambda v: number(v, digits)),
        change=value_cell(
            row, "mean_change", write=lambda v: number(v, digits), limits=("change_lower_95", "change_upper_95")
        ),
        effect=value_cell(
            row, "effect", write=lambda v: number(v, 2), limits=("effect_lower_95", "effect_upper_95")
        ),
        classified=count(row, "n_classified", context=context, none=classes),
        in_range=count(row, "n_started_in_reference_range", context=context, none=classes),
        improved=value_cell(
            row, "improved_share", write=percent, limits=("improved_lower_95", "improved_upper_95"), none=classes
        ),
        worse=value_cell(
            row, "worse_share", write=percent, limits=("worse_lower_95", "worse_upper_95"), none=classes
        ),
    )  # fmt: skip


def count(row: Row, column: str, *, context: Context, none: str = "no data") -> Cell:
    """A count of patients; a withheld one says below which number it, or what could be worked out from it, lies."""
    cell = value_cell(row, column, write=number, none=none)
    return context.few() if not cell.is_shown and column == "n_pairs" and is_withheld(row, column) else cell


def received_cell(row: Row, *, context: Context) -> Cell:
    """Received of eligible, as two numbers."""
    if is_withheld(row, "n_eligible"):
        return Cell(f"fewer than {context.data.threshold} due", kind="withheld")
    if is_withheld(row, "n_received"):
        return Cell(f"fewer than {context.data.threshold} of {number(row['n_eligible'])}", kind="withheld")
    if row["n_eligible"] is None or row["n_received"] is None:
        return Cell("no data", kind="absent")
    return Cell(f"{number(row['n_received'])} of {number(row['n_eligible'])}")
