"""What the expert centre's page says: programmes beside each other, in strata, by name.

Belongs here: the context of `expert-centre.html`. Does not belong here: ranks, totals over programmes, other scales than the
primary one of each instrument.
"""

from __future__ import annotations

from typing import Any

from dashboards.data import Row
from dashboards.figures.benchmark import EFFECT, IMPROVED, WORSE, Measure, change_measure, dot_figure, is_drawn
from dashboards.views.context import Box, Context, Measured, box
from dashboards.views.inclusion import inclusion_lines
from dashboards.views.outcomes import OutcomeLine, outcome_line
from dashboards.wording import by_name, is_withheld, mean_decimals, moment_label

#: Moments offered beside the primary one.
BESIDE = ("m12", "m24")
Strata = list[tuple[str, list[Row]]]


def expert_centre_page(context: Context) -> dict[str, Any]:
    """Context of the expert centre's page."""
    compared = [row for found in context.benchmark.values() for row in found if row["programme_id"] in context.names]
    return {
        "measures": [
            _measured(about, found, context=context) for about, found in context.grouped(compared, is_primary=True)
        ],
        "inclusion": inclusion_lines(context),
        "strata": sorted({context.stratum(p) for p in context.programmes}),
        "moment": moment_label(context.headline_moment),
        "has_several_anchors": context.has_several_anchors,
    }


def _measured(about: Measured, found: list[Row], *, context: Context) -> dict[str, Any]:
    there = {row["moment"] for row in found}
    moments = [m for m in (context.headline_moment, *BESIDE) if m in there]
    unique = sorted(set(moments), key=moments.index)
    return {"about": about, "moments": [_moment(m, about, found, context=context) for m in unique]}


def _moment(moment: str, about: Measured, found: list[Row], *, context: Context) -> dict[str, Any]:
    strata = _strata([row for row in found if row["moment"] == moment], context=context)
    measures = [change_measure(about.scale, mean_decimals(about.scale)), EFFECT]
    if about.norm is not None:
        measures += [IMPROVED, WORSE]
    return {
        "id": f"{about.slug}-{moment}",
        "label": moment_label(moment),
        "is_primary": moment == context.headline_moment,
        "boxes": [
            _box(m, strata, about=about, moment=moment, context=context) for m in measures if _is_drawn(m, strata)
        ],
        "undrawn": [_title(m) for m in measures if not _is_drawn(m, strata)],
        "strata": [(heading, [_line(row, about=about, context=context) for row in rows]) for heading, rows in strata],
    }


def _strata(found: list[Row], *, context: Context) -> Strata:
    by_id = {row["programme_id"]: row for row in found}
    strata: dict[str, list[Row]] = {}
    for programme in context.programmes:
        row = by_id.get(programme["programme_id"])
        if row is not None:
            strata.setdefault(context.stratum(programme), []).append({**row, "name": programme["name"]})
    return [(heading, strata[heading]) for heading in sorted(strata, key=by_name)]


def _line(row: Row, *, about: Measured, context: Context) -> OutcomeLine:
    link = f"programmes/{row['programme_id']}.html"
    return outcome_line(row, context=context, about=about, heading=row["name"], link=link)


def _box(measure: Measure, strata: Strata, *, about: Measured, moment: str, context: Context) -> Box:
    drawn = dot_figure(strata, measure=measure, is_synthetic=context.data.is_synthetic)
    spoken = [f"{heading}: {'; '.join(_spoken(row, measure) for row in rows)}" for heading, rows in strata]
    method = "Wilson" if measure.is_share else "t" if measure is not EFFECT else "t, SD of the format taken as known"
    title = _title(measure)
    turned = " The axis is turned so that better is to the right." if measure.is_turned else ""
    return box(
        f"{measure.value.replace('_', '-')}-{about.slug}-{moment}", drawn, title=title,
        caption=f"{about.title}, {moment_label(moment).lower()}. Point and 95 % interval ({method}); n in the table.{turned}",
        label=f"{title} of {about.title} at {moment_label(moment).lower()}. {'. '.join(spoken)}. "
        "The table below holds the same numbers.",
    )  # fmt: skip


def _is_drawn(measure: Measure, strata: Strata) -> bool:
    return any(is_drawn(row, measure) for _, found in strata for row in found)


def _title(measure: Measure) -> str:
    return measure.axis[0].upper() + measure.axis[1:]


def _spoken(row: Row, measure: Measure) -> str:
    if is_withheld(row, measure.value):
        return f"{row['name']} withheld"
    value = row[measure.value]
    return f"{row['name']} " + ("no data" if value is None else f"{measure.write(value)} (n {row[measure.n]})")
