"""The lock of a home: one process writes at a time, and everybody can see who.

Belongs here: taking, waiting for and naming the holder of the lock. Does not belong here: deciding what needs it; readers
never do.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

NAME = ".lock"
_PAUSE = 0.2


class LockedError(Exception):
    """Somebody else writes to this home; the message says who, and since when."""


@dataclass
class _Held:
    descriptor: int
    depth: int


_held: dict[Path, _Held] = {}
_guard = threading.RLock()


@contextmanager
def writing(root: Path, *, who: str, now: datetime, wait_seconds: float = 0) -> Iterator[None]:
    """Holds the lock of the home in `root` for the block; within one process it may be taken again.

    `who` and `now` are shown to others. After `wait_seconds` in vain `LockedError` is raised. The lock belongs to the
    operating system: it is free at once when its holder is killed.
    """
    path = (root / NAME).resolve()
    with _guard:
        _take(path, who=who, now=now, wait_seconds=wait_seconds)
    try:
        yield
    finally:
        with _guard:
            _release(path)


def holder(root: Path) -> str | None:
    """Who holds the lock and since when, in words; None when it is free. Takes nothing."""
    path = (root / NAME).resolve()
    if path in _held:
        return _described(path)
    if not path.exists():
        return None
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _described(path)
    finally:
        os.close(descriptor)
    return None


def _take(path: Path, *, who: str, now: datetime, wait_seconds: float) -> None:
    if path in _held:
        _held[path].depth += 1
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor, path, wait_seconds)
    except BaseException:
        os.close(descriptor)
        raise
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"who": who, "since": now.isoformat(), "pid": os.getpid()}).encode(), 0)
    _held[path] = _Held(descriptor, 1)


def _wait(descriptor: int, path: Path, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"the home is being written to by {_described(path)}; try again when it is done"
                ) from None
            time.sleep(_PAUSE)


def _release(path: Path) -> None:
    held = _held[path]
    held.depth -= 1
    if held.depth == 0:
        del _held[path]
        os.close(held.descriptor)


def _described(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return f"{told['who']} (process {told['pid']}, since {told['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
