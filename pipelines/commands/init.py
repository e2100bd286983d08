"""`rom init`: a new home."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.options import home_option

TEMPLATE = """\
# Settings of this home. Every key is checked when a command starts; a wrong one is named with its remedy.
name: Our consortium

# programme: a hospital that holds its own patients' data. consortium: an expert centre that holds contributions only.
# Both at once only under an agreement, which is then named here:
#   agreement: {name: Data exchange agreement 2026, on: 2026-01-31}
roles: [programme]
timezone: Europe/Amsterdam

# Who gives out patient numbers, and what a number looks like. It becomes part of the pseudonym: number 1001 of two
# hospitals stays two people. form: digits or text; length: how many characters; leading_zeros: keep or restore
# (restore where spreadsheets ate them); allows_nine_digits: true only if the issuer's own numbers have nine digits.
issuers:
  our_hospital: {form: digits, length: 6, leading_zeros: restore}

# format: day_hospital, intensive_outpatient, outpatient, adolescent or other.
# anchor: which date of the episode is month 0: referred_on, first_assessment_on, first_introductory_on or started_on.
#
# plan: what is asked when (`rom plan` prints it; docs/measurement-plan.md explains it).
#   consortium     every instrument at the moments of Appendix 1 of the manual (as when nothing is said)
#   minimal        one of bsi and oq45, and the EQ-5D, at the start and every six months
#   three_monthly  the same every three months, with the review of the treatment
#   own            nothing but what 'moments' says
# Under every plan these may be added to a programme:
#    moments: {bsi: {required: [0, 6, 18], desired: [12]}}    in place of what the plan says of the instrument
#    weekly: [phq9]                                           filled in every week of treatment
#    has_end_of_treatment: true                               also within six weeks after the last main session
#    closures: [{from: 2026-07-20, until: 2026-08-07}]        weeks in which the programme is closed are not missed
#    windows: {baseline: [-60, 14], later: [-30, 30]}         in place of those below
programmes:
  our_programme:
    name: Our MBT programme
    issuer: our_hospital
    format: day_hospital
    anchor: started_on
    plan: consortium
    instruments: [bsi, phq9, eq5d5l]

# Months after month 0 at which plans ask, and the days around a due date in which a form counts. The manual prints no
# windows: these are ours. end: days after the last main session.
months: [0, 6, 12, 18, 24, 30, 36]
windows:
  baseline: [-60, 14]
  later: [-45, 45]
  end: [0, 42]

# Norms of reliable change. Without an entry the definition's own verified figures are used, and where there are none
# patients are not classified. Figures that were recalled or derived are used only when chosen here by their ids
# (`rom instruments bsi` lists them), and every page then says so. Or enter your own, from your licensed manual:
# norms:
#   bsi.gsi:
#     id: our_manual
#     clinical_mean: 0.00      # fill in
#     clinical_sd: 1.00
#     reliability: 0.90
#     source: manual, table and page

# Reference groups of T-scores: ids of the definition, or figures of your own (docs/norms.md). Without an entry the
# definition's community samples are used, and a scale that has none gets no T-score:
# reference_norms:
#   iip64.total: {id: our_manual, mean: 0.00, sd: 1.00, population: Dutch community, language: nl, source: manual, page}

# Which EQ-5D value set is used (`rom instruments eq5d5l` lists them).
# value_sets: {eq5d5l: nl_2016}

disclosure_threshold: 10   # no statistic over fewer patients is ever published; cannot be lower
quiet_after_days: 60       # a programme that sent nothing for so long is shown as quiet
largest_file_mb: 100
settle_seconds: 30         # a file in the inbox is left alone until it has not changed for so long
"""


@click.command(name="init")
@home_option
def init(home: Path) -> None:
    """Make a new home with a commented consortium.yaml.

    \b
    Example:
      rom init --home /data/rom-home
    """
    from assets.home import create

    made = create(home, TEMPLATE)
    click.echo(f"Made a home in {home}. Next:")
    click.echo(f"  1. edit {home / 'consortium.yaml'}")
    click.echo(f"  2. make a folder per programme in {home / 'inbox'} and drop exports there, or use `rom load`")
    click.echo(f"  3. rom nightly --home {home}")
    click.echo(f"Back up {made.secrets_folder} apart from the rest: without its keys nothing stored can be read.")
