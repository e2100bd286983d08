"""`rom score`: scores any wide file of items, without a home.

Belongs here: finding the item columns, reading the answers, saying what was done. Does not belong here: how a score is
computed (`mbt_rom.scoring`), how a file is read and written (`pipelines.wide_files`). Imports nothing that is slow to start.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mbt_rom import registry
from mbt_rom.exports.names import Meaning, Vocabulary
from mbt_rom.model import Instrument, Item, Scale
from mbt_rom.scoring import MISSING, ScaleScores, scale_scores
from mbt_rom.valuation import ValueSet
from pipelines.wide_files import (
    UnreadableError,
    WideFile,
    arrow_of,
    code_cells,
    read_wide,
    repeated_text,
    write_wide,
)

#: Cells that statistics programs write where nothing was answered.
BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "."})
LISTED = 20
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]{1,6}([.,]0+)?")
_NO_NUMBER, _OUT_OF_RANGE = 1000, 1001


class AttentionError(Exception):
    """The data need attention; one line per thing wrong, never with an answer in it."""


@dataclass(frozen=True)
class Options:
    """What the user asked for."""

    definition: Instrument
    file: Path
    out: Path
    items: tuple[str, ...]
    missing: frozenset[str]
    value_set: ValueSet | None


@click.command(name="score", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("instrument")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV or Parquet, by its ending.")
@click.option("--items", metavar="COL,COL,...", help="Columns of the items, in the order of the items.")
@click.option("--missing", metavar="CODES", help="Codes that mean 'no answer', separated by commas: 7,9.")
@click.option("--value-set", metavar="ID", help="EQ-5D: the value set of the index.")
def score(
    instrument: str, file: Path, out: Path | None, items: str | None, missing: str | None, value_set: str | None
) -> None:
    """Score the forms of INSTRUMENT in FILE (CSV or Parquet, one form per row).

    Items are found by the instrument's name and their number (phq9_1, PHQ9-01, phq 1 ...; eq5d_mo or eq5d_mobility), or are
    named with --items. OUT keeps the order of the rows and all other columns as they are, and adds for every scale
    <instrument>_<scale> (empty when too many answers are missing) and <instrument>_<scale>_n_missing. Without -o it is
    FILE_scored.csv, or FILE_scored.parquet, beside FILE.

    Answers must be in the published coding. Empty cells, NA, NaN, NULL and a lone dot are no answers; declare other codes with
    --missing. A code counts as missing only in items whose answers it is not one of. Anything else that is no answer is
    reported with row and column, and nothing is written.

    In a CSV a text that a spreadsheet would run as a formula (it begins with = + - or @ and is no number) gets an
    apostrophe in front.

    \b
    Examples:
      rom score phq9 forms.csv
      rom score bsi forms.csv -o scores.parquet
      rom score phq9 nhanes.csv --missing 7,9 --items DPQ010,DPQ020,DPQ030,DPQ040,DPQ050,DPQ060,DPQ070,DPQ080,DPQ090
      rom score eq5d3l forms.csv --value-set uk_1997
    """
    options = _options(instrument, file, out, items, missing, value_set)
    try:
        report = _run(options)
    except (AttentionError, UnreadableError) as error:
        for line in str(error).splitlines():
            click.echo(f"{file.name}, {line}", err=True)
        raise click.exceptions.Exit(1) from None
    for line in report:
        click.echo(line)


# --- what the user asked for --------------------------------------------------------------------------------------------


def _options(
    instrument: str, file: Path, out: Path | None, items: str | None, missing: str | None, value_set: str | None
) -> Options:
    definition = _definition(instrument)
    codes = frozenset(code.strip().casefold() for code in (missing or "").split(",")) - {""}
    if answers := [code for code in codes if all(_is_answer(code, item) for item in definition.items)]:
        raise click.BadParameter(
            f"an answer of the {definition.name}: {', '.join(sorted(answers))}", param_hint="--missing"
        )
    return Options(
        definition, file, _destination(file, out), _named(definition, items), codes, _value_set(definition, value_set)
    )


def _definition(instrument: str) -> Instrument:
    wanted = re.sub(r"[^a-z0-9]", "", instrument.casefold())
    if wanted not in registry.instrument_ids():
        known = ", ".join(registry.instrument_ids())
        raise click.BadParameter(f"'{instrument}' is not known; there are {known}", param_hint="INSTRUMENT")
    return registry.instrument(wanted)


def _destination(file: Path, out: Path | None) -> Path:
    if out is None:
        ending = ".parquet" if file.suffix.lower() == ".parquet" else ".csv"
        return file.with_name(f"{file.stem}_scored{ending}")
    if out.suffix.lower() not in (".csv", ".parquet"):
        raise click.BadParameter("must end in .csv or .parquet", param_hint="--out")
    if not out.parent.is_dir():
        raise click.BadParameter("its folder does not exist; make it first", param_hint="--out")
    if out.resolve() == file.resolve():
        raise click.BadParameter("is FILE itself; choose another name", param_hint="--out")
    return out


def _named(definition: Instrument, items: str | None) -> tuple[str, ...]:
    """Columns given with --items: all items in order, or the first of them down to the last one the main scale needs."""
    if items is None:
        return ()
    names = tuple(name.strip() for name in next(csv.reader([items])))
    needed = 1 + max(definition.item_ids.index(item) for item in definition.primary.items)
    if needed <= len(names) <= len(definition.items):
        return names
    why = definition.wrong_counts.get(len(names), f"the {definition.name} has {needed} items")
    raise click.BadParameter(f"{len(names)} columns are named. {why.strip()}", param_hint="--items")


def _value_set(definition: Instrument, value_set: str | None) -> ValueSet | None:
    if value_set is None:
        return None
    there_are = registry.value_sets(definition.id)
    if value_set not in there_are:
        known = ", ".join(there_are) or f"none, the {definition.name} is not valued"
        raise click.BadParameter(f"'{value_set}' is not known; there are: {known}", param_hint="--value-set")
    return there_are[value_set]


# --- the items in the file ----------------------------------------------------------------------------------------------


def _run(options: Options) -> list[str]:
    wide = read_wide(options.file)
    if wide.n_rows == 0:
        raise AttentionError("row 1: only a header, no forms; export the file again with its rows")
    positions = _named_positions(options, wide) if options.items else _found_positions(options.definition, wide)
    answers = _answers(options, wide, positions)
    result = scale_scores(options.definition, answers, value_set=options.value_set)
    scales = [scale for scale in options.definition.scales if all(item in positions for item in scale.items)]
    names, columns = _added(result, scales, wide, positions)
    n_shielded = write_wide(options.out, [*wide.names, *names], [*wide.columns, *columns], like=wide)
    return list(_report(options, result, scales, n_shielded))


def _named_positions(options: Options, wide: WideFile) -> dict[str, int]:
    headers = [name.strip() for name in wide.names]
    if absent := [name for name in options.items if name not in headers]:
        raise click.BadParameter(f"no column of FILE is called {', '.join(absent)}", param_hint="--items")
    if double := sorted({name for name in options.items if headers.count(name) + options.items.count(name) > 2}):
        raise AttentionError(f"row 1, column {', '.join(double)}: stands twice; rename one")
    return {item: headers.index(name) for item, name in zip(options.definition.item_ids, options.items, strict=False)}


def _found_positions(definition: Instrument, wide: WideFile) -> dict[str, int]:
    """Position of the column of each item, found by name; raises when that is not certain.

    The spelling of the instrument's name that most columns use goes first; another one (eq5d_mo ... eq5d3l_vas) only adds
    items that it leaves open. A column called like the instrument itself (phq9: item 9 of phq, or a total?) never adds one.
    """
    needed = set(definition.primary.items)
    spellings = _by_spelling(definition, wide)
    spellings.sort(key=lambda matches: len({meaning.item for _, meaning in matches} & needed), reverse=True)
    positions: dict[str, int] = {}
    for rank, matches in enumerate(spellings):
        certain = [(p, m) for p, m in matches if rank == 0 or (m.item is not None and m.rank == 0)]
        _refuse_other_number(definition, certain)
        positions = {**_one_column_each(wide, certain), **positions}
    if absent := [item for item in definition.items if item.id in needed and item.id not in positions]:
        raise AttentionError(_about_absent(definition, absent, n_found=len(positions)))
    return positions


def _by_spelling(definition: Instrument, wide: WideFile) -> list[list[tuple[int, Meaning]]]:
    """Positions and meanings of the columns that look like items, one list per spelling of the instrument's name."""
    vocabulary = Vocabulary({definition.id: definition})
    found: dict[str, list[tuple[int, Meaning]]] = {}
    for position, name in enumerate(wide.names):
        for meaning in vocabulary.meanings(name):
            if meaning.role == "item" and meaning.prefix is not None:
                found.setdefault(meaning.prefix, []).append((position, meaning))
    return list(found.values())


