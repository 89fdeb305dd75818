"""Smoothness of predictions in the unknowns of a fit, and what makes them jump.

    python benchmarks/smoothness.py [problem] [stage] [threads] [people]

The slope of every row by every unknown of a stage over 0.05 prior SDs beside that over 0.5, both sides of the start. They differ where rows
bend, and where they jump. What makes lives jump is counted in people of the library who live again: how many take other drugs on the day of their
snapshot, and how many do not live until it.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from betapod.calibration.fit_problem import FitProblem
from betapod.calibration.unknown import Unknown, condition_at
from betapod.patients.library import Library, default
from betapod.patients.lived_again import live_again
from betapod.patients.prescribing import drug_columns
from betapod.validation.predictions.condition import Condition

#: Steps in prior SDs, how near slopes must be, and the move over the larger step (scale of the fit) below which both are nothing.
SMALL, LARGE, NEAR, NOTHING = 0.05, 0.5, 0.05, 0.001


def slopes_agree(problem: FitProblem, stage: str, threads: int) -> None:
    """Print the share of rows whose slopes agree, by unknown and by class of rows."""
    objective = problem.objective(stage, {}, threads)
    unknowns, rows, began = objective.unknowns, objective.rows, time.perf_counter()
    classes = np.array(rows.row_class, dtype=object)
    agree_of_class: dict[str, list[float]] = {}
    every, lenient = [], []
    try:
        for k, unknown in enumerate(unknowns):
            places = np.zeros((4, len(unknowns)))
            places[:, k] = (SMALL, -SMALL, LARGE, -LARGE)
            after, before, far_after, far_before = objective.predict(places)
            near, far = (after - before) / (2 * SMALL), (far_after - far_before) / (2 * LARGE)
            moved = np.isfinite(near) & np.isfinite(far) & ((near != 0.0) | (far != 0.0))
            agree = np.abs(near - far) <= NEAR * np.maximum(np.abs(near), np.abs(far))
            small = np.abs(near - far) * LARGE < NOTHING
            every += list(agree[moved])
            lenient += list((agree | small)[moved])
            for name in set(classes[moved]):
                agree_of_class.setdefault(name, []).extend(agree[moved & (classes == name)])
            share = 100 * agree[moved].mean() if moved.any() else np.nan
            seconds = time.perf_counter() - began
            print(
                f"{unknown.name}: {share:.1f} % of {int(moved.sum())} rows that it moves, {seconds:.0f} s", flush=True
            )
    finally:
        objective.close()
    for name, values in sorted(agree_of_class.items()):
        print(f"  class {name}: {100 * np.mean(values):.1f} % of {len(values)}")
    print(
        f"All: {100 * np.mean(every):.1f} % of {len(every)}; {100 * np.mean(lenient):.1f} % where moves below {NOTHING:g} are equal."
    )


def what_jumps(unknowns: tuple[Unknown, ...], base: Condition, people: Library) -> None:
    """Print how many people take other drugs, or are lost, when an unknown moves by the small and the large step."""
    taken = people.table[list(drug_columns())].to_numpy() > 0
    for k, unknown in enumerate(unknowns):
        if not unknown.shapes_lives:
            continue
        places = np.zeros((2, len(unknowns)))
        places[:, k] = (SMALL, LARGE)
        lived = live_again(people, [condition_at(unknowns, place, base).life_change for place in places])
        flips = []
        for again in lived:
            other = again.patients.table[list(drug_columns())].to_numpy() > 0
            flips.append(100 * np.mean(np.any(other != taken[again.rows], axis=1)))
        lost = [100 * (1 - len(again.rows) / len(people)) for again in lived]
        print(
            f"{unknown.name}: other drugs in {flips[0]:.1f} and {flips[1]:.1f} % of people, lost {lost[0]:.1f} and {lost[1]:.1f} %",
            flush=True,
        )


def main(name: str = "body", stage: str = "kidney", threads: str = "2", people: str = "300") -> None:
    """Print both."""
    problem = FitProblem.read(name)
    slopes_agree(problem, stage, int(threads))
    library, count = default(), int(people)
    unknowns = next(each.unknowns for each in problem.stages if each.name == stage)
    what_jumps(unknowns, Condition(), library.take(np.linspace(0, len(library) - 1, count).astype(np.int64)))


if __name__ == "__main__":
    main(*sys.argv[1:])
