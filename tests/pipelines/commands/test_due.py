"""`rom due` on a small home: what stands on the list, what decides its order, and what a calendar must never hold."""

from __future__ import annotations

import csv
import json
import re
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from assets.home import Home
from assets.state import State
from mbt_rom.tables import ALERTS, TRAJECTORIES
from pipelines import cli
from tests.planned_homes import NUMBERS, SETTINGS, PlannedHome

TODAY = date(2026, 11, 25)  # a Wednesday
OPEN = "2026-10-06"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlannedHome:
    monkeypatch.setattr("pipelines.clock.now", lambda: datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    home = PlannedHome(tmp_path / "home", TODAY)
    home.episode("200101", started_on="2026-05-20")
    home.episode("200102", started_on="2026-05-20", ended_on="2026-09-01", end_reason="dropped_out")
    home.episode("200103", started_on="2026-12-01")
    home.episode("200104", started_on="2026-05-20")
    home.episode("300301", programme="beta", started_on="2026-05-20")
    home.form("200101", "phq9", "m6", OPEN, "2026-11-20", "2027-01-04")
    home.form("200101", "bsi", "m6", OPEN, "2026-11-20", "2027-01-04", status="to_be_finished")
    home.form("200102", "bsi", "m6", OPEN, "2026-11-20", "2026-12-02")
    home.form("200103", "phq9", "baseline", "2026-10-02", "2026-12-01", "2026-12-15")
    home.form("200104", "phq9", "m6", OPEN, "2026-12-03", "2027-01-04", requirement="desired")
    home.form("300301", "phq9", "m6", OPEN, "2026-11-26", "2027-01-10", programme_id="beta")
    home.store()
    return home


def rom(made: PlannedHome, *arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.rom, ["due", *map(str, arguments), "--home", str(made.root)])


def test_one_line_per_sitting_the_fewest_days_first(made: PlannedHome) -> None:
    done = rom(made, "-p", "alpha")
    assert done.exit_code == 0, done.output
    lines = [re.split(r"\s{2,}", line.strip()) for line in done.output.splitlines()]
    head = "Alpha: 4 to ask on 2026-11-25: 1 closing soon, 1 overdue, 2 due; 1 of people who left treatment"
    assert lines[0] == [head]
    assert lines[1] == ["days left", "last day", "due", "patient", "moment", "state", "minutes", "how", "forms"]
    # the window of 200101 and 200104 closes on Monday 4 January, after the closure: 18 working days without it
    begun = "BSI, PHQ-9 (begun, to be finished: BSI)"
    assert lines[2:6] == [
        [
            "5",
            "2026-12-02",
            "2026-11-20",
            "200102",
            "month 6",
            "closing soon, left treatment",
            "~8",
            "self-report",
            "BSI",
        ],
        ["14", "2026-12-15", "2026-12-01", "200103", "baseline", "due", "~2", "self-report", "PHQ-9"],
        ["18", "2027-01-04", "2026-11-20", "200101", "month 6", "overdue", "~10", "self-report", begun],
        ["18", "2027-01-04", "2026-12-03", "200104", "month 6", "due", "~2", "self-report", "PHQ-9"],
    ]
    assert "300301" not in done.output


def test_no_pseudonym_is_shown_and_each_look_is_logged(made: PlannedHome) -> None:
    done = rom(made)
    assert [name for name in made.ids.values() if name in done.output] == []
    (line,) = (json.loads(text) for text in (made.root / "exports.log").read_text().splitlines())
    assert (line["table"], line["purpose"], line["n_rows"]) == ("due", "chasing list", 5)


def test_another_day_and_another_limit(made: PlannedHome) -> None:
    assert "Alpha: 4 to ask on 2026-11-25: 2 closing soon" in rom(made, "--closing-soon", "14").output
    later = rom(made, "--as-of", "2026-12-16", "-p", "alpha").output
    assert "Alpha: 2 to ask on 2026-12-16: 2 closing soon" in later


@pytest.mark.parametrize("died_on", ["2026-11-24", "2062-11-24"])  # the second is mistyped, and a death all the same
def test_who_died_since_is_not_on_the_list_of_an_earlier_day(made: PlannedHome, died_on: str) -> None:
    assert "200101" in rom(made, "--as-of", "2026-11-20").output
    made.episodes[0] |= {"ended_on": died_on, "end_reason": "died"}
    made.store()
    assert "200101" not in rom(made, "--as-of", "2026-11-20").output
    assert "200101" not in rom(made).output


def test_a_death_that_the_register_of_one_programme_tells_counts_for_the_other(
    made: PlannedHome, tmp_path: Path
) -> None:
    """One hospital with two programmes: the second knows the same number and heard of no death."""
    settings = SETTINGS.replace("issuer: south", "issuer: north")
    home = PlannedHome(tmp_path / "other", TODAY, settings)
    home.state.vault.add("beta", {home.ids["200101"]: ("north", "200101")})
    home.episode("200101", started_on="2026-01-20", ended_on="2026-06-01", end_reason="died")
    home.episode("200101", programme="beta", episode_id="e_beta", started_on="2026-05-20")
    days = (OPEN, "2026-11-20", "2027-01-04")
    home.form("200101", "phq9", "m6", *days, programme_id="beta", episode_id="e_beta")
    home.episode("300301", programme="beta", started_on="2026-05-20")
    home.form("300301", "phq9", "m6", *days, programme_id="beta")
    home.store()
    shown = rom(home, "-p", "beta").output
    assert "300301" in shown
    assert "200101" not in shown


def test_in_dutch(made: PlannedHome) -> None:
    output = rom(made, "--language", "nl", "-p", "alpha").output
    assert "sluit binnenkort, uit behandeling" in output
    assert "maand 6" in output


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_holds_everything_and_its_owner_alone_reads_it(made: PlannedHome, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"due.{ending}"
    assert rom(made, "-o", path).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if ending == "csv":
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    else:
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("due").to_python()
    head = next(row for row in rows if row[0] == "programme")
    first = dict(zip(head, rows[rows.index(head) + 1], strict=True))
    assert (str(first["patient"]), first["left treatment"], first["requirement"]) == ("200102", "yes", "required")
    assert "keep this list inside the programme" in str(rows[0][0])


def test_a_list_may_not_lie_in_the_home(made: PlannedHome) -> None:
    done = rom(made, "-o", made.root / "published" / "due.csv")
    assert done.exit_code == 2
    assert "lies inside the home" in done.output


def test_without_a_register_of_episodes_there_is_no_data_and_never_nobody(made: PlannedHome) -> None:
    made.episodes = [row for row in made.episodes if row["programme_id"] != "beta"]
    made.expected = [row for row in made.expected if row["programme_id"] != "beta"]
    made.store()
    assert "Beta: no data: without a register of episodes nobody knows who is due" in rom(made).output


def test_a_sitting_of_more_than_an_hour_is_told(made: PlannedHome) -> None:
    assert "in one sitting" not in rom(made).output
    for instrument in ("mmpi2rf", "sipp118", "scid2"):
        made.form("200101", instrument, "m6", OPEN, "2026-11-20", "2027-01-04", status="received")
    made.store()
    told = "Alpha, month 6: 5 forms ask about 76 minutes in one sitting (and 1 whose minutes nobody states); more than 60 is long."
    assert told in rom(made).output


def test_what_came_since_the_last_night_makes_the_list_out_of_date(made: PlannedHome) -> None:
    made.today = date(2026, 11, 24)
    made.store()  # yesterday's night
    done = rom(made)
    assert done.exit_code == 1
    assert "Out of date" in done.output


def test_wrong_use(made: PlannedHome) -> None:
    assert rom(made, "-p", "gamma").exit_code == 2
    assert rom(made, "-o", "due.pdf").exit_code == 2


# ---- answers have no say -------------------------------------------------------------------------------------------------


def _store_answers(made: PlannedHome, seed: int) -> None:
    """Scores and risk answers of every patient, dealt out anew."""
    rng = np.random.default_rng(seed)
    patients = [made.ids[n] for n in NUMBERS["alpha"]]
    scores = rng.permutation([0.0, 9.0, 18.0, 27.0])
    told = {"programme_id": "alpha", "instrument": "phq9", "edition": "9 items", "scale": "total", "moment": "baseline"}
    courses = [
        {
            **told,
            "patient_id": p,
            "row_id": f"s{n}",
            "score": score,
            "is_provisional": False,
            "administered_on": "2026-05-21",
        }
        for n, (p, score) in enumerate(zip(patients, scores, strict=True))
    ]
    levels = rng.permutation(["high", "alert", "high", "alert"])
    alerts = [
        {
            "programme_id": "alpha",
            "patient_id": p,
            "row_id": f"a{n}",
            "instrument": "phq9",
            "item": "phq9_09",
            "level": level,
        }
        for n, (p, level) in enumerate(zip(patients[: 1 + seed % 4], levels, strict=False))
    ]
    state = State(Home.open(made.root), TODAY)
    for table, rows in ((TRAJECTORIES, courses), (ALERTS, alerts)):
        blank = {c.name: _any(c.dtype) for c in table.columns if c.is_required}
        frame = table.conform(pd.DataFrame([{**blank, **row} for row in rows]))
        state.warehouse.replace(table, frame, programmes=["alpha"], fingerprints={})


def _any(dtype: str) -> object:
    if "datetime" in dtype:
        return pd.Timestamp("2026-05-21", tz="UTC") if "UTC" in dtype else pd.Timestamp("2026-05-21")
    return "x" if dtype == "str" else 1


def test_dealing_out_scores_and_alerts_anew_leaves_every_list_byte_equal(made: PlannedHome, tmp_path: Path) -> None:
    def lists() -> tuple[str, bytes, bytes]:
        table, calendar = tmp_path / "due.csv", tmp_path / "due.ics"
        screen = rom(made).output
        rom(made, "-o", table)
        rom(made, "-o", calendar)
        return screen, table.read_bytes(), calendar.read_bytes()

    first = lists()
    assert "200101" in first[0]
    for seed in range(3):
        _store_answers(made, seed)
        assert lists() == first


# ---- the calendar --------------------------------------------------------------------------------------------------------


def test_the_calendar_has_counts_and_neither_number_nor_pseudonym(made: PlannedHome, tmp_path: Path) -> None:
    path = tmp_path / "due.ics"
    done = rom(made, "-o", path)
    assert done.exit_code == 0, done.output
    text = path.read_bytes().decode()
    assert [n for n in [*made.ids, *made.ids.values(), *(n[2:] for n in made.ids.values())] if n in text] == []
    unfolded = text.replace("\r\n ", "").split("\r\n")
    days = [line.partition(":")[2] for line in unfolded if line.startswith("DTSTART")]
    said = [line.partition(":")[2] for line in unfolded if line.startswith("SUMMARY")]
    told = list(zip(days, said, strict=True))
    assert told[:3] == [
        ("20261125", "Alpha: 2 overdue"),
        ("20261201", "Alpha: 1 sitting due\\, 1 closes this week"),
        ("20261202", "Alpha: 1 closes this week"),
    ]
    assert ("20261126", "Beta: 1 sitting due") in told
    assert not (made.root / "exports.log").exists()  # nobody was shown


def test_importing_a_later_calendar_again_replaces_the_same_days(made: PlannedHome, tmp_path: Path) -> None:
    def uids(name: str) -> set[str]:
        rom(made, "-o", tmp_path / name)
        return set(re.findall(r"UID:(\S+)", (tmp_path / name).read_text()))

    first = uids("one.ics")
    made.form("200103", "bsi", "baseline", "2026-10-02", "2026-12-01", "2026-12-15")
    made.form("200104", "bsi", "m6", OPEN, "2026-12-03", "2027-01-04")
    made.store()
    assert uids("two.ics") == first


def test_a_calendar_of_nothing_says_so(made: PlannedHome, tmp_path: Path) -> None:
    made.expected = []
    made.form("200101", "phq9", "m6", "2027-10-06", "2027-11-20", "2028-01-04", status="not_yet_due")
    made.store()
    rom(made, "-o", tmp_path / "due.ics", "-p", "alpha")
    assert "SUMMARY:Alpha: nothing to ask for" in (tmp_path / "due.ics").read_text()
