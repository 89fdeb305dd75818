"""Newton's method with halved steps, for the variances of many replicates at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .covariance_structures import positive
from .estimators import Array

#: Newton decrement (squared distance to the maximum in standard errors) at which the next step is the last.
_CLOSE = 1e-9
_MOST_STEPS = 100


class Curved(Protocol):
    """A criterion to be made small, with derivatives: value (R,), gradient (R, k), curvature and a positive stand-in for it (R, k, k)."""

    @property
    def value(self) -> Array:
        """Shape (R,)."""

    @property
    def gradient(self) -> Array:
        """Shape (R, k)."""

    @property
    def curvature(self) -> Array:
        """Shape (R, k, k)."""

    @property
    def information(self) -> Array:
        """Shape (R, k, k)."""


def _step(criterion: Curved) -> tuple[Array, Array]:
    """Return Newton's step, or that of the information where the curvature is not positive, and the decrement."""
    size = np.sqrt(np.einsum("rkk->rk", criterion.information))
    size = np.where(size > 0, size, 1.0)
    outer = size[:, :, None] * size[:, None, :]
    curved = positive(criterion.curvature / outer)
    metric = np.where(curved[:, None, None], criterion.curvature, criterion.information) / outer
    metric = metric + 1e-12 * np.eye(metric.shape[-1])
    step = -np.linalg.solve(metric, (criterion.gradient / size)[..., None])[..., 0] / size
    return step, np.abs((criterion.gradient * step).sum(-1))


def newton_maximum(
    start: Array,
    evaluate: Callable[[Array, NDArray[np.intp]], Curved],
    possible: Callable[[Array, NDArray[np.intp]], NDArray[np.bool_]],
) -> tuple[Array, NDArray[np.bool_]]:
    """Return the parameters (R, k) at which a criterion is least, and in which replicates that was reached.

    Parameters
    ----------
    start
        Where to begin, shape (R, k), NaN where there is nothing to do; it must be possible.
    evaluate, possible
        The criterion of some replicates at parameters, and whether it exists there: of parameters (r, k) and the numbers of the replicates (r,).
    """
    theta = start.copy()
    reached = np.zeros(len(theta), dtype=bool)
    active = np.flatnonzero(np.isfinite(theta).all(-1))
    if not len(active):
        return theta, reached
    here = evaluate(theta[active], active)
    step, decrement = _step(here)
    value = here.value
    for _ in range(_MOST_STEPS):
        candidate = theta[active] + step
        allowed = possible(candidate, active)
        there = evaluate(np.where(allowed[:, None], candidate, theta[active]), active)
        last = decrement < _CLOSE
        better = allowed & ((there.value <= value) | last)
        theta[active[better]] = candidate[better]
        reached[active[better & last]] = True
        next_step, next_decrement = _step(there)
        value = np.where(better, there.value, value)
        step = np.where(better[:, None], next_step, step / 2)
        decrement = np.where(better, next_decrement, decrement)
        # A step that shrank to nothing leads nowhere.
        stuck = ~better & (np.abs(step) < 1e-12 * np.abs(theta[active]).max(-1, keepdims=True)).all(-1)
        going = ~(better & last) & ~stuck
        if not going.any():
            break
        active, step, decrement, value = active[going], step[going], decrement[going], value[going]
    return theta, reached
