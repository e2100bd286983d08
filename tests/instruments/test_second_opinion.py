"""The fixtures that the second implementation writes are the committed ones, and cover what a fixture has to cover.

Looks at the files as they are committed; whether `mbt_rom` agrees with them is the question of `test_fixtures.py`.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
#: Lowest and highest possible score by instrument and scale, as published; `*` stands for every scale not named before it.
RANGES = """
bsi18 gsi 0 72, som 0 24, dep 0 24, anx 0 24
oq45 total 0 180, sd 0 100, ir 0 44, sr 0 36
bdi2 total 0 63
sds total 0 30, * 0 10
paibor total 0 72, * 0 18
iip64 total 0 4, total_sum 0 256, pa_domineering 0 32, bc_vindictive 0 32, de_cold 0 32, fg_inhibited 0 32
iip64 hi_nonassertive 0 32, jk_accommodating 0 32, lm_self_sacrificing 0 32, no_intrusive 0 32
iip32 total 0 4, total_sum 0 128, pa_domineering 0 16, bc_vindictive 0 16, de_cold 0 16, fg_inhibited 0 16
iip32 hi_nonassertive 0 16, jk_accommodating 0 16, lm_self_sacrificing 0 16, no_intrusive 0 16
ecr * 1 7
ecrr * 1 7
rfq54 * 1 7
rfq8 * 0 3
dappsf * 1 5
sshi any_suicidal_act 0 1, any_self_harm 0 1, crisis_event 0 1
scid1 n_axis1_groups 0 7, any_axis1 0 1
scid2 bpd_criteria 0 9, bpd_dimensional 0 18, n_pd 0 13, n_pd_scid5 0 11
sipp118 * 1 4
rmet total 0 36
mpq * 20 120
mmpi2rf * 20 120
mbtacs n_items_at_level 0 17, * 1 7
team_adherence mean 1 7, n_below_4 0 5
clinical_process * 0 1
programme_requirements fulfilled 0 16
programme_recommendations fulfilled 0 4
supervisor_adherence * 1 7
patient_adherence * 1 7
"""
STANDARD_LIBRARY = {"__future__", "collections.abc", "csv", "fractions", "io", "math", "pathlib", "typing"}


def _second_opinion() -> ModuleType:
    """The module beside this file, which is in no package."""
    spec = importlib.util.spec_from_file_location("second_opinion", HERE / "second_opinion.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SECOND = _second_opinion()
FILES: dict[str, str] = SECOND.files()
IDS = [sheet.id for sheet in SECOND.SHEETS]


def committed(instrument_id: str) -> list[dict[str, str]]:
    with (HERE / f"{instrument_id}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sheet_of(instrument_id: str) -> Any:
    return next(sheet for sheet in SECOND.SHEETS if sheet.id == instrument_id)


def items_of(instrument_id: str) -> dict[str, tuple[int, int | None]]:
    """Columns of the items with their bounds."""
    bounds = sheet_of(instrument_id).bounds
    return {SECOND.column(instrument_id, item): ends for item, ends in bounds.items()}


def scales_of(instrument_id: str) -> list[str]:
    columns = list(committed(instrument_id)[0])
    return [name for name in columns if name not in {"case", "source", *items_of(instrument_id)}]


def ranges() -> dict[tuple[str, str], tuple[int, int]]:
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for line in RANGES.split("\n")[1:-1]:
        instrument_id, _, entries = line.partition(" ")
        for entry in entries.split(", "):
            name, low, high = entry.split()
            for scale in scales_of(instrument_id) if name == "*" else [name]:
                found.setdefault((instrument_id, scale), (int(low), int(high)))
    return found


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_is_committed_is_what_the_second_implementation_writes(name: str) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == FILES[name], "run second_opinion.py and commit"


def test_the_second_implementation_uses_the_standard_library_alone() -> None:
    tree = ast.parse((HERE / "second_opinion.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == STANDARD_LIBRARY
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in {"open", "__import__"}]


@pytest.mark.parametrize(("key", "ends"), ranges().items(), ids=lambda value: " ".join(map(str, value)))
def test_scores_reach_both_ends_of_the_published_range_and_nothing_beyond(
    key: tuple[str, str], ends: tuple[int, int]
) -> None:
    instrument_id, scale = key
    scores = [Fraction(form[scale]) for form in committed(instrument_id) if form[scale]]
    assert (min(scores), max(scores)) == ends


@pytest.mark.parametrize("instrument_id", IDS)
class TestCommittedFixture:
    def test_holds_at_least_twelve_forms_of_different_answers_and_names(self, instrument_id: str) -> None:
        forms, items = committed(instrument_id), items_of(instrument_id)
        assert len({form["case"] for form in forms}) == len(forms)
        assert len({tuple(form[item] for item in items) for form in forms}) >= 12

    def test_says_where_every_score_comes_from_and_works_some_out_by_hand(self, instrument_id: str) -> None:
        sources = [form["source"] for form in committed(instrument_id)]
        assert all(s.startswith(("hand calculation", "second implementation")) for s in sources)
        assert sum(s == "hand calculation" for s in sources) >= 3

    def test_has_every_scale_with_and_without_a_score(self, instrument_id: str) -> None:
        forms = committed(instrument_id)
        for scale in scales_of(instrument_id):
            assert {bool(form[scale]) for form in forms} == {True, False}, scale

    def test_has_a_form_with_some_answers_missing(self, instrument_id: str) -> None:
        answers = [[form[item] for item in items_of(instrument_id)] for form in committed(instrument_id)]
        assert any("" in given and any(given) for given in answers)

    def test_has_answers_within_their_bounds(self, instrument_id: str) -> None:
        for form in committed(instrument_id):
            for item, (low, high) in items_of(instrument_id).items():
                assert not form[item] or low <= int(form[item]) <= (high or int(form[item])), (form["case"], item)

    def test_has_every_item_at_its_highest_or_as_a_count_that_does_not_fit_a_byte(self, instrument_id: str) -> None:
        forms, bounds = committed(instrument_id), items_of(instrument_id)
        limited = {item: str(high) for item, (_, high) in bounds.items() if high is not None}
        if len(limited) == len(bounds):
            assert limited in [{item: form[item] for item in limited} for form in forms]
        else:
            unlimited = set(bounds) - set(limited)
            assert max(int(form[item] or 0) for form in forms for item in unlimited) > 127


@pytest.mark.parametrize("instrument_id", SECOND.INVENTED_KEYS)
class TestInventedKey:
    def test_gives_every_item_to_one_scale_and_turns_items_of_that_scale(self, instrument_id: str) -> None:
        text = (HERE / "keys" / f"{instrument_id}.yaml").read_text(encoding="utf-8")
        scales = yaml.safe_load(text)["scales"]
        given = sorted(item for scale in scales.values() for item in scale["items"])
        assert given == list(range(1, len(items_of(instrument_id)) + 1))
        assert all(set(scale["reverse"]) < set(scale["items"]) for scale in scales.values())

    def test_says_that_it_is_invented(self, instrument_id: str) -> None:
        text = (HERE / "keys" / f"{instrument_id}.yaml").read_text(encoding="utf-8")
        assert text.startswith("# Invented for the tests: NOT the published key")


def test_a_hand_that_comes_to_another_score_is_refused() -> None:
    sheet = sheet_of("bdi2")
    wrong = SECOND.Form("all 1", SECOND.alike(sheet.bounds, 1), {"total": 22})
    with pytest.raises(SECOND.DisagreementError, match="total by hand 22, here 21"):
        list(SECOND.rows(sheet._replace(forms=lambda: [wrong])))


def test_a_score_between_two_decimals_is_refused() -> None:
    with pytest.raises(SECOND.TieError):
        SECOND.rounded(Fraction(1, 8), 2)
    assert SECOND.rounded(Fraction(1, 8), 3) == Fraction(1, 8)
    assert SECOND.rounded(Fraction(-1, 3), 2) == Fraction(-33, 100)
    assert SECOND.rounded(Fraction(2, 3), 2) == Fraction(67, 100)
