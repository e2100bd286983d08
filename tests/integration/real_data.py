"""Two public data sets through the real pipeline, beside what others published about them.

Run it as `python tests/integration/real_data.py FOLDER` (FOLDER is new or empty): it makes one home for the PHQ-9 of
NHANES 2017-2018 and one for the hip replacements of the NHS PROMs 2016/17, takes the files in with `rom load`, runs
`rom nightly` and prints the table of `docs/real-data.md`. `test_real_data.py` asks the same functions.

Belongs here: settings of these two homes, the published figures and where they stand, the comparison. Does not belong
here: any scoring or averaging of our own, which would be a side road past the pipeline.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"
AS_OF = "2018-12-31"

#: CDC, NHANES 2017-2018 codebook of DPQ_J, variable DPQ010: answers 0, 1, 2, 3.
NHANES_DPQ010 = {0: 3792, 1: 816, 2: 280, 3: 198}
#: The same codebook: refused (7) and don't know (9).
NHANES_DPQ010_NOT_ANSWERED = {7: 4, 9: 4}

#: What the mapping of the NHS file says besides, so that its records may be compared.
_PERMISSION = """
  - register: permissions
    columns: {purpose: Permitted, from_on: Permitted from}
    values: {purpose: {benchmark: consortium_benchmark}}
