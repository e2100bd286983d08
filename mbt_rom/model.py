"""Definitions of instruments as frozen models: what an instrument is, its items, scales, norms and where each fact comes from.

Belongs here: the shape of `instruments/*.yaml` and what can be read off one definition alone. Does not belong here: reading
files (`registry`), choosing a norm for a home (`norms`), computing a score (`scoring`), pandas.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Confidence = Literal["verified", "single_source", "derived", "memory", "unverified"]
Direction = Literal["lower_is_better", "higher_is_better", "neutral"]
#: How a scale is computed; one function each in `scoring`.
Method = Literal[
    "sum", "mean", "single", "weighted", "count_at_least", "count_at_most", "any_at_least", "distress_index",
    "answer_key", "rate", "value_set", "profile", "major_depression", "mean_of_scales", "ipsatised", "axis",
    "not_published",
]  # fmt: skip
#: Methods that need no items of their own: they are computed from other scales.
DERIVED: frozenset[str] = frozenset({"mean_of_scales", "ipsatised", "axis"})
MissingRule = Literal["complete", "prorate", "person_mean", "rounded_item_mean", "by_parts", "answered"]
Key = Literal["published", "site_supplied", "external_scores"]
Monitor = Literal["outcome", "therapist_adherence", "supervisor_adherence", "implementation"]
Moment = Literal["baseline", "m6", "m12", "m18", "m24", "m30", "m36"]
PROVISIONAL: frozenset[str] = frozenset({"memory", "derived", "unverified"})
#: Counts have no upper limit of their own; this is the largest that can be stored.
LARGEST_COUNT = 32_767

#: What a definition says beyond how forms are recognised, read and judged: see `Instrument.reading_hash`. Reading looks at none.
BEYOND_READING = frozenset(
    {
        "scales", "norms", "reliabilities", "cutoffs", "published_changes", "change", "severity_bands", "risk", "licence",
        "measures", "hazards", "open_questions", "sources", "confidence",
    }
)  # fmt: skip

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
    """A way in which exports write the answers.

    `offset` is added (one-based: -1); `map` names each code instead. `items`, where stated, are the only ones it holds for.
    `reversed_items` are stored turned round (min + max - answer) and are turned back. `is_scored`: the file says right (1) or
    wrong (0) where the instrument has an answer key; a right answer becomes the keyed position, a wrong one the next position,
    since the one that was chosen is not known.
    """

    id: Identifier
    min: int | None = None
    max: int | None = None
    offset: int = 0
    map: dict[str, int] | None = None
    items: tuple[Identifier, ...] = ()
    reversed_items: tuple[Identifier, ...] = ()
    is_scored: bool = False
    confidence: Confidence
    note: str | None = None


class Item(Frozen):
    """One question: its column name (`phq9_01`), allowed answers in canonical coding, and our own short tag (never wording).

    `max` None: a count without an upper limit; above `unusual_above` it is worth a second look and counts all the same.
    `gate`: a yes/no item; when that says no (0) and the count is blank, the count is 0.
    """

    id: Identifier
    number: str
    min: int
    max: int | None = None
    tag: str | None = None
    is_scored: bool = True
    unusual_above: int | None = None
    gate: Identifier | None = None

    @property
    def largest(self) -> int:
        """The largest answer that can be given or, for a count, stored."""
        return LARGEST_COUNT if self.max is None else self.max

    @property
    def is_wide(self) -> bool:
        """True when the answers do not fit eight bits."""
        return self.largest > 127

    def allows(self, answer: int) -> bool:
        """Whether that is one of the answers."""
        return self.min <= answer <= self.largest

    @property
    def bounds(self) -> str:
        """The allowed answers in words: `0 to 4`, or `0 or more`."""
        return f"{self.min} or more" if self.max is None else f"{self.min} to {self.max}"


class MissingItems(Frozen):
    """How many answers may be missing, and what is done about them.

    complete: no score when any is missing. prorate: sum x items / answered. person_mean: mean of the answered.
    rounded_item_mean: each blank is replaced by the mean of the answered items of the scale, rounded half up to a whole number.
    by_parts: the sum of the `parts`, each completed by its own rule. answered: what was answered counts, and nothing is made up.
    `counted_over`: the limit holds for the missing items of that scale instead of this one's.
    """

    rule: MissingRule = "complete"
    max_missing: int = 0
    parts: tuple[Identifier, ...] = ()
    counted_over: Identifier | None = None
    confidence: Confidence = "verified"
    note: str | None = None

    @property
    def is_provisional(self) -> bool:
        """True when the limit itself was recalled or derived; it is applied all the same, and every page says so."""
        return self.rule != "complete" and self.confidence in PROVISIONAL


class Recode(Frozen):
    """Each answer becomes another value before it is used: `default` for every item, `items` for those that differ."""

    default: dict[int, int]
    items: dict[Identifier, dict[int, int]] = {}

    def of(self, item: str) -> dict[int, int]:
        """Answer -> value of one item."""
        return self.items.get(item, self.default)


class Scale(Fact):
    """One score of an instrument, in the unit and direction in which it was published.

    `items` are its own; `scales` those that a derived score is computed from (`DERIVED`). `range` is what can be reached, an
    open end being None. `key` differs from the instrument's where only this scale waits for a licence. `angle` (degrees) is
    the place of an octant, or of an axis, on the circumplex. `price_table` and `price_year` give the weights of a cost.
    `origin`: our own summary (`project_rule`) is called so on every page that shows it.
    """

    id: Identifier
    label: str
    items: tuple[Identifier, ...] = ()
    scales: tuple[Identifier, ...] = ()
    reverse: tuple[Identifier, ...] = ()
    recode: Recode | None = None
    method: Method
    threshold: int | None = None
    answer_key: dict[Identifier, int] = {}
    weights: dict[Identifier, float] = {}
    price_year: int | None = None
    price_rows: dict[Identifier, str] = {}
    exposure: Identifier | None = None
    angle: int | None = None
    value_set: Identifier | None = None
    range: tuple[float | None, float | None]
    direction: Direction
    is_primary: bool = False
    is_co_primary: bool = False
    key: Key = "published"
    origin: Literal["published", "project_rule"] = "published"
    group: str | None = None
    unit: str = "points"
    decimals: int | None = None
    missing: MissingItems = MissingItems()

    @property
    def is_keyed(self) -> bool:
        """True when it is known which items make up the scale, or which scales it is derived from."""
        return self.method != "not_published" and bool(self.items or self.scales)

    @property
    def limits(self) -> tuple[float, float]:
        """The range with its open ends as infinities."""
        low, high = self.range
        return (float("-inf") if low is None else low, float("inf") if high is None else high)

    @property
    def range_text(self) -> str:
        """The range in words: `0 to 4`, `0 or more`, `no limits`."""
        low, high = self.range
        if high is None:
            return "no limits" if low is None else f"{low:g} or more"
        return f"up to {high:g}" if low is None else f"{low:g} to {high:g}"


class Record(Fact):
    """A published figure about one scale, with an id by which a home can choose it."""

    id: Identifier
    scale: Identifier


#: A norm that states no age holds from here on (design, METHODS section 0).
ADULT = 18
#: Languages of the samples of a country, where a norm names none.
_LANGUAGES = {"NL": "nl", "DE": "de", "US": "en", "UK": "en", "GB": "en", "England": "en", "NZ": "en", "ES": "es",
              "PT": "pt", "CN": "zh", "KR": "ko", "DK": "da", "BE": "nl"}  # fmt: skip


class Norm(Record):
    """Mean and SD of one scale in one sample. `value_set` names the tariff of a mean utility.

    `age`: youngest and oldest of the sample, either end open; a norm that states none holds from `ADULT` on.
    """

    population: str
    country: str | None = None
    language: str | None = None
    sex: Literal["all", "female", "male"] = "all"
    age: tuple[int | None, int | None] | None = None
    n: int | None = None
    mean: float
    sd: float | None = None
    value_set: Identifier | None = None

    @property
    def ages(self) -> tuple[int, int]:
        """Youngest and oldest age to which the norm applies, in whole years."""
        youngest, oldest = self.age or (None, None)
        return (ADULT if youngest is None else youngest, 150 if oldest is None else oldest)

    @property
    def spoken(self) -> str | None:
        """Language of the sample, as a two-letter code: stated, or that of its country."""
        return self.language or _LANGUAGES.get(self.country or "")


class Reliability(Record):
    """One published reliability coefficient of one scale, with the sample it comes from."""

    kind: Literal["alpha", "omega", "test_retest_r", "icc", "kappa", "split_half", "inter_rater"]
    value: float
    population: str
    country: str | None = None
    n: int | None = None
    interval_days: int | None = None


class Cutoff(Record):
    """A published boundary on a scale: a score that is `op` the value has crossed it. `metric`: raw scores or T-scores."""

    value: float
    op: Literal[">=", "<", "=="] = ">="
    meaning: str
    kind: Literal["screening", "caseness", "clinical_c", "norm_percentile", "programme_rule"] | None = None
    country: str | None = None
    metric: Literal["raw", "t"] = "raw"


class PublishedChange(Record):
    """A change of a scale that somebody published as reliable or as important, in points (`mcid_percent`: % of baseline)."""

    value: float
    op: Literal[">=", ">"] = ">="
    ci: float | None = None
    basis: str | None = None
    kind: Literal["rci", "mcid", "mic", "policy", "mcid_percent"]
    sem: float | None = None
    population: str | None = None
    country: str | None = None
    value_set: Identifier | None = None
    metric: Literal["raw", "t"] = "raw"


class RiskRule(Fact):
    """An answer that somebody should see: the item's, or the scale's where the number is made outside this software.

    `op` and `value` say which answers; `level` is alert or high; `origin` says whether a publisher or this project set it.
    """

    id: Identifier
    item: Identifier
    about: str
    op: Literal[">=", "=="] = ">="
    value: int
    level: Literal["alert", "high"]
    origin: Literal["published", "project_rule"]


class Manual(Frozen):
    """What the MBT quality manual says of the instrument, and what was decided where it differs from what was published.

    `items` is the count that the manual prints, `published_items` that of the published form. `every_days`: how often it may be
    filled in between the moments of the plan, 7 for every week. `in_place_of`: the instrument of the manual beside which it is an
    alternative and whose schedule it inherits.
    """

    label: str | None = None
    in_appendix_1: bool = False
    items: int | None = None
    published_items: int | None = None
    recall: str | None = None
    decision: str | None = None
    schedule: dict[Moment, Literal["required", "desired"]] = {}
    every_days: int | None = None
    in_place_of: Identifier | None = None
    notes: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """True when the manual prints another number of items than the published form has."""
        return self.items is not None and self.items != self.published_items


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
    """Scores from `lower` to `upper` (inclusive; None: open) and the word that was published for them."""

    scale: Identifier
    lower: float | None
    upper: float | None
    label: str
    metric: Literal["raw", "t"] = "raw"


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


class Codes(Frozen):
    """Codes of terminologies: LOINC's panel, total and items."""

    loinc_panel: str | None = None
    loinc_total: str | None = None
    loinc_items: dict[str, str] = {}
    confidence: Confidence = "unverified"


