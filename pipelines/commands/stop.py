"""`rom stop`: whom nobody may ask, from this moment on, and who said so."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from pipelines import clock, deciding
from pipelines.options import Date, home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.state import State
    from mbt_rom.stops import StopDecision

#: Those of `mbt_rom.stops`, named here so that `--help` need not import it.
KINDS = ("deceased", "withdrew", "no_contact_until", "in_crisis")
REASONS = (
    "told_by_patient", "told_by_relatives", "told_by_team", "seen_in_record", "entered_by_mistake", "no_longer_so", "other",
)  # fmt: skip
LOGGED_AS = "stops"
_NEVER_DELIVERED = (
    "nobody with that number was ever delivered. Check the number; for somebody who is in no export so far, name the programme with "
    "--programme and add --not-known-yet"
)


@click.command(name="stop")
@click.argument("patient", required=False)
@click.option("--kind", type=click.Choice(KINDS), help="Why nobody asks; with --confirm or --lift: which of several.")
@click.option("--until", type=Date(), help="Last day of no_contact_until.")
@click.option("--reason", type=click.Choice(REASONS), help="How it is known, or why it is lifted.")
@click.option("--confirm", "act", flag_value="confirm", help="Say the same as a second person.")
@click.option("--lift", "act", flag_value="lift", help="Let the patient be asked again; nothing else ever does.")
@click.option("--list", "act", flag_value="list", help="The stops that hold, with local numbers; it is logged.")
@click.option("--programme", "-p", help="Programme of the patient, where several know the number.")
@click.option("--not-known-yet", is_flag=True, help="The number is in no export so far.")
@home_option
def stop(
    patient: str | None,
    kind: str | None,
    until: date | None,
    reason: str | None,
    act: str | None,
    programme: str | None,
    not_known_yet: bool,
    home: Path,
) -> None:
    """Take a patient off every list at once: PATIENT is the local number, or - to be asked for it.

    It holds from the moment the command returns, whatever an export says tonight, until a person lifts it; no_contact_until
    lapses after its last day. Deceased and withdrew hold at once too, and are to be confirmed by a second person.

    \b
    Examples:
      rom stop - --kind deceased --reason told_by_relatives -p our_programme
      rom stop - --kind no_contact_until --until 2026-12-31
      rom stop - --confirm
      rom stop --list
    """
    state = deciding.state_of(home, programme)
    if act == "list":
        _refuse(patient is not None or until is not None, "--list takes --programme, --kind and nothing else")
        _list(state, programme, kind)
        return
    _refuse(patient is None, "say which patient: the local number, or - to be asked for it")
    _refuse(act is None and kind is None, "say why with --kind, or what else with --confirm, --lift or --list")
    _refuse(act is not None and until is not None, "--until belongs to a new stop of kind no_contact_until")
    _refuse(act is None and (kind == "no_contact_until") != (until is not None), _UNTIL)
    today = clock.today(state.home.settings.timezone)
    _refuse(until is not None and until < today, "--until lies in the past")
    number = deciding.asked_number(str(patient), "Number of the patient")
    chosen = programme or _only_programme(state, number)
    _refuse_unknown(state, chosen, number, act=act, not_known_yet=not_known_yet)
    decision = _decision(state, chosen, number, act=act, kind=kind, until=until, reason=reason)
    deciding.confirm(_question(decision, chosen))
    _record(state, chosen, decision)


_UNTIL = "no_contact_until needs its last day in --until YYYY-MM-DD, and no other kind has one"


def _refuse(is_wrong: bool, why: str) -> None:
    if is_wrong:
        raise click.UsageError(why)


def _only_programme(state: State, number: str) -> str:
    from assets.stops import programmes_of

    found = programmes_of(state, number)
    if not found:
        raise click.UsageError(_NEVER_DELIVERED)
    if len(found) > 1:
        raise click.UsageError(f"several programmes know that number: {', '.join(found)}; name one with --programme")
    return found[0]


def _refuse_unknown(state: State, programme: str, number: str, *, act: str | None, not_known_yet: bool) -> None:
    from assets.decisions import is_known, number_of

    is_new = act is None and not not_known_yet
    _refuse(is_new and not is_known(state, programme, number_of(state, programme, number)), _NEVER_DELIVERED)


def _decision(
    state: State,
    programme: str,
    number: str,
    *,
    act: str | None,
    kind: str | None,
    until: date | None,
    reason: str | None,
) -> StopDecision:
    from assets.decisions import number_of
    from mbt_rom.stops import StopDecision

    pair, who, now = number_of(state, programme, number), deciding.account(), clock.now()
    if act is None:
        return StopDecision("stop", pair, who, now, kind=kind, until=until, reason=reason)  # type: ignore[arg-type]
    about = _meant(state, programme, pair, act=act, kind=kind)
    return StopDecision(act, pair, who, now, reason=reason, of=about)  # type: ignore[arg-type]


def _meant(state: State, programme: str, number: tuple[str, str], *, act: str, kind: str | None) -> str:
    """Id of the one stop of that patient that can be confirmed or lifted."""
    from assets import stops
    from mbt_rom.stops import to_be_confirmed

    rows = stops.given(state, now=clock.now(), today=clock.today(state.home.settings.timezone))
    person = stops.person(state, programme, number)
    mine = rows[rows["programme_id"].eq(programme) & rows["patient_id"].eq(person)]
    mine = mine[mine["kind"].eq(kind or mine["kind"])]
    if act == "confirm":
        mine = mine[to_be_confirmed(mine)]
    _refuse(mine.empty, f"there is no stop of that patient to {act}; `rom stop --list` lists them")
    kinds = sorted(set(mine["kind"]))
    _refuse(len(kinds) > 1, f"there are several stops of that patient ({', '.join(kinds)}); name one with --kind")
    return str(mine["stop_id"].iloc[-1])


def _question(decision: StopDecision, programme: str) -> str:
    what = {
        "stop": f"Take that patient of {programme} off every list ({decision.kind})?",
        "confirm": f"Confirm the stop of that patient of {programme}?",
        "lift": f"Let that patient of {programme} be asked again?",
    }
    return what[decision.act]


def _record(state: State, programme: str, decision: StopDecision) -> None:
    from assets.stops import record
    from mbt_rom.stops import NEED_A_SECOND
    from pipelines.commands.export import log

    name, is_entered = record(state, programme, decision, now=decision.at)
    purpose = " ".join(filter(None, [decision.act, decision.kind]))
    log(state.home, table=LOGGED_AS, purpose=purpose, n_rows=1, formats=["decision"], now=decision.at)
    done = {
        "stop": f"Stopped ({decision.kind}); it holds now, on every list",
        "confirm": "Confirmed",
        "lift": "Lifted; what the last night had left out comes back with the next",
    }
    click.echo(f"{done[decision.act]}. Recorded as {name[:12]}.")
    if decision.kind in NEED_A_SECOND:
        click.echo(f"To be confirmed by a second person: rom stop - --confirm -p {programme}")
    if not is_entered:
        click.echo("Somebody else is writing to the home; the ledger row follows with the next night.")


def _list(state: State, programme: str | None, kind: str | None) -> None:
    from assets import stops
    from pipelines.commands.export import log
    from pipelines.lists import aligned

    now, today = clock.now(), clock.today(state.home.settings.timezone)
    rows = stops.given(state, now=now, today=today)
    rows = rows[rows["programme_id"].eq(programme or rows["programme_id"]) & rows["kind"].eq(kind or rows["kind"])]
    log(state.home, table=LOGGED_AS, purpose="list", n_rows=len(rows), formats=["screen"], now=now)
    if rows.empty:
        click.echo("No stop holds.")
        return
    numbers = {
        name: one.decision.number
        for p in rows["programme_id"].unique()
        for name, one in stops.decisions(state, p).items()
    }
    click.echo("\n".join(aligned([_HEAD, *_lines(rows, numbers, state.home.settings.timezone)])))


_HEAD = ("programme", "patient", "kind", "since", "last day", "by", "second person")


def _lines(rows: pd.DataFrame, numbers: dict[str, tuple[str, str]], timezone: str) -> list[tuple[str, ...]]:
    from mbt_rom.stops import to_be_confirmed

    told = rows.assign(waits=to_be_confirmed(rows)).astype(object)
    lines: list[tuple[str, ...]] = []
    for row in told.where(told.notna(), None).to_dict("records"):
        since = row["from_at"].astimezone(ZoneInfo(timezone))
        last = row["until_on"].date().isoformat() if row["until_on"] else ""
        second = "to be confirmed" if row["waits"] else row["confirmed_by"] or ""
        who = " ".join(numbers[row["stop_id"]])
        lines.append((row["programme_id"], who, row["kind"], f"{since:%Y-%m-%d %H:%M}", last, row["by"], second))
    return lines
