"""Which stops hold at a moment: told as rows, from decisions in any order."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from mbt_rom.stops import (
    RecordedStop,
    StopDecision,
    document,
    holding,
    is_stopped,
    parse_document,
    stops,
    to_be_confirmed,
)

AT = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)
NUMBER = ("north", "1001")


def said(act="stop", *, by="ann", hours=0, **more) -> RecordedStop:
    at = AT + timedelta(hours=hours)
    return RecordedStop(StopDecision(act, NUMBER, by, at, **more), at)


def rows(**recorded: RecordedStop) -> pd.DataFrame:
    return stops(recorded, programme="alpha", people={NUMBER: "p_1"})


def n_holding(frame: pd.DataFrame, *, hours: float, day: date = date(2026, 11, 25)) -> int:
    return len(holding(frame, at=AT + timedelta(hours=hours), today=day))


def test_it_holds_from_the_moment_on_and_not_before() -> None:
    frame = rows(a=said(kind="deceased"))
    assert [n_holding(frame, hours=h) for h in (-0.01, 0, 10_000)] == [0, 1, 1]


def test_the_last_day_is_included() -> None:
    frame = rows(a=said(kind="no_contact_until", until=date(2026, 11, 27)))
    assert [n_holding(frame, hours=60, day=date(2026, 11, d)) for d in (26, 27, 28)] == [1, 1, 0]


def test_lifting_ends_it_and_a_new_stop_begins_anew() -> None:
    frame = rows(a=said(kind="in_crisis"), b=said("lift", by="ben", hours=2, of="a"), c=said(kind="in_crisis", hours=5))
    assert [n_holding(frame, hours=h) for h in (1, 2, 4, 5)] == [1, 0, 0, 1]
    assert frame["lifted_by"].tolist()[0] == "ben"


def test_only_somebody_else_confirms() -> None:
    assert to_be_confirmed(rows(a=said(kind="withdrew"), b=said("confirm", of="a", hours=1))).tolist() == [True]
    confirmed = rows(
        a=said(kind="withdrew"), b=said("confirm", by="ben", of="a", hours=1), c=said("confirm", by="cas", of="a")
    )
    assert to_be_confirmed(confirmed).tolist() == [False]
    assert to_be_confirmed(rows(a=said(kind="in_crisis"))).tolist() == [False]


def test_the_order_in_which_decisions_are_read_does_not_matter() -> None:
    known = {
        "a": said(kind="deceased"),
        "b": said("confirm", by="ben", hours=1, of="a"),
        "c": said("confirm", by="cas", hours=2, of="a"),
        "d": said("lift", by="dee", hours=3, of="a"),
    }
    first = stops(known, programme="alpha", people={NUMBER: "p_1"})
    assert (first["confirmed_by"].iloc[0], first["lifted_by"].iloc[0]) == ("ben", "dee")
    for order in itertools.permutations(known):
        again = stops({name: known[name] for name in order}, programme="alpha", people={NUMBER: "p_1"})
        pd.testing.assert_frame_equal(again, first)


def test_a_death_holds_in_every_programme_and_another_stop_in_its_own() -> None:
    people = pd.DataFrame(
        {"programme_id": ["alpha", "beta", "alpha"], "patient_id": ["p_1", "p_1", "p_2"]}, index=[3, 1, 2]
    )
    assert is_stopped(people, rows(a=said(kind="deceased"))).to_dict() == {3: True, 1: True, 2: False}
    assert is_stopped(people, rows(a=said(kind="withdrew"))).to_dict() == {3: True, 1: False, 2: False}
    assert is_stopped(people, rows()).tolist() == [False] * 3


@pytest.mark.parametrize(
    "decision",
    [
        said(kind="deceased", reason="told_by_team").decision,
        said(kind="no_contact_until", until=date(2026, 12, 31)).decision,
        said("lift", of="ab12", reason="no_longer_so").decision,
    ],
)
def test_a_document_is_read_as_it_was_written(decision: StopDecision) -> None:
    assert parse_document(document(decision)) == decision


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"format": "mbt-rom stop 1"}', b"\xff", b'{"format": "mbt-rom decision 1"}']
)
def test_other_bytes_are_no_stop(data: bytes) -> None:
    assert parse_document(data) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kind": "deceased", "until": date(2026, 12, 31)},
        {"kind": "no_contact_until"},
        {"kind": "moved"},
        {"kind": "deceased", "of": "ab12"},
        {"kind": "deceased", "reason": "Mr Smith's daughter called"},
        {"act": "lift"},
        {"act": "lift", "of": "ab12", "kind": "deceased"},
        {"act": "pause", "kind": "deceased"},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the kind of sentence differs
        said(**wrong)
