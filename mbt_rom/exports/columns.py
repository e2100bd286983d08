"""The columns of a sheet: what each may mean by its name, after its cells had a say.

Belongs here: names and cells of one column, looked at once. Does not belong here: columns held against each other (`detection`,
`accounts`), what names mean (`names`), what cells look like (`shapes`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property

import pandas as pd

from mbt_rom.exports import shapes
from mbt_rom.exports.codings import labels_told
from mbt_rom.exports.names import Meaning, Vocabulary, normalised
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.exports.understanding import WHY_NOT
from mbt_rom.exports.waves import parted, waves
from mbt_rom.exports.weights import weighed
from mbt_rom.model import Instrument, Item

#: Rank of a role that the tool itself states: before every name.
_STATED_BY_TOOL = -1
#: Roles that the tool states of columns which are never taken in.
LEFT = tuple(WHY_NOT)

#: Words of a text that is about a score, or about an answer that was changed.
_SCORE = re.compile(
    r"(?i)\b(?:sum|som|total|totaal|scores?|z-?score|mean|gemiddelde|or higher|of hoger|cut-?off|recoded|reversed|omgescoord|gespiegeld)\b"
)
_LONGEST_LABEL = 40
#: Columns that name the questionnaire of a row, and items called by nothing but a number.
_LIST = frozenset(
    [
        "vragenlijst",
        "questionnaire",
        "instrument",
        "lijst",
        "meetinstrument",
        "naam_vragenlijst",
        "questionnaire_name",
        "measure",
    ]
)
_BARE = re.compile(r"(?:item|vraag|question|frage|q|vr)_?(\d{1,3})")
#: Fewer numbered columns may be anything.
_FEWEST_OF_A_LIST = 8

#: A name that ends in a number, and a word behind it.
_TAILED = re.compile(r"(\w*?\d)_([a-z][a-z_]*)", re.ASCII)


class Columns:
    """The columns of a sheet, and what they may mean after their cells had a say. Cells are looked at once."""

    def __init__(
        self,
        sheet: RawSheet,
        vocabulary: Vocabulary,
        instruments: Mapping[str, Instrument],
        usual: Collection[str],
    ) -> None:
        self.sheet, self.vocabulary = sheet, vocabulary
        self.instruments, self.usual = instruments, usual
        self.in_text: set[int] = set()
        self.doubts: dict[int, tuple[Meaning, str]] = {}
        self._samples: dict[int, list[str]] = {}
        named = {i: self._named(i) for i, header in enumerate(sheet.headers) if header}
        named |= self._of_list(named)
        named |= self._with_topics(named)
        named |= self._of_moments(named)
        plain = {(m.role, m.instrument, m.item) for found in named.values() for m in found if not m.is_dressed}
        for i, found in named.items():
            named[i] = tuple(m for m in found if not m.is_dressed or (m.role, m.instrument, m.item) not in plain)
        self.meanings = {i: self._believed(i, found) for i, found in named.items()}
        self.waves = waves(self._unnamed(), vocabulary.meanings)
        for wave in self.waves:
            wave.meanings = {i: found for i, m in wave.meanings.items() if (found := self._believed(i, m))}
            self.meanings |= dict.fromkeys(wave.meanings, ())

    def sample(self, position: int) -> list[str]:
        """Some filled cells of a column."""
        if position not in self._samples:
            self._samples[position] = shapes.sample(self.sheet, position)
        return self._samples[position]

    def answers(self, position: int, instrument: Instrument, item: Item) -> list[str]:
        """Some filled cells of a column as answers of that item: with the tool's own scores and labels in the place of its codes."""
        labels, _ = labels_told(instrument, item)
        texts = pd.Series(self.sample(position), dtype="str")
        return [str(text) for text in weighed(texts, self.sheet.fact(position), labels)]

    def _of_list(self, named: Mapping[int, tuple[Meaning, ...]]) -> dict[int, tuple[Meaning, ...]]:
        """Items called 'Item1', 'Item2' ... beside a column that names the same one questionnaire on every row; or on a sheet of a
        workbook that is called by its whole name, where they are all its items, no more and no fewer."""
        codes = self.sheet.codes
        lists = [i for i, found in named.items() if not found and normalised(codes[i]) in _LIST]
        held = {str(text) for i in lists for text in self.sheet.frame.iloc[:, i].unique()}
        bare = {i: m for i, found in named.items() if not found and (m := _BARE.fullmatch(normalised(codes[i])))}
        numbers = sorted(int(m.group(1)) for m in bare.values())
        if not lists and self.sheet.name and numbers:
            held = {self.sheet.name} if self._are_all(self.sheet.name, numbers) else set()
        if len(held) != 1 or not self.vocabulary.spelled(name := held.pop()):
            return {}
        return {i: self.vocabulary.meanings(f"{name} item {m.group(1)}") for i, m in bare.items()}

    def _are_all(self, name: str, numbers: list[int]) -> bool:
        """Whether the numbers are those of all items of the one instrument of that name."""
        counts = [len(self.instruments[i].needed_items) for i in self.vocabulary.spelled(name) if i in self.instruments]
        return numbers in [list(range(1, n + 1)) for n in counts] and len(numbers) >= _FEWEST_OF_A_LIST

    def _with_topics(self, named: Mapping[int, tuple[Meaning, ...]]) -> dict[int, tuple[Meaning, ...]]:
        """Items with a word for their topic behind the number: 'bdi_1_sadness', 'bdi_2_pessimism' ...

        What stands behind the number of every item of an instrument, and nowhere twice, is no word for a time, a copy or a recoding.
        """
        codes = self.sheet.codes
        matches = {i: _TAILED.fullmatch(normalised(codes[i])) for i, found in named.items() if not found}
        tailed = {i: matched for i, matched in matches.items() if matched is not None}
        groups: dict[tuple[str | None, str | None], dict[int, Meaning]] = {}
        for i, matched in tailed.items():
            for m in self.vocabulary.meanings(matched.group(1)):
                if m.role == "item" and m.rank == 0 and m.item is not None:
                    groups.setdefault((m.instrument, m.prefix), {})[i] = m
        topics: dict[int, tuple[Meaning, ...]] = {}
        for (instrument, _), columns in groups.items():
            tails = {tailed[i].group(2) for i in columns}
            needed = set(self.instruments[str(instrument)].needed_items)
            if len(tails) == len(columns) and needed <= {m.item for m in columns.values()}:
                topics |= {i: (*topics.get(i, ()), m) for i, m in columns.items()}
        return topics

    def _of_moments(self, named: Mapping[int, tuple[Meaning, ...]]) -> dict[int, tuple[Meaning, ...]]:
        """Dates with a moment in brackets behind them, where there are several: 'Date of assessment (6 months)'. None is that of the row."""
        codes = self.sheet.codes
        dates = [i for i, found in named.items() if found and all(m.role in ("date", "submitted_at") for m in found)]
        marks = {i: pair[0] for i in dates if codes[i].rstrip().endswith(")") and (pair := parted(codes[i]))}
        return dict.fromkeys(marks, ()) if len(set(marks.values())) > 1 else {}

    def _unnamed(self) -> dict[int, str]:
        """Position -> name of the columns whose name, text and cells say nothing yet."""
        facts = self.sheet.fact
        return {
            i: self.sheet.codes[i]
            for i, found in self.meanings.items()
            if all(
                m.role == "item" and m.item is None and str(m.number).isalpha() for m in found
            )  # a lone letter may be that of a moment
            if i not in self.doubts and facts(i).role is None
        }

    def _named(self, position: int) -> tuple[Meaning, ...]:
        """What a column may mean by its names: what its tool says it is for, its own name, its question text."""
        fact = self.sheet.fact(position)
        names = (self.sheet.codes[position], *fact.others)
        named = next((found for name in names if (found := self.vocabulary.meanings(name))), ())
        if fact.role == "question_text":
            return self._in_text(position, self.sheet.headers[position].rpartition("/")[2]) or (
                Meaning(fact.role, _STATED_BY_TOOL),
            )
        if fact.role is not None:  # what the tool says goes before the name, but for the instrument in the name
            also = (m for m in named if m.role == fact.role and m.instrument is not None)
            return (Meaning(fact.role, _STATED_BY_TOOL), *also)
        text = fact.text or ""
        if named and len(text) <= _LONGEST_LABEL and _SCORE.search(text) and not self.vocabulary.named_in(text):
            named = tuple(m for m in named if m.role != "item")  # its text says that it is worked out from the items
        if named and all(m.rank > 0 and m.role != "patient" for m in named):
            told = self.vocabulary.field_in(text) if text else ()
            if any(m.role == "patient" for m in told):  # 'ID' with the label 'Participant number'
                self.in_text.add(position)
                return told
        if named:
            return named
        if (pair := parted(self.sheet.codes[position])) is not None and self.vocabulary.meanings(pair[1]):
            return ()  # one of several moments: see `waves`
        return self._in_text(position, self.sheet.headers[position])

    def _in_text(self, position: int, field: str) -> tuple[Meaning, ...]:
        """What the heading or the text of the question names: an item by either, a field by `field` or the text."""
        text = self.sheet.fact(position).text
        read = [self.vocabulary.named_in(t) for t in (self.sheet.headers[position], text) if t]
        read += [self.vocabulary.field_in(t) for t in (field, text) if t]
        found = next((one for one in read if one), ())
        if found:
            self.in_text.add(position)
        return found

    def _believed(self, position: int, found: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
        """Those meanings that the cells do not contradict; of the others the first is kept as a doubt."""
        believed = []
        for meaning in found:
            checked = meaning.role not in ("item", "total", *LEFT)
            against = shapes.against(meaning.role, self.sample(position)) if checked else None
            if against is None:
                believed.append(meaning)
            else:
                self.doubts.setdefault(position, (meaning, against))
        return tuple(believed)

    @cached_property
    def is_free_text(self) -> set[int]:
        """Positions of columns that hold what people wrote, as far as their names mean nothing else."""
        unnamed = [i for i, header in enumerate(self.sheet.headers) if header and not self.meanings.get(i)]
        stated = {i for i in range(len(self.sheet.headers)) if self.sheet.fact(i).role == "free_text"}
        return stated | {i for i in unnamed if shapes.is_free_text(self.sheet.headers[i], self.sample(i))}


def proposal(role: str, **more: str | None) -> dict[str, str]:
    """What a column probably is: role and, where known, instrument, item, moment, coding."""
    return {"role": role, **{key: value for key, value in more.items() if value is not None}}
