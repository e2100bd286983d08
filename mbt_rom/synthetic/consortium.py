"""Assembly: a whole synthetic consortium from a seed and a date.

Belongs here: putting the parts together. Does not belong here: any part; writing to disk (`pipelines.commands.demo`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from mbt_rom.days import Days
from mbt_rom.model import Instrument
from mbt_rom.registry import instruments as every_instrument
from mbt_rom.synthetic import care, configuration, consents, happenings
from mbt_rom.synthetic.answers import answers
from mbt_rom.synthetic.exports import Programme, exports
from mbt_rom.synthetic.faults import plant
from mbt_rom.synthetic.forms import forms
from mbt_rom.synthetic.patients import People, people, with_transfers
from mbt_rom.synthetic.plans import Plan, plans
from mbt_rom.synthetic.streams import Streams
from mbt_rom.synthetic.truth import truth


@dataclass(frozen=True)
class SyntheticConsortium:
    """What `rom demo` writes. Paths are relative to the home and use '/'.

    `files`: path under `inbox/` -> bytes. `mappings`: file name -> text. `settings`: text of `consortium.yaml`.
    `truth`: table name -> frame (see `truth`); for tests only.
    """

    files: Mapping[str, bytes]
    mappings: Mapping[str, str]
    settings: str
    truth: Mapping[str, pd.DataFrame]


def make_consortium(
    *,
    programmes: int = 6,
    patients: int = 400,
    seed: int = 1,
    as_of: date,
    instruments: Mapping[str, Instrument] | None = None,
    further: Sequence[str] = (),
) -> SyntheticConsortium:
    """A synthetic consortium: the same bytes for the same arguments (and versions of numpy, pandas and xlsxwriter).

    `programmes`: 1 to 12. `patients`: people in all programmes together. `as_of`: the day after the last delivery was made;
    episodes start in the four years before. `instruments`: definitions to answer; those of `instruments/` unless given. `further`: instruments
    that every programme has filled in beside its own three.
    Raises ValueError where programmes or patients cannot be made.

    >>> made = make_consortium(programmes=1, patients=12, seed=3, as_of=date(2026, 6, 1))
    >>> made.settings.splitlines()[2], len(made.truth["patients"])
    ('is_synthetic: true', 12)
    """
    definitions = every_instrument() if instruments is None else instruments
    planned = plans(programmes=programmes, patients=patients, further=tuple(further))
    persons = with_transfers([people(plan, seed=seed, as_of=as_of) for plan in planned], planned)
    made = [
        _programme(plan, own, definitions, seed=seed, as_of=as_of) for plan, own in zip(planned, persons, strict=True)
    ]
    planter = plant(exports(made, definitions, as_of=as_of), planned, seed=seed, as_of=as_of)
    return SyntheticConsortium(
        files={file.path: file.data() for file in sorted(planter.files, key=lambda f: f.path)},
        mappings=configuration.mapping_texts(planned, definitions),
        settings=configuration.settings_text(planned, as_of=as_of),
        truth=truth(made, planter, definitions, as_of=as_of),
    )


def _programme(
    plan: Plan, persons: People, definitions: Mapping[str, Instrument], *, seed: int, as_of: date
) -> Programme:
    permissions = consents.permissions(plan, persons, seed=seed, as_of=as_of)
    withdrawn_on = consents.withdrawn_on(persons, permissions)
    filled_in = forms(plan, persons, withdrawn_on=withdrawn_on, seed=seed, as_of=as_of)
    streams = Streams(seed=seed, programme=plan.index)
    made = {}
    for instrument in plan.instruments:
        rows = filled_in[filled_in["instrument"] == instrument]
        made[instrument] = answers(
            definitions[instrument],
            distress=rows["distress"].to_numpy(),
            who=rows["who"].to_numpy(),
            streams=streams,
        )
    kept = {"permissions": permissions, **_registers(plan, persons, filled_in, withdrawn_on, seed=seed, as_of=as_of)}
    return Programme(
        plan=plan,
        people=persons,
        forms=filled_in,
        answers=made,
        registers={name: kept[name] for name in plan.kind.registers if len(kept[name])},
        withdrawn_on=withdrawn_on,
    )


def _registers(
    plan: Plan, persons: People, filled_in: pd.DataFrame, withdrawn_on: Days, *, seed: int, as_of: date
) -> dict[str, pd.DataFrame]:
    """Every register but that of permissions, whether the programme keeps it or not."""
    allocations = care.allocations(plan, persons)
    return {
        "spells": care.spells(plan, persons, as_of=as_of),
        "allocations": allocations,
        "contacts": care.contacts(plan, persons, allocations, seed=seed, as_of=as_of),
        "events": happenings.events(plan, persons, seed=seed, as_of=as_of),
        "reviews": care.reviews(plan, persons, seed=seed, as_of=as_of),
        "feedback_sessions": care.feedback_sessions(plan, persons, filled_in, seed=seed, as_of=as_of),
        "medication": care.medication(plan, persons, seed=seed, as_of=as_of),
        "referrals": happenings.referrals(plan, persons, seed=seed, as_of=as_of),
        "staff": care.staff(plan, persons),
        "supervision": care.supervision(plan, persons, seed=seed, as_of=as_of),
        "nonresponse": happenings.nonresponse(plan, persons, filled_in, withdrawn_on, seed=seed, as_of=as_of),
    }
