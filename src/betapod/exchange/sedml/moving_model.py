"""A model on its way through the tasks of SED-ML: it keeps its state between simulations, and values can be set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ExchangeError, Location, Problem, SolverError
from ...engine.scipy.reference import simulate_by_reference
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import TIME, Expr, add, free_symbols, substitute, symbol
from ...model.assembly.model import Event, Implicit, Model, State
from ...model.parameters.table import Parameter, ParameterTable
from ..foreign.imported_model import ImportedModel

#: Name of the time at which a simulation begins; no quantity of SBML has it.
_BEGINS = "time at the start"
#: Lengths of the simulations by which a steady state is looked for, in the model's unit of time.
_SPANS = tuple(10.0**k for k in range(15))
#: Change over such a length, relative to the state (and, a thousandth of it, to the largest), that counts as none.
_CHANGE = 1e-9

Rows = dict[str, NDArray[np.float64]]


class MovingModel:
    """One model with its present values and states.

    Parameters
    ----------
    model
        The model, as it is read.
    shifted
        Whether it may be simulated from a time other than 0.
    """

    def __init__(self, model: ImportedModel, shifted: bool) -> None:
        self.shifted = shifted and _knows_time(model)
        if self.shifted and (model.delays or model.fast):
            message = "a model with delays or fast reactions is simulated from time 0 alone"
            raise ExchangeError(Problem("unsupported", message, Location(model.name)))
        self.origin, self.base = model, _shifted(model) if self.shifted else model
        self.reset()

    def reset(self) -> None:
        """Go back to the model's own values and its start."""
        self.values: dict[str, float] = {}
        self.states: dict[str, float] | None = None
        self.fired: dict[str, bool] | None = None
        self.time = 0.0

    def value(self, name: str) -> float:
        """Return the present value of a quantity; of ``t`` the time."""
        if name == "t":
            return self.time
        states = self._present_states()
        return float(self.base.evaluate([name], states, self._begun(self.values, self.time))[name])

    def set(self, name: str, value: float, location: Location) -> None:
        """Give a quantity another value.

        Raises
        ------
        ExchangeError
            An equation of the model gives it.
        """
        states = self._present_states()
        if name in self.base.parameters or name in self.base.inputs:
            self.states, self.values[name] = states, value
            return
        if name in self.base.state_names:
            self.states = {**states, name: value}
            return
        report = self.origin.report
        for identifier, held in report.concentrations.items():
            amount = report.amounts.get(identifier, "")
            if held == name and amount in self.base.state_names:
                now, held_now = self.value(amount), self.value(held)
                size = now / held_now if held_now else self._size(identifier)
                self.states = {**states, amount: value * size}
                return
        message = f"{name} cannot be set: an equation of the model gives it"
        raise ExchangeError(Problem("bad-target", message, location))

    def _size(self, species: str) -> float:
        """Return the size of a species' compartment, by what one unit of amount is as a concentration."""
        report = self.origin.report
        amount, held = report.amounts[species], report.concentrations[species]
        states = {**self._present_states(), amount: 1.0}
        begun = self._begun(self.values, self.time)
        return 1.0 / float(self.base.evaluate([held], states, begun)[held])

    def run(
        self,
        visits: NDArray[np.float64],
        begins: float,
        outputs: Sequence[str],
        method: str,
        rtol: float,
        atol: float | None,
    ) -> Rows:
        """Simulate from a time on, and stay where it ends.

        Parameters
        ----------
        visits
            Times of the rows; the last is the end.
        begins
            Time at which the simulation begins.

        Returns
        -------
        dict
            Values at the visits, by name; ``t`` are the times.
        """
        model = self._present_model(begins)
        relative = np.asarray(visits) - begins
        wanted = list(dict.fromkeys([*(name for name in outputs if name != "t"), *model.state_names]))
        initial = self.states or {}
        table = simulate_by_reference(model, relative, None, initial, method, rtol, atol, wanted).table
        rows = {name: table[name].to_numpy(dtype=float) for name in wanted}
        self.time = float(visits[-1])
        self.states = {name: float(rows[name][-1]) for name in model.state_names}
        self._remember(model, float(relative[-1]))
        return {**{name: rows[name] for name in outputs if name != "t"}, "t": np.asarray(visits, dtype=float)}

    def settle(self, outputs: Sequence[str], method: str) -> Rows:
        """Go on until nothing changes any more.

        Raises
        ------
        SolverError
            Something goes on to change.
        """
        names, quiet = self.base.state_names, 0
        before = np.array([self._present_states()[name] for name in names])
        time = self.time
        for span in _SPANS:
            self.run(np.array([self.time + span]), self.time, (), method, _CHANGE / 10.0, None)
            now = np.array([self._present_states()[name] for name in names])
            largest = float(np.max(np.abs(now), initial=0.0))
            still = np.all(np.abs(now - before) <= _CHANGE * np.abs(now) + 1e-3 * _CHANGE * largest)
            quiet, before = (quiet + 1 if bool(still) else 0), now
            if quiet == 2:
                self.time = time
                return {name: np.asarray(self.value(name)) for name in dict.fromkeys([*outputs, "t"])}
        message = f"there is no steady state: something still changes after {_SPANS[-1]:g} {self.base.time_unit}"
        raise SolverError(Problem("no-steady-state", message, Location(self.base.name)))

    # -- how the model stands ----------------------------------------------------------------------------------------

    def _begun(self, values: Mapping[str, float], begins: float) -> dict[str, float]:
        return {**values, _BEGINS: begins} if self.shifted else {**values, "t": begins}

    def _present_states(self) -> dict[str, float]:
        return dict(self.states) if self.states is not None else self.base.initial_values()

    def _present_model(self, begins: float) -> Model:
        values = {**self.values, **({_BEGINS: begins} if self.shifted else {})}
        model = self.base.with_values(values) if values else self.base
        if model is not self.base:
            # Derivatives of the rates are the same whatever the values are.
            vars(model)["jacobian"] = self.base.jacobian
        if self.fired is not None:
            events = tuple(replace(event, initial_value=self.fired[event.name]) for event in model.events)
            model = replace(model, events=events)
        return model

    def _remember(self, model: Model, time: float) -> None:
        """Keep which triggers hold, so that they fire again only after they have not."""
        if not model.events:
            return
        values = {"t": time, **model.values(), **self._present_states()}
        values |= dict.fromkeys((delayed.name for delayed in model.delays), 0.0)
        compute = compile_function([event.trigger for event in model.events], [list(values)])
        held = compute(list(values.values()))
        self.fired = {event.name: bool(now) for event, now in zip(model.events, held, strict=True)}


