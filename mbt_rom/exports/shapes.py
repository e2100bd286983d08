"""What the cells of a column look like: dates, numbers of persons, long texts. Looked at in a sample, told without a value.

Belongs here: shapes that contradict or support a name. Does not belong here: reading dates or answers for good (`dates`,
`cells`), what follows for the file (`detection`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mbt_rom.exports import values
from mbt_rom.exports.dates import is_date_like
from mbt_rom.exports.names import normalised
from mbt_rom.exports.sheets import RawSheet
from mbt_rom.pseudonyms import is_blank

#: So many rows, spread evenly over the sheet, are looked at.
SAMPLE = 300
#: Fewer filled cells than this contradict nothing.
FEWEST = 5
#: A name is contradicted when more than this share of the filled cells cannot be meant by it.
MOST = 0.5
#: A column of response ids repeats an id for every export of a response, but not for whole courses of treatment.
_FEWEST_RESPONSES, _DISTINCT_RESPONSES = 10, 0.4
_LONG, _WORDS = 40, 5
#: Patients' numbers without any digit are pseudonyms, and longer than initials.
_SHORTEST_NUMBER = 5
_COMPACT = re.compile(r"(?:19|20)\d{6}(?:\d{4,6})?|\d{5}(?:[.,]\d+)?", re.ASCII)
_YEAR = re.compile(r"(?:19|20)\d{2}(?:[.,]0+)?", re.ASCII)
_YES_NO = frozenset(["yes", "no", "ja", "nee", "true", "false", "waar", "onwaar", "y", "n", "j"])
_SEXES = frozenset(values.WORDS["sex"]) | {word for words in values.WORDS["sex"].values() for word in words.split()}
#: Names of columns that hold whatever a person wrote.
FREE_TEXT = frozenset(
    [
        "opmerking",
        "opmerkingen",
        "toelichting",
        "toelichtingen",
        "comment",
        "comments",
        "remark",
        "remarks",
        "note",
        "notes",
        "notities",
        "notitie",
        "namelijk",
        "anders",
        "overig",
        "other",
        "specify",
        "beschrijving",
        "description",
        "feedback",
        "bijzonderheden",
        "vrije_tekst",
        "free_text",
        "explain",
        "explanation",
        "omschrijving",
        "bericht",
        "message",
        "tekst",
        "text",
        "commentaar",
        "reden_toelichting",
    ]
)


def sample(sheet: RawSheet, position: int) -> list[str]:
    """The filled cells of a column in rows spread evenly over the sheet."""
    step = max(1, len(sheet.frame) // SAMPLE)
    texts = [str(text).strip() for text in sheet.frame.iloc[::step, position].tolist()]
    return [text for text in texts if not is_blank(text)]


def share(flags: Sequence[bool]) -> float:
    """Share of those that are true; 0 of none."""
    return sum(flags) / len(flags) if flags else 0.0


def dated(texts: Sequence[str]) -> float:
    """Share of cells that are dates, by their writing alone: 2026-01-31, 31/1/2026, 31 jan 2026.

    >>> dated(["2026-01-31", "31-1-2026 10:00", "1001"]) == 2 / 3
    True
    """
    return share([is_date_like(text) and not text.isdigit() for text in texts])


def may_be_dates(texts: Sequence[str]) -> float:
    """Share of cells that can be dates, those written as one number included (20260131, or a spreadsheet's 46053)."""
    return share([is_date_like(text) or _COMPACT.fullmatch(text) is not None for text in texts])


def is_free_text(header: str, texts: Sequence[str]) -> bool:
    """Whether a column that nothing else is known of holds what people wrote: by a word of its name, or by long cells.

    >>> is_free_text("anders, namelijk", []), is_free_text("V7", ["I was away for most of the week"]), is_free_text("V8", ["3"])
    (True, True, False)
    """
    return has_word_of_free_text(header) or share([_is_long(text) for text in texts]) > MOST


def has_word_of_free_text(header: str) -> bool:
    """Whether a word of the name says that people write there: 'phq9_opmerkingen', 'other, namely'."""
    return not FREE_TEXT.isdisjoint({normalised(header), *normalised(header).split("_")})


def _is_long(text: str) -> bool:
    return not is_date_like(text) and (len(text) > _LONG or len(text.split()) >= _WORDS)


# What contradicts a name ----------------------------------------------------------------------------------------------


def against(role: str, texts: Sequence[str]) -> str | None:
    """What in the cells contradicts that the column is this, as the second half of a sentence; None when nothing does.

    >>> against("patient", ["2026-01-31"] * 5), against("patient", ["1001"] * 5), against("date", ["T0"] * 5)
    ('it holds dates', None, 'it holds no dates')
    """
    if len(texts) < FEWEST:
        return None
    if role in ("date", "submitted_at"):
        return "it holds no dates" if may_be_dates(texts) < 1 - MOST else None
    if role in _NEVER_DATES and dated(texts) > MOST:
        return "it holds dates"
    if role == "patient":
        return _against_patient(texts)
    if role == "respondent" and share([any(c.isdigit() for c in t) and len(t) > 1 for t in texts]) > MOST:
        return "it holds numbers, and no words for who answered"
    if role in _WORDED and not any(_WORDED[role].search(text.casefold()) for text in texts):
        return f"none of its cells is one of a {role.replace('_', ' ')}"
    if role == "response_id" and len(texts) >= _FEWEST_RESPONSES and len(set(texts)) < _DISTINCT_RESPONSES * len(texts):
        return "the same few stand there again and again"
    if role == "birth_year" and share([_may_be_birth(text) for text in texts]) < 1 - MOST:
        return "it holds no years and no dates"
    if role == "sex" and share([_may_be_sex(text) for text in texts]) < 1 - MOST:
        return "it holds neither words nor codes for a sex"
    return None


#: Some cell of such a column holds something of this kind: a moment a number or a usual word, a language letters, a state of
#: completion a code or a word that `values` knows.
_WORDED = {
    "moment": re.compile(
        r"\d|base|meting|meeting|measure|start|begin|intake|screen|aanmeld|admission|opname|eind|end|ontslag|discharge|follow|fu\b|pre|post"
        r"|voor|\bna\b|tussen|mid|jaar|year|maand|month|week|wave|visit|bezoek|first|last|eerste|laatste|final"
    ),
    "language": re.compile(r"[^\W\d_]"),
    "mode": re.compile(r"^\d+$|" + "|".join(w.replace("_", "[ _-]?") for w in sorted(values.KNOWN_WORDS["mode"]))),
    "complete": re.compile(
        r"^\d+(?:[.,]\d+)?%?$|^(?:"
        + "|".join(w.replace("_", "[ _-]?") for w in sorted(values.KNOWN_WORDS["complete"]))
        + ")$"
        r"|done|open|klaar|gereed|niet|ingevuld|complet|volt|afge|finish|partial|gestopt|ongoing|bezig|progress|submit|ingestuurd"
    ),
}


def _against_patient(texts: Sequence[str]) -> str | None:
    if all(text.casefold() in _YES_NO for text in texts):
        return "it holds yes and no"
    if share([_is_name(text) for text in texts]) > MOST:
        return "it holds names, initials or words"
    return None


def _is_name(text: str) -> bool:
    """Initials, words and names: nothing with a digit, and too short or too much like a text for a number in letters."""
    return not any(c.isdigit() for c in text) and (len(text) < _SHORTEST_NUMBER or not text.isalnum())


_NEVER_DATES = frozenset(
    [
        "patient",
        "response_id",
        "moment",
        "programme",
        "complete",
        "language",
        "mode",
        "sex",
        "therapist",
        "respondent",
        "assisted",
        "interviewer",
        "is_blind",
    ]
)


def _may_be_birth(text: str) -> bool:
    return _YEAR.fullmatch(text) is not None or is_date_like(text) or _COMPACT.fullmatch(text) is not None


def _may_be_sex(text: str) -> bool:
    return text.casefold() in _SEXES or (text.isdigit() and len(text) == 1)
