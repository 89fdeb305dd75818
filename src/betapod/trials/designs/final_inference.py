"""What a trial says after it stopped: p, interval and estimate that know of the looks; repeated intervals at each look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import floats
from ...base.errors import ConfigError, Problem
from .boundaries import group_sequential
from .crossing import CrossingChances, beyond
from .sequential_design import SequentialDesign
from .vector_roots import rising_roots

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

#: Trials whose drift lies within one band share an integration.
_BAND = 20.0
#: Alphas between which repeated p values are sought.
_LEAST_ALPHA, _MOST_ALPHA = 1e-12, 0.4999


@dataclass(frozen=True)
class FinalInference:
    """Inference after stopping; every field has shape (trials,).

    Attributes
    ----------
    p
        For the null: one-sided for a one-sided design, else two-sided.
    estimate
        Median unbiased.
    low, high
        Confidence interval.

    Examples
    --------
    >>> from betapod import designs
    >>> got = designs.final_inference(designs.group_sequential("OF", 2), [1, 2], [0.9, 0.5], [0.3, 0.2])
    >>> got.table.round(3).values.tolist()
    [[0.001, 0.9, 0.312, 1.488], [0.008, 0.494, 0.095, 0.889]]
    """

    p: Array
    estimate: Array
    low: Array
    high: Array

    @property
    def table(self) -> pd.DataFrame:
        """One row per trial."""
        import pandas as pd

        return pd.DataFrame({"p": self.p, "estimate": self.estimate, "low": self.low, "high": self.high})


def final_inference(
    design: SequentialDesign,
    look: ArrayLike,
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    null: float = 0.0,
    level: float = 0.95,
    degrees: ArrayLike | None = None,
) -> FinalInference:
    """Return p, interval and estimate of trials that stopped, by stagewise ordering.

    A result is the more extreme the earlier it crossed the efficacy boundary, and at one look the larger Z is. With P(d) the chance, under
    a drift d, of a result at least as extreme, p is P(0), the interval ends where P is (1 - level)/2 and its complement, and the
    median-unbiased estimate where it is 1/2. Boundaries of futility count where they are binding; else they are as if they were not there, and p is conservative.

    Parameters
    ----------
    design
        Its information is that of the looks as they were.
    look
        At which each trial stopped, from 1; shape (trials,) or a number.
    estimate, standard_error
        Estimate of the effect in the direction of the efficacy boundary, and its standard error, at that look.
    null
        Effect under the null.
    level
        Of the interval.
    degrees
        Of freedom of the statistic, where it is one of t: p is then that of the z with the same tail. Estimate and interval stay those of z.

    Returns
    -------
    FinalInference
        On the scale of the estimate.

    Raises
    ------
    ConfigError
        A look that the design has not, or a standard error that is not above 0.

    Notes
    -----
    Tsiatis, Rosner and Mehta, Biometrics 1984;40:797; Jennison and Turnbull 1999, chapter 8. At the first look this is the usual inference of z.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("P", 2)
    >>> got = designs.final_inference(design, look=2, estimate=0.5, standard_error=0.2)
    >>> got.table.round(4).values.tolist()
    [[0.0184, 0.4692, 0.0312, 0.8747]]
    """
    k, effect, error = _trials(design, look, estimate, standard_error)
    if not 0 < level < 1:
        raise ConfigError(Problem("out-of-range", "a level is a share", found=str(level), expected="above 0, below 1"))
    root = np.sqrt(np.asarray(design.information)[k])
    z = (effect - null) / error
    statistic = z if degrees is None else normal_of_t(z, degrees)
    p, middle, low, high = (np.full(z.shape, np.nan) for _ in range(4))
    centre = z / root
    for band in np.unique(np.round(centre / _BAND)):
        part = np.flatnonzero(np.round(centre / _BAND) == band)
        ordered = Stagewise.of(design, k[part], z[part])
        p[part] = replace(ordered, z=statistic[part]).p(np.zeros(len(part)))
        for answer, chance in ((low, (1 - level) / 2), (middle, 0.5), (high, (1 + level) / 2)):
            answer[part] = ordered.drift_with(chance)
    # A drift is an effect over the standard error that the last look would have had.
    unit = error * root
    if design.sides == 2:
        p = np.minimum(2 * np.minimum(p, 1 - p), 1.0)
    return FinalInference(p, null + unit * middle, null + unit * low, null + unit * high)


@dataclass(frozen=True)
class Stagewise:
    """Results of some trials of a design in the stagewise ordering."""

    chances: CrossingChances
    looks: NDArray[np.intp]
    z: Array

    @classmethod
    def of(cls, design: SequentialDesign, looks: NDArray[np.intp], z: Array) -> Stagewise:
        root = np.sqrt(np.asarray(design.information))
        centre = z / root[looks]
        # Intervals reach a few standard errors of the first look; the null is asked as well.
        ends = np.array([*(centre - 6 / root[0]), *(centre + 6 / root[0]), 0.0])
        middle, reach = float(ends.max() + ends.min()) / 2, float(ends.max() - ends.min()) / 2
        return cls(design.chances(middle, reach, futility=design.binding), looks, z)

    def p(self, drift: Array, trials: NDArray[np.intp] | None = None) -> Array:
        """Return the chance of a result at least as extreme as that of each trial, each under its drift."""
        looks, z = (self.looks, self.z) if trials is None else (self.looks[trials], self.z[trials])
        chance = np.zeros(len(z))
        t, upper, lower = self.chances.information, self.chances.upper, self.chances.lower
        for k in np.unique(looks):
            here = looks == k
            shift, value = drift[here], z[here]
            before = self.chances.before(int(k))
            rejected = sum(beyond(self.chances.before(j), t[j], upper[j], shift) for j in range(k))
            futile = sum(beyond(self.chances.before(j), t[j], lower[j], shift, -1) for j in range(k))
            # Stopped below: less extreme than all who were to go on. At the last look the two are one.
            below = (value <= lower[k]) & (k + 1 < len(t))
            chance[here] = np.where(
                below,
                1 - futile - beyond(before, t[k], value, shift, -1),
                rejected + beyond(before, t[k], value, shift),
            )
        return chance

    def drift_with(self, chance: float) -> Array:
        """Return the drift under which results at least as extreme have a chance."""
        root = np.sqrt(np.asarray(self.chances.information)[self.looks])
        centre = self.z / root
        return rising_roots(lambda x, trials: self.p(x, trials) - chance, centre - 2.5 / root, centre + 2.5 / root)


def normal_of_t(t: Array, degrees: ArrayLike) -> Array:
    """Return the z with the tail of t, exact on either side."""
    from scipy.special import ndtri, stdtr

    return np.asarray(-np.sign(t) * ndtri(stdtr(np.asarray(degrees, dtype=float), -np.abs(t))))


def repeated_interval(
    design: SequentialDesign,
    look: ArrayLike,
    estimate: ArrayLike,
    standard_error: ArrayLike,
    degrees: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Return repeated confidence intervals: they hold at all looks together, whether the trial stops or not.

    The interval of a look is the estimate and its boundary times the standard error to either side (Jennison and Turnbull 1989). Their
    level is 1 - 2 alpha of a one-sided, 1 - alpha of a two-sided design.

    Parameters
    ----------
    design
        Its information is that of the looks as they were.
    look
        From 1; a number or shape (trials,).
    estimate, standard_error
        At the look.
    degrees
        Of freedom: the boundary is then the quantile of t with the level of the look.

    Returns
    -------
    low, high : numpy.ndarray
        Shape (trials,).

    Raises
    ------
    ConfigError
        A look that the design has not, or a standard error that is not above 0.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("P", 3)
    >>> low, high = designs.repeated_interval(design, [1, 2], [0.7, 0.75], [0.2683282, 0.1889512], [78, 158])
    >>> [round(float(x), 3) for x in low], [round(float(x), 3) for x in high]
    ([0.073, 0.313], [1.327, 1.187])
    """
    from scipy.special import stdtrit

    k, effect, error = _trials(design, look, estimate, standard_error)
    bound = np.asarray(design.efficacy)[k]
    if degrees is not None:
        bound = -stdtrit(np.broadcast_to(np.asarray(degrees, dtype=float), k.shape), design.levels[k])
    return effect - bound * error, effect + bound * error


