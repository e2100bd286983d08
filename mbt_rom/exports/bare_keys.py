"""A patient's number that is called nothing but 'code', 'ID' or 'nr': told by its rows.

Belongs here: when such a column is the number of persons. Does not belong here: names that say it (`role_words`), what contradicts a
name (`shapes`).

It is one where it is the only such column of the sheet and the same values come back at other moments, or on other days: then it
numbers neither rows nor answers. A few values that all stand there again and again number groups, and 1 to n are rows of a list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from mbt_rom.exports import shapes
from mbt_rom.exports.columns import Columns
from mbt_rom.exports.limesurvey import NAME as LIMESURVEY
from mbt_rom.exports.names import normalised

_BARE = frozenset(
    [
        "id",
        "ids",
        "code",
        "codes",
        "kode",
        "nr",
        "no",
        "num",
        "nummer",
        "number",
        "numero",
        "key",
        "sleutel",
        "token",
    ]
)
#: Fewer persons say nothing; of these a good part must come back, and nobody as often as a group would.
_FEWEST_PERSONS, _COME_BACK, _MOST_ROWS_EACH = 5, 0.25, 4.0


def is_bare(looked: Columns, position: int) -> bool:
    """Whether the name of a column says that it holds a number or code, and not of what."""
    return normalised(looked.sheet.codes[position]) in _BARE


def bare_key(looked: Columns, roles: Mapping[str, int], taken: Collection[int]) -> int | None:
    """The position of the only column that is called a bare number and whose rows say that it is one of persons."""
    sheet = looked.sheet
    if any(meaning.role == "patient" for meaning, _ in looked.doubts.values()):
        return None
    found = [i for i in range(len(sheet.headers)) if sheet.headers[i] and i not in taken and _may_be(looked, i)]
    when = [roles[role] for role in ("moment", "date", "submitted_at") if role in roles]
    if len(found) != 1 or not when or not _is_of_persons(sheet.frame.iloc[:, found[0]], sheet.frame.iloc[:, when[0]]):
        return None
    return found[0] if shapes.against("patient", looked.sample(found[0])) is None else None


def _may_be(looked: Columns, position: int) -> bool:
    role, code = looked.sheet.fact(position).role, normalised(looked.sheet.codes[position])
    is_token = looked.sheet.dialect == LIMESURVEY and code == "token"  # one for each person of its list of participants
    return is_bare(looked, position) and (role is None or is_token)


def _is_of_persons(keys: pd.Series, when: pd.Series) -> bool:
    """Whether the keys are those of persons, some of whom come back, each time at another moment or on another day."""
    keys, when = keys.fillna("").str.strip(), when.fillna("").str.strip()
    is_filled = (keys != "") & (when != "")
    keys, when = keys[is_filled], when[is_filled]
    counts = keys.value_counts()
    n = len(counts)
    if n < _FEWEST_PERSONS or len(keys) > _MOST_ROWS_EACH * n or (counts > 1).mean() < _COME_BACK:
        return False
    if {key.lstrip("0") for key in counts.index} == {str(i) for i in range(1, n + 1)}:
        return False
    return not pd.DataFrame({"key": keys, "when": when}).duplicated().any()
