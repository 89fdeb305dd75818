"""Write the blocks of a program, and its sparse linear algebra, as functions of vector code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set

from ...model.algebra.operations import COMPARISONS, LOGIC
from . import mathlib, quick
from .code import Code, Value
from .program import SWITCHES, Block, Program, mixed

_COMPARE = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
#: Stages of the integrator; stage values of one state stand side by side.
STAGES = 8


class BlockWriter:
    """Writes the instructions of one block inside the function that is open; with the elementary functions of `quick` if told so."""

    def __init__(
        self,
        code: Code,
        time: Value | None,
        states: Value | None,
        parameters: Value,
        constants: Value | None,
        quickly: bool = False,
    ) -> None:
        self.code, self.time, self.quickly = code, time, quickly
        self._arrays = {"state": states, "parameter": parameters, "constant": constants}

    def write(self, block: Block) -> list[Value]:
        """Write the block and return its results."""
        self._begin(block)
        for i in range(len(block.instructions)):
            self._write(i)
        return [self._value(i) for i in block.results]

    def give(self, block: Block, take: Callable[[int, Value], None]) -> None:
        """Write the block and have each result taken, with its number, as soon as it is known: few values wait at a time."""
        self._begin(block)
        wanted: dict[int, list[int]] = {}
        for number, i in enumerate(block.results):
            wanted.setdefault(i, []).append(number)
        for i in mixed(block) if self.code.mixes else range(len(block.instructions)):
            self._write(i)
            for number in wanted.get(i, ()):
                take(number, self._value(i))

    def _begin(self, block: Block) -> None:
        self._uses = [0] * len(block.instructions)
        for instruction in block.instructions:
            for arg in instruction.args:
                self._uses[arg] += 1
        for result in block.results:
            self._uses[result] += 1
        self._block = block
        self._values: list[Value | None] = [None] * len(block.instructions)
        self._masks: dict[int, Value] = {}

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
        if self.quickly and f"quick_{op}" in c.library:
            return c.call(f"betapod_quick_{op}", args, "v")
        if self.quickly and op in quick.FUNCTIONS:
            return quick.FUNCTIONS[op](c, *args)
        if op in c.library:
            return c.call(f"betapod_{op}", args, "v")
        return mathlib.FUNCTIONS[op](c, *args)


def write_library(code: Code, blocks: Sequence[Block], quick_blocks: Sequence[Block] = ()) -> None:
    """Write the elementary functions that blocks call; `quick_blocks` are those that call the functions of `quick`."""
    uses, quick_uses = _uses(blocks), _uses(quick_blocks)
    # What `quick` does not have, and powers of unusual bases, are left to `mathlib`.
    for op in set(quick_uses) & (set(quick_uses) - set(quick.FUNCTIONS) | {"pow"}):
        uses[op] = uses.get(op, 0) + quick_uses[op]
    code.library = _called(uses, mathlib.LONG, mathlib.SHORT)
    of_quick = _called(quick_uses, set(quick.FUNCTIONS) - quick.SHORT, quick.SHORT)
    for prefix, names, functions in (("", code.library, mathlib.FUNCTIONS), ("quick_", of_quick, quick.FUNCTIONS)):
        for op in sorted(names):
            with code.function(f"betapod_{prefix}{op}", ["v"] * (2 if op in mathlib.BINARY else 1), "v") as args:
                code.give(functions[op](code, *args))
    code.library |= {f"quick_{op}" for op in of_quick}


def _called(uses: Mapping[str, int], long: Set[str], short: Set[str]) -> set[str]:
    """Return the functions to be called: long ones, and short ones where they are used more than seldom."""
    seldom = sum(uses.get(op, 0) for op in short) <= mathlib.SELDOM
    return set(uses) & (long if seldom else long | short)


def _uses(blocks: Sequence[Block]) -> dict[str, int]:
    """Return how often blocks use each operation."""
    uses: dict[str, int] = {}
    for block in blocks:
        for op, count in block.count().items():
            uses[op] = uses.get(op, 0) + count
    return uses


def write_blocks(code: Code, program: Program, quickly: bool = False) -> None:
    """Write every block of a program as a function; `quickly` rates and Jacobian take the functions of `quick`.

    The functions are ``constants(p, c)``, ``initial(p, y)``, ``rates(t, y, p, c, k)`` (adds to k),
    ``linear(t, y, p, c, k, m, g)`` (rates to k, Jacobian to m, slopes in time to g), ``output(t, y, p, c, o)``,
    ``triggers(t, y, p, c, o)`` and ``event0(t, y, p, c, o)``, ``event1`` ..., and, where anything is held, ``clocks``, ``states``,
    ``clock_same``, ``watch_same``, ``clock_quiet`` and ``watch_quiet``, alike; the last two read bounds instead of states.
    """
    of_steps = [program.rates, program.linear]
    blocks = [
        program.constants,
        program.initial,
        *(() if quickly else of_steps),
        program.output,
        program.triggers,
        *(block for event in program.events for block in (event.assignments, event.factors)),
        *(getattr(program.switches, name) for name in SWITCHES),
    ]
    write_library(code, blocks, of_steps if quickly else ())
    with code.function("constants", ["w", "w"]) as (p, o):
        _store(code, o, BlockWriter(code, None, None, p, None).write(program.constants))
    with code.function("initial", ["w", "w"]) as (p, o):
        _store(code, o, BlockWriter(code, None, None, p, None).write(program.initial))
    with code.function("rates", ["v", "w", "w", "w", "w"]) as (t, y, p, c, k):

        def add(i: int, rate: Value) -> None:
            code.store(k, i * STAGES, code.load(k, "v", i * STAGES) + rate)

        BlockWriter(code, t, y, p, c, quickly).give(program.rates, add)
        code.give()
    with code.function("linear", ["v", "w", "w", "w", "w", "w", "w"]) as (t, y, p, c, k, m, g):
        n, slots = len(program.states), program.factorisation.slots
        last = len(program.linear.results) - len(program.moving)
        slot_of = {n + index: slots[row, column] for row, column, kind, index in program.entries if kind == "linear"}

        def put(i: int, value: Value) -> None:
            # A slope may be infinite, as of a root at 0; the error of the step tells whether it can do without.
            if i >= n:
                value = code.select(code.absolute(value) < math.inf, value, 0.0)
            if i < n:
                code.store(k, i * STAGES, value)
            elif i < last:
                code.store(m, slot_of[i], value)
            else:
                code.store(g, i - last, value)

        BlockWriter(code, t, y, p, c, quickly).give(program.linear, put)
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
        with code.function(name, ["v", "w", "w", "w", "w"]) as (t, y, p, c, o):
            _store(code, o, BlockWriter(code, t, y, p, c).write(block))
    write_factor(code, program)
    write_solve(code, program)


def _store(code: Code, target: Value, values: Sequence[Value]) -> None:
    for i, value in enumerate(values):
        code.store(target, i, value)
    code.give()


def write_factor(code: Code, program: Program) -> None:
    """Write ``factor(d, c, m)``: ``J - d I = L U`` in place, with -1/pivot instead of each pivot and -L instead of L.

    For what is no state d is 1: such a row says that a quantity is what it is computed from.

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
    with code.function("factor", ["v", "w", "w"]) as (d, c, m):
        for row in right:
            values: dict[int, Value] = {}
            for column, kind, index in entries.get(row, ()):
                slot = plan.slots[row, column]
                values[column] = code.load(m, "v", slot) if kind == "linear" else code.load(c, "v", index)
            beside = d if row < len(program.states) else code.vector(1.0)
            values[row] = values[row] - beside if row in values else -beside
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


