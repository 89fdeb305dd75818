"""The reference integrator: SciPy on the printed model. It is the yardstick for the fast engine: right, not fast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...base.arguments import by_name, floats, instance, names, wrong
from ...base.display import Displayed
from ...base.errors import ConfigError, Location, Problem, SolverError, did_you_mean
from ...model.algebra.evaluate import compile_function, split_constants
from ...model.algebra.expression import is_const
from ...model.assembly.model import Model
from ...model.parameters.possible_values import impossible_start
from .. import steady
from ..floors import floors
from ..infusions import as_switches, infused_states, with_infusions
from ..limits import MOST_VALUES, SHORTEST, check_size
from ..schedule import Schedule, Segment
from ..tolerance import absolute, check_tolerances
from .hybrid import Hybrid, needs_hybrid

if TYPE_CHECKING:
    import pandas as pd

METHODS = ("LSODA", "BDF", "Radau")

#: Evaluations without moving on in time after which a solver is stopped.
_PATIENCE = 20_000


@dataclass(repr=False)
class Result(Displayed):
    """What a simulation gives.

    Attributes
    ----------
    table
        One row per time (index ``time``, days), one column per quantity; NaN after a terminal event.
    dictionary
        One row per column of `table`: label, unit and kind (state, equation, input).
    warnings
        Sentences about values outside their plausible range.
    events
        Time and name of every event that happened, in order.
    ended
        Name and time of the terminal event, or None.
    rtol, atol
        Tolerances used, `atol` for each state.
    evaluations
        Evaluations of the rates.

    Examples
    --------
    >>> from betapod import load_model, simulate
    >>> result = simulate(load_model("topp2000"), [0.0, 1.0, 30.0], initial={"glucose": 250.0}, outputs=["glucose", "beta_mass"])
    >>> result.units["glucose"], float(result.table["glucose"].round(0)[30.0])
    ('mg/dL', 100.0)
    """

    table: pd.DataFrame
    dictionary: pd.DataFrame
    warnings: list[str]
    events: list[tuple[float, str]]
    ended: tuple[str, float] | None
    method: str
    rtol: float
    atol: NDArray[np.float64]
    evaluations: int

    @property
    def units(self) -> dict[str, str]:
        """Unit of every column of `table`, and of its index."""
        return {"time": "day", **{str(name): str(unit) for name, unit in self.dictionary["unit"].items()}}


def simulate(
    model: Model,
    times: ArrayLike,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    method: str = "LSODA",
    rtol: float = 1e-6,
    atol: ArrayLike | None = None,
    outputs: Sequence[str] | None = None,
) -> Result:
    """Integrate a model and report it at the given times.

    Parameters
    ----------
    model
        Model, such as ``load_model("kidney")``.
    times
        Days, increasing, from 0 on; the integration starts at 0.
    schedule
        Doses and switches of inputs; nothing by default.
    initial
        States that do not start from their initial value, in the states' units.
    method
        ``LSODA``, ``BDF`` or ``Radau``.
    rtol, atol
        Relative and absolute error tolerated in one step; `atol` in the states' units, one number or one per state. By default it
        is 1e-9, and finer for states that stay small (see `betapod.engine.tolerance`).
    outputs
        Names of states, equations and inputs to report; all by default.

    Returns
    -------
    Result
        One row per time and one column per quantity, with units, events and warnings.

    Raises
    ------
    ConfigError
        Unknown names, a bad schedule, bad tolerances, or times that do not increase.
    SolverError
        SciPy could not go on; says where.

    Examples
    --------
    The reference kidney loses filtration over ten years:

    >>> from betapod import load_model, simulate
    >>> table = simulate(load_model("kidney"), [0.0, 3652.5], outputs=["GFR"]).table
    >>> table["GFR"].round(0).tolist()
    [105.0, 97.0]
    """
    instance("model", model, Model, "a model, such as load_model('kidney')")
    visits = floats("times", times)
    initial = by_name("initial", {} if initial is None else initial)
    outputs = None if outputs is None else names("outputs", outputs)
    _check(model, visits, initial, method, outputs)
    check_tolerances(rtol, atol, model.state_names)
    schedule = Schedule() if schedule is None else schedule
    instance("schedule", schedule, Schedule, "a Schedule of doses and switches")
    schedule.check(model)
    initial = {name: float(value) for name, value in initial.items()}
    # Where nobody chose a tolerance, only what was asked for is worth a warning.
    watched = set(model.state_names) if atol is not None else set(outputs or ())
    if atol is None:
        atol = absolute(model, schedule, float(visits[-1]), initial)
    if outputs is None:
        outputs = [*model.state_names, *model.assignments, *model.inputs]
    if steady.is_steady(schedule):
        initial = _steady_start(model, schedule, initial or {}, method)
        schedule = steady.continued(schedule)
    if infused := infused_states([schedule]):
        schedule = as_switches(model, schedule, float(visits[-1]))
        model = with_infusions(model, infused)
    run = _Run(model, method, rtol, atol)
    run.watched = watched
    return run.integrate(visits, schedule, dict(initial or {}), outputs)


def _steady_start(model: Model, schedule: Schedule, initial: Mapping[str, float], method: str) -> dict[str, float]:
    """Return the states just before a dose of an endless train."""
    steady.check_steady(model, schedule)
    train, length = steady.dosing_interval(schedule)
    names = list(model.state_names)
    train, model_of_train = as_switches(model, train, length), with_infusions(model, infused_states([train]))
    run = _Run(model_of_train, method, steady.RTOL, 1e-15)

    def one(states: NDArray[np.float64]) -> NDArray[np.float64]:
        start = dict(zip(names, states[0].tolist(), strict=True))
        return run.integrate(np.array([0.0, length]), train, start, names).table.to_numpy()[-1:]

    begin = run.integrate(np.array([0.0]), Schedule(), dict(initial), names).table.to_numpy()
    return dict(zip(names, steady.settled(model, begin, one)[0].tolist(), strict=True))


def _check(
    model: Model, times: NDArray[np.float64], initial: Mapping[str, float], method: str, outputs: Sequence[str] | None
) -> None:
    problems = []
    if (
        times.ndim != 1
        or not times.size
        or not np.all(np.isfinite(times))
        or times[0] < 0
        or np.any(np.diff(times) <= 0)
        or 0.0 < times[-1] < SHORTEST
    ):
        problems.append(Problem("bad-times", "the times must be increasing days from 0 on"))
    if not isinstance(method, str) or method not in METHODS:
        problems.append(Problem("unknown-method", f"there is no method {method!r}", expected=", ".join(METHODS)))
    for name, value in initial.items():
        where = f"initial {name}"
        if name in model.state_names:
            number = floats(where, value)
            if number.ndim or not np.isfinite(number):
                problems.append(wrong(where, value, "one finite number", "bad-value"))
            elif bad := impossible_start(model, name, float(number), Location(where)):
                problems.append(bad)
        if name not in model.state_names:
            problems.append(
                Problem("unknown-state", f"{name!r} is not a state", hint=did_you_mean(name, model.state_names))
            )
    for name in outputs or ():
        if name not in model.names:
            problems.append(
                Problem("unknown-name", f"{model.name} has no quantity {name!r}", hint=did_you_mean(name, model.names))
            )
    if problems:
        raise ConfigError(problems)
    columns = len(outputs) if outputs is not None else len(model.names)
    check_size(times.size, max(columns, len(model.states)), MOST_VALUES, "times", "Ask for fewer times or outputs.")


@dataclass
class _Path:
    """States and inputs collected at the visits."""

    states: list[NDArray[np.float64]] = field(default_factory=list)
    inputs: list[NDArray[np.float64]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


class _Run:
    """One model, compiled for SciPy."""

    def __init__(self, model: Model, method: str, rtol: float, atol: ArrayLike) -> None:
        self.model, self.method, self.rtol = model, method, rtol
        self.atol = np.broadcast_to(np.asarray(atol, dtype=float), (len(model.states),))
        values = model.values()
        constants = [name for name in values if name not in model.inputs]
        self.input_names = list(model.inputs)
        self.base_inputs = {name: values[name] for name in self.input_names}
        parameters = [values[name] for name in constants]
        roots = [state.rate for state in model.states] + list(model.jacobian.values())
        setup, names, roots = split_constants(roots, constants)
        groups = [["t"], model.state_names, self.input_names, names]
        n = len(model.states)
        self._rates = compile_function(roots[:n], groups)
        self._slopes = compile_function(roots[n:], groups)
        self._constants = compile_function(setup, [constants])(parameters) if setup else []
        self._entries = list(model.jacobian)
        self._initial = compile_function([s.initial for s in model.states], [["t"], self.input_names, constants])
        self._parameters, self._parameter_names = parameters, constants
        self._constants_by_name = {name: values[name] for name in constants}
        self.evaluations = 0
        self._peaks = np.zeros(n)
        self.watched: set[str] = set()

    def integrate(
        self, visits: NDArray[np.float64], schedule: Schedule, initial: dict[str, float], outputs: Sequence[str] | None
    ) -> Result:
        """Go through the segments of the schedule."""
        model = self.model
        segments = schedule.segments(self.base_inputs, float(visits[-1]), visits=visits)
        state = np.array(self._initial([0.0], list(self.base_inputs.values()), self._parameters))
        for name, value in initial.items():
            state[model.state_names.index(name)] = value
        self._check_start(state)
        path = _Path()
        if needs_hybrid(model):
            return self._with_switches(segments, state, visits, path, outputs)
        if visits[0] == 0.0:
            self._collect(path, [0.0], state[:, None], [list(self.base_inputs.values())])
        for segment in segments:
            for name, amount in segment.doses:
                state[model.state_names.index(name)] += amount
            state = self._segment(segment, state, visits, path)
        return self._result(path, visits, outputs, [], None)

    def _check_start(self, state: NDArray[np.float64]) -> None:
        """Refuse to integrate from what is no number."""
        bad = [
            name
            for name, value, of in zip(self.model.state_names, state, self.model.states, strict=True)
            if not math.isfinite(value) and not is_const(of.rate, 0.0)
        ]
        if bad:
            raise SolverError(
                [
                    Problem(
                        "no-start",
                        f"{name} starts from no number",
                        hint=f"Give the values that it needs, or its start: initial {name}.",
                    )
                    for name in bad
                ]
            )

    def _with_switches(
        self,
        segments: Sequence[Segment],
        state: NDArray[np.float64],
        visits: NDArray[np.float64],
        path: _Path,
        outputs: Sequence[str] | None,
    ) -> Result:
        """Go through the segments with everything that jumps; a visit at the time of an event sees what the event made."""

        def record(time: float, values: NDArray[np.float64]) -> None:
            assert hybrid.segment is not None
            self._collect(path, [time], values[:, None], [self._inputs_at(hybrid.segment, time)])

        hybrid = Hybrid(self.model, self._constants_by_name, self.method, self.rtol, self.atol, record)
        longest = max(float(np.max(np.diff(visits, prepend=0.0))), 1e-300)
        longest = min(longest, segments[-1].end / 50) if segments[-1].end > 0 else longest
        hybrid.segment = segments[0]
        state = hybrid.queue.advance(0.0, state)
        if visits[0] == 0.0:
            record(0.0, state)
        for segment in segments:
            if hybrid.queue.ended is not None:
                break
            for name, amount in segment.doses:
                state[self.model.state_names.index(name)] += amount
            state = hybrid.run(segment, state, visits, longest)
        self.evaluations += hybrid.evaluations
        return self._result(path, visits, outputs, hybrid.queue.happened, hybrid.queue.ended)

    def _collect(
        self, path: _Path, times: Sequence[float], states: NDArray[np.float64], inputs: Sequence[Sequence[float]]
    ) -> None:
        path.times.extend(times)
        path.states.extend(states.T.copy())  # the caller goes on to change its state in place
        path.inputs.extend(np.asarray(row, dtype=float) for row in inputs)

    def _inputs_at(self, segment: Segment, time: float) -> list[float]:
        return [segment.values[name] + segment.slopes[name] * (time - segment.start) for name in self.input_names]

    def _segment(
        self, segment: Segment, state: NDArray[np.float64], visits: NDArray[np.float64], path: _Path
    ) -> NDArray[np.float64]:
        """Integrate one segment."""
        due = visits[(visits > segment.start) & (visits <= segment.end)]
        solution = self._solve(segment, segment.start, state)
        self._peaks = np.maximum(self._peaks, np.max(np.abs(solution.y), axis=1))
        if len(due):
            states = solution.sol(due)
            self._collect(path, list(due), states, [self._inputs_at(segment, t) for t in due])
        return np.array(solution.y[:, -1])

    def _solve(self, segment: Segment, start: float, state: NDArray[np.float64]) -> Any:
        from scipy.integrate import solve_ivp

        n = len(state)
        names, values, slopes = self.input_names, segment.values, segment.slopes
        base = [values[name] for name in names]
        slope = [slopes[name] for name in names]
        moving = any(slope)

        def inputs(t: float) -> list[float]:
            return [v + s * (t - segment.start) for v, s in zip(base, slope, strict=True)] if moving else base

        furthest, idle = start, 0

        def rates(t: float, y: NDArray[np.float64]) -> list[float]:
            # LSODA does not give up when its step vanishes at a singularity: it would try for ever.
            nonlocal furthest, idle
            self.evaluations += 1
            idle += 1
            if t - furthest > 1e-13 * max(abs(t), 1e-9):
                furthest, idle = t, 0
            elif idle > _PATIENCE:
                raise SolverError(
                    Problem(
                        "step-underflow",
                        f"{self.method} could not go beyond day {t:g}: its step became too small",
                        hint="A quantity grows without bound or jumps there; check the parameters.",
                    )
                )
            return self._rates([t], y.tolist(), inputs(t), self._constants)

        def slopes_matrix(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
            matrix = np.zeros((n, n))
            entries = self._slopes([t], y.tolist(), inputs(t), self._constants)
            for (i, j), value in zip(self._entries, entries, strict=True):
                matrix[i, j] = value
            return matrix

        solution = solve_ivp(
            rates,
            (start, segment.end),
            state,
            method=self.method,
            dense_output=True,
            rtol=self.rtol,
            atol=self.atol,
            jac=slopes_matrix,
        )
        if solution.status == -1 or not np.all(np.isfinite(solution.y[:, -1])):
            self._fail(solution, start)
        return solution

    def _fail(self, solution: Any, start: float) -> None:
        time = float(solution.t[-1]) if len(solution.t) else start
        worst = [
            name
            for name, value in zip(self.model.state_names, solution.y[:, -1], strict=True)
            if not math.isfinite(value)
        ]
        raise SolverError(
            Problem(
                "integration-failed",
                f"{self.method} could not go beyond day {time:g}: {solution.message}",
                found=f"not finite: {', '.join(worst)}" if worst else "",
                hint="Check the parameters, or try method Radau and a looser tolerance.",
            )
        )

    def _refuse_impossible(self, times: NDArray[np.float64], states: NDArray[np.float64]) -> None:
        """Refuse a course on which there is less than nothing of something."""
        lowest = floors(self.model)
        problems = []
        for k in np.flatnonzero(np.any(states < lowest[:, None], axis=1)):
            name = self.model.state_names[k]
            first = int(np.argmax(states[k] < lowest[k]))
            problems.append(
                Problem(
                    "impossible-result",
                    f"{name} ({self.model.labels[name]}) becomes negative: nobody can be so",
                    Location(f"time {times[first]:g}"),
                    found=f"{states[k, first]:.4g} {self.model.units[name]}",
                    hint="The values that were given do not go together, or the model does not reach so far.",
                )
            )
        if problems:
            raise SolverError(problems)

    def _lost(self, states: NDArray[np.float64]) -> list[str]:
        """Return a sentence for each state that is no larger than what the absolute tolerance lets be wrong."""
        peaks = np.maximum(self._peaks, np.max(np.abs(states), axis=1, initial=0.0))
        # Far below the tolerance is rounding around 0, or 0 itself.
        lost = np.flatnonzero((peaks > 1e-4 * self.atol) & (peaks < 1e2 * self.atol))
        return [
            f"{name} = {peaks[k]:.2g} {self.model.units[name]} at most is lost in the absolute tolerance of {self.atol[k]:.2g}: "
            "take a finer one"
            for k, name in ((int(k), self.model.state_names[k]) for k in lost)
            if name in self.watched
        ]

    def _result(
        self,
        path: _Path,
        visits: NDArray[np.float64],
        outputs: Sequence[str] | None,
        happened: list[tuple[float, str]],
        ended: tuple[str, float] | None,
    ) -> Result:
        import pandas as pd

        model = self.model
        names = list(outputs) if outputs is not None else [*model.state_names, *model.assignments, *model.inputs]
        states = np.array(path.states).T if path.states else np.empty((len(model.states), 0))
        inputs = np.array(path.inputs).T if path.inputs else np.empty((len(self.input_names), 0))
        times = np.array(path.times)
        self._refuse_impossible(times, states)
        compute = compile_function(
            [model.expression(name) for name in names],
            [["t"], model.state_names, self.input_names, self._parameter_names],
            array=True,
        )
        with np.errstate(all="ignore"):
            columns = compute([times], states, inputs, self._parameters) if len(times) else [np.empty(0)] * len(names)
        full = {name: np.full(len(visits), np.nan) for name in names}
        for name, column in zip(names, columns, strict=True):
            full[name][: len(times)] = column
        table = pd.DataFrame(full, index=pd.Index(visits, name="time"))
        kinds = {**dict.fromkeys(model.state_names, "state"), **dict.fromkeys(model.assignments, "equation")}
        dictionary = pd.DataFrame(
            {
                "label": [model.labels.get(name, "") for name in names],
                "unit": [model.units.get(name, "") for name in names],
                "kind": [kinds.get(name, "input" if name in model.inputs else "parameter") for name in names],
            },
            index=pd.Index(names, name="name"),
        )
        warnings = model.parameters.implausible() + model.inputs.implausible() + self._lost(states)
        warnings += _no_numbers({name: full[name][: len(times)] for name in names})
        return Result(table, dictionary, warnings, happened, ended, self.method, self.rtol, self.atol, self.evaluations)


def _no_numbers(columns: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Return a sentence about quantities that are no number, such as an amount divided by a volume of 0."""
    bad = {name: int(np.sum(~np.isfinite(column))) for name, column in columns.items()}
    sentences = [f"{name} (at {count} of {len(columns[name])} times)" for name, count in bad.items() if count]
    if not sentences:
        return []
    more = f" and {len(sentences) - 5} more" if len(sentences) > 5 else ""
    return [f"no finite number: {', '.join(sentences[:5])}{more}"]
