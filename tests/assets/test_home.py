"""A home says clearly what it is, and keeps its keys to itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assets.home import DAGSTER_YAML, KEYS, LAYOUT, STAMP, Home, HomeError, create, write_atomically

SETTINGS = """
name: Two programmes
issuers: {north: {}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9]}
  beta: {name: Beta, issuer: north, instruments: [phq9]}
"""


def test_a_new_home_has_its_folders_keys_and_stamp(tmp_path: Path) -> None:
    home = create(tmp_path / "home", SETTINGS)
    assert sorted(p.name for p in home.inbox.iterdir()) == ["_shared", "alpha", "beta"]
    assert home.partitions == ("alpha", "beta", "_shared")
    assert {len(home.key(name)) for name in KEYS} == {32}
    assert len({home.key(name) for name in KEYS}) == len(KEYS)
    assert (home.dagster_folder / "dagster.yaml").read_text() == DAGSTER_YAML


def test_keys_can_be_read_by_their_owner_only(tmp_path: Path) -> None:
    home = create(tmp_path / "home", SETTINGS)
    assert {oct(p.stat().st_mode & 0o777) for p in home.secrets_folder.iterdir()} == {"0o600"}
    assert home.secrets_folder.stat().st_mode & 0o077 == 0
    (home.secrets_folder / "vault.key").chmod(0o640)
    with pytest.raises(HomeError, match="chmod 600"):
        home.key("vault")


def test_a_missing_key_is_never_made_anew_in_silence(tmp_path: Path) -> None:
    home = create(tmp_path / "home", SETTINGS)
    (home.secrets_folder / "archive.key").unlink()
    with pytest.raises(HomeError, match="restore it from the backup"):
        home.key("archive")


def test_an_interrupted_creation_is_completed_and_keeps_its_keys(tmp_path: Path) -> None:
    home = create(tmp_path / "home", SETTINGS)
    key = home.key("pseudonyms")
    (home.root / STAMP).unlink()
    assert create(home.root, SETTINGS).key("pseudonyms") == key


@pytest.mark.parametrize(
    ("stamp", "message"),
    [
        (None, "not a home"),
        (json.dumps({"layout": LAYOUT - 1}), "needs a migration"),
        (json.dumps({"layout": LAYOUT + 1}), "newer version"),
        ("what?", "cannot be read"),
    ],
)
def test_opening_what_is_no_usable_home_says_why(tmp_path: Path, stamp: str | None, message: str) -> None:
    home = create(tmp_path / "home", SETTINGS)
    if stamp is None:
        (home.root / STAMP).unlink()
    else:
        (home.root / STAMP).write_text(stamp)
    with pytest.raises(HomeError, match=message):
        Home.open(home.root)


def test_a_home_is_not_made_over_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter 1")
    with pytest.raises(HomeError, match="holds other things"):
        create(tmp_path, SETTINGS)
    made = create(tmp_path / "home", SETTINGS)
    with pytest.raises(HomeError, match="there is a home already"):
        create(made.root, SETTINGS)


def test_an_atomic_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
