"""The published site: a document, so it is written here and not by the IO manager."""

from typing import Any

import dagster as dg
import pandas as pd

from assets import software
from assets.failures import value_free
from assets.resources import HomeResource
from assets.site import publish
from assets.state import State
from mbt_rom import findings as catalogue
from mbt_rom import registry, trajectories

#: Tables that the site shows; all are aggregated, but contributions, of which only the course per programme is shown.
SOURCES = (
    "reference/programmes",
    "outcomes/response",
    "benchmarks/programmes",
    "contributions/outcomes",
    "deliveries/conservation",
    "findings/summary",
)


@dg.asset(
    key=["published", "site"],
    group_name="published",
    ins={
        "programmes": dg.AssetIn(["reference", "programmes"]),
        "response": dg.AssetIn(["outcomes", "response"]),
        "benchmark": dg.AssetIn(["benchmarks", "programmes"]),
        "contributions": dg.AssetIn(["contributions", "outcomes"]),
        "conservation": dg.AssetIn(["deliveries", "conservation"]),
        "findings_summary": dg.AssetIn(["findings", "summary"]),
    },
)
@value_free
def site(
    rom: HomeResource,
    programmes: pd.DataFrame,
    response: pd.DataFrame,
    benchmark: pd.DataFrame,
    contributions: pd.DataFrame,
    conservation: pd.DataFrame,
    findings_summary: pd.DataFrame,
) -> dg.MaterializeResult[Any]:
    """Static pages: index, one per programme, expert centre, data quality."""
    from dashboards import site as pages

    state = rom.state
    data = pages.SiteData(
        **facts(state),
        programmes=programmes,
        response=response,
        benchmark=benchmark,
        course=course(contributions, state),
        conservation=conservation,
        findings_summary=findings_summary,
    )
    written = pages.site(data)
    publish(state.home.published, written, fingerprint=state.fingerprint_across("published/site"))
    return dg.MaterializeResult(metadata={"n_pages": sum(name.endswith(".html") for name in written)})


def course(contributions: pd.DataFrame, state: State) -> pd.DataFrame:
    """Mean score per programme and moment, from contributions alone (which hold first episodes only)."""
    rows = contributions.rename(columns={"contribution_id": "patient_id"})
    rows = rows.assign(
        episode_id=pd.Series(pd.NA, index=rows.index, dtype="str"),
        administered_on=pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]"),
    )
    settings = state.home.settings
    return trajectories.programme_course(rows, threshold=settings.disclosure_threshold, months=settings.months)


def facts(state: State) -> dict[str, Any]:
    """What the site says beside its numbers."""
    settings = state.home.settings
    labels = {v.id: v.label for i in state.instruments for v in registry.value_sets(i).values()}
    return {
        "consortium": settings.name,
        "is_synthetic": settings.is_synthetic,
        "as_of": state.as_of,
        "software_version": software.version(),
        "threshold": settings.disclosure_threshold,
        "instruments": state.instruments,
        "rules": catalogue.RULES,
        "norms": {f"{i}.{s}": norm for (i, s), norm in state.norms.items()},
        "value_set_labels": labels,
        "quiet_after_days": settings.quiet_after_days,
        "compares": "consortium" in settings.roles,
    }
