"""The catalogue of rules, and findings as rows: what can be wrong with delivered data, in words, and how it is mended.

Belongs here: the wording, the severity and the owner of every rule, and the making and reading of finding rows. Does not
belong here: finding out that a rule is broken (`exports`, `conform`, `expectations`) and what follows from it
(`acceptance`). No sentence and no detail names a value of a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from mbt_rom.tables import findings_table

Severity = Literal["fatal", "error", "notice"]
Owner = Literal["research_assistant", "data_manager", "programme_manager", "developer"]
Language = Literal["en", "nl"]
LANGUAGES: tuple[Language, ...] = ("en", "nl")

#: What a severity does, for people.
CONSEQUENCES: dict[Severity, str] = {
    "fatal": "the whole delivery is left out; the last good one stays",
    "error": "the row is set aside; everything else counts",
    "notice": "nothing is set aside",
}
CONSEQUENCES_NL: dict[Severity, str] = {
    "fatal": "de hele aanlevering blijft buiten beschouwing; de laatste goede blijft staan",
    "error": "de rij wordt apart gezet; al het andere telt mee",
    "notice": "er wordt niets apart gezet",
}

#: Severities and owners as people read them.
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "fatal": "fatal",
        "error": "error",
        "notice": "notice",
        "research_assistant": "research assistant",
        "data_manager": "data manager",
        "programme_manager": "programme manager",
        "developer": "developer",
    },
    "nl": {
        "fatal": "fataal",
        "error": "fout",
        "notice": "melding",
        "research_assistant": "onderzoeksassistent",
        "data_manager": "datamanager",
        "programme_manager": "programmamanager",
        "developer": "ontwikkelaar",
    },
}
_PLACES: dict[Language, tuple[str, str, str]] = {"en": ("sheet", "row", "column"), "nl": ("blad", "rij", "kolom")}
_PAGES: dict[Language, tuple[str, str, tuple[str, ...]]] = {
    "en": (
        "Rules",
        "Every finding names one of these rules. A finding never holds an answer, a patient number or a name. "
        "The same in Dutch: [regels](rules.nl.md).",
        ("rule", "what is wrong", "what to do", "who"),
    ),
    "nl": (
        "Regels",
        "Elke bevinding noemt een van deze regels. Een bevinding bevat nooit een antwoord, een patiëntnummer of een naam. "
        "Hetzelfde in het Engels: [rules](rules.md).",
        ("regel", "wat er mis is", "wat te doen", "wie"),
    ),
}


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong when it is broken (`sentence`), what to do about it (`remedy`) and who does that (`owner`).

    `sentence_nl` and `remedy_nl` say the same in Dutch.
    """

    id: str
    severity: Severity
    owner: Owner
    sentence: str
    remedy: str
    sentence_nl: str
    remedy_nl: str


