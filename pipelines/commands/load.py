"""`rom load`: take in exports by hand, after seeing how every column is understood."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines import clock
from pipelines.column_tables import table, write_drafts
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
@click.option("--dry-run", is_flag=True, help="Only show how the columns are understood; keep nothing.")
@click.option(
    "--draft",
    "drafted",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a mapping file to check, for one file; keep nothing.",
)
@home_option
def load(
    files: tuple[Path, ...], programme: str, mapping: Path | None, dry_run: bool, drafted: Path | None, home: Path
) -> None:
    """Take in an export; says how every column was understood.

    A mapping file given here is kept in the home and applies from now on. Exit code 1 when a file has a fault.

    \b
    Example:
      rom load bsi_2026.xlsx --programme our_programme --dry-run
      rom load survey.csv --programme our_programme --draft survey.yaml
      rom load survey.csv --programme our_programme --mapping survey.yaml
    """
    from assets.home import Home
    from assets.lock import writing

    now = clock.now()
    opened = Home.open(home)
    if programme not in opened.partitions:
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {', '.join(opened.partitions)}")
    if drafted is not None and (len(files) > 1 or mapping is not None):
        raise click.UsageError("--draft goes with one file and without --mapping")
    dry_run = dry_run or drafted is not None
    if dry_run:
        taken = _understood(opened, files, programme, mapping)
    else:
        with writing(home, who="rom load", now=now, wait_seconds=60):
            taken = _taken(opened, files, programme, mapping)
    for one in taken:
        click.echo(told(one, is_kept=not dry_run))
        if n := _n_risk_answers(opened, one):
            click.echo(f"{one.label}: {_report_today(n, programme, typed=one.n_corrected is None)}")
    if drafted is not None:
        _draft(opened, taken[0], drafted)
        return
    if not dry_run and any(t.outcome == "taken_in" or t.n_corrected for t in taken):
        click.echo(f"Next: rom nightly --home {home}")
    raise SystemExit(1 if any(t.needs_attention for t in taken) else 0)


def _draft(home: Home, taken: Taken, target: Path) -> None:
    if taken.conformed is None or not taken.conformed.understood:
        raise click.UsageError(f"{taken.label}: nothing of it was understood, so there is nothing to draft")
    instruments = _state(home, None).instruments
    write_drafts(taken.conformed.understood, target, name=target.stem, instruments=instruments)


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
        lines += table(taken.conformed.understood, n_rows=taken.conformed.n_rows) + _findings(taken)
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


def _findings(taken: Taken) -> list[str]:
    from mbt_rom.findings import message

    if taken.conformed is None:
        return []
    found = taken.conformed.findings
    shown = [f"  {message(row, taken.label)}" for _, row in found.head(_SHOWN).iterrows()]
    return shown + ([f"  ... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else [])
