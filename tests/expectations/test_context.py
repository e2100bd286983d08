"""The context: silent, without values in results, and never green by accident."""

import logging
import os
import sys

import great_expectations.expectations as gxe
import pandas as pd
import pytest

from expectations.context import ExpectationError, context, failures, validate

#: Stands for an answer, a patient's text and a date that must not be seen anywhere in a result. The number is long, since
#: the hashes and times in a result hold every short one by chance.
NUMBER = 918_273_645
CANARIES = (str(NUMBER), "CANARY", "2031-07-09")


def rows():
    return pd.DataFrame(
        {
            "row_id": pd.Series(["r1", "r2", "r3"], dtype="str"),
            "answer": pd.array([1, NUMBER, None], dtype="Int32"),
            "maximum": [3, 3, 3],
            "text": pd.Series([None, "CANARY", None], dtype="str"),
            "day": pd.to_datetime(["2020-01-01", "2031-07-09", None]).astype("datetime64[s]"),
        }
    )


def suite():
    return [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="maximum", column_B="answer", or_equal=True, ignore_row_if="either_value_is_missing",
            meta={"rule": "pair"},
        ),
        gxe.ExpectColumnValuesToBeNull(column="text", meta={"rule": "null"}),
        gxe.ExpectColumnValuesToBeInSet(column="text", value_set=["x"], meta={"rule": "set"}),
        gxe.ExpectColumnValuesToMatchRegex(column="text", regex="^x", meta={"rule": "regex"}),
        gxe.ExpectColumnValuesToBeBetween(column="day", max_value=pd.Timestamp("2025-01-01"), meta={"rule": "day"}),
        gxe.ExpectColumnValuesToBeBetween(column="answer", max_value=3, meta={"rule": "between"}),
        gxe.ExpectColumnValuesToNotBeNull(column="answer", meta={"rule": "given"}),
        gxe.ExpectColumnValuesToBeUnique(column="maximum", meta={"rule": "unique"}),
    ]  # fmt: skip


def test_failures_name_the_rows_that_broke_each_rule():
    found = failures(rows(), suite(), index_columns=["row_id"])
    by_rule = found.groupby("rule")["row_id"].agg(sorted).to_dict()
    assert by_rule == {
        "pair": ["r2"],
        "null": ["r2"],
        "set": ["r2"],
        "regex": ["r2"],
        "day": ["r2"],
        "between": ["r2"],
        "given": ["r3"],
        "unique": ["r1", "r2", "r3"],
    }


def test_results_hold_no_values_of_rows(caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        result = validate(rows(), suite(), index_columns=["row_id"])
    out, err = capfd.readouterr()
    seen = "\n".join([str(result), repr(result.to_json_dict()), caplog.text, out, err])
    assert "r2" in seen, "rows are named"
    for canary in CANARIES:
        assert canary not in seen


def test_an_expectation_that_cannot_be_evaluated_raises_without_values(caplog, capfd):
    frame = rows().assign(text=["CANARY", NUMBER, None])
    impossible = gxe.ExpectColumnValuesToBeBetween(column="text", max_value=3, meta={"rule": "between"})
    with caplog.at_level(logging.DEBUG), pytest.raises(ExpectationError) as error:
        failures(frame, [impossible], index_columns=["row_id"])
    out, err = capfd.readouterr()
    assert "expect_column_values_to_be_between could not be evaluated on {'column': 'text'}" in str(error.value)
    assert error.value.__cause__ is None
    for canary in CANARIES:
        assert canary not in "\n".join([str(error.value), caplog.text, out, err])


def test_a_column_that_is_not_there_raises():
    with pytest.raises((ExpectationError, KeyError)):
        failures(rows(), [gxe.ExpectColumnValuesToNotBeNull(column="no", meta={"rule": "x"})], index_columns=["row_id"])
    with pytest.raises((ExpectationError, KeyError)):
        failures(rows(), [gxe.ExpectColumnValuesToBeNull(column="no", meta={"rule": "x"})], index_columns=["row_id"])


def test_a_column_without_any_value_breaks_only_the_rule_that_it_be_given():
    blank = rows().assign(answer=pd.array([None] * 3, dtype="Int8"), text=pd.Series([None] * 3, dtype="str"))
    found = failures(blank, suite(), index_columns=["row_id"])
    assert set(found["rule"]) == {"given", "day", "unique"}


def test_nothing_to_judge_breaks_nothing():
    assert failures(rows().head(0), suite(), index_columns=["row_id"]).empty
    assert failures(rows(), [], index_columns=["row_id"]).empty


def test_many_failing_rows_are_all_named():
    frame = pd.DataFrame({"row_id": [f"r{i}" for i in range(5_000)], "answer": 9})
    rule = gxe.ExpectColumnValuesToBeBetween(column="answer", max_value=3, meta={"rule": "between"})
    assert failures(frame, [rule], index_columns=["row_id"])["row_id"].tolist() == frame["row_id"].tolist()


def test_nothing_is_sent_stored_or_drawn(capfd):
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert "posthog" not in sys.modules, "the analytics client of earlier versions"
    assert context().config.analytics_enabled is False
    assert context().variables.progress_bars == {"globally": False}
    failures(rows(), suite(), index_columns=["row_id"])
    assert capfd.readouterr() == ("", "")
