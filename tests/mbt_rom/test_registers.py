"""Every register from what was typed to rows: by the names of its columns, by a mapping, and from the workbook of `rom template`."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import pandas as pd
import pytest
import python_calamine
import xlsxwriter

from mbt_rom import conform, registry
from mbt_rom.conform import Conformed
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.exports.names import normalised
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registers import CORE, REGISTERS, Register
from mbt_rom.settings import Consortium, Issuer, Programme, SettingsError
from mbt_rom.tables import REGISTERS as TABLES
from pipelines.register_book import workbook

PSEUDONYMS = Pseudonyms(b"an example key, of no use at all")
SETTINGS = Consortium(
    name="test",
    issuers={"hospital": Issuer()},
    programmes={p: Programme(name=p, issuer="hospital", instruments=("phq9",)) for p in ("north", "south")},
)
Row = Mapping[str, object]
#: Rows as they are typed: in our own codes, and with what a programme may leave open.
TYPED: dict[str, list[Row]] = {
    "episodes": [
        {
            "episode_id": "E1", "patient_id": "1001", "therapist_id": "T1", "referred_on": date(2025, 1, 2), "first_assessment_on": date(2025, 2, 1),
            "first_introductory_on": date(2025, 3, 1), "started_on": date(2025, 6, 1), "planned_end_on": date(2026, 12, 1),
            "ended_on": date(2026, 6, 1), "last_followup_on": date(2026, 9, 1), "end_reason": "completed",
        },
    ],
    "therapists": [{"therapist_id": "T1", "function": "group", "started_on": date(2020, 1, 1)}],
    "patients": [{"patient_id": "1001", "birth_year": 1990, "sex": "female"}],
    "spells": [
        {"patient_id": "1001", "phase": "waiting", "from_on": date(2025, 1, 2), "until_on": date(2025, 5, 31)},
        {"patient_id": "1001", "phase": "main", "format": "day_hospital", "team": "team_a", "from_on": date(2025, 6, 1)},
    ],
    "allocations": [
        {"patient_id": "1001", "staff_id": "T1", "function": "individual", "deputy_id": "T2", "from_on": date(2025, 6, 1)},
        {"patient_id": "1001", "staff_id": "T1", "function": "group", "from_on": date(2025, 6, 1), "until_on": date(2025, 9, 1)},
    ],
    "permissions": [
        {"patient_id": "1001", "purpose": "own_care", "basis": "contract", "given_by": "patient", "from_on": date(2025, 1, 2)},
        {"patient_id": "1001", "purpose": "research", "basis": "consent", "given_by": "both", "from_on": date(2025, 1, 2), "until_on": date(2026, 1, 1)},
    ],
    "contacts": [
        {"patient_id": "1001", "contact_on": date(2025, 6, 3), "kind": "group", "attendance": "no_show", "staff_id": "T1"},
        {"patient_id": "1001", "contact_on": date(2025, 6, 3), "kind": "group", "attendance": "attended"},
    ],
    "events": [
        {"patient_id": "1001", "event_on": date(2025, 7, 1), "until_on": date(2025, 7, 9), "kind": "admission"},
        {"event_on": date(2025, 8, 1), "until_on": date(2025, 8, 14), "kind": "closure"},
    ],
    "reviews": [{"patient_id": "1001", "reviewed_on": date(2025, 9, 1), "has_formulation": True, "has_crisis_plan": False, "has_goals": True}],
    "feedback_sessions": [{"patient_id": "1001", "session_on": date(2025, 9, 8), "staff_id": "T1", "is_released_to_patient": True}],
    "medication": [{"patient_id": "1001", "medicine": "n06ab04", "from_on": date(2025, 2, 1), "until_on": date(2025, 4, 1)}],
    "referrals": [
        {"patient_id": "1001", "referred_on": date(2025, 1, 2), "source": "general_practitioner", "decided_on": date(2025, 1, 9), "decision": "accepted"},
    ],
    "staff": [{"staff_id": "T1", "function": "nurse", "from_on": date(2020, 1, 1), "until_on": date(2026, 1, 31), "deputy_id": "T2"}],
    "supervision": [{"held_on": date(2025, 5, 5), "kind": "team", "n_present": 6}, {"held_on": date(2025, 5, 6), "kind": "individual", "staff_id": "T9", "n_present": 2}],
    "nonresponse": [
        {"patient_id": "1001", "moment": "m6", "reason": "refused", "recorded_on": date(2025, 12, 2)},
        {"patient_id": "1001", "moment": "end", "instrument": "phq9", "reason": "too_unwell"},
    ],
}  # fmt: skip


def kept(register: Register, row: Row, *, pseudonyms: Pseudonyms, issuer: str, programme: str) -> dict[str, object]:
    """What the table holds of a typed row: numbers and codes of staff as pseudonyms, everything else as it was typed."""
    made: dict[str, object] = {"programme_id": programme}
    for column in register.columns:
        value = row.get(column.name)
        text = pd.Series([value], dtype="str")
        keyed = {"patient": pseudonyms.of_numbers, "staff": pseudonyms.therapist, "episode": pseudonyms.episode}
        if value is not None and column.kind in keyed:
            value = keyed[column.kind](issuer, text).iloc[0]
        made[column.name] = value
    return made


def expected(name: str, rows: Sequence[Row], **home: object) -> pd.DataFrame:
    """Rows of the table `reference/<name>` for what was typed, in the order of its key."""
    made = pd.DataFrame([kept(REGISTERS[name], row, **home) for row in rows])
    return in_order(name, TABLES[name].conform(made))


def in_order(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """What was told, without where it stood, in the order of the key."""
    table = TABLES[name]
    return rows.sort_values(list(table.key)).drop(columns=["row_id", "delivery_id"]).reset_index(drop=True)


def filled(template: bytes, rows: Mapping[str, Sequence[Row]]) -> bytes:
    """The workbook of `rom template` with rows typed below the headers of its sheets, as a spreadsheet saves it."""
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(template))
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as target:
        day = target.add_format({"num_format": "yyyy-mm-dd"})
        for name in book.sheet_names:
            cells = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            sheet = target.add_worksheet(name)
            typed = [[row.get(header) for header in cells[3]] for row in rows.get(name, [])] if cells else []
            for r, row in enumerate([*cells, *typed]):
                for c, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(r, c, datetime(cell.year, cell.month, cell.day, tzinfo=None), day)  # noqa: DTZ001
                    elif isinstance(cell, bool):
                        sheet.write_string(r, c, "yes" if cell else "no")
                    elif cell not in (None, ""):
                        sheet.write(r, c, cell)
    return out.getvalue()


def text(value: object) -> str:
    """A value as a CSV holds it."""
    return "" if value is None else {"True": "yes", "False": "no"}.get(str(value), str(value))


def csv(rows: Sequence[Row], headers: Mapping[str, str] | Sequence[str]) -> str:
    """A CSV of the rows; `headers`: columns, or column -> what it is called there."""
    named = headers if isinstance(headers, Mapping) else dict.fromkeys(headers)
    lines = [
        [header or column for column, header in named.items()],
        *([text(row.get(c)) for c in named] for row in rows),
    ]
    return "\n".join(",".join(line) for line in lines) + "\n"


def deliver(data: bytes | str, *, mapping: str | None = None, programme: str | None = "north") -> Conformed:
    data = data.encode() if isinstance(data, str) else data
    return conform.deliver(
        data,
        file_name="register",
        programme_id=programme,
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 11, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments=registry.instruments(),
        pseudonyms=PSEUDONYMS,
        mappings=[parse_mapping(mapping, file="m.yaml")] if mapping else [],
    )


def found(delivery: Conformed) -> list[list[object]]:
    """(row, column of the table, rule) of each finding, by row; those about a whole column last."""
    rows = delivery.findings.sort_values(["source_row", "item"])[["source_row", "item", "rule"]].astype(object)
    return rows.where(rows.notna(), None).values.tolist()


HERE = {"pseudonyms": PSEUDONYMS, "issuer": "hospital", "programme": "north"}


@pytest.mark.parametrize("name", REGISTERS)
def test_a_csv_with_our_own_column_names_is_read_without_a_mapping(name: str) -> None:
    got = deliver(csv(TYPED[name], REGISTERS[name].column_names))
    assert got.findings.empty
    assert list(got.registers) == [name]
    pd.testing.assert_frame_equal(in_order(name, got.registers[name]), expected(name, TYPED[name], **HERE))


@pytest.mark.parametrize("name", REGISTERS)
def test_a_workbook_typed_into_comes_back_as_typed(name: str) -> None:
    got = deliver(filled(workbook([REGISTERS[name]]), TYPED))
    assert got.findings.empty
    assert list(got.registers) == [name]
    pd.testing.assert_frame_equal(in_order(name, got.registers[name]), expected(name, TYPED[name], **HERE))


def test_all_registers_in_one_workbook_and_empty_sheets_say_nothing() -> None:
    some = {name: TYPED[name] for name in ("spells", "supervision", "patients")}
    got = deliver(filled(workbook(list(REGISTERS.values())), some))
    assert got.findings.empty
    assert set(got.registers) == set(some)
    nothing = deliver(workbook(list(REGISTERS.values())))
    assert nothing.refused_for == "file_header_only"


@pytest.mark.parametrize("name", REGISTERS)
def test_a_mapping_names_the_columns(name: str) -> None:
    register = REGISTERS[name]
    named = {column: f"C{n}" for n, column in enumerate(register.column_names)}
    columns = ", ".join(f"{column}: {header}" for column, header in named.items())
    mapping = f"name: m\nmatches: {{columns: [{', '.join(named.values())}]}}\nregisters: [{{register: {name}, columns: {{{columns}}}}}]\n"
    got = deliver(csv(TYPED[name], named), mapping=mapping)
    assert got.findings.empty
    pd.testing.assert_frame_equal(in_order(name, got.registers[name]), expected(name, TYPED[name], **HERE))


DUTCH: dict[str, tuple[str, str, dict[str, object]]] = {
    "spells": ("patientnummer;fase;behandelvorm;team;vanaf;tot", "1;Wachtlijst;Dagkliniek;Team A;1-3-2025;", {"phase": "waiting", "format": "day_hospital", "team": "team_a"}),
    "allocations": ("cliëntnummer;behandelaar;functie;vanaf", "1;T1;Individueel;31-3-2025", {"function": "individual"}),
    "permissions": ("patientnr;doel;grondslag;gegeven door;ingangsdatum", "1;Kwaliteit;Geen bezwaar;Ouders;31-3-2025", {"purpose": "programme_quality", "basis": "no_objection", "given_by": "representative"}),
    "contacts": ("patientnr;afspraakdatum;soort contact;aanwezigheid;behandelaar", "1;31-3-2025;Groepstherapie;Niet verschenen;T1", {"kind": "group", "attendance": "no_show"}),
    "events": ("patientnr;datum gebeurtenis;gebeurtenis", "1;31-3-2025;Opname", {"kind": "admission"}),
    "reviews": ("patientnr;datum evaluatie;crisisplan;doelen", "1;31-3-2025;ja;nee", {"has_crisis_plan": True, "has_goals": False}),
    "feedback_sessions": ("patientnr;datum terugkoppeling;vrijgegeven", "1;31-3-2025;ja", {"is_released_to_patient": True}),
    "medication": ("patientnr;ATC-code;begindatum;einddatum", "1;N06AB04;31-3-2025;", {"medicine": "n06ab04"}),
    "referrals": ("patientnr;verwijsdatum;verwijzer;besluit", "1;31-3-2025;Huisarts;Aangenomen", {"source": "general_practitioner", "decision": "accepted"}),
    "nonresponse": ("patientnr;meetmoment;vragenlijst;reden non-respons", "1;12 maanden;PHQ-9;Verhuisd", {"moment": "m12", "instrument": "phq9", "reason": "moved"}),
    "supervision": ("datum supervisie;soort supervisie;aantal aanwezig", "31-3-2025;Intervisie;5", {"kind": "team", "n_present": 5}),
}  # fmt: skip


@pytest.mark.parametrize("name", DUTCH)
def test_dutch_names_and_words_are_read(name: str) -> None:
    header, row, wanted = DUTCH[name]
    got = deliver(f"{header}\n{row}\n")
    assert got.findings.empty, got.findings[["rule", "detail"]]
    assert list(got.registers) == [name]
    assert {column: got.registers[name][column].iloc[0] for column in wanted} == wanted


@pytest.mark.parametrize(
    "header",
    [
        "patient_id,date,kind",  # contacts, or events
        "patient_id,type,status",
        "patient_id,reason",
        "patient_id,from,until,team",
        "date,kind",
    ],
)
def test_what_could_be_several_registers_is_left_to_a_mapping(header: str) -> None:
    got = deliver(f"{header}\n" + ",".join(["2025-03-01"] * (header.count(",") + 1)) + "\n")
    assert got.refused_for == "columns_unknown"


def test_two_columns_that_could_be_the_same_are_refused_by_name() -> None:
    got = deliver("patient_id,contact_date,afspraakdatum,attendance,kind\n1,2025-01-01,2025-01-01,attended,group\n")
    assert got.refused_for == "column_twice"


def test_bad_cells_are_findings_and_no_row_is_lost() -> None:
    rows = [
        "1,main,2025-01-01,,day_hospital,Team A",
        ",main,2025-01-01,,,",  # nobody
        "12 x,main,2025-01-01,,,",  # no number of this programme
        "2,sleeping,2025-01-01,,,",  # no such phase
        "3,,2025-01-01,,,",  # no phase
        "4,main,31-31-2025,,,",  # no such day
        "5,main,,,,",  # no day
        "6,main,2025-01-01,soon,,",  # a last day that is none: the row is there, and set aside
        "7,main,2025-01-01,,in bed,",  # the format counts as not recorded
        "8,main,2025-01-01,,,he told us that he may move to Utrecht",  # free text is not taken in
        "1,main,2025-01-01,,day_hospital,Team A",  # the first row again
    ]
    got = deliver("patient_id,phase,from_on,until_on,format,team\n" + "\n".join(rows) + "\n")
    assert found(got) == [
        [3, "patient_id", "register_key_missing"],
        [4, "patient_id", "patient_form"],
        [5, "phase", "register_code_unknown"],
        [6, "phase", "register_key_missing"],
        [7, "from_on", "register_date_unreadable"],
        [8, "from_on", "register_key_missing"],
        [9, "until_on", "register_date_unreadable"],
        [None, "format", "code_not_understood"],
        [None, "team", "code_not_understood"],
    ]
    held = got.registers["spells"]
    assert held["row_id"].str.extract(r"-(\d+)-spells$", expand=False).tolist() == ["2", "9", "10", "11"]
    assert held["team"].isna().tolist() == [False, True, True, True]
    assert "Utrecht" not in held.to_csv() + got.findings.to_csv()


def test_a_permission_that_cannot_be_read_is_kept_to_be_set_aside_where_it_says_about_whom_and_what() -> None:
    """So that it puts the older rows in doubt. Who gave it is not taken for not recorded, which would stand for the patient."""
    rows = [
        "1,research,mentor,2025-01-01,",  # an unknown giver
        "2,research,patient,2025-31-12,2025-06-01",  # no such first day
        "3,research,patient,,2025-06-01",  # no first day
        "4,hearsay,patient,2025-01-01,",  # no such purpose: nobody can tell what is in doubt
        "5,research,,2025-01-01,",
    ]
    got = deliver("patient_id,purpose,given_by,from_on,until_on\n" + "\n".join(rows) + "\n")
    assert found(got) == [
        [2, "given_by", "register_code_unknown"],
        [3, "from_on", "register_date_unreadable"],
        [4, "from_on", "register_key_missing"],
        [5, "purpose", "register_code_unknown"],
    ]
    held = got.registers["permissions"]
    assert held["row_id"].str.extract(r"-(\d+)-permissions$", expand=False).tolist() == ["2", "3", "4", "6"]


@pytest.mark.parametrize("word", ["overlijden", "Overleden", "gestorven", "death"])
def test_a_death_is_read_by_whatever_word_tells_it(word: str) -> None:
    got = deliver(f"episode_id,patient_id,started_on,ended_on,end_reason\nE1,1,2024-01-01,2024-05-01,{word}\n")
    assert got.registers["episodes"]["end_reason"].tolist() == ["died"]


def test_an_event_of_the_programme_needs_no_patient_and_a_wrong_number_is_told() -> None:
    got = deliver("patient_id,event_on,kind\n,2025-01-01,closure\n1 x,2025-01-01,admission\n")
    assert found(got) == [[3, "patient_id", "patient_form"]]
    assert got.registers["events"]["kind"].tolist() == ["closure"]


def test_a_file_of_several_programmes_names_them() -> None:
    got = deliver(
        "programme,patient_id,phase,from_on\nnorth,1,main,2025-01-01\nsouth,1,main,2025-02-01\nwest,1,main,2025-03-01\n",
        programme=None,
    )
    assert got.registers["spells"]["programme_id"].tolist() == ["north", "south"]
    assert found(got) == [[4, "spells", "programme_unknown"]]


def test_a_mapping_translates_codes_and_may_not_invent_any() -> None:
    good = """
