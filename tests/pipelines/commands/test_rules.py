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
