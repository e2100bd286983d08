"""`rom findings` and the work list that comes back through `rom load` and the inbox, as they are typed."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
import python_calamine
from click.testing import CliRunner, Result

from assets import intake
from assets.decisions import record
from assets.home import Home, create
from assets.state import State
from assets.worklists import take_in_lists, work_list
from expectations.items import validate_items
from mbt_rom import acceptance
from mbt_rom.corrections import Correction
from mbt_rom.tables import findings_table
from pipelines import clock
from pipelines.cli import rom
from tests.mbt_rom.test_worklist import Typed, filled
from tests.small_homes import TWO_PROGRAMMES

AS_OF = date(2026, 6, 30)
RECEIVED = datetime(2026, 6, 18, 2, 0, tzinfo=UTC)
NOW = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
HEADER = "response_id,patient_id,date," + ",".join(f"phq9_{i:02d}" for i in range(1, 11))
WRONG, PATIENT, SHORT = "appalling", "200102", "20010"
#: Rows 2 to 5: in order; an answer that is none; a number that is too short; a date that does not exist.
EXPORT = "\n".join(
    [
        HEADER,
        "11,200101,2026-01-05,1" + ",1" * 9,
        f"12,{PATIENT},2026-01-06,{WRONG}" + ",1" * 9,
        f"13,{SHORT},2026-01-07,2" + ",1" * 9,
        "14,200104,2026-02-31,0" + ",1" * 9,
        "",
    ]
)


def judge(root: Path) -> None:
    """Items and findings of the home as they are now, computed without a run."""
    state = State(Home.open(root), AS_OF)
    for programme in ("alpha", "beta"):
        deliveries = state.deliveries([programme])
        items, found = deliveries.items(state.instruments["phq9"]), deliveries.findings()
        findings = validate_items(state.instruments["phq9"], items, as_of=AS_OF, delivery_findings=found)
        tables = {"items/phq9": items, "findings/phq9": findings, "findings/deliveries": found}
        tables["deliveries/contents"] = deliveries.contents()
        for name, table in tables.items():
            stored = state.catalogue[name]
            fingerprints = {programme: state.fingerprint(stored, programme)}
            state.warehouse.replace(stored, table, programmes=[programme], fingerprints=fingerprints)


def accepted(root: Path) -> list[int]:
    """The answers to question 1 of the forms that count."""
    state = State(Home.open(root), AS_OF)
    items = state.read("items/phq9")
    became = acceptance.dispositions(items, state.read("findings/phq9"), findings_table("deliveries").empty())
    return sorted(acceptance.accept(items, became)["phq9_01"].tolist())


def called(*arguments: object) -> Result:
    return CliRunner().invoke(rom, [str(a) for a in arguments])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with one export of alpha, judged."""
    monkeypatch.setattr(clock, "today", lambda timezone: AS_OF)
    monkeypatch.setattr(clock, "now", lambda: NOW)
    root = create(tmp_path / "home", TWO_PROGRAMMES).root
    path = tmp_path / "may.csv"
    path.write_text(EXPORT)
    intake.take_in_file(State(Home.open(root), AS_OF), path, folder="alpha", now=RECEIVED, by="ra")
    judge(root)
    return root


@pytest.fixture
def book(home: Path, tmp_path: Path) -> bytes:
    path = tmp_path / "list_of_today.xlsx"
    assert called("findings", "--home", home, "-o", path).exit_code == 1
    return path.read_bytes()


def cells(book: bytes, sheet: str) -> list[list[object]]:
    read = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(book))
    return read.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def load(home: Path, tmp_path: Path, data: bytes, *more: str, programme: str = "alpha") -> Result:
    path = tmp_path / "returned.xlsx"
    path.write_bytes(data)
    return called("load", path, "-p", programme, "--home", home, *more)


def number_of(book: bytes, row: int) -> int:
    """The number that the row of the file has in the list."""
    return next(int(str(r[0]).partition(".")[0]) for r in cells(book, "Work list")[3:] if r[4] == row)


# The list -----------------------------------------------------------------------------------------------------------------


