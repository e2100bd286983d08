"""What a good administration looks like, apart from its answers: whose it is, when it was, and that it stands alone.

Belongs here: the suites about patient, date, moment, interviewer, cells that could not be read, empty forms, and forms of the
same day.
Does not belong here: answers and their bounds (`items`); what follows from a finding (`mbt_rom.acceptance`).

The suites state the rules. Relations that reach beyond one row are computed beforehand as columns of the frame that a
suite judges: whether the register knows the patient, the year of birth, the number of forms of that day.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.context import failures
from mbt_rom.acceptance import forms_of_the_day, n_answered
from mbt_rom.findings import as_findings, combined
from mbt_rom.model import Instrument
from mbt_rom.tables import EPISODES, PATIENTS

#: Columns of an items table that a finding about a row takes over.
PLACE = ["programme_id", "delivery_id", "row_id", "sheet", "source_row"]
#: What an interview must say of how it was held: columns of an items table.
HELD_BY = ["interviewer", "is_blind"]
#: Only these contradict each other: `other`, and a sex that is not recorded, contradict nothing.
_OPPOSITE = ["female", "male"]
_MOMENT = r"^(?:baseline|m[1-9][0-9]{0,2}|unscheduled)$"


def administration_suite(*, as_of: date, moments: Collection[str] | None = None) -> list[Expectation]:
    """The rules about one administration, on the frame that `_facts` makes.

    Where a cell could not be read, the column `patient_problem` or `date_problem` names the rule itself.
    """
    return [
        gxe.ExpectColumnValuesToBeUnique(column="form", meta={"rule": "row_id_twice"}),
        gxe.ExpectColumnValuesToBeInSet(column="register", value_set=["known"], meta={"rule": "patient_unknown"}),
        gxe.ExpectColumnValuesToNotBeNull(column="dated_by", meta={"rule": "date_missing"}),
        gxe.ExpectColumnValuesToBeBetween(
            column="administered_on", max_value=pd.Timestamp(as_of), meta={"rule": "date_in_future"}
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="year",
            column_B="birth_year",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            meta={"rule": "date_before_birth"},
        ),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="died_on",
            column_B="administered_on",
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            meta={"rule": "form_after_death"},
        ),
        *_same_person(),
        _moment_expectation(moments),
        gxe.ExpectColumnValuesToBeBetween(column="n_filled", min_value=1, meta={"rule": "form_empty"}),
        gxe.ExpectColumnValuesToBeNull(column="unreadable_items", meta={"rule": "answer_not_a_code"}),
        gxe.ExpectColumnValuesToBeNull(column="out_of_range_items", meta={"rule": "answer_out_of_range"}),
        gxe.ExpectColumnValuesToBeNull(column="patient_problem", meta={"rule": "patient_problem"}),
        gxe.ExpectColumnValuesToBeNull(column="date_problem", meta={"rule": "date_problem"}),
    ]


def _same_person() -> list[Expectation]:
    """The rules about what a form says of its patient: it must be what the register says, where both say something."""
    pairs = {
        "birth_year_contradicts_register": ("birth_year_given", "birth_year"),
        "sex_contradicts_register": ("sex_given", "sex"),
    }
    return [
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A=given, column_B=known, ignore_row_if="either_value_is_missing", meta={"rule": rule}
        )
        for rule, (given, known) in pairs.items()
    ]


def _moment_expectation(moments: Collection[str] | None) -> Expectation:
    meta = {"rule": "moment_unknown"}
    if moments is None:
        return gxe.ExpectColumnValuesToMatchRegex(column="moment_given", regex=_MOMENT, meta=meta)
    return gxe.ExpectColumnValuesToBeInSet(column="moment_given", value_set=sorted(moments), meta=meta)


def day_suite() -> list[Expectation]:
    """The rule about forms of one patient and day, on good rows that are neither duplicates nor superseded."""
    return [gxe.ExpectColumnValuesToBeBetween(column="n_forms", max_value=1, meta={"rule": "same_day_conflict"})]


def register_suite() -> list[Expectation]:
    """The rule about programmes: each has a register of patients."""
    return [gxe.ExpectColumnValuesToBeBetween(column="n_known", min_value=1, meta={"rule": "no_patient_register"})]


def interview_suite(*, counted: bool) -> list[Expectation]:
    """The rule about how an interview was held: on a frame with `n_stated` per delivery (`counted`) or `stated` per row."""
    meta = {"rule": "interviewer_not_stated"}
    if counted:
        return [gxe.ExpectColumnValuesToBeBetween(column="n_stated", min_value=1, meta=meta)]
    return [gxe.ExpectColumnValuesToNotBeNull(column="stated", meta=meta)]


def administration_findings(
    definition: Instrument,
    rows: pd.DataFrame,
    *,
    patients: pd.DataFrame | None,
    episodes: pd.DataFrame | None = None,
    as_of: date,
    moments: Collection[str] | None = None,
) -> pd.DataFrame:
    """Findings about the administrations `rows` (of an items table) of any number of programmes, answers' bounds apart."""
    facts = _facts(definition, rows, patients).assign(died_on=_died_on(rows, episodes))
    found = failures(facts, administration_suite(as_of=as_of, moments=moments), index_columns=["at"])
    placed = rows[PLACE].iloc[found["at"].astype("int64")].reset_index(drop=True).assign(rule=found["rule"].array)
    for column in ("patient_problem", "date_problem"):
        named = facts[column].iloc[found["at"].astype("int64")].reset_index(drop=True)
        placed["rule"] = placed["rule"].mask(placed["rule"] == column, named)
    return as_findings(_per_item(definition, placed, rows, found["at"]), source=definition.id)


