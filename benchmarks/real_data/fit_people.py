"""Fit medians, spreads and errors of visits to real people, half of the survey set aside, and say what it brings.

    python benchmarks/real_data/fit_people.py [--lived] [--check]

Fitted: odd cycles of NHANES and variation within people. Set aside: even cycles, other people of the same country. Without `--lived` people are weighed;
with it they live again under moved traits (10 s a condition). With `--check` they do so once, at the end, to see whether weights told the truth.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from betapod.calibration.fit_rows import FitRows
from betapod.calibration.gauss_newton import EstimatedDiscrepancy, fit_map
from betapod.calibration.objective_protocol import RowSource
from betapod.calibration.posterior import laplace
from betapod.calibration.real_data.real_sources import real_sources
from betapod.calibration.real_data.visit_variation import visit_unknowns
from betapod.calibration.unknown import Unknown, condition_at
from betapod.patients.reweighting import start_of
from betapod.validation.predictions.condition import Condition

#: Unknowns of people: name -> SD of the prior on the logarithm, of a shift in its unit, or on atanh.
MEDIANS = {"bmi_adult": 0.07, "xi_theta": 0.2, "capacity_factor": 0.1, "sIg_type_2": 0.05, "glucose_insulin": 0.08}
SPREADS = {"bmi_adult": 0.15, "xi_theta": 0.2, "decline_age": 0.2, "glucose_insulin": 0.2, "xi_vessel": 0.2}
SHIFTS = {"decline_age": 4.0, "dMAP_60": 3.0}
PAIRS = {"bmi_adult with decline_age": 0.2, "xi with xi_theta": 0.2, "bmi_adult with dMAP_60": 0.2}


def unknowns() -> tuple[Unknown, ...]:
    """Return what is fitted."""
    people = [Unknown(f"{name} median", "median", "1", 1.0, "log", sd) for name, sd in MEDIANS.items()]
    people += [Unknown(f"{name} spread", "spread", "1", 1.0, "log", sd) for name, sd in SPREADS.items()]
    people += [Unknown(f"{name} shift", "median", "1", 0.0, "linear", sd) for name, sd in SHIFTS.items()]
    people += [Unknown(pair, "correlation", "1", start_of(pair), "atanh", sd) for pair, sd in PAIRS.items()]
    wanted = ("UACR measurement", "UACR life", "HbA1c life", "FPG life")
    return (*people, *(unknown for unknown in visit_unknowns() if unknown.name in wanted))


class Together:
    """Sources of rows and unknowns as one objective."""

    def __init__(self, sources: Sequence[RowSource], lived: bool) -> None:
        self.sources, self.base = sources, Condition(lived=lived)
        self.unknowns = unknowns()
        self.rows = FitRows.joined([source.rows for source in sources])

    def predict(self, u: np.ndarray) -> np.ndarray:
        """Return predictions (K, n)."""
        lived = self.base.lived
        conditions = [
            replace(condition_at(self.unknowns, places, self.base), lived=lived) for places in np.atleast_2d(u)
        ]
        return np.concatenate([source.predict(conditions) for source in self.sources], axis=1)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lived", action="store_true")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    objective = Together(real_sources(["NHANES", "visits"]), chosen.lived)
    began = time.process_time()
    rows = objective.rows
    result = fit_map(objective, EstimatedDiscrepancy(rows), steps=0.3, max_iterations=8)
    gaussian = laplace(result)
    print(f"{time.process_time() - began:.0f} s of processor time; {result.reason}")
    states = {"before": result.predicted_start, "after": result.predicted}
    if chosen.check:
        objective.base = Condition(lived=True)
        states["after, lived again"] = objective.predict(result.u)[0]
        moves = [(states[name] - states["before"]) / rows.se for name in ("after", "after, lived again")]
        both = np.isfinite(moves).all(axis=0)
        print(
            f"moves of predictions by weights and by lives: correlation {np.corrcoef(moves[0][both], moves[1][both])[0, 1]:.2f}"
        )
        ratio = float(np.sum(moves[1][both] * moves[0][both]) / np.sum(moves[0][both] ** 2))
        print(
            f"lives move {ratio:.2f} times as far as weights; median difference {np.median(np.abs(moves[1] - moves[0])[both]):.2f} errors"
        )
    for label, predicted in states.items():
        z = (rows.observed - predicted) / rows.se
        for fitted, half in ((True, "fitted"), (False, "set aside")):
            mine = (rows.fitted == fitted) & np.isfinite(z)
            print(
                f"{label}, {half}: {mine.sum()} rows, {100 * np.mean(np.abs(z[mine]) < 1.645):.0f} % inside, median |z| {np.median(np.abs(z[mine])):.2f}"
            )
    sd = np.sqrt(np.diag(gaussian.covariance))
    for k, unknown in enumerate(objective.unknowns):
        value, low, high = (float(unknown.value(result.u[k] + s * sd[k])) for s in (0.0, -1.645, 1.645))
        print(
            f"{unknown.name:28s} {unknown.start:8.3f} -> {value:8.3f} ({low:.3f} to {high:.3f})  place {result.u[k]:5.2f}  contraction {1 - sd[k]:.2f}"
        )


if __name__ == "__main__":
    main()
