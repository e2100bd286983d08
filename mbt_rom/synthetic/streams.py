"""Random numbers that stay put: one stream per programme and purpose, so that nothing shifts when something is added.

Belongs here: how a seed becomes generators. Does not belong here: what is drawn from them.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """The random streams of one programme.

    Every purpose has its own stream, and arrays are drawn one row per person or form: the first people of a programme are
    the same people whatever their number, and other programmes or purposes draw nothing from it.

    >>> one, other = Streams(seed=1, programme=0), Streams(seed=1, programme=0)
    >>> bool(one("severity").random() == other("severity").random())
    True
    >>> bool(one("severity").random() == one("dates").random())
    False
    """

    seed: int
    programme: int

    def __call__(self, purpose: str) -> np.random.Generator:
        """The generator for a purpose, at its beginning. The purpose's checksum, not Python's hash, keeps it the same."""
        key = (self.programme, zlib.crc32(purpose.encode()))
        return np.random.default_rng(np.random.SeedSequence(entropy=self.seed, spawn_key=key))
