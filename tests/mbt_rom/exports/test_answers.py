"""Answer cells: codes, missing codes, codings, and contradictions that no single row shows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from mbt_rom.exports.answers import Answers, items_in_order, profile_cells, read_answers, refuse_other_edition
from mbt_rom.exports.codings import REVERSED_CORRELATION, item_rest_correlation
from mbt_rom.exports.errors import ExportError
from mbt_rom.registry import instrument, instruments

PHQ9 = instrument("phq9")
EQ5D = instrument("eq5d3l")


def phq9(rows: list[list[str]], **more: object) -> Answers:
    columns = {item: pd.Series(cells, dtype="str") for item, cells in zip(PHQ9.item_ids, zip(*rows, strict=True))}  # noqa: B905
    return read_answers(columns, PHQ9, **more)  # type: ignore[arg-type]


def one(text: str, **more: object) -> tuple[int | None, str | None, str | None]:
    read = read_answers({"phq9_01": pd.Series([text], dtype="str")}, PHQ9, **more)  # type: ignore[arg-type]
    answer, unreadable, large = read.codes["phq9_01"][0], read.unreadable[0], read.too_large[0]
    return (
        None if pd.isna(answer) else int(answer),
        None if pd.isna(unreadable) else unreadable,
        None if pd.isna(large) else large,
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [("3", 3), (" 3 ", 3), ("3.0", 3), ("3,0", 3), ("03", 3), ("7", 7), ("-1", -1), ("", None), ("NA", None)],
)
def test_codes(text: str, answer: int | None) -> None:
    assert one(text) == (answer, None, None)


@pytest.mark.parametrize("text", ["1,5", "1.5", "often", "=3", "+3", "3!", "3-", "١", "½"])
def test_no_codes(text: str) -> None:
    assert one(text) == (None, "phq9_01", None)


@pytest.mark.parametrize("text", ["128", "999", "-129", "99999999"])
def test_numbers_too_large_to_store(text: str) -> None:
    assert one(text) == (None, None, "phq9_01")


def test_declared_missing_codes_become_missing() -> None:
    assert one("9", missing=["7", "9"]) == (None, None, None)
    assert one("9.0", missing=["9"]) == (None, None, None)
    assert one("refused", missing=["refused"]) == (None, None, None)
    assert one("8", missing=["7", "9"]) == (8, None, None)


def test_missing_code_within_the_range_of_an_item_is_an_answer_there() -> None:
    cells = {"eq5d3l_mo": pd.Series(["9"]), "eq5d3l_vas": pd.Series(["9"])}
    read = read_answers(cells, EQ5D, missing=["9", "999"])
    assert pd.isna(read.codes["eq5d3l_mo"][0])
    assert read.codes["eq5d3l_vas"][0] == 9


def test_declared_coding_shifts_the_scale_and_not_the_thermometer() -> None:
    cells = {"eq5d3l_mo": pd.Series(["0", "2"]), "eq5d3l_vas": pd.Series(["0", "70"])}
    read = read_answers(cells, EQ5D, coding="zero_based")
    assert read.codes["eq5d3l_mo"].tolist() == [1, 3]
    assert read.codes["eq5d3l_vas"].tolist() == [0, 70]


def test_one_based_answers_are_shifted_when_declared() -> None:
    read = phq9([["1"] * 10, ["4"] * 10], coding="one_based")
    assert read.codes.iloc[0].tolist() == [0] * 10
    assert read.codes.iloc[1].tolist() == [3] * 10


def test_undeclared_one_based_answers_are_refused_with_the_remedy() -> None:
    with pytest.raises(ExportError) as caught:
        phq9([["1", "2", "3", "4", "1", "2", "3", "4", "1", "1"]] * 3)
    assert caught.value.rule == "coding_undeclared"
    assert "coding: one_based" in caught.value.detail


def test_one_zero_disproves_another_coding() -> None:
    rows = [["1", "2", "3", "4", "1", "2", "3", "4", "1", "1"]] * 3
    assert phq9([*rows, ["0"] * 10]).codes["phq9_04"].tolist() == [4, 4, 4, 0]


def test_a_single_slip_is_no_evidence_of_another_coding() -> None:
    assert phq9([["4", *["1"] * 9]]).codes["phq9_01"].tolist() == [4]


def test_labels_of_a_known_coding_are_translated() -> None:
    # LOINC answer list LL358-3: LA6568-5 is 0 ... LA6571-9 is 3
    assert phq9([["LA6568-5"] * 10, ["LA6571-9"] * 10]).codes["phq9_01"].tolist() == [0, 3]


def test_several_faults_of_one_row_are_named_in_order() -> None:
    read = phq9([["x", "1", "y", "300", "1", "1", "1", "1", "1", "1"]])
    assert read.unreadable.tolist() == ["phq9_01 phq9_03"]
    assert read.too_large.tolist() == ["phq9_04"]


def test_blank_means_no_answer_at_all() -> None:
    read = phq9([[""] * 10, ["9"] * 10, ["", "0", *[""] * 8], ["x", *[""] * 9]], missing=["9"])
    assert read.is_blank.tolist() == [True, True, False, False]


def test_answers_of_another_edition_are_refused() -> None:
    read = read_answers({"eq5d3l_mo": pd.Series(["1", "5", "2"])}, EQ5D)
    with pytest.raises(ExportError, match="answers run to 5: is this the 5L version") as caught:
        refuse_other_edition(read, EQ5D, instruments())
    assert caught.value.rule == "edition_contradicted"


def test_answers_outside_every_edition_are_left_to_validation() -> None:
    read = read_answers({"eq5d3l_mo": pd.Series(["1", "9", "2"])}, EQ5D)
    refuse_other_edition(read, EQ5D, instruments())
    assert read.codes["eq5d3l_mo"].tolist() == [1, 9, 2]


def test_unknown_coding() -> None:
    with pytest.raises(ExportError, match="has no coding 'upside_down'"):
        one("1", coding="upside_down")


# ---- codings of the consortium's instruments -----------------------------------------------------------------------------


def read(instrument_id: str, columns: dict[str, list[str]], **more: object) -> Answers:
    """`columns`: number of an item -> its cells."""
    definition = instrument(instrument_id)
    ids = {item.number: item.id for item in definition.items}
    cells = {ids[number]: pd.Series(texts, dtype="str") for number, texts in columns.items()}
    return read_answers(cells, definition, **more)  # type: ignore[arg-type]


def answers_of(got: Answers, item: str) -> list[int | None]:
    return [None if pd.isna(code) else int(code) for code in got.codes[item]]


def test_labels_of_two_languages_without_regard_to_case_and_spaces() -> None:
    got = read("phq9", {"1": ["Not at all", "NEARLY  every day", "Helemaal niet", " verscheidene dagen ", ""]})
    assert answers_of(got, "phq9_01") == [0, 3, 0, 1, None]
    assert got.unreadable.isna().all()


def test_number_beside_labels_may_count_from_0_or_from_1() -> None:
    got = read("phq9", {"1": ["not at all", "2"], "2": ["1", "2"]})
    assert answers_of(got, "phq9_01") == [0, None]
    assert answers_of(got, "phq9_02") == [1, 2]
    assert got.unreadable.fillna("").tolist() == ["", "phq9_01"]


def test_label_that_no_coding_of_the_item_has_is_unreadable() -> None:
    # item 10 of the PHQ-9 asks for difficulty: the labels of the other nine are none of its answers
    got = read("phq9", {"1": ["several days", "severl days"], "10": ["several days", "0"]})
    assert answers_of(got, "phq9_01") == [1, None]
    assert got.unreadable.tolist() == ["phq9_10", "phq9_01"]


def test_letters_of_two_items_beside_plain_numbers_of_the_others() -> None:
    got = read("bdi2", {"15": ["2", "3"], "16": ["1a", "3B"], "18": ["0", "2 a"]})
    assert answers_of(got, "bdi2_15") == [2, 3]
    assert answers_of(got, "bdi2_16") == [1, 3]
    assert answers_of(got, "bdi2_18") == [0, None]
    assert got.unreadable.fillna("").tolist() == ["", "bdi2_18"]


def test_letters_elsewhere_are_no_answers() -> None:
    assert read("bdi2", {"15": ["1a"]}).unreadable.tolist() == ["bdi2_15"]


def test_a_coding_of_some_items_leaves_the_others_as_they_are() -> None:
    got = read("bdi2", {"1": ["3"], "16": ["6"], "18": ["3"]}, coding="seven_options")
    assert [answers_of(got, f"bdi2_{n}") for n in ("01", "16", "18")] == [[3], [3], [2]]


def test_two_codings_each_about_its_own_items() -> None:
    got = read("bdi2", {"1": ["4"], "16": ["6"]}, coding=["one_based", "seven_options"])
    assert [answers_of(got, f"bdi2_{n}") for n in ("01", "16")] == [[3], [3]]
    with pytest.raises(ExportError, match="about the same items"):
        read("bdi2", {"1": ["4"]}, coding=["one_based", "canonical"])


def test_number_that_a_coding_of_numbers_does_not_have_is_no_answer() -> None:
    got = read("scid1", {"mood_disorder": ["3", "1", "0", "4", "?", "3.0"]}, coding="scid_rating")
    assert answers_of(got, "scid1_mood_disorder") == [1, 0, None, None, None, 1]
    assert got.unreadable.fillna("").tolist() == ["", "", "scid1_mood_disorder", "scid1_mood_disorder", "", ""]


def test_offset_of_named_items() -> None:
    got = read("scid2", {"bpd_1": ["0", "2"], "borderline_count": ["0", "2"]}, coding="scid5pd")
    assert answers_of(got, "scid2_bpd_1") == [1, 3]
    assert answers_of(got, "scid2_borderline_count") == [0, 2]


def test_reversed_items_are_turned_back() -> None:
    # OQ-45: 0 to 4; item 1 is stored turned round, item 2 is not; 7 is no answer and is left for validation to find
    got = read("oq45", {"1": ["0", "1", "4", "7", ""], "2": ["0", "1", "4", "7", ""]}, coding="pre_reversed")
    assert answers_of(got, "oq45_01") == [4, 3, 0, 7, None]
    assert answers_of(got, "oq45_02") == [0, 1, 4, 7, None]


def test_right_and_wrong_become_the_keyed_place_and_the_next() -> None:
    # keys of the published test: item 1 at place 1, item 3 at 3, item 9 at the last place, 4
    got = read("rmet", {"1": ["1", "0"], "3": ["1", "0"], "9": ["1", "0"]}, coding="scored")
    assert [answers_of(got, f"rmet_0{n}") for n in (1, 3, 9)] == [[1, 2], [3, 4], [4, 1]]


def test_a_place_is_neither_right_nor_wrong() -> None:
    got = read("rmet", {"1": ["2", "9", "", "1"]}, coding="scored", missing=["9"])
    assert answers_of(got, "rmet_01") == [None, None, None, 1]
    assert got.unreadable.fillna("").tolist() == ["rmet_01", "", "", ""]


def test_missing_codes_of_the_instrument_need_no_declaration() -> None:
    got = read("scid2", {"bpd_1": ["?", "3"]})
    assert answers_of(got, "scid2_bpd_1") == [None, 3]
    assert got.unreadable.isna().all()
    assert got.is_blank.tolist() == [True, False]


def test_counts_have_no_upper_limit_but_what_can_be_stored() -> None:
    got = read("sshi", {"suicidal_acts": ["0", "400", "32767", "32768", "-1", "1.5", ""]})
    assert answers_of(got, "sshi_suicidal_acts") == [0, 400, 32767, None, -1, None, None]
    assert got.too_large.fillna("").tolist() == ["", "", "", "sshi_suicidal_acts", "", "", ""]
    assert got.unreadable.fillna("").tolist() == ["", "", "", "", "", "sshi_suicidal_acts", ""]
    assert str(got.codes["sshi_suicidal_acts"].dtype) == "Int16"


def test_yes_and_no_before_a_count() -> None:
    got = read("ticp", {"gp": ["", "3"], "gp_any": ["Nee", "YES"]})
    assert answers_of(got, "ticp_gp_any") == [0, 1]
    assert answers_of(got, "ticp_gp") == [None, 3]


# ---- codings that must be declared ---------------------------------------------------------------------------------------


def refusal(instrument_id: str, columns: dict[str, list[str]]) -> str:
    with pytest.raises(ExportError) as caught:
        read(instrument_id, columns)
    assert caught.value.rule == "coding_undeclared"
    return caught.value.detail


def test_instrument_whose_coding_must_be_stated() -> None:
    said = refusal("sipp118", {"1": ["1", "4"]})
    assert "'coding: canonical' or 'coding: raw_agreement'" in said
    assert answers_of(read("sipp118", {"2": ["1", "4"]}, coding="canonical"), "sipp118_02") == [1, 4]
    assert answers_of(read("sipp118", {"2": ["1", "4"]}, coding="raw_agreement"), "sipp118_02") == [4, 1]


def test_right_and_wrong_undeclared() -> None:
    assert "coding: scored" in refusal("rmet", {str(n): ["1", "0"] for n in range(1, 37)})


def test_ratings_of_an_interview_undeclared() -> None:
    assert "coding: scid_rating" in refusal("scid1", {"mood_disorder": ["1", "3"]})
    # 1 is 'absent' as a rating and 'present' as a code: without a single 0 nobody can tell
    assert "coding: scid_rating" in refusal("scid1", {"mood_disorder": ["1", "1"]})
    assert answers_of(read("scid1", {"mood_disorder": ["1", "0"]}), "scid1_mood_disorder") == [1, 0]
    assert answers_of(read("scid1", {"mood_disorder": ["1"]}, coding="canonical"), "scid1_mood_disorder") == [1]


def test_seven_options_undeclared() -> None:
    assert "coding: seven_options" in refusal("bdi2", {"1": ["3"], "16": ["6"], "18": ["2"]})
    assert answers_of(read("bdi2", {"1": ["3"], "16": ["3"]}), "bdi2_16") == [3]


def test_one_stray_number_among_many_is_no_coding() -> None:
    # 1 of 400 answers to items 16 and 18
    got = read("bdi2", {"16": ["6", *["2"] * 199], "18": ["1"] * 200})
    assert answers_of(got, "bdi2_16")[0] == 6


# ---- items that may be stored turned round -------------------------------------------------------------------------------

OQ45 = instrument("oq45")
TURNED = next(coding.reversed_items for coding in OQ45.codings if coding.id == "pre_reversed")


def oq45(
    rng: np.random.Generator, *, n_forms: int, shares: float = 0.5, questioned: float = 0.4, yea_saying: float = 0.0
) -> dict[str, npt.NDArray[np.float64]]:
    """Invented honest forms, as ticked: one factor, of which each item holds that share; yea-saying raises every answer."""
    factor, yea = rng.normal(size=n_forms), yea_saying * rng.normal(size=n_forms)
    forms = {}
    for item in OQ45.item_ids:
        share = -questioned if item in TURNED else shares
        latent = share * factor + np.sqrt(1 - share**2) * rng.normal(size=n_forms) + yea
        forms[item] = np.clip(np.round(1.8 + 1.1 * latent), 0, 4)
    return forms


def turned(forms: dict[str, npt.NDArray[np.float64]]) -> dict[str, npt.NDArray[np.float64]]:
    return {item: 4 - answers if item in TURNED else answers for item, answers in forms.items()}


def share_refused(files: Iterable[dict[str, npt.NDArray[np.float64]]]) -> float:
    found = [item_rest_correlation(forms, OQ45, questioned=TURNED) < REVERSED_CORRELATION for forms in files]
    return sum(found) / len(found)


def test_honest_files_are_hardly_ever_refused() -> None:
    """The hard case: the fewest forms that are judged, weak items, and yea-saying of 0.3 SD."""
    rng = np.random.default_rng(20_261)
    hard = (oq45(rng, n_forms=30, questioned=0.3, yea_saying=0.3) for _ in range(1500))
    assert share_refused(hard) <= 0.003
    usual = (oq45(rng, n_forms=30) for _ in range(500))
    assert share_refused(usual) == 0


def test_files_stored_turned_round_are_nearly_always_found() -> None:
    rng = np.random.default_rng(20_262)
    assert share_refused(turned(oq45(rng, n_forms=30)) for _ in range(300)) >= 0.95
    assert share_refused(turned(oq45(rng, n_forms=100)) for _ in range(100)) >= 0.99


def as_cells(forms: dict[str, npt.NDArray[np.float64]]) -> dict[str, list[str]]:
    return {str(int(item[-2:])): [f"{answer:.0f}" for answer in answers] for item, answers in forms.items()}


def test_file_stored_turned_round_is_refused_until_its_coding_is_declared() -> None:
    honest = oq45(np.random.default_rng(3), n_forms=60)
    cells = as_cells(turned(honest))
    said = refusal("oq45", cells)
    assert "'coding: pre_reversed' or 'coding: canonical'" in said
    got = read("oq45", cells, coding="pre_reversed")
    for item, answers in honest.items():
        assert got.codes[item].tolist() == answers.astype(int).tolist()
    assert read("oq45", as_cells(honest)).codes["oq45_01"].tolist() == honest["oq45_01"].astype(int).tolist()


def test_few_forms_say_nothing() -> None:
    few = as_cells(turned(oq45(np.random.default_rng(3), n_forms=29)))
    assert len(read("oq45", few).codes) == 29


def test_forms_that_are_hardly_answered_or_ticked_in_one_line_say_nothing() -> None:
    forms = turned(oq45(np.random.default_rng(3), n_forms=29))
    hardly = {i: np.append(a, a[:5] if n % 2 else [np.nan] * 5) for n, (i, a) in enumerate(forms.items())}
    lines = {i: np.append(a, [0, 1, 2, 3, 4]) for i, a in forms.items()}
    for more in (hardly, lines):
        assert np.isnan(item_rest_correlation(more, OQ45, questioned=TURNED))
    lines_only = {i: np.tile(np.arange(5.0), 20) for i in OQ45.item_ids}
    assert np.isnan(item_rest_correlation(lines_only, OQ45, questioned=TURNED))


# ---- profiles, orders, counts ------------------------------------------------------------------------------------------


def test_profile_in_one_column() -> None:
    profile = pd.Series(["11232", "21111.0", "", "NA", "99999", "1123", "112322", "1a232", "11239"])
    definition = instrument("eq5d5l")
    got = read_answers(profile_cells(profile, definition, missing=["99999"]), definition, missing=["9"])
    assert got.codes.iloc[0].tolist() == [1, 1, 2, 3, 2, pd.NA]
    assert got.codes.iloc[1, :5].tolist() == [2, 1, 1, 1, 1]
    assert got.is_blank.tolist() == [False, False, True, True, True, False, False, False, False]
    assert got.codes.iloc[8, :5].tolist() == [1, 1, 2, 3, pd.NA]
    every = " ".join(f"eq5d5l_{d}" for d in ("mo", "sc", "ua", "pd", "ad"))
    assert got.unreadable.fillna("").tolist() == ["", "", "", "", "", every, every, every, ""]


def test_profile_of_another_edition_is_refused_as_single_answers_are() -> None:
    cells = profile_cells(pd.Series(["11252"]), EQ5D)
    with pytest.raises(ExportError, match="is this the 5L version"):
        refuse_other_edition(read_answers(cells, EQ5D), EQ5D, instruments())


def test_only_instruments_with_five_dimensions_have_profiles() -> None:
    with pytest.raises(ExportError, match="PHQ-9 has no profile"):
        profile_cells(pd.Series(["11232"]), PHQ9)


def test_orders() -> None:
    ecrr = instrument("ecrr")
    with pytest.raises(ExportError) as caught:
        items_in_order(ecrr)
    assert caught.value.rule == "order_undeclared"
    assert "'author_page' and 'alternating'" in caught.value.detail
    # odd places hold avoidance (canonical 19 to 36), even ones anxiety: the description of the form
    found = items_in_order(ecrr, "alternating")
    assert {int(found[str(place)][-2:]) > 18 for place in range(1, 37, 2)} == {True}
    assert {int(found[str(place)][-2:]) > 18 for place in range(2, 37, 2)} == {False}
    with pytest.raises(ExportError, match="PHQ-9 has no order 'odd'; it has only the usual one"):
        items_in_order(PHQ9, "odd")
