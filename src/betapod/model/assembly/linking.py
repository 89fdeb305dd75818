"""Link definitions: order by dependency, express all in states, parameters, inputs and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from ...base.errors import NOWHERE, Location, ModelError, Problem
from ..algebra.derivative import newton
from ..algebra.expression import Expr, free_symbols, sub, substitute, symbol
from ..parameters.table import ParameterTable
from .delays import Delayed, FastReaction
from .model import Assignment, Event, Implicit, Model, State


@dataclass(frozen=True)
class Definition:
    """How one name is computed, in terms of other names, before linking."""

    name: str
    local: Expr | Implicit
    unit: str = ""
    label: str = ""
    owner: str = ""
    location: Location = NOWHERE


def link(
    name: str,
    assignments: Sequence[Definition],
    rates: Sequence[Definition],
    initials: Mapping[str, Expr],
    events: Sequence[Event] = (),
    parameters: ParameterTable | None = None,
    inputs: ParameterTable | None = None,
    conversions: Mapping[str, tuple[float, str]] | None = None,
    delays: Sequence[Delayed] = (),
    fast: Sequence[FastReaction] = (),
    **details: object,
) -> Model:
    """Order the assignments and express everything in states, parameters, inputs and time.

    Parameters
    ----------
    rates
        One definition per state: its rate per day. A state's unit is the definition's unit.
    initials
        Initial value of each state, in terms of any names.

    Raises
    ------
    ModelError
        Assignments or initial values form a cycle.
    """
    states = {definition.name for definition in rates}
    linker = _Linker({definition.name: definition for definition in assignments}, states)
    linker.order_all()
    first = _initial_values(initials, linker)
    if linker.problems:
        raise ModelError(linker.problems)
    made_states = []
    for definition in rates:
        assert isinstance(definition.local, Expr)
        made_states.append(
            State(
                definition.name,
                definition.unit,
                definition.label,
                definition.local,
                initials[definition.name],
                linker.inline(definition.local),
                first[definition.name],
                definition.owner,
            )
        )
    model = {
        key: Assignment(key, d.unit, d.label, d.local, linker.values[key], d.owner)
        for key, d in ((key, linker.definitions[key]) for key in linker.values)
    }
    return Model(
        name,
        tuple(made_states),
        model,
        tuple(_linked_event(event, linker) for event in events),
        parameters or ParameterTable(()),
        inputs or ParameterTable(()),
        dict(conversions or {}),
        delays=tuple(replace(d, of=linker.inline(d.of), by=linker.inline(d.by)) for d in delays),
        fast=tuple(_linked_reaction(reaction, linker) for reaction in fast),
        **details,  # type: ignore[arg-type]
    )


def _linked_reaction(reaction: FastReaction, linker: _Linker) -> FastReaction:
    changes = tuple((state, linker.inline(change)) for state, change in reaction.changes)
    return replace(reaction, rate=linker.inline(reaction.rate), changes=changes)


def _linked_event(event: Event, linker: _Linker) -> Event:
    return replace(
        event,
        trigger=linker.inline(event.trigger),
        assignments=tuple((target, linker.inline(value)) for target, value in event.assignments),
        delay=None if event.delay is None else linker.inline(event.delay),
        priority=None if event.priority is None else linker.inline(event.priority),
        factors=tuple((target, linker.inline(value)) for target, value in event.factors),
    )


class _Linker:
    """Orders definitions by what they need and inlines them."""

    def __init__(self, definitions: Mapping[str, Definition], states: set[str]) -> None:
        self.definitions, self.states = definitions, states
        self.values: dict[str, Expr] = {}
        self.problems: list[Problem] = []
        self._needs: dict[str, list[str]] = {}

    def inline(self, expr: Expr, values: Mapping[str, Expr] | None = None) -> Expr:
        values = self.values if values is None else values
        values_by_symbol = {symbol(name): values[name] for name in free_symbols([expr]) if name in values}
        return substitute([expr], values_by_symbol)[0] if values_by_symbol else expr

    def needs(self, name: str) -> list[str]:
        """Return the assigned names that must be known before `name`."""
        if name not in self._needs:
            local = self.definitions[name].local
            if isinstance(local, Implicit):
                outside = self._loop(name, local)[1]
                self._needs[name] = [
                    n for n in dict.fromkeys((*free_symbols([local.start]), *outside)) if n in self.definitions
                ]
            else:
                self._needs[name] = [n for n in free_symbols([local]) if n in self.definitions]
        return self._needs[name]

    def _loop(self, name: str, local: Implicit) -> tuple[list[str], list[str]]:
        """Split what the residual needs into names that depend on the unknown (in order) and names that do not."""
        direct = [n for n in free_symbols([local.left, local.right]) if n in self.definitions]
        depends: dict[str, bool] = {name: True}
        order: list[str] = []
        outside: dict[str, None] = {}

        def visit(current: str, path: tuple[str, ...]) -> bool:
            if current in depends:
                return depends[current]
            if current in path:
                return False  # a cycle of its own, reported by the ordering
            definition = self.definitions[current].local
            roots = (
                [definition.left, definition.right, definition.start]
                if isinstance(definition, Implicit)
                else [definition]
            )
            below = [n for n in free_symbols(roots) if n in self.definitions and n != current]
            inside = [visit(n, (*path, current)) for n in below]
            depends[current] = any(inside)
            if depends[current]:
                order.append(current)
                outside.update(dict.fromkeys(n for n in below if not depends.get(n, False)))
            return depends[current]

        for n in direct:
            if n != name and not visit(n, (name,)):
                outside[n] = None
        return order, list(outside)

    def order_all(self) -> None:
        """Compute `values` in dependency order, reporting each cycle once."""
        state: dict[str, int] = {}
        for root in self.definitions:
            stack: list[tuple[str, bool]] = [(root, False)]
            path: list[str] = []
            while stack:
                name, leaving = stack.pop()
                if leaving:
                    path.pop()
                    state[name] = 2
                    self._define(name)
                    continue
                if state.get(name) == 2:
                    continue
                if state.get(name) == 1:
                    self._cycle(path[path.index(name) :])
                    continue
                state[name] = 1
                path.append(name)
                stack.append((name, True))
                stack.extend((n, False) for n in reversed(self.needs(name)) if state.get(n) != 2)

    def _cycle(self, names: list[str]) -> None:
        first = self.definitions[names[0]]
        chain = " -> ".join([*names, names[0]])
        places = "; ".join(f"{n} at {self.definitions[n].location}" for n in names)
        self.problems.append(
            Problem(
                "cycle",
                f"{names[0]!r} needs itself: {chain}",
                first.location,
                found=places,
                hint="Break the loop with a state that relaxes quickly, or with '... solves ...'.",
            )
        )

    def _define(self, name: str) -> None:
        definition = self.definitions[name]
        local = definition.local
        if isinstance(local, Expr):
            self.values[name] = self.inline(local)
            return
        unknown = symbol(f"?{name}")
        inside, _ = self._loop(name, local)
        values = {**self.values, name: unknown}
        for n in inside:
            inner = self.definitions[n].local
            if isinstance(inner, Implicit):
                self.problems.append(
                    Problem(
                        "nested-solve",
                        f"{name!r} is solved inside the relation of {n!r}",
                        definition.location,
                        hint="Solve one of them as a state.",
                    )
                )
                return
            values[n] = self.inline(inner, values)
        residual = self.inline(sub(local.left, local.right), values)
        try:
            self.values[name] = newton(unknown, residual, self.inline(local.start), local.steps)
        except ValueError:
            self.problems.append(
                Problem(
                    "not-solvable",
                    f"the relation of {name!r} does not contain {name!r}",
                    definition.location,
                    hint="Write it as an assignment.",
                )
            )


def _initial_values(initials: Mapping[str, Expr], linker: _Linker) -> dict[str, Expr]:
    """Express initial values in parameters and inputs, following references to other states' initial values."""
    inlined = {name: linker.inline(expr) for name, expr in initials.items()}
    below = {
        name: [n for n in free_symbols([expr]) if n in linker.states and n in inlined] for name, expr in inlined.items()
    }
    done: dict[str, Expr] = {}
    while True:
        try:
            order = tuple(TopologicalSorter(below).static_order())
            break
        except CycleError as error:
            # Each needs the one before it; the first and the last are the same.
            loop = error.args[1][::-1]
            chain = " -> ".join(loop)
            linker.problems.append(Problem("cycle", f"the initial value of {loop[0]!r} needs itself: {chain}"))
            below[loop[0]] = []
            inlined[loop[0]] = symbol(loop[0])
    for name in order:
        done[name] = substitute([inlined[name]], {symbol(n): done[n] for n in below[name]})[0]
    return {name: done[name] for name in initials}
