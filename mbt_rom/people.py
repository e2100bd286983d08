"""What the register of patients tells of the person behind each row: age and sex.

Belongs here: looking a person up for rows of any table, and the one rule for who is under age. Does not belong here: what
follows from age or sex (`norms`, `common_metric`, `change`, `contributions`).

Only the year of birth is known. Age is the year of the date minus the year of birth, so it may be one year too high: who
turns 18 in the year of the form counts as 18.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mbt_rom.model import ADULT

if TYPE_CHECKING:
    import pandas as pd

#: The format whose patients are no adults unless their age says so.
ADOLESCENT = "adolescent"

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Background:
    """Of each row the age in years (`nan` where unknown) and the sex (female, male, other; None where unknown)."""

    ages: Floats
    sexes: Words


def behind(rows: pd.DataFrame, patients: pd.DataFrame, *, on: str) -> Background:
    """Age and sex of the person behind each row.

    `rows`: rows with programme_id, patient_id and the date column `on`; `patients`: rows of `reference/patients`, any number
    of programmes. Unknown: rows without a patient, patients who are not registered, and ages where the date is missing.

    >>> import pandas as pd
    >>> forms = pd.DataFrame({"programme_id": "a", "patient_id": ["p", "q"], "day": pd.to_datetime("2024-03-01")})
    >>> register = pd.DataFrame({"programme_id": "a", "patient_id": ["p"], "birth_year": [1990], "sex": ["female"]})
    >>> known = behind(forms, register, on="day")
    >>> known.ages.tolist(), known.sexes.tolist()
    ([34.0, nan], ['female', None])
    """
    import pandas as pd

    from mbt_rom import keys

    of_rows, of_patients = keys.row_codes(rows, patients, columns=["programme_id", "patient_id"])
    where = pd.Index(keys.lookup(of_rows, of_patients))
    known = patients[["birth_year", "sex"]].reset_index(drop=True).reindex(where)
    born = known["birth_year"].to_numpy(dtype=float, na_value=np.nan)
    sexes = known["sex"].astype(object)
    return Background(
        ages=np.asarray(rows[on].dt.year.to_numpy(dtype=float) - born),
        sexes=sexes.where(sexes.notna(), None).to_numpy(),
    )


def is_minor(ages: npt.ArrayLike) -> Bools:
    """True where somebody is known to be under 18; an unknown age counts as that of an adult.

    >>> is_minor([17.0, 18.0, float("nan")]).tolist()
    [True, False, False]
    """
    return np.asarray(np.asarray(ages, dtype=float) < ADULT)
