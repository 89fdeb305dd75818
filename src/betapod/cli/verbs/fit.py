"""The verb fit: published numbers, or a user's own measurements, speak to the unknowns of a model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Location, Problem
from ..csv_output import CsvOption
from ..running import QuietOption, ThreadsOption, breaking, command
from ..shared import JsonOption, print_json, print_note
from . import fit_checks, fit_export, fit_results
from .fit_individual import new_individual, plan_individual, run_individual
from .fit_shared import (
    FolderArgument,
    ProblemArgument,
    is_individual_fit,
    problem_at,
    problem_of_folder,
    refuse_individual,
    refuse_with_individuals,
    telling,
)

if TYPE_CHECKING:
    from ...calibration.stage_fit import FitOptions
    from ...calibration.staged_problem import StagedProblem

fit_app = typer.Typer(help="Fits: what published numbers or your own data say of unknowns.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    fit_checks.add_fit_check(fit_app)
    fit_results.add_fit_results(fit_app)
    fit_export.add_fit_export(fit_app)
    app.add_typer(fit_app, name="fit")


# -- verbs --------------------------------------------------------------------------------------------------------------


@fit_app.command("new")
def fit_new_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for the files of the example.")],
    individual: Annotated[
        bool, typer.Option("--individual", help="A model of your own, fitted to your own measurements of people.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write an example of a fit, to be changed."""
    if not individual:
        message = "say what the example is of"
        raise ConfigError(Problem("bad-option", message, expected="--individual"))
    new_individual(folder, as_json)


@fit_app.command("plan")
def fit_plan_command(
    problem: ProblemArgument,
    measure: Annotated[
        bool, typer.Option("--cost/--no-cost", help="Measure the cost of one evaluation, or only read the problem.")
    ] = True,
    draws: Annotated[
        int, typer.Option("--draws", min=2, help="Draws of the posterior that the time is predicted for.")
    ] = 64,
    csv: CsvOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what a fit will do: rows, unknowns, cost.

    A family of studies that would be both fitted and set aside is refused.
    """
    from .fit_plans import print_plans, stage_plans

    if is_individual_fit(problem):
        refuse_with_individuals({"--csv": csv is not None})
        plan_individual(problem, threads, as_json)
        return
    with breaking(), telling(quiet) as tell:
        plans = stage_plans(problem_at(problem), measure, threads, tell)
    print_plans(plans, draws, csv, as_json, quiet)


@fit_app.command("screen")
def fit_screen_command(
    problem: ProblemArgument,
    stage: Annotated[str | None, typer.Option("--stage", metavar="NAME", help="Only this stage.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Unknowns to propose.")] = 20,
    folder: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Keep evaluations here; the same command goes on."),
    ] = None,
    csv: CsvOption = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find which candidates the rows speak to, by their slopes.

    Every candidate of the problem is moved by half an SD of its prior. Eigenvalues of the information are in units of the prior: a direction
    with 1 is known as well from the data as from the prior. The proposal is a greedy D-optimal choice.
    """
    from .fit_plans import print_screens, screened_stages

    refuse_individual(problem, "screened", "'betapod fit plan' says what the data could tell.")
    with breaking(), telling(quiet) as tell:
        screens = screened_stages(problem_at(problem), stage, most, folder, threads, tell)
    print_screens(screens, csv, as_json, quiet)


@fit_app.command("run")
def fit_run_command(
    problem: ProblemArgument,
    folder: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the fit; default: betapod-fit-PROBLEM."),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", min=2, help="Draws of the posterior.")] = 64,
    iterations: Annotated[int, typer.Option("--iterations", min=1, help="Most iterations of each stage.")] = 10,
    step: Annotated[
        float, typer.Option("--step", min=0.001, max=2.0, help="Step of the slopes, in SDs of the prior.")
    ] = 0.25,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Random seed; default: the problem's own.")] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Of a fit of people: draw its figures, data beside.")
    ] = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit a problem into a folder, stage by stage.

    Every evaluation is kept as it is finished: stopped in whatever way, the same command, or 'betapod fit resume', goes on and ends with the same
    numbers.
    """
    from ...calibration.stage_fit import FitOptions

    target = folder or Path(f"betapod-fit-{problem.stem}")
    if is_individual_fit(problem):
        options_of_rows = {"--draws": draws != 64, "--iterations": iterations != 10, "--step": step != 0.25}
        refuse_with_individuals(
            {**options_of_rows, "--seed": seed is not None}, "Its problem file says how it is fitted."
        )
        run_individual(problem, target, threads, quiet, as_json, figure)
        return
    if figure is not None:
        hint = "'betapod fit show FOLDER --figure FILE' draws the figures of a finished fit."
        raise ConfigError(Problem("useless-option", "--figure belongs to fits of people", hint=hint))
    options = FitOptions(draws, iterations, step, seed)
    _run(problem_at(problem), target, options, problem, threads, quiet, as_json)


@fit_app.command("resume")
def fit_resume_command(
    folder: FolderArgument,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Go on with a fit that was stopped."""
    if is_individual_fit(folder):
        message = "the fit of people in this folder is complete"
        raise ConfigError(Problem("complete-run", message, Location(str(folder)), hint="'betapod fit show' shows it."))
    problem, options = problem_of_folder(folder)
    _run(problem, folder, options, None, threads, quiet, as_json)


def _run(
    problem: StagedProblem,
    target: Path,
    options: FitOptions,
    path: Path | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    from ...calibration.fit_summary import fit_summary
    from ...calibration.run_fit import run_fit
    from .fit_shown import print_fit

    with breaking("fit", "resume", folder=target), telling(quiet) as tell:
        record = run_fit(problem, target, options, threads, tell, ["betapod", *sys.argv[1:]], path)
    if as_json:
        print_json({"folder": str(target), **fit_summary(record)})
        return
    print_fit(record)
    if not quiet:
        print_note(f"the fit is in {target}; look closer with: {command('fit', 'check', target)}")
