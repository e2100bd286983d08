"""From the inbox to the archive: each file is kept, entered in the ledger, and only then removed from the inbox.

Belongs here: which files are ready, what is refused unopened or unread, and the order of steps that makes a kill at any
moment harmless. Does not belong here: understanding a file (`mbt_rom.conform`), computing tables.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from assets.failures import place
from assets.state import CODEBOOK, CORRECTION, EXPORT, REFUSED, TAKEN_IN, State
from assets.vault import staff_file
from mbt_rom.conform import FULL_HEADER, Conformed
from mbt_rom.findings import needs_action
from mbt_rom.settings import SHARED, Consortium
from mbt_rom.tables import LEDGER

CITIZEN_NUMBERS = "patient_column_citizen_numbers"
UNKNOWN_FOLDER = "programme_unknown_folder"
TOO_LARGE = "file_too_large"
_UNFINISHED = (".part", ".tmp", ".temp", ".crdownload", ".filepart", ".swp", "~")
_MEGABYTE = 1024 * 1024

Outcome = Literal["taken_in", "known", "refused", "failed"]


@dataclass(frozen=True)
class Found:
    """A file in the inbox. `folder` is a programme, `_shared`, or None where the drop folder belongs to none."""

    path: Path
    folder: str | None
    size: int
    modified_ns: int

    @property
    def label(self) -> str:
        """Drop folder and name, as a person would write it."""
        return "/".join(self.path.parts[-2:])


@dataclass(frozen=True)
class Taken:
    """What became of one file. `conformed` is what was understood; `reason` a rule, or the place of an error of ours.

    `by`: who delivered it. `n_corrected`: rows that a returned work list corrected; None where the file is none.
    """

    label: str
    folder: str
    delivery_id: str
    outcome: Outcome
    reason: str | None = None
    conformed: Conformed | None = None
    by: str | None = None
    n_corrected: int | None = None

    @property
    def needs_attention(self) -> bool:
        """Whether the file was not taken in, or something in it counts for nothing until a person acts."""
        if self.conformed is None:
            return self.outcome != "known"
        is_wrong = needs_action(self.conformed.findings).any()
        return self.outcome != "taken_in" or bool(is_wrong)


def scan(inbox: Path, *, settings: Consortium) -> list[Found]:
    """Files lying in the inbox, in the order of their names: no hidden, unfinished or linked ones, no deeper folders."""
    found = []
    for entry in sorted(_entries(inbox), key=lambda e: e.name):
        if entry.is_file(follow_symlinks=False):
            found.append(_found(entry, folder=None))
        elif entry.is_dir(follow_symlinks=False):
            folder = entry.name if entry.name in (*settings.programmes, SHARED) else None
            files = [e for e in _entries(Path(entry.path)) if e.is_file(follow_symlinks=False)]
            found += [_found(e, folder=folder) for e in sorted(files, key=lambda e: e.name)]
    return found


def ignored(inbox: Path) -> int:
    """Number of links, and of folders below a drop folder: nothing in them is ever taken in."""
    below = [e for d in _entries(inbox) if d.is_dir(follow_symlinks=False) for e in _entries(Path(d.path))]
    return sum(e.is_symlink() or e.is_dir(follow_symlinks=False) for e in below) + sum(
        e.is_symlink() for e in _entries(inbox)
    )


def settled(found: Iterable[Found], *, now: datetime, settle_seconds: int) -> list[Found]:
    """Those that have not changed for so long, so that nobody is writing them any more."""
    moment = now.timestamp()
    return [f for f in found if abs(moment - f.modified_ns / 1e9) >= settle_seconds]


def take_in_inbox(state: State, found: Iterable[Found], *, now: datetime) -> list[Taken]:
    """Takes in settled files of the inbox. A file that was changed meanwhile stays, and so do refused ones.

    Order: bytes to the archive, ledger rows of a folder in one commit, then the files are removed. Killed in between, the
    same files are met again and change nothing.
    """
    files = list(found)
    taken = [t for f in files if f.folder is None for t in [_stranger(state, f)]]
    _settle_strangers(state, taken, now=now)
    for folder in sorted({f.folder for f in files if f.folder}):
        mine = [f for f in files if f.folder == folder]
        results = [(f, _take(state, f, folder=folder, now=now)) for f in mine]
        results = [(f, t) for f, t in results if t is not None]
        enter(state, [t for _, t in results if t], sizes={t.delivery_id: f.size for f, t in results if t}, now=now)
        for file, result in results:
            if result and result.outcome in ("taken_in", "known"):
                remove(file)
        taken += [t for _, t in results if t]
    return taken


def take_in_file(state: State, path: Path, *, folder: str, now: datetime, by: str | None = None) -> Taken:
    """Takes in one file that somebody (`by`) named, wherever it lies. It is not removed."""
    stat = path.stat()
    result = _take(state, Found(path, folder, stat.st_size, stat.st_mtime_ns), folder=folder, now=now, by=by)
    if result is None:
        raise OSError(f"{path}: changed while it was read; try again")
    enter(state, [result], sizes={result.delivery_id: stat.st_size}, now=now)
    return result


def understand_file(state: State, path: Path, *, folder: str, now: datetime) -> Taken:
    """What would be understood of a file; nothing is kept."""
    stat = path.stat()
    if stat.st_size > state.home.settings.largest_file_mb * _MEGABYTE:
        return Taken(path.name, folder, _sha_of(path), "refused", TOO_LARGE)
    data = path.read_bytes()
    delivery_id = hashlib.sha256(data).hexdigest()
    return _understood(state, data, delivery_id=delivery_id, folder=folder, name=path.name, label=path.name, now=now)


def enter(state: State, taken: list[Taken], *, sizes: dict[str, int], now: datetime) -> None:
    """Adds ledger rows for what was taken in or refused, in one commit; a delivery that is known keeps its row."""
    ledger = state.ledger
    for folder in {t.folder for t in taken}:
        rows = ledger[ledger["programme_id"] == folder]
        known = set(rows["delivery_id"])
        new = {t.delivery_id: t for t in taken if t.folder == folder and t.outcome in (TAKEN_IN, REFUSED)}
        fresh = [_row(state, t, size=sizes[i], now=now) for i, t in new.items() if i not in known]
        if fresh:
            together = pd.concat([rows, LEDGER.conform(pd.DataFrame(fresh))], ignore_index=True)
            state.warehouse.replace(LEDGER, together, programmes=[folder], fingerprints={})
    state.reread_ledger()


def understand_again(state: State) -> int:
    """Brings the ledger's account of how files were understood up to date; the number of files that were read again.

    A mapping, a codebook or a definition may have come after a file, and decides with it what the file holds.
    """
    ledger = state.ledger
    n = 0
    for folder, rows in ledger.groupby("programme_id"):
        stale = rows[rows["status"].eq(TAKEN_IN) & rows["read_with"].ne(state.read_with(str(folder)))]
        if stale.empty:
            continue
        facts = [{**_facts(state.parsed(row)), "read_with": state.read_with(str(folder))} for row in stale.itertuples()]
        fresh = rows.astype(object)
        fresh.loc[stale.index, list(facts[0])] = pd.DataFrame(facts, index=stale.index)
        state.warehouse.replace(LEDGER, LEDGER.conform(fresh), programmes=[str(folder)], fingerprints={})
        n += len(stale)
    if n:
        state.reread_ledger()
    return n


def owner(path: Path) -> str:
    """Name of the owner of a file, or the number where the machine knows no name."""
    try:
        return path.owner()
    except (KeyError, NotImplementedError):
        return str(path.stat().st_uid)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    if not folder.is_dir():
        return
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith((".", "~$")) and not entry.name.lower().endswith(_UNFINISHED):
                yield entry


def _found(entry: os.DirEntry[str], *, folder: str | None) -> Found:
    stat = entry.stat(follow_symlinks=False)
    return Found(Path(entry.path), folder, stat.st_size, stat.st_mtime_ns)


def _take(state: State, file: Found, *, folder: str, now: datetime, by: str | None = None) -> Taken | None:
    """What becomes of one file; None when it changed while it was read. `by`: who delivers it, else its owner."""
    if file.size > state.home.settings.largest_file_mb * _MEGABYTE:
        return Taken(file.label, folder, _sha_of(file.path), "refused", TOO_LARGE)
    data = read_bytes(file.path)
    if not _is_unchanged(file):
        return None
    delivery_id = hashlib.sha256(data).hexdigest()
    earlier = _known(state, folder, delivery_id)
    if earlier is not None:
        is_refused = earlier["status"] == REFUSED
        reason = str(earlier["reason"]) if is_refused else None
        return Taken(file.label, folder, delivery_id, "refused" if is_refused else "known", reason)
    name = file.path.name
    taken = _understood(state, data, delivery_id=delivery_id, folder=folder, name=name, label=file.label, now=now)
    taken = replace(taken, by=by or owner(file.path))
    if taken.outcome == "taken_in" and taken.conformed is not None:
        state.archive.store(data)
        keep_numbers(state, folder, taken.conformed)
    return taken


def _understood(
    state: State, data: bytes, *, delivery_id: str, folder: str, name: str, label: str, now: datetime
) -> Taken:
    state.prepare()
    try:
        conformed = state.parse(lambda: data, delivery_id=delivery_id, folder=folder, file_name=name, received_at=now)
    except Exception as error:  # an error of ours must not stop the other files, and the file must not be lost
        return Taken(label, folder, delivery_id, "failed", place(error))
    refused = conformed.findings["rule"].eq(CITIZEN_NUMBERS).any()
    outcome: Outcome = "refused" if refused else "taken_in"
    return Taken(label, folder, delivery_id, outcome, CITIZEN_NUMBERS if refused else None, conformed)


def _known(state: State, folder: str, delivery_id: str) -> pd.Series | None:
    ledger = state.ledger
    rows = ledger[(ledger["programme_id"] == folder) & (ledger["delivery_id"] == delivery_id)]
    return rows.iloc[0] if len(rows) else None


def keep_numbers(state: State, folder: str, conformed: Conformed) -> None:
    """Puts the local numbers of patients and the codes of staff of a delivery into the vault."""
    state.vault.add(folder, numbers_of(conformed.numbers))
    state.vault.add(staff_file(folder), numbers_of(conformed.staff))


def numbers_of(numbers: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Issuer and local number by pseudonym, as the vault keeps them."""
    pairs = zip(numbers["issuer"], numbers["number"], strict=True)
    return dict(zip(numbers["patient_id"], pairs, strict=True))


