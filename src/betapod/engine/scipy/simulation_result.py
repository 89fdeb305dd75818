"""What a simulation of one patient gives: a table with units, what happened, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base.display import Displayed
from ...base.errors import Location, Problem, SolverError
from ...base.nouns import with_noun
from ...model.algebra.evaluate import compile_function
from ...model.assembly.model import Model
from ..floors import floors

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PatientCourses:
    """Quantities of one patient over time.

    Attributes
    ----------
    times
        Of the rows.
    values
        Name of a quantity -> one number per time; NaN after a terminal event.
    meanings
        Name of a quantity -> its label, unit and kind (state, equation, input, parameter).
    """

    times: NDArray[np.float64]
    values: Mapping[str, NDArray[np.float64]]
    meanings: Mapping[str, tuple[str, str, str]]

    def at(self, row: int) -> dict[str, float]:
        """Return every quantity at one of the times; -1 is the last."""
        return {name: float(values[row]) for name, values in self.values.items()}

    def of(self, names: Sequence[str]) -> PatientCourses:
        """Return some of the quantities."""
        return PatientCourses(self.times, {name: self.values[name] for name in names}, self.meanings)


@dataclass(repr=False)
class Result(Displayed):
    """What a simulation gives.

    Attributes
    ----------
    table
        One row per time (index ``time``, in `time_unit`), one column per quantity; NaN after a terminal event.
    dictionary
        One row per column of `table`: label, unit and kind (state, equation, input).
    courses
        What both are made of when they are first asked for: times and quantities as arrays.
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
    time_unit
        Unit of the times: day, but for imported models that say otherwise; 1 where a model names none.

    Examples
    --------
    >>> from betapod import load_model, simulate
    >>> result = simulate(load_model("topp2000"), [0.0, 1.0, 30.0], initial={"glucose": 250.0}, outputs=["glucose", "beta_mass"])
    >>> result.units["glucose"], float(result.table["glucose"].round(0)[30.0])
    ('mg/dL', 100.0)
    """

    courses: PatientCourses
    warnings: list[str]
    events: list[tuple[float, str]]
    ended: tuple[str, float] | None
    method: str
    rtol: float
    atol: NDArray[np.float64]
    evaluations: int
    time_unit: str = "day"

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per time (index ``time``, in `time_unit`), one column per quantity; NaN after a terminal event."""
        import pandas as pd

        return pd.DataFrame(dict(self.courses.values), index=pd.Index(self.courses.times, name="time"))

    @cached_property
    def dictionary(self) -> pd.DataFrame:
        """One row per column of `table`: label, unit and kind (state, equation, input)."""
        import pandas as pd

        names = list(self.courses.values)
        rows = [self.courses.meanings[name] for name in names]
        return pd.DataFrame(rows, columns=["label", "unit", "kind"], index=pd.Index(names, name="name"))

    @property
    def units(self) -> dict[str, str]:
        """Unit of every column of `table`, and of its index."""
        return {"time": self.time_unit, **{name: self.courses.meanings[name][1] for name in self.courses.values}}


@dataclass
class Trajectory:
    """States and inputs of one patient at the visits that were reached.

    Attributes
    ----------
    times, states, inputs
        One entry per visit.
    peaks
        (states,) largest size on the way.
    happened
        Time and name of every event, in order.
    ended
        Name and time of the terminal event, or None.
    """

    peaks: NDArray[np.float64]
    times: list[float] = field(default_factory=list)
    states: list[NDArray[np.float64]] = field(default_factory=list)
    inputs: list[NDArray[np.float64]] = field(default_factory=list)
    happened: list[tuple[float, str]] = field(default_factory=list)
    ended: tuple[str, float] | None = None

    def collect(self, times: Sequence[float], states: NDArray[np.float64], inputs: Sequence[Sequence[float]]) -> None:
        """Add visits: (states, visits), and the inputs at each."""
        self.times.extend(times)
        self.states.extend(states.T.copy())  # the caller goes on to change its state in place
        self.inputs.extend(np.asarray(row, dtype=float) for row in inputs)


