"""Convert expressions to MathML; shared subexpressions become auxiliary parameters."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ...base.errors import ExchangeError, Problem
from ...model.algebra.expression import (
    ONE,
    TWO,
    Expr,
    add,
    binary,
    const,
    div,
    exp,
    log,
    mul,
    rebuild,
    select,
    sub,
    topological,
)

#: A part used more than once is written out each time while it has at most this many nodes.
_SMALL = 5
#: A formula deeper than this is cut, since readers of MathML descend by recursion.
_DEEP = 60

#: Function definitions for what MathML lacks, in the infix of SBML Level 3; each may use those before it.
#: ``log1p`` is exact to the last bits where 1 + u rounds; none of them overflows in the branch taken.
FUNCTIONS = {
    "log1p": "lambda(u, piecewise(u, 1 + u == 1, ln(1 + u)*u/((1 + u) - 1)))",
    "softplus": "lambda(x, piecewise(x, x > 0, 0) + log1p(exp(-abs(x))))",
    "logistic": "lambda(x, piecewise(1/(1 + exp(-x)), x >= 0, exp(x)/(1 + exp(x))))",
    "cbrt": "lambda(x, piecewise(-root(3, -x), x < 0, root(3, x)))",
    "atan2": "lambda(y, x, piecewise(arctan(y/x), x > 0, arctan(y/x) + pi, (x < 0) && (y >= 0), arctan(y/x) - pi, x < 0, "
    "pi/2, y > 0, -pi/2, y < 0, 0))",
}
_NEEDS = {"softplus": ("log1p",)}


@functools.cache
def _own() -> dict[str, str]:
    import libsbml

    return {
        libsbml.formulaToL3String(libsbml.parseL3Formula(text)): op for op, text in FUNCTIONS.items() if op != "log1p"
    }


def own_function(definition: Any) -> str | None:
    """Return the operation that a function definition was written for, if betapod wrote it."""
    import libsbml

    return _own().get(libsbml.formulaToL3String(definition))


def _omega_start(x: Expr) -> Expr:
    """Return a start for Wright's omega function, within a few per cent for any argument above -36."""
    shifted = sub(x, ONE)
    middle = add(ONE, add(div(shifted, TWO), div(mul(shifted, shifted), const(16.0))))
    return select(binary("lt", x, const(-2.0)), exp(x), select(binary("gt", x, const(4.0)), sub(x, log(x)), middle))


def _omega_step(x: Expr, w: Expr) -> Expr:
    """Return one step of Fritsch, Shafer and Crowley (1973), which multiplies the number of right digits by four."""
    r = sub(sub(x, w), log(w))
    above = add(ONE, w)
    q = mul(mul(TWO, above), add(above, mul(const(2.0 / 3.0), r)))
    return mul(w, add(ONE, mul(div(r, above), div(sub(q, r), sub(q, mul(TWO, r))))))


def _omega(x: Expr) -> Expr:
    w = _omega_start(x)
    for _ in range(3):
        w = _omega_step(x, w)
    # Far below 0 the function is exp(x) to the last bit, and the steps would lose digits to cancellation.
    return select(binary("lt", x, const(-36.0)), exp(x), w)


def expand_roots(roots: Iterable[Expr]) -> list[Expr]:
    """Return the roots with everything written in operations that MathML or a function definition has."""
    wanted = list(roots)
    done: dict[Expr, Expr] = {}
    for node in topological(wanted):
        args = tuple(done[arg] for arg in node.args)
        if node.op == "solve":
            done[node] = args[0]
        elif node.op == "wright_omega":
            done[node] = _omega(args[0])
        else:
            done[node] = rebuild(node, args)
    return [done[root] for root in wanted]


