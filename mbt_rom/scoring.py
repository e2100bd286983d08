"""From answers to scale scores: one function per scoring method, the rules for missing answers, and what a score could have been.

Belongs here: sums, means, counts, rates, keys and patterns of answers, scores derived from scores, proration, the provenance of
a score. Does not belong here: which answers are acceptable (`acceptance`), the utilities of a value set (`valuation`), what a
score means (`norms`).

Answers are small integers, so they stay `int8` (counts without a limit: `int16`) with `MISSING` where there is none, and rows
are taken in blocks that fit the processor's cache. Items that belong to the same scales are added up once, as a group, and the
scales share these sums. A group's sum is `int8` only when its largest possible value fits; otherwise it is wider, so that no sum
can wrap. Scales that recode their answers look each answer up in a small table of the item instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mbt_rom.model import Cutoff, Instrument, Item, Method, Scale
from mbt_rom.valuation import MISSING as MISSING
from mbt_rom.valuation import ValueSet, look_up, no_adult_value_set

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1 << 15

Integers = NDArray[np.signedinteger[Any]]
Answers = Mapping[str, Integers]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Counts = NDArray[Any]


@dataclass(frozen=True)
class ScaleScores:
    """Scores of every scale, in the order of the rows; `nan` where the answers do not allow a score."""

    definition: Instrument
    answers: Answers
    scores: dict[str, Floats]
    value_set: ValueSet | None

    def n_answered(self, scale_id: str) -> NDArray[np.int16]:
        """Answered items of a scale, per row. Counted when asked for: keeping the counts would cost as much as the answers."""
        answered = np.zeros(self._n_rows, dtype=np.int16)
        for item in self._items(scale_id):
            answered += self.answers[item] != MISSING
        return answered

    def n_missing(self, scale_id: str) -> NDArray[np.int16]:
        """Missing items of a scale, per row."""
        return np.int16(len(self._items(scale_id))) - self.n_answered(scale_id)

    def _items(self, scale_id: str) -> tuple[str, ...]:
        return self.definition.items_of(self.definition.scale(scale_id))

    @property
    def _n_rows(self) -> int:
        return len(next(iter(self.scores.values())))


def scale_scores(definition: Instrument, answers: Answers, *, value_set: ValueSet | None = None) -> ScaleScores:
    """Scores of all scales of an instrument.

    `answers` holds one integer array per item of the scales, in canonical coding, `MISSING` where there is no answer; all of one
    length, row i being one form: `int8`, or `int16` for counts without a limit. `value_set` is used instead of the definition's
    default. A scale whose key the site has not supplied gets no scores.

    Raises KeyError naming an item that is absent, TypeError for another type, ValueError naming an item that holds an answer
    outside its range or a value set of another instrument.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> forms = {item: np.array([2, 2, 2], dtype=np.int8) for item in phq9.item_ids}
    >>> forms["phq9_04"] = np.array([2, MISSING, 0], dtype=np.int8)
    >>> scale_scores(phq9, forms).scores["total"].tolist()
    [18.0, 18.0, 16.0]
    """
    used = _with_gates(definition, _checked(definition, answers), answers)
    chosen = _chosen_value_set(definition, value_set)
    n_rows = len(next(iter((used or answers).values())))
    scores = {scale.id: np.empty(n_rows) for scale in definition.scales}
    order = _in_order(definition)
    groups = _groups(definition)
    for start in range(0, n_rows, BLOCK):
        rows = slice(start, min(start + BLOCK, n_rows))
        block = _Block(
            definition, groups, {item: column[rows] for item, column in used.items()}, chosen, rows.stop - start
        )
        block.scores = {scale.id: scores[scale.id][rows] for scale in order}
        for scale in order:
            _METHODS[scale.method if scale.is_keyed else "not_published"](block, scale, block.scores[scale.id])
    for scale in definition.scales:
        if scale.decimals is not None and scale.method != "value_set":  # a value set is rounded as it was published
            np.round(scores[scale.id], scale.decimals, out=scores[scale.id])
    return ScaleScores(definition, used, scores, chosen)


def _made_of(definition: Instrument, scale: Scale) -> list[Scale]:
    """The scale and, before it, those that it is computed from, each once."""
    parts = [definition.scale(part) for part in (*scale.scales, *scale.missing.parts)]
    members = [member for part in parts for member in _made_of(definition, part)]
    return list({member.id: member for member in (*members, scale)}.values())


def _in_order(definition: Instrument) -> list[Scale]:
    """The scales, each after those that it is computed from."""
    members = [member for scale in definition.scales for member in _made_of(definition, scale)]
    return list({member.id: member for member in members}.values())


def _checked(definition: Instrument, answers: Answers) -> dict[str, Integers]:
    """The arrays of the items that scales use, after looking at their presence, type and length."""
    wanted = {item for scale in definition.scales for item in definition.items_of(scale)}
    if absent := [item for item in definition.item_ids if item in wanted and item not in answers]:
        raise KeyError(f"no answers were given for {', '.join(absent)}")
    used = {item.id: np.asarray(answers[item.id]) for item in definition.items if item.id in wanted}
    for item in definition.items:
        if item.id in used and used[item.id].dtype not in ((np.int8, np.int16) if item.is_wide else (np.int8,)):
            raise TypeError(f"answers must be int8 with {MISSING} for missing (counts: int16); not so: {item.id}")
    if len({len(column) for column in used.values()}) > 1:
        raise ValueError("the items differ in their number of rows")
    for item in definition.items:
        if item.id in used and len(used[item.id]) and not _within_bounds(used[item.id], item):
            raise ValueError(f"{item.id} holds answers outside {item.bounds}; they cannot be scored")
    return used


def _within_bounds(column: Integers, item: Item) -> bool:
    if column.dtype != np.int8:
        given = column[column != MISSING]
        return bool(not len(given) or (given.min() >= item.min and given.max() <= item.largest))
    # As unsigned numbers plus 127, which wrap at 256, MISSING becomes the largest and all answers keep their order.
    lowest = int((column.view(np.uint8) + np.uint8(127)).min()) - 127
    return bool(column.max() <= item.largest and lowest >= item.min)


def _with_gates(definition: Instrument, used: dict[str, Integers], answers: Answers) -> dict[str, Integers]:
    """Counts that were left blank after a question that was answered with no: they are 0."""
    gated = [item for item in definition.items if item.gate is not None and item.id in used and item.gate in answers]
    filled = {i.id: np.where((used[i.id] == MISSING) & (answers[str(i.gate)] == 0), 0, used[i.id]) for i in gated}
    return {**used, **{item: column.astype(used[item].dtype) for item, column in filled.items()}}


def _chosen_value_set(definition: Instrument, value_set: ValueSet | None) -> ValueSet | None:
    default = next((scale.value_set for scale in definition.scales if scale.method == "value_set"), None)
    if default is None:
        return None
    if value_set is None:
        from mbt_rom.registry import value_set as registered

        return registered(default)
    if value_set.instrument != definition.id:
        raise ValueError(f"value set '{value_set.id}' belongs to {value_set.instrument}, not to {definition.id}")
    return value_set


# --- sums that scales share ---------------------------------------------------------------------------------------------


@dataclass
class _Group:
    """Items with the same bounds that belong to the same scales in the same direction (`reversed_in`)."""

    min: int
    max: int
    scales: frozenset[str]
    reversed_in: frozenset[str]
    items: list[str] = field(default_factory=list)
    thresholds: set[int] = field(default_factory=set)

    @property
    def reach(self) -> int:
        """The largest contribution of one item to a sum, whatever its sign."""
        return max(abs(self.min), abs(self.max), abs(self.min + self.max), 1)

    @property
    def dtype(self) -> type[np.signedinteger[Any]]:
        """Type of the answers of one item."""
        return np.int8 if self.max <= np.iinfo(np.int8).max else np.int16

    def raw_threshold(self, scale: Scale, threshold: int) -> int:
        """`min + max - x >= t` holds for every answered x that is not `>= min + max - t + 1`."""
        return self.min + self.max - threshold + 1 if scale.id in self.reversed_in else threshold


def _holding(largest: int) -> type[np.signedinteger[Any]]:
    """The narrowest type that holds a sum of that size."""
    return next(t for t in (np.int8, np.int16, np.int32, np.int64) if largest <= np.iinfo(t).max)


#: Methods that read a scale's items from the shared sums; the others look at single items.
_SHARING: frozenset[Method] = frozenset(
    {"sum", "mean", "single", "count_at_least", "count_at_most", "any_at_least", "distress_index"}
)


def _shares(scale: Scale) -> bool:
    return scale.method in _SHARING and scale.recode is None and scale.missing.rule != "rounded_item_mean"


def _groups(definition: Instrument) -> list[_Group]:
    groups: dict[tuple[object, ...], _Group] = {}
    sharing = [scale for scale in definition.scales if _shares(scale)]
    for item in definition.items:
        members = [scale for scale in sharing if item.id in scale.items]
        if members:
            group = _group_of(item, members)
            key = (group.min, group.max, group.scales, group.reversed_in)
            groups.setdefault(key, group).items.append(item.id)
    for group in groups.values():
        counting = [s for s in sharing if s.id in group.scales and s.threshold is not None]
        group.thresholds = {group.raw_threshold(s, _at_least(s)) for s in counting}
    return list(groups.values())


def _group_of(item: Item, scales: Sequence[Scale]) -> _Group:
    reversed_in = frozenset(scale.id for scale in scales if item.id in scale.reverse)
    return _Group(item.min, item.largest, frozenset(scale.id for scale in scales), reversed_in)


def _at_least(scale: Scale) -> int:
    """The threshold as `>=`: an answer at most t is one that is not at least t + 1."""
    return (scale.threshold or 0) + (scale.method == "count_at_most")


class _Block:
    """Answers of a block of rows, with sums, counts of answers and counts above a threshold per group of items.

    `scores` are those of the block, unrounded; a derived scale finds there what it is computed from.
    """

    def __init__(
        self,
        definition: Instrument,
        groups: list[_Group],
        answers: dict[str, Integers],
        value_set: ValueSet | None,
        n_rows: int,
    ) -> None:
        self.definition, self.answers, self.value_set, self.n = definition, answers, value_set, n_rows
        self.scores: dict[str, Floats] = {}
        self._groups = [(group, *self._add_up(group)) for group in groups]

    def _add_up(self, group: _Group) -> tuple[Counts, Counts, dict[int, Counts]]:
        count_dtype = np.int8 if len(group.items) <= np.iinfo(np.int8).max else np.int16
        total: Counts = np.zeros(self.n, dtype=_holding(len(group.items) * group.reach))
        answered: Counts = np.zeros(self.n, dtype=count_dtype)
        at_least: dict[int, Counts] = {threshold: np.zeros(self.n, dtype=count_dtype) for threshold in group.thresholds}
        truth = np.empty(self.n, dtype=bool)
        as_number, value = truth.view(np.int8), np.empty(self.n, dtype=group.dtype)
        for item in group.items:
            column = self.answers[item]
            np.not_equal(column, MISSING, out=truth)
            np.multiply(column, as_number, out=value)
            total += value
            answered += as_number
            for threshold, count in at_least.items():
                np.greater_equal(column, threshold, out=truth)
                count += as_number
        return total, answered, at_least

    def _of(self, scale: Scale) -> Iterator[tuple[_Group, Counts, Counts, dict[int, Counts]]]:
        return (entry for entry in self._groups if scale.id in entry[0].scales)

    def answered(self, scale: Scale) -> NDArray[np.int16]:
        """Answered items of the scale."""
        count = np.zeros(self.n, dtype=np.int16)
        if not _shares(scale):
            for column in self.columns(scale):
                count += column != MISSING
            return count
        for _, _, answered, _ in self._of(scale):
            count += answered
        return count

    def total(self, scale: Scale) -> Counts:
        """Sum of the answers, reversed items turned round, others recoded; a missing answer adds nothing."""
        if not _shares(scale):
            return sum((self.contribution(scale, item) for item in scale.items), start=np.zeros(self.n, dtype=np.int64))
        groups = list(self._of(scale))
        dtype = _holding(sum(len(group.items) * group.reach for group, *_ in groups))
        total: Counts = np.zeros(self.n, dtype=dtype)
        for group, raw, answered, _ in groups:
            if scale.id in group.reversed_in:
                total += np.multiply(answered, group.min + group.max, dtype=dtype) - raw
            else:
                total += raw
        return total

    def contribution(self, scale: Scale, item_id: str) -> Integers:
        """What the answers to an item add to the scale: as they are, turned round or recoded; 0 where there is none."""
        item, column = self.definition.item(item_id), self.answers[item_id]
        is_answered = column != MISSING
        given = np.where(is_answered, column, item.min).astype(np.int64)
        if scale.recode is not None:
            of_answer = scale.recode.of(item_id)
            given = np.array([of_answer[a] for a in range(item.min, item.largest + 1)], dtype=np.int64)[
                given - item.min
            ]
        elif item_id in scale.reverse:
            given = item.min + item.largest - given
        return np.asarray(given * is_answered, dtype=np.int64)

    def count_at_least(self, scale: Scale) -> NDArray[np.int16]:
        """Answers at or above the scale's threshold, reversed items turned round, others recoded."""
        count = np.zeros(self.n, dtype=np.int16)
        if not _shares(scale):
            for item in scale.items:
                count += (self.contribution(scale, item) >= _at_least(scale)) & (self.answers[item] != MISSING)
            return count
        for group, _, answered, at_least in self._of(scale):
            raw = at_least[group.raw_threshold(scale, _at_least(scale))]
            count += answered - raw if scale.id in group.reversed_in else raw
        return count

    def columns(self, scale: Scale) -> list[Integers]:
        """Answers to the items of the scale, in its order."""
        return [self.answers[item] for item in scale.items]

    def scorable(self, scale: Scale, answered: NDArray[np.int16]) -> Flags:
        """True where no more answers are missing than the rule of the scale allows."""
        missing = scale.missing
        enough = answered >= max(len(scale.items) - (0 if missing.rule == "complete" else missing.max_missing), 1)
        if missing.counted_over is None:
            return enough
        whole = self.definition.scale(missing.counted_over)
        return (answered >= 1) & (self.answered(whole) >= len(whole.items) - missing.max_missing)


