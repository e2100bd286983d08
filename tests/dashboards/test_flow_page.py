"""The page "Flow": what it says of a large, a small and an unknown programme, and that what is withheld cannot be worked out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards.site import SiteData, site
from mbt_rom import disclosure
from tests.dashboards.conftest import Page

FIGURES = ("flow-cohort", "flow-wait", "flow-stay", "flow-ends", "flow-attendance", "flow-left-bsi")


@pytest.fixture(scope="module")
def page(parsed: dict[str, Any]) -> Any:
    return parsed["flow/duin.html"]


def test_every_figure_of_the_page_is_one_that_plotly_takes(page: Any) -> None:
    for name in FIGURES:
        go.Figure(json.loads(page.figures[f"{name}-data"]))


def test_the_bars_add_up_to_those_referred_and_those_who_started(page: Any, site_data: SiteData) -> None:
    drawn = json.loads(page.figures["flow-cohort-data"])["data"]
    total = site_data.flow.query("programme_id == 'duin' and cohort == 'all'").iloc[0]
    lengths = [sum(t["x"][0] for t in drawn if t["y"] == [place]) for place in (0, 1)]
    assert lengths == [total["n_referred"], total["n_started"]]


def test_the_number_at_risk_stands_under_the_curve(page: Any, site_data: SiteData) -> None:
    axis = json.loads(page.figures["flow-stay-data"])["layout"]["xaxis"]
    rows = site_data.flow_curves.query("programme_id == 'duin' and cohort == 'all' and curve == 'stay'").set_index(
        "month"
    )
    assert axis["ticktext"][1] == f"<b>6</b><br>{rows.loc[6, 'n_at_risk']}"


def test_a_curve_ends_where_nobody_is_left(site_data: SiteData) -> None:
    curves = site_data.flow_curves.copy()
    of_waits = curves["curve"].eq("wait") & curves["cohort"].eq("all") & curves["programme_id"].eq("duin")
    curves.loc[of_waits & curves["month"].ge(12), "share"] = 0.0
    drawn = Page(site(replace(site_data, flow_curves=curves))["flow/duin.html"].decode()).figures["flow-wait-data"]
    (_, line) = json.loads(drawn)["data"]
    assert line["x"] == [0, 3, 6, 9, 12]
    assert line["y"][-1] == 0


def test_few_patients_show_no_count_and_no_figure(parsed: dict[str, Any]) -> None:
    small = parsed["flow/linge.html"]
    (row,) = small.tables[0][1:]
    assert row[0] == "All years"
    assert {"withheld"} == set(row[2:5]) | set(row[6:10])
    assert "Years with a count under 10 are left out" in small.text
    assert "flow-ends-data" not in small.figures
    assert "flow-attendance-data" not in small.figures


def test_a_programme_without_episodes_says_so(parsed: dict[str, Any]) -> None:
    assert "No episodes are registered" in parsed["flow/zaan.html"].text


def flow_rows(*cohorts: dict[str, int]) -> pd.DataFrame:
    """Rows of outcomes/flow with all cohorts together added; counts that are not named are 20."""
    names = [
        "n_referred", "n_not_taken_on", "n_undecided", "n_waiting", "n_introductory", "n_left_before_start", "n_started",
        "n_in_treatment", "n_completed", "n_dropped_out", "n_referred_on", "n_died", "n_ended", "n_wait", "n_stay",
    ]  # fmt: skip
    base = dict.fromkeys(names, 20) | {"n_referred": 160, "n_started": 120, "n_wait": 60, "n_stay": 100}
    rows = [{"cohort": str(2020 + k), **base, **given} for k, given in enumerate(cohorts)]
    total = {"cohort": "all", **{n: sum(r[n] for r in rows) for n in names}}
    limits = [f"{n}{end}" for n in ("completed", "wait_km", "stay_km") for end in ("_lower_95", "_upper_95")]
    more = dict.fromkeys([*limits, "completed_share", "wait_km_median", "stay_km_median"], 0.5)
    frame = pd.DataFrame([*rows, total]).assign(programme_id="p", complete_on=pd.NaT, is_complete=None, **more)
    return frame.astype(dict.fromkeys(names, "Int64"))


def test_a_cohort_that_is_withheld_cannot_be_had_from_all_minus_the_others() -> None:
    shown = disclosure.protect_flow(flow_rows({}, {}, {"n_completed": 3}), threshold=10).set_index("cohort")
    assert shown.loc["all", "suppressed"] == ""
    hidden = [c for c in ("2020", "2021", "2022") if shown.loc[c, "suppressed"] == "all"]
    assert hidden == ["2020", "2022"], "one year alone would be all minus the others; together they are not small"
    assert shown.loc[hidden, ["n_started", "n_completed", "stay_km_median"]].isna().all(axis=None)


def test_an_end_that_few_had_is_withheld_with_one_that_would_give_it_away() -> None:
    rows = flow_rows({"n_referred_on": 1, "n_died": 1, "n_ended": 0, "n_started": 62})
    shown = disclosure.protect_flow(rows, threshold=10).set_index("cohort").loc["all"]
    assert pd.isna(shown["n_other_end"])
    assert len(set(shown["suppressed"].split()) & {"n_in_treatment", "n_dropped_out", "n_completed"}) >= 1


def test_response_of_leavers_needs_both_groups_to_be_enough() -> None:
    rows = pd.DataFrame({
        "programme_id": "p", "instrument": "bsi", "moment": ["m6", "m12", "m18"], "n_eligible": [40, 40, 40],
        "n_received": [30, 30, 30], "n_left_eligible": [15, 31, pd.NA], "n_left_received": [10, 20, pd.NA],
    }).astype(dict.fromkeys(("n_eligible", "n_received", "n_left_eligible", "n_left_received"), "Int64"))  # fmt: skip
    found = disclosure.protect_leavers(rows, threshold=10)
    assert found["moment"].tolist() == ["m6"]
    # 10 of 15 by hand: centre (0.6667 + 3.8415 / 30) / 1.2561 = 0.6327, half 1.96 sqrt(0.014815 + 0.004268) / 1.2561 = 0.2156
    limits = found.loc[0, ["left_share", "left_lower_95", "left_upper_95"]].astype(float).round(3)
    assert limits.tolist() == [0.667, 0.417, 0.848]
