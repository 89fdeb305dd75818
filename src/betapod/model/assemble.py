"""Join submodels into one model: ownership, missing inputs, units, cycles; everything wrong is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import Location, ModelError, Problem, UnitError, did_you_mean
from ..units import TIME_UNIT, Unit, conversion_factor, parse_unit
from .dimensions import UnitChecker
from .expression import (
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
from .functions import FUNCTIONS, expand
from .linking import Definition, link
from .model import Event, Implicit, Model
from .parameters import Parameter, ParameterTable
from .submodel import Part, Submodel
from .syntax import EventStatement, Position, SourceText, Statement, Syntax


def assemble(
    name: str, submodels: Sequence[type[Submodel] | Part], parameters: ParameterTable, description: str = ""
) -> Model:
    """Return the model that the submodels make together.

    Parameters
    ----------
    submodels
        Classes or parsed parts; their order is the order of states.
    parameters
        Table of parameters and inputs; rows that no equation uses are left out of the model. An input that a submodel owns is
        taken from that submodel.

    Raises
    ------
    ModelError
        With every problem found in every submodel, each at its place in the user's file.
    """
    parts = [part if isinstance(part, Part) else part.part() for part in submodels]
    assembly = _Assembly(parts, parameters)
    assembly.collect()
    assembly.check_names()
    assembly.check_units()
    if assembly.problems:
        raise ModelError(assembly.sorted_problems())
    return assembly.build(name, description)


@dataclass
class _Owned:
    """A name with the statement that defines it."""

    part: Part
    statement: Statement
    initial: Statement | None = None


@dataclass
class _Assembly:
    parts: list[Part]
    parameters: ParameterTable
    owned: dict[str, _Owned] = field(default_factory=dict)
    functions: dict[str, dict[str, Statement]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    conversions: dict[str, tuple[float, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def sorted_problems(self) -> list[Problem]:
        """Return the problems in the order of the files, each once."""
        unique = dict.fromkeys(self.problems)
        return sorted(unique, key=lambda p: (p.location.file, p.location.line, p.location.column))

    # -- ownership ---------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Find out who owns which name."""
        initials: list[tuple[Part, Statement]] = []
        for part in self.parts:
            self.problems.extend(part.problems)
            self.functions[part.name] = {}
            for statement in part.statements:
                if statement.kind == "function":
                    self.functions[part.name][statement.name] = statement
                elif statement.kind == "initial":
                    initials.append((part, statement))
                else:
                    self._own(part, statement)
        for part, statement in initials:
            owner = self.owned.get(statement.name)
            if owner is None or owner.statement.kind != "rate":
                self._at(
                    part,
                    statement.position,
                    "no-rate",
                    f"{statement.name!r} has an initial value but no rate",
                    expected=f"d{statement.name}/dt = ...",
                )
            elif owner.initial is not None:
                self._at(
                    part,
                    statement.position,
                    "two-owners",
                    f"{statement.name!r} has two initial values",
                    found=f"another at {owner.part.source.location(owner.initial.position)}",
                )
            else:
                owner.initial = statement
        for name, owner in self.owned.items():
            if owner.statement.kind == "rate" and owner.initial is None:
                self._at(
                    owner.part,
                    owner.statement.position,
                    "missing-initial",
                    f"the state {name!r} has no initial value",
                    expected=f"{name}(0) = ... [unit] label",
                )

    def _own(self, part: Part, statement: Statement) -> None:
        name = statement.name
        if name in self.owned:
            other = self.owned[name]
            place = other.part.source.location(other.statement.position)
            self._at(
                part,
                statement.position,
                "two-owners",
                f"{name!r} is defined twice",
                found=f"{other.part.name} defines it at {place}",
                expected="one owner",
            )
            return
        if name in self.parameters and self.parameters[name].role != "input":
            self._at(
                part,
                statement.position,
                "two-owners",
                f"{name!r} is also a parameter",
                found=f"a row at {self.parameters[name].location}",
                expected="one owner",
            )
        self.owned[name] = _Owned(part, statement)

    def _at(self, part: Part, position: Position, kind: str, message: str, **details: str) -> None:
        self.problems.append(part.source.problem(kind, message, position, **details))

    # -- names -------------------------------------------------------------------------------------------------------

    def check_names(self) -> None:
        """Resolve every name that a statement uses, and every declared read."""
        for part in self.parts:
            uses: set[str] = set()
            for statement in part.statements:
                local = set(statement.arguments)
                for node in _expressions(statement):
                    self._check_node(part, part.source, node, local, uses)
            if part.event_source is not None:
                for event in part.events:
                    for node in (event.trigger, *(value for _, value in event.assignments)):
                        self._check_node(part, part.event_source, node, set(), uses)
                    self._check_targets(part, event)
            self._check_reads(part, uses)

    def _check_targets(self, part: Part, event: EventStatement) -> None:
        assert part.event_source is not None
        for target, _ in event.assignments:
            owner = self.owned.get(target)
            if owner is None or owner.statement.kind != "rate":
                states = [name for name, owned in self.owned.items() if owned.statement.kind == "rate"]
                self.problems.append(
                    part.event_source.problem(
                        "not-a-state",
                        f"the event changes {target!r}, which is not a state",
                        event.position,
                        hint=did_you_mean(target, states),
                    )
                )

    def _check_node(self, part: Part, source: SourceText, node: Syntax, local: set[str], uses: set[str]) -> None:
        for use in node.names():
            name = use.text
            if name in local or name == "t":
                continue
            uses.add(name)
            owner = self.owned.get(name)
            declared = {read.name for read in part.reads}
            is_input = name in self.parameters and self.parameters[name].role == "input"
            if owner is not None and owner.part is part:
                continue
            if name in declared:
                self.used.add(name)
            elif owner is not None or is_input:
                what = f"{owner.part.name} owns it" if owner is not None else "it is an input"
                self.problems.append(
                    source.problem(
                        "undeclared-read",
                        f"{name!r} is used but not declared",
                        use.position,
                        found=what,
                        expected=f"{name!r} in the reads of {part.name}",
                    )
                )
            elif name in self.parameters:
                self.used.add(name)
            elif (factor := conversion_factor(name)) is not None:
                self.conversions[name] = factor
            else:
                self._unknown(part, source, use)
        self._check_calls(part, source, node)

    def _unknown(self, part: Part, source: SourceText, use: Syntax) -> None:
        if use.text in FUNCTIONS or use.text in self.functions[part.name]:
            self.problems.append(
                source.problem("bad-syntax", f"{use.text!r} is a function", use.position, expected=f"{use.text}(...)")
            )
            return
        known = (*self.owned, *self.parameters)
        self.problems.append(
            source.problem(
                "unknown-name",
                f"{use.text!r} is not a state, an equation, a parameter or an input",
                use.position,
                hint=did_you_mean(use.text, known),
            )
        )

    def _check_calls(self, part: Part, source: SourceText, node: Syntax) -> None:
        if node.kind == "call":
            own = self.functions[part.name].get(node.text)
            if own is None and node.text not in FUNCTIONS:
                self.problems.append(
                    source.problem(
                        "unknown-function",
                        f"there is no function {node.text!r}",
                        node.position,
                        hint=did_you_mean(node.text, (*FUNCTIONS, *self.functions[part.name])),
                    )
                )
            else:
                expected = own.arguments if own is not None else FUNCTIONS[node.text].arguments
                if len(expected) != len(node.args):
                    self.problems.append(
                        source.problem(
                            "bad-arguments",
                            f"{node.text}() takes {len(expected)} arguments",
                            node.position,
                            found=str(len(node.args)),
                            expected=f"{node.text}({', '.join(expected)})",
                        )
                    )
        for arg in node.args:
            self._check_calls(part, source, arg)

    def _check_reads(self, part: Part, uses: set[str]) -> None:
        start = part.source.location(Position(1, 1))
        for read in part.reads:
            owner = self.owned.get(read.name)
            found = (
                owner.statement.unit
                if owner is not None
                else self.parameters[read.name].unit
                if read.name in self.parameters
                else None
            )
            if owner is not None and owner.initial is not None:
                found = owner.initial.unit
            if found is None:
                self.problems.append(
                    Problem(
                        "missing-input",
                        f"{part.name} reads {read.name!r}, which nothing provides",
                        start,
                        hint=did_you_mean(read.name, (*self.owned, *self.parameters)),
                    )
                )
                continue
            if read.name not in uses:
                self.problems.append(
                    Problem("unused-read", f"{part.name} declares to read {read.name!r} but does not use it", start)
                )
            if read.unit is not None:
                self._check_read_unit(part, read.name, read.unit, found, start)

    def _check_read_unit(self, part: Part, name: str, expected: str, found: str, start: Location) -> None:
        a, b = _unit(expected), _unit(found)
        if a is None:
            self.problems.append(
                Problem("unknown-unit", f"{part.name} reads {name!r} in an unknown unit [{expected}]", start)
            )
        elif b is not None and not a.same(b):
            kind = "wrong-scale" if a.compatible(b) else "wrong-unit"
            self.problems.append(
                Problem(
                    kind,
                    f"{part.name} reads {name!r} in another unit than its owner gives",
                    start,
                    found=f"[{found}]",
                    expected=f"[{expected}]",
                )
            )

    # -- units -------------------------------------------------------------------------------------------------------

    def check_units(self) -> None:
        """Check every line of every part."""
        units: dict[str, Unit | None] = {name: self._row_unit(row) for name, row in self.parameters.items()}
        units |= {name: _unit(unit) for name, (_, unit) in self.conversions.items()}
        for name, owner in self.owned.items():
            given = owner.statement if owner.statement.kind != "rate" else owner.initial
            unit = None if given is None else _unit(given.unit)
            if name in self.parameters and self.parameters[name].role == "input":
                self._check_replaced_input(name, owner, unit, units[name])
            units[name] = unit
        units["t"] = parse_unit(TIME_UNIT)
        for part in self.parts:
            checker = UnitChecker(part.source, units, self.functions[part.name])
            for statement in part.statements:
                checker.statement(statement)
            self.problems.extend(checker.problems)
            if part.event_source is not None and part.events:
                checker = UnitChecker(part.event_source, units, self.functions[part.name])
                for event in part.events:
                    checker.event(event)
                self.problems.extend(checker.problems)

    def _row_unit(self, row: Parameter) -> Unit | None:
        try:
            return parse_unit(row.unit, row.location)
        except UnitError as error:
            self.problems.extend(error.problems)
            return None

    def _check_replaced_input(self, name: str, owner: _Owned, unit: Unit | None, input_unit: Unit | None) -> None:
        if unit is not None and input_unit is not None and not unit.same(input_unit):
            self._at(
                owner.part,
                owner.statement.position,
                "wrong-unit" if not unit.compatible(input_unit) else "wrong-scale",
                f"{name!r} replaces an input of another unit",
                found=f"[{unit.text}]",
                expected=f"[{input_unit.text}]",
            )

    # -- building ----------------------------------------------------------------------------------------------------

    def build(self, name: str, description: str) -> Model:
        """Return the model; call only when no problem was found."""
        assignments: list[Definition] = []
        rates: list[Definition] = []
        initials: dict[str, Expr] = {}
        for key, owner in self.owned.items():
            builder = _Builder(self.functions[owner.part.name])
            statement = owner.statement
            place = owner.part.source.location(statement.position)
            if statement.kind == "rate":
                assert owner.initial is not None
                initials[key] = builder.expr(owner.initial.expression)
                rate = self._per_day(builder.expr(statement.expression), statement.unit, owner.initial.unit)
                rates.append(Definition(key, rate, owner.initial.unit, owner.initial.label, owner.part.name, place))
            elif statement.kind == "solve":
                assert statement.other is not None and statement.start is not None
                left, right, begin = (
                    builder.expr(node) for node in (statement.expression, statement.other, statement.start)
                )
                assignments.append(
                    Definition(
                        key,
                        Implicit(left, right, begin, statement.steps),
                        statement.unit,
                        statement.label,
                        owner.part.name,
                        place,
                    )
                )
            else:
                assignments.append(
                    Definition(
                        key, builder.expr(statement.expression), statement.unit, statement.label, owner.part.name, place
                    )
                )
        events = [self._event(part, event) for part in self.parts for event in part.events]
        rows = [row for key, row in self.parameters.items() if key in self.used and key not in self.owned]
        model = link(
            name,
            assignments,
            rates,
            initials,
            events,
            ParameterTable((row for row in rows if row.role != "input"), self.parameters.name),
            ParameterTable((row for row in rows if row.role == "input"), self.parameters.name),
            self.conversions,
            description=description,
            parts=tuple(self.parts),
        )
        self._check_smooth(model)
        return model

    def _per_day(self, rate: Expr, unit: str, state_unit: str) -> Expr:
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
        self.conversions[conversion] = factor
        return div(rate, symbol(conversion)) if longer else mul(rate, symbol(conversion))

    def _event(self, part: Part, event: EventStatement) -> Event:
        builder = _Builder(self.functions[part.name])
        changes = tuple((target, builder.expr(value)) for target, value in event.assignments)
        # A trigger that is true from the start happens at the start.
        return Event(event.name, event.label, builder.expr(event.trigger), changes, event.terminal, initial_value=False)

    def _check_smooth(self, model: Model) -> None:
        """Refuse functions with a kink in anything that a rate depends on."""
        kinked = {
            key: node
            for key, owner in self.owned.items()
            for expression in _expressions(owner.statement)
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
            self.owned[key].part.source.problem(
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


def _unit(text: str) -> Unit | None:
    try:
        return parse_unit(text)
    except UnitError:
        return None


def _expressions(statement: Statement) -> list[Syntax]:
    return [node for node in (statement.expression, statement.other, statement.start) if node is not None]


def _kinks(node: Syntax) -> list[Syntax]:
    own = [node] if node.kind == "call" and node.text in FUNCTIONS and not FUNCTIONS[node.text].smooth else []
    return own + [kink for arg in node.args for kink in _kinks(arg)]


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
            return expand(node.text, args)
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
