"""Which MBT-ROM is running: its version, and a hash of the code that computes tables."""

from __future__ import annotations

import hashlib
import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_COMPUTING = ("mbt_rom", "expectations", "assets", "dashboards", "instruments/value_sets")


@cache
def version() -> str:
    """Version of MBT-ROM; in a checkout that was not installed, the one that pyproject.toml states."""
    try:
        return metadata.version("mbt-rom")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])


@cache
def code_hash() -> str:
    """Hash of the code that computes tables: after an update everything is computed anew."""
    digest = hashlib.sha256()
    for folder in _COMPUTING:
        for path in sorted((_ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".csv", ".html", ".css", ".js"}:
                digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
