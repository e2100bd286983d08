"""What crosses the boundary, and what does not."""

import sys
from datetime import date

import pandas as pd
import pytest

from mbt_rom import contributions, permissions, registry, schedule, trajectories
from mbt_rom.settings import Consortium
from mbt_rom.tables import CONTRIBUTIONS, EPISODES, INCLUSION, PATIENTS

SETTINGS = Consortium.model_validate(
    {
        "name": "test",
        "issuers": {"h": {}},
        "programmes": {
            "a": {"name": "A", "issuer": "h", "instruments": ["phq9", "eq5d5l"], "format": "day_hospital"},
            "b": {"name": "B", "issuer": "h", "instruments": ["phq9"]},
        },
        "months": [0, 6],
        "value_sets": {"eq5d5l": "uk_2026"},
    }
)
DEFINITIONS = {name: registry.instrument(name) for name in ("phq9", "eq5d5l")}


class Reversed:
    """Stands for the keyed pseudonyms: another name for each patient, the same each time."""

    def contribution(self, patient_id, /):
        return "c_" + patient_id.str[::-1]


def dates(*texts):
    return pd.to_datetime(pd.Series(texts)).astype("datetime64[s]")


def permitted(people, *, withdrawn=(), purpose="consortium_benchmark", on=date(2023, 12, 1)):
    """These people (programme, patient) permit the purpose; those `withdrawn` ended it on 30 November 2023."""
    given = pd.DataFrame([*people, *withdrawn], columns=["programme_id", "patient_id"], dtype="str").assign(
        purpose=purpose, given_by="patient", from_on=pd.Timestamp("2020-01-01")
    )
    given["until_on"] = dates(*[None] * len(people), *["2023-11-30"] * len(withdrawn))
    known = given[["programme_id", "patient_id"]].assign(birth_year=1980)
    return permissions.holds(given, known, purpose=purpose, on=on)


def told(episodes, scores, as_of=date(2023, 12, 1), form_state="complete"):
    """What the plan asks, the courses and the episodes, from a few columns of episodes and scores."""
    names = ["programme_id", "episode_id", "patient_id", "started_on", "ended_on", "end_reason"]
    of = pd.DataFrame([dict(zip(names, row, strict=False)) for row in episodes], columns=names)
    of = EPISODES.conform(
        of.assign(started_on=dates(*of["started_on"]), ended_on=dates(*of["ended_on"]), row_id="r", delivery_id="d")
    )
    names = ["programme_id", "row_id", "patient_id", "administered_on", "moment_given", "instrument", "scale", "score"]
    given = pd.DataFrame(scores, columns=names).astype({"moment_given": "str", "patient_id": "str"})
    given = given.assign(
        administered_on=dates(*given["administered_on"]), edition="x", value_set_id=None, is_provisional=False
    )
    expected = schedule.expected(
        given.drop_duplicates(["programme_id", "instrument", "row_id"]).assign(form_state=form_state),
        of,
        settings=SETTINGS,
        definitions=registry.instruments(),
        as_of=as_of,
    )
    return trajectories.trajectories(given, expected, of, settings=SETTINGS), expected, of


def contributed(episodes, scores, patients=None, as_of=date(2023, 12, 1), form_state="complete", by=None):
    """What is contributed where everybody permits it, or as `by` says."""
    course, expected, of = told(episodes, scores, as_of=as_of, form_state=form_state)
    known = pd.DataFrame(patients or [], columns=["programme_id", "patient_id", "birth_year", "sex"])
    known = PATIENTS.conform(known.assign(row_id="r", delivery_id="d"))
    everybody = {(p, q) for p, q in expected[["programme_id", "patient_id"]].dropna().itertuples(index=False)}
    return contributions.contributions(
        course,
        expected,
        of,
        known,
        settings=SETTINGS,
        definitions=DEFINITIONS,
        pseudonyms=Reversed(),
        permitted=by or permitted(sorted(everybody)),
    )


