"""Planning and matching 200,000 patients x 13 instruments x 7 moments, beside the plain pandas way.

The plain way is what an analysis script does: merge forms with due dates, keep those within the window, sort, and drop the
duplicates, moment by moment. Both ways get the same frames. Windows do not overlap here, so that the plain way finds the
nearest form as well and both must name the same form for every moment. Time and peak of memory are printed; the limits are
those of the issue (20 s on two cores) and of the ratio.

    python -m benchmarks.bench_schedule [PATIENTS]
"""

from __future__ import annotations

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
MOST_SECONDS, LEAST_RATIO = 20.0, 3.0


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
