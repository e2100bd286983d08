"""Who can no longer be asked, from each of the four sources, and which of several dates counts."""

from datetime import date

import pandas as pd

from mbt_rom.eligibility import ends
from mbt_rom.tables import EPISODES

AS_OF = date(2024, 3, 1)
NOBODY = EPISODES.empty()


def frame(rows, *, dates):
    made = pd.DataFrame(rows).assign(programme_id="a")
    for name in dates:
        made[name] = pd.to_datetime(made[name]).astype("datetime64[s]")
    return made


def told(**sources):
    rows = ends(sources.pop("episodes", NOBODY), as_of=AS_OF, **sources)
    return {r.patient_id: (r.ended_on.strftime("%Y-%m-%d"), r.why) for r in rows.itertuples()}


def permissions(*rows):
    """Rows of patient, purpose, first day, last day and, where it is not the patient, who gave it."""
    names = ["patient_id", "purpose", "from_on", "until_on", "given_by"]
    made = [dict(zip(names, (*row, "patient")[:5], strict=True)) for row in rows]
    return frame(made, dates=["from_on", "until_on"]).astype({"given_by": "str"})


def test_a_death_is_told_by_an_episode_or_by_an_event_and_the_first_date_counts():
    of = frame(
        [
            {"patient_id": "p1", "ended_on": "2024-02-03", "end_reason": "died"},
            {"patient_id": "p2", "ended_on": "2024-02-03", "end_reason": "dropped_out"},
        ],
        dates=["ended_on"],
    )
    events = frame(
        [
            {"patient_id": "p1", "event_on": "2024-02-01", "kind": "death"},
            {"patient_id": "p3", "event_on": "2024-02-09", "kind": "death"},
            {"patient_id": "p4", "event_on": "2024-02-09", "kind": "admission"},
            {"patient_id": "p5", "event_on": "2024-03-02", "kind": "death"},
        ],
        dates=["event_on"],
    )
    assert told(episodes=of, events=events) == {"p1": ("2024-02-01", "died"), "p3": ("2024-02-09", "died")}


def test_a_permission_that_ended_and_was_not_renewed_is_a_withdrawal():
    given = permissions(
        ("p1", "own_care", "2023-01-01", "2024-01-31"),  # ended
        ("p2", "own_care", "2023-01-01", "2024-01-31"),  # renewed
        ("p2", "own_care", "2024-02-10", None),
        ("p3", "own_care", "2023-01-01", "2024-01-31"),  # renewed from tomorrow on
        ("p3", "own_care", "2024-03-02", None),
        ("p4", "research", "2023-01-01", "2024-01-31"),  # another purpose
        ("p5", "programme_quality", "2023-01-01", "2023-12-31"),  # one of two purposes ended
        ("p5", "own_care", "2023-01-01", None),
        ("p6", "own_care", "2023-01-01", "2024-03-01"),  # holds today for the last time
    )
    assert told(permissions=given) == {
        "p1": ("2024-01-31", "withdrew"),
        "p3": ("2024-01-31", "withdrew"),
        "p5": ("2023-12-31", "withdrew"),
    }


def test_an_older_permission_that_was_left_open_does_not_undo_a_withdrawal():
    """As the gate reads it (docs/permissions.md): of several rows the one that began last counts."""
    given = permissions(
        ("p1", "own_care", "2022-01-01", None),
        ("p1", "own_care", "2023-06-01", "2024-01-31"),  # withdrawn; nobody closed the older row
        ("p2", "own_care", "2023-06-01", "2024-01-31"),
        ("p2", "own_care", "2024-02-01", None),  # given again
        ("p3", "own_care", "2022-01-01", "2024-03-01"),  # an older one that ends today, and a later that has ended
        ("p3", "own_care", "2023-01-01", "2023-12-31"),
    )
    assert told(permissions=given) == {"p1": ("2024-01-31", "withdrew"), "p3": ("2023-12-31", "withdrew")}


def test_what_a_patient_ended_a_representative_does_not_give_again():
    given = permissions(
        ("p1", "own_care", "2023-01-01", "2024-01-31"),
        ("p1", "own_care", "2024-02-01", None, "representative"),
        ("p2", "own_care", "2021-01-01", "2022-12-31", "representative"),  # until the patient decided
        ("p2", "own_care", "2023-01-01", None),
        ("p3", "own_care", "2021-01-01", "2022-12-31", None),  # nobody knows who gave the first
        ("p3", "own_care", "2023-01-01", None, "representative"),
    )
    assert told(permissions=given) == {"p1": ("2024-01-31", "withdrew")}


def test_a_stop_counts_from_its_day_where_the_programme_is_until_a_person_lifts_it():
    stops = pd.DataFrame(
        {
            "programme_id": "a",
            "patient_id": ["p1", "p2", "p3", "p4"],
            "kind": ["deceased", "withdrew", "in_crisis", "withdrew"],
            # half past eleven at night in London is past midnight in Amsterdam
            "from_at": pd.to_datetime(
                ["2024-02-01 23:30", "2024-02-02 12:00", "2024-02-02", "2024-02-02"], utc=True, format="mixed"
            ),
            "lifted_at": pd.to_datetime([None, None, None, "2024-02-03"], utc=True),
        }
    )
    assert told(stops=stops) == {"p1": ("2024-02-02", "died"), "p2": ("2024-02-02", "withdrew")}


def test_of_a_death_and_a_withdrawal_on_one_day_the_death_counts():
    events = frame([{"patient_id": "p1", "event_on": "2024-01-31", "kind": "death"}], dates=["event_on"])
    given = permissions(("p1", "own_care", "2023-01-01", "2024-01-31"))
    assert told(events=events, permissions=given) == {"p1": ("2024-01-31", "died")}


def test_without_registers_nobody_is_known_to_have_gone():
    assert told() == {}
