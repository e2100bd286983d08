"""Worked examples: what is right passes, and each thing wrong is named with file, row, column, expected and got."""

from __future__ import annotations

import pytest

from mbt_rom.model import Instrument
from mbt_rom.registry import instrument, parse_instrument, value_sets, with_key
from mbt_rom.worked_examples import FEWEST_FORMS, Difference, differences, scorable

TINY = """\
id: tiny
name: Tiny
full_name: Tiny
edition: 3 items
kind: self_report
measures: nothing
items: {count: 3, min: 0, max: 2}
codings: [{id: canonical, min: 0, max: 2, confidence: verified}]
scales:
  - {id: total, label: Total, is_primary: true, items: all, method: sum, range: [0, 6], direction: lower_is_better,
     missing: {rule: prorate, max_missing: 1}, confidence: verified}
licence: {status: free}
"""
HEADER = "case,source,tiny_01,tiny_02,tiny_03,total"
#: Twelve forms worked out by hand: sums, and with one blank the sum x 3/2.
FORMS = [
    "none,by hand,,,,", "one,by hand,1,,,", "lowest,by hand,0,0,0,0", "highest,by hand,2,2,2,6", "a,by hand,0,0,1,1",
    "b,by hand,0,1,1,2", "c,by hand,1,1,1,3", "d,by hand,2,1,1,4", "e,by hand,2,2,1,5", "f,by hand,1,2,,9/2",
    "g,by hand,,2,2,6", "h,by hand,0,,1,1.5",
]  # fmt: skip


@pytest.fixture(scope="module")
def tiny() -> Instrument:
    return parse_instrument(TINY, file="tiny.yaml")


def examples(*forms: str, header: str = HEADER) -> str:
    return "\n".join([header, *forms]) + "\n"


def said(definition: Instrument, text: str) -> list[str]:
    return [str(difference) for difference in differences(definition, text, file="tiny.csv")]


def changed(old: str, new: str) -> str:
    text = examples(*FORMS)
    assert old in text
    return text.replace(old, new, 1)


def test_twelve_forms_that_are_right_pass(tiny: Instrument) -> None:
    assert len(FORMS) == FEWEST_FORMS
    assert said(tiny, examples(*FORMS)) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("b,by hand,0,1,1,2", "b,by hand,0,1,1,3", "tiny.csv, row 7, column total: expected 3, got 2"),
        ("f,by hand,1,2,,9/2", "f,by hand,1,2,,", "tiny.csv, row 11, column total: expected no score, got 4.5"),
        ("one,by hand,1,,,", "one,by hand,1,,,3", "tiny.csv, row 3, column total: expected 3, got no score"),
        ("0,0,1,1\nb", "0,0,3,1\nb", "tiny.csv, row 6, column tiny_03: '3' is no answer; answers are 0 to 2, or empty"),
        ("0,0,1,1\nb", "0,0,x,1\nb", "tiny.csv, row 6, column tiny_03: 'x' is no answer; answers are 0 to 2, or empty"),
        ("9/2", "9/0", "tiny.csv, row 11, column total: '9/0' is no number; write 4, 4.5 or 9/2, or leave it empty"),
        ("b,by hand", "b,", "tiny.csv, row 7, column source: say where the scores come from"),
        ("b,by hand,0,1,1,2", "b,by hand,0,1,1", "tiny.csv, row 7: has more or fewer cells than the header"),
        ("b,by hand,0,1,1,2", "b,by hand,0,1,1,2,7", "tiny.csv, row 7: has more or fewer cells than the header"),
        ("tiny_03,total", "tiny_03,totals", "tiny.csv, row 1, column total: the column is not there; add it"),
        ("tiny_02,", "tiny_2,", "tiny.csv, row 1, column tiny_02: the column is not there; add it"),
        ("total\n", "total@nl\n", "tiny.csv, row 1, column total@nl: no such value set; there are: none"),
        ("source,", "origin,", "tiny.csv, row 1, column source: the column is not there; add it"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tiny: Instrument, old: str, new: str, sentence: str) -> None:
    assert sentence in said(tiny, changed(old, new))


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        (["none"], "holds 11 forms and needs at least 12"),
        (["none", "one"], "no form lacks a score on total; add one with too many answers missing"),
        (["one", "f", "g", "h"], "no form has some answers and lacks others; add one with a missing answer"),
        (["lowest"], "no form has the lowest answer everywhere; add one"),
        (["highest"], "no form has the highest answer everywhere; add one"),
    ],
)
def test_what_the_forms_leave_out_is_said(tiny: Instrument, without: list[str], sentence: str) -> None:
    kept = [form for form in FORMS if form.split(",")[0] not in without]
    assert f"tiny.csv: {sentence}" in said(tiny, examples(*kept))


