"""The verb sensitivity trial: which numbers decide what a trial finds, and its power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from ...base.errors import ConfigError
from ...therapies.scenarios import CURRENT_EVIDENCE
from ..completion import complete_protocol, complete_scenario
from ..csv_output import CsvOption, WideOption, given_as_csv
from ..options import spelt_out
from ..running import QuietOption, ThreadsOption, breaking
from ..sensitivity_options import ROWS, MethodOptions, PlotOption, RowsOption
from ..sensitivity_results import draw_indices, indices_document, print_indices, rows_csv
from ..shared import JsonOption, print_json, print_note, unfit_figure, warn
from ..varied_model import VariedNumbers
from ..waiting import show_progress


@dataclass(frozen=True)
class TrialRead:
    """Which trial is simulated at every place, and what is read of it."""

    heading: ClassVar[str] = "Trial"

    design: Annotated[
        str, typer.Option("--design", metavar="NAME", help="Design; by default the first that compares groups.")
    ] = ""
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario", metavar="NAME", help="What cells are supposed to do.", autocompletion=complete_scenario
        ),
    ] = CURRENT_EVIDENCE
    endpoint: Annotated[
        str,
        typer.Option(
            "--endpoint", metavar="NAME", help="One of the protocol's, or quality_of_life for QALYs; default: primary."
        ),
    ] = ""
    people: Annotated[int, typer.Option("--people", help="People from whom patients are drawn; fewer are faster.")] = (
        200
    )
    replicates: Annotated[int, typer.Option("--replicates", help="How often the trial is simulated at each place.")] = (
        100
    )


@spelt_out
def sensitivity_trial_command(
    protocol: Annotated[
        str,
        typer.Argument(
            metavar="PROTOCOL", help="Name (see 'betapod trial list') or YAML file.", autocompletion=complete_protocol
        ),
    ],
    *,
    trial: TrialRead,
    numbers: VariedNumbers,
    how: MethodOptions,
    plot: PlotOption = None,
    rows: RowsOption = ROWS,
    csv: CsvOption = None,
    wide: WideOption = False,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask which numbers decide what a trial finds.

    Estimate, the truth behind it and power are read of the whole trial at every place, with the same people, randomisation and errors of
    measurement. Numbers differ from the day on which people are met. A place takes about a second; what was computed is kept.
    """
    from ...sensitivity.trial_function import TrialFunction
    from ...trials.protocol.protocol_files import find_protocol

    if problems := unfit_figure(plot):
        raise ConfigError(problems)
    function = TrialFunction.of_protocol(
        find_protocol(protocol), trial.design, trial.scenario, trial.endpoint, numbers.selection, trial.people,
        trial.replicates, threads=threads,
    )  # fmt: skip
    with breaking(), show_progress(quiet) as progress:
        result = how.applied_to(function, progress)
    if result.lost > 0.05:
        warn(f"{100 * result.lost:.2g} % of the numbers read are none: shares are of the others")
    if plot is not None:
        draw_indices(result, plot)
    done = given_as_csv(rows_csv(result.rows()), csv, as_json, wide, text=bool(csv or plot), quiet=quiet)
    if as_json:
        print_json(indices_document(function, result))
    elif not done:
        print_indices(result, rows, wide)
        print_note(_what(function.about))


def _what(about: dict[str, object]) -> str:
    compared = "; ".join(map(str, about["compared"]))  # type: ignore[call-overload]
    return (
        f"{about['trial']}, {about['design']}, {about['scenario']}: {about['endpoint']}, {about['measure']} on the scale of the analysis; "
        f"{compared}; {about['replicates']} replicates of {about['people']} people at each place"
    )
