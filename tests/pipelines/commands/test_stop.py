"""`rom stop`: at once, before and against any export, lifted by a person only, and told without numbers."""

from __future__ import annotations

import json
import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from assets import stops
from assets.home import Home
from assets.lock import writing
from assets.state import CORRECTION, State
from mbt_rom.tables import ALERTS, Table, findings_table
from pipelines import cli, deciding
from tests.planned_homes import PlannedHome

TODAY = date(2026, 11, 25)
TWO_PM = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)  # 14:00 in Amsterdam
ONE = "200101"
ONE_ISSUER = """
name: One hospital
issuers: {north: {length: 6}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9]}
  beta: {name: Beta, issuer: north, instruments: [phq9]}
"""


class Desk:
    """People who work with one home, a minute per step."""

    def __init__(self, made: PlannedHome, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made, self.root, self.now, self.who = made, made.root, TWO_PM, "ann"
        monkeypatch.setattr("pipelines.clock.now", lambda: self.now)
        monkeypatch.setattr("pipelines.clock.today", lambda timezone: self.now.date())
        monkeypatch.setattr("pipelines.deciding.account", lambda: self.who)

    def rom(self, *arguments: str, who: str = "ann", answers: str = "") -> Result:
        self.who = who
        done = CliRunner().invoke(cli.rom, [*arguments, "--home", str(self.root)], input=answers)
        self.now += timedelta(minutes=1)
        return done

    def state(self) -> State:
        return State(Home.open(self.root), self.now.date())

    def is_listed(self, number: str = ONE) -> bool:
        return number in self.rom("due").output


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = PlannedHome(tmp_path / "home", TODAY)
    for number in ("200101", "200102"):
        made.episode(number, started_on="2026-05-20")
        made.form(number, "phq9", "m6", "2026-10-06", "2026-11-20", "2027-01-04")
    made.episode("300301", programme="beta", started_on="2026-05-20")
    made.form("300301", "phq9", "m6", "2026-10-06", "2026-11-20", "2027-01-04", programme_id="beta")
    made.store()
    return Desk(made, monkeypatch)


def test_who_is_stopped_at_14_00_is_on_no_list_at_14_01(desk: Desk) -> None:
    assert desk.is_listed()
    done = desk.rom("stop", ONE, "--kind", "deceased", "--reason", "told_by_relatives")
    assert done.exit_code == 0, done.output
    assert not desk.is_listed()
    assert desk.is_listed("200102")
    assert ONE not in done.output


@pytest.mark.parametrize("kind", ["deceased", "withdrew", "in_crisis"])
def test_no_form_and_no_register_that_comes_later_lifts_a_stop(desk: Desk, kind: str) -> None:
    desk.rom("stop", ONE, "--kind", kind)
    desk.made.form(ONE, "bsi", "m6", "2026-10-06", "2026-11-20", "2027-01-04")
    desk.made.store()  # the next night: the patient is still in the export, with another form due
    assert not desk.is_listed()


def test_only_a_person_lifts_it(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "in_crisis")
    desk.now += timedelta(days=400)
    desk.made.form(ONE, "phq9", "m18", "2027-10-06", "2027-11-20", "2028-01-04")
    desk.made.store()
    assert not desk.is_listed()
    assert desk.rom("stop", ONE, "--lift", "--reason", "no_longer_so").exit_code == 0
    assert desk.is_listed()


def test_no_contact_until_lapses_after_its_last_day(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "no_contact_until", "--until", "2026-11-27")
    for day, is_listed in ((26, False), (27, False), (28, True)):
        desk.now = datetime(2026, 11, day, 9, 0, tzinfo=UTC)
        assert desk.is_listed() is is_listed, day


def test_it_holds_though_somebody_else_is_writing_and_the_night_enters_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stops, "WAIT_SECONDS", 0.0)
    busy = multiprocessing.get_context("fork")
    taken, let_go = busy.Event(), busy.Event()
    other = busy.Process(target=_hold, args=(desk.root, taken, let_go))
    other.start()
    assert taken.wait(20)
    try:
        done = desk.rom("stop", ONE, "--kind", "deceased")
        assert done.exit_code == 0, done.output
        assert "the ledger row follows" in done.output
        assert not desk.is_listed()
        assert desk.state().ledger.empty
    finally:
        let_go.set()
        other.join(20)
    state = desk.state()
    assert stops.enter_waiting(state) == 1
    assert list(state.ledger["kind"]) == [CORRECTION]
    assert not desk.is_listed()
    assert stops.enter_waiting(state) == 0