def test_no_forms_at_all_are_no_examples(tiny: Instrument) -> None:
    assert "tiny.csv: holds 0 forms and needs at least 12" in said(tiny, examples())
    assert said(tiny, "")[0] == "tiny.csv, row 1, column case: the column is not there; add it"


def test_a_rounded_score_is_met_with_the_hint_to_write_a_fraction(tiny: Instrument) -> None:
    thirds = TINY.replace("method: sum", "method: mean").replace("[0, 6]", "[0, 2]")
    definition = parse_instrument(thirds, file="tiny.yaml")
    [difference] = [d for d in said(definition, examples("a,by hand,1,1,0,0.67")) if "row 2" in d]
    assert (
        difference
        == "tiny.csv, row 2, column total: expected 0.67, got 0.6666666667; write it as a fraction, such as 45/7"
    )
    assert not [d for d in said(definition, examples("a,by hand,1,1,0,2/3")) if "row 2" in d]


def test_semicolons_between_the_cells_are_understood(tiny: Instrument) -> None:
    assert said(tiny, examples(*FORMS).replace(",", ";")) == []


def test_a_quoted_cell_with_a_line_break_is_one_row(tiny: Instrument) -> None:
    text = changed("none,by hand", '"none\nat all",by hand').replace("0,1,1,2", "0,1,1,3")
    assert said(tiny, text) == ["tiny.csv, row 7, column total: expected 3, got 2"]


def test_a_value_set_is_named_after_the_scale() -> None:
    eq5d3l = instrument("eq5d3l")
    header = "case,source,eq5d3l_mo,eq5d3l_sc,eq5d3l_ua,eq5d3l_pd,eq5d3l_ad,eq5d3l_vas,index,index@uk_1997,vas,level_sum,profile"
    found = differences(
        eq5d3l,
        f"{header}\n22222,published,2,2,2,2,2,50,0.569,0.569,50,10,22222\n",
        file="x.csv",
        value_sets=value_sets("eq5d3l"),
    )
    assert found[0] == Difference("x.csv", "expected 0.569, got 0.516", row=2, column="index@uk_1997")
    assert not any(d.column == "index" for d in found)


def test_a_scale_counts_as_scorable_only_with_the_scales_that_it_is_made_of() -> None:
    dappsf = instrument("dappsf")
    assert scorable(dappsf) == []
    key = "scales: {restricted_expression: {items: [1, 2]}, callousness: {items: [3]}}"
    assert [s.id for s in scorable(with_key(dappsf, key, file="dappsf.yaml"))] == [
        "restricted_expression",
        "callousness",
    ]
    more = key.replace("callousness", "intimacy_problems")
    assert "inhibition" in [s.id for s in scorable(with_key(dappsf, more, file="dappsf.yaml"))]


def test_a_count_without_a_limit_must_once_be_too_large_for_eight_bits() -> None:
    sshi = instrument("sshi")
    header = ",".join(["case", "source", *sshi.item_ids, *(scale.id for scale in sshi.scales)])
    low = f"{header}\na,by hand,127,0,0,0,6,127,0,1,0,1,127/6,0\n"
    sentence = "no form has the highest answer everywhere; add one"
    assert sentence in [d.says for d in differences(sshi, low, file="x.csv")]
    high = low.replace("127", "128")
    assert sentence not in [d.says for d in differences(sshi, high, file="x.csv")]
