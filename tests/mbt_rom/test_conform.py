"""From the bytes of a file to rows: what is taken in, what is refused, and that nothing gets lost."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from mbt_rom import conform, registry, sheet_rows
from mbt_rom.conform import Conformed
from mbt_rom.exports.mapping import Mapping, parse_mapping
from mbt_rom.findings import RULES
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

RECEIVED = datetime(2026, 11, 22, 4, tzinfo=UTC)
PSEUDONYMS = Pseudonyms(b"an example key, of no use at all")
PHQ9 = [f"phq9_{i}" for i in range(1, 10)]
BSI = [f"bsi_{i}" for i in range(1, 54)]


def home(programmes: Sequence[str] = ("north", "south"), *, issuer: Issuer | None = None, **more: object) -> Consortium:
    used = ("phq9", "bsi", "eq5d3l")
    return Consortium(
        name="test",
        issuers={"hospital": issuer or Issuer()},
        programmes={p: Programme(name=p, issuer="hospital", instruments=used) for p in programmes},
        **more,
    )


def deliver(
    data: bytes | str,
    *,
    programme: str | None = "north",
    settings: Consortium | None = None,
    mappings: Sequence[Mapping] = (),
    name: str = "export.csv",
) -> Conformed:
    data = data.encode() if isinstance(data, str) else data
    return conform.deliver(
        data,
        file_name=name,
        programme_id=programme,
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=RECEIVED,
        settings=settings or home(),
        instruments=registry.instruments(),
        pseudonyms=PSEUDONYMS,
        mappings=mappings,
    )


def csv(header: Sequence[str], *rows: Sequence[object]) -> str:
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in [header, *rows])


def phq9(*rows: Sequence[object], more: Sequence[str] = ()) -> str:
    """A file of PHQ-9 forms; each row: patient, date, then cells of the columns `more`; the answers are 0 1 2 3 0 1 2 3 0."""
    answers = [0, 1, 2, 3, 0, 1, 2, 3, 0]
    return csv(["patient", "date", *more, *PHQ9], *([*row, *answers] for row in rows))


def rules(conformed: Conformed) -> dict[str, int]:
    return {str(k): int(v) for k, v in conformed.findings["rule"].value_counts().items()}


def mapping(text: str) -> Mapping:
    return parse_mapping(text, file="test.yaml")


def patient(number: str) -> str:
    return str(PSEUDONYMS.patient("hospital", Issuer(), pd.Series([number]))[0][0])


# ---- the plain case ----------------------------------------------------------------------------------------------------


def test_plain_file() -> None:
    got = deliver(phq9(["1001", "2026-01-02"], ["1002", "2026-01-03"]))
    items = got.items["phq9"]
    assert items["phq9_04"].tolist() == [3, 3]
    assert items["phq9_10"].isna().all()
    assert items["patient_id"].tolist() == [patient("1001"), patient("1002")]
    assert items["source_row"].tolist() == [2, 3]
    delivery = hashlib.sha256(phq9(["1001", "2026-01-02"], ["1002", "2026-01-03"]).encode()).hexdigest()
    assert items["row_id"].tolist() == [f"{delivery[:12]}-1-2-0", f"{delivery[:12]}-1-3-0"]
    assert items["administered_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-01-02", "2026-01-03"]
    assert items["edition"].tolist() == [registry.instrument("phq9").edition] * 2
    assert got.findings.empty
    assert got.contents[["programme_id", "instrument", "n_rows", "n_blank", "n_left_out"]].to_numpy().tolist() == [
        ["north", "phq9", 2, 0, 0]
    ]
    assert (got.n_rows, got.dialect, got.encoding, got.mapping, got.refused_for) == (
        2,
        "csv",
        "utf-8",
        "detected",
        None,
    )
    assert got.numbers[["issuer", "number"]].to_numpy().tolist() == [["hospital", "1001"], ["hospital", "1002"]]


def test_order_of_columns_means_nothing() -> None:
    text = phq9(["1001", "2026-01-02"])
    turned = "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines())
    one, other = deliver(text).items["phq9"], deliver(turned).items["phq9"]
    same = [c for c in one.columns if c not in ("row_id", "delivery_id")]
    pd.testing.assert_frame_equal(one[same], other[same])


def test_several_instruments_in_one_file_and_blank_blocks() -> None:
    full = ["1001", "2026-01-02", *[1] * 9, *[2] * 53]
    half = ["1002", "2026-01-02", *[1] * 9, *[""] * 53]
    got = deliver(csv(["client_id", "datum", *PHQ9, *BSI], full, half))
    assert {i: len(frame) for i, frame in got.items.items()} == {"phq9": 2, "bsi": 1}
    assert got.contents.set_index("instrument").loc["bsi", ["n_rows", "n_blank"]].tolist() == [2, 1]


def test_empty_form_in_a_file_of_one_form_is_a_row() -> None:
    got = deliver(csv(["patient", "date", *PHQ9], ["1001", "2026-01-02", *[""] * 9]))
    assert len(got.items["phq9"]) == 1
    assert got.contents["n_blank"].tolist() == [0]


def test_bad_patients_and_dates_stay_with_their_problem() -> None:
    got = deliver(phq9(["", "2026-01-02"], ["x1", "soon"], ["1003", ""], ["1004", "01/02/2026"]))
    items = got.items["phq9"]
    assert items["patient_problem"].fillna("").tolist() == ["patient_missing", "patient_form", "", ""]
    assert items["date_problem"].fillna("").tolist() == ["", "date_unreadable", "", "date_ambiguous"]
    assert got.findings.empty


def test_workbook_with_titles_and_two_sheets() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    first, second = book.add_worksheet("PHQ"), book.add_worksheet("Legend")
    date = book.add_format({"num_format": "dd-mm-yyyy"})
    first.write_row(0, 0, ["Export of the clinic"])
    first.write_row(3, 0, ["Patient", "Datum", *PHQ9])
    first.write_row(4, 0, [1001, None, *[1] * 9])
    first.write_datetime(4, 1, datetime(2026, 1, 2), date)  # noqa: DTZ001
    second.write_row(0, 0, ["what", "means"])
    second.write_row(1, 0, ["0", "not at all"])
    book.close()
    got = deliver(buffer.getvalue(), name="export.xlsx")
    items = got.items["phq9"]
    assert items[["source_row", "sheet"]].to_numpy().tolist() == [[5, "PHQ"]]
    assert items["administered_on"].astype(str).tolist() == ["2026-01-02"]
    assert items["patient_id"].tolist() == [patient("1001")]
    assert rules(got) == {"column_not_taken_in": 1}
    assert got.findings["sheet"].tolist() == ["Legend"]


def test_response_id_status_and_submission() -> None:
    more = ["response_id", "complete", "submitted_at", "language", "mode"]
    row = ["1001", "2026-01-02", "17", "yes", "2026-01-02 12:00:00", "nl-NL", "papier"]
    items = deliver(phq9(row, more=more)).items["phq9"]
    assert items[["is_complete", "language", "mode"]].to_numpy().tolist() == [[True, "nl", "paper"]]
    assert str(items["submitted_at"][0]) == "2026-01-02 11:00:00+00:00"
    assert items["response_id"][0].startswith("r_")
    other = deliver(phq9(row, more=more), programme="south").items["phq9"]
    assert other["response_id"][0] != items["response_id"][0]


def test_day_of_submission_where_no_date_is_given() -> None:
    items = deliver(csv(["patient", "submitdate", *PHQ9], ["1", "2026-01-02T23:30:00Z", *[1] * 9])).items["phq9"]
    assert items["administered_on"].astype(str).tolist() == ["2026-01-03"]


def test_stated_moments() -> None:
    got = deliver(
        csv(["patient", "meetmoment", *PHQ9], ["1", "t0", *[1] * 9], ["2", "T1", *[1] * 9], ["3", "", *[1] * 9])
    )
    assert got.items["phq9"]["moment_given"].fillna("").tolist() == ["baseline", "", ""]
    assert got.findings[["rule", "source_row", "source_column"]].to_numpy().tolist() == [
        ["moment_unknown", 3, "meetmoment"]
    ]
    assert got.findings["row_id"].tolist() == [got.items["phq9"]["row_id"][1]]


def test_unknown_moment_beside_a_date_is_no_finding() -> None:
    assert rules(deliver(phq9(["1", "2026-01-02", "T1"], more=["moment"]))) == {}


# ---- refusals ----------------------------------------------------------------------------------------------------------


def test_every_refusal_is_one_fatal_finding_without_rows() -> None:
    bad = {
        "file_empty": b"",
        "file_header_only": phq9().encode(),
        "columns_unknown": b"a,b\n1,2\n",
        "file_unreadable": b"\x00\x01\x02",
        "item_count_wrong": csv(
            ["patient", "date", *[f"bsi_{i}" for i in range(1, 61)]], ["1", "2026-01-02", *[0] * 60]
        ),
        "column_twice": csv(["patient", "date", *PHQ9, "phq9-01"], ["1", "2026-01-02", *[0] * 10]),
        "edition_contradicted": csv(
            ["patient", *[f"eq5d3l_{d}" for d in ("mo", "sc", "ua", "pd", "ad")]], ["1", 1, 2, 5, 1, 1]
        ),
        "coding_undeclared": csv(["patient", *PHQ9], *[[i, 1, 2, 3, 4, 1, 2, 3, 4, 1] for i in range(5)]),
        "patient_column_citizen_numbers": phq9(["123456782", "2026-01-02"], ["100000009", "2026-01-02"]),
    }
    for rule, data in bad.items():
        got = deliver(data)
        assert rules(got) == {rule: 1}, rule
        assert got.findings["severity"].tolist() == ["fatal"]
        assert got.refused_for == rule
        assert not got.items
        assert got.contents.empty
        assert got.numbers.empty
        assert {column["role"] for column in got.understood} <= {"not_taken_in"}


def test_sixty_columns_called_bsi_are_explained() -> None:
    got = deliver(csv(["patient", *[f"bsi_{i}" for i in range(1, 61)]], ["1", *[0] * 60]))
    assert registry.instrument("bsi").wrong_counts[60] in got.findings["detail"][0]


def test_missing_columns_are_named() -> None:
    got = deliver(csv(["patient", *PHQ9[:-2]], ["1", *[0] * 7]))
    assert rules(got) == {"item_count_wrong": 1}
    assert "phq9_08, phq9_09" in got.findings["detail"][0]


def test_items_without_a_patient_column_are_refused() -> None:
    assert rules(deliver(csv(["date", *PHQ9], ["2026-01-02", *[0] * 9]))) == {"columns_unknown": 1}


def test_two_columns_of_patients_are_refused() -> None:
    got = deliver(csv(["patient", "client", *PHQ9], ["1", "2", *[0] * 9]))
    assert rules(got) == {"column_twice": 1}
    assert "'patient' and 'client'" in got.findings["detail"][0]


def test_second_choice_gives_way_to_a_sure_name() -> None:
    got = deliver(csv(["record_id", "patient", *PHQ9], ["1", "2", *[0] * 9]))
    assert got.items["phq9"]["patient_id"].tolist() == [patient("2")]


def test_total_score_beside_the_items_is_no_ninth_item() -> None:
    got = deliver(csv(["patient", "phq9", *PHQ9], ["1", "27", *[0] * 9]))
    assert got.items["phq9"]["phq9_09"].tolist() == [0]


def test_short_prefix_reads_its_last_number_as_an_item() -> None:
    got = deliver(csv(["patient", *[f"phq{i}" for i in range(1, 10)]], ["1", *[0] * 8, 3]))
    assert got.items["phq9"]["phq9_09"].tolist() == [3]


def test_edition_that_no_name_tells_is_decided_by_the_settings_or_refused() -> None:
    text = csv(["patient", *[f"eq5d_{d}" for d in ("mo", "sc", "ua", "pd", "ad")]], ["1", 1, 2, 3, 1, 1])
    assert list(deliver(text).items) == ["eq5d3l"]
    both = home()
    programmes = {"north": both.programmes["north"].model_copy(update={"instruments": ("eq5d3l", "eq5d5l")})}
    got = deliver(text, settings=both.model_copy(update={"programmes": programmes}))
    assert rules(got) == {"edition_ambiguous": 1}


def test_unknown_folder() -> None:
    assert rules(deliver(phq9(["1", "2026-01-02"]), programme="elsewhere")) == {"programme_unknown_folder": 1}


def test_file_larger_than_the_settings_allow() -> None:
    got = deliver(b"x" * (1_048_577), settings=home(largest_file_mb=1))
    assert rules(got) == {"file_too_large": 1}


def test_header_that_lost_a_column_is_refused() -> None:
    got = deliver("patient," + ",".join(PHQ9) + "\n" + "".join(f"{i}," + ",".join("0" * 10) + "\n" for i in range(3)))
    assert rules(got) == {"file_unreadable": 1}


def test_unforeseen_errors_are_refusals_that_show_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("canary-1001")

    monkeypatch.setattr(sheet_rows, "read_answers", fail)
    got = deliver(phq9(["1001", "2026-01-02"]))
    assert rules(got) == {"file_unreadable": 1}
    assert "canary" not in got.findings.to_json()


# ---- citizen numbers ---------------------------------------------------------------------------------------------------


def test_citizen_numbers_are_found_whatever_else_is_wrong_with_the_file() -> None:
    for text in (
        csv(["patient", "phq9_1"], ["123456782", 1]),
        csv(["bsn", "x"], ["123456782", 1]),
        csv(["anything", "x"], ["123456782", 1]),
    ):
        got = deliver(text)
        assert not got.may_be_kept
        assert "123456782" not in got.findings.to_json()


def test_column_of_citizen_numbers_beside_good_patient_numbers_is_refused() -> None:
    # invented; by hand: 123456782 gives 154, 100000009 0, 111222333 66, 200000007 18-7=11, 300000005 27-5=22
    numbers = ["123456782", "100000009", "111222333", "200000007", "300000005"]
    got = deliver(phq9(*[[str(i), "2026-01-02", n] for i, n in enumerate(numbers)], more=["nummer"]))
    assert rules(got) == {"patient_column_citizen_numbers": 1}
    assert got.findings["source_column"].tolist() == ["nummer"]


def test_lone_citizen_number_in_a_remark_is_a_notice_with_its_place() -> None:
    got = deliver(phq9(["1", "2026-01-02", "fine"], ["2", "2026-01-02", "bsn 1234.56.782"], more=["remarks"]))
    found = got.findings.set_index("rule")
    assert found.loc["citizen_number_elsewhere", ["source_row", "source_column", "severity"]].tolist() == [
        3,
        "remarks",
        "notice",
    ]
    assert found.loc["column_not_taken_in", "source_column"] == "remarks"
    assert "1234" not in got.findings.to_json()
    assert len(got.items["phq9"]) == 2


def test_nine_digit_numbers_of_an_issuer_that_declares_them() -> None:
    got = deliver(phq9(["123456782", "2026-01-02"]), settings=home(issuer=Issuer(allows_nine_digits=True)))
    assert got.items["phq9"]["patient_problem"].isna().all()
    assert got.findings.empty


# ---- rows that are set aside ---------------------------------------------------------------------------------------------


def test_ragged_rows_stay_and_are_named() -> None:
    rows = [f"{i},2026-01-02," + ",".join("0" * 9) for i in range(4)]
    text = "\n".join(["patient,date," + ",".join(PHQ9), *rows, "9,2026-01-02,0,0"])
    got = deliver(text)
    assert len(got.items["phq9"]) == 5
    assert got.findings[["rule", "severity", "source_row"]].to_numpy().tolist() == [["row_ragged", "error", 6]]
    assert got.findings["row_id"].tolist() == [got.items["phq9"]["row_id"][4]]


def test_leading_zeros_are_restored_with_a_notice() -> None:
    issuer = Issuer(length=6, leading_zeros="restore")
    got = deliver(phq9(["1234", "2026-01-02"], ["001234", "2026-01-03"]), settings=home(issuer=issuer))
    assert got.items["phq9"]["patient_id"].tolist()[0] == got.items["phq9"]["patient_id"].tolist()[1]
    assert rules(got) == {"leading_zeros_restored": 1}


def test_cells_like_formulas_are_text() -> None:
    got = deliver(phq9(["=1+1", "2026-01-02"]))
    assert got.items["phq9"]["patient_problem"].tolist() == ["patient_form"]
    assert rules(got) == {"cell_like_formula": 1}


# ---- shared files and mappings -------------------------------------------------------------------------------------------

WIDE = """
name: register
matches: {columns: [Unit, a1, b1]}
patient: {surrogate: row}
programme: {column: Unit, map: {10: north, 20: south}}
missing: [9]
only: [{column: Keep, in: [0]}]
forms:
  - {instrument: phq9, moment: {constant: baseline}, prefix: a}
  - {instrument: phq9, moment: {constant: m6}, prefix: b}
