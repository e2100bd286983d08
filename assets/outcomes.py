"""What patients' forms amount to, per programme and inside it: plan, response, trajectories, change, risk answers."""

from collections.abc import Callable, Mapping, Sequence

import dagster as dg
import pandas as pd

from assets import stops
from assets.failures import value_free
from assets.keys import DELIVERY_FINDINGS, each, key, of_stage
from assets.partitions import PROGRAMME, RANGE
from assets.resources import HomeResource
from assets.state import State, below_each_other
from mbt_rom import alerts as risk_answers
from mbt_rom import change as reliable
from mbt_rom import eligibility, reliability, schedule
from mbt_rom import response as came
from mbt_rom import trajectories as courses
from mbt_rom import weekly as series
from mbt_rom.careless import careless_findings
from mbt_rom.model import Instrument
from mbt_rom.people import ADOLESCENT
from mbt_rom.plausibility import Known
from mbt_rom.settings import SHARED
from mbt_rom.tables import ITEM_PSYCHOMETRICS, PSYCHOMETRICS, Table

_EPISODES = dg.AssetIn(["reference", "episodes"])
_EVENTS, _PERMISSIONS = dg.AssetIn(["reference", "events"]), dg.AssetIn(["reference", "permissions"])
_EXPECTED = dg.AssetIn(["outcomes", "expected"])
_NONRESPONSE = dg.AssetIn(["reference", "nonresponse"])
_TRAJECTORIES = dg.AssetIn(["outcomes", "trajectories"])


