"""One row of a parameter table: value, unit, range, distribution, role and source."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from ...base.constants import Z95
from ...base.errors import NOWHERE, Location

COLUMNS = (
    "id",
    "label",
    "value",
    "unit",
    "low",
    "high",
    "distribution",
    "role",
    "source",
    "locator",
    "grade",
    "note",
    "hard_low",
    "hard_high",
)
ROLES = ("literature", "calibrated", "tuned", "derived", "memory", "assumed", "input", "imported")
GRADES = ("A", "B", "C", "D")
DISTRIBUTIONS = ("fixed", "normal", "lognormal", "uniform", "logitnormal", "bernoulli")
#: A distribution as text: its name, and two arguments, one (`bernoulli`) or none.
DISTRIBUTION = re.compile(r"(\w+)(?:\(\s*([^,()]+)\s*(?:,\s*([^,()]+)\s*)?\))?")


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
        ``fixed``, ``normal``, ``lognormal``, ``uniform``, ``logitnormal`` or ``bernoulli``; ``lognormal(m, s)`` gives median and
        log-SD, ``normal(m, s)`` mean and SD explicitly. ``bernoulli(p)`` is 1 with the chance p and 0 otherwise: an effect that may
        be none is the product of such a row with one that has a size, and effects that share the row are none together.
    hard_low, hard_high
        Smallest and largest value that is possible at all, where unit and kind do not say it already: no draw, table, option or
        patient goes beyond them. See `betapod.model.parameters.possible_values`.

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
    hard_low: float = -math.inf
    hard_high: float = math.inf

    @property
    def plausible(self) -> bool:
        """Whether the value lies in its plausible range."""
        return self.low <= self.value <= self.high

    @property
    def shape(self) -> tuple[str, float, float] | None:
        """Name and two arguments of the distribution (median and log-SD, mean and SD, bounds, or chance and 1); None when fixed."""
        match = DISTRIBUTION.fullmatch(self.distribution)
        assert match is not None
        name, first, second = match.groups()
        if name == "fixed":
            return None
        if name == "bernoulli":
            return name, math.nan if first is None else float(first), 1.0 if second is None else math.nan
        if first is not None:
            return name, float(first), math.nan if second is None else float(second)
        if name == "uniform":
            return name, self.low, self.high
        transform = _TRANSFORMS[name]
        spread = (transform(self.high) - transform(self.low)) / (2 * Z95)
        return name, self.value, spread
