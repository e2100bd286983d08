"""Words for what single items are about, and names that public surveys give them.

Belongs here: words by the tag of the item in its instrument's definition, English and Dutch, as data. Does not belong here: spellings of
instruments and numbers (`names`), wording of questionnaires.
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: Tag of an item -> words that name it: behind the instrument's name ('eq5d5l_zelfzorg'), or in the last part of a text that names
#: the instrument ('PHQ-9 [Question about sleep]'). A word that two items of an instrument share names neither.
TOPICS: dict[str, tuple[str, ...]] = {
    "mobility": _words("mobiliteit mob lopen walking"),
    "self_care": _words("selfcare zelfzorg wassen aankleden wassen_en_aankleden washing dressing"),
    "usual_activities": _words(
        "usual_activity usual_activities activities activity activ activiteiten act dagelijkse_activiteiten bezigheden dagelijkse_bezigheden"
    ),
    "pain_discomfort": _words("pain discomfort ongemak pijn pijn_klachten pijn_ongemak"),
    "anxiety_depression": _words("anxiety depression angst angst_depressie angst_somberheid somberheid"),
    "eq_vas": _words("vas thermometer vas_score gezondheid_vandaag health_today"),
    "suicidal_acts": _words(
        "suicide_attempts suicidal_attempts suicidepogingen suicidepoging suicide_attempts_n suicidepogingen_n"
    ),
    "self_harm_acts": _words(
        "self_harm selfharm self_injury zelfbeschadiging zelfbeschadigingen automutilatie self_harm_n zelfbeschadiging_n"
    ),
    "psychiatric_admissions": _words("admissions opnames opname opnames_n admissions_n"),
    "anhedonia": _words("anhedonia interest interesse pleasure plezier"),
    "low_mood": _words("low_mood mood stemming depressed somber somberheid"),
    "sleep": _words("sleep slaap slapen"),
    "energy": _words("energy energie tired fatigue moe moeheid vermoeidheid"),
    "appetite": _words("appetite eetlust eten eating"),
    "self_worth": _words(
        "self_worth self_image self_esteem zelfbeeld zelfwaardering eigenwaarde failure worthlessness guilt"
    ),
    "concentration": _words("concentration concentratie concentrating concentreren"),
    "psychomotor": _words("psychomotor psychomotoriek pace tempo restlessness onrust"),
    "suicidal_or_self_harm_thoughts": _words(
        "suicidal suicidaliteit suicidality suicide dark_thoughts donkere_gedachten suicidal_thoughts self_harm"
    ),
    "functional_difficulty": _words("difficulty functional_difficulty hinder moeilijkheid moeite moeilijk difficult"),
    "work_school": _words("work school werk studie work_school werk_school werk_studie"),
    "social_life": _words("social social_life sociaal sociale_leven"),
    "family_home": _words(
        "family home gezin thuis familie family_home gezin_thuis family_life family_life_home gezinsleven"
    ),
}
#: Names in public surveys with a published codebook -> instrument and number: NHANES, 'Mental Health - Depression Screener' (DPQ010 ...).
PUBLIC: dict[str, tuple[str, str]] = {f"DPQ{number:02d}0": ("phq9", str(number)) for number in range(1, 11)}
