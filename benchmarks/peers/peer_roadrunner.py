"""libRoadRunner: SBML through LLVM, CVODE."""

import harness
import numpy as np


def make(case):
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_ERROR)
    runner = roadrunner.RoadRunner(case.sbml)
    integrator = runner.getIntegrator()
    integrator.setValue("relative_tolerance", case.rtol)
    integrator.setValue("absolute_tolerance", case.atol)
    integrator.setValue("maximum_num_steps", 1_000_000)
    integrator.setValue("stiff", True)
    model = runner.model
    parameters = model.getGlobalParameterIds()
    position = [parameters.index(name) for name in case.names]
    floating = set(model.getFloatingSpeciesIds())
    states = [f"[{name}]" if name in floating else name for name in case.states]
    runner.timeCourseSelections = states
    first, last, count = float(case.visits[0]), float(case.visits[-1]), len(case.visits)

    def one(patient):
        model.reset()
        model.setGlobalParameterValues(position, case.values[patient])
        for state, value in zip(states, case.initial[patient], strict=True):
            model[state] = value
        try:
            return np.array(runner.simulate(first, last, count))
        except RuntimeError:
            return np.full((count, len(states)), np.nan)

    return lambda patients: np.stack([one(patient) for patient in patients])


if __name__ == "__main__":
    from importlib.metadata import version

    harness.main(make, "libRoadRunner", version("libroadrunner"))
