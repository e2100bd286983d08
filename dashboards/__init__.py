"""How is it shown? Figures (frame in, Plotly figure out) and static pages. Knows no Dagster and computes no statistic."""
