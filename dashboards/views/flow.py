"""What the page "Flow" of one programme says: cohorts, waiting, staying, ends, attendance, response of those who left.

Belongs here: the context of `flow.html`. Does not belong here: other programmes, a single patient, what may be shown (`disclosure`).
"""

from __future__ import annotations

from typing import Any

from dashboards.data import Row
from dashboards.figures.flow import (
    ENDS,
    PARTS,
    attendance_figure,
    cohort_figure,
    curve_figure,
    ends_figure,
    leavers_figure,
)
from dashboards.views.context import Box, Context, box
from dashboards.wording import Cell, is_withheld, moment_label, moment_order, number, percent, value_cell

COUNTS = {
    "n_referred": "Referred", "n_began": "Started, of these", "n_before_start": "Before the start", "n_closed": "Not taken on or left",
    "n_started": "Started", "n_in_treatment": "In treatment", "n_completed": "Completed", "n_dropped_out": "Dropped out",
    "n_other_end": "Another end",
}  # fmt: skip
#: Months at which the ends are printed.
PRINTED = (3, 6, 12, 18)


def flow_page(programme: Row, *, context: Context) -> dict[str, Any]:
    """Context of one programme's page on flow."""
    programme_id = programme["programme_id"]
    cohorts = context.flow.get(programme_id, [])
    total = next((r for r in cohorts if r["cohort"] == "all"), None)
    curves = context.curves.get(programme_id, [])
    by_curve = {name: [p for p in curves if p["curve"] == name] for name in ("wait", "stay", "end")}
    by_curve |= {name: _while_anybody_is_left(by_curve[name]) for name in _CURVES}
    return {
        "programme": programme,
        "counts": COUNTS,
        "cohorts": [_cohort(row) for row in cohorts if total is row or not is_withheld(row, "n_started")],
        "hides_years": any(is_withheld(row, "n_started") for row in cohorts if total is not row),
        "cohort_box": _cohort_box(total, context=context) if total and _has_bars(total) else None,
        "wait_box": _curve_box("wait", by_curve["wait"], context=context),
        "stay_box": _curve_box("stay", by_curve["stay"], context=context),
        "ends_box": _ends_box(by_curve["end"], context=context),
        "printed": PRINTED,
        "ends": _ends(by_curve["end"]),
        "points": [
            (_CURVES[name][2], _CURVES[name][3], [_point(p, context=context) for p in by_curve[name]])
            for name in _CURVES
            if len(by_curve[name]) > 1
        ],
        "months": [_month(m) for m in _in_time(context.attendance.get(programme_id, []))],
        "attendance_box": _attendance_box(context.attendance.get(programme_id, []), context=context),
        "leavers": _leavers(context.leavers.get(programme_id, []), context=context),
    }


def _has_bars(total: Row) -> bool:
    return total["n_started"] is not None or total["n_referred"] is not None


def _cohort(row: Row) -> dict[str, Any]:
    is_open = row["cohort"] != "all" and not row["is_complete"]
    return {
        "name": "All years" if row["cohort"] == "all" else row["cohort"],
        "note": f"complete on {row['complete_on']:%Y-%m-%d}" if is_open and row["complete_on"] is not None else "",
        "cells": [value_cell(row, name, write=number) for name in COUNTS],
        "completed": value_cell(row, "completed_share", write=percent, limits=("completed_lower_95", "completed_upper_95")),
        "wait": _days(row, "wait"),
        "stay": _days(row, "stay"),
    }  # fmt: skip


def _days(row: Row, name: str) -> Cell:
    cell = value_cell(row, f"{name}_km_median", write=number, limits=(f"{name}_km_lower_95", f"{name}_km_upper_95"))
    return Cell("not reached", kind="absent") if cell.kind == "absent" else cell


def _cohort_box(total: Row, *, context: Context) -> Box:
    spoken = [
        f"{text} {number(total[c])}"
        for c, (_, text, _) in PARTS.items()
        if total[c] is not None and not is_withheld(total, c)
    ]
    return box(
        "flow-cohort", cohort_figure(total, is_synthetic=context.data.is_synthetic), title="What became of everybody",
        caption="Each person once, with the first episode. Another end: referred on, died, or no reason recorded.",
        label=f"People referred and started, by what became of them: {'; '.join(spoken)}. The table below holds the same numbers.",
    )  # fmt: skip


_CURVES = {
    "wait": ("the referral", "not started yet (%)", "Waiting", "Share of those referred who have not started the main programme."),
    "stay": ("the start", "still in treatment (%)", "Staying in treatment", "Share of those who started who are still in treatment."),
}  # fmt: skip


