"""The verb trial size: how many patients a trial needs, by simulation of its own analysis."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..completion import complete_protocol, complete_scenario
from ..csv_output import Csv, CsvOption, given_as_csv
from ..running import QuietOption, ThreadsOption
from ..shared import JsonOption, print_json, print_table, print_text
from ..trial_comparisons import share_text
from ..waiting import show_progress


def size_trial_command(
    protocol: Annotated[
        str, typer.Argument(metavar="PROTOCOL", help="Name or YAML file.", autocompletion=complete_protocol)
    ],
    power: Annotated[float, typer.Option("--power", metavar="SHARE", help="Power that is wanted.")] = 0.9,
    margin: Annotated[
        float,
        typer.Option(
            "--margin",
            metavar="SHARE",
            help="By how much the power may miss it; decides how many trials are simulated.",
        ),
    ] = 0.02,
    design: Annotated[
        str | None, typer.Option("--design", metavar="NAME", help="Design; default: the first with a control.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            metavar="NAME",
            help="Scenario of cell therapy; default: the last of the protocol.",
            autocompletion=complete_scenario,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Random seed; default: the protocol's own.")] = None,
    threads: ThreadsOption = None,
    csv: CsvOption = None,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
) -> None:
    """How many patients a trial needs for a power.

    Trials are simulated by the protocol's own analysis, allocation, drop-out and looks; about each size a sequential test decides with how many.
    """
    from ...patients.library import default
    from ...trials.operating.size_search import needed_size
    from ...trials.protocol.protocol_files import find_protocol

    checked = find_protocol(protocol)
    with show_progress(quiet) as progress:
        answer = needed_size(
            checked, power, design, scenario, margin, seed, default(), threads=threads, progress=progress
        )
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in answer.table.to_dict("records")
    ]
    done = given_as_csv(Csv.of([str(name) for name in answer.table.columns], [list(row.values()) for row in rows]), csv, as_json, text=True, quiet=quiet)  # fmt: skip
    if as_json:
        print_json(_document(answer) | {"tried": rows})
    if as_json or done:
        return
    _tell(answer, rows)


def _document(answer: Any) -> dict[str, Any]:
    reached = answer.power
    return {
        "design": answer.design,
        "scenario": answer.scenario,
        "comparison": answer.comparison.words,
        "power_wanted": answer.wanted,
        "margin": answer.margin,
        "patients": answer.patients,
        "arms": answer.arms,
        "power": None if reached is None else reached.value,
        "formula": answer.formula,
        "effect": answer.effect,
        "error_of_effect": answer.error,
    }


def _tell(answer: Any, rows: list[dict[str, Any]]) -> None:
    from ...report.trial.estimates import Scale
    from ...trials.analysis import endpoints
    from ...trials.operating.sizing import title

    protocol = answer.protocol
    endpoint = protocol.endpoints.primary
    scale = Scale(endpoint.summary, endpoints.endpoint_code(endpoint), True, endpoint.measure)
    print_text(protocol.title, "bold")
    cells = any(protocol.arms[arm].cells for arm in protocol.designs[answer.design].arms)
    where = f"{answer.design}{f', scenario {answer.scenario}' if cells else ''}: {answer.comparison.words}"
    print_text(f"{title(endpoint, protocol)} by {endpoint.method}; {where}")
    if answer.patients is None:
        print_text(f"No size was found for a power of {100 * answer.wanted:g} %: {answer.why_none}.")
    else:
        arms = ", ".join(f"{name} {count}" for name, count in answer.arms.items())
        error = "" if answer.error != answer.error else f" (Monte Carlo error {answer.error:.2g} on the scale of the analysis)"  # fmt: skip
        print_text(f"{answer.patients} patients ({arms}) for a power of {100 * answer.wanted:g} %; mean effect {scale.text(answer.effect)}{error}.")  # fmt: skip
        print_text(f"By the normal distribution, from trials of {protocol.size(answer.design)}: {answer.formula}.")
    if rows:
        table = [(str(row["patients"]), share_text(row, "power"), str(row["trials"]), row["verdict"]) for row in rows]
        print_table(("patients", "power", "trials", "verdict"), table, right=("patients", "power", "trials"))
