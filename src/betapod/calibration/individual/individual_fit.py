"""Fit every person by least squares, then summarise the group."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...base.errors import Problem, SolverError
from .error_model import ErrorModel
from .group_search import GroupSearch, PersonFit, Progress
from .individual_problem import IndividualProblem
from .iterated_group import iterate_group
from .person_information import inverse_information
from .pooled_fit import PooledFit, fit_pooled
from .residual_checks import ResidualCheck, check_residuals
from .two_stage import GroupSummary, summarise_group

Numbers = NDArray[np.float64]
#: Residuals below this share of the largest measurement are those of rounding.
_EXACT = 1e-8


@dataclass(frozen=True)
class IndividualFit:
    """Fits of all people, and their group.

    Attributes
    ----------
    people
        In the order of the table.
    errors
        Error model of each observable, with its sizes.
    freedom
        Measurements that count less what was fitted to them, over all people.
    group
        None where it was not asked for, or for fewer than two people.
    pooled
        None where it was not asked for.
    checks
        Of the residuals.
    lanes
        Simulations of one person that it took; `seconds` is time on the clock.
    """

    problem: IndividualProblem
    people: tuple[PersonFit, ...]
    errors: tuple[ErrorModel, ...]
    freedom: float
    group: GroupSummary | None
    pooled: PooledFit | None
    checks: tuple[ResidualCheck, ...]
    lanes: int
    seconds: float
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def quantile(self) -> float:
        """Number of standard errors on either side of a confidence interval: Student's where sizes of errors are estimated."""
        from scipy import stats

        tail = (1.0 + self.problem.level) / 2.0
        estimated = any(error.estimated for error in self.errors)
        return float(stats.t.ppf(tail, max(self.freedom, 1.0)) if estimated else stats.norm.ppf(tail))


def fit_individuals(
    problem: IndividualProblem, threads: int | None = None, progress: Progress | None = None
) -> IndividualFit:
    """Fit every person of a problem, and summarise the group.

    Parameters
    ----------
    threads
        That share simulations; one per available core by default.
    progress
        Is told what is being done, how much is done and of how much.

    Raises
    ------
    SolverError
        Nobody can be simulated where the search begins.

    Examples
    --------
    >>> import tempfile
    >>> from betapod.calibration.individual.individual_examples import write_individual_example
    >>> from betapod.calibration.individual.individual_fit import fit_individuals
    >>> from betapod.calibration.individual.individual_problem import read_individual_problem
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     problem = read_individual_problem(write_individual_example(folder)[0])
    >>> fit = fit_individuals(problem, threads=1)
    >>> len(fit.people), all(person.arrived for person in fit.people)
    (12, True)
    """
    # Numbers beyond all measure in a table end as what they are, not as an internal error.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _fitted(problem, threads, progress)


def _fitted(problem: IndividualProblem, threads: int | None, progress: Progress | None) -> IndividualFit:
    begun = time.monotonic()
    search = GroupSearch(problem, threads, progress or (lambda activity, done, total: None))
    fits, errors = search.people()
    people = [search.person(number, fits[number], errors) for number in range(len(problem.people))]
    simulated = [person for person in people if person.simulated]
    if not simulated:
        hint = "Look at the starts of the parameters: 'betapod simulate' shows where the model fails."
        raise SolverError(Problem("not-simulated", "nobody can be simulated where the search begins", hint=hint))
    freedom = float(sum(np.sum((1.0 - person.leverage)[np.isfinite(person.spread)]) for person in simulated))
    group = _group(simulated) if problem.group != "none" and len(simulated) > 1 else None
    if group is not None and not np.any(np.isfinite(group.mean)):
        group = None
    if group is not None and problem.group == "iterated":
        group = iterate_group(search, people, errors, group)
    pooled = fit_pooled(search) if problem.pooled else None
    checks = _checks(problem, people, errors)
    warnings = _warnings(problem, people, errors)
    if freedom < 1.0 and any(error.estimated for error in errors):
        warnings.append(
            "nothing is left to estimate the size of errors from: intervals rest on a first guess; state the errors"
        )
    exact = [
        observable.name
        for number, (observable, error) in enumerate(zip(problem.observables, errors, strict=True))
        if error.estimated and _goes_through(problem, people, number)
    ]
    if exact:
        warnings.append(
            f"the model goes through every measurement of {', '.join(exact)}: the size of the errors cannot be estimated, and "
            "intervals mean nothing; state the errors, or fit less"
        )
    if not search.weights_at_rest:
        warnings.append(
            "weights and sizes of errors did not come to rest: state the errors, or try another form of them"
        )
    lanes = sum(simulations.lanes for simulations in search.simulations)
    seconds = time.monotonic() - begun
    return IndividualFit(
        problem, tuple(people), tuple(errors), freedom, group, pooled, tuple(checks), lanes, seconds, tuple(warnings)
    )


