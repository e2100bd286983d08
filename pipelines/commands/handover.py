"""`rom handover`: what somebody who leaves still has to hand over, and what an assistant who takes over finds."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines import clock
from pipelines.options import Date, home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.lists import Calling
    from assets.state import State
    from mbt_rom.findings import Language
    from mbt_rom.handover import Handover

LOGGED_AS = "handover"
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "no_data": "{name}: no data: the registers of allocations and of staff were not delivered, so nobody knows what hangs on whom",
        "empty": "{name}: nothing is left to hand over.", "head": "{name}: still to hand over:",
        "patients": "Patients ({n}): name a successor in the register of allocations, and a last day",
        "away": "Patients ({n}) without a deputy", "deputy": "deputy", "none": "no deputy", "until": "until {day}",
        "died": "People who died, left off: {n}", "stopped": "stopped: {kind}",
        "sittings": "Sittings that nobody else asks for ({n})",
        "deputises": "Deputy of {n} colleagues ({codes}): name another in the registers",
        "roles": "Nobody else is {function} here: {n} open findings and {m} mapping files have nobody",
        "research_assistant": "research assistant", "manager": "manager", "individual": "individual therapist",
        "group": "group therapist", "psychiatrist": "psychiatrist", "nurse": "nurse", "supervisor": "supervisor",
        "taking_over": "{name}: what an assistant who takes over finds on {day}",
        "mappings": "Mapping files in use ({n}), in the folder mappings of the home",
        "mapping": "{mapping}: {n} files, the last one on {last}",
        "findings": "Open findings ({n}): rom findings -p {programme}", "due": "To ask now ({n}): rom due -p {programme}",
        "written": "{path}: written",
    },
    "nl": {
        "no_data": "{name}: geen gegevens: de registers van toewijzingen en van medewerkers zijn niet aangeleverd, dus niemand weet wat van "
                   "wie afhangt",
        "empty": "{name}: er is niets meer over te dragen.", "head": "{name}: nog over te dragen:",
        "patients": "Patiënten ({n}): noem een opvolger in het register van toewijzingen, en een laatste dag",
        "away": "Patiënten ({n}) zonder waarnemer", "deputy": "waarnemer", "none": "geen waarnemer", "until": "tot en met {day}",
        "died": "Overleden, en dus niet op de lijst: {n}", "stopped": "stopgezet: {kind}",
        "sittings": "Zittingen waar niemand anders om vraagt ({n})",
        "deputises": "Waarnemer van {n} collega's ({codes}): noem een ander in de registers",
        "roles": "Niemand anders is hier {function}: {n} open meldingen en {m} mappingbestanden hebben niemand",
        "research_assistant": "onderzoeksassistent", "manager": "manager", "individual": "individueel therapeut",
        "group": "groepstherapeut", "psychiatrist": "psychiater", "nurse": "verpleegkundige", "supervisor": "supervisor",
        "taking_over": "{name}: wat een assistent die overneemt aantreft op {day}",
        "mappings": "Mappingbestanden in gebruik ({n}), in de map mappings van de home",
        "mapping": "{mapping}: {n} bestanden, het laatste op {last}",
        "findings": "Open meldingen ({n}): rom findings -p {programme}", "due": "Nu te vragen ({n}): rom due -p {programme}",
        "written": "{path}: geschreven",
    },
}  # fmt: skip


@click.command(name="handover")
@click.argument("staff", required=False)
@click.option("--programme", "-p", help="Only this programme.")
@click.option("--back-on", type=Date(), help="The person is away and back on that day: a deputy is enough.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.txt or FILE.md.")
@click.option("--language", type=click.Choice(["en", "nl"]), default="en", show_default=True, help="English or Dutch.")
@home_option
def handover(
    staff: str | None,
    programme: str | None,
    back_on: date | None,
    output: Path | None,
    language: Language,
    home: Path,
) -> None:
    """What hangs on somebody who leaves or is away: STAFF is the local code. The list must become empty.

    Without STAFF: what an assistant who takes over finds: mapping files in use, open findings, who is due. Local numbers are shown and
    each look is logged.

    Exit code 1 while something of STAFF is left to hand over, or nobody can know for lack of registers.

    \b
    Examples:
      rom handover TH07
      rom handover TH07 --back-on 2026-08-17
      rom handover -p our_programme -o taking_over.md
    """
    from pipelines import deciding
    from pipelines.lists import refuse_output

    state = deciding.state_of(home, programme)
    refuse_output(state.home, output, (".txt", ".md"))
    if back_on is not None and staff is None:
        raise click.UsageError("--back-on says when STAFF is back; name who")
    today = clock.today(state.home.settings.timezone)
    if back_on is not None and back_on <= today:
        raise click.UsageError("--back-on must lie ahead")
    chosen = [programme] if programme else list(state.home.settings.programmes)
    if staff is None:
        told, left, n = _taking_over(state, chosen, today, language)
    else:
        told, left, n = _leaving(state, chosen, staff, today, language, back_on=back_on)
    _show(state, told, n, output, language)
    raise SystemExit(1 if left else 0)


def _show(state: State, told: list[str], n: int, output: Path | None, language: Language) -> None:
    from assets.home import write_atomically
    from pipelines.commands.export import log

    formats = [output.suffix[1:] if output else "screen"]
    log(state.home, table=LOGGED_AS, purpose="handover", n_rows=n, formats=formats, now=clock.now())
    if output is None:
        click.echo("\n".join(told))
        return
    write_atomically(output, ("\n".join(told) + "\n").encode())
    click.echo(_WORDS[language]["written"].format(path=output))


# Somebody who leaves or is away -----------------------------------------------------------------------------------------------


def _leaving(
    state: State, programmes: list[str], code: str, today: date, language: Language, *, back_on: date | None
) -> tuple[list[str], bool, int]:
    """Lines, whether anything is left (or nobody can know), and how many patients were told."""
    from assets.lists import calling, register
    from mbt_rom import handover as core

    words = _WORDS[language]
    told: list[str] = []
    is_left, is_known, n_patients = False, False, 0
    for programme in programmes:
        name = state.home.settings.programmes[programme].name
        allocations, staff = register(state, "allocations", [programme]), register(state, "staff", [programme])
        if allocations is None or staff is None:
            told, is_left = [*told, words["no_data"].format(name=name), ""], True
            continue
        issuer = state.home.settings.programmes[programme].issuer
        person = _pseudonym(state, issuer, code)
        if not core.is_known(person, allocations=allocations, staff=staff):
            continue
        is_known = True
        found = calling(state, [programme], day=today, today=today, now=clock.now(), ahead_days=_ahead(today, back_on))
        is_dead = core.has_died(allocations, ends=found.ends, stops=found.stops)
        left = core.still_to_hand_over(
            person,
            allocations=allocations[~is_dead],
            staff=staff,
            sittings=found.sittings,
            day=today,
            is_only_away=back_on is not None,
        )
        is_left |= not left.is_empty
        n_patients += len(left.patients)
        told += _lines(state, programme, name, left, language, stops=found.stops, is_away=back_on is not None)
        n_died = allocations.loc[is_dead & allocations["staff_id"].eq(person), "patient_id"].nunique()
        told += [*([f"  {words['died'].format(n=n_died)}"] if n_died else []), ""]
    if not is_known and not is_left:
        raise click.UsageError("the registers name nobody with that code; check it")
    return told, is_left, n_patients


def _ahead(today: date, back_on: date | None) -> int:
    return 0 if back_on is None else (back_on - today).days


def _pseudonym(state: State, issuer: str, code: str) -> str:
    import pandas as pd

    return str(state.pseudonyms.therapist(issuer, pd.Series([code], dtype="str")).iloc[0])


def _lines(
    state: State,
    programme: str,
    name: str,
    left: Handover,
    language: Language,
    *,
    stops: pd.DataFrame,
    is_away: bool,
) -> list[str]:
    from pipelines.commands import due
    from pipelines.lists import staff_codes

    words = _WORDS[language]
    if left.is_empty:
        return [words["empty"].format(name=name)]
    told = [words["head"].format(name=name)]
    if len(left.patients):
        told += [f"  {words['away' if is_away else 'patients'].format(n=len(left.patients))}"]
        told += [f"    {line}" for line in _patients(state, left.patients, words, stops)]
    if len(left.sittings):
        told += [f"  {words['sittings'].format(n=len(left.sittings))}"]
        told += [f"  {line}" for line in due.told(state, left.sittings, language)]
    if len(left.deputises):
        codes = ", ".join(sorted(staff_codes(state, left.deputises, "staff_id")))
        told += [f"  {words['deputises'].format(n=len(left.deputises), codes=codes)}"]
    for function in left.roles["function"]:
        n = len(_findings(state, programme, function))
        m = len(_mappings(state, programme))
        told += [f"  {words['roles'].format(function=words[function], n=n, m=m)}"]
    return told


def _patients(state: State, rows: pd.DataFrame, words: dict[str, str], stops: pd.DataFrame) -> list[str]:
    from pipelines.lists import aligned, numbers_of, staff_codes

    told = rows.assign(number=numbers_of(state, rows), deputy_id=staff_codes(state, rows, "deputy_id"))
    told = told.sort_values(["number", "function"])
    kinds = stops.set_index(["programme_id", "patient_id"])["kind"].to_dict()
    cells = [
        (
            str(row["number"]),
            words.get(str(row["function"]), str(row["function"])),
            f"{words['deputy']} {row['deputy_id']}" if isinstance(row["deputy_id"], str) else words["none"],
            words["until"].format(day=row["until_on"].date()) if row["until_on"] == row["until_on"] else "",
            words["stopped"].format(kind=kind) if kind else "",
        )
        for row in told.to_dict("records")
        for kind in [kinds.get((row["programme_id"], row["patient_id"]))]
    ]
    return aligned(cells)


def _findings(state: State, programme: str, function: str | None = None) -> pd.DataFrame:
    """What is open in a programme, of the role that goes with that function or of all."""
    from assets import worklists
    from mbt_rom.findings import needs_action
    from mbt_rom.handover import OWNERS

    rows = worklists.work_list(state, programme)
    rows = rows[needs_action(rows)]
    return rows if function is None else rows[rows["owner"].eq(OWNERS[function])]


def _mappings(state: State, programme: str) -> dict[str, tuple[int, str]]:
    """Mapping files that files of the programme, or shared ones, were read with: how many files, and the day of the last."""
    from mbt_rom.settings import SHARED

    ledger = state.ledger
    is_stated = ledger["mapping"].notna() & ledger["mapping"].ne("detected")
    rows = ledger[ledger["programme_id"].isin([programme, SHARED]) & is_stated]
    days = rows["received_at"].dt.tz_convert(state.home.settings.timezone).dt.strftime("%Y-%m-%d")
    by = days.groupby(rows["mapping"])
    return {str(name): (len(found), str(found.max())) for name, found in by}


# Somebody who takes over ------------------------------------------------------------------------------------------------------


def _taking_over(state: State, programmes: list[str], today: date, language: Language) -> tuple[list[str], bool, int]:
    from assets.lists import calling

    words = _WORDS[language]
    found = calling(state, programmes, day=today, today=today, now=clock.now())
    told = [line for p in programmes for line in [*_section(state, found, p, words, language), ""]]
    return told, False, len(found.sittings)


def _section(state: State, found: Calling, programme: str, words: dict[str, str], language: Language) -> list[str]:
    from pipelines.commands import due

    name = state.home.settings.programmes[programme].name
    mappings, wrong = _mappings(state, programme), _findings(state, programme)
    sittings = found.sittings[found.sittings["programme_id"] == programme]
    told = [words["taking_over"].format(name=name, day=found.day.isoformat())]
    told += [f"  {words['mappings'].format(n=len(mappings))}"]
    told += [f"    {words['mapping'].format(mapping=m, n=n, last=last)}" for m, (n, last) in mappings.items()]
    told += [f"  {words['findings'].format(n=len(wrong), programme=programme)}"]
    told += [f"    {line}" for line in _counted(wrong, language)]
    told += [f"  {words['due'].format(n=len(sittings), programme=programme)}"]
    return [*told, *(f"  {line}" for line in due.told(state, sittings, language))]


def _counted(wrong: pd.DataFrame, language: Language) -> list[str]:
    """How often each rule, the most frequent first."""
    from mbt_rom.findings import rule

    counts = wrong["rule"].value_counts()
    order = sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0])))
    return [f"{n} x {rule(str(name), language=language).sentence} [{name}]" for name, n in order]
