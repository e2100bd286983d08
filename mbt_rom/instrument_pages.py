"""The page of an instrument, and the list of all: everything that a definition states, for people, as Markdown.

Belongs here: the order and layout of a page, and what is said where a definition holds nothing. Does not belong here: any fact
about an instrument (`instruments/`), tables of published figures (`instrument_figures`), words for methods and terms
(`in_words`), writing files (`scripts/generate`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mbt_rom import instrument_figures as figures
from mbt_rom.domains import Domain, Domains
from mbt_rom.in_words import (
    CONFIDENCE,
    CONFIDENCE_MEANS,
    KEYS,
    KEYS_MEAN,
    MONITORS,
    confidence_in_words,
    item_numbers,
    made_of,
    method_in_words,
    missing_in_words,
    number,
    sentence,
    sure,
    term,
)
from mbt_rom.markdown import code, codes, paragraph, plain, section, section_body, table
from mbt_rom.model import PROVISIONAL, Coding, Instrument, Item, Manual, Scale
from mbt_rom.norms import usable_norms
from mbt_rom.valuation import ValueSet

_MOMENTS = {
    "baseline": "start", "m6": "month 6", "m12": "month 12", "m18": "month 18", "m24": "month 24", "m30": "month 30",
    "m36": "month 36",
}  # fmt: skip
_PRINTED = {"required": "X", "desired": "(X)"}
_NOWHERE = "–"
#: So many scales with one rule are called all others.
_MANY = 7
_INDEX = ["instrument", "measures", "items", "domain", "key", "norm usable", "how sure"]
_PROPOSAL = "**Proposal.** The manual describes this form and prints none; this one is ours. It is off until a home asks for it."
_SUPPLY = (
    "**No score without the site's key**: [how to supply it](../own-instruments.md#a-key-that-comes-with-your-licence)."
)
_GATED = "Where the yes/no question before a count says no and the count is blank, the count is 0."
_TURNED = "*Turned round*: the lowest plus the highest possible answer, minus the answer, before anything is added up."


def pages(
    instruments: Mapping[str, Instrument], *, domains: Domains, value_sets: Mapping[str, Mapping[str, ValueSet]]
) -> dict[str, str]:
    """File name -> Markdown: one page per instrument, and `index.md`. `value_sets` are given by instrument, then by id."""
    by_id = {
        f"{i}.md": instrument_page(definition, domains=domains, value_sets=value_sets.get(i, {}))
        for i, definition in instruments.items()
    }
    return {"index.md": index_page(instruments, domains=domains), **by_id}


# --- the list of all -----------------------------------------------------------------------------------------------------


def index_page(instruments: Mapping[str, Instrument], *, domains: Domains) -> str:
    """The list of all instruments, the manual's domains, and what the words on the pages mean."""
    lines = [
        "# Instruments",
        "",
        f"The {len(instruments)} instruments that come with the software. Generated from the definitions in `instruments/` by "
        "`make docs`; change those, not these pages. Numbers and keys only: the wording of questions and answers belongs to its "
        "owners and is not in here. `rom instruments` prints the same list, with the instruments that your own site defined "
        "([how](../own-instruments.md)).",
        "",
        "*Norm usable*: there is a sample of the general population whose mean and SD somebody saw in print, so T-scores are given. "
        "Where it says no, a home can choose a provisional norm or enter its own.",
        "",
    ]
    for monitor, words in MONITORS.items():
        chosen = [d for d in instruments.values() if d.monitors == monitor]
        lines += section(words.capitalize(), table(_INDEX, (_index_row(d, domains) for d in chosen)))
    lines += [*_about_domains(domains), *_reading_guide()]
    return "\n".join(lines).rstrip() + "\n"


def _index_row(definition: Instrument, domains: Domains) -> list[str]:
    return [
        f"[{definition.name}]({definition.id}.md) {code(definition.id)}",
        definition.measures,
        _n_items(definition),
        _links(domains.of(_primary_name(definition)), page=""),
        KEYS[definition.key],
        "yes" if usable_norms(definition) else "no",
        confidence_in_words(definition.confidence),
    ]


def _n_items(definition: Instrument) -> str:
    return str(len(definition.items)) + (" T-scores" if definition.key == "external_scores" else "")


