"""Errors of measurements: additive, proportional or both, stated or estimated, or from the table's own column.

The SD of a measurement is ``sqrt(additive^2 + (proportional * prediction)^2)``. Where sizes are to be estimated, they are common to all
people and follow from the residuals of all of them by pseudo-likelihood (Davidian and Giltinan's pooled generalised least squares): a
squared residual is expected to be the variance times one minus its leverage, so that an additive error alone has the usual estimate,
the sum of squares by the degrees of freedom that are left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
FORMS = ("additive", "proportional", "combined", "column")
#: Size of a prediction, as a share of the largest, below which a proportional error is none.
NOUGHT = 1e-6
#: Degrees of freedom that must be left for an estimate of sizes, and how much smaller than before a size becomes at most.
_LEFT, _LEAST = 0.5, 1e-3
#: First guess of a proportional error, and of an additive one as a share of the median measurement.
_GUESS = 0.1


@dataclass(frozen=True)
class ErrorModel:
    """How far measurements of one observable are from the truth.

    Attributes
    ----------
    form
        ``additive``, ``proportional``, ``combined``, or ``column`` where each measurement brings its own SD.
    additive, proportional
        Sizes: in the observable's unit, and as a share; NaN where they are yet to be estimated, 0 where the form has none.
    estimated
        Whether sizes follow from the residuals.

    Examples
    --------
    >>> from betapod.calibration.individual.error_model import ErrorModel
    >>> ErrorModel("combined", 3.0, 0.1).spread([40.0], [float("nan")])
    array([5.])
    """

    form: str
    additive: float = math.nan
    proportional: float = math.nan
    estimated: bool = False

    def spread(self, predicted: Numbers | list[float], column: Numbers | list[float]) -> Numbers:
        """Return the SD (n,) of each measurement, at its prediction; `column` is that of the table, NaN where it is empty."""
        predicted, column = np.asarray(predicted, dtype=np.float64), np.asarray(column, dtype=np.float64)
        if self.form == "column":
            return column
        additive = self.additive if self.form != "proportional" else 0.0
        share = self.proportional if self.form != "additive" else 0.0
        return np.asarray(np.hypot(additive, share * np.abs(predicted)))

    def guessed(self, observed: Numbers) -> ErrorModel:
        """Return the model with first guesses of sizes that are to be estimated."""
        if not self.estimated:
            return self
        typical = float(np.median(np.abs(observed))) if len(observed) else 1.0
        share = _GUESS / math.sqrt(2.0) if self.form == "combined" else _GUESS
        return replace(
            self,
            additive=0.0 if self.form == "proportional" else share * (typical or 1.0),
            proportional=0.0 if self.form == "additive" else share,
        )

    def refined(self, residual: Numbers, predicted: Numbers, leverage: Numbers) -> ErrorModel:
        """Return the model with sizes estimated from residuals (n,), predictions (n,) and leverages (n,) of all people."""
        if not self.estimated:
            return self
        left = np.clip(1.0 - leverage, 0.0, 1.0)
        if float(left.sum()) < _LEFT:
            return self
        if self.form == "combined":
            return self._both(residual**2, predicted**2, left)
        sizes = np.abs(predicted)
        counted = (
            sizes > NOUGHT * float(np.max(sizes)) if self.form == "proportional" else np.ones(len(sizes), dtype=bool)
        )
        scaled = residual[counted] / (sizes[counted] if self.form == "proportional" else 1.0)
        size = math.sqrt(float(np.sum(scaled**2)) / max(float(left[counted].sum()), _LEFT))
        if self.form == "additive":
            return replace(self, additive=max(size, _LEAST * (self.additive or 1.0)))
        return replace(self, proportional=max(size, _LEAST * (self.proportional or 1.0)))

    def _both(self, squares: Numbers, predicted_squares: Numbers, left: Numbers) -> ErrorModel:
        """Return the model with both sizes at the largest pseudo-likelihood, over their logarithms."""
        from scipy.optimize import minimize

        def loss(logs: Numbers) -> float:
            variance = np.exp(2.0 * logs[0]) + np.exp(2.0 * logs[1]) * predicted_squares
            return float(np.sum(left * np.log(variance) + squares / variance))

        total = math.sqrt(float(np.sum(squares)) / float(left.sum()))
        total = max(total, _LEAST * math.hypot(self.additive, self.proportional))
        share = total / (math.sqrt(float(np.mean(predicted_squares))) or 1.0)
        starts = [(math.log(total * a), math.log(share * b)) for a, b in ((0.7, 0.7), (1.0, 0.05), (0.05, 1.0))]
        low, high = -12.0, 4.0
        bounds = [(math.log(total) + low, math.log(total) + high), (math.log(share) + low, math.log(share) + high)]
        found_best = min(
            (minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts),
            key=lambda best: float(best.fun),
        )
        return replace(self, additive=float(np.exp(found_best.x[0])), proportional=float(np.exp(found_best.x[1])))

    def moved(self, other: ErrorModel) -> float:
        """Return the largest change of a size between two models, as a share of the total."""
        if not self.estimated:
            return 0.0
        pairs = ((self.additive, other.additive), (self.proportional, other.proportional))
        return max((abs(a - b) / max(abs(a), abs(b)) for a, b in pairs if max(abs(a), abs(b)) > 0.0), default=0.0)

    def words(self, unit: str) -> str:
        """Return the sizes for reading, such as ``0.3 mg/L and 8 %``."""
        if self.form == "column":
            return "as in the table"
        in_unit = "" if unit == "1" else f" {unit}"
        parts = [f"{self.additive:.4g}{in_unit}"] if self.form != "proportional" else []
        parts += [f"{100 * self.proportional:.4g} %"] if self.form != "additive" else []
        return " and ".join(parts)
