"""What a column header means: a role (patient, date ...), an item of an instrument, or nothing that is taken in.

Belongs here: how items are spelled, and putting names and words of fields (`role_names`, `role_words`) to use. Does not belong here: deciding between columns of one file
(`detection`), mapping files (`mapping`). Order and position of columns never mean anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from mbt_rom.exports import role_words
from mbt_rom.exports.item_words import PUBLIC, TOPICS
from mbt_rom.exports.role_names import FORM_ROLES, ROLES, TOTAL_WORDS
from mbt_rom.model import Instrument, Item

#: `Meaning.prefix` of items that are named by a code of LOINC.
LOINC = "loinc"
_SCORE_WORD = re.compile(
    r"(?:_(?:score|schaal|scale|total|totaal|tot|sum|som|mean|gem|avg|index_?value))$|^(?:score|schaal|scale|schaalscore)_"
)
#: Fields that a question text or label may name as well as a header.
_TOLD_BY_TEXT = ("moment", "birth_year", "sex")
#: A name of an item within a text is no longer than this, and has such a word before its number ...
_LONGEST_NAME = 60
_ITEM_WORD = re.compile(r"(?i)(?:\b|_)(?:items?|vraag|question|q|nr|no)\.?[\s_-]*\d{1,3}\b")
#: ... or signs around it, behind the whole name: 'PHQ-9: 3. ...', 'PHQ-9 [3] ...', 'PHQ-9 - Q3) ...'.
_BEFORE_NUMBER = (
    r"(?!\d)(?:\s*[:|>(\[]\s*|\s+[-–—]\s+)(?:item|vraag|question|q|nr|no)?\.?\s*(\d{1,3})\s*[.):\]|](?=\s|$)"
)
#: ... or at the end of a text that begins with the name of the instrument.
_ITEM_AT_END = re.compile(
    r"(?i)\b(?:item|vraag|question|stelling|statement|uitspraak|klacht|symptom|onderwerp|area|picture|plaatje|group|groep|gruppe)"
    r"\s*(\d{1,3})\s*[\])]?$"
)
#: A row of a grid of questions, behind its heading: 'PHQ-9: how often ... [3. sleep]'.
_ROW_OF_GRID = re.compile(r"\[\s*(\d{1,3})\s*[.):]\s[^\[\]]*\]$")
_LEADING_NUMBER = re.compile(r"^\s*\d{1,3}\.\s")
_NUMBER_AT_END = re.compile(r"\s(\d{1,3})$")
#: Words that may stand between the instrument's name and the number.
_FILLERS = (
    r"(?:items?|questions?|vraag|vr|q|sq|i|v|nr|no|item_nr|statement|stelling|uitspraak|klacht|symptom|picture|plaatje"
    r"|answers?|antwoord(?:en)?|frage)"
)
#: What tools write behind the name of an answer itself: 'bdi_1_value', 'BDI_1_E1_C1' (OpenClinica: event and form).
_BEHIND = re.compile(r"_(?:value|val|raw|ruw|answer|antwoord|response|score|e\d{1,2}_c\d{1,2})$")
#: The number before the name of the instrument: 'q1_phq9', 'item 1 PHQ-9', 'Vraag 1 (PHQ-9)'.
_TURNED = re.compile(r"(?:items?|questions?|vraag|vr|q|nr|no|frage)_?0*(\d{1,3})_(\w+)", re.ASCII)
#: What lists write before it: what the questionnaire is about.
_BEFORE = re.compile(
    r"^(?:rom|survey|vragenlijst|lijst|questionnaire|form|depressie|depression|klachten|symptoms?|angst|anxiety|hechting|attachment"
    r"|stemming|mood|interpersoonlijk|interpersonal|persoonlijkheid|personality|functioneren|functioning)_(?=[a-z])"
)
#: A key that ends in a number, and the words that may stand before that number.
_NUMBERED = re.compile(r"(\w*?)_?0*(\d+)", re.ASCII)
_BETWEEN = re.compile(r"(?:^|_)(?:criterion|criterium|items?|questions?|vraag|nr|no)_?$")
#: What stands behind a question or field: 'Sleep (0-3)', 'Moment (1 = start)'.
_RANGE_AT_END = re.compile(r"\s*\(\s*\d{1,3}\s*(?:[-–]|to|tot|bis)\s*\d{1,3}\s*\)$")
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
#: Signs between the parts of a question's text.
_PARTS = re.compile(r"\s[-–—]\s|[\[\]/:|>]+")
_LABELLED = re.compile(r"^(\w+(?:\[\w+\])?)\.\s")


def normalised(header: str) -> str:
    """A header in small letters, digits and single underscores; of LimeSurvey's 'code. text' the code.

    >>> normalised("  PHQ-9 item 01 "), normalised("id. Response ID"), normalised("Datum_invulling")
    ('phq_9_item_01', 'id', 'datum_invulling')
    """
    text = unicodedata.normalize("NFKD", header.strip().strip("\ufeff"))
    text = "".join(c for c in text if not unicodedata.combining(c))
    if labelled := _LABELLED.match(text):
        text = labelled.group(1)
    return re.sub(r"[\W_]+", "_", text.casefold()).strip("_")


def column_key(header: str) -> str:
    """A header as mapping files are compared with it: without regard to case and repeated spaces.

    >>> column_key(" Pre-Op Q  Mobility ")
    'pre-op q mobility'
    """
    return " ".join(unicodedata.normalize("NFKC", header).split()).casefold()


@dataclass(frozen=True)
class Meaning:
    """What one header may mean. `rank`: 0 sure, 1 second choice. `number` without `item`: one the instrument has not.

    `is_dressed`: something stands before or behind the name that changes nothing; where the plain name is there too, that one is meant.
    `scale`: the scale of a stored total, where its name says which. An item of rank 1 has a header such as 'phq9': item 9 behind 'phq1' ... 'phq8', a total score anywhere else.
    """

    role: str
    rank: int = 0
    instrument: str | None = None
    item: str | None = None
    number: str | None = None
    prefix: str | None = None
    scale: str | None = None
    is_dressed: bool = False


class Vocabulary:
    """The headers that a set of instruments, and every export, may use."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._spellings = [
            # 'OQ-45.2' ends in a number that could be that of an item: behind it a sign must follow.
            Spelling(prefix, instrument, needs_sign=bool(re.search(r"\d_\d+$", prefix)))
            for instrument in instruments.values()
            for prefix in _prefixes(instrument)
        ]
        self._spellings += [
            # 'RFQ08_04': the number in the name with a zero before it; behind it a sign must follow.
            Spelling(f"{padded.group(1)}0{padded.group(2)}", instrument, needs_sign=True)
            for instrument in instruments.values()
            for prefix in _prefixes(instrument)
            if (padded := re.fullmatch(r"(\w*[a-z])_?(\d)", prefix))
        ]
        self._topics = {i: _topics(instrument) for i, instrument in instruments.items()}
        self._names = {spelling.prefix for spelling in self._spellings}
        self._spellings += [
            # 'bsi53_1': the number of its items behind the name, and then a sign; 'bsi53' and 'bsi_53' are item 53.
            Spelling(
                f"{spelling.named}{len(instruments[spelling.instrument].items)}",
                instruments[spelling.instrument],
                needs_sign=True,
            )
            for spelling in self._spellings
            if spelling.has_only_numbers
            and spelling.named[-1].isalpha()
            and f"{spelling.prefix}{len(instruments[spelling.instrument].items)}" not in self._names
        ]
        self._squeezed: dict[str, tuple[str, ...]] = {}
        for spelling in self._spellings:
            self._squeezed[spelling.prefix] = (*self._squeezed.get(spelling.prefix, ()), spelling.instrument)
        self._roles: dict[str, list[Meaning]] = {}
        for role, groups in ROLES.items():
            for rank, names in enumerate(groups):
                for name in names:
                    self._roles.setdefault(name, []).append(Meaning(role, rank))
        self._loinc = _loinc(instruments)
        self._seen: dict[str, tuple[Meaning, ...]] = {}

    def meanings(self, header: str) -> tuple[Meaning, ...]:
        """All that the header may mean; several where that depends on the rest of the file."""
        if header not in self._seen:
            name = normalised(header)
            coded = self._loinc.get(header.strip().removeprefix("/").upper(), ())
            roles = coded or self._fixed(header, name) or self._made(header)
            self._seen[header] = roles or self._answers(name) or self._dressed(name)
        return self._seen[header]

    def _dressed(self, name: str) -> tuple[Meaning, ...]:
        """An answer with a word before or behind its name that changes nothing, or with its number before it: 'q1_phq9'."""
        if (turned := _TURNED.fullmatch(name)) is not None and turned.group(2).replace("_", "") in self._names:
            return tuple(replace(m, is_dressed=True) for m in self._items(f"{turned.group(2)}_item_{turned.group(1)}"))
        plain = _BEFORE.sub("", _BEHIND.sub("", name))
        return tuple(replace(m, is_dressed=True) for m in self._answers(plain)) if plain != name else ()

    def _answers(self, name: str) -> tuple[Meaning, ...]:
        return self._items(name) or self._totals(name)

    def _fixed(self, header: str, name: str) -> tuple[Meaning, ...]:
        """Fields with a fixed name; the patient beside another one where the name is made of words for both ('respondent')."""
        roles = tuple(self._roles.get(name, ()))
        rank = role_words.patient_rank(header) if roles and all(m.role != "patient" for m in roles) else None
        return roles if rank is None else (*roles, Meaning("patient", rank))

    def _made(self, text: str) -> tuple[Meaning, ...]:
        """The patient's number or the date of the answers, where the text is made of words for it and of no others."""
        if (rank := role_words.patient_rank(text)) is not None:
            return (Meaning("patient", rank),)
        if (dated := role_words.date_rank(text, self._squeezed)) is None:
            return ()
        rank, name = dated
        return tuple(Meaning("date", rank, instrument) for instrument in self._squeezed.get(name, (None,)))

    def field_in(self, text: str) -> tuple[Meaning, ...]:
        """The field of forms that a question text or label names: 'Uw cliëntnummer', 'Date questionnaire completed', 'meetmoment'."""
        bare = _IN_BRACKETS.sub("", text)  # 'Meetmoment (1 = start, 2 = 6 maanden)'
        told = tuple(m for m in self._roles.get(normalised(bare), ()) if m.role in _TOLD_BY_TEXT)
        return self._made(text) or told

    def named_in(self, text: str) -> tuple[Meaning, ...]:
        """Items that a question text names outright: 'PHQ-9, item 3: ...', 'PHQ-9 - 3. ...', 'EQ-5D-5L: Mobility'; else none.

        'PHQ-4: ...' names no item: without a word such as 'item' the whole name must stand before the number.
        """
        text = _RANGE_AT_END.sub("", " ".join(text.split()))
        by_tag = self._items(normalised(text)) if len(text) <= _LONGEST_NAME else ()
        found = tuple(m for m in by_tag if m.item and not str(m.number).isdigit())
        return found or self._worded(text) or self._numbered(text) or self._ended(text) or self._on_topic(text)

    def _on_topic(self, text: str) -> tuple[Meaning, ...]:
        """The item whose topic stands alone in the last part of a text that names the instrument: 'PHQ-9 [Question about sleep]'.

        A number in that part must be the item's own.
        """
        if numbered := _LEADING_NUMBER.match(text):  # '1. interest (PHQ-9)'
            last = f"{int(numbered.group().strip(' .'))}_{normalised(text[numbered.end() :])}"
        else:
            last = normalised(next((part for part in reversed(_PARTS.split(text)) if part.strip()), ""))
        found = []
        for i in self.instruments_in(text, is_whole=True):
            item = _topic_of(self._topics[i], last)
            if item is not None and (numbered is None or last.partition("_")[0] == item.number):
                found.append(Meaning("item", 0, i, item.id, item.number, "topic"))
        return tuple(found)

    def spelled(self, text: str) -> tuple[str, ...]:
        """Ids of the instruments of which the text is the whole name: 'OQ-45', 'phq9'; an instrument's longest name where several are."""
        return tuple(dict.fromkeys(self._squeezed.get(normalised(text).replace("_", ""), ())))

    def _worded(self, text: str) -> tuple[Meaning, ...]:
        for name in leading_names(text):
            found = tuple(m for m in self._items(normalised(name)) if m.role == "item" and m.item and m.rank == 0)
            if found:
                return found
        return ()

    def _ended(self, text: str) -> tuple[Meaning, ...]:
        """The instrument at the beginning of a text and 'item 3' at its end; behind a name that ends in a number just '3'."""
        ended = _ITEM_AT_END.search(text) or _ROW_OF_GRID.search(text) or _NUMBER_AT_END.search(text)
        found = [s for s in self._spellings if ended is not None and s.before_text.match(text)]
        if (
            ended is not None and ended.re is _NUMBER_AT_END
        ):  # 'BSI-18 17', but not 'PHQ 9': the whole name and nothing else
            found = [s for s in found if s.named[-1].isdigit() and s.named == normalised(text[: ended.start()])]
        longest = max((len(s.prefix) for s in found), default=0)
        key = item_key(ended.group(1)) if ended is not None else ""
        return tuple(
            Meaning("item", 0, s.instrument, s.items[key], key, s.prefix)
            for s in found
            if len(s.prefix) == longest and key in s.items
        )

    def _numbered(self, text: str) -> tuple[Meaning, ...]:
        found = [(s, match.group(1)) for s in self._spellings if (match := s.before_number.match(text)) is not None]
        longest = max((len(s.prefix) for s, _ in found), default=0)
        named = [(s, item_key(number)) for s, number in found if len(s.prefix) == longest]
        return tuple(
            Meaning("item", 0, s.instrument, s.items[key], key, s.prefix) for s, key in named if key in s.items
        )

    def instruments_in(self, text: str, *, is_whole: bool = False) -> tuple[str, ...]:
        """Ids of the instruments whose name stands in a text as a word: the longest names only.

        `is_whole`: no number stands behind the name, as in 'PHQ-4', which is another instrument.
        """
        squeezed = "_" + normalised(_LEADING_NUMBER.sub("", text)) + "_"
        found = [
            s
            for s in self._spellings
            if (m := s.within_text.search(squeezed))
            and not (is_whole and not s.named[-1].isdigit() and squeezed[m.end() :][:1].isdigit())
        ]
        longest = max((len(s.prefix) for s in found), default=0)
        return tuple(dict.fromkeys(s.instrument for s in found if len(s.prefix) == longest))

    def _totals(self, name: str) -> tuple[Meaning, ...]:
        """A stored total: 'total_phq9', or the name of the instrument alone; 'phq9_total' is read with the items."""
        if name in TOTAL_WORDS:
            return (Meaning("total"),)
        word = next((w for w in sorted(TOTAL_WORDS, key=len, reverse=True) if name.startswith(f"{w}_")), None)
        behind = name if word is None else name.removeprefix(f"{word}_")
        named = [s for s in self._spellings if s.prefix == behind.replace("_", "")]
        return tuple(dict.fromkeys(Meaning("total", int(word is None), s.instrument, scale=s.primary) for s in named))

    def _items(self, name: str) -> tuple[Meaning, ...]:
        """Meanings behind the longest name of an instrument; beside them those behind a shorter one, where digits run on.

        'bdi21' is item 1 of 'bdi2' and item 21 of 'bdi': which one, the other columns of the file must say (rank 1).
        """
        found = [(s, m) for s in self._spellings if (m := s.meaning(name)) is not None]
        longest = max((len(s.prefix) for s, _ in found), default=0)
        sure = [(s, m) for s, m in found if len(s.prefix) == longest]
        rank = int(name.replace("_", "") in self._names)
        if all(s.runs_on(name) for s, _ in sure):
            shorter = [(s, m) for s, m in found if len(s.prefix) < longest and m.item is not None]
            if shorter and all(m.item is None for _, m in sure):
                sure = shorter
            elif shorter:
                sure, rank = [*sure, *shorter], 1
        return tuple(dict.fromkeys(replace(m, rank=rank) for _, m in sure))

    def recognised(self, cells: Sequence[str]) -> int:
        """In how many cells of a row a name is recognised. 'score' and its likes stand in any table: they are none."""
        return sum(
            bool(cell) and len(cell) < 300 and any(m.role != "total" for m in self.meanings(cell)) for cell in cells
        )


