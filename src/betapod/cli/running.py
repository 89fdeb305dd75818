"""What verbs share that run for long: options, exit codes of a broken disk and of an interrupt."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .shared import err

_INTERRUPTED = 130

ThreadsOption = Annotated[
    int | None, typer.Option("--threads", min=1, help="Number of threads; default: one per core.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no remarks.")]


@contextmanager
def breaking(*verb: str, folder: Path | None = None) -> Iterator[None]:
    """Turn a broken disk or broken workers, and an interrupt, into their exit codes.

    Parameters
    ----------
    verb, folder
        The command that continues what was interrupted, once its folder holds a run; before, or without, it is the same command.

    Raises
    ------
    typer.Exit
        With code 3 when the disk or the workers broke, 130 when the user interrupted.
    """
    from ..base.errors import OutputError, SolverError
    from .main import BROKEN, show_problems

    try:
        yield
    except (OutputError, SolverError) as error:
        show_problems(error)
        if isinstance(error, OutputError):
            err().print(f"continue with: {_again(verb, folder)}", style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(BROKEN) from None
    except KeyboardInterrupt:
        err().print(f"interrupted; continue with: {_again(verb, folder)}", style="yellow", markup=False, soft_wrap=True)
        raise typer.Exit(_INTERRUPTED) from None


def _again(verb: Sequence[str], folder: Path | None) -> str:
    if folder is None or not (folder / "manifest.json").is_file():
        return "the same command; what is finished is kept"
    return command(*verb, folder)


def command(*words: str | Path) -> str:
    """Return a command of betapod as a shell reads it."""
    # A name that begins with a hyphen would be an option.
    return shlex.join(
        ["betapod", *(f"./{word}" if isinstance(word, Path) and str(word)[0] == "-" else str(word) for word in words)]
    )
