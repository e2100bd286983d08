"""A synthetic consortium: seeded patients, their answers, the exports a survey tool would write, and the truth behind them."""

from mbt_rom.synthetic.consortium import SyntheticConsortium, make_consortium

__all__ = ["SyntheticConsortium", "make_consortium"]
