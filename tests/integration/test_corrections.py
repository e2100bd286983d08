"""Corrections through the command line: move, undo, link, unlink, decisions, from the export to the scores and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from assets.home import Home, create
from assets.state import State
from pipelines import cli
from pipelines.nightly import run
from tests.small_homes import ONE_PROGRAMME

AS_OF = date(2026, 6, 30)
START = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
WRONG, RIGHT = "739184", "739185"
REASON = "wilhelmina-canary said so"
HEADER = "response_id,patient_id,date," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))
ROWS = [f"11,{WRONG},2026-01-05" + ",1" * 9, f"12,{RIGHT},2026-03-06" + ",2" * 9]

pytestmark = pytest.mark.slow


class Desk:
    """A home and somebody who works with it, an hour per step."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.hours = root, 0
        self.said: list[str] = []
        monkeypatch.setattr("pipelines.clock.now", lambda: self.now)
        monkeypatch.setattr("pipelines.clock.today", lambda timezone: self.now.date())

    @property
    def now(self) -> datetime:
        return START + timedelta(hours=self.hours)

    def night(self) -> None:
        self.hours += 1
        assert run(self.root, as_of=AS_OF, now=self.now).failures == []

    def drop(self, name: str, *rows: str) -> None:
        (self.root / "inbox" / "alpha" / name).write_text("\n".join([HEADER, *rows]) + "\n")

    def rom(self, *arguments: str, answers: str = "") -> Result:
        self.hours += 1
        done = CliRunner().invoke(cli.rom, [*arguments, "--home", str(self.root)], input=answers)
        self.said.append(done.output)
        return done

    def state(self) -> State:
        return State(Home.open(self.root), AS_OF)

    def totals(self) -> list[tuple[str, float]]:
        """Number and total score of every form that counts."""
        state = self.state()
        numbers = {p: number for p, (_, number) in state.vault.numbers("alpha").items()}
        rows = state.read("scores/phq9").query("scale == 'total'")
        return sorted(zip(rows["patient_id"].map(numbers), rows["score"], strict=True))

    def row_id(self, row: int) -> str:
        items = self.state().read("items/phq9")
        return str(items.loc[(items["source_row"] == row) & items["corrects"].isna(), "row_id"].iloc[0])


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(create(tmp_path / "home", ONE_PROGRAMME).root, monkeypatch)
    made.drop("export.csv", *ROWS)
    made.night()
    return made


def test_a_form_is_moved_and_moved_back_and_nothing_of_it_is_told(desk: Desk) -> None:
    assert desk.totals() == [(WRONG, 9.0), (RIGHT, 18.0)]
    moved = desk.rom("move", desk.row_id(2)[:18], "--to", "-", "--reason", REASON, "-p", "alpha", answers=f"{RIGHT}\n")
    assert moved.exit_code == 0, moved.output
    desk.night()
    assert desk.totals() == [(RIGHT, 9.0), (RIGHT, 18.0)]
    decision = desk.state().ledger.query("kind == 'correction'")["delivery_id"].iloc[0]
    assert decision[:12] in moved.output

    undone = desk.rom("undo", decision[:8], "--reason", "it was right after all")
    assert undone.exit_code == 0, undone.output
    desk.night()
    assert desk.totals() == [(WRONG, 9.0), (RIGHT, 18.0)]
    law = desk.state().read("deliveries/conservation").query("instrument == 'phq9'").iloc[0]
    assert law[["n_offered", "n_accepted", "n_superseded", "is_conserved"]].tolist() == [3, 2, 1, True]
    _nothing_is_told(desk)

    listed = desk.rom("decisions").output
    [first, second] = listed.splitlines()
    assert decision[:12] in first
    assert REASON in first
    assert "[undone by " in first
    assert "export.csv, row 2" in first
    assert f"undo of {decision[:12]}: it was right after all" in second
    assert WRONG not in listed
    assert RIGHT not in listed


