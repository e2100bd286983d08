"""A drafted mapping file: it can be read, fits its file and no other, and makes the file understood as it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mbt_rom import registry
from mbt_rom.conform import Conformed, deliver
from mbt_rom.exports.drafting import UNKNOWN, draft, sheets_of
from mbt_rom.exports.mapping import Mapping, parse_mapping
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium

INSTRUMENTS = {i: d for i, d in registry.instruments().items() if d.monitors == "outcome"}
SETTINGS = Consortium.model_validate(
    {
        "name": "x",
        "issuers": {"hospital": {"form": "text"}},
        "programmes": {"here": {"name": "Here", "issuer": "hospital", "instruments": ["phq9", "sds", "ecrr", "sipp118"]}},
    }
)  # fmt: skip
N = 9


def delivered(columns: dict[str, Any], *mappings: Mapping) -> Conformed:
    cells = {header: value if isinstance(value, list) else [value] * N for header, value in columns.items()}
    text = "\n".join(
        [",".join(f'"{h}"' for h in cells), *(",".join(map(str, row)) for row in zip(*cells.values(), strict=True))]
    )
    return deliver(
        text.encode(),
        file_name="survey.csv",
        programme_id="here",
        delivery_id="a" * 64,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments=INSTRUMENTS,
        pseudonyms=Pseudonyms(b"k" * 32),
        mappings=mappings,
    )  # fmt: skip


def drafted(columns: dict[str, Any]) -> str:
    understood = delivered(columns).understood
    text = draft(understood, name="Survey 2025", sheet=sheets_of(understood)[0], instruments=INSTRUMENTS)
    assert text is not None
    return text


UNNAMED = {"client": [str(10 + n) for n in range(N)], "datum": "2025-03-01", **{f"Q{n}": n % 4 for n in range(1, 10)}}


def test_unnamed_columns_are_taken_in_once_the_draft_is_given() -> None:
    assert delivered(UNNAMED).refused_for == "file_to_confirm"
    mapping = parse_mapping(drafted(UNNAMED), file="survey.yaml")
    assert mapping.name == "survey_2025"
    got = delivered(UNNAMED, mapping)
    assert got.refused_for is None
    assert got.items["phq9"]["phq9_03"].tolist() == [3] * N
    assert got.items["phq9"]["administered_on"].notna().all()


def test_what_is_not_sure_is_marked() -> None:
    lines = drafted(UNNAMED).splitlines()
    marked = [line.partition("  #")[0].strip() for line in lines[2:] if "# confirm" in line]
    assert "- instrument: phq9" in marked
    named = drafted({"client": UNNAMED["client"], **{f"phq9_{n}": 1 for n in range(1, 10)}}).splitlines()
    assert not [line for line in named[2:] if "# confirm" in line]


def test_the_draft_fits_files_of_the_same_shape_and_no_other() -> None:
    mapping = parse_mapping(drafted(UNNAMED), file="survey.yaml")
    reordered = {header: UNNAMED[header] for header in reversed(UNNAMED)}
    assert delivered(reordered, mapping).mapping == "survey_2025"
    other = {h: v for h, v in UNNAMED.items() if h != "datum"} | {"phase": 1}
    assert delivered(other, mapping).refused_for == "file_to_confirm"


def test_forms_beside_each_other_are_told_apart_by_their_moment() -> None:
    columns = {"patient_id": UNNAMED["client"]}
    for wave, day in (("T0", "2025-01-01"), ("m6", "2025-07-01")):
        columns |= {f"{wave}_date": day, **{f"{wave}_phq9_{n}": 1 for n in range(1, 10)}}
    mapping = parse_mapping(drafted(columns), file="survey.yaml")
    assert [(f.instrument, f.moment and f.moment.constant) for f in mapping.forms] == [("phq9", "baseline"), ("phq9", "m6")]  # fmt: skip
    got = delivered(columns, mapping)
    assert len(got.items["phq9"]) == 2 * N
    days = got.items["phq9"].groupby("moment_given")["administered_on"].first().astype(str).to_dict()
    assert days == {"baseline": "2025-01-01", "m6": "2025-07-01"}


@pytest.mark.parametrize(("instrument", "n", "key"), [("ecrr", 36, "order"), ("sipp118", 118, "coding")])
def test_what_only_a_person_knows_is_left_open_and_refused_until_it_is_filled_in(instrument: str, n: int, key: str) -> None:  # fmt: skip
    columns = {"client": UNNAMED["client"], **{f"{instrument}_{i}": 2 for i in range(1, n + 1)}}
    text = drafted(columns)
    assert f"{key}: {UNKNOWN}  # confirm" in text
    assert delivered(columns, parse_mapping(text, file="x.yaml")).refused_for == "mapping_invalid"
    filled = text.replace(UNKNOWN, "alternating" if key == "order" else "canonical")
    assert delivered(columns, parse_mapping(filled, file="x.yaml")).refused_for is None


def test_another_coding_that_all_cells_fit_is_proposed() -> None:
    columns = UNNAMED | {f"Q{n}": 1 + n % 4 for n in range(1, 10)}
    assert "coding: one_based  # confirm" in drafted(columns)
    got = delivered(columns, parse_mapping(drafted(columns), file="x.yaml"))
    assert got.items["phq9"]["phq9_03"].tolist() == [3] * N


def test_headers_of_any_kind_survive() -> None:
    odd = "Client: 'nummer' #1 {x}"
    columns = {odd: UNNAMED["client"], **{h: v for h, v in UNNAMED.items() if h.startswith("Q")}}
    text = drafted(columns).replace("{column: fill_in}", f'{{column: "{odd}"}}')
    assert delivered(columns, parse_mapping(text, file="x.yaml")).refused_for is None


def test_registers_and_nothing_to_draft() -> None:
    register = {"patient": UNNAMED["client"], "geboortejaar": 1980, "geslacht": "v", "remarks": "see letter"}
    text = drafted(register)
    assert delivered(register, parse_mapping(text, file="x.yaml")).registers["patients"]["birth_year"].tolist() == [1980] * N  # fmt: skip
    assert "# Not taken in, free text: remarks" in text
    assert draft(delivered({"a": 1, "b": 2}).understood, name="x", sheet=None, instruments=INSTRUMENTS) is None
