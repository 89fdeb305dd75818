"""Tables of a fit of people: estimates, the group, every measurement, checks of residuals, and smooth courses for pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.constants import Z95
from .group_search import PersonFit
from .individual_fit import IndividualFit
from .person_information import PersonInformation
from .person_parameter import PersonParameter
from .person_simulations import PersonSimulations

Numbers = NDArray[np.float64]
#: A row of a table by column.
Row = dict[str, Any]
#: Points of a smooth course, and people whose courses are simulated together.
_POINTS, _TOGETHER = 101, 16


def people_rows(fit: IndividualFit) -> list[Row]:
    """Return a row for each person and parameter: the estimate with its interval, and what the group makes of it."""
    rows = []
    shrunk = _shrunk(fit)
    for person in fit.people:
        untold = person.information.untold(fit.problem.parameters, person.at)
        for k, parameter in enumerate(fit.problem.parameters):
            low, high = confidence_interval(
                parameter, person.at[k], fit.quantile * person.information.standard_errors[k]
            )
            rows.append(
                {
                    "person": person.name,
                    "parameter": parameter.name,
                    "unit": parameter.unit,
                    "estimate": float(parameter.natural(person.at[k])),
                    "se": float(parameter.slope(person.at[k]) * person.information.standard_errors[k]),
                    "low": low,
                    "high": high,
                    "told": parameter.name not in untold and person.simulated,
                    "at_bound": parameter.name in person.at_bounds,
                    "contraction": float(person.information.contraction[k]),
                    "with_group": shrunk.get((person.name, k), np.nan),
                    "arrived": person.arrived,
                    "message": person.message,
                }
            )
    return rows


def confidence_interval(parameter: PersonParameter, at: float, half: float) -> tuple[float, float]:
    """Return a confidence interval in the parameter's unit, within its bounds; where nothing is known, the bounds."""
    if not np.isfinite(at):
        return float("nan"), float("nan")
    with np.errstate(over="ignore"):
        ends = parameter.natural(np.array([at - half, at + half]))
    return float(max(ends[0], parameter.low)), float(min(ends[1], parameter.high))


def _shrunk(fit: IndividualFit) -> dict[tuple[str, int], float]:
    """Return what the group and her own data together say of each person, by person and number of the parameter."""
    if fit.group is None:
        return {}
    people = [person for person in fit.people if person.simulated]
    return {
        (person.name, k): float(parameter.natural(at[k]))
        for person, at in zip(people, fit.group.shrunk, strict=True)
        for k, parameter in enumerate(fit.problem.parameters)
    }


def group_rows(fit: IndividualFit) -> list[Row]:
    """Return a row for each parameter: median and spread of people, and the fit to all of them together."""
    from scipy import stats

    rows, group, pooled = [], fit.group, fit.pooled
    for k, parameter in enumerate(fit.problem.parameters):
        row: Row = {
            "parameter": parameter.name,
            "unit": parameter.unit,
            "label": parameter.label,
            "scale": parameter.transform,
        }
        if group is not None:
            quantile = float(stats.t.ppf((1.0 + fit.problem.level) / 2.0, max(group.people - 1, 1)))
            low, high = confidence_interval(parameter, group.mean[k], quantile * group.mean_error[k])
            ends = parameter.natural(group.mean[k] + group.spread[k] * np.array([-Z95, Z95]))
            row |= {
                "median": float(parameter.natural(group.mean[k])),
                "low": low,
                "high": high,
                "spread": float(group.spread[k]),
                "spread_se": float(group.spread_error[k]),
                "people_low": float(ends[0]),
                "people_high": float(ends[1]),
                "spread_of_estimates": float(group.uncorrected[k]),
            }
        if pooled is not None:
            error = float(np.sqrt(pooled.robust[k, k]))
            low, high = confidence_interval(parameter, pooled.at[k], fit.quantile * error)
            row |= {"pooled": float(parameter.natural(pooled.at[k])), "pooled_low": low, "pooled_high": high}
        told = [
            name
            for person in fit.people
            for name in [parameter.name]
            if name not in person.information.untold(fit.problem.parameters, person.at)
        ]
        row |= {"told_in": len(told), "people": len(fit.people)}
        rows.append(row)
    return rows


