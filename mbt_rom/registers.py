"""The registers: what a programme tells about people, staff and what happened, beside the forms that patients fill in.

Belongs here: every register declared once: its columns, of which kind they are, what they may be called in an export, which codes they
may hold and by which words these are told. Tables (`tables`), reading (`exports.detection`, `exports.mapping`, `sheet_rows`),
rules (`expectations.registers`), the workbook of `rom template` and the pages follow from it. Does not belong here: any computation.

Each register is optional: where one is missing, what depends on it is *no data*, never zero. Codes are lower-case English words; Dutch and
English synonyms are read. Free text is never taken in: a column is a key, a date, a code, yes or no, a count, or one short name.
A first day (`from_on`) and a last day (`until_on`) both count; without a last day it still holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

#: How the cells of a column are read: `patient`, `staff` and `episode` become keyed pseudonyms; `word` is one short name (a team, a
#: medicine); `instrument` and `moment` are those of the measurement plan; `birth_year` is a year or a date of birth.
Kind = Literal[
    "patient", "staff", "episode", "date", "code", "boolean", "count", "word", "instrument", "moment", "birth_year"
]


@dataclass(frozen=True)
class RegisterColumn:
    """One column of a register. `meaning` and `meaning_nl` say what a value is.

    `codes`: value -> the words that mean it, separated by spaces. `headers`: what the column may be called where that says by itself which
    register it is; `plain`: names that count only beside such a one; `roles`: roles of `exports.names.ROLES` whose spellings count as
    plain names, too. `told`: the role under which the account of an export names it. A row without a value in a required column is set
    aside. `is_strict`: so is a row with a word in this column that is not known, which elsewhere counts as not recorded.
    """

    name: str
    kind: Kind
    meaning: str
    meaning_nl: str
    is_required: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    told: str = ""
    is_strict: bool = False

    @property
    def role(self) -> str:
        """The role under which the account of an export names the column."""
        return self.told or self.name


@dataclass(frozen=True)
class Register:
    """One register: table `reference/<name>`. `meaning` is what it holds; `without` what is no data where it is missing (both with Dutch).

    `key`: the columns that tell two rows apart; of rows with one key the one delivered last counts. `ordered`: pairs of date columns of
    which the second may not lie before the first. `mark` ends the ids of its rows. `is_core`: it is there in every home, empty or not.
    `is_told_by_key`: a sheet that has all required columns is this register, whatever they are called.
    `is_of_known_patients`: its patients must be in the register of patients, where there is one. `without_overlap`: rows that share
    these columns may not overlap in time. `doubted_by`: the columns by which a row that is set aside puts others in doubt; such a row is
    kept, to be set aside, although another required column is missing.
    """

    name: str
    title: str
    title_nl: str
    meaning: str
    meaning_nl: str
    without: str
    without_nl: str
    key: tuple[str, ...]
    columns: tuple[RegisterColumn, ...]
    mark: str
    ordered: tuple[tuple[str, str], ...] = ()
    is_core: bool = False
    is_told_by_key: bool = False
    is_of_known_patients: bool = True
    without_overlap: tuple[str, ...] = ()
    doubted_by: tuple[str, ...] = ()

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns without which a row says nothing."""
        return tuple(column.name for column in self.columns if column.is_required)

    @property
    def has_patients(self) -> bool:
        """Whether rows are about patients."""
        return "patient_id" in self.column_names

    def column(self, name: str) -> RegisterColumn:
        """The column of that name; KeyError, naming those there are, when there is none."""
        found = {column.name: column for column in self.columns}
        if name not in found:
            raise KeyError(f"register '{self.name}' has no column '{name}'; it has {', '.join(found)}")
        return found[name]

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Names of the columns of these kinds."""
        return tuple(column.name for column in self.columns if column.kind in kinds)


# Columns that several registers have ----------------------------------------------------------------------------------


def _patient(*, is_required: bool = True) -> RegisterColumn:
    missing = "" if is_required else "; missing for what is about the whole programme"
    missing_nl = "" if is_required else "; leeg bij wat het hele programma betreft"
    return RegisterColumn(
        "patient_id", "patient", f"keyed pseudonym of the patient{missing}",
        f"nummer van de patiënt, met voorloopnullen{missing_nl}",
        is_required=is_required, roles=("patient",), told="patient",
    )  # fmt: skip


def _staff(meaning: str, meaning_nl: str, *, is_required: bool = False, name: str = "staff_id") -> RegisterColumn:
    return RegisterColumn(
        name, "staff", f"keyed pseudonym, as therapist_id: {meaning}", meaning_nl, is_required=is_required,
        headers=("staff_id",) if name == "staff_id" else (name,),
        plain=("staff", "staff_code", "staff_member", "employee", "employee_id", "medewerker", "medewerker_id", "medewerkercode", "seen_by")
        if name == "staff_id" else (name.removesuffix("_id"), "vervanger", "vervanger_id", "waarnemer", "waarnemer_id", "plaatsvervanger"),
        roles=("therapist",) if name == "staff_id" else (),
    )  # fmt: skip


def _from(meaning: str = "first day", meaning_nl: str = "eerste dag", *, is_required: bool = True) -> RegisterColumn:
    return RegisterColumn(
        "from_on", "date", meaning, meaning_nl, is_required=is_required,
        plain=("from_on", "start", "begin", "begindatum", "ingangsdatum", "started_on", "start_date", "startdatum"), roles=("from",),
    )  # fmt: skip


def _until(
    meaning: str = "last day; missing: still", meaning_nl: str = "laatste dag; leeg: loopt nog"
) -> RegisterColumn:
    return RegisterColumn(
        "until_on", "date", meaning, meaning_nl,
        plain=("until_on", "end", "einde", "eind", "einddatum", "ended_on", "end_date", "t_m", "tm"), roles=("until",),
    )  # fmt: skip


FORMATS: dict[str, str] = {
    "day_hospital": "day_hospital day_clinic dagkliniek dagbehandeling deeltijd deeltijdbehandeling mbt_dt dt partial_hospital",
    "intensive_outpatient": "intensive_outpatient iop intensief_ambulant intensieve_ambulante_behandeling mbt_iop mbt_i_o_p",
    "outpatient": "outpatient op ambulant poliklinisch mbt_op mbt_o",
    "adolescent": "adolescent adolescents mbt_a adolescenten jeugd jongeren mbt_adolescenten",
    "other": "other anders overig overige",
}
FUNCTIONS: dict[str, str] = {
    "individual": "individual individueel individual_therapist individueel_therapeut individuele_therapie hoofdbehandelaar",
    "group": "group groep group_therapist groepstherapeut groepstherapie",
    "psychiatrist": "psychiatrist psychiater",
    "nurse": "nurse verpleegkundige sociotherapeut spv nurse_practitioner verpleegkundig_specialist",
    "supervisor": "supervisor supervision supervisie",
    "research_assistant": "research_assistant onderzoeksassistent rom_assistent assistent assistant",
}
SEXES: dict[str, str] = {
    "female": "female f v vrouw woman w vrouwelijk",
    "male": "male m man mannelijk",
    "other": "other anders x non_binary nonbinary nonbinair non_binair overig",
}
END_REASONS: dict[str, str] = {
    "completed": "completed complete voltooid afgerond regulier planned",
    "dropped_out": "dropped_out dropout drop_out uitval afgebroken voortijdig",
    "referred_on": "referred_on referred doorverwezen verwezen overgeplaatst",
    "died": "died deceased death overleden overlijden gestorven zelfdoding suicide",
}

THERAPISTS = Register(
    "therapists", "Therapists", "Behandelaren",
    "Therapists of a programme.", "Behandelaren van een programma.",
    "whether the therapist of an episode was in service when it started",
    "of de behandelaar van een episode bij de start in dienst was",
    ("therapist_id",),
    (
        RegisterColumn(
            "therapist_id", "staff", "keyed pseudonym of the therapist", "code van de behandelaar", is_required=True, roles=("therapist",),
            told="therapist",
        ),
        RegisterColumn(
            "function", "code", "what the therapist does", "functie", roles=("function",), told="function",
            codes={k: FUNCTIONS[k] for k in ("individual", "group", "supervisor")}
            | {"team_leader": "team_leader teamleider", "psychiatrist": FUNCTIONS["psychiatrist"], "other": "other anders overig"},
        ),
        RegisterColumn("started_on", "date", "first day in the programme", "eerste dag in het programma", roles=("from",), told="from"),
        RegisterColumn("ended_on", "date", "last day in the programme", "laatste dag in het programma", roles=("until",), told="until"),
    ),
    mark="t", ordered=(("started_on", "ended_on"),), is_core=True,
)  # fmt: skip

PATIENTS = Register(
    "patients", "Patients", "Patiënten",
    "Patients of a programme.", "Patiënten van een programma.",
    "age, norms by age and sex, and whether the patient number on a form exists",
    "leeftijd, normen naar leeftijd en geslacht, en of het patiëntnummer op een formulier bestaat",
    ("patient_id",),
    (
        _patient(),
        RegisterColumn(
            "birth_year", "birth_year", "year of birth", "geboortejaar (of geboortedatum)", roles=("birth_year",), told="birth_year",
        ),
        RegisterColumn(
            "sex", "code", "as recorded; missing when not recorded", "geslacht zoals vastgelegd", roles=("sex",), told="sex", codes=SEXES,
        ),
    ),
    mark="p", is_core=True,
)  # fmt: skip

EPISODES = Register(
    "episodes", "Treatment episodes", "Behandelepisodes",
    "Treatment episodes: their dates, therapist and end.", "Behandelepisodes: hun datums, behandelaar en einde.",
    "what was expected when, response, courses, and every figure from month 0 on",
    "wat wanneer verwacht werd, respons, beloop, en elk cijfer vanaf maand 0",
    ("episode_id",),
    (
        RegisterColumn(
            "episode_id", "episode", "keyed pseudonym of the episode", "nummer van de episode of het traject", is_required=True,
            roles=("episode",), told="episode",
        ),
        _patient(),
        RegisterColumn(
            "therapist_id", "staff", "principal therapist at the start", "hoofdbehandelaar bij de start", roles=("therapist",), told="therapist",
        ),
        RegisterColumn("referred_on", "date", "date of referral", "aanmelddatum", roles=("referred",), told="referred"),
        RegisterColumn(
            "first_assessment_on", "date", "first assessment (intake)", "eerste intakegesprek",
            headers=("first_assessment_on", "first_assessment", "intake_on", "intake_date", "intakedatum", "datum_intake", "eerste_intake"),
        ),
        RegisterColumn(
            "first_introductory_on", "date", "first session of the introductory course (MBT-I)",
            "eerste bijeenkomst van de introductiecursus (MBT-I)",
            headers=(
                "first_introductory_on", "introductory_on", "first_mbt_i", "mbt_i_start", "start_mbt_i", "start_introductie",
                "introductiecursus_start", "start_introductory",
            ),
        ),
        RegisterColumn("started_on", "date", "first session of the main programme", "eerste sessie van het hoofdprogramma", roles=("started",), told="started"),
        RegisterColumn(
            "planned_end_on", "date", "day on which the main programme was planned to end", "geplande einddatum van het hoofdprogramma",
            headers=("planned_end_on", "planned_end", "planned_end_date", "geplande_einddatum", "verwachte_einddatum", "gepland_einde"),
        ),
        RegisterColumn("ended_on", "date", "last main session", "laatste sessie van het hoofdprogramma", roles=("ended",), told="ended"),
        RegisterColumn(
            "last_followup_on", "date", "last contact of the follow-up phase", "laatste contact van de nazorg",
            headers=("last_followup_on", "last_follow_up_on", "last_followup", "last_follow_up", "laatste_followup", "laatste_follow_up", "einde_nazorg", "laatste_nazorg"),
        ),
        RegisterColumn("end_reason", "code", "how it ended", "hoe de episode eindigde", roles=("end_reason",), told="end_reason", codes=END_REASONS),
    ),
    mark="e", ordered=(("started_on", "ended_on"),), is_core=True,
)  # fmt: skip

SPELLS = Register(
    "spells", "Phases of treatment", "Fasen van de behandeling",
    "Which phase of treatment a patient was in, in which format and team, and when.",
    "In welke fase van de behandeling een patiënt was, in welke vorm en welk team, en wanneer.",
    "waiting times, durations of phases, flow, transfers between formats and teams",
    "wachttijden, duur van fasen, doorstroom, overgangen tussen vormen en teams",
    ("patient_id", "phase", "from_on"),
    (
        _patient(),
        RegisterColumn(
            "phase", "code", "phase of treatment", "fase van de behandeling", is_required=True,
            headers=("phase", "fase", "behandelfase", "treatment_phase", "fase_behandeling"),
            codes={
                "waiting": "waiting wait waiting_list wacht wachtlijst wachten wachttijd",
                "introductory": "introductory introduction mbt_i introductie introductiecursus psychoeducatie intro",
                "main": "main main_programme intensive intensief hoofdprogramma behandeling hoofdbehandeling mbt",
                "follow_up": "follow_up followup aftercare nazorg vervolg vervolgfase mbt_fu",
            },
        ),
        RegisterColumn(
            "format", "code", "treatment format, where it differs from the programme's", "behandelvorm, als die afwijkt van die van het programma",
            plain=("format", "vorm", "behandelvorm", "treatment_format", "setting"), codes=FORMATS,
        ),
        RegisterColumn("team", "word", "team, as a short name", "team, als korte naam", plain=("team", "groep", "group", "unit", "team_id", "teamnaam")),
        _from(), _until(),
    ),
    mark="spells", ordered=(("from_on", "until_on"),), without_overlap=("patient_id", "phase"),
)  # fmt: skip

ALLOCATIONS = Register(
    "allocations", "Who treats whom", "Wie wie behandelt",
    "Which member of staff has which function for a patient, who stands in, and when.",
    "Welke medewerker welke functie voor een patiënt heeft, wie vervangt, en wanneer.",
    "who is told about whom, hand-over lists, results by therapist for the supervisor",
    "wie over wie wordt ingelicht, overdrachtslijsten, uitkomsten per behandelaar voor de supervisor",
    ("patient_id", "staff_id", "function", "from_on"),
    (
        _patient(),
        _staff("who has the function", "code van de medewerker", is_required=True),
        RegisterColumn(
            "function", "code", "what this person is to the patient", "wat deze medewerker voor de patiënt is", is_required=True,
            headers=("allocation", "toewijzing"), roles=("function",), codes=FUNCTIONS,
        ),
        _staff("who stands in", "code van de vervanger", name="deputy_id"),
        _from(), _until(),
    ),
    mark="allocations", ordered=(("from_on", "until_on"),), is_told_by_key=True,
)  # fmt: skip

PERMISSIONS = Register(
    "permissions", "Permissions", "Toestemmingen",
    "For which purpose the data of a patient may be used, on which basis, given by whom, and when.",
    "Waarvoor de gegevens van een patiënt gebruikt mogen worden, op welke grond, door wie gegeven, en wanneer.",
    "comparison between programmes and fitting of models: a patient without a row is not included there, and counted",
    "vergelijking tussen programma's en het schatten van modellen: een patiënt zonder rij doet daar niet mee, en wordt geteld",
    ("patient_id", "purpose", "from_on"),
    (
        _patient(),
        RegisterColumn(
            "purpose", "code", "what the data may be used for", "waarvoor de gegevens gebruikt mogen worden", is_required=True,
            headers=("purpose", "permission_for", "doel", "doeleinde", "toestemming_voor"),
            codes={
                "own_care": "own_care care eigen_zorg behandeling eigen_behandeling zorg",
                "programme_quality": "programme_quality quality kwaliteit kwaliteit_programma kwaliteitsverbetering programmakwaliteit",
                "consortium_benchmark": "consortium_benchmark benchmark consortium vergelijking benchmark_consortium",
                "model_fitting": "model_fitting models modellen modelschatting voorspelmodellen prediction",
                "research": "research onderzoek wetenschappelijk_onderzoek study",
            },
        ),
        RegisterColumn(
            "basis", "code", "legal basis", "grondslag", plain=("basis", "legal_basis", "grond", "grondslag"),
            codes={
                "consent": "consent toestemming informed_consent",
                "no_objection": "no_objection geen_bezwaar opt_out",
                "legal_duty": "legal_duty wettelijke_plicht wet",
                "contract": "contract overeenkomst behandelovereenkomst",
            },
        ),
        RegisterColumn(
            "given_by", "code", "who gave it", "door wie gegeven", is_strict=True, headers=("given_by", "gegeven_door", "toestemming_door"),
            codes={
                "patient": "patient self zelf client",
                "representative": "representative vertegenwoordiger parent parents ouder ouders voogd guardian",
                "both": "both beide beiden patient_and_representative",
            },
        ),
        _from("first day on which it holds", "eerste dag waarop zij geldt"),
        _until("last day on which it holds (a withdrawal is one); missing: still", "laatste dag waarop zij geldt (ook bij intrekking); leeg: loopt nog"),
    ),
    mark="permissions", ordered=(("from_on", "until_on"),), doubted_by=("patient_id", "purpose"),
)  # fmt: skip

CONTACTS = Register(
    "contacts", "Contacts", "Contacten",
    "Planned contacts of patients, and whether they took place.", "Geplande contacten van patiënten, en of zij doorgingen.",
    "attendance, no-shows, the rule that opens a review after absences, dose of treatment",
    "opkomst, no-shows, de regel die na afwezigheid een evaluatie opent, dosis van de behandeling",
    ("patient_id", "contact_on", "kind", "staff_id"),
    (
        _patient(),
        RegisterColumn(
            "contact_on", "date", "day of the contact", "datum van het contact", is_required=True,
            headers=("contact_on", "contact_date", "contactdatum", "datum_contact", "afspraakdatum", "appointment_date", "session_date", "sessiedatum"),
            roles=("date",),
        ),
        RegisterColumn(
            "kind", "code", "kind of contact", "soort contact", is_required=True,
            headers=("contact_kind", "contact_type", "contactsoort", "soort_contact", "type_contact", "afspraaksoort", "appointment_type"),
            plain=("kind", "soort", "type"),
            codes={
                "intake": "intake assessment intakegesprek",
                "introductory": "introductory introduction introductie mbt_i introductiecursus",
                "individual": "individual individueel individuele_therapie individueel_gesprek",
                "group": "group groep groepstherapie groepssessie",
                "medication": "medication medicatie medicatiecontrole",
                "family": "family familie gezin systeem systeemgesprek naasten naastengesprek",
                "crisis": "crisis crisiscontact crisis_contact",
                "review": "review evaluatie behandelevaluatie zorgplanbespreking",
                "other": "other anders overig overige",
            },
        ),
        RegisterColumn(
            "attendance", "code", "whether it took place", "of het doorging", headers=("attendance", "aanwezigheid", "opkomst"),
            plain=("status", "presence"),
            codes={
                "attended": "attended present yes aanwezig gekomen ja doorgegaan verschenen",
                "cancelled_by_patient": "cancelled_by_patient cancelled_patient afgezegd afgezegd_door_patient afgezegd_door_client afgemeld",
                "cancelled_by_programme": "cancelled_by_programme cancelled_programme afgezegd_door_programma afgezegd_door_behandelaar afgezegd_door_instelling",
                "no_show": "no_show noshow niet_verschenen afwezig_zonder_bericht niet_gekomen absent",
                "closed": "closed gesloten holiday vakantie feestdag",
            },
        ),
        _staff("whom the contact was with", "code van de medewerker"),
    ),
    mark="contacts",
)  # fmt: skip

EVENTS = Register(
    "events", "Events", "Gebeurtenissen",
    "Serious events in the life of a patient, and changes of a programme that its figures must be read with.",
    "Ernstige gebeurtenissen bij een patiënt, en veranderingen van een programma waarmee de cijfers gelezen moeten worden.",
    "crises, admissions, attempts and violence per month; deaths outside of episodes; closures of the programme",
    "crises, opnames, pogingen en geweld per maand; overlijden buiten episodes; sluitingen van het programma",
    ("patient_id", "event_on", "kind"),
    (
        _patient(is_required=False),
        RegisterColumn(
            "event_on", "date", "day of the event, or its first day", "datum van de gebeurtenis, of de eerste dag", is_required=True,
            headers=("event_on", "event_date", "datum_gebeurtenis", "gebeurtenis_op", "incidentdatum", "incident_date"), roles=("date",),
        ),
        _until("last day, where it lasted (an admission, a closure)", "laatste dag, als het duurde (een opname, een sluiting)"),
        RegisterColumn(
            "kind", "code", "kind of event", "soort gebeurtenis", is_required=True,
            headers=("event_kind", "event_type", "gebeurtenis", "soort_gebeurtenis", "incident", "soort_incident"), plain=("kind", "soort", "type"),
            codes={
                "crisis_contact": "crisis_contact crisiscontact crisis crisisdienst",
                "admission": "admission opname hospital_admission ziekenhuisopname klinische_opname",
                "suicide_attempt": "suicide_attempt suicidepoging zelfmoordpoging tentamen_suicidii ts",
                "self_harm": "self_harm selfharm zelfbeschadiging automutilatie zelfverwonding",
                "violence": "violence geweld agressie aggression",
                "death": "death died deceased overlijden overleden gestorven zelfdoding suicide",
                "reorganisation": "reorganisation reorganization reorganisatie",
                "closure": "closure closed sluiting gesloten",
            },
        ),
    ),
    mark="events", ordered=(("event_on", "until_on"),),
)  # fmt: skip
#: Kinds of events that are about a programme and need no patient.
PROGRAMME_EVENTS = frozenset({"reorganisation", "closure"})


def _covered(name: str, meaning: str, meaning_nl: str, *plain: str) -> RegisterColumn:
    return RegisterColumn(
        name, "boolean", f"whether {meaning} was covered in this review", f"of {meaning_nl} in deze evaluatie aan bod kwam",
        headers=(name,), plain=plain,
    )  # fmt: skip


REVIEWS = Register(
    "reviews", "Treatment reviews", "Behandelevaluaties",
    "Reviews of a treatment, and what they covered.", "Evaluaties van een behandeling, en wat daarin aan bod kwam.",
    "whether reviews were held in time and whole", "of evaluaties op tijd en volledig zijn gehouden",
    ("patient_id", "reviewed_on"),
    (
        _patient(),
        RegisterColumn(
            "reviewed_on", "date", "day of the review", "datum van de evaluatie", is_required=True,
            headers=("reviewed_on", "review_date", "review_on", "evaluatiedatum", "datum_evaluatie", "geevalueerd_op", "datum_zorgplanbespreking"),
        ),
        _covered("has_formulation", "the formulation", "de formulering", "formulation", "formulering", "casusformulering"),
        _covered("has_crisis_plan", "the crisis plan", "het crisisplan", "crisis_plan", "crisisplan", "signaleringsplan"),
        _covered("has_goals", "the goals", "de doelen", "goals", "doelen"),
        _covered("has_medication", "the medication", "de medicatie", "medication", "medicatie"),
    ),
    mark="reviews",
)  # fmt: skip

FEEDBACK_SESSIONS = Register(
    "feedback_sessions", "Feedback sessions", "Terugkoppelgesprekken",
    "Sessions in which results were discussed with a patient.", "Gesprekken waarin uitkomsten met een patiënt zijn besproken.",
    "whether results were fed back, and from when a patient may see them",
    "of uitkomsten zijn teruggekoppeld, en vanaf wanneer een patiënt ze mag zien",
    ("patient_id", "session_on"),
    (
        _patient(),
        RegisterColumn(
            "session_on", "date", "day of the session", "datum van het gesprek", is_required=True,
            headers=(
                "session_on", "feedback_session_on", "feedback_session_date", "feedback_date", "feedback_on", "datum_terugkoppeling",
                "terugkoppeling_op", "terugkoppelgesprek",
            ),
        ),
        _staff("who discussed them", "code van wie het gesprek voerde"),
        RegisterColumn(
            "is_released_to_patient", "boolean", "whether the patient may see the results from then on",
            "of de patiënt de uitkomsten vanaf dan mag zien", headers=("is_released_to_patient", "released_to_patient", "vrijgegeven_aan_patient", "vrijgegeven"),
        ),
    ),
    mark="feedback_sessions",
)  # fmt: skip

MEDICATION = Register(
    "medication", "Medication", "Medicatie",
    "Which medicine a patient took, by code or class, and when.", "Welk middel een patiënt gebruikte, naar code of groep, en wanneer.",
    "medication beside courses", "medicatie naast het beloop",
    ("patient_id", "medicine", "from_on"),
    (
        _patient(),
        RegisterColumn(
            "medicine", "word", "ATC code or class, in small letters", "ATC-code of groep", is_required=True,
            headers=("medicine", "medicijn", "middel", "atc", "atc_code", "atccode", "medicatie", "medication", "geneesmiddel"),
        ),
        _from(), _until(),
    ),
    mark="medication", ordered=(("from_on", "until_on"),),
)  # fmt: skip

REFERRALS = Register(
    "referrals", "Referrals", "Aanmeldingen",
    "Referrals, from where, and what was decided.", "Aanmeldingen, waarvandaan, en wat erover is besloten.",
    "who was referred and did not start; waiting for a decision", "wie werd aangemeld en niet begon; wachten op een besluit",
    ("patient_id", "referred_on"),
    (
        _patient(),
        RegisterColumn("referred_on", "date", "date of referral", "aanmelddatum", is_required=True, roles=("referred",), plain=("aanmelddatum", "aangemeld_op")),
        RegisterColumn(
            "source", "code", "who referred", "wie verwees",
            headers=("source", "referral_source", "referred_by", "referrer", "verwijzer", "verwezen_door", "bron", "herkomst"),
            codes={
                "general_practitioner": "general_practitioner gp huisarts",
                "mental_health_service": "mental_health_service mental_health ggz ggz_instelling basis_ggz specialistische_ggz",
                "crisis_service": "crisis_service crisisdienst crisis",
                "self": "self zelf zelfverwijzing zelf_aangemeld",
                "other": "other anders overig overige",
            },
        ),
        RegisterColumn("decided_on", "date", "day of the decision", "datum van het besluit", headers=("decided_on", "decision_date", "besluitdatum", "besloten_op", "datum_besluit")),
        RegisterColumn(
            "decision", "code", "what was decided", "wat er is besloten", headers=("decision", "besluit", "beslissing", "uitkomst_aanmelding"),
            codes={
                "accepted": "accepted accept geaccepteerd aangenomen toegelaten",
                "declined": "declined rejected afgewezen geweigerd",
                "withdrawn": "withdrawn ingetrokken teruggetrokken",
                "elsewhere": "elsewhere referred_elsewhere elders doorverwezen",
            },
        ),
    ),
    mark="referrals", ordered=(("referred_on", "decided_on"),), is_of_known_patients=False,
)  # fmt: skip

STAFF = Register(
    "staff", "Staff", "Medewerkers",
    "Everybody who works in a programme, and who stands in for whom.", "Iedereen die in een programma werkt, en wie wie vervangt.",
    "hand-over when somebody leaves, and who stands in", "overdracht als iemand vertrekt, en wie vervangt",
    ("staff_id",),
    (
        _staff("the person", "code van de medewerker", is_required=True),
        RegisterColumn(
            "function", "code", "what this person does", "functie", roles=("function",),
            codes=FUNCTIONS | {"manager": "manager teamleider team_leader leidinggevende", "other": "other anders overig overige"},
        ),
        _from("first day in the programme", "eerste dag in het programma", is_required=False),
        _until("last day in the programme; missing: still there", "laatste dag in het programma; leeg: nog in dienst"),
        _staff("who stands in", "code van de vervanger", name="deputy_id"),
    ),
    mark="staff", ordered=(("from_on", "until_on"),),
)  # fmt: skip

SUPERVISION = Register(
    "supervision", "Supervision", "Supervisie",
    "Supervision that was held.", "Supervisie die is gehouden.",
    "how often supervision was held", "hoe vaak supervisie is gehouden",
    ("held_on", "kind", "staff_id"),
    (
        RegisterColumn(
            "held_on", "date", "day of the supervision", "datum van de supervisie", is_required=True,
            headers=("held_on", "supervision_date", "supervisiedatum", "datum_supervisie", "gehouden_op"), roles=("date",),
        ),
        RegisterColumn(
            "kind", "code", "kind of supervision", "soort supervisie", is_required=True,
            headers=("supervision_kind", "supervision_type", "soort_supervisie", "supervisiesoort"), plain=("kind", "soort", "type"),
            codes={
                "team": "team teamsupervisie team_supervision intervisie",
                "individual": "individual individueel individuele_supervisie",
                "expert_contact": "expert_contact expert expertcontact expertcentrum expert_centre",
            },
        ),
        _staff("the supervisor; missing for a team's own", "code van de supervisor; leeg bij een team onder elkaar"),
        RegisterColumn(
            "n_present", "count", "number of staff present", "aantal aanwezigen", headers=("n_present", "number_present", "aantal_aanwezig", "aantal_aanwezigen"),
        ),
    ),
    mark="supervision",
)  # fmt: skip

NONRESPONSE = Register(
    "nonresponse", "Reasons of non-response", "Redenen van non-respons",
    "Why a form, or a whole sitting, did not come.", "Waarom een vragenlijst, of een hele afname, niet kwam.",
    "reasons beside what was missed", "redenen naast wat ontbreekt",
    ("patient_id", "moment", "instrument"),
    (
        _patient(),
        RegisterColumn(
            "moment", "moment", "baseline, m6, m12 ... m36, end or rebaseline", "baseline, m6, m12 ... m36, end of rebaseline",
            is_required=True, plain=("moment",), roles=("moment",),
        ),
        RegisterColumn(
            "instrument", "instrument", "id of the instrument; missing: the whole sitting", "vragenlijst; leeg: de hele afname",
            plain=("instrument", "vragenlijst", "questionnaire", "lijst"),
        ),
        RegisterColumn(
            "reason", "code", "why it did not come", "waarom zij niet kwam", is_required=True,
            headers=("nonresponse_reason", "reason_of_nonresponse", "reden_non_respons", "reden_nonrespons", "reden_niet_ingevuld"),
            plain=("reason", "reden"),
            codes={
                "refused": "refused refusal geweigerd weigert wil_niet",
                "moved": "moved verhuisd onbereikbaar unreachable",
                "too_unwell": "too_unwell unwell te_ziek ziek te_slecht crisis",
                "language": "language taal taalbarriere",
                "administrative": "administrative administratief vergeten niet_uitgezet fout",
                "closed": "closed gesloten vakantie sluiting",
            },
        ),
        RegisterColumn("recorded_on", "date", "day on which it was recorded", "datum van vastlegging", headers=("recorded_on", "vastgelegd_op", "recorded_date")),
    ),
    mark="nonresponse",
)  # fmt: skip

#: In the order in which they are told. The first three are in every home.
REGISTERS: dict[str, Register] = {
    register.name: register
    for register in (
        EPISODES, THERAPISTS, PATIENTS, SPELLS, ALLOCATIONS, PERMISSIONS, CONTACTS, EVENTS, REVIEWS, FEEDBACK_SESSIONS, MEDICATION,
        REFERRALS, STAFF, SUPERVISION, NONRESPONSE,
    )
}  # fmt: skip
CORE: frozenset[str] = frozenset(name for name, register in REGISTERS.items() if register.is_core)


def code_words(register: str, column: str) -> str:
    """Name of the vocabulary of a code column among those of `exports.values.WORDS`."""
    return f"{register}.{column}"
