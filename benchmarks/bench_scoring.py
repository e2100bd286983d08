"""All scales and indices of 1.4 million BSI beside pandas and polars, a million PHQ-9 beside `df.mean(axis=1)`, and `rom score`
beside reading and writing its file.

Three per cent of the answers are missing and every side applies the missing rule. All sides must agree. polars is
given two forms and the faster one counts. pandas is given its row-wise reductions on the stored type and on floats, and the
faster one counts; a third form takes its columns as bare vectors and adds them up by our own method: no promise is made there. Peak
memory is what numpy and pandas allocate while scoring, over the size of the answers.

    python -m benchmarks.bench_scoring            full size
    python -m benchmarks.bench_scoring --quick    a twentieth of it, a few seconds; ratios are printed and not judged
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
from numpy.typing import NDArray

from mbt_rom.model import Instrument, Scale
from mbt_rom.registry import instrument
from mbt_rom.scoring import MISSING, answers_of, scale_scores

BSI, PHQ9 = instrument("bsi"), instrument("phq9")
SUBSCALES = [scale for scale in BSI.scales if len(scale.items) < len(BSI.items)]
FULL, QUICK = (1_400_000, 1_000_000, 200_000), (70_000, 50_000, 10_000)
LEAST_OVER_MEAN = 3.0
LEAST_OVER_PANDAS, MOST_OVER_POLARS, MOST_MEMORY, MOST_OVER_COPY = 5.0, 1.5, 2.0, 2.5
ROWWISE = ("pandas, rows", "pandas, floats")
ROOT = Path(__file__).resolve().parent.parent
Scores = Mapping[str, NDArray[np.float64]]

_COPY = """
import sys, pyarrow as pa, pyarrow.csv, pyarrow.feather
table = pyarrow.csv.read_csv(sys.argv[1])
added = pyarrow.feather.read_table(sys.argv[2])
for name in added.column_names:
    table = table.append_column(name, added.column(name))
