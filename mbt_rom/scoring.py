"""From answers to scale scores: one function per scoring method, and the rule for missing answers.

Belongs here: sums, means, counts and patterns of answers, proration, the provenance of a score. Does not belong here:
which answers are acceptable (`acceptance`), the utilities of a value set (`valuation`), what a score means (`norms`).

Answers are small integers, so they stay `int8` with `MISSING` where there is none, and rows are taken in blocks that fit the
processor's cache. Items that belong to the same scales are added up once, as a group, and the scales share these sums. A
group's sum is `int8` only when its largest possible value fits; otherwise it is wider, so that no sum can wrap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mbt_rom.model import Instrument, Item, Method, Scale
from mbt_rom.valuation import ValueSet, state_numbers

if TYPE_CHECKING:
    import pandas as pd

#: Stands in an `int8` array where there is no answer; no instrument uses it as one.
MISSING = np.int8(-128)
BLOCK = 1 << 15

Answers = Mapping[str, NDArray[np.int8]]
Floats = NDArray[np.float64]
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
        items = self.definition.scale(scale_id).items
        answered = np.zeros(len(self.answers[items[0]]), dtype=np.int16)
        for item in items:
            answered += self.answers[item] != MISSING
        return answered

    def n_missing(self, scale_id: str) -> NDArray[np.int16]:
        """Missing items of a scale, per row."""
        return np.int16(len(self.definition.scale(scale_id).items)) - self.n_answered(scale_id)


def scale_scores(definition: Instrument, answers: Answers, *, value_set: ValueSet | None = None) -> ScaleScores:
    """Scores of all scales of an instrument.

    `answers` holds one `int8` array per item of the scales, in canonical coding, `MISSING` where there is no answer; all of one
    length, row i being one form. `value_set` is used instead of the definition's default.

    Raises KeyError naming an item that is absent, TypeError for another type than `int8`, ValueError naming an item that holds
    an answer outside its range or a value set of another instrument.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> forms = {item: np.array([2, 2, 2], dtype=np.int8) for item in phq9.item_ids}
    >>> forms["phq9_04"] = np.array([2, MISSING, 0], dtype=np.int8)
    >>> scale_scores(phq9, forms).scores["total"].tolist()
    [18.0, 18.0, 16.0]
    """
    used = _checked(definition, answers)
    chosen = _chosen_value_set(definition, value_set)
    n_rows = len(next(iter(used.values())))
    scores = {scale.id: np.empty(n_rows) for scale in definition.scales}
    groups = _groups(definition)
    for start in range(0, n_rows, BLOCK):
        stop = min(start + BLOCK, n_rows)
        block = _Block(groups, {item: column[start:stop] for item, column in used.items()}, chosen)
        for scale in definition.scales:
            _METHODS[scale.method](block, scale, scores[scale.id][start:stop])
    for scale in definition.scales:
        if scale.decimals is not None:
            np.round(scores[scale.id], scale.decimals, out=scores[scale.id])
    return ScaleScores(definition, used, scores, chosen)


def _checked(definition: Instrument, answers: Answers) -> dict[str, NDArray[np.int8]]:
    """The arrays of the items that scales use, after looking at their presence, type and length."""
    wanted = {item for scale in definition.scales for item in scale.items}
    if absent := [item for item in definition.item_ids if item in wanted and item not in answers]:
        raise KeyError(f"no answers were given for {', '.join(absent)}")
    used = {item: np.asarray(answers[item]) for item in definition.item_ids if item in wanted}
    if wrong := [item for item, column in used.items() if column.dtype != np.int8]:
        raise TypeError(f"answers must be int8 with {MISSING} for missing; not so: {', '.join(wrong)}")
    if len({len(column) for column in used.values()}) > 1:
        raise ValueError("the items differ in their number of rows")
    for item in definition.items:
        if item.id in used and len(used[item.id]) and not _within_bounds(used[item.id], item):
            raise ValueError(f"{item.id} holds answers outside {item.min}..{item.max}; they cannot be scored")
    return used


def _within_bounds(column: NDArray[np.int8], item: Item) -> bool:
    # As unsigned numbers plus 127, which wrap at 256, MISSING becomes the largest and all answers keep their order.
    lowest = int((column.view(np.uint8) + np.uint8(127)).min()) - 127
    return bool(column.max() <= item.max and lowest >= item.min)


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

    def raw_threshold(self, scale: Scale, threshold: int) -> int:
        """`min + max - x >= t` holds for every answered x that is not `>= min + max - t + 1`."""
        return self.min + self.max - threshold + 1 if scale.id in self.reversed_in else threshold


def _holding(largest: int) -> type[np.signedinteger[Any]]:
    """The narrowest type that holds a sum of that size."""
    return next(t for t in (np.int8, np.int16, np.int32) if largest <= np.iinfo(t).max)


def _groups(definition: Instrument) -> list[_Group]:
    groups: dict[tuple[object, ...], _Group] = {}
    for item in definition.items:
        members = [scale for scale in definition.scales if item.id in scale.items]
        if members:
            group = _group_of(item, members)
            key = (group.min, group.max, group.scales, group.reversed_in)
            groups.setdefault(key, group).items.append(item.id)
    for group in groups.values():
        counting = [s for s in definition.scales if s.id in group.scales and s.threshold is not None]
        group.thresholds = {group.raw_threshold(s, s.threshold) for s in counting if s.threshold is not None}
    return list(groups.values())


def _group_of(item: Item, scales: Sequence[Scale]) -> _Group:
    reversed_in = frozenset(scale.id for scale in scales if item.id in scale.reverse)
    return _Group(item.min, item.max, frozenset(scale.id for scale in scales), reversed_in)


class _Block:
    """Answers of a block of rows, with sums, counts of answers and counts above a threshold per group of items."""

    def __init__(self, groups: list[_Group], answers: dict[str, NDArray[np.int8]], value_set: ValueSet | None) -> None:
        self.answers, self.value_set = answers, value_set
        self.n = len(next(iter(answers.values())))
        self._groups = [(group, *self._add_up(group)) for group in groups]

    def _add_up(self, group: _Group) -> tuple[Counts, Counts, dict[int, Counts]]:
        count_dtype = np.int8 if len(group.items) <= np.iinfo(np.int8).max else np.int16
        total: Counts = np.zeros(self.n, dtype=_holding(len(group.items) * group.reach))
        answered: Counts = np.zeros(self.n, dtype=count_dtype)
        at_least: dict[int, Counts] = {threshold: np.zeros(self.n, dtype=count_dtype) for threshold in group.thresholds}
        truth = np.empty(self.n, dtype=bool)
        as_number, value = truth.view(np.int8), np.empty(self.n, dtype=np.int8)
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
        for _, _, answered, _ in self._of(scale):
            count += answered
        return count

    def total(self, scale: Scale) -> Counts:
        """Sum of the answers, reversed items turned round; a missing answer adds nothing."""
        groups = list(self._of(scale))
        dtype = _holding(sum(len(group.items) * group.reach for group, *_ in groups))
        total: Counts = np.zeros(self.n, dtype=dtype)
        for group, raw, answered, _ in groups:
            if scale.id in group.reversed_in:
                total += np.multiply(answered, group.min + group.max, dtype=dtype) - raw
            else:
                total += raw
        return total

    def count_at_least(self, scale: Scale) -> NDArray[np.int16]:
        """Answers at or above the scale's threshold, reversed items turned round."""
        count = np.zeros(self.n, dtype=np.int16)
        for group, _, answered, at_least in self._of(scale):
            raw = at_least[group.raw_threshold(scale, scale.threshold or 0)]
            count += answered - raw if scale.id in group.reversed_in else raw
        return count

    def columns(self, scale: Scale) -> list[NDArray[np.int8]]:
        """Answers to the items of the scale, in its order."""
        return [self.answers[item] for item in scale.items]

    def scorable(self, scale: Scale, answered: NDArray[np.int16]) -> NDArray[np.bool_]:
        """True where no more answers are missing than the rule of the scale allows."""
        allowed = 0 if scale.missing.rule == "complete" else scale.missing.max_missing
        return answered >= max(len(scale.items) - allowed, 1)