@functools.cache
def _operators() -> dict[str, int]:
    """Return the MathML operator of each operation that has one."""
    import libsbml as s

    return {
        "add": s.AST_PLUS,
        "sub": s.AST_MINUS,
        "mul": s.AST_TIMES,
        "div": s.AST_DIVIDE,
        "neg": s.AST_MINUS,
        "pow": s.AST_FUNCTION_POWER,
        "min": s.AST_FUNCTION_MIN,
        "max": s.AST_FUNCTION_MAX,
        "mod": s.AST_FUNCTION_REM,
        "lt": s.AST_RELATIONAL_LT,
        "le": s.AST_RELATIONAL_LEQ,
        "gt": s.AST_RELATIONAL_GT,
        "ge": s.AST_RELATIONAL_GEQ,
        "eq": s.AST_RELATIONAL_EQ,
        "ne": s.AST_RELATIONAL_NEQ,
        "and": s.AST_LOGICAL_AND,
        "or": s.AST_LOGICAL_OR,
        "xor": s.AST_LOGICAL_XOR,
        "not": s.AST_LOGICAL_NOT,
        "exp": s.AST_FUNCTION_EXP,
        "log": s.AST_FUNCTION_LN,
        "abs": s.AST_FUNCTION_ABS,
        "floor": s.AST_FUNCTION_FLOOR,
        "ceil": s.AST_FUNCTION_CEILING,
        "factorial": s.AST_FUNCTION_FACTORIAL,
        "sin": s.AST_FUNCTION_SIN,
        "cos": s.AST_FUNCTION_COS,
        "tan": s.AST_FUNCTION_TAN,
        "asin": s.AST_FUNCTION_ARCSIN,
        "acos": s.AST_FUNCTION_ARCCOS,
        "atan": s.AST_FUNCTION_ARCTAN,
        "sinh": s.AST_FUNCTION_SINH,
        "cosh": s.AST_FUNCTION_COSH,
        "tanh": s.AST_FUNCTION_TANH,
        "asinh": s.AST_FUNCTION_ARCSINH,
        "acosh": s.AST_FUNCTION_ARCCOSH,
        "atanh": s.AST_FUNCTION_ARCTANH,
    }


