"""A second opinion on the scores of every instrument: answers, what they come to, and no line of the code under test.

`python tests/instruments/second_opinion.py` writes the fixtures `<id>.csv` and the invented keys `keys/<id>.yaml` beside it.
The keys of the instruments are typed in here from the compiled facts, not read from `instruments/`; numbers are exact
fractions; a rule is a few lines of plain Python. A mean that would lie exactly between two decimals is refused, because no
publisher says which way it goes: choose other answers. A form may carry scores that were worked out by hand, with the sum in
its name; the second implementation must come to the same.

Belongs here: keys, rules and forms. Does not belong here: anything of `mbt_rom`, numpy or pandas, nor the wording of an item.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
MYSELF = "second implementation (tests/instruments/second_opinion.py)"

Item = int | str
Answers = dict[Item, int | None]
Values = list[int | None]
Score = Fraction | int | None
Scores = dict[str, Score]
Bounds = dict[Item, tuple[int, int | None]]


class TieError(ValueError):
    """A score lies exactly between two decimals."""


class DisagreementError(ValueError):
    """The hand and the second implementation come to different scores."""


class Form(NamedTuple):
    """Answers to every item; `by_hand` holds the scores that were worked out without this module, all or some."""

    case: str
    answers: Answers
    by_hand: Scores = {}


class Sheet(NamedTuple):
    """An instrument as this module sees it; `key` says where key and rule come from, `bounds` has every item in order."""

    id: str
    key: str
    bounds: Bounds
    scores: Callable[[Answers], Scores]
    forms: Callable[[], Iterable[Form]]


# --- rules ----------------------------------------------------------------------------------------------------------------


def numbers(text: str) -> list[int]:
    """The numbers in a text.

    >>> numbers("1 4 7")
    [1, 4, 7]
    """
    return [int(word) for word in text.split()]


def words(text: str) -> list[str]:
    """The words in a text.

    >>> words("sd ir sr")
    ['sd', 'ir', 'sr']
    """
    return text.split()


def half_up(value: Fraction) -> int:
    """The nearest whole number; a half goes up.

    >>> half_up(Fraction(5, 2)), half_up(Fraction(9, 4)), half_up(Fraction(-1, 4))
    (3, 2, 0)
    """
    return math.floor(value + Fraction(1, 2))


def rounded(value: Score, decimals: int) -> Score:
    """The value with so many decimals.

    >>> rounded(Fraction(13, 3), 2), rounded(None, 2)
    (Fraction(433, 100), None)
    """
    if value is None:
        return None
    scaled = Fraction(value) * 10**decimals
    if scaled - math.floor(scaled) == Fraction(1, 2):
        raise TieError(f"{value} lies exactly between two numbers with {decimals} decimals: choose other answers")
    return Fraction(half_up(scaled), 10**decimals)


def read(answers: Answers, items: Iterable[Item], turned: Collection[Item] = (), ends: int = 0) -> Values:
    """Answers to the items; those in `turned` as `ends` minus the answer, `ends` being the lowest plus the highest.

    >>> read({1: 0, 2: 3, 3: None}, [1, 2, 3], turned=[2, 3], ends=4)
    [0, 1, None]
    """
    given = ((item, answers[item]) for item in items)
    return [ends - a if a is not None and item in turned else a for item, a in given]


def answered(values: Values) -> list[int]:
    """The values that there are."""
    return [value for value in values if value is not None]


def sum_of(values: Values) -> int | None:
    """Sum, of complete values only."""
    return None if None in values else sum(answered(values))


def mean_of(values: Values) -> Fraction | None:
    """Mean, of complete values only."""
    return None if None in values else Fraction(sum(answered(values)), len(values))


def mean_of_answered(values: Values, most_missing: int) -> Fraction | None:
    """Mean of the values that there are, unless more are missing than allowed.

    >>> mean_of_answered([1, None, 4], 1), mean_of_answered([1, None, None], 1)
    (Fraction(5, 2), None)
    """
    there = answered(values)
    return Fraction(sum(there), len(there)) if there and len(values) - len(there) <= most_missing else None


def prorated_sum(values: Values, most_missing: int) -> Fraction | None:
    """Mean of the values that there are, times the number of items.

    >>> prorated_sum([2, 3, None], 1)
    Fraction(15, 2)
    """
    mean = mean_of_answered(values, most_missing)
    return None if mean is None else mean * len(values)


def all_of(parts: Sequence[Score]) -> list[Fraction] | None:
    """The parts, when all are there."""
    there = [Fraction(part) for part in parts if part is not None]
    return there if len(there) == len(parts) else None


def sum_of_parts(parts: Sequence[Score]) -> Score:
    """Sum of scores, when all are there."""
    there = all_of(parts)
    return None if there is None else sum(there, Fraction(0))


def mean_of_parts(parts: Sequence[Score]) -> Score:
    """Mean of scores, when all are there."""
    there = all_of(parts)
    return None if there is None else sum(there, Fraction(0)) / len(there)


# --- answers --------------------------------------------------------------------------------------------------------------


def alike(items: Iterable[Item], value: int | None) -> Answers:
    """The same answer to every item."""
    return dict.fromkeys(items, value)


def listed(text: str) -> Answers:
    """Answers to items 1, 2, ...; `-` is missing.

    >>> listed("0 3 -")
    {1: 0, 2: 3, 3: None}
    """
    return {number: None if word == "-" else int(word) for number, word in enumerate(text.split(), 1)}


def without(answers: Answers, *items: Item) -> Answers:
    """The same answers but for these items, which are missing."""
    return answers | alike(items, None)


def profile(bounds: Bounds, turned: Collection[Item], top: Collection[Item]) -> Answers:
    """Every item at the end where it scores least, those in `top` where they score most."""
    return {item: ends[(item in top) != (item in turned)] for item, ends in bounds.items()}


def pattern(bounds: Bounds, start: int, step: int = 1) -> Answers:
    """Answers that climb by `step` from item to item and begin again at the lowest after the highest."""
    places = enumerate(bounds.items())
    return {item: low + (start + step * place) % (_high(high) - low + 1) for place, (item, (low, high)) in places}


def drawn(bounds: Bounds, seed: int) -> Answers:
    """Answers drawn by a linear congruential generator (factor 1664525, increment 1013904223, modulus 2 to the 32nd)."""
    state, answers = seed, Answers()
    for item, (low, high) in bounds.items():
        state = (1664525 * state + 1013904223) % 2**32
        answers[item] = low + (state >> 16) % (_high(high) - low + 1)
    return answers


def _high(high: int | None) -> int:
    """The highest answer; a count, which has none, is drawn up to 12."""
    return 12 if high is None else high


def between(items: Iterable[Item], low: int, high: int | None) -> Bounds:
    """The same bounds for every item."""
    return dict.fromkeys(items, (low, high))


def usual(
    bounds: Bounds,
    scales: Mapping[str, Collection[Item]],
    turned: Collection[Item] = (),
    starts: str = "0 2",
    seeds: str = "1 2 3",
    by_hand: Mapping[str, Scores] | None = None,
) -> Iterator[Form]:
    """The forms that every questionnaire gets; `by_hand` holds scores by case."""
    hand, items = by_hand or {}, list(bounds)
    forms: dict[str, Answers] = {
        "all lowest": {item: low for item, (low, _) in bounds.items()},
        "all highest": {item: high for item, (_, high) in bounds.items()},
    }
    if turned:
        forms["every item at its least, the turned ones too"] = profile(bounds, turned, top=())
        forms["every item at its most, the turned ones too"] = profile(bounds, turned, top=items)
    if len(scales) > 1:
        forms |= {f"only the items of {name} at their most": profile(bounds, turned, s) for name, s in scales.items()}
    forms |= {f"climbing by one from place {start}": pattern(bounds, start) for start in numbers(starts)}
    forms |= {f"drawn with seed {seed}": drawn(bounds, seed) for seed in numbers(seeds)}
    some = drawn(bounds, numbers(seeds)[0])
    forms["first missing"] = without(some, items[0])
    forms["last missing"] = without(some, items[-1])
    forms["none answered"] = alike(items, None)
    return (Form(case, answers, hand.get(case, {})) for case, answers in forms.items())


def scores_in(text: str, scales: Iterable[str]) -> Scores:
    """Scores worked out by hand, in the order of the scales; `-` is no score.

    >>> scores_in("4.5 -", ["mean", "n_below_4"])
    {'mean': Fraction(9, 2), 'n_below_4': None}
    """
    return {scale: None if w == "-" else Fraction(w) for scale, w in zip(scales, words(text), strict=True)}


def worked_out(case: str, text: str, scales: Iterable[str], scores: str) -> Form:
    """A form whose answers and scores are written out."""
    return Form(f"hand: {case}", listed(text), scores_in(scores, scales))


# --- BSI-18 ---------------------------------------------------------------------------------------------------------------

BSI18 = {"som": numbers("1 4 7 10 13 16"), "dep": numbers("2 5 8 11 14 17"), "anx": numbers("3 6 9 12 15 18")}
BSI18_BOUNDS = between(range(1, 19), 0, 4)


def bsi18(answers: Answers) -> Scores:
    parts: Scores = {name: prorated_sum(read(answers, items), 2) for name, items in BSI18.items()}
    return {"gsi": sum_of_parts(list(parts.values()))} | parts


def bsi18_forms() -> Iterator[Form]:
    yield from usual(
        BSI18_BOUNDS,
        BSI18,
        by_hand={
            "all lowest": {"gsi": 0, "som": 0, "dep": 0, "anx": 0},
            "all highest": {"gsi": 72, "som": 24, "dep": 24, "anx": 24},
        },
    )
    base = listed("3 2 4  3 2 4  3 2 4  3 2 0  1 2 0  1 2 0")
    yield Form(
        "hand: som 4 x 3 + 2 x 1 = 14; dep 6 x 2 = 12; anx 3 x 4 = 12; gsi 38",
        base,
        {"gsi": 38, "som": 14, "dep": 12, "anx": 12},
    )
    yield Form(
        "hand: item 16 missing: som 13 x 6/5; gsi 78/5 + 24",
        without(base, 16),
        {"gsi": Fraction(198, 5), "som": Fraction(78, 5), "dep": 12, "anx": 12},
    )
    yield Form(
        "hand: two missing in som: 10 x 6/4; gsi 15 + 24",
        without(base, 4, 13) | {10: 3},
        {"gsi": 39, "som": 15, "dep": 12, "anx": 12},
    )
    six = listed("3 1 4  3 1 4  2 1 4  2 2 4  - - -  - - -")
    yield Form(
        "hand: the most that may be missing, two in each: 10 x 6/4, 5 x 6/4, 16 x 6/4; gsi 15 + 15/2 + 24",
        six,
        {"gsi": Fraction(93, 2), "som": 15, "dep": Fraction(15, 2), "anx": 24},
    )
    yield Form(
        "hand: all 2 with two missing in each: proration of a constant is the constant",
        without(alike(BSI18_BOUNDS, 2), 1, 4, 2, 5, 3, 6),
        {"gsi": 36, "som": 12, "dep": 12, "anx": 12},
    )
    yield Form(
        "hand: three missing in dep only: no dep, no gsi though 6 could be missing in all",
        without(base, 2, 8, 17),
        {"gsi": None, "som": 14, "dep": None, "anx": 12},
    )
    yield Form("seven missing, three of them in anx", without(six, 3))
    yield Form("three missing in som and in anx", without(base, 1, 4, 7, 3, 6, 9))


# --- OQ-45 ----------------------------------------------------------------------------------------------------------------

OQ45 = {
    "sd": numbers("2 3 5 6 8 9 10 11 13 15 22 23 24 25 27 29 31 33 34 35 36 40 41 42 45"),
    "ir": numbers("1 7 16 17 18 19 20 26 30 37 43"),
    "sr": numbers("4 12 14 21 28 32 38 39 44"),
}
OQ45_TURNED = numbers("1 12 13 20 21 24 31 37 43")
OQ45_BOUNDS = between(range(1, 46), 0, 4)


def filled_sum(values: Values) -> int:
    """Sum, each blank being the mean of the answered items, rounded to a whole number, a half upwards.

    >>> filled_sum([3, 2, None]), filled_sum([3, 3, 2, None])
    (8, 11)
    """
    there = answered(values)
    return sum(there) + (len(values) - len(there)) * half_up(Fraction(sum(there), len(there)))


def oq45(answers: Answers) -> Scores:
    if sum(answer is None for answer in answers.values()) > 4:
        return {"total": None, "sd": None, "ir": None, "sr": None}
    parts: Scores = {name: filled_sum(read(answers, items, OQ45_TURNED, 4)) for name, items in OQ45.items()}
    return {"total": sum_of_parts(list(parts.values()))} | parts


def oq45_forms() -> Iterator[Form]:
    yield from usual(
        OQ45_BOUNDS,
        OQ45,
        OQ45_TURNED,
        by_hand={
            "all lowest": {"total": 9 * 4, "sd": 3 * 4, "ir": 4 * 4, "sr": 2 * 4},
            "all highest": {"total": 36 * 4, "sd": 22 * 4, "ir": 7 * 4, "sr": 7 * 4},
            "every item at its least, the turned ones too": {"total": 0, "sd": 0, "ir": 0, "sr": 0},
            "every item at its most, the turned ones too": {"total": 180, "sd": 100, "ir": 44, "sr": 36},
        },
    )
    least = profile(OQ45_BOUNDS, OQ45_TURNED, ())
    yield Form(
        "hand: all 2, which turning leaves alone: 25 x 2 + 11 x 2 + 9 x 2 = 90",
        alike(OQ45_BOUNDS, 2),
        {"total": 90, "sd": 50, "ir": 22, "sr": 18},
    )
    yield Form(
        "hand: only the turned items of sr answered 0, the others of sr at their least: 2 x 4 = 8",
        least | {12: 0, 21: 0},
        {"total": 8, "sd": 0, "ir": 0, "sr": 8},
    )
    # Items 4 12 14 21 28 32 38 39 44 of sr: blank, then 3 (turned from 1), 3, 2 (turned from 2), 2, 2, 2, 3, 3: sum 20.
    social = least | {4: None, 12: 1, 14: 3, 21: 2, 28: 2, 32: 2, 38: 2, 39: 3, 44: 3}
    yield Form(
        "hand: item 4 missing: sr 20 over 8 answered is 2.5, up to 3: 20 + 3 = 23",
        social,
        {"total": 23, "sd": 0, "ir": 0, "sr": 23},
    )
    yield Form(
        "hand: item 4 missing: sr 4 over 8 answered is 0.5, up to 1: 4 + 1 = 5",
        without(least, 4) | {14: 2, 44: 2},
        {"total": 5, "sd": 0, "ir": 0, "sr": 5},
    )
    yield Form(
        "hand: a turned item missing: sr 21 over 8 answered is 2.625, up to 3: 21 + 3 = 24",
        social | {4: 4, 12: None},
        {"total": 24, "sd": 0, "ir": 0, "sr": 24},
    )
    yield Form(
        "hand: item 1 missing: ir 14 over 10 answered is 1.4, down to 1: 14 + 1 = 15",
        without(least, 1) | {7: 4, 16: 4, 17: 4, 37: 2},
        {"total": 15, "sd": 0, "ir": 15, "sr": 0},
    )
    # sd without 2 and 3: 23 answered, 35 points (1.52, to 2); ir without 1: 14 (1.4, to 1); sr without 4: 20 (2.5, to 3).
    several = social | {1: None, 7: 4, 16: 4, 17: 4, 37: 2, 2: None, 3: None}
    several |= alike(numbers("5 6 8 9 10 11 15 22"), 4) | {31: 1}
    yield Form(
        "hand: four missing, the most: sd 35 + 2 x 2 = 39; ir 14 + 1 = 15; sr 20 + 3 = 23",
        several,
        {"total": 77, "sd": 39, "ir": 15, "sr": 23},
    )
    yield Form(
        "hand: five missing: no score at all",
        without(several, 45),
        {"total": None, "sd": None, "ir": None, "sr": None},
    )
    yield Form(
        "hand: all 3 with four of sr missing: turned items count 1; sr 4 x 3 + 1 = 13, mean 2.6, blanks 3: 25",
        without(alike(OQ45_BOUNDS, 3), 4, 12, 14, 28),
        {"total": 69 + 25 + 25, "sd": 22 * 3 + 3, "ir": 7 * 3 + 4, "sr": 25},
    )


# --- BDI-II ---------------------------------------------------------------------------------------------------------------

BDI2_BOUNDS = between(range(1, 22), 0, 3)


def bdi2(answers: Answers) -> Scores:
    return {"total": sum_of(list(answers.values()))}


def bdi2_forms() -> Iterator[Form]:
    yield from usual(
        BDI2_BOUNDS,
        {"total": BDI2_BOUNDS},
        starts="0 1 2 3",
        by_hand={"all lowest": {"total": 0}, "all highest": {"total": 63}, "first missing": {"total": None}},
    )
    mixed = listed("3 3 3 3 3 3 3  1 1 1 1 1 1 1  0 0 0 0 0 0 0")
    yield Form("hand: 7 x 3 + 7 x 1 = 28", mixed, {"total": 28})
    yield Form("hand: all 1: 21", alike(BDI2_BOUNDS, 1), {"total": 21})
    yield Form("hand: items 16 and 18 only, 2 + 3 = 5", alike(BDI2_BOUNDS, 0) | {16: 2, 18: 3}, {"total": 5})
    yield Form("hand: only item 9 answered with 1", alike(BDI2_BOUNDS, 0) | {9: 1}, {"total": 1})
    yield Form("hand: item 21 missing, all others at their lowest", without(alike(BDI2_BOUNDS, 0), 21), {"total": None})
    yield Form("hand: only item 1 answered", without(mixed, *range(2, 22)), {"total": None})


# --- Sheehan Disability Scale ---------------------------------------------------------------------------------------------

SDS_BOUNDS = between(range(1, 4), 0, 10)


def sds(answers: Answers) -> Scores:
    return {"total": sum_of(list(answers.values())), "work": answers[1], "social": answers[2], "family": answers[3]}


def sds_forms() -> Iterator[Form]:
    for text, sum_in_words, total in (
        ("0 0 0", "all lowest", 0),
        ("10 10 10", "all highest", 30),
        ("10 0 0", "work alone", 10),
        ("0 10 0", "social life alone", 10),
        ("0 0 10", "family alone", 10),
        ("1 2 3", "1 + 2 + 3", 6),
        ("9 8 7", "9 + 8 + 7", 24),
        ("5 4 4", "5 + 4 + 4", 13),
        ("2 6 4", "2 + 6 + 4", 12),
        ("- 6 4", "no work or study: the other two alone", None),
        ("8 - 5", "social life missing", None),
        ("8 7 -", "family missing", None),
        ("- - 3", "two missing", None),
        ("- - -", "none answered", None),
    ):
        answers = listed(text)
        by_hand: Scores = {"total": total, "work": answers[1], "social": answers[2], "family": answers[3]}
        yield Form(f"hand: {sum_in_words}", answers, by_hand)


# --- TiC-P ----------------------------------------------------------------------------------------------------------------

TICP_ORDER = words(
    "gp gp_mental_health_nurse occupational_physician hospital_outpatient paramedical social_work addiction_service "
    "alternative self_help home_care mh_institution mh_private_practice day_treatment hospital_days psychiatric_days "
    "emergency ambulance medication"
)
#: Euro, prices of 2022, per contact, session, hour, half day, day, visit or ride.
TICP_PRICES = {
    "gp": "30.87",
    "gp_mental_health_nurse": "20.85",
    "hospital_outpatient": "120",
    "paramedical": "38.89",
    "social_work": "127",
    "addiction_service": "134",
    "home_care": "75",
    "mh_institution": "134",
    "mh_private_practice": "140",
    "day_treatment": "22.81",
    "hospital_days": "644",
    "psychiatric_days": "327",
    "emergency": "258",
    "ambulance": "528",
}
TICP_UNPRICED = words("occupational_physician alternative self_help medication")
TICP_GATES: list[Item] = [f"{name}_any" for name in TICP_ORDER]
TICP_BOUNDS = between(TICP_ORDER, 0, None) | between(TICP_GATES, 0, 1)


def volume(answers: Answers, name: str) -> int | None:
    """The count; none where the gate question was answered with no."""
    count = answers[name]
    return 0 if count is None and answers[f"{name}_any"] == 0 else count


def ticp(answers: Answers) -> Scores:
    volumes = {name: volume(answers, name) for name in TICP_ORDER}
    priced = {name: volumes[name] for name in TICP_PRICES}
    costs = [None if n is None else n * Fraction(TICP_PRICES[name]) for name, n in priced.items()]
    return {
        "medical_cost": sum_of_parts(costs),
        "unpriced_contacts": sum_of([volumes[name] for name in TICP_UNPRICED]),
    }


def used(**counts: int | None) -> Answers:
    """A form on which only these services were used: gate yes for them, gate no and no count for the others."""
    gates = {f"{name}_any": int(name in counts) for name in TICP_ORDER}
    return alike(TICP_ORDER, None) | dict(counts) | gates


def ticp_forms() -> Iterator[Form]:
    yield Form("hand: every gate no, every count blank: 0", used(), {"medical_cost": 0, "unpriced_contacts": 0})
    zero = alike(TICP_ORDER, 0) | alike(TICP_GATES, None)
    yield Form("hand: every count 0, no gate answered: 0", zero, {"medical_cost": 0, "unpriced_contacts": 0})
    for name, price in TICP_PRICES.items():
        hand: Scores = {"medical_cost": Fraction(price), "unpriced_contacts": 0}
        yield Form(f"hand: {name} once, 1 x {price}", used(**{name: 1}), hand)
    for name in TICP_UNPRICED:
        yield Form(
            f"hand: {name} three times: no price", used(**{name: 3}), {"medical_cost": 0, "unpriced_contacts": 3}
        )
    yield Form(
        "hand: everything once: the 14 prices add up to 2600.42; four services without a price",
        used(**dict.fromkeys(TICP_ORDER, 1)),
        {"medical_cost": Fraction("2600.42"), "unpriced_contacts": 4},
    )
    yield Form(
        "hand: 2 x 30.87 + 5 x 327 = 1696.74",
        used(gp=2, psychiatric_days=5),
        {"medical_cost": Fraction("1696.74"), "unpriced_contacts": 0},
    )
    yield Form(
        "hand: 8 x 134 + 16 x 22.81 = 1436.96; 2 + 4 + 1 without a price",
        used(mh_institution=8, day_treatment=16, alternative=2, self_help=4, medication=1),
        {"medical_cost": Fraction("1436.96"), "unpriced_contacts": 7},
    )
    yield Form(
        "hand: counts beyond 127: 200 x 30.87 + 150 x 134 = 26274; 300 without a price",
        used(gp=200, mh_institution=150, medication=300),
        {"medical_cost": 26274, "unpriced_contacts": 300},
    )
    yield Form(
        "hand: 28 days in each kind of hospital: 28 x (644 + 327) = 27188",
        used(hospital_days=28, psychiatric_days=28),
        {"medical_cost": 27188, "unpriced_contacts": 0},
    )
    yield Form(
        "hand: gate not answered, count given: 3 x 38.89",
        used(paramedical=3) | {"paramedical_any": None},
        {"medical_cost": Fraction("116.67"), "unpriced_contacts": 0},
    )
    yield Form(
        "hand: gate yes, count of a priced service blank: no cost",
        used(gp=None, medication=2),
        {"medical_cost": None, "unpriced_contacts": 2},
    )
    yield Form(
        "hand: gate and count of a priced service blank: no cost",
        used(gp=1) | {"ambulance_any": None},
        {"medical_cost": None, "unpriced_contacts": 0},
    )
    yield Form(
        "hand: gate yes, count of a service without a price blank: 1 x 258, no number of contacts",
        used(emergency=1, self_help=None),
        {"medical_cost": 258, "unpriced_contacts": None},
    )
    yield Form(
        "hand: gate and count of a service without a price blank: 2 x 75, no number of contacts",
        used(home_care=2) | {"alternative_any": None},
        {"medical_cost": 150, "unpriced_contacts": None},
    )
    yield Form("hand: none answered", alike(TICP_BOUNDS, None), {"medical_cost": None, "unpriced_contacts": None})
    for seed in (1, 2):
        yield Form(f"counts drawn with seed {seed}", drawn(TICP_BOUNDS, seed) | alike(TICP_GATES, 1))


# --- PAI-BOR --------------------------------------------------------------------------------------------------------------

PAIBOR = {
    "affective_instability": numbers("1 4 7 10 14 18"),
    "identity_problems": numbers("2 5 8 11 15 19"),
    "negative_relationships": numbers("3 6 9 12 16 20"),
    "self_harm": numbers("13 17 21 22 23 24"),
}
PAIBOR_TURNED = numbers("7 12 14 19 20 24")
PAIBOR_BOUNDS = between(range(1, 25), 0, 3)


def paibor(answers: Answers) -> Scores:
    parts: Scores = {name: sum_of(read(answers, items, PAIBOR_TURNED, 3)) for name, items in PAIBOR.items()}
    return {"total": sum_of_parts(list(parts.values()))} | parts


def paibor_scores(total: Score, ai: Score, ip: Score, nr: Score, sh: Score) -> Scores:
    """Scores worked out by hand, in the order of the total and the four parts."""
    return dict(zip(["total", *PAIBOR], [total, ai, ip, nr, sh], strict=True))


def paibor_forms() -> Iterator[Form]:
    yield from usual(
        PAIBOR_BOUNDS,
        PAIBOR,
        PAIBOR_TURNED,
        by_hand={
            "all lowest": paibor_scores(6 * 3, 2 * 3, 3, 2 * 3, 3),
            "all highest": paibor_scores(18 * 3, 4 * 3, 5 * 3, 4 * 3, 5 * 3),
            "every item at its least, the turned ones too": paibor_scores(0, 0, 0, 0, 0),
            "every item at its most, the turned ones too": paibor_scores(72, 18, 18, 18, 18),
        },
    )
    yield Form(
        "hand: all 1: a turned item counts 2: ai 4 + 4, ip 5 + 2, nr 4 + 4, sh 5 + 2; total 30",
        alike(PAIBOR_BOUNDS, 1),
        paibor_scores(30, 8, 7, 8, 7),
    )
    least = profile(PAIBOR_BOUNDS, PAIBOR_TURNED, ())
    yield Form(
        "hand: items 13 17 21 at 2, item 24 turned from 1 to 2: sh 4 x 2 = 8",
        least | {13: 2, 17: 2, 21: 2, 24: 1},
        paibor_scores(8, 0, 0, 0, 8),
    )
    yield Form("hand: item 17 missing: sh and total", without(least, 17), paibor_scores(None, 0, 0, 0, None))
    yield Form("hand: item 7 missing: ai and total", without(least, 7), paibor_scores(None, None, 0, 0, 0))


# --- IIP-64 and IIP-32 ----------------------------------------------------------------------------------------------------

IIP64 = {
    "pa_domineering": numbers("17 31 44 45 50 52 57 59"),
    "bc_vindictive": numbers("1 22 24 29 32 40 56 64"),
    "de_cold": numbers("11 15 16 20 23 27 36 60"),
    "fg_inhibited": numbers("3 7 14 18 33 35 55 62"),
    "hi_nonassertive": numbers("5 6 8 9 12 13 19 39"),
    "jk_accommodating": numbers("2 10 25 34 38 42 53 61"),
    "lm_self_sacrificing": numbers("21 28 37 46 49 51 54 63"),
    "no_intrusive": numbers("4 26 30 41 43 47 48 58"),
}
IIP32 = {
    "pa_domineering": numbers("22 25 28 30"),
    "bc_vindictive": numbers("14 16 17 18"),
    "de_cold": numbers("10 11 13 15"),
    "fg_inhibited": numbers("2 5 9 19"),
    "hi_nonassertive": numbers("4 6 7 12"),
    "jk_accommodating": numbers("1 8 20 31"),
    "lm_self_sacrificing": numbers("23 26 27 32"),
    "no_intrusive": numbers("3 21 24 29"),
}
IIP64_BOUNDS = between(range(1, 65), 0, 4)
IIP32_BOUNDS = between(range(1, 33), 0, 4)
#: The square root of one half, to twenty decimals: sine and cosine of 45 degrees.
ROOT_HALF = Fraction(math.isqrt(10**40 // 2), 10**20)
#: Sine and cosine of the octants' angles, from 90 degrees (PA) in steps of 45 to 45 degrees (NO).
SINES: list[Score] = [1, ROOT_HALF, 0, -ROOT_HALF, -1, -ROOT_HALF, 0, ROOT_HALF]
COSINES: list[Score] = [0, -ROOT_HALF, -1, -ROOT_HALF, 0, ROOT_HALF, 1, ROOT_HALF]


def axis(means: Sequence[Score], weights: Sequence[Score]) -> Score:
    """A quarter of the weighted sum of the octants' item means, to three decimals."""
    there = all_of(means)
    if there is None:
        return None
    weighted = (mean * Fraction(weight or 0) for mean, weight in zip(there, weights, strict=True))
    return rounded(sum(weighted, Fraction(0)) / 4, 3)


