"""Flow of one programme: what became of those referred and those who started, waiting and staying, ends, attendance.

Belongs here: drawing what disclosure control lets through. Does not belong here: computing it, or deciding what may be shown.
"""

from __future__ import annotations

from dashboards import theme
from dashboards.data import Row
from dashboards.theme import Figure, Fill
from dashboards.wording import is_withheld, moment_label, moment_order, number, percent

HEIGHT = 320
#: What became of those referred and of those who started, with the bar it is part of.
PARTS = {
    "n_began": ("referred", "started treatment", Fill(theme.PRIMARY)),
    "n_before_start": ("referred", "waiting or in the introductory course", Fill("#6f9db5", "/")),
    "n_closed": ("referred", "not taken on, or left before the start", Fill("#d9dfe3", "x")),
    "n_completed": ("started", "completed", Fill("#124e6b", ".")),
    "n_in_treatment": ("started", "in treatment", Fill("#a9c3d0")),
    "n_dropped_out": ("started", "dropped out", Fill("#c8601c", "/")),
    "n_other_end": ("started", "another end", Fill("#8c97a0", "x")),
}
WITHHELD = Fill("#f2f4f6", "-")
ENDS = {"completed": "n_completed", "dropped_out": "n_dropped_out", "other_end": "n_other_end"}
_BARS = ("referred", "started")


def cohort_figure(row: Row, *, is_synthetic: bool) -> Figure:
    """Two bars that add up: those referred, and those who started; counts that are withheld are one grey part."""
    traces = [_part(row, column) for column in PARTS if row[column] is not None and not is_withheld(row, column)]
    layout = {
        "height": 230,
        "barmode": "stack",
        "bargap": 0.45,
        "showlegend": True,
        "legend": {"traceorder": "normal", "y": 1.02},
        "hovermode": "closest",
        "xaxis": {"title": {"text": "people"}, "rangemode": "tozero"},
        "yaxis": {"autorange": "reversed", "tickvals": [0, 1], "ticktext": ["Referred", "Started"], "ticks": "", "showgrid": False},
    }  # fmt: skip
    return theme.figure(data=[*traces, *_rest(row)], layout=layout, is_synthetic=is_synthetic)


def _part(row: Row, column: str) -> Figure:
    bar, text, fill = PARTS[column]
    return _bar(_BARS.index(bar), row[column], text, fill)


def _bar(place: int, count: int, text: str, fill: Fill) -> Figure:
    return {
        "type": "bar", "orientation": "h", "name": text, "y": [place], "x": [count], "marker": fill.marker(),
        "hovertext": [f"{text}: {number(count)}"], "hoverinfo": "text",
    }  # fmt: skip


def _rest(row: Row) -> list[Figure]:
    """What is withheld of each bar, which the total that is shown gives anyhow."""
    found = []
    for place, (bar, total) in enumerate(zip(_BARS, ("n_referred", "n_started"), strict=True)):
        mine = [c for c, (of, _, _) in PARTS.items() if of == bar]
        if row[total] is None:
            continue
        rest = row[total] - sum(row[c] for c in mine if row[c] is not None)
        if rest > 0:
            found.append(_bar(place, rest, f"withheld ({bar})", WITHHELD))
    return found


def curve_figure(points: list[Row], *, since: str, title: str, is_synthetic: bool) -> Figure:
    """Kaplan-Meier with its band; under each month the number still at risk."""
    points = sorted(points, key=lambda p: p["month"])
    months, shares = [p["month"] for p in points], [_percent(p["share"]) for p in points]
    lower = [_percent(p["lower_95"] if p["lower_95"] is not None else p["share"]) for p in points]
    upper = [_percent(p["upper_95"] if p["upper_95"] is not None else p["share"]) for p in points]
    band = {
        "type": "scatter", "mode": "lines", "x": months + months[::-1], "y": upper + lower[::-1], "fill": "toself",
        "fillcolor": theme.BAND, "line": {"width": 0}, "hoverinfo": "skip",
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines+markers", "x": months, "y": shares,
        "line": {"color": theme.PRIMARY, "width": 2}, "marker": {"color": theme.PRIMARY, "size": 6},
        "hovertext": [_told(p) for p in points], "hoverinfo": "text",
    }  # fmt: skip
    return theme.figure(data=[band, line], layout=_layout(points, since=since, title=title), is_synthetic=is_synthetic)


def ends_figure(points: list[Row], *, is_synthetic: bool) -> Figure:
    """The ends stacked month by month; what is left up to 100 % is still in treatment."""
    traces = []
    for outcome, column in ENDS.items():
        mine = sorted((p for p in points if p["outcome"] == outcome), key=lambda p: p["month"])
        _, text, fill = PARTS[column]
        traces.append({
            "type": "scatter", "mode": "lines", "name": text, "stackgroup": "ends",
            "x": [p["month"] for p in mine], "y": [_percent(p["share"]) for p in mine],
            "line": {"color": theme.PAPER, "width": 1}, "fillcolor": fill.color,
            "fillpattern": {"shape": fill.pattern, "fgcolor": theme.PAPER, "fillmode": "overlay", "size": 6, "solidity": 0.35},
            "hovertext": [f"{text} by month {p['month']}: {percent(p['share'])}" for p in mine], "hoverinfo": "text",
        })  # fmt: skip
    at = [p for p in points if p["outcome"] == "completed"]
    layout = _layout(sorted(at, key=lambda p: p["month"]), since="the start", title="ended in that way (%)")
    return theme.figure(data=traces, layout={**layout, "showlegend": True}, is_synthetic=is_synthetic)


