"""What a course of cells may cost: the price at which it is worth its money, and what it does to a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem

Numbers = NDArray[np.float64]


def threshold_price(qalys: ArrayLike, costs: ArrayLike, courses: float, willingness: float) -> Numbers:
    """Return the price of one course at which the net monetary benefit is 0.

    Parameters
    ----------
    qalys, costs
        Differences from the comparator, costs without the price of the course; of one shape.
    courses
        Discounted courses that a person is given.
    willingness
        Money for a QALY.

    Returns
    -------
    ndarray
        Of that shape. Below 0 where it is not worth its money even for nothing.

    Raises
    ------
    ValueError
        No course is given.

    Examples
    --------
    >>> from betapod.value.economics.pricing import threshold_price
    >>> float(threshold_price(0.1, -500.0, 1.0, 20_000))
    2500.0
    """
    if not courses > 0:
        raise ValueError("no course is given, so that it has no price")
    gain = np.asarray(qalys, dtype=np.float64) * willingness
    return np.asarray((gain - np.asarray(costs, dtype=np.float64)) / courses)


def budget_impact(more: Sequence[float] | Numbers, eligible: float, uptake: Sequence[float]) -> Numbers:
    """Return (years,) what a strategy adds to the spending of each calendar year.

    Those who begin in a year go through the costs of their first, second ... year from then on. Nothing is discounted: a budget is paid
    when it is due.

    Parameters
    ----------
    more
        (years at least,) by how much one person costs more than with the comparator in the first, second ... year after the start.
    eligible
        People in the first year; nobody joins or leaves them but by death, which is in `more`.
    uptake
        Share of them who have begun by the end of each year; it does not fall.

    Raises
    ------
    ConfigError
        Uptake falls or leaves 0 to 1, or there are fewer years of costs than of uptake.

    Examples
    --------
    >>> from betapod.value.economics.pricing import budget_impact
    >>> budget_impact([100.0, -10.0], 1000, [0.1, 0.3]).tolist()
    [10000.0, 19000.0]
    """
    per_person, shares = np.asarray(more, dtype=np.float64), np.asarray(uptake, dtype=np.float64)
    begun = np.diff(shares, prepend=0.0)
    if (begun < 0).any() or (shares > 1).any():
        message = "uptake does not fall and stays between 0 and 1"
        raise ConfigError(Problem("bad-uptake", message, found=", ".join(f"{share:g}" for share in shares)))
    if per_person.size < shares.size:
        message = "there are fewer years of costs than of uptake"
        counts = (f"{per_person.size} years", f"{shares.size} years")
        raise ConfigError(Problem("short-horizon", message, found=counts[0], expected=counts[1]))
    return np.asarray(eligible * np.convolve(begun, per_person)[: shares.size])
