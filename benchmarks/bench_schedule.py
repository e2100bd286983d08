"""Planning and matching 200,000 patients x 13 instruments x 7 moments, beside the plain pandas way.

The plain way is what an analysis script does: merge forms with due dates, keep those within the window, sort, and drop the
duplicates, moment by moment. Both ways get the same frames. Windows do not overlap here, so that the plain way finds the
nearest form as well and both must name the same form and status for every moment. Printed are seconds, seconds of processor (which
say more where others use the machine), the peak of memory and the ratio; the limits are 20 s on two cores and the least ratio.

    python -m benchmarks.bench_schedule [PATIENTS]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mbt_rom import schedule
from mbt_rom.settings import Consortium
from mbt_rom.tables import EPISODES

PATIENTS, PROGRAMMES = 200_000, 15
INSTRUMENTS = (
    "bsi", "bdi2", "eq5d3l", "iip64", "ecr", "rfq54", "dappsf", "paibor", "sds", "sshi", "ticp", "scid1", "scid2",
)  # fmt: skip
MONTHS = (0, 6, 12, 18, 24, 30, 36)
AS_OF = date(2026, 6, 30)
MOST_SECONDS, LEAST_RATIO = 20.0, 1.5


def settings() -> Consortium:
    """Fifteen programmes that ask for every instrument at every moment."""
    of = {"issuer": "h", "instruments": INSTRUMENTS, "plan": "own"}
    of["moments"] = {name: {"required": MONTHS} for name in INSTRUMENTS}
    programmes = {f"programme_{k:02d}": {"name": f"P{k}", **of} for k in range(PROGRAMMES)}
    return Consortium.model_validate({"name": "bench", "issuers": {"h": {}}, "programmes": programmes})


def _ids(prefix: str, numbers: np.ndarray) -> pd.Series:
    """Texts of 26 letters, as pseudonyms have."""
    padded = pc.utf8_lpad(pa.array(numbers).cast(pa.large_string()), 26 - len(prefix), padding="0")
    return pd.Series(padded, dtype="str").radd(prefix)


def _days(days: np.ndarray) -> pd.Series:
    return pd.Series(days.astype("datetime64[D]").astype("datetime64[s]"))


def frames(n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forms and episodes: 70 % of the moments answered, one form in twelve twice, one in twenty at no moment; in random order."""
    rng = np.random.default_rng(20_261_125)
    start = np.datetime64("2018-01-01").astype(int) + rng.integers(0, 3000, n)
    programme = rng.integers(0, PROGRAMMES, n)
    names = np.array([f"programme_{k:02d}" for k in range(PROGRAMMES)])
    patients = _ids("p_", np.arange(n) * 7919)
    episodes = pd.DataFrame({"programme_id": names[programme], "patient_id": patients, "started_on": _days(start)})
    episodes = episodes.assign(episode_id=_ids("e_", np.arange(n)), row_id="r", delivery_id="d")
    size = (n, len(INSTRUMENTS), len(MONTHS))
    due = schedule.add_months(start.astype("datetime64[D]")[:, None], np.array(MONTHS)).astype(int)
    days = due[:, None, :] + rng.integers(-40, 13, size)
    has_come = (rng.random(size) < 0.7) & (days <= np.datetime64(AS_OF).astype(int))
    who, what, when = (np.nonzero(has_come)[k] for k in range(3))
    day = days[who, what, when]
    again = rng.random(len(who)) < 1 / 12
    stray = rng.random(len(who)) < 1 / 20
    stray_day = due[who, when] + 60
    who = np.concatenate([who, who[again], who[stray]])
    what = np.concatenate([what, what[again], what[stray]])
    day = np.concatenate([day, day[again] + 1, stray_day[stray]])
    order = rng.permutation(len(who))
    who, what, day = who[order], what[order], day[order]
    forms = pd.DataFrame(
        {
            "programme_id": pd.Series(names, dtype="str").array.take(programme[who]),
            "patient_id": patients.array.take(who),
            "instrument": pd.Series(INSTRUMENTS, dtype="str").array.take(what),
            "row_id": _ids("r_", rng.permutation(len(who))),
            "administered_on": _days(day),
            "moment_given": pd.Series(None, index=range(len(who)), dtype="str"),
        }
    )
    return forms, EPISODES.conform(episodes)


