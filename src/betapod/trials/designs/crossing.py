"""Chances that a sequence of normal statistics crosses its boundaries, by integration from look to look.

The statistic of look k is Z_k with mean drift * sqrt(t_k), variance 1, and covariance sqrt(t_j / t_k) with an earlier one; t_k is the
information. The density of those who go on is carried from look to look (Armitage, McPherson and Rowe 1969; Jennison and Turnbull 1999,
chapter 19), here on Gauss-Legendre nodes, so that 24 nodes for six widths of the kernel are exact to about 1e-13. Under another drift the density of
(path, Z_k) is the one at hand times exp(d Z_k sqrt(t_k) - ...): one pass serves every drift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem

Array = NDArray[np.float64]

#: Standard deviations beyond which nobody is.
_SPAN = 9.0
#: Nodes of one panel, and its width in widths of the kernel.
_NODES, _WIDTHS = 24, 6.0


@cache
def _legendre() -> tuple[Array, Array]:
    return np.polynomial.legendre.leggauss(_NODES)


def _panels(low: float, high: float, width: float) -> tuple[Array, Array]:
    """Return nodes and weights on an interval, panels no wider than `_WIDTHS` widths."""
    if not high > low:
        return np.empty(0), np.empty(0)
    count = max(1, int(np.ceil((high - low) / (_WIDTHS * width))))
    x, w = _legendre()
    half = (high - low) / count / 2
    centres = low + half * (2 * np.arange(count) + 1)
    return (centres[:, None] + half * x).ravel(), np.tile(half * w, count)


@dataclass(frozen=True)
class LookDensity:
    """Those who go on after a look: where they are, and how many.

    Attributes
    ----------
    information
        Of this look.
    nodes
        Values of Z, shape (nodes,).
    mass
        Density at the nodes under `reference`, times the weights, shape (nodes,).
    reference
        The drift under which the density was carried on.
    """

    information: float
    nodes: Array
    mass: Array
    reference: float

    def under(self, drift: Array) -> Array:
        """Return the mass at the nodes under other drifts, shape (drifts, nodes)."""
        root = np.sqrt(self.information)
        change = (drift - self.reference)[:, None]
        with np.errstate(divide="ignore"):
            logs = np.log(self.mass)
        tilt = change * (self.nodes * root) - change * (drift[:, None] + self.reference) * self.information / 2
        return np.asarray(np.exp(logs + tilt))


def beyond(before: LookDensity | None, information: float, z: ArrayLike, drift: ArrayLike, side: int = 1) -> Array:
    """Return the chance to go on until a look and be beyond z there.

    Parameters
    ----------
    before
        Those who go on after the look before; None at the first.
    information
        Of this look.
    z, drift
        Numbers or arrays of one length; infinite z is beyond everything.
    side
        1: at z or above; -1: at z or below.

    Returns
    -------
    numpy.ndarray
        Shape (drifts,).
    """
    from scipy.special import ndtr

    bound, shift = np.broadcast_arrays(
        np.atleast_1d(np.asarray(z, dtype=float)), np.atleast_1d(np.asarray(drift, dtype=float))
    )
    if before is None:
        return np.asarray(ndtr(side * (shift * np.sqrt(information) - bound)))
    step = information - before.information
    start = before.nodes * np.sqrt(before.information)
    distance = (shift * step - bound * np.sqrt(information))[:, None] + start
    return np.asarray((before.under(shift) * ndtr(side * distance / np.sqrt(step))).sum(-1))


def look_nodes(
    before: float, information: float, following: float, low: float, high: float, reference: float, reach: float
) -> tuple[Array, Array]:
    """Return nodes and weights for Z at a look, fine enough for the steps of information before and after it.

    Parameters
    ----------
    before, information, following
        Of the look before (0 at the first), of this one, of the next.
    low, high, reference, reach
        As of `carried`.
    """
    root = np.sqrt(information)
    span = _SPAN + reach * root
    width = min(1.0, float(np.sqrt(information - before) / root), float(np.sqrt(following - information) / root))
    return _panels(max(low, reference * root - span), min(high, reference * root + span), width)


def carried(
    before: LookDensity | None,
    information: float,
    low: float,
    high: float,
    following: float,
    reference: float = 0.0,
    reach: float = 0.0,
) -> LookDensity:
    """Return those who go on after a look, which is between `low` and `high`.

    Parameters
    ----------
    before
        Those who went on after the look before; None at the first.
    information, following
        Of this look, and of the next one.
    low, high
        Boundaries; infinite where there is none.
    reference, reach
        The drift to carry the density under, and how far drifts that are asked later may be from it.
    """
    root = np.sqrt(information)
    step = information if before is None else information - before.information
    nodes, weights = look_nodes(information - step, information, following, low, high, reference, reach)
    if before is None:
        density = np.exp(-0.5 * (nodes - reference * root) ** 2) / np.sqrt(2 * np.pi)
    else:
        distance = nodes[:, None] * root - before.nodes * np.sqrt(before.information) - reference * step
        kernel = np.exp(-0.5 * distance**2 / step) * (root / np.sqrt(2 * np.pi * step))
        density = kernel @ before.mass
    return LookDensity(information, nodes, weights * density, reference)


@dataclass(frozen=True)
class CrossingChances:
    """Boundaries at known information, with the densities between them.

    Attributes
    ----------
    information
        Of the looks, rising.
    lower, upper
        Boundaries on the scale of Z, one per look; infinite where there is none.
    densities
        Those who go on after each look but the last.
    """

    information: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    densities: tuple[LookDensity, ...]

    @classmethod
    def of(
        cls,
        information: Sequence[float],
        lower: Sequence[float],
        upper: Sequence[float],
        reference: float = 0.0,
        reach: float = 0.0,
    ) -> CrossingChances:
        """Return the chances for boundaries; drifts may be asked that are up to `reach` from `reference`."""
        t = [float(x) for x in information]
        densities: list[LookDensity] = []
        before = None
        for k in range(len(t) - 1):
            before = carried(before, t[k], float(lower[k]), float(upper[k]), t[k + 1], reference, reach)
            densities.append(before)
        return cls(tuple(t), tuple(map(float, lower)), tuple(map(float, upper)), tuple(densities))

    def before(self, look: int) -> LookDensity | None:
        """Return those who go on until a look, counted from 0."""
        return self.densities[look - 1] if look else None

    def crossed(self, drift: ArrayLike) -> tuple[Array, Array]:
        """Return the chances to stop at each look above the upper and below the lower boundary, each (drifts, looks)."""
        shift = np.atleast_1d(np.asarray(drift, dtype=float))
        looks = range(len(self.information))
        above, below = (
            np.stack([beyond(self.before(k), self.information[k], bounds[k], shift, side) for k in looks], -1)
            for bounds, side in ((self.upper, 1), (self.lower, -1))
        )
        return above, below


def crossing_chances(
    information: Sequence[float], lower: Sequence[float], upper: Sequence[float], drift: ArrayLike = 0.0
) -> tuple[Array, Array]:
    """Return the chances to stop at each look, above the upper or below the lower boundary.

    Parameters
    ----------
    information
        Of the looks, rising; in the unit of 1 / drift squared.
    lower, upper
        Boundaries on the scale of Z, one per look; -inf and inf where there is none.
    drift
        Mean of Z per square root of information; a number or an array.

    Returns
    -------
    above, below : numpy.ndarray
        Shape (drifts, looks).

    Raises
    ------
    ConfigError
        Information does not rise, or there is not one boundary per look.

    Notes
    -----
    Armitage, McPherson and Rowe, J R Stat Soc A 1969; Jennison and Turnbull, Group Sequential Methods, 1999, chapter 19.

    Examples
    --------
    >>> from betapod import designs
    >>> above, below = designs.crossing_chances([0.5, 1.0], [-9, -9], [2.178272, 2.178272])
    >>> round(float(above.sum()), 6)
    0.025
    """
    shift = np.atleast_1d(np.asarray(drift, dtype=float))
    t = np.asarray(information, dtype=float)
    problems = []
    if not (t.ndim == 1 and len(t) and t[0] > 0 and np.all(np.diff(t) > 0)):
        problems.append(Problem("bad-information", "information rises from above 0", found=str(list(information))))
    if not len(lower) == len(upper) == t.size:
        message = "there is one lower and one upper boundary per look"
        problems.append(Problem("bad-design", message, found=f"{len(lower)} and {len(upper)} for {t.size} looks"))
    if problems:
        raise ConfigError(problems)
    middle = float(shift.max() + shift.min()) / 2
    chances = CrossingChances.of(information, lower, upper, middle, float(shift.max() - shift.min()) / 2)
    return chances.crossed(shift)
