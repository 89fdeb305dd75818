"""Intervals and estimates after an adaptation: from stages that are tested apart, each by its own patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import floats
from ...base.errors import ConfigError, Problem
from .closed_testing import intersection_p
from .combination_tests import FisherDesign
from .final_inference import FinalInference, Stagewise, normal_of_t
from .sequential_design import SequentialDesign
from .vector_roots import rising_roots

Array = NDArray[np.float64]

#: Tests of several claims of which each has a bound of its own; Simes' has none, and is bounded by Bonferroni's, which never claims more.
_SINGLE_STEP = {"Simes": "Bonferroni"}
#: Trials whose estimates lie within one band, in standard errors of the first stage, share an integration.
_BAND = 20.0


@dataclass(frozen=True)
class _Stages:
    """Estimates of stages and their errors, shape (trials, stages, claims); NaN where a claim was not in a stage."""

    estimate: Array
    error: Array
    degrees: Array

    @classmethod
    def of(cls, estimate: ArrayLike, standard_error: ArrayLike, degrees: ArrayLike | None, claims: bool) -> _Stages:
        wanted = 3 if claims else 2
        effect, error = floats("estimate", estimate), floats("standard_error", standard_error)
        free = np.full(effect.shape, np.inf) if degrees is None else np.asarray(degrees, dtype=float)
        problems = []
        if effect.ndim != wanted or error.shape != effect.shape:
            axes = "trials, stages" + (", claims" if claims else "")
            shapes = f"{effect.shape} and {error.shape}"
            problems.append(Problem("bad-shape", f"estimates and errors have the axes {axes}", found=shapes))
        elif not np.isfinite(effect[:, 0]).all():
            problems.append(Problem("out-of-range", "every trial, and every claim, has a first stage"))
        if np.any(error[np.isfinite(error)] <= 0):
            problems.append(Problem("out-of-range", "standard errors are above 0"))
        if problems:
            raise ConfigError(problems)
        stages = cls(effect, error, np.broadcast_to(free, effect.shape))
        return stages if claims else stages.turned(lambda values: values[..., None])

    def turned(self, how: Callable[[Array], Array]) -> _Stages:
        return _Stages(how(self.estimate), how(self.error), how(self.degrees))

    @property
    def last(self) -> NDArray[np.intp]:
        """(trials, claims) the last stage of each claim, from 0."""
        return np.asarray(np.isfinite(self.estimate).sum(1) - 1, dtype=np.intp)

    def z(self, null: Array) -> Array:
        """Return (trials, stages, claims) normal statistics against effects (trials, claims)."""
        with np.errstate(invalid="ignore"):
            ratio = (self.estimate - null[:, None]) / self.error
        return np.where(np.isfinite(self.degrees), normal_of_t(ratio, self.degrees), ratio)


def combination_bounds(
    design: SequentialDesign | FisherDesign,
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    degrees: ArrayLike | None = None,
    test: str = "Simes",
    correlation: float = 0.5,
) -> tuple[Array, Array]:
    """Return repeated confidence intervals of claims whose stages are combined: they hold together, whatever was adapted and whenever the trial stopped.

    A bound is the effect that the combination test at the last stage of the claim just does not reject, its stage-wise p adjusted at each stage for
    the claims that were in it. The level is 1 - 2 alpha of the design for all claims and stages together.

    Parameters
    ----------
    design
        One-sided boundaries of the inverse normal combination, or critical products of Fisher's. A design of one look combines all
        stages with equal weights.
    estimate, standard_error, degrees
        Of each stage from its own patients, in the direction of the claims, with degrees of freedom of t (infinite or None: normal); shape
        (trials, stages, claims). NaN from the stage on in which a claim was not.
    test, correlation
        As of `closed_test`. Bounds of ``Simes`` are those of ``Bonferroni``: they may hold 0 where the closed test claims.

    Returns
    -------
    low, high : numpy.ndarray
        Shape (trials, claims).

    Raises
    ------
    ConfigError
        The shapes do not go together, the design has two sides, or a standard error is not above 0.

    Notes
    -----
    Lehmacher and Wassmer, Biometrics 1999;55:1286, for one claim; of several the test is that of all claims together, as Posch and others have it
    (Stat Med 2005;24:3697): at every stage the least adjusted p of all claims tests that all are null, so that no claim's own bound misses more often.

    Examples
    --------
    >>> from betapod import designs
    >>> low, high = designs.combination_bounds(designs.group_sequential("OF", 2), [[[0.2], [0.5]]], [[[0.2], [0.2]]])
    >>> round(float(low[0, 0]), 3), round(float(high[0, 0]), 3)
    (0.07, 0.63)
    """
    _one_sided(design)
    stages = _Stages.of(estimate, standard_error, degrees, claims=True)
    shape, looks = stages.estimate.shape, design.looks
    if looks > 1 and shape[1] > looks:
        raise ConfigError(Problem("bad-shape", "there are more stages than looks", found=f"{shape[1]} for {looks}"))
    counts = np.isfinite(stages.estimate).sum(-1)
    step = _SINGLE_STEP.get(test, test)

    def lower(these: _Stages) -> Array:
        every = these.turned(lambda values: values.swapaxes(1, 2).reshape(-1, 1, shape[1]).swapaxes(1, 2))
        last, several = these.last.reshape(-1), np.repeat(counts, shape[2], axis=0)

        def missing(null: Array, which: NDArray[np.intp]) -> Array:
            z = every.turned(lambda values: values[which]).z(null[:, None])[..., 0]
            return _room(design, _adjusted(z, several[which], step, correlation), last[which])

        wide = 6 * np.nanmax(np.where(np.isfinite(every.error), every.error, 0.0), axis=(1, 2))
        middle = every.estimate[np.arange(len(last)), last, 0]
        return rising_roots(missing, middle - wide, middle + wide, 1e-10 * float(np.max(wide))).reshape(shape[0], -1)

    return lower(stages), -lower(replace(stages, estimate=-stages.estimate))


def _one_sided(design: SequentialDesign | FisherDesign) -> None:
    if isinstance(design, SequentialDesign) and design.sides != 1:
        message = "stages are combined by one-sided tests"
        raise ConfigError(Problem("not-supported", message, hint="Use sides 1 with half of alpha."))


def _adjusted(z: Array, counts: NDArray[np.int_], test: str, correlation: float) -> Array:
    """Return z (claims, stages) of p adjusted for as many claims as were in each stage, as if the one were the best of them."""
    from scipy.special import ndtr, ndtri

    adjusted = z.copy()
    for count in np.unique(counts[counts > 1]):
        here = (counts == count) & np.isfinite(z)
        p = ndtr(-z[here])
        if test == "Bonferroni":
            p = np.minimum(count * p, 1.0)
        elif test == "Sidak":
            p = -np.expm1(count * np.log1p(-np.minimum(p, 1 - 1e-16)))
        else:
            p = intersection_p(np.repeat(p[:, None], count, axis=1), test, correlation)
        adjusted[here] = -ndtri(np.clip(p, 1e-300, 1 - 1e-16))
    return adjusted


def _room(design: SequentialDesign | FisherDesign, z: Array, last: NDArray[np.intp]) -> Array:
    """Return by how much the combination of stages (rows, stages) misses the boundary of the last; it rises with the effect that is tested."""
    from scipy.special import log_ndtr

    rows = np.arange(len(z))
    if isinstance(design, FisherDesign):
        products = np.cumsum(log_ndtr(-z), axis=1)[rows, last]
        return np.asarray(products - np.log(np.asarray(design.critical)[last]))
    if design.looks == 1:
        return np.asarray(design.efficacy[0] - np.nansum(z, axis=1) / np.sqrt(last + 1))
    steps = np.diff(np.asarray(design.information), prepend=0.0)[: z.shape[1]]
    combined = np.cumsum(np.sqrt(steps) * z, axis=1) / np.sqrt(np.cumsum(steps))
    return np.asarray(np.asarray(design.efficacy)[last] - combined[rows, last])


def adaptive_inference(
    design: SequentialDesign,
    estimate: ArrayLike,
    standard_error: ArrayLike,
    *,
    null: float = 0.0,
    level: float | None = None,
    degrees: ArrayLike | None = None,
) -> FinalInference:
    """Return p, median-unbiased estimate and interval of one claim after stages whose sizes were set anew.

    What the later stages show is carried back into the trial as it was planned: under an effect d, a stage that was larger or smaller than planned has the
    statistic z(d) + d √I, with z(d) its own against d and I the information that was planned for it. The result is then placed by the stagewise
    ordering, as of `final_inference`. Without an adaptation it is that.

    Parameters
    ----------
    design
        One-sided boundaries of the inverse normal combination as planned. A design of one look combines all stages with equal weights.
    estimate, standard_error, degrees
        Of each stage from its own patients, in the direction of the claim, shape (trials, stages); NaN from the stage on that was not done.
    null
        Effect under the null.
    level
        Of the interval; 1 - 2 alpha of the design by default.

    Returns
    -------
    FinalInference
        On the scale of the estimate.

    Raises
    ------
    ConfigError
        The shapes do not go together, the design has two sides, or a standard error is not above 0.

    Notes
    -----
    Gao, Liu and Mehta, Stat Med 2013;32:3991: given the first stage the image of the later ones has, under the true effect, the distribution of the planned trial,
    whatever the size became; so p of the true effect is uniform, the interval exact and half of all estimates too high. The information planned is that of the first
    stage, which nothing has changed, times the planned steps.

    Examples
    --------
    >>> from betapod import designs
    >>> design = designs.group_sequential("OF", 2)
    >>> got = designs.adaptive_inference(design, [[0.2, 0.5]], [[0.2, 0.1]])  # the second stage four times as large as planned
    >>> got.table.round(3).values.tolist()
    [[0.003, 0.394, 0.158, 0.584]]
    """
    _one_sided(design)
    stages = _Stages.of(estimate, standard_error, degrees, claims=False)
    confidence = 1 - 2 * design.alpha if level is None else level
    wanted = ((1 - confidence) / 2, 0.5, (1 + confidence) / 2)
    image = _at_once if design.looks == 1 else _PlannedTrial.of
    p, low, middle, high = (np.full(len(stages.estimate), np.nan) for _ in range(4))
    centre = (stages.estimate[:, 0, 0] - null) / stages.error[:, 0, 0]
    for band in np.unique(np.round(centre / _BAND)):
        part = np.flatnonzero(np.round(centre / _BAND) == band)
        chance_of = image(design, stages.turned(lambda values, part=part: values[part]))  # type: ignore[misc]
        p[part] = chance_of(np.full(len(part), null), np.arange(len(part)))
        first = stages.error[part, 0, 0]
        around = stages.estimate[part, 0, 0]
        for answer, chance in zip((low, middle, high), wanted, strict=True):
            answer[part] = rising_roots(
                lambda x, which, chance=chance, chance_of=chance_of: chance_of(x, which) - chance,  # type: ignore[misc]
                around - 2.5 * first,
                around + 2.5 * first,
                1e-10 * float(first.max()),
            )
    return FinalInference(p, middle, low, high)


ChanceOf = Callable[[Array, NDArray[np.intp]], Array]


def _at_once(design: SequentialDesign, stages: _Stages) -> ChanceOf:
    """Return the chance of results at least as extreme where all stages are tested once, with equal weights."""
    from scipy.special import ndtr

    done = np.sqrt(stages.last[:, 0] + 1)

    def chance(effect: Array, which: NDArray[np.intp]) -> Array:
        z = stages.turned(lambda values: values[which]).z(effect[:, None])[..., 0]
        return np.asarray(ndtr(-np.nansum(z, axis=1) / done[which]))

    return chance


class _PlannedTrial:
    """Results of trials carried back into the trial as planned."""

    def __init__(self, design: SequentialDesign, stages: _Stages) -> None:
        self.stages, self.looks = stages, stages.last[:, 0]
        self.steps = np.diff(np.asarray(design.information), prepend=0.0)
        # Drift is an effect over the standard error that the last look was to have.
        self.unit = stages.error[:, 0, 0] * np.sqrt(self.steps[0])
        centre = stages.estimate[:, 0, 0] / self.unit
        reach = 6 / np.sqrt(self.steps[0])
        ends = np.array([*(centre - reach), *(centre + reach), 0.0])
        middle, half = float(ends.max() + ends.min()) / 2, float(ends.max() - ends.min()) / 2
        self.ordered = Stagewise(
            design.chances(middle, half, futility=design.binding), self.looks, np.zeros(len(centre))
        )

    @classmethod
    def of(cls, design: SequentialDesign, stages: _Stages) -> ChanceOf:
        return cls(design, stages).chance

    def chance(self, effect: Array, which: NDArray[np.intp]) -> Array:
        """Return the chance of a result at least as extreme as that of each trial, each under its effect."""
        drift = effect / self.unit[which]
        stage_z = self.stages.turned(lambda values: values[which]).z(effect[:, None])[..., 0]
        count = stage_z.shape[1]
        image = stage_z + drift[:, None] * np.sqrt(self.steps[:count])
        weights = np.sqrt(self.steps[:count])
        combined = np.cumsum(weights * image, axis=1) / np.sqrt(np.cumsum(weights**2))
        z = combined[np.arange(len(which)), self.looks[which]]
        return replace(self.ordered, looks=self.looks[which], z=z).p(drift)
