"""Submodels: one physiological process as equation text, with the names that it reads from others."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from ...base.errors import ModelError, Problem, did_you_mean
from ..language.equations import parse, parse_events
from ..language.syntax import EventStatement, SourceText, Statement, Syntax


class Submodel:
    r"""Base of all submodels: subclass it and write `equations` (never instantiate it).

    Attributes
    ----------
    reads
        Names owned by other submodels or given as inputs, each optionally with the unit it must have: ``"MAP [mmHg]"``.
    equations
        Equation text, see `betapod.model.language.equations`.
    events
        Event text.

    Examples
    --------
    >>> from betapod import Parameter, ParameterTable, Submodel, assemble
    >>> class Pool(Submodel):
    ...     "A drug that is lost at a constant rate."
    ...     equations = "dA/dt = -k*A  [mg/day]  amount of drug\nA(0) = A0  [mg]"
    >>> rows = [Parameter("k", "rate of loss", 0.5, "1/day"), Parameter("A0", "dose", 10.0, "mg")]
    >>> assemble("pool", [Pool], ParameterTable(rows)).state_names
    ('A',)
    """

    reads: ClassVar[tuple[str, ...]] = ()
    equations: ClassVar[str] = ""
    events: ClassVar[str] = ""

    @classmethod
    def part(cls) -> Part:
        r"""Return the parsed submodel.

        Returns
        -------
        Part
            What `assemble` works on.

        Raises
        ------
        ModelError
            Everything wrong with the text, each at its place in the user's file.

        Examples
        --------
        >>> from betapod import Parameter, ParameterTable, Submodel, assemble
        >>> class Pool(Submodel):
        ...     "A drug that is lost at a constant rate."
        ...     equations = "dA/dt = -k*A  [mg/day]  amount of drug\nA(0) = A0  [mg]"
        >>> rows = [Parameter("k", "rate of loss", 0.5, "1/day"), Parameter("A0", "dose", 10.0, "mg")]
        >>> Pool.part().name
        'Pool'
        """
        return _part_of_class(cls)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Read:
    """A name that a submodel takes from elsewhere."""

    name: str
    unit: str | None


@dataclass
class Part:
    r"""Parsed submodel, the form used by assembly.

    Examples
    --------
    >>> from betapod import Part
    >>> part = Part.from_text("Pool", "dA/dt = -k*A  [mg/day]  amount\nA(0) = A0  [mg]")
    >>> part.name
    'Pool'
    """

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
        r"""Parse a submodel given as text.

        Parameters
        ----------
        name
            Of the part.
        equations, events
            Text in the model language.
        reads
            Names owned by other parts, each optionally with its unit.
        description
            What it is.
        file
            What errors call the place.
        first_line, events_line
            Where the two blocks begin in `file`, for error messages.

        Returns
        -------
        Part
            Not yet checked against other parts.

        Raises
        ------
        ModelError
            Everything wrong with the text, with line and column.

        Examples
        --------
        >>> from betapod import Part
        >>> part = Part.from_text("Pool", "dA/dt = -k*A  [mg/day]  amount\nA(0) = A0  [mg]")
        >>> part.name
        'Pool'
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
        r"""Parse a text file that holds one submodel.

        Lines ``reads NAME [unit], NAME`` declare what is read; a line ``events:`` begins the events; all else is equations.

        Parameters
        ----------
        path
            Its stem is the name of the part.

        Returns
        -------
        Part
            Not yet checked against other parts.

        Raises
        ------
        ModelError
            The file cannot be read, or everything wrong with its text, with line and column.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from betapod import Part
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "Pool.txt"
        >>> _ = path.write_text("dA/dt = -k*A  [mg/day]  amount\nA(0) = A0  [mg]\n")
        >>> Part.from_file(path).name
        'Pool'
        """
        path = Path(path)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
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

    @property
    def names(self) -> tuple[str, ...]:
        """Names that this part owns, in order: states and assigned quantities, not its functions."""
        return tuple(dict.fromkeys(s.name for s in self.statements if s.kind != "function"))

    @property
    def uses(self) -> frozenset[str]:
        """Names that the equations of this part use, its own among them."""
        return frozenset(use.text for s in self.statements for node in _nodes(s) for use in node.names())

    def renamed(self, names: Mapping[str, str], name: str, label: str = "") -> Part:
        r"""Return the same equations for other quantities; what is not renamed stays shared.

        Parameters
        ----------
        names
            Old to new names, of owned quantities, reads, parameters or inputs.
        name
            Name of the new part.
        label
            Added to the label of every owned quantity, after a comma.

        Returns
        -------
        Part
            Another part; this one stays as it is.

        Raises
        ------
        ModelError
            A name occurs nowhere in the part; the nearest is named.

        Examples
        --------
        >>> from betapod import Part
        >>> part = Part.from_text("Pool", "dA/dt = -k*A  [mg/day]  amount\nA(0) = A0  [mg]")
        >>> part.renamed({"A": "B"}, "Second").name
        'Second'
        """
        available = {*self.uses, *self.names, *(read.name for read in self.reads)}
        unknown = [
            Problem("unknown-name", f"{self.name} has no quantity {old!r} to rename", hint=did_you_mean(old, available))
            for old in names
            if old not in available
        ]
        if unknown:
            raise ModelError(unknown)
        return replace(
            self,
            name=name,
            reads=tuple(Read(names.get(read.name, read.name), read.unit) for read in self.reads),
            statements=[_renamed_statement(statement, names, label) for statement in self.statements],
            events=[_renamed_event(event, names) for event in self.events],
        )

    def instance(self, suffix: str, *reads: str) -> Part:
        r"""Return the same equations with ``_suffix`` added to all that this part owns, and to the named reads.

        Parameters
        ----------
        suffix
            Letters, digits and ``_``.
        reads
            Reads that get the suffix as well.

        Returns
        -------
        Part
            Another part; this one stays as it is.

        Raises
        ------
        ModelError
            Something is named that the part does not read.

        Examples
        --------
        >>> from betapod import Part
        >>> part = Part.from_text("Pool", "dA/dt = -k*A  [mg/day]  amount\nA(0) = A0  [mg]")
        >>> second = part.instance("two")
        >>> second.name != part.name
        True
        """
        names = {old: f"{old}_{suffix}" for old in (*self.names, *reads)}
        return self.renamed(names, f"{self.name}_{suffix}", suffix.replace("_", " "))


