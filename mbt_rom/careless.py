"""Forms whose answers look as if nobody had read the questions: flags on whole forms, never a deletion.

Belongs here: what can be seen from the order and repetition of the answers of one form, and for which instruments that means
anything. Does not belong here: answers that are not allowed (`acceptance`), what follows from a flag.

Three rules, on the items in the order of the form that share one range of answers:

- `answers_all_equal`: every answer is the same;
- `answers_one_long_string`: the same answer many times in a row, at least half of the items, but not throughout;
- `answers_repeat_a_pattern`: a sequence of 2 to 5 answers that is not constant comes again and again.

What an honest person may well answer is not flagged. On a list of symptoms that all point the same way a form of zeros is a
good day, and a form of fours a terrible one: there only answers *between* the ends count. Runs at the ends are common among
severely ill people: in a simulation of them 2.5 % gave the worst answer 27 times in a row, and nobody a middle one. Where a scale has
items keyed both ways, the same answer to all of them contradicts itself and every answer counts. Patterns are compared with the key: where the scales themselves take turns (avoidance, anxiety,
avoidance ...), so may honest answers.

Limits are set so that at most one honest form in a thousand is flagged by each rule, however ill or well the patient; tests
simulate it. A flag says "worth a look", for there are other reasons: a helper who ticked, a form that was misunderstood.
Random answers are not found by these rules.

Literature: Johnson (2005), Journal of Research in Personality 39:103-129 (longest string); Meade & Craig (2012),
Psychological Methods 17:437-455 (use several indices; do not trust one); Curran (2016), Journal of Experimental Social
Psychology 66:4-19 (half of the items as a rule of thumb for the longest string).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mbt_rom.model import Instrument, Item
from mbt_rom.scoring import BLOCK, MISSING, Answers, answers_of

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]
Column = npt.NDArray[np.int8]

ALL_EQUAL = "answers_all_equal"
ONE_LONG_STRING = "answers_one_long_string"
REPEAT_A_PATTERN = "answers_repeat_a_pattern"
RULES = (ALL_EQUAL, ONE_LONG_STRING, REPEAT_A_PATTERN)

#: Fewest equal answers of a form that can be flagged. With ten, one honest form in a hundred may have them all alike where
#: the answers are few and the questions much the same, with 15 up to three in a thousand, with 18 one.
LEAST_EQUAL = 18
#: Fewest answers of a string or a pattern, and the least share of the form that it takes up.
LEAST_IN_A_ROW = 20
STRING_SHARE, PATTERN_SHARE = 1 / 2, 1 / 5
PERIODS = range(2, 6)
#: Items that a pattern must go on for beyond what the key itself repeats.
BEYOND_KEY = 10
#: Fewest items that a scale must have in each direction before equal answers contradict each other.
LEAST_REVERSED = 2


@dataclass(frozen=True)
class Reading:
    """How the forms of one instrument are read.

    `items`: in the order of the form, with one range of answers. `plausible`: answers that an honest person may give
    throughout. `least_equal`: answers from which on an equal form is flagged; `longest_string` and `longest_pattern` (by period):
    lengths from which on a string or pattern is. `reasons`: for each rule that does not apply, why.
    """

    items: tuple[str, ...]
    plausible: frozenset[int]
    least_equal: int
    longest_string: int
    longest_pattern: dict[int, int]
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that apply."""
        return tuple(rule for rule in RULES if rule not in self.reasons)


def careless(definition: Instrument, answers: Answers) -> dict[str, Bools]:
    """For each rule that applies to the instrument, one boolean per form: True where the form is flagged.

    `answers`: one `int8` array per item in canonical coding, `MISSING` where there is no answer; row i is one form. For rules
    that do not apply there is no entry: `reading` says why. Missing answers are passed over when equal answers are counted,
    and end a pattern. Raises KeyError naming an item that is absent.

    >>> from mbt_rom.registry import instrument
    >>> bsi = instrument("bsi")
    >>> forms = {item: np.array([0, 2, i % 3], dtype=np.int8) for i, item in enumerate(bsi.item_ids)}
    >>> {rule: flags.tolist() for rule, flags in careless(bsi, forms).items()}
    {'answers_all_equal': [False, True, False], 'answers_one_long_string': [False, False, False],
     'answers_repeat_a_pattern': [False, False, True]}
    """
    read = reading(definition)
    if absent := [item for item in read.items if item not in answers]:
        raise KeyError(f"no answers were given for {', '.join(absent)}")
    columns = [np.asarray(answers[item]) for item in read.items]
    n = len(columns[0]) if columns else 0
    flags = {rule: np.zeros(n, dtype=bool) for rule in read.rules}
    for start in range(0, n, BLOCK):
        block = [column[start : start + BLOCK] for column in columns]
        for rule, found in _flags(read, block).items():
            flags[rule][start : start + BLOCK] = found
    return flags


