"""The data dictionary: every table and column of the system as a page for readers, generated from `tables`.

Belongs here: turning declarations into Markdown. Does not belong here: any declaration (those stand in `tables` and in
`instruments/`), writing files (`make docs` catches what this module prints).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mbt_rom.markdown import cell
from mbt_rom.registry import instruments
from mbt_rom.tables import Catalogue, Column, Table

_INTRODUCTION = """\
# Data dictionary

Generated from `mbt_rom/tables.py` and the definitions in `instruments/` by `make docs`; change those, not this page.

Tables are named `stage/table` and lie as Delta Lake tables in the folder `warehouse` of a home. A column that says
*always* has a value in every row; any other may be missing, and missing is never written as 0. Types are those of
pandas: `str`; `Int8` to `Int64`, whole numbers that may be missing; `float64`; `boolean`, which may be missing;
`datetime64[s]`, a date; `datetime64[us, UTC]`, a moment in time. *Per person* means one or more rows for each person:
such a table stays inside its programme. `contributions/outcomes` is the boundary and the one exception.
"""

#: The stages in the order in which the data pass them. A stage that is not listed here comes last, under its own name.
_STAGES = {
    "deliveries": "what arrived",
    "items": "the answers, in one coding",
    "findings": "what is wrong, and where",
    "scores": "scale scores",
    "reference": "registers: programmes and the people in them",
    "outcomes": "inside one programme",
    "contributions": "the boundary of a programme",
    "benchmarks": "programmes compared",
}


def data_dictionary(catalogue: Catalogue) -> str:
    """The page, as Markdown: a list of tables by stage, then one section per table with its key and columns.

    >>> page = data_dictionary(Catalogue(()))
    >>> page.splitlines()[0]
    '# Data dictionary'
    >>> "## `deliveries/ledger`" in page
    True
    """
    tables = sorted(catalogue.tables.values(), key=_place)
    return "\n".join([_INTRODUCTION, *_overview(tables), *(line for table in tables for line in _section(table))])


def _stage(table: Table) -> str:
    return table.name.split("/")[0]


def _place(table: Table) -> tuple[int, str]:
    """Where a table stands on the page: by stage, then by name."""
    order = list(_STAGES)
    return (order.index(_stage(table)) if _stage(table) in order else len(order), table.name)


def _overview(tables: Iterable[Table]) -> list[str]:
    """The list of tables, with the stage written where it changes."""
    lines, last = ["| stage | table | what it holds |", "|---|---|---|"], ""
    for table in tables:
        stage = _stage(table)
        label = f"**{stage}**: {_STAGES[stage]}" if stage in _STAGES else f"**{stage}**"
        lines.append(
            f"| {'' if stage == last else label} | [`{table.name}`](#{_anchor(table.name)}) | {cell(table.meaning)} |"
        )
        last = stage
    return [*lines, ""]


def _anchor(name: str) -> str:
    """The anchor that Markdown renderers give to the heading of a table."""
    return re.sub(r"[^a-z0-9_-]", "", name)


def _section(table: Table) -> list[str]:
    kind = "per person" if table.is_person_level else "counts and descriptions"
    extent = "replaced programme by programme" if table.is_partitioned else "one table for all programmes"
    key = ", ".join(f"`{name}`" for name in table.key)
    return [
        f"## `{table.name}`",
        "",
        table.meaning,
        "",
        f"A row is identified by {key}. {kind.capitalize()}; {extent}.",
        "",
        "| column | type | present | meaning |",
        "|---|---|---|---|",
        *(_row(column) for column in table.columns),
        "",
    ]


def _row(column: Column) -> str:
    present = "always" if column.is_required else ""
    return f"| `{column.name}` | `{column.dtype}` | {present} | {cell(column.meaning)} |"


if __name__ == "__main__":
    print(data_dictionary(Catalogue(tuple(instruments().values()))), end="")
