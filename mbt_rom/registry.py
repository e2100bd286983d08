"""The definitions of instruments and value sets: the only reader of the folder `instruments/` and of a home's own.

Belongs here: reading, the short forms in which a definition is written, keys that a licence holder supplies, errors that name
file, key and remedy, the JSON Schema for editors. Does not belong here: the shape of a definition (`model`), scoring.
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

from mbt_rom.domains import Domains, misfit
from mbt_rom.model import Frozen, Identifier, Instrument, Item, Method, MissingItems, Scale
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
    """An item that differs from the run of equal items: `number` is its number or short name; no `max`: a count."""

    number: Identifier | Annotated[str, Field(pattern=r"^[0-9]+$")]
    min: int
    max: int | None = None
    tag: str | None = None
    is_scored: bool = True
    unusual_above: int | None = None
    gate: str | None = None


def _as_texts(raw: Any) -> Any:
    return [str(entry) for entry in raw] if isinstance(raw, list) else raw


def _keys_as_text(raw: Any) -> Any:
    return {str(key): value for key, value in raw.items()} if isinstance(raw, dict) else raw


class _ItemsAsWritten(Frozen):
    """Items in short form: `count` (numbered 1, 2, ...) or `names`, with the answers from `min` to `max`; `others` follow."""

    count: int | None = Field(default=None, ge=1)
    names: tuple[Identifier, ...] = ()
    min: int = 0
    max: int | None = None
    unusual_above: int | None = None
    tags: Annotated[dict[str, str], BeforeValidator(_keys_as_text)] = {}
    others: tuple[_ItemAsWritten, ...] = ()

    @model_validator(mode="after")
    def _count_or_names(self) -> Self:
        if (self.count is not None) + bool(self.names) + bool(self.others and "min" not in self.model_fields_set) != 1:
            raise ValueError("must state either 'count' or 'names', with 'min', or else nothing but 'others'")
        if unknown := set(self.tags) - set(self.numbers):
            raise ValueError(f"'tags' names items that do not exist: {sorted(unknown)}")
        return self

    @property
    def numbers(self) -> list[str]:
        """Numbers or names of the run of equal items, in order."""
        return list(self.names) or [str(n) for n in range(1, (self.count or 0) + 1)]

    def expand(self, instrument_id: str) -> list[Item]:
        """All items in order, as the model wants them."""
        equal = {"min": self.min, "max": self.max, "unusual_above": self.unusual_above}
        run = [_ItemAsWritten(number=n, tag=self.tags.get(n), **equal) for n in self.numbers]
        return [_item(i, instrument_id) for i in (*run, *self.others)]


def _item(written: _ItemAsWritten, instrument_id: str) -> Item:
    gate = _item_id(instrument_id, written.gate) if written.gate else None
    return Item(id=_item_id(instrument_id, written.number), **{**written.model_dump(), "gate": gate})


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
        expanded = raw if items is None else _expanded(raw, items=items.expand(raw["id"]), file=file)
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
    """Items in full, and everything that speaks of items by their ids: numbers, names, ids or `all` (all scored items)."""
    ids = _Ids(items, file=file)
    full: dict[str, Any] = {**raw, "items": items}
    for key, names in _SPEAK_OF_ITEMS.items():
        if isinstance(raw.get(key), list):
            full[key] = [ids.within(entry, names, at=key) for entry in raw[key]]
    if isinstance(raw.get("orders"), dict):
        full["orders"] = {name: ids.of(order, at=f"orders.{name}") for name, order in raw["orders"].items()}
    if isinstance(full.get("scales"), list):
        full["scales"] = [_with_prices(scale, file=file) for scale in full["scales"]]
    return full


#: Part of a definition -> its keys that name items: as a list, as the keys of a mapping, or one.
_SPEAK_OF_ITEMS = {
    "scales": ("items", "reverse", "answer_key", "weights", "price_rows", "exposure", "recode"),
    "codings": ("items", "reversed_items"),
    "risk": ("item",),
}


class _Ids:
    """Item ids for what a definition writes for them."""

    def __init__(self, items: Sequence[Item], *, file: str) -> None:
        self._ids = {name: item.id for item in items for name in (item.number, item.id)}
        self._scored = [item.id for item in items if item.is_scored]
        self._file = file

    def within(self, entry: Any, keys: Iterable[str], *, at: str) -> Any:
        """The entry with item ids under these keys."""
        if not isinstance(entry, dict):
            return entry
        where = f"{at}.{entry.get('id')}"
        return {k: self.of(v, at=f"{where}.{k}") if k in keys and v is not None else v for k, v in entry.items()}

    def of(self, written: Any, *, at: str) -> Any:
        """Item ids of a list, of the keys of a mapping, of the mapping `items` of a recoding, or of one item."""
        if written == "all":
            return list(self._scored)
        if isinstance(written, list):
            return [self._one(number, at=at) for number in written]
        if at.endswith(".recode") and isinstance(written, dict):
            return {**written, "items": self.of(written.get("items", {}), at=f"{at}.items")}
        if isinstance(written, dict):
            return {self._one(number, at=at): value for number, value in written.items()}
        return self._one(written, at=at)

    def _one(self, number: Any, *, at: str) -> str:
        if str(number) not in self._ids:
            raise DefinitionError(
                file=self._file,
                key=at,
                wrong=f"names what is not listed under 'items': {number}",
                remedy="correct the number or list the item",
            )
        return self._ids[str(number)]


def _with_prices(scale: Any, *, file: str) -> Any:
    """A cost: the weights of its items are the reference prices of its year."""
    if not isinstance(scale, dict) or not scale.get("price_rows"):
        return scale
    prices = _prices(str(scale.get("price_year")))
    if unknown := [row for row in scale["price_rows"].values() if row not in prices]:
        raise DefinitionError(
            file=file,
            key=f"scales.{scale.get('id')}.price_rows",
            wrong=f"no reference price of {scale.get('price_year')} is called {unknown[0]!r}",
            remedy="write the unit as value_sets/nl_reference_prices.csv does",
        )
    return {**scale, "weights": {item: prices[row] for item, row in scale["price_rows"].items()}}


@cache
def _prices(year: str) -> dict[str, float]:
    """Unit -> reference price in EUR of that price year; empty for a year that the table does not have."""
    rows = _rows(VALUE_SETS / "nl_reference_prices.csv")
    return {row["unit"]: float(row[f"eur_{year}"]) for row in rows if row.get(f"eur_{year}")}


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
    for key in ("items", "codings", "scales", "norms", "reliabilities", "cutoffs", "published_changes", "risk"):
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


#: Files of the folder that define no instrument.
_NO_INSTRUMENTS = frozenset({"schedule", "domains"})


@cache
def instrument_ids() -> list[str]:
    """Ids of all instruments that have a definition, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in _NO_INSTRUMENTS)


