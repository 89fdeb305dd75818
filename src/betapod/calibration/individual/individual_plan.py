"""What a fit of people will do, before it is done: who was measured, what is looked for, and what the data can tell at the start."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from .group_search import GroupSearch
from .individual_problem import IndividualProblem
from .person_information import inform

#: Rounds that a search takes as a rule, passes of weights among them.
_ROUNDS = 25


@dataclass(frozen=True)
class IndividualPlan:
    """A fit of people before it begins.

    Attributes
    ----------
    fewest, most
        Measurements of one person.
    not_simulated
        People whom the model cannot simulate where the search begins.
    too_few
        People with fewer measurements than parameters without a prior.
    untold
        Parameter -> in how many people the data would not tell it, were the start the truth.
    seconds
        That the fit will take, as a rule.
    """

    fewest: int
    most: int
    not_simulated: tuple[str, ...]
    too_few: tuple[str, ...]
    untold: dict[str, int]
    seconds: float


def plan_individuals(problem: IndividualProblem, threads: int | None = None) -> IndividualPlan:
    """Return what a fit will do: everybody is simulated once with slopes, at the start of the search.

    Examples
    --------
    >>> import tempfile
    >>> from betapod.calibration.individual.individual_examples import write_individual_example
    >>> from betapod.calibration.individual.individual_plan import plan_individuals
    >>> from betapod.calibration.individual.individual_problem import read_individual_problem
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     problem = read_individual_problem(write_individual_example(folder)[0])
    >>> plan_individuals(problem, threads=1).untold
    {'C_start': 0, 'k': 0}
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return _planned(problem, threads)


def _planned(problem: IndividualProblem, threads: int | None) -> IndividualPlan:
    search = GroupSearch(problem, threads, lambda activity, done, total: None)
    count = len(problem.parameters)
    free = int(np.sum(~np.isfinite(search.prior[:, 1])))
    moves = np.concatenate([np.zeros((1, count)), np.diag(search.step), -np.diag(search.step)])
    points = np.clip(search.start + moves, search.low, search.high)
    widths = points[1 : count + 1].diagonal() - points[count + 1 :].diagonal()
    errors = search.first_errors()
    not_simulated, untold = [], dict.fromkeys((parameter.name for parameter in problem.parameters), 0)
    seconds = 0.0
    for part, simulations in zip(search.parts, search.simulations, strict=True):
        simulations(dict.fromkeys(range(len(part)), points[:1]))  # the program is compiled
        begun = time.monotonic()
        values = simulations(dict.fromkeys(range(len(part)), points))
        seconds += time.monotonic() - begun
        for position, number in enumerate(part):
            person, predicted = problem.people[number], values[position]
            if not np.all(np.isfinite(predicted)):
                not_simulated.append(person.name)
                continue
            jacobian = ((predicted[1 : count + 1] - predicted[count + 1 :]) / widths[:, None]).T
            information = inform(jacobian, search.spread(person, errors, predicted[0]), search.prior[:, 1])
            for name in information.untold(problem.parameters, search.start):
                untold[name] += 1
    sizes = [len(person) for person in problem.people]
    return IndividualPlan(
        min(sizes),
        max(sizes),
        tuple(not_simulated),
        tuple(person.name for person in problem.people if len(person) < free),
        untold,
        seconds * _ROUNDS * problem.starts,
    )