def test_received_moments_give_a_row_per_scale_and_the_others_one_for_their_status():
    scores = [
        ("a", "r1", "p12", "2023-01-05", None, "phq9", "total", 15.0),
        ("a", "r1", "p12", "2023-01-05", None, "phq9", "major_depression", 1.0),
        ("a", "r2", "p12", "2023-04-05", None, "phq9", "total", 9.0),
        ("a", "r3", "p12", "2023-07-20", None, "phq9", "total", 7.0),
    ]
    found = contributed([("a", "e1", "p12", "2023-01-10")], scores, [("a", "p12", 1990, "female")])
    rows = found[["instrument", "scale", "moment", "status", "months_since_start", "score"]].astype(object).fillna("-")
    assert sorted(rows.values.tolist(), key=str) == [
        ["eq5d5l", "index", "baseline", "missed", 0, "-"],
        ["eq5d5l", "index", "m6", "missed", 6, "-"],
        ["phq9", "major_depression", "baseline", "received", 0, 1.0],
        ["phq9", "total", "baseline", "received", 0, 15.0],
        ["phq9", "total", "m6", "received", 6, 7.0],
    ]
    assert found["value_set_id"].dropna().unique().tolist() == ["uk_2026"]
    waiting = found.set_index(["scale", "moment"])["is_before_treatment"].to_dict()
    assert (waiting["total", "baseline"], waiting["total", "m6"]) == (True, False)
    assert set(found["format"]) == {"day_hospital"}
    assert set(found["age_band"]) == {"25_34"}
    assert set(found["sex"]) == {"female"}
    assert set(found["start_year"]) == {2023}


def test_nothing_but_the_declared_columns_leaves_and_no_date_first_pseudonym_row_or_episode_among_them():
    scores = [("a", "row-7", "p12", "2023-01-05", None, "phq9", "total", 15.0)]
    found = contributed([("a", "episode-9", "p12", "2023-01-10")], scores, [("a", "p12", 1990, "female")])
    assert list(found.columns) == CONTRIBUTIONS.column_names
    assert not [c for c in found.columns if str(found[c].dtype).startswith("datetime")]
    cells = set(found.astype(str).to_numpy().ravel())
    assert not cells & {"p12", "row-7", "episode-9", "1990", "2023-01-05", "2023-01-10"}
    assert set(found["contribution_id"]) == {"c_21p"}


def test_a_score_that_is_a_risk_answer_or_holds_all_answers_does_not_leave(monkeypatch):
    monkeypatch.setitem(DEFINITIONS, "sshi", registry.instrument("sshi"))
    planned = SETTINGS.programmes["a"].model_copy(update={"instruments": ("sshi", "eq5d5l")})
    settings = SETTINGS.model_copy(update={"programmes": {**SETTINGS.programmes, "a": planned}})
    monkeypatch.setattr(sys.modules[__name__], "SETTINGS", settings)
    scores = [
        ("a", "r1", "p12", "2023-01-05", None, "sshi", "suicidal_acts", 2.0),
        ("a", "r1", "p12", "2023-01-05", None, "sshi", "any_self_harm", 1.0),
        ("a", "r1", "p12", "2023-01-05", None, "sshi", "crisis_event", 1.0),
        ("a", "r2", "p12", "2023-01-05", None, "eq5d5l", "profile", 21232.0),
        ("a", "r2", "p12", "2023-01-05", None, "eq5d5l", "vas", 60.0),
    ]
    found = contributed([("a", "e1", "p12", "2023-01-10")], scores, [("a", "p12", 1990, "female")])
    assert sorted(found.loc[found["score"].notna(), "scale"]) == ["crisis_event", "vas"]


def test_a_person_contributes_the_first_episode_only():
    episodes = [("a", "e2", "p12", "2023-06-10"), ("a", "e1", "p12", "2022-01-10")]
    scores = [
        ("a", "r1", "p12", "2022-01-05", None, "phq9", "total", 15.0),
        ("a", "r2", "p12", "2023-06-05", None, "phq9", "total", 20.0),
    ]
    found = contributed(episodes, scores)
    assert found["score"].dropna().tolist() == [15.0]
    assert set(found["start_year"]) == {2022}
    assert not found.duplicated(list(CONTRIBUTIONS.key)).any()


def test_moments_after_a_death_do_not_leave():
    found = contributed([("b", "e1", "p12", "2023-01-10", "2023-03-01", "died")], [])
    assert found["moment"].tolist() == ["baseline"]


def test_without_an_episode_the_stated_moment_leaves_without_status_or_months():
    scores = [
        ("b", "r1", "p12", None, "baseline", "phq9", "total", 15.0),
        ("b", "r2", "p12", None, "m6", "phq9", "total", 9.0),
    ]
    found = contributed([], scores)
    assert found["moment"].tolist() == ["baseline", "m6"]
    assert found[["status", "months_since_start", "start_year", "age_band", "sex"]].isna().all(axis=None)


