"""Writes the corpus: small invented files of every kind, from which the fuzz tests start, and hostile ones.

    python tests/fuzz/make_corpus.py

`corpus/<kind>/` holds honest files, which must be read; `corpus/hostile/` those that must be refused, each without harm. A file that
a fuzz test found is added here as the edits that make it. Files whose format states when they were written differ from run to run;
those in the repository stay as they are until a change here means to change them.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import pandas as pd
import pyreadstat
import xlsxwriter
import xlwt

CORPUS = Path(__file__).resolve().parent / "corpus"
HEADER = ["patient", "date", *[f"phq9_{i}" for i in range(1, 10)], "remark"]
ROWS: list[list[object]] = [
    [f"10{i:02d}", date(2026, 1, 1 + i), *[(i + j) % 4 for j in range(9)], "Zoë"] for i in range(4)
]
_OFFICE = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def csv(rows: list[list[object]], *, delimiter: str = ",") -> bytes:
    """Delimited text, every cell in quotes."""
    lines = [delimiter.join('"' + str(cell).replace('"', '""') + '"' for cell in row) for row in rows]
    return "".join(f"{line}\r\n" for line in lines).encode()


def xlsx(rows: list[list[object]]) -> bytes:
    """An XLSX workbook of one sheet."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet, as_date = book.add_worksheet("Forms"), book.add_format({"num_format": "yyyy-mm-dd"})
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.write_datetime(r, c, cell, as_date) if isinstance(cell, date) else sheet.write(r, c, cell)
    book.close()
    return buffer.getvalue()


def xls(rows: list[list[object]]) -> bytes:
    """An XLS workbook of one sheet."""
    book = xlwt.Workbook()
    sheet, as_date = book.add_sheet("Forms"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            sheet.write(r, c, cell, as_date if isinstance(cell, date) else xlwt.easyxf())
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def ods(rows: list[list[object]]) -> bytes:
    """An ODS document of one sheet."""
    return ods_of("".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows))


