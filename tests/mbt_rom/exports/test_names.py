"""Headers: spellings of items and roles."""

from __future__ import annotations

import pytest

from mbt_rom import registry
from mbt_rom.exports.names import Vocabulary
from mbt_rom.model import Instrument

VOCABULARY = Vocabulary(registry.instruments())


def items_of(header: str) -> set[str | None]:
    return {m.item for m in VOCABULARY.meanings(header) if m.role == "item" and m.rank == 0}


def roles_of(header: str) -> set[str]:
    return {m.role for m in VOCABULARY.meanings(header)}


@pytest.mark.parametrize(
    ("header", "item"),
    [
        ("phq9_1", "phq9_01"),
        ("PHQ9-01", "phq9_01"),
        ("phq_9_1", "phq9_01"),
        ("PHQ-9 item 1", "phq9_01"),
        ("PHQ9.1", "phq9_01"),
        ("phq91", "phq9_01"),
        ("phq910", "phq9_10"),
        ("phq9 vraag 3", "phq9_03"),
        ("phq9[SQ001]", "phq9_01"),
        ("phq9[SQ002]. Some text [part]", "phq9_02"),
        ("BSI1", "bsi_01"),
        ("bsi_53", "bsi_53"),
        ("eq5d3l_mo", "eq5d3l_mo"),
        ("EQ-5D-3L mobility", "eq5d3l_mo"),
        ("EQ-5D-5L Pijn/klachten", "eq5d5l_pd"),
        ("eq5d5l VAS", "eq5d5l_vas"),
    ],
)
def test_items(header: str, item: str) -> None:
    assert items_of(header) == {item}


@pytest.mark.parametrize(
    "header", ["phq9_total", "bsi_gsi", "bsi25_3", "bsi_2019", "baseline_phq9_1", "eq5d", "", "age"]
)
def test_no_items(header: str) -> None:
    assert items_of(header) == set()


def test_number_that_the_instrument_does_not_have_is_recognised_as_such() -> None:
    assert [(m.instrument, m.item, m.number) for m in VOCABULARY.meanings("bsi_60")] == [("bsi", None, "60")]


@pytest.mark.parametrize(
    ("header", "item"),
    [
        ("SSHI suicidal acts", "sshi_suicidal_acts"),
        ("sshi-months-covered", "sshi_months_covered"),
        ("scid2_bpd_1", "scid2_bpd_1"),
        ("SCID-II bpd 05", "scid2_bpd_5"),
        ("scid2 bpd criterion 5", "scid2_bpd_5"),
        ("SCID2.BPD5", "scid2_bpd_5"),
        ("scid_i mood disorder", "scid1_mood_disorder"),
        ("ticp_gp", "ticp_gp"),
        ("TiC-P GP any", "ticp_gp_any"),
        ("tic_p psychiatric-days", "ticp_psychiatric_days"),
        ("MPQ NEM", "mpq_nem"),
        ("MMPI-2-RF rc1", "mmpi2rf_rc1"),
        ("mmpi_2_rf RC 1", "mmpi2rf_rc1"),
        ("mbt-acs adherence 1", "mbtacs_adherence_01"),
        ("mbtacs_competence_017", "mbtacs_competence_17"),
        ("ECR-R 36", "ecrr_36"),
        ("ecr_r_1", "ecrr_01"),
        ("OQ-45.2 item 3", "oq45_03"),
        ("oq45_21", "oq45_21"),
        ("oq4521", "oq45_21"),
        ("PAI-BOR vraag 24", "paibor_24"),
        ("BDI-II 7", "bdi2_07"),
        ("Sheehan 2", "sds_02"),
        ("DAPP_SF_136", "dappsf_136"),
        ("bdi_20", "bdi2_20"),
    ],
)
def test_items_of_the_consortiums_instruments(header: str, item: str) -> None:
    assert items_of(header) == {item}


def test_a_tag_of_two_items_names_neither() -> None:
    # each intervention of the MBT-ACS is rated for adherence and for competence
    assert items_of("mbtacs engagement and warmth") == set()


@pytest.mark.parametrize(
    "header",
    [
        "sr",
        "sc_1",
        "sds_date",
        "team_date",
        "scid_3",
        "mpq_total",
        "ticp_costs",
        "sshi",
        "oq",
        "bsi_18_total",
        "ecr_rs_1",
    ],
)
def test_no_items_by_accident(header: str) -> None:
    assert items_of(header) == set()


