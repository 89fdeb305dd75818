"""The verb petab: problems of parameter estimation of other tools, evaluated and fitted with this engine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...base.errors import ConfigError, Location, Problem
from ..csv_output import Csv, CsvOption, WideOption, given_as_csv
from ..running import QuietOption, command
from ..shared import (
    JsonOption,
    assignments,
    print_fields,
    print_json,
    print_note,
    print_table,
    print_text,
    warn,
    with_noun,
)
from ..waiting import show_progress, waiting

if TYPE_CHECKING:
    from ...exchange.petab.petab_fit import PetabFit
    from ...exchange.petab.petab_objective import PetabEvaluation
    from ...exchange.petab.petab_problem import PetabProblem

petab_app = typer.Typer(help="PEtab: problems of parameter estimation of other tools.", no_args_is_help=True)

ProblemArgument = Annotated[
    Path,
    typer.Argument(metavar="PROBLEM", help="Problem of PEtab 1 or 2 (YAML), with its tables and its SBML beside it."),
]


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(petab_app, name="petab")


@petab_app.command("new")
def petab_new_command(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder.")], as_json: JsonOption = False
) -> None:
    """Write the files of a small problem, to be changed.

    Its measurements are invented.
    """
    from ...exchange.petab.petab_example import write_petab_example

    path = write_petab_example(folder)
    if as_json:
        print_json({"files": sorted(str(file) for file in path.parent.iterdir())})
        return
    print_text(f"written: {path} and what it names")
    print_note(f"look at it, then: {command('petab', 'evaluate', path)}")


@petab_app.command("evaluate")
def petab_evaluate_command(
    problem: ProblemArgument,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Value of a parameter instead of the nominal one; may be repeated."
        ),
    ] = None,
    slopes: Annotated[
        bool, typer.Option("--gradient", help="Derivatives of llh by the estimated parameters, on their scales.")
    ] = False,
    csv: CsvOption = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """How likely a problem's measurements are: llh, chi2, predictions.

    The table has a row for each measurement. Into a pipe or a file it goes as CSV.
    """
    from ...exchange.petab.petab_objective import PetabObjective

    read = _read(problem)
    values = _values(settings or [])
    with waiting("simulating"):
        at = PetabObjective(read)(values, slopes)
    rows = _rows(read, at)
    table = Csv.of(list(rows[0]), [list(row.values()) for row in rows])
    if as_json:
        print_json({**_document(at), "measurements": rows})
        return
    if given_as_csv(table, csv, as_json, wide, text=bool(csv)):
        return
    print_fields(_fields(at))
    if at.gradient is not None:
        print_table(
            ("parameter", "d llh", "d log prior"),
            [(name, f"{g:.8g}", f"{(at.prior_gradient or {})[name]:.8g}") for name, g in at.gradient.items()],
            right=("d llh", "d log prior"),
        )
    print_table(
        list(rows[0]), [[_cell(cell) for cell in row.values()] for row in rows], right=list(rows[0])[2:], wide=wide
    )


@petab_app.command("fit")
def petab_fit_command(
    problem: ProblemArgument,
    starts: Annotated[
        int,
        typer.Option(
            "--starts",
            min=1,
            max=10_000,
            help="Searches: the first from the nominal values, the others from anywhere within the bounds.",
        ),
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the places where searches begin.")] = 1,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Processor cores; all by default.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Write the table of parameters with the estimates as nominal values (TSV)."
        ),
    ] = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Fit the estimated parameters of a problem.

    The most likely values, with the prior where there is one.
    """
    from ...exchange.petab.petab_fit import fit_petab
    from ...exchange.petab.petab_writer import petab_parameter_table

    read = _read(problem)
    with show_progress(quiet) as progress:
        fit = fit_petab(read, starts, seed, threads, progress)
    if out is not None:
        from ...base.files import write_text

        write_text(out, petab_parameter_table(read, fit.best.values))
    if as_json:
        print_json(_fit_document(fit))
        return
    _print_fit(read, fit)
    if out is not None and not quiet:
        print_note(f"wrote {out}")


def _read(path: Path) -> PetabProblem:
    from ...exchange.petab.petab_reader import read_petab

    with waiting("reading"):
        read = read_petab(path)
    for note in read.notes:
        print_note(note)
    if not read.measurements:
        raise ConfigError(Problem("no-measurements", "the problem has no measurement", Location(str(path))))
    return read


def _values(settings: list[str]) -> dict[str, float]:
    values, problems = {}, []
    for name, text in assignments(settings, "--set").items():
        try:
            values[name] = float(text)
        except ValueError:
            problems.append(Problem("bad-number", "this is not a number", Location(f"--set {name}={text}"), text))
    if problems:
        raise ConfigError(problems)
    return values


def _rows(problem: PetabProblem, at: PetabEvaluation) -> list[dict[str, Any]]:
    return [
        {
            "observable": m.observable, "experiment": m.experiment, "time": m.time, "measurement": m.value,
            "simulation": float(at.simulated[k]), "noise": float(at.noise[k]), "residual": float(at.residuals[k]),
        }
        for k, m in enumerate(problem.measurements)
    ]  # fmt: skip


def _document(at: PetabEvaluation) -> dict[str, Any]:
    gradient = (
        {} if at.gradient is None else {"gradient": dict(at.gradient), "prior_gradient": dict(at.prior_gradient or {})}
    )
    return {"llh": at.llh, "chi2": at.chi2, "log_prior": at.log_prior, "values": dict(at.values), **gradient}


def _fields(at: PetabEvaluation) -> list[tuple[str, str]]:
    count = len(at.residuals)
    fields = [("llh", f"{at.llh:.10g}"), ("chi2", f"{at.chi2:.10g} of {with_noun(count, 'measurement')}")]
    return [*fields, ("log prior", f"{at.log_prior:.10g}")] if at.log_prior else fields


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def _fit_document(fit: PetabFit) -> dict[str, Any]:
    searches = [
        {"start": s.start, "end": s.end, "objective": s.objective, "evaluations": s.evaluations, "message": s.message}
        for s in fit.searches
    ]
    return {
        **_document(fit.best),
        "at_bounds": list(fit.at_bounds),
        "agreeing": fit.agreeing,
        "searches": searches,
    }


def _print_fit(problem: PetabProblem, fit: PetabFit) -> None:
    print_fields(_fields(fit.best))
    rows = [
        (name, f"{fit.best.values[name]:.6g}", f"{row.nominal:.6g}", f"{row.low:.4g} to {row.high:.4g}", row.scale)
        for name, row in problem.parameters.items()
        if row.estimated
    ]
    print_table(("parameter", "estimate", "nominal", "bounds", "scale"), rows, right=("estimate", "nominal"))
    evaluations = sum(search.evaluations for search in fit.searches)
    print_text(
        f"{fit.agreeing} of {with_noun(len(fit.searches), 'search', 'searches')} came as high; {evaluations} evaluations",
        "dim",
    )
    if fit.at_bounds:
        warn(f"at a bound: {', '.join(fit.at_bounds)}")
