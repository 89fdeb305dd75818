"""Assurance: the chance of success when the effect is not known, from a sample of what is believed of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem
from .characteristics import stopping_chances
from .sequential_design import SequentialDesign

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DesignAssurance:
    """Chance of success over a prior.

    Attributes
    ----------
    value
        Chance that the trial rejects.
    error
        Monte-Carlo standard error from the size of the sample; 0 is not claimed for a quadrature, whose weights say nothing of it (NaN).
    by_look
        Chance to reject at each look.
    information
        Expected share of the information of the last look.
    effective
        Number of draws that the weights leave.

    Examples
    --------
    >>> from betapod import designs
    >>> got = designs.design_assurance(designs.group_sequential("OF", 1), [0.0, 0.5], 0.2)
    >>> round(got.value, 3), got.effective
    (0.365, 2.0)
    """

    value: float
    error: float
    by_look: tuple[float, ...]
    information: float
    effective: float


def design_assurance(
    design: SequentialDesign, effects: ArrayLike, standard_error: ArrayLike, weights: ArrayLike | None = None
) -> DesignAssurance:
    """Return the assurance of a design over a sample of effects, such as draws of a posterior or of a model.

    Parameters
    ----------
    design
        One- or two-sided; of a two-sided one its upper side counts.
    effects
        Draws of the effect above the null, in the direction of success, shape (draws,).
    standard_error
        That the estimate will have at the last look; a number or one per draw.
    weights
        Of the draws; even by default.

    Returns
    -------
    DesignAssurance
        ``value`` with its Monte-Carlo ``error``.

    Raises
    ------
    ConfigError
        No draws, a standard error that is not above 0, or weights that are none.

    Notes
    -----
    O'Hagan, Stevens and Campbell, Pharmaceutical Statistics 2005;4:187. For a normal prior and one look it is Phi((m / s - c) / sqrt(1 + (v / s)^2)).

    Examples
    --------
    >>> import numpy as np
    >>> from betapod import designs
    >>> draws = np.random.default_rng(1).normal(0.25, 0.15, 20_000)
    >>> got = designs.design_assurance(designs.group_sequential("OF", 1), draws, 2 / np.sqrt(240))
    >>> abs(got.value - 0.493892) < 3 * got.error
    True
    """
    draws, error = np.broadcast_arrays(
        np.atleast_1d(np.asarray(effects, dtype=float)), np.asarray(standard_error, dtype=float)
    )
    given_weights = np.ones(draws.shape) if weights is None else np.asarray(weights, dtype=float)
    problems = []
    if draws.ndim != 1 or not len(draws) or not np.all(np.isfinite(draws)):
        problems.append(Problem("bad-shape", "effects are a list of numbers", found=str(draws.shape)))
    if not np.all(error > 0):
        problems.append(Problem("out-of-range", "a standard error is above 0", found=str(float(error.min()))))
    if given_weights.shape != draws.shape or np.any(given_weights < 0) or not given_weights.sum() > 0:
        problems.append(
            Problem("bad-weights", "one weight of 0 or more per draw, not all 0", found=str(given_weights.shape))
        )
    if problems:
        raise ConfigError(problems)
    share = given_weights / given_weights.sum()
    # Beyond 12 standard errors nothing changes any more, and densities stay where they can be carried.
    chances = stopping_chances(design, np.clip(draws / error, -12.0, 12.0))
    value = float(share @ chances.power)
    spread = math.sqrt(float(share**2 @ (chances.power - value) ** 2)) if weights is None else math.nan
    return DesignAssurance(
        value, spread, tuple(float(x) for x in share @ chances.rejected), float(share @ chances.information), float(1 / (share**2).sum()),
    )  # fmt: skip
