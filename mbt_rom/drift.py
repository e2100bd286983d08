"""Whether the forms of a delivery look like those before them: answers that drifted, and columns that seem exchanged.

Belongs here: what can be seen only by holding a delivery against the programme's own past. Does not belong here: a single form,
what follows (a notice, never more), another programme's forms.

Patients repeat, and their forms resemble each other, so forms are no independent draws. Both comparisons therefore take one
form per patient, the patient's first, and patients who were there before stand in the past only.

*Drift.* The answers of the new patients and of those before are counted per item and answer, which gives a chi-square per item
(observed minus expected, squared, by expected, by its degrees of freedom). Their third powers are added up: so one item that
changed much weighs as much as all that changed a little. How large the sum gets by chance is found by dealing the patients into
the two groups anew, as often as needed: the items of a form hang together, and dealing whole patients keeps that. One test per
instrument and delivery, at `ALPHA`.

*Swap.* Where two columns were exchanged, the delivery is likelier when it is put back. For each pair of items, the log of the
likelihood ratio is taken under a normal model with the means and covariances of the past, and a shift of all items together
left free, since new patients may be better or worse. Were the model exact, the ratio had a mean of 1 without a swap, so that
exceeding 1/a has a chance below a (Markov); answers are steps and the past is a sample, so `SWAP_GAIN` lies higher, and
`docs/plausibility.md` gives what was measured.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.model import Instrument, Item

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

#: Chance of a false alarm of drift, per instrument and delivery.
ALPHA = 0.001
#: Deals: a first round, and all of them, which are dealt only where the first leaves any doubt.
FIRST_DEALS, DEALS = 99, 1999
#: With more deals as large as what was seen, the chance cannot come down to `ALPHA`: (1 + 1) / (1999 + 1).
MOST_LARGER = 1
#: Fewest new patients, and fewest before them.
MIN_NEW, MIN_PAST = 20, 40
#: Answers of items with more of them (EQ VAS) are counted in so many classes.
MOST_CLASSES = 8
#: Fewest patients before, per item, from which correlations are known well enough to speak of a swap.
PAST_PER_ITEM = 5
#: Log of the likelihood ratio from which two columns are called swapped, beyond the log of the number of pairs.
SWAP_GAIN = 15.0
#: How much of the covariances is replaced by their diagonal, so that chance correlations weigh less.
SHRINKAGE = 0.1


@dataclass(frozen=True)
class Groups:
    """One form per patient of one programme and instrument: those who are new in the newest delivery, and those before."""

    delivery_id: str
    new: pd.DataFrame
    past: pd.DataFrame

    @property
    def are_large_enough(self) -> bool:
        """Whether there are patients enough to compare."""
        return len(self.new) >= MIN_NEW and len(self.past) >= MIN_PAST


def newest_and_before(rows: pd.DataFrame) -> Groups:
    """The first form of every patient, by whether it came with the newest delivery.

    `rows`: accepted forms of one programme and instrument. The order of rows does not matter.
    """
    known = rows[rows["patient_id"].notna()]
    came = known.sort_values(["received_at", "delivery_id"])
    newest = str(came["delivery_id"].iloc[-1]) if len(came) else ""
    order = ["patient_id", "administered_on", "received_at", "row_id"]
    first = known.sort_values(order).drop_duplicates("patient_id")
    is_new = first["delivery_id"] == newest
    return Groups(newest, first[is_new], first[~is_new])


# ---- answers that drifted -----------------------------------------------------------------------------------------------------


def drift_p(definition: Instrument, groups: Groups) -> float:
    """Chance of a difference as large as between new patients and those before, had nothing changed; nan with too few."""
    if not groups.are_large_enough:
        return float("nan")
    rows = pd.concat([groups.new, groups.past])
    cells = [_cells(item, rows[item.id]) for item in definition.items]
    seed = zlib.crc32(f"{definition.id} {groups.delivery_id}".encode())
    return permutation_p(cells, n_new=len(groups.new), rng=np.random.default_rng(seed))


def permutation_p(cells: list[Floats], *, n_new: int, rng: np.random.Generator) -> float:
    """Chance of a difference as large as that between the first `n_new` rows and the others, when rows are dealt anew.

    `cells`: per item one row per patient, one column per answer, 1 where it was given. With m of B deals as large as what was
    seen, the chance is (m + 1) / (B + 1), never zero (Phipson and Smyth 2010, Statistical Applications in Genetics and
    Molecular Biology 9:39). Where the first deals show that it cannot be small, the others are left out.
    """
    varying = [c for c in cells if c.shape[1] > 1]
    if not varying:
        return 1.0
    counted = np.hstack(varying)
    expected = counted.mean(axis=0) * n_new
    widths = np.array([c.shape[1] for c in varying])
    seen = _difference(counted[:n_new].sum(axis=0, keepdims=True), expected, widths)[0]
    n_larger, n_dealt = 0, 0
    for n in (FIRST_DEALS, DEALS - FIRST_DEALS):
        dealt = _dealt(len(counted), n_new, n, rng) @ counted
        n_larger += int((_difference(dealt, expected, widths) >= seen * (1 - 1e-9)).sum())
        n_dealt += n
        if n_larger > MOST_LARGER:
            break
    return (n_larger + 1) / (n_dealt + 1)


def _dealt(n_rows: int, n_new: int, n: int, rng: np.random.Generator) -> Floats:
    """`n` ways to choose `n_new` of the rows: 1 where a row is chosen."""
    order = np.argsort(rng.random((n, n_rows)), axis=1)
    return np.asarray((order < n_new).astype(np.float64))


def _difference(observed: Floats, expected: Floats, widths: Ints) -> Floats:
    """How far each row of counts lies from what is expected: the sum over the items of chi-square / df, to the third power."""
    by_answer = (observed - expected) ** 2 / expected
    by_item = np.add.reduceat(by_answer, np.cumsum(widths) - widths, axis=1)
    return np.asarray(((by_item / (widths - 1)) ** 3).sum(axis=1))


def _cells(item: Item, answers: pd.Series) -> Floats:
    """One column per answer (or class of answers) that occurs, and one for no answer."""
    given = answers.to_numpy(dtype=float, na_value=np.nan)
    span = (np.nanmax(given) if item.max is None and np.isfinite(given).any() else item.largest) - item.min + 1
    classes = np.floor((given - item.min) * min(1.0, MOST_CLASSES / max(span, 1)))
    return np.asarray(pd.get_dummies(pd.Series(np.where(np.isnan(classes), -1, classes))).to_numpy(dtype=np.float64))


# ---- columns that seem exchanged ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Swap:
    """The two items whose exchange makes a delivery likeliest, and the log of how much likelier, less the log of the pairs."""

    items: tuple[str, str]
    gain: float


def likeliest_swap(definition: Instrument, groups: Groups) -> Swap | None:
    """The likeliest exchange of two columns of the newest delivery; None where too few patients can tell.

    Complete forms only, and items with a limited range, of those without which a form is none.
    """
    items = [i for i in definition.needed_items if definition.item(i).max is not None]
    new, past = (_complete(rows, items) for rows in (groups.new, groups.past))
    if len(items) < 3 or len(new) < MIN_NEW or len(past) < max(MIN_PAST, PAST_PER_ITEM * len(items)):
        return None
    gains = swap_gains(new, past)
    first, second = np.unravel_index(np.argmax(gains), gains.shape)
    n_pairs = len(items) * (len(items) - 1) / 2
    return Swap((items[min(first, second)], items[max(first, second)]), float(gains[first, second] - np.log(n_pairs)))


def _complete(rows: pd.DataFrame, items: list[str]) -> Floats:
    return np.asarray(rows[items].dropna().to_numpy(dtype=np.float64))


def swap_gains(new: Floats, past: Floats) -> Floats:
    """Log of how much likelier `new` becomes when two columns are exchanged: a symmetric matrix, -inf where it says nothing.

    Rows are patients, columns items. With P the inverse of the past's covariances, m its means and d = x - m, the log likelihood
    is a constant less half of Q = sum of d'Pd; a common shift c of all items is taken out, which leaves
    Q - (1'P sum d)^2 / (n 1'P1). With S = sum of xx', exchanging columns i and j changes tr(P S) and the sums of x only in
    rows i and j, so that all pairs are computed at once. Items that do not vary in the past say nothing.
    """
    mean, covariance = past.mean(axis=0), np.atleast_2d(np.cov(past, rowvar=False))
    varies = np.diag(covariance) > 0
    covariance = covariance * (1 - SHRINKAGE) + np.diag(np.diag(covariance) * SHRINKAGE + ~varies)
    precision: Floats = np.asarray(np.linalg.inv(covariance), dtype=np.float64)
    second, total = new.T @ new, new.sum(axis=0)
    weight = precision.sum(axis=1)
    apart = total[None, :] - total[:, None]  # what column i gains in sum when it becomes column j
    pull = (precision @ mean)[:, None] - (precision @ mean)[None, :]
    before = weight @ (total - len(new) * mean)
    after = before + (weight[:, None] - weight[None, :]) * apart
    quadratic = (
        _change_of_trace(precision, second) - 2 * pull * apart - (after**2 - before**2) / (len(new) * weight.sum())
    )
    says = varies[:, None] & varies[None, :] & ~np.eye(len(mean), dtype=bool)
    return np.where(says, -quadratic / 2, -np.inf)


def _change_of_trace(precision: Floats, second: Floats) -> Floats:
    """tr(P S) after exchanging i and j in S, less tr(P S), for all i and j."""
    across = precision @ second.T
    own_p, own_s = np.diag(precision), np.diag(second)
    # sums over all columns but i and j of P_i S_j, P_j S_i, P_i S_i and P_j S_j
    rest_ij = across - own_p[:, None] * second.T - precision * own_s[None, :]
    rest_ii = np.diag(across)[:, None] - (own_p * own_s)[:, None] - precision * second
    corners = own_p[:, None] * own_s[None, :] - (own_p * own_s)[:, None]
    changed = rest_ij - rest_ii
    return np.asarray(2 * (changed + changed.T) + corners + corners.T)
