"""The folder in which one installation lives: where everything is, its version stamp, settings, mappings and keys.

Belongs here: the layout of `ROM_HOME` and nothing about what is computed. Does not belong here: tables (`warehouse`),
delivered files (`archive`), local numbers (`vault`), the writer's lock (`lock`).
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mbt_rom.settings import SHARED, Consortium, parse_settings

#: Version of the layout of a home. Raise it, and say in `docs/operations.md` how to migrate, whenever an older home
#: cannot be used as it is.
LAYOUT = 1
STAMP = "version"
SETTINGS = "consortium.yaml"
KEYS = ("pseudonyms", "archive", "vault")
_FOLDERS = ("inbox", "mappings", "instruments", "scoring_keys", "archive", "vault", "warehouse", "published", "dagster")

DAGSTER_YAML = """\
# Dagster's own settings for this home. Telemetry stays off; nothing here leaves the machine.
telemetry:
  enabled: false
nux:
  enabled: false

# Runs are kept in SQLite files beside this one. For PostgreSQL replace this comment by a `storage:` block
# (see docs/operations.md); the tables of the warehouse are not touched by that.

# One run at a time: the home has one writer.
concurrency:
  runs:
    max_concurrent_runs: 1

# A run that was killed would otherwise hold the queue for ever.
run_monitoring:
  enabled: true
  start_timeout_seconds: 600
  max_runtime_seconds: 21600

# What a run prints is not stored, so that nothing a library prints can end up in a file.
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager

python_logs:
  managed_python_loggers: []
  python_log_level: WARNING

retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
"""


class HomeError(Exception):
    """The folder cannot be used as a home; the message says what to do."""


@dataclass(frozen=True)
class Home:
    """One home. Open it with `Home.open`; every path of it is named here."""

    root: Path
    settings: Consortium

    @classmethod
    def open(cls, root: Path) -> Home:
        """The home in that folder.

        Raises `HomeError` where the folder is no home, was made by a newer version or needs a migration, and
        `mbt_rom.settings.SettingsError` where `consortium.yaml` cannot be used.
        """
        check_stamp(root)
        return cls(root=root.resolve(), settings=parse_settings(_settings_text(root)))

    @property
    def inbox(self) -> Path:
        """Where exports are dropped, in one folder per programme."""
        return self.root / "inbox"

    @property
    def mappings_folder(self) -> Path:
        """Confirmed column mappings."""
        return self.root / "mappings"

    @property
    def instruments_folder(self) -> Path:
        """Instruments that the site defines itself, `<id>.yaml` each."""
        return self.root / "instruments"

    @property
    def scoring_keys_folder(self) -> Path:
        """Keys of questionnaires that the site holds under its licence, `<id>.yaml` each."""
        return self.root / "scoring_keys"

    @property
    def archive_folder(self) -> Path:
        """Delivered files, encrypted, by sha256."""
        return self.root / "archive"

    @property
    def vault_folder(self) -> Path:
        """Local numbers, encrypted."""
        return self.root / "vault"

    @property
    def waiting_stops(self) -> Path:
        """Notes of stops whose ledger row is still to be written, in one folder per programme; made by the first of them."""
        return self.root / "stops"

    @property
    def warehouse_folder(self) -> Path:
        """Delta tables."""
        return self.root / "warehouse"

    @property
    def published(self) -> Path:
        """What may be shown: `site` is the current one."""
        return self.root / "published"

    @property
    def dagster_folder(self) -> Path:
        """Dagster's instance."""
        return self.root / "dagster"

    @property
    def secrets_folder(self) -> Path:
        """Keys, readable by their owner only."""
        return self.root / "secrets"

    @property
    def export_log(self) -> Path:
        """One line per export of a person-level table."""
        return self.root / "exports.log"

    @cached_property
    def partitions(self) -> tuple[str, ...]:
        """Names of all partitions: the programmes, and `_shared` for what no programme could be found for."""
        return (*self.settings.programmes, SHARED)

    def mapping_texts(self) -> dict[str, str]:
        """Text of every mapping file by its file name, in the order of the names."""
        files = sorted(p for p in self.mappings_folder.glob("*.yaml") if p.is_file() and not p.name.startswith("."))
        return {p.name: p.read_text(encoding="utf-8") for p in files}

    def key(self, name: str) -> bytes:
        """The key of that name; `HomeError` where it is missing or can be read by others."""
        path = self.secrets_folder / f"{name}.key"
        if not path.is_file():
            raise HomeError(
                f"{path}: the key is missing; restore it from the backup, a new one would fit no stored file"
            )
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise HomeError(f"{path}: other users can read this key; run: chmod 600 {path}")
        return bytes.fromhex(path.read_text(encoding="ascii").strip())


def create(root: Path, settings_text: str) -> Home:
    """Makes a new home: folders, keys, Dagster's settings, `consortium.yaml`, and the version stamp last.

    Raises `HomeError` where there is one already or where the folder holds something else, and `SettingsError` where the
    settings cannot be used. A home whose making was interrupted has no stamp and is completed by calling this again; keys
    that exist are never replaced.
    """
    settings = parse_settings(settings_text)
    if (root / STAMP).exists():
        raise HomeError(f"{root}: there is a home already; delete it yourself if it may go")
    if root.is_dir() and (foreign := {p.name for p in root.iterdir()} - {*_FOLDERS, "secrets", SETTINGS}):
        raise HomeError(f"{root}: holds other things ({', '.join(sorted(foreign)[:3])}); choose an empty folder")
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for programme_id in settings.programmes:
        (root / "inbox" / programme_id).mkdir(exist_ok=True)
    (root / "inbox" / SHARED).mkdir(exist_ok=True)
    _make_keys(root / "secrets")
    write_atomically(root / "dagster" / "dagster.yaml", DAGSTER_YAML.encode())
    write_atomically(root / SETTINGS, settings_text.encode())
    write_atomically(root / STAMP, json.dumps({"layout": LAYOUT}).encode())
    return Home.open(root)


def check_stamp(root: Path) -> None:
    """Raises `HomeError`, with the remedy, unless the folder is a home of this layout."""
    path = root / STAMP
    if not path.is_file():
        raise HomeError(f"{root}: not a home (no file '{STAMP}'); make one with `rom init` or name yours with --home")
    try:
        layout = int(json.loads(path.read_text(encoding="utf-8"))["layout"])
    except (ValueError, KeyError, TypeError):
        raise HomeError(f"{path}: cannot be read; restore it from the backup") from None
    if layout < LAYOUT:
        raise HomeError(f"{root}: needs a migration from layout {layout} to {LAYOUT}; see docs/operations.md")
    if layout > LAYOUT:
        raise HomeError(
            f"{root}: was made by a newer version (layout {layout}, this one knows {LAYOUT}); update MBT-ROM"
        )


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Writes a file so that readers see the old one or the new one, also after a power cut."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename in that folder last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _settings_text(root: Path) -> str:
    path = root / SETTINGS
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise HomeError(f"{path}: is missing; restore it from the backup or write it anew") from None
    except UnicodeDecodeError:
        raise HomeError(f"{path}: not UTF-8; save it as UTF-8") from None


def _make_keys(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for name in KEYS:
        path = folder / f"{name}.key"
        if not path.exists():
            write_atomically(path, secrets.token_hex(32).encode())
