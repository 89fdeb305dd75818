"""Vary every parameter of a model at random and count how people end: python benchmarks/random_people.py [--people N] [--share S].

Each parameter that is not a definition (a plausible range of one point) and not 0 is multiplied by a factor of its own, log-normal with the
given share as its log-SD. What lies between two limits, such as a part of a whole, keeps between them: the distance to the nearer limit is
multiplied. No number is tuned to what can be simulated. Printed are the endings, what every failure is named after, and quantiles.
"""

from __future__ import annotations

import argparse
import math
import time

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

import betapod
from betapod.base.randomness import Stream
from betapod.model import Model
from betapod.model.parameters.possible_values import possible_bounds

Numbers = NDArray[np.float64]

OUTPUTS = ("G", "HbA1c", "MAP", "P_GC", "GFR", "eGFR", "UACR")
#: People integrated at a time.
BATCH = 1000


def random_people(model: Model, numbers: range, share: float, seed: int) -> dict[str, Numbers]:
    """Return parameters of people by number, ``{id: (n,)}``; a person's do not depend on who else is drawn."""
    columns = {}
    for row in model.parameters.values():
        if row.value == 0.0 or row.low == row.high:
            continue
        uniform = Stream(seed, f"random people:{row.id}").uniform(numbers)
        factor = np.exp(share * ndtri(np.clip(uniform, 1e-12, 1.0 - 1e-12)))
        low, high = possible_bounds(row)
        if math.isfinite(high) and row.value - max(low, 0.0) > high - row.value:
            if row.value < high:
                columns[row.id] = high - np.minimum((high - row.value) * factor, high - max(low, 0.0))
            continue
        columns[row.id] = np.clip(row.value * factor, low, high)
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="reference")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--years", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    model = betapod.load_model(options.model)
    outputs = [name for name in OUTPUTS if name in model.names]
    ensemble = betapod.Ensemble(model, outputs)
    began = time.perf_counter()
    endings: dict[str, int] = {}
    ends, failures = [], []
    for first in range(0, options.people, BATCH):
        numbers = range(first, min(first + BATCH, options.people))
        columns = random_people(model, numbers, options.share, options.seed)
        result = ensemble.run(columns, [0.0, 365.25 * options.years])
        for status in result.status:
            name = result.status_names[status]
            endings[name] = endings.get(name, 0) + 1
        ends.append(result.values[:, -1])
        named = result.failures[["patient", "reason", "time", "quantity"]]
        failures.extend((first + row.patient, row.reason, row.time, row.quantity) for row in named.itertuples())
    print(f"{len(columns)} of {len(model.parameters)} parameters varied, {time.perf_counter() - began:.0f} s")
    print(", ".join(f"{count} {name}" for name, count in sorted(endings.items())))
    for patient, reason, when, quantity in failures:
        print(f"  person {patient}: {reason} on day {when:.4g}, {quantity}")
    chances = (0.0, 0.01, 0.5, 0.99, 1.0)
    for k, name in enumerate(outputs):
        values = np.concatenate(ends)[:, k]
        spread = ", ".join(f"{x:.4g}" for x in np.nanquantile(values, chances))
        print(f"{name} [{model.units[name]}] at {', '.join(f'{100 * c:g} %' for c in chances)}: {spread}")


if __name__ == "__main__":
    main()
