"""AMICI: SBML to C++, CVODES with KLU, threads over patients."""

import os
import sys
from pathlib import Path

import harness
import numpy as np


def make(case):
    # Its build must find the swig beside this interpreter, not another version of the machine.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    os.environ.setdefault("AMICI_CXXFLAGS", "-O3;-march=native;-fopenmp")
    os.environ.setdefault("AMICI_LDFLAGS", "-fopenmp")
    import amici
    import amici.sim.sundials as sundials
    from amici.importers.sbml import SbmlImporter

    name = f"amici_{case.folder.name}"
    built = case.folder / name
    if not built.is_dir():
        importer = SbmlImporter(case.sbml)
        importer.sbml2amici(
            name, built, generate_sensitivity_code=False, compute_conservation_laws=False, verbose=False,
            fixed_parameters=[],
        )  # fmt: skip
    model = amici.import_model_module(name, built).get_model()
    model.set_timepoints(case.visits)
    solver = model.create_solver()
    solver.set_relative_tolerance(case.rtol)
    solver.set_absolute_tolerance(case.atol)
    solver.set_max_steps(10_000_000)
    solver.set_linear_solver(sundials.LinearSolver.KLU)
    solver.set_sensitivity_order(sundials.SensitivityOrder.none)
    own = [name.removeprefix("amici_") for name in model.get_free_parameter_ids()]
    typical = np.array(model.get_free_parameters())
    column = [case.names.index(name) if name in case.names else -1 for name in own]
    states = [name.removeprefix("amici_") for name in model.get_state_ids()]
    order = [states.index(name) for name in case.states]

    def simulate(patients):
        conditions = []
        for patient in patients:
            condition = sundials.ExpData(model)
            condition.set_timepoints(case.visits)
            own_values = case.values[patient]
            condition.free_parameters = [
                float(own_values[k]) if k >= 0 else float(value) for k, value in zip(column, typical, strict=True)
            ]
            conditions.append(condition)
        results = sundials.run_simulations(model, solver, conditions, num_threads=case.cores, failfast=False)
        values = np.full((len(patients), len(case.visits), len(case.states)), np.nan)
        for k, result in enumerate(results):
            if result.status == 0:
                values[k] = np.asarray(result.x)[:, order]
        return values

    return simulate


if __name__ == "__main__":
    from importlib.metadata import version

    harness.main(make, "AMICI", version("amici"), native=True)
