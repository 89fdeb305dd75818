"""Compose the document of a model from its submodels, or from its expression graph where it has none."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..algebra.expression import Expr, evaluate, mul
from ..algebra.functions import FUNCTIONS
from ..assembly.model import Event, Implicit, Model
from ..assembly.submodel import Part
from ..language.syntax import Position, Statement, Syntax
from .formula_notation import syntax_of
from .model_document import EventLine, Line, ModelDocument, ModelSection, ReadLine, Reference, StateLine, number_text

if TYPE_CHECKING:
    from ..bibliography import Bibliography

#: Definitions of the functions that a reader may not know, in the language itself (which reserves their names, hence the _).
_DEFINITIONS = """
_logistic(x) = 1/(1 + exp(-x)) [1] smooth step from 0 to 1
_logit(p) = log(p/(1 - p)) [1] the x with logistic(x) = p
_softplus(x, k) = k*log(1 + exp(x/k)) [1] smooth positive part of x; k is the width of the bend
_softplus0(x, x0, k, xr) = _softplus(x - x0, k) - _softplus(xr - x0, k) [1] smooth excess of x above x0, exactly 0 at the reference xr
_hill(x, h, m) = x^m/(x^m + h^m) [1] saturation: 0.5 at x = h, steeper with m
_smooth_min(a, b, theta) = (a + b - sqrt((a + b)^2 - four*theta*a*b))/(2*theta) [1] smooth minimum of two positive quantities, sharp at theta = 1
"""


def plural(unit: str) -> str:
    """Return a unit of time as a reader says it of many: words take an s, symbols such as s or min do not."""
    return f"{unit}s" if unit in ("second", "minute", "hour", "day", "week", "month", "year") else unit


def sheet_of(model: Model, bibliography: Bibliography | None = None) -> ModelDocument:
    """Lay a model out: from its submodels as written where it has them, else from its graph.

    Parameters
    ----------
    bibliography
        Where the sources of the parameters are looked up; without it only their keys are shown.
    """
    raw = [_section_of_part(part, model) for part in model.parts if isinstance(part, Part)] or _sections_of_graph(model)
    names = {
        name: f"{model.labels.get(name) or name} [{model.units.get(name, '1')}]"
        for name in (*model.names, *_functions(raw))
    }
    names["t"] = f"time [{model.time_unit}]"
    sections = _with_parameters(raw, model)
    return ModelDocument(
        model.name,
        _introduction(model),
        sections,
        _states(model),
        tuple(model.inputs.values()),
        _function_lines(sections),
        names,
        _references(model, bibliography),
    )


def _functions(sections: Sequence[ModelSection]) -> Iterator[str]:
    for section in sections:
        yield from (line.name for line in section.lines if line.kind == "function")


def _introduction(model: Model) -> tuple[str, ...]:
    counted = {
        "state": len(model.states),
        "equation": len(model.assignments),
        "parameter": len(model.parameters),
        "input": len(model.inputs),
        "event": len(model.events),
    }
    count = ", ".join(f"{number} {noun}{'s' * (number != 1)}" for noun, number in counted.items())
    count += "; no unit of time given." if model.time_unit == "1" else f"; time in {plural(model.time_unit)}."
    return (*paragraphs(model.description), count, f"Fingerprint of the computed graph: {model.fingerprint[:16]}.")


def paragraphs(text: str) -> tuple[str, ...]:
    """Split a docstring into paragraphs, each on one line; an indented block goes with the heading above it."""
    groups: list[list[str]] = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        indented = False
        for number, line in enumerate(block.splitlines()):
            deeper = line.startswith("    ")
            if deeper and not indented and number and groups:
                groups[-1][-1] = groups[-1][-1].rstrip(":") + ":"
            elif not number or (indented and not deeper):
                groups.append([])
            groups[-1].append(line.strip())
            indented = deeper
    return tuple(" ".join(lines) for lines in groups if any(lines))


def _line(statement: Statement) -> Line:
    return Line(
        statement.kind,
        statement.name,
        statement.expression,
        statement.unit,
        statement.label,
        statement.arguments,
        statement.other,
        statement.start,
        statement.steps,
    )


def section_of_part(part: Part) -> ModelSection:
    """Lay out one submodel on its own, without numbers."""
    return ModelSection(
        part.name,
        paragraphs(part.description),
        tuple(ReadLine(read.name, read.unit or "", "", "") for read in part.reads),
        tuple(_line(statement) for statement in part.statements),
        tuple(EventLine(e.name, e.label, e.trigger, e.assignments, e.terminal) for e in part.events),
        (),
    )


def _section_of_part(part: Part, model: Model) -> ModelSection:
    owners = {name: entry.owner for name, entry in model.assignments.items()}
    owners |= {state.name: state.owner for state in model.states}
    section = section_of_part(part)
    reads = tuple(
        ReadLine(
            read.name,
            model.units.get(read.name, read.unit),
            model.labels.get(read.name, ""),
            owners.get(read.name, "input"),
        )
        for read in section.reads
    )
    return replace(section, reads=reads)


def _sections_of_graph(model: Model) -> list[ModelSection]:
    """Lay out a model without text (an imported one), grouped by owner."""
    lines: dict[str, list[Line]] = {}
    for state in model.states:
        section_lines = lines.setdefault(state.owner, [])
        rate, where = syntax_of(state.local_rate)
        section_lines.append(
            Line("rate", state.name, rate, _per_time(state.unit, model.time_unit), state.label, where=where)
        )
        initial, where = syntax_of(state.local_initial)
        section_lines.append(Line("initial", state.name, initial, state.unit, state.label, where=where))
    for entry in model.assignments.values():
        lines.setdefault(entry.owner, []).append(_graph_line(entry.name, entry.local, entry.unit, entry.label))
    events = tuple(
        EventLine(
            event.name,
            event.label,
            syntax_of(event.trigger)[0],
            tuple((name, _changed(name, value, event)) for name, value in event.assignments),
            event.terminal,
            None if event.delay is None else syntax_of(event.delay)[0],
            None if event.priority is None else syntax_of(event.priority)[0],
        )
        for event in model.events
    )
    sections = [
        ModelSection(owner or model.name, (), (), tuple(owned_lines), (), ()) for owner, owned_lines in lines.items()
    ]
    if not sections:
        sections = [ModelSection(model.name, (), (), (), (), ())]
    return [*sections[:-1], replace(sections[-1], events=events)]


def _changed(name: str, value: Expr, event: Event) -> Syntax:
    factors = dict(event.factors)
    return syntax_of(mul(value, factors[name]) if name in factors else value)[0]


def _per_time(unit: str, time_unit: str) -> str:
    if time_unit == "1":
        return unit
    return f"({unit})/{time_unit}" if "/" in unit else f"{unit}/{time_unit}"


def _graph_line(name: str, local: Expr | Implicit, unit: str, label: str) -> Line:
    if isinstance(local, Implicit):
        (left, a), (right, b), (start, c) = (syntax_of(expr) for expr in (local.left, local.right, local.start))
        return Line("solve", name, left, unit, label, (), right, start, local.steps, (*a, *b, *c))
    expression, where = syntax_of(local)
    return Line("assign", name, expression, unit, label, where=where)


def _with_parameters(sections: Sequence[ModelSection], model: Model) -> tuple[ModelSection, ...]:
    """Assign each parameter row to the section that uses it first."""
    home: dict[str, str] = {}
    completed = []
    for section in sections:
        used: dict[str, None] = {}
        for line in section.lines:
            used.update(dict.fromkeys(line.uses()))
        for event in section.events:
            for syntax in (event.trigger, *(value for _, value in event.assignments)):
                used.update(dict.fromkeys(use.text for use in syntax.names()))
        rows = [name for name in used if name in model.parameters]
        shared = tuple((name, home[name]) for name in rows if name in home)
        section_rows = [name for name in rows if name not in home]
        home.update(dict.fromkeys(section_rows, section.title))
        completed.append(
            replace(section, parameters=tuple(model.parameters[name] for name in section_rows), shared=shared)
        )
    rest = [row for name, row in model.parameters.items() if name not in home]
    if rest and completed:
        completed[-1] = replace(completed[-1], parameters=(*completed[-1].parameters, *rest))
    return tuple(completed)


def _states(model: Model) -> tuple[StateLine, ...]:
    values = {**model.values(), "t": 0.0}
    try:
        numbers = evaluate([state.initial for state in model.states], values)
    except KeyError:
        numbers = [math.nan] * len(model.states)
    return tuple(
        StateLine(state.name, state.label, state.unit, number_text(number), state.owner)
        for state, number in zip(model.states, numbers, strict=True)
    )


def _function_lines(sections: Sequence[ModelSection]) -> tuple[Line, ...]:
    """Return definitions of the functions that the sections call, and of those that these definitions call."""
    from ..language.equations import parse
    from ..language.syntax import SourceText

    functions = {}
    for statement in parse(SourceText(_DEFINITIONS))[0]:
        line = _line(statement)
        functions[line.name[1:]] = replace(line, name=line.name[1:], expression=_own_names(line.expression))
    wanted: dict[str, None] = {}
    pending = [name for section in sections for line in section.lines for name in _calls(line)]
    while pending:
        name = pending.pop(0)
        if name in wanted or name not in FUNCTIONS:
            continue
        wanted[name] = None
        if name in functions:
            pending.extend(_calls(functions[name]))
    return tuple(functions[name] for name in functions if name in wanted)


def _own_names(node: Syntax) -> Syntax:
    """Undo what the definitions above had to write differently."""
    if node.kind == "name" and node.text == "four":
        return Syntax("number", Position(0, 0), "4")
    return replace(node, text=node.text.removeprefix("_"), args=tuple(_own_names(arg) for arg in node.args))


def _calls(line: Line) -> list[str]:
    called: list[str] = []
    pending = [node for node in (line.expression, line.other, line.start) if node is not None]
    while pending:
        node = pending.pop()
        if node.kind == "call":
            called.append(node.text)
        pending.extend(node.args)
    return called


def _references(model: Model, bibliography: Bibliography | None) -> tuple[Reference, ...]:
    from ..parameters.table import source_keys

    keys = source_keys((*model.parameters.values(), *model.inputs.values()))
    references = []
    for key in sorted(keys):
        entry = bibliography.get(key) if bibliography is not None else None
        references.append(Reference(key, entry.readable(), entry.link) if entry is not None else Reference(key, "", ""))
    return tuple(references)
