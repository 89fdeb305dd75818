"""Tests that combine p values of stages, so that what follows a look may depend on what was seen: inverse normal and Fisher."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem, not_among

Array = NDArray[np.float64]

#: How critical products of Fisher's combination are chosen.
FISHER_METHODS = ("equal", "full", "spent")


@dataclass(frozen=True)
class FisherDesign:
    """Critical products of Fisher's combination test; `fisher_design` makes one.

    Attributes
    ----------
    alpha
        One-sided type I error.
    critical
        A product of stage-wise p values at or below which each stage rejects.
    spent
        Error spent by each stage.
    method
        ``equal``, ``full`` or ``spent``.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(c, 6) for c in designs.fisher_design(2).critical]
    [0.015788, 0.002221]
    """

    alpha: float
    critical: tuple[float, ...]
    spent: tuple[float, ...]
    method: str

    @property
    def looks(self) -> int:
        """Number of stages."""
        return len(self.critical)


def fisher_design(
    stages: int = 2, alpha: float = 0.025, method: str = "equal", spent: Sequence[float] | None = None
) -> FisherDesign:
    """Return the critical products of Fisher's combination test (Bauer and Koehne 1994).

    With b = -ln(critical), stage k is the first to reject with chance exp(-b_k) V_(k-1), where V_k is the volume of
    0 <= s_1 <= ... <= s_k with s_i <= b_i, from Steck's recursion.

    Parameters
    ----------
    stages
        2 to 10.
    alpha
        One-sided type I error of all stages.
    method
        ``equal``: each product alone has one level, the same for all stages; ``full``: the product of all stages has level alpha, and the same critical
        value holds before; ``spent``: alpha is spent as given.
    spent
        Of ``spent``: alpha spent by each stage.

    Returns
    -------
    FisherDesign
        ``critical`` products, and error ``spent``.

    Raises
    ------
    ConfigError
        Numbers outside their range, or errors that no falling critical products spend.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(c, 9) for c in designs.fisher_design(2, method="full").critical]
    [0.003804223, 0.003804223]
    """
    from scipy.optimize import brentq

    problems = []
    if not isinstance(stages, (int, np.integer)) or not 2 <= stages <= 10:
        problems.append(Problem("out-of-range", "stages are whole numbers", found=str(stages), expected="2 to 10"))
    if not 0 < alpha < 0.5:
        problems.append(Problem("out-of-range", "alpha is a chance", found=str(alpha), expected="above 0, below 0.5"))
    if method not in FISHER_METHODS:
        problems.append(not_among(FISHER_METHODS, "unknown-family", f"{method!r} is no method", str(method)))
    if (spent is not None) != (method == "spent"):
        problems.append(Problem("bad-design", "spent goes with the method spent", found=f"{method}, spent {spent}"))
    if problems:
        raise ConfigError(problems)
    if method == "spent":
        bounds = _bounds_of_spent(tuple(spent or ()), stages, alpha)
    elif method == "full":
        bounds = [_product_bound(stages, alpha)] * stages
    else:
        bounds = _equal_bounds(
            float(
                brentq(
                    lambda x: sum(_first_crossings(_equal_bounds(x, stages))) - alpha, alpha / 100, alpha, xtol=1e-15
                )
            ),
            stages,
        )
    crossed = np.cumsum(_first_crossings(bounds))
    return FisherDesign(alpha, tuple(math.exp(-b) for b in bounds), tuple(float(x) for x in crossed), method)


def _product_bound(stages: int, level: float) -> float:
    """Return -ln of the product of uniform p values that has a level."""
    from scipy.special import gammainccinv

    return float(gammainccinv(stages, level))


def _equal_bounds(level: float, stages: int) -> list[float]:
    return [_product_bound(k + 1, level) for k in range(stages)]


def _first_crossings(bounds: Sequence[float]) -> list[float]:
    volumes = [1.0]
    for k in range(1, len(bounds)):
        terms = ((-1) ** (k - j - 1) * volumes[j] * bounds[j] ** (k - j) / math.factorial(k - j) for j in range(k))
        volumes.append(math.fsum(terms))
    return [math.exp(-b) * volume for b, volume in zip(bounds, volumes, strict=True)]


def _bounds_of_spent(spent: tuple[float, ...], stages: int, alpha: float) -> list[float]:
    steps = np.diff(spent, prepend=0.0)
    bounds: list[float] = []
    if len(spent) == stages and np.all(steps > 0) and abs(spent[-1] - alpha) < 1e-12:
        for step in steps:
            volume = _first_crossings([*bounds, 0.0])[-1]
            bounds.append(-math.log(step / volume))
            # A product that may be larger than the one before spends in another way.
            if len(bounds) > 1 and bounds[-1] < bounds[-2]:
                break
    if not bounds or np.any(np.diff(bounds) < 0) or bounds[0] <= 0:
        expected = f"{stages} rising numbers that end with {alpha:g}, the first of them not too small"
        raise ConfigError(
            Problem("bad-spending", "no critical products spend this", found=str(list(spent)), expected=expected)
        )
    return bounds


def combined_inverse_normal(p: ArrayLike, information: Sequence[float]) -> Array:
    """Return combined statistics of stages by the inverse normal method (Lehmacher and Wassmer 1999).

    Z_k = sum(w_i z(1 - p_i)) / sqrt(sum(w_i^2)) over i up to k, with w_i^2 the step of planned information. The weights stay what they
    were planned, whatever the sizes become.

    Parameters
    ----------
    p
        One-sided p of each stage from its own patients, shape (..., stages); NaN from the stage on that was not done.
    information
        Planned shares of information, of which the combined statistics have the boundaries.

    Returns
    -------
    numpy.ndarray
        Shape of `p`: Z by each stage.

    Raises
    ------
    ConfigError
        There are more stages than looks were planned.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(float(z), 9) for z in designs.combined_inverse_normal([0.02079905653, 0.28064808204], [1 / 3, 2 / 3, 1])]
    [2.037518469, 1.851513718]
    """
    from scipy.special import ndtri

    values = np.asarray(p, dtype=float)
    squared = _steps(values, information)
    z = -ndtri(np.clip(values, 1e-300, 1.0))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.cumsum(np.sqrt(squared) * z, -1) / np.sqrt(np.cumsum(squared)))


def _steps(values: Array, information: Sequence[float]) -> Array:
    steps = np.diff(np.asarray(information, dtype=float), prepend=0.0)
    if values.ndim == 0 or values.shape[-1] > len(steps):
        message = "p values are more than the looks that were planned"
        raise ConfigError(Problem("bad-shape", message, found=f"{values.shape} for {len(steps)} looks"))
    return np.asarray(steps[: values.shape[-1]])


def combined_fisher(p: ArrayLike) -> Array:
    """Return products of the p values of stages, by each stage.

    Parameters
    ----------
    p
        One-sided p of each stage, shape (..., stages); NaN from the stage on that was not done.

    Returns
    -------
    numpy.ndarray
        Shape of `p`.

    Raises
    ------
    ConfigError
        Something is no chance.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(float(x), 4) for x in designs.combined_fisher([0.1, 0.02])]
    [0.1, 0.002]
    """
    values = np.asarray(p, dtype=float)
    if np.any((values < 0) | (values > 1)):
        raise ConfigError(Problem("out-of-range", "p values are between 0 and 1"))
    return np.asarray(np.cumprod(values, -1))
