"""Shared by the tests of the engine: a cache folder of their own, a small stiff model with everything that schedules and events do."""

from __future__ import annotations

from types import ModuleType

import pytest
from programs import shared_programs

from betapod.model import Model, ParameterTable, Part, assemble
from betapod.model.parameters.table import Parameter

EQUATIONS = """
inflow = k_in*(1 + drive)                                         [1/day]  inflow
dx/dt = inflow - k_x*x*y/(1 + y)                                  [1/day]  quick reserve
x(0) = x0                                                         [1]      quick reserve
dy/dt = k_f*(x - y)                                               [1/day]  follower
y(0) = 2*x0                                                       [1]      follower
dz/dt = k_z*x*softplus(y - 1, width) + tanh(drive)*r0*(1 + sin(2*t/period))   [1/day]  damage
z(0) = 0                                                          [1]      damage
load = z/(x + 1) + drive                                          [1]      load
"""
EVENTS = """
full when z > z_max then stop "damage is full"
purge when x > x_max then x = x/2 "half is taken away"
"""
ROWS = [
    ("k_in", 1.0, "1/day"),
    ("k_x", 0.5, "1/day"),
    ("x0", 0.7, "1"),
    ("k_f", 200.0, "1/day"),
    ("k_z", 0.02, "1/day"),
    ("width", 0.3, "1"),
    ("z_max", 100.0, "1"),
    ("x_max", 4.0, "1"),
    ("drive", 0.1, "1"),
    ("r0", 0.1, "1/day"),
    ("period", 5.0, "day"),
]


def table(rows: list[tuple[str, float, str]]) -> ParameterTable:
    """Return a parameter table; a row named drive is an input."""
    return ParameterTable(
        [
            Parameter(n, n, v, u, -1e9, 1e9, "fixed", "input" if n == "drive" else "assumed", "", "", "D", "")
            for n, v, u in rows
        ]
    )


@pytest.fixture(scope="session")
def reservoir() -> Model:
    """A stiff model of three states with an input, an explicit time, a terminal event and one that changes a state."""
    part = Part.from_text("reservoir", EQUATIONS, reads=("drive",), events=EVENTS)
    return assemble("reservoir", [part], table(ROWS))


@pytest.fixture(scope="session")
def elementwise() -> ModuleType:
    """The helper that compiles one elementary function."""
    import elementwise as helper

    return helper


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BETAPOD_CACHE", str(shared_programs(tmp_path_factory)))
