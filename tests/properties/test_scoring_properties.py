"""What holds for every scale of every instrument, whatever the answers: metamorphic relations, not expected numbers.

Scales whose key only a licence holder has are tested with the invented keys of `tests/instruments/keys`. Which relation a scale
is bound by, and which it is excepted from, is read off its definition; a method that no relation knows fails by name. A call
scores many forms at once, drawn with a fixed seed; Hypothesis looks at made-up questionnaires of any shape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mbt_rom import scoring
from mbt_rom.model import LARGEST_COUNT, Instrument, Item, Scale
from mbt_rom.registry import instrument, instruments, keyed_instruments, value_sets
from mbt_rom.scoring import MISSING, cutoffs_crossed, possible_range, scale_scores

Answers = dict[str, NDArray[np.signedinteger[Any]]]
Pair = tuple[Instrument, Scale]
Floats = NDArray[np.float64]

KEYS = Path(__file__).parents[1] / "instruments" / "keys"
DEFINITIONS = keyed_instruments(instruments(), KEYS)
#: Counts without a limit are drawn up to here: more than eight bits hold.
MANY = 400


# --- what a definition says ---------------------------------------------------------------------------------------------


def name(pair: Any) -> str:
    return f"{pair[0].id}.{pair[1].id}"


def every(*conditions: Callable[[Instrument, Scale], bool]) -> pytest.MarkDecorator:
    """The test once for each scale of which all conditions hold; an empty choice is a mistake in the test."""
    chosen = [pair for pair in PAIRS if all(holds(*pair) for holds in conditions)]
    assert chosen
    return pytest.mark.parametrize("pair", chosen, ids=name)


every_instrument = pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda d: d.id)


def has_method(*methods: str) -> Callable[[Instrument, Scale], bool]:
    return lambda _, scale: scale.method in methods


def has_rule(*rules: str) -> Callable[[Instrument, Scale], bool]:
    return lambda _, scale: scale.missing.rule in rules


def family(definition: Instrument, scale: Scale) -> list[Scale]:
    """The scale and all that its score is made of."""
    parts = [definition.scale(part) for part in (*scale.scales, *scale.missing.parts)]
    return [scale, *(member for part in parts for member in family(definition, part))]


def items_of(definition: Instrument, scale: Scale) -> list[Item]:
    return [definition.item(item) for item in definition.items_of(scale)]


def has_limits(definition: Instrument, scale: Scale) -> bool:
    return all(item.max is not None for item in items_of(definition, scale))


def is_reversed_somewhere(definition: Instrument, scale: Scale) -> bool:
    return any(member.reverse for member in family(definition, scale))


def can_be_turned_round(definition: Instrument, scale: Scale) -> bool:
    """Whether an answer and its reverse are told apart by nothing but `reverse`."""
    reading = {"sum", "mean", "single", "weighted", "count_at_least", "count_at_most", "any_at_least", "distress_index"}
    return scale.method in reading and scale.recode is None and has_limits(definition, scale)


def fills_in(_: Instrument, scale: Scale) -> bool:
    return scale.missing.rule in ("prorate", "person_mean", "rounded_item_mean", "by_parts")


def alone(definition: Instrument, scale: Scale) -> Instrument:
    """The definition with this scale and those that it needs: quicker, and the same scores (a test asks)."""
    needed, ahead = set(), [scale]
    while ahead:
        member = ahead.pop()
        if member.id not in needed:
            needed.add(member.id)
            over = [member.missing.counted_over] if member.missing.counted_over else []
            ahead += [definition.scale(other) for other in (*member.scales, *member.missing.parts, *over)]
    return definition.model_copy(update={"scales": tuple(s for s in definition.scales if s.id in needed)})


def with_scales(definition: Instrument, change: Callable[[Scale], dict[str, Any]]) -> Instrument:
    """The definition with every scale changed as said."""
    changed = [scale.model_copy(update=change(scale)) for scale in definition.scales]
    return definition.model_copy(update={"scales": tuple(changed)})


def unrounded(definition: Instrument) -> Instrument:
    return with_scales(definition, lambda scale: {"decimals": None})


def turned(definition: Instrument, answers: Answers, items: set[str]) -> Answers:
    """Those items turned round: min + max - answer."""

    def column(item: Item) -> NDArray[np.signedinteger[Any]]:
        given_ones = answers[item.id].astype(int)
        around = np.where(given_ones == MISSING, MISSING, item.min + item.largest - given_ones)
        return around.astype(answers[item.id].dtype)

    return {item.id: column(item) if item.id in items else answers[item.id] for item in definition.items}


PAIRS: list[Pair] = [(alone(d, s), s) for d in DEFINITIONS.values() for s in d.scales if s.method != "not_published"]


# --- forms --------------------------------------------------------------------------------------------------------------


def drawn(definition: Instrument, n: int, *, seed: int, missing: float = 0.0) -> Answers:
    """n forms of people from those who have nothing to the most severe, so that scores spread over the range of each scale."""
    random = np.random.default_rng(seed)
    severity = np.maximum(random.uniform(-0.2, 1, n), 0)
    columns: Answers = {}
    for item in definition.items:
        top = MANY if item.max is None else item.max
        column = (item.min + random.binomial(top - item.min, severity)).astype(np.int16 if item.is_wide else np.int8)
        column[random.random(n) < missing] = MISSING
        columns[item.id] = column
    return columns


def alike(definition: Instrument, answer_of: Mapping[str, int], n: int = 1) -> Answers:
    """n equal forms with these answers, and the lowest to all other items."""
    types = {item.id: np.int16 if item.is_wide else np.int8 for item in definition.items}
    return {i.id: np.full(n, answer_of.get(i.id, i.min), dtype=types[i.id]) for i in definition.items}


def stacked(forms: list[Answers]) -> Answers:
    return {item: np.concatenate([form[item] for form in forms]) for item in forms[0]}


def ungated(definition: Instrument, answers: Answers) -> Answers:
    """Without the answers to the yes/no questions before counts: a blank count is then missing."""
    gates = {item.gate for item in definition.items}
    return {i: np.full_like(c, MISSING) if i in gates else c for i, c in answers.items()}


def rows(answers: Answers, chosen: Any) -> Answers:
    return {item: column[chosen] for item, column in answers.items()}


def with_gaps(answers: Answers, gaps: Mapping[str, NDArray[np.bool_]]) -> Answers:
    return {i: np.where(gaps[i], MISSING, c).astype(c.dtype) if i in gaps else c for i, c in answers.items()}


def some_of(items: list[str], sizes: list[int], *, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Row j marks `sizes[j]` of the items, chosen by lot."""
    random = np.random.default_rng(seed)
    marked = np.array([random.permutation(np.arange(len(items)) < size) for size in sizes], dtype=bool)
    return dict(zip(items, marked.T, strict=True))


