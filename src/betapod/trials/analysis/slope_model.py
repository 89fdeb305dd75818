"""Slopes of eGFR by a mixed model: chronic, acute and total, with a random intercept and slope per patient.

The expected course is a line, or two lines that meet at a knot, when the acute haemodynamic effect of a treatment is complete. With a and c the slopes
before and after the knot k, the total slope up to t is (a k + c (t - k)) / t: what a trial of that length would see
(Greene and others 2019, doi 10.1681/ASN.2019010009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .estimators import Array, Estimate, as_estimate
from .random_slopes import CourseBlocks, course_blocks, course_likelihood, maximise_courses
from .slope_contrasts import SlopeContrasts, named_weights

#: Numbers that the arrays of a batch of replicates may have.
_BATCH = 3_000_000


@dataclass(frozen=True)
class SlopeFit(SlopeContrasts):
    """Mixed models of courses of replicates (R): p coefficients, k parameters of the scatter; NaN where there is no fit.

    Attributes
    ----------
    names
        Of the coefficients: ``intercept``, ``treated`` (where asked for), ``slope``, ``slope: treated``, with a knot ``bend`` and ``bend: treated``
        (what the slope changes by), then the covariates in their order, the baseline first.
    coefficients, covariance
        Shapes (R, p), (R, p, p).
    variances
        Residual variance; then, of all patients or of control and treated, variance of intercepts, covariance, variance of slopes; shape (R, k).
    log_likelihood
        Restricted; `profile` adds what makes models with different knots comparable. Shape (R,).
    gradient, uncertainty
        Derivatives of `covariance` by `variances`, and the covariance of those; (R, k, p, p), (R, k, k).
    patients
        With a value, shape (R,).
    knot
        In years; None for one line.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 2]), np.arange(100) % 2.0
    >>> base = random.normal(45, 10, 100)
    >>> egfr = base[:, None] + (2 * treated - 4)[:, None] * years + random.normal(0, 2, (100, 4))
    >>> fit = betapod.analyses.slope_model(years, egfr, base, treated, knot=0.3)
    >>> fit.names
    ('intercept', 'treated', 'slope', 'slope: treated', 'bend', 'bend: treated', 'covariate 0')
    """

    names: tuple[str, ...]
    coefficients: Array
    covariance: Array
    variances: Array
    log_likelihood: Array
    profile: Array
    gradient: Array
    uncertainty: Array
    patients: Array
    knot: float | None

    def estimate(self, contrast: dict[str, float], level: float = 0.95) -> Estimate:
        """Return a combination of coefficients by name, with Satterthwaite's degrees of freedom; shape (R,).

        Parameters
        ----------
        contrast
            Weights of coefficients by name; those not named have 0.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        ConfigError
            There is no coefficient of that name.

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 2]), np.arange(100) % 2.0
        >>> base = random.normal(45, 10, 100)
        >>> egfr = base[:, None] + (2 * treated - 4)[:, None] * years + random.normal(0, 2, (100, 4))
        >>> fit = betapod.analyses.slope_model(years, egfr, base, treated, knot=0.3)
        >>> fit.estimate({"slope: treated": 1.0}).effect.shape
        (1,)
        """
        weights = named_weights(contrast, self.names)
        effect = self.coefficients @ weights
        variance = np.einsum("p,rpq,q->r", weights, self.covariance, weights)
        changes = np.einsum("p,rkpq,q->rk", weights, self.gradient, weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            degrees = 2 * variance**2 / np.einsum("rk,rkl,rl->r", changes, self.uncertainty, changes)
        return as_estimate(effect, np.sqrt(variance), degrees, self.patients, level)


def slope_model(
    years: ArrayLike,
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    knot: float | None = None,
    *,
    treated_at_start: bool = True,
    scatter_by_arm: bool = False,
    covariates: Sequence[ArrayLike] = (),
) -> SlopeFit:
    """Fit a mixed model of courses by restricted maximum likelihood.

    Parameters
    ----------
    years
        Of each visit since randomisation, shape (R, n, m), (n, m) or (m,).
    values
        Such as eGFR after baseline, shape (R, n, m) or (n, m); NaN where there is none. Patients may have been seen on different days.
    baseline, treated, covariates
        Shape (R, n) or (n,); the baseline is a covariate.
    knot
        Year at which the slope changes; None for one slope. `best_knot` looks for it.
    treated_at_start
        Whether the arms may differ by a constant. Without it the difference is 0 at randomisation.
    scatter_by_arm
        Whether intercepts and slopes scatter differently in the two arms: a treatment that slows fast progression most narrows slopes.

    Returns
    -------
    SlopeFit
        Coefficients, their covariance, the scatter and the likelihood of each replicate.

    Raises
    ------
    ValueError
        The shapes do not go together.

    Notes
    -----
    On the 1,500 patients of the data ADLB of the R package hce coefficients, errors and likelihood are those of `lme` of nlme.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.slope_model import slope_model
    >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 1.5, 2]), np.arange(200) % 2.0
    >>> base, own = random.normal(45, 10, 200), random.normal(-4, 3, 200)
    >>> egfr = base[:, None] + (own + 1.5 * treated)[:, None] * years + random.normal(0, 3, (200, 5))
    >>> estimate = slope_model(years, egfr, base, treated).chronic()
    >>> bool(abs(estimate.effect[0] - 1.5) < 3 * estimate.standard_error[0])
    True
    """
    y = np.asarray(values, dtype=float)
    y = y[None] if y.ndim == 2 else y
    t = np.broadcast_to(np.asarray(years, dtype=float), y.shape)
    arm = np.broadcast_to(np.asarray(treated, dtype=float), y.shape[:2])
    others = [np.broadcast_to(np.asarray(column, dtype=float), y.shape[:2]) for column in (baseline, *covariates)]
    usable = np.isfinite(arm) & np.all([np.isfinite(column) for column in others], axis=0)
    y = np.where(usable[..., None] & np.isfinite(t), y, np.nan)
    names, design = course_design(t, arm, others, knot, treated_at_start)
    groups = (arm > 0.5).astype(int) if scatter_by_arm else np.zeros(arm.shape, dtype=int)
    parts = []
    step = max(1, _BATCH // (y.shape[1] * max(y.shape[2] * len(names), 4 * len(names) + 28)))
    for first in range(0, len(y), step):
        rows = slice(first, first + step)
        parts.append(_fit_courses(t[rows], y[rows], design[rows], groups[rows], 2 if scatter_by_arm else 1))
    fields = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return SlopeFit(names, **fields, knot=knot)


def course_design(
    t: Array, arm: Array, others: list[Array], knot: float | None, treated_at_start: bool
) -> tuple[tuple[str, ...], Array]:
    """Return the names of the coefficients and the design (R, n, m, p) of courses."""
    wide = np.broadcast_to(arm[..., None], t.shape)
    columns = {"intercept": np.ones(t.shape)}
    if treated_at_start:
        columns["treated"] = wide
    columns |= {"slope": t, "slope: treated": t * wide}
    if knot is not None:
        bend = np.maximum(t - knot, 0.0)
        columns |= {"bend": bend, "bend: treated": bend * wide}
    columns |= {f"covariate {k}": np.broadcast_to(column[..., None], t.shape) for k, column in enumerate(others)}
    return tuple(columns), np.stack(list(columns.values()), -1)


def _fit_courses(t: Array, y: Array, design: Array, groups: Array, count: int) -> dict[str, Array]:
    replicates, p, k = len(y), design.shape[-1], 1 + 3 * count
    present = np.isfinite(y)
    patients = present.any(-1).sum(-1)
    x = np.where(present[..., None], design, 0.0)
    flat_x, flat_y = x.reshape(replicates, -1, p), np.where(present, y, 0.0).reshape(replicates, -1, 1)
    root = np.sqrt((flat_x**2).sum(1))
    able = (root > 0).all(-1)
    root = np.where(root > 0, root, 1.0)
    normal = np.swapaxes(flat_x, -1, -2) @ flat_x / (root[:, :, None] * root[:, None, :])
    able &= np.linalg.eigvalsh(normal)[:, 0] > 1e-11
    fields = {
        "coefficients": np.full((replicates, p), np.nan),
        "covariance": np.full((replicates, p, p), np.nan),
        "variances": np.full((replicates, k), np.nan),
        "log_likelihood": np.full(replicates, np.nan),
        "profile": np.full(replicates, np.nan),
        "gradient": np.full((replicates, k, p, p), np.nan),
        "uncertainty": np.full((replicates, k, k), np.nan),
        "patients": patients.astype(float),
    }
    rows = np.flatnonzero(able)
    if not len(rows):
        return fields
    right = np.swapaxes(flat_x[rows], -1, -2) @ flat_y[rows] / root[rows][..., None]
    ordinary = np.linalg.solve(normal[rows], right)[..., 0] / root[rows]
    residual = np.where(present[rows], y[rows] - (design[rows] @ ordinary[:, None, :, None])[..., 0], np.nan)
    scale = np.sqrt(np.nanmean(residual**2, axis=(1, 2)))
    scale = np.where(scale > 0, scale, 1.0)
    # Columns of length like that of a constant keep the normal equations well conditioned.
    unit = root[rows] / np.sqrt(np.maximum(present[rows].sum((1, 2)), 1))[:, None]
    blocks = course_blocks(t[rows], residual / scale[:, None, None], design[rows] / unit[:, None, None], groups[rows])
    theta, reached = maximise_courses(blocks, count)
    _fill(
        fields, rows[reached], blocks.select(reached), theta[reached], scale[reached], unit[reached], ordinary[reached]
    )
    return fields


def _fill(
    fields: dict[str, Array],
    rows: NDArray[np.intp],
    blocks: CourseBlocks,
    theta: Array,
    scale: Array,
    unit: Array,
    ordinary: Array,
) -> None:
    """Write the fits of some replicates into the fields, in the units of the values."""
    if not len(rows):
        return
    here = course_likelihood(blocks, theta)
    size = scale[:, None] / unit
    outer = size[:, :, None] * size[:, None, :]
    p = ordinary.shape[-1]
    numbers = blocks.freedom + blocks.present.sum((-1, -2)) - p
    fields["coefficients"][rows] = ordinary + size * here.coefficients
    fields["covariance"][rows] = outer * here.spread
    fields["variances"][rows] = theta * scale[:, None] ** 2
    likelihood = -here.value / 2 - numbers * np.log(scale) - np.log(unit).sum(-1)
    fields["log_likelihood"][rows] = likelihood
    fields["profile"][rows] = likelihood + here.log_normal / 2 + np.log(unit).sum(-1)
    changes = here.spread[:, None] @ here.by_parameter @ here.spread[:, None]
    fields["gradient"][rows] = outer[:, None] * changes / scale[:, None, None, None] ** 2
    fields["uncertainty"][rows] = 2 * np.linalg.inv(here.curvature) * scale[:, None, None] ** 4


def best_knot(
    years: ArrayLike,
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    knots: Sequence[float],
    *,
    treated_at_start: bool = True,
    scatter_by_arm: bool = False,
) -> Array:
    """Return the knot in years, of some, with the highest likelihood in each replicate; shape (R,).

    Likelihoods are compared without the restriction, since knots change the design, at the variances of the restricted fit. What a knot that was looked for adds
    to the uncertainty of slopes is not part of their errors.

    Parameters
    ----------
    years, values, baseline, treated
        As in `slope_model`.
    knots
        Candidates in years.
    treated_at_start, scatter_by_arm
        As in `slope_model`.

    Returns
    -------
    numpy.ndarray
        Years, shape (R,); NaN where no model could be fitted.

    Raises
    ------
    ValueError
        There are no knots, or the shapes do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.2, 0.5, 0.8, 1, 2]), np.arange(100) % 2.0
    >>> base = random.normal(45, 10, 100)
    >>> egfr = base[:, None] - 8 * np.minimum(years, 0.5) * treated[:, None] - 3 * years + random.normal(0, 1, (100, 6))
    >>> betapod.analyses.best_knot(years, egfr, base, treated, [0.2, 0.5, 1.0]).tolist()
    [0.5]
    """
    profiles = []
    for knot in knots:
        fit = slope_model(
            years,
            values,
            baseline,
            treated,
            float(knot),
            treated_at_start=treated_at_start,
            scatter_by_arm=scatter_by_arm,
        )
        profiles.append(np.where(np.isfinite(fit.profile), fit.profile, -np.inf))
    best = np.asarray(knots, dtype=float)[np.argmax(profiles, axis=0)]
    return np.where(np.isfinite(profiles).any(0), best, np.nan)
