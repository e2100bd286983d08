"""How far a form was filled in, and what follows: scores without anything made up, a moment that is to be finished."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from mbt_rom.alerts import alerts
from mbt_rom.conform import conform
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.exports.understanding import FormPlan, Source, Understanding
from mbt_rom.form_states import asked_of_all, form_states
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registry import instrument
from mbt_rom.scoring import score
from mbt_rom.settings import Consortium
from mbt_rom.tables import findings_table, items_table

PHQ9, BSI, SSHI, TICP = (instrument(i) for i in ("phq9", "bsi", "sshi", "ticp"))


def state(answers, says=None, definition=PHQ9, **more):
    """State of one form: `answers` to the first items, the rest blank; `says` is the tool's word."""
    row = dict.fromkeys(definition.item_ids) | dict(zip(definition.item_ids, answers, strict=False))
    return form_states(definition, pd.DataFrame([row | {"is_complete": says} | more])).item()


@pytest.mark.parametrize(
    ("answers", "says", "expected"),
    [
        ([], None, "opened"),
        ([], True, "opened"),
        ([], False, "opened"),
        ([1, 2], False, "partial"),
        ([1, 2], True, "complete"),
        ([1, 2], None, "complete"),
        ([1] * 8, False, "partial"),
        ([1] * 9, False, "complete"),
        ([1] * 10, False, "complete"),
    ],
)
def test_the_state_rests_on_the_answers_and_on_the_word_of_the_tool(answers, says, expected):
    assert state(answers, says) == expected


def test_an_answer_that_could_not_be_read_was_given():
    assert state([], False, unreadable_items="phq9_01") == "partial"
    assert state([], None, out_of_range_items="phq9_01") == "complete"


def test_questions_that_follow_from_another_answer_are_not_asked_of_all():
    gated = {item.id for item in SSHI.items if item.gate} | {item.id for item in TICP.items if item.gate}
    assert gated
    assert not gated & {*asked_of_all(SSHI), *asked_of_all(TICP)}
    # the tenth question of the PHQ-9, about daily life, is in no score
    assert asked_of_all(PHQ9) == PHQ9.item_ids[:9]


# ---- what follows -----------------------------------------------------------------------------------------------------------


def table(definition, *forms):
    """Rows of an items table: pairs of answers (None: blank) and state."""
    rows = [
        {
            "programme_id": "north",
            "row_id": f"r{n}",
            "delivery_id": "d1",
            "received_at": pd.Timestamp("2024-03-02", tz="UTC"),
            "source_row": n,
            "block": 0,
            "patient_id": f"p_{n}",
            "administered_on": "2024-03-01",
            "form_state": form_state,
            **dict(zip(definition.item_ids, answers, strict=True)),
        }
        for n, (answers, form_state) in enumerate(forms)
    ]
    return items_table(definition).conform(pd.DataFrame(rows))


def test_nothing_is_made_up_for_a_form_that_is_not_finished():
    """Seven of nine: 14 points x 9/7 = 18 where the form is finished; the two answers of an unfinished one may still come."""
    seven = [2] * 7 + [None] * 3
    long = score(
        PHQ9, table(PHQ9, (seven, "complete"), (seven, "partial"), ([2] * 9 + [None], "complete")), software_version="x"
    )
    total = long[long["scale"] == "total"].set_index("row_id")
    assert total["score"].tolist()[::2] == [18.0, 18.0]
    assert np.isnan(total.loc["r1", "score"])
    assert total["unscored_because"].fillna("").tolist() == ["", "not_finished", ""]
    assert total["is_prorated"].tolist() == [True, False, False]
    assert total["form_state"].tolist() == ["complete", "partial", "complete"]
    # What the score could become is known all the same: 14 now, 14 + 2 x 3 at most.
    assert total.loc["r1", ["lowest_possible", "highest_possible"]].tolist() == [14, 20]


def test_scales_whose_items_are_all_answered_are_scored():
    somatisation = BSI.scale("som").items
    answers = [3 if item in somatisation else None for item in BSI.item_ids]
    long = score(BSI, table(BSI, (answers, "partial")), software_version="x").set_index("scale")
    assert long.loc["som", "score"] == 3
    assert set(long.loc[long["score"].isna(), "unscored_because"]) == {"not_finished"}
    assert long["score"].notna().sum() == 1


def test_a_risk_answer_of_a_form_that_is_not_finished_alerts_all_the_same():
    forms = table(PHQ9, ([None] * 8 + [3, None], "partial"))
    found = alerts(
        {"phq9": forms},
        {"phq9": findings_table("phq9").empty()},
        definitions={"phq9": PHQ9},
        timezone="Europe/Amsterdam",
    )
    assert found[["row_id", "item", "level", "list"]].to_numpy().tolist() == [["r0", "phq9_09", "high", "new_or_worse"]]


# ---- from the file to the table ---------------------------------------------------------------------------------------------


def delivered(header, *rows, **plan):
    """The items of a sheet that is understood as said: patient, date, and the PHQ-9 in columns 2 to 10."""
    frame = pd.DataFrame(list(rows), columns=header, dtype="str")
    sheet = RawSheet(
        name=None,
        number=0,
        headers=list(header),
        frame=frame,
        rows=np.arange(2, len(rows) + 2),
        n_cells=np.full(len(rows), len(header)),
        ragged=np.zeros(len(rows), dtype=bool),
        too_long=np.zeros(len(rows), dtype=bool),
        header_row=1,
        dialect="csv",
    )
    of_form = {k: plan.pop(k) for k in ("complete", "total") if k in plan}
    items = {item: 2 + i for i, item in enumerate(PHQ9.item_ids[:9])}
    form = FormPlan("phq9", 0, items, PHQ9.edition, date=Source(column=1), missing=("99",), **of_form)
    understanding = Understanding(sheet=sheet, patient=Source(column=0), forms=(form,), **plan)
    settings = Consortium.model_validate(
        {
            "name": "x",
            "issuers": {"h": {}},
            "programmes": {"north": {"name": "N", "issuer": "h", "instruments": ["phq9"]}},
        }
    )
    return conform(
        [understanding],
        programme_id="north",
        delivery_id="d" * 64,
        received_at=datetime(2026, 6, 1, tzinfo=UTC),
        settings=settings,
        instruments={"phq9": PHQ9},
        pseudonyms=Pseudonyms(b"an example key, of no use at all"),
    )


HEADER = ["patient", "date", *(f"q{i}" for i in range(1, 10)), "done", "sum", "born", "sex"]


def test_state_total_year_of_birth_and_sex_are_read_beside_the_answers():
    got = delivered(
        HEADER,
        ["1", "2026-03-01", *"121212121", "ja", "13", "1990", "vrouw"],
        ["2", "2026-03-01", *"121212", "", "", "", "nee", "99", "31-12-1985", "M"],
        ["3", "2026-03-01", *[""] * 9, "", "1,5", "", "purple"],
        complete=Source(column=11),
        total=Source(column=12),
        birth_year=Source(column=13),
        sex=Source(column=14),
    )
    items = got.items["phq9"]
    assert items["form_state"].tolist() == ["complete", "partial", "opened"]
    assert items["total_given"].astype(object).where(items["total_given"].notna(), None).tolist() == [13.0, None, 1.5]
    assert items["birth_year_given"].astype("str").fillna("").tolist() == ["1990", "1985", ""]
    assert items["sex_given"].fillna("").tolist() == ["female", "male", ""]
    # a word that is not understood is told, and is no sex
    assert got.findings["rule"].tolist() == ["code_not_understood"]
