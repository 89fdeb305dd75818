"""The command line: verbs, exit codes, errors. Exit codes: 0 done, 1 internal error, 2 bad input, 130 interrupted."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .cli_common import err, note, print_json
from .clinical import read_as
from .errors import BetapodError, Problem

app = typer.Typer(
    name="betapod",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease. "
    "No medical device; a simulation is no evidence of efficacy.",
)

#: Modules with verbs of their own, each with a function ``register(app)``. Others are found by their name, ``cli_*.py``; those
#: listed here start faster, since only the one that is needed is imported.
_VERBS = {
    "cli_model": ("model", "cite"),
    "cli_params": ("params",),
    "cli_simulate": ("simulate",),
    "cli_person": ("ogtt", "mmtt", "clamp"),
    "cli_doctor": ("doctor",),
    "cli_report": ("report", "demo"),
    "cli_ensemble": ("ensemble", "merge"),
    "cli_validate": ("validate",),
    "cli_evidence": ("evidence",),
    "cli_confront": ("confront",),
    "cli_claims": ("claims",),
    "cli_trials": ("run", "resume", "trial", "schema"),
    "cli_patients": ("patients",),
}

_registered: set[str] = set()


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"betapod {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _register(arguments: list[str]) -> None:
    """Import the modules that the command line needs: the one with the verb, or all of them for help and completion."""
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    wanted = [name for name, verbs in _VERBS.items() if verb in verbs]
    if not wanted:
        found = (path.stem for path in sorted(Path(__file__).parent.glob("cli_*.py")))
        wanted = [*_VERBS, *(name for name in found if name not in _VERBS)]
    for name in wanted:
        if name not in _registered and importlib.util.find_spec(f".{name}", __package__) is not None:
            module = importlib.import_module(f".{name}", __package__)
            if hasattr(module, "register"):
                module.register(app)
            _registered.add(name)


def main() -> None:
    """Run the command line and exit."""
    arguments = sys.argv[1:]
    as_json = "--json" in arguments
    try:
        _register(arguments)
        with read_as(note):
            app(prog_name="betapod")
    except BetapodError as error:
        show_problems(error)
        if as_json:
            print_json({"error": {"problems": [problem.as_dict() for problem in error.problems]}})
        sys.exit(2)
    except KeyboardInterrupt:
        err().print("interrupted", style="yellow")
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception:
        _internal_error(arguments)
        sys.exit(1)


def show_problems(error: BetapodError) -> None:
    """Print every problem to stderr, the kind in colour on a terminal."""
    from rich.text import Text

    console = err()
    for problem in error.problems:
        first, _, rest = str(_placed(problem)).partition("\n")
        before, kind, after = first.partition(f"{problem.kind}: ")
        console.print(Text.assemble(before, (kind, "bold red"), after), soft_wrap=True)
        for line in rest.splitlines():
            style = "dim" if problem.context and line.strip() in (problem.context.strip(), "^") else ""
            console.print(Text(line, style=style), soft_wrap=True)
    if len(error.problems) > 1:
        console.print(f"{len(error.problems)} problems", style="bold")


def _placed(problem: Problem) -> Problem:
    """Name the program as the place of a problem that stands in no file."""
    from dataclasses import replace

    from .errors import Location

    return problem if problem.location.file else replace(problem, location=Location("betapod"))


def _internal_error(arguments: list[str]) -> None:
    import platform
    import shlex
    import traceback

    from . import __version__

    err().print(traceback.format_exc().rstrip(), markup=False)
    err().print(
        f"\ninternal error in betapod {__version__} (Python {platform.python_version()}, {platform.platform()}).\n"
        f"Please report it with the lines above and the command: betapod {shlex.join(arguments)}",
        style="bold red",
        markup=False,
    )


if __name__ == "__main__":
    main()