def repeated_p(design: SequentialDesign, look: ArrayLike, z: ArrayLike) -> Array:
    """Return repeated p values: the least alpha (of one side) at which a design of this family would have rejected at a look.

    Parameters
    ----------
    design
        Of a family with alpha; boundaries of futility are left aside.
    look
        From 1; a number or shape (trials,).
    z
        Statistic at the look.

    Returns
    -------
    numpy.ndarray
        Shape (trials,), of all sides; for two-sided designs |z| counts. Above 0.4999 is given as 0.5.

    Raises
    ------
    ConfigError
        The family has no alpha to vary: boundaries or errors spent were given.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 3)
    >>> [round(float(p), 4) for p in designs.repeated_p(design, [1, 2], [2.0375, 1.8515])]
    [0.182, 0.0815]
    """
    from scipy.optimize import brentq

    if design.family in ("user", "asUser", "HP"):
        message = f"{design.title} have no alpha to vary, so that there is no repeated p"
        raise ConfigError(Problem("not-supported", message))
    k, value, _ = _trials(design, look, z, 1.0)
    value = np.abs(value) if design.sides == 2 else value

    def distance(alpha: float, look_index: int, bound: float) -> float:
        family = "OF" if design.family == "PT" else design.family
        parameter = None if design.family == "PT" else design.parameter
        changed = group_sequential(
            family, design.information, alpha, design.sides, max(design.power, 0.9999), parameter=parameter
        )
        return changed.efficacy[look_index] - bound

    answers: dict[tuple[int, float], float] = {}
    for pair in {(int(a), float(b)) for a, b in zip(k, value, strict=True)}:
        low, high = _LEAST_ALPHA, _MOST_ALPHA
        if distance(high, *pair) >= 0:
            answers[pair] = 0.5
        elif distance(low, *pair) <= 0:
            answers[pair] = low
        else:
            answers[pair] = float(
                np.exp(brentq(lambda x, at=pair: distance(np.exp(x), *at), np.log(low), np.log(high), xtol=1e-9))
            )
    return np.array([answers[int(a), float(b)] for a, b in zip(k, value, strict=True)])


