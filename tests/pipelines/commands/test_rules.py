"""`rom rules`: all rules, in either language."""

import pytest
from click.testing import CliRunner

from mbt_rom.findings import RULES
from pipelines.commands.rules import rules


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            [],
            "fatal: the whole delivery is left out; the last good one stays\n  file_empty\n      the file is empty\n"
            "      Make the export again and deliver the new file (research assistant)\n",
        ),
        (
            ["--language", "nl"],
            "fataal: de hele aanlevering blijft buiten beschouwing; de laatste goede blijft staan\n  file_empty\n"
            "      het bestand is leeg\n      Maak de export opnieuw en lever het nieuwe bestand aan (onderzoeksassistent)\n",
        ),
    ],
)
def test_all_rules_are_told_in_the_language_asked_for(given, told):
    result = CliRunner().invoke(rules, given)
    assert result.exit_code == 0
    consequence, _, rule = told.partition("\n")
    assert result.output.startswith(consequence)
    assert rule in result.output
    listed = [line.strip() for line in result.output.splitlines() if line.startswith("  ") and line[2] != " "]
    assert sorted(listed) == sorted(RULES)


def test_a_language_that_there_is_not_is_refused():
    result = CliRunner().invoke(rules, ["--language", "fr"])
    assert result.exit_code == 2


def test_what_one_definition_asks_needs_no_home(tmp_path):
    result = CliRunner().invoke(rules, ["--instrument", "phq9", "--home", str(tmp_path / "none")])
    assert result.exit_code == 0
    assert result.output.startswith(
        "PHQ-9: what its definition asks of every form\n  answer_out_of_range (error)\n      phq9_01 to phq9_10: 0 to 3\n"
    )


def test_an_instrument_that_does_not_exist_is_told_with_those_that_do(tmp_path):
    result = CliRunner().invoke(rules, ["--instrument", "phq", "--home", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "no instrument 'phq'; there are bdi2, bsi," in result.output