def _knows_time(model: Model) -> bool:
    """Return whether anything in a model depends on time itself."""
    roots = [state.rate for state in model.states] + [a.expr for a in model.assignments.values()]
    for event in model.events:
        roots += [event.trigger, *(value for _, value in event.assignments)]
        roots += [part for part in (event.delay, event.priority) if part is not None]
    return "t" in free_symbols(roots)


def _shifted(model: Model) -> Model:
    """Return a model whose time 0 is another time, which is one of its parameters."""
    later = {TIME: add(TIME, symbol(_BEGINS))}

    def shift(expr: Expr) -> Expr:
        return substitute([expr], later)[0]

    def shift_pairs(pairs: tuple[tuple[str, Expr], ...]) -> tuple[tuple[str, Expr], ...]:
        return tuple((name, shift(value)) for name, value in pairs)

    def shift_state(state: State) -> State:
        return replace(
            state, rate=shift(state.rate), initial=shift(state.initial), local_rate=shift(state.local_rate),
            local_initial=shift(state.local_initial),
        )  # fmt: skip

    def shift_event(event: Event) -> Event:
        return replace(
            event, trigger=shift(event.trigger), assignments=shift_pairs(event.assignments), factors=shift_pairs(event.factors),
            delay=None if event.delay is None else shift(event.delay),
            priority=None if event.priority is None else shift(event.priority),
        )  # fmt: skip

    assignments = {
        name: replace(a, expr=shift(a.expr), local=a.local if isinstance(a.local, Implicit) else shift(a.local))
        for name, a in model.assignments.items()
    }
    row = Parameter(_BEGINS, "time at which the simulation begins", 0.0, model.time_unit)
    return replace(
        model,
        states=tuple(shift_state(state) for state in model.states),
        assignments=assignments,
        events=tuple(shift_event(event) for event in model.events),
        parameters=ParameterTable((*model.parameters.values(), row)),
    )
