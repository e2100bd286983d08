"""Calendar files against the rules of RFC 5545: sections 3.1 (lines), 3.3.11 (texts), 3.6.1 and 3.8 (events)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom.calendars import Event, calendar, escaped, folded, uid_of

NOW = datetime(2026, 11, 25, 13, 0, 30, tzinfo=UTC)


def unfolded(data: bytes) -> list[str]:
    """Content lines as a reader of section 3.1 sees them."""
    return re.sub(rb"\r\n[ \t]", b"", data).decode().removesuffix("\r\n").split("\r\n")


def unescaped(value: str) -> str:
    """A text value as section 3.3.11 reads it."""
    return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) in "nN" else m.group(1), value, flags=re.DOTALL)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_no_line_is_longer_than_75_octets_and_no_character_is_cut(text: str) -> None:
    data = folded(f"SUMMARY:{text}")
    assert all(len(line) <= 75 and line.decode() is not None for line in data.split(b"\r\n"))
    assert unfolded(data) == [f"SUMMARY:{text}"]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=100))
def test_texts_come_back_as_they_were(text: str) -> None:
    value = escaped(text)
    assert "\n" not in value
    assert re.search(r"(?<!\\)(?:\\\\)*[;,]", value) is None
    assert unescaped(value) == text


def test_the_example_of_the_standard() -> None:
    text = "Project XYZ Final Review\nConference Room - 3B\nCome Prepared."
    assert escaped(text) == r"Project XYZ Final Review\nConference Room - 3B\nCome Prepared."  # section 3.3.11


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "a\nb"])
def test_every_line_break_is_one(text: str) -> None:
    assert escaped(text) == "a\\nb"


def test_control_characters_cannot_be_written() -> None:
    assert escaped("a\x00b\x07c\x7f") == "abc"


def test_an_event_has_what_an_event_must_have() -> None:
    made = unfolded(calendar([Event("u@x", date(2026, 12, 31), "Alpha: 3 due", "rom due")], name="Due", now=NOW))
    assert made[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert made[-1] == "END:VCALENDAR"
    assert [line for line in made if line.startswith("PRODID:")] != []
    event = made[made.index("BEGIN:VEVENT") + 1 : made.index("END:VEVENT")]
    told = dict(line.split(":", 1) for line in event)
    assert told["UID"] == "u@x"
    assert told["DTSTAMP"] == "20261125T130030Z"
    assert (told["DTSTART;VALUE=DATE"], told["DTEND;VALUE=DATE"]) == ("20261231", "20270101")  # the end is exclusive
    assert told["SUMMARY"] == "Alpha: 3 due"


def test_a_later_file_replaces_the_events_of_an_earlier_one() -> None:
    event = Event(uid_of("alpha", "2026-12-01"), date(2026, 12, 1), "1 due")
    first, second = (unfolded(calendar([event], name="Due", now=NOW + timedelta(hours=h))) for h in (0, 1))
    uids = [next(line for line in made if line.startswith("UID:")) for made in (first, second)]
    assert uids[0] == uids[1]
    sequences = [int(next(li for li in made if li.startswith("SEQUENCE:"))[9:]) for made in (first, second)]
    assert sequences[0] < sequences[1] < 2**31


def test_a_file_without_an_event_is_no_calendar() -> None:
    with pytest.raises(ValueError, match="at least one event"):
        calendar([], name="Due", now=NOW)
