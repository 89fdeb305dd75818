"""The test suite of PEtab 1 (package petabtests): llh, chi2, predictions against its solutions, gradients against differences.

Run with ``python benchmarks/petab_suite.py`` where the package petabtests is installed, or with the folder of its cases.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from betapod import read_petab
from betapod.exchange.petab.petab_objective import PetabObjective


def cases() -> list[Path]:
    """Return the folders of the cases."""
    if len(sys.argv) > 1:
        root = Path(sys.argv[1])
    else:
        spec = importlib.util.find_spec("petabtests")
        if spec is None or spec.origin is None:
            sys.exit("needs the package petabtests, or the folder of its cases")
        root = Path(spec.origin).parent / "cases" / "v1.0.0" / "sbml"
    return sorted(path for path in root.glob("0*") if path.is_dir())


def gradient_error(objective: PetabObjective) -> float:
    """Return the largest difference of the exact gradient from central differences, relative to these."""
    problem, exact = objective.problem, objective(slopes=True).gradient
    assert exact is not None
    worst = 0.0
    for name in problem.estimated:
        row = problem.parameters[name]
        at = row.scaled(row.nominal)
        step = 1e-4 * max(abs(at), 1e-2)
        up, down = (objective({name: row.natural(at + sign * step)}).llh for sign in (1, -1))
        difference = (up - down) / (2 * step)
        worst = max(worst, abs(difference - exact[name]) / max(abs(difference), 1e-3))
    return worst


def main() -> None:
    """Print a line for each case."""
    met = 0
    folders = cases()
    for folder in folders:
        begun = time.process_time()
        solution = YAML(typ="safe").load((folder / f"_{folder.name}_solution.yaml").read_text())
        objective = PetabObjective(read_petab(folder / f"_{folder.name}.yaml"), 1)
        at = objective()
        rows = [line.split("\t") for line in (folder / "_simulations.tsv").read_text().splitlines()]
        expected = np.array([float(row[rows[0].index("simulation")]) for row in rows[1:]])
        errors = (at.llh - solution["llh"], at.chi2 - solution["chi2"], float(np.max(np.abs(at.simulated - expected))))
        limits = (solution["tol_llh"], solution["tol_chi2"], solution["tol_simulations"])
        good = all(abs(error) < limit for error, limit in zip(errors, limits, strict=True))
        met += good
        words = "met" if good else "MISSED"
        print(
            f"{folder.name} {words}: llh {errors[0]:+.1e}, chi2 {errors[1]:+.1e}, predictions {errors[2]:.1e}, "
            f"gradient {gradient_error(objective):.1e}; {time.process_time() - begun:.1f} s",
            flush=True,
        )
    print(f"{met} of {len(folders)}")


if __name__ == "__main__":
    main()
