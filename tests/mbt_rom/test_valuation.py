"""Utilities of EQ-5D states and forms: published test vectors, a second computation of every state that shares no code.

Every state beside the tables of other software: `tests/reference/test_eq5d_reference.py`.
"""

from __future__ import annotations

import csv
from decimal import Decimal
from itertools import chain, combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mbt_rom import scoring, valuation
from mbt_rom.registry import VALUE_SETS, value_set, value_sets
from mbt_rom.valuation import (
    MISSING,
    MixedValueSetsError,
    crosswalk,
    no_adult_value_set,
    refuse_mixed,
    rounded,
    state_numbers,
    utilities,
    utilities_of,
)

ALL = {**value_sets("eq5d3l"), **value_sets("eq5d5l")}
BY_COEFFICIENTS = [i for i, v in ALL.items() if v.crosswalk_from is None]

#: From the README of the collected value sets (papers of Lamers 2006, Dolan 1997, Versteegh 2016, Devlin 2018, van Hout 2012)
#: and, for the worst state of the two sets of 2026, the range that their papers state.
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
    ("crosswalk_nl_2006", "11121", 0.874),
    ("crosswalk_nl_2006", "22222", 0.638),
    ("crosswalk_nl_2006", "33333", 0.569),
    ("crosswalk_nl_2006", "55555", -0.329),
    ("crosswalk_uk_1997", "22222", 0.592),
    ("crosswalk_uk_1997", "33333", 0.516),
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


@pytest.mark.parametrize("value_set_id", BY_COEFFICIENTS)
def test_every_state_again_in_exact_decimals(value_set_id: str) -> None:
    with (VALUE_SETS / "coefficients.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value_set"] == value_set_id]
    coefficients = {row["term"]: Decimal(row["coefficient"]) for row in rows}
    tested = value_set(value_set_id)
    levels = "123" if tested.n_levels == 3 else "12345"
    for digits in product(levels, repeat=5):
        state = "".join(digits)
        assert tested.utility(state) == float(utility_by_words(coefficients, state, levels[-1])), state


@pytest.mark.parametrize("value_set_id", ALL)
def test_no_state_is_better_than_one_with_a_lower_level(value_set_id: str) -> None:
    """Holds for all sets here, crosswalks and their rounding included; some levels are worth the same (NL 2016: 4 and 5)."""
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
    with pytest.raises(ValueError, match="read-only"):
        value_set("nl_2006").by_code[0] = 0


def test_a_term_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="mo4"):
        utilities({"full_health": 1.0, "mo4": -0.1}, n_levels=3)


@pytest.mark.parametrize("term", ["mo0", "ad1"])
def test_the_level_without_problems_has_no_term_of_its_own(term: str) -> None:
    with pytest.raises(ValueError, match=rf"no value set with 3 levels has: {term}, ua9$"):
        utilities({"full_health": 1.0, "ua9": -0.1, term: -0.1}, n_levels=3)


def test_a_term_that_is_absent_is_named() -> None:
    with pytest.raises(KeyError, match="mo2"):
        utilities({"full_health": 1.0}, n_levels=3)


def test_the_hash_tells_value_sets_apart() -> None:
    assert len({v.content_hash for v in ALL.values()}) == len(ALL) == 9
    assert all(len(v.content_hash) == 12 for v in ALL.values())


@pytest.mark.parametrize("state", ["1111", "111111", "11114", "01111", "1111a", "", "11 11"])
def test_what_is_no_state_of_the_edition_has_no_utility(state: str) -> None:
    with pytest.raises(ValueError, match="five digits from 1 to 3"):
        value_set("nl_2006").utility(state)


@pytest.mark.parametrize("value_set_id", ALL)
def test_every_value_set_says_where_it_comes_from(value_set_id: str, project_root: Path) -> None:
    tested = ALL[value_set_id]
    assert tested.id == value_set_id
    assert tested.instrument == {3: "eq5d3l", 5: "eq5d5l"}[tested.n_levels]
    assert all((tested.label, tested.country, tested.cite, tested.checked))
    assert tested.confidence in ("verified", "single_source")
    assert str(tested.year) in tested.cite
    page = (project_root / "docs" / "eq5d.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{value_set_id}` |")]
    worst = f"{tested.values.min():.{tested.rounding[-1]}f}".replace("-", "−")
    assert row.endswith(f"| {worst} | {', then '.join(map(str, tested.rounding))} decimals |")


def test_a_crosswalk_names_the_3l_set_it_starts_from() -> None:
    sources = {i: v.crosswalk_from for i, v in ALL.items() if v.crosswalk_from}
    assert sources == {"crosswalk_nl_2006": "nl_2006", "crosswalk_uk_1997": "uk_1997"}
    assert all(v.label.startswith("Crosswalk") == (v.crosswalk_from is not None) for v in ALL.values())


