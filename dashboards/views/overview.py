"""What the first page says: every programme, its last delivery, patients, response and data health.

Belongs here: the context of `index.html`. Does not belong here: outcomes.
"""

from __future__ import annotations

from typing import Any

from dashboards.data import Row
from dashboards.views.context import Context
from dashboards.views.outcomes import received_cell
from dashboards.wording import moment_label, number, response_cell


def index_page(context: Context) -> dict[str, Any]:
    """Context of the first page."""
    lines = [_line(programme, context=context) for programme in context.programmes]
    return {
        "lines": lines,
        "late": [line for line in lines if line["delivery"].is_late],
        "moment": moment_label(context.headline_moment),
        "to_mend": number(sum(context.to_mend(p) for p in context.findings)),
        "accepted": number(sum(r["n_accepted"] for found in context.conservation.values() for r in found)),
    }


def _line(programme: Row, *, context: Context) -> dict[str, Any]:
    programme_id = programme["programme_id"]
    return {
        "id": programme_id,
        "name": programme["name"],
        "format": context.stratum(programme),
        "delivery": context.delivery(programme),
        "started": context.started(programme_id),
        "responses": [_response(r, context=context) for r in context.response.get(programme_id, [])
                      if r["moment"] == context.headline_moment and r["instrument"] in context.data.instruments],
        "has_delivered": programme["last_delivery_on"] is not None,
        "to_mend": context.to_mend(programme_id),
        "notices": context.notices(programme_id),
        "is_conserved": all(r["is_conserved"] for r in context.conservation.get(programme_id, [])),
    }  # fmt: skip


def _response(row: Row, *, context: Context) -> dict[str, Any]:
    cell = response_cell(row)
    return {
        "instrument": context.data.instruments[row["instrument"]].name,
        "cell": cell,
        "received": received_cell(row, context=context),
        "bar": [round(100 * row[c], 1) for c in ("response_share", "lower_95", "upper_95")] if cell.is_shown else None,
    }