def _hold(root: Path, taken: object, let_go: object) -> None:
    with writing(root, who="rom nightly", now=TWO_PM):
        taken.set()  # type: ignore[attr-defined]
        let_go.wait(60)  # type: ignore[attr-defined]


def test_a_kill_before_the_ledger_row_loses_nothing_and_counts_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("assets.intake.enter", _killed)
        assert isinstance(desk.rom("stop", ONE, "--kind", "deceased").exception, KeyboardInterrupt | SystemExit)
    assert not desk.is_listed()
    state = desk.state()
    stops.enter_waiting(state)
    assert len(stops.table(state, ["alpha"])) == len(state.ledger) == 1


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


# ---- a second person ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["deceased", "withdrew"])
def test_a_second_person_confirms_and_it_holds_meanwhile(desk: Desk, kind: str) -> None:
    assert "To be confirmed by a second person" in desk.rom("stop", ONE, "--kind", kind).output
    assert "to be confirmed" in desk.rom("stop", "--list").output
    assert not desk.is_listed()
    assert "To be confirmed by a second person: 1 stops" in desk.rom("due").output
    again = desk.rom("stop", ONE, "--confirm")
    assert isinstance(again.exception, Exception)
    assert "a second person confirms" in str(again.exception)
    assert desk.rom("stop", ONE, "--confirm", who="ben").exit_code == 0
    listed = desk.rom("stop", "--list").output
    assert "to be confirmed" not in listed
    assert "ben" in listed
    assert "no stop of that patient to confirm" in desk.rom("stop", ONE, "--confirm", who="cas").output


@pytest.mark.parametrize("more", [["--kind", "in_crisis"], ["--kind", "no_contact_until", "--until", "2026-12-31"]])
def test_other_kinds_need_nobody_else(desk: Desk, more: list[str]) -> None:
    assert "second person" not in desk.rom("stop", ONE, *more).output
    assert "to be confirmed" not in desk.rom("stop", "--list").output


def test_the_environment_cannot_make_a_second_person(monkeypatch: pytest.MonkeyPatch) -> None:
    before = deciding.account()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody_else")
    assert deciding.account() == before != "somebody_else"


@pytest.mark.parametrize(
    ("logged_in", "account"), [("987654", "987654"), ("4294967295", None), ("", None), (None, None)]
)
def test_two_people_who_act_as_the_owner_of_the_home_stay_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged_in: str | None, account: str | None
) -> None:
    path = tmp_path / "loginuid"
    monkeypatch.setattr(deciding, "_LOGIN", path)
    runs_as = deciding.account()  # nothing says who logged in
    if logged_in is not None:
        path.write_text(logged_in)
    assert deciding.account() == (account or runs_as)


# ---- who is meant ------------------------------------------------------------------------------------------------------


def test_a_number_that_nobody_delivered_is_refused_unless_said_so(desk: Desk) -> None:
    wrong = desk.rom("stop", "200999", "--kind", "deceased")
    assert wrong.exit_code == 2
    assert "nobody with that number was ever delivered" in wrong.output
    before = desk.rom("stop", "200999", "--kind", "deceased", "-p", "alpha", "--not-known-yet")
    assert before.exit_code == 0, before.output
    desk.made.ids["200999"] = desk.state().pseudonym(("north", "200999"))
    desk.made.episode("200999", started_on="2026-11-24")
    desk.made.form("200999", "phq9", "baseline", "2026-09-25", "2026-11-24", "2026-12-08")
    desk.made.store()  # tonight's export brings the patient
    assert not desk.is_listed("200999")


