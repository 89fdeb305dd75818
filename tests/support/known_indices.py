"""Functions whose indices have closed forms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

#: Ishigami with a = 7, b = 0.1: first-order, total, Shapley, by the formulas of Ishigami and Homma (1990).
ISHIGAMI_FIRST = (0.3139051911, 0.4424111448, 0.0)
ISHIGAMI_TOTAL = (0.5575888552, 0.4424111448, 0.2436836641)
ISHIGAMI_SHAPLEY = (0.4357470232, 0.4424111448, 0.1218418320)
#: Numbers of Sobol's g function.
G_NUMBERS = (0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0)


def ishigami(u: Numbers) -> Numbers:
    """Return the function of Ishigami at places of the unit cube."""
    x = np.pi * (2.0 * u - 1.0)
    return (np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))[:, None]


def sobol_g(u: Numbers) -> Numbers:
    """Return the g function of Sobol'."""
    a = np.array(G_NUMBERS)
    return np.prod((np.abs(4.0 * u - 2.0) + a) / (1.0 + a), axis=1)[:, None]


def sobol_g_indices() -> tuple[Numbers, Numbers]:
    """Return first-order and total indices of the g function: products of the variances of its factors."""
    variances = (1.0 / 3.0) / (1.0 + np.array(G_NUMBERS)) ** 2
    everything = np.prod(1.0 + variances) - 1.0
    others = np.prod(1.0 + variances) / (1.0 + variances)
    return variances / everything, variances * others / everything


def linear(u: Numbers, weights: Numbers) -> Numbers:
    """Return a weighted sum of normal scores."""
    from scipy.special import ndtri

    return (ndtri(u) @ weights)[:, None]


def linear_shapley(weights: Numbers, correlation: Numbers) -> Numbers:
    """Return the Shapley effects of a weighted sum of correlated normal numbers, by counting every set (Owen and Prieur 2017)."""
    from itertools import combinations
    from math import comb

    d = len(weights)

    def explained(members: tuple[int, ...]) -> float:
        if not members:
            return 0.0
        inside = list(members)
        through = correlation[inside] @ weights
        return float(through @ np.linalg.solve(correlation[np.ix_(inside, inside)], through))

    effects = np.zeros(d)
    for j in range(d):
        others = [k for k in range(d) if k != j]
        for size in range(d):
            for members in combinations(others, size):
                gain = explained((*members, j)) - explained(members)
                effects[j] += gain / (d * comb(d - 1, size))
    return effects / effects.sum()
