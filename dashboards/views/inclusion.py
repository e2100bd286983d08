"""Who is in the comparison and who is not, beside every outcome that is compared.

Belongs here: a row of `benchmarks/inclusion` as cells and as a sentence. Does not belong here: who is permitted, counting, what is
withheld.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.data import Row
from dashboards.views.context import Context
from dashboards.wording import Cell, by_name, is_withheld, number, percent, value_cell, withheld

#: Column of the table -> heading, in the order in which they stand.
WHY_NOT = {
    "n_never_recorded": "never recorded",
    "n_withdrawn": "withdrawn",
    "n_not_yet": "begins later",
    "n_representative_no_longer_decides": "only a representative gave it, who no longer decides alone",
    "n_representative_missing": "only the patient gave it, who is too young to decide alone",
}
NOBODY = "No permission has been recorded, so nobody is compared."


@dataclass(frozen=True)
class InclusionLine:
    """One programme: who started, whose permission holds, and why the others' does not."""

    heading: str
    link: str
    note: str
    started: Cell
    permitted: Cell
    share: Cell
    why_not: Cell


def inclusion_lines(context: Context) -> list[tuple[str, list[InclusionLine]]]:
    """A line per programme of which anybody started, by name within its stratum."""
    strata: dict[str, list[InclusionLine]] = {}
    for programme in context.programmes:
        row = context.inclusion.get(programme["programme_id"])
        if row is not None:
            strata.setdefault(context.stratum(programme), []).append(_line(programme["name"], row))
    return [(heading, strata[heading]) for heading in sorted(strata, key=by_name)]


def _line(name: str, row: Row) -> InclusionLine:
    return InclusionLine(
        heading=name,
        link=f"programmes/{row['programme_id']}.html",
        note="" if row["has_register"] else NOBODY,
        started=value_cell(row, "n_started", write=number),
        permitted=value_cell(row, "n_permitted", write=number),
        share=_share(row),
        why_not=_why_not(row),
    )


def _why_not(row: Row) -> Cell:
    """The reasons that may be shown, with their counts."""
    if row["n_started"] is not None and row["n_started"] == row["n_permitted"]:
        return Cell("nobody is missing")
    hidden = [column for column in WHY_NOT if is_withheld(row, column)]
    shown = [f"{number(row[c])} {words}" for c, words in WHY_NOT.items() if c not in hidden and row[c]]
    if not shown:
        return withheld()
    return Cell("; ".join([*shown, *(["others withheld"] if hidden else [])]))


def _share(row: Row) -> Cell:
    return value_cell(row, "permitted_share", write=percent, limits=("permitted_lower_95", "permitted_upper_95"))


def inclusion_sentence(programme_id: str, *, context: Context) -> str:
    """Who of a programme is in its outcomes, as a sentence; empty where nobody started."""
    row = context.inclusion.get(programme_id)
    if row is None:
        return ""
    if not row["has_register"]:
        return f"{NOBODY} Courses and changes on this page need a permission for the comparison."
    whom = "Courses and changes on this page are of those who permit the comparison"
    if is_withheld(row, "n_permitted"):
        return f"{whom}; their number is withheld."
    share = _share(row)
    return (
        f"{whom}: {number(row['n_permitted'])} of {number(row['n_started'])} who started ({share.text}, 95 % interval "
        f"{share.interval}). The others are counted in the response and in nothing else."
    )
