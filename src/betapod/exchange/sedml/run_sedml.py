"""Run a simulation of another tool: a SED-ML file or a COMBINE archive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...base import overwriting
from ...base.arguments import path as path_of
from ...base.errors import BetapodError, ExchangeError, Location, Problem
from .sedml_archive import sedml_files
from .sedml_document import SedmlDocument, SedmlPlot, SedmlReport
from .sedml_formulas import aligned, formula_value
from .sedml_models import SedmlModels
from .sedml_reader import read_sedml
from .sedml_tasks import SedmlTasks, variable_key

if TYPE_CHECKING:
    import pandas as pd

#: Is told what is done, how much of it, and of how much.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SedmlCurveData:
    """The points of one curve, or of an area between `y` and `upper`; (repetitions, points)."""

    label: str
    kind: str
    right: bool
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    upper: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class SedmlPlotData:
    """A plot with its numbers; `x_label` names what lies along its first axis, if that is one thing."""

    plot: SedmlPlot
    curves: tuple[SedmlCurveData, ...]
    x_label: str = ""


@dataclass(frozen=True)
class SedmlResults:
    """What the simulations of a file gave.

    Attributes
    ----------
    data
        Values of every data generator: a number for each row of a task; those of a repeated task begin with a dimension for its repetitions.
    reports
        Tables by their identifiers. Rows of repetitions stand below each other, with their number in the column ``repeat``.
    plots
        Plots by their identifiers.
    notes
        Sentences on what was done otherwise than asked for, or left out.
    """

    data: Mapping[str, NDArray[np.float64]]
    reports: Mapping[str, pd.DataFrame]
    plots: Mapping[str, SedmlPlotData]
    notes: tuple[str, ...] = ()


def read_experiments(path: str | Path) -> dict[str, SedmlDocument]:
    """Read what a SED-ML file, or an archive, asks for, without simulating.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    dict
        Documents by their names; of an archive, those that it begins with.

    Raises
    ------
    ExchangeError
        Everything that is wrong with them, their models included.
    """
    return {name: tasks.document for name, tasks in _prepared(path, None).items()}


def run_sedml(path: str | Path, progress: Progress | None = None) -> SedmlResults:
    """Run the simulations of a SED-ML file (Level 1, all versions) or of a COMBINE archive, with models in SBML.

    Nothing is fetched, and no file outside the archive, or the folder of the file, is opened.

    Parameters
    ----------
    path
        A SED-ML file, with its models beside it, or an archive.
    progress
        Is told what is done, how many simulations are done, and of how many.

    Returns
    -------
    SedmlResults
        Data, reports and plots. Of several SED-ML files in an archive, names begin with that of their file.

    Raises
    ------
    ExchangeError
        Everything that is wrong or not supported, before the first simulation.
    SolverError
        A simulation cannot be carried out.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "meal.omex"
    >>> meal = betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
    >>> model = betapod.load_model("topp2000")
    >>> results = betapod.run_sedml(betapod.write_archive(model, path, [0, 1, 2, 3], meal, outputs=["glucose"]))
    >>> results.reports["report"].columns.tolist()
    ['time', 'glucose [mg/dL]']
    """
    prepared = _prepared(path, progress)
    parts = [(name, _results(tasks)) for name, tasks in prepared.items()]
    if len(parts) == 1:
        return parts[0][1]
    stems = [re.sub(r"\W+", "_", name.removesuffix(".sedml").removesuffix(".xml")) for name, _ in parts]
    named = list(zip(stems, (part for _, part in parts), strict=True))
    return SedmlResults(
        {f"{stem}_{key}": value for stem, part in named for key, value in part.data.items()},
        {f"{stem}_{key}": value for stem, part in named for key, value in part.reports.items()},
        {f"{stem}_{key}": value for stem, part in named for key, value in part.plots.items()},
        tuple(dict.fromkeys(note for _, part in named for note in part.notes)),
    )


def _prepared(path: str | Path, progress: Progress | None) -> dict[str, SedmlTasks]:
    """Return checked tasks of every SED-ML file, by name."""
    source = path_of("path", path, ExchangeError)
    prepared: dict[str, SedmlTasks] = {}
    problems: list[Problem] = []
    try:
        files = sedml_files(source)
        overwriting.opened(source)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ExchangeError(Problem("no-file", f"the file cannot be read: {reason}", Location(str(source)))) from None
    for file in files:
        where = str(source) if len(files) == 1 and file.name == source.name else f"{source}: {file.name}"

        def tell(done: int, of: int, name: str = file.name) -> None:
            if progress is not None:
                progress(f"simulating {name}", done, of)

        try:
            document = read_sedml(file.content, where)
            tasks = SedmlTasks(document, SedmlModels(document, file.fetch), tell)
            tasks.check()
            prepared[file.name] = tasks
        except BetapodError as error:
            problems += error.problems
    if problems:
        raise ExchangeError(problems)
    return prepared


def _results(tasks: SedmlTasks) -> SedmlResults:
    document, data = tasks.document, {}
    for name, generator in document.generators.items():
        values = {
            variable.name: tasks.result(variable.of)[variable_key(variable)] for variable in generator.formula.variables
        }
        data[name] = formula_value(generator.formula, values, document.file)
    reports = {report.name: _table(report, data, document) for report in document.reports}
    plots = {plot.name: _plotted(plot, data, document) for plot in document.plots}
    return SedmlResults(data, reports, plots, (*document.notes, *tasks.notes))


def _table(report: SedmlReport, data: Mapping[str, NDArray[np.float64]], document: SedmlDocument) -> pd.DataFrame:
    """Return a report: rows of repetitions below each other, shorter columns with empty cells at their end."""
    import pandas as pd

    arrays = [np.atleast_1d(data[column.data]) for column in report.columns]
    together = aligned(arrays)
    if together is not None and together:
        shape = np.broadcast_shapes(*(array.shape for array in together))
        arrays = [np.broadcast_to(array, shape) for array in together]
    elif any(array.ndim > 1 for array in arrays):
        message = f"the columns of the report {report.name} have different lengths in their repetitions"
        raise ExchangeError(Problem("bad-data", message, report.location))
    labels = _different([column.label for column in report.columns])
    longest = max((array.shape[-1] if array.ndim == 1 else array.size for array in arrays), default=0)
    columns: dict[str, NDArray[np.float64]] = {}
    leading = arrays[0].ndim - 1 if arrays and together is not None else 0
    for axis in range(leading):
        turns = np.indices(arrays[0].shape)[axis].ravel() + 1
        columns["repeat" if leading == 1 else f"repeat {axis + 1}"] = turns
    for label, array in zip(labels, arrays, strict=True):
        column = np.full(longest, np.nan)
        column[: array.size] = array.ravel()
        columns[label] = column
    table = pd.DataFrame(columns)
    return table.dropna(how="all", subset=labels).reset_index(drop=True) if leading else table


def _different(labels: Sequence[str]) -> list[str]:
    """Return headings that differ: a second one of the same name is numbered."""
    counts: dict[str, int] = {}
    headings = []
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
        headings.append(label if counts[label] == 1 else f"{label} ({counts[label]})")
    return headings


def _plotted(plot: SedmlPlot, data: Mapping[str, NDArray[np.float64]], document: SedmlDocument) -> SedmlPlotData:
    curves = []
    for curve in plot.curves:
        names = [curve.x, curve.y, *([curve.upper] if curve.upper else [])]
        together = aligned([np.atleast_1d(data[name]) for name in names])
        if together is None:
            message = f"the curve {curve.name} of {plot.name} has data of different lengths"
            raise ExchangeError(Problem("bad-data", message, plot.location, ", ".join(names)))
        shape = np.broadcast_shapes(*(array.shape for array in together))
        x, y, *upper = (np.broadcast_to(array, shape).reshape(-1, shape[-1]) for array in together)
        label = curve.label or document.generators[curve.y].label
        curves.append(SedmlCurveData(label, curve.kind, curve.right, x, y, upper[0] if upper else None))
    along = {document.generators[curve.x].label for curve in plot.curves}
    return SedmlPlotData(plot, tuple(curves), along.pop() if len(along) == 1 else "")
