"""Programmes beside each other, from contributions only.

Belongs here: counts, means, effects and shares per programme and moment, and who is not among them. Does not belong here: what may be shown
(`disclosure`), case mix and funnels, anything that reads a table from before the boundary.

Formats and anchors are strata: an effect is scaled by the SD of the programme's own format and anchor, and no row mixes them.
A late baseline is no baseline here, and a form that came before the first main session no outcome: their patients are in the response and
in no pair of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import change, disclosure, intervals, keys, schedule
from mbt_rom.model import Instrument
from mbt_rom.people import ADOLESCENT
from mbt_rom.settings import Consortium
from mbt_rom.tables import BENCHMARK, COMPARED, INCLUSION

if TYPE_CHECKING:
    from mbt_rom.norms import ChangeNorm

_SCALE = ["instrument", "edition", "scale", "value_set_id"]
_STRATUM = ["format", "anchor"]
_ROW = ["programme_id", *_STRATUM, *_SCALE, "moment"]


def benchmark(
    contributions: pd.DataFrame,
    *,
    settings: Consortium,
    definitions: Mapping[str, Instrument],
    norms: Mapping[tuple[str, str], ChangeNorm],
) -> pd.DataFrame:
    """Programmes beside each other as they may be shown: rows of `benchmarks/programmes` after disclosure control."""
    table = compare(contributions, definitions=definitions, norms=norms)
    return BENCHMARK.conform(disclosure.protect(table, threshold=settings.disclosure_threshold))


def compare(
    contributions: pd.DataFrame,
    *,
    definitions: Mapping[str, Instrument],
    norms: Mapping[tuple[str, str], ChangeNorm],
) -> pd.DataFrame:
    """The same rows before disclosure control: never to be stored or shown.

    `contributions`: rows of `contributions/outcomes`. One row per programme, instrument, edition, scale, value set and
    moment, baseline included (its change is missing). Response counts patients from statuses, the same for every scale of an
    instrument, and is no data where no episode is registered. Pairs are patients with a score at baseline and,
    from the first main session on, at the moment.
    Mean change has a t interval; effect = d x mean change / SD at baseline of all patients of the format and anchor, and its interval
    is that of the mean change divided by this SD, which is treated as known. Shares are over all classified pairs, those
    who started in the reference range included, with Wilson intervals; on the primary scale and with a norm only, so of
    adults only.
    """
    table = _rows(contributions)
    table = table.merge(_response(contributions), how="left", on=["programme_id", "instrument", "moment"])
    pairs = _pairs(contributions, definitions=definitions, norms=norms)
    table = _joined(table, _outcome(pairs), by=_ROW)
    table = _joined(table, _baseline_sd(contributions), by=[*_STRATUM, *_SCALE])
    table["n_pairs"] = table["n_pairs"].fillna(0)
    table = _with_effect(table, definitions=definitions)
    table = _with_shares(table, definitions=definitions, norms=norms)
    names = [c for c in BENCHMARK.column_names if c != "suppressed"]
    return BENCHMARK.conform(table[names].assign(suppressed=""))


def inclusion(contributed: pd.DataFrame, *, settings: Consortium) -> pd.DataFrame:
    """Who is in the comparison, as it may be shown: rows of `benchmarks/inclusion` after disclosure control.

    `contributed`: rows of `contributions/inclusion`. Share permitted with a Wilson interval, over all years of start: what is compared
    describes these people, and the interval says how well a share is known, not what the others are like.
    """
    by, numbers = list(COMPARED.key), [c.name for c in INCLUSION.columns if c.dtype == "Int64"]
    grouped = contributed.groupby(by)
    table = grouped[numbers].sum().assign(has_register=grouped["has_register"].any()).reset_index()
    share, lower, upper = intervals.wilson(count=_floats(table["n_permitted"]), n=_floats(table["n_started"]))
    table = table.assign(permitted_share=share, permitted_lower_95=lower, permitted_upper_95=upper)
    return COMPARED.conform(disclosure.protect_inclusion(table, threshold=settings.disclosure_threshold))


def _floats(counts: pd.Series) -> npt.NDArray[np.float64]:
    return np.asarray(counts.to_numpy(dtype=float, na_value=np.nan))


def _rows(contributions: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table: everything that came, and on the primary scale also moments at which nothing came."""
    came = contributions["status"].isna() | (contributions["status"] == "received")
    received, waiting = (contributions.loc[rows, _ROW].drop_duplicates() for rows in (came, ~came))
    of_waiting, of_received = keys.row_codes(
        waiting, received, columns=["programme_id", "instrument", "scale", "moment"]
    )
    rows = pd.concat([received, waiting[keys.lookup(of_waiting, of_received) < 0]], ignore_index=True)
    months = rows["moment"].map({m: schedule.month_of(m) for m in rows["moment"].unique()})
    order = rows.assign(month=months).sort_values(
        ["instrument", "edition", "scale", "value_set_id", "month", "programme_id"]
    )
    return order.drop(columns="month").reset_index(drop=True)


