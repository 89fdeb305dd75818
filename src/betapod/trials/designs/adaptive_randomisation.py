"""Response-adaptive randomisation: block by block more patients get what seems best, and a test that stays valid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.errors import Problem
from .adaptive_outcomes import AdaptiveOutcomes, simulation_problems
from .boundaries import group_sequential
from .closed_testing import closed_test
from .size_of_design import raise_problems

Array = NDArray[np.float64]


def chances_to_be_best(mean: ArrayLike, sd: ArrayLike) -> Array:
    """Return the chance of each arm to be the best, from independent normal posteriors.

    Parameters
    ----------
    mean, sd
        Of the posteriors, shape (..., arms).

    Returns
    -------
    numpy.ndarray
        Shape (..., arms), sums to 1.

    Raises
    ------
    ConfigError
        A standard deviation is not above 0.

    Examples
    --------
    >>> from betapod import designs
    >>> designs.chances_to_be_best([0.0, 0.0, 0.5], [0.3, 0.3, 0.3]).round(3).tolist()
    [0.098, 0.098, 0.803]
    """
    from scipy.special import ndtr

    m, s = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(sd, dtype=float))
    raise_problems(simulation_problems(1, 0, sd=float(s.min())))
    if m.shape[-1] == 2:
        second = ndtr((m[..., 1] - m[..., 0]) / np.sqrt((s**2).sum(-1)))
        return np.stack([1 - second, second], -1)
    nodes, weights = np.polynomial.hermite_e.hermegauss(32)
    chances = []
    for arm in range(m.shape[-1]):
        others = [other for other in range(m.shape[-1]) if other != arm]
        x = m[..., arm, None] + s[..., arm, None] * nodes
        below = ndtr((x[..., None, :] - m[..., others, None]) / s[..., others, None]).prod(-2)
        chances.append(below @ (weights / weights.sum()))
    got = np.stack(chances, -1)
    return np.asarray(got / got.sum(-1, keepdims=True))


def simulate_adaptive_randomisation(
    effects: Sequence[float],
    *,
    blocks: int = 8,
    per_block: int = 40,
    sd: float = 1.0,
    alpha: float = 0.025,
    exponent: float = 0.5,
    cap: float = 0.8,
    drift: float = 0.0,
    test: str = "Simes",
    replicates: int = 10_000,
    seed: int = 1,
) -> AdaptiveOutcomes:
    """Simulate trials whose allocation follows what has been seen.

    The first block is even; after it an arm's share is its chance to be the best, to the power of `exponent` (Thompson 1933; Thall and
    Wathen 2007), not above `cap`, with two patients of each arm at least. Each arm is compared with control within every block, and the z of blocks are
    combined with equal weights. Given the allocation each is standard normal under the null, so that alpha holds also where outcomes
    drift over calendar time. ``compared`` has ``pooled``: all patients of an arm against all of control, which time can bias.

    Parameters
    ----------
    effects
        True difference of each arm from control, 1 to 8 of them.
    blocks, per_block
        Number of blocks, and patients in each.
    sd
        Known standard deviation of outcomes.
    alpha
        One-sided, of all arms together (closed test).
    exponent
        0 keeps allocation even, 1 is Thompson's.
    cap
        Greatest share of an arm.
    drift
        Change of everybody's outcome from the first to the last block.
    test
        Of intersections, see `intersection_p`.
    replicates, seed
        How often, and the seed of the random numbers.

    Returns
    -------
    AdaptiveOutcomes
        One claim per arm; ``went_on`` tells which arm had most patients.

    Raises
    ------
    ConfigError
        Numbers outside their range, or blocks too small for the arms.

    Examples
    --------
    >>> from betapod import designs
    >>> trials = designs.simulate_adaptive_randomisation([0.4], replicates=2000, seed=1)
    >>> bool(trials.any_rejected > 0.85), bool(trials.went_on.mean() > 0.9)
    (True, True)
    """
    from scipy.special import ndtr

    arms = len(effects)
    problems = simulation_problems(replicates, seed, sd=sd, blocks=blocks, per_block=per_block)
    if not 1 <= arms <= 8:
        problems.append(Problem("out-of-range", "there are 1 to 8 arms besides control", found=str(arms)))
    elif per_block < 4 * (arms + 1):
        problems.append(
            Problem(
                "out-of-range",
                "a block is too small for its arms",
                found=str(per_block),
                expected=f"{4 * (arms + 1)} or more",
            )
        )
    if not 1 / (arms + 1) < cap <= 1:
        problems.append(Problem("out-of-range", "cap is a share above the even one", found=str(cap)))
    raise_problems(problems)
    rng = np.random.default_rng(seed)
    truth = np.array([0.0, *effects])
    sums, counts = np.zeros((replicates, arms + 1)), np.zeros((replicates, arms + 1))
    z = np.zeros((replicates, arms))
    share = np.full((replicates, arms + 1), 1 / (arms + 1))
    for block in range(blocks):
        n = whole_shares(share, per_block)
        shift = drift * block / max(blocks - 1, 1)
        means = rng.normal(truth + shift, sd / np.sqrt(n))
        z += (means[:, 1:] - means[:, :1]) / (sd * np.sqrt(1 / n[:, 1:] + 1 / n[:, :1]))
        sums, counts = sums + n * means, counts + n
        weight = chances_to_be_best(sums / counts, sd / np.sqrt(counts)) ** exponent
        share = capped_shares(weight / weight.sum(-1, keepdims=True), cap)
    pooled = sums / counts
    z_pooled = (pooled[:, 1:] - pooled[:, :1]) / (sd * np.sqrt(1 / counts[:, 1:] + 1 / counts[:, :1]))
    design = group_sequential("OF", 1, alpha)
    claimed, pooled_claimed = (
        closed_test(ndtr(-value)[:, None, :], design, test)[:, 0] for value in (z / np.sqrt(blocks), z_pooled)
    )
    most = counts[:, 1:] >= counts.max(-1, keepdims=True)
    names = tuple(f"arm {i + 1}" for i in range(arms))
    every = np.full(replicates, float(blocks * per_block))
    return AdaptiveOutcomes(
        claimed, every, np.full(replicates, float(blocks)), most, names, {"pooled": np.asarray(pooled_claimed.any(-1))}
    )


def capped_shares(share: Array, cap: float) -> Array:
    """Return shares of which none is above the cap; what is cut off goes to the others in proportion."""
    over = share > cap
    rest = np.where(over, 0.0, share)
    total = rest.sum(-1, keepdims=True)
    spread = np.where(
        total > 0, rest / np.where(total > 0, total, 1.0), (~over) / np.maximum((~over).sum(-1, keepdims=True), 1)
    )
    return np.where(over.any(-1, keepdims=True), np.where(over, cap, spread * (1 - cap)), share)


def whole_shares(share: Array, total: int) -> Array:
    """Return whole patients per arm, two at least, that sum to the total: by largest remainder."""
    arms = share.shape[-1]
    wanted = 2 + share * (total - 2 * arms)
    n = np.floor(wanted)
    left = np.round(total - n.sum(-1, keepdims=True))
    rank = np.argsort(np.argsort(-(wanted - n), -1, kind="stable"), -1, kind="stable")
    return np.asarray(n + (rank < left))
