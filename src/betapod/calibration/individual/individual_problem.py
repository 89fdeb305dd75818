"""A fit of a user's own: read its file, its model and its table, and check everything before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...base.clinical import convert_labelled
from ...base.config import Document, check_document, read_yaml
from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean
from ...base.units import split_quantity
from ...engine.schedule import Dose, Schedule, Switch
from ...model import Model, Parameter
from ...model.parameters.possible_values import possible_bounds
from ...model.parameters.table import parameter_quantity
from ...physiology import whole_body
from .error_model import ErrorModel
from .individual_settings import (
    CommonSchedule,
    EventTableSettings,
    FittedParameter,
    IndividualSettings,
    ObservableSettings,
    StatedError,
)
from .measured_people import MeasuredObservable, MeasuredPerson
from .measurement_table import MeasurementReader
from .named_files import missing_files
from .own_model import load_own_model
from .parameter_faults import parameter_faults, usual_transform
from .person_parameter import PersonParameter
from .recorded_people import recorded_people

#: Reads a model by its name or file, with parameter tables.
LoadModel = Callable[[str, Sequence[Path]], Model]


@dataclass(frozen=True)
class IndividualProblem:
    """What is fitted to what.

    Attributes
    ----------
    observables, parameters, people
        What is measured, what is looked for, and in whom.
    begin
        Time of the table at which the simulation begins, in the model's unit of time.
    group
        ``iterated``, ``two-stage`` or ``none``.
    pooled
        Whether one set of parameters is fitted to all people together as well.
    starts
        Searches for each person; the first begins at the starts of the parameters.
    level
        Of confidence intervals.
    text
        Of the file.
    notes
        How the table was read.
    """

    title: str
    file: str
    text: str
    model: Model
    table_file: str
    observables: tuple[MeasuredObservable, ...]
    parameters: tuple[PersonParameter, ...]
    people: tuple[MeasuredPerson, ...]
    begin: float = 0.0
    group: str = "iterated"
    pooled: bool = False
    starts: int = 1
    level: float = 0.95
    seed: int = 1
    notes: tuple[str, ...] = field(default_factory=tuple)

    @property
    def measurements(self) -> int:
        """Number of all measurements."""
        return sum(len(person) for person in self.people)


def read_individual_problem(path: str | Path, load_model: LoadModel = load_own_model) -> IndividualProblem:
    """Read a problem file of the kind ``individual``, its model and its table.

    Parameters
    ----------
    path
        YAML file; the files that it names stand beside it.
    load_model
        What reads the model.

    Raises
    ------
    BetapodError
        Everything that is wrong with the file, the model and the table, each with its place.

    Examples
    --------
    >>> import tempfile
    >>> from betapod.calibration.individual.individual_examples import write_individual_example
    >>> from betapod.calibration.individual.individual_problem import read_individual_problem
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     problem = read_individual_problem(write_individual_example(folder)[0])
    >>> len(problem.people), problem.measurements
    (12, 72)
    """
    document = read_yaml(path)
    settings = check_document(IndividualSettings, document)
    return _ProblemReader(document, settings, Path(path).parent).read(load_model)


class _ProblemReader:
    def __init__(self, document: Document, settings: IndividualSettings, folder: Path) -> None:
        self.document, self.settings, self.folder = document, settings, folder
        self.problems: list[Problem] = []

    def read(self, load_model: LoadModel) -> IndividualProblem:
        model = self._model(load_model)
        settings = self.settings
        begin = self._quantity(settings.begin, model.time_unit, ("begin",)) or 0.0
        schedule = self._schedule(model)
        observables = self._observables(model)
        parameters = self._parameters(model)
        if settings.nonmem is not None:
            model, people, notes = self._recorded(model, observables, settings.nonmem)
        else:
            people, notes = self._people(model, observables, begin, schedule)
        self._clashes(parameters, people)
        if self.problems:
            raise ConfigError(self.problems)
        return IndividualProblem(
            title=settings.title or Path(self.document.file).stem,
            file=self.document.file,
            text=self.document.text,
            model=model,
            table_file=settings.table,
            observables=tuple(observables),
            parameters=tuple(parameters),
            people=tuple(people),
            begin=begin,
            group=settings.group,
            pooled=settings.pooled,
            starts=settings.starts,
            level=settings.level,
            seed=settings.seed,
            notes=tuple(notes),
        )

    def _model(self, load_model: LoadModel) -> Model:
        name = self.settings.model
        beside = self.folder / name
        tables = [self.folder / table for table in self.settings.parameters]
        if missing := missing_files(self.document, self.settings, self.folder):
            raise ConfigError(missing)
        model = load_model(name if name in whole_body.NAMES else str(beside), tables)
        for key, value in self.settings.set.items():
            try:
                model = model.with_values({key: value}, "set")
            except BetapodError as error:
                self.problems += [self._placed(problem, ("set", key)) for problem in error.problems]
        return model

    def _placed(self, problem: Problem, where: tuple[str | int, ...]) -> Problem:
        return self.document.problem(
            problem.kind, problem.message, where, found=problem.found, expected=problem.expected, hint=problem.hint
        )

    def _quantity(self, raw: Any, unit: str, where: tuple[str | int, ...], label: str = "") -> float | None:
        """Return a number in a unit; None where it cannot be read, which is told."""
        try:
            if isinstance(raw, (int, float)) and raw != 0.0 and unit not in ("", "1"):
                raise ConfigError(
                    Problem("missing-unit", "a unit is missing", found=f"{raw:g}", expected=f"{raw:g} {unit}")
                )
            named = Location(".".join(map(str, where)))
            return parameter_quantity(raw if isinstance(raw, str) else float(raw), unit, named, label)
        except BetapodError as error:
            self.problems += [self._placed(problem, where) for problem in error.problems]
            return None

    # -- what is given -----------------------------------------------------------------------------------------------

    def _schedule(self, model: Model) -> Schedule:
        doses, switches, time = [], [], model.time_unit
        for n, dose in enumerate(self.settings.schedule.doses):
            where: tuple[str | int, ...] = ("schedule", "doses", n)
            if dose.state not in model.state_names:
                self._unknown(dose.state, "a state", model.state_names, (*where, "state"))
                continue
            units = {"amount": model.units[dose.state], "time": time, "duration": time, "every": time}
            values = {key: self._quantity(getattr(dose, key), unit, (*where, key)) for key, unit in units.items()}
            if None not in values.values():
                read = {key: float(value or 0.0) for key, value in values.items()}
                order = Dose(
                    dose.state, read["amount"], read["time"], read["every"], dose.more, read["duration"], ss=dose.steady
                )
                doses += [order] * self._fits(Schedule((order,)), model, where)
        for n, change in enumerate(self.settings.schedule.switches):
            where = ("schedule", "switches", n)
            if change.input not in model.inputs:
                self._unknown(change.input, "an input", tuple(model.inputs), (*where, "input"))
                continue
            units = {"value": model.units[change.input], "time": time, "width": time}
            values = {key: self._quantity(getattr(change, key), unit, (*where, key)) for key, unit in units.items()}
            if None not in values.values():
                read = {key: float(value or 0.0) for key, value in values.items()}
                switch = Switch(change.input, read["value"], read["time"], read["width"])
                switches += [switch] * self._fits(Schedule((), (switch,)), model, where)
        return Schedule(tuple(doses), tuple(switches))

    def _fits(self, schedule: Schedule, model: Model, where: tuple[str | int, ...]) -> bool:
        try:
            schedule.check(model)
        except BetapodError as error:
            self.problems += [self._placed(problem, where) for problem in error.problems]
            return False
        return True

    def _unknown(self, name: str, noun: str, allowed: Sequence[str], where: tuple[str | int, ...]) -> None:
        hint = did_you_mean(name, allowed)
        key = bool(where) and where[-1] == name
        self.problems.append(
            self.document.problem("unknown-name", f"{name!r} is not {noun} of the model", where, key, hint=hint)
        )

    # -- what is measured and what is looked for ---------------------------------------------------------------------

    def _observables(self, model: Model) -> list[MeasuredObservable]:
        observables = []
        outputs = (*model.state_names, *model.assignments)
        for name, written in self.settings.observables.items():
            settings, where = written or ObservableSettings(), ("observables", name)
            output = settings.output or name
            if output not in outputs:
                self._unknown(
                    output, "a state or an equation", outputs, (*where, "output") if settings.output else where
                )
                continue
            label = model.labels[output] or name  # a name such as glucose says what is measured, too
            error = self._error(settings, model.units[output], label, where)
            observables.append(MeasuredObservable(name, output, model.units[output], label, error, settings.unit or ""))
        return observables

    def _error(self, settings: ObservableSettings, unit: str, label: str, where: tuple[str, ...]) -> ErrorModel:
        """Return the error model: what is stated, else an additive error of a size to be estimated."""
        stated = settings.error
        if not isinstance(stated, StatedError):
            return ErrorModel(stated or "additive", estimated=stated != "column")
        additive = self._size(stated.additive, unit, label, (*where, "error", "additive"))
        share = self._size(stated.proportional, "1", "", (*where, "error", "proportional"))
        if stated.additive is None and stated.proportional is None:
            message = "an error has a size: additive, proportional, or both"
            self.problems.append(self.document.problem("missing-key", message, (*where, "error")))
        form = "combined" if additive and share else "additive" if additive else "proportional"
        return ErrorModel(form, additive or 0.0, share or 0.0)

    def _size(self, raw: Any, unit: str, label: str, where: tuple[str | int, ...]) -> float | None:
        """Return the size of an error; like every SD it is converted as a difference, not as a level."""
        if raw is None:
            return None
        split = split_quantity(str(raw))
        if split is None or (not split[1].strip() and unit != "1"):
            size = self._quantity(raw if split is None else split[0], unit, where)
        else:
            try:
                size = convert_labelled(split[0], split[1].strip() or "1", unit, label, "difference")
            except BetapodError as error:
                self.problems += [self._placed(problem, where) for problem in error.problems]
                return None
        if size is not None and not size > 0.0:
            message = "the size of an error is above 0"
            self.problems.append(self.document.problem("out-of-range", message, where, found=str(raw)))
        return size

    def _parameters(self, model: Model) -> list[PersonParameter]:
        rows = {**model.parameters, **model.inputs}
        parameters = []
        for name, written in self.settings.fit.items():
            if name not in rows:
                self._unknown(name, "a parameter", tuple(rows), ("fit", name))
                continue
            before = len(self.problems)
            parameter = self._parameter(rows[name], written or FittedParameter())
            if len(self.problems) == before:
                parameters.append(parameter)
        return parameters

    def _parameter(self, row: Parameter, settings: FittedParameter) -> PersonParameter:
        where = ("fit", row.id)
        least, most = possible_bounds(row)

        def read(key: str, default: float) -> float:
            raw = getattr(settings, key)
            value = None if raw is None else self._quantity(raw, row.unit, (*where, key), row.label)
            return default if value is None else value

        start, low, high = read("start", row.value), read("low", least), read("high", most)
        transform = settings.transform or usual_transform(row, start, low, high)
        prior_low, prior_high = self._prior(row, settings, where)
        parameter = PersonParameter(row.id, row.unit, start, transform, low, high, prior_low, prior_high, row.label)
        self._check_parameter(parameter, where, (least, most))
        return parameter

    def _prior(self, row: Parameter, settings: FittedParameter, where: tuple[str, ...]) -> tuple[float, float]:
        if settings.prior is None:
            return -math.inf, math.inf
        if settings.prior == "table":
            if not (math.isfinite(row.low) and math.isfinite(row.high)):
                message = f"the table has no plausible range of {row.id!r}"
                hint = "Give 'prior: {low: ..., high: ...}', the range that holds 95 % of people."
                self.problems.append(self.document.problem("no-prior", message, (*where, "prior"), hint=hint))
            return row.low, row.high
        ends = [
            self._quantity(getattr(settings.prior, key), row.unit, (*where, "prior", key), row.label)
            for key in ("low", "high")
        ]
        low, high = (math.nan if end is None else end for end in ends)
        return low, high

    def _check_parameter(
        self, parameter: PersonParameter, where: tuple[str, ...], possible: tuple[float, float]
    ) -> None:
        for fault in parameter_faults(parameter, possible):
            self.problems.append(
                self.document.problem(
                    fault.kind,
                    fault.message,
                    (*where, fault.key),
                    found=fault.value_text,
                    expected=fault.expected,
                    hint=fault.hint,
                )
            )

    # -- people ------------------------------------------------------------------------------------------------------

    def _people(
        self, model: Model, observables: list[MeasuredObservable], begin: float, schedule: Schedule
    ) -> tuple[list[MeasuredPerson], list[str]]:
        if len(observables) < len(self.settings.observables):
            return [], []  # its columns could not be told apart
        reader = MeasurementReader(
            self.folder / self.settings.table, model, observables, dict(self.settings.columns), begin, schedule
        )
        try:
            people = reader.people()
        except BetapodError as error:
            self.problems += error.problems
            return [], []
        self.problems += reader.problems
        for name, hint in reader.unused.items():
            message = f"the table has no column {name!r}"
            self.problems.append(self.document.problem("no-column", message, ("columns", name), True, hint=hint))
        return self._measured_ones(people, reader.notes, bool(reader.problems))

    def _measured_ones(
        self, people: list[MeasuredPerson], notes: list[str], wrong: bool
    ) -> tuple[list[MeasuredPerson], list[str]]:
        """Return the people of whom something was measured, with a note on the others."""
        without = [person.name for person in people if not len(person)]
        if without:
            notes.append(f"nothing was measured in {', '.join(without[:5])}{' ...' if len(without) > 5 else ''}")
        people = [person for person in people if len(person)]
        if not people and not wrong:
            location = Location(str(self.folder / self.settings.table))
            self.problems.append(Problem("no-measurements", "the table has no measurement", location))
        return people, notes

    def _recorded(
        self, model: Model, observables: list[MeasuredObservable], settings: EventTableSettings
    ) -> tuple[Model, list[MeasuredPerson], list[str]]:
        """Return the people of an event data set, and the model whose covariates may change with time."""
        if self.settings.schedule != CommonSchedule() or self.settings.begin:
            message = "the rows of an event data set say when people begin and what they are given"
            hint = "Leave out 'begin' and 'schedule'."
            self.problems.append(self.document.problem("useless-key", message, ("nonmem",), hint=hint))
        if len(observables) < len(self.settings.observables):
            return model, [], []
        try:
            recorded = recorded_people(
                self.folder / self.settings.table, model, observables, settings, self.settings.columns
            )
        except BetapodError as error:
            self.problems += error.problems
            return model, [], []
        people, notes = self._measured_ones(list(recorded.people), list(recorded.notes), False)
        return recorded.model, people, notes

    def _clashes(self, parameters: list[PersonParameter], people: list[MeasuredPerson]) -> None:
        columns = {name for person in people for name in person.covariates}
        for parameter in parameters:
            if parameter.name in columns:
                message = f"{parameter.name!r} is fitted, and a column of the table has its values"
                self.problems.append(self.document.problem("given-twice", message, ("fit", parameter.name), True))
