"""`rom change`: reliable change for any file with a score before and a score after, without a home.

Belongs here: options, reading and writing of the file, messages. Does not belong here: formulas (`mbt_rom.change`), norms
(`mbt_rom.norms`). Starts fast: pyarrow and numpy, no pandas, no Dagster.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from mbt_rom import change as formulas
from mbt_rom.valuation import MixedValueSetsError, refuse_mixed
from pipelines.wide_files import UnreadableError, WideFile, arrow_of, read_wide, repeated_text, text_of, write_wide

if TYPE_CHECKING:
    from mbt_rom.model import Direction, Instrument
    from mbt_rom.norms import ChangeNorm

Floats = npt.NDArray[np.float64]

AVAILABLE = ("jt",)
LATER = ("gln", "hll", "en", "nk", "ha", "percent")
_MISSING = r"(?i)^(na|n/a|nan|null|\.)?$"
_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_SHOWN_PROBLEMS = 20

EXAMPLES = """
\b
Examples:
  rom change waves.csv -o change.csv --pre phq_start --post phq_end --id patient --instrument phq9 --scale total
  rom change waves.csv -o change.csv --pre das1 --post das2 --reliability 0.88 --sd sample \\
      --direction higher --functional-mean 114.8 --functional-sd 17.8 --cutoff c
"""


class DataProblem(click.ClickException):
    """The data need attention: exit code 1 and one line per problem, naming file, row, column, rule and remedy, no value."""

    exit_code = 1

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - _SHOWN_PROBLEMS
        super().__init__("\n".join([*problems[:_SHOWN_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]))


@dataclass(frozen=True)
class Basis:
    """What the index and the categories rest on, and the sentences that say so."""

    sd: float
    reliability: float
    direction: Direction
    cutoff: float | None
    sentences: tuple[str, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Options:
    """The options as they were typed, after checking that they belong together."""

    instrument: str | None
    scale: str | None
    reliability: float | None
    sd: str | None
    direction: str | None
    functional: tuple[float, float] | None
    clinical: tuple[float, float] | None
    cutoff: str | None


@dataclass(frozen=True)
class Waves:
    """The two scores of every row (missing: NaN), its id as text, and the file they stand in."""

    ids: pa.ChunkedArray | pa.Array
    pre: Floats
    post: Floats
    file: WideFile


@dataclass(frozen=True)
class Result:
    """One method's index and words, per row of the file."""

    method: str
    index: Floats
    words: dict[str, npt.NDArray[np.object_]]


@click.command("change", epilog=EXAMPLES)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="CSV or Parquet, by its ending."
)
@click.option("--pre", required=True, metavar="COL", help="Column with the score before.")
@click.option("--post", required=True, metavar="COL", help="Column with the score after.")
@click.option("--id", "id_column", metavar="COL", help="Column that identifies a row; otherwise rows are numbered.")
@click.option("--instrument", help="Instrument whose norm is used.")
@click.option("--scale", help="Scale of that instrument; otherwise its primary scale.")
@click.option(
    "--reliability", type=click.FloatRange(0, 1, min_open=True, max_open=True), help="Reliability of the score."
)
@click.option("--sd", metavar="SD|sample", help="SD of the norm, or 'sample': that of the column before.")
@click.option("--direction", type=click.Choice(["lower", "higher"]), help="Which scores are better.")
@click.option("--functional-mean", type=float, help="Mean of the functional group.")
@click.option("--functional-sd", type=click.FloatRange(0, min_open=True), help="SD of the functional group.")
@click.option("--clinical-mean", type=float, help="Mean of the clinical group; otherwise of the column before.")
@click.option("--clinical-sd", type=click.FloatRange(0, min_open=True), help="SD of the clinical group.")
@click.option("--method", "methods", default="jt", show_default=True, help="Methods, separated by commas.")
@click.option(
    "--cutoff", type=click.Choice(["a", "b", "c"]), help="Kind of cut-off; c where there is a functional group."
)
def change(file: Path, out: Path, pre: str, post: str, id_column: str | None, methods: str, **given: Any) -> None:
    """Reliable change of every row of FILE, a CSV or Parquet file with a score before and a score after.

    OUT is long: id, method, index (above 0 is better), category and, where there is a cut-off, clinical_category in the words
    of the literature. A score that is empty, NA, NaN, NULL
    or a lone dot is missing, and its row stays. The SD and the reliability should be those
    of one norm sample: the SD of a group selected for high scores finds far too much change. Utilities of two value sets are
    refused where the columns that `rom score` writes beside them stand in FILE.
    """
    chosen = _methods(methods)
    options = _options(**given)
    _check_out(file, out)
    waves = _read(file, pre=pre, post=post, id_column=id_column)
    value_set_id = _value_set(file, waves, pre=pre, post=post)
    basis = _basis(options, waves)
    for warning in basis.warnings:
        click.echo(f"Warning: {warning}", err=True)
    results = [_result(method, waves, basis) for method in chosen]
    _write(results, waves, out)
    if value_set_id is not None:
        click.echo(f"Both scores are utilities of the value set {value_set_id}.")
    _tell(results, basis, file=file, out=out)