def _row(state: State, taken: Taken, *, size: int, now: datetime) -> dict[str, Any]:
    refused = taken.outcome == REFUSED
    facts = {} if taken.conformed is None or refused else _facts(taken.conformed)
    read_with = {} if refused else {"read_with": state.read_with(taken.folder)}
    return {
        "programme_id": taken.folder,
        "delivery_id": taken.delivery_id,
        "file_name": taken.label.split("/")[-1],
        "received_at": pd.Timestamp(now),
        "size_bytes": size,
        "status": REFUSED if refused else TAKEN_IN,
        "reason": taken.reason,
        "received_by": taken.by,
        **read_with,
        **facts,
    }


def _kind(conformed: Conformed) -> str:
    if conformed.is_decision:
        return CORRECTION
    return EXPORT if conformed.codebook is None else CODEBOOK


def _facts(conformed: Conformed) -> dict[str, Any]:
    return {
        "kind": _kind(conformed),
        "dialect": conformed.dialect,
        "encoding": conformed.encoding,
        "mapping": conformed.mapping or "detected",
        "mapping_hash": conformed.mapping_hash,
        "n_rows": conformed.n_rows,
        "shape": conformed.shape,
        "understood": json.dumps([_kept(column) for column in conformed.understood], ensure_ascii=False),
    }