registers:
  - register: patients
    columns: {sex: Sex}
    values: {sex: {1: male, 2: female}}
"""


def wide(*rows: tuple[object, object, object, object, object]) -> str:
    """Unit, Keep, Sex, answer of all items before, answer of all items after."""
    header = ["Unit", "Keep", "Sex", *[f"a{i}" for i in range(1, 10)], *[f"b{i}" for i in range(1, 10)]]
    return csv(header, *([u, k, s, *[a] * 9, *[b] * 9] for u, k, s, a, b in rows))


def test_before_and_after_on_one_row_of_several_programmes() -> None:
    text = wide((10, 0, 1, 2, 1), ("20.0", 0, 2, 3, 9), (30, 0, 1, 1, 1), (10, 1, 2, 1, 1), (20, 0, "*", "", 0))
    got = deliver(text, programme=None, mappings=[mapping(WIDE)])
    items = got.items["phq9"]
    assert items[["programme_id", "source_row", "block", "moment_given", "phq9_01"]].to_numpy().tolist() == [
        ["north", 2, 0, "baseline", 2],
        ["south", 3, 0, "baseline", 3],
        ["north", 2, 1, "m6", 1],
        ["south", 6, 1, "m6", 0],
    ]
    counts = got.contents.set_index("programme_id")[["n_rows", "n_blank", "n_left_out"]]
    assert counts.loc["north"].tolist() == [4, 0, 2]
    assert counts.loc["south"].tolist() == [4, 2, 0]
    assert counts.loc["_shared"].tolist() == [2, 0, 0]
    unknown = got.findings[got.findings["rule"] == "programme_unknown"]
    assert unknown[["programme_id", "source_row", "item"]].sort_values("item").to_numpy().tolist() == [
        ["_shared", 4, "patients"],
        ["_shared", 4, "phq9"],
        ["_shared", 4, "phq9"],
    ]
    sexes = got.registers["patients"].set_index("row_id")["sex"]
    assert sexes.fillna("").tolist() == ["male", "female", ""]
    assert got.mapping == "register"
    assert got.mapping_hash == mapping(WIDE).hash


def test_surrogates_tie_the_blocks_of_a_row_and_nothing_else() -> None:
    got = deliver(wide((10, 0, 1, 2, 1), (10, 0, 1, 2, 1)), programme=None, mappings=[mapping(WIDE)])
    assert got.items["phq9"].groupby("source_row")["patient_id"].nunique().tolist() == [1, 1]
    assert got.items["phq9"]["patient_id"].nunique() == 2
    assert got.numbers.empty


def test_codes_of_programmes_without_a_map() -> None:
    text = csv(["programme", "patient", *PHQ9], ["NORTH", "1", *[0] * 9], ["West", "2", *[0] * 9])
    got = deliver(text, programme=None)
    assert got.items["phq9"]["programme_id"].tolist() == ["north"]
    assert rules(got) == {"programme_unknown": 1}


def test_shared_file_without_a_programme_column_is_refused() -> None:
    assert rules(deliver(phq9(["1", "2026-01-02"]), programme=None)) == {"columns_unknown": 1}


def test_row_of_another_programme_in_a_programmes_folder() -> None:
    text = csv(
        ["programme", "patient", *PHQ9], ["south", "1", *[0] * 9], ["", "2", *[0] * 9], ["ward 3", "3", *[0] * 9]
    )
    got = deliver(text, programme="north")
    assert got.items["phq9"]["source_row"].tolist() == [3, 4]
    assert rules(got) == {"programme_unknown": 1}


def test_two_mappings_that_fit() -> None:
    other = mapping(WIDE.replace("name: register", "name: second"))
    got = deliver(wide((10, 0, 1, 2, 1)), programme=None, mappings=[mapping(WIDE), other])
    assert rules(got) == {"mapping_ambiguous": 1}
    assert "register, second" in got.findings["detail"][0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("column: Keep", "column: Absent"), "no column 'Absent'"),
        (("instrument: phq9, moment: {constant: m6}", "instrument: phq8, moment: {constant: m6}"), "'phq8'"),
        (("constant: m6", "constant: m7"), "'m7'"),
        (("prefix: b", "prefix: b, coding: odd"), "no coding 'odd'"),
        (("prefix: b", "items: {99: b1}"), "no item '99'"),
        (("prefix: b", "prefix: c"), "begins with 'c'"),
    ],
)
def test_mapping_that_does_not_fit_the_file(change: tuple[str, str], said: str) -> None:
    got = deliver(wide((10, 0, 1, 2, 1)), programme=None, mappings=[mapping(WIDE.replace(*change))])
    assert rules(got) == {"mapping_invalid": 1}
    assert said in got.findings["detail"][0]


def test_mapping_may_name_fewer_items_than_the_instrument_has() -> None:
    text = "name: short\nmatches: {columns: [Q1]}\npatient: {column: Nr}\nforms: [{instrument: phq9, items: {1: Q1}}]"
    got = deliver("Nr,Q1\n5,3\n", mappings=[mapping(text)])
    assert got.items["phq9"][["phq9_01", "phq9_02"]].to_numpy().tolist() == [[3, pd.NA]]


def test_ambiguous_dates_need_a_mapping() -> None:
    text = "name: d\nmatches: {columns: [Q1]}\npatient: {column: Nr}\ndate: {column: On, format: mm/dd/yyyy}\n"
    text += "forms: [{instrument: phq9, items: {1: Q1}}]"
    got = deliver("Nr,On,Q1\n5,01/02/2026,3\n", mappings=[mapping(text)])
    assert got.items["phq9"]["administered_on"].astype(str).tolist() == ["2026-01-02"]


# ---- registers -----------------------------------------------------------------------------------------------------------


def test_registers_by_the_names_of_their_columns() -> None:
    got = deliver(csv(["Patient", "Naam", "Geboortedatum", "Geslacht"], ["1", "A. Person", "01-02-1990", "V"]))
    assert got.registers["patients"][["patient_id", "birth_year", "sex"]].to_numpy().tolist() == [
        [patient("1"), 1990, "female"]
    ]
    assert rules(got) == {"column_not_taken_in": 1}
    assert got.contents.empty
    header = ["episode_id", "patient", "therapist", "referred_on", "started_on", "ended_on", "end_reason"]
    got = deliver(
        csv(
            header,
            ["e1", "1", "T9", "2025-01-01", "2025-03-01", "", ""],
            ["e2", "2", "t9", "", "2025-03-01", "2026-01-01", "uitval"],
        )
    )
    episodes = got.registers["episodes"]
    assert episodes["patient_id"].tolist() == [patient("1"), patient("2")]
    assert len(set(episodes["therapist_id"])) == 1
    assert episodes["end_reason"].fillna("").tolist() == ["", "dropped_out"]
    got = deliver(csv(["therapist_id", "functie", "vanaf", "tot"], ["T9", "groep", "2020-01-01", ""]))
    assert got.registers["therapists"]["function"].tolist() == ["group"]
    assert got.registers["therapists"]["therapist_id"].tolist() == [episodes["therapist_id"][0]]


def test_register_rows_without_a_key_and_with_bad_dates_are_findings() -> None:
    header = ["episode_id", "patient", "started_on"]
    got = deliver(
        csv(header, ["", "1", "2025-01-01"], ["e2", "", "2025-01-01"], ["e3", "x3", "2025-01-01"], ["e4", "4", "soon"])
    )
    found = got.findings[["rule", "source_row", "item"]].to_numpy().tolist()
    assert sorted(found) == [
        ["patient_form", 4, "patient_id"],
        ["register_date_unreadable", 5, "started_on"],
        ["register_key_missing", 2, "episode_id"],
        ["register_key_missing", 3, "patient_id"],
    ]
    assert got.registers["episodes"]["row_id"].str.endswith("-5-e").tolist() == [True]


def test_codes_of_sex_without_a_mapping_are_not_guessed() -> None:
    got = deliver(csv(["patient", "sex"], ["1", "2"]))
    assert got.registers["patients"]["sex"].isna().all()
    assert rules(got) == {"code_not_understood": 1}


# ---- what leaves ---------------------------------------------------------------------------------------------------------


def test_no_local_number_answer_or_remark_is_in_findings_or_understood() -> None:
    header = ["patient", "date", "remarks", "moment", *PHQ9]
    rows = [
        ["canary-p", "canary-d", "canary-r", "canary-m", "canary-a", *[0] * 8],
        ["", "", "=canary", "+canary", *[77] * 9],
    ]
    got = deliver(csv(header, *rows))
    assert len(got.items["phq9"]) == 2
    assert not got.findings.empty
    for shown in (got.findings.to_json(), repr(got.understood), got.contents.to_json()):
        assert "canary" not in shown
        assert "77" not in shown.replace(got.findings["delivery_id"][0], "")


def test_every_rule_that_is_used_is_in_the_catalogue(project_root: Path) -> None:
    import re

    files = [project_root / "mbt_rom" / f"{name}.py" for name in ("conform", "sheet_rows")]
    files += [*(project_root / "mbt_rom" / "exports").glob("*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    used = set(re.findall(r'(?:ExportError|self\.note|note_rows|note_cells)\(\s*"([a-z_]+)"', text))
    assert len(used) > 15
    assert used <= set(RULES)


# ---- real exports --------------------------------------------------------------------------------------------------------


@pytest.mark.real_data
def test_nhanes(shared_data: Path, project_root: Path) -> None:
    """5,533 rows, as the README of the data set counts them; answers counted beside in the file itself."""
    path = shared_data / "data" / "nhanes_phq9" / "DPQ_J.csv"
    text = (project_root / "docs" / "examples" / "nhanes_phq9.yaml").read_text(encoding="utf-8")
    got = deliver(path.read_bytes(), mappings=[mapping(text)])
    items = got.items["phq9"]
    assert len(items) == 5533
    plain = pd.read_csv(path)
    assert plain["DPQ060"].isin([7, 9]).sum() > 0
    for item, column in (("phq9_01", "DPQ010"), ("phq9_06", "DPQ060"), ("phq9_10", "DPQ100")):
        assert items[item].value_counts().to_dict() == plain[column][plain[column] < 4].value_counts().to_dict()
    assert items["unreadable_items"].isna().all()
    assert items["patient_id"].nunique() == 5533
    assert got.findings.empty


@pytest.mark.real_data
def test_nhs_hip_replacement(shared_data: Path, project_root: Path) -> None:
    """44,241 patients of 281 providers, as the data set's own README counts them; zipped with a macOS by-product."""
    path = next((shared_data / "data" / "nhs_proms_eq5d3l").glob("Hip*.zip"))
    text = (project_root / "docs" / "examples" / "nhs_hip_2017.yaml").read_text(encoding="utf-8")
    plain = pd.read_csv(path, compression=None, dtype="str") if path.suffix == ".csv" else _unzipped(path)
    codes = sorted({code.casefold() for code in plain["Provider Code"]})
    assert len(codes) == 281
    got = deliver(path.read_bytes(), programme=None, settings=home(codes), mappings=[mapping(text)], name=path.name)
    assert got.n_rows == 44_241
    items = got.items["eq5d3l"]
    kept = plain[(plain["Revision Flag"] == "0") & plain["Hip Replacement EQ5D Index Post-Op Q Predicted"].notna()]
    first = items[items["moment_given"] == "baseline"]
    assert (first["eq5d3l_mo"] == 2).sum() == (kept["Pre-Op Q Mobility"] == "2").sum()
    assert (first["eq5d3l_vas"] == 9).sum() == (kept["Pre-Op Q EQ VAS"] == "9").sum()
    sums = got.contents[["n_rows", "n_blank", "n_left_out"]].sum()
    assert sums["n_rows"] == 2 * 44_241
    assert sums["n_rows"] == sums["n_blank"] + sums["n_left_out"] + len(items)


def _unzipped(path: Path) -> pd.DataFrame:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if not n.startswith("__MACOSX"))
        with archive.open(name) as stream:
            return pd.read_csv(stream, dtype="str", encoding="latin-1")


@pytest.mark.real_data
def test_every_real_export_is_taken_in_or_refused_with_a_rule(shared_data: Path) -> None:
    files = [p for p in sorted((shared_data / "data").rglob("*")) if p.is_file() and p.stat().st_size < 300_000]
    assert len(files) > 30
    for path in files:
        got = deliver(path.read_bytes(), name=path.name)
        assert got.refused_for in RULES or got.items or got.registers or got.n_rows or got.codebook, path.name
        assert "unforeseen" not in got.findings["detail"].fillna("").str.cat(), path.name
