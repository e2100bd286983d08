"""The measurement plan: which form was due when, which form answers it, and how many came.

Belongs here: due dates, windows, the matching of forms to moments, response. Does not belong here: scores, permissions,
lists of whom to call.

Matching. A form counts for a moment when its date lies in the moment's window; no form is used twice and no moment has two
forms. Among all ways to do that the one with most moments answered is taken, and among those the one with the fewest days
between forms and due dates (a minimum-cost assignment per patient and instrument, over all of the patient's episodes, so that
a form goes to the episode whose window takes it). At baseline a form on or before the anchor is preferred to one after it,
whatever the days (the last one before treatment is the baseline); a form the survey tool calls incomplete, or that was only begun, is taken
only where no other is. A form that states its moment is matched by that where it has no date, or where the plan knows no
episode of its patient. What fits nothing is `unscheduled`, at its own date and never lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import intervals, keys
from mbt_rom.form_states import UNFINISHED
from mbt_rom.plans import BASELINE as BASELINE
from mbt_rom.plans import UNSCHEDULED as UNSCHEDULED
from mbt_rom.plans import moment_name as moment_name
from mbt_rom.plans import month_of as month_of
from mbt_rom.settings import Consortium
from mbt_rom.tables import EXPECTED, RESPONSE

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]

TO_BE_FINISHED = "to_be_finished"
DAYS_PER_MONTH = 30.4375
_NONE = -1
_LATE, _INCOMPLETE = 10_000, 100_000


def add_months(dates: Dates, months: npt.ArrayLike) -> Dates:
    """Dates so many calendar months later; where that day does not exist, the last day of the month.

    >>> add_months(np.array(["2023-08-31", "2024-01-15"], dtype="datetime64[D]"), 6).astype(str).tolist()
    ['2024-02-29', '2024-07-15']
    """
    days = dates.astype("datetime64[D]")
    month = days.astype("datetime64[M]")
    target = month + np.asarray(months, dtype="timedelta64[M]")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    moved = target.astype("datetime64[D]") + (days - month.astype("datetime64[D]"))
    return np.asarray(np.minimum(moved, last))


def anchors(episodes: pd.DataFrame, *, settings: Consortium) -> pd.Series:
    """Month 0 of every episode: the date that its programme declares; missing when that date is not recorded."""
    kinds = episodes["programme_id"].map({k: p.anchor for k, p in settings.programmes.items()})
    found = pd.Series(pd.NaT, index=episodes.index, dtype="datetime64[s]")
    for kind in kinds.dropna().unique():
        found = found.mask(kinds == kind, episodes[kind])
    return found


def first_episodes(episodes: pd.DataFrame, *, settings: Consortium) -> pd.DataFrame:
    """The first episode of every patient in a programme (by anchor, then id), with its `anchor`: each person once per table."""
    known = episodes.assign(anchor=anchors(episodes, settings=settings)).dropna(subset=["anchor", "patient_id"])
    ordered = known.sort_values(["programme_id", "patient_id", "anchor", "episode_id"])
    return ordered.drop_duplicates(["programme_id", "patient_id"]).reset_index(drop=True)


@dataclass(frozen=True)
class _Plan:
    """Rows: episode x instrument; columns: the months of the plan. Dates are days."""

    rows: pd.DataFrame
    months: tuple[int, ...]
    due: Dates
    opens: Dates
    closes: Dates

    @property
    def n_slots(self) -> int:
        """Moments of all rows together; slot number = row x months + position of the month."""
        return self.due.size


def expected(
    administrations: pd.DataFrame, episodes: pd.DataFrame, *, settings: Consortium, as_of: date
) -> pd.DataFrame:
    """What the plan asks of every episode and what came of it: rows of `outcomes/expected`.

    `administrations`: accepted forms of all instruments, with programme_id, patient_id, instrument, row_id, administered_on,
    moment_given and, optionally, is_complete and form_state. `episodes`: rows of `reference/episodes` (may be empty).
    One row per episode, instrument of its programme and month of the plan, and one per form that fits none.
    `status`: received; to_be_finished (its form was only begun and the window is open; once it has closed the form counts as
    what it holds: received); missed (the window has closed); open; not_yet_due; died (before it was due: not eligible);
    unscheduled. Death counts for all episodes of the person; a death without a date makes every unanswered moment `died`.
    An episode whose anchor is not recorded has no due dates, so no rows. Without an episode of the patient only what the
    export states is known: a row `received` for each moment given, without due date or episode.
    """
    plan = _plan(episodes, settings=settings, as_of=as_of)
    forms = _ordered(administrations)
    pairs = _pairs(plan, forms)
    by_date = _match_by_date(plan, forms, pairs)
    slot_form = _match_by_given_moment(plan, forms, pairs, slot_form=by_date)
    planned = _planned_rows(plan, forms, slot_form, as_of=as_of)
    used = np.isin(np.arange(len(forms)), slot_form)
    other = _other_rows(forms[~used], _without_plan(plan, forms, pairs)[~used], episodes=episodes, settings=settings)
    return EXPECTED.conform(pd.concat([planned, other], ignore_index=True))


def response(expected: pd.DataFrame) -> pd.DataFrame:
    """Response per programme, instrument and moment: rows of `outcomes/response`.

    `expected`: rows of `outcomes/expected`, any number of programmes. Eligible = received or missed; an episode counts as
    not yet due until its window has closed or its form has come; one that was only begun has not come. Started = not yet due + not eligible + eligible. Where a
    programme has no episodes of an instrument registered, all but n_received is no data: missing, never zero. Forms outside
    the plan of a programme that has one do not count.
    """
    rows = expected[expected["moment"] != UNSCHEDULED]
    by = [rows["programme_id"], rows["instrument"], rows["moment"]]
    is_planned, status = rows["due_on"].notna(), rows["status"]
    counts = pd.DataFrame(
        {
            "n_started": is_planned,
            "n_not_yet_due": is_planned & status.isin(["open", "not_yet_due", TO_BE_FINISHED]),
            "n_not_eligible": is_planned & (status == "died"),
            "n_eligible": is_planned & status.isin(["received", "missed"]),
            "n_received": is_planned & (status == "received"),
            "n_given": status == "received",
        }
    )
    table = counts.astype("Int64").groupby(by).sum().reset_index()
    has_plan = table.groupby(["programme_id", "instrument"])["n_started"].transform("sum") > 0
    table["n_received"] = table["n_received"].where(has_plan, table["n_given"])
    unknown = ["n_started", "n_not_yet_due", "n_not_eligible", "n_eligible"]
    table[unknown] = table[unknown].where(has_plan)
    return RESPONSE.conform(_in_order(_with_share(table)).drop(columns="n_given"))


def days_quiet(programmes: pd.DataFrame, *, as_of: date) -> pd.Series:
    """Days since a programme was last heard of: since its newest form, or its last delivery where that is longer ago.

    `programmes`: rows of `reference/programmes`. Missing where nothing was ever delivered. A register that keeps arriving
    does not make a programme heard of when no patient has filled in a form for months.

    >>> rows = pd.DataFrame({"last_delivery_on": ["2026-11-20", "2026-11-20", None],
    ...                      "newest_form_on": ["2026-11-18", "2026-07-25", None]}, dtype="datetime64[s]")
    >>> days_quiet(rows, as_of=date(2026, 11, 22)).tolist()
    [4, 120, <NA>]
    """
    last = programmes[["last_delivery_on", "newest_form_on"]].min(axis=1)
    return pd.Series((pd.Timestamp(as_of) - last).dt.days, dtype="Int64")


def _with_share(table: pd.DataFrame) -> pd.DataFrame:
    eligible = table["n_eligible"].to_numpy(dtype=float, na_value=np.nan)
    received = np.where(np.isnan(eligible), np.nan, table["n_received"].to_numpy(dtype=float, na_value=np.nan))
    share, lower, upper = intervals.wilson(count=received, n=eligible)
    return table.assign(response_share=share, lower_95=lower, upper_95=upper)


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    months = table["moment"].map({name: month_of(name) for name in table["moment"].unique()})
    order = table.assign(month=months).sort_values(["programme_id", "instrument", "month"]).index
    return table.loc[order]


def _days(dates: pd.Series) -> Dates:
    return np.asarray(dates.to_numpy(dtype="datetime64[s]").astype("datetime64[D]"))


def _ordered(administrations: pd.DataFrame) -> pd.DataFrame:
    """Forms in an order that does not depend on the order of the input: incomplete ones last, then by date and row."""
    forms = administrations.assign(is_unfinished=is_unfinished(administrations))
    incomplete = ~administrations["is_complete"].fillna(True) if "is_complete" in administrations else False
    forms["is_incomplete"] = incomplete | forms["is_unfinished"]
    return forms.sort_values(["programme_id", "is_incomplete", "administered_on", "row_id"]).reset_index(drop=True)


def is_unfinished(administrations: pd.DataFrame) -> Bools:
    """Forms that were opened or begun and not finished, where the frame says in which state they are."""
    if "form_state" not in administrations:
        return np.zeros(len(administrations), dtype=bool)
    return administrations["form_state"].isin(UNFINISHED).to_numpy(dtype=bool)


def _died_on(episodes: pd.DataFrame, *, as_of: date) -> pd.Series:
    """Date of death of the person, as known on `as_of`; the first of all days where a death has no date."""
    deaths = episodes[episodes["end_reason"] == "died"]
    when = deaths["ended_on"].fillna(pd.Timestamp(1, 1, 1).as_unit("s"))
    known = when[when <= pd.Timestamp(as_of)]
    people = [deaths.loc[known.index, "programme_id"], deaths.loc[known.index, "patient_id"]]
    by_person = known.groupby(people).min().rename("died_on").reset_index()
    return episodes[["programme_id", "patient_id"]].merge(by_person, how="left")["died_on"].set_axis(episodes.index)


def _plan(episodes: pd.DataFrame, *, settings: Consortium, as_of: date) -> _Plan:
    known = episodes.assign(anchor=anchors(episodes, settings=settings), died_on=_died_on(episodes, as_of=as_of))
    known = known.dropna(subset=["anchor", "patient_id"]).sort_values(["programme_id", "episode_id"])
    asked = [(p, i) for p, programme in settings.programmes.items() for i in programme.instruments]
    instruments = pd.DataFrame(asked, columns=["programme_id", "instrument"], dtype="str")
    columns = ["programme_id", "patient_id", "episode_id", "anchor", "died_on"]
    rows = known[columns].merge(instruments, on="programme_id")
    due = add_months(_days(rows["anchor"])[:, None], np.array(settings.months)[None, :])
    windows = [settings.windows.baseline if month == 0 else settings.windows.later for month in settings.months]
    before, after = np.array(windows, dtype="timedelta64[D]").T
    return _Plan(rows=rows, months=settings.months, due=due, opens=due + before, closes=due + after)


@dataclass(frozen=True)
class _Pairs:
    """Form and plan row of the same programme, patient and instrument; `group` is a number for these three."""

    form: Ints
    row: Ints
    group: Ints
    n_of_form: Ints


def _pairs(plan: _Plan, forms: pd.DataFrame) -> _Pairs:
    of_forms, of_plan = keys.row_codes(forms, plan.rows, columns=["programme_id", "patient_id", "instrument"])
    form, row = keys.join(of_forms, of_plan)
    return _Pairs(form, row, of_forms[form], np.bincount(form, minlength=len(forms)))


def _match_by_date(plan: _Plan, forms: pd.DataFrame, pairs: _Pairs) -> Ints:
    """The form of every slot, -1 where there is none."""
    day = _days(forms["administered_on"])[pairs.form][:, None]
    pair, month = np.nonzero((day >= plan.opens[pairs.row]) & (day <= plan.closes[pairs.row]))
    days = (day[pair, 0] - plan.due[pairs.row[pair], month]).astype(np.int64)
    is_late = (days > 0) & (np.array(plan.months)[month] == 0)
    is_incomplete = forms["is_incomplete"].to_numpy(dtype=bool)[pairs.form[pair]]
    # twice the days plus one after the due date: of two forms equally near the earlier is taken
    cost = 2 * np.abs(days) + (days > 0) + _LATE * is_late + _INCOMPLETE * is_incomplete
    edges = _Edges(pairs.form[pair], pairs.row[pair] * len(plan.months) + month, cost, pairs.group[pair])
    slot_form = np.full(plan.n_slots, _NONE, dtype=np.int64)
    for chosen in _assign(edges):
        slot_form[chosen.slot] = chosen.form
    return slot_form


@dataclass(frozen=True)
class _Edges:
    """Form and slot that may be matched, what that costs, and the group within which forms compete."""

    form: Ints
    slot: Ints
    cost: Ints
    group: Ints

    def __getitem__(self, which: npt.NDArray[np.generic] | slice) -> _Edges:
        """The edges at these positions."""
        return _Edges(self.form[which], self.slot[which], self.cost[which], self.group[which])


def _assign(edges: _Edges) -> list[_Edges]:
    """The edges of a matching of most forms at least cost, in parts.

    Where no form of a group has a choice (windows that do not overlap) every slot takes its cheapest form. Where forms have
    a choice but their cheapest slots are all different, each takes that. Both are optimal; the rest is solved group by group.
    """
    has_choice = np.bincount(edges.form, minlength=1)[edges.form] > 1
    is_tangled = np.isin(edges.group, edges.group[has_choice])
    free, tangled = edges[~is_tangled], edges[is_tangled]
    parts = [free[_cheapest(free.slot, free)]]
    wished = tangled[_cheapest(tangled.form, tangled)]
    contested = wished.slot[~keys.first_of_each(wished.slot)]
    has_conflict = np.isin(tangled.group, wished.group[np.isin(wished.slot, contested)])
    parts.append(wished[~np.isin(wished.group, tangled.group[has_conflict])])
    hard = tangled[has_conflict]
    hard = hard[np.argsort(hard.group, kind="stable")]
    bounds = [*np.flatnonzero(keys.first_of_each(hard.group)), len(hard.group)]
    return parts + [_solve(hard[a:b]) for a, b in pairwise(bounds)]


def _cheapest(by: Ints, edges: _Edges) -> Ints:
    """Positions of the cheapest edge of every value of `by`; of equal ones the first form in order."""
    order: Ints = np.asarray(np.lexsort((edges.slot, edges.form, edges.cost, by)), dtype=np.int64)
    first: Ints = np.asarray(order[keys.first_of_each(by[order])], dtype=np.int64)
    return first


def _solve(edges: _Edges) -> _Edges:
    """Matching of most forms at least cost within one group (Hungarian method)."""
    from scipy.optimize import linear_sum_assignment

    forms, form = np.unique(edges.form, return_inverse=True)
    slots, slot = np.unique(edges.slot, return_inverse=True)
    # one more match is worth more than all costs together
    worth = (edges.cost.max() + 1) * (min(len(forms), len(slots)) + 1) - edges.cost
    gain = np.zeros((len(forms), len(slots)))
    gain[form, slot] = worth
    taken = np.zeros(gain.shape, dtype=bool)
    taken[linear_sum_assignment(gain, maximize=True)] = True
    return edges[taken[form, slot]]


def _given(plan: _Plan, forms: pd.DataFrame) -> Ints:
    """Position in the plan's months of the moment that each form states, -1 where it states none of them."""
    positions = {moment_name(month): k for k, month in enumerate(plan.months)}
    return np.asarray(forms["moment_given"].map(positions).fillna(_NONE), dtype=np.int64)


