"""What a good stored total looks like: it follows from the answers of its form.

Belongs here: the suites about totals that the survey tool stored. Does not belong here: the comparison (`mbt_rom.stored_totals`);
the delivery that is refused because its totals show a wrong coding (`mbt_rom.conform`).

A single form that contradicts its total is set aside (error): the total or an answer was typed wrongly, and nobody can tell which
from here; scoring it would be choosing. Where more than half of a delivery's forms do, the tool computes its total in another
way, for nobody mistypes most forms: one notice about the delivery (`totals_disagree`), and its forms count.
"""

from __future__ import annotations

import great_expectations.expectations as gxe
import pandas as pd
from great_expectations.expectations.expectation import Expectation

from expectations.administrations import PLACE
from expectations.context import failures
from mbt_rom.findings import as_findings, combined
from mbt_rom.model import Instrument
from mbt_rom.stored_totals import MIN_FORMS, agreement

_DELIVERY = ["programme_id", "delivery_id"]


def delivery_suite() -> list[Expectation]:
    """The rule about the totals of one delivery, on a frame with `n_disagree` and `n_allowed`."""
    return [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="n_allowed", column_B="n_disagree", or_equal=True, meta={"rule": "totals_disagree"}
        )
    ]


def form_suite() -> list[Expectation]:
    """The rule about the total of one form, on a frame with `total`: agrees or contradicts."""
    return [gxe.ExpectColumnValuesToBeInSet(column="total", value_set=["agrees"], meta={"rule": "total_contradicted"})]


def total_findings(definition: Instrument, items: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Findings about stored totals of `rows`, those of the table `items` that stand by themselves.

    A delivery as a whole is judged by all of its rows, so that what is said of it does not depend on what else was delivered.
    """
    agrees = agreement(definition, items)
    if agrees.notna().sum() == 0:
        return combined([], source=definition.id)
    deliveries = _deliveries(items.assign(agrees=agrees).dropna(subset="agrees"))
    otherwise = failures(deliveries, delivery_suite(), index_columns=[*_DELIVERY, "n_disagree", "n"])
    counted = [f"{d} of {n} totals" for d, n in zip(otherwise["n_disagree"], otherwise["n"], strict=True)]
    told = otherwise[[*_DELIVERY, "rule"]].assign(detail=pd.Series(counted, index=otherwise.index, dtype="str"))
    single = _single(definition, rows, otherwise)
    return combined([as_findings(f, source=definition.id) for f in (told, single)], source=definition.id)


def _deliveries(compared: pd.DataFrame) -> pd.DataFrame:
    """Per delivery the forms that could be compared, and how many disagree and may do so. Of few forms all may: each is told."""
    counted = compared.groupby(_DELIVERY)["agrees"].agg(n="size", n_agree="sum").reset_index()
    counted = counted.astype({"n": "int64", "n_agree": "int64"})
    return counted.assign(
        n_disagree=counted["n"] - counted["n_agree"],
        n_allowed=(counted["n"] // 2).where(counted["n"] >= MIN_FORMS, counted["n"]),
    )


def _single(definition: Instrument, rows: pd.DataFrame, otherwise: pd.DataFrame) -> pd.DataFrame:
    is_told = pd.MultiIndex.from_frame(rows[_DELIVERY]).isin(pd.MultiIndex.from_frame(otherwise[_DELIVERY]))
    forms = rows.loc[~is_told].reset_index(drop=True)
    words = agreement(definition, forms).map({True: "agrees", False: "contradicts"}).astype("str")
    found = failures(pd.DataFrame({"at": range(len(forms)), "total": words.array}), form_suite(), index_columns=["at"])
    placed = forms[PLACE].iloc[found["at"].astype("int64")].reset_index(drop=True)
    return placed.assign(rule=found["rule"].array, item=definition.primary.id)
