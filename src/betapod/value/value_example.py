"""A run file and a country pack to begin with: every key explained, no price filled in."""

from __future__ import annotations

RUN_EXAMPLE = """\
title: Cells for people with diabetic kidney disease

# Whose lives are compared: `protocol` (a name or file), `cohort` (a name or file), or `library` (conditions).
people: {library: type 2 and UACR > 300 mg/g and eGFR < 60 mL/min/1.73m2, size: 500}

# What everybody is given from day 0 on, on top of the care that they have. The price of cells is not an input: it is what is asked.
comparator: no cells
strategies:
  no cells: {}
  cells, current evidence: {cells: UC-MSC 1e6/kg iv x3 q28d, scenario: current-evidence}
  cells, as claimed: {cells: UC-MSC 1e6/kg iv x3 q28d, scenario: seed-claims}
  SGLT2 inhibitor: {therapies: [SGLT2 inhibitor]}

horizon: life                 # or years
care: usual                   # their doctors go on; or clinic, or frozen: what people take stays, as the disease goes on
events: [own, ukpds-om2]      # two structures side by side
draws: 1000                   # of all uncertain numbers together
cell_draws: 10                # of what cells do, for which courses are simulated
# fit_draws: 16               # instead: of bodies, drugs and cells, from an installed fit
seed: 1
discount: {costs: 0.035, effects: 0.035}
utilities: {set: uk, combine: additive}   # additive, multiplicative or minimum
country: COUNTRY_FILE
willingness to pay: [20000, 50000, 100000]
# budget: {eligible: 1000, uptake: [0.1, 0.2, 0.3]}    # needs costs
scenarios:
  no discounting: {discount: {costs: 0, effects: 0}}
  ten years: {horizon: 10}
  losses multiply: {utilities: {set: uk, combine: multiplicative}}
"""

PACK_EXAMPLE = """\
# Costs of a country. Fill in what you can name a source for; what is missing costs nothing, and the result says so.
# A cost is a number, or {cost: 100, low: 80, high: 130, source: ..., note: ...}; with an interval it is uncertain.
country: my country
currency: EUR
price_year: 2024
perspective: ""
source: ""
# kidney_care: Japan          # whose registry of kidney failure holds; else that of the United States
states: {}                    # a year in a state, such as dialysis, transplant, hf, vision_loss
events: {}                    # each event, such as mi, stroke, amputation, severe_hypoglycaemia
drugs: {}                     # a year of a drug or class, such as SGLT2 inhibitor
items: {}                     # a year of life of everybody, such as visits
procedures: {}                # infusion: each infusion of cells; course: each course, such as tests
"""


def run_example(country_file: str) -> str:
    """Return a run file that names a country pack."""
    return RUN_EXAMPLE.replace("COUNTRY_FILE", country_file)
