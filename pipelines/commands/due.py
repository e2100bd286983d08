"""`rom due`: whom to ask now, and by when; as a list with local numbers, or as a calendar without any."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import clock
from pipelines.options import Date, home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.lists import Calling
    from assets.state import State
    from mbt_rom.calendars import Event
    from mbt_rom.findings import Language

LOGGED_AS = "due"
#: Days ahead that a calendar shows.
CALENDAR_DAYS = 92
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "programme": "programme", "issuer": "issuer", "patient_number": "patient", "moment": "moment", "state": "state",
        "has_left": "left treatment", "requirement": "requirement", "instruments": "forms", "to_be_finished": "begun, to be finished",
        "minutes": "minutes", "is_estimated": "minutes estimated", "not_stated": "minutes not known of", "mode": "how",
        "due_on": "due", "last_on": "last day", "days_left": "days left", "days_overdue": "days overdue", "staff_id": "asked by",
        "deputy_id": "deputy", "yes": "yes", "no": "no", "baseline": "baseline", "end": "end of treatment",
        "rebaseline": "second baseline", "month": "month {n}", "due": "due", "overdue": "overdue", "closing_soon": "closing soon",
        "required": "required", "desired": "desired", "self_report": "self-report", "interview": "interview",
        "both": "self-report and interview", "nobody": "nothing to ask for", "no_data": "no data",
        "head": "{name}: {n} to ask on {day}: {soon} closing soon, {over} overdue, {due} due; {left} of people who left treatment",
        "no_episodes": "{name}: no data: without a register of episodes nobody knows who is due",
        "no_register": "Who asks: no data; the register of allocations was not delivered.",
        "stopped": "Stopped, and so on no list: {n} patients.",
        "to_confirm": "To be confirmed by a second person: {n} stops; see rom stop --list.",
        "burden": "{name}, {moment}: {forms} forms ask about {minutes} minutes in one sitting{more}; more than {limit} is long. Spread "
                  "them over two days, or choose a smaller plan.",
        "more": " (and {n} whose minutes nobody states)", "written": "{path}: {n} sittings",
        "private": "Local numbers of patients: keep this list inside the programme, and delete it when you are done.",
        "stale": "Out of date: what arrived or was decided since the last night is not in this list (stops are); run `rom nightly`.",
        "calendar": "Questionnaires", "n_due": "{n} sittings due", "n_due_one": "1 sitting due", "n_closing": "{n} close this week",
        "n_closing_one": "1 closes this week", "n_overdue": "{n} overdue", "n_overdue_one": "1 overdue",
        "see": "Who they are: rom due -p {programme}", "events": "{path}: {n} days, counts only",
    },
    "nl": {
        "programme": "programma", "issuer": "uitgever", "patient_number": "patiënt", "moment": "moment", "state": "stand",
        "has_left": "uit behandeling", "requirement": "verplicht of gewenst", "instruments": "lijsten",
        "to_be_finished": "begonnen, af te maken", "minutes": "minuten", "is_estimated": "minuten geschat",
        "not_stated": "minuten onbekend van", "mode": "hoe", "due_on": "datum", "last_on": "laatste dag", "days_left": "dagen over",
        "days_overdue": "dagen te laat", "staff_id": "gevraagd door", "deputy_id": "waarnemer", "yes": "ja", "no": "nee",
        "baseline": "start", "end": "einde behandeling", "rebaseline": "tweede start", "month": "maand {n}", "due": "aan de beurt",
        "overdue": "over datum", "closing_soon": "sluit binnenkort", "required": "verplicht", "desired": "gewenst",
        "self_report": "zelf in te vullen", "interview": "interview", "both": "zelf in te vullen en interview",
        "nobody": "niets te vragen", "no_data": "geen gegevens",
        "head": "{name}: {n} te vragen op {day}: {soon} sluiten binnenkort, {over} over datum, {due} aan de beurt; {left} van mensen uit "
                "behandeling",
        "no_episodes": "{name}: geen gegevens: zonder register van behandelepisodes weet niemand wie aan de beurt is",
        "no_register": "Wie vraagt: geen gegevens; het register van toewijzingen is niet aangeleverd.",
        "stopped": "Stopgezet, en dus op geen lijst: {n} patiënten.",
        "to_confirm": "Door een tweede persoon te bevestigen: {n} stops; zie rom stop --list.",
        "burden": "{name}, {moment}: {forms} lijsten vragen ongeveer {minutes} minuten achter elkaar{more}; meer dan {limit} is lang. "
                  "Verdeel ze over twee dagen, of kies een kleiner plan.",
        "more": " (en {n} waarvan niemand de minuten noemt)", "written": "{path}: {n} zittingen",
        "private": "Lokale patiëntnummers: houd deze lijst binnen het programma, en verwijder hem als u klaar bent.",
        "stale": "Niet bijgewerkt: wat sinds de laatste nacht kwam of besloten werd ontbreekt hier (stops niet); draai `rom nightly`.",
        "calendar": "Vragenlijsten", "n_due": "{n} zittingen aan de beurt", "n_due_one": "1 zitting aan de beurt",
        "n_closing": "{n} sluiten deze week", "n_closing_one": "1 sluit deze week", "n_overdue": "{n} over datum",
        "n_overdue_one": "1 over datum", "see": "Wie het zijn: rom due -p {programme}", "events": "{path}: {n} dagen, alleen aantallen",
    },
}  # fmt: skip
#: Columns of the files, in order; those of the terminal are fewer.
FILE_COLUMNS = (
    "programme", "issuer", "patient_number", "moment", "state", "has_left", "requirement", "instruments", "to_be_finished", "minutes",
    "is_estimated", "not_stated", "mode", "due_on", "last_on", "days_left", "days_overdue", "staff_id", "deputy_id",
)  # fmt: skip
_SHOWN = (
    "days_left",
    "last_on",
    "due_on",
    "patient_number",
    "moment",
    "state",
    "minutes",
    "mode",
    "staff_id",
    "instruments",
)


@click.command(name="due")
@click.option("--as-of", type=Date(), help="The list of that day (default today), from what is known now.")
@click.option("--programme", "-p", help="Only this programme.")
@click.option(
    "--closing-soon",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="DAYS",
    help="What has at most so many working days left is called closing soon.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.csv, FILE.xlsx or FILE.ics."
)
@click.option("--language", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="English or Dutch.")
@home_option
def due(
    as_of: date | None, programme: str | None, closing_soon: int, output: Path | None, language: Language, home: Path
) -> None:
    """Whom to ask, and by when: one line per patient and moment, the fewest working days left first.

    The order rests on the schedule alone, never on an answer. Whoever is stopped is not on it. The list shows local numbers and
    each look is logged; a calendar (.ics) holds counts only.

    Exit code 1 when the stored plan is out of date, 0 otherwise, however many are on it.

    \b
    Examples:
      rom due -p our_programme
      rom due --closing-soon 5 -o due.xlsx --language nl
      rom due -o due.ics
    """
    from assets.lists import calling
    from pipelines import deciding
    from pipelines.lists import refuse_output

    state = deciding.state_of(home, programme)
    refuse_output(state.home, output, (".csv", ".xlsx", ".ics"))
    chosen = [programme] if programme else list(state.home.settings.programmes)
    is_calendar = output is not None and output.suffix == ".ics"
    ahead = CALENDAR_DAYS if is_calendar else 0
    today = clock.today(state.home.settings.timezone)
    found = calling(
        state, chosen, day=as_of or today, today=today, now=clock.now(), closing_soon=closing_soon, ahead_days=ahead
    )
    if is_calendar and output is not None:
        _write_calendar(state, found, output, language)
    else:
        _tell(state, found, output, language)
    if not found.is_current:
        click.echo(_WORDS[language]["stale"], err=True)
    raise SystemExit(0 if found.is_current else 1)


# The list --------------------------------------------------------------------------------------------------------------------


def _tell(state: State, found: Calling, output: Path | None, language: Language) -> None:
    from pipelines.commands.export import log
    from pipelines.writing import write_private

    words = _WORDS[language]
    rows = in_words(state, found.sittings, language)
    notices = _notices(state, found, words)
    formats = [output.suffix[1:] if output else "screen"]
    log(state.home, table=LOGGED_AS, purpose="chasing list", n_rows=len(rows), formats=formats, now=clock.now())
    if output is not None:
        table = rows[list(FILE_COLUMNS)].rename(columns={name: words[name] for name in FILE_COLUMNS})
        write_private(table, output, notes=[words["private"], *notices], sheet="due")
        click.echo("\n".join([words["written"].format(path=output, n=len(rows)), *notices]))
        return
    lines = [line for p in found.programmes for line in _programme(state, found, rows, p, words)]
    click.echo("\n".join([*lines, *notices]))


def in_words(state: State, sittings: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Rows of `mbt_rom.due.sittings`, with those who ask, as texts: the columns `FILE_COLUMNS`, index kept."""
    from pipelines.lists import numbers_of, staff_codes

    words = _WORDS[language]
    issuers = {p: s.issuer for p, s in state.home.settings.programmes.items()}
    flags = {
        c: sittings[c].map({True: words["yes"], False: words["no"]}).astype("str") for c in ("has_left", "is_estimated")
    }
    days = {c: sittings[c].dt.strftime("%Y-%m-%d").astype("str") for c in ("due_on", "last_on")}
    named = {c: sittings[c].map(words).astype("str") for c in ("state", "requirement", "mode")}
    told = sittings.assign(**flags, **days, **named)
    return told.assign(
        programme=sittings["programme_id"],
        issuer=sittings["programme_id"].map(issuers).astype("str"),
        patient_number=numbers_of(state, sittings),
        staff_id=staff_codes(state, sittings, "staff_id"),
        deputy_id=staff_codes(state, sittings, "deputy_id"),
        moment=[moment_in_words(moment, language) for moment in sittings["moment"]],
    )[list(FILE_COLUMNS)]


