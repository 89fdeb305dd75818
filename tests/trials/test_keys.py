"""Every key that a protocol accepts changes something, or stands in a list with the reason why it need not."""

from __future__ import annotations

import copy
import typing
from dataclasses import replace
from types import UnionType
from typing import Any

import numpy as np
import pytest
import small_trials as small
from pydantic import BaseModel

from betapod.base.errors import ConfigError
from betapod.patients.library import Library, default
from betapod.physiology import whole_body
from betapod.trials.analysis import endpoints
from betapod.trials.analysis.controlled import analyse
from betapod.trials.conduct import candidates, conduct, measurement
from betapod.trials.conduct.arm_schedules import Planner
from betapod.trials.operating.multiple_tests import multiplicity_rows
from betapod.trials.operating.test_rules import rule_of
from betapod.trials.protocol.look_keys import Allocation, Enrichment, Looks, Resize, Selection
from betapod.trials.protocol.protocol import Protocol
from betapod.trials.protocol.protocol_files import parse_protocol

TEXT = """\
name: keys
title: Every key at once
population: {diabetes: type 2, confirmed: {UACR: {min: 20 mg/g, max: 3000 mg/g}}, size: 100}
eligibility:
  UACR: {min: 30 mg/g, max: 2500 mg/g}
strata:
  early: {where: {UACR: {min: 30 mg/g, max: 300 mg/g}}}
  late: {where: {UACR: {min: 300 mg/g}}}
run_in: {therapies: [{therapy: ACE inhibitor, adherence: 90 %}], duration: 28 day}
background: [{therapy: sodium intake 100 mmol/day, start: 5 day, stop: 200 day, adherence: 90 %}]
patients: 40
arms:
  control: {placebo: true, therapies: [{therapy: SGLT2 inhibitor, start: 10 day, stop: 100 day, adherence: 80 %}]}
  cells: {cells: UC-MSC 1e6/kg iv x3 q28d, inputs: {protein_animal: 0.3 g/kg/day}}
  more: {cells: UC-MSC 2e6/kg iv}
designs:
  randomised: {arms: {cells: 1, control: 1}, baseline: screening, randomisation: {method: blocks, block: 4, stratified: true}}
  three: {arms: {cells: 1, control: 1, more: 1}, patients: 40}
visits:
  - {name: screening, day: -14 day}
  - {name: enrolment, day: 0 day}
  - {name: month 6, day: 183 day, window: 10 day}
  - {name: month 9, day: 270 day, window: 10 day}
  - {name: month 12, day: 365 day, window: 14 day}
measurements: {UACR: {samples: 2, cv: 40 %}, eGFR: {}, HbA1c: {}}
conduct:
  drop_out: 20 %/year
  missed_visits: 10 %
  deaths: true
  co_medication:
    - {therapy: calcium-channel blocker, share: 40 %, begins: [0 day, 90 day]}
  effects:
    - {quantity: HbA1c, change: -0.3 %, spread: 0.1, time: 60 day, arms: [cells]}
    - {quantity: UACR, factor: 0.9, spread: 0.1, time: 60 day}
  rescue:
    - {quantity: HbA1c, above: 8 %, therapy: basal insulin 20 U}
    - {quantity: eGFR, below: 30 mL/min/1.73m2, therapy: MRA}
endpoints:
  primary: {quantity: UACR, summary: ratio, at: month 12, better: lower, analysis: ANCOVA, intercurrent: {rescue: treatment policy}}
  secondary:
    - {quantity: UACR, summary: responders, percent: -30, threshold: 200 mg/g, at: month 12}
    - {quantity: eGFR, summary: time to event, percent: -10, analysis: log-rank, at: month 12}
scenarios: [none, seed-claims]
seed: 5
replicates: 5
"""

