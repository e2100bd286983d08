"""One default consortium, made once for all tests of this folder."""

from __future__ import annotations

from datetime import date

import pytest

from mbt_rom.synthetic import SyntheticConsortium, make_consortium

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="session")
def made() -> SyntheticConsortium:
    """The default consortium."""
    return make_consortium(as_of=AS_OF)
