"""What the verbs of the command line share: consoles, models by name or file, quantities with units."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..base.clinical import said
from ..base.errors import BetapodError, ConfigError, Location, ModelError, ParameterError, Problem, not_among
from ..base.exports import printable, printable_json
from ..base.nouns import with_noun as with_noun

if TYPE_CHECKING:
    from rich.console import Console

    from ..model import Model, ParameterTable
    from ..model.bibliography import Bibliography

#: Version of every JSON document that a verb prints.
SCHEMA_VERSION = 1
#: Width of text that goes into a pipe or a file: nothing is folded there.
_UNFOLDED = 10_000
#: Characters that a path may have.
_LONGEST_NAME = 1000
#: Endings of files of other formats.
_IMPORTED = (".xml", ".sbml", ".cellml")

#: The option of every verb that has results; other shared options stand in `cli_options`.
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@functools.cache
def out() -> Console:
    """Return the console of results (stdout); colours only on a terminal, NO_COLOR honoured."""
    return _console()(highlight=False, width=None if sys.stdout.isatty() else _UNFOLDED, color_system=_colours())


@functools.cache
def err() -> Console:
    """Return the console of messages (stderr), whose lines a terminal breaks between words, and nothing breaks in a file."""
    return _console()(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty(), color_system=_colours())


@functools.cache
def _console() -> type[Console]:
    """Return a console whose own colours reach the terminal, while control characters in what it shows stand as text."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Plain(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
            for segment in super().render(renderable, options):
                shown = printable(segment.text) if not segment.control else segment.text
                yield segment if shown == segment.text else Segment(shown, segment.style)

        def on_broken_pipe(self) -> None:
            # Rich would leave with the code 1, which means an internal error; a reader that has gone is none.
            raise BrokenPipeError

    return Plain


def _colours() -> Literal["auto"] | None:
    # NO_COLOR leaves bold and dim to rich; plain text is what its users expect.
    return None if os.environ.get("NO_COLOR") else "auto"


def warn(message: str) -> None:
    """Print a warning to stderr."""
    from rich.text import Text

    err().print(Text.assemble(("warning: ", "yellow"), message))


def print_note(message: str) -> None:
    """Print a remark to stderr."""
    err().print(message, markup=False, style="dim")


def print_json(document: dict[str, Any]) -> None:
    """Print exactly one JSON document to stdout, with what was read as what; numbers that JSON has not become null."""
    if sentences := said():
        document = {**document, "read_as": sentences}
    text = json.dumps({"schema_version": SCHEMA_VERSION, **_finite(document)}, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(printable_json(text) + "\n")


def write_out(text: str) -> None:
    """Write a document to stdout; control characters in it stand as text."""
    sys.stdout.write(printable(text))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def print_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[str] = (),
    spare: Sequence[str] = (),
    groups: Sequence[str] = (),
    varying: Sequence[str] = (),
    wide: bool | None = None,
) -> None:
    """Print a table to stdout as text; see `tables.TerminalTable`, and `tables.print_terminal_table` for `wide`."""
    from .tables import TerminalTable, print_terminal_table

    cells = [[printable(cell) for cell in row] for row in rows]
    print_terminal_table(
        out(), TerminalTable(columns, cells, right, spare, [printable(line) for line in groups], varying), wide
    )


def print_fields(lines: Sequence[tuple[str, str]], indent: int = 2) -> None:
    """Print names and texts to stdout, the texts below each other and broken between words."""
    from .tables import fields

    fields(out(), [(name, printable(text)) for name, text in lines], indent)


def print_text(text: str, style: str = "", hanging: int = 0) -> None:
    """Print a text to stdout, broken between words where a terminal ends; `hanging` blanks stand before lines that go on."""
    from rich.text import Text

    from .tables import wrap_cells

    for line in wrap_cells(printable(text), out().width, hanging):
        out().print(Text(line, style=style), soft_wrap=True)