def _trials(
    design: SequentialDesign, look: ArrayLike, estimate: ArrayLike, error: ArrayLike
) -> tuple[NDArray[np.intp], Array, Array]:
    """Return looks (from 0), estimates and standard errors of trials, each shape (trials,)."""
    numbers = [
        np.atleast_1d(floats(name, x))
        for name, x in (("look", look), ("estimate", estimate), ("standard_error", error))
    ]
    if len({x.shape for x in numbers if x.shape != (1,)}) > 1 or any(x.ndim > 1 for x in numbers):
        message = "looks, estimates and standard errors have one length, or are single numbers"
        raise ConfigError(Problem("bad-shape", message, found=str([x.shape for x in numbers])))
    looks, effect, spread = np.broadcast_arrays(*numbers)
    problems = []
    if not np.all((looks >= 1) & (looks <= design.looks) & (looks == np.round(looks))):
        expected = f"whole numbers from 1 to {design.looks}"
        problems.append(
            Problem("out-of-range", "looks are counted from 1", found=str(np.unique(looks)[:5]), expected=expected)
        )
    if not np.all(spread > 0):
        problems.append(Problem("out-of-range", "standard errors are above 0", found=str(spread[~(spread > 0)][:5])))
    if not np.all(np.isfinite(effect)):
        problems.append(Problem("out-of-range", "estimates are numbers", found=str(effect[~np.isfinite(effect)][:5])))
    if problems:
        raise ConfigError(problems)
    return (looks - 1).astype(np.intp), effect, spread
