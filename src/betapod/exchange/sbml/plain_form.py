"""The plainest form of a file: numbers without units, no events, and of the functions only those that every reader of formulas knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...base.errors import ExchangeError, Location, Problem
from ...model.algebra.expression import Expr, binary, const, pow_, rebuild, select, topological
from ...model.assembly.model import Model
from .inlined_functions import INLINED

_HALF = const(0.5)


def endless_model(model: Model) -> Model:
    """Return a model whose courses go on after what ends a patient.

    Raises
    ------
    ExchangeError
        It has other events, without which it would be another model.
    """
    others = [event.name for event in model.events if not event.terminal]
    if others:
        message = "the plain form has no events, and the model has some that do not end a patient"
        raise ExchangeError(Problem("unsupported", message, Location(model.name), ", ".join(others)))
    return replace(model, events=())


def in_plain_operations(roots: Iterable[Expr]) -> list[Expr]:
    """Return formulas without square roots, minima and maxima, which some readers take for other functions.

    Examples
    --------
    >>> from betapod.exchange.sbml.plain_form import in_plain_operations
    >>> from betapod.model.algebra.expression import binary, symbol
    >>> in_plain_operations([binary("max", symbol("x"), symbol("y"))])[0].op
    'select'
    """
    return _replaced(_replaced(list(roots)))


def _replaced(roots: list[Expr]) -> list[Expr]:
    """Return formulas with one round of replacements: what is written out in the first one has maxima of its own."""
    done: dict[Expr, Expr] = {}
    for node in topological(roots):
        args = tuple(done[arg] for arg in node.args)
        if node.op in INLINED:
            done[node] = INLINED[node.op](*args)
        elif node.op in ("min", "max"):
            done[node] = select(binary("lt" if node.op == "min" else "gt", *args), *args)
        elif node.op == "sqrt":
            done[node] = pow_(args[0], _HALF)
        else:
            done[node] = rebuild(node, args)
    return [done[root] for root in roots]


def without_units(document: Any) -> None:
    """Take the units off all numbers in formulas."""
    for element in document.getListOfAllElements():
        if hasattr(element, "isSetMath") and element.isSetMath():
            tree = element.getMath().deepCopy()
            _strip(tree)
            element.setMath(tree)


def _strip(node: Any) -> None:
    node.unsetUnits()
    for k in range(node.getNumChildren()):
        _strip(node.getChild(k))