class Formulas:
    """Writes expressions as MathML trees and collects the auxiliary parameters and functions they need.

    Parameters
    ----------
    identifiers
        SBML identifier of every name.
    named
        Expressions that have an identifier of their own.
    used_identifiers
        Identifiers in use; auxiliary ones avoid them.
    """

    def __init__(self, identifiers: Mapping[str, str], named: Mapping[Expr, str], used_identifiers: set[str]) -> None:
        self.identifiers, self.named, self.used_identifiers = identifiers, dict(named), used_identifiers
        self.functions: dict[str, str] = {}
        self.auxiliary: dict[str, Any] = {}
        self._size: dict[Expr, int] = {}
        self._depth: dict[Expr, int] = {}
        self._uses: dict[Expr, int] = {}

    def prepare(self, roots: Iterable[tuple[Expr, str | None]]) -> None:
        """Count how often each part is used in all formulas together, and name the parts that must not be repeated.

        Parameters
        ----------
        roots
            Every formula, with the identifier that it defines, if any.
        """
        order: dict[Expr, None] = {}
        for root, identifier in roots:
            self._uses[root] = self._uses.get(root, 0) + 1
            if self.named.get(root, identifier) == identifier:
                self._visit(root, order)
        for node in order:
            self._measure(node)

    def _visit(self, root: Expr, order: dict[Expr, None]) -> None:
        """Add what a formula writes out to `order`, parts before the whole; a part with an identifier is not gone into."""
        stack = [(root, False)]
        while stack:
            node, ready = stack.pop()
            if ready:
                order[node] = None
            elif node not in order:
                stack.append((node, True))
                for arg in reversed(node.args):
                    self._uses[arg] = self._uses.get(arg, 0) + 1
                    if arg not in self.named:
                        stack.append((arg, False))

    def _measure(self, node: Expr) -> None:
        if node.op in FUNCTIONS:
            # Tools write a function out with its argument at every place, so the argument is one name.
            for arg in node.args:
                if arg.args and arg not in self.named:
                    self._name(arg)
        args = [arg for arg in node.args if arg not in self.named]
        size = 1 + len(node.args) - len(args) + sum(self._size[arg] for arg in args)
        depth = 1 + max((self._depth[arg] for arg in args), default=0)
        if node not in self.named and ((self._uses[node] > 1 and size > _SMALL) or depth > _DEEP):
            self._name(node)
        self._size[node], self._depth[node] = size, depth

    def _name(self, node: Expr) -> None:
        identifier = self.fresh("shared")
        self.auxiliary[identifier] = self.tree(node)
        self.named[node] = identifier

    def fresh(self, stem: str) -> str:
        """Return an identifier that nothing else has."""
        number = len(self.auxiliary) + 1
        while f"{stem}_{number}" in self.used_identifiers:
            number += 1
        self.used_identifiers.add(f"{stem}_{number}")
        return f"{stem}_{number}"

    def tree(self, node: Expr, identifier: str | None = None) -> Any:
        """Return the MathML tree of an expression.

        Parameters
        ----------
        identifier
            Identifier that the expression itself has, which must not be used to define it.

        Raises
        ------
        ExchangeError
            An operation that SBML does not have.
        """
        import libsbml

        if node in self.named and self.named[node] != identifier:
            return _leaf(self.named[node])
        element = libsbml.ASTNode()
        if node.op == "const":
            element.setValue(node.value)
            if math.isfinite(node.value):
                if node.value == int(node.value) and abs(node.value) < 1e9:
                    element.setValue(int(node.value))
                element.setUnits("dimensionless")
            return element
        if node.op == "sym":
            if node.value == "t":
                element.setType(libsbml.AST_NAME_TIME)
                element.setName("time")
                return element
            return _leaf(self.identifiers[node.value])
        children = [self.tree(arg) for arg in node.args]
        if node.op == "select":
            element.setType(libsbml.AST_FUNCTION_PIECEWISE)
            children = [children[1], children[0], children[2]]
        elif node.op == "powi":
            element.setType(libsbml.AST_FUNCTION_POWER)
            exponent = libsbml.ASTNode(libsbml.AST_INTEGER)
            exponent.setValue(int(node.value))
            exponent.setUnits("dimensionless")
            children.append(exponent)
        elif node.op == "sqrt":
            element.setType(libsbml.AST_FUNCTION_ROOT)
            degree = libsbml.ASTNode(libsbml.AST_INTEGER)
            degree.setValue(2)
            children.insert(0, degree)
        elif node.op in FUNCTIONS:
            element.setType(libsbml.AST_FUNCTION)
            element.setName(self._function(node.op))
        elif node.op in _operators():
            element.setType(_operators()[node.op])
        else:
            raise ExchangeError(Problem("unsupported", f"SBML has no {node.op!r}"))
        for child in children:
            element.addChild(child)
        return element

    def _function(self, op: str) -> str:
        for needed in (*_NEEDS.get(op, ()), op):
            if needed not in self.functions:
                identifier = needed
                while identifier in self.used_identifiers:
                    identifier += "_"
                self.used_identifiers.add(identifier)
                self.functions[needed] = identifier
        return self.functions[op]

    def definitions(self) -> list[tuple[str, Any]]:
        """Return identifier and MathML of the functions used."""
        import libsbml

        definitions = []
        for op, identifier in self.functions.items():
            tree = libsbml.parseL3Formula(FUNCTIONS[op])
            for other, name in self.functions.items():
                _rename(tree, other, name)
            definitions.append((identifier, tree))
        return definitions


def _rename(tree: Any, old: str, new: str) -> None:
    if tree.isFunction() and tree.getName() == old:
        tree.setName(new)
    for k in range(tree.getNumChildren()):
        _rename(tree.getChild(k), old, new)


def delay_tree(of: Any, by: Any) -> Any:
    """Return the MathML of what a quantity was some time ago."""
    import libsbml

    tree = libsbml.ASTNode(libsbml.AST_FUNCTION_DELAY)
    tree.setName("delay")
    tree.addChild(of)
    tree.addChild(by)
    return tree


def _leaf(identifier: str) -> Any:
    import libsbml

    leaf = libsbml.ASTNode(libsbml.AST_NAME)
    leaf.setName(identifier)
    return leaf