pyarrow.csv.write_csv(table, sys.argv[3])
"""


def forms(n: int, definition: Instrument = BSI) -> dict[str, NDArray[np.int8]]:
    """Answers of n forms, 3 % missing."""
    random = np.random.default_rng(20_240_501)
    answers = {}
    for item in definition.items:
        column = random.integers(item.min, item.largest + 1, n, dtype=np.int8)
        column[random.random(n, dtype=np.float32) < 0.03] = MISSING
        answers[item.id] = column
    return answers


def as_pandas(answers: Mapping[str, NDArray[np.int8]]) -> pd.DataFrame:
    """The answers as the items table stores them: nullable Int8."""
    return pd.DataFrame({i: pd.array(np.where(c == MISSING, 0, c), dtype="Int8") for i, c in answers.items()}).mask(
        pd.DataFrame({i: c == MISSING for i, c in answers.items()})
    )


def as_polars(answers: Mapping[str, NDArray[np.int8]]) -> pl.DataFrame:
    """The answers as polars stores them: Int8 with nulls."""
    return pl.DataFrame(dict(answers)).with_columns(pl.when(pl.all() != int(MISSING)).then(pl.all()))


# --- the other sides ----------------------------------------------------------------------------------------------------


def pandas_rows(frame: pd.DataFrame) -> Scores:
    """Means and counts over axis 1."""
    scores = {}
    for scale in (BSI.primary, *SUBSCALES):
        part = frame[list(scale.items)]
        scores[scale.id] = part.mean(axis=1).where(part.count(axis=1) >= _least(scale))
    is_complete = frame.count(axis=1) == len(BSI.items)
    scores["pst"] = (frame > 0).sum(axis=1).where(is_complete)
    scores["psdi"] = (frame.sum(axis=1) / scores["pst"]).where(scores["pst"] > 0)
    return _as_arrays(scores)


def pandas_floats(frame: pd.DataFrame) -> Scores:
    """The same reductions on floating-point numbers, which pandas does faster and in eight times the memory."""
    return pandas_rows(frame.astype("float64"))


def pandas_vectors(frame: pd.DataFrame) -> Scores:
    """Column by column into wide accumulators; the indices share the sums of the subscales, as ours do."""
    nothing = pd.Series(0, index=frame.index, dtype="int16")
    scores: dict[str, pd.Series] = {}
    total, answered, positive = nothing, nothing, nothing
    for items, scale in [*((s.items, s) for s in SUBSCALES), (_additional(), None)]:
        part_total, part_answered = nothing, nothing
        for item in items:
            is_answered = frame[item].notna()
            value = frame[item].fillna(0).astype("int16")
            part_total, part_answered = part_total + value, part_answered + is_answered
            positive = positive + (value > 0)
        if scale is not None:
            scores[scale.id] = (part_total / part_answered).where(part_answered >= _least(scale))
        total, answered = total + part_total, answered + part_answered
    scores["gsi"] = (total / answered).where(answered >= _least(BSI.primary))
    scores["pst"] = positive.where(answered == len(BSI.items))
    scores["psdi"] = (total / positive).where((answered == len(BSI.items)) & (positive > 0))
    return _as_arrays(scores)


def polars_plain(frame: pl.DataFrame) -> Scores:
    """One expression per scale."""
    chosen = []
    for scale in (BSI.primary, *SUBSCALES):
        count, total = _count(scale.items), pl.sum_horizontal([pl.col(i).cast(pl.Int16) for i in scale.items])
        chosen.append(pl.when(count >= _least(scale)).then(total / count).alias(scale.id))
    positive = pl.sum_horizontal([(pl.col(i) > 0).cast(pl.Int8) for i in BSI.item_ids])
    is_complete = _count(BSI.item_ids) == len(BSI.items)
    total = pl.sum_horizontal([pl.col(i).cast(pl.Int16) for i in BSI.item_ids])
    chosen.append(pl.when(is_complete).then(positive.cast(pl.Float64)).alias("pst"))
    chosen.append(pl.when(is_complete & (positive > 0)).then(total / positive).alias("psdi"))
    return _from_polars(frame.lazy().select(chosen).collect())


def polars_fast(frame: pl.DataFrame) -> Scores:
    """Sums of the subscales in Int8, widened before they are added up for the indices."""
    groups = {**{scale.id: scale.items for scale in SUBSCALES}, "additional": _additional()}
    parts = []
    for name, items in groups.items():
        parts.append(pl.sum_horizontal([pl.col(i).fill_null(0) for i in items]).cast(pl.Int16).alias(f"{name}_sum"))
        parts.append(_count(items).alias(f"{name}_n"))
        parts.append(pl.sum_horizontal([(pl.col(i) > 0).cast(pl.Int8) for i in items]).alias(f"{name}_positive"))
    ends = {end: pl.sum_horizontal([f"{name}_{end}" for name in groups]) for end in ("sum", "n", "positive")}
    is_complete = pl.col("n") == len(BSI.items)
    chosen = [
        pl.when(pl.col("n") >= _least(BSI.primary)).then(pl.col("sum") / pl.col("n")).alias("gsi"),
        pl.when(is_complete).then(pl.col("positive").cast(pl.Float64)).alias("pst"),
        pl.when(is_complete & (pl.col("positive") > 0)).then(pl.col("sum") / pl.col("positive")).alias("psdi"),
    ]
    chosen += [
        pl.when(pl.col(f"{s.id}_n") >= _least(s)).then(pl.col(f"{s.id}_sum") / pl.col(f"{s.id}_n")).alias(s.id)
        for s in SUBSCALES
    ]
    return _from_polars(frame.lazy().select(parts).with_columns(**ends).select(chosen).collect())


def _least(scale: Scale) -> int:
    return len(scale.items) - scale.missing.max_missing


def _additional() -> tuple[str, ...]:
    in_subscales = {item for scale in SUBSCALES for item in scale.items}
    return tuple(item for item in BSI.item_ids if item not in in_subscales)


def _count(items: tuple[str, ...]) -> pl.Expr:
    return pl.sum_horizontal([pl.col(i).is_not_null().cast(pl.Int8) for i in items])


def _as_arrays(scores: Mapping[str, pd.Series]) -> Scores:
    return {name: column.to_numpy(dtype=float, na_value=np.nan) for name, column in scores.items()}


def _from_polars(frame: pl.DataFrame) -> Scores:
    return {name: frame[name].fill_null(float("nan")).to_numpy() for name in frame.columns}


# --- measuring ----------------------------------------------------------------------------------------------------------


def timed(function: Callable[[], Scores], *, repeats: int) -> tuple[float, Scores]:
    """Shortest of several runs, in seconds, and the result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def agree(ours: Scores, theirs: Scores) -> None:
    """Raises AssertionError, naming the scale, unless both sides have the same scores."""
    assert set(ours) == set(theirs), set(ours) ^ set(theirs)
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, equal_nan=True, err_msg=name)


