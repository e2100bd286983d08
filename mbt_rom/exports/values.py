"""Words and codes of exports as the words of our tables: moments, yes and no, sex, language, mode, reasons.

Belongs here: vocabularies of cells, English and Dutch. A bare number is never translated without a mapping: 1 is a man in
one tool and a woman in the next. Does not belong here: headers (`names`), answers (`answers`), dates (`dates`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from mbt_rom.exports.names import normalised
from mbt_rom.model import Instrument
from mbt_rom.pseudonyms import holds_citizen_number, is_blank, map_unique
from mbt_rom.registers import END_REASONS, REGISTERS, SEXES, code_words

Flags = npt.NDArray[np.bool_]
_BASELINE = frozenset(
    [
        "baseline",
        "t0",
        "m0",
        "intake",
        "nulmeting",
        "voormeting",
        "begin",
        "start",
        "baselinemeting",
        "0_maanden",
        "0_months",
        "pre",
    ]
)
_MONTHS = re.compile(r"(?:m|month|months|maand|maanden)_?(\d{1,3})|(\d{1,3})_?(?:m|mnd|mo|month|months|maand|maanden)")
_DECIMAL = re.compile(r"-?\d{1,6}(?:[.,]\d{1,10})?")
_COUNT = re.compile(r"\d{1,4}")
#: The longest short name, in letters and in words: what is longer is text that somebody wrote.
_LONGEST_NAME, _MOST_WORDS = 40, 4
#: Behind the name of an event REDCap writes its arm: 'm6_arm_1', 'm6_arm_1b', and among labels 'Month 6 (Arm 1: day hospital)'.
_ARM = re.compile(r"_arm_\d+[a-z]?(?:_\w*)?$")
#: Values of our tables and the words that mean them.
WORDS: dict[str, dict[str, str]] = {
    "sex": dict(SEXES),
    "end_reason": dict(END_REASONS),
    "function": dict(REGISTERS["therapists"].column("function").codes),
    "mode": {
        "paper": "paper papier op_papier",
        "web": "web online internet email e_mail digitaal digital",
        "interview": "interview telephone telefoon phone telefonisch mondeling",
    },
    "language": {
        "nl": "nl nld dut dutch nederlands nl_nl nl_be",
        "en": "en eng english engels en_gb en_us",
        "de": "de deu ger german deutsch duits de_de",
        "fr": "fr fra fre french francais frans fr_fr fr_be",
        "tr": "tr tur turkish turkce turks",
        "ar": "ar ara arabic arabisch",
        "pl": "pl pol polish polski pools",
    },
    "respondent": {
        "self": "self zelf patient client zelfrapportage self_report ikzelf",
        "relative": "relative naaste familie familielid family partner spouse parent ouder mother moeder father vader proxy",
        "clinician": "clinician behandelaar therapist therapeut hulpverlener professional",
        "other": "other anders overig",
    },
    "assisted": {
        "yes": "yes y ja j true waar 1 assisted met_hulp",
        "no": "no n nee false onwaar 0 unassisted zonder_hulp",
    },
    "is_blind": {
        "yes": "yes y ja j true waar 1 blind blinded geblindeerd",
        "no": "no n nee false onwaar 0 not_blind unblinded niet_blind niet_geblindeerd open",
    },
    "complete": {
        "yes": "yes y ja j true waar complete completed voltooid afgerond finished volledig",
        "no": "no n nee false onwaar incomplete partial onvolledig started in_progress unverified",
    },
}
WORDS |= {
    code_words(name, column.name): dict(column.codes)
    for name, register in REGISTERS.items()
    for column in register.columns
    if column.codes
}
#: Yes and no in a register.
WORDS["boolean"] = {"yes": "yes y ja j true waar 1 x", "no": "no n nee false onwaar 0"}
#: Moments of the plan that are no number of months.
_OTHER_MOMENTS = {
    **dict.fromkeys(("end", "einde", "end_of_treatment", "einde_behandeling", "eindmeting"), "end"),
    **dict.fromkeys(("rebaseline", "re_baseline", "hermeting", "nieuwe_nulmeting"), "rebaseline"),
}
_BY_WORD = {kind: {w: value for value, words in v.items() for w in words.split()} for kind, v in WORDS.items()}


def code_key(text: str) -> str:
    """A code as codes are compared: without spaces around it, without regard to case, '1.0' as '1'.

    >>> code_key(" ADP02 "), code_key("1.0")
    ('adp02', '1')
    """
    return re.sub(r"^(-?\d+)[.,]0+$", r"\1", text.strip()).casefold()


def translated(column: pd.Series, codes: Mapping[str, str]) -> pd.Series:
    """Cells translated by a mapping's codes; missing where the code is not among them. Dtype str."""
    by_key = {code_key(code): value for code, value in codes.items()}
    return map_unique(column, lambda text: by_key.get(code_key(text))).astype("str")


