"""Stops that one patient's search tells the others: the same bits as where everybody searches, whoever shares what with whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from betapod.engine.compiled import known_stops, workspace
from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.program import clock_parameters
from betapod.engine.ensemble import Ensemble
from betapod.engine.schedule import Dose, Schedule, Switch
from betapod.model import Model, ParameterTable, Part, assemble
from betapod.model.parameters.table import Parameter

PEOPLE = 24
TIMES = np.linspace(0.0, 6.0, 13)
#: Meals as bells of time, the second at an hour that follows from two parameters through a constant of the patient, and an hour that is an input.
EQUATIONS = """
dA/dt = exp(sharp*(cos(pi2*(t - noon)/day) - 1))*size - k*A    [1/day] gut
A(0) = 0                                                     [1] gut
dB/dt = exp(sharp*(cos(pi2*(t - noon - delay)/day) - 1))*pull - k*B [1/day] blood
B(0) = 1                                                     [1] blood
"""
EVENTS = 'nap when t > late then B = B*half "half is taken away"'
ROWS = [
    ("noon", 0.5, "day"),
    ("delay", 0.2, "day"),
    ("late", 2.6, "day"),
    ("half", 0.5, "1"),
    ("day", 1.0, "day"),
    ("pi2", 6.283185307179586, "1"),
    ("sharp", 60.0, "1"),
]
ROWS += [("size", 9.0, "1/day"), ("pull", 4.0, "1/day"), ("k", 3.0, "1/day")]


@pytest.fixture(scope="module")
def meals() -> Model:
    rows = [(n, v, u, "input" if n in ("pull", "late") else "assumed") for n, v, u in ROWS]
    table = ParameterTable([Parameter(n, n, v, u, -1e9, 1e9, "fixed", role, "", "", "D", "") for n, v, u, role in rows])
    return assemble("meals", [Part.from_text("meals", EQUATIONS, reads=("pull", "late"), events=EVENTS)], table)


def drawn(**spread: float) -> dict[str, Any]:
    random, middle = np.random.default_rng(3), {name: value for name, value, _ in ROWS}
    return {name: middle[name] * np.exp(sd * random.standard_normal(PEOPLE)) for name, sd in spread.items()}


TWO = [Schedule(), Schedule([Dose("A", 1.0, 0.7, 1.1, 3)], [Switch("pull", 1.0, 2.2)])]


@pytest.mark.parametrize(
    ("who", "schedules"),
    [
        (drawn(k=0.3), None),  # all share the stops
        (drawn(k=0.3), [TWO[i % 2] for i in range(PEOPLE)]),  # two sequences of stops, in turns
        (drawn(k=0.3, noon=0.02), None),  # the hour differs
        (drawn(k=0.3), [Schedule(switches=[Switch("late", 2.8 + 0.1 * (i % 3), 2.2)]) for i in range(PEOPLE)]),
    ],
    ids=["shared", "two schedules", "own hours", "hours that are switched"],
)
def test_bits_are_those_of_searching(meals: Model, who: Mapping[str, Any], schedules: list[Schedule] | None) -> None:
    """A vector of one patient keeps no stops."""
    runs = [Ensemble(meals, width=width, threads=1).run(who, TIMES, schedules) for width in (1, 4)]
    assert np.array_equal(runs[0].values, runs[1].values) and np.array_equal(runs[0].steps, runs[1].steps)
    assert np.all(runs[0].status == 0)


def test_what_is_kept_gives_way_to_later_stops(meals: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Ensemble(meals, width=4, threads=1, cache=False).run(drawn(k=0.3), TIMES)
    for module in (workspace, known_stops):
        monkeypatch.setattr(module, "KEPT", 8)
    monkeypatch.setattr("betapod.engine.compiled.kernel._in_memory", {})
    few = Ensemble(meals, width=4, threads=1, cache=False).run(drawn(k=0.3), TIMES)
    assert np.array_equal(whole.values, few.values)


def test_which_parameters_tell_the_time(meals: Model) -> None:
    program = lower(meals)
    needed = clock_parameters(program)
    assert needed is not None
    assert {program.parameters[i] for i in needed} == {"noon", "delay", "late", "day", "pi2", "sharp"}
    assert clock_parameters(lower(meals, ramps=["pull"])) == needed
    assert clock_parameters(lower(meals, ramps=["late"])) is None