def circumplex(answers: Answers, octants: Mapping[str, Sequence[Item]]) -> Scores:
    n_each = len(next(iter(octants.values())))
    sums: Scores = {name: sum_of(read(answers, items)) for name, items in octants.items()}
    means: list[Score] = [mean_of(read(answers, items)) for items in octants.values()]
    overall = mean_of(list(answers.values()))
    scores: Scores = {"total": rounded(overall, 2), "total_sum": sum_of(list(answers.values()))} | sums
    for name, octant in sums.items():
        centred = None if overall is None or octant is None else Fraction(octant) - overall * n_each
        scores[f"ips_{name}"] = rounded(centred, 2)
    return scores | {"dominance": axis(means, SINES), "love": axis(means, COSINES)}


def iip64(answers: Answers) -> Scores:
    return circumplex(answers, IIP64)


def iip32(answers: Answers) -> Scores:
    return circumplex(answers, IIP32)


def octant_scores(total: str, total_sum: int, sums: str, centred: str, dominance: str, love: str) -> Scores:
    """Scores worked out by hand; octants in the order PA BC DE FG HI JK LM NO."""
    by_octant: Scores = dict(zip(IIP64, numbers(sums), strict=True))
    by_octant |= {f"ips_{name}": Fraction(x) for name, x in zip(IIP64, centred.split(), strict=True)}
    whole: Scores = {"total": Fraction(total), "total_sum": total_sum}
    return whole | by_octant | {"dominance": Fraction(dominance), "love": Fraction(love)}


