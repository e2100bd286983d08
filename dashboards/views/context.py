"""The input of the site arranged for its pages, once: rows by programme, names, scales, marks.

Belongs here: what several pages need. Does not belong here: what one page says, HTML.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dashboards import wording
from dashboards.data import NormText, Row, SiteData, by_programme, rows
from dashboards.theme import Figure, as_json
from dashboards.wording import FORMATS, Cell, by_name, is_withheld, moment_order
from mbt_rom import disclosure, schedule
from mbt_rom.model import Instrument, Scale

SHARED = "_shared"
#: The only format whose patients are no adults: never in a table with them, and no norm of adults applies (methods, section 0).
ADOLESCENT = "adolescent"


@dataclass(frozen=True)
class Box:
    """A figure on a page: its JSON, its caption (n, unit, method) and the same in words for those who cannot see it."""

    id: str
    title: str
    caption: str
    label: str
    json: str
    height: int


def box(figure_id: str, drawn: Figure, *, title: str, caption: str, label: str) -> Box:
    """The figure ready for a page."""
    return Box(figure_id, title, caption, label, as_json(drawn), int(drawn["layout"]["height"]))


@dataclass(frozen=True)
class Delivery:
    """When a programme last delivered, and whether that is too long ago."""

    on: str
    days: int | None
    status: str
    is_late: bool


@dataclass(frozen=True)
class Measured:
    """One scale of one edition, valued with one value set: what a figure or table is about."""

    instrument: Instrument
    scale: Scale
    value_set_id: str | None
    value_set_label: str
    norm: NormText | None
    is_adolescent: bool = False

    @property
    def slug(self) -> str:
        """Part of an element's id."""
        parts = (self.instrument.id, self.scale.id, self.value_set_id, ADOLESCENT if self.is_adolescent else None)
        return "-".join(p for p in parts if p)

    @property
    def title(self) -> str:
        """Instrument, scale and value set."""
        named = wording.scale_title(self.instrument, self.scale)
        return ", ".join(p for p in (named, self.value_set_label, "adolescents" if self.is_adolescent else "") if p)

    @property
    def short_unit(self) -> str:
        """The unit without what it explains in brackets, for an axis."""
        return self.scale.unit.split(" (")[0]

    @property
    def unit(self) -> str:
        """Unit, range and direction."""
        return f"{wording.range_label(self.scale)}; {wording.direction_label(self.scale)}"

    @property
    def provisional(self) -> list[str]:
        """What about it is provisional, as sentences."""
        missing = self.scale.missing
        rule = [f"Rule for missing answers: {missing.note or missing.rule}."] if missing.is_provisional else []
        return rule + ([self.norm.sentence] if self.norm and self.norm.is_provisional else [])

    @property
    def norm_sentence(self) -> str:
        """What reliable change and the reference range rest on."""
        if self.is_adolescent:
            return "Norms in use describe adults, so no adolescent is classified as reliably changed."
        if self.norm is None:
            return "No norm is in use for this scale, so nobody is classified as reliably changed."
        return self.norm.sentence


