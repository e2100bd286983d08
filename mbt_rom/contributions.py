"""The boundary: what leaves a programme, with as few columns and as coarse values as the comparison needs.

Belongs here: which rows and columns leave, the second pseudonym's place, coarsening of dates and ages, counting who is not among them.
Does not belong here: who is permitted (`permissions`), anything computed on the other side (`benchmarks` reads contributions only),
making pseudonyms (`pseudonyms`).

Nobody leaves whose permission for the comparison does not hold. No date, item, therapist, episode or first pseudonym crosses: a test holds the columns to the declared ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import pandas as pd

from mbt_rom import keys, people, permissions, schedule
from mbt_rom.model import Instrument, Scale
from mbt_rom.permissions import Permitted
from mbt_rom.settings import Consortium
from mbt_rom.tables import CONTRIBUTIONS, INCLUSION

AGE_BANDS = ("under_18", "18_24", "25_34", "35_44", "45_54", "55_up")
_AGE_LIMITS = (18, 25, 35, 45, 55)
#: What a patient must have permitted to leave.
PURPOSE: permissions.Purpose = "consortium_benchmark"
_PERSON = ["programme_id", "patient_id"]


class Pseudonymiser(Protocol):
    """What gives the second pseudonym: `pseudonyms.Pseudonyms` with the programme's key."""

    def contribution(self, patient_id: pd.Series, /) -> pd.Series:
        """Second pseudonym of every patient."""
        ...


def contributions(
    trajectories: pd.DataFrame,
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    settings: Consortium,
    definitions: Mapping[str, Instrument],
    pseudonyms: Pseudonymiser,
    permitted: Permitted,
) -> pd.DataFrame:
    """What a programme contributes: rows of `contributions/outcomes`, any number of programmes at once.

    `permitted`: who may be compared, from `permissions.holds` with the purpose `consortium_benchmark`; ValueError with another one. Of
    everybody else nothing is looked at.

    Inputs are rows of `outcomes/trajectories`, `outcomes/expected`, `reference/episodes` and `reference/patients`. Each
    person counts once, with the first episode. A moment whose form came gives one row per scale; one whose form did not
    come gives one row, on the instrument's primary scale, since only its status says anything. Moments after a death or
    a withdrawal, re-baselines, the end of treatment and forms outside the schedule do not leave, nor do scores that are single answers (`is_an_answer`). `status` is missing where no episode is registered.
    """
    _refuse_other_purposes(permitted)
    trajectories, expected, episodes = (permitted.only(rows) for rows in (trajectories, expected, episodes))
    first = schedule.first_episodes(episodes, settings=settings)
    is_month = expected["moment"].isin([m for m in expected["moment"].unique() if schedule.month_of(m) is not None])
    scheduled = _of_first_episode(expected[is_month], first)
    received = _received(_without_answers(trajectories, definitions), scheduled)
    waiting = _not_received(scheduled, settings=settings, definitions=definitions)
    rows = pd.concat([received, waiting], ignore_index=True)
    rows = rows[rows["patient_id"].notna()].reset_index(drop=True)
    rows = _with_background(rows, first, patients)
    rows["format"] = rows["programme_id"].map({k: p.format for k, p in settings.programmes.items()})
    rows["contribution_id"] = _second_pseudonym(rows["patient_id"], pseudonyms)
    kept = rows[[c for c in CONTRIBUTIONS.column_names if c in rows.columns]]
    return CONTRIBUTIONS.conform(kept.sort_values(list(CONTRIBUTIONS.key)))


def inclusion(
    expected: pd.DataFrame, episodes: pd.DataFrame, *, settings: Consortium, permitted: Permitted
) -> pd.DataFrame:
    """How many may be compared and how many may not, and why: rows of `contributions/inclusion`.

    Everybody counts once, with the first episode; where no episode is registered, everybody of whom a form came that answers a moment.
    These are the people of whom `contributions` holds rows, where they are permitted.
    """
    _refuse_other_purposes(permitted)
    counted = _people(expected, schedule.first_episodes(episodes, settings=settings))
    reasons = permitted.reasons(counted)
    names = {k: p.format for k, p in settings.programmes.items()}
    counts = counted.assign(
        format=counted["programme_id"].map(names),
        has_register=counted["programme_id"].isin(permitted.registered),
        n_started=1,
        n_permitted=reasons.isna(),
        **{f"n_{reason}": reasons == reason for reason in permissions.REASONS},
    )
    by = [*INCLUSION.key, "has_register"]
    numbers = [c for c in counts.columns if c.startswith("n_")]
    table = counts.astype(dict.fromkeys(numbers, "Int64")).groupby(by, dropna=False)[numbers].sum().reset_index()
    return INCLUSION.conform(table)


def _refuse_other_purposes(permitted: Permitted) -> None:
    if permitted.purpose != PURPOSE:
        raise ValueError(f"contributions need permission for '{PURPOSE}', not for '{permitted.purpose}'")


