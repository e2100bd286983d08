"""Risk answers: which answers meet a rule of their instrument, when they became visible, and which of three lists they are on.

Belongs here: the rows of `outcomes/alerts` and the sentence that stands on every list of them. Does not belong here: the rules
themselves (`instruments/*.yaml`), what becomes of a form (`acceptance`), whether a form's date is right (`expectations`), who
may look and how it is shown to them (`pipelines.commands.alerts`).

Every form that stands by itself counts, accepted or set aside, so that an answer is not lost over a wrong patient number or
date; exact duplicates and earlier states of a form are no new answers. The lists:

- `old`: the answer was more than 7 days old when it arrived. Without a date that can be trusted nobody can say that.
- `unchanged_known`: the last two of the patient's own answers to the same item before it were at least as bad; or the only one
  there is.
- `new_or_worse`: everything else.

The answers before it are those of the same patient in the same programme, in the order of their dates, that had arrived by the
time this one did, whether they meet a rule or not. The question is asked twice, of accepted forms and of all forms, and only two
yeses make an answer known: a form that was set aside can make an answer new, never known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import acceptance, keys
from mbt_rom.days import Days, days_of
from mbt_rom.model import Instrument, Item, RiskRule
from mbt_rom.tables import ALERTS

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: What every list of risk answers says, by language.
NOT_WATCHED = {
    "en": "This is not watched day and night. No answer here is a safe sign either.",
    "nl": "Hier wordt niet dag en nacht naar gekeken. Ook is geen enkel antwoord hier een teken dat het veilig is.",
}
NEW, KNOWN, OLD = "new_or_worse", "unchanged_known", "old"
#: The lists in the order in which they are read, and what they hold in words.
LISTS = {
    NEW: "new, or worse than one of the patient's own last two answers",
    KNOWN: "unchanged and known: the patient's own last two answers were at least as bad",
    OLD: "old: answered more than 7 days before it arrived",
}
#: An answer that was older than this when it arrived is on the list `old`.
OLD_AFTER_DAYS = 7
_RANKS = {"alert": 1, "high": 2}
_NONE = np.iinfo(np.int16).min
_RESPONSE = ["programme_id", "response_id", "block", "moment_given"]
_FORM = [
    *_RESPONSE, "patient_id", "edition", "administered_on", "submitted_at", "received_at", "row_id", "delivery_id",
]  # fmt: skip


def alerts(
    items: Mapping[str, pd.DataFrame],
    findings: Mapping[str, pd.DataFrame],
    delivery_findings: pd.DataFrame | None = None,
    *,
    definitions: Mapping[str, Instrument],
    timezone: str,
) -> pd.DataFrame:
    """Every risk answer: rows of `outcomes/alerts`, one per form and item, in the order of its key.

    `items` and `findings` hold, per instrument, rows of `items/<instrument>` and `findings/<instrument>` of any programmes;
    `delivery_findings` rows of `findings/deliveries`. Instruments without risk rules give nothing. `timezone` says on which
    day an answer arrived. The result does not depend on the order of rows.

    >>> from mbt_rom.registry import instrument
    >>> from mbt_rom.tables import findings_table, items_table
    >>> phq9 = instrument("phq9")
    >>> one = {"programme_id": "north", "row_id": "r1", "delivery_id": "d1", "source_row": 2, "block": 0, "patient_id": "p_1"}
    >>> one |= {"received_at": pd.Timestamp("2026-03-04", tz="UTC"), "administered_on": "2026-03-01", "phq9_09": 2}
    >>> table = alerts(
    ...     {"phq9": items_table(phq9).conform(pd.DataFrame([one]))},
    ...     {"phq9": findings_table("phq9").empty()},
    ...     definitions={"phq9": phq9},
    ...     timezone="Europe/Amsterdam",
    ... )
    >>> table[["item", "level", "rule", "age_days", "list"]].values.tolist()
    [['phq9_09', 'high', 'item_9_high item_9_alert', 3, 'new_or_worse']]
    """
    found = [
        rows
        for name, table in items.items()
        for rows in _of_instrument(definitions[name], table, findings[name], delivery_findings, timezone=timezone)
        if len(rows)
    ]
    if not found:
        return ALERTS.empty()
    return ALERTS.conform(pd.concat(found, ignore_index=True).sort_values(list(ALERTS.key)))


def _of_instrument(
    definition: Instrument,
    items: pd.DataFrame,
    findings: pd.DataFrame,
    delivery_findings: pd.DataFrame | None,
    *,
    timezone: str,
) -> Iterator[pd.DataFrame]:
    """The rows of each item that has rules."""
    asked = [item for item in definition.items if any(rule.item == item.id for rule in definition.risk)]
    if not asked:
        return
    disposition = acceptance.dispositions(items, findings, delivery_findings).to_numpy()
    rows = items[[*_FORM, *(item.id for item in asked)]].assign(form_status=disposition)
    is_dated = _is_dated(rows, findings, delivery_findings, timezone=timezone)
    forms = _forms(rows.assign(is_dated=is_dated), timezone=timezone)
    for item in asked:
        yield _of_item(item, [rule for rule in definition.risk if rule.item == item.id], forms).assign(
            instrument=definition.id
        )


@dataclass(frozen=True)
class _Forms:
    """Forms of one instrument that stand by themselves, those of one patient together and in order of time.

    `person` numbers patients within programme and edition. `is_placed`: the patient is known and the date can be trusted, so
    that the form has a place among the patient's others. `states` are earlier states of the same responses (and forms without
    any answer, which play no part).
    """

    rows: pd.DataFrame
    states: pd.DataFrame
    person: Ints
    is_dated: Flags
    is_placed: Flags
    is_accepted: Flags
    timezone: str


def _forms(rows: pd.DataFrame, *, timezone: str) -> _Forms:
    """`rows`: every administration of one instrument, with `form_status` (its disposition) and `is_dated`."""
    forms = rows[rows["form_status"].isin(["accepted", "set_aside"])]
    (person,) = keys.row_codes(forms, columns=["programme_id", "patient_id", "edition"])
    order = ["person", "administered_on", "submitted_at", "received_at", "row_id"]
    forms = forms.assign(person=person).sort_values(order, ignore_index=True)
    is_dated = forms["is_dated"].to_numpy(dtype=bool)
    return _Forms(
        rows=forms,
        states=rows[rows["form_status"] == "superseded"],
        person=forms["person"].to_numpy(),
        is_dated=is_dated,
        is_placed=is_dated & forms["patient_id"].notna().to_numpy(),
        is_accepted=(forms["form_status"] == "accepted").to_numpy(),
        timezone=timezone,
    )


def _is_dated(
    rows: pd.DataFrame, findings: pd.DataFrame, delivery_findings: pd.DataFrame | None, *, timezone: str
) -> Flags:
    """Whether a form's date can be trusted: there is one, no finding calls it wrong, and it is not after its own arrival."""
    about_dates = [f[f["rule"].str.startswith("date_")] for f in (findings, delivery_findings) if f is not None]
    is_wrong = acceptance.has_error(rows, *about_dates).to_numpy()
    answered = days_of(rows["administered_on"])
    return np.asarray(~is_wrong & (answered <= _local_days(rows["received_at"], timezone)))