def _loinc(instruments: Mapping[str, Instrument]) -> dict[str, tuple[Meaning, ...]]:
    """LOINC code, or name in a public survey -> the items that have it."""
    found: dict[str, tuple[Meaning, ...]] = {}
    for name, (instrument_id, number) in PUBLIC.items():
        if instrument_id in instruments:
            item = items_by_key(instruments[instrument_id].items)[number]
            found[name] = (Meaning("item", 0, instrument_id, item, number, "public"),)
    for instrument in instruments.values():
        by_number = items_by_key(instrument.items)
        for number, code in (instrument.codes.loinc_items if instrument.codes else {}).items():
            meaning = Meaning("item", 0, instrument.id, by_number[item_key(number.casefold())], number, LOINC)
            found[code] = (*found.get(code, ()), meaning)
    return found


def _prefixes(instrument: Instrument) -> list[str]:
    """Names of the instrument as headers may begin, each in the form that shows most of its parts: 'ecr_r', not 'ecrr'."""
    names: dict[str, str] = {}
    for name in (normalised(n) for n in (instrument.id, instrument.name, *instrument.prefixes)):
        squeezed = name.replace("_", "")
        if name.count("_") >= names.get(squeezed, "").count("_"):
            names[squeezed] = name
    return sorted(names.values(), key=len, reverse=True)


