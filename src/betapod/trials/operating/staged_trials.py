"""Trials whose stages are tested apart: selection of arms, enrichment by a stratum, sizes that are set anew at a look."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..analysis.controlled import analyse
from ..analysis.endpoints import Comparison, comparisons
from ..analysis.estimators import Array, Estimate
from ..conduct.drawn_design import DrawnDesign, SharedDraws, joined, shards
from ..designs.closed_testing import closed_test
from ..designs.combination_tests import FisherDesign
from ..designs.sequential_design import SequentialDesign
from ..protocol.look_design import counts_of_looks, shares_of_looks, stage_design
from .look_data import enrolment_days, judged_day
from .stage_decisions import Decisions
from .stage_estimates import AdaptedEstimates, StageEstimates
from .test_rules import TestRule, rule_of

if TYPE_CHECKING:
    from ..conduct.trial_data import TrialData
    from ..protocol.look_keys import Looks

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class StageClaim:
    """What a trial may show: an arm against control, in all patients or in a stratum of them."""

    words: str
    comparison: Comparison
    stratum: str | None = None


@dataclass(frozen=True)
class StagedTrials:
    """Replicates (R) with K looks and C claims.

    Attributes
    ----------
    design, rule, claims
        Boundaries or critical products, how the endpoint is tested, and what may be claimed.
    effect, low, high
        (R, C) plain estimate with its interval, from all patients of the claim at the last look at which it was in the trial.
    stages
        What each stage shows by its own patients.
    intersections, correlation
        Test of several claims together, as of `closed_testing.closed_test`.
    went_on
        (R, K, C) claims that were in the trial at each look.
    day, enrolled, analysed
        (R, K) day of each look from the opening of the trial, patients enrolled by then, and patients whose endpoint is known.
    stopped
        (R,) look at which each trial stops, from 0.
    rejected
        (R, C) claims made.
    fixed
        (R,) whether the trial of everybody, without a look, makes any claim.
    compared
        Other tests of the same trials -> (R,) whether they reject.
    share
        (R, C) share of the patients that the arm of each claim gets; None where allocation is fixed.
    events
        (R, K) events known by each look among the patients who are still looked at; None where looks come by patients.
    """

    design: SequentialDesign | FisherDesign
    rule: TestRule
    claims: tuple[StageClaim, ...]
    effect: Array
    low: Array
    high: Array
    stages: StageEstimates
    correlation: float
    intersections: str
    went_on: Flags
    day: Array
    enrolled: Array
    analysed: Array
    stopped: NDArray[np.intp]
    rejected: Flags
    fixed: Flags
    compared: dict[str, Flags] = field(default_factory=dict)
    share: Array | None = None
    events: Array | None = None

    def adapted(self) -> AdaptedEstimates:
        """Return median-unbiased estimates and intervals that know of the adaptation."""
        return self.stages.adapted(self.rule, self.design, self.intersections, self.correlation)

    def at_stop(self, values: Array) -> Array:
        """Return (R,) what values (R, K) are at the look at which each trial stops."""
        return np.asarray(np.take_along_axis(values, self.stopped[:, None], 1)[:, 0])


@dataclass(frozen=True)
class Stages:
    """A trial with its patients in the order of enrolment, from whom stages are cut.

    Attributes
    ----------
    order
        (R, n) number of each patient among those enrolled, from 0; -1 for empty places.
    enrolment
        (R, n) day of enrolment.
    """

    data: TrialData
    rule: TestRule
    order: NDArray[np.int64]
    enrolment: Array

    @classmethod
    def of(cls, data: TrialData) -> Stages:
        """Return the stages of a trial as if nobody had looked."""
        order = np.where(data.enrolled, np.cumsum(data.enrolled, axis=1) - 1, -1)
        return cls(data, rule_of(data.protocol.endpoints, data.protocol.endpoints.primary), order, enrolment_days(data))

    def estimate(self, claim: StageClaim, first: NDArray[np.int64] | int, last: NDArray[np.int64]) -> Estimate:
        """Return the estimates (R,) of a claim from patients with places from `first` to before `last`, each (R,)."""
        low = np.broadcast_to(np.asarray(first), last.shape)[:, None]
        inside = (self.order >= low) & (self.order < last[:, None])
        part = replace(self.data, member=np.where(inside, self.data.member, -1).astype(self.data.member.dtype))
        return analyse(part, self.data.protocol.endpoints.primary, claim.comparison, claim.stratum, self.rule.level)

    def p(self, claim: StageClaim, first: NDArray[np.int64] | int, last: NDArray[np.int64]) -> Array:
        """Return one-sided p (R,) of a claim from some patients; 1 where they say nothing."""
        return self.p_of(self.estimate(claim, first, last))

    def p_of(self, estimate: Estimate) -> Array:
        """Return one-sided p (R,) of an estimate; 1 where it says nothing."""
        p = self.rule.one_sided_p(estimate)
        return np.where(np.isfinite(p), p, 1.0)

    def day_of(self, count: NDArray[np.int64]) -> Array:
        """Return (R,) day by which the endpoint of a number (R,) of patients is known."""
        column = np.argmax(self.order >= np.maximum(count - 1, 0)[:, None], axis=1)
        days = np.take_along_axis(self.enrolment, column[:, None], 1)[:, 0]
        return np.asarray(days + judged_day(self.data.protocol, self.data.protocol.endpoints.primary))


def claims_of(data: TrialData, looks: Looks) -> tuple[StageClaim, ...]:
    """Return what a design may claim: each arm against control; of enrichment all patients, and the stratum."""
    pairs = comparisons(data.protocol, data.design)
    if looks.enrich is not None:
        return StageClaim("all patients", pairs[0]), StageClaim(looks.enrich.stratum, pairs[0], looks.enrich.stratum)
    return tuple(StageClaim(pair.treated, pair) for pair in pairs)


def staged_trials(data: TrialData) -> StagedTrials:
    """Return the trials of a design whose stages are tested apart, by the size that was planned.

    Stages are cut from the patients in the order of enrolment: those whose endpoint is known at a look, and those after them. An arm, or the other strata,
    that does not go on enrols nobody after the day of the look.

    Raises
    ------
    ConfigError
        The looks do not make a design.
    """
    looks = data.protocol.designs[data.design].looks
    assert looks is not None
    asked = data.protocol.endpoints
    design = stage_design(looks, asked.alpha, asked.sides)
    stages, claims = Stages.of(data), claims_of(data, looks)
    shares = shares_of_looks(looks)
    places = data.enrolled.sum(axis=1)
    counts = np.stack([counts_of_looks(shares, max(int(n), 1)) for n in places])
    cuts = [(counts[:, k - 1] if k else 0, counts[:, k]) for k in range(len(shares))]
    by_stage = [[stages.estimate(claim, *cut) for claim in claims] for cut in cuts]
    sofar = [[stages.estimate(claim, 0, last) for claim in claims] for _, last in cuts]
    p = stacked_looks([[stages.p_of(estimate) for estimate in stage] for stage in by_stage])
    plain = [stacked_looks([[getattr(x, name) for x in look] for look in sofar]) for name in ("effect", "low", "high")]
    correlation = claims_correlation(data, looks)
    days = np.stack([stages.day_of(counts[:, k]) for k in range(len(shares))], axis=1)
    decisions = Decisions.of(design, looks, p.shape, correlation)
    for k in range(len(shares)):
        decisions.take(k, p, stages.rule.better * plain[0][:, k])
    went_on, rejected, stopped = decisions.went_on, decisions.rejected, decisions.stopped
    enrolled, analysed = _patients(stages, claims, looks, went_on, days, counts)
    latest = [latest_of_looks(np.where(went_on, values, np.nan)) for values in plain]
    at_end = np.stack([stages.p(claim, 0, counts[:, -1]) for claim in claims], axis=-1)
    fixed = closed_test(at_end[:, None], stage_design(last_look_alone(looks), asked.alpha, asked.sides), looks.intersections, correlation)  # fmt: skip
    return StagedTrials(
        design, stages.rule, claims, latest[0], latest[1], latest[2], StageEstimates.of(stages.rule, by_stage, went_on), correlation, looks.intersections,
        went_on, days, enrolled, analysed, stopped, rejected, np.asarray(fixed[:, 0].any(-1))
    )  # fmt: skip


def stacked_looks(parts: list[list[Array]]) -> Array:
    """Return (R, K, C) numbers of looks and claims."""
    return np.stack([np.stack(claims, axis=-1) for claims in parts], axis=1)


def last_look_alone(looks: Looks) -> Looks:
    """Return looks with the last alone."""
    from ..protocol.look_keys import Looks as LookKeys

    return LookKeys(boundaries="OF", information=[1.0], intersections=looks.intersections)


def claims_correlation(data: TrialData, looks: Looks) -> float:
    """Return the correlation of the statistics of two claims: of a stratum within all, or of arms that share a control."""
    if looks.enrich is not None:
        share = float((data.stratum[data.enrolled] == data.strata.index(looks.enrich.stratum)).mean())
        return float(np.sqrt(min(share, 1 - 1e-9)))
    arms = data.protocol.designs[data.design].arms
    pair = comparisons(data.protocol, data.design)[0]
    ratio = arms[pair.treated] / arms[str(pair.control)]
    return ratio / (1 + ratio)


def _patients(
    stages: Stages, claims: tuple[StageClaim, ...], looks: Looks, went_on: Flags, days: Array, counts: NDArray[np.int64]
) -> tuple[Array, Array]:
    """Return (R, K) patients enrolled by each look, and those of them whose endpoint is known, without whom nobody enrolled any more."""
    data = stages.data
    closed = np.full(data.member.shape, np.inf)
    for k in range(days.shape[1] - 1):
        for c, claim in enumerate(claims):
            dropped = went_on[:, k, c] & ~went_on[:, k + 1, c] & went_on[:, k + 1].any(-1)
            if looks.enrich is not None:
                group = (
                    data.stratum != data.strata.index(looks.enrich.stratum) if c == 0 else np.zeros_like(data.enrolled)
                )
            else:
                group = data.arm == data.arms.index(claim.comparison.treated)
            closed = np.where(dropped[:, None] & group, np.minimum(closed, days[:, k, None]), closed)
    there = data.enrolled & (stages.enrolment <= closed)
    enrolled = [(there & (stages.enrolment <= days[:, k, None])).sum(axis=1) for k in range(days.shape[1])]
    analysed = [(there & (stages.order < counts[:, k, None])).sum(axis=1) for k in range(days.shape[1])]
    return np.stack(enrolled, axis=1).astype(float), np.stack(analysed, axis=1).astype(float)


def latest_of_looks(values: Array) -> Array:
    """Return (R, C) the last finite of values (R, K, C) over looks; NaN where there is none."""
    latest = values[:, 0]
    for k in range(1, values.shape[1]):
        latest = np.where(np.isfinite(values[:, k]), values[:, k], latest)
    return latest


def everybody_alike(data: TrialData) -> TrialData:
    """Return the trial as it is conducted, but every arm gets what the control gets: whatever it claims is false."""
    control = str(comparisons(data.protocol, data.design)[0].control)
    alike = dict.fromkeys(data.protocol.designs[data.design].arms, control)
    drawn = (SharedDraws(data.protocol, data.pool, data.design, part) for part in shards(data.protocol))
    return joined([DrawnDesign(draws, data.design, alike).data(data.scenario) for draws in drawn])
