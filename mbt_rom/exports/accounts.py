"""What is said of every column: as what it is taken in, how sure that is and why; or what it probably is, for a person to confirm.

Belongs here: gathering the evidence of a sheet, holding forms against it, the sentences. Does not belong here: what evidence
counts (`evidence`), the plan of the sheet (`detection`), guesses about columns without a name of their own (`proposals`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mbt_rom.exports import answer_lists, shapes
from mbt_rom.exports.answer_lists import Judgement
from mbt_rom.exports.columns import LEFT, Columns, proposal
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.evidence import confidence
from mbt_rom.exports.names import Meaning
from mbt_rom.exports.proposals import proposals
from mbt_rom.exports.understanding import NOT_TAKEN_IN, described
from mbt_rom.model import Instrument, Item


@dataclass(frozen=True)
class Judged:
    """Items of a sheet after the answer lists and the cells had a say.

    `forms`: instrument -> position -> item, of forms that nothing contradicts; `doubtful`: those of the others. `codings`: instrument ->
    the codings that the answer lists tell. `fitting`: positions whose answer list is the instrument's. `against`: position -> what
    contradicts it, as the second half of a sentence. `suggested`: instrument -> the coding that its answer lists fit.
    """

    forms: dict[str, dict[int, Meaning]] = field(default_factory=dict)
    doubtful: dict[str, dict[int, Meaning]] = field(default_factory=dict)
    codings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fitting: set[int] = field(default_factory=set)
    against: dict[int, str] = field(default_factory=dict)
    suggested: dict[str, str] = field(default_factory=dict)

    def with_refused(self, refused: Mapping[str, tuple[dict[int, Meaning], ExportError]]) -> Judged:
        """The same with the forms of instruments whose columns cannot be theirs, and why."""
        doubtful = self.doubtful | {i: columns for i, (columns, _) in refused.items()}
        against = {p: f"{e.detail} ({e.rule})" for columns, e in refused.values() for p in columns}
        return replace(self, doubtful=doubtful, against=self.against | against)

    def without(self, instruments: Collection[str]) -> Judged:
        """The same with the forms of these instruments held up."""
        held_up = {i: columns for i, columns in self.forms.items() if i in instruments}
        forms = {i: columns for i, columns in self.forms.items() if i not in held_up}
        return replace(self, forms=forms, doubtful=self.doubtful | held_up)

    def and_also(self, others: Sequence[Judged]) -> Judged:
        """The same with what is held up, fits and speaks against columns in `others`: the other moments of the rows."""
        doubtful = dict(self.doubtful)
        for other in others:
            for i, columns in other.doubtful.items():
                doubtful[i] = doubtful.get(i, {}) | columns
        return Judged(
            forms=self.forms,
            doubtful=doubtful,
            codings={i: c for one in (*others, self) for i, c in one.codings.items()},
            fitting={i for one in (*others, self) for i in one.fitting},
            against={i: why for one in (*others, self) for i, why in one.against.items()},
            suggested={i: c for one in (*others, self) for i, c in one.suggested.items()},
        )


def judge_forms(columns: Columns, items: Mapping[str, dict[int, Meaning]]) -> Judged:
    """Holds the items of every instrument against the answer lists and the cells. One contradiction holds up the whole form."""
    judged = Judged()
    for instrument_id, named in items.items():
        instrument = columns.instruments[instrument_id]
        lists = {i: _judgement(columns, i, instrument, instrument.item(str(m.item))) for i, m in named.items()}
        judged.fitting.update(i for i, one in lists.items() if one.fits)
        against = {i: one.against for i, one in lists.items() if one.against is not None}
        for i, m in named.items():
            item = instrument.item(str(m.item))
            cells = answer_lists.against_cells(instrument, item, columns.answers(i, instrument, item))
            if cells is not None:
                against.setdefault(i, cells)
        for i in [i for i in against if named[i].item not in instrument.needed_items]:
            columns.doubts[i] = named[i], against.pop(i)  # what a form can do without holds up nothing but itself
        named = {i: m for i, m in named.items() if i not in columns.doubts}
        coding, unclear = _one_coding(instrument, named, lists)
        if unclear is not None:
            against |= {i: unclear for i in named if i not in against}
        judged.against.update(against)
        (judged.doubtful if against else judged.forms)[instrument_id] = named
        if coding is not None and not against:
            judged.codings[instrument_id] = (coding,)
        suggested = {one.suggested for one in lists.values()} - {None}
        if len(suggested) == 1:
            judged.suggested[instrument_id] = str(suggested.pop())
    return judged


def _judgement(columns: Columns, position: int, instrument: Instrument, item: Item) -> Judgement:
    fact = columns.sheet.fact(position)
    if not fact.answers or fact.scores:  # scores of the tool say what its answers are worth
        return Judgement()
    return answer_lists.judged(instrument, item, fact.answers, columns.sample(position))


def _one_coding(
    instrument: Instrument, named: Mapping[int, Meaning], lists: Mapping[int, Judgement]
) -> tuple[str | None, str | None]:
    """The one coding that all answer lists allow, and what is said where they contradict each other or are not enough."""
    told = [one.codings for one in lists.values() if one.codings is not None]
    if not told:
        return None, None
    common = frozenset.intersection(*told)
    if not common:
        return None, f"the answer lists of its columns name different codings of {instrument.name}"
    published = instrument.codings[0].id
    if published in common:
        return published, None
    unlisted = [i for i, m in named.items() if m.item in instrument.needed_items and lists[i].codings is None]
    if len(common) > 1 or unlisted:
        return (
            None,
            f"the answer lists are not enough to tell which coding of {instrument.name} holds for all its items",
        )
    return next(iter(common)), None


# What is said ---------------------------------------------------------------------------------------------------------


def tell(
    columns: Columns,
    taken: Mapping[int, Meaning],
    judged: Judged,
    *,
    register: str | None = None,
    blocks: Mapping[int, int] | None = None,
    moments: Mapping[int, str] | None = None,
) -> list[dict[str, Any]]:
    """One entry per column of the sheet (`understanding.described`). `taken`: position -> what it is taken in as. `blocks`: position ->
    which of several forms of its instrument it belongs to, where that is not the first. `moments`: position -> its moment of several."""
    told: dict[int, dict[str, Any]] = {}
    for position, meaning in taken.items():
        told[position] = _taken(columns, position, meaning, judged, register)
        if meaning.instrument is not None:
            told[position]["block"] = (blocks or {}).get(position, 0)
        if moments and position in moments:
            told[position]["moment"] = moments[position]
    for instrument_id, named in judged.doubtful.items():
        told |= {i: _held_up(columns, i, m, judged, judged.suggested.get(instrument_id)) for i, m in named.items()}
    for position, (meaning, against) in columns.doubts.items():
        if position not in told:
            told[position] = _doubted(columns, position, meaning, against)
    reasons = {i: _FREE_TEXT for i in columns.is_free_text if i not in told and columns.sheet.fact(i).role is None}
    left = [i for i, header in enumerate(columns.sheet.headers) if header and i not in told and i not in reasons]
    facts = columns.sheet.fact
    left = [i for i in left if facts(i).role not in LEFT and not facts(i).is_derived]
    told |= proposals(columns, left, taken)
    return described(columns.sheet, told, reasons)


_FREE_TEXT = "free text: what people wrote is not taken in"


def _taken(columns: Columns, position: int, meaning: Meaning, judged: Judged, register: str | None) -> dict[str, Any]:
    is_item = meaning.role == "item"
    instrument = columns.instruments.get(str(meaning.instrument))
    kinds, said = _evidence(columns, position, meaning, judged)
    entry: dict[str, Any] = {
        "role": meaning.role if register is None else f"{register}: {meaning.role}",
        "instrument": meaning.instrument,
        "item": meaning.item,
        "block": 0 if meaning.instrument is not None else None,
        "confidence": confidence(kinds),
        "reason": said,
    }
    if is_item and instrument is not None:
        entry["coding"] = coding_said(instrument, judged.codings.get(instrument.id, ()))
        if instrument.id in judged.codings:
            entry["is_coding_told"] = True
    if meaning.scale is not None:
        entry["scale"] = meaning.scale
    return entry


def coding_said(instrument: Instrument, codings: Collection[str]) -> str:
    """The names of the codings that hold for a form; the published one where nobody stated any."""
    return ", ".join(codings) or (instrument.codings[0].id if instrument.codings else "canonical")


def _evidence(columns: Columns, position: int, meaning: Meaning, judged: Judged) -> tuple[list[str], str]:
    """Kinds of evidence for what a column is taken in as, and the sentence that tells them."""
    kind = "name_in_text" if position in columns.in_text else "other_name" if meaning.rank > 0 else "name"
    if columns.sheet.fact(position).role is not None and position not in columns.in_text:
        return ["tool"], "the survey tool keeps this column for it"
    kinds, said = [kind], [_named(columns, position, meaning)]
    instrument = columns.instruments.get(str(meaning.instrument))
    if meaning.role == "total" and instrument is not None:
        said.append(f"a stored score of {instrument.name}, never an item: only compared with its items")
    if meaning.role == "item" and instrument is not None and meaning.item is not None:
        kinds.append("siblings")
        item = instrument.item(str(meaning.item))
        if position in judged.fitting:
            kinds.append("answer_list")
            said.append(f"its answer list is that of {instrument.name}")
        if answer_lists.fit_cells(item, columns.answers(position, instrument, item)):
            kinds.append("values")
            said.append(f"answers {item.bounds} as {instrument.name} has")
    if meaning.role in ("date", "submitted_at") and shapes.may_be_dates(columns.sample(position)) > shapes.MOST:
        kinds.append("values")
        said.append("it holds dates")
    return kinds, "; ".join(said)


def _named(columns: Columns, position: int, meaning: Meaning) -> str:
    name = columns.sheet.codes[position]
    shown = name if len(name) <= 40 else f"{name[:37]}..."
    if position in columns.in_text and meaning.item is None:
        return f"its text names the {meaning.role.replace('_', ' ')}"
    if position in columns.in_text:
        instrument = columns.instruments[str(meaning.instrument)]
        return f"its text names {instrument.name}, number {meaning.number}"
    if meaning.role == "item" and meaning.number is not None:
        item = columns.instruments[str(meaning.instrument)]
        number = item.item(meaning.item).number if meaning.item is not None else meaning.number
        return f"named {shown}, number {number}"
    return f"named {shown}"


def _held_up(columns: Columns, position: int, meaning: Meaning, judged: Judged, coding: str | None) -> dict[str, Any]:
    """An item of a form that is held up: by this column, or by another one of the form."""
    kinds, _ = _evidence(columns, position, meaning, judged)
    own = judged.against.get(position)
    other = next((i for i in judged.against if i in judged.doubtful[str(meaning.instrument)]), position)
    name = columns.instruments[str(meaning.instrument)].name
    why = own or f"column '{columns.sheet.headers[other]}' of {name} contradicts its name, and a form is taken in whole"
    return {
        "confidence": confidence(kinds, is_contradicted=True),
        "reason": f"{_named(columns, position, meaning)}, but {why}",
        "proposal": proposal("item", instrument=meaning.instrument, item=meaning.item, coding=coding),
    }


def _doubted(columns: Columns, position: int, meaning: Meaning, against: str) -> dict[str, Any]:
    kinds, _ = _evidence(columns, position, meaning, Judged())
    likely = "date" if against == "it holds dates" else None
    return {
        "confidence": confidence(kinds, is_contradicted=True),
        "reason": f"{_named(columns, position, meaning)}, but {against}",
        "proposal": proposal(likely or meaning.role, instrument=meaning.instrument, item=meaning.item),
    }


def without_form(told: list[dict[str, Any]], instrument: str, why: str) -> list[dict[str, Any]]:
    """The same columns where the forms of one instrument wait for a person, all others being taken in."""
    return [
        {**_as_proposal(entry, why), "confidence": confidence(["name"], is_contradicted=True)}
        if entry["instrument"] == instrument and entry["role"] != NOT_TAKEN_IN
        else entry
        for entry in told
    ]


def as_proposals(told: list[dict[str, Any]], why: str) -> list[dict[str, Any]]:
    """The same columns of a file of which nothing is taken in: all that was understood becomes what a person may confirm."""
    return [_as_proposal(entry, why) if entry["role"] != NOT_TAKEN_IN else entry for entry in told]


def _as_proposal(entry: dict[str, Any], why: str) -> dict[str, Any]:
    keys = ("instrument", "item", "coding", "scale", "moment")
    meant = proposal(entry["role"], **{key: entry.get(key) for key in keys})
    nothing = {"role": NOT_TAKEN_IN, "instrument": None, "item": None, "block": None, "coding": None}
    return {**entry, **nothing, "proposal": meant, "reason": f"{entry['reason']}; {why}"}
