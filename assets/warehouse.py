"""The tables on disk: Delta Lake, partitioned by programme, with the types that `mbt_rom.tables` declares.

Belongs here: writing a table whole or for some programmes in one commit, reading it, and the fingerprints that tell what a
table was computed from. Does not belong here: computing, and deciding what is out of date. Dagster is not needed to use it.

Readers are never blocked and never see half a commit. `DeltaTable.to_pyarrow_table` is not used: it leaves a thread pool
behind that aborts the process at exit (code 134, deltalake 1.6 with pyarrow 26); the files of a version are read one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError

from mbt_rom.tables import Column, Table

#: Key of the fingerprint of a table that is not partitioned.
WHOLE = "*"
_PARTITION = "programme_id"
_METADATA = "mbt_rom_fingerprints"
_ARROW: dict[str, pa.DataType] = {
    "str": pa.string(),
    "Int8": pa.int8(),
    "Int16": pa.int16(),
    "Int32": pa.int32(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "boolean": pa.bool_(),
    "datetime64[s]": pa.date32(),
    "datetime64[us, UTC]": pa.timestamp("us", tz="UTC"),
}
_PANDAS: dict[pa.DataType, Any] = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}
#: Statistics in the Delta log would hold single answers.
_CONFIGURATION = {"delta.dataSkippingNumIndexedCols": "0"}
_TRIES = 3


class InvariantError(Exception):
    """A table was computed that cannot be right; it was not written. The message holds counts, never values."""


@dataclass(frozen=True)
class Warehouse:
    """All tables of a home."""

    folder: Path

    def path(self, table: Table) -> Path:
        """Folder of that table."""
        return self.folder / table.name

    def read(
        self, table: Table, *, programmes: Iterable[str] | None = None, columns: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Rows of the table in the declared types, of some programmes or of all; empty when it was never written.

        Rows are in the order of the table's key. The whole answer comes from one version of the table. `columns` names those that are wanted.
        """
        wanted = [c for c in table.columns if columns is None or c.name in set(columns)]
        for attempt in range(_TRIES):
            try:
                return self._read(table, wanted, None if programmes is None else set(programmes))
            except FileNotFoundError:
                if attempt == _TRIES - 1:  # vacuumed away between opening and reading, again and again
                    raise
        raise AssertionError

    def replace(
        self,
        table: Table,
        frame: pd.DataFrame,
        *,
        programmes: Iterable[str] | None = None,
        fingerprints: Mapping[str, str],
    ) -> None:
        """Puts the frame in place of all rows of the programmes (of the whole table when it is not partitioned), in one
        commit that also carries the fingerprints.

        Raises ValueError or TypeError where the frame does not fit the declaration, and `InvariantError` where its key is
        not unique or a row belongs to none of the programmes.
        """
        rows = _checked(table, table.conform(frame), programmes)
        delta = self._open(table)
        told = {**(self._metadata(delta) if delta else {}), **fingerprints}
        write_deltalake(
            self.path(table),
            _to_arrow(table, rows),
            mode="overwrite",
            partition_by=[_PARTITION] if table.is_partitioned else None,
            predicate=_predicate(programmes) if table.is_partitioned and delta else None,
            schema_mode="merge" if delta and _has_other_columns(delta, table) else None,
            configuration=_CONFIGURATION,
            commit_properties=CommitProperties(custom_metadata={_METADATA: json.dumps(told, sort_keys=True)}),
        )

    def fingerprints(self, table: Table) -> dict[str, str]:
        """What each programme's rows were computed from, as the last commit tells; `'*'` for tables without partitions."""
        delta = self._open(table)
        return self._metadata(delta) if delta else {}

    def forget(self, table: Table, programmes: Iterable[str]) -> None:
        """Removes all rows and fingerprints of programmes that left the consortium; does nothing where there are none."""
        delta = self._open(table)
        gone = set(programmes) & set(self._metadata(delta)) if delta else set()
        if not delta or not gone:
            return
        told = {p: f for p, f in self._metadata(delta).items() if p not in gone}
        write_deltalake(
            self.path(table),
            _to_arrow(table, table.empty()),
            mode="overwrite",
            predicate=_predicate(gone),
            commit_properties=CommitProperties(custom_metadata={_METADATA: json.dumps(told, sort_keys=True)}),
        )

    def vacuum(self, table: Table, *, retention_hours: int = 24, is_thorough: bool = False) -> int:
        """Deletes the files of versions that were replaced longer ago than that; the number of files deleted.

        `is_thorough` deletes those that no commit ever named, too: a writer that was killed leaves them. Whoever is still reading such a
        version reads again from the current one. Fingerprints stay.
        """
        delta = self._open(table)
        if not delta:
            return 0
        told = json.dumps(self._metadata(delta), sort_keys=True)
        how: dict[str, Any] = {
            "retention_hours": retention_hours,
            "enforce_retention_duration": False,
            "full": is_thorough,
            "commit_properties": CommitProperties(custom_metadata={_METADATA: told}),
        }
        # Named again are those that an earlier call deleted: without this question every call would be a commit.
        there = [name for name in delta.vacuum(dry_run=True, **how) if (self.path(table) / name).exists()]
        if there:
            delta.vacuum(dry_run=False, **how)
        return len(there)

    def has(self, table: Table) -> bool:
        """Whether the table was ever written."""
        return self._open(table) is not None

    def _open(self, table: Table) -> DeltaTable | None:
        try:
            return DeltaTable(self.path(table))
        except TableNotFoundError:
            return None

    def _metadata(self, delta: DeltaTable) -> dict[str, str]:
        return dict(json.loads(delta.history(1)[0].get(_METADATA, "{}")))

    def _read(self, table: Table, wanted: list[Column], programmes: set[str] | None) -> pd.DataFrame:
        delta = self._open(table)
        read = [c for c in table.columns if c in wanted or c.name in table.key]
        parts = [] if delta is None else [_part(*f, read) for f in _files(delta, table, programmes)]
        if not parts:
            return table.empty()[[c.name for c in wanted]]
        # Delta does not keep the order of rows within a partition.
        return _to_pandas(pa.concat_tables(parts).sort_by([(name, "ascending") for name in table.key]), wanted)


