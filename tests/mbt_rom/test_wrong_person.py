"""Numbers that are one slip away, and the forms that would fit there."""

import pandas as pd
import pytest

from mbt_rom.tables import EXPECTED
from mbt_rom.wrong_person import neighbours, one_slip_away


@pytest.mark.parametrize(
    ("other", "is_near"),
    [
        ("1235", True),  # replaced
        ("2134", True),  # exchanged
        ("123", True),  # one missing
        ("12334", True),  # one twice
        ("1234", False),
        ("3214", False),  # exchanged, but no neighbours
        ("1245", False),  # two replaced
        ("12", False),
    ],
)
def test_a_slip_replaces_exchanges_drops_or_doubles_one_digit(other, is_near):
    assert (other in neighbours("1234")) is is_near
    assert ("1234" in neighbours(other)) is is_near


def expected(*rows):
    names = ["patient_id", "instrument", "opens_on", "closes_on", "status", "row_id"]
    frame = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows], columns=names)
    return EXPECTED.conform(frame.assign(programme_id="a", moment="m6", due_on=frame["opens_on"]))


def form(**changes):
    row = {"programme_id": "a", "patient_id": "p_x", "instrument": "bsi", "administered_on": pd.Timestamp("2024-03-10")}
    return pd.DataFrame([row | changes])


NUMBERS = {"p_x": ("h", "1234"), "p_near": ("h", "1243"), "p_far": ("h", "5678"), "p_other": ("other", "1235")}
MISSED = ("p_near", "bsi", "2024-03-01", "2024-03-31", "missed", None)


@pytest.mark.parametrize(
    ("slot", "changes", "is_near"),
    [
        (MISSED, {}, True),
        (("p_near", "bsi", "2024-03-01", "2024-03-31", "open", None), {}, True),
        (("p_near", "bsi", "2024-03-01", "2024-03-31", "received", "r9"), {}, False),
        (("p_near", "phq9", "2024-03-01", "2024-03-31", "missed", None), {}, False),
        (("p_near", "bsi", "2024-03-11", "2024-03-31", "missed", None), {}, False),
        (("p_far", "bsi", "2024-03-01", "2024-03-31", "missed", None), {}, False),
        (("p_other", "bsi", "2024-03-01", "2024-03-31", "missed", None), {}, False),
        (MISSED, {"administered_on": pd.NaT}, False),
        (MISSED, {"patient_id": None}, False),
        (MISSED, {"programme_id": "b"}, False),
    ],
)
def test_a_form_fits_a_neighbour_of_its_issuer_who_lacks_it(slot, changes, is_near):
    assert one_slip_away(form(**changes), expected(slot), numbers=NUMBERS).tolist() == [is_near]
