"""How well the items of a scale hold together in the forms at hand: alpha, item-total correlations, SEM, floor and ceiling.

Belongs here: figures about a scale that need nothing but accepted answers, per programme and moment, with their intervals,
and how they compare with a published coefficient. Does not belong here: careless answering (`careless`), agreement between
raters, the reliability that reliable change rests on (`norms`: always a published one, never the local one).

The answers of a scale are first turned into `Contribution`s, what each item adds to the score; everything after that is the
same for every scoring method, and every figure comes from the variances and covariances that `item_moments` gathers.
Two policies for missing answers, as in pingouin and R's psych:

- `listwise` (the default): only forms that are complete on the scale. All figures are about the same forms and have an
  interval.
- `pairwise`: each covariance from the forms that answered both items. More answers are used, but no form stands behind the
  figures as a whole: the interval of alpha takes the number of forms of the sparsest pair, and SEM has none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from mbt_rom.intervals import wilson
from mbt_rom.item_moments import Contribution, ItemTable, Moments, listwise, pairwise, persons
from mbt_rom.keys import lookup, row_codes
from mbt_rom.model import Instrument, Item, Method, Reliability, Scale
from mbt_rom.schedule import UNSCHEDULED, month_of
from mbt_rom.scoring import MISSING, Answers, answers_of

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]
Policy = Literal["listwise", "pairwise"]

#: Fewest items: with one there is nothing to hold together, and k / (k - 1) does not exist.
MIN_ITEMS = 2
#: Fewest items of a scale in our tables. With two, the item-total correlation is the same number twice, and alpha no more
#: than that correlation in other words.
MIN_ITEMS_SHOWN = 3
#: Fewest forms. With ten, Feldt's interval of an alpha of .80 on nine items runs from .54 to .94, from useless to excellent;
#: with fewer there is not even that much to say.
MIN_FORMS = 10

TOO_FEW_ITEMS, TOO_FEW_FORMS, NO_VARIANCE = "too_few_items", "too_few_forms", "no_variance"
#: Why a figure was not estimated.
REASONS: dict[str, str] = {
    TOO_FEW_ITEMS: f"the scale has fewer than {MIN_ITEMS} items",
    TOO_FEW_FORMS: f"fewer than {MIN_FORMS} forms can be used",
    NO_VARIANCE: "all forms have the same score, so there is nothing to tell apart",
}


class Estimate(NamedTuple):
    """A figure with its interval: three arrays of one shape; missing (NaN) where it could not be estimated."""

    value: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Consistency:
    """Figures of one scale: arrays with one entry per group; `item_total` and `item_sd` have one row per group, one column per item.

    `n_forms`: rows of the group. `n_complete`: rows with an answer to every item, over which floor and ceiling are counted.
    `n_used`: forms behind alpha and its interval (complete ones, or those of the sparsest pair). `n_items_varying`: items that
    were not answered the same by everybody. `sd` and `sem` are in points of the sum. `reason`: a key of `REASONS`, or "" where
    alpha was estimated.
    """

    items: tuple[str, ...]
    missing: Policy
    n_forms: Integers
    n_complete: Integers
    n_used: Integers
    n_items_varying: Integers
    alpha: Estimate
    item_total: Estimate
    item_sd: Floats
    mean_inter_item: Estimate
    sd: Floats
    sem: Estimate
    floor: Estimate
    ceiling: Estimate
    reason: Words


# --- what an item adds to a scale ---------------------------------------------------------------------------------------


def contribution(scale: Scale, item: Item, answers: npt.NDArray[np.int8]) -> Contribution:
    """What the answers to `item` add to `scale`: the answer itself, turned round where the scale reverses it, or recoded.

    For a count over items of two answers: 1 where the answer, turned round where need be, reaches the threshold, else 0. With an
    answer key: 1 where the answer is the right one, else 0.
    Raises ValueError for a method that does not add up items (see `has_consistency`).

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> contribution(phq9.primary, phq9.items[0], np.array([3, MISSING], dtype=np.int8)).values.tolist()
    [3, -128]
    """
    if scale.method not in _CONTRIBUTIONS:
        raise ValueError(
            f"scale '{scale.id}' ({scale.method}) is no sum of its items, so they have no contribution to it"
        )
    keyed = answers
    if item.id in scale.reverse:
        keyed = np.where(answers == MISSING, MISSING, np.int8(item.min + item.largest) - answers)
    return _CONTRIBUTIONS[scale.method](scale, item, keyed)


def _answer(scale: Scale, item: Item, keyed: npt.NDArray[np.int8]) -> Contribution:
    if scale.recode is None:
        return Contribution(item.id, keyed, item.min, item.largest)
    of_answer = scale.recode.of(item.id)
    values = np.array([of_answer[answer] for answer in range(item.min, item.largest + 1)], dtype=np.int8)
    recoded = values[np.where(keyed == MISSING, item.min, keyed) - item.min]
    return Contribution(item.id, np.where(keyed == MISSING, MISSING, recoded), int(values.min()), int(values.max()))


def _is_right(scale: Scale, item: Item, keyed: npt.NDArray[np.int8]) -> Contribution:
    right = (keyed == scale.answer_key[item.id]).astype(np.int8)
    return Contribution(item.id, np.where(keyed == MISSING, MISSING, right), 0, 1)


def _reaches_threshold(scale: Scale, item: Item, keyed: npt.NDArray[np.int8]) -> Contribution:
    reached = (keyed >= (scale.threshold or 0)).astype(np.int8)
    return Contribution(item.id, np.where(keyed == MISSING, MISSING, reached), 0, 1)


_CONTRIBUTIONS: dict[Method, Callable[[Scale, Item, npt.NDArray[np.int8]], Contribution]] = {
    "sum": _answer,
    "mean": _answer,
    "count_at_least": _reaches_threshold,
    "answer_key": _is_right,
}


def has_consistency(definition: Instrument, scale: Scale) -> bool:
    """True for scales whose internal consistency says something: sums, means, right answers, counts over items of two answers.

    A count over items of more than two answers (the BSI's number of symptoms) throws away what the sum keeps; the sum stands
    for it. Scales of fewer than `MIN_ITEMS_SHOWN` items have none, nor have events that are counted without a limit.
    """
    items = [item for item in definition.items if item.id in scale.items]
    if scale.method not in _CONTRIBUTIONS or len(items) < MIN_ITEMS_SHOWN or any(item.max is None for item in items):
        return False
    return scale.method != "count_at_least" or {item.largest - item.min for item in items} == {1}


# --- figures of one scale -----------------------------------------------------------------------------------------------


def internal_consistency(
    contributions: Sequence[Contribution],
    *,
    groups: npt.NDArray[np.integer[Any]] | None = None,
    n_groups: int = 1,
    missing: Policy = "listwise",
    min_forms: int = MIN_FORMS,
    confidence: float = 0.95,
    with_second_pass: bool = True,
) -> Consistency:
    """Internal consistency of one scale, for all groups in one call.

    `contributions`: one per item, all of one length, row i being one form. `groups`: the group of each row, 0 to
    `n_groups` - 1, or -1 for a row that is left out; one group of all rows where it is not given.

    With k items, item variances v_i, their covariances c_ij and the variance V of the sum:

    - alpha = k/(k-1) (1 - sum v_i / V); Cronbach (1951), Psychometrika 16:297-334. Interval: Feldt (1965), see `feldt`;
    - item-total correlation, corrected: the item against the sum of the *other* items,
      (c_iT - v_i) / sqrt(v_i (V - 2 c_iT + v_i)) with c_iT the covariance of item and sum; Henrysson (1963),
      Psychometrika 28:211-218. Interval: Fisher's z;
    - SEM = sqrt(V (1 - alpha)), in points of the sum. Its square is the mean over persons of
      n/(n-1) k/(k-1) sum_i e_i^2 with e_i the answer less the item's mean less the person's own mean deviation, so that its
      interval is that of a mean over persons, on the scale of logarithms: SEM exp(-/+ t(n-1) s / (2 m sqrt(n))), m and s mean
      and SD over persons. It assumes nothing about the items; the chi-square interval that goes with Feldt's model covers
      40 to 90 % instead of 95 % when items differ in spread, as they do;
    - mean correlation between items, over the items that vary. Interval: Feldt's for the alpha of standardised items,
      turned back (r = a / (k - (k-1) a)), an approximation;
    - shares of complete forms at the lowest and highest possible score, with Wilson limits.

    Feldt's, Fisher's and Wilson's intervals assume independent forms; Feldt's and Fisher's also that answers are about
    normal and items alike. They hold well for answers in the middle of their range. Where most answers are zero they
    cover about 80 % instead of 95 %, and the upper limit of alpha lies too low in one case of nine instead of forty:
    `docs/methods.md` has the simulation, a test repeats it. Checked against pingouin, statsmodels (analysis of variance)
    and scipy.

    SEM's interval and, with `listwise`, the mean correlation need a second pass over the answers: without
    `with_second_pass` they stay missing. An item that does not vary has no item-total correlation. Raises ValueError where
    columns differ in length, a group lies outside 0..n_groups - 1, or an answer lies outside its bounds (naming the item).

    >>> answers = {"a": [1, 2, 3, 4], "b": [1, 3, 2, 4], "c": [2, 2, 3, 5]}
    >>> scale = [Contribution(i, np.array(column, dtype=np.int8), 1, 5) for i, column in answers.items()]
    >>> figures = internal_consistency(scale, min_forms=4)
    >>> float(figures.alpha.value[0].round(4)), figures.item_total.value[0].round(3).tolist()
    (0.9286, [0.923, 0.781, 0.866])
    """
    table = ItemTable.of(contributions, groups=groups, n_groups=n_groups)
    found = listwise(table) if missing == "listwise" else pairwise(table)
    least = max(min_forms, 2)
    error = np.full(n_groups, np.nan)
    if with_second_pass and missing == "listwise":
        second = persons(table, found, least=least)
        error, found = second.relative_error, found._replace(mean_correlation=second.mean_correlation)
    return _figures(table.names, found, error, missing=missing, least=least, confidence=confidence)


def feldt(
    alpha: npt.ArrayLike, *, n_forms: npt.ArrayLike, n_items: npt.ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Lower and upper limit of coefficient alpha: 1 - (1 - alpha) F, F the upper and lower quantile with n - 1 and (n-1)(k-1) df.

    Feldt (1965), Psychometrika 30:357-370; formulas 6 and 7 of Feldt, Woodruff & Salih (1987), Applied Psychological
    Measurement 11:93-103. Exact for normal answers with equal variances and covariances. Missing (NaN) where n or k is below 2.
    Checked against pingouin and against what an R function of C. Evans prints.

    >>> [round(float(x), 7) for x in feldt(0.913, n_forms=873, n_items=20)]
    [0.9044024, 0.9211588]
    """
    from scipy.special import fdtri

    a, n, k = (np.asarray(x, dtype=float) for x in (alpha, n_forms, n_items))
    first = np.where((n >= 2) & (k >= 2), n - 1, np.nan)
    second, tail = first * (k - 1), (1 - confidence) / 2
    return 1 - (1 - a) * fdtri(first, second, 1 - tail), 1 - (1 - a) * fdtri(first, second, tail)


def fisher(r: npt.ArrayLike, *, n: npt.ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Lower and upper limit of a correlation: tanh(artanh r -/+ z / sqrt(n - 3)); missing (NaN) where n is below 4.

    Fisher (1921), Metron 1:3-32. Assumes that both variables are about normal.

    >>> [round(float(x), 3) for x in fisher(0.5, n=28)]
    [0.156, 0.736]
    """
    from scipy.special import ndtri

    size = np.asarray(n, dtype=float)
    half = ndtri(0.5 + confidence / 2) / np.sqrt(np.where(size >= 4, size - 3, np.nan))
    with np.errstate(divide="ignore"):
        middle = np.arctanh(np.clip(np.asarray(r, dtype=float), -1, 1))
    return np.tanh(middle - half), np.tanh(middle + half)


def below_published(estimate: Estimate, published: npt.ArrayLike) -> Bools:
    """True where the whole interval of the local coefficient lies below the published one; never where either is missing.

    A lower alpha is no fault of the forms by itself: people who resemble each other more than the published sample did give
    a lower one at the same accuracy, which SEM shows.

    >>> below_published(Estimate(np.array([0.8]), np.array([0.7]), np.array([0.87])), [0.86, 0.87, 0.88]).tolist()
    [False, False, True]
    """
    return np.asarray(estimate.upper < np.asarray(published, dtype=float))


# --- from sums to figures -----------------------------------------------------------------------------------------------


def _figures(
    items: tuple[str, ...], found: Moments, error: Floats, *, missing: Policy, least: int, confidence: float
) -> Consistency:
    """`error`: relative standard error of the squared SEM."""
    k, n, enough = len(items), found.n_used, found.n_used >= least
    n_varying = (found.variance > 0).sum(axis=1)
    # From pairs, the variance of a sum that does not vary is 0 but for rounding.
    varies = found.of_sum > 1e-12 * found.variance.sum(axis=1)
    of_sum = np.where(enough & varies, found.of_sum, np.nan)
    ratio = k / (k - 1) if k > 1 else np.nan
    alpha = _rounded_to_one(ratio * (1 - found.variance.sum(axis=1) / of_sum))
    return Consistency(
        items=items,
        missing=missing,
        n_forms=found.n_forms,
        n_complete=found.n_complete,
        n_used=n,
        n_items_varying=n_varying,
        alpha=Estimate(alpha, *feldt(alpha, n_forms=n, n_items=k, confidence=confidence)),
        item_total=_with_fisher(_item_total(found, of_sum), n[:, None], confidence),
        item_sd=np.sqrt(np.where(enough[:, None], found.variance, np.nan)),
        mean_inter_item=_with_feldt(np.where(enough, found.mean_correlation, np.nan), n, n_varying, confidence),
        sd=np.sqrt(np.where(enough, np.where(varies, found.of_sum, 0), np.nan)),
        sem=_with_log_t(np.sqrt(np.maximum(of_sum * (1 - alpha), 0)), error, n, confidence),
        floor=_share(found.n_floor, found.n_complete, least, confidence),
        ceiling=_share(found.n_ceiling, found.n_complete, least, confidence),
        reason=_reasons(k, enough, of_sum),
    )


def _rounded_to_one(alpha: Floats) -> Floats:
    return np.where(np.abs(alpha - 1) < 1e-12, 1, alpha)


def _item_total(found: Moments, of_sum: Floats) -> Floats:
    """Correlation of each item with the sum of the others; missing where either does not vary.

    Pairs of items from different forms may fit together so badly that it would lie beyond 1: then it is missing too.
    """
    rest = of_sum[:, None] - 2 * found.with_sum + found.variance
    vary = (found.variance > 0) & (rest > 1e-12 * of_sum[:, None])
    correlation = (found.with_sum - found.variance) / np.sqrt(np.where(vary, found.variance * rest, np.nan))
    return np.clip(np.where(np.abs(correlation) > 1 + 1e-9, np.nan, correlation), -1, 1)


def _reasons(n_items: int, enough: Bools, of_sum: Floats) -> Words:
    if n_items < MIN_ITEMS:
        return np.full(len(enough), TOO_FEW_ITEMS, dtype=object)
    return np.where(enough, np.where(np.isnan(of_sum), NO_VARIANCE, ""), TOO_FEW_FORMS).astype(object)


def _with_fisher(r: Floats, n: Integers, confidence: float) -> Estimate:
    return Estimate(r, *fisher(r, n=n, confidence=confidence))


def _with_feldt(r: Floats, n: Integers, n_items: Integers, confidence: float) -> Estimate:
    """Limits of a mean correlation by way of alpha of standardised items: a = k r / (1 + (k-1) r), r = a / (k - (k-1) a).

    There are none at the lowest possible mean correlation, -1 / (k-1), where that alpha has no bound.
    """
    k = np.where(n_items > 1, n_items, np.nan)
    spread = 1 + (k - 1) * r
    alpha = _rounded_to_one(k * r / np.where(spread > 1e-9, spread, np.nan))
    limits = feldt(alpha, n_forms=n, n_items=k, confidence=confidence)
    return Estimate(r, *(limit / (k - (k - 1) * limit) for limit in limits))


def _with_log_t(sem: Floats, relative_error: Floats, n: Integers, confidence: float) -> Estimate:
    """Limits of SEM, whose square is a mean over n persons with that relative standard error; none where SEM is 0."""
    from scipy.special import stdtrit

    half = stdtrit(np.maximum(n - 1, 1), 0.5 + confidence / 2) * np.where(sem > 0, relative_error, np.nan) / 2
    return Estimate(sem, sem * np.exp(-half), sem * np.exp(half))


def _share(count: Integers, n: Integers, least: int, confidence: float) -> Estimate:
    return Estimate(*wilson(count=np.where(n >= least, count, 0), n=np.where(n >= least, n, 0), confidence=confidence))


# --- tables -------------------------------------------------------------------------------------------------------------

_GROUP = ["programme_id", "edition", "moment"]


def psychometrics(
    definition: Instrument, items: pd.DataFrame, *, missing: Policy = "listwise", min_forms: int = MIN_FORMS
) -> pd.DataFrame:
    """Figures of every scale that has any: one row per programme, edition, moment and scale.

    `items`: accepted rows of the items table, any number of programmes: `programme_id`, `edition`, `moment` and one column per
    item. A row counts as one independent form; of a moment at which one person may have several (`unscheduled`), pass one.

    Columns, beside the key: `n_forms`, `n_complete`, `n_used` (forms behind alpha), `n_items`, `n_items_varying`, `method`
    (`listwise` or `pairwise`); `alpha`, `mean_inter_item`, `sem`, `floor_share`, `ceiling_share`, each with `_lower_95` and
    `_upper_95`; `score_sd`; `lowest_item_total` and the `lowest_item` that has it; `published_alpha`, the lowest published and
    not provisional one, its `published_alpha_id`, and `is_below_published` (missing where there is none or no interval);
    `reason`, a key of `REASONS`, missing where alpha was estimated. SEM and SD are in points of the scale: for a mean score
    those of the sum divided by the number of items.
    """
    import pandas as pd

    parts = [_scale_rows(definition, *found) for found in _found(definition, items, missing, min_forms)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def item_psychometrics(
    definition: Instrument, items: pd.DataFrame, *, missing: Policy = "listwise", min_forms: int = MIN_FORMS
) -> pd.DataFrame:
    """Figures of every item: one row per programme, edition, moment, scale and item.

    `items` as for `psychometrics`. Columns, beside the key: `n_used`, `method`, `item_sd`, and `item_total`, the correlation
    with the sum of the other items, with `_lower_95` and `_upper_95`; `reason` as for the scale.
    """
    import pandas as pd

    parts = [_item_rows(definition, *found) for found in _found(definition, items, missing, min_forms)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def at_moments(items: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """The forms of `items` that were matched to a moment of the plan (`outcomes/expected`), with that moment.

    Forms that fit no moment are left out: a person may have many, and they are no independent forms.
    """
    matched = expected[expected["row_id"].notna() & (expected["moment"] != UNSCHEDULED)]
    by = ["programme_id", "row_id"]
    of_items, of_matched = row_codes(items, matched, columns=by)
    found = lookup(of_items, of_matched)
    moments = matched["moment"].to_numpy()[found[found >= 0]]
    return items[found >= 0].reset_index(drop=True).assign(moment=moments)


def below_published_findings(table: pd.DataFrame) -> pd.DataFrame:
    """One notice per scale, programme and moment whose alpha lies, interval and all, below the published one.

    `table`: rows of `outcomes/psychometrics`.
    """
    from mbt_rom.findings import as_findings

    below = table[table["is_below_published"].fillna(False)]
    details = [
        f"{r.scale}, {r.moment}: alpha {r.alpha:.2f} ({r.alpha_lower_95:.2f} to {r.alpha_upper_95:.2f}) in {r.n_used} forms; "
        f"published {r.published_alpha:.2f}"
        for r in below.itertuples()
    ]
    rows = below[["programme_id"]].assign(rule="local_alpha_below_published", item=below["instrument"], detail=details)
    return as_findings(rows, source="psychometrics")


def published_alpha(definition: Instrument, scale_id: str) -> Reliability | None:
    """The lowest coefficient alpha that was published for a scale and was seen in print; None where there is none.

    The lowest, because a local interval below it lies below all of them.
    """
    alphas = [r for r in definition.reliabilities if r.scale == scale_id and r.kind == "alpha" and not r.is_provisional]
    return min(alphas, key=lambda record: record.value, default=None)


def contributions_of(definition: Instrument, scale: Scale, answers: Answers) -> list[Contribution]:
    """What the items of a scale add to it, in the order of the scale.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> forms = {item: np.array([0, 3], dtype=np.int8) for item in phq9.item_ids}
    >>> len(contributions_of(phq9, phq9.primary, forms))
    9
    """
    by_id = {item.id: item for item in definition.items}
    return [contribution(scale, by_id[item], answers[item]) for item in scale.items]


def _found(
    definition: Instrument, items: pd.DataFrame, missing: Policy, min_forms: int
) -> Iterator[tuple[pd.DataFrame, Scale, Consistency]]:
    """Keys of the groups (one row each), and for each scale its figures in their order."""
    table = items[_GROUP].assign(edition=items["edition"].fillna(definition.edition))
    (codes,) = row_codes(table, columns=_GROUP)
    groups = table.take(np.unique(codes, return_index=True)[1]).reset_index(drop=True)
    order = groups.assign(month=groups["moment"].map(month_of)).sort_values(
        ["programme_id", "edition", "month", "moment"]
    )
    place = np.argsort(order.index.to_numpy())
    answers = answers_of(definition, items)
    for scale in definition.scales if len(groups) else ():
        if has_consistency(definition, scale):
            yield (
                order[_GROUP].reset_index(drop=True),
                scale,
                internal_consistency(
                    contributions_of(definition, scale, answers),
                    groups=place[codes],
                    n_groups=len(groups),
                    missing=missing,
                    min_forms=min_forms,
                ),
            )


def _scale_rows(definition: Instrument, groups: pd.DataFrame, scale: Scale, figures: Consistency) -> pd.DataFrame:
    import pandas as pd

    unit = len(scale.items) if scale.method == "mean" else 1
    published = published_alpha(definition, scale.id)
    table = _key(definition, groups, scale).assign(
        n_forms=figures.n_forms,
        n_complete=figures.n_complete,
        n_used=figures.n_used,
        n_items=len(figures.items),
        n_items_varying=figures.n_items_varying,
        method=figures.missing,
        **_columns("alpha", figures.alpha),
        **_columns("mean_inter_item", figures.mean_inter_item),
        score_sd=figures.sd / unit,
        **_columns("sem", Estimate(*(part / unit for part in figures.sem))),
        **_columns("floor_share", figures.floor),
        **_columns("ceiling_share", figures.ceiling),
        **_lowest(figures),
        published_alpha=published.value if published else np.nan,
        published_alpha_id=published.id if published else None,
    )
    is_below = pd.Series(below_published(figures.alpha, table["published_alpha"]), dtype="boolean")
    table["is_below_published"] = is_below.mask(table["alpha_upper_95"].isna() | table["published_alpha"].isna())
    table["reason"] = _reason_column(figures.reason)
    return table


def _item_rows(definition: Instrument, groups: pd.DataFrame, scale: Scale, figures: Consistency) -> pd.DataFrame:
    n_groups, n_items = figures.item_sd.shape
    table = _key(definition, groups, scale)
    table = table.take(np.repeat(np.arange(n_groups), n_items)).reset_index(drop=True)
    return table.assign(
        item=np.tile(np.array(figures.items, dtype=object), n_groups),
        n_used=np.repeat(figures.n_used, n_items),
        method=figures.missing,
        item_sd=figures.item_sd.ravel(),
        **_columns("item_total", Estimate(*(part.ravel() for part in figures.item_total))),
        reason=_reason_column(np.repeat(figures.reason, n_items)),
    )


def _key(definition: Instrument, groups: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    table = groups.assign(instrument=definition.id, scale=scale.id)
    return table[["programme_id", "instrument", "edition", "scale", "moment"]]


def _columns(name: str, estimate: Estimate) -> dict[str, Floats]:
    return {name: estimate.value, f"{name}_lower_95": estimate.lower, f"{name}_upper_95": estimate.upper}


def _lowest(figures: Consistency) -> dict[str, npt.NDArray[Any]]:
    """The lowest item-total correlation and its item; missing where no item has one."""
    values = np.where(np.isnan(figures.item_total.value), np.inf, figures.item_total.value)
    lowest = values.min(axis=1)
    names = np.array(figures.items, dtype=object)[values.argmin(axis=1)]
    names[np.isinf(lowest)] = None
    return {"lowest_item_total": np.where(np.isinf(lowest), np.nan, lowest), "lowest_item": names}


def _reason_column(reason: Words) -> pd.Series:
    import pandas as pd

    return pd.Series(reason, dtype="str").replace("", None)
