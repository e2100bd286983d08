"""Scores at their own dates, and the course of a programme."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from mbt_rom import registry, schedule, trajectories
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES, EXPECTED, TRAJECTORIES

SETTINGS = Consortium.model_validate(
    {
        "name": "test",
        "issuers": {"h": {}},
        "programmes": {"a": {"name": "A", "issuer": "h", "instruments": ["bsi", "phq9"]}},
        "months": [0, 6],
    }
)


def dates(*texts):
    return pd.to_datetime(pd.Series(texts)).astype("datetime64[s]")


def episodes():
    frame = pd.DataFrame(
        {"programme_id": "a", "episode_id": ["e1"], "patient_id": "p1", "started_on": dates("2023-01-10")}
    )
    return EPISODES.conform(frame.assign(row_id="r", delivery_id="d"))


def scores(*rows):
    """Rows of (row_id, instrument, scale, date, score)."""
    frame = pd.DataFrame(rows, columns=["row_id", "instrument", "scale", "administered_on", "score"])
    frame["administered_on"] = dates(*frame["administered_on"])
    return frame.assign(
        programme_id="a", patient_id="p1", edition="x", value_set_id=None, moment_given=None, is_provisional=False
    )


def test_every_score_keeps_its_date_and_gets_the_moment_of_its_form():
    given = scores(
        ("r1", "bsi", "gsi", "2023-01-10", 1.5),
        ("r1", "bsi", "pst", "2023-01-10", 30.0),
        ("r1", "phq9", "total", "2023-01-10", 12.0),
        ("r2", "bsi", "gsi", "2023-04-11", 1.2),
    )
    forms = given.drop_duplicates(["row_id", "instrument"])
    expected = schedule.expected(
        forms, episodes(), settings=SETTINGS, definitions=registry.instruments(), as_of=date(2024, 1, 1)
    )
    found = trajectories.trajectories(given, expected, episodes(), settings=SETTINGS)
    assert found["moment"].tolist() == ["baseline", "baseline", "baseline", "unscheduled"]
    assert found["episode_id"].tolist() == ["e1"] * 4
    # 91 days / 30.4375
    assert found["months_since_start"].round(3).tolist() == [0.0, 0.0, 0.0, 2.990]
    assert found["score"].tolist() == given["score"].tolist()


def test_what_was_filled_in_before_the_first_main_session_is_marked():
    """The first main session is on 10 January: the day before is waiting, that day is treatment, an undated form may be either."""
    days = ("2023-01-09", "2023-01-10", None)
    given = scores(*((f"r{n}", "bsi", "gsi", day, 1.0) for n, day in enumerate(days)))
    matched = schedule.expected(
        given, episodes(), settings=SETTINGS, definitions=registry.instruments(), as_of=date(2024, 1, 1)
    )
    found = trajectories.trajectories(given, matched, episodes(), settings=SETTINGS).set_index("row_id")
    assert found.loc[["r0", "r1", "r2"], "is_before_treatment"].tolist() == [True, False, pd.NA]


def test_who_has_not_started_where_starts_are_recorded_was_still_waiting():
    """Month 0 is the referral in both programmes; a records first sessions, and none of e2; b records none at all."""
    programmes = {p: {"name": p, "issuer": "h", "instruments": ["bsi"], "anchor": "referred_on"} for p in "ab"}
    settings = Consortium.model_validate(
        {"name": "test", "issuers": {"h": {}}, "programmes": programmes, "months": [0, 6]}
    )
    known = EPISODES.conform(pd.DataFrame({
        "programme_id": ["a", "a", "b"], "episode_id": ["e1", "e2", "e3"], "patient_id": ["p1", "p2", "p3"],
        "referred_on": dates(*["2023-01-10"] * 3), "started_on": dates("2023-03-01", None, None), "row_id": "r", "delivery_id": "d",
    }))  # fmt: skip
    given = scores(*((f"r{n}", "bsi", "gsi", "2023-07-10", 1.0) for n in (1, 2, 3)))
    given = given.assign(programme_id=["a", "a", "b"], patient_id=["p1", "p2", "p3"])
    matched = schedule.expected(
        given, known, settings=settings, definitions=registry.instruments(), as_of=date(2024, 1, 1)
    )
    found = trajectories.trajectories(given, matched, known, settings=settings).set_index("row_id")
    assert found.loc[["r1", "r2", "r3"], "is_before_treatment"].tolist() == [False, True, pd.NA]


def test_one_row_number_of_two_instruments_is_two_forms():
    """A wide file: one row of the export holds a BSI of the baseline window, and a PHQ-9 that was matched to nothing."""
    given = scores(("r1", "bsi", "gsi", "2023-01-10", 1.5), ("r1", "phq9", "total", "2023-03-20", 12.0))
    expected = schedule.expected(
        given, episodes(), settings=SETTINGS, definitions=registry.instruments(), as_of=date(2024, 1, 1)
    )
    found = trajectories.trajectories(given, expected, episodes(), settings=SETTINGS)
    assert found["moment"].tolist() == ["baseline", "unscheduled"]


def test_without_date_or_episode_there_are_no_months():
    given = scores(("r1", "bsi", "gsi", None, 1.5))
    given["moment_given"] = "m6"
    expected = schedule.expected(
        given, EPISODES.empty(), settings=SETTINGS, definitions=registry.instruments(), as_of=date(2024, 1, 1)
    )
    found = trajectories.trajectories(given, expected, EPISODES.empty(), settings=SETTINGS)
    assert found["moment"].tolist() == ["m6"]
    assert found["months_since_start"].isna().all()


def test_nothing_in_gives_nothing_out():
    empty = trajectories.trajectories(scores(), EXPECTED.empty(), EPISODES.empty(), settings=SETTINGS)
    assert len(empty) == 0
    assert len(trajectories.programme_course(empty, threshold=10, months=(0, 6))) == 0


def course_of(n_baseline, n_later, **changes):
    n = n_baseline + n_later
    frame = pd.DataFrame(
        {
            "programme_id": "a",
            "patient_id": [f"p{i}" for i in [*range(n_baseline), *range(n_later)]],
            "episode_id": [f"e{i}" for i in [*range(n_baseline), *range(n_later)]],
            "row_id": [f"r{i}" for i in range(n)],
            "instrument": "bsi",
            "scale": "gsi",
            "moment": ["baseline"] * n_baseline + ["m6"] * n_later,
            "administered_on": dates(*["2023-01-10"] * n_baseline, *["2023-07-10"] * n_later),
            "months_since_start": [0.0] * n_baseline + [181 / 30.4375] * n_later,
            "score": [*np.arange(float(n_baseline)), *np.arange(float(n_later))],
        }
    )
    return TRAJECTORIES.conform(frame.assign(**changes))


def test_course_gives_mean_limits_and_quartiles_per_moment():
    """Scores 0..10: mean 5, SD 3.3166, t(10) 2.2281 -> 5 -/+ 2.2281; quartiles by linear interpolation 2.5 and 7.5."""
    found = trajectories.programme_course(course_of(11, 5), threshold=10, months=(0, 6, 12))
    assert list(found.columns) == list(trajectories.COURSE_COLUMNS)
    first = found.iloc[0]
    assert (first["moment"], first["months"], first["n"], first["mean"]) == ("baseline", 0, 11, 5.0)
    assert first[["lower_95", "upper_95"]].astype(float).round(3).tolist() == [2.772, 7.228]
    assert first[["quartile_1", "quartile_3"]].tolist() == [2.5, 7.5]


def test_few_and_none_look_the_same_in_the_course():
    found = trajectories.programme_course(course_of(11, 9), threshold=10, months=(0, 6, 12)).set_index("moment")
    assert found["suppressed"].to_dict() == {"baseline": False, "m6": True, "m12": True}
    numbers = ["n", "mean", "lower_95", "upper_95", "quartile_1", "quartile_3"]
    assert found.loc[["m6", "m12"], numbers].isna().all(axis=None)


def test_a_person_counts_once_in_the_course_with_the_first_episode():
    again = course_of(11, 0).assign(episode_id=[f"later{i}" for i in range(11)], score=100.0)
    again["administered_on"] = dates(*["2023-12-10"] * 11)
    both = TRAJECTORIES.conform(pd.concat([again, course_of(11, 0)]))
    (row,) = trajectories.programme_course(both, threshold=10, months=(0,)).itertuples()
    assert (row.n, row.mean) == (11, 5.0)


def test_neither_a_late_baseline_nor_a_form_while_waiting_is_in_the_course():
    """Of baselines 0..11 the last is late, of m6 forms 0..11 the last came while waiting: mean 5 of eleven at both."""
    given = course_of(12, 12, is_late_baseline=[i % 12 == 11 and i < 12 for i in range(24)],
                      is_before_treatment=[i < 11 or i == 23 for i in range(24)])  # fmt: skip
    found = trajectories.programme_course(given, threshold=10, months=(0, 6))
    assert found[["n", "mean"]].values.tolist() == [[11, 5.0], [11, 5.0]]


@pytest.mark.parametrize("column", ["edition", "value_set_id"])
def test_the_course_does_not_mix_editions_or_value_sets(column):
    mixed = course_of(24, 0)
    mixed[column] = ["one", "other"] * 12
    found = trajectories.programme_course(mixed, threshold=10, months=(0,))
    assert found["n"].tolist() == [12, 12]
