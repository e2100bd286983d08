"""Tables as files for people: CSV, XLSX and Parquet, in which no cell can become a formula.

Belongs here: how cells are written. Does not belong here: which rows, and who may have them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from assets.home import write_atomically

#: A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame whose texts no spreadsheet takes for a formula: an apostrophe stands before those it would.

    >>> safe(pd.DataFrame({"a": ["=1+1", "x", None], "n": [-1, 2, 3]}))["a"].tolist()[:2]
    ["'=1+1", 'x']
    """
    texts = [c for c in frame.columns if pd.api.types.is_string_dtype(frame[c]) or frame[c].dtype == object]
    return frame.assign(**{c: frame[c].map(_safe, na_action="ignore") for c in texts})


def _safe(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write(frame: pd.DataFrame, path: Path) -> None:
    """Writes the frame as its ending says: .csv (UTF-8 with a mark that Excel knows), .xlsx or .parquet."""
    if path.suffix == ".csv":
        safe(frame).to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
    elif path.suffix == ".xlsx":
        _workbook(safe(frame), path)
    elif path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        raise ValueError(f"{path.name}: the ending must be .csv, .xlsx or .parquet")


def write_private(frame: pd.DataFrame, path: Path, *, notes: Sequence[str], sheet: str) -> None:
    """Writes the frame to .csv or .xlsx, readable by its owner only; each of `notes` is a row of its own above the header."""
    if path.suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([note] for note in notes)
        safe(frame).to_csv(text, index=False, lineterminator="\n")
        write_atomically(path, text.getvalue().encode("utf-8-sig"))
    elif path.suffix == ".xlsx":
        buffer = io.BytesIO()
        _workbook(safe(frame), buffer, sheet=sheet, notes=notes)
        write_atomically(path, buffer.getvalue())
    else:
        raise ValueError(f"{path.name}: the ending must be .csv or .xlsx")


def _workbook(
    frame: pd.DataFrame, target: Path | io.BytesIO, *, sheet: str = "findings", notes: Sequence[str] = ()
) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    top = len(notes)
    with pd.ExcelWriter(target, engine="xlsxwriter", engine_kwargs={"options": options}) as writer:
        frame.to_excel(writer, index=False, sheet_name=sheet, startrow=top, freeze_panes=(top + 1, 0), autofilter=True)
        writer.sheets[sheet].autofit(400)
        for row, note in enumerate(notes):
            writer.sheets[sheet].write_string(row, 0, note)