# --- one function per method; each writes its scores to `out` -------------------------------------------------------------


def _divide(numerator: Counts, denominator: Counts, *, where: NDArray[np.bool_], out: Floats) -> None:
    """Quotients where there is a score, `nan` elsewhere: there both become 0, which is several times faster than `where=`."""
    with np.errstate(invalid="ignore"):
        np.divide(numerator * where, denominator * where, out=out)


def _only(values: Counts | Floats, *, where: NDArray[np.bool_], out: Floats) -> None:
    np.copyto(out, values)
    out[~where] = np.nan


def _sum(block: _Block, scale: Scale, out: Floats) -> None:
    """Sum of the answers; with missing answers that the rule allows, sum x items / answered."""
    answered = block.answered(scale)
    total = np.multiply(block.total(scale), len(scale.items), dtype=np.int32)
    _divide(total, answered, where=block.scorable(scale, answered), out=out)


def _mean(block: _Block, scale: Scale, out: Floats) -> None:
    """Mean of the answers that were given."""
    answered = block.answered(scale)
    _divide(block.total(scale), answered, where=block.scorable(scale, answered), out=out)


def _count_at_least(block: _Block, scale: Scale, out: Floats) -> None:
    """Number of answers at or above the threshold."""
    _only(block.count_at_least(scale), where=block.scorable(scale, block.answered(scale)), out=out)


