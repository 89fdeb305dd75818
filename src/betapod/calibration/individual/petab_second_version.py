"""A fit of people as the tables of PEtab 2: an experiment per person, in periods, so that doses and changes of inputs have a place.

Written from the specification of PEtab 2 (https://petab.readthedocs.io). A dose is a period that begins with ``state + amount``, an infusion or a switch one with a
new value of an input.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ...base.errors import ConfigError, Location, Problem
from ...engine.infusions import as_switches, infused_states, with_infusions
from ...engine.schedule import Segment
from ...model import Model
from .individual_problem import IndividualProblem
from .measured_people import MeasuredPart, MeasuredPerson
from .petab_tables import (
    PetabTables,
    Rows,
    observable_rows,
    parameter_rows,
    petab_identifiers,
    petab_left_out,
    size_of_noise,
)

#: By how much a period begins later where something was measured at its time, which is before it: as a share of that time, and of the whole.
_LATER, _SHARE = 2e-13, 5e-15


@dataclass(frozen=True)
class SecondVersion:
    """Tables of version 2, and the model with an input for each state that is infused."""

    form: PetabTables
    model: Model


def second_version_tables(
    problem: IndividualProblem, estimates: Mapping[tuple[str, str], float] | None = None
) -> SecondVersion:
    """Return a problem of people as tables of PEtab 2.

    Parameters
    ----------
    estimates
        By person and parameter, for the nominal values; starts without.

    Raises
    ------
    ConfigError
        People who start from a steady state, begin anew, or whose inputs change gradually.
    """
    _refuse_without_place(problem)
    people = petab_identifiers([person.name for person in problem.people], "person", problem.file)
    observables = petab_identifiers([observable.name for observable in problem.observables], "observable", problem.file)
    model = with_infusions(problem.model, infused_states([person.schedule for person in problem.people]))
    conditions: Rows = []
    experiments: Rows = []
    later = False
    for person in problem.people:
        for start, changes, moved in _periods(problem, person, people[person.name]):
            name = f"{people[person.name]}_{len(experiments)}"
            later |= moved
            experiments.append({"experimentId": people[person.name], "time": start, "conditionId": name})
            conditions += [
                {"conditionId": name, "targetId": target, "targetValue": value} for target, value in changes.items()
            ]
    tables: dict[str, Rows] = {
        "parameters.tsv": [_parameter(row) for row in parameter_rows(problem, people, observables, estimates or {})],
        "conditions.tsv": conditions,
        "experiments.tsv": experiments,
        "observables.tsv": [_observable(row) for row in observable_rows(problem, observables)],
        "measurements.tsv": _measurements(problem, people, observables),
    }
    sentences = [sentence.replace("PEtab 1", "PEtab 2") for sentence in petab_left_out(problem)]
    if later:
        sentences.append(
            f"What is measured at the time of a dose or a change is before it: its period begins {_LATER:g} of its time later."
        )
    return SecondVersion(PetabTables(tables, tuple(sentences)), model)


def _refuse_without_place(problem: IndividualProblem) -> None:
    reasons = {
        "start from a steady state of doses": [p.name for p in problem.people if any(d.ss for d in p.schedule.doses)],
        "have inputs that change gradually": [
            p.name for p in problem.people if any(s.width for s in p.schedule.switches)
        ],
        "begin anew": [p.name for p in problem.people if len(p.parts) > 1 or p.parts[0].begin != 0.0],
    }
    problems = [
        Problem(
            "no-petab", f"PEtab 2 has no place for people who {words}", Location(problem.file), ", ".join(names[:5])
        )
        for words, names in reasons.items()
        if names
    ]
    if problems:
        raise ConfigError(problems)


def _periods(
    problem: IndividualProblem, person: MeasuredPerson, identifier: str
) -> Iterator[tuple[float, dict[str, str], bool]]:
    """Yield start, changes, and whether the start was moved, of a person's periods."""
    rows = {**problem.model.inputs, **problem.model.parameters}
    part = person.parts[0]
    covariates = list(dict.fromkeys(name for other in problem.people for name in other.parts[0].covariates))
    first = {parameter.name: f"{parameter.name}_{identifier}" for parameter in problem.parameters}
    first |= {name: repr(float(part.covariates.get(name, rows[name].value))) for name in covariates}
    end = float(max(part.times))
    inputs = {name: float(part.covariates.get(name, row.value)) for name, row in problem.model.inputs.items()}
    segments = _segments(problem.model, part, inputs, end)
    at_first = _changes(None, segments[0], inputs)
    moved = bool(at_first) and 0.0 in part.times
    if moved:
        yield 0.0, first, False
        yield _SHARE * end, at_first, True
    else:
        yield 0.0, {**first, **at_first}, False
    for before, segment in itertools.pairwise(segments):
        measured = segment.start in part.times
        changes = _changes(before, segment, inputs)
        if changes:
            wait = max(_LATER * segment.start, _SHARE * end) if measured else 0.0
            yield segment.start + wait, changes, measured