_CATALOGUE: tuple[Rule, ...] = (
    # ---- the whole delivery -------------------------------------------------------------------------------------------
    Rule(
        "worklist_damaged",
        "fatal",
        "research_assistant",
        "the returned work list no longer tells which cell of which file a row is about",
        "Make the list again with `rom findings -o`, and copy the correct values and reasons into it; leave the hidden column as it is",
        "in de teruggestuurde werklijst staat niet meer over welke cel van welk bestand een rij gaat",
        "Maak de lijst opnieuw met `rom findings -o`, en neem de juiste waarden en redenen over; laat de verborgen kolom zoals die is",
    ),
    Rule(
        "worklist_value_missing",
        "fatal",
        "research_assistant",
        "the row of the work list has a reason and no correct value",
        "Type the correct value, or (empty) where the cell should be empty; or remove the reason",
        "de rij van de werklijst heeft een reden en geen juiste waarde",
        "Typ de juiste waarde, of (leeg) als de cel leeg hoort te zijn; of haal de reden weg",
    ),
    Rule(
        "worklist_reason_missing",
        "fatal",
        "research_assistant",
        "the row of the work list has a correct value and no reason",
        "Type in the same row how you know the correct value, such as 'looked up on the paper form'",
        "de rij van de werklijst heeft een juiste waarde en geen reden",
        "Typ in dezelfde rij waar de juiste waarde vandaan komt, bijvoorbeeld 'nagekeken op het papieren formulier'",
    ),
    Rule(
        "worklist_value_twice",
        "fatal",
        "research_assistant",
        "two rows of the work list give different correct values for the same cell",
        "Keep one of the two: the English and the Dutch sheet have the same rows, and one of them is enough",
        "twee rijen van de werklijst geven verschillende juiste waarden voor dezelfde cel",
        "Laat er één van staan: het Engelse en het Nederlandse blad hebben dezelfde rijen, en één ervan is genoeg",
    ),
    Rule(
        "worklist_other_folder",
        "fatal",
        "research_assistant",
        "the row of the work list is about a file that was delivered to another drop folder",
        "Make a list of this programme alone with `rom findings -o` and `-p`; a list is loaded for the folder of its files",
        "de rij van de werklijst gaat over een bestand dat in een andere map is aangeleverd",
        "Maak een lijst van alleen dit programma met `rom findings -o` en `-p`; een lijst wordt geladen voor de map van haar bestanden",
    ),
    Rule(
        "worklist_not_possible",
        "fatal",
        "research_assistant",
        "the correction in this row of the work list cannot be recorded",
        "Correct the form in the survey tool and export it again",
        "de correctie in deze rij van de werklijst kan niet worden vastgelegd",
        "Verbeter het formulier in het vragenlijstsysteem en exporteer het opnieuw",
    ),
    Rule(
        "file_empty",
        "fatal",
        "research_assistant",
        "the file is empty",
        "Make the export again and deliver the new file",
        "het bestand is leeg",
        "Maak de export opnieuw en lever het nieuwe bestand aan",
    ),
    Rule(
        "file_header_only",
        "fatal",
        "research_assistant",
        "the file has a header but no rows below it",
        "Check the filter and the period of the export, then make it again",
        "het bestand heeft een kopregel, maar geen rijen daaronder",
        "Controleer het filter en de periode van de export en maak hem opnieuw",
    ),
    Rule(
        "file_unreadable",
        "fatal",
        "research_assistant",
        "the file cannot be read: it is cut off, protected by a password, or not the kind of file that its name says",
        "Open it in the program that it came from, save it as CSV or XLSX without a password, and deliver it again",
        "het bestand is niet te lezen: het is afgebroken, met een wachtwoord beveiligd, of van een andere soort dan de naam "
        "zegt",
        "Open het in het programma waar het vandaan komt, sla het zonder wachtwoord op als CSV of XLSX en lever het opnieuw "
        "aan",
    ),
    Rule(
        "file_too_large",
        "fatal",
        "research_assistant",
        "the file is larger than this home takes in",
        "Export a shorter period per file, or ask the data manager to raise 'largest_file_mb' in consortium.yaml",
        "het bestand is groter dan hier wordt ingelezen",
        "Exporteer een kortere periode per bestand, of vraag de datamanager 'largest_file_mb' in consortium.yaml te verhogen",
    ),
    Rule(
        "file_unpacks_too_large",
        "fatal",
        "data_manager",
        "the workbook unpacks to far more than its size, as a damaged or a malicious file does; it was not opened",
        "Ask the sender whether they made this file; if so, let them export it as CSV",
        "het werkboek wordt bij het uitpakken veel groter dan het bestand zelf, zoals bij een beschadigd of kwaadaardig "
        "bestand; het is niet geopend",
        "Vraag de afzender of dit bestand van hem of haar komt; zo ja, laat het dan als CSV exporteren",
    ),
    Rule(
        "correction_misplaced",
        "fatal",
        "research_assistant",
        "the correction names a sheet, row or column that the delivered file does not have, or has twice",
        "Look the cell up in the list of findings of today, and correct it again; or correct it in the survey tool",
        "de correctie noemt een blad, rij of kolom die het aangeleverde bestand niet of dubbel heeft",
        "Zoek de cel op in de bevindingen van vandaag en corrigeer opnieuw; of corrigeer in het bronsysteem",
    ),
    Rule(
        "columns_unknown",
        "fatal",
        "research_assistant",
        "no column was recognised as an item of an instrument or as a column of a register",
        "Check that the first row with names was exported; otherwise write a mapping file that names the columns",
        "geen enkele kolom is herkend als vraag van een vragenlijst of als kolom van een register",
        "Controleer of de eerste rij met namen is geëxporteerd; schrijf anders een mappingbestand dat de kolommen benoemt",
    ),
    Rule(
        "file_to_confirm",
        "fatal",
        "data_manager",
        "nothing of the file is taken in, because what its columns probably are must be confirmed by a person first",
        "Run `rom deliveries draft` or `rom load FILE --draft`, check the drafted mapping file, and load the file with it",
        "van dit bestand is niets ingelezen, omdat iemand eerst moet bevestigen wat de kolommen waarschijnlijk zijn",
        "Voer `rom deliveries draft` of `rom load FILE --draft` uit, controleer het conceptmappingbestand en laad het bestand daarmee",
    ),
    Rule(
        "answer_list_changed",
        "fatal",
        "data_manager",
        "the answer list of an item gives a code another meaning than another file of this folder does",
        "Find out when the survey was changed, and state 'coding' in a mapping file for each of the two kinds of file",
        "de antwoordlijst van een vraag geeft een code een andere betekenis dan een ander bestand uit deze map",
        "Zoek uit wanneer de vragenlijst is gewijzigd en geef voor beide soorten bestanden 'coding' op in een mappingbestand",
    ),
    Rule(
        "column_twice",
        "fatal",
        "research_assistant",
        "two columns would be read as the same item or the same field",
        "Remove or rename one of the columns, or say in the mapping file which of them counts",
        "twee kolommen zouden als dezelfde vraag of hetzelfde veld worden gelezen",
        "Verwijder of hernoem een van beide kolommen, of zet in het mappingbestand welke telt",
    ),
    Rule(
        "item_count_wrong",
        "fatal",
        "research_assistant",
        "the number of item columns is not that of this instrument",
        "Check which questionnaire and which edition was exported, and export all of its items and no others",
        "het aantal kolommen met vragen is niet dat van deze vragenlijst",
        "Controleer welke vragenlijst en welke versie is geëxporteerd, en exporteer al haar vragen en geen andere",
    ),
    Rule(
        "edition_contradicted",
        "fatal",
        "research_assistant",
        "the file holds answers that this edition does not have",
        "Find out which edition was filled in (3L or 5L) and name the columns, or the mapping, accordingly",
        "het bestand bevat antwoorden die in deze versie niet bestaan",
        "Zoek uit welke versie is ingevuld (3L of 5L) en geef de kolommen, of de mapping, die naam",
    ),
    Rule(
        "edition_ambiguous",
        "fatal",
        "data_manager",
        "the names of the columns fit two editions of this questionnaire",
        "Find out which edition was filled in, and name it in a mapping file or in the programme's 'instruments'",
        "de kolomnamen passen bij twee versies van deze vragenlijst",
        "Zoek uit welke versie is ingevuld en noem die in een mappingbestand of bij 'instruments' van het programma",
    ),
    Rule(
        "patient_column_citizen_numbers",
        "fatal",
        "research_assistant",
        "the column of patient numbers holds citizen service numbers (BSN); the file was refused and not kept",
        "Export the local patient number in place of the citizen number, and delete the file that holds them",
        "de kolom met patiëntnummers bevat burgerservicenummers (BSN); het bestand is geweigerd en niet bewaard",
        "Exporteer het lokale patiëntnummer in plaats van het BSN, en verwijder het bestand waar de BSN's in staan",
    ),
    Rule(
        "programme_unknown_folder",
        "fatal",
        "data_manager",
        "the inbox folder belongs to no programme of consortium.yaml",
        "Move the file to the folder of its programme, or add the programme to consortium.yaml",
        "de map in de inbox hoort bij geen enkel programma in consortium.yaml",
        "Verplaats het bestand naar de map van het juiste programma, of voeg het programma toe aan consortium.yaml",
    ),
    Rule(
        "mapping_ambiguous",
        "fatal",
        "data_manager",
        "more than one mapping file fits this file",
        "Add a column to 'matches' of one of them so that only one fits, or name the mapping with `rom load --mapping`",
        "meer dan één mappingbestand past bij dit bestand",
        "Voeg bij een ervan een kolom toe aan 'matches' zodat er nog maar één past, of noem de mapping met `rom load "
        "--mapping`",
    ),
    Rule(
        "mapping_invalid",
        "fatal",
        "data_manager",
        "the mapping file for this delivery cannot be used",
        "Correct the key that is named; `rom load --dry-run` shows how every column is understood",
        "het mappingbestand voor deze aanlevering is niet bruikbaar",
        "Verbeter de genoemde sleutel; `rom load --dry-run` laat zien hoe elke kolom wordt begrepen",
    ),
    Rule(
        "coding_undeclared",
        "fatal",
        "data_manager",
        "the answers fit more than one coding of the instrument, or none",
        "State 'coding' in the mapping file: ask the survey tool's manager which number stands for the first answer",
        "de antwoorden passen bij meer dan één codering van de vragenlijst, of bij geen enkele",
        "Zet 'coding' in het mappingbestand: vraag de beheerder van het vragenlijstsysteem welk getal het eerste antwoord "
        "heeft",
    ),
    Rule(
        "order_undeclared",
        "fatal",
        "data_manager",
        "the items of this questionnaire are printed in several orders, and nothing says which one these columns follow",
        "State 'order' in the mapping file after a look at the printed form, or name the column of each item under 'items'",
        "de vragen van deze vragenlijst worden in verschillende volgordes gedrukt, en nergens staat welke deze kolommen "
        "volgen",
        "Zet na een blik op het gedrukte formulier 'order' in het mappingbestand, of noem bij 'items' de kolom van elke "
        "vraag",
    ),
    Rule(
        "raw_items_not_accepted",
        "fatal",
        "data_manager",
        "the file holds answers to single questions of a test that only its publisher scores",
        "Have the forms scored by the publisher's program, and deliver the scores that it gives",
        "het bestand bevat antwoorden op losse vragen van een test die alleen de uitgever scoort",
        "Laat de formulieren scoren met het programma van de uitgever en lever de scores daarvan aan",
    ),
    Rule(
        "coding_contradicted_by_totals",
        "fatal",
        "data_manager",
        "most totals that the survey tool stored differ from the answers by exactly one point an item: the answers were read in "
        "the wrong coding, or the total was made from other codes",
        "Ask which number stands for the first answer, and state 'coding' in the mapping file; if the tool adds up other codes "
        "than it exports, leave its total out of the mapping",
        "de meeste totalen uit het invoersysteem wijken precies één punt per vraag af van de antwoorden: de antwoorden zijn in de "
        "verkeerde codering gelezen, of het totaal is uit andere codes berekend",
        "Vraag na welk getal het eerste antwoord is en zet 'coding' in het mappingbestand; telt het systeem andere codes op dan "
        "het exporteert, laat het totaal dan weg uit de mapping",
    ),
    # ---- one row ------------------------------------------------------------------------------------------------------
    Rule(
        "patient_missing",
        "error",
        "research_assistant",
        "the row has no patient number",
        "Fill in the patient number in the survey tool and export again",
        "de rij heeft geen patiëntnummer",
        "Vul het patiëntnummer in het vragenlijstsysteem in en exporteer opnieuw",
    ),
    Rule(
        "patient_form",
        "error",
        "research_assistant",
        "the patient number does not have the form that its hospital uses",
        "Correct the number at its source. A spreadsheet may have eaten leading zeros: export that column as text",
        "het patiëntnummer heeft niet de vorm die de instelling gebruikt",
        "Verbeter het nummer bij de bron. Een spreadsheet kan voorloopnullen hebben weggelaten: exporteer die kolom als "
        "tekst",
    ),
    Rule(
        "patient_unknown",
        "error",
        "research_assistant",
        "the patient is not in this programme's register of patients",
        "Correct the patient number, or deliver a register of patients that holds this patient",
        "de patiënt staat niet in het patiëntenregister van dit programma",
        "Verbeter het patiëntnummer, of lever een patiëntenregister aan waar deze patiënt in staat",
    ),
    Rule(
        "programme_unknown",
        "error",
        "data_manager",
        "the row names a programme that consortium.yaml does not have",
        "Correct the programme code, add the programme to consortium.yaml, or map the code in the mapping file",
        "de rij noemt een programma dat niet in consortium.yaml staat",
        "Verbeter de programmacode, voeg het programma toe aan consortium.yaml, of vertaal de code in het mappingbestand",
    ),
    Rule(
        "date_unreadable",
        "error",
        "research_assistant",
        "the date cannot be read",
        "Write dates as YYYY-MM-DD, or state their form as 'format' in the mapping file",
        "de datum is niet te lezen",
        "Schrijf datums als JJJJ-MM-DD, of zet hun vorm als 'format' in het mappingbestand",
    ),
    Rule(
        "resource_invalid",
        "error",
        "data_manager",
        "a FHIR resource breaks the definition of its version, so that its answers cannot be read",
        "Correct the element that is named at the source, or report it to the supplier, and export again",
        "een FHIR-resource voldoet niet aan de definitie van zijn versie, zodat de antwoorden niet te lezen zijn",
        "Verbeter het genoemde element in het bronsysteem, of meld het bij de leverancier, en exporteer opnieuw",
    ),
    Rule(
        "response_entered_in_error",
        "notice",
        "research_assistant",
        "the survey tool marks this response as entered in error; it was left out",
        "Nothing, unless an earlier export held it as a good one: that copy still counts until its form is taken back too",
        "het vragenlijstsysteem merkt deze invulling aan als per vergissing ingevoerd; zij is weggelaten",
        "Niets, tenzij een eerdere export haar als goed bevatte: die telt mee totdat ook dat formulier is ingetrokken",
    ),
    Rule(
        "response_of_a_trial",
        "notice",
        "research_assistant",
        "the survey tool marks this response as a preview or a test of the survey; it was left out",
        "Nothing; if it was a patient who filled it in, set its kind right in the survey tool and export again",
        "het vragenlijstsysteem merkt deze invulling aan als voorbeeld of test van de vragenlijst; zij is weggelaten",
        "Niets; was het toch een patiënt, verbeter dan de soort in het vragenlijstsysteem en exporteer opnieuw",
    ),
    Rule(
        "response_kind_unknown",
        "notice",
        "research_assistant",
        "the column that tells real responses from previews and tests holds a word that is not known; the row counts",
        "Look whether it is a preview or a test; export with numeric values, whose codes are the same in every language",
        "de kolom die echte invullingen van voorbeelden en tests onderscheidt bevat een onbekend woord; de rij telt mee",
        "Kijk of het een voorbeeld of test is; exporteer met numerieke waarden, want die codes zijn in elke taal gelijk",
    ),
    Rule(
        "response_not_approved",
        "notice",
        "research_assistant",
        "somebody marked this submission as not approved, on hold or with issues; the row counts",
        "Correct the submission, or approve it, or delete it in the survey tool, and export again",
        "iemand heeft deze inzending als niet goedgekeurd, aangehouden of problematisch aangemerkt; de rij telt mee",
        "Verbeter de inzending, keur haar goed of verwijder haar in het vragenlijstsysteem, en exporteer opnieuw",
    ),
    Rule(
        "row_ragged",
        "error",
        "research_assistant",
        "the row has more or fewer cells than the header, so that its answers may stand in the wrong columns",
        "Make the export again; look for a separator inside an unquoted text, or a file that was cut off",
        "de rij heeft meer of minder cellen dan de kopregel, zodat antwoorden in de verkeerde kolom kunnen staan",
        "Maak de export opnieuw; let op een scheidingsteken in een tekst zonder aanhalingstekens, of een afgebroken bestand",
    ),
    Rule(
        "date_ambiguous",
        "error",
        "research_assistant",
        "the date can be read in two ways and nothing in the file says which is meant",
        "State the order as 'date: {column: ..., format: dd/mm/yyyy}' in the mapping file, or export dates as YYYY-MM-DD",
        "de datum is op twee manieren te lezen en niets in het bestand zegt welke bedoeld is",
        "Zet de volgorde als 'date: {column: ..., format: dd/mm/yyyy}' in het mappingbestand, of exporteer datums als "
        "JJJJ-MM-DD",
    ),
    Rule(
        "date_in_future",
        "error",
        "research_assistant",
        "the date lies after the day of this run",
        "Correct the date; look for day and month exchanged, or a wrong year",
        "de datum ligt na de dag van deze verwerking",
        "Verbeter de datum; let op een verwisselde dag en maand, of een verkeerd jaar",
    ),
    Rule(
        "date_before_birth",
        "error",
        "research_assistant",
        "the date lies before the patient's year of birth",
        "Correct the date, or the year of birth in the register of patients; check that it is the right patient",
        "de datum ligt vóór het geboortejaar van de patiënt",
        "Verbeter de datum, of het geboortejaar in het patiëntenregister; controleer of het de juiste patiënt is",
    ),
    Rule(
        "form_after_death",
        "error",
        "research_assistant",
        "the form is dated after the day on which the patient died, as the register of episodes says",
        "Correct the date of the form or its patient number, or the end of the episode in the register",
        "het formulier heeft een datum na de dag waarop de patiënt volgens het episodenregister is overleden",
        "Verbeter de datum of het patiëntnummer van het formulier, of het einde van de episode in het register",
    ),
    Rule(
        "birth_year_contradicts_register",
        "error",
        "research_assistant",
        "the year of birth beside the form is not that of the patient in the register: it may be another person's form",
        "Find out whose form it is and move it with `rom move`, or correct the year of birth in the register of patients",
        "het geboortejaar bij het formulier is niet dat van de patiënt in het register: het kan het formulier van een ander zijn",
        "Zoek uit van wie het formulier is en verplaats het met `rom move`, of verbeter het geboortejaar in het patiëntenregister",
    ),
    Rule(
        "total_contradicted",
        "error",
        "research_assistant",
        "the total that the survey tool stored does not follow from the answers: an answer or the total was typed wrongly",
        "Compare answers and total with the original form and correct the one that is wrong at its source",
        "het totaal uit het invoersysteem klopt niet met de antwoorden: een antwoord of het totaal is verkeerd ingevoerd",
        "Vergelijk antwoorden en totaal met het oorspronkelijke formulier en verbeter bij de bron wat niet klopt",
    ),
    Rule(
        "date_missing",
        "error",
        "research_assistant",
        "neither a date nor a moment is given",
        "Fill in the date on which the form was filled in, or name the moment in the mapping file",
        "er is geen datum en geen meetmoment opgegeven",
        "Vul de datum in waarop het formulier is ingevuld, of noem het meetmoment in het mappingbestand",
    ),
    Rule(
        "answer_not_a_code",
        "error",
        "research_assistant",
        "the cell holds something that is no answer code",
        "Correct the answer in the survey tool from the original form, or declare the code as missing in the mapping file",
        "in de cel staat iets dat geen antwoordcode is",
        "Verbeter het antwoord in het vragenlijstsysteem aan de hand van het oorspronkelijke formulier, of geef de code in "
        "het mappingbestand op als ontbrekend",
    ),
    Rule(
        "answer_out_of_range",
        "error",
        "research_assistant",
        "the answer lies outside the range of this item",
        "Correct the answer from the original form; if many rows are wrong, check coding, edition and missing codes",
        "het antwoord ligt buiten het bereik van deze vraag",
        "Verbeter het antwoord aan de hand van het oorspronkelijke formulier; zijn er veel rijen fout, controleer dan "
        "codering, versie en codes voor ontbrekend",
    ),
    Rule(
        "moment_unknown",
        "error",
        "data_manager",
        "the stated moment is none of the measurement plan",
        "Use baseline, m6, m12 ... as in the plan, or translate the export's words under 'moment: {column: ..., map: ...}' in the mapping file",
        "het opgegeven meetmoment staat niet in het meetplan",
        "Gebruik baseline, m6, m12 ... zoals in het plan, of vertaal de woorden van de export bij 'moment: {column: ..., "
        "map: ...}' in het mappingbestand",
    ),
    Rule(
        "same_day_conflict",
        "error",
        "research_assistant",
        "this patient has two different forms of this instrument for the same day or moment; neither counts",
        "Find out which of them is right and remove the other in the survey tool, or correct its date or patient number",
        "deze patiënt heeft twee verschillende formulieren van deze vragenlijst voor dezelfde dag of hetzelfde meetmoment; "
        "geen van beide telt mee",
        "Zoek uit welk formulier klopt en verwijder het andere in het vragenlijstsysteem, of verbeter de datum of het "
        "patiëntnummer daarvan",
    ),
    Rule(
        "row_id_twice",
        "error",
        "developer",
        "two administrations carry the same row id",
        "This is a fault of the software: report it with the number of the delivery and the row",
        "twee afnames hebben hetzelfde rijnummer in de database",
        "Dit is een fout in de software: meld hem met het nummer van de aanlevering en de rij",
    ),
    Rule(
        "register_key_missing",
        "error",
        "research_assistant",
        "the row of the register does not say whom or what it is about",
        "Fill in the number in the register and deliver it again",
        "de rij van het register zegt niet over wie of wat zij gaat",
        "Vul het nummer in het register in en lever het opnieuw aan",
    ),
    Rule(
        "register_date_unreadable",
        "error",
        "research_assistant",
        "a date in the register cannot be read",
        "Write dates as YYYY-MM-DD and deliver the register again",
        "een datum in het register is niet te lezen",
        "Schrijf datums als JJJJ-MM-DD en lever het register opnieuw aan",
    ),
    Rule(
        "register_code_unknown",
        "error",
        "data_manager",
        "a word or code in a column that the row needs is not one that may stand there",
        "Correct it in the register, or translate the codes under 'values' in the mapping file",
        "een woord of code in een kolom die de rij nodig heeft mag daar niet staan",
        "Verbeter het in het register, of vertaal de codes bij 'values' in het mappingbestand",
    ),
    Rule(
        "register_until_before_from",
        "error",
        "research_assistant",
        "the row of the register ends before it begins",
        "Correct one of the two dates in the register and deliver it again",
        "de rij van het register eindigt voordat zij begint",
        "Verbeter een van beide datums in het register en lever het opnieuw aan",
    ),
    Rule(
        "register_rows_overlap",
        "error",
        "research_assistant",
        "one file of the register holds two rows of one patient and phase that overlap in time; neither counts",
        "Correct the dates, or remove the row that is wrong, and deliver the register again",
        "één bestand van het register bevat twee rijen van één patiënt en fase die in de tijd overlappen; geen van beide telt mee",
        "Verbeter de datums, of verwijder de rij die niet klopt, en lever het register opnieuw aan",
    ),
    Rule(
        "register_date_implausible",
        "error",
        "research_assistant",
        "a date in the register lies before 1900, or too far in the future",
        "Correct the date in the register and deliver it again",
        "een datum in het register ligt vóór 1900, of te ver in de toekomst",
        "Verbeter de datum in het register en lever het opnieuw aan",
    ),
    Rule(
        "birth_year_implausible",
        "error",
        "research_assistant",
        "the year of birth is not that of a living adult or adolescent",
        "Correct the year of birth in the register of patients; check for two-digit years",
        "het geboortejaar is niet dat van een levende volwassene of jongere",
        "Verbeter het geboortejaar in het patiëntenregister; let op jaartallen van twee cijfers",
    ),
    Rule(
        "episode_ends_before_start",
        "error",
        "research_assistant",
        "the episode ends before it starts",
        "Correct one of the two dates in the register of episodes",
        "de episode eindigt voordat zij begint",
        "Verbeter een van beide datums in het episodenregister",
    ),
    Rule(
        "register_conflict",
        "error",
        "research_assistant",
        "one file of the register holds two different rows about the same person, therapist or episode; neither counts",
        "Remove the row that is wrong and deliver the register again",
        "één bestand van het register bevat twee verschillende rijen over dezelfde persoon, behandelaar of episode; geen "
        "van beide telt mee",
        "Verwijder de rij die niet klopt en lever het register opnieuw aan",
    ),
    Rule(
        "score_out_of_range",
        "error",
        "developer",
        "a computed score lies outside the range that the scale can have",
        "This is a fault of the software or of the instrument's definition: report it; no score of it should be used",
        "een berekende score ligt buiten het bereik dat de schaal kan hebben",
        "Dit is een fout in de software of in de definitie van de vragenlijst: meld hem en gebruik er geen enkele score van",
    ),
    # ---- for the reader's attention -------------------------------------------------------------------------------------
    Rule(
        "citizen_number_elsewhere",
        "notice",
        "research_assistant",
        "a cell outside the column of patient numbers looks like a citizen service number (BSN)",
        "Look at the cell; remove the number from the survey tool, and leave this column out of the export",
        "een cel buiten de kolom met patiëntnummers lijkt op een burgerservicenummer (BSN)",
        "Bekijk de cel; verwijder het nummer uit het vragenlijstsysteem en laat deze kolom weg uit de export",
    ),
    Rule(
        "columns_to_confirm",
        "notice",
        "data_manager",
        "columns were not taken in, because something contradicts their names or they have no name of their own",
        "Look at them with `rom deliveries show`; take them in with a mapping file (`rom deliveries draft` writes one)",
        "kolommen zijn niet ingelezen, omdat iets hun naam tegenspreekt of omdat ze geen eigen naam hebben",
        "Bekijk ze met `rom deliveries show`; lees ze in met een mappingbestand (`rom deliveries draft` schrijft er een)",
    ),
    Rule(
        "question_text_changed",
        "notice",
        "data_manager",
        "the question text of an item is another than in another file of this folder, under the same name",
        "Compare the two versions of the survey; when the question was changed, and not only its spelling, tell the consortium",
        "de vraagtekst van een vraag is anders dan in een ander bestand uit deze map, onder dezelfde naam",
        "Vergelijk de twee versies van de vragenlijst; meld het aan het consortium als de vraag zelf is veranderd en niet alleen de spelling",
    ),
    Rule(
        "column_not_taken_in",
        "notice",
        "research_assistant",
        "the column was not taken in",
        "Nothing to do when it is not needed; otherwise name it in the mapping file. Leave free text out of the export",
        "de kolom is niet ingelezen",
        "Niets, als zij niet nodig is; noem haar anders in het mappingbestand. Laat vrije tekst weg uit de export",
    ),
    Rule(
        "leading_zeros_restored",
        "notice",
        "research_assistant",
        "patient numbers were too short and leading zeros were put back, as this home's settings ask",
        "Export the column of patient numbers as text, so that no zeros are lost",
        "patiëntnummers waren te kort en zijn met voorloopnullen aangevuld, zoals de instellingen hier vragen",
        "Exporteer de kolom met patiëntnummers als tekst, zodat er geen nullen verloren gaan",
    ),
    Rule(
        "no_patient_register",
        "notice",
        "data_manager",
        "this programme has no register of patients, so nobody can tell whether its patient numbers exist",
        "Deliver a register of patients: a file with a column for the patient number, the year of birth and the sex",
        "dit programma heeft geen patiëntenregister, dus niemand kan nagaan of de patiëntnummers bestaan",
        "Lever een patiëntenregister aan: een bestand met een kolom voor patiëntnummer, geboortejaar en geslacht",
    ),
    Rule(
        "form_empty",
        "notice",
        "research_assistant",
        "the form holds no answer at all",
        "Nothing to do when the patient stopped; otherwise look whether the answers were exported",
        "het formulier bevat geen enkel antwoord",
        "Niets, als de patiënt is gestopt; kijk anders of de antwoorden zijn geëxporteerd",
    ),
    Rule(
        "cell_like_formula",
        "notice",
        "research_assistant",
        "a cell begins with a sign that spreadsheets take for a formula; it is treated as text",
        "Look at the cell in the survey tool before opening this export in a spreadsheet",
        "een cel begint met een teken dat spreadsheets voor een formule aanzien; zij is als tekst gelezen",
        "Bekijk de cel in het vragenlijstsysteem voordat deze export in een spreadsheet wordt geopend",
    ),
    Rule(
        "code_not_understood",
        "notice",
        "data_manager",
        "cells of this column hold a word or code that is not understood; they count as not recorded",
        "Translate the codes under 'values' (registers) or 'map' in the mapping file",
        "cellen in deze kolom bevatten een woord of code die niet wordt begrepen; zij tellen als niet vastgelegd",
        "Vertaal de codes bij 'values' (registers) of 'map' in het mappingbestand",
    ),
    Rule(
        "interviewer_not_stated",
        "notice",
        "research_assistant",
        "the interview does not say who held it, or whether that person knew which treatment the patient had",
        "Add the interviewer's code and a column 'blind' (yes or no) to the export, or name them in the mapping file",
        "bij het interview staat niet wie het afnam, of of diegene wist welke behandeling de patiënt kreeg",
        "Voeg de code van de interviewer en een kolom 'blind' (ja of nee) toe aan de export, of noem ze in het "
        "mappingbestand",
    ),
    Rule(
        "moved_form_changed",
        "error",
        "research_assistant",
        "this form was moved to another patient and was changed at its source since, where it still stands under the first number",
        "Correct the patient number at the source and export again, or move this row as well",
        "dit formulier is naar een andere patiënt verplaatst en daarna in het bronsysteem gewijzigd, nog onder het eerste nummer",
        "Corrigeer het patiëntnummer in het bronsysteem en exporteer opnieuw, of verplaats ook deze rij",
    ),
    Rule(
        "count_unusually_high",
        "notice",
        "research_assistant",
        "the count is higher than a period usually allows; it counts all the same",
        "Compare it with the original form, and correct it in the survey tool when it is a slip",
        "het aantal is hoger dan in zo'n periode gebruikelijk is; het telt gewoon mee",
        "Vergelijk het met het oorspronkelijke formulier en verbeter het in het vragenlijstsysteem als het een vergissing is",
    ),
    Rule(
        "answers_all_equal",
        "notice",
        "research_assistant",
        "every answer of the form is the same, where that contradicts itself or hardly happens; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
        "alle antwoorden op het formulier zijn gelijk, terwijl dat zichzelf tegenspreekt of bijna nooit voorkomt; het "
        "formulier telt gewoon mee",
        "Vraag na hoe het formulier is ingevuld: met hulp, een hapering van het systeem, niet begrepen? Verbeter het bij de "
        "bron",
    ),
    Rule(
        "answers_one_long_string",
        "notice",
        "research_assistant",
        "the same answer stands many times in a row; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
        "hetzelfde antwoord staat vele keren achter elkaar; het formulier telt gewoon mee",
        "Vraag na hoe het formulier is ingevuld: met hulp, een hapering van het systeem, niet begrepen? Verbeter het bij de "
        "bron",
    ),
    Rule(
        "answers_repeat_a_pattern",
        "notice",
        "research_assistant",
        "a sequence of answers comes again and again; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
        "een reeks antwoorden keert steeds terug; het formulier telt gewoon mee",
        "Vraag na hoe het formulier is ingevuld: met hulp, een hapering van het systeem, niet begrepen? Verbeter het bij de "
        "bron",
    ),
    Rule(
        "local_alpha_below_published",
        "notice",
        "data_manager",
        "the items of this scale hang together less well here than was published",
        "Look for columns that were swapped, a coding that was turned round, or forms answered without care; people who "
        "resemble each other more than the published sample also give a lower value",
        "de vragen van deze schaal hangen hier minder samen dan is gepubliceerd",
        "Kijk of er kolommen zijn verwisseld, een codering is omgedraaid, of formulieren slordig zijn ingevuld; ook mensen "
        "die meer op elkaar lijken dan de gepubliceerde steekproef geven een lagere waarde",
    ),
    Rule(
        "sex_contradicts_register",
        "notice",
        "research_assistant",
        "the sex beside the form is not that of the patient in the register; the form counts all the same",
        "Look whether it is the right patient; if not, move the form with `rom move`. A register may hold another sex than a "
        "person states: then there is nothing to do",
        "het geslacht bij het formulier is niet dat van de patiënt in het register; het formulier telt gewoon mee",
        "Kijk of het de juiste patiënt is en verplaats het formulier anders met `rom move`. In een register kan een ander geslacht "
        "staan dan iemand zelf opgeeft: dan hoeft er niets te gebeuren",
    ),
    Rule(
        "number_one_digit_away",
        "notice",
        "research_assistant",
        "this form fits no moment of its patient, while another patient whose number differs in one digit has no form for a "
        "moment that it would fit",
        "Look up in the original whose form it is; if the number was mistyped, move the form with `rom move`",
        "dit formulier past bij geen enkel meetmoment van deze patiënt, terwijl van een andere patiënt, met een nummer dat één "
        "cijfer verschilt, een formulier ontbreekt voor een moment waar het wel bij past",
        "Zoek in het origineel op van wie het formulier is; is het nummer verkeerd ingevoerd, verplaats het dan met `rom move`",
    ),
    Rule(
        "totals_disagree",
        "notice",
        "data_manager",
        "most totals that the survey tool stored do not follow from the answers: the tool computes its total in another way",
        "Ask how the tool computes this total; the answers count, its total is never used",
        "de meeste totalen uit het invoersysteem volgen niet uit de antwoorden: het systeem berekent het totaal op een andere manier",
        "Vraag na hoe het systeem dit totaal berekent; de antwoorden tellen, het totaal wordt nooit gebruikt",
    ),
    Rule(
        "treatment_before_intake",
        "notice",
        "research_assistant",
        "the treatment starts before the patient was referred",
        "Correct the date of referral or of the start in the register of episodes",
        "de behandeling begint vóór de aanmelding van de patiënt",
        "Verbeter de aanmelddatum of de startdatum in het episodenregister",
    ),
    Rule(
        "episodes_overlap",
        "notice",
        "research_assistant",
        "the episode starts before an earlier episode of the same patient has ended",
        "Fill in the end of the earlier episode, or remove the one that is there twice, in the register of episodes",
        "de episode begint voordat een eerdere episode van dezelfde patiënt is afgelopen",
        "Vul het einde van de eerdere episode in, of haal de dubbele weg uit het episodenregister",
    ),
    Rule(
        "therapist_not_allocated",
        "notice",
        "programme_manager",
        "the therapist of the episode is not in the register of therapists, or was not in service when it started",
        "Correct the therapist of the episode, or complete the register of therapists",
        "de behandelaar van de episode staat niet in het behandelarenregister, of was bij de start niet in dienst",
        "Verbeter de behandelaar van de episode, of vul het behandelarenregister aan",
    ),
    Rule(
        "instrument_not_planned",
        "notice",
        "programme_manager",
        "forms of this instrument were delivered, and the programme does not plan to use it",
        "Add it to the programme's 'instruments' in consortium.yaml, or leave it out of the export",
        "er zijn formulieren van dit instrument aangeleverd, terwijl het programma het niet gebruikt",
        "Zet het bij 'instruments' van het programma in consortium.yaml, of laat het weg uit de export",
    ),
    Rule(
        "weekly_more_than_once",
        "notice",
        "research_assistant",
        "the patient filled in this weekly form twice within a week; both count",
        "Look whether one of them belongs to another patient or to another week",
        "de patiënt heeft deze wekelijkse vragenlijst twee keer binnen een week ingevuld; beide tellen mee",
        "Kijk of een van beide bij een andere patiënt of een andere week hoort",
    ),
    Rule(
        "change_implausible",
        "notice",
        "research_assistant",
        "the score went almost from one end of the scale to the other within two weeks; both forms count, since large swings are "
        "part of the condition",
        "Look whether both forms are this patient's and were read in the same coding; otherwise there is nothing to do",
        "de score ging binnen twee weken bijna van het ene uiteinde van de schaal naar het andere; beide formulieren tellen mee, "
        "want grote schommelingen horen bij de aandoening",
        "Kijk of beide formulieren van deze patiënt zijn en in dezelfde codering zijn gelezen; anders hoeft er niets te gebeuren",
    ),
    Rule(
        "answers_drifted",
        "notice",
        "data_manager",
        "new patients in the newest delivery answer otherwise than this programme's patients before them did",
        "Look whether the questionnaire, the order of its answers or the export changed; other patients than before are the "
        "other possible cause",
        "nieuwe patiënten in de laatste aanlevering antwoorden anders dan de patiënten van dit programma vóór hen",
        "Kijk of de vragenlijst, de volgorde van de antwoorden of de export is veranderd; andere patiënten dan voorheen is de "
        "andere mogelijke oorzaak",
    ),
    Rule(
        "items_swapped",
        "notice",
        "data_manager",
        "two items of this delivery look as if their columns had been exchanged",
        "Compare the two columns with the questionnaire; if they are exchanged, name the column of each item in the mapping file",
        "twee vragen in deze aanlevering zien eruit alsof hun kolommen zijn verwisseld",
        "Vergelijk de twee kolommen met de vragenlijst; zijn ze verwisseld, noem dan in het mappingbestand de kolom van elke vraag",
    ),
    Rule(
        "programme_quiet",
        "notice",
        "programme_manager",
        "no delivery, or no form that counts, for longer than this home allows",
        "Ask the programme for its export; take it out of consortium.yaml when it no longer takes part",
        "er is langer dan hier is toegestaan niets aangeleverd, of geen formulier dat meetelt",
        "Vraag het programma om zijn export; haal het uit consortium.yaml als het niet meer meedoet",
    ),
    Rule(
        "withdrawn_at_source",
        "notice",
        "research_assistant",
        "the row had an error, and a later export of the same kind holds every good row beside it and this one no more",
        "Nothing to do when it was mended or deleted at the source; otherwise export it again",
        "er was iets mis met de rij, en een latere export van dezelfde soort bevat alle goede rijen ernaast en deze niet meer",
        "Niets, als de rij in het bronsysteem is verbeterd of verwijderd; exporteer haar anders opnieuw",
    ),
    Rule(
        "register_row_replaced",
        "notice",
        "research_assistant",
        "a later delivery of the register holds a row of the same patient and phase that overlaps with this one; the later one counts",
        "Nothing to do when the change was meant",
        "een latere aanlevering van het register bevat een rij van dezelfde patiënt en fase die met deze overlapt; de latere telt",
        "Niets, als de wijziging de bedoeling was; verbeter anders het register",
    ),
    Rule(
        "register_updated",
        "notice",
        "research_assistant",
        "a later delivery of the register says something else about this row; the later one counts",
        "Nothing to do when the change was meant",
        "een latere aanlevering van het register zegt iets anders over deze rij; de latere telt",
        "Niets, als de wijziging de bedoeling was; verbeter anders het register",
    ),
)


