"""Episodes and flow: where everybody stands on a day, how long they wait and stay, and how treatments end.

Belongs here: the state of every case, the manual's simple figures per cohort (Programme Implementation Report, part 3) and, beside
them, the figures that allow for those who are still there. Does not belong here: the estimators (`survival`), who answers forms
(`responders`), attendance (`attendance`), which numbers may be published (`disclosure`).

A *case* is an episode, or a referral that no episode came of. Referral and waiting belong to the cohort of the year of referral,
treatment and its end to that of the year of the start. Figures count each person once, with the first case (of
treatment: the first that started); further episodes (re-entries) and arrivals from another programme (transfers) are counted.
Only episodes are needed: what rests on the registers of spells and referrals is missing where a programme has none.

The share of ended treatments that were completed (the manual's figure) is read off those who have ended, so that a young cohort
holds only its short treatments: early drop-outs. The cumulative incidence does not have that fault.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import intervals, survival
from mbt_rom.tables import FLOW, FLOW_CURVES, STATES, TRANSFERS

Bools = npt.NDArray[np.bool_]

DAYS_PER_MONTH = 30.4375
#: How an episode can end; the last one stands for an end whose reason is not recorded.
ENDS = ("completed", "dropped_out", "referred_on", "died", "ended")
BEFORE_TREATMENT = ("not_yet", "referred", "waiting", "introductory", "not_taken_on")
#: Every state of a case; at any time a case is in exactly one of them.
EVERY_STATE = (*BEFORE_TREATMENT, "main", "follow_up", *ENDS)
#: Decisions on a referral after which nothing follows.
CLOSING = ("declined", "withdrawn", "elsewhere")
TRANSFER_DAYS = 60
#: Fewer people give no curve. Ours: with ten an interval at a half still spans more than 0.5.
FEWEST = 10
#: Months at which curves are given, and those that are printed.
MONTHS = tuple(range(37))
PRINTED = (3, 6, 12, 18)
#: Months after which a cohort's ends are looked at as a whole: the longest planned treatment.
LONGEST_TREATMENT = 18
ALL = "all"
_CASE = ["programme_id", "patient_id", "episode_id"]
_PERSON = ["programme_id", "patient_id"]


def states(
    episodes: pd.DataFrame,
    spells: pd.DataFrame,
    referrals: pd.DataFrame,
    *,
    as_of: date,
    deaths: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Where every case stands on a day: rows of `outcomes/states`.

    `episodes`: rows of `reference/episodes`; `spells` and `referrals`: rows of those registers, or none; any number of programmes.
    `deaths`: one row per person who died by that day, as `eligibility.ends` gives them; a case of theirs that is open ends with it,
    whatever the register of episodes does not say yet. What is dated after `as_of` has not happened yet. In this order: a case that
    ended has its end, unless a spell of follow-up is running; one that started is in the main programme; before that it is not taken
    on once the referral was declined, withdrawn or sent elsewhere; else it is in the spell that runs (introductory or waiting), or in
    the introductory course once that began; without one it waits once it was accepted, and until then it is referred.
    """
    day = pd.Timestamp(as_of)
    cases = _with_referral(_known_by(episodes, day), referrals, day)
    if deaths is not None:
        cases = _with_deaths(cases, deaths)
    mine = _of_case(spells, cases, day)
    cases = _with_start(cases, mine)
    running = _running(mine, cases, day)
    cases["state"] = _state(cases, running)
    cases = _with_days(cases, mine, has_spells=cases["programme_id"].isin(spells["programme_id"]), day=day)
    return STATES.conform(_with_history(cases)[STATES.column_names])


