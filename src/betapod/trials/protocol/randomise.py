"""Randomisation: simple, permuted blocks, or minimisation, for all replicates at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, not_among
from ...base.randomness import Stream

Arms = NDArray[np.int8]

#: Ways to randomise.
METHODS = ("blocks", "simple", "minimisation")

#: How often minimisation follows what would balance best, for the smallest arm.
_FOLLOW = 0.8


def allocate(
    method: str,
    shares: list[int],
    stratum: NDArray[np.int8],
    seed: int,
    replicates: range,
    block: int | None = None,
) -> Arms:
    """Return (R, n) the arm of each patient.

    Parameters
    ----------
    method
        ``simple``, ``blocks`` (permuted, within strata) or ``minimisation`` (Pocock and Simon over strata and the whole trial,
        with a biased coin).
    shares
        Allocation ratio.
    stratum
        (R, n) in the order of recruitment; all 0 where it does not matter.
    replicates
        Their numbers; a replicate's allocation depends on the seed and its number only.
    block
        Patients per block; twice the sum of `shares` by default.

    Raises
    ------
    ConfigError
        There is no such method.
    """
    if method not in METHODS:
        raise ConfigError(not_among(METHODS, "unknown-method", f"there is no randomisation method {method!r}", method))
    if len(shares) == 1:
        return np.zeros(stratum.shape, dtype=np.int8)
    if method == "simple":
        return _simple(shares, stratum, seed, replicates)
    if method == "minimisation":
        return _minimised(shares, stratum, seed, replicates)
    return _blocked(shares, stratum, seed, replicates, block or 2 * sum(shares))


def numbers(seed: int, purpose: str, replicates: range, count: int, item: int = 0) -> NDArray[np.float64]:
    """Return (R, count) uniform numbers, those of a replicate whatever the others."""
    first, last = replicates.start * count, replicates.stop * count
    return Stream(seed, purpose).uniform(range(first, last), item).reshape(len(replicates), count)


def _simple(shares: list[int], stratum: NDArray[np.int8], seed: int, replicates: range) -> Arms:
    edges = np.cumsum(shares) / sum(shares)
    draws = numbers(seed, "trial:allocation", replicates, stratum.shape[1])
    return np.searchsorted(edges, draws, side="right").astype(np.int8)


def _blocked(shares: list[int], stratum: NDArray[np.int8], seed: int, replicates: range, block: int) -> Arms:
    count = stratum.shape[1]
    content = np.repeat(np.arange(len(shares)), shares)
    content = np.tile(content, block // len(content))
    blocks = -(-count // len(content))
    arm = np.zeros(stratum.shape, dtype=np.int8)
    for s in range(int(stratum.max()) + 1):
        draws = numbers(seed, f"trial:block:{s}", replicates, blocks * len(content))
        order = np.argsort(draws.reshape(len(replicates), blocks, len(content)), axis=2, kind="stable")
        sequence = content[order].reshape(len(replicates), -1)
        in_stratum = stratum == s
        rank = np.cumsum(in_stratum, axis=1) - 1
        row = np.broadcast_to(np.arange(len(replicates))[:, None], stratum.shape)
        arm[in_stratum] = sequence[row[in_stratum], rank[in_stratum]]
    return arm


def _minimised(shares: list[int], stratum: NDArray[np.int8], seed: int, replicates: range) -> Arms:
    count, arms = stratum.shape[1], len(shares)
    draws = numbers(seed, "trial:minimisation", replicates, count)
    choice = numbers(seed, "trial:minimisation", replicates, count, 1)
    weight = np.asarray(shares, dtype=np.float64)
    totals = np.zeros((len(replicates), arms))
    inside = np.zeros((len(replicates), int(stratum.max()) + 1, arms))
    arm = np.zeros(stratum.shape, dtype=np.int8)
    rows = np.arange(len(replicates))
    for j in range(count):
        in_stratum = inside[rows, stratum[:, j]]
        # Imbalance if each arm came next: the spread of numbers relative to the ratio, in the stratum and overall.
        cost = np.empty((len(replicates), arms))
        for a in range(arms):
            step = np.zeros(arms)
            step[a] = 1.0
            cost[:, a] = np.ptp((in_stratum + step) / weight, axis=1) + np.ptp((totals + step) / weight, axis=1)
        best = np.where(cost <= cost.min(axis=1, keepdims=True) + 1e-12, weight, 0.0)
        preferred = _pick(best, draws[:, j])
        # The larger arm is followed more often, or the ratio would drift (Han 2009).
        others = weight.sum() - weight[preferred]
        follow = 1.0 - (1.0 - _FOLLOW) * others / (weight.sum() - weight.min())
        rest = np.broadcast_to(weight, cost.shape).copy()
        rest[rows, preferred] = 0.0
        left = (choice[:, j] - follow) / np.maximum(1.0 - follow, 1e-300)
        allocated = np.where(choice[:, j] < follow, preferred, _pick(rest, np.clip(left, 0.0, 1.0 - 1e-12)))
        arm[:, j] = allocated
        totals[rows, allocated] += 1
        inside[rows, stratum[:, j], allocated] += 1
    return arm


def _pick(weights: NDArray[np.float64], draws: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return a column for each row, with chances proportional to its weights."""
    edges = np.cumsum(weights, axis=1)
    picked: NDArray[np.intp] = np.argmax(edges > draws[:, None] * edges[:, -1:], axis=1)
    return picked
