"""Are posteriors of a fit honest on the true model? Truths drawn from the prior, rows invented by the model itself, a whole fit for each.

    python benchmarks/simulated_calibration.py [data sets] [threads] [problem.yaml]

Each data set takes a truth from the prior, simulates the studies of one small stage under it, adds errors of studies, what families share and what
rows have of their own, and is fitted without being told any of it. If posteriors are honest, ranks of the truth are even between 0 and 1,
and 90 % intervals hold it in nine of ten. The discrepancy is as large as the median printed error of each class, and is estimated by the fit.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy import stats

from betapod.calibration.discrepancy import Discrepancy, discrepancy_classes
from betapod.calibration.fit_problem import FitProblem
from betapod.calibration.fit_rows import FitRows
from betapod.calibration.simulated_truth import InventedData, simulate_truth

#: Acute effects of drugs on pressure and filtration: unknowns that act within studies, so that nobody need live again.
SMALL = """
name: acute
people: {count: 8}
rows: {cells: false, weeks: [0, 26], classes: [kidney drugs]}
unknowns:
  SGLT2 inhibitor e_S: {sd: 0.25}
  ARB e_ARB: {sd: 0.25}
  ACE inhibitor e_ACE: {sd: 0.25}
  a_H_A: {within_study: true}
stages: [{name: acute, unknowns: [SGLT2 inhibitor e_S, ARB e_ARB, ACE inhibitor e_ACE, a_H_A]}]
"""


def typical_discrepancy(rows: FitRows) -> Discrepancy:
    """Return for each class the median printed error, shared by families and of rows alike."""
    classes = np.array(discrepancy_classes(rows), dtype=object)
    sizes = {name: float(np.median(rows.se[classes == name])) for name in set(classes)}
    return Discrepancy(sizes, sizes)


def main(count: int, threads: int, path: str = "") -> None:
    """Invent and fit so many data sets, and print what came out."""
    problem = FitProblem.read(path) if path else FitProblem.parsed(SMALL)
    stage = problem.stages[0].name
    objective = problem.objective(stage, {}, threads)
    began, rows = time.perf_counter(), objective.rows
    print(
        f"{problem.name}: {len(rows)} rows ({int(rows.fitted.sum())} fitted), {len(objective.unknowns)} unknowns, {count} data sets"
    )
    try:
        data = InventedData(typical_discrepancy(rows))
        truth = simulate_truth(
            objective,
            data,
            count,
            progress=lambda n: print(f"{n} of {count}, {time.perf_counter() - began:.0f} s", flush=True),
        )
    finally:
        objective.close()
    for sentence in truth.in_words():
        print(sentence)
    for name, ranks in zip(truth.names, truth.ranks.T, strict=True):
        even = stats.kstest(ranks, "uniform")
        print(
            f"{name}: mean rank {ranks.mean():.2f} (0.50), SD {ranks.std(ddof=1):.2f} (0.29), Kolmogorov-Smirnov p {even.pvalue:.2f}"
        )
    inside = ", ".join(
        f"{100 * share:g} %: {100 * value:.0f} %" for share, value in zip(truth.nominal, truth.set_aside, strict=True)
    )
    if not rows.fitted.all():
        print(f"Rows set aside inside their intervals: {inside}.")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 2, *sys.argv[3:4])
