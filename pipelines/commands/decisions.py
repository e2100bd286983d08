"""`rom decisions`: what people decided about delivered data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pipelines.deciding import state_of
from pipelines.options import home_option

if TYPE_CHECKING:
    from assets.state import State
    from mbt_rom.corrections import Correction


@click.command(name="decisions")
@click.option("--programme", "-p", help="Only this programme.")
@home_option
def decisions(programme: str | None, home: Path) -> None:
    """What people decided about delivered data: who, when, what, why, and what was taken back. No number and no value is shown.

    \b
    Example:
      rom decisions -p our_programme
    """
    state = state_of(home, programme)
    folders = state.home.partitions if programme is None else (programme,)
    lines = [line for folder in folders for line in (*_lines(state, folder), *_stops(state, folder))]
    click.echo("\n".join(lines) if lines else "Nobody decided anything so far.")


def _lines(state: State, folder: str) -> list[str]:
    from mbt_rom.corrections import undone_by

    known = state.decisions(folder)
    undone = undone_by(known)
    lines = []
    for name, one in known.items():
        local = one.received_at.astimezone(ZoneInfo(state.home.settings.timezone))
        told = f"{name[:12]}  {local:%Y-%m-%d %H:%M}  {folder}  {one.correction.by}  {_what(state, folder, one.correction)}"
        back = f"  [undone by {undone[name][:12]}]" if name in undone else ""
        lines.append(f"{told}: {one.correction.reason}{back}")
    return lines


def _stops(state: State, folder: str) -> list[str]:
    from assets.stops import decisions as stops_of

    known = stops_of(state, folder)
    lines = []
    for name, one in known.items():
        local = one.received_at.astimezone(ZoneInfo(state.home.settings.timezone))
        said = one.decision
        about = known[said.of].decision.kind if said.of in known else said.kind
        act = {"stop": "stop of a patient", "confirm": "confirmation of a stop", "lift": "lifting of a stop"}[said.act]
        why = f": {said.reason}" if said.reason else ""
        lines.append(f"{name[:12]}  {local:%Y-%m-%d %H:%M}  {folder}  {said.by}  {act} ({about}){why}")
    return lines


def _what(state: State, folder: str, decision: Correction) -> str:
    if decision.kind == "undo":
        return f"undo of {str(decision.undoes)[:12]}"
    if decision.kind != "cells":
        return f"{decision.kind} of two numbers"
    files = sorted({cell.delivery_id for cell in decision.cells})
    names = [row.file_name for row in (state.delivery(folder, sha) for sha in files) if row is not None]
    rows = sorted({cell.row for cell in decision.cells})
    where = f"row {rows[0]}" if len(rows) == 1 else f"{len(rows)} rows"
    columns = ", ".join(sorted({cell.column for cell in decision.cells})[:3])
    return f"{len(decision.cells)} cells of {', '.join(names)}, {where} ({columns})"
