"""What becomes of every delivered administration: accepted, set aside, duplicate or superseded; and that none gets lost.

Belongs here: how administrations relate to each other (states of one form, exact duplicates, conflicts), applying
findings, the conservation law and counting findings. Does not belong here: judging a single row or a register
(`expectations`); wording (`findings`).

Order of decision, per instrument; the first that applies counts:

1. a row of a delivery that has a fatal finding is `set_aside`, and takes no part in what follows: the last good
   delivery stays; a row of a correction that was undone is `superseded`, and so is one that a correction replaces (see `replaced`);
2. `superseded`: a later state of the same response of the same tool exists. States are ordered by (is complete, submitted
   at, number of answers, received at, source row), the last one wins. A form without any answer is superseded by a form
   with answers of the same patient and day;
3. `duplicate`: the same patient, date, moment and content was received before. Rows without a patient, or without both
   date and moment, are duplicates only within one response;
4. `superseded`: a finding says that the row was withdrawn at the source (see `withdrawn`);
5. `set_aside`: the row has a finding of severity error, a conflict included;
6. `accepted`.

So a finding on a row that was corrected later, or delivered again, is not repeated: `open_rows` leaves those out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from mbt_rom import replaced as corrections
from mbt_rom import withdrawn
from mbt_rom.settings import SHARED
from mbt_rom.tables import CONSERVATION, FINDINGS_SUMMARY

Disposition = Literal["accepted", "set_aside", "duplicate", "superseded"]
DISPOSITIONS: tuple[Disposition, ...] = ("accepted", "set_aside", "duplicate", "superseded")

#: The rule by which findings name a row that was withdrawn at the source.
WITHDRAWN = "withdrawn_at_source"
#: The rule by which findings name a row of a register that a row of a later delivery took the place of.
REPLACED = "register_row_replaced"
_RECEIVED = ["received_at", "delivery_id", "sheet", "source_row", "block", "row_id"]
_STATES = ["is_complete", "submitted_at", "n_answered", *_RECEIVED[:1], "source_row", "delivery_id", "row_id"]
_NO_ROWS = pd.DataFrame(
    {f"n_{one}": pd.Series(dtype="int64") for one in DISPOSITIONS}
    | {"newest_form_on": pd.Series(dtype="datetime64[s]")}
).set_axis(pd.MultiIndex.from_arrays([[], []], names=["programme_id", "instrument"]))
#: Columns of an items table that hold small integers and no answers.
_NO_ANSWERS = {"block", "birth_year_given"}
_PROBLEMS = ["patient_problem", "date_problem", "unreadable_items", "out_of_range_items"]


def dispositions(
    items: pd.DataFrame, findings: pd.DataFrame, delivery_findings: pd.DataFrame | None = None
) -> pd.Series:
    """What becomes of each row of an items table: a Series of dispositions, indexed by `row_id`, in the order of `items`.

    `items` may hold any number of programmes of one instrument; `findings` are those of that instrument and
    `delivery_findings` those of the deliveries. The result does not depend on the order of rows in any of them.
    """
    is_refused = items["delivery_id"].isin(fatal_deliveries(delivery_findings))
    decided = _related(items, ~is_refused)
    is_broken = has_error(items, findings, delivery_findings) & decided.eq("")
    decided = decided.mask(decided.eq("") & is_withdrawn(items, findings), "superseded")
    decided = decided.mask((is_broken & decided.eq("")) | is_refused, "set_aside")
    decided = decided.mask(decided.eq(""), "accepted")
    return pd.Series(
        decided.to_numpy(), index=pd.Index(items["row_id"], name="row_id"), name="disposition", dtype="str"
    )


def accept(items: pd.DataFrame, disposition: pd.Series) -> pd.DataFrame:
    """The accepted rows of an items table, in their order; `disposition` is what `dispositions` gave for it."""
    return items.loc[(disposition == "accepted").to_numpy()].reset_index(drop=True)


def open_rows(items: pd.DataFrame, delivery_findings: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows that stand by themselves: neither refused with their delivery, nor superseded, nor delivered before."""
    is_refused = items["delivery_id"].isin(fatal_deliveries(delivery_findings))
    return items.loc[_related(items, ~is_refused).eq("") & ~is_refused].reset_index(drop=True)


