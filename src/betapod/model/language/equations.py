"""Parser of equation text: one statement per line, with its unit in brackets and a label.

::

    GFR    = FF*(1 - Hct)*Q*mL_per_L                      [mL/min]   glomerular filtration rate
    dW/dt  = k_W*A_early - (W - W0)/tau_W                 [nm/year]  growth of the basement membrane
    W(0)   = W0                                           [nm]       basement membrane width
    pi(c)  = a1*c + a2*c^2                                [mmHg]     oncotic pressure of protein concentration
    FF solves FF*Q = K_f*P from FF_start in 5 steps       [1]        filtration fraction

A line goes on while a parenthesis is open, after an operator, or where the next line begins with one or with the unit.
``#`` starts a comment.
Only the numbers 0, 1, 2 and integer exponents may be written; every other number is a parameter with a unit and a source.
Events are written in a block of their own::

    kidney_failure when GFR < GFR_failure then stop "filtration too low for life without dialysis"
    transplant when t > t_graft then m1 = m1 + dose "islets infused"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...base.errors import Problem
from ..algebra.functions import FUNCTIONS
from .statement_reader import RESERVED, Reader, Stop, Token, tokens_of
from .syntax import EventStatement, Position, SourceText, Statement, Syntax

_CONTINUES = re.compile(r"(?:[-+*/^=,(]|\b(?:solves|from|in|when|then|and|or))\s*$")
_CONTINUED = re.compile(r"^\s*(?:[-+*/^)\[]|(?:solves|from|in|when|then|and|or)\b)")


@dataclass
class _Logical:
    """A statement's physical lines, joined: tokens before the bracket, then unit and label."""

    tokens: list[Token]
    end: Position
    unit: str | None
    unit_position: Position
    label: str


def _strip_comment(line: str) -> str:
    return line.partition("#")[0].rstrip()


def _groups(source: SourceText) -> Iterator[list[tuple[int, str]]]:
    """Yield the physical lines of each statement."""
    group: list[tuple[int, str]] = []
    depth = 0
    for number, raw in enumerate(source.lines, start=1):
        line = _strip_comment(raw)
        if not line.strip():
            continue
        code = re.split(r"[\[\"]", line)[0]
        previous = group[-1][1] if group else ""
        goes_on = group and "[" not in previous and (depth > 0 or _CONTINUES.search(previous) or _CONTINUED.match(line))
        # A statement that plainly starts anew ends a group with an open parenthesis, so that one slip costs one statement.
        if goes_on and depth > 0 and re.match(r"^\s*(?:d\w+/dt|\w+(?:\([\w, ]*\))?)\s*=(?!=)", line):
            goes_on = False
        if group and not goes_on:
            yield group
            group, depth = [], 0
        group.append((number, line))
        depth += code.count("(") - code.count(")")
    if group:
        yield group


def _logical(source: SourceText, group: list[tuple[int, str]]) -> _Logical:
    tokens: list[Token] = []
    for number, line in group:
        code, bracket, rest = line.partition("[")
        tokens.extend(tokens_of(source, code, number, 0))
        if bracket:
            unit, closing, label = rest.partition("]")
            start = Position(number, len(code) + 2)
            if not closing:
                raise Stop(source.problem("bad-syntax", "the unit has no closing ']'", Position(number, len(code) + 1)))
            return _Logical(tokens, Position(number, len(code.rstrip()) + 1), unit.strip(), start, label.strip())
    number, line = group[-1]
    end = Position(number, len(line) + 1)
    return _Logical(tokens, end, None, end, "")


