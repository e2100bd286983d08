"""What became of every row that was delivered: the conservation law as one bar per programme and instrument.

Belongs here: drawing rows of `deliveries/conservation`. Does not belong here: counting them.
"""

from __future__ import annotations

from dashboards import theme
from dashboards.data import Row
from dashboards.figures.benchmark import label
from dashboards.theme import DISPOSITION_FILLS, Figure
from dashboards.wording import number

DISPOSITIONS = {
    "n_accepted": "accepted",
    "n_superseded": "superseded",
    "n_duplicate": "duplicate",
    "n_set_aside": "set aside",
    "n_left_out": "left out",
    "n_blank": "blank",
}
_ROW, _FRAME = 36, 120


def conservation_figure(counted: list[Row], *, is_synthetic: bool) -> Figure:
    """Stacked bars, one per row of `counted` (with a `name` each) from the top; the parts add up to the rows offered."""
    names = [label(row["name"]) for row in counted]
    traces = [_part(counted, column, text) for column, text in DISPOSITIONS.items() if any(r[column] for r in counted)]
    layout = {
        "height": _FRAME + _ROW * len(names),
        "barmode": "stack",
        "bargap": 0.35,
        "showlegend": True,
        "legend": {"traceorder": "normal", "y": 1.0},
        "hovermode": "closest",
        "xaxis": {"title": {"text": "rows offered (forms)"}, "rangemode": "tozero"},
        "yaxis": {
            "autorange": "reversed", "tickvals": list(range(len(names))), "ticktext": names, "ticks": "", "showgrid": False,
        },
    }  # fmt: skip
    return theme.figure(data=traces, layout=layout, is_synthetic=is_synthetic)


def _part(counted: list[Row], column: str, text: str) -> Figure:
    return {
        "type": "bar",
        "orientation": "h",
        "name": text,
        "y": list(range(len(counted))),
        "x": [row[column] for row in counted],
        "marker": DISPOSITION_FILLS[column].marker(),
        "hovertext": [f"<b>{label(row['name'])}</b><br>{text}: {number(row[column])}" for row in counted],
        "hoverinfo": "text",
    }
