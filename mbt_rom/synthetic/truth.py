"""The truth behind a synthetic consortium, for tests: who there is, what must be accepted, what the plan expects.

Belongs here: truth tables, computed from what was made and never by the code under test (no import of `schedule`, `scoring`,
`exports`). Does not belong here: making anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import numpy as np
import pandas as pd

from mbt_rom.model import Instrument
from mbt_rom.synthetic import expectations
from mbt_rom.synthetic.answers import MISSING
from mbt_rom.synthetic.exports import Programme
from mbt_rom.synthetic.faults import Planter
from mbt_rom.synthetic.files import HIDDEN, ExportFile
from mbt_rom.synthetic.forms import LOG_ODDS, RESPONSE
from mbt_rom.synthetic.moments import MONTHS, moment_name
from mbt_rom.synthetic.patients import ATTENDANCE, curve
from mbt_rom.synthetic.plans import ALL_REGISTERS


def truth(
    programmes: Sequence[Programme], planter: Planter, instruments: Mapping[str, Instrument], *, as_of: date
) -> dict[str, pd.DataFrame]:
    """All truth tables by name.

    `patients`, `therapists`, `episodes`, `latent`: one row per person, local numbers and codes. `forms`: one row per form that
    must be accepted, with the file, sheet and row it stands in. `answers_<instrument>`: form_id and the answers in canonical
    coding, missing where left open. `expected`, `ends`, `weekly`: see `expectations`. `faults`: see `faults`. A table for every
    further register that some programme keeps, with `number` for the patient. `response_model`: what makes a form come, and
    `attendance_model`, a session attended, in log odds.
    """
    tables = {
        "patients": _stacked(programmes, lambda p: p.people.patients),
        "therapists": _stacked(programmes, lambda p: p.people.therapists),
        "episodes": _stacked(programmes, lambda p: p.people.every_episode.drop(columns=["left_on", "who"])),
        "latent": _stacked(programmes, _latent),
    }
    tables["forms"] = _forms(programmes, planter)
    for instrument in sorted({i for p in programmes for i in p.plan.instruments}):
        tables[f"answers_{instrument}"] = _answers(programmes, instruments[instrument], tables["forms"])
    tables["expected"] = expectations.expected(programmes, tables["forms"], instruments, as_of=as_of)
    tables["ends"] = expectations.ends(programmes)
    tables["weekly"] = expectations.weekly(programmes, tables["forms"])
    tables |= _registers(programmes)
    tables["response_model"] = _terms({**{f"moment {m}": odds for m, odds in LOG_ODDS.items()}, **RESPONSE})
    tables["attendance_model"] = _terms(ATTENDANCE)
    tables["faults"] = planter.table()
    return tables


def _stacked(programmes: Sequence[Programme], frame_of: Callable[[Programme], pd.DataFrame]) -> pd.DataFrame:
    parts = []
    for programme in programmes:
        frame = frame_of(programme).copy()
        frame.insert(0, "programme_id", programme.plan.programme_id)
        frame.insert(1, "issuer", programme.plan.issuer)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _registers(programmes: Sequence[Programme]) -> dict[str, pd.DataFrame]:
    made = {}
    for register in ALL_REGISTERS:
        kept = [p for p in programmes if register in p.registers]
        if kept:
            made[register] = _stacked(kept, partial(_register, name=register))
    return made


def _register(programme: Programme, *, name: str) -> pd.DataFrame:
    return programme.registers[name]


def _terms(coefficients: Mapping[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"term": list(coefficients), "coefficient": list(coefficients.values())})


def _latent(programme: Programme) -> pd.DataFrame:
    """Severity, improvement at 18 months and the true course at every moment, as if nobody had dropped out."""
    latent = programme.people.latent.drop(columns="therapist")
    gained = curve(np.array(MONTHS, dtype=float))
    course = latent["severity"].to_numpy()[:, None] - latent["improvement"].to_numpy()[:, None] * gained
    return latent.assign(**{moment_name(m): course[:, k] for k, m in enumerate(MONTHS)})


def places(files: Sequence[ExportFile]) -> pd.DataFrame:
    """Where every form stands: form_id, file, sheet, row as a spreadsheet shows it. The last place where there are two."""
    parts = []
    for file in files:
        for sheet in file.sheets:
            for column in (c for c in sheet.frame.columns if c.startswith(HIDDEN)):
                ids = sheet.frame[column].astype("str")
                where = pd.DataFrame({"form_id": ids, "file": file.path, "sheet": sheet.name})
                parts.append(where.assign(row=np.arange(len(ids)) + sheet.first_row)[ids.fillna("") != ""])
    found = pd.concat(parts, ignore_index=True)
    return found.drop_duplicates("form_id", keep="last")


def _forms(programmes: Sequence[Programme], planter: Planter) -> pd.DataFrame:
    columns = ["form_id", "number", "instrument", "moment", "is_late", "administered_on", "response_id"]
    stacked = _stacked(programmes, lambda p: p.forms[[*columns, "distress"]])
    accepted = stacked[~stacked["form_id"].isin(planter.lost)].merge(places(planter.files), on="form_id")
    is_undated = pd.Series(False, index=accepted.index)
    for plan in (p.plan for p in programmes if p.plan.kind.shape == "redcap"):
        own = accepted["instrument"].isin(plan.kind.instruments)
        is_undated |= (accepted["programme_id"] == plan.programme_id) & own
    return accepted.assign(has_date=~is_undated)


def _answers(programmes: Sequence[Programme], definition: Instrument, forms: pd.DataFrame) -> pd.DataFrame:
    parts = []
    for programme in programmes:
        if definition.id in programme.plan.instruments:
            rows, made = programme.of(definition.id)
            frame = pd.DataFrame(made, columns=list(definition.item_ids)).astype("Int16")
            frame = frame.mask(frame == MISSING)
            frame.insert(0, "form_id", rows["form_id"].to_numpy())
            parts.append(frame)
    every = pd.concat(parts, ignore_index=True)
    return every[every["form_id"].isin(forms["form_id"])].reset_index(drop=True)
