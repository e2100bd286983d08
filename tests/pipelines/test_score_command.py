"""`rom score`: what is found, what is written, and what is said when a file cannot be scored."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from pipelines.commands.score import score

ITEMS = [f"phq9_{n}" for n in range(1, 10)]


def rom_score(*arguments: object) -> Result:
    return CliRunner().invoke(score, [str(argument) for argument in arguments])


def write(path: Path, *rows: list[object], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def read(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    """Three PHQ-9: complete (9), one missing (16 x 9/8 = 18), three missing."""
    return write(
        tmp_path / "forms.csv",
        ["id", *ITEMS, "remark"],
        ["0007", *[1] * 9, "well, yes"],
        ["0008", 2, 2, 2, "", 2, 2, 2, 2, 2, 'she said "no"'],
        ["0009", 3, 3, 3, "NA", ".", "", 3, 3, 3, "two\nlines"],
    )


class TestOutput:
    def test_rows_and_other_columns_stay_and_scores_are_added(self, forms: Path, tmp_path: Path) -> None:
        result = rom_score("phq9", forms, "-o", tmp_path / "out.csv")
        assert result.exit_code == 0, result.output
        before, after = read(forms), read(tmp_path / "out.csv")
        added = ["phq9_total", "phq9_total_n_missing", "phq9_major_depression", "phq9_major_depression_n_missing"]
        assert list(after[0]) == [*before[0], *added]
        assert [{name: row[name] for name in before[0]} for row in after] == before
        assert [row["phq9_total"] for row in after] == ["9", "18", ""]
        assert [row["phq9_total_n_missing"] for row in after] == ["0", "1", "3"]
        assert [row["phq9_major_depression"] for row in after] == ["0", "", ""]

    def test_without_a_name_it_lies_beside_the_file(self, forms: Path) -> None:
        result = rom_score("PHQ-9", forms)
        assert result.exit_code == 0
        assert len(read(forms.with_name("forms_scored.csv"))) == 3
        assert "forms_scored.csv" in result.output

    def test_parquet_keeps_text_as_text(self, forms: Path, tmp_path: Path) -> None:
        assert rom_score("phq9", forms, "-o", tmp_path / "out.parquet").exit_code == 0
        table = pq.read_table(tmp_path / "out.parquet")
        assert table.column("id").to_pylist() == ["0007", "0008", "0009"]
        assert table.column("phq9_total").to_pylist() == [9.0, 18.0, None]

    def test_parquet_in_parquet_out_keeps_types(self, tmp_path: Path) -> None:
        columns = {name: pa.array([1, None, 2], pa.int8()) for name in ITEMS}
        pq.write_table(pa.table({"id": pa.array([1, 2, 3]), **columns}), tmp_path / "in.parquet")
        assert rom_score("phq9", tmp_path / "in.parquet").exit_code == 0
        table = pq.read_table(tmp_path / "in_scored.parquet")
        assert table.schema.field("id").type == pa.int64()
        assert table.column("phq9_1").to_pylist() == [1, None, 2]
        assert table.column("phq9_total").to_pylist() == [9.0, None, 18.0]

    def test_parquet_in_csv_out(self, tmp_path: Path) -> None:
        columns = {name: pa.array([1.0, None, 2.0]) for name in ITEMS}
        pq.write_table(pa.table({"id": pa.array(["01", None, "03"]), **columns}), tmp_path / "in.parquet")
        assert rom_score("phq9", tmp_path / "in.parquet", "-o", tmp_path / "out.csv").exit_code == 0
        rows = read(tmp_path / "out.csv")
        assert [row["phq9_total"] for row in rows] == ["9", "", "18"]
        assert [row["id"] for row in rows] == ["01", "", "03"]

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_delimiter_of_the_file_is_kept(self, delimiter: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["id", *ITEMS, "x"], ["1", *[1] * 9, "3,5"], delimiter=delimiter)
        assert rom_score("phq9", file, "-o", tmp_path / "out.csv").exit_code == 0
        (row,) = read(tmp_path / "out.csv", delimiter=delimiter)
        assert (row["x"], row["phq9_total"]) == ("3,5", "9")

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
    def test_letters_of_other_encodings_survive(self, encoding: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["naam", *ITEMS], ["Zoë", *[1] * 9], encoding=encoding)
        assert rom_score("phq9", file, "-o", tmp_path / "out.csv").exit_code == 0
        (row,) = read(tmp_path / "out.csv", encoding="utf-8-sig")
        assert (row["naam"], row["phq9_total"]) == ("Zoë", "9")

    def test_more_rows_than_are_written_at_once(self, tmp_path: Path) -> None:
        rows = [[f"{n:06d}", *[n % 4] * 9] for n in range(70_000)]
        file = write(tmp_path / "in.csv", ["id", *ITEMS], *rows)
        assert rom_score("phq9", file, "-o", tmp_path / "out.csv").exit_code == 0
        after = read(tmp_path / "out.csv")
        assert [row["id"] for row in after] == [row[0] for row in rows]
        assert [row["phq9_total"] for row in after] == [str(9 * (n % 4)) for n in range(70_000)]

    def test_value_set_stands_beside_the_index_and_in_what_is_said(self, tmp_path: Path) -> None:
        names = [f"eq5d_{word}" for word in ("mobility", "selfcare", "ua", "pain", "anxiety", "vas")]
        file = write(tmp_path / "in.csv", names, [2, 1, 1, 1, 1, 70], [1, 1, 1, 1, "", 80])
        result = rom_score("eq5d3l", file, "--value-set", "uk_1997")
        assert "uk_1997" in result.output
        rows = read(tmp_path / "in_scored.csv")
        # 1 - 0.081 - 0.069, Dolan 1997
        assert [row["eq5d3l_index"] for row in rows] == ["0.85", ""]
        assert [row["eq5d3l_index_value_set"] for row in rows] == ["uk_1997", "uk_1997"]
        assert [row["eq5d3l_profile"] for row in rows] == ["21111", ""]
        assert [row["eq5d3l_vas"] for row in rows] == ["70", "80"]

    def test_without_a_thermometer_the_index_is_scored_all_the_same(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"eq5d5l_{d}" for d in ("mo", "sc", "ua", "pd", "ad")], [2, 1, 1, 1, 1])
        assert rom_score("eq5d5l", file).exit_code == 0
        (row,) = read(tmp_path / "in_scored.csv")
        assert row["eq5d5l_index"] == "0.918"
        assert "eq5d5l_vas" not in row

    def test_a_provisional_rule_is_named_where_it_was_used(self, tmp_path: Path) -> None:
        header = [f"BSI{n:02d}" for n in range(1, 54)]
        complete = rom_score("bsi", write(tmp_path / "complete.csv", header, [1] * 53))
        gapped = rom_score("bsi", write(tmp_path / "gapped.csv", header, ["", *[1] * 52]))
        assert "Provisional" not in complete.output
        assert "Provisional" in gapped.output


class TestFormulas:
    """A text that a spreadsheet would run gets an apostrophe; numbers and identifiers stay."""

    @pytest.mark.parametrize("cell", ["=1+1", "@SUM(A1)", "+cmd|x", "-2+3", "-A12", "\tx", '=HYPERLINK("a","b")'])
    def test_text_that_would_be_run(self, cell: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["id", *ITEMS, "remark"], [cell, *[1] * 9, cell])
        result = rom_score("phq9", file)
        (row,) = read(tmp_path / "in_scored.csv")
        assert (row["id"], row["remark"]) == (f"'{cell}", f"'{cell}")
        assert "2 cells" in result.output

    @pytest.mark.parametrize("cell", ["-5", "+31612345678", "+31 6 12 34 56 78", "-0,25", "-1.5e-3", "-", "007", "a=b"])
    def test_text_that_stays(self, cell: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["id", *ITEMS], [cell, *[1] * 9])
        assert rom_score("phq9", file).exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["id"] == cell

    def test_parquet_holds_no_formulas_and_is_left_alone(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["id", *ITEMS], ["=1+1", *[1] * 9])
        assert rom_score("phq9", file, "-o", tmp_path / "out.parquet").exit_code == 0
        assert pq.read_table(tmp_path / "out.parquet").column("id").to_pylist() == ["=1+1"]


class TestFindingItems:
    @pytest.mark.parametrize(
        "spelling", ["phq9_{}", "PHQ9-0{}", "phq9_0{}", "phq0{}", "PHQ-9 item {}", "PHQ{}", "phq9.{}", " phq9_{} "]
    )
    def test_names_that_are_recognised(self, spelling: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [spelling.format(n) for n in range(1, 10)], [3, *[0] * 7, 1])
        assert rom_score("phq9", file).exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["phq9_total"] == "4"

    def test_the_number_decides_and_not_the_place(self, tmp_path: Path) -> None:
        """Reversed columns: item 9 of 1 makes the fifth symptom only if it is taken for item 9."""
        answers = {1: 2, 2: 0, 3: 2, 4: 2, 5: 2, 6: 0, 7: 0, 8: 0, 9: 1}
        order = sorted(answers, reverse=True)
        file = write(tmp_path / "in.csv", [f"phq9_{n}" for n in order], [answers[n] for n in order])
        assert rom_score("phq9", file).exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["phq9_major_depression"] == "1"

    def test_columns_named_in_order(self, tmp_path: Path) -> None:
        names = [f"DPQ{n:02d}0" for n in range(1, 10)]
        file = write(tmp_path / "in.csv", ["SEQN", *names], ["1.0", *["1.0"] * 8, "7.0"], ["2.0", *["9.0"] * 9])
        result = rom_score("phq9", file, "--items", ",".join(names), "--missing", "7,9")
        assert result.exit_code == 0, result.output
        assert [row["phq9_total"] for row in read(tmp_path / "in_scored.csv")] == ["9", ""]

    def test_a_total_called_like_the_instrument_is_not_item_nine(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [*ITEMS[:8], "phq9"], [*[1] * 8, 3])
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "no column for item 9" in result.output

    def test_item_nine_behind_the_other_eight_is_item_nine(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"phq{n}" for n in range(1, 10)], [*[0] * 8, 3])
        assert rom_score("phq9", file).exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["phq9_total"] == "3"

    def test_two_columns_for_one_item(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [*ITEMS, "PHQ9-01"], [1] * 10)
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "'phq9_1' and 'PHQ9-01'" in result.output

    def test_sixty_columns_called_bsi(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"bsi_{n}" for n in range(1, 61)], [1] * 60)
        result = rom_score("bsi", file)
        assert result.exit_code == 1
        assert "not a BSI" in result.output

    def test_no_item_at_all_and_how_to_call_them(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["a", "b"], [1, 2])
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "phq9_1" in result.output
        assert "--items" in result.output

    def test_missing_code_counts_only_where_it_is_no_answer(self, tmp_path: Path) -> None:
        """9 is missing in a dimension and an answer on the thermometer, as in the files of the NHS."""
        file = write(
            tmp_path / "in.csv", [f"eq5d3l_{d}" for d in ("mo", "sc", "ua", "pd", "ad", "vas")], [9, 1, 1, 1, 1, 9]
        )
        result = rom_score("eq5d3l", file, "--missing", "9,999")
        assert result.exit_code == 0, result.output
        (row,) = read(tmp_path / "in_scored.csv")
        assert (row["eq5d3l_index_n_missing"], row["eq5d3l_vas_n_missing"]) == ("1", "0")


class TestBadInput:
    """Exit code 1, file, row, column, rule and remedy; never the answer; nothing is written."""

    @pytest.mark.parametrize(
        ("cell", "rule"),
        [
            ("77", "answer_out_of_range"),
            ("4", "answer_out_of_range"),
            ("-1", "answer_out_of_range"),
            ("canary", "answer_not_a_code"),
            ("1.5", "answer_not_a_code"),
            ("1e9", "answer_not_a_code"),
        ],
    )
    def test_cell_that_is_no_answer(self, cell: str, rule: str, tmp_path: Path) -> None:
        file = write(tmp_path / "forms.csv", ["id", *ITEMS], [1, *[1] * 9], [2, 1, cell, *[1] * 7])
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "forms.csv, row 3, column 'phq9_2': " in result.output
        assert rule in result.output
        assert "--missing" in result.output
        if len(cell) > 1:
            assert cell not in result.output
        assert sorted(path.name for path in tmp_path.iterdir()) == ["forms.csv"]

    def test_rows_are_counted_as_a_spreadsheet_shows_them(self, tmp_path: Path) -> None:
        """A blank line and a cell of two lines stand before the wrong cell."""
        good, bad = ",".join("1" * 9), ",".join(["x", *"1" * 8])
        (tmp_path / "in.csv").write_text(f'{",".join(ITEMS)},note\n\n{good},"a\nb"\n{bad},c\n', encoding="utf-8")
        assert "row 4, column 'phq9_1'" in rom_score("phq9", tmp_path / "in.csv").output

    def test_long_lists_are_cut_and_counted(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ITEMS, *[["x"] * 9] * 10)
        assert "and 70 cells more" in rom_score("phq9", file).output

    def test_rows_of_another_width(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ITEMS, [1] * 9, ["canary"] * 8, [1] * 9, ["canary"] * 12)
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "row 3, 5" in result.output
        assert "canary" not in result.output

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "empty"),
            (b"\n\n", "empty"),
            (",".join(ITEMS).encode(), "only a header"),
            (b"PK\x03\x04rest", "workbook"),
            (b"\0\1\2\3", "no text"),
        ],
    )
    def test_file_that_holds_no_table(self, content: bytes, says: str, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_bytes(content)
        result = rom_score("phq9", tmp_path / "in.csv")
        assert result.exit_code == 1
        assert says in result.output

    def test_quote_that_is_never_closed(self, tmp_path: Path) -> None:
        (tmp_path / "in.csv").write_text(",".join(ITEMS) + '\n"1,1,1,1,1,1,1,1,1\n', encoding="utf-8")
        assert rom_score("phq9", tmp_path / "in.csv").exit_code == 1

    def test_parquet_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "in.parquet").write_bytes(b"nothing")
        result = rom_score("phq9", tmp_path / "in.parquet")
        assert result.exit_code == 1
        assert "not a Parquet file" in result.output

    def test_scores_that_are_there_already_are_not_doubled(self, forms: Path, tmp_path: Path) -> None:
        assert rom_score("phq9", forms, "-o", tmp_path / "once.csv").exit_code == 0
        result = rom_score("phq9", tmp_path / "once.csv")
        assert result.exit_code == 1
        assert "phq9_total" in result.output

    def test_an_earlier_result_stays_when_the_next_file_is_refused(self, forms: Path, tmp_path: Path) -> None:
        out = tmp_path / "out.csv"
        assert rom_score("phq9", forms, "-o", out).exit_code == 0
        before = out.read_bytes()
        bad = write(tmp_path / "bad.csv", ITEMS, ["x"] * 9)
        assert rom_score("phq9", bad, "-o", out).exit_code == 1
        assert out.read_bytes() == before


class TestWrongUse:
    """Exit code 2."""

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["phq2", "forms.csv"], "phq9"),
            (["phq9", "absent.csv"], "absent.csv"),
            (["phq9", "forms.csv", "-o", "out.xlsx"], ".parquet"),
            (["phq9", "forms.csv", "-o", "nowhere/out.csv"], "folder"),
            (["phq9", "forms.csv", "-o", "forms.csv"], "FILE itself"),
            (["phq9", "forms.csv", "--items", "a,b"], "2 columns"),
            (["bsi", "forms.csv", "--items", ",".join(f"x{n}" for n in range(60))], "not a BSI"),
            (["phq9", "forms.csv", "--items", "a,b,c,d,e,f,g,h,i"], "no column"),
            (["phq9", "forms.csv", "--missing", "3"], "an answer"),
            (["phq9", "forms.csv", "--value-set", "nl_2006"], "not valued"),
            (["eq5d3l", "forms.csv", "--value-set", "nl_2016"], "nl_2006"),
        ],
    )
    def test_what_is_said(self, arguments: list[str], says: str, forms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(forms.parent)
        result = rom_score(*arguments)
        assert result.exit_code == 2, result.output
        assert says in result.output


def test_it_starts_without_anything_slow(forms: Path, project_root: Path) -> None:
    """The modules that took seconds to import when measured; pandas alone is half a second."""
    program = (
        "import sys\n"
        "from pipelines.commands.score import score\n"
        f"score.main(['phq9', {str(forms)!r}], standalone_mode=False)\n"
        "print([m for m in ('pandas', 'dagster', 'great_expectations', 'plotly', 'scipy', 'polars') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=project_root, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_shows_an_example() -> None:
    result = rom_score("--help")
    assert result.exit_code == 0
    assert "rom score phq9 forms.csv" in result.output


@pytest.mark.real_data
def test_nhanes_from_the_file_as_the_cdc_gives_it(shared_data: Path, tmp_path: Path) -> None:
    """459 of 5,068 people who answered all nine score 10 or more: counted with pandas in the same file."""
    items = ",".join(f"DPQ{n:02d}0" for n in range(1, 10))
    source = shared_data / "data/nhanes_phq9/DPQ_J.csv"
    result = rom_score("phq9", source, "--items", items, "--missing", "7,9", "-o", tmp_path / "out.csv")
    assert result.exit_code == 0, result.output
    complete = [row for row in read(tmp_path / "out.csv") if row["phq9_total_n_missing"] == "0"]
    assert (len(complete), sum(float(row["phq9_total"]) >= 10 for row in complete)) == (5068, 459)
