"""Verbs of sensitivity: which numbers decide of outputs, one at a time and together, of trials and of verdicts."""

from __future__ import annotations

import typer

from ..options import ModelArgument, ModelChanges, spelt_out
from ..running import ThreadsOption
from ..sensitivity_options import MethodOptions, SharesShown
from ..shared import print_note
from ..treatment import Given
from ..varied_model import ReadOutputs, VariedNumbers, model_function
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
    shares: SharesShown,
    threads: ThreadsOption = None,
) -> None:
    """Vary numbers together: how much each decides of an output.

    What was computed is kept: the same command, or one that may spend more runs, goes on where another was stopped.
    """
    shares.check()
    function = model_function(model, changes, treatment, numbers, read, threads)
    result = shares.of(function, how)
    if function.ended:
        print_note(f"{function.ended} runs came to a terminal event; the last value before it counts")
    shares.give(function, result)
