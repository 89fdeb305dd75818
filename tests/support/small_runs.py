"""A small model and runs of it, for the tests of shards, store and resuming."""

import math
from pathlib import Path

from betapod.engine.runs.run_plan import RunPlan
from betapod.model import Part, assemble
from betapod.model.parameters.table import Parameter, ParameterTable

#: x grows to infinity in finite time where `a` is large enough; y follows x; g and G differ by case alone.
TEXT = """
dx/dt = a * x * x - loss * x   [1/day]  grows or falls
x(0)  = start                  [1]      start value
dy/dt = rate * (x - y)         [1/day]  follows
y(0)  = start                  [1]      start value
g     = x + y                  [1]      sum
G     = x - y                  [1]      difference
"""
ROWS = [
    ("a", 0.02, "1/day", "normal(0.02, 0.06)"),
    ("loss", 0.05, "1/day", "lognormal(0.05, 0.3)"),
    ("rate", 1.5, "1/day", "lognormal(1.5, 0.5)"),
    ("start", 1.0, "1", "uniform(0.5, 1.5)"),
]


def model():
    table = ParameterTable(Parameter(n, n, v, u, -math.inf, math.inf, d) for n, v, u, d in ROWS)
    return assemble("small", [Part.from_text("small", TEXT)], table)


def plan(patients=60, shard_size=10, visits=6, seed=1, outputs=("x", "y", "g", "G"), **settings):
    times = [3.0 * k for k in range(visits)]
    made = settings.pop("model", None) or model()
    return RunPlan.drawn(made, patients, times, seed, outputs=outputs, shard_size=shard_size, **settings)


def tables(folder: Path) -> dict[str, bytes]:
    """Every part of a run folder, as bytes."""
    return {f"{p.parent.name}/{p.name}": p.read_bytes() for p in sorted(Path(folder).glob("*/part-*.parquet"))}
