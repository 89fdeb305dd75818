"""The difference between arms at the last visit by a mixed model of all visits (MMRM)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .estimators import Array, Estimate
from .mixed_model import Adjustment, batches, check_adjustment, check_values, column_of, fit_mmrm


def mmrm(
    values: ArrayLike,
    baseline: ArrayLike,
    treated: ArrayLike,
    strata: ArrayLike | None = None,
    level: float = 0.95,
    *,
    covariates: Sequence[ArrayLike] = (),
    structure: str = "unstructured",
    adjustment: Adjustment = "Satterthwaite",
) -> Estimate:
    """Return the difference between arms at the last visit, from all visits after baseline, by restricted maximum likelihood.

    Visits are categories, each with its own effect of the arm, the baseline, the strata and covariates. Without missing visits and with an
    unstructured covariance all of it equals the analysis of covariance at the last visit.

    Parameters
    ----------
    values
        Shape (R, patients, visits) or (patients, visits); NaN where a visit was missed.
    baseline, treated, strata, covariates
        Shape (R, patients) or (patients,). A stratum that a replicate lacks costs it nothing.
    structure
        As in `fit_mmrm`.
    adjustment
        ``Satterthwaite``, or ``Kenward-Roger``, which has the same degrees of freedom for one difference and larger standard errors.
    level
        Of the interval, such as 0.95.

    Returns
    -------
    Estimate
        Shape (R,); NaN where the trial is too small for the model, or the fit fails.

    Raises
    ------
    ConfigError
        There is no such structure or adjustment, or the shapes do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, treated = np.random.default_rng(1), np.arange(60) % 2.0
    >>> base = random.normal(50, 10, (20, 60))
    >>> course = 0.8 * base[..., None] + random.normal(0, 5, (20, 60, 3)) + 4 * treated[:, None]
    >>> course[:, ::7, 2] = np.nan
    >>> estimate = betapod.analyses.mmrm(course, base, treated, adjustment="Kenward-Roger")
    >>> estimate.effect.shape, bool(abs(estimate.effect.mean() - 4) < 1)
    ((20,), True)
    """
    check_adjustment(adjustment)
    y = np.asarray(values, dtype=float)
    y = y[None] if y.ndim == 2 else y
    check_values(y)
    arm = column_of(treated, y.shape[:2])
    columns = [np.ones(y.shape[:2]), arm]
    columns += [_centred(column_of(column, y.shape[:2])) for column in (baseline, *covariates)]
    if strata is not None:
        codes = column_of(strata, y.shape[:2])
        columns += [(codes == code).astype(float) for code in np.unique(codes)[1:]]
    parts = []
    for rows in batches(len(y), y.shape, y.shape[-1] * (y.shape[-1] + 1) // 2, y.shape[-1] * len(columns)):
        fit = fit_mmrm(y[rows], [column[rows] for column in columns], structure=structure)
        contrast = np.zeros(fit.coefficients.shape[-1])
        contrast[fit.position(1, y.shape[-1] - 1)] = 1.0
        parts.append(fit.estimate(contrast, adjustment, level))
    names = Estimate.__dataclass_fields__
    return Estimate(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _centred(column: Array) -> Array:
    """Return a covariate as distances from its mean, in standard deviations, of all replicates together."""
    finite = column[np.isfinite(column)]
    if not len(finite):
        return column
    size = float(finite.std())
    return (column - float(finite.mean())) / (size if size > 0 else 1.0)
