"""Options that several verbs share, and groups of options as dataclasses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.models import ParameterInfo

from .completion import complete_input, complete_model, complete_output, complete_setting, complete_state


def spelt_out(verb: Callable[..., None]) -> Callable[..., None]:
    """Let a verb take groups of options: every parameter that is a dataclass becomes one option per field, in its place.

    A group with a class attribute ``heading`` has its options under that heading of the help.

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
        heading = getattr(groups[name], "heading", None)
        for field in fields(groups[name]):
            default = parameter.empty if field.default is MISSING else field.default
            kind = _under(kinds[field.name], heading) if heading else kinds[field.name]
            options.append(inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=default, annotation=kind))

    @functools.wraps(verb)
    def spelt(**options_given: Any) -> None:
        groups_given = {
            name: kind(**{field.name: options_given.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        verb(**options_given, **groups_given)

    spelt.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    spelt.__annotations__ = {option.name: option.annotation for option in options}
    return spelt


def _under(kind: Any, heading: str) -> Any:
    """Return an annotation whose option stands under a heading of the help; the original may be shared by other verbs."""
    first, *notes = get_args(kind)
    noted = [copy(note) if isinstance(note, ParameterInfo) else note for note in notes]
    for note in noted:
        if isinstance(note, ParameterInfo):
            note.rich_help_panel = heading
    return Annotated[(first, *noted)]


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
    typer.Option(
        "--parameters",
        "-p",
        metavar="CSV",
        help="Parameter table, or overlay of an installed package, that replaces or adds rows; may be repeated.",
    ),
]
SettingsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Value of a parameter or input for the whole time, e.g. 'G=203 mg/dL'; may be repeated.",
        autocompletion=complete_setting,
    ),
]
DosesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dose",
        metavar="DOSE",
        help="STATE=AMOUNT@TIME: add an amount to a state; then /DURATION for an infusion, :EVERY:MORE for repeats, :ss to "
        "start in the steady state of such doses. Times without a unit are in the model's (days). May be repeated.",
        autocompletion=complete_state,
    ),
]
SwitchesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--switch",
        metavar="SWITCH",
        help="INPUT=VALUE@TIME: change an input at a time; then /WIDTH to change it gradually, e.g. 'e_ARB=0.6@5 year/30'. "
        "May be repeated.",
        autocompletion=complete_input,
    ),
]
DurationOption = Annotated[
    str | None,
    typer.Option("--duration", metavar="TIME", help="Duration with a unit, e.g. '6 h'; else in the model's unit."),
]
TimesOption = Annotated[
    str | None,
    typer.Option("--times", metavar="TIMES", help="Times of the rows instead, e.g. '0,1,7,0.5 year'."),
]


def outputs_option(help_text: str) -> Any:
    """Return the option --outputs with its help."""
    return typer.Option("--outputs", "-O", metavar="NAMES", help=help_text, autocompletion=complete_output)


@dataclass(frozen=True)
class ModelChanges:
    """What differs from the model as it stands, and what happens in the course."""

    settings: SettingsOption = None
    doses: DosesOption = None
    switches: SwitchesOption = None
    tables: ParametersOption = None
