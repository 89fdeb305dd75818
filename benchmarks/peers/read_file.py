"""One tool reads one file that betapod wrote: how long that takes, and how far its course is from betapod's. Runs in the peers' environment.

``python read_file.py TOOL FILE.xml COURSE.csv FOLDER`` prints one line of JSON; ``python read_file.py petab PROBLEM.yaml - FOLDER`` llh and chi2 of AMICI.
Seconds are of the processor, of compilers that the tool starts as well.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

#: Tolerances, relative and absolute; and the size below which a state counts as this large, since both sides carry their absolute tolerance.
RTOL, ATOL, FLOOR = 1e-11, 1e-14, 1e-9
Course = dict[str, np.ndarray]


def spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def roadrunner(file: str, times: np.ndarray, names: list[str], folder: Path) -> tuple[Callable[[], Course], str]:
    import roadrunner as rr

    rr.Logger.setLevel(rr.Logger.LOG_CRITICAL)
    model = rr.RoadRunner(file)
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-10, 1e-13
    model.integrator.maximum_num_steps = 10_000_000
    model.timeCourseSelections = ["time", *names]

    def course() -> Course:
        table = np.asarray(model.simulate(times[0], times[-1], len(times)))
        return {name: table[:, k + 1] for k, name in enumerate(names)}

    return course, rr.__version__


def copasi(file: str, times: np.ndarray, names: list[str], folder: Path) -> tuple[Callable[[], Course], str]:
    import COPASI

    data = COPASI.CRootContainer.addDatamodel()
    assert data.importSBML(file)
    task = data.getTask("Time-Course")
    task.setMethodType(COPASI.CTaskEnum.Method_deterministic)
    problem, method = task.getProblem(), task.getMethod()
    problem.setDuration(float(times[-1]))
    problem.setStepNumber(len(times) - 1)
    problem.setTimeSeriesRequested(True)
    method.getParameter("Relative Tolerance").setDblValue(RTOL)
    method.getParameter("Absolute Tolerance").setDblValue(ATOL)
    method.getParameter("Max Internal Steps").setUIntValue(10_000_000)

    def course() -> Course:
        assert task.process(True)
        series = task.getTimeSeries()
        rows = range(series.getRecordedSteps())
        columns = {series.getSBMLId(i, data): i for i in range(series.getNumVariables())}
        return {n: np.array([series.getConcentrationData(k, columns[n]) for k in rows]) for n in names if n in columns}

    return course, COPASI.__version__


def myokit(file: str, times: np.ndarray, names: list[str], folder: Path) -> tuple[Callable[[], Course], str]:
    import myokit as mk
    from myokit.formats.sbml import SBMLImporter

    simulation = mk.Simulation(SBMLImporter().model(file))
    simulation.set_tolerance(ATOL, RTOL)
    wanted = [f"global.{name}" for name in names]

    def course() -> Course:
        log = simulation.run(times[-1] + 1e-6, log=wanted, log_times=times)
        return {name: np.asarray(log[key]) for name, key in zip(names, wanted, strict=True)}

    return course, mk.__version__


def amici(file: str, times: np.ndarray, names: list[str], folder: Path) -> tuple[Callable[[], Course], str]:
    import amici as am
    from amici.importers.sbml import SbmlImporter

    name = f"amici_{Path(file).stem}"
    # Without the derivatives by all parameters, and without every equation as an observable: they take AMICI minutes.
    SbmlImporter(file).sbml2amici(
        name, folder / name, generate_sensitivity_code=False, compute_conservation_laws=False, simplify=None,
        observation_model=[], verbose=False,
    )  # fmt: skip
    model = am.import_model_module(name, folder / name).get_model()
    model.set_timepoints(times)
    solver = model.create_solver()
    solver.set_relative_tolerance(RTOL)
    solver.set_absolute_tolerance(ATOL)
    solver.set_max_steps(10_000_000)

    def course() -> Course:
        import amici.sim.sundials as sundials

        result = sundials.run_simulation(model, solver)
        states = list(model.get_state_ids())
        return {name: np.asarray(result.x)[:, states.index(name)] for name in names}

    return course, am.__version__


def sbmltoodejax(file: str, times: np.ndarray, names: list[str], folder: Path) -> tuple[Callable[[], Course], str]:
    from importlib.metadata import version

    from sbmltoodejax.modulegeneration import GenerateModel
    from sbmltoodejax.parse import ParseSBMLFile

    target = folder / f"jax_{Path(file).stem}.py"
    # It holds equations still during a step of its own, so that the step decides the error.
    step = float(os.environ.get("STEP_DAYS", "1"))
    GenerateModel(ParseSBMLFile(file), str(target), deltaT=step, atol=1e-6, rtol=1e-6)
    spec = importlib.util.spec_from_file_location(target.stem, target)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rollout = module.ModelRollout(deltaT=step, atol=1e-6, rtol=1e-6)

    def course() -> Course:
        values, _, ts = rollout(int(np.ceil(times[-1] / step)) + 1)
        grid = np.concatenate([[0.0], np.asarray(ts)])
        start = np.asarray(module.y0)
        full = np.concatenate([start[:, None], np.asarray(values)], axis=1)[:, : len(grid)]
        return {
            name: np.interp(times, grid, full[module.y_indexes[name]]) for name in names if name in module.y_indexes
        }

    return course, version("sbmltoodejax")


def petab(problem: str, folder: Path) -> dict[str, object]:
    import amici as am
    from amici.importers.petab import PetabImporter
    from petab import v2

    began = spent()
    name = f"petab_{Path(problem).parent.name}"
    simulator = PetabImporter(
        v2.Problem.from_yaml(problem), module_name=name, output_dir=folder / name, verbose=False
    ).create_simulator()
    simulator.solver.set_relative_tolerance(RTOL)
    simulator.solver.set_absolute_tolerance(ATOL)
    simulator.solver.set_max_steps(10_000_000)
    loaded = spent()
    result = simulator.simulate()
    return {
        "version": am.__version__, "load": loaded - began, "run": spent() - loaded, "llh": float(result.llh),
        "chi2": float(sum(one.chi2 for one in result.rdatas)),
    }  # fmt: skip


def main() -> None:
    tool, file, course_file, folder = sys.argv[1:5]
    # AMICI's build must find the swig beside this interpreter.
    os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    if tool == "petab":
        print(json.dumps(petab(file, Path(folder))))
        return
    with Path(course_file).open(encoding="utf-8") as stream:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(stream)]
    times = np.array([row["time"] for row in rows])
    names = [name for name in rows[0] if name != "time"]
    imported = spent()
    simulate, version = globals()[tool](file, times, names, Path(folder))
    loaded = spent()
    found = simulate()
    done = spent()
    worst = {}
    for name in names:
        expected = np.array([row[name] for row in rows])
        size = max(float(np.abs(expected).max()), FLOOR)
        worst[name] = float(np.abs(found[name] - expected).max()) / size if name in found else float("nan")
    missing = [name for name in names if name not in found]
    state = max((n for n in worst if n in found), key=worst.__getitem__)
    print(
        json.dumps(
            {
                "version": version, "load": loaded - imported, "run": done - loaded, "error": worst[state],
                "state": state, "missing": missing,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