def _match_by_given_moment(plan: _Plan, forms: pd.DataFrame, pairs: _Pairs, *, slot_form: Ints) -> Ints:
    """`slot_form` with forms without a date added, at the stated moment, where the patient has one episode and it is free."""
    given = _given(plan, forms)
    undated = forms["administered_on"].isna().to_numpy() & (given != _NONE) & (pairs.n_of_form == 1)
    which = undated[pairs.form]
    form, slot = pairs.form[which], pairs.row[which] * len(plan.months) + given[pairs.form[which]]
    form, slot = form[slot_form[slot] == _NONE], slot[slot_form[slot] == _NONE]
    first = keys.first_of_each(slot)
    matched = slot_form.copy()
    matched[slot[first]] = form[first]
    return matched


def _without_plan(plan: _Plan, forms: pd.DataFrame, pairs: _Pairs) -> Bools:
    """True for the forms that count for the moment they state because no episode asks their patient for the instrument."""
    can = (_given(plan, forms) != _NONE) & (pairs.n_of_form == 0) & forms["patient_id"].notna().to_numpy()
    (codes,) = keys.row_codes(forms[can], columns=["programme_id", "patient_id", "instrument", "moment_given"])
    counts = np.zeros(len(forms), dtype=bool)
    counts[np.flatnonzero(can)[keys.first_of_each(codes)]] = True
    return counts


