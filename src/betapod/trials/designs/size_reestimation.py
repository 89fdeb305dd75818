"""Sizes that are set anew at a look: blinded by the scatter, unblinded by conditional power or in a promising zone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import Problem, not_among
from .adaptive_outcomes import AdaptiveOutcomes, simulation_problems
from .characteristics import design_characteristics
from .sequential_design import SequentialDesign
from .size_of_design import raise_problems

Array = NDArray[np.float64]

#: Rules of the second stage.
RULES = ("conditional power", "promising zone", "none")


def blinded_size(
    outcomes: ArrayLike,
    effect: float,
    design: SequentialDesign,
    *,
    ratio: float = 1.0,
    assumed: bool = False,
    least: float = 0.0,
    most: float = math.inf,
) -> Array:
    """Return sizes from the scatter of outcomes whose arms nobody knows.

    The variance of all together is that within arms plus effect^2 r / (1 + r)^2. It is taken as it is, or less that for the assumed effect
    (Gould and Shih 1992; Kieser and Friede 2003). The size is that of the z test, times the inflation of the design.

    Parameters
    ----------
    outcomes
        Of both arms, shape (..., people); NaN is left out.
    effect
        Assumed difference of means above the null.
    design
        With its alpha, sides and power.
    ratio
        Patients of the treated arm for one of the control.
    assumed
        Whether the variance between arms under the assumed effect is taken off.
    least, most
        Bounds of the size.

    Returns
    -------
    numpy.ndarray
        Patients of both arms, not rounded, shape (...,).

    Raises
    ------
    ConfigError
        No effect, or no ratio.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod import designs
    >>> outcomes = np.random.default_rng(1).normal(0, 1.3, (3, 80))
    >>> sizes = designs.blinded_size(outcomes, 0.5, designs.group_sequential("OF", 1), least=150, most=400)
    >>> sizes.round(1).tolist()
    [203.5, 251.7, 271.3]
    """
    raise_problems(simulation_problems(1, 0, ratio=ratio, effect=abs(effect)))
    values = np.asarray(outcomes, dtype=float)
    variance = np.nanvar(values, axis=-1, ddof=1)
    if assumed:
        variance = np.maximum(variance - effect**2 * ratio / (1 + ratio) ** 2, 0.0)
    got = design_characteristics(design)
    total = (got.drift / effect) ** 2 * variance * (1 + ratio) ** 2 / ratio
    return np.asarray(np.clip(total, least, most))


def second_stage_size(
    z: ArrayLike,
    design: SequentialDesign,
    *,
    planned: tuple[float, float],
    effect: ArrayLike | None = None,
    rule: str = "conditional power",
    power: float = 0.9,
    zone: tuple[float, float] = (0.36, 0.9),
    least: float | None = None,
    most: float,
    ratio: float = 1.0,
) -> Array:
    """Return the patients of the second stage, from the statistic of the first.

    The final test is the inverse normal combination with the weights that were planned, which keeps alpha whatever the size becomes
    (Cui, Hung and Wang 1999). With A = (c - sqrt(t) z) / sqrt(1 - t), c the last boundary and d the standardised effect, n patients have conditional power
    Phi(d sqrt(n r) / (1 + r) - A).

    Parameters
    ----------
    z
        Of the first stage, shape (trials,).
    design
        One-sided, with two looks.
    planned
        Patients of either stage as they were planned.
    effect
        Assumed difference over the standard deviation, of all trials or of each; that of the first stage by default.
    rule
        ``conditional power``: as many as give `power`; ``promising zone`` (Mehta and Pocock 2011): as many as give `power`, where the
        conditional power of the planned size is within `zone`, else as planned; ``none``: as planned.
    power
        Conditional power to reach.
    zone
        Conditional power from and below which the size is raised.
    least, most
        Bounds of the second stage; least is the planned size by default.
    ratio
        Patients of the treated arm for one of the control.

    Returns
    -------
    numpy.ndarray
        Not rounded, shape (trials,).

    Raises
    ------
    ConfigError
        A design with other than two looks or one side, bounds that cross, or no such rule.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> sizes = designs.second_stage_size([0.5, 1.5, 1.7], design, planned=(100, 100), rule="promising zone", most=300)
    >>> sizes.round(1).tolist()
    [100.0, 295.4, 195.7]
    """
    from scipy.special import ndtr, ndtri

    smallest = planned[1] if least is None else least
    problems = simulation_problems(1, 0, ratio=ratio, first=planned[0], second=planned[1], most=most)
    if rule not in RULES:
        problems.append(not_among(RULES, "unknown-rule", f"there is no rule {rule!r}", str(rule)))
    if design.looks != 2 or design.sides != 1:
        problems.append(
            Problem(
                "not-supported",
                "sizes are set anew in one-sided designs with two looks",
                found=f"{design.looks} looks, {design.sides} sides",
            )
        )
    if not smallest <= most:
        problems.append(
            Problem("out-of-range", "the least size is above the greatest", found=f"{smallest:g} and {most:g}")
        )
    if not 0 < power < 1:
        problems.append(Problem("out-of-range", "power is a chance", found=str(power)))
    raise_problems(problems)
    value = np.atleast_1d(np.asarray(z, dtype=float))
    root = math.sqrt(ratio) / (1 + ratio)
    assumed = value / (root * math.sqrt(planned[0])) if effect is None else np.asarray(effect, dtype=float)
    standardised = np.broadcast_to(assumed, value.shape)
    t = design.information[0]
    needed = (design.efficacy[1] - math.sqrt(t) * value) / math.sqrt(1 - t)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = (np.maximum(needed + ndtri(power), 0.0) / (standardised * root)) ** 2
    size = np.clip(np.where(standardised > 0, size, np.inf), smallest, most)
    if rule == "none":
        return np.full(value.shape, float(planned[1]))
    if rule == "promising zone":
        chance = ndtr(standardised * root * math.sqrt(planned[1]) - needed)
        return np.where((chance >= zone[0]) & (chance < zone[1]), size, float(planned[1]))
    return np.asarray(size)


def simulate_reestimation(
    design: SequentialDesign,
    effect: float,
    *,
    planned: tuple[float, float],
    sd: float = 1.0,
    assumed: float | None = None,
    rule: str = "conditional power",
    power: float = 0.9,
    zone: tuple[float, float] = (0.36, 0.9),
    least: float | None = None,
    most: float,
    replicates: int = 10_000,
    seed: int = 1,
) -> AdaptiveOutcomes:
    """Simulate trials of two equal arms whose second stage is sized by what the first showed.

    Parameters
    ----------
    design
        One-sided, with two looks; futility is followed.
    effect
        True difference of means.
    planned
        Patients of either stage, both arms together.
    sd
        Known standard deviation.
    assumed
        Effect that conditional power is computed for; that of the first stage by default.
    rule, power, zone, least, most
        As of `second_stage_size`.
    replicates, seed
        How often, and the seed of the random numbers.

    Returns
    -------
    AdaptiveOutcomes
        One claim; ``compared`` has ``naive``: the same trials tested as if all patients had been planned, which does not keep alpha.

    Raises
    ------
    ConfigError
        As of `second_stage_size`.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> trials = designs.simulate_reestimation(design, 0.0, planned=(120, 120), most=360, replicates=4000, seed=1)
    >>> trials.any_rejected < 0.025 + 3 * trials.error
    True
    """
    raise_problems(simulation_problems(replicates, seed, sd=sd, first=planned[0], second=planned[1]))
    rng = np.random.default_rng(seed)
    first = rng.normal(effect / sd * math.sqrt(planned[0]) / 2, 1.0, replicates)
    standardised = None if assumed is None else assumed / sd
    size = second_stage_size(
        first, design, planned=planned, effect=standardised, rule=rule, power=power, zone=zone, least=least, most=most
    )
    second = rng.normal(effect / sd * np.sqrt(size) / 2, 1.0)
    t = design.information[0]
    combined = math.sqrt(t) * first + math.sqrt(1 - t) * second
    naive = (math.sqrt(planned[0]) * first + np.sqrt(size) * second) / np.sqrt(planned[0] + size)
    early = first >= design.efficacy[0]
    going = ~early & (first > design.futility[0])
    claimed = early | (going & (combined >= design.efficacy[1]))
    return AdaptiveOutcomes(
        claimed[:, None], np.asarray(planned[0] + np.where(going, size, 0.0)), np.asarray(1.0 + going), going[:, None], ("effect",),
        {"naive": early | (going & (naive >= design.efficacy[1]))},
    )  # fmt: skip