def _misuse(message: str) -> NoReturn:
    raise click.UsageError(message)


def _methods(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if name not in (*AVAILABLE, *LATER)]:
        _misuse(f"--method: there is no method {', '.join(unknown)}; available: {', '.join(AVAILABLE)}")
    if later := [name for name in names if name in LATER]:
        _misuse(f"--method: {', '.join(later)} comes later; available: {', '.join(AVAILABLE)}")
    if not names:
        _misuse(f"--method: names no method; available: {', '.join(AVAILABLE)}")
    return names


def _options(
    *,
    functional_mean: float | None,
    functional_sd: float | None,
    clinical_mean: float | None,
    clinical_sd: float | None,
    **given: Any,
) -> Options:
    functional = _group("functional", functional_mean, functional_sd)
    clinical = _group("clinical", clinical_mean, clinical_sd)
    options = Options(functional=functional, clinical=clinical, **given)
    own = {"--reliability": options.reliability, "--sd": options.sd, "--direction": options.direction}
    groups = {"--functional-mean": functional, "--clinical-mean": clinical}
    if options.instrument is not None:
        if extra := [name for name, value in (own | groups).items() if value is not None]:
            _misuse(f"--instrument brings its own norm; leave out {', '.join(extra)}, or leave out --instrument")
    elif absent := [name for name, value in own.items() if value is None]:
        _misuse(
            f"give --instrument and --scale, or all of --reliability, --sd, --direction; {', '.join(absent)} not given"
        )
    elif options.scale is not None:
        _misuse("--scale belongs to --instrument")
    elif options.cutoff in ("b", "c") and functional is None:
        _misuse(f"--cutoff {options.cutoff} needs --functional-mean and --functional-sd")
    return options


def _group(name: str, mean: float | None, sd: float | None) -> tuple[float, float] | None:
    if mean is None and sd is None:
        return None
    if mean is None or sd is None:
        _misuse(f"--{name}-mean and --{name}-sd belong together")
    return mean, sd


def _check_out(file: Path, out: Path) -> None:
    if out.suffix.lower() not in (".csv", ".parquet"):
        _misuse(f"--out: the name must end in .csv or .parquet, not '{out.suffix}'")
    if out.exists() and out.samefile(file):
        _misuse("--out: is the file that is read; name another one")
    if not out.resolve().parent.is_dir():
        _misuse(f"--out: there is no folder '{out.parent}'; create it first")


# What the index rests on


def _basis(options: Options, waves: Waves) -> Basis:
    return _from_instrument(options) if options.instrument is not None else _from_options(options, waves)


def _from_options(options: Options, waves: Waves) -> Basis:
    direction: Direction = "lower_is_better" if options.direction == "lower" else "higher_is_better"
    sd, sentence = _sd(str(options.sd), waves)
    sentences = [sentence, f"Reliability {options.reliability:g} (given)."]
    cutoff = None
    kind = options.cutoff or ("c" if options.functional else None)
    if kind is not None:
        clinical, origin = _clinical(options, waves, needed=kind != "b")
        cutoff = _cutoff(kind, clinical=clinical, functional=options.functional, direction=direction)
        sentences.append(f"Cut-off {kind}: {cutoff:.2f}{origin}.")
    return Basis(sd, float(options.reliability or 0), direction, cutoff, tuple(sentences))