# --- one function per method; each writes its scores to `out` -------------------------------------------------------------


def _divide(numerator: Counts, denominator: Counts, *, where: NDArray[np.bool_], out: Floats) -> None:
    """Quotients where there is a score, `nan` elsewhere: there both become 0, which is several times faster than `where=`."""
    with np.errstate(invalid="ignore"):
        np.divide(numerator * where, denominator * where, out=out)


def _only(values: Counts | Floats, *, where: NDArray[np.bool_], out: Floats) -> None:
    np.copyto(out, values)
    out[~where] = np.nan


def _sum(block: _Block, scale: Scale, out: Floats) -> None:
    """Sum of the answers; missing answers that the rule allows are made up for as it says."""
    answered = block.answered(scale)
    scorable = block.scorable(scale, answered)
    if scale.missing.rule in _COMPLETED:
        _COMPLETED[scale.missing.rule](block, scale, answered, scorable, out)
        return
    total = np.multiply(block.total(scale), len(scale.items), dtype=np.int64)
    _divide(total, answered, where=scorable, out=out)


def _as_answered(block: _Block, scale: Scale, answered: NDArray[np.int16], scorable: Flags, out: Floats) -> None:
    """What was answered, added up; nothing is made up for the rest."""
    _only(block.total(scale), where=scorable, out=out)


