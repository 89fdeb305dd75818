"""betapod's own engine, through the same harness; runs in betapod's environment.

``--variant N``: N patients per instruction; ``--variant size:RTOL``: another relative tolerance, and the absolute one by the size of states.
"""

from dataclasses import replace

import generate
import harness
import numpy as np


def make(case):
    from betapod.engine.ensemble import Ensemble

    model, visits, patients = generate.problem(case.folder.name, case.count)
    assert np.array_equal(visits, case.visits)
    # The peers' problem has no terminal event either.
    model = replace(model, events=())
    kind, _, rtol = case.variant.partition(":")
    by_size = kind == "size"
    ensemble = Ensemble(
        model,
        case.states,
        float(rtol) if by_size else case.rtol,
        "by size" if by_size else case.atol,
        width=int(kind) if kind and not by_size else None,
        threads=case.cores,
    )
    room = np.empty((case.count, len(visits), len(case.states)))

    def simulate(chosen):
        everyone = len(chosen) == case.count
        given = patients if everyone else {name: column[chosen] for name, column in patients.items()}
        return ensemble.run(given, visits, out=room if everyone else None).values

    return simulate


if __name__ == "__main__":
    from importlib.metadata import version

    harness.main(make, "betapod", version("betapod"), native=True)