def octants_at(octants: Mapping[str, Sequence[Item]], text: str) -> Answers:
    """Every item of an octant gets the octant's value; octants in the order PA BC DE FG HI JK LM NO."""
    values = zip(octants.values(), numbers(text), strict=True)
    by_item = {item: value for items, value in values for item in items}
    return {item: by_item[item] for item in sorted(by_item)}


def iip64_forms() -> Iterator[Form]:
    flat = "0 0 0 0 0 0 0 0"
    yield from usual(
        IIP64_BOUNDS,
        IIP64,
        starts="0 1 3",
        seeds="1 3 4 11",
        by_hand={
            "all lowest": octant_scores("0", 0, flat, flat, "0", "0"),
            "all highest": octant_scores("4", 256, "32 32 32 32 32 32 32 32", flat, "0", "0"),
        },
    )
    yield Form(
        "hand: PA items 4, LM items 2, others 1: sum 32 + 16 + 48 = 96, mean 1.5, octant minus 12; (4 - 1)/4, (2 - 1)/4",
        octants_at(IIP64, "4 1 1 1 1 1 2 1"),
        octant_scores("1.5", 96, "32 8 8 8 8 8 16 8", "20 -4 -4 -4 -4 -4 4 -4", "0.75", "0.25"),
    )
    yield Form(
        "hand: BC items 2, JK items 4: sum 48, mean 0.75, octant minus 6; -(4 - 2)/4 and (4 - 2)/4 times 0.70711",
        octants_at(IIP64, "0 2 0 0 0 4 0 0"),
        octant_scores("0.75", 48, "0 16 0 0 0 32 0 0", "-6 10 -6 -6 -6 26 -6 -6", "-0.354", "0.354"),
    )
    yield Form(
        "hand: PA 1 + 2 + 2 + 3 + 4, others 0: sum 12, mean 0.1875, octant minus 1.5 (not 8 x 0.19); (12/8)/4",
        alike(IIP64_BOUNDS, 0) | {17: 1, 31: 2, 44: 2, 45: 3, 50: 4},
        octant_scores("0.19", 12, "12 0 0 0 0 0 0 0", "10.5 -1.5 -1.5 -1.5 -1.5 -1.5 -1.5 -1.5", "0.375", "0"),
    )


def iip32_forms() -> Iterator[Form]:
    flat = "0 0 0 0 0 0 0 0"
    yield from usual(
        IIP32_BOUNDS,
        IIP32,
        starts="4",
        seeds="6 7 9 11",
        by_hand={
            "all lowest": octant_scores("0", 0, flat, flat, "0", "0"),
            "all highest": octant_scores("4", 128, "16 16 16 16 16 16 16 16", flat, "0", "0"),
        },
    )
    yield Form(
        "hand: PA items 4, LM items 2, others 1: sum 16 + 8 + 24 = 48, mean 1.5, octant minus 6; (4 - 1)/4, (2 - 1)/4",
        octants_at(IIP32, "4 1 1 1 1 1 2 1"),
        octant_scores("1.5", 48, "16 4 4 4 4 4 8 4", "10 -2 -2 -2 -2 -2 2 -2", "0.75", "0.25"),
    )
    yield Form(
        "hand: BC items 2, JK items 4: sum 24, mean 0.75, octant minus 3; -(4 - 2)/4 and (4 - 2)/4 times 0.70711",
        octants_at(IIP32, "0 2 0 0 0 4 0 0"),
        octant_scores("0.75", 24, "0 8 0 0 0 16 0 0", "-3 5 -3 -3 -3 13 -3 -3", "-0.354", "0.354"),
    )
    yield Form(
        "hand: LM 1 + 1 + 2 + 2, others 0: sum 6, mean 0.1875, octant minus 0.75 (not 4 x 0.19); (6/4)/4",
        alike(IIP32_BOUNDS, 0) | {23: 1, 26: 1, 27: 2, 32: 2},
        octant_scores("0.19", 6, "0 0 0 0 0 0 6 0", "-.75 -.75 -.75 -.75 -.75 -.75 5.25 -.75", "0", "0.375"),
    )


