"""Document of a model, independent of format: sections of equations, states, parameters, references."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..language.syntax import Syntax
from ..parameters.table import Parameter
from .formula_notation import text_of


@dataclass(frozen=True)
class Line:
    """One statement as shown; `where` holds auxiliary definitions of a formula that came from a graph."""

    kind: str
    name: str
    expression: Syntax
    unit: str
    label: str
    arguments: tuple[str, ...] = ()
    other: Syntax | None = None
    start: Syntax | None = None
    steps: int = 0
    where: tuple[tuple[str, Syntax], ...] = ()

    def uses(self) -> list[str]:
        """Return the names in the formula, each once, in order of use."""
        formulas = [self.expression, self.other, self.start, *(syntax for _, syntax in self.where)]
        local_names = {*self.arguments, *(name for name, _ in self.where)}
        used = (use.text for formula in formulas if formula is not None for use in formula.names())
        return list(dict.fromkeys(name for name in used if name not in local_names))


@dataclass(frozen=True)
class EventLine:
    """One event as shown."""

    name: str
    label: str
    trigger: Syntax
    assignments: tuple[tuple[str, Syntax], ...]
    terminal: bool
    delay: Syntax | None = None
    priority: Syntax | None = None


@dataclass(frozen=True)
class ReadLine:
    """A name that a submodel takes from elsewhere, and who owns it."""

    name: str
    unit: str
    label: str
    owner: str


@dataclass(frozen=True)
class StateLine:
    """A state with its initial value at the model's own parameter values."""

    name: str
    label: str
    unit: str
    initial: str
    owner: str


@dataclass(frozen=True)
class ModelSection:
    """One submodel as shown; `shared` names parameters that stand in an earlier section."""

    title: str
    paragraphs: tuple[str, ...]
    reads: tuple[ReadLine, ...]
    lines: tuple[Line, ...]
    events: tuple[EventLine, ...]
    parameters: tuple[Parameter, ...]
    shared: tuple[tuple[str, str], ...] = ()


class Reference(NamedTuple):
    """A work: key, one readable line, address; the last two empty where the bibliography lacks it."""

    key: str
    text: str
    link: str


@dataclass(frozen=True)
class ModelDocument:
    """A whole model as shown.

    Attributes
    ----------
    names
        Every name with a short explanation (label and unit).
    functions
        Definitions of the functions used.
    references
        Every work that the rows cite.
    """

    title: str
    introduction: tuple[str, ...]
    sections: tuple[ModelSection, ...]
    states: tuple[StateLine, ...]
    inputs: tuple[Parameter, ...]
    functions: tuple[Line, ...]
    names: Mapping[str, str]
    references: tuple[Reference, ...]


def number_text(value: float) -> str:
    """Return a number for a table: up to six significant digits."""
    if math.isnan(value):
        return ""
    return f"{value:.6g}"


def range_text(row: Parameter) -> str:
    """Return the plausible range of a parameter."""
    return _span_text(row.low, row.high)


def limits_text(row: Parameter) -> str:
    """Return what a parameter can be at all."""
    from ..parameters.possible_values import excludes_zero, possible_bounds

    low, high = possible_bounds(row)
    if not excludes_zero(row):
        return _span_text(low, high)
    return "above 0" if math.isinf(high) else f"above 0, at most {high:g}"


def _span_text(low: float, high: float) -> str:
    if math.isinf(low) and math.isinf(high):
        return ""
    if math.isinf(high):
        return f"at least {low:g}"
    if math.isinf(low):
        return f"at most {high:g}"
    return f"{low:g} to {high:g}"


def statement_text(line: Line) -> str:
    """Return a statement in the model language, without unit and label."""
    right = text_of(line.expression)
    if line.kind == "solve":
        assert line.other is not None and line.start is not None
        return f"{line.name} solves {right} = {text_of(line.other)} from {text_of(line.start)} in {line.steps} steps"
    left = {
        "rate": f"d{line.name}/dt",
        "initial": f"{line.name}(0)",
        "function": f"{line.name}({', '.join(line.arguments)})",
    }.get(line.kind, line.name)
    return f"{left} = {right}"


def event_text(event: EventLine) -> str:
    """Return an event in the model language, without its label."""
    changes = [f"{name} = {text_of(value)}" for name, value in event.assignments]
    return f"{event.name} when {text_of(event.trigger)} then {', '.join(['stop'] * event.terminal + changes)}"
