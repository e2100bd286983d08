"""What good answers look like: every answer of every item within the bounds that its definition states.

Belongs here: `validate_items`, the whole judgement of an items table, and the suites about bounds and unusual counts. Does not
belong here: the rules about patient, date and relations between forms (`administrations`).

Great Expectations costs per expectation, and row by row on a wide table costs ten times its aggregate. So the same
expectations are stated twice: first on a summary with one row per item (its lowest and highest answer beside its bounds),
and only for the items that fail there on the answers themselves, one row per answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import date

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.administrations import (
    PLACE,
    administration_findings,
    day_findings,
    interview_findings,
    register_findings,
)
from expectations.context import failures
from expectations.totals import total_findings
from mbt_rom.acceptance import has_error, held_back, open_rows
from mbt_rom.findings import as_findings, combined
from mbt_rom.model import Instrument, Item

#: From this share of a question's answers out of range on, the finding says so: the cause is then seldom one cell.
_SHARE_OF_A_PATTERN = 0.2


def validate_items(
    definition: Instrument,
    items: pd.DataFrame,
    *,
    patients: pd.DataFrame | None = None,
    as_of: date,
    moments: Collection[str] | None = None,
    delivery_findings: pd.DataFrame | None = None,
    episodes: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Everything that is wrong in an items table, as the findings table of its instrument.

    `items` may hold any number of programmes; `patients` is their register of patients (`reference/patients`): patients
    are looked up in programmes that have one; `episodes` are their treatment episodes, which say who died. `moments` are the moments of the measurement plan, any well-formed moment
    when not given. Rows of deliveries with a fatal finding among `delivery_findings`, states superseded by a later one and
    rows delivered before are not judged (see `mbt_rom.acceptance`). A finding names row, item and rule; never an answer.
    """
    rows = open_rows(items, delivery_findings)
    if rows.empty:
        return combined([], source=definition.id)
    own = [
        answer_findings(definition, rows),
        administration_findings(definition, rows, patients=patients, episodes=episodes, as_of=as_of, moments=moments),
        moved_findings(definition, rows, held_back(items, delivery_findings)),
        total_findings(definition, items, rows),
    ]
    is_good = ~has_error(rows, *own, delivery_findings)
    days = day_findings(definition, rows.loc[is_good].reset_index(drop=True))
    told = [interview_findings(definition, rows), register_findings(definition, rows, patients=patients)]
    return combined([*own, days, *told], source=definition.id)


def moved_findings(definition: Instrument, rows: pd.DataFrame, held: Collection[str]) -> pd.DataFrame:
    """Findings about forms that were moved to another patient and changed at their source since, under the first number."""
    return as_findings(
        rows.loc[rows["row_id"].isin(held), PLACE].assign(rule="moved_form_changed"), source=definition.id
    )


def bounds_suite(*, lowest: str, highest: str) -> list[Expectation]:
    """The rules about bounds and usual counts, on a frame with `lowest`, `highest`, `minimum`, `maximum` and `usual_maximum`."""
    return [
        _at_least(column_A=lowest, column_B="minimum"),
        _at_least(column_A="maximum", column_B=highest),
        _at_least(column_A="usual_maximum", column_B=highest, rule="count_unusually_high"),
    ]


def _at_least(*, column_A: str, column_B: str, rule: str = "answer_out_of_range") -> Expectation:
    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A=column_A,
        column_B=column_B,
        or_equal=True,
        ignore_row_if="either_value_is_missing",
        meta={"rule": rule},
    )


def answer_findings(definition: Instrument, rows: pd.DataFrame) -> pd.DataFrame:
    """Findings about answers of `rows` (of an items table) outside the bounds of their item, and about unusually high counts."""
    suite = bounds_suite(lowest="lowest", highest="highest")
    failing = failures(summary(definition, rows), suite, index_columns=["item"])["item"].unique()
    long = answers_long(definition, rows, items=failing)
    found = failures(long, bounds_suite(lowest="answer", highest="answer"), index_columns=["at", "item"])
    if found.empty:
        return combined([], source=definition.id)
    placed = rows[PLACE].iloc[found["at"].astype("int64")].reset_index(drop=True)
    details = _details(definition, long, found)
    return as_findings(
        placed.assign(rule=found["rule"].array, item=found["item"].array, detail=details), source=definition.id
    )


def summary(definition: Instrument, rows: pd.DataFrame) -> pd.DataFrame:
    """One row per item: its lowest and highest answer, the bounds of the definition, and how many answered it.

    `usual_maximum` is missing where no answer is unusual.
    """
    facts = [
        (i.id, rows[i.id].min(), rows[i.id].max(), i.min, i.largest, i.unusual_above, rows[i.id].count())
        for i in definition.items
    ]
    columns = ["item", "lowest", "highest", "minimum", "maximum", "usual_maximum", "n_answered"]
    return pd.DataFrame(facts, columns=columns).astype(dict.fromkeys(("lowest", "highest", "usual_maximum"), "Int16"))


def answers_long(definition: Instrument, rows: pd.DataFrame, *, items: Iterable[str]) -> pd.DataFrame:
    """One row per given answer to one of `items`: position of the row (`at`), item, answer, minimum, maximum, usual maximum."""
    wide = rows[list(items)].reset_index(drop=True).rename_axis("at")
    long = wide.melt(var_name="item", value_name="answer", ignore_index=False).dropna(subset="answer").reset_index()
    low, high = {i.id: i.min for i in definition.items}, {i.id: i.largest for i in definition.items}
    usual = {i.id: i.unusual_above for i in definition.items}
    return long.assign(
        minimum=long["item"].map(low),
        maximum=long["item"].map(high),
        usual_maximum=long["item"].map(usual).astype("Int16"),
    )


def _details(definition: Instrument, long: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Per finding the bounds of its item and, where many answers fail, how many: a pattern points at coding or edition."""
    n_answers = Counter(long["item"])
    failed = list(zip(found["item"], found["rule"], strict=True))
    said = {key: _detail(definition.item(key[0]), key[1], n, n_answers[key[0]]) for key, n in Counter(failed).items()}
    return [said[key] for key in failed]


def _detail(item: Item, rule: str, n_wrong: int, n_answers: int) -> str:
    if rule == "count_unusually_high":
        return f"usually {item.unusual_above} at most"
    is_pattern = n_wrong > 1 and n_wrong >= _SHARE_OF_A_PATTERN * n_answers
    return item.bounds + (f"; {n_wrong} of {n_answers} answers to this item lie outside" if is_pattern else "")
