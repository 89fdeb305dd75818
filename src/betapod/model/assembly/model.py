"""The assembled model: states, assignments, events and parameters as one expression graph."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ...base.display import Displayed
from ...base.errors import ModelError, Problem, did_you_mean
from ..algebra.derivative import jacobian
from ..algebra.evaluate import compile_function
from ..algebra.expression import Expr, symbol, topological
from ..parameters.table import ParameterTable
from .delays import Delayed, FastReaction
from .model_parts import Assignment as Assignment
from .model_parts import Event as Event
from .model_parts import Implicit as Implicit
from .model_parts import State as State

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False, repr=False)
class Model(Displayed):
    """An assembled model. Its `states` come in a fixed order, `assignments` each after what they need.

    Attributes
    ----------
    parameters
        Rows used that belong to the person or to nature.
    inputs
        Rows used with the role ``input``: what a user or a protocol sets, possibly as functions of time.
    conversions
        Exact unit conversions used by name: value and unit.
    delays, fast
        What foreign models may have besides: quantities as they were some time ago, and reactions that take no time.

    Examples
    --------
    >>> import betapod
    >>> model = betapod.load_model("topp2000")
    >>> model.state_names
    ('glucose', 'insulin', 'beta_mass')
    >>> model.units["glucose"]
    'mg/dL'
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
    delays: tuple[Delayed, ...] = ()
    fast: tuple[FastReaction, ...] = ()

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

    @property
    def table(self) -> pd.DataFrame:
        """One row per quantity: name, kind (state, equation, parameter or input), label, unit, submodel."""
        import pandas as pd

        rows = [(s.name, "state", s.label, s.unit, s.owner) for s in self.states]
        rows += [(a.name, "equation", a.label, a.unit, a.owner) for a in self.assignments.values()]
        rows += [(row.id, "parameter", row.label, row.unit, "") for row in self.parameters.values()]
        rows += [(row.id, "input", row.label, row.unit, "") for row in self.inputs.values()]
        return pd.DataFrame(rows, columns=["name", "kind", "label", "unit", "submodel"])

    def values(self, table: ParameterTable | None = None) -> dict[str, float]:
        """Return the value of every parameter, input and conversion, from `table` where it has the name.

        Parameters
        ----------
        table
            Values that come before the model's own.

        Returns
        -------
        dict
            Name -> value, in the rows' units.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> set(model.values()) >= set(model.parameters)
        True
        """
        values = {name: value for name, (value, _) in self.conversions.items()}
        for rows in (self.parameters, self.inputs):
            for name, row in rows.items():
                values[name] = table[name].value if table is not None and name in table else row.value
        return values

    def with_values(self, values: Mapping[str, float | str], where: str = "") -> Model:
        """Return the model with other parameter or input values.

        Parameters
        ----------
        values
            Numbers in the row's own unit, or text with a unit such as ``"203 mg/dL"``.
        where
            What errors call the place of the values.

        Returns
        -------
        Model
            Another model; this one stays as it is.

        Raises
        ------
        ParameterError
            Unknown names, unreadable numbers, units that do not fit; all at once.

        Examples
        --------
        >>> import betapod
        >>> kidney = betapod.load_model("kidney").with_values({"G": "203 mg/dL"})
        >>> round(kidney.inputs["G"].value, 2)
        11.27
        >>> kidney.with_values({"G": "203 mg"})
        Traceback (most recent call last):
            ...
        betapod.base.errors.ParameterError: G = 203 mg: wrong-unit: ...
        """
        both = ParameterTable((*self.parameters.values(), *self.inputs.values())).with_values(values, where)
        return replace(self, parameters=both.select(self.parameters), inputs=both.select(self.inputs))

    def overlay(self, *tables: ParameterTable) -> Model:
        """Return the model with its parameters overridden by tables, in this order.

        Parameters
        ----------
        tables
            Rows of the model with other values, in any unit that fits.

        Returns
        -------
        Model
            Another model; this one stays as it is.

        Raises
        ------
        ParameterError
            A row that the model does not have, or a unit that does not fit; all at once.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> name = next(iter(model.parameters))
        >>> row = model.parameters[name]
        >>> table = betapod.ParameterTable([betapod.Parameter(name, row.label, 2 * row.value, row.unit)])
        >>> model.overlay(table).parameters[name].value == 2 * row.value
        True
        """
        both = ParameterTable((*self.parameters.values(), *self.inputs.values())).overlay(*tables)
        return replace(self, parameters=both.select(self.parameters), inputs=both.select(self.inputs))

    def expression(self, name: str) -> Expr:
        """Return what a name is, in terms of states, parameters, inputs and time.

        Parameters
        ----------
        name
            State, equation, parameter or input.

        Returns
        -------
        Expr
            A graph of operations; its leaves are symbols and numbers.

        Raises
        ------
        ModelError
            There is no such name; the nearest is named.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("topp2000")
        >>> model.expression("glucose").op
        'sym'
        """
        if name in self.assignments:
            return self.assignments[name].expr
        if name in self.names or name == "t" or name in self.conversions:
            return symbol(name)
        raise ModelError(
            Problem("unknown-name", f"{self.name} has no quantity {name!r}", hint=did_you_mean(name, self.names))
        )

    def initial_values(self) -> dict[str, float]:
        """Return the value of every state at time 0, in the states' units.

        Returns
        -------
        dict
            State -> value.

        Examples
        --------
        >>> import betapod
        >>> betapod.load_model("topp2000").initial_values()["glucose"]
        100.0
        """
        values = {"t": 0.0, **self.values()}
        compute = compile_function([state.initial for state in self.states], [list(values)])
        return dict(zip(self.state_names, compute(list(values.values())), strict=True))

    def evaluate(self, names: Iterable[str], *values: Mapping[str, ArrayLike]) -> dict[str, Any]:
        """Return quantities at one moment, without integrating.

        Parameters
        ----------
        names
            States, assignments, parameters or inputs.
        values
            What differs from the model: states (their initial values by default), parameters, inputs, the time ``t`` in the
            model's unit (0 by default); in the model's units, each a number or (n,) for n people. A later mapping wins.

        Returns
        -------
        dict
            Name -> number, or (n,) where any value was an array; in the model's units.

        Raises
        ------
        ModelError
            There is no such name, or `values` has one that nobody can set; the nearest is named.

        Examples
        --------
        >>> import betapod
        >>> model = betapod.load_model("kidney")
        >>> round(model.evaluate(["GFR"])["GFR"])
        105
        """
        wanted = list(names)
        all_values: dict[str, Any] = {"t": 0.0, **self.values()}
        settable = {*all_values, *self.state_names}
        for mapping in values:
            all_values |= mapping
        unknown = [name for name in all_values if name not in settable]
        if unknown:
            raise ModelError(
                [
                    Problem(
                        "unknown-name", f"{self.name} has no value {name!r} to set", hint=did_you_mean(name, settable)
                    )
                    for name in unknown
                ]
            )
        if any(state not in all_values for state in self.state_names):
            all_values = {**self.initial_values(), **all_values}
        array = any(getattr(value, "ndim", 0) for value in all_values.values())
        compute = compile_function([self.expression(name) for name in wanted], [list(all_values)], array=array)
        return dict(zip(wanted, compute(list(all_values.values())), strict=True))

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
        for delayed in self.delays:
            roots += [delayed.of, delayed.by]
            text.append(delayed.name)
        for reaction in self.fast:
            roots += [reaction.rate, *(e for _, e in reaction.changes)]
            text.append(repr([n for n, _ in reaction.changes]))
        number: dict[Expr, int] = {}
        for node in topological(roots):
            number[node] = len(number)
            value = "" if node.op == "solve" else repr(node.value)
            text.append(f"{node.op} {value} {[number[arg] for arg in node.args]}")
        text.append(repr([number[root] for root in roots]) + repr(sorted(self.conversions.items())))
        return hashlib.sha256("\n".join(text).encode()).hexdigest()
