"""A second-order emulator of predictions, made of the evaluations that a fit has made anyway, and draws on it.

Around the most probable place every row is its linear model plus a quadratic form (and a correction of its slopes) that is
learned by kernel ridge regression from what evaluations differ from the linear model. How much of it is believed is chosen row by row, by leaving out
one evaluation at a time; where it foretells no better than the linear model, none is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .posterior import Gaussian

Numbers = NDArray[np.float64]
#: Ridges that are tried, in multiples of the kernel's mean diagonal.
_RIDGES = (1e-8, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
#: What leaving one out must gain over the linear model, as a share of its squared error, for a row to be bent.
_LEAST_GAIN = 0.05
#: Weight of the correction of slopes beside the quadratic form.
_LINEAR_PART = 0.1
#: Share of rows without a prediction above which an evaluation is not used.
_MOST_LOST = 0.1
#: Draws of the pool that is resampled, how much wider than the normal approximation it is, and steps of each draw from there.
_POOL, _WIDER, _MOVES = 1024, 1.3, 24


@dataclass(frozen=True)
class Emulator:
    """Predictions (K, n) as linear model and quadratic correction around `centre`; NaN for rows without slopes.

    Attributes
    ----------
    centre, base, jacobian
        (d,), (n,) and (n, d).
    places, coefficients
        (E, d) evaluations less the centre, and (E, n) what each contributes.
    gain
        (n,) share of the squared error of the linear model that leaving one out says is foretold; 0 for rows that are left linear.
    """

    centre: Numbers
    base: Numbers
    jacobian: Numbers
    places: Numbers
    coefficients: Numbers
    gain: Numbers

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) at places (K, d)."""
        x = np.atleast_2d(u) - self.centre
        return np.asarray(self.base + x @ self.jacobian.T + _kernel(x, self.places) @ self.coefficients)


def fit_emulator(u: Numbers, predicted: Numbers, jacobian: Numbers, visited: Numbers, outcomes: Numbers) -> Emulator:
    """Return the emulator around u (d,) with predictions (n,) and slopes (n, d), learned from evaluations (E, d), (E, n).

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.emulator import fit_emulator
    >>> at = np.random.default_rng(1).standard_normal((40, 2))
    >>> bent = lambda u: (u[:, :1] + u[:, :1] * u[:, 1:])
    >>> emulator = fit_emulator(np.zeros(2), np.zeros(1), np.array([[1.0, 0.0]]), at, bent(at))
    >>> bool(abs(emulator.predict(np.array([[1.0, 1.0]])) - 2.0) < 0.01)
    True
    """
    usable = np.mean(~np.isfinite(outcomes), axis=1) <= _MOST_LOST
    places, values = visited[usable] - u, outcomes[usable]
    # The centre itself says nothing about what is bent.
    away = np.abs(places).max(axis=1, initial=0.0) > 0.0
    places, values = places[away], values[away]
    rest = values - predicted - places @ jacobian.T
    bends = np.isfinite(rest).all(axis=0)
    coefficients, gain = np.zeros(rest.shape), np.zeros(len(predicted))
    if len(places) > 2 and bends.any():
        coefficients[:, bends], gain[bends] = _ridge(_kernel(places, places), rest[:, bends])
    return Emulator(u, predicted, jacobian, places, coefficients, gain)


def _kernel(x: Numbers, y: Numbers) -> Numbers:
    product = x @ y.T
    return np.asarray(product**2 + _LINEAR_PART * product, dtype=np.float64)


def _ridge(kernel: Numbers, rest: Numbers) -> tuple[Numbers, Numbers]:
    """Return coefficients (E, n) with the ridge of each row chosen by leaving out one, and what that gains over none."""
    values, vectors = np.linalg.eigh(kernel)
    turned = vectors.T @ rest
    unit = max(float(np.trace(kernel)) / len(kernel), 1e-300)
    plain = np.sum(rest**2, axis=0)
    best, error = np.zeros(rest.shape), plain.copy()
    for ridge in _RIDGES:
        shrunk = 1.0 / (np.maximum(values, 0.0) + ridge * unit)
        coefficients = vectors @ (shrunk[:, None] * turned)
        # Leaving one out: the coefficient over the diagonal of the inverse.
        left_out = coefficients / np.einsum("ij,j,ij->i", vectors, shrunk, vectors)[:, None]
        tried = np.sum(left_out**2, axis=0)
        better = tried < error * (1.0 - 1e-9)
        best[:, better], error[better] = coefficients[:, better], tried[better]
    with np.errstate(invalid="ignore", divide="ignore"):
        gain = np.where(plain > 0.0, 1.0 - error / plain, 0.0)
    kept = gain >= _LEAST_GAIN
    return np.where(kept, best, 0.0), np.where(kept, gain, 0.0)


def draw_on_emulator(
    log_posterior: Callable[[Numbers], Numbers], gaussian: Gaussian, count: int, seed: int, pool: int = _POOL
) -> Numbers:
    """Return draws (count, d) of a density known but for a constant: resampled from a wider normal pool, then moved.

    Moves are Metropolis steps of every draw, so that none stays double.
    """
    rng = np.random.default_rng(seed)
    size = len(gaussian.mean)
    factor = np.linalg.cholesky(gaussian.covariance)
    normal = rng.standard_normal((pool, size))
    places = gaussian.mean + _WIDER * normal @ factor.T
    inside = _inside(places, gaussian)
    places, normal = places[inside], normal[inside]
    heights = log_posterior(places)
    log_weights = heights + 0.5 * np.sum(np.square(normal), axis=1)
    weights = np.exp(log_weights - log_weights.max())
    levels = (np.arange(count) + rng.random()) / count
    picked = np.searchsorted(np.cumsum(weights) / weights.sum(), levels).clip(max=len(places) - 1)
    at, height = places[picked], heights[picked]
    step = 2.38 / np.sqrt(size)
    for turn in range(_MOVES):
        # Steps of many sizes: some draws begin where the density is narrow.
        width = step * (1.0, 0.5, 0.25)[turn % 3]
        trial = at + width * rng.standard_normal((count, size)) @ factor.T
        allowed = _inside(trial, gaussian)
        trial = np.where(allowed[:, None], trial, at)
        reached = log_posterior(trial)
        accepted = allowed & (np.log(rng.random(count)) < reached - height)
        at = np.where(accepted[:, None], trial, at)
        height = np.where(accepted, reached, height)
    return np.asarray(at, dtype=np.float64)


def _inside(u: Numbers, gaussian: Gaussian) -> NDArray[np.bool_]:
    return np.asarray(np.all((u >= gaussian.low) & (u <= gaussian.high), axis=1), dtype=np.bool_)