def _sd(text: str, waves: Waves) -> tuple[float, str]:
    if text.lower() == "sample":
        _, sd = _sample(waves)
        return sd, f"SD {sd:.3f} of the {_n_pre(waves)} scores before in this file (sample), not of a norm."
    try:
        sd = float(text)
    except ValueError:
        _misuse("--sd: must be a number or the word 'sample'")
    if not 0 < sd < np.inf:
        _misuse("--sd: must be above 0")
    return sd, f"SD {sd:g} (given)."


def _n_pre(waves: Waves) -> int:
    return int((~np.isnan(waves.pre)).sum())


def _sample(waves: Waves) -> tuple[float, float]:
    known = waves.pre[~np.isnan(waves.pre)]
    if len(known) < 2 or known.std(ddof=1) == 0:
        _misuse(
            "the column before has no SD (fewer than two scores, or all equal); give --sd and --clinical-mean as numbers"
        )
    return float(known.mean()), float(known.std(ddof=1))


def _clinical(options: Options, waves: Waves, *, needed: bool) -> tuple[tuple[float, float] | None, str]:
    if options.clinical is not None or not needed:
        return options.clinical, ""
    mean, sd = _sample(waves)
    return (mean, sd), f", with mean {mean:.2f} and SD {sd:.2f} of the scores before in this file as the clinical group"


def _cutoff(
    kind: str, *, clinical: tuple[float, float] | None, functional: tuple[float, float] | None, direction: Direction
) -> float:
    if kind == "a" and clinical is not None:
        return formulas.cutoff_a(clinical_mean=clinical[0], clinical_sd=clinical[1], direction=direction)
    if functional is None:
        _misuse(f"--cutoff {kind}: there is no functional group to compute it from")
    if kind == "b":
        return formulas.cutoff_b(functional_mean=functional[0], functional_sd=functional[1], direction=direction)
    if clinical is None:
        _misuse(f"--cutoff {kind}: there is no clinical group to compute it from")
    return formulas.cutoff_c(
        clinical_mean=clinical[0], clinical_sd=clinical[1], functional_mean=functional[0], functional_sd=functional[1]
    )


def _from_instrument(options: Options) -> Basis:
    definition = _definition(str(options.instrument))
    scale_id = options.scale or definition.primary.id
    if scale_id not in {scale.id for scale in definition.scales}:
        _misuse(
            f"--scale: {definition.id} has no scale '{scale_id}'; it has {', '.join(s.id for s in definition.scales)}"
        )
    norm = _norm(definition, scale_id)
    direction = definition.scale(scale_id).direction
    cutoff, sentence = norm.cutoff, norm.sentence
    if options.cutoff is not None:
        functional = None
        if norm.functional_mean is not None and norm.functional_sd is not None:
            functional = (norm.functional_mean, norm.functional_sd)
        clinical = (norm.clinical_mean, norm.clinical_sd)
        cutoff = _cutoff(options.cutoff, clinical=clinical, functional=functional, direction=direction)
        sentence += f" Used here instead: cut-off {options.cutoff}, {cutoff:.2f}."
    warning = f"the norm of {definition.id} {scale_id} is provisional: recalled or derived, not seen in print. Check it in your own source."
    warnings = (warning,) if norm.is_provisional else ()
    return Basis(norm.clinical_sd, norm.reliability, direction, cutoff, (sentence,), warnings)


def _definition(name: str) -> Instrument:
    from mbt_rom import registry

    known = registry.instruments()
    if name not in known:
        _misuse(f"--instrument: there is no instrument '{name}'; there are {', '.join(known)}")
    return known[name]