def words(column: pd.Series, kind: str, codes: Mapping[str, str] | None = None) -> pd.Series:
    """Cells as the values of `WORDS[kind]`; missing where a word is not understood. Dtype str.

    >>> words(pd.Series(["Vrouw", "M", "1"]), "sex").tolist()
    ['female', 'male', nan]
    """
    if codes is not None:
        return translated(column, codes)
    return map_unique(column, lambda text: _BY_WORD[kind].get(normalised(code_key(text)))).astype("str")


def of_answers(answers: Mapping[str, str], kind: str) -> dict[str, str] | None:
    """Codes and labels of a column's answer list as values of `WORDS[kind]`; None where not every label is understood.

    >>> of_answers({"1": "Vrouw", "2": "Man"}, "sex")
    {'1': 'female', '2': 'male', 'Vrouw': 'female', 'Man': 'male'}
    """
    read = {label: _BY_WORD[kind].get(normalised(label)) for label in answers.values()}
    codes = {code: read[label] for code, label in answers.items()} | read
    known = {code: value for code, value in codes.items() if value is not None}
    return known if known and len(known) == len(codes) else None


def yes_no(column: pd.Series, kind: str, codes: Mapping[str, str] | None = None) -> pd.Series:
    """Cells of a yes/no column (`assisted`, `is_blind`) as boolean, missing where a word is not understood.

    Columns of these names hold 1 for yes and 0 for no; any other number needs a mapping.

    >>> yes_no(pd.Series(["ja", "0", "1.0", "2", ""]), "is_blind").tolist()
    [True, False, True, <NA>, <NA>]
    """
    read = words(column if codes is None else translated(column, codes), kind)
    return read.map({"yes": True, "no": False}).astype("boolean")


def decimals(column: pd.Series, *, missing: Collection[str] = ()) -> pd.Series:
    """Cells as numbers (float64), with a point or a comma; missing where one holds no number or one of the `missing` codes.

    >>> decimals(pd.Series(["12", "1,75", "2.0", "999", "n.a.", ""]), missing=["999"]).tolist()
    [12.0, 1.75, 2.0, nan, nan, nan]
    """
    keys = {code_key(code) for code in missing}

    def number(text: str) -> float | None:
        cell = text.strip()
        return float(cell.replace(",", ".")) if code_key(cell) not in keys and _DECIMAL.fullmatch(cell) else None

    return map_unique(column, number).astype("float64")


def not_understood(column: pd.Series, values: pd.Series) -> Flags:
    """Which cells hold something and came out as nothing."""
    filled = ~map_unique(column, is_blank).to_numpy(dtype=bool)
    return filled & values.isna().to_numpy(dtype=bool)


def moments(column: pd.Series, *, months: Collection[int], codes: Mapping[str, str] | None = None) -> pd.Series:
    """Stated moments as `baseline`, `m6` ... of the measurement plan; missing where one is not understood. Dtype str.

    A bare number or a T1 says nothing about months: a mapping must translate it.

    >>> moments(pd.Series(["T0", "6 maanden", "m12_arm_1", "T1"]), months=(0, 6, 12)).tolist()
    ['baseline', 'm6', 'm12', nan]
    """
    planned = {f"m{month}" if month else "baseline" for month in months}
    read = translated(column, codes) if codes is not None else map_unique(column, moment).astype("str")
    return read.where(read.isin(planned))


def moment(text: str) -> str | None:
    """One stated moment, in or out of the plan; None when it is not understood."""
    name = _ARM.sub("", normalised(text))
    if name in _BASELINE:
        return "baseline"
    if found := _MONTHS.fullmatch(name):
        month = int(found.group(1) or found.group(2))
        return f"m{month}" if month else "baseline"
    return None


