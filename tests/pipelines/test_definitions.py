"""The code location: what is in it, when it runs by itself, and that it tells nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster._utils.schedules import schedule_execution_time_iterator

from assets import all as all_assets
from assets.home import create
from mbt_rom.registers import REGISTERS
from mbt_rom.registry import instrument, instruments
from pipelines.definitions import build_defs, defs
from pipelines.instance import open_instance
from pipelines.schedules import CRON, TIMEZONE, every_night
from pipelines.sensors import inbox

SETTINGS = """
name: One programme
settle_seconds: 30
issuers: {north: {}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9]}
"""
INSTRUMENTS = (
    "bdi2", "bsi", "bsi18", "dappsf", "ecr", "ecrr", "eq5d3l", "eq5d5l", "iip32", "iip64", "mmpi2rf", "mpq", "oq45", "paibor",
    "phq9", "rfq54", "rfq8", "rmet", "scid1", "scid2", "sds", "sipp118", "sshi", "ticp",
)  # fmt: skip
PER_INSTRUMENT = {f"{s}/{i}" for s in ("items", "findings", "scores") for i in INSTRUMENTS}
SINGLE = {
    "deliveries/ledger",
    "deliveries/contents",
    "deliveries/conservation",
    "deliveries/revisions",
    "findings/closed",
    "findings/deliveries",
    "findings/plausibility",
    "findings/psychometrics",
    "findings/registers",
    "findings/summary",
    "reference/programmes",
    *(f"reference/{name}" for name in REGISTERS),
    "outcomes/expected",
    "outcomes/response",
    "outcomes/response_by_period",
    "outcomes/weekly",
    "outcomes/trajectories",
    "outcomes/psychometrics",
    "outcomes/item_psychometrics",
    "outcomes/change",
    "outcomes/states",
    "outcomes/transfers",
    "outcomes/flow",
    "outcomes/flow_curves",
    "outcomes/attendance",
    "outcomes/attendance_by_month",
    "outcomes/responders",
    "outcomes/balance",
    "outcomes/alerts",
    "contributions/outcomes",
    "contributions/inclusion",
    "benchmarks/programmes",
    "benchmarks/inclusion",
    "published/site",
}
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def _names(keys: object) -> set[str]:
    return {k.to_user_string() for k in keys}  # type: ignore[attr-defined]


def test_snapshot_of_assets_jobs_schedules_sensors() -> None:
    assert _names(defs.resolve_asset_graph().get_all_asset_keys()) == PER_INSTRUMENT | SINGLE
    assert {j.name for j in defs.resolve_all_job_defs() if not j.name.startswith("__")} == {
        "nightly",
        "programme",
        "across",
    }
    assert [s.name for s in defs.schedules or ()] == ["every_night"]
    assert [s.name for s in defs.sensors or ()] == ["inbox"]


def test_snapshot_of_checks_and_which_of_them_stop_a_run() -> None:
    graph = defs.resolve_asset_graph()
    found = {k.to_user_string(): graph.get_check_spec(k).blocking for k in graph.asset_check_keys}
    assert found == {
        **{f"findings/{i}:every_form_is_in_order": False for i in INSTRUMENTS},
        **{f"scores/{i}:every_score_is_within_its_range": True for i in INSTRUMENTS},
        "findings/deliveries:every_file_is_in_order": False,
        "deliveries/conservation:every_row_is_accounted_for": True,
    }


def test_partitions_end_where_comparison_begins() -> None:
    graph = defs.resolve_asset_graph()
    whole = {k.to_user_string() for k in graph.get_all_asset_keys() if not graph.get(k).is_partitioned}
    assert whole == {
        "deliveries/ledger",
        "reference/programmes",
        "outcomes/transfers",
        "benchmarks/programmes",
        "benchmarks/inclusion",
        "published/site",
    }
    for name, parent in (("programmes", "outcomes"), ("inclusion", "inclusion")):
        parents = _names(graph.get(dg.AssetKey(["benchmarks", name])).parent_keys)
        assert parents == {f"contributions/{parent}"}


def _above(graph: dg.AssetGraph, table: str) -> set[str]:
    """All tables that a table is computed from, however indirectly."""
    parents = _names(graph.get(dg.AssetKey(table.split("/"))).parent_keys)
    return parents.union(*(_above(graph, p) for p in parents))


def test_permissions_stand_before_everything_that_leaves_a_programme() -> None:
    """What is computed across programmes has read, of what is about people, nothing but tables that the register of permissions enters."""
    graph = defs.resolve_asset_graph()
    gated = {n for n in _names(graph.get_all_asset_keys()) if n.split("/")[0] in ("contributions", "models")}
    assert gated >= {"contributions/outcomes", "contributions/inclusion"}
    for name in gated:
        assert "reference/permissions" in _names(graph.get(dg.AssetKey(name.split("/"))).parent_keys), name
    across = {n for n in _names(graph.get_all_asset_keys()) if n.split("/")[0] == "benchmarks"}
    for name in across:
        assert {p.split("/")[0] for p in _names(graph.get(dg.AssetKey(name.split("/"))).parent_keys)} <= {
            "contributions",
            "benchmarks",
        }, name


def test_nothing_is_computed_from_risk_answers() -> None:
    graph = defs.resolve_asset_graph()
    assert graph.get(dg.AssetKey(["outcomes", "alerts"])).child_keys == set()
    for name in ("contributions/outcomes", "contributions/inclusion", "benchmarks/programmes", "published/site"):
        assert "items/phq9" in _above(graph, name)
        assert "outcomes/alerts" not in _above(graph, name)


def test_risk_answers_wait_for_nothing_but_answers_and_findings() -> None:
    """So they are there when nothing can be scored, or when deliveries do not add up."""
    graph = defs.resolve_asset_graph()
    asked = {i for i, d in instruments().items() if d.monitors == "outcome" and d.risk}
    parents = _names(graph.get(dg.AssetKey(["outcomes", "alerts"])).parent_keys)
    assert parents == {f"{stage}/{i}" for stage in ("items", "findings") for i in asked} | {"findings/deliveries"}
    assert _above(graph, "outcomes/alerts") - parents == {
        "deliveries/ledger",
        "reference/patients",
        "reference/episodes",
        "findings/registers",
    }
    assert {"phq9", "sshi", "bsi"} <= asked
    assert "clinical_process" not in asked


def test_an_instrument_that_is_added_gets_its_assets_without_code() -> None:
    mine = instrument("phq9").model_copy(update={"id": "another"})
    nothing = dg.ResourceDefinition.mock_resource()
    given = dg.Definitions(resources={"rom": nothing, "io_manager": dg.mem_io_manager})
    graph = dg.Definitions.merge(all_assets.definitions({"another": mine}), given).resolve_asset_graph()
    assert {"items/another", "findings/another", "scores/another"} <= _names(graph.get_all_asset_keys())
    assert not any("phq9" in name for name in _names(graph.get_all_asset_keys()))


def test_a_changed_definition_shows_in_the_code_version_of_its_tables_only() -> None:
    """Scores rest on all of a definition; items and findings on what decides how forms are read and judged."""
    graph = defs.resolve_asset_graph()
    for name in ("phq9", "bsi"):
        versions = [graph.get(dg.AssetKey([stage, name])).code_version for stage in ("items", "findings", "scores")]
        definition = instrument(name)
        assert versions == [definition.reading_hash, definition.judging_hash, definition.definition_hash]


def test_it_loads_without_a_home(tmp_path: Path) -> None:
    assert build_defs(root=tmp_path / "nowhere").resolve_all_job_defs()


@pytest.mark.parametrize(
    ("noon_before", "ticks"),
    [
        # 28 March 2027: 02:00-03:00 does not exist; four o'clock is UTC+2.
        ("2027-03-27", ["2027-03-28T04:00:00+02:00", "2027-03-29T04:00:00+02:00"]),
        # 25 October 2026: 02:00-03:00 exists twice; four o'clock is UTC+1.
        ("2026-10-24", ["2026-10-25T04:00:00+01:00", "2026-10-26T04:00:00+01:00"]),
    ],
)
def test_one_run_on_each_night_of_the_clock_change(noon_before: str, ticks: list[str]) -> None:
    begin = datetime.fromisoformat(f"{noon_before}T12:00:00").replace(tzinfo=AMSTERDAM)
    times = schedule_execution_time_iterator(begin.timestamp(), CRON, TIMEZONE)
    found = [next(times).astimezone(AMSTERDAM).isoformat() for _ in ticks]
    assert found == ticks


@pytest.mark.parametrize("night", ["2027-03-28", "2026-10-25", "2026-12-31"])
def test_a_night_computes_its_own_date_and_only_once(night: str) -> None:
    four = datetime.fromisoformat(f"{night}T04:00:00").replace(tzinfo=AMSTERDAM)
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(instance, scheduled_execution_time=four) as context,
    ):
        [request] = every_night.evaluate_tick(context).run_requests or []
    assert request.run_key == night
    assert request.run_config == {"ops": {"night": {"config": {"as_of": night}}}}


def test_schedule_and_sensor_run_in_the_shipped_deployment() -> None:
    assert every_night.default_status is dg.DefaultScheduleStatus.RUNNING
    assert (every_night.cron_schedule, every_night.execution_timezone) == (CRON, TIMEZONE)
    assert inbox.default_status is dg.DefaultSensorStatus.RUNNING


def test_telemetry_is_off_and_one_run_at_a_time_in_the_effective_instance(tmp_path: Path) -> None:
    from dagster._core.run_coordinator import QueuedRunCoordinator
    from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager

    home = create(tmp_path / "home", SETTINGS)
    with open_instance(home) as instance:
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False
        assert isinstance(instance.run_coordinator, QueuedRunCoordinator)
        assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1  # type: ignore[union-attr]
        assert isinstance(instance.compute_log_manager, NoOpComputeLogManager)
        assert Path(instance.root_directory) == home.dagster_folder


def test_the_workspace_names_this_code_location(project_root: Path) -> None:
    workspace = yaml.safe_load((project_root / "workspace.yaml").read_text())
    assert workspace["load_from"] == [
        {"python_module": {"module_name": "pipelines.definitions", "working_directory": "."}}
    ]


def _ticked(home: Path, monkeypatch: pytest.MonkeyPatch, now: datetime) -> dg.RunRequest | dg.SkipReason:
    monkeypatch.setenv("ROM_HOME", str(home))
    monkeypatch.setattr("pipelines.clock.now", lambda: now)
    with dg.instance_for_test() as instance, dg.build_sensor_context(instance) as context:
        found = inbox.evaluate_tick(context)
    return found.run_requests[0] if found.run_requests else dg.SkipReason(found.skip_message)


def test_the_sensor_leaves_alone_what_is_still_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = create(tmp_path / "home", SETTINGS)
    dropped = home.inbox / "alpha" / "phq9.csv"
    dropped.write_text("patient_id,phq9_01\n")
    written = datetime.fromtimestamp(dropped.stat().st_mtime, UTC)
    assert isinstance(_ticked(home.root, monkeypatch, written.replace(microsecond=0)), dg.SkipReason)
    later = written.replace(year=written.year + 1)
    first, second = (_ticked(home.root, monkeypatch, later) for _ in range(2))
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.run_key == second.run_key  # Dagster starts one run per key
    assert "phq9" not in str(first.run_key)
    dropped.write_text("patient_id,phq9_01\n1,2\n")
    third = _ticked(home.root, monkeypatch, later)
    assert isinstance(third, dg.RunRequest)
    assert third.run_key != first.run_key


def test_the_sensor_says_so_when_there_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = _ticked(tmp_path / "nowhere", monkeypatch, datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(found, dg.SkipReason)
    assert "rom doctor" in str(found.skip_message)