# --- ECR and ECR-R --------------------------------------------------------------------------------------------------------

ECR = {"anxiety": range(2, 37, 2), "avoidance": range(1, 37, 2)}
ECR_TURNED = numbers("3 15 19 22 25 27 29 31 33 35")
#: In the order of the author's page.
ECRR = {"anxiety": range(1, 19), "avoidance": range(19, 37)}
ECRR_TURNED = numbers("9 11 20 22 26 27 28 29 30 31 33 34 35 36")
ECR_BOUNDS = between(range(1, 37), 1, 7)


def ecr(answers: Answers) -> Scores:
    return {name: rounded(mean_of(read(answers, items, ECR_TURNED, 8)), 2) for name, items in ECR.items()}


def ecrr(answers: Answers) -> Scores:
    return {name: rounded(mean_of(read(answers, items, ECRR_TURNED, 8)), 2) for name, items in ECRR.items()}


def ecr_forms() -> Iterator[Form]:
    yield from usual(
        ECR_BOUNDS,
        ECR,
        ECR_TURNED,
        by_hand={
            "all lowest": scores_in("1.33 4", ECR),  # (17 x 1 + 7)/18; (9 x 1 + 9 x 7)/18
            "all highest": scores_in("6.67 4", ECR),  # (17 x 7 + 1)/18; (9 x 7 + 9 x 1)/18
            "every item at its least, the turned ones too": scores_in("1 1", ECR),
            "every item at its most, the turned ones too": scores_in("7 7", ECR),
        },
    )
    yield Form("hand: all 4, which turning leaves alone", alike(ECR_BOUNDS, 4), scores_in("4 4", ECR))
    least = profile(ECR_BOUNDS, ECR_TURNED, ())
    yield Form(
        "hand: items 2 4 6 at 5 and item 22 turned from 3 to 5: (14 + 4 x 5)/18 = 1.89",
        least | {2: 5, 4: 5, 6: 5, 22: 3},
        scores_in("1.89 1", ECR),
    )
    yield Form(
        "hand: item 1 at 7, item 35 turned from 2 to 6: (16 + 7 + 6)/18 = 1.61",
        least | {1: 7, 35: 2},
        scores_in("1 1.61", ECR),
    )
    yield Form("hand: item 22 missing: no anxiety", without(least, 22), scores_in("- 1", ECR))
    yield Form("hand: item 35 missing: no avoidance", without(least, 35), scores_in("1 -", ECR))


def ecrr_forms() -> Iterator[Form]:
    yield from usual(
        ECR_BOUNDS,
        ECRR,
        ECRR_TURNED,
        by_hand={
            "all lowest": scores_in("1.67 5", ECR),  # (16 x 1 + 2 x 7)/18; (6 x 1 + 12 x 7)/18
            "all highest": scores_in("6.33 3", ECR),  # (16 x 7 + 2 x 1)/18; (6 x 7 + 12 x 1)/18
            "every item at its least, the turned ones too": scores_in("1 1", ECR),
            "every item at its most, the turned ones too": scores_in("7 7", ECR),
        },
    )
    yield Form("hand: all 4, which turning leaves alone", alike(ECR_BOUNDS, 4), scores_in("4 4", ECR))
    least = profile(ECR_BOUNDS, ECRR_TURNED, ())
    yield Form(
        "hand: item 1 at 6, item 9 turned from 4 to 4, item 11 from 1 to 7: (15 + 6 + 4 + 7)/18 = 1.78",
        least | {1: 6, 9: 4, 11: 1},
        scores_in("1.78 1", ECR),
    )
    yield Form(
        "hand: item 19 at 3, item 36 turned from 3 to 5: (16 + 3 + 5)/18 = 1.33",
        least | {19: 3, 36: 3},
        scores_in("1 1.33", ECR),
    )
    yield Form("hand: item 18 missing: no anxiety", without(least, 18), scores_in("- 1", ECR))
    yield Form("hand: item 19 missing: no avoidance", without(least, 19), scores_in("1 -", ECR))


# --- RFQ-8 ----------------------------------------------------------------------------------------------------------------

RFQ8_BOUNDS = between(range(1, 9), 1, 7)


def agreement(answer: int | None) -> int | None:
    """Steps above the middle of the seven."""
    return None if answer is None else max(0, answer - 4)


def disagreement(answer: int | None) -> int | None:
    """Steps below the middle of the seven."""
    return None if answer is None else max(0, 4 - answer)


def rfq8(answers: Answers) -> Scores:
    uncertain = [agreement(answers[item]) for item in numbers("2 4 5 6 8")] + [disagreement(answers[7])]
    certain = [disagreement(answers[item]) for item in numbers("1 2 3 4 5 6")]
    return {"rfq_u": rounded(mean_of(uncertain), 2), "rfq_c": rounded(mean_of(certain), 2)}


def rfq8_forms() -> Iterator[Form]:
    for case, text, scores in (
        ("all lowest: u only item 7, 3/6; c 18/6", "1 1 1 1 1 1 1 1", "0.5 3"),
        ("all highest: u all but item 7, 15/6; c 0", "7 7 7 7 7 7 7 7", "2.5 0"),
        ("all 4, the middle", "4 4 4 4 4 4 4 4", "0 0"),
        ("most uncertain: item 7 lowest, 18/6", "4 7 4 7 7 7 1 7", "3 0"),
        ("least uncertain, most certain", "1 1 1 1 1 1 7 1", "0 3"),
        ("most uncertain and items 1 3 certain: c 6/6", "1 7 1 7 7 7 1 7", "3 1"),
        ("1 2 3 4 5 6 7 1: u (1 + 2)/6; c (3 + 2 + 1)/6", "1 2 3 4 5 6 7 1", "0.5 1"),
        ("7 6 5 4 3 2 1 7: u (2 + 3 + 3)/6; c (1 + 2)/6", "7 6 5 4 3 2 1 7", "1.33 0.5"),
        ("item 8 alone at 5: u 1/6", "4 4 4 4 4 4 4 5", "0.17 0"),
        ("item 7 alone at 2: u 2/6", "4 4 4 4 4 4 2 4", "0.33 0"),
        ("item 7 alone at 6: nothing", "4 4 4 4 4 4 6 4", "0 0"),
        ("item 1 alone at 2: c 2/6", "2 4 4 4 4 4 4 4", "0 0.33"),
        ("items 2 4 5 6 at 5 6 7 3: u 6/6; c 1/6", "4 5 4 6 7 3 4 4", "1 0.17"),
        ("item 1 missing: no c; u (1 + 3)/6", "- 5 4 7 4 4 4 4", "0.67 -"),
        ("item 8 missing: no u; c (3 + 2)/6", "1 2 4 4 4 4 4 -", "- 0.83"),
        ("item 4 missing: neither", "1 2 3 - 5 6 7 1", "- -"),
        ("none answered", "- - - - - - - -", "- -"),
    ):
        yield worked_out(case, text, ("rfq_u", "rfq_c"), scores)
    yield from (Form(f"drawn with seed {seed}", drawn(RFQ8_BOUNDS, seed)) for seed in (1, 2, 3))


# --- instruments whose key the licence holder keeps: invented keys --------------------------------------------------------

#: Scale: items, and those of them that are turned. Invented, and sized so that few means lie between two decimals.
DAPPSF = {
    "submissiveness": ("2 19 48 92 97 113 119 124 128", "113 119"),
    "cognitive_distortion": ("31 50 52 83 110 118 131", "50 118"),
    "identity_problems": ("1 18 44 71 91 129 132", ""),
    "affective_lability": ("26 30 37 57 72 95 96 106 114", "30 95"),
    "stimulus_seeking": ("6 41 43 60 76 89 101", "76 89"),
    "compulsivity_lower": ("7 46 78 93 108 116 123", "7 93 116"),
    "restricted_expression": ("3 11 29 34 70 74 75", "11 29 74"),
    "callousness": ("4 5 21 38 61 87 126", "61"),
    "oppositionality": ("39 64 65 73 86 111 112 130 133", ""),
    "intimacy_problems": ("9 17 24 25 102 107 117", ""),
    "rejection": ("14 23 40 79 82 100 121", "40 79 121"),
    "anxiousness": ("13 20 27 63 90 98 105 120 135", "20"),
    "conduct_problems": ("22 33 47 53 104 109 122", "22 53"),
    "suspiciousness": ("8 28 32 56 84 88 94", "28 84 94"),
    "social_avoidance": ("12 42 51 58 59 125 127", ""),
    "narcissism": ("15 68 69 77 81 99 136", "15 99"),
    "insecure_attachment": ("10 35 45 49 54 55 67", "35 45"),
    "self_harm": ("16 36 62 66 80 85 103 115 134", "16 36 103"),
}
DAPPSF_HIGHER = {
    "emotional_dysregulation": (
        "submissiveness cognitive_distortion identity_problems affective_lability oppositionality anxiousness "
        "suspiciousness social_avoidance narcissism insecure_attachment self_harm"
    ),
    "dissocial_behaviour": "stimulus_seeking callousness rejection conduct_problems",
    "inhibition": "restricted_expression intimacy_problems",
    "compulsivity": "compulsivity_lower",
}
RFQ54 = {
    "rfq_u": (
        "1 2 5 6 7 9 10 11 12 14 15 20 21 22 27 31 32 34 36 38 39 42 45 51 52",
        "1 6 15 20 21 27",
    ),
    "rfq_c": (
        "3 4 8 13 16 17 18 19 23 24 25 26 28 29 30 33 35 37 40 41 43 44 46 47 48 49 50 53 54",
        "17 19 24 25 43 47",
    ),
}
#: Answers are canonical already, 4 being adaptive: nothing is turned.
SIPP118 = {
    "emotion_regulation": ("10 30 67 78 83 90 107", ""),
    "effortful_control": ("7 35 43 52 85 86 113", ""),
    "self_respect": ("12 57 61 65 69 79 108 109 118", ""),
    "stable_self_image": ("5 50 63 91 106 115 116", ""),
    "self_reflexive_functioning": ("19 20 64 73 93 97 102", ""),
    "enjoyment": ("1 3 18 21 62 77 80", ""),
    "purposefulness": ("29 33 66 70 87 99 110", ""),
    "responsible_industry": ("8 14 23 32 46 53 74 101 117", ""),
    "trustworthiness": ("2 31 39 54 81 84 95", ""),
    "intimacy": ("15 22 25 36 49 82 88", ""),
    "enduring_relationships": ("6 11 27 48 55 94 114", ""),
    "feeling_recognised": ("47 51 72 75 92 96 111", ""),
    "aggression_regulation": ("9 16 17 24 40 42 45 103 105", ""),
    "frustration_tolerance": ("4 41 44 68 71 104 112", ""),
    "cooperation": ("13 34 37 38 56 89 98", ""),
    "respect": ("26 28 58 59 60 76 100", ""),
}
DAPPSF_BOUNDS = between(range(1, 137), 1, 5)
RFQ54_BOUNDS = between(range(1, 55), 1, 7)
SIPP118_BOUNDS = between(range(1, 119), 1, 4)
InventedKey = Mapping[str, tuple[str, str]]
INVENTED_KEYS: dict[str, InventedKey] = {"dappsf": DAPPSF, "rfq54": RFQ54, "sipp118": SIPP118}