def _segments(model: Model, part: MeasuredPart, inputs: Mapping[str, float], end: float) -> list[Segment]:
    steps = as_switches(model, part.schedule, end)
    infused = {switch.input: 0.0 for switch in steps.switches if switch.input not in inputs}
    return steps.segments({**inputs, **infused}, end, visits=sorted({*part.times.tolist(), end}))


def _changes(before: Segment | None, segment: Segment, inputs: Mapping[str, float]) -> dict[str, str]:
    """Return what begins with a segment: doses, and inputs that have another value than before."""
    changes: dict[str, str] = {}
    amounts: dict[str, float] = {}
    for state, amount in segment.doses:
        amounts[state] = amounts.get(state, 0.0) + amount
    for state, amount in amounts.items():
        changes[state] = f"{state} + {amount!r}"
    for name, value in segment.values.items():
        earlier = before.values[name] if before is not None else inputs.get(name, 0.0)
        if value != earlier:
            changes[name] = repr(float(value))
    return changes


def _parameter(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row of version 1 as one of version 2, which has no scale of the search."""
    cells = {name: row[name] for name in ("parameterId", "parameterName", "lowerBound", "upperBound", "nominalValue")}
    cells["estimate"] = "true" if row["estimate"] else "false"
    prior = str(row["objectivePriorParameters"])
    kind = "log-normal" if row["parameterScale"] == "log" else "normal"
    return {**cells, "priorDistribution": kind if prior else "", "priorParameters": prior}


def _observable(row: Mapping[str, object]) -> dict[str, object]:
    noise = str(row["noiseFormula"])
    names = [name for name in (f"noiseParameter{k}_{row['observableId']}" for k in (1, 2)) if name in noise]
    kept = ("observableId", "observableName", "observableFormula", "noiseFormula", "noiseDistribution")
    return {**{name: row[name] for name in kept}, "noisePlaceholders": ";".join(names)}


def _measurements(problem: IndividualProblem, people: Mapping[str, str], observables: Mapping[str, str]) -> Rows:
    rows: Rows = []
    for person in problem.people:
        part = person.parts[0]
        times = part.times[np.argsort(part.members)]
        for time, number, value, error in zip(
            times.tolist(),
            person.observable.tolist(),
            person.values.tolist(),
            person.errors.tolist(),
            strict=True,
        ):
            of = problem.observables[number]
            rows.append(
                {
                    "observableId": observables[of.name],
                    "experimentId": people[person.name],
                    "time": float(time),
                    "measurement": float(value),
                    "noiseParameters": size_of_noise(
                        of.error, observables[of.name], math.nan if error is None else error
                    ),
                }
            )
    return rows


#: The file that names the others, in version 2 of the format.
SECOND_PROBLEM = """format_version: 2.0.0
parameter_files: [parameters.tsv]
model_files: {model: {location: model.xml, language: sbml}}
condition_files: [conditions.tsv]
experiment_files: [experiments.tsv]
observable_files: [observables.tsv]
measurement_files: [measurements.tsv]
"""
