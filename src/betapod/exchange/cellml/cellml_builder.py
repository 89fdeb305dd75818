"""Build a model from libcellml's analysis: names, units, numbers, equations in terms of names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...base.errors import Location, Problem
from ...model.algebra.expression import ONE, TIME, ZERO, Expr, const, mul, sub, symbol
from ..foreign.mathml_operators import OPERATORS, Unsupported
from ..foreign.rates import Motion, solve_relations
from ..foreign.unit_texts import quotient_unit
from .cellml_analysis import CellmlAnalysis
from .cellml_files import CellmlFile
from .cellml_units import cellml_unit_text

_CONSTANTS = {
    "e": const(math.e),
    "pi": const(math.pi),
    "inf": const(math.inf),
    "nan": const(math.nan),
    "true": ONE,
    "false": ZERO,
}
#: libcellml's words for operators that MathML calls otherwise.
_OPERATOR_NAMES = {
    f"a{name}{ending}": f"arc{name}{ending}"
    for name in ("sin", "cos", "tan", "sec", "csc", "cot")
    for ending in ("", "h")
}
#: What libcellml calls the variable of integration.
_TIME = "variable_of_integration"


@dataclass
class CellmlBuilder:
    """Collects what a model of CellML consists of; what cannot be built is collected in `problems` and refused together.

    Attributes
    ----------
    inputs
        Parameters that schedules may change.
    names
        The model's name of each quantity, by libcellml's kind and number.
    owners
        Component of each quantity.
    """

    root: CellmlFile
    analysis: CellmlAnalysis
    inputs: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    names: dict[tuple[str, int], str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    pending: dict[str, Expr] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)
    initials: dict[str, Expr] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file = self.root.file
        self.result = self.analysis.result
        voi = self.result.voi()
        self.time_unit = self.unit(voi.variable()) if voi is not None else "1"
        #: Names of units that are shown as plain numbers.
        self.unnamed_units: dict[str, None] = {}

    # -- names and units ---------------------------------------------------------------------------------------------

    def unit(self, variable: Any) -> str:
        """Return the text of a variable's unit, or of the plain number where betapod cannot express it."""
        return cellml_unit_text(self.analysis.flat, variable.units()) or "1"

    def quantities(self) -> Iterator[Any]:
        """Yield libcellml's quantities: states, constants, computed constants, algebraic variables."""
        result = self.result
        for count, get in (
            (result.stateCount, result.state),
            (result.constantCount, result.constant),
            (result.computedConstantCount, result.computedConstant),
            (result.algebraicVariableCount, result.algebraicVariable),
        ):
            yield from (get(k) for k in range(count()))

    def name_everything(self) -> None:
        """Name each quantity after its variable, and its component too where several have that name; `t` is time."""
        variables = {_number(quantity): quantity.variable() for quantity in self.quantities()}
        often = Counter(variable.name() for variable in variables.values())
        used = {"t"}
        for number, variable in variables.items():
            component = variable.parent().name()
            name = variable.name() if often[variable.name()] == 1 else f"{component}_{variable.name()}"
            while name in used:
                name += "_"
            used.add(name)
            self.names[number] = name
            self.labels[name], self.owners[name] = f"{variable.name()} of {component}", component
            text = cellml_unit_text(self.analysis.flat, variable.units())
            if text is None:
                self.unnamed_units[variable.units().name()] = None
            self.units[name] = text or "1"

    def node(self, variable: Any) -> Expr:
        """Return what a variable of any component stands for."""
        quantity = self.result.analyserVariable(variable)
        if quantity is None:
            raise Unsupported(f"the variable {variable.name()}, which has no value")
        return TIME if quantity.typeAsString(quantity.type()) == _TIME else symbol(self.names[_number(quantity)])

    # -- numbers -----------------------------------------------------------------------------------------------------

    def read_numbers(self) -> None:
        """Read what states start from, and what constants are."""
        for quantity in self.quantities():
            initialising = quantity.initialisingVariable()
            kind, name = quantity.typeAsString(quantity.type()), self.names[_number(quantity)]
            if kind not in ("state", "constant") or initialising is None:
                continue
            start = self._start(initialising, quantity.variable())
            if kind == "state":
                self.initials[name] = start
            elif start.op == "const":
                self.parameters[name] = start.value
            else:
                self.motion.assign[name] = start

    def _start(self, initialising: Any, variable: Any) -> Expr:
        """Return an initial value, in the unit of the quantity: a number, or another variable of the component."""
        text = initialising.initialValue()
        try:
            value = const(float(text))
        except ValueError:
            other = initialising.parent().variable(text)
            if other is None:
                raise Unsupported(f"the initial value {text!r} of {initialising.name()}") from None
            kept = self.result.analyserVariable(other)
            value = mul(self.node(other), self._factor(other, kept.variable()))
        return mul(value, self._factor(variable, initialising))

    def _factor(self, to: Any, of: Any) -> Expr:
        """Return what a number in the unit of one variable is multiplied by to be in that of another."""
        return const(self.analysis.library.Units.scalingFactor(to.units(), of.units()))

    # -- equations ---------------------------------------------------------------------------------------------------

    def read_equations(self) -> None:
        """Read all equations: rates, what is computed, and relations that are solved for what they determine."""
        relations: list[tuple[Any, Expr]] = []
        unknown: dict[str, str] = {}
        for k in range(self.result.analyserEquationCount()):
            equation = self.result.analyserEquation(k)
            try:
                if not self._direct(equation):
                    relations.append((equation, self._relation(equation.ast())))
                    for quantity in _determined(equation):
                        name = self.names[_number(quantity)]
                        is_state = quantity.typeAsString(quantity.type()) == "state"
                        unknown[str(self.motion.rate_symbol(name).value) if is_state else name] = name * is_state
            except Unsupported as problem:
                self._refuse(equation, f"{problem} is not supported")
            except RecursionError:
                self._refuse(equation, "mathematics nested this deeply is not supported")
        if relations:
            self._solve(relations, unknown)
        for rate, name in self.motion.wanted.items():
            self.labels[rate], self.owners[rate] = f"rate of change of {name}", self.owners[name]
            self.units[rate] = quotient_unit(self.units[name], self.time_unit) or "1"

    def _direct(self, equation: Any) -> bool:
        """Read an equation with the quantity that it gives alone on one side; return whether it is one."""
        ast = equation.ast()
        if ast.typeAsString(ast.type()) != "equality":
            return False
        left, right = ast.leftChild(), ast.rightChild()
        for side, other in ((left, right), (right, left)):
            form = side.typeAsString(side.type())
            if form == "diff" and equation.stateCount() == 1:
                self.motion.rates[self._of_derivative(side)] = self.expr(other)
                return True
            if form == "ci" and equation.stateCount() == 0:
                name = str(self.node(side.variable()).value)
                if name not in (self.names[_number(q)] for q in _determined(equation)):
                    continue
                value = self.expr(other)
                if value.op == "const":
                    self.parameters[name] = value.value
                else:
                    self.motion.assign[name] = value
                return True
        return False

    def _relation(self, ast: Any) -> Expr:
        """Return what is 0 where an equation holds."""
        if ast.typeAsString(ast.type()) == "equality":
            return sub(self.expr(ast.leftChild()), self.expr(ast.rightChild()))
        return self.expr(ast)

    def _solve(self, relations: list[tuple[Any, Expr]], unknown: dict[str, str]) -> None:
        """Solve relations that are linear in the one variable that each determines; refuse the others."""
        solved = solve_relations([relation for _, relation in relations], unknown)
        if solved is None:
            for equation, _ in relations:
                names = ", ".join(repr(self.names[_number(q)]) for q in _determined(equation))
                message = f"the equation that determines {names or 'nothing alone'} is not linear in one variable"
                self._refuse(equation, message, "Solve it for the variable, and write that as its equation.")
            return
        for name, value in solved.items():
            if state := unknown[name]:
                self.motion.rates[state] = value
            else:
                self.motion.assign[name] = value

    def _refuse(self, equation: Any, message: str, hint: str = "") -> None:
        self.problems.append(Problem("unsupported", message, self._place(equation), hint=hint))

    def _place(self, equation: Any) -> Location:
        for quantity in _determined(equation):
            variable = quantity.variable()
            return self.root.equation_location(variable.parent().name(), variable.name())
        return Location(self.file)

    # -- formulas ----------------------------------------------------------------------------------------------------

    def expr(self, ast: Any) -> Expr:
        """Return the graph of a formula, whose connected variables libcellml has brought into one unit.

        Raises
        ------
        Unsupported
            A construct that betapod cannot compute.
        """
        form = ast.typeAsString(ast.type())
        if form == "ci":
            return self.node(ast.variable())
        if form == "cn":
            return const(float(ast.value()))
        if form in _CONSTANTS:
            return _CONSTANTS[form]
        if form == "diff":
            return self.motion.rate_symbol(self._of_derivative(ast))
        if form == "piecewise":
            return OPERATORS["piecewise"](*self._pieces(ast))
        operator = OPERATORS.get(_OPERATOR_NAMES.get(form, form))
        if operator is None:
            raise Unsupported(f"the MathML construct {form}")
        return operator(*(self.expr(self._plain(child)) for child in _children(ast)))

    def _plain(self, ast: Any) -> Any:
        """Return what a degree or the base of a logarithm is."""
        return ast.leftChild() if ast.typeAsString(ast.type()) in ("degree", "logbase") else ast

    def _pieces(self, ast: Any) -> list[Expr]:
        """Return values and conditions in turn, then what holds otherwise."""
        pieces: list[Expr] = []
        for child in _children(ast):
            form = child.typeAsString(child.type())
            if form == "piecewise":
                pieces += self._pieces(child)
            else:
                pieces += [self.expr(part) for part in _children(child)]
        return pieces

    def _of_derivative(self, ast: Any) -> str:
        """Return the name of the quantity whose rate of change a formula means."""
        return str(self.node(ast.rightChild().variable()).value)


def _number(quantity: Any) -> tuple[str, int]:
    """Return libcellml's kind of a quantity, and its number among those."""
    return quantity.typeAsString(quantity.type()), int(quantity.index())


def _children(ast: Any) -> list[Any]:
    return [child for child in (ast.leftChild(), ast.rightChild()) if child is not None]


def _determined(equation: Any) -> list[Any]:
    """Return the quantities that an equation determines."""
    # Not libcellml's own lists: Python cannot go through them.
    return [
        *(equation.state(k) for k in range(equation.stateCount())),
        *(equation.algebraicVariable(k) for k in range(equation.algebraicVariableCount())),
        *(equation.computedConstant(k) for k in range(equation.computedConstantCount())),
    ]