def _kept(column: dict[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a column: all that is told but the whole of a long header, which is often a question."""
    return {key: value for key, value in column.items() if key != FULL_HEADER}


def _stranger(state: State, file: Found) -> Taken:
    return Taken(file.label, SHARED, _sha_of(file.path), "refused", UNKNOWN_FOLDER)


def _settle_strangers(state: State, taken: list[Taken], *, now: datetime) -> None:
    """Ledger rows of files in folders that belong to no programme: they are there as long as the files are."""
    ledger = state.ledger
    rows = ledger[ledger["programme_id"] == SHARED]
    others = rows[~rows["reason"].eq(UNKNOWN_FOLDER)]
    lying = {t.delivery_id: t for t in taken if t.delivery_id not in set(others["delivery_id"])}
    kept = rows[rows["reason"].eq(UNKNOWN_FOLDER) & rows["delivery_id"].isin(list(lying))]
    fresh = [_row(state, t, size=0, now=now) for i, t in lying.items() if i not in set(kept["delivery_id"])]
    if fresh or len(kept) + len(others) < len(rows):
        frames = [f for f in (others, kept, LEDGER.conform(pd.DataFrame(fresh))) if len(f)] or [LEDGER.empty()]
        together = pd.concat(frames, ignore_index=True)
        state.warehouse.replace(LEDGER, together, programmes=[SHARED], fingerprints={})
        state.reread_ledger()


def read_bytes(path: Path) -> bytes:
    """The bytes of a file that is no link."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _sha_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _is_unchanged(file: Found) -> bool:
    stat = file.path.stat(follow_symlinks=False)
    return (stat.st_size, stat.st_mtime_ns) == (file.size, file.modified_ns)


def remove(file: Found) -> None:
    """Removes a file that is safe in the archive, unless somebody has put another in its place meanwhile."""
    if file.path.exists() and _is_unchanged(file):
        file.path.unlink()
