"""Which tables exist, and from what? Dagster assets and checks (thin), and the stores they live in: home, archive, warehouse."""
