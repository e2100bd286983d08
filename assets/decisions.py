"""Decisions of people about delivered data: each is kept in the archive, entered in the ledger, and holds from then on.

Belongs here: recording one, and what is refused. Does not belong here: what a decision does to rows (`mbt_rom.corrections`,
`mbt_rom.replaced`), asking for one (`pipelines.commands`).

A kill between archive and ledger leaves bytes that nothing refers to: the decision was not made, and may be made again.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import pandas as pd

from assets import intake
from assets.intake import Taken
from assets.state import State
from mbt_rom.conform import Conformed
from mbt_rom.corrections import Correction, Recorded, document
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
    if any(_holds_citizen_number(state, folder, cell.value) for cell in correction.cells):
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


def _holds_citizen_number(state: State, folder: str, text: str) -> bool:
    settings = state.home.settings
    chosen = [settings.programmes[folder]] if folder != SHARED else list(settings.programmes.values())
    allows = all(settings.issuers[p.issuer].allows_nine_digits for p in chosen)
    return not allows and holds_citizen_number(text)


def _refuse_unknown(state: State, folder: str, correction: Correction) -> None:
    if correction.undoes is not None and correction.undoes not in state.decisions(folder):
        raise DecisionError("there is no such decision here; `rom decisions` lists them")


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
    return {**intake.numbers_of(conformed), **{state.pseudonym(number): number for number in correction.numbers}}
