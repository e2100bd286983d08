"""Publishing: a whole new folder beside the old one, then one rename. Readers see one site or the other, never a mixture.

Belongs here: writing `published/`. Does not belong here: what is on the pages (`dashboards.site`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from assets.home import sync_folder

CURRENT = "site"
_VERSIONS = ".versions"
_NEXT = ".next"
_PART = ".part"


def publish(folder: Path, pages: Mapping[str, bytes], *, fingerprint: str) -> Path:
    """Makes `folder/site` show these pages (relative path -> content) and returns it.

    The version is named by its fingerprint, so that `published(folder)` tells what the pages were made from. What an
    interrupted call left behind is removed by the next one; the version before stays for whoever is reading it.
    """
    versions = folder / _VERSIONS
    versions.mkdir(parents=True, exist_ok=True)
    before = published(folder)
    _write(versions, fingerprint, pages)
    _point(folder, fingerprint)
    for old in versions.iterdir():
        if old.name not in {fingerprint, before}:
            shutil.rmtree(old)
    return folder / CURRENT


def published(folder: Path) -> str | None:
    """Fingerprint of the site that is shown now; None when there is none."""
    link = folder / CURRENT
    if not (link.is_symlink() and link.is_dir()):
        return None
    return link.readlink().name


def _write(versions: Path, fingerprint: str, pages: Mapping[str, bytes]) -> None:
    part = versions / f"{fingerprint}{_PART}"
    for leftover in (part, versions / fingerprint):
        if leftover.exists() and leftover.name != published(versions.parent):
            shutil.rmtree(leftover)
    if (versions / fingerprint).exists():
        return  # it is the one being shown, and whole
    for name, content in pages.items():
        path = part / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    _sync(part)
    part.rename(versions / fingerprint)


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError("a page must lie inside the site")
    return path


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    sync_folder(folder)


def _point(folder: Path, fingerprint: str) -> None:
    following = folder / _NEXT
    following.unlink(missing_ok=True)
    following.symlink_to(Path(_VERSIONS) / fingerprint, target_is_directory=True)
    following.replace(folder / CURRENT)
    sync_folder(folder)
