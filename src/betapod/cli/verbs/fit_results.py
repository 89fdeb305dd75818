"""Verbs of finished fits: show, compare, install."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...base.errors import ConfigError, Location, Problem
from ...therapies.scenarios import CURRENT_EVIDENCE
from ..csv_output import Csv, CsvOption, given_as_csv
from ..running import QuietOption
from ..shared import JsonOption, print_json, print_note, print_table
from .fit_individual import show_individual
from .fit_shared import (
    FitArgument,
    FolderArgument,
    is_individual_fit,
    record_at,
    refuse_individual,
    refuse_with_individuals,
)
from .fit_shown import print_comparison, print_fit

if TYPE_CHECKING:
    from ...calibration.compare_fits import FitComparison
    from ...calibration.fitted_tables import FittedTables, TableChange
    from ...physiology.installed_fits import FitRecord


def add_fit_results(fit_app: typer.Typer) -> None:
    """Add the verbs to the group."""
    for name, verb in (
        ("show", fit_show_command),
        ("compare", fit_compare_command),
        ("install", fit_install_command),
    ):
        fit_app.command(name)(verb)


def fit_show_command(
    fit: FitArgument,
    rows: Annotated[
        bool, typer.Option("--rows", help="With --csv: one line per published number instead of per unknown.")
    ] = False,
    page: Annotated[
        Path | None, typer.Option("--page", metavar="FILE", help="Write figures and tables as one HTML page.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", metavar="FILE", help="Draw its figures: pdf, png or svg, data beside.")
    ] = None,
    csv: CsvOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show a fit: unknowns, coverage, discrepancy, doubts.

    The posterior's interval holds 90 %. Contraction is 1 less the ratio of the SDs of posterior and prior: 0 where the data say nothing.
    """
    from ...calibration.fit_summary import fit_summary

    if is_individual_fit(fit):
        refuse_with_individuals({"--page": page is not None, "--rows": rows, "--csv": csv is not None})
        show_individual(Path(fit), as_json, figure)
        return
    record = record_at(fit)
    for line in _written(record, page, figure):
        if not quiet:
            print_note(line)
    if as_json:
        print_json(fit_summary(record))
    if given_as_csv(_table(record, rows), csv, as_json, text=True, quiet=quiet) or as_json:
        return
    print_fit(record)


def _table(record: FitRecord, rows: bool) -> Csv:
    columns = record.rows if rows else record.table("unknowns.csv")
    cells = [
        [value.item() if hasattr(value, "item") else value for value in line]
        for line in zip(*columns.values(), strict=True)
    ]
    return Csv.of(list(columns), cells)


def _written(record: FitRecord, page: Path | None, figure: Path | None) -> list[str]:
    """Write page and figures, and say what was written."""
    lines = []
    if page is not None:
        from ...report.fit.fit_page import write_fit_page

        lines.append(f"wrote {write_fit_page(record.folder, page)}")
    if figure is not None:
        from ...report.fit.fit_figures import draw_fit_figures

        lines += [f"wrote {path}" for path in draw_fit_figures(record.folder, figure)]
    return lines


