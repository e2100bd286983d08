"""When invented patients are asked: the moments of every episode with their due dates and windows.

Belongs here: dates of the moments, by hand and for the demo's settings alone. Does not belong here: which forms come (`forms`),
what came of a moment (`expectations`); the plan that the project works with (`mbt_rom.schedule`), of which the truth knows nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mbt_rom.synthetic.patients import People
from mbt_rom.synthetic.plans import Plan

MONTHS = (0, 6, 12, 18, 24, 30, 36)
BASELINE, REBASELINE, END = "baseline", "rebaseline", "end"
#: Days before and after the due date in which a form counts.
_WINDOWS, _LATER_WINDOW = {BASELINE: (-60, 14), REBASELINE: (-60, 0), END: (0, 42)}, (-45, 45)


def moment_name(month: int) -> str:
    """`baseline` for 0, else `m6`, `m12` ..."""
    return f"m{month}" if month else BASELINE


def moments(plan: Plan, people: People) -> pd.DataFrame:
    """One row per episode and moment, in the order of the moments.

    Columns: row (position in `every_episode`), who, is_first, number, episode, moment, due_on, opens_on, closes_on. Month 0 is the
    programme's anchor. The end of treatment is due on the last main session, where the programme asks for it; a new baseline on
    the first main session, where that comes more than 60 days after month 0, and opens once the baseline has closed.
    """
    every = people.every_episode
    anchor, started = every[plan.kind.anchor], every["started_on"]
    due = {moment_name(m): anchor + pd.DateOffset(months=m) for m in MONTHS}
    if plan.kind.anchor != "started_on":
        due[REBASELINE] = started.where(started - anchor > pd.Timedelta(days=-_WINDOWS[BASELINE][0]))
    if plan.kind.has_end_of_treatment:
        due[END] = every["ended_on"].where(anchor.notna() & (every["end_reason"] != "died"))
    dates = np.stack([d.to_numpy(dtype="datetime64[s]") for d in due.values()])
    moment, row = np.nonzero(~np.isnat(dates))
    names = np.array(list(due), dtype=object)
    before, after = np.array([_WINDOWS.get(m, _LATER_WINDOW) for m in due], dtype="timedelta64[D]").T
    opens = dates[moment, row] + before[moment]
    if REBASELINE in due:
        after_baseline = dates[0, row] + np.timedelta64(_WINDOWS[BASELINE][1] + 1, "D")
        opens = np.where(names[moment] == REBASELINE, np.maximum(opens, after_baseline), opens)
    return pd.DataFrame(
        {
            "row": row,
            "who": every["who"].to_numpy()[row],
            "is_first": (~every.duplicated("who")).to_numpy()[row],
            "number": every["number"].to_numpy()[row],
            "episode": every["episode"].to_numpy()[row],
            "moment": names[moment],
            "due_on": dates[moment, row],
            "opens_on": opens,
            "closes_on": dates[moment, row] + after[moment],
        }
    ).astype(dict.fromkeys(("number", "episode", "moment"), "str"))
