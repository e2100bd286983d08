"""Runs that Dagster starts: the scheduled job, one table by hand, invariants that do not hold, what a kill left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pytest

from assets.home import Home
from assets.resources import PROCESS_TAG
from assets.state import State
from mbt_rom import acceptance, scoring
from pipelines.definitions import build_defs
from pipelines.instance import left_behind, open_instance, reconcile
from pipelines.nightly import run, stale_tables

AS_OF = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 2, 0, tzinfo=UTC)
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}

pytestmark = pytest.mark.slow


@pytest.fixture
def done(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of a home in which one night ran."""
    return Path(shutil.copytree(undisturbed, tmp_path / "home", symlinks=True))


def test_the_scheduled_job_does_what_rom_nightly_does(
    home: Path, monkeypatch: pytest.MonkeyPatch, same_tables: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("ROM_HOME", str(home))
    monkeypatch.setattr("pipelines.clock.now", lambda: NOW)
    config = {**QUIET, "ops": {"night": {"config": {"as_of": AS_OF.isoformat()}}}}
    with open_instance(Home.open(home)) as instance:
        result = (
            build_defs(root=home).resolve_job_def("nightly").execute_in_process(instance=instance, run_config=config)
        )
        assert result.success
        assert instance.get_run_by_id(result.run_id).tags[PROCESS_TAG]  # type: ignore[union-attr]
    same_tables(home)


def test_a_table_computed_by_hand_from_old_inputs_does_not_pass_for_current(done: Path) -> None:
    """Windows changed, so everything is out of date; scores alone are then computed by hand from the old items."""
    settings = done / "consortium.yaml"
    settings.write_text(settings.read_text() + "quiet_after_days: 90\n")
    with open_instance(Home.open(done)) as instance:
        job = build_defs(root=done, as_of=AS_OF).resolve_job_def("programme")
        for table, is_current in ((["scores", "phq9"], False), (["items", "phq9"], True)):
            result = job.execute_in_process(
                instance=instance, partition_key="alpha", asset_selection=[dg.AssetKey(table)], run_config=QUIET
            )
            assert result.success
            assert ("/".join(table) not in stale_tables(State(Home.open(done), AS_OF))["alpha"]) is is_current


def test_deliveries_that_do_not_add_up_go_no_further(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = acceptance.conservation

    def loses_a_row(contents: pd.DataFrame, *given: Any) -> pd.DataFrame:
        more = contents["n_rows"] + contents["programme_id"].eq("alpha").astype("Int64")
        return real(contents.assign(n_rows=more), *given)

    monkeypatch.setattr(acceptance, "conservation", loses_a_row)
    summary = run(home, as_of=AS_OF, now=NOW)
    [failure] = summary.failures
    assert failure.startswith("alpha: deliveries__conservation: InvariantError")
    assert failure.endswith("2 rows of the conservation law do not add up")
    state = State(Home.open(home), AS_OF)
    assert set(state.read("outcomes/expected")["programme_id"]) == {"beta"}
    assert set(state.read("deliveries/conservation")["programme_id"]) == {"beta"}


def test_a_score_outside_of_its_scale_is_never_stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = scoring.score

    def doubled(*given: Any, **named: Any) -> pd.DataFrame:
        table = real(*given, **named)
        return table.assign(score=table["score"].mask(table["scale"] == "total", 54.0))

    monkeypatch.setattr(scoring, "score", doubled)
    summary = run(home, as_of=AS_OF, now=NOW)
    assert len(summary.failures) >= 2
    assert all("scores lie outside of their scale" in f for f in summary.failures if not f.startswith("across"))
    assert State(Home.open(home), AS_OF).read("scores/phq9").empty
    assert len(State(Home.open(home), AS_OF).read("outcomes/alerts")) == 56, "risk answers need no score"


def test_the_blocking_checks_see_what_is_wrong_in_the_stored_tables(done: Path) -> None:
    state = State(Home.open(done), AS_OF)
    law, scores = state.read("deliveries/conservation"), state.read("scores/phq9")
    spoiled = {"deliveries/conservation": law.assign(is_conserved=False), "scores/phq9": scores.assign(score=99.0)}
    for name, rows in spoiled.items():
        state.warehouse.replace(state.catalogue[name], rows, programmes=["alpha", "beta"], fingerprints={})
    with open_instance(Home.open(done)) as instance:
        graph = build_defs(root=done, as_of=AS_OF)
        keys = [
            dg.AssetCheckKey(dg.AssetKey(["deliveries", "conservation"]), "every_row_is_accounted_for"),
            dg.AssetCheckKey(dg.AssetKey(["scores", "phq9"]), "every_score_is_within_its_range"),
            dg.AssetCheckKey(dg.AssetKey(["findings", "phq9"]), "every_form_is_in_order"),
            dg.AssetCheckKey(dg.AssetKey(["findings", "eq5d5l"]), "every_form_is_in_order"),
        ]
        job = dg.define_asset_job("only_checks", selection=dg.AssetSelection.checks(*keys))
        merged = dg.Definitions.merge(graph, dg.Definitions(jobs=[job]))
        result = merged.resolve_job_def("only_checks").execute_in_process(
            instance=instance, run_config=QUIET, raise_on_error=False
        )
        found = {(e.asset_key.to_user_string(), e.check_name): e.passed for e in result.get_asset_check_evaluations()}
    assert found == {
        ("deliveries/conservation", "every_row_is_accounted_for"): False,
        ("scores/phq9", "every_score_is_within_its_range"): False,
        ("findings/phq9", "every_form_is_in_order"): True,
        ("findings/eq5d5l", "every_form_is_in_order"): False,
    }


def test_dagster_is_not_told_how_many_risk_answers_there_are(done: Path) -> None:
    with open_instance(Home.open(done)) as instance:
        told = {
            name: instance.get_latest_materialization_event(
                dg.AssetKey(["outcomes", name])
            ).asset_materialization.metadata  # type: ignore[union-attr]
            for name in ("alerts", "change")
        }
    assert "n_rows" in told["change"]
    assert [key for key in told["alerts"] if key.startswith("n_")] == []


def test_a_run_whose_process_was_killed_is_marked_as_failed_and_a_living_one_is_not(done: Path) -> None:
    from dagster._core.test_utils import create_run_for_test

    from assets.resources import process

    with open_instance(Home.open(done)) as instance:
        started = dg.DagsterRunStatus.STARTED
        dead = create_run_for_test(instance, status=started, tags={PROCESS_TAG: "1.0"})
        alive = create_run_for_test(instance, status=started, tags={PROCESS_TAG: process()})
        assert [r.run_id for r in left_behind(instance)] == [dead.run_id]
        assert reconcile(instance) == 1
        assert instance.get_run_by_id(dead.run_id).status is dg.DagsterRunStatus.FAILURE  # type: ignore[union-attr]
        assert instance.get_run_by_id(alive.run_id).status is started  # type: ignore[union-attr]
