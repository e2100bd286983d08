"""Colours, type and the Plotly template of everything that is drawn, and the way a figure becomes text.

Belongs here: looks that figures share. Does not belong here: any single figure, HTML, or Plotly itself: figures are plain
dictionaries (building a `go.Figure` costs 15 ms), and the tests hold them against `plotly.graph_objects`.

The colours differ in lightness, not only in hue, so that they survive a greyscale printer and colour blindness; areas that
touch also differ by pattern.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Figure = dict[str, Any]

INK = "#1c2b36"
MUTED = "#566572"
GRID = "#e4e9ed"
AXIS = "#b9c3cb"
PAPER = "#ffffff"
PRIMARY = "#124e6b"
BAND = "#d3e2ea"
QUIET = "#7d8b97"
REFERENCE = "#8a5a00"
FONT = '-apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'


@dataclass(frozen=True)
class Fill:
    """Colour and pattern of one kind of bar; the pattern tells it apart where the colour does not."""

    color: str
    pattern: str = ""

    def marker(self) -> dict[str, Any]:
        """The `marker` of a Plotly bar."""
        return {
            "color": self.color,
            "line": {"color": PAPER, "width": 1},
            "pattern": {"shape": self.pattern, "fgcolor": PAPER, "fillmode": "overlay", "size": 6, "solidity": 0.35},
        }


#: What became of an offered row, in the order of the conservation law.
DISPOSITION_FILLS: dict[str, Fill] = {
    "n_accepted": Fill(PRIMARY),
    "n_superseded": Fill("#6f9db5"),
    "n_duplicate": Fill("#a9c3d0", "."),
    "n_set_aside": Fill("#c8601c", "/"),
    "n_left_out": Fill("#8c97a0", "x"),
    "n_blank": Fill("#d9dfe3"),
}

_AXIS: dict[str, Any] = {
    "automargin": True,
    "fixedrange": True,
    "gridcolor": GRID,
    "linecolor": AXIS,
    "tickcolor": AXIS,
    "ticks": "outside",
    "ticklen": 4,
    "title": {"font": {"size": 13, "color": MUTED}, "standoff": 10},
    "zeroline": False,
}

#: Layout template, validated in the tests.
TEMPLATE: Figure = {
    "layout": {
        "colorway": [PRIMARY, "#c8601c", "#6f9db5", QUIET],
        "dragmode": False,
        "font": {"family": FONT, "size": 13, "color": INK},
        "hoverlabel": {"bgcolor": INK, "bordercolor": INK, "font": {"color": PAPER, "family": FONT, "size": 13}},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 8, "r": 12, "t": 34, "b": 8},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "separators": ".",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
}


def rounded(row: dict[str, Any], *columns: str, decimals: int) -> dict[str, Any]:
    """The row with these columns rounded as they are written, so that a figure gives away no more than its table.

    >>> rounded({"mean": 1.2345, "n": 12}, "mean", decimals=2)
    {'mean': 1.23, 'n': 12}
    """
    return row | {c: round(float(row[c]), decimals) for c in columns if row[c] is not None}


def note(text: str, **place: Any) -> Figure:
    """A quiet remark inside a figure; `place` overrides where it stands (paper coordinates, lower right, by default)."""
    where = {"xref": "paper", "yref": "paper", "x": 1, "y": 1, "xanchor": "right", "yanchor": "bottom"}
    return {"text": text, "showarrow": False, "font": {"size": 12, "color": MUTED}, **where, **place}


def synthetic_mark() -> Figure:
    """The mark that goes with a picture wherever it is copied to."""
    font = {"size": 26, "color": "rgba(28, 43, 54, 0.10)"}
    middle = {"x": 0.5, "y": 0.5, "xanchor": "center", "yanchor": "middle"}
    return note("SYNTHETIC DATA", font=font, textangle=-12, **middle)


def figure(*, data: list[Figure], layout: Figure, is_synthetic: bool) -> Figure:
    """A figure in the common template, marked when its data are synthetic."""
    annotations = [*layout.get("annotations", [])]
    if is_synthetic:
        annotations.insert(0, synthetic_mark())
    return {"data": data, "layout": {"template": TEMPLATE, **layout, "annotations": annotations}}


def as_json(drawn: Figure) -> str:
    """The figure as JSON that can stand inside a `<script>` element whatever its texts contain.

    >>> as_json({"name": "</script>"})
    '{"name":"\\\\u003c/script\\\\u003e"}'
    """
    text = json.dumps(drawn, allow_nan=False, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
