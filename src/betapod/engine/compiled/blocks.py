"""Write the blocks of a program, and its sparse linear algebra, as functions of vector code."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.algebra.operations import COMPARISONS, LOGIC
from . import mathlib
from .code import Code, Value
from .factorise import Factorisation
from .program import SWITCHES, Block, Program

_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
#: Stages of the integrator; stage values of one state stand side by side.
STAGES = 8


class BlockWriter:
    """Writes the instructions of one block inside the function that is open."""

    def __init__(
        self, code: Code, time: Value | None, states: Value | None, parameters: Value, constants: Value | None
    ) -> None:
        self.code, self.time = code, time
        self._arrays = {"state": states, "parameter": parameters, "constant": constants}

    def write(self, block: Block) -> list[Value]:
        """Write the block and return its results."""
        self._uses = [0] * len(block.instructions)
        for instruction in block.instructions:
            for arg in instruction.args:
                self._uses[arg] += 1
        for result in block.results:
            self._uses[result] += 1
        self._block = block
        self._values: list[Value | None] = [None] * len(block.instructions)
        self._masks: dict[int, Value] = {}
        for i in range(len(block.instructions)):
            self._write(i)
        return [self._value(i) for i in block.results]

    def _value(self, i: int) -> Value:
        value = self._values[i]
        if value is None:
            if i in self._masks:
                value = self.code.select(self._masks[i], self.code.vector(1.0), 0.0)
            else:  # a product that was left for a sum to take, and is wanted alone after all
                a, b = self._block.instructions[i].args
                value = self._value(a) * self._value(b)
            self._values[i] = value
        return value

    def _mask(self, i: int) -> Value:
        if i not in self._masks:
            self._masks[i] = self._value(i).differs(0.0)
        return self._masks[i]

    def _single_product(self, i: int) -> bool:
        return self._values[i] is None and self._block.instructions[i].op == "mul"

    def _write(self, i: int) -> None:
        c, instruction = self.code, self._block.instructions[i]
        op, args = instruction.op, instruction.args
        if op in self._arrays:
            array = self._arrays[op]
            assert array is not None and instruction.value is not None
            self._values[i] = c.load(array, "v", int(instruction.value))
        elif op == "const":
            assert instruction.value is not None
            self._values[i] = c.vector(float(instruction.value))
        elif op == "time":
            self._values[i] = self.time if self.time is not None else c.vector(0.0)
        elif op == "mul":
            if self._uses[i] != 1:
                self._values[i] = self._value(args[0]) * self._value(args[1])
        elif op in ("add", "sub"):
            self._values[i] = self._sum(op, *args)
        elif op in COMPARISONS:
            self._masks[i] = c.compare(_COMPARE[op], self._value(args[0]), self._value(args[1]))
        elif op in LOGIC:
            masks = [self._mask(arg) for arg in args]
            self._masks[i] = ~masks[0] if op == "not" else c.bits(op, masks[0], masks[1])
        elif op == "select":
            self._values[i] = c.select(self._mask(args[0]), self._value(args[1]), self._value(args[2]))
        else:
            self._values[i] = self._function(op, [self._value(arg) for arg in args])

    def _sum(self, op: str, left: int, right: int) -> Value:
        """Write a sum or difference, taking in a product that nothing else uses."""
        c = self.code
        if self._single_product(right):
            a, b = self._block.instructions[right].args
            first = self._value(a)
            return c.fma(first if op == "add" else -first, self._value(b), self._value(left))
        if self._single_product(left):
            a, b = self._block.instructions[left].args
            other = self._value(right)
            return c.fma(self._value(a), self._value(b), other if op == "add" else -other)
        a_value, b_value = self._value(left), self._value(right)
        return a_value + b_value if op == "add" else a_value - b_value

    def _function(self, op: str, args: list[Value]) -> Value:
        c = self.code
        if op == "neg":
            return -args[0]
        if op == "div":
            return args[0] / args[1]
        if op in ("min", "max"):
            a, b = args
            return c.select((a <= b if op == "min" else a >= b) | a.differs(a), a, b)
        if op in c.library:
            return c.call(f"betapod_{op}", args, "v")
        if op in mathlib.UNARY:
            return mathlib.UNARY[op](c, args[0])
        return mathlib.BINARY[op](c, args[0], args[1])


def write_library(code: Code, blocks: Sequence[Block]) -> None:
    """Write the long elementary functions that blocks call."""
    uses: dict[str, int] = {}
    for block in blocks:
        for op, count in block.count().items():
            uses[op] = uses.get(op, 0) + count
    short = mathlib.SHORT if sum(uses.get(op, 0) for op in mathlib.SHORT) > mathlib.SELDOM else frozenset[str]()
    code.library = set(uses) & (mathlib.LONG | short)
    for op in sorted(code.library):
        count = 2 if op in mathlib.BINARY else 1
        with code.function(f"betapod_{op}", ["v"] * count, "v") as args:
            code.give(mathlib.BINARY[op](code, *args) if count == 2 else mathlib.UNARY[op](code, *args))


def write_blocks(code: Code, program: Program) -> None:
    """Write every block of a program as a function.

    The functions are ``constants(p, c)``, ``initial(p, y)``, ``rates(t, y, p, c, k)`` (adds to k),
    ``linear(t, y, p, c, k, m, g)`` (rates to k, Jacobian to m, slopes in time to g), ``output(t, y, p, c, o)``,
    ``triggers(t, y, p, c, o)`` and ``event0(t, y, p, c, o)``, ``event1`` ..., and, where anything is held, ``clocks``, ``states``,
    ``clock_same``, ``watch_same``, ``clock_quiet`` and ``watch_quiet``, alike; the last two read bounds instead of states.
    """
    blocks = [
        program.constants,
        program.initial,
        program.rates,
        program.linear,
        program.output,
        program.triggers,
        *(block for event in program.events for block in (event.assignments, event.factors)),
        *(getattr(program.switches, name) for name in SWITCHES),
    ]
    write_library(code, blocks)
    with code.function("constants", ["p", "p"]) as (p, o):
        _store(code, o, BlockWriter(code, None, None, p, None).write(program.constants))
    with code.function("initial", ["p", "p"]) as (p, o):
        _store(code, o, BlockWriter(code, None, None, p, None).write(program.initial))
    with code.function("rates", ["v", "p", "p", "p", "p"]) as (t, y, p, c, k):
        for i, rate in enumerate(BlockWriter(code, t, y, p, c).write(program.rates)):
            code.store(k, i * STAGES, code.load(k, "v", i * STAGES) + rate)
        code.give()
    with code.function("linear", ["v", "p", "p", "p", "p", "p", "p"]) as (t, y, p, c, k, m, g):
        results = BlockWriter(code, t, y, p, c).write(program.linear)
        n = len(program.states)
        for i in range(n):
            code.store(k, i * STAGES, results[i])

        def slope(value: Value) -> Value:
            # At a switch a slope may be infinite, as of a root at 0; the error of the step tells whether it can do without.
            if not program.switches.any:
                return value
            return code.select(code.absolute(value) < math.inf, value, 0.0)

        for row, column, kind, index in program.entries:
            if kind == "linear":
                code.store(m, program.factorisation.slots[row, column], slope(results[n + index]))
        for q in range(len(program.moving)):
            code.store(g, q, slope(results[len(results) - len(program.moving) + q]))
        code.give()
    for name, block in [
        ("output", program.output),
        ("triggers", program.triggers),
        *((f"event{k}", event.assignments) for k, event in enumerate(program.events)),
        *((f"factors{k}", event.factors) for k, event in enumerate(program.events)),
        *((f"delay{k}", event.delay) for k, event in enumerate(program.events) if event.delay is not None),
        *((f"priority{k}", event.priority) for k, event in enumerate(program.events) if event.priority is not None),
        *((name, getattr(program.switches, name)) for name in (SWITCHES if program.switches.any else ())),
    ]:
        with code.function(name, ["v", "p", "p", "p", "p"]) as (t, y, p, c, o):
            _store(code, o, BlockWriter(code, t, y, p, c).write(block))
    write_factor(code, program)
    write_solve(code, program.factorisation)


def _store(code: Code, target: Value, values: Sequence[Value]) -> None:
    for i, value in enumerate(values):
        code.store(target, i, value)
    code.give()


def write_factor(code: Code, program: Program) -> None:
    """Write ``factor(d, c, m)``: ``J - d I = L U`` in place, with -1/pivot instead of each pivot and -L instead of L.

    It goes row by row: one row is in registers, the rows above it are read from memory. Each entry takes its products in the
    order of the pivots, as it would pivot by pivot, so it has the same bits; but few values wait at a time.
    """
    plan = program.factorisation
    right = {pivot: up for pivot, _, up in plan.steps}
    left: dict[int, list[int]] = {pivot: [] for pivot in right}
    for pivot, low, _ in plan.steps:
        for i in low:
            left[i].append(pivot)
    entries: dict[int, list[tuple[int, str, int]]] = {}
    for row, column, kind, index in program.entries:
        entries.setdefault(row, []).append((column, kind, index))
    with code.function("factor", ["v", "p", "p"]) as (d, c, m):
        for row in right:
            values: dict[int, Value] = {}
            for column, kind, index in entries.get(row, ()):
                slot = plan.slots[row, column]
                values[column] = code.load(m, "v", slot) if kind == "linear" else code.load(c, "v", index)
            values[row] = values[row] - d if row in values else -d
            for pivot in left[row]:
                factor = values[pivot] * code.load(m, "v", plan.slots[pivot, pivot])
                values[pivot] = factor
                for j in right[pivot]:
                    above = code.load(m, "v", plan.slots[pivot, j])
                    values[j] = code.fma(factor, above, values[j]) if j in values else factor * above
            values[row] = -1.0 / values[row]
            for column in (row, *right[row], *left[row]):
                code.store(m, plan.slots[row, column], values[column])
            code.forget()
        code.give()


def write_solve(code: Code, plan: Factorisation) -> None:
    """Write ``solve(m, k)``: the solution of ``(d I - J) x = k`` in place of k."""
    with code.function("solve", ["p", "p"]) as (m, k):
        x = [code.load(k, "v", i * STAGES) for i in range(plan.size)]
        for pivot, low, _ in plan.steps:
            for i in low:
                x[i] = code.fma(code.load(m, "v", plan.slots[i, pivot]), x[pivot], x[i])
        for pivot, _, up in reversed(plan.steps):
            total = x[pivot]
            for j in up:
                total = code.fma(code.load(m, "v", plan.slots[pivot, j]), x[j], total)
            x[pivot] = total * code.load(m, "v", plan.slots[pivot, pivot])
            code.store(k, pivot * STAGES, x[pivot])
        code.give()
