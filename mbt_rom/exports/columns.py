"""The columns of a sheet: what each may mean by its name, after its cells had a say.

Belongs here: names and cells of one column, looked at once. Does not belong here: columns held against each other (`detection`,
`accounts`), what names mean (`names`), what cells look like (`shapes`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

import pandas as pd

from mbt_rom.exports import shapes
from mbt_rom.exports.codings import labels_told
from mbt_rom.exports.names import Meaning, Vocabulary
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.exports.understanding import WHY_NOT
from mbt_rom.exports.waves import waves
from mbt_rom.exports.weights import weighed
from mbt_rom.model import Instrument, Item

#: Rank of a role that the tool itself states: before every name.
_STATED_BY_TOOL = -1
#: Roles that the tool states of columns which are never taken in.
LEFT = tuple(WHY_NOT)


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
        self.meanings = {i: self._believed(i, found) for i, found in named.items()}
        self.waves = waves(self._unnamed(), vocabulary.meanings)
        for wave in self.waves:
            wave.meanings = {i: found for i, m in wave.meanings.items() if (found := self._believed(i, m))}

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

    def _unnamed(self) -> dict[int, str]:
        """Position -> name of the columns whose name, text and cells say nothing yet."""
        facts = self.sheet.fact
        return {
            i: self.sheet.codes[i]
            for i, found in self.meanings.items()
            if not found and i not in self.doubts and facts(i).role is None
        }

    def _named(self, position: int) -> tuple[Meaning, ...]:
        """What a column may mean by its names: what its tool says it is for, its own name, its question text."""
        fact = self.sheet.fact(position)
        names = (self.sheet.codes[position], *fact.others)
        named = next((found for name in names if (found := self.vocabulary.meanings(name))), ())
        if fact.role is not None:  # what the tool says goes before the name, but for the instrument in the name
            also = (m for m in named if m.role == fact.role and m.instrument is not None)
            return (Meaning(fact.role, _STATED_BY_TOOL), *also)
        if named:
            return named
        for text in dict.fromkeys(t for t in (self.sheet.headers[position], fact.text) if t):
            if found := self.vocabulary.named_in(text) or self.vocabulary.field_in(text):
                self.in_text.add(position)
                return found
        return ()

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
