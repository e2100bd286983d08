"""From bytes to sheets, and sheets understood by the names of their columns alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from mbt_rom import registry
from mbt_rom.exports.detection import read_export, understand
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.understanding import Source, Understanding
from mbt_rom.model import Instrument

VOCABULARY = Vocabulary(registry.instruments())
ITEMS = ",".join(f"phq9_{i}" for i in range(1, 10))


def understood(text: str, usual: Collection[str] = ("phq9",)) -> Understanding:
    sheets = read_export(text.encode(), file_name="x.csv", largest_bytes=100_000, recognise=VOCABULARY.recognised)
    return understand(sheets[0], VOCABULARY, registry.instruments(), usual=usual)


def headed(headers: Sequence[str], usual: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Instrument -> item -> header, of a file with these columns beside that of the patient."""
    cells = ["patient", *headers]
    plan = understood(",".join(cells) + "\n" + ",".join("1" for _ in cells) + "\n", usual)
    return {form.instrument: {i: plan.sheet.headers[at] for i, at in form.items.items()} for form in plan.forms}


def refusal(headers: Sequence[str], usual: Collection[str] = ()) -> ExportError:
    with pytest.raises(ExportError) as caught:
        headed(headers, usual)
    return caught.value


def numbered(prefix: str, n: int) -> list[str]:
    return [f"{prefix}_{number}" for number in range(1, n + 1)]


def test_sheet_with_its_header_and_the_row_of_its_first_form() -> None:
    text = "The clinic\nmade on a Monday\npatient," + ITEMS + "\n1,0,0,0,0,0,0,0,0,0\n"
    sheet = read_export(text.encode(), file_name="x.csv", largest_bytes=10_000, recognise=VOCABULARY.recognised)[0]
    assert (sheet.header_row, sheet.first_row, sheet.headers[:2]) == (3, 4, ("patient", "phq9_1"))


@pytest.mark.parametrize(("text", "rule"), [("\n\n", "file_empty"), ("patient,date\n\n", "file_header_only")])
def test_nothing_below_the_header(text: str, rule: str) -> None:
    with pytest.raises(ExportError) as caught:
        read_export(text.encode(), file_name="x.csv", largest_bytes=10_000)
    assert caught.value.rule == rule


def test_every_column_is_told_with_its_role() -> None:
    plan = understood("remarks,patient,phq9_date," + ITEMS + "\nx,1,2026-01-02,0,0,0,0,0,0,0,0,0\n")
    told = {column["column"]: (column["role"], column["instrument"], column["item"]) for column in plan.columns}
    assert told["remarks"] == ("not_taken_in", None, None)
    assert told["patient"] == ("patient", None, None)
    assert told["phq9_date"] == ("date", "phq9", None)
    assert told["phq9_9"] == ("item", "phq9", "phq9_09")
    assert plan.left_columns == [0]


@pytest.mark.parametrize(("cell", "role"), [("2026-01-02", "date"), ("1", "not_taken_in"), ("ja", "not_taken_in")])
def test_column_called_completed_is_a_date_when_it_holds_dates(cell: str, role: str) -> None:
    plan = understood(f"patient,completed,{ITEMS}\n1,{cell},0,0,0,0,0,0,0,0,0\n")
    assert plan.columns[1]["role"] == role


@pytest.mark.parametrize(
    ("header", "register"),
    [
        ("patient,geboortejaar,naam", "patients"),
        ("therapist_id,functie", "therapists"),
        ("episode_id,patient,started_on", "episodes"),
    ],
)
def test_registers(header: str, register: str) -> None:
    plan = understood(f"{header}\n1,2,3\n" if header.count(",") == 2 else f"{header}\n1,2\n")
    assert [part.register for part in plan.registers] == [register]
    assert not plan.forms


def test_sheet_in_which_nothing_is_recognised_takes_nothing() -> None:
    assert not understood("colour,size\nred,3\n").takes_something


# ---- every instrument of the consortium ----------------------------------------------------------------------------------

EVERY = registry.instruments().values()
PLAIN = [definition for definition in EVERY if not definition.order_must_be_stated]


@pytest.mark.parametrize("definition", PLAIN, ids=[definition.id for definition in PLAIN])
def test_a_file_of_any_instrument_under_any_of_its_names(definition: Instrument) -> None:
    """All its columns, called by name, sign and number in four ways, are that instrument and no other."""
    for prefix in (definition.id, *definition.prefixes):
        numbers = {item.number.isdigit() for item in definition.items} == {True}
        for write in ("{0}_{1}", "{0}{1}", "{0}-{2}", "{0} item {1}" if numbers else "{0} {1}"):
            headers = [
                write.format(prefix, i.number, i.number.zfill(2) if i.number.isdigit() else i.number)
                for i in definition.items
            ]
            found = headed(headers, usual=[definition.id])
            assert found == {definition.id: dict(zip(definition.item_ids, headers, strict=True))}, headers[:3]