class Instrument(Frozen):
    """One questionnaire, interview or rating in one edition, as `instruments/<id>.yaml` states it.

    `monitors` says which of the manual's four monitors it serves; `subject` whom one form is about. `key`: who knows which
    items make up the scales. `orders`: other orders in which the items are printed, each the canonical numbers by position;
    with `order_must_be_stated` no order is usual enough to be assumed.
    """

    id: Identifier
    name: str
    full_name: str
    edition: str
    kind: Literal["self_report", "interview", "observer_rated", "performance", "checklist", "cost_inventory"]
    monitors: Monitor = "outcome"
    subject: Literal["patient", "session", "team", "supervisor", "programme"] = "patient"
    is_proposal: bool = False
    key: Key = "published"
    needs: str | None = None
    measures: str
    recall_days: int | None = None
    recall: str | None = None
    minutes: int | None = None
    prefixes: tuple[str, ...] = ()
    items: tuple[Item, ...]
    missing_codes: tuple[str, ...] = ()
    codings: tuple[Coding, ...]
    orders: dict[Identifier, tuple[Identifier, ...]] = {}
    order_must_be_stated: bool = False
    coding_must_be_stated: bool = False
    orders_note: str | None = None
    scales: tuple[Scale, ...]
    norms: tuple[Norm, ...] = ()
    reliabilities: tuple[Reliability, ...] = ()
    cutoffs: tuple[Cutoff, ...] = ()
    published_changes: tuple[PublishedChange, ...] = ()
    change: tuple[ChangeBasis, ...] = ()
    severity_bands: tuple[SeverityBand, ...] = ()
    risk: tuple[RiskRule, ...] = ()
    wrong_counts: dict[int, str] = {}
    codes: Codes | None = None
    licence: Licence
    manual: Manual = Manual()
    hazards: tuple[str, ...] = ()
    open_questions: tuple[str, ...] = ()
    sources: dict[str, Source] = {}
    confidence: Confidence = "single_source"

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        known = {item.id for item in self.items}
        scales = {scale.id for scale in self.scales}
        for scale in self.scales:
            if unknown := set(_items_named(scale)) - known:
                raise ValueError(f"scale '{scale.id}' names items that are not listed under 'items': {sorted(unknown)}")
            if unlisted := set(_scales_named(scale)) - scales:
                raise ValueError(f"scale '{scale.id}' names scales that do not exist: {sorted(unlisted)}")
        if sum(scale.is_primary for scale in self.scales) != 1:
            raise ValueError("exactly one scale must say 'is_primary: true'")
        for what, named in (("gate", [i.gate for i in self.items if i.gate]), ("risk", [r.item for r in self.risk])):
            if unknown := set(named) - known:
                raise ValueError(f"'{what}' names items that are not listed under 'items': {sorted(unknown)}")
        for name, order in self.orders.items():
            if len(order) != len(set(order)) or set(order) - known:
                raise ValueError(f"order '{name}' names an item twice, or one that does not exist")
        return self

    @model_validator(mode="after")
    def _scales_can_be_computed(self) -> Self:
        for scale in self.scales:
            if wrong := next(_wrong_with(self, scale), None):
                raise ValueError(f"scale '{scale.id}' {wrong}")
        return self

    @model_validator(mode="after")
    def _records_fit(self) -> Self:
        records = self.records
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
        facts: tuple[Fact, ...] = (*self.scales, *records, *self.severity_bands, *self.risk)
        cited = {s for fact in facts for s in fact.source}
        if uncited := cited - set(self.sources):
            raise ValueError(f"records cite sources that are not listed under 'sources': {sorted(uncited)}")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, changed as asked. What was read off the original (hashes, the primary scale) is read anew."""
        made = super().model_copy(update=update, deep=deep)
        for name in set(made.__dict__) - set(type(made).model_fields):
            del made.__dict__[name]
        return made

    @property
    def records(self) -> tuple[Record, ...]:
        """Every published figure about a scale, in the order of the definition."""
        return (*self.norms, *self.reliabilities, *self.cutoffs, *self.published_changes)

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """Column names of the items, in order."""
        return tuple(item.id for item in self.items)

    @cached_property
    def primary(self) -> Scale:
        """The scale that carries the instrument's change categories."""
        return next(scale for scale in self.scales if scale.is_primary)

    @cached_property
    def needed_items(self) -> tuple[str, ...]:
        """Items without which a form is not this instrument: those of the primary scale or, without its key, all scored ones."""
        return self.items_of(self.primary) or tuple(item.id for item in self.items if item.is_scored)

    @cached_property
    def right_answers(self) -> dict[Identifier, int]:
        """Item -> place of its right answer, where some scale has an answer key."""
        return {item: place for scale in self.scales for item, place in scale.answer_key.items()}

    @cached_property
    def definition_hash(self) -> str:
        """Twelve hexadecimal digits that change whenever anything in the definition changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    @cached_property
    def named_scales(self) -> tuple[tuple[str, str | None], ...]:
        """Id of every scale and, where it is the answer to one item, that item: what stored totals and items may be called by."""
        return tuple((scale.id, scale.items[0] if scale.method == "single" else None) for scale in self.scales)

    @cached_property
    def reading_hash(self) -> str:
        """Twelve hexadecimal digits that change when forms may be recognised, read or judged otherwise than before.

        They stay the same when only scoring, norms and what else lies behind the answers change. Of the scales only this counts:
        their names, by which stored totals are recognised; the items without which a form is refused; where a coding says right or wrong, the right answers; where one turns items
        round, which items of the primary scale are reversed, since reading looks whether they run with the others.
        """
        read = self.model_dump_json(exclude=set(BEYOND_READING))
        looked_at: list[object] = [*self.needed_items, len(self.primary.items), self.named_scales, self.primary.id]
        if any(coding.is_scored for coding in self.codings):
            looked_at.append(sorted(self.right_answers.items()))
        if any(coding.reversed_items for coding in self.codings):
            looked_at += [self.primary.items, self.primary.reverse]
        return hashlib.sha256(f"{read}{looked_at}".encode()).hexdigest()[:12]

    @cached_property
    def judging_hash(self) -> str:
        """Twelve hexadecimal digits that change when forms may be read or judged otherwise than before.

        Judging looks at one thing that reading does not: how the primary score is made, since a stored total is compared
        with it.
        """
        made_by = {
            "items", "scales", "reverse", "recode", "method", "threshold", "answer_key", "weights", "exposure", "decimals",
        }  # fmt: skip
        looked_at = self.primary.model_dump_json(include=made_by)
        return hashlib.sha256(f"{self.reading_hash}{looked_at}".encode()).hexdigest()[:12]

    def scale(self, scale_id: str) -> Scale:
        """The scale of that name; KeyError, naming those that exist, when there is none."""
        for scale in self.scales:
            if scale.id == scale_id:
                return scale
        raise KeyError(f"{self.id} has no scale '{scale_id}'; it has {', '.join(s.id for s in self.scales)}")

    def item(self, item_id: str) -> Item:
        """The item of that id; KeyError when there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(f"{self.id} has no item '{item_id}'")

    def items_of(self, scale: Scale) -> tuple[str, ...]:
        """Items that a score rests on: the scale's own or, for a derived one, those of its scales, each once."""
        if scale.items:
            return (*scale.items, scale.exposure) if scale.exposure else scale.items
        found = (item for part in scale.scales for item in self.items_of(self.scale(part)))
        return tuple(dict.fromkeys(found))


