"""Simulate the experiments of a problem of PEtab, period by period, with derivatives by its parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...base.errors import ConfigError, ExchangeError, Location, Problem, SolverError
from ...engine.compiled.workspace import ENDED
from ...engine.ensemble import Ensemble
from ...model.algebra.derivative import gradient
from ...model.algebra.evaluate import compile_function
from ...model.algebra.expression import TIME, Expr, free_symbols, symbol, topological
from .petab_problem import PetabPeriod, PetabProblem, petab_symbol
from .tangent_model import TangentModel, tangent_model

Numbers = NDArray[np.float64]
#: Tolerance of the integration.
RTOL = 1e-9
#: Steady states: spans that are looked at, and the change between two spans that counts as none.
_SPANS, _CHANGE = [10.0**k for k in range(13)], 1e-9


@dataclass(frozen=True)
class PetabValues:
    """Quantities at the measurements of a problem.

    Attributes
    ----------
    names
        Quantities of the model.
    values
        (measurements, names).
    slopes
        (directions, measurements, names): derivatives by the natural value of each parameter that was asked for.
    """

    names: tuple[str, ...]
    values: Numbers
    slopes: Numbers


@dataclass
class _Lane:
    """One experiment in one direction: the values that its parameters have now, and how they change along the direction."""

    experiment: str
    direction: str
    values: dict[str, float]
    along: dict[str, float]
    start: dict[str, float] = field(default_factory=dict)


class PetabRun:
    """Simulations of one problem.

    Raises
    ------
    ExchangeError
        Experiments that begin in a steady state, of a model whose rates change with time by themselves.
    """

    def __init__(self, problem: PetabProblem, threads: int | None = None) -> None:
        self.problem, self.threads = problem, threads
        self.names = _needed(problem)
        self.exact_slopes = not problem.model.events
        moved = [
            *problem.direct.values(),
            *(p for t in problem.targets.values() for p in (t.parameter, t.selector) if p),
        ]
        parameters = [
            name for name in dict.fromkeys(moved) if name in problem.model.parameters or name in problem.model.inputs
        ]
        self.tangent: TangentModel = tangent_model(problem.model, parameters, self.names)
        model = self.tangent.model
        self.slope_names = [self.tangent.slopes.get(name, "") for name in self.names]
        outputs = [*model.state_names, *self.names, *filter(None, self.slope_names)]
        self._slow = Ensemble(model, list(dict.fromkeys(outputs)), rtol=RTOL, threads=threads)
        plain = [*problem.model.state_names, *self.names]
        self._fast = Ensemble(problem.model, list(dict.fromkeys(plain)), rtol=RTOL, threads=threads)
        self._check_clock()

    def _check_clock(self) -> None:
        roots = [state.rate for state in self.problem.model.states]
        settled = [name for name, periods in self.problem.experiments.items() if periods[0].start == -math.inf]
        if settled and TIME in topological(roots):
            message = "rates of the model change with time by themselves, so it has no steady state to begin from"
            raise ExchangeError(Problem("unsupported", message, Location(self.problem.file), ", ".join(settled[:3])))

    def __call__(self, values: Mapping[str, float], directions: Sequence[str] = ()) -> PetabValues:
        """Return quantities at every measurement.

        Parameters
        ----------
        values
            Natural value of every parameter of the table.
        directions
            Parameters by which derivatives are wanted.

        Raises
        ------
        SolverError
            An experiment cannot be simulated at these values, or has no steady state.
        """
        count = len(self.problem.measurements)
        quantities = PetabValues(
            self.names, np.full((count, len(self.names)), np.nan), np.zeros((len(directions), count, len(self.names)))
        )
        lanes = [
            self._lane(name, direction, values)
            for name in self.problem.experiments
            for direction in (directions or [""])
        ]
        ensemble = self._slow if directions else self._fast
        for k in range(max(map(len, self.problem.experiments.values()))):
            here = [lane for lane in lanes if len(self.problem.experiments[lane.experiment]) > k]
            steady = [lane for lane in here if self._period(lane, k).start == -math.inf]
            timed = [lane for lane in here if self._period(lane, k).start != -math.inf]
            for group, settle in ((steady, True), (timed, False)):
                if group:
                    self._go(group, k, settle, values, list(directions), ensemble, quantities)
        return quantities

    def _period(self, lane: _Lane, k: int) -> PetabPeriod:
        return self.problem.experiments[lane.experiment][k]

    def _lane(self, experiment: str, direction: str, values: Mapping[str, float]) -> _Lane:
        current = {name: values[key] for key, name in self.problem.direct.items()}
        along = {self.problem.direct[direction]: 1.0} if direction in self.problem.direct else {}
        return _Lane(experiment, direction, current, along)

    # -- one period --------------------------------------------------------------------------------------------------

    def _go(
        self,
        lanes: Sequence[_Lane],
        k: int,
        settle: bool,
        values: Mapping[str, float],
        directions: Sequence[str],
        ensemble: Ensemble,
        quantities: PetabValues,
    ) -> None:
        periods = [self._period(lane, k) for lane in lanes]
        if self.problem.clock:
            for lane, period in zip(lanes, periods, strict=True):
                lane.values[self.problem.clock] = period.start
        by_state = [self._of_states(period) if k == 0 else [] for period in periods]
        for lane, period, later in zip(lanes, periods, by_state, strict=True):
            self._change(lane, {n: f for n, f in period.changes.items() if n not in later}, values, k == 0)
        if any(by_state):
            self._begin(lanes, ensemble)
            for lane, period, later in zip(lanes, periods, by_state, strict=True):
                self._change(lane, {name: period.changes[name] for name in later}, values, False)
        due = [self._due(lane.experiment, k) for lane in lanes]
        columns, starts = self._columns(lanes, ensemble), self._starts(lanes, ensemble)
        if settle:
            states = self._settled(ensemble, columns, starts, len(lanes), lanes)
            for lane, row in zip(lanes, states, strict=True):
                lane.start = dict(zip(ensemble.model.state_names, row.tolist(), strict=True))
            return
        ends = [self._end(lane.experiment, k) for lane in lanes]
        visits = np.unique(
            [0.0, *(t for times in due for _, t in times if math.isfinite(t)), *(e for e in ends if math.isfinite(e))]
        )
        result = ensemble.run(columns or len(lanes), visits, None, starts)
        self._refuse_failed(result.status, lanes)
        last = self._last(lanes, due, ensemble, columns, starts)
        for n, lane in enumerate(lanes):
            for number, time in due[n]:
                row = last[n] if math.isinf(time) else result.values[n, int(np.searchsorted(visits, time))]
                self._keep(quantities, number, lane, row, ensemble, directions)
            if math.isfinite(ends[n]):
                row = result.values[n, int(np.searchsorted(visits, ends[n]))]
                lane.start = {name: float(row[j]) for j, name in enumerate(ensemble.model.state_names)}

    def _of_states(self, period: PetabPeriod) -> list[str]:
        """Return the targets whose new values are by what states are, such as doses."""
        states = {*self.problem.model.state_names}
        return [name for name, formula in period.changes.items() if states & {*free_symbols([formula])}]

    def _begin(self, lanes: Sequence[_Lane], ensemble: Ensemble) -> None:
        """Give lanes the states that the model starts from."""
        result = ensemble.run(self._columns(lanes, ensemble) or len(lanes), [0.0], None, None)
        self._refuse_failed(result.status, lanes)
        for lane, row in zip(lanes, result.values[:, 0], strict=True):
            lane.start = {name: float(row[j]) for j, name in enumerate(ensemble.model.state_names)}

    def _due(self, experiment: str, k: int) -> list[tuple[int, float]]:
        """Return the measurements of a period, by number, with their times from its start on."""
        periods = self.problem.experiments[experiment]
        begins = [period.start for period in periods]
        due = []
        for number, measurement in enumerate(self.problem.measurements):
            if measurement.experiment != experiment:
                continue
            period = max(j for j, begin in enumerate(begins) if begin <= measurement.time or j == 0)
            if period == k:
                due.append((number, measurement.time - begins[k]))
        return due

    def _end(self, experiment: str, k: int) -> float:
        periods = self.problem.experiments[experiment]
        return periods[k + 1].start - periods[k].start if k + 1 < len(periods) else math.inf

    def _last(
        self,
        lanes: Sequence[_Lane],
        due: Sequence[Sequence[tuple[int, float]]],
        ensemble: Ensemble,
        columns: Mapping[str, Numbers],
        starts: Mapping[str, Numbers] | None,
    ) -> Numbers:
        """Return the outputs (lanes, outputs) in the steady state, where measurements ask for it."""
        if not any(math.isinf(time) for times in due for _, time in times):
            return np.empty(0)
        states = self._settled(ensemble, columns, starts, len(lanes), lanes)
        again = {name: np.ascontiguousarray(states[:, j]) for j, name in enumerate(ensemble.model.state_names)}
        return ensemble.run(columns or len(lanes), [0.0], None, again).values[:, 0]

    def _keep(
        self,
        quantities: PetabValues,
        number: int,
        lane: _Lane,
        row: Numbers,
        ensemble: Ensemble,
        directions: Sequence[str],
    ) -> None:
        at = {name: j for j, name in enumerate(ensemble.outputs)}
        quantities.values[number] = [row[at[name]] for name in self.names]
        if lane.direction:
            slopes = [row[at[name]] if name else 0.0 for name in self.slope_names]
            quantities.slopes[directions.index(lane.direction), number] = slopes

    # -- what lanes are given ----------------------------------------------------------------------------------------

    def _change(self, lane: _Lane, changes: Mapping[str, Expr], values: Mapping[str, float], first: bool) -> None:
        """Let changes take place: all values are taken before any of them is given."""
        new_values = {name: self._value(lane, formula, values) for name, formula in changes.items()}
        for name, (value, along) in new_values.items():
            target = self.problem.targets[name]
            if target.state and not first:
                size, grows = self._size(lane, target.factor)
                lane.start[target.state] = value * size
                slope = self.tangent.slopes[target.state]
                if slope in lane.start:
                    lane.start[slope] = along * size + value * grows
                continue
            lane.values[target.parameter], lane.along[target.parameter] = value, along
            if target.selector:
                lane.values[target.selector] = 1.0

    def _size(self, lane: _Lane, factor: str) -> tuple[float, float]:
        if not factor:
            return 1.0, 0.0
        return lane.values.get(factor, self._usual(factor)), lane.along.get(factor, 0.0)

    def _usual(self, name: str) -> float:
        model = self.problem.model
        return (model.parameters if name in model.parameters else model.inputs)[name].value

    def _value(self, lane: _Lane, formula: Expr, values: Mapping[str, float]) -> tuple[float, float]:
        """Return what a formula is now, and its derivative along the lane's direction."""
        names = free_symbols([formula])
        if not names:
            return float(compile_function([formula], [[]])([])[0]), 0.0
        slopes = gradient(formula, [symbol(name) for name in names])
        model = self.problem.model
        current = {petab_symbol(name): (value, float(name == lane.direction)) for name, value in values.items()}
        current |= {
            name: (lane.values.get(name, self._usual(name)), lane.along.get(name, 0.0))
            for name in (*model.parameters, *model.inputs)
        }
        current |= {
            name: (value, lane.start.get(self.tangent.slopes[name], 0.0))
            for name, value in lane.start.items()
            if name in model.state_names
        }
        missing = [name for name in names if name not in current]
        if missing:
            message = f"a condition gives a value by {', '.join(missing)}, which has none when it begins"
            raise ConfigError(Problem("unsupported", message, Location(self.problem.file)))
        numbers = [current[name][0] for name in names]
        partials = [slopes.get(symbol(name), formula) for name in names]
        there = [symbol(name) in slopes for name in names]
        value, *slope = compile_function([formula, *partials], [names])(numbers)
        total = sum(s * current[name][1] for s, name, is_there in zip(slope, names, there, strict=True) if is_there)
        return float(value), float(total)

    def _columns(self, lanes: Sequence[_Lane], ensemble: Ensemble) -> dict[str, Numbers]:
        """Return the values of the parameters of lanes, and how they change along their directions."""
        names = dict.fromkeys(name for lane in lanes for name in lane.values)
        columns = {name: np.array([lane.values.get(name, self._usual(name)) for lane in lanes]) for name in names}
        if ensemble is self._slow:
            for name, direction in self.tangent.directions.items():
                columns[direction] = np.array([lane.along.get(name, 0.0) for lane in lanes])
        return columns

    def _starts(self, lanes: Sequence[_Lane], ensemble: Ensemble) -> dict[str, Numbers] | None:
        if not lanes[0].start:
            return None
        return {name: np.array([lane.start[name] for lane in lanes]) for name in ensemble.model.state_names}

    # -- steady states -----------------------------------------------------------------------------------------------

    def _settled(
        self,
        ensemble: Ensemble,
        columns: Mapping[str, Numbers],
        starts: Mapping[str, Numbers] | None,
        count: int,
        lanes: Sequence[_Lane],
    ) -> Numbers:
        """Return the states (lanes, states) that nothing changes any more.

        Raises
        ------
        SolverError
            They go on to change, however long one waits.
        """
        names, quiet = ensemble.model.state_names, 0
        before: Numbers | None = None
        for span in _SPANS:
            result = ensemble.run(columns or count, [0.0, span], None, starts)
            self._refuse_failed(result.status, lanes)
            states = result.values[:, -1, : len(names)]
            if before is not None:
                change = np.abs(states - before)
                largest = np.max(np.abs(states), axis=1, keepdims=True)
                quiet = quiet + 1 if bool(np.all(change <= _CHANGE * np.abs(states) + 1e-3 * _CHANGE * largest)) else 0
            if quiet == 2:
                return np.asarray(states)
            before, starts = states, {name: np.ascontiguousarray(states[:, j]) for j, name in enumerate(names)}
        location = Location(self.problem.file)
        raise SolverError(
            Problem("no-steady-state", f"the experiment {lanes[0].experiment!r} comes to no steady state", location)
        )

    def _refuse_failed(self, status: NDArray[np.int64], lanes: Sequence[_Lane]) -> None:
        failed = [lane.experiment for lane, code in zip(lanes, status.tolist(), strict=True) if code > ENDED]
        if failed:
            message = f"the experiment {failed[0]!r} cannot be simulated at these values"
            raise SolverError(Problem("not-simulated", message, Location(self.problem.file)))


def _needed(problem: PetabProblem) -> tuple[str, ...]:
    """Return the quantities of the model that formulas of observables need."""
    roots = [root for o in problem.observables.values() for root in (o.formula, o.noise)]
    roots += [root for m in problem.measurements for root in (*m.placeholders, *m.noise_placeholders)]
    return tuple(name for name in free_symbols(roots) if name in problem.model.names)
