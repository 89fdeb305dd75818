"""Syntax trees of equation text: expressions, statements and events with source positions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ...base.errors import Location, Problem


@dataclass(frozen=True)
class Position:
    """A place in the text block, both from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Syntax:
    """A parsed expression: ``kind`` is number, name, call, or the operator itself; ``depth`` counts the levels in it."""

    kind: str
    position: Position
    text: str = ""
    args: tuple[Syntax, ...] = ()
    depth: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", 1 + max((arg.depth for arg in self.args), default=0))

    def names(self) -> Iterator[Syntax]:
        """Yield every name used, not the functions called."""
        if self.kind == "name":
            yield self
        for arg in self.args:
            yield from arg.names()


@dataclass(frozen=True)
class Statement:
    """One statement: ``kind`` is assign, rate, initial, function, or solve."""

    kind: str
    name: str
    expression: Syntax
    unit: str
    label: str
    position: Position
    unit_position: Position
    arguments: tuple[str, ...] = ()
    other: Syntax | None = None
    start: Syntax | None = None
    steps: int = 0


@dataclass(frozen=True)
class EventStatement:
    """One event: a trigger and what happens when it turns true."""

    name: str
    trigger: Syntax
    assignments: tuple[tuple[str, Syntax], ...]
    terminal: bool
    label: str
    position: Position


@dataclass
class SourceText:
    """A block of text and where it stands, so that errors point into the user's file."""

    text: str
    file: str = "<text>"
    first_line: int = 1
    lines: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.lines = self.text.splitlines()

    def location(self, position: Position) -> Location:
        """Return the place in the file."""
        return Location(self.file, self.first_line + position.line - 1, position.column)

    def problem(self, kind: str, message: str, position: Position, **details: str) -> Problem:
        """Return a problem at a position of this block, with the line quoted."""
        context = self.lines[position.line - 1] if 0 < position.line <= len(self.lines) else ""
        return Problem(kind, message, self.location(position), context=context.rstrip(), **details)