def told(state: State, sittings: pd.DataFrame, language: Language) -> list[str]:
    """Sittings as a table for a terminal, with local numbers."""
    return lines(in_words(state, sittings, language), _WORDS[language])


def moment_in_words(moment: str, language: Language) -> str:
    """What a moment is called.

    >>> moment_in_words("m12", "en"), moment_in_words("baseline", "nl")
    ('month 12', 'start')
    """
    words = _WORDS[language]
    if moment[:1] == "m" and moment[1:].isdigit():
        return words["month"].format(n=moment[1:])
    return words.get(moment, moment)


def _programme(state: State, found: Calling, rows: pd.DataFrame, programme: str, words: dict[str, str]) -> list[str]:
    name = state.home.settings.programmes[programme].name
    if programme in found.without_episodes:
        return [words["no_episodes"].format(name=name), ""]
    mine = found.sittings[found.sittings["programme_id"] == programme]
    n = mine["state"].value_counts()
    head = words["head"].format(
        name=name,
        n=len(mine),
        day=found.day.isoformat(),
        soon=n.get("closing_soon", 0),
        over=n.get("overdue", 0),
        due=n.get("due", 0),
        left=int(mine["has_left"].sum()),
    )
    return [head, *lines(rows.loc[mine.index], words), ""]


