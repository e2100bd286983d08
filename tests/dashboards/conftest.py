"""A small invented consortium as the site receives it: aggregated, after disclosure control, seeded.

Six programmes: large, middling, one under the threshold, one that is quiet, one that never delivered. The
individual scores exist only in here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dashboards.site import SiteData, site
from mbt_rom import attendance, benchmarks, disclosure, flow, intervals, registry
from mbt_rom.findings import RULES
from mbt_rom.norms import ChangeNorm
from mbt_rom.registers import REGISTERS as REGISTERS_DECLARED
from mbt_rom.settings import Consortium
from mbt_rom.tables import (
    BENCHMARK,
    CONSERVATION,
    EPISODES,
    FINDINGS_SUMMARY,
    INCLUSION,
    PROGRAMMES,
    RESPONSE,
    register_table,
)

MONTHS = (0, 6, 12, 18, 24, 30, 36)
THRESHOLD = 10
AS_OF = date(2026, 11, 20)
#: id, name, format, patients, last delivery
CONSORTIUM: tuple[tuple[str, str, str, int, str | None], ...] = (
    ("amstel", "Amstel Centre, day hospital MBT", "day_hospital", 118, "2026-11-16"),
    ("berk", "De Berk, intensive outpatient MBT", "intensive_outpatient", 74, "2026-11-18"),
    ("duin", "Duin & Zee outpatient MBT", "outpatient", 96, "2026-11-12"),
    ("eem", "Eemland outpatient MBT", "outpatient", 52, "2026-08-15"),
    ("linge", "Linge outpatient MBT", "outpatient", 8, "2026-11-19"),
    ("vecht", "Vecht outpatient MBT", "outpatient", 27, "2026-11-09"),
    ("zaan", "Zaanstreek day hospital MBT", "day_hospital", 0, None),
)
#: instrument, scale, mean and SD at the start, change in SD over 36 months
SCALES: tuple[tuple[str, str, float, float, float], ...] = (
    ("bsi", "gsi", 1.55, 0.68, -0.75),
    ("bsi", "dep", 1.95, 0.95, -0.7),
    ("bsi", "hos", 1.1, 0.8, -0.4),
    ("eq5d3l", "index", 0.52, 0.28, 0.5),
    ("eq5d3l", "vas", 52.0, 17.0, 0.5),
    ("phq9", "total", 15.2, 5.6, -0.65),
)
VALUE_SETS = {"index": "nl_2006"}
NORMS = {
    "bsi.gsi": ChangeNorm(
        norm_id="us_outpatient+retest_derogatis1993+us_nonpatient", clinical_mean=1.32, clinical_sd=0.72,
        functional_mean=0.30, functional_sd=0.31, reliability=0.90, cutoff=0.607, cutoff_kind="c", is_provisional=True,
        is_mixed=True, sentence="US norms recalled from the manual and not seen in print; SD and reliability are from "
        "different samples.",
    ),
    "phq9.total": ChangeNorm(
        norm_id="uk", clinical_mean=15.0, clinical_sd=6.0, functional_mean=None, functional_sd=None, reliability=0.86,
        cutoff=10.0, cutoff_kind="published", is_provisional=False, is_mixed=True,
        sentence="Published caseness of 10; SD and reliability are from different samples.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Cohort:
    """Who of one programme started, who is due at each moment, who answered."""

    programme_id: str
    due: np.ndarray
    answered: np.ndarray


def _cohort(rng: np.random.Generator, programme_id: str, n: int) -> Cohort:
    months_ago = rng.uniform(1, 58, n)
    due = months_ago[:, None] > np.array(MONTHS) + 1.5
    willing = rng.uniform(size=(n, len(MONTHS))) < np.array([0.97, 0.82, 0.74, 0.7, 0.6, 0.52, 0.48])
    return Cohort(programme_id, due, due & willing)


def _response_row(cohort: Cohort, instrument: str, place: int, answered: np.ndarray) -> dict[str, Any]:
    eligible, received = int(cohort.due[:, place].sum()), int(answered[:, place].sum())
    _, lower, upper = intervals.wilson(count=[received], n=[eligible]) if eligible else (None, [None], [None])
    return {
        "programme_id": cohort.programme_id, "instrument": instrument, "moment": _moment(place),
        "n_started": len(cohort.due), "n_not_yet_due": len(cohort.due) - eligible, "n_not_eligible": 0,
        "n_eligible": eligible, "n_received": received, "response_share": received / eligible if eligible else None,
        "lower_95": lower[0], "upper_95": upper[0],
        "n_left_eligible": eligible * 2 // 5, "n_left_received": received * 2 // 5,
    }  # fmt: skip


def _moment(place: int) -> str:
    return "baseline" if place == 0 else f"m{MONTHS[place]}"


def _mean_limits(values: np.ndarray) -> tuple[float | None, float | None]:
    if len(values) < 2:
        return None, None
    lower, upper = intervals.mean_t(mean=[values.mean()], sd=[values.std(ddof=1)], n=[len(values)])
    return float(lower[0]), float(upper[0])


def _course_row(about: dict[str, Any], place: int, values: np.ndarray) -> dict[str, Any]:
    row = {**about, "moment": _moment(place), "months": MONTHS[place], "n": len(values)}
    if len(values) < THRESHOLD:
        return {**row, "n": None, "suppressed": True}
    lower, upper = _mean_limits(values)
    quartiles = np.quantile(values, [0.25, 0.75])
    return {**row, "mean": values.mean(), "lower_95": lower, "upper_95": upper, "quartile_1": quartiles[0],
            "quartile_3": quartiles[1], "suppressed": False}  # fmt: skip


def _benchmark_row(
    about: dict[str, Any], response: dict[str, Any], pairs: np.ndarray, sd: float, *, has_norm: bool
) -> dict[str, Any]:
    change = pairs[:, 1] - pairs[:, 0]
    sign = 1 if about["scale"] in ("index", "vas") else -1
    lower, upper = _mean_limits(change)
    row = {
        **about, "moment": response["moment"], "suppressed": "", "n_eligible": response["n_eligible"],
        "n_received": response["n_received"], "response_share": response["response_share"],
        "response_lower_95": response["lower_95"], "response_upper_95": response["upper_95"], "n_pairs": len(change),
        "is_provisional": about["scale"] == "gsi",
    }  # fmt: skip
    if lower is None or upper is None:
        return row
    ends = sorted([sign * lower / sd, sign * upper / sd])
    row |= {
        "mean_baseline": pairs[:, 0].mean(), "mean_change": change.mean(), "change_lower_95": lower,
        "change_upper_95": upper, "effect": sign * change.mean() / sd, "effect_lower_95": ends[0],
        "effect_upper_95": ends[1],
    }  # fmt: skip
    if has_norm:
        limit = 0.88 * sd
        row |= {"n_classified": len(change), "n_started_in_reference_range": int((pairs[:, 0] < 0.6 * sd).sum())}
        for name, count in (("improved", (sign * change > limit).sum()), ("worse", (sign * change < -limit).sum())):
            _, low, high = intervals.wilson(count=[count], n=[len(change)])
            row |= {f"{name}_share": count / len(change), f"{name}_lower_95": low[0], f"{name}_upper_95": high[0]}
    return row


def _scores(rng: np.random.Generator, n: int, mean: float, sd: float, gain: float, scale: Any) -> np.ndarray:
    level = rng.normal(mean, sd * 0.9, n)[:, None]
    slope = rng.normal(gain, 0.5, n)[:, None] * sd * (1 - np.exp(-np.array(MONTHS) / 12))
    return np.clip(level + slope + rng.normal(0, 0.45 * sd, (n, len(MONTHS))), *scale.range)


def _measurements(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    response, course, benchmark = [], [], []
    for programme_id, _, treatment, n, _ in CONSORTIUM:
        cohort = _cohort(rng, programme_id, n)
        answered: dict[str, np.ndarray] = {}
        for instrument, scale_id, mean, sd, gain in SCALES:
            definition = registry.instrument(instrument)
            if instrument not in answered:
                answered[instrument] = cohort.answered & (rng.uniform(size=cohort.answered.shape) < 0.96)
                response += [_response_row(cohort, instrument, p, answered[instrument]) for p in range(len(MONTHS))]
            came = answered[instrument]
            scores = _scores(rng, n, mean, sd, gain, definition.scale(scale_id))
            about = {"programme_id": programme_id, "instrument": instrument, "edition": definition.edition,
                     "scale": scale_id, "value_set_id": VALUE_SETS.get(scale_id)}  # fmt: skip
            of_instrument = [r for r in response if r["programme_id"] == programme_id and r["instrument"] == instrument]
            for place in range(len(MONTHS)):
                course.append(_course_row(about, place, scores[came[:, place], place]))
                both = came[:, 0] & came[:, place]
                benchmark.append(
                    _benchmark_row({**about, "format": treatment}, of_instrument[place], scores[both][:, [0, place]], sd,
                                   has_norm=f"{instrument}.{scale_id}" in NORMS)
                )  # fmt: skip
    table = BENCHMARK.conform(pd.DataFrame(benchmark))
    protected = BENCHMARK.conform(disclosure.protect(table, threshold=THRESHOLD))
    frame = pd.DataFrame(course).astype({"n": "Int64", "value_set_id": "str"})
    return RESPONSE.conform(pd.DataFrame(response)), frame[frame["programme_id"] != "zaan"], protected


def _conservation(response: pd.DataFrame) -> pd.DataFrame:
    received = response.groupby(["programme_id", "instrument"], as_index=False)["n_received"].sum()
    wrong = pd.Series([5, 1, 0] * len(received)).head(len(received))
    frame = pd.DataFrame({
        "programme_id": received["programme_id"], "instrument": received["instrument"], "n_blank": 2 * wrong,
        "n_left_out": 0, "n_accepted": received["n_received"], "n_set_aside": wrong, "n_duplicate": 3 * wrong,
        "n_superseded": wrong // 2, "is_conserved": True,
    })  # fmt: skip
    parts = ["n_blank", "n_left_out", "n_accepted", "n_set_aside", "n_duplicate", "n_superseded"]
    return CONSERVATION.conform(frame.assign(n_offered=frame[parts].sum(axis=1)).query("programme_id != 'zaan'"))


def _findings() -> pd.DataFrame:
    found = [
        ("amstel", "bsi", "answer_out_of_range", 1), ("amstel", "bsi", "same_day_conflict", 2),
        ("berk", "phq9", "answer_not_a_code", 1), ("berk", "deliveries", "leading_zeros_restored", 31),
        ("duin", "deliveries", "file_unreadable", 1), ("duin", "bsi", "date_in_future", 2),
        ("duin", "deliveries", "citizen_number_elsewhere", 1), ("eem", "deliveries", "programme_quiet", 1),
        ("vecht", "bsi", "answer_out_of_range", 1), ("vecht", "phq9", "patient_unknown", 1),
    ]  # fmt: skip
    frame = pd.DataFrame(found, columns=["programme_id", "source", "rule", "n_findings"])
    came = pd.Series(pd.Timestamp(AS_OF, tz="UTC"), index=frame.index) - pd.to_timedelta(range(12, 2, -1), unit="D")
    came[frame["rule"] == "programme_quiet"] = pd.NaT  # a programme is meant, no delivery
    severities = [RULES[r].severity for r in frame["rule"]]
    return FINDINGS_SUMMARY.conform(
        frame.assign(severity=severities, n_deliveries=1, oldest_received_at=came.dt.as_unit("us"))
    )


def _programmes() -> pd.DataFrame:
    frame = pd.DataFrame(CONSORTIUM, columns=["programme_id", "name", "format", "n", "last_delivery_on"])
    return PROGRAMMES.conform(frame.drop(columns="n").assign(
        issuer="hospital", anchor="started_on", n_deliveries=[9, 7, 8, 5, 2, 4, 0],
        last_delivery_on=pd.to_datetime(frame["last_delivery_on"]).astype("datetime64[s]"),
    ))  # fmt: skip


def _episodes(rng: np.random.Generator) -> pd.DataFrame:
    """Episodes of every programme: an exponential wait, up to eighteen months of treatment, four ends."""
    found = []
    for programme_id, _, _, n, _ in CONSORTIUM:
        referred = pd.Timestamp(AS_OF) - pd.to_timedelta(rng.integers(10, 1900, 2 * n), unit="D")
        started = referred + pd.to_timedelta(rng.exponential(120, 2 * n).round(), unit="D")
        reason = rng.choice(["completed", "dropped_out", "referred_on", "died"], 2 * n, p=[0.6, 0.28, 0.09, 0.03])
        stay = np.where(reason == "completed", rng.integers(420, 550, 2 * n), rng.integers(20, 500, 2 * n))
        ended = started + pd.to_timedelta(stay, unit="D")
        found.append(pd.DataFrame({
            "programme_id": programme_id, "episode_id": [f"{programme_id}-e{i}" for i in range(2 * n)],
            "patient_id": [f"{programme_id}-p{i}" for i in range(2 * n)], "referred_on": referred, "started_on": started,
            "ended_on": ended, "end_reason": reason, "row_id": "r", "delivery_id": "d",
        }))  # fmt: skip
    table = pd.concat(found, ignore_index=True)
    return EPISODES.conform(table.astype(dict.fromkeys(("referred_on", "started_on", "ended_on"), "datetime64[s]")))


def _contacts(rng: np.random.Generator) -> pd.DataFrame:
    """A year of weekly contacts in two programmes."""
    days = pd.date_range(end=AS_OF, periods=52, freq="7D").astype("datetime64[s]")
    words = ["attended", "no_show", "cancelled_by_patient", "cancelled_by_programme"]
    rows = [(p, f"{p}-p{i}", day) for p, n in (("duin", 30), ("linge", 8)) for i in range(n) for day in days]
    frame = pd.DataFrame(rows, columns=["programme_id", "patient_id", "contact_on"])
    return frame.assign(attendance=rng.choice(words, len(frame), p=[0.78, 0.1, 0.09, 0.03]))


def make_flow() -> dict[str, pd.DataFrame]:
    """Flow, its curves and attendance, as the site takes them."""
    rng = np.random.default_rng(20261121)
    registers = [register_table(REGISTERS_DECLARED[name]).empty() for name in ("spells", "referrals")]
    cases = flow.states(_episodes(rng), *registers, as_of=AS_OF)
    months = attendance.per_programme(attendance.per_patient(_contacts(rng), as_of=AS_OF))
    return {"flow": flow.flow(cases, as_of=AS_OF), "flow_curves": flow.curves(cases), "attendance": months}


#: Of those who started: never recorded, withdrawn, by a representative who no longer decides. The Berk delivered no register.
NOT_COMPARED = {
    "amstel": (14, 11, 9),
    "berk": (74, 0, 0),
    "duin": (3, 2, 1),
    "eem": (0, 0, 0),
    "linge": (1, 0, 0),
    "vecht": (20, 0, 0),
}


def _inclusion() -> pd.DataFrame:
    n_started = {row[0]: row[3] for row in CONSORTIUM}
    found = [
        {
            "programme_id": name, "format": {row[0]: row[2] for row in CONSORTIUM}[name], "start_year": 2024,
            "has_register": name != "berk", "n_started": n_started[name], "n_permitted": n_started[name] - sum(missing),
            "n_never_recorded": missing[0], "n_withdrawn": missing[1], "n_not_yet": 0,
            "n_representative_no_longer_decides": missing[2], "n_representative_missing": 0,
        }
        for name, missing in NOT_COMPARED.items()
    ]  # fmt: skip
    settings = Consortium.model_validate({"name": "test", "issuers": {}, "programmes": {}})
    return benchmarks.inclusion(INCLUSION.conform(pd.DataFrame(found)), settings=settings)


def make_site_data() -> SiteData:
    """The invented consortium, the same every time."""
    response, course, benchmark = _measurements(np.random.default_rng(20261120))
    return SiteData(
        consortium="Consortium of the Lowlands", is_synthetic=True, as_of=AS_OF, software_version="0.1.0",
        threshold=THRESHOLD, instruments={i: registry.instrument(i) for i in ("bsi", "eq5d3l", "phq9")}, rules=RULES,
        programmes=_programmes(), response=response, benchmark=benchmark, course=course,
        inclusion=_inclusion(), conservation=_conservation(response), findings_summary=_findings(), norms=NORMS,
        value_set_labels={"nl_2006": "Dutch value set of 2006"}, **make_flow(),
    )  # fmt: skip


@pytest.fixture(scope="session")
def site_data() -> SiteData:
    return make_site_data()


@pytest.fixture(scope="session")
def pages(site_data: SiteData) -> dict[str, str]:
    """Every HTML page of the site, by path."""
    return {path: content.decode() for path, content in site(site_data).items() if path.endswith(".html")}


VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """A page taken apart: tables as rows of texts, headings, ids, attributes; complains about tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: list[list[list[str]]] = []
        self.captions: list[str] = []
        self.headings: list[int] = []
        self.figures: dict[str, str] = {}
        self.text = ""
        self._script: str | None = None
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag in VOID:
            return
        self.open.append(tag)
        known = dict(attrs)
        if tag == "table":
            self.tables.append([])
            self.captions.append("")
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag == "script" and known.get("type") == "application/json":
            self._script = str(known["id"])
            self.figures[self._script] = ""

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes something else")
        self._script = None

    def handle_data(self, data: str) -> None:
        if self._script:
            self.figures[self._script] += data
            return
        self.text += data
        if "caption" in self.open:
            self.captions[-1] += data
        elif self.open and {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


@pytest.fixture(scope="session")
def parsed(pages: dict[str, str]) -> dict[str, Page]:
    return {path: Page(html) for path, html in pages.items()}
