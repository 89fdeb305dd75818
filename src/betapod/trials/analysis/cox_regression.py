"""Cox regression with covariates and strata, of single events, recurrent events and events with rivals, for one trial or thousands at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import ConfigError, Problem
from .estimators import Array, Estimate, as_estimate
from .partial_likelihood import partial_likelihood_fit

#: Numbers that the arrays of a batch of replicates may have.
_BATCH = 4_000_000


@dataclass(frozen=True)
class CoxFit:
    """Cox regressions of replicates (R) on p covariates; NaN where the likelihood has no maximum.

    Attributes
    ----------
    coefficients, covariance, robust
        Log hazard ratios, their covariance by the information and by the sandwich of patients; shapes (R, p), (R, p, p), (R, p, p).
    log_likelihood, log_likelihood_without
        At the maximum, and without covariates; shape (R,).
    events, patients
        Shape (R,).

    Examples
    --------
    >>> import betapod
    >>> fit = betapod.analyses.cox_regression([1.0, 2, 3, 4, 5, 6], [1] * 6, [[0, 1, 0, 0, 1, 1]])
    >>> float(fit.events[0]), fit.robust.shape
    (6.0, (1, 1, 1))
    """

    coefficients: Array
    covariance: Array
    robust: Array
    log_likelihood: Array
    log_likelihood_without: Array
    events: Array
    patients: Array

    def estimate(self, covariate: int = 0, robust: bool = False, level: float = 0.95) -> Estimate:
        """Return the log hazard ratio of a covariate with Wald's test and interval, shape (R,).

        Parameters
        ----------
        covariate
            Its number, from 0.
        robust
            Whether the error is that of the sandwich.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        IndexError
            There is no such covariate.

        Examples
        --------
        >>> import betapod
        >>> fit = betapod.analyses.cox_regression([1.0, 2, 3, 4, 5, 6], [1] * 6, [[0, 1, 0, 0, 1, 1]])
        >>> round(float(fit.estimate().effect[0]), 4)
        -1.3945
        """
        used = self.robust if robust else self.covariance
        error = np.sqrt(used[:, covariate, covariate])
        return as_estimate(self.coefficients[:, covariate], error, np.inf, self.patients, level)


def cox_regression(
    time: ArrayLike, event: ArrayLike, covariates: Sequence[ArrayLike], strata: ArrayLike | None = None
) -> CoxFit:
    """Return Cox regressions with Efron's handling of ties.

    Parameters
    ----------
    time, event
        Day of event or censoring, and whether it was an event; shape (R, n) or (n,). A patient with NaN is left out. For the hazard of
        one cause, events of other causes are censoring on their day.
    covariates
        Each of shape (R, n) or (n,); the arm is one of them.
    strata
        Whole numbers; every stratum has a baseline hazard of its own.

    Returns
    -------
    CoxFit
        Log hazard ratios, covariances and likelihoods of each replicate.

    Raises
    ------
    ConfigError
        The shapes do not go together.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.cox_regression import cox_regression
    >>> random = np.random.default_rng(1)
    >>> treated, age = np.arange(400) % 2.0, random.normal(size=400)
    >>> time = random.exponential(np.exp(0.5 * treated - 0.3 * age))
    >>> fit = cox_regression(time, time < 2, [treated, age])
    >>> (abs(fit.coefficients[0] - [-0.5, 0.3]) < 0.25).tolist()
    [True, True]
    """
    ends = np.atleast_2d(np.asarray(time, dtype=float))
    happened = np.broadcast_to(np.asarray(event, dtype=bool), ends.shape)
    return recurrent_cox(np.where(happened, ends, np.nan)[..., None], ends, covariates, strata)


def recurrent_cox(
    event_days: ArrayLike, follow_up: ArrayLike, covariates: Sequence[ArrayLike], strata: ArrayLike | None = None
) -> CoxFit:
    """Return Cox regressions of recurrent events (Andersen and Gill 1982); with `robust` errors the rate model of Lin, Wei, Yang and Ying (2000).

    Parameters
    ----------
    event_days
        Day of each event of each patient, NaN for none; shape (R, n, most events) or (n, most events). Events after the follow-up do not count.
    follow_up
        Last day of each patient, shape (R, n) or (n,): every patient is at risk from 0 to that day, also after events.
    covariates, strata
        As in `cox_regression`.

    Returns
    -------
    CoxFit
        Log rate ratios, covariances and likelihoods of each replicate.

    Raises
    ------
    ConfigError
        The shapes do not go together.

    Notes
    -----
    The ratio is that of mean rates. Patients who die stop being at risk: deaths are treated as censoring.

    Examples
    --------
    >>> import numpy as np
    >>> import betapod
    >>> random, treated = np.random.default_rng(1), np.arange(300) % 2.0
    >>> days = np.cumsum(random.exponential(np.where(treated > 0, 2.0, 1.0)[:, None], (300, 20)), axis=1)
    >>> fit = betapod.analyses.recurrent_cox(days, np.full(300, 3.0), [treated])
    >>> bool(abs(fit.estimate(robust=True).effect[0] + np.log(2)) < 0.25)
    True
    """
    ends = np.atleast_2d(np.asarray(follow_up, dtype=float))
    days = np.asarray(event_days, dtype=float)
    days = days[None] if days.ndim == 2 else days
    if days.shape[:-1] != ends.shape:
        message = "days of events do not fit the follow-up"
        expected = f"{ends.shape}, and the most events of a patient"
        raise ConfigError(Problem("wrong-shape", message, found=f"shape {days.shape}", expected=expected))
    return _fit_all(days, ends, covariates, strata)


def fine_gray(
    time: ArrayLike,
    event: ArrayLike,
    rival: ArrayLike,
    covariates: Sequence[ArrayLike],
    strata: ArrayLike | None = None,
) -> CoxFit:
    """Return regressions of the hazard of the subdistribution (Fine and Gray 1999): of the cumulative incidence of an event with rivals.

    Parameters
    ----------
    time, event, rival
        Day of the event, of the rival event, or of censoring, and which it was; shape (R, n) or (n,).
    covariates, strata
        As in `cox_regression`.

    Returns
    -------
    CoxFit
        Log ratios of the hazard of the subdistribution, covariances and likelihoods of each replicate.

    Raises
    ------
    ConfigError
        The shapes do not go together.

    Notes
    -----
    Those with a rival event stay at risk, with the share of them that would not have been censored by then; that share is estimated within strata, by
    all patients alike. `robust` is the sandwich that takes it as exact. For the hazard of one cause see `cox_regression`.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.trials.analysis.cox_regression import fine_gray
    >>> random = np.random.default_rng(2)
    >>> treated, kind = np.arange(300) % 2.0, random.choice([0, 1, 2], 300)
    >>> time = random.exponential(np.where(treated > 0, 2.0, 1.0))
    >>> fit = fine_gray(time, kind == 1, kind == 2, [treated])
    >>> fit.coefficients.shape, bool(np.isfinite(fit.coefficients[0, 0]))
    ((1, 1), True)
    """
    ends = np.atleast_2d(np.asarray(time, dtype=float))
    happened = np.broadcast_to(np.asarray(event, dtype=bool), ends.shape)
    rivals = np.broadcast_to(np.asarray(rival, dtype=bool), ends.shape) & ~happened
    return _fit_all(np.where(happened, ends, np.nan)[..., None], ends, covariates, strata, rivals)


def _fit_all(
    days: Array,
    ends: Array,
    covariates: Sequence[ArrayLike],
    strata: ArrayLike | None,
    rivals: NDArray[np.bool_] | None = None,
) -> CoxFit:
    """Return the fits of all replicates, batch by batch."""
    x = np.stack([_fitting(column, ends.shape) for column in covariates], -1)
    codes = np.zeros(ends.shape) if strata is None else _fitting(strata, ends.shape)
    member = np.asarray(np.isfinite(ends) & np.isfinite(x).all(-1) & np.isfinite(codes))
    step = max(1, _BATCH // (max(ends.shape[-1], 1) * (x.shape[-1] + 1) ** 2))
    parts = []
    for first in range(0, len(ends), step):
        rows = slice(first, first + step)
        lingering = None if rivals is None else rivals[rows]
        parts.append(partial_likelihood_fit(days[rows], ends[rows], codes[rows], x[rows], member[rows], lingering))
    return CoxFit(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _fitting(column: ArrayLike, shape: tuple[int, ...]) -> Array:
    values = np.asarray(column, dtype=float)
    if values.shape not in (shape, shape[-1:]):
        raise ConfigError(
            Problem(
                "wrong-shape",
                "a covariate or strata do not fit the days",
                found=f"shape {values.shape}",
                expected=f"{shape} or {shape[-1:]}, as replicates and patients of the days",
            )
        )
    return np.broadcast_to(values, shape)
