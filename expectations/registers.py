"""What good registers look like: rows that say whom they are about, with plausible dates, and that do not contradict.

Belongs here: the suite of each register, which follows from its declaration (`mbt_rom.registers`), and `validate_registers`. Does not
belong here: cells that could not be read (`mbt_rom.sheet_rows` notes those), which row of several deliveries counts (`mbt_rom.acceptance`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.context import failures
from mbt_rom.findings import as_findings, combined
from mbt_rom.registers import PROGRAMME_EVENTS, REGISTERS, Register
from mbt_rom.tables import PATIENTS

SOURCE = "registers"
EARLIEST = date(1900, 1, 1)
#: Ages that a patient of these programmes can have, in years.
YOUNGEST, OLDEST = 10, 110
#: Years by which a planned date may lie ahead.
AHEAD = 5
#: Stands for the last day of what still holds.
_FOR_EVER = pd.Timestamp(2262, 1, 1)
#: Rules that say that a later row counts: they ask for nothing.
_NOTICES = ("register_updated", "register_row_replaced")


def validate_registers(
    registers: Mapping[str, pd.DataFrame], *, as_of: date, received: pd.Series | None = None
) -> pd.DataFrame:
    """Everything that is wrong in the registers, as the findings table of `registers`.

    `registers` maps names of registers (those there are) to all rows delivered, of any number of
    programmes. `received` maps delivery ids to the time they were received; with it, rows that a later delivery says
    otherwise about get the notice `register_updated`. Patients are looked up among those of programmes that have a register of
    them. A row that a later delivery put right has no finding but that notice. A finding names row and column, never a
    value.
    """
    known = registers.get("patients", PATIENTS.empty())
    found = [
        _findings(REGISTERS[n], registers[n], known, as_of, received) for n in REGISTERS if len(registers.get(n, ()))
    ]
    return combined(found, source=SOURCE)


def register_suite(name: str, *, as_of: date, dates: Sequence[str] | None = None) -> list[Expectation]:
    """The rules about one row of the register `name`, on the frame that `_facts` makes.

    `dates`: the columns of dates that are looked at row by row (all, when it is not given).
    """
    register = REGISTERS[name]
    days = register.of_kind("date") if dates is None else dates
    key = register.key[0]
    return [
        *(
            gxe.ExpectColumnValuesToNotBeNull(column=k, meta=_about("register_key_missing", k))
            for k in register.required
        ),
        *(_plausible(day, as_of) for day in days),
        *(_in_order(name, first, last) for first, last in register.ordered),
        gxe.ExpectColumnValuesToBeBetween(column="n_versions", max_value=1, meta=_about("register_conflict", key)),
        gxe.ExpectColumnValuesToBeInSet(column="version", value_set=["current"], meta=_about("register_updated", key)),
        *_about_patients(register, as_of),
    ]


def _about_patients(register: Register, as_of: date) -> list[Expectation]:
    if register.name == "patients":
        first, last = as_of.year - OLDEST, as_of.year - YOUNGEST
        meta = _about("birth_year_implausible", "birth_year")
        return [gxe.ExpectColumnValuesToBeBetween(column="birth_year", min_value=first, max_value=last, meta=meta)]
    if not register.has_patients:
        return []
    said = {"register": ("known", "patient_unknown"), "whose": ("told", "register_key_missing")}
    return [
        gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[good], meta=_about(rule, "patient_id"))
        for column, (good, rule) in said.items()
    ]


def overlap_suite() -> list[Expectation]:
    """The rules about rows that overlap in time, on the columns that `_overlaps` makes."""
    said = {"overlaps": "register_rows_overlap", "is_replaced": "register_row_replaced"}
    return [
        gxe.ExpectColumnValuesToBeInSet(column=column, value_set=["no"], meta=_about(rule, "from_on"))
        for column, rule in said.items()
    ]


def _in_order(name: str, first: str, last: str) -> Expectation:
    rule = "episode_ends_before_start" if name == "episodes" else "register_until_before_from"
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=last, column_B=first, or_equal=True, ignore_row_if="either_value_is_missing", meta=_about(rule, last)
    )


def _plausible(column: str, as_of: date) -> Expectation:
    first, last = _bounds(as_of)
    meta = _about("register_date_implausible", column)
    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=first, max_value=last, meta=meta)


def _bounds(as_of: date) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first and the last day that may stand in a register."""
    return pd.Timestamp(EARLIEST), pd.Timestamp(date(as_of.year + AHEAD, 12, 31))


def _dates_in_doubt(register: Register, rows: pd.DataFrame, as_of: date) -> list[str]:
    """The columns of dates whose first or last day is not plausible: only these are looked at row by row, which costs far more."""
    first, last = _bounds(as_of)
    return [name for name in register.of_kind("date") if rows[name].min() < first or rows[name].max() > last]


def _about(rule: str, column: str) -> dict[str, str]:
    return {"rule": f"{rule} {column}"}


def _findings(
    register: Register, rows: pd.DataFrame, patients: pd.DataFrame, as_of: date, received: pd.Series | None
) -> pd.DataFrame:
    if register.doubted_by:  # what such a row lacks was told when it was read
        rows = rows[rows[list(register.required)].notna().all(axis=1)].reset_index(drop=True)
    facts = _facts(register, rows, patients, received)
    suite = register_suite(register.name, as_of=as_of, dates=_dates_in_doubt(register, rows, as_of))
    found = _failures(facts, suite)
    if register.without_overlap:
        is_bad = facts["at"].isin(found.loc[~found["rule"].str.startswith(_NOTICES), "at"])
        beside = _overlaps(register, facts[~is_bad & facts["version"].ne("updated")])
        found = pd.concat([found, _failures(facts.assign(**beside), overlap_suite())], ignore_index=True)
    said = found["rule"].str.split(" ", expand=True).reindex(columns=[0, 1])
    placed = rows[["programme_id", "delivery_id", "row_id"]].iloc[found["at"]]
    row = placed["row_id"].str.extract(r"-(\d+)-[^-]*$", expand=False).astype("Int32")
    all_of_it = placed.assign(rule=said[0].array, item=said[1].array, source_row=row)
    return as_findings(all_of_it.loc[_is_open(facts, found["at"], said[0], register.key).array], source=SOURCE)