"""


@dataclass(frozen=True)
class Comparison:
    """One line of the page: what was computed here, what was published, and how far apart they are."""

    what: str
    ours: float
    published: float

    @property
    def difference(self) -> float:
        """Absolute difference, in the unit of the quantity."""
        return abs(self.ours - self.published)


def shared_folder() -> Path:
    """Folder of the data sets that are never committed."""
    return Path(os.environ.get("MBT_ROM_SHARED", ROOT.parent / "shared"))


def rom(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would."""
    command = [sys.executable, "-m", "pipelines.cli", *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def member(archive: Path) -> bytes:
    """The one data file inside a zip of the NHS (which also holds a `__MACOSX` entry)."""
    with zipfile.ZipFile(archive) as opened:
        name = next(n for n in opened.namelist() if not n.startswith("__MACOSX"))
        return opened.read(name)


def nhs_rows(archive: Path) -> pd.DataFrame:
    """A published NHS file as text: the record-level file or the provider table."""
    return pd.read_csv(io.BytesIO(member(archive)), encoding="latin-1", dtype=str, keep_default_na=False)


def nhanes_settings() -> str:
    """`consortium.yaml` of a home with NHANES as its one programme."""
    return yaml.safe_dump(
        {
            "name": "NHANES 2017-2018",
            "issuers": {"nchs": {"form": "digits"}},
            "programmes": {"nhanes": {"name": "NHANES 2017-2018", "issuer": "nchs", "instruments": ["phq9"]}},
        }
    )


def nhs_settings(providers: list[str]) -> str:
    """`consortium.yaml` of a home with every provider as a programme, valued with the UK tariff of 1997."""
    programme = {"issuer": "nhs", "instruments": ["eq5d3l"]}
    return yaml.safe_dump(
        {
            "name": "NHS PROMs 2016/17, hip replacement",
            "roles": ["programme", "consortium"],
            "agreement": {"name": "Open Government Licence v3.0: anonymised records, published", "on": "2018-02-08"},
            "issuers": {"nhs": {"form": "text"}},
            "programmes": {code.lower(): {"name": code, **programme} for code in providers},
            "value_sets": {"eq5d3l": "uk_1997"},
        }
    )


def prepare(home: Path, settings: str, mapping: Path) -> None:
    """Make a home with these settings and this mapping file."""
    made = rom("init", home=home)
    if made.returncode:
        raise RuntimeError(made.stderr)
    (home / "consortium.yaml").write_text(settings, encoding="utf-8")
    (home / "mappings" / mapping.name).write_text(mapping.read_text(encoding="utf-8"), encoding="utf-8")


def load_nhanes(home: Path, shared: Path) -> str:
    """Take in NHANES and run the night; what the commands printed."""
    prepare(home, nhanes_settings(), EXAMPLES / "nhanes_phq9.yaml")
    loaded = rom("load", str(shared / "data/nhanes_phq9/DPQ_J.csv"), "--programme", "nhanes", home=home)
    night = rom("nightly", "--as-of", AS_OF, home=home)
    return "\n".join((loaded.stdout, loaded.stderr, night.stdout, night.stderr))


def load_nhs(home: Path, shared: Path) -> str:
    """Take in the hip replacements and run the night; what the commands printed."""
    archive = shared / "data/nhs_proms_eq5d3l/Hip Replacement Provider 1617.csv.zip"
    mapping = EXAMPLES / "nhs_hip_2017.yaml"
    prepare(home, nhs_settings(sorted(set(nhs_rows(archive)["Provider Code"]))), mapping)
    with (home / "mappings" / mapping.name).open("a", encoding="utf-8") as stream:
        stream.write(_PERMISSION)
    export = home / "hip_replacement_1617.csv"
    export.write_bytes(with_permission(member(archive)))
    loaded = rom("load", str(export), "--programme", "_shared", home=home)
    night = rom("nightly", "--as-of", AS_OF, home=home)
    return "\n".join((loaded.stdout, loaded.stderr, night.stdout, night.stderr))


def with_permission(data: bytes) -> bytes:
    """The record-level file with two columns more: these records were published for everybody's use, so each of them may be compared."""
    header, *records = data.splitlines()
    return b"\n".join([header + b",Permitted,Permitted from", *(r + b",benchmark,2016-04-01" for r in records if r)])


def exported(table: str, home: Path) -> pd.DataFrame:
    """A table of the home, through `rom export`."""
    folder = home / "exported"
    done = rom("export", table, "--purpose", "check against published figures", "-o", str(folder), home=home)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    texts = dict.fromkeys(("programme_id", "row_id", "patient_id", "suppressed"), str)
    frame = pd.read_csv(folder / f"{table.replace('/', '_')}.csv", dtype=texts, low_memory=False)
    return frame.fillna({"suppressed": ""}) if "suppressed" in frame else frame


def published_gains(shared: Path) -> pd.DataFrame:
    """The published provider table, primary hip replacements, EQ-5D index: code, modelled records, health gain."""
    table = nhs_rows(shared / "data/nhs_proms_eq5d3l/ProvComm Hip and Knee Replacement 1617.csv.zip")
    asked = table[
        (table["Organisation Type"] == "Provider")
        & (table["Procedure"] == "Hip Replacement Primary")
        & (table["Measure"] == "EQ-5D Index")
        & (table["Health Gain"] != "*")
    ]
    return pd.DataFrame(
        {
            "programme_id": asked["Organisation Code"].str.lower(),
            "records": asked["Modelled Records"],
            "gain": asked["Health Gain"].astype(float),
        }
    )


def main(folder: Path) -> None:
    """Do both, print what the commands said and how far each figure is from the published one."""
    shared = shared_folder()
    folder.mkdir(parents=True, exist_ok=True)
    print(load_nhanes(folder / "nhanes", shared))
    print(load_nhs(folder / "nhs", shared))
    writer = csv.writer(sys.stdout)
    writer.writerow(["what", "ours", "published", "difference"])
    for line in (*nhanes_comparisons(folder / "nhanes"), *nhs_comparisons(folder / "nhs", shared)):
        writer.writerow([line.what, f"{line.ours:.7g}", f"{line.published:.7g}", f"{line.difference:.2g}"])


def nhanes_comparisons(home: Path) -> list[Comparison]:
    """Answers to the first item beside the CDC codebook; people with a complete or prorated score."""
    items = exported("items/phq9", home)
    counts = items["phq9_01"].value_counts()
    lines = [Comparison(f"people answering {k} to item 1", int(counts.get(k, 0)), n) for k, n in NHANES_DPQ010.items()]
    return [*lines, Comparison("people in the file", len(items), 5533)]


def nhs_comparisons(home: Path, shared: Path) -> list[Comparison]:
    """Mean health gain per provider beside the published provider table, and the stored index of each state."""
    scores = exported("scores/eq5d3l", home)
    index = scores[scores["scale"] == "index"]
    wide = index.pivot_table(index=["programme_id", "patient_id"], columns="moment_given", values="score")
    gains = (wide["m6"] - wide["baseline"]).dropna().groupby("programme_id").mean()
    joined = published_gains(shared).merge(gains.rename("ours"), on="programme_id", how="left")
    worst = (joined["ours"] - joined["gain"]).abs().max()
    return [
        Comparison(
            "providers with a published gain that have one here", int(joined["ours"].notna().sum()), len(joined)
        ),
        Comparison("largest difference of a provider's mean gain", float(worst), 0.0),
    ]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