def peak(function: Callable[[], object]) -> int:
    """Largest memory in bytes that numpy and pandas held at once during the call, over what was there before."""
    tracemalloc.start()
    try:
        kept = function()
        largest = tracemalloc.get_traced_memory()[1]
        del kept
    finally:
        tracemalloc.stop()
    return largest


def in_memory(n: int) -> dict[str, tuple[float, str, bool]]:
    """Ratios of the kernel; each with the words for it and whether it is as good as promised."""
    answers = forms(n)
    frame, table = as_pandas(answers), as_polars(answers)
    ours, scores = timed(lambda: scale_scores(BSI, answers).scores, repeats=5)
    from_frame, again = timed(lambda: scale_scores(BSI, answers_of(BSI, frame)).scores, repeats=3)
    agree(scores, again)
    sides = {}
    for name, side in {
        "pandas, rows": lambda: pandas_rows(frame),
        "pandas, floats": lambda: pandas_floats(frame),
        "pandas, vectors": lambda: pandas_vectors(frame),
        "polars, plain": lambda: polars_plain(table),
        "polars, fast": lambda: polars_fast(table),
    }.items():
        sides[name], theirs = timed(side, repeats=1 if name in ROWWISE else 3)
        agree(scores, theirs)
    print(f"{n:,} BSI x 53 items, all scales and indices, seconds:")
    for name, seconds in {"ours, int8 arrays": ours, "ours, items table": from_frame, **sides}.items():
        print(f"  {name:<18} {seconds:8.3f}")
    best_pandas = min(sides[name] for name in ROWWISE)
    best_polars = min(seconds for name, seconds in sides.items() if name.startswith("polars"))
    size = sum(column.nbytes for column in answers.values())
    arrays, tables = peak(lambda: scale_scores(BSI, answers)) / size, int(frame.memory_usage(index=False).sum())
    table_peak = peak(lambda: scale_scores(BSI, answers_of(BSI, frame))) / tables
    return {
        "pandas / ours, both from the items table": _least_is(best_pandas / from_frame, LEAST_OVER_PANDAS),
        "pandas as vectors / ours, same table": (sides["pandas, vectors"] / from_frame, "no promise", True),
        "ours / polars, each from its own columns": _most_is(ours / best_polars, MOST_OVER_POLARS),
        "peak extra memory / int8 arrays": _most_is(arrays, MOST_MEMORY),
        "peak extra memory / items table": _most_is(table_peak, MOST_MEMORY),
    }


