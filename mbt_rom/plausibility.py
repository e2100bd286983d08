"""Facts that several tables tell only together: what does not fit the register, the plan or the patient's other forms.

Belongs here: facts per episode, form and delivery, one row each with the place that a finding names. Does not belong here: the
rules about them (`expectations.plausibility`), a single form (`expectations.items`). Nothing here sets anything aside.

The bounds come from the definitions: how often a form may be filled in, and the range of the scale, of which a swing is a share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom import acceptance, attendance, drift, wrong_person
from mbt_rom.eligibility import DIED
from mbt_rom.model import Instrument
from mbt_rom.schedule import UNSCHEDULED
from mbt_rom.settings import Consortium

PLACE = ["programme_id", "delivery_id", "row_id", "sheet", "source_row"]
#: A form that may be filled in every so many days may come this many days early: people do not answer to the day.
EARLY_DAYS = 2
#: Forms of one moment that lie further apart say something of different weeks.
LONGEST_SITTING_DAYS = 30
#: A change over this share of the scale's range within so many days is worth a look.
LARGEST_SWING, SWING_DAYS = 0.8, 14
_PERSON = ["programme_id", "patient_id", "instrument"]
_FORM = [
    *PLACE,
    "patient_id",
    "administered_on",
    "received_at",
    "birth_year_given",
    "sex_given",
    "corrects",
    "response_id",
]


@dataclass(frozen=True)
class Known:
    """What is known of any number of programmes: rows of the tables of these names.

    `items` by instrument; `expected` says which forms count (it lists every accepted one). `numbers`: pseudonym -> issuer and
    local number, of the patients of these programmes; they are compared and never shown. `judged_on`: the day of each programme
    up to which contacts are known, where it has a register of them.
    """

    definitions: Mapping[str, Instrument]
    settings: Consortium
    items: Mapping[str, pd.DataFrame]
    expected: pd.DataFrame
    trajectories: pd.DataFrame
    episodes: pd.DataFrame
    therapists: pd.DataFrame
    patients: pd.DataFrame
    delivery_findings: pd.DataFrame
    numbers: Mapping[str, wrong_person.Number] = field(default_factory=dict)
    contacts: pd.DataFrame | None = None
    reviews: pd.DataFrame | None = None
    judged_on: Mapping[str, date] = field(default_factory=dict)

    @cached_property
    def all_forms(self) -> pd.DataFrame:
        """Every form as it was delivered, of all instruments: place, patient, date, `instrument`, and whether it `counts`."""
        found = [rows[_FORM].assign(instrument=i) for i, rows in self.items.items()]
        forms = pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True).astype({"instrument": "str"})
        return forms.assign(counts=_among(forms, self.expected, ["programme_id", "instrument", "row_id"]))

    @cached_property
    def forms(self) -> pd.DataFrame:
        """Every form that counts."""
        return self.all_forms[self.all_forms["counts"].to_numpy(dtype=bool)].reset_index(drop=True)

    def accepted(self, instrument: str) -> pd.DataFrame:
        """The rows of the items table of one instrument that count."""
        counts = self.all_forms.loc[self.all_forms["instrument"] == instrument, "counts"]
        return self.items[instrument][counts.to_numpy(dtype=bool)]


def _among(rows: pd.DataFrame, others: pd.DataFrame, columns: list[str]) -> npt.NDArray[np.bool_]:
    """Whether each row is one of the others, by these columns of texts."""
    mine, theirs = (_joined(frame[columns]) for frame in (rows, others))
    return np.asarray((mine.isin(theirs.dropna()) & mine.notna()).to_numpy(dtype=bool))


def _joined(frame: pd.DataFrame) -> pd.Series:
    """The texts of each row as one; missing where one of them is."""
    first, *others = (frame[c].astype("str") for c in frame.columns)
    for other in others:
        first = first + " " + other
    return first


# ---- registers ------------------------------------------------------------------------------------------------------------------


def episode_facts(episodes: pd.DataFrame, therapists: pd.DataFrame) -> pd.DataFrame:
    """Per treatment episode: its place and dates, `n_unfinished` (earlier episodes of the patient that had not ended), `therapist`.

    `therapist` is allocated, unknown or not_in_service; missing where none is named or the programme has no register of them.
    """
    order = ["programme_id", "patient_id", "started_on", "episode_id"]
    rows = episodes.sort_values(order, ignore_index=True)
    source_row = _source_row(rows["row_id"])
    return rows.assign(n_unfinished=_n_unfinished(rows), therapist=_allocation(rows, therapists), source_row=source_row)


def _n_unfinished(rows: pd.DataFrame) -> pd.Series:
    """Earlier episodes of the same patient that ended after this one started, or have no end; `rows` in order of the start."""
    dated = rows[rows["started_on"].notna()].assign(at=lambda r: r.index)
    pairs = dated.merge(dated, on=["programme_id", "patient_id"], suffixes=("", "_before"))
    is_open = pairs["ended_on_before"].isna() | (pairs["ended_on_before"] > pairs["started_on"])
    counted = pairs[(pairs["at_before"] < pairs["at"]) & is_open].groupby("at").size()
    return counted.reindex(rows.index, fill_value=0)


def _allocation(rows: pd.DataFrame, therapists: pd.DataFrame) -> pd.Series:
    keys = ["programme_id", "therapist_id"]
    known = therapists[[*keys, "started_on", "ended_on"]].drop_duplicates(keys).assign(is_known=True)
    found = rows[[*keys, "started_on"]].merge(known, on=keys, how="left", suffixes=("", "_work"))
    is_late = found["started_on"] > found["ended_on"]
    is_early = found["started_on"] < found["started_on_work"]
    words = np.select([found["is_known"].isna(), is_late | is_early], ["unknown", "not_in_service"], "allocated")
    can_tell = rows["therapist_id"].notna() & rows["programme_id"].isin(therapists["programme_id"])
    return pd.Series(words, index=rows.index, dtype="str").where(can_tell)


def absence_facts(known: Known) -> pd.DataFrame:
    """Patients in treatment whose absence asks for a review: the place of the last contact they missed, and `attends` by which rule.

    Nobody asks why the dead stayed away: an event or a stop may tell of a death while the episode still runs.
    """
    found = [
        attendance.absences(
            _of_programme(known.contacts, programme),
            as_of=day,
            in_treatment=_in_treatment(known.episodes, programme, day),
            reviews=None if known.reviews is None else _of_programme(known.reviews, programme),
            rule=known.settings.nonattendance,
            closures=known.settings.closures,
        )
        for programme, day in known.judged_on.items()
        if known.contacts is not None
    ]
    columns = ["programme_id", "patient_id", "delivery_id", "row_id", "because"]
    rows = pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns, dtype="str")
    dead = known.expected.loc[known.expected["status"] == DIED]
    rows = rows[~_among(rows, dead, columns[:2])].drop(columns="patient_id").reset_index(drop=True)
    return rows.assign(source_row=_source_row(rows["row_id"])).rename(columns={"because": "attends"})


def _of_programme(rows: pd.DataFrame, programme: str) -> pd.DataFrame:
    mine: pd.DataFrame = rows[rows["programme_id"] == programme]
    return mine


def _in_treatment(episodes: pd.DataFrame, programme: str, day: date) -> pd.DataFrame | None:
    """Patients whose treatment runs; None where the programme has no register of episodes, so that nobody is known to have ended."""
    rows = _of_programme(episodes, programme)
    is_over = rows["end_reason"].notna() | (rows["ended_on"] <= pd.Timestamp(day))
    return rows[~is_over] if len(rows) else None


def _source_row(row_ids: pd.Series) -> pd.Series:
    return row_ids.str.extract(r"-(\d+)-[^-]*$", expand=False).astype("Int32")


# ---- forms ----------------------------------------------------------------------------------------------------------------------


def plan_facts(forms: pd.DataFrame, settings: Consortium) -> pd.DataFrame:
    """Per delivery and instrument with forms that count: `n_forms` and whether the programme `plans` it (planned, not_planned)."""
    counted = forms.groupby(["programme_id", "delivery_id", "instrument"]).size().rename("n_forms").reset_index()
    planned = {(p, i) for p, programme in settings.programmes.items() for i in programme.instruments}
    pairs = zip(counted["programme_id"], counted["instrument"], strict=True)
    return counted.assign(plans=pd.Series(["planned" if p in planned else "not_planned" for p in pairs], dtype="str"))


def interval_facts(forms: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    """Forms that may be filled in every so many days: `days_since` the patient's form before it, and `fewest_days` between them."""
    fewest = {i: d.manual.every_days - EARLY_DAYS for i, d in definitions.items() if d.manual.every_days}
    rows = forms[forms["instrument"].isin(list(fewest))].dropna(subset=["patient_id", "administered_on"])
    rows = rows.sort_values([*_PERSON, "administered_on", "row_id"])
    days = rows.groupby(_PERSON)["administered_on"].diff().dt.days
    return rows.assign(days_since=days, fewest_days=rows["instrument"].map(fewest)).reset_index(drop=True)