def _with_rounded_means(block: _Block, scale: Scale, answered: NDArray[np.int16], scorable: Flags, out: Floats) -> None:
    """Each blank becomes the mean of the answered items, rounded half up to a whole number."""
    total = block.total(scale)
    mean = np.floor(total / np.maximum(answered, 1) + 0.5)
    _only(total + (len(scale.items) - answered) * mean, where=scorable, out=out)


def _with_parts(block: _Block, scale: Scale, answered: NDArray[np.int16], scorable: Flags, out: Floats) -> None:
    """The sum of the parts, each completed by its own rule; no score where a part has none."""
    _only(np.sum([block.scores[part] for part in scale.missing.parts], axis=0), where=scorable, out=out)


#: How a sum is completed under the rules that are no plain proration.
_COMPLETED: dict[str, Callable[[_Block, Scale, NDArray[np.int16], Flags, Floats], None]] = {
    "answered": _as_answered,
    "rounded_item_mean": _with_rounded_means,
    "by_parts": _with_parts,
}


def _mean(block: _Block, scale: Scale, out: Floats) -> None:
    """Mean of the answers that were given."""
    answered = block.answered(scale)
    _divide(block.total(scale), answered, where=block.scorable(scale, answered), out=out)


def _count_at_least(block: _Block, scale: Scale, out: Floats) -> None:
    """Number of answers at or above the threshold."""
    _only(block.count_at_least(scale), where=block.scorable(scale, block.answered(scale)), out=out)


