"""Units of parts of formulas, by the units of the names in them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from ...base.errors import UnitError
from ...base.units import DIMENSIONLESS, Unit, parse_unit
from ...model.algebra.expression import Expr, topological

_LIKE_ARGUMENTS = frozenset({"add", "sub", "min", "max", "mod", "neg", "abs", "floor", "ceil"})
_ROOTS = {"sqrt": Fraction(1, 2), "cbrt": Fraction(1, 3)}


class FormulaUnits:
    """Units of expressions; a number fits everywhere in a sum, and is plain elsewhere.

    Parameters
    ----------
    units
        Unit of each name, as written.

    Examples
    --------
    >>> from betapod.exchange.sbml.formula_units import FormulaUnits
    >>> from betapod.model.algebra.expression import mul, symbol
    >>> FormulaUnits({"flow": "L/day", "level": "mg/L"}).unit(mul(symbol("flow"), symbol("level"))).scale == 1e-3 / 86400
    True
    """

    def __init__(self, units: Mapping[str, str]) -> None:
        self._known: dict[Expr, Unit | None] = {}
        self._names: dict[str, Unit | None] = {}
        for name, text in units.items():
            try:
                self._names[name] = parse_unit(text)
            except UnitError:
                self._names[name] = None

    def unit(self, root: Expr) -> Unit | None:
        """Return the unit of an expression; None where a name in it has none."""
        for node in topological([root], self._known):
            self._known[node] = self._of(node)
        return self._known[root]

    def _of(self, node: Expr) -> Unit | None:
        if node.op == "sym":
            return self._names.get(node.value)
        if node.op == "select":
            return self._common(node.args[1:])
        if node.op in _LIKE_ARGUMENTS:
            return self._common(node.args)
        first = self._known[node.args[0]] if node.args else None
        if node.op in ("mul", "div"):
            second = self._known[node.args[1]]
            if first is None or second is None:
                return None
            return first * second if node.op == "mul" else first / second
        if node.op == "powi":
            return None if first is None else first ** int(node.value)
        if node.op in _ROOTS:
            return None if first is None else first ** _ROOTS[node.op]
        return DIMENSIONLESS

    def _common(self, args: tuple[Expr, ...]) -> Unit | None:
        """Return the unit of what is added or compared: numbers take that of the others."""
        others = [arg for arg in args if arg.op != "const"]
        return self._known[others[0]] if others else DIMENSIONLESS
