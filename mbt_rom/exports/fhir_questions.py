"""What FHIR says of questions and their answers: codes, texts, answer lists, and the score of an answer.

Belongs here: items of a Questionnaire as facts of columns, and one answer as a cell. Does not belong here: rows (`fhir`), whether a
resource keeps to its definition (`fhir_json`), what a code measures (`names`).

Forms state the score of an answer in either of two ways, `ordinalValue` and `itemWeight`, and both are read. An answer to which
two different scores are given has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from mbt_rom.exports.fhir_json import every_item
from mbt_rom.exports.sheets import UNSURE, ColumnFacts

LOINC = "http://loinc.org"
_SCORES = frozenset(
    {"ordinalValue", "itemWeight", "questionnaire-ordinalValue", "valueset-ordinalValue", "iso21090-CO-value"}
)
_NO_QUESTION = frozenset({"group", "display"})
_LONGEST_NUMBER = 18
#: A linkId that is a number, or a word for a question and its number. '1.2' is none: it is question 2 of some part.
_NUMBERED = re.compile(r"(?:(?:items?|questions?|vraag|q|v|nr|no)[-_. ]?)?0*(\d{1,3})", re.IGNORECASE | re.ASCII)


def number_text(number: object) -> str:
    """A number of a resource as a cell.

    >>> number_text(2), number_text(Decimal("2.0")), number_text(Decimal("0.5")), number_text(Decimal("1e99"))
    ('2', '2', '0.5', '1E+99')
    """
    if isinstance(number, Decimal) and number == number.to_integral_value() and number.adjusted() < _LONGEST_NUMBER:
        return str(int(number))
    return str(number)


def score_of(*elements: Mapping[str, Any]) -> str | None:
    """The score that extensions of these elements state; `UNSURE` where they state several."""
    stated = {
        number_text(extension[key])
        for element in elements
        for extension in element.get("extension") or ()
        if str(extension.get("url", "")).rsplit("/", 1)[-1] in _SCORES
        for key in ("valueDecimal", "valueInteger")
        if key in extension
    }
    return None if not stated else stated.pop() if len(stated) == 1 else UNSURE


def with_score(scores: dict[str, str], code: str, score: str | None) -> None:
    """Notes the score of a code; `UNSURE` where another was noted before."""
    if score is not None:
        scores[code] = score if scores.get(code, score) == score else UNSURE


# Answers --------------------------------------------------------------------------------------------------------------


def value_of(answer: Mapping[str, Any]) -> tuple[str, object]:
    """Name and value of the answer's value[x]; ('', None) where it has none."""
    return next(((key, value) for key, value in answer.items() if re.fullmatch(r"value[A-Z]\w*", key)), ("", None))


def cell_of(answer: Mapping[str, Any]) -> str:
    """One answer as a cell: the code of a choice, a number, a text. What is none of these is only named, and is no answer."""
    name, value = value_of(answer)
    if name == "valueCoding" and isinstance(value, dict):
        return str(value.get("code") or value.get("display") or "[valueCoding]")
    if name == "valueQuantity" and isinstance(value, dict):
        return number_text(value["value"]) if "value" in value else "[valueQuantity]"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | Decimal):
        return number_text(value)
    return value if isinstance(value, str) else f"[{name}]" if name else ""


def coding_of(answer: Mapping[str, Any]) -> tuple[str, str, str | None] | None:
    """Code, label and score of an answer that is a choice."""
    _, value = value_of(answer)
    if not isinstance(value, dict) or not isinstance(value.get("code"), str):
        return None
    return value["code"], str(value.get("display") or ""), score_of(answer, value)


# Questionnaires -------------------------------------------------------------------------------------------------------


def questions_of(questionnaire: Mapping[str, Any]) -> Iterator[tuple[str, ColumnFacts]]:
    """linkId and facts of every item of a valid Questionnaire."""
    contained = {f"#{x.get('id')}": x for x in questionnaire.get("contained") or () if isinstance(x, dict)}
    for item in every_item(questionnaire):
        codes = [
            str(coding["code"])
            for coding in item.get("code") or ()
            if coding.get("system") == LOINC and coding.get("code")
        ]
        labels, scores = _choices(item, contained)
        role = "technical" if item.get("type") in _NO_QUESTION else "free_text" if item.get("type") == "text" else None
        yield (
            str(item.get("linkId", "")),
            ColumnFacts(codes[0] if codes else None, item.get("text"), labels, role=role, others=tuple(codes[1:]), scores=scores),
        )  # fmt: skip


def _choices(
    item: Mapping[str, Any], contained: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, str] | None, dict[str, str] | None]:
    labels: dict[str, str] = {}
    scores: dict[str, str] = {}
    for option in (*(item.get("answerOption") or ()), *(item.get("option") or ())):
        _, value = value_of(option)
        coding = value if isinstance(value, dict) else {}
        code = str(coding.get("code") or cell_of(option))
        labels[code] = str(coding.get("display") or code)
        with_score(scores, code, score_of(option, coding))
    listed = item.get("answerValueSet") or (item.get("options") or {}).get("reference")
    for concept in _concepts(contained.get(str(listed), {})):
        labels[str(concept.get("code"))] = str(concept.get("display") or concept.get("code"))
        with_score(scores, str(concept.get("code")), score_of(concept))
    return labels or None, scores or None


def _concepts(value_set: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    included = (value_set.get("compose") or {}).get("include") or ()
    yield from (value_set.get("expansion") or {}).get("contains") or ()
    yield from (concept for part in included for concept in part.get("concept") or ())


def numbered_name(canonical: str, link_id: str) -> str | None:
    """A question by the name in its Questionnaire's address and the number in its linkId; None where there is no such number.

    >>> numbered_name("https://example.org/Questionnaire/phq-9|2.0", "q3"), numbered_name("phq9", "1.3")
    ('phq-9_3', None)
    """
    name = canonical.split("|")[0].rstrip("/").rsplit("/", 1)[-1]
    found = _NUMBERED.fullmatch(link_id)
    return f"{name}_{found.group(1)}" if found and name else None
