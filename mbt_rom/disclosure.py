"""What may be shown about few people: the one place where small numbers are withheld.

Belongs here: the threshold, which cells of a table are withheld, and the code that says so. Does not belong here: computing
the numbers, and how a page words "withheld".

A withheld number is missing and named in the column `suppressed` ('all', or the names of the cells); it is never 0. What is
protected: somebody who reads one row of one release, knows these rules and adds and subtracts its cells cannot bring a
withheld count below the range 0 .. threshold - 1. Differencing of successive releases is not covered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]

ALL = "all"
_RESPONSE = ("n_received", "response_share", "response_lower_95", "response_upper_95")
_STARTED = ("n_started_in_reference_range",)
_IMPROVED = ("improved_share", "improved_lower_95", "improved_upper_95")
_WORSE = ("worse_share", "worse_lower_95", "worse_upper_95")
_PERMITTED = ("n_permitted", "permitted_share", "permitted_lower_95", "permitted_upper_95")
#: In the order in which they are given up to protect another one.
_WHY_NOT = (
    "n_never_recorded", "n_not_yet", "n_representative_missing", "n_representative_no_longer_decides", "n_withdrawn",
)  # fmt: skip
_SCORES = (
    "n_pairs", "mean_baseline", "mean_change", "change_lower_95", "change_upper_95",
    "effect", "effect_lower_95", "effect_upper_95",
)  # fmt: skip
_CLASSES = ("n_classified", *_STARTED, *_IMPROVED, *_WORSE)
_EVERY = ("n_eligible", *_RESPONSE, *_SCORES, *_CLASSES)


def too_few(n: npt.ArrayLike, *, threshold: int) -> Bools:
    """True where a number of patients is known and below the threshold; zero is, missing is not.

    >>> too_few([0, 9, 10, float("nan")], threshold=10).tolist()
    [True, True, False, False]
    """
    return np.asarray(np.asarray(n, dtype=float) < threshold)


def withheld_cells(counts: npt.ArrayLike, *, threshold: int) -> Bools:
    """Which cells are withheld where every row of counts adds up to a total that is shown.

    `counts`: rows x cells, the cells in the order in which they are given up to protect another one. A count below the
    threshold is withheld, and so is one whose complement is. Then, as long as what is withheld in a row could be worked out
    from the rest (a single cell, or cells that together stay below threshold - 1), the next cell is withheld too. The order
    is fixed and does not depend on the counts, so the choice itself tells nothing.

    >>> withheld_cells([[30, 15, 12, 40], [30, 15, 4, 40]], threshold=10).tolist()
    [[False, False, False, False], [True, False, True, False]]
    """
    cells = np.asarray(counts, dtype=float)
    total = cells.sum(axis=1, keepdims=True)
    withheld = (cells < threshold) | (total - cells < threshold)
    for column in range(cells.shape[1]):
        needy = withheld.any(axis=1) & (_is_single(withheld) | (_hidden_sum(cells, withheld) < threshold - 1))
        withheld[:, column] |= needy
    return np.asarray(withheld)


def _is_single(withheld: Bools) -> Bools:
    return np.asarray(withheld.sum(axis=1) == 1)


def _hidden_sum(cells: npt.NDArray[np.float64], withheld: Bools) -> npt.NDArray[np.float64]:
    return np.asarray(np.where(withheld, cells, 0).sum(axis=1))


def protect(benchmark: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """The benchmark as it may be shown: small cells missing, and named in `suppressed`.

    `benchmark`: rows of `benchmarks/programmes` with every number filled in. Per row:
    fewer than `threshold` eligible, or received where nobody is registered as eligible: everything ('all'); fewer received:
    the response cells and the outcome; fewer pairs: the outcome; and the counts of improved, worse and started in the
    reference range by `withheld_cells`, each with its share and limits. Who did not answer is not protected as a small
    count: a nearly complete response may be shown, since it says nothing about a health outcome.
    """
    received, eligible = _numbers(benchmark, "n_received"), _numbers(benchmark, "n_eligible")
    few_received = too_few(received, threshold=threshold)
    everything = too_few(eligible, threshold=threshold) | (np.isnan(eligible) & (few_received | np.isnan(received)))
    outcome = few_received | ~(_numbers(benchmark, "n_pairs") >= threshold)
    # whether a scale has classes at all does not depend on the patients, so saying that they are withheld tells nothing
    has_classes = ~np.isnan(_numbers(benchmark, "n_classified"))
    started, improved, worse = _classified_cells(benchmark, shown=has_classes & ~outcome, threshold=threshold)
    parts = [
        (few_received, _RESPONSE), (outcome, _SCORES), (outcome & has_classes, _CLASSES),
        (started, _STARTED), (improved, _IMPROVED), (worse, _WORSE),
    ]  # fmt: skip
    return _without(benchmark, [(everything, _EVERY), *parts], named=parts, everything=everything)


def _classified_cells(benchmark: pd.DataFrame, *, shown: Bools, threshold: int) -> tuple[Bools, Bools, Bools]:
    """Which rows withhold started, improved and worse; the rest (no reliable change) has no cell but can be derived."""
    total = np.where(shown, _numbers(benchmark, "n_classified"), 0)
    started = np.where(shown, _numbers(benchmark, "n_started_in_reference_range"), 0)
    improved = np.rint(np.where(shown, _numbers(benchmark, "improved_share"), 0) * total)
    worse = np.rint(np.where(shown, _numbers(benchmark, "worse_share"), 0) * total)
    rest = total - started - improved - worse
    withheld = withheld_cells(np.column_stack([rest, started, worse, improved]), threshold=threshold)
    withheld &= shown[:, None]
    return withheld[:, 1], withheld[:, 3], withheld[:, 2]


def protect_response(response: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Response as it may be published: rows of `outcomes/response` with a column `suppressed` added.

    Fewer than `threshold` eligible: all counts; fewer received: received and its share. Deaths below the threshold are
    withheld together with the number not yet due, from which they could be worked out; where even these two together could
    be (they stay below threshold - 1), the number started is withheld as well.
    """
    eligible, received = _numbers(response, "n_eligible"), _numbers(response, "n_received")
    few_received = too_few(received, threshold=threshold)
    everything = too_few(eligible, threshold=threshold) | (np.isnan(eligible) & few_received)
    not_due, died = _numbers(response, "n_not_yet_due"), _numbers(response, "n_not_eligible")
    few_died = too_few(died, threshold=threshold)
    few_both = few_died & too_few(not_due + died, threshold=threshold - 1)
    parts = [
        (few_received, ("n_received", "response_share", "lower_95", "upper_95")),
        (few_died, ("n_not_yet_due", "n_not_eligible")), (few_both, ("n_started",)),
    ]  # fmt: skip
    every = ("n_started", "n_not_yet_due", "n_not_eligible", "n_eligible", *parts[0][1])
    return _without(response, [(everything, every), *parts], named=parts, everything=everything)


