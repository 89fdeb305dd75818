"""Stages of a fit, one after the other: a later one learns from the earlier ones, and tells them nothing back.

What an earlier stage found of an unknown is the prior of a later stage that has it too; unknowns of earlier stages alone are held there at
their middle. So rows of a later stage, such as those of trials of cells, never move what an earlier one has found alone
(cut feedback).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .fit_rows import FitRows
from .objective_protocol import Objective
from .unknown import Unknown

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class StagePrior:
    """Normal prior of the unknowns of a stage, in places of their first priors.

    Attributes
    ----------
    mean, covariance
        (d,) and (d, d).
    shared
        (d,) which of them an earlier stage has found something of.
    """

    mean: Numbers
    covariance: Numbers
    shared: NDArray[np.bool_]

    @property
    def root(self) -> Numbers:
        """(d, d) lower triangle that makes standard normal numbers into deviations."""
        return np.asarray(np.linalg.cholesky(self.covariance))

    def to_place(self, v: Numbers) -> Numbers:
        """Return places (..., d) in the first priors, of places in this one."""
        return np.asarray(self.mean + v @ self.root.T)

    def from_place(self, u: Numbers) -> Numbers:
        """Return places (..., d) in this prior, of places in the first ones."""
        return np.asarray(np.linalg.solve(self.root, (u - self.mean).T).T)


@dataclass(frozen=True)
class StageObjective:
    """An objective whose places are those of the prior of a stage; standard normal under it, as every algorithm expects."""

    objective: Objective
    prior: StagePrior

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The unknowns; one that an earlier stage has found something of is a number of its posterior, without a value of its own."""
        return tuple(
            replace(unknown, start=0.0, transform="linear", sd=1.0, low=-np.inf, high=np.inf) if shared else unknown
            for unknown, shared in zip(self.objective.unknowns, self.prior.shared, strict=True)
        )

    @property
    def rows(self) -> FitRows:
        """The rows of the stage."""
        return self.objective.rows

    def predict(self, u: Numbers) -> Numbers:
        """Return predictions (K, n) at places (K, d) of the prior of the stage."""
        return self.objective.predict(self.prior.to_place(np.atleast_2d(u)))


@dataclass(frozen=True)
class StagedPosterior:
    """What the stages so far have found: the joint posterior of their unknowns, as a normal distribution and as draws of equal weight.

    Attributes
    ----------
    names
        Of the unknowns, in the order in which stages named them first.
    u_map, mean, covariance
        (d,), (d,) and (d, d) in places of the first priors.
    draws
        (m, d).
    """

    names: tuple[str, ...]
    u_map: Numbers
    mean: Numbers
    covariance: Numbers
    draws: Numbers

    @classmethod
    def nothing(cls, draws: int) -> StagedPosterior:
        """Return what is known before the first stage."""
        return cls((), np.zeros(0), np.zeros(0), np.zeros((0, 0)), np.zeros((draws, 0)))

    def prior_of(self, names: Sequence[str]) -> StagePrior:
        """Return the prior of a stage with these unknowns."""
        mean, covariance = np.zeros(len(names)), np.eye(len(names))
        shared = np.array([name in self.names for name in names], dtype=np.bool_)
        at = [self.names.index(name) for name, is_shared in zip(names, shared, strict=True) if is_shared]
        mean[shared] = self.mean[at]
        covariance[np.ix_(shared, shared)] = self.covariance[np.ix_(at, at)]
        return StagePrior(mean, covariance, shared)

    def after(
        self,
        names: Sequence[str],
        prior: StagePrior,
        u_map: Numbers,
        mean: Numbers,
        covariance: Numbers,
        draws: Numbers,
    ) -> StagedPosterior:
        """Return what is known after a stage; all in places of the first priors.

        The stage decides about its own unknowns. All others keep their distribution, and their correlation with what is shared: that
        is carried from the prior of the stage to its posterior by the linear map between both that moves least.
        """
        joint_names = (*self.names, *(name for name in names if name not in self.names))
        stage_places = [joint_names.index(name) for name in names]
        others = [k for k in range(len(self.names)) if k not in stage_places]
        d = len(joint_names)
        joint_map, joint_mean, joint_covariance = np.zeros(d), np.zeros(d), np.eye(d)
        for joint, before, now in ((joint_map, self.u_map, u_map), (joint_mean, self.mean, mean)):
            joint[: len(before)] = before
            joint[stage_places] = now
        moved = _least_moving(prior.covariance, covariance)
        across = np.zeros((len(others), len(names)))
        at = [self.names.index(name) for name, is_shared in zip(names, prior.shared, strict=True) if is_shared]
        across[:, prior.shared] = self.covariance[np.ix_(others, at)]
        joint_covariance[np.ix_(others, others)] = self.covariance[np.ix_(others, others)]
        joint_covariance[np.ix_(stage_places, stage_places)] = covariance
        joint_covariance[np.ix_(others, stage_places)] = across @ moved.T
        joint_covariance[np.ix_(stage_places, others)] = moved @ across.T
        joint_draws = np.zeros((len(draws), d))
        joint_draws[:, others] = self.draws[self._partners(at, prior, mean, covariance, moved, draws)][:, others]
        joint_draws[:, stage_places] = draws
        return StagedPosterior(joint_names, joint_map, joint_mean, joint_covariance, joint_draws)

    def _partners(
        self, at: list[int], prior: StagePrior, mean: Numbers, covariance: Numbers, moved: Numbers, draws: Numbers
    ) -> NDArray[np.int64]:
        """Return (m,) which earlier draw goes with each draw of the stage: the nearest in what they share, each once."""
        if not at:
            return np.arange(len(draws))
        from scipy.optimize import linear_sum_assignment

        shared = prior.shared
        expected = mean[shared] + (self.draws[:, at] - prior.mean[shared]) @ moved[np.ix_(shared, shared)].T
        scale = np.linalg.cholesky(covariance[np.ix_(shared, shared)])
        left, right = (np.linalg.solve(scale, x.T).T for x in (draws[:, shared], expected))
        distance = np.square(left[:, None] - right[None]).sum(axis=-1)
        return np.asarray(linear_sum_assignment(distance)[1], dtype=np.int64)


def _least_moving(first: Numbers, second: Numbers) -> Numbers:
    """Return the symmetric matrix that turns a normal distribution of one covariance into one of another, moving least."""
    root = _root_of(first)
    inverse = np.linalg.inv(root)
    return np.asarray(inverse @ _root_of(root @ second @ root) @ inverse)


def _root_of(covariance: Numbers) -> Numbers:
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def even_draws(draws: Numbers, log_weights: Numbers, seed: int) -> Numbers:
    """Return as many draws (m, d) of equal weight: each as often as its weight asks for (systematic resampling)."""
    weights = np.exp(log_weights - np.max(log_weights))
    generator = np.random.default_rng(seed)
    positions = (np.arange(len(draws)) + generator.random()) / len(draws)
    index = np.searchsorted(np.cumsum(weights) / weights.sum(), positions)
    # Neighbours are copies of one draw; other stages have an order of their own.
    return np.asarray(draws[generator.permutation(np.minimum(index, len(draws) - 1))])
