"""Definitions of instruments as frozen models: what an instrument is, its items, scales, norms and where each fact comes from.

Belongs here: the shape of `instruments/*.yaml` and what can be read off one definition alone. Does not belong here: reading
files (`registry`), choosing a norm for a home (`norms`), computing a score (`scoring`), pandas.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Confidence = Literal["verified", "single_source", "derived", "memory", "unverified"]
Direction = Literal["lower_is_better", "higher_is_better", "neutral"]
Method = Literal[
    "sum", "mean", "count_at_least", "distress_index", "single", "value_set", "profile", "major_depression"
]
MissingRule = Literal["complete", "prorate", "person_mean"]
PROVISIONAL: frozenset[str] = frozenset({"memory", "derived", "unverified"})

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Frozen(BaseModel):
    """A model that cannot change and takes no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Fact(Frozen):
    """Something that somebody published: it names its sources and how sure we are of it."""

    source: tuple[str, ...] = ()
    confidence: Confidence
    note: str | None = None

    @property
    def is_provisional(self) -> bool:
        """True when the fact was recalled or derived and not seen in print."""
        return self.confidence in PROVISIONAL


class Coding(Frozen):
    """A way in which exports write the answers. `offset` is added (one-based: -1); `map` names each code instead."""

    id: Identifier
    min: int | None = None
    max: int | None = None
    offset: int = 0
    map: dict[str, int] | None = None
    confidence: Confidence


class Item(Frozen):
    """One question: its column name (`phq9_01`), allowed answers in canonical coding, and our own short tag (never wording)."""

    id: Identifier
    number: str
    min: int
    max: int
    tag: str | None = None
    is_scored: bool = True


class MissingItems(Frozen):
    """How many answers may be missing, and what is done about them."""

    rule: MissingRule = "complete"
    max_missing: int = 0
    confidence: Confidence = "verified"
    note: str | None = None

    @property
    def is_provisional(self) -> bool:
        """True when the limit itself was recalled or derived; it is applied all the same, and every page says so."""
        return self.rule != "complete" and self.confidence in PROVISIONAL


class Scale(Fact):
    """One score of an instrument, in the unit and direction in which it was published."""

    id: Identifier
    label: str
    items: tuple[Identifier, ...]
    reverse: tuple[Identifier, ...] = ()
    method: Method
    threshold: int | None = None
    value_set: Identifier | None = None
    range: tuple[float, float]
    direction: Direction
    is_primary: bool = False
    unit: str = "points"
    decimals: int | None = None
    missing: MissingItems = MissingItems()


class Record(Fact):
    """A published figure about one scale, with an id by which a home can choose it."""

    id: Identifier
    scale: Identifier


class Norm(Record):
    """Mean and SD of one scale in one population."""

    population: str
    country: str | None = None
    sex: Literal["all", "female", "male"] = "all"
    age: str | None = None
    n: int | None = None
    mean: float
    sd: float | None = None


class Reliability(Record):
    """One published reliability coefficient of one scale, with the sample it comes from."""

    kind: Literal["alpha", "omega", "test_retest_r", "icc"]
    value: float
    population: str
    country: str | None = None
    n: int | None = None
    interval_days: int | None = None


class Cutoff(Record):
    """A published boundary on a scale."""

    value: float
    meaning: str


class ChangeBasis(Frozen):
    """Which published facts the reliable change of a scale rests on by default; ids of this definition's own records.

    `clinical` gives the SD of the standard error of measurement and the clinical mean of cut-off c; `functional` the
    reference group of cut-off c; `cutoff`, where stated, is used instead of c.
    """

    scale: Identifier
    clinical: Identifier
    reliability: Identifier
    functional: Identifier | None = None
    cutoff: Identifier | None = None


class SeverityBand(Fact):
    """Scores from `lower` to `upper` (inclusive) and the word that was published for them."""

    scale: Identifier
    lower: float
    upper: float
    label: str


class Licence(Frozen):
    """Who owns the wording, and what may be shipped."""

    owner: str | None = None
    status: Literal["public_domain", "free", "free_with_registration", "proprietary", "unknown"]
    ship_item_wording: bool = False
    note: str | None = None


class Source(Frozen):
    """Where a fact was read."""

    cite: str
    seen: str


class Instrument(Frozen):
    """One questionnaire in one edition, as `instruments/<id>.yaml` states it."""

    id: Identifier
    name: str
    full_name: str
    edition: str
    kind: Literal["self_report", "interview", "observer_rated", "performance", "checklist", "cost_inventory"]
    measures: str
    recall_days: int | None = None
    minutes: int | None = None
    prefixes: tuple[str, ...] = ()
    items: tuple[Item, ...]
    codings: tuple[Coding, ...]
    scales: tuple[Scale, ...]
    norms: tuple[Norm, ...] = ()
    reliabilities: tuple[Reliability, ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    change: tuple[ChangeBasis, ...] = ()
    severity_bands: tuple[SeverityBand, ...] = ()
    wrong_counts: dict[int, str] = {}
    licence: Licence
    manual: tuple[str, ...] = ()
    hazards: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    sources: dict[str, Source] = {}

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        known = {item.id for item in self.items}
        for scale in self.scales:
            if unknown := (set(scale.items) | set(scale.reverse)) - known:
                raise ValueError(f"scale '{scale.id}' names items that are not listed under 'items': {sorted(unknown)}")
        if sum(scale.is_primary for scale in self.scales) != 1:
            raise ValueError("exactly one scale must say 'is_primary: true'")
        records: tuple[Record, ...] = (*self.norms, *self.reliabilities, *self.cutoffs)
        named = [r.scale for r in records] + [b.scale for b in self.change] + [b.scale for b in self.severity_bands]
        if unlisted := set(named) - {scale.id for scale in self.scales}:
            raise ValueError(f"records name scales that are not listed under 'scales': {sorted(unlisted)}")
        ids = {r.id for r in records}
        for basis in self.change:
            wanted = {basis.clinical, basis.reliability, basis.functional, basis.cutoff} - {None}
            if unknown_records := wanted - ids:
                raise ValueError(
                    f"'change' of scale '{basis.scale}' names records that do not exist: {sorted(map(str, unknown_records))}"
                )
        facts: tuple[Fact, ...] = (*self.scales, *records)
        cited = {s for fact in facts for s in fact.source}
        if uncited := cited - set(self.sources):
            raise ValueError(f"records cite sources that are not listed under 'sources': {sorted(uncited)}")
        return self

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """Column names of the items, in order."""
        return tuple(item.id for item in self.items)

    @cached_property
    def primary(self) -> Scale:
        """The scale that carries the instrument's change categories."""
        return next(scale for scale in self.scales if scale.is_primary)

    @cached_property
    def definition_hash(self) -> str:
        """Twelve hexadecimal digits that change whenever anything in the definition changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def scale(self, scale_id: str) -> Scale:
        """The scale of that name; KeyError, naming those that exist, when there is none."""
        for scale in self.scales:
            if scale.id == scale_id:
                return scale
        raise KeyError(f"{self.id} has no scale '{scale_id}'; it has {', '.join(s.id for s in self.scales)}")