class Context:
    """The input arranged for the pages."""

    def __init__(self, data: SiteData) -> None:
        self.data = data
        self.programmes = sorted(rows(data.programmes), key=lambda p: by_name(p["name"]))
        self.names = {p["programme_id"]: p["name"] for p in self.programmes} | {SHARED: "Shared files"}
        self.adolescent = {p["programme_id"] for p in self.programmes if p["format"] == ADOLESCENT}
        protected = disclosure.protect_response(data.response, threshold=data.threshold)
        self.response = by_programme(protected)
        flow = disclosure.protect_flow(data.flow, threshold=data.threshold)
        self.flow = by_programme(flow)
        self.curves = by_programme(disclosure.protect_curves(data.flow_curves, flow, threshold=data.threshold))
        self.attendance = by_programme(disclosure.protect_attendance(data.attendance, threshold=data.threshold))
        self.leavers = by_programme(disclosure.protect_leavers(data.response, threshold=data.threshold))
        self.benchmark = by_programme(data.benchmark)
        self.inclusion = {row["programme_id"]: row for row in rows(data.inclusion)}
        self.course = by_programme(data.course)
        self.conservation = by_programme(data.conservation)
        self.findings = by_programme(data.findings_summary)
        quiet = schedule.days_quiet(data.programmes, as_of=data.as_of)
        self.quiet = dict(zip(data.programmes["programme_id"], quiet, strict=True))

    def name(self, programme_id: str) -> str:
        """The programme's name; its id where the settings do not know it."""
        return self.names.get(programme_id, programme_id)

    def delivery(self, programme: Row) -> Delivery:
        """When it last delivered, in words."""
        last = programme["last_delivery_on"]
        if last is None:
            return Delivery("never", None, "nothing delivered yet", is_late=True)
        days, quiet = (self.data.as_of - last.date()).days, self.quiet[programme["programme_id"]]
        if quiet <= self.data.quiet_after_days:
            return Delivery(wording.day(last), days, "on time", is_late=False)
        status = f"quiet for {days} days" if days == quiet else f"newest form is {quiet} days old"
        return Delivery(wording.day(last), days, status, is_late=True)

    def started(self, programme_id: str) -> Cell:
        """Patients who started: the largest number that any row of its response shows."""
        found = self.response.get(programme_id, [])
        shown = [r["n_started"] for r in found if not is_withheld(r, "n_started") and r["n_started"] is not None]
        if shown:
            return Cell(wording.number(max(shown)))
        return wording.withheld() if found else wording.absent()

    def few(self) -> Cell:
        """The cell of a count that is withheld."""
        return Cell(f"fewer than {self.data.threshold}", kind="withheld")

    def to_mend(self, programme_id: str) -> int:
        """Findings that keep data out: fatal ones and errors."""
        return sum(f["n_findings"] for f in self.findings.get(programme_id, []) if f["severity"] != "notice")

    def notices(self, programme_id: str) -> int:
        """Findings that keep nothing out."""
        return sum(f["n_findings"] for f in self.findings.get(programme_id, []) if f["severity"] == "notice")

    @cached_property
    def outcome_moments(self) -> list[str]:
        """Moments after the start at which the benchmark has rows, in order of time."""
        found = {str(m) for m in self.data.benchmark["moment"].unique()} - {"baseline", "unscheduled"}
        return sorted(found, key=moment_order)

    @cached_property
    def headline_moment(self) -> str:
        """The primary moment; where the plan has none, the last one that has data."""
        found = self.outcome_moments
        return self.data.primary_moment if self.data.primary_moment in found or not found else found[-1]

    def measured(self, row: Row) -> Measured | None:
        """What a row of benchmark or course is about; None for a scale that is not compared or not known."""
        instrument = self.data.instruments.get(row["instrument"])
        if instrument is None or row["scale"] not in {s.id for s in instrument.scales}:
            return None
        scale = instrument.scale(row["scale"])
        if scale.method in ("profile", "major_depression"):
            return None
        value_set = row["value_set_id"]
        label = self.data.value_set_labels.get(value_set, value_set) if value_set else ""
        is_adolescent = row["programme_id"] in self.adolescent
        norm = None if is_adolescent else self.data.norms.get(f"{instrument.id}.{scale.id}")
        return Measured(instrument, scale, value_set, label, norm, is_adolescent)

    def grouped(self, found: list[Row], *, is_primary: bool) -> list[tuple[Measured, list[Row]]]:
        """The rows by what they are about, primary scales only or all others only, in order of instrument."""
        groups: dict[tuple[str, ...], tuple[Measured, list[Row]]] = {}
        for row in found:
            about = self.measured(row)
            if about is not None and about.scale.is_primary == is_primary:
                key = (row["instrument"], row["edition"] or "", str(about.is_adolescent), about.slug)
                groups.setdefault(key, (about, []))[1].append(row)
        return [groups[key] for key in sorted(groups, key=lambda k: k[:3])]

    @cached_property
    def has_several_anchors(self) -> bool:
        """True when the programmes do not all count months from the same date."""
        return len({p["anchor"] for p in self.programmes}) > 1

    def stratum(self, programme: Row) -> str:
        """Format of the programme, with its month 0 where programmes differ in it: never compared across."""
        named = str(FORMATS.get(programme["format"], programme["format"]))
        start = str(wording.COUNTED_FROM.get(programme["anchor"], programme["anchor"]))
        return f"{named}, {start}" if self.has_several_anchors else named
