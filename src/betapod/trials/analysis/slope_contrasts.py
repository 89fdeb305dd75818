"""Acute, chronic and total slopes as combinations of the coefficients of a course."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ...base.errors import ConfigError, Problem, not_among
from .estimators import Array, Estimate


class SlopeContrasts(ABC):
    """What every model of courses says of slopes, however it was fitted.

    Attributes
    ----------
    knot
        In years; None for one line.
    """

    knot: float | None

    @abstractmethod
    def estimate(self, contrast: dict[str, float], level: float = 0.95) -> Estimate:
        """Return a combination of coefficients by name; shape (R,)."""

    def acute(self, level: float = 0.95) -> Estimate:
        """Return how the arms differ at the knot: in the unit of the values, what is there at the start included.

        Parameters
        ----------
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        ConfigError
            There is no knot.

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 2]), np.arange(100) % 2.0
        >>> base = random.normal(45, 10, 100)
        >>> egfr = base[:, None] + (2 * treated - 4)[:, None] * years + random.normal(0, 2, (100, 4))
        >>> fit = betapod.analyses.slope_model(years, egfr, base, treated, knot=0.3)
        >>> fit.acute().effect.shape
        (1,)
        """
        return self.estimate(acute_contrast(self.knot), level)

    def chronic(self, level: float = 0.95) -> Estimate:
        """Return the difference of slopes after the knot, per year; without a knot the difference of slopes.

        Parameters
        ----------
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 2]), np.arange(100) % 2.0
        >>> base = random.normal(45, 10, 100)
        >>> egfr = base[:, None] + (2 * treated - 4)[:, None] * years + random.normal(0, 2, (100, 4))
        >>> fit = betapod.analyses.slope_model(years, egfr, base, treated, knot=0.3)
        >>> fit.chronic().effect.shape
        (1,)
        """
        return self.estimate(total_contrast(np.inf, self.knot), level)

    def total(self, years: float, level: float = 0.95) -> Estimate:
        """Return the difference of total slopes up to a time, per year.

        Parameters
        ----------
        years
            Up to when, above 0.
        level
            Of the interval, such as 0.95.

        Returns
        -------
        Estimate
            Effect, standard error, degrees of freedom, two-sided p, interval and number of patients; shape (R,).

        Raises
        ------
        ConfigError
            Years are not above 0.

        Examples
        --------
        >>> import numpy as np
        >>> import betapod
        >>> random, years, treated = np.random.default_rng(1), np.array([0.1, 0.5, 1, 2]), np.arange(100) % 2.0
        >>> base = random.normal(45, 10, 100)
        >>> egfr = base[:, None] + (2 * treated - 4)[:, None] * years + random.normal(0, 2, (100, 4))
        >>> fit = betapod.analyses.slope_model(years, egfr, base, treated, knot=0.3)
        >>> fit.total(2.0).effect.shape
        (1,)
        """
        return self.estimate(total_contrast(years, self.knot), level)


def named_weights(contrast: dict[str, float], names: tuple[str, ...]) -> Array:
    """Return the weights of coefficients in their order; the parts of a bend are 0 where there is no knot.

    Raises
    ------
    ConfigError
        There is no coefficient of that name.
    """
    for name in contrast:
        if name not in names and name not in ("treated", "bend: treated"):
            raise ConfigError(not_among(names, "unknown-name", "there is no such coefficient", name))
    return np.array([contrast.get(name, 0.0) for name in names])


def acute_contrast(knot: float | None) -> dict[str, float]:
    """Return the difference of arms at the knot as weights of coefficients.

    Raises
    ------
    ConfigError
        There is no knot.
    """
    if knot is None:
        raise ConfigError(
            Problem("no-knot", "a model with one line has no acute effect", hint="Give the model a knot.")
        )
    return {"treated": 1.0, "slope: treated": knot}


def total_contrast(years: float, knot: float | None) -> dict[str, float]:
    """Return the difference of total slopes up to a time as weights of coefficients; up to infinity the chronic slope.

    Raises
    ------
    ConfigError
        Years are not above 0.
    """
    if not years > 0:
        raise ConfigError(
            Problem("wrong-years", "a total slope needs time", found=f"{years}", expected="years above 0")
        )
    share = 0.0 if knot is None else 1.0 if np.isinf(years) else max(years - knot, 0.0) / years
    return {"slope: treated": 1.0, "bend: treated": share}