#: Keys without effect on what is computed, and why.
SILENT = {
    "schema_version": "the version of the format; there is one",
    "name": "what the trial is called",
    "title": "what the trial is called",
    "summary": "a text for people, printed by the report",
    "sources": "a text for people, printed by the report",
    "assumptions": "a text for people, printed by the report",
    "arms.*.label": "a text for people, printed by the report",
    "strata.*.label": "a text for people, printed by the report",
    "designs.*.label": "a text for people, printed by the report",
    "designs.*.blinding": "for the record, as its description and docs/reference/trials.md say: an effect on some arms says what knowing does",
    "conduct.co_medication.note": "a text for people, printed by the report",
    "conduct.effects.note": "a text for people, printed by the report",
    "endpoints.primary.name": "what the endpoint is called",
    "endpoints.secondary.name": "what the endpoint is called",
    "endpoints.*.analysis.structure": "of MMRM; tests/trials/test_named_analyses.py",
    "endpoints.*.analysis.degrees": "of MMRM; tests/trials/test_named_analyses.py",
    "endpoints.*.analysis.knot": "of slopes; tests/trials/test_named_analyses.py",
    "endpoints.*.analysis.scatter_by_arm": "of mixed slopes; tests/trials/test_named_analyses.py",
    "endpoints.*.analysis.horizon": "of RMST; tests/trials/test_named_analyses.py",
    "endpoints.*.analysis.imputations": "of imputation; tests/trials/test_named_analyses.py",
    "endpoints.*.intercurrent.kidney_failure": "nobody's kidneys fail in these people; tests/trials/test_named_analyses.py",
    "endpoints.multiplicity.weights": "of a graph; tests/trials/test_named_analyses.py",
    "endpoints.multiplicity.passed_on": "of a graph; tests/trials/test_named_analyses.py",
    "designs.*.recruitment": "moves looks; tests/trials/test_looks.py",
    **{
        f"designs.*.looks.{name}": "decides where trials stop, not what is measured; tests/trials/test_looks.py"
        for name in Looks.model_fields
        if name not in ("select", "enrich", "resize", "allocate")
    },
    **{
        f"designs.*.looks.{block}.{name}": "decides who goes on, not what is measured; tests/trials/test_staged_trials.py"
        for block, keys in (("select", Selection), ("enrich", Enrichment), ("resize", Resize), ("allocate", Allocation))
        for name in keys.model_fields
    },
    "run_in.therapies.start": "refused in a run-in",
    "run_in.therapies.stop": "refused in a run-in",
    "fit_draws": "changes the true courses of people, which are fixed here; tests/trials/test_replicate_parameters.py",
    "fit": "names an installed fit, of which there may be one; tests/trials/test_replicate_parameters.py has an invented one",
}