def _flags(read: Reading, columns: list[Column]) -> dict[str, Bools]:
    found: dict[str, Bools] = {}
    if {ALL_EQUAL, ONE_LONG_STRING} & set(read.rules):
        found[ALL_EQUAL], found[ONE_LONG_STRING] = _equal_answers(read, columns)
    if REPEAT_A_PATTERN in read.rules:
        found[REPEAT_A_PATTERN] = np.zeros(len(columns[0]), dtype=bool)
        for period, least in read.longest_pattern.items():
            found[REPEAT_A_PATTERN] |= _pattern(columns, period=period, least=least)
    return {rule: found[rule] for rule in read.rules}


def _equal_answers(read: Reading, columns: list[Column]) -> tuple[Bools, Bools]:
    """Forms whose answers are all equal, and others that hold a long string; missing answers are passed over."""
    n = len(columns[0])
    last, run, answered = np.full(n, MISSING), np.zeros(n, dtype=np.int16), np.zeros(n, dtype=np.int16)
    varied, has_string = np.zeros((2, n), dtype=bool)
    for column in columns:
        present = column != MISSING
        same = column == last
        varied |= present & ~same & (answered > 0)
        run = run * (same | ~present) + present
        last = np.where(present, column, last)
        answered += present
        has_string |= (run >= read.longest_string) & _counts(read, last)
    equal = ~varied & (answered >= read.least_equal) & _counts(read, last)
    return equal, has_string & varied


def _counts(read: Reading, answers: Column) -> Bools:
    """True for answers that nobody is likely to give throughout."""
    counts = np.ones(len(answers), dtype=bool)
    for answer in read.plausible:
        counts &= answers != answer
    return counts


def _pattern(columns: list[Column], *, period: int, least: int) -> Bools:
    """Forms in which `least` answers in a row repeat after `period` items and are not all the same."""
    n = len(columns[0])
    run, varies, found = np.zeros(n, dtype=np.int16), *np.zeros((2, n), dtype=bool)
    for i in range(period, len(columns)):
        repeats = (columns[i] == columns[i - period]) & (columns[i] != MISSING)
        run = (run + np.int16(1)) * repeats
        varies = (varies | (columns[i] != columns[i - 1])) & repeats
        found |= varies & (run >= least - period)
    return found


# --- what can be read off a definition -----------------------------------------------------------------------------------