def item_keys(item: Item) -> list[str]:
    """How an item is called behind its instrument's name: number, tag, and words for the tag.

    >>> item_keys(Item(id="eq5d3l_mo", number="mo", min=1, max=3, tag="mobility"))
    ['mo', 'mobility', 'mobiliteit', 'mob', 'lopen', 'walking']
    """
    number = item.number.casefold()
    tag = normalised(item.tag or "")
    keys = [item_key(number)]
    if number.isdigit():
        return [*keys, *TOPICS.get(tag, ())]
    return [*keys, item_key(tag), *TOPICS.get(tag, ())] if tag else keys


@lru_cache(maxsize=256)
def items_by_key(items: tuple[Item, ...]) -> Mapping[str, str]:
    """Key of an item -> its id. A tag that two items share names neither."""
    named: dict[str, list[str]] = {}
    for item in items:
        for key in dict.fromkeys(item_keys(item)):
            named.setdefault(key, []).append(item.id)
    own = {item_key(item.number.casefold()): item.id for item in items}
    return MappingProxyType({key: ids[0] for key, ids in named.items() if len(ids) == 1} | own)


def item_key(key: str) -> str:
    """A key of an item without leading zeros of its number, and with nothing between a word and its number.

    >>> item_key("007"), item_key("adherence_01"), item_key("bpd_criterion_5"), item_key("rc1")
    ('7', 'adherence_1', 'bpd_5', 'rc_1')
    """
    found = _NUMBERED.fullmatch(key)
    if found is None:
        return key
    word, number = _BETWEEN.sub("", found.group(1)).strip("_"), str(int(found.group(2)))
    return f"{word}_{number}" if word else number