WRONG = [(definition, n) for definition in EVERY for n in definition.wrong_counts]


@pytest.mark.parametrize(("definition", "n"), WRONG, ids=[f"{definition.id}-{n}" for definition, n in WRONG])
def test_a_wrong_number_of_columns_is_explained(definition: Instrument, n: int) -> None:
    error = refusal(numbered(definition.id, n), usual=[definition.id])
    assert error.rule == "item_count_wrong"
    assert definition.wrong_counts[n].strip() in error.detail


def test_the_counts_of_the_manual_are_among_them() -> None:
    """Appendix 1 of the manual prints 60 BSI, 20 BDI, 45 PAI-BOR, 45 RFQ and 120 DAPP-SF items."""
    explained = {(definition.id, n) for definition, n in WRONG}
    assert {("bsi", 60), ("bdi2", 20), ("paibor", 45), ("rfq54", 45), ("rfq8", 45), ("dappsf", 120)} <= explained
    assert {("sds", 20), ("sds", 5), ("iip64", 32), ("iip32", 64)} <= explained


@pytest.mark.parametrize(
    ("prefix", "n", "instrument"),
    [("iip", 64, "iip64"), ("iip", 32, "iip32"), ("rfq", 54, "rfq54"), ("rfq", 8, "rfq8"), ("bsi", 53, "bsi")],
)
@pytest.mark.parametrize("usual", [(), ("iip32", "rfq8", "bsi18"), ("iip64", "rfq54")])
def test_of_instruments_that_share_a_name_the_one_that_fits(
    prefix: str, n: int, instrument: str, usual: tuple[str, ...]
) -> None:
    assert list(headed(numbered(prefix, n), usual)) == [instrument]


def test_a_count_that_fits_no_instrument_of_that_name() -> None:
    error = refusal(numbered("rfq", 45), usual=["rfq8"])
    assert error.rule == "item_count_wrong"
    assert registry.instrument("rfq54").wrong_counts[45].strip() in error.detail
    assert registry.instrument("rfq54").wrong_counts[46].strip() in refusal(numbered("rfq", 46)).detail
    assert "neither IIP-32 nor IIP-64" in refusal(numbered("iip", 40)).detail
    assert "18 columns are a BSI-18" in refusal(numbered("bsi", 18)).detail


@pytest.mark.parametrize("sign", ["", "_", "-", " "])
def test_numbers_behind_a_name_that_ends_in_one(sign: str) -> None:
    for prefix in ("bdi", "bdi2"):
        headers = [f"{prefix}{sign}{n}" for n in range(1, 22)]
        assert list(headed(headers)["bdi2"].values()) == headers


def test_total_beside_items_of_another_edition_is_no_item() -> None:
    found = headed([*numbered("rfq8", 8), "rfq8", "rfq54"])
    assert list(found) == ["rfq8"]
    assert len(found["rfq8"]) == 8


def test_three_and_five_levels_are_never_told_apart() -> None:
    dimensions = [f"eq5d_{d}" for d in ("mo", "sc", "ua", "pd", "ad")]
    assert refusal(dimensions).rule == "edition_ambiguous"
    assert refusal(dimensions, usual=["eq5d3l", "eq5d5l"]).rule == "edition_ambiguous"
    assert list(headed(dimensions, usual=["eq5d5l"])) == ["eq5d5l"]
    assert list(headed([*dimensions, "eq5d3l_vas"], usual=["eq5d5l"])) == ["eq5d3l"]


def test_order_of_a_questionnaire_that_is_printed_in_several() -> None:
    error = refusal(numbered("ecrr", 36))
    assert error.rule == "order_undeclared"
    assert "'author_page' and 'alternating'" in error.detail


def test_columns_that_may_be_absent() -> None:
    assert headed(["sshi_suicidal_acts", "sshi_self_harm_acts"])["sshi"].keys() == {
        "sshi_suicidal_acts",
        "sshi_self_harm_acts",
    }
    assert len(headed([f"scid2 bpd {n}" for n in range(1, 10)])["scid2"]) == 9
    assert "scid2_bpd_9" in refusal([f"scid2 bpd {n}" for n in range(1, 9)]).detail
    counts = [i.number for i in registry.instrument("ticp").items if not i.number.endswith("_any")]
    assert len(headed([f"ticp_{number}" for number in counts])["ticp"]) == len(counts)