name: m
matches: {columns: [Nr, F, Vanaf]}
registers:
  - register: spells
    columns: {patient_id: Nr, phase: F, from_on: Vanaf}
    values: {phase: {"1": waiting, "2": main}}
"""
    got = deliver("Nr,F,Vanaf\n1,2,2025-01-01\n2,9,2025-01-01\n", mapping=good)
    assert got.registers["spells"]["phase"].tolist() == ["main"]
    assert found(got) == [[3, "phase", "register_code_unknown"]]
    with pytest.raises(SettingsError, match=r"values.phase: \['sleeping'\] may not stand there"):
        parse_mapping(good.replace("main", "sleeping"), file="m.yaml")
    with pytest.raises(SettingsError, match="there is no register 'spell'"):
        parse_mapping(good.replace("register: spells", "register: spell"), file="m.yaml")
    with pytest.raises(SettingsError, match="needs its key: phase, from_on"):
        parse_mapping(good.replace(", phase: F, from_on: Vanaf", "").replace("phase: {", "team: {"), file="m.yaml")


def test_two_registers_of_one_sheet_keep_their_rows_apart() -> None:
    mapping = """
name: m
matches: {columns: [Nr, Fase, Vanaf, Doel]}
registers:
  - {register: spells, columns: {patient_id: Nr, phase: Fase, from_on: Vanaf}}
  - {register: permissions, columns: {patient_id: Nr, purpose: Doel, from_on: Vanaf}}