def keyed_means(answers: Answers, key: InventedKey, ends: int) -> dict[str, Fraction | None]:
    """Mean of every scale of an invented key, not rounded."""
    return {name: mean_of(read(answers, numbers(i), numbers(t), ends)) for name, (i, t) in key.items()}


def members(key: InventedKey) -> dict[str, list[int]]:
    """The items of every scale."""
    return {name: numbers(items) for name, (items, _) in key.items()}


def turned_in(key: InventedKey) -> list[int]:
    """The turned items of all scales."""
    return [item for _, turned in key.values() for item in numbers(turned)]


def dappsf(answers: Answers) -> Scores:
    lower = keyed_means(answers, DAPPSF, 6)
    higher = {name: mean_of_parts([lower[part] for part in parts.split()]) for name, parts in DAPPSF_HIGHER.items()}
    return {name: rounded(score, 2) for name, score in (lower | higher).items()}


def rfq54(answers: Answers) -> Scores:
    return dict(keyed_means(answers, RFQ54, 8))


def sipp118(answers: Answers) -> Scores:
    return {name: rounded(score, 2) for name, score in keyed_means(answers, SIPP118, 5).items()}


def dappsf_forms() -> Iterator[Form]:
    every = [*DAPPSF, *DAPPSF_HIGHER]
    yield from usual(
        DAPPSF_BOUNDS,
        members(DAPPSF),
        turned_in(DAPPSF),
        by_hand={
            "every item at its least, the turned ones too": alike_scores(every, 1),
            "every item at its most, the turned ones too": alike_scores(every, 5),
        },
    )
    yield Form("hand: all 3, which turning leaves alone", alike(DAPPSF_BOUNDS, 3), alike_scores(every, 3))
    least = profile(DAPPSF_BOUNDS, turned_in(DAPPSF), ())
    yield Form(
        "hand: callousness 3 + 4 + 5 and item 61 turned from 2 to 4: (3 x 1 + 16)/7 = 2.71; dissocial (19/7 + 3)/4 = 1.43",
        least | {4: 3, 5: 4, 21: 5, 61: 2},
        alike_scores(every, 1) | {"callousness": Fraction("2.71"), "dissocial_behaviour": Fraction("1.43")},
    )
    yield Form(
        "hand: one item of self-harm missing: neither it nor emotional dysregulation",
        without(least, 134),
        alike_scores(every, 1) | {"self_harm": None, "emotional_dysregulation": None},
    )


def alike_scores(scales: Iterable[str], score: Score) -> Scores:
    """The same score on every scale."""
    return dict.fromkeys(scales, score)


def rfq54_forms() -> Iterator[Form]:
    yield from usual(
        RFQ54_BOUNDS,
        members(RFQ54),
        turned_in(RFQ54),
        starts="0 2 5",
        by_hand={
            "all lowest": {"rfq_u": Fraction(19 * 1 + 6 * 7, 25), "rfq_c": Fraction(23 * 1 + 6 * 7, 29)},
            "all highest": {"rfq_u": Fraction(19 * 7 + 6 * 1, 25), "rfq_c": Fraction(23 * 7 + 6 * 1, 29)},
            "every item at its least, the turned ones too": {"rfq_u": 1, "rfq_c": 1},
            "every item at its most, the turned ones too": {"rfq_u": 7, "rfq_c": 7},
            "first missing": {"rfq_u": None},
            "last missing": {"rfq_c": None},
        },
    )
    yield Form("hand: all 4, which turning leaves alone", alike(RFQ54_BOUNDS, 4), {"rfq_u": 4, "rfq_c": 4})
    least = profile(RFQ54_BOUNDS, turned_in(RFQ54), ())
    yield Form(
        "hand: item 2 at 6, item 1 turned from 5 to 3: u (23 + 6 + 3)/25",
        least | {2: 6, 1: 5},
        {"rfq_u": Fraction(32, 25), "rfq_c": 1},
    )


def sipp118_forms() -> Iterator[Form]:
    yield from usual(
        SIPP118_BOUNDS,
        members(SIPP118),
        by_hand={"all lowest": alike_scores(SIPP118, 1), "all highest": alike_scores(SIPP118, 4)},
    )
    yield Form(
        "hand: self-respect 2 + 3 + 4 + 6 x 1 = 15 over 9: 1.67",
        alike(SIPP118_BOUNDS, 1) | {12: 2, 57: 3, 61: 4},
        alike_scores(SIPP118, 1) | {"self_respect": Fraction("1.67")},
    )
    yield Form(
        "hand: all 3, item 100 missing: no respect",
        without(alike(SIPP118_BOUNDS, 3), 100),
        alike_scores(SIPP118, 3) | {"respect": None},
    )


# --- Suicide and Self-Harm Inventory --------------------------------------------------------------------------------------

SSHI_COUNTS: list[Item] = ["suicidal_acts", "self_harm_acts", "hospital_admissions", "emergency_contacts"]
SSHI_BOUNDS: Bounds = between(SSHI_COUNTS, 0, None) | {"months_covered": (1, 12)}


def at_least_once(count: int | None) -> int | None:
    """1 when it happened, 0 when it was answered with 0."""
    return None if count is None else int(count > 0)


def any_of(counts: Values) -> int | None:
    """1 when one of them is above 0; 0 only when all are answered with 0."""
    if any(count for count in answered(counts)):
        return 1
    return None if None in counts else 0


def per_month(count: int | None, months: int | None) -> Fraction | None:
    """Acts per month."""
    return None if count is None or months is None else Fraction(count, months)


def sshi(answers: Answers) -> Scores:
    acts, harm, months = answers["suicidal_acts"], answers["self_harm_acts"], answers["months_covered"]
    return {
        "suicidal_acts": acts,
        "self_harm_acts": harm,
        "any_suicidal_act": at_least_once(acts),
        "any_self_harm": at_least_once(harm),
        "crisis_event": any_of([acts, harm, answers["hospital_admissions"]]),
        "suicidal_acts_rate": per_month(acts, months),
        "self_harm_acts_rate": per_month(harm, months),
    }


def sshi_forms() -> Iterator[Form]:
    for case, text, hand in (
        ("nothing happened", "0 0 0 0 6", "0 0 0 0 0 0 0"),
        ("one suicidal act in six months", "1 0 0 0 6", "1 0 1 0 1 1/6 0"),
        ("five acts of self-harm in four months", "0 5 0 0 4", "0 5 0 1 1 0 5/4"),
        ("one admission only", "0 0 1 0 6", "0 0 0 0 1 0 0"),
        ("emergency contacts alone are no crisis event", "0 0 0 3 6", "0 0 0 0 0 0 0"),
        ("two acts and seven of self-harm in twelve months", "2 7 1 4 12", "2 7 1 1 1 1/6 7/12"),
        ("one of each in one month", "1 1 1 1 1", "1 1 1 1 1 1 1"),
        ("a count of 127", "0 127 0 0 6", "0 127 0 1 1 0 127/6"),
        ("a count of 128", "0 128 0 0 6", "0 128 0 1 1 0 64/3"),
        ("daily and more: 184 in six months", "3 184 0 0 6", "3 184 1 1 1 1/2 92/3"),
        ("counts of 300 and 400", "300 400 12 40 12", "300 400 1 1 1 25 100/3"),
        ("suicidal acts blank, the others 0: blank is not zero", "- 0 0 0 6", "- 0 - 0 - - 0"),
        ("self-harm blank, the others 0", "0 - 0 0 6", "0 - 0 - - 0 -"),
        ("admissions blank, the others 0", "0 0 - 0 6", "0 0 0 0 - 0 0"),
        ("suicidal acts blank, self-harm 2: a crisis event all the same", "- 2 0 0 6", "- 2 - 1 1 - 1/3"),
        ("only an admission answered", "- - 1 - 6", "- - - - 1 - -"),
        ("emergency contacts blank: they are in no scale", "1 2 0 - 6", "1 2 1 1 1 1/6 1/3"),
        ("months blank: counts but no rates", "1 2 0 0 -", "1 2 1 1 1 - -"),
        ("only the months answered", "- - - - 6", "- - - - - - -"),
        ("none answered", "- - - - -", "- - - - - - -"),
    ):
        answers: Answers = dict(zip(SSHI_BOUNDS, listed(text).values(), strict=True))
        yield Form(f"hand: {case}", answers, scores_in(hand, sshi(answers)))


# --- SCID-I and SCID-II ---------------------------------------------------------------------------------------------------

SCID1_GROUPS = words("mood psychotic substance_use anxiety somatoform eating adjustment")
SCID1_BOUNDS = between([f"{group}_disorder" for group in SCID1_GROUPS], 0, 1)
SCID2_CRITERIA: list[Item] = [f"bpd_{number}" for number in range(1, 10)]
#: Criteria of each disorder.
SCID2_DISORDERS = {
    "paranoid": 7,
    "schizoid": 7,
    "schizotypal": 9,
    "antisocial": 7,
    "borderline": 9,
    "histrionic": 8,
    "narcissistic": 9,
    "avoidant": 7,
    "dependent": 8,
    "obsessive_compulsive": 8,
    "passive_aggressive": 7,
    "depressive": 7,
}
SCID2_COUNTS: Bounds = {f"{name}_count": (0, criteria) for name, criteria in SCID2_DISORDERS.items()}
SCID2_PRESENT: list[Item] = [f"{name}_present" for name in [*SCID2_DISORDERS, "pd_nos"]]
SCID2_GONE_IN_SCID5 = ["passive_aggressive_present", "depressive_present"]
SCID2_BOUNDS: Bounds = (
    between(SCID2_CRITERIA, 1, 3)
    | SCID2_COUNTS
    | between(SCID2_PRESENT, 0, 1)
    | between(["conduct_disorder_before_15"], 0, 1)
)


def scid1(answers: Answers) -> Scores:
    number = sum_of(list(answers.values()))
    return {"n_axis1_groups": number, "any_axis1": number and 1}


def scid2(answers: Answers) -> Scores:
    ratings = read(answers, SCID2_CRITERIA)
    complete = None not in ratings
    present = read(answers, SCID2_PRESENT)
    still_there = read(answers, [item for item in SCID2_PRESENT if item not in SCID2_GONE_IN_SCID5])
    return {
        "bpd_criteria": ratings.count(3) if complete else None,
        "bpd_dimensional": ratings.count(2) + 2 * ratings.count(3) if complete else None,
        "n_pd": sum_of(present),
        "n_pd_scid5": sum_of(still_there),
    }