def day_findings(definition: Instrument, rows: pd.DataFrame) -> pd.DataFrame:
    """Findings about forms that contradict another form of the same patient and day. `rows` are good by themselves."""
    facts = pd.DataFrame({"at": range(len(rows)), "n_forms": forms_of_the_day(rows).array})
    found = failures(facts, day_suite(), index_columns=["at"])
    at = found["at"].astype("int64")
    details = facts["n_forms"].iloc[at].map("{} different forms".format).array
    return as_findings(rows[PLACE].iloc[at].assign(rule=found["rule"].array, detail=details), source=definition.id)


def interview_findings(definition: Instrument, rows: pd.DataFrame) -> pd.DataFrame:
    """Notices about interviews that do not say who held them, or whether that person knew the treatment.

    A delivery in which none of several interviews says it has one notice, any other one for each interview. `item` is the
    column that is blank. Forms without any answer are left out, and so is every instrument that is no interview.
    """
    held = rows.loc[n_answered(rows) > 0] if definition.kind == "interview" else rows.head(0)
    long = held[HELD_BY].notna().reset_index(drop=True).rename_axis("at")
    long = long.melt(var_name="item", value_name="is_stated", ignore_index=False).reset_index()
    place = held[PLACE].reset_index(drop=True)
    long = pd.concat([long, place.iloc[long["at"]].reset_index(drop=True)], axis=1)
    keys = ["programme_id", "delivery_id", "item"]
    counted = long.groupby(keys)["is_stated"].agg(n="size", n_stated="sum").reset_index().astype({"n_stated": "int64"})
    nowhere = failures(counted.loc[counted["n"] > 1], interview_suite(counted=True), index_columns=[*keys, "n"])
    is_told = pd.MultiIndex.from_frame(long[keys]).isin(pd.MultiIndex.from_frame(nowhere[keys]))
    # Before the rows are chosen: a column that is assigned to a frame without rows would give it rows.
    rest = long.assign(stated=long["is_stated"].map({True: "stated"}).astype("str")).loc[~is_told]
    blank = failures(rest, interview_suite(counted=False), index_columns=[*PLACE, "item"])
    said = nowhere.drop(columns="n").assign(detail=nowhere["n"].map("in none of {} interviews".format).astype("str"))
    return combined([as_findings(f, source=definition.id) for f in (said, blank)], source=definition.id)