#: Key -> where it stands in the protocol above, and another value.
CHANGES: dict[str, tuple[tuple[Any, ...], Any]] = {
    "population.cohort": (("population", "cohort"), "NHANES"),
    "population.diabetes": (("population", "diabetes"), "any"),
    "population.confirmed.*.min": (("population", "confirmed", "UACR", "min"), "300 mg/g"),
    "population.confirmed.*.max": (("population", "confirmed", "UACR", "max"), "300 mg/g"),
    "population.size": (("population", "size"), 50),
    "eligibility.*.min": (("eligibility", "UACR", "min"), "60 mg/g"),
    "eligibility.*.max": (("eligibility", "UACR", "max"), "600 mg/g"),
    "strata.*.patients": (("strata",), {"early": {"where": {"UACR": {"max": "300 mg/g"}}, "patients": 10},
                                        "late": {"where": {"UACR": {"min": "300 mg/g"}}, "patients": 30}}),
    "strata.*.where.*.min": (("strata", "late", "where", "UACR", "min"), "500 mg/g"),
    "strata.*.where.*.max": (("strata", "early", "where", "UACR", "max"), "100 mg/g"),
    "run_in.therapies.therapy": (("run_in", "therapies", 0, "therapy"), "ARB"),
    "run_in.therapies.adherence": (("run_in", "therapies", 0, "adherence"), "50 %"),
    "run_in.duration": (("run_in", "duration"), "60 day"),
    "background.therapy": (("background", 0, "therapy"), "fixed-dose insulin"),
    "background.start": (("background", 0, "start"), "8 day"),
    "background.stop": (("background", 0, "stop"), "220 day"),
    "background.adherence": (("background", 0, "adherence"), "50 %"),
    "arms.*.cells": (("arms", "cells", "cells"), "UC-MSC 3e6/kg iv"),
    "arms.*.placebo": (("arms", "more"), {"placebo": True}),
    "arms.*.infusions_like": (("arms", "control", "infusions_like"), "cells"),
    "arms.*.therapies.therapy": (("arms", "control", "therapies", 0, "therapy"), "MRA"),
    "arms.*.therapies.start": (("arms", "control", "therapies", 0, "start"), "20 day"),
    "arms.*.therapies.stop": (("arms", "control", "therapies", 0, "stop"), "120 day"),
    "arms.*.therapies.adherence": (("arms", "control", "therapies", 0, "adherence"), "50 %"),
    "arms.*.inputs": (("arms", "cells", "inputs", "protein_animal"), "0.4 g/kg/day"),
    "designs.*.arms": (("designs", "three", "arms", "more"), 2),
    "designs.*.control": (("designs", "three", "control"), "more"),
    "designs.*.patients": (("designs", "three", "patients"), 20),
    "designs.*.baseline": (("designs", "randomised", "baseline"), "mean"),
    "designs.*.randomisation.method": (("designs", "randomised", "randomisation"), {"method": "minimisation"}),
    "designs.*.randomisation.block": (("designs", "randomised", "randomisation", "block"), 10),
    "designs.*.randomisation.stratified": (("designs", "randomised", "randomisation", "stratified"), False),
    "patients": (("patients",), 38),
    "visits.name": (("visits", 3, "name"), "another"),
    "visits.day": (("visits", 3, "day"), "280 day"),
    "visits.window": (("visits", 3, "window"), "20 day"),
    "measurements.*.samples": (("measurements", "UACR", "samples"), 3),
    "measurements.*.cv": (("measurements", "UACR", "cv"), "30 %"),
    "conduct.drop_out": (("conduct", "drop_out"), "30 %/year"),
    "conduct.missed_visits": (("conduct", "missed_visits"), "20 %"),
    "conduct.year": (("conduct", "year"), 1990),
    "conduct.deaths": (("conduct", "deaths"), False),
    "conduct.co_medication.therapy": (("conduct", "co_medication", 0, "therapy"), "MRA"),
    "conduct.co_medication.share": (("conduct", "co_medication", 0, "share"), "80 %"),
    "conduct.co_medication.begins": (("conduct", "co_medication", 0, "begins"), ["10 day", "90 day"]),
    "conduct.effects.quantity": (("conduct", "effects", 0), {"quantity": "eGFR", "change": "-1 mL/min/1.73m2"}),
    "conduct.effects.change": (("conduct", "effects", 0, "change"), "-0.4 %"),
    "conduct.effects.factor": (("conduct", "effects", 1, "factor"), 0.8),
    "conduct.effects.spread": (("conduct", "effects", 1, "spread"), 0.2),
    "conduct.effects.time": (("conduct", "effects", 1, "time"), "30 day"),
    "conduct.effects.arms": (("conduct", "effects", 0, "arms"), ["control"]),
    "conduct.rescue.quantity": (("conduct", "rescue", 0), {"quantity": "UACR", "above": "900 mg/g", "therapy": "MRA"}),
    "conduct.rescue.above": (("conduct", "rescue", 0, "above"), "8.5 %"),
    "conduct.rescue.below": (("conduct", "rescue", 1, "below"), "60 mL/min/1.73m2"),
    "conduct.rescue.therapy": (("conduct", "rescue", 0, "therapy"), "metformin 2 g/day"),
    "endpoints.*.quantity": (("endpoints", "primary", "quantity"), "HbA1c"),
    "endpoints.*.summary": (("endpoints", "primary", "summary"), "slope"),
    "endpoints.*.at": (("endpoints", "primary", "at"), "month 9"),
    "endpoints.*.first": (("endpoints", "primary"), {"quantity": "UACR", "summary": "crossover", "first": "month 6", "at": "month 12"}),
    "endpoints.*.better": (("endpoints", "primary", "better"), "higher"),
    "endpoints.*.threshold": (("endpoints", "secondary", 0, "threshold"), "100 mg/g"),
    "endpoints.*.percent": (("endpoints", "secondary", 0, "percent"), -50),
    "endpoints.*.analysis.method": (("endpoints", "primary", "analysis"), "t test"),
    "endpoints.*.analysis.covariates": (("endpoints", "primary", "analysis"), {"method": "ANCOVA", "covariates": ["AGE"]}),
    "endpoints.*.analysis.stratified": (("endpoints", "primary", "analysis"), {"method": "ANCOVA", "stratified": False}),
    "endpoints.*.analysis.robust": (("endpoints", "primary", "analysis"), {"method": "ANCOVA", "robust": "HC3"}),
    "endpoints.*.objective": (("endpoints", "primary"), {"quantity": "UACR", "summary": "ratio", "at": "month 12", "objective": "non-inferiority", "margin": 1.2}),
    "endpoints.*.margin": (("endpoints", "primary"), {"quantity": "UACR", "summary": "ratio", "at": "month 12", "objective": "equivalence", "margin": 2}),
    "endpoints.alpha": (("endpoints", "alpha"), 0.2),
    "endpoints.sides": (("endpoints", "sides"), 1),
    "endpoints.multiplicity.procedure": (("endpoints", "multiplicity"), "Holm"),
    "endpoints.multiplicity.secondary": (("endpoints", "multiplicity"), {"procedure": "Holm", "secondary": True}),
    "endpoints.*.also": (("endpoints", "secondary", 1, "also"), ["hf_hospitalisation"]),
    "endpoints.*.intercurrent.rescue": (("endpoints", "primary", "intercurrent", "rescue"), "hypothetical"),
    "endpoints.*.intercurrent.drop_out": (("endpoints", "primary", "intercurrent"), {"drop_out": "composite"}),
    "endpoints.*.intercurrent.death": (("endpoints", "primary", "intercurrent"), {"death": "composite"}),
    "scenarios": (("scenarios",), ["none", "current-evidence"]),
    "seed": (("seed",), 6),
    "replicates": (("replicates",), 6),
}  # fmt: skip

