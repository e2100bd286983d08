"""The two files with which a site begins an instrument of its own: a commented definition and its first worked examples.

Belongs here: their text. Both are valid as they stand. Does not belong here: writing them, checking them (`own_instruments`).
"""

from __future__ import annotations

import csv
import io

from mbt_rom.model import Instrument

_DEFINITION = """\
# {title}: what is measured and how it is scored. Item numbers and keys only, never the wording of a question.
# Valid as it stands. Every key is checked; a wrong one is named with its remedy (rom instruments check {id}).
# docs/own-instruments.md goes through it; the instruments of the software are further examples.
id: {id}
name: {name}
full_name: {name}
edition: {edition}  # no change is computed from one edition to another
kind: self_report            # or interview, observer_rated, performance, checklist, cost_inventory
measures: not yet described  # what it measures, in a few words
confidence: unverified       # how sure all of this is, by and large; the words are explained below
# recall_days: 14            # how far back the questions look; leave it out when they do not
prefixes: [{id}]  # how the columns of exports begin: {id}_1, {id}_2 ...

items:
  count: {items}
  min: {min}
  max: {max}
  # tags: {{3: sleep}}         # words of your own, at most four for an item, never its wording

# How exports write the answers. The first is the published way; others are chosen in a mapping file.
codings:
  - {{id: canonical, min: {min}, max: {max}, confidence: unverified}}
  # - {{id: one_based, min: 1, max: 5, offset: -1, confidence: single_source}}

scales:
  - id: total
    label: Total score
    is_primary: true         # exactly one scale; it carries the categories of change
    items: all               # or their numbers: [1, 2, 5]
    # reverse: [3, 7]        # answers that are turned round before they are added up
    method: sum              # or mean, count_at_least (with threshold), single ...
    range: [{lowest}, {highest}]
    direction: lower_is_better   # or higher_is_better, or neutral
    # What is done about missing answers: the published rule, such as {{rule: prorate, max_missing: 2}}.
    missing: {{rule: complete}}
    source: [manual]
    # verified (seen in two sources), single_source, derived, memory (recalled), unverified. The last three are marked
    # provisional wherever a score is shown, and norms of that kind are off until consortium.yaml chooses them.
    confidence: unverified

# Mean and SD of one sample; from people without the problem, T-scores are computed.
# norms:
#   - {{id: nl_community, scale: total, population: community, country: NL, n: 500, mean: 10.0, sd: 5.0,
#      source: [manual], confidence: single_source}}
# reliabilities:
#   - {{id: alpha_nl, scale: total, kind: alpha, value: 0.90, population: community, country: NL, source: [manual],
#      confidence: single_source}}

# Answers that the treating team should see.
# risk:
#   - {{id: item_9_alert, item: 9, about: suicidal thoughts, value: 1, level: alert, origin: published, source: [manual],
#      confidence: single_source}}

licence:
  status: unknown            # public_domain, free, free_with_registration, proprietary
  # owner: who owns the wording

sources:
  manual: {{cite: 'not yet named: author (year), title', seen: 'not yet said: the manual itself, an abstract ...'}}
"""


def definition_template(
    instrument_id: str, *, name: str, n_items: int, lowest: int, highest: int, language: str | None = None
) -> str:
    """YAML of an instrument with one scale, the sum of items that are all answered from `lowest` to `highest`."""
    items = f"{n_items} items" if n_items > 1 else "1 item"
    return _DEFINITION.format(
        id=instrument_id,
        title=" ".join(name.split()),
        name=_quoted(name),
        edition=items if language is None else _quoted(f"{items}, {language}"),
        items=n_items,
        min=lowest,
        max=highest,
        lowest=n_items * lowest,
        highest=n_items * highest,
    )


def _quoted(text: str) -> str:
    """The text as YAML reads it back, whatever characters are in it."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"


def examples_template(definition: Instrument) -> str:
    """CSV of the first worked examples of such a definition: nothing answered, all lowest, all highest."""
    items = definition.items
    lowest, highest = [item.min for item in items], [item.largest for item in items]
    rows: list[list[object]] = [
        ["case", "source", *definition.item_ids, definition.primary.id],
        ["none answered", "no answers, no score", *("" for _ in items), ""],
        ["all lowest", f"arithmetic: {len(items)} x {lowest[0]}", *lowest, sum(lowest)],
        ["all highest", f"arithmetic: {len(items)} x {highest[0]}", *highest, sum(highest)],
    ]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
