"""The one gate: for whom a purpose is permitted on a day and, where it is not, why.

Belongs here: what the register of permissions means, which of its rows stand, who decides at which age, and keeping only the rows of
those who are permitted.
Does not belong here: reading the register (`registers`), whom a programme still asks for forms (`eligibility`), counting and showing who
is missing (`contributions`, `benchmarks`).

Everything that leaves a programme and everything that is fitted on people takes a `Permitted`, and `holds` is the only function that makes
one. No row means not permitted. Only years of birth are known, so an age counts from 1 January of the year in which it is reached:

- under 12 a representative decides;
- from 12 the patient and a representative decide together;
- from 16 the patient decides, and what only a representative gave holds no longer.

Where the year of birth is unknown the patient decides. A row that does not say who gave it is taken for the patient's, but only where the
patient had surely turned 16 by its first day. Source of the
ages: Dutch law as it is commonly read (see docs/permissions.md); a site's own officer decides whether that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import keys

Purpose = Literal["own_care", "programme_quality", "consortium_benchmark", "model_fitting", "research"]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Standings = npt.NDArray[np.int8]

#: Why a purpose is not permitted. `withdrawn`: it was, and whoever decides today ended it, or a stop says so. `representative_no_longer_decides`: only a
#: representative gave it, and the patient has to by now. `representative_missing`: only the patient gave it, and is too young to alone.
REASONS = ("never_recorded", "withdrawn", "not_yet", "representative_no_longer_decides", "representative_missing")
#: Ages from which a patient decides together with a representative, and alone.
TOGETHER_FROM, ALONE_FROM = 12, 16

_PERSON = ["programme_id", "patient_id"]
_NONE, _LATER, _ENDED, _HOLDS = range(4)


@dataclass(frozen=True)
class Permitted:
    """Who is permitted for one purpose on one day.

    `people`: one row per person who is registered or has a permission: programme_id, patient_id, and `reason`, one of `REASONS`, missing
    where the purpose is permitted. `registered`: programmes with any permission at all, whatever it is for.
    """

    purpose: Purpose
    on: date
    people: pd.DataFrame
    registered: frozenset[str]

    def reasons(self, rows: pd.DataFrame) -> pd.Series:
        """Of each row with programme_id and patient_id why its person is not permitted; missing where the person is.

        A person of whom nothing is recorded, and a row without a person, has `never_recorded`.
        """
        of_rows, of_people = keys.row_codes(rows, self.people, columns=_PERSON)
        where = keys.lookup(of_rows, of_people)
        known = self.people["reason"].reindex(pd.Index(where)).array
        found = pd.Series(known, index=rows.index, dtype="str")
        return found.mask((where < 0) | rows["patient_id"].isna().to_numpy(), "never_recorded")

    def only(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Those of the rows whose person is permitted, in their order.

        >>> given = pd.DataFrame({
        ...     "programme_id": "a", "patient_id": ["p"], "purpose": "research", "given_by": "patient",
        ...     "from_on": pd.to_datetime(["2024-01-01"]), "until_on": pd.to_datetime([None]),
        ... })
        >>> people = pd.DataFrame({"programme_id": "a", "patient_id": ["p", "q"], "birth_year": [1990, 1991]})
        >>> permitted = holds(given, people, purpose="research", on=date(2024, 5, 1))
        >>> permitted.only(people)["patient_id"].tolist(), permitted.reasons(people).tolist()
        (['p'], [nan, 'never_recorded'])
        """
        return rows[self.reasons(rows).isna().to_numpy()].reset_index(drop=True)


def holds(
    permissions: pd.DataFrame,
    patients: pd.DataFrame,
    *,
    purpose: Purpose,
    on: date,
    withdrew: pd.DataFrame | None = None,
) -> Permitted:
    """For whom the purpose is permitted on that day.

    `permissions`: rows of `reference/permissions`; `patients`: rows of `reference/patients` (only programme_id, patient_id and birth_year
    are read), both of any number of programmes, both possibly empty. `from_on` and `until_on` are the first and the last day. Of several
    rows that the patient (or a representative) gave, the one that began last counts, whatever an earlier one says: a withdrawal is not
    undone by an older permission that was left open. A row given by both counts for each of them. `withdrew`: people (programme_id,
    patient_id) of whom a stop says so; until it is lifted nothing holds for them, whatever the register says.
    """
    columns = [*_PERSON, "reason"]
    every = pd.concat([patients[_PERSON], permissions[_PERSON]], ignore_index=True).dropna(subset=_PERSON)
    people = every.drop_duplicates().reset_index(drop=True)
    given = permissions[permissions["purpose"] == purpose]
    is_grown = ~(given["from_on"].dt.year.to_numpy(dtype=float) - _birth_years(given, patients) <= ALONE_FROM)
    giver = given["given_by"].mask(given["given_by"].isna() & is_grown, "patient")
    own = _standing(people, given[giver.isin(["patient", "both"])], on=on)
    representative = _standing(people, given[giver.isin(["representative", "both"])], on=on)
    ages = on.year - _birth_years(people, patients)
    reasons = pd.Series(_reasons(own, representative, ages), dtype="str")
    people["reason"] = reasons.mask(reasons.isna().to_numpy() & _among(people, withdrew), "withdrawn")
    return Permitted(purpose, on, people[columns], frozenset(permissions["programme_id"].dropna()))


