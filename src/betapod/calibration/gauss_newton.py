"""The most probable unknowns: robust Gauss-Newton with finite differences, damping and bounds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from .discrepancy import TAILS, comparable, estimate_discrepancy
from .fit_likelihood import Likelihood
from .fit_rows import FitRows
from .linear_fit import leverage_of, posterior_loss, solve_linear
from .objective_protocol import Evaluate, Objective, bounds_of

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: Step of finite differences, in SDs of the prior.
STEP = 0.25
#: How far one iteration may move an unknown, in SDs of the prior.
FARTHEST_STEP = 1.5
#: Change of unknowns over which slopes stay what they are, in SDs of the prior.
NEAR = 0.1
#: Gains of log posterior below which a fit has converged.
CLOSE = 0.05
#: Damping of the trial steps, times the damping of the iteration; all are tried at once.
LADDER = (0.01, 0.3, 3.0)
#: What follows for the damping of the next iteration when each of the ladder won.
_NEXT = (0.3, 1.0, 3.0)
#: How often damping is raised tenfold when no trial step is better.
_RETRIES = 3
#: How often the discrepancy is estimated anew on the linear model within an iteration.
_ROUNDS = 4


class LikelihoodMaker(Protocol):
    """What gives the likelihood at predictions, its discrepancy estimated there."""

    def __call__(self, predicted: Numbers, leverage: Numbers | None = None) -> Likelihood:
        """Return the likelihood for predictions (n,); `leverage` as in `estimate_discrepancy`."""


@dataclass(frozen=True)
class EstimatedDiscrepancy:
    """A `LikelihoodMaker`: the discrepancy of every class follows from the residuals.

    Attributes
    ----------
    rows, prior_scale, nu
        As in `estimate_discrepancy`.
    use
        (n,) rows that may speak; by default those that are fitted.
    """

    rows: FitRows
    prior_scale: dict[str, float] = field(default_factory=dict)
    nu: float = TAILS
    use: Flags | None = None

    def __call__(self, predicted: Numbers, leverage: Numbers | None = None) -> Likelihood:
        use = self.rows.fitted if self.use is None else self.use
        scales = estimate_discrepancy(self.rows, predicted, use, self.prior_scale, self.nu, leverage)
        return Likelihood(self.rows, scales, self.nu)


@dataclass(frozen=True)
class SameLikelihood:
    """A `LikelihoodMaker` that always gives one and the same."""

    likelihood: Likelihood

    def __call__(self, predicted: Numbers, leverage: Numbers | None = None) -> Likelihood:
        return self.likelihood


@dataclass(frozen=True)
class TraceStep:
    """One iteration.

    Attributes
    ----------
    loss_before, loss
        Minus log posterior where it began and at the best trial step, under the same likelihood.
    accepted
        Whether that step was taken.
    damping, step
        Of the best trial step; the largest change of an unknown, in SDs of the prior.
    left_out
        Fitted rows without a prediction somewhere in this iteration, or without a number and an error, which did not speak.
    evaluations, processor_seconds
        So far.
    """

    iteration: int
    loss_before: float
    loss: float
    accepted: bool
    damping: float
    step: float
    left_out: int
    evaluations: int
    processor_seconds: float


@dataclass(frozen=True)
class MapResult:
    """The most probable unknowns, and what was seen on the way.

    Attributes
    ----------
    u
        (d,) in SDs of the prior.
    predicted, predicted_start
        (n,) at `u` and where the fit began.
    jacobian
        (n, d) slopes at `u`; NaN for rows without a prediction somewhere.
    use
        (n,) rows that spoke.
    likelihood
        At the end, with its discrepancy.
    trace
        Of the iterations.
    converged, reason
        Whether nothing was left to gain; in words.
    visited, visited_predicted
        (E, d) and (E, n): all evaluations.
    bounds
        Lowest and highest place (d,) of each unknown.
    """

    u: Numbers
    predicted: Numbers
    predicted_start: Numbers
    jacobian: Numbers
    use: Flags
    likelihood: Likelihood
    trace: tuple[TraceStep, ...]
    converged: bool
    reason: str
    visited: Numbers
    visited_predicted: Numbers
    bounds: tuple[Numbers, Numbers]

    @property
    def evaluations(self) -> int:
        """Parameter sets evaluated."""
        return len(self.visited)

    @property
    def loss(self) -> float:
        """Minus log posterior at the end."""
        return float(posterior_loss(self.likelihood, self.predicted[None], self.u[None], self.use)[0])


@dataclass
class _Evaluations:
    """Evaluates, counts and keeps."""

    evaluate: Evaluate
    u: list[Numbers] = field(default_factory=list)
    predicted: list[Numbers] = field(default_factory=list)

    def __call__(self, u: Numbers) -> Numbers:
        predicted = np.asarray(self.evaluate(u), dtype=np.float64)
        self.u.extend(u)
        self.predicted.extend(predicted)
        return predicted


def fit_map(
    objective: Objective,
    likelihood: LikelihoodMaker,
    start: Numbers | None = None,
    steps: float | Sequence[float] = STEP,
    max_iterations: int = 10,
    ladder: Sequence[float] = LADDER,
    progress: Callable[[TraceStep], None] | None = None,
    evaluate: Evaluate | None = None,
    slopes: Numbers | None = None,
) -> MapResult:
    """Return the most probable unknowns.

    Each iteration takes slopes by finite differences (all columns in one call), solves the linear model within bounds by
    reweighting until nothing changes, estimating the discrepancy anew, and tries the steps of the damping ladder in one call.

    Parameters
    ----------
    start
        (d,) where it begins, in SDs of the prior; the prior's median by default.
    steps
        Of finite differences, in SDs of the prior: one, or one for each unknown.
    evaluate
        Takes the place of ``objective.predict``, such as one that keeps what it computed.
    slopes
        (n, d) at the start where they are known, such as those of the same rows in other people. The first iteration takes them; where
        they lead nowhere, finite differences are taken after all.

    Raises
    ------
    ConfigError
        If no fitted row has a prediction, or a start or step is no finite number.
    """
    evaluations = _Evaluations(evaluate or objective.predict)
    low, high = bounds_of(objective.unknowns)
    count = len(objective.unknowns)
    sizes = np.broadcast_to(np.asarray(steps, dtype=np.float64), (count,))
    begin = np.zeros(count) if start is None else np.asarray(start, dtype=np.float64)
    _check(begin, sizes, count)
    u = np.clip(begin, low, high)
    began = time.process_time()
    predicted = predicted_start = evaluations(u[None])[0]
    jacobian, use = np.zeros((len(objective.rows), 0)), objective.rows.fitted
    lent = slopes if slopes is not None and np.shape(slopes) == (len(objective.rows), count) else None
    law, damping, at_end = likelihood(predicted), 1.0, False
    trace: list[TraceStep] = []
    converged, reason = False, "the most iterations that were allowed"
    for iteration in range(1, max_iterations + 1):
        jacobian = slopes_at(evaluations, u, predicted, sizes, low, high) if lent is None else lent
        use = _speaking(objective.rows, predicted, jacobian)
        law = _settled(likelihood, law, u, predicted, jacobian, use, (low, high))
        move = _try_steps(evaluations, law, u, predicted, jacobian, use, (low, high), ladder, damping)
        gain = move.loss_before - move.loss
        accepted = gain > 0.0
        trace.append(
            TraceStep(
                iteration, move.loss_before, move.loss, accepted, move.damping, float(np.abs(move.u - u).max(initial=0.0)),
                int(np.sum(objective.rows.fitted & ~use)), len(evaluations.u), time.process_time() - began,
            )
        )  # fmt: skip
        if progress:
            progress(trace[-1])
        close = gain < CLOSE and (lent is None or move.expected < CLOSE)
        # Slopes still belong to `u` if no step was taken, or hardly one.
        at_end = lent is None and (not accepted or trace[-1].step < NEAR)
        lent = None
        if accepted:
            u, predicted, damping = move.u, move.predicted, move.next_damping
        if close:
            converged = accepted or move.expected < 10 * CLOSE
            reason = "no step gains more" if converged else "no step is better, although slopes promise one"
            break
    if not at_end:
        jacobian = slopes_at(evaluations, u, predicted, sizes, low, high)
        use = _speaking(objective.rows, predicted, jacobian)
        law = likelihood(predicted, leverage_of(law, predicted, jacobian, use))
    return MapResult(
        u, predicted, predicted_start, jacobian, use, law, tuple(trace), converged, reason,
        np.array(evaluations.u), np.array(evaluations.predicted), (low, high),
    )  # fmt: skip


def slopes_at(
    evaluate: Evaluate, u: Numbers, predicted: Numbers, sizes: Numbers, low: Numbers, high: Numbers
) -> Numbers:
    """Return slopes (n, d) of predictions at u (d,), by steps towards the prior's median that stay within bounds; one call."""
    signs = np.where(u > 0.0, -1.0, 1.0)
    ends = u + signs * sizes
    signs = np.where((ends < low) | (ends > high), -signs, signs)
    places = u + np.diag(signs * sizes)
    np.fill_diagonal(places, np.clip(np.diag(places), low, high))
    width = np.diag(places) - u
    return np.asarray(((evaluate(places) - predicted) / width[:, None]).T, dtype=np.float64)


