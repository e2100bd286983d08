"""An attacker who reads one row, knows the rules, and solves for what is withheld.

The attacker is linear programming: unknown counts are variables, what is shown fixes them, and the feasible range of every
withheld count is found. It must hold at least 0 .. threshold - 1.
"""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from mbt_rom import disclosure, intervals
from mbt_rom.tables import BENCHMARK, RESPONSE

THRESHOLD = 10
CLASSES = ("started", "improved", "worse", "rest")
small_or_large = st.integers(0, 14) | st.integers(0, 60)


def benchmark_row(started, improved, worse, rest, *, without_pair, unanswered):
    pairs = started + improved + worse + rest
    received, eligible = pairs + without_pair, pairs + without_pair + unanswered
    columns = {"programme_id": "a", "format": "other", "instrument": "bsi", "scale": "gsi", "moment": "m6"}
    columns |= {"suppressed": "", "is_provisional": False, "n_eligible": eligible, "n_received": received}
    columns |= {"n_pairs": pairs, "n_classified": pairs, "n_started_in_reference_range": started, "mean_change": -0.1}
    for name, count, n in (("response", received, eligible), ("improved", improved, pairs), ("worse", worse, pairs)):
        limits = (float(x) for x in intervals.wilson(count=count, n=n))
        columns |= dict(zip([f"{name}_share", f"{name}_lower_95", f"{name}_upper_95"], limits, strict=True))
    return BENCHMARK.conform(pd.DataFrame([columns]))


def feasible(name, names, equalities):
    """Smallest and largest value of a count that fits what is shown; counts are at least 0."""
    rows = [[coefficients.get(n, 0) for n in names] for coefficients, _ in equalities]
    values = [value for _, value in equalities]
    ends = []
    for sign in (1, -1):
        aim = [sign if n == name else 0 for n in names]
        found = linprog(aim, A_eq=rows or None, b_eq=values or None, bounds=[(0, 10_000)] * len(names))
        assert found.success
        ends.append(sign * found.fun)
    return ends


def shown_classes(row):
    """What the row tells about the four classes: each shown count, and their sum."""
    n = row["n_classified"]
    told = []
    if pd.notna(n):
        told.append((dict.fromkeys(CLASSES, 1), float(n)))
    if pd.notna(row["n_started_in_reference_range"]):
        told.append(({"started": 1}, float(row["n_started_in_reference_range"])))
    for word in ("improved", "worse"):
        if pd.notna(row[f"{word}_share"]):
            told.append(({word: 1}, float(row[f"{word}_share"] * n)))
        else:
            assert pd.isna(row[f"{word}_lower_95"])
            assert pd.isna(row[f"{word}_upper_95"])
    return told


@given(*[small_or_large] * 4, st.integers(0, 30), st.integers(0, 30))
def test_no_withheld_class_can_be_pinned_below_the_threshold(started, improved, worse, rest, without_pair, unanswered):
    frame = benchmark_row(started, improved, worse, rest, without_pair=without_pair, unanswered=unanswered)
    row = disclosure.protect(frame, threshold=THRESHOLD).iloc[0]
    told = shown_classes(row)
    fixed = {next(iter(coefficients)) for coefficients, _ in told if len(coefficients) == 1}
    truth = {"started": started, "improved": improved, "worse": worse, "rest": rest}
    for name in CLASSES:
        low, high = feasible(name, CLASSES, told)
        is_small = min(truth[name], sum(truth.values()) - truth[name]) < THRESHOLD
        if name in fixed:
            assert not is_small
        elif is_small or high - low > 1e-6:
            assert low < 0.5
            assert high > THRESHOLD - 1.5
        assert name not in fixed or row["suppressed"] != "all"


@given(*[small_or_large] * 4, st.integers(0, 30), st.integers(0, 30))
def test_what_is_shown_is_true_and_nothing_withheld_is_shown_as_zero(
    started, improved, worse, rest, without_pair, unanswered
):
    frame = benchmark_row(started, improved, worse, rest, without_pair=without_pair, unanswered=unanswered)
    found = disclosure.protect(frame, threshold=THRESHOLD).iloc[0]
    names = [c.name for c in BENCHMARK.columns if c.dtype in ("Int64", "float64")]
    withheld = names if found["suppressed"] == "all" else found["suppressed"].split()
    assert found[withheld].isna().all()
    open_cells = [name for name in names if name not in withheld]
    pd.testing.assert_series_equal(found[open_cells], frame.iloc[0][open_cells])
    for count in ("n_eligible", "n_received", "n_pairs", "n_classified", "n_started_in_reference_range"):
        assert pd.isna(found[count]) or found[count] >= THRESHOLD


@given(*[small_or_large] * 5)
def test_deaths_and_withdrawals_cannot_be_pinned_in_a_row_of_the_response(not_due, died, withdrawn, missed, received):
    counts = {"n_started": not_due + died + withdrawn + missed + received, "n_not_yet_due": not_due}
    counts |= {"n_not_eligible": died, "n_withdrawn": withdrawn}
    counts |= {"n_eligible": missed + received, "n_received": received}
    frame = RESPONSE.conform(pd.DataFrame([{"programme_id": "a", "instrument": "bsi", "moment": "m6"} | counts]))
    row = disclosure.protect_response(frame, threshold=THRESHOLD).iloc[0]
    names = list(counts)
    told = [({n: 1}, float(row[n])) for n in names if pd.notna(row[n])]
    parts = ("n_not_yet_due", "n_not_eligible", "n_withdrawn", "n_eligible")
    told.append(({"n_started": 1, **dict.fromkeys(parts, -1)}, 0.0))
    for name in ("n_not_eligible", "n_withdrawn", "n_received"):
        if pd.isna(row[name]):
            low, high = feasible(name, names, told)
            assert low < 0.5
            assert high > THRESHOLD - 1.5
        else:
            assert row[name] >= THRESHOLD


@given(st.lists(st.tuples(*[small_or_large] * 4), min_size=1, max_size=8))
def test_the_cells_of_a_row_do_not_depend_on_other_rows(rows):
    together = disclosure.withheld_cells(np.array(rows), threshold=THRESHOLD)
    alone = [disclosure.withheld_cells(np.array([row]), threshold=THRESHOLD)[0] for row in rows]
    assert (together == alone).all()
