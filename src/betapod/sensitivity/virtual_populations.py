"""Ways of making a virtual population out of one pool: weights, Allen's acceptance, Rieger's Metropolis-Hastings; how many simulations each needs.

All ways are told the same margins of a real cohort, and see the same pool. Allen, Rieger and Musante (2016) accept each plausible patient with a
chance that is the density of the target over that of the pool (by nearest neighbours), times the factor with which the accepted are nearest
to the target. Rieger and others (2018) let a Metropolis-Hastings chain walk by the same ratio; here its proposals are the members of the pool.
betapod balances weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem, did_you_mean
from ..patients.cohorts.cohort_target import CohortTarget, Moment
from ..patients.cohorts.reweight import weigh
from ..patients.library import Library
from ..patients.plausibility import POSSIBLE
from .index_table import Numbers
from .limited_bell import limited_bell

#: Neighbours by which the density of the pool is told: a choice; more would blur it, fewer make it noise.
NEIGHBOURS = 5
#: Factors on the chance of acceptance that are tried.
_FACTORS = 60
#: Farthest normal score that a value counts as.
_FARTHEST = 6.0
#: Patients of equal weight that a way is asked for where its simulations are counted.
WANTED = 1000
#: Random parts of the pool of one size, and the smallest size, where it is asked how many simulations a distance takes.
PARTS, _SMALLEST = 3, 64
#: The range of what has none.
_ANY = (-math.inf, math.inf)
#: Levels at which weights are told a bell, their tolerance, and places between which its quantiles are told.
_LEVELS, _TOLERANCE, _PLACES = tuple(k / 20 for k in range(1, 20)), 0.005, 10_001
#: Ways, and what each is.
WAYS = {
    "weights": "weights by entropy balancing, every member of the pool with one",
    "Allen": "members of the pool accepted or not, by the ratio of densities",
    "Rieger": "a Metropolis-Hastings chain over the pool, by the same ratio",
}


@dataclass(frozen=True)
class Margin:
    """The distribution of one quantity in the target.

    Attributes
    ----------
    probability
        Its distribution function.
    assumed
        Quantiles, level -> value, where no more is known than a mean and an SD; empty where the target itself gives quantiles.
    """

    name: str
    probability: Callable[[Numbers], Numbers]
    assumed: Mapping[float, float] = field(default_factory=dict)

    def scores(self, x: Numbers) -> Numbers:
        """Return normal scores of values."""
        from scipy.special import ndtri

        return np.asarray(np.clip(ndtri(np.clip(self.probability(x), 0.0, 1.0)), -_FARTHEST, _FARTHEST))


@dataclass(frozen=True)
class PopulationMade:
    """What one way made of the pool.

    Attributes
    ----------
    weights
        (pool,) with sum 1.
    effective
        Kish's effective number of patients.
    distances
        Quantity -> distance of Kolmogorov and Smirnov from the target.
    correlation_miss
        Largest difference of a rank correlation from the target's; NaN where it has none.
    simulations
        Members of such a pool that have to be simulated for `WANTED` patients of equal weight.
    """

    way: str
    weights: Numbers
    effective: float
    distances: Mapping[str, float]
    correlation_miss: float
    simulations: float


def target_margins(target: CohortTarget, names: Sequence[str] = ()) -> list[Margin]:
    """Return the margins of a target that are known as distributions, or as a mean with an SD.

    Raises
    ------
    ConfigError
        A quantity of which the target does not say enough, or none at all.
    """
    means = {(m.names[0], m.kind): m.value for m in target.moments if len(m.names) == 1 and not m.where}
    margins: dict[str, Margin] = {
        name: Margin(name, item.probability) for name, item in target.distributions.items() if not item.where
    }
    for (name, kind), mean in means.items():
        sd = means.get((name, kind.replace("mean", "sd")))
        if kind in ("mean", "log_mean") and sd and name not in margins:
            ends = zip(target.ranges.get(name, _ANY), POSSIBLE.get(name, _ANY), strict=True)
            (low, least), (high, most) = ends
            limits = max(low, least), min(high, most)
            bell = _bell(mean, sd, limits, logarithmic=kind == "log_mean")
            margins[name] = Margin(name, bell, _quantiles(bell, mean, sd, logarithmic=kind == "log_mean"))
    problems = [
        Problem("unknown-quantity", f"{target.name} says too little of {name!r}", hint=did_you_mean(name, margins))
        for name in names
        if name not in margins
    ]
    if not margins:
        message = f"{target.name} has no distribution, and no mean with an SD"
        problems.append(Problem("no-margins", message, hint="Use another cohort, such as NHANES or FLOW."))
    if problems:
        raise ConfigError(problems)
    return [margins[name] for name in names or margins]


def _bell(mean: float, sd: float, limits: tuple[float, float], logarithmic: bool) -> Callable[[Numbers], Numbers]:
    """Return the distribution function of a quantity, or of its logarithm, with a mean, an SD and the range of those who are eligible."""
    from scipy.special import ndtr

    low, high = (math.log(max(end, 1e-300)) if logarithmic else end for end in limits)
    within = limited_bell(mean, sd, low, high)

    def probability(x: Numbers) -> Numbers:
        at = np.log(np.maximum(x, 1e-300)) if logarithmic else x
        return np.asarray(ndtr((at - mean) / sd)) if within is None else within(at)

    return probability


def _quantiles(
    probability: Callable[[Numbers], Numbers], mean: float, sd: float, logarithmic: bool
) -> dict[float, float]:
    at = np.linspace(mean - _FARTHEST * sd, mean + _FARTHEST * sd, _PLACES)
    values = np.exp(at) if logarithmic else at
    return {level: float(np.interp(level, probability(values), values)) for level in _LEVELS}


def compared_ways(
    library: Library, target: CohortTarget, names: Sequence[str] = (), seed: int = 1
) -> list[PopulationMade]:
    """Return what each way makes of those of a library who are eligible for a target.

    Parameters
    ----------
    names
        Quantities; all whose margin the target gives by default.

    Raises
    ------
    ConfigError
        Nobody is eligible, or the target says too little.
    """
    pool = _EligiblePool.of(library, target, names)
    return [pool.described(way, weights) for way, weights in pool.weights(seed).items()]


def simulations_needed(
    library: Library, target: CohortTarget, distance: float, names: Sequence[str] = (), seed: int = 1
) -> dict[str, float]:
    """Return for each way how many members of a pool have to be simulated until no quantity is farther from the target than a distance.

    Smaller pools are random parts of the eligible, each size the square root of 2 times the one before; what counts is the mean of the largest
    distance over `PARTS` of them.

    Returns
    -------
    dict
        Way -> members; infinite where all that there are do not do.

    Raises
    ------
    ConfigError
        Nobody is eligible, the target says too little, or the distance is none.
    """
    if not 0.0 < distance < 1.0:
        message = "distance is out of range"
        raise ConfigError(Problem("out-of-range", message, found=f"{distance:g}", expected="between 0 and 1"))
    eligible = _EligiblePool.of(library, target, names)
    count, random = len(eligible.values), np.random.default_rng([seed, 3])
    needed = dict.fromkeys(WAYS, math.inf)
    steps = math.ceil(2 * math.log2(count / _SMALLEST)) if count > _SMALLEST else 0
    for size in dict.fromkeys(min(count, round(_SMALLEST * 2 ** (k / 2))) for k in range(steps + 1)):
        parts = [eligible.rows[np.sort(random.permutation(count)[:size])] for _ in range(PARTS if size < count else 1)]
        of_parts = [_largest(library.take(rows), target, names, seed) for rows in parts]
        largest = {way: float(np.mean([part.get(way, 1.0) for part in of_parts])) for way in WAYS}
        for way, far in largest.items():
            if far <= distance and math.isinf(needed[way]):
                needed[way] = float(size)
        if all(map(math.isfinite, needed.values())):
            break
    return needed


def _largest(library: Library, target: CohortTarget, names: Sequence[str], seed: int) -> dict[str, float]:
    """Return how far the farthest quantity is from the target, by each way; nothing where a way comes to no population."""
    try:
        pool = _EligiblePool.of(library, target, names)
        weights_by_way = pool.weights(seed)
    except ConfigError:
        return {}
    return {way: max(pool.described(way, weights).distances.values()) for way, weights in weights_by_way.items()}


@dataclass(frozen=True)
class _EligiblePool:
    """Those of a library who are eligible for a target.

    Attributes
    ----------
    rows
        In the library.
    values, even
        (n, quantities), and the weights by entropy balancing (n,).
    """

    rows: NDArray[np.int64]
    values: Numbers
    even: Numbers
    margins: Sequence[Margin]
    target: CohortTarget

    @classmethod
    def of(cls, library: Library, target: CohortTarget, names: Sequence[str]) -> _EligiblePool:
        margins = target_margins(target, names)
        told = {margin.name for margin in margins}
        # Weights are told no more than the other ways are, and no less: the bell that is assumed behind a mean and an SD.
        bells = [
            Moment("quantile", (margin.name,), value, level, tolerance=_TOLERANCE)
            for margin in margins
            for level, value in margin.assumed.items()
        ]
        same = replace(target, moments=(*(moment for moment in target.moments if told >= {*moment.names}), *bells))
        eligible, balanced = weigh(library, same)
        rows = np.flatnonzero(eligible)
        table = library.table.iloc[rows]
        values = np.column_stack([table[margin.name].to_numpy(dtype=float) for margin in margins])
        complete = np.isfinite(values).all(axis=1)
        weights = balanced.weights[complete]
        return cls(rows[complete], values[complete], weights / weights.sum(), margins, target)

    def weights(self, seed: int) -> dict[str, Numbers]:
        """Return the weights that each way gives."""
        scores = np.column_stack([margin.scores(self.values[:, k]) for k, margin in enumerate(self.margins)])
        ratio = density_ratio(scores, _correlation(self.target, [margin.name for margin in self.margins]))
        return {"weights": self.even, "Allen": accepted(ratio, scores, seed), "Rieger": walked(ratio, seed)}

    def described(self, way: str, weights: Numbers) -> PopulationMade:
        """Return what a way made."""
        return _described(way, weights, self.values, self.margins, self.target)


def density_ratio(scores: Numbers, correlation: Numbers) -> Numbers:
    """Return the density of the target over that of the pool, at each member; the first is normal in the scores of its margins."""
    from scipy.spatial import cKDTree

    count, dimensions = scores.shape
    # Ties, such as ages in whole years, would make a density without end.
    jittered = scores + 1e-3 * np.random.default_rng([0, count]).standard_normal(scores.shape)
    distance = cKDTree(jittered).query(jittered, k=min(NEIGHBOURS + 1, count))[0][:, -1]
    volume = np.pi ** (dimensions / 2) / math.gamma(dimensions / 2 + 1) * distance**dimensions
    pool = NEIGHBOURS / (count * volume)
    inverse = np.linalg.inv(correlation)
    exponent = -0.5 * np.einsum("ni,ij,nj->n", scores, inverse, scores)
    normal = np.exp(exponent) / np.sqrt((2 * np.pi) ** dimensions * np.linalg.det(correlation))
    return np.asarray(normal / pool)


def accepted(ratio: Numbers, scores: Numbers, seed: int) -> Numbers:
    """Return even weights of those who are accepted, with the factor on the chance that brings them nearest to the target."""
    draws = np.random.default_rng([seed, 1]).random(len(ratio))
    best, least = None, np.inf
    positive = ratio[ratio > 0]
    for factor in np.geomspace(1.0 / positive.max(), 1.0 / np.quantile(positive, 0.05), _FACTORS):
        inside = draws < np.minimum(1.0, factor * ratio)
        if inside.sum() < 10:
            continue
        weights = inside / inside.sum()
        distance = float(
            np.mean([_distance(scores[:, k], weights, _bell(0.0, 1.0, _ANY, False)) for k in range(scores.shape[1])])
        )
        if distance < least:
            best, least = weights, distance
    if best is None:
        message = "fewer than ten members of the pool are accepted"
        raise ConfigError(Problem("far-from-library", message, hint="Grow a larger library, or take fewer quantities."))
    return np.asarray(best)


def walked(ratio: Numbers, seed: int) -> Numbers:
    """Return weights by how often a Metropolis-Hastings chain stays at each member; each member is proposed once, in random order."""
    random = np.random.default_rng([seed, 2])
    visits = np.zeros(len(ratio))
    at = int(np.argmax(ratio > 0))
    for proposal, draw in zip(random.permutation(len(ratio)), random.random(len(ratio)), strict=True):
        if draw * ratio[at] < ratio[proposal]:
            at = int(proposal)
        visits[at] += 1
    return np.asarray(visits / visits.sum())


def _correlation(target: CohortTarget, names: Sequence[str]) -> Numbers:
    """Return correlations of normal scores, from the target's rank correlations; none where it says nothing."""
    matrix = np.eye(len(names))
    for (first, second), rho in target.spearman.items():
        if first in names and second in names:
            i, j = names.index(first), names.index(second)
            matrix[i, j] = matrix[j, i] = 2.0 * math.sin(math.pi * rho / 6.0)
    # Pairs that were measured in different people need not fit together.
    values, vectors = np.linalg.eigh(matrix)
    nearest = (vectors * np.maximum(values, 1e-3)) @ vectors.T
    scale = np.sqrt(np.diag(nearest))
    return np.asarray(nearest / np.outer(scale, scale))


