"""Every score can be traced: what it was made of, by which rules, beside which norm and value set, and by which software."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assets import software
from assets.home import create
from assets.instruments import scored
from assets.state import State
from mbt_rom.settings import SettingsError
from mbt_rom.tables import PATIENTS, items_table

SETTINGS = """
name: One programme
issuers: {north: {}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [bsi, eq5d5l, iip64]}
value_sets: {eq5d5l: nl_2016}
reference_norms:
  iip64.total: {id: our_manual, mean: 1.0, sd: 0.5, population: community, language: nl, source: "manual, table 3"}
"""


def state(folder: Path, settings: str = SETTINGS) -> State:
    return State(create(folder / "home", settings), date(2026, 6, 30))


def register(**columns: Any) -> pd.DataFrame:
    known = {"programme_id": "alpha", "row_id": "r", "delivery_id": "d"}
    return PATIENTS.conform(pd.DataFrame({"patient_id": ["w", "m", "young"], **columns}).assign(**known))


PEOPLE = register(birth_year=[1985, 1970, 2009], sex=["female", "male", "female"])


def answered(home: State, instrument_id: str, *people: str, **items: Any) -> pd.DataFrame:
    """One form per person of 1 March 2026, in Dutch, every answer 1 but those given."""
    definition = home.instruments[instrument_id]
    frame = pd.DataFrame({"patient_id": people}).assign(
        programme_id="alpha",
        row_id=[f"r{n}" for n in range(len(people))],
        delivery_id="d",
        received_at=pd.Timestamp("2026-03-02", tz="UTC"),
        source_row=2,
        block=0,
        administered_on="2026-03-01",
        language="nl",
        **dict.fromkeys(definition.item_ids, 1),
    )
    return items_table(definition).conform(frame.assign(**items))


def one(table: pd.DataFrame, patient: str, scale: str) -> dict[str, Any]:
    (row,) = table[(table["patient_id"] == patient) & (table["scale"] == scale)].to_dict("records")
    return {str(k): None if pd.isna(v) else v for k, v in row.items()}


def test_a_bsi_score_names_everything_it_rests_on(tmp_path: Path) -> None:
    """53 answers of 1, three of them missing: 50 x 1 / 50 = 1; had they been 0: 50 / 53, had they been 4: 62 / 53."""
    home = state(tmp_path)
    missing = {"bsi_01": pd.NA, "bsi_02": pd.NA, "bsi_53": pd.NA}
    table = scored(home.instruments["bsi"], answered(home, "bsi", "w", "m", **missing), PEOPLE, state=home)
    woman = one(table, "w", "gsi")
    assert {k: woman[k] for k in ("score", "n_items", "n_answered", "is_prorated", "is_provisional")} == {
        "score": 1.0, "n_items": 53, "n_answered": 50, "is_prorated": True, "is_provisional": True,
    }  # fmt: skip
    assert (woman["lowest_possible"], woman["highest_possible"]) == pytest.approx((50 / 53, 62 / 53))
    assert woman["definition_hash"] == home.instruments["bsi"].definition_hash
    assert woman["software_version"] == software.version()
    assert (woman["value_set_id"], woman["edition"], woman["language"]) == (
        None, home.instruments["bsi"].edition, "nl",
    )  # fmt: skip
    # Women: (1 - 0.35) / 0.23 = 2.82609; men: (1 - 0.28) / 0.23 = 3.13043. German norms beside Dutch forms.
    assert (woman["norm_id"], woman["norm_flags"]) == ("de_community_f_gsi", "other_language")
    assert woman["t_score"] == pytest.approx(78.2609, abs=1e-4)
    man = one(table, "m", "gsi")
    assert (man["norm_id"], man["norm_flags"]) == ("de_community_m_gsi", "other_language")
    assert man["t_score"] == pytest.approx(81.3043, abs=1e-4)
    # PST counts the answers above 0 and needs all of them.
    pst = one(table, "w", "pst")
    assert (pst["score"], pst["unscored_because"], pst["norm_flags"]) == (None, "too_many_missing", None)


def test_a_utility_names_its_value_set_and_a_minor_gets_none(tmp_path: Path) -> None:
    home = state(tmp_path)
    forms = answered(home, "eq5d5l", "w", "m", "young")
    table = scored(home.instruments["eq5d5l"], forms, PEOPLE, state=home)
    woman, man, young = (one(table, person, "index") for person in ("w", "m", "young"))
    # The state 11111 is 1 in the Dutch value set; women M 0.911, SD 0.155: 50 + 10 x 0.089 / 0.155 = 55.742.
    assert (woman["value_set_id"], woman["score"], woman["norm_id"]) == ("nl_2016", 1.0, "nl_women")
    assert woman["t_score"] == pytest.approx(55.742, abs=1e-3)
    assert woman["norm_flags"] is None
    assert (man["value_set_id"], man["score"], man["norm_id"]) == ("nl_2016", 1.0, None)
    assert man["norm_flags"] == "no_norm other_sex"
    assert (young["value_set_id"], young["score"], young["unscored_because"]) == (
        "nl_2016", None, "no_value_set_under_18",
    )  # fmt: skip
    assert one(table, "young", "level_sum")["norm_flags"] == "no_norm under_18"


def test_figures_of_the_site_stand_beside_the_score_under_their_own_name(tmp_path: Path) -> None:
    """IIP-64 with every answer 1: a mean answer of 1, the mean of the norm."""
    home = state(tmp_path)
    table = scored(home.instruments["iip64"], answered(home, "iip64", "w", "young"), PEOPLE, state=home)
    woman, young = one(table, "w", "total"), one(table, "young", "total")
    assert (woman["norm_id"], woman["t_score"], woman["percentile"], woman["norm_flags"]) == (
        "our_manual", 50.0, 50.0, None,
    )  # fmt: skip
    assert (young["score"], young["norm_id"], young["norm_flags"]) == (1.0, None, "no_norm under_18")
    assert one(table, "w", "total_sum")["norm_flags"] == "no_norm"


def test_without_a_register_scores_stand_with_what_is_not_known(tmp_path: Path) -> None:
    home = state(tmp_path)
    table = scored(home.instruments["bsi"], answered(home, "bsi", "w"), PATIENTS.empty(), state=home)
    row = one(table, "w", "gsi")
    assert (row["score"], row["norm_id"], row["norm_flags"]) == (1.0, None, "no_norm age_unknown sex_unknown")


@pytest.mark.parametrize("key", ["iip64.totl", "iip46.total"])
def test_a_mistyped_scale_is_told_before_anything_is_computed(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"reference_norms\.{key}'"):
        state(tmp_path, SETTINGS.replace("iip64.total", key)).prepare()
