"""The assembled model: states, assignments, events and parameters as one expression graph."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import NOWHERE, Location, ModelError, Problem, did_you_mean
from .derivative import jacobian
from .expression import Expr, free_symbols, newton, sub, substitute, symbol, topological
from .parameters import ParameterTable


@dataclass(frozen=True)
class Implicit:
    """A relation that is solved for its name by unrolled Newton steps: ``left = right``, from `start`."""

    left: Expr
    right: Expr
    start: Expr
    steps: int


@dataclass(frozen=True)
class Definition:
    """How one name is computed, in terms of other names, before linking."""

    name: str
    local: Expr | Implicit
    unit: str = ""
    label: str = ""
    owner: str = ""
    location: Location = NOWHERE


@dataclass(frozen=True)
class Assignment:
    """A quantity given by an equation.

    Attributes
    ----------
    local
        The equation as written, in terms of other names.
    expr
        The same in terms of states, parameters, inputs and time only.
    """

    name: str
    unit: str
    label: str
    local: Expr | Implicit
    expr: Expr
    owner: str = ""


@dataclass(frozen=True)
class State:
    """A quantity given by its rate per day.

    Attributes
    ----------
    local_rate, local_initial
        As written, in terms of other names; the rate already per day.
    rate
        In terms of states, parameters, inputs and time.
    initial
        In terms of parameters and inputs (and time, which is the start).
    """

    name: str
    unit: str
    label: str
    local_rate: Expr
    local_initial: Expr
    rate: Expr
    initial: Expr
    owner: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happens when a trigger turns from false to true.

    Attributes
    ----------
    trigger
        A truth value in terms of states, parameters, inputs and time; likewise `assignments`, `delay` and `priority`.
    terminal
        Whether the simulation of this patient ends.
    persistent, initial_value, from_trigger_time
        As in SBML: whether a delayed event happens although its trigger turned false again; whether the trigger counts as true
        before the start; whether assigned values are computed when the trigger fires or when the event happens.
    factors
        Changed states with what their new value is multiplied by, computed when the event happens, before its changes: a concentration
        assigned to a state that holds the amount is multiplied by the size that its compartment has until then (as in SBML).
    """

    name: str
    label: str
    trigger: Expr
    assignments: tuple[tuple[str, Expr], ...] = ()
    terminal: bool = False
    delay: Expr | None = None
    priority: Expr | None = None
    persistent: bool = True
    initial_value: bool = True
    from_trigger_time: bool = True
    factors: tuple[tuple[str, Expr], ...] = ()


