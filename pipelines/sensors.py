"""What starts a run before night: files in the inbox that nobody is writing any more."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import dagster as dg

from assets.home import Home, HomeError
from assets.intake import Found, scan, settled
from mbt_rom.settings import SettingsError
from pipelines import clock
from pipelines.jobs import nightly

SECONDS = 60


@dg.sensor(name="inbox", job=nightly, minimum_interval_seconds=SECONDS, default_status=dg.DefaultSensorStatus.RUNNING)
def inbox() -> dg.RunRequest | dg.SkipReason:
    """A run for every new set of settled files. Files that stay, because they were refused, start no second one."""
    root = Path(os.environ.get("ROM_HOME", "rom-home"))
    try:
        home = Home.open(root)
    except (HomeError, SettingsError):
        return dg.SkipReason("The home cannot be opened; `rom doctor` says why.")
    files = scan(home.inbox, settings=home.settings)
    ready = settled(files, now=clock.now(), settle_seconds=home.settings.settle_seconds)
    if not ready:
        return dg.SkipReason(f"{len(files)} files in the inbox, none of them settled.")
    return dg.RunRequest(run_key=run_key(ready))


def run_key(files: Iterable[Found]) -> str:
    """The same for the same files in the same state; it tells none of their names."""
    told = sorted((f.label, f.size, f.modified_ns) for f in files)
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
