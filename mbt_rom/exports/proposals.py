"""What columns without a name of their own probably are: for a person to confirm, never to be taken in.

Belongs here: guesses, each with its reason and a confidence below the threshold. Does not belong here: names (`names`), what
follows for the file (`detection`). A guess by stem, text or values only saves typing in the drafted mapping file.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mbt_rom.exports import answer_lists, shapes, values
from mbt_rom.exports.columns import Columns, proposal
from mbt_rom.exports.evidence import WITHOUT_A_NAME, confidence
from mbt_rom.exports.names import Meaning, normalised
from mbt_rom.exports.role_names import FORM_ROLES
from mbt_rom.model import Instrument, Item

_STEM = re.compile(r"(\w*?)_?0*(\d{1,3})", re.ASCII)
#: Words that stand for a moment before or behind the name of an item: 't0_phq9_1', 'phq9_1_m6', 'pre_phq9_1'.
_WAVE = re.compile(
    r"(?P<first>t\d{1,2}|m\d{1,2}|pre|post|voor|na|baseline|intake|start|eind|followup|follow_up|fu\d?|w\d{1,2}|wave_?\d)_(?P<rest>\w+)"
    r"|(?P<front>\w+?)_(?P<last>t\d{1,2}|m\d{1,2}|pre|post|voor|na|baseline|intake|start|eind|followup|follow_up|fu\d?|w\d{1,2}|wave_?\d)",
    re.ASCII,
)
#: Role -> words within a name that point to it.
_WORDS: dict[str, frozenset[str]] = {
    "patient": frozenset(
        [
            "patient",
            "client",
            "clientnr",
            "patientnr",
            "deelnemer",
            "participant",
            "respondent",
            "pseudoniem",
            "casenr",
            "resp",
            "id",
            "nr",
            "code",
            "kode",
        ]
    ),
    "date": frozenset(["date", "datum", "dag", "day", "invuldatum", "afnamedatum"]),
    "moment": frozenset(["moment", "meetmoment", "meting", "wave", "timepoint", "fase", "meetronde", "ronde"]),
    "programme": frozenset(["programma", "programme", "afdeling", "locatie", "vestiging", "team", "unit", "site"]),
    "complete": frozenset(["compleet", "complete", "completed", "voltooid", "afgerond", "finished", "status"]),
}
#: Fewer numbered columns than this are no guess, unless their texts name an instrument: three columns are anything.
FEWEST_OF_A_STEM = 5
#: The most words that a name of such a field has: longer ones are questions.
_MOST_WORDS = 4


def proposals(columns: Columns, positions: Sequence[int], taken: Mapping[int, Meaning]) -> dict[int, dict[str, Any]]:
    """Position -> confidence, reason and proposal of the columns about which something can be said."""
    found = _unassumed(columns, positions, items_only=bool(taken))
    found |= {i: w for i in positions if i not in found and (w := _wave(columns, i)) is not None}
    rest = [i for i in positions if i not in found]
    found |= _stems(columns, rest)
    roles = {meaning.role for meaning in taken.values()}
    rest = [i for i in rest if i not in found]
    return found | {i: r for i in rest if (r := _role(columns, i, roles)) is not None}


def _entry(kinds: Sequence[str], reason: str, meant: dict[str, str]) -> dict[str, Any]:
    return {
        "confidence": min(confidence(kinds), WITHOUT_A_NAME),
        "reason": f"{reason}; to be confirmed",
        "proposal": meant,
    }


def _unassumed(columns: Columns, positions: Sequence[int], *, items_only: bool) -> dict[int, dict[str, Any]]:
    """Columns with a name of their own that were not taken in all the same: of a sheet or form that could not be."""
    found = {}
    for i in positions:
        named = [m for m in columns.meanings.get(i, ()) if m.role == "item" or not (items_only or m.role == "total")]
        if not named:
            continue
        sure = named[0] if len({(m.role, m.instrument, m.item) for m in named}) == 1 else None
        meant = sure or next((m for m in named if m.instrument in columns.usual), named[0])
        reason = f"named {columns.sheet.codes[i][:40]}, but nothing was taken in as that"
        kinds = ["name" if sure else "other_name"]
        found[i] = _entry(kinds, reason, proposal(meant.role, instrument=meant.instrument, item=meant.item))
    return found


def _wave(columns: Columns, position: int) -> dict[str, Any] | None:
    """An item, or a field of forms, with a moment in its name: several forms of a row, which a mapping file must tell apart."""
    matched = _WAVE.fullmatch(normalised(columns.sheet.codes[position]))
    if matched is None:
        return None
    rest = matched.group("rest") or matched.group("front")
    word = matched.group("first") or matched.group("last")
    moment = values.moment(word) or word
    named = columns.vocabulary.meanings(rest)
    meant = [m for m in named if m.role == "item" and m.item and m.rank == 0]
    if len(meant) > 1:
        meant = [m for m in meant if m.instrument in columns.usual]
    if len(meant) == 1:
        instrument = columns.instruments[str(meant[0].instrument)]
        number = instrument.item(str(meant[0].item)).number
        said = f"{instrument.name}, number {number}, with a moment ('{word}') in its name: forms beside each other on a row"
        found = proposal("item", instrument=instrument.id, item=meant[0].item, moment=moment)
        return _entry(["part_of_name", "siblings"], said, found)
    role = next((m for m in named if m.role in FORM_ROLES), None)
    if role is None:
        return None
    said = f"the {role.role.replace('_', ' ')} of the forms of one moment ('{word}')"
    return _entry(["part_of_name"], said, proposal(role.role, instrument=role.instrument, moment=moment))


# Columns of one stem --------------------------------------------------------------------------------------------------


def _stems(columns: Columns, positions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Numbered columns of one stem, as many as an instrument has items, whose cells it could have."""
    groups: dict[str, dict[int, str]] = {}
    for i in positions:
        matched = _STEM.fullmatch(normalised(columns.sheet.codes[i]))
        if matched is not None:
            groups.setdefault(matched.group(1), {})[i] = str(int(matched.group(2)))
    several = [g for g in groups.items() if len(g[1]) >= 3 and len(set(g[1].values())) == len(g[1])]
    guesses = [guess for stem, numbers in several if (guess := _group(columns, stem, numbers))]
    guessed = [next(iter(guess.values()))["proposal"]["instrument"] for guess in guesses]
    unlike = [g for g, instrument in zip(guesses, guessed, strict=True) if guessed.count(instrument) == 1]
    return {i: entry for guess in unlike for i, entry in guess.items()}