def _primary_name(definition: Instrument) -> str:
    return f"{definition.id}.{definition.primary.id}"


def _links(domains: tuple[Domain, ...], *, page: str) -> str:
    """Links to the domains on the list of instruments. Renderers give that anchor to a heading without punctuation."""
    return ", ".join(f"[{d.label.en}]({page}#{d.label.en.lower().replace(' ', '-')})" for d in domains)


def _about_domains(domains: Domains) -> list[str]:
    rows = ([d.label.en, d.label.nl, d.in_6_1 or _NOWHERE, d.in_6_2 or _NOWHERE] for d in domains.domains)
    lines = [
        "## The manual's domains",
        "",
        "The MBT quality manual says in two lists what outcome is about: the levels of the outcome measure (chapter 6.1) and the "
        f"general goals of treatment (chapter 6.2). Together they give {len(domains.domains)} domains "
        "(`instruments/domains.yaml`).",
        "",
        *table(["domain", "Dutch", "in 6.1", "in 6.2"], rows),
        "",
        "How the two lists differ:",
        "",
        *(f"- {plain(difference)}" for difference in domains.differences),
        "",
    ]
    return lines + [line for domain in domains.domains for line in _about_domain(domain)]


def _about_domain(domain: Domain) -> list[str]:
    by_instrument: dict[str, list[str]] = {}
    for name in domain.scales:
        instrument, _, scale = name.partition(".")
        by_instrument.setdefault(instrument, []).append(scale)
    rows = ([f"[{i}]({i}.md)", codes(scales)] for i, scales in by_instrument.items())
    feeds = [f"- Register {code(feed.register_name)}: {plain(feed.gives)}." for feed in domain.registers]
    body = section_body(paragraph(plain(domain.note)), table(["instrument", "scales"], rows), feeds)
    return [f"### {domain.label.en}", "", *body, ""]


def _reading_guide() -> list[str]:
    sure_of = [[word, CONFIDENCE_MEANS[c], "yes" if c in PROVISIONAL else ""] for c, word in CONFIDENCE.items()]
    return [
        "## How to read a page",
        "",
        "**How sure.** Every figure names its sources (listed at the foot of its page) and one of these words:",
        "",
        *table(["word", "means", "provisional"], sure_of),
        "",
        "*Provisional* norms, reliabilities and boundaries are off until a home chooses them in its `consortium.yaml`, and every "
        "page that rests on one then says so. A provisional key or rule for missing answers is applied, since there must be "
        "some rule, and stands here with that word.",
        "",
        "**Key**: who knows which items make up a scale.",
        "",
        *table(["key", "means"], ([KEYS[key], meaning] for key, meaning in KEYS_MEAN.items())),
        "",
        "**Ours.** What this project added and nobody published, such as a mean over an area or an alert on a count, is marked "
        "*ours*. A page that begins with *Proposal* is ours altogether, and off until a home asks for it.",
        "",
        "**Ids** such as `gsi` are the names by which settings, tables and exports know a scale or a figure.",
        "",
    ]


# --- one instrument ------------------------------------------------------------------------------------------------------


