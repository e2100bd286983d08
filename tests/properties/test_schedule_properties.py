"""Matching of forms to moments, against brute force and against itself in another order."""

from datetime import date, timedelta
from itertools import product

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mbt_rom import registry, schedule
from mbt_rom.response import response
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES

ANCHOR = date(2022, 1, 1)
AS_OF = date(2024, 1, 1)


def consortium(later, baseline):
    programmes = {
        "a": {
            "name": "A",
            "issuer": "h",
            "instruments": ["bsi"],
            "plan": "own",
            "moments": {"bsi": {"required": [0, 3, 6]}},
        }
    }
    return Consortium.model_validate(
        {
            "name": "test",
            "issuers": {"h": {}},
            "programmes": programmes,
            "months": [0, 3, 6],
            "windows": {"later": [-later, later], "baseline": [-baseline, 30]},
        }
    )


@st.composite
def cases(draw):
    days = draw(st.lists(st.integers(-80, 300), max_size=5))
    second = draw(st.none() | st.integers(20, 200))
    starts = [ANCHOR] if second is None else [ANCHOR, ANCHOR + timedelta(days=second)]
    settings = consortium(draw(st.sampled_from([45, 100, 200])), draw(st.sampled_from([60, 120])))
    return days, starts, settings


def frames(days, starts):
    forms = pd.DataFrame(
        {
            "programme_id": "a",
            "patient_id": "p1",
            "instrument": "bsi",
            "row_id": pd.Series([f"r{i}" for i in range(len(days))], dtype="str"),
            "administered_on": pd.Series(
                [pd.Timestamp(ANCHOR + timedelta(days=d)) for d in days], dtype="datetime64[s]"
            ),
            "moment_given": pd.Series([None] * len(days), dtype="str"),
        }
    )
    episodes = pd.DataFrame(
        {
            "programme_id": "a",
            "episode_id": [f"e{i}" for i in range(len(starts))],
            "patient_id": "p1",
            "started_on": pd.to_datetime(pd.Series(starts)).astype("datetime64[s]"),
            "row_id": "r",
            "delivery_id": "d",
        }
    )
    return forms, EPISODES.conform(episodes)


def worth_of(matches):
    """What a matching is worth: most moments answered, then fewest baselines after the anchor, then fewest days."""
    late = sum(moment == "baseline" and days > 0 for moment, days in matches)
    return (len(matches), -late, -sum(abs(days) for _, days in matches))


def best_by_brute_force(slots, days):
    """Tries every way to give each slot at most one form, with windows and due dates read off the table."""
    slots = [
        (s.moment, (s.due_on.date() - ANCHOR).days, (s.opens_on - s.due_on).days, (s.closes_on - s.due_on).days)
        for s in slots
    ]
    best = (0, 0, 0)
    for order in product([None, *range(len(days))], repeat=len(slots)):
        used = [form for form in order if form is not None]
        if len(set(used)) < len(used):
            continue
        matches = []
        for slot, form in zip(slots, order, strict=True):
            if form is None:
                continue
            moment, due, first, last = slot
            late_by = days[form] - due
            if not first <= late_by <= last:
                break
            matches.append((moment, late_by))
        else:
            best = max(best, worth_of(matches))
    return best


@given(cases())
def test_no_form_is_used_twice_none_is_lost_and_the_matching_is_the_best_there_is(case):
    days, starts, settings = case
    days = days if len(starts) == 1 else days[:3]
    forms, episodes = frames(days, starts)
    rows = schedule.expected(forms, episodes, settings=settings, definitions=registry.instruments(), as_of=AS_OF)
    assert sorted(rows["row_id"].dropna()) == sorted(forms["row_id"])
    slots = rows[rows["due_on"].notna()]
    assert len(slots) == 3 * len(starts)
    assert not slots.duplicated(["episode_id", "moment"]).any()
    answered = slots[slots["status"] == "received"]
    assert (
        (answered["opens_on"] <= answered["administered_on"]) & (answered["administered_on"] <= answered["closes_on"])
    ).all()
    found = worth_of([(row.moment, int(row.days_from_due)) for row in answered.itertuples()])
    assert found == best_by_brute_force(list(slots.itertuples()), days)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(case, random):
    days, starts, settings = case
    forms, episodes = frames(days, starts)
    order = list(range(len(forms)))
    random.shuffle(order)
    one = schedule.expected(forms, episodes, settings=settings, definitions=registry.instruments(), as_of=AS_OF)
    other = schedule.expected(
        forms.iloc[order], episodes.iloc[::-1], settings=settings, definitions=registry.instruments(), as_of=AS_OF
    )
    pd.testing.assert_frame_equal(one, other)


@given(cases())
def test_everybody_who_started_is_counted_once_in_the_response(case):
    days, starts, settings = case
    forms, episodes = frames(days, starts)
    rows = response(
        schedule.expected(forms, episodes, settings=settings, definitions=registry.instruments(), as_of=AS_OF),
        episodes=episodes,
    )
    assert (rows["n_started"] == len(starts)).all()
    assert (
        rows["n_started"] == rows["n_not_yet_due"] + rows["n_not_eligible"] + rows["n_withdrawn"] + rows["n_eligible"]
    ).all()
    assert (rows["n_received"] <= rows["n_eligible"]).all()
