"""Who can no longer be asked: the dead, and those who withdrew.

Belongs here: one date per person from everything that tells it (episodes, events, permissions, stops). Does not belong here:
what it does to a moment (`schedule`), who may be asked for what (`permissions`), lists.

Leaving treatment ends nothing: who left is still to be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

COLUMNS = ("programme_id", "patient_id", "ended_on", "why")
DIED, WITHDREW = "died", "withdrew"
#: Permissions without which nobody is asked. The others decide what is done with an answer.
PURPOSES = ("own_care", "programme_quality")
#: A death that nobody dated was before everything that is still unanswered.
_UNDATED = pd.Timestamp(1, 1, 1).as_unit("s")
_PERSON = ["programme_id", "patient_id"]


def ends(
    episodes: pd.DataFrame,
    *,
    as_of: date,
    events: pd.DataFrame | None = None,
    permissions: pd.DataFrame | None = None,
    stops: pd.DataFrame | None = None,
    timezone: str = "Europe/Amsterdam",
) -> pd.DataFrame:
    """One row per person who died or withdrew, as known on `as_of`: programme_id, patient_id, ended_on, why (died, withdrew).

    `episodes`, `events`, `permissions`: rows of the registers of these names (None where there is none); `stops`: decisions
    of people, with kind, from_at and lifted_at. A death counts from an episode that ended in it, an event or a stop. A
    withdrawal counts from a stop, or where the permission for own care or for the programme's quality has ended and was not
    renewed by a row that began later; `ended_on` is then the last day on which it held. Of several the first counts, and of two on one day the death. A
    stop counts from the day on which it was given in `timezone`, whether or not a second person has confirmed it, until it is lifted.

    >>> rows = {"programme_id": "a", "patient_id": ["p1", "p2"], "ended_on": ["2023-05-01", "2023-06-01"],
    ...         "end_reason": ["died", "dropped_out"]}
    >>> episodes = pd.DataFrame(rows).astype({"ended_on": "datetime64[s]"})
    >>> ends(episodes, as_of=date(2024, 1, 1)).astype(str).values.tolist()
    [['a', 'p1', '2023-05-01', 'died']]
    """
    today = pd.Timestamp(as_of)
    told = [_deaths(episodes), _event_deaths(events), _stopped(stops, timezone), _lapsed(permissions, today)]
    return _first(told, today)


def deaths(
    episodes: pd.DataFrame,
    *,
    as_of: date,
    events: pd.DataFrame | None = None,
    stops: pd.DataFrame | None = None,
    timezone: str = "Europe/Amsterdam",
) -> pd.DataFrame:
    """The dead alone, with the same inputs and columns as `ends`: also of those who had withdrawn before.

    >>> stops = pd.DataFrame({"programme_id": "a", "patient_id": "p1", "kind": ["withdrew", "deceased"], "lifted_at": pd.NaT,
    ...                       "from_at": ["2024-03-01T09:00Z", "2024-05-01T09:00Z"]})
    >>> nobody = pd.DataFrame({"programme_id": [], "patient_id": [], "ended_on": [], "end_reason": []})
    >>> deaths(nobody, stops=stops, as_of=date(2024, 6, 1)).astype(str).values.tolist()
    [['a', 'p1', '2024-05-01', 'died']]
    """
    found = [_deaths(episodes), _event_deaths(events), _stopped(stops, timezone)]
    return _first([rows[rows["why"] == DIED] for rows in found], pd.Timestamp(as_of))


def _first(told: Sequence[pd.DataFrame], today: pd.Timestamp) -> pd.DataFrame:
    """Of each person the first of what is told and has happened."""
    rows = pd.concat([f for f in told if len(f)] or [_nobody()], ignore_index=True)
    rows = rows[(rows["ended_on"] <= today) & rows["patient_id"].notna()]
    first = rows.sort_values([*_PERSON, "ended_on", "why"]).drop_duplicates(_PERSON)
    return first[list(COLUMNS)].reset_index(drop=True)


def _nobody() -> pd.DataFrame:
    dtypes = dict(zip(COLUMNS, ("str", "str", "datetime64[s]", "str"), strict=True))
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in dtypes.items()})


def _ended(rows: pd.DataFrame, *, on: pd.Series, why: str | pd.Series) -> pd.DataFrame:
    found = rows[_PERSON].astype("str").assign(ended_on=on.astype("datetime64[s]"), why=why)
    return found.astype({"why": "str"})


def _deaths(episodes: pd.DataFrame) -> pd.DataFrame:
    rows = episodes[episodes["end_reason"] == "died"]
    return _ended(rows, on=rows["ended_on"].fillna(_UNDATED), why=DIED)


def _event_deaths(events: pd.DataFrame | None) -> pd.DataFrame:
    if events is None:
        return _nobody()
    rows = events[events["kind"] == "death"]
    return _ended(rows, on=rows["event_on"].fillna(_UNDATED), why=DIED)


def _stopped(stops: pd.DataFrame | None, timezone: str) -> pd.DataFrame:
    if stops is None:
        return _nobody()
    kinds = {"deceased": DIED, "withdrew": WITHDREW}
    rows = stops[stops["kind"].isin(list(kinds)) & stops["lifted_at"].isna()]
    days = pd.to_datetime(rows["from_at"], utc=True).dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    return _ended(rows, on=days, why=rows["kind"].map(kinds))


def _lapsed(permissions: pd.DataFrame | None, today: pd.Timestamp) -> pd.DataFrame:
    """Permissions that have ended, per person and purpose, as the row that began last says it.

    What the patient ended stays ended until the patient gives it again, whatever a representative gave.
    """
    if permissions is None:
        return _nobody()
    rows = permissions[permissions["purpose"].isin(PURPOSES) & ~(permissions["from_on"] > today)]
    rows = rows.sort_values(["from_on", "until_on"], ascending=[True, False], na_position="first", kind="stable")
    by = [*_PERSON, "purpose"]
    own = rows[rows["given_by"].ne("representative")].drop_duplicates(by, keep="last")
    last = pd.concat([own[own["given_by"].notna()], rows.drop_duplicates(by, keep="last")])
    last = last[last["until_on"] < today]
    return _ended(last, on=last["until_on"], why=WITHDREW)
