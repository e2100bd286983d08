"""What invented patients permit: their permissions, who gave them, and who took one back.

Belongs here: the register of permissions and the day on which somebody withdrew. Does not belong here: whether a permission
holds on a day (`mbt_rom.permissions`), which forms come (`forms`).

Nine in ten adults permit the comparison of programmes, and some take that back; three in a hundred were never asked. One in
fifty withdraws from everything that the programme measures and fills in nothing after that. For adolescents a representative
gives the permission, alone or with them, until the year in which they turn sixteen; most then give their own.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.days import Days, days_of
from mbt_rom.synthetic.patients import People
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.streams import Streams

COLUMNS = ("number", "purpose", "basis", "given_by", "from_on", "until_on")
#: Purpose -> basis, and the share of those asked who permit it.
PURPOSES = {
    "own_care": ("contract", 1.0),
    "programme_quality": ("no_objection", 0.97),
    "consortium_benchmark": ("consent", 0.92),
    "model_fitting": ("consent", 0.75),
    "research": ("consent", 0.45),
}
_NEVER_ASKED, _WITHDREW_ALL, _WITHDREW_BENCHMARK = 0.03, 0.02, 0.03
_OWN_FROM_SIXTEEN = 0.8
_NEVER = np.datetime64("NaT", "D")


def permissions(plan: Plan, people: People, *, seed: int, as_of: date) -> pd.DataFrame:
    """The register of permissions: columns `COLUMNS`, one row per patient, purpose and day from which it holds."""
    streams = Streams(seed=seed, programme=plan.index)
    n, names = plan.n_patients, list(PURPOSES)
    fate = streams("fate of permissions").random((n, 3))
    given = streams("permissions").random((n, len(names))) < [share for _, share in PURPOSES.values()]
    given &= (fate[:, 0] >= _NEVER_ASKED)[:, None]
    who, purpose = np.nonzero(given)
    asked = days_of(people.episodes["first_assessment_on"])
    today = np.datetime64(as_of, "D")
    until = _withdrawn_on(plan, people, fate, today=today)[who, purpose]
    rows = pd.DataFrame(
        {
            "number": people.patients["number"].to_numpy()[who],
            "purpose": np.array(names, dtype=object)[purpose],
            "basis": np.array([basis for basis, _ in PURPOSES.values()], dtype=object)[purpose],
            "given_by": "patient",
            "from_on": asked[who].astype("datetime64[s]"),
            "until_on": until.astype("datetime64[s]"),
        }
    )
    if plan.kind.format == "adolescent":
        rows = _of_adolescents(rows, people, who, fate[:, 2], today=today)
    return rows.astype(dict.fromkeys(("number", "purpose", "basis", "given_by"), "str")).reset_index(drop=True)


def withdrawn_on(people: People, permissions: pd.DataFrame) -> Days:
    """Per person the last day on which own care or the quality of the programme was still permitted; missing where it is."""
    needed = permissions[permissions["purpose"].isin(["own_care", "programme_quality"])]
    last = needed.dropna(subset=["until_on"]).groupby("number")["until_on"].min()
    return days_of(last.reindex(people.patients["number"]))


def _withdrawn_on(
    plan: Plan, people: People, fate: npt.NDArray[np.float64], *, today: np.datetime64
) -> npt.NDArray[np.datetime64]:
    """Last day of every permission (rows: people, columns: `PURPOSES`): four months after the start at the earliest."""
    start = days_of(people.episodes["started_on"])
    room = (today - start).astype(np.int64) - 160
    may = (room > 0) & people.episodes["end_reason"].ne("died").to_numpy() & (plan.kind.format != "adolescent")
    last = start + (120 + fate[:, 1] * np.maximum(room, 0)).astype("timedelta64[D]")
    leaves_all = may & (fate[:, 2] < _WITHDREW_ALL)
    leaves_benchmark = may & (fate[:, 2] >= 1 - _WITHDREW_BENCHMARK)
    until = np.full((len(start), len(PURPOSES)), _NEVER)
    for column, purpose in enumerate(PURPOSES):
        leaves = leaves_all if purpose == "programme_quality" else leaves_all | leaves_benchmark
        until[:, column] = np.where(leaves & (purpose != "own_care"), last, _NEVER)
    return until


def _of_adolescents(
    rows: pd.DataFrame,
    people: People,
    who: npt.NDArray[np.int64],
    fate: npt.NDArray[np.float64],
    *,
    today: np.datetime64,
) -> pd.DataFrame:
    """Who is not sixteen yet is permitted by a representative or both; from the year of the sixteenth birthday on by themselves."""
    sixteen = (
        (people.patients["birth_year"].to_numpy() + 16 - 1970).astype("datetime64[Y]").astype("datetime64[D]")[who]
    )
    is_young = days_of(rows["from_on"]) < sixteen
    by = np.where(fate[who] < 0.4, "representative", "both")
    first = rows.assign(given_by=np.where(is_young, by, "patient"))
    goes_on = (
        is_young & (sixteen <= today) & ((fate[who] < _OWN_FROM_SIXTEEN) | (rows["basis"] != "consent").to_numpy())
    )
    own = rows.assign(from_on=sixteen.astype("datetime64[s]"))[goes_on]
    order = np.concatenate([np.arange(len(rows)), np.flatnonzero(goes_on)])
    return pd.concat([first, own], ignore_index=True).iloc[np.argsort(order, kind="stable")]
