"""`rom findings`: the work list of what is wrong in the data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.home import Home
    from assets.state import State
    from mbt_rom.findings import Language

OWNERS = ("research_assistant", "data_manager", "programme_manager", "developer")
LOGGED_AS = "work list"
_LISTED = 8
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "programme": "the programme", "row": "row", "column": "column", "sheet": "sheet", "times": "{n} times", "once": "once",
        "days": "{n} days", "day": "1 day", "more": "and {n} more", "quiet": "Not heard of for too long:", "patient": "patient",
        "holds": "holds", "nothing": "Nothing is wrong.",
        "counted": "{fatal} files left out, {error} faults in rows, {notice} notices",
        "waiting": "Not judged yet, because it came after the last night: what was delivered to {names}. Run `rom nightly` first.",
    },
    "nl": {
        "programme": "het programma", "row": "rij", "column": "kolom", "sheet": "blad", "times": "{n} keer", "once": "één keer",
        "days": "{n} dagen", "day": "1 dag", "more": "en nog {n}", "quiet": "Te lang niets van gehoord:", "patient": "patiënt",
        "holds": "bevat", "nothing": "Er is niets mis.",
        "counted": "{fatal} bestanden buiten beschouwing, {error} fouten in rijen, {notice} meldingen",
        "waiting": "Nog niet beoordeeld, want na de laatste nacht gekomen: wat is aangeleverd aan {names}. Draai eerst `rom nightly`.",
    },
}  # fmt: skip


@click.command(name="findings")
@click.option("--programme", "-p", help="Only this programme.")
@click.option("--owner", type=click.Choice(OWNERS), help="Only what somebody in this role mends.")
@click.option("--rule", "rule_id", help="Only this rule; `rom rules` lists them.")
@click.option("--all", "everything", is_flag=True, help="Notices too, which set nothing aside.")
@click.option(
    "--by", type=click.Choice(["file", "rule"]), default="file", show_default=True, help="Put together by what."
)
@click.option("--language", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="English or Dutch.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.xlsx or FILE.csv.")
@click.option(
    "--with-values", is_flag=True, help="Show present values and patient numbers; asks for a reason and is logged."
)
@click.option(
    "--closed", is_flag=True, help="What closed itself instead: since when, how, and who delivered what closed it."
)
@click.option("--reason", help="What the values are looked at for; it is logged.")
@home_option
def findings(
    programme: str | None,
    owner: str | None,
    rule_id: str | None,
    everything: bool,
    by: str,
    language: Language,
    output: Path | None,
    with_values: bool,
    closed: bool,
    reason: str | None,
    home: Path,
) -> None:
    """What is wrong in the data, how to mend it, and since when: the oldest first. No answer is shown.

    A workbook has everything in English and Dutch, and is loaded again once correct values are typed into it.
    Exit code 1 when something is set aside, or was not judged yet.

    \b
    Examples:
      rom findings -o worklist.xlsx
      rom findings --closed
      rom findings -p our_programme --owner research_assistant --by rule
    """
    from assets import stops, worklists
    from assets.home import Home
    from assets.state import State
    from mbt_rom.findings import needs_action
    from pipelines import clock

    opened = Home.open(home)
    _refuse_wrong_use(opened, programme, rule_id, output, with_values=with_values, reason=reason)
    state = State(opened, clock.today(opened.settings.timezone))
    if closed:
        rows = worklists.closed(state, programme)
        _tell_closed(rows[rows["rule"].eq(rule_id or rows["rule"])], output)
        return
    told = _asked(reason) if with_values else None
    rows = worklists.work_list(state, programme)
    rows = rows[rows["owner"].eq(owner or rows["owner"]) & rows["rule"].eq(rule_id or rows["rule"])]
    shown = rows if everything or output else rows[needs_action(rows) | rows["rule"].eq(worklists.QUIET)]
    if told is not None:
        _log(opened, told, len(shown), output)
        holding = stops.holding(state, now=clock.now(), today=state.as_of)
        shown = worklists.with_values(state, shown, stops=holding)
    if output is not None:
        _write(shown, output, language, state.as_of)
    waiting = _waiting(state, programme)
    if waiting:
        click.echo(_WORDS[language]["waiting"].format(names=", ".join(waiting)))
    if output is None and (len(shown) or not waiting):
        click.echo("\n".join(_told(shown, by, language)))
    click.echo(_counted(rows, language))
    raise SystemExit(1 if waiting or needs_action(rows).any() else 0)


def _waiting(state: State, programme: str | None) -> list[str]:
    """The folders in which something lies that no night has judged."""
    from mbt_rom.settings import SHARED
    from mbt_rom.tables import CONTENTS

    delivered = set(state.ledger["programme_id"])
    asked = [p for p in state.home.partitions if p in delivered and p in (programme or p, SHARED)]
    outdated = state.outdated(state.catalogue[CONTENTS.name], asked)
    return [p for p in asked if p in outdated]


def _tell_closed(rows: pd.DataFrame, output: Path | None) -> None:
    from pipelines.writing import write_private

    if output is not None:
        write_private(rows, output, notes=[], sheet="closed")
        click.echo(f"{output}: {len(rows)} findings")
        return
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        stated = {"sheet": row["sheet"], "row": row["row"], "column": row["column"] or row["item"]}
        place = ", ".join([str(row["file"]), *(f"{name} {value}" for name, value in stated.items() if value)])
        how = str(row["closed_how"]).replace("_", " ")
        by = f" by {row['closed_by']}" if row["closed_by"] else ""
        click.echo(
            f"{row['closed']}: {row['programme']}: {place}: {row['rule']}, open since {row['opened']}: {how}{by}"
        )
    click.echo(f"{len(rows)} findings closed themselves")


def _refuse_wrong_use(
    home: Home,
    programme: str | None,
    rule_id: str | None,
    output: Path | None,
    *,
    with_values: bool,
    reason: str | None,
) -> None:
    from mbt_rom.findings import RULES

    if programme is not None and programme not in home.partitions:
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {', '.join(home.partitions)}")
    if rule_id is not None and rule_id not in RULES:
        raise click.BadParameter(f"no rule '{rule_id}'; `rom rules` lists them", param_hint="--rule")
    if output is not None and output.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("the ending of --output must be .csv or .xlsx")
    if output is not None and not output.resolve().parent.is_dir():
        raise click.BadParameter("there is no such folder; make it first", param_hint="--output")
    if reason is not None and not with_values:
        raise click.UsageError("--reason belongs to --with-values; without it no value is shown")
    if with_values and output is not None and output.resolve().is_relative_to(home.root):
        raise click.BadParameter("lies inside the home, parts of which are read by others", param_hint="--output")


def _asked(reason: str | None) -> str:
    """Why somebody wants to see values: as given or, on a terminal, as answered; wrong use where nobody says."""
    given = reason
    if given is None:
        given = (
            str(click.prompt("Values of patients are shown and this is logged. What for?", err=True))
            if os.isatty(0)
            else ""
        )
    if not given.strip():
        raise click.UsageError("--with-values shows answers and patient numbers: say what for, with --reason '...'")
    return given.strip()


def _log(home: Home, reason: str, n_rows: int, output: Path | None) -> None:
    from pipelines import clock
    from pipelines.commands.export import log

    formats = [output.suffix[1:] if output else "screen"]
    log(home, table=LOGGED_AS, purpose=reason, n_rows=n_rows, formats=formats, now=clock.now())


def _write(rows: pd.DataFrame, path: Path, language: Language, day: Any) -> None:
    from assets.home import write_atomically
    from assets.worklists import QUIET
    from mbt_rom.worklist import in_words
    from pipelines.work_list_book import workbook
    from pipelines.writing import write_private

    is_quiet = rows["rule"].eq(QUIET)
    if path.suffix == ".xlsx":
        write_atomically(path, workbook(rows[~is_quiet], rows[is_quiet], day=day))
    else:
        write_private(in_words(rows, language), path, notes=[], sheet="findings")
    click.echo(f"{path}: {len(rows)} findings")


def _told(rows: pd.DataFrame, by: str, language: Language) -> list[str]:
    from assets.worklists import QUIET

    words = _WORDS[language]
    is_quiet = rows["rule"].eq(QUIET)
    plain = rows[~is_quiet].astype(object)
    lines = _groups(plain.where(plain.notna(), None), by, language)
    quiet = rows[is_quiet]
    if len(quiet):
        lines += [words["quiet"], *(f"  {p}: {d}" for p, d in zip(quiet["programme"], quiet["detail"], strict=True))]
    return lines or [words["nothing"]]


def _groups(rows: pd.DataFrame, by: str, language: Language) -> list[str]:
    """One paragraph per rule and file, the gravest and oldest first; those of one file or of one rule together."""
    place = ["programme", "file"]
    keys = [*place, "rule"] if by == "file" else ["rule", *place]
    first = rows.assign(at=range(len(rows)))
    first["outer"] = first.groupby(keys[:2] if by == "file" else keys[:1], dropna=False)["at"].transform("min")
    ordered = first.sort_values(["outer", "at"])
    lines: list[str] = []
    for _, group in ordered.groupby(["outer", *keys], dropna=False, sort=False):
        lines += _paragraph(group.to_dict("records"), language)
    return lines


def _paragraph(rows: list[dict[Any, Any]], language: Language) -> list[str]:
    from mbt_rom.findings import WORDS, rule

    words, row = _WORDS[language], rows[0]
    one = rule(str(row["rule"]), language=language)
    times = words["once"] if len(rows) == 1 else words["times"].format(n=len(rows))
    ages = [r["days"] for r in rows if r["days"] is not None]
    age = [words["day"] if max(ages) == 1 else words["days"].format(n=max(ages))] if ages else []
    head = ", ".join([times, *age, WORDS[language][one.severity], WORDS[language][one.owner]])
    lines = [
        f"{row['programme']}: {row['file'] or words['programme']}: {one.sentence} ({head}) [{one.id}]",
        f"    {one.remedy}.",
    ]
    places = [text for r in rows[:_LISTED] if (text := _place(r, words))]
    lines += [f"      {text}" for text in places]
    if len(rows) > _LISTED:
        lines.append(f"      {words['more'].format(n=len(rows) - _LISTED)}")
    return lines


def _place(row: dict[Any, Any], words: dict[str, str]) -> str:
    stated = {"sheet": row["sheet"], "row": row["row"], "column": row["column"] or row["item"]}
    parts = [f"{words[name]} {value}" for name, value in stated.items() if value]
    parts += [f"({row['detail']})"] if row["detail"] else []
    parts += [f"{words['patient']} {row['patient_number']}"] if row.get("patient_number") else []
    parts += [f"{words['holds']} '{row['present']}'"] if row.get("present") is not None else []
    return ", ".join(parts)


def _counted(rows: pd.DataFrame, language: Language) -> str:
    n = rows["severity"].value_counts()
    return _WORDS[language]["counted"].format(**{s: n.get(s, 0) for s in ("fatal", "error", "notice")})
