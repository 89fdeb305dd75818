"""What one number does by itself: slopes at the model's values, and outputs at both ends of its plausible range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .factors import Factor
from .index_table import Numbers
from .model_function import ModelFunction

#: Step of slopes, as a share of the value, or of the range where the value is 0: large against the error of the integration, small
#: against what a curve bends by. A choice.
STEP = 0.01


@dataclass(frozen=True)
class LocalSensitivities:
    """What every number does by itself.

    Attributes
    ----------
    factors, outputs
        The numbers, and what is read.
    base
        (outputs,) at the model's values.
    elasticity
        (numbers, outputs) per cent that an output changes by for one per cent of the number; NaN where either is 0.
    slope
        (numbers, outputs) change of an output per unit of the number.
    low, high
        (numbers, outputs) with the number at the ends of its range.
    """

    factors: Sequence[Factor]
    outputs: Sequence[str]
    base: Numbers
    elasticity: Numbers
    slope: Numbers
    low: Numbers
    high: Numbers

    @property
    def swing(self) -> Numbers:
        """(numbers, outputs) farthest that an output goes from its value, over the range of a number."""
        ends = np.stack([self.low, self.high])
        return np.asarray(np.max(np.abs(np.nan_to_num(ends - self.base)), axis=0))

    def order(self, output: int) -> list[int]:
        """Return the numbers by what they do to an output, most first."""
        return [int(k) for k in np.argsort(-self.swing[:, output], kind="stable")]


def local_sensitivities(function: ModelFunction) -> LocalSensitivities:
    """Return what every number of a function does by itself, of 4 runs for each and one more, all at once."""
    factors = function.factors
    values = np.array([factor.row.value for factor in factors])
    ends = np.array([factor.range for factor in factors])
    low, high = np.minimum(ends[:, 0], values), np.maximum(ends[:, 1], values)
    steps = STEP * np.where(values != 0.0, np.abs(values), high - low)
    # What is possible at all is not left for a slope.
    down = np.maximum(values - steps, low)
    up = np.minimum(values + steps, high)
    rows = 1 + 4 * len(factors)
    columns: dict[str, Numbers] = {}
    for number, factor in enumerate(factors):
        column = np.full(rows, values[number])
        column[1 + 4 * number : 5 + 4 * number] = down[number], up[number], ends[number, 0], ends[number, 1]
        columns[factor.name] = column
    results = function.of_values(columns)
    base, several = results[0], results[1:].reshape(len(factors), 4, -1)
    slope = (several[:, 1] - several[:, 0]) / (up - down)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        elasticity = np.where((base != 0.0) & (values[:, None] != 0.0), slope * values[:, None] / base, np.nan)
    return LocalSensitivities(factors, function.outputs, base, elasticity, slope, several[:, 2], several[:, 3])


def local_rows(result: LocalSensitivities) -> list[Mapping[str, object]]:
    """Return one row for each output and number, most moved first."""
    rows: list[Mapping[str, object]] = []
    for output, name in enumerate(result.outputs):
        for k in result.order(output):
            factor = result.factors[k]
            rows.append(
                {
                    "output": name,
                    "number": factor.name,
                    "value": factor.row.value,
                    "low": factor.range[0],
                    "high": factor.range[1],
                    "unit": factor.row.unit,
                    "base": float(result.base[output]),
                    "at_low": float(result.low[k, output]),
                    "at_high": float(result.high[k, output]),
                    "elasticity": float(result.elasticity[k, output]),
                    "slope": float(result.slope[k, output]),
                    "grade": factor.row.grade,
                    "submodels": "; ".join(factor.submodels),
                    "meaning": factor.row.label,
                }
            )
    return rows
