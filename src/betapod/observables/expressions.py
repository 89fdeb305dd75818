"""The model's value of an observable: the expression of its row, read and computed."""

from __future__ import annotations

import ast
import functools
import operator
from collections.abc import Callable, Mapping

from ..base.constants import CREATININE_UMOL_L
from .formulas import FUNCTIONS
from .table import Numbers, observables

Values = Mapping[str, Numbers]

_OPERATORS: Mapping[type[ast.operator], Callable[[Numbers, Numbers], Numbers]] = {
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_CONSTANTS = {"CREATININE_UMOL_L": CREATININE_UMOL_L}
#: What is a person's and not the model's is written ``person.age``.
PERSON = "person"


@functools.cache
def _tree(name: str) -> ast.expr:
    return ast.parse(observables()[name].model, mode="eval").body


@functools.cache
def _names(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    nodes = list(ast.walk(_tree(name)))
    called = {node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    not_of_model = {PERSON, *called, *_CONSTANTS}
    model = dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name) and node.id not in not_of_model)
    return tuple(model), tuple(dict.fromkeys(node.attr for node in nodes if isinstance(node, ast.Attribute)))


def of_model(name: str) -> tuple[str, ...]:
    """Return the quantities of the coupled model that an observable is made of."""
    return _names(name)[0]


def of_person(name: str) -> tuple[str, ...]:
    """Return the columns of a patient library that it is made of."""
    return _names(name)[1]


def value(name: str, model: Values, person: Values) -> Numbers:
    """Return the true value of an observable, in its unit.

    Parameters
    ----------
    model
        Quantities of the coupled model, see `of_model`: arrays of any shape.
    person
        Columns of a patient library, see `of_person`, shaped to broadcast against them; ``age`` at that time.
    """
    return _value(_tree(name), model, person)


def _value(node: ast.expr, model: Values, person: Values) -> Numbers:
    match node:
        case ast.Name(id=name):
            return _CONSTANTS[name] if name in _CONSTANTS else model[name]  # type: ignore[return-value]
        case ast.Attribute(value=ast.Name(id="person"), attr=name):
            return person[name]
        case ast.Constant(value=float() | int() as number):
            return float(number)  # type: ignore[return-value]
        case ast.BinOp(left=left, op=sign, right=right):
            return _OPERATORS[type(sign)](_value(left, model, person), _value(right, model, person))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return FUNCTIONS[name](*(_value(argument, model, person) for argument in arguments))
    raise ValueError(f"cannot compute {ast.unparse(node)}")
