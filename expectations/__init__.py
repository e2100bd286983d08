"""What does good data look like? Great Expectations suites, one module per kind of table; GX is imported nowhere else."""
