"""Every table of the system, declared once: name, key, columns, types and meaning.

Belongs here: what a table holds. It feeds the stored types, the checks and the generated data dictionary. Does not
belong here: any computation on the contents, and what a register holds (`registers`), from which its table follows.

Types, as pandas names them: `str` (nullable), `Int8` ... `Int64` (nullable), `float64`, `boolean` (nullable),
`datetime64[s]` (a date without time; stored as a date), `datetime64[us, UTC]` (a moment in time).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from mbt_rom import registers
from mbt_rom.model import Instrument
from mbt_rom.registers import Kind, Register, RegisterColumn

Dtype = Literal["str", "Int8", "Int16", "Int32", "Int64", "float64", "boolean", "datetime64[s]", "datetime64[us, UTC]"]
DATE: Dtype = "datetime64[s]"
TIME: Dtype = "datetime64[us, UTC]"


@dataclass(frozen=True)
class Column:
    """One column: `meaning` says what a value is, with its unit."""

    name: str
    dtype: Dtype
    meaning: str
    is_required: bool = False


@dataclass(frozen=True)
class Table:
    """One table. `name` has two levels (`items/bsi`); `key` names the columns that identify a row.

    Partitioned tables hold all programmes, and each programme's rows are replaced as a whole. Person-level tables hold one
    or more rows per person: they never leave the programme but through `contributions`. A table that does not tell its size
    is so confidential that not even the number of its rows is shown to people who keep the system running.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    is_person_level: bool = True
    is_partitioned: bool = True
    tells_its_size: bool = True

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]

    def empty(self) -> pd.DataFrame:
        """A frame without rows that has the declared columns and types."""
        return pd.DataFrame({c.name: pd.Series(dtype=c.dtype) for c in self.columns})

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with exactly the declared columns, in order and type; columns that are absent are filled with missing.

        Raises ValueError naming the columns that are not declared, and TypeError or ValueError where a value does not fit
        its type (1.5 in an integer column is an error, never 1).
        """
        if undeclared := [str(c) for c in frame.columns if c not in set(self.column_names)]:
            raise ValueError(f"{self.name} has no column {undeclared}; declare it in mbt_rom/tables.py")
        columns = {c.name: self._column(frame, c) for c in self.columns}
        return pd.DataFrame(columns, copy=False).reset_index(drop=True)

    def _column(self, frame: pd.DataFrame, column: Column) -> pd.Series:
        if column.name not in frame.columns:
            return pd.Series(None, index=frame.index, dtype=column.dtype)
        return frame[column.name].astype(column.dtype)


PROGRAMME = Column("programme_id", "str", "programme that the row belongs to, as in consortium.yaml", True)
PATIENT = Column(
    "patient_id", "str", "keyed pseudonym of the patient; missing where the number could not be read", False
)
EPISODE = Column("episode_id", "str", "treatment episode; missing where no episode is registered")
INSTRUMENT = Column("instrument", "str", "id of the instrument", True)
SCALE = Column("scale", "str", "id of the scale within the instrument", True)
EDITION = Column("edition", "str", "edition of the instrument that was filled in")
MOMENT = Column(
    "moment",
    "str",
    "baseline, m6, m12 ... m36, rebaseline (after a long wait), end (of treatment), or unscheduled",
    True,
)
ANCHOR = Column(
    "anchor", "str", "date of the episode that is month 0; programmes with another one are never in one table"
)
IS_LATE_BASELINE = Column(
    "is_late_baseline",
    "boolean",
    "whether the baseline was filled in after the first main session; missing where that is not known",
)
IS_BEFORE_TREATMENT = Column(
    "is_before_treatment",
    "boolean",
    "filled in before the first main session, or without one in a programme that records them; missing where that is not known",
)
VALUE_SET = Column("value_set_id", "str", "EQ-5D value set of a utility; missing for every other score")
ROW = Column("row_id", "str", "delivery, sheet and row that an administration came from", True)
FORM_STATE = Column(
    "form_state",
    "str",
    "opened (no answer yet), partial (the tool says that it was not finished and answers are missing) or complete",
)
DELIVERY = Column("delivery_id", "str", "sha256 of the delivered file", True)

LEDGER = Table(
    "deliveries/ledger",
    "One row per delivered file: what arrived, when, and how it was understood. Written last.",
    ("programme_id", "delivery_id"),
    (
        Column("programme_id", "str", "drop folder of the file: a programme, or _shared", True),
        DELIVERY,
        Column("file_name", "str", "name of the file as it was dropped; stays inside the programme", True),
        Column("received_at", TIME, "when it was taken in", True),
        Column("size_bytes", "Int64", "size of the file in bytes", True),
        Column("received_by", "str", "who delivered it: the user of `rom load`, or the owner of the file in the inbox"),
        Column(
            "kind",
            "str",
            "export, codebook (of a survey tool) or correction (a decision of a person); missing when refused",
        ),
        Column("dialect", "str", "kind of file or survey tool that wrote it: csv, xlsx, redcap ..."),
        Column("encoding", "str", "character encoding that was found"),
        Column("mapping", "str", "name of the mapping file used, or 'detected'"),
        Column("mapping_hash", "str", "hash of the mapping that was used"),
        Column("status", "str", "taken_in, or refused", True),
        Column("reason", "str", "rule under which a file was refused"),
        Column("n_rows", "Int64", "data rows in the file"),
        Column(
            "read_with", "str", "hash of the mappings, codebooks, definitions and code with which it was understood"
        ),
        Column("shape", "str", "hash of the set of its columns: equal for two exports of the same kind"),
        Column("understood", "str", "JSON: per column of the file its role, item and the reason; no values"),
    ),
    is_person_level=False,
)

CONTENTS = Table(
    "deliveries/contents",
    "What each delivery offered to each instrument, counted by the reader: the left side of the conservation law.",
    ("programme_id", "delivery_id", "instrument"),
    (
        PROGRAMME,
        DELIVERY,
        INSTRUMENT,
        Column("n_rows", "Int64", "rows x blocks in the file that could hold an administration", True),
        Column("n_blank", "Int64", "blocks without any answer in a file that holds several forms", True),
        Column("n_left_out", "Int64", "rows that the mapping file leaves out by its 'only' rules", True),
    ),
    is_person_level=False,
)

CONSERVATION = Table(
    "deliveries/conservation",
    "The conservation law: offered = blank + left out + accepted + set aside + exact duplicates + superseded.",
    ("programme_id", "instrument"),
    (
        PROGRAMME,
        INSTRUMENT,
        Column("n_offered", "Int64", "rows x blocks in all deliveries", True),
        Column("n_blank", "Int64", "blocks without any answer", True),
        Column("n_left_out", "Int64", "rows left out by a mapping's own rule", True),
        Column("n_accepted", "Int64", "administrations that count", True),
        Column("n_set_aside", "Int64", "administrations set aside because of a finding", True),
        Column("n_duplicate", "Int64", "exact copies of an administration that was received before", True),
        Column("n_superseded", "Int64", "earlier states of a form that was finished later", True),
        Column("is_conserved", "boolean", "true when both sides of the law are equal", True),
        Column("newest_form_on", DATE, "date of the newest accepted form; missing where none has a date"),
    ),
    is_person_level=False,
)

REVISIONS = Table(
    "deliveries/revisions",
    "One row per form that changed and per state of it that stood before: since when it no longer does, and what changed it.",
    ("programme_id", "instrument", "row_id", "row_id_before", "how"),
    (
        PROGRAMME,
        INSTRUMENT,
        PATIENT,
        Column("administered_on", DATE, "date on which the form was filled in, as it stands now"),
        Column("row_id", "str", "administration that stands now", True),
        Column(
            "row_id_before",
            "str",
            "administration that stood before; the same one where only its patient was linked",
            True,
        ),
        Column("changed_at", TIME, "when what took the place of that state was received or decided", True),
        Column("how", "str", "finished_later, exported_again, corrected, moved, linked or undone", True),
    ),
)

_ADMINISTRATION = (
    PROGRAMME,
    ROW,
    DELIVERY,
    Column("received_at", TIME, "when the delivery was taken in", True),
    Column("sheet", "str", "sheet of the workbook; missing for text files"),
    Column("source_row", "Int32", "row in the file as a spreadsheet shows it (the first row is 1)", True),
    Column("block", "Int16", "which of several forms of this instrument on one row; 0 is the first", True),
    PATIENT,
    Column("patient_problem", "str", "rule that the patient number broke; missing when it was read"),
    Column("response_id", "str", "keyed hash of the survey tool's response id"),
    Column("administered_on", DATE, "date on which the form was filled in"),
    Column("date_problem", "str", "rule that the date cell broke; missing when it was read or empty"),
    Column("submitted_at", TIME, "when the survey tool says the form was submitted"),
    Column("is_complete", "boolean", "what the survey tool says; missing when it does not say"),
    Column("moment_given", "str", "moment stated by the export itself"),
    EDITION,
    Column("language", "str", "language of the form, as a two-letter code"),
    Column("mode", "str", "paper, web or interview"),
    Column("respondent", "str", "who answered, where known: self, relative, clinician or other"),
    Column("assisted", "boolean", "whether somebody helped, where known"),
    Column("interviewer", "str", "keyed pseudonym of who held the interview or gave the ratings, where known"),
    Column("is_blind", "boolean", "whether the interviewer did not know the treatment, where known"),
    FORM_STATE,
    Column(
        "corrects", "str", "row_id of the row of an earlier delivery that a person corrected; this one stands for it"
    ),
    Column("undone_at", TIME, "when the correction that this row comes from was undone; missing where it holds"),
    Column(
        "birth_year_given", "Int16", "year of birth that stands beside the form; compared with the register, never used"
    ),
    Column("sex_given", "str", "sex that stands beside the form; compared with the register, never used"),
    Column("total_given", "float64", "total of the primary scale that the survey tool stored; compared, never used"),
    Column("unreadable_items", "str", "items whose cell held something that is no answer code, separated by spaces"),
    Column("out_of_range_items", "str", "items whose cell held a number too large to store, separated by spaces"),
)

FINDING_COLUMNS = (
    PROGRAMME,
    Column("delivery_id", "str", "sha256 of the delivered file; missing when a programme as a whole is meant"),
    Column("row_id", "str", "administration or register row; missing when the whole file or a column is meant"),
    Column("sheet", "str", "sheet of the workbook"),
    Column("source_row", "Int32", "row in the file as a spreadsheet shows it"),
    Column("source_column", "str", "header of the column in the file"),
    Column("item", "str", "item or register column that is wrong"),
    Column("rule", "str", "rule that was broken (see `rom rules`)", True),
    Column(
        "severity", "str", "fatal (the delivery), error (the row is set aside) or notice (nothing is set aside)", True
    ),
    Column("detail", "str", "what the rule needs to be understood (bounds, counts); never an answer, number or name"),
)

CLOSED = Table(
    "findings/closed",
    "Findings that kept data out once and no longer do: when each was opened and closed, by whom and how.",
    ("programme_id", "delivery_id", "row_id", "rule", "item", "source_column", "source_row", "source"),
    (
        *FINDING_COLUMNS,
        Column("source", "str", "instrument or 'deliveries'", True),
        Column("opened_at", TIME, "when the delivery that it is about came", True),
        Column("closed_at", TIME, "when the delivery that closed it came", True),
        Column("closed_by", "str", "who delivered that"),
        Column(
            "closed_how",
            "str",
            "superseded (by a later state of the form), corrected (by a decision of a person), withdrawn_at_source (a later full "
            "export holds the row no more) or file_replaced (a later file of the same export could be used)",
            True,
        ),
    ),
)

#: What findings are about besides the forms of one instrument: files, registers, scales, and several tables together.
SOURCES = ("deliveries", "registers", "psychometrics", "plausibility")

FINDINGS_SUMMARY = Table(
    "findings/summary",
    "Findings counted per programme, source and rule.",
    ("programme_id", "source", "rule"),
    (
        PROGRAMME,
        Column("source", "str", "instrument, 'deliveries', 'registers', 'psychometrics' or 'plausibility'", True),
        Column("rule", "str", "rule that was broken", True),
        Column("severity", "str", "fatal, error or notice", True),
        Column("n_findings", "Int64", "findings", True),
        Column("n_deliveries", "Int64", "deliveries in which they occurred", True),
        Column("oldest_received_at", TIME, "when the first of these deliveries came; missing where none is meant"),
    ),
    is_person_level=False,
)

PROGRAMMES = Table(
    "reference/programmes",
    "The programmes of the consortium, from consortium.yaml.",
    ("programme_id",),
    (
        PROGRAMME,
        Column("name", "str", "name of the programme", True),
        Column("format", "str", "treatment format: a stratum, never a covariate", True),
        Column("issuer", "str", "who gives out the patient numbers", True),
        Column("anchor", "str", "date of the episode that is month 0", True),
        Column("last_delivery_on", DATE, "date of the last delivery; missing when nothing ever came"),
        Column("n_deliveries", "Int64", "files taken in", True),
        Column("newest_form_on", DATE, "date of the newest accepted form of any instrument"),
    ),
    is_person_level=False,
    is_partitioned=False,
)

_KEPT_AS: dict[Kind, Dtype] = {"date": DATE, "boolean": "boolean", "count": "Int32", "birth_year": "Int16"}


def _register_column(column: RegisterColumn) -> Column:
    codes = f": {', '.join(column.codes)}" if column.codes else ""
    return Column(column.name, _KEPT_AS.get(column.kind, "str"), f"{column.meaning}{codes}", column.is_required)


def register_table(register: Register) -> Table:
    """`reference/<register>`: what was told about each key last, with the row and the delivery it comes from."""
    columns = tuple(_register_column(column) for column in register.columns)
    return Table(
        f"reference/{register.name}",
        register.meaning,
        ("programme_id", *register.key),
        (PROGRAMME, *columns, ROW, DELIVERY),
    )


#: The tables of all registers, by the register's name.
REGISTERS: dict[str, Table] = {name: register_table(register) for name, register in registers.REGISTERS.items()}
THERAPISTS, PATIENTS, EPISODES = REGISTERS["therapists"], REGISTERS["patients"], REGISTERS["episodes"]

#: Why a form did not come, as the register of nonresponse gives it.
NONRESPONSE_REASONS = {
    "refused": "the patient refused",
    "moved": "the patient has moved",
    "too_unwell": "the patient was too unwell",
    "language": "the patient does not read the language",
    "administrative": "it was not sent or got lost",
    "closed": "the programme was closed",
}

EXPECTED = Table(
    "outcomes/expected",
    "One row per episode, instrument and moment that the plan asks for, and one per form that fits no moment.",
    ("programme_id", "patient_id", "episode_id", "instrument", "moment", "row_id"),
    (
        PROGRAMME,
        Column("patient_id", "str", PATIENT.meaning, True),
        EPISODE,
        INSTRUMENT,
        MOMENT,
        Column("requirement", "str", "required or desired; missing for forms outside the plan"),
        ANCHOR,
        Column("due_on", DATE, "date on which the moment falls"),
        Column("opens_on", DATE, "first day on which a form counts for the moment"),
        Column("closes_on", DATE, "last day on which a form counts for the moment"),
        Column(
            "status",
            "str",
            "received, to_be_finished (its form was begun and the window is open), open, not_yet_due, missed, died or withdrawn "
            "(before it was due: not eligible), weekly (a form of a weekly series that answers no moment) or unscheduled",
            True,
        ),
        Column("row_id", "str", "administration that was matched to the moment"),
        Column("administered_on", DATE, "date on which it was filled in"),
        Column("days_from_due", "Int32", "days after (+) or before (-) the due date"),
        IS_LATE_BASELINE,
    ),
)

_RESPONSE_COUNTS = (
    Column(
        "n_started", "Int64", "episodes that started; missing, with the counts below, where no episode is registered"
    ),
    Column(
        "n_not_yet_due", "Int64", "moments whose window has not opened, or is open and not answered or not finished"
    ),
    Column("n_not_eligible", "Int64", "patients who died before the moment"),
    Column(
        "n_withdrawn", "Int64", "patients who withdrew their permission before the moment; not eligible, shown apart"
    ),
    Column("n_eligible", "Int64", "moments that should have been answered by now: received or missed"),
    Column("n_received", "Int64", "forms received within the window", True),
    Column("response_share", "float64", "received / eligible; missing when nobody was eligible"),
    Column("lower_95", "float64", "lower Wilson limit of the share"),
    Column("upper_95", "float64", "upper Wilson limit of the share"),
    Column("n_late", "Int64", "of the missed: a form came after the window, before the next one of the plan opened"),
    Column("n_late_baseline", "Int64", "of the received: filled in after the first main session (baseline only)"),
    Column("n_left_eligible", "Int64", "of the eligible: had left treatment before the moment without completing it"),
    Column("n_left_received", "Int64", "of these: received"),
    *(
        Column(f"n_{reason}", "Int64", f"of the missed: {meaning}; missing where no reasons are registered")
        for reason, meaning in NONRESPONSE_REASONS.items()
    ),
)

RESPONSE = Table(
    "outcomes/response",
    "Expected and received forms per instrument and moment, with Wilson intervals.",
    ("programme_id", "instrument", "moment"),
    (
        PROGRAMME,
        INSTRUMENT,
        MOMENT,
        ANCHOR,
        *_RESPONSE_COUNTS,
    ),
    is_person_level=False,
)

RESPONSE_BY_PERIOD = Table(
    "outcomes/response_by_period",
    "The same per year of start. A period is complete once its last window has closed.",
    ("programme_id", "instrument", "moment", "start_year"),
    (
        PROGRAMME,
        INSTRUMENT,
        MOMENT,
        Column("start_year", "Int16", "year of month 0", True),
        ANCHOR,
        *_RESPONSE_COUNTS,
        Column("complete_on", DATE, "last day on which a form can still count; the row is incomplete until then"),
    ),
    is_person_level=False,
)

WEEKLY = Table(
    "outcomes/weekly",
    "One row per episode with a weekly series: weeks of treatment from the first main session, and how many were answered.",
    ("programme_id", "episode_id", "instrument"),
    (
        PROGRAMME,
        Column("patient_id", "str", PATIENT.meaning, True),
        Column("episode_id", "str", EPISODE.meaning, True),
        INSTRUMENT,
        Column("n_weeks_due", "Int32", "whole weeks so far in which the programme was open", True),
        Column("n_weeks_answered", "Int32", "of these: at least one form", True),
        Column(
            "n_weeks_closed", "Int32", "whole weeks so far whose working days were all closed: gaps, not missed", True
        ),
        Column("last_answered_on", DATE, "date of the last form of the series"),
    ),
)

_CONSISTENCY_KEY = (PROGRAMME, INSTRUMENT, EDITION, SCALE, MOMENT)


def _with_limits(name: str, meaning: str) -> tuple[Column, ...]:
    """A figure and the limits of its 95 % interval."""
    return (
        Column(name, "float64", f"{meaning}; missing where it cannot be estimated"),
        Column(f"{name}_lower_95", "float64", "lower 95 % limit of it"),
        Column(f"{name}_upper_95", "float64", "upper 95 % limit of it"),
    )


PSYCHOMETRICS = Table(
    "outcomes/psychometrics",
    "How well the items of a scale hold together in the accepted forms of one programme and moment.",
    ("programme_id", "instrument", "edition", "scale", "moment"),
    (
        *_CONSISTENCY_KEY,
        Column("n_forms", "Int64", "accepted forms of the moment", True),
        Column("n_complete", "Int64", "those with an answer to every item of the scale", True),
        Column("n_used", "Int64", "forms behind alpha and its interval", True),
        Column("n_items", "Int64", "items of the scale", True),
        Column("n_items_varying", "Int64", "items that were not answered the same by everybody", True),
        Column("method", "str", "listwise: complete forms only", True),
        *_with_limits("alpha", "Cronbach's alpha (1951), interval by Feldt (1965)"),
        *_with_limits("mean_inter_item", "mean correlation between items"),
        Column("score_sd", "float64", "SD of the score, in the unit of the scale"),
        *_with_limits("sem", "standard error of measurement, SD x sqrt(1 - alpha), in the unit of the scale"),
        *_with_limits("floor_share", "share of complete forms at the lowest possible score, interval by Wilson"),
        *_with_limits("ceiling_share", "share of complete forms at the highest possible score, interval by Wilson"),
        Column("lowest_item_total", "float64", "lowest correlation of an item with the sum of the others"),
        Column("lowest_item", "str", "the item that has it"),
        Column("published_alpha", "float64", "lowest published alpha of the scale that was seen in print"),
        Column("published_alpha_id", "str", "its record in the definition"),
        Column("is_below_published", "boolean", "true when the whole interval lies below the published alpha"),
        Column("reason", "str", "why alpha was not estimated: too_few_items, too_few_forms or no_variance"),
    ),
    is_person_level=False,
)

ITEM_PSYCHOMETRICS = Table(
    "outcomes/item_psychometrics",
    "How each item goes with the others of its scale in the accepted forms of one programme and moment.",
    ("programme_id", "instrument", "edition", "scale", "moment", "item"),
    (
        *_CONSISTENCY_KEY,
        Column("item", "str", "id of the item", True),
        Column("n_used", "Int64", "complete forms", True),
        Column("method", "str", "listwise: complete forms only", True),
        Column("item_sd", "float64", "SD of the answers"),
        *_with_limits("item_total", "correlation with the sum of the other items, interval by Fisher's z"),
        Column("reason", "str", "why it was not estimated: too_few_items, too_few_forms or no_variance"),
    ),
    is_person_level=False,
)

CHANGE = Table(
    "outcomes/change",
    "Change from baseline to each later moment, per patient and scale.",
    ("programme_id", "patient_id", "episode_id", "instrument", "scale", "value_set_id", "moment"),
    (
        PROGRAMME,
        Column("patient_id", "str", PATIENT.meaning, True),
        EPISODE,
        INSTRUMENT,
        EDITION,
        SCALE,
        VALUE_SET,
        MOMENT,
        ANCHOR,
        Column("baseline_on", DATE, "date of the baseline form"),
        IS_LATE_BASELINE,
        Column("administered_on", DATE, "date of the later form"),
        Column(
            "is_before_treatment",
            "boolean",
            "true where the later form was filled in before the first main session: change while waiting, in no category",
        ),
        Column("baseline_score", "float64", "score at baseline, in the unit of the scale"),
        Column("score", "float64", "score at the moment, in the unit of the scale"),
        Column("change", "float64", "score minus baseline, in the unit of the scale"),
        Column("method", "str", "method of reliable change (jt)", True),
        Column("index", "float64", "reliable change index; positive is better"),
        Column("smallest_reliable_change", "float64", "1.96 x sqrt(2) x SEM, in the unit of the scale"),
        Column("cutoff", "float64", "boundary of the reference range, in the unit of the scale"),
        Column(
            "category",
            "str",
            "table code of the methods page; missing on scales that are not primary; a late baseline gives not_classifiable",
        ),
        Column("norm_id", "str", "norm behind index and cut-off"),
        Column("is_provisional", "boolean", "true when norm or missing-item rule is provisional", True),
    ),
)

TRAJECTORIES = Table(
    "outcomes/trajectories",
    "Every accepted score of a patient at its own date, with the moment it was matched to.",
    ("programme_id", "patient_id", "episode_id", "row_id", "instrument", "scale", "value_set_id"),
    (
        PROGRAMME,
        Column("patient_id", "str", PATIENT.meaning, True),
        EPISODE,
        ROW,
        INSTRUMENT,
        EDITION,
        SCALE,
        VALUE_SET,
        MOMENT,
        ANCHOR,
        Column("administered_on", DATE, "date on which the form was filled in"),
        Column("months_since_start", "float64", "months (of 30.4375 days) since month 0"),
        IS_BEFORE_TREATMENT,
        Column("score", "float64", "score in the unit of the scale"),
        Column("is_provisional", "boolean", "true when a provisional missing-item rule filled in for an answer", True),
        IS_LATE_BASELINE,
    ),
)

ALERTS = Table(
    "outcomes/alerts",
    "Risk answers, for the treating team only: one row per answer that meets a rule. Not watched day and night.",
    ("programme_id", "row_id", "item"),
    (
        PROGRAMME,
        PATIENT,
        INSTRUMENT,
        EDITION,
        Column("item", "str", "item that was answered", True),
        Column(
            "rule", "str", "ids of the rules that the answer meets, the deciding one first, separated by spaces", True
        ),
        Column("about", "str", "what the item asks about, in our own words", True),
        Column("level", "str", "alert or high: the highest level that the answer meets", True),
        Column("origin", "str", "published or project_rule: who set the deciding rule", True),
        Column("confidence", "str", "how sure we are of the deciding rule", True),
        Column("answer", "Int16", "the answer in canonical coding, or the count", True),
        Column("answered_on", DATE, "date on which the form was filled in, as it was delivered"),
        Column("received_at", TIME, "when the answer became visible: the first delivery in which it stood", True),
        Column(
            "age_days",
            "Int32",
            "days from the answer to the day it arrived; missing where the form has no date that can be trusted",
        ),
        Column("list", "str", "new_or_worse, unchanged_known or old (see docs/risk-answers.md)", True),
        Column("form_status", "str", "accepted, or set_aside: the form has a finding", True),
        ROW,
        DELIVERY,
    ),
    tells_its_size=False,
)


def _lengths(name: str, meaning: str, over: str) -> tuple[Column, ...]:
    """Figures of a length of time in days: simple ones, and by Kaplan-Meier."""
    return (
        Column(f"n_{name}", "Int64", f"people with a known {meaning} who {over}", True),
        Column(f"{name}_mean", "float64", f"their mean {meaning}, in days"),
        Column(f"{name}_lower_95", "float64", "lower limit of the mean (t)"),
        Column(f"{name}_upper_95", "float64", "upper limit of the mean (t)"),
        Column(f"{name}_median", "float64", f"their median {meaning}, in days"),
        Column(f"n_{name}_km", "Int64", "people behind the next figure, those included for whom it is not over", True),
        Column(f"{name}_km_median", "float64", f"median {meaning} by Kaplan-Meier, in days; missing where not reached"),
        Column(f"{name}_km_lower_95", "float64", "lower limit (Brookmeyer and Crowley)"),
        Column(f"{name}_km_upper_95", "float64", "upper limit (Brookmeyer and Crowley)"),
    )


STATES = Table(
    "outcomes/states",
    "Where every case stands: an episode, or a referral that no episode came of. What had not happened by the day is not in it.",
    ("programme_id", "patient_id", "episode_id", "referred_on"),
    (
        PROGRAMME,
        Column("patient_id", "str", PATIENT.meaning, True),
        Column("episode_id", "str", "treatment episode; missing for a referral that no episode came of"),
        Column("referred_on", DATE, "date of referral"),
        Column("started_on", DATE, "first session of the main programme"),
        Column("ended_on", DATE, "last main session"),
        Column(
            "end_reason",
            "str",
            "completed, dropped_out, referred_on, died, or ended (reason not recorded); missing where it has not ended",
        ),
        Column(
            "state",
            "str",
            "not_yet, referred, waiting, introductory, not_taken_on, main, follow_up, completed, dropped_out, referred_on, died "
            "or ended: exactly one of them",
            True,
        ),
        Column(
            "days_waiting", "Int32", "days from referral to start; until the end or the day where there was no start"
        ),
        Column("days_in_treatment", "Int32", "days from start to end; until the day where it has not ended"),
        Column("days_introductory", "Int32", "days in introductory spells; missing without a register of spells"),
        Column("days_follow_up", "Int32", "days in spells of follow-up; missing without a register of spells"),
        Column("is_first", "boolean", "true for the first case of the person in the programme", True),
        Column("is_re_entry", "boolean", "true where the person had been in treatment in the programme before", True),
    ),
)

FLOW = Table(
    "outcomes/flow",
    "How many were referred, started and ended per cohort, and how long it took: the manual's figures beside Kaplan-Meier's.",
    ("programme_id", "cohort"),
    (
        PROGRAMME,
        Column(
            "cohort", "str", "year of referral (referral, wait) and of start (treatment, ends); 'all' for all", True
        ),
        Column("complete_on", DATE, "when everybody of the cohort has been in treatment for 18 months"),
        Column("is_complete", "boolean", "true when that day has come; missing for all cohorts together"),
        Column("n_referred", "Int64", "people referred, or started without a date of referral", True),
        Column(
            "n_not_taken_on",
            "Int64",
            "of these: declined, withdrawn or sent elsewhere; missing without a register of referrals",
        ),
        Column("n_undecided", "Int64", "of these: referred, and no decision, spell or start recorded", True),
        Column("n_waiting", "Int64", "of these: waiting; missing without a register of spells or referrals"),
        Column(
            "n_introductory",
            "Int64",
            "of these: in the introductory course; missing where neither spells nor episodes tell",
        ),
        Column("n_left_before_start", "Int64", "of these: ended before the main programme", True),
        Column("n_started", "Int64", "people who started the main programme", True),
        Column("n_in_treatment", "Int64", "of these: in treatment", True),
        Column("n_completed", "Int64", "of these: completed", True),
        Column("n_dropped_out", "Int64", "of these: dropped out", True),
        Column("n_referred_on", "Int64", "of these: referred on", True),
        Column("n_died", "Int64", "of these: died", True),
        Column("n_ended", "Int64", "of these: ended, reason not recorded", True),
        Column("n_in_follow_up", "Int64", "of those who ended: in follow-up now; missing without a register of spells"),
        Column(
            "n_cases_waiting", "Int64", "cases before the start that are not closed, second ones of a person too", True
        ),
        Column("n_cases_in_treatment", "Int64", "cases in treatment, second ones of a person too", True),
        Column(
            "n_re_entries",
            "Int64",
            "starts of people who had been in treatment here before; not in the counts above",
            True,
        ),
        Column("completed_share", "float64", "completed / ended (the manual's figure; misleading in a young cohort)"),
        Column("completed_lower_95", "float64", "lower Wilson limit"),
        Column("completed_upper_95", "float64", "upper Wilson limit"),
        Column("dropped_out_share", "float64", "dropped out / ended"),
        Column("dropped_out_lower_95", "float64", "lower Wilson limit"),
        Column("dropped_out_upper_95", "float64", "upper Wilson limit"),
        *_lengths("wait", "wait from referral to start", "started"),
        *_lengths("stay", "time in treatment", "ended"),
    ),
    is_person_level=False,
)

TRANSFERS = Table(
    "outcomes/transfers",
    "Starts of people who left another programme of the home shortly before, by programme and year of start.",
    ("programme_id", "from_programme_id", "start_year"),
    (
        PROGRAMME,
        Column("from_programme_id", "str", "programme that they left at most 60 days before", True),
        Column("start_year", "Int16", "year of the start", True),
        Column("n_transfers", "Int64", "starts", True),
    ),
    is_person_level=False,
    is_partitioned=False,
)

FLOW_CURVES = Table(
    "outcomes/flow_curves",
    "Waiting, staying and ending month by month: Kaplan-Meier, and Aalen-Johansen for ends that rule each other out.",
    ("programme_id", "cohort", "curve", "outcome", "month"),
    (
        PROGRAMME,
        Column("cohort", "str", "as in outcomes/flow", True),
        Column("curve", "str", "wait, stay or end", True),
        Column("outcome", "str", "not_started, in_treatment, or the way in which it ended", True),
        Column("month", "Int16", "months (of 30.4375 days) since the referral (wait) or the start (stay, end)", True),
        Column("share", "float64", "share of the people in that condition by then"),
        Column("lower_95", "float64", "lower limit, on the scale log(-log)"),
        Column("upper_95", "float64", "upper limit, on the scale log(-log)"),
        Column("n_at_risk", "Int64", "people followed until then or longer, to whom nothing had happened before"),
        Column("n_persons", "Int64", "people behind the curve", True),
        Column("reason", "str", "why there is no share: too_few_persons or not_followed_so_long"),
    ),
    is_person_level=False,
)


_ATTENDANCE = (
    Column("month_on", DATE, "first day of the month", True),
    Column("n_offered", "Int64", "contacts to which the patient could come: attended or missed", True),
    Column("n_attended", "Int64", "of these: attended", True),
    Column("n_no_show", "Int64", "of these: missed without notice", True),
    Column("n_cancelled_by_patient", "Int64", "of these: cancelled by the patient", True),
    Column("n_not_offered", "Int64", "contacts that the programme cancelled, or in weeks in which it was closed", True),
    Column("n_not_recorded", "Int64", "contacts whose attendance is not recorded", True),
)

ATTENDANCE = Table(
    "outcomes/attendance",
    "Offered and kept contacts per patient and month.",
    ("programme_id", "patient_id", "month_on"),
    (PROGRAMME, Column("patient_id", "str", PATIENT.meaning, True), *_ATTENDANCE),
)

ATTENDANCE_BY_MONTH = Table(
    "outcomes/attendance_by_month",
    "Offered and kept contacts per programme and month.",
    ("programme_id", "month_on"),
    (
        PROGRAMME,
        *_ATTENDANCE,
        Column("n_patients", "Int64", "patients to whom a contact was offered", True),
        Column("attended_share", "float64", "attended / offered; missing when none was offered"),
        Column("lower_95", "float64", "lower limit, patients as clusters; missing below ten patients"),
        Column("upper_95", "float64", "upper limit"),
    ),
    is_person_level=False,
)

RESPONDERS = Table(
    "outcomes/responders",
    "Who answers: a logistic model of the forms that should have come, errors robust for several forms of one patient.",
    ("programme_id", "instrument", "term"),
    (
        PROGRAMME,
        INSTRUMENT,
        Column("term", "str", "intercept, baseline_severity, attendance, left_treatment or years_since_start", True),
        Column("n_rows", "Int64", "forms behind the model", True),
        Column("n_patients", "Int64", "patients behind it", True),
        Column("n_received", "Int64", "forms that came", True),
        Column("n_left_out", "Int64", "forms left out because a term is not known", True),
        Column("coefficient", "float64", "change of the log-odds of an answer per unit of the term"),
        Column("standard_error", "float64", "its standard error, patients as clusters"),
        Column("lower_95", "float64", "lower 95 % limit of the coefficient"),
        Column("upper_95", "float64", "upper 95 % limit of it"),
        Column("odds_ratio", "float64", "exp(coefficient)"),
        Column("odds_ratio_lower_95", "float64", "lower 95 % limit of it"),
        Column("odds_ratio_upper_95", "float64", "upper 95 % limit of it"),
        Column(
            "reason",
            "str",
            "why it was not estimated: no_data, mostly_unknown, no_spread, too_few_events or separation",
        ),
    ),
    is_person_level=False,
)

BALANCE = Table(
    "outcomes/balance",
    "Those who answered at a moment beside those who should have and did not, by what was known beforehand.",
    ("programme_id", "instrument", "moment", "variable"),
    (
        PROGRAMME,
        INSTRUMENT,
        MOMENT,
        Column("variable", "str", "baseline_severity, attendance, left_treatment, age or is_female", True),
        Column("n_responders", "Int64", "those who answered, of whom it is known", True),
        Column("n_others", "Int64", "those who did not, of whom it is known", True),
        Column("responders_mean", "float64", "mean, or share, of those who answered"),
        Column("others_mean", "float64", "mean, or share, of the others"),
        Column("difference", "float64", "standardised difference (Austin 2009): those who answered minus the others"),
        Column("lower_95", "float64", "lower 95 % limit of it"),
        Column("upper_95", "float64", "upper 95 % limit of it"),
        Column("reason", "str", "why there is none: no_data, too_few_persons or no_spread"),
    ),
    is_person_level=False,
)

CONTRIBUTIONS = Table(
    "contributions/outcomes",
    "THE BOUNDARY: all that leaves a programme. One row per patient, scale and moment that was due or received.",
    ("programme_id", "contribution_id", "instrument", "scale", "value_set_id", "moment"),
    (
        PROGRAMME,
        Column(
            "contribution_id",
            "str",
            "second pseudonym; cannot be joined to the first without the programme's key",
            True,
        ),
        Column("format", "str", "treatment format", True),
        ANCHOR,
        INSTRUMENT,
        EDITION,
        SCALE,
        VALUE_SET,
        MOMENT,
        Column("status", "str", "received, missed, open or not_yet_due; missing where no episode is registered"),
        Column("months_since_start", "Int16", "whole months since month 0"),
        Column("start_year", "Int16", "year in which the episode started"),
        Column("age_band", "str", "age at the start: under_18, 18_24, 25_34, 35_44, 45_54, 55_up"),
        Column("sex", "str", "female, male or other"),
        Column("score", "float64", "scale score; missing when not received or not scorable"),
        Column("is_provisional", "boolean", "true when a provisional missing-item rule was applied"),
        IS_LATE_BASELINE,
        IS_BEFORE_TREATMENT,
    ),
)

BENCHMARK = Table(
    "benchmarks/programmes",
    "Programmes beside each other, per instrument, scale and moment, after disclosure control.",
    ("programme_id", "instrument", "scale", "value_set_id", "moment"),
    (
        PROGRAMME,
        Column("format", "str", "treatment format: a stratum", True),
        ANCHOR,
        INSTRUMENT,
        EDITION,
        SCALE,
        VALUE_SET,
        MOMENT,
        Column(
            "suppressed", "str", "'' when shown; 'all' or the names of the cells withheld, separated by spaces", True
        ),
        Column("n_eligible", "Int64", "patients from whom this moment should have come by now"),
        Column("n_received", "Int64", "patients from whom it came"),
        Column("response_share", "float64", "received / eligible"),
        Column("response_lower_95", "float64", "lower Wilson limit"),
        Column("response_upper_95", "float64", "upper Wilson limit"),
        Column("n_pairs", "Int64", "patients with a score at baseline and at this moment"),
        Column("mean_baseline", "float64", "mean at baseline of these patients"),
        Column("mean_change", "float64", "mean change of these patients, in the unit of the scale"),
        Column("change_lower_95", "float64", "lower limit of the mean change (t)"),
        Column("change_upper_95", "float64", "upper limit of the mean change (t)"),
        Column(
            "effect", "float64", "mean change / SD at baseline of all patients of the same format; positive is better"
        ),
        Column("effect_lower_95", "float64", "lower limit of the effect"),
        Column("effect_upper_95", "float64", "upper limit of the effect"),
        Column(
            "n_classified", "Int64", "pairs that can be classified, those who started in the reference range included"
        ),
        Column("n_started_in_reference_range", "Int64", "pairs that started in the reference range"),
        Column("improved_share", "float64", "reliably improved / classified"),
        Column("improved_lower_95", "float64", "lower Wilson limit"),
        Column("improved_upper_95", "float64", "upper Wilson limit"),
        Column("worse_share", "float64", "reliably worse / classified"),
        Column("worse_lower_95", "float64", "lower Wilson limit"),
        Column("worse_upper_95", "float64", "upper Wilson limit"),
        Column("norm_id", "str", "norm behind the shares"),
        Column("is_provisional", "boolean", "true when a provisional norm or missing-item rule was used", True),
    ),
    is_person_level=False,
    is_partitioned=False,
)

_NOT_PERMITTED = (
    Column("n_never_recorded", "Int64", "of those not permitted: no permission for the comparison was recorded"),
    Column("n_withdrawn", "Int64", "of those not permitted: whoever decides ended it"),
    Column("n_not_yet", "Int64", "of those not permitted: it begins later"),
    Column(
        "n_representative_no_longer_decides",
        "Int64",
        "of those not permitted: only a representative gave it, and the patient has to by now",
    ),
    Column(
        "n_representative_missing",
        "Int64",
        "of those not permitted: only the patient gave it, and is too young to decide alone",
    ),
)
_HAS_REGISTER = Column(
    "has_register", "boolean", "whether any permission at all was delivered; without one nobody is permitted", True
)

INCLUSION = Table(
    "contributions/inclusion",
    "How many of those who started may be compared, and why the others may not. Counts only.",
    ("programme_id", "format", "start_year"),
    (
        PROGRAMME,
        Column("format", "str", "treatment format", True),
        Column("start_year", "Int16", "year in which the episode started; missing where no episode is registered"),
        _HAS_REGISTER,
        Column(
            "n_started", "Int64", "people who started; without a registered episode those of whom a form came", True
        ),
        Column("n_permitted", "Int64", "of these: the comparison is permitted on the day of the run", True),
        *_NOT_PERMITTED,
    ),
    is_person_level=False,
)

COMPARED = Table(
    "benchmarks/inclusion",
    "Who is in the comparison of each programme and how many are not, after disclosure control.",
    ("programme_id", "format"),
    (
        PROGRAMME,
        Column("format", "str", "treatment format: a stratum", True),
        Column(
            "suppressed", "str", "'' when shown; 'all' or the names of the cells withheld, separated by spaces", True
        ),
        _HAS_REGISTER,
        Column("n_started", "Int64", "people who started, of all years"),
        Column("n_permitted", "Int64", "of these: the comparison is permitted"),
        Column("permitted_share", "float64", "permitted / started"),
        Column("permitted_lower_95", "float64", "lower Wilson limit"),
        Column("permitted_upper_95", "float64", "upper Wilson limit"),
        *_NOT_PERMITTED,
    ),
    is_person_level=False,
    is_partitioned=False,
)


def items_table(instrument: Instrument) -> Table:
    """`items/<instrument>`: one row per administration, one typed column per item in canonical coding."""
    answers = tuple(
        Column(i.id, "Int16" if i.is_wide else "Int8", f"answer {i.bounds}" + (f": {i.tag}" if i.tag else ""))
        for i in instrument.items
    )
    return Table(
        f"items/{instrument.id}",
        f"Every {instrument.name} as it was delivered, one row per administration; drops nothing.",
        ("programme_id", "row_id"),
        _ADMINISTRATION + answers,
    )


#: Tables of the stage `findings` that hold no open finding.
NO_OPEN_FINDINGS = frozenset({CLOSED.name, FINDINGS_SUMMARY.name})


def findings_table(source: str) -> Table:
    """`findings/<source>`, where the source is an instrument or one of `SOURCES`."""
    return Table(
        f"findings/{source}",
        f"One row per thing that is wrong in {source}, without any patient's value.",
        ("programme_id", "delivery_id", "row_id", "rule", "item", "source_column", "source_row"),
        FINDING_COLUMNS,
    )


def scores_table(instrument: Instrument) -> Table:
    """`scores/<instrument>`: one row per accepted administration and scale, with the provenance of the score."""
    return Table(
        f"scores/{instrument.id}",
        f"Scale scores of every accepted {instrument.name}, with their provenance.",
        ("programme_id", "row_id", "scale", "value_set_id"),
        (
            PROGRAMME,
            ROW,
            Column("patient_id", "str", PATIENT.meaning, True),
            Column("administered_on", DATE, "date on which the form was filled in"),
            Column("moment_given", "str", "moment stated by the export itself"),
            FORM_STATE,
            INSTRUMENT,
            EDITION,
            Column("language", "str", "language of the form, as a two-letter code"),
            Column("mode", "str", "paper, web or interview"),
            Column("assisted", "boolean", "whether somebody helped, where known"),
            SCALE,
            VALUE_SET,
            Column("score", "float64", "score in the unit of the scale; missing when not scorable"),
            Column(
                "unscored_because",
                "str",
                "too_many_missing, not_finished, key_not_supplied, not_published, no_value_set_under_18 or not_defined; missing with a score",
            ),
            Column("n_items", "Int16", "items of the scale", True),
            Column("n_answered", "Int16", "items that were answered", True),
            Column(
                "is_prorated", "boolean", "true when missing answers were made up for by the instrument's rule", True
            ),
            Column("is_provisional", "boolean", "true when that rule is provisional", True),
            Column("lowest_possible", "float64", "score with every missing item at the end that adds least"),
            Column("highest_possible", "float64", "score with every missing item at the end that adds most"),
            Column("cutoffs_crossed", "str", "ids of published cut-offs between these two limits, separated by spaces"),
            Column("norm_id", "str", "norm behind the three columns that follow; missing where none may be used"),
            Column(
                "t_score", "float64", "50 + 10 x (score - mean of the norm) / SD of the norm; direction of the scale"
            ),
            Column(
                "percentile",
                "float64",
                "share of the norm group below the score in %, as if that group were normally distributed; few are",
            ),
            Column("norm_flags", "str", "what limits the comparison: see docs/norms.md; ids separated by spaces"),
            Column("severity", "str", "published word for a score of this size; missing under 18"),
            Column("definition_hash", "str", "hash of the definition that was used", True),
            Column("software_version", "str", "version of MBT-ROM", True),
        ),
    )


SINGLE: tuple[Table, ...] = (
    LEDGER, CONTENTS, CONSERVATION, REVISIONS, CLOSED, FINDINGS_SUMMARY, PROGRAMMES, *REGISTERS.values(), EXPECTED,
    RESPONSE, RESPONSE_BY_PERIOD, WEEKLY, CHANGE, TRAJECTORIES, PSYCHOMETRICS, ITEM_PSYCHOMETRICS, ALERTS,
    STATES, FLOW, FLOW_CURVES, TRANSFERS, ATTENDANCE, ATTENDANCE_BY_MONTH, RESPONDERS, BALANCE, CONTRIBUTIONS, INCLUSION, BENCHMARK,
    COMPARED,
)  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """All tables that a set of instruments gives rise to, by name."""

    instruments: tuple[Instrument, ...]
    tables: dict[str, Table] = field(init=False)

    def __post_init__(self) -> None:
        per_instrument = [make(i) for i in self.instruments for make in (items_table, scores_table)]
        sources = (*(i.id for i in self.instruments), *SOURCES)
        findings = [findings_table(s) for s in sources]
        every = (*SINGLE, *per_instrument, *findings)
        object.__setattr__(self, "tables", {table.name: table for table in sorted(every, key=lambda t: t.name)})

    def __getitem__(self, name: str) -> Table:
        """The table of that name; KeyError, naming those that exist, when there is none."""
        if name not in self.tables:
            raise KeyError(f"no table '{name}'; `rom tables` lists them: {', '.join(self.tables)}")
        return self.tables[name]
