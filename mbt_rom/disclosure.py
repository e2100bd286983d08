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

from mbt_rom import intervals

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
    be (they stay below threshold - 1), the number started is withheld as well. Those who withdrew are treated as the dead are.
    Who came late, who had left and why forms did not come is for the programme alone: those counts are never published.
    """
    from mbt_rom.tables import NONRESPONSE_REASONS

    unpublished = {*_FOR_THE_PROGRAMME, *(f"n_{reason}" for reason in NONRESPONSE_REASONS)}
    response = response.drop(columns=[name for name in response.columns if name in unpublished])
    eligible, received = _numbers(response, "n_eligible"), _numbers(response, "n_received")
    few_received = too_few(received, threshold=threshold)
    everything = too_few(eligible, threshold=threshold) | (np.isnan(eligible) & few_received)
    not_due, died = _numbers(response, "n_not_yet_due"), _numbers(response, "n_not_eligible")
    withdrawn = _numbers(response, "n_withdrawn")
    few_died = too_few(died, threshold=threshold) | too_few(withdrawn, threshold=threshold)
    few_both = few_died & too_few(not_due + died + np.nan_to_num(withdrawn), threshold=threshold - 1)
    parts = [
        (few_received, ("n_received", "response_share", "lower_95", "upper_95")),
        (few_died, ("n_not_yet_due", "n_not_eligible", "n_withdrawn")), (few_both, ("n_started",)),
    ]  # fmt: skip
    every = ("n_started", "n_not_yet_due", "n_not_eligible", "n_withdrawn", "n_eligible", *parts[0][1])
    return _without(response, [(everything, every), *parts], named=parts, everything=everything)


#: Ends that are too rare to stand alone on a published page: together they are `n_other_end`.
OTHER_ENDS = ("n_referred_on", "n_died", "n_ended")
_BEGUN = ("n_closed", "n_before_start", "n_began")
_TREATED = ("n_in_treatment", "n_other_end", "n_dropped_out", "n_completed")
#: Months between the points of a published curve, so that a step of one person is not a date.
CURVE_MONTHS = 3


def protect_flow(flow: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Flow as it may be published: `cohort`, counts, the share completed, medians, and `suppressed`.

    `flow`: rows of `outcomes/flow`. Rare ends are one count, `n_other_end`; those referred are `n_closed` (not taken on, or
    ended before the start), `n_before_start` and `n_began`. In the row of all cohorts a small count is withheld with what it could be
    worked out from (`withheld_cells`), its share with it. A single cohort is shown as a whole or not at all: only when none of its
    counts is small, and when those that are not shown, taken together, could be shown, too: all cohorts minus the others gives them.
    """
    known = flow.fillna({"n_not_taken_on": 0, "n_waiting": 0, "n_introductory": 0})
    rows = flow.assign(
        n_other_end=flow[list(OTHER_ENDS)].sum(axis=1),
        n_closed=known["n_not_taken_on"] + known["n_left_before_start"],
        n_before_start=known["n_undecided"] + known["n_waiting"] + known["n_introductory"],
    )
    rows["n_began"] = rows["n_referred"] - rows["n_closed"] - rows["n_before_start"]
    is_all = (rows["cohort"] == "all").to_numpy(dtype=bool)
    begun, treated = (
        withheld_cells(rows[list(names)].to_numpy(dtype=float), threshold=threshold) & is_all[:, None]
        for names in (_BEGUN, _TREATED)
    )
    is_hidden = _hidden_cohorts(rows, threshold=threshold)
    few_started = too_few(_numbers(rows, "n_started"), threshold=threshold) & is_all
    few_referred = too_few(_numbers(rows, "n_referred"), threshold=threshold) & is_all
    parts: Cells = [(begun[:, k], (name,)) for k, name in enumerate(_BEGUN)]
    parts += [(treated[:, k], (name,)) for k, name in enumerate(_TREATED)]
    shares = ("completed_share", "completed_lower_95", "completed_upper_95")
    waits = ("wait_km_median", "wait_km_lower_95", "wait_km_upper_95")
    stays = ("stay_km_median", "stay_km_lower_95", "stay_km_upper_95")
    began = begun[:, 2] | too_few(_numbers(rows, "n_wait"), threshold=threshold)
    over = too_few(_numbers(rows, "n_stay"), threshold=threshold)
    parts += [(treated[:, 3] | treated[:, 0], shares), (began & is_all, waits), (over & is_all, stays)]
    parts += [(few_started, ("n_started", *_TREATED, *shares, *stays)), (few_referred, ("n_referred", *_BEGUN, *waits))]
    every = ("n_referred", *_BEGUN, "n_started", *_TREATED, *shares, *waits, *stays)
    kept = rows[["programme_id", "cohort", "complete_on", "is_complete", *every]]
    return _without(kept, [(is_hidden, every), *parts], named=parts, everything=is_hidden)


