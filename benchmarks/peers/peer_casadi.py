"""CasADi: CVODES with the exact Jacobian; with ``--variant jit`` through the C compiler."""

import harness
import numpy as np


def make(case):
    import casadi as ca

    y, c, t = ca.SX.sym("y", len(case.states)), ca.SX.sym("c", case.constants.shape[1]), ca.SX.sym("t")
    space = {"ca": ca, "y": y, "c": c, "t": t}
    exec("\n".join(harness.source(case.program, "ca")), space)  # noqa: S102 our own generated lines
    system = {"x": y, "p": c, "t": t, "ode": ca.vertcat(*(space[f"r{i}"] for i in range(len(case.states))))}
    settings = {"reltol": case.rtol, "abstol": case.atol, "max_num_steps": 1_000_000}
    if "jit" in case.variant:
        flags = ["-O3", "-march=native", "-ffast-math"]
        settings |= {
            "jit": True,
            "compiler": "shell",
            "jit_options": {"compiler": "gcc", "flags": flags, "verbose": False},
        }
    integrator = ca.integrator("integrator", "cvodes", system, float(case.visits[0]), case.visits[1:], settings)

    def one(patient):
        try:
            later = integrator(x0=case.initial[patient], p=case.constants[patient])["xf"]
        except RuntimeError:
            return np.full((len(case.visits), len(case.states)), np.nan)
        return np.vstack([case.initial[patient][None], np.array(later).T])

    return lambda patients: np.stack([one(patient) for patient in patients])


if __name__ == "__main__":
    from importlib.metadata import version

    harness.main(make, "CasADi CVODES", version("casadi"))
