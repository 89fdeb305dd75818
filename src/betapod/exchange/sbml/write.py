"""SBML export: Level 3 Version 2 core, complete, so that other simulators give the same numbers.

States become parameters with rate rules, equations assignment rules, implicit relations their unrolled Newton steps. Parts that
several formulas share become parameters named ``shared_<n>``. After a terminal event every rate is 0: the event sets the parameter
``running`` from 1 to 0, and all rates are multiplied by it; values that depend on time itself go on.
Insulin units, cells and items are counted in ``item``; normalisation to 1.73 m2 of body surface is a plain number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...base.arguments import instance
from ...base.arguments import path as path_of
from ...base.errors import ExchangeError, Location, MissingExtraError, Problem
from ...base.files import write_text
from ...model.algebra.expression import Expr, free_symbols, mul, symbol
from ...model.assembly.model import Event, Model
from ...model.bibliography import BibliographyEntry
from .annotations import UnitWriter, annotate_parameter, attach_note
from .mathml_writer import Formulas, delay_tree, expand_roots

_QUANTITY, _KINETIC, _EXPRESSION, _CONTINUOUS = "SBO:0000002", "SBO:0000009", "SBO:0000064", "SBO:0000293"


def write_sbml(
    model: Model,
    path: str | Path | None = None,
    bibliography: Mapping[str, BibliographyEntry] | None = None,
    check: bool = True,
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

    Returns
    -------
    str
        An SBML document, level 3 version 2.

    Raises
    ------
    ExchangeError
        Something in the model has no SBML counterpart, or libsbml finds an error; all of them.

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
    document = libsbml.SBMLDocument(3, 2)
    _Writer(model, document.createModel(), bibliography).write()
    if check:
        _check(libsbml, document)
    text = str(libsbml.writeSBMLToString(document))
    if path is not None:
        write_text(path, text)
    return text


def _check(libsbml: Any, document: Any) -> None:
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_MODELING_PRACTICE, False)
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, False)
    document.checkConsistency()
    problems = [
        Problem("invalid-sbml", " ".join(error.getMessage().split()), Location("", error.getLine()))
        for error in (document.getError(k) for k in range(document.getNumErrors()))
        if error.getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if problems:
        raise ExchangeError(problems)


class _Writer:
    """Fills one SBML model."""

    def __init__(self, model: Model, target: Any, bibliography: Mapping[str, BibliographyEntry]) -> None:
        self.model, self.target, self.bibliography = model, target, bibliography
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
        for identifier, tree in formulas.auxiliary.items():
            self._parameter(identifier, "part that several formulas share", None)
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            rule.setMath(tree)
            rule.setSBOTerm(_EXPRESSION)
        for identifier, tree in formulas.definitions():
            function = target.createFunctionDefinition()
            function.setId(identifier)
            function.setMath(tree)

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

    def _prepare(self) -> tuple[dict[tuple[Any, ...], Expr], Formulas]:
        """Collect every formula under a key, expanded, and find what they share."""
        model = self.model
        wanted: dict[tuple[Any, ...], Expr] = {}
        for name, assignment in model.assignments.items():
            local = assignment.local
            wanted["assign", name] = local if isinstance(local, Expr) else assignment.expr
        for state in model.states:
            rate = mul(symbol(self.running), state.local_rate) if self.terminal else state.local_rate
            wanted["rate", state.name] = rate
            wanted["start", state.name] = state.local_initial
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
        keys = list(wanted)
        expanded = dict(zip(keys, expand_roots(wanted.values()), strict=True))
        # An inlined formula may contain another equation as a whole: there that one's name is written, unless it is but an alias.
        names = [n for n, a in model.assignments.items() if not (isinstance(a.local, Expr) and a.local.op == "sym")]
        inlined = expand_roots([model.assignments[name].expr for name in names])
        named = {e: self.identifiers[name] for name, e in reversed(list(zip(names, inlined, strict=True))) if e.args}
        formulas = Formulas(self.identifiers, named, set(self.identifiers.values()))
        formulas.prepare(
            (root, self.identifiers[key[1]] if key[0] == "assign" else None) for key, root in expanded.items()
        )
        return expanded, formulas

    def _quantities(self, roots: Mapping[tuple[Any, ...], Expr], formulas: Formulas) -> None:
        model, target = self.model, self.target
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
                initial.setMath(formulas.tree(start))
            if state.rate.op == "const" and state.rate.value == 0.0:
                continue
            rule = target.createRateRule()
            rule.setVariable(identifier)
            rule.setMath(formulas.tree(roots["rate", state.name]))
            rule.setSBOTerm(_EXPRESSION)
        for name, assignment in model.assignments.items():
            identifier = self.identifiers[name]
            self._parameter(identifier, assignment.label, assignment.unit).setSBOTerm(_QUANTITY)
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            rule.setMath(formulas.tree(roots["assign", name], identifier))
            rule.setSBOTerm(_EXPRESSION)
        for delayed in model.delays:
            identifier = self.identifiers[delayed.name]
            self._parameter(identifier, "what a quantity was some time ago", None)
            rule = target.createAssignmentRule()
            rule.setVariable(identifier)
            rule.setMath(delay_tree(*(formulas.tree(roots[part, delayed.name]) for part in ("of", "by"))))
        for k, event in enumerate(model.events):
            self._event(k, event, roots, formulas)

    def _event(self, k: int, event: Event, roots: Mapping[tuple[Any, ...], Expr], formulas: Formulas) -> None:
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
