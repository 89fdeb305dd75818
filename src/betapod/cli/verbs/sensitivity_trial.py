"""The verb sensitivity trial: which numbers decide what a trial finds, and its power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from ...therapies.scenarios import CURRENT_EVIDENCE
from ..completion import complete_protocol, complete_scenario
from ..options import spelt_out
from ..running import ThreadsOption
from ..sensitivity_options import MethodOptions, SharesShown
from ..varied_model import VariedNumbers


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
    shares: SharesShown,
    threads: ThreadsOption = None,
) -> None:
    """Ask which numbers decide what a trial finds.

    Estimate, the truth behind it and power are read of the whole trial at every place, with the same people, randomisation and errors of
    measurement. Numbers differ from the day on which people are met. A place takes about a second; what was computed is kept.
    """
    from ...sensitivity.trial_function import TrialFunction
    from ...trials.protocol.protocol_files import find_protocol

    shares.check()
    function = TrialFunction.of_protocol(
        find_protocol(protocol), trial.design, trial.scenario, trial.endpoint, numbers.selection, trial.people,
        trial.replicates, threads=threads,
    )  # fmt: skip
    result = shares.of(function, how)
    shares.give(function, result, _what(function.about))


def _what(about: dict[str, object]) -> str:
    compared = "; ".join(map(str, about["compared"]))  # type: ignore[call-overload]
    return (
        f"{about['trial']}, {about['design']}, {about['scenario']}: {about['endpoint']}, {about['measure']} on the scale of the analysis; "
        f"{compared}; {about['replicates']} replicates of {about['people']} people at each place"
    )
