"""Means, variances and covariances of the items of one scale, for any number of groups of forms, from sums that are exact.

Belongs here: passes over `int8` answers in blocks of rows that fit the processor's cache, however many rows there are. Does
not belong here: what the variances say about a scale (`reliability`).

Answers are whole numbers, so their sums are too. Blocks are cut so that single precision (whole numbers up to 2^24) holds
every sum over a block where answers are small, and double precision (2^53) where they are not; nothing is rounded before the
division at the end, and no sum can wrap.

Products of vectors and matrices are kept small on purpose. OpenBLAS spreads large ones over all cores and then waits for
each of them, which makes them a hundred times slower as soon as another process has a core, as happens every night.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mbt_rom.scoring import MISSING

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Exact = npt.NDArray[np.floating[Any]]

#: Rows of one block.
_ROWS = 1 << 13
#: Multiplications in one product of matrices.
_PRODUCT = 1 << 18
#: Whole numbers up to here are exact in single precision.
_SINGLE = 1 << 24


@dataclass(frozen=True)
class Contribution:
    """What each form's answer to one item adds to a scale: `int8`, `MISSING` where there is no answer, and its bounds."""

    item: str
    values: npt.NDArray[np.int8]
    lowest: int
    highest: int


class Moments(NamedTuple):
    """One entry per group; `mean`, `variance` and `with_sum` have one row per group and one column per item.

    `n_forms`: rows of the group. `n_complete`: rows with an answer to every item; `n_floor` and `n_ceiling`: those of them
    whose items are all at their lowest, or highest. `n_used`: rows behind the variances; with `pairwise`, rows behind the
    sparsest pair. `mean` and `variance` (divisor n - 1): of each item, the mean counted from the lowest bound of all items.
    `with_sum`: covariance of each item with the sum of the items. `of_sum`: variance of that sum. `mean_correlation`: over all
    pairs of items that vary; missing (NaN) where no pass was made for it. NaN wherever there are too few rows.
    """

    n_forms: Integers
    n_complete: Integers
    n_floor: Integers
    n_ceiling: Integers
    n_used: Integers
    mean: Floats
    variance: Floats
    with_sum: Floats
    of_sum: Floats
    mean_correlation: Floats


class Persons(NamedTuple):
    """One entry per group: how much persons differ in their error variance, and the mean correlation between items.

    `relative_error`: standard error of the mean over persons of sum_i e_i^2, divided by that mean, where e_i is the answer to
    item i less the item's mean and less the person's own mean deviation.
    """

    relative_error: Floats
    mean_correlation: Floats


@dataclass(frozen=True)
class ItemTable:
    """The items of one scale, side by side, and the group of each row. Numbers count from 0, the lowest bound of all items."""

    names: tuple[str, ...]
    columns: tuple[Bytes, ...]
    low: int
    span: int
    floor: int
    ceiling: int
    n_groups: int
    order: Integers | None
    starts: Integers

    @classmethod
    def of(
        cls, contributions: Sequence[Contribution], *, groups: npt.NDArray[np.integer[Any]] | None, n_groups: int
    ) -> ItemTable:
        """`groups`: the group of each row, 0 to `n_groups` - 1, or -1 for a row that is left out; None: all rows in one.

        Raises ValueError where there is no item, columns differ in length, or a group lies outside; TypeError for another
        type than `int8`.
        """
        if not contributions:
            raise ValueError("a scale without items has no variance")
        if wrong := [c.item for c in contributions if c.values.dtype != np.int8]:
            raise TypeError(f"contributions must be int8 with {MISSING} for missing; not so: {', '.join(wrong)}")
        if len({len(c.values) for c in contributions}) > 1:
            raise ValueError("the items differ in their number of rows")
        low = min(c.lowest for c in contributions)
        order, starts = _ordered(groups, n_groups, len(contributions[0].values))
        return cls(
            names=tuple(c.item for c in contributions),
            columns=tuple(np.ascontiguousarray(c.values).view(np.uint8) for c in contributions),
            low=low,
            span=max(max(c.highest for c in contributions) - low, 1),
            floor=sum(c.lowest - low for c in contributions),
            ceiling=sum(c.highest - low for c in contributions),
            n_groups=n_groups,
            order=order,
            starts=starts,
        )

    @property
    def n_items(self) -> int:
        """Number of items."""
        return len(self.columns)

    def n_rows(self, group: int) -> int:
        """Number of rows of a group."""
        return int(self.starts[group + 1] - self.starts[group])

    def pieces(self, group: int, n_rows: int) -> Iterator[list[Bytes]]:
        """The columns of the rows of a group, at most that many rows at a time."""
        for start in range(int(self.starts[group]), int(self.starts[group + 1]), n_rows):
            piece = slice(start, min(start + n_rows, int(self.starts[group + 1])))
            where = piece if self.order is None else self.order[piece]
            yield [column[where] for column in self.columns]

    def from_zero(self, block: Bytes, *, axis: int) -> tuple[Bytes, Bools | None]:
        """The block counted from 0, and where it holds a number at all (None: everywhere); `axis`: that of the items.

        Raises ValueError, naming the items, where a number lies out of bounds.
        """
        if self.low:
            block -= np.uint8(self.low % 256)
        if block.max(initial=0) <= self.span:
            return block, None
        present = block <= self.span
        # In unsigned bytes, which wrap at 256, MISSING comes after the largest number that there can be.
        wrong = ~present & (block != 128 - self.low)
        if wrong.any():
            names = [name for name, is_wrong in zip(self.names, wrong.any(axis=1 - axis), strict=True) if is_wrong]
            raise ValueError(f"{', '.join(names)}: answers outside the bounds of the items")
        return block, present