def _response(contributions: pd.DataFrame) -> pd.DataFrame:
    """Response per programme, instrument and moment, counted over patients."""
    by = ["programme_id", "instrument", "moment"]
    people = contributions.drop_duplicates([*by, "contribution_id"])
    status = people["status"]
    counts = people[by].assign(
        n_registered=status.notna(),
        n_eligible=status.isin(["received", "missed"]),
        n_received=status == "received",
        n_given=status.isna() | (status == "received"),
    )
    flags = ["n_registered", "n_eligible", "n_received", "n_given"]
    table = counts.astype(dict.fromkeys(flags, "Int64")).groupby(by).sum().reset_index()
    has_register = table.groupby(["programme_id", "instrument"])["n_registered"].transform("sum") > 0
    table["n_received"] = table["n_received"].where(has_register, table["n_given"])
    table["n_eligible"] = table["n_eligible"].where(has_register)
    eligible = table["n_eligible"].to_numpy(dtype=float, na_value=np.nan)
    received = np.where(np.isnan(eligible), np.nan, table["n_received"].to_numpy(dtype=float, na_value=np.nan))
    share, lower, upper = intervals.wilson(count=received, n=eligible)
    table = table.assign(response_share=share, response_lower_95=lower, response_upper_95=upper)
    return table.drop(columns=["n_registered", "n_given"])


def _pairs(
    contributions: pd.DataFrame,
    *,
    definitions: Mapping[str, Instrument],
    norms: Mapping[tuple[str, str], ChangeNorm],
) -> pd.DataFrame:
    """Scores beside their baseline, with category; a baseline is its own pair, so that its mean has a row."""
    scored = contributions[contributions["score"].notna()]
    later = change.pair_with_baseline(scored, person=["contribution_id", *_STRATUM, "age_band"])
    later = later[later["baseline_score"].notna() & ~change.is_late(later) & ~change.is_waiting(later)]
    # none of them is compared by an adult norm here, whatever the age band says
    later["is_adult"] = (later["format"] != ADOLESCENT) & (later["age_band"].fillna("") != "under_18")
    later["is_provisional"] = later["is_provisional"].fillna(False) | later["baseline_is_provisional"].fillna(False)
    later = change.classify(later.reset_index(drop=True), definitions=definitions, norms=norms)
    baseline = _baselines(scored)
    baseline = baseline.assign(baseline_score=baseline["score"], score=np.nan)
    columns = [*_ROW, "baseline_score", "score", "category", "is_provisional"]
    return pd.concat([later, baseline], ignore_index=True).reindex(columns=columns)


def _baselines(scored: pd.DataFrame) -> pd.DataFrame:
    """Scores of the baseline, but for late ones."""
    return scored[(scored["moment"] == schedule.BASELINE) & ~change.is_late(scored)]


