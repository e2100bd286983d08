"""Names of the fields of forms and registers as exports write them, and what stored scores are called.

Belongs here: fixed spellings, English and Dutch, as data. Does not belong here: the patient's number and the date, whose names are
made of words (`role_words`), and what a header means (`names`).
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Role -> spellings, the surest first; a column of the first group goes before one of the second. Of patient and date only those that
#: `role_words` does not make of their words.
ROLES: dict[str, tuple[frozenset[str], ...]] = {
    "patient": (
        _words("local_number lokaal_nummer"),
        _words("pnr pid"),
        _words("seqn"),  # NHANES' number of a participant
        frozenset(),
        _words("idnr id_nr idnummer id_nummer id_number"),
    ),
    "date": (_words("completed assessment_on"),),
    "submitted_at": (
        _words(
            "submitted_at submitdate submitted completed_at enddate end_date recordeddate date_submitted "
            "datum_ingestuurd ingestuurd_op ingezonden_op submission_date submissiondate submission_time "
            "submitted_on completion_time finished_at tijd_van_voltooien ingediend_op submit_date submit_time"
        ),
        _words("ended timestamp datestamp"),
    ),
    "moment": (
        _words(
            "moment meetmoment measurement_moment wave meting timepoint time_point meetronde rom_moment "
            "soort_meting afnamemoment assessment_moment measurement_point meetpunt occasion time_of_measurement "
            "assessment_stage assessment_point visit_moment messzeitpunkt zeitpunkt erhebungszeitpunkt tidspunkt maletidspunkt"
        ),
        _words("event event_name redcap_event_name visit"),
    ),
    "response_id": (
        _words(
            "response_id responseid response antwoord_id antwoordid submission_id submissionid response_no "
            "response_nr response_number responsenummer afname_id afnameid"
        ),
        _words("id session"),
        _words("token"),
    ),
    "programme": (
        _words(
            "zorgprogramma programme programme_id program program_id programma programma_id programmacode behandelprogramma "
            "treatment_programme treatment_program"
        ),
        _words("site site_id locatie instelling redcap_data_access_group afdeling vestiging"),
    ),
    "complete": (
        _words(
            "complete is_complete finished voltooid volledig afgerond compleet is_compleet is_voltooid "
            "volledig_ingevuld form_complete survey_complete is_finished"
        ),
        _words("status"),
    ),
    "language": (
        _words(
            "language locale taal startlanguage userlanguage lang language_code survey_language taal_bij_start "
            "taal_vragenlijst vragenlijst_taal invultaal"
        ),
    ),
    "mode": (
        _words(
            "mode afname afnamewijze afnamevorm administration_mode afnamemethode afname_methode invulwijze "
            "afname_wijze completion_method wijze_van_afname wijze_van_invullen method_of_administration mode_of_administration administration"
        ),
        _words("wijze modus entered_via ingevuld_via source"),
    ),
    "respondent": (_words("respondent respondent_type informant ingevuld_door beantwoord_door answered_by"),),
    "assisted": (_words("assisted is_assisted hulp_bij_invullen met_hulp hulp_bij_afname filled_in_with_help"),),
    "interviewer": (
        _words(
            "interviewer interviewer_id interviewer_code interviewercode rater rater_id rater_code beoordelaar "
            "beoordelaar_id beoordelaarcode assessor assessor_id"
        ),
        _words("afgenomen_door interviewed_by rated_by"),
    ),
    "is_blind": (
        _words(
            "is_blind blind blinded geblindeerd interviewer_blind interviewer_geblindeerd rater_blind "
            "beoordelaar_blind beoordelaar_geblindeerd blind_voor_behandeling blind_to_treatment"
        ),
        _words("blindering blinding"),
    ),
    "birth_year": (
        _words("birth_year year_of_birth geboortejaar"),
        _words("birth_date date_of_birth birthdate dob geboortedatum geb_datum"),
    ),
    "sex": (
        _words("sex geslacht"),
        _words("gender"),
    ),
    "therapist": (_words("therapist therapist_id therapeut therapeut_id behandelaar behandelaar_id therapeutcode"),),
    "function": (_words("function functie"),),
    "from": (_words("from from_date vanaf in_dienst start_in_programme"),),
    "until": (_words("until until_date tot tot_en_met uit_dienst"),),
    "episode": (_words("episode episode_id episodenummer traject traject_id trajectnummer"),),
    "referred": (_words("referred referred_on referral_date verwezen verwijsdatum verwezen_op"),),
    "started": (_words("started started_on start_date startdatum start_treatment start_behandeling gestart_op"),),
    "ended": (
        _words("ended_on end_treatment einddatum einde_behandeling beeindigd_op"),
        _words("end_date ended"),
    ),
    "end_reason": (_words("end_reason reason_of_ending reden_einde reden_beeindiging"),),
}

#: Roles that one form of a file may have columns of its own for: 'phq9_date', 'scid2_interviewer'.
FORM_ROLES = ("date", "complete", "submitted_at", "interviewer", "is_blind")
#: What a stored total score of an instrument is called behind (or before) its name.
TOTAL_WORDS = _words(
    "total totaal tot sum som score totalscore totaalscore total_score totaal_score sumscore somscore "
    "sum_score som_score tot_score totscore total_sum score_total score_totaal eindscore schaalscore "
    "scale_score prorated mean gem gemiddelde average avg total_mean totaal_goed aantal_goed "
    "total_correct n_correct number_correct"
)
