"""The verb sedml: simulations of other tools, in SED-ML files and COMBINE archives, run with this engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import ConfigError, not_among
from ..running import QuietOption, command
from ..shared import JsonOption, print_fields, print_json, print_note, print_table, print_text, with_noun
from ..waiting import show_progress, waiting

if TYPE_CHECKING:
    from ...exchange.sedml.run_sedml import SedmlResults
    from ...exchange.sedml.sedml_document import SedmlDocument, SedmlTask

sedml_app = typer.Typer(help="SED-ML and COMBINE archives: simulations of other tools.", no_args_is_help=True)

#: Forms of pictures; as `betapod.front.sedml_folder.PICTURES`, which takes long to import.
PICTURES = ("png", "svg", "none")

SedmlArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A COMBINE archive (OMEX), or a SED-ML file with its models beside it.")
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(sedml_app, name="sedml")


@sedml_app.command("new")
def sedml_new_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="New archive, .omex.")], as_json: JsonOption = False
) -> None:
    """Write a small archive, to be tried and changed.

    Glucose of the model topp2000 after a meal. An archive is a zip file: models in SBML, SED-ML that says what is done with them.
    """
    from ...engine.schedule import Dose, Schedule
    from ...exchange.archive.write_archive import write_archive
    from ...physiology.whole_body import named_model

    times = [k * 0.25 for k in range(17)]
    meal = Schedule([Dose("glucose", 50.0, 1.0)])
    path = write_archive(named_model("topp2000"), file, times, meal, outputs=["glucose", "insulin"], title="A meal")
    if as_json:
        print_json({"file": str(path)})
        return
    print_text(f"written: {path}")
    print_note(f"look at it, then: {command('sedml', 'run', path)}")


@sedml_app.command("show")
def sedml_show_command(file: SedmlArgument, as_json: JsonOption = False) -> None:
    """What a SED-ML file or an archive would simulate.

    Models are read and everything is checked; nothing is simulated.
    """
    from ...exchange.sedml.run_sedml import read_experiments

    with waiting("reading"):
        documents = read_experiments(file)
    if as_json:
        print_json({name: _document(document) for name, document in documents.items()})
        return
    for name, document in documents.items():
        print_fields([("file", name), ("SED-ML", f"Level {document.level} Version {document.version}")])
        rows = [(task, *_task_words(document, entry)) for task, entry in document.tasks.items()]
        print_table(("task", "model", "what is done"), rows)
        outputs = [(r.name, "table", with_noun(len(r.columns), "column"), r.label) for r in document.reports]
        outputs += [(p.name, "plot", with_noun(len(p.curves), "curve"), p.label) for p in document.plots]
        print_table(("output", "kind", "size", "title"), outputs)
        for note in document.notes:
            print_note(note)
    print_note(f"run it: {command('sedml', 'run', file, '--out', 'DIR')}")


@sedml_app.command("run")
def sedml_run_command(
    file: SedmlArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder for tables and pictures; default: named as the file, beside you."
        ),
    ] = None,
    pictures: Annotated[
        str,
        typer.Option("--pictures", metavar="FORM", help="Pictures of plots: png, svg, or none (their numbers alone)."),
    ] = "png",
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Run the simulations of a SED-ML file or an archive.

    Reports become tables (CSV), plots pictures with their numbers. Nothing is fetched from elsewhere.
    """
    from ...exchange.sedml.run_sedml import run_sedml
    from ...front.sedml_folder import write_sedml_results

    if pictures not in PICTURES:
        message = f"there are no pictures of the kind {pictures!r}"
        raise ConfigError(not_among(PICTURES, "unknown-format", message, pictures))
    with show_progress(quiet or as_json) as progress:
        results = run_sedml(file, progress)
    folder = out if out is not None else Path(file.name.removesuffix(file.suffix) or "results")
    written = write_sedml_results(results, folder, pictures)
    if as_json:
        tables = {name: table.to_dict("list") for name, table in results.reports.items()}
        print_json({"reports": tables, "files": [str(path) for path in written], "notes": list(results.notes)})
        return
    _tell(results, written, quiet)


def _tell(results: SedmlResults, written: list[Path], quiet: bool) -> None:
    rows = [
        (name, "table", with_noun(len(table), "row"), ", ".join(str(c) for c in table.columns))
        for name, table in results.reports.items()
    ]
    rows += [
        (name, "plot", with_noun(len(data.curves), "curve"), ", ".join(curve.label for curve in data.curves))
        for name, data in results.plots.items()
    ]
    print_table(("output", "kind", "size", "of"), rows)
    if quiet:
        return
    for note in results.notes:
        print_note(note)
    for path in written:
        print_note(f"wrote {path}")


def _task_words(document: SedmlDocument, task: SedmlTask) -> tuple[str, str]:
    """Return the model of a task, and what is done with it."""
    if not task.subtasks:
        simulation = document.simulations[task.simulation]
        if simulation.kind == "steadyState":
            return task.model, "steady state"
        if simulation.kind == "oneStep":
            return task.model, f"one step of {simulation.step:g}"
        course = f"time {simulation.first_row:g} to {simulation.end:g}, {with_noun(simulation.steps + 1, 'row')}"
        return task.model, course + (
            f", begun at {simulation.start:g}" if simulation.start != simulation.first_row else ""
        )
    names = ", ".join(subtask.task for subtask in task.subtasks)
    anew = "anew each time" if task.reset else "each from where the one before ended"
    return "", f"{names} repeated along {task.along}, {anew}"


def _document(document: SedmlDocument) -> dict[str, Any]:
    return {
        "level": document.level,
        "version": document.version,
        "models": {name: model.source for name, model in document.models.items()},
        "tasks": {
            name: dict(zip(("model", "what"), _task_words(document, t), strict=True))
            for name, t in document.tasks.items()
        },
        "reports": {report.name: [column.label for column in report.columns] for report in document.reports},
        "plots": {plot.name: [curve.label or curve.y for curve in plot.curves] for plot in document.plots},
        "notes": list(document.notes),
    }