def scid1_forms() -> Iterator[Form]:
    for case, text, number, any_of_them in (
        ("all lowest", "0 0 0 0 0 0 0", 0, 0),
        ("all highest", "1 1 1 1 1 1 1", 7, 1),
        ("mood disorder alone", "1 0 0 0 0 0 0", 1, 1),
        ("psychotic disorder alone", "0 1 0 0 0 0 0", 1, 1),
        ("substance use disorder alone", "0 0 1 0 0 0 0", 1, 1),
        ("anxiety disorder alone", "0 0 0 1 0 0 0", 1, 1),
        ("somatoform disorder alone", "0 0 0 0 1 0 0", 1, 1),
        ("eating disorder alone", "0 0 0 0 0 1 0", 1, 1),
        ("adjustment disorder alone", "0 0 0 0 0 0 1", 1, 1),
        ("1 + 1 + 1", "1 0 1 1 0 0 0", 3, 1),
        ("every second one", "1 0 1 0 1 0 1", 4, 1),
        ("a module not administered, the others absent", "0 0 0 0 - 0 0", None, None),
        ("a module not administered, another present", "1 0 0 0 - 0 0", None, None),
        ("the last module not administered", "0 0 1 1 0 1 -", None, None),
        ("only one module administered", "1 - - - - - -", None, None),
        ("none administered", "- - - - - - -", None, None),
    ):
        answers: Answers = dict(zip(SCID1_BOUNDS, listed(text).values(), strict=True))
        yield Form(f"hand: {case}", answers, {"n_axis1_groups": number, "any_axis1": any_of_them})


def scid2_form(case: str, ratings: str, hand: str, criteria_met: str = "", present: str = "") -> Form:
    """`criteria_met` as `borderline=5 avoidant=4`; `present` names disorders; `hand`: criteria, dimensional, n_pd, n_pd_scid5."""
    counts: Answers = {f"{name}_count": int(n) for name, _, n in (part.partition("=") for part in criteria_met.split())}
    diagnoses: Answers = {f"{name}_present": 1 for name in present.split()}
    answers = alike(SCID2_BOUNDS, 0) | dict(zip(SCID2_CRITERIA, listed(ratings).values(), strict=True))
    names = ("bpd_criteria", "bpd_dimensional", "n_pd", "n_pd_scid5")
    scores = scores_in(hand, names)
    return Form(f"hand: {case}", answers | counts | diagnoses, scores)


def scid2_forms() -> Iterator[Form]:
    absent = "1 1 1 1 1 1 1 1 1"
    yield scid2_form("all lowest", absent, "0 0 0 0")
    highest: Answers = {item: high for item, (_, high) in SCID2_BOUNDS.items()}
    top: Scores = {"bpd_criteria": 9, "bpd_dimensional": 18, "n_pd": 13, "n_pd_scid5": 11}
    yield Form("hand: all highest", highest, top)
    yield scid2_form("all subthreshold: 0 criteria, 9 x 1", "2 2 2 2 2 2 2 2 2", "0 9 0 0")
    yield scid2_form("five criteria, 5 x 2 + 1", "3 3 3 3 3 2 1 1 1", "5 11 1 1", "borderline=5", present="borderline")
    yield scid2_form("four criteria, 4 x 2 + 3 x 1", "3 1 2 3 2 1 3 2 3", "4 11 0 0", "borderline=4")
    yield scid2_form("one criterion, the fifth", "1 1 1 1 3 1 1 1 1", "1 2 0 0", "borderline=1")
    yield scid2_form("3 2 1 in turn: 3 criteria, 3 x 2 + 3 x 1", "3 2 1 3 2 1 3 2 1", "3 9 0 0", "borderline=3")
    yield scid2_form("other specified disorder alone counts in both editions", absent, "0 0 1 1", present="pd_nos")
    yield scid2_form(
        "passive-aggressive alone: not in the SCID-5-PD",
        absent,
        "0 0 1 0",
        "passive_aggressive=4",
        present="passive_aggressive",
    )
    yield scid2_form(
        "passive-aggressive, depressive, paranoid and avoidant: 4, of them 2 in the SCID-5-PD",
        absent,
        "0 0 4 2",
        "passive_aggressive=5 depressive=6 paranoid=4 avoidant=7",
        present="passive_aggressive depressive paranoid avoidant",
    )
    antisocial = scid2_form(
        "antisocial with conduct disorder before 15, and borderline: 9 x 2 points",
        "3 3 3 3 3 3 3 3 3",
        "9 18 2 2",
        "antisocial=3 borderline=9",
        present="antisocial borderline",
    )
    yield antisocial._replace(answers=antisocial.answers | {"conduct_disorder_before_15": 1})
    yield scid2_form("a rating missing: no BPD scores", "3 3 3 3 3 - 1 1 1", "- - 1 1", "borderline=5", "borderline")
    older = scid2_form(
        "the two older disorders not rated: only the SCID-5-PD number", absent, "0 0 - 1", "", "schizoid"
    )
    yield older._replace(answers=without(older.answers, *SCID2_GONE_IN_SCID5))
    nos = scid2_form("other specified disorder not rated: neither number", absent, "0 0 - -", "", "dependent")
    yield nos._replace(answers=without(nos.answers, "pd_nos_present"))
    uncounted = scid2_form("counts not given: they are in no scale", "3 3 1 1 1 1 1 1 2", "2 5 0 0")
    yield uncounted._replace(answers=without(uncounted.answers, *SCID2_COUNTS, "conduct_disorder_before_15"))
    yield Form("hand: none answered", alike(SCID2_BOUNDS, None), alike_scores(top, None))
    yield from (Form(f"drawn with seed {seed}", drawn(SCID2_BOUNDS, seed)) for seed in (1, 2))


# --- Reading the Mind in the Eyes -----------------------------------------------------------------------------------------

#: The items whose right word stands at the first, second, third and fourth place.
RMET_RIGHT = {
    1: numbers("1 8 10 15 17 18 22 24 28 32"),
    2: numbers("2 4 6 13 16 20 21 27 30 31 35"),
    3: numbers("3 5 7 11 12 23 26 34 36"),
    4: numbers("9 14 19 25 29 33"),
}
RMET_BOUNDS = between(range(1, 37), 1, 4)


def rmet(answers: Answers) -> Scores:
    if None in answers.values():
        return {"total": None}
    return {"total": sum(answers[item] == place for place, items in RMET_RIGHT.items() for item in items)}


def rmet_forms() -> Iterator[Form]:
    right: Answers = {item: place for place, items in RMET_RIGHT.items() for item in items}
    wrong: Answers = {item: place % 4 + 1 for place, items in RMET_RIGHT.items() for item in items}
    yield Form("hand: all right", right, {"total": 36})
    yield Form("hand: all one place too far", wrong, {"total": 0})
    for place, times in enumerate((10, 11, 9, 6), 1):
        yield Form(f"hand: always place {place}: right {times} times", alike(RMET_BOUNDS, place), {"total": times})
    first: Answers = {item: right[item] for item in range(1, 19)}
    yield Form("hand: items 1 to 18 right: 18", wrong | first, {"total": 18})
    yield Form("hand: items 19 to 36 right: 18", right | {item: wrong[item] for item in first}, {"total": 18})
    yield Form("hand: only item 36 right: 1", wrong | {36: right[36]}, {"total": 1})
    yield Form("hand: only item 1 wrong: 35", right | {1: wrong[1]}, {"total": 35})
    yield Form("hand: item 9 missing, the others right", without(right, 9), {"total": None})
    yield Form("hand: item 36 missing", without(right, 36), {"total": None})
    yield Form("hand: none answered", alike(RMET_BOUNDS, None), {"total": None})
    yield from (Form(f"climbing by one from place {start}", pattern(RMET_BOUNDS, start)) for start in range(4))
    yield from (Form(f"drawn with seed {seed}", drawn(RMET_BOUNDS, seed)) for seed in (1, 2, 3))


# --- MPQ and MMPI-2-RF: T-scores that somebody else worked out -------------------------------------------------------------

MPQ_BOUNDS = between(words("nem pem con wb sp ac sc sr al ag cl ha td ab uv vrin trin"), 20, 120)
MMPI2RF_BOUNDS = between(
    words(
        "eid thd bxd vrin_r trin_r f_r fp_r fs fbs_r rbs l_r k_r rcd rc1 rc2 rc3 rc4 rc6 rc7 rc8 rc9 mls gic hpc nuc cog "
        "sui hlp sfd nfc stw axy anp brf msf jcp sub agg act fml ipp sav shy dsf aes mec aggr_r psyc_r disc_r nege_r intr_r"
    ),
    20,
    120,
)


def t_scores(answers: Answers) -> Scores:
    return {str(scale): score for scale, score in answers.items()}


def t_score_forms(bounds: Bounds) -> Iterator[Form]:
    for value in (20, 50, 64, 65, 80, 120):
        answers = alike(bounds, value)
        yield Form(f"hand: all {value}: as given", answers, t_scores(answers))
    yield from (Form(f"climbing by one from {20 + start}", pattern(bounds, start)) for start in (0, 40))
    yield Form("climbing by seven", pattern(bounds, 3, step=7))
    yield from (Form(f"drawn with seed {seed}", drawn(bounds, seed)) for seed in (1, 2, 3))
    *_, last = bounds
    some = drawn(bounds, 4)
    yield Form("first missing", without(some, next(iter(bounds))))
    yield Form("last missing", without(some, last))
    yield Form("every second one missing", without(some, *list(bounds)[1::2]))
    yield Form("hand: none given", alike(bounds, None), t_scores(alike(bounds, None)))


# --- MBT Adherence and Competence Scale -----------------------------------------------------------------------------------

MBTACS_ITEMS = range(1, 18)
MBTACS_AREAS = {
    "area_stance": "1 2 11 13",
    "area_support": "4 5 7",
    "area_clarification": "12 16",
    "area_exploration": "6 9 12",
    "area_challenge": "3 8",
    "area_affect_focus": "10 11 13",
    "area_relationship": "11 14 15",
}


def rated(kind: str, items: Iterable[int] = MBTACS_ITEMS) -> list[Item]:
    """Names of the ratings (`adherence`, `competence`) or counts (`count`) of the items."""
    return [f"{kind}_{item:02d}" for item in items]


MBTACS_OVERALL: list[Item] = ["overall_adherence", "overall_competence"]
MBTACS_BOUNDS: Bounds = between(MBTACS_OVERALL + rated("adherence") + rated("competence"), 1, 7) | between(
    rated("count"), 0, None
)


def mbtacs(answers: Answers) -> Scores:
    competence = read(answers, rated("competence"))
    there = answered(competence)
    scores: Scores = {
        "overall_adherence": answers["overall_adherence"],
        "overall_competence": answers["overall_competence"],
        "mean_competence": rounded(mean_of_answered(competence, 16), 2),
        "mean_adherence": rounded(mean_of_answered(read(answers, rated("adherence")), 16), 2),
        "n_items_at_level": sum(rating >= 4 for rating in there) if there else None,
    }
    for area, items in MBTACS_AREAS.items():
        ratings = read(answers, rated("competence", numbers(items)))
        scores[area] = rounded(mean_of_answered(ratings, len(ratings) - 1), 2)
    return scores


def session(overall: str, adherence: str, competence: str, counts: str) -> Answers:
    """A rated session; `-` is not rated."""
    rated_so = listed(" ".join([overall, adherence, competence, counts]))
    return dict(zip(MBTACS_BOUNDS, rated_so.values(), strict=True))