def courses_of(
    model: Model, trajectory: Trajectory, visits: NDArray[np.float64], names: Sequence[str]
) -> PatientCourses:
    """Return the quantities at the visits."""
    values = model.values()
    constants = [name for name in values if name not in model.inputs]
    states = np.array(trajectory.states).T if trajectory.states else np.empty((len(model.states), 0))
    given_names = [*model.inputs, *(delayed.name for delayed in model.delays)]
    inputs = np.array(trajectory.inputs).T if trajectory.inputs else np.empty((len(given_names), 0))
    times = np.array(trajectory.times)
    refuse_impossible(model, times, states)
    compute = compile_function(
        [model.expression(name) for name in names],
        [["t"], model.state_names, given_names, constants],
        array=True,
    )
    parameters = [values[name] for name in constants]
    with np.errstate(all="ignore"):
        columns = compute([times], states, inputs, parameters) if len(times) else [np.empty(0)] * len(names)
    full = {name: np.full(len(visits), np.nan) for name in names}
    for name, column in zip(names, columns, strict=True):
        full[name][: len(times)] = column
    kinds = {**dict.fromkeys(model.state_names, "state"), **dict.fromkeys(model.assignments, "equation")}
    labels, units = model.labels, model.units
    meanings = {
        name: (
            labels.get(name, ""),
            units.get(name, ""),
            kinds.get(name, "input" if name in model.inputs else "parameter"),
        )
        for name in names
    }
    return PatientCourses(visits, full, meanings)


def refuse_impossible(model: Model, times: NDArray[np.float64], states: NDArray[np.float64]) -> None:
    """Refuse a trajectory on which there is less than nothing of something.

    Raises
    ------
    SolverError
        Naming every such state, and when it is so first.
    """
    lowest = floors(model)
    problems = []
    for k in np.flatnonzero(np.any(states < lowest[:, None], axis=1)):
        name = model.state_names[k]
        first = int(np.argmax(states[k] < lowest[k]))
        problems.append(
            Problem(
                "impossible-result",
                f"{name} ({model.labels[name]}) becomes negative: nobody can be so",
                Location(f"time {times[first]:g}"),
                found=f"{states[k, first]:.4g} {model.units[name]}",
                hint="The values that were given do not go together, or the model does not reach so far.",
            )
        )
    if problems:
        raise SolverError(problems)


def lost_states(model: Model, trajectory: Trajectory, atol: NDArray[np.float64], watched: frozenset[str]) -> list[str]:
    """Return a sentence for each watched state that is no larger than what the absolute tolerance lets be wrong."""
    peaks = (
        np.maximum(trajectory.peaks, np.max(np.abs(trajectory.states), axis=0))
        if trajectory.states
        else trajectory.peaks
    )
    # Far below the tolerance is rounding around 0, or 0 itself.
    lost = np.flatnonzero((peaks > 1e-4 * atol) & (peaks < 1e2 * atol))
    return [
        f"{name} = {peaks[k]:.2g} {model.units[name]} at most is lost in the absolute tolerance of {atol[k]:.2g}: "
        "take a finer one"
        for k, name in ((int(k), model.state_names[k]) for k in lost)
        if name in watched
    ]


def no_numbers(columns: Mapping[str, NDArray[np.float64]]) -> list[str]:
    """Return a sentence about quantities that are no number, such as an amount divided by a volume of 0."""
    bad = {name: int(np.sum(~np.isfinite(column))) for name, column in columns.items()}
    sentences = [
        f"{name} (at {count} of {with_noun(len(columns[name]), 'time')})" for name, count in bad.items() if count
    ]
    if not sentences:
        return []
    more = f" and {len(sentences) - 5} more" if len(sentences) > 5 else ""
    return [f"no finite number: {', '.join(sentences[:5])}{more}"]