def _checked(table: Table, frame: pd.DataFrame, programmes: Iterable[str] | None) -> pd.DataFrame:
    if table.is_partitioned:
        strangers = ~frame[_PARTITION].isin(list(programmes or ()))
        if strangers.any():
            raise InvariantError(f"{table.name}: {int(strangers.sum())} rows belong to no programme that was computed")
    if required := [c.name for c in table.columns if c.is_required and frame[c.name].isna().any()]:
        raise InvariantError(f"{table.name}: values are missing in {', '.join(required)}, where one must stand")
    key = list(table.key)
    repeated = int(frame.duplicated(key).sum())
    if repeated:
        raise InvariantError(f"{table.name}: {repeated} rows repeat the key of another ({', '.join(key)})")
    return frame


def _to_arrow(table: Table, frame: pd.DataFrame) -> pa.Table:
    schema = pa.schema([pa.field(c.name, _ARROW[c.dtype]) for c in table.columns])
    return pa.Table.from_arrays([pa.array(frame[f.name], type=f.type, from_pandas=True) for f in schema], schema=schema)


def _predicate(programmes: Iterable[str] | None) -> str:
    return f"{_PARTITION} IN ({', '.join(repr(str(p)) for p in sorted(programmes or ()))})"


def _has_other_columns(delta: DeltaTable, table: Table) -> bool:
    """Whether the table gained or lost a column since it was last written: rows of other programmes then keep what they have."""
    return {field.name for field in delta.schema().fields} != set(table.column_names)


def _files(delta: DeltaTable, table: Table, programmes: set[str] | None) -> list[tuple[Path, str | None]]:
    actions = pa.table(delta.get_add_actions(flatten=True))
    paths = [Path(delta.table_uri.removeprefix("file://")) / p for p in actions["path"].to_pylist()]
    if not table.is_partitioned:
        return [(p, None) for p in sorted(paths)]
    owners = actions[f"partition.{_PARTITION}"].to_pylist()
    return sorted((p, o) for p, o in zip(paths, owners, strict=True) if programmes is None or o in programmes)


def _part(path: Path, owner: str | None, wanted: list[Column]) -> pa.Table:
    with pq.ParquetFile(path) as file:
        stored = [c.name for c in wanted if c.name in file.schema_arrow.names]
        part = file.read(columns=stored, use_threads=False)
        n_rows = part.num_rows if stored else file.metadata.num_rows
    arrays = [_array(part, c, owner, n_rows) for c in wanted]
    return pa.Table.from_arrays(arrays, names=[c.name for c in wanted])


def _array(part: pa.Table, column: Column, owner: str | None, n_rows: int) -> pa.ChunkedArray | pa.Array:
    kind = _ARROW[column.dtype]
    if column.name in part.column_names:
        return part[column.name].cast(kind)
    if column.name == _PARTITION and owner is not None:
        return pa.array([owner] * n_rows, type=kind)
    return pa.nulls(n_rows, type=kind)  # the table gained a column since it was written


def _to_pandas(stored: pa.Table, wanted: list[Column]) -> pd.DataFrame:
    return pd.DataFrame({c.name: _series(stored[c.name], c) for c in wanted})


def _series(values: pa.ChunkedArray, column: Column) -> pd.Series:
    if column.dtype == "datetime64[s]":
        values = values.cast(pa.timestamp("s"))
    if column.dtype == "str":
        return pd.Series(values.to_numpy(zero_copy_only=False), dtype=pd.StringDtype(na_value=np.nan))
    return values.to_pandas(types_mapper=_PANDAS.get).astype(column.dtype)