def mbtacs_scores(text: str) -> Scores:
    """Scores worked out by hand: overall and mean (competence before adherence in the means), number, seven areas."""
    order = ["overall_adherence", "overall_competence", "mean_competence", "mean_adherence", "n_items_at_level"]
    return scores_in(text, order + list(MBTACS_AREAS))


def mbtacs_forms() -> Iterator[Form]:
    lowest: Answers = {item: low for item, (low, _) in MBTACS_BOUNDS.items()}
    highest: Answers = {item: _high(high) for item, (_, high) in MBTACS_BOUNDS.items()}
    yield Form("hand: all lowest", lowest, mbtacs_scores("1 1 1 1 0  1 1 1 1 1 1 1"))
    yield Form("hand: all highest", highest, mbtacs_scores("7 7 7 7 17  7 7 7 7 7 7 7"))
    for area, items in MBTACS_AREAS.items():
        yield Form(f"only the items of {area} at 7", lowest | alike(rated("competence", numbers(items)), 7))
    yield Form(
        "hand: competence 4 throughout, adherence 3: the level of 4 is reached 17 times",
        lowest | alike(rated("competence"), 4) | alike(rated("adherence"), 3) | {"overall_adherence": 5},
        mbtacs_scores("5 1 4 3 17  4 4 4 4 4 4 4"),
    )
    yield Form(
        "hand: competence 56 over 13 rated, adherence 59/17; 10 at 4 or more; areas 20/4 15/3 8/2 5/2 3 15/3 10/2",
        session(
            "4 5",
            "5 4 3 6 4 3 5 1 1 4 5 2 5 1 4 5 1",
            "4 5 3 6 4 2 5 - - 4 6 3 5 - 4 5 -",
            "6 9 2 4 3 2 5 0 0 7 8 1 6 0 1 4 0",
        ),
        mbtacs_scores("4 5 4.31 3.47 10  5 5 4 2.5 3 5 5"),
    )
    unrated = " ".join("-" * 17)
    yield Form(
        "hand: sixteen of seventeen not rated, the most: only competence of item 12",
        session("- 6", unrated, "- - - - - - - - - - - 6 - - - - -", unrated),
        mbtacs_scores("- 6 6 - 1  - - 6 6 - - -"),
    )
    yield Form(
        "hand: only adherence of item 1, and competence of item 17, which is in no area",
        session("2 -", "3 - - - - - - - - - - - - - - - -", "- - - - - - - - - - - - - - - - 3", unrated),
        mbtacs_scores("2 - 3 3 0  - - - - - - -"),
    )
    yield Form(
        "hand: only overall ratings and counts",
        session("5 4", unrated, unrated, "3 2 1 0 0 0 0 0 0 5 130 0 0 0 0 2 0"),
        mbtacs_scores("5 4 - - -  - - - - - - -"),
    )
    yield Form("hand: none rated", alike(MBTACS_BOUNDS, None), alike_scores(mbtacs(lowest), None))
    yield from (Form(f"drawn with seed {seed}", drawn(MBTACS_BOUNDS, seed)) for seed in (1, 2, 3))
    gaps = rated("competence", numbers("2 3 6 9 11"))
    yield Form("drawn with seed 4, five not rated", without(drawn(MBTACS_BOUNDS, 4), *gaps))


# --- team, clinical process, programme, supervisor, patient ---------------------------------------------------------------

TEAM_BOUNDS = between(range(1, 6), 1, 7)
PROCESS = {"initial_done": range(1, 18), "ending_done": range(18, 21), "all_done": range(1, 21)}
PROCESS_BOUNDS = between(range(1, 21), 0, 1)
REQUIREMENTS_BOUNDS = between(range(1, 18), 0, 1)
#: The manual prints number 16 without a text.
REQUIREMENTS_COUNTED = [item for item in range(1, 18) if item != 16]
RECOMMENDATIONS_BOUNDS = between(range(1, 5), 0, 1)
#: Items, and how many of them may be missing.
SUPERVISOR: dict[str, tuple[Sequence[int], int]] = {
    "mean": (range(1, 23), 11),
    "theory": ([1, 2], 1),
    "clinical": ([3], 0),
    "didactic": ([4, 5, 6, 7], 3),
    "personal": ([8, 9, 10, 11], 3),
    "meta": ([12, 13], 1),
    "duty": ([14, 15, 16, 17, 18, 19], 5),
    "practice": ([20, 21, 22], 2),
}
SUPERVISOR_BOUNDS = between(range(1, 23), 1, 7)
PATIENT_BOUNDS = between(range(1, 8), 1, 7)


def team_adherence(answers: Answers) -> Scores:
    ratings = list(answers.values())
    below = None if None in ratings else sum(rating < 4 for rating in answered(ratings))
    return {"mean": rounded(mean_of_answered(ratings, 1), 2), "n_below_4": below}


def clinical_process(answers: Answers) -> Scores:
    done = {name: read(answers, points) for name, points in PROCESS.items()}
    return {name: rounded(mean_of_answered(points, len(points) - 1), 2) for name, points in done.items()}


def fulfilled(judgements: Values) -> int | None:
    """How many were judged to be fulfilled; nothing where none was judged."""
    there = answered(judgements)
    return there.count(1) if there else None


def programme_requirements(answers: Answers) -> Scores:
    return {"fulfilled": fulfilled(read(answers, REQUIREMENTS_COUNTED))}


def programme_recommendations(answers: Answers) -> Scores:
    return {"fulfilled": fulfilled(list(answers.values()))}


def supervisor_adherence(answers: Answers) -> Scores:
    ratings = {name: (read(answers, items), most) for name, (items, most) in SUPERVISOR.items()}
    return {name: rounded(mean_of_answered(values, most), 2) for name, (values, most) in ratings.items()}


def patient_adherence(answers: Answers) -> Scores:
    return {"mean": rounded(mean_of_answered(list(answers.values()), 3), 2)}


def team_adherence_forms() -> Iterator[Form]:
    for case, text, scores in (
        ("all lowest", "1 1 1 1 1", "1 5"),
        ("all highest", "7 7 7 7 7", "7 0"),
        ("all 4: none below", "4 4 4 4 4", "4 0"),
        ("all 3: all below", "3 3 3 3 3", "3 5"),
        ("1 + 2 + 3 + 4 + 5 = 15 over 5", "1 2 3 4 5", "3 3"),
        ("3 + 4 + 7 + 6 + 2 = 22 over 5", "3 4 7 6 2", "4.4 2"),
        ("7 + 1 + 1 + 1 + 1 = 11 over 5", "7 1 1 1 1", "2.2 4"),
        ("5 + 5 + 4 + 4 + 6 = 24 over 5", "5 5 4 4 6", "4.8 0"),
        ("one missing: 3 + 5 + 5 + 6 = 19 over 4", "3 5 - 5 6", "4.75 -"),
        ("the first missing: 6 + 5 + 4 + 3 = 18 over 4", "- 6 5 4 3", "4.5 -"),
        ("the last missing, a constant stays the constant", "6 6 6 6 -", "6 -"),
        ("two missing", "6 - 6 6 -", "- -"),
        ("only one answered", "- - - 7 -", "- -"),
        ("none answered", "- - - - -", "- -"),
    ):
        yield worked_out(case, text, ("mean", "n_below_4"), scores)


def clinical_process_forms() -> Iterator[Form]:
    none_yet, done = " ".join("-" * 17), " ".join("1" * 17)
    for case, text, scores in (
        ("all lowest", " ".join("0" * 20), "0 0 0"),
        ("all highest", " ".join("1" * 20), "1 1 1"),
        ("start done, ending not: 17/20", f"{done} 0 0 0", "1 0 0.85"),
        ("start done, ending not looked at yet", f"{done} - - -", "1 - 1"),
        ("only the ending done: 3/20", " ".join("0" * 17 + "1" * 3), "0 1 0.15"),
        ("10 of 17, 1 of 3, 11 of 20", "1 1 1 1 1 1 1 1 1 1 0 0 0 0 0 0 0 1 0 0", "0.59 0.33 0.55"),
        ("9 of 17, 2 of 3, 11 of 20", "1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 1", "0.53 0.67 0.55"),
        ("8 of 17, 1 of 3, 9 of 20", "0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 0", "0.47 0.33 0.45"),
        ("two not checked, which is no 0: 15 of 16, 2 of 2", "- 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 0 1 1 -", "0.94 1 0.94"),
        ("crisis plan not applicable: 12 of 15; 14 of 17", "1 1 1 1 1 1 1 1 1 1 1 1 - - 0 0 0 1 - 1", "0.8 1 0.82"),
        ("only the first point known: 1 of 1", f"1 {none_yet[2:]} - - -", "1 - 1"),
        ("only the last point known: 0 of 1", f"{none_yet} - - 0", "- 0 0"),
        ("three known at the start: 2 of 3; 2 of 4", f"0 1 1 {none_yet[6:]} - 0 -", "0.67 0 0.5"),
        ("six known: 1 of 6", f"0 0 1 0 0 0 {none_yet[12:]} - - -", "0.17 - 0.17"),
        ("none checked", f"{none_yet} - - -", "- - -"),
    ):
        yield worked_out(case, text, PROCESS, scores)