def by_pandas(forms: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """The plain way: every moment with its form and status; a merge, filter, sort and drop_duplicates per moment."""
    person, parts = ["programme_id", "patient_id"], []
    asked = episodes[[*person, "episode_id", "started_on"]].merge(
        pd.Series(INSTRUMENTS, name="instrument"), how="cross"
    )
    for month in MONTHS:
        due = episodes[[*person, "episode_id"]].assign(due_on=episodes["started_on"] + pd.DateOffset(months=month))
        rows = forms.merge(due, on=person)
        days = (rows["administered_on"] - rows["due_on"]).dt.days
        before, after = (-60, 14) if month == 0 else (-45, 45)
        rows = rows.assign(days=days.abs(), is_after=days > 0)[days.between(before, after)]
        first = ["is_after", "days"] if month == 0 else ["days", "is_after"]
        rows = rows.sort_values([*person, "instrument", *first, "row_id"])
        kept = rows.drop_duplicates([*person, "instrument"])[["episode_id", "instrument", "row_id", "administered_on"]]
        slots = asked.assign(
            moment=schedule.moment_name(month), due_on=asked["started_on"] + pd.DateOffset(months=month)
        )
        slots["opens_on"] = slots["due_on"] + pd.Timedelta(days=before)
        slots["closes_on"] = slots["due_on"] + pd.Timedelta(days=after)
        slots = slots.merge(kept, how="left", on=["episode_id", "instrument"])
        today = pd.Timestamp(AS_OF)
        said = [slots["row_id"].notna(), slots["closes_on"] < today, slots["opens_on"] > today]
        parts.append(slots.assign(status=np.select(said, ["received", "missed", "not_yet_due"], "open")))
    return pd.concat(parts, ignore_index=True)


def ours(forms: pd.DataFrame, episodes: pd.DataFrame) -> pd.DataFrame:
    """The rows of `outcomes/expected`."""
    return schedule.expected(forms, episodes, settings=settings(), definitions={}, as_of=AS_OF)


@dataclass(frozen=True)
class Timing:
    """Seconds by the clock, and seconds of processor of all threads."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of processor)"


def timed(
    way: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame], *frames: pd.DataFrame
) -> tuple[Timing, pd.DataFrame]:
    """Time and result of one way."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = way(*frames)
    return Timing(time.perf_counter() - wall, time.process_time() - cpu), result


def verdict(holds: bool) -> str:
    """How a limit that holds or does not is printed."""
    return "PASS" if holds else "FAIL"


def gigabytes() -> float:
    """Peak of memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def whole(n: int) -> bool:
    """Times the whole consortium; whether it stays within the limit, which holds for the full size."""
    given = frames(n)
    before = gigabytes()
    time_taken, rows = timed(ours, *given)
    n_slots, n_received = int(rows["due_on"].notna().sum()), int((rows["status"] == "received").sum())
    print(f"  {n:,} patients x {len(INSTRUMENTS)} instruments x {len(MONTHS)} moments: {n_slots:,} moments,", end=" ")
    print(f"{len(given[0]):,} forms, {n_received:,} answers")
    print(f"  planned and matched in {time_taken}; peak {gigabytes():.1f} GB, of which the input {before:.1f} GB")
    is_fast = n < PATIENTS or time_taken.wall <= MOST_SECONDS
    if n >= PATIENTS:
        print(f"  at most {MOST_SECONDS:.0f} s: {verdict(is_fast)}")
    return is_fast


def beside(n: int) -> bool:
    """Times both ways on the same frames; whether they agree and the ratio holds."""
    given = frames(n)
    mine_took, rows = timed(ours, *given)
    plain_took, plain = timed(by_pandas, *given)
    ratio = plain_took.cpu / mine_took.cpu
    print(f"  {n:,} patients: ours {mine_took}, merge + filter + sort + drop_duplicates of pandas {plain_took}")
    print(
        f"  pandas takes {ratio:.1f} x our time of processor; at least {LEAST_RATIO} x: {verdict(ratio >= LEAST_RATIO)}"
    )
    columns = ["episode_id", "instrument", "moment", "status", "row_id"]
    planned = rows[rows["due_on"].notna()]
    mine, theirs = (table[columns].sort_values(columns).astype("str") for table in (planned, plain))
    agrees = mine.reset_index(drop=True).equals(theirs.reset_index(drop=True))
    print("  both name the same form and status for every moment" if agrees else "  DIFFERENT")
    return agrees and ratio >= LEAST_RATIO


def main(arguments: list[str]) -> int:
    """Exit status: 0 when the limits hold and both ways agree. The plain way gets a tenth of the patients: it needs the memory."""
    n = int(arguments[0]) if arguments else PATIENTS
    if arguments[1:] == ["beside"]:
        return 0 if beside(n) else 1
    command = [sys.executable, "-m", "benchmarks.bench_schedule", str(n // 10), "beside"]
    is_fast = whole(n)
    return 0 if subprocess.run(command, check=False).returncode == 0 and is_fast else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
