"""What a definition says, in words for people: methods, rules for missing answers, items, and what each term means.

Belongs here: one sentence per scoring method and per rule, and the catalogue of terms. Does not belong here: what a method
computes (`scoring`), the layout of a page (`instrument_pages`), facts about an instrument (`instruments/`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mbt_rom.model import (
    DERIVED,
    PROVISIONAL,
    Confidence,
    Fact,
    Instrument,
    Key,
    Method,
    MissingItems,
    MissingRule,
    Monitor,
    Scale,
)

#: How a score is computed from its items or from other scales. The names in braces are filled in for each scale.
METHODS: Mapping[Method, str] = {
    "sum": "the answers are added up",
    "mean": "the mean of the answers",
    "single": "the one answer as it was given",
    "weighted": "each answer times its weight, added up",
    "count_at_least": "how many answers are {threshold} or higher",
    "count_at_most": "how many answers are {threshold} or lower",
    "any_at_least": "1 when at least one answer is {threshold} or higher, otherwise 0",
    "distress_index": "the sum of the answers, divided by how many of them are {threshold} or higher; none when no answer is",
    "answer_key": "how many answers are the right ones",
    "rate": "the number of events divided by {exposure}; none when that is not known",
    "value_set": "the utility that a value set gives to the answers together",
    "profile": "the answers written one after the other as one number: the name of a state and no quantity",
    "major_depression": "1 when five or more of the nine answers are 2 or higher (the ninth counts from 1) and the first or the "
    "second is among them, otherwise 0",
    "mean_of_scales": "the mean of those scores",
    "ipsatised": "the octant against the person's own level: its sum, minus its number of items times the unrounded mean of all answers",
    "axis": "the place on an axis of the circle of octants, at {angle} degrees: 2/{n} x the sum over the octants of their mean "
    "answer x the cosine of the angle between octant and axis",
    "not_published": "not computed: the formula is the publisher's and was not published",
}

#: What is done about missing answers. The names in braces are filled in for each scale.
MISSING_RULES: Mapping[MissingRule, str] = {
    "complete": "Every one of its items must be answered; otherwise there is no score.",
    "prorate": "{limit}; the sum is then stretched to all items (sum x number of items / number answered).",
    "person_mean": "{limit}; the score is then the mean of the answers that there are.",
    "rounded_item_mean": "{limit}; each becomes the mean of the answered items of the scale, rounded half up to a whole number.",
    "by_parts": "{limit}; the score is the sum of {parts}, each completed by its own rule.",
    "answered": "{limit}; what was answered counts, and nothing is made up for the rest.",
}

CONFIDENCE: Mapping[Confidence, str] = {
    "verified": "verified",
    "single_source": "one source",
    "derived": "derived",
    "memory": "recalled",
    "unverified": "no source",
}
CONFIDENCE_MEANS: Mapping[Confidence, str] = {
    "verified": "seen in two independent sources",
    "single_source": "seen in one source",
    "derived": "computed from other figures, and as weak as the weakest of them",
    "memory": "recalled by the compilers of these definitions, not seen in print",
    "unverified": "no source was found",
}
MONITORS: Mapping[Monitor, str] = {
    "outcome": "outcome of patients",
    "therapist_adherence": "adherence of therapists and teams",
    "supervisor_adherence": "adherence of supervisors",
    "implementation": "implementation of the programme",
}
KEYS: Mapping[Key, str] = {
    "published": "published",
    "site_supplied": "site supplies it",
    "external_scores": "scores from publisher",
}
KEYS_MEAN: Mapping[Key, str] = {
    "published": "which items make up a scale is published and comes with the software",
    "site_supplied": "which items make up a scale is the licence holder's to say; the site supplies it in a file outside the "
    "repository, and until then there is no score",
    "external_scores": "the publisher's program scores the forms, and its T-scores are taken in; single answers are refused",
}
#: Any other term of a definition -> what a page calls it. A term that is not listed is shown as it is written.
TERMS: Mapping[str, str] = {
    "self_report": "questionnaire that the person fills in",
    "interview": "interview",
    "observer_rated": "rating by an observer",
    "performance": "test of what a person can do",
    "checklist": "checklist",
    "cost_inventory": "questionnaire on the use of care",
    "session": "one session of a therapist",
    "lower_is_better": "lower",
    "higher_is_better": "higher",
    "neutral": "neither",
    "alpha": "Cronbach's alpha",
    "test_retest_r": "test-retest correlation",
    "icc": "intraclass correlation",
    "split_half": "split-half reliability",
    "inter_rater": "agreement between raters",
    "clinical_c": "Jacobson-Truax boundary between two groups",
    "norm_percentile": "percentile of a norm group",
    "programme_rule": "rule of a programme",
    "rci": "reliable change",
    "mcid": "smallest change that matters",
    "mic": "smallest change that matters, within a person",
    "mcid_percent": "smallest change that matters, in % of the first score",
    "policy": "rule of a service",
    "bpd": "patients with borderline personality disorder",
    "personality_disorder": "patients with a personality disorder",
    "outpatient": "out-patients",
    "inpatient": "in-patients",
    "mixed_clinical": "patients, mixed",
    "primary_care": "patients in general practice",
    "student": "students",
    "community": "general population",
    "other": "another group",
    "female": "women",
    "male": "men",
    "public_domain": "in the public domain",
    "free_with_registration": "free after registration with the owner",
    "proprietary": "proprietary: every user needs a licence",
    "unknown": "not known",
    "Huidig": "Huidig (current)",
    "6 mnd": "6 mnd (6 months)",
    "5 jaar": "5 jaar (5 years)",
    "4 weken": "4 weken (4 weeks)",
    "NL": "Netherlands",
    "BE": "Belgium",
    "DE": "Germany",
    "US": "USA",
    "GB": "UK",
    "ES": "Spain",
    "PT": "Portugal",
    "CN": "China",
    "KR": "South Korea",
    "DK": "Denmark",
    "BR": "Brazil",
    "NZ": "New Zealand",
}
_NUMBERED = re.compile(r"(?P<stem>(?:.*_)?)(?P<number>[0-9]+)")
#: So many items in a row are written as a run.
_RUN = 3


def term(written: str | None) -> str:
    """What a page calls a term of a definition; nothing for None.

    >>> term("norm_percentile"), term("screening"), term(None)
    ('percentile of a norm group', 'screening', '')
    """
    return "" if written is None else TERMS.get(written, written.replace("_", " "))


def number(value: float | None) -> str:
    """A number as it was published, without zeros that say nothing; nothing for None.

    >>> number(0.30), number(7756), number(-0.56700), number(None)
    ('0.3', '7756', '-0.567', '')
    """
    return "" if value is None else f"{value:.10g}"


def sentence(text: str | None) -> str:
    """A note as a sentence, with a capital and a full stop; nothing for None.

    >>> sentence("no rule was found")
    'No rule was found.'
    """
    text = " ".join((text or "").split())
    return "" if not text else text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def confidence_in_words(confidence: Confidence) -> str:
    """How sure something is: `one source`, or `recalled, provisional`."""
    return CONFIDENCE[confidence] + (", provisional" if confidence in PROVISIONAL else "")


def sure(fact: Fact) -> str:
    """How sure a fact is, with its sources: `one source (lin)`."""
    sources = f" ({', '.join(fact.source)})" if fact.source else ""
    return confidence_in_words(fact.confidence) + sources


# --- items ----------------------------------------------------------------------------------------------------------------


def item_numbers(definition: Instrument, ids: Iterable[str]) -> str:
    """Numbers or names of items in the order of the form, runs of three or more written as such.

    >>> from mbt_rom.registry import instrument
    >>> item_numbers(instrument("phq9"), ["phq9_01", "phq9_02", "phq9_03", "phq9_05"])
    '1-3, 5'
    """
    wanted = set(ids)
    numbers = [item.number for item in definition.items if item.id in wanted]
    if len(numbers) > _RUN and len(numbers) == len(definition.items):
        return f"all {len(numbers)}"
    return ", ".join(_run(run) for run in _runs(numbers))


def _runs(numbers: Iterable[str]) -> list[list[str]]:
    """The numbers in pieces: successive ones of one stem stay together, those of other names stand alone."""
    runs: list[list[str]] = []
    for one in numbers:
        if runs and _follows(runs[-1][-1], one):
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _follows(before: str, after: str) -> bool:
    one, other = _NUMBERED.fullmatch(before), _NUMBERED.fullmatch(after)
    return bool(one and other and one["stem"] == other["stem"] and int(other["number"]) == int(one["number"]) + 1)


def _run(run: list[str]) -> str:
    if len(run) < _RUN:
        return ", ".join(run)
    return f"{run[0]}-{run[-1]}" if run[0].isdigit() else f"{run[0]} to {run[-1]}"


def made_of(definition: Instrument, scale: Scale) -> str:
    """What a score rests on, in words: its items, or other scales."""
    if scale.scales and not scale.items:
        return f"scales {', '.join(scale.scales)}"
    if not scale.items:
        return "the site's key says" if scale.key == "site_supplied" else "not published"
    return f"{'item' if len(scale.items) == 1 else 'items'} {item_numbers(definition, scale.items)}".replace(
        "items all", "all"
    )


# --- scoring --------------------------------------------------------------------------------------------------------------


def method_in_words(definition: Instrument, scale: Scale) -> str:
    """How the score is computed, in one sentence without a full stop.

    >>> from mbt_rom.registry import instrument
    >>> bsi = instrument("bsi")
    >>> method_in_words(bsi, bsi.scale("pst"))
    'how many answers are 1 or higher'
    """
    if definition.key == "external_scores":
        return "the publisher's T-score, taken over as it is"
    exposure = definition.item(scale.exposure).tag or scale.exposure if scale.exposure else None
    return METHODS[scale.method].format(
        threshold=scale.threshold,
        exposure=exposure,
        n=len(scale.scales),
        angle=scale.angle,
    )


def missing_in_words(definition: Instrument, scale: Scale) -> str:
    """What is done about missing answers: the rule with its limit, how sure it is, and why there is none where there is none.

    >>> from mbt_rom.registry import instrument
    >>> phq9 = instrument("phq9")
    >>> missing_in_words(phq9, phq9.scale("total")).split(";")[0]
    'Up to 2 answers may be missing'
    """
    rule = scale.missing
    if scale.method == "not_published":
        return "There is no score, so no rule."
    if definition.key == "external_scores":
        said = "What the publisher's scoring left blank stays blank."
    elif rule.rule == "complete":
        said = _complete(scale, n_items=len(definition.items_of(scale)))
    else:
        said = MISSING_RULES[rule.rule].format(limit=_limit(rule), parts=_listed(rule.parts))
    return " ".join(filter(None, [said, sentence(rule.note), _how_sure(scale)]))


def _limit(rule: MissingItems) -> str:
    how_many = "One answer" if rule.max_missing == 1 else f"Up to {rule.max_missing} answers"
    return f"{how_many} may be missing" + (
        f", counted over all items of {rule.counted_over}" if rule.counted_over else ""
    )


def _complete(scale: Scale, *, n_items: int) -> str:
    if scale.method in DERIVED:
        return "There is a score when every scale that it is made of has one."
    if scale.method in ("value_set", "profile"):
        return "All its answers are needed: a health state has one level of each."
    if n_items == 1:
        return "A single answer: without it there is no score."
    if scale.missing.note is None:
        return f"{MISSING_RULES['complete']} No published rule for missing answers is known to us, and we make none up."
    return MISSING_RULES["complete"]


def _how_sure(scale: Scale) -> str:
    """How sure the rule is. A provisional one is applied all the same, since there must be some rule."""
    rule = scale.missing
    if rule.rule == "complete" or (rule.rule == "answered" and scale.origin == "published"):
        return ""
    said = "Our rule" if scale.origin == "project_rule" else f"Rule: {CONFIDENCE[rule.confidence]}"
    if rule.is_provisional:
        return f"{said}, **provisional**: applied, and every score that needs it says so."
    return f"{said}."


def _listed(names: Iterable[str]) -> str:
    """Names as a sentence lists them: `a, b and c`."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last
