"""Any table as it was known on an earlier day equals the table that was exported on that day; and the order of loading is of no matter."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from assets import intake
from assets.decisions import number_of, record
from assets.home import Home, create
from assets.state import State
from mbt_rom.corrections import CellCorrection, Correction
from pipelines import cli
from pipelines.nightly import run
from pipelines.replay import FOLDER, received_by
from tests.small_homes import ONE_PROGRAMME

TABLES = (
    "deliveries/ledger",
    "items/phq9",
    "findings/phq9",
    "scores/phq9",
    "outcomes/change",
    "outcomes/response",
    "deliveries/conservation",
)
NUMBERS = [f"{200101 + i}" for i in range(6)]
HEADER = "response_id,patient_id,date,submitted_at," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))

pytestmark = pytest.mark.slow


def export(day: str, answer: int, *, first: int, numbers: list[str] = NUMBERS, at: str = "10:00") -> str:
    rows = [f"{first + i},{number},{day},{day} {at}" + f",{answer}" * 9 for i, number in enumerate(numbers)]
    return "\n".join([HEADER, *rows, ""])


def registers() -> dict[str, str]:
    patients = "".join(f"{n},1990,female\n" for n in NUMBERS)
    episodes = "".join(f"E{n},{n},T1,2025-09-01,2025-10-01,,\n" for n in NUMBERS)
    columns = "episode_id,patient_id,therapist_id,referred_on,started_on,ended_on,end_reason"
    return {
        "patients.csv": f"patient_id,birth_year,sex\n{patients}",
        "episodes.csv": f"{columns}\n{episodes}",
    }


FILES = {
    **registers(),
    "baseline.csv": export("2025-09-30", 2, first=100),
    "month_6.csv": export("2026-04-01", 1, first=200),
    "finished.csv": export("2026-04-01", 0, first=200, numbers=NUMBERS[:2], at="16:30"),
}


def _drop(root: Path, *names: str) -> None:
    for name in names:
        (root / "inbox" / "alpha" / name).write_text(FILES[name])


def _export(root: Path, to: Path, *more: str) -> dict[str, bytes]:
    for table in TABLES:
        arguments = ["export", table, "-o", str(to), "--purpose", "a test", "--home", str(root), *more]
        done = CliRunner().invoke(cli.rom, arguments)
        assert done.exit_code == 0, (done.output, done.exception)
    return {path.name: path.read_bytes() for path in sorted(to.iterdir())}


def _decide(root: Path, now: datetime, kind: str = "cells", **more) -> str:
    state = State(Home.open(root), now.date())
    taken = record(state, "alpha", Correction(kind=kind, reason="a slip", by="ra", at=now, **more), now=now)
    assert taken.outcome == "taken_in"
    return taken.delivery_id


def test_replay_to_an_earlier_day_equals_what_was_exported_then(tmp_path: Path) -> None:
    """Four days: registers and baseline; month 6; a correction and a link; an undoing and forms finished later."""
    root = create(tmp_path / "home", ONE_PROGRAMME).root
    days = [date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 9), date(2026, 6, 1)]
    then: dict[date, dict[str, bytes]] = {}

    def night(day: date, *names: str) -> None:
        _drop(root, *names)
        # 21:59 UTC is 23:59 in Amsterdam: the last minute of that day.
        assert run(root, as_of=day, now=datetime(day.year, day.month, day.day, 21, 59, tzinfo=UTC)).failures == []
        then[day] = _export(root, tmp_path / str(day))

    night(days[0], "patients.csv", "episodes.csv", "baseline.csv")
    night(days[1], "month_6.csv")
    state = State(Home.open(root), days[2])
    delivery = state.ledger.query("file_name == 'month_6.csv'")["delivery_id"].iloc[0]
    cell = CellCorrection(delivery, None, 3, "phq9_01", "3")
    corrected = _decide(root, datetime(2026, 5, 9, 8, 0, tzinfo=UTC), cells=(cell,))
    pair = (number_of(state, "alpha", NUMBERS[4]), number_of(state, "alpha", NUMBERS[5]))
    _decide(root, datetime(2026, 5, 9, 9, 0, tzinfo=UTC), kind="link", numbers=pair)
    night(days[2])
    _decide(root, datetime(2026, 6, 1, 8, 0, tzinfo=UTC), kind="undo", undoes=corrected)
    night(days[3], "finished.csv")

    assert len({exported["items_phq9.csv"] for exported in then.values()}) == len(days)
    assert len({exported["scores_phq9.csv"] for exported in then.values()}) == len(days)
    assert then[days[1]]["outcomes_change.csv"] != then[days[0]]["outcomes_change.csv"]
    for day in (days[0], days[2]):  # what came later was received, what was decided later undone
        replayed = _export(root, tmp_path / f"replay {day}", "--known-on", str(day))
        for name, data in then[day].items():
            if name != "deliveries_ledger.csv":
                assert replayed[name] == data, (day, name)
        ledgers = [pd.read_csv(tmp_path / folder / "deliveries_ledger.csv") for folder in (str(day), f"replay {day}")]
        pd.testing.assert_frame_equal(ledgers[0].drop(columns="read_with"), ledgers[1].drop(columns="read_with"))
    assert [p for p in (root / FOLDER).iterdir() if p.is_dir()] == []
    assert stat.S_IMODE((root / FOLDER).stat().st_mode) == 0o700


def test_the_day_ends_at_midnight_where_the_home_is() -> None:
    at = pd.to_datetime(["2026-05-01T21:59:59Z", "2026-05-01T22:00:00Z", "2026-01-31T22:59:59Z"])
    ledger = pd.DataFrame({"received_at": at})
    assert received_by(ledger, date(2026, 5, 1), "Europe/Amsterdam").index.tolist() == [0, 2]
    assert received_by(ledger, date(2026, 1, 31), "Europe/Amsterdam").index.tolist() == [2]


def test_a_day_to_come_is_wrong_use(tmp_path: Path) -> None:
    root = create(tmp_path / "home", ONE_PROGRAMME).root
    done = CliRunner().invoke(
        cli.rom, ["export", "benchmarks/programmes", "--known-on", "2999-01-01", "--home", str(root)]
    )
    assert done.exit_code == 2
    assert "future" in done.output


@pytest.mark.parametrize("table", ["contributions/outcomes", "benchmarks/programmes"])
def test_a_comparison_is_not_computed_for_an_earlier_day(tmp_path: Path, table: str) -> None:
    root = create(tmp_path / "home", ONE_PROGRAMME).root
    wanted = ["export", table, "--known-on", "2026-01-01", "--purpose", "audit", "--home", str(root)]
    done = CliRunner().invoke(cli.rom, wanted)
    assert done.exit_code == 2
    assert "whoever withdrew a permission" in " ".join(done.output.replace("│", " ").split())


def test_what_a_killed_replay_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    root = create(tmp_path / "home", ONE_PROGRAMME).root
    script = (
        "import os, sys\nfrom datetime import *\nfrom pathlib import Path\nfrom assets.home import Home\n"
        "from pipelines.replay import as_known_on\n"
        "home = Home.open(Path(sys.argv[1]))\n"
        "with as_known_on(home, date(2026, 5, 1), table='deliveries/ledger', now=datetime.now(UTC)): os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(root)], check=False, capture_output=True)
    assert done.returncode == 9, done.stderr
    [left] = [p for p in (root / FOLDER).iterdir() if p.is_dir()]
    (left / "mark").write_text("of the killed run")
    arguments = [
        "export",
        "deliveries/ledger",
        "-o",
        str(tmp_path / "out"),
        "--known-on",
        "2026-05-01",
        "--home",
        str(root),
    ]
    assert CliRunner().invoke(cli.rom, arguments).exit_code == 0
    assert not left.exists()
    assert (root / "archive").is_dir()
    assert (root / "secrets" / "archive.key").is_file()


IDS = ["row_id", "delivery_id", "received_at"]


def _loaded(folder: Path, keys: Path, names: tuple[str, ...], *, apart: bool) -> dict[str, bytes]:
    """Tables as CSV after loading the files in that order, all at one time or an hour apart."""
    root = create(folder / "home", ONE_PROGRAMME).root
    for key in keys.iterdir():
        (root / "secrets" / key.name).write_bytes(key.read_bytes())
    now = datetime(2026, 5, 1, tzinfo=UTC)
    for name in ("patients.csv", "episodes.csv", *names):
        path = folder / name
        path.write_text(FILES[name])
        now += timedelta(hours=apart)
        state = State(Home.open(root), date(2026, 6, 1))
        assert intake.take_in_file(state, path, folder="alpha", now=now, by="ra").outcome == "taken_in"
    assert run(root, as_of=date(2026, 6, 1), now=now).failures == []
    state = State(Home.open(root), date(2026, 6, 1))
    made = {}
    for table in TABLES[1:]:
        rows = state.read(table)
        rows = rows.drop(columns=[c for c in IDS if c in rows and apart])
        made[table] = rows.sort_values(list(rows.columns)).to_csv(index=False).encode()
    return made


@pytest.mark.parametrize("apart", [False, True], ids=["at once", "an hour apart"])
def test_the_same_files_in_any_order_give_the_same_tables(tmp_path: Path, apart: bool) -> None:
    """Two forms of month 6 were submitted again at half past four, with 0 instead of 1: these count, whenever which file came."""
    keys = create(tmp_path / "keys", ONE_PROGRAMME).secrets_folder
    names = ("baseline.csv", "month_6.csv", "finished.csv")
    first = _loaded(tmp_path / "first", keys, names, apart=apart)
    assert first == _loaded(tmp_path / "other", keys, names[::-1], apart=apart)
    followed = [line for line in first["outcomes/change"].decode().splitlines() if ",-18.0," in line]
    assert len(followed) >= 2