def _refuse_other_number(definition: Instrument, matches: Sequence[tuple[int, Meaning]]) -> None:
    if all(meaning.item is not None for _, meaning in matches):
        return
    has = f"the {definition.name} has {len(definition.items)}; name the right columns with --items"
    why = definition.wrong_counts.get(len(matches), has).strip()
    raise AttentionError(f"row 1: {len(matches)} columns are numbered as items. {why}")


def _one_column_each(wide: WideFile, matches: Sequence[tuple[int, Meaning]]) -> dict[str, int]:
    positions: dict[str, int] = {}
    for position, meaning in sorted(matches, key=lambda match: match[1].rank):
        if meaning.item is None or (meaning.item in positions and meaning.rank > 0):
            continue
        if meaning.item in positions:
            both = f"'{wide.names[positions[meaning.item]]}' and '{wide.names[position]}'"
            raise AttentionError(f"row 1, columns {both}: both may be {meaning.item}; name the columns with --items")
        positions[meaning.item] = position
    return positions


def _about_absent(definition: Instrument, absent: Sequence[Item], *, n_found: int) -> str:
    numbers = ", ".join(item.number for item in absent[:10]) + (" ..." if len(absent) > 10 else "")
    example = f"{definition.id}_{definition.items[0].number}"
    found = f"{n_found} found" if n_found else "none found"
    return (
        f"row 1: no column for item {numbers} of the {definition.name} ({found}). Call the columns {example} and so on, "
        "or name them in order with --items."
    )


