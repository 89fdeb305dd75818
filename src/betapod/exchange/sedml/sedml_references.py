"""What parts of a SED-ML document refer to: models, simulations, tasks and ranges by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...base.errors import Location, Problem, did_you_mean
from .sedml_document import SedmlGenerator, SedmlModelEntry, SedmlSimulation, SedmlTask


def reference_problems(
    models: Mapping[str, SedmlModelEntry],
    simulations: Mapping[str, SedmlSimulation],
    tasks: Mapping[str, SedmlTask],
    generators: Mapping[str, SedmlGenerator],
) -> list[Problem]:
    """Return a problem for each name that nothing has, and for tasks that repeat themselves.

    Parameters
    ----------
    models, simulations, tasks, generators
        Parts of a document by their names.

    Examples
    --------
    >>> from betapod.base.errors import NOWHERE
    >>> from betapod.exchange.sedml.sedml_document import SedmlTask
    >>> from betapod.exchange.sedml.sedml_references import reference_problems
    >>> [problem.message for problem in reference_problems({}, {}, {"t": SedmlTask("t", NOWHERE, "m", "s")}, {})]
    ["there is no model 'm'", "there is no simulation 's'"]
    """
    problems: list[Problem] = []

    def needs(name: str, there: Iterable[str], noun: str, location: Location) -> None:
        names = list(there)
        if name not in names:
            hint = did_you_mean(name, names)
            problems.append(Problem("unknown-name", f"there is no {noun} {name!r}", location, hint=hint))

    for task in tasks.values():
        if not task.subtasks:
            needs(task.model, models, "model", task.location)
            needs(task.simulation, simulations, "simulation", task.location)
        else:
            needs(task.along, [entry.name for entry in task.ranges], "range", task.location)
        for subtask in task.subtasks:
            needs(subtask.task, tasks, "task", subtask.location)
        for setting in (*task.settings, *(s for subtask in task.subtasks for s in subtask.settings)):
            needs(setting.model, models, "model", setting.location)
    for generator in generators.values():
        for variable in generator.formula.variables:
            needs(variable.of, tasks, "task", variable.location)
    return problems or _circles(tasks)


def _circles(tasks: Mapping[str, SedmlTask]) -> list[Problem]:
    for name, task in tasks.items():
        above, reached = {name}, [subtask.task for subtask in task.subtasks]
        while reached:
            inner = reached.pop()
            if inner == name:
                return [Problem("circle", f"the task {name} repeats itself", task.location)]
            if inner not in above:
                above.add(inner)
                reached += [subtask.task for subtask in tasks[inner].subtasks]
    return []