def test_nobody_gives_no_rows():
    assert len(contributed([], [])) == 0


def test_a_form_that_is_to_be_finished_leaves_as_a_moment_that_is_still_open():
    """Six months after 10 January is 10 July 2023, and the window closes on 24 August."""
    scores = [("a", "r3", "p12", "2023-07-20", None, "phq9", "total", 7.0)]
    episodes = [("a", "e1", "p12", "2023-01-10")]
    for as_of, told in ((date(2023, 8, 24), ["open"]), (date(2023, 8, 25), ["received"])):
        found = contributed(episodes, scores, as_of=as_of, form_state="partial")
        m6 = found[(found["instrument"] == "phq9") & (found["moment"] == "m6")]
        assert m6["status"].tolist() == told
        assert m6["score"].notna().tolist() == [told == ["received"]]


EPISODES_OF_FOUR = [
    ("a", "e1", "p1", "2022-01-10"), ("a", "e2", "p2", "2023-01-10"), ("a", "e3", "p3", "2023-02-10"), ("a", "e4", "p4", "2023-03-10"),
    ("a", "e5", "p1", "2023-04-10"), ("b", "e6", "p1", "2023-01-10"),
]  # fmt: skip
SCORES_OF_FOUR = [
    (programme, f"r{i}", f"p{i}", "2023-01-15", None, "phq9", "total", 10.0 + i) for programme in "ab" for i in (1, 2, 3, 4)
]  # fmt: skip


def test_only_those_leave_who_permit_it_on_that_day_in_that_programme():
    by = permitted([("a", "p1"), ("a", "p3"), ("b", "p9")], withdrawn=[("a", "p2")])
    found = contributed(EPISODES_OF_FOUR, SCORES_OF_FOUR, by=by)
    assert set(zip(found["programme_id"], found["contribution_id"], strict=True)) == {("a", "c_1p"), ("a", "c_3p")}
    the_day_before = permitted([("a", "p1"), ("a", "p3")], withdrawn=[("a", "p2")], on=date(2023, 11, 30))
    found = contributed(EPISODES_OF_FOUR, SCORES_OF_FOUR, by=the_day_before)
    assert set(found["contribution_id"]) == {"c_1p", "c_2p", "c_3p"}


def test_nobody_leaves_without_a_register_of_permissions():
    assert contributed(EPISODES_OF_FOUR, SCORES_OF_FOUR, by=permitted([])).empty


def test_permission_for_something_else_opens_nothing():
    with pytest.raises(ValueError, match="need permission for 'consortium_benchmark', not for 'model_fitting'"):
        contributed(EPISODES_OF_FOUR, SCORES_OF_FOUR, by=permitted([("a", "p1")], purpose="model_fitting"))


def test_those_who_are_not_included_are_counted_with_the_year_of_their_first_episode():
    _, expected, of = told(EPISODES_OF_FOUR, SCORES_OF_FOUR)
    by = permitted([("a", "p1"), ("a", "p3")], withdrawn=[("a", "p2")])
    found = contributions.inclusion(expected, of, settings=SETTINGS, permitted=by)
    assert list(found.columns) == INCLUSION.column_names
    counts = ["n_started", "n_permitted", "n_never_recorded", "n_withdrawn"]
    rows = found[["programme_id", "format", "start_year", "has_register", *counts]]
    assert rows.to_numpy().tolist() == [
        ["a", "day_hospital", 2022, True, 1, 1, 0, 0],
        ["a", "day_hospital", 2023, True, 3, 1, 1, 1],
        ["b", "other", 2023, False, 1, 0, 1, 0],
    ]


def test_without_an_episode_whoever_sent_a_form_for_a_moment_is_counted():
    scores = [
        ("b", "r1", "p1", None, "baseline", "phq9", "total", 15.0),
        ("b", "r2", "p2", None, "m6", "phq9", "total", 9.0),
    ]
    _, expected, of = told([], scores)
    found = contributions.inclusion(expected, of, settings=SETTINGS, permitted=permitted([("b", "p2")]))
    assert found["start_year"].isna().tolist() == [True]
    assert found[["n_started", "n_permitted", "n_never_recorded"]].to_numpy().tolist() == [[2, 1, 1]]


def test_nobody_gives_no_counts():
    _, expected, of = told([], [])
    assert contributions.inclusion(expected, of, settings=SETTINGS, permitted=permitted([])).empty