class Spelling:
    """One name of one instrument, with the pattern of the headers that begin with it.

    `order`: printed number -> item id, where the items of a file are numbered in another order than the instrument's.
    `needs_sign`: behind the name something that is neither letter nor digit must stand.
    """

    def __init__(
        self,
        prefix: str,
        instrument: Instrument,
        *,
        order: Mapping[str, str] | None = None,
        needs_sign: bool = False,
    ) -> None:
        self.prefix = prefix.replace("_", "")
        self.named = prefix
        self.instrument = instrument.id
        self.scales = {normalised(scale): scale for scale, _ in instrument.named_scales}
        self.abbreviated = _abbreviations(instrument)
        self.primary = instrument.primary.id
        self.items = {**_single_items(instrument), **items_by_key(instrument.items), **(order or {})}
        self.takes_numbers = instrument.key == "external_scores" or any(key.isdigit() for key in self.items)
        self.has_only_numbers = all(item.number.isdigit() for item in instrument.items)
        self._pattern = re.compile(rf"{_begins(prefix)}(?P<sign>_?)(?:{_FILLERS}_?)??(?P<rest>\w+?)")
        self._needs_sign = needs_sign
        self.within_text = re.compile(rf"_{_begins(prefix)}_")
        self.before_text = re.compile(rf"(?i){_begins(prefix, r'[ ._-]?')}(?!\w)(?!\.\w)(?!-\d)")
        self.before_number = re.compile(rf"(?i){_begins(prefix, r'[ ._-]?')}{_BEFORE_NUMBER}")

    def key(self, name: str) -> str | None:
        """The part behind the instrument's name, leading zeros dropped."""
        found = self._pattern.fullmatch(name)
        if found is None or (self._needs_sign and not found.group("sign")):
            return None
        return item_key(re.sub(rf"^{_FILLERS}_?(?=\d)", "", found.group("rest")))

    def runs_on(self, name: str) -> bool:
        """True when the name of the instrument ends in a digit and the name goes on with one: 'bdi21'."""
        found = self._pattern.fullmatch(name)
        return bool(
            found and self.prefix[-1:].isdigit() and not found.group("sign") and found.group("rest")[0].isdigit()
        )

    def meaning(self, name: str) -> Meaning | None:
        """What a name of an item means; None when it is not an item of this instrument."""
        key = self.key(name)
        if key is None:
            return None
        if key in self.items:
            return Meaning("item", 0, self.instrument, self.items[key], key, self.prefix)
        if self.takes_numbers and re.fullmatch(r"\d{1,3}", key):
            return Meaning("item", 0, self.instrument, None, key, self.prefix)
        part = key.split("_")[-1]
        if role_words.says_day(key) and role_words.date_rank(key) is not None:
            return Meaning("date", 0, self.instrument)
        for role in FORM_ROLES:
            if key in ROLES[role][0] or (role == "submitted_at" and part == "timestamp"):
                return Meaning(role, 0, self.instrument)
        if (total := self._total(key)) is None and self.has_only_numbers and re.fullmatch("[a-z]", key):
            return Meaning("item", 0, self.instrument, None, key, self.prefix)
        return total

    def _total(self, key: str) -> Meaning | None:
        """A stored total or score of a scale; 'total' and its likes are that of the primary scale."""
        bare = _SCORE_WORD.sub("", key)
        scale = self.scales.get(key) or self.scales.get(bare) or (self.primary if key in TOTAL_WORDS else None)
        scale = scale or self.abbreviated.get(bare)
        return Meaning("total", 0, self.instrument, scale=scale) if scale else None


