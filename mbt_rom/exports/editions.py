"""Which instrument is meant by columns whose name several instruments share: iip, rfq, eq5d, bdi2 and bdi.

Belongs here: deciding that by the names and numbers of the columns alone. Does not belong here: spellings (`names`), whether an
instrument has all its columns (`detection`), what the answers say (`answers`): nobody's answers tell 3L from 5L.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from mbt_rom.exports.answers import about_count
from mbt_rom.exports.errors import ExportError
from mbt_rom.exports.names import Meaning
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.model import Instrument

#: Position of a column -> all items that its header may mean.
Found = Mapping[int, Sequence[Meaning]]


def decided(
    found: Found, sheet: RawSheet, instruments: Mapping[str, Instrument], *, usual: Collection[str]
) -> dict[int, Meaning]:
    """Position -> the one item that is meant. Columns that are left over as totals are not among them.

    Of the instruments that share a name those are dropped which do not have the number of some column, or whose items are not
    all there: 64 columns called iip cannot be an IIP-32. Of several that are left, the one counts that other columns name
    outright, or else the only one among the `usual` instruments of the programme.

    Raises `ExportError` edition_ambiguous where two are left, item_count_wrong where none is.
    """
    plain = _of_one_name(found)
    sure = {m[0].instrument for m in plain.values() if len(m) == 1}
    chosen = {i: m[0] for i, m in plain.items() if len(m) == 1}
    for prefix in dict.fromkeys(m[0].prefix for m in plain.values() if len(m) > 1):
        group = {i: m for i, m in plain.items() if len(m) > 1 and m[0].prefix == prefix}
        if any(m[0].rank == 0 for m in group.values()):
            mine = _edition(group, chosen, sheet, instruments, preferred=(sure, usual))
            chosen |= {i: m for i, several in group.items() for m in several if m.instrument == mine}
    return dict(sorted(chosen.items()))


def renumbered(found: Found, instruments: Mapping[str, Instrument]) -> dict[int, list[Meaning]]:
    """The same, where all items of an instrument are lettered (a, b, c ...) or counted from 0: with the items that these are.

    That is told only by all of them standing there, no more and no fewer; a letter that stands there otherwise means nothing.
    """
    groups: dict[tuple[str, str], set[str]] = {}
    for several in found.values():
        for m in several:
            groups.setdefault((str(m.instrument), str(m.prefix)), set()).add(str(m.number))
    orders = {group: _order(instruments[group[0]], numbers) for group, numbers in groups.items()}
    new: dict[int, list[Meaning]] = {}
    for position, several in found.items():
        kept = [_renamed(m, orders[str(m.instrument), str(m.prefix)]) for m in several]
        if any(kept):
            new[position] = [m for m in kept if m is not None]
    return new


def _order(instrument: Instrument, numbers: set[str]) -> dict[str, str]:
    """Letter, or number from 0 on -> item, where these are all that the instrument has, or all that it needs."""
    by_number = {item.number: item.id for item in instrument.items}
    n = len(numbers)
    if n not in (len(instrument.items), len(instrument.needed_items)) or not {str(i) for i in range(1, n + 1)} <= set(
        by_number
    ):
        return {}
    for named in ([chr(ord("a") + i) for i in range(min(n, 26))], [str(i) for i in range(n)]):
        if set(named) == numbers:
            return {name: by_number[str(i + 1)] for i, name in enumerate(named)}
    return {}


def _renamed(meaning: Meaning, order: Mapping[str, str]) -> Meaning | None:
    number = str(meaning.number)
    if number in order:
        return replace(meaning, item=order[number])
    return None if meaning.item is None and number.isalpha() and len(number) == 1 else meaning


def _of_one_name(found: Found) -> dict[int, Sequence[Meaning]]:
    """Where a header may begin with two names of an instrument ('bdi21'), the one that other columns begin with."""
    sure = {(m.instrument, m.prefix) for several in found.values() for m in several if m.rank == 0}
    kept: dict[int, Sequence[Meaning]] = {}
    for position, several in found.items():
        named = [m for m in several if len({x.prefix for x in several}) == 1 or (m.instrument, m.prefix) in sure]
        if named:
            kept[position] = [m for m in named if m.prefix == named[0].prefix]
    return kept


def _edition(
    group: Found,
    chosen: Mapping[int, Meaning],
    sheet: RawSheet,
    instruments: Mapping[str, Instrument],
    *,
    preferred: Sequence[Collection[str | None]],
) -> str:
    candidates = list(dict.fromkeys(str(m.instrument) for several in group.values() for m in several))
    fitting = [i for i in candidates if _fits(instruments[i], group, chosen)]
    if len(fitting) == 1:
        return fitting[0]
    for named in preferred:
        if len(kept := [i for i in fitting or candidates if i in named]) == 1:
            return kept[0]
    raise _ambiguous(fitting, group, sheet) if fitting else _wrong_count(candidates, group, sheet, instruments)


def _fits(instrument: Instrument, group: Found, chosen: Mapping[int, Meaning]) -> bool:
    """Whether every column of the group is one of its items, and no item that it needs is without a column."""
    mine = [[m.item for m in several if m.instrument == instrument.id] for several in group.values()]
    elsewhere = {m.item for m in chosen.values() if m.instrument == instrument.id}
    is_known = all(items and None not in items for items in mine)
    return is_known and set(instrument.needed_items) <= elsewhere | {item for items in mine for item in items}


def _ambiguous(fitting: Sequence[str], group: Found, sheet: RawSheet) -> ExportError:
    return ExportError(
        "edition_ambiguous",
        f"the name does not say whether {' or '.join(fitting)} was filled in, and the programme's 'instruments' do not "
        "name just one",
        sheet=sheet.name,
        column=sheet.headers[next(iter(group))],
    )


def _wrong_count(
    candidates: Sequence[str], group: Found, sheet: RawSheet, instruments: Mapping[str, Instrument]
) -> ExportError:
    n = len({several[0].number for several in group.values()})
    telling = [i for i in candidates if n in instruments[i].wrong_counts] or candidates
    explained = " ".join(dict.fromkeys(about_count(instruments[i], n) for i in telling))
    return ExportError(
        "item_count_wrong",
        f"{n} columns fit neither {' nor '.join(instruments[i].name for i in candidates)}. {explained}",
        sheet=sheet.name,
        column=sheet.headers[next(iter(group))],
    )
