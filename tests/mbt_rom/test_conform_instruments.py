"""Exports of the consortium's other instruments, from bytes to rows: orders, profiles, constants, interviews, wrong counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import pytest

from mbt_rom import conform, registry
from mbt_rom.conform import Conformed
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme, SettingsError

PSEUDONYMS = Pseudonyms(b"an example key, of no use at all")
SETTINGS = Consortium(
    name="test",
    issuers={"hospital": Issuer()},
    programmes={"north": Programme(name="north", issuer="hospital", instruments=("sshi", "eq5d5l"))},
)
HEAD = "name: test\nmatches: {columns: [Nr]}\npatient: {column: Nr}\n"


def deliver(header: Sequence[str], *rows: Sequence[object], mapping: str | None = None) -> Conformed:
    data = "".join(",".join(str(cell) for cell in row) + "\n" for row in [header, *rows]).encode()
    return conform.deliver(
        data,
        file_name="export.csv",
        programme_id="north",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 11, 22, 4, tzinfo=UTC),
        settings=SETTINGS,
        instruments=registry.instruments(),
        pseudonyms=PSEUDONYMS,
        mappings=[parse_mapping(HEAD + mapping, file="test.yaml")] if mapping else [],
    )


def refusal(got: Conformed) -> tuple[str | None, str]:
    assert not got.items
    return got.refused_for, str(got.findings["detail"].iloc[0])


def numbered(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(1, n + 1)]


# ---- orders, counts and codings of a mapping -----------------------------------------------------------------------------


def test_numbers_of_a_printed_order_become_items() -> None:
    header, answers = ["Nr", *numbered("Q", 36)], [1 + place % 7 for place in range(36)]
    got = deliver(header, [1, *answers], mapping="forms: [{instrument: ecrr, prefix: Q, order: alternating}]")
    printed = registry.instrument("ecrr").orders["alternating"]
    assert got.items["ecrr"][list(printed)].iloc[0].tolist() == answers
    # by hand: the form prints canonical item 19 first and item 9 second
    assert got.items["ecrr"][["ecrr_19", "ecrr_09"]].iloc[0].tolist() == [1, 2]


def test_order_of_the_paibor_grouped_by_subscale() -> None:
    # its 13 to 18 are the third subscale: canonical 3, 6, 9, 12, 16, 20
    header, answers = ["Nr", *numbered("p_", 24)], [n % 4 for n in range(24)]
    got = deliver(header, [1, *answers], mapping="forms: [{instrument: paibor, prefix: p, order: grouped_by_subscale}]")
    third = [f"paibor_{n:02d}" for n in (3, 6, 9, 12, 16, 20)]
    assert got.items["paibor"][third].iloc[0].tolist() == answers[12:18]


@pytest.mark.parametrize(
    ("form", "rule", "said"),
    [
        ("instrument: ecrr, prefix: Q", "order_undeclared", "'author_page' and 'alternating'"),
        ("instrument: ecrr, prefix: Q, order: odd", "mapping_invalid", "it has author_page, alternating"),
        ("instrument: ecr, prefix: Q, order: odd", "mapping_invalid", "it has only the usual one"),
    ],
)
def test_order_that_is_not_said_or_not_there(form: str, rule: str, said: str) -> None:
    got = refusal(deliver(["Nr", *numbered("Q", 36)], [1] * 37, mapping=f"forms: [{{{form}}}]"))
    assert got[0] == rule
    assert said in got[1]


def test_items_named_one_by_one_are_an_order() -> None:
    items = ", ".join(f"{n}: Q{n}" for n in range(1, 37))
    got = deliver(["Nr", *numbered("Q", 36)], [1] * 37, mapping=f"forms: [{{instrument: ecrr, items: {{{items}}}}}]")
    assert len(got.items["ecrr"]) == 1


WRONG = [(d, n) for d in registry.instruments().values() for n in d.wrong_counts if not d.coding_must_be_stated]


@pytest.mark.parametrize(("definition", "n"), WRONG, ids=[f"{definition.id}-{n}" for definition, n in WRONG])
def test_a_wrong_number_of_columns_behind_a_prefix_is_explained(definition: Instrument, n: int) -> None:
    mapping = f"forms: [{{instrument: {definition.id}, prefix: Q}}]"
    rule, said = refusal(deliver(["Nr", *numbered("Q", n)], [1] * (n + 1), mapping=mapping))
    assert rule == "item_count_wrong"
    assert definition.wrong_counts[n].strip() in said


def test_single_questions_of_a_publishers_test_behind_a_prefix() -> None:
    mapping = "forms: [{instrument: mpq, prefix: Q}]"
    rule, said = refusal(deliver(["Nr", *numbered("Q", 276)], [1] * 277, mapping=mapping))
    assert rule == "raw_items_not_accepted"
    assert str(registry.instrument("mpq").needs).strip() in said


def test_coding_of_the_sipp_must_be_stated() -> None:
    header, row = [*numbered("sipp_", 118)], [1] * 118
    rule, said = refusal(deliver(["patient", *header], [1, *row]))
    assert rule == "coding_undeclared"
    assert "raw_agreement" in said
    header = ["Nr", *numbered("s", 118)]
    assert (
        refusal(deliver(header, [1, *row], mapping="forms: [{instrument: sipp118, prefix: s}]"))[0]
        == "coding_undeclared"
    )
    mapping = "forms: [{instrument: sipp118, prefix: s, coding: raw_agreement}]"
    got = deliver(header, [1, *row], mapping=mapping).items["sipp118"]
    # item 1 is adaptive and stays 1; item 2 is turned round: 1 + 4 - 1
    assert got[["sipp118_01", "sipp118_02"]].iloc[0].tolist() == [1, 4]


def test_two_codings_of_one_form() -> None:
    mapping = "forms: [{instrument: bdi2, prefix: b, coding: [one_based, seven_options]}]"
    row = [4] * 21
    row[15] = row[17] = 6
    got = deliver(["Nr", *numbered("b", 21)], [1, *row], mapping=mapping).items["bdi2"]
    assert got[["bdi2_01", "bdi2_16", "bdi2_18", "bdi2_21"]].iloc[0].tolist() == [3, 3, 3, 3]


# ---- profiles and constants ----------------------------------------------------------------------------------------------

PROFILE = "forms: [{instrument: eq5d5l, profile: State, items: {vas: VAS}, missing: [9]}]"


def test_profile_of_five_digits_beside_the_thermometer() -> None:
    rows = [["1", "11232", 70], ["2", "11239", 80], ["3", "112", 90], ["4", "", ""]]
    got = deliver(["Nr", "State", "VAS"], *rows, mapping=PROFILE)
    items = got.items["eq5d5l"]
    assert items[[f"eq5d5l_{d}" for d in ("mo", "sc", "ua", "pd", "ad", "vas")]].iloc[0].tolist() == [1, 1, 2, 3, 2, 70]
    assert pd.isna(items["eq5d5l_ad"].iloc[1])
    assert items["unreadable_items"].fillna("").tolist() == [
        "",
        "",
        "eq5d5l_mo eq5d5l_sc eq5d5l_ua eq5d5l_pd eq5d5l_ad",
        "",
    ]
    told = {column["column"]: (column["role"], column["instrument"]) for column in got.understood}
    assert told == {"Nr": ("patient", None), "State": ("profile", "eq5d5l"), "VAS": ("item", "eq5d5l")}


def test_profile_that_needs_five_levels_is_no_3l() -> None:
    mapping = "forms: [{instrument: eq5d3l, profile: State}]"
    got = deliver(["Nr", "State"], ["1", "11252"], mapping=mapping)
    assert refusal(got)[0] == "edition_contradicted"
    assert got.findings["source_column"].tolist() == ["State"]


def test_constants_hold_for_every_row_that_says_anything() -> None:
    mapping = (
        "forms: [{instrument: sshi, items: {suicidal_acts: A, self_harm_acts: B}, constants: {months_covered: 6}}]"
    )
    got = deliver(["Nr", "A", "B"], ["1", 0, 12], ["2", "", ""], mapping=mapping).items["sshi"]
    assert got["sshi_months_covered"].tolist() == [6, pd.NA]
    assert got["sshi_self_harm_acts"].tolist() == [12, pd.NA]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("instrument: sshi, items: {suicidal_acts: A}, constants: {months_covered: 0}", "whole number: 1 to 60"),
        ("instrument: sshi, items: {suicidal_acts: A}, constants: {months_covered: six}", "whole number: 1 to 60"),
        ("instrument: sshi, items: {suicidal_acts: A}, constants: {months: 6}", "no item 'months'"),
        ("instrument: sshi, items: {suicidal_acts: A}, constants: {suicidal_acts: 6}", "given twice"),
        ("instrument: eq5d5l, profile: A, items: {mo: B}", "eq5d5l_mo of EQ-5D-5L is given twice"),
        ("instrument: phq9, profile: A", "PHQ-9 has no profile"),
    ],
)
def test_form_that_contradicts_itself(form: str, said: str) -> None:
    rule, detail = refusal(deliver(["Nr", "A", "B"], ["1", 0, 1], mapping=f"forms: [{{{form}}}]"))
    assert rule == "mapping_invalid"
    assert said in detail


@pytest.mark.parametrize(
    "form",
    [
        "instrument: eq5d5l, profile: A, prefix: B",
        "instrument: ecrr, items: {1: A}, order: alternating",
        "instrument: phq9, constants: {1: 2}",
    ],
)
def test_keys_that_exclude_each_other(form: str) -> None:
    with pytest.raises(SettingsError, match=r"forms\.0"):
        parse_mapping(HEAD + f"forms: [{{{form}}}]", file="test.yaml")


# ---- interviews ----------------------------------------------------------------------------------------------------------

SSHI = ["sshi_suicidal_acts", "sshi_self_harm_acts", "sshi_months_covered"]


def therapist(code: str) -> str:
    return str(PSEUDONYMS.therapist("hospital", pd.Series([code]))[0])


def test_interviewer_blindness_and_help_by_the_names_of_the_columns() -> None:
    header = ["patient", "date", "Beoordelaar", "geblindeerd", "ingevuld door", "hulp bij invullen", *SSHI]
    rows = [
        ["1", "2026-01-02", "R7", "ja", "patient", "nee", 0, 3, 6],
        ["2", "2026-01-02", " r7 ", "0", "moeder", "1", 1, 400, 6],
        ["3", "2026-01-02", "", "", "", "", 0, 0, 6],
    ]
    got = deliver(header, *rows)
    items = got.items["sshi"]
    assert items["interviewer"].fillna("").tolist() == [therapist("R7"), therapist("R7"), ""]
    assert items["is_blind"].tolist() == [True, False, pd.NA]
    assert items["respondent"].fillna("").tolist() == ["self", "relative", ""]
    assert items["assisted"].tolist() == [False, True, pd.NA]
    assert items["sshi_self_harm_acts"].tolist() == [3, 400, 0]
    assert got.findings.empty


def test_a_name_or_number_of_an_interviewer_is_nowhere() -> None:
    header = ["patient", "interviewer", "blind", "respondent", *SSHI]
    got = deliver(header, ["1", "canary A.", "canary", "canary", 0, 0, 6])
    assert got.findings[["rule", "item"]].to_numpy().tolist() == [
        ["code_not_understood", "respondent"],
        ["code_not_understood", "is_blind"],
    ]
    for shown in (got.items["sshi"].to_json(), got.findings.to_json(), repr(got.understood)):
        assert "canary" not in shown


def test_interviewer_and_blindness_by_a_mapping() -> None:
    mapping = """
interviewer: {column: Wie}
is_blind: {constant: yes}
respondent: {constant: self}
forms:
  - {instrument: sshi, items: {suicidal_acts: A, self_harm_acts: B}}
  - instrument: scid2
    items: {bpd_1: C}
    interviewer: {column: Wie2, map: {2: R7}}
    is_blind: {column: Open, map: {J: no, N: yes}}
"""
    header = ["Nr", "Wie", "A", "B", "Wie2", "Open", "C"]
    got = deliver(header, ["1", "R7", 0, 0, "2", "J", 3], ["2", "R8", 0, 0, "3", "N", 3], mapping=mapping)
    sshi, scid2 = got.items["sshi"], got.items["scid2"]
    assert sshi["interviewer"].tolist() == [therapist("R7"), therapist("R8")]
    assert sshi["is_blind"].tolist() == [True, True]
    assert scid2["interviewer"].fillna("").tolist() == [therapist("R7"), ""]
    assert scid2["is_blind"].tolist() == [False, True]
    assert scid2["respondent"].tolist() == ["self", "self"]


def test_the_interviewer_of_one_issuer_is_not_that_of_another() -> None:
    assert therapist("R7") != PSEUDONYMS.therapist("elsewhere", pd.Series(["R7"]))[0]