def _described(
    way: str, weights: Numbers, values: Numbers, margins: Sequence[Margin], target: CohortTarget
) -> PopulationMade:
    effective = float(1.0 / np.sum(weights**2))
    distances = {m.name: _distance(values[:, k], weights, m.probability) for k, m in enumerate(margins)}
    names = [margin.name for margin in margins]
    misses = [
        abs(_rank_correlation(values[:, names.index(a)], values[:, names.index(b)], weights) - rho)
        for (a, b), rho in target.spearman.items()
        if a in names and b in names
    ]
    return PopulationMade(
        way, weights, effective, distances, max(misses, default=math.nan), WANTED * len(weights) / effective
    )


def _distance(x: Numbers, weights: Numbers, probability: Callable[[Numbers], Numbers]) -> float:
    """Return the distance of Kolmogorov and Smirnov between weighted values and a distribution."""
    order = np.argsort(x, kind="stable")
    ordered = x[order]
    summed = np.cumsum(weights[order])
    last: NDArray[np.bool_] = np.append(np.diff(ordered) > 0, True)
    after = summed[last]
    before = np.append(0.0, after[:-1])
    exact = probability(ordered[last])
    return float(max(np.max(np.abs(after - exact)), np.max(np.abs(before - exact))))


def _rank_correlation(x: Numbers, y: Numbers, weights: Numbers) -> float:
    """Return the rank correlation of weighted people."""
    ranks = []
    for values in (x, y):
        unique, inverse = np.unique(values, return_inverse=True)
        mass = np.bincount(inverse, weights, minlength=len(unique))
        ranks.append((np.cumsum(mass) - 0.5 * mass)[inverse])
    u, v = (r - weights @ r for r in ranks)
    return float(weights @ (u * v) / np.sqrt((weights @ u**2) * (weights @ v**2)))
