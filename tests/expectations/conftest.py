"""Rows of an items table for the tests of expectations: good ones, from which each test departs in one thing."""

from collections.abc import Callable

import pandas as pd
import pytest

from mbt_rom.model import Instrument
from mbt_rom.registry import instrument
from mbt_rom.tables import PATIENTS, items_table


@pytest.fixture(scope="session")
def phq9() -> Instrument:
    """The definition that these tests judge by: ten items, answers 0 to 3."""
    return instrument("phq9")


@pytest.fixture
def forms(phq9) -> Callable[..., pd.DataFrame]:
    """`forms({...}, {...})`: an items table with one good form per dict, each with the columns of its dict changed.

    Row r<n>, patient p_<n>, 1 March 2024, every answer 1.
    """

    def make(*changes):
        rows = [
            {
                "programme_id": "north",
                "row_id": f"r{n}",
                "delivery_id": "d1",
                "received_at": pd.Timestamp("2024-04-01", tz="UTC"),
                "sheet": "May",
                "source_row": n + 2,
                "block": 0,
                "patient_id": f"p_{n}",
                "administered_on": "2024-03-01",
                **dict.fromkeys(phq9.item_ids, 1),
                **change,
            }
            for n, change in enumerate(changes)
        ]
        return items_table(phq9).conform(pd.DataFrame(rows))

    return make


@pytest.fixture
def patients() -> pd.DataFrame:
    """A register of programme north: patients p_0 to p_9, born in 1990."""
    ids = [f"p_{n}" for n in range(10)]
    return PATIENTS.conform(
        pd.DataFrame(
            {"programme_id": "north", "patient_id": ids, "birth_year": 1990, "row_id": ids, "delivery_id": "d0"}
        )
    )
