"""Convert expressions to MathML; shared subexpressions become auxiliary parameters."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ...base.errors import ExchangeError, Problem
from ...model.algebra.expression import (
    Expr,
    rebuild,
    topological,
)
from .inlined_functions import INLINED, wright_omega_formula

#: A part used more than once is written out each time while it has at most this many nodes.
_SMALL = 5
#: A formula deeper than this is cut, since readers of MathML descend by recursion.
_DEEP = 60


def expand_roots(roots: Iterable[Expr]) -> list[Expr]:
    """Return the roots with everything written in operations that MathML has or that are written out in it."""
    wanted = list(roots)
    done: dict[Expr, Expr] = {}
    for node in topological(wanted):
        args = tuple(done[arg] for arg in node.args)
        if node.op == "solve":
            done[node] = args[0]
        elif node.op == "wright_omega":
            done[node] = wright_omega_formula(args[0])
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
    """Writes expressions as MathML trees and collects the auxiliary parameters that they need.

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
        self.auxiliary: dict[str, tuple[Expr, Any]] = {}
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
        if node.op in INLINED:
            # Its argument stands at several places, so it is one name.
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
        self.auxiliary[identifier] = node, self.tree(node)
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
        if node.op in INLINED:
            return self.tree(INLINED[node.op](*node.args))
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
        elif node.op in _operators():
            element.setType(_operators()[node.op])
        else:
            raise ExchangeError(Problem("unsupported", f"SBML has no {node.op!r}"))
        for child in children:
            element.addChild(child)
        return element


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
