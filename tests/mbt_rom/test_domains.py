"""The manual's domains: what the file says, and what is said about one that does not fit the instruments."""

from __future__ import annotations

import pytest

from mbt_rom.registry import DefinitionError, domains, instrument, instruments, parse_domains

#: Chapters 6.1 and 6.2 of the manual, read by hand: which of our domains each list names.
IN_6_1 = ["commitment", "symptoms", "self_destructive_behaviour", "personality_and_interpersonal_functioning",
          "social_vocational_functioning", "quality_of_life"]  # fmt: skip
IN_6_2 = ["commitment", "symptoms", "self_destructive_behaviour", "personality_and_interpersonal_functioning",
          "use_of_services"]  # fmt: skip
ONE = """\
differences: []
domains:
  - id: symptoms
    label: {en: Symptoms, nl: Klachten}
    in_6_1: symptoms
    scales: [phq9.total, phq9.major_depression]
"""


def refused(old: str, new: str) -> DefinitionError:
    """What is said about the small file with one passage changed."""
    assert old in ONE
    with pytest.raises(DefinitionError) as caught:
        parse_domains(ONE.replace(old, new), file="domains.yaml", instruments={"phq9": instrument("phq9")})
    return caught.value


def test_the_two_lists_of_the_manual_are_those_that_it_prints() -> None:
    assert [d.id for d in domains().domains if d.in_6_1] == IN_6_1
    assert [d.id for d in domains().domains if d.in_6_2] == IN_6_2
    assert len(domains().domains) == len({*IN_6_1, *IN_6_2}) == 7


@pytest.mark.parametrize(
    ("scale", "domain"),
    [
        ("bsi.gsi", "symptoms"),
        ("oq45.total", "symptoms"),
        ("oq45.ir", "personality_and_interpersonal_functioning"),
        ("oq45.sr", "social_vocational_functioning"),
        ("sshi.suicidal_acts", "self_destructive_behaviour"),
        ("paibor.self_harm", "self_destructive_behaviour"),
        ("eq5d5l.index", "quality_of_life"),
        ("ticp.medical_cost", "use_of_services"),
        ("sds.total", "social_vocational_functioning"),
    ],
)
def test_a_scale_is_where_a_clinician_looks_for_it(scale: str, domain: str) -> None:
    assert [d.id for d in domains().of(scale)] == [domain]


def test_every_scale_has_a_domain_but_names_validity_scales_and_interests() -> None:
    outcome = [d for d in instruments().values() if d.monitors == "outcome"]
    left_out = {
        (d.id, s.group or s.method) for d in outcome for s in d.scales if not domains().of(f"{d.id}.{s.id}")
    } - {("eq5d3l", "profile"), ("eq5d5l", "profile"), ("iip32", "ipsatised"), ("iip64", "ipsatised")}
    assert left_out == {
        ("mmpi2rf", "validity"),
        ("mmpi2rf", "interest"),
        ("mmpi2rf", "externalizing"),
        ("mpq", "validity"),
    }


def test_commitment_rests_on_registers_since_no_questionnaire_measures_it() -> None:
    commitment = domains().domains[0]
    assert commitment.scales == ()
    assert {feed.register_name for feed in commitment.registers} >= {"contacts", "episodes"}


def test_a_small_file_that_fits_is_accepted() -> None:
    stated = parse_domains(ONE, file="domains.yaml", instruments={"phq9": instrument("phq9")})
    assert [d.id for d in stated.of("phq9.total")] == ["symptoms"]


@pytest.mark.parametrize(
    ("old", "new", "key", "wrong"),
    [
        ("phq9.major_depression", "phq9.mood", "domains.symptoms.scales", "no such scale: phq9.mood"),
        ("phq9.major_depression", "bsi.gsi", "domains.symptoms.scales", "no such scale: bsi.gsi"),
        ("phq9.total, ", "", "domains", "phq9.total is named 0 times"),
        ("phq9.major_depression", "phq9.total", "domains", "phq9.total is named 2 times"),
        ("phq9.major_depression", "phq9", "domains.symptoms.scales.2", "match pattern"),
        ("    in_6_1: symptoms\n", "", "domains.symptoms", "must state 'in_6_1' or 'in_6_2'"),
        ("in_6_1", "in_6_3", "domains.symptoms.in_6_3", "not permitted"),
        ("    scales:", "    registers: [{register: diary, gives: x}]\n    scales:", "domains.symptoms.registers.1.register", "should be"),
        ("    scales:", "    scales: []\n    scales:", "line 3", "stands twice"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_key(old: str, new: str, key: str, wrong: str) -> None:
    error = refused(old, new)
    assert (error.file, error.key) == ("domains.yaml", key)
    assert wrong in error.wrong


def test_a_primary_scale_in_two_domains_is_refused() -> None:
    twice = ONE + ONE.split("domains:\n")[1].replace("id: symptoms", "id: others")
    with pytest.raises(DefinitionError, match=r"phq9\.total is named 2 times"):
        parse_domains(twice, file="domains.yaml", instruments={"phq9": instrument("phq9")})


def test_instruments_that_do_not_monitor_outcome_need_no_domain() -> None:
    both = {i: instrument(i) for i in ("phq9", "team_adherence")}
    assert len(parse_domains(ONE, file="domains.yaml", instruments=both).domains) == 1