def test_each_value_set_has_its_own_rounding() -> None:
    """Unrounded Dutch value of 11112: 1 - 0.046923 - 0.069622 = 0.883455; published coefficients: 1 - 0.047 - 0.070."""
    assert {v.rounding for i, v in ALL.items() if v.crosswalk_from is None and i != "nl_2016_unrounded"} == {(3,)}
    assert value_set("crosswalk_nl_2006").rounding == (4, 3)
    assert value_set("nl_2016_unrounded").utility("11112") == 0.883455
    assert value_set("nl_2016").utility("11112") == 0.883


# --- rounding -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.3465, [3], 0.347),  # in binary a little less than a half
        (-0.3465, [3], -0.347),
        (0.0005, [3], 0.001),
        (-0.0005, [3], -0.001),
        (0.0004, [3], 0.0),
        (0.34648, [4, 3], 0.347),
        (0.34648, [3], 0.346),
        (0.34642, [4, 3], 0.346),
        (0.883455, [6], 0.883455),
        (-1.5, [0], -2.0),
        (2.5, [0], 3.0),
    ],
)
def test_halves_are_rounded_away_from_zero(value: float, decimals: list[int], expected: float) -> None:
    assert rounded([value], decimals).tolist() == [expected]


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert np.signbit(rounded([-0.0001, -0.0, 0.0], [3])).tolist() == [False, False, False]
    assert all(not np.signbit(v.values[v.values == 0]).any() for v in ALL.values())


# --- crosswalk ----------------------------------------------------------------------------------------------------------

#: Two levels of 3L are equally likely at 2 and at 4, in every dimension.
HALVES = [np.array([[1, 0, 0], [0.5, 0.5, 0], [0, 1, 0], [0, 0.5, 0.5], [0, 0, 1]])] * 5


def number_5l(state: str) -> int:
    return int(state_numbers([np.array([int(d)]) for d in state], n_levels=5)[0])


def test_a_crosswalk_is_the_expected_utility_over_the_answers_in_3l() -> None:
    """Lamers 2006: 11111 = 1, 11112 = 0.805, 21111 = 0.893, 21112 = 0.769 (1 - .071 - .036 - .124), 11113 = 0.370.

    11112 in 5L: (1 + .805) / 2. 21112: (1 + .805 + .893 + .769) / 4. 11114: (.805 + .370) / 2.
    """
    values = crosswalk(value_set("nl_2006").values, probabilities=HALVES)
    assert values.shape == (3125,)
    assert values[number_5l("11112")] == pytest.approx(0.9025, abs=1e-12)
    assert values[number_5l("21112")] == pytest.approx(0.86675, abs=1e-12)
    assert values[number_5l("11114")] == pytest.approx(0.5875, abs=1e-12)


