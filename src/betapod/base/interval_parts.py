"""What an interval is made of, told apart: chance, parameters that nobody knows better, and what studies differ by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from .intervals import joint_deviation, student

#: Parts of an interval, in the order in which they are shown, in words.
INTERVAL_PARTS: Mapping[str, str] = {
    "chance": "by chance",
    "parameters": "by parameters",
    "studies": "between studies",
}
#: Degrees of freedom of what studies differ by: one study in a hundred lies 3.3 SDs out.
STUDY_FREEDOM = 4.0


@dataclass(frozen=True)
class IntervalParts:
    """Independent deviations behind one interval.

    Attributes
    ----------
    chance
        SD by chance alone: who is enrolled, what is measured, who leaves. All three are on the scale on which they add up, such as that
        of logarithms; NaN is a part that the interval does not hold.
    parameters
        SD between sets of parameters of the body and of cells.
    studies
        SD of what studies of the kind differ by beyond their own errors.
    sets
        Sets of parameters behind `parameters`: an SD of so many numbers is itself a guess. 0 stands for as good as known.

    Examples
    --------
    >>> from betapod.base.interval_parts import IntervalParts
    >>> parts = IntervalParts(chance=3.0, parameters=4.0)
    >>> parts.held
    ('chance', 'parameters')
    >>> low, high = parts.interval(10.0)
    >>> round(low, 1), round(high, 1)
    (0.2, 19.8)
    """

    chance: float = math.nan
    parameters: float = math.nan
    studies: float = math.nan
    sets: int = 0

    @property
    def held(self) -> tuple[str, ...]:
        """Names of the parts that the interval holds."""
        return tuple(name for name in INTERVAL_PARTS if math.isfinite(getattr(self, name)))

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the parts that it does not hold."""
        return tuple(name for name in INTERVAL_PARTS if name not in self.held)

    def interval(
        self, centre: float, level: float = 0.95, names: Sequence[str] = tuple(INTERVAL_PARTS)
    ) -> tuple[float, float]:
        """Return the ends of an interval around a number, of some of the parts together; of all that are there by default.

        Parts whose size or tails are guesses make it wider, see `intervals.joint_deviation`. NaN where none of them is there.

        Parameters
        ----------
        level
            Share that it holds.
        names
            Of `INTERVAL_PARTS`.
        """
        used = [self._variance(name) for name in names if name in self.held]
        if not used:
            return math.nan, math.nan
        scale, freedom = (float(number) for number in joint_deviation(*used))
        half = student(NormalDist().inv_cdf(0.5 + level / 2.0), freedom) * scale
        return centre - half, centre + half

    def _variance(self, name: str) -> tuple[float, float]:
        """Return variance and degrees of freedom of a part."""
        sd: float = getattr(self, name)
        if name == "studies":
            return sd**2, STUDY_FREEDOM
        # Two or three sets would leave no variance at all.
        freedom = max(float(self.sets - 1), 3.0) if name == "parameters" and self.sets else math.inf
        return sd**2 * (freedom / (freedom - 2.0) if math.isfinite(freedom) else 1.0), freedom

    def as_columns(self) -> dict[str, float]:
        """Return the SDs as columns of tables: ``sd_chance``, ``sd_parameters``, ``sd_studies``."""
        return {f"sd_{name}": float(getattr(self, name)) for name in INTERVAL_PARTS}
