"""Fit the estimated parameters of a problem of PEtab: searches from several places, with exact slopes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, Location, Problem, SolverError
from .petab_objective import PetabEvaluation, PetabObjective
from .petab_problem import PetabParameter, PetabProblem

Numbers = NDArray[np.float64]
#: What stands for a place that cannot be simulated: far above any that can.
_IMPOSSIBLE = 1e15
#: How far from the nominal value searches begin where a parameter has no bounds, on its scale.
_WIDE = 2.0
#: Steps of a search, and the change of the objective, relative to it, that ends one.
_STEPS, _CHANGE = 500, 1e-12
#: Distance to a bound, as a share of the range, within which an estimate counts as at it.
_AT_BOUND = 1e-6


@dataclass(frozen=True)
class PetabSearch:
    """One search.

    Attributes
    ----------
    objective
        Logarithms of likelihood and prior together, at the end; minus infinity where nothing could be simulated.
    evaluations
        Of the objective with its gradient.
    """

    start: dict[str, float]
    end: dict[str, float]
    objective: float
    evaluations: int
    message: str


@dataclass(frozen=True)
class PetabFit:
    """What a fit found.

    Attributes
    ----------
    best
        The problem at the best place that any search found, with its gradient.
    searches
        All of them, the best first.
    at_bounds
        Parameters that ended at a bound.
    """

    best: PetabEvaluation
    searches: tuple[PetabSearch, ...]
    at_bounds: tuple[str, ...]

    @property
    def agreeing(self) -> int:
        """How many searches came as high as the best, within 0.01."""
        return sum(search.objective > self.searches[0].objective - 0.01 for search in self.searches)


def fit_petab(
    problem: PetabProblem,
    starts: int = 1,
    seed: int = 1,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> PetabFit:
    """Find the values at which the measurements, and the prior where there is one, are most likely.

    Parameters
    ----------
    problem
        Of `read_petab`.
    starts
        Searches; the first begins at the nominal values, the others anywhere within the bounds.
    seed
        Of the places where searches begin.
    threads
        Cores; all by default.
    progress
        Called with what is done, how much of it, and how much there is.

    Returns
    -------
    PetabFit
        The best place, and every search.

    Raises
    ------
    ConfigError
        Nothing is to be estimated, or the model has events, at which derivatives jump.
    SolverError
        No search found a place that can be simulated.

    Examples
    --------
    >>> import betapod, tempfile
    >>> from betapod.exchange.petab.petab_example import write_petab_example
    >>> problem = betapod.read_petab(write_petab_example(tempfile.mkdtemp()))
    >>> found = betapod.fit_petab(problem, starts=3)
    >>> round(found.best.values["k"], 3), len(found.searches)
    (0.505, 3)
    """
    from scipy.optimize import minimize

    names = problem.estimated
    if not names:
        raise ConfigError(Problem("nothing-to-fit", "no parameter is to be estimated", Location(problem.file)))
    rows = [problem.parameters[name] for name in names]
    objective = PetabObjective(problem, threads)
    searches = []
    for number, start in enumerate(_starts(rows, starts, seed)):
        if progress is not None:
            progress("searches", number, starts)
        cost = _Cost(objective, rows)
        optimum = minimize(
            cost, start, jac=True, method="L-BFGS-B", bounds=[_bounds(row) for row in rows],
            options={"maxiter": _STEPS, "ftol": _CHANGE, "gtol": 1e-8},
        )  # fmt: skip
        begin, last = (_natural(rows, point) for point in (start, optimum.x))
        end = -float(optimum.fun) if optimum.fun < _IMPOSSIBLE else -math.inf
        searches.append(PetabSearch(begin, last, end, cost.count, str(optimum.message)))
    searches.sort(key=lambda search: -search.objective)
    if not math.isfinite(searches[0].objective):
        message = "no search began at a place that can be simulated"
        raise SolverError(Problem("not-simulated", message, Location(problem.file)))
    best = objective(searches[0].end, slopes=True)
    at_bounds = [row.name for row in rows if _is_at_bound(row, best.values[row.name])]
    return PetabFit(best, tuple(searches), tuple(at_bounds))


class _Cost:
    """Minus the objective, with its gradient, on the scale of the search."""

    def __init__(self, objective: PetabObjective, rows: list[PetabParameter]) -> None:
        self.objective, self.rows, self.count = objective, rows, 0

    def __call__(self, point: Numbers) -> tuple[float, Numbers]:
        self.count += 1
        nowhere = (_IMPOSSIBLE, np.zeros(len(self.rows)))
        try:
            at = self.objective(_natural(self.rows, point), slopes=True)
        except SolverError:
            return nowhere
        assert at.gradient is not None and at.prior_gradient is not None
        slopes = np.array([at.gradient[row.name] + at.prior_gradient[row.name] for row in self.rows])
        total = at.llh + at.log_prior
        return (-total, -slopes) if math.isfinite(total) and np.all(np.isfinite(slopes)) else nowhere


def _natural(rows: list[PetabParameter], point: Any) -> dict[str, float]:
    return {row.name: row.natural(float(x)) for row, x in zip(rows, point, strict=True)}


def _bounds(row: PetabParameter) -> tuple[float | None, float | None]:
    low, high = (
        row.scaled(end) if math.isfinite(end) and (row.scale == "lin" or end > 0.0) else end
        for end in (row.low, row.high)
    )
    if row.scale != "lin" and row.low <= 0.0:
        low = -math.inf
    return (low if math.isfinite(low) else None), (high if math.isfinite(high) else None)


def _starts(rows: list[PetabParameter], count: int, seed: int) -> list[Numbers]:
    """Return where searches begin, on the scale of the search."""
    random = np.random.default_rng(seed)
    nominal = np.array([row.scaled(row.nominal) for row in rows])
    ends = [_bounds(row) for row in rows]
    low = np.array([at - _WIDE if end[0] is None else end[0] for at, end in zip(nominal, ends, strict=True)])
    high = np.array([at + _WIDE if end[1] is None else end[1] for at, end in zip(nominal, ends, strict=True)])
    others = [low + (high - low) * random.random(len(rows)) for _ in range(count - 1)]
    return [np.clip(nominal, low, high), *others]


def _is_at_bound(row: PetabParameter, value: float) -> bool:
    at = row.scaled(value)
    low, high = _bounds(row)
    width = (high - low) if low is not None and high is not None else max(abs(at), 1.0)
    return any(end is not None and abs(at - end) <= _AT_BOUND * width for end in (low, high))
