"""Link the parsed SBML quantities into a model, and refuse what would be silently wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base.errors import ExchangeError, Location, ModelError, Problem
from ...model.algebra.derivative import gradient
from ...model.algebra.expression import ONE, TIME, ZERO, Expr, add, free_symbols, mul, sub, symbol, topological
from ...model.algebra.operations import COMPARISONS, LOGIC, NOT_SMOOTH
from ...model.assembly.linking import link
from ...model.assembly.model import Event, Model
from ..foreign.foreign_quantities import definitions_of, parameters_and_inputs, unfit_inputs, unknown_rates
from ..foreign.import_report import ImportReport
from .sbml_units import sbml_unit_text

if TYPE_CHECKING:
    from .model_builder import Builder


def finish_rates(builder: Builder) -> None:
    """Settle constants that are computed, then rates that need the rate of something else."""
    builder.motion.unrated = {delayed.name: "needs what was before" for delayed in builder.delays.values()}
    builder.motion.unrated |= dict.fromkeys(builder.inputs, "needs an input, which schedules change")
    builder.problems += unfit_inputs(builder)
    for reaction in builder.fast:
        builder.motion.unrated |= {state: f"the fast reaction {reaction.name} changes" for state, _ in reaction.changes}
    builder.motion.settle(builder.pending, builder.initials)
    if builder.delays:
        starts = builder.initials.items()
        builder.motion.before = {name: gradient(start, [TIME]).get(TIME, ZERO) for name, start in starts}
    for identifier in builder.rated:
        kept = builder.species.get(identifier)
        if kept is not None and kept.factor is not ONE:
            # The rule gives the rate of the concentration; the amount changes with the size as well.
            size = kept.factor
            growth = mul(symbol(builder.names[identifier]), builder.motion.rate_symbol(size.value))
            builder.motion.rates[kept.held] = add(mul(builder.motion.rates[kept.held], size), growth)
    try:
        builder.motion.define_rates()
    except ValueError as error:
        builder.refuse(str(error))
    for name in builder.motion.wanted:
        builder.labels.setdefault(name, "rate of change")


def link_model(builder: Builder, events: list[Event]) -> Model:
    """Return the model.

    Raises
    ------
    ExchangeError
        Equations in a circle, rates without a value, triggers that hold for an instant only.
    """
    definitions, rates = definitions_of(builder)
    parameters, inputs = parameters_and_inputs(builder, "SBML")
    time = builder.source.getTimeUnits() if builder.level >= 3 else "time"
    try:
        model = link(
            builder.source.getId() or "model",
            definitions,
            rates,
            builder.initials,
            events,
            parameters,
            inputs,
            delays=list(builder.delays.values()),
            fast=builder.fast,
            time_unit=sbml_unit_text(builder.source, time) or "1",
            description=builder.source.getName(),
        )
    except ModelError as error:
        raise ExchangeError(error.problems) from None
    _check(builder, model)
    return model


def _check(builder: Builder, model: Model) -> None:
    """Refuse what would be silently wrong: rates without a value, triggers that hold for an instant only."""
    problems = unknown_rates(builder, model)
    delayed = {delayed.name for delayed in model.delays}
    for state in model.states:
        if delayed.intersection(free_symbols([state.initial])):
            message = f"the csymbol delay in what {state.name!r} starts from is not supported"
            problems.append(Problem("unsupported", message, Location(builder.file)))
    moving = {state.name for state in model.states if state.rate is not ZERO} | delayed
    moving |= {name for reaction in model.fast for name, _ in reaction.changes}
    for event in model.events:
        for node in _relations(event.trigger):
            if _is_instant(node, moving):
                problems.append(
                    Problem(
                        "unsupported",
                        f"the event {event.name!r} is triggered by equality with something that changes steadily, "
                        "which is not supported",
                        Location(builder.file),
                        hint="Write the trigger as an inequality.",
                    )
                )
    if problems:
        raise ExchangeError(list(dict.fromkeys(problems)))


def report_of(builder: Builder) -> ImportReport:
    """Return the import report."""
    return ImportReport(
        builder.level,
        int(builder.source.getVersion()),
        dict(builder.names),
        builder.amounts,
        builder.concentrations,
        tuple(builder.ignored),
        tuple(builder.notes),
    )


def _relations(trigger: Expr) -> list[Expr]:
    """Return the comparisons that a trigger is made of, not those inside their sides."""
    if trigger.op in LOGIC:
        return [node for arg in trigger.args for node in _relations(arg)]
    return [trigger] if trigger.op in COMPARISONS else []


def _is_instant(relation: Expr, moving: set[str]) -> bool:
    """Return whether an equality holds for an instant that cannot be told ahead; that time equals a number can be."""
    if relation.op not in ("eq", "ne"):
        return False
    side = sub(*relation.args)
    if _moves_steadily(side, moving):
        return True
    if not _moves_steadily(side, {"t"}):
        return False
    slope = gradient(side, [TIME]).get(TIME, ZERO)
    return "t" in free_symbols([slope]) or any(node.op in NOT_SMOOTH for node in topological([side]))


def _moves_steadily(side: Expr, moving: set[str]) -> bool:
    """Return whether an expression changes between jumps: what only counts whole steps stands still between them."""
    moves: dict[Expr, bool] = {}
    for node in topological([side]):
        if node.op == "sym":
            moves[node] = node.value in moving
        elif node.op in COMPARISONS or node.op in ("floor", "ceil"):
            moves[node] = False
        elif node.op == "select":
            moves[node] = any(moves[arg] for arg in node.args[1:])
        else:
            moves[node] = any(moves[arg] for arg in node.args)
    return moves[side]
