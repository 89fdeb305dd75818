"""What a trial may still show, from where it stands: conditional and predictive power, conditional rejection probability."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem
from .crossing import look_nodes
from .sequential_design import SequentialDesign

Array = NDArray[np.float64]

#: Trials that are computed together; what they need is trials x nodes.
_TOGETHER = 4096


def conditional_power(design: SequentialDesign, look: int, z: ArrayLike, drift: ArrayLike | None = None) -> Array:
    """Return the chance that a trial that goes on after a look will reject, given Z there.

    Parameters
    ----------
    design
        Its information is that of the looks, done and planned.
    look
        After which the trial goes on, from 1 to the last but one.
    z
        Statistic at that look, shape (trials,) or a number.
    drift
        Assumed mean of Z at the last look, of one or of each trial; by default the trend that was observed, z / sqrt(information). 0 gives
        the conditional rejection probability.

    Returns
    -------
    numpy.ndarray
        Shape (trials,). Boundaries of futility are followed where they are binding; a two-sided design counts its upper side.

    Raises
    ------
    ConfigError
        There is no such look, or none after it.

    Notes
    -----
    Lan, Simon and Halperin 1982; with several looks to come the integral is that of `crossing_chances`, begun at Z.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 3)
    >>> [round(float(p), 5) for p in designs.conditional_power(design, 2, [1.851513718, 1.0], 0.0)]
    [0.20225, 0.02078]
    """
    t = _after(design, look)
    value = np.atleast_1d(np.asarray(z, dtype=float))
    shift = value / math.sqrt(t) if drift is None else np.asarray(drift, dtype=float)
    value, shift = np.broadcast_arrays(value, np.atleast_1d(shift))
    if not np.all(np.isfinite(value) & np.isfinite(shift)):
        raise ConfigError(Problem("out-of-range", "z and drift are finite numbers", found=str(value[:5])))
    parts = [
        _rejecting(design, look, value[first : first + _TOGETHER], shift[first : first + _TOGETHER])
        for first in range(0, len(value), _TOGETHER)
    ]
    return np.concatenate(parts)


def _after(design: SequentialDesign, look: int) -> float:
    if not isinstance(look, (int, np.integer)) or not 1 <= look < design.looks:
        message = "a trial goes on after a look that is not the last"
        raise ConfigError(Problem("out-of-range", message, found=str(look), expected=f"1 to {design.looks - 1}"))
    return design.information[look - 1]


def _rejecting(design: SequentialDesign, look: int, z: Array, drift: Array) -> Array:
    """Return the chance to cross an upper boundary after a look.

    Increments since the look are what is carried on: their path under no drift, trial by trial, and its density tilted to each drift.
    """
    from scipy.special import ndtr

    chances = design.chances(futility=design.binding)
    t, upper, lower = chances.information, chances.upper, chances.lower
    start, begin = z * math.sqrt(t[look - 1]), t[look - 1]
    step = t[look] - begin
    total = np.asarray(ndtr((start + drift * step - upper[look] * math.sqrt(t[look])) / math.sqrt(step)))
    # Paths begin at many places and drift: nodes reach from the lowest to the highest of them.
    reach = float(np.abs(z).max()) + float(np.abs(drift).max()) * 1.5
    places, density = np.empty(0), np.empty((len(z), 0))
    for k in range(look, len(t) - 1):
        nodes, weights = look_nodes(t[k - 1], t[k], t[k + 1], lower[k], upper[k], 0.0, reach / math.sqrt(t[k]))
        before, places = places, nodes * math.sqrt(t[k])
        step = t[k] - t[k - 1]
        scale = math.sqrt(t[k] / (2 * math.pi * step))
        if k == look:
            density = scale * np.exp(-0.5 * (places - start[:, None]) ** 2 / step) * weights
        else:
            density = (density @ (scale * np.exp(-0.5 * (places - before[:, None]) ** 2 / step))) * weights
        since, following = t[k] - begin, t[k + 1] - t[k]
        tilt = drift[:, None] * (places - start[:, None]) - drift[:, None] ** 2 * since / 2
        with np.errstate(divide="ignore"):
            mass = np.exp(np.log(density) + tilt)
        distance = places + drift[:, None] * following - upper[k + 1] * math.sqrt(t[k + 1])
        total = total + (mass * ndtr(distance / math.sqrt(following))).sum(-1)
    return np.asarray(np.minimum(total, 1.0))


def predictive_power(
    design: SequentialDesign, look: int, z: ArrayLike, prior_mean: float = 0.0, prior_sd: float = math.inf
) -> Array:
    """Return the chance that a trial that goes on will reject, averaged over what is believed of the drift after the look.

    Parameters
    ----------
    design, look, z
        As of `conditional_power`.
    prior_mean, prior_sd
        Normal prior of the mean of Z at the last look; flat by default (Spiegelhalter, Freedman and Blackburn 1986).

    Returns
    -------
    numpy.ndarray
        Shape (trials,).

    Raises
    ------
    ConfigError
        There is no such look, or none after it; a prior without spread.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 2)
    >>> [round(float(p), 4) for p in designs.predictive_power(design, 1, [1.0, 2.0])]
    [0.2897, 0.8051]
    """
    t = _after(design, look)
    if not prior_sd > 0:
        raise ConfigError(Problem("out-of-range", "prior_sd is above 0", found=str(prior_sd)))
    value = np.atleast_1d(np.asarray(z, dtype=float))
    precision = t + prior_sd**-2
    mean = (value * math.sqrt(t) + prior_mean * prior_sd**-2) / precision
    nodes, weights = np.polynomial.hermite_e.hermegauss(48)
    drift = mean[:, None] + nodes / math.sqrt(precision)
    power = conditional_power(design, look, np.repeat(value, len(nodes)), drift.ravel()).reshape(drift.shape)
    return np.asarray(power @ (weights / weights.sum()))
