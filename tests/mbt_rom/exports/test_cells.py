"""One answer cell under each coding that a definition states; expected answers are written out from what the coding says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mbt_rom.exports.cells import ANSWER, MISSING, TOO_LARGE, UNREADABLE, cell_reader
from mbt_rom.exports.codings import declared_codings
from mbt_rom.registry import instrument, instruments


def cell(
    instrument_id: str, number: str, text: str, coding: str | None = None, *, missing: tuple[str, ...] = ()
) -> tuple[int, int]:
    definition = instrument(instrument_id)
    item = next(item for item in definition.items if item.number == number)
    declared = () if coding is None else declared_codings(definition, coding)
    return cell_reader(definition, item, declared, missing).cell(text)


@pytest.mark.parametrize(
    ("instrument_id", "number", "coding", "text", "answer"),
    [
        ("phq9", "1", None, "3,0", 3),
        ("phq9", "1", "one_based", "4", 3),
        ("phq9", "1", "loinc_answers", "LA6571-9", 3),
        ("phq9", "1", "labels_en", "  More than  HALF the days", 2),
        ("phq9", "9", "labels_nl", "Bijna elke dag", 3),
        ("eq5d3l", "mo", "zero_based", "2", 3),
        ("eq5d3l", "vas", "zero_based", "70", 70),
        ("bdi2", "16", "lettered", "2b", 2),
        ("bdi2", "18", "seven_options", "5", 3),
        ("bdi2", "1", "seven_options", "3", 3),
        ("bdi2", "1", "lettered", "3", 3),
        # Raw "almost always" (4) of item 1, which is turned round, is stored as 0.
        ("oq45", "1", "pre_reversed", "0", 4),
        ("oq45", "2", "pre_reversed", "0", 0),
        ("sipp118", "2", "raw_agreement", "4", 1),
        ("sipp118", "1", "raw_agreement", "4", 4),
        # Baron-Cohen et al. (2001): the right word of picture 1 stands first, of picture 36 third.
        ("rmet", "1", "scored", "1", 1),
        ("rmet", "1", "scored", "0", 2),
        ("rmet", "36", "scored", "0", 4),
        # The right word of picture 9 stands fourth; the next place after the last is the first.
        ("rmet", "9", "scored", "0", 1),
        ("scid1", "mood_disorder", "scid_rating", "3", 1),
        ("scid1", "mood_disorder", "scid_rating", "2.0", 0),
        ("scid2", "bpd_1", "scid5pd", "2", 3),
        ("scid2", "avoidant_present", "scid5pd", "1", 1),
        ("clinical_process", "1", "yes_no", "Ja", 1),
        ("ticp", "gp_any", "yes_no", "nee", 0),
        ("ticp", "gp", "yes_no", "12", 12),
        ("sshi", "suicidal_acts", None, "1001", 1001),
    ],
)
def test_answer(instrument_id: str, number: str, coding: str | None, text: str, answer: int) -> None:
    assert cell(instrument_id, number, text, coding) == (answer, ANSWER)


@pytest.mark.parametrize(
    ("instrument_id", "number", "coding", "text", "what"),
    [
        ("phq9", "1", None, "1.5", UNREADABLE),
        # 0 is no rating of the SCID-I, and must not pass for "absent".
        ("scid1", "mood_disorder", "scid_rating", "0", UNREADABLE),
        ("rmet", "1", "scored", "2", UNREADABLE),
        # 1,000 and 1.000 are one or a thousand, depending on the country.
        ("sshi", "self_harm_acts", None, "1.000", UNREADABLE),
        ("sshi", "self_harm_acts", None, "1,000", UNREADABLE),
        ("sshi", "self_harm_acts", None, "1000000", TOO_LARGE),
        ("phq9", "1", None, " ", MISSING),
        ("scid1", "mood_disorder", "scid_rating", "?", MISSING),
        ("clinical_process", "1", None, "NA", MISSING),
    ],
)
def test_no_answer(instrument_id: str, number: str, coding: str | None, text: str, what: int) -> None:
    assert cell(instrument_id, number, text, coding) == (0, what)


@pytest.mark.parametrize(("coding", "text", "code"), [(None, "4", 4), ("one_based", "0", -1), ("one_based", "5", 4)])
def test_a_number_outside_the_range_is_kept_for_those_who_judge_it(coding: str | None, text: str, code: int) -> None:
    assert cell("phq9", "1", text, coding) == (code, ANSWER)
    assert not instrument("phq9").items[0].allows(code)


def test_a_missing_code_is_judged_in_the_coding_of_the_file() -> None:
    """Counted from 1, a 4 is an answer; counted from 0 it can be a code for no answer."""
    assert cell("phq9", "1", "4", missing=("4",))[1] == MISSING
    assert cell("phq9", "1", "4.0", "one_based", missing=("4",)) == (3, ANSWER)


@pytest.mark.parametrize("instrument_id", list(instruments()))
def test_every_answer_can_be_written_in_every_coding(instrument_id: str) -> None:
    """From the other side: each coding reaches every canonical answer of each item, but right and wrong (`is_scored`) do not."""
    definition = instrument(instrument_id)
    for coding in (c for c in definition.codings if not c.is_scored):
        texts = [*(coding.map or {}), *map(str, range(-1, 130))]
        for item in definition.items:
            read = [cell_reader(definition, item, [coding]).cell(text) for text in texts]
            reached = {code for code, what in read if what == ANSWER}
            wanted = set(range(item.min, min(item.largest, 100) + 1))
            assert reached >= wanted, f"{coding.id}, {item.id}"


def test_it_does_without_pandas(project_root: Path) -> None:
    program = "import sys, mbt_rom.exports.cells; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=project_root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
