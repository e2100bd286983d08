"""The definitions of instruments and value sets: the only reader of the folder `instruments/`.

Belongs here: reading, the short forms in which a definition is written, errors that name file, key and remedy, the JSON
Schema for editors. Does not belong here: the shape of a definition (`model`), scoring.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from mbt_rom.model import Frozen, Identifier, Instrument, Item
from mbt_rom.valuation import DIMENSIONS, crosswalk, rounded, utilities
from mbt_rom.valuation import ValueSet as ValueSet

FOLDER = Path(__file__).resolve().parent.parent / "instruments"
VALUE_SETS = FOLDER / "value_sets"
Model = TypeVar("Model", bound=Frozen)
_REMEDIES = {
    "extra_forbidden": "remove it or correct its spelling",
    "missing": "add it",
    "string_pattern_mismatch": "write it in lower case, digits and underscores, beginning with a letter",
}


class DefinitionError(ValueError):
    """A definition cannot be used: which `file`, which `key`, what is `wrong` and the `remedy`."""

    def __init__(self, *, file: str, key: str, wrong: str, remedy: str) -> None:
        super().__init__(f"{file}, key '{key}': {wrong}; {remedy}")
        self.file, self.key, self.wrong, self.remedy = file, key, wrong, remedy


class _ItemAsWritten(Frozen):
    """An item that differs from the run of equal items: `number` is its number or short name."""

    number: Identifier | Annotated[str, Field(pattern=r"^[0-9]+$")]
    min: int
    max: int
    tag: str | None = None
    is_scored: bool = True


def _keys_as_text(raw: Any) -> Any:
    return {str(key): value for key, value in raw.items()} if isinstance(raw, dict) else raw


class _ItemsAsWritten(Frozen):
    """Items in short form: `count` (numbered 1, 2, ...) or `names`, with the answers from `min` to `max`; `others` follow."""

    count: int | None = Field(default=None, ge=1)
    names: tuple[Identifier, ...] = ()
    min: int
    max: int
    tags: Annotated[dict[str, str], BeforeValidator(_keys_as_text)] = {}
    others: tuple[_ItemAsWritten, ...] = ()

    @model_validator(mode="after")
    def _count_or_names(self) -> Self:
        if (self.count is None) == (not self.names):
            raise ValueError("must state either 'count' or 'names'")
        if unknown := set(self.tags) - set(self.numbers):
            raise ValueError(f"'tags' names items that do not exist: {sorted(unknown)}")
        return self

    @property
    def numbers(self) -> list[str]:
        """Numbers or names of the run of equal items, in order."""
        return list(self.names) or [str(n) for n in range(1, (self.count or 0) + 1)]

    def expand(self, instrument_id: str) -> list[Item]:
        """All items in order, as the model wants them."""
        run = [_ItemAsWritten(number=n, min=self.min, max=self.max, tag=self.tags.get(n)) for n in self.numbers]
        return [Item(id=_item_id(instrument_id, i.number), **i.model_dump()) for i in (*run, *self.others)]


def _item_id(instrument_id: str, number: str) -> str:
    """Column name of an item: `phq9_01`, `eq5d3l_mo`."""
    return f"{instrument_id}_{number.zfill(2) if number.isdigit() else number}"


class _UniqueKeys(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the fast loader where it was built
    """YAML as it is safe to read; a key that stands twice is an error instead of silently the last one."""


def _mapping_without_repeats(loader: Any, node: Any) -> dict[Any, Any]:
    mapping = loader.construct_mapping(node, deep=True)
    if len(mapping) < len(node.value):
        raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
    return dict(mapping)


_UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_repeats)


def parse_instrument(text: str, *, file: str) -> Instrument:
    """The instrument that a definition states; `file` is its name, whose stem must be the instrument's id.

    Raises `DefinitionError` naming the file, the key, what is wrong and the remedy.

    >>> try:
    ...     parse_instrument("id: phq9", file="phq9.yaml")
    ... except DefinitionError as error:
    ...     print(error)
    phq9.yaml, key 'name': Field required; add it
    """
    raw = _read_yaml(text, file=file)
    if raw.get("id") != Path(file).stem:
        raise DefinitionError(
            file=file, key="id", wrong="is not the name of the file", remedy=f"write 'id: {Path(file).stem}'"
        )
    try:
        items = _validated(_ItemsAsWritten, raw["items"], at=("items",)) if "items" in raw else None
        expanded = raw if items is None else {**raw, **_expanded(raw, items=items.expand(raw["id"]), file=file)}
        definition = _validated(Instrument, expanded)
    except _InvalidError as error:
        raise _definition_error(error, raw=raw, file=file) from None
    _refuse_repeated_ids(definition, file=file)
    return definition


def _read_yaml(text: str, *, file: str) -> dict[str, Any]:
    try:
        raw = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506  # a subclass of the safe loader
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        where = f"line {mark.line + 1}" if mark else "(whole file)"
        raise DefinitionError(
            file=file,
            key=where,
            wrong=problem or "not YAML",
            remedy="check indentation, colons and repeated keys there",
        ) from None
    if not isinstance(raw, dict):
        raise DefinitionError(
            file=file, key="(whole file)", wrong="holds no keys", remedy="begin from another file of this folder"
        )
    return raw


def _expanded(raw: Mapping[str, Any], *, items: Sequence[Item], file: str) -> dict[str, Any]:
    """Items in full, and the scales with items by id: a scale may write numbers, names, ids or `all` (all scored items)."""
    ids = {name: item.id for item in items for name in (item.number, item.id)}
    scored = [item.id for item in items if item.is_scored]
    scales = raw.get("scales")
    if not isinstance(scales, list):
        return {"items": items}
    return {"items": items, "scales": [_scale_by_ids(s, ids=ids, scored=scored, file=file) for s in scales]}


def _scale_by_ids(scale: Any, *, ids: Mapping[str, str], scored: Sequence[str], file: str) -> Any:
    if not isinstance(scale, dict):
        return scale
    full = dict(scale)
    for key in {"items", "reverse"} & set(full):
        written = full[key]
        if written == "all":
            full[key] = list(scored)
        elif isinstance(written, list):
            if unknown := [str(number) for number in written if str(number) not in ids]:
                raise DefinitionError(
                    file=file,
                    key=f"scales.{scale.get('id')}.{key}",
                    wrong=f"names what is not listed under 'items': {', '.join(unknown)}",
                    remedy="correct the number or list the item",
                )
            full[key] = [ids[str(number)] for number in written]
    return full


class _InvalidError(Exception):
    """A pydantic error with the place of the validated part in the file."""

    def __init__(self, error: ValidationError, at: tuple[str | int, ...]) -> None:
        super().__init__()
        first = error.errors(include_url=False, include_input=False)[0]
        self.loc = (*at, *first["loc"])
        self.wrong = str(first["msg"]).removeprefix("Value error, ")
        self.remedy = _REMEDIES.get(first["type"], "correct it")


def _validated(model: type[Model], raw: Any, *, at: tuple[str | int, ...] = ()) -> Model:
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _InvalidError(error, at) from None


def _definition_error(error: _InvalidError, *, raw: Mapping[str, Any], file: str) -> DefinitionError:
    return DefinitionError(file=file, key=_key(error.loc, raw=raw), wrong=error.wrong, remedy=error.remedy)


def _key(loc: Iterable[str | int], *, raw: Any) -> str:
    """Path to a key as a reader would say it: entries of a list by their id, otherwise by their place from 1."""
    parts = []
    for step in loc:
        raw = _at(raw, step)
        named = isinstance(step, int) and isinstance(raw, dict) and isinstance(raw.get("id"), str)
        parts.append(raw["id"] if named else str(step + 1) if isinstance(step, int) else step)
    return ".".join(parts) or "(whole file)"


def _at(raw: Any, step: str | int) -> Any:
    try:
        return raw[step]
    except (KeyError, IndexError, TypeError):
        return None


def _refuse_repeated_ids(definition: Instrument, *, file: str) -> None:
    for key in ("items", "codings", "scales", "norms", "reliabilities", "cutoffs"):
        ids = [entry.id for entry in getattr(definition, key)]
        if repeated := sorted({i for i in ids if ids.count(i) > 1}):
            raise DefinitionError(
                file=file, key=key, wrong=f"ids that stand more than once: {', '.join(repeated)}", remedy="rename one"
            )


@cache
def instrument(instrument_id: str) -> Instrument:
    """The instrument of that id; KeyError, naming those that exist, when there is none.

    >>> instrument("bsi").primary.label
    'Global Severity Index'
    """
    if instrument_id not in instrument_ids():
        raise KeyError(f"no instrument '{instrument_id}'; there are {', '.join(instrument_ids())}")
    path = FOLDER / f"{instrument_id}.yaml"
    return parse_instrument(path.read_text(encoding="utf-8"), file=path.name)


def instrument_ids() -> list[str]:
    """Ids of all instruments that have a definition, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem != "schedule")


