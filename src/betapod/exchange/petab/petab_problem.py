"""A problem of PEtab, version 1 or 2, as one thing: parameters, experiments in periods, observables, measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...model import Model
from ...model.algebra.expression import Expr

#: Scales of a search; natural value and its derivative from a value on the scale.
SCALES = ("lin", "log", "log10")


@dataclass(frozen=True)
class PetabPrior:
    """A prior density.

    Attributes
    ----------
    kind
        ``normal``, ``laplace``, ``uniform``, ``log-normal``, ``log-laplace`` or ``log-uniform``.
    on_scale
        Whether it is one of the value on the scale of the search.
    """

    kind: str
    first: float
    second: float
    on_scale: bool = False


@dataclass(frozen=True)
class PetabParameter:
    """One row of the parameter table; bounds and nominal value are natural values, whatever the scale."""

    name: str
    nominal: float
    low: float = -math.inf
    high: float = math.inf
    scale: str = "lin"
    estimated: bool = True
    prior: PetabPrior | None = None

    def natural(self, value: float) -> float:
        """Return the natural value of one on the scale of the search."""
        if self.scale == "lin":
            return value
        return math.exp(value) if self.scale == "log" else float(10.0**value)

    def scaled(self, value: float) -> float:
        """Return a natural value on the scale of the search."""
        if self.scale == "lin":
            return value
        if value == 0.0:
            return -math.inf
        return math.log(value) if self.scale == "log" else math.log10(value)

    def slope(self, value: float) -> float:
        """Return the derivative of the natural value by that on the scale, at a natural value."""
        return {"lin": 1.0, "log": value, "log10": value * math.log(10.0)}[self.scale]


@dataclass(frozen=True)
class PetabPeriod:
    """A stretch of an experiment.

    Attributes
    ----------
    start
        In the model's unit of time; minus infinity runs to a steady state.
    changes
        Target -> formula that is its value from the start of the period on.
    """

    start: float
    changes: Mapping[str, Expr] = field(default_factory=dict)


@dataclass(frozen=True)
class PetabObservable:
    """What is measured, and how far measurements are off.

    Attributes
    ----------
    formula, noise
        In terms of names of the model, parameters (``petab_NAME``) and placeholders.
    distribution
        ``normal`` or ``laplace``.
    scale
        ``lin``, ``log`` or ``log10``: the scale on which noise adds.
    placeholders, noise_placeholders
        Names that each measurement gives a value to, in order.
    """

    name: str
    formula: Expr
    noise: Expr
    distribution: str = "normal"
    scale: str = "lin"
    placeholders: tuple[str, ...] = ()
    noise_placeholders: tuple[str, ...] = ()


@dataclass(frozen=True)
class PetabMeasurement:
    """One measurement; an infinite time is the steady state."""

    observable: str
    experiment: str
    time: float
    value: float
    placeholders: tuple[Expr, ...] = ()
    noise_placeholders: tuple[Expr, ...] = ()
    line: int = 0


@dataclass(frozen=True)
class PetabTarget:
    """How a name that conditions change is held by the model.

    Attributes
    ----------
    parameter
        Parameter of the model that has its value, or, of what moves, its start.
    state
        State that holds it; empty for what does not move.
    factor
        What a value is multiplied by to give the state: the size of a compartment, or 1.
    selector
        Parameter that is 1 where its start is the one that a condition gives.
    """

    parameter: str
    state: str = ""
    factor: str = ""
    selector: str = ""


@dataclass(frozen=True)
class PetabProblem:
    """A problem of parameter estimation.

    Attributes
    ----------
    version
        Of the format, 1 or 2.
    targets
        How each name that conditions change is held.
    direct
        Parameters of the table that the model has, too, with the model's name for them.
    notes
        What was not used.
    clock
        Parameter of the model for the time at which a period begins, empty where its formulas do not tell the time.
    """

    file: str
    version: int
    model: Model
    parameters: Mapping[str, PetabParameter]
    experiments: Mapping[str, tuple[PetabPeriod, ...]]
    observables: Mapping[str, PetabObservable]
    measurements: tuple[PetabMeasurement, ...]
    targets: Mapping[str, PetabTarget]
    direct: Mapping[str, str]
    notes: tuple[str, ...] = ()
    clock: str = ""

    @property
    def estimated(self) -> tuple[str, ...]:
        """Names of the parameters that are looked for."""
        return tuple(name for name, parameter in self.parameters.items() if parameter.estimated)

    def nominal(self) -> dict[str, float]:
        """Return the nominal value of every parameter."""
        return {name: parameter.nominal for name, parameter in self.parameters.items()}


def petab_symbol(name: str) -> str:
    """Return how a parameter of the table, or a placeholder, is called in formulas, where the model has names of its own."""
    return f"petab_{name}"
