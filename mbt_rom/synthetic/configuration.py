"""The settings and mapping files that go with a synthetic consortium, as text a person could have written.

Belongs here: `consortium.yaml` and `mappings/*.yaml` of the demo. Does not belong here: their shape (`mbt_rom.settings`,
`mbt_rom.exports.mapping`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from mbt_rom.model import Instrument
from mbt_rom.synthetic.closures import closures
from mbt_rom.synthetic.exports import EVENTS
from mbt_rom.synthetic.plans import Plan
from mbt_rom.synthetic.register_files import DUTCH_DATES, DUTCH_REASONS, DUTCH_SEX

_HEAD = """\
# A SYNTHETIC consortium: invented programmes, invented people. Written by `rom demo`.
name: Synthetic MBT consortium
is_synthetic: true
# This home plays both parts. A real one may only under an agreement (key 'agreement').
roles: [programme, consortium]
timezone: Europe/Amsterdam
months: [0, 6, 12, 18, 24, 30, 36]
windows: {baseline: [-60, 14], later: [-45, 45]}
disclosure_threshold: 10
quiet_after_days: 60
# The files below were complete when they were written: nothing to wait for.
settle_seconds: 0

# Norms of reliable change. The US figures of the BSI are recalled, not seen in print: provisional, and marked so wherever
# they are used. A real home enters those of its licensed manual.
norms:
  bsi.gsi: {clinical: us_outpatient, functional: us_nonpatient, reliability: retest_derogatis1993}

value_sets: {eq5d3l: nl_2006, eq5d5l: nl_2016}

# Two hospitals whose numbers overlap, and the registration system of the programmes for adolescents.
issuers:
  hospital_north: {form: digits, length: 6, leading_zeros: keep}
  hospital_south: {form: digits, length: 6, leading_zeros: restore}
  youth_registry: {form: text}

programmes:
"""

_ONE_BASED = """\
# Answers count from 1 to 5 and the headers do not name the questionnaire.
name: symptoms_one_based
description: BSI of a survey tool that numbers its answers from one
matches:
  columns: [Case, Filled in on, Q1, Q53]
patient: {column: Case}
date: {column: Filled in on, format: dd/mm/yyyy}
response_id: Form number
forms:
  - {instrument: bsi, prefix: Q, coding: one_based}
"""


def settings_text(plans: Sequence[Plan], *, as_of: date) -> str:
    """`consortium.yaml` for these programmes."""
    return _HEAD + "".join(_programme(p, as_of) for p in plans)


def _programme(plan: Plan, as_of: date) -> str:
    closed = "".join(f"      - {{from: {first}, until: {until}}}\n" for first, until in closures(as_of))
    return (
        f"  {plan.programme_id}:\n"
        f"    name: {plan.name}\n"
        f"    issuer: {plan.issuer}\n"
        f"    format: {plan.kind.format}\n"
        f"    anchor: {plan.kind.anchor}\n"
        f"    instruments: [{', '.join(plan.instruments)}]\n"
        + ("    weekly: [phq9]\n" if plan.kind.has_weekly else "")
        + ("    has_end_of_treatment: true\n" if plan.kind.has_end_of_treatment else "")
        + f"    closures:\n{closed}"
    )


def mapping_texts(plans: Sequence[Plan], instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """Text of the mapping files that the exports of these programmes need, by file name."""
    shapes = {p.kind.shape for p in plans}
    texts = {"dutch_patients.yaml": _dutch_patients(), "dutch_episodes.yaml": _dutch_episodes()}
    made = texts if "dutch" in shapes else {}
    if "one_based" in shapes:
        made["symptoms_one_based.yaml"] = _ONE_BASED
    if "redcap" in shapes:
        made["redcap_events.yaml"] = _redcap()
    shared = [p for p in plans if p.kind.shape in ("one_based", "regional")]
    if shared:
        made["regional_survey.yaml"] = _regional(shared)
    used = [instruments[i] for i in dict.fromkeys(i for p in plans for i in p.instruments)]
    must_be_stated = [d for d in used if d.order_must_be_stated or d.coding_must_be_stated]
    return dict(sorted({**made, **{f"{d.id}_as_published.yaml": _as_published(d) for d in must_be_stated}}.items()))


def _as_published(definition: Instrument) -> str:
    """The mapping of a file in the published coding and order, for instruments of which nobody can tell."""
    first = definition.item_ids[0]
    order = [name for name, items in definition.orders.items() if items == definition.item_ids]
    stated = ["coding: canonical"] if definition.coding_must_be_stated else []
    stated += [f"order: {order[0]}"] if definition.order_must_be_stated and order else []
    return f"""\