def swing_facts(trajectories: pd.DataFrame, definitions: Mapping[str, Instrument]) -> pd.DataFrame:
    """Scores of primary scales with a limited range whose form follows another within `SWING_DAYS`.

    `swing` is the change as a share of the range; rows carry programme_id, instrument, scale and row_id.
    """
    span = {i: d.primary.limits[1] - d.primary.limits[0] for i, d in definitions.items()}
    primary = {i: d.primary.id for i, d in definitions.items()}
    rows = trajectories[trajectories["scale"] == trajectories["instrument"].map(primary)]
    rows = rows.dropna(subset=["patient_id", "administered_on", "score"])
    rows = rows.sort_values([*_PERSON, "administered_on", "row_id"])
    by = rows.groupby([*_PERSON, "value_set_id"], dropna=False)
    days, change = by["administered_on"].diff().dt.days, by["score"].diff().abs()
    swing = change / rows["instrument"].map(span).astype(float)
    kept = ["programme_id", "instrument", "scale", "row_id"]
    near: pd.DataFrame = rows[kept].assign(swing=swing)[(days <= SWING_DAYS).to_numpy()]
    return near.reset_index(drop=True)


def sitting_facts(expected: pd.DataFrame) -> pd.DataFrame:
    """Per moment of an episode that two or more forms answered: the last of them, and `days_apart`, its days after the first.

    `expected`: rows of `outcomes/expected`. Rows carry programme_id, instrument, row_id and moment.
    """
    rows = expected[expected["due_on"].notna() & expected["administered_on"].notna() & expected["row_id"].notna()]
    moment = ["programme_id", "episode_id", "moment"]
    ordered = rows.sort_values([*moment, "administered_on", "instrument"])
    first = ordered.groupby(moment)["administered_on"].transform("first")
    facts = ordered.assign(days_apart=(ordered["administered_on"] - first).dt.days)
    last = facts.drop_duplicates(moment, keep="last")
    several = ordered.duplicated(moment, keep=False).reindex(last.index)
    return last[several][["programme_id", "instrument", "row_id", "moment", "days_apart"]].reset_index(drop=True)


