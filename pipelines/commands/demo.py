"""`rom demo`: a home with a synthetic consortium in its inbox, and the truth beside it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import Date, home_option, progress

if TYPE_CHECKING:
    from assets.home import Home
    from mbt_rom.model import Instrument
    from mbt_rom.synthetic import SyntheticConsortium

TIMEZONE = "Europe/Amsterdam"
TRUTH = "truth"
MADE_WITH = "made_with.json"


@click.command(name="demo")
@home_option
@click.option("--programmes", type=click.IntRange(1, 12), default=6, show_default=True, help="Number of programmes.")
@click.option("--patients", type=click.IntRange(min=1), default=400, show_default=True, help="Patients in all of them.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same files.")
@click.option("--as-of", type=Date(), help="Day on which the demo takes place (default today).")
@click.option(
    "--with",
    "further",
    multiple=True,
    metavar="ID|FILE",
    help="A further instrument that everybody fills in: an id, or the YAML of one of your own. May be repeated.",
)
def demo(home: Path, programmes: int, patients: int, seed: int, as_of: date | None, further: tuple[str, ...]) -> None:
    """Make a home with a synthetic consortium in its inbox.

    Invented programmes and people, exports of several survey tools, and faults planted in them. A home that is not
    synthetic is left alone.

    \b
    Example:
      rom demo --home demo-home --programmes 3 --patients 120 --seed 7
      rom demo --home demo-home --with oq45 --with sshi --with my_scale.yaml
    """
    definitions, own = _instruments(further)
    chosen = [Path(name).stem for name in further]
    asked = {"programmes": programmes, "patients": patients, "seed": seed, **({"with": chosen} if chosen else {})}
    day = as_of or _day_of_demo(home, asked)
    progress("inventing patients and their answers")
    made = _make(asked, day, definitions)
    opened = _home(home, made.settings)
    _write(opened, made, own=own, made_with={**asked, "as_of": day.isoformat()})
    _say(home, made, day=day)


def _instruments(further: tuple[str, ...]) -> tuple[dict[str, Instrument], dict[str, str]]:
    """The definitions to answer, by id, and the texts of those that are the user's own, by file name."""
    from mbt_rom.registry import outcome_instruments, parse_instrument

    own = {Path(name).name: _text(Path(name)) for name in further if name.endswith(".yaml")}
    definitions = {**outcome_instruments(), **{Path(n).stem: parse_instrument(t, file=n) for n, t in own.items()}}
    if unknown := [name for name in further if Path(name).stem not in definitions]:
        raise click.BadParameter(
            f"'{unknown[0]}' is neither an instrument nor a YAML file; there are {', '.join(definitions)}",
            param_hint="--with",
        )
    return definitions, own


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise click.BadParameter(f"{path}: no such file, or not UTF-8 text", param_hint="--with") from None


def _make(asked: dict[str, Any], day: date, definitions: dict[str, Instrument]) -> SyntheticConsortium:
    from mbt_rom.synthetic import make_consortium

    try:
        return make_consortium(
            programmes=asked["programmes"],
            patients=asked["patients"],
            seed=asked["seed"],
            as_of=day,
            instruments=definitions,
            further=asked.get("with", ()),
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _made_with(root: Path) -> dict[str, Any]:
    """What the demo in that home was made with; empty where there is none."""
    path = root / TRUTH / MADE_WITH
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _day_of_demo(root: Path, asked: dict[str, Any]) -> date:
    """Today; or the day of the same demo that is there already, so that running it again changes nothing."""
    from pipelines.clock import today

    there = _made_with(root)
    same = there and asked == {key: there.get(key) for key in asked}
    return date.fromisoformat(there["as_of"]) if same else today(TIMEZONE)


def _home(root: Path, settings: str) -> Home:
    """A new home, or the synthetic one that is there; HomeError for a real one."""
    from assets.home import STAMP, Home, HomeError, create

    if not (root / STAMP).exists():
        return create(root, settings)
    found = Home.open(root)
    if not found.settings.is_synthetic:
        raise HomeError(f"{root}: this home is not synthetic, so no demo is written into it; choose another folder")
    return found


def _write(home: Home, made: SyntheticConsortium, *, own: dict[str, str], made_with: dict[str, Any]) -> None:
    """The truth before the exports it is about, definitions and mappings before the files that need them; each file whole.

    Raises HomeError where the home holds another demo: the same numbers would be other people.
    """
    from assets.home import HomeError, write_atomically

    there = _made_with(home.root)
    if there and there != made_with:
        made_so = ", ".join(f"{key} {value}" for key, value in there.items())
        raise HomeError(f"{home.root}: holds another demo ({made_so}); choose another folder, or delete this one")
    texts = {f"mappings/{name}": text.encode() for name, text in made.mappings.items()}
    texts |= {f"instruments/{name}": text.encode() for name, text in own.items()}
    truth = {f"{TRUTH}/{name}.csv": frame.to_csv(index=False).encode() for name, frame in made.truth.items()}
    every = {f"{TRUTH}/{MADE_WITH}": json.dumps(made_with).encode(), **truth, **texts, **made.files}
    for path, data in every.items():
        target = home.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)


def _say(home: Path, made: SyntheticConsortium, *, day: date) -> None:
    n_programmes, n_patients = made.truth["patients"]["programme_id"].nunique(), len(made.truth["patients"])
    size = sum(len(data) for data in made.files.values()) / 1e6
    click.echo(
        f"SYNTHETIC consortium in {home}: {n_programmes} programmes, {n_patients} invented patients, as of {day}"
    )
    click.echo(
        f"  inbox/     {len(made.files)} exports ({size:.1f} MB) in which {len(made.truth['faults'])} faults are planted"
    )
    click.echo(f"  mappings/  {len(made.mappings)} mapping files")
    click.echo(f"  {TRUTH}/     what it was made from, for tests only")
    click.echo(f"Next: rom nightly --home {home} --as-of {day}")
