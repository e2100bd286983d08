"""A stop between two nights: exports that still hold the patient change nothing, before and after it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets import stops
from assets.home import Home, create
from assets.lock import LockedError
from assets.state import CORRECTION, State
from pipelines import cli
from pipelines.nightly import run
from tests.small_homes import ONE_PROGRAMME

ONE, OTHER = "739184", "739185"
ANSWERS = ",".join(f"phq9_{i:02d}" for i in range(1, 10))

pytestmark = pytest.mark.slow


class Desk:
    """A home, its nights, and people who work with it by day."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.now, self.who = root, datetime(2026, 6, 30, 2, 0, tzinfo=UTC), "ann"
        monkeypatch.setattr("pipelines.clock.now", lambda: self.now)
        monkeypatch.setattr("pipelines.deciding.account", lambda: self.who)

    def night(self, day: int, *numbers: str) -> None:
        """Exports of forms and episodes of these patients come, and a night runs at two."""
        self.now = datetime(2026, 7, day, 0, 0, tzinfo=UTC)
        inbox = self.root / "inbox" / "alpha"
        forms = [f"{day}{n},{n},2026-01-0{5 + i}{',1' * 9}" for i, n in enumerate(numbers)]
        (inbox / f"forms{day}.csv").write_text("\n".join([f"response_id,patient_id,date,{ANSWERS}", *forms, ""]))
        courses = [f"E{n},{n},TH01,2025-12-01,2026-01-08,," for n in numbers]
        head = "episode_id,patient_id,therapist_id,referred_on,started_on,ended_on,end_reason"
        (inbox / f"episodes{day}.csv").write_text("\n".join([head, *courses, ""]))
        assert run(self.root, as_of=self.now.date(), now=self.now).failures == []

    def rom(self, *arguments: str) -> Result:
        self.now += timedelta(minutes=1)
        return CliRunner().invoke(cli.rom, [*arguments, "--home", str(self.root)])

    def listed(self) -> list[str]:
        output = self.rom("due").output
        return [n for n in (ONE, OTHER) if n in output]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(create(tmp_path / "home", ONE_PROGRAMME).root, monkeypatch)


def test_tonights_export_still_holds_the_patient_and_no_list_does(desk: Desk) -> None:
    desk.night(1, ONE, OTHER)
    assert desk.listed() == [ONE, OTHER]
    assert desk.rom("stop", ONE, "--kind", "deceased", "--reason", "told_by_relatives").exit_code == 0
    assert desk.listed() == [OTHER]
    desk.night(2, ONE, OTHER)
    assert desk.listed() == [OTHER]
    desk.who = "ben"
    assert desk.rom("stop", ONE, "--confirm").exit_code == 0
    desk.night(3, ONE, OTHER)
    assert desk.listed() == [OTHER]
    assert desk.rom("stop", ONE, "--lift", "--reason", "entered_by_mistake").exit_code == 0
    desk.night(4, ONE, OTHER)
    assert desk.listed() == [ONE, OTHER]


def test_the_night_enters_a_stop_that_came_while_another_one_wrote(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.night(1, ONE, OTHER)
    with monkeypatch.context() as patch:
        patch.setattr(stops, "writing", _busy)
        assert "the ledger row follows" in desk.rom("stop", ONE, "--kind", "withdrew").output
    assert desk.listed() == [OTHER]
    desk.night(2, ONE, OTHER)
    ledger = State(Home.open(desk.root), date(2026, 7, 2)).ledger
    (row,) = ledger[ledger["kind"] == CORRECTION].itertuples()
    assert row.received_at < desk.now.replace(day=2, hour=0, minute=0)  # when it was said, not when the night came
    assert row.received_by == "ann"
    assert desk.listed() == [OTHER]


def _busy(*_: object, **__: object) -> None:
    raise LockedError("the home is being written to")
