"""`rom instruments`: the instruments that are known, one of them in detail or as a page, and those that a site defines itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    from mbt_rom.model import Instrument

_WIDTH = 100
_MONITORS = {
    "outcome": "outcome",
    "therapist_adherence": "therapists",
    "supervisor_adherence": "supervisors",
    "implementation": "programme",
}
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


class _ShowsByDefault(click.Group):
    """`rom instruments bsi` is short for `rom instruments show bsi`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


def _named_before(ctx: click.Context, param: click.Parameter, home: Path | None) -> Path:
    """The home named after the subcommand, otherwise the one that holds for `rom instruments`."""
    before: Path = ctx.parent.params["home"] if ctx.parent is not None else Path()
    return before if home is None else home


_home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    callback=_named_before,
    help="Folder of the home (default as for every command).",
)


@click.group(name="instruments", cls=_ShowsByDefault, invoke_without_command=True)
@home_option
@click.pass_context
def instruments(ctx: click.Context, home: Path) -> None:
    """The instruments that are known: those of the software, and those that the home defines itself.

    \b
    Examples:
      rom instruments                      list them
      rom instruments bsi                  scales, norms and value sets of one, by their ids
      rom instruments page dappsf          everything that is known about it, as a Markdown page
      rom instruments new our_scale --items 12 --max 4
      rom instruments check                are our own definitions right?
    """
    if ctx.invoked_subcommand is None:
        for line in _listed(home):
            click.echo(line)


# --- list and show -------------------------------------------------------------------------------------------------------


def _listed(home: Path) -> Iterator[str]:
    from pipelines.own_instruments import every_instrument, own_ids

    own = own_ids(home)
    rows = [("id", "name", "items", "monitors", "key")]
    rows += [_row(definition, is_own=i in own) for i, definition in every_instrument(home).items()]
    ids, names, items, monitors, keys = (max(len(row[at]) for row in rows) for at in range(len(rows[0])))
    room = min(names, _WIDTH - ids - items - monitors - keys - 8)
    for i, name, n_items, monitor, key in rows:
        shown = name if len(name) <= room else f"{name[: room - 3]}..."
        yield f"{i:<{ids}}  {shown:<{room}}  {n_items:>{items}}  {monitor:<{monitors}}  {key}".rstrip()
    if own:
        yield "* defined by this home"


def _row(definition: Instrument, *, is_own: bool) -> tuple[str, str, str, str, str]:
    star = "*" if is_own else ""
    n_items = str(len(definition.items))
    return f"{definition.id}{star}", definition.name, n_items, _MONITORS[definition.monitors], _key(definition)


def _key(definition: Instrument) -> str:
    """Whether the instrument can be scored, and if not, why."""
    if definition.key == "external_scores":
        return "publisher scores"
    if definition.key == "published":
        return "published"
    waiting = [scale for scale in definition.scales if scale.key == "site_supplied"]
    return "key supplied" if any(scale.is_keyed and scale.items for scale in waiting) else "needs your key"


@instruments.command(name="show")
@click.argument("name", metavar="ID")
@_home_option
def show(name: str, home: Path) -> None:
    """One instrument: its scales, norms and value sets by their ids.

    \b
    Example:
      rom instruments show bsi
    """
    click.echo("\n".join(_described(_one(name, home))))


def _one(name: str, home: Path) -> Instrument:
    from pipelines.named_instruments import named_instrument, with_supplied_key

    definition, _ = with_supplied_key(named_instrument(name, home=home), key=None, home=home)
    return definition


def _described(definition: Instrument) -> Iterator[str]:
    from mbt_rom import registry
    from mbt_rom.in_words import KEYS_MEAN, MONITORS, term

    yield f"{definition.full_name}, edition {definition.edition}"
    yield f"measures {definition.measures}; {MONITORS[definition.monitors]}"
    yield _wrapped(f"key: {_key(definition)} ({KEYS_MEAN[definition.key]})")
    if definition.needs and _key(definition) == "needs your key":
        yield _wrapped(f"needed from you: {definition.needs}")
    yield "scales:"
    for scale in definition.scales:
        better = {"neutral": "neither end is better"}.get(scale.direction, f"{term(scale.direction)} is better")
        yield f"  {scale.id:<28} {scale.label}, {scale.range_text}, {better}"
    records = (*definition.norms, *definition.reliabilities, *definition.cutoffs)
    if records:
        yield "records that consortium.yaml can choose under 'norms' (provisional ones are off until chosen):"
    for record in records:
        mark = ", provisional" if record.is_provisional else ""
        yield f"  {record.id:<28} {type(record).__name__.lower()} of {record.scale} ({record.confidence}{mark})"
    for v in registry.value_sets(definition.id).values():
        yield f"value set {v.id:<18} {v.label}"


def _wrapped(text: str) -> str:
    return click.wrap_text(" ".join(text.split()), width=_WIDTH, subsequent_indent="  ")