def _of_item(item: Item, rules: Sequence[RiskRule], forms: _Forms) -> pd.DataFrame:
    """The rows of one item."""
    answers = forms.rows[item.id].to_numpy(dtype=np.int16, na_value=_NONE)
    verdicts = _verdicts(np.unique(answers[answers != _NONE]), rules)
    met = np.flatnonzero(np.isin(answers, verdicts.index.to_numpy(dtype=np.int16)))
    received = _visible(forms, item)
    age = _age(forms, received)
    can_be_before = forms.is_placed & (answers != _NONE)
    badness = _badness(answers, rules, verdicts)
    known = _known(forms, can_be_before, badness=badness, received=received, at=met[forms.is_placed[met]])
    named = np.where(age > OLD_AFTER_DAYS, OLD, np.where(known, KNOWN, NEW))
    facts = {
        "item": item.id,
        "answer": answers[met],
        "answered_on": forms.rows["administered_on"].iloc[met].array,
        "received_at": received.iloc[met].array,
        "age_days": age[met],
        "list": named[met],
    }
    kept = ["programme_id", "patient_id", "edition", "form_status", "row_id", "delivery_id"]
    told = verdicts.drop(columns="rank").reindex(answers[met]).reset_index(drop=True)
    return pd.concat([forms.rows[kept].iloc[met].reset_index(drop=True).assign(**facts), told], axis=1)


# ---- rules --------------------------------------------------------------------------------------------------------------


