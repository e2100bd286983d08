"""The published figures of an instrument as lines of its page: value sets, norms, reliability, cut-offs, bands, changes, risk.

Belongs here: tables of what was published, each figure with its sample, its source and whether it is on. Does not belong here:
the rest of the page (`instrument_pages`), which figures a home uses (`norms`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from mbt_rom.in_words import confidence_in_words, number, sure, term
from mbt_rom.markdown import code, codes, paragraph, plain, section_body, table
from mbt_rom.model import ChangeBasis, Confidence, Fact, Instrument, Norm
from mbt_rom.norms import usable_norms
from mbt_rom.valuation import ValueSet

_OPS = {">=": "{} or more", ">": "more than {}", "<": "less than {}", "==": "exactly {}"}
#: What provisional means for figures that a home can choose.
OFF = "*Provisional*: recalled or derived and not seen in print; off until a home chooses it in its `consortium.yaml`."
#: Said of every list of risk answers.
NOT_WATCHED = "This is not watched day and night. No answer here is a safe sign either."


# --- value sets and norms ------------------------------------------------------------------------------------------------


def value_sets(definition: Instrument, sets: Mapping[str, ValueSet]) -> list[str]:
    """The value sets of an EQ-5D, with the lowest and the highest utility; nothing for other instruments."""
    defaults = {scale.value_set for scale in definition.scales}
    rows = (_value_set(v, is_default=v.id in defaults) for v in sets.values())
    heads = ["id", "value set", "country", "year", "lowest", "highest", "default", "how sure", "source"]
    lines = table(heads, rows)
    about = (
        "A utility always carries the id of its value set; those of different sets are never pooled or compared, and under 18 "
        "there is none: see [EQ-5D](../eq5d.md)."
    )
    return [*paragraph(about), *lines] if lines else []


def _value_set(v: ValueSet, *, is_default: bool) -> list[str]:
    ends = [number(float(v.values.min())), number(float(v.values.max()))]
    how_sure = confidence_in_words(cast(Confidence, v.confidence))
    default = "yes" if is_default else ""
    return [code(v.id), v.label, term(v.country), str(v.year), *ends, default, how_sure, plain(v.cite)]


def norms(definition: Instrument) -> list[str]:
    """Means and SDs of published samples, and whether T-scores are given."""
    heads = ["id", "scale", "sample", "n", "age", "mean", "SD", "value set", "how sure", "note"]
    lines = table(heads, (_norm(norm) for norm in definition.norms))
    return section_body(_about_norms(definition), lines, _off(definition.norms))


def _norm(norm: Norm) -> list[str]:
    people = [term(norm.population), "" if norm.sex == "all" else term(norm.sex), term(norm.country)]
    people += [f"language {norm.language}"] if norm.language else []
    figures = [number(norm.n), _ages(norm), number(norm.mean), number(norm.sd) or "not seen"]
    sample = ", ".join(filter(None, people))
    return [code(norm.id), code(norm.scale), sample, *figures, code(norm.value_set), sure(norm), plain(norm.note)]


def _ages(norm: Norm) -> str:
    youngest, oldest = norm.age or (None, None)
    if youngest is None and oldest is None:
        return f"not stated: from {norm.ages[0]}"
    return f"{norm.ages[0]} or older" if oldest is None else f"{norm.ages[0]} to {oldest}"


def _about_norms(definition: Instrument) -> list[str]:
    if definition.key == "external_scores":
        return paragraph("The scores are T-scores of the publisher's own norms already.")
    if usable := usable_norms(definition):
        scales = dict.fromkeys(norm.scale for norm in usable)
        about = "from the samples of the general population below that have an SD and are not provisional"
        return paragraph(f"T-scores (mean 50, SD 10) are given for {codes(scales)}, {about}.")
    why = "No norm was found." if not definition.norms else f"The figures below {_shortcomings(definition)}."
    own = "A home can enter figures of its own, for instance from its licensed manual: [how](../norms.md)."
    is_outcome = definition.monitors == "outcome"
    return paragraph("**No usable norm: T-scores are not given.**", why, own if is_outcome else None)


def _shortcomings(definition: Instrument) -> str:
    """Why none of the norms is used by itself."""
    communities = [norm for norm in definition.norms if norm.population == "community"]
    found = {
        "describe patients or other groups": len(communities) < len(definition.norms),
        "have no SD": any(norm.sd is None for norm in communities),
        "are provisional": any(norm.is_provisional for norm in communities),
        "name no value set": any(
            norm.value_set is None and definition.scale(norm.scale).method == "value_set" for norm in communities
        ),
    }
    return " or ".join(words for words, holds in found.items() if holds)


def _off(facts: Iterable[Fact]) -> list[str]:
    return paragraph(OFF) if any(fact.is_provisional for fact in facts) else []


# --- reliability, cut-offs, bands, changes -------------------------------------------------------------------------------


def reliabilities(definition: Instrument) -> list[str]:
    """Published reliability coefficients, each with its sample."""
    if not definition.reliabilities:
        return ["No reliability coefficient was found."]
    rows = (
        [code(r.id), code(r.scale), term(r.kind), number(r.value), _people(r.population, r.country), number(r.n),
         f"{r.interval_days} days" if r.interval_days else "", sure(r), plain(r.note)]
        for r in definition.reliabilities
    )  # fmt: skip
    heads = ["id", "scale", "coefficient", "value", "sample", "n", "interval", "how sure", "note"]
    return section_body(table(heads, rows), _off(definition.reliabilities))


def _people(population: str | None, country: str | None) -> str:
    return ", ".join(filter(None, [term(population), term(country)]))


def cutoffs(definition: Instrument) -> list[str]:
    """Published boundaries on the scales; nothing where there are none."""
    rows = (
        [code(c.id), code(c.scale), _size(c.op, c.value, c.metric), plain(c.meaning), term(c.kind), term(c.country), sure(c),
         plain(c.note)]
        for c in definition.cutoffs
    )  # fmt: skip
    heads = ["id", "scale", "score", "means", "kind", "country", "how sure", "note"]
    return section_body(table(heads, rows), _off(definition.cutoffs))


def _size(op: str, value: float, metric: str) -> str:
    return ("T-score " if metric == "t" else "") + _OPS[op].format(number(value))


def bands(definition: Instrument) -> list[str]:
    """Published words for ranges of scores; nothing where there are none."""
    rows = (
        [code(b.scale), _span(b.lower, b.upper, b.metric), plain(b.label), sure(b), plain(b.note)]
        for b in definition.severity_bands
    )
    unused = any(band.is_provisional for band in definition.severity_bands)
    lines = table(["scale", "score", "word", "how sure", "note"], rows)
    return section_body(lines, paragraph("A provisional word is not used." if unused else None))


def _span(lower: float | None, upper: float | None, metric: str) -> str:
    text = f"{number(lower)} to {number(upper)}"
    if upper is None:
        text = f"{number(lower)} or more"
    elif lower is None:
        text = f"up to {number(upper)}"
    return ("T-score " if metric == "t" else "") + text


def changes(definition: Instrument) -> list[str]:
    """What reliable change rests on, and the changes that others published."""
    rows = (
        [code(c.id), code(c.scale), _size(c.op, c.value, c.metric), term(c.kind), plain(c.basis),
         f"{number(c.ci * 100)} %" if c.ci else "", number(c.sem), _people(c.population, c.country), code(c.value_set), sure(c),
         plain(c.note)]
        for c in definition.published_changes
    )  # fmt: skip
    heads = [
        "id",
        "scale",
        "a change of",
        "kind",
        "basis",
        "confidence level",
        "SEM",
        "sample",
        "value set",
        "how sure",
        "note",
    ]
    published = table(heads, rows)
    compared = (
        "Changes that others published, for comparison only; reliable change is computed from SD and reliability."
    )
    basis = [line for one in definition.change for line in _basis(definition, one)]
    none = [] if basis or definition.monitors != "outcome" else paragraph(_no_basis(definition))
    return section_body(basis, none, paragraph(compared) if published else [], published)


def _no_basis(definition: Instrument) -> str:
    if definition.primary.range[1] is None:
        return "No reliable change: counts and costs, which have no upper end, are compared as rates or sums."
    return "No reliable change is computed unless a home enters an SD and a reliability of its own."


def _basis(definition: Instrument, basis: ChangeBasis) -> list[str]:
    """On which figures the reliable change of a scale rests, and whether it is on."""
    by_id = {record.id: record for record in definition.records}
    parts = {
        "SD": basis.clinical,
        "reliability": basis.reliability,
        "reference group": basis.functional,
        "boundary": basis.cutoff,
    }
    used = {what: record for what, record in parts.items() if record}
    is_off = any(by_id[record].is_provisional for record in used.values())
    said = ", ".join(f"{what} {code(record)}" for what, record in used.items())
    off = "**Provisional: off until a home chooses these figures.**" if is_off else None
    return paragraph(f"Reliable change of {code(basis.scale)} rests on {said}.", off)


# --- risk ----------------------------------------------------------------------------------------------------------------


def risk(definition: Instrument) -> list[str]:
    """The answers that somebody should see; nothing where there are none."""
    rows = (
        [definition.item(r.item).number, plain(r.about), _OPS[r.op].format(r.value), r.level,
         "publisher" if r.origin == "published" else "*ours*",
         sure(r), plain(r.note)]
        for r in definition.risk
    )  # fmt: skip
    lines = table(["item", "about", "answer", "level", "rule by", "how sure", "note"], rows)
    patients = f"For the treating team; the rules are on however sure they are. {NOT_WATCHED}"
    about = (
        patients if definition.monitors == "outcome" else "About what was done for a patient, not answers of a patient."
    )
    return section_body(paragraph(about), lines) if lines else []
