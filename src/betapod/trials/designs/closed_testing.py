"""Closed testing over arms or populations and stages: what may be claimed after a selection, with one error for all claims."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import floats
from ...base.errors import ConfigError, Problem, not_among
from .combination_tests import FisherDesign, combined_fisher, combined_inverse_normal
from .sequential_design import SequentialDesign

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Tests of an intersection.
INTERSECTIONS = ("Bonferroni", "Sidak", "Simes", "Dunnett")


def intersection_p(p: ArrayLike, test: str = "Simes", correlation: float = 0.5) -> Array:
    """Return p values for all claims together being null.

    With m values, Bonferroni is m min p; Sidak 1 - (1 - min p)^m; Simes min over i of m p_(i) / i; Dunnett the chance that the largest of m normal
    statistics with one correlation is as large as the largest seen.

    Parameters
    ----------
    p
        One-sided p values, shape (..., claims); NaN is left out.
    test
        ``Bonferroni``, ``Sidak``, ``Simes`` or ``Dunnett``.
    correlation
        Of Dunnett: r / (1 + r) for arms that share a control with r patients for one of it; the square root of its share for a
        subgroup within all.

    Returns
    -------
    numpy.ndarray
        Shape (...,); 1 where no value is left.

    Raises
    ------
    ConfigError
        There is no such test, or no such correlation.

    Examples
    --------
    >>> from betapod import designs
    >>> [round(float(designs.intersection_p([0.01, 0.03], test)), 6) for test in ("Bonferroni", "Simes", "Dunnett")]
    [0.02, 0.02, 0.018706]
    """
    from scipy.special import ndtr, ndtri

    problems = (
        [] if test in INTERSECTIONS else [not_among(INTERSECTIONS, "unknown-test", f"there is no test {test!r}", test)]
    )
    if not 0 <= correlation < 1:
        problems.append(Problem("out-of-range", "correlation", found=str(correlation), expected="0 or more, below 1"))
    if problems:
        raise ConfigError(problems)
    values = np.asarray(p, dtype=float)
    present = np.isfinite(values)
    count = present.sum(-1)
    # What is left out stands behind all others, and where nothing is left p is 1.
    ordered = np.sort(np.where(present, values, np.where(count > 0, np.inf, 1.0)[..., None]), -1)
    least = ordered[..., 0]
    if test == "Bonferroni":
        got = count * least
    elif test == "Sidak":
        got = -np.expm1(count * np.log1p(-np.minimum(least, 1 - 1e-16)))
    elif test == "Simes":
        got = (count[..., None] * ordered / np.arange(1, values.shape[-1] + 1)).min(-1)
    else:
        # One factor is common to all statistics; given it they are independent.
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        z = -ndtri(np.clip(least, 1e-300, 1.0))
        given_factor = ndtr((z[..., None] - np.sqrt(correlation) * nodes) / np.sqrt(1 - correlation))
        got = 1 - (given_factor ** count[..., None]) @ (weights / weights.sum())
    return np.where(count > 0, np.clip(got, 0.0, 1.0), 1.0)


def closed_test(
    p: ArrayLike, design: SequentialDesign | FisherDesign, test: str = "Simes", correlation: float = 0.5
) -> Flags:
    """Return which claims a closed combination test has rejected by each stage.

    Every intersection of claims is tested by the combination of its stage-wise p values; a claim is rejected when all intersections that
    hold it are, at this stage or before. A stage tests an intersection by the claims in it that went on; where none did, it cannot be rejected any more.
    The family-wise error is at most alpha, whatever the rule of selection (Bauer and Kieser 1999; Posch et al. 2005).

    Parameters
    ----------
    p
        One-sided p of each claim at each stage, from the patients of the stage, shape (..., stages, claims); NaN where a claim did not go on.
        At most 8 claims.
    design
        One-sided boundaries for the inverse normal combination, or critical products for Fisher's.
    test, correlation
        As of `intersection_p`.

    Returns
    -------
    numpy.ndarray
        Flags, shape (..., stages, claims).

    Raises
    ------
    ConfigError
        The design has two sides, or stages and claims do not fit.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> p = [[0.02, 0.2, 0.5], [0.01, float("nan"), float("nan")]]  # the best of three goes on
    >>> designs.closed_test(p, design).tolist()
    [[False, False, False], [True, False, False]]
    """
    values = floats("p", p)
    problems = []
    if values.ndim < 2 or not 1 <= values.shape[-1] <= 8:
        problems.append(
            Problem("bad-shape", "p has stages and 1 to 8 claims as its last axes", found=str(values.shape))
        )
    elif values.shape[-2] > design.looks:
        problems.append(
            Problem("bad-shape", "there are more stages than looks", found=f"{values.shape[-2]} for {design.looks}")
        )
    if isinstance(design, SequentialDesign) and design.sides != 1:
        problems.append(Problem("not-supported", "closed tests are one-sided", hint="Use sides 1 with half of alpha."))
    if problems:
        raise ConfigError(problems)
    claims = values.shape[-1]
    rejected = np.ones(values.shape, dtype=bool)
    for size in range(1, claims + 1):
        for members in combinations(range(claims), size):
            together = _rejected_by(intersection_p(values[..., members], test, correlation), design)
            for claim in members:
                rejected[..., claim] &= together
    return rejected


def _rejected_by(p: Array, design: SequentialDesign | FisherDesign) -> Flags:
    """Return whether one null is rejected by each stage, shape (..., stages)."""
    stages = p.shape[-1]
    if isinstance(design, FisherDesign):
        now = combined_fisher(p) <= np.asarray(design.critical[:stages])
    else:
        now = combined_inverse_normal(p, design.information) >= np.asarray(design.efficacy[:stages])
    return np.logical_or.accumulate(now, axis=-1)
