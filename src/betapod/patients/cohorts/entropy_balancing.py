"""Entropy balancing: weights closest to uniform whose weighted means meet the target.

Hainmueller, Political Analysis 2012;20:25 (doi:10.1093/pan/mpr025). Each moment has a tolerance, which enters as a quadratic
penalty: the dual gets a ridge, always has a solution, and what cannot be matched shows as a residual instead of a failure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..population import Numbers


@dataclass(frozen=True)
class Balance:
    """Weights and how well they do.

    Attributes
    ----------
    weights
        (n,) with sum 1.
    means
        (moments,) under the weights.
    effective
        Kish's effective sample size, 1/sum(weights^2).
    converged
        Whether the dual's gradient vanished.
    """

    weights: Numbers
    means: Numbers
    effective: float
    converged: bool
    iterations: int


def balance(
    columns: Numbers, goal: Numbers, tolerance: Numbers, slack: float = 1.0, base: Numbers | None = None
) -> Balance:
    """Return the weights nearest to `base` (even by default) in relative entropy.

    Parameters
    ----------
    columns
        (n, moments).
    goal, tolerance
        (moments,) wanted means, and the miss of each that costs as much as half a nat of entropy at `slack` 1.
    """
    n = len(columns)
    prior = np.full(n, 1.0 / n) if base is None else base / base.sum()
    scale = columns.std(axis=0)
    # A column without variation cannot be moved; it shows as a residual.
    free = scale > 1e-12
    moved, wanted, units = columns[:, free], goal[free], scale[free]
    x = (moved - wanted) / units
    ridge = slack * (tolerance[free] / units) ** 2
    multipliers = np.zeros(x.shape[1])
    log_prior = np.log(np.maximum(prior, 1e-300))

    def dual(at: Numbers) -> tuple[float, Numbers]:
        exponent = log_prior + x @ at
        top = float(exponent.max())
        weights = np.exp(exponent - top)
        total = float(weights.sum())
        return top + np.log(total) + 0.5 * float(ridge @ at**2), weights / total

    value, weights = dual(multipliers)
    done, iterations = False, 0
    for iterations in range(1, 201):  # noqa: B007
        mean = weights @ x
        gradient = mean + ridge * multipliers
        if float(np.abs(gradient).max(initial=0.0)) < 1e-9:
            done = True
            break
        hessian = (x * weights[:, None]).T @ x - np.outer(mean, mean) + np.diag(ridge + 1e-10)
        step = -np.linalg.solve(hessian, gradient)
        slope = float(gradient @ step)
        if -slope < 1e-15 * max(abs(value), 1.0):
            # The dual cannot fall by more than its own rounding: it is at its lowest.
            done = True
            break
        length = 1.0
        while True:
            new, new_weights = dual(multipliers + length * step)
            if new <= value + 1e-4 * length * slope or length < 1e-10:
                break
            length *= 0.5
        if length < 1e-10:
            break
        multipliers, value, weights = multipliers + length * step, new, new_weights
    effective = 1.0 / float(np.sum(weights**2))
    return Balance(weights, weights @ columns, effective, done, iterations)
