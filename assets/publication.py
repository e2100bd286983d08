"""The published site: a document, so it is written here and not by the IO manager."""

from datetime import timedelta
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
from mbt_rom.disclosure import too_few

#: How long before the date of the run a form counts as changed of late.
CHANGED_WITHIN = timedelta(days=30)

#: Tables that the site shows; all are aggregated, but contributions and revisions, of which only the course and the
#: number of changed forms per programme are shown.
SOURCES = (
    "reference/programmes",
    "outcomes/response",
    "benchmarks/programmes",
    "benchmarks/inclusion",
    "contributions/outcomes",
    "deliveries/conservation",
    "deliveries/revisions",
    "findings/summary",
    "outcomes/flow",
    "outcomes/flow_curves",
    "outcomes/attendance_by_month",
)


@dg.asset(
    key=["published", "site"],
    group_name="published",
    ins={
        "programmes": dg.AssetIn(["reference", "programmes"]),
        "response": dg.AssetIn(["outcomes", "response"]),
        "benchmark": dg.AssetIn(["benchmarks", "programmes"]),
        "inclusion": dg.AssetIn(["benchmarks", "inclusion"]),
        "contributions": dg.AssetIn(["contributions", "outcomes"]),
        "conservation": dg.AssetIn(["deliveries", "conservation"]),
        "revisions": dg.AssetIn(["deliveries", "revisions"]),
        "findings_summary": dg.AssetIn(["findings", "summary"]),
        "flow": dg.AssetIn(["outcomes", "flow"]),
        "flow_curves": dg.AssetIn(["outcomes", "flow_curves"]),
        "attendance": dg.AssetIn(["outcomes", "attendance_by_month"]),
    },
)
@value_free
def site(
    rom: HomeResource,
    programmes: pd.DataFrame,
    response: pd.DataFrame,
    benchmark: pd.DataFrame,
    inclusion: pd.DataFrame,
    contributions: pd.DataFrame,
    conservation: pd.DataFrame,
    revisions: pd.DataFrame,
    findings_summary: pd.DataFrame,
    flow: pd.DataFrame,
    flow_curves: pd.DataFrame,
    attendance: pd.DataFrame,
) -> dg.MaterializeResult[Any]:
    """Static pages: index, one per programme, expert centre, data quality."""
    from dashboards import site as pages

    state = rom.state
    data = pages.SiteData(
        **facts(state),
        programmes=programmes,
        response=response,
        benchmark=benchmark,
        inclusion=inclusion,
        course=course(contributions, state),
        conservation=conservation,
        changed_since=state.as_of - CHANGED_WITHIN,
        changed=n_changed(revisions, state),
        findings_summary=findings_summary,
        flow=flow,
        flow_curves=flow_curves,
        attendance=attendance,
    )
    written = pages.site(data)
    publish(state.home.published, written, fingerprint=state.fingerprint_across("published/site"))
    return dg.MaterializeResult(metadata={"n_pages": sum(name.endswith(".html") for name in written)})


def n_changed(revisions: pd.DataFrame, state: State) -> dict[str, int | None]:
    """Forms per programme that changed in the last days before the date of the run; None where they are too few to tell."""
    settings = state.home.settings
    days = revisions["changed_at"].dt.tz_convert(settings.timezone).dt.date
    recent = revisions.loc[(days >= state.as_of - CHANGED_WITHIN) & (days <= state.as_of)]
    forms = recent.drop_duplicates(["programme_id", "instrument", "row_id"]).groupby("programme_id").size()
    n = forms.reindex(list(settings.programmes), fill_value=0)
    few = too_few(n, threshold=settings.disclosure_threshold)
    return {p: None if is_few else int(count) for (p, count), is_few in zip(n.items(), few, strict=True)}


def course(contributions: pd.DataFrame, state: State) -> pd.DataFrame:
    """Mean score per programme and moment, from contributions alone (which hold first episodes only)."""
    rows = contributions.rename(columns={"contribution_id": "patient_id"})
    rows = rows.assign(
        episode_id=pd.Series(pd.NA, index=rows.index, dtype="str"),
        administered_on=pd.Series(pd.NaT, index=rows.index, dtype="datetime64[s]"),
    )
    settings = state.home.settings
    return trajectories.programme_course(rows, threshold=settings.disclosure_threshold, months=settings.every_month)


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
