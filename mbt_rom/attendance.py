"""Attendance: which offered contacts were kept, per patient and programme, and when missing them opens a review.

Belongs here: counting contacts, the rule of non-attendance. Does not belong here: reading contacts (`registers`), the finding that
the rule leads to (`expectations.plausibility`), what a team does about it.

A contact is *offered* when the patient could have come: attended, no_show or cancelled_by_patient. What the programme cancelled
(cancelled_by_programme) and weeks in which it was closed count for nothing, neither for nor against. A contact whose attendance is not
recorded is counted apart.

The rule (`settings.Nonattendance`) is ours; the manual names none. It says when a team should talk about absence, and nothing about the patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.settings import Nonattendance
from mbt_rom.tables import ATTENDANCE, ATTENDANCE_BY_MONTH

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Closures = Mapping[str, Sequence[tuple[date, date]]]

ATTENDED, MISSED = "attended", ("no_show", "cancelled_by_patient")
NOT_OFFERED = ("cancelled_by_programme", "closed")
#: Fewer patients give no interval of a programme's share. Ours.
FEWEST = 10
_NEVER = date(9999, 12, 31)
_PERSON = ["programme_id", "patient_id"]
_COUNTS = ["n_offered", "n_attended", "n_no_show", "n_cancelled_by_patient", "n_not_offered", "n_not_recorded"]


def per_patient(contacts: pd.DataFrame, *, as_of: date, closures: Closures | None = None) -> pd.DataFrame:
    """Offered and kept contacts of every patient and month: rows of `outcomes/attendance`.

    `contacts`: rows of the register of contacts; `closures`: per programme the first and last days on which it was closed. Contacts
    after `as_of` are appointments, and do not count.
    """
    rows = _held(contacts, as_of=as_of, closures=closures or {})
    month = rows["contact_on"].dt.to_period("M").dt.start_time.astype("datetime64[s]").rename("month_on")
    counted = rows[_COUNTS].groupby([rows["programme_id"], rows["patient_id"], month]).sum()
    return ATTENDANCE.conform(counted.reset_index())


def per_programme(attendance: pd.DataFrame) -> pd.DataFrame:
    """Attendance of every programme and month: rows of `outcomes/attendance_by_month`.

    `attendance`: rows of `outcomes/attendance`. The contacts of one patient go together, so the interval is that of a ratio of
    sums over patients: with a kept of m offered per patient and p = sum a / sum m, the variance of p is
    n / (n - 1) x sum of (a - p m)^2 / (sum m)^2 (Cochran 1977, Sampling Techniques, section 6.3); z limits, kept within 0..1.
    Missing below `FEWEST` patients.
    """
    by = ["programme_id", "month_on"]
    rows = attendance.assign(is_offered=attendance["n_offered"] > 0)
    table = rows.groupby(by)[_COUNTS].sum()
    table["n_patients"] = rows.groupby(by)["is_offered"].sum()
    kept, offered = (table[c].to_numpy(dtype=float) for c in ("n_attended", "n_offered"))
    share = np.divide(kept, offered, out=np.full(len(table), np.nan), where=offered > 0)
    table["attended_share"] = share
    missed_by = rows["n_attended"] - rows[by].merge(table["attended_share"], on=by, how="left")[
        "attended_share"
    ].to_numpy() * rows["n_offered"].astype(float)
    squares = (missed_by.astype(float) ** 2).groupby([rows[c] for c in by]).sum().to_numpy()
    n = table["n_patients"].to_numpy(dtype=float)
    n = np.where(n >= FEWEST, n, np.nan)
    half = NormalDist().inv_cdf(0.975) * np.sqrt(n / (n - 1) * squares) / np.where(offered > 0, offered, np.nan)
    limits = {"lower_95": np.clip(share - half, 0, 1), "upper_95": np.clip(share + half, 0, 1)}
    return ATTENDANCE_BY_MONTH.conform(table.assign(**limits).reset_index())


def share_before(
    rows: pd.DataFrame, contacts: pd.DataFrame, *, on: str, days: int, closures: Closures | None = None
) -> pd.Series:
    """Share of the offered contacts that the patient of each row kept in so many days before the date in `on`.

    `rows`: programme_id, patient_id and the date. Missing where none was offered then.
    """
    held = _held(contacts, as_of=_NEVER, closures=closures or {})
    place = rows[[*_PERSON, on]].reset_index(drop=True).rename_axis("at").reset_index()
    pairs = place.merge(held[[*_PERSON, "contact_on", "n_offered", "n_attended"]], on=_PERSON)
    before = (pairs[on] - pairs["contact_on"]).dt.days
    sums = pairs[before.between(1, days)].groupby("at")[["n_offered", "n_attended"]].sum()
    sums = sums[sums["n_offered"] > 0]
    return (sums["n_attended"] / sums["n_offered"]).reindex(place["at"]).set_axis(rows.index).astype("float64")


def absences(
    contacts: pd.DataFrame,
    *,
    as_of: date,
    in_treatment: pd.DataFrame | None = None,
    reviews: pd.DataFrame | None = None,
    rule: Nonattendance | None = None,
    closures: Closures | None = None,
) -> pd.DataFrame:
    """Patients whose absence opens a review, as of a day: programme_id, patient_id, row_id, delivery_id and `because`.

    `in_treatment`: who is (programme_id, patient_id), so that a treatment that ended opens none; missing, all are. `reviews`: rows of
    that register; a review held on or after the last missed contact has been opened already, one that is planned has not. The row is that contact.
    `because` is in_a_row (so many offered contacts missed one after the other, up to the last) or share (both: in_a_row).

    >>> days = pd.to_datetime(["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]).astype("datetime64[s]")
    >>> came = ["attended", "no_show", "cancelled_by_programme", "no_show"]
    >>> rows = pd.DataFrame({"programme_id": "berk", "patient_id": "p", "contact_on": days, "attendance": came,
    ...                      "row_id": ["r1", "r2", "r3", "r4"], "delivery_id": "d"})
    >>> absences(rows, as_of=date(2026, 1, 31), rule=Nonattendance(in_a_row=2))[["row_id", "because"]].values.tolist()
    [['r4', 'in_a_row']]
    """
    rule = rule or Nonattendance()
    rows = _held(contacts, as_of=as_of, closures=closures or {})
    rows = rows[rows["n_offered"] == 1].sort_values([*_PERSON, "contact_on", "row_id"]).reset_index(drop=True)
    people = [rows[c] for c in _PERSON]
    is_missed = rows["n_attended"] == 0
    last_kept = rows.index.to_series().where(~is_missed).groupby(people).transform("max").fillna(-1)
    run = (is_missed & (rows.index > last_kept)).groupby(people).sum()
    recent = rows[rows["contact_on"] > pd.Timestamp(as_of - timedelta(weeks=rule.weeks))]
    sums = recent.groupby(_PERSON)[["n_offered", "n_attended"]].sum().reindex(run.index, fill_value=0)
    few = (sums["n_offered"] >= rule.fewest) & (sums["n_attended"] < rule.share * sums["n_offered"])
    because = pd.Series(np.select([run >= rule.in_a_row, few], ["in_a_row", "share"], ""), index=run.index, dtype="str")
    last = rows[is_missed].drop_duplicates(_PERSON, keep="last")
    found = last.merge(because[because != ""].rename("because").reset_index(), on=_PERSON)
    found = found[_among(found, in_treatment) & ~_reviewed(found, reviews, as_of=as_of)]
    kept: pd.DataFrame = found[[*_PERSON, "row_id", "delivery_id", "contact_on", "because"]]
    return kept.reset_index(drop=True)


def _held(contacts: pd.DataFrame, *, as_of: date, closures: Closures) -> pd.DataFrame:
    """Contacts up to the day with what became of each as columns of 0 and 1."""
    dated = contacts.dropna(subset=["patient_id", "contact_on"])
    rows: pd.DataFrame = dated[dated["contact_on"] <= pd.Timestamp(as_of)].reset_index(drop=True)
    came = rows["attendance"].mask(_in_closure(rows, closures), "closed")
    is_offered = came.isin([ATTENDED, *MISSED])
    kinds = {f"n_{word}": came == word for word in (ATTENDED, *MISSED)}
    others = {"n_not_offered": came.isin(NOT_OFFERED), "n_not_recorded": came.isna()}
    for name, is_one in {"n_offered": is_offered, **kinds, **others}.items():
        rows[name] = is_one.fillna(False).astype("int64")
    return rows


def _in_closure(rows: pd.DataFrame, closures: Closures) -> Bools:
    closed = np.zeros(len(rows), dtype=bool)
    for programme, periods in closures.items():
        mine = rows["programme_id"].eq(programme).to_numpy(dtype=bool)
        for first, last in periods:
            closed |= mine & rows["contact_on"].between(pd.Timestamp(first), pd.Timestamp(last)).to_numpy(dtype=bool)
    return closed


def _among(rows: pd.DataFrame, people: pd.DataFrame | None) -> Bools:
    if people is None:
        return np.ones(len(rows), dtype=bool)
    known = people[_PERSON].drop_duplicates().assign(is_there=True)
    return rows[_PERSON].merge(known, on=_PERSON, how="left")["is_there"].notna().to_numpy(dtype=bool)


def _reviewed(rows: pd.DataFrame, reviews: pd.DataFrame | None, *, as_of: date) -> Bools:
    if reviews is None:
        return np.zeros(len(rows), dtype=bool)
    held = reviews[reviews["reviewed_on"] <= pd.Timestamp(as_of)]
    last = held.groupby(_PERSON)["reviewed_on"].max().reset_index()
    return np.asarray(
        rows[[*_PERSON, "contact_on"]].merge(last, on=_PERSON, how="left").eval("reviewed_on >= contact_on"), dtype=bool
    )