def _outcome(pairs: pd.DataFrame) -> pd.DataFrame:
    """Counts and means per row of the table."""
    (codes,) = keys.row_codes(pairs, columns=_ROW)
    table = pairs[_ROW].drop_duplicates().reset_index(drop=True)
    change_of = (pairs["score"] - pairs["baseline_score"]).groupby(codes)
    baseline_of = pairs["baseline_score"].groupby(codes)
    table["n_pairs"], table["mean_baseline"] = baseline_of.count().array, baseline_of.mean().array
    table["mean_change"], table["sd_change"] = change_of.mean().array, change_of.std().array
    words = {
        "n_started_in_reference_range": ["started_in_reference_range"],
        "n_improved": sorted(change.IMPROVED),
        "n_worse": sorted(change.WORSE),
        "n_classified": [c for c in change.CATEGORIES if c != "not_classifiable"],
    }
    for name, chosen in words.items():
        table[name] = pairs["category"].isin(chosen).groupby(codes).sum().array
    table["has_provisional"] = pairs["is_provisional"].fillna(False).astype(bool).groupby(codes).any().array
    return table


def _baseline_sd(contributions: pd.DataFrame) -> pd.DataFrame:
    """SD at baseline of all patients of a format and anchor, over its programmes, per scale."""
    baseline = _baselines(contributions[contributions["score"].notna()])
    by = [*_STRATUM, *_SCALE]
    (codes,) = keys.row_codes(baseline, columns=by)
    table = baseline[by].drop_duplicates().reset_index(drop=True)
    table["sd_baseline"] = baseline["score"].groupby(codes).std().array
    return table


def _joined(table: pd.DataFrame, other: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """The table with the other columns of `other` added; missing keys agree with missing keys."""
    of_table, of_other = keys.row_codes(table, other, columns=by)
    found = other.drop(columns=by).reindex(pd.Index(keys.lookup(of_table, of_other))).reset_index(drop=True)
    return table.reset_index(drop=True).join(found)


def _with_effect(table: pd.DataFrame, *, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    mean, n = table["mean_change"], table["n_pairs"]
    lower, upper = intervals.mean_t(mean=mean, sd=table["sd_change"], n=n)
    directions = {
        (i.id, s.id): np.nan if s.direction == "neutral" else change.sign(s.direction)
        for i in definitions.values()
        for s in i.scales
    }
    scales = zip(table["instrument"], table["scale"], strict=True)
    d = np.array([directions[scale] for scale in scales], dtype=float)
    factor = d / table["sd_baseline"].where(table["sd_baseline"] > 0).to_numpy(dtype=float)
    limits = np.sort(np.column_stack([lower * factor, upper * factor]), axis=1)
    return table.assign(
        change_lower_95=lower,
        change_upper_95=upper,
        effect=mean * factor,
        effect_lower_95=limits[:, 0],
        effect_upper_95=limits[:, 1],
    )


def _with_shares(
    table: pd.DataFrame,
    *,
    definitions: Mapping[str, Instrument],
    norms: Mapping[tuple[str, str], ChangeNorm],
) -> pd.DataFrame:
    is_change = (table["moment"] != schedule.BASELINE) & (table["format"] != ADOLESCENT)
    used = [
        norms.get((i, s)) if definitions[i].primary.id == s and wanted else None
        for i, s, wanted in zip(table["instrument"], table["scale"], is_change, strict=True)
    ]
    has_norm = np.array([norm is not None for norm in used], dtype=bool)
    classified = table["n_classified"].astype(float).fillna(0).where(has_norm)
    added: dict[str, Any] = {"n_classified": classified}
    for word in ("improved", "worse"):
        count = table[f"n_{word}"].astype(float).fillna(0).where(has_norm)
        share, lower, upper = intervals.wilson(count=count, n=classified)
        added |= {f"{word}_share": share, f"{word}_lower_95": lower, f"{word}_upper_95": upper}
    added["n_started_in_reference_range"] = (
        table["n_started_in_reference_range"].astype(float).fillna(0).where(has_norm)
    )
    added["norm_id"] = [None if norm is None else norm.norm_id for norm in used]
    norm_provisional = np.array([norm is not None and norm.is_provisional for norm in used], dtype=bool)
    added["is_provisional"] = table["has_provisional"].fillna(False).astype(bool) | norm_provisional
    return table.assign(**added)
