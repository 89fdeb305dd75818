"""Mixed model of repeated measures (MMRM): all visits of a trial together, for one trial or thousands at once.

The expected course has coefficients by visit; the covariance of a patient's visits has one of seven structures. Estimates are those of
restricted maximum likelihood; degrees of freedom are Satterthwaite's, standard errors on request those of Kenward and Roger (1997). Both rest
on the observed information, with the parameters of SAS PROC MIXED. Missing visits are taken as missing at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from ...base.errors import ConfigError, Problem, not_among
from .covariance_structures import Structure, structure_of
from .estimators import Array, Estimate, as_estimate
from .restricted_likelihood import VisitLikelihood, maximise, restricted_likelihood, summed_blocks
from .visit_patterns import PatternSums, pattern_sums

#: Patients who attended both of two visits, per parameter of the covariance, below which it is not estimated; assumed.
_PATIENTS_PER_PARAMETER = 1.0
#: Numbers that the largest array of a batch of replicates may have.
_BATCH = 2_000_000

Adjustment = Literal["Satterthwaite", "Kenward-Roger"]
ADJUSTMENTS = ("Satterthwaite", "Kenward-Roger")


@dataclass(frozen=True)
class MixedModelFit:
    """Mixed models of replicates (R): p coefficients, V visits, k parameters of the covariance; NaN where there is no fit.

    Attributes
    ----------
    coefficients
        Of `constant` covariates first, then of those `by_visit`, visit after visit; shape (R, p).
    covariance, adjusted
        Of the coefficients, by the model and after Kenward and Roger; shape (R, p, p).
    visits
        Covariance of a patient's visits, shape (R, V, V).
    log_likelihood
        Restricted, shape (R,).
    gradient, uncertainty
        Derivatives of `covariance` by the parameters of the covariance, and the covariance of those; (R, k, p, p), (R, k, k).
    patients, observations
        Analysed, shape (R,).
    constant, by_visit
        Number of covariates of either kind.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> course = np.random.default_rng(1).normal(size=(40, 3))
    >>> fit = betapod.analyses.fit_mmrm(course, by_visit=[np.ones(40)], structure="AR(1)")
    >>> fit.visits.shape, fit.coefficients.shape
    ((1, 3, 3), (1, 3))
    """

    coefficients: Array
    covariance: Array
    adjusted: Array
    visits: Array
    log_likelihood: Array
    gradient: Array
    uncertainty: Array
    patients: Array
    observations: Array
    constant: int
    by_visit: int

    def position(self, covariate: int, visit: int) -> int:
        """Return which coefficient is that of a covariate `by_visit` at a visit, both counted from 0.

        Parameters
        ----------
        covariate, visit
            Numbers, from 0.

        Returns
        -------
        int
            Place along the coefficients.

        Raises
        ------
        IndexError
            There is no such covariate or visit.

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> course = np.random.default_rng(1).normal(size=(40, 3))
        >>> fit = betapod.analyses.fit_mmrm(course, by_visit=[np.ones(40), np.arange(40) % 2.0])
        >>> fit.position(1, visit=2)
        5
        """
        if not (0 <= covariate < self.by_visit and 0 <= visit < self.visits.shape[-1]):
            raise IndexError(f"there are {self.by_visit} covariates by visit and {self.visits.shape[-1]} visits")
        return self.constant + visit * self.by_visit + covariate

    def estimate(self, contrast: ArrayLike, adjustment: Adjustment = "Kenward-Roger", level: float = 0.95) -> Estimate:
        """Return a linear combination of coefficients (p,) with its test and interval, shape (R,).

        Parameters
        ----------
        contrast
            Weights of the coefficients, shape (p,).
        adjustment
            ``Kenward-Roger`` or ``Satterthwaite``: the same degrees of freedom, the former with larger standard errors.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        ConfigError
            There is no such adjustment.

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> course = np.random.default_rng(1).normal(size=(40, 3))
        >>> fit = betapod.analyses.fit_mmrm(course, by_visit=[np.ones(40), np.arange(40) % 2.0])
        >>> estimate = fit.estimate(np.eye(6)[5])
        >>> round(float(estimate.degrees[0]), 6)
        38.0
        """
        check_adjustment(adjustment)
        contrast = np.asarray(contrast, dtype=float)
        # Coefficients that nobody's data speak to are NaN, and concern only those contrasts that they are part of.
        part = np.flatnonzero(contrast)
        weights = contrast[part]
        effect = self.coefficients[:, part] @ weights
        variance = np.einsum("p,rpq,q->r", weights, self.covariance[:, part][..., part], weights)
        changes = np.einsum("p,rkpq,q->rk", weights, self.gradient[:, :, part][..., part], weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            degrees = 2 * variance**2 / np.einsum("rk,rkl,rl->r", changes, self.uncertainty, changes)
            used = self.adjusted if adjustment == "Kenward-Roger" else self.covariance
            error = np.sqrt(np.einsum("p,rpq,q->r", weights, used[:, part][..., part], weights))
        return as_estimate(effect, error, degrees, self.patients, level)


def check_adjustment(adjustment: str) -> None:
    if adjustment not in ADJUSTMENTS:
        raise ConfigError(
            not_among(ADJUSTMENTS, "unknown-adjustment", "there is no such method for degrees of freedom", adjustment)
        )


def fit_mmrm(
    values: ArrayLike,
    by_visit: Sequence[ArrayLike],
    constant: Sequence[ArrayLike] = (),
    structure: str = "unstructured",
) -> MixedModelFit:
    """Fit mixed models of repeated measures with covariates of one's own.

    Parameters
    ----------
    values
        Shape (R, n, V) or (n, V); NaN where a visit was missed.
    by_visit
        Covariates, shape (n,) or (R, n), that have a coefficient at each visit; ones for the mean of each visit.
    constant
        Covariates that have one coefficient for all visits.
    structure
        Of the covariance: ``unstructured``, ``Toeplitz``, ``AR(1)``, ``compound symmetry``, or ``heterogeneous`` and one of the last three.

    Returns
    -------
    MixedModelFit
        Coefficients, their covariance, the covariance of visits and the likelihood of each replicate.

    Raises
    ------
    ConfigError
        There is no such structure, or the shapes do not fit.

    Notes
    -----
    Coefficients, errors, degrees of freedom and likelihood are those of SAS PROC MIXED (``ddfm=satterthwaite`` and ``ddfm=kenwardroger``) on the
    data of the R package mmrm.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.mixed_model import fit_mmrm
    >>> random = np.random.default_rng(1)
    >>> treated = np.arange(80) % 2.0
    >>> course = random.normal(size=(80, 1)) + random.normal(size=(80, 3)) + 0.8 * treated[:, None]
    >>> course[:9, 2] = np.nan
    >>> fit = fit_mmrm(course, by_visit=[np.ones(80), treated], structure="compound symmetry")
    >>> contrast = np.zeros(6)
    >>> contrast[fit.position(1, visit=2)] = 1
    >>> estimate = fit.estimate(contrast)
    >>> bool(abs(estimate.effect[0] - 0.8) < 3 * estimate.standard_error[0])
    True
    """
    y = np.asarray(values, dtype=float)
    y = y[None] if y.ndim == 2 else y
    check_values(y)
    columns = [*constant, *by_visit]
    z = np.stack([column_of(column, y.shape[:2]) for column in columns], -1)
    allowed = _allowed(len(constant), len(by_visit), y.shape[-1])
    form = structure_of(structure, y.shape[-1])
    parts = []
    for rows in batches(len(y), y.shape, form.count, y.shape[-1] * len(columns)):
        parts.append(_fit(pattern_sums(y[rows], z[rows], allowed), form))
    whole_fit = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return MixedModelFit(**whole_fit, constant=len(constant), by_visit=len(by_visit))


def check_values(values: Array) -> None:
    if values.ndim != 3 or 0 in (len(values), values.shape[-1]):
        raise ConfigError(
            Problem(
                "wrong-shape",
                "values of a mixed model have replicates, patients and visits",
                found=f"shape {values.shape}",
                expected="(replicates, patients, visits) or (patients, visits)",
            )
        )


def column_of(column: ArrayLike, shape: tuple[int, ...]) -> Array:
    values = np.asarray(column, dtype=float)
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise ConfigError(
            Problem(
                "wrong-shape",
                "a covariate does not fit the values",
                found=f"shape {values.shape}",
                expected=f"{shape} or {shape[1:]}, as replicates and patients of the values",
            )
        ) from None


def _allowed(constant: int, by_visit: int, visits: int) -> Array | None:
    """Return which coefficients by visit the free ones stand for; None where all are free."""
    if not constant:
        return None
    q = constant + by_visit
    allowed = np.zeros((visits, q, constant + visits * by_visit))
    for v in range(visits):
        allowed[v, range(constant), range(constant)] = 1.0
        first = constant + v * by_visit
        allowed[v, range(constant, q), range(first, first + by_visit)] = 1.0
    return allowed.reshape(visits * q, -1)


def batches(replicates: int, shape: tuple[int, ...], parameters: int, coefficients: int) -> list[slice]:
    patterns = min(shape[1] + 1, 2 ** shape[2])
    numbers = patterns * parameters * shape[2] ** 2 + parameters * coefficients**2 + shape[1] * coefficients
    step = max(1, min(1000, _BATCH // numbers))
    return [slice(first, first + step) for first in range(0, replicates, step)]


def _fit(sums: PatternSums, structure: Structure) -> dict[str, Array]:
    """Return the fields of a fit of replicates; NaN where there is none."""
    count, p = sums.ordinary.shape
    visits, k = sums.yy.shape[-1], structure.count
    shapes = {
        "coefficients": (p,),
        "covariance": (p, p),
        "adjusted": (p, p),
        "visits": (visits, visits),
        "log_likelihood": (),
        "gradient": (k, p, p),
        "uncertainty": (k, k),
    }
    fields = {name: np.full((count, *shape), np.nan) for name, shape in shapes.items()}
    fields |= {"patients": sums.patients.astype(float), "observations": sums.observations.astype(float)}
    able = np.flatnonzero(sums.usable & _enough(sums, structure))
    if not len(able):
        return fields
    part = sums.select(able)
    theta, reached = maximise(part, structure)
    if not reached.any():
        return fields
    able, part, theta = able[reached], part.select(reached), theta[reached]
    here = restricted_likelihood(part, structure, theta)
    unit = part.scale[:, None, None]
    uncertainty: Array = 2 * np.asarray(np.linalg.inv(here.curvature), dtype=np.float64)
    hidden = np.where(part.idle, np.nan, 0.0)
    blank = hidden[:, :, None] + hidden[:, None, :]
    freedom = part.observations - (~part.idle).sum(-1)
    fields["coefficients"][able] = part.ordinary + part.scale[:, None] * here.coefficients + hidden
    fields["covariance"][able] = unit**2 * here.spread + blank
    fields["adjusted"][able] = unit**2 * _kenward_roger(part, structure, theta, here, uncertainty) + blank
    fields["visits"][able] = unit**2 * structure.matrix(theta)
    fields["log_likelihood"][able] = -here.value / 2 - freedom * np.log(part.scale)
    changes = here.spread[:, None] @ here.by_parameter @ here.spread[:, None]
    fields["gradient"][able] = unit[:, None] ** 2 * changes
    fields["uncertainty"][able] = uncertainty
    return fields


def _enough(sums: PatternSums, structure: Structure) -> np.ndarray:
    """Whether every two visits have enough patients who attended both."""
    together = (sums.size[..., None, None] * sums.attended[..., :, None] * sums.attended[..., None, :]).sum(1)
    needed = sums.zz.shape[-1] + _PATIENTS_PER_PARAMETER * structure.count
    return np.asarray(together.min((-1, -2)) > needed)


def _kenward_roger(
    sums: PatternSums, structure: Structure, theta: Array, here: VisitLikelihood, uncertainty: Array
) -> Array:
    """Return the covariance of the coefficients with the part that the estimated covariance of visits adds.

    Phi + 2 Phi [sum W_ij (Q_ij - P_i Phi P_j - R_ij / 4)] Phi of Kenward and Roger (1997), W the uncertainty of the parameters,
    P_i = -X' V^-1 V_i V^-1 X, Q_ij = X' V^-1 V_i V^-1 V_j V^-1 X, R_ij = X' V^-1 V_ij V^-1 X.
    """
    mixed = np.einsum("rjk,rpkab->rpjab", uncertainty, here.turned)
    inner = (here.turned @ mixed).sum(2) @ here.weights
    bends = structure.second(theta)
    if bends is not None:
        bent = np.einsum("rjk,rjkab->rab", uncertainty, bends)
        inner = inner - here.weights @ bent[:, None] @ here.weights / 4
    second = summed_blocks(inner, sums.zz, sums.allowed)
    pulled = np.einsum("rjk,rkpq->rjpq", uncertainty, here.by_parameter)
    second = second - (here.by_parameter @ here.spread[:, None] @ pulled).sum(1)
    adjusted = here.spread + 2 * here.spread @ second @ here.spread
    return np.asarray((adjusted + np.swapaxes(adjusted, -1, -2)) / 2)
