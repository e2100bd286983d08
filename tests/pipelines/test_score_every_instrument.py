"""`rom score` on the forms of every fixture: what is written is what the fixture says, for each id that the software knows.

The expected scores come from `tests/instruments/*.csv`, worked out by hand or published; none comes from the code under test.
"""

from __future__ import annotations

import csv
from fractions import Fraction
from math import isnan
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mbt_rom.registry import instrument, instruments, value_sets
from pipelines.commands.score import score

FIXTURES = Path(__file__).parents[1] / "instruments"
IDS = sorted(path.stem for path in FIXTURES.glob("*.csv"))


def rom_score(*arguments: object) -> Result:
    return CliRunner().invoke(score, [str(argument) for argument in arguments])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said(instrument_id: str) -> list[object]:
    """The options without which an instrument is refused."""
    key = FIXTURES / "keys" / f"{instrument_id}.yaml"
    options: list[object] = ["--key", key] if key.exists() else []
    options += ["--order", "author_page"] if instrument_id == "ecrr" else []
    return options + (["--coding", "canonical"] if instrument_id == "sipp118" else [])


def number(text: str) -> float:
    """A score as the fixture writes it, which may be a fraction; nan for a form that cannot be scored."""
    return float(Fraction(text)) if text else float("nan")


def written(row: dict[str, str], name: str) -> float:
    return float(row[name] or "nan")


def test_every_id_of_the_issue_has_forms_here() -> None:
    outcome = (
        "phq9 bsi bsi18 oq45 bdi2 eq5d3l eq5d5l sds ticp paibor iip64 iip32 ecr ecrr rfq54 rfq8 dappsf sshi scid1 scid2 sipp118 "
        "rmet mpq mmpi2rf"
    )
    quality = (
        "mbtacs team_adherence clinical_process programme_requirements programme_recommendations supervisor_adherence "
        "patient_adherence"
    )
    assert {*outcome.split(), *quality.split()} <= set(IDS)
    assert set(IDS) == set(instruments())


@pytest.mark.parametrize("instrument_id", IDS)
class TestEveryFixture:
    def test_scores_are_those_of_the_fixture(self, instrument_id: str, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        source = FIXTURES / f"{instrument_id}.csv"
        result = rom_score(instrument_id, source, "-o", out, *said(instrument_id))
        assert result.exit_code == 0, result.output
        before, after = read(source), read(out)
        assert [{name: row[name] for name in before[0]} for row in after] == before
        for scale in instrument(instrument_id).scales:
            name = f"{instrument_id}_{scale.id}"
            if scale.method == "not_published":
                assert name not in after[0]
                assert f"{scale.id} (its formula" in result.output or f"{scale.id}," in result.output
                continue
            expected = [number(form[scale.id]) for form in before]
            assert [written(row, name) for row in after] == pytest.approx(
                expected, rel=1e-12, abs=1e-12, nan_ok=True
            ), scale.id

    def test_unanswered_items_are_counted(self, instrument_id: str, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        source = FIXTURES / f"{instrument_id}.csv"
        assert rom_score(instrument_id, source, "-o", out, *said(instrument_id)).exit_code == 0
        definition = instrument(instrument_id)
        for scale in definition.scales:
            items = [*scale.items, *([scale.exposure] if scale.exposure else [])]
            if not items or any(definition.item(item).gate for item in items):
                continue  # derived scales, and counts that a "no" fills
            counted = [int(row[f"{instrument_id}_{scale.id}_n_missing"]) for row in read(out)]
            assert counted == [sum(form[item] == "" for item in items) for form in read(source)], scale.id

    def test_every_value_set_of_the_fixture(self, instrument_id: str, tmp_path: Path) -> None:
        source = FIXTURES / f"{instrument_id}.csv"
        for column in read(source)[0]:
            scale, _, value_set = column.partition("@")
            if not value_set:
                continue
            out = tmp_path / f"{value_set}.csv"
            result = rom_score(instrument_id, source, "-o", out, "--value-set", value_set)
            assert result.exit_code == 0, result.output
            expected = [number(form[column]) for form in read(source)]
            rows = read(out)
            scores = [written(row, f"{instrument_id}_{scale}") for row in rows]
            assert scores == pytest.approx(expected, nan_ok=True), column
            named = [row[f"{instrument_id}_{scale}_value_set"] for row in rows]
            assert named == ["" if isnan(score) else value_set for score in expected]

    def test_bounds_hold_the_score_and_close_when_nothing_is_missing(self, instrument_id: str, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        source = FIXTURES / f"{instrument_id}.csv"
        result = rom_score(instrument_id, source, "-o", out, "--bounds", *said(instrument_id))
        assert result.exit_code == 0, result.output
        rows = read(out)
        written_scales = [s.id for s in instrument(instrument_id).scales if f"{instrument_id}_{s.id}_lowest" in rows[0]]
        assert written_scales
        for scale in written_scales:
            name = f"{instrument_id}_{scale}"
            for row in rows:
                score, low, high = (written(row, n) for n in (name, f"{name}_lowest", f"{name}_highest"))
                if row[f"{name}_n_missing"] == "0":
                    assert (low, high) == pytest.approx((score, score), nan_ok=True), (scale, row["case"])
                else:
                    assert not score < low - 1e-9, (scale, row["case"])
                    assert not score > high + 1e-9, (scale, row["case"])


WRONG_COUNTS = [(i, n) for i, definition in instruments().items() for n in definition.wrong_counts]


@pytest.mark.parametrize(("instrument_id", "n"), WRONG_COUNTS)
class TestWrongCount:
    """Exactly the explanation of the definition, whether the columns are found by their number or named."""

    def test_found_by_number(self, instrument_id: str, n: int, tmp_path: Path) -> None:
        file = tmp_path / "in.csv"
        file.write_text(",".join(f"{instrument_id}_{k}" for k in range(1, n + 1)) + "\n" + ",".join("1" * n) + "\n")
        result = rom_score(instrument_id, file)
        assert result.exit_code == 1
        assert result.output == (
            f"in.csv, row 1: {n} columns are numbered as items. {instrument(instrument_id).wrong_counts[n].strip()}\n"
        )
        assert [path.name for path in tmp_path.iterdir()] == ["in.csv"]

    def test_named(self, instrument_id: str, n: int, tmp_path: Path) -> None:
        names = ",".join(f"q{k}" for k in range(n))
        file = tmp_path / "in.csv"
        file.write_text(f"{names}\n" + ",".join("1" * n) + "\n")
        result = rom_score(instrument_id, file, "--items", names)
        assert result.exit_code == 2
        assert instrument(instrument_id).wrong_counts[n].strip() in result.output


def test_counts_of_the_manual_that_differ_from_the_published_forms_are_among_them() -> None:
    """As the issue lists them; the items of the TiC-P have names, so that nothing is numbered there."""
    assert {("bsi", 60), ("bdi2", 20), ("paibor", 45), ("rfq54", 45), ("rfq8", 45), ("dappsf", 120)} <= set(
        WRONG_COUNTS
    )


@pytest.mark.parametrize("instrument_id", ["eq5d3l", "eq5d5l"])
def test_every_value_set_that_the_registry_has_can_be_chosen(instrument_id: str, tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    file.write_text("state\n11111\n")
    for value_set in value_sets(instrument_id):
        out = tmp_path / f"{value_set}.csv"
        result = rom_score(instrument_id, file, "--profile", "state", "--value-set", value_set, "-o", out)
        assert result.exit_code == 0, result.output
        (row,) = read(out)
        assert (row[f"{instrument_id}_index_value_set"], value_set in result.output) == (value_set, True)