def _meets(rule: RiskRule, answer: int) -> bool:
    return answer == rule.value if rule.op == "==" else answer >= rule.value


def _verdicts(answers: npt.NDArray[np.int16], rules: Sequence[RiskRule]) -> pd.DataFrame:
    """What the rules say of each answer that meets one: the highest level, the first rule of that level deciding."""
    told = {}
    for answer in answers.tolist():
        met = sorted((r for r in rules if _meets(r, answer)), key=lambda r: -_RANKS[r.level])
        if met:
            first = met[0]
            ids = " ".join(r.id for r in met)
            told[answer] = (_RANKS[first.level], ids, first.about, first.level, first.origin, first.confidence)
    columns = ["rank", "rule", "about", "level", "origin", "confidence"]
    return pd.DataFrame.from_dict(told, orient="index", columns=columns)


def _badness(answers: npt.NDArray[np.int16], rules: Sequence[RiskRule], verdicts: pd.DataFrame) -> Ints:
    """How bad each answer is. Where the rules say 'this much or more' the answer itself tells; else the level that is met."""
    if all(rule.op == ">=" for rule in rules):
        return answers.astype(np.int64)
    return verdicts["rank"].reindex(answers).fillna(0).to_numpy(dtype=np.int64)


# ---- time ---------------------------------------------------------------------------------------------------------------


def _local_days(times: pd.Series, timezone: str) -> Days:
    return days_of(times.dt.tz_convert(timezone).dt.tz_localize(None))


def _visible(forms: _Forms, item: Item) -> pd.Series:
    """When each answer became visible: the first delivery of the response in which it stood, or else that of the form."""
    own = forms.rows["received_at"]
    if forms.states.empty:
        return own
    of_forms, of_states = keys.row_codes(forms.rows, forms.states, columns=[*_RESPONSE, item.id])
    first = forms.states["received_at"].groupby(of_states).min()
    return own.where(~(first.reindex(of_forms).set_axis(own.index) < own), first.reindex(of_forms).set_axis(own.index))


def _age(forms: _Forms, received: pd.Series) -> npt.NDArray[np.float64]:
    """Days from the answer to the day on which it became visible; NaN where the date cannot be trusted.

    Where a form was begun, delivered and finished later, its date may lie after that delivery: then the answer was new.
    """
    days = _local_days(received, forms.timezone) - days_of(forms.rows["administered_on"])
    return np.where(forms.is_dated, np.maximum(days.astype(np.float64), 0), np.nan)


# ---- the patient's own answers before -----------------------------------------------------------------------------------


def _known(forms: _Forms, can_be_before: Flags, *, badness: Ints, received: pd.Series, at: Ints) -> Flags:
    """Whether each answer is known, asked of those at the positions `at`; false for all others."""
    arrived = received.to_numpy(dtype="datetime64[us]")
    known = np.zeros(len(badness), dtype=bool)
    known[at] = True
    for pool in (can_be_before & forms.is_accepted, can_be_before):
        before = _last_two(at, np.flatnonzero(pool), person=forms.person, arrived=arrived)
        is_as_bad = (before < 0) | (badness[before] >= badness[at][:, None])
        known[at] &= (before[:, 0] >= 0) & is_as_bad.all(axis=1)
    return known


def _last_two(at: Ints, pool: Ints, *, person: Ints, arrived: Days) -> Ints:
    """Per position of `at` the last two positions of `pool` before it, of the same person, that had arrived by then.

    One row per element of `at`; -1 where there are fewer. All are positions in `person` and `arrived`, which are in order of
    person and time; `pool` rises.
    """
    found = np.full((len(at), 2), -1, dtype=np.int64)
    n_found = np.zeros(len(at), dtype=np.int64)
    place = np.searchsorted(pool, at) - 1
    open_ones = np.arange(len(at))
    while len(open_ones):
        open_ones = open_ones[place[open_ones] >= 0]
        before = pool[place[open_ones]]
        is_own = person[before] == person[at[open_ones]]
        open_ones, before = open_ones[is_own], before[is_own]
        was_there = arrived[before] <= arrived[at[open_ones]]
        hit = open_ones[was_there]
        found[hit, n_found[hit]] = before[was_there]
        n_found[hit] += 1
        place[open_ones] -= 1
        open_ones = open_ones[n_found[open_ones] < 2]
    return found
