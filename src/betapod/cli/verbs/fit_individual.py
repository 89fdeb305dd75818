"""The verbs of fits for problems of the kind ``individual``: a user's own model and her own measurements of people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ...base.errors import Location
from ..running import command
from ..shared import model_from, print_fields, print_json, print_note, print_table, print_text, warn, with_noun
from ..waiting import show_progress, waiting

if TYPE_CHECKING:
    from ...calibration.individual.individual_folder import IndividualRecord
    from ...calibration.individual.individual_problem import IndividualProblem

#: Exit code of what the user stopped.
_INTERRUPTED = 130
#: People whose estimates are printed; the table has all of them.
_SHOWN = 12


def new_individual(folder: Path, as_json: bool = False) -> None:
    """Write the files of an example into a folder, to be changed."""
    from ...calibration.individual.individual_examples import write_individual_example

    paths = write_individual_example(folder)
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    print_text(f"written: {', '.join(str(path) for path in paths)}")
    print_note(f"look at the problem file, then: {command('fit', 'plan', paths[0])}")


def plan_individual(path: Path, threads: int | None = None, as_json: bool = False) -> None:
    """Print what a fit of people will do: who was measured, what is looked for, and what the data can tell."""
    from ...calibration.individual.individual_plan import plan_individuals

    problem = _problem(path)
    with waiting("simulating everybody once"):
        plan = plan_individuals(problem, threads)
    if as_json:
        print_json(
            {
                "kind": "individual",
                "title": problem.title,
                "people": len(problem.people),
                "measurements": problem.measurements,
                "fewest": plan.fewest,
                "most": plan.most,
                "observables": [_observable(problem, number) for number in range(len(problem.observables))],
                "parameters": [_parameter(problem, number) for number in range(len(problem.parameters))],
                "not_simulated": list(plan.not_simulated),
                "too_few": list(plan.too_few),
                "untold": plan.untold,
                "seconds": plan.seconds,
                "notes": list(problem.notes),
            }
        )
        return
    print_text(problem.title, "bold")
    counts = f"{plan.fewest}" if plan.fewest == plan.most else f"{plan.fewest} to {plan.most}"
    people = with_noun(len(problem.people), "person", "people")
    print_text(f"{people}, {with_noun(problem.measurements, 'measurement')}, {counts} of each person")
    rows = [_observable(problem, number) for number in range(len(problem.observables))]
    print_table(
        ("measured", "by the model's", "unit", "measurements", "error"),
        [(r["name"], r["output"], r["unit"], str(r["measurements"]), r["error"]) for r in rows],
        right=("measurements",),
    )
    print_table(
        ("fitted", "unit", "start", "scale", "bounds", "prior, 95 %", "not told in"),
        [
            (
                r["name"], r["unit"], f"{r['start']:.4g}", r["transform"], _span(r["low"], r["high"]),
                _span(r["prior_low"], r["prior_high"]) if r["prior"] else "none",
                f"{plan.untold[r['name']]} of {len(problem.people)}",
            )
            for r in (_parameter(problem, number) for number in range(len(problem.parameters)))
        ],
        right=("start", "not told in"),
        spare=("bounds",),
    )  # fmt: skip
    for note in problem.notes:
        print_note(note)
    if plan.not_simulated:
        warn(f"the model cannot simulate where the search begins: {_names(plan.not_simulated)}")
    if plan.too_few:
        warn(f"fewer measurements than parameters without a prior: {_names(plan.too_few)}")
    open_ones = [name for name, count in plan.untold.items() if count]
    if open_ones:
        warn(
            f"were the start the truth, the data would not tell {', '.join(open_ones)} in everybody: a prior, a fixed value or "
            "other measurements would help"
        )
    print_note(
        f"takes about {max(plan.seconds, 1.0):.0f} s; fit with: {command('fit', 'run', path, '--out', 'FOLDER')}"
    )


def run_individual(
    path: Path,
    folder: Path,
    threads: int | None = None,
    quiet: bool = False,
    as_json: bool = False,
    figure: Path | None = None,
) -> None:
    """Fit every person and the group, write the folder, and print what was found."""
    from ...base.errors import ConfigError
    from ...base.files import unfit
    from ...calibration.individual.individual_fit import fit_individuals
    from ...calibration.individual.individual_folder import (
        check_individual_target,
        read_individual_folder,
        write_individual_folder,
    )

    check_individual_target(folder)
    if figure is not None and (problems := unfit(figure, (".pdf", ".png", ".svg"))):
        raise ConfigError(problems)
    problem = _problem(path)
    try:
        with show_progress(quiet) as progress:
            fit = fit_individuals(problem, threads, progress)
    except KeyboardInterrupt:
        print_note("interrupted: nothing was written, and the same command begins anew")
        raise typer.Exit(_INTERRUPTED) from None
    write_individual_folder(fit, folder)
    record = read_individual_folder(folder)
    _draw(record, figure, quiet)
    _report(record, as_json)
    if not quiet and not as_json:
        print_note(f"{record.identity['seconds']:.1f} s, {fit.lanes:,} simulations of a person; results in {folder}")


def show_individual(folder: Path, as_json: bool = False, figure: Path | None = None) -> None:
    """Print what a finished fit of people found."""
    from ...calibration.individual.individual_folder import read_individual_folder

    record = read_individual_folder(folder)
    _draw(record, figure, as_json)
    _report(record, as_json)


def check_individual(folder: Path, as_json: bool = False) -> None:
    """Print what speaks for and against a finished fit of people: residuals, identifiability, warnings."""
    from ...calibration.individual.individual_folder import read_individual_folder

    record = read_individual_folder(folder)
    if as_json:
        names = ("title", "identifiability", "warnings")
        document = {name: record.identity[name] for name in names}
        print_json({**document, "checks": list(record.tables["checks"])})
        return
    print_text(record.identity["title"], "bold")
    _print_checks(record)
    _print_identifiability(record)


# -- words and tables ------------------------------------------------------------------------------------------------


def _problem(path: Path) -> IndividualProblem:
    from ...calibration.individual.individual_problem import read_individual_problem

    with waiting("reading"):
        return read_individual_problem(path, model_from)


def _observable(problem: IndividualProblem, number: int) -> dict[str, Any]:
    observable = problem.observables[number]
    error = observable.error
    words = f"{error.form}, size to be estimated" if error.estimated else error.words(observable.unit)
    count = sum(int((person.observable == number).sum()) for person in problem.people)
    return {
        "name": observable.name,
        "output": observable.output,
        "unit": observable.unit,
        "measurements": count,
        "error": words,
    }


def _parameter(problem: IndividualProblem, number: int) -> dict[str, Any]:
    parameter = problem.parameters[number]
    names = ("name", "unit", "start", "transform", "low", "high", "prior_low", "prior_high", "label")
    return {name: getattr(parameter, name) for name in names} | {"prior": parameter.has_prior}


def _span(low: float, high: float) -> str:
    """Return a range for reading; one without an end is open."""
    if math.isinf(low) and math.isinf(high):
        return "none"
    if math.isinf(high):
        return f"above {low:.4g}"
    return f"below {high:.4g}" if math.isinf(low) else f"{low:.4g} to {high:.4g}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _draw(record: IndividualRecord, figure: Path | None, quiet: bool) -> None:
    if figure is None:
        return
    from ...report.individual.individual_figures import write_individual_figures

    with waiting("drawing"):
        written = write_individual_figures(record, figure)
    if not quiet:
        for path in written:
            print_note(f"wrote {path}")


def _report(record: IndividualRecord, as_json: bool) -> None:
    if as_json:
        tables = {name: list(rows) for name, rows in record.tables.items() if name not in ("courses", "measurements")}
        content = {key: value for key, value in record.identity.items() if key not in ("schema_version", "files")}
        print_json({"folder": str(record.folder), **content, **tables})
        return
    identity = record.identity
    print_text(identity["title"], "bold")
    people = with_noun(identity["people"], "person", "people")
    print_text(
        f"{people}, {with_noun(identity['measurements'], 'measurement')}, "
        f"{with_noun(round(identity['freedom']), 'degree', 'degrees')} of freedom"
    )
    print_fields(
        [
            (f"error of {entry['observable']}", f"{entry['words']} ({'estimated' if entry['estimated'] else 'stated'})")
            for entry in identity["errors"]
        ]
    )
    _print_people(record)
    _print_group(record)
    _print_checks(record)
    _print_identifiability(record)


def _print_people(record: IndividualRecord) -> None:
    rows = list(record.tables["people"])
    names = list(dict.fromkeys(row["person"] for row in rows))
    kept = set(names[:_SHOWN])
    interval = f"{100 * record.identity['level']:g} % interval"
    remarks = any(_remark(row) for row in rows if row["person"] in kept)
    print_table(
        ("person", "parameter", "unit", "estimate", interval, *(["remark"] if remarks else [])),
        [
            (
                row["person"], row["parameter"], row["unit"], _number(row["estimate"]), _interval(row["low"], row["high"]),
                *([_remark(row)] if remarks else []),
            )
            for row in rows
            if row["person"] in kept
        ],
        right=("estimate", interval),
    )  # fmt: skip
    if len(names) > _SHOWN:
        print_note(f"and {len(names) - _SHOWN} more people in {Location(str(record.folder / 'people.csv'))}")


def _remark(row: Mapping[str, Any]) -> str:
    if row["message"]:
        return str(row["message"])
    return "at a bound" if row["at_bound"] else "" if row["told"] else "not told by the data"


def _print_group(record: IndividualRecord) -> None:
    group, rows = record.identity["group"], record.tables["group"]
    interval = f"{100 * record.identity['level']:g} % interval"
    if group is not None:
        print_text(
            f"How people differ ({group['method']}), from {with_noun(group['people'], 'person', 'people')}", "bold"
        )
        print_table(
            ("parameter", "unit", "median", interval, "95 % of people", "SD", "± se", "SD of estimates", "scale"),
            [
                (
                    row["parameter"], row["unit"], _number(row["median"]), _interval(row["low"], row["high"]),
                    _interval(row["people_low"], row["people_high"]), _number(row["spread"]), _number(row["spread_se"]),
                    _number(row["spread_of_estimates"]), row["scale"],
                )
                for row in rows
            ],
            right=("median", interval, "95 % of people", "SD", "± se", "SD of estimates"),
            spare=("SD of estimates", "± se"),
        )  # fmt: skip
        if group["without_correlations"]:
            print_note("correlations between people are taken to be 0: there are too few people to estimate them")
        elif pairs := record.tables["correlations"]:
            print_text(", ".join(f"{row['first']} with {row['second']} {row['between_people']:+.2f}" for row in pairs))
        if not group["at_rest"]:
            warn("the spread between people did not come to rest: take it for a guess")
    if any("pooled" in row for row in rows):
        print_text("All people together, as if they did not differ; intervals by person", "bold")
        print_table(
            ("parameter", "unit", "value", interval),
            [
                (
                    row["parameter"],
                    row["unit"],
                    _number(row["pooled"]),
                    _interval(row["pooled_low"], row["pooled_high"]),
                )
                for row in rows
            ],
            right=("value", interval),
        )


def _print_checks(record: IndividualRecord) -> None:
    checks = record.tables["checks"]
    failed = [check for check in checks if not check["passed"]]
    print_text(f"Residuals: {len(checks) - len(failed)} of {with_noun(len(checks), 'check')} passed", "bold")
    for check in failed:
        warn(f"{check['observable']}: {check['words']} ({check['check']}, chance {check['chance']:.1g})")
    far = [row for row in record.tables["measurements"] if abs(row["residual"]) > 4.0]
    for row in far[:5]:
        warn(
            f"line {row['line']:.0f} of the table: {row['observable']} of {row['person']} is {row['residual']:+.1f} SD off"
        )


def _print_identifiability(record: IndividualRecord) -> None:
    for sentence in record.identity["identifiability"]:
        print_text(sentence, hanging=2)
    for sentence in record.identity["warnings"]:
        warn(sentence)


def _number(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "-"


def _interval(low: float, high: float) -> str:
    """Return an interval for reading; an end that nothing is known of is left open."""
    if math.isnan(low) or math.isnan(high):
        return "-"
    return f"{low:.4g} to {high:.4g}" if math.isfinite(high) and math.isfinite(low) else "open"
