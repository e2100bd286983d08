"""Age and sex of the person behind each row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mbt_rom import people
from mbt_rom.tables import PATIENTS


def register(*rows: dict[str, Any]) -> pd.DataFrame:
    defaults = {"programme_id": "a", "row_id": "r", "delivery_id": "d"}
    return PATIENTS.conform(pd.DataFrame([{**defaults, **row} for row in rows], columns=PATIENTS.column_names))


def forms(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["programme_id", "patient_id", "administered_on"], index=range(5, 5 + len(rows)))
    return frame.assign(administered_on=pd.to_datetime(frame["administered_on"]))


def test_the_same_number_in_two_programmes_is_two_people_whatever_the_order_of_the_register() -> None:
    known = register(
        {"patient_id": "p", "birth_year": 1980, "sex": "male", "programme_id": "b"},
        {"patient_id": "q", "birth_year": 2001},
        {"patient_id": "p", "birth_year": 1990, "sex": "female"},
    )
    rows = forms(("a", "p", "2020-12-31"), ("b", "p", "2021-01-01"), ("a", "q", "2020-06-30"), ("b", "q", "2020-06-30"))
    found = people.behind(rows, known, on="administered_on")
    np.testing.assert_array_equal(found.ages, [30, 41, 19, np.nan])
    assert found.sexes.tolist() == ["female", "male", None, None]


def test_what_is_missing_makes_an_age_unknown_and_nothing_else() -> None:
    known = register({"patient_id": "p", "sex": "other"}, {"patient_id": "q", "birth_year": 1990, "sex": "male"})
    rows = forms(("a", "p", "2020-01-01"), ("a", "q", None), ("a", None, "2020-01-01"))
    found = people.behind(rows, known, on="administered_on")
    assert np.isnan(found.ages).all()
    assert found.sexes.tolist() == ["other", "male", None]


def test_without_a_register_nobody_is_known_and_nobody_is_a_minor() -> None:
    found = people.behind(forms(("a", "p", "2020-01-01")), PATIENTS.empty(), on="administered_on")
    assert np.isnan(found.ages).all()
    assert found.sexes.tolist() == [None]
    assert not people.is_minor(found.ages).any()


def test_who_turns_18_in_the_year_of_the_form_counts_as_18() -> None:
    """Born in 2007: 17 on every day of 2024; in 2025 17 or 18, which the year alone does not tell."""
    known = register({"patient_id": "p", "birth_year": 2007})
    rows = forms(("a", "p", "2024-12-31"), ("a", "p", "2025-01-01"))
    assert people.is_minor(people.behind(rows, known, on="administered_on").ages).tolist() == [True, False]
