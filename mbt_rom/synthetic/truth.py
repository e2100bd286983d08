"""The truth behind a synthetic consortium, for tests: who there is, what must be accepted, what the plan expects.

Belongs here: truth tables, computed from what was made and never by the code under test (no import of `schedule`, `scoring`,
`exports`). Does not belong here: making anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from mbt_rom.model import Instrument
from mbt_rom.synthetic.answers import MISSING
from mbt_rom.synthetic.exports import Programme
from mbt_rom.synthetic.faults import Planter
from mbt_rom.synthetic.files import HIDDEN, ExportFile
from mbt_rom.synthetic.forms import MONTHS, moment_name
from mbt_rom.synthetic.patients import curve

_BASELINE_WINDOW, _LATER_WINDOW = (-60, 14), (-45, 45)


def truth(
    programmes: Sequence[Programme], planter: Planter, instruments: Mapping[str, Instrument], *, as_of: date
) -> dict[str, pd.DataFrame]:
    """All truth tables by name.

    `patients`, `therapists`, `episodes`, `latent`: one row per person, local numbers and codes. `forms`: one row per form that
    must be accepted, with the file, sheet and row it stands in. `answers_<instrument>`: form_id and the answers in canonical
    coding, missing where left open. `expected`: status per episode, instrument and moment. `faults`: see `faults`.
    """
    tables = {
        "patients": _stacked(programmes, lambda p: p.people.patients),
        "therapists": _stacked(programmes, lambda p: p.people.therapists),
        "episodes": _stacked(programmes, lambda p: p.people.episodes.drop(columns="left_on")),
        "latent": _stacked(programmes, _latent),
    }
    tables["forms"] = _forms(programmes, planter)
    for instrument in sorted({i for p in programmes for i in p.plan.instruments}):
        tables[f"answers_{instrument}"] = _answers(programmes, instruments[instrument], tables["forms"])
    tables["expected"] = _expected(programmes, tables["forms"], as_of=as_of)
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


def _expected(programmes: Sequence[Programme], forms: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """One row per episode, instrument of its programme and moment: programme_id, number, episode, instrument, moment,
    due_on, status (received, died, missed, not_yet_due, open)."""
    asked = pd.concat([_asked(p) for p in programmes], ignore_index=True)
    received = _received(asked, forms)
    today, due = pd.Timestamp(as_of), asked["due_on"]
    died_first, is_dead = asked["died_on"] < due, asked["died_on"].notna()
    chosen = [received, died_first, (today > asked["closes_on"]) | is_dead, today < asked["opens_on"]]
    words = ["received", "died", "missed", "not_yet_due"]
    status = pd.Series(np.select(chosen, words, "open"), dtype="str")
    columns = ["programme_id", "number", "episode", "instrument", "moment", "due_on"]
    return asked[columns].assign(status=status)


def _asked(programme: Programme) -> pd.DataFrame:
    episodes = programme.people.episodes
    died_on = episodes["ended_on"].where(episodes["end_reason"] == "died")
    parts = []
    for month in MONTHS:
        before, after = _BASELINE_WINDOW if month == 0 else _LATER_WINDOW
        due = episodes["started_on"] + pd.DateOffset(months=month)
        part = episodes[["number", "episode"]].assign(
            programme_id=programme.plan.programme_id, moment=moment_name(month), due_on=due, died_on=died_on,
            opens_on=due + pd.Timedelta(days=before), closes_on=due + pd.Timedelta(days=after),
        )  # fmt: skip
        parts += [part.assign(instrument=instrument) for instrument in programme.plan.instruments]
    return pd.concat(parts, ignore_index=True)


def _received(asked: pd.DataFrame, forms: pd.DataFrame) -> pd.Series:
    """Whether a form lies in the window, or states the moment where the export has no dates. Windows do not overlap."""
    person = ["programme_id", "number", "instrument"]
    dated = asked.reset_index().merge(forms.loc[forms["has_date"], [*person, "administered_on"]], on=person)
    on = dated["administered_on"]
    hits = set(dated.loc[(on >= dated["opens_on"]) & (on <= dated["closes_on"]), "index"])
    stated = asked.reset_index().merge(forms.loc[~forms["has_date"], [*person, "moment"]], on=[*person, "moment"])
    return pd.Series(asked.index.isin(hits | set(stated["index"])), index=asked.index)
