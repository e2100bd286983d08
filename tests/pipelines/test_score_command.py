"""`rom score`: what is found, what is written, and what is said when a file cannot be scored."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from mbt_rom.registry import instrument
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
        assert [row["eq5d3l_index_value_set"] for row in rows] == ["uk_1997", ""]
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


class TestCounts:
    """Events have no upper limit; what a computer can store has one."""

    NAMES = [f"sshi_{name}" for name in ("suicidal_acts", "self_harm_acts", "hospital_admissions", "months_covered")]

    @pytest.mark.parametrize("count", [127, 128, 255, 999, 1000, 1001, 1500, 32767])
    def test_large_counts_are_scored_as_they_are(self, count: int, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", self.NAMES, [0, count, 0, 6], ["", 0, 0, 6])
        result = rom_score("sshi", file)
        assert result.exit_code == 0, result.output
        first, second = read(tmp_path / "in_scored.csv")
        assert float(first["sshi_self_harm_acts_rate"]) == pytest.approx(count / 6)
        assert (first["sshi_any_self_harm"], second["sshi_any_suicidal_act"]) == ("1", "")

    @pytest.mark.parametrize(
        ("cell", "rule"),
        [("32768", "answer_out_of_range"), ("-1", "answer_out_of_range"), ("1.500", "answer_not_a_code"), ("1,000", "answer_not_a_code"),
         ("12 keer", "answer_not_a_code")],
    )  # fmt: skip
    def test_what_is_no_count(self, cell: str, rule: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", self.NAMES, [0, cell, 0, 6])
        result = rom_score("sshi", file)
        assert result.exit_code == 1
        assert "in.csv, row 2, column 'sshi_self_harm_acts'" in result.output
        assert rule in result.output
        assert cell not in result.output

    def test_a_cost_of_many_contacts(self, tmp_path: Path) -> None:
        """1,200 visits to the general practitioner x 30.87 (fixture of the TiC-P); the other counts are 0 by their gates."""
        names = [item.id for item in instrument("ticp").items]
        row = [1200 if name == "ticp_gp" else 0 if name.endswith("_any") else "" for name in names]
        file = write(tmp_path / "in.csv", names, row)
        assert rom_score("ticp", file).exit_code == 0
        assert float(read(tmp_path / "in_scored.csv")[0]["ticp_medical_cost"]) == pytest.approx(1200 * 30.87)


class TestColumnsThatMayLack:
    def test_scales_without_their_columns_are_not_written_and_named(self, tmp_path: Path) -> None:
        names = [f"clinical_process_{n}" for n in range(1, 18)]
        file = write(tmp_path / "in.csv", names, [1] * 17, [1] * 16 + [0])
        result = rom_score("clinical_process", file)
        assert result.exit_code == 0, result.output
        rows = read(tmp_path / "in_scored.csv")
        assert [row["clinical_process_initial_done"] for row in rows] == ["1", "0.94"]
        assert not any(name.startswith(("clinical_process_ending", "clinical_process_all")) for name in rows[0])
        assert (
            "Not written: ending_done, all_done (no column for clinical_process_18, clinical_process_19, clinical_process_20)"
            in result.output
        )

    def test_an_item_that_no_score_rests_on_may_hold_anything(self, tmp_path: Path) -> None:
        """Item 10 of the PHQ-9 asks how difficult it was; its labels are others."""
        file = write(tmp_path / "in.csv", [*ITEMS, "phq9_10"], [*[1] * 9, "somewhat difficult"])
        assert rom_score("phq9", file).exit_code == 0


class TestCodings:
    def one(
        self, tmp_path: Path, instrument_id: str, names: list[str], answers: list[object], *more: str
    ) -> dict[str, str]:
        result = rom_score(instrument_id, write(tmp_path / "in.csv", names, answers), "-o", tmp_path / "out.csv", *more)
        assert result.exit_code == 0, result.output
        (row,) = read(tmp_path / "out.csv")
        return row

    def test_counted_from_one(self, tmp_path: Path) -> None:
        row = self.one(tmp_path, "phq9", ITEMS, [1, 2, 3, 4, 1, 1, 1, 1, 1], "--coding", "one_based")
        assert row["phq9_total"] == "6"

    def test_numbers_are_canonical_unless_said_and_what_to_say_is_named(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ITEMS, [1, 2, 3, 4, 1, 1, 1, 1, 1])
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert "answer_out_of_range" in result.output
        assert "--coding one_based" in result.output

    def test_no_other_coding_is_named_when_none_fits(self, tmp_path: Path) -> None:
        result = rom_score("phq9", write(tmp_path / "in.csv", ITEMS, [0, 2, 3, 4, 1, 1, 1, 1, 1]))
        assert "--coding" not in result.output

    @pytest.mark.parametrize(
        ("labels", "coding"),
        [
            (["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"], "loinc_answers"),
            (["Not at all", "several days", "More than half the days", "NEARLY EVERY DAY"], "labels_en"),
            (["Helemaal niet", "Verscheidene dagen", "meer dan de helft van de dagen", "Bijna elke dag"], "labels_nl"),
        ],
    )
    def test_labels_are_recognised_and_named(self, labels: list[str], coding: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ITEMS, [labels[3], labels[2], labels[1], *[labels[0]] * 5, ""])
        result = rom_score("phq9", file)
        assert result.exit_code == 0, result.output
        assert f"Coding recognised by its labels: {coding}\n" in result.output
        # 3 + 2 + 1 over eight answered items: 6 x 9 / 8
        assert read(tmp_path / "in_scored.csv")[0]["phq9_total"] == "6.75"

    def test_a_number_among_labels_is_not_guessed(self, tmp_path: Path) -> None:
        """It may count from 0 or from 1."""
        file = write(tmp_path / "in.csv", ITEMS, [*["several days"] * 9], [1, *["not at all"] * 8])
        result = rom_score("phq9", file)
        assert result.exit_code == 1
        assert (
            "row 3, column 'phq9_1': neither a whole number nor a label; the two do not stand in one column"
            in result.output
        )

    def test_a_file_of_numbers_names_no_labels(self, forms: Path) -> None:
        assert "recognised" not in rom_score("phq9", forms).output

    def test_items_that_an_export_stores_turned_round(self, tmp_path: Path) -> None:
        """All 0 as RoQua stores it is the best form (0); all 0 as ticked gives 9 turned items 4 points each."""
        names = [f"oq45_{n}" for n in range(1, 46)]
        assert self.one(tmp_path, "oq45", names, [0] * 45, "--coding", "pre_reversed")["oq45_total"] == "0"
        assert self.one(tmp_path, "oq45", names, [0] * 45)["oq45_total"] == "36"

    def test_items_that_run_against_all_others_must_be_declared(self, tmp_path: Path) -> None:
        """Sixty patients between well and ill, each item one point up or down, stored as RoQua does it."""
        names = [f"oq45_{n}" for n in range(1, 46)]
        rows = [[min(max(p % 4 + (p * n) % 3 - 1, 0), 4) for n in range(1, 46)] for p in range(60)]
        file = write(tmp_path / "in.csv", names, *rows)
        result = rom_score("oq45", file)
        assert result.exit_code == 1
        assert "coding_undeclared" in result.output
        assert "--coding pre_reversed or --coding canonical" in result.output
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]
        assert rom_score("oq45", file, "--coding", "pre_reversed").exit_code == 0
        totals = [float(row["oq45_total"]) for row in read(tmp_path / "in_scored.csv")]
        assert totals == [sum(row) for row in rows]

    def test_right_and_wrong_instead_of_the_chosen_word(self, tmp_path: Path) -> None:
        names = [f"rmet_{n}" for n in range(1, 37)]
        row = self.one(tmp_path, "rmet", names, [1] * 25 + [0] * 11, "--coding", "scored")
        assert row["rmet_total"] == "25"

    def test_letters_behind_the_score_of_an_item(self, tmp_path: Path) -> None:
        answers: list[object] = [1] * 21
        answers[15], answers[17] = "2b", "3A"
        assert self.one(tmp_path, "bdi2", [f"bdi2_{n}" for n in range(1, 22)], answers)["bdi2_total"] == "24"

    def test_ratings_of_an_interview(self, tmp_path: Path) -> None:
        names = [item.id for item in instrument("scid1").items]
        row = self.one(tmp_path, "scid1", names, [3, 1, 2, 3, 1, 1, 1], "--coding", "scid_rating")
        assert (row["scid1_n_axis1_groups"], row["scid1_any_axis1"]) == ("2", "1")

    def test_ratings_that_might_be_answers_are_not_taken_for_them(self, tmp_path: Path) -> None:
        """Only 1s: every diagnosis present (canonical), or every one absent (a rating of 1)?"""
        file = write(tmp_path / "in.csv", [item.id for item in instrument("scid1").items], [1] * 7)
        result = rom_score("scid1", file)
        assert result.exit_code == 1
        assert "--coding scid_rating or --coding canonical" in result.output
        assert rom_score("scid1", file, "--coding", "canonical").exit_code == 0

    def test_yes_and_no_beside_the_missing_code_of_the_form(self, tmp_path: Path) -> None:
        names = [f"programme_requirements_{n}" for n in range(1, 18)]
        # Item 16 is blank in the manual and counts for nothing.
        row = self.one(tmp_path, "programme_requirements", names, ["Ja", "nee", *["ja"] * 13, "NA", "Yes"])
        assert row["programme_requirements_fulfilled"] == "15"
        gaps = self.one(tmp_path, "scid1", [i.id for i in instrument("scid1").items], ["?", *["no"] * 6])
        assert (gaps["scid1_any_axis1"], gaps["scid1_any_axis1_n_missing"]) == ("", "1")

    def test_a_coding_that_cannot_be_seen_must_be_stated(self, tmp_path: Path, keys: Path) -> None:
        names = [f"sipp118_{n}" for n in range(1, 119)]
        file = write(tmp_path / "in.csv", names, [4] * 118)
        result = rom_score("sipp118", file, "--key", keys / "sipp118.yaml")
        assert result.exit_code == 2
        assert all(coding.id in result.output for coding in instrument("sipp118").codings)
        # Item 2 is turned round and item 1 is not: the invented key has item 2 under trustworthiness, 1 under enjoyment.
        stated = rom_score("sipp118", file, "--key", keys / "sipp118.yaml", "--coding", "raw_agreement")
        assert stated.exit_code == 0, stated.output
        (row,) = read(tmp_path / "in_scored.csv")
        turned = {int(item[-3:].lstrip("_")) for item in instrument("sipp118").codings[1].reversed_items}
        n_turned = len({2, 31, 39, 54, 81, 84, 95} & turned)
        assert float(row["sipp118_trustworthiness"]) == round((n_turned * 1 + (7 - n_turned) * 4) / 7, 2)


class TestOrders:
    #: Places of the reversed items in the mixed order, from the note of the definition.
    REVERSED = (2, 3, 5, 11, 15, 17, 19, 22, 25, 27, 29, 31, 33, 35)

    @pytest.fixture
    def mixed(self, tmp_path: Path) -> Path:
        """The form without any trace of anxiety or avoidance, as it stands in the mixed order."""
        names = [f"ecrr_{n}" for n in range(1, 37)]
        return write(tmp_path / "in.csv", names, [7 if n in self.REVERSED else 1 for n in range(1, 37)])

    def test_an_order_that_cannot_be_seen_must_be_stated(self, mixed: Path) -> None:
        result = rom_score("ecrr", mixed)
        assert result.exit_code == 2
        assert "--order" in result.output
        assert "--items" in result.output
        assert all(name in result.output for name in ("author_page", "alternating"))
        assert "18 items on anxiety, then 18 on avoidance" in result.output

    def test_numbers_are_places_in_the_stated_order(self, mixed: Path) -> None:
        assert rom_score("ecrr", mixed, "--order", "alternating").exit_code == 0
        (row,) = read(mixed.with_name("in_scored.csv"))
        assert (row["ecrr_anxiety"], row["ecrr_avoidance"]) == ("1", "1")

    def test_another_order_gives_another_score(self, mixed: Path) -> None:
        result = rom_score("ecrr", mixed, "--order", "author_page")
        (row,) = read(mixed.with_name("in_scored.csv"))
        assert (row["ecrr_anxiety"], row["ecrr_avoidance"]) != ("1", "1")
        assert "Order: author_page" in result.output

    def test_columns_named_in_canonical_order_need_none(self, tmp_path: Path) -> None:
        names = [f"q{n}" for n in range(36)]
        # Canonical: anxiety first, of which items 9 and 11 are reversed.
        file = write(tmp_path / "in.csv", names, [7 if n in (8, 10) else 1 for n in range(36)])
        assert rom_score("ecrr", file, "--items", ",".join(names)).exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["ecrr_anxiety"] == "1"

    def test_columns_named_in_another_order(self, tmp_path: Path) -> None:
        names = [f"q{n}" for n in range(1, 37)]
        file = write(tmp_path / "in.csv", names, [7 if n in self.REVERSED else 1 for n in range(1, 37)])
        assert rom_score("ecrr", file, "--items", ",".join(names), "--order", "alternating").exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["ecrr_avoidance"] == "1"

    def test_grouped_by_subscale(self, tmp_path: Path) -> None:
        """Reversed places 3, 5, 12, 16, 18 and 24; the last six are self-harm: 5 x 3, and 24 turned to 0 gives 3 more."""
        names = [f"paibor_{n}" for n in range(1, 25)]
        best = [3 if n in (3, 5, 12, 16, 18, 24) else 0 for n in range(1, 25)]
        file = write(tmp_path / "in.csv", names, best, [*best[:18], 3, 3, 3, 3, 3, 0])
        assert rom_score("paibor", file, "--order", "grouped_by_subscale").exit_code == 0
        rows = read(tmp_path / "in_scored.csv")
        assert [row["paibor_total"] for row in rows] == ["0", "18"]
        assert [row["paibor_self_harm"] for row in rows] == ["0", "18"]


@pytest.fixture
def keys(project_root: Path) -> Path:
    """Keys invented for the tests."""
    return project_root / "tests/instruments/keys"


class TestKeys:
    SITE_SUPPLIED = {"dappsf": 136, "rfq54": 54, "sipp118": 118}

    def forms_of(self, instrument_id: str, folder: Path) -> Path:
        n = self.SITE_SUPPLIED[instrument_id]
        return write(folder / "in.csv", [f"{instrument_id}_{k}" for k in range(1, n + 1)], [2] * n)

    @pytest.mark.parametrize("instrument_id", SITE_SUPPLIED)
    def test_without_one_it_is_said_what_to_supply(self, instrument_id: str, tmp_path: Path) -> None:
        result = rom_score(instrument_id, self.forms_of(instrument_id, tmp_path), "--coding", "canonical")
        assert result.exit_code == 2
        definition = instrument(instrument_id)
        assert str(definition.needs) in result.output
        assert "--key FILE" in result.output
        assert f"ROM_HOME/scoring_keys/{instrument_id}.yaml" in result.output
        assert all(scale.id in result.output for scale in definition.scales if scale.key == "site_supplied")
        assert not (tmp_path / "in_scored.csv").exists()

    @pytest.mark.parametrize("instrument_id", SITE_SUPPLIED)
    def test_the_example_that_is_shown_is_a_key_that_works(self, instrument_id: str, tmp_path: Path) -> None:
        """Filled in for some scales only: the others are not written."""
        file = self.forms_of(instrument_id, tmp_path)
        shown = rom_score(instrument_id, file).output
        example = re.search(r"^  source:.*?(?=\n\n)", shown, re.DOTALL | re.MULTILINE)
        assert example is not None
        (tmp_path / "key.yaml").write_text(example.group(0), encoding="utf-8")
        result = rom_score(instrument_id, file, "--key", tmp_path / "key.yaml", "--coding", "canonical")
        assert result.exit_code == 0, result.output
        (row,) = read(tmp_path / "in_scored.csv")
        first = re.search(r"^    (\w+): {items: \[1, 2, 3\], reverse: \[2\]}", shown, re.MULTILINE)
        assert first is not None
        # Two answers of 2, and a 2 turned round (min + max - 2); the scale is rounded to two decimals where it says so.
        item = instrument(instrument_id).items[1]
        expected = (2 + 2 + item.min + item.largest - 2) / 3
        assert float(row[f"{instrument_id}_{first.group(1)}"]) == pytest.approx(expected, abs=0.005)
        if instrument_id != "rfq54":
            assert "its key was not supplied" in result.output

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("scales:\n  rfq_x: {items: [1], reverse: []}", ["scales.rfq_x", "is no scale", "rfq_u"]),
            ("scales:\n  rfq_u: {items: [55], reverse: []}", ["scales.rfq_u.items", "55"]),
            ("scales:\n  rfq_u: {item: [1]}", ["scales.rfq_u.item", "spelling"]),
            ("scales: [", ["line"]),
            ("", ["holds no keys"]),
        ],
    )
    def test_a_key_that_cannot_be_used(self, text: str, says: list[str], tmp_path: Path) -> None:
        (tmp_path / "ours.yaml").write_text(text, encoding="utf-8")
        result = rom_score("rfq54", self.forms_of("rfq54", tmp_path), "--key", tmp_path / "ours.yaml")
        assert result.exit_code == 2
        assert all(word in result.output for word in ["ours.yaml", "key", *says]), result.output

    def test_a_key_for_what_is_published_is_refused(self, forms: Path, tmp_path: Path) -> None:
        (tmp_path / "ours.yaml").write_text("scales:\n  total: {items: [1, 2]}", encoding="utf-8")
        result = rom_score("phq9", forms, "--key", tmp_path / "ours.yaml")
        assert result.exit_code == 2
        assert "its key is published" in result.output

    def test_the_key_of_a_home_is_used_and_named(self, tmp_path: Path, keys: Path) -> None:
        folder = tmp_path / "home/scoring_keys"
        folder.mkdir(parents=True)
        (folder / "rfq54.yaml").write_bytes((keys / "rfq54.yaml").read_bytes())
        file = self.forms_of("rfq54", tmp_path)
        result = rom_score("rfq54", file, "--home", tmp_path / "home")
        assert result.exit_code == 0, result.output
        assert f"Key: {folder / 'rfq54.yaml'}" in result.output
        # 25 items, 6 of them turned round to 8 - 2.
        assert float(read(tmp_path / "in_scored.csv")[0]["rfq54_rfq_u"]) == pytest.approx((19 * 2 + 6 * 6) / 25)

    def test_a_home_that_is_none(self, forms: Path, tmp_path: Path) -> None:
        assert rom_score("phq9", forms, "--home", tmp_path / "nowhere").exit_code == 2


class TestExternalScores:
    @pytest.mark.parametrize(("instrument_id", "n"), [("mpq", 276), ("mmpi2rf", 338)])
    def test_raw_answers_are_refused(self, instrument_id: str, n: int, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"{instrument_id}_{k}" for k in range(1, n + 1)], [1] * n)
        result = rom_score(instrument_id, file)
        assert result.exit_code == 1
        assert f"{n} columns are numbered like raw answers" in result.output
        assert str(instrument(instrument_id).needs) in result.output

    def test_t_scores_are_taken_over_scale_by_scale(self, tmp_path: Path) -> None:
        """Beside raw answers of the same form, which stay as they are."""
        names = ["mpq_nem", "mpq_wb", "mpq_1", "mpq_2"]
        file = write(tmp_path / "in.csv", names, [64, 35, 1, 0], ["", 50, 0, 0])
        result = rom_score("mpq", file)
        assert result.exit_code == 0, result.output
        rows = read(tmp_path / "in_scored.csv")
        assert list(rows[0]) == [*names, "mpq_nem_n_missing", "mpq_wb_n_missing"]
        assert [row["mpq_nem_n_missing"] for row in rows] == ["0", "1"]
        assert "no column for mpq_pem" in result.output

    def test_what_cannot_be_a_t_score(self, tmp_path: Path) -> None:
        result = rom_score("mpq", write(tmp_path / "in.csv", ["mpq_nem"], [7]))
        assert result.exit_code == 1
        assert "20..120" in result.output


class TestEq5d:
    def test_a_column_of_states(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "in.csv", ["id", "state", "eq5d5l_vas"], [1, "21111", 70], [2, "11111.0", ""], [3, "", 50]
        )
        result = rom_score("eq5d5l", file, "--profile", "state")
        assert result.exit_code == 0, result.output
        rows = read(tmp_path / "in_scored.csv")
        assert [row["eq5d5l_index"] for row in rows] == ["0.918", "1", ""]
        assert [row["eq5d5l_level_sum"] for row in rows] == ["6", "5", ""]
        assert [row["eq5d5l_index_n_missing"] for row in rows] == ["0", "0", "5"]
        assert [row["eq5d5l_vas_n_missing"] for row in rows] == ["0", "1", "0"]

    def test_a_dimension_that_was_not_answered(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["eq5d3l_profile"], ["29111"], ["21111"])
        assert rom_score("eq5d3l", file, "--profile", "eq5d3l_profile", "--missing", "9").exit_code == 0
        rows = read(tmp_path / "in_scored.csv")
        assert [(row["eq5d3l_index"], row["eq5d3l_index_n_missing"]) for row in rows] == [("", "1"), ("0.893", "0")]

    def test_states_counted_from_nought(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["state"], ["10000"])
        assert rom_score("eq5d3l", file, "--profile", "state", "--coding", "zero_based").exit_code == 0
        assert read(tmp_path / "in_scored.csv")[0]["eq5d3l_index"] == "0.893"

    @pytest.mark.parametrize("state", ["1123", "112311", "1123x", "11 123", "41111", "01111", "-21111"])
    def test_what_is_no_state(self, state: str, tmp_path: Path) -> None:
        result = rom_score("eq5d3l", write(tmp_path / "in.csv", ["state"], ["11111"], [state]), "--profile", "state")
        assert result.exit_code == 1
        assert "in.csv, row 3, column 'state': not 5 digits that are levels from 1 to 3" in result.output
        assert result.output.count("row 3") == 1
        assert state not in result.output

    def test_people_under_eighteen_get_no_utility(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "in.csv", ["state", "age"], *[["21111", age] for age in ("17", "17.9", "18", "18,0", "", "999")]
        )
        result = rom_score("eq5d5l", file, "--profile", "state", "--age", "age", "--missing", "999", "--bounds")
        assert result.exit_code == 0, result.output
        rows = read(tmp_path / "in_scored.csv")
        for name, value in (("index", "0.918"), ("index_value_set", "nl_2016"), ("index_lowest", "0.918")):
            assert [row[f"eq5d5l_{name}"] for row in rows] == ["", "", *[value] * 4], name
        assert [row["eq5d5l_level_sum"] for row in rows] == ["6"] * 6
        assert "4 scored; 2 under 18 not scored" in result.output

    @pytest.mark.parametrize("age", ["canary", "-3", "131", "1958-02-03"])
    def test_what_is_no_age(self, age: str, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ["state", "age"], ["21111", 30], ["21111", age])
        result = rom_score("eq5d5l", file, "--profile", "state", "--age", "age")
        assert result.exit_code == 1
        assert "row 3, column 'age'" in result.output
        assert age not in result.output


class TestBounds:
    def test_what_the_score_could_have_been(self, tmp_path: Path) -> None:
        """One of nine missing: 0 to 3 points more than the eight that were answered."""
        rows = [[1] * 9, [2] * 8 + [""], [1] * 8 + [""], [0] * 8 + [""]]
        file = write(tmp_path / "in.csv", ITEMS, *rows)
        result = rom_score("phq9", file, "--bounds")
        assert result.exit_code == 0, result.output
        after = read(tmp_path / "in_scored.csv")
        limits = [(row["phq9_total"], row["phq9_total_lowest"], row["phq9_total_highest"]) for row in after]
        assert limits == [("9", "9", "9"), ("18", "16", "19"), ("9", "8", "11"), ("0", "0", "3")]
        crossed = [row["phq9_total_cutoffs_crossed"] for row in after]
        assert [bool(text) for text in crossed] == [False, False, True, False]
        assert "caseness" in crossed[2].split()  # 10 or more
        assert "1 that the missing answers could move across a cut-off" in result.output

    def test_scales_without_cutoffs_have_no_such_column(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"ecr_{n}" for n in range(1, 37)], [4] * 36)
        assert rom_score("ecr", file, "--bounds", "-o", tmp_path / "out.parquet").exit_code == 0
        table = pq.read_table(tmp_path / "out.parquet")
        assert "ecr_anxiety_lowest" in table.column_names
        assert "ecr_anxiety_cutoffs_crossed" not in table.column_names

    def test_parquet_holds_nothing_where_nothing_is_crossed(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", ITEMS, [1] * 9, [1] * 8 + [""])
        assert rom_score("phq9", file, "--bounds", "-o", tmp_path / "out.parquet").exit_code == 0
        crossed = pq.read_table(tmp_path / "out.parquet").column("phq9_total_cutoffs_crossed").to_pylist()
        assert crossed[0] is None
        assert crossed[1].startswith("caseness ")


class TestReport:
    def test_scored_not_scored_and_why(self, forms: Path) -> None:
        lines = rom_score("phq9", forms).output.splitlines()
        assert lines[1:3] == [
            "  phq9_total: 2 scored, 1 of them with answers missing (prorated); 1 not scored: more answers missing than the rule "
            "allows",
            "  phq9_major_depression: 1 scored; 2 not scored: answers missing",
        ]

    def test_not_defined_for_these_answers(self, tmp_path: Path) -> None:
        """A distress index per positive answer, where there is none."""
        result = rom_score("bsi", write(tmp_path / "in.csv", [f"bsi_{n}" for n in range(1, 54)], [0] * 53))
        assert "bsi_psdi: 0 scored; 1 not scored: not defined for these answers" in result.output

    def test_scoring_that_nobody_has_seen_in_print_is_provisional(self, tmp_path: Path) -> None:
        file = write(tmp_path / "in.csv", [f"team_adherence_{n}" for n in range(1, 6)], [4] * 5)
        assert "Provisional" in rom_score("team_adherence", file).output


MY_SCALE = """
id: my_scale
name: MY
full_name: A scale of our own
edition: first
kind: self_report
measures: how a session was
items: {count: 3, min: 0, max: 4}
codings: [{id: canonical, min: 0, max: 4, confidence: verified}]
scales:
  - {id: total, label: Total, items: all, method: sum, range: [0, 12], direction: lower_is_better, is_primary: true,
     confidence: verified}
