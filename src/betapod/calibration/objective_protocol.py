"""What an algorithm of the fit asks of a model: unknowns, rows, and predictions of many parameter sets at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .fit_rows import FitRows
from .unknown import FARTHEST, Unknown

if TYPE_CHECKING:
    from ..validation.predictions.study_courses import Condition

Numbers = NDArray[np.float64]
#: Predictions of parameter sets: (K, d) places of the prior to (K, n) on the scale of the fit, NaN where a row cannot be computed.
Evaluate: TypeAlias = Callable[[Numbers], Numbers]


class Objective(Protocol):
    """A model with unknowns, and the rows that it is held against."""

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What may be changed, d of them."""

    @property
    def rows(self) -> FitRows:
        """What is compared, n rows."""

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) on the scale of the fit at places (K, d) of the prior; NaN where there is none."""


class RowSource(Protocol):
    """A part of an objective: published rows, quantiles of a survey, clamps."""

    @property
    def name(self) -> str:
        """Of the source, for messages."""

    @property
    def rows(self) -> FitRows:
        """What is compared, n rows."""

    def predict(self, conditions: Sequence[Condition]) -> Numbers:
        """Return predictions (K, n) on the scale of the fit."""


def bounds_of(unknowns: Sequence[Unknown]) -> tuple[Numbers, Numbers]:
    """Return the lowest and highest place (d,) of each unknown: its own bounds, and never beyond `FARTHEST` SDs of the prior.

    Examples
    --------
    >>> from betapod.calibration.objective_protocol import bounds_of
    >>> from betapod.calibration.unknown import Unknown
    >>> low, high = bounds_of([Unknown("loss", "row", "1/a", 0.01, "linear", 0.005, low=0.0)])
    >>> low.tolist(), high.tolist()
    ([-2.0], [3.0])
    """
    low = [max(-FARTHEST, _place(unknown, unknown.low, -math.inf)) for unknown in unknowns]
    high = [min(FARTHEST, _place(unknown, unknown.high, math.inf)) for unknown in unknowns]
    return np.array(low), np.array(high)


def _place(unknown: Unknown, bound: float, never: float) -> float:
    """Return the place of a bound; `never` where its transform cannot reach the bound."""
    reach = {"log": (0.0, math.inf), "logit": (0.0, 1.0), "atanh": (-1.0, 1.0)}
    least, most = reach.get(unknown.transform, (-math.inf, math.inf))
    return float(unknown.place(bound)) if least < bound < most else never