@dataclass(frozen=True)
class _Move:
    """The best of the trial steps: where it leads, losses before and after, what the linear model promised."""

    u: Numbers
    predicted: Numbers
    loss_before: float
    loss: float
    expected: float
    damping: float
    next_damping: float


def _try_steps(
    evaluate: Evaluate, likelihood: Likelihood, u: Numbers, predicted: Numbers, jacobian: Numbers, use: Flags,
    bounds: tuple[Numbers, Numbers], ladder: Sequence[float], damping: float,
) -> _Move:  # fmt: skip
    """Evaluate the steps of the ladder, all at once; raise damping while none is better."""
    near = np.maximum(bounds[0], u - FARTHEST_STEP), np.minimum(bounds[1], u + FARTHEST_STEP)
    before = float(posterior_loss(likelihood, predicted[None], u[None], use)[0])
    slopes = np.where(use[:, None], jacobian, 0.0)
    best: _Move | None = None
    for _ in range(_RETRIES + 1):
        places = np.array(
            [solve_linear(likelihood, u, predicted, jacobian, use, near, damping * rung) for rung in ladder]
        )
        linear = np.where(use, predicted, np.nan) + (places - u) @ slopes.T
        expected = before - posterior_loss(likelihood, linear, places, use)
        reached = evaluate(places)
        losses = posterior_loss(likelihood, reached, places, use)
        k = int(np.argmin(losses))
        move = _Move(
            places[k], reached[k], before, float(losses[k]), float(expected.max()), damping * ladder[k],
            damping * _next(k, len(ladder)),
        )  # fmt: skip
        best = move if best is None or move.loss < best.loss else best
        if best.loss < before or expected.max() < CLOSE:
            break
        damping *= 10.0
    assert best is not None
    return best


