"""Why a file as a whole cannot be taken in. Belongs here: the error only; its wording for people is in `findings`."""

from __future__ import annotations


class ExportError(Exception):
    """A whole file cannot be taken in; becomes a fatal finding, never a traceback.

    `rule` is an id of the rule catalogue. `detail` holds counts, bounds and column headers; never a cell's content. `instrument`: the
    only one whose forms it is about, where it says nothing of others.
    """

    def __init__(
        self,
        rule: str,
        detail: str,
        *,
        sheet: str | None = None,
        column: str | None = None,
        instrument: str | None = None,
    ) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.sheet = sheet
        self.column = column
        self.instrument = instrument
