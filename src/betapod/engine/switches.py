"""Hold jumps and kinks still while integrating: between two switches the rates are smooth, whatever the solver tries."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..model.algebra.derivative import gradient
from ..model.algebra.expression import (
    TIME,
    ZERO,
    Expr,
    add,
    binary,
    const,
    div,
    free_symbols,
    mul,
    neg,
    rebuild,
    select,
    solved,
    sub,
    symbol,
    topological,
    unary,
)
from ..model.algebra.operations import COMPARISONS


@dataclass(frozen=True)
class Frozen:
    """Expressions with their switches taken out.

    Attributes
    ----------
    roots
        The expressions, in which every switch is a name.
    names, conditions
        That name, and the expression (in the original terms) whose value it stands for while it does not change.
    """

    roots: list[Expr]
    names: list[str]
    conditions: list[Expr]


def depends(order: Sequence[Expr], moving: Iterable[str]) -> dict[Expr, bool]:
    """Return which nodes change when a moving name does."""
    names = frozenset(moving)
    dependent: dict[Expr, bool] = {}
    for node in order:
        dependent[node] = node.value in names if node.op == "sym" else any(dependent[arg] for arg in node.args)
    return dependent


def freeze(roots: Sequence[Expr], moving: Iterable[str]) -> Frozen:
    """Replace every comparison and every rounding that depends on moving names by a name of its own.

    Minimum, maximum, absolute value and remainder become selections and roundings first, so that they are smooth between switches.
    """
    order = topological(roots)
    moves = depends(order, moving)
    done: dict[Expr, Expr] = {}
    names: dict[Expr, str] = {}

    def switch(condition: Expr) -> Expr:
        return symbol(names.setdefault(condition, f"?s{len(names)}"))

    for node in order:
        args = tuple(done[arg] for arg in node.args)
        if not moves[node]:
            done[node] = node
        elif node.op in COMPARISONS or node.op in ("floor", "ceil"):
            done[node] = switch(node)
        elif node.op in ("min", "max"):
            keep = binary("le" if node.op == "min" else "ge", *node.args)
            done[node] = select(switch(keep), *args)
        elif node.op == "abs":
            done[node] = select(switch(binary("ge", node.args[0], ZERO)), args[0], neg(args[0]))
        elif node.op == "mod":
            # The whole number of divisors that the remainder itself left out: the rounded quotient can be one off.
            quotient = unary("floor", add(div(sub(node.args[0], node), node.args[1]), const(0.5)))
            done[node] = sub(args[0], mul(args[1], switch(quotient)))
        elif node.op == "solve":
            done[node] = solved(args[0], *node.value)
        else:
            done[node] = rebuild(node, args)
    return Frozen([done[root] for root in roots], list(names.values()), list(names))


#: Functions that are no number outside their domain.
_PARTIAL = frozenset({"sqrt", "log", "pow", "asin", "acos", "acosh", "atanh"})
#: Triggers of more operations than this together are looked at now and then, not searched for along each step.
WATCHED = 150


def small(triggers: Sequence[Expr]) -> bool:
    """Return whether triggers need so little computing that every step is searched for their changes."""
    return sum(node.op not in ("const", "sym") for node in topological(triggers)) <= WATCHED


@dataclass(frozen=True)
class Switches:
    """The conditions of rates and triggers, apart: those of time alone, which can be told ahead, and those of states.

    Attributes
    ----------
    rates
        The rates, in which every condition is a name that stands still between switches.
    clocks, clock_names
        Conditions that change with time alone, of rates and of triggers, and the name of each.
    states, state_names
        Conditions of the rates that depend on states.
    """

    rates: list[Expr]
    clocks: list[Expr]
    clock_names: list[str]
    states: list[Expr]
    state_names: list[str]


def _guarded(held: Expr, rate: Expr) -> Expr:
    """Return a rate with its switches held, but as it is where that is no number.

    A step that goes a little beyond a switch finds the held branch outside its domain: the root of a level just below 0, say.
    """
    if held is rate or not any(node.op in _PARTIAL for node in topological([held])):
        return held
    return select(binary("lt", unary("abs", held), const(math.inf)), held, rate)


#: Functions that go from one course to another where their argument is 0; for `exp`, as part of 1/(1 + exp(x)).
_BENDS = frozenset({"logistic", "tanh", "softplus", "exp"})


def gates(rates: Sequence[Expr], others: Iterable[str], triggers: Sequence[Expr] = ()) -> list[Expr]:
    """Return conditions that change where time alone opens or closes something smoothly, such as a dose written as two sigmoids.

    Such a pulse jumps nowhere, yet steps that have grown long would pass it unseen. So the integration stops where a sigmoid of time
    is at its middle, and where what an exponential is taken of turns back, as in a bell curve (which has no middle beside its top, unless
    something constant is added to it, as in 1/(1 + exp(x))). It stops too where a trigger says that time equals something.

    Parameters
    ----------
    others
        Names besides time that move: what depends on them is seen by the steps, or told by the schedule.
    """
    instants = [node for node in topological(triggers) if node.op in ("eq", "ne")]
    order = topological(rates)
    timed, moved = depends(order, ["t"]), depends(order, others)
    conditions: dict[Expr, None] = {}
    added = _added_to_constants([node for node in order if timed[node] and not moved[node]], timed)
    for node in order:
        if not node.args or not timed[node.args[0]] or moved[node.args[0]]:
            continue
        inner = node.args[0]
        turns = ZERO
        if node.op == "exp":
            slope = gradient(inner, [TIME]).get(TIME, ZERO)
            turns = slope if "t" in free_symbols([slope]) else ZERO
        if node.op in _BENDS and (turns is ZERO or node in added):
            conditions[binary("ge", inner, ZERO)] = None
        if turns is not ZERO:
            conditions[binary("ge", turns, ZERO)] = None
    order = topological(instants)
    timed, moved = depends(order, ["t"]), depends(order, others)
    for node in instants:
        if timed[node] and not moved[node]:
            conditions[binary("ge", *node.args)] = None
    return list(conditions)


def _added_to_constants(order: Sequence[Expr], timed: Mapping[Expr, bool]) -> set[Expr]:
    """Return which of the expressions of time alone are terms or factors of something that is added to something constant."""
    inside: set[Expr] = set()
    for node in reversed(order):
        if node.op in ("add", "sub") and not all(timed[arg] for arg in node.args):
            inside.add(node)
        if node in inside and node.op in ("add", "sub", "mul", "div", "neg"):
            inside.update(node.args)
    return inside


def find_switches(
    rates: Sequence[Expr],
    triggers: Sequence[Expr],
    states: Iterable[str],
    inputs: Iterable[str] = (),
    aliases: Iterable[str] = (),
) -> Switches:
    """Take the switches out of rates, and find what in rates and triggers changes with time alone.

    Parameters
    ----------
    states
        What the integration moves.
    inputs
        What moves with time as is known ahead.
    aliases
        Further names by which such moves are written.
    """
    names = list(states)
    frozen = freeze([*rates, *triggers, *gates(rates, [*names, *inputs, *aliases], triggers)], [*names, *inputs, "t"])
    used = set(free_symbols(frozen.roots[: len(rates)]))
    held = [_guarded(root, rate) for root, rate in zip(frozen.roots, rates, strict=False)]
    moves = depends(topological(frozen.conditions), names)
    pairs = list(zip(frozen.conditions, frozen.names, strict=True))
    clocks = [(condition, name) for condition, name in pairs if not moves[condition]]
    # A condition inside another one of the rates moves it, but the outer one is looked at by itself.
    others = [(condition, name) for condition, name in pairs if moves[condition] and name in used]
    return Switches(
        held,
        [condition for condition, _ in clocks],
        [name for _, name in clocks],
        [condition for condition, _ in others],
        [name for _, name in others],
    )
