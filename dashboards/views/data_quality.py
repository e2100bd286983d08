"""What the data-quality page says: what became of every row, what is wrong and how to mend it, who is late.

Belongs here: the context of `data-quality.html`. Does not belong here: file names, row ids, patients, outcomes.
"""

from __future__ import annotations

from typing import Any

from dashboards.data import Row
from dashboards.figures.quality import DISPOSITIONS, conservation_figure
from dashboards.views.context import Box, Context, box
from dashboards.views.findings import finding_lines
from dashboards.wording import by_name, number

COUNTS = ("n_offered", *DISPOSITIONS)


def data_quality_page(context: Context) -> dict[str, Any]:
    """Context of the data-quality page."""
    counted = sorted(context.conservation, key=lambda p: by_name(context.name(p)))
    found = [row for rows in context.findings.values() for row in rows]
    totals = [_total(programme_id, context=context) for programme_id in counted]
    return {
        "deliveries": [{"name": p["name"], "id": p["programme_id"], "n": number(p["n_deliveries"]),
                        "delivery": context.delivery(p)} for p in context.programmes],
        "changed": _changed(context),
        "box": _box(totals, context=context) if totals else None,
        "dispositions": DISPOSITIONS,
        "conservation": [(context.name(p), _lines(context.conservation[p], context=context)) for p in counted],
        "is_conserved": all(row["is_conserved"] for rows in context.conservation.values() for row in rows),
        "findings": finding_lines(found, context=context, by="programme"),
        "n_to_mend": number(sum(context.to_mend(p) for p in context.findings)),
        "n_notices": number(sum(context.notices(p) for p in context.findings)),
    }  # fmt: skip


def _changed(context: Context) -> dict[str, Any] | None:
    """How many forms of each programme changed of late."""
    data = context.data
    if data.changed_since is None:
        return None
    few = f"fewer than {data.threshold}"
    lines = [(p["name"], data.changed.get(p["programme_id"])) for p in context.programmes]
    return {"since": data.changed_since, "lines": [(name, few if n is None else number(n)) for name, n in lines]}


def _total(programme_id: str, *, context: Context) -> Row:
    found = context.conservation[programme_id]
    return {"name": context.name(programme_id), **{c: sum(row[c] for row in found) for c in COUNTS}}


def _lines(found: list[Row], *, context: Context) -> list[dict[str, Any]]:
    def instrument(row: Row) -> str:
        known = context.data.instruments.get(row["instrument"])
        return known.name if known else str(row["instrument"])

    return [
        {
            "instrument": instrument(row),
            "cells": {c: number(row[c]) for c in COUNTS},
            "is_conserved": row["is_conserved"],
        }
        for row in sorted(found, key=instrument)
    ]


def _box(totals: list[Row], *, context: Context) -> Box:
    spoken = "; ".join(
        f"{t['name']}: {number(t['n_accepted'])} of {number(t['n_offered'])} accepted, {number(t['n_set_aside'])} set aside"
        for t in totals
    )
    return box(
        "conservation", conservation_figure(totals, is_synthetic=context.data.is_synthetic),
        title="Rows offered, by what became of them",
        caption="All instruments together. Unit: rows x forms per row in the delivered files. Counted by the reader and by the "
        "checks separately.",
        label=f"Rows offered per programme. {spoken}. The table below holds the same numbers.",
    )  # fmt: skip