def beside_mean(n: int) -> dict[str, tuple[float, str, bool]]:
    """Total score of the PHQ-9, and its diagnostic algorithm on our side, over pandas' mean of a row with the same missing rule."""
    answers = forms(n, PHQ9)
    frame = as_pandas(answers)
    items, least = list(PHQ9.primary.items), _least(PHQ9.primary)
    ours, scores = timed(lambda: scale_scores(PHQ9, answers).scores, repeats=5)
    from_frame, again = timed(lambda: scale_scores(PHQ9, answers_of(PHQ9, frame)).scores, repeats=3)
    agree(scores, again)

    def mean(stored: pd.DataFrame) -> Scores:
        total = (stored.mean(axis=1) * len(items)).where(stored.count(axis=1) >= least)
        return _as_arrays({"total": total})

    floats = frame[items].astype("float64")
    sides = {"stored": timed(lambda: mean(frame[items]), repeats=1), "floats": timed(lambda: mean(floats), repeats=3)}
    for _, theirs in sides.values():
        agree({"total": scores["total"]}, theirs)
    print(
        f"{n:,} PHQ-9, seconds: ours {ours:.3f} (items table {from_frame:.3f}), df.mean(axis=1) on the stored type "
        f"{sides['stored'][0]:.3f}, on floats that are there already {sides['floats'][0]:.3f}"
    )
    return {
        "df.mean(axis=1) on floats / ours, PHQ-9": _least_is(sides["floats"][0] / ours, LEAST_OVER_MEAN),
        "df.mean(axis=1) / ours, both from the table": _least_is(sides["stored"][0] / from_frame, LEAST_OVER_MEAN),
    }


def whole_process(n: int) -> dict[str, tuple[float, str, bool]]:
    """`rom score` from start to end, over a process that reads the same CSV and writes the same result with pyarrow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source, result, added, copy = (folder / f for f in ("in.csv", "out.csv", "added.feather", "copy.csv"))
        pyarrow.csv.write_csv(_wide(n), source)
        command = [sys.executable, "-m", "pipelines.cli", "score", "bsi", str(source), "-o", str(result)]
        _seconds(command)
        scored = pyarrow.csv.read_csv(result)
        _agrees_with_kernel(scored, n)
        width = 2 + len(BSI.items)
        pyarrow.feather.write_feather(scored.select(range(width, scored.num_columns)), added, "uncompressed")
        other = [sys.executable, "-c", _COPY, str(source), str(added), str(copy)]
        pairs = [(_seconds(command), _seconds(other)) for _ in range(3)]
        ours, theirs = min(a for a, _ in pairs), min(b for _, b in pairs)
        assert pyarrow.csv.read_csv(copy).equals(scored)
    print(f"rom score bsi, {n:,} forms, CSV in and out, whole process: {ours:.2f} s; pyarrow copying: {theirs:.2f} s")
    return {"rom score / pyarrow reading and writing": _most_is(ours / theirs, MOST_OVER_COPY)}


def _wide(n: int) -> pa.Table:
    columns = {
        item: pa.array(np.where(column == MISSING, 0, column), mask=column == MISSING)
        for item, column in forms(n).items()
    }
    return pa.table({"id": [f"{i:07d}" for i in range(n)], "site": ["north", "south"] * (n // 2), **columns})


def _agrees_with_kernel(scored: pa.Table, n: int) -> None:
    expected = scale_scores(BSI, forms(n)).scores
    written = {s.id: scored.column(f"bsi_{s.id}").cast(pa.float64()).to_numpy() for s in BSI.scales}
    agree(expected, written)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def _least_is(ratio: float, promised: float) -> tuple[float, str, bool]:
    return ratio, f"at least {promised}", ratio >= promised


def _most_is(ratio: float, promised: float) -> tuple[float, str, bool]:
    return ratio, f"at most {promised}", ratio <= promised


def main() -> int:
    """Prints the ratios; 1 when the full run misses one that was promised."""
    is_quick = "--quick" in sys.argv[1:]
    n_memory, n_mean, n_file = QUICK if is_quick else FULL
    ratios = {**in_memory(n_memory), **beside_mean(n_mean), **whole_process(n_file)}
    for name, (ratio, promised, is_kept) in ratios.items():
        print(f"  {name:<42} {ratio:6.2f}  ({promised}{'' if is_kept or is_quick else ', MISSED'})")
    return 0 if is_quick or all(is_kept for _, _, is_kept in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