def attendance_figure(months: list[Row], *, is_synthetic: bool) -> Figure:
    """Share of the offered contacts that were kept, month by month, with its interval."""
    shares = [_percent(m["attended_share"]) for m in months]
    known = [m["lower_95"] is not None for m in months]
    upper = [_percent(m["upper_95"]) - s if k else 0 for m, s, k in zip(months, shares, known, strict=True)]
    lower = [s - _percent(m["lower_95"]) if k else 0 for m, s, k in zip(months, shares, known, strict=True)]
    line = {
        "type": "scatter", "mode": "lines+markers", "x": [f"{m['month_on']:%Y-%m-01}" for m in months], "y": shares,
        "line": {"color": theme.PRIMARY, "width": 1.5}, "marker": {"color": theme.PRIMARY, "size": 7},
        "error_y": {"type": "data", "symmetric": False, "array": upper, "arrayminus": lower, "color": "#6f9db5", "thickness": 1.2, "width": 3},
        "hovertext": [f"{m['month_on']:%B %Y}: {percent(m['attended_share'])} of {number(m['n_offered'])} contacts" for m in months],
        "hoverinfo": "text",
    }  # fmt: skip
    layout = {
        "height": HEIGHT, "showlegend": False, "hovermode": "closest", "xaxis": {"title": {"text": "month"}, "type": "date"},
        "yaxis": {"title": {"text": "attended (% of offered)"}, "range": [-2, 104], "tickvals": [0, 25, 50, 75, 100]},
    }  # fmt: skip
    return theme.figure(data=[line], layout=layout, is_synthetic=is_synthetic)


def leavers_figure(rows: list[Row], *, is_synthetic: bool) -> Figure:
    """Response of those who left treatment beside that of the others, per moment."""
    rows = sorted(rows, key=lambda r: moment_order(r["moment"]))
    layout = {
        "height": HEIGHT, "barmode": "group", "showlegend": True, "hovermode": "closest",
        "xaxis": {"title": {"text": "moment"}},
        "yaxis": {"title": {"text": "received (% of eligible)"}, "range": [-2, 104], "tickvals": [0, 25, 50, 75, 100]},
    }  # fmt: skip
    kinds = (("other", "others", Fill(theme.PRIMARY)), ("left", "left treatment", Fill("#c8601c", "/")))
    return theme.figure(data=[_answered(rows, *kind) for kind in kinds], layout=layout, is_synthetic=is_synthetic)


def _answered(rows: list[Row], kind: str, text: str, fill: Fill) -> Figure:
    shares, lower, upper = ([_percent(r[f"{kind}_{c}"]) for r in rows] for c in ("share", "lower_95", "upper_95"))
    counts = [f"{number(r[f'{kind}_received'])} of {number(r[f'{kind}_eligible'])}" for r in rows]
    return {
        "type": "bar", "name": text, "x": [moment_label(r["moment"]) for r in rows], "y": shares, "marker": fill.marker(),
        "error_y": {
            "type": "data", "symmetric": False, "array": [u - s for u, s in zip(upper, shares, strict=True)],
            "arrayminus": [s - low for low, s in zip(lower, shares, strict=True)], "color": theme.INK, "thickness": 1.2, "width": 4,
        },
        "hovertext": [f"{text}: {n}, 95 % interval {low} to {u} %" for n, low, u in zip(counts, lower, upper, strict=True)],
        "hoverinfo": "text",
    }  # fmt: skip


def _layout(points: list[Row], *, since: str, title: str) -> Figure:
    """Months with the number at risk under them."""
    marked = [p for p in points if p["month"] % 6 == 0]
    return {
        "height": HEIGHT, "showlegend": False, "hovermode": "closest",
        "xaxis": {
            "tickvals": [p["month"] for p in marked], "showgrid": False, "tickangle": 0,
            "ticktext": [f"<b>{p['month']}</b><br>{at_risk(p)}" for p in marked],
            "title": {"text": f"months since {since}, and people at risk"},
        },
        "yaxis": {"title": {"text": title}, "range": [-2, 104], "tickvals": [0, 25, 50, 75, 100]},
    }  # fmt: skip


def at_risk(point: Row) -> str:
    """The number at risk; a word where it is too small to be shown."""
    return "few" if point["n_at_risk"] is None else number(point["n_at_risk"])


def _percent(share: float) -> int:
    return round(100 * share)


def _told(point: Row) -> str:
    limits = (
        ""
        if point["lower_95"] is None
        else f"<br>95 % interval {percent(point['lower_95'])} to {percent(point['upper_95'])}"
    )
    return f"<b>Month {point['month']}</b><br>{percent(point['share'])}{limits}<br>at risk: {at_risk(point)}"
