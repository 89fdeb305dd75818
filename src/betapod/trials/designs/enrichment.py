"""Adaptive enrichment: all patients at first, then all of them or only a subgroup, such as those with albuminuria at baseline."""

from __future__ import annotations

import math

import numpy as np

from ...base.errors import Problem
from .adaptive_outcomes import AdaptiveOutcomes, simulation_problems
from .closed_testing import closed_test
from .combination_tests import FisherDesign
from .sequential_design import SequentialDesign
from .size_of_design import raise_problems


def simulate_enrichment(
    design: SequentialDesign | FisherDesign,
    effect: float,
    effect_in_others: float,
    *,
    share: float,
    per_arm: float,
    sd: float = 1.0,
    margin: float = 0.0,
    least: float = -math.inf,
    test: str = "Simes",
    replicates: int = 10_000,
    seed: int = 1,
) -> AdaptiveOutcomes:
    """Simulate trials in two stages, of which the second may be of a subgroup alone.

    After the first stage the subgroup alone goes on where its estimate is above that of all by more than `margin`; else all do, and both claims stay.
    A trial stops where neither estimate is at least `least`. The claims are an effect in all patients, and one in the subgroup; they are tested by
    closed combination tests, of all from the strata of the subgroup and the others by their shares.

    Parameters
    ----------
    design
        One-sided, with two looks.
    effect, effect_in_others
        True difference of means in the subgroup, and in those outside it.
    share
        Of patients who belong to the subgroup, above 0 and below 1.
    per_arm
        Patients of either arm in each stage; of the second all belong to the subgroup where it goes on alone.
    sd
        Standard deviation of outcomes.
    margin, least
        Of the rule.
    test
        Of the intersection; Dunnett with the correlation sqrt(share), see `intersection_p`.
    replicates, seed
        How often, and the seed of the random numbers.

    Returns
    -------
    AdaptiveOutcomes
        Claims ``all`` and ``subgroup``.

    Raises
    ------
    ConfigError
        Numbers outside their range, or a design with other than two looks.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> trials = designs.simulate_enrichment(design, 0.5, 0.0, share=0.4, per_arm=60, replicates=2000, seed=1)
    >>> bool(trials.rejected[:, 1].mean() > 0.6)
    True
    """
    from scipy.special import ndtr

    problems = simulation_problems(replicates, seed, sd=sd, per_arm=per_arm)
    if not 0 < share < 1:
        problems.append(Problem("out-of-range", "share is a share", found=str(share), expected="above 0, below 1"))
    if design.looks != 2:
        problems.append(Problem("not-supported", "enrichment has two looks", found=str(design.looks)))
    raise_problems(problems)
    rng = np.random.default_rng(seed)
    parts = np.array([share, 1 - share])
    truth = np.array([effect, effect_in_others])
    p = np.full((replicates, 2, 2), np.nan)

    def stage(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return estimates of all and of the subgroup, and p of both."""
        errors = sd * np.sqrt(2 / sizes)
        strata = rng.normal(truth, errors, (replicates, 2))
        whole_error = math.sqrt(float((parts**2 * errors**2).sum()))
        everyone = strata @ parts
        both = np.stack([everyone, strata[:, 0]], -1)
        return both, ndtr(-both / np.array([whole_error, errors[0]]))

    estimates, p[:, 0] = stage(per_arm * parts)
    correlation = math.sqrt(share)
    first = closed_test(p[:, :1], design, test, correlation)[:, 0]
    alone = estimates[:, 1] - estimates[:, 0] > margin
    going = ~first.any(-1) & (estimates.max(-1) >= least)
    subgroup_error = sd * math.sqrt(2 / per_arm)
    p_alone = ndtr(-rng.normal(effect, subgroup_error, replicates) / subgroup_error)
    p_both = stage(per_arm * parts)[1]
    p[:, 1, 0] = np.where(going & ~alone, p_both[:, 0], np.nan)
    p[:, 1, 1] = np.where(going, np.where(alone, p_alone, p_both[:, 1]), np.nan)
    rejected = np.where(going[:, None], closed_test(p, design, test, correlation)[:, 1], first)
    went_on = np.stack([going & ~alone, going], -1)
    patients = 2 * per_arm * (1 + going)
    return AdaptiveOutcomes(rejected, patients, 1.0 + going, went_on, ("all", "subgroup"))