def correlation_rows(fit: IndividualFit) -> list[Row]:
    """Return a row for each pair of parameters: correlation between people, and in how many people estimates go together."""
    names = [parameter.name for parameter in fit.problem.parameters]
    together: dict[tuple[str, str], list[float]] = {}
    for person in fit.people:
        for first, second, correlation in person.information.together(fit.problem.parameters):
            together.setdefault((first, second), []).append(correlation)
    return [
        {
            "first": names[i],
            "second": names[k],
            "between_people": float(fit.group.correlation[i, k]) if fit.group is not None else np.nan,
            "of_estimates": _median_correlation([person.information for person in fit.people], i, k),
            "together_in": len(together.get((names[i], names[k]), [])),
        }
        for i in range(len(names))
        for k in range(i + 1, len(names))
    ]


def _median_correlation(informations: Sequence[PersonInformation], i: int, k: int) -> float:
    return float(np.median([information.correlation[i, k] for information in informations]))


def measurement_rows(fit: IndividualFit) -> list[Row]:
    """Return a row for each measurement with its prediction; `residual` is in SDs, leverage considered."""
    rows = []
    for person, fitted in zip(fit.problem.people, fit.people, strict=True):
        for n in range(len(person)):
            observable = fit.problem.observables[person.observable[n]]
            counts = bool(np.isfinite(fitted.spread[n]))
            expected = fitted.spread[n] * np.sqrt(max(1.0 - fitted.leverage[n], 0.0))
            rows.append(
                {
                    "person": person.name,
                    "line": int(person.lines[n]),
                    "time": float(person.times[n] + fit.problem.begin),
                    "observable": observable.name,
                    "unit": observable.unit,
                    "observed": float(person.values[n]),
                    "predicted": float(fitted.predicted[n]),
                    "sd": float(fitted.spread[n]) if counts else np.nan,
                    "residual": float((person.values[n] - fitted.predicted[n]) / expected)
                    if counts and expected > 0.0
                    else np.nan,
                    "counts": counts,
                }
            )
    return rows


def check_rows(fit: IndividualFit) -> list[Row]:
    """Return a row for each check of the residuals."""
    return [
        {
            "observable": c.observable,
            "check": c.check,
            "value": c.value,
            "chance": c.chance,
            "passed": c.passed,
            "words": c.words,
        }
        for c in fit.checks
    ]


def smooth_course_rows(fit: IndividualFit) -> list[Row]:
    """Return smooth courses of every person at her estimates, for pictures."""
    rows: list[Row] = []
    pairs = [
        (person, fitted) for person, fitted in zip(fit.problem.people, fit.people, strict=True) if fitted.simulated
    ]
    for first in range(0, len(pairs), _TOGETHER):
        rows += _courses(fit, pairs[first : first + _TOGETHER])
    return rows


def _courses(fit: IndividualFit, pairs: Sequence[tuple[Any, PersonFit]]) -> list[Row]:
    problem = fit.problem
    people = [person for person, _ in pairs]
    simulations = PersonSimulations(problem.model, problem.observables, problem.parameters, people, 1)
    spans = [(person.parts[0].begin, float(np.max(person.times))) for person in people]
    grids = [np.linspace(begin, end, _POINTS) if end > begin else np.array([begin]) for begin, end in spans]
    times = np.unique(np.concatenate(grids))
    courses = simulations.courses({n: fitted.at for n, (_, fitted) in enumerate(pairs)}, times)
    outputs = simulations.ensemble.outputs
    rows: list[Row] = []
    for n, grid in enumerate(grids):
        places = np.searchsorted(times, grid)
        for number in sorted(set(people[n].observable.tolist())):
            observable = problem.observables[number]
            values = courses[n][places, outputs.index(observable.output)]
            rows += [
                {
                    "person": people[n].name,
                    "observable": observable.name,
                    "unit": observable.unit,
                    "time": time,
                    "predicted": value,
                }
                for time, value in zip((grid + problem.begin).tolist(), values.tolist(), strict=True)
            ]
    return rows
