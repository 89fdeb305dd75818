"""SBML reactions and events."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ...model.algebra.expression import ONE, ZERO, Expr, add, const, mul, neg, symbol
from ...model.assembly.delays import FastReaction
from ...model.assembly.model import Event
from ..foreign.unit_texts import quotient_unit
from .sbml_units import sbml_unit_text

if TYPE_CHECKING:
    from .model_builder import Builder


def add_reactions(builder: Builder) -> None:
    """Define the rate of every reaction, and of every species that reactions change."""
    slow: dict[str, Expr] = {}
    fast: dict[str, dict[str, Expr]] = {}
    for r in builder.source.getListOfReactions():
        changes = fast.setdefault(r.getId(), {}) if r.isSetFast() and r.getFast() else slow
        name = builder.names[r.getId()]
        builder.describe(name, extent_rate_unit(builder), r.getName())
        builder.motion.assign[name] = _kinetics(builder, r)
        for references, sign in ((r.getListOfReactants(), neg), (r.getListOfProducts(), lambda e: e)):
            for reference in references:
                stoichiometry = stoichiometry_of(builder, reference)
                s = builder.source.getSpecies(reference.getSpecies())
                if s.getBoundaryCondition() or s.getConstant():
                    continue
                term = sign(mul(stoichiometry, symbol(name) if changes is slow else ONE))
                changes[s.getId()] = add(changes.get(s.getId(), ZERO), term)
    for reaction, changes in fast.items():
        name = builder.names[reaction]
        builder.fast.append(FastReaction(name, symbol(name), tuple(_held_changes(builder, changes))))
    for held, change in _held_changes(builder, slow):
        builder.motion.rates[held] = change


def _held_changes(builder: Builder, changes: Mapping[str, Expr]) -> Iterator[tuple[str, Expr]]:
    """Give the changes of species as those of what is held, conversion factors included."""
    for identifier, change in changes.items():
        held = builder.species[identifier].held
        if held not in builder.motion.rates:
            builder.refuse(f"the species {identifier}, changed by both a rule and a reaction,")
            continue
        factor = builder.source.getSpecies(identifier).getConversionFactor() or builder.source.getConversionFactor()
        yield held, mul(builder.node(factor), change) if factor else change


def extent_rate_unit(builder: Builder) -> str:
    """Return the unit of the rates of reactions."""
    if builder.level >= 3:
        return (
            quotient_unit(
                builder.unit(builder.source.getExtentUnits()),
                sbml_unit_text(builder.source, builder.source.getTimeUnits()),
            )
            or "1"
        )
    return quotient_unit(builder.unit("substance"), builder.unit("time")) or "1"


def _kinetics(builder: Builder, r: Any) -> Expr:
    law = r.getKineticLaw() if r.isSetKineticLaw() else None
    if law is None and r.getNumReactants() + r.getNumProducts():
        builder.refuse(f"the reaction {r.getId()}, which has no kinetic law,", r)
        return ZERO
    if law is None or not law.isSetMath():
        builder.ignored.append(f"The reaction {r.getId()} has no kinetic law and does nothing.")
        return ZERO
    if builder.level < 3 and (law.isSetTimeUnits() or law.isSetSubstanceUnits()):
        builder.ignored.append(f"The units of the kinetic law of {r.getId()} do not convert anything.")
    local: dict[str, Expr] = {}
    for p in law.getListOfLocalParameters() if builder.level >= 3 else law.getListOfParameters():
        name = builder.unique(f"{r.getId()}_{p.getId()}")
        builder.describe(name, builder.unit(p.getUnits()), p.getName() or f"{p.getId()} of {r.getId()}")
        builder.parameters[name] = p.getValue() if p.isSetValue() else math.nan
        local[p.getId()] = symbol(name)
    return builder.expr(law, local)


def stoichiometry_of(builder: Builder, reference: Any) -> Expr:
    """Return how much of a species a reaction takes or makes, and define the quantity that it is, if it has a name."""
    if builder.level >= 3:
        value = reference.getStoichiometry() if reference.isSetStoichiometry() else math.nan
        if not reference.getId():
            return const(value)
        identifier = reference.getId()
        builder.scalar(identifier, value, "1", reference.getName())
        return builder.node(identifier)
    if reference.isSetStoichiometryMath() and reference.getStoichiometryMath().isSetMath():
        return builder.expr(reference.getStoichiometryMath())
    return const(reference.getStoichiometry() / (reference.getDenominator() or 1))


def read_events(builder: Builder) -> list[Event]:
    """Return the events that can happen; one without a trigger never does."""
    events = []
    for k, event in enumerate(builder.source.getListOfEvents()):
        name = event.getId() or f"event{k}"
        if not event.isSetTrigger() or not event.getTrigger().isSetMath():
            builder.ignored.append(f"The event {name} has no trigger and never happens.")
            continue
        if event.isSetTimeUnits() and event.getTimeUnits() not in ("time", "second"):
            builder.refuse(f"the event {name} with time units of its own", event)
        events.append(_event(builder, name, event))
    return events


def _event(builder: Builder, name: str, event: Any) -> Event:
    trigger = event.getTrigger()
    assignments, factors = [], []
    for a in event.getListOfEventAssignments():
        if not a.isSetMath():
            builder.ignored.append(f"The event {name} assigns nothing to {a.getVariable()}.")
            continue
        target, factor = builder.names[a.getVariable()], ONE
        if a.getVariable() in builder.species:
            kept = builder.species[a.getVariable()]
            target, factor = kept.held, kept.factor
        assignments.append((target, builder.expr(a)))
        if factor is not ONE:
            factors.append((target, factor))
    modern = builder.level >= 3
    delay = event.getDelay() if event.isSetDelay() and event.getDelay().isSetMath() else None
    priority = event.getPriority() if modern and event.isSetPriority() and event.getPriority().isSetMath() else None
    return Event(
        name,
        event.getName(),
        builder.expr(trigger),
        tuple(assignments),
        delay=None if delay is None else builder.expr(delay),
        priority=None if priority is None else builder.expr(priority),
        persistent=bool(trigger.getPersistent()) if modern else True,
        initial_value=bool(trigger.getInitialValue()) if modern else True,
        from_trigger_time=bool(event.getUseValuesFromTriggerTime()),
        factors=tuple(factors),
    )
