"""A home whose plan is stored as a night would have stored it, small enough for one test.

Belongs here: building it. Does not belong here: what the lists should then say (it stands in their tests).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from assets.home import Home, create
from assets.state import State
from mbt_rom.tables import EPISODES, EXPECTED

SETTINGS = """
name: Two programmes
issuers: {north: {length: 6}, south: {length: 6}}
programmes:
  alpha:
    {name: Alpha, issuer: north, instruments: [phq9, bsi],
     closures: [{from: 2026-12-21, until: 2027-01-01}]}
  beta: {name: Beta, issuer: south, instruments: [phq9]}
"""
NUMBERS = {
    "alpha": ["200101", "200102", "200103", "200104"],
    "beta": ["300301"],
}


class PlannedHome:
    """A home on one day, with patients under local numbers and rows of the plan that a test adds."""

    def __init__(self, root: Path, today: date, settings: str = SETTINGS) -> None:
        self.home: Home = create(root, settings)
        self.today = today
        self.state = State(self.home, today)
        self.root = self.home.root
        self.ids: dict[str, str] = {}
        for programme, numbers in NUMBERS.items():
            issuer = self.home.settings.programmes[programme].issuer
            named = {self.state.pseudonym((issuer, number)): (issuer, number) for number in numbers}
            self.ids |= {number: name for name, (_, number) in named.items()}
            self.state.vault.add(programme, named)
        self.expected: list[dict[str, object]] = []
        self.episodes: list[dict[str, object]] = []

    def episode_id(self, number: str) -> str:
        return f"e_{self.ids[number][2:]}"

    def episode(self, number: str, *, programme: str = "alpha", **more: object) -> None:
        row = {"programme_id": programme, "patient_id": self.ids[number], "episode_id": self.episode_id(number)}
        self.episodes.append({**row, "row_id": f"r-{self.ids[number][2:]}", "delivery_id": "d1", **more})

    def form(
        self, number: str, instrument: str, moment: str, opens: str, due: str, closes: str, **more: object
    ) -> None:
        row = {
            "programme_id": "alpha",
            "patient_id": self.ids[number],
            "episode_id": self.episode_id(number),
            "status": "open",
        }
        row |= {"instrument": instrument, "moment": moment, "requirement": "required", "anchor": "started_on"}
        self.expected.append({**row, "opens_on": opens, "due_on": due, "closes_on": closes, **more})

    def store(self) -> None:
        """Writes the tables, as current as a night would leave them."""
        state = State(self.home, self.today)
        programmes = list(self.home.settings.programmes)
        for table, rows in ((EPISODES, self.episodes), (EXPECTED, self.expected)):
            frame = table.conform(pd.DataFrame(rows))
            prints = {p: state.fingerprint(table, p) for p in programmes}
            state.warehouse.replace(table, frame, programmes=programmes, fingerprints=prints)
