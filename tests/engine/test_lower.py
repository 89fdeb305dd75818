"""Lowering: the flat program computes what the graph says, and its plan solves sparse systems."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from betapod.base.errors import ConfigError
from betapod.engine.compiled.factorise import factorise
from betapod.engine.compiled.lower import lower
from betapod.engine.compiled.program import Block, Program, mixed
from betapod.model import Model
from betapod.model.algebra.derivative import jacobian
from betapod.model.algebra.expression import TIME, const, evaluate, symbol
from betapod.model.algebra.operations import BINARY, UNARY, power
from betapod.model.assembly.delays import Delayed, FastReaction
from betapod.physiology import whole_body


def interpret(
    block: Block, time: float, states: list[float], parameters: list[float], constants: list[float]
) -> list[float]:
    """Compute a block one operation at a time."""
    arrays = {"state": states, "parameter": parameters, "constant": constants}
    done: list[float] = []
    for instruction in block.instructions:
        args = [done[arg] for arg in instruction.args]
        if instruction.op in arrays:
            done.append(arrays[instruction.op][int(instruction.value or 0)])
        elif instruction.op == "const":
            done.append(float(instruction.value or 0.0))
        elif instruction.op == "time":
            done.append(time)
        elif instruction.op == "select":
            done.append(args[1] if args[0] != 0.0 else args[2])
        elif instruction.op in UNARY:
            done.append(UNARY[instruction.op](*args))
        elif instruction.op == "powi":
            done.append(power(args[0], float(instruction.value or 0.0)))
        else:
            done.append(BINARY[instruction.op](*args))
    return [done[i] for i in block.results]


def computed(model: Model, program: Program, time: float, states: list[float]) -> dict[str, list[float]]:
    values = model.values()
    parameters = [values.get(name, 0.0) for name in program.parameters]
    constants = interpret(program.constants, 0.0, [], parameters, [])
    blocks = {name: getattr(program, name) for name in ("rates", "linear", "output", "triggers", "initial")}
    return {name: interpret(block, time, states, parameters, constants) for name, block in blocks.items()} | {
        "constants": constants
    }


def test_program_computes_the_model(reservoir: Model) -> None:
    program = lower(reservoir, ["load", "z"])
    states, time = [3.0, 2.5, 0.4], 7.3
    found = computed(reservoir, program, time, states)
    known = {**reservoir.values(), **dict(zip(reservoir.state_names, states, strict=True)), "t": time}
    np.testing.assert_allclose(found["rates"], evaluate([s.rate for s in reservoir.states], known), rtol=1e-13)
    np.testing.assert_allclose(found["linear"][:3], found["rates"], rtol=1e-13)
    np.testing.assert_allclose(
        found["output"], evaluate([reservoir.expression(n) for n in ("load", "z")], known), rtol=1e-13
    )
    np.testing.assert_allclose(found["initial"], [0.7, 1.4, 0.0], rtol=1e-15)
    right = {place: evaluate([e], known)[0] for place, e in reservoir.jacobian.items()}
    mine = {
        (i, j): found["linear"][3 + index] if kind == "linear" else found["constants"][index]
        for i, j, kind, index in program.entries
    }
    assert {place for place, value in right.items() if value != 0.0} <= set(mine)
    for place, value in mine.items():
        assert value == pytest.approx(right.get(place, 0.0), rel=1e-12, abs=1e-300)
    assert program.moving == (2,)
    late = evaluate([reservoir.states[2].rate], {**known, "t": time + 1e-5})[0]
    early = evaluate([reservoir.states[2].rate], {**known, "t": time - 1e-5})[0]
    assert found["linear"][-1] == pytest.approx((late - early) / 2e-5, rel=1e-6)


@pytest.mark.parametrize("name", ["kidney", "cells", "reference"])
def test_the_linear_systems_are_those_of_the_jacobian(name: str) -> None:
    """What stays an unknown beside the states, put in, gives the derivatives of rates by states and by time."""
    model = whole_body.named_model(name)
    program, known = lower(model), {**model.values(), **model.initial_values(), "t": 3.0}
    n = len(program.states)
    assert program.unknowns > n
    found = computed(model, program, 3.0, [known[state] for state in program.states])
    matrix, times = np.zeros((program.unknowns, program.unknowns)), np.zeros(program.unknowns)
    for i, j, kind, index in program.entries:
        matrix[i, j] = found["linear"][n + index] if kind == "linear" else found["constants"][index]
    times[list(program.moving)] = found["linear"][len(found["linear"]) - len(program.moving) :]
    inner = np.eye(program.unknowns - n) - matrix[n:, n:]
    whole = np.c_[matrix[:n, :n], times[:n]] + matrix[:n, n:] @ np.linalg.solve(inner, np.c_[matrix[n:, :n], times[n:]])
    right = np.zeros((n, n + 1))
    variables = [*(symbol(state) for state in program.states), TIME]
    derivatives = jacobian([state.rate for state in model.states], variables)
    for place, value in zip(derivatives, evaluate(list(derivatives.values()), known), strict=True):
        right[place] = value
    scale = np.abs(right).max(axis=1, keepdims=True)
    assert np.max(np.abs(whole - right) / np.maximum(scale, 1e-300)) < 1e-9
    assert len(program.entries) < sum(j < n for _, j in derivatives)


def test_instructions_in_turns_come_after_what_they_need() -> None:
    block = lower(whole_body.named_model("kidney")).rates
    order = mixed(block)
    turn = {number: place for place, number in enumerate(order)}
    assert sorted(order) == list(range(len(block.instructions)))
    assert all(turn[arg] < turn[i] for i in order for arg in block.instructions[i].args)
    # A chain is not written at a stretch: between a logarithm and what needs it there is other work.
    after_log = [(arg, i) for i in order for arg in block.instructions[i].args if block.instructions[arg].op == "log"]
    apart, written = [turn[i] - turn[arg] for arg, i in after_log], [i - arg for arg, i in after_log]
    assert np.median(apart) > 5 * np.median(written)


def test_what_the_patient_alone_decides_is_computed_once(reservoir: Model) -> None:
    program = lower(reservoir)
    assert "tanh" in program.constants.count()
    assert "tanh" not in program.rates.count() and "tanh" not in program.linear.count()
    assert program.rates.count().get("softplus", 0) == 1
    # The follower's rate k_f (x - y) has constant derivatives: no operation at each step.
    assert {kind for i, _, kind, _ in program.entries if i == 1} == {"constant"}


def test_ramps_make_an_input_move(reservoir: Model) -> None:
    program = lower(reservoir, ramps=["drive"])
    held = program.switches.held
    assert program.parameters[held - 2 : held] == ("slope of drive", "segment start")
    assert set(program.moving) == {0, 2}
    assert "tanh" in program.rates.count()


def test_what_needs_the_past_or_no_time_is_refused_by_name(reservoir: Model) -> None:
    from dataclasses import replace

    level = symbol(reservoir.state_names[0])
    late = replace(
        reservoir,
        delays=(Delayed("past_level", level, const(1.0)),),
        fast=(FastReaction("swap", level, ((level.value, const(-1.0)),)),),
    )
    with pytest.raises(ConfigError, match="past_level") as caught:
        lower(late)
    assert caught.value.kinds == ("unsupported-model",) * 2 and "swap" in str(caught.value)


def test_events_have_programs_for_delay_and_priority_only_where_they_have_them(reservoir: Model) -> None:
    from dataclasses import replace

    plain = lower(reservoir)
    assert not plain.delayed and not plain.ranked
    late = replace(reservoir, events=(replace(reservoir.events[0], delay=const(1.0)), reservoir.events[1]))
    assert lower(late).delayed == lower(late).waiting == (0,) and not lower(late).ranked
    events = tuple(replace(event, priority=const(float(k))) for k, event in enumerate(reservoir.events))
    ranked = lower(replace(reservoir, events=events))
    assert ranked.ranked and not ranked.delayed and ranked.waiting == (0, 1)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9), st.floats(0.05, 0.6), st.integers(0, 10_000))
def test_plan_solves_sparse_systems(size: int, density: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = np.where(random.random((size, size)) < density, random.normal(size=(size, size)), 0.0)
    matrix += np.diag(3.0 + size + random.random(size))
    plan = factorise(size, [(int(i), int(j)) for i, j in zip(*np.nonzero(matrix), strict=True)])
    work = matrix.copy()
    for pivot, low, up in plan.steps:
        for i in low:
            work[i, pivot] /= work[pivot, pivot]
            for j in up:
                assert (i, j) in plan.slots
                work[i, j] -= work[i, pivot] * work[pivot, j]
    x = random.normal(size=size)
    b = matrix @ x
    for pivot, low, _ in plan.steps:
        for i in low:
            b[i] -= work[i, pivot] * b[pivot]
    for pivot, _, up in reversed(plan.steps):
        b[pivot] = (b[pivot] - sum(work[pivot, j] * b[j] for j in up)) / work[pivot, pivot]
    np.testing.assert_allclose(b, x, rtol=1e-10, atol=1e-12)


def test_an_arrow_does_not_fill() -> None:
    size = 12
    pattern = [(0, j) for j in range(size)] + [(i, 0) for i in range(size)]
    assert len(factorise(size, pattern).slots) == 3 * size - 2