def _count_at_most(block: _Block, scale: Scale, out: Floats) -> None:
    """Number of answers at or below the threshold."""
    answered = block.answered(scale)
    _only(answered - block.count_at_least(scale), where=block.scorable(scale, answered), out=out)


def _any_at_least(block: _Block, scale: Scale, out: Floats) -> None:
    """1 when any answer is at or above the threshold, otherwise 0.

    Under the rule `answered` one such answer is enough, and 0 still needs them all: a blank is never a no.
    """
    answered, any_one = block.answered(scale), block.count_at_least(scale) > 0
    is_complete = answered == len(scale.items)
    known = is_complete | any_one if scale.missing.rule == "answered" else is_complete
    _only(any_one.astype(np.int8), where=known, out=out)


def _answer_key(block: _Block, scale: Scale, out: Floats) -> None:
    """Number of answers that are the right ones."""
    right = np.zeros(block.n, dtype=np.int16)
    for item, key in scale.answer_key.items():
        right += block.answers[item] == key
    _only(right, where=block.scorable(scale, block.answered(scale)), out=out)


def _weighted(block: _Block, scale: Scale, out: Floats) -> None:
    """Sum of the answers, each times its weight (a cost: its price)."""
    total = np.zeros(block.n)
    for item in scale.items:
        total += block.contribution(scale, item) * scale.weights[item]
    _only(total, where=block.scorable(scale, block.answered(scale)), out=out)