def _single_items(instrument: Instrument) -> dict[str, str]:
    """Names of scales that are one item ('sds_work') -> that item."""
    return {item_key(scale): item for scale, item in instrument.named_scales if item is not None}


def _abbreviations(instrument: Instrument) -> dict[str, str]:
    """How the names of scales beside the primary one are cut short, where that names only one: anx, ai, pa -> scale id."""
    named: dict[str, set[str]] = {}
    for scale, _ in instrument.named_scales:
        words = normalised(scale).split("_")
        short = {words[0], "".join(word[0] for word in words)} if len(words) > 1 else set()
        short |= {words[0][:n] for n in range(3, len(words[0]))}
        short |= {"".join(words), "".join(words[:2])}
        for name in short - {""}:
            named.setdefault(name, set()).add(scale)
    return {n: next(iter(s)) for n, s in named.items() if len(s) == 1 and instrument.primary.id not in s and len(n) > 1}


def _topics(instrument: Instrument) -> dict[str, Item]:
    """Words for the topics of the items -> item, for those words that only one item has."""
    every = [(word, item) for item in instrument.items for word in TOPICS.get(normalised(item.tag or ""), ())]
    return {word: item for word, item in every if sum(w == word for w, _ in every) == 1}


def _topic_of(topics: Mapping[str, Item], part: str) -> Item | None:
    """The only item of which the part of a text has a word; None where another number stands beside it."""
    named = {item.id: item for word, item in topics.items() if f"_{word}_" in f"_{part}_"}
    if len(named) != 1:
        return None
    item = next(iter(named.values()))
    numbers = {str(int(n)) for n in re.findall(r"(?<![^_])\d{1,3}(?![^_])", part)}
    names = set(re.findall(r"\d+", item.id.partition("_")[0]))
    return item if numbers - names <= {item.number} else None


def leading_names(text: str) -> list[str]:
    """Parts of a question text that name an instrument and, behind a word such as 'item', a number.

    >>> leading_names("PHQ-9, item 3: sleep"), leading_names("Sleep (PHQ-9 item 3)"), leading_names("PHQ-4: sleep")
    (['PHQ-9, item 3'], ['PHQ-9 item 3'], [])
    """
    found = [re.split(r"[:?(\[]|\s[-–—|]\s|\.\s", text, maxsplit=1)[0].strip()]
    found += [part.strip() for part in re.findall(r"[\[(]([^\])]{4,40})[\])]\s*$", text)]
    return [name for name in found if len(name) <= _LONGEST_NAME and _ITEM_WORD.search(name)]


def _begins(prefix: str, sign: str = "_?") -> str:
    """Pattern of a prefix: signs may stand or lack between its words and numbers."""
    return sign.join(re.escape(part) for part in re.findall(r"[a-z]+|\d+", normalised(prefix)))


def slug(text: str) -> str:
    """A code as an identifier: small letters, digits, underscores.

    >>> slug("ADP02"), slug("Hospital A / day")
    ('adp02', 'hospital_a_day')
    """
    return normalised(text)
