"""Chances of what is measured of people on visits, where errors of measurement are integrated and not drawn.

A measured value is a true one, moved by an error of each visit's own and by what life moves, whose deviations on later visits are correlated.
Given such a path of life, visits are independent, and the chance that a value lies between bounds is a difference of two normal distributions:
as smooth in the course as the course itself is. Paths, and the few measurements that bounds refer to, are drawn by quasi-random numbers that do
not change with the course. With a single visit after the start nothing needs a path.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...base.constants import DAYS_PER_WEEK, DAYS_PER_YEAR
from ...observables.variation import Variation
from .visits import Numbers, compared, life_size

if TYPE_CHECKING:
    from .study_courses import Courses

#: Draws per person as a power of two, besides as many mirror images.
_LOG_DRAWS = 3
#: Share of the variance of what life moves that is each visit's own where nothing is measured with error: chances of visits would be 0 or 1.
_OWN_SHARE = 0.1
#: Least SD of a measured value as a share of it, and least value, where a logarithm or a quotient is taken.
_LEAST_SD, _LEAST = 1e-9, 1e-9
#: A bound on what is measured: a number, or one for each draw, person and visit.
Bound = float | Numbers
#: A measurement that is drawn: observable and place of the visit.
Drawn = tuple[str, int]


@functools.lru_cache(maxsize=32)
def quasi_normals(seed: tuple[int, ...], people: int, dimensions: int) -> Numbers:
    """Return quasi-random standard normal numbers, (draws, people, dimensions); the second half of the draws mirrors the first.

    The numbers of a person do not depend on how many others there are; those of each are spread evenly over every dimension.
    """
    from scipy.special import ndtri
    from scipy.stats import qmc

    per_person = 2**_LOG_DRAWS
    points = max(per_person, 2 ** math.ceil(math.log2(people * per_person)))
    uniform = qmc.Sobol(dimensions, rng=np.random.default_rng(seed)).random(points)[: people * per_person]
    half = ndtri(np.clip(uniform, 2.0**-31, 1.0 - 2.0**-31)).reshape(people, per_person, dimensions).swapaxes(0, 1)
    numbers = np.concatenate([half, -half])
    numbers.flags.writeable = False
    return numbers


@dataclass(frozen=True)
class _Path:
    """What life moves over visits, in standard normal units: mean (people, visits), and loadings (visits, dimensions) of independent numbers."""

    mean: Numbers
    loadings: Numbers

    @property
    def variance(self) -> Numbers:
        return np.asarray(np.sum(self.loadings**2, axis=1))


def _path(life: Variation, start: Numbers | None, weeks: Numbers, people: int) -> _Path:
    """Return the law of a path that begins where people are known to begin, or anywhere."""
    years = weeks * DAYS_PER_WEEK / DAYS_PER_YEAR
    covariance = np.exp(-np.abs(years[:, None] - years[None, :]) / life.lasts)
    mean = np.zeros((people, len(weeks)))
    if start is not None:
        kept = np.exp(-years / life.lasts)
        mean, covariance = start[:, None] * kept, covariance - np.outer(kept, kept)
    elif not life.person:
        # Nothing has moved yet at the start.
        covariance = np.where(years[:, None] * years[None, :] > 0, covariance, 0.0)
    values, vectors = np.linalg.eigh(covariance)
    large = np.flatnonzero(values > 1e-10)[::-1]
    # Signs of eigenvectors are arbitrary: people of two arms must have the same path.
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(len(weeks))])
    return _Path(mean, (vectors * signs * np.sqrt(np.maximum(values, 0.0)))[:, large])


@dataclass(frozen=True)
class _Seen:
    """How an observable is seen: true values and SDs of one visit's own error (people, visits), and by how much life moved it (draws, people, visits)."""

    true: Numbers
    own_sd: Numbers
    shift: Numbers
    ratios: bool


