"""The settings of a home (`consortium.yaml`) as frozen models: roles, issuers, programmes and their plans, norms, policies.

Belongs here: shape, defaults and validation of the settings. Does not belong here: reading the file (`assets.home`).
"""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)

from mbt_rom.model import Frozen, Identifier

#: Drop folder (and ledger partition) of files that name their programmes in a column.
SHARED = "_shared"
MINIMUM_THRESHOLD = 10


class Issuer(Frozen):
    """Who gives out patient numbers, and what such a number looks like in canonical form."""

    form: Literal["digits", "text"] = "digits"
    length: int | None = None
    leading_zeros: Literal["keep", "restore"] = "keep"
    case: Literal["upper", "lower", "keep"] = "upper"
    allows_nine_digits: bool = False


class Windows(Frozen):
    """Days before and after a due date in which a form counts for the moment. The manual prints none: these are ours.

    `end` is the end of treatment, counted from the last main session.
    """

    baseline: tuple[int, int] = (-60, 14)
    later: tuple[int, int] = (-45, 45)
    end: tuple[int, int] = (0, 42)

    @field_validator("baseline", "later", "end")
    @classmethod
    def _ordered(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not value[0] <= 0 <= value[1]:
            raise ValueError(
                "a window is written [days before as 0 or a negative number, days after as 0 or a positive number]"
            )
        return value


class Asked(Frozen):
    """Months after month 0 at which a programme asks for an instrument: those it requires, and those it would like."""

    required: tuple[Annotated[int, Field(ge=0)], ...] = ()
    desired: tuple[Annotated[int, Field(ge=0)], ...] = ()

    @model_validator(mode="after")
    def _each_month_once(self) -> Self:
        months = [*self.required, *self.desired]
        if not months or len(months) != len(set(months)):
            raise ValueError("must name at least one month under 'required' or 'desired', and each month once")
        return self


class Closure(Frozen):
    """Days on which a programme is closed; both belong to it."""

    model_config = ConfigDict(populate_by_name=True)

    from_on: Annotated[date, Field(alias="from")]
    until_on: Annotated[date, Field(alias="until")]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.until_on < self.from_on:
            raise ValueError("'until' is the last day of the closure and cannot lie before 'from'")
        return self


class Nonattendance(Frozen):
    """Absence that opens a review: so many offered contacts missed in a row, or fewer than a share kept in the last weeks.

    The share counts from `fewest` offered contacts on. Ours: the manual names no rule.
    """

    in_a_row: Annotated[int, Field(ge=2)] = 3
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    weeks: Annotated[int, Field(ge=1)] = 6
    fewest: Annotated[int, Field(ge=1)] = 4


Anchor = Literal["referred_on", "first_assessment_on", "first_introductory_on", "started_on"]
PlanName = Literal["consortium", "minimal", "three_monthly", "own"]
#: The smallest set of the manual (ch. 6.2): one of each of these.
SMALLEST_SET = (("bsi", "oq45"), ("eq5d5l", "eq5d3l"))
#: Months between the moments of the plans that ask for the smallest set.
EVERY_MONTHS = {"minimal": 6, "three_monthly": 3}


class Programme(Frozen):
    """One MBT programme and its measurement plan.

    `anchor` names the date of the episode that is month 0. `plan`: `consortium` (Appendix 1 of the manual), `minimal` (the
    smallest set every six months), `three_monthly` (the smallest set every three months) or `own` (then nothing but
    `moments`); under every plan `moments` overrules what it says of an instrument. `weekly`: instruments that are filled in
    every week of treatment beside the moments. `windows`: in place of those of the home.
    """

    name: str
    issuer: Identifier
    format: Literal["day_hospital", "intensive_outpatient", "outpatient", "adolescent", "other"] = "other"
    anchor: Anchor = "started_on"
    instruments: tuple[Identifier, ...]
    plan: PlanName = "consortium"
    moments: dict[Identifier, Asked] = {}
    weekly: tuple[Identifier, ...] = ()
    has_end_of_treatment: bool = False
    closures: tuple[Closure, ...] = ()
    windows: Windows | None = None

    @model_validator(mode="after")
    def _plan_fits(self) -> Self:
        for key, named in (("moments", set(self.moments)), ("weekly", set(self.weekly))):
            if unlisted := sorted(named - set(self.instruments)):
                raise ValueError(f"{key}: {', '.join(unlisted)} is not listed under 'instruments' of the programme")
        if self.plan == "own" and not self.moments:
            raise ValueError(
                "plan: 'own' needs 'moments', for example moments: {bsi: {required: [0, 6], desired: [12]}}"
            )
        if self.plan in EVERY_MONTHS:
            for choice in SMALLEST_SET:
                if not set(choice) & set(self.instruments):
                    raise ValueError(
                        f"plan: '{self.plan}' asks for {' or '.join(choice)}; list one of them under 'instruments'"
                    )
        return self


class OwnNorm(Frozen):
    """A norm that the site enters itself, from its licensed manual or its own data; all from one sample."""

    id: Identifier
    clinical_mean: float
    clinical_sd: Annotated[float, Field(gt=0)]
    reliability: Annotated[float, Field(gt=0, lt=1)]
    functional_mean: float | None = None
    functional_sd: Annotated[float, Field(gt=0)] | None = None
    cutoff: float | None = None
    source: str


class ChosenNorm(Frozen):
    """The site's choice among the records of a definition, by id; choosing a provisional record switches it on."""

    clinical: Identifier
    reliability: Identifier
    functional: Identifier | None = None
    cutoff: Identifier | None = None


class OwnReference(Frozen):
    """A reference group that the site enters itself, for T-scores: mean and SD of one sample of people without the problem.

    `age`: youngest and oldest, either end open; stated by nobody, it holds from 18. `value_set` belongs to utilities only.
    """

    id: Identifier
    mean: float
    sd: Annotated[float, Field(gt=0)]
    population: str
    source: str
    country: str | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    sex: Literal["all", "female", "male"] = "all"
    age: tuple[int | None, int | None] | None = None
    value_set: Identifier | None = None

    @field_validator("age")
    @classmethod
    def _ordered(cls, value: tuple[int | None, int | None] | None) -> tuple[int | None, int | None] | None:
        youngest, oldest = value or (None, None)
        if youngest is not None and oldest is not None and youngest > oldest:
            raise ValueError("ages are written [youngest, oldest], an open end as null")
        return value


def _as_list(raw: Any) -> Any:
    return raw if isinstance(raw, list | tuple) else [raw]


#: A record of a definition, by its id, or figures of the site's own; one of them may stand without a list around it.
References = Annotated[
    tuple[
        Annotated[
            Annotated[Identifier, Tag("id")] | Annotated[OwnReference, Tag("figures")],
            Discriminator(lambda entry: "id" if isinstance(entry, str) else "figures"),
        ],
        ...,
    ],
    BeforeValidator(_as_list),
]


class Agreement(Frozen):
    """The agreement that allows one home to be programme and consortium at once."""

    name: str
    on: date


class Consortium(Frozen):
    """Everything that `consortium.yaml` says.

    `norms` (of reliable change) and `reference_norms` (of T-scores) are keyed `instrument.scale`; `value_sets` by instrument.
    """

    name: str
    roles: tuple[Literal["programme", "consortium"], ...] = ("programme",)
    is_synthetic: bool = False
    agreement: Agreement | None = None
    timezone: str = "Europe/Amsterdam"
    months: tuple[int, ...] = (0, 6, 12, 18, 24, 30, 36)
    windows: Windows = Windows()
    issuers: dict[Identifier, Issuer]
    programmes: dict[Identifier, Programme]
    norms: dict[str, ChosenNorm | OwnNorm] = {}
    reference_norms: dict[str, References] = {}
    value_sets: dict[Identifier, Identifier] = {}
    disclosure_threshold: Annotated[int, Field(ge=MINIMUM_THRESHOLD)] = MINIMUM_THRESHOLD
    quiet_after_days: int = 60
    largest_file_mb: Annotated[int, Field(gt=0)] = 100
    settle_seconds: Annotated[int, Field(ge=0)] = 30
    nonattendance: Nonattendance = Nonattendance()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for programme_id, programme in self.programmes.items():
            if programme.issuer not in self.issuers:
                raise ValueError(
                    f"programmes.{programme_id}.issuer: '{programme.issuer}' is not listed under 'issuers'"
                )
        if len(set(self.roles)) == 2 and not self.is_synthetic and self.agreement is None:
            raise ValueError(
                "roles: one home may be programme and consortium at once only under an agreement; name it under 'agreement'"
            )
        if self.months[:1] != (0,) or list(self.months) != sorted(set(self.months)):
            raise ValueError("months: must begin with 0 and rise")
        return self

    def usual_months_of(self, programme_id: str) -> tuple[int, ...]:
        """Months at which the plan of a programme asks, but for what `moments` adds, in order."""
        plan = self.programmes[programme_id].plan
        if plan == "own":
            return ()
        return tuple(range(0, self.months[-1] + 1, EVERY_MONTHS[plan])) if plan in EVERY_MONTHS else self.months

    def months_of(self, programme_id: str) -> tuple[int, ...]:
        """Months at which the plan of a programme may ask for anything, in order."""
        moments = self.programmes[programme_id].moments.values()
        named = [month for asked in moments for month in (*asked.required, *asked.desired)]
        return tuple(sorted({*self.usual_months_of(programme_id), *named}))

    @cached_property
    def every_month(self) -> tuple[int, ...]:
        """Months at which any programme asks for anything, and those of the home, in order."""
        return tuple(sorted({*self.months, *(m for p in self.programmes for m in self.months_of(p))}))

    def windows_of(self, programme_id: str) -> Windows:
        """The windows that hold in a programme: its own, otherwise those of the home."""
        return self.programmes[programme_id].windows or self.windows

    @property
    def closures(self) -> dict[str, list[tuple[date, date]]]:
        """First and last days on which each programme is closed."""
        return {p: [(c.from_on, c.until_on) for c in programme.closures] for p, programme in self.programmes.items()}

    def fingerprint(self) -> str:
        """Hash of all settings: what was computed under other settings is out of date."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class SettingsError(ValueError):
    """`consortium.yaml` cannot be used; the message names the key and the remedy."""


def parse_settings(text: str) -> Consortium:
    """The settings that a `consortium.yaml` states.

    Raises `SettingsError` naming the key, what is wrong with it and what may stand there.

    >>> try:
    ...     parse_settings("name: x")
    ... except SettingsError as error:
    ...     print(error)
    consortium.yaml, key 'issuers': Field required
    consortium.yaml, key 'programmes': Field required
    """
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise SettingsError(f"consortium.yaml{where}: not YAML; check indentation and colons there") from None
    if not isinstance(raw, dict):
        raise SettingsError(
            "consortium.yaml: must be a list of keys such as 'name:' and 'programmes:'; `rom init` writes an example"
        )
    try:
        return Consortium.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_sentence(e) for e in error.errors(include_url=False, include_input=False))
        ) from None


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(whole file)"
    remedy = "; remove it or correct its spelling" if error["type"] == "extra_forbidden" else ""
    return f"consortium.yaml, key '{key}': {error['msg'].removeprefix('Value error, ')}{remedy}"
