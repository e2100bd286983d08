"""Rows that are identified by several columns, as whole numbers: what pairing, grouping and matching work with.

Belongs here: turning key columns into codes and joining codes, for any number of rows and programmes at once. Does not
belong here: anything that knows what a row means.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray

Codes = npt.NDArray[np.int64]
_ROOM = 2**31


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


def first_of_each(codes: Codes) -> npt.NDArray[np.bool_]:
    """True at the first row of each code.

    >>> first_of_each(np.array([4, 4, 2, 4])).tolist()
    [True, False, True, False]
    """
    mask = np.zeros(len(codes), dtype=bool)
    mask[np.unique(codes, return_index=True)[1]] = True
    return mask


def positions(values: pd.Series, known: pd.Series) -> Codes:
    """Position in `known`, whose texts differ, of each text of `values`; -1 where it is missing or not there.

    Reads millions of texts once, without comparing or sorting them.

    >>> import pandas as pd
    >>> positions(pd.Series(["b", None, "x", "a"]), pd.Series(["a", "b"])).tolist()
    [1, -1, -1, 0]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    texts, wanted = (pa.array(each.astype("str").array, type=pa.large_string()) for each in (values, known))
    if isinstance(wanted, pa.ChunkedArray):
        wanted = wanted.combine_chunks()
    found = pc.index_in(texts, value_set=wanted, skip_nulls=True).fill_null(-1)
    return np.asarray(found.to_numpy(), dtype=np.int64)


def taken(texts: pd.Series, at: npt.NDArray[np.integer]) -> ExtensionArray:
    """The texts at these positions, missing where the position is -1; for many millions of positions.

    >>> import pandas as pd
    >>> list(taken(pd.Series(["a", "b"]), np.array([1, -1, 0])))
    ['b', nan, 'a']
    """
    import pandas as pd
    import pyarrow as pa

    whole = pa.array(texts.astype("str").array, type=pa.large_string())
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.combine_chunks()
    is_missing = at < 0
    found: ExtensionArray = pd.array(
        whole.take(pa.array(at, mask=is_missing if is_missing.any() else None)), dtype="str"
    )
    return found
