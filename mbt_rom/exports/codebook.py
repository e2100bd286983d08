"""A codebook: what a survey tool says about the questions of a project, in a file beside the answers.

Belongs here: the shape, and choosing the codebook that fits a sheet. Does not belong here: reading the file in which one
comes (the module of each tool does that), and what a question measures (`names`).

A REDCap data dictionary, a FHIR Questionnaire or an XLSForm is delivered like any other export. It holds no answers: it tells
the readers of the other files what their columns are called, which form they belong to and what may be answered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from mbt_rom.exports.sheets import ColumnFacts


@dataclass(frozen=True)
class Codebook:
    """`tool`: name of the dialect it belongs to. `columns`: the tool's name of each question -> what is known of it.

    `name` tells apart the codebooks of one tool: a project, or the canonical address of a Questionnaire; '' where it has none.
    """

    tool: str
    columns: Mapping[str, ColumnFacts]
    name: str = ""


def fitting(codebooks: Sequence[Codebook], tool: str, codes: Collection[str]) -> Codebook | None:
    """Of the tool's codebooks the one that knows most of these columns, the last of them on a tie; None when none knows any.

    >>> book = Codebook("redcap", {"phq9_1": ColumnFacts(form="phq9")})
    >>> fitting([book], "redcap", ["record_id", "phq9_1"]) is book, fitting([book], "redcap", ["x"]) is None
    (True, True)
    """
    known = [(len(book.columns.keys() & set(codes)), book) for book in codebooks if book.tool == tool]
    best = max((n for n, _ in known), default=0)
    return next((book for n, book in reversed(known) if n == best), None) if best else None
