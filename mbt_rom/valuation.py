"""Value sets of the EQ-5D: from published coefficients to the utility of every health state and of every form.

Belongs here: what a value set is, the number of a state, the utility of a state, the crosswalk from 5L to 3L, what may not be
mixed, who has no value set. Does not belong here: reading files (`registry`), which value set a home uses (settings), other
scales of the EQ-5D (`scoring`), costs and QALYs.

A utility means nothing without the id of its value set: the same state is worth 0.569 in `nl_2006` and 0.516 in `uk_1997`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Levels = npt.NDArray[np.int8]
Bools = npt.NDArray[np.bool_]

DIMENSIONS = ("mo", "sc", "ua", "pd", "ad")
#: Stands in an `int8` array where there is no answer.
MISSING = np.int8(-128)
#: Age in years from which a value set applies; `no_adult_value_set` says why.
YOUNGEST_VALUED_AGE = 18
#: Rows that are looked up at a time, so that the numbers of their states stay in the processor's cache.
BLOCK = 1 << 17
#: A level is 1 to 5, and 0 where it is missing: one digit of this base.
_BASE = 6


class MixedValueSetsError(ValueError):
    """Utilities of more than one value set, or of none that is named, were about to be pooled or compared."""


@dataclass(frozen=True, eq=False)
class ValueSet:
    """The utilities that one country gave to the states of one edition; `values[state_number]` is the utility.

    `rounding` are the decimals to which the utilities were rounded, step after step; `crosswalk_from` is the id of the 3L value
    set behind a crosswalk, else None; `checked` says how the utilities were checked.
    """

    id: str
    instrument: str
    label: str
    country: str
    year: int
    values: Floats
    cite: str
    confidence: str = "verified"
    checked: str = ""
    rounding: tuple[int, ...] = (3,)
    crosswalk_from: str | None = None

    @property
    def n_levels(self) -> int:
        """Levels per dimension: 3 or 5."""
        return next(n for n in (3, 5) if n ** len(DIMENSIONS) == len(self.values))

    @property
    def content_hash(self) -> str:
        """Twelve hexadecimal digits that change whenever a utility changes."""
        return hashlib.sha256(self.values.tobytes()).hexdigest()[:12]

    def utility(self, state: str) -> float:
        """Utility of one state, written as five digits in the order of `DIMENSIONS`; ValueError for any other text.

        >>> from mbt_rom.registry import value_set
        >>> value_set("nl_2006").utility("22222")
        0.569
        """
        if len(state) != len(DIMENSIONS) or set(state) - set("12345"[: self.n_levels]):
            raise ValueError(f"not a state of {self.instrument}: it has five digits from 1 to {self.n_levels}")
        levels = [np.array([int(digit)]) for digit in state]
        return float(self.values[state_numbers(levels, n_levels=self.n_levels)[0]])

    @cached_property
    def by_code(self) -> Floats:
        """The utilities again, by the levels read as a number of base 6; `nan` where a digit is 0, the level that is missing."""
        digits = np.indices((self.n_levels,) * len(DIMENSIONS)).reshape(len(DIMENSIONS), -1) + 1
        table = np.full(_BASE ** len(DIMENSIONS), np.nan)
        table[_BASE ** np.arange(len(DIMENSIONS))[::-1] @ digits] = self.values
        table.setflags(write=False)
        return table


# --- every state --------------------------------------------------------------------------------------------------------


def state_numbers(levels: Sequence[npt.NDArray[np.integer]], *, n_levels: int) -> npt.NDArray[np.int16]:
    """Number of each health state: 0 is the best (11111), `n_levels ** 5 - 1` the worst.

    `levels` are five arrays (mobility, self-care, usual activities, pain, anxiety) with levels from 1 to `n_levels`.
    """
    number = np.zeros(len(levels[0]), dtype=np.int16)
    for level in levels:
        number *= np.int16(n_levels)
        number += level.astype(np.int16) - np.int16(1)
    return number


def utilities(coefficients: Mapping[str, float], *, n_levels: int) -> Floats:
    """Utility of all states, by state number, from the published decrements; not rounded.

    `full_health` is the value of 11111; `any_problem` is added once when any level is above 1, `any_extreme` once when any
    level is the worst; `mo2` ... `ad5` are added for that level of that dimension.

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
    return value


