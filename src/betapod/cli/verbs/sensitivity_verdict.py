"""The verb sensitivity verdict: which numbers, varied together, decide the outcomes and the verdict of one claim."""

from __future__ import annotations

from typing import Annotated

import typer

from ...base.errors import ConfigError
from ..completion import complete_claim, complete_parameter
from ..csv_output import CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..running import QuietOption, breaking
from ..sensitivity_options import ROWS, MethodOptions, PlotOption, RowsOption
from ..sensitivity_results import draw_indices, indices_document, print_indices, rows_csv
from ..shared import JsonOption, names_option, print_json, print_note, unfit_figure, warn
from ..waiting import show_progress


@spelt_out
def sensitivity_verdict_command(
    claim: Annotated[str, typer.Argument(metavar="ID", help="A claim.", autocompletion=complete_claim)],
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAMES",
            help="Numbers to vary, comma-separated; by default all of the grade that have a range.",
            autocompletion=complete_parameter,
        ),
    ] = None,
    grade: Annotated[
        list[str] | None,
        typer.Option("--grade", metavar="GRADES", help="Grades of the numbers, e.g. 'C,D'; default: D."),
    ] = None,
    *,
    how: MethodOptions,
    plot: PlotOption = None,
    rows: RowsOption = ROWS,
    csv: CsvOption = None,
    wide: WideOption = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vary numbers together: what decides the verdict of a claim.

    Outcomes are shares of what is claimed; 'verdict stays' is 1 where the verdict is today's. What was computed is kept.
    """
    from ...claims.ledger import judge_ledger
    from ...sensitivity.verdict_function import VerdictFunction

    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    (entry,) = judge_ledger([claim])
    function = VerdictFunction.of_claim(entry, names_option(grade or ()) or ["D"], names_option(vary or ()))
    with breaking(), show_progress(quiet) as progress:
        result = how.applied_to(function, progress)
    if result.lost > 0.05:
        warn(f"{100 * result.lost:.2g} % of the runs gave no number: shares are of the others")
    if plot is not None:
        draw_indices(result, plot)
    done = given_as_csv(rows_csv(result.rows()), csv, as_json, wide, text=bool(csv or plot), quiet=quiet)
    if as_json:
        print_json(indices_document(function, result))
    elif not done:
        print_indices(result, rows, wide)
        print_note(
            f"{entry.claim.id}, {entry.verdict.verdict}: outcomes as shares of what is claimed, under what evidence allows"
        )