@cache
def instruments() -> dict[str, Instrument]:
    """All instruments by id, sorted by id."""
    return {i: instrument(i) for i in instrument_ids()}


@cache
def _all_value_sets() -> dict[str, ValueSet]:
    coefficients: dict[str, dict[str, float]] = {}
    for row in _rows(VALUE_SETS / "coefficients.csv"):
        coefficients.setdefault(row["value_set"], {})[row["term"]] = float(row["coefficient"])
    known: dict[str, ValueSet] = {}
    for row in _rows(VALUE_SETS / "value_sets.csv"):
        if source := row["crosswalk_from"]:  # a 3L set, which stands above
            exact = crosswalk(known[source].values, probabilities=_level_probabilities())
        else:
            exact = utilities(coefficients[row["id"]], n_levels=instrument(row["instrument"]).items[0].max)
        known[row["id"]] = _value_set(row, exact)
    return known


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _level_probabilities() -> list[NDArray[np.float64]]:
    """Per dimension of the EQ-5D, rows: level in 5L, columns: level in 3L."""
    tables: dict[str, list[list[float]]] = {dimension: [] for dimension in DIMENSIONS}
    for row in sorted(_rows(VALUE_SETS / "crosswalk_probabilities.csv"), key=lambda row: row["level_5l"]):
        tables[row["dimension"]].append([float(row[f"p_level_3l_{level}"]) for level in (1, 2, 3)])
    return [np.array(table) for table in tables.values()]