# --- answers ------------------------------------------------------------------------------------------------------------


def _answers(options: Options, wide: WideFile, positions: dict[str, int]) -> dict[str, NDArray[np.int8]]:
    """Answers per item. An item without a column is missing everywhere; its scales are not written."""
    nobody = np.full(wide.n_rows, MISSING)
    answers, wrong = {}, []
    for item in options.definition.items:
        if item.id not in positions:
            answers[item.id] = nobody
            continue
        codes = code_cells(wide.columns[positions[item.id]], _reader(item, options.missing))
        wrong += [(int(row), int(codes[row]), item) for row in np.flatnonzero(codes >= _NO_NUMBER)]
        answers[item.id] = codes.astype(np.int8)
    if wrong:
        raise AttentionError("\n".join(_about_wrong(options, wide, positions, sorted(wrong, key=lambda w: w[0]))))
    return answers


def _reader(item: Item, missing: frozenset[str]) -> Callable[[str], int]:
    """What a cell of that item says: an answer, MISSING, or what is wrong with it."""

    def read(cell: str) -> int:
        text = cell.strip().casefold()
        number = _whole_number(text)
        if number is not None and item.allows(number):
            return number
        if text in BLANK or text in missing or (number is not None and str(number) in missing):
            return int(MISSING)
        return _NO_NUMBER if number is None else _OUT_OF_RANGE

    return read


def _whole_number(text: str) -> int | None:
    return int(re.split("[.,]", text)[0]) if _WHOLE_NUMBER.fullmatch(text) else None


def _is_answer(code: str, item: Item) -> bool:
    number = _whole_number(code)
    return number is not None and item.allows(number)


def _about_wrong(
    options: Options, wide: WideFile, positions: dict[str, int], wrong: Sequence[tuple[int, int, Item]]
) -> Iterator[str]:
    listed = wrong[:LISTED]
    numbers = wide.row_numbers([row for row, _, _ in listed])
    for number, (_, code, item) in zip(numbers, listed, strict=True):
        rule = "answer_not_a_code" if code == _NO_NUMBER else "answer_out_of_range"
        what = "not a whole number" if code == _NO_NUMBER else f"not one of the answers {item.min}..{item.max}"
        yield f"row {number}, column '{wide.names[positions[item.id]]}': {what} ({rule})"
    if len(wrong) > LISTED:
        yield f"and {len(wrong) - LISTED:,} cells more"
    yield (
        "remedy: correct these cells, or declare their codes with --missing. Many at once: is this another coding or another "
        f"edition than the {options.definition.name}? Nothing was written."
    )


# --- what is added and said ---------------------------------------------------------------------------------------------


def _added(
    result: ScaleScores, scales: Sequence[Scale], wide: WideFile, positions: dict[str, int]
) -> tuple[list[str], list[pa.Array]]:
    """Names and columns to add. A scale that is one item whose column has its very name (eq5d3l_vas) is there already."""
    names: list[str] = []
    columns: list[pa.Array] = []
    for scale in scales:
        name = f"{result.definition.id}_{scale.id}"
        is_there = scale.method == "single" and wide.names[positions[scale.items[0]]] == name
        if not is_there:
            names.append(name)
            columns.append(arrow_of(result.scores[scale.id]))
        names.append(f"{name}_n_missing")
        columns.append(arrow_of(result.n_missing(scale.id)))
        if scale.method == "value_set" and result.value_set is not None:
            names.append(f"{name}_value_set")
            columns.append(repeated_text(result.value_set.id, wide.n_rows))
    if taken := [name for name in names if name in wide.names]:
        raise AttentionError(f"row 1, column {', '.join(taken)}: is there already; remove or rename it")
    return names, columns


def _report(options: Options, result: ScaleScores, scales: Sequence[Scale], n_shielded: int) -> Iterator[str]:
    n_rows = len(next(iter(result.scores.values())))
    forms = "form" if n_rows == 1 else "forms"
    yield f"{options.definition.name}: {n_rows:,} {forms} in {options.file.name}, scores in {options.out}"
    provisional = []
    for scale in scales:
        scored = ~np.isnan(result.scores[scale.id])
        made_up = scored & (result.n_missing(scale.id) > 0)
        yield f"  {options.definition.id}_{scale.id}: {scored.sum():,} scored, {made_up.sum():,} of them with answers missing"
        if made_up.any() and scale.missing.is_provisional:
            provisional.append(f"  Provisional rule for missing answers of {scale.id}: {scale.missing.note}.")
    yield from provisional
    if result.value_set is not None:
        yield f"  Value set: {result.value_set.id} ({result.value_set.label}; {result.value_set.cite})"
    if n_shielded:
        yield f"  {n_shielded:,} cells look like a formula; they have an apostrophe in front in the CSV."