#: More changes of keys that stand in several places.
ALSO: dict[str, tuple[tuple[Any, ...], Any]] = {
    "event at": (("endpoints", "secondary", 1, "at"), "month 9"),
    "event analysis": (("endpoints", "secondary", 1, "analysis"), "Cox"),
    "event death": (("endpoints", "secondary", 1, "intercurrent"), {"death": "composite"}),
    "event drop-out": (("endpoints", "secondary", 1, "intercurrent"), {"drop_out": "composite"}),
    "event rescue": (("endpoints", "secondary", 1, "intercurrent"), {"rescue": "composite"}),
    "event hypothetical": (("endpoints", "secondary", 1, "intercurrent"), {"rescue": "hypothetical"}),
    "event percent": (("endpoints", "secondary", 1, "percent"), -20),
    "event threshold": (("endpoints", "secondary", 1, "threshold"), "50 mL/min/1.73m2"),
    "event better": (("endpoints", "secondary", 1, "better"), "lower"),
    "response rescue": (("endpoints", "secondary", 0, "intercurrent"), {"rescue": "composite"}),
    "response on treatment": (("endpoints", "secondary", 0, "intercurrent"), {"rescue": "while on treatment"}),
    "response death": (("endpoints", "secondary", 0, "intercurrent"), {"death": "composite"}),
    "response better": (("endpoints", "secondary", 0, "better"), "higher"),
    "change on treatment": (("endpoints", "primary", "intercurrent", "rescue"), "while on treatment"),
    "change composite": (("endpoints", "primary", "intercurrent", "rescue"), "composite"),
    "simple": (("designs", "randomised", "randomisation"), {"method": "simple"}),
    "baseline": (("designs", "randomised", "baseline"), "baseline"),
    "type 1": (("population", "diabetes"), "type 1"),
}  # fmt: skip


def document() -> dict[str, Any]:
    from ruamel.yaml import YAML

    found: dict[str, Any] = YAML(typ="safe").load(TEXT)
    return found


def changed(path: tuple[Any, ...], value: Any) -> Protocol:
    import json

    data = copy.deepcopy(document())
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return parse_protocol(json.dumps(data))


def ran(protocol: Protocol) -> list[Any]:
    """What a run shows: every array of its data, and every analysis."""
    found: list[Any] = [protocol.replicates]
    pool = small.pool(protocol, people=300)
    more = {name: {**getattr(pool, name), "rescue 1": getattr(pool, name)["rescue 0"]} for name in ("values", "failed")}
    made = conduct.conduct_trial(protocol, pool=replace(pool, **more), threads=1)
    for key, data in made.items():
        arrays = [
            data.member,
            data.arm,
            data.day,
            data.disposition_day,
            data.rescued,
            data.rescue_rule,
            data.screened,
            data.stratum,
        ]
        found += [key, data.arms, data.visits, *(a.tobytes() for a in arrays)]
        found += [each.tobytes() for each in (*data.observed.values(), *data.base.values(), *data.events.values())]
        for each in [protocol.endpoints.primary, *protocol.endpoints.secondary]:
            for comparison in endpoints.comparisons(protocol, key[0]):
                fit = analyse(data, each, comparison)
                rule = rule_of(protocol.endpoints, each)
                found += [comparison, endpoints.better(each), fit.effect.tobytes(), fit.p.tobytes(), fit.n.tobytes()]
                found += [rule.level, rule.p(fit).tobytes(), rule.shown(fit).tobytes()]
        found += [repr(multiplicity_rows(data))]
    return found


def planned(protocol: Protocol, library: Library) -> list[Any]:
    """What the people of a pool are given."""
    model = whole_body.named_model("reference")
    planner = Planner(protocol, library, model, protocol.seed)
    found: list[Any] = [protocol.lead]
    for rule in protocol.conduct.rescue:
        found.append(planner.therapies(None, False, rule.therapy))
    for arm in protocol.arms.values():
        found.append(planner.plan(planner.therapies(arm, True), arm, arm.cells or "").schedules)
    return [repr(each) for each in found]