def register_findings(definition: Instrument, rows: pd.DataFrame, *, patients: pd.DataFrame | None) -> pd.DataFrame:
    """One notice per programme of `rows` without a register of patients; it names the last delivery."""
    n_known = _registered(patients).groupby("programme_id").size()
    last = rows.sort_values(["received_at", "delivery_id"]).drop_duplicates("programme_id", keep="last")
    facts = last[["programme_id", "delivery_id"]].assign(n_known=last["programme_id"].map(n_known).fillna(0))
    found = failures(facts, register_suite(), index_columns=["programme_id", "delivery_id"])
    return as_findings(found, source=definition.id)


def _facts(definition: Instrument, rows: pd.DataFrame, patients: pd.DataFrame | None) -> pd.DataFrame:
    """What the suite judges: one row per administration, numbered by `at`."""
    known = _known(rows, patients)
    is_read = rows["unreadable_items"].isna() & rows["out_of_range_items"].isna()
    has_patient = rows["patient_id"].notna() | rows["patient_problem"].notna()
    return pd.DataFrame(
        {
            "at": range(len(rows)),
            "form": (rows["programme_id"] + " " + rows["row_id"]).array,
            "register": known["register"].array,
            "dated_by": rows["date_problem"]
            .fillna(rows["moment_given"])
            .mask(rows["administered_on"].notna(), "d")
            .array,
            "administered_on": rows["administered_on"].array,
            "year": rows["administered_on"].dt.year.array,
            "birth_year": known["birth_year"].astype("float64").array,
            "birth_year_given": rows["birth_year_given"].astype("float64").array,
            "sex": known["sex"].where(known["sex"].isin(_OPPOSITE)).array,
            "sex_given": rows["sex_given"].where(rows["sex_given"].isin(_OPPOSITE)).array,
            "moment_given": rows["moment_given"].array,
            "n_filled": n_answered(rows).where(is_read).array,
            "unreadable_items": rows["unreadable_items"].array,
            "out_of_range_items": rows["out_of_range_items"].array,
            "patient_problem": rows["patient_problem"].where(has_patient, "patient_missing").array,
            "date_problem": rows["date_problem"].array,
        }
    )


def _died_on(rows: pd.DataFrame, episodes: pd.DataFrame | None) -> np.ndarray:
    """The day on which the patient of each row died, as an episode of the same programme says; missing for the living."""
    keys = ["programme_id", "patient_id"]
    ended = EPISODES.empty() if episodes is None else episodes
    deaths = ended.loc[ended["end_reason"] == "died", [*keys, "ended_on"]].dropna()
    first = deaths.groupby(keys, as_index=False)["ended_on"].min()
    return rows[keys].merge(first, on=keys, how="left")["ended_on"].to_numpy()


def _known(rows: pd.DataFrame, patients: pd.DataFrame | None) -> pd.DataFrame:
    """`register` (known, unknown; missing without a patient or a register), `birth_year` and `sex`, per row."""
    registered = _registered(patients)
    keys = ["programme_id", "patient_id"]
    found = rows[keys].merge(registered.assign(register="known"), on=keys, how="left").set_axis(rows.index)
    can_tell = rows["patient_id"].notna() & rows["programme_id"].isin(registered["programme_id"])
    return found.assign(register=found["register"].fillna("unknown").where(can_tell))


def _registered(patients: pd.DataFrame | None) -> pd.DataFrame:
    columns = ["programme_id", "patient_id", "birth_year", "sex"]
    register = PATIENTS.empty() if patients is None else patients
    return register[columns].dropna(subset=columns[:2]).drop_duplicates(columns[:2])


def _per_item(definition: Instrument, placed: pd.DataFrame, rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    """One row per item where a rule concerns items that were named in one cell, separated by spaces."""
    position = at.astype("int64")
    item = pd.Series(pd.NA, index=placed.index, dtype="str")
    for rule, column in (("answer_not_a_code", "unreadable_items"), ("answer_out_of_range", "out_of_range_items")):
        item = item.mask(placed["rule"] == rule, rows[column].iloc[position].reset_index(drop=True))
    bounds = {i.id: i.bounds for i in definition.items}
    spread = placed.assign(item=item.str.split()).explode("item", ignore_index=True)
    return spread.assign(item=spread["item"].astype("str"), detail=spread["item"].map(bounds).astype("str"))
