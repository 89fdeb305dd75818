"""A model as a flat program: straight-line blocks of operations, which the ensemble engine writes as machine code."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from .factorise import Factorisation


@dataclass(frozen=True)
class Instruction:
    """One operation of a block.

    Attributes
    ----------
    op
        An operation of `betapod.model.algebra.expression`, or ``state``, ``parameter``, ``constant``: read the value numbered `value`,
        ``time``, or ``const``: the number `value`.
    args
        Positions of earlier instructions.
    """

    op: str
    args: tuple[int, ...] = ()
    value: float | int | None = None


@dataclass(frozen=True)
class Block:
    """Instructions in order, and the positions of the results."""

    instructions: tuple[Instruction, ...]
    results: tuple[int, ...]

    def count(self) -> dict[str, int]:
        """Return how often each operation occurs."""
        counts: dict[str, int] = {}
        for instruction in self.instructions:
            counts[instruction.op] = counts.get(instruction.op, 0) + 1
        return counts


#: Rough cost of operations in processor cycles: until the result is there, and before the next can begin. Others: 4 and 0.5.
_COST = {
    "exp": (55, 16),
    "log": (60, 20),
    "softplus": (120, 36),
    "logistic": (90, 24),
    "tanh": (110, 28),
    "pow": (220, 70),
    "cbrt": (150, 60),
    "wright_omega": (350, 130),
    "sin": (80, 25),
    "cos": (80, 25),
    "div": (24, 16),
    "sqrt": (28, 18),
}
_READS = frozenset({"const", "state", "parameter", "constant", "time"})


def waits(block: Block) -> float:
    """Return how long the longest chain of operations of a block takes, relative to all its operations one after another.

    Where this is near 1, a processor waits for results most of the time, unless it works on more patients at once.
    """
    ready: list[float] = []
    work = 0.0
    for instruction in block.instructions:
        latency, throughput = (0, 0.0) if instruction.op in _READS else _COST.get(instruction.op, (4, 0.5))
        ready.append(max((ready[arg] for arg in instruction.args), default=0.0) + latency)
        work += throughput
    return max(ready, default=0.0) / max(work, 1.0)


def mixed(block: Block) -> list[int]:
    """Return the instructions of a block in an order in which none waits long: each time the first one whose arguments are there.

    The time is counted as on a processor that begins one operation after another and has each result some cycles later. What is
    only read comes just before its first use.
    """
    cost = [(0, 0.0) if i.op in _READS else _COST.get(i.op, (4, 0.5)) for i in block.instructions]
    users: list[list[int]] = [[] for _ in cost]
    missing = [0] * len(cost)
    for number, instruction in enumerate(block.instructions):
        needed = {arg for arg in instruction.args if block.instructions[arg].op not in _READS}
        missing[number] = len(needed)
        for arg in needed:
            users[arg].append(number)
    order: dict[int, None] = {}
    waiting = [(0.0, number) for number, instruction in enumerate(block.instructions) if instruction.op not in _READS]
    waiting = [(time, number) for time, number in waiting if not missing[number]]
    ready: list[int] = []
    there = [0.0] * len(cost)
    now = 0.0
    while waiting or ready:
        if not ready:
            now = max(now, waiting[0][0])
        while waiting and waiting[0][0] <= now:
            heapq.heappush(ready, heapq.heappop(waiting)[1])
        number = heapq.heappop(ready)
        order.update(dict.fromkeys([*block.instructions[number].args, number]))
        latency, throughput = cost[number]
        for user in users[number]:
            there[user] = max(there[user], now + latency)
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(waiting, (there[user], user))
        now += throughput
    return list(dict.fromkeys([*order, *block.results]))


@dataclass(frozen=True)
class EventProgram:
    """One event: the states it sets (`targets`) and how (`assignments`), then those it multiplies (`scaled`) and by what.

    `initially`, `persistent`, `from_trigger_time`, `delay` and `priority` are as in `betapod.model.assembly.model.Event`.
    """

    name: str
    terminal: bool
    initially: bool
    targets: tuple[int, ...]
    assignments: Block
    scaled: tuple[int, ...]
    factors: Block
    persistent: bool = True
    from_trigger_time: bool = True
    delay: Block | None = None
    priority: Block | None = None


#: Blocks about what is held between switches.
SWITCHES = ("clocks", "clock_same", "clock_quiet", "clock_turning", "states", "watch_same", "watch_quiet")


@dataclass(frozen=True)
class SwitchProgram:
    """Where rates and triggers jump, and how no jump is stepped over.

    Every condition is held still while the integration goes on: a parameter of its own has its value. Bounds are read from an
    array: the two ends of a stretch of time, then the smallest and the largest value of each state that is looked at.

    Attributes
    ----------
    held
        Position among the parameters of the first condition; those of time come first, then those of states, then the triggers
        that are watched.
    clocks, states
        Values of the conditions that change with time alone, and of those that depend on states.
    clock_same, watch_same
        One truth value: whether, at a time and state, every condition of time (of states; and watched trigger) is as held.
    clock_quiet, watch_quiet
        One truth value: whether it surely stays so between bounds.
    clock_turning
        One truth value: whether between bounds every condition of time surely changes once at most.
    watched
        States that conditions and watched triggers need, in the order of their bounds.
    still
        States that only events change and conditions of time need; their values stand behind the bounds.
    triggers
        Events whose triggers are watched so. The others, which need much computing, are looked at after every step.
    looks
        Whether there are others.
    """

    held: int
    clocks: Block
    clock_same: Block
    clock_quiet: Block
    clock_turning: Block
    states: Block
    watch_same: Block
    watch_quiet: Block
    watched: tuple[int, ...]
    still: tuple[int, ...]
    triggers: tuple[int, ...]
    looks: bool

    @property
    def any(self) -> bool:
        """Whether anything is held."""
        return bool(self.clocks.results or self.states.results or self.triggers)

    @property
    def watches(self) -> bool:
        """Whether steps are searched for changes that depend on states."""
        return bool(self.states.results or self.triggers)


@dataclass(frozen=True)
class Program:
    """A model in the form that is written as machine code.

    Attributes
    ----------
    parameters
        Order of the values given for each patient: parameters, inputs, then for each input that changes linearly its slope, then
        the time at which the segment starts, then the conditions that are held.
    ramps
        Inputs that may change linearly.
    constants
        Values that depend on `parameters` alone.
    initial
        States at the start.
    rates
        Rates of the states.
    linear
        Rates, then the entries of the Jacobian that are not constant, then the derivatives by time that are not zero.
    entries
        For each entry of the Jacobian its row and column and where its value is: the number of a result of `linear`, or of a
        patient constant. Rows and columns are the states, then quantities through which many states act on many rates: the
        Jacobian has fewer entries where they stay unknowns of their own (see `betapod.engine.compiled.accumulate`).
    moving
        Rows (states whose rate depends on time explicitly, and such quantities that do), in the order of the last results of
        `linear`.
    triggers
        For each event its truth value, then for each event a number that is positive where it is true.
    switches
        Where rates and triggers jump.
    """

    name: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    ramps: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Block
    initial: Block
    rates: Block
    linear: Block
    entries: tuple[tuple[int, int, str, int], ...]
    moving: tuple[int, ...]
    output: Block
    output_states: tuple[int, ...]
    events: tuple[EventProgram, ...]
    triggers: Block
    trigger_states: tuple[int, ...]
    switches: SwitchProgram
    factorisation: Factorisation = field(repr=False)

    @property
    def unknowns(self) -> int:
        """How many unknowns the linear systems have: the states, and what stays beside them."""
        return self.factorisation.size

    @property
    def delayed(self) -> tuple[int, ...]:
        """Numbers of the events that happen some time after their trigger."""
        return tuple(k for k, event in enumerate(self.events) if event.delay is not None)

    @property
    def waiting(self) -> tuple[int, ...]:
        """Numbers of the events with places to wait in: those with a delay, and with priorities all.

        An event that another overtakes can turn true again before it has happened.
        """
        return tuple(range(len(self.events))) if self.ranked else self.delayed

    @property
    def ranked(self) -> bool:
        """Whether events have priorities."""
        return any(event.priority is not None for event in self.events)


def clock_parameters(program: Program) -> frozenset[int] | None:
    """Return the parameters that conditions of time depend on, by themselves or through a patient's constants.

    None where the conditions also depend on what happens on the way (states that events set, inputs that change linearly), or where
    there are none.
    """
    switches, ramped = program.switches, len(program.ramps)
    if not switches.clocks.results or switches.still:
        return None
    needed: set[int] = set()
    for block in (switches.clocks, switches.clock_same, switches.clock_quiet, switches.clock_turning):
        needed |= _parameters(block, range(len(block.instructions)))
        constants = {int(i.value) for i in block.instructions if i.op == "constant" and i.value is not None}
        needed |= _parameters(program.constants, _below(program.constants, constants))
    # Conditions that are held stand last; those of time are told by the time from which a search begins.
    needed -= set(range(switches.held, switches.held + len(switches.clocks.results)))
    moving = range(switches.held - (ramped + 1 if ramped else 0), len(program.parameters))
    moving_inputs = {program.parameters.index(name) for name in program.ramps}
    return None if needed & {*moving, *moving_inputs} else frozenset(needed)


def _parameters(block: Block, among: Iterable[int]) -> set[int]:
    instructions = (block.instructions[i] for i in among)
    return {int(i.value) for i in instructions if i.op == "parameter" and i.value is not None}


def _below(block: Block, results: Iterable[int]) -> set[int]:
    """Return the instructions from which some results of a block are computed."""
    inside: set[int] = set()
    left = [block.results[number] for number in results]
    while left:
        i = left.pop()
        if i not in inside:
            inside.add(i)
            left.extend(block.instructions[i].args)
    return inside
