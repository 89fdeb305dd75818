"""Trials at times to an event whose stages are tested apart: each stage is what the log-rank statistic gains between two looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..analysis import endpoints, survival
from ..analysis.controlled import analyse
from ..analysis.estimators import Array, Estimate, as_estimate
from ..designs.closed_testing import closed_test
from ..protocol.look_design import counts_of_looks, shares_of_looks, stage_design
from .look_data import days_of_events, known_at
from .stage_decisions import Decisions
from .stage_estimates import StageEstimates
from .staged_trials import (
    StageClaim,
    StagedTrials,
    Stages,
    claims_correlation,
    claims_of,
    last_look_alone,
    latest_of_looks,
    stacked_looks,
)

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.look_keys import Looks

#: Days by which rounding may miss an event.
_ROUNDING = 1e-6


def event_staged_trials(data: TrialData) -> StagedTrials:
    """Return the trials of a design at times to an event whose stages are tested apart.

    A look comes when so many more events are known as its share adds, among the patients who are still looked at their part of them. With U the events of the treated beyond those expected, and V their variance,
    a stage is the gain of both since the look before: (U2 - U1) / sqrt(V2 - V1) is asymptotically standard normal and independent of what the look before has
    shown, although patients of the first stage have events in the second (Tsiatis 1981; Wassmer, Biom J 2006;48:714). What follows a look may rest on nothing
    but these statistics, and it does. Stage estimates are (U2 - U1) / (V2 - V1), those of Peto.

    Raises
    ------
    ConfigError
        The looks do not make a design.
    """
    looks = data.protocol.designs[data.design].looks
    assert looks is not None and looks.events is not None
    asked = data.protocol.endpoints
    design = stage_design(looks, asked.alpha, asked.sides)
    stages, claims = Stages.of(data), claims_of(data, looks)
    counts = counts_of_looks(shares_of_looks(looks), looks.events)
    correlation = claims_correlation(data, looks)
    reported = stages.enrolment + days_of_events(data, asked.primary)
    shape = (data.replicates, len(counts), len(claims))
    decisions = Decisions.of(design, looks, shape, correlation)
    by_stage: list[list[Estimate]] = []
    sofar: list[list[Estimate]] = []
    p = np.full(shape, np.nan)
    before = [(np.zeros(data.replicates), np.zeros(data.replicates)) for _ in claims]
    days, events = np.empty(shape[:2]), np.empty(shape[:2])
    closed = np.full(data.member.shape, np.inf)
    for k, count in enumerate(counts):
        watched = _watched(data, claims, looks, decisions.active)
        more = count - (counts[k - 1] if k else 0)
        happened = watched & (reported <= days[:, k - 1, None] + _ROUNDING) if k else np.zeros_like(watched)
        days[:, k] = _day_of(stages, reported, watched, more, happened.sum(axis=1))
        if k:
            left = ~watched & decisions.going[:, None]
            closed = np.where(left, np.minimum(closed, days[:, k - 1, None]), closed)
        events[:, k] = (watched & (reported <= days[:, k, None] + _ROUNDING)).sum(axis=1)
        data_by_now = known_at(data, asked.primary, days[:, k, None] - stages.enrolment + _ROUNDING)
        now = [_score(data_by_now, claim, stages) for claim in claims]
        by_stage.append([_gained(*earlier, *other, stages) for earlier, other in zip(before, now, strict=True)])
        sofar.append([analyse(data_by_now, asked.primary, claim.comparison, claim.stratum, stages.rule.level) for claim in claims])  # fmt: skip
        before = now
        p[:, k] = np.stack([stages.p_of(estimate) for estimate in by_stage[-1]], axis=-1)
        decisions.take(k, p, stages.rule.better * np.stack([estimate.effect for estimate in sofar[-1]], axis=-1))
    plain = [stacked_looks([[getattr(x, name) for x in look] for look in sofar]) for name in ("effect", "low", "high")]
    latest = [latest_of_looks(np.where(decisions.went_on, values, np.nan)) for values in plain]
    there = data.enrolled & (stages.enrolment <= closed)
    enrolled = (there[:, None] & (stages.enrolment[:, None] <= days[..., None])).sum(axis=2).astype(float)
    return StagedTrials(
        design, stages.rule, claims, latest[0], latest[1], latest[2], StageEstimates.of(stages.rule, by_stage, decisions.went_on), correlation, looks.intersections,
        decisions.went_on, days, enrolled, enrolled, decisions.stopped, decisions.rejected, _at_once(data, stages, claims, reported, looks),
        events=events,
    )  # fmt: skip


def _watched(data: TrialData, claims: tuple[StageClaim, ...], looks: Looks, active: np.ndarray) -> np.ndarray:
    """Return (R, n) patients of whom a claim that is in the trial speaks; control patients always are."""
    watched = np.zeros(data.member.shape, dtype=bool)
    for c, claim in enumerate(claims):
        of = (data.arm == data.arms.index(claim.comparison.treated)) | (data.arm == data.arms.index(str(claim.comparison.control)))  # fmt: skip
        if looks.enrich is not None and claim.stratum is not None:
            of &= data.stratum == data.strata.index(claim.stratum)
        watched |= of & active[:, c, None]
    return watched & data.enrolled


def _day_of(stages: Stages, reported: Array, watched: np.ndarray, more: int, happened: np.ndarray) -> Array:
    """Return (R,) day on which, among those watched, their part of so many more events is known than have happened (R,); the end of the trial where they never are."""
    data = stages.data
    part = watched.sum(axis=1) / np.maximum(data.enrolled.sum(axis=1), 1)
    wanted = np.minimum(happened + np.maximum(np.ceil(more * part - 1e-9).astype(np.intp), 1), watched.shape[1])
    ordered = np.sort(np.where(watched, reported, np.inf), axis=1)
    day = np.take_along_axis(ordered, wanted[:, None] - 1, axis=1)[:, 0]
    last = data.protocol.visits[-1]
    enrolled = np.where(np.isfinite(stages.enrolment), stages.enrolment, -np.inf).max(axis=1)
    return np.asarray(np.minimum(day, enrolled + last.day + last.window))


def _score(data_by_now: TrialData, claim: StageClaim, stages: Stages) -> tuple[Array, Array]:
    """Return the events of the treated beyond those expected, and their variance (R,)."""
    endpoint = data_by_now.protocol.endpoints.primary
    time, event = endpoints.times(data_by_now, endpoint)
    first, second = (data_by_now.arm == data_by_now.arms.index(arm) for arm in (claim.comparison.treated, str(claim.comparison.control)))  # fmt: skip
    keep = (first | second) & data_by_now.enrolled
    if claim.stratum is not None:
        keep &= data_by_now.stratum == data_by_now.strata.index(claim.stratum)
    strata = data_by_now.stratum if endpoint.settings.stratified and len(data_by_now.strata) > 1 else None
    return survival.log_rank_score(np.where(keep, time, np.nan), event & keep, first.astype(float), strata)


def _gained(excess: Array, variance: Array, excess_now: Array, variance_now: Array, stages: Stages) -> Estimate:
    """Return the estimate of a stage; NaN where nothing was learnt in it."""
    more = variance_now - variance
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(more > 0, (excess_now - excess) / more, np.nan)
        error = np.where(more > 0, 1 / np.sqrt(more), np.nan)
    return as_estimate(effect, error, np.inf, stages.data.patients, stages.rule.level)


def _at_once(
    data: TrialData, stages: Stages, claims: tuple[StageClaim, ...], reported: Array, looks: Looks
) -> np.ndarray:
    """Return (R,) whether the trial of everybody, without a look, makes any claim at the end."""
    asked = data.protocol.endpoints
    assert looks.events is not None
    end = _day_of(stages, reported, data.enrolled, looks.events, np.zeros(data.replicates, dtype=np.intp))
    data_by_now = known_at(data, asked.primary, end[:, None] - stages.enrolment + _ROUNDING)
    nothing = np.zeros(data.replicates)
    p = np.stack([stages.p_of(_gained(nothing, nothing, *_score(data_by_now, claim, stages), stages)) for claim in claims], axis=-1)  # fmt: skip
    design = stage_design(last_look_alone(looks), asked.alpha, asked.sides)
    closed = closed_test(p[:, None], design, looks.intersections, claims_correlation(data, looks))
    return np.asarray(closed[:, 0].any(-1))