def _group(people: Sequence[PersonFit]) -> GroupSummary:
    said = np.array([person.said for person in people])
    information = np.array([person.information.data for person in people])
    estimates = []
    for person in people:
        covariance = inverse_information(person.information.data)
        told = np.isfinite(np.diag(covariance))
        alone = np.where(np.isfinite(covariance), covariance, 0.0) @ person.said
        estimates.append(np.where(told, alone, np.nan))
    return summarise_group(said, information, np.array(estimates))


def _goes_through(problem: IndividualProblem, people: Sequence[PersonFit], number: int) -> bool:
    """Return whether predictions of an observable are its measurements but for rounding, which leaves no error to estimate."""
    far, size = 0.0, 0.0
    for person, fit in zip(problem.people, people, strict=True):
        rows = (person.observable == number) & np.isfinite(fit.spread)
        if fit.simulated and np.any(rows):
            far = max(far, float(np.max(np.abs(person.values[rows] - fit.predicted[rows]))))
            size = max(size, float(np.max(np.abs(person.values[rows]))))
    return size > 0.0 and far <= _EXACT * size


def _checks(
    problem: IndividualProblem, people: Sequence[PersonFit], errors: Sequence[ErrorModel]
) -> list[ResidualCheck]:
    checks = []
    for number, observable in enumerate(problem.observables):
        residual, predicted, owner, freedom = [], [], [], 0.0
        exact = errors[number].estimated and _goes_through(problem, people, number)
        for k, (person, fit) in enumerate(zip(problem.people, people, strict=True)):
            rows = (person.observable == number) & np.isfinite(fit.spread) & (fit.leverage < 1.0 - 1e-9)
            if fit.simulated and np.any(rows) and not exact:
                expected = fit.spread[rows] * np.sqrt(1.0 - fit.leverage[rows])
                residual.append((person.values[rows] - fit.predicted[rows]) / expected)
                predicted.append(fit.predicted[rows])
                owner.append(np.full(int(rows.sum()), k))
                freedom += float(np.sum(1.0 - fit.leverage[rows]))
        if residual:
            joined = (np.concatenate(residual), np.concatenate(predicted), np.concatenate(owner))
            checks += check_residuals(observable.name, *joined, freedom, not errors[number].estimated)
    return checks


def _warnings(problem: IndividualProblem, people: Sequence[PersonFit], errors: Sequence[ErrorModel]) -> list[str]:
    """Return in words what a reader of the results must know."""
    warnings = []
    failed = [person for person in people if not person.arrived]
    warnings += [f"{person.name}: {person.message}" for person in failed[:5]]
    if len(failed) > 5:
        warnings.append(f"and {len(failed) - 5} more people whose search did not come to rest")
    for parameter in problem.parameters:
        at_bound = [person.name for person in people if parameter.name in person.at_bounds]
        if at_bound:
            names = ", ".join(at_bound[:5]) + (" ..." if len(at_bound) > 5 else "")
            warnings.append(f"{parameter.name} is at a bound in {len(at_bound)} of {len(people)} people ({names})")
    left_out = sum(int(np.sum(~np.isfinite(person.spread))) for person in people)
    if left_out:
        warnings.append(
            f"left out, measurements: {left_out}; the model predicts 0 there, and a proportional error of 0 is none; "
            "a combined error would count them"
        )
    if problem.starts > 1:
        alone = [person.name for person in people if person.same == 1]
        if alone:
            warnings.append(
                f"in {len(alone)} of {len(people)} people only one of {problem.starts} searches ended at the best place"
            )
    return warnings
