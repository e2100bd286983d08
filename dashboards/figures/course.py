"""The course of one scale in one programme: mean with interval, quartile band, n under each point.

Belongs here: drawing rows that disclosure control has passed. Does not belong here: computing them; individual courses.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from math import isinf

from dashboards import theme
from dashboards.data import Row
from dashboards.theme import Figure
from dashboards.wording import direction_label, is_withheld, mean_decimals, number, scale_title
from mbt_rom.model import Instrument, Scale

HEIGHT = 360


def course_figure(
    points: list[Row],
    *,
    instrument: Instrument,
    scale: Scale,
    cutoff: float | None = None,
    cutoff_label: str = "",
    responses: Mapping[str, str] | None = None,
    is_synthetic: bool,
) -> Figure:
    """Figure of the course of one scale over the months.

    `points` are rows of `course` of one programme and scale; a suppressed one leaves a gap and is named on the axis.
    `responses` (moment -> text) stand under n. `cutoff` draws the boundary of the reference range. The line breaks where a moment is missing.
    """
    numbers = ("mean", "lower_95", "upper_95", "quartile_1", "quartile_3")
    digits = mean_decimals(scale)
    points = [theme.rounded(p, *numbers, decimals=digits) for p in sorted(points, key=lambda p: p["months"])]
    shown = [p for p in points if is_shown(p)]
    runs = [list(run) for visible, run in groupby(points, key=is_shown) if visible]
    traces = [_band(run) for run in runs] + [_line(run, scale) for run in runs]
    traces = traces or [{"type": "scatter", "x": [], "y": [], "mode": "lines"}]
    annotations = [theme.note(_direction(scale), x=0, xanchor="left")]
    shapes: list[Figure] = []
    if cutoff is not None and shown:
        shapes, label = _reference(cutoff, cutoff_label)
        annotations.append(label)
    annotations += [_gap(p) for p in points if is_withheld(p, "mean")]
    layout = {
        "height": HEIGHT,
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": _months(points, responses or {}),
        "yaxis": {
            "title": {"text": f"{scale_title(instrument, scale)} ({scale.unit.split(' (')[0]})"},
            "range": _range(shown, scale, cutoff),
        },
        "shapes": shapes,
        "annotations": annotations,
    }
    return theme.figure(data=traces, layout=layout, is_synthetic=is_synthetic)


def is_shown(point: Row) -> bool:
    """True when there is a mean and it may be shown."""
    return point["mean"] is not None and not is_withheld(point, "mean", "n")


def _band(run: list[Row]) -> Figure:
    known = [p for p in run if p["quartile_1"] is not None and p["quartile_3"] is not None]
    months, low, high = ([p[c] for p in known] for c in ("months", "quartile_1", "quartile_3"))
    return {
        "type": "scatter",
        "x": [*months, *reversed(months)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": theme.BAND,
        "mode": "lines",
        "line": {"width": 6 if len(known) == 1 else 0, "color": theme.BAND},
        "hoverinfo": "skip",
        "name": "middle half of the patients",
    }


def _line(run: list[Row], scale: Scale) -> Figure:
    above, below = [], []
    for p in run:
        above.append(round((p["mean"] if p["upper_95"] is None else p["upper_95"]) - p["mean"], 6))
        below.append(round(p["mean"] - (p["mean"] if p["lower_95"] is None else p["lower_95"]), 6))
    return {
        "type": "scatter",
        "x": [p["months"] for p in run],
        "y": [p["mean"] for p in run],
        "mode": "lines+markers",
        "line": {"color": theme.PRIMARY, "width": 2.5},
        "marker": {"color": theme.PRIMARY, "size": 9, "line": {"color": theme.PAPER, "width": 1.5}},
        "error_y": {
            "type": "data", "symmetric": False, "array": above, "arrayminus": below,
            "color": theme.PRIMARY, "thickness": 1.5, "width": 5,
        },
        "hovertext": [_hover(p, scale) for p in run],
        "hoverinfo": "text",
        "name": "mean with 95 % interval",
    }  # fmt: skip


def _hover(point: Row, scale: Scale) -> str:
    digits = mean_decimals(scale)
    limits = "" if point["lower_95"] is None else (
        f"<br>95 % interval {number(point['lower_95'], digits)} to {number(point['upper_95'], digits)}"
    )  # fmt: skip
    return f"<b>Month {point['months']:g}</b>, n = {point['n']}<br>mean {number(point['mean'], digits)}{limits}"


def _months(points: list[Row], responses: Mapping[str, str]) -> Figure:
    months = [p["months"] for p in points]
    span = (max(months, default=0) - min(months, default=0)) or 6
    return {
        "title": {"text": "months since the start, n answered" + (", response" if responses else "")},
        "range": [min(months, default=0) - 0.05 * span, max(months, default=6) + 0.05 * span],
        "tickvals": months,
        "ticktext": [f"<b>{p['months']:g}</b><br>{_count(p)}<br>{responses.get(p['moment'], '')}" for p in points],
        "showgrid": False,
        "tickangle": 0,
    }


def _count(point: Row) -> str:
    return f"n {point['n']}" if is_shown(point) else "withheld" if is_withheld(point, "mean", "n") else "none"


def _gap(point: Row) -> Figure:
    return {
        "x": point["months"], "y": 0.5, "xref": "x", "yref": "paper", "text": "withheld",
        "textangle": -90, "showarrow": False, "font": {"size": 11, "color": theme.QUIET},
    }  # fmt: skip


def _reference(cutoff: float, label: str) -> tuple[list[Figure], Figure]:
    line = {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y", "y0": cutoff, "y1": cutoff, "layer": "below",
        "line": {"color": theme.REFERENCE, "width": 1.5, "dash": "dash"},
    }  # fmt: skip
    font = {"size": 12, "color": theme.REFERENCE}
    return [line], theme.note(
        label, font=font, yref="y", y=cutoff, x=0.005, xanchor="left", bgcolor="rgba(255, 255, 255, 0.75)"
    )


def _direction(scale: Scale) -> str:
    arrow = {"lower_is_better": "↓ ", "higher_is_better": "↑ "}.get(scale.direction, "")
    return f"{arrow}{direction_label(scale)}"


def _range(shown: list[Row], scale: Scale, cutoff: float | None) -> list[float]:
    """From the end of the scale that is near the data to a little above them; never beyond the scale itself."""
    drawn = [p[c] for p in shown for c in ("quartile_1", "quartile_3", "lower_95", "upper_95") if p[c] is not None]
    drawn += [p["mean"] for p in shown] + ([cutoff] if cutoff is not None else [])
    low, high = scale.limits
    if not drawn:
        return [max(low, 0.0), min(high, 1.0)] if isinf(low) or isinf(high) else [low, high]
    top = min(high, max(drawn) + 0.12 * (max(drawn) - max(low, min(0.0, *drawn)) or 1))
    bottom = min(max(low, 0.0), *drawn)
    margin = 0.03 * (top - bottom)
    return [bottom - margin, top + margin]