def _group(columns: Columns, stem: str, numbers: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    in_text = _instruments_in_texts(columns, numbers)
    if len(numbers) < FEWEST_OF_A_STEM and not in_text:
        return {}
    fitting = [d for d in columns.instruments.values() if _could_be(columns, d, numbers)]
    for preferred in (in_text, columns.usual):
        if len(kept := [d for d in fitting if d.id in preferred]) == 1:
            fitting = kept
    if len(fitting) != 1:
        return {}
    instrument = fitting[0]
    by_number = {item.number: item for item in instrument.items}
    return {i: _member(columns, i, by_number[n], instrument, stem, in_text) for i, n in numbers.items()}


def _member(
    columns: Columns, position: int, item: Item, instrument: Instrument, stem: str, in_text: Collection[str]
) -> dict[str, Any]:
    kinds, said = ["stem"], [f"one of {len(instrument.needed_items)} columns called '{stem}' with a number"]
    if instrument.id in in_text:
        kinds.append("text")
        said.append(f"texts that name {instrument.name}")
    answers = columns.sheet.fact(position).answers
    judged = answer_lists.judged(instrument, item, answers, columns.sample(position)) if answers else None
    if judged is not None and judged.fits:
        kinds.append("answer_list")
        said.append("its answer list")
    if answer_lists.fit_cells(item, columns.answers(position, instrument, item)):
        kinds.append("values")
        said.append(f"answers {item.bounds}")
    told = sorted(judged.codings or ()) if judged is not None else []
    coding = told[0] if len(told) == 1 else judged.suggested if judged is not None else None
    coding = coding or answer_lists.other_coding(instrument, item, columns.answers(position, instrument, item))
    meant = proposal("item", instrument=instrument.id, item=item.id, coding=coding)
    return _entry(kinds, f"perhaps {instrument.name}, number {item.number}: {', '.join(said)}", meant)


def _instruments_in_texts(columns: Columns, positions: Collection[int]) -> frozenset[str]:
    """Instruments that most texts (or the section or sheet) of these columns name."""
    named = [set(columns.vocabulary.instruments_in(_texts_of(columns, i))) for i in positions]
    every = set().union(*named)
    return frozenset(i for i in every if sum(i in one for one in named) * 2 > len(named))


def _texts_of(columns: Columns, position: int) -> str:
    fact = columns.sheet.fact(position)
    return " ; ".join(t for t in (fact.text, fact.form, columns.sheet.headers[position], columns.sheet.name) if t)


def _could_be(columns: Columns, instrument: Instrument, numbers: Mapping[int, str]) -> bool:
    """Whether all numbers are items of it, none that it needs is missing, and the cells could be its answers."""
    by_number = {item.number: item for item in instrument.items}
    if not all(number in by_number for number in numbers.values()):
        return False
    if not {instrument.item(i).number for i in instrument.needed_items} <= set(numbers.values()):
        return False
    return all(_cells_could_be(columns, i, instrument, by_number[n]) for i, n in numbers.items())


def _cells_could_be(columns: Columns, position: int, instrument: Instrument, item: Item) -> bool:
    """Whether the answer list or the cells are those of the item, under any of its codings."""
    answers, texts = columns.sheet.fact(position).answers, columns.answers(position, instrument, item)
    if answers:
        judged = answer_lists.judged(instrument, item, answers, columns.sample(position))
        if judged.fits or judged.suggested is not None:
            return True
        if judged.against is not None:
            return False
    return bool(texts) and answer_lists.all_readable(instrument, item, texts)


# Roles ----------------------------------------------------------------------------------------------------------------


def _role(columns: Columns, position: int, taken: Collection[str]) -> dict[str, Any] | None:
    """A field whose name has a usual word in it, unless the sheet has that field already."""
    name = columns.sheet.codes[position]
    words = normalised(name).split("_")
    texts = columns.sample(position)
    if len(words) > _MOST_WORDS or columns.vocabulary.instruments_in(name):
        return None
    for role, known in _WORDS.items():
        if role in taken or known.isdisjoint(words) or shapes.against(role, texts) is not None:
            continue
        kinds = ["part_of_name"]
        if role == "date" and shapes.may_be_dates(texts) > shapes.MOST:
            kinds.append("values")
        return _entry(kinds, f"a word of its name points to the {role.replace('_', ' ')}", proposal(role))
    return None
