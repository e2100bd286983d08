"""EQ-5D-5L utilities of 1 million forms with missing answers, beside `df.merge(value_set)` and R's eq5d.

All sides have the same forms, 3 % of the answers missing, and must agree on every utility, missing ones included. Each begins
with its own columns: ours with `int8` arrays, as `rom score` and the scoring of a home hold them, pandas with the nullable
integers of the items table. What it costs to get our arrays from that table is printed as well.

pandas is given two forms of the left join: on the five columns, and on the state written as text, as value sets are
published. The faster one counts. A third form first turns the five levels into one whole number, which is our own method up
to the last step: no promise is made there. R's eq5d, where Rscript and the package are there, values a sample of complete
states.

    python -m benchmarks.bench_valuation            1 million forms
    python -m benchmarks.bench_valuation --quick    a twentieth of it; ratios are printed and not judged
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mbt_rom.registry import value_set
from mbt_rom.valuation import DIMENSIONS, MISSING, utilities_of

VALUE_SET = value_set("nl_2016")
FULL, QUICK = 1_000_000, 50_000
R_PROFILES, R_COUNTRY = 5_000, "Netherlands"
LEAST_OVER_MERGE = 10.0
Levels = dict[str, NDArray[np.int8]]
Utilities = NDArray[np.float64]

_R = """
arguments <- commandArgs(trailingOnly = TRUE)
states <- read.csv(arguments[1])
suppressMessages(library(eq5d))
seconds <- system.time(values <- eq5d(states, version = "5L", type = "VT", country = arguments[3]))[["elapsed"]]
write.csv(data.frame(value = values), arguments[2], row.names = FALSE)
cat(seconds)
"""


def forms(n: int) -> Levels:
    """Levels of n forms, 3 % missing."""
    random = np.random.default_rng(20_260_101)
    columns = {}
    for dimension in DIMENSIONS:
        column = random.integers(1, 6, n, dtype=np.int8)
        column[random.random(n, dtype=np.float32) < 0.03] = MISSING
        columns[dimension] = column
    return columns


def as_pandas(levels: Levels) -> pd.DataFrame:
    """The levels as the items table stores them: nullable Int8."""
    return pd.DataFrame({d: pd.arrays.IntegerArray(c.copy(), c == MISSING) for d, c in levels.items()})


def every_state() -> pd.DataFrame:
    """The value set as a table: five columns of levels, the state as text and as a number, the utility."""
    digits = np.indices((5,) * 5).reshape(5, -1).T + 1
    table = pd.DataFrame(digits, columns=list(DIMENSIONS)).astype("Int8")
    states = ["".join(map(str, state)) for state in digits]
    return table.assign(
        state=pd.array(states, dtype="str"), number=np.array(states, dtype=int), utility=VALUE_SET.values
    )


# --- the other sides ----------------------------------------------------------------------------------------------------


def merge_on_columns(frame: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """`df.merge(value_set)` on the five columns of levels."""
    return frame.merge(table[[*DIMENSIONS, "utility"]], how="left", on=list(DIMENSIONS))["utility"]


def merge_on_text(frame: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """The state as text, then `df.merge(value_set)` on it."""
    text = frame.astype("str")
    state = text["mo"] + text["sc"] + text["ua"] + text["pd"] + text["ad"]
    return frame.assign(state=state).merge(table[["state", "utility"]], how="left", on="state")["utility"]


def merge_on_number(frame: pd.DataFrame, table: pd.DataFrame) -> pd.Series:
    """The state as a whole number, then `df.merge(value_set)` on it."""
    wide = frame.astype("Int32")
    number = wide["mo"] * 10_000 + wide["sc"] * 1_000 + wide["ua"] * 100 + wide["pd"] * 10 + wide["ad"]
    other = table[["number", "utility"]].astype({"number": "Int32"})
    return frame.assign(number=number).merge(other, how="left", on="number")["utility"]


def r_seconds(levels: Levels) -> float | None:
    """Seconds per profile of R's eq5d on a sample of complete states; None where R or the package is not there."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        return None
    has_package = [rscript, "-e", 'if (!requireNamespace("eq5d", quietly = TRUE)) quit(status = 1)']
    if subprocess.run(has_package, capture_output=True, check=False).returncode != 0:
        return None
    frame = as_pandas(levels).dropna().head(R_PROFILES)
    with tempfile.TemporaryDirectory() as name:
        given, valued = Path(name) / "states.csv", Path(name) / "values.csv"
        frame.rename(columns=str.upper).to_csv(given, index=False)
        command = [rscript, "-e", _R, str(given), str(valued), R_COUNTRY]
        seconds = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        theirs = pd.read_csv(valued)["value"].to_numpy(dtype=float)
    ours = utilities_of([frame[d].to_numpy(dtype=np.int8) for d in DIMENSIONS], value_set=VALUE_SET)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)
    return seconds / len(frame)


