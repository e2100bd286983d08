"""How is it computed? The pure core: frames and frozen models in, frames out.

Belongs here: instruments' definitions, reading of exports from bytes, scoring, reliable change, moments, benchmarks,
disclosure control, synthetic data. Does not belong here: Dagster, Great Expectations, Plotly, files and folders (only
`registry` reads, and only the folder `instruments/`), the clock.
"""
