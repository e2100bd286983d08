"""`rom move`: a form that stands under the number of another person."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.deciding import asked_number, confirm, decide, programme_option, reason_option, state_of
from pipelines.options import home_option


@click.command(name="move")
@click.argument("row")
@click.option("--to", "patient", required=True, metavar="PATIENT", help="Number of the right patient; - asks for it.")
@reason_option
@programme_option
@home_option
def move(row: str, patient: str, reason: str, programme: str, home: Path) -> None:
    """Give a delivered form to another patient: ROW is its row_id, or the beginning of it.

    Both states stay; the form counts for the right patient from the next night on. All forms that stand on the same row of the
    file move along. Correct the number in the survey tool as well.

    \b
    Example:
      rom move 3f9a1c22b0de-1-14 --to - --reason "typed the number of the neighbour" -p our_programme
    """
    from assets.decisions import is_known, number_of, row_of
    from mbt_rom.corrections import CellCorrection

    state = state_of(home, programme)
    found = row_of(state, programme, row)
    issuer, number = number_of(state, programme, asked_number(patient, "Number of the right patient"))
    known = "is known" if is_known(state, programme, (issuer, number)) else "is NOT known so far"
    forms = ", ".join(found.instruments)
    confirm(f"Move row {found.row} of {found.file_name} ({forms}) to a patient whose number {known} in {programme}?")
    cell = CellCorrection(found.delivery_id, found.sheet, found.row, found.patient_column, number)
    decide(state, found.folder, command="move", kind="cells", reason=reason, cells=(cell,))