def _failures(facts: pd.DataFrame, suite: list[Expectation]) -> pd.DataFrame:
    found = failures(facts, suite, index_columns=["at"])
    return found.assign(at=found["at"].astype("int64"))


def _is_open(facts: pd.DataFrame, at: pd.Series, rules: pd.Series, key: tuple[str, ...]) -> pd.Series:
    """Whether a finding still asks for something: no good row about the same key was received later."""
    is_bad = facts["at"].isin(at[~rules.isin(_NOTICES)])
    keys = [facts["programme_id"], *(facts[k] for k in key)]
    last_good = facts["order"].where(~is_bad).groupby(keys, dropna=len(key) == 1).transform("max")
    is_mended = facts["order"] < last_good
    return ~is_mended.iloc[at].reset_index(drop=True) | rules.isin(_NOTICES)


def _facts(
    register: Register, delivered: pd.DataFrame, patients: pd.DataFrame, received: pd.Series | None
) -> pd.DataFrame:
    """What the suite judges: the register's rows, numbered by `at`, with what other rows say beside them.

    What is said beside a row stands there only where there is something to say: on a column of nothing no rule costs anything.
    """
    rows = delivered.reset_index(drop=True)
    rows = rows.assign(order=_order(rows, received))
    is_repeated = rows.duplicated(["programme_id", *register.key], keep=False) & rows[
        list(register.key[:1])
    ].notna().all(axis=1)
    facts = rows.assign(at=range(len(rows)), **_beside(rows[is_repeated], register.key))
    if register.has_patients and register.name != "patients":
        facts = facts.assign(register=_known(register, rows, patients), whose=_whose(register, rows))
    return facts


def _beside(rows: pd.DataFrame, key: tuple[str, ...]) -> dict[str, pd.Series]:
    """What rows that share their key say beside each other.

    `n_versions`: different things that the row's delivery says about the key. `version`: 'updated' where the last delivery about the key
    says something else.
    """
    said = [c for c in rows.columns if c not in ("row_id", "delivery_id", "order")]
    # A number per row; equal where two rows say the same about the same programme and key.
    rows = rows.assign(told=rows.groupby(said, dropna=False, sort=False).ngroup()).sort_values("order")
    keys = ["programme_id", *key]
    within = rows.groupby([*keys, "delivery_id"], dropna=False, sort=False)["told"]
    last = rows.groupby(keys, dropna=False, sort=False)[["told", "order"]].transform("last")
    is_updated = (rows["told"] != last["told"]) & (rows["order"] < last["order"])
    return {"n_versions": within.transform("nunique"), "version": _flagged(is_updated, "updated")}


def _order(rows: pd.DataFrame, received: pd.Series | None) -> pd.Series:
    """Rank of each row's delivery by the time it was received; all equal where that is not known."""
    if received is None:
        return pd.Series(0, index=rows.index)
    return received.reindex(rows["delivery_id"]).set_axis(rows.index).rank(method="dense", na_option="top")


def _known(register: Register, rows: pd.DataFrame, patients: pd.DataFrame) -> pd.Series:
    """'unknown' where the programme has a register of patients that does not hold the patient, and the row may not do without."""
    keys = ["programme_id", "patient_id"]
    is_known = pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(patients[keys]))
    can_tell = rows["patient_id"].notna() & rows["programme_id"].isin(patients["programme_id"])
    return _flagged(can_tell & ~is_known & register.is_of_known_patients, "unknown")


def _whose(register: Register, rows: pd.DataFrame) -> pd.Series:
    """'nobody' where a row that must be about a patient names none, and not every row of the register must."""
    if "patient_id" in register.required:
        return _flagged(pd.Series(False, index=rows.index), "nobody")
    return _flagged(rows["patient_id"].isna() & ~rows["kind"].isin(PROGRAMME_EVENTS), "nobody")


def _flagged(flags: pd.Series, word: str) -> pd.Series:
    return flags.map({True: word, False: None}).astype("str")


def _overlaps(register: Register, good: pd.DataFrame) -> dict[str, pd.Series]:
    """Per row whether another good one that shares its columns `without_overlap` overlaps with it in time: 'yes'.

    `overlaps`: one of the same delivery. `is_replaced`: one that was received later, and counts in its place.
    """
    group = ["programme_id", *register.without_overlap]
    rows = good.loc[good.duplicated(group, keep=False), [*group, "from_on", "until_on", "order", "delivery_id"]]
    rows = rows.assign(at=rows.index, last_on=rows["until_on"].fillna(_FOR_EVER))
    pairs = rows.merge(rows, on=group, suffixes=("", "_other"))
    meets = pairs["from_on"].le(pairs["last_on_other"]) & pairs["from_on_other"].le(pairs["last_on"])
    pairs = pairs[meets & pairs["from_on"].ne(pairs["from_on_other"])]
    is_same = pairs["delivery_id"].eq(pairs["delivery_id_other"])
    is_later = pairs["order_other"].gt(pairs["order"])
    hit = {"overlaps": pairs.loc[is_same, "at"], "is_replaced": pairs.loc[is_later, "at"]}
    return {name: _flagged(pd.Series(good.index.isin(at), index=good.index), "yes") for name, at in hit.items()}