def test_a_number_of_two_programmes_needs_one_of_them_and_a_death_holds_in_both(tmp_path: Path, monkeypatch) -> None:
    made = PlannedHome(tmp_path / "home", TODAY, ONE_ISSUER)
    made.state.vault.add("beta", {made.ids[ONE]: ("north", ONE)})
    for programme in ("alpha", "beta"):
        made.episode(ONE, programme=programme, episode_id=f"e_{programme}", started_on="2026-05-20")
        days = ("2026-10-06", "2026-11-20", "2027-01-04")
        made.form(ONE, "phq9", "m6", *days, programme_id=programme, episode_id=f"e_{programme}")
    made.store()
    desk = Desk(made, monkeypatch)
    unclear = desk.rom("stop", ONE, "--kind", "in_crisis")
    assert unclear.exit_code == 2
    assert "several programmes know that number: alpha, beta" in unclear.output
    desk.rom("stop", ONE, "--kind", "in_crisis", "-p", "alpha")
    assert ONE not in desk.rom("due", "-p", "alpha").output
    assert ONE in desk.rom("due", "-p", "beta").output
    desk.rom("stop", ONE, "--kind", "deceased", "-p", "alpha")
    assert ONE not in desk.rom("due").output


def test_a_number_that_was_linked_today_is_stopped_with_the_other(desk: Desk) -> None:
    desk.rom("link", "200102", ONE, "--reason", "a new number", "-p", "alpha")
    desk.rom("stop", "200102", "--kind", "withdrew")
    assert not desk.is_listed()
    assert not desk.is_listed("200102")


@pytest.mark.parametrize("linked_in", ["alpha", "beta"])
def test_who_died_is_on_no_list_of_a_programme_that_knows_another_number_of_the_same_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linked_in: str
) -> None:
    """One issuer: 200101 is a patient of both, and one of them learnt that 200102 is the same person."""
    made = PlannedHome(tmp_path / "home", TODAY, ONE_ISSUER)
    made.state.vault.add("beta", {made.ids[number]: ("north", number) for number in (ONE, "200102")})
    days = ("2026-10-06", "2026-11-20", "2027-01-04")
    for programme in ("alpha", "beta"):
        made.episode(ONE, programme=programme, episode_id=f"e_{programme}", started_on="2026-05-20")
        made.form(ONE, "phq9", "m6", *days, programme_id=programme, episode_id=f"e_{programme}")
    made.store()
    desk = Desk(made, monkeypatch)
    assert desk.rom("link", ONE, "200102", "--reason", "a new number", "-p", linked_in).exit_code == 0
    desk.rom("stop", ONE, "--kind", "deceased", "-p", "alpha")
    for programme in ("alpha", "beta"):
        shown = desk.rom("due", "-p", programme).output
        assert "0 to ask" in shown, shown
    assert len(desk.rom("stop", "--list").output.splitlines()) == 2  # the head, and the one stop
    desk.rom("stop", ONE, "--lift", "-p", "alpha")
    assert "1 to ask" in desk.rom("due", "-p", "beta").output


def test_the_number_may_be_asked_for(desk: Desk) -> None:
    assert desk.rom("stop", "-", "--kind", "deceased", answers=f"{ONE}\n").exit_code == 0
    assert not desk.is_listed()


# ---- what is told and kept ---------------------------------------------------------------------------------------------


def test_what_is_logged_and_stored_holds_no_number(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "deceased")
    desk.rom("stop", ONE, "--confirm", who="ben")
    lines = [json.loads(line) for line in (desk.root / "exports.log").read_text().splitlines()]
    assert [(line["table"], line["purpose"]) for line in lines] == [("stops", "stop deceased"), ("stops", "confirm")]
    stored = [path for path in desk.root.rglob("*") if path.is_file() and ONE.encode() in path.read_bytes()]
    assert stored == []
    assert list(desk.state().ledger["received_by"].sort_values()) == ["ann", "ben"]


def test_decisions_tell_of_a_stop_without_the_number(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "withdrew", "--reason", "told_by_team")
    told = desk.rom("decisions").output
    assert "stop of a patient (withdrew): told_by_team" in told
    assert ONE not in told