def test_the_terminal_tells_file_row_column_age_and_owner(home: Path) -> None:
    told = called("findings", "--home", home)
    assert told.exit_code == 1
    lines = told.output.splitlines()
    at = next(i for i, line in enumerate(lines) if "[answer_not_a_code]" in line)
    assert lines[at].startswith(
        "alpha: may.csv: the cell holds something that is no answer code (once, 12 days, error,"
    )
    assert lines[at].endswith("research assistant) [answer_not_a_code]")
    assert lines[at + 2] == "      row 3, column phq9_01, (0 to 3)"
    assert "0 files left out, 3 faults in rows" in told.output


def test_the_list_can_be_in_dutch_and_of_one_rule(home: Path) -> None:
    told = called("findings", "--home", home, "--language", "nl", "--rule", "date_unreadable")
    assert told.output.splitlines() == [
        "alpha: may.csv: de datum is niet te lezen (één keer, 12 dagen, fout, onderzoeksassistent) [date_unreadable]",
        "    Schrijf datums als JJJJ-MM-DD, of zet hun vorm als 'format' in het mappingbestand.",
        "      rij 5, kolom date",
        "0 bestanden buiten beschouwing, 1 fouten in rijen, 0 meldingen",
    ]


def test_only_what_a_role_mends(home: Path) -> None:
    told = called("findings", "--home", home, "--owner", "developer")
    assert (told.exit_code, told.output) == (0, "Nothing is wrong.\n0 files left out, 0 faults in rows, 0 notices\n")


def test_wrong_use_is_told(home: Path, tmp_path: Path) -> None:
    assert "no rule 'x'" in called("findings", "--home", home, "--rule", "x").output
    assert "there is no such folder" in called("findings", "--home", home, "-o", tmp_path / "no" / "x.csv").output


def test_the_csv_can_be_in_dutch(home: Path, tmp_path: Path) -> None:
    called("findings", "--home", home, "-o", tmp_path / "x.csv", "--language", "nl")
    read = pd.read_csv(tmp_path / "x.csv")
    mine = read[read["regel"] == "answer_not_a_code"].iloc[0]
    assert mine[["bestand", "rij", "kolom", "ernst", "wie", "ontvangen", "dagen apart gezet"]].tolist() == [
        "may.csv", 3, "phq9_01", "fout", "onderzoeksassistent", "2026-06-18", 12,
    ]  # fmt: skip


def test_nothing_shows_a_value_unless_it_is_asked_for(home: Path, book: bytes, tmp_path: Path) -> None:
    called("findings", "--home", home, "-o", tmp_path / "x.csv")
    told = called("findings", "--home", home, "--all", "--by", "rule").output + (tmp_path / "x.csv").read_text()
    told += json.dumps([cells(book, sheet) for sheet in ("Work list", "Werklijst")])
    assert "answer_not_a_code" in told
    assert [value for value in (WRONG, PATIENT, SHORT, "2026-02-31") if value in told] == []
    assert not (home / "exports.log").exists()


