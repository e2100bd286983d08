"""The clock. Nothing else reads it: dates and times are parameters everywhere, so that any night can be run again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def today(timezone: str) -> date:
    """Today's date where the home is."""
    return now().astimezone(ZoneInfo(timezone)).date()
