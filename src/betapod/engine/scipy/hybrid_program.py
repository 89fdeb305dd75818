"""The compiled parts of a model with events and switches: rates with their switches held, what is watched, fast reactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.algebra.derivative import gradient, jacobian
from ...model.algebra.evaluate import compile_function, split_constants
from ...model.algebra.expression import TIME, ZERO, Expr, binary, free_symbols, is_const, sub, symbol, topological
from ...model.algebra.operations import COMPARISONS, LOGIC, NOT_SMOOTH
from ...model.assembly.model import Model
from ..enclosures import is_truth
from ..switches import Switches, depends, find_switches, freeze, gates, small
from .clocks import Clock, StraightWatch, Watch

Array = NDArray[np.float64]


#: Operations that plain numbers and arrays compute alike to the last bit.
_ROUNDED_ONCE = (
    frozenset({"const", "sym", "add", "sub", "mul", "div", "neg", "abs", "sqrt", "select"}) | COMPARISONS | LOGIC
)


def needs_hybrid(model: Model) -> bool:
    """Return whether anything in the model jumps or has a kink, stands still and need not be a number, or needs its past."""
    still = not model.states or any(is_const(state.rate, 0.0) for state in model.states)
    rates = [state.rate for state in model.states]
    return (
        still
        or bool(model.events or model.delays or model.fast)
        or any(node.op in NOT_SMOOTH for node in topological(rates))
        or bool(gates(rates, [*model.state_names, *model.inputs]))
    )


class HybridProgram:
    """One model, compiled for integration between switches.

    Parameters
    ----------
    values
        Value of every parameter and conversion.

    Attributes
    ----------
    moving, still
        Numbers of the states that move by themselves, and of those that only events change.
    names
        Groups of names that most functions take: time, states, inputs and delayed quantities, constants.
    conditions
        Expressions of the switches; the first ones depend on time alone and belong to `clock`.
    looks, watched
        What searches steps for changes of conditions and triggers of states, and which of the conditions and triggers these are.
    look
        The values of conditions and triggers at several moments.
    straight
        Whether the rates stand still between switches.
    straight_watch
        Tells when conditions and triggers change, where states move along straight lines and these are comparisons of them.
    past_in_rates
        Which delayed quantities the rates need.
    evaluations
        How often the rates were computed.
    """

    def __init__(self, model: Model, values: Mapping[str, float]) -> None:
        self.evaluations = 0
        self.inputs = list(model.inputs)
        self.past = [delayed.name for delayed in model.delays]
        reacting = {name for reaction in model.fast for name, _ in reaction.changes}
        going = [not is_const(s.rate, 0.0) or s.name in reacting for s in model.states]
        self.moving = np.flatnonzero(going)
        self.still = [k for k, goes in enumerate(going) if not goes]
        self.constants, self.values = list(values), list(values.values())
        self.names = [["t"], model.state_names, [*self.inputs, *self.past], self.constants]
        # A trigger may be any number; what is watched is whether it is true.
        triggers = [e.trigger if is_truth(e.trigger) else binary("ne", e.trigger, ZERO) for e in model.events]
        states = [model.state_names[k] for k in self.moving]
        rates = [model.states[k].rate for k in self.moving]
        reactions = [reaction.rate for reaction in model.fast]
        changes = {
            (states.index(name), k): change
            for k, reaction in enumerate(model.fast)
            for name, change in reaction.changes
        }
        roots = [*rates, *reactions, *changes.values()]
        switching = find_switches(roots, triggers, [*states, *self.past], self.inputs)
        self._watch(switching, triggers, states, [model.state_names[k] for k in self.still], values)
        watched = [*self.conditions, *triggers]
        self.look = compile_function(watched, self.names, array=True)
        self._compile_look_once(watched)
        self._compile(switching, states, len(reactions), list(changes))
        still = [model.state_names[k] for k in self.still]
        self.straight_watch = self._straight_watch(watched, states, still, values) if self.straight else None

    def _watch(
        self,
        switching: Switches,
        triggers: Sequence[Expr],
        states: Sequence[str],
        still: Sequence[str],
        values: Mapping[str, float],
    ) -> None:
        self.clock = Clock(switching.clocks, self.inputs, still, values)
        self.conditions = [*switching.clocks, *switching.states]
        moved = [k for k, trigger in enumerate(triggers) if set(states).intersection(free_symbols([trigger]))]
        events = moved if switching.states or small(triggers) else []
        clocks, count = len(switching.clocks), len(self.conditions)
        candidates = {clocks + k: condition for k, condition in enumerate(switching.states)}
        candidates |= {count + k: triggers[k] for k in events}
        # What depends on the past has no bounds along a step; it is looked at now and then.
        past = set(self.past)
        bounded = {k: node for k, node in candidates.items() if not past or not past.intersection(free_symbols([node]))}
        self.watched = list(bounded)
        self.looks = Watch(list(bounded.values()), states, self.inputs, still, values)

    def _compile_look_once(self, watched: Sequence[Expr]) -> None:
        """Compile what conditions and triggers are at one moment.

        There plain numbers are quicker, and the same to the bit where every operation is rounded once.
        """
        plain = [all(node.op in _ROUNDED_ONCE for node in topological([condition])) for condition in watched]
        self._plain = [k for k, is_plain in enumerate(plain) if is_plain]
        self._others = [k for k, is_plain in enumerate(plain) if not is_plain]
        self._look_plain = compile_function([watched[k] for k in self._plain], self.names)
        self._look_others = compile_function([watched[k] for k in self._others], self.names, array=True)

    def look_once(self, time: float, state: Array, inputs: list[Any]) -> Array:
        """Return the values of conditions and triggers at one moment, from inputs and delayed quantities."""
        if not self._others:
            return np.array(self._look_plain([time], state.tolist(), inputs, self.values), dtype=float)
        values = np.empty(len(self._plain) + len(self._others))
        values[self._plain] = self._look_plain([time], state.tolist(), inputs, self.values)
        with np.errstate(all="ignore"):
            values[self._others] = self._look_others([np.float64(time)], state, inputs, self.values)
        return values

    def _straight_watch(
        self, watched: Sequence[Expr], states: Sequence[str], still: Sequence[str], values: Mapping[str, float]
    ) -> StraightWatch | None:
        """Return what tells when conditions and triggers change, where states move along straight lines; None where it cannot be told."""
        frozen = freeze(watched, [*states, "t"])
        moves = depends(topological(frozen.conditions), states)
        conditions = [condition for condition in frozen.conditions if moves[condition]]
        if self.past or any(condition.op not in ("lt", "le", "gt", "ge") for condition in conditions):
            return None
        # Frozen together, so that equal conditions have equal names.
        gaps = freeze([*watched, *(sub(*condition.args) for condition in conditions)], [*states, "t"])
        parts = gaps.roots[len(watched) :]
        slopes = [slope for part in parts for slope in gradient(part, [TIME, *map(symbol, states)]).values()]
        if {"t", *states}.intersection(free_symbols(slopes)) or set(self.inputs).intersection(free_symbols(parts)):
            return None
        held = dict(zip(gaps.names, gaps.conditions, strict=True))
        return StraightWatch(conditions, parts, held, states, still, values)

    def _compile(
        self, switching: Switches, states: Sequence[str], reactions: int, changes: list[tuple[int, int]]
    ) -> None:
        n, roots = len(states), switching.rates
        symbols = [symbol(name) for name in states]
        slopes = jacobian(roots[:n], symbols)
        fast_slopes = jacobian(roots[n : n + reactions], symbols)
        setup, held, parts = split_constants([*roots, *slopes.values(), *fast_slopes.values()], self.constants)
        self.prepared: list[Any] = compile_function(setup, [self.constants])(self.values) if setup else []
        groups = [*self.names[:3], held, [*switching.clock_names, *switching.state_names]]
        first = len(roots)
        self.rates = compile_function(parts[:n], groups)
        self.slopes = compile_function(parts[first : first + len(slopes)], groups)
        self.entries = _places(slopes)
        used = set(free_symbols(roots))
        self.straight = not reactions and not used.intersection(["t", *states, *self.inputs, *self.past])
        self.past_in_rates = [k for k, name in enumerate(self.past) if name in used]
        self.reactions = reactions
        self._fast = compile_function([*parts[n:first], *parts[first + len(slopes) :]], groups)
        self._changes = _places(dict.fromkeys(changes))
        self._fast_slopes = _places(fast_slopes)

    def fast_parts(self, *arguments: Any) -> tuple[Array, Array, Array]:
        """Return rates of the fast reactions, what each adds to each moving state, and the slopes of the rates by those states."""
        values = np.array(self._fast(*arguments), dtype=float)
        m, n, q = self.reactions, len(self.moving), len(self._changes[0])
        changes, slopes = np.zeros((n, m)), np.zeros((m, n))
        changes[self._changes] = values[m : m + q]
        slopes[self._fast_slopes] = values[m + q :]
        return values[:m], changes, slopes


def _places(entries: Mapping[tuple[int, int], Any]) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return rows and columns of the entries of a matrix."""
    return np.array([i for i, _ in entries], dtype=int), np.array([j for _, j in entries], dtype=int)
