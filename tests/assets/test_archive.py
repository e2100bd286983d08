"""Delivered files come out as they went in, cannot be read on disk, and tell when they were damaged."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assets.archive import Archive, ArchiveError
from assets.vault import Vault

KEY = bytes(range(32))
DATA = b"patient;phq9_1\n1001;3\n" * 50


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive", KEY)


def _only_file(folder: Path) -> Path:
    [path] = [p for p in folder.rglob("*") if p.is_file()]
    return path


def test_a_file_is_kept_under_its_sha256_and_comes_back_unchanged(archive: Archive) -> None:
    sha = archive.store(DATA)
    assert sha == hashlib.sha256(DATA).hexdigest()
    assert archive.read(sha) == DATA
    assert list(archive) == [sha]
    assert sha in archive


def test_nothing_readable_lies_on_the_disk(archive: Archive) -> None:
    archive.store(DATA)
    path = _only_file(archive.folder)
    assert b"1001" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_the_same_bytes_again_change_nothing(archive: Archive) -> None:
    archive.store(DATA)
    before = _only_file(archive.folder).read_bytes()
    archive.store(DATA)
    assert _only_file(archive.folder).read_bytes() == before


@pytest.mark.parametrize("position", [0, 12, 40, -1])
def test_damage_is_noticed(archive: Archive, position: int) -> None:
    sha = archive.store(DATA)
    path = _only_file(archive.folder)
    damaged = bytearray(path.read_bytes())
    damaged[position] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(ArchiveError, match="damaged"):
        archive.read(sha)


def test_one_file_cannot_stand_in_for_another(archive: Archive) -> None:
    first, second = archive.store(DATA), archive.store(b"another file")
    sealed = (archive.folder / first[:2] / first).read_bytes()
    (archive.folder / second[:2] / second).write_bytes(sealed)
    with pytest.raises(ArchiveError):
        archive.read(second)


def test_another_key_and_a_missing_file_are_told(archive: Archive) -> None:
    sha = archive.store(DATA)
    with pytest.raises(ArchiveError, match="another key"):
        Archive(archive.folder, bytes(32)).read(sha)
    with pytest.raises(ArchiveError, match="not in the archive"):
        archive.read("0" * 64)


def test_the_vault_keeps_numbers_unreadable_and_forgets_none(tmp_path: Path) -> None:
    vault = Vault(tmp_path, KEY)
    vault.add("alpha", {"p_1": ("north", "1001")})
    vault.add("alpha", {"p_2": ("north", "1002"), "p_1": ("north", "something else")})
    assert vault.numbers("alpha") == {"p_1": ("north", "1001"), "p_2": ("north", "1002")}
    assert vault.numbers("beta") == {}
    assert b"1001" not in (tmp_path / "alpha").read_bytes()
