"""What becomes of every file under `shared/data`: taken in as what, with which counts, or refused under which rule.

`python tests/integration/real_exports.py` writes the table into `docs/real-exports.md`. `test_real_exports.py` compares the page.

Belongs here: the settings under which the files are read, which mapping file goes with which, the table. Does not belong
here: any reading or judging of our own. Files that are new, and dialects that are new, need no change here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import real_data

from expectations.items import validate_items
from mbt_rom import acceptance, conform, registry
from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.mapping import Mapping, parse_mapping
from mbt_rom.findings import RULES
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.settings import Consortium, Issuer, Programme

PAGE = real_data.ROOT / "docs" / "real-exports.md"
START, END = "<!-- table: start -->", "<!-- table: end -->"
AS_OF = date(2026, 11, 25)
HIP = "Hip Replacement Provider 1617.csv.zip"
#: File -> its mapping file, in `docs/examples`. Every other file is read by what it says itself.
MAPPED = {
    "DPQ_J.csv": "nhanes_phq9",
    HIP: "nhs_hip_2017",
    "weekly_phq9_500.csv": "weekly_phq9_week1",
    "eq5d3l_example.csv": "eq5d3l_items",
    "eq5d3l_example.xlsx": "eq5d3l_items",
    "eq5d5l_example.csv": "eq5d5l_items",
    "eq5d3l_five_digit_example.csv": "eq5d3l_five_digit",
    "eq5d3l_five_digit_example.xlsx": "eq5d3l_five_digit",
}
_FATES = ("accepted", "set aside", "duplicate", "superseded", "blank", "left out")
_HEADER = ("file", "dialect", "mapping", "rows", "taken in as", *_FATES, "refused with", "why")


def files(shared: Path) -> list[Path]:
    """Every file of the data sets but their descriptions, in the order of the page."""
    found = (path for path in (shared / "data").rglob("*") if path.is_file() and path.name != "README.md")
    return sorted(found, key=lambda path: path.relative_to(shared).as_posix())


def lines(shared: Path) -> Iterator[list[str]]:
    """Cells of the table, one list per line."""
    books = {path: done.codebook for path in files(shared) if (done := _delivered(path, shared, [])).codebook}
    for path in files(shared):
        beside = [book for other, book in books.items() if other.parent == path.parent and other != path and book]
        yield from _lines_of(path, _delivered(path, shared, beside), shared)


def _settings(path: Path, shared: Path) -> Consortium:
    codes = ["study"]
    if path.name == HIP:
        codes = sorted(set(real_data.nhs_rows(path)["Provider Code"].str.lower()))
    programme = Programme(name="Study", issuer="study", instruments=tuple(registry.instruments()))
    return Consortium(
        name="Public data", issuers={"study": Issuer(form="text")}, programmes=dict.fromkeys(codes, programme)
    )


def _mapping(path: Path) -> list[Mapping]:
    if path.name not in MAPPED:
        return []
    file = real_data.EXAMPLES / f"{MAPPED[path.name]}.yaml"
    return [parse_mapping(file.read_text(encoding="utf-8"), file=file.name)]


def _delivered(path: Path, shared: Path, codebooks: list[Codebook]) -> conform.Conformed:
    data = path.read_bytes()
    return conform.deliver(
        data,
        file_name=path.name,
        programme_id=None if path.name == HIP else "study",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 11, 25, tzinfo=UTC),
        settings=_settings(path, shared),
        instruments=registry.instruments(),
        pseudonyms=Pseudonyms(b"a key for public data, of no use at all"),
        mappings=_mapping(path),
        codebooks=codebooks,
    )


def _lines_of(path: Path, done: conform.Conformed, shared: Path) -> Iterator[list[str]]:
    told = [
        path.relative_to(shared / "data").as_posix(),
        done.dialect or "",
        MAPPED.get(path.name, ""),
        str(done.n_rows),
    ]
    nothing = [""] * len(_FATES)
    if done.codebook is not None:
        yield [*told, "codebook", *nothing, "", f"{len(done.codebook.columns)} questions"]
    elif done.refused_for is not None:
        detail = str(done.findings.loc[done.findings["rule"] == done.refused_for, "detail"].iloc[0])
        why = f"{RULES[done.refused_for].sentence} ({detail})"
        yield [*told, "nothing", *nothing, done.refused_for, why.replace("|", r"\|").replace("\n", " ")]
    else:
        for instrument, items in done.items.items():
            yield [*told, instrument, *(f"{n:,}" for n in _fates(done, instrument, items)), "", ""]
        for register, rows in done.registers.items():
            yield [*told, f"register: {register} ({len(rows):,})", *nothing, "", ""]


def _fates(done: conform.Conformed, instrument: str, items: pd.DataFrame) -> list[int]:
    found = validate_items(registry.instrument(instrument), items, patients=None, as_of=AS_OF)
    became = acceptance.dispositions(items, found, done.findings).value_counts()
    contents = done.contents[done.contents["instrument"] == instrument]
    counted = [int(became.get(fate, 0)) for fate in ("accepted", "set_aside", "duplicate", "superseded")]
    fates = [*counted, int(contents["n_blank"].sum()), int(contents["n_left_out"].sum())]
    unknown = done.findings[(done.findings["rule"] == "programme_unknown") & (done.findings["item"] == instrument)]
    if sum(fates) + len(unknown) != int(contents["n_rows"].sum()):
        raise AssertionError(f"{instrument}: {fates} are not the {contents['n_rows'].sum()} rows that were offered")
    return fates


def table(shared: Path) -> str:
    """The table of the page."""
    rows = [_HEADER, ["---"] * len(_HEADER), *lines(shared)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def table_of_page() -> str:
    """The table that stands in the page."""
    return PAGE.read_text(encoding="utf-8").split(START)[1].split(END)[0].strip()


def main() -> None:
    """Write the table into the page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    new = f"{before}{START}\n\n{table(real_data.shared_folder())}\n\n{END}{rest.split(END)[1]}"
    PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