def scores_of(definition: Instrument, scale: Scale, answers: Answers) -> Floats:
    return scale_scores(definition, answers).scores[scale.id]


# --- all scales at once --------------------------------------------------------------------------------------------------


@every_instrument
def test_scales_that_are_scored_together_have_the_scores_that_each_has_alone(definition: Instrument) -> None:
    """Scales share the sums of their items; the shared ones must be those of each scale."""
    answers = drawn(definition, 50, seed=23, missing=0.02)
    together = scale_scores(definition, answers)
    for scale in definition.scales:
        by_itself = scale_scores(alone(definition, scale), answers)
        np.testing.assert_array_equal(by_itself.scores[scale.id], together.scores[scale.id])
        np.testing.assert_array_equal(possible_range(by_itself, scale.id), possible_range(together, scale.id))


# --- reversal and permutation -------------------------------------------------------------------------------------------


@every(is_reversed_somewhere)
def test_turning_the_answers_round_and_not_the_items_gives_the_same_score(pair: Pair) -> None:
    definition, scale = pair
    members = family(definition, scale)
    around = {item for member in members for item in member.reverse}
    assert all(set(member.reverse) == around & set(member.items) for member in members), "reversed in one scale only"
    names = {member.id for member in members}
    straight = with_scales(definition, lambda s: {"reverse": ()} if s.id in names else {})
    answers = drawn(definition, 60, seed=1, missing=0.01)
    expected = scores_of(definition, scale, answers)
    assert np.isfinite(expected).sum() > 10
    np.testing.assert_array_equal(scores_of(straight, scale, turned(definition, answers, around)), expected)


@every(can_be_turned_round)
def test_turning_every_answer_and_every_item_round_gives_the_same_score(pair: Pair) -> None:
    definition, scale = pair
    names = {member.id for member in family(definition, scale)}
    opposite = with_scales(
        definition,
        lambda s: {"reverse": tuple(i for i in s.items if i not in s.reverse)} if s.id in names else {},
    )
    answers = drawn(definition, 60, seed=2, missing=0.01)
    around = turned(definition, answers, set(definition.items_of(scale)))
    np.testing.assert_array_equal(scores_of(opposite, scale, around), scores_of(definition, scale, answers))


@every_instrument
def test_the_order_of_the_forms_does_not_matter(definition: Instrument) -> None:
    answers = drawn(definition, 200, seed=3, missing=0.02)
    order = np.random.default_rng(4).permutation(200)
    straight, shuffled = scale_scores(definition, answers), scale_scores(definition, rows(answers, order))
    for scale in definition.scales:
        np.testing.assert_array_equal(shuffled.scores[scale.id], straight.scores[scale.id][order])
        np.testing.assert_array_equal(shuffled.n_answered(scale.id), straight.n_answered(scale.id)[order])


