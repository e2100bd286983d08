"""The response of one programme to one instrument: share received per moment with its Wilson interval.

Belongs here: drawing rows of `outcomes/response`. Does not belong here: computing them.
"""

from __future__ import annotations

from dashboards import theme
from dashboards.data import Row
from dashboards.theme import Figure
from dashboards.wording import moment_label, moment_order, percent, response_cell

HEIGHT = 300


def response_figure(moments: list[Row], *, is_synthetic: bool) -> Figure:
    """Figure of the response per moment.

    `moments` are rows of `outcomes/response` of one programme and instrument after disclosure control. A moment that is
    withheld is named at its place and not drawn.
    """
    moments = sorted(moments, key=lambda m: moment_order(m["moment"]))
    cells = [response_cell(m) for m in moments]
    drawn = [(i, m) for i, (m, cell) in enumerate(zip(moments, cells, strict=True)) if cell.is_shown]
    remarks = [_remark(i, cell.text) for i, cell in enumerate(cells) if not cell.is_shown]
    layout = {
        "height": HEIGHT,
        "showlegend": False,
        "hovermode": "closest",
        "xaxis": {
            "range": [-0.5, len(moments) - 0.5], "showgrid": False, "tickangle": 0, "tickvals": list(range(len(moments))),
            "ticktext": [_tick(m, cell.is_shown) for m, cell in zip(moments, cells, strict=True)],
            "title": {"text": "months since the start, received of eligible"},
        },
        "yaxis": {
            "title": {"text": "received (% of eligible)"}, "range": [-2, 104], "tickvals": [0, 25, 50, 75, 100],
        },
        "annotations": remarks,
    }  # fmt: skip
    return theme.figure(data=[_bars(drawn), _dots(drawn)], layout=layout, is_synthetic=is_synthetic)


def _bars(drawn: list[tuple[int, Row]]) -> Figure:
    return {
        "type": "bar", "x": [i for i, _ in drawn], "y": [100 * m["response_share"] for _, m in drawn], "width": 0.5,
        "marker": {"color": theme.BAND}, "hoverinfo": "skip",
    }  # fmt: skip


def _dots(drawn: list[tuple[int, Row]]) -> Figure:
    shares = [100 * m["response_share"] for _, m in drawn]
    upper = [100 * m["upper_95"] - s for (_, m), s in zip(drawn, shares, strict=True)]
    lower = [s - 100 * m["lower_95"] for (_, m), s in zip(drawn, shares, strict=True)]
    return {
        "type": "scatter", "mode": "markers", "x": [i for i, _ in drawn], "y": shares,
        "marker": {"color": theme.PRIMARY, "size": 9},
        "error_y": {
            "type": "data", "symmetric": False, "array": upper, "arrayminus": lower,
            "color": theme.PRIMARY, "thickness": 1.5, "width": 5,
        },
        "hovertext": [_hover(m) for _, m in drawn], "hoverinfo": "text",
    }  # fmt: skip


def _tick(moment: Row, is_shown: bool) -> str:
    month = moment_order(moment["moment"])
    return (
        f"<b>{month}</b><br>{moment['n_received']}<br>of {moment['n_eligible']}" if is_shown else f"<b>{month}</b><br>"
    )


def _hover(moment: Row) -> str:
    return (
        f"<b>{moment_label(moment['moment'])}</b><br>{percent(moment['response_share'])}: "
        f"{moment['n_received']} of {moment['n_eligible']}<br>"
        f"95 % interval {percent(moment['lower_95'])} to {percent(moment['upper_95'])}"
    )


def _remark(place: int, text: str) -> Figure:
    font = {"size": 12, "color": theme.QUIET}
    return theme.note(text, font=font, textangle=-90, xref="x", x=place, xanchor="center", y=0.06)