@dataclass
class SeenVisits:
    """What is measured of a group on visits.

    Attributes
    ----------
    courses
        Of the group, without gaps (`Courses.filled`).
    weeks
        (visits,) increasing, the start first.
    names
        Observables.
    drawn
        Measurements that are drawn, because bounds of others refer to them.
    seed
        The same seed gives the same people the same numbers.
    samples
        How often an observable is measured on a visit, where more than once.
    apart
        Whether visits are looked at one by one, so that no path is needed.
    """

    courses: Courses
    weeks: Numbers
    names: Sequence[str]
    drawn: Sequence[Drawn]
    seed: tuple[int, ...]
    samples: dict[str, int]
    apart: bool = False
    _seen: dict[str, _Seen] = field(init=False, repr=False)
    _numbers: dict[Drawn, Numbers] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        paths, joined = self._paths()
        free = [(name, k) for name in joined for k in range(paths[name].loadings.shape[1])]
        # What moves most comes first, where quasi-random numbers are spread best.
        free.sort(key=lambda factor: -float(np.sum(paths[factor[0]].loadings[:, factor[1]] ** 2)))
        dimensions = len(self.drawn) + len(free)
        member = self.courses.member
        numbers = np.zeros((1, len(member), 0))
        if dimensions and len(member):
            numbers = quasi_normals(self.seed, int(member.max()) + 1, dimensions)[:, member]
        self._numbers = {visit: numbers[..., k] for k, visit in enumerate(self.drawn)}
        of_stream: dict[str, list[int]] = {name: [] for name in joined}
        for k, (name, _) in enumerate(free):
            of_stream[name].append(len(self.drawn) + k)
        moved = {
            name: paths[name].mean + numbers[..., columns] @ paths[name].loadings.T
            for name, columns in of_stream.items()
        }
        self._seen = {name: self._of(name, paths, moved) for name in self.names}

    def _paths(self) -> tuple[dict[str, _Path], list[str]]:
        """Return the paths of what moves, and which of them must be drawn."""
        paths, joined = {}, []
        streams = [_stream(name) for name in self.names if compared()[name].life is not None]
        for name in self.names:
            life, stream = compared()[name].life, _stream(name)
            if life is None or stream in paths:
                continue
            start = self.courses.values[life.person][:, 0] if life.person in self.courses.values else None
            paths[stream] = _path(life, start, self.weeks, len(self.courses))
            unknown_start = bool(life.person) and start is None
            single = np.sum(self.weeks > 0) <= 1 and streams.count(stream) == 1 and not unknown_start
            if not (single or self.apart):
                joined.append(stream)
        return paths, joined

    def _of(self, name: str, paths: dict[str, _Path], moved: dict[str, Numbers]) -> _Seen:
        observable = compared()[name]
        at = [int(np.argmin(np.abs(self.courses.weeks - week))) for week in self.weeks]
        true = self.courses.values[name][:, at]
        error = observable.relative_error / math.sqrt(self.samples.get(name, 1))
        variance, shift = np.full(true.shape, error**2), np.zeros((1, *true.shape))
        life, stream = observable.life, _stream(name)
        if life is not None:
            lived = np.stack(
                [np.broadcast_to(life_size(life, w, true[:, k]), len(true)) for k, w in enumerate(self.weeks)], -1
            )
            own_share = _OWN_SHARE if error == 0.0 else 0.0
            if stream in moved:
                variance = variance + own_share * lived**2
                shift = math.sqrt(1.0 - own_share) * lived * moved[stream]
            else:
                variance = variance + lived**2 * paths[stream].variance
                shift = (lived * paths[stream].mean)[None]
        sd = np.maximum(np.sqrt(variance), _LEAST_SD)
        return _Seen(true, sd, shift, observable.compared != "linear")

    def below(self, name: str, visits: slice, bound: Bound) -> Numbers | float:
        """Return the chance to measure less than a bound, (draws, people, visits)."""
        if np.ndim(bound) == 0 and not np.isfinite(bound):
            return float(bound > 0)
        quantity = self._seen[name]
        true = np.maximum(quantity.true[:, visits], _LEAST)
        positive = np.maximum(bound, 1e-300)
        edge = np.log(positive) - np.log(true) if quantity.ratios else positive / true - 1.0
        chance = _normal((edge - quantity.shift[..., visits]) / quantity.own_sd[:, visits])
        nothing = quantity.true[:, visits] <= 0
        if np.any(nothing):
            chance = np.where(nothing, np.greater_equal(bound, 0.0), chance)
        return np.where(np.greater(bound, 0.0) | nothing, chance, 0.0) if np.any(np.less_equal(bound, 0.0)) else chance

    def within(self, name: str, visits: slice, low: Bound, high: Bound) -> Numbers | float:
        """Return the chance to measure between two bounds, (draws, people, visits); 0 where they are crossed."""
        above = self.below(name, visits, high)
        return np.maximum(above - self.below(name, visits, low), 0.0)

    def measured(
        self, name: str, visit: int, low: float = -math.inf, high: float = math.inf
    ) -> tuple[Numbers, Numbers]:
        """Return a drawn measurement between two bounds, and the chance to lie there, each (draws, people)."""
        from scipy.special import ndtri

        quantity, at = self._seen[name], slice(visit, visit + 1)
        numbers = self._numbers[name, visit]
        chance = np.ones(numbers.shape)
        if math.isfinite(low) or math.isfinite(high):
            first, last = (
                np.broadcast_to(np.asarray(self.below(name, at, bound)), (*quantity.shift.shape[:2], 1))[..., 0]
                for bound in (low, high)
            )
            chance = np.broadcast_to(np.maximum(last - first, 0.0), numbers.shape)
            numbers = ndtri(np.clip(first + _normal(numbers) * chance, 1e-15, 1.0 - 1e-15))
        moved = quantity.shift[..., visit] + quantity.own_sd[:, visit] * numbers
        value = quantity.true[:, visit] * (np.exp(moved) if quantity.ratios else np.maximum(1.0 + moved, 0.0))
        return np.asarray(value, dtype=np.float64), np.asarray(chance, dtype=np.float64)


def _stream(name: str) -> str:
    """Return what moves an observable: itself, or a deviation that several have in common."""
    life = compared()[name].life
    return name if life is None else life.person or name


def _normal(x: Numbers) -> Numbers:
    from scipy.special import ndtr

    return np.asarray(ndtr(x), dtype=np.float64)
