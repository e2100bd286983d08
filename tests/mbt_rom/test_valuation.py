"""Utilities of EQ-5D states: published test vectors, and a second computation of every state that shares no code."""

from __future__ import annotations

import csv
from decimal import Decimal
from itertools import product

import numpy as np
import pytest

from mbt_rom.registry import VALUE_SETS, value_set
from mbt_rom.valuation import state_numbers, utilities

#: From the README of the collected value sets (papers of Lamers 2006, Dolan 1997, Versteegh 2016, Devlin 2018) and, for the
#: worst state of the two sets of 2026, the range that their papers state.
PUBLISHED = [
    ("nl_2006", "11111", 1.0),
    ("nl_2006", "21111", 0.893),
    ("nl_2006", "22222", 0.569),
    ("nl_2006", "33333", -0.329),
    ("uk_1997", "11123", 0.291),
    ("uk_1997", "22222", 0.516),
    ("uk_1997", "33333", -0.594),
    ("nl_2026", "33333", -0.723),
    ("nl_2016", "11112", 0.883),
    ("nl_2016", "22222", 0.705),
    ("nl_2016", "55555", -0.446),
    ("england_2018", "22222", 0.701),
    ("england_2018", "23245", 0.247),
    ("england_2018", "55555", -0.285),
    ("england_2018", "11211", 0.950),
    ("england_2018", "12111", 0.950),
    ("england_2018", "21111", 0.942),
    ("uk_2026", "55555", -0.567),
]


@pytest.mark.parametrize(("value_set_id", "state", "utility"), PUBLISHED)
def test_published_utilities(value_set_id: str, state: str, utility: float) -> None:
    assert value_set(value_set_id).utility(state) == utility


def utility_by_words(coefficients: dict[str, Decimal], state: str, worst: str) -> Decimal:
    """The sum as a paper writes it, term by term in exact decimals, for one state."""
    terms = ["full_health"]
    if state != "11111":
        terms.append("any_problem")
    if worst in state:
        terms.append("any_extreme")
    terms += [f"{d}{level}" for d, level in zip(("mo", "sc", "ua", "pd", "ad"), state, strict=True) if level != "1"]
    return sum((coefficients.get(term, Decimal(0)) for term in terms), Decimal(0))


@pytest.mark.parametrize("value_set_id", ["nl_2006", "uk_1997", "nl_2026", "nl_2016", "england_2018", "uk_2026"])
def test_every_state_again_in_exact_decimals(value_set_id: str) -> None:
    with (VALUE_SETS / "coefficients.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value_set"] == value_set_id]
    coefficients = {row["term"]: Decimal(row["coefficient"]) for row in rows}
    tested = value_set(value_set_id)
    levels = "123" if tested.n_levels == 3 else "12345"
    for digits in product(levels, repeat=5):
        state = "".join(digits)
        assert tested.utility(state) == float(utility_by_words(coefficients, state, levels[-1])), state


@pytest.mark.parametrize("value_set_id", ["nl_2006", "uk_1997", "nl_2026", "nl_2016", "england_2018", "uk_2026"])
def test_no_state_is_better_than_one_with_a_lower_level(value_set_id: str) -> None:
    tested = value_set(value_set_id)
    grid = tested.values.reshape((tested.n_levels,) * 5)
    assert all((np.diff(grid, axis=dimension) <= 0).all() for dimension in range(5))


@pytest.mark.parametrize(("n_levels", "last"), [(3, 242), (5, 3124)])
def test_states_are_numbered_from_best_to_worst_without_gaps(n_levels: int, last: int) -> None:
    levels = [np.array(level) for level in zip(*product(range(1, n_levels + 1), repeat=5), strict=True)]
    assert state_numbers(levels, n_levels=n_levels).tolist() == list(range(last + 1))


def test_a_value_set_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        value_set("nl_2006").values[0] = 0


def test_a_term_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="mo4"):
        utilities({"full_health": 1.0, "mo4": -0.1}, n_levels=3)


def test_a_term_that_is_absent_is_named() -> None:
    with pytest.raises(KeyError, match="mo2"):
        utilities({"full_health": 1.0}, n_levels=3)


def test_the_hash_tells_value_sets_apart() -> None:
    assert value_set("nl_2006").content_hash != value_set("nl_2026").content_hash
