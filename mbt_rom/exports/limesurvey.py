"""LimeSurvey: exports of responses with codes, codes and texts, or texts as headings, and VV files.

Belongs here: the layout of a LimeSurvey export. Does not belong here: any other tool's.

- Headings are codes ('phq9[SQ001]'), codes with texts behind them ('phq9[SQ001]. How often ... [Sleep]') or texts alone. Texts alone carry
  no names: nothing in them is taken for an item.
- `submitdate` is empty as long as a response is not finished; its time is then that of the last action. In surveys that keep no times it
  is 1980-01-01 for finished ones.
- `id` counts the responses of one survey from 1, so that two surveys share ids: the response is `id` together with the random seed, or
  the start, which never change. Without either of them nobody can tell responses of two surveys apart, and none is named.
- `token` is a participant's key: it is the response only where there is no `id`, and never the patient without a mapping.
- Answers come as codes or in full; in full they may hold markup, which is removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from mbt_rom.exports.codebook import Codebook
from mbt_rom.exports.dialect import Dialect
from mbt_rom.exports.markup import plain_text
from mbt_rom.exports.names import Vocabulary
from mbt_rom.exports.sheets import ColumnFacts, Grid, with_columns
from mbt_rom.pseudonyms import map_unique

NAME = "limesurvey"
_ID, _SUBMITTED, _LAST, _STARTED, _SEED, _TOKEN = "id", "submitdate", "datestamp", "startdate", "seed", "token"
_TELLING = frozenset([_SUBMITTED, "lastpage", "startlanguage", _SEED, _STARTED, _LAST])
_ENOUGH = 2
_TECHNICAL = _TELLING | {_ID, _TOKEN, "ipaddr", "refurl", "firstname", "lastname", "email", "interviewtime"}
#: Headings of the same columns where texts are asked for: English, Dutch, German.
_TEXTS = {
    "response id": _ID, "respons id": _ID, "respons-id": _ID, "antwoord id": _ID, "antwort id": _ID, "antwort-id": _ID,
    "date submitted": _SUBMITTED, "datum ingestuurd": _SUBMITTED, "datum ingediend": _SUBMITTED, "datum verzonden": _SUBMITTED,
    "datum abgeschickt": _SUBMITTED, "last page": "lastpage", "laatste pagina": "lastpage", "letzte seite": "lastpage",
    "start language": "startlanguage", "starttaal": "startlanguage", "begintaal": "startlanguage", "start-sprache": "startlanguage",
    "startsprache": "startlanguage", "seed": _SEED, "zufallsstartwert": _SEED, "date started": _STARTED,
    "datum gestart": _STARTED, "datum gestartet": _STARTED, "date last action": _LAST, "datum laatste actie": _LAST,
    "datum letzte aktivität": _LAST, "ip address": "ipaddr", "ip-adres": "ipaddr", "ip-adresse": "ipaddr",
    "referrer url": "refurl", "access code": _TOKEN, "toegangscode": _TOKEN, "zugangscode": _TOKEN,
}  # fmt: skip
_CODED = re.compile(r"([A-Za-z_]\w*(?:\[[^\]\s]*\])*)(?:\.\s+(.*))?", re.DOTALL)
_FREE_TEXT = re.compile(r".*\[\w*comment\]|.*\[other\]|\w+_other|\w*comment", re.IGNORECASE)
_TIMING = re.compile(r"(?:group|question)_?time\d+", re.IGNORECASE)
_TIMING_TEXT = re.compile(r"(?:total|group|question) time\b|(?:totale tijd|groepstijd|vraagtijd)\b", re.IGNORECASE)
_NO_TIME = re.compile(r"1980-01-01(?: 00:00(?::00)?)?")
_NOT_SHOWN = "{question_not_shown}"
_HEADER_WITHIN = 3
_NAMES = Vocabulary({})


def header(grid: Grid) -> int | None:
    """Position of the header, where LimeSurvey wrote the grid: the lower of the two in a VV file, which holds the codes."""
    found = [i for i in range(min(_HEADER_WITHIN, len(grid.cells))) if _is_header(_codes(grid.row_texts(i)))]
    return found[-1] if found else None


def _is_header(codes: Sequence[str]) -> bool:
    return bool({_ID, _TOKEN} & set(codes)) and len(_TELLING & set(codes)) >= _ENOUGH


def _codes(cells: Sequence[str]) -> list[str]:
    """The code of every column; '' where a heading holds none. Where headings are texts, only LimeSurvey's own have one."""
    headers = [cell.strip().strip("\ufeff") for cell in cells]
    own = [_TEXTS.get(text.casefold(), "") for text in headers]
    if _holds_texts(headers):
        return own
    found = [_CODED.fullmatch(text) for text in headers]
    return [match.group(1) if match else "" for match in found]


def _holds_texts(headers: Sequence[str]) -> bool:
    """Whether headings are texts: LimeSurvey's own columns say so."""
    own = {_TEXTS.get(text.casefold()) for text in headers if text.casefold() != _SEED}
    return len((_TELLING | {_ID}) & own) >= _ENOUGH