def _rate(block: _Block, scale: Scale, out: Floats) -> None:
    """Events per unit of exposure (months covered); no rate where either is unknown."""
    events, exposure = block.answers[scale.items[0]], block.answers[str(scale.exposure)]
    known = (events != MISSING) & (exposure != MISSING) & (exposure > 0)
    _divide(events.astype(np.int64), exposure, where=known, out=out)


def _mean_of_scales(block: _Block, scale: Scale, out: Floats) -> None:
    """Mean of other scales' scores, before they are rounded; no score where one of them has none."""
    np.mean([block.scores[part] for part in scale.scales], axis=0, out=out)


def _ipsatised(block: _Block, scale: Scale, out: Floats) -> None:
    """A person's octant against the person's own level: sum of the octant minus its number of items x mean of all answers."""
    octant, mean = scale.scales
    n_items = len(block.definition.items_of(block.definition.scale(octant)))
    np.subtract(block.scores[octant], n_items * block.scores[mean], out=out)


def _axis(block: _Block, scale: Scale, out: Floats) -> None:
    """Place on an axis of the circumplex: 2/8 x sum over the octants of their mean answer x cos(octant - axis)."""
    out[:] = 0
    for part in scale.scales:
        octant = block.definition.scale(part)
        weight = _cosine((octant.angle or 0) - (scale.angle or 0)) * 2 / len(scale.scales)
        out += weight * block.scores[part] / len(octant.items)


def _cosine(degrees: int) -> float:
    """Cosine of an angle; exactly 0 or 1 at the right angles, where the computed one is a little off."""
    return float(np.round(np.cos(np.radians(degrees)), 15))


def _not_published(block: _Block, scale: Scale, out: Floats) -> None:
    """No score: the key, or the formula, is the licence holder's and was not supplied."""
    out[:] = np.nan


def _distress_index(block: _Block, scale: Scale, out: Floats) -> None:
    """Sum of the answers / number at or above the threshold; no score when that number is 0."""
    count = block.count_at_least(scale)
    scorable = block.scorable(scale, block.answered(scale))
    _divide(block.total(scale), count, where=scorable & (count > 0), out=out)