# --- measuring ----------------------------------------------------------------------------------------------------------


def timed(function: Callable[[], Utilities | pd.Series], *, repeats: int) -> tuple[float, Utilities]:
    """Shortest of several runs, in seconds, and the result."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), np.asarray(result, dtype=float)


def from_table(frame: pd.DataFrame) -> Utilities:
    """Ours, beginning with the items table."""
    levels = [frame[d].to_numpy(dtype=np.int8, na_value=MISSING) for d in DIMENSIONS]
    return utilities_of(levels, value_set=VALUE_SET)


def compare(n: int) -> dict[str, tuple[float, str, bool]]:
    """Ratios; each with the words for it and whether it is as good as promised."""
    levels, table = forms(n), every_state()
    frame, columns = as_pandas(levels), list(levels.values())
    ours, utilities = timed(lambda: utilities_of(columns, value_set=VALUE_SET), repeats=9)
    assert 0.8 < np.isfinite(utilities).mean() < 0.9
    sides = {"ours, int8 arrays": ours}
    for name, side in {
        "ours, items table": lambda: from_table(frame),
        "merge, five columns": lambda: merge_on_columns(frame, table),
        "merge, state as text": lambda: merge_on_text(frame, table),
        "merge, state as number": lambda: merge_on_number(frame, table),
    }.items():
        sides[name], theirs = timed(side, repeats=5)
        np.testing.assert_array_equal(theirs, utilities, err_msg=name)
    print(f"utilities of {n:,} EQ-5D-5L forms, {np.isnan(utilities).mean():.0%} without one, seconds:")
    for name, seconds in sides.items():
        print(f"  {name:<24} {seconds:8.4f}")
    merge = min(sides["merge, five columns"], sides["merge, state as text"])
    as_number = sides["merge, state as number"]
    return {
        "merge / ours, each from its own columns": _least_is(merge / ours, LEAST_OVER_MERGE),
        "merge / ours, both from the items table": (merge / sides["ours, items table"], "no promise", True),
        "merge on a number / ours, own columns": (as_number / ours, "no promise", True),
        **_beside_r(levels, ours / n),
    }


def _beside_r(levels: Levels, ours: float) -> dict[str, tuple[float, str, bool]]:
    theirs = r_seconds(levels)
    if theirs is None:
        print("  R's eq5d: not here (needs Rscript and the package eq5d)")
        return {}
    print(f"  R's eq5d: {theirs * 1e6:.1f} microseconds a profile; ours: {ours * 1e6:.4f}")
    return {"R's eq5d / ours, per profile": (theirs / ours, "no promise", True)}


def _least_is(ratio: float, promised: float) -> tuple[float, str, bool]:
    return ratio, f"at least {promised:g}", ratio >= promised


def main() -> int:
    """Prints the ratios; 1 when the full run misses the one that was promised."""
    is_quick = "--quick" in sys.argv[1:]
    ratios = compare(QUICK if is_quick else FULL)
    for name, (ratio, promised, is_kept) in ratios.items():
        print(f"  {name:<42} {ratio:8.2f}  ({promised}{'' if is_kept or is_quick else ', MISSED'})")
    return 0 if is_quick or all(is_kept for _, _, is_kept in ratios.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
