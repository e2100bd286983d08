"""Every figure is valid Plotly, and what is withheld is named and not drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import pytest

from dashboards.figures.benchmark import EFFECT, change_measure, dot_figure
from dashboards.figures.course import course_figure
from dashboards.figures.quality import conservation_figure
from dashboards.figures.response import response_figure
from mbt_rom import registry

BSI = registry.instrument("bsi")
EQ5D = registry.instrument("eq5d3l")


def point(months: int, mean: float | None, *, suppressed: bool = False) -> dict[str, Any]:
    moment = "baseline" if months == 0 else f"m{months}"
    about = {"moment": moment, "months": months, "suppressed": suppressed, "n": None, "mean": mean}
    if mean is None:
        return about | dict.fromkeys(("lower_95", "upper_95", "quartile_1", "quartile_3"))
    return about | {"n": 40, "lower_95": mean - 0.2, "upper_95": mean + 0.2, "quartile_1": 0.9, "quartile_3": 2.0}


def course(points: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return course_figure(points, instrument=BSI, scale=BSI.primary, is_synthetic=True, **more)


def programme(name: str, change: float | None, *, n: int | None = 40, suppressed: str = "") -> dict[str, Any]:
    low, high = (None, None) if change is None else (change - 0.1, change + 0.1)
    return {
        "name": name, "suppressed": suppressed, "n_pairs": n, "mean_change": change, "change_lower_95": low,
        "change_upper_95": high, "effect": change, "effect_lower_95": low, "effect_upper_95": high,
    }  # fmt: skip


STRATA = [
    ("Day hospital", [programme("Amstel", -0.5), programme("Berk", None, n=None, suppressed="all")]),
    ("Outpatient", [programme("Duin", 0.1, n=11), programme("Eem", -0.2, n=12)]),
]


def texts(figure: dict[str, Any]) -> list[str]:
    return [annotation["text"] for annotation in figure["layout"]["annotations"]]


def test_every_figure_of_the_site_is_valid(parsed: dict[str, Any]) -> None:
    figures = [json.loads(text) for page in parsed.values() for text in page.figures.values()]
    assert len(figures) > 40
    for figure in figures:
        go.Figure(figure)  # raises on any unknown attribute or value


def test_the_validation_above_can_fail() -> None:
    with pytest.raises(ValueError, match="Invalid property"):
        go.Figure({"data": [{"type": "scatter", "colour": "red"}]})


def test_a_suppressed_moment_breaks_the_line_and_is_named() -> None:
    figure = course([point(0, 1.5), point(6, 1.2), point(12, None, suppressed=True), point(18, 1.0)])
    lines = [trace for trace in figure["data"] if "error_y" in trace]
    assert [trace["x"] for trace in lines] == [[0, 6], [18]]
    assert "withheld" in texts(figure)
    assert "withheld" in figure["layout"]["xaxis"]["ticktext"][2]


def test_a_suppressed_mean_is_not_drawn_even_if_it_is_there() -> None:
    leaked = point(6, 1.2, suppressed=True)
    figure = course([point(0, 1.5), leaked])
    assert [trace["x"] for trace in figure["data"] if "error_y" in trace] == [[0]]


def test_the_course_states_n_direction_and_reference_range() -> None:
    figure = course([point(0, 1.5)], cutoff=0.607, cutoff_label="boundary 0.607", responses={"baseline": "94 %"})
    assert figure["layout"]["xaxis"]["ticktext"] == ["<b>0</b><br>n 40<br>94 %"]
    assert "↓ lower is better" in texts(figure)
    assert "boundary 0.607" in texts(figure)
    assert figure["layout"]["shapes"][0]["y0"] == 0.607


def test_a_figure_holds_no_more_digits_than_its_table() -> None:
    figure = course([point(0, 1.23456)])
    assert figure["data"][1]["y"] == [1.23]
    drawn = dot_figure([("A", [programme("x", -0.123456)])], measure=EFFECT, is_synthetic=False)
    assert drawn["data"][0]["x"] == [-0.12]


def test_an_empty_course_is_still_a_figure() -> None:
    go.Figure(course([point(0, None, suppressed=True)]))
    go.Figure(course([]))


def test_programmes_stand_in_their_strata_from_the_top() -> None:
    figure = dot_figure(STRATA, measure=EFFECT, is_synthetic=False)
    axis = figure["layout"]["yaxis"]
    from_the_top = [text for _, text in sorted(zip(axis["tickvals"], axis["ticktext"], strict=True), reverse=True)]
    assert from_the_top == ["<b>Day hospital</b>", "Amstel", "Berk", "<b>Outpatient</b>", "Duin", "Eem"]


def test_a_withheld_programme_is_named_and_not_drawn() -> None:
    figure = dot_figure(STRATA, measure=EFFECT, is_synthetic=False)
    assert figure["data"][0]["x"] == [-0.5, 0.1, -0.2]
    assert texts(figure).count("<i>withheld</i>") == 1


def test_fewer_than_twelve_patients_have_no_colour() -> None:
    colours = dot_figure(STRATA, measure=EFFECT, is_synthetic=False)["data"][0]["marker"]["color"]
    assert [colour == "#ffffff" for colour in colours] == [False, True, False]


def test_better_is_to_the_right_on_every_scale() -> None:
    turned = dot_figure(STRATA, measure=change_measure(BSI.primary, 2), is_synthetic=False)["layout"]["xaxis"]["range"]
    straight = dot_figure(STRATA, measure=change_measure(EQ5D.primary, 3), is_synthetic=False)["layout"]["xaxis"][
        "range"
    ]
    assert turned[0] > turned[1]
    assert straight[0] < straight[1]


def test_a_figure_of_invented_data_says_so() -> None:
    real, invented = (dot_figure(STRATA, measure=EFFECT, is_synthetic=flag) for flag in (False, True))
    assert "SYNTHETIC DATA" not in texts(real)
    assert "SYNTHETIC DATA" in texts(invented)


def test_response_names_what_is_withheld() -> None:
    shown = {"moment": "baseline", "suppressed": "", "n_received": 30, "n_eligible": 40, "response_share": 0.75,
             "lower_95": 0.6, "upper_95": 0.86}  # fmt: skip
    hidden = {
        **shown,
        "moment": "m6",
        "suppressed": "all",
        "n_received": None,
        "n_eligible": None,
        "response_share": None,
    }
    figure = response_figure([hidden, shown], is_synthetic=False)
    assert figure["data"][0]["y"] == [75.0]
    assert figure["layout"]["xaxis"]["ticktext"] == ["<b>0</b><br>30<br>of 40", "<b>6</b><br>"]
    assert "withheld" in texts(figure)


def test_parts_of_the_conservation_law_add_up_to_what_was_offered() -> None:
    row = {"name": "A", "n_offered": 21, "n_accepted": 10, "n_superseded": 1, "n_duplicate": 2, "n_set_aside": 3,
           "n_left_out": 4, "n_blank": 1}  # fmt: skip
    figure = conservation_figure([row], is_synthetic=False)
    assert sum(trace["x"][0] for trace in figure["data"]) == 21
    patterns = {trace["name"]: trace["marker"]["pattern"]["shape"] for trace in figure["data"]}
    assert patterns["set aside"] != patterns["accepted"]


def test_a_name_is_not_markup() -> None:
    rows = [replace_name(STRATA[0][1][0], "<a href='x'>Amstel</a>")]
    figure = dot_figure([("A", rows)], measure=replace(EFFECT, better=""), is_synthetic=False)
    assert not any("<a" in text for text in figure["layout"]["yaxis"]["ticktext"])


def replace_name(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {**row, "name": name}
