"""The catalogue of rules, and findings as rows: what can be wrong with delivered data, in words, and how it is mended.

Belongs here: the wording, the severity and the owner of every rule, and the making and reading of finding rows. Does not
belong here: finding out that a rule is broken (`exports`, `conform`, `expectations`) and what follows from it
(`acceptance`). No sentence and no detail names a value of a patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from mbt_rom.tables import findings_table

Severity = Literal["fatal", "error", "notice"]
Owner = Literal["research_assistant", "data_manager", "programme_manager", "developer"]
Language = Literal["en"]

#: What a severity does, for people.
CONSEQUENCES: dict[Severity, str] = {
    "fatal": "the whole delivery is left out; the last good one stays",
    "error": "the row is set aside; everything else counts",
    "notice": "nothing is set aside",
}


@dataclass(frozen=True)
class Rule:
    """One rule: what is wrong when it is broken (`sentence`), what to do about it (`remedy`) and who does that (`owner`)."""

    id: str
    severity: Severity
    owner: Owner
    sentence: str
    remedy: str
    sentence_nl: str = ""
    remedy_nl: str = ""


_CATALOGUE: tuple[Rule, ...] = (
    # ---- the whole delivery -------------------------------------------------------------------------------------------
    Rule(
        "file_empty",
        "fatal",
        "research_assistant",
        "the file is empty",
        "Make the export again and deliver the new file",
    ),
    Rule(
        "file_header_only",
        "fatal",
        "research_assistant",
        "the file has a header but no rows below it",
        "Check the filter and the period of the export, then make it again",
    ),
    Rule(
        "file_unreadable",
        "fatal",
        "research_assistant",
        "the file cannot be read: it is cut off, protected by a password, or not the kind of file that its name says",
        "Open it in the program that it came from, save it as CSV or XLSX without a password, and deliver it again",
    ),
    Rule(
        "file_too_large",
        "fatal",
        "research_assistant",
        "the file is larger than this home takes in",
        "Export a shorter period per file, or ask the data manager to raise 'largest_file_mb' in consortium.yaml",
    ),
    Rule(
        "file_unpacks_too_large",
        "fatal",
        "data_manager",
        "the workbook unpacks to far more than its size, as a damaged or a malicious file does; it was not opened",
        "Ask the sender whether they made this file; if so, let them export it as CSV",
    ),
    Rule(
        "columns_unknown",
        "fatal",
        "research_assistant",
        "no column was recognised as an item of an instrument or as a column of a register",
        "Check that the first row with names was exported; otherwise write a mapping file that names the columns",
    ),
    Rule(
        "column_twice",
        "fatal",
        "research_assistant",
        "two columns would be read as the same item or the same field",
        "Remove or rename one of the columns, or say in the mapping file which of them counts",
    ),
    Rule(
        "item_count_wrong",
        "fatal",
        "research_assistant",
        "the number of item columns is not that of this instrument",
        "Check which questionnaire and which edition was exported, and export all of its items and no others",
    ),
    Rule(
        "edition_contradicted",
        "fatal",
        "research_assistant",
        "the file holds answers that this edition does not have",
        "Find out which edition was filled in (3L or 5L) and name the columns, or the mapping, accordingly",
    ),
    Rule(
        "edition_ambiguous",
        "fatal",
        "data_manager",
        "the names of the columns fit two editions of this questionnaire",
        "Find out which edition was filled in, and name it in a mapping file or in the programme's 'instruments'",
    ),
    Rule(
        "patient_column_citizen_numbers",
        "fatal",
        "research_assistant",
        "the column of patient numbers holds citizen service numbers (BSN); the file was refused and not kept",
        "Export the local patient number in place of the citizen number, and delete the file that holds them",
    ),
    Rule(
        "programme_unknown_folder",
        "fatal",
        "data_manager",
        "the inbox folder belongs to no programme of consortium.yaml",
        "Move the file to the folder of its programme, or add the programme to consortium.yaml",
    ),
    Rule(
        "mapping_ambiguous",
        "fatal",
        "data_manager",
        "more than one mapping file fits this file",
        "Add a column to 'matches' of one of them so that only one fits, or name the mapping with `rom load --mapping`",
    ),
    Rule(
        "mapping_invalid",
        "fatal",
        "data_manager",
        "the mapping file for this delivery cannot be used",
        "Correct the key that is named; `rom load --dry-run` shows how every column is understood",
    ),
    Rule(
        "coding_undeclared",
        "fatal",
        "data_manager",
        "the answers fit more than one coding of the instrument, or none",
        "State 'coding' in the mapping file: ask the survey tool's manager which number stands for the first answer",
    ),
    Rule(
        "order_undeclared",
        "fatal",
        "data_manager",
        "the items of this questionnaire are printed in several orders, and nothing says which one these columns follow",
        "State 'order' in the mapping file after a look at the printed form, or name the column of each item under 'items'",
    ),
    Rule(
        "raw_items_not_accepted",
        "fatal",
        "data_manager",
        "the file holds answers to single questions of a test that only its publisher scores",
        "Have the forms scored by the publisher's program, and deliver the scores that it gives",
    ),
    # ---- one row ------------------------------------------------------------------------------------------------------
    Rule(
        "patient_missing",
        "error",
        "research_assistant",
        "the row has no patient number",
        "Fill in the patient number in the survey tool and export again",
    ),
    Rule(
        "patient_form",
        "error",
        "research_assistant",
        "the patient number does not have the form that its hospital uses",
        "Correct the number at its source. A spreadsheet may have eaten leading zeros: export that column as text",
    ),
    Rule(
        "patient_unknown",
        "error",
        "research_assistant",
        "the patient is not in this programme's register of patients",
        "Correct the patient number, or deliver a register of patients that holds this patient",
    ),
    Rule(
        "programme_unknown",
        "error",
        "data_manager",
        "the row names a programme that consortium.yaml does not have",
        "Correct the programme code, add the programme to consortium.yaml, or map the code in the mapping file",
    ),
    Rule(
        "date_unreadable",
        "error",
        "research_assistant",
        "the date cannot be read",
        "Write dates as YYYY-MM-DD, or state their form as 'format' in the mapping file",
    ),
    Rule(
        "date_ambiguous",
        "error",
        "data_manager",
        "nothing in this column tells which part of the date is the day and which the month",
        "State the order as 'date: {column: ..., format: dd/mm/yyyy}' in the mapping file, or write dates as YYYY-MM-DD",
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
        "row_ragged",
        "error",
        "research_assistant",
        "the row has more or fewer cells than the header, so that its answers may stand in the wrong columns",
        "Make the export again; look for a separator inside an unquoted text, or a file that was cut off",
    ),
    Rule(
        "date_ambiguous",
        "error",
        "research_assistant",
        "the date can be read in two ways and nothing in the file says which is meant",
        "State the form of the dates as 'format' in the mapping file, or export dates as YYYY-MM-DD",
    ),
    Rule(
        "date_in_future",
        "error",
        "research_assistant",
        "the date lies after the day of this run",
        "Correct the date; look for day and month exchanged, or a wrong year",
    ),
    Rule(
        "date_before_birth",
        "error",
        "research_assistant",
        "the date lies before the patient's year of birth",
        "Correct the date, or the year of birth in the register of patients; check that it is the right patient",
    ),
    Rule(
        "date_missing",
        "error",
        "research_assistant",
        "neither a date nor a moment is given",
        "Fill in the date on which the form was filled in, or name the moment in the mapping file",
    ),
    Rule(
        "answer_not_a_code",
        "error",
        "research_assistant",
        "the cell holds something that is no answer code",
        "Correct the answer in the survey tool from the original form, or declare the code as missing in the mapping file",
    ),
    Rule(
        "answer_out_of_range",
        "error",
        "research_assistant",
        "the answer lies outside the range of this item",
        "Correct the answer from the original form; if many rows are wrong, check coding, edition and missing codes",
    ),
    Rule(
        "moment_unknown",
        "error",
        "data_manager",
        "the stated moment is none of the measurement plan",
        "Use baseline, m6, m12 ... as in the plan, or translate the export's words under 'moment: {column: ..., map: ...}' in the mapping file",
    ),
    Rule(
        "same_day_conflict",
        "error",
        "research_assistant",
        "this patient has two different forms of this instrument for the same day or moment; neither counts",
        "Find out which of them is right and remove the other in the survey tool, or correct its date or patient number",
    ),
    Rule(
        "row_id_twice",
        "error",
        "developer",
        "two administrations carry the same row id",
        "This is a fault of the software: report it with the number of the delivery and the row",
    ),
    Rule(
        "register_key_missing",
        "error",
        "research_assistant",
        "the row of the register does not say whom or what it is about",
        "Fill in the number in the register and deliver it again",
    ),
    Rule(
        "register_date_unreadable",
        "error",
        "research_assistant",
        "a date in the register cannot be read",
        "Write dates as YYYY-MM-DD and deliver the register again",
    ),
    Rule(
        "register_date_implausible",
        "error",
        "research_assistant",
        "a date in the register lies before 1900, or too far in the future",
        "Correct the date in the register and deliver it again",
    ),
    Rule(
        "birth_year_implausible",
        "error",
        "research_assistant",
        "the year of birth is not that of a living adult or adolescent",
        "Correct the year of birth in the register of patients; check for two-digit years",
    ),
    Rule(
        "episode_ends_before_start",
        "error",
        "research_assistant",
        "the episode ends before it starts",
        "Correct one of the two dates in the register of episodes",
    ),
    Rule(
        "register_conflict",
        "error",
        "research_assistant",
        "one file of the register holds two different rows about the same person, therapist or episode; neither counts",
        "Remove the row that is wrong and deliver the register again",
    ),
    Rule(
        "score_out_of_range",
        "error",
        "developer",
        "a computed score lies outside the range that the scale can have",
        "This is a fault of the software or of the instrument's definition: report it; no score of it should be used",
    ),
    # ---- for the reader's attention -------------------------------------------------------------------------------------
    Rule(
        "citizen_number_elsewhere",
        "notice",
        "research_assistant",
        "a cell outside the column of patient numbers looks like a citizen service number (BSN)",
        "Look at the cell; remove the number from the survey tool, and leave this column out of the export",
    ),
    Rule(
        "column_not_taken_in",
        "notice",
        "research_assistant",
        "the column was not taken in",
        "Nothing to do when it is not needed; otherwise name it in the mapping file. Leave free text out of the export",
    ),
    Rule(
        "leading_zeros_restored",
        "notice",
        "research_assistant",
        "patient numbers were too short and leading zeros were put back, as this home's settings ask",
        "Export the column of patient numbers as text, so that no zeros are lost",
    ),
    Rule(
        "no_patient_register",
        "notice",
        "data_manager",
        "this programme has no register of patients, so nobody can tell whether its patient numbers exist",
        "Deliver a register of patients: a file with a column for the patient number, the year of birth and the sex",
    ),
    Rule(
        "form_empty",
        "notice",
        "research_assistant",
        "the form holds no answer at all",
        "Nothing to do when the patient stopped; otherwise look whether the answers were exported",
    ),
    Rule(
        "cell_like_formula",
        "notice",
        "research_assistant",
        "a cell begins with a sign that spreadsheets take for a formula; it is treated as text",
        "Look at the cell in the survey tool before opening this export in a spreadsheet",
    ),
    Rule(
        "code_not_understood",
        "notice",
        "data_manager",
        "cells of this column hold a word or code that is not understood; they count as not recorded",
        "Translate the codes under 'values' (registers) or 'map' in the mapping file",
    ),
    Rule(
        "interviewer_not_stated",
        "notice",
        "research_assistant",
        "the interview does not say who held it, or whether that person knew which treatment the patient had",
        "Add the interviewer's code and a column 'blind' (yes or no) to the export, or name them in the mapping file",
    ),
    Rule(
        "count_unusually_high",
        "notice",
        "research_assistant",
        "the count is higher than a period usually allows; it counts all the same",
        "Compare it with the original form, and correct it in the survey tool when it is a slip",
    ),
    Rule(
        "answers_all_equal",
        "notice",
        "research_assistant",
        "every answer of the form is the same, where that contradicts itself or hardly happens; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
    ),
    Rule(
        "answers_one_long_string",
        "notice",
        "research_assistant",
        "the same answer stands many times in a row; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
    ),
    Rule(
        "answers_repeat_a_pattern",
        "notice",
        "research_assistant",
        "a sequence of answers comes again and again; the form counts all the same",
        "Ask how the form was filled in: a helper, a slip of the tool, a form that was not understood? Correct it at the source",
    ),
    Rule(
        "local_alpha_below_published",
        "notice",
        "data_manager",
        "the items of this scale hang together less well here than was published",
        "Look for columns that were swapped, a coding that was turned round, or forms answered without care; people who "
        "resemble each other more than the published sample also give a lower value",
    ),
    Rule(
        "programme_quiet",
        "notice",
        "programme_manager",
        "no delivery, or no form that counts, for longer than this home allows",
        "Ask the programme for its export; take it out of consortium.yaml when it no longer takes part",
    ),
    Rule(
        "register_updated",
        "notice",
        "research_assistant",
        "a later delivery of the register says something else about this row; the later one counts",
        "Nothing to do when the change was meant",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _CATALOGUE}

#: Sentence and remedy of each rule in languages other than English.
TRANSLATIONS: dict[str, dict[str, tuple[str, str]]] = {}


def rule(rule_id: str, *, language: str = "en") -> Rule:
    """The rule of that id, worded in `language`; KeyError, naming the catalogue, when there is none.

    >>> rule("form_empty").severity
    'notice'
    """
    if rule_id not in RULES:
        raise KeyError(f"no rule '{rule_id}'; `rom rules` lists them, mbt_rom/findings.py holds them")
    found = RULES[rule_id]
    if language == "en":
        return found
    sentence, remedy = TRANSLATIONS[language][rule_id]
    return Rule(found.id, found.severity, found.owner, sentence, remedy)


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


def message(finding: Mapping[str, Any] | pd.Series, file_name: str, *, language: str = "en") -> str:
    """One finding as a line for people: FILE, row R, column C: sentence (detail). Remedy.

    `finding` is one row of a findings table; the column is named by its header in the file, or else by item.

    >>> message({"rule": "answer_out_of_range", "source_row": 14, "source_column": "Q12", "detail": "0 to 4"}, "may.csv")
    'may.csv, row 14, column Q12: the answer lies outside the range of this item (0 to 4). Correct the answer from ...'
    """
    broken = rule(str(finding["rule"]), language=language)
    detail = _given(finding, "detail")
    explained = f"{broken.sentence} ({detail})" if detail else broken.sentence
    return f"{', '.join(_place(finding, file_name))}: {explained}. {broken.remedy}."


def _place(finding: Mapping[str, Any] | pd.Series, file_name: str) -> list[str]:
    column = _given(finding, "source_column") or _given(finding, "item")
    named = (("sheet", _given(finding, "sheet")), ("row", _given(finding, "source_row")), ("column", column))
    return [file_name, *(f"{word} {value}" for word, value in named if value)]


def _given(finding: Mapping[str, Any] | pd.Series, name: str) -> str:
    value = finding.get(name)
    return "" if value is None or pd.isna(value) else str(value)


def rules_page(*, language: str = "en") -> str:
    """`docs/rules.md`: the catalogue as a page, one section per severity."""
    head = (
        "# Rules\n\n<!-- generated from mbt_rom/findings.py; do not edit -->\n\n"
        "Every finding names one of these rules. A finding never holds an answer, a patient number or a name.\n"
    )
    return head + "".join(_section(severity, language) for severity in CONSEQUENCES)


def _section(severity: Severity, language: str) -> str:
    rows = [rule(rule_id, language=language) for rule_id, r in RULES.items() if r.severity == severity]
    lines = [f"| `{r.id}` | {r.sentence} | {r.remedy}. | {r.owner.replace('_', ' ')} |" for r in rows]
    header = "| rule | what is wrong | what to do | who |\n|---|---|---|---|\n"
    return f"\n## {severity}: {CONSEQUENCES[severity]}\n\n{header}" + "\n".join(lines) + "\n"