def undoubted(
    accepted: pd.DataFrame, delivered: pd.DataFrame, *, is_bad: pd.Series, received: pd.Series
) -> pd.DataFrame:
    """The accepted rows of the register without those of a person and purpose about which the newest delivery holds a row that is set aside.

    Such a row may be a withdrawal whose day could not be read: an older permission does not stand while nobody knows. `delivered`: all rows
    of the register that came, `is_bad` those of them that are set aside; `received`: when each delivery came, by its id. A row without
    patient or purpose puts nothing in doubt, since nobody can tell whose.
    """
    about = [*_PERSON, "purpose"]
    bad = delivered[is_bad.to_numpy()].dropna(subset=about)
    of_accepted, of_bad = keys.row_codes(accepted, bad, columns=about)
    good_at, bad_at = (pd.Series(received.reindex(rows["delivery_id"]).array) for rows in (accepted, bad))
    newest_good, newest_bad = good_at.groupby(of_accepted).max(), bad_at.groupby(of_bad).max()
    is_older = newest_good <= newest_bad.reindex(newest_good.index)
    doubted = newest_good.index[is_older.to_numpy()]
    return accepted[~np.isin(of_accepted, doubted.to_numpy())].reset_index(drop=True)


def _standing(people: pd.DataFrame, given: pd.DataFrame, *, on: date) -> Standings:
    """Per person how the rows that one side gave stand on the day: none, later, ended or holds."""
    day = pd.Timestamp(on)
    standing = np.full(len(people), _NONE, dtype=np.int8)
    begun = given[given["from_on"] <= day].sort_values(
        ["from_on", "until_on"], ascending=[True, False], na_position="first", kind="stable"
    )
    later = given[given["from_on"] > day]
    of_people, of_later, of_begun = keys.row_codes(people, later, begun, columns=_PERSON)
    standing[keys.lookup(of_people, of_later) >= 0] = _LATER
    last = keys.lookup(of_people, of_begun)
    has_ended = (begun["until_on"] < day).to_numpy()
    has_begun = last >= 0
    standing[has_begun] = np.where(has_ended[last[has_begun]], _ENDED, _HOLDS)
    return standing


def _among(people: pd.DataFrame, some: pd.DataFrame | None) -> Bools:
    if some is None:
        return np.zeros(len(people), dtype=bool)
    of_people, of_some = keys.row_codes(people, some, columns=_PERSON)
    return np.asarray(keys.lookup(of_people, of_some) >= 0)


def _birth_years(people: pd.DataFrame, patients: pd.DataFrame) -> Floats:
    of_people, of_patients = keys.row_codes(people, patients, columns=_PERSON)
    years = patients["birth_year"].reset_index(drop=True).reindex(pd.Index(keys.lookup(of_people, of_patients)))
    return years.to_numpy(dtype=float, na_value=np.nan)


def _reasons(own: Standings, representative: Standings, ages: Floats) -> npt.NDArray[np.object_]:
    """Why not, per person; None where permitted."""
    is_child, is_alone = ages < TOGETHER_FROM, ~(ages < ALONE_FROM)
    needs_own, needs_representative = ~is_child, ~is_alone
    lacks = (needs_own & (own != _HOLDS)) | (needs_representative & (representative != _HOLDS))
    ended = (needs_own & (own == _ENDED)) | (needs_representative & (representative == _ENDED))
    nothing = (own == _NONE) & (representative == _NONE)
    waits = (own <= _LATER) & (representative <= _LATER)
    only_representative = needs_own & (own <= _LATER)
    found = np.select(
        [~lacks, nothing, ended, waits, only_representative],
        ["", "never_recorded", "withdrawn", "not_yet", "representative_no_longer_decides"],
        default="representative_missing",
    ).astype(object)
    found[found == ""] = None
    return found
