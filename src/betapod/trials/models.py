"""Analyses of one trial by statsmodels and lifelines: mixed model of repeated visits, Cox regression with covariates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingExtraError
from .analysis import Estimate, estimate

if TYPE_CHECKING:
    import pandas as pd


def mixed_slope(data: pd.DataFrame, level: float = 0.95) -> Estimate:
    """Return the difference of slopes between arms, by a linear mixed model with random intercept and slope (REML).

    Parameters
    ----------
    data
        One row per visit attended: ``patient``, ``treated`` (0 or 1), ``year``, ``value``.

    Returns
    -------
    Estimate
        Unit of `value` per year, shape (1,).

    Raises
    ------
    MissingExtraError
        statsmodels is not installed.
    """
    mixed = _statsmodels()
    kept = data.dropna(subset=["value"])
    treated, year = kept["treated"].to_numpy(float), kept["year"].to_numpy(float)
    design = np.column_stack([np.ones(len(kept)), treated, year, treated * year])
    random = np.column_stack([np.ones(len(kept)), year])
    return _fit(mixed, kept, design, random, 3, level)


def repeated(data: pd.DataFrame, visit: float, level: float = 0.95) -> Estimate:
    """Return the difference between arms at one visit, by a mixed model of all visits (random intercept; REML).

    Visits are categories, each with its own effect of the arm and of the baseline: missing visits are taken as missing at random.
    The covariance within a person is that of a random intercept (compound symmetry).

    Parameters
    ----------
    data
        One row per visit attended after baseline: ``patient``, ``treated``, ``day``, ``value``, ``base``.
    visit
        Day of the visit to compare.
    """
    mixed = _statsmodels()
    kept = data.dropna(subset=["value", "base"])
    days = np.sort(kept["day"].unique())
    at = (kept["day"].to_numpy()[:, None] == days).astype(float)
    treated = kept["treated"].to_numpy(float)[:, None]
    base = kept["base"].to_numpy(float)[:, None]
    design = np.hstack([at, at * treated, at * (base - base.mean())])
    wanted = len(days) + int(np.flatnonzero(days == visit)[0])
    return _fit(mixed, kept, design, np.ones((len(kept), 1)), wanted, level)


def _fit(mixed: Any, data: pd.DataFrame, design: Any, random: Any, wanted: int, level: float) -> Estimate:
    import warnings

    with warnings.catch_warnings():
        # A variance at its bound, zero, is reported as a warning; the fixed effects stand.
        warnings.simplefilter("ignore")
        fitted = mixed.MixedLM(data["value"].to_numpy(float), design, data["patient"].to_numpy(), random).fit(reml=True)
    effect = np.array([fitted.fe_params[wanted]])
    error = np.array([fitted.bse_fe[wanted]])
    return estimate(effect, error, np.inf, data["patient"].nunique(), level)


def cox_adjusted(data: pd.DataFrame, covariates: Sequence[str] = (), level: float = 0.95) -> Estimate:
    """Return the log hazard ratio of ``treated``, adjusted, by lifelines.

    Parameters
    ----------
    data
        One row per patient: ``time``, ``event``, ``treated`` and the covariates.

    Raises
    ------
    MissingExtraError
        lifelines is not installed.
    """
    try:
        from lifelines import CoxPHFitter
    except ImportError:
        raise MissingExtraError("lifelines", "stats", "Cox regression with covariates") from None
    columns = ["time", "event", "treated", *covariates]
    fitted = CoxPHFitter().fit(data[columns].dropna(), "time", "event", fit_options={"precision": 1e-10})
    row = fitted.summary.loc["treated"]
    return estimate(np.array([row["coef"]]), np.array([row["se(coef)"]]), np.inf, len(data), level)


def _statsmodels() -> Any:
    try:
        from statsmodels.regression import mixed_linear_model
    except ImportError:
        raise MissingExtraError("statsmodels", "stats", "a mixed model") from None
    return mixed_linear_model