def _planned_rows(plan: _Plan, forms: pd.DataFrame, slot_form: Ints, *, as_of: date) -> pd.DataFrame:
    n_months = len(plan.months)
    row, has_form = np.repeat(np.arange(len(plan.rows)), n_months), slot_form != _NONE
    matched = forms[["row_id", "administered_on"]].reindex(pd.Index(np.where(has_form, slot_form, len(forms))))
    due = plan.due.ravel()
    return pd.DataFrame(
        {
            **{c: plan.rows[c].take(row).array for c in ("programme_id", "patient_id", "episode_id", "instrument")},
            "moment": pd.Series([moment_name(m) for m in plan.months], dtype="str")
            .take(np.tile(np.arange(n_months), len(plan.rows)))
            .array,
            "due_on": due,
            "opens_on": plan.opens.ravel(),
            "closes_on": plan.closes.ravel(),
            "status": _status(plan, has_form, _is_only_begun(forms, slot_form), as_of=as_of),
            "row_id": matched["row_id"].array,
            "administered_on": matched["administered_on"].array,
            "days_from_due": pd.Series(_days(matched["administered_on"]) - due).dt.days.astype("Int32").array,
        }
    )


def _is_only_begun(forms: pd.DataFrame, slot_form: Ints) -> Bools:
    """Slots whose form was opened or begun and not finished."""
    unfinished = np.append(forms["is_unfinished"].to_numpy(dtype=bool), False)
    return unfinished[slot_form]  # where there is no form, the last: False