def test_scores_of_a_publisher_and_no_single_questions() -> None:
    assert list(headed(["mpq_nem", "mpq_pem"])["mpq"]) == ["mpq_nem", "mpq_pem"]
    assert "The MPQ needs at least: nem." in refusal(["mpq_pem"]).detail
    error = refusal(numbered("mpq", 276))
    assert error.rule == "raw_items_not_accepted"
    assert str(registry.instrument("mpq").needs).strip() in error.detail
    assert list(headed([*numbered("mpq", 276), "mpq_nem"])["mpq"]) == ["mpq_nem"]


def test_who_held_an_interview_and_whether_they_knew() -> None:
    plan = understood(
        "patient,interviewer,blind,sshi_blind,sshi_suicidal_acts," + ITEMS + "\n" + ",".join("1" * 14) + "\n"
    )
    forms = {form.instrument: form for form in plan.forms}
    assert forms["sshi"].interviewer == Source(1)
    assert forms["sshi"].is_blind == Source(3)
    # The PHQ-9 of the same file was filled in alone.
    assert (forms["phq9"].interviewer, forms["phq9"].is_blind) == (None, None)


def test_two_columns_that_may_name_the_interviewer_are_neither() -> None:
    plan = understood("patient,rater,interviewer,sshi_suicidal_acts\n1,a,b,0\n")
    assert plan.forms[0].interviewer is None
    assert [plan.columns[i]["role"] for i in (1, 2)] == ["not_taken_in"] * 2


# Moments beside each other ----------------------------------------------------------------------------------------------


