"""Exports of every survey tool, made from known forms: every row is accounted for, and what counts is the truth.

A case (`tests.exporters.truth`) is written by every exporter as two deliveries: some forms twice, some half finished first,
some with an answer that is no answer, rows and columns in any order. Then the whole way from bytes to accepted forms is gone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings

from expectations.items import validate_items
from mbt_rom.acceptance import accept, conservation, dispositions
from mbt_rom.conform import Conformed, deliver
from mbt_rom.exports.codebook import Codebook
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import parse_settings
from mbt_rom.tables import CONTENTS, findings_table, items_table
from tests.exporters.tools import EXPORTERS, Exporter
from tests.exporters.truth import INSTRUMENTS, MOMENTS, Case, cases

SETTINGS = parse_settings(
    "name: x\nissuers: {clinic: {form: digits}}\n"
    "programmes: {north: {name: North, issuer: clinic, instruments: [phq9, eq5d5l]}}\n"
)
PSEUDONYMS = Pseudonyms(b"p" * 32)
#: Per exporter: 10 every day, more than a hundred in all; 200 under the profile of the long tests, 2,200 in all.
EXAMPLES = {"long": 200}.get(os.environ.get("HYPOTHESIS_PROFILE", "ci"), 10)
FIRST = datetime(2026, 3, 1, 8, tzinfo=UTC)


def _read(files: Mapping[str, bytes], received_at: datetime, codebooks: list[Codebook]) -> list[Conformed]:
    read = []
    for name, data in files.items():
        read.append(
            deliver(
                data,
                file_name=name,
                programme_id="north",
                delivery_id=hashlib.sha256(data).hexdigest(),
                received_at=received_at,
                settings=SETTINGS,
                instruments=INSTRUMENTS,
                pseudonyms=PSEUDONYMS,
                codebooks=codebooks,
            )
        )
        if (codebook := read[-1].codebook) is not None:
            codebooks.append(codebook)
    return read


def _delivered(exporter: Exporter, case: Case) -> list[Conformed]:
    """Everything that was read, each file once: the same bytes a second time are no new delivery."""
    read: list[Conformed] = []
    seen: set[bytes] = set()
    codebooks: list[Codebook] = []
    for nth, sittings in enumerate(case.deliveries()):
        files = {n: d for n, d in exporter.write(sittings, case, nth).items() if d not in seen}
        seen |= set(files.values())
        read += _read(files, FIRST + timedelta(days=30 * nth), codebooks)
    return read


def _together(read: list[Conformed], instrument: str) -> pd.DataFrame:
    frames = [r.items[instrument] for r in read if instrument in r.items]
    table = items_table(INSTRUMENTS[instrument])
    return table.conform(pd.concat(frames, ignore_index=True)) if frames else table.empty()


def _moment(form: pd.Series) -> str:
    """The moment of a form, told by its date where it has one."""
    if pd.isna(form["administered_on"]):
        return str(form["moment_given"])
    day = form["administered_on"].date()
    return next(m for m, first in MOMENTS.items() if first <= day <= first + timedelta(days=20))


@pytest.mark.parametrize("exporter", EXPORTERS, ids=lambda e: e.name)
def test_every_row_is_accounted_for_and_what_counts_is_the_truth(exporter: Exporter) -> None:
    @settings(max_examples=EXAMPLES)
    @given(cases())
    def goes_through(case: Case) -> None:
        read = _delivered(exporter, case)
        refused = [r.findings[["rule", "detail"]].to_numpy().tolist() for r in read if r.refused_for]
        assert not refused, refused
        items = {name: _together(read, name) for name in INSTRUMENTS}
        findings = {n: validate_items(INSTRUMENTS[n], rows, as_of=date(2026, 6, 1)) for n, rows in items.items()}
        about_files = pd.concat([r.findings for r in read], ignore_index=True)
        about_files = findings_table("deliveries").conform(about_files)
        contents = CONTENTS.conform(pd.concat([r.contents for r in read if len(r.contents)], ignore_index=True))

        law = conservation(contents, items, findings, about_files)
        assert law["is_conserved"].all()

        decided = {n: dispositions(rows, findings[n], about_files) for n, rows in items.items()}
        assert decided["phq9"].eq("set_aside").sum() == case.n_bad(), "copies of a bad form are duplicates"
        counted = {n: accept(rows, decided[n]) for n, rows in items.items()}
        found = {
            (form["patient_id"], _moment(form), name, tuple(None if pd.isna(form[i]) else int(form[i]) for i in INSTRUMENTS[name].item_ids))
            for name, rows in counted.items()
            for _, form in rows.iterrows()
        }  # fmt: skip
        numbers = sorted({s.patient for s, _ in case.sittings})
        ids = dict(zip(numbers, PSEUDONYMS.of_numbers("clinic", pd.Series(numbers, dtype="str")), strict=True))
        assert found == {(ids[patient], *rest) for patient, *rest in case.accepted()}
        assert sum(len(rows) for rows in counted.values()) == len(case.accepted()), "a form counts twice"

    goes_through()
