"""The instruments and scoring keys that a home holds itself: found by id, checked against worked examples.

Belongs here: which files of a home define or complete an instrument, and what is wrong with them. Does not belong here: reading
a definition (`mbt_rom.registry`), comparing scores (`mbt_rom.worked_examples`), what the command line prints. Imports nothing
that is slow to start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mbt_rom import registry
from mbt_rom.model import Instrument
from mbt_rom.registry import DefinitionError
from mbt_rom.worked_examples import differences, scorable


@dataclass(frozen=True)
class Checked:
    """One file of a home that was looked at: what it is called, what is wrong, and otherwise what can be said of it."""

    file: str
    wrong: tuple[str, ...] = ()
    says: str = ""


def folder_of_instruments(home: Path) -> Path:
    """Where a home keeps its own definitions, `<id>.yaml`, and their worked examples, `<id>.csv`."""
    return home / "instruments"


def folder_of_keys(home: Path) -> Path:
    """Where a home keeps the keys that it holds under a licence, `<id>.yaml`, and worked examples of them, `<id>.csv`."""
    return home / "scoring_keys"


def own_ids(home: Path) -> list[str]:
    """Ids of the instruments that the home defines, sorted; none where there is no home."""
    return sorted(path.stem for path in folder_of_instruments(home).glob("*.yaml"))


def every_instrument(home: Path) -> dict[str, Instrument]:
    """Those of the software, by id, and then the home's own, each with the key that the home holds for it.

    Raises `mbt_rom.registry.DefinitionError` for a file of the home that cannot be used.
    """
    known = {**registry.instruments(), **registry.local_instruments(folder_of_instruments(home))}
    return registry.keyed_instruments(known, folder_of_keys(home))


def check(home: Path, instrument_id: str | None = None) -> Iterator[Checked]:
    """Looks at every definition and key of the home, or at those of one instrument: are they valid, do the examples agree?

    A definition needs worked examples. A key may have them. One file that cannot be used does not keep the others from being
    looked at. Nothing comes out when the home holds nothing (of that instrument).
    """
    for path in sorted(folder_of_instruments(home).glob("*.yaml")):
        if instrument_id in (None, path.stem):
            yield from _checked(path, home, must_have_examples=True)
    for path in sorted(folder_of_keys(home).glob("*.yaml")):
        if instrument_id in (None, path.stem):
            yield from _checked(path, home, must_have_examples=False)


def _checked(path: Path, home: Path, *, must_have_examples: bool) -> Iterator[Checked]:
    try:
        definition = _completed(path.stem, home)
    except KeyError:
        yield Checked(path.name, ("no instrument has that name; name the file after its instrument",))
        return
    except DefinitionError as error:
        yield Checked(error.file, (f"key '{error.key}': {error.wrong}; {error.remedy}",))
        return
    n_scales = len(definition.scales)
    yield Checked(path.name, says=f"can be used; {len(scorable(definition))} of {n_scales} scales can be scored")
    yield from _examples(definition, path.with_suffix(".csv"), must_be_there=must_have_examples)


def _completed(instrument_id: str, home: Path) -> Instrument:
    """The instrument of that id, the home's own before that of the software, with the key that the home holds for it."""
    own, key = (folder / f"{instrument_id}.yaml" for folder in (folder_of_instruments(home), folder_of_keys(home)))
    definition = registry.local_instrument(own) if own.is_file() else registry.instrument(instrument_id)
    return registry.keyed_instrument(definition, key) if key.is_file() else definition


def _examples(definition: Instrument, path: Path, *, must_be_there: bool) -> Iterator[Checked]:
    if not path.is_file():
        says = "is not there: worked examples show that the scores are right"
        yield (
            Checked(path.name, (f"{says}; see docs/own-instruments.md",))
            if must_be_there
            else Checked(path.name, says=says)
        )
        return
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        yield Checked(path.name, ("is not UTF-8; save it as CSV UTF-8",))
        return
    found = differences(definition, text, file=path.name, value_sets=registry.value_sets(definition.id))
    yield Checked(path.name, tuple(str(f).removeprefix(f"{path.name}, ").removeprefix(f"{path.name}: ") for f in found),
                  says="every score is as expected")  # fmt: skip