@every_instrument
def test_the_order_of_the_items_does_not_matter(definition: Instrument) -> None:
    answers = drawn(definition, 50, seed=5, missing=0.02)
    backwards = definition.model_copy(update={"items": definition.items[::-1]})
    straight = scale_scores(definition, answers).scores
    for other in (
        scale_scores(definition, dict(reversed(answers.items()))).scores,
        scale_scores(backwards, answers).scores,
    ):
        for scale in definition.scales:
            np.testing.assert_array_equal(other[scale.id], straight[scale.id])


@every_instrument
def test_the_borders_of_blocks_leave_no_trace(definition: Instrument, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = drawn(definition, 17, seed=6, missing=0.02)
    whole = scale_scores(definition, answers).scores
    monkeypatch.setattr(scoring, "BLOCK", 7)
    cut = scale_scores(definition, answers).scores
    for scale in definition.scales:
        np.testing.assert_array_equal(cut[scale.id], whole[scale.id])


def test_more_forms_than_two_real_blocks_are_scored_one_by_one_alike() -> None:
    phq9 = instrument("phq9")
    n = 2 * scoring.BLOCK + 3
    answers = drawn(phq9, n, seed=7, missing=0.02)
    together = scale_scores(phq9, answers).scores
    borders = [0, scoring.BLOCK - 1, scoring.BLOCK, 2 * scoring.BLOCK - 1, 2 * scoring.BLOCK, n - 1]
    for row in borders:
        alone = scale_scores(phq9, rows(answers, [row])).scores
        assert all(np.array_equal(together[s][[row]], alone[s], equal_nan=True) for s in alone)


@every_instrument
def test_only_the_items_of_a_scale_touch_it(definition: Instrument) -> None:
    """Its items, the yes/no questions before them, and the scale over which its missing answers are counted."""
    answers, other = (drawn(definition, 20, seed=seed, missing=0.01) for seed in (8, 9))
    straight = scale_scores(definition, answers)
    for scale in definition.scales:
        inputs = inputs_of(definition, scale)
        mixed = scale_scores(definition, {i: answers[i] if i in inputs else other[i] for i in definition.item_ids})
        np.testing.assert_array_equal(mixed.scores[scale.id], straight.scores[scale.id])
        np.testing.assert_array_equal(mixed.n_missing(scale.id), straight.n_missing(scale.id))
        np.testing.assert_array_equal(possible_range(mixed, scale.id), possible_range(straight, scale.id))


def inputs_of(definition: Instrument, scale: Scale) -> set[str]:
    counted = [definition.scale(m.missing.counted_over) for m in family(definition, scale) if m.missing.counted_over]
    items = {item for s in (scale, *counted) for item in definition.items_of(s)}
    return items | {str(definition.item(i).gate) for i in items if definition.item(i).gate}


# --- one answer more moves the score by the stated amount ------------------------------------------------------------------

#: Methods whose amount a value set or an algorithm states for whole answer patterns: only the direction is asked.
DIRECTION_ONLY = {"value_set": -1, "major_depression": 1}


def step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """By how much the score of each complete form moves when its answer to the item becomes one more."""
    if scale.scales:
        return _DERIVED_STEPS[scale.method](definition, scale, item, before)
    if item not in scale.items and item != scale.exposure:
        return np.zeros(len(before[item]))
    return _STEPS[scale.method](definition, scale, item, before)


def own_value(definition: Instrument, scale: Scale, item: str, answers: NDArray[Any]) -> NDArray[Any]:
    """What an answer counts for: as it is, turned round or recoded."""
    if scale.recode is not None:
        return np.array([scale.recode.of(item)[int(answer)] for answer in answers])
    bounds = definition.item(item)
    whole = answers.astype(int)
    return bounds.min + bounds.largest - whole if item in scale.reverse else whole


def value_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    low, high = (own_value(definition, scale, item, before[item].astype(int) + more) for more in (0, 1))
    return np.asarray(high - low, dtype=float)


def crossing_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """1 where the answer comes to be counted, -1 where it no longer is."""
    low, high = (own_value(definition, scale, item, before[item].astype(int) + more) for more in (0, 1))
    threshold = scale.threshold or 0
    if scale.method == "count_at_most":
        return (high <= threshold).astype(float) - (low <= threshold)
    return (high >= threshold).astype(float) - (low >= threshold)


def any_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """As a crossing, unless another answer is there already."""
    others = [own_value(definition, scale, i, before[i]) >= (scale.threshold or 0) for i in scale.items if i != item]
    return crossing_step(definition, scale, item, before) * ~np.any(
        [np.zeros(len(before[item]), bool), *others], axis=0
    )


def index_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """Mean of the answers that count: one point more among as many, or one more among them (a new one brings its value)."""
    values = np.array([own_value(definition, scale, i, before[i]) for i in scale.items])
    total, count = values.sum(axis=0), (values >= (scale.threshold or 0)).sum(axis=0)
    added = value_step(definition, scale, item, before)
    more = crossing_step(definition, scale, item, before)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((total + added) / (count + more) - total / count)


def rate_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    events, months = (before[str(i)].astype(float) for i in (scale.items[0], scale.exposure))
    return events / (months + 1) - events / months if item == scale.exposure else 1 / months


def right_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    key = scale.answer_key[item]
    return (before[item] + 1 == key).astype(float) - (before[item] == key)


def digit_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    return np.full(len(before[item]), 10.0 ** (len(scale.items) - 1 - scale.items.index(item)))


_STEPS: dict[str, Callable[[Instrument, Scale, str, Answers], Floats]] = {
    "sum": value_step,
    "single": value_step,
    "mean": lambda d, s, i, before: value_step(d, s, i, before) / len(s.items),
    "weighted": lambda d, s, i, before: value_step(d, s, i, before) * s.weights[i],
    "count_at_least": crossing_step,
    "count_at_most": crossing_step,
    "any_at_least": any_step,
    "distress_index": index_step,
    "rate": rate_step,
    "answer_key": right_step,
    "profile": digit_step,
}


def mean_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    steps = [step(definition, definition.scale(part), item, before) for part in scale.scales]
    return np.asarray(np.sum(steps, axis=0) / len(scale.scales))


def ipsatised_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """The octant's own point, less the share that the octant has in all answers: an octant of 8 in 64 loses 1/8."""
    octant, mean = (definition.scale(part) for part in scale.scales)
    return step(definition, octant, item, before) - len(octant.items) / len(mean.items)


def axis_step(definition: Instrument, scale: Scale, item: str, before: Answers) -> Floats:
    """2/8 x cosine between octant and axis x the point that the octant's mean moves by."""
    octant = next(o for o in (definition.scale(part) for part in scale.scales) if item in o.items)
    angle = math.radians((octant.angle or 0) - (scale.angle or 0))
    return np.full(len(before[item]), 0.25 * math.cos(angle) / len(octant.items))


_DERIVED_STEPS: dict[str, Callable[[Instrument, Scale, str, Answers], Floats]] = {
    "mean_of_scales": mean_step,
    "ipsatised": ipsatised_step,
    "axis": axis_step,
}


def before_and_after(definition: Instrument, scale: Scale, each: int) -> Iterator[tuple[str, slice, Answers, Answers]]:
    """For each item some forms, and the same forms with the answer to that item one higher."""
    items = items_of(definition, scale)
    before = drawn(definition, each * len(items), seed=10)
    after = {item: column.copy() for item, column in before.items()}
    for place, item in enumerate(items):
        block = slice(place * each, (place + 1) * each)
        column = before[item.id]
        column[block] = np.minimum(column[block], item.largest - 1)
        after[item.id][block] = column[block] + 1
    return ((item.id, slice(p * each, (p + 1) * each), before, after) for p, item in enumerate(items))


@every()
def test_one_point_more_moves_the_score_by_the_stated_amount(pair: Pair) -> None:
    definition, scale = pair
    exact = unrounded(definition)
    cases = list(before_and_after(definition, scale, each=12))
    low, high = (scores_of(exact, scale, answers) for answers in cases[0][2:])
    for item, block, before, _ in cases:
        moved = high[block] - low[block]
        if scale.method in DIRECTION_ONLY:
            assert (moved * DIRECTION_ONLY[scale.method] >= 0).all(), item
        else:
            stated = step(definition, scale, item, rows(before, block))
            np.testing.assert_allclose(moved, stated, atol=1e-9, err_msg=item)
    assert np.nanmax(np.abs(high - low)) > 0


@every(fills_in)
def test_with_missing_answers_one_point_more_counts_for_the_missing_ones_too(pair: Pair) -> None:
    """prorate: n / answered. Mean: 1 / answered. Rounded mean: each blank moves by a whole point or not at all."""
    definition, scale = pair
    exact = unrounded(definition)
    for item, block, before, after in before_and_after(definition, scale, each=6):
        part = next(p for p in family(definition, scale)[::-1] if item in p.items)
        others = [i for i in part.items if i != item]
        n_gaps = min(part.missing.max_missing, scale.missing.max_missing, len(others))
        gaps = some_of(others, [n_gaps] * 6, seed=11)
        low, high = (scores_of(exact, scale, with_gaps(rows(a, block), gaps)) for a in (before, after))
        point = value_step(definition, scale, item, rows(before, block))
        answered = len(part.items) - n_gaps
        if part.missing.rule == "rounded_item_mean":
            assert set(((high - low) / point).tolist()) <= {1.0, 1.0 + n_gaps}, item
        else:
            share = 1 if scale.method == "mean" else len(part.items)
            np.testing.assert_allclose(high - low, point * share / answered, atol=1e-9, err_msg=item)


@every_instrument
def test_a_rounded_score_is_the_nearest_one_with_so_many_decimals(definition: Instrument) -> None:
    answers = drawn(definition, 200, seed=12, missing=0.01)
    published, exact = (scale_scores(d, answers).scores for d in (definition, unrounded(definition)))
    for scale in definition.scales:
        if scale.decimals is None:
            np.testing.assert_array_equal(published[scale.id], exact[scale.id])
            continue
        unit = 10.0**-scale.decimals
        np.testing.assert_allclose(published[scale.id], exact[scale.id], atol=unit / 2 * (1 + 1e-9), rtol=0)
        in_units = published[scale.id][np.isfinite(published[scale.id])] / unit
        np.testing.assert_allclose(in_units, np.round(in_units), rtol=0, atol=1e-6)


# --- missing answers ----------------------------------------------------------------------------------------------------


def limit(scale: Scale) -> int:
    return 0 if scale.missing.rule == "complete" else scale.missing.max_missing


def may_be_scored(definition: Instrument, scale: Scale, missing: Mapping[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """What the definition says of forms with these gaps, on which something counts at every answered item."""
    if scale.scales:
        return np.all([may_be_scored(definition, definition.scale(part), missing) for part in scale.scales], axis=0)
    own = np.sum([missing[item] for item in definition.items_of(scale)], axis=0)
    counted = scale.missing.counted_over
    over = own if counted is None else np.sum([missing[i] for i in definition.scale(counted).items], axis=0)
    parts = [may_be_scored(definition, definition.scale(part), missing) for part in scale.missing.parts]
    return np.all([over <= limit(scale), own < len(definition.items_of(scale)), *parts], axis=0)


def sizes_of_gaps(n_items: int, allowed: int) -> list[int]:
    """No gap, as many as are allowed and the neighbours of that, one answer, none: several times, since the lot decides."""
    wanted = {0, 1, 2, allowed - 1, allowed, allowed + 1, allowed + 2, n_items - 1, n_items}
    return [size for size in sorted(wanted) if 0 <= size <= n_items for _ in range(4)]


@every()
def test_a_score_is_there_exactly_within_the_limit_of_missing_answers(pair: Pair) -> None:
    definition, scale = pair
    counted = scale.missing.counted_over
    items = [*definition.items_of(definition.scale(counted) if counted else scale)]
    sizes = sizes_of_gaps(len(items), limit(scale))
    gaps = some_of(items, sizes, seed=13)
    most = {item.id: ends(definition, scale, item)[1] for item in items_of(definition, scale)}
    forms = ungated(definition, alike(definition, most, n=len(sizes)))
    result = scale_scores(definition, with_gaps(forms, gaps))
    expected = may_be_scored(definition, scale, gaps)
    np.testing.assert_array_equal(np.isfinite(result.scores[scale.id]), expected)
    assert expected[0]
    assert not expected[-1]
    own = np.sum([gaps[item] for item in definition.items_of(scale)], axis=0)
    np.testing.assert_array_equal(result.n_missing(scale.id), own)
    np.testing.assert_array_equal(result.n_answered(scale.id), len(definition.items_of(scale)) - own)


@every(has_method("any_at_least"))
def test_without_any_answer_that_counts_only_a_complete_form_says_no(pair: Pair) -> None:
    definition, scale = pair
    sizes = sizes_of_gaps(len(scale.items), limit(scale))
    gaps = some_of(list(scale.items), sizes, seed=14)
    least = {item.id: ends(definition, scale, item)[0] for item in items_of(definition, scale)}
    scores = scores_of(definition, scale, with_gaps(alike(definition, least, n=len(sizes)), gaps))
    np.testing.assert_array_equal(np.isnan(scores), np.array(sizes) > 0)
    assert scores[0] == 0


@every(fills_in, lambda _, scale: scale.recode is None)
def test_filling_in_a_constant_gives_the_score_of_the_constant(pair: Pair) -> None:
    definition, scale = pair
    bounds = items_of(definition, scale)
    around = {item for member in family(definition, scale) for item in member.reverse}
    for constant in range(max(i.min for i in bounds), min(i.largest for i in bounds) + 1):
        sizes = [size for size in range(scale.missing.max_missing + 1) for _ in range(3)]
        form = alike(definition, {item.id: constant for item in bounds}, n=len(sizes))
        gapped = with_gaps(turned(definition, form, around), some_of(list(scale.items), sizes, seed=15))
        scores = scores_of(definition, scale, gapped)
        assert np.isfinite(scores).sum() >= 2
        expected = constant if scale.method == "mean" else constant * len(scale.items)
        np.testing.assert_allclose(scores[np.isfinite(scores)], expected, atol=1e-12)


@every(has_rule("answered"), has_method("sum", "count_at_least", "any_at_least"))
def test_under_the_rule_answered_nothing_is_made_up(pair: Pair) -> None:
    """The score is that of the same form with every blank at the answer that adds nothing."""
    definition, scale = pair
    sizes = [size for size in range(limit(scale) + 1) for _ in range(5)]
    gaps = some_of(list(scale.items), sizes, seed=16)
    answers = drawn(definition, len(sizes), seed=17)
    nothing = {item.id: ends(definition, scale, item)[0] for item in items_of(definition, scale)}
    filled = {i: np.where(gaps[i], nothing[i], c).astype(c.dtype) if i in gaps else c for i, c in answers.items()}
    gapped, complete = (scores_of(definition, scale, a) for a in (with_gaps(answers, gaps), filled))
    is_known = np.isfinite(gapped)
    assert is_known.sum() > len(sizes) / 4
    np.testing.assert_array_equal(gapped[is_known], complete[is_known])


# --- the ends of the range ----------------------------------------------------------------------------------------------


def ends(definition: Instrument, scale: Scale, item: Item) -> tuple[int, int]:
    """The answers of an item that make the score lowest and highest, as the definition states what answers count for."""
    part = next(p for p in family(definition, scale)[::-1] if item.id in definition.items_of(p))
    if scale.recode is not None:
        table = scale.recode.of(item.id)
        return min(table, key=table.__getitem__), max(table, key=table.__getitem__)
    if scale.method == "answer_key":
        key = scale.answer_key[item.id]
        return next(a for a in range(item.min, item.largest) if a != key), key
    if scale.method in DIRECTION_ONLY:
        rises = DIRECTION_ONLY[scale.method] > 0
    elif part.method in ("count_at_least", "any_at_least", "distress_index", "count_at_most"):
        rises = (item.id not in scale.reverse) != (scale.method == "count_at_most")
    else:
        rises = bool(step(definition, scale, item.id, alike(definition, {item.id: item.min}))[0] > 0)
    return (item.min, item.largest) if rises else (item.largest, item.min)


def extreme_forms(definition: Instrument, scale: Scale) -> Answers:
    """The form with the lowest and the form with the highest score."""
    items = items_of(definition, scale)
    low, high = ({item.id: ends(definition, scale, item)[end] for item in items} for end in (0, 1))
    if scale.method == "distress_index":
        low = {item.id: scale.threshold or 0 for item in items}
    if scale.method == "rate":
        high[str(scale.exposure)] = definition.item(str(scale.exposure)).min
    return stacked([alike(definition, low), alike(definition, high)])


@every(has_limits, lambda _, scale: scale.method != "value_set")
def test_the_lowest_and_the_highest_form_reach_the_ends_of_the_range(pair: Pair) -> None:
    definition, scale = pair
    assert scores_of(definition, scale, extreme_forms(definition, scale)).tolist() == list(scale.limits)


@every(lambda d, s: not has_limits(d, s))
def test_the_largest_counts_that_can_be_stored_are_added_without_wrapping(pair: Pair) -> None:
    definition, scale = pair
    lowest, highest = scores_of(definition, scale, extreme_forms(definition, scale))
    assert lowest == 0 == scale.limits[0]
    if scale.method == "any_at_least":
        assert highest == 1 == scale.limits[1]
    else:
        weights = scale.weights.values() or [1] * len(scale.items)
        assert highest == pytest.approx(sum(w * LARGEST_COUNT for w in weights), rel=1e-14)
        assert scale.limits[1] == math.inf


@every(has_method("value_set"))
def test_the_worst_state_of_some_value_set_and_the_best_of_each_are_the_ends_of_the_range(pair: Pair) -> None:
    definition, scale = pair
    forms = extreme_forms(definition, scale)
    found = [
        scale_scores(definition, forms, value_set=v).scores[scale.id].tolist()
        for v in value_sets(definition.id).values()
    ]
    assert len(found) >= 3
    assert min(worst for worst, _ in found) == scale.limits[0]
    assert {best for _, best in found} == {1.0} == {scale.limits[1]}


@every_instrument
def test_every_answer_at_its_largest_and_at_its_smallest_is_within_the_range(definition: Instrument) -> None:
    """The all-maximum profile: a sum of int8 wraps at 128 without a word."""
    forms = stacked([alike(definition, {i.id: i.largest for i in definition.items}), alike(definition, {})])
    scores = scale_scores(definition, forms).scores
    for scale in definition.scales:
        given_ones = scores[scale.id][np.isfinite(scores[scale.id])]
        low, high = scale.limits
        assert ((given_ones >= low) & (given_ones <= high)).all(), scale.id
        if scale.method in ("sum", "single") and scale.recode is None:
            bounds = {item.id: (item.largest, item.min) for item in definition.items}
            expected = [sum(bounds[i][(i in scale.reverse) != end] for i in scale.items) for end in (False, True)]
            assert scores[scale.id].tolist() == expected, scale.id


@every_instrument
def test_scores_and_their_possible_ranges_stay_within_the_range_of_the_scale(definition: Instrument) -> None:
    for value_set in [None, *value_sets(definition.id).values()]:
        for missing in (0.0, 0.05, 0.4):
            result = scale_scores(definition, drawn(definition, 100, seed=18, missing=missing), value_set=value_set)
            for scale in definition.scales:
                found = np.concatenate([result.scores[scale.id], *possible_range(result, scale.id)])
                low, high = scale.limits
                assert not ((found < low) | (found > high)).any(), scale.id


# --- what a score could have been ---------------------------------------------------------------------------------------

#: Methods of which a single missing answer cannot be said to do best at one end: no limits are given.
UNBOUNDED = ("profile", "rate", "ipsatised", "axis", "distress_index")


def every_filling(definition: Instrument, scale: Scale, form: Answers) -> Answers:
    """The form with its missing items of the scale answered in every way that there is."""
    gaps = [item for item in items_of(definition, scale) if form[item.id][0] == MISSING]
    ways = np.array(list(product(*(range(item.min, item.largest + 1) for item in gaps))))
    filled = {item: np.repeat(column, len(ways)) for item, column in form.items()}
    return filled | {i.id: ways[:, k].astype(form[i.id].dtype) for k, i in enumerate(gaps)}


def form_with_few_gaps(definition: Instrument, scale: Scale, *, seed: int) -> Answers:
    """One form with gaps in the scale that can be filled in at most 1,000 ways, and at least one answer where possible."""
    form = drawn(definition, 1, seed=seed)
    random = np.random.default_rng(seed)
    items = items_of(definition, scale)
    ways = 1
    for item in random.permutation(np.array(items, dtype=object))[: max(len(items) - 1, 1)]:
        ways *= item.largest - item.min + 1
        if ways > 1000:
            break
        form[item.id][:] = MISSING
    return form


@every(has_limits, lambda _, scale: scale.method not in UNBOUNDED)
def test_the_possible_range_is_that_of_all_fillings_and_so_are_the_cutoffs_crossed(pair: Pair) -> None:
    definition, scale = pair
    raw = [c for c in definition.cutoffs if c.scale == scale.id and c.metric == "raw" and not c.is_provisional]
    crossed = set()
    for seed in range(30 if raw else 6):
        form = form_with_few_gaps(definition, scale, seed=seed)
        result = scale_scores(definition, form)
        lowest, highest = possible_range(result, scale.id)
        if not result.n_answered(scale.id).any():
            assert np.isnan([lowest, highest]).all()
            continue
        possible = scores_of(definition, scale, every_filling(definition, scale, form))
        assert np.isfinite(possible).all()
        np.testing.assert_allclose([lowest[0], highest[0]], [possible.min(), possible.max()], atol=1e-12)
        assert not (result.scores[scale.id] < lowest)[0]
        assert not (result.scores[scale.id] > highest)[0]
        beyond = {c.id: possible >= c.value if c.op == ">=" else possible == c.value for c in raw if c.op != "<"}
        beyond |= {c.id: possible < c.value for c in raw if c.op == "<"}
        undecided = [c.id for c in raw if beyond[c.id].any() and not beyond[c.id].all()]
        assert cutoffs_crossed(definition, scale, lowest, highest).tolist() == [" ".join(undecided) or None]
        crossed |= set(undecided)
    assert crossed == {cutoff.id for cutoff in raw} or len(items_of(definition, scale)) == 1


@every_instrument
def test_a_complete_form_could_have_had_its_own_score_only(definition: Instrument) -> None:
    result = scale_scores(definition, drawn(definition, 50, seed=19))
    for scale in definition.scales:
        lowest, highest = possible_range(result, scale.id)
        np.testing.assert_array_equal(lowest, result.scores[scale.id])
        np.testing.assert_array_equal(highest, result.scores[scale.id])
        assert set(cutoffs_crossed(definition, scale, lowest, highest)) == {None}


@every()
def test_the_possible_range_holds_every_score_and_grows_with_the_gaps(pair: Pair) -> None:
    definition, scale = pair
    answers = ungated(definition, drawn(definition, 60, seed=20))
    few = with_gaps(answers, some_of(list(definition.items_of(scale)), [1] * 60, seed=21))
    more = with_gaps(few, some_of(list(definition.items_of(scale)), [2] * 60, seed=22))
    ranges = [possible_range(scale_scores(definition, a), scale.id) for a in (answers, few, more)]
    open_ends = [np.where(np.isnan(r), [[-np.inf], [np.inf]], r) for r in ranges]
    for inner, outer in pairwise(open_ends):
        assert (outer[0] <= inner[0] + 1e-12).all()
        assert (outer[1] >= inner[1] - 1e-12).all()
    has_bounds = scale.method not in UNBOUNDED and len(definition.items_of(scale)) > 1
    assert np.isfinite(ranges[1][0]).all() == np.isfinite(ranges[1][0]).any() == has_bounds
    is_summed = scale.method in ("sum", "weighted")
    assert np.isfinite(ranges[1][1]).any() == (has_bounds and (has_limits(definition, scale) or not is_summed))


# --- counts behind a question -------------------------------------------------------------------------------------------


#: Answer to the yes/no question, the count behind it, and what is counted.
GATES = [
    (0, MISSING, 0),  # no, and nothing written behind it
    (1, MISSING, None),
    (MISSING, MISSING, None),
    (0, 3, 3),  # what was written counts, whatever was ticked before it
    (1, 3, 3),
    (MISSING, 3, 3),
    (1, 0, 0),
]


@pytest.mark.parametrize("item", [i for d in DEFINITIONS.values() for i in d.items if i.gate], ids=lambda i: i.id)
def test_a_count_that_was_left_blank_after_a_no_is_none(item: Item) -> None:
    definition, scale = next((d, s) for d, s in PAIRS if item.id in s.items)
    forms = [alike(definition, {item.id: int(count), str(item.gate): int(gate)}) for gate, count, _ in GATES]
    result = scale_scores(definition, stacked(forms))
    expected = [math.nan if n is None else n * scale.weights.get(item.id, 1) for *_, n in GATES]
    assert result.scores[scale.id].tolist() == pytest.approx(expected, nan_ok=True)
    assert result.n_missing(scale.id).tolist() == [int(n is None) for *_, n in GATES]


# --- questionnaires of any shape ----------------------------------------------------------------------------------------


@st.composite
def questionnaires(draw: st.DrawFn) -> Instrument:
    """Two scales over items of all kinds of bounds; the second one overlaps the first and turns other items round."""
    bounds = st.tuples(st.integers(-3, 3), st.sampled_from([1, 2, 4, 30, 120, 1000]))
    items = [
        {"id": f"q_{n}", "number": str(n), "min": low, "max": low + width}
        for n, (low, width) in enumerate(draw(st.lists(bounds, min_size=1, max_size=7)))
    ]
    scales = [
        {
            "id": scale_id,
            "label": scale_id,
            "items": draw(st.lists(st.sampled_from([i["id"] for i in items]), min_size=1, unique=True)),
            "method": draw(st.sampled_from(["sum", "mean", "count_at_least", "count_at_most", "any_at_least"])),
            "threshold": draw(st.integers(-4, 5)),
            "range": [None, None],
            "direction": "neutral",
            "is_primary": scale_id == "a",
            "missing": {
                "rule": draw(st.sampled_from(["complete", "person_mean"])),
                "max_missing": draw(st.integers(0, 3)),
            },
            "confidence": "verified",
        }
        for scale_id in ("a", "b")
    ]
    for scale in scales:
        scale["reverse"] = draw(st.lists(st.sampled_from(scale["items"]), unique=True))
    facts = {"name": "Q", "full_name": "Q", "edition": "1", "kind": "self_report", "measures": "nothing"}
    whole = {"id": "q", **facts, "items": items, "codings": [], "scales": scales, "licence": {"status": "free"}}
    return Instrument.model_validate(whole)


@given(definition=questionnaires(), seed=st.integers(0, 2**32 - 1))
def test_scales_that_share_items_are_scored_as_if_each_were_alone(definition: Instrument, seed: int) -> None:
    """Sums are shared between scales; the shared ones must be those of each scale."""
    answers = drawn(definition, 20, seed=seed, missing=0.1)
    together = scale_scores(definition, answers).scores
    for scale in definition.scales:
        alone = definition.model_copy(update={"scales": (scale,)})
        np.testing.assert_array_equal(scores_of(alone, scale, answers), together[scale.id])


@given(definition=questionnaires(), seed=st.integers(0, 2**32 - 1))
def test_a_made_up_questionnaire_obeys_the_same_relations(definition: Instrument, seed: int) -> None:
    answers = drawn(definition, 20, seed=seed, missing=0.1)
    result = scale_scores(definition, answers)
    for scale in definition.scales:
        around = turned(definition, answers, set(scale.items))
        opposite = with_scales(definition, lambda s: {"reverse": tuple(i for i in s.items if i not in s.reverse)})
        np.testing.assert_array_equal(scores_of(opposite, scale, around), result.scores[scale.id])
        lowest, highest = possible_range(result, scale.id)
        if len({(definition.item(i).min, definition.item(i).max) for i in scale.items}) == 1:
            # A blank made up for by the mean of answers of another kind may be more than it could have been.
            assert not ((result.scores[scale.id] < lowest - 1e-9) | (result.scores[scale.id] > highest + 1e-9)).any()
        for item, block, before, after in before_and_after(definition, scale, each=3):
            moved = scores_of(definition, scale, rows(after, block)) - scores_of(definition, scale, rows(before, block))
            np.testing.assert_allclose(moved, step(definition, scale, item, rows(before, block)), atol=1e-9)
