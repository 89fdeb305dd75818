"""Options of verbs that draw and integrate many patients, and what they say as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from ..completion import complete_parameter
from ..options import DurationOption, outputs_option
from ..shared import assignments, is_file, names_option

DeviceOption = Annotated[
    str,
    typer.Option("--device", metavar="DEVICE", help="cpu; cuda for an NVIDIA graphics card, cuda:1 for the second."),
]
FailAboveOption = Annotated[
    float,
    typer.Option("--fail-above", min=0, max=1, help="Fraction of failed patients above which the exit code is 4."),
]


@dataclass(frozen=True)
class EnsemblePatients:
    """Who is simulated."""

    heading: ClassVar[str] = "Patients"

    patients: Annotated[
        str, typer.Option("--patients", "-n", metavar="N|CSV", help="Number of patients, or a table with one row each.")
    ]
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary",
            metavar="NAMES",
            help="Parameters drawn from their distributions, comma-separated; 'all' (default) or 'none'.",
            autocompletion=complete_parameter,
        ),
    ] = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1
    replicate: Annotated[
        int, typer.Option("--replicate", min=0, help="Index of an independent repetition with the same seed.")
    ] = 0


@dataclass(frozen=True)
class EnsembleOutputs:
    """What is reported, and when."""

    heading: ClassVar[str] = "Time and outputs"

    years: Annotated[float | None, typer.Option("--years", help="Duration in years; default: 20.")] = None
    duration: DurationOption = None
    visits: Annotated[
        str | None,
        typer.Option(
            "--visits",
            metavar="TIMES",
            help="Interval, e.g. '6 month' (the default), or times, e.g. '0,1,2,5 year'. With --duration alone: 41 visits.",
        ),
    ] = None
    outputs: Annotated[
        list[str] | None,
        outputs_option(
            "Quantities to report, comma-separated; default: all states, or all equations of a model without any."
        ),
    ] = None


@dataclass(frozen=True)
class EnsembleTolerances:
    """How exactly patients are integrated."""

    heading: ClassVar[str] = "Integration"

    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance.")] = 1e-6
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol", help="Absolute tolerance in the states' units; default: 1e-9, finer for states that stay small."
        ),
    ] = None


@dataclass(frozen=True)
class EnsembleAccuracy(EnsembleTolerances):
    """How exactly patients are integrated, and in what shards."""

    shard_size: Annotated[int, typer.Option("--shard-size", min=1, help="Patients per shard.")] = 10_000


@dataclass(frozen=True)
class ModelAndTreatment:
    """What a verb was told of the model, and of what is done to everyone, as it was written."""

    model: str
    settings: Sequence[str] | None
    doses: Sequence[str] | None
    switches: Sequence[str] | None
    parameters: Sequence[Path] | None


def ensemble_origin(
    treatment: ModelAndTreatment,
    who: EnsemblePatients,
    output_options: EnsembleOutputs,
    tolerances: EnsembleTolerances,
    shard_size: int,
) -> dict[str, Any]:
    """Return what a command line asks for, as plain values from which the same plan can be made again.

    Parameters
    ----------
    shard_size
        Patients per shard.
    """
    return {
        "model": _absolute(treatment.model),
        "parameters": [str(path.absolute()) for path in treatment.parameters or ()],
        "set": assignments(treatment.settings or (), "--set"),
        "patients": _absolute(who.patients),
        "years": output_options.years,
        "duration": output_options.duration,
        "visits": output_options.visits,
        "seed": who.seed,
        "replicate": who.replicate,
        "vary": names_option(who.vary or ["all"]),
        "outputs": names_option(output_options.outputs or ()),
        "doses": list(treatment.doses or ()),
        "switches": list(treatment.switches or ()),
        "rtol": tolerances.rtol,
        "atol": tolerances.atol,
        "shard_size": shard_size,
    }


def _absolute(name: str) -> str:
    path = Path(name)
    return str(path.absolute()) if is_file(path) else name
