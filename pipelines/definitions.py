"""The code location: assembly only. Home from the environment variable ROM_HOME, `./rom-home` without it.

It loads where no home exists yet; a run then says what is missing.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from assets import all as all_assets
from assets.home import STAMP, Home
from assets.io_manager import TableStore
from assets.resources import HomeResource
from assets.state import State
from mbt_rom.model import Instrument
from pipelines import clock
from pipelines.jobs import across, nightly, programme
from pipelines.schedules import every_night
from pipelines.sensors import inbox


class ClockedHome(HomeResource):
    """The home, which takes from the clock what a run was not told."""

    def moment(self) -> datetime:
        """Now."""
        return clock.now()

    def date(self) -> date:
        """The configured date, or today's where the home is."""
        return super().date() if self.as_of else clock.today(Home.open(Path(self.root)).settings.timezone)


def build_defs(*, root: Path | None = None, as_of: date | None = None, **overrides: Any) -> dg.Definitions:
    """The code location for the home in `root`; `overrides` replace resources by name."""
    folder = root or Path(os.environ.get("ROM_HOME", "rom-home"))
    rom = ClockedHome(root=str(folder.resolve()), as_of=as_of.isoformat() if as_of else "")
    resources = {"rom": rom, "io_manager": TableStore(rom=rom), **overrides}
    return dg.Definitions.merge(
        all_assets.definitions(*_used(folder, as_of)),
        dg.Definitions(
            resources=resources,
            jobs=[nightly, programme, across],
            schedules=[every_night],
            sensors=[inbox],
            executor=dg.in_process_executor,
        ),
    )


def _used(folder: Path, as_of: date | None) -> tuple[dict[str, Instrument] | None, set[str] | None]:
    """The instruments and registers that the home in that folder uses, its own among them; None where there is no home, or it uses
    no instrument yet.

    A table that nobody fills costs every run the reading of it. The night asks anew after it has taken in what arrived.
    """
    if not (folder / STAMP).is_file():
        return None, None
    state = State(Home.open(folder), as_of or date.max)
    return (state.used_instruments() or None), state.used_registers()


defs = build_defs()
