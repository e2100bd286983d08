"""How far a form was filled in: opened, partial or complete. Nothing follows from it here.

Belongs here: the state of a form, from its answers and from what the survey tool says. Does not belong here: what becomes of an
unfinished form (`schedule`: it is to be finished while its window is open; `scoring`: nothing is made up for its gaps).

The tool's word alone is not enough: tools call a form incomplete when its last page was not closed though every question was
answered, and most say nothing at all. So a form is partial only where the tool says that it was not finished and an answer that
everybody must give is missing. Questions that are asked only after another one (`gate`), and those that no score uses, are none
of these.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.model import Instrument

OPENED, PARTIAL, COMPLETE = "opened", "partial", "complete"
#: States in which answers may still come.
UNFINISHED = (OPENED, PARTIAL)


def asked_of_all(definition: Instrument) -> tuple[str, ...]:
    """Items that everybody who fills in the form must answer: the scored ones that follow from no other answer."""
    return tuple(item.id for item in definition.items if item.is_scored and item.gate is None)


def form_states(definition: Instrument, rows: pd.DataFrame) -> pd.Series:
    """The state of each row of an items table (dtype str, index of `rows`).

    Needs the columns of the items; `is_complete` (what the tool says), `unreadable_items` and `out_of_range_items` where there
    are any: a form with a cell that could not be read was not merely opened.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> none, some, every = ({i: n if k < m else None for k, i in enumerate(phq9.item_ids)} for n, m in ((0, 0), (2, 4), (2, 10)))
    >>> rows = pd.DataFrame([none, some, some, every]).assign(is_complete=[None, False, None, False])
    >>> form_states(phq9, rows).tolist()
    ['opened', 'partial', 'complete', 'complete']
    """
    given = {item: rows[item].notna().to_numpy(dtype=bool) for item in definition.item_ids}
    has_any, has_all = np.zeros(len(rows), dtype=bool), np.ones(len(rows), dtype=bool)
    for item in definition.item_ids:
        has_any |= given[item]
    for item in asked_of_all(definition):
        has_all &= given[item]
    for column in {"unreadable_items", "out_of_range_items"} & set(rows.columns):
        has_any |= rows[column].notna().to_numpy(dtype=bool)
    states = np.select([~has_any, _says_no(rows) & ~has_all], [OPENED, PARTIAL], COMPLETE)
    return pd.Series(states, index=rows.index, dtype="str")


def _says_no(rows: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Whether the tool says that a form was not finished."""
    if "is_complete" not in rows:
        return np.zeros(len(rows), dtype=bool)
    return ~rows["is_complete"].astype("boolean").fillna(True).to_numpy(dtype=bool)