licence: {status: free}
"""


class TestInstrumentsOfASite:
    @pytest.fixture
    def mine(self, tmp_path: Path) -> Path:
        (tmp_path / "home/instruments").mkdir(parents=True)
        (tmp_path / "home/instruments/my_scale.yaml").write_text(MY_SCALE, encoding="utf-8")
        return write(tmp_path / "in.csv", ["my_scale_1", "my_scale_2", "my_scale_3"], [1, 2, 4])

    def test_named_by_its_path(self, mine: Path) -> None:
        assert rom_score(mine.parent / "home/instruments/my_scale.yaml", mine).exit_code == 0
        assert read(mine.with_name("in_scored.csv"))[0]["my_scale_total"] == "7"

    @pytest.mark.parametrize("name", ["my_scale", "MY-scale"])
    def test_of_the_home(self, name: str, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ROM_HOME", str(mine.parent / "home"))
        assert rom_score(name, mine).exit_code == 0
        assert read(mine.with_name("in_scored.csv"))[0]["my_scale_total"] == "7"

    def test_a_definition_that_cannot_be_used(self, mine: Path) -> None:
        bad = mine.with_name("my_scale.yaml")
        bad.write_text(MY_SCALE.replace("method: sum", "method: guess"), encoding="utf-8")
        result = rom_score(bad, mine)
        assert result.exit_code == 2
        assert "my_scale.yaml, key 'scales.total.method'" in result.output

    @pytest.mark.parametrize("name", ["./nowhere.yaml", "my_other_scale"])
    def test_one_that_there_is_not(self, name: str, mine: Path) -> None:
        result = rom_score(name, mine)
        assert result.exit_code == 2
        assert Path(name).stem in result.output


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
            (["phq9", "forms.csv", "--coding", "upside_down"], "one_based"),
            (["phq9", "forms.csv", "--order", "alternating"], "one order only"),
            (["ecrr", "forms.csv", "--order", "backwards"], "author_page"),
            (["phq9", "forms.csv", "--profile", "state"], "no profile"),
            (["phq9", "forms.csv", "--age", "id"], "no value set"),
            (["eq5d3l", "forms.csv", "--profile", "nowhere"], "no column"),
            (["eq5d3l", "forms.csv", "--profile", "id", "--age", "nowhere"], "no column"),
            (["eq5d3l", "forms.csv", "--profile", "id", "--items", "a,b,c,d,e"], "not with both"),
            (["rfq54", "forms.csv", "--key", "absent.yaml"], "absent.yaml"),
            (["phq9", "forms.csv", "--coding", "one_based", "--missing", "4"], "an answer"),
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
