"""Item answers: every definition, both directions, and marginals that a clinician would believe."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pingouin
import pytest

from mbt_rom.model import Instrument
from mbt_rom.registry import instruments
from mbt_rom.synthetic.answers import MISSING, answers, worse_direction
from mbt_rom.synthetic.streams import Streams

STREAMS = Streams(seed=5, programme=0)


def unknown_instrument() -> Instrument:
    """A questionnaire that no code knows: higher is better, answers 1 to 6, one item reversed."""
    items = [{"id": f"wellx_{n:02d}", "number": str(n), "min": 1, "max": 6} for n in range(1, 9)]
    scale = {
        "id": "total",
        "label": "Well-being",
        "items": [i["id"] for i in items],
        "reverse": ["wellx_08"],
        "method": "sum",
        "range": [8, 48],
        "direction": "higher_is_better",
        "is_primary": True,
        "confidence": "verified",
    }
    return Instrument.model_validate(
        {
            "id": "wellx",
            "name": "WELL-X",
            "full_name": "Well-being, invented",
            "edition": "8 items",
            "kind": "self_report",
            "measures": "well-being",
            "items": items,
            "codings": [{"id": "canonical", "min": 1, "max": 6, "confidence": "verified"}],
            "scales": [scale],
            "licence": {"status": "free"},
        }
    )


@pytest.mark.parametrize("definition", [*instruments().values(), unknown_instrument()], ids=lambda d: d.id)
def test_answers_stay_within_bounds_and_worsen_with_distress(definition):
    n = 600
    distress = np.repeat([-1.5, 1.5], n)
    made = answers(definition, distress=distress, who=np.arange(2 * n), streams=STREAMS)
    fixed = {scale.exposure for scale in definition.scales} | {item.gate for item in definition.items}
    for column, item in enumerate(definition.items):
        given = made[:, column] != MISSING
        assert made[given, column].min() >= item.min
        assert made[given, column].max() <= item.largest
        if item.id in fixed or item.gate is not None or _has_answer_key(definition, item.id):
            continue
        well, ill = (made[given & half, column].mean() for half in (distress < 0, distress > 0))
        assert (ill - well) * worse_direction(definition, item) > 0


def _has_answer_key(definition, item_id):
    return any(item_id in scale.answer_key for scale in definition.scales)


def made_of(instrument_id, *, distress):
    definition = instruments()[instrument_id]
    made = answers(definition, distress=distress, who=np.arange(len(distress)), streams=STREAMS)
    return {item.id: made[:, column] for column, item in enumerate(definition.items)}


def test_a_question_whether_there_was_any_agrees_with_its_count():
    made = made_of("ticp", distress=np.linspace(-2, 2, 400))
    count, gate = made["ticp_gp"], made["ticp_gp_any"]
    assert set(gate[count > 0]) == {1}
    assert (count[gate == 0] == MISSING).all()
    assert (gate == 0).any()


def test_the_distressed_are_more_often_wrong_where_answers_are_right_or_wrong():
    definition = instruments()["rmet"]
    made = made_of("rmet", distress=np.repeat([-1.5, 1.5], 300))
    right = np.array([made[item] == key for item, key in definition.primary.answer_key.items()]).sum(axis=0)
    assert 15 < right[300:].mean() < right[:300].mean() < 36


def test_months_covered_are_those_of_the_period_of_the_interview():
    covered = made_of("sshi", distress=np.zeros(50))["sshi_months_covered"]
    assert set(covered[covered != MISSING]) == {6}


def test_direction_of_a_scale_where_higher_is_better_and_of_its_reversed_item():
    definition = unknown_instrument()
    assert [worse_direction(definition, item) for item in definition.items] == [-1] * 7 + [1]


def test_three_in_a_hundred_answers_are_missing_and_more_among_the_severe():
    n = 3000
    distress = np.repeat([-1.5, 1.5], n)
    made = answers(instruments()["bsi"], distress=distress, who=np.arange(2 * n), streams=STREAMS)
    calm, severe = (made[:n] == MISSING).mean(), (made[n:] == MISSING).mean()
    assert calm < 0.03 < severe < 0.08
    assert (made != MISSING).any(axis=1).all()


def baseline(made, instrument: str) -> pd.DataFrame:
    """Answers at baseline of all programmes, missing as NaN."""
    forms = made.truth["forms"].query("moment == 'baseline' and instrument == @instrument")
    return made.truth[f"answers_{instrument}"].set_index("form_id").loc[forms["form_id"]].astype(float)


def test_bsi_hangs_together_as_in_out_patients(made):
    # Geisheim 2002 (1,252 out-patients) gives alpha .96 for the GSI; .90 to .98 leaves room for sampling and floor effects
    alpha, _ = pingouin.cronbach_alpha(baseline(made, "bsi"))
    assert 0.90 < alpha < 0.98


def test_phq9_hangs_together_as_published(made):
    # Kroenke 2001 gives alpha .86 and .89
    alpha, _ = pingouin.cronbach_alpha(baseline(made, "phq9").iloc[:, :9])
    assert 0.80 < alpha < 0.93


def test_gsi_starts_where_severe_out_patients_do(made):
    # US out-patients: mean 1.32, SD 0.72 (recalled); patients referred for MBT are more severe: 1.5 to 1.9
    gsi = baseline(made, "bsi").mean(axis=1)
    assert 1.5 < gsi.mean() < 1.9
    assert 0.65 < gsi.std() < 0.95


def test_phq9_starts_about_where_talking_therapies_do(made):
    # NHS Talking Therapies 2022-23: 15.4, SD 5.5 at the start of treatment
    total = baseline(made, "phq9").iloc[:, :9].mean(axis=1) * 9
    assert 13 < total.mean() < 17
    assert 5 < total.std() < 7.5


def test_answers_have_a_floor(made):
    # the lowest answer is common on the BSI even among patients, and everywhere on self-care of the EQ-5D
    assert 0.12 < (baseline(made, "bsi") == 0).mean().mean() < 0.45
    assert (baseline(made, "eq5d3l")["eq5d3l_sc"] == 1).mean() > 0.75


def test_mean_improvement_at_18_months_is_large_and_varies(made):
    # Bales 2015: 1.06 SD at 18 months; four centres of routine care: 0.55 to 1.05. Some patients get reliably worse
    # (smallest reliable change with r = .90, SD = .72: 1.96 x sqrt(2) x .72 x sqrt(.1) = 0.63).
    forms = made.truth["forms"].query("instrument == 'bsi' and moment in ['baseline', 'm18']")
    gsi = made.truth["answers_bsi"].set_index("form_id").astype(float).mean(axis=1)
    wide = forms.assign(gsi=gsi.loc[forms["form_id"]].to_numpy()).pivot_table(
        index=["programme_id", "number"], columns="moment", values="gsi"
    )
    change = (wide["m18"] - wide["baseline"]).dropna()
    assert 0.7 < -change.mean() / wide["baseline"].std() < 1.2
    assert 0.005 < (change > 0.63).mean() < 0.10
    assert 0.35 < (change < -0.63).mean() < 0.75
