"""A group-sequential design: what stands in its table, and how it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .crossing import CrossingChances
from .spending import FAMILIES, PARAMETERS

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SequentialDesign:
    """Boundaries of a group-sequential design; `group_sequential` makes one.

    Attributes
    ----------
    family
        Code of the boundaries, a key of `FAMILIES`.
    information
        Shares of the information of the last look; the last is 1.
    efficacy
        Boundaries for Z; a statistic at or beyond one rejects the null (both ways, where `sides` is 2).
    futility
        Boundaries below which a one-sided trial stops; -inf where there is none. That of the last look is its efficacy boundary.
    alpha
        Type I error, of all sides together.
    sides
        1 or 2.
    power
        Chance to reject under the drift that boundaries of futility, sizes and characteristics are for.
    binding
        Whether alpha counts on stopping for futility.
    spent
        Error spent by each look, of all sides; without futility unless it is binding.
    parameter
        Of the family, where it has one.
    futility_family
        Code of the spending function of beta, ``user``, or empty.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("HP", 3)
    >>> design.title, design.looks, [round(float(p), 5) for p in design.levels]
    ('Haybittle-Peto (bound before the last look 3)', 3, [0.00135, 0.00135, 0.02413])
    """

    family: str
    information: tuple[float, ...]
    efficacy: tuple[float, ...]
    futility: tuple[float, ...]
    alpha: float
    sides: int
    power: float
    binding: bool
    spent: tuple[float, ...]
    parameter: float | None = None
    futility_family: str = ""

    @property
    def looks(self) -> int:
        """Number of looks, the last analysis among them."""
        return len(self.information)

    @property
    def levels(self) -> Array:
        """Nominal one-sided p at or below which each look rejects, shape (looks,)."""
        from scipy.special import ndtr

        return np.asarray(ndtr(-np.asarray(self.efficacy)))

    @property
    def has_futility(self) -> bool:
        """Whether the trial may stop early because it is hopeless."""
        return any(np.isfinite(bound) for bound in self.futility[:-1])

    @property
    def title(self) -> str:
        """Return the name of the boundaries, with their parameter."""
        name = FAMILIES[self.family]
        return f"{name} ({PARAMETERS[self.family][0]} {self.parameter:g})" if self.parameter is not None else name

    @property
    def table(self) -> pd.DataFrame:
        """One row per look: information, boundaries as z and one-sided p, error spent."""
        import pandas as pd

        columns: Mapping[str, object] = {
            "look": np.arange(1, self.looks + 1),
            "information": self.information,
            "efficacy": self.efficacy,
            "futility": self.futility,
            "level": self.levels,
            "spent": self.spent,
        }
        return pd.DataFrame(columns)

    def chances(self, reference: float = 0.0, reach: float = 0.0, futility: bool = True) -> CrossingChances:
        """Return the chances to cross its boundaries; drifts may be asked that are up to `reach` from `reference`.

        Parameters
        ----------
        reference, reach
            As of `crossing.CrossingChances.of`.
        futility
            Whether the trial stops below its boundaries of futility.

        Returns
        -------
        CrossingChances
            ``crossed(drift)`` gives them by look.

        Examples
        --------
        >>> from betapod import designs
        >>> above, below = designs.group_sequential("P", 2).chances().crossed(0.0)
        >>> round(float(above.sum()), 6)
        0.025
        """
        if self.sides == 2:
            lower = tuple(-bound for bound in self.efficacy)
        elif futility:
            # The last look leaves nobody undecided.
            lower = (*self.futility[:-1], self.efficacy[-1])
        else:
            lower = (*(float("-inf") for _ in self.futility[:-1]), self.efficacy[-1])
        return CrossingChances.of(self.information, lower, self.efficacy, reference, reach)