def is_file(path: Path) -> bool:
    """Return whether there is a file; a name that no disk can hold is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


# -- models ----------------------------------------------------------------------------------------------------------


def model_from(name: str, parameters: Sequence[Path] = (), switches: Sequence[str] = ()) -> Model:
    """Return a model by name, or from a file: equation text, Python with Submodel classes, SBML, or CellML.

    Parameters
    ----------
    parameters
        For a named model, tables that override its own. For text and Python files, the tables that they need; without any, a CSV of
        the same name beside the file.
    switches
        Changes of inputs, as texts. Parameters of SBML or CellML that they change become inputs.

    Raises
    ------
    BetapodError
        Everything that is wrong with the name, the file or the tables.
    """
    from ..physiology import whole_body

    path = Path(name)
    if name in whole_body.NAMES:
        return _overlaid(whole_body.named_model(name), parameters)
    if len(name) > _LONGEST_NAME:
        message = "this is no model and no file: the name is too long"
        raise ModelError(Problem("unknown-model", message, found=f"{name[:40]}... ({len(name):,} characters)"))
    if not is_file(path):
        looks_like_file = path.suffix in (*_IMPORTED, ".py", ".txt", ".model") or "/" in name
        if looks_like_file:
            raise ModelError(Problem("unreadable-file", "there is no such file", Location(name)))
        raise ModelError(
            not_among(whole_body.NAMES, "unknown-model", f"there is no model {name!r}, and no file of that name", name)
        )
    if path.suffix.lower() in _IMPORTED:
        from ..exchange.foreign_models import read_model_file

        read = read_model_file(path)
        for text in read.report.ignored:
            print_note(text)
        for text in read.report.notes:
            warn(text)
        switched = {text.partition("=")[0].strip() for text in switches}
        read = read.with_inputs(switched) if (switched := switched.intersection(read.parameters)) else read
        return _overlaid(read, parameters)
    return _assembled(path, parameters)


def _assembled(path: Path, parameters: Sequence[Path]) -> Model:
    from ..model import ParameterTable, Part, assemble

    beside = path.with_suffix(".csv")
    tables = list(parameters) or ([beside] if beside.is_file() else [])
    try:
        parts = submodels_of(path) if path.suffix == ".py" else [Part.from_file(path)]
    except UnicodeDecodeError:
        raise ModelError(Problem("unreadable-file", "the file is not UTF-8 text", Location(str(path)))) from None
    if not any(getattr(part, "statements", True) or getattr(part, "problems", ()) for part in parts):
        raise ModelError(Problem("no-model", "the file holds no equations", Location(str(path))))
    return assemble(path.stem, parts, ParameterTable.read(*tables) if tables else ParameterTable(()))


def submodels_of(path: Path) -> list[Any]:
    """Import a Python file and return the Submodel classes that it defines, in order.

    Raises
    ------
    ModelError
        The file cannot be imported, or defines none.
    """
    import importlib.util

    from ..model import Submodel

    spec = importlib.util.spec_from_file_location(f"betapod_file_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # so that the classes can find their own source
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        place = Location(str(path), error.lineno or 0, error.offset or 0)
        raise ModelError(Problem("bad-python", error.msg, place)) from None
    except Exception as error:
        line = _line_in(path, error)
        raise ModelError(
            Problem("bad-python", f"{type(error).__name__}: {error}", Location(str(path), line))
        ) from error
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Submodel) and value.__module__ == spec.name
    ]
    if not found:
        raise ModelError(Problem("no-model", "the file defines no class derived from Submodel", Location(str(path))))
    return found


def _line_in(path: Path, error: BaseException) -> int:
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _overlaid(model: Model, parameters: Sequence[Path]) -> Model:
    """Return the model with rows of the tables instead of its own."""
    from ..base.plugins import overlay_file
    from ..model import ParameterTable

    return model.overlay(*(ParameterTable.read(overlay_file(path)) for path in parameters)) if parameters else model


def model_table(model: Model) -> ParameterTable:
    """Return parameters and inputs of a model as one table."""
    from ..model import ParameterTable

    return ParameterTable((*model.inputs.values(), *model.parameters.values()), model.name)


def load_bibliography() -> Bibliography:
    """Return the bibliography of the physiology."""
    from ..model.bibliography import Bibliography
    from ..physiology import whole_body

    return Bibliography.read(whole_body.BIBLIOGRAPHY)


# -- text of options -------------------------------------------------------------------------------------------------


def assignments(texts: Sequence[str], option: str) -> dict[str, str]:
    """Split ``NAME=VALUE`` options.

    Raises
    ------
    ConfigError
        Every text that has another form, or gives a name another value than one before.
    """
    found: dict[str, str] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            problems.append(Problem("bad-option", "this is not NAME=VALUE", Location(f"{option} {text}")))
        before = found.setdefault(name.strip(), value.strip())
        if before != value.strip():
            message = f"{name.strip()!r} is given two values"
            problems.append(Problem("given-twice", message, Location(f"{option} {text}"), found=f"{before} before"))
    if problems:
        raise ConfigError(problems)
    return found


def option_quantity(text: str, unit: str, where: str, label: str = "") -> float:
    """Read a number with an optional unit and return it in `unit`.

    Raises
    ------
    ParameterError, UnitError
        The text is not a number with a unit that fits.
    """
    from ..model.parameters.table import parameter_quantity as read

    return read(text, unit, Location(where), label)


def set_values(model: Model, settings: Sequence[str]) -> Model:
    """Return the model with values from ``NAME=VALUE`` options; a name that is computed is told from one that does not exist.

    Raises
    ------
    BetapodError
        Every option that cannot be used.
    """
    try:
        return model.with_values(assignments(settings, "--set"), "--set")
    except ParameterError as error:
        raise ParameterError([explain_unknown_parameter(problem, model) for problem in error.problems]) from None


def explain_unknown_parameter(problem: Problem, model: Model) -> Problem:
    """Say of an unknown parameter that it is a state or an equation, where it is one."""
    from dataclasses import replace

    name = problem.message.partition("'")[2].partition("'")[0]
    if problem.kind != "unknown-parameter":
        return problem
    if name in model.state_names:
        return replace(problem, hint=f"{name!r} is a state: give its start with --initial.")
    if name in model.assignments:
        return replace(problem, hint=f"{name!r} is computed by an equation; set what it is computed from.")
    return problem


def unfit_figure(path: Path | None, option: str = "--plot") -> list[Problem]:
    """Return what is wrong with the name of a figure."""
    if path is None or path.suffix.lower() in (".png", ".svg"):
        return []
    return [Problem("unknown-format", "a figure is png or svg", Location(f"{option} {path}"))]


def names_option(texts: Sequence[str]) -> list[str]:
    """Split comma-separated names; each once."""
    return list(dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip()))


def gather(problems: list[Problem], error: BetapodError) -> None:
    """Keep the problems of one option, so that all options are reported together."""
    problems.extend(error.problems)
