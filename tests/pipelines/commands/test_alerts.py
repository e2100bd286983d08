"""`rom alerts`: who is on which list, under which sentence, for which purpose, and where none of it may go."""

from __future__ import annotations

import json
import stat
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from assets.home import Home, create
from assets.state import State
from mbt_rom.alerts import LISTS, NOT_WATCHED
from mbt_rom.alerts import alerts as risk_answers
from mbt_rom.registry import instrument
from mbt_rom.tables import LEDGER, findings_table, items_table
from pipelines.commands.alerts import CHOICES, COLUMNS, alerts

SETTINGS = """
name: Two programmes
issuers: {north: {length: 6}, south: {length: 6}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9]}
  beta: {name: Beta, issuer: south, instruments: [phq9]}
"""
TODAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 10, 0, tzinfo=UTC)
PHQ9 = instrument("phq9")
WHY = ["--purpose", "team meeting"]
EN, NL = NOT_WATCHED["en"], NOT_WATCHED["nl"]


def _form(row_id: str, patient: str | None, on: str, at: str, answer: int, **more: object) -> dict[str, object]:
    base = {"programme_id": "alpha", "row_id": row_id, "delivery_id": "d1", "source_row": int(row_id[1:]), "block": 0}
    base |= {"patient_id": patient, "administered_on": on, "received_at": pd.Timestamp(f"{at}T10:00", tz="UTC")}
    return base | {"edition": PHQ9.edition, "phq9_09": answer, **more}


