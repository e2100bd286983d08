"""What the page of one programme says: a summary in sentences, courses, response, outcomes, what to mend.

Belongs here: the context of `programme.html`. Does not belong here: other programmes; a single patient.
"""

from __future__ import annotations

from typing import Any

from dashboards.data import Row
from dashboards.figures.course import course_figure
from dashboards.figures.response import response_figure
from dashboards.views.context import Box, Context, Measured, box
from dashboards.views.findings import finding_lines
from dashboards.views.inclusion import inclusion_sentence
from dashboards.views.outcomes import count, outcome_line, received_cell
from dashboards.wording import (
    ANCHORS,
    FORMATS,
    Cell,
    direction_label,
    is_withheld,
    listing,
    mean_decimals,
    moment_label,
    moment_order,
    number,
    percent,
    response_cell,
    value_cell,
)


def programme_page(programme: Row, *, context: Context) -> dict[str, Any]:
    """Context of one programme's page."""
    programme_id = programme["programme_id"]
    compared = [r for r in context.benchmark.get(programme_id, []) if r["moment"] in context.outcome_moments]
    outcomes = context.grouped(compared, is_primary=True)
    course = context.course.get(programme_id, [])
    return {
        "programme": programme,
        "format": FORMATS.get(programme["format"], programme["format"]),
        "anchor": ANCHORS.get(programme["anchor"], programme["anchor"]),
        "delivery": context.delivery(programme),
        "started": context.started(programme_id),
        "inclusion": inclusion_sentence(programme_id, context=context),
        "to_mend": context.to_mend(programme_id),
        "moment": moment_label(context.headline_moment),
        "summary": [_summary(about, found, context=context) for about, found in outcomes],
        "outcomes": [_outcome(about, found, context=context) for about, found in outcomes],
        "courses": [
            _course(about, found, context=context) for about, found in context.grouped(course, is_primary=True)
        ],
        "others": _others(course, context=context),
        "responses": _responses(context.response.get(programme_id, []), context=context),
        "findings": finding_lines(context.findings.get(programme_id, []), context=context),
    }


def _summary(about: Measured, found: list[Row], *, context: Context) -> dict[str, str]:
    moment = context.headline_moment
    row = next((r for r in found if r["moment"] == moment), None)
    label = moment_label(moment).lower()
    if row is None:
        return {"title": about.title, "text": f"No score at {label} yet."}
    parts = [_answered(row, label=label, context=context), _changed(row, about=about, label=label, context=context)]
    return {"title": about.title, "text": " ".join([*parts, *_classified(row)])}


def _answered(row: Row, *, label: str, context: Context) -> str:
    cell = response_cell(row)
    if cell.is_shown:
        return (
            f"At {label}, {number(row['n_received'])} of the {number(row['n_eligible'])} patients from whom it should have come"
            f" answered ({cell.text}, 95 % interval {cell.interval})."
        )
    if is_withheld(row, "response_share"):
        return f"At {label}, fewer than {context.data.threshold} patients were due or answered, so the response is withheld."
    return f"How many should have answered at {label} is not known."


def _changed(row: Row, *, about: Measured, label: str, context: Context) -> str:
    if is_withheld(row, "mean_change"):
        return (
            f"Fewer than {context.data.threshold} have a score at the start and at {label}: their change is withheld."
        )
    if row["mean_change"] is None:
        return f"Nobody has a score at the start and at {label}."
    words = change_sentence(
        row["mean_change"], row["change_lower_95"], row["change_upper_95"], decimals=mean_decimals(about.scale)
    )
    effect = (
        "" if row["effect"] is None else f" The standardised effect is {number(row['effect'], 2)} (positive is better)."
    )
    return (
        f"In the {number(row['n_pairs'])} patients with a score at both moments the mean {words};"
        f" {direction_label(about.scale)}.{effect}"
    )


def change_sentence(mean: float, lower: float | None, upper: float | None, *, decimals: int) -> str:
    """How the mean changed, with its interval, in words.

    >>> change_sentence(-0.45, -0.59, -0.31, decimals=2)
    'fell by 0.45 (95 % interval 0.31 to 0.59)'
    >>> change_sentence(0.1, -0.1, 0.3, decimals=1)
    'changed by 0.1 (95 % interval −0.1 to 0.3), which is compatible with no change'
    """
    if lower is None or upper is None:
        return f"changed by {number(mean, decimals)}"
    if lower <= 0 <= upper:
        limits = f"{number(lower, decimals)} to {number(upper, decimals)}"
        return f"changed by {number(mean, decimals)} (95 % interval {limits}), which is compatible with no change"
    verb, low, high = ("fell", -upper, -lower) if mean < 0 else ("rose", lower, upper)
    return (
        f"{verb} by {number(abs(mean), decimals)} (95 % interval {number(low, decimals)} to {number(high, decimals)})"
    )


def _classified(row: Row) -> list[str]:
    names = {"improved": "reliably improved", "worse": "reliably worse"}
    cells = {
        text: value_cell(row, f"{key}_share", write=percent, limits=(f"{key}_lower_95", f"{key}_upper_95"))
        for key, text in names.items()
    }
    shown = [f"{cell.text} {text} ({cell.interval})" for text, cell in cells.items() if cell.is_shown]
    hidden = [text for text, cell in cells.items() if cell.kind == "withheld"]
    if is_withheld(row, "mean_change") or not (shown or hidden):
        return []
    if not hidden:
        return [f"Of the {number(row['n_classified'])} who can be classified, {listing(shown)}."]
    withheld = (
        f"the share{'s' if len(hidden) > 1 else ''} {listing(hidden)} {'are' if len(hidden) > 1 else 'is'} withheld"
    )
    n = "" if row["n_classified"] is None else f"Of the {number(row['n_classified'])} who can be classified, "
    return [f"{n}{listing([*shown, withheld])}." if n else f"{withheld[0].upper()}{withheld[1:]}."]