def _nothing_is_told(desk: Desk) -> None:
    """Neither number nor reason stands in a table, a log, Dagster's files, the site, or in what commands answered."""
    for path in desk.root.rglob("*"):
        inside = path.relative_to(desk.root).parts
        if path.is_file() and inside[0] not in ("archive", "vault", "inbox"):
            data = path.read_bytes()
            for told in (RIGHT, WRONG, REASON):
                assert told.encode() not in data, inside
    answers = "".join(desk.said).replace(f"Number of the right patient: {RIGHT}", "")
    assert not any(told in answers for told in (WRONG, RIGHT, REASON))


def test_a_moved_form_stays_where_it_is_when_it_comes_again_and_is_set_aside_when_it_changed(desk: Desk) -> None:
    row = desk.row_id(2)
    assert desk.rom("move", row, "--to", RIGHT, "--reason", REASON, "-p", "alpha").exit_code == 0
    desk.drop("again.csv", *ROWS, f"13,{RIGHT},2026-05-06" + ",0" * 9)
    desk.night()
    assert desk.totals() == [(RIGHT, 0.0), (RIGHT, 9.0), (RIGHT, 18.0)]
    desk.drop("changed.csv", ROWS[0].replace(",1,1", ",3,1", 1))
    desk.night()
    assert desk.totals() == [(RIGHT, 0.0), (RIGHT, 9.0), (RIGHT, 18.0)]
    found = desk.state().read("findings/phq9").query("severity == 'error'")
    assert found[["rule", "source_row"]].to_numpy().tolist() == [["moved_form_changed", 2]]
    assert (
        desk.rom("move", str(found["row_id"].iloc[0]), "--to", RIGHT, "--reason", REASON, "-p", "alpha").exit_code == 0
    )
    desk.night()
    assert desk.totals() == [(RIGHT, 0.0), (RIGHT, 11.0), (RIGHT, 18.0)]
    assert desk.state().read("findings/phq9").query("severity == 'error'").empty


def test_two_numbers_are_one_person_until_they_are_unlinked(desk: Desk) -> None:
    linked = desk.rom("link", "-", "-", "--reason", REASON, "-p", "alpha", answers=f"{WRONG}\n{RIGHT}\n")
    assert linked.exit_code == 0, linked.output
    assert desk.rom("link", WRONG, RIGHT, "--reason", REASON, "-p", "alpha").exception is not None
    desk.night()
    assert desk.totals() == [(RIGHT, 9.0), (RIGHT, 18.0)]
    assert desk.rom("unlink", RIGHT, WRONG, "--reason", REASON, "-p", "alpha").exit_code == 0
    desk.night()
    assert desk.totals() == [(WRONG, 9.0), (RIGHT, 18.0)]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["move", "ffff", "--to", RIGHT], "no form of this programme"),
        (["move", "", "--to", RIGHT], "several forms begin so"),
        (["move", "ROW", "--to", "12"], "no patient number of 'north'"),
        (["link", RIGHT, RIGHT], "one and the same number"),
        (["unlink", RIGHT, WRONG], "not linked"),
    ],
    ids=["no row", "several rows", "no number", "one number", "no link"],
)
def test_what_cannot_be_decided_is_told_without_the_number(desk: Desk, arguments: list[str], told: str) -> None:
    given = [desk.row_id(2) if a == "ROW" else a for a in arguments]
    done = desk.rom(*given, "--reason", REASON, "-p", "alpha")
    message = str(done.exception)
    assert told in message
    assert RIGHT not in message
    assert WRONG not in message
    assert type(done.exception).__name__ in cli._EXPECTED
    assert desk.state().ledger["kind"].eq("correction").sum() == 0


def test_linked_and_moved_rows_are_those_of_a_home_that_computes_everything_anew(desk: Desk, tmp_path: Path) -> None:
    """Tables of nights in between leave no trace: the same ledger from nothing gives the same tables."""
    assert desk.rom("move", desk.row_id(2), "--to", RIGHT, "--reason", REASON, "-p", "alpha").exit_code == 0
    desk.night()
    before = {t: desk.state().read(t) for t in ("items/phq9", "scores/phq9", "deliveries/contents")}
    from assets.decisions import record  # the same decision again is known

    state = desk.state()
    [(_name, one)] = state.decisions("alpha").items()
    assert record(state, "alpha", one.correction, now=desk.now).outcome == "known"
    desk.night()
    for table, rows in before.items():
        pd.testing.assert_frame_equal(desk.state().read(table), rows)