@instruments.command(name="page")
@click.argument("name", metavar="ID")
@_home_option
def page(name: str, home: Path) -> None:
    """Everything that is known about one instrument, as a page in Markdown; also about one of the home's own.

    \b
    Example:
      rom instruments page our_scale > our_scale.md
    """
    from mbt_rom import registry
    from mbt_rom.instrument_pages import instrument_page

    definition = _one(name, home)
    sets = registry.value_sets(definition.id)
    click.echo(instrument_page(definition, domains=registry.domains(), value_sets=sets), nl=False)


# --- the home's own ------------------------------------------------------------------------------------------------------


@instruments.command(name="new")
@click.argument("name", metavar="ID")
@click.option("--name", "title", metavar="TEXT", help="What people call it (default: the id).")
@click.option("--items", "n_items", type=click.IntRange(1, 999), default=10, show_default=True, help="How many items.")
@click.option("--min", "lowest", type=click.IntRange(-99, 999), default=0, show_default=True, help="The lowest answer.")
@click.option(
    "--max", "highest", type=click.IntRange(-99, 999), default=4, show_default=True, help="The highest answer."
)
@click.option("--language", metavar="TEXT", help="Language of the form; becomes part of its edition.")
@_home_option
def new(
    name: str, title: str | None, n_items: int, lowest: int, highest: int, language: str | None, home: Path
) -> None:
    """Begin an instrument of your own: writes a commented definition and its first worked examples into the home.

    ID is written in small letters, digits and underscores, and begins with a letter.

    \b
    Example:
      rom instruments new our_scale --name "Our scale" --items 12 --min 0 --max 4 --language Dutch
    """
    from assets.home import check_stamp
    from assets.lock import writing
    from pipelines import clock
    from pipelines.instrument_template import definition_template

    check_stamp(home)
    _refuse_id(name, home)
    if highest <= lowest:
        raise click.BadParameter(f"must be above --min ({lowest})", param_hint="--max")
    text = definition_template(
        name, name=title or name, n_items=n_items, lowest=lowest, highest=highest, language=language
    )
    with writing(home, who="rom instruments new", now=clock.now(), wait_seconds=60):
        written = _write_new(name, text, home)
    for path in written:
        click.echo(f"Wrote {path}")
    click.echo("Next:")
    click.echo("  1. say in the definition what it measures, how it is scored, and where you read that")
    click.echo("  2. add forms to the examples, at least 12, with scores from the manual, a paper or another program")
    click.echo(f"  3. rom instruments check {name}")
    click.echo(f"  4. add {name} to the instruments of a programme in consortium.yaml")


def _refuse_id(name: str, home: Path) -> None:
    from mbt_rom import registry
    from pipelines.own_instruments import own_ids

    if not _IDENTIFIER.fullmatch(name) or name in instruments.commands:
        how = "small letters, digits and underscores, beginning with a letter, and no subcommand"
        raise click.BadParameter(f"'{name}' is no id: {how}", param_hint="ID")
    for known, whose in (
        (registry.instrument_ids(), "comes with the software"),
        (own_ids(home), "is in this home already"),
    ):
        if name in known:
            raise click.BadParameter(f"'{name}' {whose}; choose another id", param_hint="ID")


def _write_new(name: str, text: str, home: Path) -> list[Path]:
    """Writes the definition, and before it the examples where there are none yet. The files that were written."""
    from assets.home import write_atomically
    from mbt_rom import registry
    from pipelines.instrument_template import examples_template
    from pipelines.own_instruments import folder_of_instruments

    folder = folder_of_instruments(home)
    folder.mkdir(exist_ok=True)
    definition_file, examples_file = folder / f"{name}.yaml", folder / f"{name}.csv"
    examples = examples_template(registry.parse_instrument(text, file=definition_file.name))
    contents = {examples_file: examples, definition_file: text}
    written = [path for path in contents if not path.exists()]
    for path in written:
        write_atomically(path, contents[path].encode())
    return written


@instruments.command(name="check")
@click.argument("name", metavar="[ID]", required=False)
@_home_option
def check(name: str | None, home: Path) -> None:
    """Are the definitions and scoring keys of the home valid, and are scores as the worked examples expect?

    Looks at instruments/ID.yaml with instruments/ID.csv, and at scoring_keys/ID.yaml with scoring_keys/ID.csv where there is
    one. Exit code 1 when something differs; the examples are made up, so their numbers are shown.

    \b
    Example:
      rom instruments check our_scale
    """
    from assets.home import check_stamp
    from pipelines.own_instruments import check as checked

    check_stamp(home)
    looked_at = list(checked(home, name))
    if not looked_at:
        what = "instruments or scoring keys of its own" if name is None else f"definition or scoring key of '{name}'"
        if name is not None:
            raise click.BadParameter(f"{home} holds no {what}", param_hint="ID")
        click.echo(f"{home} holds no {what}. `rom instruments new ID` begins one.")
    for line in _verdicts(looked_at):
        click.echo(line)
    raise SystemExit(1 if any(one.wrong for one in looked_at) else 0)


def _verdicts(looked_at: Iterable[Any]) -> Iterator[str]:
    for one in looked_at:
        if not one.wrong:
            yield f"{one.file}: {one.says}"
        yield from (
            f"{one.file}: {wrong}" if not wrong.startswith("row ") else f"{one.file}, {wrong}" for wrong in one.wrong
        )
