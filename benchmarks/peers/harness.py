"""What the peer scripts share: the problem, straight-line code in their language, timing, worker processes. Needs NumPy only.

A peer script calls ``main(make)``, where ``make(case)`` returns ``simulate(patients)``: patient numbers to values, shape
(patients, visits, states), NaN where it failed. A peer that has threads of its own says so with ``native=True``; the others are run in as
many processes as there are cores, each set up and warmed up before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import numpy as np  # noqa: E402

#: A tool that needs more address space than this for one small model fails rather than taking the machine with it.
_MEMORY = 12 << 30

Simulate = Callable[[np.ndarray], np.ndarray]


class Case:
    """A problem and how to solve it.

    Attributes
    ----------
    values, names
        Parameters that differ between patients, (patients, names).
    constants
        Patient-constant values for the straight-line code, (patients, constants).
    initial
        States at the start, (patients, states).
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.folder = Path(options.folder)
        self.cores, self.rtol, self.atol, self.variant = options.cores, options.rtol, options.atol, options.variant
        data = np.load(self.folder / "problem.npz")
        self.count = min(options.patients, len(data["values"]))
        self.visits = data["visits"]
        self.names, self.states = data["names"].tolist(), data["states"].tolist()
        self.values = np.ascontiguousarray(data["values"][: self.count])
        self.constants = np.ascontiguousarray(data["constants"][: self.count])
        self.initial = np.ascontiguousarray(data["initial"][: self.count])
        self.sbml = str(self.folder / "model.xml")
        self.program = json.loads((self.folder / "program.json").read_text())


def source(program: dict[str, Any], dialect: str) -> list[str]:
    """Return statements that compute the rates ``r0 r1 ...`` from ``t``, states ``y[i]`` and constants ``c[i]``.

    Parameters
    ----------
    dialect
        ``math`` (plain Python for numba), ``jnp`` (JAX) or ``ca`` (CasADi).
    """
    place = {name: f"y[{i}]" for i, name in enumerate(program["states"])}
    place |= {name: f"c[{i}]" for i, name in enumerate(program["constants"])}
    place["t"] = "t"
    lines, names = [], []
    for number, (op, args, value) in enumerate(program["nodes"]):
        if op == "const":
            names.append(repr(float(value)) if value >= 0 else f"({float(value)!r})")
        elif op == "sym":
            names.append(place[value])
        else:
            names.append(f"v{number}")
            lines.append(f"v{number} = {_expression(op, [names[a] for a in args], value, dialect)}")
    return lines + [f"r{i} = {names[rate]}" for i, rate in enumerate(program["rates"])]


_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}


def _expression(op: str, args: list[str], value: Any, dialect: str) -> str:
    if op in _INFIX:
        return f"{args[0]} {_INFIX[op]} {args[1]}"
    if op in _COMPARE:
        return f"{args[0]} {_COMPARE[op]} {args[1]}"
    if op == "neg":
        return f"-{args[0]}"
    if op == "solve":
        return args[0]
    if op == "powi" and 2 <= abs(value) <= 16:
        product = "*".join([args[0]] * abs(value))
        return f"({product})" if value > 0 else f"1.0/({product})"
    if op == "powi":
        return f"{args[0]}**{float(value)!r}"
    if op == "pow":
        return f"{args[0]}**{args[1]}"
    if op == "select":
        chosen = {
            "math": "({1} if {0} else {2})",
            "jnp": "jnp.where({0}, {1}, {2})",
            "ca": "ca.if_else({0}, {1}, {2})",
        }[dialect]
        return chosen.format(*args)
    if op == "cbrt":
        return f"jnp.cbrt({args[0]})" if dialect == "jnp" else f"{args[0]}**(1.0/3.0)"
    if op == "abs":
        return {"math": "abs({})", "jnp": "jnp.abs({})", "ca": "ca.fabs({})"}[dialect].format(*args)
    if op in ("max", "min"):
        chosen = {"math": op, "jnp": f"jnp.{op}imum", "ca": f"ca.f{op}"}[dialect]
        return f"{chosen}({args[0]}, {args[1]})"
    if op in ("and", "or"):
        words = {"math": op, "jnp": {"and": "&", "or": "|"}[op], "ca": None}[dialect]
        return f"ca.logic_{op}({args[0]}, {args[1]})" if words is None else f"({args[0]} {words} {args[1]})"
    if op == "logistic":
        return f"1.0 / (1.0 + {dialect}.exp(-{args[0]}))"
    if op == "softplus":
        return {
            "math": "max({0}, 0.0) + math.log1p(math.exp(-abs({0})))",
            "jnp": "jnp.logaddexp({0}, 0.0)",
            "ca": "ca.fmax({0}, 0.0) + ca.log1p(ca.exp(-ca.fabs({0})))",
        }[dialect].format(*args)
    if op in ("exp", "log", "sqrt", "tanh", "sin", "cos"):
        return f"{dialect}.{op}({args[0]})"
    raise ValueError(f"no {dialect} form of {op}")