def _distress_index(block: _Block, scale: Scale, out: Floats) -> None:
    """Sum of the answers / number at or above the threshold; no score when that number is 0."""
    count = block.count_at_least(scale)
    scorable = block.scorable(scale, block.answered(scale))
    _divide(block.total(scale), count, where=scorable & (count > 0), out=out)


def _value_set(block: _Block, scale: Scale, out: Floats) -> None:
    """Utility of the health state in the value set."""
    if block.value_set is None:
        raise ValueError(f"scale '{scale.id}' needs a value set")
    complete = block.scorable(scale, block.answered(scale))
    levels = [np.where(complete, column, np.int8(1)) for column in block.columns(scale)]
    states = state_numbers(levels, n_levels=block.value_set.n_levels)
    _only(block.value_set.values[states], where=complete, out=out)


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
    "count_at_least": _count_at_least,
    "distress_index": _distress_index,
    "value_set": _value_set,
    "profile": _profile,
    "major_depression": _major_depression,
}


# --- tables -------------------------------------------------------------------------------------------------------------


def answers_of(definition: Instrument, items: pd.DataFrame) -> dict[str, NDArray[np.int8]]:
    """The answers of an items table as `int8` arrays with `MISSING`."""
    return {item: items[item].to_numpy(dtype=np.int8, na_value=MISSING) for item in definition.item_ids}


def score(
    definition: Instrument, items: pd.DataFrame, *, value_set: ValueSet | None = None, software_version: str
) -> pd.DataFrame:
    """`scores/<instrument>`: one row per form and scale, with what is needed to know how the score came about.

    `items`: accepted rows of the items table, any number of programmes. A form that cannot be scored keeps its rows, with a
    missing score. `is_provisional` is true where an answer was made up for by a rule that nobody has seen in print.
    """
    import pandas as pd

    from mbt_rom.tables import scores_table

    result = scale_scores(definition, answers_of(definition, items), value_set=value_set)
    n_scales = len(definition.scales)
    carried = ["programme_id", "row_id", "patient_id", "administered_on", "moment_given", "edition"]
    long = items[carried].take(np.repeat(np.arange(len(items)), n_scales)).reset_index(drop=True)
    per_scale = [_provenance(result, scale) for scale in definition.scales]
    for name in per_scale[0]:
        long[name] = pd.Series(np.column_stack([columns[name] for columns in per_scale]).ravel(), index=long.index)
    long = long.assign(
        instrument=definition.id,
        edition=long["edition"].fillna(definition.edition),
        definition_hash=definition.definition_hash,
        software_version=software_version,
    )
    return scores_table(definition).conform(long)


def _provenance(result: ScaleScores, scale: Scale) -> dict[str, NDArray[Any]]:
    """Columns of one scale, each as long as the forms."""
    scores, answered = result.scores[scale.id], result.n_answered(scale.id)
    is_prorated = ~np.isnan(scores) & (answered < len(scale.items))
    has_value_set = scale.method == "value_set" and result.value_set is not None
    value_set_id = result.value_set.id if has_value_set and result.value_set else None
    return {
        "scale": np.full(len(scores), scale.id, dtype=object),
        "value_set_id": np.full(len(scores), value_set_id, dtype=object),
        "score": scores,
        "n_items": np.full(len(scores), len(scale.items), dtype=np.int16),
        "n_answered": answered,
        "is_prorated": is_prorated,
        "is_provisional": is_prorated & scale.missing.is_provisional,
    }