def planned_moments(column: pd.Series, codes: Mapping[str, str] | None = None) -> pd.Series:
    """Moments that a register names: months as in `moments`, and `end` and `rebaseline`; missing where one is not understood.

    >>> planned_moments(pd.Series(["T0", "einde", "18 maanden", "T3"])).tolist()
    ['baseline', 'end', 'm18', nan]
    """
    if codes is not None:
        return translated(column, codes)
    return map_unique(column, lambda text: moment(text) or _OTHER_MOMENTS.get(normalised(text))).astype("str")


def short_names(column: pd.Series, codes: Mapping[str, str] | None = None) -> pd.Series:
    """Short names (a team, a medicine) in small letters, digits and underscores; missing where a cell holds more than that.

    >>> short_names(pd.Series(["Team A", "N06AB04", "he told us last week that he stopped"])).tolist()
    ['team_a', 'n06ab04', nan]
    """
    if codes is not None:
        return translated(column, codes)
    return map_unique(column, _short_name).astype("str")


def _short_name(text: str) -> str | None:
    name = normalised(text)
    is_short = len(name) <= _LONGEST_NAME and name.count("_") < _MOST_WORDS
    return name if name and is_short and not holds_citizen_number(text) else None


def instrument_names(instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """What a cell may call an instrument, in small letters and digits -> its id; names that two of them share are left out.

    >>> from mbt_rom.registry import instruments
    >>> instrument_names(instruments())["phq9"], instrument_names(instruments())["eq5d5l"]
    ('phq9', 'eq5d5l')
    """
    named: dict[str, set[str]] = {}
    for instrument in instruments.values():
        for name in (instrument.id, instrument.name, *instrument.prefixes):
            named.setdefault(_squeezed(name), set()).add(instrument.id)
    return {name: next(iter(ids)) for name, ids in named.items() if len(ids) == 1}


def instruments(column: pd.Series, names: Mapping[str, str]) -> pd.Series:
    """Ids of the instruments that cells name; missing where a name is not among `names` (see `instrument_names`).

    >>> instruments(pd.Series(["PHQ-9", "phq9", "PHQ"]), {"phq9": "phq9"}).tolist()
    ['phq9', 'phq9', nan]
    """
    return map_unique(column, lambda text: names.get(_squeezed(text))).astype("str")


def _squeezed(text: str) -> str:
    return normalised(text).replace("_", "")


def counts(column: pd.Series) -> pd.Series:
    """Whole numbers from 0 to 9999 as Int32, missing where a cell holds anything else.

    >>> counts(pd.Series(["3", "4.0", "-1", "many"])).tolist()
    [3, 4, <NA>, <NA>]
    """
    return map_unique(column, lambda text: int(key) if _COUNT.fullmatch(key := code_key(text)) else None).astype(
        "Int32"
    )


def is_complete(column: pd.Series, *, yes: Collection[str] | None = None) -> pd.Series:
    """Whether forms were finished (boolean, missing where the tool does not say).

    `yes`: codes that a mapping states; every other filled cell is then no. Without: words, 1 and 0, and the 0, 1, 2 of
    REDCap (2 is complete, 1 is unverified) where a 2 occurs.

    >>> is_complete(pd.Series(["ja", "nee", ""])).tolist(), is_complete(pd.Series(["2", "1", "0"])).tolist()
    ([True, False, <NA>], [True, False, False])
    """
    if yes is not None:
        keys = {code_key(code) for code in yes}
        read = map_unique(column, lambda text: None if is_blank(text) else code_key(text) in keys)
        return read.astype("boolean")
    numbers = {"0": "no", "1": "yes"}
    present = {code_key(str(text)) for text in column.unique() if not is_blank(str(text))}
    if "2" in present and present <= {"0", "1", "2"}:
        numbers = {"0": "no", "1": "no", "2": "yes"}

    def read_word(text: str) -> bool | None:
        word = numbers.get(code_key(text)) or _BY_WORD["complete"].get(normalised(text))
        return None if word is None else word == "yes"

    return map_unique(column, read_word).astype("boolean")


def means_complete(word: str) -> bool:
    """Whether a word says that a form was finished.

    >>> means_complete("Complete"), means_complete("Unverified")
    (True, False)
    """
    return _BY_WORD["complete"].get(normalised(word)) == "yes"


def is_among(column: pd.Series, codes: Collection[str]) -> Flags:
    """Which cells hold one of the codes.

    >>> is_among(pd.Series(["0", "0.0", "1", ""]), ["0"]).tolist()
    [True, True, False, False]
    """
    keys = {code_key(code) for code in codes}
    return map_unique(column, lambda text: code_key(text) in keys).to_numpy(dtype=bool)
