"""What the lists of patients have in common: columns on a terminal, local numbers, and where no such list may be written.

Belongs here: habits of `due`, `handover` and `stop`. Does not belong here: who is on a list (`mbt_rom.due`, `mbt_rom.handover`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from assets.home import Home
    from assets.state import State


#: As much of a pseudonym as tells people apart on one screen.
_SHORT = 8


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of texts as lines whose columns stand below each other.

    >>> aligned([("a", "bb"), ("ccc", "d")])
    ['a    bb', 'ccc  d']
    """
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def numbers_of(state: State, rows: pd.DataFrame) -> pd.Series:
    """Local number of the patient of each row, by programme_id and patient_id; '' where the vault holds none (dtype str)."""
    import pandas as pd

    from mbt_rom.settings import SHARED

    folders = [SHARED, *rows["programme_id"].unique()]
    known = {folder: state.vault.numbers(folder) for folder in folders}
    pairs = zip(rows["programme_id"], rows["patient_id"], strict=True)
    found = [known[p].get(patient) or known[SHARED].get(patient) or ("", "") for p, patient in pairs]
    return pd.Series([number for _, number in found], index=rows.index, dtype="str")


def staff_codes(state: State, rows: pd.DataFrame, column: str) -> pd.Series:
    """Local code of the member of staff in `column` of each row; missing where there is none, else the beginning of the pseudonym."""
    import pandas as pd

    from assets.vault import staff_file
    from mbt_rom.settings import SHARED

    known: dict[str, tuple[str, str]] = {}
    for folder in (SHARED, *rows["programme_id"].unique()):
        known |= state.vault.numbers(staff_file(folder))
    named = rows[column].map(lambda name: known[name][1] if name in known else name[:_SHORT], na_action="ignore")
    return pd.Series(named, index=rows.index, dtype="str")


def refuse_output(home: Home, output: Path | None, endings: Sequence[str]) -> None:
    """Wrong use where a list of patients is to be written inside the home, into no folder, or with another ending."""
    if output is None:
        return
    if output.suffix not in endings:
        raise click.BadParameter(f"the ending must be {' or '.join(endings)}", param_hint="--output")
    if not output.resolve().parent.is_dir():
        raise click.BadParameter("there is no such folder; make it first", param_hint="--output")
    if output.resolve().is_relative_to(home.root):
        raise click.BadParameter("lies inside the home, parts of which are read by others", param_hint="--output")
