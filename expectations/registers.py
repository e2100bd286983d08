"""What good registers look like: rows that say whom they are about, with plausible dates, and that do not contradict.

Belongs here: the suites about therapists, patients and episodes, and `validate_registers`. Does not belong here: cells that
could not be read (`mbt_rom.conform` notes those), which row of several deliveries counts (`mbt_rom.acceptance`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.context import failures
from mbt_rom.findings import as_findings, combined
from mbt_rom.tables import EPISODES, PATIENTS, THERAPISTS, Table

#: What each register is about: its table, and the column that says so.
REGISTERS: dict[str, tuple[Table, str]] = {
    "therapists": (THERAPISTS, "therapist_id"),
    "patients": (PATIENTS, "patient_id"),
    "episodes": (EPISODES, "episode_id"),
}
SOURCE = "registers"
EARLIEST = date(1900, 1, 1)
#: Ages that a patient of these programmes can have, in years.
YOUNGEST, OLDEST = 10, 110
#: Years by which a planned date may lie ahead.
AHEAD = 5


def validate_registers(
    registers: Mapping[str, pd.DataFrame], *, as_of: date, received: pd.Series | None = None
) -> pd.DataFrame:
    """Everything that is wrong in the registers, as the findings table of `registers`.

    `registers` maps `therapists`, `patients` and `episodes` (those there are) to all rows delivered, of any number of
    programmes. `received` maps delivery ids to the time they were received; with it, rows that a later delivery says
    otherwise about get the notice `register_updated`. Episodes are looked up among the patients of programmes that have
    any. A row that a later delivery put right has no finding but that notice. A finding names row and column, never a
    value.
    """
    known = registers.get("patients", PATIENTS.empty())
    found = [_findings(name, registers[name], known, as_of, received) for name in REGISTERS if name in registers]
    return combined(found, source=SOURCE)


def register_suite(name: str, *, as_of: date) -> list[Expectation]:
    """The rules about one row of the register `name`, on the frame that `_facts` makes."""
    table, key = REGISTERS[name]
    keys = [key, "patient_id"] if name == "episodes" else [key]
    dates = [c.name for c in table.columns if c.name.endswith("_on")]
    return [
        *(gxe.ExpectColumnValuesToNotBeNull(column=k, meta=_about("register_key_missing", k)) for k in keys),
        *(_plausible(day, as_of) for day in dates),
        gxe.ExpectColumnValuesToBeBetween(column="n_versions", max_value=1, meta=_about("register_conflict", key)),
        gxe.ExpectColumnValuesToBeInSet(column="version", value_set=["current"], meta=_about("register_updated", key)),
        *_of_one_register(name, as_of),
    ]


def _of_one_register(name: str, as_of: date) -> list[Expectation]:
    if name == "patients":
        first, last = as_of.year - OLDEST, as_of.year - YOUNGEST
        meta = _about("birth_year_implausible", "birth_year")
        return [gxe.ExpectColumnValuesToBeBetween(column="birth_year", min_value=first, max_value=last, meta=meta)]
    if name == "episodes":
        return [
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="ended_on",
                column_B="started_on",
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                meta=_about("episode_ends_before_start", "ended_on"),
            ),
            gxe.ExpectColumnValuesToBeInSet(
                column="register", value_set=["known"], meta=_about("patient_unknown", "patient_id")
            ),
        ]
    return []


def _plausible(column: str, as_of: date) -> Expectation:
    return gxe.ExpectColumnValuesToBeBetween(
        column=column,
        min_value=pd.Timestamp(EARLIEST),
        max_value=pd.Timestamp(as_of.replace(month=12, day=31, year=as_of.year + AHEAD)),
        meta=_about("register_date_implausible", column),
    )


def _about(rule: str, column: str) -> dict[str, str]:
    return {"rule": f"{rule} {column}"}


def _findings(
    name: str, register: pd.DataFrame, patients: pd.DataFrame, as_of: date, received: pd.Series | None
) -> pd.DataFrame:
    facts = _facts(name, register, patients, received)
    found = failures(facts, register_suite(name, as_of=as_of), index_columns=["at"])
    found = found.assign(at=found["at"].astype("int64"))
    said = found["rule"].str.split(" ", expand=True).reindex(columns=[0, 1])
    placed = register[["programme_id", "delivery_id", "row_id"]].iloc[found["at"]]
    row = placed["row_id"].str.extract(r"-(\d+)-[^-]*$", expand=False).astype("Int32")
    all_of_it = placed.assign(rule=said[0].array, item=said[1].array, source_row=row)
    return as_findings(all_of_it.loc[_is_open(facts, found["at"], said[0], REGISTERS[name][1]).array], source=SOURCE)


def _is_open(facts: pd.DataFrame, at: pd.Series, rules: pd.Series, key: str) -> pd.Series:
    """Whether a finding still asks for something: no good row about the same key was received later."""
    is_bad = facts["at"].isin(at[rules != "register_updated"])
    last_good = facts["order"].where(~is_bad).groupby([facts["programme_id"], facts[key]]).transform("max")
    is_mended = facts["order"] < last_good
    return ~is_mended.iloc[at].reset_index(drop=True) | (rules == "register_updated")


def _facts(name: str, register: pd.DataFrame, patients: pd.DataFrame, received: pd.Series | None) -> pd.DataFrame:
    """What the suite judges: the register's rows, numbered by `at`, with what other rows say beside them."""
    _, key = REGISTERS[name]
    rows = register.reset_index(drop=True)
    rows = rows.assign(order=_order(rows, received))
    told = _told(rows, key)
    within = rows.assign(told=told).groupby(["programme_id", "delivery_id", key])["told"]
    facts = rows.assign(
        at=range(len(rows)),
        n_versions=within.transform("nunique"),
        version=_versions(rows, key, told),
    )
    return facts.assign(register=_known(rows, patients)) if name == "episodes" else facts


def _told(rows: pd.DataFrame, key: str) -> pd.Series:
    """A number per row; equal where two rows say the same about the same programme and key."""
    said = [c for c in rows.columns if c not in ("row_id", "delivery_id", "order")]
    return rows.groupby(said, dropna=False, sort=False).ngroup()


def _versions(rows: pd.DataFrame, key: str, told: pd.Series) -> pd.Series:
    """'current' or 'updated' per row: whether the last delivery about its key says something else."""
    order = rows.assign(told=told).sort_values("order")
    last = order.groupby(["programme_id", key])[["told", "order"]].transform("last")
    is_updated = (order["told"] != last["told"]) & (order["order"] < last["order"])
    return is_updated.map({True: "updated", False: "current"}).reindex(rows.index).astype("str")


def _order(rows: pd.DataFrame, received: pd.Series | None) -> pd.Series:
    """Rank of each row's delivery by the time it was received; all equal where that is not known."""
    if received is None:
        return pd.Series(0, index=rows.index)
    return received.reindex(rows["delivery_id"]).set_axis(rows.index).rank(method="dense", na_option="top")


def _known(episodes: pd.DataFrame, patients: pd.DataFrame) -> pd.Series:
    """'known' or 'unknown' per episode; missing without a patient, or where the programme has no register of patients."""
    keys = ["programme_id", "patient_id"]
    is_known = pd.MultiIndex.from_frame(episodes[keys]).isin(pd.MultiIndex.from_frame(patients[keys]))
    said = pd.Series(is_known, index=episodes.index).map({True: "known", False: "unknown"})
    can_tell = episodes["patient_id"].notna() & episodes["programme_id"].isin(patients["programme_id"])
    return said.where(can_tell)
