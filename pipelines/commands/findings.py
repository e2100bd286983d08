"""`rom findings`: the work list of what is wrong in the data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import home_option

if TYPE_CHECKING:
    import pandas as pd

    from assets.state import State

COLUMNS = [
    "programme",
    "source",
    "file",
    "sheet",
    "row",
    "column",
    "item",
    "severity",
    "rule",
    "what",
    "remedy",
    "delivery",
]
QUIET = "programme_quiet"
_ORDER = {"fatal": 0, "error": 1, "notice": 2}


@click.command(name="findings")
@click.option("--programme", "-p", help="Only this programme.")
@click.option("--all", "everything", is_flag=True, help="Notices too, which set nothing aside.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to FILE.csv or FILE.xlsx.")
@home_option
def findings(programme: str | None, everything: bool, output: Path | None, home: Path) -> None:
    """What is wrong in the data, and how to mend it: file, row, column, rule, remedy. No answer is shown.

    Exit code 1 when something is set aside.

    \b
    Example:
      rom findings -o worklist.xlsx
    """
    from assets.home import Home
    from assets.state import State
    from pipelines import clock
    from pipelines.writing import write

    opened = Home.open(home)
    if programme is not None and programme not in opened.partitions:
        raise click.BadParameter(f"'{programme}' is not in consortium.yaml; it has {', '.join(opened.partitions)}")
    if output is not None and output.suffix not in (".csv", ".xlsx"):
        raise click.BadParameter("the ending of --output must be .csv or .xlsx")
    rows = work_list(State(opened, clock.today(opened.settings.timezone)), programme)
    serious = rows[rows["severity"] != "notice"]
    shown = rows if everything or output else rows[rows["severity"].ne("notice") | rows["rule"].eq(QUIET)]
    if output is not None:
        write(shown, output)
        click.echo(f"{output}: {len(shown)} findings")
    else:
        click.echo("\n".join(_told(shown)))
    click.echo(_counted(rows))
    raise SystemExit(1 if len(serious) else 0)


def work_list(state: State, programme: str | None) -> pd.DataFrame:
    """All findings with the names of files and the words of rules: `COLUMNS`, the gravest first."""
    import pandas as pd

    sources = [name for name in state.catalogue.tables if name.startswith("findings/") and name != "findings/summary"]
    wanted = None if programme is None else [programme]
    found = [state.read(s, programmes=wanted).assign(source=s.partition("/")[2]) for s in sources]
    found.append(_quiet(state, wanted))
    rows = pd.concat([f for f in found if len(f)] or found[:1], ignore_index=True)
    # one row of a file is one thing to mend, however many forms stand on it
    return _worded(rows, state).drop_duplicates(ignore_index=True)


def _quiet(state: State, wanted: list[str] | None) -> pd.DataFrame:
    """The programmes that were not heard of for too long: a finding of today, so it is in no table."""
    from mbt_rom import schedule
    from mbt_rom.findings import as_findings

    programmes = state.read("reference/programmes")
    days = schedule.days_quiet(programmes, as_of=state.as_of)
    allowed = state.home.settings.quiet_after_days
    late = programmes[
        days.fillna(allowed + 1).gt(allowed) & programmes["programme_id"].isin(wanted or programmes["programme_id"])
    ]
    told = days[late.index].map("{} days ago".format, na_action="ignore").fillna("never").astype("str")
    rows = late[["programme_id"]].assign(rule=QUIET, detail="last heard of: " + told)
    return as_findings(rows, source="deliveries").assign(source="programmes")


def _worded(rows: pd.DataFrame, state: State) -> pd.DataFrame:
    from mbt_rom.findings import RULES

    names = state.ledger.drop_duplicates("delivery_id").set_index("delivery_id")["file_name"]
    detail = rows["detail"].map(lambda d: f" ({d})", na_action="ignore").fillna("")
    frame = rows.assign(
        programme=rows["programme_id"],
        file=rows["delivery_id"].map(names),
        row=rows["source_row"],
        column=rows["source_column"],
        what=rows["rule"].map({r.id: r.sentence for r in RULES.values()}).astype("str") + detail,
        remedy=rows["rule"].map({r.id: r.remedy for r in RULES.values()}),
        delivery=rows["delivery_id"].str[:8],
        order=rows["severity"].map(_ORDER),
    )
    return frame.sort_values(["order", "programme", "file", "row", "column", "item"], ignore_index=True)[COLUMNS]


def _told(rows: pd.DataFrame) -> list[str]:
    lines = []
    for row in rows.astype(object).where(rows.notna(), None).to_dict("records"):
        place = [str(row["file"] or "the programme")] + [f"sheet {row['sheet']}"] * bool(row["sheet"])
        place += [f"row {row['row']}"] * bool(row["row"]) + [f"column {row['column'] or row['item']}"] * bool(
            row["column"] or row["item"]
        )
        lines.append(f"{row['programme']}: {', '.join(place)}: {row['what']}. {row['remedy']}. [{row['rule']}]")
    return lines


def _counted(rows: pd.DataFrame) -> str:
    n = rows["severity"].value_counts()
    return f"{n.get('fatal', 0)} files left out, {n.get('error', 0)} faults in rows, {n.get('notice', 0)} notices"
