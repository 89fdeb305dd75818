"""The distribution of which no more is said than its range, mean and SD: of all that have them, the one of largest entropy.

Without a range it is the normal distribution. With one its density is that of a bell, cut off at the ends, that is moved and widened until mean and
SD are right again; the SD of a bell that is merely cut off would be too small.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .index_table import Numbers

#: Farthest end of a range that counts, in SDs, and steps between the ends.
_ENDS, _STEPS = 8.0, 4000
#: Newton steps, and the miss of both moments, in SDs, that is none.
_ROUNDS, _EXACT = 60, 1e-9


def limited_bell(mean: float, sd: float, low: float, high: float) -> Callable[[Numbers], Numbers] | None:
    """Return the distribution function of largest entropy within a range; None where no distribution there has this mean and SD.

    Parameters
    ----------
    low, high
        Ends of the range; infinite where it has none.
    """
    ends = np.clip([(low - mean) / sd, (high - mean) / sd], -_ENDS, _ENDS)
    if not ends[0] < 0.0 < ends[1] or -ends[0] * ends[1] <= 1.0:
        return None
    z = np.linspace(float(ends[0]), float(ends[1]), _STEPS + 1)
    features = np.stack([z, z**2])
    slopes = np.array([0.0, -0.5])
    for _ in range(_ROUNDS):
        density = _density(slopes, features, z)
        moments = np.asarray(np.trapezoid(features * density, z, axis=1))
        miss = moments - np.array([0.0, 1.0])
        if np.abs(miss).max() < _EXACT:
            summed = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(z))])
            return lambda x: np.interp((np.asarray(x, dtype=np.float64) - mean) / sd, z, summed / summed[-1])
        centred = features - moments[:, None]
        step = np.linalg.solve(np.trapezoid(centred[:, None] * centred[None] * density, z, axis=2), miss)
        # The miss is the slope of a convex function: half a step where a whole one goes too far.
        while _potential(slopes - step, features, z) > _potential(slopes, features, z) and np.abs(step).max() > _EXACT:
            step = 0.5 * step
        slopes = slopes - step
    return None


def _density(slopes: Numbers, features: Numbers, z: Numbers) -> Numbers:
    exponent = slopes @ features
    density = np.exp(exponent - exponent.max())
    return np.asarray(density / np.trapezoid(density, z))


def _potential(slopes: Numbers, features: Numbers, z: Numbers) -> float:
    """Return the logarithm of the integral, less what the right moments give: smallest where they are right."""
    exponent = slopes @ features
    most = float(exponent.max())
    return most + float(np.log(np.trapezoid(np.exp(exponent - most), z))) - float(slopes[1])