def _people(expected: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """Everybody who is counted once: programme_id, patient_id, start_year."""
    started = first[_PERSON].assign(start_year=first["anchor"].dt.year.astype("Int16"))
    stated = expected["episode_id"].isna() & (expected["moment"] != schedule.UNSCHEDULED)
    without = expected.loc[stated, _PERSON].dropna().drop_duplicates()
    every = pd.concat([started, without], ignore_index=True).astype({"start_year": "Int16"})
    return every.drop_duplicates(_PERSON, ignore_index=True)


def _of_first_episode(rows: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    of_rows, of_first = keys.row_codes(rows, first, columns=["programme_id", "episode_id"])
    is_first = keys.lookup(of_rows, of_first) >= 0
    return rows[is_first | rows["episode_id"].isna().to_numpy()].reset_index(drop=True)


def is_an_answer(definition: Instrument, scale: Scale) -> bool:
    """Whether a score gives single answers away that never leave: a risk answer by itself, or all answers of a health profile.

    >>> from mbt_rom.registry import instrument
    >>> sshi, eq5d = instrument("sshi"), instrument("eq5d5l")
    >>> [is_an_answer(sshi, sshi.scale(s)) for s in ("suicidal_acts", "any_suicidal_act", "suicidal_acts_rate", "crisis_event")]
    [True, True, True, False]
    >>> is_an_answer(eq5d, eq5d.scale("profile")), is_an_answer(eq5d, eq5d.scale("index"))
    (True, False)
    """
    items, risky = set(scale.items), {rule.item for rule in definition.risk}
    return scale.method == "profile" or bool(items and items <= risky)


def _without_answers(trajectories: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    if trajectories.empty:
        return trajectories
    kept = {(d.id, s.id) for d in definitions.values() for s in d.scales if not is_an_answer(d, s)}
    scales = trajectories[["instrument", "scale"]].drop_duplicates()
    leaves = [pair in kept for pair in scales.itertuples(index=False, name=None)]
    of_rows, of_scales = keys.row_codes(trajectories, scales[leaves], columns=["instrument", "scale"])
    return trajectories[keys.lookup(of_rows, of_scales) >= 0].reset_index(drop=True)


def _received(trajectories: pd.DataFrame, scheduled: pd.DataFrame) -> pd.DataFrame:
    """One row per scale of every form that answers a moment."""
    has_come = scheduled["row_id"].notna() & (scheduled["status"] != schedule.TO_BE_FINISHED)
    forms = scheduled[has_come].reset_index(drop=True)
    of_scores, of_forms = keys.row_codes(trajectories, forms, columns=["programme_id", "instrument", "row_id"])
    where = keys.lookup(of_scores, of_forms)
    rows = trajectories[where >= 0].reset_index(drop=True)
    status = forms["status"].where(forms["due_on"].notna())
    rows["status"] = status.reindex(pd.Index(where[where >= 0])).array
    rows["months_since_start"] = np.trunc(rows["months_since_start"])
    return rows


def _not_received(
    scheduled: pd.DataFrame, *, settings: Consortium, definitions: Mapping[str, Instrument]
) -> pd.DataFrame:
    """One row, on the primary scale, for every moment whose form did not come and could have."""
    known = scheduled.assign(status=scheduled["status"].replace(schedule.TO_BE_FINISHED, "open"))
    rows = known[known["status"].isin(["missed", "open", "not_yet_due"])].drop(columns="row_id")
    asked = [definitions[name] for name in rows["instrument"].unique()]
    value_sets = {i.id: settings.value_sets.get(i.id, i.primary.value_set) for i in asked if i.primary.value_set}
    return rows.assign(
        edition=rows["instrument"].map({i.id: i.edition for i in asked}),
        scale=rows["instrument"].map({i.id: i.primary.id for i in asked}),
        value_set_id=rows["instrument"].map(value_sets).astype("str"),
        months_since_start=rows["moment"].map({m: schedule.month_of(m) for m in rows["moment"].unique()}).astype(float),
    )


def _with_background(rows: pd.DataFrame, first: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    of_rows, of_first = keys.row_codes(rows, first, columns=["programme_id", "patient_id"])
    started = first["anchor"].reindex(pd.Index(keys.lookup(of_rows, of_first)))
    known = people.behind(rows.assign(started_on=started.array), patients, on="started_on")
    return rows.assign(
        start_year=started.dt.year.to_numpy(dtype=float),
        age_band=age_band(pd.Series(known.ages)).array,
        sex=known.sexes,
    )


def age_band(age: pd.Series) -> pd.Series:
    """Band of an age in years; missing where the age is. Year of start minus year of birth may be one year too high.

    >>> age_band(pd.Series([17.0, 18.0, 54.0, 55.0, float("nan")])).tolist()
    ['under_18', '18_24', '45_54', '55_up', nan]
    """
    bands = pd.cut(age, [-np.inf, *_AGE_LIMITS, np.inf], right=False, labels=list(AGE_BANDS))
    return bands.astype("str")


def _second_pseudonym(patient_id: pd.Series, pseudonyms: Pseudonymiser) -> pd.Series:
    """Second pseudonym per row; every patient is hashed once."""
    people = pd.Series(patient_id.unique(), dtype="str")
    return patient_id.map(dict(zip(people, pseudonyms.contribution(people), strict=True)))
