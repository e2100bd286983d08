"""A decision of a person: what it does to the forms, what is refused, and that its values stand in the archive only."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from assets import intake
from assets.decisions import DecisionError, number_of, record
from assets.home import Home, create
from assets.state import State
from expectations.items import validate_items
from expectations.registers import validate_registers
from mbt_rom import acceptance
from mbt_rom.corrections import CellCorrection, Correction, document
from tests.small_homes import ONE_PROGRAMME

AS_OF = date(2026, 6, 30)
START = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
HEADER = "response_id,patient_id,date," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))
FIRST, SECOND, THIRD = "200101", "200102", "200103"


def export(*forms: tuple[str, str, str, int | str]) -> bytes:
    """Response id, patient, date and the answer to question 1; every other answer is 1."""
    rows = [f"{response},{patient},{day},{answer}" + ",1" * 8 for response, patient, day, answer in forms]
    return "\n".join([HEADER, *rows, ""]).encode()


ONE = export(("11", FIRST, "2026-01-05", 1), ("12", SECOND, "2026-01-06", 2), ("13", THIRD, "2026-01-07", "severe"))


class Place:
    """A home that takes in files and decisions, a day apart."""

    def __init__(self, root: Path) -> None:
        self.root, self.day = root, 0
        self.state = State(Home.open(root), AS_OF)

    @property
    def now(self) -> datetime:
        return START + timedelta(days=self.day)

    def take_in(self, data: bytes, name: str = "export.csv") -> str:
        self.day += 1
        path = self.root.parent / name
        path.write_bytes(data)
        taken = intake.take_in_file(self.state, path, folder="alpha", now=self.now, by="ra")
        assert taken.outcome == "taken_in"
        return taken.delivery_id

    def decide(self, kind="cells", folder="alpha", **more) -> intake.Taken:
        self.day += 1
        told = Correction(kind=kind, reason="a slip of the pen", by="ra", at=self.now, **more)
        return record(self.state, folder, told, now=self.now)

    def set_cell(self, delivery: str, row: int, column: str, value: str) -> intake.Taken:
        return self.decide(cells=(CellCorrection(delivery, None, row, column, value),))

    def items(self) -> pd.DataFrame:
        return self.state.deliveries(["alpha"]).items(self.state.instruments["phq9"])

    def forms(self) -> list[tuple[str, int, str]]:
        """Patient, answer to question 1 and disposition of every form, as the findings of today make it."""
        definition, items = self.state.instruments["phq9"], self.items()
        found = self.state.deliveries(["alpha"]).findings()
        findings = validate_items(definition, items, as_of=AS_OF, delivery_findings=found)
        became = acceptance.dispositions(items, findings, found).to_numpy()
        law = acceptance.conservation(
            self.state.deliveries(["alpha"]).contents(), {"phq9": items}, {"phq9": findings}, found
        )
        assert law["is_conserved"].all()
        numbers = {p: number for p, (_, number) in self.state.vault.numbers("alpha").items()}
        answers = items["phq9_01"].astype(object).where(items["phq9_01"].notna(), None)
        return sorted(zip(items["patient_id"].map(numbers), answers, became, strict=True), key=str)

    def accepted(self) -> list[tuple[str, int]]:
        return [(patient, answer) for patient, answer, became in self.forms() if became == "accepted"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(create(tmp_path / "home", ONE_PROGRAMME).root)


def test_a_corrected_cell_counts_and_both_rows_stay(place: Place) -> None:
    delivery = place.take_in(ONE)
    assert place.accepted() == [(FIRST, 1), (SECOND, 2)]
    taken = place.set_cell(delivery, 4, "phq9_01", "3")
    assert place.accepted() == [(FIRST, 1), (SECOND, 2), (THIRD, 3)]
    assert (THIRD, None, "superseded") in place.forms()
    row = place.items().query("corrects.notna()").iloc[0]
    assert row["row_id"] == f"{taken.delivery_id[:12]}-1-4-0"
    assert row["corrects"] == f"{delivery[:12]}-1-4-0"
    assert (row["source_row"], row["received_at"].to_pydatetime()) == (4, place.now)


def test_corrections_stack_in_the_order_in_which_they_came(place: Place) -> None:
    delivery = place.take_in(ONE)
    place.set_cell(delivery, 4, "phq9_01", "3")
    place.set_cell(delivery, 4, "patient_id", SECOND)
    assert place.accepted() == [(FIRST, 1), (SECOND, 2), (SECOND, 3)]
    place.set_cell(delivery, 4, "phq9_01", "0")
    assert place.accepted() == [(FIRST, 1), (SECOND, 0), (SECOND, 2)]


def test_the_same_export_delivered_again_changes_nothing(place: Place) -> None:
    delivery = place.take_in(ONE)
    place.set_cell(delivery, 2, "phq9_01", "3")
    place.take_in(ONE + export(("14", FIRST, "2026-02-01", 2)).split(b"\n", 1)[1], name="later.csv")
    assert place.accepted() == [(FIRST, 2), (FIRST, 3), (SECOND, 2)]


def test_undoing_brings_the_delivered_row_back_and_undoing_that_the_corrected_one(place: Place) -> None:
    delivery = place.take_in(ONE)
    decision = place.set_cell(delivery, 2, "phq9_01", "3").delivery_id
    undoing = place.decide("undo", undoes=decision).delivery_id
    assert place.accepted() == [(FIRST, 1), (SECOND, 2)]
    assert place.items()["undone_at"].dropna().tolist() == [pd.Timestamp(place.now)]
    place.decide("undo", undoes=undoing)
    assert place.accepted() == [(FIRST, 3), (SECOND, 2)]


def test_a_moved_form_that_changes_under_the_first_number_is_set_aside_with_its_rule(place: Place) -> None:
    delivery = place.take_in(ONE)
    place.set_cell(delivery, 2, "patient_id", SECOND)
    assert place.accepted() == [(SECOND, 1), (SECOND, 2)]
    place.take_in(export(("11", FIRST, "2026-01-05", 0)), name="later.csv")
    assert place.accepted() == [(SECOND, 1), (SECOND, 2)]
    assert (FIRST, 0, "set_aside") in place.forms()
    found = validate_items(place.state.instruments["phq9"], place.items(), as_of=AS_OF)
    assert found.query("rule == 'moved_form_changed'")["source_row"].tolist() == [2]


def test_linked_numbers_are_one_person_until_they_are_unlinked(place: Place) -> None:
    place.take_in(ONE)
    pair = (number_of(place.state, "alpha", FIRST), number_of(place.state, "alpha", SECOND))
    place.decide("link", numbers=pair)
    assert place.accepted() == [(SECOND, 1), (SECOND, 2)]
    place.decide("unlink", numbers=pair[::-1])
    assert place.accepted() == [(FIRST, 1), (SECOND, 2)]


def test_a_link_takes_the_registers_along(place: Place) -> None:
    place.take_in(f"patient_id,birth_year,sex\n{FIRST},1990,female\n{SECOND},1990,female\n".encode(), "patients.csv")
    pair = (number_of(place.state, "alpha", FIRST), number_of(place.state, "alpha", SECOND))
    place.decide("link", numbers=pair)
    assert len(set(place.state.deliveries(["alpha"]).register("patients")["patient_id"])) == 1


def test_a_corrected_row_of_a_register_replaces_it_and_its_repeats(place: Place) -> None:
    register = f"patient_id,birth_year,sex\n{FIRST},1890,female\n{SECOND},1990,female\n".encode()
    delivery = place.take_in(register, "patients.csv")
    place.set_cell(delivery, 2, "birth_year", "1980")
    place.set_cell(delivery, 2, "birth_year", "1981")
    place.take_in(register + f"{THIRD},1970,male\n".encode(), "patients_later.csv")
    rows = place.state.deliveries(["alpha"]).register("patients")
    assert sorted(rows["birth_year"].dropna()) == [1970, 1981, 1990, 1990]
    found = validate_registers(
        {"patients": rows}, received=place.state.ledger.set_index("delivery_id")["received_at"], as_of=AS_OF
    )
    assert found.query("severity == 'error'").empty


@pytest.mark.parametrize(
    ("row", "column"), [(2, "no_such_column"), (99, "phq9_01"), (1, "phq9_01")], ids=["column", "row", "header"]
)
def test_a_cell_that_the_file_does_not_have_is_refused_and_nothing_is_kept(place: Place, row: int, column: str) -> None:
    delivery = place.take_in(ONE)
    taken = place.set_cell(delivery, row, column, "1")
    assert (taken.outcome, taken.reason) == ("refused", "correction_misplaced")
    assert taken.delivery_id not in place.state.archive
    assert len(place.state.ledger) == 1


def test_a_cell_of_a_file_that_was_not_delivered_here_is_refused(place: Place) -> None:
    delivery = place.take_in(ONE)
    assert place.set_cell("0" * 64, 2, "phq9_01", "1").reason == "correction_misplaced"
    assert (
        place.decide(folder="_shared", cells=(CellCorrection(delivery, None, 2, "phq9_01", "1"),)).outcome == "refused"
    )


def test_a_citizen_number_is_refused_in_whichever_cell(place: Place) -> None:
    delivery = place.take_in(ONE)
    for column in ("patient_id", "phq9_01", "response_id"):
        taken = place.set_cell(delivery, 2, column, "see 111222333")
        assert (taken.outcome, taken.reason) == ("refused", "patient_column_citizen_numbers")
        assert taken.delivery_id not in place.state.archive


def test_undoing_what_is_not_there_is_refused(place: Place) -> None:
    place.take_in(ONE)
    with pytest.raises(DecisionError, match="no such decision"):
        place.decide("undo", undoes="0" * 64)


def test_a_number_that_the_issuer_does_not_give_out_is_refused_without_showing_it(place: Place) -> None:
    with pytest.raises(DecisionError) as caught:
        number_of(place.state, "alpha", "98765432")
    assert "98765432" not in str(caught.value)


def test_a_decision_dropped_in_the_inbox_decides_nothing(place: Place) -> None:
    delivery = place.take_in(ONE)
    cells = (CellCorrection(delivery, None, 2, "phq9_01", "3"),)
    data = document(Correction(kind="cells", reason="forged", by="stranger", at=START, cells=cells))
    place.take_in(data, name="cells.json")
    assert place.state.decisions("alpha") == {}
    assert place.accepted() == [(FIRST, 1), (SECOND, 2)]


def test_killed_between_archive_and_ledger_nothing_was_decided_and_it_can_be_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = place.take_in(ONE)

    def killed(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(intake, "enter", killed)
        with pytest.raises(KeyboardInterrupt):
            place.set_cell(delivery, 2, "phq9_01", "3")
    place.state = State(Home.open(place.root), AS_OF)
    assert place.accepted() == [(FIRST, 1), (SECOND, 2)]
    place.day -= 1
    assert place.set_cell(delivery, 2, "phq9_01", "3").outcome == "taken_in"
    assert place.accepted() == [(FIRST, 3), (SECOND, 2)]


def test_what_was_decided_stands_in_the_archive_only(place: Place) -> None:
    delivery = place.take_in(ONE)
    place.set_cell(delivery, 2, "patient_id", "200199")
    found = [p for p in place.root.rglob("*") if p.is_file() and b"200199" in p.read_bytes()]
    assert found == []
    row = place.state.ledger.query("kind == 'correction'").iloc[0]
    assert (row["received_by"], row["dialect"], json.loads(row["understood"])) == ("ra", "correction", [])
    assert hashlib.sha256(place.state.archive.read(row["delivery_id"])).hexdigest() == row["delivery_id"]


def test_a_home_that_is_opened_again_reads_the_same(place: Place) -> None:
    delivery = place.take_in(ONE)
    place.set_cell(delivery, 4, "phq9_01", "3")
    before = place.forms()
    assert intake.understand_again(place.state) == 0
    assert State(Home.open(place.root), AS_OF).ledger["read_with"].notna().all()
    place.state = State(Home.open(place.root), AS_OF)
    assert place.forms() == before
