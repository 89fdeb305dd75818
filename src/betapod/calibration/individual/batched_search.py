"""Least squares for many people at once: SciPy's own search for each, and one simulation for all of them in every round.

Each search runs in a thread of its own and waits there for its numbers. When all that still go on have said what they need, the caller
computes everything in one call. Which searches share a round follows from the searches alone, so results do not depend on timing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Computes predictions (points, n) of searches at points (points, p) on the scale of the search.
Evaluate = Callable[[Mapping[int, Numbers]], Mapping[int, Numbers]]
#: Relative changes of place and of the sum of squares at which a search has arrived: to the end, and while weights still change.
FINE, ROUGH = (1e-9, 1e-11), (1e-5, 1e-7)
#: Rounds after which a search is given up.
MOST_ROUNDS = 200


@dataclass(frozen=True)
class LeastSquaresTask:
    """One search.

    Attributes
    ----------
    start, low, high
        (p,) on the scale of the search.
    observed, spread
        (n,) measurements and their SD.
    centre, prior_root
        (p,) of the prior, and (r, p) rows that make its residuals: the inverse of its SDs, or of a root of its covariance.
    step
        (p,) half the distance of the two points from which a slope is taken.
    unit
        (p,) by which parameters are measured in the search, whose first stride is no longer than 1 of them.
    tolerance
        Relative changes of place and of the sum of squares at which it has arrived.
    """

    start: Numbers
    low: Numbers
    high: Numbers
    observed: Numbers
    spread: Numbers
    centre: Numbers
    prior_root: Numbers
    step: Numbers
    unit: Numbers
    tolerance: tuple[float, float] = FINE


@dataclass(frozen=True)
class LeastSquaresFit:
    """Where a search ended.

    Attributes
    ----------
    at
        (p,) on the scale of the search; NaN where it could not begin.
    predicted
        (n,) at that place.
    jacobian
        (n, p) of the predictions there, per unit of the scale of the search.
    cost
        Half the sum of squares, the prior's among them.
    evaluations
        Places at which the person was simulated for the search.
    arrived
        Whether the search came to rest; `message` says how it ended.
    """

    at: Numbers
    predicted: Numbers
    jacobian: Numbers
    cost: float
    evaluations: int
    arrived: bool
    message: str


class _StoppedError(Exception):
    """The other searches have been given up."""


class _Rounds:
    """Where searches wait until all have said what they need."""

    def __init__(self, count: int) -> None:
        self.changed = threading.Condition()
        self.active = count
        self.asked: dict[int, Numbers] = {}
        self.answers: dict[int, Numbers] = {}
        self.stopped = False

    def ask(self, number: int, points: Numbers) -> Numbers:
        with self.changed:
            self.asked[number] = points
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.stopped or number in self.answers)
            if self.stopped:
                raise _StoppedError
            return self.answers.pop(number)

    def leave(self) -> None:
        with self.changed:
            self.active -= 1
            self.changed.notify_all()

    def serve(self, evaluate: Evaluate) -> None:
        """Answer rounds until every search has ended."""
        try:
            while True:
                with self.changed:
                    self.changed.wait_for(lambda: len(self.asked) == self.active and not self.answers)
                    if not self.active:
                        return
                    asked = {number: self.asked[number] for number in sorted(self.asked)}
                    self.asked = {}
                answers = evaluate(asked)
                with self.changed:
                    self.answers = dict(answers)
                    self.changed.notify_all()
        finally:
            with self.changed:
                self.stopped = True
                self.changed.notify_all()


def search_all(tasks: Sequence[LeastSquaresTask], evaluate: Evaluate) -> list[LeastSquaresFit]:
    """Return where each search ends.

    Parameters
    ----------
    evaluate
        Predictions of several searches at several points each; NaN where they cannot be simulated.

    Returns
    -------
    list of LeastSquaresFit
        In the order of the tasks.
    """
    fits: list[LeastSquaresFit | None] = [None] * len(tasks)
    failures: list[BaseException] = []
    rounds = _Rounds(len(tasks))

    def work(number: int) -> None:
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                fits[number] = _search(tasks[number], lambda points: rounds.ask(number, points))
        except _StoppedError:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            rounds.leave()

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    try:
        rounds.serve(evaluate)
    finally:
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
    return [fit for fit in fits if fit is not None]


def _search(task: LeastSquaresTask, ask: Callable[[Numbers], Numbers]) -> LeastSquaresFit:
    from scipy.optimize import least_squares

    count = len(task.start)
    predictions: dict[bytes, Numbers] = {}
    slopes: dict[bytes, Numbers] = {}
    evaluations = 0

    def predicted(at: Numbers) -> Numbers:
        nonlocal evaluations
        if at.tobytes() not in predictions:
            predictions[at.tobytes()] = ask(at[None, :])[0]
            evaluations += 1
        return predictions[at.tobytes()]

    def slope(at: Numbers) -> Numbers:
        nonlocal evaluations
        if at.tobytes() not in slopes:
            up, down = np.minimum(at + task.step, task.high), np.maximum(at - task.step, task.low)
            points = np.concatenate([np.where(np.eye(count, dtype=bool), end, at) for end in (up, down)])
            ends = ask(points)
            evaluations += len(points)
            slopes[at.tobytes()] = ((ends[:count] - ends[count:]) / (up - down)[:, None]).T
        return slopes[at.tobytes()]

    start = np.clip(task.start, task.low, task.high)

    def residual(strides: Numbers) -> Numbers:
        at = start + strides * task.unit
        return np.concatenate([(predicted(at) - task.observed) / task.spread, task.prior_root @ (at - task.centre)])

    def jacobian(strides: Numbers) -> Numbers:
        at = start + strides * task.unit
        return np.concatenate([slope(at) / task.spread[:, None], task.prior_root]) * task.unit

    if not np.all(np.isfinite(predicted(start))) or not np.all(np.isfinite(slope(start))):
        return _nowhere(task, evaluations, "the model cannot be simulated where the search begins")
    # Strides from the start, so that the first trust region has the size of 1 whatever the units.
    bounds = ((task.low - start) / task.unit, (task.high - start) / task.unit)
    xtol, ftol = task.tolerance
    try:
        end = least_squares(
            residual, np.zeros(count), jacobian, bounds, "trf", ftol, xtol, ftol, 1.0, max_nfev=MOST_ROUNDS
        )
    except ValueError as error:
        return _nowhere(task, evaluations, str(error))
    at = start + np.asarray(end.x, dtype=np.float64) * task.unit
    message = "" if end.status > 0 else f"no rest after {MOST_ROUNDS} rounds"
    return LeastSquaresFit(at, predicted(at), slope(at), float(end.cost), evaluations, end.status > 0, message)


def _nowhere(task: LeastSquaresTask, evaluations: int, message: str) -> LeastSquaresFit:
    """Return the fit of a search that found nothing."""
    nothing = np.full((len(task.observed), len(task.start)), np.nan)
    nowhere = np.full(len(task.start), np.nan)
    return LeastSquaresFit(
        nowhere, np.full(len(task.observed), np.nan), nothing, float("inf"), evaluations, False, message
    )
