"""What a submodel is: a piece of physiology as text, with what it reads from the others."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ..errors import Problem
from .equations import EventStatement, SourceText, Statement, parse, parse_events


class Submodel:
    """Base of all submodels: subclass it and write `equations` (never instantiate it).

    Attributes
    ----------
    reads
        Names owned by other submodels or given as inputs, each optionally with the unit it must have: ``"MAP [mmHg]"``.
    equations
        Equation text, see `betapod.model.equations`.
    events
        Event text.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    equations: ClassVar[str] = ""
    events: ClassVar[str] = ""

    @classmethod
    def part(cls) -> Part:
        """Return the parsed submodel."""
        return _part_of_class(cls)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Read:
    """A name that a submodel takes from elsewhere."""

    name: str
    unit: str | None


@dataclass
class Part:
    """A parsed submodel: the form that assembly works on."""

    name: str
    summary: str
    description: str
    reads: tuple[Read, ...]
    source: SourceText
    statements: list[Statement]
    problems: list[Problem] = field(default_factory=list)
    event_source: SourceText | None = None
    events: list[EventStatement] = field(default_factory=list)

    @classmethod
    def from_text(
        cls,
        name: str,
        equations: str,
        reads: tuple[str, ...] = (),
        events: str = "",
        description: str = "",
        file: str = "<text>",
        first_line: int = 1,
        events_line: int = 1,
    ) -> Part:
        """Parse a submodel given as text.

        Parameters
        ----------
        first_line, events_line
            Where the two blocks begin in `file`, for error messages.
        """
        source = SourceText(equations, file, first_line)
        statements, problems = parse(source)
        event_source = SourceText(events, file, events_line)
        parsed_events, event_problems = parse_events(event_source)
        description = inspect.cleandoc(description)
        return cls(
            name,
            description.partition("\n")[0],
            description,
            tuple(_read(entry) for entry in reads),
            source,
            statements,
            problems + event_problems,
            event_source,
            parsed_events,
        )

    @classmethod
    def from_file(cls, path: str | Path) -> Part:
        """Parse a text file that holds one submodel.

        Lines ``reads NAME [unit], NAME`` declare what is read; a line ``events:`` begins the events; all else is equations.
        """
        path = Path(path)
        lines = path.read_text(encoding="utf-8").splitlines()
        reads: list[str] = []
        blocks: dict[str, list[str]] = {"equations": [], "events": []}
        current = "equations"
        for line in lines:
            kept = line
            if line.strip() == "events:":
                current, kept = "events", ""
            elif line.strip().startswith("reads "):
                reads.extend(entry.strip() for entry in line.strip()[6:].split(",") if entry.strip())
                kept = ""
            for name, block in blocks.items():
                block.append(kept if name == current else "")
        return cls.from_text(
            path.stem, "\n".join(blocks["equations"]), tuple(reads), "\n".join(blocks["events"]), file=str(path)
        )


def _read(entry: str) -> Read:
    name, bracket, unit = entry.partition("[")
    return Read(name.strip(), unit.rstrip("] ").strip() if bracket else None)


@functools.cache
def _part_of_class(cls: type[Submodel]) -> Part:
    file, lines = _text_lines(cls)
    part = Part.from_text(
        cls.__name__,
        cls.equations,
        cls.reads,
        cls.events,
        cls.__doc__ or "",
        file,
        lines.get("equations", 1),
        lines.get("events", 1),
    )
    return part


@functools.cache
def _module_tree(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))


def _text_lines(cls: type[Submodel]) -> tuple[str, dict[str, int]]:
    """Return the file of a class and the line on which each of its text blocks begins."""
    try:
        file = inspect.getsourcefile(cls) or "<text>"
        tree = _module_tree(file)
    except (OSError, TypeError, SyntaxError):
        return "<text>", {}
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__:
            for item in node.body:
                value = getattr(item, "value", None)
                targets = (
                    item.targets
                    if isinstance(item, ast.Assign)
                    else [item.target]
                    if isinstance(item, ast.AnnAssign)
                    else []
                )
                for target in targets:
                    if (
                        isinstance(target, ast.Name)
                        and isinstance(value, ast.Constant)
                        and isinstance(value.value, str)
                    ):
                        found[target.id] = value.lineno
    return file, found


def dedent(text: str) -> str:
    """Return equation text without common indentation."""
    return textwrap.dedent(text).strip("\n")