def _outcome(about: Measured, found: list[Row], *, context: Context) -> dict[str, Any]:
    ordered = sorted(found, key=lambda r: moment_order(r["moment"]))
    lines = [
        outcome_line(
            r,
            context=context,
            about=about,
            heading=moment_label(r["moment"]),
            is_primary=r["moment"] == context.headline_moment,
        )
        for r in ordered
    ]
    return {"about": about, "lines": lines}


def _course(about: Measured, found: list[Row], *, context: Context) -> dict[str, Any]:
    ordered = sorted(found, key=lambda r: r["months"])
    return {
        "about": about,
        "box": _course_box(about, ordered, context=context),
        "lines": _course_lines(about, ordered, context),
    }


def _course_lines(about: Measured, ordered: list[Row], context: Context) -> list[dict[str, Any]]:
    digits = mean_decimals(about.scale)
    responses = _response_cells(about, ordered, context=context)
    return [
        {
            "moment": moment_label(row["moment"]),
            "response": responses.get(row["moment"]),
            "n": context.few() if is_withheld(row, "n") else count(row, "n", context=context),
            "mean": value_cell(row, "mean", write=lambda v: number(v, digits), limits=("lower_95", "upper_95")),
            "quartiles": value_cell(row, "quartile_1", write=lambda v: number(v, digits)),
            "upper": value_cell(row, "quartile_3", write=lambda v: number(v, digits)),
        }
        for row in ordered
    ]


def _response_cells(about: Measured, ordered: list[Row], *, context: Context) -> dict[str, Cell]:
    """Response of the same programme and instrument, by moment."""
    found = context.response.get(ordered[0]["programme_id"], [])
    return {r["moment"]: response_cell(r) for r in found if r["instrument"] == about.instrument.id}


def _course_box(about: Measured, ordered: list[Row], *, context: Context) -> Box:
    norm = about.norm
    cells = _response_cells(about, ordered, context=context)
    drawn = course_figure(
        ordered, instrument=about.instrument, scale=about.scale, is_synthetic=context.data.is_synthetic,
        cutoff=norm.cutoff if norm else None, cutoff_label=_cutoff_label(about), responses={m: cell.text for m, cell in cells.items() if cell.is_shown},
    )  # fmt: skip
    digits = mean_decimals(about.scale)
    spoken = [
        f"{moment_label(r['moment'])}: "
        + (
            "withheld"
            if is_withheld(r, "mean")
            else "none"
            if r["mean"] is None
            else f"{number(r['mean'], digits)} (n {r['n']})"
        )
        for r in ordered
    ]
    return box(
        f"course-{about.slug}", drawn, title=about.title,
        caption=f"Unit: {about.unit}. Line: mean of those who answered, bar: 95 % interval (t); band: middle half of the "
        "patients (quartiles). Whoever answered differs between moments: this is not one fixed group.",
        label=f"Course of {about.title}, {about.unit}. Means: {'; '.join(spoken)}. The table below holds the same numbers.",
    )  # fmt: skip


def _cutoff_label(about: Measured) -> str:
    if about.norm is None or about.norm.cutoff is None:
        return ""
    mark = " (provisional)" if about.norm.is_provisional else ""
    return f"boundary of the reference range {number(about.norm.cutoff, mean_decimals(about.scale))}{mark}"


def _others(course: list[Row], *, context: Context) -> list[dict[str, Any]]:
    """The other scales as one table per instrument: mean and n per moment, no figure and no category."""
    tables: dict[str, dict[str, Any]] = {}
    for about, found in context.grouped(course, is_primary=False):
        ordered = sorted(found, key=lambda r: r["months"])
        digits = mean_decimals(about.scale)
        cells = {r["moment"]: (value_cell(r, "mean", write=lambda v, d=digits: number(v, d)), r["n"]) for r in ordered}
        table = tables.setdefault(about.instrument.id, {"instrument": about.instrument, "moments": [], "lines": []})
        table["moments"] = [(m, moment_label(m)) for m in cells]
        table["lines"].append({"about": about, "cells": cells})
    return list(tables.values())


def _responses(found: list[Row], *, context: Context) -> list[dict[str, Any]]:
    groups: dict[str, list[Row]] = {}
    for row in found:
        if row["instrument"] in context.data.instruments and row["moment"] != "unscheduled":
            groups.setdefault(row["instrument"], []).append(row)
    return [_response(key, groups[key], context=context) for key in sorted(groups)]


def _response(instrument_id: str, found: list[Row], *, context: Context) -> dict[str, Any]:
    ordered = sorted(found, key=lambda r: moment_order(r["moment"]))
    name = context.data.instruments[instrument_id].name
    spoken = "; ".join(f"{moment_label(r['moment'])} {response_cell(r).text}" for r in ordered)
    drawn = response_figure(ordered, is_synthetic=context.data.is_synthetic)
    return {
        "name": name,
        "box": box(
            f"response-{instrument_id}", drawn, title=name,
            caption="Forms received within the window / patients from whom one should have come by now; bar: 95 % interval (Wilson).",
            label=f"Response to the {name}. {spoken}. The table below holds the same numbers.",
        ),
        "lines": [
            {
                "moment": moment_label(r["moment"]),
                "response": response_cell(r),
                "received": received_cell(r, context=context),
                "not_due": value_cell(r, "n_not_yet_due", write=number),
            }
            for r in ordered
        ],
    }  # fmt: skip
