"""The words of which names of a patient's number and of a date are made, and how they may stand together.

Belongs here: the grammar of those two fields in English, Dutch, German and French, as names and as questions. Does not belong here:
fixed names of other fields (`names`), what the cells say to it (`shapes`), deciding between columns (`detection`).

The grammar is closed: one word that it does not know, and the header is no name of the field. So 'Datum intake', 'birth date',
'export date', 'Behandelaar cliënt' and 'partner patient id' are none, without being listed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Words for the person, the surest first: a column of the first group goes before one of the second, and so on.
PERSONS: tuple[frozenset[str], ...] = (
    _words(
        "patient patienten patients patientin pat pt client clienten cliente clients klient klienten klientin mrn "
        "pasient pasienter pasienten patiente paciente pacientes usager"
    ),
    _words(
        "participant participants participante participantes deelnemer deelnemers proband probanden teilnehmer proefpersoon pp ppn "
        "deltager deltagere deltagare deltaker deltakere"
    ),
    _words("subject subjects subj person persoon"),
    _words("respondent respondents respondenten pseudoniem pseudonym pseudo"),
    _words("record study studie case"),
)
#: These name a person only together with a word for a number: 'hospital number', 'case id', never 'case'.
_PLACES = _words("hospital ziekenhuis krankenhaus dossier epd ehr emr chart nhs zis zorg medical medisch")
_NEEDS_NUMBER = PERSONS[-1] | _PLACES | {"pseudo", "usager"}
NUMBERS = _words(
    "number numbers nummer nummers nr nrs no num id ids code codes kode identifier identification identificatie numero "
    "nummeret codigo kod koden numer"
)
_POSSESSIVE = _words("uw je jouw jullie your my mijn ihr ihre votre")
#: Words of questions and of habit that change nothing: 'What is your patient number?', 'local patient id'.
_BESIDE_NUMBER = _POSSESSIVE | _words(
    "the het de of van wat is what please type enter vul voer in from on op a this deze letter brief here hier "
    "local lokaal lokale unique uniek du der die das ditt din dit tu su votre del de la le anonymous anoniem anonym deid deidentified"
)
#: Words for a day. Those of the second group are cut short, or are used of other things too.
_DAYS = (_words("date datum"), _words("dat dt dte dag day dd"))
#: What a date may be the date of, when it is that of the answers ...
_FILLING = _words(
    "invul inv invullen invulling ingevuld ingevulde afname afnemen afgenomen test testing meting meet meetmoment completed "
    "completion assessment assessed administration administered measurement measured questionnaire survey vragenlijst "
    "lijst form formulier rom fill filled filling answered beantwoord beantwoording response respons antwoord taken assess "
    "voltooid voltooiing afgerond today vandaag erhebung messung befragung ausgefullt passation evaluation"
)
#: ... or of the visit at which they were given.
_VISITS = _words("visit exam interview appointment bezoek session sessie week wk consult contact gesprek gespreks")
_DONE = _words("ingevuld afgenomen beantwoord completed administered assessed answered filled voltooid afgerond")
#: Of these the treatment may be, too.
_DONE_OF_ALL = _words("voltooid afgerond")
_WHEN = _words("wanneer when")
_BESIDE_DATE = _words(
    "time tijd tijdstip du der des am of van on op in at the de het deze this is was were waarop welke which wat what er out uw your"
)
#: Behind brackets stands how something is written, unless one of these stands there: 'Patient (name)'.
_WEIGHTY = re.compile(r"(?i)na(?:me|am)|init|voorl|geb|birth|bsn|therap|behand|partner|oud|old|kopie|copy")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_PIECES = frozenset().union(*PERSONS, *_DAYS) | _PLACES | NUMBERS | _FILLING | _VISITS
#: A longer text tells of something; its words are no name.
_LONGEST = 70
_SHORTEST_PIECE, _SHORTEST_DAY = 2, 3


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[str, ...]:
    """The words of a header or question: also of 'PatientID', 'SUBJID', 'Patiëntnummer', 'pt.nr'; what is in brackets is left out.

    >>> split("LocalPatientID"), split("SUBJID"), split("Uw cliëntnummer (staat op de brief)"), split("d.d.")
    (('local', 'patient', 'id'), ('subj', 'id'), ('uw', 'client', 'nummer'), ('dd',))
    >>> split("behandelaarnummer")
    ('behandelaarnummer',)
    """
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    if not any(_WEIGHTY.search(part) for part in _BRACKETS.findall(plain)):
        plain = _BRACKETS.sub(" ", plain)
    plain = re.sub(r"(?i)\bd\.\s?d\.?(?=\W|$)", "dd", plain)
    plain = re.sub(r"(?i)\bservice[\s_-]?user(?=[\W_]|$)", "client", plain)  # the word of the British health service
    plain = re.sub(r"(?<=\w)-\s*\n\s*(?=\w)", "", plain)  # a word broken over two lines of a cell
    whole = plain.casefold().strip()
    tokens = [whole] if whole in _PIECES else re.findall(r"[^\W_]+", _HUMPS.sub(" ", plain).casefold())
    return tuple(piece for token in tokens for piece in _unglued(token))


def _unglued(token: str) -> tuple[str, ...]:
    """A word as the fewest known words it is made of; itself where it is not made of known words only."""
    if token in _PIECES or token in _BESIDE_NUMBER or token in _BESIDE_DATE:
        return (token,)
    best: list[tuple[str, ...] | None] = [()] + [None] * len(token)
    for end in range(1, len(token) + 1):
        for start in range(max(0, end - 16), end - _SHORTEST_PIECE + 1):
            before = best[start]
            if before is None or token[start:end] not in _PIECES:
                continue
            made = (*before, token[start:end])
            known = best[end]
            if known is None or len(made) < len(known):
                best[end] = made
    return best[-1] or (token,)


def patient_rank(text: str) -> int | None:
    """How sure a name is one of the patient's number: 0 patient or client, 1 participant, 2 subject, 3 respondent, 4 record.

    None: it is no such name.

    >>> [patient_rank(name) for name in ("Pat. nr", "SUBJID", "What is your patient number?", "Study Subject ID", "EPD-nummer")]
    [0, 2, 0, 2, 0]
    >>> [patient_rank(name) for name in ("therapist id", "code", "patient name", "Patient (initials)", "case", "Uw code")]
    [None, None, None, None, None, 3]
    """
    if len(text) > _LONGEST:
        return None
    every = split(text)
    said = [word for word in every if word not in _BESIDE_NUMBER]
    numbers = [word for word in said if word in NUMBERS]
    persons = [word for word in said if word not in NUMBERS]
    if not persons:
        return 3 if len(numbers) == 1 and every[0] in _POSSESSIVE else None
    ranks = [0 if word in _PLACES else _rank(word) for word in persons]
    if any(rank is None for rank in ranks) or (not numbers and _NEEDS_NUMBER.issuperset(persons)):
        return None
    return min(rank for rank in ranks if rank is not None)


def _rank(word: str) -> int | None:
    return next((rank for rank, words in enumerate(PERSONS) if word in words), None)


def date_rank(text: str, names: Collection[str] = ()) -> tuple[int, str] | None:
    """How sure a name is one of the date of the answers (0 sure, 1 second choice), and the instrument's name in it ('' without).

    `names`: names of instruments, as letters and digits only. None: it is no such name.

    >>> [date_rank(name) for name in ("Afnamedatum", "VISITDT", "Ingevuld op", "dat", "Welke datum is het vandaag?")]
    [(0, ''), (1, ''), (0, ''), (1, ''), (0, '')]
    >>> date_rank("datePHQ", ["phq"]), date_rank("Datum intake"), date_rank("date of birth"), date_rank("datum export")
    ((0, 'phq'), None, None, None)
    """
    if len(text) > _LONGEST:
        return None
    said = [word for word in split(text) if word not in _BESIDE_DATE]
    days = [word for word in said if word in _DAYS[0] or word in _DAYS[1]]
    of = [word for word in said if word not in days and word not in _FILLING and word not in _VISITS]
    if _DONE.intersection(said) and _WHEN.intersection(of):
        days, of = [*days, "date"], [word for word in of if word not in _WHEN]
    name = "".join(of)
    if name and name not in names:
        return None
    if not days:
        is_said = {"op", "on"} & set(split(text))
        is_done = bool(_DONE.intersection(said)) and _DONE.issuperset(set(said) - set(of) - {"lijst", "vragenlijst"})
        return (0 if is_said and _DONE_OF_ALL.isdisjoint(said) else 1, name) if is_done else None
    is_visit = bool(_VISITS.intersection(said)) and not _FILLING.intersection(said)
    is_short = not (_DAYS[0].intersection(days) or name or _FILLING.intersection(said))
    return int(is_visit or is_short), name


def says_day(text: str) -> bool:
    """Whether a name has a word for a day: 'T0_datum' and 'Wanneer ingevuld', but not 'completed'."""
    return not set(split(text)).isdisjoint(_DAYS[0] | _DAYS[1] | _WHEN)


def says_filling(text: str) -> bool:
    """Whether the name of a date says of what it is: 'Invuldatum', but not 'Datum'."""
    return not _FILLING.isdisjoint(split(text))
