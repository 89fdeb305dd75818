"""Models of CellML in both engines against the program that libcellml writes of them: ``python benchmarks/cellml_models.py FILE...``.

That program is integrated by SciPy at 1e-10 over 100 units of time (``--end`` says otherwise). Printed are the largest differences of states
and of all equations, relative to the largest value of each, in the reference engine and in the ensemble engine.
"""

from __future__ import annotations

import argparse
import types
from pathlib import Path

import libcellml
import numpy as np
from scipy.integrate import solve_ivp

from betapod.base.errors import BetapodError
from betapod.engine.ensemble import Ensemble
from betapod.engine.scipy.reference import simulate_by_reference
from betapod.exchange import read_cellml
from betapod.exchange.cellml.cellml_analysis import analyse_cellml
from betapod.exchange.cellml.cellml_files import open_files

#: Rows that are compared.
ROWS = 101


def by_libcellml(file: Path, times: np.ndarray, method: str) -> tuple[list[str], int, np.ndarray]:
    """Return names of variables, how many of them are states, and their courses by libcellml's own program."""
    result = analyse_cellml(open_files(file)).result
    profile = libcellml.GeneratorProfile(libcellml.GeneratorProfile.Profile.PYTHON)
    program = types.ModuleType("program")
    exec(libcellml.Generator().implementationCode(result, profile), program.__dict__)  # noqa: S102
    states, rates = program.create_states_array(), program.create_states_array()
    constants, computed = program.create_constants_array(), program.create_computed_constants_array()
    algebraic = program.create_algebraic_variables_array()
    rest = (constants, computed, algebraic)
    program.initialise_arrays(states, rates, *rest)
    if program.compute_computed_constants.__code__.co_argcount > 2:
        program.compute_computed_constants(0.0, states, rates, *rest)
    else:
        program.compute_computed_constants(constants, computed)

    def change(time: float, values: np.ndarray) -> list[float]:
        program.compute_rates(time, values, rates, *rest)
        return list(rates)

    solution = solve_ivp(change, (0.0, times[-1]), list(states), method, times, rtol=1e-10, atol=1e-13)
    rows = []
    for time, values in zip(times, solution.y.T, strict=True):
        change(time, values)
        program.compute_variables(time, values, rates, *rest)
        rows.append([*values, *algebraic])
    infos = [*program.STATE_INFO, *program.ALGEBRAIC_VARIABLE_INFO]
    return [f"{info['component']}.{info['name']}" for info in infos], len(states), np.array(rows)


def compare(file: Path, end: float, method: str) -> str:
    """Return a line on one file."""
    times = np.linspace(0.0, end, ROWS)
    model = read_cellml(file)
    variables, states, expected = by_libcellml(file, times, method)
    names = [model.report.name(variable) for variable in variables]
    largest = np.maximum(np.abs(expected).max(axis=0), np.finfo(float).tiny)
    reference = simulate_by_reference(model, times, outputs=list(dict.fromkeys(names)), rtol=1e-10, atol=1e-13)
    ensemble = Ensemble(model, names, width=1, threads=1, cache=False, max_steps=2_000_000, rtol=1e-10, atol=1e-13).run(
        1, times
    )
    texts = [f"{states} states, {len(names) - states} equations"]
    for engine, values in (("reference", reference.table[names].to_numpy()), ("ensemble", ensemble.values[0])):
        differences = np.abs(values - expected).max(axis=0) / largest
        worst = names[int(differences.argmax())]
        texts.append(f"{engine} {differences[:states].max():.1e} states, {differences.max():.1e} all ({worst})")
    return "; ".join(texts)


def main() -> None:
    """Compare the files of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--end", type=float, default=100.0)
    parser.add_argument("--method", default="LSODA", help="of SciPy, for libcellml's program")
    options = parser.parse_args()
    for file in options.files:
        try:
            print(f"{file.name}: {compare(file, options.end, options.method)}", flush=True)
        except BetapodError as error:
            print(f"{file.name}: refused: {error.problems[0].message}", flush=True)


if __name__ == "__main__":
    main()
