"""The command line, built once for the verbs that are registered.

For each call typer builds every verb anew, which takes a twentieth of a second where all are registered, as they are in a process that
carries out hundreds of commands. A process of its own builds what it needs once.
"""

from __future__ import annotations

import functools
from typing import Any

import typer.main
import typer.testing

from betapod.cli.catalogue import walk

_built: dict[tuple[Any, ...], Any] = {}


def build_once() -> None:
    """Let typer give a command again where the same application has the same verbs, with the same functions and words."""
    build = typer.main.get_command

    @functools.wraps(build)
    def built(app: typer.Typer) -> Any:
        verbs = ((path, info, info.callback, info.help, info.rich_help_panel) for path, info in walk(app))
        key = (app, *verbs)
        if key not in _built:
            _built[key] = build(app)
        return _built[key]

    typer.main.get_command = built
    typer.testing._get_command = built
