"""`rom compare`: where two entries of the same paper forms differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from mbt_rom.exports.sheets import RawSheet

_MEGABYTES = 100
_SHOWN = 40
_WORDS = {
    "differs": "the two entries differ",
    "only_in_first": "this form was typed only in the first entry",
    "only_in_second": "this form was typed only in the second entry",
}


@click.command(name="compare")
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the list to FILE.csv or FILE.xlsx."
)
def compare(first: Path, second: Path, output: Path | None) -> None:
    """Compare two entries of the same paper forms, typed into workbooks of `rom template` by two people.

    Forms are paired by patient and day of completion. The list says where they differ, in both workbooks, and no answer: look at
    the paper, and correct the workbook that is wrong. Exit code 1 when they differ.

    \b
    Example:
      rom compare phq9_may.xlsx phq9_may_second.xlsx -o differences.xlsx
    """
    from mbt_rom.entry_forms import differences
    from pipelines.writing import write

    if output is not None and output.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("the ending of --output must be .csv or .xlsx")
    (kind, one), (other, two) = _entry(first), _entry(second)
    if kind != other:
        raise click.UsageError(f"{first.name} is an entry of {kind}, {second.name} one of {other}")
    found = differences(one, two)
    if output is not None:
        write(found.assign(what=found["what"].map(_WORDS)), output)
        click.echo(f"{output}: {len(found)} differences")
    else:
        click.echo("\n".join(_told(found, first.name, second.name)))
    click.echo(f"{len(one)} forms in the first entry, {len(two)} in the second, {len(found)} differences")
    raise SystemExit(1 if len(found) else 0)


def _entry(path: Path) -> tuple[str, pd.DataFrame]:
    """Name of the sheet and its typed rows, from an entry workbook."""
    from mbt_rom.exports.detection import MEGABYTE, read_grids
    from mbt_rom.exports.dialects import plain
    from mbt_rom.exports.entry import NAME
    from mbt_rom.exports.errors import ExportError
    from mbt_rom.exports.sheets import find_header, with_header

    try:
        grids = read_grids(
            path.read_bytes(), file_name=path.name, largest_bytes=_MEGABYTES * MEGABYTE, recognise=lambda cells: 0
        )
    except ExportError as error:
        raise click.UsageError(f"{path}: {error.detail}") from None
    entries = [grid for grid in map(plain, grids) if grid.dialect == NAME]
    if not entries:
        raise click.UsageError(f"{path}: no workbook of `rom template`: its first cell does not say so")
    grid = entries[0]
    return str(grid.name), _cells(with_header(grid, find_header(grid, lambda cells: 0)))


def _cells(sheet: RawSheet) -> pd.DataFrame:
    return sheet.frame.set_axis(list(sheet.headers), axis=1).assign(row=sheet.rows)


def _told(found: pd.DataFrame, first: str, second: str) -> list[str]:
    lines = []
    for row in found.head(_SHOWN).astype(object).where(found.head(_SHOWN).notna(), None).to_dict("records"):
        places = [
            f"{name} row {at}"
            for name, at in ((first, row["sheet_row_first"]), (second, row["sheet_row_second"]))
            if at
        ]
        where = f", column {row['column']}" if row["column"] else ""
        lines.append(f"{' and '.join(places)}{where}: {_WORDS[row['what']]}; look at the paper form")
    return lines + ([f"... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])
