"""Reliable change of a person between two moments, cut-offs, and the category words of our tables.

Belongs here: formulas on two scores and a norm, and `change`, which applies them to trajectories. Does not belong here:
choosing a norm (`norms`), shares per programme (`benchmarks`), growth over more than two moments.

The formulas take arrays of any length. `direction` is that of the scale; an index above 0 always means better. Boundaries
are strict: an index of exactly 1.96 is no reliable change and a score exactly at the cut-off is outside the reference
range (PHQ-9 of 10 with cut-off 10 is a case), unless its publisher says otherwise (`includes_cutoff`). `TOLERANCE` keeps rounding of floating-point numbers from deciding either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

    from mbt_rom.model import Direction, Instrument
    from mbt_rom.norms import ChangeNorm

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

#: Two-sided 5 % limit of the index, as Jacobson and Truax print it.
LIMIT = 1.96
TOLERANCE = 1e-9
METHOD = "jt"

CATEGORIES = (
    "reliably_improved_into_reference_range",
    "reliably_improved",
    "no_reliable_change",
    "reliably_worse",
    "reliably_worse_out_of_reference_range",
    "started_in_reference_range",
    "not_classifiable",
)
IMPROVED = frozenset(CATEGORIES[:2])
WORSE = frozenset(CATEGORIES[3:5])
INDEX_CATEGORIES = ("improved", "unchanged", "deteriorated", "not_estimable", "missing")
CLINICAL_CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated", "harmed", "missing")


def sign(direction: Direction) -> int:
    """+1 where higher scores are better, -1 where lower scores are; ValueError for a scale without a direction."""
    if direction == "neutral":
        raise ValueError("this scale has no direction of improvement, so no change of it can be called better or worse")
    return 1 if direction == "higher_is_better" else -1


def standard_error(*, sd: npt.ArrayLike, reliability: npt.ArrayLike) -> Floats:
    """Standard error of measurement: SEM = SD sqrt(1 - r), in the unit of the scale; SD and r of one sample.

    >>> round(float(standard_error(sd=7.5, reliability=0.80)), 3)
    3.354
    """
    s, r = np.asarray(sd, dtype=float), np.asarray(reliability, dtype=float)
    if np.any(s <= 0) or np.any((r <= 0) | (r >= 1)):
        raise ValueError("an SD must be above 0 and a reliability between 0 and 1")
    return np.asarray(s * np.sqrt(1 - r))


def smallest_reliable_change(*, sd: npt.ArrayLike, reliability: npt.ArrayLike) -> Floats:
    """Change that must be exceeded to be called reliable: 1.96 sqrt(2) SEM, in the unit of the scale.

    >>> round(float(smallest_reliable_change(sd=7.5, reliability=0.80)), 2)
    9.3
    """
    return np.asarray(LIMIT * np.sqrt(2) * standard_error(sd=sd, reliability=reliability))


def reliable_change(
    x1: npt.ArrayLike, x2: npt.ArrayLike, *, sd: npt.ArrayLike, reliability: npt.ArrayLike, direction: Direction
) -> Floats:
    """Reliable change index of Jacobson and Truax, one per pair of scores; missing (NaN) where a score is missing.

    RC = d (x2 - x1) / (sqrt(2) SEM), d = +1 when higher is better and -1 when lower is better, SEM = SD sqrt(1 - r).
    Source: Jacobson & Truax (1991), J Consult Clin Psychol 59:12-19, with the sqrt(2) of Christensen & Mendoza (1986).
    Assumes the same SEM for everybody and every score, and no practice effect. With the SEM of a norm, 2.5 % of an
    unselected group without true change fall beyond each limit; of a group selected for high scores more improve.
    Checked against the worked example of the paper and the marital-therapy data of its authors.

    >>> round(float(reliable_change(32.5, 47.5, sd=7.5, reliability=0.80, direction="higher_is_better")), 2)
    3.16
    """
    difference = np.asarray(x2, dtype=float) - np.asarray(x1, dtype=float)
    return np.asarray(sign(direction) * difference / (np.sqrt(2) * standard_error(sd=sd, reliability=reliability)))


def cutoff_a(*, clinical_mean: float, clinical_sd: float, direction: Direction) -> float:
    """Cut-off a: two SDs of the clinical group from its mean, towards better: M1 + 2 d S1 (Jacobson & Truax 1991).

    >>> cutoff_a(clinical_mean=40, clinical_sd=7.5, direction="higher_is_better")
    55.0
    """
    return float(clinical_mean + 2 * sign(direction) * clinical_sd)


def cutoff_b(*, functional_mean: float, functional_sd: float, direction: Direction) -> float:
    """Cut-off b: two SDs of the *functional* group from its mean, towards worse: M0 - 2 d S0 (Jacobson & Truax 1991).

    >>> cutoff_b(functional_mean=60, functional_sd=7.5, direction="higher_is_better")
    45.0
    """
    return float(functional_mean - 2 * sign(direction) * functional_sd)


def cutoff_c(*, clinical_mean: float, clinical_sd: float, functional_mean: float, functional_sd: float) -> float:
    """Cut-off c: the point as many SDs from one mean as from the other: (S0 M1 + S1 M0) / (S0 + S1).

    Index 0 is the functional group, 1 the clinical. Jacobson & Truax (1991). With unequal SDs it is not the point of equal
    probability (Hsu 1996).

    >>> cutoff_c(clinical_mean=40, clinical_sd=7.5, functional_mean=60, functional_sd=7.5)
    50.0
    """
    return float((functional_sd * clinical_mean + clinical_sd * functional_mean) / (functional_sd + clinical_sd))


def in_reference_range(
    scores: npt.ArrayLike, *, cutoff: npt.ArrayLike, direction: Direction, includes_cutoff: bool = False
) -> Bools:
    """True where a score lies on the better side of the cut-off; one at the cut-off only with `includes_cutoff`.

    A missing score lies nowhere.

    >>> in_reference_range([9, 10, 11, float("nan")], cutoff=10, direction="lower_is_better").tolist()
    [True, False, False, False]
    """
    margin = sign(direction) * (np.asarray(scores, dtype=float) - np.asarray(cutoff, dtype=float))
    return np.asarray(margin > (-TOLERANCE if includes_cutoff else TOLERANCE))


def is_improved(index: npt.ArrayLike) -> Bools:
    """True where the index lies above 1.96 (strictly)."""
    return np.asarray(np.asarray(index, dtype=float) > LIMIT + TOLERANCE)


def is_worse(index: npt.ArrayLike) -> Bools:
    """True where the index lies below -1.96 (strictly)."""
    return np.asarray(np.asarray(index, dtype=float) < -LIMIT - TOLERANCE)


def index_categories(index: npt.ArrayLike) -> Words:
    """The index alone in words: improved, unchanged, deteriorated, or missing. For `rom change`.

    >>> index_categories([2.0, 1.96, -2.0, float("nan")]).tolist()
    ['improved', 'unchanged', 'deteriorated', 'missing']
    """
    values = np.asarray(index, dtype=float)
    chosen = [np.isnan(values), is_improved(values), is_worse(values)]
    return _words(chosen, ("missing", "improved", "deteriorated"), "unchanged", len(values))


def categories(
    index: npt.ArrayLike,
    x1: npt.ArrayLike,
    x2: npt.ArrayLike,
    *,
    cutoff: npt.ArrayLike | None,
    direction: Direction,
    includes_cutoff: bool = False,
) -> Words:
    """The table code of every pair: exactly one of `CATEGORIES`. `includes_cutoff`: see `in_reference_range`.

    Who started in the reference range is `started_in_reference_range`, unless reliably worse and now outside it. Who
    started outside is improved into it, improved, without reliable change, or worse. Without a cut-off (None, or NaN for
    a pair) only improved, none and worse exist. A missing index or score is `not_classifiable`.

    >>> index = [3.0, 3.0, 0.5, -3.0, -3.0, 3.0, float("nan")]
    >>> x1, x2 = [20, 20, 20, 20, 5, 8, 20], [5, 12, 18, 27, 20, 2, float("nan")]
    >>> print(*categories(index, x1, x2, cutoff=10, direction="lower_is_better"), sep="\\n")
    reliably_improved_into_reference_range
    reliably_improved
    no_reliable_change
    reliably_worse
    reliably_worse_out_of_reference_range
    started_in_reference_range
    not_classifiable
    """
    values, before, after = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (index, x1, x2))
    boundary = np.asarray(np.nan if cutoff is None else cutoff, dtype=float)
    started_in, ended_in = (
        in_reference_range(x, cutoff=boundary, direction=direction, includes_cutoff=includes_cutoff)
        for x in (before, after)
    )
    better, worse = is_improved(values), is_worse(values)
    chosen = [
        np.isnan(values) | np.isnan(before) | np.isnan(after),
        started_in & worse & ~ended_in,
        started_in,
        better & ended_in,
        better,
        worse,
    ]
    words = (CATEGORIES[6], CATEGORIES[4], CATEGORIES[5], CATEGORIES[0], CATEGORIES[1], CATEGORIES[3])
    return _words(chosen, words, "no_reliable_change", len(values))


def clinical_categories(
    index: npt.ArrayLike, x1: npt.ArrayLike, x2: npt.ArrayLike, *, cutoff: float, direction: Direction
) -> Words:
    """The words of the literature, for analysts only: exactly one of `CLINICAL_CATEGORIES` per pair.

    recovered: reliably better and from the dysfunctional side of the cut-off to the functional; harmed: reliably worse and
    the other way; improved and deteriorated: reliable without crossing; else unchanged (Jacobson & Truax 1991).

    >>> clinical_categories([3, 3, 0, -3, -3], [20, 20, 20, 5, 20], [5, 12, 18, 20, 27], cutoff=10,
    ...                     direction="lower_is_better").tolist()
    ['recovered', 'improved', 'unchanged', 'harmed', 'deteriorated']
    """
    values, before, after = (np.atleast_1d(np.asarray(v, dtype=float)) for v in (index, x1, x2))
    started_in = in_reference_range(before, cutoff=cutoff, direction=direction)
    ended_in = in_reference_range(after, cutoff=cutoff, direction=direction)
    better, worse = is_improved(values), is_worse(values)
    chosen = [
        np.isnan(values) | np.isnan(before) | np.isnan(after),
        better & ~started_in & ended_in,
        better,
        worse & started_in & ~ended_in,
        worse,
    ]
    return _words(chosen, ("missing", "recovered", "improved", "harmed", "deteriorated"), "unchanged", len(values))


def _words(chosen: list[Bools], words: tuple[str, ...], otherwise: str, n: int) -> Words:
    """The word of the first condition that holds, per row."""
    codes = np.full(n, len(words), dtype=np.int8)
    for code in reversed(range(len(words))):
        codes[chosen[code]] = code
    return np.array([*words, otherwise], dtype=object)[codes]


def change(
    trajectories: pd.DataFrame,
    *,
    patients: pd.DataFrame,
    definitions: Mapping[str, Instrument],
    norms: Mapping[tuple[str, str], ChangeNorm],
    of_adolescents: Collection[str] = (),
) -> pd.DataFrame:
    """Change from baseline to every later moment: rows of `outcomes/change`.

    `trajectories`: rows of `outcomes/trajectories`, any number of programmes. `patients`: rows of `reference/patients`; who
    was under 18 at baseline has no adult norm, nor has somebody of unknown age in one of the programmes `of_adolescents`. One row per later scheduled form and scale, also when its baseline is
    missing or was another edition or value set: there is no change across those, and the row is `not_classifiable`. So is one whose
    baseline is late (filled in after the first main session), or whose later form came before that session or is the re-baseline: change while waiting is
    shown as such, and counts for no category. Index where (instrument, scale) has a norm; categories on the instrument's primary scale only.
    """
    from mbt_rom.plans import REBASELINE
    from mbt_rom.tables import CHANGE

    pairs = pair_with_baseline(trajectories, person=["patient_id", "episode_id", "anchor"])
    pairs["change"] = pairs["score"] - pairs["baseline_score"]
    pairs["is_adult"] = _is_adult(pairs, patients, of_adolescents)
    pairs["is_provisional"] = pairs["is_provisional"].fillna(False) | pairs["baseline_is_provisional"].fillna(False)
    classified = classify(pairs, definitions=definitions, norms=norms)
    has_category = classified["category"].notna()
    # a re-baseline on the day of the first main session, or without a date, ends a wait all the same
    is_no_outcome = is_late(classified) | is_waiting(classified) | classified["moment"].eq(REBASELINE).to_numpy()
    classified["category"] = classified["category"].mask(has_category & is_no_outcome, "not_classifiable")
    return CHANGE.conform(classified.drop(columns=["baseline_is_provisional", "is_adult"]).assign(method=METHOD))


def is_late(rows: pd.DataFrame) -> Bools:
    """Whether the baseline was filled in after the first main session; false where that is not known."""
    return rows["is_late_baseline"].fillna(False).to_numpy(dtype=bool)


def is_waiting(rows: pd.DataFrame) -> Bools:
    """Whether the later form was filled in before the first main session; false where that is not known."""
    return rows["is_before_treatment"].fillna(False).to_numpy(dtype=bool)


def _is_adult(pairs: pd.DataFrame, patients: pd.DataFrame, of_adolescents: Collection[str]) -> Bools:
    """Whether the person had reached 18 by the year of the baseline form; where the age is not known, by the programme."""
    from mbt_rom import people

    ages = people.behind(pairs, patients, on="baseline_on").ages
    is_likely_minor = np.isnan(ages) & pairs["programme_id"].isin(list(of_adolescents)).to_numpy(dtype=bool)
    return ~(people.is_minor(ages) | is_likely_minor)


def pair_with_baseline(scores: pd.DataFrame, *, person: list[str]) -> pd.DataFrame:
    """Every score of a later scheduled moment beside the person's baseline of the same scale, edition and value set.

    `scores`: rows with programme_id, `person` columns, instrument, edition, scale, value_set_id, moment, score,
    is_provisional and, where known, administered_on, is_late_baseline and is_before_treatment. Adds baseline_score, baseline_is_provisional,
    baseline_on and is_late_baseline, that of the baseline.
    """
    import pandas as pd

    from mbt_rom import keys

    is_baseline = (scores["moment"] == "baseline").to_numpy()
    is_later = ~is_baseline & (scores["moment"] != "unscheduled").to_numpy() & scores[person[0]].notna().to_numpy()
    first, later = scores[is_baseline], scores[is_later]
    by = ["programme_id", *person, "instrument", "edition", "scale", "value_set_id"]
    later_codes, first_codes = keys.row_codes(later, first, columns=by)
    where = keys.lookup(later_codes, first_codes)
    taken = {"score": "baseline_score", "is_provisional": "baseline_is_provisional", "administered_on": "baseline_on"}
    taken["is_late_baseline"] = "is_late_baseline"
    own = ["is_before_treatment"] if "is_before_treatment" in scores.columns else []
    columns = [*by, "moment", *own, *(c for c in taken if c in scores.columns)]
    paired = later[columns].reset_index(drop=True)
    for column, name in taken.items():
        if column in scores.columns:
            values = first[column].reset_index(drop=True)
            paired[name] = values.reindex(pd.Index(where)).reset_index(drop=True)
    return paired


def classify(
    pairs: pd.DataFrame, *, definitions: Mapping[str, Instrument], norms: Mapping[tuple[str, str], ChangeNorm]
) -> pd.DataFrame:
    """Pairs with index, smallest_reliable_change, cutoff, category and norm_id added, by the norm of each scale.

    `pairs`: rows with instrument, scale, baseline_score, score, is_provisional, is_adult. Without a norm there is no index,
    and the primary scale is `not_classifiable`; no norm here states an age range, so all of them begin at 18. Provisional
    norms make a pair provisional.
    """
    import pandas as pd

    from mbt_rom import keys

    (scale_of_row,) = keys.row_codes(pairs, columns=["instrument", "scale"])
    parts = [_without_norm(pairs.iloc[:0], is_primary=False)]
    for number, first in enumerate(np.flatnonzero(keys.first_of_each(scale_of_row))):
        instrument, scale = str(pairs["instrument"].iloc[first]), str(pairs["scale"].iloc[first])
        rows = pairs[scale_of_row == number]
        is_primary = definitions[instrument].primary.id == scale
        norm = norms.get((instrument, scale))
        has_norm = rows["is_adult"].astype(bool) & (norm is not None)
        parts.append(_without_norm(rows[~has_norm], is_primary=is_primary))
        if norm is not None:
            direction = definitions[instrument].scale(scale).direction
            parts.append(_with_norm(rows[has_norm], norm=norm, direction=direction, is_primary=is_primary))
    added = pd.concat(parts).reindex(pairs.index)
    return pd.concat([pairs.drop(columns="is_provisional"), added], axis=1)


def _without_norm(pairs: pd.DataFrame, *, is_primary: bool) -> pd.DataFrame:
    import pandas as pd

    numbers = dict.fromkeys(["index", "smallest_reliable_change", "cutoff"], np.nan)
    words = {"category": "not_classifiable" if is_primary else None, "norm_id": None}
    provisional = pairs["is_provisional"].fillna(False).astype(bool)
    return pd.DataFrame({**numbers, **words, "is_provisional": provisional}, index=pairs.index)


def _with_norm(pairs: pd.DataFrame, *, norm: ChangeNorm, direction: Direction, is_primary: bool) -> pd.DataFrame:
    import pandas as pd

    before, after = pairs["baseline_score"].to_numpy(dtype=float), pairs["score"].to_numpy(dtype=float)
    basis = {"sd": norm.clinical_sd, "reliability": norm.reliability}
    index = reliable_change(before, after, **basis, direction=direction)
    words = categories(
        index, before, after, cutoff=norm.cutoff, direction=direction, includes_cutoff=norm.includes_cutoff
    )
    return pd.DataFrame(
        {
            "index": index,
            "smallest_reliable_change": smallest_reliable_change(**basis),
            "cutoff": np.nan if norm.cutoff is None else norm.cutoff,
            "category": words if is_primary else None,
            "norm_id": norm.norm_id,
            "is_provisional": pairs["is_provisional"].fillna(False).astype(bool) | norm.is_provisional,
        },
        index=pairs.index,
    )
