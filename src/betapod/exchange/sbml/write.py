"""SBML export: Level 3 Version 2 core, complete, so that other simulators give the same numbers.

States become parameters with rate rules, equations assignment rules, implicit relations their unrolled Newton steps. Parts that
several formulas share become parameters named ``shared_<n>``. After a terminal event every rate is 0: the event sets the parameter
``running`` from 1 to 0, and all rates are multiplied by it; values that depend on time itself go on.
Insulin units, cells and items are counted in ``item``; normalisation to 1.73 m2 of body surface is a plain number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...base.arguments import instance
from ...base.arguments import path as path_of
from ...base.errors import ExchangeError, Location, MissingExtraError, Problem
from ...base.files import write_text
from ...model.algebra.expression import Expr, evaluate, free_symbols, mul, symbol, topological
from ...model.assembly.model import Event, Model, State
from ...model.bibliography import BibliographyEntry
from .annotations import UnitWriter, annotate_parameter, attach_note
from .consistency import check_consistency
from .formula_units import FormulaUnits
from .kept_equations import kept_equations
from .mathml_writer import Formulas, delay_tree, expand_roots
from .nested_formulas import NestedFormulas
from .plain_form import endless_model, in_plain_operations, without_units

_QUANTITY, _KINETIC, _EXPRESSION, _CONTINUOUS = "SBO:0000002", "SBO:0000009", "SBO:0000064", "SBO:0000293"

#: A start of at most so many different nodes is written in parameters alone; written out as a tree it may be some times as long.
_SHORT_START = 40


def write_sbml(
    model: Model,
    path: str | Path | None = None,
    bibliography: Mapping[str, BibliographyEntry] | None = None,
    check: bool = True,
    nested: bool = False,
    outputs: Sequence[str] | None = None,
    plain: bool = False,
) -> str:
    """Return a model as SBML text, and write it to a file if a path is given.

    Parameters
    ----------
    model
        Any model.
    path
        File; none by default.
    bibliography
        Works by key, for the sources of parameters; betapod's own by default.
    check
        Let libsbml check the document's consistency.
    nested
        Write every formula by itself, in states, parameters, inputs and time, as functions whose arguments are what it uses several times. So
        written, large models load in tools that write every equation out wherever it is used (libRoadRunner, Tellurium).
    outputs
        The equations that the file has, beside all states; all by default. Those that formulas name stay, unless they are nested. Tools load a file
        with few of them several times faster.
    plain
        Write numbers without units, roots, minima and maxima as powers and cases, and leave out what ends a patient, for tools that know no more
        (sbmltoodejax) or differentiate models without events only.

    Returns
    -------
    str
        An SBML document, level 3 version 2.

    Raises
    ------
    ExchangeError
        Something in the model has no SBML counterpart, or libsbml finds an error; outputs that are no equations, all of them; a plain form that is nested.

    Examples
    --------
    >>> import betapod
    >>> betapod.write_sbml(betapod.load_model("topp2000")).startswith("<?xml")
    True
    """
    instance("model", model, Model, "a model, such as load_model('kidney')", ExchangeError)
    path = None if path is None else path_of("path", path, ExchangeError)
    if model.fast:
        names = ", ".join(reaction.name for reaction in model.fast)
        message = f"SBML Level 3 Version 2 has no reactions that take no time: {names}"
        raise ExchangeError(Problem("unsupported", message, Location(model.name)))
    try:
        import libsbml
    except ImportError:
        raise MissingExtraError("python-libsbml", "interop", "writing SBML") from None
    if bibliography is None:
        from ...model.bibliography import Bibliography
        from ...physiology.whole_body import BIBLIOGRAPHY

        bibliography = Bibliography.read(BIBLIOGRAPHY)
    if plain and nested:
        message = "the plain form has no functions, and nested formulas are made of them"
        raise ExchangeError(Problem("bad-option", message, hint="Choose one of them."))
    model = endless_model(model) if plain else model
    document = libsbml.SBMLDocument(3, 2)
    _Writer(model, document.createModel(), bibliography, nested, kept_equations(model, nested, outputs), plain).write()
    if plain:
        without_units(document)
    if check:
        _check(libsbml, document)
    text = str(libsbml.writeSBMLToString(document))
    if path is not None:
        write_text(path, text)
    return text


def _check(libsbml: Any, document: Any) -> None:
    document = check_consistency(document)
    problems = [
        Problem("invalid-sbml", " ".join(error.getMessage().split()), Location("", error.getLine()))
        for error in (document.getError(k) for k in range(document.getNumErrors()))
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if problems:
        raise ExchangeError(problems)


class _Writer:
    """Fills one SBML model."""

    def __init__(
        self,
        model: Model,
        target: Any,
        bibliography: Mapping[str, BibliographyEntry],
        nested: bool,
        equations: tuple[str, ...],
        plain: bool,
    ) -> None:
        self.model, self.target, self.bibliography = model, target, bibliography
        self.nested, self.equations, self.plain = nested, equations, plain
        self.units = UnitWriter(target)
        self.identifiers: dict[str, str] = {}
        names = (*model.names, *model.conversions, *(delayed.name for delayed in model.delays))
        for name in names:
            identifier = re.sub(r"\W", "_", name)
            identifier = identifier if re.match(r"[A-Za-z_]", identifier) else f"_{identifier}"
            while identifier in self.identifiers.values():
                identifier += "_"
            self.identifiers[name] = identifier
        self.terminal = any(event.terminal for event in model.events)
        self.running = "running"
        while self.running in self.identifiers.values():
            self.running += "_"
        if self.terminal:
            self.identifiers[self.running] = self.running

    def write(self) -> None:
        """Write everything."""
        target, model = self.target, self.model
        target.setId(re.sub(r"\W", "_", model.name) or "model")
        target.setName(model.name)
        target.setSBOTerm(_CONTINUOUS)
        target.setTimeUnits(self.units.identifier(model.time_unit) or "dimensionless")
        attach_note(target, [model.description, "Written by betapod."])
        self._numbers()
        roots, formulas = self._prepare()
        self._quantities(roots, formulas)
        if isinstance(formulas, NestedFormulas):
            for identifier, tree in formulas.definitions.items():
                function = target.createFunctionDefinition()
                function.setId(identifier)
                function.setMath(tree)
            return
        units = FormulaUnits(self._unit_texts())
        for identifier, (part, tree) in formulas.auxiliary.items():
            parameter = self._parameter(identifier, "part that several formulas share", None)
            unit = units.unit(part)
            if unit is not None:
                parameter.setUnits(self.units.define(unit))
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            rule.setMath(tree)
            rule.setSBOTerm(_EXPRESSION)

    def _parameter(self, identifier: str, label: str, unit: str | None, constant: bool = False) -> Any:
        parameter = self.target.createParameter()
        parameter.setId(identifier)
        parameter.setConstant(constant)
        if label:
            parameter.setName(label)
        unit_identifier = None if unit is None else self.units.identifier(unit)
        if unit_identifier is not None:
            parameter.setUnits(unit_identifier)
        return parameter

    def _numbers(self) -> None:
        for table, constant in ((self.model.parameters, True), (self.model.inputs, False)):
            for name, row in table.items():
                parameter = self._parameter(self.identifiers[name], row.label, row.unit, constant)
                parameter.setValue(row.value)
                rate = row.unit in ("1/day", "1/h", "1/min", "1/year", "1/s")
                parameter.setSBOTerm(_KINETIC if rate else _QUANTITY)
                annotate_parameter(parameter, row, self.bibliography.get(row.source))
        for name, (value, unit) in self.model.conversions.items():
            parameter = self._parameter(self.identifiers[name], "exact conversion", unit, True)
            parameter.setValue(value)
        if self.terminal:
            parameter = self._parameter(self.running, "1 until a terminal event, then 0", "1")
            parameter.setValue(1.0)

    def _unit_texts(self) -> dict[str, str]:
        """Return the unit of every name that formulas may use."""
        texts = {**self.model.units, "t": self.model.time_unit, self.running: "1"}
        return texts | {name: unit for name, (_, unit) in self.model.conversions.items()}

    def _wanted(self, by_states: bool = False) -> dict[tuple[Any, ...], Expr]:
        """Return every formula under a key, expanded: as written, or as a whole in terms of states, parameters, inputs and time alone."""
        model = self.model
        wanted: dict[tuple[Any, ...], Expr] = {}
        for name in self.model.assignments if self.nested else self.equations:
            assignment = model.assignments[name]
            local = assignment.local
            wanted["assign", name] = local if isinstance(local, Expr) and not by_states else assignment.expr
        for state in model.states:
            rate = state.rate if by_states else state.local_rate
            wanted["rate", state.name] = mul(symbol(self.running), rate) if self.terminal else rate
            wanted["start", state.name] = state.initial if by_states else state.local_initial
        for delayed in model.delays:
            wanted["of", delayed.name], wanted["by", delayed.name] = delayed.of, delayed.by
        for k, event in enumerate(model.events):
            wanted["trigger", k] = event.trigger
            if event.delay is not None:
                wanted["delay", k] = event.delay
            if event.priority is not None:
                wanted["priority", k] = event.priority
            for target, value in _event_values(event):
                wanted["event", k, target] = value
        return dict(zip(wanted, self._expanded(wanted.values()), strict=True))

    def _expanded(self, roots: Iterable[Expr]) -> list[Expr]:
        expanded = expand_roots(roots)
        return in_plain_operations(expanded) if self.plain else expanded

    def _prepare(self) -> tuple[dict[tuple[Any, ...], Expr], Formulas | NestedFormulas]:
        """Collect every formula under a key, expanded, and find what they share."""
        model, expanded = self.model, self._wanted()
        used = set(self.identifiers.values())
        if self.nested:
            nested = NestedFormulas(self.identifiers, used, self.equations, expanded, self._wanted(by_states=True))
            return nested.roots, nested
        # An inlined formula may contain another equation as a whole: there that one's name is written, unless it is but an alias.
        local = {name: model.assignments[name].local for name in self.equations}
        names = [name for name, form in local.items() if not (isinstance(form, Expr) and form.op == "sym")]
        inlined = self._expanded([model.assignments[name].expr for name in names])
        named = {e: self.identifiers[name] for name, e in reversed(list(zip(names, inlined, strict=True))) if e.args}
        formulas = Formulas(self.identifiers, named, used)
        formulas.prepare(
            (root, self.identifiers[key[1]] if key[0] == "assign" else None) for key, root in expanded.items()
        )
        return expanded, formulas

    def _quantities(self, roots: Mapping[tuple[Any, ...], Expr], formulas: Formulas | NestedFormulas) -> None:
        model, target = self.model, self.target
        starts = self._starts()
        for state in model.states:
            identifier = self.identifiers[state.name]
            parameter = self._parameter(identifier, state.label, state.unit)
            parameter.setSBOTerm(_QUANTITY)
            start = roots["start", state.name]
            if start.op == "const":
                parameter.setValue(start.value)
            else:
                initial = target.createInitialAssignment()
                initial.setSymbol(identifier)
                initial.setMath(self._start_tree(state, start, formulas))
                # For tools that pass over what starts from an equation.
                parameter.setValue(starts[state.name])
            if state.rate.op == "const" and state.rate.value == 0.0:
                continue
            rule = target.createRateRule()
            rule.setVariable(identifier)
            rule.setMath(formulas.tree(roots["rate", state.name]))
            rule.setSBOTerm(_EXPRESSION)
        for name in self.equations:
            identifier, assignment = self.identifiers[name], model.assignments[name]
            self._parameter(identifier, assignment.label, assignment.unit).setSBOTerm(_QUANTITY)
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            tree = formulas.tree(roots["assign", name], identifier)
            if roots["assign", name].op == "const":
                tree.setUnits(self.units.identifier(assignment.unit) or "dimensionless")
            rule.setMath(tree)
            rule.setSBOTerm(_EXPRESSION)
        for delayed in model.delays:
            identifier = self.identifiers[delayed.name]
            self._parameter(identifier, "what a quantity was some time ago", None)
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            rule.setMath(delay_tree(*(formulas.tree(roots[part, delayed.name]) for part in ("of", "by"))))
        for k, event in enumerate(model.events):
            self._event(k, event, roots, formulas)

    def _start_tree(self, state: State, start: Expr, formulas: Formulas | NestedFormulas) -> Any:
        """Return what a state starts from, in parameters alone where that is short: some tools pass over starts from equations."""
        if any(name in self.model.assignments for name in free_symbols([start])):
            by_parameters = self._expanded([state.initial])[0]
            if len(topological([by_parameters])) <= _SHORT_START:
                return Formulas(self.identifiers, {}, set()).tree(by_parameters)
        return formulas.tree(start)

    def _starts(self) -> dict[str, float]:
        """Return the number that each state starts from."""
        model = self.model
        values = {**model.values(), **{name: value for name, (value, _) in model.conversions.items()}, "t": 0.0}
        numbers = evaluate([state.initial for state in model.states], values)
        return dict(zip(model.state_names, numbers, strict=True))

    def _event(
        self, k: int, event: Event, roots: Mapping[tuple[Any, ...], Expr], formulas: Formulas | NestedFormulas
    ) -> None:
        import libsbml

        element = self.target.createEvent()
        identifier = re.sub(r"\W", "_", event.name)
        element.setId(identifier if identifier not in formulas.used_identifiers else f"event_{identifier}")
        if event.label:
            element.setName(event.label)
        element.setUseValuesFromTriggerTime(event.from_trigger_time)
        trigger = element.createTrigger()
        trigger.setMath(formulas.tree(roots["trigger", k]))
        trigger.setPersistent(event.persistent)
        trigger.setInitialValue(event.initial_value)
        if event.delay is not None:
            element.createDelay().setMath(formulas.tree(roots["delay", k]))
        if event.priority is not None:
            element.createPriority().setMath(formulas.tree(roots["priority", k]))
        for target, _ in event.assignments:
            change = element.createEventAssignment()
            change.setVariable(self.identifiers[target])
            change.setMath(formulas.tree(roots["event", k, target]))
        if event.terminal:
            change = element.createEventAssignment()
            change.setVariable(self.running)
            zero = libsbml.ASTNode(libsbml.AST_INTEGER)
            zero.setValue(0)
            zero.setUnits("dimensionless")
            change.setMath(zero)


def _event_values(event: Event) -> list[tuple[str, Expr]]:
    """Return what an event assigns, factors included.

    Raises
    ------
    ExchangeError
        The event keeps values of its trigger's time but takes factors of a later time, so that no formula gives both.
    """
    if event.delay is not None and event.from_trigger_time:
        moving = [target for target, factor in event.factors if free_symbols([factor])]
        if moving:
            raise ExchangeError(
                Problem(
                    "unsupported",
                    f"the delayed event {event.name!r} assigns a concentration to a state that holds an amount: {', '.join(moving)}",
                )
            )
    factors = dict(event.factors)
    return [(name, mul(value, factors[name]) if name in factors else value) for name, value in event.assignments]