def called(protocol: Protocol, library: Library) -> list[Any]:
    """Who may come to screening."""
    found = candidates.choose(protocol, library, protocol.seed)
    return [found.library.table["person"].to_numpy().tobytes(), found.weights.tobytes()]


@pytest.fixture(scope="module")
def people() -> Library:
    everybody = default()
    return everybody.take(np.arange(0, len(everybody), 10))


@pytest.fixture(scope="module")
def some(people: Library) -> Library:
    return people.take(np.arange(0, len(people), len(people) // 12)[:12])


@pytest.fixture(scope="module")
def before(people: Library, some: Library) -> dict[str, list[Any]]:
    protocol = parse_protocol(TEXT)
    return {"ran": ran(protocol), "planned": planned(protocol, some), "called": called(protocol, people)}


@pytest.mark.parametrize("key", [*CHANGES, *ALSO])
def test_a_key_changes_something(key: str, before: dict[str, list[Any]], people: Library, some: Library) -> None:
    protocol = changed(*(CHANGES | ALSO)[key])
    if key.startswith(("population.", "type 1")):
        assert called(protocol, people) != before["called"]
        return
    assert ran(protocol) != before["ran"] or planned(protocol, some) != before["planned"]


def leaves(model: type[BaseModel], before: str = "") -> set[str]:
    """Return the keys of a model and all models in it; ``*`` stands for names that the user gives."""
    found = set()
    for name, field in model.model_fields.items():
        here = f"{before}{name}"
        inner, many = _inside(field.annotation)
        found |= leaves(inner, f"{here}{'.*' if many else ''}.") if inner else {here}
    return found


def _inside(kind: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model inside a type, and whether it stands in a mapping with names of the user's own."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, False
    origin = typing.get_origin(kind)
    for each in typing.get_args(kind) if origin in (dict, list, typing.Union, UnionType, typing.Annotated) else ():
        inner, many = _inside(each)
        if inner:
            return inner, many or origin is dict
    return None, False


def test_no_key_is_forgotten() -> None:
    every = {key.replace("endpoints.primary.", "endpoints.*.").replace("endpoints.secondary.", "endpoints.*.")
             for key in leaves(Protocol)}  # fmt: skip
    listed = {key.replace("endpoints.primary.", "endpoints.*.").replace("endpoints.secondary.", "endpoints.*.")
              for key in SILENT}  # fmt: skip
    assert "visits.window" in every and "conduct.rescue.above" in every and "eligibility.*.min" in every
    assert every - set(CHANGES) - listed == set()
    assert (set(CHANGES) | listed) - every == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("adherence: 90 %}", "adherence: 90 %, start: 3 day}"),
        ("adherence: 90 %}", "adherence: 90 %, stop: 3 day}"),
        ("{method: blocks, block: 4, stratified: true}", "{method: simple, block: 4}"),
        ("{method: blocks, block: 4, stratified: true}", "{method: simple, stratified: true}"),
        ("three: {arms: {cells: 1, control: 1, more: 1}", "three: {randomisation: simple, arms: {more: 1}"),
        ("three: {arms: {cells: 1, control: 1, more: 1}", "three: {control: more, arms: {more: 1}"),
        ("eGFR: {}", "eGFR: {cv: 5 %}"),
        ("eGFR: {}", "eGFR: {samples: 2}, creatinine: {}"),
    ],
)
def test_a_key_without_effect_is_refused(old: str, new: str) -> None:
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        parse_protocol(TEXT.replace(old, new, 1))
    assert caught.value.kinds == ("useless-key",)


def test_three_samples_of_egfr_are_three_of_creatinine() -> None:
    protocol = parse_protocol(TEXT.replace("eGFR: {}", "eGFR: {samples: 4}"))
    assert measurement.measurement_sd(protocol, "CREAT")[0] == pytest.approx(0.0805 / 2)


def test_the_control_that_a_design_names_is_its_control() -> None:
    protocol = changed(("designs", "three", "control"), "more")
    assert endpoints.comparisons(protocol, "three") == [
        endpoints.Comparison("cells", "more"),
        endpoints.Comparison("control", "more"),
    ]
    with pytest.raises(ConfigError) as caught:
        changed(("designs", "randomised", "control"), "more")
    assert caught.value.kinds == ("unknown-arm",)
