"""Settings of homes small enough for one test. Belongs here: the text of `consortium.yaml`; not what is delivered to it."""

#: One programme, the PHQ-9, patient numbers of six digits; files count as soon as they lie in the inbox.
ONE_PROGRAMME = """
name: Small consortium
is_synthetic: true
roles: [programme]
settle_seconds: 0
issuers: {north: {length: 6}}
programmes:
  alpha: {name: Alpha, issuer: north, instruments: [phq9], format: outpatient}
"""
#: The same with a second programme, `beta`.
TWO_PROGRAMMES = ONE_PROGRAMME + "  beta: {name: Beta, issuer: north, instruments: [phq9], format: outpatient}\n"
