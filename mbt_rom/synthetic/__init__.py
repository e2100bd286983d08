"""A synthetic consortium: seeded patients, their answers, the exports a survey tool would write, and the truth behind them."""