def _statement(source: SourceText, logical: _Logical) -> Statement:
    reader = Reader(source, logical.tokens, logical.end)
    first = reader.identifier()
    name, kind = first.text, "assign"
    arguments: tuple[str, ...] = ()
    other = start = None
    steps = 0
    if reader.peek() == "/" and name.startswith("d") and len(name) > 1:
        reader.take()
        reader.expect("dt")
        kind, name = "rate", name[1:]
    elif reader.peek() == "(":
        kind, arguments = _left_call(reader)
    if name in RESERVED or name in FUNCTIONS:
        raise reader.fail(
            "reserved-word",
            f"{name!r} is a {'function' if name in FUNCTIONS else 'word'} of the language and cannot be defined",
            first.position,
            hint="Choose another name.",
        )
    if kind == "assign" and reader.peek() == "solves":
        reader.take()
        kind = "solve"
        expression = reader.expression()
        reader.expect("=")
        other = reader.expression()
        reader.expect("from")
        start = reader.expression()
        reader.expect("in")
        count = reader.take()
        if not count.text.isdigit() or not 1 <= int(count.text) <= 50:
            raise reader.fail(
                "bad-syntax",
                "the number of steps is needed",
                count.position,
                found=repr(count.text),
                expected="1 to 50",
            )
        steps = int(count.text)
        reader.expect("steps")
    else:
        reader.expect("=")
        expression = reader.expression()
    reader.done()
    if logical.unit is None:
        raise reader.fail(
            "missing-unit",
            f"{name!r} has no unit",
            logical.end,
            expected="[unit] at the end of the statement",
            hint="Write [1] for a plain number.",
        )
    return Statement(
        kind,
        name,
        expression,
        logical.unit,
        logical.label,
        first.position,
        logical.unit_position,
        arguments,
        other,
        start,
        steps,
    )


def _left_call(reader: Reader) -> tuple[str, tuple[str, ...]]:
    """Read what follows the name on the left: ``(0)`` is an initial value, ``(x, y)`` a function's arguments."""
    reader.expect("(")
    if reader.peek() == "0":
        reader.take()
        reader.expect(")")
        return "initial", ()
    names = [reader.identifier().text]
    while reader.peek() == ",":
        reader.take()
        names.append(reader.identifier().text)
    reader.expect(")")
    return "function", tuple(names)


def parse(source: SourceText) -> tuple[list[Statement], list[Problem]]:
    """Read a block of equations; problems are collected, and every statement that can be read is returned."""
    statements: list[Statement] = []
    problems: list[Problem] = []
    for group in _groups(source):
        try:
            statements.append(_statement(source, _logical(source, group)))
        except Stop as stop:
            problems.append(stop.problem)
    return statements, problems


def parse_events(source: SourceText) -> tuple[list[EventStatement], list[Problem]]:
    """Read a block of events; problems are collected, and every event that can be read is returned."""
    events: list[EventStatement] = []
    problems: list[Problem] = []
    for group in _groups(source):
        try:
            tokens = [token for number, line in group for token in tokens_of(source, line, number, 0)]
            end = Position(group[-1][0], len(group[-1][1]) + 1)
            events.append(_event(Reader(source, tokens, end, logic=True)))
        except Stop as stop:
            problems.append(stop.problem)
    return events, problems


def _event(reader: Reader) -> EventStatement:
    first = reader.identifier()
    reader.expect("when")
    trigger = reader.expression()
    if trigger.kind not in ("<", "<=", ">", ">=", "and", "or", "not"):
        raise reader.fail(
            "bad-syntax",
            "the trigger of an event is a comparison",
            trigger.position,
            expected="such as GFR < GFR_failure",
        )
    reader.expect("then")
    terminal = False
    assignments: list[tuple[str, Syntax]] = []
    while True:
        if reader.peek() == "stop":
            reader.take()
            terminal = True
        else:
            target = reader.identifier()
            reader.expect("=")
            assignments.append((target.text, reader.expression()))
        if reader.peek() != ",":
            break
        reader.take()
    label = (
        reader.take().text.strip('"')
        if reader.index < len(reader.tokens) and reader.tokens[reader.index].kind == "string"
        else ""
    )
    reader.done()
    return EventStatement(first.text, trigger, tuple(assignments), terminal, label, first.position)
