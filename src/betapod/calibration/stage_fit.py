"""One stage of a fit: the most probable place, the posterior around it, and draws weighted by true evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cut_feedback import StageObjective, StagePrior
from .discrepancy import Discrepancy
from .evaluations import EvaluationTally, KeptEvaluations, KeptObjective
from .fit_folder import values_at
from .fit_plan import refuse_unfit_rows
from .fit_rows import FitRows
from .gauss_newton import EstimatedDiscrepancy, MapResult, TraceStep, fit_map
from .linear_fit import posterior_loss
from .posterior import WeightedDraws, laplace, sample_posterior
from .staged_problem import ProblemStage, StagedProblem, Tell, said_of_tables
from .unknown import Unknown

Numbers = NDArray[np.float64]
DRAWS = 64
#: Largest change of an unknown between two passes, in SDs of the prior of the stage, below which the place is found.
CLOSE_ENOUGH = 0.1


@dataclass(frozen=True)
class FitOptions:
    """How a fit is run.

    Attributes
    ----------
    draws
        Of the posterior.
    iterations
        Most iterations of each stage.
    step
        Of finite differences, in SDs of the prior.
    seed
        Instead of the problem's own.
    """

    draws: int = DRAWS
    iterations: int = 10
    step: float = 0.25
    seed: int | None = None


@dataclass(frozen=True)
class FitPass:
    """One search for the most probable place of a stage, in people of one place.

    Attributes
    ----------
    around
        Values of the unknowns under which people lived and were chosen; None for the package's own people.
    spent
        Seconds of processor time up to each iteration, whenever its evaluations were computed.
    moved
        Largest change of an unknown since the pass before, in SDs of the prior of the stage.
    """

    map: MapResult
    around: Mapping[str, float] | None
    spent: tuple[float, ...]
    moved: float


@dataclass(frozen=True)
class StageFit:
    """What one stage found; places are those of its prior.

    Attributes
    ----------
    held
        Values of unknowns of earlier stages.
    passes
        Searches, one after the other; the last one counts.
    mean, covariance
        (d,) and (d, d) of the posterior: of the normal approximation where its draws carry enough weight, else with the means and
        SDs of weighted draws.
    at_mean
        (n,) predictions at the mean.
    """

    name: str
    unknowns: tuple[Unknown, ...]
    rows: FitRows
    prior: StagePrior
    held: Mapping[str, float]
    passes: tuple[FitPass, ...]
    mean: Numbers
    covariance: Numbers
    draws: WeightedDraws
    at_mean: Numbers

    @property
    def map(self) -> MapResult:
        """The most probable place."""
        return self.passes[-1].map

    @property
    def discrepancy(self) -> Discrepancy:
        """SDs of what the model lacks, as the stage estimated them."""
        return self.map.likelihood.discrepancy

    @property
    def values(self) -> dict[str, float]:
        """Values of the unknowns in the middle of the posterior, where draws lie around: later stages hold them, tables are given them."""
        return _values(self.unknowns, self.prior, self.mean)

    @property
    def loss_at_mean(self) -> float:
        """Loss in the middle of the posterior, of the rows that spoke at the most probable place."""
        use = self.map.use & np.isfinite(self.at_mean)
        return float(posterior_loss(self.map.likelihood, self.at_mean[None], self.mean[None], use)[0])


def _values(unknowns: Sequence[Unknown], prior: StagePrior, u: Numbers) -> dict[str, float]:
    at = values_at(unknowns, prior.to_place(u))
    return {unknown.name: float(value) for unknown, value in zip(unknowns, at, strict=True)}


def fit_identity(problem: StagedProblem, options: FitOptions) -> dict[str, Any]:
    """Return what determines a fit beside the program and the tables of the package, as plain values."""
    return {
        "kind": "fit",
        "problem": problem.text,
        **said_of_tables(problem),
        "seed": problem.seed if options.seed is None else options.seed,
        "draws": options.draws,
        "iterations": options.iterations,
        "step": options.step,
    }


def kept_objective(
    problem: StagedProblem,
    kept: KeptEvaluations,
    stage: str | None,
    held: Mapping[str, float],
    threads: int | None,
    speak: Tell,
    around: Mapping[str, float] | None = None,
) -> KeptObjective:
    """Return the objective of a stage whose evaluations are kept in the folder of a fit; of all stages for None."""
    name = stage or "all stages"

    def progress(tally: EvaluationTally) -> None:
        seconds = tally.processor_seconds.get(tally.stage, 0.0)
        speak(f"{name}: evaluation {tally.asked}, {tally.computed} computed now, {seconds:.0f} s of processor time")

    about = {"held": dict(held), "around": None if around is None else dict(around)}
    identity = {"problem": problem.text, **said_of_tables(problem), **about}
    return kept.objective(problem.objective(stage, held, threads, around), name, identity, progress)


def fit_stage(
    problem: StagedProblem,
    stage: ProblemStage,
    kept: KeptEvaluations,
    prior: StagePrior,
    held: Mapping[str, float],
    options: FitOptions,
    seed: int,
    threads: int | None,
    speak: Tell,
) -> StageFit:
    """Fit one stage: the most probable place, the posterior around it, and draws with weights from true evaluations.

    The place is searched for again, from where it was found, in people who lived under it: as often as the stage has rounds, or until no
    unknown moves by more than `CLOSE_ENOUGH`.
    """
    passes: list[FitPass] = []
    around, start = None, None
    while True:
        objective = kept_objective(problem, kept, stage.name, held, threads, speak, around)
        try:
            refuse_unfit_rows(stage.name, objective.rows)
            staged = StageObjective(objective, prior)
            slopes = passes[-1].map.jacobian if passes else None
            passes.append(_one_pass(problem, stage.name, staged, kept, options, around, start, slopes, speak))
            best = passes[-1].map
            if len(passes) > stage.rounds or passes[-1].moved < CLOSE_ENOUGH:
                alone = len(problem.stages) == 1
                weighted = _sampled(staged, stage.name, best, options, seed, speak, simulated=alone)
                mean, covariance = posterior_moments(best, weighted)
                at_mean = best.predicted if np.array_equal(mean, best.u) else staged.predict(mean)[0]
                break
        finally:
            objective.close()
        around, start = _values(objective.unknowns, prior, best.u), best.u
    unknowns, rows = tuple(objective.unknowns), objective.rows
    return StageFit(stage.name, unknowns, rows, prior, held, tuple(passes), mean, covariance, weighted, at_mean)


def _one_pass(
    problem: StagedProblem,
    name: str,
    staged: StageObjective,
    kept: KeptEvaluations,
    options: FitOptions,
    around: Mapping[str, float] | None,
    start: Numbers | None,
    slopes: Numbers | None,
    speak: Tell,
) -> FitPass:
    spent: list[float] = []

    def step(done: TraceStep) -> None:
        spent.append(kept.tally.processor_seconds.get(name, 0.0))
        taken_words = "" if done.accepted else ", no step taken"
        speak(f"{name}: iteration {done.iteration}, loss {done.loss_before:.2f} to {done.loss:.2f}{taken_words}")

    maker = EstimatedDiscrepancy(staged.rows, dict(problem.discrepancy))
    best = fit_map(
        staged, maker, start=start, steps=options.step, max_iterations=options.iterations, progress=step, slopes=slopes
    )
    moved = np.inf if start is None else float(np.abs(best.u - start).max(initial=0.0))
    if start is not None:
        speak(f"{name}: in people who lived under the fit, unknowns move by {moved:.2f} SDs of the prior at most")
    return FitPass(best, around, tuple(spent), moved)


def _sampled(
    staged: StageObjective,
    name: str,
    best: MapResult,
    options: FitOptions,
    seed: int,
    speak: Tell,
    simulated: bool,
) -> WeightedDraws:
    """Return draws of the posterior of a stage; of one among several, all rows are evaluated under joint draws at the end."""

    def sampled(draws: WeightedDraws) -> None:
        speak(f"{name}: {len(draws.u)} draws are worth {draws.ess:.1f} of equal weight")

    return sample_posterior(staged, best, options.draws, seed, progress=sampled, simulated=simulated)


def posterior_moments(best: MapResult, weighted: WeightedDraws) -> tuple[Numbers, Numbers]:
    """Return mean (d,) and covariance (d, d) of the posterior in places of the prior of a stage.

    Draws of the linear model bring their own. Where the first draws, those of the normal approximation, carry enough weight, it is taken as it is. Else means and SDs are those of the
    weighted draws; correlations stay those of the approximation, of which a few dozen draws know less.
    """
    if weighted.mean is not None and weighted.covariance is not None:
        return weighted.mean, weighted.covariance
    gaussian = laplace(best)
    if len(weighted.rounds) == 1 or weighted.ess < 2.0:
        return gaussian.mean, gaussian.covariance
    weights = weighted.weights / weighted.weights.sum()
    mean = weights @ weighted.u
    sd = np.sqrt(weights @ (weighted.u - mean) ** 2 / (1.0 - np.sum(weights**2)))
    ratio = sd / np.sqrt(np.diag(gaussian.covariance))
    return np.asarray(mean), np.asarray(gaussian.covariance * np.outer(ratio, ratio))
