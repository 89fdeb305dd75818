"""What a SED-ML document says: models with changes, simulations, tasks, data, outputs."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...base.errors import Location


@dataclass(frozen=True)
class SedmlVariable:
    """A quantity of a model or of a task's result.

    Attributes
    ----------
    target
        Path into the model; empty where `symbol` says what it is.
    symbol
        Such as ``time``.
    of
        Identifier of the task, or of the model where no task is named.
    term
        KiSAO number of what is meant of the target, such as its concentration; -1 for what its name means in the model's own mathematics.
    """

    name: str
    target: str
    symbol: str
    of: str
    location: Location
    term: int = -1


@dataclass(frozen=True)
class SedmlFormula:
    """Mathematics over variables and constants.

    Attributes
    ----------
    math
        The element ``math``.
    """

    math: ET.Element
    variables: tuple[SedmlVariable, ...]
    constants: Mapping[str, float]
    location: Location


@dataclass(frozen=True)
class SedmlChange:
    """A change of a model's document.

    Attributes
    ----------
    kind
        ``changeAttribute``, ``addXML``, ``changeXML``, ``removeXML`` or ``computeChange``.
    value
        New value of the attribute.
    content
        New elements.
    """

    kind: str
    target: str
    location: Location
    value: str = ""
    content: tuple[ET.Element, ...] = ()
    formula: SedmlFormula | None = None


@dataclass(frozen=True)
class SedmlModelEntry:
    """A model by its file, or by another model, with changes."""

    name: str
    source: str
    language: str
    changes: tuple[SedmlChange, ...]
    location: Location


@dataclass(frozen=True)
class SedmlSimulation:
    """How a model is simulated.

    Attributes
    ----------
    kind
        ``uniformTimeCourse``, ``oneStep`` or ``steadyState``.
    start, first_row, end, steps
        Of a time course: time at its start, time of the first row, time of the last one, steps between these.
    step
        Length of a step.
    algorithm
        KiSAO number; -1 where none is named.
    settings
        Values of the algorithm's parameters by their KiSAO number.
    """

    name: str
    kind: str
    location: Location
    start: float = 0.0
    first_row: float = 0.0
    end: float = 0.0
    steps: int = 0
    step: float = 0.0
    algorithm: int = -1
    settings: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SedmlRange:
    """Values that a repeated task goes through.

    Attributes
    ----------
    values
        Of a vector, or of equal steps on either scale.
    formula, along
        Of a functional range: the formula, and the range whose value it takes.
    """

    name: str
    location: Location
    values: tuple[float, ...] = ()
    formula: SedmlFormula | None = None
    along: str = ""


@dataclass(frozen=True)
class SedmlSetValue:
    """A quantity of a model that is set before each repetition; `over` is the range that its formula may name."""

    model: str
    target: str
    symbol: str
    over: str
    formula: SedmlFormula
    location: Location


@dataclass(frozen=True)
class SedmlSubtask:
    """One of the tasks that are repeated, in their order, with what is set before it."""

    task: str
    order: float
    settings: tuple[SedmlSetValue, ...]
    location: Location


@dataclass(frozen=True)
class SedmlTask:
    """A simulation of a model, or (with `subtasks`) the repetition of tasks.

    Attributes
    ----------
    along
        Range whose values are gone through.
    reset
        Whether the model starts anew at each repetition.
    joined
        Whether results of several subtasks follow one another in time; else they have a dimension of their own.
    """

    name: str
    location: Location
    model: str = ""
    simulation: str = ""
    along: str = ""
    reset: bool = True
    joined: bool = True
    ranges: tuple[SedmlRange, ...] = ()
    settings: tuple[SedmlSetValue, ...] = ()
    subtasks: tuple[SedmlSubtask, ...] = ()


@dataclass(frozen=True)
class SedmlGenerator:
    """Data made of results."""

    name: str
    label: str
    formula: SedmlFormula


@dataclass(frozen=True)
class SedmlColumn:
    """A column of a report."""

    name: str
    label: str
    data: str


@dataclass(frozen=True)
class SedmlCurve:
    """A curve of a plot; `upper` is the upper edge of a shaded area."""

    name: str
    label: str
    x: str
    y: str
    upper: str = ""
    kind: str = "points"
    right: bool = False


@dataclass(frozen=True)
class SedmlAxis:
    """An axis of a plot."""

    label: str = ""
    logarithmic: bool = False
    low: float | None = None
    high: float | None = None
    grid: bool = False


@dataclass(frozen=True)
class SedmlReport:
    """A table."""

    name: str
    label: str
    columns: tuple[SedmlColumn, ...]
    location: Location


@dataclass(frozen=True)
class SedmlPlot:
    """A picture of curves."""

    name: str
    label: str
    curves: tuple[SedmlCurve, ...]
    axes: Mapping[str, SedmlAxis]
    location: Location


@dataclass(frozen=True)
class SedmlDocument:
    """A whole document.

    Attributes
    ----------
    notes
        Sentences on what is left out.
    """

    file: str
    level: int
    version: int
    models: Mapping[str, SedmlModelEntry]
    simulations: Mapping[str, SedmlSimulation]
    tasks: Mapping[str, SedmlTask]
    generators: Mapping[str, SedmlGenerator]
    reports: tuple[SedmlReport, ...]
    plots: tuple[SedmlPlot, ...]
    notes: tuple[str, ...] = ()
