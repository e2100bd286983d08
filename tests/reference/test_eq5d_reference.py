"""Utilities of every EQ-5D state beside tables of other software (`eq5d_values.md`), and of the example files of R's eq5d."""

from __future__ import annotations

import csv
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mbt_rom import registry
from mbt_rom.valuation import crosswalk, rounded
from pipelines.commands.score import score

HERE = Path(__file__).parent
DIMENSIONS = ("MO", "SC", "UA", "PD", "AD")
CROSSWALKS = ("crosswalk_nl_2006", "crosswalk_uk_1997")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def reference(instrument_id: str) -> dict[str, dict[str, float]]:
    """Utilities by value set and state."""
    rows = rows_of(HERE / f"{instrument_id}_values.csv")
    return {name: {row["state"]: float(row[name]) for row in rows} for name in rows[0] if name != "state"}


REFERENCE = {"eq5d3l": reference("eq5d3l"), "eq5d5l": reference("eq5d5l")}
EVERY_SET = [(i, name) for i, table in REFERENCE.items() for name in table]


def test_every_value_set_has_a_reference() -> None:
    assert {i: list(table) for i, table in REFERENCE.items()} == {i: list(registry.value_sets(i)) for i in REFERENCE}


@pytest.mark.parametrize(("instrument_id", "value_set_id"), EVERY_SET)
def test_every_state_has_the_utility_that_other_software_gives_it(instrument_id: str, value_set_id: str) -> None:
    """Exact to the decimals that are published; the unrounded set to one in the sixth decimal, the last of the table."""
    expected, ours = REFERENCE[instrument_id][value_set_id], registry.value_set(value_set_id)
    levels = "123" if instrument_id == "eq5d3l" else "12345"
    assert sorted(expected) == ["".join(digits) for digits in product(levels, repeat=5)]
    within = 1.0000001e-6 if value_set_id == "nl_2016_unrounded" else 1e-9
    wrong = {state: (ours.utility(state), value) for state, value in expected.items()}
    assert {state: pair for state, pair in wrong.items() if abs(pair[0] - pair[1]) > within} == {}


def exact_crosswalk(value_set_id: str) -> np.ndarray:
    source = registry.value_set(value_set_id).crosswalk_from
    assert source is not None
    return crosswalk(registry.value_set(source).values, probabilities=registry._level_probabilities())


@pytest.mark.parametrize(("value_set_id", "n_states"), [("crosswalk_nl_2006", 107), ("crosswalk_uk_1997", 192)])
def test_the_published_crosswalk_was_rounded_twice(value_set_id: str, n_states: int) -> None:
    """Once rounded, 107 Dutch and 192 UK states would differ from the published table by 0.001; counted with exact decimals.

    The count was made apart from this code, over the products of the five probabilities in decimal arithmetic.
    """
    exact, published = exact_crosswalk(value_set_id), np.array(list(REFERENCE["eq5d5l"][value_set_id].values()))
    assert np.abs(exact - published).max() == pytest.approx(0.00055, abs=2e-6)
    assert (np.abs(rounded(exact, [3]) - published) > 1e-9).sum() == n_states
    assert (np.abs(rounded(exact, [4, 3]) - published) > 1e-9).sum() == 0


@pytest.mark.parametrize("value_set_id", CROSSWALKS)
def test_levels_1_3_and_5_cross_over_to_levels_1_2_and_3(value_set_id: str) -> None:
    """Nobody with these levels in 5L is given another level in 3L (probability 1), so 243 states keep their 3L utility."""
    ours = registry.value_set(value_set_id)
    source = REFERENCE["eq5d3l"][ours.crosswalk_from or ""]
    carried = {state: ours.utility(state.translate(str.maketrans("23", "35"))) for state in source}
    assert len(carried) == 243
    assert carried == source


# --- where the collected data are ---------------------------------------------------------------------------------------

#: Our value set -> file and column of the collected tables.
COLLECTED = {
    "nl_2006": ("eq5d3l_nl_2006", "value"),
    "uk_1997": ("eq5d3l_uk_mvh_a1_1997", "value"),
    "nl_2026": ("eq5d3l_nl_2026", "value"),
    "nl_2016": ("eq5d5l_nl_2016", "value"),
    "nl_2016_unrounded": ("eq5d5l_nl_2016", "value_unrounded"),
    "england_2018": ("eq5d5l_england_2018", "value"),
    "uk_2026": ("eq5d5l_uk_2026", "value"),
    "crosswalk_nl_2006": ("eq5d5l_crosswalk_vanhout2012", "nl_2006"),
    "crosswalk_uk_1997": ("eq5d5l_crosswalk_vanhout2012", "uk_mvh_a1_1997"),
}


