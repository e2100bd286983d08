"""Programmes beside each other, in strata and by name: a point and its 95 % interval each.

Belongs here: drawing rows of the benchmark after disclosure control. Does not belong here: computing them, ranking them.
Better is always to the right: the axis of the change is turned round for a scale on which lower is better.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from dashboards import theme
from dashboards.data import Row
from dashboards.theme import Figure
from dashboards.wording import is_withheld, number, percent
from mbt_rom.model import Scale

#: No colour below this number of patients (methods page, section 6).
COLOUR_FROM = 12
_ROW, _FRAME = 36, 96


@dataclass(frozen=True)
class Measure:
    """What a dot plot shows: the column, its limits, the column with n, and how values are written.

    Drawn values have the `decimals` of the written ones: a figure gives away no more than the table.
    """

    value: str
    lower: str
    upper: str
    n: str
    axis: str
    write: Callable[[float], str]
    decimals: int
    reference: float | None = 0.0
    is_turned: bool = False
    better: str = "better →"
    is_share: bool = False


def change_measure(scale: Scale, decimals: int) -> Measure:
    """The mean change in the unit of the scale, turned so that better is to the right."""
    return Measure(
        "mean_change", "change_lower_95", "change_upper_95", "n_pairs", f"mean change ({scale.unit.split(' (')[0]})",
        lambda v: number(v, decimals), decimals, is_turned=scale.direction == "lower_is_better",
    )  # fmt: skip


EFFECT = Measure(
    "effect", "effect_lower_95", "effect_upper_95", "n_pairs", "standardised effect (SD)",
    lambda v: number(v, 2), 2,
)  # fmt: skip
IMPROVED = Measure(
    "improved_share", "improved_lower_95", "improved_upper_95", "n_classified", "reliably improved (% of classified)",
    percent, 2, reference=None, better="", is_share=True,
)  # fmt: skip
WORSE = Measure(
    "worse_share", "worse_lower_95", "worse_upper_95", "n_classified", "reliably worse (% of classified)",
    percent, 2, reference=None, better="", is_share=True,
)  # fmt: skip


def dot_figure(strata: list[tuple[str, list[Row]]], *, measure: Measure, is_synthetic: bool) -> Figure:
    """Dot plot of one measure.

    `strata` are pairs of a heading and the rows of that stratum (with a `name` each) in the order in which they are
    drawn, from the top. A withheld value is named at its place; nothing is drawn at zero for it.
    """
    lines: list[tuple[str, Row | None]] = []
    for heading, members in strata:
        lines += [
            (f"<b>{label(heading)}</b>", None),
            *((label(row["name"]), _rounded(row, measure)) for row in members),
        ]
    place = {index: len(lines) - 1 - index for index in range(len(lines))}
    drawn = [(place[i], row) for i, (_, row) in enumerate(lines) if row is not None and is_drawn(row, measure)]
    remarks = [
        _remark(place[i], row, measure)
        for i, (_, row) in enumerate(lines)
        if row is not None and not is_drawn(row, measure)
    ]
    layout = {
        "height": _FRAME + _ROW * len(lines),
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": _values(drawn, measure),
        "yaxis": {
            "range": [-0.7, len(lines) - 0.3], "tickvals": [place[i] for i in range(len(lines))],
            "ticktext": [text for text, _ in lines], "ticks": "", "showgrid": True, "gridwidth": 1,
        },
        "shapes": _zero(measure),
        "annotations": [*([theme.note(measure.better)] if measure.better else []), *remarks],
    }  # fmt: skip
    return theme.figure(data=[_dots(drawn, measure)], layout=layout, is_synthetic=is_synthetic)


def label(name: str) -> str:
    """The name of a programme, broken so that it leaves room for the figure on a phone."""
    return "<br>".join(textwrap.wrap(name.replace("<", "&lt;"), 24, max_lines=2, placeholder=" …"))


def is_drawn(row: Row, measure: Measure) -> bool:
    """True when the value exists and may be shown."""
    return row[measure.value] is not None and not is_withheld(row, measure.value, measure.n)


def _dots(drawn: list[tuple[int, Row]], measure: Measure) -> Figure:
    factor = 100 if measure.is_share else 1
    values = [round(factor * row[measure.value], 6) for _, row in drawn]
    upper = [factor * _limit(row, measure.upper, measure) for _, row in drawn]
    lower = [factor * _limit(row, measure.lower, measure) for _, row in drawn]
    colours = [theme.PRIMARY if (row[measure.n] or 0) >= COLOUR_FROM else theme.PAPER for _, row in drawn]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": values,
        "y": [y for y, _ in drawn],
        "marker": {"color": colours, "size": 11, "line": {"color": [_edge(c) for c in colours], "width": 2}},
        "error_x": {
            "type": "data", "symmetric": False, "array": [round(u - v, 6) for u, v in zip(upper, values, strict=True)],
            "arrayminus": [round(v - low, 6) for low, v in zip(lower, values, strict=True)],
            "color": theme.QUIET, "thickness": 2, "width": 0,
        },
        "hovertext": [_hover(row, measure) for _, row in drawn],
        "hoverinfo": "text",
    }  # fmt: skip


def _rounded(row: Row, measure: Measure) -> Row:
    return theme.rounded(row, measure.value, measure.lower, measure.upper, decimals=measure.decimals)


def _edge(colour: str) -> str:
    return theme.PRIMARY if colour == theme.PRIMARY else theme.QUIET


def _limit(row: Row, column: str, measure: Measure) -> float:
    limit = row[column]
    return float(row[measure.value] if limit is None else limit)


def _hover(row: Row, measure: Measure) -> str:
    limits = "" if row[measure.lower] is None else (
        f"<br>95 % interval {measure.write(row[measure.lower])} to {measure.write(row[measure.upper])}"
    )  # fmt: skip
    return f"<b>{label(row['name'])}</b><br>{measure.write(row[measure.value])}, n = {row[measure.n]}{limits}"


def _remark(place: int, row: Row, measure: Measure) -> Figure:
    text = "withheld" if is_withheld(row, measure.value, measure.n) else "no data"
    font = {"size": 12, "color": theme.QUIET}
    return theme.note(
        f"<i>{text}</i>", font=font, x=0.02, xanchor="left", yref="y", y=place, yanchor="middle", bgcolor=theme.PAPER
    )


def _values(drawn: list[tuple[int, Row]], measure: Measure) -> Figure:
    if measure.is_share:
        return {"title": {"text": measure.axis}, "range": [-3, 103], "tickvals": [0, 25, 50, 75, 100]}
    ends = [_limit(row, c, measure) for _, row in drawn for c in (measure.value, measure.lower, measure.upper)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    margin = 0.06 * ((high - low) or 1)
    limits = [low - margin, high + margin]
    return {"title": {"text": measure.axis}, "range": limits[::-1] if measure.is_turned else limits}


def _zero(measure: Measure) -> list[Figure]:
    if measure.reference is None:
        return []
    return [{
        "type": "line", "xref": "x", "x0": measure.reference, "x1": measure.reference, "yref": "paper", "y0": 0,
        "y1": 1, "layer": "below", "line": {"color": theme.INK, "width": 1, "dash": "dot"},
    }]  # fmt: skip
