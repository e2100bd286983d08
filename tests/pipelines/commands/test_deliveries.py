"""From a file with unnamed columns to a mapping in the home that is used again: dry run, draft, load, and what the ledger shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assets.deliveries import changed_surveys
from assets.home import Home
from assets.state import State
from pipelines import clock
from pipelines.cli import rom


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(rom, [*arguments, "--home", str(home)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    assert run(root, "init").exit_code == 0
    return root


def survey(folder: Path, name: str, first: int) -> Path:
    rows = [["client", "datum", "opmerkingen", *[f"Q{n}" for n in range(1, 10)]]]
    rows += [[f"{first + n:07}", "2025-03-01", "belde vandaag af", *["1"] * 9] for n in range(6)]
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
    return path


def test_from_the_table_to_confirm_to_a_mapping_that_is_used_again(home: Path, tmp_path: Path) -> None:
    march, april = survey(tmp_path, "march.csv", 10), survey(tmp_path, "april.csv", 50)
    dry = run(home, "load", str(march), "-p", "our_programme", "--dry-run")
    assert "to confirm: item phq9 phq9_03" in dry.output
    assert "6 rows; 12 columns: 0 taken in, 11 to confirm, 1 free text, 0 not taken in" in dry.output
    assert "belde" not in dry.output
    yaml = tmp_path / "survey.yaml"
    done = run(home, "load", str(march), "-p", "our_programme", "--draft", str(yaml))
    assert (done.exit_code, f"{yaml}: drafted" in done.output) == (0, True)
    assert "exists; nothing was written" in run(home, "load", str(march), "-p", "our_programme", "--draft", str(yaml)).output  # fmt: skip
    loaded = run(home, "load", str(march), "-p", "our_programme", "--mapping", str(yaml))
    assert "11 taken in, 0 to confirm" in loaded.output
    again = run(home, "load", str(april), "-p", "our_programme")
    assert "mapping 'survey'" in again.output
    listed = run(home, "deliveries").output.splitlines()
    assert [line.endswith("6 rows  taken in") for line in listed] == [True, True]


def test_a_delivery_that_waits_is_shown_and_drafted_from_the_archive(home: Path, tmp_path: Path) -> None:
    assert run(home, "deliveries").output == "Nothing was delivered so far.\n"
    march = survey(tmp_path, "march.csv", 10)
    run(home, "load", str(march), "-p", "our_programme")
    march.unlink()
    line = run(home, "deliveries").output
    assert "our_programme  march.csv  csv  6 rows  nothing taken in, 11 columns to confirm" in line
    sha = line.split()[0]
    shown = run(home, "deliveries", "show", sha).output
    assert "to confirm: item phq9 phq9_09" in shown
    assert "0000010" not in shown
    assert f"Next: rom deliveries draft {sha} -o FILE.yaml" in shown
    target = tmp_path / "drafted.yaml"
    assert run(home, "deliveries", "draft", sha, "-o", str(target)).exit_code == 0
    assert "name: drafted" in target.read_text()
    assert run(home, "deliveries", "draft", sha, "-o", str(target)).exit_code == 2
    assert run(home, "deliveries", "draft", sha, "-o", str(tmp_path / "drafted.txt")).exit_code == 2
    assert run(home, "deliveries", "show", "zzzz").exit_code == 2


def test_the_ledger_keeps_no_question_text_and_tells_changed_surveys(home: Path, tmp_path: Path) -> None:
    long = "Question about " + "sleep " * 30
    for name, text in (("one.csv", long), ("two.csv", long.replace("sleep", "rest"))):
        head = ["patient", *[f"phq9_{n}" for n in range(1, 10)], text]
        rows = [head, *[[f"{n:07}", *["1"] * 9, "2"] for n in range(3)]]
        (tmp_path / name).write_text("\n".join(",".join(row) for row in rows), encoding="utf-8")
        run(home, "load", str(tmp_path / name), "-p", "our_programme")
    ledger = State(Home.open(home), clock.today("Europe/Amsterdam")).ledger
    assert long.strip() not in "".join(ledger["understood"])
    assert changed_surveys(ledger, ["our_programme"]).empty
    column = {"role": "item", "item": "phq9_01", "column": "q", "sheet": None, "confidence": 0.9}
    turned = ledger.assign(understood=[json.dumps([{**column, "text": text}]) for text in "ab"])
    found = changed_surveys(turned, ["our_programme"])
    assert found["rule"].tolist() == ["question_text_changed"] * 2
    assert set(found["delivery_id"]) == set(ledger["delivery_id"])


def test_a_questionnaire_that_is_held_up_beside_another_asks_for_action(home: Path, tmp_path: Path) -> None:
    names = [*(f"phq9_{n}" for n in range(1, 10)), *(f"bsi18_{n}" for n in range(1, 18))]  # the BSI-18 lacks a question
    path = tmp_path / "two.csv"
    path.write_text(f"patient_id,date,{','.join(names)}\n00101,2026-03-02,{','.join(['1'] * len(names))}\n")
    loaded = run(home, "load", str(path), "-p", "our_programme")
    assert "columns were not taken in" in loaded.output
    assert loaded.exit_code == 1
