"""Which columns of a wide file hold the items of an instrument: found by name and number, named in order, or one of profiles.

Belongs here: finding them, and saying why they are not certain. Does not belong here: what the cells say (`item_answers`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from mbt_rom.exports.names import Meaning, Vocabulary
from mbt_rom.model import Instrument, Item
from pipelines.wide_files import AttentionError, WideFile

Match = tuple[int, Meaning]


@dataclass(frozen=True)
class ItemColumns:
    """Item -> position of its column. `profile`: position of one column that holds the levels of `profile_items` as digits."""

    positions: dict[str, int]
    profile: int | None = None
    profile_items: tuple[str, ...] = ()

    def __contains__(self, item_id: str) -> bool:
        return item_id in self.positions or item_id in self.profile_items

    def position(self, item_id: str) -> int:
        """Position of the column in which the item stands; KeyError when it has none."""
        if item_id in self.profile_items and self.profile is not None:
            return self.profile
        return self.positions[item_id]


def refuse_wrong_count(definition: Instrument, wide: WideFile) -> None:
    """Raises AttentionError where as many columns are numbered as items as another form, or a misprint, has."""
    most = max(_by_spelling(definition, wide), key=len, default=[])
    n_numbered = len({meaning.number for _, meaning in most})
    if n_numbered in definition.wrong_counts:
        why = definition.wrong_counts[n_numbered].strip()
        raise AttentionError(f"row 1: {n_numbered} columns are numbered as items. {why}")


def named_columns(definition: Instrument, wide: WideFile, names: Sequence[str], *, order: str | None) -> ItemColumns:
    """The columns of these names, in the order of the items (or of that other order of the instrument)."""
    headers = [name.strip() for name in wide.names]
    if absent := [name for name in names if name not in headers]:
        raise click.BadParameter(f"no column of FILE is called {', '.join(absent)}", param_hint="--items")
    if double := sorted({name for name in names if headers.count(name) + names.count(name) > 2}):
        raise AttentionError(f"row 1, column {', '.join(double)}: stands twice; rename one")
    items = definition.orders[order] if order else definition.item_ids
    return ItemColumns({item: headers.index(name) for item, name in zip(items, names, strict=False)})


def found_columns(
    definition: Instrument, wide: WideFile, *, order: str | None = None, profile: str | None = None
) -> ItemColumns:
    """The column of each item, found by name; raises AttentionError when that is not certain.

    The spelling of the instrument's name that most columns use goes first; another one (eq5d_mo ... eq5d3l_vas) only adds
    items that it leaves open. A column called like the instrument itself (phq9: item 9 of phq, or a total?) never adds one.
    With an `order` the number of a column is a position in it.
    """
    profile_items = profile_items_of(definition) if profile else ()
    needed = set(definition.needed_items) - set(profile_items)
    spellings = [_in_order(definition, matches, order) for matches in _by_spelling(definition, wide)]
    spellings.sort(key=lambda matches: len({meaning.item for _, meaning in matches} & needed), reverse=True)
    positions: dict[str, int] = {}
    for rank, matches in enumerate(spellings):
        certain = [(p, m) for p, m in matches if rank == 0 or (m.item is not None and m.rank == 0)]
        if definition.key != "external_scores":
            _refuse_other_number(definition, certain)
        positions = {**_one_column_each(wide, certain), **positions}
    positions = {item: position for item, position in positions.items() if item not in profile_items}
    if absent := [item for item in definition.items if item.id in needed and item.id not in positions]:
        n_unknown = sum(meaning.item is None for matches in spellings for _, meaning in matches)
        raise AttentionError(_about_absent(definition, absent, n_found=len(positions), n_unknown=n_unknown))
    return ItemColumns(positions, one_column(wide, profile, option="--profile") if profile else None, profile_items)


def profile_items_of(definition: Instrument) -> tuple[str, ...]:
    """Items whose levels make up the instrument's profile, in its order; none where it has no profile."""
    return next((scale.items for scale in definition.scales if scale.method == "profile"), ())


def one_column(wide: WideFile, name: str, *, option: str) -> int:
    """Position of the column of that name, which an option asked for."""
    headers = [header.strip() for header in wide.names]
    if headers.count(name) == 0:
        raise click.BadParameter(f"no column of FILE is called {name}", param_hint=option)
    if headers.count(name) > 1:
        raise AttentionError(f"row 1, column {name}: stands twice; rename one")
    return headers.index(name)


def _by_spelling(definition: Instrument, wide: WideFile) -> list[list[Match]]:
    """Positions and meanings of the columns that look like items, one list per spelling of the instrument's name."""
    vocabulary = Vocabulary({definition.id: definition})
    found: dict[str, list[Match]] = {}
    for position, name in enumerate(wide.names):
        for meaning in vocabulary.meanings(name):
            if meaning.role == "item" and meaning.prefix is not None:
                found.setdefault(meaning.prefix, []).append((position, meaning))
    return list(found.values())


def _in_order(definition: Instrument, matches: list[Match], order: str | None) -> list[Match]:
    if order is None:
        return matches
    at_place = dict(zip(definition.item_ids, definition.orders[order], strict=False))
    return [(p, replace(m, item=at_place.get(m.item)) if m.item else m) for p, m in matches]


def _refuse_other_number(definition: Instrument, matches: Sequence[Match]) -> None:
    if all(meaning.item is not None for _, meaning in matches):
        return
    has = f"the {definition.name} has {len(definition.items)}; name the right columns with --items"
    raise AttentionError(f"row 1: {len(matches)} columns are numbered as items. {has}")


def _one_column_each(wide: WideFile, matches: Sequence[Match]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, meaning in sorted(matches, key=lambda match: match[1].rank):
        if meaning.item is None or (meaning.item in positions and meaning.rank > 0):
            continue
        if meaning.item in positions:
            both = f"'{wide.names[positions[meaning.item]]}' and '{wide.names[position]}'"
            raise AttentionError(f"row 1, columns {both}: both may be {meaning.item}; name the columns with --items")
        positions[meaning.item] = position
    return positions


def _about_absent(definition: Instrument, absent: Sequence[Item], *, n_found: int, n_unknown: int) -> str:
    if definition.key == "external_scores" and n_unknown:
        return (
            f"row 1: {n_unknown} columns are numbered like raw answers of the {definition.name} (raw_items_not_accepted). "
            f"Needed: {definition.needs}"
        )
    numbers = ", ".join(item.number for item in absent[:10]) + (" ..." if len(absent) > 10 else "")
    example = f"{definition.id}_{absent[0].number}"
    found = f"{n_found} found" if n_found else "none found"
    return (
        f"row 1: no column for item {numbers} of the {definition.name} ({found}). Call the columns {example} and so on, "
        "or name them in order with --items."
    )