def _next(rung: int, count: int) -> float:
    return _NEXT[0] if rung == 0 else _NEXT[2] if rung == count - 1 else _NEXT[1]


def _settled(
    maker: LikelihoodMaker, likelihood: Likelihood, u: Numbers, predicted: Numbers, jacobian: Numbers, use: Flags,
    bounds: tuple[Numbers, Numbers],
) -> Likelihood:  # fmt: skip
    """Return the likelihood whose discrepancy agrees with where its own linear model leads; costs no evaluation."""
    near = np.maximum(bounds[0], u - FARTHEST_STEP), np.minimum(bounds[1], u + FARTHEST_STEP)
    slopes = np.where(use[:, None], jacobian, 0.0)
    for _ in range(_ROUNDS):
        to = solve_linear(likelihood, u, predicted, jacobian, use, near)
        linear = np.where(use, predicted + slopes @ (to - u), np.nan)
        anew = maker(linear, leverage_of(likelihood, linear, jacobian, use))
        same = anew is likelihood or likelihood.discrepancy.close_to(anew.discrepancy)
        likelihood = anew
        if same:
            break
    return likelihood


def _speaking(rows: FitRows, predicted: Numbers, jacobian: Numbers) -> Flags:
    use = rows.fitted & comparable(rows) & np.isfinite(predicted) & np.isfinite(jacobian).all(axis=1)
    if not use.any():
        raise ConfigError(
            Problem(
                "nothing-to-fit",
                "no fitted row has a prediction",
                found=f"{len(rows)} rows, {int(rows.fitted.sum())} of them fitted, none with a finite prediction and slopes",
                expected="at least one",
                hint="choose other rows, or see what each refuses with `betapod confront`",
            )
        )
    return np.asarray(use, dtype=np.bool_)


def _check(start: Numbers, steps: Numbers, count: int) -> None:
    if start.shape != (count,) or not np.isfinite(start).all() or not (np.isfinite(steps) & (steps > 0.0)).all():
        raise ConfigError(
            Problem(
                "bad-start",
                "a start has a finite number for each unknown, and steps are above 0",
                found=f"start {start.tolist()}, steps {steps.tolist()}",
                expected=f"{count} numbers each, in SDs of the prior",
            )
        )
