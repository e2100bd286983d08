"""What a reader hands over: a sheet of text cells with its true row numbers, and the same sheet with its header found.

Belongs here: the two shapes and the step from one to the other. Does not belong here: reading bytes (`delimited`,
`workbook`), knowing what a header means (`names`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

#: The header is looked for in this many rows from the top.
HEADER_WITHIN = 40
Rows = npt.NDArray[np.int32]
#: In place of the score of an answer to which the tool gives several.
UNSURE = "?"
#: How well a row of cells would do as a header: the number of names that are recognised in it.
Recogniser = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class ColumnFacts:
    """What an export, or the codebook of its tool, says of one column itself. Everything may be unknown.

    `code`: the tool's own name of the question, where the header is longer or a label. `text`: the question as it was asked.
    `answers`: code -> label of its answer list. `form`: name of the tool's form that the column belongs to. `role`: what the tool
    uses the column for: a role of `names.ROLES`, or `opened` (a filled cell says that the form was opened on that row), or one that
    is never taken in (`understanding.WHY_NOT`): `technical`, `free_text` ... . A column of `form` with a role that each form has of
    its own (`names.FORM_ROLES`, `opened`) is that of the instruments of the form, and of no other. `is_derived`: the reader put
    the column together; the file has none of that name. `others`: further names of the question, which count where `code` says
    nothing, in this order. `scores`: code -> number that the tool itself gives an answer; `UNSURE` where it gives two.
    """

    code: str | None = None
    text: str | None = None
    answers: Mapping[str, str] | None = None
    form: str | None = None
    role: str | None = None
    is_derived: bool = False
    others: tuple[str, ...] = ()
    scores: Mapping[str, str] | None = None


@dataclass(frozen=True)
class RowFault:
    """What a reader found wrong with one row: a rule of the catalogue, and where (no value). The row is kept."""

    rule: str
    detail: str


@dataclass(frozen=True)
class Grid:
    """All rows of a sheet as text. `cells`: one row per record, columns 0, 1, 2 ... of dtype str, '' where empty.

    `rows` holds the row number of each record as a spreadsheet shows it (the first is 1). In a text file that is the
    number of the record: a quoted cell that holds line breaks is one row, as it is in a spreadsheet, and blank lines count.
    `n_cells` is how many cells the record had before short ones were filled up. `header`: position of the header where the tool
    that wrote the sheet is known; `facts` are then what it says of each column, by position (empty: nothing). `has_serials`: a
    bare number may be a date, as in a workbook whose date cells lost their format. `faults`: row number -> what the reader found
    wrong with the whole row.
    """

    number: int
    name: str | None
    cells: pd.DataFrame
    rows: Rows
    n_cells: Rows
    dialect: str
    encoding: str | None = None
    delimiter: str | None = None
    header: int | None = None
    facts: tuple[ColumnFacts, ...] = ()
    has_serials: bool = False
    faults: Mapping[int, RowFault] = field(default_factory=dict)

    def row_texts(self, position: int) -> list[str]:
        """Cells of one record."""
        return [str(cell) for cell in self.cells.iloc[position]]


@dataclass(frozen=True)
class RawSheet:
    """A sheet with its header. `frame` holds text, one row per data row that is not wholly empty, columns 0, 1, 2 ...

    `headers[i]` is the original header of column i: headers may repeat, so columns are addressed by position. `rows` are
    spreadsheet row numbers, one per row of `frame`; `ragged` marks rows with more or fewer cells than the header has, `too_long`
    those with more.
    """

    number: int
    name: str | None
    headers: tuple[str, ...]
    frame: pd.DataFrame
    rows: Rows
    ragged: npt.NDArray[np.bool_]
    too_long: npt.NDArray[np.bool_]
    header_row: int
    dialect: str
    encoding: str | None = None
    delimiter: str | None = None
    n_cells: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    facts: tuple[ColumnFacts, ...] = ()
    has_serials: bool = False
    faults: Mapping[int, RowFault] = field(default_factory=dict)

    def fact(self, position: int) -> ColumnFacts:
        """What the export says of the column at that position."""
        return self.facts[position] if position < len(self.facts) else ColumnFacts()

    @property
    def codes(self) -> tuple[str, ...]:
        """The name of every column as its tool calls it: its code where that is known, its header elsewhere."""
        return tuple(self.fact(i).code or header for i, header in enumerate(self.headers))

    @property
    def first_row(self) -> int | None:
        """Spreadsheet row number of the first data row; None when there is none."""
        return int(self.rows[0]) if len(self.rows) else None

    @property
    def n_derived(self) -> int:
        """How many of the columns the reader put together: the file has so many fewer."""
        return sum(fact.is_derived for fact in self.facts)

    def keep(self, mask: npt.NDArray[np.bool_]) -> RawSheet:
        """The same sheet with some of its rows."""
        kept = self.frame.loc[mask].reset_index(drop=True)
        return replace(
            self,
            frame=kept,
            rows=self.rows[mask],
            ragged=self.ragged[mask],
            too_long=self.too_long[mask],
            n_cells=self.n_cells[mask],
        )


def with_columns(grid: Grid, columns: Mapping[str, tuple[pd.Series, ColumnFacts]]) -> Grid:
    """The grid, whose header is known, with derived columns behind its last named one: header -> cells below it, and facts.

    Cells of rows that are longer than the header stay beyond it. A row without anything gets nothing.

    >>> cells = pd.DataFrame({0: ["a", "1", "2"], 1: ["", "", "9"]}, dtype="str")
    >>> grid = Grid(1, None, cells, np.arange(1, 4, dtype=np.int32), np.array([1, 1, 2], dtype=np.int32), "x", header=0)
    >>> wider = with_columns(grid, {"(b)": (pd.Series(["3", "4"]), ColumnFacts(is_derived=True))})
    >>> wider.row_texts(0), wider.row_texts(2), wider.n_cells.tolist()
    (['a', '(b)', ''], ['2', '4', '9'], [2, 2, 3])
    """
    at = grid.header or 0
    named = max((i + 1 for i, header in enumerate(grid.row_texts(at)) if header.strip()), default=0)
    above = [""] * at
    made = {
        header: pd.Series([*above, header, *cells], index=grid.cells.index, dtype="str")
        for header, (cells, _) in columns.items()
    }
    cells = pd.concat([grid.cells.iloc[:, :named], *made.values(), grid.cells.iloc[:, named:]], axis=1)
    facts = [*grid.facts[:named], *[ColumnFacts()] * (named - len(grid.facts)), *(fact for _, fact in columns.values())]
    n_cells = (grid.n_cells + len(columns)).astype(np.int32)
    return replace(grid, cells=cells.set_axis(range(cells.shape[1]), axis=1), n_cells=n_cells, facts=tuple(facts))


def find_header(grid: Grid, recognise: Recogniser) -> int:
    """Position of the header: the row near the top in which most names are recognised; the first such row on a tie.

    A grid that knows its header has that one. Where nothing is recognised anywhere, the first row that is not empty.
    """
    if grid.header is not None:
        return grid.header
    tried = range(min(HEADER_WITHIN, len(grid.cells)))
    found = [recognise(grid.row_texts(i)) for i in tried]
    if found and max(found) > 0:
        return found.index(max(found))
    return next((i for i in tried if any(cell.strip() for cell in grid.row_texts(i))), 0)


def with_header(grid: Grid, position: int) -> RawSheet:
    """The sheet below the header at `position`. Wholly empty rows are no data rows; empty columns at the right are dropped."""
    headers = [header.strip() for header in grid.row_texts(position)] if len(grid.cells) else []
    body = grid.cells.iloc[position + 1 :].reset_index(drop=True)
    rows, n_cells = grid.rows[position + 1 :], grid.n_cells[position + 1 :]
    filled = _filled(body)
    named = max((i + 1 for i, header in enumerate(headers) if header), default=0)
    stated = int(grid.n_cells[position]) if len(grid.n_cells) else 0
    width = max(named, max((i + 1 for i in range(stated) if filled.size and filled[:, i].any()), default=0))
    beyond = filled[:, width:].any(axis=1) if filled.size else np.zeros(len(body), dtype=bool)
    short = n_cells < named
    anything = filled.any(axis=1) if filled.size else np.zeros(len(body), dtype=bool)
    sheet = RawSheet(
        number=grid.number,
        name=grid.name,
        headers=tuple(headers[:width]),
        frame=body.iloc[:, :width],
        rows=rows,
        ragged=np.asarray(beyond | short, dtype=bool),
        too_long=np.asarray(beyond, dtype=bool),
        header_row=int(grid.rows[position]) if len(grid.rows) else 1,
        dialect=grid.dialect,
        encoding=grid.encoding,
        delimiter=grid.delimiter,
        n_cells=n_cells,
        facts=grid.facts[:width],
        has_serials=grid.has_serials,
        faults=grid.faults,
    )
    return sheet.keep(np.asarray(anything, dtype=bool))


def _filled(body: pd.DataFrame) -> npt.NDArray[np.bool_]:
    if body.empty:
        return np.zeros(body.shape, dtype=bool)
    return np.column_stack([(body[c] != "").to_numpy(dtype=bool) for c in body.columns])
