"""numbalsoda: LSODA in C++, called from numba, threads over patients."""

import math

import harness
import numpy as np


def make(case):
    import numba
    from numba import carray, cfunc, njit, prange
    from numbalsoda import lsoda, lsoda_sig

    numba.set_num_threads(case.cores)
    states, constants = len(case.states), case.constants.shape[1]
    lines = [
        "def rates(t, y_, dy_, c_):",
        f"    y = carray(y_, ({states},)); dy = carray(dy_, ({states},)); c = carray(c_, ({constants},))",
        *(f"    {line}" for line in harness.source(case.program, "math")),
        *(f"    dy[{i}] = r{i}" for i in range(states)),
    ]
    space = {"carray": carray, "math": math}
    exec("\n".join(lines), space)  # noqa: S102 our own generated lines
    address = cfunc(lsoda_sig, fastmath=True)(space["rates"]).address
    rtol, atol, visits = case.rtol, case.atol, case.visits

    @njit(parallel=True)
    def many(constants, initial):
        count = constants.shape[0]
        values = np.empty((count, visits.size, states))
        good = np.zeros(count)
        for i in prange(count):
            found, ok = lsoda(address, initial[i].copy(), visits, constants[i].copy(), rtol, atol, 1_000_000)
            values[i] = found
            good[i] = ok
        return values, good

    def simulate(patients):
        values, good = many(case.constants[patients], case.initial[patients])
        values[good == 0] = np.nan
        return values

    return simulate


if __name__ == "__main__":
    from importlib.metadata import version

    harness.main(make, "numbalsoda", version("numbalsoda"), native=True)