def _items_named(scale: Scale) -> Iterator[str]:
    """Every item that a scale speaks of, anywhere."""
    yield from scale.items
    yield from scale.reverse
    yield from scale.answer_key
    yield from scale.weights
    yield from scale.price_rows
    yield from scale.recode.items if scale.recode else ()
    yield from [scale.exposure] if scale.exposure else []


#: Methods for which turning an answer round means something, and those that ask whether an answer reaches a threshold.
_TURNING = frozenset(
    {"sum", "mean", "single", "weighted", "count_at_least", "count_at_most", "any_at_least", "distress_index"}
)
_WITH_THRESHOLD = frozenset({"count_at_least", "count_at_most", "any_at_least", "distress_index"})


def _wrong_with(definition: Instrument, scale: Scale) -> Iterator[str]:
    """Why the scale would be scored otherwise than it looks, or not at all; nothing where it can be computed."""
    items = {item.id: item for item in definition.items if item.id in scale.items}
    if repeated := sorted({i for i in scale.items if scale.items.count(i) > 1}):
        yield f"names items twice: {repeated}"
    if foreign := sorted(set(scale.reverse) - set(items)):
        yield f"turns round items that are not its own: {foreign}"
    if scale.reverse and (scale.recode is not None or scale.method not in _TURNING):
        yield "names items under 'reverse' that a recoding or its method would not turn round"
    if scale.method in _WITH_THRESHOLD and scale.threshold is None:
        yield f"needs a 'threshold' for its method '{scale.method}'"
    if scale.method == "single" and len(scale.items) > 1:
        yield "has several items, but its method is 'single'"
    if scale.method == "rate" and scale.items and (len(scale.items) > 1 or scale.exposure is None):
        yield "is a rate and needs one item and an 'exposure'"
    needed = scale.weights if scale.method == "weighted" else scale.answer_key
    if scale.method in ("weighted", "answer_key") and (without := sorted(set(items) - set(needed))):
        yield f"has items without weight or right answer: {without}"
    if scale.recode is not None and (short := [i for i, item in items.items() if not _recodes_all(scale.recode, item)]):
        yield f"recodes not every answer of {short}"
    if _is_made_of_itself(definition, scale):
        yield "is computed from itself"


def _recodes_all(recode: Recode, item: Item) -> bool:
    return item.max is not None and set(recode.of(item.id)) >= set(range(item.min, item.max + 1))


def _is_made_of_itself(definition: Instrument, scale: Scale) -> bool:
    found: set[str] = set()
    ahead = [scale]
    while ahead:
        member = ahead.pop()
        new = {*member.scales, *member.missing.parts} - found
        found |= new
        ahead += [definition.scale(part) for part in new]
    return scale.id in found


def _scales_named(scale: Scale) -> Iterator[str]:
    yield from scale.scales
    yield from scale.missing.parts
    yield from [scale.missing.counted_over] if scale.missing.counted_over else []
