"""Reliable change and cut-off c from a long frame of one million patients, beside the row-wise pandas way.

The row-wise way is what most analysis scripts do: pivot to one row per patient, then `apply` a function to each row. Both ways
get the same frame; their indices and categories must agree. The same kernel without any frame is timed as well, and `rom
change` is measured beside reading and writing the same file.

    python -m benchmarks.bench_change [PATIENTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.csv as pv

from mbt_rom import change, registry, tables
from mbt_rom.norms import ChangeNorm
from mbt_rom.tables import TRAJECTORIES

PATIENTS = 1_000_000
CLINICAL_MEAN, CLINICAL_SD, FUNCTIONAL_MEAN, FUNCTIONAL_SD, RELIABILITY = 15.4, 5.5, 3.2, 3.4, 0.89
LEAST_RATIO = 10


def long_frame(n: int) -> pd.DataFrame:
    """Two PHQ-9 per patient in random order, 3 % of the scores missing."""
    rng = np.random.default_rng(20_240_501)
    before = np.clip(np.round(rng.normal(CLINICAL_MEAN, CLINICAL_SD, n)), 0, 27)
    after = np.clip(np.round(before - rng.normal(4, 6, n)), 0, 27)
    score = np.concatenate([before, after])
    score[rng.random(2 * n) < 0.03] = np.nan
    patient = pd.Series([f"p_{i:020x}" for i in range(n)], dtype="str")
    frame = pd.DataFrame(
        {
            "programme_id": "a",
            "patient_id": pd.concat([patient, patient], ignore_index=True),
            "instrument": "phq9",
            "edition": "9 items",
            "scale": "total",
            "moment": np.repeat(["baseline", "m6"], n),
            "score": score,
            "row_id": [f"r{i}" for i in range(2 * n)],
            "is_provisional": False,
        }
    )
    return TRAJECTORIES.conform(frame.take(rng.permutation(2 * n)))


def norm() -> ChangeNorm:
    """The norm with its cut-off c; computed inside the timed part of both ways."""
    c = change.cutoff_c(
        clinical_mean=CLINICAL_MEAN,
        clinical_sd=CLINICAL_SD,
        functional_mean=FUNCTIONAL_MEAN,
        functional_sd=FUNCTIONAL_SD,
    )
    groups = (CLINICAL_MEAN, CLINICAL_SD, FUNCTIONAL_MEAN, FUNCTIONAL_SD)
    return ChangeNorm("n", *groups, RELIABILITY, c, "c", is_provisional=False, is_mixed=False, sentence="")


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    """`change.change`: pairing by person, episode, edition and value set, index, categories and provenance."""
    definitions = {"phq9": registry.instrument("phq9")}
    norms = {("phq9", "total"): norm()}
    return change.change(frame, patients=tables.PATIENTS.empty(), definitions=definitions, norms=norms)


def row_wise(frame: pd.DataFrame) -> pd.DataFrame:
    """Pivot, then one Python call per patient."""
    wide = frame.pivot(index="patient_id", columns="moment", values="score")
    cutoff = (FUNCTIONAL_SD * CLINICAL_MEAN + CLINICAL_SD * FUNCTIONAL_MEAN) / (FUNCTIONAL_SD + CLINICAL_SD)
    difference_error = CLINICAL_SD * (2 * (1 - RELIABILITY)) ** 0.5

    def classify(row: pd.Series) -> tuple[float, str]:
        index = (row["baseline"] - row["m6"]) / difference_error
        if pd.isna(index):
            return index, "not_classifiable"
        started_in, ended_in = row["baseline"] < cutoff, row["m6"] < cutoff
        if started_in:
            left = index < -1.96 and not ended_in
            word = "reliably_worse_out_of_reference_range" if left else "started_in_reference_range"
        elif index > 1.96:
            word = "reliably_improved_into_reference_range" if ended_in else "reliably_improved"
        else:
            word = "reliably_worse" if index < -1.96 else "no_reliable_change"
        return index, word

    return wide.apply(classify, axis=1, result_type="expand").set_axis(["index", "category"], axis=1)


def timed(task: Callable[[], pd.DataFrame], *, times: int) -> tuple[float, pd.DataFrame]:
    """Shortest of several runs, in seconds, and the result."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        result = task()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def agree(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """True when every patient has the same index (to 1e-9) and the same category both ways."""
    one = one.set_index("patient_id").sort_index()
    other = other.sort_index()
    same_index = np.allclose(one["index"], other["index"].astype(float), atol=1e-9, equal_nan=True)
    return same_index and bool((one["category"].to_numpy() == other["category"].to_numpy()).all())


def bench_frame(n: int, sample: int) -> bool:
    """The long frame; the row-wise way gets a tenth of the patients and its time is counted ten times."""
    frame = long_frame(n)
    few = frame[frame["patient_id"].isin(frame["patient_id"].drop_duplicates().head(sample))]
    fast, result = timed(lambda: ours(frame), times=3)
    slow, expected = timed(lambda: row_wise(few), times=1)
    slow *= n / sample
    same = agree(ours(few), expected)
    ratio = slow / fast
    print(
        f"JT and cut-off c, {n:,} patients: {fast:.2f} s; row-wise pandas {slow:.1f} s (from {sample:,}); {ratio:.0f} x faster"
    )
    print(f"results agree: {same}; {result['category'].nunique()} categories occur")
    return same and ratio >= LEAST_RATIO


def bench_kernel(n: int) -> None:
    """Arrays in, arrays out: what the frame adds."""
    rng = np.random.default_rng(1)
    x1, x2 = rng.normal(15, 5, n), rng.normal(11, 6, n)

    def task() -> pd.DataFrame:
        index = change.reliable_change(x1, x2, sd=CLINICAL_SD, reliability=RELIABILITY, direction="lower_is_better")
        change.categories(index, x1, x2, cutoff=10, direction="lower_is_better")
        return pd.DataFrame()

    seconds, _ = timed(task, times=3)
    print(f"the same from two arrays: {seconds:.3f} s")


def bench_command(n: int) -> None:
    """`rom change` from file to file in this process, beside pyarrow reading it and writing a file as large as the result."""
    from click.testing import CliRunner

    from pipelines.commands.change import change as command

    frame = long_frame(n)
    wide = frame.pivot(index="patient_id", columns="moment", values="score").reset_index()
    with tempfile.TemporaryDirectory() as folder:
        source, target, copy = (Path(folder) / name for name in ("in.csv", "out.csv", "copy.csv"))
        wide.to_csv(source, index=False)
        arguments = [str(source), "-o", str(target), "--pre", "baseline", "--post", "m6", "--id", "patient_id"]
        ran = timed(lambda: CliRunner().invoke(command, [*arguments, "--instrument", "phq9"]), times=2)
        if ran[1].exit_code != 0:
            raise SystemExit(ran[1].output)
        read, _ = timed(lambda: pv.read_csv(source), times=2)
        written = pv.read_csv(target)
        write, _ = timed(lambda: pv.write_csv(written, copy), times=2)
    print(
        f"rom change, {n:,} rows: {ran[0]:.2f} s, {ran[0] / (read + write):.1f} x pyarrow.csv reading and writing alone"
    )


def main(arguments: list[str]) -> int:
    """Exit status 1 when the two ways disagree or the ratio is below 10."""
    n = int(arguments[0]) if arguments else PATIENTS
    passed = bench_frame(n, sample=max(n // 10, 1))
    bench_kernel(n)
    bench_command(n)
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
