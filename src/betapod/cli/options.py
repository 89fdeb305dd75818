"""Options that several verbs share, how they complete, and groups of them as dataclasses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ..base.errors import BetapodError
from .shared import load_model, model_table

if TYPE_CHECKING:
    from ..model import Model


def spelt_out(verb: Callable[..., None]) -> Callable[..., None]:
    """Let a verb take groups of options: every parameter that is a dataclass becomes one option per field, in its place.

    Parameters
    ----------
    verb
        A function whose parameters are all annotated; the fields of the groups are annotated as parameters of a verb are.

    Returns
    -------
    The verb as typer takes it, called by keyword alone.
    """
    hints = get_type_hints(verb, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if isinstance(kind, type) and is_dataclass(kind)}
    options = []
    for name, parameter in inspect.signature(verb).parameters.items():
        if name not in groups:
            options.append(parameter.replace(kind=parameter.KEYWORD_ONLY, annotation=hints[name]))
            continue
        kinds = get_type_hints(groups[name], include_extras=True)
        for field in fields(groups[name]):
            default = parameter.empty if field.default is MISSING else field.default
            options.append(
                inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=default, annotation=kinds[field.name])
            )

    @functools.wraps(verb)
    def spelt(**given: Any) -> None:
        made = {
            name: kind(**{field.name: given.pop(field.name) for field in fields(kind)}) for name, kind in groups.items()
        }
        verb(**given, **made)

    spelt.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    spelt.__annotations__ = {option.name: option.annotation for option in options}
    return spelt


# -- completion ------------------------------------------------------------------------------------------------------


def complete_model(incomplete: str) -> list[str]:
    """Complete the name of a model or of a file."""
    from ..physiology import whole_body

    named = [name for name in whole_body.NAMES if name.startswith(incomplete)]
    return named + sorted(str(path) for path in Path().glob(f"{incomplete}*"))[:50]


def _model_of(context: typer.Context) -> Model | None:
    name = context.params.get("model") or (context.args[0] if context.args else None)
    try:
        return load_model(str(name)) if name else None
    except (BetapodError, OSError):
        return None


def complete_setting(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``NAME=`` of a parameter or input, then nothing."""
    model = _model_of(context)
    return [f"{name}=" for name in model_table(model) if name.startswith(incomplete)] if model else []


def complete_parameter(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of a parameter or input."""
    model = _model_of(context)
    return [name for name in model_table(model) if name.startswith(incomplete)] if model else []


def complete_state(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``STATE=``."""
    model = _model_of(context)
    return [f"{name}=" for name in model.state_names if name.startswith(incomplete)] if model else []


def complete_input(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``INPUT=``."""
    model = _model_of(context)
    return [f"{name}=" for name in model.inputs if name.startswith(incomplete)] if model else []


def complete_output(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the last of comma-separated names."""
    model = _model_of(context)
    if model is None:
        return []
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in model.names if name.startswith(last)]


ModelArgument = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A model by name (see 'betapod model list') or a file; one of Python (.py) is run.",
        autocompletion=complete_model,
    ),
]
ParametersOption = Annotated[
    list[Path] | None,
    typer.Option("--parameters", "-p", metavar="CSV", help="Parameter table; may be given several times."),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Parameter or input, e.g. 'G=203 mg/dL'.", autocompletion=complete_setting
    ),
]
DosesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dose",
        metavar="STATE=AMOUNT@TIME[/DURATION][:EVERY:MORE][:ss]",
        help="Add an amount to a state, at once or as an infusion; bare times are in the model's unit of time (days, in "
        "betapod's own models). ':ss': the start is the steady state of such doses.",
        autocompletion=complete_state,
    ),
]
SwitchesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--switch",
        metavar="INPUT=VALUE@TIME[/WIDTH]",
        help="Set an input from a time on, reached over WIDTH; bare times are in the model's unit of time.",
        autocompletion=complete_input,
    ),
]
