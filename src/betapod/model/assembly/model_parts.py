"""What an assembled model consists of: states, assignments and events."""

from __future__ import annotations

from dataclasses import dataclass

from ..algebra.expression import Expr


@dataclass(frozen=True)
class Implicit:
    """A relation that is solved for its name by unrolled Newton steps: ``left = right``, from `start`."""

    left: Expr
    right: Expr
    start: Expr
    steps: int


@dataclass(frozen=True)
class Assignment:
    """A quantity given by an equation.

    Attributes
    ----------
    local
        The equation as written, in terms of other names.
    expr
        The same in terms of states, parameters, inputs and time only.
    """

    name: str
    unit: str
    label: str
    local: Expr | Implicit
    expr: Expr
    owner: str = ""


@dataclass(frozen=True)
class State:
    """A quantity given by its rate per day.

    Attributes
    ----------
    local_rate, local_initial
        As written, in terms of other names; the rate already per day.
    rate
        In terms of states, parameters, inputs and time.
    initial
        In terms of parameters and inputs (and time, which is the start).
    """

    name: str
    unit: str
    label: str
    local_rate: Expr
    local_initial: Expr
    rate: Expr
    initial: Expr
    owner: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happens when a trigger turns from false to true.

    Attributes
    ----------
    trigger
        A truth value in terms of states, parameters, inputs and time; likewise `assignments`, `delay` and `priority`.
    terminal
        Whether the simulation of this patient ends.
    persistent, initial_value, from_trigger_time
        As in SBML: whether a delayed event happens although its trigger turned false again; whether the trigger counts as true
        before the start; whether assigned values are computed when the trigger fires or when the event happens.
    factors
        Changed states with what their new value is multiplied by, computed when the event happens, before its changes: a concentration
        assigned to a state that holds the amount is multiplied by the size that its compartment has until then (as in SBML).
    """

    name: str
    label: str
    trigger: Expr
    assignments: tuple[tuple[str, Expr], ...] = ()
    terminal: bool = False
    delay: Expr | None = None
    priority: Expr | None = None
    persistent: bool = True
    initial_value: bool = True
    from_trigger_time: bool = True
    factors: tuple[tuple[str, Expr], ...] = ()
