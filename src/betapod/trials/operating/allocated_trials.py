"""Trials whose allocation follows what has been seen: block by block more patients get what seems best by then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..analysis import endpoints
from ..analysis.controlled import analyse
from ..analysis.estimators import Array
from ..conduct.drawn_design import PATIENT_ARRAYS, PATIENT_TABLES, DrawnDesign, SharedDraws, joined, shards, widened
from ..designs.adaptive_randomisation import capped_shares, chances_to_be_best, whole_shares
from ..designs.closed_testing import closed_test
from ..protocol.look_design import stage_design
from ..protocol.randomise import numbers
from .look_data import judged_day
from .stage_estimates import StageEstimates
from .staged_trials import StagedTrials, Stages, claims_of

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.look_keys import Allocation

#: Outcomes of an arm that are known before allocation follows them.
_FEWEST = 3


def allocated_trials(data: TrialData) -> StagedTrials:
    """Return the trials of a design whose allocation adapts.

    Everybody lives in every arm, and the arm that each is allocated to decides which of these lives the trial sees. The first block is even; when a later one
    begins, an arm's share of it is its chance to be the best, from the mean and scatter of the outcomes known by then, to the power of the exponent, below the cap.
    Groups are compared within every block, and the z of blocks are combined with equal weights: given the allocation each is standard normal where nothing
    differs. ``compared`` has ``naive``: all patients of an arm against all of control.

    Raises
    ------
    ConfigError
        The looks do not make a design.
    """
    from scipy.special import ndtr, ndtri

    looks = data.protocol.designs[data.design].looks
    assert looks is not None and looks.allocate is not None
    asked = data.protocol.endpoints
    design = stage_design(looks, asked.alpha, asked.sides)
    allocated = allocated_lives(data)
    arm, ends = allocated.arm, _ends(data, looks.allocate)
    stages = Stages.of(allocated)
    claims = claims_of(data, looks)
    z = np.zeros((data.replicates, len(claims)))
    by_block = []
    for first, last in zip([0, *ends[:-1]], ends, strict=True):
        bounds = np.full(data.replicates, last, dtype=np.int64)
        by_block.append([stages.estimate(claim, first, bounds) for claim in claims])
        p = np.stack([stages.p_of(estimate) for estimate in by_block[-1]], -1)
        z += -ndtri(np.clip(p, 1e-12, 1 - 1e-12)) / np.sqrt(len(ends))
    every = np.full(data.replicates, data.patients, dtype=np.int64)
    pooled = np.stack([stages.p(claim, 0, every) for claim in claims], -1)
    even = np.stack([_even_p(data, stages, claim.comparison) for claim in claims], -1)
    share = np.stack(
        [((arm == data.arms.index(claim.comparison.treated)) & data.enrolled).sum(1) for claim in claims], -1
    )
    correlation = 0.5
    rejected, naive, fixed = (
        np.asarray(closed_test(values[:, None, :], design, looks.intersections, correlation)[:, 0])
        for values in (ndtr(-z), pooled, even)
    )
    plain = [stages.estimate(claim, 0, every) for claim in claims]
    ends_of = [np.stack([getattr(x, name) for x in plain], -1) for name in ("effect", "low", "high")]
    stage_estimates = StageEstimates.of(
        stages.rule, by_block, np.ones((data.replicates, len(ends), len(claims)), dtype=bool)
    )
    enrolled = data.enrolled.sum(axis=1)
    day = stages.day_of(enrolled)[:, None]
    most = share >= share.max(axis=1, keepdims=True)
    return StagedTrials(
        design, stages.rule, claims, ends_of[0], ends_of[1], ends_of[2], stage_estimates, correlation, looks.intersections, most[:, None, :], day, enrolled[:, None].astype(float), enrolled[:, None].astype(float),
        np.zeros(data.replicates, dtype=np.intp), rejected, np.asarray(fixed.any(-1)), {"naive": np.asarray(naive.any(-1))},
        share / np.maximum(enrolled, 1)[:, None],
    )  # fmt: skip


def allocated_lives(data: TrialData) -> TrialData:
    """Return the trial as adaptive allocation makes it: each patient lives the life of the arm that they are allocated to.

    Parameters
    ----------
    data
        The trial with its planned allocation, whose design has ``allocate``.
    """
    looks = data.protocol.designs[data.design].looks
    assert looks is not None and looks.allocate is not None
    lives = [_everybody_in(data, arm) for arm in range(len(data.arms))]
    return _mixed(data, lives, _allocated(data, lives, looks.allocate))


def _ends(data: TrialData, how: Allocation) -> list[int]:
    """Return the places before which blocks end."""
    return [round(data.patients * (block + 1) / how.blocks) for block in range(how.blocks)]


def _even_p(data: TrialData, stages: Stages, comparison: Any) -> Array:
    """Return one-sided p (R,) of the trial with the allocation that nothing moves."""
    p = stages.rule.one_sided_p(analyse(data, data.protocol.endpoints.primary, comparison, level=stages.rule.level))
    return np.where(np.isfinite(p), p, 1.0)


def _everybody_in(data: TrialData, arm: int) -> TrialData:
    """Return the trial as it is conducted, but all patients get what one arm of it gets."""
    treated_as = data.treated_as or data.arms
    alike = dict.fromkeys(data.arms, treated_as[arm])
    drawn = (SharedDraws(data.protocol, data.pool, data.design, part) for part in shards(data.protocol))
    return joined([DrawnDesign(draws, data.design, alike).data(data.scenario) for draws in drawn])


def _allocated(data: TrialData, lives: list[TrialData], how: Allocation) -> NDArray[np.int8]:
    """Return (R, n) the arm of each patient."""
    endpoint = data.protocol.endpoints.primary
    sign = endpoints.direction(endpoint)
    gains = [sign * endpoints.outcome(life, endpoint) for life in lives]
    stages = Stages.of(data)
    known_from = stages.enrolment + judged_day(data.protocol, endpoint)
    ends = _ends(data, how)
    draws = numbers(data.protocol.seed, "trial:adaptive allocation", range(data.replicates), data.patients)
    arm = np.zeros(data.arm.shape, dtype=np.int8)
    share = np.full((data.replicates, len(lives)), 1 / len(lives))
    for first, last in zip([0, *ends[:-1]], ends, strict=True):
        if first:
            begin = stages.enrolment[:, first]
            told = (known_from <= begin[:, None]) & (np.arange(data.patients) < first)
            share = _shares(gains, arm, told, how)
        arm[:, first:last] = _permuted(whole_shares(share, last - first), draws[:, first:last])
    return arm


def _shares(gains: list[Array], arm: NDArray[np.int8], told: NDArray[np.bool_], how: Allocation) -> Array:
    """Return (R, arms) shares of the next block; even while an arm has too few known outcomes."""
    mean, error = (np.zeros((len(arm), len(gains))) for _ in range(2))
    able = np.ones(len(arm), dtype=bool)
    for a, gain in enumerate(gains):
        values = np.where(told & (arm == a) & np.isfinite(gain), gain, np.nan)
        count = np.isfinite(values).sum(axis=1)
        enough = count >= _FEWEST
        safe = np.where(enough[:, None], values, np.arange(values.shape[1]) % 2.0)
        mean[:, a] = np.nanmean(safe, axis=1)
        error[:, a] = np.nanstd(safe, axis=1, ddof=1) / np.sqrt(np.maximum(count, 1))
        able &= enough & (error[:, a] > 0)
    weight = chances_to_be_best(mean, np.where(error > 0, error, 1.0)) ** how.exponent
    share = capped_shares(weight / weight.sum(-1, keepdims=True), how.cap)
    return np.where(able[:, None], share, 1 / len(gains))


def _permuted(counts: Array, draws: Array) -> NDArray[np.int8]:
    """Return (R, block) arms in random order, as many of each as wanted."""
    rank = np.argsort(np.argsort(draws, axis=1), axis=1)
    return np.asarray((rank[:, :, None] >= np.cumsum(counts, axis=1)[:, None, :]).sum(-1), dtype=np.int8)


def _mixed(data: TrialData, lives: list[TrialData], arm: NDArray[np.int8]) -> TrialData:
    """Return the trial in which each patient lives the life of the arm that they are allocated to."""

    def chosen_life(arrays: list[Any]) -> Any:
        first, *others = widened(arrays)
        mixed = first.copy()
        for a, values in enumerate(others, 1):
            mixed[arm == a] = values[arm == a]
        return mixed

    changes: dict[str, Any] = {name: chosen_life([getattr(life, name) for life in lives]) for name in PATIENT_ARRAYS}
    for name in PATIENT_TABLES:
        tables = [getattr(life, name) for life in lives]
        changes[name] = {
            key: chosen_life([table[key] for table in tables])
            for key in tables[0]
            if all(key in table for table in tables)
        }
    if data.qalys is not None:
        changes["qalys"] = chosen_life([life.qalys for life in lives])
    return replace(data, **changes | {"arm": arm})
