"""A measure of sensitivity with its interval, from repetitions of the same random design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
#: Content of every interval of this room.
CONTENT = 0.95


@dataclass(frozen=True)
class IndexTable:
    """One measure of every player for every output.

    Attributes
    ----------
    name
        Of the measure, such as ``total``.
    values
        (players, outputs).
    half
        (players, outputs) half the width of the 95 % interval; NaN where there is none.
    """

    name: str
    values: Numbers
    half: Numbers


def jackknifed(name: str, statistic: Callable[[Numbers], Numbers], repetitions: int) -> IndexTable:
    """Return a statistic with its interval by leaving out one repetition after the other.

    Parameters
    ----------
    statistic
        Of weights (repetitions,), 1 for those that count and 0 for the one that does not: (players, outputs).
    repetitions
        How many there are, two at least.
    """
    from scipy.stats import t

    values = statistic(np.ones(repetitions))
    without = np.array([statistic(1.0 - np.eye(repetitions)[number]) for number in range(repetitions)])
    spread = np.sqrt((repetitions - 1) / repetitions * np.sum((without - without.mean(axis=0)) ** 2, axis=0))
    return IndexTable(name, values, float(t.ppf(0.5 + CONTENT / 2, repetitions - 1)) * spread)


def ratio(above: Numbers, below: Numbers) -> Numbers:
    """Return a quotient; 0 where nothing varies, so that no number has a share of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(below > np.finfo(float).tiny, above / below, 0.0), dtype=np.float64)


def sums_of_numbers(values: Numbers, axis: int | tuple[int, ...]) -> tuple[Numbers, Numbers]:
    """Return sums over an axis without what is no number, and how many numbers there are."""
    finite = np.isfinite(values)
    return np.where(finite, values, 0.0).sum(axis=axis), finite.sum(axis=axis).astype(np.float64)
