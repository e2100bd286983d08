"""What the tests of survey tools share: invented exports, delivered to an invented home, and what became of them."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pandas as pd
import xlsxwriter

from mbt_rom import conform, registry
from mbt_rom.conform import Conformed
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.mapping import parse_mapping
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

RECEIVED = datetime(2026, 11, 22, 4, tzinfo=UTC)
PSEUDONYMS = Pseudonyms(b"an example key, of no use at all")
PHQ9 = [f"phq9_{i}" for i in range(1, 10)]
EQ5D = ["eq5d3l_mo", "eq5d3l_sc", "eq5d3l_ua", "eq5d3l_pd", "eq5d3l_ad", "eq5d3l_vas"]
ANSWERS = ["0", "1", "2", "3", "0", "1", "2", "3", "0"]
NONE = [""] * 9


def settings() -> Consortium:
    return Consortium(
        name="test",
        issuers={"hospital": Issuer(form="text")},
        programmes={
            p: Programme(name=p, issuer="hospital", instruments=("phq9", "eq5d3l")) for p in ("north", "south")
        },
    )


def text(*rows: Sequence[str], delimiter: str = ",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def workbook(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """A workbook of these sheets, every cell a text."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    sheet.write_string(i, j, cell)
    return out.getvalue()


def deliver(data: bytes, *codebooks: Codebook, programme: str | None = "north", mapping: str = "") -> Conformed:
    return conform.deliver(
        data,
        file_name="export.csv",
        programme_id=programme,
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=RECEIVED,
        settings=settings(),
        instruments=registry.instruments(),
        pseudonyms=PSEUDONYMS,
        mappings=[parse_mapping(mapping, file="test.yaml")] if mapping else [],
        codebooks=codebooks,
    )


def patient(number: str) -> str:
    return str(PSEUDONYMS.patient("hospital", Issuer(form="text"), pd.Series([number]))[0][0])


def rules(conformed: Conformed) -> dict[str, int]:
    return {str(k): int(v) for k, v in conformed.findings["rule"].value_counts().items()}


def counts(conformed: Conformed, instrument: str = "phq9") -> tuple[int, int, int]:
    """Offered, blank, and rows in the items table."""
    row = conformed.contents.set_index("instrument").loc[instrument]
    return int(row["n_rows"]), int(row["n_blank"]), len(conformed.items[instrument])


def days(items: pd.DataFrame) -> list[str | None]:
    return [None if pd.isna(day) else str(day.date()) for day in items["administered_on"]]


def column(conformed: Conformed, name: str) -> Mapping[str, object]:
    return next(c for c in conformed.understood if c["column"] == name)