# ---- a number that was mistyped ---------------------------------------------------------------------------------------------------


def stray_forms(known: Known) -> pd.DataFrame:
    """Forms that fit no moment of their patient, with `number`: one_slip_away where a neighbour lacks such a form, else stays.

    They are those that count and are unscheduled, and those of patients whom the register does not know. No such forms are those
    that may be filled in between the moments of the plan, those beside which the patient's registered year of birth stands, and
    those that lie nearest to a moment of the patient's own that has no form: they came early or late.
    """
    rows = pd.concat([_unscheduled(known), _of_strangers(known)], ignore_index=True)
    often = [i for i, d in known.definitions.items() if d.manual.every_days]
    rows = rows[~rows["instrument"].isin(often) & ~_is_confirmed(rows, known.patients)].reset_index(drop=True)
    rows = rows[~_is_late_or_early(rows, known.expected)].reset_index(drop=True)
    is_near = wrong_person.one_slip_away(rows, known.expected, numbers=known.numbers)
    return rows.assign(number=is_near.map({True: "one_slip_away", False: "stays"}).astype("str"))


def _unscheduled(known: Known) -> pd.DataFrame:
    stray = known.expected[known.expected["moment"] == UNSCHEDULED]
    return known.forms[_among(known.forms, stray, ["programme_id", "instrument", "row_id"])]


