"""A small protocol and a pool of known courses, so that what a trial makes of them can be checked against mathematics."""

import itertools
from dataclasses import replace

import numpy as np

from betapod.hazards.event_times import cumulative_hazard
from betapod.hazards.harm_rates import deaths_apart
from betapod.hazards.outcome_rates import CAUSES, cause_rates
from betapod.hazards.risk import RiskProfile
from betapod.observables.ckd_epi import ckd_epi_2021
from betapod.observables.quantities import visit_observables
from betapod.trials.conduct.patient_pool import Pool
from betapod.trials.protocol.protocol_files import parse_protocol

TEXT = """\
name: small
title: A small trial
population: {size: 100}
eligibility:
  UACR: {min: 30 mg/g}
strata:
  early: {where: {UACR: {max: 300 mg/g}}}
  late: {where: {UACR: {min: 300 mg/g}}}
patients: 40
arms:
  control: {placebo: true}
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d}
designs:
  single arm: {arms: {cells: 1}, baseline: screening}
  randomised: {arms: {cells: 1, control: 1}}
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day, window: 10 day}
  - {name: month 12, day: 365 day, window: 14 day}
measurements: {UACR: {}, eGFR: {}, HbA1c: {}}
conduct:
  drop_out: 20 %/year
  missed_visits: 10 %
  effects:
    - {quantity: HbA1c, change: -0.3 %, spread: 0.1, time: 60 day}
    - {quantity: UACR, factor: 0.9, spread: 0.1, time: 60 day}
  rescue:
    - {quantity: HbA1c, above: 9 %, therapy: basal insulin 20 U}
endpoints:
  primary: {quantity: UACR, summary: ratio, at: month 6}
scenarios: [none, seed-claims]
seed: 5
replicates: 60
"""


def protocol(**changes):
    """The small protocol; keyword arguments replace whole lines that begin with their name."""
    text = TEXT
    for name, value in changes.items():
        lines = [f"{name}: {value}" if line.startswith(f"{name}:") else line for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    return parse_protocol(text)


def pool(trial, people=2000, effect=0.5, seed=3):
    """People whose UACR is log-normal and stays as it is; under ``seed-claims`` cells multiply it by `effect`."""
    generator = np.random.default_rng(seed)
    times = np.array(sorted({0.0, *(v.day + k * v.window for v in trial.visits for k in (-1, 0, 1))}))
    codes = tuple(visit_observables())
    age, female = generator.uniform(40, 75, people), generator.integers(0, 2, people).astype(float)
    creatinine = 1.1 * np.exp(0.3 * generator.standard_normal(people))
    base = {code: np.full(people, 1.0) for code in codes}
    base |= {"UACR": 60 * np.exp(1.3 * generator.standard_normal(people)), "CREAT": creatinine}
    base |= {"HBA1C": np.clip(7.5 + generator.standard_normal(people), 5, 12), "SBP": np.full(people, 135.0)}
    base |= {"WEIGHT": np.full(people, 87.0)}

    def course(factor=1.0, sugar=0.0):
        values = np.stack([np.repeat(base[code][:, None], len(times), axis=1) for code in codes], axis=2)
        after = times > 0
        values[:, after, codes.index("UACR")] *= factor
        values[:, after, codes.index("HBA1C")] += sugar
        old = age[:, None] + times / 365.25
        values[:, :, codes.index("EGFR")] = ckd_epi_2021(values[:, :, codes.index("CREAT")], old, female[:, None])
        return values

    values = {"natural": course(), "cells": course(effect), "rescue 0": course(1.0, -1.0)}
    keys = {("", "run-in", ""): "natural"}
    for arm, scenario, stage in itertools.product(trial.arms, trial.scenarios, Pool.STAGES):
        works = stage == "cells" and trial.arms[arm].cells and scenario != "none"
        keys[arm, stage, scenario] = "cells" if works else "natural"
    features = {
        "AGE": age,
        "FEMALE": female,
        "DURATION": age - 30,
        "BMI": np.full(people, 30.0),
        "TYPE1": np.zeros(people),
    }
    failed = {name: np.full(people, np.inf) for name in values}
    risks = {
        name: RiskProfile(
            age[:, None] + times / 365.25,
            female[:, None],
            table[:, :, codes.index("EGFR")],
            table[:, :, codes.index("UACR")],
            year=(trial.conduct.year or 2013.0) + times / 365.25,
        )
        for name, table in values.items()
    }
    after = times >= 0
    hazards = {name: np.zeros((people, len(times), len(CAUSES))) for name in values}
    for name, risk in risks.items():
        for k, rates in enumerate(deaths_apart(np.maximum(times, 0.0), cause_rates(risk), risk.age).values()):
            hazards[name][:, after, k] = cumulative_hazard(
                times[after], np.broadcast_to(rates, (people, len(times)))[:, after]
            )
    injured = {name: np.where(generator.random(people) < 0.02, 100.0, np.inf) for name in values}
    traits = {name: np.zeros(people) for name in ("T1D", "cvd", "hf")} | {"age": age, "female": female}
    traits |= {
        "height": np.full(people, 170.0),
        "diabetes": np.ones(people),
        "duration": age - 30,
        "years_ill": age - 28,
    }
    # Half of the people take metformin.
    metformin = np.repeat((np.arange(people)[:, None] % 2).astype(np.float32), int(after.sum()), axis=1)
    intake = {name: {"biguanide": metformin} for name in values}
    weights = np.full(people, 1 / people)
    return Pool(times, codes, values, failed, hazards, injured, keys, features, weights, {}, traits, intake)


def sick_pool(trial, times=250.0, halved=True):
    """Those people, to whom everything but death and cancer happens often; cells halve it."""
    ordinary = pool(trial, people=400)
    factor = np.where(np.isin(CAUSES, ("cv_death", "other_death", "cancer")), 1.0, times)
    scale = {name: factor * (0.5 if halved and name == "cells" else 1.0) for name in ordinary.hazards}
    return replace(ordinary, hazards={name: values * scale[name] for name, values in ordinary.hazards.items()})