def _ordered(
    groups: npt.NDArray[np.integer[Any]] | None, n_groups: int, n_rows: int
) -> tuple[Integers | None, Integers]:
    """Rows in the order of their groups (None: as they stand) and where each group starts and the last one ends."""
    if groups is None:
        if n_groups != 1:
            raise ValueError(f"{n_groups} groups need 'groups', the group of each row")
        return None, np.array([0, n_rows])
    if len(groups) != n_rows:
        raise ValueError(f"'groups' has {len(groups)} rows and the items have {n_rows}")
    if n_rows and (groups.min() < -1 or groups.max() >= n_groups):
        raise ValueError(f"a group lies outside 0..{n_groups - 1}, or -1 for a row that is left out")
    order = np.argsort(groups, kind="stable")
    return order, np.searchsorted(groups[order], np.arange(n_groups + 1))


@dataclass
class _Tally:
    """Complete forms, and those of them at the lowest and at the highest possible sum."""

    table: ItemTable
    n: int = 0
    n_floor: int = 0
    n_ceiling: int = 0

    def add(self, totals: Exact, complete: Bools) -> None:
        """Counts the forms of a block."""
        self.n += int(np.count_nonzero(complete))
        self.n_floor += int(np.count_nonzero((totals == self.table.floor) & complete))
        self.n_ceiling += int(np.count_nonzero((totals == self.table.ceiling) & complete))


class _One(NamedTuple):
    """Moments of one group, in the order of `Moments`."""

    n_forms: int
    n_complete: int
    n_floor: int
    n_ceiling: int
    n_used: int
    mean: Floats
    variance: Floats
    with_sum: Floats
    of_sum: float
    mean_correlation: float


# --- complete forms only ------------------------------------------------------------------------------------------------


def listwise(table: ItemTable) -> Moments:
    """Moments over the forms that are complete. No pair of items is looked at, only each item beside the form's total.

    >>> columns = {"a": [1, 2, 4], "b": [1, 3, 2]}
    >>> scale = [Contribution(i, np.array(column, dtype=np.int8), 1, 5) for i, column in columns.items()]
    >>> found = listwise(ItemTable.of(scale, groups=None, n_groups=1))
    >>> found.variance.round(3).tolist(), found.of_sum.round(3).tolist()
    ([[2.333, 1.0]], [4.333])
    """
    return _of_groups(table, _listwise)


def _of_groups(table: ItemTable, of_one: Callable[[ItemTable, int], _One]) -> Moments:
    found = [of_one(table, group) for group in range(table.n_groups)]
    return Moments(*(np.array(column) for column in zip(*found, strict=True)))