def _value_set(row: Mapping[str, str], exact: NDArray[np.float64]) -> ValueSet:
    rounding = tuple(int(n) for n in row["rounding"].split(" then "))
    values = rounded(exact, rounding)
    values.setflags(write=False)
    return ValueSet(
        id=row["id"],
        instrument=row["instrument"],
        label=row["label"],
        country=row["country"],
        year=int(row["year"]),
        values=values,
        cite=row["cite"],
        confidence=row["confidence"],
        checked=row["checked"],
        rounding=rounding,
        crosswalk_from=row["crosswalk_from"] or None,
    )


def value_set(value_set_id: str) -> ValueSet:
    """The value set of that id; KeyError, naming those that exist, when there is none.

    >>> value_set("england_2018").utility("55555")
    -0.285
    """
    known = _all_value_sets()
    if value_set_id not in known:
        raise KeyError(f"no value set '{value_set_id}'; there are {', '.join(known)}")
    return known[value_set_id]


def value_sets(instrument_id: str) -> dict[str, ValueSet]:
    """The value sets of one instrument, by id.

    >>> list(value_sets("eq5d5l"))
    ['nl_2016', 'nl_2016_unrounded', 'england_2018', 'uk_2026', 'crosswalk_nl_2006', 'crosswalk_uk_1997']
    """
    return {i: v for i, v in _all_value_sets().items() if v.instrument == instrument_id}


def json_schema() -> dict[str, Any]:
    """JSON Schema of `instruments/<id>.yaml` as it is written, for editors; `instruments/schema.json` holds it."""
    schema = Instrument.model_json_schema()
    short = _ItemsAsWritten.model_json_schema(ref_template="#/$defs/{model}")
    definitions = {**schema["$defs"], **short.pop("$defs"), "Items": short}
    del definitions["Item"]
    numbers = {"type": "array", "items": {"type": ["integer", "string"]}}
    scale = definitions["Scale"]["properties"]
    scale["items"] = {"anyOf": [{"const": "all"}, numbers], "description": "numbers or names of items, or all"}
    scale["reverse"] = {**numbers, "description": "items whose answers are turned round before scoring"}
    schema["properties"]["items"] = {"$ref": "#/$defs/Items"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Definition of an instrument",
        "$defs": dict(sorted(definitions.items())),
    }
