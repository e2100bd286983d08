"""`rom handover` on a small home: a therapist leaves, another goes on holiday, an assistant takes over."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from assets.home import Home
from assets.state import State
from assets.vault import staff_file
from mbt_rom.tables import REGISTERS, findings_table
from pipelines import cli
from tests.planned_homes import PlannedHome

TODAY = date(2026, 11, 25)


class Desk:
    """A home with registers of staff and allocations that a test changes as the next export would."""

    def __init__(self, made: PlannedHome) -> None:
        self.made, self.root = made, made.root
        self.allocations: list[dict[str, object]] = []
        self.staff: list[dict[str, object]] = []
        codes = {code: self.staff_id(code) for code in ("TH01", "TH02", "RA01", "RA02")}
        made.state.vault.add(staff_file("alpha"), {name: ("north", code) for code, name in codes.items()})

    def staff_id(self, code: str) -> str:
        return str(self.made.state.pseudonyms.therapist("north", pd.Series([code], dtype="str")).iloc[0])

    def allocate(self, number: str, code: str, function: str = "individual", **more: object) -> dict[str, object]:
        row = {"programme_id": "alpha", "patient_id": self.made.ids[number], "staff_id": self.staff_id(code)}
        row |= {
            "function": function,
            "from_on": "2026-01-01",
            "delivery_id": "d1",
            "row_id": f"r{len(self.allocations)}",
        }
        self.allocations.append(row | more)
        return self.allocations[-1]

    def employ(self, code: str, function: str, **more: object) -> None:
        row = {"programme_id": "alpha", "staff_id": self.staff_id(code), "function": function, "from_on": "2020-01-01"}
        self.staff.append(row | {"delivery_id": "d1", "row_id": f"s{len(self.staff)}"} | more)

    def store(self, findings: int = 0) -> None:
        self.made.store()
        state = State(Home.open(self.root), TODAY)
        row = {"programme_id": "alpha", "delivery_id": "d1", "rule": "episode_ends_before_start", "severity": "error"}
        wrong = [{**row, "row_id": f"e{n}", "source_row": n} for n in range(findings)]
        tables = [(REGISTERS["allocations"], self.allocations), (REGISTERS["staff"], self.staff)]
        for table, rows in [*tables, (findings_table("registers"), wrong)]:
            frame = table.conform(pd.DataFrame(rows)) if rows else table.empty()
            state.warehouse.replace(table, frame, programmes=["alpha"], fingerprints={})

    def rom(self, *arguments: str | Path) -> Result:
        return CliRunner().invoke(cli.rom, [*map(str, arguments), "--home", str(self.root)])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("pipelines.clock.now", lambda: datetime(2026, 11, 25, 8, 0, tzinfo=UTC))
    made = PlannedHome(tmp_path / "home", TODAY)
    for number in ("200101", "200102"):
        made.episode(number, started_on="2026-05-20")
        made.form(number, "phq9", "m6", "2026-10-06", "2026-11-20", "2027-01-04")
    desk = Desk(made)
    desk.employ("TH01", "individual")
    desk.employ("TH02", "individual")
    desk.employ("RA01", "research_assistant")
    return desk


def test_a_therapist_who_leaves_has_a_list_that_becomes_empty(desk: Desk) -> None:
    first = desk.allocate("200101", "TH01")
    second = desk.allocate("200102", "TH01", "group")
    desk.store()
    done = desk.rom("handover", "th01", "-p", "alpha")
    assert done.exit_code == 1, done.output
    assert "Patients (2): name a successor in the register of allocations, and a last day" in done.output
    assert "200101  individual therapist  no deputy" in done.output
    assert "Sittings that nobody else asks for (2)" in done.output
    for row in (first, second):  # the next export of the register: both have somebody else from the 25th on
        row["until_on"] = "2026-11-24"
    desk.allocate("200101", "TH02", from_on="2026-11-25")
    desk.allocate("200102", "TH02", "group", from_on="2026-11-25")
    desk.store()
    empty = desk.rom("handover", "TH01", "-p", "alpha")
    assert (empty.exit_code, empty.output.strip()) == (0, "Alpha: nothing is left to hand over.")
    assert desk.rom("handover", "TH02", "-p", "alpha").exit_code == 1


def test_who_asks_stands_on_the_list_of_due_and_who_does_it_instead(desk: Desk) -> None:
    desk.allocate("200101", "TH01")
    desk.allocate("200102", "TH01", deputy_id=desk.staff_id("TH02"))
    desk.store()
    assert "asked by" in desk.rom("due", "-p", "alpha").output
    assert desk.rom("due", "-p", "alpha").output.count("TH01") == 2
    desk.staff[0]["until_on"] = "2026-11-24"
    desk.store()
    told = desk.rom("due", "-p", "alpha").output
    assert "TH02 (deputy)" in told


def test_on_holiday_a_deputy_is_enough(desk: Desk) -> None:
    row = desk.allocate("200101", "TH01")
    desk.store()
    away = ["handover", "TH01", "-p", "alpha", "--back-on", "2026-12-07"]
    done = desk.rom(*away)
    assert done.exit_code == 1
    assert "Patients (1) without a deputy" in done.output
    row["deputy_id"] = desk.staff_id("TH02")
    desk.store()
    assert desk.rom(*away).exit_code == 0, desk.rom(*away).output
    assert desk.rom("handover", "TH01", "-p", "alpha").exit_code == 1  # who leaves needs a successor


def test_the_only_assistant_hands_over_findings_and_mapping_files(desk: Desk) -> None:
    desk.allocate("200101", "TH01")
    desk.store(findings=3)
    done = desk.rom("handover", "RA01", "-p", "alpha")
    assert done.exit_code == 1
    assert "Nobody else is research assistant here: 3 open findings and 0 mapping files have nobody" in done.output
    desk.employ("RA02", "research_assistant")
    desk.store(findings=3)
    assert desk.rom("handover", "RA01", "-p", "alpha").exit_code == 0


def test_a_deputy_who_leaves_is_named_to_those_who_rely_on_it(desk: Desk) -> None:
    desk.allocate("200101", "TH01", deputy_id=desk.staff_id("TH02"))
    desk.store()
    assert "Deputy of 1 colleagues (TH01)" in desk.rom("handover", "TH02", "-p", "alpha").output


def test_without_registers_there_is_no_data_and_the_list_is_not_called_empty(desk: Desk) -> None:
    desk.staff = []
    desk.store()
    done = desk.rom("handover", "TH01", "-p", "alpha")
    assert done.exit_code == 1
    assert "no data" in done.output
    assert "Who asks: no data" in desk.rom("due", "-p", "alpha").output


def test_somebody_whom_no_register_names_is_wrong_use(desk: Desk) -> None:
    desk.allocate("200101", "TH01")
    desk.store()
    assert desk.rom("handover", "TH99", "-p", "alpha").exit_code == 2
    assert desk.rom("handover", "TH01", "--back-on", "2026-11-25").exit_code == 2
    assert desk.rom("handover", "--back-on", "2026-12-25").exit_code == 2


def test_an_assistant_who_takes_over_finds_mappings_findings_and_who_is_due(desk: Desk, tmp_path: Path) -> None:
    desk.store(findings=2)
    done = desk.rom("handover", "-p", "alpha")
    assert done.exit_code == 0, done.output
    assert "Alpha: what an assistant who takes over finds on 2026-11-25" in done.output
    assert "Open findings (2): rom findings -p alpha" in done.output
    assert "2 x the episode ends before it starts [episode_ends_before_start]" in done.output
    assert "To ask now (2): rom due -p alpha" in done.output
    assert "200101" in done.output
    page = tmp_path / "taking_over.md"
    assert desk.rom("handover", "-p", "alpha", "-o", page, "--language", "nl").exit_code == 0
    assert "wat een assistent die overneemt aantreft" in page.read_text()
    assert '"table": "handover"' in (desk.root / "exports.log").read_text()


def test_who_died_is_handed_over_to_nobody_and_who_is_in_crisis_still_is(desk: Desk) -> None:
    for number in ("200101", "200102"):
        desk.allocate(number, "TH01")
    desk.store()
    desk.rom("stop", "200101", "--kind", "deceased")
    desk.rom("stop", "200102", "--kind", "in_crisis")
    done = desk.rom("handover", "TH01", "-p", "alpha")
    assert done.exit_code == 1
    assert "200101" not in done.output
    assert "200102  individual therapist  no deputy    stopped: in_crisis" in done.output
    assert "Sittings" not in done.output
    assert "People who died, left off: 1" in done.output


def test_a_death_that_only_a_register_tells_leaves_the_handover_too(desk: Desk) -> None:
    desk.allocate("200101", "TH01")
    desk.made.episodes[0] |= {"ended_on": "2026-11-24", "end_reason": "died"}
    desk.store()
    done = desk.rom("handover", "TH01", "-p", "alpha")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == ["Alpha: nothing is left to hand over.", "  People who died, left off: 1", ""]
