"""What a column header means: a role (patient, date ...), an item of an instrument, or nothing that is taken in.

Belongs here: spellings and synonyms, English and Dutch. Does not belong here: deciding between columns of one file
(`detection`), mapping files (`mapping`). Order and position of columns never mean anything.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mbt_rom.model import Instrument, Item

#: Role -> spellings, the surest first; a column of the first group goes before one of the second.
ROLES: dict[str, tuple[frozenset[str], ...]] = {
    "patient": (
        frozenset(
            [
                "patient",
                "patient_id",
                "patientid",
                "patient_nr",
                "patient_no",
                "patient_number",
                "patientnr",
                "patientnummer",
                "patient_nummer",
                "patient_identifier",
                "patientcode",
                "client",
                "client_id",
                "clientid",
                "clientnr",
                "client_nr",
                "clientnummer",
                "client_number",
                "cliente_id",
                "clientcode",
                "local_number",
                "lokaal_nummer",
            ]
        ),
        frozenset(
            ["record_id", "study_id", "participant_id", "subject_id", "respondent_id", "deelnemer", "deelnemer_id"]
        ),
    ),
    "date": (
        frozenset(
            [
                "date",
                "datum",
                "datum_invulling",
                "invuldatum",
                "afnamedatum",
                "datum_afname",
                "administered_on",
                "date_completed",
                "completed_on",
                "datum_ingevuld",
                "assessment_date",
                "measurement_date",
                "meetdatum",
                "survey_date",
                "questionnaire_date",
                "completed",
            ]
        ),
        frozenset(["visit_date", "interview_date"]),
    ),
    "submitted_at": (
        frozenset(
            [
                "submitdate",
                "submitted",
                "submitted_at",
                "completed_at",
                "enddate",
                "end_date",
                "recordeddate",
                "date_submitted",
            ]
        ),
        frozenset(["ended", "timestamp", "datestamp"]),
    ),
    "moment": (
        frozenset(["moment", "meetmoment", "measurement_moment", "wave", "meting", "timepoint", "time_point"]),
        frozenset(["event", "event_name", "redcap_event_name", "visit"]),
    ),
    "response_id": (
        frozenset({"response_id", "responseid", "response"}),
        frozenset({"id", "session"}),
        frozenset({"token"}),
    ),
    "programme": (
        frozenset(["programme", "programme_id", "program", "program_id", "programma", "programma_id", "programmacode"]),
        frozenset(["site", "site_id", "locatie", "instelling", "redcap_data_access_group"]),
    ),
    "complete": (
        frozenset(["complete", "is_complete", "finished", "voltooid", "volledig", "afgerond"]),
        frozenset(["status"]),
    ),
    "language": (frozenset(["language", "taal", "startlanguage", "userlanguage", "lang"]), frozenset()),
    "mode": (frozenset(["mode", "afname", "afnamewijze", "afnamevorm", "administration_mode"]), frozenset()),
    "birth_year": (
        frozenset(["birth_year", "year_of_birth", "geboortejaar"]),
        frozenset(["birth_date", "date_of_birth", "birthdate", "dob", "geboortedatum", "geb_datum"]),
    ),
    "sex": (frozenset(["sex", "geslacht"]), frozenset({"gender"})),
    "therapist": (
        frozenset(
            ["therapist", "therapist_id", "therapeut", "therapeut_id", "behandelaar", "behandelaar_id", "therapeutcode"]
        ),
        frozenset(),
    ),
    "function": (frozenset(["function", "functie"]), frozenset()),
    "from": (frozenset(["from", "from_date", "vanaf", "in_dienst", "start_in_programme"]), frozenset()),
    "until": (frozenset(["until", "until_date", "tot", "tot_en_met", "uit_dienst"]), frozenset()),
    "episode": (
        frozenset(["episode", "episode_id", "episodenummer", "traject", "traject_id", "trajectnummer"]),
        frozenset(),
    ),
    "referred": (
        frozenset(["referred", "referred_on", "referral_date", "verwezen", "verwijsdatum", "verwezen_op"]),
        frozenset(),
    ),
    "started": (
        frozenset(
            ["started", "started_on", "start_date", "startdatum", "start_treatment", "start_behandeling", "gestart_op"]
        ),
        frozenset(),
    ),
    "ended": (
        frozenset(["ended_on", "end_treatment", "einddatum", "einde_behandeling", "beeindigd_op"]),
        frozenset(["end_date", "ended"]),
    ),
    "end_reason": (frozenset(["end_reason", "reason_of_ending", "reden_einde", "reden_beeindiging"]), frozenset()),
}

#: Words that may stand between the instrument's name and the number.
_FILLERS = r"(?:items?|questions?|vraag|vr|q|sq|i|v|nr|no|item_nr)"
#: Dutch and other English words for what an item's tag says in English.
_WORDS: dict[str, tuple[str, ...]] = {
    "mobility": ("mobiliteit", "mob"),
    "self_care": ("selfcare", "zelfzorg"),
    "usual_activities": ("usual_activity", "activities", "activity", "dagelijkse_activiteiten"),
    "pain_discomfort": ("pain", "discomfort", "pijn", "pijn_klachten", "pijn_ongemak"),
    "anxiety_depression": ("anxiety", "depression", "angst", "angst_depressie", "angst_somberheid"),
    "eq_vas": ("vas", "thermometer", "vas_score"),
}
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

    An item of rank 1 has a header such as 'phq9': item 9 behind 'phq1' ... 'phq8', a total score anywhere else.
    """

    role: str
    rank: int = 0
    instrument: str | None = None
    item: str | None = None
    number: str | None = None
    prefix: str | None = None