def beside(*names: str) -> Understanding:
    return understood(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")


@pytest.mark.parametrize("pattern", ["{moment}_phq9_{n}", "phq9_{n}_{moment}", "phq9_{moment}_{n}"])
def test_moments_beside_each_other_are_forms_of_one_row(pattern: str) -> None:
    items = [pattern.format(moment=moment, n=n) for moment in ("T0", "T6") for n in range(1, 10)]
    plan = beside("patient", "T0_date", "T6_date", *items)
    assert [(form.block, form.moment, len(form.items)) for form in plan.forms] == [
        (0, Source(constant="t0"), 9),
        (1, Source(constant="t6"), 9),
    ]
    assert [form.date for form in plan.forms] == [Source(1), Source(2)]
    assert [plan.columns[i]["block"] for i in (3, 12)] == [0, 1]


def test_a_date_of_the_row_is_that_of_no_moment() -> None:
    items = [f"phq9_{n}_m{m}" for m in (0, 6) for n in range(1, 10)]
    plan = beside("patient", "date", "date_6", *items)
    assert [form.date for form in plan.forms] == [None, Source(2)]


@pytest.mark.parametrize(
    "items",
    [
        [f"phq9_{n}_m{m}" for m in (0, 6) for n in range(1, 10)][:-1],
        [f"phq9_{n}_m0" for n in range(1, 10)] + [f"phq_{n}_m6" for n in range(1, 10)],
        [f"phq9_{n}_m0" for n in range(1, 10)] + numbered("phq9", 9),
    ],
    ids=["one item is missing", "not called alike", "without a moment, too"],
)
def test_moments_that_are_not_alike_wait(items: list[str]) -> None:
    plan = beside("patient", *items)
    assert all(form.moment is None for form in plan.forms)


def test_moments_told_by_a_letter() -> None:
    names = ["patient", "data", *(f"oq{n}a" for n in range(1, 46)), "datb", *(f"oq{n}b" for n in range(1, 46))]
    plan = understood(
        ",".join(names) + "\n" + ",".join("2026-01-02" if n.startswith("dat") else "1" for n in names) + "\n"
    )
    assert [(form.block, form.date, len(form.items)) for form in plan.forms] == [
        (0, Source(1), 45),
        (1, Source(47), 45),
    ]


def test_moments_told_by_a_number_behind_that_of_the_item() -> None:
    names = [name for month in (0, 6) for name in (f"date_{month}", *(f"phq9_{n}_{month}" for n in range(1, 10)))]
    plan = beside("patient", *names)
    assert [(form.block, form.date, len(form.items)) for form in plan.forms] == [(0, Source(1), 9), (1, Source(11), 9)]
    assert beside("patient", *names[:10]).forms == ()


def test_dates_with_their_moment_in_brackets() -> None:
    names = [
        name
        for moment in ("Baseline", "6 months")
        for name in (f"Date of assessment ({moment})", *(f"PHQ-9 item {n} ({moment})" for n in range(1, 10)))
    ]
    assert [form.date for form in beside("Study ID", *names).forms] == [Source(1), Source(11)]


# Names of items ---------------------------------------------------------------------------------------------------------

LETTERS = "abcdefghi"
TOPICS = ["interest", "mood", "sleep", "energy", "appetite", "self-image", "concentration", "pace", "dark thoughts"]


@pytest.mark.parametrize(
    "headers",
    [
        [f"PHQ9{letter}" for letter in LETTERS],
        [f"phq9.answers.{n}" for n in range(9)],
        [f"phq9_{n}_value" for n in range(1, 10)],
        [f"PHQ_{n}_E1_C1" for n in range(1, 10)],
        [f"depressie_phq9_q{n}" for n in range(1, 10)],
        [f"q{n}_phq9" for n in range(1, 10)],
        [f"PHQ09_{n:02}" for n in range(1, 10)],
        [f"DPQ0{n}0" for n in range(1, 10)],
        [f"PHQ-9 [Question about {topic}]" for topic in TOPICS],
        [f"{n}. {topic} (PHQ-9)" for n, topic in enumerate(TOPICS, 1)],
        [f"PHQ-9: in the last 2 weeks [{n}. {topic}]" for n, topic in enumerate(TOPICS, 1)],
        [f"phq9_{n}_{tail}" for n, tail in enumerate(["een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"], 1)],
    ],
    ids=lambda headers: headers[0],
)  # fmt: skip
def test_items_by_other_spellings(headers: list[str]) -> None:
    assert headed(headers) == {"phq9": {f"phq9_{n:02}": header for n, header in enumerate(headers, 1)}}


@pytest.mark.parametrize(
    "headers",
    [
        [f"PHQ9{letter}" for letter in LETTERS[:-1]],
        [f"phq9_{n}_ms" for n in range(1, 10)],
        [f"phq9_{n}_recoded" for n in range(1, 10)],
        [f"{n}. {topic} (PHQ-9)" for n, topic in enumerate([*TOPICS[1:], TOPICS[0]], 1)],
        [f"partner_phq9_{n}" for n in range(1, 10)],
        [f"{n}_phq9" for n in range(1, 10)],
        [f"Question about {topic}" for topic in TOPICS],
    ],
    ids=lambda headers: headers[0],
)
def test_names_that_are_not_enough(headers: list[str]) -> None:
    assert headed(headers) == {}


def test_an_order_that_the_text_of_every_item_names() -> None:
    columns = [f"ECR-R (alternating order) - item {n}" for n in range(1, 37)]
    assert headed(columns)["ecrr"]["ecrr_19"] == columns[0]
    unsaid = [*columns[:-1], "ECR-R - item 36"]
    assert refusal(unsaid).rule == "order_undeclared"
    assert refusal([name.replace("alternating", "not alternating") for name in columns]).rule == "order_undeclared"


def test_the_number_of_items_behind_the_name_of_the_instrument() -> None:
    assert headed([f"bsi53_{n}" for n in range(1, 54)])["bsi"]["bsi_53"] == "bsi53_53"
    assert headed([f"bsi_{n}" for n in range(1, 54)])["bsi"]["bsi_53"] == "bsi_53"


def test_the_plain_name_goes_before_one_with_a_word_behind_it() -> None:
    plain = numbered("phq9", 9)
    assert headed([*plain, *(f"{name}_score" for name in plain)])["phq9"]["phq9_03"] == "phq9_3"


def test_items_without_a_name_beside_a_column_that_names_their_one_questionnaire() -> None:
    cells = ["patient", "Vragenlijst", *(f"Item{n}" for n in range(1, 46))]
    row = ",".join(["1", "OQ-45", *["1"] * 45])
    assert [form.instrument for form in understood(f"{','.join(cells)}\n{row}\n{row}\n").forms] == ["oq45"]
    mixed = ",".join(["1", "PHQ-9", *["1"] * 45])
    assert understood(f"{','.join(cells)}\n{row}\n{mixed}\n").forms == ()


@pytest.mark.parametrize(
    ("name", "n", "found"),
    [("PHQ-9", 9, ["phq9"]), ("BSI", 53, ["bsi"]), ("BSI", 52, []), ("Data", 53, []), (None, 53, [])],
)
def test_items_without_a_name_on_a_sheet_that_is_called_by_their_instrument(
    name: str | None, n: int, found: list[str]
) -> None:
    cells = ["Patientennr.", "Datum", *(f"Item {number}" for number in range(1, n + 1))]
    text = ",".join(cells) + "\n" + ",".join(["17", "2026-01-02", *["1"] * n]) + "\n"
    sheet = read_export(text.encode(), file_name="x.csv", largest_bytes=100_000, recognise=VOCABULARY.recognised)[0]
    plan = understand(replace(sheet, name=name), VOCABULARY, registry.instruments(), usual=())
    assert [form.instrument for form in plan.forms] == found


def test_the_date_that_says_of_what_goes_before_a_bare_one() -> None:
    plan = understood("patient,Datum,Invuldatum," + ITEMS + "\n1,2026-01-01,2026-01-02,0,0,0,0,0,0,0,0,0\n")
    assert plan.forms[0].date == Source(2)
