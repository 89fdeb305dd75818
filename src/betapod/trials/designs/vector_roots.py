"""Roots of many functions of one variable at once, by Chandrupatla's method."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Iterations after which what is left is taken as it is; each at least halves the bracket now and then.
_MOST = 200


def rising_roots(
    function: Callable[[Array, NDArray[np.intp]], Array], low: Array, high: Array, tolerance: float = 1e-10
) -> Array:
    """Return the roots of functions that rise, one per element.

    Parameters
    ----------
    function
        Called with values and the indices of the elements that they are for; returns the functions there.
    low, high
        Where to begin, shape (n,); a bracket that holds no root is widened by doubling, up to 2^12 times.
    tolerance
        Of the root.

    Returns
    -------
    numpy.ndarray
        Shape (n,); NaN where there is no root.

    Notes
    -----
    Chandrupatla, Advances in Engineering Software 1997;28:145.
    """
    everything = np.arange(len(low))
    a, b = low.astype(float).copy(), high.astype(float).copy()
    fa, fb = function(a, everything), function(b, everything)
    for side in (-1, 1):
        ends, values = (a, fa) if side < 0 else (b, fb)
        for _ in range(12):
            out = np.flatnonzero(side * values < 0)
            if not len(out):
                break
            ends[out] += side * (b[out] - a[out])
            values[out] = function(ends[out], out)
    lost = ~((fa <= 0) & (fb >= 0))
    root = _chandrupatla(function, a, b, fa, fb, np.flatnonzero(~lost), tolerance)
    root[lost] = np.nan
    return root


def _chandrupatla(
    function: Callable[[Array, NDArray[np.intp]], Array],
    a: Array,
    b: Array,
    fa: Array,
    fb: Array,
    left: NDArray[np.intp],
    tolerance: float,
) -> Array:
    root = np.where(np.abs(fa) < np.abs(fb), a, b)
    a, b, fa, fb = a[left], b[left], fa[left], fb[left]
    c, fc = a.copy(), fa.copy()
    step = np.full(len(left), 0.5)
    for _ in range(_MOST):
        if not len(left):
            break
        x = a + step * (b - a)
        fx = function(x, left)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        best = np.where(np.abs(fa) < np.abs(fb), a, b)
        root[left] = best
        width = np.abs(b - a)
        close = tolerance / np.maximum(width, 1e-300)
        going = (close <= 0.5) & (fa != 0)
        step = _next_step(a, b, c, fa, fb, fc, np.minimum(close, 0.5))
        left, a, b, c, fa, fb, fc, step = (x[going] for x in (left, a, b, c, fa, fb, fc, step))
    return root


def _next_step(a: Array, b: Array, c: Array, fa: Array, fb: Array, fc: Array, close: Array) -> Array:
    """Return where to look next between a and b: by an inverse parabola where that is safe, else in the middle."""
    with np.errstate(divide="ignore", invalid="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        parabola = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    step = np.where(safe & np.isfinite(parabola), parabola, 0.5)
    return np.asarray(np.clip(step, close, 1 - close))
