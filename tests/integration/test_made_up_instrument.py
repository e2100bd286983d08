"""An instrument that no code has heard of: one YAML and one file of worked answers give everything that the shipped ones have."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from pipelines.cli import rom

AS_OF = date(2026, 6, 30)
DEFINITION = """\
id: calm7
name: CALM-7
full_name: Invented scale of calm, seven questions
edition: 7 items
kind: self_report
measures: calm, invented for a test
recall_days: 7
prefixes: [calm7, calm]
items: {count: 7, min: 1, max: 5, tags: {7: restless}}
codings:
  - {id: canonical, min: 1, max: 5, confidence: verified}
scales:
  - id: total
    label: Calm
    is_primary: true
    items: all
    reverse: [7]
    method: sum
    range: [7, 35]
    direction: higher_is_better
    missing: {rule: prorate, max_missing: 1}
    source: [us]
    confidence: verified
  - id: low_answers
    label: Answers of 1 or 2
    items: [1, 2, 3, 4, 5, 6]
    method: count_at_most
    threshold: 2
    range: [0, 6]
    direction: lower_is_better
    source: [us]
    confidence: verified
norms:
  - {id: everybody, scale: total, population: community, country: NL, n: 500, mean: 25, sd: 5, source: [us], confidence: verified}
reliabilities:
  - {id: alpha_us, scale: total, kind: alpha, value: 0.9, population: community, country: NL, n: 500, source: [us],
     confidence: verified}
cutoffs:
  - {id: calm, scale: total, value: 20, meaning: calm enough, source: [us], confidence: verified}
risk:
  - {id: item_7_alert, item: 7, about: restlessness, value: 5, level: alert, origin: project_rule, confidence: verified}
