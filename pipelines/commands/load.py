"""`rom load`: take in exports by hand, after seeing how every column is understood."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines import clock
from pipelines.options import home_option

if TYPE_CHECKING:
    from assets.home import Home
    from assets.intake import Taken
    from assets.state import State

_SHOWN = 20


@click.command(name="load")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--programme", "-p", required=True, help="Programme of the files, or _shared when a column names it.")
@click.option(
    "--mapping", "-m", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Mapping file to confirm."
)
@click.option(
    "--draft",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a mapping file to check and confirm, FILE.yaml; keep nothing else.",
)
@click.option("--dry-run", is_flag=True, help="Only show how the columns are understood; keep nothing.")
@home_option
def load(
    files: tuple[Path, ...], programme: str, mapping: Path | None, draft: Path | None, dry_run: bool, home: Path
) -> None:
    """Take in an export; says how every column was understood.

    A mapping file given here is kept in the home and applies from now on. Exit code 1 when a file has a fault.

    \b
    Example:
      rom load bsi_2026.xlsx --programme our_programme --dry-run
      rom load intake.csv --programme our_programme --draft intake.yaml
      rom load intake.csv --programme our_programme --mapping intake.yaml
    """
    from assets.home import Home
    from assets.lock import writing

    now = clock.now()
    opened = Home.open(home)
    if programme not in opened.partitions:
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {', '.join(opened.partitions)}")
    if draft is not None:
        _draft(_understood(opened, files, programme, mapping), draft)
        return
    if dry_run:
        taken = _understood(opened, files, programme, mapping)
    else:
        with writing(home, who="rom load", now=now, wait_seconds=60):
            taken = _taken(opened, files, programme, mapping)
    for one in taken:
        click.echo(told(one, is_kept=not dry_run))
        if n := _n_risk_answers(opened, one):
            click.echo(f"{one.label}: {_report_today(n, programme, typed=one.n_corrected is None)}")
    if not dry_run and any(t.outcome == "taken_in" or t.n_corrected for t in taken):
        click.echo(f"Next: rom nightly --home {home}")
    raise SystemExit(1 if any(t.needs_attention for t in taken) else 0)


def _draft(taken: list[Taken], draft: Path) -> None:
    from pipelines.commands.deliveries import write_draft

    if len(taken) != 1:
        raise click.UsageError("--draft takes one file at a time")
    understood = taken[0].conformed.understood if taken[0].conformed is not None else []
    write_draft(understood, draft, file_name=taken[0].label.split("/")[-1])


def _report_today(n: int, programme: str, *, typed: bool) -> str:
    from mbt_rom.entry_forms import REPORT_TODAY

    where = "were typed" if typed else "stand in the corrected forms"
    return f"{n} risk answers {where}. {REPORT_TODAY['en']} They are listed by: rom alerts -p {programme}"


def _n_risk_answers(home: Home, taken: Taken) -> int:
    """Risk answers in what somebody typed: paper forms, or forms corrected in a work list; 0 for every other file."""
    from assets.state import State
    from mbt_rom.alerts import alerts
    from mbt_rom.exports.entry import NAME
    from mbt_rom.tables import findings_table

    if taken.conformed is None or (taken.conformed.dialect != NAME and not taken.n_corrected):
        return 0
    items = taken.conformed.items
    definitions = State(home, clock.today(home.settings.timezone)).instruments
    none = {name: findings_table(name).empty() for name in items}
    return len(alerts(items, none, definitions=definitions, timezone=home.settings.timezone))


def _state(home: Home, mapping: Path | None) -> State:
    """The home; with a mapping that is only tried, as if it lay among the confirmed ones."""
    from assets.state import State

    state = State(home, clock.today(home.settings.timezone))
    if mapping is not None:
        state.try_mapping(mapping.name, mapping.read_text(encoding="utf-8"))
    return state


def _understood(home: Home, files: tuple[Path, ...], programme: str, mapping: Path | None) -> list[Taken]:
    from assets.intake import understand_file
    from assets.worklists import take_in_list

    state, by = _state(home, mapping), getpass.getuser()
    return [
        take_in_list(state, file, folder=programme, now=clock.now(), by=by, is_kept=False)
        or understand_file(state, file, folder=programme, now=clock.now())
        for file in files
    ]


def _taken(home: Home, files: tuple[Path, ...], programme: str, mapping: Path | None) -> list[Taken]:
    from assets.intake import take_in_file
    from assets.worklists import take_in_list

    if mapping is not None:
        _state(home, mapping)  # a mapping that cannot be read is refused before it is kept
        _keep(home, mapping)
    state = _state(home, None)
    by = getpass.getuser()
    return [
        take_in_list(state, file, folder=programme, now=clock.now(), by=by)
        or take_in_file(state, file, folder=programme, now=clock.now(), by=by)
        for file in files
    ]


def _keep(home: Home, mapping: Path) -> None:
    from assets.home import write_atomically

    kept = home.mappings_folder / f"{mapping.stem}.yaml"
    data = mapping.read_bytes()
    if kept.exists() and kept.resolve() != mapping.resolve() and kept.read_bytes() != data:
        raise click.UsageError(f"{kept} exists and says something else; remove it or rename yours")
    if not kept.exists():
        write_atomically(kept, data)


def told(taken: Taken, *, is_kept: bool = True) -> str:
    """What became of a file and how its columns were understood; no value of it."""
    if taken.n_corrected is not None:
        return _told_of_list(taken, taken.n_corrected, is_kept=is_kept)
    words = {
        "taken_in": "understood as follows",
        "known": "was taken in before; nothing changed",
        "refused": f"REFUSED ({taken.reason}); nothing of it was kept",
        "failed": f"could not be understood because of an error in MBT-ROM ({taken.reason}); nothing of it was kept",
    }
    lines = [f"{taken.label}: {words[taken.outcome]}"]
    if taken.conformed is not None:
        lines += columns_told(taken.conformed.understood) + _findings(taken)
    elif taken.outcome == "refused":
        lines.append(f"  {_why(taken)}")
    return "\n".join(lines)


def _told_of_list(taken: Taken, n: int, *, is_kept: bool) -> str:
    """What became of a returned work list."""
    if taken.outcome == "known":
        return f"{taken.label}: a returned work list with nothing that was not recorded before"
    corrected = f"{n} row{'s' * (n != 1)} {'corrected' if is_kept else 'would be corrected'}"
    if taken.outcome == "taken_in":
        return f"{taken.label}: a returned work list; {corrected}"
    first = f"{taken.label}: a returned work list with rows that cannot be recorded; " + (
        f"{corrected}, these are not:" if n else "nothing was recorded:"
    )
    return "\n".join([first, *_findings(taken)])


def _why(taken: Taken) -> str:
    """The rule that refused a file whose contents are not kept, and what to do."""
    from mbt_rom.findings import RULES

    rule = RULES[str(taken.reason)]
    return f"{taken.label}: {rule.sentence}. {rule.remedy}."


def columns_told(understood: list[dict[str, Any]]) -> list[str]:
    """One line per column: its name, what it is taken for or may be, how sure that is (0 to 1), and why."""
    lines = []
    for column in understood:
        place = f"{column['sheet']}: " if column.get("sheet") else ""
        named = [str(column[k]) for k in ("instrument", "item") if column.get(k)]
        what = " ".join([str(column["role"]).replace("_", " "), *named])
        if column.get("proposal"):
            what = "TO CONFIRM"
        sure = f"{column['confidence']:.2f}" if column.get("confidence") else "    "
        lines.append(f"  {place}{column['column']:<28} {what:<28} {sure} {column.get('reason') or ''}".rstrip())
    return lines


def _findings(taken: Taken) -> list[str]:
    from mbt_rom.findings import message

    if taken.conformed is None:
        return []
    found = taken.conformed.findings
    shown = [f"  {message(row, taken.label)}" for _, row in found.head(_SHOWN).iterrows()]
    return shown + ([f"  ... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])
