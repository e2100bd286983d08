"""`rom alerts`: the risk answers of one programme, for the people who treat its patients. Every look at them is logged."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import Date, home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.home import Home
    from assets.state import State

TABLE = "outcomes/alerts"
#: The lists of `mbt_rom.alerts.LISTS`, named here so that `--help` need not import it.
CHOICES = ("new_or_worse", "unchanged_known", "old")
COLUMNS = [
    "list", "issuer", "patient_number", "stop", "instrument", "item", "about", "level", "answer", "answers_allowed", "answered_on",
    "arrived_on", "age_days", "rule", "origin", "confidence", "form_status", "file", "sheet", "row",
]  # fmt: skip


@click.command(name="alerts")
@click.option("--programme", "-p", required=True, help="The programme whose patients are shown.")
@click.option("--list", "which", type=click.Choice(CHOICES), help="Only this list; all three without it.")
@click.option(
    "--days", type=click.IntRange(min=1), default=30, show_default=True, help="Answers that arrived in the last N days."
)
@click.option("--as-of", type=Date(), help="Show what had arrived by the end of this date (default today).")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.csv or FILE.xlsx.")
@click.option("--purpose", help="What the list is looked at for; it is logged.")
@home_option
def alerts(
    programme: str,
    which: str | None,
    days: int,
    as_of: date | None,
    output: Path | None,
    purpose: str | None,
    home: Path,
) -> None:
    """Risk answers of one programme, newest first, with local patient numbers: for its treating team only.

    This is not watched day and night. No answer here is a safe sign either.

    Exit code 1 when the stored list is out of date, 0 otherwise, however many answers are on it.

    \b
    Example:
      rom alerts --programme our_programme --list new_or_worse --days 7 --purpose "team meeting"
    """
    from assets.home import Home
    from assets.state import State
    from assets.stops import holding, under_one_name
    from pipelines import clock
    from pipelines.commands.export import asked, log

    opened = Home.open(home)
    _refuse_wrong_use(opened, programme, output)
    given = asked(purpose, TABLE)
    today = clock.today(opened.settings.timezone)
    state = State(opened, as_of or today)
    every = under_one_name(state, state.read(TABLE, programmes=[programme]))
    every = every if which is None else every[every["list"] == which]
    arrived = arrived_on(every, opened.settings.timezone)
    last, first = _window(state.as_of, days)
    stops = holding(state, now=clock.now(), today=today)
    shown, n_died = without_the_dead(every[arrived.between(first, last)], stops)
    rows = told(shown, state, programme, stops=stops)
    formats = [output.suffix[1:] if output else "screen"]
    log(opened, table=TABLE, purpose=given, n_rows=len(rows), formats=formats, now=clock.now())
    lists = CHOICES if which is None else (which,)
    head = _head(opened, programme, first, last, n_earlier=int((arrived < first).sum()), n_died=n_died)
    is_current = any(
        not State(opened, day).outdated(state.catalogue[TABLE], [programme]) for day in (state.as_of, today)
    )
    _show(rows, lists, head, output)
    if not is_current:
        click.echo("Out of date: what arrived last, or changed last, is not in this list; run `rom nightly`.", err=True)
    raise SystemExit(0 if is_current else 1)


def _refuse_wrong_use(home: Home, programme: str, output: Path | None) -> None:
    if programme not in home.settings.programmes:
        known = ", ".join(home.settings.programmes)
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {known}", param_hint="--programme")
    if output is None:
        return
    if output.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("the ending must be .csv or .xlsx", param_hint="--output")
    if not output.resolve().parent.is_dir():
        raise click.BadParameter("there is no such folder; make it first", param_hint="--output")
    if output.resolve().is_relative_to(home.root):
        raise click.BadParameter(
            "lies inside the home, parts of which are read by others; choose a folder of the treating team",
            param_hint="--output",
        )


def arrived_on(rows: pd.DataFrame, timezone: str) -> pd.Series:
    """The local date on which each answer became visible."""
    return rows["received_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()


def _window(as_of: date, days: int) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The last and the first of so many days."""
    import pandas as pd

    last = pd.Timestamp(as_of)
    return last, last - pd.Timedelta(days=days - 1)


