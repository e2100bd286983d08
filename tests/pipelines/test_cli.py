"""The command line: answers at once, ends with 0, 1 or 2, and never shows a traceback or a value."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from pipelines import cli
from pipelines.writing import safe, write

HEAVY = {"dagster", "great_expectations", "plotly", "pandas", "numpy", "pyarrow", "deltalake", "scipy", "dash"}
SETTINGS_NEEDED = {"load", "nightly", "findings", "export", "doctor"}


def _rom(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    root = tmp_path / "home"
    assert _rom("init", "--home", root).returncode == 0
    return root


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from pipelines.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'(\w+)'", done.stdout.splitlines()[-1]))
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    found = CliRunner().invoke(cli.rom, [name, "--help"])
    assert found.exit_code == 0, found.output
    assert f"rom {name}" in found.output


@pytest.mark.parametrize("name", sorted(SETTINGS_NEEDED))
def test_what_is_no_home_is_wrong_use(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.csv").write_text("a\n1\n")
    extra = {"load": [tmp_path / "file.csv", "-p", "x"], "export": ["outcomes/change"]}.get(name, [])
    done = _rom(name, *extra, "--home", tmp_path)
    assert done.returncode == 2
    assert "rom init" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_that_cannot_be_used_are_named_with_their_key(home: Path) -> None:
    settings = home / "consortium.yaml"
    settings.write_text(settings.read_text().replace("disclosure_threshold: 10", "disclosure_threshold: 3"))
    done = _rom("nightly", "--home", home)
    assert done.returncode == 2
    assert "disclosure_threshold" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_home_may_be_named_before_the_command_or_in_the_environment(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _rom("--home", home, "doctor").returncode in (0, 1)
    monkeypatch.setenv("ROM_HOME", str(home))
    assert "a home of layout 1" in _rom("doctor").stdout


def test_a_crash_tells_its_kind_and_place_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise ValueError("patient 123456 answered 3")

    monkeypatch.setattr(cli.rom, "main", broken)
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor"])
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert "ValueError" in told
    assert "123456" not in told
    assert "Traceback" not in told


def test_a_new_home_is_in_order_but_for_what_nobody_sent(home: Path) -> None:
    done = _rom("doctor", "--home", home)
    assert "telemetry is off" in done.stdout
    assert done.returncode == 0, done.stdout
    (home / "secrets" / "vault.key").chmod(0o644)
    worse = _rom("doctor", "--home", home)
    assert worse.returncode == 1
    assert "chmod 600" in worse.stdout


def test_the_doctor_says_that_a_home_needs_a_migration(home: Path) -> None:
    (home / "version").write_text(json.dumps({"layout": 0}))
    done = _rom("doctor", "--home", home)
    assert done.returncode == 2
    assert "needs a migration" in done.stderr


FILE = "patient_id,date,phq9_1,phq9_2,phq9_3,phq9_4,phq9_5,phq9_6,phq9_7,phq9_8,phq9_9,remarks\n"
ROW = "001001,2026-01-05,1,2,3,0,1,2,3,0,1,called her sister Wilhelmina\n"


def test_load_shows_how_columns_are_understood_and_keeps_nothing_on_a_dry_run(home: Path, tmp_path: Path) -> None:
    export = tmp_path / "phq9.csv"
    export.write_text(FILE + ROW)
    done = _rom("load", export, "-p", "our_programme", "--home", home, "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"patient_id\s+patient", done.stdout)
    assert re.search(r"phq9_3\s+item phq9 phq9_03", done.stdout)
    assert "Wilhelmina" not in done.stdout
    assert "001001" not in done.stdout
    assert not list((home / "archive").rglob("*"))
    kept = _rom("load", export, "-p", "our_programme", "--home", home)
    assert kept.returncode == 0, kept.stdout
    assert len([p for p in (home / "archive").rglob("*") if p.is_file()]) == 1
    assert export.exists()
    assert "taken in before" in _rom("load", export, "-p", "our_programme", "--home", home).stdout


def test_a_column_of_citizen_numbers_is_refused_before_anything_is_kept(home: Path, tmp_path: Path) -> None:
    numbers = [n for n in range(111111100, 111112000) if _passes_bsn(n)][:20]
    export = tmp_path / "phq9.csv"
    export.write_text(FILE + "".join(ROW.replace("001001", str(n)) for n in numbers))
    done = _rom("load", export, "-p", "our_programme", "--home", home)
    assert done.returncode == 1
    assert "REFUSED" in done.stdout
    everything = "".join(p.read_text(errors="ignore") for p in home.rglob("*") if p.is_file())
    assert not list((home / "archive").rglob("*"))
    assert [n for n in numbers if str(n) in everything + done.stdout + done.stderr] == []


def _passes_bsn(number: int) -> bool:
    """The Dutch eleven test, written down by hand: 9 x first digit + 8 x second ... + 2 x eighth - last, divisible by 11."""
    digits = [int(d) for d in str(number)]
    return (sum(w * d for w, d in zip(range(9, 1, -1), digits[:8], strict=True)) - digits[8]) % 11 == 0


@pytest.mark.parametrize("programme", ["nobody", ""])
def test_an_unknown_programme_is_wrong_use(home: Path, tmp_path: Path, programme: str) -> None:
    export = tmp_path / "phq9.csv"
    export.write_text(FILE + ROW)
    done = _rom("load", export, "-p", programme, "--home", home)
    assert done.returncode == 2
    assert "our_programme" in done.stderr


def test_a_person_level_table_asks_for_a_purpose_and_the_export_is_logged(home: Path, tmp_path: Path) -> None:
    refused = _rom("export", "scores/phq9", "--home", home, "-o", tmp_path / "out")
    assert refused.returncode == 2
    assert "--purpose" in refused.stderr
    assert not (home / "exports.log").exists()
    done = _rom(
        "export", "scores/phq9", "--purpose", "audit", "--format", "csv,parquet", "--home", home, "-o", tmp_path / "out"
    )
    assert done.returncode == 0, done.stderr
    [line] = (home / "exports.log").read_text().splitlines()
    told = json.loads(line)
    assert (told["table"], told["purpose"], told["formats"]) == ("scores/phq9", "audit", ["csv", "parquet"])
    assert stat.S_IMODE((home / "exports.log").stat().st_mode) == 0o600
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["scores_phq9.csv", "scores_phq9.parquet"]
    assert _rom("export", "benchmarks/programmes", "--home", home, "-o", tmp_path / "out").returncode == 0


HARMFUL = pd.DataFrame({"file": ["=cmd()", "+1", "@x", "-2", "plain.csv"], "row": [1, 2, 3, 4, 5]})


def test_no_cell_becomes_a_formula_in_csv(tmp_path: Path) -> None:
    write(HARMFUL, tmp_path / "list.csv")
    lines = (tmp_path / "list.csv").read_text(encoding="utf-8-sig").splitlines()[1:]
    assert [line[0] for line in lines] == ["'", "'", "'", "'", "p"]


def test_no_cell_becomes_a_formula_or_a_link_in_a_workbook(tmp_path: Path) -> None:
    write(HARMFUL.assign(link="https://example.org"), tmp_path / "list.xlsx")
    with zipfile.ZipFile(tmp_path / "list.xlsx") as workbook:
        sheet = workbook.read("xl/worksheets/sheet1.xml").decode()
        names = workbook.namelist()
    assert "<f>" not in sheet
    assert not any("hyperlink" in name or "_rels/sheet" in name for name in names)


def test_numbers_are_left_numbers() -> None:
    assert safe(HARMFUL)["row"].tolist() == [1, 2, 3, 4, 5]


def test_a_second_writer_is_told_who_holds_the_home(home: Path) -> None:
    hold = "import sys\nfrom datetime import datetime, UTC\nfrom pathlib import Path\nfrom assets.lock import writing\nwith writing(Path(sys.argv[1]), who='rom load', now=datetime(2026,1,1,tzinfo=UTC)):\n    print('held', flush=True)\n    sys.stdin.readline()\n"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        done = _rom("nightly", "--home", home)
        other.communicate("\n")
    assert done.returncode == 2
    assert "rom load (process" in done.stderr
