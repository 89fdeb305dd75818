"""Speed of the ensemble engine: patients a second by width and threads, where the time goes, share of the processor's peak.

Run with the package's own interpreter::

    python benchmarks/kernel_speed.py [--models kidney dkd topp meal] [--seconds 5]

Times are the best of repeated short runs on the clock of the process, so that a busy machine disturbs them little; the wall clock
decides where threads are compared.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from betapod.base.cores import cores
from betapod.engine.compiled import driver
from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.machine import compile_object, load_object, processor
from betapod.engine.compiled.rosenbrock import STAGES, write_stage_sums
from betapod.engine.compiled.simd import VectorCode
from betapod.engine.ensemble import Ensemble
from betapod.exchange import read_sbml
from betapod.model import Model
from betapod.model.parameters.possible_values import possible_bounds
from betapod.physiology import whole_body

MODELS = Path(__file__).resolve().parent / "models"
#: Multiplications and additions that an elementary function counts as.
FLOPS = {
    "exp": 20,
    "log": 20,
    "softplus": 40,
    "logistic": 25,
    "tanh": 35,
    "pow": 80,
    "cbrt": 30,
    "wright_omega": 150,
    "sin": 25,
}
FLOPS |= {"cos": 25, "div": 4, "sqrt": 4, "add": 1, "sub": 1, "mul": 1, "neg": 0}
#: The same of the quick ones (`betapod.engine.compiled.quick`), counted in their text.
QUICK_FLOPS = FLOPS | {"exp": 23, "log": 26, "softplus": 49, "logistic": 28, "tanh": 33, "pow": 50, "cbrt": 50}


def case(name: str, count: int) -> tuple[Model, dict[str, np.ndarray], np.ndarray]:
    """Return a model, patients and visits: the kidney for 20 years every half year, or a benchmark model."""
    random = np.random.default_rng(20240501)
    if name in whole_body.NAMES:
        model = whole_body.named_model(name)
        spread = {key: 0.05 for key, row in model.parameters.items() if row.value > 0.0 and row.role != "derived"}
        times = np.arange(41) * 182.625
    else:
        model = read_sbml(MODELS / f"{name}.xml")
        given = json.loads((MODELS / "variation.json").read_text())[name]
        spread, times = given["spread"], np.linspace(0.0, given["end_day"], given["visits"])
    who = {
        key: model.parameters[key].value * np.exp(sd * random.standard_normal(count).clip(-2.5, 2.5))
        for key, sd in spread.items()
        if sd > 0.0 and key in model.parameters
    }
    return model, {key: column.clip(*possible_bounds(model.parameters[key])) for key, column in who.items()}, times


def best(run: Callable[[], Any], seconds: float, clock: Callable[[], float]) -> float:
    """Return the shortest of the runs that fit into a time."""
    end, shortest = time.perf_counter() + seconds, np.inf
    while time.perf_counter() < end:
        began = clock()
        run()
        shortest = min(shortest, clock() - began)
    return float(shortest)


def peak(seconds: float) -> float:
    """Return 10^9 multiplications and additions a second of one core, from registers alone."""
    width = processor().width
    code = VectorCode(width, processor().fused)
    with code.function("spin", ["p", "i"], exported=True) as (place, count):
        values = [code.variable("v", float(i)) for i in range(12)]
        with code.loop(count):
            for value in values:
                value.set(code.fma(value.get(), 0.9999999, 1e-9))
        for k, value in enumerate(values):
            code.store(place, k, value.get())
        code.give()
    loaded = load_object(compile_object(code.text()))
    spin = loaded.function("spin", None, ctypes.c_void_p, ctypes.c_int64)
    room = np.zeros(12 * width + 16)
    address = room.ctypes.data + (-room.ctypes.data) % 128
    turns = 200_000
    return turns * 12 * width * 2 / best(lambda: spin(address, turns), seconds, time.thread_time) / 1e9


def flops(operations: dict[str, Any], costs: dict[str, int]) -> float:
    """Return the operations of one step of one patient."""
    blocks = {name: sum(costs.get(op, 0) * n for op, n in operations[name].items()) for name in ("rates", "linear")}
    sums = operations["states"] * (2 * (15 + 28) + 4)
    return blocks["linear"] + 7 * blocks["rates"] + operations["factor"] + STAGES * operations["solve"] + sums


def profile(model: Model, width: int, seconds: float, quickly: bool) -> dict[str, float]:
    """Return microseconds of each part of a vector step, each measured alone."""
    program = lower(model)
    code = VectorCode(width, processor().fused, processor().scales)
    module = driver.write_functions(code, program, quickly)
    parts = {"linear": 1, "factor": 1, "rates": 7, "solve": STAGES, "sums": 1}
    for name in parts:
        with code.function(f"time_{name}", ["p", "i"], exported=True) as (place, count):
            a, one = module.lanes(place, place).arrays(), code.vector(1.0)
            with code.loop(count):
                if name == "sums":
                    for s in range(1, STAGES):
                        write_stage_sums(code, len(program.states), a, s, one)
                elif name == "linear":
                    code.call(name, [one, a.y, a.parameters, a.constants, a.k, a.matrix, a.slopes], None)
                elif name == "factor":
                    code.call(name, [code.vector(1e6), a.constants, a.matrix], None)
                elif name == "rates":
                    code.call(name, [one, a.y, a.parameters, a.constants, a.k], None)
                else:
                    code.call(name, [a.matrix, a.k], None)
            code.give()
    loaded = load_object(compile_object(code.text()))
    room = np.ones(module.workspace.size * width + 64)
    address = room.ctypes.data + (-room.ctypes.data) % 256
    found = {}
    for name, times in parts.items():
        function = loaded.function(f"time_{name}", None, ctypes.c_void_p, ctypes.c_int64)
        shortest = best(lambda f=function: f(address, 200), seconds, time.thread_time)  # type: ignore[misc]
        found[name] = shortest / 200 * 1e6 * times
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=["kidney", "dkd", "topp", "meal"])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    top = peak(1.0)
    print(f"processor {processor().name}, {processor().width} lanes, peak {top:.1f} GFLOP/s per core")
    for name in options.models:
        count = 32 if name == "meal" else 512
        model, who, times = case(name, count)
        rates: dict[str, float] = {}
        for label, width, threads in (
            ("auto", None, 1),
            ("width 1", 1, 1),
            ("auto, all cores", None, cores()),
        ):
            ensemble = Ensemble(model, width=width, threads=threads, cache=False)
            kernel = ensemble.kernel()
            first = ensemble.run(who, times)
            clock = time.perf_counter if threads > 1 else time.process_time
            shortest = best(functools.partial(ensemble.run, who, times, out=first.values), options.seconds, clock)
            rates[label] = count / shortest
            steps = float((first.steps + first.rejected).mean())
            print(
                f"{name}: {label} (width {kernel.width}, {threads} threads): {rates[label]:.0f} patients/s, {steps:.1f} steps, "
                f"lanes busy {first.occupancy:.3f}, {kernel.origin} in {kernel.seconds:.2f} s"
            )
            if label == "auto":
                work = flops(kernel.operations, QUICK_FLOPS) * steps
                share = work * rates[label] / (top * 1e9)
                print(f"{name}: {work / 1e6:.2f} Mflop a patient, {share:.0%} of the peak; {first.achieved_error(16)}")
                for kind, quickly in (("quick functions", True), ("functions of 2 ulp", False)):
                    parts = profile(model, kernel.width, options.seconds / 20, quickly)
                    total = sum(parts.values())
                    each = ", ".join(f"{part} {us:.2f} us ({us / total:.0%})" for part, us in parts.items())
                    print(f"{name}: vector step with {kind} {total:.2f} us: {each}")
        print(
            f"{name}: {rates['auto'] / rates['width 1']:.1f} times one lane; all cores {rates['auto, all cores'] / rates['auto']:.2f} "
            "times one (wall clock over process clock)"
        )


if __name__ == "__main__":
    main()