def _listwise(table: ItemTable, group: int) -> _One:
    dtype = np.float32 if _ROWS * table.n_items * table.span**2 <= _SINGLE else np.float64
    tally, ones = _Tally(table), np.ones(_ROWS, dtype=dtype)
    sums, squares, with_total = np.zeros((3, table.n_items))
    for columns in table.pieces(group, _ROWS):
        block, present = table.from_zero(np.stack(columns), axis=0)
        complete: Bools = np.ones(block.shape[1], dtype=np.bool_)
        if present is not None:
            complete = np.asarray(present.all(axis=0))
            block *= complete.view(np.uint8)
        values = block.astype(dtype)
        totals = values.sum(axis=0)
        tally.add(totals, complete)
        sums += np.vecdot(values, ones[: len(totals)])
        squares += np.vecdot(values, values)
        with_total += np.vecdot(values, totals)
    return _from_totals(table.n_rows(group), tally, sums, squares, with_total)


def _from_totals(n_forms: int, tally: _Tally, sums: Floats, squares: Floats, with_total: Floats) -> _One:
    n = np.float64(tally.n)
    with np.errstate(divide="ignore", invalid="ignore"):
        divisor = n * (n - 1)
        return _One(
            n_forms,
            tally.n,
            tally.n_floor,
            tally.n_ceiling,
            n_used=tally.n,
            mean=sums / n,
            variance=(n * squares - sums**2) / divisor,
            with_sum=(n * with_total - sums * sums.sum()) / divisor,
            of_sum=(n * with_total.sum() - sums.sum() ** 2) / divisor,
            mean_correlation=np.nan,
        )


def persons(table: ItemTable, moments: Moments, *, least: int) -> Persons:
    """Second pass over the complete forms of the groups that have at least `least` of them; the others stay missing (NaN).

    `moments`: those that `listwise` found in the same table.
    """
    found = np.full((table.n_groups, 2), np.nan)
    for group in np.flatnonzero(moments.n_complete >= least):
        found[group] = _persons(table, int(group), moments.mean[group], np.sqrt(moments.variance[group]))
    return Persons(found[:, 0], found[:, 1])


