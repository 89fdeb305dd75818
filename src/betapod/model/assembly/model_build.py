"""Build the model from checked submodels: syntax trees become expressions, rates are converted to per day."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...base.errors import ModelError
from ...base.units import conversion_factor, parse_unit
from ..algebra.expression import (
    Expr,
    add,
    binary,
    const,
    div,
    free_symbols,
    mul,
    neg,
    pow_,
    powi,
    sub,
    substitute,
    symbol,
    unary,
)
from ..algebra.functions import FUNCTIONS, expand_call
from ..language.syntax import EventStatement, Statement, Syntax
from ..parameters.table import ParameterTable
from .linking import Definition, link
from .model import Event, Implicit, Model
from .name_owners import NameOwners, expressions_of
from .submodel import Part


def build_model(assembly: NameOwners, name: str, description: str) -> Model:
    """Return the model; call only when no problem was found.

    Raises
    ------
    ModelError
        Assignments or initial values form a cycle, or a rate depends on a function with a kink.
    """
    assignments: list[Definition] = []
    rates: list[Definition] = []
    initials: dict[str, Expr] = {}
    for key, owner in assembly.owned.items():
        builder = _Builder(assembly.functions[owner.part.name])
        statement = owner.statement
        location = owner.part.source.location(statement.position)
        if statement.kind == "rate":
            assert owner.initial is not None
            initials[key] = builder.expr(owner.initial.expression)
            rate = _per_day(assembly, builder.expr(statement.expression), statement.unit, owner.initial.unit)
            rates.append(Definition(key, rate, owner.initial.unit, owner.initial.label, owner.part.name, location))
            continue
        local: Expr | Implicit
        left = local = builder.expr(statement.expression)
        if statement.kind == "solve":
            assert statement.other is not None and statement.start is not None
            local = Implicit(left, builder.expr(statement.other), builder.expr(statement.start), statement.steps)
        assignments.append(Definition(key, local, statement.unit, statement.label, owner.part.name, location))
    events = [_event(assembly, part, event) for part in assembly.parts for event in part.events]
    rows = [row for key, row in assembly.parameters.items() if key in assembly.used and key not in assembly.owned]
    model = link(
        name,
        assignments,
        rates,
        initials,
        events,
        ParameterTable((row for row in rows if row.role != "input"), assembly.parameters.name),
        ParameterTable((row for row in rows if row.role == "input"), assembly.parameters.name),
        assembly.conversions,
        description=description,
        parts=tuple(assembly.parts),
    )
    _check_smooth(assembly, model)
    return model


def _per_day(assembly: NameOwners, rate: Expr, unit: str, state_unit: str) -> Expr:
    """Bring a rate to per day through a named conversion."""
    per = parse_unit(state_unit) / parse_unit(unit)
    for name in ("second", "minute", "hour", "day", "week", "month", "year"):
        if abs(per.scale / parse_unit(name).scale - 1) < 1e-9:
            break
    if name == "day":
        return rate
    longer = name in ("week", "month", "year")
    conversion = f"day_per_{name}" if longer else f"{name}_per_day"
    factor = conversion_factor(conversion)
    assert factor is not None
    assembly.conversions[conversion] = factor
    return div(rate, symbol(conversion)) if longer else mul(rate, symbol(conversion))


def _event(assembly: NameOwners, part: Part, event: EventStatement) -> Event:
    builder = _Builder(assembly.functions[part.name])
    changes = tuple((target, builder.expr(value)) for target, value in event.assignments)
    # A trigger that is true from the start happens at the start.
    return Event(event.name, event.label, builder.expr(event.trigger), changes, event.terminal, initial_value=False)


def _check_smooth(assembly: NameOwners, model: Model) -> None:
    """Refuse functions with a kink in anything that a rate depends on."""
    kinked = {
        key: node
        for key, owner in assembly.owned.items()
        for expression in expressions_of(owner.statement)
        for node in _kinks(expression)
    }
    if not kinked:
        return
    needed: set[str] = set()
    pending = [n for state in model.states for n in (state.name, *free_symbols([state.local_rate]))]
    while pending:
        key = pending.pop()
        if key in needed:
            continue
        needed.add(key)
        if key in model.assignments:
            local = model.assignments[key].local
            roots = [local] if isinstance(local, Expr) else [local.left, local.right, local.start]
            pending.extend(free_symbols(roots))
    problems = [
        assembly.owned[key].part.source.problem(
            "not-smooth",
            f"{node.text}() has a kink and {key!r} drives a state",
            node.position,
            hint="Use softplus or smooth_min; min, max and abs are for outputs.",
        )
        for key, node in kinked.items()
        if key in needed
    ]
    if problems:
        raise ModelError(problems)


def _kinks(node: Syntax) -> list[Syntax]:
    here = [node] if node.kind == "call" and node.text in FUNCTIONS and not FUNCTIONS[node.text].smooth else []
    return here + [kink for arg in node.args for kink in _kinks(arg)]


class _Builder:
    """Turns syntax into graph."""

    def __init__(self, functions: Mapping[str, Statement]) -> None:
        self.functions = functions

    def expr(self, node: Syntax) -> Expr:
        if node.kind in ("number", "integer"):
            return const(float(node.text))
        if node.kind == "name":
            return symbol(node.text)
        if node.kind == "call":
            args = [self.expr(arg) for arg in node.args]
            if node.text in self.functions:
                function = self.functions[node.text]
                inner = dict(zip((symbol(a) for a in function.arguments), args, strict=True))
                return substitute([self.expr(function.expression)], inner)[0]
            return expand_call(node.text, args)
        if node.kind == "neg":
            return neg(self.expr(node.args[0]))
        if node.kind == "not":
            return unary("not", self.expr(node.args[0]))
        a, b = (self.expr(arg) for arg in node.args)
        if node.kind == "^":
            exponent = b
            return (
                powi(a, int(exponent.value))
                if exponent.op == "const" and exponent.value == int(exponent.value)
                else pow_(a, exponent)
            )
        return _OPERATORS[node.kind](a, b)


_OPERATORS: dict[str, Callable[[Expr, Expr], Expr]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "/": div,
    "<": lambda a, b: binary("lt", a, b),
    "<=": lambda a, b: binary("le", a, b),
    ">": lambda a, b: binary("gt", a, b),
    ">=": lambda a, b: binary("ge", a, b),
    "and": lambda a, b: binary("and", a, b),
    "or": lambda a, b: binary("or", a, b),
}
