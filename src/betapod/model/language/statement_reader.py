"""Tokeniser and expression parser of one equation statement."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from ...base.errors import Problem
from .syntax import Position, SourceText, Syntax

#: Names that mean something in the language itself.
RESERVED = frozenset(
    {"t", "dt", "time", "solves", "from", "in", "steps", "when", "then", "stop", "and", "or", "not", *keyword.kwlist}
)

_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<op>\*\*|<=|>=|==|!=|[-+*/^(),=<>])|(?P<string>\"[^\"]*\")|(?P<other>.)"
)
_BINDING = {"or": 1, "and": 2, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4, "+": 5, "-": 5, "*": 6, "/": 6}

#: Brackets, signs and powers inside one another, and levels of the tree of an expression (a sum of n terms has n): what comes after
#: goes down level by level, and Python would end in the middle of it.
_NESTED, _LEVELS = 100, 250


class Stop(Exception):
    """Ends the parsing of one statement; its problem is kept and the next statement is read."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(frozen=True)
class Token:
    """A word of a statement: ``kind`` is number, name, op or string."""

    kind: str
    text: str
    position: Position


class Reader:
    """A Pratt parser over the tokens of one statement; every method raises `Stop` where the text is wrong.

    Parameters
    ----------
    end
        Place of the end of the statement.
    logic
        Whether comparisons, ``and``, ``or`` and ``not`` are allowed, as in the trigger of an event.
    """

    def __init__(self, source: SourceText, tokens: list[Token], end: Position, logic: bool = False) -> None:
        self.source, self.tokens, self.end, self.logic = source, tokens, end, logic
        self.index = 0
        self.nested = 0

    def fail(self, kind: str, message: str, position: Position | None = None, **details: str) -> Stop:
        """Return what ends this statement; the place is the next token, unless given."""
        return Stop(self.source.problem(kind, message, position or self.position(), **details))

    def position(self) -> Position:
        """Return the place of the next token, or of the end."""
        return self.tokens[self.index].position if self.index < len(self.tokens) else self.end

    def peek(self) -> str:
        """Return the next token's text without taking it; empty at the end."""
        return self.tokens[self.index].text if self.index < len(self.tokens) else ""

    def take(self) -> Token:
        """Take the next token."""
        if self.index >= len(self.tokens):
            raise self.fail("bad-syntax", "the statement ends too early", expected="a name, a number or '('")
        self.index += 1
        return self.tokens[self.index - 1]

    def expect(self, text: str) -> Token:
        """Take the next token, which must be `text`."""
        if self.peek() != text:
            raise self.fail(
                "bad-syntax", "unexpected text", found=repr(self.peek() or "end of statement"), expected=repr(text)
            )
        return self.take()

    def done(self) -> None:
        """Require that nothing is left."""
        if self.index < len(self.tokens):
            raise self.fail(
                "bad-syntax",
                "unexpected text after a complete expression",
                found=repr(self.peek()),
                expected="an operator or [unit]",
            )

    def identifier(self) -> Token:
        """Take a name."""
        token = self.take()
        if token.kind != "name":
            raise self.fail("bad-syntax", "a name is needed here", token.position, found=repr(token.text))
        return token

    def expression(self, level: int = 0) -> Syntax:
        """Read an expression while its operators bind tighter than `level`."""
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
            if left.depth > _LEVELS:
                raise self.too_deep(token, f"an expression of more than {_LEVELS} terms or levels")

    def too_deep(self, token: Token, construct: str) -> Stop:
        """Return the refusal of an expression that goes too deep."""
        return self.fail("too-deep", f"{construct} is not read", token.position, hint="Split it into parts with names.")

    def prefix(self) -> Syntax:
        """Read an operand with the signs before it."""
        token = self.take()
        self.nested += 1
        if self.nested > _NESTED:
            raise self.too_deep(token, f"more than {_NESTED} brackets or signs inside one another")
        operand = self.operand(token)
        self.nested -= 1
        return operand

    def operand(self, token: Token) -> Syntax:
        """Read an operand that begins with `token`."""
        if token.text in ("-", "+"):
            operand = self.expression(6)
            return operand if token.text == "+" else Syntax("neg", token.position, args=(operand,))
        if token.text == "not" and self.logic:
            return Syntax("not", token.position, args=(self.expression(3),))
        return self.postfix(self.atom(token))

    def postfix(self, base: Syntax) -> Syntax:
        """Read the power that follows an operand; powers bind to the right."""
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
            self.nested += 1
            if self.nested > _NESTED:
                raise self.too_deep(token, f"more than {_NESTED} powers of powers")
            exponent = self.postfix(self.atom(exponent_token))
            self.nested -= 1
        if negative:
            exponent = Syntax("neg", exponent.position, args=(exponent,))
        return Syntax("^", token.position, args=(base, exponent))

    def atom(self, token: Token) -> Syntax:
        """Read a number, a name, a call or a parenthesis that begins with `token`."""
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

    def call(self, name: Token) -> Syntax:
        """Read the arguments of a function."""
        self.expect("(")
        args = [self.expression()]
        while self.peek() == ",":
            self.take()
            args.append(self.expression())
        self.expect(")")
        return Syntax("call", name.position, name.text, tuple(args))


def tokens_of(source: SourceText, text: str, line: int, offset: int) -> list[Token]:
    """Split text into tokens; it stands on `line`, `offset` columns from the left.

    Raises
    ------
    Stop
        A character that the language does not have.
    """
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        position = Position(line, offset + match.start() + 1)
        if kind == "other":
            raise Stop(source.problem("bad-syntax", f"unexpected character {match.group()!r}", position))
        if kind != "space":
            tokens.append(Token(kind, match.group(), position))
    return tokens
