"""Multi-arm multi-stage trials with selection: several treatments and one control, of which the promising go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.arguments import floats
from ...base.errors import Problem, not_among
from .adaptive_outcomes import AdaptiveOutcomes, simulation_problems
from .closed_testing import closed_test
from .combination_tests import FisherDesign
from .sequential_design import SequentialDesign
from .size_of_design import raise_problems

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Rules of selection.
SELECTIONS = ("best", "within", "above", "all")


def selected_arms(estimates: Array, active: Flags, rule: str = "best", margin: float = 0.0, count: int = 1) -> Flags:
    """Return which arms go on after a look.

    Parameters
    ----------
    estimates
        Of the effect against control so far, shape (..., arms).
    active
        Arms that are still in the trial, shape (..., arms).
    rule
        ``best``: the best `count`; ``within``: those within `margin` of the best; ``above``: those with at least `margin`; ``all``.
    margin, count
        Of the rule.

    Returns
    -------
    numpy.ndarray
        Flags, shape (..., arms).

    Raises
    ------
    ConfigError
        There is no such rule.

    Examples
    --------
    >>> import numpy as np
    >>> from betapod import designs
    >>> estimates, active = np.array([[0.1, 0.3, 0.25]]), np.ones((1, 3), dtype=bool)
    >>> designs.selected_arms(estimates, active, "within", margin=0.1).tolist()
    [[False, True, True]]
    """
    if rule not in SELECTIONS:
        raise_problems([not_among(SELECTIONS, "unknown-rule", f"there is no rule of selection {rule!r}", str(rule))])
    values = np.where(active, estimates, -np.inf)
    if rule == "all":
        return active.copy()
    if rule == "above":
        return np.asarray(active & (values >= margin))
    best = values.max(-1, keepdims=True)
    if rule == "within":
        return np.asarray(active & (values >= best - margin))
    order = np.argsort(np.argsort(-values, -1, kind="stable"), -1, kind="stable")
    return np.asarray(active & (order < count))


def simulate_multi_arm(
    design: SequentialDesign | FisherDesign,
    effects: Sequence[float],
    *,
    per_arm: float | Sequence[float],
    sd: float = 1.0,
    rule: str = "best",
    margin: float = 0.0,
    count: int = 1,
    test: str = "Simes",
    stop: str = "any",
    replicates: int = 10_000,
    seed: int = 1,
) -> AdaptiveOutcomes:
    """Simulate trials of several arms against one control, with looks at which arms are selected.

    Outcomes are normal with a known standard deviation. At each look the closed test with combination of stages is done; a trial stops when an arm that is
    still in it is claimed (or all of them are), when none goes on, or at the last look. Stage-wise p values come from the patients of the stage alone.

    Parameters
    ----------
    design
        One-sided boundaries (inverse normal) or critical products (Fisher).
    effects
        True difference of each arm from control; all 0 gives the family-wise error.
    per_arm
        Patients of one arm, and of the control, in each stage; a number, or one per stage.
    sd
        Standard deviation of outcomes.
    rule, margin, count
        As of `selected_arms`.
    test
        Test of intersections, see `intersection_p`.
    stop
        ``any``: the trial stops with the first claim; ``all``: when all arms that are in it are claimed.
    replicates, seed
        How often, and the seed of the random numbers.

    Returns
    -------
    AdaptiveOutcomes
        One claim per arm.

    Raises
    ------
    ConfigError
        Numbers outside their range, or no such rule or test.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> trials = designs.simulate_multi_arm(design, [0.0, 0.0], per_arm=40, replicates=2000, seed=1)
    >>> trials.any_rejected < 0.025 + 3 * trials.error
    True
    """
    sizes = floats("per_arm", per_arm)
    if sizes.shape not in ((), (design.looks,)):
        message = "patients of an arm are one number, or one per look"
        raise_problems([Problem("bad-shape", message, found=str(sizes.shape), expected=f"{design.looks} looks")])
    sizes = np.broadcast_to(sizes, (design.looks,))
    problems = simulation_problems(replicates, seed, sd=sd, per_arm=float(sizes.min()))
    if not 1 <= len(effects) <= 8:
        problems.append(Problem("out-of-range", "there are 1 to 8 arms besides control", found=str(len(effects))))
    if stop not in ("any", "all"):
        problems.append(not_among(("any", "all"), "unknown-rule", f"a trial cannot stop at {stop!r}", str(stop)))
    raise_problems(problems)
    from scipy.special import ndtr

    rng = np.random.default_rng(seed)
    arms = len(effects)
    p = np.full((replicates, design.looks, arms), np.nan)
    active = np.ones((replicates, arms), dtype=bool)
    going = np.ones(replicates, dtype=bool)
    sums, counted = np.zeros((replicates, arms)), np.zeros((replicates, arms))
    patients, stages = np.zeros(replicates), np.zeros(replicates)
    rejected = np.zeros((replicates, arms), dtype=bool)
    for k, n in enumerate(sizes):
        control = rng.normal(0.0, sd / np.sqrt(n), (replicates, 1))
        differences = rng.normal(effects, sd / np.sqrt(n), (replicates, arms)) - control
        here = active & going[:, None]
        p[:, k] = np.where(here, ndtr(-differences / (sd * np.sqrt(2 / n))), np.nan)
        sums += np.where(here, n * differences, 0.0)
        counted += np.where(here, n, 0.0)
        patients += np.where(going, n * (1 + here.sum(-1)), 0.0)
        stages += going
        by_now = closed_test(p[:, : k + 1], design, test)[:, -1] & here
        rejected |= by_now
        if k + 1 < len(sizes):
            following = selected_arms(sums / np.maximum(counted, 1e-300), here, rule, margin, count)
            done = by_now.any(-1) if stop == "any" else (by_now | ~here).all(-1)
            going &= ~done & following.any(-1)
            active = np.where(going[:, None], following, active)
    return AdaptiveOutcomes(rejected, patients, stages, active, tuple(f"arm {i + 1}" for i in range(arms)))