def _nodes(statement: Statement) -> list[Syntax]:
    return [node for node in (statement.expression, statement.other, statement.start) if node is not None]


def _renamed_syntax(node: Syntax, names: Mapping[str, str]) -> Syntax:
    if node.kind == "name":
        return replace(node, text=names.get(node.text, node.text))
    return replace(node, args=tuple(_renamed_syntax(arg, names) for arg in node.args))


def _renamed_statement(statement: Statement, names: Mapping[str, str], label: str) -> Statement:
    # Arguments of a local function hide outer names; the function's own name is private to the part.
    visible = {old: new for old, new in names.items() if old not in statement.arguments}
    new_name = statement.name if statement.kind == "function" else names.get(statement.name, statement.name)
    text = f"{statement.label}, {label}" if label and statement.label and statement.kind != "function" else ""
    return replace(
        statement,
        name=new_name,
        label=text or statement.label,
        expression=_renamed_syntax(statement.expression, visible),
        other=None if statement.other is None else _renamed_syntax(statement.other, visible),
        start=None if statement.start is None else _renamed_syntax(statement.start, visible),
    )


def _renamed_event(event: EventStatement, names: Mapping[str, str]) -> EventStatement:
    return replace(
        event,
        trigger=_renamed_syntax(event.trigger, names),
        assignments=tuple(
            (names.get(target, target), _renamed_syntax(value, names)) for target, value in event.assignments
        ),
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
    line_of: dict[str, int] = {}
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
                        line_of[target.id] = value.lineno
    return file, line_of
