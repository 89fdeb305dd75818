"""Search for the parameters of all people, with weights that follow from their predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .batched_search import FINE, ROUGH, LeastSquaresFit, LeastSquaresTask, search_all
from .error_model import NOUGHT, ErrorModel
from .individual_problem import IndividualProblem
from .measured_people import MeasuredPerson
from .person_information import PersonInformation, inform, leverages
from .person_parameter import STEP
from .person_simulations import CHUNK, PersonSimulations

Numbers = NDArray[np.float64]
#: What is being done, how much is done, and of how much.
Progress = Callable[[str, int, int], None]
#: Rounds of weights and estimates, and the relative changes at which both are at rest.
PASSES, REST = 40, 1e-4
#: Least and largest share of their way that weights go in one pass.
_LEAST_WAY, _MOST_WAY = 0.2, 3.0
#: Distance from a bound at which an estimate counts as at it, in steps of finite differences.
_AT_BOUND = 10.0
#: Relative difference of sums of squares within which searches have ended at the same place.
_SAME = 1e-6


@dataclass(frozen=True)
class PersonFit:
    """What was found in one person.

    Attributes
    ----------
    at
        (p,) estimates on the scale of the search; NaN where the person could not be simulated.
    predicted, spread, leverage
        (n,) at the estimates: predictions, SD of the measurements (infinite where one does not count), and by how much each
        prediction follows its own measurement.
    information
        Standard errors, and what the data leave open.
    said
        (p,) information in the data times the estimate that they alone would give, for the group.
    arrived
        Whether the search came to rest; `message` says how else it ended.
    at_bounds
        Parameters that ended at a bound.
    same
        Of several searches, how many ended at the same place.
    """

    name: str
    at: Numbers
    predicted: Numbers
    spread: Numbers
    leverage: Numbers
    information: PersonInformation
    said: Numbers
    cost: float
    arrived: bool
    message: str
    at_bounds: tuple[str, ...]
    same: int

    @property
    def simulated(self) -> bool:
        """Whether there is an estimate at all."""
        return bool(np.all(np.isfinite(self.at)))


class GroupSearch:
    """Searches for all people of a problem, in parts whose visits are simulated together."""

    def __init__(self, problem: IndividualProblem, threads: int | None, progress: Progress) -> None:
        self.problem, self.progress = problem, progress
        parameters = problem.parameters
        order = sorted(range(len(problem.people)), key=lambda number: (float(problem.people[number].times[-1]), number))
        self.parts = [order[first : first + CHUNK] for first in range(0, len(order), CHUNK)]
        self.simulations = [
            PersonSimulations(
                problem.model, problem.observables, parameters, [problem.people[i] for i in part], threads
            )
            for part in self.parts
        ]
        self.start = np.array([float(parameter.searched(parameter.start)) for parameter in parameters])
        bounds = np.array([parameter.bounds for parameter in parameters])
        self.low, self.high = bounds[:, 0], bounds[:, 1]
        self.prior = np.array([parameter.prior for parameter in parameters])
        self.step = np.array([parameter.step for parameter in parameters])
        told = np.isfinite(self.prior[:, 1])
        self.prior_root = np.diag(1.0 / self.prior[:, 1])[told]

    # -- people ------------------------------------------------------------------------------------------------------

    def people(self) -> tuple[list[LeastSquaresFit], list[ErrorModel]]:
        """Return the fit of each person and the error models, when weights and estimates are at rest."""
        people, observed = self.problem.people, self._observed()
        errors = self.first_errors()
        spreads = [self.spread(person, errors, typical_sizes(person, observed)) for person in people]
        starts = self._starts()
        weighted = any(observable.error.form != "column" for observable in self.problem.observables)
        tolerance = ROUGH if weighted else FINE
        fits = self.searched(dict.fromkeys(range(len(people)), starts), spreads, tolerance)
        self.same = [sum(fit.cost <= best.cost * (1.0 + _SAME) + 1e-12 for fit in tried) for tried, best in fits]
        best = [chosen_fit for _, chosen_fit in fits]
        self.weights_at_rest = False
        ways = [_Way() for _ in people]
        for _ in range(PASSES):
            refined = self._refined(best, errors, spreads)
            new = [
                self.spread(person, refined, fit.predicted) if np.all(np.isfinite(fit.at)) else spread
                for person, fit, spread in zip(people, best, spreads, strict=True)
            ]
            change = max(error.moved(other) for error, other in zip(errors, refined, strict=True))
            change = max([change, *(change_of(a, b) for a, b in zip(spreads, new, strict=True))])
            if change < REST and tolerance == FINE:
                self.weights_at_rest = True
                break
            errors, spreads = refined, [way.on(a, b) for way, a, b in zip(ways, spreads, new, strict=True)]
            tolerance = FINE if change < 10.0 * REST else tolerance
            again = {n: fit.at[None, :] for n, fit in enumerate(best) if np.all(np.isfinite(fit.at))}
            for number, (_, fit) in zip(again, self.searched(again, spreads, tolerance), strict=True):
                best[number] = fit
        self.spreads = spreads
        return best, errors

    def _observed(self) -> list[Numbers]:
        """Return all measurements of each observable."""
        people = self.problem.people
        return [
            np.concatenate([person.values[person.observable == k] for person in people])
            for k in range(len(self.problem.observables))
        ]

    def first_errors(self) -> list[ErrorModel]:
        """Return the error models with first guesses of sizes that are to be estimated."""
        pairs = zip(self.problem.observables, self._observed(), strict=True)
        return [observable.error.guessed(values) for observable, values in pairs]

    def _starts(self) -> Numbers:
        """Return (starts, p) places where searches begin: the stated one, then quasi-random ones within prior or bounds."""
        from scipy import stats

        count = self.problem.starts
        if count == 1:
            return self.start[None, :]
        points = stats.qmc.Sobol(len(self.start), seed=self.problem.seed).random_base2((count - 1).bit_length())
        draws = points[: count - 1]
        z = stats.norm.ppf(np.clip(draws, 1e-3, 1.0 - 1e-3))
        centre, spread = self.prior[:, 0], np.where(np.isfinite(self.prior[:, 1]), self.prior[:, 1], 1.0)
        linear = np.array([parameter.transform == "linear" for parameter in self.problem.parameters])
        spread = np.where(linear & ~np.isfinite(self.prior[:, 1]), np.maximum(np.abs(self.start), self.step), spread)
        width = self.high - self.low
        within = np.isfinite(width) & ~np.isfinite(self.prior[:, 1])
        others = np.where(within, self.low + draws * np.where(within, width, 0.0), centre + spread * z)
        return np.concatenate([self.start[None, :], np.clip(others, self.low, self.high)])

    def spread(self, person: MeasuredPerson, errors: Sequence[ErrorModel], predicted: Numbers) -> Numbers:
        """Return the SD (n,) of the measurements; infinite where a proportional error of nearly nothing would be none."""
        spread = np.empty(len(person))
        for number, error in enumerate(errors):
            rows = person.observable == number
            spread[rows] = error.spread(predicted[rows], person.errors[rows])
            if error.form == "proportional":
                least = NOUGHT * float(np.max(np.abs(person.values[rows]), initial=0.0))
                spread[rows & (np.abs(predicted) <= least)] = np.inf
        return spread

    def searched(
        self,
        starts: Mapping[int, Numbers],
        spreads: Sequence[Numbers],
        tolerance: tuple[float, float],
        prior: tuple[Numbers, Numbers] | None = None,
    ) -> list[tuple[list[LeastSquaresFit], LeastSquaresFit]]:
        """Return of each person, from her starts (s, p): all fits, and the best.

        Parameters
        ----------
        prior
            Centre (p,) and root (r, p), instead of that of the problem.
        """
        results: dict[int, tuple[list[LeastSquaresFit], LeastSquaresFit]] = {}
        for part, simulations in zip(self.parts, self.simulations, strict=True):
            rows = [(position, number) for position, number in enumerate(part) if number in starts]
            tasks, owners = [], []
            for position, number in rows:
                person, spread = self.problem.people[number], spreads[number]
                tasks += [self.task(person, start, spread, tolerance, prior) for start in starts[number]]
                owners += [position] * len(starts[number])
            self.progress("fitting people", len(results), len(starts))
            fits = search_all(tasks, _Shared(simulations, owners))
            for position, number in rows:
                tried = [fit for fit, owner in zip(fits, owners, strict=True) if owner == position]
                results[number] = tried, min(tried, key=lambda fit: fit.cost)
        self.progress("fitting people", len(starts), len(starts))
        return [results[number] for number in starts]

    def task(
        self,
        person: MeasuredPerson,
        start: Numbers,
        spread: Numbers,
        tolerance: tuple[float, float] = FINE,
        prior: tuple[Numbers, Numbers] | None = None,
    ) -> LeastSquaresTask:
        centre, root = prior or (self.prior[:, 0], self.prior_root)
        scale = self.step / STEP
        return LeastSquaresTask(
            start, self.low, self.high, person.values, spread, centre, root, self.step, scale, tolerance
        )

    def _refined(
        self, fits: Sequence[LeastSquaresFit], errors: Sequence[ErrorModel], spreads: Sequence[Numbers]
    ) -> list[ErrorModel]:
        """Return the error models with sizes from the residuals of all people."""
        if not any(error.estimated for error in errors):
            return list(errors)
        residuals, predictions, leverage, kinds = [], [], [], []
        for person, fit, spread in zip(self.problem.people, fits, spreads, strict=True):
            if np.all(np.isfinite(fit.at)):
                counts = np.isfinite(spread)
                covariance = inform(fit.jacobian, spread, self.prior[:, 1]).covariance
                residuals.append((person.values - fit.predicted)[counts])
                predictions.append(fit.predicted[counts])
                leverage.append(leverages(fit.jacobian, spread, covariance)[counts])
                kinds.append(person.observable[counts])
        if not residuals:
            return list(errors)
        residual, predicted, lever = np.concatenate(residuals), np.concatenate(predictions), np.concatenate(leverage)
        kind = np.concatenate(kinds)
        return [
            error.refined(residual[kind == k], predicted[kind == k], lever[kind == k]) if np.any(kind == k) else error
            for k, error in enumerate(errors)
        ]

    def person(self, number: int, fit: LeastSquaresFit, errors: Sequence[ErrorModel]) -> PersonFit:
        """Return what was found in a person."""
        person, spread = self.problem.people[number], self.spreads[number]
        simulated = bool(np.all(np.isfinite(fit.at)))
        jacobian = fit.jacobian if simulated else np.zeros_like(fit.jacobian)
        information = inform(jacobian, spread, self.prior[:, 1])
        pull = jacobian.T @ (np.where(np.isfinite(spread), person.values - fit.predicted, 0.0) / spread**2)
        said = information.data @ np.where(np.isfinite(fit.at), fit.at, 0.0) + (pull if simulated else 0.0)
        distance = np.minimum(fit.at - self.low, self.high - fit.at)
        bounded = tuple(
            parameter.name
            for parameter, away, step in zip(self.problem.parameters, distance, self.step, strict=True)
            if away < _AT_BOUND * step
        )
        leverage = leverages(jacobian, spread, information.covariance)
        return PersonFit(
            person.name, fit.at, fit.predicted, spread, leverage, information, said, fit.cost, fit.arrived, fit.message,
            bounded, self.same[number],
        )  # fmt: skip


class _Shared:
    """Simulations of people for several searches each."""

    def __init__(self, simulations: PersonSimulations, owners: Sequence[int]) -> None:
        self.simulations, self.owners = simulations, owners

    def __call__(self, asked: Mapping[int, Numbers]) -> dict[int, Numbers]:
        merged: dict[int, list[Numbers]] = {}
        for number, points in asked.items():
            merged.setdefault(self.owners[number], []).append(points)
        values = self.simulations({owner: np.concatenate(points) for owner, points in merged.items()})
        answers, first = {}, dict.fromkeys(merged, 0)
        for number, points in asked.items():
            owner = self.owners[number]
            answers[number] = values[owner][first[owner] : first[owner] + len(points)]
            first[owner] += len(points)
        return answers


class _Way:
    """How far weights go towards where they would be next: less where they swing to and fro, more where they creep.

    The secant rule of Irons and Tuck (Aitken's for vectors), on logarithms.
    """

    def __init__(self) -> None:
        self.share = 1.0
        self.before: Numbers | None = None

    def on(self, spread: Numbers, goal: Numbers) -> Numbers:
        """Return the next SDs (n,) on the way from some to others; where one of the two does not count, the goal."""
        both = np.isfinite(spread) & np.isfinite(goal)
        step = np.where(both, np.log(np.where(both, goal, 1.0) / np.where(both, spread, 1.0)), 0.0)
        if self.before is not None:
            turn = step - self.before
            length = float(turn @ turn)
            if length > 0.0:
                self.share = float(np.clip(-self.share * float(self.before @ turn) / length, _LEAST_WAY, _MOST_WAY))
        self.before = step
        return np.where(both, np.where(both, spread, 1.0) * np.exp(self.share * step), goal)


def typical_sizes(person: MeasuredPerson, observed: Sequence[Numbers]) -> Numbers:
    """Return sizes (n,) by which a first error is guessed: the measurements, small ones no smaller than a twentieth of the usual."""
    usual = np.array([float(np.median(np.abs(values))) if len(values) else 1.0 for values in observed])
    return np.maximum(np.abs(person.values), np.maximum(0.05 * usual[person.observable], 1e-300))


def change_of(before: Numbers, after: Numbers) -> float:
    """Return the largest relative change of SDs; those that come to count or cease to, count as much."""
    both = np.isfinite(before) & np.isfinite(after)
    if np.any(np.isfinite(before) != np.isfinite(after)):
        return 1.0
    return float(np.max(np.abs(after[both] / before[both] - 1.0), initial=0.0))
