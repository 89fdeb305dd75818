"""Formulas in which what is used several times is the argument of a function, so that it is computed once.

Tools that write every equation out wherever it is used (libRoadRunner, and so Tellurium) never finish with a long chain of equations: the tree of what the
kidney's formulas say has more than 1e16 nodes. They compute the argument of a function once, whatever its body does with it. So the parts of a formula
that it uses more than once are taken by levels, each from those before, and each level is a function whose body calls that of the next. Where equations
that a formula names would have much in common, the formula is written without them, in states, parameters, inputs and time.
"""

from __future__ import annotations

import collections
from collections.abc import Container, Mapping
from typing import Any

from ...model.algebra.expression import Expr, free_symbols, topological
from .inlined_functions import INLINED
from .mathml_writer import Formulas

#: A part that is used more than once is written out each time while it has at most this many nodes: passing it on costs more.
_SMALL = 12
#: A formula that names equations may be so many times as long, all written out, as one that does without: its file is shorter.
_WORTH = 1.5
#: A formula deeper than this is cut, since readers of MathML descend by recursion.
_DEEP = 60


Key = tuple[Any, ...]


class NestedFormulas:
    """Writes expressions as MathML trees of nested functions.

    Parameters
    ----------
    identifiers
        SBML identifier of every name.
    used_identifiers
        Identifiers in use; those of functions avoid them.
    equations
        Names of the equations that the file has.
    written, inlined
        Every formula under a key, as written and in states, parameters, inputs and time alone; that of an equation under ("assign", name).

    Attributes
    ----------
    roots
        The form of each formula that takes less once equations are written out.
    definitions
        MathML of the functions, by identifier; each calls only those before it.
    """

    def __init__(
        self,
        identifiers: Mapping[str, str],
        used_identifiers: set[str],
        equations: Container[str],
        written: Mapping[Key, Expr],
        inlined: Mapping[Key, Expr],
    ) -> None:
        self.used_identifiers, self.equations = used_identifiers, equations
        self.names = Formulas(identifiers, {}, used_identifiers)
        self.definitions: dict[str, Any] = {}
        self.roots: dict[Key, Expr] = {}
        self._lengths: dict[str, float] = {}
        for key in written:
            self._choose(key, written, inlined)

    def _choose(self, key: Key, written: Mapping[Key, Expr], inlined: Mapping[Key, Expr]) -> None:
        """Choose the form of a formula, and first of the equations that it names."""
        stack = [key]
        while stack:
            top = stack[-1]
            names = free_symbols([written[top]])
            missing = [("assign", name) for name in names if ("assign", name) in written and name not in self._lengths]
            if top in self.roots or not missing:
                stack.pop()
                if top not in self.roots:
                    self._settle(top, written[top], inlined[top])
            else:
                stack.extend(missing)

    def _settle(self, key: Key, written: Expr, inlined: Expr) -> None:
        selected, length = inlined, float(_Nest(self, inlined).length)
        if written is not inlined:
            named = _Nest(self, written).length + sum(self._lengths.get(name, 0) for name in free_symbols([written]))
            if named <= _WORTH * length and self._can_name(written):
                selected, length = written, named
        self.roots[key] = selected
        if key[0] == "assign":
            self._lengths[key[1]] = length

    def _can_name(self, written: Expr) -> bool:
        """Return whether the file has every equation that a formula names."""
        return all(name in self.equations or name not in self._lengths for name in free_symbols([written]))

    def is_long(self, node: Expr) -> bool:
        """Return whether a node is the name of an equation that is long once written out."""
        return node.op == "sym" and self._lengths.get(node.value, 0) > _SMALL

    def tree(self, node: Expr, identifier: str | None = None) -> Any:
        """Return the MathML tree of an expression, with the functions that it needs in `definitions`."""
        return _Nest(self, node).tree()

    def define(self, function: Any) -> str:
        """Add a function, and return its identifier."""
        number = len(self.definitions) + 1
        while f"nested_{number}" in self.used_identifiers:
            number += 1
        self.used_identifiers.add(f"nested_{number}")
        self.definitions[f"nested_{number}"] = function
        return f"nested_{number}"


class _Nest:
    """The parts that one formula passes on, by levels."""

    def __init__(self, formulas: NestedFormulas, root: Expr) -> None:
        self.formulas, self.root = formulas, root
        self.level: dict[Expr, int] = {}
        self.needs: dict[Expr, frozenset[Expr]] = {}
        self.length = self._find()

    def _find(self) -> int:
        """Find the parts to pass on, their levels, and what every part is written in terms of; return the number of nodes of all."""
        order = topological([self.root])
        uses = collections.Counter(arg for node in order for arg in node.args)
        size: dict[Expr, int] = {}
        depth: dict[Expr, int] = {}
        doubled = {arg for node in order if node.op in INLINED for arg in node.args}
        for node in order:
            size[node] = 1 + sum(1 if arg in self.level else size[arg] for arg in node.args)
            depth[node] = 1 + max((0 if arg in self.level else depth[arg] for arg in node.args), default=0)
            parts = [frozenset([arg]) if arg in self.level else self.needs[arg] for arg in node.args]
            self.needs[node] = frozenset([node]) if node.op == "sym" else frozenset().union(*parts)
            several = uses[node] > 1 and (size[node] > _SMALL or self.formulas.is_long(node))
            several = several or (node in doubled and bool(node.args))
            if node.op == "sym" and several:
                self.level[node], self.needs[node] = 1, frozenset()
            elif node is not self.root and (several or depth[node] > _DEEP):
                self.level[node] = 1 + max((self.level.get(part, 0) for part in self.needs[node]), default=0)
        return size[self.root] + sum(size[part] for part in self.level)

    def tree(self) -> Any:
        """Return the tree of the formula, and define its functions, the innermost first."""
        import libsbml

        outside = self.formulas.names
        if not self.level:
            return outside.tree(self.root)
        calls = self._calls()
        arguments = {part: None for passed, here in reversed(calls) for part in (*passed, *here)}
        local = {part: f"a{k}" for k, part in enumerate(arguments, start=1)}
        inside = Formulas({}, local, set())
        inner = inside.tree(self.root)
        for number, (passed, here) in enumerate(calls, start=1):
            definition = libsbml.ASTNode(libsbml.AST_LAMBDA)
            for part in (*passed, *here):
                definition.addChild(_bound(local[part]))
            definition.addChild(inner)
            inner = libsbml.ASTNode(libsbml.AST_FUNCTION)
            inner.setName(self.formulas.define(definition))
            caller = outside if number == len(calls) else inside
            for part in passed:
                inner.addChild(caller.tree(part))
            for part in here:
                inner.addChild(caller.tree(part, local[part]))
        return inner

    def _calls(self) -> list[tuple[list[Expr], list[Expr]]]:
        """Return, from the last level to the first, what its function is given of earlier levels, and its own parts."""
        position = {node: k for k, node in enumerate(topological([self.root]))}
        calls: list[tuple[list[Expr], list[Expr]]] = []
        needed = set(self.needs[self.root])
        for level in range(max(self.level.values()), 0, -1):
            ordered = sorted(needed, key=position.__getitem__)
            here = [part for part in ordered if self.level.get(part) == level]
            passed = [part for part in ordered if self.level.get(part, 0) < level]
            calls.append((passed, here))
            needed = {*passed}.union(*(self.needs[part] for part in here))
        return calls


def _bound(identifier: str) -> Any:
    import libsbml

    leaf = libsbml.ASTNode(libsbml.AST_NAME)
    leaf.setName(identifier)
    leaf.setBvar()
    return leaf