@dataclass(frozen=True, eq=False)
class Model:
    """An assembled model. Its `states` come in a fixed order, `assignments` each after what they need.

    Attributes
    ----------
    parameters
        Rows used that belong to the person or to nature.
    inputs
        Rows used with the role ``input``: what a user or a protocol sets, possibly as functions of time.
    conversions
        Exact unit conversions used by name: value and unit.
    """

    name: str
    states: tuple[State, ...]
    assignments: Mapping[str, Assignment]
    events: tuple[Event, ...] = ()
    parameters: ParameterTable = field(default_factory=lambda: ParameterTable(()))
    inputs: ParameterTable = field(default_factory=lambda: ParameterTable(()))
    conversions: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    time_unit: str = "day"
    description: str = ""
    parts: tuple[object, ...] = ()

    @functools.cached_property
    def state_names(self) -> tuple[str, ...]:
        """Names of the states, in order."""
        return tuple(state.name for state in self.states)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Every name that has a value: states, assignments, parameters, inputs."""
        return (*self.state_names, *self.assignments, *self.parameters, *self.inputs)

    @functools.cached_property
    def jacobian(self) -> dict[tuple[int, int], Expr]:
        """Non-zero derivatives of the rates by the states, ``{(row, column): expression}``."""
        return jacobian([state.rate for state in self.states], [symbol(name) for name in self.state_names])

    @functools.cached_property
    def units(self) -> dict[str, str]:
        """Unit of every name."""
        units = {state.name: state.unit for state in self.states}
        units |= {name: assignment.unit for name, assignment in self.assignments.items()}
        units |= {name: row.unit for table in (self.parameters, self.inputs) for name, row in table.items()}
        return units

    @functools.cached_property
    def labels(self) -> dict[str, str]:
        """Label of every name."""
        labels = {state.name: state.label for state in self.states}
        labels |= {name: assignment.label for name, assignment in self.assignments.items()}
        labels |= {name: row.label for table in (self.parameters, self.inputs) for name, row in table.items()}
        return labels

    def values(self, table: ParameterTable | None = None) -> dict[str, float]:
        """Return the value of every parameter, input and conversion, from `table` where it has the name."""
        values = {name: value for name, (value, _) in self.conversions.items()}
        for own in (self.parameters, self.inputs):
            for name, row in own.items():
                values[name] = table[name].value if table is not None and name in table else row.value
        return values

    def with_values(self, values: Mapping[str, float | str], where: str = "--set") -> Model:
        """Return the model with other parameter or input values.

        Raises
        ------
        ParameterError
            Unknown names, unreadable numbers, units that do not fit; all at once.
        """
        from dataclasses import replace

        both = ParameterTable((*self.parameters.values(), *self.inputs.values())).with_values(values, where)
        return replace(self, parameters=both.select(self.parameters), inputs=both.select(self.inputs))

    def expression(self, name: str) -> Expr:
        """Return what a name is, in terms of states, parameters, inputs and time.

        Raises
        ------
        ModelError
            There is no such name; the nearest is named.
        """
        if name in self.assignments:
            return self.assignments[name].expr
        if name in self.names or name == "t" or name in self.conversions:
            return symbol(name)
        raise ModelError(
            Problem("unknown-name", f"{self.name} has no quantity {name!r}", hint=did_you_mean(name, self.names))
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """A hash of everything that is computed: the graph of rates, initial values, assignments and events, and their names."""
        roots = [e for s in self.states for e in (s.rate, s.initial)] + [a.expr for a in self.assignments.values()]
        text: list[str] = [*self.state_names, *self.assignments]
        for event in self.events:
            roots += [
                event.trigger,
                *(e for _, e in (*event.assignments, *event.factors)),
                *(e for e in (event.delay, event.priority) if e is not None),
            ]
            text.append(
                repr(
                    (
                        event.name,
                        event.terminal,
                        [n for n, _ in event.assignments],
                        event.persistent,
                        event.initial_value,
                        event.from_trigger_time,
                        [n for n, _ in event.factors],
                    )
                )
            )
        number: dict[Expr, int] = {}
        for node in topological(roots):
            number[node] = len(number)
            value = "" if node.op == "solve" else repr(node.value)
            text.append(f"{node.op} {value} {[number[arg] for arg in node.args]}")
        text.append(repr([number[root] for root in roots]) + repr(sorted(self.conversions.items())))
        return hashlib.sha256("\n".join(text).encode()).hexdigest()


def link(
    name: str,
    assignments: Sequence[Definition],
    rates: Sequence[Definition],
    initials: Mapping[str, Expr],
    events: Sequence[Event] = (),
    parameters: ParameterTable | None = None,
    inputs: ParameterTable | None = None,
    conversions: Mapping[str, tuple[float, str]] | None = None,
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
    made = {
        key: Assignment(key, d.unit, d.label, d.local, linker.values[key], d.owner)
        for key, d in ((key, linker.definitions[key]) for key in linker.values)
    }
    return Model(
        name,
        tuple(made_states),
        made,
        tuple(_linked_event(event, linker) for event in events),
        parameters or ParameterTable(()),
        inputs or ParameterTable(()),
        dict(conversions or {}),
        **details,  # type: ignore[arg-type]
    )


def _linked_event(event: Event, linker: _Linker) -> Event:
    from dataclasses import replace

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
        known = {symbol(name): values[name] for name in free_symbols([expr]) if name in values}
        return substitute([expr], known)[0] if known else expr

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
    done: dict[str, Expr] = {}

    def settle(name: str, path: tuple[str, ...]) -> Expr:
        if name in done:
            return done[name]
        if name in path:
            chain = " -> ".join((*path[path.index(name) :], name))
            linker.problems.append(Problem("cycle", f"the initial value of {name!r} needs itself: {chain}"))
            return symbol(name)
        below = [n for n in free_symbols([inlined[name]]) if n in linker.states and n in inlined]
        known = {symbol(n): settle(n, (*path, name)) for n in below}
        done[name] = substitute([inlined[name]], known)[0]
        return done[name]

    for name in initials:
        settle(name, ())
    return done
