"""Carry out the tasks of a SED-ML document: simulations, and their repetition with values set."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ...base.errors import BetapodError, ExchangeError, Location, Problem
from ...base.nouns import with_noun
from .kisao_algorithms import (
    ABSOLUTE_TOLERANCE,
    RELATIVE_TOLERANCE,
    algorithm_note,
    method_for_kisao,
    refused_algorithm,
)
from .moving_model import MovingModel
from .sedml_document import (
    SedmlDocument,
    SedmlFormula,
    SedmlRange,
    SedmlSetValue,
    SedmlSimulation,
    SedmlTask,
    SedmlVariable,
)
from .sedml_formulas import formula_value
from .sedml_models import SedmlModels

#: Relative tolerance unless the file asks for a smaller one, and absolute ones that are smaller than betapod's own are taken.
_RTOL, _ATOL = 1e-9, 1e-9
#: Simulations of one task at most, with all repetitions of repetitions.
_MOST_RUNS = 200_000

#: Results by target or symbol.
TaskResult = dict[str, NDArray[np.float64]]


class SedmlTasks:
    """Carries out tasks, each once.

    Parameters
    ----------
    document, models
        What is simulated.
    progress
        Is told the number of simulations done, and of all.
    """

    def __init__(
        self, document: SedmlDocument, models: SedmlModels, progress: Callable[[int, int], None] | None = None
    ) -> None:
        self.document, self.models, self.progress = document, models, progress
        self.notes: list[str] = []
        self._results: dict[str, TaskResult] = {}
        self._variables: dict[str, dict[str, SedmlVariable]] = {name: {} for name in document.tasks}
        for generator in document.generators.values():
            for variable in generator.formula.variables:
                self._want(variable.of, variable)
        self._done, self._all = 0, sum(self._runs(name) for name in self._asked())

    def check(self) -> None:
        """Check everything that can be known before the first simulation.

        Raises
        ------
        ExchangeError
            All that is wrong: models, targets, algorithms, numbers of repetitions.
        """
        problems: list[Problem] = []
        broken: set[str] = set()
        for name in dict.fromkeys(task.model for task in self.document.tasks.values() if not task.subtasks):
            try:
                self.models.model(name)
            except BetapodError as error:
                problems += error.problems
                broken.add(name)
        for task in self.document.tasks.values():
            problems += self._task_problems(task, broken)
        if problems:
            raise ExchangeError(list(dict.fromkeys(problems)))

    def result(self, task: str) -> TaskResult:
        """Return the results of a task, by the key of each of its variables."""
        if task not in self._results:
            moving = {name: self._moving(task, name) for name in self._models_of(task)}
            self._results[task] = self._carry_out(task, moving, [])
        return self._results[task]

    # -- before ------------------------------------------------------------------------------------------------------

    def _want(self, task: str, variable: SedmlVariable) -> None:
        self._variables[task][variable_key(variable)] = variable
        for subtask in self.document.tasks[task].subtasks:
            self._want(subtask.task, variable)

    def _asked(self) -> list[str]:
        return list(dict.fromkeys(v.of for g in self.document.generators.values() for v in g.formula.variables))

    def _models_of(self, task: str) -> list[str]:
        entry = self.document.tasks[task]
        if not entry.subtasks:
            return [entry.model]
        below = [name for subtask in entry.subtasks for name in self._models_of(subtask.task)]
        settings = [*entry.settings, *(s for subtask in entry.subtasks for s in subtask.settings)]
        return list(dict.fromkeys([*below, *(setting.model for setting in settings)]))

    def _runs(self, task: str) -> int:
        entry = self.document.tasks[task]
        if not entry.subtasks:
            return 1
        return self._repetitions(entry) * sum(self._runs(subtask.task) for subtask in entry.subtasks)

    def _repetitions(self, task: SedmlTask) -> int:
        ranges = {r.name: r for r in task.ranges}
        along, passed = ranges.get(task.along), set()
        while along is not None and along.formula is not None and along.name not in passed:
            passed.add(along.name)
            along = ranges.get(along.along)
        return 0 if along is None or along.formula is not None else len(along.values)

    def _task_problems(self, task: SedmlTask, broken: set[str]) -> list[Problem]:
        problems: list[Problem] = []
        if not task.subtasks:
            simulation = self.document.simulations[task.simulation]
            if name := refused_algorithm(simulation.algorithm):
                message = f"{name} (KISAO:{simulation.algorithm:07d}) is not here: models are integrated as differential equations"
                problems.append(
                    Problem("unsupported", message, simulation.location, hint="Ask for CVODE, KISAO:0000019.")
                )
            if task.model not in broken:
                for variable in self._variables[task.name].values():
                    try:
                        self.models.quantity(variable, task.model)
                    except BetapodError as error:
                        problems += error.problems
            return problems
        if not self._repetitions(task):
            problems.append(Problem("bad-range", f"the task {task.name} has no values to go through", task.location))
        if self._runs(task.name) > _MOST_RUNS:
            amount_text, expected = f"{self._runs(task.name):,} simulations", f"at most {_MOST_RUNS:,}"
            problems.append(
                Problem("too-large", f"the task {task.name} is too large", task.location, amount_text, expected)
            )
        count = self._repetitions(task)
        for entry in task.ranges:
            if entry.formula is None and len(entry.values) < count:
                amount_text = f"{with_noun(len(entry.values), 'value')} for {with_noun(count, 'repetition')}"
                problems.append(
                    Problem("bad-range", f"the range {entry.name} is too short", entry.location, amount_text)
                )
        for setting in (*task.settings, *(s for subtask in task.subtasks for s in subtask.settings)):
            if setting.model not in broken:
                try:
                    self._set_name(setting)
                except BetapodError as error:
                    problems += error.problems
        return problems

    def _moving(self, task: str, model: str) -> MovingModel:
        return MovingModel(self.models.model(model), self._is_shifted(task))

    def _is_shifted(self, task: str, repeated: bool = False) -> bool:
        """Return whether a simulation of a task may begin at another time than 0."""
        entry = self.document.tasks[task]
        if entry.subtasks:
            return any(self._is_shifted(subtask.task, True) for subtask in entry.subtasks)
        simulation = self.document.simulations[entry.simulation]
        if simulation.kind == "uniformTimeCourse":
            return simulation.start != 0.0
        return repeated or simulation.kind == "steadyState"

    # -- simulations -------------------------------------------------------------------------------------------------

    def _carry_out(
        self, name: str, moving: Mapping[str, MovingModel], outer: list[tuple[SedmlSetValue, float]]
    ) -> TaskResult:
        task = self.document.tasks[name]
        if task.subtasks:
            return self._repeat(task, moving, outer)
        result = self._simulate(task, moving[task.model])
        self._done += 1
        if self.progress is not None:
            self.progress(self._done, self._all)
        return result

    def _simulate(self, task: SedmlTask, model: MovingModel) -> TaskResult:
        simulation = self.document.simulations[task.simulation]
        names = {key: self.models.quantity(v, task.model) for key, v in self._variables[task.name].items()}
        note = algorithm_note(simulation.algorithm, simulation.kind == "steadyState")
        if note and note not in self.notes:
            self.notes.append(note)
        method, (rtol, atol) = method_for_kisao(simulation.algorithm), _tolerances(simulation)
        outputs = list(dict.fromkeys(names.values()))
        if simulation.kind == "steadyState":
            rows = model.settle(outputs, method)
        elif simulation.kind == "oneStep":
            begins = model.time
            rows = model.run(np.array([begins, begins + simulation.step]), begins, outputs, method, rtol, atol)
        else:
            visits = np.linspace(simulation.first_row, simulation.end, simulation.steps + 1)
            if simulation.first_row == simulation.end:
                visits = visits[:1]
            # What is simulated goes on to the end, even where rows stop before.
            to_end = visits if visits[-1] == simulation.end else np.append(visits, simulation.end)
            rows = model.run(to_end, simulation.start, outputs, method, rtol, atol)
            rows = {key: row[: len(visits)] for key, row in rows.items()}
        return {key: rows[quantity] for key, quantity in names.items()}

    # -- repetitions -------------------------------------------------------------------------------------------------

    def _repeat(
        self, task: SedmlTask, moving: Mapping[str, MovingModel], outer: list[tuple[SedmlSetValue, float]]
    ) -> TaskResult:
        repeated: list[TaskResult] = []
        ranges = {r.name: r for r in task.ranges}
        for turn in range(self._repetitions(task)):
            if task.reset:
                for model in moving.values():
                    model.reset()
                # What a task around this one has set stays, or its repetitions would all be alike.
                for setting, value in outer:
                    moving[setting.model].set(self._set_name(setting), value, setting.location)
            values = self._range_values(ranges, turn, moving)
            set_before = [*outer, *self._set(task.settings, values, moving)]
            parts = []
            for subtask in task.subtasks:
                inner = [*set_before, *self._set(subtask.settings, values, moving)]
                parts.append(self._carry_out(subtask.task, moving, inner))
            keys = self._variables[task.name]
            repeated.append({key: _followed([part[key] for part in parts], task.joined) for key in keys})
        return {key: _stacked([result[key] for result in repeated]) for key in self._variables[task.name]}

    def _set(
        self, settings: Sequence[SedmlSetValue], ranges: Mapping[str, float], moving: Mapping[str, MovingModel]
    ) -> list[tuple[SedmlSetValue, float]]:
        """Set values, one after the other, and return them."""
        set_before = []
        for setting in settings:
            value = self._number(setting.formula, setting.model, ranges, moving, setting.location)
            moving[setting.model].set(self._set_name(setting), value, setting.location)
            set_before.append((setting, value))
        return set_before

    def _set_name(self, setting: SedmlSetValue) -> str:
        target = self.models.target(setting.model, setting.target, setting.location)
        return self.models.name_of(target, setting.model, setting.target, setting.location)

    def _range_values(
        self, ranges: Mapping[str, SedmlRange], turn: int, moving: Mapping[str, MovingModel]
    ) -> dict[str, float]:
        values = {name: r.values[turn] for name, r in ranges.items() if r.formula is None}
        waiting = {name: r for name, r in ranges.items() if r.formula is not None}
        while waiting:
            ready = [name for name, r in waiting.items() if not r.along or r.along in values]
            if not ready:
                [first, *_] = waiting.values()
                raise ExchangeError(Problem("circle", f"the range {first.name} needs itself", first.location))
            for name in ready:
                entry = waiting.pop(name)
                assert entry.formula is not None
                values[name] = self._number(entry.formula, "", values, moving, entry.location)
        return values

    def _number(
        self,
        formula: SedmlFormula,
        model: str,
        ranges: Mapping[str, float],
        moving: Mapping[str, MovingModel],
        location: Location,
    ) -> float:
        values = dict(ranges)
        for variable in formula.variables:
            of = variable.of or model or next(iter(moving))
            if of not in moving:
                message = f"the variable {variable.name} is of {of!r}, which this task does not simulate"
                raise ExchangeError(Problem("unknown-name", message, variable.location))
            values[variable.name] = moving[of].value(self.models.quantity(variable, of))
        value = formula_value(formula, values, self.document.file)
        if value.ndim or not math.isfinite(float(value)):
            raise ExchangeError(Problem("bad-number", "this formula gives no number", location, str(value)))
        return float(value)


def variable_key(variable: SedmlVariable) -> str:
    """Return what tells the quantities of one result apart.

    Examples
    --------
    >>> from betapod.base.errors import NOWHERE
    >>> from betapod.exchange.sedml.sedml_document import SedmlVariable
    >>> from betapod.exchange.sedml.sedml_tasks import variable_key
    >>> variable_key(SedmlVariable("t", "", "urn:sedml:symbol:time", "task", NOWHERE))
    'urn:sedml:symbol:time'
    """
    return (variable.target or variable.symbol) + (f" {variable.term}" if variable.term >= 0 else "")


def _tolerances(simulation: SedmlSimulation) -> tuple[float, float | None]:
    """Return relative and absolute tolerance: those of the file where they are the smaller ones."""
    said = []
    for number, usual in ((RELATIVE_TOLERANCE, _RTOL), (ABSOLUTE_TOLERANCE, _ATOL)):
        try:
            said.append(float(simulation.settings.get(number, "")))
        except ValueError:
            said.append(usual)
    rtol = max(min(said[0], _RTOL), 1e-12) if said[0] > 0.0 else _RTOL
    return rtol, said[1] if 0.0 < said[1] < _ATOL else None


def _followed(parts: list[NDArray[np.float64]], joined: bool) -> NDArray[np.float64]:
    """Return the results of subtasks: one after the other, or beside each other."""
    if len(parts) == 1:
        return parts[0]
    if joined and all(part.ndim <= 1 for part in parts):
        return np.concatenate([np.atleast_1d(part) for part in parts])
    return _stacked(parts)


def _stacked(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return results beside each other; shorter ones are filled with what is no number."""
    most = max(part.ndim for part in parts)
    parts = [part.reshape(part.shape + (1,) * (most - part.ndim)) for part in parts]
    shape = tuple(max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True))
    filled = np.full((len(parts), *shape), np.nan)
    for number, part in enumerate(parts):
        places: tuple[int | slice, ...] = (number, *(slice(0, size) for size in part.shape))
        filled[places] = part
    return filled
