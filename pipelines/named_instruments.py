"""The instrument that a command names: one of the software, one that a home defines itself, or a definition in a file.

Belongs here: looking it up, adding the key that a licence holder supplied, saying what is needed where there is none. Does not
belong here: reading a definition (`mbt_rom.registry`), opening a home. Imports nothing that is slow to start.
"""

from __future__ import annotations

import re
from pathlib import Path

import click

from mbt_rom import registry
from mbt_rom.model import Instrument, Scale
from mbt_rom.registry import DefinitionError
from pipelines.own_instruments import folder_of_instruments, folder_of_keys


def named_instrument(name: str, *, home: Path) -> Instrument:
    """The instrument called so; capitals, hyphens and spaces do not matter. `home` may be absent.

    A name with a slash or the ending .yaml is a file. Raises click.BadParameter where there is none, naming those that there
    are, and click.UsageError for a definition that cannot be used: file, key, what is wrong and the remedy.
    """
    if "/" in name or "\\" in name or name.casefold().endswith((".yaml", ".yml")):
        return _defined_in(Path(name))
    wanted = _squashed(name)
    for known in registry.instrument_ids():
        if _squashed(known) == wanted:
            return registry.instrument(known)
    own = {path.stem: path for path in sorted(folder_of_instruments(home).glob("*.yaml"))}
    for known, path in own.items():
        if _squashed(known) == wanted:
            return _defined_in(path)
    there_are = ", ".join([*registry.instrument_ids(), *own])
    raise click.BadParameter(
        f"'{name}' is not known; there are {there_are}. A definition of your own is named by its path: ./my_scale.yaml",
        param_hint="INSTRUMENT",
    )


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _defined_in(path: Path) -> Instrument:
    try:
        return registry.parse_instrument(_text(path), file=path.name)
    except DefinitionError as error:
        raise click.UsageError(str(error)) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise click.UsageError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError):
        raise click.UsageError(f"{path}: it cannot be read as text; save it as UTF-8") from None


# --- keys that a licence holder supplies ----------------------------------------------------------------------------------


def with_supplied_key(definition: Instrument, *, key: Path | None, home: Path) -> tuple[Instrument, Path | None]:
    """The definition with the key in that file or, without one, in the home's scoring_keys; and the file that was used.

    Raises click.UsageError for a key that cannot be used: file, key, what is wrong and the remedy.
    """
    of_home = folder_of_keys(home) / f"{definition.id}.yaml"
    used = key or (of_home if of_home.is_file() else None)
    if used is None:
        return definition, None
    try:
        return registry.with_key(definition, _text(used), file=used.name), used
    except DefinitionError as error:
        raise click.UsageError(str(error)) from None


def refuse_without_key(definition: Instrument) -> None:
    """Raises click.UsageError where only the licence holder can say which items make up the scales: what to supply, and how."""
    if definition.key == "site_supplied" and not any(scale.is_keyed for scale in _waiting(definition)):
        raise click.UsageError(_what_to_supply(definition))


def _waiting(definition: Instrument) -> list[Scale]:
    return [scale for scale in definition.scales if scale.key == "site_supplied"]


def _what_to_supply(definition: Instrument) -> str:
    waiting = _waiting(definition)
    of_items = [scale.id for scale in waiting if scale.method != "not_published"]
    example = [f"    {i}: {{items: [{3 * n + 1}, {3 * n + 2}, {3 * n + 3}], reverse: [{3 * n + 2}]}}"
               for n, i in enumerate(of_items[:2])]  # fmt: skip
    if formulas := [scale.id for scale in waiting if scale.method == "not_published"]:
        example.append(f"    {formulas[0]}: {{scales: [{', '.join(of_items[:2])}], method: mean_of_scales}}")
    return "\n".join(
        [
            f"the {definition.name} cannot be scored without its key, and nothing is guessed. Needed: {definition.needs}",
            "",
            "Write it in a YAML file and name that with --key FILE. It looks like this; the numbers here are made up:",
            "",
            "  source: where you have it from",
            "  scales:",
            *example,
            "",
            f"Its scales are {', '.join(scale.id for scale in waiting)}.",
            "The key belongs to the licence: keep the file outside this repository. In a home it lies in "
            f"ROM_HOME/scoring_keys/{definition.id}.yaml and is found there without --key.",
        ]
    )
