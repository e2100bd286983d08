"""What somebody who leaves, or is away, still has to hand over: a list that must become empty.

Belongs here: which patients, sittings, deputies and roles still hang on one person. Does not belong here: who is due (`due`), the
registers, showing it (`pipelines.commands.handover`).

It becomes empty by itself as the registers change: a patient is handed over when the allocation has a last day and somebody else
with the same function has the patient from the day after; somebody who is only away needs a deputy. What belongs to a role, such as
findings and mapping files, is handed over when somebody else has that role.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from mbt_rom import eligibility
from mbt_rom.due import deputies, holds
from mbt_rom.stops import HOLD_EVERYWHERE, is_stopped

#: Function of staff -> owner of findings, where they have another name.
OWNERS = {"research_assistant": "research_assistant", "manager": "programme_manager"}
_PATIENT = ["programme_id", "patient_id", "function"]


@dataclass(frozen=True)
class Handover:
    """What still hangs on one person.

    `patients`: programme_id, patient_id, function, deputy_id, until_on. `sittings`: those of these patients that the person
    asks for, from `mbt_rom.due.sittings`, with no deputy to do it. `deputises`: programme_id, staff_id of those for whom the person is the only deputy.
    `roles`: programme_id, function of roles that nobody else has.
    """

    patients: pd.DataFrame
    sittings: pd.DataFrame
    deputises: pd.DataFrame
    roles: pd.DataFrame

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left."""
        return not any(len(part) for part in (self.patients, self.sittings, self.deputises, self.roles))


def still_to_hand_over(
    staff_id: str,
    *,
    allocations: pd.DataFrame,
    staff: pd.DataFrame,
    sittings: pd.DataFrame,
    day: date,
    is_only_away: bool = False,
) -> Handover:
    """What hangs on the person on `day`, or will: an allocation that begins later counts.

    `allocations`, `staff`: rows of these registers; `sittings`: with `staff_id` and `deputy_id`.
    `is_only_away`: the person comes back, so that a deputy is enough and deputies and roles stay; what begins later waits.
    """
    today = pd.Timestamp(day)
    mine = allocations[allocations["staff_id"].eq(staff_id) & ~(allocations["until_on"] < today)]
    mine = mine[~(mine["from_on"] > today)] if is_only_away else mine
    deputy = deputies(mine, staff, as_of=day)
    is_done = deputy.notna() if is_only_away else _has_successor(mine, allocations, staff_id)
    left = mine.assign(deputy_id=deputy).loc[~is_done, [*_PATIENT, "deputy_id", "until_on"]].reset_index(drop=True)
    pairs = pd.MultiIndex.from_frame(left[["programme_id", "patient_id"]])
    is_of_them = pd.MultiIndex.from_frame(sittings[["programme_id", "patient_id"]]).isin(pairs)
    asked = sittings[is_of_them & sittings["staff_id"].eq(staff_id) & sittings["deputy_id"].isna()]
    empty = {"programme_id": pd.Series(dtype="str")}
    nothing = pd.DataFrame({**empty, "staff_id": pd.Series(dtype="str"), "function": pd.Series(dtype="str")})
    return Handover(
        patients=left,
        sittings=asked.reset_index(drop=True),
        deputises=nothing[["programme_id", "staff_id"]]
        if is_only_away
        else _deputises(staff_id, allocations, staff, today),
        roles=nothing[["programme_id", "function"]] if is_only_away else _lonely_roles(staff_id, staff, today),
    )


def has_died(rows: pd.DataFrame, *, ends: pd.DataFrame, stops: pd.DataFrame) -> pd.Series:
    """For each row, by programme_id and patient_id, whether its patient has died (boolean, same index): nobody takes over from there.

    `ends`: who died or withdrew, as `eligibility.ends` tells it; `stops`: those that hold. Nobody else is done with: a stop of another
    kind says that nobody asks for forms, not that nobody looks after the patient.
    """
    told = ends.loc[ends["why"].eq(eligibility.DIED), ["programme_id", "patient_id"]]
    of_registers = pd.MultiIndex.from_frame(rows[["programme_id", "patient_id"]]).isin(pd.MultiIndex.from_frame(told))
    return is_stopped(rows, stops[stops["kind"].isin(HOLD_EVERYWHERE)]) | of_registers


def is_known(staff_id: str, *, allocations: pd.DataFrame, staff: pd.DataFrame) -> bool:
    """Whether any of the registers ever named the person.

    >>> none = pd.DataFrame({"staff_id": pd.Series(dtype="str"), "deputy_id": pd.Series(dtype="str")})
    >>> is_known("t_1", allocations=none, staff=none)
    False
    """
    return any(rows[column].eq(staff_id).any() for rows in (allocations, staff) for column in ("staff_id", "deputy_id"))


def _has_successor(mine: pd.DataFrame, allocations: pd.DataFrame, staff_id: str) -> pd.Series:
    """Allocations that have a last day, after which somebody else with the same function has the patient."""
    others = allocations.loc[~allocations["staff_id"].eq(staff_id), [*_PATIENT, "from_on", "until_on"]]
    ends = mine.assign(position=range(len(mine)), after=mine["until_on"] + pd.Timedelta(days=1))
    pairs = ends[[*_PATIENT, "position", "after"]].merge(others, on=_PATIENT)
    covered = pairs[
        ~(pairs["from_on"] > pairs["after"]) & ~(pairs["until_on"] < pairs["after"]) & pairs["after"].notna()
    ]
    return pd.Series(ends["position"].isin(covered["position"]).to_numpy(), index=mine.index, dtype=bool)


def _deputises(staff_id: str, allocations: pd.DataFrame, staff: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    named = pd.concat([rows.loc[rows["deputy_id"].eq(staff_id) & holds(rows, today)] for rows in (allocations, staff)])
    pairs = named[["programme_id", "staff_id"]].drop_duplicates()
    return pairs.sort_values(["programme_id", "staff_id"], ignore_index=True)


def _lonely_roles(staff_id: str, staff: pd.DataFrame, today: pd.Timestamp) -> pd.DataFrame:
    """Roles with findings of their own that this person has, or had last, and nobody else has on that day."""
    with_findings = staff[staff["function"].isin(list(OWNERS))]
    mine = with_findings.loc[with_findings["staff_id"].eq(staff_id), ["programme_id", "function"]].drop_duplicates()
    others = with_findings[~with_findings["staff_id"].eq(staff_id) & holds(with_findings, today)]
    pairs = pd.MultiIndex.from_frame(others[["programme_id", "function"]])
    return mine[~pd.MultiIndex.from_frame(mine).isin(pairs)].reset_index(drop=True)