@pytest.mark.real_data
@pytest.mark.parametrize(("instrument_id", "value_set_id"), EVERY_SET)
def test_reference_tables_are_the_collected_ones(instrument_id: str, value_set_id: str, shared_data: Path) -> None:
    table, column = COLLECTED[value_set_id]
    rows = rows_of(shared_data / "dossier" / "value_sets" / f"{table}.csv")
    assert {row["state"]: float(row[column]) for row in rows} == REFERENCE[instrument_id][value_set_id]


#: Our value set -> edition, file of coefficients or states in the R package eq5d, and the column there.
R_PACKAGE = {
    "nl_2006": ("eq5d3l", "TTO", "Netherlands_2006"),
    "nl_2026": ("eq5d3l", "TTO", "Netherlands_2026"),
    "uk_1997": ("eq5d3l", "TTO", "UK"),
    "nl_2016": ("eq5d5l", "VT", "Netherlands"),
    "england_2018": ("eq5d5l", "VT", "England"),
    "uk_2026": ("eq5d5l", "VT", "UK"),
    "crosswalk_nl_2006": ("eq5d5l", "CW", "Netherlands"),
    "crosswalk_uk_1997": ("eq5d5l", "CW", "UK"),
}


@pytest.fixture(scope="module")
def examples(shared_data: Path) -> Path:
    folder = shared_data / "data" / "eq5d_examples"
    if not folder.is_dir():
        pytest.skip("the example files of the R package eq5d are not among the real data")
    return folder


def r_package_utility(folder: Path, kind: str, column: str, state: str) -> Decimal:
    """The utility as the files of the R package give it: term by term, or the state's own row of the crosswalk."""
    rows = rows_of(folder / f"valueset_{kind}.csv")
    table = {row[""]: Decimal(row[column]) for row in rows if row[column] not in ("", "NA")}
    if kind == "CW":
        return table[state]
    names = [f"{dimension}{level}" for dimension, level in zip(DIMENSIONS, state, strict=True) if level != "1"]
    names += ["FullHealth", "StartValue"]
    names += ["AtLeastOne2Or3", "Intercept"] if state != "11111" else []
    names += ["AtLeastOne3"] if "3" in state and kind == "TTO" else []
    total = sum((table.get(name, Decimal(0)) for name in names), Decimal(0))
    return total.quantize(Decimal("0.001"), rounding=ROUND_HALF_UP)


@pytest.mark.real_data
@pytest.mark.parametrize("value_set_id", R_PACKAGE)
def test_rom_score_of_the_example_forms(value_set_id: str, examples: Path, tmp_path: Path) -> None:
    """200 forms each of 3L and 5L; utilities computed from the value-set files that stand beside them."""
    instrument_id, kind, column = R_PACKAGE[value_set_id]
    forms, out = examples / f"{instrument_id}_example.csv", tmp_path / "out.csv"
    options = ["-o", str(out), "--items", ",".join(DIMENSIONS), "--value-set", value_set_id]
    result = CliRunner().invoke(score, [instrument_id, str(forms), *options])
    assert result.exit_code == 0, result.output
    scored = rows_of(out)
    assert len(scored) == 200
    states = ["".join(row[d] for d in DIMENSIONS) for row in scored]
    expected = {state: float(r_package_utility(examples, kind, column, state)) for state in set(states)}
    assert len(expected) > 10
    assert [float(row[f"{instrument_id}_index"]) for row in scored] == [expected[state] for state in states]
    assert {row[f"{instrument_id}_index_value_set"] for row in scored} == {value_set_id}


@pytest.mark.real_data
def test_example_forms_in_five_digits_are_the_same_forms(examples: Path, tmp_path: Path) -> None:
    written = {"eq5d3l_five_digit_example": ["--profile", "State"], "eq5d3l_example": ["--items", ",".join(DIMENSIONS)]}
    scored = []
    for name, options in written.items():
        out = tmp_path / f"{name}.csv"
        result = CliRunner().invoke(score, ["eq5d3l", str(examples / f"{name}.csv"), "-o", str(out), *options])
        assert result.exit_code == 0, result.output
        scored.append([(row["eq5d3l_profile"], row["eq5d3l_index"], row["eq5d3l_level_sum"]) for row in rows_of(out)])
    assert scored[0] == scored[1]
    assert len(scored[0]) == 200