def _norm(definition: Instrument, scale_id: str) -> ChangeNorm:
    """The definition's own basis of change, provisional or not: naming the instrument chooses it."""
    from mbt_rom.norms import change_norm
    from mbt_rom.settings import ChosenNorm, Consortium

    basis = next((b for b in definition.change if b.scale == scale_id), None)
    if basis is None:
        _misuse(f"{definition.id} has no norm for scale '{scale_id}'; give --reliability, --sd and --direction instead")
    chosen = ChosenNorm(
        clinical=basis.clinical, reliability=basis.reliability, functional=basis.functional, cutoff=basis.cutoff
    )
    settings = Consortium(name="rom change", issuers={}, programmes={}, norms={f"{definition.id}.{scale_id}": chosen})
    norm = change_norm(definition, scale_id, settings)
    if norm is None:
        _misuse(f"{definition.id} has no norm for scale '{scale_id}'; give --reliability, --sd and --direction instead")
    return norm


# The file


def _read(path: Path, *, pre: str, post: str, id_column: str | None) -> Waves:
    try:
        file = read_wide(path)
    except UnreadableError as error:
        raise DataProblem([f"{path.name}: file_unreadable: {error}"]) from None
    for name in filter(None, (pre, post, id_column)):
        _check_column(path, file, name)
    if file.n_rows == 0:
        raise DataProblem([f"{path.name}: file_header_only: the file has no rows; export it again"])
    scores, wrong = zip(*(_numbers(file, name) for name in (pre, post)), strict=True)
    if any(len(rows) for rows in wrong):
        raise DataProblem(_about_cells(path, file, dict(zip((pre, post), wrong, strict=True))))
    numbered = arrow_of(np.arange(1, file.n_rows + 1)).cast(pa.string())
    ids = file.columns[file.names.index(id_column)].cast(pa.string()) if id_column else numbered
    return Waves(ids, scores[0], scores[1], file)


def _check_column(path: Path, file: WideFile, name: str) -> None:
    if name not in file.names:
        _misuse(f"{path.name} has no column '{name}'; it has {', '.join(file.names)}")
    if file.names.count(name) > 1:
        raise DataProblem([f"{path.name}, row 1, column '{name}': column_twice; rename one of the columns"])


def _about_cells(path: Path, file: WideFile, wrong: dict[str, npt.NDArray[np.intp]]) -> list[str]:
    cells = sorted((position, name) for name, rows in wrong.items() for position in rows.tolist())
    rows = file.row_numbers([position for position, _ in cells])
    remedy = "the cell holds no number: write a number, or leave it empty when the score is missing"
    return [
        f"{path.name}, row {row}, column '{name}': score_not_a_number; {remedy}"
        for row, (_, name) in zip(rows, cells, strict=True)
    ]


def _numbers(file: WideFile, name: str) -> tuple[Floats, npt.NDArray[np.intp]]:
    """A column as numbers, missing as NaN, and the positions of the cells that hold something else."""
    cells = file.columns[file.names.index(name)]
    is_text = not (pa.types.is_floating(cells.type) or pa.types.is_integer(cells.type))
    if is_text:
        cells = pc.coalesce(pc.utf8_trim_whitespace(cells.cast(pa.string())), text_of(""))
        if file.delimiter != ",":
            cells = pc.replace_substring(cells, pattern=",", replacement=".")
        is_missing = pc.match_substring_regex(cells, pattern=_MISSING)
        is_wrong = pc.invert(pc.or_(is_missing, pc.match_substring_regex(cells, pattern=_NUMBER)))
        cells = pc.if_else(pc.or_(is_missing, is_wrong), text_of("nan"), pc.utf8_ltrim(cells, characters="+"))
    numbers = _values(pc.coalesce(cells.cast(pa.float64()), text_of("nan").cast(pa.float64())), np.float64)
    wrong = np.isinf(numbers) | (_values(is_wrong.cast(pa.int8()), np.int8).astype(bool) if is_text else False)
    return numbers, np.flatnonzero(wrong)


