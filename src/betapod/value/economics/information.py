"""What it is worth to know more: the expected value of perfect information, of all parameters or of some."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, stats

Numbers = NDArray[np.float64]

#: Places of the inner knots of a spline over the ranks of a parameter.
_KNOTS = (0.25, 0.5, 0.75)
_DEGREE = 3
#: Draws that a coefficient of the regression needs.
_PER_COEFFICIENT = 10


def evpi(benefits: Numbers) -> float:
    """Return the expected value of perfect information of one decision.

    How much better than the best strategy on average one would do by choosing the best strategy in every draw.

    Parameters
    ----------
    benefits
        (strategies, draws) net monetary benefit.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.economics.information import evpi
    >>> evpi(np.array([[0.0, 0.0], [5.0, -15.0]]))
    2.5
    """
    return max(float(benefits.max(axis=0).mean() - benefits.mean(axis=1).max()), 0.0)


def evppi(benefits: Numbers, values: Numbers) -> float:
    """Return the expected value of perfect information of some parameters.

    Net benefit is regressed on the parameters (cubic splines over their ranks, additive; Strong, Oakley and Brennan 2014): what the
    regression gives is the mean net benefit when they are known. Few draws make the result too great; `chance_evppi` says by how much.

    Parameters
    ----------
    benefits
        (strategies, draws) net monetary benefit.
    values
        (draws,) of one parameter, or (draws, parameters).

    Returns
    -------
    float
        From 0 to `evpi`.

    Raises
    ------
    ValueError
        More parameters than the draws can tell apart.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.value.economics.information import evppi
    >>> rng = np.random.default_rng(0)
    >>> gain = rng.normal(size=4000)
    >>> benefits = np.stack([np.zeros(4000), gain + rng.normal(size=4000)])
    >>> bool(abs(evppi(benefits, gain) - 1 / np.sqrt(2 * np.pi)) < 0.03)
    True
    """
    basis = _basis(np.asarray(values, dtype=np.float64))
    # Against the first strategy: what all strategies share decides nothing.
    gains = (benefits - benefits[:1]).T
    coefficients, *_ = np.linalg.lstsq(basis, gains, rcond=None)
    fitted = basis @ coefficients
    worth = float(fitted.max(axis=1).mean() - gains.mean(axis=0).max())
    return min(max(worth, 0.0), evpi(benefits))


def chance_evppi(benefits: Numbers, values: Numbers, times: int = 20, seed: int = 1) -> float:
    """Return what `evppi` gives on average for a parameter that decides nothing: the same values in random order.

    Parameters
    ----------
    times
        Random orders.
    """
    rng = np.random.default_rng(seed)
    return float(np.mean([evppi(benefits, rng.permutation(values)) for _ in range(times)]))


def _basis(values: Numbers) -> Numbers:
    """Return (draws, coefficients): 1 and what the columns of parameters give."""
    columns = values[:, None] if values.ndim == 1 else values
    draws = len(columns)
    varied = [column for column in columns.T if np.ptp(column) > 0]
    per_column = len(_KNOTS) + _DEGREE
    if 1 + len(varied) > draws / _PER_COEFFICIENT:
        most = int(draws / _PER_COEFFICIENT) - 1
        raise ValueError(f"{len(varied)} parameters, where {draws} draws are enough for {max(most, 0)}")
    splines = 1 + per_column * len(varied) <= draws / _PER_COEFFICIENT
    parts = [_spline(column) if splines else _scores(column) for column in varied]
    return np.concatenate([np.ones((draws, 1)), *parts], axis=1)


def _ranks(column: Numbers) -> Numbers:
    return np.asarray((stats.rankdata(column) - 0.5) / len(column))


def _spline(column: Numbers) -> Numbers:
    """Return B-splines over ranks without the first one, which the constant makes up for."""
    knots = np.concatenate([np.zeros(_DEGREE + 1), _KNOTS, np.ones(_DEGREE + 1)])
    return np.asarray(interpolate.BSpline.design_matrix(_ranks(column), knots, _DEGREE).toarray()[:, 1:])


def _scores(column: Numbers) -> Numbers:
    """Return normal scores: one straight line where draws are too few for a curve."""
    return np.asarray(stats.norm.ppf(_ranks(column)))[:, None]