def test_dimensions_of_a_crosswalk_are_not_exchanged() -> None:
    """Only one dimension is uncertain at a time: its own level 2 moves, that of another does not."""
    certain = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], dtype=float)
    source = value_set("nl_2006")
    for place in range(5):
        tables = [HALVES[0] if i == place else certain for i in range(5)]
        values = crosswalk(source.values, probabilities=tables)
        for other in range(5):
            state = "".join("2" if i == other else "1" for i in range(5))
            expected = (1 + source.utility(state)) / 2 if other == place else source.utility(state)
            assert values[number_5l(state)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        np.full((5, 3), 0.3),
        np.full((3, 5), 0.2),
        np.full((5, 2), 0.5),
        np.full((4, 3), 1 / 3),
        np.array([[1, 0, 0], [1.5, -0.5, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
        np.array([[1, 0, 0], [1 - 1e-6, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
        np.array([[1, 0, 0], [1 + 5e-9, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
    ],
    ids=["sums to .9", "turned round", "two levels", "four levels", "negative", "a millionth less", "a little more"],
)
def test_probabilities_that_are_none_are_refused_with_their_dimension(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="'ua'"):
        crosswalk(value_set("nl_2006").values, probabilities=[*HALVES[:2], wrong, *HALVES[3:]])


def test_a_crosswalk_needs_five_dimensions() -> None:
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        crosswalk(value_set("nl_2006").values, probabilities=HALVES[:4])


# --- forms --------------------------------------------------------------------------------------------------------------


def every_state(n_levels: int, *, seed: int) -> list[np.ndarray]:
    """Five columns of levels in which every state occurs once, shuffled."""
    states = np.array(list(product(range(1, n_levels + 1), repeat=5)), dtype=np.int8)
    return list(np.random.default_rng(seed).permutation(states).T)


@pytest.mark.parametrize("value_set_id", ALL)
def test_every_form_gets_the_utility_of_its_state(value_set_id: str) -> None:
    tested = ALL[value_set_id]
    levels = every_state(tested.n_levels, seed=1)
    expected = [tested.utility("".join(map(str, form))) for form in zip(*levels, strict=True)]
    assert utilities_of(levels, value_set=tested).tolist() == expected


@pytest.mark.parametrize("value_set_id", ["uk_1997", "nl_2016", "crosswalk_uk_1997"])
@pytest.mark.parametrize("absent", chain.from_iterable(combinations(range(5), n) for n in range(1, 6)), ids=str)
def test_a_form_with_any_level_missing_has_no_utility(value_set_id: str, absent: tuple[int, ...]) -> None:
    tested = ALL[value_set_id]
    levels = [
        np.full(len(c), MISSING) if i in absent else c for i, c in enumerate(every_state(tested.n_levels, seed=2))
    ]
    assert np.isnan(utilities_of(levels, value_set=tested)).all()


@pytest.mark.parametrize("block", [1, 7, 3124, 3125, 3126])
def test_blocks_join_without_a_seam(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tested, levels = ALL["uk_2026"], every_state(5, seed=3)
    levels[2][[0, 6, 7, 3124]] = MISSING
    whole = utilities_of(levels, value_set=tested)
    monkeypatch.setattr(valuation, "BLOCK", block)
    np.testing.assert_array_equal(utilities_of(levels, value_set=tested), whole)
    assert np.isnan(whole).sum() == 4


def test_the_order_of_the_forms_does_not_matter() -> None:
    tested, levels = ALL["england_2018"], every_state(5, seed=4)
    order = np.random.default_rng(5).permutation(3125)
    straight = utilities_of(levels, value_set=tested)
    np.testing.assert_array_equal(utilities_of([c[order] for c in levels], value_set=tested), straight[order])
    every_other = utilities_of([c[::2] for c in levels], value_set=tested)
    np.testing.assert_array_equal(every_other, straight[::2])


@pytest.mark.parametrize("value_set_id", ALL)
@pytest.mark.parametrize("dimension", range(5))
def test_one_level_worse_in_one_dimension_never_raises_a_utility(value_set_id: str, dimension: int) -> None:
    tested = ALL[value_set_id]
    levels = every_state(tested.n_levels, seed=6)
    may_worsen = levels[dimension] < tested.n_levels
    before = [c[may_worsen] for c in levels]
    after = [c + np.int8(i == dimension) for i, c in enumerate(before)]
    change = utilities_of(after, value_set=tested) - utilities_of(before, value_set=tested)
    assert len(change) == tested.n_levels**4 * (tested.n_levels - 1)
    assert (change <= 0).all()


def test_no_forms_have_no_utilities() -> None:
    nobody = np.zeros(0, dtype=np.int8)
    assert utilities_of([nobody] * 5, value_set=ALL["nl_2016"]).tolist() == []


@pytest.mark.parametrize("value_set_id", ["nl_2006", "nl_2016"])
@pytest.mark.parametrize("wrong", [-127, -1, 0, "one above", 127])
def test_a_level_that_the_edition_does_not_have_is_refused_with_its_dimension(
    value_set_id: str, wrong: int | str
) -> None:
    tested = ALL[value_set_id]
    levels = every_state(tested.n_levels, seed=7)
    levels[3][5] = tested.n_levels + 1 if isinstance(wrong, str) else wrong
    with pytest.raises(ValueError, match=rf"outside 1\.\.{tested.n_levels} in pd;.*another edition"):
        utilities_of(levels, value_set=tested)


def test_other_types_and_shapes_are_refused() -> None:
    levels = every_state(5, seed=8)
    with pytest.raises(TypeError, match=r"int8 .*-128.*not so: sc, ad"):
        utilities_of(
            [levels[0], levels[1].astype(float), *levels[2:4], levels[4].astype(int)], value_set=ALL["nl_2016"]
        )
    with pytest.raises(ValueError, match="number of rows"):
        utilities_of([*levels[:4], levels[4][:-1]], value_set=ALL["nl_2016"])
    with pytest.raises(ValueError, match="4 columns"):
        utilities_of(levels[:4], value_set=ALL["nl_2016"])


def test_scoring_and_valuation_mean_the_same_by_missing() -> None:
    assert scoring.MISSING == MISSING
    assert scoring.MISSING.dtype == MISSING.dtype == np.int8


# --- what utilities may be used for -------------------------------------------------------------------------------------


def test_utilities_of_two_value_sets_are_refused_with_both_names_and_the_remedy() -> None:
    with pytest.raises(MixedValueSetsError, match=r"nl_2006 and uk_1997 .*--value-set"):
        refuse_mixed(["uk_1997", "nl_2006", "uk_1997"])
    with pytest.raises(MixedValueSetsError, match="nl_2006, nl_2026 and uk_1997"):
        refuse_mixed(["uk_1997", "nl_2026", "nl_2006"])
    assert issubclass(MixedValueSetsError, ValueError)


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA, ""])
def test_a_utility_that_names_no_value_set_does_not_go_with_one_that_does(nothing: object) -> None:
    with pytest.raises(MixedValueSetsError, match=r"nl_2016 .*no value set: .*--value-set"):
        refuse_mixed(["nl_2016", nothing])


def test_one_value_set_or_none_is_let_through() -> None:
    assert refuse_mixed(pd.Series(["nl_2016", "nl_2016"])) == "nl_2016"
    assert refuse_mixed([None, float("nan"), None]) is None
    assert refuse_mixed([]) is None


def test_under_18_there_is_no_adult_value_set() -> None:
    ages = np.array([0.0, 15.9, 16.0, 17.999, 18.0, 18.001, 80.0, np.nan])
    assert no_adult_value_set(ages).tolist() == [True] * 4 + [False] * 4
    assert no_adult_value_set([]).tolist() == []