def _values(column: pa.ChunkedArray, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """A column without missing values as a numpy array; Arrow's own way would import pandas."""
    size = np.dtype(dtype).itemsize
    parts = [
        np.frombuffer(chunk.buffers()[1], dtype=dtype, count=len(chunk), offset=chunk.offset * size)
        for chunk in column.chunks
        if len(chunk)
    ]
    return np.concatenate(parts) if parts else np.zeros(0, dtype=dtype)


# Utilities


def _value_set(path: Path, waves: Waves, *, pre: str, post: str) -> str | None:
    """The value set of both scores where columns beside them name it; scores of two value sets are refused.

    `rom score` names the value set of `eq5d5l_index` in `eq5d5l_index_value_set`. Where two scored files were joined both names
    bear the same addition: `eq5d5l_index_post` and `eq5d5l_index_value_set_post`.
    """
    beside = {
        name: [n for n in waves.file.names if n.replace("_value_set", "", 1) == name != n] for name in (pre, post)
    }
    if not any(beside.values()):
        return None
    found = [_ids(waves.file, beside[name], scores) for name, scores in ((pre, waves.pre), (post, waves.post))]
    try:
        return refuse_mixed(found[0] | found[1])
    except MixedValueSetsError as error:
        columns = " and ".join(f"'{name}'" for names in beside.values() for name in names)
        raise DataProblem([f"{path.name}, column {columns}: value_sets_mixed; {error}"]) from None


def _ids(file: WideFile, names: list[str], scores: Floats) -> set[str | None]:
    """Value sets that the columns name on rows with a score; None where they name none."""
    is_scored = pc.is_valid(arrow_of(scores))
    columns = [file.columns[file.names.index(name)].cast(pa.string()).filter(is_scored) for name in names]
    cells = {cell or "" for column in columns for cell in pc.unique(column).to_pylist()}
    return {None if re.match(_MISSING, cell.strip()) else cell.strip() for cell in cells} or {None}


# The result


def _result(method: str, waves: Waves, basis: Basis) -> Result:
    index = formulas.reliable_change(
        waves.pre, waves.post, sd=basis.sd, reliability=basis.reliability, direction=basis.direction
    )
    words = {"category": formulas.index_categories(index)}
    if basis.cutoff is not None:
        words["clinical_category"] = formulas.clinical_categories(
            index, waves.pre, waves.post, cutoff=basis.cutoff, direction=basis.direction
        )
    return Result(method, index, words)


def _write(results: list[Result], waves: Waves, out: Path) -> None:
    """Writes the long table, whole or not at all; an id that a spreadsheet would run as a formula is shielded."""
    n = len(waves.pre)
    tables = []
    for result in results:
        words = {name: _text(values) for name, values in result.words.items()}
        columns = {"id": waves.ids, "method": repeated_text(result.method, n), "index": arrow_of(result.index), **words}
        tables.append(pa.table(columns))
    table = pa.concat_tables(tables)
    write_wide(out, table.column_names, table.columns, like=replace(waves.file, delimiter=",", newline="\n", mark=b""))


def _text(words: npt.NDArray[np.object_]) -> pa.Array:
    known = formulas.INDEX_CATEGORIES + formulas.CLINICAL_CATEGORIES
    codes = np.zeros(len(words), dtype=np.int16)
    for code, word in enumerate(known):
        codes[words == word] = code
    return pa.concat_arrays([repeated_text(word, 1) for word in known]).take(arrow_of(codes))


def _tell(results: list[Result], basis: Basis, *, file: Path, out: Path) -> None:
    for sentence in basis.sentences:
        click.echo(sentence)
    smallest = formulas.smallest_reliable_change(sd=basis.sd, reliability=basis.reliability)
    click.echo(f"A change must exceed {float(smallest):.2f} points to be reliable.")
    orders = {"category": formulas.INDEX_CATEGORIES, "clinical_category": formulas.CLINICAL_CATEGORIES}
    for result in results:
        for name, words in result.words.items():
            counts = ", ".join(
                f"{int((words == word).sum())} {word}" for word in orders[name] if word != "not_estimable"
            )
            click.echo(f"{result.method}, {name}: {counts}")
    click.echo(f"{len(results[0].index)} rows of {file.name} written to {out}")
