"""Taking in exports: a million item answers from a CSV file to scores on disk, and a large REDCap file to rows.

The first goes the whole way in one process: bytes read, columns understood, rows conformed, validated, decided, scored, three tables
written. Its peer is pandas reading the same file and writing the same number of columns to Parquet, which understands and checks
nothing. The second is a flat REDCap export (records x events, most fields empty): read, understood and conformed, in a process of
its own so that its peak of memory can be told; its peer is `pandas.read_csv`. Seconds and memory of the issue (20 s; 30 s and 2 GB on
two cores) are printed beside, to be looked at.

    python -m benchmarks.bench_intake            full size
    python -m benchmarks.bench_intake --quick    a twentieth of it
    python -m benchmarks.bench_intake --redcap FILE   one process of the second
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from assets.warehouse import Warehouse
from expectations.items import validate_items
from mbt_rom import acceptance, scoring
from mbt_rom.conform import Conformed, deliver
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import Pseudonyms
from mbt_rom.registry import instrument, instruments
from mbt_rom.settings import parse_settings
from mbt_rom.tables import findings_table, items_table, scores_table

PHQ9 = instrument("phq9")
FORMS, RECORDS, FIELDS = 100_000, 100_000, 500
SECONDS, REDCAP_SECONDS, REDCAP_MEGABYTES = 20, 30, 2_000
ROOT = Path(__file__).resolve().parent.parent
SETTINGS = parse_settings(
    "name: x\nissuers: {clinic: {form: digits}}\nlargest_file_mb: 500\n"
    "programmes: {north: {name: North, issuer: clinic, instruments: [phq9]}}\n"
)


def plain_file(path: Path, n: int) -> None:
    """n forms of the PHQ-9 (ten answers each, 3 % left open) with number, date and response id."""
    random = np.random.default_rng(7)
    days = pd.Timestamp("2020-01-06") + pd.to_timedelta(np.arange(n) % 7 * 182, unit="D")
    frame = pd.DataFrame(
        {"patient_id": 10_000 + np.arange(n) // 7, "response_id": np.arange(n), "date": days.strftime("%Y-%m-%d")}
    )
    for item in PHQ9.items:
        answers = pd.Series(random.integers(0, 4, n)).astype("Int8")
        frame[item.id] = answers.mask(random.random(n) < 0.03)
    frame.to_csv(path, index=False)


def redcap_file(path: Path, n: int, n_fields: int) -> None:
    """n rows of record and event: PHQ-9 and BSI filled in, hundreds of further fields that are mostly empty."""
    random = np.random.default_rng(8)
    events = np.array(["baseline_arm_1", "month_6_arm_1", "month_12_arm_1", "month_18_arm_1"])
    columns: dict[str, object] = {"record_id": 1_000 + np.arange(n) // 4, "redcap_event_name": events[np.arange(n) % 4]}
    for definition in (PHQ9, instrument("bsi")):
        filled = random.random(n) < 0.7
        for item in definition.items:
            columns[item.id] = np.where(filled, random.integers(0, 4, n).astype(str), "")
        columns[f"{definition.id}_complete"] = np.where(filled, "2", "0")
    for k in range(n_fields - len(columns)):
        columns[f"lab_{k}"] = np.where(random.random(n) < 0.1, random.integers(0, 200, n).astype(str), "")
    pd.DataFrame(columns).to_csv(path, index=False)


def delivered(path: Path, chosen: dict[str, Instrument]) -> Conformed:
    """The file as rows of our tables."""
    data = path.read_bytes()
    return deliver(
        data,
        file_name=path.name,
        programme_id="north",
        delivery_id=hashlib.sha256(data).hexdigest(),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        settings=SETTINGS,
        instruments=chosen,
        pseudonyms=Pseudonyms(b"b" * 32),
    )


def whole_way(path: Path, folder: Path) -> pd.DataFrame:
    """The scores of the file, with items, findings and scores on disk."""
    read = delivered(path, instruments())
    items = read.items["phq9"]
    findings = validate_items(PHQ9, items, as_of=date(2026, 1, 1), delivery_findings=read.findings)
    kept = acceptance.accept(items, acceptance.dispositions(items, findings, read.findings))
    scores = scoring.score(PHQ9, kept, value_set=None, ages=None, software_version="bench")
    warehouse = Warehouse(folder)
    for table, rows in ((items_table(PHQ9), items), (findings_table("phq9"), findings), (scores_table(PHQ9), scores)):
        warehouse.replace(table, rows, programmes=["north"], fingerprints={})
    return scores


def copied(path: Path, folder: Path) -> pd.DataFrame:
    """The peer: the file read and written by pandas, nothing understood or checked."""
    frame = pd.read_csv(path)
    frame.to_parquet(folder / "copy.parquet")
    return frame


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Seconds and result."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def of_redcap(path: Path) -> None:
    """In a process of its own: prints seconds, rows of both forms, and the peak of memory in megabytes."""
    seconds, read = timed(lambda: delivered(path, instruments()))
    assert isinstance(read, Conformed)
    rows = {name: len(frame) for name, frame in read.items.items()}
    peak = _peak_megabytes()
    print(seconds, rows.get("phq9", 0), rows.get("bsi", 0), peak, read.refused_for)


def _peak_megabytes() -> float:
    """The most memory that this process held; `getrusage` would tell that of the process which started it, where that is more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def main(arguments: list[str]) -> int:
    """Exit status 0 when both were read whole."""
    if arguments[:1] == ["--redcap"]:
        of_redcap(Path(arguments[1]))
        return 0
    share = 20 if "--quick" in arguments else 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return int(not (_plain(folder, FORMS // share) & _redcap(folder, RECORDS // share)))


def _plain(folder: Path, n: int) -> bool:
    path = folder / "forms.csv"
    plain_file(path, n)
    peer, _ = timed(lambda: copied(path, folder))
    seconds, scores = timed(lambda: whole_way(path, folder / "warehouse"))
    assert isinstance(scores, pd.DataFrame)
    total = scores[scores["scale"] == "total"]
    expected = _totals(pd.read_csv(path))
    agrees = len(total) == n and np.isclose(total["score"].sum(), expected)
    print(f"  {n * len(PHQ9.items):,} answers to scores on disk: {seconds:.1f} s ({SECONDS} s asked for at a million)")
    print(f"  {seconds / peer:.1f} x pandas read_csv + to_parquet of the same file; {n:,} forms, sums agree: {agrees}")
    return bool(agrees)


def _totals(frame: pd.DataFrame) -> float:
    """Sum of all totals, from the file itself: two missing answers of nine are made up for, more are not."""
    answers = frame[list(PHQ9.item_ids[:9])]
    n_answered = answers.notna().sum(axis=1)
    return float((answers.sum(axis=1) * 9 / n_answered)[n_answered >= 7].sum())


def _redcap(folder: Path, n: int) -> bool:
    path = folder / "redcap.csv"
    redcap_file(path, n, FIELDS)
    peer, _ = timed(lambda: pd.read_csv(path, dtype="str", keep_default_na=False))
    command = [sys.executable, "-m", "benchmarks.bench_intake", "--redcap", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    seconds, phq9, bsi, peak, refused = done.stdout.split()
    frame = pd.read_csv(path, usecols=["phq9_01", "bsi_01"], dtype="str")
    agrees = refused == "None" and (int(phq9), int(bsi)) == tuple(frame[["phq9_01", "bsi_01"]].notna().sum())
    print(
        f"  REDCap, {n:,} rows x {FIELDS} columns ({path.stat().st_size / 1e6:.0f} MB) to rows: {float(seconds):.1f} s, peak {float(peak):,.0f} MB"
    )
    print(
        f"  ({REDCAP_SECONDS} s and {REDCAP_MEGABYTES:,} MB asked for at full size); {float(seconds) / peer:.1f} x pandas read_csv as text; rows agree: {agrees}"
    )
    return bool(agrees)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