def _of_strangers(known: Known) -> pd.DataFrame:
    """Forms that stand by themselves and whose patient is in no register of a programme that has one."""
    forms = known.all_forms
    is_stranger = forms["patient_id"].notna() & forms["programme_id"].isin(known.patients["programme_id"].unique())
    strangers = forms[is_stranger & ~_among(forms, known.patients, ["programme_id", "patient_id"])]
    found = [forms.head(0)]
    for instrument in strangers["instrument"].unique():
        rows = known.items[str(instrument)]
        mine = rows[_among(rows, strangers[strangers["instrument"] == instrument], ["programme_id", "row_id"])]
        alone = acceptance.open_rows(mine.reset_index(drop=True), known.delivery_findings)
        found.append(alone[_FORM].assign(instrument=instrument, counts=False))
    return pd.concat(found, ignore_index=True)


def _is_late_or_early(rows: pd.DataFrame, expected: pd.DataFrame) -> pd.Series:
    """Whether the patient's own moment that lies nearest has no form: then the form is that one, outside of its window."""
    slots = expected.loc[expected["due_on"].notna(), [*_PERSON, "due_on", "status"]]
    pairs = rows[[*_PERSON, "administered_on"]].assign(at=rows.index).merge(slots, on=_PERSON)
    pairs["days"] = (pairs["administered_on"] - pairs["due_on"]).dt.days.abs()
    nearest = pairs.sort_values(["at", "days"]).drop_duplicates("at").set_index("at")["status"]
    return nearest.reindex(rows.index).isin(["open", "missed"])


def _is_confirmed(rows: pd.DataFrame, patients: pd.DataFrame) -> pd.Series:
    keys = ["programme_id", "patient_id"]
    known = patients[[*keys, "birth_year"]].drop_duplicates(keys)
    year = rows[keys].merge(known, on=keys, how="left")["birth_year"]
    same = (year.astype("Int16") == rows["birth_year_given"].reset_index(drop=True).astype("Int16")).fillna(False)
    return same.set_axis(rows.index).astype(bool)


# ---- a delivery against the past ----------------------------------------------------------------------------------------------------


def drift_facts(known: Known) -> pd.DataFrame:
    """Per programme and instrument with patients enough: the newest delivery, `p_value` of drift, `gain` and items of a swap."""
    found = []
    for instrument in known.forms["instrument"].unique():
        definition = known.definitions[instrument]
        for programme, rows in known.accepted(instrument).groupby("programme_id"):
            groups = drift.newest_and_before(rows)
            if not groups.are_large_enough:
                continue
            swap = drift.likeliest_swap(definition, groups)
            fact = {"programme_id": programme, "delivery_id": groups.delivery_id, "instrument": instrument}
            fact |= {"p_value": drift.drift_p(definition, groups), "n_new": len(groups.new), "n_past": len(groups.past)}
            told = (
                {"gain": swap.gain, "swapped": " and ".join(swap.items)} if swap else {"gain": np.nan, "swapped": None}
            )
            found.append(fact | told)
    columns = ["programme_id", "delivery_id", "instrument", "p_value", "n_new", "n_past", "gain", "swapped"]
    return pd.DataFrame(found, columns=columns)