class Vocabulary:
    """The headers that a set of instruments, and every export, may use."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._spellings = [
            Spelling(prefix, instrument) for instrument in instruments.values() for prefix in _prefixes(instrument)
        ]
        self._names = {spelling.prefix for spelling in self._spellings}
        self._roles: dict[str, list[Meaning]] = {}
        for role, groups in ROLES.items():
            for rank, names in enumerate(groups):
                for name in names:
                    self._roles.setdefault(name, []).append(Meaning(role, rank))
        self._seen: dict[str, tuple[Meaning, ...]] = {}

    def meanings(self, header: str) -> tuple[Meaning, ...]:
        """All that the header may mean; several where that depends on the rest of the file."""
        if header not in self._seen:
            name = normalised(header)
            self._seen[header] = tuple(self._roles.get(name, ())) or self._items(name)
        return self._seen[header]

    def _items(self, name: str) -> tuple[Meaning, ...]:
        matches = [(len(s.prefix), m) for s in self._spellings if (m := s.meaning(name)) is not None]
        longest = max((length for length, _ in matches), default=0)
        rank = int(name.replace("_", "") in self._names)
        return tuple(dict.fromkeys(replace(m, rank=rank) for length, m in matches if length == longest))

    def recognised(self, cells: Sequence[str]) -> int:
        """In how many cells of a row a name is recognised."""
        return sum(bool(cell) and len(cell) < 300 and bool(self.meanings(cell)) for cell in cells)


def _prefixes(instrument: Instrument) -> list[str]:
    names = {normalised(n).replace("_", "") for n in (instrument.id, instrument.name, *instrument.prefixes)}
    return sorted(names, key=len, reverse=True)


def item_keys(item: Item) -> list[str]:
    """How an item is called behind its instrument's name: number, tag, and words for the tag.

    >>> item_keys(Item(id="eq5d3l_mo", number="mo", min=1, max=3, tag="mobility"))
    ['mo', 'mobility', 'mobiliteit', 'mob']
    """
    number = item.number.casefold()
    tag = normalised(item.tag or "")
    keys = [number.lstrip("0") if number.isdigit() else number]
    return keys if number.isdigit() or not tag else [*keys, tag, *_WORDS.get(tag, ())]


class Spelling:
    """One name of one instrument, with the pattern of the headers that begin with it."""

    def __init__(self, prefix: str, instrument: Instrument) -> None:
        self.prefix = prefix
        self.instrument = instrument.id
        self.items = {key: item.id for item in instrument.items for key in item_keys(item)}
        self.is_numbered = any(key.isdigit() for key in self.items)
        pattern = "_?".join(re.escape(part) for part in re.findall(r"[a-z]+|\d+", normalised(prefix)))
        self.pattern = re.compile(rf"{pattern}_?(?:{_FILLERS}_?)??(\w+?)")

    def key(self, name: str) -> str | None:
        """The part behind the instrument's name, leading zeros dropped."""
        found = self.pattern.fullmatch(name)
        if found is None:
            return None
        rest = re.sub(rf"^{_FILLERS}_?(?=\d)", "", found.group(1))
        return rest.lstrip("0") or "0" if rest.isdigit() else rest

    def meaning(self, name: str) -> Meaning | None:
        """What a name of an item means; None when it is not an item of this instrument."""
        key = self.key(name)
        if key is None:
            return None
        if key in self.items:
            return Meaning("item", 0, self.instrument, self.items[key], key, self.prefix)
        if self.is_numbered and re.fullmatch(r"\d{1,3}", key):
            return Meaning("item", 0, self.instrument, None, key, self.prefix)
        part = key.split("_")[-1]
        for role in ("date", "complete", "submitted_at"):
            if key in ROLES[role][0] or (role == "submitted_at" and part == "timestamp"):
                return Meaning(role, 0, self.instrument)
        return None


def slug(text: str) -> str:
    """A code as an identifier: small letters, digits, underscores.

    >>> slug("ADP02"), slug("Hospital A / day")
    ('adp02', 'hospital_a_day')
    """
    return normalised(text)
