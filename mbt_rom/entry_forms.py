"""Forms filled in on paper: the columns of the workbook into which they are typed, and how two typings of them differ.

Belongs here: which columns, what may stand in them, what the typist is told, and the list of differences between a first and a
second entry. Does not belong here: writing the workbook (`pipelines.commands.template`), reading it back (`exports.entry`).

The workbook holds numbers of items and allowed codes, and our own tags; never the wording of a question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mbt_rom.exports.entry import COMPLETED, ENTERED, INITIALS, LANGUAGE, MODE, PATIENT
from mbt_rom.model import Instrument, RiskRule
from mbt_rom.pseudonyms import is_blank, map_unique

#: What whoever types a risk answer is told, by language.
REPORT_TODAY = {
    "en": "Risk answer: tell the treating team today, before you go on.",
    "nl": "Risico-antwoord: meld dit vandaag aan het behandelteam, voordat u verdergaat.",
}


@dataclass(frozen=True)
class EntryColumn:
    """One column to type into. `allowed`: what may stand there, in words; `least` and `most`: bounds of a whole number.

    `choices`: the only texts that may stand there. `risk`: the rules that its answers may meet.
    """

    header: str
    allowed: str
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()
    risk: tuple[RiskRule, ...] = ()
    is_date: bool = False
    is_item: bool = False


def entry_columns(instrument: Instrument, *, order: str | None = None) -> list[EntryColumn]:
    """The columns of an entry workbook: who, when and how, then every item, in the printed order of that name.

    The instrument must have the order; `exports.answers.items_in_order` refuses one that it has not, and none where one must
    be stated.

    >>> from mbt_rom.registry import instrument
    >>> [column.header for column in entry_columns(instrument("phq9"))][-3:]
    ['phq9_08', 'phq9_09', 'phq9_10']
    """
    about = [
        EntryColumn(PATIENT, "number of the patient, with its leading zeros"),
        EntryColumn(COMPLETED, "day on which the form was filled in", is_date=True),
        EntryColumn(ENTERED, "day of typing", is_date=True),
        EntryColumn(INITIALS, "who types"),
        EntryColumn(LANGUAGE, "of the form: nl, en, ...", choices=("nl", "en", "de", "fr", "tr", "ar", "pl")),
        EntryColumn(MODE, "empty means paper", choices=("paper", "interview", "web")),
    ]
    printed = instrument.orders[order] if order is not None else instrument.item_ids
    return about + [_item(instrument, item, place) for place, item in enumerate(printed, start=1)]


def _item(instrument: Instrument, item_id: str, place: int) -> EntryColumn:
    item = instrument.item(item_id)
    number = f"{place}. " if item.number.isdigit() else ""
    told = f"{number}{item.bounds}" + (f" ({item.tag.replace('_', ' ')})" if item.tag else "")
    risk = tuple(rule for rule in instrument.risk if rule.item == item_id)
    return EntryColumn(item_id, told, least=item.min, most=item.largest, risk=risk, is_item=True)


def least_risk(column: EntryColumn) -> int | None:
    """The lowest answer that the typist must report; None where no answer is one. Rules of one answer count from it on."""
    return min((rule.value for rule in column.risk), default=None)


# Two entries of the same forms ----------------------------------------------------------------------------------------


#: Columns by which the same form is found in both entries.
KEY = (PATIENT, COMPLETED)
DIFFERENCES = ["what", "sheet_row_first", "sheet_row_second", "column"]


def differences(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Where two entries of the same forms differ: `DIFFERENCES`, one row per cell or form; no cell's content.

    Both have one row per form, text cells, a column `row` (its row in the workbook) and the columns of `entry_columns`. Forms
    are the same when patient and day of completion are; several of one day are taken in the order in which they stand.
    `what`: differs, only_in_first, only_in_second.

    >>> first = pd.DataFrame({"row": [5], "patient": ["7"], "date_completed": ["2026-03-01"], "phq9_01": ["1"]})
    >>> differences(first, first.assign(row=9, phq9_01="2")).values.tolist()
    [['differs', 5, 9, 'phq9_01']]
    """
    both = _keyed(first).merge(_keyed(second), on=[*KEY, "nth"], how="outer", suffixes=("_first", "_second"))
    alone = _alone(both)
    together = both[both["row_first"].notna() & both["row_second"].notna()]
    compared = [c for c in first.columns if c in second.columns and c not in (*KEY, "row", ENTERED, INITIALS)]
    cells = [part for column in compared for part in _cells(together, column)]
    rows = pd.DataFrame([*alone, *cells], columns=DIFFERENCES)
    ordered = rows.sort_values(["sheet_row_first", "sheet_row_second"], kind="stable", ignore_index=True)
    return ordered.astype({"sheet_row_first": "Int64", "sheet_row_second": "Int64"})


def _keyed(entry: pd.DataFrame) -> pd.DataFrame:
    cells = pd.DataFrame({name: entry[name] if name == "row" else _clean(entry[name]) for name in entry.columns})
    return cells.assign(nth=cells.groupby(list(KEY)).cumcount())


def _clean(column: pd.Series) -> pd.Series:
    return map_unique(column, lambda text: "" if is_blank(text) else text.strip().removesuffix(".0")).astype("str")


def _alone(both: pd.DataFrame) -> list[Mapping[str, object]]:
    what = np.where(both["row_second"].isna(), "only_in_first", "only_in_second")
    rows = both.assign(what=what)[both["row_first"].isna() | both["row_second"].isna()]
    return [
        {"what": r.what, "sheet_row_first": r.row_first, "sheet_row_second": r.row_second, "column": ""}
        for r in rows.itertuples()
    ]


def _cells(together: pd.DataFrame, column: str) -> Iterator[Mapping[str, object]]:
    for row in together[together[f"{column}_first"] != together[f"{column}_second"]].itertuples():
        yield {
            "what": "differs",
            "sheet_row_first": row.row_first,
            "sheet_row_second": row.row_second,
            "column": column,
        }