def _hidden_cohorts(rows: pd.DataFrame, *, threshold: int) -> Bools:
    """Cohorts that are not shown: those with a small count, and as many of the smallest others as protect these."""
    counts = rows[["n_started", "n_referred", *_BEGUN, *_TREATED, "n_wait", "n_stay"]].to_numpy(dtype=float)
    is_cohort = (rows["cohort"] != "all").to_numpy(dtype=bool)
    hidden = is_cohort & (counts < threshold).any(axis=1)
    for programme in rows["programme_id"].unique():
        mine = is_cohort & (rows["programme_id"] == programme).to_numpy(dtype=bool)
        while (
            (mine & hidden).any() and (mine & ~hidden).any() and (counts[mine & hidden].sum(axis=0) < threshold).any()
        ):
            open_ones = np.flatnonzero(mine & ~hidden)
            hidden[open_ones[np.argmin(counts[open_ones, 0])]] = True
    return hidden


def protect_curves(curves: pd.DataFrame, shown: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Curves as they may be published: of all cohorts together, every `CURVE_MONTHS` months; few at risk are not counted.

    `curves`: rows of `outcomes/flow_curves`; `shown`: from `protect_flow`. The rare ends are one curve, `other_end`, without limits. The ends
    are left out where one of their counts is withheld, waiting and staying where it has happened to few. A step between two points may
    stand for fewer: it tells within which three months, not what became of whom.
    """
    import pandas as pd

    rows = curves[(curves["cohort"] == "all") & (curves["month"] % CURVE_MONTHS == 0)]
    is_rare = rows["outcome"].isin([name.removeprefix("n_") for name in OTHER_ENDS])
    rare = rows[is_rare].groupby(["programme_id", "cohort", "curve", "month"])
    other = rare[["n_at_risk", "n_persons"]].first().assign(share=rare["share"].sum(min_count=len(OTHER_ENDS)))
    rows = pd.concat([rows[~is_rare], other.reset_index().assign(outcome="other_end")], ignore_index=True)
    of_all = shown[shown["cohort"] == "all"].set_index("programme_id")["suppressed"]
    told = rows["programme_id"].map({p: set(str(names).split()) for p, names in of_all.items()})
    needed = {"wait": {"wait_km_median"}, "stay": {"stay_km_median", "n_in_treatment"}, "end": set(_TREATED)}
    is_open = [not (names & needed[curve]) for names, curve in zip(told, rows["curve"], strict=True)]
    rows["n_at_risk"] = rows["n_at_risk"].mask(too_few(_numbers(rows, "n_at_risk"), threshold=threshold))
    kept: pd.DataFrame = rows.loc[np.array(is_open, dtype=bool) & rows["share"].notna().to_numpy()].reset_index(
        drop=True
    )
    return kept


def protect_attendance(months: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Rows of `outcomes/attendance_by_month` that may be published: those of months with patients enough."""
    enough = ~too_few(_numbers(months, "n_patients"), threshold=threshold)
    kept: pd.DataFrame = months[enough & months["attended_share"].notna().to_numpy()]
    return kept.reset_index(drop=True)


def protect_leavers(response: pd.DataFrame, *, threshold: int) -> pd.DataFrame:
    """Response of those who left treatment and of the others, where both groups and those who answered of each are enough.

    `response`: rows of `outcomes/response`. Columns: programme_id, instrument, moment, and of both groups (`left_`, `other_`) eligible,
    received, share, lower_95 and upper_95 (Wilson 1927).
    """
    columns = {"left_eligible": "n_left_eligible", "left_received": "n_left_received"}
    rows = response[["programme_id", "instrument", "moment"]].assign(**{k: response[c] for k, c in columns.items()})
    rows["other_eligible"] = response["n_eligible"] - response["n_left_eligible"]
    rows["other_received"] = response["n_received"] - response["n_left_received"]
    counts: npt.NDArray[np.float64] = rows[
        ["left_eligible", "left_received", "other_eligible", "other_received"]
    ].to_numpy(dtype=float, na_value=np.nan)
    enough = np.asarray((counts >= threshold).all(axis=1))
    kept: pd.DataFrame = rows.loc[enough].reset_index(drop=True)
    for group, (eligible, received) in {"left": (0, 1), "other": (2, 3)}.items():
        limits = intervals.wilson(count=counts[enough, received], n=counts[enough, eligible])
        for name, values in zip(("share", "lower_95", "upper_95"), limits, strict=True):
            kept[f"{group}_{name}"] = values
    return kept


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


#: Counts of `outcomes/response` that stay in the programme.
_FOR_THE_PROGRAMME = ("n_late", "n_late_baseline", "n_left_eligible", "n_left_received")
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