def _ods_cell(cell: object) -> str:
    text = str(cell).replace("&", "&amp;").replace("<", "&lt;")
    if isinstance(cell, int):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"><text:p>{cell}</text:p></table:table-cell>'
    if isinstance(cell, date):
        return f'<table:table-cell office:value-type="date" office:date-value="{text}"><text:p>{text}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def ods_of(rows: str, *, prologue: str = "") -> bytes:
    """An ODS document whose only sheet has these elements."""
    sheet = f'<table:table table:name="Forms">{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    manifest = b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    content = f"{prologue}<office:document-content {_OFFICE}>{body}</office:document-content>".encode()
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def spss(ending: str) -> bytes:
    """An SPSS file of the cases, with labels and missing values where its kind has them."""
    cases = pd.DataFrame(ROWS, columns=HEADER).astype(dict.fromkeys(HEADER[2:-1], "float64"))
    cases["remark"] = "ok" if ending == "por" else cases["remark"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"cases.{ending}"
        if ending == "por":
            pyreadstat.write_por(cases, str(path))
        else:
            pyreadstat.write_sav(
                cases,
                str(path),
                compress=ending == "zsav",
                column_labels={"phq9_1": "Question about sleep"},
                variable_value_labels={"phq9_1": {0: "never", 3: "always"}},
                missing_ranges={"phq9_2": [{"lo": 7, "hi": 9}], "remark": ["NA"]},
            )
        return path.read_bytes()


def of_tools() -> dict[str, bytes]:
    """The same forms as survey tools write them."""
    days = [str(row[1]) for row in ROWS]
    answers = [row[2:11] for row in ROWS]
    items = HEADER[2:11]
    redcap = [["record_id", "redcap_event_name", "redcap_repeat_instrument", "phq9_date", *items, "phq9_complete"]]
    redcap += [[i, "m6_arm_1", "", days[i], *answers[i], 2] for i in range(4)]
    castor = [
        [
            "Castor Participant ID",
            "Survey Instance ID",
            "Survey Progress",
            "Survey Completed On",
            "Survey Parent",
            *items,
        ]
    ]
    castor += [[i, f"I-{i}", 100, f"0{i + 1}-02-2026 10:00:00", "Baseline", *answers[i]] for i in range(4)]
    formr = [["session", "created", "modified", "ended", "expired", *items]]
    formr += [[i, *[f"{days[i]} 10:0{m}:00" for m in range(3)], "", *answers[i]] for i in range(4)]
    return {
        "redcap/raw.csv": csv(redcap),
        "castor/survey.csv": csv(castor, delimiter=";"),
        "formr/results.csv": csv(formr),
    }


def honest() -> dict[str, bytes]:
    """Path in the corpus -> bytes of files that must be read."""
    rows = [HEADER, *ROWS]
    text = csv(rows)
    return {
        "csv/comma.csv": text,
        "csv/semicolon-mac.csv": csv(rows, delimiter=";")
        .decode()
        .replace("Zoë", "patiënt geërgerd")
        .encode("mac_roman"),
        "csv/tab-utf16.txt": csv(rows, delimiter="\t").decode().encode("utf-16"),
        "csv/declared.csv": b"sep=|\r\n" + csv(rows, delimiter="|"),
        "csv/title-above.csv": b"Export\r\n\r\n" + text,
        "xlsx/forms.xlsx": xlsx(rows),
        "xls/forms.xls": xls(rows),
        "ods/forms.ods": ods(rows),
        "sav/forms.sav": spss("sav"),
        "zsav/forms.zsav": spss("zsav"),
        "por/forms.por": spss("por"),
        "zip/csv.zip": zipped({"export.csv": text, "__MACOSX/._export.csv": b"\0"}),
        "zip/xlsx.zip": zipped({"export.xlsx": xlsx(rows)}),
        "zip/sav.zip": zipped({"export.sav": spss("sav")}),
        **of_tools(),
    }


def hostile() -> dict[str, bytes]:
    """Path in the corpus -> bytes of files that must be refused, each without harm to memory or time."""
    text = csv([HEADER, *ROWS])
    cell = '<table:table-cell office:value-type="string"{}><text:p>{}</text:p></table:table-cell>'
    row = '<table:table-row table:number-rows-repeated="{}">{}</table:table-row>'
    all_columns, no_columns = cell.format(' table:number-columns-repeated="16384"', "1"), cell.format("", "1")
    return {
        "hostile/bomb.zip": zipped({"export.csv": b"0" * (60 << 20)}),
        "hostile/bomb.xlsx": zipped({"xl/worksheets/sheet1.xml": b"0" * (60 << 20), "xl/workbook.xml": b"<w/>"}),
        "hostile/zip-in-zip.zip": zipped({"b.zip": zipped({"a.csv": text})}),
        "hostile/zip-in-itself-said-twice.zip": zipped({"a.csv": text, "b.csv": text}),
        "hostile/nothing.zip": zipped({"a.csv": b""}),
        "hostile/no-member.zip": zipped({}),
        "hostile/every-cell.ods": ods_of(row.format(1_048_576, all_columns)),
        "hostile/rows-without-end.ods": ods_of(row.format(2_000_000_000, no_columns)),
        "hostile/long-text-everywhere.ods": ods_of(row.format(700_000, cell.format("", "x" * 4000))),
        "hostile/entities.ods": ods_of(
            row.format(1, cell.format("", "&c;")),
            prologue='<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
        ),
        "hostile/deep.ods": ods_of("<table:table-row>" * 20_000),
        "hostile/corners.xlsx": _corners(),
        # Found by `test_readers`: pyreadstat 1.3.7 reads beyond its memory, and the process dies.
        "hostile/crash.sav": _with_bytes(spss("sav"), {623: 255, 658: 127, 1166: 128}),
        "hostile/cut.sav": spss("sav")[:-40],
        "hostile/states-a-thousand-cases.zsav": _with_bytes(spss("zsav"), {80: 232, 81: 3}),
        "hostile/open-quote.csv": b'patient,phq9_1\n1,"2\n' * 3 + b"2,3\n" * 2000,
        "hostile/nul.csv": b"patient,phq9_1\n1,\0\n",
        "hostile/only-separators.csv": b";;;\r\n;;;\r\n",
        "hostile/only-a-mark.csv": b"\xef\xbb\xbf",
        "hostile/half-a-character.txt": b"\xff\xfea",
    }


def _corners() -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    sheet = book.add_worksheet()
    sheet.write(0, 0, "patient")
    sheet.write(1_048_575, 16_383, 1)
    book.close()
    return buffer.getvalue()


def _with_bytes(data: bytes, other: dict[int, int]) -> bytes:
    return bytes(other.get(i, byte) for i, byte in enumerate(data))


def main() -> None:
    """Writes all files anew."""
    for name, data in (honest() | hostile()).items():
        path = CORPUS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    main()