def test_single_questions_of_a_test_that_its_publisher_scores_are_no_items() -> None:
    assert [(m.instrument, m.item, m.number) for m in VOCABULARY.meanings("mpq_276")] == [("mpq", None, "276")]


def test_digits_that_run_on_are_left_to_the_rest_of_the_file() -> None:
    found = VOCABULARY.meanings("bdi21")
    assert {(m.item, m.prefix, m.rank) for m in found} == {("bdi2_01", "bdi2", 1), ("bdi2_21", "bdi", 1)}


@pytest.mark.parametrize("definition", registry.instruments().values(), ids=registry.instruments())
def test_every_name_and_item_of_every_instrument(definition: Instrument) -> None:
    """However it is written, an item is found; where a header may mean two, the file decides."""
    for prefix in (definition.id, *definition.prefixes):
        for item in definition.items:
            padded = item.number.zfill(3) if item.number.isdigit() else item.number
            for header in (f"{prefix}_{item.number}", f"{prefix} {item.number}".upper(), f"{prefix}-{padded}"):
                found = {m.item for m in VOCABULARY.meanings(header) if m.role == "item"}
                assert item.id in found, header
                others = {m.instrument for m in VOCABULARY.meanings(header) if m.instrument != definition.id}
                assert all(prefix in registry.instrument(str(other)).prefixes for other in others), header


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("Interviewer", "interviewer"),
        ("beoordelaar", "interviewer"),
        ("rater", "interviewer"),
        ("blind", "is_blind"),
        ("Geblindeerd", "is_blind"),
        ("Ingevuld door", "respondent"),
        ("hulp bij invullen", "assisted"),
        ("assisted", "assisted"),
        ("scid2_interviewer", "interviewer"),
        ("SSHI blind", "is_blind"),
        ("sshi_date", "date"),
    ],
)
def test_roles_of_an_interview(header: str, role: str) -> None:
    assert roles_of(header) == {role}


def test_header_without_edition_means_both_editions() -> None:
    assert items_of("EQ5D_MO") == {"eq5d3l_mo", "eq5d5l_mo"}


@pytest.mark.parametrize(
    ("header", "role"),
    [
        ("Patiëntnummer", "patient"),
        ("patient_id", "patient"),
        ("Record ID", "patient"),
        ("Datum invulling", "date"),
        ("submitdate. Date submitted", "submitted_at"),
        ("Meetmoment", "moment"),
        ("redcap_event_name", "moment"),
        ("id. Response ID", "response_id"),
        ("ResponseId", "response_id"),
        ("startlanguage. Start language", "language"),
        ("Geslacht", "sex"),
        ("Geboortejaar", "birth_year"),
        ("phq9_complete", "complete"),
    ],
)
def test_roles(header: str, role: str) -> None:
    assert role in roles_of(header)


def test_names_of_people_have_no_role() -> None:
    for header in ("name", "naam", "first_name", "last_name", "achternaam", "email", "telephone"):
        assert roles_of(header) == set()


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("PHQ-9, item 3: a question about sleep", "phq9_03"),
        ("PHQ-9: 3. A question about sleep", "phq9_03"),
        ("PHQ-9 [3. A question about sleep]", "phq9_03"),
        ("A question about sleep (PHQ-9 item 3)", "phq9_03"),
        ("BSI: how much were you bothered by item 12", "bsi_12"),
        ("OQ-45.2 - 3. A question", "oq45_03"),
        ("PHQ-4: 3. A question", None),
        ("PHQ-4: a question about sleep", None),
        ("PHQ-9 [A question about sleep]", "phq9_03"),
        ("phq9[1]Time", None),
        ("GAD-7 [item 3]", None),
        ("In the last 2 weeks, item 3", None),
    ],
)
def test_items_that_a_question_text_names(text: str, item: str | None) -> None:
    found = Vocabulary(registry.instruments()).named_in(text)
    assert [meaning.item for meaning in found] == ([item] if item else [])


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("PHQ-9 totaalscore", "total"),
        ("som_phq9", "total"),
        ("BSI som", "som"),
        ("bsi_gsi", "gsi"),
        ("PAI_BOR_AI", "affective_instability"),
        ("ecr_r_avoidance_mean", "avoidance"),
    ],
)
def test_stored_scores_are_told_with_their_scale(header: str, scale: str) -> None:
    meanings = Vocabulary(registry.instruments()).meanings(header)
    assert {(meaning.role, meaning.scale) for meaning in meanings} == {("total", scale)}