def write_solve(code: Code, program: Program) -> None:
    """Write ``solve(m, k)``: the solution of ``(d I - J) x = k`` in place of k, of which the states are written."""
    plan, states = program.factorisation, len(program.states)
    has_right_side = {*range(states), *program.moving}  # the right-hand side of the others is 0
    turn = {pivot: number for number, (pivot, _, _) in enumerate(plan.steps)}
    with code.function("solve", ["w", "w"]) as (m, k):
        x = {i: code.load(k, "v", i * STAGES) for i in range(plan.size) if i in has_right_side}
        for pivot, low, _ in plan.steps:
            for i in low if pivot in x else ():
                below = code.load(m, "v", plan.slots[i, pivot])
                x[i] = code.fma(below, x[pivot], x[i]) if i in x else below * x[pivot]
        for pivot, _, up in reversed(plan.steps):
            total = x.get(pivot)
            # Those known longest come first: a product waits for the last of them alone, not for the whole sum after it.
            for j in sorted(up, key=turn.__getitem__, reverse=True):
                beside = code.load(m, "v", plan.slots[pivot, j])
                total = beside * x[j] if total is None else code.fma(beside, x[j], total)
            assert total is not None
            x[pivot] = total * code.load(m, "v", plan.slots[pivot, pivot])
            if pivot < states:
                code.store(k, pivot * STAGES, x[pivot])
        code.give()
