"""A simulation of one person as a COMBINE archive that other tools can run again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from ...base.arguments import floats, instance
from ...base.arguments import path as path_of
from ...base.errors import ExchangeError, Location, Problem
from ...base.exports import table_as_csv
from ...base.files import replacing
from ...engine.schedule import Schedule
from ...engine.scipy.reference import simulate_by_reference as simulate
from ...model import Model
from ...model.bibliography import Bibliography
from ...model.parameters.table import source_keys
from ...physiology.whole_body import BIBLIOGRAPHY
from ..sbml.read import read_sbml
from ..sbml.write import write_sbml
from .omex import ArchiveFile, omex_bytes
from .scheduled_model import scheduled_model
from .sedml import TimeCourse, sedml_text

#: Tolerance of the results in the archive.
RTOL = 1e-9


def write_archive(
    model: Model,
    path: str | Path,
    times: ArrayLike,
    schedule: Schedule | None = None,
    initial: Mapping[str, float] | None = None,
    outputs: Sequence[str] | None = None,
    title: str = "",
    nested: bool = False,
) -> Path:
    """Write a simulation as a COMBINE archive: SBML with the schedule inside, SED-ML that runs it, results, metadata.

    The same simulation gives the same bytes.

    Parameters
    ----------
    model
        Any model that can be written as SBML.
    path
        File, ``.omex``.
    times
        Of the rows, from 0 on, equally far apart: SED-ML has no others.
    schedule, initial
        As of ``simulate``.
    outputs
        States and equations to report; all states by default.
    title
        What the archive is; by default the name of the model.
    nested
        Write the model as nested functions, with the reported equations alone: so large models load in Tellurium and libRoadRunner.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ExchangeError
        Times that are not equally far apart, outputs that are inputs, or something that SBML has no place for.
    SolverError
        The simulation cannot be carried out.

    Examples
    --------
    >>> import betapod, pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "meal.omex"
    >>> schedule = betapod.Schedule([betapod.Dose("glucose", 50.0, 1.0)])
    >>> betapod.write_archive(betapod.load_model("topp2000"), path, [0, 1, 2, 3], schedule, outputs=["glucose"]).name
    'meal.omex'
    """
    instance("model", model, Model, "a model, such as load_model('kidney')", ExchangeError)
    target = path_of("path", path, ExchangeError)
    visits = floats("times", times, ExchangeError)
    check_even(visits)
    names = list(model.state_names if outputs is None else outputs)
    run = archived_run(model, visits, schedule or Schedule(), initial, names, nested)
    course = TimeCourse("model.xml", float(visits[-1]), len(visits) - 1, run.labels, title or model.name, RTOL)
    files = [
        ArchiveFile("model.xml", "sbml", run.sbml),
        ArchiveFile("simulation.sedml", "sedml", sedml_text(course), master=True),
        ArchiveFile("results.csv", "csv", run.csv),
        ArchiveFile("README.txt", "text", _readme(model, course)),
    ]
    content = omex_bytes(files, title or model.name, cited_works(model))
    with replacing(target) as temporary:
        temporary.write_bytes(content)
    return target


@dataclass(frozen=True)
class ArchivedRun:
    """One simulation for an archive.

    Attributes
    ----------
    sbml
        The model with its schedule inside.
    labels
        What each output is called, with its unit, by its identifier in the file.
    csv
        Values at all rows, as betapod computes them from the file.
    """

    sbml: str
    labels: Mapping[str, str]
    csv: str


def archived_run(
    model: Model,
    visits: np.ndarray,
    schedule: Schedule,
    initial: Mapping[str, float] | None,
    names: Sequence[str],
    nested: bool,
) -> ArchivedRun:
    """Return a simulation as an archive holds it.

    Raises
    ------
    ExchangeError
        Outputs that are inputs, or something that SBML has no place for.
    SolverError
        The simulation cannot be carried out.
    """
    scheduled = scheduled_model(model, schedule, float(visits[-1]), initial)
    kept = [name for name in names if name in scheduled.assignments] if nested else None
    sbml = write_sbml(scheduled, nested=nested, outputs=kept)
    # Results are those of the file, as another tool reads it.
    again = read_sbml(sbml)
    identifiers = {name: _identifier(name) for name in names}
    missing = [name for name, identifier in identifiers.items() if identifier not in again.report.names]
    if missing:
        message = f"{', '.join(missing)} cannot be reported by the file"
        raise ExchangeError(Problem("unknown-name", message, Location("outputs"), expected="states and equations"))
    columns = [again.report.names[identifiers[name]] for name in names]
    table = simulate(again, visits, rtol=RTOL, outputs=columns).table
    labels = {identifiers[name]: f"{name} [{model.units[name]}]" for name in names}
    table.columns = list(labels.values())
    table.index.name = f"time [{model.time_unit}]"
    return ArchivedRun(sbml, labels, table_as_csv(table, index=True, float_format="%.12g"))


def check_even(visits: np.ndarray) -> None:
    """Check that rows are equally far apart, from 0 on.

    Raises
    ------
    ExchangeError
        They are not.
    """
    good = visits.ndim == 1 and visits.size > 1 and visits[0] == 0.0 and bool(np.all(np.isfinite(visits)))
    steps = np.diff(visits) if good else np.array([0.0])
    if not good or not np.all(np.abs(steps - steps.mean()) <= 1e-9 * visits[-1]) or not steps.mean() > 0.0:
        hint = "Choose a step that divides the duration."
        message = "SED-ML has rows from 0 on that are equally far apart, and no others"
        raise ExchangeError(Problem("bad-times", message, Location("times"), hint=hint))


def _identifier(name: str) -> str:
    """Return the identifier of a quantity in the file."""
    identifier = re.sub(r"\W", "_", name)
    return identifier if re.match(r"[A-Za-z_]", identifier) else f"_{identifier}"


def cited_works(model: Model) -> list[str]:
    """Return addresses of the works that parameters of the model cite."""
    bibliography = Bibliography.read(BIBLIOGRAPHY)
    keys = source_keys([*model.parameters.values(), *model.inputs.values()])
    dois = [bibliography[key].fields.get("doi", "") for key in keys if key in bibliography]
    return sorted({f"https://doi.org/{doi}" for doi in dois if doi})


def _readme(model: Model, course: TimeCourse) -> str:
    from ... import __version__

    return (
        f"{course.title}\n\n"
        f"Model {model.name}, written by betapod {__version__}. model.xml (SBML) holds the model with doses and changes of inputs as events,\n"
        f"simulation.sedml runs it over {course.end:g} {model.time_unit}, results.csv is what betapod computes from model.xml at a relative\n"
        f"tolerance of {course.rtol:g}. A row at the time of a change shows the value before it; what is done at time 0 is in the start.\n"
        "No medical device; a simulation is no evidence of efficacy.\n"
    )