def fit_compare_command(
    first: FitArgument,
    second: Annotated[str, typer.Argument(metavar="OTHER", help="Folder or name of the fit that it is compared with.")],
    worst: Annotated[int, typer.Option("--worst", min=0, help="List this many rows that changed most.")] = 20,
    csv: CsvOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two fits: unknowns, rows, verdicts of claims.

    A row is nearer or farther when its distance changes by half an error or more. Verdicts are compared where both fits have them, as
    installed fits do.
    """
    from ...calibration.compare_fits import compare_fits

    for fit in (first, second):
        refuse_individual(fit, "compared here", "Their tables people.csv and group.csv have the same columns.")
    comparison = compare_fits(record_at(first), record_at(second))
    heads = ("record", "family", "endpoint", "row_class", "fitted_first", "fitted_second", "z_first", "z_second")
    table = Csv.of(heads, [[getattr(row, name) for name in heads] for row in comparison.rows])
    if as_json:
        print_json(_comparison_values(comparison))
    if given_as_csv(table, csv, as_json, text=True, quiet=quiet) or as_json:
        return
    print_comparison(comparison, worst)


def _comparison_values(comparison: FitComparison) -> dict[str, object]:
    from dataclasses import asdict

    content = asdict(comparison)
    verdicts = comparison.verdicts
    content["verdicts"] = (
        None
        if verdicts is None
        else [{"claim": claim, "first": pair[0], "second": pair[1]} for claim, pair in verdicts.items()]
    )
    content["classes"] = [
        {"class": name, "rows": every, "nearer": nearer, "farther": farther}
        for name, (every, nearer, farther) in comparison.counts().items()
    ]
    return content


def fit_install_command(
    folder: FolderArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the installed fit, such as 2026.1.")],
    although: Annotated[
        bool, typer.Option("--although", help="Install it although there are reasons against it.")
    ] = False,
    verdicts: Annotated[
        Path | None,
        typer.Option("--verdicts", metavar="FILE", help="JSON of 'betapod claims --json' under the fit, kept with it."),
    ] = None,
    tables: Annotated[
        bool,
        typer.Option(
            "--tables",
            help="Also write its values into the parameter tables of this installation; patients must be grown anew then.",
        ),
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a finished fit part of this installation.

    Without --tables its draws widen intervals around the values that the tables have. Refused when fewer of the rows that were set aside lie inside their interval than before (by more than 3 points), when the draws are worth
    fewer than 16 of equal weight, or when an unknown ended at a bound. An installed fit is never changed: the next one has a new name.
    """
    from ...calibration.fitted_tables import VALUES
    from ...calibration.install_fit import finish_installations, install_fit

    if name in finish_installations():
        _print_installed(name, "was interrupted and is finished now", [], quiet, as_json)
        return
    if not folder.is_dir():
        raise ConfigError(Problem("no-fit", "there is no such folder", Location(str(folder))))
    refuse_individual(folder, "installed", "Only fits of published rows are part of an installation.")
    fitted = _tables_with(folder, name) if tables else None
    target = install_fit(
        folder, name, although, None if verdicts is None else _verdicts(verdicts), in_tables=tables, tables=fitted
    )
    shaping = [change for change in fitted.changes if change.column in VALUES] if fitted else []
    _print_installed(name, f"is installed in {target}", shaping, quiet, as_json)


def _print_installed(name: str, outcome: str, changes: list[TableChange], quiet: bool, as_json: bool) -> None:
    from ...physiology import installed_fits

    if as_json:
        folder = str(installed_fits.FITS / name)
        print_json({"name": name, "folder": folder, "tables": [asdict(change) for change in changes]})
    elif not quiet:
        if changes:
            heads = ["table", "row", "column", "before", "now"]
            cells = [[change.file, change.row, change.column, change.before, change.after] for change in changes]
            print_table(heads, cells)
        print_note(f"the fit {name} {outcome}")
        if changes:
            print_note("the patients of the package lived with the former values: 'betapod patients grow' makes others")


def _tables_with(folder: Path, name: str) -> FittedTables:
    """Return the tables with the values of a fit, before anything is installed."""
    from ...base.config import read_yaml
    from ...calibration.fitted_tables import fitted_tables
    from ...physiology.installed_fits import read_fit_record

    problem = folder / "problem.yaml"
    content = read_yaml(problem).data if problem.is_file() else {}
    scenario = str(content.get("scenario", CURRENT_EVIDENCE))
    return fitted_tables(read_fit_record(folder), name, scenario)


def _verdicts(path: Path) -> dict[str, str]:
    """Return verdicts by claim from the document of ``betapod claims --json``."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(claim["id"]): str(claim["verdict"]) for claim in content["claims"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = "this is no document of 'betapod claims --json'"
        raise ConfigError(
            Problem("bad-verdicts", message, Location(str(path)), str(error).partition("\n")[0])
        ) from None