def test_values_need_a_reason_and_are_logged_before_they_are_shown(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "values.xlsx"
    refused = called("findings", "--home", home, "--with-values", "-o", path)
    assert refused.exit_code == 2
    assert "--reason" in refused.output
    assert WRONG not in refused.output
    assert not path.exists()
    assert not (home / "exports.log").exists()
    shown = called("findings", "--home", home, "--with-values", "--reason", "calling patients")
    assert f"row 3, column phq9_01, (0 to 3), patient {PATIENT}, holds '{WRONG}'" in shown.output
    assert called("findings", "--home", home, "--with-values", "--reason", "again", "-o", path).exit_code == 1
    logged = [json.loads(line) for line in (home / "exports.log").read_text().splitlines()]
    assert [(x["table"], x["purpose"], x["formats"]) for x in logged] == [
        ("work list", "calling patients", ["screen"]),
        ("work list", "again", ["xlsx"]),
    ]
    assert logged[1]["n_rows"] == len(cells(path.read_bytes(), "Work list")) - 3
    assert path.stat().st_mode & 0o077 == 0


def test_values_are_not_written_into_the_home(home: Path) -> None:
    refused = called("findings", "--home", home, "--with-values", "--reason", "x", "-o", home / "published" / "x.csv")
    assert refused.exit_code == 2
    assert "inside the home" in refused.output


# The list returned ----------------------------------------------------------------------------------------------------------


def test_a_corrected_cell_counts_and_its_finding_closes(home: Path, book: bytes, tmp_path: Path) -> None:
    assert accepted(home) == [1]
    typed: Typed = {
        ("Work list", number_of(book, 3)): (3, "looked up on paper"),
        ("Werklijst", number_of(book, 5)): ("2026-02-27", "nagebeld"),
    }
    told = load(home, tmp_path, filled(book, typed))
    assert told.exit_code == 0, told.output
    assert "returned.xlsx: a returned work list; 2 rows corrected" in told.output
    assert f"Next: rom nightly --home {home}" in told.output
    judge(home)
    assert accepted(home) == [0, 1, 3]
    left = work_list(State(Home.open(home), AS_OF), "alpha")
    assert left.loc[left["severity"] == "error", ["row", "rule"]].to_numpy().tolist() == [[4, "patient_form"]]
    decisions = State(Home.open(home), AS_OF).decisions("alpha").values()
    assert sorted(d.correction.reason for d in decisions) == ["looked up on paper", "nagebeld"]


def test_a_list_that_comes_twice_changes_nothing(home: Path, book: bytes, tmp_path: Path) -> None:
    data = filled(book, {("Work list", number_of(book, 3)): (3, "on paper")})
    load(home, tmp_path, data)
    again = load(home, tmp_path, data)
    assert (again.exit_code, again.output) == (
        0, "returned.xlsx: a returned work list with nothing that was not recorded before\n",
    )  # fmt: skip
    assert len(State(Home.open(home), AS_OF).decisions("alpha")) == 1


def test_a_dry_run_keeps_nothing(home: Path, book: bytes, tmp_path: Path) -> None:
    told = load(home, tmp_path, filled(book, {("Work list", number_of(book, 3)): (3, "on paper")}), "--dry-run")
    assert "1 row would be corrected" in told.output
    assert State(Home.open(home), AS_OF).decisions("alpha") == {}


def test_a_row_without_reason_stops_the_whole_list(home: Path, book: bytes, tmp_path: Path) -> None:
    typed: Typed = {
        ("Work list", number_of(book, 3)): (WRONG, ""),
        ("Work list", number_of(book, 5)): ("2026-02-27", "called"),
    }
    told = load(home, tmp_path, filled(book, typed))
    assert told.exit_code == 1
    assert "nothing was recorded" in told.output
    at = 3 + number_of(book, 3)
    assert (
        f"sheet Work list, row {at}, column reason: the row of the work list has a correct value and no reason."
        in told.output
    )
    assert "Type in the same row how you know the correct value" in told.output
    assert WRONG not in told.output
    assert State(Home.open(home), AS_OF).decisions("alpha") == {}


def test_a_list_of_another_programme_is_refused(home: Path, book: bytes, tmp_path: Path) -> None:
    told = load(home, tmp_path, filled(book, {("Work list", number_of(book, 3)): (3, "paper")}), programme="beta")
    assert told.exit_code == 1
    assert "was delivered to another drop folder (alpha)" in told.output


def test_a_citizen_number_is_refused_and_named_by_its_place(home: Path, book: bytes, tmp_path: Path) -> None:
    typed: Typed = {
        ("Work list", number_of(book, 4)): ("111222333", "on paper"),
        ("Work list", number_of(book, 3)): (3, "called"),
    }
    told = load(home, tmp_path, filled(book, typed))
    assert told.exit_code == 1
    assert "1 row corrected, these are not:" in told.output
    assert f"sheet Work list, row {3 + number_of(book, 4)}, column patient_id" in told.output
    assert "111222333" not in told.output


def test_a_correction_that_is_still_wrong_can_be_corrected_again(home: Path, book: bytes, tmp_path: Path) -> None:
    load(home, tmp_path, filled(book, {("Work list", number_of(book, 3)): (8, "a slip")}))
    judge(home)
    shown = called(
        "findings", "--home", home, "--with-values", "--reason", "look", "--rule", "answer_out_of_range"
    ).output
    assert f"row 3, column phq9_01, (0 to 3), patient {PATIENT}, holds '8'" in shown
    again = tmp_path / "again.xlsx"
    called("findings", "--home", home, "-o", again)
    assert (
        load(
            home,
            tmp_path,
            filled(again.read_bytes(), {("Work list", number_of(again.read_bytes(), 3)): (2, "looked again")}),
        ).exit_code
        == 0
    )
    judge(home)
    assert accepted(home) == [1, 2]


def test_a_corrected_risk_answer_says_to_report_it_today(home: Path, book: bytes, tmp_path: Path) -> None:
    told = load(home, tmp_path, filled(book, {("Work list", number_of(book, 3)): (3, "on paper")}))
    assert "1 risk answers stand in the corrected forms." in told.output
    assert "rom alerts -p alpha" in told.output


def test_a_later_state_of_the_form_closes_its_finding_too(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "june.csv"
    path.write_text(EXPORT.replace(WRONG, "2"))
    intake.take_in_file(State(Home.open(home), AS_OF), path, folder="alpha", now=NOW, by="ra")
    judge(home)
    assert called("findings", "--home", home, "--rule", "answer_not_a_code").exit_code == 0


def test_a_list_in_the_inbox_is_taken_in_and_removed_and_a_wrong_one_stays(
    home: Path, book: bytes, tmp_path: Path
) -> None:
    inbox = home / "inbox" / "alpha"
    (inbox / "a_right.xlsx").write_bytes(filled(book, {("Work list", number_of(book, 3)): (3, "on paper")}))
    (inbox / "b_wrong.xlsx").write_bytes(filled(book, {("Work list", number_of(book, 5)): ("2026-02-27", "")}))
    (inbox / "c_export.csv").write_text(EXPORT)
    state = State(Home.open(home), AS_OF)
    taken, others = take_in_lists(state, intake.scan(state.home.inbox, settings=state.home.settings), now=NOW)
    assert [(t.label, t.outcome, t.n_corrected) for t in taken] == [
        ("alpha/a_right.xlsx", "taken_in", 1),
        ("alpha/b_wrong.xlsx", "refused", 0),
    ]
    assert [f.label for f in others] == ["alpha/c_export.csv"]
    assert sorted(p.name for p in inbox.iterdir()) == ["b_wrong.xlsx", "c_export.csv"]


def test_a_finding_opens_again_when_its_correction_is_undone(home: Path, book: bytes, tmp_path: Path) -> None:
    data = filled(book, {("Work list", number_of(book, 3)): (3, "on paper")})
    load(home, tmp_path, data)
    state = State(Home.open(home), AS_OF)
    [name] = state.decisions("alpha")
    record(state, "alpha", Correction("undo", "a mistake", "ra", NOW, undoes=name), now=NOW.replace(hour=10))
    judge(home)
    assert accepted(home) == [1]
    assert called("findings", "--home", home, "--rule", "answer_not_a_code").exit_code == 1


def test_what_no_night_has_judged_is_not_called_in_order(home: Path, tmp_path: Path) -> None:
    told = called("findings", "--home", home, "--rule", "patient_unknown")
    assert told.output.startswith("Nothing is wrong.")
    path = tmp_path / "empty.csv"
    path.write_text("")
    intake.take_in_file(State(Home.open(home), AS_OF), path, folder="beta", now=NOW, by="ra")
    waiting = called("findings", "--home", home, "--rule", "patient_unknown")
    assert "not judged yet" in waiting.output.lower()
    assert "beta" in waiting.output
    assert "Nothing is wrong" not in waiting.output
    assert waiting.exit_code == 1
    only_alpha = called("findings", "--home", home, "-p", "alpha", "--rule", "patient_unknown")
    assert (only_alpha.output.splitlines()[0], only_alpha.exit_code) == ("Nothing is wrong.", 0)
    assert "Nog niet beoordeeld" in called("findings", "--home", home, "--language", "nl").output
