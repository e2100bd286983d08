"""The published site: from aggregated tables to every file of it.

Belongs here: which files there are and their common frame. Does not belong here: what a page says (`views`), drawing
(`figures`), writing files. The pages need no network, no server and no other file than those returned here.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from dashboards import wording
from dashboards.data import SiteData
from dashboards.views.context import Context
from dashboards.views.data_quality import data_quality_page
from dashboards.views.expert_centre import expert_centre_page
from dashboards.views.flow import flow_page
from dashboards.views.overview import index_page
from dashboards.views.programme import programme_page

__all__ = ["SiteData", "site"]

_HERE = Path(__file__).parent


def site(data: SiteData) -> dict[str, bytes]:
    """Every file of the published site: relative path -> content.

    `index.html`, `expert-centre.html` (where the home `compares` programmes), `data-quality.html`, `programmes/<id>.html` and `flow/<id>.html` per
    programme, and `static/`. The same input gives the same bytes.
    """
    context = Context(data)
    pages = {
        "index.html": _page("index", index_page(context), context=context),
        "data-quality.html": _page("data_quality", data_quality_page(context), context=context),
    }
    if data.compares:
        pages["expert-centre.html"] = _page("expert_centre", expert_centre_page(context), context=context)
    for programme in context.programmes:
        path = f"programmes/{programme['programme_id']}.html"
        pages[path] = _page("programme", programme_page(programme, context=context), context=context, root="../")
        path = f"flow/{programme['programme_id']}.html"
        pages[path] = _page("flow", flow_page(programme, context=context), context=context, root="../")
    return {**pages, **_static()}


def _page(template: str, content: dict[str, Any], *, context: Context, root: str = "") -> bytes:
    data = context.data
    frame = {"site": data, "root": root, "page": template, "as_of": wording.day(data.as_of)}
    return _environment().get_template(f"{template}.html").render(**frame, **content).encode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plural"] = wording.plural
    return environment


@cache
def _static() -> dict[str, bytes]:
    ours = {f"static/{name}": (_HERE / "static" / name).read_bytes() for name in ("site.css", "figures.js")}
    return {**ours, "static/plotly.min.js": files("plotly").joinpath("package_data/plotly.min.js").read_bytes()}