def test_the_list_shows_local_numbers_and_is_logged(desk: Desk) -> None:
    assert desk.rom("stop", "--list").output == "No stop holds.\n"
    desk.rom("stop", ONE, "--kind", "no_contact_until", "--until", "2026-12-31", who="ben")
    lines = desk.rom("stop", "--list").output.splitlines()
    assert lines[0].split() == ["programme", "patient", "kind", "since", "last", "day", "by", "second", "person"]
    assert lines[1].split() == ["alpha", "north", ONE, "no_contact_until", "2026-11-25", "14:01", "2026-12-31", "ben"]
    assert '"purpose": "list"' in (desk.root / "exports.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([ONE], "say why with --kind"),
        ([], "say which patient"),
        ([ONE, "--kind", "no_contact_until"], "needs its last day"),
        ([ONE, "--kind", "deceased", "--until", "2026-12-31"], "no other kind has one"),
        ([ONE, "--kind", "no_contact_until", "--until", "2026-11-24"], "lies in the past"),
        ([ONE, "--lift"], "no stop of that patient to lift"),
        ([ONE, "--list"], "--list takes"),
        ([ONE, "--kind", "moved"], "'moved' is not one of"),
    ],
)
def test_wrong_use(desk: Desk, arguments: list[str], said: str) -> None:
    done = desk.rom("stop", *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_the_same_stop_twice_is_refused(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "deceased")
    assert "holds already" in str(desk.rom("stop", ONE, "--kind", "deceased").exception)


def test_of_several_stops_the_one_to_lift_is_named(desk: Desk) -> None:
    desk.rom("stop", ONE, "--kind", "in_crisis")
    desk.rom("stop", ONE, "--kind", "withdrew")
    assert "several stops of that patient (in_crisis, withdrew)" in desk.rom("stop", ONE, "--lift").output
    assert desk.rom("stop", ONE, "--lift", "--kind", "in_crisis").exit_code == 0
    assert not desk.is_listed()
    assert desk.rom("stop", ONE, "--lift").exit_code == 0
    assert desk.is_listed()


# ---- other lists ---------------------------------------------------------------------------------------------------------


def _store(desk: Desk, table: Table, rows: list[dict[str, object]]) -> None:
    desk.state().warehouse.replace(table, table.conform(pd.DataFrame(rows)), programmes=["alpha"], fingerprints={})


def test_risk_answers_of_who_died_are_left_off_and_those_of_others_are_marked(desk: Desk) -> None:
    row = {
        "programme_id": "alpha",
        "instrument": "phq9",
        "item": "phq9_09",
        "answer": 2,
        "level": "high",
        "list": "new_or_worse",
    }
    row |= {
        "edition": "9 items",
        "form_status": "counts",
        "delivery_id": "d1",
        "rule": "item_9_high",
        "about": "self-harm",
    }
    row |= {"received_at": pd.Timestamp("2026-11-24", tz="UTC"), "origin": "project_rule", "confidence": "memory"}
    row |= {"age_days": 1, "answered_on": "2026-11-23"}
    numbers = {"200101": "r1", "200102": "r2"}
    _store(desk, ALERTS, [{**row, "patient_id": desk.made.ids[n], "row_id": r} for n, r in numbers.items()])
    look = ["alerts", "-p", "alpha", "--purpose", "team meeting"]
    assert [n in desk.rom(*look).output for n in numbers] == [True, True]
    desk.rom("stop", "200101", "--kind", "deceased")
    desk.rom("stop", "200102", "--kind", "in_crisis")
    told = desk.rom(*look).output
    assert "200101" not in told
    assert "1 of people who died are left off" in told
    assert "north 200102 (stopped: in_crisis): PHQ-9 item 9" in told


def test_beside_a_number_on_the_work_list_stands_that_nobody_may_ask(desk: Desk) -> None:
    row = {"programme_id": "alpha", "delivery_id": "d1", "rule": "episode_ends_before_start", "severity": "error"}
    numbers = enumerate(("200101", "200102"), start=2)
    rows = [{**row, "row_id": f"r-{desk.made.ids[n][2:]}", "source_row": line} for line, n in numbers]
    _store(desk, findings_table("registers"), rows)
    desk.rom("stop", ONE, "--kind", "withdrew")
    told = desk.rom("findings", "--with-values", "--reason", "mending").output
    assert f"patient {ONE} (do not ask / niet vragen)" in told
    assert "row 3, patient 200102\n" in told
