"""Power of trials with group-sequential looks and a given size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ...base.errors import Problem
from .characteristics import StoppingChances, stopping_chances
from .fixed_sizes import noncentral_t_power, null_shares
from .sequential_design import SequentialDesign
from .size_of_design import positive_problems, raise_problems


def means_power(
    effect: ArrayLike,
    sd: float,
    total: float,
    design: SequentialDesign,
    *,
    ratio: float = 1.0,
    null: float = 0.0,
    normal: bool = False,
) -> StoppingChances:
    """Return the power of a trial of means with a given size.

    The drift is the one under which a z test with one look has the power that the t test has.

    Parameters
    ----------
    effect
        Differences to ask for; those above `null` are in the direction of the boundaries. A number or an array.
    total
        Patients of both arms at the last look.
    sd, design, ratio, null, normal
        As of `means_size`.

    Returns
    -------
    StoppingChances
        ``power``, ``rejected`` and ``futile`` by look, and expected ``information`` (times `total`: patients).

    Raises
    ------
    ConfigError
        No scatter, no patients, no ratio.

    Examples
    --------
    >>> from betapod import designs
    >>> chances = designs.means_power([0.0, 0.2, 0.3], 1.0, 400, designs.group_sequential("asOF", 3))
    >>> [round(float(x), 6) for x in chances.power]
    [0.025, 0.508148, 0.844802]
    """
    from scipy.special import ndtri

    raise_problems(positive_problems(sd=sd, total=total - 2, ratio=ratio))
    drift = (np.atleast_1d(np.asarray(effect, dtype=float)) - null) / sd * math.sqrt(total * ratio) / (1 + ratio)
    if not normal:
        level = design.alpha / design.sides
        power = np.clip(noncentral_t_power(drift, total, level), 1e-300, 1 - 1e-16)
        drift = np.where(np.abs(drift) < 6, ndtri(power) + ndtri(1 - level), drift)
    return stopping_chances(design, drift)


def rates_power(
    treated: ArrayLike, control: float, total: float, design: SequentialDesign, *, ratio: float = 1.0, null: float = 0.0
) -> StoppingChances:
    """Return the power of a trial of shares with a given size.

    Parameters
    ----------
    treated
        Expected shares to ask for; a number or an array. Boundaries lie in the direction of treated - control - null.
    control, total, design, ratio, null
        As of `rates_size` and `means_power`.

    Returns
    -------
    StoppingChances
        As of `means_power`.

    Raises
    ------
    ConfigError
        Shares are none; no patients, no ratio.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("asOF", 3)
    >>> round(float(designs.rates_power(0.25, 0.4, 410.4267, design).power[0]), 4)
    0.9
    """
    from scipy.special import ndtri

    p1 = np.atleast_1d(np.asarray(treated, dtype=float))
    problems = positive_problems(total=total, ratio=ratio)
    if not (np.all((p1 > 0) & (p1 < 1)) and 0 < control < 1):
        problems.append(Problem("out-of-range", "shares are between 0 and 1", found=f"{p1.tolist()} and {control}"))
    raise_problems(problems)
    first, second = null_shares(p1, control, ratio, null)
    scale = (1 + ratio) / ratio
    under_null = np.sqrt((first * (1 - first) + second * (1 - second) * ratio) * scale)
    alternative = np.sqrt((p1 * (1 - p1) + control * (1 - control) * ratio) * scale)
    bound = float(ndtri(1 - design.alpha / design.sides))
    # The drift of a z test with the power that the score test has at one look.
    gain = np.abs(p1 - control - null) * math.sqrt(total)
    return stopping_chances(design, bound + (gain - bound * under_null) / alternative)


def survival_power(
    hazard_ratio: ArrayLike, events: float, design: SequentialDesign, *, ratio: float = 1.0, null: float = 1.0
) -> StoppingChances:
    """Return the power of a trial of times to events with a given number of events.

    Parameters
    ----------
    hazard_ratio
        Expected ratios to ask for; a number or an array. Boundaries lie in their direction from `null`.
    events
        Of both arms at the last look.
    design, ratio, null
        As of `survival_size`.

    Returns
    -------
    StoppingChances
        As of `means_power`; expected ``information`` times `events` are events.

    Raises
    ------
    ConfigError
        Ratios are not above 0; no events.

    Examples
    --------
    >>> from betapod import designs
    >>> round(float(designs.survival_power(0.7, 334.2938, designs.group_sequential("asOF", 3)).power[0]), 4)
    0.9
    """
    ratios = np.atleast_1d(np.asarray(hazard_ratio, dtype=float))
    raise_problems(positive_problems(events=events, ratio=ratio, null=null, hazard_ratio=float(ratios.min())))
    return stopping_chances(design, np.abs(np.log(ratios / null)) * math.sqrt(events * ratio) / (1 + ratio))