def _persons(table: ItemTable, group: int, mean: Floats, sd: Floats) -> tuple[float, float]:
    """The variance of the sum of k standardised items is k + k (k - 1) times their mean correlation."""
    weights = np.divide(1, sd, out=np.zeros_like(sd), where=sd > 0)[:, None]
    n, sum_of_errors, sum_of_squares, standardised = 0, 0.0, 0.0, 0.0
    for columns in table.pieces(group, _ROWS // 4):
        block, present = table.from_zero(np.stack(columns), axis=0)
        values = (block if present is None else block[:, present.all(axis=0)]) - mean[:, None]
        errors = (values**2).sum(axis=0) - values.sum(axis=0) ** 2 / table.n_items
        n += len(errors)
        sum_of_errors += errors.sum()
        sum_of_squares += (errors**2).sum()
        standardised += ((values * weights).sum(axis=0) ** 2).sum()
    k = int(np.count_nonzero(weights))
    with np.errstate(divide="ignore", invalid="ignore"):
        squared_error = max(sum_of_squares - sum_of_errors**2 / n, 0) / (n - 1) / n
        relative_error = np.sqrt(squared_error) / np.float64(sum_of_errors / n)
        return relative_error, _mean_off_diagonal(standardised / np.float64(n - 1), k)


# --- whoever answered both of two items -----------------------------------------------------------------------------------


def pairwise(table: ItemTable) -> Moments:
    """Moments from the covariance of each pair of items over the forms that answered both, as `pandas.DataFrame.cov` has them.

    >>> columns = {"a": [1, 2, 4, MISSING], "b": [1, 3, MISSING, 2]}
    >>> scale = [Contribution(i, np.array(column, dtype=np.int8), 1, 5) for i, column in columns.items()]
    >>> found = pairwise(ItemTable.of(scale, groups=None, n_groups=1))
    >>> found.variance.round(3).tolist(), found.of_sum.round(3).tolist(), found.n_used.tolist()
    ([[2.333, 1.0]], [5.333], [2])
    """
    return _of_groups(table, _pairwise)


def _pairwise(table: ItemTable, group: int) -> _One:
    found = _PairSums(table)
    for columns in table.pieces(group, found.n_rows):
        found.add(*table.from_zero(np.stack(columns, axis=1), axis=1))
    return found.moments(table.n_rows(group))


class _PairSums:
    """Sums over pairs of items, taken in batches of forms so that each product of matrices stays small."""

    def __init__(self, table: ItemTable) -> None:
        k = table.n_items
        self.table, self.tally = table, _Tally(table)
        self.dtype, self.n_rows = _exact_pairs(table.span)
        self.batch = min(max(_PRODUCT // k**2, 4), _ROWS // k + 1, self.n_rows)
        self.n_rows -= self.n_rows % self.batch
        self.unit = self.n_rows * table.span + 1
        self.sums = np.zeros(k)
        self.products, self.absent, self.sums_absent = np.zeros((3, k, k))

    def add(self, forms: Bytes, present: Bools | None) -> None:
        """Takes in forms: a row is a form, a column an item; `present`: where there is an answer, None: everywhere."""
        n, k = forms.shape
        of_items, of_forms = np.ones(k, dtype=self.dtype), np.ones(self.batch, dtype=self.dtype)
        complete = np.ones(n, dtype=bool)
        if present is not None:
            complete = (self._batches(present) @ of_items).ravel()[:n] == k
            some = np.flatnonzero(~complete)
            self._add_absent(forms[some], present[some])
            forms = forms * present.view(np.uint8)
        values = self._batches(forms)
        self.tally.add((values @ of_items).ravel()[:n], complete)
        self.sums += (of_forms @ values).sum(axis=0)
        self.products += _product(values, values)

    def _add_absent(self, forms: Bytes, present: Bools) -> None:
        """Forms that lack item j, and of these the sum of item i and the number that lack i as well.

        One product gives both: an absence counts `unit` and an answer its value, and a sum of answers stays below `unit`.
        """
        absent = self._batches(~present)
        marked = absent * self.unit
        marked += self._batches(forms * present.view(np.uint8))
        both = _product(marked, absent).astype(np.int64)
        self.absent += both // self.unit
        self.sums_absent += both % self.unit

    def _batches(self, forms: Bytes | Bools) -> Exact:
        """Forms as axes batch, form, item, exact; what the last batch lacks is filled with zeros."""
        n, k = forms.shape
        if lacking := -n % self.batch:
            forms = np.concatenate([forms, np.zeros((lacking, k), dtype=forms.dtype)])
        return forms.reshape(-1, self.batch, k).astype(self.dtype)

    def moments(self, n_forms: int) -> _One:
        """Covariance of i and j: (sum of x_i x_j - sum of x_i times sum of x_j / n) / (n - 1), over the n forms with both."""
        lacking = self.absent.diagonal()
        n = n_forms - lacking[:, None] - lacking + self.absent
        sums = self.sums[:, None] - self.sums_absent
        with np.errstate(divide="ignore", invalid="ignore"):
            covariance = (self.products - sums * sums.T / n) / (n - 1)
            mean = self.sums / n.diagonal()
        return _One(
            n_forms,
            self.tally.n,
            self.tally.n_floor,
            self.tally.n_ceiling,
            n_used=int(n.min()),
            mean=mean,
            variance=covariance.diagonal(),
            with_sum=covariance.sum(axis=1),
            of_sum=covariance.sum(),
            mean_correlation=_mean_correlation(covariance),
        )


def _exact_pairs(span: int) -> tuple[type[np.floating[Any]], int]:
    """Type and number m of rows with which m span^2 and m (m span + 1) + m span are exact."""
    n_rows = int((_SINGLE / span) ** 0.5) - 1
    return (np.float32, n_rows) if n_rows >= 512 else (np.float64, _ROWS // 4)


def _product(left: Exact, right: Exact) -> Exact:
    """Sums over all forms of item i on the left times item j on the right."""
    return np.asarray((left.transpose(0, 2, 1) @ right).sum(axis=0))


def _mean_correlation(covariance: Floats) -> float:
    """Over pairs of items that vary; each covariance divided by the SDs of all answers to the two items (R: `cov2cor`)."""
    varies = covariance.diagonal() > 0
    k, sd = int(np.count_nonzero(varies)), np.sqrt(covariance.diagonal()[varies])
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = covariance[np.ix_(varies, varies)] / np.outer(sd, sd)
    return _mean_off_diagonal(correlation.sum(), k)


def _mean_off_diagonal(total: float, k: int) -> float:
    """Mean correlation of k items of which all k^2 correlations, those with themselves included, add up to `total`."""
    return float((total - k) / (k * (k - 1))) if k > 1 else np.nan