def expected_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `outcomes/expected` over the scores of these instruments."""

    @dg.asset(
        key=["outcomes", "expected"],
        group_name="outcomes",
        ins={
            "episodes": _EPISODES,
            "events": _EVENTS,
            "permissions": _PERMISSIONS,
            **each("scores", instruments),
        },
        deps=[key("deliveries/conservation")],  # nothing is computed from deliveries that do not add up
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def expected(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        episodes: pd.DataFrame,
        events: pd.DataFrame,
        permissions: pd.DataFrame,
        **scores: pd.DataFrame,
    ) -> pd.DataFrame:
        """Every moment that the plan asks for, and what came of it."""
        state, settings = rom.state, rom.state.home.settings
        forms = together(scores).drop_duplicates(["programme_id", "instrument", "row_id"], ignore_index=True)
        ends = _ends(state, context.partition_keys, episodes, events, permissions)
        return schedule.expected(
            forms, episodes, settings=settings, definitions=state.instruments, as_of=state.as_of, ends=ends
        )

    return expected


@dg.asset(
    key=["outcomes", "response"],
    group_name="outcomes",
    ins={"expected": _EXPECTED, "episodes": _EPISODES, "nonresponse": _NONRESPONSE},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def response(expected: pd.DataFrame, episodes: pd.DataFrame, nonresponse: pd.DataFrame) -> pd.DataFrame:
    """Expected and received forms per instrument and moment."""
    return came.response(expected, episodes=episodes, nonresponse=nonresponse)


@dg.asset(
    key=["outcomes", "response_by_period"],
    group_name="outcomes",
    ins={"expected": _EXPECTED, "episodes": _EPISODES, "nonresponse": _NONRESPONSE},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def response_by_period(
    rom: HomeResource, expected: pd.DataFrame, episodes: pd.DataFrame, nonresponse: pd.DataFrame
) -> pd.DataFrame:
    """Expected and received forms per instrument, moment and year of start."""
    return came.response_by_period(
        expected, episodes=episodes, settings=rom.state.home.settings, nonresponse=nonresponse
    )


@dg.asset(
    key=["outcomes", "weekly"],
    group_name="outcomes",
    ins={"expected": _EXPECTED, "episodes": _EPISODES, "events": _EVENTS, "permissions": _PERMISSIONS},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def weekly(
    context: dg.AssetExecutionContext,
    rom: HomeResource,
    expected: pd.DataFrame,
    episodes: pd.DataFrame,
    events: pd.DataFrame,
    permissions: pd.DataFrame,
) -> pd.DataFrame:
    """Weeks of treatment in which a weekly form was due, and those in which it came."""
    state = rom.state
    ends = _ends(state, context.partition_keys, episodes, events, permissions)
    return series.weekly(expected, episodes, settings=state.home.settings, as_of=state.as_of, ends=ends)


def _ends(
    state: State, programmes: Sequence[str], episodes: pd.DataFrame, events: pd.DataFrame, permissions: pd.DataFrame
) -> pd.DataFrame:
    """Who died or withdrew, from everything that tells it."""
    return eligibility.ends(
        episodes,
        as_of=state.as_of,
        events=events,
        permissions=permissions,
        stops=stops.table(state, programmes),
        timezone=state.home.settings.timezone,
    )


def trajectories_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `outcomes/trajectories` over the scores of these instruments."""

    @dg.asset(
        key=["outcomes", "trajectories"],
        group_name="outcomes",
        ins={"expected": _EXPECTED, "episodes": _EPISODES, **each("scores", instruments)},
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def trajectories(
        rom: HomeResource, expected: pd.DataFrame, episodes: pd.DataFrame, **scores: pd.DataFrame
    ) -> pd.DataFrame:
        """Every accepted score at its own date, with the moment it was matched to."""
        return courses.trajectories(together(scores), expected, episodes, settings=rom.state.home.settings)

    return trajectories


def psychometrics_of(instruments: list[str]) -> list[dg.AssetsDefinition]:
    """The assets `outcomes/psychometrics`, `outcomes/item_psychometrics` and `findings/psychometrics` over these instruments."""
    return [
        _psychometrics(PSYCHOMETRICS, reliability.psychometrics, instruments),
        _psychometrics(ITEM_PSYCHOMETRICS, reliability.item_psychometrics, instruments),
        _psychometric_findings(instruments),
    ]


def _psychometrics(
    table: Table, figures: Callable[[Instrument, pd.DataFrame], pd.DataFrame], instruments: list[str]
) -> dg.AssetsDefinition:
    @dg.asset(
        key=key(table.name),
        group_name="outcomes",
        description=table.meaning,
        ins={"expected": _EXPECTED, **each("items", instruments)},
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def psychometrics(rom: HomeResource, expected: pd.DataFrame, **items: pd.DataFrame) -> pd.DataFrame:
        known = rom.state.instruments
        forms = {i: reliability.at_moments(rows, expected) for i, rows in of_stage("items", items).items()}
        found = [table.conform(figures(known[i], rows)) for i, rows in forms.items() if len(rows)]
        return below_each_other([*found, table.empty()])

    return psychometrics


def _psychometric_findings(instruments: list[str]) -> dg.AssetsDefinition:
    @dg.asset(
        key=["findings", "psychometrics"],
        group_name="findings",
        ins={
            "psychometrics": dg.AssetIn(["outcomes", "psychometrics"]),
            "expected": _EXPECTED,
            **each("items", instruments),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def findings(
        rom: HomeResource, psychometrics: pd.DataFrame, expected: pd.DataFrame, **items: pd.DataFrame
    ) -> pd.DataFrame:
        """Scales that hang together less well than was published, and forms that nobody seems to have read."""
        forms = of_stage("items", items).items()
        careless = [careless_findings(rom.state.instruments[i], rows, expected) for i, rows in forms]
        return below_each_other([reliability.below_published_findings(psychometrics), *careless])

    return findings


def plausibility_of(instruments: list[str]) -> dg.AssetsDefinition:
    """The asset `findings/plausibility` over these instruments: what several tables tell only together."""

    @dg.asset(
        key=["findings", "plausibility"],
        group_name="findings",
        ins={
            "expected": _EXPECTED,
            "trajectories": _TRAJECTORIES,
            "episodes": _EPISODES,
            "therapists": dg.AssetIn(["reference", "therapists"]),
            "patients": dg.AssetIn(["reference", "patients"]),
            "contacts": dg.AssetIn(["reference", "contacts"]),
            "reviews": dg.AssetIn(["reference", "reviews"]),
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
            **each("items", instruments),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def plausibility(
        context: dg.AssetExecutionContext,
        rom: HomeResource,
        expected: pd.DataFrame,
        trajectories: pd.DataFrame,
        episodes: pd.DataFrame,
        therapists: pd.DataFrame,
        patients: pd.DataFrame,
        contacts: pd.DataFrame,
        reviews: pd.DataFrame,
        delivery_findings: pd.DataFrame,
        **items: pd.DataFrame,
    ) -> pd.DataFrame:
        """What does not fit the register, the plan or the forms before it; sets nothing aside."""
        from expectations.plausibility import validate_plausibility

        state = rom.state
        numbers = {k: v for p in (*context.partition_keys, SHARED) for k, v in state.vault.numbers(p).items()}
        known = Known(
            definitions=state.instruments,
            settings=state.home.settings,
            items=of_stage("items", items),
            expected=expected,
            trajectories=trajectories,
            episodes=episodes,
            therapists=therapists,
            patients=patients,
            delivery_findings=delivery_findings,
            numbers=numbers,
            contacts=contacts,
            reviews=reviews,
            judged_on={p: state.known_on(p) for p in contacts["programme_id"].unique()},
        )
        return validate_plausibility(known)

    return plausibility


@dg.asset(
    key=["outcomes", "change"],
    group_name="outcomes",
    ins={"trajectories": _TRAJECTORIES, "patients": dg.AssetIn(["reference", "patients"])},
    partitions_def=PROGRAMME,
    backfill_policy=RANGE,
)
@value_free
def change(rom: HomeResource, trajectories: pd.DataFrame, patients: pd.DataFrame) -> pd.DataFrame:
    """Change from baseline to each later moment, per patient and scale."""
    state = rom.state
    programmes = state.home.settings.programmes
    return reliable.change(
        trajectories,
        patients=patients,
        definitions=state.instruments,
        norms=state.norms,
        of_adolescents=[name for name, programme in programmes.items() if programme.format == ADOLESCENT],
    )


def alerts_of(known: Mapping[str, Instrument]) -> dg.AssetsDefinition:
    """The asset `outcomes/alerts` over those of the instruments that have risk rules.

    It rests on answers and findings alone, so that it is there when nothing can be scored; nothing rests on it.
    """
    asked = sorted(name for name, definition in known.items() if definition.risk)

    @dg.asset(
        key=["outcomes", "alerts"],
        group_name="outcomes",
        ins={
            "delivery_findings": dg.AssetIn(DELIVERY_FINDINGS),
            **each("items", asked),
            **each("findings", asked),
        },
        partitions_def=PROGRAMME,
        backfill_policy=RANGE,
    )
    @value_free
    def alerts(rom: HomeResource, delivery_findings: pd.DataFrame, **tables: pd.DataFrame) -> pd.DataFrame:
        """Risk answers, for the treating team only. Not watched day and night."""
        return risk_answers.alerts(
            of_stage("items", tables),
            of_stage("findings", tables),
            delivery_findings,
            definitions=rom.state.instruments,
            timezone=rom.state.home.settings.timezone,
        )

    return alerts


def together(scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The scores of all instruments below each other."""
    return below_each_other(list(of_stage("scores", scores).values()))
