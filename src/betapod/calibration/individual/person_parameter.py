"""Parameters that are fitted for each person: scale, bounds, and what is thought of them before any data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.constants import Z95

Numbers = NDArray[np.float64]
#: Scales on which a parameter is looked for.
SCALES_OF_SEARCH = ("log", "linear", "logit")
#: Relative step of finite differences: simulations are good to 9 digits, so that slopes are good to about 7.
STEP = 1e-4


@dataclass(frozen=True)
class PersonParameter:
    """A parameter of the model that every person has a value of her own of.

    Attributes
    ----------
    name, unit, label
        As in the model's table.
    start
        Where the search begins.
    transform
        Scale of the search, of standard errors and of the group: ``log``, ``linear`` or ``logit``.
    low, high
        Bounds that no value leaves.
    prior_low, prior_high
        Range that holds 95 % of people before any data; infinite without a prior.

    Examples
    --------
    >>> from betapod.calibration.individual.person_parameter import PersonParameter
    >>> k = PersonParameter("k", "1/day", 0.5, "log", 0.0, float("inf"))
    >>> round(float(k.natural(k.searched(0.25))), 6)
    0.25
    """

    name: str
    unit: str
    start: float
    transform: str
    low: float = -math.inf
    high: float = math.inf
    prior_low: float = -math.inf
    prior_high: float = math.inf
    label: str = ""

    @property
    def has_prior(self) -> bool:
        """Whether anything is thought of it before the data."""
        return math.isfinite(self.prior_low) and math.isfinite(self.prior_high)

    @property
    def prior(self) -> tuple[float, float]:
        """Centre and SD of the prior on the scale of the search; the SD is infinite without one."""
        if not self.has_prior:
            return float(self.searched(self.start)), math.inf
        ends = self.searched(np.array([self.prior_low, self.prior_high]))
        return float(ends.mean()), float(ends[1] - ends[0]) / (2.0 * Z95)

    @property
    def bounds(self) -> tuple[float, float]:
        """Bounds on the scale of the search."""
        with np.errstate(divide="ignore"):
            span = (0.0, 1.0) if self.transform == "logit" else (-math.inf, math.inf)
            ends = self.searched(np.clip([self.low, self.high], *span))
        return float(ends[0]), float(ends[1])

    @property
    def step(self) -> float:
        """Half the distance of two points from which a slope is taken, on the scale of the search."""
        if self.transform != "linear":
            return STEP
        widths = (abs(self.start), self.prior[1], self.high - self.low, 1.0)
        return STEP * next(width for width in widths if 0.0 < width < math.inf)

    def searched(self, value: float | Numbers) -> Numbers:
        """Return values on the scale of the search."""
        x = np.asarray(value, dtype=np.float64)
        if self.transform == "log":
            return np.asarray(np.log(np.maximum(x, 0.0)))
        if self.transform == "logit":
            with np.errstate(divide="ignore"):
                return np.asarray(np.log(x) - np.log1p(-x))
        return x

    def natural(self, at: float | Numbers) -> Numbers:
        """Return values in the parameter's unit."""
        x = np.asarray(at, dtype=np.float64)
        if self.transform == "log":
            return np.asarray(np.exp(x))
        return np.asarray(1.0 / (1.0 + np.exp(-x))) if self.transform == "logit" else x

    def slope(self, at: float | Numbers) -> Numbers:
        """Return by how much the value changes per unit of the scale of the search."""
        value = self.natural(at)
        if self.transform == "log":
            return value
        return value * (1.0 - value) if self.transform == "logit" else np.ones_like(value)
