"""Several moments beside each other in one row: 'T0_phq9_1' ... 'T12_phq9_9', 'phq9_1_m0' ... 'phq9_1_m6', 'wk01_phq1' ...

Belongs here: moments in names of columns, and the columns of each. Does not belong here: names without a moment (`names`), whether a
moment is one of the plan (`values`), what is taken in (`detection`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from mbt_rom.exports.names import Meaning, normalised

#: A word of a name that says of which moment it is.
_MARK = (
    r"(?:t|m|w|wk|week|wave|month|maand|mnd|meting|fu|followup|follow_up)_?\d{1,3}"
    r"|\d{1,3}_?(?:m|mnd|mo|wk|weken|weeks|maanden|months)"
    r"|pre|post|bl|baseline|base|start|intake|einde?|end|fu|followup|follow_up|voor|na|tussen"
    r"|voormeting|nameting|eindmeting|nulmeting|tussenmeting"
)
_MARKED = re.compile(rf"(?:^|_)(?P<mark>{_MARK})(?=_|$)", re.ASCII)
#: 'date_6' beside 'phq9_1_m6': the number alone.
_NUMBERED = re.compile(r"(?P<rest>[a-z_]+?)_?(?P<number>\d{1,3})", re.ASCII)
#: 'bdi2_1_6': another number behind that of the item.
_SUFFIXED = re.compile(r"(?P<rest>[a-z]\w*?)_(?P<number>\d{1,2})", re.ASCII)


@dataclass
class Wave:
    """The columns of one moment. `mark`: how their names call it. `rests`: position -> the name without it."""

    mark: str
    meanings: dict[int, tuple[Meaning, ...]] = field(default_factory=dict)
    rests: dict[int, str] = field(default_factory=dict)


def parted(name: str) -> tuple[str, str] | None:
    """The moment in a name and the name without it; None where none or more than one stands there.

    >>> parted("T0_phq9_1"), parted("phq9_1_m6"), parted("phq9.wk_2.sum"), parted("phq9_1"), parted("pre_phq9_1_m6")
    (('t0', 'phq9_1'), ('m6', 'phq9_1'), ('wk_2', 'phq9_sum'), None, None)
    """
    plain = normalised(name)
    found = list(_MARKED.finditer(plain))
    if len(found) != 1:
        return None
    rest = f"{plain[: found[0].start()]}_{plain[found[0].end() :]}".strip("_")
    return (found[0].group("mark"), re.sub(r"_+", "_", rest)) if rest else None


def waves(names: Mapping[int, str], meanings: Callable[[str], tuple[Meaning, ...]]) -> list[Wave]:
    """The moments, where there are several, of which some column is an item, in the order of the file. `names`: columns without a meaning of their own."""
    found: dict[str, Wave] = {}
    for position, name in names.items():
        pair = parted(name)
        if pair is not None and (meant := meanings(pair[1])):
            wave = found.setdefault(pair[0], Wave(pair[0]))
            wave.meanings[position], wave.rests[position] = meant, pair[1]
    kept = [wave for wave in found.values() if _has_items(wave)]
    kept = kept if len(kept) > 1 else []  # one alone may be any word
    kept = kept or _suffixed(names, meanings)
    kept += _lettered({i: name for i, name in names.items() if all(i not in w.meanings for w in kept)}, meanings)
    for position, name in names.items():
        numbered = _NUMBERED.fullmatch(normalised(name))
        if numbered is None or any(position in wave.meanings for wave in kept):
            continue
        mine = [wave for wave in kept if _number(wave.mark) == int(numbered.group("number"))]
        meant = tuple(m for m in meanings(numbered.group("rest")) if m.role in ("date", "submitted_at"))
        if len(mine) == 1 and meant:
            mine[0].meanings[position], mine[0].rests[position] = meant, numbered.group("rest")
    return kept


def _suffixed(names: Mapping[int, str], meanings: Callable[[str], tuple[Meaning, ...]]) -> list[Wave]:
    """Moments told by a number behind the number of every item, where at least two are: 'bdi2_1_0', 'date_0', 'bdi2_1_6', 'date_6'."""
    found: dict[str, Wave] = {}
    for position, name in names.items():
        matched = _SUFFIXED.fullmatch(normalised(name))
        meant = meanings(matched.group("rest")) if matched is not None else ()
        if matched is not None and meant:
            wave = found.setdefault(matched.group("number"), Wave(matched.group("number")))
            wave.meanings[position], wave.rests[position] = meant, matched.group("rest")
    kept = [wave for wave in found.values() if _has_items(wave)]
    return kept if len(kept) > 1 else []


def _lettered(names: Mapping[int, str], meanings: Callable[[str], tuple[Meaning, ...]]) -> list[Wave]:
    """Moments told by a letter at the end of every name, where at least two letters do: 'oq1a', 'oqtota', 'oq1b', 'oqtotb'."""
    found: dict[str, Wave] = {}
    for position, name in names.items():
        plain = normalised(name)
        rest, letter = plain[:-1].strip("_"), plain[-1:]
        meant = meanings(rest) if rest and "a" <= letter <= "d" else ()
        if meant := tuple(m for m in meant if m.role in ("item", "total", "date", "submitted_at", "complete")):
            wave = found.setdefault(letter, Wave(letter))
            wave.meanings[position], wave.rests[position] = meant, rest
    kept = [wave for _, wave in sorted(found.items()) if _has_items(wave)]
    return kept if len(kept) > 1 else []


def _has_items(wave: Wave) -> bool:
    return any(m.role == "item" and m.rank == 0 for several in wave.meanings.values() for m in several)


def _number(mark: str) -> int | None:
    digits = re.sub(r"\D", "", mark)
    return int(digits) if digits else None


def unlike(found: Collection[tuple[Wave, Mapping[int, Meaning]]]) -> bool:
    """Whether the moments of an instrument do not have the same items under the same names."""
    named = [{m.item: wave.rests[i] for i, m in columns.items()} for wave, columns in found]
    return any(one != named[0] for one in named)
