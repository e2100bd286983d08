"""Invented sittings and how they are delivered: the truth that every exporter writes down in its tool's way.

Belongs here: sittings, their fate, and Hypothesis strategies for both. Does not belong here: what a tool writes (`tools`).

A sitting is one patient filling in one or two questionnaires on one day. Its fate says what is delivered: the sitting as it is,
twice, first half finished and later finished, or with an answer that is no answer.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from hypothesis import strategies as st

from mbt_rom import registry

PHQ9, EQ5D5L = registry.instrument("phq9"), registry.instrument("eq5d5l")
INSTRUMENTS = {"phq9": PHQ9, "eq5d5l": EQ5D5L}
MOMENTS = {"baseline": date(2025, 1, 6), "m6": date(2025, 7, 7), "m12": date(2026, 1, 5)}
#: An answer that no item has, of questions 1 to 9 of the PHQ-9.
NO_ANSWER = 7

Fate = Literal["once", "twice", "finished_later", "bad"]
Answers = Mapping[str, int | None]


@dataclass(frozen=True)
class Sitting:
    """`answers`: instrument -> item -> answer, None where left open; instruments that were not filled in are absent."""

    patient: str
    moment: str
    day: date
    response: str
    answers: Mapping[str, Answers]
    is_finished: bool = True

    def half(self) -> Sitting:
        """The sitting as it stood before it was finished: only the first answers of its first questionnaire."""
        name, answers = next(iter(self.answers.items()))
        kept = list(answers)[: max(1, len(answers) // 3)]
        begun = {item: answers[item] if item in kept else None for item in answers}
        return Sitting(self.patient, self.moment, self.day, self.response, {name: begun}, is_finished=False)

    def with_bad_answer(self) -> Sitting:
        """The sitting with one answer that the PHQ-9 does not have."""
        bad = {**self.answers["phq9"], "phq9_03": NO_ANSWER}
        return Sitting(self.patient, self.moment, self.day, self.response, {**self.answers, "phq9": bad})


@dataclass(frozen=True)
class Case:
    """Two deliveries of one programme, and the truth behind them.

    `shuffled` gives the order of columns and rows. `is_cumulative`: the second delivery holds everything, not only what is new.
    """

    sittings: Sequence[tuple[Sitting, Fate]]
    second: frozenset[int]
    is_cumulative: bool
    seed: int
    option: int = 0

    def shuffled(self, things: Sequence[str]) -> list[str]:
        """The things in an order of this case's own, always the same."""
        order = list(things)
        random.Random(self.seed).shuffle(order)
        return order

    def deliveries(self) -> list[list[Sitting]]:
        """What stands in the first export and in the second."""
        first: list[Sitting] = []
        second: list[Sitting] = []
        for n, (sitting, fate) in enumerate(self.sittings):
            shown = sitting.with_bad_answer() if fate == "bad" else sitting
            if fate == "finished_later":
                first.append(sitting.half())
                second.append(sitting)
            elif fate == "twice":
                first.append(shown)
                second.append(shown)
            elif n in self.second:
                second.append(shown)
            else:
                first.append(shown)
                second += [shown] if self.is_cumulative else []
        order = random.Random(self.seed)
        for rows in (first, second):
            order.shuffle(rows)
        return [rows for rows in (first, second) if rows]

    def accepted(self) -> set[tuple[str, str, str, tuple[int | None, ...]]]:
        """Every form that must count: patient, moment, instrument and its answers in item order."""
        return {
            (s.patient, s.moment, name, tuple(answers.get(i) for i in INSTRUMENTS[name].item_ids))
            for s, fate in self.sittings
            for name, answers in s.answers.items()
            if not (fate == "bad" and name == "phq9")
        }

    def n_bad(self) -> int:
        """Number of forms that must be set aside."""
        return sum(fate == "bad" for _, fate in self.sittings)


def _answers(instrument: str) -> st.SearchStrategy[dict[str, int | None]]:
    items = INSTRUMENTS[instrument].items
    columns = {
        i.id: st.one_of(st.integers(i.min, i.largest), st.integers(i.min, i.largest), st.none())
        if instrument == "phq9"
        else st.integers(i.min, i.largest)
        for i in items
    }
    return st.fixed_dictionaries(columns).filter(_is_begun)


def _is_begun(answers: Mapping[str, int | None]) -> bool:
    """A form whose first questions hold an answer, so that it can be told from one that nobody opened."""
    return any(list(answers.values())[i] is not None for i in range(3))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to seven sittings of four patients at three moments, with their fates."""
    places = [(p, m) for p in ("1001", "1002", "1003", "2001") for m in MOMENTS]
    chosen = draw(st.lists(st.sampled_from(places), unique=True, min_size=1, max_size=7))
    sittings = []
    for n, (patient, moment) in enumerate(chosen):
        day = MOMENTS[moment] + timedelta(days=draw(st.integers(0, 20)))
        names = draw(st.sampled_from([("phq9", "eq5d5l"), ("phq9",), ("eq5d5l",)]))
        answers = {name: draw(_answers(name)) for name in names}
        fates: list[Fate] = ["once", "once", "twice", "finished_later", *(["bad"] if "phq9" in names else [])]
        sittings.append((Sitting(patient, moment, day, f"{n + 41}", answers), draw(st.sampled_from(fates))))
    second = frozenset(draw(st.sets(st.integers(0, len(sittings) - 1))))
    return Case(sittings, second, draw(st.booleans()), draw(st.integers(0, 10_000)), draw(st.integers(0, 11)))