def _value_set(block: _Block, scale: Scale, out: Floats) -> None:
    """Utility of the health state in the value set."""
    if block.value_set is None:
        raise ValueError(f"scale '{scale.id}' needs a value set")
    look_up(block.columns(scale), value_set=block.value_set, out=out)


def _profile(block: _Block, scale: Scale, out: Floats) -> None:
    """Health state as a number whose digits are the levels: a name, not a quantity."""
    state = np.zeros(block.n, dtype=np.int32)
    for column in block.columns(scale):
        state = state * np.int32(10) + column
    _only(state, where=block.scorable(scale, block.answered(scale)), out=out)


def _major_depression(block: _Block, scale: Scale, out: Floats) -> None:
    """PHQ-9 algorithm: five or more of nine at 2 or above (the ninth from 1), the first or the second among them."""
    *first_eight, ninth = block.columns(scale)
    n_symptoms = np.sum([column >= 2 for column in first_eight], axis=0) + (ninth >= 1)
    fits = (n_symptoms >= 5) & ((first_eight[0] >= 2) | (first_eight[1] >= 2))
    _only(fits.astype(np.int8), where=block.scorable(scale, block.answered(scale)), out=out)


_METHODS: dict[Method, Callable[[_Block, Scale, Floats], None]] = {
    "sum": _sum,
    "single": _sum,
    "mean": _mean,
    "weighted": _weighted,
    "count_at_least": _count_at_least,
    "count_at_most": _count_at_most,
    "any_at_least": _any_at_least,
    "answer_key": _answer_key,
    "rate": _rate,
    "mean_of_scales": _mean_of_scales,
    "ipsatised": _ipsatised,
    "axis": _axis,
    "not_published": _not_published,
    "distress_index": _distress_index,
    "value_set": _value_set,
    "profile": _profile,
    "major_depression": _major_depression,
}


# --- what a score could have been ---------------------------------------------------------------------------------------

#: Methods whose score cannot grow with an answer that is without a limit: it is counted once.
_COUNTING: frozenset[Method] = frozenset({"count_at_least", "count_at_most", "any_at_least"})
#: Methods for which the most favourable and the least favourable missing answers can be named item by item.
_BOUNDED: frozenset[Method] = frozenset(
    {
        "sum", "mean", "single", "weighted", "count_at_least", "count_at_most", "any_at_least", "answer_key",
        "mean_of_scales", "value_set", "major_depression",
    }
)  # fmt: skip


def possible_range(result: ScaleScores, scale_id: str) -> tuple[Floats, Floats]:
    """Lowest and highest score of each form, had all its missing items been answered either way: two arrays, one per limit.

    A complete form has its score twice. Where a count that has no upper limit is missing, the limit that it would move is
    `nan`; both are where nothing was answered, and for methods that do not rise or fall with each item by itself (profiles,
    rates, ipsatised scores).
    """
    definition, scale = result.definition, result.definition.scale(scale_id)
    lowest, highest = result.scores[scale_id].copy(), result.scores[scale_id].copy()
    answered, n_items = result.n_answered(scale_id), len(definition.items_of(scale))
    is_open = answered < n_items
    lowest[is_open], highest[is_open] = np.nan, np.nan
    rows = np.flatnonzero(is_open & (answered > 0))
    if scale.method not in _BOUNDED or not scale.is_keyed or not len(rows):
        return lowest, highest
    needed = tuple(_with_own_limit(member) for member in _made_of(definition, scale))
    alone = definition.model_copy(update={"scales": needed})
    lowest[rows], highest[rows] = (_filled(result, alone, scale, rows, end=end) for end in (0, 1))
    return lowest, highest


def _with_own_limit(scale: Scale) -> Scale:
    """The scale without a limit that is counted over another one: all its items are there."""
    return scale.model_copy(update={"missing": scale.missing.model_copy(update={"counted_over": None})})