# Nothing in an export of this instrument says how it counts, or in which order it prints: this tool does as was published.
name: {definition.id}_as_published
description: {definition.name} of a survey tool that keeps to the published coding and order
matches: {{columns: [patient_id, {first}]}}
patient: {{column: patient_id}}
date: {{column: date}}
response_id: response_id
submitted_at: {{column: submitted_at}}
complete: {{column: complete}}
forms:
  - {{instrument: {definition.id}, prefix: {definition.id}, {", ".join(stated)}}}
"""


def _dutch_patients() -> str:
    codes = ", ".join(f"{code}: {sex}" for sex, code in DUTCH_SEX.items())
    return f"""\
name: dutch_patients
description: Dutch register of patients
matches: {{columns: [Patiëntnummer, Geboortejaar, Geslacht]}}
patient: {{column: Patiëntnummer}}
registers:
  - register: patients
    columns: {{patient_id: Patiëntnummer, birth_year: Geboortejaar, sex: Geslacht}}
    values: {{sex: {{{codes}}}}}
"""


def _dutch_episodes() -> str:
    codes = ", ".join(f"{dutch}: {reason}" for reason, dutch in DUTCH_REASONS.items())
    dates = "\n".join(f"      {name}: {header}" for name, header in DUTCH_DATES.items())
    formats = ", ".join(f"{name}: dd-mm-yyyy" for name in DUTCH_DATES)
    return f"""\
name: dutch_episodes
description: Dutch register of treatment episodes
matches: {{columns: [Trajectnummer, Patiëntnummer, Startdatum, Reden einde]}}
patient: {{column: Patiëntnummer}}
registers:
  - register: episodes
    columns:
      episode_id: Trajectnummer
      patient_id: Patiëntnummer
      therapist_id: Behandelaar
{dates}
      end_reason: Reden einde
    values: {{end_reason: {{{codes}}}}}
    formats: {{{formats}}}
"""


def _redcap() -> str:
    events = ", ".join(f"{event}: {moment}" for moment, event in EVENTS.items())
    moment = f"moment: {{column: redcap_event_name, map: {{{events}}}}}"
    forms = "\n".join(f"  - {{instrument: {i}, prefix: {i}, {moment}}}" for i in ("bsi", "phq9", "eq5d3l"))
    return f"""\
# A row per record and event: the event says the moment, there are no dates.
name: redcap_events
description: longitudinal REDCap project
matches: {{columns: [record_id, redcap_event_name, bsi_01]}}
patient: {{column: record_id}}
forms:
{forms}
"""


def _regional(shared: Sequence[Plan]) -> str:
    codes = ", ".join(f"{p.code}: {p.programme_id}" for p in shared)
    wanted = [i for i in ("bsi", "phq9", "eq5d5l") if i != "bsi" or any(p.kind.shape == "regional" for p in shared)]
    forms = "\n".join(f"  - {{instrument: {i}, prefix: {i}}}" for i in wanted)
    return f"""\
# One file for several programmes: the column Site says whose row it is.
name: regional_survey
description: regional survey service
matches: {{columns: [Site, Client, Survey date, Token]}}
programme: {{column: Site, map: {{{codes}}}}}
patient: {{column: Client}}
date: {{column: Survey date, format: yyyy-mm-dd}}
response_id: Token
complete: {{column: Finished, values: ["1"]}}
forms:
{forms}
"""
