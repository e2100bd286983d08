"""`rom change` on files: what it writes, what it says, and what it does with bad input."""

import csv
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.commands.change import change

OWN = ["--reliability", "0.80", "--sd", "7.5", "--direction", "higher"]


@pytest.fixture
def run(tmp_path):
    def call(text, *options, name="waves.csv", out="out.csv"):
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        arguments = [str(file), "-o", str(tmp_path / out), "--pre", "pre", "--post", "post", *options]
        result = CliRunner().invoke(change, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result, tmp_path / out

    return call


def rows_of(out):
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_worked_case_of_jacobson_and_truax_with_cut_off_c(run):
    """Jacobson & Truax (1991): RC 3.16; c = 50 with clinical 40 / 7.5 and functional 60 / 7.5."""
    groups = ["--clinical-mean", "40", "--clinical-sd", "7.5", "--functional-mean", "60", "--functional-sd", "7.5"]
    result, out = run("id,pre,post\n007,32.5,47.5\n008,40,60\n009,,50\n", "--id", "id", *OWN, *groups)
    assert result.exit_code == 0
    rows = rows_of(out)
    assert [row["id"] for row in rows] == ["007", "008", "009"]
    assert round(float(rows[0]["index"]), 2) == 3.16
    assert [row["category"] for row in rows] == ["improved", "improved", "missing"]
    assert [row["clinical_category"] for row in rows] == ["improved", "recovered", "missing"]
    assert rows[2]["index"] == ""
    assert "Cut-off c: 50.00" in result.output


@pytest.mark.parametrize(("kind", "boundary"), [("a", "55.00"), ("b", "45.00"), ("c", "50.00")])
def test_the_three_cut_offs(run, kind, boundary):
    groups = ["--clinical-mean", "40", "--clinical-sd", "7.5", "--functional-mean", "60", "--functional-sd", "7.5"]
    result, _ = run("pre,post\n32.5,47.5\n", *OWN, *groups, "--cutoff", kind)
    assert f"Cut-off {kind}: {boundary}" in result.output


def test_without_a_functional_group_there_is_no_clinical_category_and_rows_are_numbered(run):
    result, out = run("pre,post\n32.5,47.5\n47.5,32.5\n", *OWN)
    assert result.exit_code == 0
    assert [(r["id"], r["category"]) for r in rows_of(out)] == [("1", "improved"), ("2", "deteriorated")]
    assert "clinical_category" not in rows_of(out)[0]


def test_sample_values_are_labelled_as_such(run):
    options = [
        "--reliability",
        "0.8",
        "--sd",
        "sample",
        "--direction",
        "lower",
        "--functional-mean",
        "5",
        "--functional-sd",
        "2",
    ]
    result, _ = run("pre,post\n10,4\n20,18\n30,31\n", *options)
    assert "SD 10.000 of the 3 scores before in this file (sample), not of a norm" in result.output
    assert "mean 20.00 and SD 10.00 of the scores before in this file as the clinical group" in result.output


def test_norm_of_an_instrument(run):
    """PHQ-9, SD 5.5 and alpha .89: more than 5.06 points; caseness at 10 (published)."""
    result, out = run("pre,post\n20,9\n20,10\n20,15\n", "--instrument", "phq9", "--scale", "total")
    assert [r["clinical_category"] for r in rows_of(out)] == ["recovered", "improved", "unchanged"]
    assert "must exceed 5.06 points" in result.output
    assert "Boundary of the reference range 10.00" in result.output


def test_a_provisional_norm_is_used_with_a_warning(run):
    result, out = run("pre,post\n1.9,0.4\n", "--instrument", "bsi")
    assert result.exit_code == 0
    assert "Warning: the norm of bsi gsi is provisional" in result.stderr
    assert rows_of(out)[0]["clinical_category"] == "recovered"


def test_separator_decimal_comma_encoding_and_quotes(run):
    text = 'naam;pre;post\n"Zoë; 1";"32,5";47,5\n'.encode("cp1252")
    result, out = run(text, "--id", "naam", *OWN)
    assert result.exit_code == 0, result.output
    assert rows_of(out)[0]["id"] == "Zoë; 1"
    assert round(float(rows_of(out)[0]["index"]), 2) == 3.16


def test_a_byte_order_mark_is_no_part_of_the_first_column(run):
    result, out = run(b"\xef\xbb\xbfpre,post\n32.5,47.5\n", *OWN)
    assert result.exit_code == 0, result.output
    assert len(rows_of(out)) == 1


def test_parquet_in_and_out(run, tmp_path):
    table = pa.table({"id": ["01", "02"], "pre": pa.array([32.5, None]), "post": pa.array([47, 40], pa.int8())})
    pq.write_table(table, tmp_path / "waves.parquet")
    data = (tmp_path / "waves.parquet").read_bytes()
    result, out = run(data, "--id", "id", *OWN, name="waves.parquet", out="out.parquet")
    assert result.exit_code == 0, result.output
    assert pq.read_table(out).select(["id", "category"]).to_pylist() == [
        {"id": "01", "category": "improved"},
        {"id": "02", "category": "missing"},
    ]


@pytest.mark.parametrize(
    ("text", "row", "column", "rule"),
    [
        ("", None, None, "file_unreadable: it is empty"),
        ("pre,post\n", None, None, "file_header_only"),
        ("pre,post\n1,2\n\n3,SECRET\n", 4, "post", "score_not_a_number"),
        ('pre,note,post\n1,"two\nlines",2\nSECRET,x,3\n', 3, "pre", "score_not_a_number"),
        ("pre,post\n1,inf\n", 2, "post", "score_not_a_number"),
        ("pre,post\n1,1e999\n", 2, "post", "score_not_a_number"),
        ("pre,post\n1,2\nSECRET,3,4\n", None, None, "file_unreadable: row 3: not 2 cells"),
        ("pre,pre,post\n1,2,3\n", 1, "pre", "column_twice"),
    ],
)
def test_bad_input_is_named_by_file_row_column_and_rule_and_nothing_is_written(run, text, row, column, rule):
    result, out = run(text, *OWN)
    assert result.exit_code == 1
    where = ["waves.csv", *([f"row {row}"] if row else []), *([f"column '{column}'"] if column else [])]
    assert f"{', '.join(where)}: {rule}" in result.stderr
    assert "SECRET" not in result.output
    assert not out.exists()


def test_a_file_that_is_no_parquet(run):
    result, out = run(b"PAR1 cut off", *OWN, name="waves.parquet")
    assert (result.exit_code, out.exists()) == (1, False)
    assert "file_unreadable" in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([*OWN, "--method", "gln"], "gln comes later; available: jt"),
        ([*OWN, "--method", "jt,percent"], "percent comes later; available: jt"),
        ([*OWN, "--method", "best"], "there is no method best; available: jt"),
        (["--instrument", "phq9", "--sd", "5"], "leave out --sd"),
        (["--instrument", "phq99"], "there is no instrument 'phq99'; there are"),
        (["--instrument", "phq9", "--scale", "gsi"], "phq9 has no scale 'gsi'; it has total"),
        (["--instrument", "eq5d5l", "--scale", "vas"], "has no norm for scale 'vas'"),
        (["--sd", "5"], "--reliability, --direction not given"),
        ([*OWN, "--cutoff", "c"], "--cutoff c needs --functional-mean"),
        ([*OWN, "--functional-mean", "3"], "--functional-mean and --functional-sd belong together"),
        (["--reliability", "1", "--sd", "5", "--direction", "lower"], "not in the range 0<x<1"),
        (["--reliability", "0.8", "--sd", "five", "--direction", "lower"], "a number or the word 'sample'"),
        ([*OWN, "--id", "patient"], "has no column 'patient'; it has pre, post"),
    ],
)
def test_wrong_use_says_what_would_be_right(run, options, said):
    result, out = run("pre,post\n1,2\n", *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not out.exists()


def test_the_file_that_is_read_is_never_overwritten(run, tmp_path):
    result, _ = run("pre,post\n1,2\n", *OWN, out="waves.csv")
    assert result.exit_code == 2
    assert (tmp_path / "waves.csv").read_text() == "pre,post\n1,2\n"


def test_an_id_does_not_become_a_formula(run):
    _, out = run("id,pre,post\n=1+1,1,2\n+a,1,2\n@b,1,2\n-c,1,2\n-7,1,2\n0012,1,2\n", "--id", "id", *OWN)
    assert [row["id"] for row in rows_of(out)] == ["'=1+1", "'+a", "'@b", "'-c", "-7", "0012"]


UTILITIES = ["--reliability", "0.80", "--sd", "0.2", "--direction", "higher"]


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        ("pre_value_set,post_value_set", "nl_2016,uk_2026"),
        ("pre_value_set,post_value_set", "nl_2016,crosswalk_nl_2006"),
        ("pre_value_set,post_value_set", "nl_2016,"),
        ("pre_value_set,remark", "nl_2016,uk_2026"),
    ],
)
def test_utilities_of_two_value_sets_are_refused_and_nothing_is_written(run, names, cells):
    """The last two: one of the scores names no value set, or has no column that could."""
    result, out = run(f"pre,post,{names}\n0.5,0.8,{cells}\n0.5,0.8,{cells}\n", *UTILITIES)
    assert result.exit_code == 1
    assert "waves.csv, column 'pre_value_set'" in result.output
    assert "value_sets_mixed" in result.output
    assert "--value-set" in result.output
    assert "nl_2016" in result.output
    assert not out.exists()


