"""Stops: a person said that a patient must not be asked, and from that moment no list asks.

Belongs here: the shapes of such a decision and their bytes, the frame `stops`, and which stops hold at a moment. Does not belong
here: keeping a decision (`assets.stops`), what a stop does to response (`eligibility`), asking for one (`pipelines.commands.stop`).

A stop is lifted by a person only: no export, register or later form lifts it. `no_contact_until` lapses after its last day by itself.
`deceased` and `withdrew` hold at once, and are *to be confirmed* until a second person has said the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

import pandas as pd

StopKind = Literal["deceased", "withdrew", "no_contact_until", "in_crisis"]
KINDS: tuple[StopKind, ...] = get_args(StopKind)
Act = Literal["stop", "confirm", "lift"]
#: Kinds that a second person confirms.
NEED_A_SECOND: frozenset[str] = frozenset({"deceased", "withdrew"})
#: How it is known, or why it is lifted. No free text: a reason would soon hold a name.
REASONS = (
    "told_by_patient", "told_by_relatives", "told_by_team", "seen_in_record", "entered_by_mistake", "no_longer_so", "other",
)  # fmt: skip
#: Kinds that hold wherever the same person is known: somebody who died in one programme is asked by no other.
HOLD_EVERYWHERE: frozenset[str] = frozenset({"deceased"})
_MARK = "mbt-rom stop 1"
_DTYPES = {
    "programme_id": "str", "patient_id": "str", "kind": "str", "from_at": "datetime64[us, UTC]", "until_on": "datetime64[s]",
    "by": "str", "confirmed_by": "str", "lifted_at": "datetime64[us, UTC]", "lifted_by": "str", "stop_id": "str",
}  # fmt: skip
COLUMNS = tuple(_DTYPES)


@dataclass(frozen=True)
class StopDecision:
    """One decision of a person about one patient. `number`: issuer and number in canonical form; `at` carries a time zone.

    `kind`, and `until` (the last day on which it holds, for `no_contact_until` only): of an act `stop`. `of`: id of the stop that is
    confirmed or lifted. Raises ValueError where these do not fit the act.
    """

    act: Act
    number: tuple[str, str]
    by: str
    at: datetime
    kind: StopKind | None = None
    until: date | None = None
    reason: str | None = None
    of: str | None = None

    def __post_init__(self) -> None:
        if self.act not in get_args(Act):
            raise ValueError("a decision about a stop is one of " + ", ".join(get_args(Act)))
        if self.at.tzinfo is None:
            raise ValueError("the time of a decision needs a time zone")
        if self.reason is not None and self.reason not in REASONS:
            raise ValueError("the reason of a stop is one of " + ", ".join(REASONS))
        if (self.act == "stop") != (self.kind in KINDS) or (self.act == "stop") != (self.of is None):
            raise ValueError("a stop has a kind; a confirmation and a lifting name the stop that they are about")
        if (self.kind == "no_contact_until") != (self.until is not None):
            raise ValueError("'no_contact_until' has a last day, and no other kind has one")


@dataclass(frozen=True)
class RecordedStop:
    """A decision about a stop and when it was recorded: from then on it holds."""

    decision: StopDecision
    received_at: datetime


def document(decision: StopDecision) -> bytes:
    """The decision as bytes; equal decisions, equal bytes."""
    told = {"format": _MARK, **asdict(decision), "at": decision.at.isoformat()}
    told["until"] = decision.until.isoformat() if decision.until else None
    return json.dumps(told, sort_keys=True, ensure_ascii=False).encode()


def parse_document(data: bytes) -> StopDecision | None:
    """The decision that the bytes hold; None where they are something else."""
    try:
        told: Any = json.loads(data)
        if not isinstance(told, dict) or told.pop("format", None) != _MARK:
            return None
        issuer, number = (str(part) for part in told.pop("number"))
        at, until = datetime.fromisoformat(told.pop("at")), told.pop("until")
        last = date.fromisoformat(until) if until else None
        return StopDecision(**told, number=(issuer, number), at=at, until=last)
    except (ValueError, TypeError, KeyError):
        return None


def stops(
    recorded: Mapping[str, RecordedStop], *, programme: str, people: Mapping[tuple[str, str], str]
) -> pd.DataFrame:
    """The stops of a programme: one row per act `stop`, in the order in which they were recorded.

    `recorded`: all decisions about stops of that programme by id. `people`: issuer and number -> pseudonym of the person, where two
    numbers of one person are linked the one that stands for the person. Columns: `COLUMNS`; `from_at`, `lifted_at`: UTC;
    `until_on`: the last day on which it holds. The first confirmation by somebody else than `by` counts, and the first lifting.

    >>> from datetime import timezone
    >>> at = datetime(2026, 11, 25, 14, 0, tzinfo=timezone.utc)
    >>> said = RecordedStop(StopDecision("stop", ("north", "1001"), "ann", at, kind="deceased"), at)
    >>> rows = stops({"ab12": said}, programme="alpha", people={("north", "1001"): "p_1"})
    >>> rows[["patient_id", "kind", "by"]].to_numpy().tolist()
    [['p_1', 'deceased', 'ann']]
    """
    order = sorted(recorded, key=lambda name: (recorded[name].received_at, name))
    rows: dict[str, dict[str, Any]] = {}
    for name in order:
        said = recorded[name].decision
        if said.act == "stop":
            who = {"programme_id": programme, "patient_id": people[said.number], "kind": said.kind, "stop_id": name}
            rows[name] = {**who, "from_at": recorded[name].received_at, "until_on": said.until, "by": said.by}
        elif said.of in rows:
            _add(rows[said.of], said, recorded[name].received_at)
    frame = pd.DataFrame(list(rows.values()), columns=list(COLUMNS))
    times = {c: pd.to_datetime(frame[c], utc=True) for c in ("from_at", "lifted_at")}
    return frame.assign(**times, until_on=pd.to_datetime(frame["until_on"])).astype(_DTYPES)


def _add(row: dict[str, Any], said: StopDecision, at: datetime) -> None:
    if said.act == "confirm" and said.by != row["by"]:
        row.setdefault("confirmed_by", said.by)
    if said.act == "lift" and "lifted_at" not in row:
        row.update(lifted_at=at, lifted_by=said.by)


def holding(stops: pd.DataFrame, *, at: datetime, today: date) -> pd.DataFrame:
    """Those of the rows that hold at the moment `at`, which is the day `today` where the home is.

    A stop holds from the moment it was recorded, confirmed or not, until it is lifted; one with a last day holds through that day.
    """
    moment = pd.Timestamp(at)
    has_begun, is_lifted = stops["from_at"] <= moment, stops["lifted_at"] <= moment
    has_lapsed = stops["until_on"] < pd.Timestamp(today)
    return stops[has_begun & ~is_lifted & ~has_lapsed].reset_index(drop=True)


def to_be_confirmed(stops: pd.DataFrame) -> pd.Series:
    """For each row whether a second person still has to say the same (boolean, same index)."""
    return stops["kind"].isin(NEED_A_SECOND) & stops["confirmed_by"].isna() & stops["lifted_at"].isna()


def is_stopped(rows: pd.DataFrame, stops: pd.DataFrame) -> pd.Series:
    """For each row, by programme_id and patient_id, whether one of these stops is about its patient (boolean, same index).

    `stops`: those that hold. A death holds in every programme that knows the same person.
    """
    pairs = pd.MultiIndex.from_frame(stops[["programme_id", "patient_id"]])
    everywhere = stops.loc[stops["kind"].isin(HOLD_EVERYWHERE), "patient_id"]
    mine = pd.MultiIndex.from_frame(rows[["programme_id", "patient_id"]]).isin(pairs)
    return pd.Series(mine, index=rows.index, dtype=bool) | rows["patient_id"].isin(everywhere)
