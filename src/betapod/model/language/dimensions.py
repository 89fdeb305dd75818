"""Check the unit **and scale** of every line: mL/min plus L/min is an error, and so is a sum of mg that claims to be g."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ...base.errors import Problem, UnitError
from ...base.units import DIMENSIONLESS, TIME_UNIT, Unit, parse_unit
from ..algebra.functions import FUNCTIONS
from .syntax import EventStatement, Position, SourceText, Statement, Syntax

#: Unit of the literal 0, which fits everywhere.
ANY = Unit((), 0.0, "0")


class UnitChecker:
    """Computes units of expressions and collects what does not fit.

    Parameters
    ----------
    units
        Unit of each visible name; None for a name whose unit is not known (its problem is reported elsewhere).
    functions
        Functions defined in the same text.
    """

    def __init__(
        self, source: SourceText, units: Mapping[str, Unit | None], functions: Mapping[str, Statement]
    ) -> None:
        self.source, self.units, self.functions = source, units, functions
        self.problems: list[Problem] = []

    def _problem(self, kind: str, message: str, position: Position, **details: str) -> None:
        self.problems.append(self.source.problem(kind, message, position, **details))

    def declared(self, text: str, position: Position) -> Unit | None:
        """Read a unit written in the text."""
        try:
            return parse_unit(text, self.source.location(position))
        except UnitError as error:
            problem = error.problems[0]
            self._problem(problem.kind, problem.message, position, hint=problem.hint)
            return None

    def statement(self, statement: Statement) -> None:
        """Check one assignment, rate, initial value or implicit relation."""
        declared = self.declared(statement.unit, statement.unit_position)
        if statement.kind == "function":
            return  # checked where it is called, with the units of its arguments
        unit = self.unit(statement.expression)
        if statement.kind == "solve":
            assert statement.other is not None and statement.start is not None
            self._alike(unit, self.unit(statement.other), statement.other.position, "the two sides of the relation")
            unit = self.unit(statement.start)
        if declared is None or unit is None:
            return
        if statement.kind == "rate":
            self._rate_unit(statement, declared)
        self._fits(unit, declared, statement.unit_position, f"{statement.name!r} is declared in [{statement.unit}]")

    def _rate_unit(self, statement: Statement, declared: Unit) -> None:
        """A rate may be per minute, hour, day or year; per time it must be, of the state's own unit."""
        state = self.units.get(statement.name)
        if state is None:
            return
        ratio = declared * parse_unit(TIME_UNIT) / state
        if ratio.dimensions:
            self._problem(
                "wrong-unit",
                f"the rate of {statement.name!r} does not fit its unit",
                statement.unit_position,
                found=f"[{statement.unit}]",
                expected=f"[{state.text}] per time",
            )
        elif not any(abs(ratio.scale * parse_unit(u).scale / parse_unit(TIME_UNIT).scale - 1) < 1e-9 for u in _TIMES):
            self._problem(
                "wrong-scale",
                f"the rate of {statement.name!r} is on another scale than the state",
                statement.unit_position,
                found=f"[{statement.unit}]",
                expected=f"[{state.text}] per second, minute, hour, day, week, month or year",
            )

    def event(self, event: EventStatement) -> None:
        """Check the trigger and the assignments of an event."""
        self.unit(event.trigger)
        for name, expression in event.assignments:
            unit, target = self.unit(expression), self.units.get(name)
            if unit is not None and target is not None:
                self._fits(unit, target, expression.position, f"{name!r} has the unit [{target.text}]")

    def _fits(self, unit: Unit, declared: Unit, position: Position, subject: str) -> None:
        if unit is ANY or unit.same(declared):
            return
        if not unit.compatible(declared):
            self._problem(
                "wrong-unit",
                f"{subject}, the right-hand side is not",
                position,
                found=_show(unit),
                expected=_show(declared),
            )
        else:
            self._scale(unit, declared, position, f"{subject}, the right-hand side is on another scale")

    def _scale(self, unit: Unit, declared: Unit, position: Position, message: str) -> None:
        factor = unit.scale / declared.scale
        self._problem(
            "wrong-scale",
            message,
            position,
            found=_show(unit),
            expected=_show(declared),
            hint=f"They differ by a factor {factor:.6g}: convert with a name such as mL_per_L, min_per_day or mg_per_g.",
        )

    def _alike(self, a: Unit | None, b: Unit | None, position: Position, subject: str) -> Unit | None:
        if a is None or b is None:
            return None
        if a is ANY:
            return b
        if b is ANY or a.same(b):
            return a
        if not a.compatible(b):
            self._problem(
                "wrong-unit",
                f"{subject} have different units",
                position,
                found=f"{_show(a)} and {_show(b)}",
                expected="one unit",
            )
        else:
            self._scale(b, a, position, f"{subject} are on different scales")
        return None

    def _plain(self, unit: Unit | None, position: Position, subject: str) -> None:
        if unit is None or unit is ANY or unit.plain:
            return
        if unit.dimensions:
            self._problem(
                "wrong-unit", f"{subject} must be a plain number", position, found=_show(unit), expected="[1]"
            )
        else:
            self._scale(unit, DIMENSIONLESS, position, f"{subject} must be a plain number")

    def unit(self, node: Syntax) -> Unit | None:
        """Return the unit of an expression, or None where a problem below it was reported."""
        if node.kind == "number":
            return ANY if node.text == "0" else DIMENSIONLESS
        if node.kind == "integer":
            return DIMENSIONLESS
        if node.kind == "name":
            return self.units.get(node.text)
        if node.kind == "call":
            return self._call(node)
        if node.kind == "^":
            return self._power(node)
        if node.kind in ("neg", "not"):
            return self.unit(node.args[0])
        a, b = (self.unit(arg) for arg in node.args)
        if node.kind in ("and", "or"):
            return DIMENSIONLESS
        if node.kind in ("+", "-"):
            return self._alike(
                a,
                b,
                node.position,
                "the two sides of the sum" if node.kind == "+" else "the two sides of the difference",
            )
        if node.kind in ("*", "/"):
            if a is None or b is None:
                return None
            if a is ANY or b is ANY:
                return ANY
            return a * b if node.kind == "*" else a / b
        self._alike(a, b, node.position, "the two sides of the comparison")
        return DIMENSIONLESS

    def _power(self, node: Syntax) -> Unit | None:
        base, exponent = node.args
        unit = self.unit(base)
        sign, bare = (-1, exponent.args[0]) if exponent.kind == "neg" else (1, exponent)
        if bare.kind == "integer":
            return unit if unit is None or unit is ANY else unit ** (sign * int(bare.text))
        self._plain(self.unit(exponent), exponent.position, "the exponent")
        self._plain(unit, base.position, "the base of a power that is not an integer")
        return DIMENSIONLESS

    def _call(self, node: Syntax) -> Unit | None:
        units = [self.unit(arg) for arg in node.args]
        if node.text in self.functions:
            return self._defined(node, units)
        function = FUNCTIONS.get(node.text)
        if function is None or len(node.args) != len(function.arguments):
            return None  # reported when names are resolved
        subject = f"argument {{}} of {node.text}()"
        if function.units == "root":
            return None if units[0] is None else units[0] ** Fraction(*function.power)
        alike = function.alike if function.units in ("like-first", "ratio") else ()
        common: Unit | None = units[0]
        for index, (arg, unit) in enumerate(zip(node.args, units, strict=True)):
            if index not in alike:
                self._plain(unit, arg.position, subject.format(repr(function.arguments[index])))
            elif index:
                common = self._alike(common, unit, arg.position, f"the arguments of {node.text}()")
        return common if function.units == "like-first" else DIMENSIONLESS

    def _defined(self, node: Syntax, units: list[Unit | None]) -> Unit | None:
        """Check a function of the text with the units that it is called with."""
        function = self.functions[node.text]
        declared = self.declared(function.unit, function.unit_position)
        if len(units) != len(function.arguments) or None in units or declared is None:
            return None
        inner = UnitChecker(
            self.source, {**self.units, **dict(zip(function.arguments, units, strict=True))}, self.functions
        )
        body_unit = inner.unit(function.expression)
        if body_unit is not None:
            inner._fits(body_unit, declared, function.unit_position, f"{node.text}() is declared in [{function.unit}]")
        if inner.problems:
            first = inner.problems[0]
            self._problem(
                first.kind,
                f"{node.text}() with these arguments: {first.message}",
                node.position,
                found=first.found,
                expected=first.expected,
            )
            return None
        return declared


_TIMES = ("second", "minute", "hour", "day", "week", "month", "year")


def _show(unit: Unit) -> str:
    return f"[{unit.text}]"
