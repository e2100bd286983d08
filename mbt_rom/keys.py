"""Rows that are identified by several columns, as whole numbers: what pairing, grouping and matching work with.

Belongs here: turning key columns into codes and joining codes, for any number of rows and programmes at once. Does not
belong here: anything that knows what a row means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pandas.api.extensions import ExtensionArray

Codes = npt.NDArray[np.int64]
Key = TypeVar("Key")
_ROOM = 2**31
#: Pieces of a column that are at least so many rows long, on average, are left as they are.
_LONG = 4096


def row_codes(*frames: pd.DataFrame, columns: Sequence[str]) -> list[Codes]:
    """One array of codes per frame: two rows, of whichever frames, have the same code when they agree in all `columns`.

    Missing agrees with missing. Codes run from 0 and have no further meaning.

    >>> import pandas as pd
    >>> left = pd.DataFrame({"p": ["a", "a", "b"], "q": ["x", None, "x"]})
    >>> right = pd.DataFrame({"p": ["b", "a"], "q": ["x", None]})
    >>> row_codes(left, right, columns=["p", "q"])
    [array([0, 1, 2]), array([2, 1])]
    """
    import pandas as pd

    total = sum(len(frame) for frame in frames)
    codes = np.zeros(total, dtype=np.int64)
    n_codes = 1
    for column in columns:
        values = pd.concat([frame[column] for frame in frames], ignore_index=True)
        part, levels = pd.factorize(values, use_na_sentinel=False)
        codes, n_codes = codes * len(levels) + part, n_codes * len(levels)
        if n_codes > _ROOM:
            codes, n_codes = _dense(codes)
    codes, _ = _dense(codes)
    return np.split(codes, np.cumsum([len(frame) for frame in frames])[:-1])


def _dense(codes: Codes) -> tuple[Codes, int]:
    import pandas as pd

    dense, levels = pd.factorize(codes)
    return np.asarray(dense, dtype=np.int64), max(len(levels), 1)


def join(left: Codes, right: Codes) -> tuple[Codes, Codes]:
    """All pairs (position in `left`, position in `right`) whose codes are equal, in the order of `left`.

    >>> join(np.array([5, 7, 5]), np.array([7, 5, 5]))
    (array([0, 0, 1, 2, 2]), array([1, 2, 0, 1, 2]))
    """
    order = np.argsort(right, kind="stable")
    ordered = right[order]
    first, last = np.searchsorted(ordered, left, "left"), np.searchsorted(ordered, left, "right")
    n = last - first
    from_left = np.repeat(np.arange(len(left)), n)
    within = np.arange(len(from_left)) - np.repeat(np.cumsum(n) - n, n)
    return from_left, order[np.repeat(first, n) + within]


def lookup(left: Codes, right: Codes) -> Codes:
    """Position in `right` of each code of `left`, -1 where there is none; the last one where `right` holds a code twice.

    >>> lookup(np.array([3, 9, 1]), np.array([1, 3]))
    array([ 1, -1,  0])
    """
    size = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    where = np.full(size, -1, dtype=np.int64)
    where[right] = np.arange(len(right))
    return where[left]


def first_of_each(codes: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """True at the first row of each code.

    >>> first_of_each(np.array([4, 4, 2, 4])).tolist()
    [True, False, True, False]
    """
    mask = np.zeros(len(codes), dtype=bool)
    mask[np.unique(codes, return_index=True)[1]] = True
    return mask


def positions(values: pd.Series, known: pd.Series) -> npt.NDArray[np.int32]:
    """Position in `known`, whose texts differ, of each text of `values`; -1 where it is missing or not there.

    Reads millions of texts once, without comparing or sorting them.

    >>> import pandas as pd
    >>> positions(pd.Series(["b", None, "x", "a"]), pd.Series(["a", "b"])).tolist()
    [1, -1, -1, 0]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array(values.astype("str").array, type=pa.large_string())
    found = pc.index_in(texts, value_set=_arrow(known), skip_nulls=True).fill_null(-1)
    return np.asarray(found.to_numpy(), dtype=np.int32)


def taken(texts: pd.Series, at: npt.NDArray[np.integer]) -> ExtensionArray:
    """The texts at these positions, missing where the position is -1; for many millions of positions.

    >>> import pandas as pd
    >>> list(taken(pd.Series(["a", "b"]), np.array([1, -1, 0])))
    ['b', nan, 'a']
    """
    import pandas as pd
    import pyarrow as pa

    is_missing = at < 0
    found: ExtensionArray = pd.array(
        _arrow(texts).take(pa.array(at, mask=is_missing if is_missing.any() else None)), dtype="str"
    )
    return found


def taken_in_turn(
    texts: pd.Series, pieces: Mapping[Key, npt.NDArray[np.integer]], order: Sequence[Key]
) -> ExtensionArray:
    """The texts at the positions of each piece, one piece after the other; a piece that is named again is not copied.

    >>> import pandas as pd
    >>> list(taken_in_turn(pd.Series(["a", "b"]), {"x": np.array([0, 1]), "y": np.array([1])}, ["x", "y", "x"]))
    ['a', 'b', 'b', 'a', 'b']
    """
    whole = _arrow(texts)
    found = {key: whole.take(at) for key, at in pieces.items()}
    return _joined([found[key] for key in order])


def repeated(texts: Sequence[str], n: Sequence[int]) -> ExtensionArray:
    """Each text so many times, one after the other; what is long is held once per text.

    >>> list(repeated(["a", "b", "a"], [2, 1, 1]))
    ['a', 'a', 'b', 'a']
    """
    import pyarrow as pa

    most: dict[str, int] = {}
    for text, length in zip(texts, n, strict=True):
        most[text] = max(length, most.get(text, 0))
    longest = {text: pa.repeat(pa.scalar(text, pa.large_string()), length) for text, length in most.items()}
    return _joined([longest[text].slice(0, length) for text, length in zip(texts, n, strict=True)])


def _joined(pieces: list[pa.LargeStringArray]) -> ExtensionArray:
    """One column of pieces, which stay where they are if they are long; many short ones would slow down whoever reads it."""
    import pandas as pd
    import pyarrow as pa

    whole = pa.chunked_array(pieces, type=pa.large_string())
    is_short = len(whole) < _LONG * len(pieces)
    found: ExtensionArray = pd.array(whole.combine_chunks() if is_short else whole, dtype="str")
    return found


def _arrow(texts: pd.Series) -> pa.LargeStringArray:
    """The texts as one array of Arrow."""
    import pyarrow as pa

    whole = pa.array(texts.astype("str").array, type=pa.large_string())
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole
