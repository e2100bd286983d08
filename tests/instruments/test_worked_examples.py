"""`rom instruments check` would find nothing wrong with the fixtures of the instruments that come with the software."""

from __future__ import annotations

from pathlib import Path

import pytest

from mbt_rom.registry import instrument, instrument_ids, value_sets, with_key
from mbt_rom.worked_examples import differences

FIXTURES = Path(__file__).parent


@pytest.mark.parametrize("instrument_id", instrument_ids())
def test_the_fixture_is_right_and_covers_what_it_has_to(instrument_id: str) -> None:
    definition, key = instrument(instrument_id), FIXTURES / "keys" / f"{instrument_id}.yaml"
    if key.exists():
        definition = with_key(definition, key.read_text(encoding="utf-8"), file=key.name)
    text = (FIXTURES / f"{instrument_id}.csv").read_text(encoding="utf-8")
    found = differences(definition, text, file=f"{instrument_id}.csv", value_sets=value_sets(instrument_id))
    assert [str(difference) for difference in found] == []
