"""Value sets of the EQ-5D: from published coefficients to the utility of every health state.

Belongs here: what a value set is, the number of a state, the utility of a state. Does not belong here: reading files
(`registry`), which value set a home uses (settings), costs and QALYs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = ("mo", "sc", "ua", "pd", "ad")


@dataclass(frozen=True, eq=False)
class ValueSet:
    """The utilities that one country gave to the states of one edition; `values[state_number]` is the utility."""

    id: str
    instrument: str
    label: str
    country: str
    year: int
    values: NDArray[np.float64]
    cite: str
    confidence: str = "verified"

    @property
    def n_levels(self) -> int:
        """Levels per dimension: 3 or 5."""
        return next(n for n in (3, 5) if n ** len(DIMENSIONS) == len(self.values))

    @property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that change whenever a utility changes."""
        return hashlib.sha256(self.values.tobytes()).hexdigest()[:12]

    def utility(self, state: str) -> float:
        """Utility of one state, written as five digits in the order of `DIMENSIONS`.

        >>> from mbt_rom.registry import value_set
        >>> value_set("nl_2006").utility("22222")
        0.569
        """
        levels = [np.array([int(digit)]) for digit in state]
        return float(self.values[state_numbers(levels, n_levels=self.n_levels)[0]])


def state_numbers(levels: Sequence[NDArray[np.integer]], *, n_levels: int) -> NDArray[np.int16]:
    """Number of each health state: 0 is the best (11111), `n_levels ** 5 - 1` the worst.

    `levels` are five arrays (mobility, self-care, usual activities, pain, anxiety) with levels from 1 to `n_levels`.
    """
    number = np.zeros(len(levels[0]), dtype=np.int16)
    for level in levels:
        number *= np.int16(n_levels)
        number += level.astype(np.int16) - np.int16(1)
    return number


def utilities(coefficients: Mapping[str, float], *, n_levels: int) -> NDArray[np.float64]:
    """Utility of all states, by state number, from the published decrements.

    `full_health` is the value of 11111; `any_problem` is added once when any level is above 1, `any_extreme` once when any
    level is the worst; `mo2` ... `ad5` are added for that level of that dimension. All published coefficients have three
    decimals, and so has the result.

    Raises KeyError naming a term that is absent, ValueError naming terms that mean nothing.
    """
    _all_terms_known(coefficients, n_levels=n_levels)
    levels = np.indices((n_levels,) * len(DIMENSIONS)).reshape(len(DIMENSIONS), -1) + 1
    value = np.full(levels.shape[1], coefficients["full_health"])
    value += coefficients.get("any_problem", 0.0) * (levels > 1).any(axis=0)
    value += coefficients.get("any_extreme", 0.0) * (levels == n_levels).any(axis=0)
    for dimension, level in zip(DIMENSIONS, levels, strict=True):
        steps = [0.0, *(coefficients[f"{dimension}{k}"] for k in range(2, n_levels + 1))]
        value += np.array(steps)[level - 1]
    return np.round(value, 3)


def _all_terms_known(coefficients: Mapping[str, float], *, n_levels: int) -> None:
    steps = {f"{dimension}{level}" for dimension in DIMENSIONS for level in range(2, n_levels + 1)}
    if unknown := set(coefficients) - steps - {"full_health", "any_problem", "any_extreme"}:
        raise ValueError(f"terms that no value set with {n_levels} levels has: {', '.join(sorted(unknown))}")