def careless_findings(definition: Instrument, items: pd.DataFrame, expected: pd.DataFrame) -> pd.DataFrame:
    """One notice per flagged form and rule: a findings table of the source `psychometrics`.

    `items`: rows of the items table; those that count are flagged, which is what `outcomes/expected` lists. No answer is told.
    """
    from mbt_rom.findings import as_findings

    rows = items[items["row_id"].isin(expected["row_id"].dropna())]
    place = rows[["programme_id", "delivery_id", "row_id", "sheet", "source_row"]].assign(item=definition.id)
    flagged = careless(definition, answers_of(definition, rows)) if len(rows) else {}
    found = [place[flags].assign(rule=rule) for rule, flags in flagged.items() if flags.any()]
    return as_findings(_stacked(found), source="psychometrics")


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def reading(definition: Instrument) -> Reading:
    """How forms of the instrument are read: which rules apply, and their limits.

    >>> from mbt_rom.registry import instrument
    >>> read = reading(instrument("bsi"))
    >>> sorted(read.plausible), read.least_equal, read.longest_string, read.longest_pattern
    ([0, 4], 18, 27, {2: 20, 3: 20, 4: 20, 5: 20})
    >>> reading(instrument("phq9")).reasons["answers_all_equal"]
    'equal answers are rare enough from 18 items on; the form has 9'
    """
    items = _one_range(definition)
    if not items:
        return Reading(
            (), frozenset(), LEAST_EQUAL, LEAST_IN_A_ROW, {}, dict.fromkeys(RULES, "the form has no scored items")
        )
    contradicts = _contradicts(definition, items)
    string = max(LEAST_IN_A_ROW, ceil(STRING_SHARE * len(items)))
    if contradicts:
        string = max(string, _consistent(definition, items) + 1)
    least = max(LEAST_IN_A_ROW, ceil(PATTERN_SHARE * len(items)))
    patterns = {period: max(least, _explained(definition, items, period) + BEYOND_KEY) for period in PERIODS}
    found = Reading(
        items=tuple(item.id for item in items),
        plausible=frozenset() if contradicts else frozenset({items[0].min, items[0].largest}),
        least_equal=LEAST_EQUAL,
        longest_string=string,
        longest_pattern={period: length for period, length in patterns.items() if length <= len(items)},
    )
    return replace(found, reasons=_reasons(definition, found, n_answers=items[0].largest - items[0].min + 1))


def _one_range(definition: Instrument) -> list[Item]:
    """The scored items, in the order of the form, that share the range of answers that most of them have."""
    scored = [item for item in definition.items if item.is_scored and item.max is not None]
    ranges = Counter((item.min, item.largest) for item in scored)
    return [item for item in scored if (item.min, item.largest) == ranges.most_common(1)[0][0]]


def _reasons(definition: Instrument, read: Reading, *, n_answers: int) -> dict[str, str]:
    if definition.kind not in ("self_report", "performance"):
        return dict.fromkeys(RULES, "the form is not filled in by the patient")
    n, reasons = len(read.items), {}
    if n < LEAST_EQUAL:
        reasons[ALL_EQUAL] = f"equal answers are rare enough from {LEAST_EQUAL} items on; the form has {n}"
    if n <= read.longest_string:
        reasons[ONE_LONG_STRING] = f"a string is told apart from {read.longest_string + 1} items on; the form has {n}"
    if len(read.plausible) == n_answers:
        reasons[ALL_EQUAL] = reasons[ONE_LONG_STRING] = "either of the two answers may be true throughout"
    if not read.longest_pattern:
        reasons[REPEAT_A_PATTERN] = f"a pattern takes at least {LEAST_IN_A_ROW} items; the form has {n}"
    return reasons


def _contradicts(definition: Instrument, items: list[Item]) -> bool:
    """True where a scale has several of the items in each direction, or where the answers are right or wrong."""
    ids = {item.id for item in items}
    if definition.kind == "performance":
        return True
    for scale in definition.scales:
        n_reversed = len(ids & set(scale.reverse))
        if min(n_reversed, len(ids & set(scale.items)) - n_reversed) >= LEAST_REVERSED:
            return True
    return False


def _consistent(definition: Instrument, items: list[Item]) -> int:
    """Length of the longest stretch of items without a scale that is keyed both ways within it; 0 for right and wrong answers."""
    if definition.kind == "performance":
        return 0
    longest = start = 0
    directions: list[dict[str, bool]] = []
    for stop, item in enumerate(items):
        directions.append({s.id: item.id in s.reverse for s in definition.scales if item.id in s.items})
        for earlier in range(stop - 1, start - 1, -1):
            if any(directions[earlier].get(scale, way) != way for scale, way in directions[stop].items()):
                start = earlier + 1
                break
        longest = max(longest, stop + 1 - start)
    return longest


def _explained(definition: Instrument, items: list[Item], period: int) -> int:
    """Length of the longest pattern of that period in the key itself: which scales an item belongs to, and which way."""
    keys = [tuple((s.id, item.id in s.reverse) for s in definition.scales if item.id in s.items) for item in items]
    longest = run = 0
    varies = False
    for i in range(period, len(keys)):
        repeats = keys[i] == keys[i - period]
        run = run + 1 if repeats else 0
        varies = repeats and (varies or keys[i] != keys[i - 1])
        if varies and run >= period:
            longest = max(longest, run + period)
    return longest
