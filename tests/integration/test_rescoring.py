"""A definition changes: exactly the tables that read the changed part are out of date, for Dagster and for the night, and the
next night computes them and no other. Likewise for what the scores read of the register of patients.

The instrument is a made-up one of the home itself: MOOD-5, five answers of 0 to 3.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCauseCategory
from dagster._core.loader import LoadingContextForTest
from deltalake import DeltaTable

from assets.home import Home
from assets.state import State
from pipelines.definitions import build_defs
from pipelines.instance import open_instance
from pipelines.nightly import run, stale_across, stale_tables

AS_OF = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, 0, tzinfo=UTC)
NUMBERS = [f"{200100 + i}" for i in range(14)]
MOOD5 = """
id: mood5
name: MOOD-5
full_name: Mood in five questions (made up for this test)
edition: first
kind: self_report
measures: mood
items: {count: 5, min: 0, max: 3}
codings: [{id: canonical, min: 0, max: 3, confidence: verified}]
scales:
  - {id: total, label: Total, is_primary: true, items: all, reverse: [], method: sum, range: [0, 15],
     direction: lower_is_better, confidence: verified}
norms:
  - {id: community, scale: total, population: community, language: nl, mean: 5.0, sd: 2.0, confidence: verified}
severity_bands:
  - {scale: total, lower: 0, upper: 7, label: fair, confidence: verified}
  - {scale: total, lower: 8, upper: 15, label: low, confidence: verified}
licence: {status: public_domain}
"""
#: Turns round the fourth and fifth answer: another scoring of the same forms.
REVERSED = ("reverse: []", "reverse: [4, 5]")
AFTER_SCORES = {
    "scores/mood5", "outcomes/expected", "outcomes/response", "outcomes/response_by_period", "outcomes/weekly",
    "outcomes/trajectories", "outcomes/change", "outcomes/responders", "outcomes/balance",
    "outcomes/psychometrics", "outcomes/item_psychometrics", "findings/psychometrics", "findings/plausibility",
    "findings/summary", "contributions/outcomes", "contributions/inclusion",
}  # fmt: skip
#: Judged anew where the primary score is made otherwise, because a stored total is compared with it; and what says which forms count.
JUDGED = {"findings/mood5", "findings/closed", "deliveries/conservation", "outcomes/alerts"}

pytestmark = pytest.mark.slow


def _csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    return "\n".join(",".join(map(str, row)) for row in [header, *rows]).encode() + b"\n"


@pytest.fixture(scope="module")
def scored_home(blank_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small consortium after its first night; programme alpha also uses MOOD-5, whose answers are all 3. Read it only."""
    root = Path(shutil.copytree(blank_home, tmp_path_factory.mktemp("scored") / "home", symlinks=True))
    settings = root / "consortium.yaml"
    settings.write_text(settings.read_text().replace("[phq9, eq5d5l]", "[phq9, eq5d5l, mood5]"))
    (root / "instruments" / "mood5.yaml").write_text(MOOD5)
    header = ["patient_id", "date", "language", *(f"mood5_{i}" for i in range(1, 6))]
    (root / "inbox" / "alpha" / "mood5.csv").write_bytes(
        _csv(header, [[n, "2025-09-30", "nl", 3, 3, 3, 3, 3] for n in NUMBERS])
    )
    summary = run(root, as_of=AS_OF, now=NOW)
    assert summary.failures == []
    assert set(summary.computed) == {"alpha", "beta"}
    return root


@pytest.fixture
def home(scored_home: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(scored_home, tmp_path / "home", symlinks=True))


def change(root: Path, *replacement: str) -> None:
    """Changes one thing in the definition of MOOD-5."""
    path = root / "instruments" / "mood5.yaml"
    old, new = replacement
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def state_of(root: Path) -> State:
    return State(Home.open(root), AS_OF)


def changed_code(root: Path) -> dict[str, set[str]]:
    """Programme -> the tables that Dagster calls stale because their code version changed, and for no other reason."""
    graph = build_defs(root=root, as_of=AS_OF).resolve_asset_graph()
    found: dict[str, set[str]] = {}
    with open_instance(Home.open(root)) as instance:
        resolver = CachingStaleStatusResolver(
            instance=instance, asset_graph=graph, loading_context=LoadingContextForTest(instance)
        )
        for key in sorted(graph.materializable_asset_keys):
            for programme in ("alpha", "beta") if graph.get(key).is_partitioned else (None,):
                causes = resolver.get_stale_causes(key, programme)
                if causes:
                    assert {cause.category for cause in causes} == {StaleCauseCategory.CODE}
                    found.setdefault(programme or "*", set()).add(key.to_user_string())
    return found


def versions(root: Path) -> dict[str, int]:
    """Number of commits of every table."""
    state = state_of(root)
    tables = [t for t in state.catalogue.tables.values() if state.warehouse.has(t)]
    return {t.name: DeltaTable(state.warehouse.path(t)).version() for t in tables}


def test_nothing_is_stale_after_a_night(scored_home: Path) -> None:
    assert changed_code(scored_home) == {}
    assert stale_tables(state_of(scored_home)) == {}
    assert stale_across(state_of(scored_home)) == []