def without_the_dead(rows: pd.DataFrame, stops: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The rows of people who are not stopped as deceased, and how many rows that leaves off.

    Nobody else is left off: a stop says that nobody asks for forms, not that nobody looks after the patient.
    """
    from mbt_rom.stops import HOLD_EVERYWHERE, is_stopped

    has_died = is_stopped(rows, stops[stops["kind"].isin(HOLD_EVERYWHERE)])
    return rows[~has_died], int(has_died.sum())


def told(rows: pd.DataFrame, state: State, programme: str, *, stops: pd.DataFrame) -> pd.DataFrame:
    """Rows of `outcomes/alerts` in words: `COLUMNS`, list by list, newest first, with local numbers and places in files.

    `stops`: those that hold; `stop` names the kind of the patient's own.
    """
    import pandas as pd

    from mbt_rom.settings import SHARED

    numbers = {**state.vault.numbers(SHARED), **state.vault.numbers(programme)}
    items = {i.id: i for definition in state.instruments.values() for i in definition.items}
    names = {i: definition.name for i, definition in state.instruments.items()}
    mine = stops[stops["programme_id"] == programme].drop_duplicates("patient_id", keep="last")
    files = state.ledger.drop_duplicates("delivery_id").set_index("delivery_id")["file_name"]
    frame = rows.merge(_places(rows, state, programme), on=["instrument", "row_id"], how="left").set_axis(rows.index)
    frame = frame.assign(
        issuer=frame["patient_id"].map({p: issuer for p, (issuer, _) in numbers.items()}),
        patient_number=frame["patient_id"].map({p: number for p, (_, number) in numbers.items()}),
        stop=frame["patient_id"].map(dict(zip(mine["patient_id"], mine["kind"], strict=True))),
        instrument=frame["instrument"].map(lambda i: names.get(i, i)),
        item=frame["item"].map(lambda i: items[i].number if i in items else i),
        answers_allowed=frame["item"].map(lambda i: items[i].bounds if i in items else pd.NA),
        answered_on=frame["answered_on"].dt.strftime("%Y-%m-%d"),
        arrived_on=arrived_on(frame, state.home.settings.timezone).dt.strftime("%Y-%m-%d"),
        file=frame["delivery_id"].map(files),
        row=frame["source_row"],
        place=frame["list"].map(CHOICES.index),
    )
    order = ["place", "received_at", "answered_on", "patient_number", "instrument", "item", "row_id"]
    newest = [True, False, False, True, True, True, True]
    return frame.sort_values(order, ascending=newest, ignore_index=True)[COLUMNS]


def _places(rows: pd.DataFrame, state: State, programme: str) -> pd.DataFrame:
    """Sheet and row of the forms, where the people who find no patient number have to look."""
    import pandas as pd

    columns = ["row_id", "sheet", "source_row"]
    known = [i for i in rows["instrument"].unique() if i in state.instruments]
    parts = [state.read(f"items/{i}", programmes=[programme], columns=columns).assign(instrument=i) for i in known]
    empty = pd.DataFrame(columns=[*columns, "instrument"], dtype="str")
    return pd.concat(parts, ignore_index=True) if parts else empty


def _head(home: Home, programme: str, first: pd.Timestamp, last: pd.Timestamp, *, n_earlier: int, n_died: int) -> str:
    name = home.settings.programmes[programme].name
    earlier = f" ({n_earlier} arrived before; --days shows more)" if n_earlier else ""
    died = f"; {n_died} of people who died are left off" if n_died else ""
    return f"{name}: risk answers that arrived from {first:%Y-%m-%d} to {last:%Y-%m-%d}{earlier}{died}"


def _show(rows: pd.DataFrame, lists: tuple[str, ...], head: str, output: Path | None) -> None:
    from mbt_rom.alerts import NOT_WATCHED
    from pipelines.writing import write_private

    sentences = list(NOT_WATCHED.values())
    if output is None:
        click.echo("\n".join([*sentences, head, *(_listed(rows, lists)), "", *sentences]))
        return
    write_private(rows, output, notes=[*sentences, head], sheet="alerts")
    click.echo("\n".join([*sentences, f"{output}: {len(rows)} answers"]))


def _listed(rows: pd.DataFrame, lists: tuple[str, ...]) -> list[str]:
    from mbt_rom.alerts import LISTS

    lines: list[str] = []
    for name in lists:
        mine = rows[rows["list"] == name].astype(object)
        lines += ["", f"{LISTS[name]}: {len(mine) or 'none'}"]
        lines += [line for row in mine.where(mine.notna(), None).to_dict("records") for line in _lines(row)]
    return lines


def _lines(row: dict[Any, Any]) -> list[str]:
    who = f"{row['issuer']} {row['patient_number']}" if row["patient_number"] else "patient not known"
    who += f" (stopped: {row['stop']})" if row["stop"] else ""
    days = row["age_days"]
    age = "no date that can be trusted" if days is None else f"{days} day{'s' * (days != 1)} old when it arrived"
    answered = f"answered {row['answered_on']}, " if row["answered_on"] else ""
    found = [f"sheet {row['sheet']}"] * bool(row["sheet"]) + [f"row {row['row']}"] * bool(row["row"])
    place = ", ".join([str(row["file"]), *found])
    aside = f"      the form is set aside: {place}; `rom findings` says why"
    where = aside if row["form_status"] == "set_aside" else f"      the form: {place}"
    return [
        f"  {who}: {row['instrument']} item {row['item']}, {row['about']}: {row['answer']} ({row['answers_allowed']}), {row['level']}",
        f"      {answered}arrived {row['arrived_on']}, {age}; rule {row['rule']} ({row['origin']}, {row['confidence']})",
        *([where] if row["form_status"] == "set_aside" or not row["patient_number"] else []),
    ]