def _status(plan: _Plan, has_form: Bools, is_only_begun: Bools, *, as_of: date) -> npt.NDArray[np.object_]:
    today = np.datetime64(as_of)
    died_on = _days(plan.rows["died_on"])[:, None]
    is_dead = np.broadcast_to(~np.isnat(died_on), plan.due.shape)
    is_over = (today > plan.closes).ravel() | is_dead.ravel()
    chosen = [
        is_only_begun & ~is_over,
        has_form,
        (died_on < plan.due).ravel(),
        is_over,
        (today < plan.opens).ravel(),
    ]
    words = [TO_BE_FINISHED, "received", "died", "missed", "not_yet_due"]
    return np.select(chosen, [np.array(word, dtype=object) for word in words], np.array("open", dtype=object))


def _other_rows(forms: pd.DataFrame, counts: Bools, *, episodes: pd.DataFrame, settings: Consortium) -> pd.DataFrame:
    """One row per form outside the plan: `received` at the moment it states where that counts, else `unscheduled`."""
    return pd.DataFrame(
        {
            **{c: forms[c].array for c in ("programme_id", "patient_id", "instrument", "row_id", "administered_on")},
            "episode_id": _episode_of(forms, episodes=episodes, settings=settings),
            "moment": forms["moment_given"].where(counts, UNSCHEDULED).array,
            "status": np.where(counts, "received", UNSCHEDULED),
        }
    )


