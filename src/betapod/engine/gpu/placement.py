"""Where a card keeps the matrix and the stage values of a patient: in its main memory, or in the memory that a block of threads shares.

Shared memory answers twenty times as soon, but there is so little of it that fewer patients are computed at a time, and few threads hide
little of what they wait for. Which is faster is estimated from the operations, readings and writings of a step, counted in the program's text.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ...base.errors import ConfigError, Problem
from ..compiled.blocks import STAGES
from ..compiled.program import Program
from ..compiled.rosenbrock import A
from .grid_code import TILE, GridText, shareable, write_grid

#: Cycles until a result is there: of arithmetic, of shared and of main memory, as table 3 of PMC10448217 lists
#: them for the H100.
ARITHMETIC_CYCLES, SHARED_CYCLES, MAIN_CYCLES = 4, 20, 400
#: Readings of a thread that are under way at once, a choice.
AT_ONCE = 4
#: Groups of 32 threads that the registers of a processor of a card hold where each thread takes the most it can, 255.
MOST_GROUPS = 8
#: Bytes of shared memory that a card keeps for itself in each block.
RESERVED = 1024
#: How many times as fast shared memory has to be expected to be before it is chosen.
WORTH = 1.1

#: Operations of arithmetic that the error of a state takes.
_ERROR = 20

_FUNCTION = re.compile(r"^define internal .*?@(\w+)\(.*?\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MAIN = re.compile(r"^(?:.* = )?(?:load|store) .*addrspace\(1\)", re.MULTILINE)
_SHARED = re.compile(r"^(?:.* = )?(?:load|store) .*addrspace\(3\)", re.MULTILINE)
_ARITHMETIC = re.compile(r"= (?:fadd|fsub|fmul|fdiv|call <1 x double> @llvm)")
_CALL = re.compile(r"call <1 x double> @(betapod_\w+)\(")
#: How often a step calls what it consists of.
_CALLS = {"linear": 1, "factor": 1, "rates": STAGES - 1, "solve": STAGES}


@dataclass(frozen=True)
class StepWork:
    """What a step of one patient takes.

    Attributes
    ----------
    arithmetic
        Operations of arithmetic.
    main, shared
        Numbers read from or written to main memory, and shared memory.
    """

    arithmetic: int
    main: int
    shared: int

    @property
    def cycles(self) -> float:
        """How long a thread is at it, where nothing else is in its way."""
        waits = (MAIN_CYCLES * self.main + SHARED_CYCLES * self.shared) / AT_ONCE
        return ARITHMETIC_CYCLES * self.arithmetic + waits


def step_work(text: GridText, states: int) -> StepWork:
    """Return what a step takes, as counted in a program's text.

    Parameters
    ----------
    states
        Of the model.
    """
    bodies = dict(_FUNCTION.findall(text.text))
    counts: Counter[str] = Counter()
    for name, times in _CALLS.items():
        body = bodies[name]
        counts["arithmetic"] += times * len(_ARITHMETIC.findall(body))
        for function in _CALL.findall(body):
            counts["arithmetic"] += times * len(_ARITHMETIC.findall(bodies[function]))
        counts["main"] += times * len(_MAIN.findall(body))
        counts["shared"] += times * len(_SHARED.findall(body))
    sums = stage_sums(states)
    counts["arithmetic"] += sums.arithmetic
    counts["main"] += sums.main
    counts["shared" if text.shared else "main"] += sums.shared
    return StepWork(counts["arithmetic"], counts["main"], counts["shared"])


def stage_sums(states: int) -> StepWork:
    """Return what the sums of the stages take, with stage values in shared memory, and the error and the new states after them.

    Parameters
    ----------
    states
        Of the model.
    """
    stages = range(1, STAGES)
    # Of all stage values before, each stage makes its right-hand side and the argument of its rates.
    arithmetic = sum(stages) + sum(map(len, A)) + len(stages) + _ERROR
    return StepWork(states * arithmetic, states * (2 * len(stages) + 7), states * (sum(stages) + len(stages) + 1))


def groups_sharing(numbers: int, shared_memory: int) -> int:
    """Return how many groups of threads a processor of a card computes at once where each thread keeps numbers in shared memory.

    Parameters
    ----------
    numbers
        Of 8 bytes, of each thread.
    shared_memory
        Bytes that the blocks of a processor share.

    Examples
    --------
    >>> from betapod.engine.gpu.placement import groups_sharing
    >>> groups_sharing(431, 228 * 1024), groups_sharing(31, 228 * 1024)
    (2, 8)
    """
    return min(MOST_GROUPS, shared_memory // (8 * TILE * numbers + RESERVED))


def is_worth_sharing(main: StepWork, shared: StepWork, groups: int) -> bool:
    """Return whether shared memory is expected to be faster, with so many groups of threads at once.

    Parameters
    ----------
    main, shared
        What a step takes without and with it.
    groups
        See `groups_sharing`.
    """
    return groups / shared.cycles > WORTH * MOST_GROUPS / main.cycles


def placed_text(program: Program, quickly: bool, shared_memory: int, sharing: bool | None = None) -> GridText:
    """Return a program with matrix and stage values where they are expected to be faster, or where they are told to be.

    Parameters
    ----------
    quickly
        See `betapod.engine.gpu.grid_code.write_grid`.
    shared_memory
        Bytes that the blocks of a card's processor share.
    sharing
        Whether to keep them there; None: where that is expected to be faster.

    Raises
    ------
    ConfigError
        They are to be kept there, and not even those of one group of threads fit.
    """
    numbers = sum(shareable(program).values())
    groups = groups_sharing(numbers, shared_memory)
    if sharing and not groups:
        raise ConfigError(
            Problem(
                "too-large",
                f"matrix and stage values of {program.name} do not fit into the memory that threads of the card share",
                found=f"{8 * TILE * numbers + RESERVED:,} bytes for {TILE} threads",
                expected=f"at most {shared_memory:,} bytes",
                hint="Leave sharing at None: then they stay in the main memory of the card.",
            )
        )
    in_main = write_grid(program, quickly)
    if sharing is False or not groups:
        return in_main
    shared = write_grid(program, quickly, sharing=True)
    states = len(program.states)
    if sharing or is_worth_sharing(step_work(in_main, states), step_work(shared, states), groups):
        return shared
    return in_main