FORMS = [
    _form("r2", "p_one", "2026-06-01", "2026-06-02", 1),  # new
    _form("r3", "p_one", "2026-06-22", "2026-06-23", 1),  # known
    _form("r4", "p_one", "2026-06-28", "2026-06-30", 3),  # worse
    _form("r5", "p_two", "2026-05-01", "2026-06-10", 2),  # old
    _form("r6", None, "2026-06-20", "2026-06-21", 2, patient_problem="patient_form", sheet="June"),  # whose?
    _form("r7", "p_two", "2026-04-01", "2026-04-02", 2),  # before the last 30 days
    _form("r8", "p_other", "2026-06-20", "2026-06-21", 3, programme_id="beta"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose tables are what a night would have made of `FORMS`."""
    monkeypatch.setattr("pipelines.clock.now", lambda: NOW)
    opened = create(tmp_path / "home", SETTINGS)
    state = State(opened, TODAY)
    state.vault.add("alpha", {"p_one": ("north", "200101"), "p_two": ("north", "000202")})
    state.vault.add("beta", {"p_other": ("south", "300303")})
    row = {"delivery_id": "d1", "file_name": "june.xlsx", "received_at": pd.Timestamp("2026-06-30T10:00", tz="UTC")}
    row |= {"size_bytes": 1, "status": "taken_in", "understood": '[{"instrument": "phq9"}]', "programme_id": "alpha"}
    ledger = LEDGER.conform(pd.DataFrame([row, row | {"programme_id": "beta"}]))
    state.warehouse.replace(LEDGER, ledger, programmes=["alpha", "beta"], fingerprints={})
    items, findings = items_table(PHQ9).conform(pd.DataFrame(FORMS)), findings_table("phq9").empty()
    rows = risk_answers({"phq9": items}, {"phq9": findings}, definitions={"phq9": PHQ9}, timezone="Europe/Amsterdam")
    rows = rows.assign(form_status=rows["form_status"].mask(rows["row_id"] == "r6", "set_aside"))
    for name, frame in (("items/phq9", items), ("outcomes/alerts", rows)):
        table = state.catalogue[name]
        prints = {p: state.fingerprint(table, p) for p in ("alpha", "beta")}
        state.warehouse.replace(table, frame, programmes=["alpha", "beta"], fingerprints=prints)
    return opened.root


def rom(home: Path, *options: str | Path, text: str | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(alerts, ["--home", str(home), *map(str, options)], input=text)


def _logged(home: Path) -> list[dict[str, object]]:
    log = Home.open(home).export_log
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


# ---- what is shown ------------------------------------------------------------------------------------------------------


def test_each_answer_stands_on_its_list_with_the_number_of_the_patient(home: Path) -> None:
    done = rom(home, "-p", "alpha", *WHY)
    assert done.exit_code == 0, done.output
    lists = [done.output.index(f"{words}: {n}\n") for words, n in zip(LISTS.values(), (3, 1, 1), strict=True)]
    assert lists == sorted(lists)
    new, known, old = (done.output[a:b] for a, b in zip(lists, [*lists[1:], None], strict=True))
    assert "north 200101: PHQ-9 item 9, thoughts of death or self-harm: 3 (0 to 3), high" in new
    assert "answered 2026-06-28, arrived 2026-06-30, 2 days old when it arrived" in new
    assert "rule item_9_high item_9_alert (project_rule, memory)" in new
    assert new.index("arrived 2026-06-30") < new.index("arrived 2026-06-21") < new.index("arrived 2026-06-02")
    assert "north 200101: PHQ-9 item 9, thoughts of death or self-harm: 1 (0 to 3), alert" in known
    assert "north 000202" in old
    assert "40 days old when it arrived" in old
    assert "Alpha: risk answers that arrived from 2026-06-01 to 2026-06-30 (1 arrived before" in done.output


def test_whose_form_cannot_be_told_is_told_by_file_sheet_and_row(home: Path) -> None:
    output = rom(home, "-p", "alpha", *WHY).output
    assert "patient not known: PHQ-9 item 9" in output
    assert "the form is set aside: june.xlsx, sheet June, row 6; `rom findings` says why" in output


@pytest.mark.parametrize("options", [[], ["--list", "old"], ["--as-of", "2020-01-01"]], ids=["all", "one", "nothing"])
def test_the_sentence_stands_at_the_top_and_at_the_bottom_of_every_list(home: Path, options: list[str]) -> None:
    lines = rom(home, "-p", "alpha", *WHY, *options).output.splitlines()
    assert lines[:2] == [EN, NL]
    assert lines[-2:] == [EN, NL]


def test_no_pseudonym_and_nobody_of_another_programme_is_shown(home: Path) -> None:
    output = rom(home, "-p", "alpha", *WHY).output
    assert [word for word in ("p_one", "p_two", "300303", "p_other") if word in output] == []
    assert "south 300303" in rom(home, "-p", "beta", *WHY).output


def test_one_list_alone(home: Path) -> None:
    output = rom(home, "-p", "alpha", "--list", "unchanged_known", *WHY).output
    assert LISTS["unchanged_known"] in output
    assert LISTS["new_or_worse"] not in output
    assert output.count("north ") == 1


@pytest.mark.parametrize(
    ("options", "n"),
    [
        (["--days", "1"], 1),  # arrived on the day itself
        (["--days", "7"], 1),  # 24 to 30 June
        (["--days", "8"], 2),  # 23 to 30 June
        (["--days", "100"], 6),
        (["--as-of", "2026-06-29"], 4),  # what arrived on the 30th was not there yet
        (["--as-of", "2026-06-22", "--days", "2"], 1),
        (["--as-of", "2020-01-01"], 0),
    ],
)
def test_days_count_from_the_day_of_arrival(home: Path, options: list[str], n: int) -> None:
    done = rom(home, "-p", "alpha", *WHY, *options)
    assert done.exit_code == 0, done.output
    assert done.output.count("PHQ-9 item 9") == n
    assert _logged(home)[-1]["n_rows"] == n


def test_the_choices_of_the_command_are_the_lists_there_are() -> None:
    assert tuple(LISTS) == CHOICES


def test_a_list_that_is_out_of_date_says_so_and_ends_with_1(home: Path) -> None:
    settings = home / "consortium.yaml"
    settings.write_text(settings.read_text() + "quiet_after_days: 90\n")
    done = rom(home, "-p", "alpha", *WHY)
    assert done.exit_code == 1
    assert "rom nightly" in done.stderr
    assert "north 200101" in done.stdout


def test_where_nothing_was_computed_nobody_is_told_that_nothing_is_there(tmp_path: Path) -> None:
    root = create(tmp_path / "new", SETTINGS).root
    done = rom(root, "-p", "alpha", *WHY)
    assert done.exit_code == 1
    assert "Out of date" in done.stderr
    assert done.stdout.startswith(EN)


# ---- files --------------------------------------------------------------------------------------------------------------


def test_a_csv_begins_with_the_sentence_and_is_for_its_owner_only(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "team.csv"
    target.write_text("an old list")
    target.chmod(0o644)
    done = rom(home, "-p", "alpha", *WHY, "-o", target)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [EN, NL, f"{target}: 5 answers"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == EN
    assert lines[1] == NL
    rows = pd.read_csv(target, skiprows=3, dtype="str")
    assert list(rows.columns) == COLUMNS
    assert rows["patient_number"].fillna("").tolist() == ["200101", "", "200101", "200101", "000202"]
    assert rows["list"].tolist() == ["new_or_worse"] * 3 + ["unchanged_known", "old"]
    assert rows.loc[1, ["file", "sheet", "row", "form_status"]].tolist() == ["june.xlsx", "June", "6", "set_aside"]
    assert "p_" not in "".join(lines)


def test_a_workbook_begins_with_the_sentence_and_is_for_its_owner_only(home: Path, tmp_path: Path) -> None:
    target = tmp_path / "team.xlsx"
    assert rom(home, "-p", "alpha", *WHY, "-o", target).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    cells = CalamineWorkbook.from_path(str(target)).get_sheet_by_name("alerts").to_python()
    assert [row[0] for row in cells[:2]] == [EN, NL]
    assert cells[3] == COLUMNS
    assert [row[2] for row in cells[4:]] == ["200101", "", "200101", "200101", "000202"]


# ---- purpose and log ----------------------------------------------------------------------------------------------------


def test_every_look_is_logged_without_any_row(home: Path, tmp_path: Path) -> None:
    rom(home, "-p", "alpha", *WHY)
    rom(home, "-p", "alpha", "--list", "old", "--purpose", "audit", "-o", tmp_path / "a.csv")
    told = [(line["table"], line["purpose"], line["n_rows"], line["formats"]) for line in _logged(home)]
    assert told == [("outcomes/alerts", "team meeting", 5, ["screen"]), ("outcomes/alerts", "audit", 1, ["csv"])]
    text = Home.open(home).export_log.read_text()
    assert [word for word in ("200101", "p_one", "thoughts", "phq9", "a.csv") if word in text] == []
    assert stat.S_IMODE(Home.open(home).export_log.stat().st_mode) == 0o600


@pytest.mark.parametrize("purpose", [[], ["--purpose", "  "]], ids=["none", "blank"])
def test_without_a_purpose_nothing_is_shown_or_logged(home: Path, tmp_path: Path, purpose: list[str]) -> None:
    done = rom(home, "-p", "alpha", *purpose, "-o", tmp_path / "a.csv")
    assert done.exit_code == 2
    assert "--purpose" in done.stderr
    assert "200101" not in done.output
    assert not (tmp_path / "a.csv").exists()
    assert _logged(home) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--programme"),
        (["-p", "gamma"], "it has alpha, beta"),
        (["-p", "_shared"], "it has alpha, beta"),
        (["-p", ""], "it has alpha, beta"),
        (["-p", "alpha", "--days", "many"], "--days"),
        (["-p", "alpha", "--days", "0"], "--days"),
        (["-p", "alpha", "--list", "all"], "new_or_worse"),
        (["-p", "alpha", "--as-of", "30-06-2026"], "write it as"),
        (["-p", "alpha", "-o", "list.parquet"], ".csv or .xlsx"),
        (["-p", "alpha", "-o", "nowhere/at/all.csv"], "no such folder"),
    ],
)
def test_wrong_use_ends_with_2_and_shows_nothing(home: Path, options: list[str], told: str) -> None:
    done = rom(home, *WHY, *options)
    assert done.exit_code == 2
    assert told in done.stderr
    assert "200101" not in done.output
    assert _logged(home) == []


@pytest.mark.parametrize("place", ["published/list.csv", "inbox/alpha/list.csv", "list.csv"])
def test_a_list_is_not_written_into_the_home(home: Path, place: str) -> None:
    done = rom(home, "-p", "alpha", *WHY, "-o", home / place)
    assert done.exit_code == 2
    assert "inside the home" in done.stderr
    assert not (home / place).exists()


def test_what_is_no_home_is_wrong_use(tmp_path: Path) -> None:
    done = rom(tmp_path, "-p", "alpha", *WHY)
    assert "rom init" in str(done.exception)
    assert type(done.exception).__name__ == "HomeError"  # `pipelines.cli` makes it exit code 2