@cache
def instruments() -> dict[str, Instrument]:
    """All instruments that come with the software, by id, sorted by id."""
    return {i: instrument(i) for i in instrument_ids()}


@cache
def outcome_instruments() -> dict[str, Instrument]:
    """Those of them that monitor the outcome of patients, by id, sorted by id: what the nightly run takes in."""
    return {i: d for i, d in instruments().items() if d.monitors == "outcome"}


def local_instruments(folder: Path) -> dict[str, Instrument]:
    """The instruments that a home defines itself, by id: one `<id>.yaml` each; none where there is no such folder.

    Raises `DefinitionError` for a file that cannot be used, or whose id an instrument of the software has already.
    """
    return {path.stem: local_instrument(path) for path in sorted(folder.glob("*.yaml"))}


def local_instrument(path: Path) -> Instrument:
    """The instrument that a home defines in that file. Raises `DefinitionError` as `local_instruments`."""
    if path.stem in instrument_ids():
        raise DefinitionError(
            file=path.name,
            key="id",
            wrong=f"'{path.stem}' is an instrument that comes with the software",
            remedy="give your own another id, such as one with the year or the language in it",
        )
    return parse_instrument(_text(path), file=path.name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DefinitionError(
            file=path.name, key="(whole file)", wrong="is not UTF-8", remedy="save it as UTF-8"
        ) from None


@cache
def domains() -> Domains:
    """The manual's outcome domains, as `instruments/domains.yaml` states them.

    >>> [domain.id for domain in domains().of("bsi.gsi")]
    ['symptoms']
    """
    path = FOLDER / "domains.yaml"
    return parse_domains(path.read_text(encoding="utf-8"), file=path.name, instruments=instruments())


def parse_domains(text: str, *, file: str, instruments: Mapping[str, Instrument]) -> Domains:
    """The domains that a file states; they must fit the instruments, as `mbt_rom.domains.misfit` says.

    Raises `DefinitionError` naming the file, the key, what is wrong and the remedy.
    """
    raw = _read_yaml(text, file=file)
    try:
        stated = _validated(Domains, raw)
    except _InvalidError as error:
        raise _definition_error(error, raw=raw, file=file) from None
    if found := misfit(stated, instruments):
        remedy = "correct the name of the scale, or move it to the one domain where it belongs"
        raise DefinitionError(file=file, key=found[0], wrong=found[1], remedy=remedy)
    return stated


# --- keys that a licence holder supplies ----------------------------------------------------------------------------------


class _KeyOfScale(Frozen):
    """What the licence holder's key says of one scale: its items and those turned round, or the scales it is made of."""

    items: Annotated[tuple[str, ...], BeforeValidator(_as_texts)] = ()
    reverse: Annotated[tuple[str, ...], BeforeValidator(_as_texts)] = ()
    scales: tuple[Identifier, ...] = ()
    method: Method | None = None
    range: tuple[float | None, float | None] | None = None
    missing: MissingItems | None = None


class _KeyFile(Frozen):
    """A file with the key of one instrument. It is the licence holder's and stays out of every repository."""

    source: str | None = None
    scales: Annotated[dict[Identifier, _KeyOfScale], Field(min_length=1)]


def with_key(definition: Instrument, text: str, *, file: str) -> Instrument:
    """The definition with the key that a site holds under its licence; `text` is the YAML of the key file.

    Its hash differs from the definition without a key, and with it the provenance of every score. Raises `DefinitionError`
    for a scale that the definition does not have or whose key is public, and for items that do not exist.
    """
    try:
        given = _validated(_KeyFile, _read_yaml(text, file=file))
        scales = [
            _scale_with_key(definition, scale, given.scales.get(scale.id), file=file) for scale in definition.scales
        ]
        if unknown := sorted(set(given.scales) - {scale.id for scale in definition.scales}):
            remedy = f"the scales of the {definition.name} are {', '.join(s.id for s in definition.scales)}"
            raise DefinitionError(file=file, key=f"scales.{unknown[0]}", wrong="is no scale", remedy=remedy)
        # Field by field: a model as a dictionary also holds what was once computed from it, such as the hash.
        fields = {name: getattr(definition, name) for name in Instrument.model_fields}
        return _validated(Instrument, {**fields, "scales": scales})
    except _InvalidError as error:
        raise _definition_error(error, raw={}, file=file) from None


def _scale_with_key(definition: Instrument, scale: Scale, key: _KeyOfScale | None, *, file: str) -> Scale:
    if key is None:
        return scale
    if scale.key == "published":
        raise DefinitionError(
            file=file,
            key=f"scales.{scale.id}",
            wrong="its key is published and comes with the software",
            remedy="leave this scale out of the key file",
        )
    ids = _Ids(definition.items, file=file)
    stated = {
        "items": ids.of(list(key.items), at=f"scales.{scale.id}.items"),
        "reverse": ids.of(list(key.reverse), at=f"scales.{scale.id}.reverse"),
        "scales": key.scales or scale.scales,
        "method": key.method or scale.method,
        "range": key.range or scale.range,
        "missing": key.missing or scale.missing,
    }
    return scale.model_copy(update={**stated, "items": tuple(stated["items"]), "reverse": tuple(stated["reverse"])})


def keyed_instruments(definitions: Mapping[str, Instrument], folder: Path) -> dict[str, Instrument]:
    """The definitions, those whose key lies in the folder (`<id>.yaml`) with it. Raises `DefinitionError` as `with_key`."""
    found = dict(definitions)
    for path in sorted(folder.glob("*.yaml")):
        if path.stem not in found:
            raise DefinitionError(
                file=path.name,
                key="(whole file)",
                wrong="no instrument has that name",
                remedy="name it after its instrument",
            )
        found[path.stem] = keyed_instrument(found[path.stem], path)
    return found


def keyed_instrument(definition: Instrument, path: Path) -> Instrument:
    """The definition with the key in that file. Raises `DefinitionError` as `with_key`."""
    return with_key(definition, _text(path), file=path.name)


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
            exact = utilities(coefficients[row["id"]], n_levels=instrument(row["instrument"]).items[0].largest)
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
    number = {"type": ["integer", "string"]}
    numbers = {"type": "array", "items": number}
    scale = definitions["Scale"]["properties"]
    scale["items"] = {"anyOf": [{"const": "all"}, numbers], "description": "numbers or names of items, or all"}
    scale["reverse"] = {**numbers, "description": "items whose answers are turned round before scoring"}
    scale["exposure"] = number
    definitions["Coding"]["properties"] |= {"items": numbers, "reversed_items": numbers}
    definitions["RiskRule"]["properties"]["item"] = number
    schema["properties"]["orders"] = {"type": "object", "additionalProperties": numbers}
    schema["properties"]["items"] = {"$ref": "#/$defs/Items"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Definition of an instrument",
        "$defs": dict(sorted(definitions.items())),
    }
