"""Read equation text: one statement per line, each with its unit in brackets and a label.

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

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import Location, Problem
from .functions import FUNCTIONS

#: Names that mean something in the language itself.
RESERVED = frozenset(
    {"t", "dt", "time", "solves", "from", "in", "steps", "when", "then", "stop", "and", "or", "not", *keyword.kwlist}
)

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op>\*\*|<=|>=|==|!=|[-+*/^(),=<>])|(?P<string>\"[^\"]*\")|(?P<other>.)"
)
_BINDING = {"or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5, "*": 6, "/": 6}
_CONTINUES = re.compile(r"(?:[-+*/^=,(]|\b(?:solves|from|in|when|then|and|or))\s*$")
_CONTINUED = re.compile(r"^\s*(?:[-+*/^)\[]|(?:solves|from|in|when|then|and|or)\b)")


@dataclass(frozen=True)
class Position:
    """A place in the text block, both from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Syntax:
    """A parsed expression: ``kind`` is number, name, call, or the operator itself."""

    kind: str
    position: Position
    text: str = ""
    args: tuple[Syntax, ...] = ()

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


class _Stop(Exception):
    """Ends the parsing of one statement; its problem is kept and the next statement is read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: Position


class _Reader:
    """A Pratt parser over the tokens of one statement."""

    def __init__(self, source: SourceText, tokens: list[_Token], end: Position, logic: bool = False) -> None:
        self.source, self.tokens, self.end, self.logic = source, tokens, end, logic
        self.index = 0

    def fail(self, kind: str, message: str, position: Position | None = None, **details: str) -> _Stop:
        return _Stop(self.source.problem(kind, message, position or self.position(), **details))

    def position(self) -> Position:
        return self.tokens[self.index].position if self.index < len(self.tokens) else self.end

    def peek(self) -> str:
        return self.tokens[self.index].text if self.index < len(self.tokens) else ""

    def take(self) -> _Token:
        if self.index >= len(self.tokens):
            raise self.fail("bad-syntax", "the statement ends too early", expected="a name, a number or '('")
        self.index += 1
        return self.tokens[self.index - 1]

    def expect(self, text: str) -> _Token:
        if self.peek() != text:
            raise self.fail(
                "bad-syntax", "unexpected text", found=repr(self.peek() or "end of statement"), expected=repr(text)
            )
        return self.take()

    def done(self) -> None:
        if self.index < len(self.tokens):
            raise self.fail(
                "bad-syntax",
                "unexpected text after a complete expression",
                found=repr(self.peek()),
                expected="an operator or [unit]",
            )

    def identifier(self) -> _Token:
        token = self.take()
        if token.kind != "name":
            raise self.fail("bad-syntax", "a name is needed here", token.position, found=repr(token.text))
        return token

    def expression(self, level: int = 0) -> Syntax:
        left = self.prefix()
        while True:
            operator = self.peek()
            binding = _BINDING.get(operator, 0)
            if not binding or binding <= level:
                return left
            token = self.take()
            if not self.logic and binding <= 4:
                raise self.fail(
                    "not-smooth",
                    f"{operator!r} makes a jump; equations are smooth",
                    token.position,
                    hint="Use logistic((x - x0)/width), softplus or hill; comparisons belong in events.",
                )
            left = Syntax(operator, token.position, args=(left, self.expression(binding)))

    def prefix(self) -> Syntax:
        token = self.take()
        if token.text in ("-", "+"):
            operand = self.expression(6)
            return operand if token.text == "+" else Syntax("neg", token.position, args=(operand,))
        if token.text == "not" and self.logic:
            return Syntax("not", token.position, args=(self.expression(3),))
        return self.postfix(self.atom(token))

    def postfix(self, base: Syntax) -> Syntax:
        if self.peek() not in ("**", "^"):
            return base
        token = self.take()
        negative = self.peek() == "-"
        if negative:
            self.take()
        exponent_token = self.take()
        if exponent_token.kind == "number" and exponent_token.text.isdigit():
            exponent = Syntax("integer", exponent_token.position, exponent_token.text)
        else:
            exponent = self.postfix(self.atom(exponent_token))
        if negative:
            exponent = Syntax("neg", exponent.position, args=(exponent,))
        return Syntax("^", token.position, args=(base, exponent))

    def atom(self, token: _Token) -> Syntax:
        if token.kind == "number":
            if token.text not in ("0", "1", "2"):
                raise self.fail(
                    "literal-number",
                    f"the number {token.text} is hidden in an equation",
                    token.position,
                    expected="0, 1, 2 or an integer exponent",
                    hint="Give it a row in the parameter table, with unit and source, and write its name here.",
                )
            return Syntax("number", token.position, token.text)
        if token.kind == "name":
            if self.peek() == "(":
                return self.call(token)
            if token.text in RESERVED - {"t"}:
                raise self.fail("reserved-word", f"{token.text!r} is a reserved word", token.position)
            return Syntax("name", token.position, token.text)
        if token.text == "(":
            inner = self.expression()
            self.expect(")")
            return inner
        raise self.fail(
            "bad-syntax", "unexpected text", token.position, found=repr(token.text), expected="a name, a number or '('"
        )

    def call(self, name: _Token) -> Syntax:
        self.expect("(")
        args = [self.expression()]
        while self.peek() == ",":
            self.take()
            args.append(self.expression())
        self.expect(")")
        return Syntax("call", name.position, name.text, tuple(args))


def _tokens(source: SourceText, text: str, line: int, offset: int) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        position = Position(line, offset + match.start() + 1)
        if kind == "other":
            raise _Stop(source.problem("bad-syntax", f"unexpected character {match.group()!r}", position))
        if kind != "space":
            found.append(_Token(kind, match.group(), position))
    return found


@dataclass
class _Logical:
    """A statement's physical lines, joined: tokens before the bracket, then unit and label."""

    tokens: list[_Token]
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
    tokens: list[_Token] = []
    for number, line in group:
        code, bracket, rest = line.partition("[")
        tokens.extend(_tokens(source, code, number, 0))
        if bracket:
            unit, closing, label = rest.partition("]")
            start = Position(number, len(code) + 2)
            if not closing:
                raise _Stop(
                    source.problem("bad-syntax", "the unit has no closing ']'", Position(number, len(code) + 1))
                )
            return _Logical(tokens, Position(number, len(code.rstrip()) + 1), unit.strip(), start, label.strip())
    number, line = group[-1]
    end = Position(number, len(line) + 1)
    return _Logical(tokens, end, None, end, "")


def _statement(source: SourceText, logical: _Logical) -> Statement:
    reader = _Reader(source, logical.tokens, logical.end)
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


def _left_call(reader: _Reader) -> tuple[str, tuple[str, ...]]:
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
        except _Stop as stop:
            problems.append(stop.problem)
    return statements, problems


def parse_events(source: SourceText) -> tuple[list[EventStatement], list[Problem]]:
    """Read a block of events."""
    events: list[EventStatement] = []
    problems: list[Problem] = []
    for group in _groups(source):
        try:
            tokens = [token for number, line in group for token in _tokens(source, line, number, 0)]
            end = Position(group[-1][0], len(group[-1][1]) + 1)
            events.append(_event(_Reader(source, tokens, end, logic=True)))
        except _Stop as stop:
            problems.append(stop.problem)
    return events, problems


def _event(reader: _Reader) -> EventStatement:
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
