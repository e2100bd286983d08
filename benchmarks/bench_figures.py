"""A course drawn as a plain dictionary beside the same figure built with `plotly.graph_objects`, down to its JSON.

Both sides must give the same figure. The plain one is held against plotly's own validation in the tests instead of at
every drawing.

    python -m benchmarks.bench_figures            full size
    python -m benchmarks.bench_figures --quick    a tenth of it; ratios are printed and not judged
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go

from dashboards import theme
from dashboards.figures.course import course_figure
from mbt_rom.registry import instrument

BSI = instrument("bsi")
FULL, QUICK = 200, 20
LEAST_OVER_OBJECTS = 5.0
POINTS = [
    {
        "moment": f"m{months}", "months": months, "suppressed": False, "n": 60 - months, "mean": 1.8 - months / 60,
        "lower_95": 1.6 - months / 60, "upper_95": 2.0 - months / 60, "quartile_1": 1.0, "quartile_3": 2.4,
    }
    for months in (6, 12, 18, 24, 30, 36)
]  # fmt: skip


def plain() -> dict[str, Any]:
    """The figure as the pages use it."""
    return course_figure(
        POINTS, instrument=BSI, scale=BSI.primary, cutoff=0.6, cutoff_label="cut-off", is_synthetic=True
    )


def seconds(draw: Callable[[], str], n: int) -> float:
    """Best of three: seconds for one of n drawings."""
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(n):
            draw()
        rounds.append((time.perf_counter() - start) / n)
    return min(rounds)


def main() -> int:
    """Exit status: 0 when both sides agree and the plain one is fast enough."""
    n = QUICK if "--quick" in sys.argv else FULL
    drawn = plain()
    if json.loads(go.Figure(drawn).to_json()) != json.loads(theme.as_json(drawn)):
        print("FAILED: the two figures differ")
        return 1
    ours = seconds(lambda: theme.as_json(plain()), n)
    objects = seconds(lambda: go.Figure(plain()).to_json(), n)
    print(
        f"plain dictionary {1000 * ours:.2f} ms, graph_objects {1000 * objects:.2f} ms: {objects / ours:.1f} x faster"
    )
    return 1 if n == FULL and objects / ours < LEAST_OVER_OBJECTS else 0


if __name__ == "__main__":
    sys.exit(main())