def programme_requirements_forms() -> Iterator[Form]:
    for case, text, score in (
        ("all lowest", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0", "0"),
        ("all highest, the blank number 16 not counted: 16", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "16"),
        ("all sixteen, the blank number 16 not ticked", "1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 - 1", "16"),
        ("only the blank number 16 ticked, the others not fulfilled", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0", "0"),
        ("only the last", "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 - 1", "1"),
        ("only the first", "1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 - 0", "1"),
        ("eight odd numbers and 17", "1 0 1 0 1 0 1 0 1 0 1 0 1 0 1 - 1", "9"),
        ("seven even numbers", "0 1 0 1 0 1 0 1 0 1 0 1 0 1 0 - 0", "7"),
        ("five judged, three fulfilled", "1 1 0 0 1 - - - - - - - - - - - -", "3"),
        ("ten judged, none fulfilled", "0 0 0 0 0 0 0 0 0 0 - - - - - - -", "0"),
        ("one judged: fulfilled", "- - - - - - 1 - - - - - - - - - -", "1"),
        ("one judged: not fulfilled", "- - - - - - - - - - - - 0 - - - -", "0"),
        ("one of sixteen not judged: a count is not prorated", "1 1 1 1 1 1 1 1 1 1 1 1 1 - 1 - 1", "15"),
        ("only the blank number 16 ticked", "- - - - - - - - - - - - - - - 1 -", "-"),
        ("none judged", "- - - - - - - - - - - - - - - - -", "-"),
    ):
        yield worked_out(case, text, ["fulfilled"], score)


def programme_recommendations_forms() -> Iterator[Form]:
    for case, text, score in (
        ("all lowest", "0 0 0 0", "0"),
        ("all highest", "1 1 1 1", "4"),
        ("the first", "1 0 0 0", "1"),
        ("the second", "0 1 0 0", "1"),
        ("the third", "0 0 1 0", "1"),
        ("the fourth", "0 0 0 1", "1"),
        ("1 + 1", "0 1 1 0", "2"),
        ("1 + 1 + 1", "1 0 1 1", "3"),
        ("one not judged, 1 + 1", "1 - 1 0", "2"),
        ("one not judged, the others fulfilled: not prorated", "1 1 - 1", "3"),
        ("one judged: fulfilled", "- - - 1", "1"),
        ("one judged: not fulfilled", "0 - - -", "0"),
        ("two judged", "- 0 0 -", "0"),
        ("none judged", "- - - -", "-"),
    ):
        yield worked_out(case, text, ["fulfilled"], score)


def supervisor_adherence_forms() -> Iterator[Form]:
    rest = " ".join("-" * 11)
    for case, text, scores in (
        ("all lowest", " ".join("1" * 22), "1 1 1 1 1 1 1 1"),
        ("all highest", " ".join("7" * 22), "7 7 7 7 7 7 7 7"),
        (
            "11/2 6 18/4 19/4 7/2 27/6 13/3; 101/22",
            "5 6  6  4 5 4 5  6 5 4 4  3 4  5 4 4 5 5 4  3 5 5",
            "4.59 5.5 6 4.5 4.75 3.5 4.5 4.33",
        ),
        (
            "1..7 in turn: 3/2 3 22/4 10/4 11/2 22/6 14/3; 85/22",
            "1 2  3  4 5 6 7  1 2 3 4  5 6  7 1 2 3 4 5  6 7 1",
            "3.86 1.5 3 5.5 2.5 5.5 3.67 4.67",
        ),
        ("eleven missing, the most: 4 x 11/11", f"4 4 4 4 4 4 4 4 4 4 4 {rest}", "4 4 4 4 4 - - -"),
        ("twelve missing: no mean over all", f"- 4 4 4 4 4 4 4 4 4 4 {rest}", "- 4 4 4 4 - - -"),
        ("clinical missing alone: 21 x 5/21", "5 5 - 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5", "5 5 - 5 5 5 5 5"),
        (
            "one left in every part but the clinical one: no mean over all",
            "- 2 - - - 5 - 3 - - - - 6 - - - - 1 - - 4 -",
            "- 2 - 5 3 6 1 4",
        ),
        (
            "eleven answered: 2 5 + 6 3 + 4 6 + 7 1 + 2 4 + 5 = 45; 45/11",
            "- 2 - - - 5 6 3 4 - - - 6 7 - - - 1 2 - 4 5",
            "4.09 2 - 5.5 3.5 6 3.33 4.5",
        ),
        ("none rated", " ".join("-" * 22), "- - - - - - - -"),
    ):
        yield worked_out(case, text, SUPERVISOR, scores)
    scales = {name: items for name, (items, _) in SUPERVISOR.items() if name != "mean"}
    standard = usual(SUPERVISOR_BOUNDS, scales)
    yield from (form for form in standard if form.case.startswith(("only", "climbing", "drawn", "first", "last")))


def patient_adherence_forms() -> Iterator[Form]:
    for case, text, score in (
        ("all lowest", "1 1 1 1 1 1 1", "1"),
        ("all highest", "7 7 7 7 7 7 7", "7"),
        ("1..7: 28/7", "1 2 3 4 5 6 7", "4"),
        ("7 + 1 + 1 + 1 + 1 + 1 + 1 = 13 over 7", "7 1 1 1 1 1 1", "1.86"),
        ("5 + 5 + 6 + 4 + 3 + 6 + 7 = 36 over 7", "5 5 6 4 3 6 7", "5.14"),
        ("2 + 3 + 2 + 3 + 2 + 3 + 2 = 17 over 7", "2 3 2 3 2 3 2", "2.43"),
        ("one missing: 6 + 6 + 5 + 5 + 4 + 4 = 30 over 6", "6 6 5 - 5 4 4", "5"),
        ("one missing: 3 + 4 + 4 + 4 + 5 + 5 = 25 over 6", "3 4 4 4 5 5 -", "4.17"),
        ("two missing: 2 + 3 + 3 + 4 + 6 = 18 over 5", "- 2 3 3 4 6 -", "3.6"),
        ("three missing, the most: 7 + 6 + 6 + 4 = 23 over 4", "7 - 6 - 6 - 4", "5.75"),
        ("three missing: a constant stays the constant", "- - - 5 5 5 5", "5"),
        ("four missing", "7 - 6 - 6 - -", "-"),
        ("only one answered", "- - - - - - 3", "-"),
        ("none answered", "- - - - - - -", "-"),
    ):
        yield worked_out(case, text, ["mean"], score)


# --- the instruments, and what is written about them ----------------------------------------------------------------------

_CIRCUMPLEX = "Horowitz et al. 2003 as in the R package circumplex"
_INVENTED = "tests/instruments/keys, which is invented"
_MANUAL = "the quality manual, with this project's own summary"
SHEETS = [
    Sheet("bsi18", "Franke et al. 2017 and AbilityLab", BSI18_BOUNDS, bsi18, bsi18_forms),
    Sheet("oq45", "the scoring sheet, RoQua and two public scorers", OQ45_BOUNDS, oq45, oq45_forms),
    Sheet("bdi2", "Optinomic and Embloom", BDI2_BOUNDS, bdi2, bdi2_forms),
    Sheet("sds", "Coles et al. 2014", SDS_BOUNDS, sds, sds_forms),
    Sheet("ticp", "Hakkaart-van Roijen et al. 2024, prices of 2022", TICP_BOUNDS, ticp, ticp_forms),
    Sheet("paibor", "two R scorers and a jsPsych task", PAIBOR_BOUNDS, paibor, paibor_forms),
    Sheet("iip64", _CIRCUMPLEX, IIP64_BOUNDS, iip64, iip64_forms),
    Sheet("iip32", _CIRCUMPLEX, IIP32_BOUNDS, iip32, iip32_forms),
    Sheet("ecr", "four public forms of Brennan et al. 1998", ECR_BOUNDS, ecr, ecr_forms),
    Sheet("ecrr", "the author's page (Fraley et al. 2000)", ECR_BOUNDS, ecrr, ecrr_forms),
    Sheet("rfq54", _INVENTED, RFQ54_BOUNDS, rfq54, rfq54_forms),
    Sheet("rfq8", "Millisecond and Cucchi et al. 2018", RFQ8_BOUNDS, rfq8, rfq8_forms),
    Sheet("dappsf", _INVENTED, DAPPSF_BOUNDS, dappsf, dappsf_forms),
    Sheet("sshi", "Bateman and Fonagy 2004 and 2009", SSHI_BOUNDS, sshi, sshi_forms),
    Sheet("scid1", "the compiled facts", SCID1_BOUNDS, scid1, scid1_forms),
    Sheet("scid2", "the DSM's criteria counts", SCID2_BOUNDS, scid2, scid2_forms),
    Sheet("sipp118", _INVENTED, SIPP118_BOUNDS, sipp118, sipp118_forms),
    Sheet("rmet", "otree_express and RME_test", RMET_BOUNDS, rmet, rmet_forms),
    Sheet("mpq", "University of Minnesota Press", MPQ_BOUNDS, t_scores, lambda: t_score_forms(MPQ_BOUNDS)),
    Sheet("mmpi2rf", "Ben-Porath and Tellegen 2008", MMPI2RF_BOUNDS, t_scores, lambda: t_score_forms(MMPI2RF_BOUNDS)),
    Sheet("mbtacs", _MANUAL, MBTACS_BOUNDS, mbtacs, mbtacs_forms),
    Sheet("team_adherence", _MANUAL, TEAM_BOUNDS, team_adherence, team_adherence_forms),
    Sheet("clinical_process", _MANUAL, PROCESS_BOUNDS, clinical_process, clinical_process_forms),
    Sheet("programme_requirements", _MANUAL, REQUIREMENTS_BOUNDS, programme_requirements, programme_requirements_forms),
    Sheet(
        "programme_recommendations",
        _MANUAL,
        RECOMMENDATIONS_BOUNDS,
        programme_recommendations,
        programme_recommendations_forms,
    ),
    Sheet("supervisor_adherence", _MANUAL, SUPERVISOR_BOUNDS, supervisor_adherence, supervisor_adherence_forms),
    Sheet("patient_adherence", _MANUAL, PATIENT_BOUNDS, patient_adherence, patient_adherence_forms),
]


def column(instrument_id: str, item: Item) -> str:
    """Id of an item: the number with two digits, or the name.

    >>> column("oq45", 1), column("dappsf", 136), column("ticp", "gp")
    ('oq45_01', 'dappsf_136', 'ticp_gp')
    """
    return f"{instrument_id}_{item:02d}" if isinstance(item, int) else f"{instrument_id}_{item}"


def written(score: Score) -> str:
    """A score as text: a whole number, a decimal number of at most three decimals, otherwise a fraction.

    >>> written(Fraction(4)), written(Fraction("-0.354")), written(Fraction(28, 53)), written(None)
    ('4', '-0.354', '28/53', '')
    """
    if score is None:
        return ""
    value = Fraction(score)
    if value.denominator == 1 or 1000 % value.denominator:
        return str(value)
    digits = f"{abs(value.numerator) * 1000 // value.denominator:04d}"
    return ("-" if value < 0 else "") + f"{digits[:-3]}.{digits[-3:]}".rstrip("0")


def source_of(sheet: Sheet, form: Form, scores: Scores) -> str:
    """Where the expected scores of a form come from."""
    machine = f"{MYSELF} with the key of {sheet.key}"
    if not form.by_hand:
        return machine
    if set(form.by_hand) == set(scores):
        return "hand calculation"
    return f"hand calculation of {', '.join(form.by_hand)}; the rest: {machine}"


def agreed(sheet: Sheet, form: Form) -> Scores:
    """The scores of a form, after comparing them with those worked out by hand."""
    scores = sheet.scores(form.answers)
    if differing := [scale for scale, score in form.by_hand.items() if scores[scale] != score]:
        raise DisagreementError(
            f"{sheet.id}, {form.case}: "
            + "; ".join(f"{s} by hand {written(form.by_hand[s])}, here {written(scores[s])}" for s in differing)
        )
    return scores


def rows(sheet: Sheet) -> Iterator[dict[str, str]]:
    """The fixture of an instrument: a row per form, columns `case`, `source`, every item, every scale."""
    for form in sheet.forms():
        scores = agreed(sheet, form)
        answers = {column(sheet.id, item): form.answers[item] for item in sheet.bounds}
        given = {name: "" if answer is None else str(answer) for name, answer in answers.items()}
        origin = {"case": form.case.removeprefix("hand: "), "source": source_of(sheet, form, scores)}
        yield origin | given | {scale: written(score) for scale, score in scores.items()}


def fixture(sheet: Sheet) -> str:
    """The text of `<id>.csv`."""
    table, text = list(rows(sheet)), io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue()


def key_file(instrument_id: str) -> str:
    """The text of `keys/<id>.yaml`."""
    lines = [
        f"# Invented for the tests: NOT the published key of {instrument_id}, which only its licence holder can give.",
        "# Written by tests/instruments/second_opinion.py; never score patients with it.",
        "scales:",
    ]
    for scale, (items, turned) in INVENTED_KEYS[instrument_id].items():
        lines.append(f"  {scale}: {{items: {numbers(items)}, reverse: {numbers(turned)}}}")
    return "\n".join(lines) + "\n"


def files() -> dict[str, str]:
    """Every file that this module writes, by its path below this folder."""
    tables = {f"{sheet.id}.csv": fixture(sheet) for sheet in SHEETS}
    return tables | {f"keys/{instrument_id}.yaml": key_file(instrument_id) for instrument_id in INVENTED_KEYS}


def main() -> None:
    """Writes the fixtures and the invented keys."""
    for name, text in files().items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
