"""Choose patients of a library such that together they look like a real cohort, and say how well that went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError, Problem
from .balance import Balance, balance
from .compare import Report, report_on
from .library import Library
from .population import Numbers
from .target import Target

#: Weight relative to an even one below which a patient is not counted as kept.
NEGLIGIBLE = 0.01
#: Candidates that one exchange looks at, and exchanges tried per chosen patient.
_CANDIDATES, _ROUNDS = 200, 1.5


@dataclass(frozen=True)
class Cohort:
    """Patients chosen from a library.

    Attributes
    ----------
    index
        (n,) rows of the library.
    weights
        (library,) balanced weights of all its patients, with sum 1; 0 for those not eligible.
    """

    index: NDArray[np.int64]
    weights: Numbers
    report: Report

    def patients(self, library: Library) -> Library:
        """Return the chosen patients as a library of their own."""
        return library.take(self.index)


def weigh(library: Library, target: Target, slack: float = 1.0) -> tuple[NDArray[np.bool_], Balance]:
    """Return who is eligible, and balanced weights of these.

    Raises
    ------
    ConfigError
        Nobody is eligible.
    """
    eligible = target.eligible(library.table)
    if not eligible.any():
        ranges = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in target.ranges.items())
        hint = "Grow a larger library, or widen the ranges."
        raise ConfigError(
            Problem("nobody-eligible", f"nobody in the library fits {target.name}", found=ranges, hint=hint)
        )
    columns, goal, tolerance = target.columns(library.table[eligible])
    return eligible, balance(columns, goal, tolerance, slack)


def select(library: Library, target: Target, n: int, seed: int = 1, slack: float = 1.0) -> Cohort:
    """Choose `n` patients who together look like the target.

    Weights are balanced, patients are drawn by systematic sampling with these as chances, and then exchanged one by one for
    others as long as that brings the moments nearer. Nobody is taken twice unless fewer than `n` are eligible.

    Parameters
    ----------
    slack
        How loosely moments are matched: the square of a factor on all tolerances.

    Raises
    ------
    ConfigError
        Nobody is eligible, or `n` is below 1.
    """
    if n < 1:
        raise ConfigError(Problem("bad-number", "a cohort needs at least one patient", found=str(n)))
    eligible, found = weigh(library, target, slack)
    rows = np.flatnonzero(eligible)
    columns, goal, tolerance = target.columns(library.table[eligible])
    generator = np.random.default_rng([seed, n])
    copies = _draw(found.weights, columns, n, generator)
    _exchange(copies, found.weights, columns, goal, tolerance, generator)
    index = np.repeat(rows, copies)
    weights = np.zeros(len(library))
    weights[eligible] = found.weights
    kept = int(np.sum(found.weights > NEGLIGIBLE / len(rows)))
    report = report_on(library, target, index, weights, found, kept, tolerance)
    return Cohort(generator.permutation(index), weights, report)


def _draw(weights: Numbers, columns: Numbers, n: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return how often everybody is drawn: systematic sampling along the first principal axis of the columns."""
    expected = weights * n
    most = max(1.0, float(np.ceil(n / len(weights))))
    # Chances above the most that one patient may be taken go to the others, in proportion.
    for _ in range(100):
        over = expected > most
        free = n - most * over.sum()
        rest = expected[~over].sum()
        if not over.any() or rest <= 0:
            break
        scaled = np.where(over, most, expected * free / rest)
        if np.allclose(scaled, expected):
            break
        expected = scaled
    expected = np.minimum(expected, most)
    spread = columns - weights @ columns
    spread = spread / np.maximum(spread.std(axis=0), 1e-9)
    axis = np.linalg.eigh((spread * weights[:, None]).T @ spread)[1][:, -1]
    order = np.argsort(spread @ axis, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(expected[order])])
    total *= n / total[-1]
    ticks = generator.uniform() + np.arange(n)
    counts = np.bincount(np.searchsorted(total[1:], ticks, side="right").clip(max=len(order) - 1), minlength=len(order))
    copies = np.zeros(len(weights), dtype=np.int64)
    copies[order] = counts
    return copies


def _exchange(
    copies: NDArray[np.int64],
    weights: Numbers,
    columns: Numbers,
    goal: Numbers,
    tolerance: Numbers,
    generator: np.random.Generator,
) -> None:
    """Exchange chosen patients for others, in place, as long as the misses over tolerance fall."""
    n = int(copies.sum())
    most = max(1, int(np.ceil(n / len(copies))))
    scaled = columns / (tolerance * n)
    miss = copies @ scaled - goal / tolerance
    chance = np.sqrt(weights) + 1e-12
    cumulative = np.cumsum(chance) / chance.sum()
    for _ in range(int(_ROUNDS * n)):
        taken = np.flatnonzero(copies)
        out = taken[generator.integers(len(taken), size=8)]
        candidates = np.searchsorted(cumulative, generator.uniform(size=_CANDIDATES)).clip(max=len(copies) - 1)
        candidates = candidates[copies[candidates] < most]
        if not candidates.size:
            return
        # Of the few who might leave, the one whose leaving helps most; then the best to replace them.
        leaving = out[np.argmin(np.sum((miss - scaled[out]) ** 2, axis=1))]
        left = miss - scaled[leaving]
        cost = np.sum((left + scaled[candidates]) ** 2, axis=1)
        best = int(np.argmin(cost))
        if cost[best] < float(miss @ miss):
            copies[leaving] -= 1
            copies[candidates[best]] += 1
            miss = left + scaled[candidates[best]]
