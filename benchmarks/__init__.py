"""How fast, against what? Timings side by side, as ratios in one run, with a check that both sides agree.

Belongs here: one module per question (`bench_<what>.py`), each runnable with `python -m benchmarks.bench_<what>`, which
prints a line per comparison and fails when the results differ. Does not belong here: tests, thresholds in seconds.
"""
