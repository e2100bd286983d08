"""The plan before anybody is treated: Appendix 1, the smallest sets, plans of a programme's own, and settings that cannot be."""

import pytest

from mbt_rom import registry
from mbt_rom.plans import plan_of, window_of
from mbt_rom.settings import Consortium, SettingsError, parse_settings

KNOWN = registry.instruments()


def consortium(instruments, **programme):
    of = {"name": "A", "issuer": "h", "instruments": instruments, **programme}
    return Consortium.model_validate({"name": "x", "issuers": {"h": {}}, "programmes": {"a": of}})


def asked(instruments, **programme):
    """Marks of Appendix 1 per instrument: X, (X) or nothing, by moment."""
    plan = plan_of("a", settings=consortium(instruments, **programme), definitions=KNOWN)
    return {i: {m: "X" if r == "required" else "(X)" for m, r in moments.items()} for i, moments in plan.asks.items()}


MONTHS = ["baseline", "m6", "m12", "m18", "m24", "m30", "m36"]
#: Appendix 1 of the manual, line by line.
EVERY_TIME = dict(zip(MONTHS, ["X", "X", "X", "X", "(X)", "(X)", "X"], strict=True))
THREE_TIMES = dict(zip(MONTHS, ["X", "(X)", "(X)", "X", "(X)", "(X)", "X"], strict=True))


def test_the_plan_of_the_consortium_is_appendix_1():
    found = asked(["bsi", "bdi2", "sshi", "ecr", "eq5d5l", "scid2", "dappsf"])
    assert found == {
        "bsi": EVERY_TIME,
        "bdi2": THREE_TIMES,
        "sshi": EVERY_TIME,
        "ecr": THREE_TIMES,
        "eq5d5l": EVERY_TIME,
        "scid2": {"baseline": "X", "m18": "X", "m36": "(X)"},
        "dappsf": {"baseline": "X", "m18": "X", "m36": "X"},
    }


@pytest.mark.parametrize(
    ("alternative", "of"),
    [("oq45", EVERY_TIME), ("bsi18", EVERY_TIME), ("rfq8", THREE_TIMES), ("ecrr", THREE_TIMES), ("iip32", THREE_TIMES)],
)
def test_an_alternative_has_the_schedule_of_the_instrument_whose_place_it_takes(alternative, of):
    assert asked([alternative])[alternative] == of


def test_what_the_manual_gives_no_moments_is_wished_at_each():
    assert asked(["phq9"])["phq9"] == dict.fromkeys(MONTHS, "(X)")


def test_the_smallest_set_is_asked_every_six_months_and_nothing_else():
    found = asked(["phq9", "oq45", "eq5d3l", "sds"], plan="minimal")
    assert found == {"oq45": dict.fromkeys(MONTHS, "X"), "eq5d3l": dict.fromkeys(MONTHS, "X")}


def test_the_three_monthly_plan_asks_it_thirteen_times_in_three_years():
    found = asked(["bsi", "eq5d5l"], plan="three_monthly")
    assert list(found["bsi"])[:5] == ["baseline", "m3", "m6", "m9", "m12"]
    assert {len(moments) for moments in found.values()} == {13}


def test_a_plan_of_its_own_asks_what_it_says_and_months_may_be_its_own():
    found = asked(["bsi", "phq9"], plan="own", moments={"bsi": {"required": [0, 4], "desired": [9]}})
    assert found == {"bsi": {"baseline": "X", "m4": "X", "m9": "(X)"}}


def test_moments_overrule_the_plan_for_one_instrument_and_no_other():
    found = asked(["bsi", "phq9"], moments={"bsi": {"required": [0, 3]}})
    assert found == {"bsi": {"baseline": "X", "m3": "X"}, "phq9": dict.fromkeys(MONTHS, "(X)")}


def test_end_and_rebaseline_ask_what_the_baseline_asks():
    found = asked(["bsi", "phq9"], anchor="referred_on", has_end_of_treatment=True)
    assert list(found["bsi"])[:3] == ["baseline", "rebaseline", "m6"]
    assert list(found["bsi"])[-1] == "end"
    assert [(found[i]["rebaseline"], found[i]["end"]) for i in ("bsi", "phq9")] == [("X", "X"), ("(X)", "(X)")]
    assert "rebaseline" not in asked(["bsi"])["bsi"]


def test_a_window_of_the_programme_goes_before_that_of_the_home():
    windows = consortium(["scid1"], windows={"later": [-20, 30]}).windows_of("a")
    assert [window_of(moment, windows) for moment in ("m18", "rebaseline", "baseline")] == [
        (-20, 30),
        (-60, 0),
        (-60, 14),
    ]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("plan: own", "'own' needs 'moments'"),
        ("plan: minimal", "asks for eq5d5l or eq5d3l"),
        ("weekly: [phq9]", "weekly: phq9 is not listed under 'instruments'"),
        ("moments: {bsi: {}}", "must name at least one month"),
        ("moments: {bsi: {required: [6], desired: [6]}}", "each month once"),
        ("closures: [{from: 2026-08-07, until: 2026-07-20}]", "cannot lie before 'from'"),
        ("windows: {later: [45, 45]}", "a window is written"),
        ("anchor: ended_on", "first_assessment_on"),
    ],
)
def test_a_wrong_plan_is_named_with_what_may_stand_there(wrong, told):
    text = "name: x\nissuers: {h: {}}\nprogrammes:\n  a:\n    name: A\n    issuer: h\n    instruments: [bsi]\n    "
    with pytest.raises(SettingsError, match=r"programmes\.a") as error:
        parse_settings(text + wrong)
    assert told in str(error.value)