def main(make: Callable[[Case], Simulate], name: str, version: str, native: bool = False, start: str = "fork") -> None:
    """Read the command line, run the peer, print one line of JSON and store the values."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rtol", type=float, default=1e-6)
    parser.add_argument("--atol", type=float, default=1e-9)
    parser.add_argument("--variant", default="")
    parser.add_argument("--values", help="file for the values of all patients")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    case = Case(options)
    everyone = np.arange(case.count)
    if native or case.cores == 1:
        began = time.perf_counter()
        simulate = make(case)
        simulate(everyone if native else everyone[:2])
        setup = time.perf_counter() - began
        seconds, processor = [], []
        for _ in range(options.repeats):
            began, busy = time.perf_counter(), time.process_time()
            values = simulate(everyone)
            seconds.append(time.perf_counter() - began)
            processor.append(time.process_time() - busy)
    else:
        setup, seconds, values = _in_processes(make, case, options.repeats, start)
        processor = []
    if options.values:
        np.savez(options.values, values=values[:64], states=np.array(case.states))
    failed = int(np.isnan(values).any(axis=(1, 2)).sum())
    record = {
        "peer": name, "version": version, "variant": case.variant, "patients": case.count, "cores": case.cores,
        "rtol": case.rtol, "atol": case.atol, "setup": setup, "seconds": seconds, "processor_seconds": processor,
        "per_second": case.count / float(np.median(seconds)), "failed": failed,
    }  # fmt: skip
    print(json.dumps(record))


def _in_processes(
    make: Callable[[Case], Simulate], case: Case, repeats: int, start: str
) -> tuple[float, list[float], np.ndarray]:
    context = multiprocessing.get_context(start)
    pipes, workers = [], []
    for _ in range(case.cores):
        here, there = context.Pipe()
        worker = context.Process(target=_work, args=(there, make, case), daemon=True)
        worker.start()
        pipes.append(here)
        workers.append(worker)
    setup = max(pipe.recv() for pipe in pipes)
    shares = [np.arange(case.count)[k :: case.cores] for k in range(case.cores)]
    values = np.empty((case.count, len(case.visits), len(case.states)))
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        for pipe, share in zip(pipes, shares, strict=True):
            pipe.send(share)
        for pipe, share in zip(pipes, shares, strict=True):
            values[share] = pipe.recv()
        seconds.append(time.perf_counter() - began)
    for pipe, worker in zip(pipes, workers, strict=True):
        pipe.send(None)
        worker.join()
    return setup, seconds, values


def _work(pipe: Any, make: Callable[[Case], Simulate], case: Case) -> None:
    began = time.perf_counter()
    simulate = make(case)
    simulate(np.arange(min(2, case.count)))
    pipe.send(time.perf_counter() - began)
    while (share := pipe.recv()) is not None:
        pipe.send(simulate(share))