@pytest.mark.parametrize(
    ("replacement", "judged", "of_code"),
    [
        pytest.param(REVERSED, JUDGED, {"findings/mood5", "scores/mood5"}, id="scoring"),
        pytest.param(("mean: 5.0", "mean: 6.0"), set(), {"scores/mood5"}, id="norm"),
        pytest.param(("label: fair", "label: good"), set(), {"scores/mood5"}, id="severity"),
    ],
)
def test_another_scoring_or_norm_makes_the_scores_and_what_follows_from_them_stale(
    home: Path, replacement: tuple[str, str], judged: set[str], of_code: set[str]
) -> None:
    change(home, *replacement)
    stale = stale_tables(state_of(home))
    assert {programme: set(tables) for programme, tables in stale.items()} == {"alpha": AFTER_SCORES | judged}
    assert changed_code(home) == {"alpha": of_code, "beta": of_code}
    assert stale_across(state_of(home)) == ["benchmarks/programmes", "benchmarks/inclusion", "published/site"]


def test_what_follows_from_the_scores_is_what_dagster_draws_behind_them(home: Path) -> None:
    graph = build_defs(root=home, as_of=AS_OF).resolve_asset_graph()
    key = dg.AssetKey(["scores", "mood5"])
    behind = dg.AssetSelection.assets(key).downstream().resolve(graph)
    assert {k.to_user_string() for k in behind if graph.get(k).is_partitioned} == AFTER_SCORES
    before = {k.to_user_string() for k in graph.get(key).parent_keys}
    assert before == {"items/mood5", "findings/mood5", "findings/deliveries", "reference/patients"}


def test_other_answers_make_items_findings_and_scores_stale(home: Path) -> None:
    change(home, "count: 5, min: 0, max: 3", "count: 5, min: 0, max: 4")
    of_mood5 = {"items/mood5", "findings/mood5", "scores/mood5"}
    assert changed_code(home) == {"alpha": of_mood5, "beta": of_mood5}
    stale = stale_tables(state_of(home))
    assert of_mood5 <= set(stale["alpha"])
    # The columns of a file are recognised among those of all instruments, so what was read is read again.
    assert "items/phq9" in stale["beta"]
    assert "items/mood5" not in stale["beta"]


def test_the_next_night_scores_anew_what_is_stale_and_nothing_else(home: Path) -> None:
    """Answers 3 3 3 3 3: 15 points, T = 50 + 10 (15 - 5) / 2 = 100; the last two turned round 9 points, T = 70."""
    before, old = versions(home), state_of(home).read("scores/mood5")
    assert set(old["score"]) == {15.0}
    assert set(old["t_score"]) == {100.0}
    change(home, *REVERSED)
    summary = run(home, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert (summary.computed, summary.failures, summary.published) == (["alpha"], [], True)
    new = state_of(home).read("scores/mood5")
    assert set(new["score"]) == {9.0}
    assert set(new["t_score"]) == {70.0}
    assert new["row_id"].tolist() == old["row_id"].tolist()
    assert set(new["definition_hash"]) == {state_of(home).instruments["mood5"].definition_hash}
    assert set(new["definition_hash"]).isdisjoint(set(old["definition_hash"]))
    written = {name for name, version in versions(home).items() if version != before[name]}
    assert written == AFTER_SCORES | JUDGED | {"reference/programmes", "benchmarks/programmes", "benchmarks/inclusion"}
    # Beta has no MOOD-5: nothing of it was computed, and Dagster has its empty table from the first night.
    assert changed_code(home) == {"beta": {"findings/mood5", "scores/mood5"}}
    again = run(home, as_of=AS_OF, now=NOW + timedelta(days=2))
    assert again.n_runs == 0


def test_a_corrected_register_of_patients_makes_the_scores_anew(home: Path) -> None:
    """One patient turns out to be born in 2010: 15 at the time of the form, so no adult norm, word or value set."""
    minor, *others = NUMBERS
    rows = [[minor, 2010, "female"], *([n, 1990, "male"] for n in others)]
    (home / "inbox" / "alpha" / "patients_2.csv").write_bytes(_csv(["patient_id", "birth_year", "sex"], rows))
    summary = run(home, as_of=AS_OF, now=NOW + timedelta(days=1))
    assert (summary.computed, summary.failures) == (["alpha"], [])
    state = state_of(home)
    mood = state.read("scores/mood5")
    young = mood["norm_flags"] == "no_norm under_18"
    assert young.sum() == 1
    assert mood.loc[young, ["norm_id", "t_score", "percentile", "severity"]].isna().to_numpy().all()
    assert set(mood.loc[~young, "severity"]) == {"low"}
    assert mood.loc[~young, "norm_flags"].isna().all()
    utilities = state.read("scores/eq5d5l").query("scale == 'index'")
    same = utilities["patient_id"].isin(mood.loc[young, "patient_id"])
    assert utilities.loc[same, "unscored_because"].tolist() == ["no_value_set_under_18"]
    assert utilities.loc[same, "score"].isna().all()
    assert utilities.loc[~same, "score"].notna().all()
    # The only norm is of Dutch women, and they are men now.
    assert set(utilities.loc[~same, "norm_flags"]) == {"no_norm other_sex"}
    beta = state.read("scores/phq9", programmes=["beta"])
    assert not pd.array(beta["norm_flags"].str.contains("under_18").fillna(False)).any()