def _all_terms_known(coefficients: Mapping[str, float], *, n_levels: int) -> None:
    steps = {f"{dimension}{level}" for dimension in DIMENSIONS for level in range(2, n_levels + 1)}
    if unknown := set(coefficients) - steps - {"full_health", "any_problem", "any_extreme"}:
        raise ValueError(f"terms that no value set with {n_levels} levels has: {', '.join(sorted(unknown))}")


def crosswalk(values_3l: Floats, *, probabilities: Sequence[Floats]) -> Floats:
    """Utility of all 3,125 states of the 5L through a 3L value set, by state number; not rounded.

    `values_3l`: the 243 utilities by state number. `probabilities`: per dimension five rows (the level in 5L) by three columns
    (the level in 3L), each row a probability of answering that level in 3L given the one in 5L. The utility of a 5L state is
    the sum over the 243 3L states of the product of the five probabilities times the utility of the 3L state (van Hout et al.
    2012, Value Health 15:708-715).

    Raises ValueError naming a dimension whose probabilities do not have that shape or do not add up to 1.
    """
    for dimension, table in zip(DIMENSIONS, probabilities, strict=True):
        if table.shape != (5, 3) or (table < 0).any() or not np.allclose(table.sum(axis=1), 1, rtol=0, atol=1e-9):
            raise ValueError(f"probabilities of '{dimension}' are not five rows of three that add up to 1")
    expected = values_3l.reshape((3,) * len(DIMENSIONS))
    for table in probabilities:
        # Takes the first 3L dimension away and puts its 5L dimension last; after five the order is the first one.
        expected = np.tensordot(expected, table, axes=(0, 1))
    return expected.ravel()


def rounded(values: npt.ArrayLike, decimals: Sequence[int]) -> Floats:
    """Values rounded to each of `decimals` in turn, halves away from zero.

    Published utilities have three decimals. The published crosswalk was rounded to four decimals and these to three: of the
    3,125 Dutch utilities 107 come out 0.001 further from zero than they do when rounded once.

    >>> rounded([0.34648, -0.34648, 0.3464], [4, 3]).tolist()
    [0.347, -0.347, 0.346]
    >>> rounded([0.34648, -0.34648, 0.3464], [3]).tolist()
    [0.346, -0.346, 0.346]
    """
    result = np.asarray(values, dtype=float)
    for n in decimals:
        # A half is often a little less in binary: 0.3465 * 1000 = 346.49999999999994.
        size = np.floor(np.round(np.abs(result) * 10.0**n, 6) + 0.5)
        result = np.where(result < 0, -size, size) / 10.0**n + 0.0
    return result


# --- every form ---------------------------------------------------------------------------------------------------------


def utilities_of(levels: Sequence[Levels], *, value_set: ValueSet) -> Floats:
    """Utility of every form; `nan` where one of its five levels is missing.

    `levels`: five `int8` arrays in the order of `DIMENSIONS`, row i being one form, `MISSING` where there is no answer. From an
    items table: `frame[column].to_numpy(dtype=np.int8, na_value=MISSING)`.

    Raises TypeError for another type than `int8`, ValueError for another number of arrays or rows and for a level that the
    edition does not have, naming the dimension.

    >>> from mbt_rom.registry import value_set
    >>> forms = np.array([[1, 1, 1, 1, 1], [2, 2, 2, 2, 2], [2, MISSING, 2, 2, 2]], dtype=np.int8)
    >>> utilities_of(list(forms.T), value_set=value_set("nl_2016")).tolist()
    [1.0, 0.705, nan]
    """
    _refuse_other_columns(levels)
    n = len(levels[0])
    out = np.empty(n)
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        block = [level[start:stop] for level in levels]
        _refuse_other_levels(block, value_set=value_set)
        look_up(block, value_set=value_set, out=out[start:stop])
    return out


