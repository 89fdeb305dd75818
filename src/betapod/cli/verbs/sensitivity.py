"""Verbs of sensitivity: which numbers decide of outputs, one at a time and together, of trials and of verdicts."""

from __future__ import annotations

import typer

from ...base.errors import ConfigError
from ..csv_output import CsvOption, WideOption, given_as_csv
from ..options import ModelArgument, ModelChanges, spelt_out
from ..running import QuietOption, ThreadsOption, breaking
from ..sensitivity_options import ROWS, MethodOptions, PlotOption, RowsOption
from ..sensitivity_results import draw_indices, indices_document, print_indices, rows_csv
from ..shared import JsonOption, print_json, print_note, unfit_figure, warn
from ..treatment import Given
from ..varied_model import ReadOutputs, VariedNumbers, model_function
from ..waiting import show_progress
from .identify import identify_command
from .sensitivity_claims import sensitivity_claims_command
from .sensitivity_local import sensitivity_local_command
from .sensitivity_trial import sensitivity_trial_command
from .sensitivity_verdict import sensitivity_verdict_command

sensitivity = typer.Typer(no_args_is_help=True, help="Which numbers decide: of outputs, and of verdicts.")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(sensitivity, name="sensitivity")
    app.command("identify")(identify_command)
    sensitivity.command("local")(sensitivity_local_command)
    sensitivity.command("trial")(sensitivity_trial_command)
    sensitivity.command("verdict")(sensitivity_verdict_command)
    sensitivity.command("claims")(sensitivity_claims_command)


@sensitivity.command("indices")
@spelt_out
def sensitivity_indices_command(
    model: ModelArgument,
    *,
    changes: ModelChanges,
    treatment: Given,
    numbers: VariedNumbers,
    read: ReadOutputs,
    how: MethodOptions,
    plot: PlotOption = None,
    rows: RowsOption = ROWS,
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Vary numbers together: how much each decides of an output.

    What was computed is kept: the same command, or one that may spend more runs, goes on where another was stopped.
    """
    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    function = model_function(model, changes, treatment, numbers, read, threads)
    with breaking(), show_progress(quiet) as progress:
        result = how.applied_to(function, progress)
    if function.ended:
        print_note(f"{function.ended} runs came to a terminal event; the last value before it counts")
    if result.lost > 0.05:
        warn(f"{100 * result.lost:.2g} % of the runs gave no number: shares are of the others")
    if plot is not None:
        draw_indices(result, plot)
    done = given_as_csv(rows_csv(result.rows()), csv, as_json, wide, text=bool(csv or plot), quiet=quiet)
    if as_json:
        print_json(indices_document(function, result))
    elif not done:
        print_indices(result, rows, wide)