def _curve_box(name: str, points: list[Row], *, context: Context) -> Box | None:
    if len(points) < 2:
        return None
    since, axis, title, meaning = _CURVES[name]
    spoken = "; ".join(f"month {p['month']}: {percent(p['share'])}" for p in points)
    return box(
        f"flow-{name}", curve_figure(points, since=since, title=axis, is_synthetic=context.data.is_synthetic), title=title,
        caption=f"{meaning} Kaplan-Meier, every three months; band: 95 % interval (log-log). Drawn as far as anybody was followed.",
        label=f"{meaning} {spoken}. The table below holds the same numbers.",
    )  # fmt: skip


def _while_anybody_is_left(points: list[Row]) -> list[Row]:
    """The points of a curve up to the first at nought: after it there is nobody to tell of."""
    ordered = sorted(points, key=lambda p: p["month"])
    over = next((place for place, point in enumerate(ordered) if point["share"] == 0), len(ordered))
    return ordered[: over + 1]


def _point(point: Row, *, context: Context) -> dict[str, Any]:
    return {
        "month": point["month"],
        "share": value_cell(point, "share", write=percent, limits=("lower_95", "upper_95")),
        "at_risk": Cell(number(point["n_at_risk"])) if point["n_at_risk"] is not None else context.few(),
    }


def _in_time(months: list[Row]) -> list[Row]:
    return sorted(months, key=lambda m: m["month_on"])


def _month(month: Row) -> dict[str, Any]:
    return {
        "name": f"{month['month_on']:%Y-%m}",
        "share": value_cell(month, "attended_share", write=percent, limits=("lower_95", "upper_95")),
        "n": f"{number(month['n_attended'])} of {number(month['n_offered'])}",
        "patients": number(month["n_patients"]),
    }


def _ends_box(points: list[Row], *, context: Context) -> Box | None:
    if not points:
        return None
    return box(
        "flow-ends", ends_figure(points, is_synthetic=context.data.is_synthetic), title="How treatments end",
        caption="Share of those who started whose treatment ended in that way by then (Aalen-Johansen: one end rules out the others, "
        "and those still in treatment count as far as they were followed). What is left up to 100 % is still in treatment.",
        label="Share of those who started whose treatment ended in each way, month by month. The table below holds the same numbers.",
    )  # fmt: skip


def _ends(points: list[Row]) -> list[dict[str, Any]]:
    found = {(p["outcome"], p["month"]): p for p in points}
    return [
        {"name": PARTS[column][1], "cells": [_end_cell(found.get((outcome, month))) for month in PRINTED]}
        for outcome, column in ENDS.items()
        if points
    ]


def _end_cell(point: Row | None) -> Cell:
    if point is None:
        return Cell("not known", kind="absent")
    return value_cell(point, "share", write=percent, limits=("lower_95", "upper_95"))


def _attendance_box(months: list[Row], *, context: Context) -> Box | None:
    if not months:
        return None
    ordered = _in_time(months)
    spoken = "; ".join(f"{m['month_on']:%Y-%m}: {percent(m['attended_share'])}" for m in ordered)
    return box(
        "flow-attendance", attendance_figure(ordered, is_synthetic=context.data.is_synthetic), title="Attendance",
        caption="Contacts attended / offered. What the programme cancelled, and weeks in which it was closed, are not offered. "
        "Bar: 95 % interval over patients.",
        label=f"Share of the offered contacts that were attended, by month. {spoken}. The table below holds the same numbers.",
    )  # fmt: skip


def _leavers(rows: list[Row], *, context: Context) -> list[dict[str, Any]]:
    found = []
    for instrument in sorted({r["instrument"] for r in rows} & set(context.data.instruments)):
        mine = sorted((r for r in rows if r["instrument"] == instrument), key=lambda r: moment_order(r["moment"]))
        name = context.data.instruments[instrument].name
        spoken = "; ".join(
            f"{moment_label(r['moment'])}: left {number(r['left_received'])} of {number(r['left_eligible'])}, "
            f"others {number(r['other_received'])} of {number(r['other_eligible'])}"
            for r in mine
        )
        drawn = box(
            f"flow-left-{instrument}", leavers_figure(mine, is_synthetic=context.data.is_synthetic), title=name,
            caption="Received / eligible at each moment: those who had left treatment without completing it, and all others. "
            "Bar: 95 % interval (Wilson).",
            label=f"Response to the {name}. {spoken}. The table below holds the same numbers.",
        )  # fmt: skip
        lines = [(moment_label(r["moment"]), *(_answered(r, kind) for kind in ("left", "other"))) for r in mine]
        found.append({"name": name, "box": drawn, "lines": lines})
    return found


def _answered(row: Row, kind: str) -> dict[str, Any]:
    """The response of one group, and received of eligible as two numbers."""
    limits = (f"{kind}_lower_95", f"{kind}_upper_95")
    return {
        "share": value_cell(row, f"{kind}_share", write=percent, limits=limits),
        "n": f"{number(row[f'{kind}_received'])} of {number(row[f'{kind}_eligible'])}",
    }
