"""Delivered files as they came, by sha256, encrypted: with the registers the only source of every table.

Belongs here: storing and returning bytes. Does not belong here: what the bytes mean, and which programme sent them.
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assets.home import write_atomically

_NONCE_BYTES = 12


class ArchiveError(Exception):
    """A stored file is missing, damaged or was written with another key."""


@dataclass(frozen=True)
class Sealer:
    """AES-256-GCM over zlib; `name` is bound into the seal, so that one sealed file cannot stand in for another."""

    key: bytes

    def seal(self, data: bytes, *, name: str) -> bytes:
        """The bytes compressed and encrypted, nonce first."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, zlib.compress(data, 6), name.encode())

    def open(self, sealed: bytes, *, name: str) -> bytes:
        """The bytes that were sealed under that name; `ArchiveError` when they are damaged or the key is another."""
        try:
            return zlib.decompress(
                AESGCM(self.key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
            )
        except (InvalidTag, ValueError, zlib.error):
            raise ArchiveError(f"{name}: damaged, or written with another key; restore it from the backup") from None


@dataclass(frozen=True)
class Archive:
    """All delivered files of a home."""

    folder: Path
    key: bytes

    def store(self, data: bytes) -> str:
        """Keeps the bytes and returns their sha256, which is their name. Storing the same bytes again changes nothing."""
        sha = hashlib.sha256(data).hexdigest()
        path = self._path(sha)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, Sealer(self.key).seal(data, name=sha))
        return sha

    def read(self, sha: str) -> bytes:
        """The bytes of that sha256, checked against it; `ArchiveError` where they are missing or damaged."""
        path = self._path(sha)
        if not path.is_file():
            raise ArchiveError(f"{sha[:12]}: not in the archive; restore it from the backup")
        data = Sealer(self.key).open(path.read_bytes(), name=sha)
        if hashlib.sha256(data).hexdigest() != sha:
            raise ArchiveError(f"{sha[:12]}: its contents are not what its name says; restore it from the backup")
        return data

    def __contains__(self, sha: object) -> bool:
        """Whether bytes with that sha256 are kept."""
        return isinstance(sha, str) and self._path(sha).is_file()

    def __iter__(self) -> Iterator[str]:
        """The sha256 of every file that is kept, in order."""
        return iter(sorted(p.name for p in self.folder.glob("??/*") if not p.name.startswith(".")))

    def _path(self, sha: str) -> Path:
        return self.folder / sha[:2] / sha
