"""The command line: verbs, exit codes, errors.

Exit codes: 0 done, 1 internal error, 2 bad input, 3 the disk or workers failed, 4 too many patients failed, 130 interrupted.
"""

from __future__ import annotations

import errno
import gc
import importlib
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from ..base import overwriting
from ..base.clinical import read_as
from ..base.errors import BetapodError, Location, OutputError, Problem
from .catalogue import MODULES, InOrder, arrange
from .numbers import check_numbers
from .plain_letters import PLAIN_LETTERS
from .plain_letters import register as register_plain_letters
from .shared import err, print_json, print_note, warn
from .writing import guard

#: Exit codes.
INTERNAL, WRONG, BROKEN, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(
    name="betapod",
    cls=InOrder,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease. "
    "No medical device; a simulation is no evidence of efficacy.",
)

#: Problems that are printed; nobody reads more.
_SHOWN = 200

_registered: set[str] = set()


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"betapod {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    overwriting.begin()
    context.call_on_close(overwriting.end)


def _register(arguments: list[str]) -> None:
    """Import the modules that the command line needs: the one with the verb, or all of them for help."""
    if arguments == ["--version"]:
        return
    verb = next((argument for argument in arguments or _completed() if not argument.startswith("-")), None)
    for name in {MODULES[verb]} if verb in MODULES else dict.fromkeys(MODULES.values()):
        if name not in _registered:
            importlib.import_module(f".verbs.{name}", __package__).register(app)
            _registered.add(name)
    check_numbers(app)
    guard(app)
    arrange(app)


def _completed() -> list[str]:
    """Return the words of a command line that the shell wants completed, up to the last complete one."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return line.split()[1:] if "_BETAPOD_COMPLETE" in os.environ else []


def main() -> None:
    """Run the command line and exit."""
    arguments = sys.argv[1:]
    _open_streams()
    # A command makes many small things that stay; to look for circles among them again and again takes a tenth of its time.
    gc.set_threshold(50_000, 20, 20)
    code = 0
    try:
        code = _carry_out(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has gone; nothing more can be said to it.
        _silence(sys.stdout)
    except OSError as error:
        code = _broken_stdout(error)
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    sys.exit(code)


@contextmanager
def _warnings_in_words() -> Iterator[None]:
    """Print warnings of betapod's own as one line, without the place in its code."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *arguments: Any, **options: Any) -> None:
            if category.__module__.startswith("betapod."):
                warn(str(message))
            else:
                usual(message, category, *arguments, **options)

        warnings.showwarning = show
        yield


def _carry_out(arguments: list[str]) -> int:
    """Carry out a command and return its exit code."""
    try:
        _register(arguments)
        with read_as(print_note), _warnings_in_words():
            app(prog_name="betapod")
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else INTERNAL if done.code else 0
    except BetapodError as error:
        return _refused(error, arguments)
    except KeyboardInterrupt:
        err().print("interrupted", style="yellow")
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None and error.errno in _OUTPUT:
            raise
        return _refused(_unusable(error), arguments)
    except Exception as error:
        if _no_memory(error):
            hint = "Ask for fewer patients, replicates or visits at once, or give it more memory."
            return _refused(OutputError(Problem("out-of-memory", "there is not enough memory", hint=hint)), arguments)
        _internal_error(arguments)
        return INTERNAL
    return 0


def _no_memory(error: BaseException | None) -> bool:
    """Return whether memory is what lacks; libraries that cannot be loaded into it say so in words of their own."""
    if error is None or isinstance(error, MemoryError):
        return error is not None
    lacking = isinstance(error, ImportError) and any(
        words in str(error) for words in ("failed to map segment", "annot allocate memory", "cannot map zero-fill")
    )
    return lacking or _no_memory(error.__cause__ or error.__context__)


def _refused(error: BetapodError, arguments: list[str]) -> int:
    show_problems(error)
    if "--json" in arguments:
        print_json({"error": {"problems": [problem.as_dict() for problem in error.problems]}})
    return BROKEN if isinstance(error, OutputError) else WRONG


#: What happens to streams, whatever was asked for.
_OUTPUT = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EBADF, errno.EFBIG})


def _unusable(error: OSError) -> BetapodError:
    """Return what the system said of a file that was named or needed."""
    from ..base.files import cannot_write

    name = os.fsdecode(error.filename) if isinstance(error.filename, (str, bytes)) else "betapod"
    if error.errno in _OUTPUT:
        return cannot_write(name, error)
    reason = error.strerror or str(error)
    # A name of thousands of letters helps nobody.
    shown_name = name if len(name) <= 200 else f"{name[:100]}..."
    return BetapodError(Problem("unusable-file", f"this cannot be used: {reason.lower()}", Location(shown_name)))


def _open_streams() -> None:
    """Make sure that whatever is printed can be: closed streams swallow it, letters that an encoding lacks become plain ones."""
    register_plain_letters()
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream: Any = getattr(sys, name)
        if stream is None:
            # The caller closed it. The number is taken, so that no file that is opened later gets what is printed.
            with suppress(OSError):
                if os.open(os.devnull, os.O_WRONLY) != number:
                    os.close(number)
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=PLAIN_LETTERS)


def _silence(stream: Any) -> None:
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _broken_stdout(error: OSError) -> int:
    """Say that results could not be printed."""
    reason = (error.strerror or str(error)).lower()
    _silence(sys.stdout)
    with suppress(OSError, ValueError):
        show_problems(OutputError(Problem("cannot-write", f"cannot print the results: {reason}", Location("stdout"))))
    return BROKEN


def show_problems(error: BetapodError) -> None:
    """Print the problems to stderr, the kind in colour on a terminal; of very many the first, and how many more there are."""
    from rich.text import Text

    console = err()
    for problem in error.problems[:_SHOWN]:
        first, _, rest = str(_placed(problem)).partition("\n")
        before, kind, after = first.partition(f"{problem.kind}: ")
        console.print(Text.assemble(before, (kind, "bold red"), after))
        for line in rest.splitlines():
            quoted = bool(problem.context) and line.strip() in (problem.context.strip(), "^")
            # A quoted line keeps its length, so that the caret stands below its place.
            console.print(Text(line, style="dim" if quoted else ""), soft_wrap=quoted or None)
    if len(error.problems) > 1:
        rest = f"; the first {_SHOWN} are shown, --json has all" if len(error.problems) > _SHOWN else ""
        console.print(f"{len(error.problems)} problems{rest}", style="bold")


def _placed(problem: Problem) -> Problem:
    """Name the program as the place of a problem that stands in no file, and where words of the registry are listed."""
    from dataclasses import replace

    from .kept import COLUMNS

    column = problem.kind.removeprefix("unknown-")
    if column in COLUMNS and column != problem.kind:
        problem = replace(problem, hint=f"{problem.hint} 'betapod evidence terms {column}' lists them.".strip())
    return problem if problem.location.file else replace(problem, location=Location("betapod"))


def _internal_error(arguments: list[str]) -> None:
    import platform
    import shlex
    import traceback

    from .. import __version__

    err().print(traceback.format_exc().rstrip(), markup=False)
    err().print(
        f"\ninternal error in betapod {__version__} (Python {platform.python_version()}, {platform.platform()}).\n"
        f"Please report it with the lines above and the command: betapod {shlex.join(arguments)}",
        style="bold red",
        markup=False,
    )


if __name__ == "__main__":
    main()
