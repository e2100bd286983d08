"""Validation of BSI answers: ours (aggregate first) against Great Expectations' own row-level form, on the same frame.

Run: `python benchmarks/bench_validation.py [--rows N | --full]`. Prints seconds and ratios of one run. `--full` is 1.4
million forms x 53 answers and takes minutes, nearly all of them in the row-level form. Both are results of Great
Expectations; the run stops when the two do not agree, on clean answers and with a few bad ones put in.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from typing import TypeVar

import great_expectations.expectations as gxe
import numpy as np
import pandas as pd

from expectations.context import failures
from expectations.items import answer_findings, validate_items
from mbt_rom.model import Instrument
from mbt_rom.registry import instrument
from mbt_rom.tables import items_table

FULL, DEFAULT = 1_400_000, 200_000
AS_OF = date(2024, 6, 1)
GOAL = 5.0
#: Where bad answers are put: share of the rows, item, answer.
BAD = ((0.1, "bsi_01", 5), (0.5, "bsi_27", -1), (0.9, "bsi_27", 9), (0.999, "bsi_53", 77))

T = TypeVar("T")


def clean_items(definition: Instrument, *, rows: int, seed: int = 1) -> pd.DataFrame:
    """An items table with 3 % of the answers missing and all others within their bounds."""
    random = np.random.default_rng(seed)
    number = np.arange(rows)
    frame = pd.DataFrame(
        {
            "programme_id": np.char.add("p", (number % 20).astype(str)),
            "row_id": np.char.add("r", number.astype(str)),
            "delivery_id": "d1",
            "received_at": pd.Timestamp("2024-05-01", tz="UTC"),
            "source_row": number + 2,
            "block": 0,
            "patient_id": np.char.add("p_", (number // 7).astype(str)),
            "administered_on": pd.Timestamp("2020-01-01") + pd.to_timedelta(number % 7 * 180, unit="D"),
        }
    )
    answers = {i.id: _answers(random, i.min, i.max, rows) for i in definition.items}
    return items_table(definition).conform(pd.concat([frame, pd.DataFrame(answers)], axis=1))


def _answers(random: np.random.Generator, low: int, high: int, rows: int) -> pd.Series:
    values = random.integers(low, high + 1, rows, dtype=np.int8)
    return pd.Series(pd.arrays.IntegerArray(values, random.random(rows) < 0.03))


def with_bad_answers(items: pd.DataFrame) -> tuple[pd.DataFrame, list[tuple[str, str]]]:
    """The items with the answers of `BAD`, and the (row_id, item) that must be found."""
    spoilt = items.copy()
    places = [(int(share * len(items)), item) for share, item, _ in BAD]
    for (row, item), (_, _, answer) in zip(places, BAD, strict=True):
        spoilt.loc[row, item] = answer
    return spoilt, sorted((str(items["row_id"].iloc[row]), item) for row, item in places)


def row_level(definition: Instrument, items: pd.DataFrame) -> list[tuple[str, str]]:
    """(row_id, item) of what GX's row-level form finds: one between-expectation per item on the wide frame."""
    wide = items[["row_id", *definition.item_ids]]
    suite = [
        gxe.ExpectColumnValuesToBeBetween(column=i.id, min_value=i.min, max_value=i.max, meta={"rule": i.id})
        for i in definition.items
    ]
    found = failures(wide, suite, index_columns=["row_id"])
    return sorted(zip(found["row_id"], found["rule"], strict=True))


def ours(definition: Instrument, items: pd.DataFrame) -> list[tuple[str, str]]:
    """(row_id, item) of what our bounds suite finds in the answers."""
    return _named(answer_findings(definition, items))


def ours_whole(definition: Instrument, items: pd.DataFrame) -> list[tuple[str, str]]:
    """The same from the whole judgement: patients, dates, moments, duplicates and conflicts included."""
    found = validate_items(definition, items, as_of=AS_OF)
    return _named(found.loc[found["rule"] == "answer_out_of_range"])


def _named(found: pd.DataFrame) -> list[tuple[str, str]]:
    return sorted(zip(found["row_id"], found["item"], strict=True))


def timed(what: Callable[[], T]) -> tuple[T, float]:
    """Result and seconds of one call."""
    began = time.perf_counter()
    result = what()
    return result, time.perf_counter() - began


def run(*, rows: int) -> dict[str, float]:
    """Seconds per way of validating and what is agreed; raises AssertionError when the ways disagree."""
    definition = instrument("bsi")
    clean = clean_items(definition, rows=rows)
    spoilt, planted = with_bad_answers(clean)
    ours(definition, clean.head(100))  # imports and first use are nobody's share
    seconds = {}
    for name, way in (("ours", ours), ("ours, whole judgement", ours_whole), ("row-level GX", row_level)):
        found, seconds[name] = timed(lambda way=way: way(definition, clean))
        assert found == [], f"{name} found something in clean answers"
    for name, way in (("ours, 4 bad answers", ours), ("row-level GX, 4 bad answers", row_level)):
        found, seconds[name] = timed(lambda way=way: way(definition, spoilt))
        assert found == planted, f"{name} did not find exactly the bad answers"
    return seconds


def main(arguments: list[str] | None = None) -> int:
    """Prints seconds and ratios; 1 when the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=DEFAULT, help=f"forms to validate (default {DEFAULT:,})")
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} forms")
    given = parser.parse_args(arguments)
    rows = FULL if given.full else given.rows
    seconds = run(rows=rows)
    print(f"validation of {rows:,} BSI forms x 53 answers (3 % missing)")
    for name, took in seconds.items():
        print(f"  {name:<30} {took:8.2f} s")
    ratio = seconds["row-level GX"] / seconds["ours"]
    whole = seconds["row-level GX"] / seconds["ours, whole judgement"]
    bad = seconds["row-level GX, 4 bad answers"] / seconds["ours, 4 bad answers"]
    verdict = "reached" if ratio >= GOAL else "MISSED"
    print(
        f"  row-level GX / ours: {ratio:.1f} on clean answers (goal {GOAL:g}: {verdict}), {bad:.1f} with 4 bad answers"
    )
    print(f"  row-level GX / our whole judgement (patients, dates, duplicates, conflicts too): {whole:.1f}")
    print("  both found nothing in clean answers and exactly the 4 bad answers that were put in")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
