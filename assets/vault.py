"""Local numbers of patients and codes of staff, encrypted: for the people who must find the person behind a pseudonym.

Belongs here: keeping and returning the pairs. Does not belong here: making pseudonyms, and deciding who may look.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from assets.archive import Sealer
from assets.home import write_atomically


@dataclass(frozen=True)
class Vault:
    """Two encrypted files per drop folder: `patient_id -> (issuer, local number)`, and the same of staff (`staff_file`)."""

    folder: Path
    key: bytes

    def add(self, name: str, numbers: dict[str, tuple[str, str]]) -> None:
        """Adds pairs to the file of that name. What is known already is kept; nothing new, nothing written."""
        known = self.numbers(name)
        if numbers.keys() - known.keys():
            data = json.dumps({**numbers, **known}, sort_keys=True).encode()
            write_atomically(self.folder / name, Sealer(self.key).seal(data, name=f"vault/{name}"))

    def numbers(self, name: str) -> dict[str, tuple[str, str]]:
        """`patient_id -> (issuer, local number)` of that file; empty when there is none."""
        path = self.folder / name
        if not path.is_file():
            return {}
        pairs = json.loads(Sealer(self.key).open(path.read_bytes(), name=f"vault/{name}"))
        return {patient_id: (issuer, number) for patient_id, (issuer, number) in pairs.items()}


def staff_file(folder: str) -> str:
    """Name of the file with the codes of staff of a drop folder; no drop folder is called so.

    >>> staff_file("alpha")
    'alpha.staff'
    """
    return f"{folder}.staff"