def _known_by(episodes: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    columns = [*_CASE, "referred_on", "first_introductory_on", "started_on", "ended_on", "end_reason"]
    rows = episodes[columns].dropna(subset=["patient_id"]).reset_index(drop=True)
    is_later = rows["ended_on"] > day
    is_over = (rows["end_reason"].notna() | rows["ended_on"].notna()) & ~is_later
    for column in ("referred_on", "first_introductory_on", "started_on", "ended_on"):
        rows[column] = rows[column].where(rows[column] <= day)
    rows["end_reason"] = rows["end_reason"].where(rows["end_reason"].isin(ENDS), "ended").where(is_over).astype("str")
    return rows.assign(first_on=rows[["referred_on", "started_on"]].min(axis=1))


def _with_referral(cases: pd.DataFrame, referrals: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Cases with the decision on their referral, and a case for every referral that no episode came of.

    A referral belongs to the patient's first episode that began on that day or later; of several the last one counts.
    """
    rows = referrals[[*_PERSON, "referred_on", "decided_on", "decision"]].dropna(subset=["patient_id", "referred_on"])
    rows = rows[rows["referred_on"] <= day].reset_index(drop=True).rename_axis("at").reset_index()
    rows["decision"] = rows["decision"].where(~(rows["decided_on"] > day))
    pairs = rows.merge(cases[[*_CASE, "first_on"]], on=_PERSON)
    pairs = pairs[pairs["first_on"] >= pairs["referred_on"]].sort_values(["at", "first_on", "episode_id"])
    pairs = pairs.drop_duplicates("at")
    last = pairs.sort_values(["referred_on", "at"]).drop_duplicates(_CASE, keep="last")
    found = cases.merge(
        last[[*_CASE, "decision", "referred_on"]], on=_CASE, how="left", suffixes=("", "_there"), validate="1:1"
    )
    found["referred_on"] = found["referred_on"].fillna(found["referred_on_there"])
    alone = rows[~rows["at"].isin(pairs["at"])].drop(columns=["at", "decided_on"])
    together = pd.concat([found.drop(columns="referred_on_there"), alone], ignore_index=True)
    together["first_on"] = together[["referred_on", "started_on"]].min(axis=1)
    return together.astype({"episode_id": "str", "end_reason": "str", "decision": "str"})


def _with_deaths(cases: pd.DataFrame, deaths: pd.DataFrame) -> pd.DataFrame:
    """Open cases of people who died, ended by it; of a death that nobody dated the day stays missing."""
    died_on = cases[_PERSON].merge(deaths[[*_PERSON, "ended_on"]], on=_PERSON, how="left", validate="m:1")["ended_on"]
    ends = died_on.notna() & cases["end_reason"].isna() & ~cases["decision"].isin(CLOSING)
    is_dated = ends & (died_on >= cases["first_on"])
    return cases.assign(
        ended_on=cases["ended_on"].mask(is_dated, died_on), end_reason=cases["end_reason"].mask(ends, "died")
    )


def _of_case(spells: pd.DataFrame, cases: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Spells that began by the day, with `case`: the patient's last case that had begun by then, else the first."""
    rows = spells[[*_PERSON, "phase", "from_on", "until_on"]].dropna(subset=["patient_id", "from_on"])
    rows = rows[rows["from_on"] <= day].reset_index(drop=True).rename_axis("at").reset_index()
    pairs = rows.merge(cases[[*_PERSON, "first_on"]].rename_axis("case").reset_index(), on=_PERSON)
    pairs["is_before"] = pairs["first_on"] <= pairs["from_on"]
    pairs["distance"] = (pairs["from_on"] - pairs["first_on"]).dt.days.abs()
    return pairs.sort_values(
        ["at", "is_before", "distance", "case"], ascending=[True, False, True, True]
    ).drop_duplicates("at")


def _with_start(cases: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Cases with the start of the first spell in the main programme where the episode does not tell its start."""
    first = spells[spells["phase"] == "main"].groupby("case")["from_on"].min().reindex(cases.index)
    return cases.assign(started_on=cases["started_on"].fillna(first))


def _running(spells: pd.DataFrame, cases: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Phase of the spell that runs on the day, of several the one that began last; missing where none does."""
    is_open = spells["until_on"].isna() | (spells["until_on"] >= day)
    last = spells[is_open].sort_values(["from_on", "at"]).drop_duplicates("case", keep="last").set_index("case")
    return last["phase"].reindex(cases.index)


def _state(cases: pd.DataFrame, running: pd.Series) -> npt.NDArray[np.object_]:
    end, is_over = cases["end_reason"], cases["end_reason"].notna()
    is_dead = end.eq("died").fillna(False).to_numpy(dtype=bool)
    has_started = cases["started_on"].notna()
    chosen = [
        is_dead,
        is_over & running.eq("follow_up"),
        is_over,
        has_started & running.eq("follow_up"),
        has_started | running.eq("main"),
        cases["decision"].isin(CLOSING),
        running.eq("introductory") | (running.isna() & cases["first_introductory_on"].notna()),
        running.eq("waiting") | cases["decision"].eq("accepted"),
        cases["referred_on"].notna(),
    ]
    words: list[Any] = [
        "died", "follow_up", end.astype(object).to_numpy(), "follow_up", "main", "not_taken_on", "introductory", "waiting",
        "referred",
    ]  # fmt: skip
    masks = [np.asarray(c.fillna(False) if isinstance(c, pd.Series) else c, dtype=bool) for c in chosen]
    return np.select(masks, [np.asarray(w, dtype=object) for w in words], np.asarray("not_yet", dtype=object))


def _with_days(cases: pd.DataFrame, spells: pd.DataFrame, *, has_spells: pd.Series, day: pd.Timestamp) -> pd.DataFrame:
    """Days of waiting and treatment by the episode's dates, and of the other phases by spells; still running ones until the day.

    Days are missing where a date is, and where dates run backwards.
    """
    end = cases["ended_on"].where(cases["end_reason"].notna(), day)
    wait = (cases["started_on"].fillna(end) - cases["referred_on"]).dt.days
    stay = (end - cases["started_on"]).dt.days
    cases["days_waiting"] = wait.where((wait >= 0) & (cases["state"] != "not_taken_on")).astype("Int32")
    cases["days_in_treatment"] = stay.where(stay >= 0).astype("Int32")
    until = spells["until_on"].where(spells["until_on"] < day, day)
    lasted = (until - spells["from_on"]).dt.days + 1
    for phase in ("introductory", "follow_up"):
        total = lasted[spells["phase"] == phase].groupby(spells["case"]).sum().reindex(cases.index, fill_value=0)
        cases[f"days_{phase}"] = total.where(has_spells).astype("Int32")
    return cases


def _with_history(cases: pd.DataFrame) -> pd.DataFrame:
    """Which case of the person it is in the programme."""
    order = cases.sort_values([*_PERSON, "first_on", "episode_id"], na_position="last")
    number = order.groupby(_PERSON).cumcount().reindex(cases.index)
    # only who had been in treatment can come back to it
    before = order["started_on"].notna().astype("int64").groupby([order[c] for c in _PERSON]).cumsum()
    again = cases["started_on"].notna() & (before.reindex(cases.index) > 1)
    return cases.assign(is_first=number == 0, is_re_entry=again)


def transfers(episodes: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """Starts of people who left another programme at most `TRANSFER_DAYS` before: rows of `outcomes/transfers`.

    `episodes`: rows of `reference/episodes` of all programmes. A number is one person only within what gave it out, so nobody is
    found who is known to two hospitals under two numbers. What is dated after `as_of` has not happened yet.
    """
    day = pd.Timestamp(as_of)
    begun = episodes[(episodes["started_on"] <= day) & episodes["patient_id"].notna()]
    came = begun[["patient_id", "programme_id", "started_on"]]
    left = begun.loc[begun["ended_on"] <= day, ["patient_id", "programme_id", "ended_on"]]
    pairs = came.merge(left.rename(columns={"programme_id": "from_programme_id"}), on="patient_id")
    gap = (pairs["started_on"] - pairs["ended_on"]).dt.days
    moved = pairs[(pairs["programme_id"] != pairs["from_programme_id"]) & gap.between(0, TRANSFER_DAYS)]
    # who left two others is counted as coming from the one left last
    moved = moved.sort_values("ended_on").drop_duplicates(["patient_id", "programme_id", "started_on"], keep="last")
    by = [moved["programme_id"], moved["from_programme_id"], moved["started_on"].dt.year.rename("start_year")]
    return TRANSFERS.conform(moved.groupby(by).size().rename("n_transfers").reset_index())


# ---- figures ------------------------------------------------------------------------------------------------------------------


def flow(cases: pd.DataFrame, *, as_of: date, with_referrals: Collection[str] = ()) -> pd.DataFrame:
    """The figures of every programme and cohort: rows of `outcomes/flow`.

    `cases`: rows of `outcomes/states`; `with_referrals`: programmes that have a register of referrals. Waits and durations are in days. Means are those of people whose wait or treatment is
    over, with limits by t; medians are given of them and, beside it, by Kaplan-Meier of everybody.
    """
    found = [_figures(key, group, as_of=as_of) for key, group in _cohorts(cases)]
    table = pd.DataFrame(found, columns=FLOW.column_names)
    has_referrals = table["programme_id"].isin(with_referrals)
    has_spells = table["programme_id"].isin(cases.loc[cases["days_introductory"].notna(), "programme_id"])
    table["n_not_taken_on"] = table["n_not_taken_on"].where(has_referrals)
    table["n_waiting"] = table["n_waiting"].where(has_referrals | has_spells)
    table["n_introductory"] = table["n_introductory"].where(has_spells | (table["n_introductory"] > 0))
    table["n_in_follow_up"] = table["n_in_follow_up"].where(has_spells)
    return FLOW.conform(table)


_Group = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]


def _cohorts(cases: pd.DataFrame) -> Iterator[tuple[tuple[str, str], _Group]]:
    """Programme and cohort with (people referred in it, people who started in it, all cases of either kind, re-entries too)."""
    referred = cases["referred_on"].fillna(cases["started_on"]).dt.year
    started = cases["started_on"].dt.year
    first, again = (cases[c].to_numpy(dtype=bool) for c in ("is_first", "is_re_entry"))
    for programme, mine in cases.groupby("programme_id"):
        at = mine.index
        years = sorted({int(y) for y in pd.concat([referred[at], started[at]]).dropna()})
        for year in [*years, None]:
            by_referral = (referred[at].notna() if year is None else referred[at] == year).to_numpy()
            by_start = (started[at].notna() if year is None else started[at] == year).to_numpy()
            name = ALL if year is None else str(year)
            yield (
                (str(programme), name),
                (mine[by_referral & first[at]], mine[by_start & ~again[at]], mine[by_referral], mine[by_start]),
            )


def _figures(key: tuple[str, str], group: _Group, *, as_of: date) -> dict[str, Any]:
    referred, started, asked, every = group
    state, end = referred["state"], started["end_reason"]
    ended = int(end.notna().sum())
    share, lower, upper = intervals.wilson(count=int((end == "completed").sum()), n=ended)
    dropped, dropped_lower, dropped_upper = intervals.wilson(count=int((end == "dropped_out").sum()), n=ended)
    complete_on = None if key[1] == ALL else pd.Timestamp(int(key[1]), 12, 31) + pd.DateOffset(months=LONGEST_TREATMENT)
    return {
        "programme_id": key[0],
        "cohort": key[1],
        "complete_on": complete_on,
        "is_complete": None if complete_on is None else complete_on <= pd.Timestamp(as_of),
        "n_referred": len(referred),
        "n_not_taken_on": int((state == "not_taken_on").sum()),
        "n_undecided": int((state == "referred").sum()),
        "n_waiting": int((state == "waiting").sum()),
        "n_introductory": int((state == "introductory").sum()),
        "n_left_before_start": int((referred["end_reason"].notna() & referred["started_on"].isna()).sum()),
        "n_started": len(started),
        "n_in_treatment": len(started) - ended,
        **{f"n_{reason}": int((end == reason).sum()) for reason in ENDS},
        "n_in_follow_up": int((started["state"] == "follow_up").sum()),
        "n_cases_waiting": int(asked["state"].isin(["referred", "waiting", "introductory"]).sum()),
        "n_cases_in_treatment": int((every["state"] == "main").sum()),
        "n_re_entries": int(every["is_re_entry"].sum()),
        "completed_share": float(share),
        "completed_lower_95": float(lower),
        "completed_upper_95": float(upper),
        "dropped_out_share": float(dropped),
        "dropped_out_lower_95": float(dropped_lower),
        "dropped_out_upper_95": float(dropped_upper),
        **_lengths("wait", referred["days_waiting"], is_over=referred["started_on"].notna()),
        **_lengths("stay", started["days_in_treatment"], is_over=end.notna()),
    }


def _lengths(name: str, days: pd.Series, *, is_over: pd.Series) -> dict[str, Any]:
    """Simple figures of those for whom it is over, and the Kaplan-Meier median of everybody, in days."""
    known, over = days.dropna().astype(float), days[is_over.astype(bool)].dropna().astype(float)
    lower, upper = intervals.mean_t(mean=over.mean(), sd=over.std(), n=len(over))
    found = {
        f"n_{name}": len(over),
        f"{name}_mean": over.mean(),
        f"{name}_lower_95": float(lower),
        f"{name}_upper_95": float(upper),
        f"{name}_median": over.median(),
        f"n_{name}_km": len(known),
    }
    if len(known) < FEWEST:
        return found
    curve = survival.kaplan_meier(known, has_ended=is_over.astype(bool)[known.index])
    low, high = survival.median_limits(curve)
    return found | {
        f"{name}_km_median": survival.median_time(curve),
        f"{name}_km_lower_95": low,
        f"{name}_km_upper_95": high,
    }


def curves(cases: pd.DataFrame) -> pd.DataFrame:
    """Waiting, staying and ending over time per programme and cohort: rows of `outcomes/flow_curves`.

    `cases`: rows of `outcomes/states`. `wait`: share not started so long after the referral (who leaves the list counts until that
    day); `stay`: share still in treatment; `end`: share whose treatment ended in that way, the other ways ruling it out. At any
    month stay and all ends add up to 1. Missing, with the reason, where fewer than `FEWEST` people are behind it.
    """
    found = [row for key, group in _cohorts(cases) for row in _curves_of(key, group)]
    return FLOW_CURVES.conform(pd.concat(found, ignore_index=True) if found else FLOW_CURVES.empty())


def _curves_of(key: tuple[str, str], group: _Group) -> Iterator[pd.DataFrame]:
    referred, started = (
        rows.dropna(subset=[days]) for rows, days in zip(group[:2], ("days_waiting", "days_in_treatment"), strict=True)
    )
    waits, stays = referred["days_waiting"].astype(float), started["days_in_treatment"].astype(float)
    begun = referred["started_on"].notna()
    yield _points(key, "wait", "not_started", len(waits), lambda: survival.kaplan_meier(waits, has_ended=begun))
    over = started["end_reason"].notna()
    yield _points(key, "stay", "in_treatment", len(stays), lambda: survival.kaplan_meier(stays, has_ended=over))
    number = started["end_reason"].map({reason: k + 1 for k, reason in enumerate(ENDS)}).fillna(0)
    for k, reason in enumerate(ENDS):
        yield _points(
            key,
            "end",
            reason,
            len(stays),
            lambda k=k: survival.cumulative_incidence(stays, end=number, kinds=len(ENDS))[k],
        )


def _points(key: tuple[str, str], curve: str, outcome: str, n: int, estimate: Any) -> pd.DataFrame:
    rows = pd.DataFrame({"month": MONTHS}).assign(
        programme_id=key[0], cohort=key[1], curve=curve, outcome=outcome, n_persons=n
    )
    if n < FEWEST:
        return rows.assign(reason="too_few_persons")
    fitted, days = estimate(), np.array(MONTHS) * DAYS_PER_MONTH
    share, lower, upper = fitted.at(days)
    rows = rows.assign(share=share, lower_95=lower, upper_95=upper, n_at_risk=fitted.n_at_risk(days))
    return rows.assign(reason=rows["share"].isna().map({True: "not_followed_so_long"}))
