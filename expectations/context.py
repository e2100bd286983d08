"""The one Great Expectations context: in memory, silent, and without values in its results.

Belongs here: how a suite is run and how its failures are read. Does not belong here: any rule about data.

Great Expectations takes seconds to import, so this module is imported by those that run a suite, at the time they do.
Its results name rows by index columns only (`COMPLETE` with `exclude_unexpected_values`): the default format would write
answers of patients into the result. An expectation that could not be evaluated raises: it never counts as met.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pandas as pd

os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.data_context import EphemeralDataContext
from great_expectations.expectations import ExpectColumnValuesToNotBeNull
from great_expectations.expectations.expectation import Expectation

#: `meta` key that holds the id of the rule an expectation stands for.
RULE = "rule"


class ExpectationError(RuntimeError):
    """An expectation could not be evaluated; the message names it and its columns, never a value."""


@cache
def context() -> EphemeralDataContext:
    """The context: nothing is stored, sent or drawn."""
    # Exceptions inside an expectation are logged with the values that caused them.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL + 1)
    made = gx.get_context(mode="ephemeral")
    made.enable_analytics(False)
    made.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    return made


@cache
def _batches() -> BatchDefinition[Any]:
    source = context().data_sources.add_pandas("frames")
    return source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")


def validate(
    frame: pd.DataFrame, expectations: Sequence[Expectation], *, index_columns: Sequence[str]
) -> ExpectationSuiteValidationResult:
    """The suite result of `expectations` on all rows of `frame`; unexpected rows are named by `index_columns` only."""
    suite = gx.ExpectationSuite(name="suite", expectations=list(expectations))
    batch = _batches().get_batch({"dataframe": frame.reset_index(drop=True)})
    result = batch.validate(suite, result_format=_format(index_columns))
    _refuse_unevaluated(result)
    return result


def failures(frame: pd.DataFrame, expectations: Sequence[Expectation], *, index_columns: Sequence[str]) -> pd.DataFrame:
    """One row per row of `frame` and expectation that it does not meet: the index columns and `rule`.

    Each expectation carries the id of its rule as `meta={"rule": ...}`. An empty frame meets every expectation.

    >>> from great_expectations.expectations import ExpectColumnValuesToNotBeNull
    >>> rows = pd.DataFrame({"row_id": ["r1", "r2"], "when": [None, "2024-05-01"]})
    >>> dated = ExpectColumnValuesToNotBeNull(column="when", meta={"rule": "date_missing"})
    >>> failures(rows, [dated], index_columns=["row_id"]).to_dict("records")
    [{'row_id': 'r1', 'rule': 'date_missing'}]
    """
    columns = [*index_columns, RULE]
    able = _able_to_fail(frame, expectations)
    if frame.empty or not able:
        return pd.DataFrame({c: pd.Series(dtype="str") for c in columns})
    result = validate(frame, able, index_columns=index_columns)
    found = [_unexpected(one) for one in result.results if not one.success]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns, dtype="str")


def _able_to_fail(frame: pd.DataFrame, expectations: Sequence[Expectation]) -> list[Expectation]:
    """The expectations that have anything to judge: all but those of not being missing pass over missing values.

    An expectation costs about ten milliseconds, so those on columns without any value are worth leaving out.
    """
    is_blank = frame.isna().all()
    return [e for e in expectations if isinstance(e, ExpectColumnValuesToNotBeNull) or not is_blank[_columns(e)].any()]


def _columns(expectation: Expectation) -> list[str]:
    names = ("column", "column_A", "column_B")
    return [getattr(expectation, name) for name in names if hasattr(expectation, name)]


def _format(index_columns: Sequence[str]) -> dict[str, Any]:
    return {
        "result_format": "COMPLETE",
        "unexpected_index_column_names": list(index_columns),
        "exclude_unexpected_values": True,
        "include_unexpected_rows": False,
        "return_unexpected_index_query": False,
        "partial_unexpected_count": 0,
    }


def _unexpected(result: Any) -> pd.DataFrame:
    rows: Iterable[dict[str, list[Any]]] = result.result["unexpected_index_list"]
    frame = pd.concat([pd.DataFrame(part) for part in rows], ignore_index=True)
    return frame.assign(**{RULE: result.expectation_config.meta[RULE]})


def _refuse_unevaluated(result: ExpectationSuiteValidationResult) -> None:
    for one in result.results:
        config = one.expectation_config
        if config is None or (not one.success and "unexpected_index_list" not in one.result):
            columns = {} if config is None else {k: v for k, v in config.kwargs.items() if k.startswith("column")}
            raise ExpectationError(f"{getattr(config, 'type', 'an expectation')} could not be evaluated on {columns}")
