"""`rom instruments`: lists and shows, and begins and checks what a site defines itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from assets.home import HomeError, create
from mbt_rom.registry import (
    DefinitionError,
    instrument,
    instrument_ids,
    instruments,
    local_instruments,
    parse_instrument,
)
from pipelines.commands.init import TEMPLATE
from pipelines.commands.instruments import instruments as command
from pipelines.instrument_template import definition_template, examples_template

KEYS = Path(__file__).parents[2] / "instruments"
#: Nine forms of three answers from 0 to 4, added up by hand; with the three of the template they are twelve.
NINE = ["a,by hand,0,0,1,1", "b,by hand,0,1,1,2", "c,by hand,1,1,1,3", "d,by hand,2,1,1,4", "e,by hand,2,2,1,5",
        "f,by hand,3,3,3,9", "g,by hand,4,0,4,8", "h,by hand,1,,2,", "i,by hand,,,4,"]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return create(tmp_path / "home", TEMPLATE).root


def run(*arguments: str | Path, home: Path | None = None) -> Result:
    """The command in this process; `home` may be the folder of no home at all."""
    named = ["--home", str(home)] if home else ["--home", "no-such-home"]
    return CliRunner().invoke(command, [*named, *map(str, arguments)])


def begun(home: Path, *options: str, name: str = "our_scale") -> tuple[Path, Path]:
    """The two files of an instrument with three items that was just begun."""
    done = run("new", name, "--items", "3", *options, home=home)
    assert done.exit_code == 0, done.output
    return home / "instruments" / f"{name}.yaml", home / "instruments" / f"{name}.csv"


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# --- list and show -------------------------------------------------------------------------------------------------------


def test_the_list_has_every_instrument_on_a_line_of_at_most_100_characters() -> None:
    lines = run().output.splitlines()
    assert [line.split()[0] for line in lines] == ["id", *instrument_ids()]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    ("instrument_id", "line"),
    [
        ("bsi", r"bsi +BSI +53  outcome +published"),
        ("dappsf", r"dappsf +DAPP-SF +136  outcome +needs your key"),
        ("mpq", r"mpq +MPQ +17  outcome +publisher scores"),
        ("team_adherence", r"team_adherence +Team adherence items +5  therapists +published"),
        (
            "supervisor_adherence",
            r"supervisor_adherence +Supervisor adherence \(proposal\) +22  supervisors +published",
        ),
        ("programme_requirements", r"programme_requirements +Programme requirements +17  programme +published"),
    ],
)
def test_the_list_says_what_an_instrument_monitors_and_who_has_its_key(instrument_id: str, line: str) -> None:
    [found] = [shown for shown in run().output.splitlines() if shown.split()[0] == instrument_id]
    assert re.fullmatch(line, found)


def test_instruments_of_the_home_are_listed_with_a_star_and_a_supplied_key_is_seen(home: Path) -> None:
    begun(home, "--name", "A very long name of an instrument that no line of a terminal has any room for")
    key = (KEYS / "keys" / "dappsf.yaml").read_text(encoding="utf-8")
    (home / "scoring_keys" / "dappsf.yaml").write_text(key, encoding="utf-8")
    lines = run(home=home).output.splitlines()
    assert [line for line in lines if line.startswith("our_scale*")]
    assert lines[-1] == "* defined by this home"
    assert max(map(len, lines)) <= 100
    assert next(line for line in lines if line.startswith("dappsf ")).endswith("key supplied")
    assert "needed from you" not in run("dappsf", home=home).output
    assert "needed from you" in run("rfq54", home=home).output


@pytest.mark.parametrize("instrument_id", instrument_ids())
def test_every_instrument_can_be_shown(instrument_id: str) -> None:
    shown = run("show", instrument_id)
    assert shown.exit_code == 0, shown.output
    assert all(f"  {scale.id} " in shown.output for scale in instrument(instrument_id).scales)
    assert run(instrument_id).output == shown.output


def test_records_are_shown_with_how_sure_they_are_and_value_sets_by_id() -> None:
    assert re.search(r"us_outpatient +norm of gsi \(memory, provisional\)", run("bsi").output)
    assert "value set nl_2016" in run("eq5d5l").output


def test_an_unknown_instrument_is_wrong_use_and_names_those_that_there_are(home: Path) -> None:
    begun(home)
    for arguments in (["nonsense"], ["show", "nonsense"], ["page", "nonsense"]):
        done = run(*arguments, home=home)
        assert done.exit_code == 2
        assert "bsi" in done.output
        assert "our_scale" in done.output


def test_a_broken_definition_of_the_home_is_loud(home: Path) -> None:
    definition, _ = begun(home)
    changed(definition, "method: sum", "method: summ")
    result = run(home=home)
    assert isinstance(result.exception, DefinitionError)
    assert "our_scale.yaml, key 'scales.total.method'" in str(result.exception)


def test_the_page_is_the_one_that_is_committed(project_root: Path) -> None:
    committed = (project_root / "docs" / "instruments" / "sshi.md").read_text(encoding="utf-8")
    assert run("page", "sshi").output == committed


def test_there_is_a_page_of_the_homes_own_instrument(home: Path) -> None:
    begun(home, "--name", "Our scale")
    page = run("page", "our_scale", home=home).output
    assert page.startswith("# Our scale\n")
    assert "| Total score `total`, primary | items 1-3 | the answers are added up | 0 to 12, points |" in page


# --- new -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Our", "our-scale", "1st", "our scale", "", "check", "show"])
def test_what_is_no_id_is_refused(home: Path, name: str) -> None:
    done = run("new", name, home=home)
    assert done.exit_code == 2
    assert "is no id" in done.output
    assert list((home / "instruments").iterdir()) == []


def test_an_id_that_exists_is_refused_and_nothing_is_overwritten(home: Path) -> None:
    definition, _ = begun(home)
    definition.write_text("mine", encoding="utf-8")
    again = run("new", "our_scale", home=home)
    assert (again.exit_code, definition.read_text(encoding="utf-8")) == (2, "mine")
    assert "is in this home already" in again.output
    software = run("new", "phq9", home=home)
    assert software.exit_code == 2
    assert "comes with the software" in software.output


def test_examples_that_are_there_already_are_kept(home: Path) -> None:
    examples = home / "instruments" / "our_scale.csv"
    examples.write_text("mine", encoding="utf-8")
    done = run("new", "our_scale", home=home)
    assert done.exit_code == 0
    assert examples.read_text(encoding="utf-8") == "mine"
    assert "our_scale.csv" not in done.output.split("Next:")[0]


def test_answers_need_a_range(home: Path) -> None:
    done = run("new", "our_scale", "--min", "3", "--max", "3", home=home)
    assert done.exit_code == 2
    assert "above --min (3)" in done.output


def test_what_is_no_home_is_refused(tmp_path: Path) -> None:
    for arguments in (["new", "our_scale"], ["check"]):
        assert isinstance(run(*arguments, home=tmp_path).exception, HomeError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["Plain", "It's: a #name {with} 'everything' \\", "Schaal voor één ding", "yes"])
def test_the_definition_is_valid_as_it_stands_whatever_the_name(name: str) -> None:
    text = definition_template("x", name=name, n_items=20, lowest=-2, highest=5, language="Dutch")
    definition = parse_instrument(text, file="x.yaml")
    assert (definition.name, definition.edition) == (name, "20 items, Dutch")
    assert (len(definition.items), definition.primary.range) == (20, (-40, 100))


def test_what_is_commented_out_in_the_definition_is_valid_too() -> None:
    text = definition_template("x", name="X", n_items=12, lowest=0, highest=4)
    examples = ("# tags:", "# - {id: one_based", "# reverse:", "# norms:", "#   - {id: ", "# reliabilities:", "# risk:",
                "#      source:", "#      confidence:", "# recall_days:", "# owner:")  # fmt: skip
    lines = []
    for line in text.splitlines():
        stripped = line.lstrip()
        lines.append(line.replace("# ", "", 1) if stripped.startswith(examples) else line)
    definition = parse_instrument("\n".join(lines) + "\n", file="x.yaml")
    assert (len(definition.norms), len(definition.reliabilities), len(definition.risk)) == (1, 1, 1)
    assert (len(definition.codings), len(definition.primary.reverse), definition.recall_days) == (2, 2, 14)


def test_the_first_examples_are_worked_out(home: Path) -> None:
    _, examples = begun(home, "--min", "1", "--max", "5")
    assert examples.read_text(encoding="utf-8").splitlines() == [
        "case,source,our_scale_01,our_scale_02,our_scale_03,total",
        'none answered,"no answers, no score",,,,',
        "all lowest,arithmetic: 3 x 1,1,1,1,3",
        "all highest,arithmetic: 3 x 5,5,5,5,15",
    ]


def test_one_item_has_examples_too() -> None:
    definition = parse_instrument(definition_template("x", name="X", n_items=1, lowest=0, highest=100), file="x.yaml")
    assert examples_template(definition).splitlines()[-1] == "all highest,arithmetic: 1 x 100,100,100"


# --- check ---------------------------------------------------------------------------------------------------------------


def test_what_was_just_begun_still_needs_forms(home: Path) -> None:
    begun(home)
    done = run("check", home=home)
    assert done.exit_code == 1
    assert "our_scale.yaml: can be used; 1 of 1 scales can be scored" in done.output
    assert "our_scale.csv: holds 3 forms and needs at least 12" in done.output


def test_twelve_forms_that_are_right_pass(home: Path) -> None:
    _, examples = begun(home)
    with examples.open("a", encoding="utf-8") as file:
        file.write("\n".join(NINE) + "\n")
    done = run("check", "our_scale", home=home)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "our_scale.csv: every score is as expected")


def test_a_score_that_differs_is_shown_with_its_place(home: Path) -> None:
    definition, examples = begun(home)
    with examples.open("a", encoding="utf-8-sig") as file:
        file.write("\n".join(NINE) + "\n")
    changed(definition, "# reverse: [3, 7]", "reverse: [3]")
    done = run("check", home=home)
    assert done.exit_code == 1
    assert "our_scale.csv, row 5, column total: expected 1, got 3" in done.output


def test_a_broken_definition_does_not_keep_the_others_from_being_checked(home: Path) -> None:
    begun(home, name="a_good_one")
    definition, _ = begun(home, name="broken")
    changed(definition, "method: sum", "method: summ")
    (home / "instruments" / "phq9.yaml").write_text("id: phq9", encoding="utf-8")
    (home / "instruments" / "latin.yaml").write_bytes("id: caf\xe9".encode("latin-1"))
    done = run("check", home=home)
    assert done.exit_code == 1
    assert "a_good_one.yaml: can be used" in done.output
    assert "broken.yaml: key 'scales.total.method'" in done.output
    assert "phq9.yaml: key 'id': 'phq9' is an instrument that comes with the software" in done.output
    assert "latin.yaml: key '(whole file)': is not UTF-8" in done.output


def test_a_definition_without_examples_is_not_enough(home: Path) -> None:
    _, examples = begun(home)
    examples.unlink()
    done = run("check", home=home)
    assert done.exit_code == 1
    assert "our_scale.csv: is not there" in done.output


def test_a_key_is_checked_with_worked_examples_where_there_are_any(home: Path) -> None:
    key, folder = KEYS / "keys" / "rfq54.yaml", home / "scoring_keys"
    (folder / "rfq54.yaml").write_bytes(key.read_bytes())
    without = run("check", home=home)
    assert without.exit_code == 0
    assert "rfq54.yaml: can be used; 2 of 2 scales can be scored" in without.output
    (folder / "rfq54.csv").write_bytes((KEYS / "rfq54.csv").read_bytes())
    assert run("check", "rfq54", home=home).output.splitlines()[-1] == "rfq54.csv: every score is as expected"
    changed(folder / "rfq54.yaml", "reverse: [1, 6,", "reverse: [1,")
    assert run("check", "rfq54", home=home).exit_code == 1


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("nobody.yaml", "scales: {}", "no instrument has that name"),
        ("bsi.yaml", "scales: {gsi: {items: [1]}}", "key 'scales.gsi': its key is published"),
        ("rfq54.yaml", "scales: {rfq_u: {items: [99]}}", "key 'scales.rfq_u.items': names what is not listed"),
    ],
)
def test_a_key_that_cannot_be_used_is_named(home: Path, name: str, text: str, sentence: str) -> None:
    (home / "scoring_keys" / name).write_text(text, encoding="utf-8")
    done = run("check", home=home)
    assert done.exit_code == 1
    assert f"{name}: {sentence}" in done.output


def test_a_home_without_anything_of_its_own_is_fine_and_an_unknown_name_is_wrong_use(home: Path) -> None:
    assert run("check", home=home).exit_code == 0
    unknown = run("check", "our_scale", home=home)
    assert unknown.exit_code == 2
    assert "our_scale" in unknown.output


def test_the_nightly_run_knows_what_was_begun(home: Path) -> None:
    begun(home)
    assert list(local_instruments(home / "instruments")) == ["our_scale"]
    assert "our_scale" not in instruments()


def test_the_key_and_the_examples_of_the_guide_are_right(home: Path, project_root: Path) -> None:
    guide = (project_root / "docs" / "own-instruments.md").read_text(encoding="utf-8")
    [key] = re.findall(r"```yaml\n(source:.*?)```", guide, re.S)
    (home / "scoring_keys" / "dappsf.yaml").write_text(key, encoding="utf-8")
    assert "dappsf.yaml: can be used; 2 of 22 scales can be scored" in run("check", "dappsf", home=home).output
    [forms] = re.findall(r"```\n(case,source,our_scale.*?)```", guide, re.S)
    definition, examples = begun(home)
    examples.write_text(forms, encoding="utf-8")
    assert "our_scale.csv, row 4, column total: expected 9, got 7" in run("check", "our_scale", home=home).output
    changed(definition, "# reverse: [3, 7]", "reverse: [3]")
    changed(examples, "0,0,0,0", "0,0,0,4")
    assert "expected" not in run("check", "our_scale", home=home).output


# --- the command line ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["show", "page", "new", "check"])
def test_every_subcommand_has_help_with_an_example(name: str) -> None:
    shown = CliRunner().invoke(command, [name, "--help"])
    assert shown.exit_code == 0
    assert f"rom instruments {name}" in shown.output


def test_the_home_may_be_named_before_or_after_the_subcommand_or_in_the_environment(home: Path) -> None:
    begun(home)
    for arguments, environment in (
        (["--home", str(home), "check"], {}),
        (["check", "--home", str(home)], {}),
        (["check"], {"ROM_HOME": str(home)}),
        (["--home", "elsewhere", "check", "--home", str(home)], {}),
    ):
        done = CliRunner().invoke(command, arguments, env=environment)
        assert "our_scale.yaml: can be used" in done.output


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from pipelines.cli import main\n"
        "try: main(['instruments', 'page', 'bsi'])\n"
        "except SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(yaml.safe_load(done.stdout.splitlines()[-1]))
    assert "mbt_rom" in loaded
    assert loaded & {"dagster", "great_expectations", "plotly", "pandas", "pyarrow", "scipy", "deltalake"} == set()