def by_id(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The rules by their id; ValueError where an id stands twice, since only one of the two would be told to people."""
    found: dict[str, Rule] = {}
    for one in rules:
        if one.id in found:
            raise ValueError(
                f"the rule '{one.id}' stands twice in the catalogue of mbt_rom/findings.py; keep one of them"
            )
        found[one.id] = one
    return found


RULES: dict[str, Rule] = by_id(_CATALOGUE)


def rule(rule_id: str, *, language: Language = "en") -> Rule:
    """The rule of that id, with `sentence` and `remedy` in `language`; KeyError, naming the catalogue, when there is none.

    >>> rule("form_empty").severity
    'notice'
    >>> rule("form_empty", language="nl").sentence
    'het formulier bevat geen enkel antwoord'
    """
    if rule_id not in RULES:
        raise KeyError(f"no rule '{rule_id}'; `rom rules` lists them, mbt_rom/findings.py holds them")
    found = RULES[rule_id]
    return found if language == "en" else replace(found, sentence=found.sentence_nl, remedy=found.remedy_nl)


def consequences(language: Language = "en") -> dict[Severity, str]:
    """What each severity does, the gravest first."""
    return CONSEQUENCES if language == "en" else CONSEQUENCES_NL


#: Notices after which something delivered counts for nothing until a person acts. They set no row aside: there is none.
_ASKING = frozenset({"columns_to_confirm"})


def needs_action(findings: pd.DataFrame) -> pd.Series:
    """Whether something counts for nothing until a person acts: boolean per row of a frame with `severity` and `rule`.

    >>> needs_action(pd.DataFrame({"severity": ["error", "notice", "notice"],
    ...                            "rule": ["date_missing", "form_empty", "columns_to_confirm"]})).tolist()
    [True, False, True]
    """
    return findings["severity"].ne("notice") | findings["rule"].isin(_ASKING)


def as_findings(rows: pd.DataFrame | Sequence[Mapping[str, Any]], *, source: str) -> pd.DataFrame:
    """Rows that name at least `programme_id`, `delivery_id` and `rule`, as a findings table of `source`.

    `source` is an instrument, `deliveries` or `registers`. Other columns of `FINDING_COLUMNS` are kept where they are
    given and missing where not; `severity` comes from the catalogue. Raises KeyError for a rule that is not in the
    catalogue and ValueError for a column that findings do not have, so that no other column of a row slips in.

    >>> as_findings([{"programme_id": "a", "delivery_id": "d1", "rule": "file_empty"}], source="deliveries").severity[0]
    'fatal'
    """
    table = findings_table(source)
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows))
    if frame.empty:
        return table.empty()
    severities = {rule_id: rule(str(rule_id)).severity for rule_id in frame["rule"].unique()}
    return table.conform(frame.assign(severity=frame["rule"].map(severities)))


def combined(frames: Iterable[pd.DataFrame], *, source: str) -> pd.DataFrame:
    """Findings of several makers as one table of `source`, those of the same place together."""
    table = findings_table(source)
    filled = [frame for frame in frames if not frame.empty]
    if not filled:
        return table.empty()
    order = ["programme_id", "delivery_id", "sheet", "source_row", "row_id", "item", "rule"]
    return table.conform(pd.concat(filled, ignore_index=True).sort_values(order, kind="stable"))


def message(finding: Mapping[str, Any] | pd.Series, file_name: str, *, language: Language = "en") -> str:
    """One finding as a line for people: FILE, row R, column C: sentence (detail). Remedy.

    `finding` is one row of a findings table; the column is named by its header in the file, or else by item.

    >>> message({"rule": "answer_out_of_range", "source_row": 14, "source_column": "Q12", "detail": "0 to 4"}, "may.csv")
    'may.csv, row 14, column Q12: the answer lies outside the range of this item (0 to 4). Correct the answer from ...'
    """
    broken = rule(str(finding["rule"]), language=language)
    detail = _given(finding, "detail")
    explained = f"{broken.sentence} ({detail})" if detail else broken.sentence
    return f"{', '.join(_place(finding, file_name, language))}: {explained}. {broken.remedy}."


def _place(finding: Mapping[str, Any] | pd.Series, file_name: str, language: Language) -> list[str]:
    column = _given(finding, "source_column") or _given(finding, "item")
    values = (_given(finding, "sheet"), _given(finding, "source_row"), column)
    return [file_name, *(f"{word} {value}" for word, value in zip(_PLACES[language], values, strict=True) if value)]


def _given(finding: Mapping[str, Any] | pd.Series, name: str) -> str:
    value = finding.get(name)
    return "" if value is None or pd.isna(value) else str(value)


def rules_page(*, language: Language = "en") -> str:
    """`docs/rules.md` and, in Dutch, `docs/rules.nl.md`: the catalogue as a page, one section per severity."""
    title, explained, _ = _PAGES[language]
    head = f"# {title}\n\n<!-- generated from mbt_rom/findings.py; do not edit -->\n\n{explained}\n"
    return head + "".join(_section(severity, language) for severity in CONSEQUENCES)


def _section(severity: Severity, language: Language) -> str:
    words = WORDS[language]
    rows = [rule(rule_id, language=language) for rule_id, r in RULES.items() if r.severity == severity]
    lines = [f"| `{r.id}` | {r.sentence} | {r.remedy}. | {words[r.owner]} |" for r in rows]
    header = f"| {' | '.join(_PAGES[language][2])} |\n|---|---|---|---|\n"
    return f"\n## {words[severity]}: {consequences(language)[severity]}\n\n{header}" + "\n".join(lines) + "\n"