def lines(rows: pd.DataFrame, words: dict[str, str]) -> list[str]:
    """Rows of `in_words` as a table for a terminal."""
    from pipelines.lists import aligned

    if rows.empty:
        return [f"  {words['nobody']}"]
    shown = [_SHOWN_WITHOUT_STAFF, _SHOWN][int(rows["staff_id"].notna().any())]
    told = rows.astype(object).where(rows.notna(), None).to_dict("records")
    cells = [[words[name] for name in shown], *([_cell(row, name, words) for name in shown] for row in told)]
    return [f"  {line}" for line in aligned(cells)]


_SHOWN_WITHOUT_STAFF = tuple(name for name in _SHOWN if name != "staff_id")


def _cell(row: dict[Any, Any], name: str, words: dict[str, str]) -> str:
    value = row[name]
    if name == "minutes":
        return f"{'~' * (row['is_estimated'] == words['yes'])}{value}{'+?' * bool(row['not_stated'])}"
    if name == "state" and row["has_left"] == words["yes"]:
        return f"{value}, {words['has_left']}"
    if name == "staff_id" and row["deputy_id"]:
        return f"{row['deputy_id']} ({words['deputy_id']})"
    if name == "instruments" and row["to_be_finished"]:
        return f"{value} ({words['to_be_finished']}: {row['to_be_finished']})"
    return "" if value is None else str(value)


