"""Where a score stands: T-score and percentile in a reference group, the published word for its size, and what limits both.

Belongs here: which of a home's reference groups applies to a row, the formulas, the flags. Does not belong here: which groups
a home has (`norms`), scores (`scoring`), change (`change`), comparing programmes (`benchmarks`).

    z = (x - M) / S        T = 50 + 10 z        percentile = 100 Phi(z)

M and S are mean and SD of one sample of people who do not have the problem. T keeps the direction of the scale: a T of 60 is
one SD *above* that group, worse on the BSI and better on the EQ-5D. McCall (1922) made T-scores from ranks, so that they
are normally distributed whatever the scores are; ours are linear, as clinical manuals print them, and keep the shape of the
scores. The percentile speaks as if the reference group were normally distributed, which it seldom is: most people without
complaints score near zero, so it is a way of reading T and not a count of people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mbt_rom.model import ADULT, Instrument, Norm, SeverityBand
from mbt_rom.people import Bools, Floats, Words, is_minor

if TYPE_CHECKING:
    import pandas as pd

#: Rounding of floating-point numbers must not move a score across the bound of a band.
TOLERANCE = 1e-9
#: Bands up to 9 and from 10 belong together; what lies between two bands further apart than this has no word.
_STEP = 1
_NONE = -1

#: Flag -> what it says of the row. docs/norms.md explains each at length.
FLAGS = {
    "no_norm": "no reference group of this home applies, so there is no T-score",
    "under_18": "under 18: no adult norm and no severity word; a T-score only from a norm that states this age",
    "age_unknown": "age not known; treated as an adult's",
    "outside_age": "the norms there are describe another age",
    "sex_unknown": "sex not known, and there are norms for women and men apart",
    "other_sex": "the norms there are describe another sex",
    "language_unknown": "the language of the form or of the norm is not known",
    "other_language": "the form was filled in in another language than the norm",
    "assisted": "somebody helped with the form; the norm group had no help",
    "provisional": "the figures of the norm were recalled or derived, and the home chose them all the same",
}


def t_scores(scores: npt.ArrayLike, *, mean: float, sd: float) -> Floats:
    """Linear T-scores: T = 50 + 10 (x - M) / S, in the direction of the scale; missing where the score is.

    After McCall WA (1922), How to measure in education, who scaled ranks; see the module.

    >>> t_scores([0.35, 0.58, 0.12], mean=0.35, sd=0.23).round(6).tolist()
    [50.0, 60.0, 40.0]
    """
    return np.asarray(50 + 10 * (np.asarray(scores, dtype=float) - mean) / sd)


def percentiles(t: npt.ArrayLike) -> Floats:
    """Share of the reference group below a T-score, in %, as if that group were normally distributed: 100 Phi((T - 50) / 10).

    >>> percentiles([40, 50, 60]).round(2).tolist()
    [15.87, 50.0, 84.13]
    """
    from scipy.special import ndtr

    return np.asarray(100 * ndtr((np.asarray(t, dtype=float) - 50) / 10))


def severity_words(scores: npt.ArrayLike, bands: Sequence[SeverityBand]) -> Words:
    """The word of the band in which each score lies; None where it lies in none or is missing. All bands of one scale.

    A band holds from its lower bound up to its upper one, both included, and on to the lower bound of the next: a PHQ-9 of
    9.5, made up for one missing answer, lies between `5 to 9` and `10 to 14` and has not reached the 10 that the second
    begins with, so it keeps the word of the first. Cut-offs say the same: `>= 10` is not reached, and `< 10` is, whichever
    direction is better. Rounding 9.5 up would give a word that no cut-off agrees with.

    >>> from mbt_rom.registry import instrument
    >>> severity_words([4, 9.5, 10, float("nan")], instrument("phq9").severity_bands).tolist()
    ['minimal', 'mild', 'moderate', None]
    """
    x = np.asarray(scores, dtype=float) + TOLERANCE
    ordered = sorted(bands, key=_lower)
    words = np.full(len(x), None, dtype=object)
    for band, following in zip_longest(ordered, ordered[1:]):
        upper = np.inf if band.upper is None else band.upper
        within = x <= upper + 2 * TOLERANCE
        if following is not None and _lower(following) - upper <= _STEP:
            within |= x < _lower(following)
        words[(x >= _lower(band)) & within] = band.label
    return words


def _lower(band: SeverityBand) -> float:
    return -np.inf if band.lower is None else band.lower


def standing(
    scores: pd.DataFrame,
    definition: Instrument,
    *,
    ages: Floats,
    sexes: Words,
    norms: Mapping[str, Sequence[Norm]],
) -> pd.DataFrame:
    """The scores with norm_id, t_score, percentile, norm_flags and severity: rows of `scores/<instrument>`.

    `scores`: rows of that table, any number of programmes. `ages` (years, `nan` unknown) and `sexes` (None unknown) of the
    person behind each row: see `people.behind`. `norms`: the reference groups of each scale in the order of preference, as
    `norms.reference_norms` gives them.

    The first that fits is used: its value set is that of the score (neither has one, but for utilities), its sex is the
    person's or `all`, and the person's age lies in its range (none stated: from 18; an unknown age fits norms of adults).
    Where none fits `norm_id` and `t_score` are missing and `norm_flags` say why: nothing is borrowed. Nobody under 18 gets
    a severity word, since bands state no ages. A form without a score has none of the five. `FLAGS` lists the flags.

    Raises ValueError for a norm without an SD.
    """
    import pandas as pd

    from mbt_rom.tables import scores_table

    made = _Columns.empty(len(scores))
    of_row, names = pd.factorize(scores["scale"])
    is_scored = scores["score"].notna().to_numpy()
    for number, name in enumerate(names):
        at = np.flatnonzero((of_row == number) & is_scored)
        rows = _rows(scores, at, ages=ages, sexes=sexes)
        bands = [b for b in definition.severity_bands if b.scale == name and not b.is_provisional]
        made.put(at, _of_scale(rows, norms.get(str(name), ()), bands))
    return scores_table(definition).conform(scores.assign(**vars(made)))


@dataclass(frozen=True)
class _Rows:
    """Scored rows of one scale, with what decides about norms; words are '' where they are missing."""

    scores: Floats
    ages: Floats
    sexes: Words
    languages: Words
    value_sets: Words
    is_assisted: Bools


@dataclass(frozen=True)
class _Columns:
    """The five columns."""

    norm_id: Words
    t_score: Floats
    percentile: Floats
    norm_flags: Words
    severity: Words

    @classmethod
    def empty(cls, n: int) -> _Columns:
        words, numbers = np.full(n, None, dtype=object), np.full(n, np.nan)
        return cls(words, numbers, numbers.copy(), words.copy(), words.copy())

    def put(self, at: npt.NDArray[np.intp], other: _Columns) -> None:
        for name, column in vars(self).items():
            column[at] = getattr(other, name)


def _rows(scores: pd.DataFrame, at: npt.NDArray[np.intp], *, ages: Floats, sexes: Words) -> _Rows:
    rows = scores[["score", "language", "value_set_id", "assisted"]].iloc[at]
    return _Rows(
        scores=rows["score"].to_numpy(dtype=float),
        ages=ages[at],
        sexes=np.array([sex or "" for sex in sexes[at]], dtype=object),
        languages=rows["language"].astype(object).fillna("").to_numpy(),
        value_sets=rows["value_set_id"].astype(object).fillna("").to_numpy(),
        is_assisted=rows["assisted"].to_numpy(dtype=bool, na_value=False),
    )


def _of_scale(rows: _Rows, norms: Sequence[Norm], bands: Sequence[SeverityBand]) -> _Columns:
    choice = _choice(rows, norms)
    t = np.full(len(choice), np.nan)
    for number, norm in enumerate(norms):
        if norm.sd is None:
            raise ValueError(f"norm '{norm.id}' of scale '{norm.scale}' has no SD, so it gives no T-score")
        chosen = choice == number
        t[chosen] = t_scores(rows.scores[chosen], mean=norm.mean, sd=norm.sd)
    ids = np.array([*(norm.id for norm in norms), None], dtype=object)
    return _Columns(ids[choice], t, percentiles(t), _joined(_flags(rows, norms, choice)), _severity(rows, t, bands))


def _severity(rows: _Rows, t: Floats, bands: Sequence[SeverityBand]) -> Words:
    """By the bands of the score itself or, where only T-scores have words, by those; nobody under 18 has one."""
    raw, of_t = ([b for b in bands if b.metric == metric] for metric in ("raw", "t"))
    words = severity_words(rows.scores, raw) if raw else severity_words(t, of_t)
    words[is_minor(rows.ages)] = None
    return words


def _choice(rows: _Rows, norms: Sequence[Norm]) -> npt.NDArray[np.intp]:
    """Position of the first norm that applies to each row; `_NONE` where none does."""
    choice = np.full(len(rows.scores), _NONE, dtype=np.intp)
    for number, norm in enumerate(norms):
        choice[(choice == _NONE) & _same_people(rows, norm) & _same_age(rows, norm)] = number
    return choice


def _same_people(rows: _Rows, norm: Norm) -> Bools:
    """Whether score and norm are made by the same value set, and the sex fits."""
    return np.asarray(_same_value_set(rows, norm) & ((norm.sex == "all") | (rows.sexes == norm.sex)), dtype=bool)


def _same_value_set(rows: _Rows, norm: Norm) -> Bools:
    return np.asarray(rows.value_sets == (norm.value_set or ""), dtype=bool)


def _same_age(rows: _Rows, norm: Norm) -> Bools:
    youngest, oldest = norm.ages
    holds_for_adults = youngest <= ADULT < oldest
    return np.where(np.isnan(rows.ages), holds_for_adults, (rows.ages >= youngest) & (rows.ages <= oldest))


def _flags(rows: _Rows, norms: Sequence[Norm], choice: npt.NDArray[np.intp]) -> dict[str, Bools]:
    """Per flag the rows that carry it."""
    n, has_norm, no_sex = len(choice), choice != _NONE, rows.sexes == ""
    apart = _any([_same_value_set(rows, norm) for norm in norms if norm.sex != "all"], n)
    fits_sex = _any([_same_people(rows, norm) for norm in norms], n)
    spoken = np.array([*(norm.spoken or "" for norm in norms), ""], dtype=object)[choice]
    is_told = (spoken != "") & (rows.languages != "")
    provisional = np.array([*(norm.is_provisional for norm in norms), False])[choice]
    minor = is_minor(rows.ages)
    return {
        "no_norm": ~has_norm,
        "under_18": minor,
        "age_unknown": np.isnan(rows.ages),
        "outside_age": ~has_norm & fits_sex & ~minor & ~np.isnan(rows.ages),
        "sex_unknown": no_sex & apart,
        "other_sex": ~has_norm & ~no_sex & apart & ~fits_sex,
        "language_unknown": has_norm & ~is_told,
        "other_language": has_norm & is_told & (spoken != rows.languages),
        "assisted": rows.is_assisted,
        "provisional": provisional,
    }


def _any(conditions: Sequence[Bools], n: int) -> Bools:
    return np.asarray(np.any([np.zeros(n, dtype=bool), *conditions], axis=0), dtype=bool)


def _joined(flags: Mapping[str, Bools]) -> Words:
    """The flags of each row by name, separated by spaces, in the order of `FLAGS`; None for a row without any."""
    code = sum((flags[name].astype(np.int64) << place for place, name in enumerate(FLAGS)), start=np.int64(0))
    codes, of_row = np.unique(code, return_inverse=True)
    words = [" ".join(n for place, n in enumerate(FLAGS) if c >> place & 1) or None for c in codes.tolist()]
    return np.array(words, dtype=object)[of_row]