def protect_inclusion(inclusion: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Who is in a comparison, as it may be published: the rows with a column `suppressed` added.

    `inclusion`: rows of `benchmarks/inclusion` with every number filled in. Fewer than `threshold` started: all counts; fewer permitted:
    all but the number who started. How many are not permitted is no protected count, as little as how many did not answer: it tells
    nothing about health, and a comparison must say who is missing. Why they are not is: the reasons are cells of a shown total, see
    `withheld_cells`. Where the total is 0, and where no register was delivered, the reasons follow from what is shown.
    """
    started, permitted = _numbers(inclusion, "n_started"), _numbers(inclusion, "n_permitted")
    has_register = inclusion["has_register"].to_numpy(dtype=bool)
    everything = too_few(started, threshold=threshold)
    few = too_few(permitted, threshold=threshold) & has_register
    counts = np.column_stack([_numbers(inclusion, name) for name in _WHY_NOT])
    withheld = withheld_cells(counts, threshold=threshold) & (has_register & (started > permitted))[:, None]
    reasons: Cells = [(withheld[:, i] | few, (name,)) for i, name in enumerate(_WHY_NOT)]
    parts = [(few, _PERMITTED), *reasons]
    return _without(
        inclusion, [(everything, ("n_started", *_PERMITTED, *_WHY_NOT)), *parts], named=parts, everything=everything
    )


def total_may_be_shown(benchmark: pd.DataFrame, *, by: Sequence[str]) -> pd.Series:
    """Per row: may a total over the rows that agree in `by` be shown? Only when none of those rows withholds anything.

    Otherwise the total minus the shown programmes would give the withheld one away.

    >>> import pandas as pd
    >>> shown = pd.DataFrame({"scale": ["gsi", "gsi", "pst"], "suppressed": ["", "all", ""]})
    >>> total_may_be_shown(shown, by=["scale"]).tolist()
    [False, False, True]
    """
    is_open = benchmark["suppressed"] == ""
    total: pd.Series = is_open.groupby([benchmark[column] for column in by], dropna=False).transform("all").astype(bool)
    return total


def _numbers(frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    return np.asarray(frame[column].to_numpy(dtype=float, na_value=np.nan))


Cells = list[tuple[Bools, tuple[str, ...]]]


def _without(frame: pd.DataFrame, cells: Cells, *, named: Cells, everything: Bools) -> pd.DataFrame:
    """The frame with those cells missing and `suppressed` naming them; names do not depend on the withheld numbers."""
    shown = frame.copy()
    for rows, columns in cells:
        for column in columns:
            shown[column] = shown[column].mask(rows)
    names = np.full(len(frame), "", dtype=object)
    for rows, columns in named:
        names[rows] = names[rows] + (" " + " ".join(columns))
    shown["suppressed"] = np.where(everything, ALL, [name.strip() for name in names]).astype(object)
    return shown