def _filled(result: ScaleScores, alone: Instrument, scale: Scale, rows: NDArray[np.intp], *, end: int) -> Floats:
    """Scores of those rows with every missing item at one end: 0 where it adds least to the score, 1 where it adds most."""
    filled: dict[str, Integers] = {}
    unlimited = np.zeros(len(rows), dtype=bool)
    for item_id in alone.items_of(scale):
        item, column = alone.item(item_id), result.answers[item_id][rows]
        own = next(_holders(alone, scale, item_id))
        is_missing = column == MISSING
        answer = _extremes(own, item)[end]
        if item.max is None and answer == item.largest and own.method not in _COUNTING:
            unlimited |= is_missing
        filled[item_id] = np.where(is_missing, answer, column).astype(column.dtype)
    scores = scale_scores(alone, filled, value_set=result.value_set).scores[scale.id]
    return np.where(unlimited, np.nan, scores)


def _extremes(own: Scale, item: Item) -> tuple[int, int]:
    """The answers with which an item adds least and most to the scale that holds it."""
    if own.method == "answer_key":
        right = own.answer_key[item.id]
        return (item.min if right != item.min else item.min + 1), right
    if own.recode is None:
        ends = (item.largest, item.min) if item.id in own.reverse else (item.min, item.largest)
    else:
        of_answer = own.recode.of(item.id)
        ends = min(of_answer, key=lambda a: of_answer[a]), max(of_answer, key=lambda a: of_answer[a])
    falls = own.method in ("count_at_most", "value_set") or own.weights.get(item.id, 0) < 0
    return (ends[1], ends[0]) if falls else ends


def _holders(definition: Instrument, scale: Scale, item_id: str) -> Iterator[Scale]:
    """The scales with that item of their own, among this one and those that it is computed from."""
    if item_id in scale.items:
        yield scale
    for part in scale.scales:
        yield from _holders(definition, definition.scale(part), item_id)


def cutoffs_crossed(definition: Instrument, scale: Scale, lowest: Floats, highest: Floats) -> NDArray[Any]:
    """Per form the cut-offs seen in print that lie between the two limits of the scale: ids separated by spaces, None for none.

    There the missing answers decide on which side the person stands. A single limit that is `nan` is an infinite one.
    """
    named = np.full(len(lowest), None, dtype=object)
    is_known = ~(np.isnan(lowest) & np.isnan(highest))
    low, high = np.where(np.isnan(lowest), -np.inf, lowest), np.where(np.isnan(highest), np.inf, highest)
    for cutoff in definition.cutoffs:
        if cutoff.scale != scale.id or cutoff.metric != "raw" or cutoff.is_provisional:
            continue
        is_between = (low <= cutoff.value) & (cutoff.value <= high) & (low < high)
        is_crossed = is_between if cutoff.op == "==" else beyond(low, cutoff) != beyond(high, cutoff)
        for row in np.flatnonzero(is_known & is_crossed):
            named[row] = cutoff.id if named[row] is None else f"{named[row]} {cutoff.id}"
    return named


def beyond(scores: Floats, cutoff: Cutoff) -> Flags:
    """Whether each score is on the far side of the cut-off, as its operator says; False where there is no score."""
    sides = {">=": np.greater_equal, "<": np.less, "==": np.equal}
    return np.asarray(sides[cutoff.op](scores, cutoff.value))


# --- tables -------------------------------------------------------------------------------------------------------------

#: Why there is no score.
TOO_MANY_MISSING, NO_KEY, NO_FORMULA = "too_many_missing", "key_not_supplied", "not_published"
NOT_FINISHED = "not_finished"
UNDER_AGE, UNDEFINED = "no_value_set_under_18", "not_defined"


def answers_of(definition: Instrument, items: pd.DataFrame) -> dict[str, Integers]:
    """The answers of an items table as `int8` arrays (`int16` for counts without a limit) with `MISSING`."""
    return {
        item.id: items[item.id].to_numpy(dtype=np.int16 if item.is_wide else np.int8, na_value=MISSING)
        for item in definition.items
    }


