"""What the plan must expect of a synthetic consortium and what came of it, worked out from what was made.

Belongs here: the truth tables `expected`, `ends` and `weekly`. Does not belong here: the plan that the project works with: nothing of
`schedule`, `eligibility` or `plans` is used, so that the two can be held against each other.

A form counts for one moment at most. Where a form lies in the windows of several moments, every way to deal the person's forms
out is tried: the one that answers most moments counts, of those the one that answers more months than new baselines and ends of
treatment, of those the one with the fewest days from the due dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from mbt_rom.model import Instrument
from mbt_rom.synthetic.exports import Programme
from mbt_rom.synthetic.forms import WEEKLY
from mbt_rom.synthetic.moments import BASELINE, END, REBASELINE, moments

_PERSON = ["programme_id", "number", "instrument"]
_COLUMNS = [
    "programme_id", "number", "episode", "instrument", "moment", "requirement", "due_on", "status", "answered_on",
    "is_late_baseline",
]  # fmt: skip
#: What costs more than any number of days: to answer what is no month; to take a form of after the due date for a baseline.
_NO_MONTH, _LATE = 100_000, 1_000_000


def ends(programmes: Sequence[Programme]) -> pd.DataFrame:
    """Who died or withdrew: programme_id, number, ended_on, why. The earliest of the two for each person."""
    parts = []
    for programme in programmes:
        episodes = programme.people.episodes
        died = episodes["ended_on"].where(episodes["end_reason"] == "died")
        withdrew = pd.Series(programme.withdrawn_on.astype("datetime64[s]"))
        part = pd.DataFrame({"number": episodes["number"], "ended_on": died.fillna(withdrew)})
        part = part.assign(programme_id=programme.plan.programme_id, why=np.where(died.notna(), "died", "withdrawn"))
        parts.append(part.dropna(subset=["ended_on"]))
    return pd.concat(parts, ignore_index=True)[["programme_id", "number", "ended_on", "why"]]


def expected(
    programmes: Sequence[Programme], forms: pd.DataFrame, instruments: Mapping[str, Instrument], *, as_of: date
) -> pd.DataFrame:
    """One row per episode, instrument and moment of the plan.

    Columns: programme_id, number, episode, instrument, moment, requirement, due_on, status (received, died, withdrawn, missed,
    not_yet_due, open), answered_on (date of the form that was received), is_late_baseline (a baseline filled in after the
    first main session; missing for other rows and where the export has no dates).
    """
    asked = pd.concat([_asked(p, instruments) for p in programmes], ignore_index=True)
    asked = asked.merge(ends(programmes), on=["programme_id", "number"], how="left")
    answered = _answered(asked, forms)
    today, due, is_over = pd.Timestamp(as_of), asked["due_on"], asked["ended_on"].notna()
    too_late = asked["ended_on"] < due
    chosen = [
        answered.notna(),
        too_late & (asked["why"] == "died"),
        too_late & (asked["why"] == "withdrawn"),
        (today > asked["closes_on"]) | is_over,
        today < asked["opens_on"],
    ]
    words = ["received", "died", "withdrawn", "missed", "not_yet_due"]
    dates = forms["administered_on"].where(forms["has_date"])
    on = dates.reindex(answered.fillna(-1).astype("int64")).set_axis(asked.index)
    is_baseline = (asked["moment"] == BASELINE) & on.notna() & asked["started_on"].notna()
    late = (on > asked["started_on"]).astype("boolean").where(is_baseline)
    status = pd.Series(np.select(chosen, words, "open"), dtype="str")
    return asked.assign(status=status, answered_on=on, is_late_baseline=late)[_COLUMNS]


def weekly(programmes: Sequence[Programme], forms: pd.DataFrame) -> pd.DataFrame:
    """Forms of weekly series: programme_id, number, instrument, n_forms, last_answered_on. One row per person who has any."""
    kinds = {p.plan.programme_id for p in programmes if p.plan.kind.has_weekly}
    series = forms[(forms["moment"] == WEEKLY) & forms["programme_id"].isin(kinds)]
    by = series.groupby(_PERSON)["administered_on"]
    return by.agg(n_forms="size", last_answered_on="max").reset_index()


def requirement(definition: Instrument, instruments: Mapping[str, Instrument], moment: str) -> str:
    """What Appendix 1 of the manual says of an instrument at a moment: required, desired, or '' where it is not asked.

    An instrument that the manual gives no moments is desired at each. A new baseline is asked as the baseline is, and so is the
    end of treatment, at least as desired.

    >>> from mbt_rom.registry import instruments
    >>> known = instruments()
    >>> [requirement(known[i], known, m) for i, m in (("bsi", "m24"), ("phq9", "m6"), ("scid2", "m6"), ("scid2", "end"))]
    ['desired', 'desired', '', 'required']
    """
    printed: dict[str, str] = {str(m): r for m, r in definition.manual.schedule.items()}
    if not printed:
        other = instruments.get(str(getattr(definition.manual, "in_place_of", None)))
        return requirement(other, instruments, moment) if other else "desired"
    if moment in (REBASELINE, END):
        return printed.get(BASELINE, "desired" if moment == END else "")
    return printed.get(moment, "")


def _asked(programme: Programme, instruments: Mapping[str, Instrument]) -> pd.DataFrame:
    due = moments(programme.plan, programme.people)
    started = programme.people.every_episode["started_on"]
    due = due.assign(programme_id=programme.plan.programme_id, started_on=due["row"].map(started))
    parts = []
    for name in programme.plan.instruments:
        wanted = due["moment"].map({m: requirement(instruments[name], instruments, m) for m in due["moment"].unique()})
        parts.append(due.assign(instrument=name, requirement=wanted)[wanted != ""])
    return pd.concat(parts, ignore_index=True)


def _answered(asked: pd.DataFrame, forms: pd.DataFrame) -> pd.Series:
    """Row label of the form that answers each row of `asked`, missing where none does."""
    dated = forms[forms["has_date"]].reset_index(names="form")[["form", *_PERSON, "administered_on"]]
    pairs = asked.reset_index(names="slot").merge(dated, on=_PERSON)
    on = pairs["administered_on"]
    pairs = pairs[(on >= pairs["opens_on"]) & (on <= pairs["closes_on"])]
    days = (pairs["administered_on"] - pairs["due_on"]).dt.days
    cost = 2 * days.abs() + (days > 0) + _LATE * ((days > 0) & (pairs["moment"] == BASELINE))
    cost = cost + _NO_MONTH * pairs["moment"].isin([REBASELINE, END])
    pairs = pairs.assign(cost=cost).sort_values(["slot", "cost", "form"])
    is_tangled = pairs.groupby(_PERSON)["form"].transform(lambda form: form.duplicated().any()).astype(bool)
    found = _slots(pairs[~is_tangled].drop_duplicates("slot"))
    for _, group in pairs[is_tangled].groupby(_PERSON):
        found.update(_dealt_out(group))
    stated = asked.reset_index(names="slot").merge(
        forms[~forms["has_date"]].reset_index(names="form"), on=[*_PERSON, "moment"]
    )
    found.update(_slots(stated))
    return pd.Series(found, index=asked.index, dtype="Int64")


def _slots(pairs: pd.DataFrame) -> dict[int, int]:
    """The form of each slot."""
    return {int(slot): int(form) for slot, form in zip(pairs["slot"], pairs["form"], strict=True)}


def _dealt_out(pairs: pd.DataFrame) -> dict[int, int]:
    """The best way to give every slot a form of its own, or none, found by trying all of them."""
    choices: dict[int, list[tuple[int, int]]] = {}
    for slot, form, cost in zip(pairs["slot"], pairs["form"], pairs["cost"], strict=True):
        choices.setdefault(int(slot), []).append((int(form), int(cost)))
    slots = list(choices)

    def best(at: int, used: frozenset[int]) -> tuple[int, int, dict[int, int]]:
        if at == len(slots):
            return 0, 0, {}
        found = best(at + 1, used)
        for form, cost in choices[slots[at]]:
            if form not in used:
                n, total, rest = best(at + 1, used | {form})
                if (n + 1, -total - cost) > (found[0], -found[1]):
                    found = (n + 1, total + cost, {**rest, slots[at]: form})
        return found

    return best(0, frozenset())[2]
