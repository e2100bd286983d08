"""Findings that close themselves when a mended export comes, from the bytes of the files on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from assets import intake
from assets.closed import replaced_files, told
from assets.deliveries import is_mended
from assets.home import Home, create
from assets.state import State, below_each_other
from expectations.closed import closed_findings
from expectations.items import validate_items
from mbt_rom import acceptance
from tests.small_homes import ONE_PROGRAMME

AS_OF = date(2026, 6, 30)
START = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
HEADER = "patient_id,date," + ",".join(f"phq9_{i:02d}" for i in range(1, 10))
GOOD = ("200101", "2026-01-05", 1)


def export(*forms: tuple[str, str, int], header: str = HEADER) -> bytes:
    """Patient, date and the answer to question 1; every other answer is 1."""
    return "\n".join([header, *(f"{p},{day},{answer}" + ",1" * 8 for p, day, answer in forms), ""]).encode()


class Place:
    """A home that takes in one file a day."""

    def __init__(self, root: Path) -> None:
        self.root, self.day = root, 0
        self.state = State(Home.open(root), AS_OF)

    def take_in(self, data: bytes, name: str = "export.csv", by: str = "ra") -> str:
        self.day += 1
        path = self.root.parent / name
        path.write_bytes(data)
        taken = intake.take_in_file(self.state, path, folder="alpha", now=START + timedelta(days=self.day), by=by)
        assert taken.outcome == "taken_in"
        return taken.delivery_id

    def judged(self):
        """Items, findings of forms, and open findings of files, as they are today."""
        deliveries, files = self.state.deliveries(["alpha"]), self.state.files(["alpha"])
        found = deliveries.findings()
        about_files = found[~is_mended(found, files)]
        definition = self.state.instruments["phq9"]
        items = deliveries.items(definition)
        findings = validate_items(definition, items, as_of=AS_OF, delivery_findings=about_files, files=files)
        return items, findings, about_files

    def forms(self) -> list[tuple[int, str]]:
        """Row in its file and disposition of every form, in the order of arrival."""
        items, findings, about_files = self.judged()
        became = acceptance.dispositions(items, findings, about_files)
        return list(zip(items["source_row"].tolist(), became.tolist(), strict=True))

    def errors(self) -> list[str]:
        _, findings, about_files = self.judged()
        return [r for f in (findings, about_files) for r in f.loc[f["severity"] != "notice", "rule"]]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    create(tmp_path / "home", ONE_PROGRAMME)
    return Place(tmp_path / "home")


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (("", "2026-01-06", 2), "patient_missing"),
        (("200102", "2026-13-40", 2), "date_unreadable"),
        (("200102", "2027-01-06", 2), "date_in_future"),
        (("200102", "2026-01-06", 8), "answer_out_of_range"),
    ],
    ids=["no number", "no date", "a date to come", "no answer code"],
)
def test_a_mended_row_of_a_full_export_takes_the_place_of_the_bad_one(place, bad, rule):
    place.take_in(export(GOOD, bad), "may.csv")
    assert (place.errors(), place.forms()) == ([rule], [(2, "accepted"), (3, "set_aside")])
    place.take_in(export(("200102", "2026-01-06", 2), GOOD), "june.csv")
    assert place.errors() == []
    assert place.forms() == [(2, "accepted"), (3, "superseded"), (2, "accepted"), (3, "duplicate")]


def test_an_export_of_the_last_month_leaves_the_bad_row_where_it_is(place):
    place.take_in(export(GOOD, ("", "2026-01-06", 2)), "may.csv")
    place.take_in(export(("200103", "2026-02-01", 1)), "june.csv")
    assert place.errors() == ["patient_missing"]


def test_of_two_forms_of_one_day_the_one_that_the_source_still_has_counts(place):
    place.take_in(export(GOOD, ("200102", "2026-01-06", 2), ("200102", "2026-01-06", 3)), "may.csv")
    assert place.errors() == ["same_day_conflict"] * 2
    place.take_in(export(GOOD, ("200102", "2026-01-06", 3)), "june.csv")
    assert place.errors() == []
    assert place.forms()[:3] == [(2, "accepted"), (3, "superseded"), (4, "accepted")]


def test_a_file_without_rows_is_off_the_list_when_one_with_the_same_columns_comes(place):
    place.take_in(HEADER.encode(), "empty.csv")
    assert place.errors() == ["file_header_only"]
    place.take_in(export(GOOD, header=HEADER.replace("date", "moment")), "other.csv")
    assert "file_header_only" in place.errors()
    place.take_in(export(GOOD), "mended.csv")
    assert "file_header_only" not in place.errors()


def test_a_file_that_nobody_could_read_is_off_the_list_when_one_of_the_same_name_comes(place):
    place.take_in(b"\x00\x01\x02\x03" * 50, "export.xlsx")
    assert len(place.errors()) == 1
    place.take_in(export(GOOD), "export.csv")
    assert len(place.errors()) == 1
    place.take_in(export(GOOD, ("200102", "2026-01-06", 2)), "export.xlsx")
    assert place.errors() == []


def closed(place):
    """Rule, row, days after the start of opening and closing, who and how."""
    items, findings, about_files = place.judged()
    files = place.state.files(["alpha"])
    definition = place.state.instruments["phq9"]
    found = closed_findings(definition, items, findings, as_of=AS_OF, delivery_findings=about_files, files=files)
    replaced = replaced_files(place.state.deliveries(["alpha"]).findings(), files)
    rows = told(below_each_other([replaced, found.assign(source="phq9")]), place.state.ledger)
    days = [(rows[c] - START).dt.days.tolist() for c in ("opened_at", "closed_at")]
    return list(zip(rows["rule"].tolist(), *days, rows["closed_by"].tolist(), rows["closed_how"].tolist(), strict=True))


def test_a_withdrawn_row_tells_who_mended_it_and_when(place):
    place.take_in(export(GOOD, ("", "2026-01-06", 2)), "may.csv", by="anna")
    assert closed(place) == []
    place.take_in(export(("200102", "2026-01-06", 2), GOOD), "june.csv", by="bert")
    place.take_in(export(("200102", "2026-01-06", 2), ("200103", "2026-01-06", 2), GOOD), "july.csv", by="carla")
    assert closed(place) == [("patient_missing", 1, 2, "bert", "withdrawn_at_source")]


def test_a_state_that_was_finished_with_other_answers_tells_who_delivered_the_later_one(place):
    header = "response_id," + HEADER
    place.take_in(export(("7,200101", "2026-01-05", 9), header=header), "may.csv", by="anna")
    place.take_in(export(("7,200101", "2026-01-05", 2), header=header), "june.csv", by="bert")
    assert (place.errors(), closed(place)) == ([], [("answer_out_of_range", 1, 2, "bert", "superseded")])


def test_a_replaced_file_tells_who_delivered_the_one_that_could_be_used(place):
    place.take_in(HEADER.encode(), by="anna")
    place.take_in(export(GOOD), by="bert")
    assert closed(place) == [("file_header_only", 1, 2, "bert", "file_replaced")]
