"""An ensemble smoother: the posterior from many parameter sets and no derivative, as a cross-check of Gauss-Newton.

Ensemble smoother with multiple data assimilation (Emerick and Reynolds 2013, Comput Geosci 55:3-15): the rows are taken up in several
steps, their errors widened so that all steps together count them once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from .fit_likelihood import Likelihood
from .linear_fit import posterior_loss
from .objective_protocol import Evaluate, Objective, bounds_of
from .posterior import Gaussian, draw_gaussian

Numbers = NDArray[np.float64]
#: Members whose mean lies within so many posterior SDs of the fit agree with it.
AGREES = 1.0
#: Share of fitted rows without a prediction above which a member is replaced.
_MOST_LOST = 0.1
#: Fewest members.
_LEAST = 8


@dataclass(frozen=True)
class SmootherCheck:
    """What an ensemble smoother finds beside a fit.

    Attributes
    ----------
    names
        Of the d unknowns.
    apart
        (d,) mean of members less that of the posterior, in SDs of the posterior.
    spread
        (d,) SD of members over SD of the posterior.
    members
        How many.
    """

    names: tuple[str, ...]
    apart: Numbers
    spread: Numbers
    members: int

    def in_words(self) -> list[str]:
        """Return sentences: how many unknowns agree, which do not, how spreads compare."""
        agree = np.abs(self.apart) <= AGREES
        lines = [
            f"An ensemble smoother of {self.members} members agrees within {AGREES:g} posterior SD on {int(agree.sum())} of "
            f"{len(self.names)} unknowns; its SDs are {float(np.median(self.spread)):.2f} times those of the fit in the median."
        ]
        order = [k for k in np.argsort(-np.abs(self.apart), kind="stable") if not agree[k]]
        if order:
            far = ", ".join(f"{self.names[k]} ({self.apart[k]:+.1f} SD)" for k in order)
            lines.append(f"It goes elsewhere with {far}: there the posterior bends, or slopes are not to be trusted.")
        return lines


def check_with_smoother(
    objective: Objective, likelihood: Likelihood, gaussian: Gaussian, members: int = 100, seed: int = 1
) -> SmootherCheck:
    """Compare a posterior with what `esmda` finds under the same likelihood, without any slope."""
    ensemble = esmda(objective, likelihood, members, seed=seed)
    sd = np.sqrt(np.diag(gaussian.covariance))
    names = tuple(unknown.name for unknown in objective.unknowns)
    return SmootherCheck(
        names, (ensemble.mean(axis=0) - gaussian.mean) / sd, ensemble.std(axis=0, ddof=1) / sd, members
    )


def esmda(
    objective: Objective,
    likelihood: Likelihood,
    members: int = 100,
    assimilations: int = 4,
    seed: int = 1,
    evaluate: Evaluate | None = None,
    progress: Callable[[int, Numbers], None] | None = None,
) -> Numbers:
    """Return members (members, d) of the posterior, in SDs of the prior; `members` times `assimilations` evaluations.

    Errors are those of the likelihood with every row and family at the weight that it has where the ensemble is, so that outlying studies
    count less. Covariances between unknowns and rows shrink by the share of their square that so few members would show without any.
    Few members in many dimensions still end too narrow: take 50 or more, and compare rather than replace Gauss-Newton.

    Parameters
    ----------
    progress
        Called with the step and minus the log posterior (members,) before it.

    Raises
    ------
    ConfigError
        If there are fewer than 8 members or no step, or no row has a prediction at most of the members.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod.calibration.fit_likelihood import Likelihood
    >>> from betapod.calibration.smoother import esmda
    >>> try:
    ...     esmda(None, None, members=3)
    ... except Exception as error:
    ...     print(error.problems[0].kind)
    bad-ensemble
    """
    if members < _LEAST or assimilations < 1:
        raise ConfigError(
            Problem(
                "bad-ensemble",
                "an ensemble smoother needs members and steps",
                found=f"{members} members, {assimilations} steps",
                expected=f"at least {_LEAST} members and 1 step; 50 to 100 members for up to 20 unknowns",
            )
        )
    asked = evaluate or objective.predict
    low, high = bounds_of(objective.unknowns)
    size = len(objective.unknowns)
    u = draw_gaussian(Gaussian(np.zeros(size), np.eye(size), low, high), members, seed).u
    rng = np.random.default_rng(seed)
    for step in range(assimilations):
        u, predicted, use = _survivors(asked, u, objective.rows.fitted, rng)
        if progress:
            progress(step, posterior_loss(likelihood, predicted, u, use))
        u = np.clip(_moved(likelihood, u, predicted, use, float(assimilations), rng), low, high)
    return u


def _survivors(
    evaluate: Evaluate, u: Numbers, fitted: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """Evaluate members; those that fail are replaced by others; return them, and which rows have a prediction at all."""
    predicted = evaluate(u)
    alive = np.mean(~np.isfinite(predicted[:, fitted]), axis=1) <= _MOST_LOST
    use = fitted & np.isfinite(predicted[alive]).all(axis=0) if alive.any() else np.zeros_like(fitted)
    if alive.sum() < len(u) / 2 or not use.any():
        raise ConfigError(
            Problem(
                "nothing-to-fit",
                "most members of the ensemble have no prediction of most rows",
                found=f"{int(alive.sum())} of {len(u)} members, {int(use.sum())} rows",
                hint="narrow the priors, or fit fewer rows",
            )
        )
    of = np.where(alive, np.arange(len(u)), rng.choice(np.flatnonzero(alive), len(u)))
    return u[of], predicted[of], use


def _moved(
    likelihood: Likelihood,
    u: Numbers,
    predicted: Numbers,
    use: NDArray[np.bool_],
    widened: float,
    rng: np.random.Generator,
) -> Numbers:
    """Return members after one step of Kalman's gain with perturbed observations."""
    count = len(u)
    middle = np.where(use, predicted.mean(axis=0), np.nan)
    errors = widened * np.linalg.inv(likelihood.curvature(middle, use)[np.ix_(use, use)])
    outcome = predicted[:, use]
    away, apart = u - u.mean(axis=0), outcome - outcome.mean(axis=0)
    across, within = away.T @ apart / (count - 1), apart.T @ apart / (count - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        square = across**2 / np.outer(np.sum(away**2, axis=0), np.sum(apart**2, axis=0)) * (count - 1) ** 2
    square = np.nan_to_num(square)
    gain = np.linalg.solve(within + errors, (across * _beyond_noise(square, count)).T).T
    noise = rng.standard_normal(outcome.shape) @ np.linalg.cholesky(errors).T
    noise -= noise.mean(axis=0)
    return np.asarray(u + (likelihood.rows.observed[use] + noise - outcome) @ gain.T, dtype=np.float64)


def _beyond_noise(square: Numbers, count: int) -> Numbers:
    """Return what share of squared correlations of so many members is not of sampling."""
    return square / (square + (1.0 + square) / count)