def instrument_page(
    definition: Instrument, *, domains: Domains | None = None, value_sets: Mapping[str, ValueSet] | None = None
) -> str:
    """The page of one instrument. `domains`: where it stands among the manual's; `value_sets`: those of an EQ-5D, by id.

    >>> from mbt_rom.registry import instrument
    >>> instrument_page(instrument("phq9")).splitlines()[0]
    '# PHQ-9'
    """
    lines = [
        f"# {definition.name}",
        "",
        *_opening(definition, domains),
        *section("In the MBT quality manual", _manual(definition)),
        *section("Items", _items(definition)),
        *section("Scales", _scales(definition)),
        *section("Missing answers", _missing(definition)),
        *section("Exports", _exports(definition)),
        *section("Value sets", figures.value_sets(definition, value_sets or {})),
        *section("Norms", figures.norms(definition)),
        *section("Reliability", figures.reliabilities(definition)),
        *section("Cut-offs", figures.cutoffs(definition)),
        *section("Severity bands", figures.bands(definition)),
        *section("Change", figures.changes(definition)),
        *section("Answers that somebody should see", figures.risk(definition)),
        *section("Licence", _licence(definition)),
        *section("Take care", [f"- {plain(sentence(hazard))}" for hazard in definition.hazards]),
        *section("Open questions", [f"- {plain(sentence(question))}" for question in definition.open_questions]),
        *section("Sources", _sources(definition)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _opening(definition: Instrument, domains: Domains | None) -> list[str]:
    belongs = domains.of(_primary_name(definition)) if domains else ()
    facts = [
        ["measures", plain(definition.measures)],
        ["kind", f"{term(definition.kind)}; one form is about one {definition.subject}"],
        ["monitors", MONITORS[definition.monitors]],
        ["domain", _links(belongs, page="index.md")],
        ["edition", plain(definition.edition)],
        ["looks back", plain(_recall(definition))],
        ["items", _n_items(definition)],
        ["minutes", number(definition.minutes)],
        ["primary scale", f"{plain(definition.primary.label)} {code(definition.primary.id)}"],
        ["key", f"{KEYS[definition.key]}: {KEYS_MEAN[definition.key]}"],
        ["needed from the site", plain(definition.needs)],
        ["norm usable", "yes" if usable_norms(definition) else "no"],
        ["how sure", confidence_in_words(definition.confidence)],
    ]
    return [
        f"{plain(sentence(definition.full_name))} [How to read this page](index.md#how-to-read-a-page).",
        "",
        *paragraph(_PROPOSAL if definition.is_proposal else None),
        *paragraph(_SUPPLY if definition.key == "site_supplied" else None),
        *table(["what", "as defined"], (fact for fact in facts if fact[1])),
        "",
    ]


def _recall(definition: Instrument) -> str:
    days = {None: "", 0: "today", 1: "1 day"}.get(definition.recall_days, f"{definition.recall_days} days")
    if definition.recall and definition.recall_days:
        return f"{definition.recall} ({days})"
    return definition.recall or days or "not stated"


def _manual(definition: Instrument) -> list[str]:
    """What the manual prints beside what was published, both counts, the decision, the schedule."""
    manual = definition.manual
    counts = [
        ["name", manual.label or _NOWHERE, definition.name],
        ["items", number(manual.items) or "none printed", _published_count(definition)],
        ["looks back", term(manual.recall) or "none printed", plain(_recall(definition))],
    ]
    differ = f"**The counts differ: {manual.items} in the manual, {manual.published_items} as published.**"
    decision = f"Decision: {plain(manual.decision).rstrip('.')}." if manual.decision else None
    return section_body(
        paragraph("In Appendix 1." if manual.in_appendix_1 else "Not in Appendix 1."),
        table(["", "the manual prints", "the published form"], counts),
        paragraph(differ if manual.differs else None, decision),
        _schedule(manual),
        [f"- {plain(sentence(note))}" for note in manual.notes],
    )


def _published_count(definition: Instrument) -> str:
    published, here = definition.manual.published_items, len(definition.items)
    return str(here) if published in (None, here) else f"{published} ({here} columns are taken in here)"


def _schedule(manual: Manual) -> list[str]:
    if not manual.schedule:
        return paragraph("The manual prints no moments for it.")
    printed = {str(moment): _PRINTED[wish] for moment, wish in manual.schedule.items()}
    legend = "X: strongly recommended; (X): desired; –: not asked, as Appendix 1 prints it."
    return [*table([*_MOMENTS.values()], [[printed.get(moment, _NOWHERE) for moment in _MOMENTS]]), "", legend]


def _items(definition: Instrument) -> list[str]:
    """Runs of equal items, and our own tags; never the wording."""
    runs: dict[tuple[str, bool, str, bool], list[Item]] = {}
    for item in definition.items:
        kind = (item.bounds, item.is_scored, number(item.unusual_above), item.gate is not None)
        runs.setdefault(kind, []).append(item)
    rows = (
        [
            item_numbers(definition, [item.id for item in items]),
            bounds,
            "yes" if scored else "no",
            above,
            "yes" if gated else "",
        ]
        for (bounds, scored, above, gated), items in runs.items()
    )
    heads = ["items", "answers", "scored", "worth a second look above", "yes/no question before it"]
    gates = {item.gate for item in definition.items if item.gate}
    tagged = [item for item in definition.items if item.tag and item.id not in gates]
    tags = [f"{item.number}: {item.tag}" for item in tagged if item.tag != item.number.replace("_", " ")]
    missing = f"These codes count as not answered: {codes(definition.missing_codes)}."
    return section_body(
        table(heads, rows),
        paragraph(_GATED if gates else None),
        paragraph(f"Our own tags, never the wording: {plain('; '.join(tags))}." if tags else None),
        paragraph(missing if definition.missing_codes else None),
    )


# --- scales --------------------------------------------------------------------------------------------------------------


def _scales(definition: Instrument) -> list[str]:
    rows = (
        [
            _scale_name(scale),
            made_of(definition, scale),
            item_numbers(definition, scale.reverse),
            method_in_words(definition, scale),
            f"{scale.range_text}, {plain(scale.unit)}",
            term(scale.direction),
            sure(scale),
        ]
        for scale in definition.scales
    )
    heads = ["scale", "made of", "turned round", "computed as", "range and unit", "better is", "how sure"]
    turned = any(scale.reverse for scale in definition.scales)
    prices = [line for scale in definition.scales for line in _weights(definition, scale)]
    return section_body(table(heads, rows), paragraph(_TURNED if turned else None), _details(definition), prices)


def _scale_name(scale: Scale) -> str:
    marks = [
        "primary" if scale.is_primary else "",
        "second primary" if scale.is_co_primary else "",
        "*ours*" if scale.origin == "project_rule" else "",
    ]
    return ", ".join(filter(None, [f"{plain(scale.label)} {code(scale.id)}", *marks]))


def _details(definition: Instrument) -> list[str]:
    """What the table cannot hold: groups, rounding, recoding, right answers, notes. What scales share is said once."""
    said: dict[str, list[str]] = {}
    for scale in definition.scales:
        for text in _detail(definition, scale):
            said.setdefault(text, []).append(scale.id)
    n_scales = len(definition.scales)
    bullets = [f"- {'All scales' if 1 < len(s) == n_scales else codes(s)}: {text}." for text, s in said.items()]
    circle = [f"{code(scale.id)} {scale.angle}" for scale in definition.scales if scale.angle is not None]
    return [*bullets, f"- Places on the circle of octants, in degrees: {', '.join(circle)}."] if circle else bullets


def _detail(definition: Instrument, scale: Scale) -> Iterator[str]:
    if scale.group:
        yield f"group {term(scale.group)}"
    if scale.value_set:
        yield f"value set {code(scale.value_set)} unless the home chooses another"
    if scale.recode:
        usual = f"answers are recoded first: {_mapped(scale.recode.default)}"
        others = (f"in item {definition.item(i).number}: {_mapped(m)}" for i, m in scale.recode.items.items())
        yield ", but ".join([usual, *others])
    if scale.answer_key:
        right = ", ".join(f"{definition.item(i).number}: {answer}" for i, answer in scale.answer_key.items())
        yield f"right answers by item: {right}"
    if scale.note:
        yield plain(scale.note).rstrip(".")
    if scale.decimals is not None:
        yield f"rounded to {scale.decimals} decimals" if scale.decimals else "rounded to whole numbers"


def _mapped(mapping: Mapping[int, int]) -> str:
    return ", ".join(f"{answer}→{value}" for answer, value in mapping.items())


def _weights(definition: Instrument, scale: Scale) -> list[str]:
    price = f"price in EUR of {scale.price_year}" if scale.price_year else "weight"
    rows = ([definition.item(i).number, number(w), plain(scale.price_rows.get(i))] for i, w in scale.weights.items())
    return table([f"item of {code(scale.id)}", price, "reference price of"], rows)


def _missing(definition: Instrument) -> list[str]:
    """One line per rule, naming the scales that it holds for."""
    by_rule: dict[str, list[str]] = {}
    for scale in definition.scales:
        by_rule.setdefault(missing_in_words(definition, scale), []).append(scale.id)
    if len(by_rule) == 1 and len(definition.scales) > 1:
        return [f"All scales: {rule}" for rule in by_rule]
    *fewer, (rule, most) = sorted(by_rule.items(), key=lambda entry: len(entry[1]))
    last = codes(most) if len(most) < _MANY else "all other scales"
    return [*(f"- {codes(scales)}: {rule}" for rule, scales in fewer), f"- {last}: {rule}"]


# --- exports -------------------------------------------------------------------------------------------------------------


def _exports(definition: Instrument) -> list[str]:
    """How the instrument is recognised in a file, what may be in it, and what must be declared."""
    names, example = codes(definition.prefixes), code(definition.item_ids[0])
    recognised = (
        f"A column is recognised by a name that begins with {names} and ends with that of the item, such as {example}."
    )
    codings = (
        [
            code(coding.id),
            _coding(coding),
            item_numbers(definition, coding.items),
            item_numbers(definition, coding.reversed_items),
            confidence_in_words(coding.confidence),
            plain(coding.note),
        ]
        for coding in definition.codings
    )
    heads = ["coding", "the file holds", "only in items", "stored turned round", "how sure", "note"]
    counts = ([str(count), plain(why)] for count, why in definition.wrong_counts.items())
    return section_body(
        paragraph(recognised if definition.prefixes else "A mapping file names the columns."),
        table(heads, codings),
        paragraph(_declared(definition)),
        _orders(definition),
        table(["files with so many columns", "what to do"], counts),
    )


def _coding(coding: Coding) -> str:
    if coding.is_scored:
        return "1 for a right answer, 0 for a wrong one"
    if coding.map is not None:
        return plain(", ".join(f"{written}→{answer}" for written, answer in coding.map.items()))
    span = f"{coding.min} or more" if coding.max is None else f"{coding.min} to {coding.max}"
    if not coding.offset:
        return span
    return f"{span}: each answer {abs(coding.offset)} {'higher' if coding.offset < 0 else 'lower'} than published"


def _declared(definition: Instrument) -> str | None:
    if definition.coding_must_be_stated:
        return (
            "**The mapping file must state the coding** (`coding:`): nothing in the answers tells the codings apart, and the wrong "
            "one would spoil every score."
        )
    if len(definition.codings) == 1:
        return None
    return (
        "The first coding is the published one. Another one is declared in the [mapping file](../mapping-files.md) (`coding:`), or "
        "with `rom score --coding`; where two of them could both be meant, none is guessed."
    )


def _orders(definition: Instrument) -> list[str]:
    if not definition.orders:
        return []
    must = "**The mapping file must state the order of the items** (`order:`)."
    may = "An order of the items other than the published one is declared in the mapping file (`order:`)."
    about = must if definition.order_must_be_stated else may
    rows = (
        [code(name), ", ".join(definition.item(i).number for i in order)] for name, order in definition.orders.items()
    )
    note = plain(sentence(definition.orders_note))
    return section_body(paragraph(about, note), table(["order", "item at each place of the form"], rows))


# --- licence and sources -------------------------------------------------------------------------------------------------


def _licence(definition: Instrument) -> list[str]:
    licence = definition.licence
    return [
        f"- Owner: {plain(licence.owner).rstrip('.') if licence.owner else 'not known'}.",
        f"- Status: {term(licence.status)}.",
        f"- Wording of questions and answers: {'shipped' if licence.ship_item_wording else 'not shipped'}.",
        *([f"- {plain(sentence(licence.note))}"] if licence.note else []),
    ]


def _sources(definition: Instrument) -> list[str]:
    rows = ([code(key), plain(source.cite), plain(source.seen)] for key, source in definition.sources.items())
    lines = table(["source", "what it is", "what was seen of it"], rows)
    return section_body(lines or ["No source is named."], paragraph(_loinc(definition)))


def _loinc(definition: Instrument) -> str | None:
    known = definition.codes
    if known is None:
        return None
    items = ", ".join(f"{item} {loinc}" for item, loinc in known.loinc_items.items())
    parts = {"panel": known.loinc_panel, "total": known.loinc_total, "items": items}
    named = "; ".join(f"{what} {loinc}" for what, loinc in parts.items() if loinc)
    return f"LOINC codes ({CONFIDENCE[known.confidence]}): {named}."
