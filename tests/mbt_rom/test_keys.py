"""Columns of many pieces: short ones are put together, long ones stay, and both read the same."""

import numpy as np
import pandas as pd
import pytest

from mbt_rom import keys


@pytest.mark.parametrize("length", [2, 10_000])
def test_words_are_repeated_one_after_the_other(length: int) -> None:
    column = pd.Series(keys.repeated(["bsi", "ecr", "bsi"], [length, 1, length - 1]))
    assert column.dtype == "str"
    assert column.tolist() == ["bsi"] * length + ["ecr"] + ["bsi"] * (length - 1)


@pytest.mark.parametrize("length", [2, 10_000])
def test_pieces_that_are_named_again_come_again(length: int) -> None:
    people = pd.Series([f"p{i}" for i in range(length)])
    pieces = {"all": np.arange(length), "last": np.array([length - 1])}
    column = pd.Series(keys.taken_in_turn(people, pieces, ["all", "last", "all"]))
    assert column.tolist() == [*people, f"p{length - 1}", *people]


def test_no_pieces_are_a_column_without_rows() -> None:
    assert pd.Series(keys.repeated([], [])).tolist() == []
    assert pd.Series(keys.taken_in_turn(pd.Series(["a"]), {}, [])).dtype == "str"