def read(grid: Grid, position: int, codebooks: Sequence[Codebook]) -> Grid:
    """The grid with the code and text of every column, and columns for the response, its date and whether it was finished."""
    headers = [cell.strip().strip("\ufeff") for cell in grid.row_texts(position)]
    codes = _codes(headers)
    above = grid.row_texts(position - 1) if position else [""] * len(headers)
    is_text = _holds_texts(headers)
    facts = [_facts(h, c, a, is_text=is_text) for h, c, a in zip(headers, codes, above, strict=True)]
    if _ID not in codes:
        facts = [replace(f, role="response_id") if c == _TOKEN else f for f, c in zip(facts, codes, strict=True)]
    below = grid.cells.iloc[position + 1 :].reset_index(drop=True)
    cells = grid.cells.copy()
    for i, fact in enumerate(facts):
        if fact.role is None and (after := _without_markup(below.iloc[:, i])) is not below.iloc[:, i]:
            cells.iloc[position + 1 :, i] = after.to_numpy()
    plain = replace(grid, cells=cells, dialect=NAME, header=position, facts=tuple(facts))
    own = {code: below.iloc[:, codes.index(code)].str.strip() for code in _TECHNICAL if code in codes}
    is_dated = any(
        m.role == "date" for c, f in zip(codes, facts, strict=True) if not f.role for m in _NAMES.meanings(c)
    )
    return with_columns(plain, {**_times(own, is_dated=is_dated), **_responses(own)})


# What the columns are -------------------------------------------------------------------------------------------------


def _facts(header: str, code: str, above: str, *, is_text: bool) -> ColumnFacts:
    """What LimeSurvey says of a column. `above`: the cell above its heading, which holds the text in VV files."""
    if is_text:
        return ColumnFacts(
            code or None, None if code else plain_text(header) or None, role=_role(code) or "question_text"
        )
    found = _CODED.fullmatch(header)
    text = plain_text((found.group(2) if found else None) or above) or None
    is_timing = bool(_TIMING.fullmatch(code) or (code.endswith("Time") and text and _TIMING_TEXT.match(text)))
    role = _role(code) or ("technical" if is_timing else None)
    return ColumnFacts(code or None, text, role=role or ("free_text" if _FREE_TEXT.fullmatch(code) else None))


def _role(code: str) -> str | None:
    if code == "startlanguage":
        return "language"
    return "technical" if code in _TECHNICAL else None


# Cells ----------------------------------------------------------------------------------------------------------------


def _without_markup(cells: pd.Series) -> pd.Series:
    """Answers as people see them; empty where the question was not shown. The very same where nothing changes."""
    texts = [str(text) for text in cells.unique()]
    if not any("<" in text or "&" in text or text == _NOT_SHOWN for text in texts):
        return cells
    return map_unique(cells, lambda text: "" if text == _NOT_SHOWN else plain_text(text)).astype("str")


# What follows from several columns ------------------------------------------------------------------------------------


def _times(own: dict[str, pd.Series], *, is_dated: bool) -> dict[str, tuple[pd.Series, ColumnFacts]]:
    """When a response was submitted, on which day it was last worked at, and whether it was finished.

    A question for the day (`is_dated`) goes before the day of typing in.
    """
    nothing = pd.Series("", index=next(iter(own.values())).index, dtype="str")
    submitted = own.get(_SUBMITTED, nothing)
    submitted = submitted.mask(submitted.isin(["N", _NOT_SHOWN]), "")
    last = own.get(_LAST, nothing)
    last = last.mask(last == "", own.get(_STARTED, nothing))
    is_timeless = map_unique(submitted, lambda text: bool(_NO_TIME.fullmatch(text))).astype("bool")
    time = submitted.mask(is_timeless, own.get(_LAST, nothing))
    told = {} if is_dated else {"(date)": (time.mask(time == "", last), ColumnFacts(role="date", is_derived=True))}
    if _SUBMITTED not in own:
        return told
    is_row = _any_filled(list(own.values()))
    finished = (submitted != "").map({True: "yes", False: "no"}).where(is_row, "")
    told["(submitted)"] = (time, ColumnFacts(role="submitted_at", is_derived=True))
    return told | {"(complete)": (finished, ColumnFacts(role="complete", is_derived=True))}


def _any_filled(columns: Sequence[pd.Series]) -> pd.Series:
    return (pd.concat(columns, axis=1) != "").any(axis=1)


def _responses(own: dict[str, pd.Series]) -> dict[str, tuple[pd.Series, ColumnFacts]]:
    """The response of every row, where it can be told from those of other surveys."""
    if _ID not in own or not {_SEED, _STARTED} & own.keys():
        return {}
    nothing = pd.Series("", index=own[_ID].index, dtype="str")
    seed = own.get(_SEED, nothing)
    key = seed.mask(seed == "", own.get(_STARTED, nothing))
    joined = (own[_ID] + "|" + key).where((own[_ID] != "") & (key != ""), "")
    return {"(response)": (joined.astype("str"), ColumnFacts(role="response_id", is_derived=True))}


DIALECT = Dialect(NAME, header, read)
