"""What a group-sequential design costs and gives: drift, inflation, expected information, chances to stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import floats, wrong
from ...base.errors import ConfigError, Problem
from .sequential_design import SequentialDesign

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DesignCharacteristics:
    """Characteristics of a design, with the information of the fixed design of the same errors as unit.

    Attributes
    ----------
    drift
        Mean of Z at the last look under which the power is that of the design.
    fixed_drift
        That of a design with one look.
    inflation
        Information of the last look over that of the fixed design.
    asn_h1, asn_h01, asn_h0
        Expected information under the drift, half of it, and none.

    Examples
    --------
    >>> from betapod import designs
    >>> got = designs.design_characteristics(designs.group_sequential("OF", 2))
    >>> isinstance(got, designs.DesignCharacteristics), round(got.drift, 3)
    (True, 3.253)
    """

    drift: float
    fixed_drift: float
    inflation: float
    asn_h1: float
    asn_h01: float
    asn_h0: float


@dataclass(frozen=True)
class StoppingChances:
    """Chances to stop, by drift.

    Attributes
    ----------
    drift
        Mean of Z at the last look, shape (drifts,).
    rejected, futile
        Chance to stop at each look with the null rejected (on the upper side), or below (for futility; on the lower side of a two-sided
        design), shape (drifts, looks).
    information
        Expected information as a share of the last look's, shape (drifts,).

    Examples
    --------
    >>> from betapod import designs
    >>> chances = designs.stopping_chances(designs.group_sequential("OF", 2), [0.0, 3.0])
    >>> chances.table.round(3).values.tolist()
    [[0.0, 0.025, 0.999, 0.003], [3.0, 0.848, 0.875, 0.25]]
    """

    drift: Array
    rejected: Array
    futile: Array
    information: Array

    @property
    def power(self) -> Array:
        """Chance to reject on the upper side at any look, shape (drifts,)."""
        return np.asarray(self.rejected.sum(-1))

    @property
    def table(self) -> pd.DataFrame:
        """One row per drift: power, expected share of information, chance to stop before the last look."""
        import pandas as pd

        early = (self.rejected + self.futile)[:, :-1].sum(-1)
        columns = {"drift": self.drift, "power": self.power, "information": self.information, "early": early}
        return pd.DataFrame(columns)


def stopping_chances(design: SequentialDesign, drift: ArrayLike) -> StoppingChances:
    """Return the chances to stop at each look of a design.

    Boundaries of futility are followed, binding or not.

    Parameters
    ----------
    design
        Of `group_sequential`.
    drift
        Mean of Z at the last look: effect / standard error there. A number or an array.

    Returns
    -------
    StoppingChances
        ``power``, ``information`` (expected share), ``rejected`` and ``futile`` by look.

    Raises
    ------
    ConfigError
        A drift is no number.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 2)
    >>> chances = designs.stopping_chances(design, [0.0, 3.2471])
    >>> [round(float(p), 4) for p in chances.power]
    [0.025, 0.9]
    """
    shift = np.atleast_1d(floats("drift", drift))
    if not np.all(np.isfinite(shift)):
        raise ConfigError(wrong("drift", drift, "finite numbers, such as [0, 3.2]"))
    middle, reach = float(shift.max() + shift.min()) / 2, float(shift.max() - shift.min()) / 2
    above, below = design.chances(middle, reach).crossed(shift)
    rates = np.asarray(design.information)
    # Those who stop at no earlier look are there at the last.
    early = (above + below)[:, :-1]
    expected = 1.0 - early @ (1.0 - rates[:-1])
    return StoppingChances(shift, above, below, expected)


def design_drift(design: SequentialDesign, power: float | None = None) -> float:
    """Return the mean of Z at the last look under which a design has a power.

    Parameters
    ----------
    design
        Of `group_sequential`; with boundaries of futility, these are followed.
    power
        That of the design by default.

    Returns
    -------
    float
        Effect over its standard error at the last look.

    Raises
    ------
    ConfigError
        The power is out of reach, as where futility stops too often.

    Examples
    --------
    >>> from betapod import designs
    >>> round(designs.design_drift(designs.group_sequential("OF", 1)), 4)
    3.2415
    """
    from scipy.optimize import brentq

    wanted = design.power if power is None else power
    if not 0 < wanted < 1:
        raise ConfigError(Problem("out-of-range", "power is a chance", found=str(wanted), expected="above 0, below 1"))

    def lacking(drift: float) -> float:
        return float(stopping_chances(design, drift).power[0]) - wanted

    return float(brentq(lacking, -40.0, 40.0, xtol=1e-12, rtol=1e-13))


def design_characteristics(design: SequentialDesign) -> DesignCharacteristics:
    """Return drift, inflation and expected information of a design.

    Inflation is (drift / fixed drift)^2, the fixed drift z(1 - alpha/sides) + z(power). What is expected is in units of the fixed design.

    Parameters
    ----------
    design
        Of `group_sequential`.

    Returns
    -------
    DesignCharacteristics
        ``drift``, ``inflation``, ``asn_h1``, ``asn_h01``, ``asn_h0``.

    Raises
    ------
    ConfigError
        The power of the design is out of reach.

    Examples
    --------
    >>> from betapod import designs
    >>> got = designs.design_characteristics(designs.group_sequential("P", 3))
    >>> round(got.inflation, 6), round(got.asn_h1, 6), round(got.asn_h0, 6)
    (1.150638, 0.721033, 1.139134)
    """
    from scipy.special import ndtri

    drift = design_drift(design)
    fixed = float(ndtri(1 - design.alpha / design.sides) + ndtri(design.power))
    inflation = (drift / fixed) ** 2
    shares = stopping_chances(design, [drift, drift / 2, 0.0]).information * inflation
    return DesignCharacteristics(drift, fixed, inflation, *(float(x) for x in shares))
