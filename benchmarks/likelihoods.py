"""Which likelihood gives honest intervals when the rows of a family share effects of their study: invented data sets, fitted by each.

    python benchmarks/likelihoods.py [data sets]

The truth is drawn from the prior and the model is linear, so that nothing but the likelihood can be wrong. Every data set has 80 rows of 24
families in two classes, 6 unknowns, printed errors of 0.1, effects of families with an SD of 0.4 and of rows with 0.15, on the scale of the fit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from betapod.calibration.discrepancy import Discrepancy
from betapod.calibration.fit_likelihood import Likelihood
from betapod.calibration.fit_rows import FitRows
from betapod.calibration.gauss_newton import EstimatedDiscrepancy, LikelihoodMaker, SameLikelihood, fit_map
from betapod.calibration.posterior import laplace
from betapod.calibration.simulated_truth import LinearObjective, invent_rows
from betapod.calibration.unknown import Unknown

ROWS, FAMILIES, UNKNOWNS = 80, 24, 6
CLASSES = ("ratio", "event ratio")
TRUE = Discrepancy(dict.fromkeys(CLASSES, 0.4), dict.fromkeys(CLASSES, 0.15))
ALONE = Discrepancy({}, dict.fromkeys(CLASSES, float(np.hypot(0.4, 0.15))))
MAKERS: dict[str, Callable[[FitRows], LikelihoodMaker]] = {
    "printed errors alone": lambda rows: SameLikelihood(Likelihood(rows, Discrepancy(), np.inf)),
    "rows apart, normal": lambda rows: SameLikelihood(Likelihood(rows, ALONE, np.inf)),
    "families share, normal": lambda rows: SameLikelihood(Likelihood(rows, TRUE, np.inf)),
    "families share, t4": lambda rows: SameLikelihood(Likelihood(rows, TRUE)),
    "families share, t4, SDs estimated": lambda rows: EstimatedDiscrepancy(rows, dict.fromkeys(CLASSES, 0.3)),
}


def invented() -> LinearObjective:
    rng = np.random.default_rng(0)
    names = tuple(f"r{i}" for i in range(ROWS))
    rows = FitRows(
        names, names, tuple(f"f{i * FAMILIES // ROWS}" for i in range(ROWS)), ("invented",) * ROWS, ("1",) * ROWS,
        tuple(CLASSES[i % 2] for i in range(ROWS)), ("log",) * ROWS, np.ones(ROWS, dtype=bool), np.zeros(ROWS),
        np.full(ROWS, 0.1), np.full(ROWS, np.inf),
    )  # fmt: skip
    slopes = 0.3 * rng.standard_normal((ROWS, UNKNOWNS)) * np.exp(-0.3 * np.arange(UNKNOWNS))
    unknowns = tuple(Unknown(f"p{k}", "row", "1", 1.0, "log", 0.3) for k in range(UNKNOWNS))
    return LinearObjective(unknowns, rows, np.zeros(UNKNOWNS), np.zeros(ROWS), slopes)


def main(datasets: int) -> None:
    objective = invented()
    for nu in (np.inf, 3.0):
        rng = np.random.default_rng(1)
        inside: dict[str, list[np.ndarray]] = {name: [] for name in MAKERS}
        errors: dict[str, list[np.ndarray]] = {name: [] for name in MAKERS}
        narrower: dict[str, list[np.ndarray]] = {name: [] for name in MAKERS}
        seconds = dict.fromkeys(MAKERS, 0.0)
        for _ in range(datasets):
            truth = np.clip(rng.standard_normal(UNKNOWNS), -2.9, 2.9)
            rows = invent_rows(objective.rows, objective.predict(truth[None])[0], TRUE, nu, rng)
            for name, maker in MAKERS.items():
                began = time.process_time()
                result = fit_map(replace(objective, rows=rows), maker(rows))
                sd = np.sqrt(np.diag(laplace(result).covariance))
                seconds[name] += time.process_time() - began
                inside[name].append(np.abs(result.u - truth) < 1.6449 * sd)
                errors[name].append((result.u - truth) ** 2)
                narrower[name].append(1.0 - sd)
        print(f"effects of studies {'normal' if np.isinf(nu) else f't{nu:g}'}, {datasets} data sets")
        for name in MAKERS:
            held = np.mean(inside[name], axis=0)
            print(
                f"  {name:36s} 90 % intervals hold the truth {100 * held.mean():3.0f} % (worst unknown {100 * held.min():3.0f} %), "
                f"error {np.sqrt(np.mean(errors[name])):.2f} prior SDs, contraction {np.mean(narrower[name]):.2f}, "
                f"{seconds[name] / datasets:.2f} s of processor time",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
