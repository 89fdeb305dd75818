"""Verbs that write: each has ``--force``, and says before its work, not after it, that a file cannot be written."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.models import OptionInfo, ParameterInfo

from ..base import overwriting
from ..base.errors import ConfigError

#: Options that name what is written, and arguments that do, by verb.
_OPTIONS = frozenset({"--out", "--csv", "--plot", "--figure", "--page", "--html", "--pdf"})
_ARGUMENTS = {"grow": "path", "plot": "to", "page": "to"}
#: Verbs that write a page into their folder; and those that check what they write together with everything else that is wrong.
_PAGES = frozenset({"report", "demo"})
_CHECKING = frozenset({"plot", "page", "confront"})

ForceOption = Annotated[
    bool, typer.Option("--force", help="Write over files that betapod did not write, or that were changed since.")
]


def guard(app: typer.Typer) -> None:
    """Give every verb that writes ``--force``, and let it check what it is to write before it begins."""
    for info in verbs(app):
        if info.callback is not None and not hasattr(info.callback, "guarded"):
            outputs = written(info)
            if outputs:
                early = [name for name, is_file in outputs.items() if is_file and info.name not in _CHECKING]
                info.callback = _guarded(info.name or "", info.callback, early)


def verbs(app: typer.Typer) -> Iterator[Any]:
    """Return what typer knows of every verb, those of groups included."""
    yield from app.registered_commands
    for group in app.registered_groups:
        if group.typer_instance is not None:
            yield from verbs(group.typer_instance)


def written(info: Any) -> dict[str, bool]:
    """Return the parameters of a verb that name what it writes: whether each is a file, not a folder."""
    hints = get_type_hints(info.callback, include_extras=True)
    outputs = {}
    for name, hint in hints.items():
        for note in get_args(hint):
            if not isinstance(note, ParameterInfo):
                continue
            # Within `Annotated` the first name stands where the default would.
            option = isinstance(note, OptionInfo) and _OPTIONS & {str(note.default), *(note.param_decls or ())}
            if option or _ARGUMENTS.get(info.name) == name:
                outputs[name] = note.metavar != "FOLDER" and name != "folder"
    return outputs


def _guarded(name: str, verb: Callable[..., Any], outputs: list[str]) -> Callable[..., Any]:
    hints = get_type_hints(verb, include_extras=True)
    parameters = inspect.signature(verb).parameters
    has_force = "force" in parameters

    @functools.wraps(verb)
    def guarded(**given: Any) -> Any:
        from ..base.files import unfit

        if given["force"] if has_force else given.pop("force"):
            overwriting.force()
        named = [given.get(option) for option in outputs]
        problems = [problem for entry in named if isinstance(entry, Path) for problem in unfit(entry)]
        if name in _PAGES and (folder := given.get("folder")) is not None:
            problems += [entry for entry in [overwriting.refusal(folder / "report.html", last=False)] if entry]
        if problems:
            raise ConfigError(problems)
        return verb(**given)

    options = [p.replace(kind=p.KEYWORD_ONLY, annotation=hints.get(p.name, p.annotation)) for p in parameters.values()]
    if not has_force:
        options.append(
            inspect.Parameter("force", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=ForceOption)
        )
    guarded.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    guarded.__annotations__ = {option.name: option.annotation for option in options}
    guarded.guarded = True  # type: ignore[attr-defined]
    return guarded
