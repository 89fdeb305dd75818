"""The scale on which a number is known beforehand: its plausible range is 95 % of a normal distribution, of the number or of its logarithm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..base.constants import Z95
from .factors import Factor
from .index_table import Numbers


@dataclass(frozen=True)
class NumberScale:
    """A number in SDs of what is known of it, from its value in the model.

    Attributes
    ----------
    logarithmic
        Whether it is counted by its logarithm.
    value, sd
        Its value, and one SD, on that scale.
    ends
        Of its range, on that scale.
    """

    logarithmic: bool
    value: float
    sd: float
    ends: tuple[float, float]

    @classmethod
    def of(cls, factor: Factor) -> NumberScale:
        """Return the scale of a number."""
        logarithmic = factor.law == "even on the log scale"
        low, high, value = (float(np.log(x)) if logarithmic else float(x) for x in (*factor.range, factor.row.value))
        return cls(logarithmic, value, (high - low) / (2 * Z95), (low, high))

    @property
    def bounds(self) -> tuple[float, float]:
        """The ends of its range in SDs from its value."""
        low, high = self.ends
        return min((low - self.value) / self.sd, 0.0), max((high - self.value) / self.sd, 0.0)

    def values(self, z: Numbers) -> Numbers:
        """Return values, of places in SDs from the value in the model."""
        at = self.value + self.sd * np.asarray(z, dtype=np.float64)
        return np.asarray(np.exp(at) if self.logarithmic else at)
