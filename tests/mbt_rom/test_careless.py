"""Careless answering: what is flagged, what an honest person may answer, and how often honest forms are flagged."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mbt_rom.careless import ALL_EQUAL, ONE_LONG_STRING, REPEAT_A_PATTERN, RULES, careless, reading
from mbt_rom.model import Instrument
from mbt_rom.registry import instrument
from mbt_rom.scoring import BLOCK, MISSING

Answers = dict[str, NDArray[np.int8]]
BSI = instrument("bsi")


def questionnaire(
    n_items: int,
    *,
    low: int = 0,
    top: int = 4,
    scales: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
    kind: str = "self_report",
) -> Instrument:
    """A questionnaire whose scales are given as (numbers of their items, numbers of the reversed ones)."""
    names = {n: f"q_{n:03d}" for n in range(1, n_items + 1)}
    return Instrument.model_validate(
        {
            "id": "q",
            "name": "Q",
            "full_name": "Q",
            "edition": "1",
            "kind": kind,
            "measures": "nothing",
            "items": [{"id": name, "number": str(n), "min": low, "max": top} for n, name in names.items()],
            "codings": [],
            "scales": [
                {
                    "id": f"s{i}",
                    "label": "S",
                    "items": [names[n] for n in members],
                    "reverse": [names[n] for n in reverse],
                    "method": "sum",
                    "range": [0, 10_000],
                    "direction": "lower_is_better",
                    "is_primary": i == 0,
                    "confidence": "verified",
                }
                for i, (members, reverse) in enumerate(scales or [(range(1, n_items + 1), ())])
            ],
            "licence": {"status": "free"},
        }
    )


#: Numbers of reversed items as in a list of 45 with nine, and in two scales of attachment that take turns.
ONE_WAY = questionnaire(53)
BOTH_WAYS = questionnaire(45, scales=[(range(1, 46), (1, 12, 13, 20, 21, 24, 31, 37, 43))])
TURNS = questionnaire(
    36, low=1, top=7, scales=[(range(2, 37, 2), (22, 30)), (range(1, 37, 2), (3, 15, 19, 25, 27, 29, 31, 33, 35))]
)


def flags(definition: Instrument, *rows: Sequence[int | None]) -> dict[str, list[bool]]:
    columns = zip(*rows, strict=True)
    answers = {
        item: np.array([MISSING if answer is None else answer for answer in column], dtype=np.int8)
        for item, column in zip(definition.item_ids, columns, strict=True)
    }
    return {rule: found.tolist() for rule, found in careless(definition, answers).items()}


def repeated(pattern: Sequence[int], n: int) -> list[int]:
    return [pattern[i % len(pattern)] for i in range(n)]


def varied(n: int) -> list[int]:
    """Answers without a long string or a pattern."""
    return np.random.default_rng(8).integers(0, 5, n).tolist()


class TestAllEqual:
    def test_a_middle_answer_throughout_is_flagged_and_the_ends_are_not(self) -> None:
        """All zeros on a list of symptoms is a good day, all fours a terrible one."""
        assert flags(ONE_WAY, *([answer] * 53 for answer in range(5)))[ALL_EQUAL] == [False, True, True, True, False]

    def test_where_items_are_keyed_both_ways_every_answer_is(self) -> None:
        assert flags(BOTH_WAYS, *([answer] * 45 for answer in range(5)))[ALL_EQUAL] == [True] * 5

    def test_one_other_answer_is_enough_not_to_be_flagged(self) -> None:
        assert flags(BOTH_WAYS, [*[2] * 44, 3], [3, *[2] * 44])[ALL_EQUAL] == [False, False]

    def test_missing_answers_are_passed_over_as_long_as_eighteen_are_there(self) -> None:
        eighteen = [None, *[2] * 9, *[None] * 27, *[2] * 9, *[None] * 7]
        seventeen = [*eighteen[:-8], None, *eighteen[-7:]]
        assert flags(ONE_WAY, eighteen, seventeen, [None] * 53)[ALL_EQUAL] == [True, False, False]

    def test_one_reversed_item_alone_contradicts_nothing(self) -> None:
        definition = questionnaire(30, scales=[(range(1, 31), (7,))])
        assert flags(definition, [0] * 30, [2] * 30)[ALL_EQUAL] == [False, True]


class TestOneLongString:
    def string(self, length: int, answer: int, *, of: int, start: int = 5) -> list[int]:
        row = varied(of)
        row[start : start + length] = [answer] * length
        row[start - 1] = row[start + length] = (answer + 1) % 5
        return row

    def test_half_of_the_items_is_long(self) -> None:
        assert reading(ONE_WAY).longest_string == 27
        rows = [
            self.string(26, 2, of=53),
            self.string(27, 2, of=53),
            self.string(27, 0, of=53),
            self.string(40, 4, of=53),
        ]
        assert flags(ONE_WAY, *rows)[ONE_LONG_STRING] == [False, True, False, False]

    def test_where_items_are_keyed_both_ways_every_answer_counts(self) -> None:
        assert reading(BOTH_WAYS).longest_string == 23
        rows = [self.string(length, answer, of=45) for length, answer in ((22, 0), (23, 0), (23, 4), (23, 2))]
        assert flags(BOTH_WAYS, *rows)[ONE_LONG_STRING] == [False, True, True, True]

    def test_a_stretch_that_does_not_contradict_itself_is_no_string(self) -> None:
        """Items 1 to 30 point one way and 31 to 40 the other, so 30 equal answers may be true."""
        definition = questionnaire(40, scales=[(range(1, 41), range(31, 41))])
        assert reading(definition).longest_string == 31
        rows = [[*[4] * 30, *[0] * 10], [*[4] * 31, *[0] * 9], [*varied(9), *[4] * 31]]
        assert flags(definition, *rows)[ONE_LONG_STRING] == [False, True, True]

    def test_missing_answers_do_not_end_a_string_nor_lengthen_it(self) -> None:
        row: list[int | None] = [*self.string(27, 2, of=53)]
        with_gap = row.copy()
        with_gap[12] = None
        longer: list[int | None] = [*self.string(28, 2, of=53)]
        longer[12] = None
        assert flags(ONE_WAY, row, with_gap, longer)[ONE_LONG_STRING] == [True, False, True]

    def test_a_form_that_is_all_equal_is_not_flagged_twice(self) -> None:
        found = flags(ONE_WAY, [2] * 53, [*[2] * 52, 3])
        assert found[ALL_EQUAL] == [True, False]
        assert found[ONE_LONG_STRING] == [False, True]


class TestRepeatAPattern:
    @pytest.mark.parametrize("pattern", [(0, 1), (1, 2, 3), (0, 1, 2, 3), (0, 1, 2, 3, 4), (4, 4, 4, 4, 0)])
    def test_a_pattern_of_two_to_five_answers_is_found_anywhere(self, pattern: Sequence[int]) -> None:
        rows = [
            repeated(pattern, 53),
            [*varied(17), *repeated(pattern, 20), *varied(16)],
            [*varied(17), *repeated(pattern, 14), *varied(22)],
        ]
        assert flags(ONE_WAY, *rows)[REPEAT_A_PATTERN] == [True, True, False]

    def test_twenty_answers_are_enough_and_nineteen_are_not(self) -> None:
        lead, tail = [4, 4, 2], [3, 3, 1, 0, 4]
        twenty, nineteen = ([*lead, *repeated((0, 1), n), *tail, *varied(45 - n)] for n in (20, 19))
        assert flags(ONE_WAY, twenty, nineteen)[REPEAT_A_PATTERN] == [True, False]

    def test_the_same_answer_throughout_and_a_sequence_of_six_are_none(self) -> None:
        assert flags(ONE_WAY, [2] * 53, repeated((0, 1, 2, 3, 4, 3), 53))[REPEAT_A_PATTERN] == [False, False]

    def test_a_missing_answer_ends_a_pattern(self) -> None:
        row: list[int | None] = [*repeated((0, 1), 38), *varied(15)]
        row[19] = None
        assert flags(ONE_WAY, row, [None] * 53)[REPEAT_A_PATTERN] == [False, False]

    def test_scales_that_take_turns_explain_answers_that_do(self) -> None:
        """Of a person with little of one thing and much of the other, 4 to 14 of the key alternate: 11 items, and ten more."""
        assert reading(TURNS).longest_pattern[2] == 21
        assert reading(TURNS).longest_pattern[3] == 20
        rows = [[*varied_in(1, 7, 10), *repeated((1, 7), n), *varied_in(1, 7, 26 - n)] for n in (20, 21)]
        assert flags(TURNS, *rows)[REPEAT_A_PATTERN] == [False, True]

    def test_where_the_key_takes_turns_throughout_two_by_two_says_nothing(self) -> None:
        definition = questionnaire(36, scales=[(range(1, 37, 2), ()), (range(2, 37, 2), ())])
        assert sorted(reading(definition).longest_pattern) == [3, 5]
        assert flags(definition, repeated((0, 4), 36), repeated((0, 4, 2), 36))[REPEAT_A_PATTERN] == [False, True]


def varied_in(low: int, high: int, n: int) -> list[int]:
    return np.random.default_rng(4).integers(low, high + 1, n).tolist()


class TestWhereRulesApply:
    def test_short_forms_have_none(self) -> None:
        for name in ("phq9", "eq5d5l", "eq5d3l"):
            read = reading(instrument(name))
            assert read.rules == ()
            assert set(read.reasons) == set(RULES)
        assert careless(questionnaire(9), {f"q_{n:03d}": np.array([2], np.int8) for n in range(1, 10)}) == {}

    def test_forms_of_middle_length_have_the_first(self) -> None:
        assert reading(questionnaire(18)).rules == (ALL_EQUAL,)
        assert reading(questionnaire(17)).rules == ()
        assert reading(questionnaire(20)).rules == (ALL_EQUAL, REPEAT_A_PATTERN)
        assert reading(questionnaire(21)).rules == RULES

    def test_forms_about_others_have_none(self) -> None:
        for kind in ("interview", "observer_rated", "checklist", "cost_inventory"):
            assert reading(questionnaire(53, kind=kind)).rules == ()

    def test_of_two_answers_either_may_be_true_throughout(self) -> None:
        definition = questionnaire(40, top=1)
        assert reading(definition).rules == (REPEAT_A_PATTERN,)
        both = questionnaire(40, top=1, scales=[(range(1, 41), (2, 9, 30))])
        assert reading(both).rules == RULES

    def test_where_answers_are_right_or_wrong_no_answer_can_be_right_throughout(self) -> None:
        definition = questionnaire(36, low=1, top=4, kind="performance")
        assert flags(definition, *([answer] * 36 for answer in (1, 2, 3, 4)))[ALL_EQUAL] == [True] * 4

    def test_only_scored_items_of_the_usual_range_are_read(self) -> None:
        plain = ONE_WAY.model_dump()
        plain["items"] += ({"id": "q_note", "number": "54", "min": 0, "max": 4, "is_scored": False},)
        plain["items"] += ({"id": "q_vas", "number": "55", "min": 0, "max": 100},)
        assert reading(Instrument.model_validate(plain)).items == ONE_WAY.item_ids

    def test_a_form_without_items_has_none(self) -> None:
        plain = {**ONE_WAY.model_dump(), "items": ()}
        plain["scales"] = [{**plain["scales"][0], "items": ()}]
        assert reading(Instrument.model_validate(plain)).rules == ()

    def test_long_forms_need_longer_patterns(self) -> None:
        assert set(reading(questionnaire(136)).longest_pattern.values()) == {28}

    def test_an_item_that_is_absent_is_named(self) -> None:
        with pytest.raises(KeyError, match="bsi_53"):
            careless(BSI, {item: np.zeros(1, np.int8) for item in BSI.item_ids[:-1]})


# --- against a plain reading, form by form ----------------------------------------------------------------------------------


def plain_flags(definition: Instrument, row: list[int | None]) -> dict[str, bool]:
    """The rules once more for a single form, in the way in which one would do it by hand."""
    read = reading(definition)
    answered = [answer for answer in row if answer is not None]
    strings = [(answer, len(list(group))) for answer, group in groupby(answered)]
    equal = len(strings) == 1 and len(answered) >= read.least_equal and answered[0] not in read.plausible
    string = len(strings) > 1 and any(n >= read.longest_string for a, n in strings if a not in read.plausible)
    pattern = any(
        None not in part and len(set(part)) > 1 and all(part[i] == part[i - period] for i in range(period, length))
        for period, length in read.longest_pattern.items()
        for part in (row[start : start + length] for start in range(len(row) - length + 1))
    )
    return {ALL_EQUAL: equal, ONE_LONG_STRING: string, REPEAT_A_PATTERN: pattern}


@st.composite
def suspicious_rows(draw: st.DrawFn, definition: Instrument) -> list[int | None]:
    """Forms made of stretches: equal answers, patterns, chance, gaps."""
    low, high, n = definition.items[0].min, definition.items[0].max, len(definition.items)
    row: list[int | None] = []
    while len(row) < n:
        pattern = draw(st.lists(st.integers(low, high), min_size=1, max_size=6))
        row += [pattern[i % len(pattern)] for i in range(draw(st.integers(1, n)))]
    row = row[:n]
    for gap in draw(st.lists(st.integers(0, n - 1), max_size=3)):
        row[gap] = None
    return row


@pytest.mark.parametrize("definition", [ONE_WAY, BOTH_WAYS, TURNS], ids=["one way", "both ways", "turns"])
@given(data=st.data())
def test_flags_are_those_of_a_plain_reading(definition: Instrument, data: st.DataObject) -> None:
    rows = data.draw(st.lists(suspicious_rows(definition), min_size=1, max_size=5))
    found = flags(definition, *rows)
    for i, row in enumerate(rows):
        assert {rule: values[i] for rule, values in found.items()} == plain_flags(definition, row)


# --- honest people ------------------------------------------------------------------------------------------------------------

#: Mean and SD of severity: patients at intake, after treatment, people without the problem, and the most severely ill.
POPULATIONS = {"patients": (0.3, 1.0), "recovering": (-1.2, 0.8), "well": (-2.0, 0.5), "severe": (1.5, 1.0)}
#: At most one honest form in a thousand, for each rule.
MOST = 1e-3


def honest(definition: Instrument, n: int, *, severity: tuple[float, float], slope: float) -> Answers:
    """Graded answers to one severity and one deviation per scale; questions differ in how easily they are agreed to.

    The slope of 3 is that of questions which ask nearly the same thing over and over: the hardest case for these rules.
    """
    random = np.random.default_rng(12)
    general = random.normal(*severity, n)
    deviation = {scale.id: random.normal(0, 0.7, n) for scale in definition.scales}
    answers = {}
    for item in definition.items:
        scale = [scale for scale in definition.scales if item.id in scale.items][-1]
        trait = general + (deviation[scale.id] if len(definition.scales) > 1 else 0)
        strength = trait - random.normal(0, 0.5) + random.logistic(size=n) / slope
        answer = np.searchsorted(np.linspace(-1.2, 1.8, item.max - item.min), strength)
        reversed_answer = item.max - answer if item.id in scale.reverse else item.min + answer
        answers[item.id] = reversed_answer.astype(np.int8)
    return answers


FORMS: dict[str, Instrument] = {
    "bsi": BSI,
    "18 items of 0 to 3": questionnaire(18, top=3),
    "21 items of 0 to 3": questionnaire(21, top=3),
    "136 items of 1 to 5": questionnaire(136, low=1, top=5),
    "both ways": BOTH_WAYS,
    "turns": TURNS,
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("slope", [1.7, 3.0])
def test_honest_forms_are_hardly_ever_flagged(name: str, population: str, slope: float) -> None:
    answers = honest(FORMS[name], 20_000, severity=POPULATIONS[population], slope=slope)
    found = careless(FORMS[name], answers)
    assert found
    assert {rule: float(values.mean()) for rule, values in found.items() if values.mean() > MOST} == {}


def test_the_simulated_people_are_like_patients() -> None:
    """Their zeros and their floors are as common as in real forms, or the test above would prove nothing."""
    patients = np.stack(list(honest(BSI, 5_000, severity=POPULATIONS["patients"], slope=1.7).values()))
    well = np.stack(list(honest(BSI, 5_000, severity=POPULATIONS["well"], slope=3.0).values()))
    assert 1.0 < patients.mean() < 2.5
    assert (well == 0).mean() > 0.7
    assert (well == 0).all(axis=0).mean() > 0.05


def test_careless_forms_among_honest_ones_are_found() -> None:
    answers = honest(BSI, 5_000, severity=POPULATIONS["patients"], slope=1.7)
    random = np.random.default_rng(2)
    constant = random.integers(1, 4, 100)
    start = random.integers(0, 5, 100)
    for i, item in enumerate(BSI.item_ids):
        answers[item][:100] = constant
        answers[item][100:200] = (start + i) % 5
        if i < 40:
            answers[item][200:300] = constant
    found = careless(BSI, answers)
    assert found[ALL_EQUAL][:100].all()
    assert found[REPEAT_A_PATTERN][100:200].all()
    assert (found[ONE_LONG_STRING] | found[ALL_EQUAL])[200:300].all()
    assert not np.any([values[300:].mean() > MOST for values in found.values()])


def test_blocks_are_joined_without_a_seam() -> None:
    rows = np.tile(np.array([[2] * 53, varied(53), repeated((1, 2), 53)], dtype=np.int8), (BLOCK, 1))[: BLOCK + 5]
    found = careless(BSI, dict(zip(BSI.item_ids, rows.T, strict=True)))
    assert (found[ALL_EQUAL] == (np.arange(len(rows)) % 3 == 0)).all()
    assert (found[REPEAT_A_PATTERN] == (np.arange(len(rows)) % 3 == 2)).all()


@pytest.mark.long
def test_a_million_forms_take_seconds() -> None:
    random = np.random.default_rng(1)
    answers: dict[str, Any] = {item: random.integers(0, 5, 1_000_000, dtype=np.int8) for item in BSI.item_ids}
    start = time.perf_counter()
    careless(BSI, answers)
    assert time.perf_counter() - start < 10