def held_back(items: pd.DataFrame, delivery_findings: pd.DataFrame | None = None) -> set[str]:
    """Ids of the rows that a correction holds back: see `mbt_rom.replaced`."""
    if items["corrects"].isna().all():
        return set()
    rows = items.loc[~items["delivery_id"].isin(fatal_deliveries(delivery_findings))]
    return set(rows.loc[_corrected(_compared(rows))[1], "row_id"])


def fatal_deliveries(delivery_findings: pd.DataFrame | None) -> set[str]:
    """Ids of the deliveries that contribute nothing, because a finding about them is fatal."""
    if delivery_findings is None or delivery_findings.empty:
        return set()
    return set(delivery_findings.loc[delivery_findings["severity"] == "fatal", "delivery_id"])


def has_error(rows: pd.DataFrame, *findings: pd.DataFrame | None) -> pd.Series:
    """Whether a finding of severity error names the row; rows and findings are matched by programme and `row_id`.

    Findings about a file that holds several programmes carry the name of its drop folder, and match by `row_id` alone.
    """
    errors = [f.loc[f["severity"] == "error", ["programme_id", "row_id"]] for f in findings if f is not None]
    named = pd.concat([rows.head(0)[["programme_id", "row_id"]], *errors]).dropna()
    own = pd.MultiIndex.from_frame(rows[["programme_id", "row_id"]]).isin(pd.MultiIndex.from_frame(named))
    return rows["row_id"].isin(named.loc[named["programme_id"] == SHARED, "row_id"]) | own


def is_withdrawn(rows: pd.DataFrame, findings: pd.DataFrame) -> pd.Series:
    """Whether one of the findings says that the row was withdrawn at the source."""
    return _is_named(rows, findings, WITHDRAWN)


def _is_named(rows: pd.DataFrame, findings: pd.DataFrame, rule: str) -> pd.Series:
    named = findings.loc[findings["rule"] == rule, ["programme_id", "row_id"]]
    is_named = pd.MultiIndex.from_frame(rows[["programme_id", "row_id"]]).isin(pd.MultiIndex.from_frame(named))
    return pd.Series(is_named, index=rows.index)


def withdrawn_rows(
    items: pd.DataFrame, files: pd.DataFrame, *, is_open: pd.Series, is_broken: pd.Series
) -> pd.DataFrame:
    """The rows of `items` that are withdrawn at the source, with when and by which delivery: see `mbt_rom.withdrawn`."""
    if not (is_open & is_broken).any() or files.empty:
        return withdrawn.nothing(items.index)
    return withdrawn.withdrawn(_compared(items), is_broken=is_broken, is_open=is_open, files=files)


def closed_rows(items: pd.DataFrame, delivery_findings: pd.DataFrame | None = None) -> pd.DataFrame:
    """The rows that a state or a correction of a later delivery took the place of, with `closed_at`, `closed_by`, `closed_how`.

    Of equal rows the one received first is told; one that was outdated on the day it came is left out: it was never open.
    """
    usable = items.loc[~items["delivery_id"].isin(fatal_deliveries(delivery_findings))]
    named = usable["corrects"].notna() & usable["undone_at"].isna()
    is_repeated = usable["response_id"].notna() & usable.duplicated(corrections.RESPONSE, keep=False)
    if usable.empty or not (named.any() or is_repeated.any()):
        return withdrawn.nothing(items.index).assign(closed_how=pd.Series(dtype="str"))
    rows = _compared(usable)
    made = rows.loc[named].sort_values(["received_at", "delivery_id"]).drop_duplicates(["programme_id", "corrects"])
    made = made.set_index(["programme_id", "corrects"])[["received_at", "delivery_id"]].set_axis(
        withdrawn.CLOSED, axis=1
    )
    roots = rows[["programme_id", "row_id"]].join(made, on=["programme_id", "row_id"]).dropna(subset=["closed_at"])
    corrected = roots[withdrawn.CLOSED].assign(closed_how="corrected")
    states = _outdated(rows.loc[is_repeated]).drop(index=corrected.index, errors="ignore")
    return pd.concat([part for part in (corrected, states) if len(part)] or [states])


