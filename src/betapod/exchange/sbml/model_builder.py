"""Build a model from a parsed SBML document: species, compartments, parameters, rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...base.errors import Location, Problem
from ...model.algebra.expression import ONE, TIME, ZERO, Expr, const, div, is_const, mul, symbol
from ...model.assembly.delays import Delayed, FastReaction
from ..foreign.mathml_operators import Unsupported
from ..foreign.rates import Motion, solve_relations
from ..foreign.unit_texts import quotient_unit
from .mathml_reader import MathReader, SbmlFunction
from .sbml_units import sbml_unit_text

#: Names that the parser of Level 1 formulas takes for constants.
_CONSTANT_WORDS = frozenset(
    {"pi", "inf", "infinity", "nan", "notanumber", "true", "false", "exponentiale", "avogadro", "time"}
)


@dataclass
class Species:
    """How one species is held.

    Attributes
    ----------
    held
        Model name of the quantity that is given or integrated.
    factor
        What the file's symbol is multiplied by to give the held quantity: the compartment's size, or 1.
    """

    held: str
    factor: Expr
    as_amount: bool


@dataclass
class Builder:
    """Collects the definitions of one SBML model.

    Everything that cannot be built is collected in `problems` and refused together. `inputs` are parameters that schedules may change.
    """

    source: Any
    file: str
    ignored: list[str]
    inputs: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)
    pending: dict[str, Expr] = field(default_factory=dict)
    motion: Motion = field(default_factory=Motion)
    initials: dict[str, Expr] = field(default_factory=dict)
    species: dict[str, Species] = field(default_factory=dict)
    amounts: dict[str, str] = field(default_factory=dict)
    concentrations: dict[str, str] = field(default_factory=dict)
    delays: dict[tuple[Expr, Expr], Delayed] = field(default_factory=dict)
    fast: list[FastReaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level = int(self.source.getLevel())
        self.assigned: dict[str, Any] = {}
        self.rated: dict[str, Any] = {}
        self.algebraic: list[Any] = []
        self.started: dict[str, Any] = {}
        self.event_targets: set[str] = set()
        self.reacting: set[str] = set()
        self.math = MathReader({}, self.node, self._rate_of, TIME, self._delayed)

    # -- small helpers -----------------------------------------------------------------------------------------------

    def refuse(self, message: str, element: Any = None, hint: str = "") -> None:
        """Note a construct that cannot be imported."""
        location = Location(self.file, element.getLine() if element is not None else 0)
        self.problems.append(Problem("unsupported", f"{message} is not supported", location, hint=hint))

    def unique(self, name: str) -> str:
        """Return the name, or one like it that no identifier of the file and no other quantity has."""
        used_names = {*self.names.values(), *self.labels, "t"}
        while name in used_names or (name not in self.names and self.source.getElementBySId(name) is not None):
            name += "_"
        self.labels.setdefault(name, "")
        return name

    def node(self, identifier: str) -> Expr:
        """Return the node of what an identifier means in the file's mathematics."""
        if identifier not in self.names:
            raise Unsupported(f"the symbol {identifier}, which has no value")
        return symbol(self.names[identifier])

    def _rate_of(self, identifier: str) -> Expr:
        if identifier not in self.names:
            raise Unsupported(f"the rate of {identifier}, which has no value")
        return self.motion.rate_symbol(self.names[identifier])

    def _delayed(self, of: Expr, by: Expr) -> Expr:
        """Return the name of what an expression was so long ago."""
        if of.op == "const" or is_const(by, 0.0):
            return of
        if (of, by) not in self.delays:
            stem = f"past_{of.value}" if of.op == "sym" else f"past_{len(self.delays) + 1}"
            self.delays[of, by] = Delayed(self.unique(stem), of, by)
        return symbol(self.delays[of, by].name)

    def expr(self, element: Any, local: Mapping[str, Expr] | None = None) -> Expr:
        """Return the graph of an element's mathematics; what cannot be read is noted and gives 0."""
        try:
            return self.math.expr(self._tree(element), local)
        except Unsupported as problem:
            self.refuse(str(problem), element)
        except RecursionError:
            self.refuse("mathematics nested this deeply", element)
        return ZERO

    def _tree(self, element: Any) -> Any:
        """Return the syntax tree of an element; in Level 1, names of the model win over the constants of libsbml's parser."""
        if self.level > 1 or not any(name.lower() in _CONSTANT_WORDS for name in self.names):
            return element.getMath()
        import libsbml

        settings = libsbml.L3ParserSettings()
        settings.setModel(self.source)
        settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
        return libsbml.parseL3FormulaWithSettings(element.getFormula(), settings)

    def unit(self, reference: str) -> str:
        """Return the text of a unit, or of the plain number where betapod cannot express it."""
        return sbml_unit_text(self.source, reference) or "1"

    # -- reading -----------------------------------------------------------------------------------------------------

    def read_quantities(self) -> None:
        """Read functions, rules, compartments, parameters and species."""
        self._read_functions()
        self._read_rules()
        self._name_everything()
        self._solve_algebraic()
        for c in self.source.getListOfCompartments():
            self.scalar(c.getId(), _size(c, self.level), self._compartment_unit(c), c.getName())
        for p in self.source.getListOfParameters():
            value = p.getValue() if p.isSetValue() else math.nan
            self.scalar(p.getId(), value, self.unit(p.getUnits()), p.getName())
        for s in self.source.getListOfSpecies():
            self._species(s)
        self._note_unsized()

    def _note_unsized(self) -> None:
        """Note the amounts or concentrations that are unknown because a compartment has no size."""
        for c in self.source.getListOfCompartments():
            name = self.names[c.getId()]
            if not math.isnan(self.parameters.get(name, 1.0)):
                continue
            species = [s.getId() for s in self.source.getListOfSpecies() if s.getCompartment() == c.getId()]
            amounts_word = "concentrations" if all(self.species[s].as_amount for s in species) else "amounts"
            if species:
                self.notes.append(
                    f"The compartment {c.getId()} has no size, so the {amounts_word} of its species are not known (NaN): "
                    f"{', '.join(species[:8])}{' and others' if len(species) > 8 else ''}. Give it one, such as {name} = 1."
                )

    def _read_functions(self) -> None:
        functions: dict[str, SbmlFunction] = {}
        for f in self.source.getListOfFunctionDefinitions():
            arguments = tuple(f.getArgument(k).getName() for k in range(f.getNumArguments()))
            body = f.getBody() if f.isSetMath() else None
            functions[f.getId()] = SbmlFunction(arguments, body)
        self.math.functions = functions

    def _read_rules(self) -> None:
        for rule in self.source.getListOfRules():
            if not rule.isSetMath():
                self.ignored.append(f"The rule of {rule.getVariable() or 'no variable'} has no mathematics.")
            elif rule.isAlgebraic():
                self.algebraic.append(rule)
            else:
                (self.rated if rule.isRate() else self.assigned)[rule.getVariable()] = rule
        for initial in self.source.getListOfInitialAssignments():
            if initial.isSetMath():
                self.started[initial.getSymbol()] = initial
            else:
                self.ignored.append(f"The initial assignment of {initial.getSymbol()} has no mathematics.")
        for event in self.source.getListOfEvents():
            self.event_targets |= {a.getVariable() for a in event.getListOfEventAssignments() if a.isSetMath()}
        for constraint in self.source.getListOfConstraints():
            self.ignored.append(f"The constraint in line {constraint.getLine()} is not checked.")
        for reaction in self.source.getListOfReactions():
            references = (*reaction.getListOfReactants(), *reaction.getListOfProducts())
            self.reacting |= {reference.getSpecies() for reference in references}

    def _name_everything(self) -> None:
        elements = [*self.source.getListOfCompartments(), *self.source.getListOfParameters()]
        elements += [*self.source.getListOfSpecies(), *self.source.getListOfReactions()]
        if self.level >= 3:
            for r in self.source.getListOfReactions():
                elements += [e for e in (*r.getListOfReactants(), *r.getListOfProducts()) if e.getId()]
        for element in elements:
            # `t` is time in every model.
            self.names[element.getId()] = "t_" if element.getId() == "t" else element.getId()

    def _solve_algebraic(self) -> None:
        """Make algebraic rules that are linear in the one variable they determine into equations; refuse the others."""
        if not self.algebraic:
            return
        determined = {*self.assigned, *self.rated, *self.event_targets}
        free = [
            e for e in (*self.source.getListOfCompartments(), *self.source.getListOfParameters()) if not e.getConstant()
        ]
        for s in self.source.getListOfSpecies():
            if not s.getConstant() and (s.getBoundaryCondition() or s.getId() not in self.reacting):
                free.append(s)
        if self.level >= 3:
            for r in self.source.getListOfReactions():
                free += [
                    e for e in (*r.getListOfReactants(), *r.getListOfProducts()) if e.getId() and not e.getConstant()
                ]
        names = {self.names[e.getId()]: e.getId() for e in free if e.getId() not in determined}
        solved = solve_relations([self.expr(rule) for rule in self.algebraic], names)
        if solved is None:
            for rule in self.algebraic:
                self.refuse(
                    "an algebraic rule (unless linear in the one variable that it determines)",
                    rule,
                    "Solve it for its variable and write an assignment rule.",
                )
            return
        self.assigned |= {names[name]: equation for name, equation in solved.items()}

    def _equation(self, identifier: str) -> Expr:
        rule = self.assigned[identifier]
        return rule if isinstance(rule, Expr) else self.expr(rule)

    def _compartment_unit(self, c: Any) -> str:
        dimension = c.getSpatialDimensionsAsDouble()
        if c.getUnits():
            return self.unit(c.getUnits())
        if self.level < 3:
            return self.unit({3.0: "volume", 2.0: "area", 1.0: "length"}.get(dimension, ""))
        unit_readers = {3.0: self.source.getVolumeUnits, 2.0: self.source.getAreaUnits, 1.0: self.source.getLengthUnits}
        return self.unit(unit_readers[dimension]()) if dimension in unit_readers else "1"

    def describe(self, name: str, unit: str, label: str) -> None:
        """Keep unit and label of a quantity."""
        self.units[name], self.labels[name] = unit, label

    def scalar(self, identifier: str, value: float, unit: str, label: str) -> None:
        """Define a compartment, a parameter, a stoichiometry: anything whose symbol is what is held."""
        name = self.names[identifier]
        self.describe(name, unit, label)
        if identifier in self.assigned:
            self.motion.assign[name] = self._equation(identifier)
            return
        start = self.expr(self.started[identifier]) if identifier in self.started else const(value)
        rule = self.rated.get(identifier)
        rate = self.expr(rule) if rule is not None else ZERO if identifier in self.event_targets else None
        self._hold(name, start, rate)

    def _hold(self, name: str, start: Expr, rate: Expr | None) -> None:
        """Define a state, or, without a rate, a constant."""
        if rate is not None:
            self.motion.rates[name], self.initials[name] = rate, start
        elif start.op == "const":
            self.parameters[name] = start.value
        else:
            self.pending[name] = start

    def _species(self, s: Any) -> None:
        identifier, name = s.getId(), self.names[s.getId()]
        compartment = s.getCompartment()
        home = self.source.getCompartment(compartment)
        size = self.node(compartment)
        fixed = not ({compartment} & {*self.assigned, *self.rated, *self.event_targets})
        fixed = fixed and self.names[compartment] not in self.inputs
        point = home.getSpatialDimensionsAsDouble() == 0 and not home.isSetSize()
        amount_meant = bool(s.getHasOnlySubstanceUnits()) or point
        reacts = identifier in self.reacting and not s.getBoundaryCondition() and not s.getConstant()
        substance = self.unit(
            s.getSubstanceUnits() or (self.source.getSubstanceUnits() if self.level >= 3 else "substance")
        )
        density = quotient_unit(substance, self.units[self.names[compartment]]) or "1"
        label = s.getName()
        if identifier in self.assigned:
            self.motion.assign[name] = self._equation(identifier)
        # An amount is kept when its compartment changes size, so the amount is what is held wherever that can happen.
        # So it is where the size is unknown but the amount is not.
        unsized = math.isnan(self.parameters.get(self.names[compartment], 1.0)) and s.isSetInitialAmount()
        holds_symbol = amount_meant or identifier in self.assigned or (fixed and not reacts and not unsized)
        held = name if holds_symbol else self.unique(f"{identifier}_amount")
        factor = ONE if holds_symbol else size
        self.species[identifier] = Species(held, factor, amount_meant)
        self.describe(name, substance if amount_meant else density, label)
        if not holds_symbol:
            self.describe(held, substance, f"{label or identifier} (amount)")
            self.motion.assign[name] = div(symbol(held), size)
        if identifier not in self.assigned:
            self._hold(held, self._first(s, amount_meant, holds_symbol, size), self._species_rate(identifier, reacts))
        self._other(identifier, name, amount_meant, held, point, size, (substance, density))

    def _first(self, s: Any, amount_meant: bool, holds_symbol: bool, size: Expr) -> Expr:
        """Return the initial value of what is held."""
        wants_amount = amount_meant or not holds_symbol
        if s.getId() in self.started:
            value = self.expr(self.started[s.getId()])
            return mul(value, size) if wants_amount and not amount_meant else value
        if s.isSetInitialAmount():
            value = const(self._finite(s, s.getInitialAmount(), "initialAmount"))
            return value if wants_amount else self._by_size(div, value, size)
        if s.isSetInitialConcentration():
            value = const(self._finite(s, s.getInitialConcentration(), "initialConcentration"))
            return self._by_size(mul, value, size) if wants_amount else value
        return const(math.nan)

    def _finite(self, s: Any, value: float, attribute: str) -> float:
        """Refuse a species that reactions or rules change from a start that is no number."""
        moves = s.getId() in self.rated or (s.getId() in self.reacting and not s.getBoundaryCondition())
        if moves and not s.getConstant() and not math.isfinite(value):
            location = Location(self.file, s.getLine(), s.getColumn())
            message = f"the species {s.getId()!r} cannot start from {value:g}"
            self.problems.append(
                Problem("bad-number", message, location, f'{attribute}="{value:g}"', "a finite number")
            )
        return value

    def _by_size(self, operation: Callable[[Expr, Expr], Expr], value: Expr, size: Expr) -> Expr:
        """Combine a number with a size of exactly 1 without making an equation of it."""
        return value if self.parameters.get(size.value) == 1.0 else operation(value, size)

    def _species_rate(self, identifier: str, reacts: bool) -> Expr | None:
        if identifier in self.rated:
            return self.expr(self.rated[identifier])
        return ZERO if reacts or identifier in self.event_targets else None

    def _other(
        self, identifier: str, name: str, amount_meant: bool, held: str, point: bool, size: Expr, units: tuple[str, str]
    ) -> None:
        """Define the quantity that the symbol does not mean, so that both can be read."""
        substance, density = units
        label = self.labels[name] or identifier
        if amount_meant:
            self.amounts[identifier] = name
            if not point:
                other = self.unique(f"{identifier}_concentration")
                self.describe(other, density, f"{label} (concentration)")
                self.motion.assign[other] = div(symbol(name), size)
                self.concentrations[identifier] = other
            return
        self.concentrations[identifier] = name
        if held != name:
            self.amounts[identifier] = held
            return
        other = self.unique(f"{identifier}_amount")
        self.describe(other, substance, f"{label} (amount)")
        self.motion.assign[other] = mul(symbol(name), size)
        self.amounts[identifier] = other


def _size(compartment: Any, level: int) -> float:
    if compartment.isSetSize():
        return float(compartment.getSize())
    if level == 1 or compartment.getSpatialDimensionsAsDouble() == 0:
        return 1.0
    return math.nan
