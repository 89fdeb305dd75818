"""One set of parameters for all people together, as if they did not differ, with errors that hold although they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .batched_search import LeastSquaresFit, search_all
from .error_model import ErrorModel
from .group_search import PASSES, REST, GroupSearch, change_of, typical_sizes
from .measured_people import MeasuredPerson
from .person_information import inform, inverse_information, leverages

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class PooledFit:
    """One set of parameters for all people together.

    Attributes
    ----------
    at
        (p,) on the scale of the search.
    covariance
        (p, p) as if all measurements were independent.
    robust
        (p, p) by person: it holds although measurements of one person are alike.
    errors
        Error models with the sizes that are left when people do not differ.
    """

    at: Numbers
    covariance: Numbers
    robust: Numbers
    errors: tuple[ErrorModel, ...]
    arrived: bool


def fit_pooled(search: GroupSearch) -> PooledFit:
    """Return one set of parameters for all people of a search together."""
    problem = search.problem
    people = [problem.people[number] for part in search.parts for number in part]
    everybody = _joined(people)
    kinds = [everybody.observable == k for k in range(len(problem.observables))]
    observed = [everybody.values[kind] for kind in kinds]
    models = search.first_errors()
    spread = search.spread(everybody, models, typical_sizes(everybody, observed))
    at = search.start
    for _ in range(PASSES):
        search.progress("fitting all people together", 0, 0)
        fit = search_all([search.task(everybody, at, spread)], lambda asked: _together(search, asked))[0]
        if not np.all(np.isfinite(fit.at)):
            nothing = np.full((len(at), len(at)), np.nan)
            return PooledFit(fit.at, nothing, nothing, tuple(models), False)
        at, counts = fit.at, np.isfinite(spread)
        lever = leverages(fit.jacobian, spread, inform(fit.jacobian, spread, search.prior[:, 1]).covariance)
        residual = everybody.values - fit.predicted
        rows = [counts & kind for kind in kinds]
        refined = [m.refined(residual[r], fit.predicted[r], lever[r]) for m, r in zip(models, rows, strict=True)]
        new = search.spread(everybody, refined, fit.predicted)
        change = max(change_of(spread, new), *(a.moved(b) for a, b in zip(models, refined, strict=True)), 0.0)
        models, spread = refined, new
        if change < REST:
            break
    information = inform(fit.jacobian, spread, search.prior[:, 1])
    bread = inverse_information(information.data + np.diag(1.0 / search.prior[:, 1] ** 2))
    told = np.isfinite(np.diag(bread))
    finite = np.where(np.isfinite(bread), bread, 0.0)
    robust = finite @ _between(people, everybody, fit, spread) @ finite
    robust[~told, ~told] = np.inf
    return PooledFit(fit.at, information.covariance, robust, tuple(models), fit.arrived)


def _between(
    people: Sequence[MeasuredPerson], everybody: MeasuredPerson, fit: LeastSquaresFit, spread: Numbers
) -> Numbers:
    """Return (p, p) how much the pulls of people differ from each other."""
    pulls, first = [], 0
    for person in people:
        rows = slice(first, first + len(person))
        residual = np.where(np.isfinite(spread[rows]), everybody.values[rows] - fit.predicted[rows], 0.0)
        pulls.append(fit.jacobian[rows].T @ (residual / spread[rows] ** 2))
        first += len(person)
    return np.asarray(np.array(pulls).T @ np.array(pulls) * len(people) / max(len(people) - 1, 1))


def _joined(people: Sequence[MeasuredPerson]) -> MeasuredPerson:
    """Return all measurements as those of one person."""

    def column(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(person, name) for person in people])

    return MeasuredPerson(
        "all", column("times"), column("observable"), column("values"), column("errors"), column("lines"),
        people[0].schedule,
    )  # fmt: skip


def _together(search: GroupSearch, asked: Mapping[int, Numbers]) -> dict[int, Numbers]:
    """Return predictions for all people, one after the other, at the same places."""
    answers = [
        simulations(dict.fromkeys(range(len(part)), asked[0]))
        for part, simulations in zip(search.parts, search.simulations, strict=True)
    ]
    return {0: np.concatenate([values for part in answers for values in part.values()], axis=1)}
