"""What a fit will do, before it does it: rows, unknowns, cost; and which candidates the rows speak to."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.errors import ConfigError, Problem
from .evaluations import EvaluationTally, KeptEvaluations
from .fit_likelihood import Likelihood
from .fit_rows import FitRows
from .gauss_newton import LADDER, STEP, EstimatedDiscrepancy, slopes_at
from .objective_protocol import Objective, bounds_of
from .staged_problem import StagedProblem, Tell, said_of_tables
from .unknown import Unknown

Numbers = NDArray[np.float64]
#: Iterations that a stage usually takes, for the time that is predicted.
_USUAL_ITERATIONS = 5


@dataclass(frozen=True)
class StagePlan:
    """One stage before it is run.

    Attributes
    ----------
    classes
        By class of rows: how many are fitted, and how many are set aside.
    families
        By family of studies, likewise.
    seconds
        One evaluation in a group of two, after the first: processor time, or time on the clock where that is longer; None where it was not
        measured.
    missing
        Rows that have no prediction at the start; None where it was not measured.
    """

    name: str
    unknowns: tuple[Unknown, ...]
    classes: Mapping[str, tuple[int, int]]
    families: Mapping[str, tuple[int, int]]
    seconds: float | None
    missing: tuple[str, ...] | None

    @property
    def rows(self) -> tuple[int, int]:
        """How many rows are fitted, and how many are set aside."""
        return sum(fitted for fitted, _ in self.classes.values()), sum(aside for _, aside in self.classes.values())

    def evaluations(self, draws: int, iterations: int = _USUAL_ITERATIONS) -> int:
        """Return how many evaluations the stage will take, if it takes so many iterations."""
        return 1 + iterations * (len(self.unknowns) + len(LADDER)) + len(self.unknowns) + draws + 2


def plan_stage(name: str, objective: Objective, measure: bool = True) -> StagePlan:
    """Return what a stage will do; to `measure` its cost, it is evaluated at the start and beside it."""
    rows = objective.rows
    seconds, missing = None, None
    if measure:
        u = np.zeros((3, len(objective.unknowns)))
        u[1:, :1] = [[STEP], [-STEP]]
        # The first evaluation chooses people and compiles; those that follow have both.
        predicted = objective.predict(u[:1])
        began = sum(os.times()[:4])
        clock = time.perf_counter()
        objective.predict(u[1:])
        # Workers are counted when they have ended; until then the clock says more.
        seconds = max(sum(os.times()[:4]) - began, time.perf_counter() - clock) / 2.0
        missing = tuple(record for record, ok in zip(rows.record, np.isfinite(predicted[0]), strict=True) if not ok)
    return StagePlan(
        name, tuple(objective.unknowns), _sides(rows.row_class, rows), _sides(rows.family, rows), seconds, missing
    )


def _sides(names: Sequence[str], rows: FitRows) -> dict[str, tuple[int, int]]:
    fitted = Counter(name for name, flag in zip(names, rows.fitted, strict=True) if flag)
    aside = Counter(name for name, flag in zip(names, rows.fitted, strict=True) if not flag)
    return {name: (fitted[name], aside[name]) for name in dict.fromkeys(names)}


def refuse_unfit_rows(stage: str, rows: FitRows) -> None:
    """Check that a stage has rows to fit, and that no family of studies with shared patients is both fitted and set aside.

    Raises
    ------
    ConfigError
        There are none, or every family on both sides.
    """
    if not rows.fitted.any():
        message = f"stage {stage} has no row to fit"
        hint = "Choose other rows, or set fewer families aside; 'betapod evidence list' shows what there is."
        raise ConfigError(
            Problem("no-rows", message, found=f"{len(rows)} rows, all set aside" if len(rows) else "no rows", hint=hint)
        )
    split = {name: sides for name, sides in _sides(rows.family, rows).items() if all(sides)}
    if split:
        raise ConfigError(
            [
                Problem(
                    "split-family",
                    f"rows of the family {name} are both fitted and set aside",
                    found=f"{fitted} fitted, {aside} set aside",
                    expected="one side: studies of a family share patients",
                    hint="Put the whole family on one side of the split.",
                )
                for name, (fitted, aside) in split.items()
            ]
        )


# -- screening ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FitScreen:
    """What the fitted rows say of candidates, by slopes at the start.

    Attributes
    ----------
    slopes
        (n, d) per SD of the prior.
    information
        (d, d) Fisher information in units of the prior.
    eigenvalues, directions
        (d,) largest first, and (d, d) with a direction in each column.
    contraction
        (d,) 1 - posterior SD / prior SD, all candidates fitted together.
    proposal
        Places of the candidates in the order of a greedy D-optimal choice, and what each adds to the log determinant.
    """

    unknowns: tuple[Unknown, ...]
    slopes: Numbers
    information: Numbers
    eigenvalues: Numbers
    directions: Numbers
    contraction: Numbers
    proposal: tuple[tuple[int, float], ...]


def screen_candidates(
    objective: Objective, prior_scale: Mapping[str, float], most: int = 20, step: float = 2 * STEP
) -> FitScreen:
    """Return what the fitted rows say of all unknowns of an objective.

    Parameters
    ----------
    prior_scale
        Of the discrepancy, see `estimate_discrepancy`.
    most
        Candidates to propose.
    step
        Of finite differences, in SDs of the prior.
    """
    count = len(objective.unknowns)
    low, high = bounds_of(objective.unknowns)
    start = np.clip(np.zeros(count), low, high)
    predicted = objective.predict(start[None])[0]
    slopes = slopes_at(objective.predict, start, predicted, np.full(count, step), low, high)
    use = objective.rows.fitted & np.isfinite(predicted) & np.isfinite(slopes).all(axis=1)
    law: Likelihood = EstimatedDiscrepancy(objective.rows, dict(prior_scale), use=use)(predicted)
    speaking = np.where(use[:, None], slopes, 0.0)
    information = speaking.T @ law.curvature(predicted, use) @ speaking
    values, vectors = np.linalg.eigh(information)
    covariance = np.linalg.inv(information + np.eye(count))
    return FitScreen(
        tuple(objective.unknowns),
        slopes,
        information,
        values[::-1],
        vectors[:, ::-1],
        1.0 - np.sqrt(np.diag(covariance)),
        greedy_choice(information, most),
    )


def greedy_choice(information: Numbers, most: int) -> tuple[tuple[int, float], ...]:
    """Return candidates in the order in which each adds most to log det(1 + information), with what it adds."""
    chosen_order: list[tuple[int, float]] = []
    # What is left of the information on each candidate when those before are fitted too.
    left = np.array(information, dtype=np.float64)
    free = np.ones(len(left), dtype=np.bool_)
    for _ in range(min(most, len(left))):
        gains = np.where(free, np.log1p(np.maximum(np.diag(left), 0.0)), -np.inf)
        best = int(np.argmax(gains))
        chosen_order.append((best, float(gains[best])))
        free[best] = False
        left = left - np.outer(left[:, best], left[best]) / (1.0 + left[best, best])
    return tuple(chosen_order)


def screen_stage(
    problem: StagedProblem, stage: str, most: int, folder: Path | None, threads: int | None, speak: Tell
) -> FitScreen:
    """Return what the fitted rows of a stage say of its candidates.

    Parameters
    ----------
    folder
        Where evaluations are kept, so that the same screen goes on after it was stopped.
    """
    objective = problem.screening(stage, threads)
    with tempfile.TemporaryDirectory(prefix="betapod-") as scratch:
        kept = KeptEvaluations(folder or scratch)

        def progress(tally: EvaluationTally) -> None:
            speak(f"{stage}: {tally.asked} of {len(objective.unknowns) + 1} evaluations, {tally.computed} of them now")

        identity = {"problem": problem.text, **said_of_tables(problem), "screen": stage}
        return screen_candidates(kept.objective(objective, stage, identity, progress), problem.discrepancy, most)
