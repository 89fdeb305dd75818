"""One row of a parameter table: value, unit, range, distribution, role and source."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...base.constants import Z95
from ...base.errors import NOWHERE, Location

COLUMNS = ("id", "label", "value", "unit", "low", "high", "distribution", "role", "source", "locator", "grade", "note")
ROLES = ("literature", "calibrated", "derived", "memory", "assumed", "input", "imported")
GRADES = ("A", "B", "C", "D")
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "uniform", "logitnormal")
#: A distribution as text: its name, and two arguments or none.
DISTRIBUTION = re.compile(r"(\w+)(?:\(\s*([^,()]+)\s*,\s*([^,()]+)\s*\))?")


_TRANSFORMS: dict[str, Callable[[float], float]] = {
    "normal": float,
    "lognormal": math.log,
    "logitnormal": lambda p: math.log(p / (1.0 - p)),
}


@dataclass(frozen=True)
class Parameter:
    """One row of a table.

    Attributes
    ----------
    low, high
        Plausible range in `unit`; for a distribution without explicit arguments, its central 95 %.
    distribution
        ``fixed``, ``normal``, ``lognormal``, ``uniform`` or ``logitnormal``; ``lognormal(m, s)`` gives median and log-SD,
        ``normal(m, s)`` mean and SD explicitly.

    Examples
    --------
    >>> from betapod import Parameter
    >>> row = Parameter("k", "rate of loss", 0.5, "1/day", 0.2, 0.9)
    >>> row.plausible
    True
    """

    id: str
    label: str
    value: float
    unit: str
    low: float = -math.inf
    high: float = math.inf
    distribution: str = "fixed"
    role: str = "assumed"
    source: str = ""
    locator: str = ""
    grade: str = "D"
    note: str = ""
    location: Location = NOWHERE

    @property
    def plausible(self) -> bool:
        """Whether the value lies in its plausible range."""
        return self.low <= self.value <= self.high

    @property
    def shape(self) -> tuple[str, float, float] | None:
        """Name and two arguments of the distribution (median and log-SD, mean and SD, or bounds); None when fixed."""
        match = DISTRIBUTION.fullmatch(self.distribution)
        assert match is not None
        name, first, second = match.groups()
        if name == "fixed":
            return None
        if first is not None:
            return name, float(first), float(second)
        if name == "uniform":
            return name, self.low, self.high
        transform = _TRANSFORMS[name]
        spread = (transform(self.high) - transform(self.low)) / (2 * Z95)
        return name, self.value, spread