licence: {owner: nobody, status: free}
sources: {us: {cite: invented for this test, seen: here}}
"""
ITEMS = [f"calm7_{n:02d}" for n in range(1, 8)]
#: Answers, sum with question 7 turned round (6 - answer; a missing one: times 7 / answered), answers of 1 or 2 among the first six.
WORKED = [
    ("all lowest: 6 x 1 + (6 - 1)", "1111111", "11", "6"),
    ("all highest: 6 x 5 + (6 - 5)", "5555555", "31", "0"),
    ("the calmest: 6 x 5 + 5", "5555551", "35", "0"),
    ("the least calm: 6 x 1 + 1", "1111115", "7", "6"),
    ("all middle: 7 x 3", "3333333", "21", "0"),
    ("1 + 2 + 3 + 4 + 5 + 1 + (6 - 2)", "1234512", "20", "3"),
    ("all two: 6 x 2 + 4", "2222222", "16", "6"),
    ("all four: 6 x 4 + 2", "4444444", "26", "0"),
    ("one missing: 5 x 4 + 2 = 22 over six, x 7/6", "-444444", "154/6", ""),
    ("the turned one missing: 6 x 3 = 18, x 7/6", "333333-", "21", "0"),
    ("two missing", "--44444", "", ""),
    ("none answered", "-------", "", ""),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two files that somebody wrote."""
    folder = tmp_path_factory.mktemp("made_up")
    (folder / "calm7.yaml").write_text(DEFINITION, encoding="utf-8")
    with (folder / "calm7.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "source", *ITEMS, "total", "low_answers"])
        for case, answers, total, low in WORKED:
            writer.writerow([case, "hand calculation", *("" if a == "-" else a for a in answers), total, low])
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(rom, list(arguments))


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    """A demo in which everybody fills it in, after one night."""
    from pipelines.nightly import run

    root = folder / "home"
    made = call(
        "demo", "--home", str(root), "--programmes", "1", "--patients", "60", "--as-of", str(AS_OF),
        "--with", str(folder / "calm7.yaml"),
    )  # fmt: skip
    assert made.exit_code == 0, made.output
    (root / "instruments" / "calm7.csv").write_bytes((folder / "calm7.csv").read_bytes())
    summary = run(root, as_of=AS_OF, now=datetime(2026, 6, 30, 3, 0, tzinfo=UTC))
    assert summary.failures == []
    return root


@pytest.fixture(scope="module")
def table(home: Path):
    from assets.home import Home
    from assets.state import State

    return State(Home.open(home), AS_OF).read


def test_its_worked_answers_come_out(home: Path) -> None:
    checked = call("instruments", "--home", str(home), "check", "calm7")
    assert checked.exit_code == 0, checked.output


def test_it_has_assets_and_checks(home: Path) -> None:
    from pipelines.definitions import build_defs

    graph = build_defs(root=home).resolve_asset_graph()
    assert {"items/calm7", "findings/calm7", "scores/calm7"} <= {k.to_user_string() for k in graph.get_all_asset_keys()}
    checks = {k.to_user_string() for k in graph.asset_check_keys}
    assert {"findings/calm7:every_form_is_in_order", "scores/calm7:every_score_is_within_its_range"} <= checks


def test_its_synthetic_forms_arrive_answer_by_answer(home: Path, table) -> None:
    truth = pd.read_csv(home / "truth" / "answers_calm7.csv")
    items = table("items/calm7")
    assert len(items) > 100
    as_rows = [sorted(map(tuple, f[ITEMS].astype("Int16").fillna(-1).to_numpy().tolist())) for f in (truth, items)]
    assert as_rows[0] == as_rows[1]


def test_its_scores_are_those_of_hand_arithmetic_with_provenance(table) -> None:
    items, scores = table("items/calm7"), table("scores/calm7")
    total = scores[scores["scale"] == "total"].set_index("row_id")
    forms = items.set_index("row_id")[ITEMS].astype("float64").loc[total.index]
    forms["calm7_07"] = 6 - forms["calm7_07"]
    by_hand = (forms.mean(axis=1) * 7).where(forms.count(axis=1) >= 6)
    pd.testing.assert_series_equal(total["score"], by_hand, check_names=False, check_dtype=False)
    scored = total[total["score"].notna()]
    assert scored["norm_id"].eq("everybody").all()
    assert (scored["t_score"] - (50 + 10 * (scored["score"] - 25) / 5)).abs().max() < 1e-9
    assert (total["is_prorated"] == (forms.count(axis=1) == 6)).all()


def test_it_has_psychometrics_trajectories_and_a_plan(table) -> None:
    assert set(table("outcomes/psychometrics").query("instrument == 'calm7'")["scale"]) == {"total"}
    for name in ("outcomes/expected", "outcomes/trajectories", "outcomes/response"):
        assert table(name)["instrument"].eq("calm7").any(), name


def test_its_risk_rule_makes_alerts(table) -> None:
    items, alerts = table("items/calm7"), table("outcomes/alerts").query("instrument == 'calm7'")
    assert len(alerts) == (items["calm7_07"] == 5).sum() > 0


def test_its_figure_is_on_the_site(home: Path) -> None:
    page = (home / "published" / "site" / "programmes" / "amstel.html").read_text(encoding="utf-8")
    assert "CALM-7 Calm" in page
    assert "higher is better" in page


def test_it_has_a_page_and_a_place_in_the_data_dictionary(home: Path) -> None:
    page = call("instruments", "--home", str(home), "page", "calm7")
    assert page.exit_code == 0, page.output
    assert "CALM-7" in page.output
    assert "turned round" in page.output
    shown = call("tables", "--home", str(home), "scores/calm7")
    assert "calm7" in shown.output


def test_any_file_of_it_can_be_scored(home: Path, folder: Path) -> None:
    done = call("score", str(folder / "calm7.yaml"), str(folder / "calm7.csv"), "-o", str(folder / "scored.csv"))
    assert done.exit_code == 0, done.output
    scored = pd.read_csv(folder / "scored.csv")
    assert scored["calm7_total"].tolist()[:8] == [11, 31, 35, 7, 21, 20, 16, 26]
    assert scored["calm7_total_n_missing"].tolist()[8:] == [1, 1, 2, 7]
