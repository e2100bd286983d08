"""`rom score`: scores any wide file of items, without a home.

Belongs here: what the user asked for, refusing what is not said and cannot be guessed, the order of the steps. Does not belong
here: which columns are items (`pipelines.item_columns`), what cells say (`pipelines.item_answers`), how a score is computed
(`mbt_rom.scoring`), what is written of it (`pipelines.scored_columns`). Imports nothing that is slow to start.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from mbt_rom import registry
from mbt_rom.exports.cells import ANSWER, cell_reader
from mbt_rom.exports.codings import declared_codings
from mbt_rom.exports.errors import ExportError
from mbt_rom.model import Coding, Instrument, Item
from mbt_rom.scoring import scale_scores
from mbt_rom.valuation import ValueSet
from pipelines.item_answers import ItemAnswers, are_minors, read_answers
from pipelines.item_columns import (
    ItemColumns,
    found_columns,
    named_columns,
    one_column,
    profile_items_of,
    refuse_wrong_count,
)
from pipelines.named_instruments import named_instrument, refuse_without_key, with_supplied_key
from pipelines.options import home_option
from pipelines.scored_columns import ScoredFile
from pipelines.wide_files import AttentionError, UnreadableError, WideFile, read_wide, write_wide


@dataclass(frozen=True)
class Options:
    """What the user asked for. `definition` has the key of a licence holder where one was supplied, in the file `key`."""

    definition: Instrument
    key: Path | None
    file: Path
    out: Path
    items: tuple[str, ...]
    missing: frozenset[str]
    declared: tuple[Coding, ...]
    order: str | None
    profile: str | None
    age: str | None
    value_set: ValueSet | None
    bounds: bool


@click.command(name="score", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("instrument")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="CSV or Parquet, by its ending.")
@click.option("--items", metavar="COL,COL,...", help="Columns of the items, in the order of the items.")
@click.option("--missing", metavar="CODES", help="Codes that mean 'no answer', separated by commas: 7,9.")
@click.option("--coding", metavar="ID,...", help="How the file writes the answers: one_based, pre_reversed, ...")
@click.option("--order", metavar="ID", help="Order in which the file numbers the items, where there are several.")
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="YAML with the scoring key that your licence gives you.")  # fmt: skip
@click.option("--value-set", metavar="ID", help="EQ-5D: the value set of the index.")
@click.option("--profile", metavar="COL", help="EQ-5D: one column of states such as 11232 instead of five.")
@click.option("--age", metavar="COL", help="EQ-5D: ages in years; people under 18 get no index.")
@click.option("--bounds", is_flag=True, help="Add how low and how high a score could have been with nothing missing.")
@home_option
@click.pass_context
def score(ctx: click.Context, instrument: str, file: Path, home: Path, **given: object) -> None:
    """Score the forms of INSTRUMENT in FILE (CSV or Parquet, one form per row).

    INSTRUMENT is an id (rom instruments lists them), one of the home's own, or the path of a definition: ./my_scale.yaml.
    Items are found by the instrument's name and their number or name (phq9_1, PHQ9-01, phq 1 ...; eq5d_mo or eq5d_mobility;
    sshi_suicidal_acts), or are named with --items. OUT keeps the order of the rows and all other columns as they are, and
    adds for every scale <instrument>_<scale> (empty when too many answers are missing) and <instrument>_<scale>_n_missing.
    Without -o it is FILE_scored.csv, or FILE_scored.parquet, beside FILE.

    Answers are taken to be in the published coding unless --coding says otherwise; labels that are no numbers are recognised.
    Empty cells, NA, NaN, NULL and a lone dot are no answers; declare other codes with --missing. A code counts as missing only
    in items whose answers it is not one of. Anything else that is no answer is reported with row and column, and nothing is
    written.

    --bounds adds <instrument>_<scale>_lowest and _highest and, where there are cut-offs, _cutoffs_crossed: those that the
    missing answers decide about.

    In a CSV a text that a spreadsheet would run as a formula (it begins with = + - or @ and is no number) gets an
    apostrophe in front.

    \b
    Examples:
      rom score phq9 forms.csv
      rom score bsi forms.csv -o scores.parquet --bounds
      rom score phq9 nhanes.csv --missing 7,9 --items DPQ010,DPQ020,DPQ030,DPQ040,DPQ050,DPQ060,DPQ070,DPQ080,DPQ090
      rom score oq45 roqua.csv --coding pre_reversed
      rom score ecrr forms.csv --order alternating
      rom score rfq54 forms.csv --key our_rfq_key.yaml
      rom score eq5d5l forms.csv --profile state --value-set nl_2016 --age age
    """
    options = _options(ctx, instrument, file, home=home, **given)  # type: ignore[arg-type]
    try:
        report = list(_run(options))
    except (AttentionError, UnreadableError) as error:
        for line in str(error).splitlines():
            click.echo(f"{file.name}, {line}", err=True)
        raise click.exceptions.Exit(1) from None
    for line in report:
        click.echo(line)


# --- what the user asked for --------------------------------------------------------------------------------------------


def _options(
    ctx: click.Context,
    instrument: str,
    file: Path,
    *,
    home: Path,
    out: Path | None,
    items: str | None,
    missing: str | None,
    coding: str | None,
    order: str | None,
    key: Path | None,
    value_set: str | None,
    profile: str | None,
    age: str | None,
    bounds: bool,
) -> Options:
    if ctx.get_parameter_source("home") is click.core.ParameterSource.COMMANDLINE and not home.is_dir():
        raise click.BadParameter(f"'{home}' is no folder", param_hint="--home")
    definition, used_key = with_supplied_key(named_instrument(instrument, home=home), key=key, home=home)
    declared = _declared(definition, coding)
    return Options(
        definition=definition,
        key=used_key,
        file=file,
        out=_destination(file, out),
        order=_order(definition, order),
        items=_named(definition, items, order=order),
        missing=_missing(definition, missing, declared),
        declared=declared,
        profile=_profile(definition, profile, items),
        age=_age(definition, age),
        value_set=_value_set(definition, value_set),
        bounds=bounds,
    )


def _declared(definition: Instrument, coding: str | None) -> tuple[Coding, ...]:
    if coding is None:
        return ()
    try:
        return declared_codings(definition, [name.strip() for name in coding.split(",")])
    except ExportError as error:
        raise click.BadParameter(error.detail, param_hint="--coding") from None


def _order(definition: Instrument, order: str | None) -> str | None:
    if order is not None and order not in definition.orders:
        known = ", ".join(definition.orders) or f"none, the {definition.name} has one order only"
        raise click.BadParameter(f"'{order}' is not known; there are: {known}", param_hint="--order")
    return order


def _missing(definition: Instrument, missing: str | None, declared: Sequence[Coding]) -> frozenset[str]:
    codes = frozenset(code.strip().casefold() for code in (missing or "").split(",")) - {""}
    if answers := sorted(
        code for code in codes if all(_is_answer(definition, i, declared, code) for i in definition.items)
    ):
        raise click.BadParameter(f"an answer of the {definition.name}: {', '.join(answers)}", param_hint="--missing")
    return codes


def _is_answer(definition: Instrument, item: Item, declared: Sequence[Coding], text: str) -> bool:
    code, what = cell_reader(definition, item, declared).cell(text)
    return what == ANSWER and item.allows(code)


def _profile(definition: Instrument, profile: str | None, items: str | None) -> str | None:
    if profile is not None and not profile_items_of(definition):
        raise click.BadParameter(f"the {definition.name} has no profile", param_hint="--profile")
    if profile is not None and items is not None:
        raise click.BadParameter("name the items with --items or with --profile, not with both", param_hint="--profile")
    return profile


def _age(definition: Instrument, age: str | None) -> str | None:
    if age is not None and not any(scale.method == "value_set" for scale in definition.scales):
        raise click.BadParameter(
            f"the {definition.name} has no value set, and nothing of it depends on age; leave it out",
            param_hint="--age",
        )
    return age


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


def _named(definition: Instrument, items: str | None, *, order: str | None) -> tuple[str, ...]:
    """Columns given with --items: all items in order, or the first of them down to the last one the main scale needs."""
    if items is None:
        return ()
    names = tuple(name.strip() for name in next(csv.reader([items])))
    ids = definition.orders[order] if order else definition.item_ids
    needed = 1 + max(ids.index(item) for item in definition.needed_items)
    if needed <= len(names) <= len(ids):
        return names
    why = definition.wrong_counts.get(len(names), f"the {definition.name} has {len(ids)} items")
    raise click.BadParameter(f"{len(names)} columns are named. {why.strip()}", param_hint="--items")


def _value_set(definition: Instrument, value_set: str | None) -> ValueSet | None:
    if value_set is None:
        return None
    there_are = registry.value_sets(definition.id)
    if value_set not in there_are:
        known = ", ".join(there_are) or f"none, the {definition.name} is not valued"
        raise click.BadParameter(f"'{value_set}' is not known; there are: {known}", param_hint="--value-set")
    return there_are[value_set]


# --- scoring the file ---------------------------------------------------------------------------------------------------


def _run(options: Options) -> Iterator[str]:
    """Scores the file and writes the result; yields the lines of the report."""
    definition = options.definition
    wide = read_wide(options.file)
    if wide.n_rows == 0:
        raise AttentionError("row 1: only a header, no forms; export the file again with its rows")
    if not options.items:
        refuse_wrong_count(definition, wide)
    _refuse_unsaid(options)
    columns = _columns(options, wide)
    is_minor = _minors(options, wide)
    read = read_answers(definition, wide, columns, declared=options.declared, missing=options.missing)
    result = scale_scores(definition, read.answers, value_set=options.value_set)
    scored = ScoredFile(result, wide, columns, is_minor, options.bounds)
    added = scored.added()
    n_shielded = write_wide(options.out, [*wide.names, *added], [*wide.columns, *added.values()], like=wide)
    yield from _report(options, scored, read, n_shielded)


def _refuse_unsaid(options: Options) -> None:
    """Raises click.UsageError where the key, the order or the coding must be said, since a guess would be a wrong score."""
    definition = options.definition
    refuse_without_key(definition)
    if definition.order_must_be_stated and options.order is None and not options.items:
        raise click.UsageError(
            f"the {definition.name} is printed in several orders, and the numbers of the columns do not say in which. "
            f"Say it with --order: {', '.join(definition.orders)}. Or name the columns in canonical order with --items.\n"
            f"{definition.orders_note or ''}"
        )
    if definition.coding_must_be_stated and not options.declared:
        listed = "\n".join(f"  {_described(coding)}" for coding in definition.codings)
        raise click.UsageError(
            f"the {definition.name} is exported in several codings that look the same. Say which with --coding:\n{listed}"
        )


def _described(coding: Coding) -> str:
    counts = f" ({coding.min} to {coding.max})" if coding.min is not None and coding.max is not None else ""
    return f"{coding.id}{counts}" + (f": {coding.note}" if coding.note else "")


def _columns(options: Options, wide: WideFile) -> ItemColumns:
    if options.items:
        return named_columns(options.definition, wide, options.items, order=options.order)
    return found_columns(options.definition, wide, order=options.order, profile=options.profile)


def _minors(options: Options, wide: WideFile) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if options.age is None:
        return np.zeros(wide.n_rows, dtype=bool)
    return are_minors(wide, one_column(wide, options.age, option="--age"), missing=options.missing)


def _report(options: Options, scored: ScoredFile, read: ItemAnswers, n_shielded: int) -> Iterator[str]:
    definition, n_rows = options.definition, scored.wide.n_rows
    forms = "form" if n_rows == 1 else "forms"
    yield f"{definition.name}: {n_rows:,} {forms} in {options.file.name}, scores in {options.out}"
    yield from scored.report()
    yield from (f"  Coding: {_described(coding)}" for coding in options.declared)
    if read.labels_of:
        yield f"  Coding recognised by its labels: {' or '.join(read.labels_of)}"
    if options.order is not None:
        yield f"  Order: {options.order}"
    if options.key is not None:
        yield f"  Key: {options.key}; the definition with it has the hash {definition.definition_hash}"
    if scored.result.value_set is not None:
        value_set = scored.result.value_set
        yield f"  Value set: {value_set.id} ({value_set.label}; {value_set.cite})"
    if n_shielded:
        yield f"  {n_shielded:,} cells look like a formula; they have an apostrophe in front in the CSV."