def _notices(state: State, found: Calling, words: dict[str, str]) -> list[str]:
    from mbt_rom.due import LONGEST_SITTING

    told = [words["stopped"].format(n=found.n_stopped)] if found.n_stopped else []
    told += [words["to_confirm"].format(n=found.n_to_confirm)] if found.n_to_confirm else []
    told += [] if found.has_allocations else [words["no_register"]]
    for row in found.burden[found.burden["is_long"]].to_dict("records"):
        more = words["more"].format(n=row["n_not_stated"]) if row["n_not_stated"] else ""
        told.append(
            words["burden"].format(
                name=state.home.settings.programmes[row["programme_id"]].name,
                moment=moment_in_words(row["moment"], "nl" if words is _WORDS["nl"] else "en"),
                forms=row["n_forms"],
                minutes=row["minutes"],
                more=more,
                limit=LONGEST_SITTING,
            )
        )
    return told


# The calendar --------------------------------------------------------------------------------------------------------------


def _write_calendar(state: State, found: Calling, output: Path, language: Language) -> None:
    from assets.home import write_atomically
    from mbt_rom.calendars import Event, calendar, uid_of
    from mbt_rom.due import calendar_days

    words, settings = _WORDS[language], state.home.settings
    days = calendar_days(found.sittings, as_of=found.day, n_days=CALENDAR_DAYS)
    events = [
        Event(
            uid=uid_of(settings.name, row["programme_id"], row["on"].date().isoformat()),
            on=row["on"].date(),
            summary=f"{settings.programmes[row['programme_id']].name}: {counted(row, words)}",
            description=words["see"].format(programme=row["programme_id"]),
        )
        for row in days.to_dict("records")
    ]
    quiet = [p for p in found.programmes if p not in set(days["programme_id"])]
    events += [_nothing(state, p, found.day, words) for p in quiet]
    write_atomically(output, calendar(events, name=f"{words['calendar']} - {settings.name}", now=clock.now()))
    click.echo(words["events"].format(path=output, n=len(events)))


def _nothing(state: State, programme: str, day: date, words: dict[str, str]) -> Event:
    """The event that says that a programme has nothing ahead: a calendar file cannot be empty."""
    from mbt_rom.calendars import Event, uid_of

    settings = state.home.settings
    uid = uid_of(settings.name, programme, day.isoformat())
    return Event(uid, day, f"{settings.programmes[programme].name}: {words['nobody']}")


def counted(row: dict[Any, Any], words: dict[str, str]) -> str:
    """Counts of one day in words."""
    counts = {name: int(row[name]) for name in ("n_overdue", "n_due", "n_closing")}
    told = [words[f"{name}_one"] if n == 1 else words[name].format(n=n) for name, n in counts.items() if n]
    return ", ".join(told)