"""
    got = deliver("Nr,Fase,Vanaf,Doel\n1,main,2025-01-01,zorg\n", mapping=mapping)
    ids = pd.concat([got.registers["spells"]["row_id"], got.registers["permissions"]["row_id"]])
    assert ids.is_unique
    assert got.registers["permissions"]["purpose"].tolist() == ["own_care"]


# The declaration ------------------------------------------------------------------------------------------------------


def test_every_register_can_be_told_apart_and_says_what_it_is_for() -> None:
    assert len({r.mark for r in REGISTERS.values()}) == len(REGISTERS)
    assert sorted(CORE) == ["episodes", "patients", "therapists"]
    assert not set(REGISTERS) & set(registry.instruments())
    for register in REGISTERS.values():
        assert set(register.key) <= set(register.column_names)
        assert set(register.required) & set(register.key)
        assert all(r.meaning and r.meaning_nl for r in register.columns)
        assert register.without
        assert register.without_nl


@pytest.mark.parametrize("name", REGISTERS)
def test_names_and_words_are_written_as_they_are_compared_and_mean_one_thing(name: str) -> None:
    for column in REGISTERS[name].columns:
        assert all(h == normalised(h) for h in (*column.headers, *column.plain)), column.name
        words = [word for said in column.codes.values() for word in said.split()]
        assert len(words) == len(set(words)), column.name
        assert all(word == normalised(word) and not word.isdigit() for word in words), column.name
        assert all(code in said.split() for code, said in column.codes.items()), column.name


def test_a_name_that_says_which_register_it_is_says_so_of_one_only() -> None:
    named = [
        (header, register.name)
        for register in REGISTERS.values()
        for column in register.columns
        for header in column.headers
        if header not in ("staff_id", "deputy_id")
    ]
    assert len({header for header, _ in named}) == len({*named})
