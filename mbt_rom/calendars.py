"""A calendar file (iCalendar, RFC 5545) of all-day events, as bytes.

Belongs here: how such a file is written: lines ended and folded as section 3.1 says, texts escaped as 3.3.11 says. Does not belong
here: what the events say (`due`, `pipelines.commands.due`).

An event keeps its `uid` from one file to the next, and its `SEQUENCE` grows with the time at which the file was written, so that a
calendar into which the file is imported again replaces the event instead of adding a second.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_PRODUCT = "-//MBT-ROM//Sittings//EN"
#: A line has no more octets than this, its end not counted (section 3.1).
_LONGEST = 75
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    """An event of one whole day. `uid`: the same for the same thing in every file, and for nothing else in the world."""

    uid: str
    on: date
    summary: str
    description: str = ""


def uid_of(*parts: str) -> str:
    """A uid that says nothing and is the same for the same parts.

    >>> uid_of("alpha", "2026-11-25") == uid_of("alpha", "2026-11-25") != uid_of("alpha", "2026-11-26")
    True
    """
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32] + "@mbt-rom.invalid"


def calendar(events: Iterable[Event], *, name: str, now: datetime) -> bytes:
    """The file. `now` carries a time zone; `name` is what the calendar is called where a program shows that.

    Raises ValueError where there is no event: a file without one is no calendar (section 3.6).

    >>> made = calendar([Event("a@b", date(2026, 11, 25), "Due; 3, of 4")], name="Due", now=datetime(2026, 11, 25, 8, tzinfo=UTC))
    >>> [line for line in made.decode().split("\\r\\n") if line.startswith(("DTSTART", "DTEND", "SUMMARY"))]
    ['DTSTART;VALUE=DATE:20261125', 'DTEND;VALUE=DATE:20261126', 'SUMMARY:Due\\\\; 3\\\\, of 4']
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{escaped(name)}")
    told = [line for event in events for line in _event(event, now.astimezone(UTC))]
    if not told:
        raise ValueError("a calendar file holds at least one event")
    lines += told
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def _event(event: Event, now: datetime) -> list[str]:
    told = [f"DESCRIPTION:{escaped(event.description)}"] if event.description else []
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
        f"SEQUENCE:{max(0, int((now - _EPOCH).total_seconds() // 60))}",
        f"DTSTART;VALUE=DATE:{event.on:%Y%m%d}",
        f"DTEND;VALUE=DATE:{event.on + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{escaped(event.summary)}",
        *told,
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def escaped(text: str) -> str:
    """A text as the value of a property: backslash, semicolon, comma and line break escaped, other control characters left out.

    >>> print(escaped("a;b,c"), escaped("1\\n2"))
    a\\;b\\,c 1\\n2
    """
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for mark in ("\\", ";", ","):
        plain = plain.replace(mark, f"\\{mark}")
    return "".join(c for c in plain.replace("\n", "\\n") if c == "\t" or (c >= " " and c != "\x7f"))


def folded(line: str) -> bytes:
    """A line in UTF-8 with its end, in pieces of at most 75 octets that begin with a space from the second on; no character is cut.

    >>> [len(piece) for piece in folded("x" * 100).split(b"\\r\\n")]
    [75, 26, 0]
    """
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > _LONGEST:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