def test_utilities_of_two_value_sets_in_one_column_are_refused(run):
    text = "pre,post,pre_value_set,post_value_set\n0.5,0.8,nl_2016,nl_2016\n0.5,0.8,uk_2026,uk_2026\n"
    result, _ = run(text, *UTILITIES)
    assert result.exit_code == 1
    assert "nl_2016 and uk_2026" in result.output


def test_utilities_of_one_value_set_are_compared_and_it_is_named(run):
    """0.3 / (sqrt(2) x 0.2 x sqrt(0.2)) = 2.37. Where no score is there, no value set need be named."""
    text = "pre,post,pre_value_set,post_value_set\n0.5,0.8,nl_2016, nl_2016\n0.5,,nl_2016,\n,0.8,NA,nl_2016\n"
    result, out = run(text, *UTILITIES)
    assert result.exit_code == 0, result.output
    assert "Both scores are utilities of the value set nl_2016." in result.output
    assert [row["category"] for row in rows_of(out)] == ["improved", "missing", "missing"]
    assert round(float(rows_of(out)[0]["index"]), 2) == 2.37


def test_two_files_of_rom_score_joined_under_additions(tmp_path):
    """What pandas.merge(suffixes=("_t0", "_t1")) makes of two files that rom score wrote."""
    file = tmp_path / "joined.csv"
    header = "eq5d5l_index_t0,eq5d5l_index_value_set_t0,eq5d5l_index_t1,eq5d5l_index_value_set_t1"
    arguments = [str(file), "-o", str(tmp_path / "out.csv"), "--pre", "eq5d5l_index_t0", "--post", "eq5d5l_index_t1"]
    for other, exit_code in (("nl_2016", 0), ("nl_2016_unrounded", 1)):
        file.write_text(f"{header}\n0.5,nl_2016,0.8,{other}\n")
        assert CliRunner().invoke(change, [*arguments, *UTILITIES]).exit_code == exit_code


def test_scores_without_value_sets_are_no_utilities(run):
    result, _ = run("pre,post,value_set\n32.5,47.5,nl_2016\n", *OWN)
    assert result.exit_code == 0
    assert "value set" not in result.output


def test_it_starts_without_pandas_dagster_or_plotly(project_root):
    code = "import sys; import pipelines.commands.change; print([m for m in ('pandas', 'dagster', 'plotly', 'scipy', 'great_expectations') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_needs_no_pandas(project_root, tmp_path):
    (tmp_path / "w.csv").write_text("pre,post\n20,9\n")
    code = (
        "import sys; from pipelines.commands.change import change; change(sys.argv[1:], standalone_mode=False); "
        "print([m for m in ('pandas', 'dagster', 'scipy') if m in sys.modules])"
    )
    arguments = [
        str(tmp_path / "w.csv"),
        "-o",
        str(tmp_path / "o.csv"),
        "--pre",
        "pre",
        "--post",
        "post",
        "--instrument",
        "phq9",
    ]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=project_root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"
