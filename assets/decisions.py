"""Decisions of people about delivered data: each is kept in the archive, entered in the ledger, and holds from then on.

Belongs here: recording one, and what is refused. Does not belong here: what a decision does to rows (`mbt_rom.corrections`,
`mbt_rom.replaced`), asking for one (`pipelines.commands`).

A kill between archive and ledger leaves bytes that nothing refers to: the decision was not made, and may be made again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from assets import intake
from assets.intake import Taken
from assets.state import State
from mbt_rom.acceptance import open_rows
from mbt_rom.conform import Conformed
from mbt_rom.corrections import Correction, Recorded, document, links, undone_by
from mbt_rom.pseudonyms import canonical_number, holds_citizen_number
from mbt_rom.settings import SHARED

CITIZEN_NUMBERS = intake.CITIZEN_NUMBERS


class DecisionError(Exception):
    """A decision that cannot be recorded; the message says why and what to do, without any value."""


def record(state: State, folder: str, correction: Correction, *, now: datetime) -> Taken:
    """Keeps a decision about what was delivered to `folder` and enters it in the ledger; it holds from then on.

    A correction that its file cannot take is refused, and nothing of it is kept: see `Taken.reason`. Raises `DecisionError` where the
    decision does not fit what is there. The caller holds the lock of the home.
    """
    data = document(correction)
    name = hashlib.sha256(data).hexdigest()
    label = f"{correction.kind}-{name[:12]}.json"
    if name in state.decisions(folder):
        return Taken(label, folder, name, "known", by=correction.by)
    told = [correction.reason, *(cell.value for cell in correction.cells)]
    if any(_holds_citizen_number(state, folder, text) for text in told):
        return Taken(label, folder, name, "refused", CITIZEN_NUMBERS)
    _refuse_unknown(state, folder, correction)
    recorded = {**state.decisions(folder), name: Recorded(correction, now)}
    conformed = state.decided(folder, name, recorded)
    if conformed.refused_for:
        return Taken(label, folder, name, "refused", conformed.refused_for, conformed)
    _refuse_lost_forms(state, folder, correction, conformed)
    state.archive.store(data)
    state.vault.add(folder, _numbers(state, conformed, correction))
    taken = Taken(label, folder, name, "taken_in", conformed=conformed, by=correction.by)
    intake.enter(state, [taken], sizes={name: len(data)}, now=now)
    state.forget_parsed()
    return taken


def number_of(state: State, programme: str, text: str) -> tuple[str, str]:
    """Issuer and number of a patient, in the form that the issuer of the programme declares; `DecisionError` where it is none."""
    issuer = state.home.settings.programmes[programme].issuer
    read = canonical_number(pd.Series([text], dtype="str"), state.home.settings.issuers[issuer])
    number = read["number"].iloc[0]
    if pd.isna(number):
        raise DecisionError(f"that is no patient number of '{issuer}': see 'issuers' in consortium.yaml for their form")
    return issuer, str(number)


def is_known(state: State, programme: str, number: tuple[str, str]) -> bool:
    """Whether anything was ever delivered under that number."""
    name = state.pseudonym(number)
    return any(name in state.vault.numbers(folder) for folder in (programme, SHARED))


@dataclass(frozen=True)
class FoundRow:
    """One row of a delivered file, the header of its patient numbers, and the instruments whose forms stand on it."""

    folder: str
    delivery_id: str
    file_name: str
    sheet: str | None
    row: int
    patient_column: str
    instruments: tuple[str, ...]


def row_of(state: State, programme: str, beginning: str) -> FoundRow:
    """The delivered row whose `row_id` begins so, or that of the row which a corrected one stands for, as the tables know it.

    Raises `DecisionError` where there is none, several, or only one whose form was replaced by a later state.
    """
    named = _open_rows(state, programme)
    named = named[named["row_id"].str.startswith(beginning) | named["corrects"].str.startswith(beginning, na=False)]
    roots = named["corrects"].fillna(named["row_id"]).str.rsplit("-", n=1).str[0]
    if len(set(roots)) != 1:
        why = "several forms begin so; give more of the row_id" if len(named) else _ABSENT
        raise DecisionError(why)
    delivery = _delivery_of(state, programme, str(roots.iloc[0]).split("-")[0])
    first = named.iloc[0]
    sheet = None if pd.isna(first["sheet"]) else str(first["sheet"])
    columns = [c for c in json.loads(delivery.understood) if c["role"] == "patient" and c.get("sheet") == sheet]
    if len(columns) != 1:
        raise DecisionError(
            f"{delivery.file_name}: no single column holds the patient numbers; move the form in the survey tool"
        )
    instruments = tuple(sorted(set(named["instrument"])))
    row = int(first["source_row"])
    return FoundRow(
        delivery.programme_id, delivery.delivery_id, delivery.file_name, sheet, row, columns[0]["column"], instruments
    )


def decision_of(state: State, beginning: str) -> tuple[str, str]:
    """Folder and id of the decision whose id begins so; `DecisionError` where there is none or several."""
    found = [(f, n) for f in state.home.partitions for n in state.decisions(f) if n.startswith(beginning)]
    if len(found) != 1:
        why = "several decisions begin so; give more of the id" if found else "there is no such decision"
        raise DecisionError(f"{why}; `rom decisions` lists them")
    return found[0]


_ABSENT = (
    "no form of this programme has that row_id, or a later state of it came; `rom findings` and the tables `items/...` tell "
    "row_ids, and `rom nightly` brings them up to date"
)


def _open_rows(state: State, programme: str) -> pd.DataFrame:
    """Rows of all instruments of a programme that stand by themselves."""
    about_files = state.read("findings/deliveries")
    wanted = ["row_id", "sheet", "source_row", "corrects"]
    frames = []
    for instrument in sorted(state.instruments_of(programme)):
        rows = open_rows(state.read(f"items/{instrument}", programmes=[programme]), about_files)
        frames.append(rows[wanted].assign(instrument=instrument))
    return pd.concat(frames, ignore_index=True)


def _delivery_of(state: State, programme: str, beginning: str) -> Any:
    rows = state.ledger[state.ledger["delivery_id"].str.startswith(beginning)]
    found = [
        state.delivery(f, sha)
        for f in (programme, SHARED)
        for sha in rows.loc[rows["programme_id"] == f, "delivery_id"]
    ]
    if len(found) != 1 or found[0] is None:
        raise DecisionError(
            "its file is not in the ledger any more as it was; run `rom nightly` and look the row up again"
        )
    return found[0]


def _holds_citizen_number(state: State, folder: str, text: str) -> bool:
    settings = state.home.settings
    chosen = [settings.programmes[folder]] if folder != SHARED else list(settings.programmes.values())
    allows = all(settings.issuers[p.issuer].allows_nine_digits for p in chosen)
    return not allows and holds_citizen_number(text)


def _refuse_unknown(state: State, folder: str, correction: Correction) -> None:
    if correction.undoes is not None and correction.undoes not in state.decisions(folder):
        raise DecisionError("there is no such decision here; `rom decisions` lists them")
    if correction.undoes in undone_by(state.decisions(folder)):
        raise DecisionError("that decision was undone already; `rom decisions` says by which")
    if correction.kind in ("link", "unlink"):
        first, second = correction.numbers
        are_linked = {(first, second), (second, first)} & links(state.decisions(folder)).keys()
        if first == second:
            raise DecisionError("that is one and the same number")
        if are_linked and correction.kind == "link":
            raise DecisionError("these two numbers are linked already; `rom decisions` says by whom")
        if not are_linked and correction.kind == "unlink":
            raise DecisionError(
                "these two numbers are not linked with each other; `rom decisions` lists who linked what"
            )


def _refuse_lost_forms(state: State, folder: str, correction: Correction, conformed: Conformed) -> None:
    """A corrected row holds the same forms of the same programme as the delivered one, or else a form would vanish or count twice."""
    kept = {
        (programme, instrument, root)
        for instrument, rows in conformed.items.items()
        for programme, root in zip(rows["programme_id"], rows["corrects"], strict=True)
    }
    wanted = {(cell.delivery_id, cell.sheet, cell.row) for cell in correction.cells}
    for delivery_id in sorted({cell.delivery_id for cell in correction.cells}):
        delivered = state.parsed(state.delivery(folder, delivery_id))
        for instrument, rows in delivered.items.items():
            sheets = rows["sheet"].astype(object).where(rows["sheet"].notna(), None)
            for p, row, sheet, n in zip(rows["programme_id"], rows["row_id"], sheets, rows["source_row"], strict=True):
                if (delivery_id, sheet, n) in wanted and (p, instrument, row) not in kept:
                    raise DecisionError(
                        f"row {n} would no longer hold its form of {instrument} in {p}: a correction cannot empty a form, "
                        "leave it out or give it to another programme; do that in the survey tool"
                    )


def _numbers(state: State, conformed: Conformed, correction: Correction) -> dict[str, tuple[str, str]]:
    return {
        **intake.numbers_of(conformed.numbers),
        **{state.pseudonym(number): number for number in correction.numbers},
    }