def score(
    definition: Instrument,
    items: pd.DataFrame,
    *,
    value_set: ValueSet | None = None,
    ages: Floats | None = None,
    software_version: str,
) -> pd.DataFrame:
    """`scores/<instrument>`: one row per form and scale, with what is needed to know how the score came about.

    `items`: accepted rows of the items table, any number of programmes. `ages`: age in years at each form, `nan` where unknown;
    under 18 no utility is given, since value sets are adults'. A form that cannot be scored keeps its rows, with a missing score
    and the reason. A form that was begun and not finished (`form_state` partial) is scored on the scales whose items are all
    answered, and nothing is made up for the others: their answers may still come. `is_prorated` is true where missing answers were made up for, `is_provisional` where there is a score in
    spite of them by a rule that nobody has seen in print.
    """
    import pandas as pd

    from mbt_rom.form_states import PARTIAL
    from mbt_rom.tables import scores_table

    result = scale_scores(definition, answers_of(definition, items), value_set=value_set)
    is_minor = np.zeros(len(items), dtype=bool) if ages is None else no_adult_value_set(ages)
    is_partial = items["form_state"].eq(PARTIAL).to_numpy(dtype=bool)
    n_scales = len(definition.scales)
    carried = [
        "programme_id", "row_id", "patient_id", "administered_on", "moment_given", "form_state", "edition", "language", "mode",
        "assisted",
    ]  # fmt: skip
    long = items[carried].take(np.repeat(np.arange(len(items)), n_scales)).reset_index(drop=True)
    per_scale = [_provenance(result, scale, is_minor, is_partial) for scale in definition.scales]
    for name in per_scale[0]:
        long[name] = pd.Series(np.column_stack([columns[name] for columns in per_scale]).ravel(), index=long.index)
    long = long.assign(
        instrument=definition.id,
        edition=long["edition"].fillna(definition.edition),
        definition_hash=definition.definition_hash,
        software_version=software_version,
    )
    return scores_table(definition).conform(long)


def _provenance(result: ScaleScores, scale: Scale, is_minor: Flags, is_partial: Flags) -> dict[str, NDArray[Any]]:
    """Columns of one scale, each as long as the forms."""
    scores, answered = result.scores[scale.id], result.n_answered(scale.id)
    n_items = len(result.definition.items_of(scale))
    lowest, highest = possible_range(result, scale.id)
    is_valued = scale.method == "value_set" and result.value_set is not None
    value_set_id = result.value_set.id if is_valued and result.value_set else None
    if is_valued:
        scores, lowest, highest = (np.where(is_minor, np.nan, v) for v in (scores, lowest, highest))
    is_unfinished = is_partial & (answered < n_items)
    scores = np.where(is_unfinished, np.nan, scores)
    is_scored_with_gaps = ~np.isnan(scores) & (answered < n_items)
    rules = [member.missing for member in _made_of(result.definition, scale)]
    return {
        "scale": np.full(len(scores), scale.id, dtype=object),
        "value_set_id": np.full(len(scores), value_set_id, dtype=object),
        "score": scores,
        "n_items": np.full(len(scores), n_items, dtype=np.int16),
        "n_answered": answered,
        "is_prorated": is_scored_with_gaps & any(r.rule not in ("complete", "answered") for r in rules),
        "is_provisional": is_scored_with_gaps & any(r.is_provisional for r in rules),
        "lowest_possible": lowest,
        "highest_possible": highest,
        "cutoffs_crossed": cutoffs_crossed(result.definition, scale, lowest, highest),
        "unscored_because": _reasons(
            result.definition, scale, scores, answered < n_items, is_minor & is_valued, is_unfinished
        ),
    }


def _reasons(
    definition: Instrument,
    scale: Scale,
    scores: Floats,
    is_incomplete: Flags,
    is_too_young: Flags,
    is_unfinished: Flags,
) -> NDArray[Any]:
    """Why each form has no score on the scale; None where it has one."""
    reasons = np.full(len(scores), None, dtype=object)
    unscored = np.isnan(scores)
    members = _made_of(definition, scale)
    if any(member.method == "not_published" for member in members):
        reasons[:] = NO_FORMULA
    elif not all(member.is_keyed for member in members):
        reasons[:] = NO_KEY
    else:
        reasons[unscored] = np.where(is_incomplete, TOO_MANY_MISSING, UNDEFINED)[unscored]
        reasons[is_unfinished] = NOT_FINISHED
    reasons[is_too_young] = UNDER_AGE
    return reasons