def _first_and_last_copies(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Of equal rows the first and the last received: a form that comes in every export would be compared with itself each time."""
    ordered = rows.sort_values(_RECEIVED)
    return ordered.loc[~ordered.duplicated(key) | ~ordered.duplicated(key, keep="last")]


def _outdated(rows: pd.DataFrame) -> pd.DataFrame:
    """The states of a response that were its last one until a later delivery held another."""
    key = corrections.RESPONSE
    ordered = rows.assign(is_complete=rows["is_complete"].fillna(False).astype(bool))
    ordered = _first_and_last_copies(ordered, [*key, "content", "is_complete", "submitted_at"])
    ordered = ordered.sort_values(_STATES, na_position="first")
    beside = ordered.reset_index(names="at").merge(
        ordered[[*key, "content", "received_at", "delivery_id"]].assign(rank=range(len(ordered))),
        on=key,
        suffixes=("", "_later"),
    )
    rank = pd.Series(range(len(ordered)), index=ordered.index)
    outranks = (beside["rank"] > beside["at"].map(rank)) & beside["content"].ne(beside["content_later"])
    found = beside.loc[outranks].sort_values(["received_at_later", "delivery_id_later"]).drop_duplicates("at")
    found = found.loc[found["received_at_later"] > found["received_at"]]
    found = found.loc[found["at"].isin(_superseded(rows))]
    found = found.sort_values(_RECEIVED).drop_duplicates([*key, "content"]).set_index("at")
    return (
        found[["received_at_later", "delivery_id_later"]]
        .set_axis(withdrawn.CLOSED, axis=1)
        .assign(closed_how="superseded")
    )


# ---- relations between rows ---------------------------------------------------------------------------------------------


def forms_of_the_day(items: pd.DataFrame) -> pd.Series:
    """Number of forms of the same patient and day (or stated moment, where no date is given), on the index of `items`.

    `items` are good rows that are neither duplicates nor superseded, so two of them for one patient and day contradict
    each other. Missing for a form without any answer, which contradicts nothing, and where patient or day is missing.
    """
    rows = items[["programme_id", "patient_id"]].assign(day=_day(items)).loc[n_answered(items) > 0].dropna()
    size = rows.groupby(["programme_id", "patient_id", "day"], sort=False)["day"].transform("size")
    return size.astype("Int64").reindex(items.index)


def answer_columns(items: pd.DataFrame) -> list[str]:
    """The columns of an items table that hold answers: all Int8 and, for counts, all Int16 that are no answers by name."""
    return [str(c) for c in items.columns if items[c].dtype in ("Int8", "Int16") and c not in _NO_ANSWERS]


def n_answered(items: pd.DataFrame) -> pd.Series:
    """Number of answers on each row of an items table, whatever they are."""
    total = np.zeros(len(items), dtype=np.int16)
    for column in answer_columns(items):
        total += items[column].notna().to_numpy()
    return pd.Series(total, index=items.index)


def _related(items: pd.DataFrame, takes_part: pd.Series) -> pd.Series:
    """'superseded', 'duplicate' or '' per row, on the index of `items`."""
    related = pd.Series("", index=items.index, dtype="str")
    rows = items.loc[takes_part]
    if rows.empty:
        return related
    rows = _compared(rows)
    gone, held = _corrected(rows)
    related.loc[gone] = "superseded"
    rows = rows.drop(index=gone)
    # What is held back is compared among itself only: it must not take the place of the form as it was moved.
    for part in (rows.drop(index=held), rows.loc[held]) if len(held) else (rows,):
        for name, find in (("superseded", _superseded), ("duplicate", _duplicates), ("superseded", _overtaken)):
            hit = find(part)
            related.loc[hit] = name
            part = part.drop(index=hit)
    return related


def _compared(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with what they are compared by, in place of their answers."""
    seen = rows.assign(n_answered=n_answered(rows), content=contents_of(rows), day=_day(rows))
    return seen.drop(columns=answer_columns(rows))


def _corrected(rows: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """Rows that are replaced by a correction, or come from one that was undone; and rows that a correction holds back."""
    undone = rows.index[rows["undone_at"].notna()]
    others = rows.drop(index=undone)
    return undone.union(corrections.replaced(others)), corrections.held_back(others)


def _superseded(rows: pd.DataFrame) -> pd.Index:
    """States of a response other than its last one; copies of the last one are left to `_duplicates`."""
    key = corrections.RESPONSE
    states = rows.loc[rows["response_id"].notna()]
    states = states.loc[states.duplicated(key, keep=False)]
    if states.empty:
        return states.index
    ordered = states.assign(is_complete=states["is_complete"].fillna(False).astype(bool))
    ordered = ordered.sort_values(_STATES, na_position="first")
    last = ordered.groupby(key, dropna=False, sort=False)["content"].transform("last")
    return ordered.index[ordered["content"] != last]


def _duplicates(rows: pd.DataFrame) -> pd.Index:
    """Rows whose content was received before."""
    ordered = rows.sort_values(_RECEIVED)
    is_placed = ordered["patient_id"].notna() & _day(ordered).notna()
    within = ordered.loc[ordered["response_id"].notna()]
    same_response = within.index[within.duplicated(["programme_id", "response_id", "block", "moment_given", "content"])]
    placed = ordered.loc[is_placed].drop(index=same_response, errors="ignore")
    return same_response.append(placed.index[placed.duplicated(["programme_id", "content"])])


def _overtaken(rows: pd.DataFrame) -> pd.Index:
    """Forms without any answer beside a form with answers of the same patient and day."""
    day = _day(rows)
    placed = rows.loc[rows["patient_id"].notna() & day.notna() & rows[_PROBLEMS].isna().all(axis=1)]
    most = placed.groupby([placed["programme_id"], placed["patient_id"], day[placed.index]], sort=False)[
        "n_answered"
    ].transform("max")
    return placed.index[(placed["n_answered"] == 0) & (most > 0)]


def _day(rows: pd.DataFrame) -> pd.Series:
    """Date, or else the moment stated by the export: what two forms of one patient must not share."""
    day: pd.Series = rows["administered_on"].dt.strftime("%Y-%m-%d").astype("str")
    return day.fillna(rows["moment_given"])


def contents_of(rows: pd.DataFrame) -> np.ndarray:
    """One number per row; equal where patient, date, moment, problems of reading and all answers are equal."""
    answers = answer_columns(rows)
    matrix = np.empty((len(rows), len(answers)), dtype=np.int16)
    for position, column in enumerate(answers):
        matrix[:, position] = rows[column].to_numpy(dtype=np.int16, na_value=-1000)
    packed = matrix.view(f"V{2 * len(answers)}").ravel() if answers else np.zeros(len(rows), dtype="V1")
    parts = [pd.factorize(np.array([bytes(row) for row in packed], dtype=object))[0]]
    parts += [rows[c].factorize()[0] for c in ["patient_id", "administered_on", "moment_given", *_PROBLEMS]]
    code = parts[0].astype(np.int64)
    for part in parts[1:]:
        # Codes stay below the number of rows after each step, so that the product cannot overflow.
        code = pd.factorize(code * (len(rows) + 1) + part + 1)[0].astype(np.int64)
    return code


# ---- registers ----------------------------------------------------------------------------------------------------------


def accept_register(
    register: pd.DataFrame,
    findings: pd.DataFrame,
    delivery_findings: pd.DataFrame | None = None,
    *,
    key: Sequence[str],
    received: pd.Series,
    needed: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One row per programme and `key` of a register: that of the delivery received last, of the rows not set aside.

    `register` holds the rows of all deliveries; `received` maps delivery ids to the time they were received; `findings` are
    those of the registers. `needed`: the columns of which none may be missing (all of the key when it is not given).
    """
    is_refused = register["delivery_id"].isin(fatal_deliveries(delivery_findings))
    is_good = ~is_refused & ~has_error(register, findings, delivery_findings) & ~_is_named(register, findings, REPLACED)
    is_good &= register[list(key if needed is None else needed)].notna().all(axis=1)
    # Not a Series of all rows: a frame without rows would take over its index.
    ordered = register.loc[is_good].assign(received_at=lambda good: good["delivery_id"].map(received))
    ordered = ordered.sort_values(["received_at", "delivery_id", "row_id"], na_position="first")
    last = ordered.drop_duplicates(["programme_id", *key], keep="last")
    return last.sort_values(["programme_id", *key]).drop(columns="received_at").reset_index(drop=True)


# ---- counts -------------------------------------------------------------------------------------------------------------


def conservation(
    contents: pd.DataFrame,
    items: Mapping[str, pd.DataFrame],
    findings: Mapping[str, pd.DataFrame],
    delivery_findings: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The conservation law: a `CONSERVATION` row per programme and instrument that was offered or has rows.

    `contents` holds what the reader counted in the files (left side); `items` and `findings` hold, per instrument, what
    became of the rows (right side). Rows whose programme is unknown are in no items table: their findings count as set
    aside, in the drop folder. `is_conserved` is false where the two sides differ.
    """
    offered = contents.groupby(["programme_id", "instrument"])[["n_rows", "n_blank", "n_left_out"]].sum()
    rows = [_counted(instrument, items[instrument], findings[instrument], delivery_findings) for instrument in items]
    right = pd.concat([r for r in rows if not r.empty] or rows[:1]) if rows else _NO_ROWS
    newest = right.pop("newest_form_on").rename_axis(["programme_id", "instrument"])
    both = offered.rename(columns={"n_rows": "n_offered"}).join(right, how="outer").fillna(0).astype("int64")
    both["n_set_aside"] += _of_no_programme(delivery_findings).reindex(both.index, fill_value=0)
    found = both.drop(columns="n_offered").sum(axis=1)
    both = both.assign(is_conserved=found == both["n_offered"], newest_form_on=newest.reindex(both.index))
    return CONSERVATION.conform(both.reset_index())


def _of_no_programme(delivery_findings: pd.DataFrame | None) -> pd.Series:
    """Number of rows of an instrument that name a programme which is not in the settings, by drop folder."""
    if delivery_findings is None:
        return pd.Series(dtype="int64")
    unknown = delivery_findings[delivery_findings["rule"] == "programme_unknown"]
    return unknown.groupby(["programme_id", unknown["item"].rename("instrument")]).size()


def _counted(
    instrument: str, items: pd.DataFrame, findings: pd.DataFrame, delivery_findings: pd.DataFrame | None
) -> pd.DataFrame:
    disposition = dispositions(items, findings, delivery_findings).to_numpy()
    counts = {f"n_{one}": disposition == one for one in DISPOSITIONS}
    keys = [items["programme_id"].astype("str").to_numpy(), np.full(len(items), instrument, dtype=object)]
    table = pd.DataFrame(counts).groupby(keys).sum().rename_axis(["programme_id", "instrument"])
    accepted = items["administered_on"].reset_index(drop=True).where(counts["n_accepted"])
    return table.assign(newest_form_on=accepted.groupby(keys).max().array)


def summarise_findings(findings: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """`FINDINGS_SUMMARY`: findings counted per programme, source and rule. `findings` maps sources to their findings."""
    frames = [frame.assign(source=source) for source, frame in findings.items() if not frame.empty]
    if not frames:
        return FINDINGS_SUMMARY.empty()
    groups = pd.concat(frames, ignore_index=True).groupby(["programme_id", "source", "rule", "severity"])
    counted = groups.agg(n_findings=("rule", "size"), n_deliveries=("delivery_id", "nunique")).reset_index()
    return FINDINGS_SUMMARY.conform(counted)
