"""Several tests in one trial: adjusted p values that keep the chance of any false rejection at alpha, and margins.

A test may be rejected where its adjusted p value is at most alpha. All functions take thousands of trials at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ...base.errors import ConfigError, Problem, not_among
from .estimators import Array, Estimate

PROCEDURES = ("Bonferroni", "Holm", "Hochberg", "fixed sequence")


def adjusted_p(p: ArrayLike, procedure: str = "Holm") -> Array:
    """Return adjusted p values, shape (..., tests).

    Parameters
    ----------
    p
        Of each test, shape (..., tests). NaN counts as 1.
    procedure
        ``Bonferroni``; ``Holm`` (1979); ``Hochberg`` (1988), for tests that are independent or positively dependent; ``fixed sequence``: tests in their order,
        each only if those before were rejected.

    Returns
    -------
    numpy.ndarray
        Shape (..., tests); at most 1.

    Raises
    ------
    ConfigError
        There is no such procedure.

    Examples
    --------
    >>> from betapod.trials.analysis.multiplicity import adjusted_p
    >>> adjusted_p([0.01, 0.04, 0.03], "Holm").round(3).tolist()
    [0.03, 0.06, 0.06]
    >>> adjusted_p([0.01, 0.04, 0.03], "fixed sequence").tolist()
    [0.01, 0.04, 0.04]
    """
    values = _filled(p)
    m = values.shape[-1]
    if procedure not in PROCEDURES:
        raise ConfigError(not_among(PROCEDURES, "unknown-procedure", "there is no such multiple test", procedure))
    if procedure == "Bonferroni":
        return np.asarray(np.minimum(m * values, 1.0))
    if procedure == "fixed sequence":
        return np.asarray(np.maximum.accumulate(values, axis=-1))
    order = np.argsort(values, axis=-1)
    scaled = np.take_along_axis(values, order, -1) * np.arange(m, 0, -1)
    if procedure == "Holm":
        ordered = np.maximum.accumulate(scaled, axis=-1)
    else:
        ordered = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(values)
    np.put_along_axis(adjusted, order, np.minimum(ordered, 1.0), -1)
    return adjusted


def graphical_p(p: ArrayLike, weights: ArrayLike, passed_on: ArrayLike) -> Array:
    """Return adjusted p values of a graphical procedure (Bretz, Maurer, Brannath and Posch 2009), shape (..., tests).

    Parameters
    ----------
    p
        Shape (..., tests). NaN counts as 1.
    weights
        Share of alpha that each test begins with, shape (tests,); together at most 1.
    passed_on
        Share of its weight that a rejected test (row) gives to another (column), shape (tests, tests); rows together at most 1, 0 to itself.

    Returns
    -------
    numpy.ndarray
        Shape (..., tests); at most 1.

    Raises
    ------
    ConfigError
        Weights or shares are below 0, too large, or of other shapes.

    Examples
    --------
    Two doses with a secondary endpoint each, which is tested where its dose was rejected:

    >>> from betapod.trials.analysis.multiplicity import graphical_p
    >>> graph = [[0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5], [0, 1, 0, 0], [1, 0, 0, 0]]
    >>> graphical_p([0.01, 0.02, 0.012, 0.04], [0.5, 0.5, 0, 0], graph).round(4).tolist()
    [0.02, 0.0267, 0.0267, 0.04]
    """
    values = _filled(p)
    m = values.shape[-1]
    start, shares = np.asarray(weights, dtype=float), np.asarray(passed_on, dtype=float)
    _check_graph(start, shares, m)
    flat = values.reshape(-1, m)
    rows = np.arange(len(flat))
    weight = np.broadcast_to(start, flat.shape).copy()
    graph = np.broadcast_to(shares, (len(flat), m, m)).copy()
    adjusted, largest = np.ones(flat.shape), np.zeros(len(flat))
    open_tests = np.ones(flat.shape, dtype=bool)
    for _ in range(m):
        with np.errstate(divide="ignore", invalid="ignore"):
            # Without weight a test is never rejected; closed ones come after all others.
            ratio = np.where(open_tests, np.where(weight > 0, np.minimum(flat / weight, 1e300), 1e300), np.inf)
        nearest = np.argmin(ratio, axis=1)
        largest = np.maximum(largest, np.minimum(ratio[rows, nearest], 1.0))
        adjusted[rows, nearest] = largest
        open_tests[rows, nearest] = False
        weight = weight + weight[rows, nearest][:, None] * graph[rows, nearest]
        into, out = graph[rows, :, nearest], graph[rows, nearest]
        back = into * out
        with np.errstate(divide="ignore", invalid="ignore"):
            updated = (graph + into[:, :, None] * out[:, None, :]) / (1 - back)[:, :, None]
        graph = np.where((back < 1)[:, :, None], updated, 0.0)
        graph[:, np.arange(m), np.arange(m)] = 0.0
        graph[rows, nearest] = 0.0
        graph[rows, :, nearest] = 0.0
        weight[rows, nearest] = 0.0
    return adjusted.reshape(values.shape)


def _filled(p: ArrayLike) -> Array:
    values = np.asarray(p, dtype=float)
    values = np.where(np.isnan(values), 1.0, values)
    if values.ndim == 0 or not ((values >= 0) & (values <= 1)).all():
        message = "p values lie from 0 to 1, tests along the last axis"
        raise ConfigError(
            Problem("wrong-p", message, found=f"shape {values.shape}, from {values.min()} to {values.max()}")
        )
    return values


def _check_graph(weights: Array, shares: Array, tests: int) -> None:
    problems = []
    if weights.shape != (tests,) or not ((weights >= 0).all() and weights.sum() <= 1 + 1e-12):
        problems.append(
            Problem(
                "wrong-weights",
                "weights of a graph are at least 0 and together at most 1",
                found=f"{weights.tolist()}",
                expected=f"{tests} numbers, one per test",
            )
        )
    good = shares.shape == (tests, tests) and (shares >= 0).all() and (shares.sum(1) <= 1 + 1e-12).all()
    if not (good and (np.diagonal(shares) == 0).all()):
        problems.append(
            Problem(
                "wrong-graph",
                "what a rejected test passes on is at least 0, together at most 1, and nothing to itself",
                found=f"{shares.tolist()}",
                expected=f"{tests} rows of {tests} numbers",
            )
        )
    if problems:
        raise ConfigError(problems)


def margin_p(estimate: Estimate, margin: float, better: int = 1) -> Array:
    """Return the one-sided p value that a difference is worse than a margin: non-inferiority, or superiority by a margin; shape (R,).

    Parameters
    ----------
    estimate
        A difference, on the scale of the margin.
    margin
        The limit itself, with its sign: -3 for "not worse by 3 where higher is better", log 1.3 for a log hazard ratio.
    better
        1 where higher is better, -1 where lower is. Non-inferiority at one-sided 0.025 is what the two-sided 95 % interval says.

    Returns
    -------
    numpy.ndarray
        Shape of the replicates.

    Raises
    ------
    ConfigError
        `better` is neither 1 nor -1.

    Examples
    --------
    >>> import betapod
    >>> estimate = betapod.analyses.ancova([1.0, 2, 3, 1, 2, 3.3], None, [0, 0, 0, 1, 1, 1])
    >>> bool(betapod.analyses.margin_p(estimate, -3.0) < 0.025)
    True
    """
    from scipy.special import ndtr, stdtr

    if better not in (1, -1):
        raise ConfigError(Problem("wrong-direction", "better is 1 (higher) or -1 (lower)", found=f"{better}"))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = -better * (estimate.effect - margin) / estimate.standard_error
    degrees = np.where(estimate.degrees > 0, estimate.degrees, np.nan)
    return np.asarray(np.where(np.isinf(degrees), ndtr(distance), stdtr(degrees, distance)))


def equivalence_p(estimate: Estimate, low: float, high: float) -> Array:
    """Return the p value of equivalence, that a difference lies outside two margins: the larger of two one-sided tests (Schuirmann 1987); shape (R,).

    Parameters
    ----------
    estimate
        A difference, on the scale of the margins.
    low, high
        The margins.

    Returns
    -------
    numpy.ndarray
        Shape of the replicates.

    Raises
    ------
    ConfigError
        The lower margin is not below the upper.

    Examples
    --------
    >>> import betapod
    >>> estimate = betapod.analyses.ancova([1.0, 2, 3, 1, 2, 3.3], None, [0, 0, 0, 1, 1, 1])
    >>> bool(betapod.analyses.equivalence_p(estimate, -3.0, 3.0) < 0.05)
    True
    """
    if not low < high:
        raise ConfigError(Problem("wrong-margins", "the lower margin is below the upper", found=f"{low} and {high}"))
    return np.maximum(margin_p(estimate, low, 1), margin_p(estimate, high, -1))