def _episode_of(forms: pd.DataFrame, *, episodes: pd.DataFrame, settings: Consortium) -> npt.NDArray[np.object_]:
    """Episode during which a form was filled in: the last whose baseline window had opened, else the patient's first.

    A form without a date belongs to the patient's only episode; where there are several, to none.
    """
    known = episodes.assign(anchor=anchors(episodes, settings=settings)).dropna(subset=["anchor", "patient_id"])
    known = known.sort_values(["anchor", "episode_id"])
    of_forms, of_episodes = keys.row_codes(forms, known, columns=["programme_id", "patient_id"])
    form, episode = keys.join(of_forms, of_episodes)
    chosen = np.full(len(forms), _NONE, dtype=np.int64)
    chosen[form[::-1]] = episode[::-1]
    opened = _days(known["anchor"]) + np.timedelta64(settings.windows.baseline[0], "D")
    day = _days(forms["administered_on"])
    begun = day[form] >= opened[episode]
    chosen[form[begun]] = episode[begun]
    chosen[np.isnat(day) & (np.bincount(form, minlength=len(forms)) > 1)] = _NONE
    ids = known["episode_id"].to_numpy(dtype=object)
    found = np.full(len(forms), None, dtype=object)
    found[chosen != _NONE] = ids[chosen[chosen != _NONE]]
    return found