def look_up(levels: Sequence[Levels], *, value_set: ValueSet, out: Floats) -> None:
    """Writes the utility of every form to `out`, as `utilities_of` does, of levels that were checked already.

    The last three bits of a level are the level, those of `MISSING` are 0. Three digits of base 6 fit into a byte.
    """
    mo, sc, ua, pd, ad = (level.view(np.uint8) & np.uint8(7) for level in levels)
    first = (mo * _BASE + sc) * _BASE + ua
    code = first.astype(np.uint16) * np.uint16(_BASE * _BASE) + (pd * _BASE + ad)
    np.take(value_set.by_code, code, out=out, mode="clip")


def _refuse_other_columns(levels: Sequence[Levels]) -> None:
    if len(levels) != len(DIMENSIONS):
        raise ValueError(f"{len(levels)} columns of levels were given; a state has {len(DIMENSIONS)}")
    if wrong := [d for d, level in zip(DIMENSIONS, levels, strict=True) if level.dtype != np.int8]:
        raise TypeError(f"levels must be int8 with {MISSING} for missing; not so: {', '.join(wrong)}")
    if len({len(level) for level in levels}) > 1:
        raise ValueError("the columns of levels differ in their number of rows")


def _refuse_other_levels(levels: Sequence[Levels], *, value_set: ValueSet) -> None:
    n_levels = value_set.n_levels
    if wrong := [d for d, level in zip(DIMENSIONS, levels, strict=True) if not _within(level, n_levels)]:
        raise ValueError(
            f"levels outside 1..{n_levels} in {', '.join(wrong)}; value set '{value_set.id}' is one of {value_set.instrument}: "
            "is this another edition?"
        )


def _within(level: Levels, n_levels: int) -> bool:
    """True when every level lies from 1 to `n_levels` or is missing."""
    # As unsigned numbers plus 127, which wrap at 256, MISSING becomes the largest and all levels keep their order.
    return bool(level.max() <= n_levels and (level.view(np.uint8) + np.uint8(127)).min() >= 128)


# --- what utilities may be used for -------------------------------------------------------------------------------------


def refuse_mixed(value_set_ids: Iterable[object]) -> str | None:
    """The one value set of utilities that are to be pooled or compared; None when none of them names any.

    `value_set_ids`: one per utility, or their different values; None or NaN where no value set is named.

    Raises `MixedValueSetsError` when there are two, or when some utilities name one and others none.

    >>> refuse_mixed(["nl_2016", "nl_2016"])
    'nl_2016'
    >>> refuse_mixed(["nl_2016", "uk_2026"])
    Traceback (most recent call last):
        ...
    mbt_rom.valuation.MixedValueSetsError: utilities of the value sets nl_2016 and uk_2026 are to be pooled or compared; the same
        health has another utility in each: score all forms again with one value set (rom score --value-set, or value_sets in
        consortium.yaml)
    """
    given = set(value_set_ids)
    named = sorted({value for value in given if isinstance(value, str) and value})
    remedy = "score all forms again with one value set (rom score --value-set, or value_sets in consortium.yaml)"
    if len(named) > 1:
        sets = f"{', '.join(named[:-1])} and {named[-1]}"
        raise MixedValueSetsError(
            f"utilities of the value sets {sets} are to be pooled or compared; the same health has another utility in each: "
            f"{remedy}"
        )
    if named and len(given) > 1:
        raise MixedValueSetsError(
            f"utilities of the value set {named[0]} are to be pooled or compared with utilities that name no value set: {remedy}"
        )
    return named[0] if named else None


def no_adult_value_set(ages: npt.ArrayLike) -> Bools:
    """True for those who are too young for a utility: known to be younger than `YOUNGEST_VALUED_AGE`.

    `ages`: years at the day of the form, NaN where unknown; an unknown age does not take a utility away.

    All value sets here hold what adults said about the health of adults. Health of a child is valued differently, and EuroQol
    says that adult value sets must not be used for its youth form (FAQ of euroqol.org on the EQ-5D-Y index). It gives the adult
    form to people from 16; those of 16 and 17 are left out here as well, since 18 is the age from which this system
    applies norms of adults. Levels, profile, level sum and VAS of a younger person are scored as usual.

    >>> no_adult_value_set([17.9, 18.0, float("nan")]).tolist()
    [True, False, False]
    """
    return np.asarray(np.asarray(ages, dtype=float) < YOUNGEST_VALUED_AGE)
