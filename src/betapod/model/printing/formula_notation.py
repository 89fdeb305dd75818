"""Formula notation for printers: symbols with subscripts, operator precedence, expression graphs as syntax trees."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...base.units import conversion_factor
from ..algebra.expression import Expr, topological
from ..language.syntax import Position, Syntax

#: Greek letters that names spell out.
GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda": "λ",
    "lam": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "upsilon": "υ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Xi": "Ξ",
    "Pi": "Π",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
}

#: How tightly each kind of syntax binds; what is not listed binds like a name.
PRECEDENCE = {"or": 1, "xor": 1, "and": 2, "not": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4}
PRECEDENCE |= {"+": 5, "-": 5, "neg": 5, "*": 6, "/": 7, "^": 8}
ATOM = 9

_NOWHERE = Position(0, 0)
_TRAILING_DIGITS = re.compile(r"(.*[A-Za-z])(\d+)")
_FROM_OPERATION = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^", "neg": "neg", "not": "not"}
_FROM_OPERATION |= {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_FROM_OPERATION |= {"and": "and", "or": "or", "xor": "xor"}


@dataclass(frozen=True)
class Symbol:
    """A name taken apart: ``ln_tau_R0`` is ``ln`` of base ``tau`` with the subscripts ``R`` and ``0``."""

    base: str
    subscripts: tuple[str, ...] = ()
    logarithm: bool = False


def split_symbol(name: str) -> Symbol:
    """Take a name apart for printing: ``P_GC`` has the base P and the subscript GC, ``GFR0`` the subscript 0."""
    pieces = [piece for piece in name.split("_") if piece] or [name]
    logarithm = pieces[0] == "ln" and len(pieces) > 1
    if logarithm:
        pieces = pieces[1:]
    base, subscripts = pieces[0], pieces[1:]
    match = _TRAILING_DIGITS.fullmatch(base)
    if match is not None:
        base, subscripts = match[1], [match[2], *subscripts]
    return Symbol(base, tuple(subscripts), logarithm)


def call(name: str, *args: Syntax) -> Syntax:
    """Return the syntax of a function call."""
    return Syntax("call", _NOWHERE, name, args)


def name_of(name: str) -> Syntax:
    """Return the syntax of a name."""
    return Syntax("name", _NOWHERE, name)


def number_of(value: float) -> Syntax:
    """Return the syntax of a number, negative ones as a negation."""
    text = f"{abs(value):.15g}"
    node = Syntax("number", _NOWHERE, text)
    return Syntax("neg", _NOWHERE, args=(node,)) if value < 0 else node


def syntax_of(expr: Expr, budget: int = 400) -> tuple[Syntax, tuple[tuple[str, Syntax], ...]]:
    """Turn a graph into syntax, with auxiliary definitions where the tree would be long.

    Parameters
    ----------
    budget
        Number of nodes up to which the graph is written out as one formula.

    Returns
    -------
    formula, auxiliaries
        The formula, and ``(name, formula)`` pairs of the shared parts it refers to, in order of use.
    """
    order = topological([expr])
    size: dict[Expr, int] = {}
    uses: dict[Expr, int] = {}
    for node in order:
        size[node] = 1 + sum(size[arg] for arg in node.args)
        for arg in node.args:
            uses[arg] = uses.get(arg, 0) + 1
    shared = size[expr] > budget
    trees: dict[Expr, Syntax] = {}
    auxiliaries: list[tuple[str, Syntax]] = []
    for node in order:
        written = _write(node, [trees[arg] for arg in node.args])
        if shared and uses.get(node, 0) > 1 and size[node] >= 8:
            auxiliaries.append((f"aux_{len(auxiliaries) + 1}", written))
            written = name_of(auxiliaries[-1][0])
        trees[node] = written
    return trees[expr], tuple(auxiliaries)


def _write(node: Expr, args: list[Syntax]) -> Syntax:
    if node.op == "const":
        return number_of(node.value)
    if node.op == "sym":
        return name_of(str(node.value))
    if node.op == "powi":
        exponent = Syntax("integer", _NOWHERE, str(abs(node.value)))
        if node.value < 0:
            exponent = Syntax("neg", _NOWHERE, args=(exponent,))
        return Syntax("^", _NOWHERE, args=(args[0], exponent))
    if node.op == "select":
        # Nested alternatives become one list: value, condition, value, condition, ..., otherwise.
        rest = args[2].args if args[2].kind == "call" and args[2].text == "piecewise" else (args[2],)
        return call("piecewise", args[1], args[0], *rest)
    if node.op == "solve":
        return args[0]
    if node.op in _FROM_OPERATION:
        return Syntax(_FROM_OPERATION[node.op], _NOWHERE, args=tuple(args))
    return call(node.op, *args)


class FormulaPrinter(ABC):
    """Walks syntax once and calls a primitive of the target notation for each piece.

    Parameters
    ----------
    names
        Names that the model defines, with a short explanation; a name such as ``min_per_day`` that is not among them prints as
        the conversion that it stands for.
    """

    #: Whether a quotient is stacked, so that its two sides need no parentheses.
    stacked = True
    #: What a minus sign takes without parentheses.
    _sign_level: float = 6

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self.names = names or {}

    @abstractmethod
    def number(self, text: str) -> str:
        """Print a number."""

    @abstractmethod
    def symbol(self, name: str) -> str:
        """Print a name."""

    @abstractmethod
    def conversion(self, value: float, unit: str) -> str:
        """Print a conversion factor."""

    @abstractmethod
    def operator(self, text: str) -> str:
        """Print an infix operator; ``invisible`` joins factors."""

    @abstractmethod
    def row(self, parts: Sequence[str]) -> str:
        """Join printed pieces."""

    @abstractmethod
    def fenced(self, inner: str) -> str:
        """Print parentheses."""

    @abstractmethod
    def fraction(self, above: str, below: str) -> str:
        """Print a quotient."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """Print a power."""

    @abstractmethod
    def function(self, name: str, args: Sequence[str]) -> str:
        """Print a function call."""

    @abstractmethod
    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        """Print alternatives: pairs of value and condition."""

    def expression(self, node: Syntax) -> str:
        """Print an expression."""
        if node.kind in ("number", "integer"):
            return self.number(node.text)
        if node.kind == "name":
            return self._name(node.text)
        if node.kind == "call":
            return self._call(node)
        if node.kind == "neg":
            return self.row([self.operator("neg"), self._right(node.args[0], self._sign_level)])
        if node.kind == "not":
            return self.row([self.operator("not"), self._inside(node.args[0], 4)])
        a, b = node.args
        if node.kind == "/":
            return self._quotient(node, a, b)
        if node.kind == "^":
            return self.power(self._inside(a, ATOM), self._exponent(b))
        if node.kind == "*":
            left = self._inside(a, 5 if a.kind == "neg" else 6)
            right = self._right(b, 6 if self.stacked else 6.5)
            return self.row([left, self.operator(self._times(a, b)), right])
        level = PRECEDENCE[node.kind]
        # The right side of a difference needs parentheses around a sum; that of a sum does not, but a sign does.
        right = self._right(b, 6 if node.kind in ("-", "+") else level + 1)
        return self.row([self._inside(a, level), self.operator(node.kind), right])

    def _quotient(self, node: Syntax, a: Syntax, b: Syntax) -> str:
        if not self.stacked:
            return self.row([self._inside(a, 6), self.operator("/"), self._right(b, 6.5)])
        below = b
        while a.kind == "/":  # a/b/c is one fraction
            below = Syntax("*", node.position, args=(a.args[1], below))
            a = a.args[0]
        return self.fraction(self.expression(a), self.expression(below))

    def _exponent(self, node: Syntax) -> str:
        return self.expression(node)

    def _inside(self, node: Syntax, level: float) -> str:
        printed = self.expression(node)
        return self.fenced(printed) if self._level(node) < level else printed

    def _right(self, node: Syntax, level: float) -> str:
        """Print what follows an operator; two signs in a row are kept apart."""
        first = node
        while first.kind in ("*", "+", "-") or (first.kind == "/" and not self.stacked):
            first = first.args[0]
        printed = self.expression(node)
        return self.fenced(printed) if first.kind == "neg" or self._level(node) < level else printed

    def _level(self, node: Syntax) -> float:
        if node.kind == "name" and self._conversion(node.text) is not None:
            return 6.5
        if node.kind == "call" and node.text == "exp":
            return 8
        return PRECEDENCE.get(node.kind, ATOM)

    def _conversion(self, name: str) -> tuple[float, str] | None:
        return None if name in self.names else conversion_factor(name)

    def _name(self, name: str) -> str:
        conversion = self._conversion(name)
        return self.symbol(name) if conversion is None else self.conversion(*conversion)

    def _call(self, node: Syntax) -> str:
        if node.text == "piecewise":
            args = [self.expression(arg) for arg in node.args]
            pairs = list(zip(args[0:-1:2], args[1:-1:2], strict=True))
            return self.cases(pairs, args[-1])
        return self.function(node.text, [self.expression(arg) for arg in node.args])

    def _times(self, a: Syntax, b: Syntax) -> str:
        """Choose between a visible and an invisible multiplication sign; a name before '(' would look like a call."""
        first, last = b, a
        while first.kind in ("*", "^"):
            first = first.args[0]
        while last.kind in ("*", "neg"):
            last = last.args[-1]
        numeric = first.kind in ("number", "integer") or (
            first.kind == "name" and self._conversion(first.text) is not None
        )
        called = PRECEDENCE.get(first.kind, ATOM) < 6 and last.kind == "name"
        converted = last.kind == "name" and self._conversion(last.text) is not None
        words = _is_word(first) and _is_word(last)
        return "times" if numeric or called or converted or words else "invisible"


def _is_word(node: Syntax) -> bool:
    """Whether a name prints as a word; two words side by side would read as one."""
    base = split_symbol(node.text).base if node.kind == "name" else ""
    return len(base) > 1 and base not in GREEK


def sum_terms(node: Syntax) -> list[tuple[str, Syntax]]:
    """Take a sum apart into ``(sign, term)`` pairs, so that a long one can be broken over lines."""
    if node.kind in ("+", "-"):
        return [*sum_terms(node.args[0]), (node.kind, node.args[1])]
    return [("", node)]


def weight(node: Syntax) -> int:
    """Estimate the printed width of an expression in characters."""
    if node.kind == "/":
        return max(weight(node.args[0]), weight(node.args[1])) + 1
    width = len(node.text.replace("_", "")) if node.kind in ("name", "call", "number", "integer") else 1
    if node.kind == "^":
        return weight(node.args[0]) + 1
    return width + sum(weight(arg) + 1 for arg in node.args)


def formula_lines(node: Syntax, width: int) -> list[list[tuple[str, Syntax]]]:
    """Break a sum into lines of at most about `width` characters."""
    if weight(node) <= width:
        return [[("", node)]]
    lines: list[list[tuple[str, Syntax]]] = [[]]
    used = 0
    for sign, term in sum_terms(node):
        wide = weight(term) + 2
        if lines[-1] and used + wide > width:
            lines.append([])
            used = 0
        lines[-1].append((sign, term))
        used += wide
    return lines


class TextPrinter(FormulaPrinter):
    """Prints the language itself: what it prints, the reader reads back as the same expression."""

    stacked = False
    _sign_level = 6.5

    def number(self, text: str) -> str:
        return text

    def symbol(self, name: str) -> str:
        return name

    def _conversion(self, name: str) -> tuple[float, str] | None:
        return None

    def conversion(self, value: float, unit: str) -> str:
        return f"{value:g}"

    def operator(self, text: str) -> str:
        signs = {"neg": "-", "not": "not ", "invisible": "*", "times": "*", "*": "*", "/": "/"}
        return signs.get(text, f" {text} ")

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def fenced(self, inner: str) -> str:
        return f"({inner})"

    def fraction(self, above: str, below: str) -> str:
        return f"{above}/{below}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{exponent}"

    def _exponent(self, node: Syntax) -> str:
        bare = node.args[0] if node.kind == "neg" else node
        printed = self.expression(bare)
        # A fenced integer would be a number to the reader, a bare one is an exponent.
        inner = printed if bare.kind in ("integer", "name", "call") else self.fenced(printed)
        return f"-{inner}" if node.kind == "neg" else inner

    def _level(self, node: Syntax) -> float:
        # Here a sign binds more tightly than a product, and a quotient as a product does.
        return {"/": 6, "neg": 7}.get(node.kind, PRECEDENCE.get(node.kind, ATOM))

    def function(self, name: str, args: Sequence[str]) -> str:
        return f"{name}({', '.join(args)})"

    def cases(self, branches: Sequence[tuple[str, str]], otherwise: str) -> str:
        inner = ", ".join(f"{value} if {condition}" for value, condition in branches)
        return f"piecewise({inner}, otherwise {otherwise})"


def text_of(node: Syntax) -> str:
    """Return an expression in the model language."""
    return TextPrinter().expression(node)
