"""A fit of people as the tables of PEtab 1: one condition per person, measurements with errors.

Written from the specification of PEtab 1 (https://petab.readthedocs.io): parameters, conditions, observables and measurements as
tab-separated tables beside a model in SBML. What it has no place for is returned in sentences.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...base.errors import ConfigError, Location, Problem
from ...model import Model
from .error_model import ErrorModel
from .individual_problem import IndividualProblem
from .measured_people import MeasuredObservable, MeasuredPerson
from .person_parameter import PersonParameter

#: Bounds of a parameter that has none: PEtab wants numbers.
_WIDE = 1e6
#: Bounds of sizes of errors that are estimated.
_ERROR_BOUNDS = (1e-8, 1e8)
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class PetabTables:
    """Tables by name of file, and what they cannot hold."""

    tables: Mapping[str, Rows]
    left_out: tuple[str, ...]


def petab_tables(problem: IndividualProblem, estimates: Mapping[tuple[str, str], float] | None = None) -> PetabTables:
    """Return a problem of people as tables of PEtab.

    Parameters
    ----------
    estimates
        By person and parameter, for the nominal values; starts without.

    Raises
    ------
    ConfigError
        People are given doses or switches, or their names cannot be told apart as identifiers.
    """
    _refuse_schedules(problem)
    people = petab_identifiers([person.name for person in problem.people], "person", problem.file)
    observables = petab_identifiers([observable.name for observable in problem.observables], "observable", problem.file)
    tables: dict[str, Rows] = {
        "parameters.tsv": parameter_rows(problem, people, observables, estimates or {}),
        "conditions.tsv": _conditions(problem, people),
        "observables.tsv": observable_rows(problem, observables),
        "measurements.tsv": _measurements(problem, people, observables),
    }
    return PetabTables(tables, tuple(petab_left_out(problem)))


def _refuse_schedules(problem: IndividualProblem) -> None:
    with_schedule = [person.name for person in problem.people if person.schedule.doses or person.schedule.switches]
    if with_schedule:
        message = "PEtab 1 has no doses and no inputs that change with time; PEtab 2 has"
        some = ", ".join(with_schedule[:5]) + (" ..." if len(with_schedule) > 5 else "")
        raise ConfigError(
            Problem(
                "no-petab",
                message,
                Location(problem.file),
                f"schedules of {some}",
                "people without",
                "Write version 2 (argument --format 2).",
            )
        )


def petab_identifiers(names: Sequence[str], kind: str, file: str) -> dict[str, str]:
    """Return names as identifiers; refuse those that become the same."""
    ids = {name: f"{kind}_{re.sub(r'[^A-Za-z0-9_]', '_', name)}" for name in names}
    if len(set(ids.values())) < len(ids):
        message = f"names of {kind}s differ in signs only that PEtab's identifiers do not have"
        raise ConfigError(Problem("no-petab", message, Location(file), hint="Use letters, digits and underscores."))
    return ids


def parameter_rows(
    problem: IndividualProblem,
    people: Mapping[str, str],
    observables: Mapping[str, str],
    estimates: Mapping[tuple[str, str], float],
) -> Rows:
    """Return the table of parameters: those of every person, and sizes of errors that are estimated."""
    rows = [
        _parameter(parameter, f"{parameter.name}_{identifier}", name, estimates.get((name, parameter.name)))
        for name, identifier in people.items()
        for parameter in problem.parameters
    ]
    for of in problem.observables:
        for size in _estimated_sizes(of.error):
            row: dict[str, Any] = {
                "parameterId": f"{size}_{observables[of.name]}",
                "parameterName": f"{size} error of {of.name}",
            }
            low, high = _ERROR_BOUNDS
            guess = getattr(of.error, size)
            nominal = guess if math.isfinite(guess) and guess > 0 else 0.1
            row |= {"parameterScale": "log", "lowerBound": low, "upperBound": high, "nominalValue": nominal}
            rows.append({**row, "estimate": 1, "objectivePriorType": "", "objectivePriorParameters": ""})
    return rows


def _parameter(parameter: PersonParameter, identifier: str, person: str, estimate: float | None) -> dict[str, Any]:
    scale = "log" if parameter.transform == "log" else "lin"
    low, high = parameter.low, parameter.high
    size = abs(parameter.start) or 1.0
    if scale == "log":
        low, high = max(low, size / _WIDE), min(high, size * _WIDE)
    else:
        low, high = max(low, -size * _WIDE), min(high, size * _WIDE)
    row: dict[str, Any] = {
        "parameterId": identifier,
        "parameterName": f"{parameter.label or parameter.name}, {person}",
        "parameterScale": scale,
        "lowerBound": low,
        "upperBound": high,
        "nominalValue": parameter.start if estimate is None else estimate,
        "estimate": 1,
        "objectivePriorType": "",
        "objectivePriorParameters": "",
    }
    if parameter.has_prior and parameter.transform != "logit":
        centre, sd = parameter.prior
        row |= {"objectivePriorType": "parameterScaleNormal", "objectivePriorParameters": f"{centre!r};{sd!r}"}
    return row


def _conditions(problem: IndividualProblem, people: Mapping[str, str]) -> Rows:
    covariates = list(dict.fromkeys(name for person in problem.people for name in person.covariates))
    return [
        {
            "conditionId": people[person.name],
            "conditionName": person.name,
            **{parameter.name: f"{parameter.name}_{people[person.name]}" for parameter in problem.parameters},
            **{name: _covariate(problem, person, name) for name in covariates},
        }
        for person in problem.people
    ]


def _covariate(problem: IndividualProblem, person: MeasuredPerson, name: str) -> float:
    """Return a person's value, or the model's own."""
    rows = {**problem.model.inputs, **problem.model.parameters}
    return float(person.covariates.get(name, rows[name].value))


def observable_rows(problem: IndividualProblem, observables: Mapping[str, str]) -> Rows:
    """Return the table of observables; sizes of noise come with each measurement."""
    return [_observable(of, observables[of.name]) for of in problem.observables]


def _observable(of: MeasuredObservable, identifier: str) -> dict[str, Any]:
    first, second = (f"noiseParameter{k}_{identifier}" for k in (1, 2))
    noise = {
        "additive": first,
        "column": first,
        "proportional": f"{first} * abs({of.output})",
        "combined": f"sqrt({first}^2 + ({second} * {of.output})^2)",
    }[of.error.form]
    return {
        "observableId": identifier,
        "observableName": of.label or of.name,
        "observableFormula": of.output,
        "observableTransformation": "lin",
        "noiseFormula": noise,
        "noiseDistribution": "normal",
    }


def _measurements(problem: IndividualProblem, people: Mapping[str, str], observables: Mapping[str, str]) -> Rows:
    rows: Rows = []
    for person in problem.people:
        for k in range(len(person)):
            of = problem.observables[int(person.observable[k])]
            rows.append(
                {
                    "observableId": observables[of.name],
                    "simulationConditionId": people[person.name],
                    "measurement": float(person.values[k]),
                    "time": float(person.times[k]),
                    "noiseParameters": size_of_noise(of.error, observables[of.name], float(person.errors[k])),
                }
            )
    return rows


def _estimated_sizes(error: ErrorModel) -> list[str]:
    """Return which sizes of an error are looked for."""
    if not error.estimated:
        return []
    return {"additive": ["additive"], "proportional": ["proportional"], "combined": ["additive", "proportional"]}[
        error.form
    ]


def size_of_noise(error: ErrorModel, observable: str, column: float) -> str:
    """Return the sizes of noise of one measurement, or the parameters that have them."""
    if error.form == "column":
        return repr(column)
    sizes = {"additive": ["additive"], "proportional": ["proportional"], "combined": ["additive", "proportional"]}
    return ";".join(
        f"{size}_{observable}" if error.estimated else repr(float(getattr(error, size))) for size in sizes[error.form]
    )


def petab_left_out(problem: IndividualProblem) -> list[str]:
    """Return sentences on what PEtab has no place for."""
    sentences = []
    if problem.group != "none":
        sentences.append(
            "The group of people (medians, spreads, correlations) has no place in PEtab: everybody is fitted alone."
        )
    if any(parameter.transform == "logit" for parameter in problem.parameters):
        sentences.append(
            "PEtab 1 has no logit scale: such parameters are looked for on the linear scale within their bounds, without their priors."
        )
    unbounded = [
        p.name
        for p in problem.parameters
        if not (math.isfinite(p.high) and (math.isfinite(p.low) or p.transform == "log"))
    ]
    if unbounded:
        sentences.append(
            f"PEtab wants bounds: {', '.join(unbounded)} got {_WIDE:g} times the start where there was none."
        )
    if any(of.error.estimated for of in problem.observables):
        sentences.append(
            "Sizes of errors are estimated by maximum likelihood there, and from residuals and leverages here: they differ a little."
        )
    return sentences


def without_ends(model: Model) -> tuple[Model, list[str]]:
    """Return a model whose courses go on after what ends a patient, and in words what was left out.

    Nothing is measured after an end, and other tools differentiate a model without events only.
    """
    ends = [event.name for event in model.events if event.terminal]
    if not ends:
        return model, []
    kept = replace(model, events=tuple(event for event in model.events if not event.terminal))
    return kept, [f"What ends a patient ({', '.join(ends)}): predictions go on after it."]


def as_tsv(rows: Rows) -> str:
    """Return rows as a tab-separated table."""
    heads = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["\t".join(heads)]
    lines += ["\t".join(_text(row.get(name, "")) for name in heads) for row in rows]
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else str(value)
    return re.sub(r"[\t\r\n]+", " ", text)
