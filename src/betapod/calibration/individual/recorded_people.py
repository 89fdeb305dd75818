"""People of an event data set in the form of NONMEM, as a fit takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...base.clinical import convert_labelled
from ...base.errors import BetapodError, ConfigError, Location, Problem, did_you_mean
from ...engine.nonmem.event_record import OBSERVATION, EventRecord, NonmemSettings, Subject
from ...engine.nonmem.nonmem_reader import NonmemTable, read_nonmem_table
from ...engine.nonmem.simulated_subjects import with_inputs
from ...engine.nonmem.stretches import Stretch, stretches_of, varying_covariates
from ...engine.schedule import Schedule
from ...model import Model
from .individual_settings import EventTableSettings
from .measured_people import MeasuredObservable, MeasuredPart, MeasuredPerson


@dataclass(frozen=True)
class RecordedPeople:
    """People of an event data set, the model in which their covariates may change, and how the table was read."""

    model: Model
    people: tuple[MeasuredPerson, ...]
    notes: tuple[str, ...]


def recorded_people(
    path: Path,
    model: Model,
    observables: Sequence[MeasuredObservable],
    settings: EventTableSettings,
    columns: Mapping[str, str],
) -> RecordedPeople:
    """Read an event data set for a fit.

    Parameters
    ----------
    settings
        Which states compartments are, and which observable a number in DVID (or CMT) means.
    columns
        What headings mean that have another name.

    Raises
    ------
    ConfigError
        Everything that is wrong with the table, measurements that are no observable's, and steady states that only a simulation finds.
    """
    compartments = {str(key): state for key, state in settings.compartments.items()}
    table = read_nonmem_table(path, model, NonmemSettings(compartments, settings.covariates, dict(columns)))
    reader = _Recorded(table, model, observables, {str(key): name for key, name in settings.measured.items()})
    people = [reader.person(subject) for subject in table.subjects]
    if reader.problems:
        raise ConfigError(reader.problems)
    return RecordedPeople(with_inputs(model, varying_covariates(reader.stretches)), tuple(people), table.notes)


class _Recorded:
    def __init__(
        self,
        table: NonmemTable,
        model: Model,
        observables: Sequence[MeasuredObservable],
        measured: Mapping[str, str],
    ) -> None:
        self.table, self.model, self.observables, self.measured = table, model, observables, measured
        self.numbers = {observable.name: number for number, observable in enumerate(observables)}
        self.problems: list[Problem] = []
        self.stretches: list[Stretch] = []
        for key, name in measured.items():
            if name not in self.numbers:
                hint = did_you_mean(name, self.numbers)
                message = f"{key} is said to be {name!r}, which is not among the observables"
                self.problems.append(Problem("unknown-observable", message, Location("nonmem.measured"), hint=hint))

    def person(self, subject: Subject) -> MeasuredPerson:
        """Return a person with her measurements."""
        try:
            stretches = stretches_of(subject, self.model, self.table.settings, self.table.file)
        except BetapodError as error:
            self.problems += error.problems
            stretches = []
        self.stretches += stretches
        self._refuse_special(subject, stretches)
        kept = {k: r for k, r in enumerate(subject.records) if r.evid == OBSERVATION and not np.isnan(r.value)}
        order = {k: n for n, k in enumerate(kept)}
        numbers = [self._observable(record) for record in kept.values()]
        values = [self._value(record, number) for record, number in zip(kept.values(), numbers, strict=True)]
        parts = tuple(part for stretch in stretches if len((part := _part(stretch, order)).members))
        times = np.array([record.time for record in kept.values()], dtype=np.float64)
        first = parts[0] if parts else None
        return MeasuredPerson(
            subject.name,
            times,
            np.array(numbers, dtype=np.int64),
            np.array(values, dtype=np.float64),
            np.full(len(kept), np.nan),
            np.array([record.line for record in kept.values()], dtype=np.int64),
            first.schedule if first else _first_schedule(stretches),
            dict(first.covariates) if first else {},
            parts,
        )

    def _refuse_special(self, subject: Subject, stretches: Sequence[Stretch]) -> None:
        for stretch in stretches:
            if not stretch.plain:
                line = subject.records[int(stretch.records.min())].line
                message = (
                    "a steady state without doses of its own, or added to what was before, is simulated and not fitted"
                )
                hint = "Write its doses one by one, or as SS=1 with an amount."
                self.problems.append(Problem("unsupported", message, Location(self.table.file, line), hint=hint))

    def _observable(self, record: EventRecord) -> int:
        """Return the number of what was measured."""
        said = self.measured.get(record.measured, record.measured)
        if said in self.numbers:
            return self.numbers[said]
        if len(self.observables) == 1 and not self.measured:
            return 0
        message = f"nothing says which observable {record.measured or 'this'} is"
        hint = "In the problem file, nonmem: {measured: {1: NAME, ...}} says it, by DVID or else by CMT."
        problem = Problem(
            "unknown-observable", message, Location(self.table.file, record.line), "", ", ".join(self.numbers), hint
        )
        told = {(before.kind, before.message) for before in self.problems}
        self.problems += [problem] * ((problem.kind, problem.message) not in told)
        return 0

    def _value(self, record: EventRecord, number: int) -> float:
        """Return what was measured in the unit of the output."""
        observable = self.observables[number]
        unit = self.table.measured_unit or observable.table_unit
        if not unit:
            return record.value
        location = Location(self.table.file, record.line)
        try:
            return convert_labelled(record.value, unit, observable.unit, observable.label, "level", location)
        except BetapodError as error:
            told = {(before.kind, before.message) for before in self.problems}
            self.problems += [problem for problem in error.problems if (problem.kind, problem.message) not in told]
            return record.value


def _first_schedule(stretches: Sequence[Stretch]) -> Schedule:
    """Return the schedule of somebody of whom nothing was measured."""
    return stretches[0].schedule if stretches else Schedule()


def _part(stretch: Stretch, order: Mapping[int, int]) -> MeasuredPart:
    """Return the measurements of a stretch; its other rows are not looked at."""
    positions = [k for k, number in enumerate(stretch.records.tolist()) if number in order]
    members = np.array([order[int(stretch.records[k])] for k in positions], dtype=np.int64)
    return MeasuredPart(stretch.begin, stretch.schedule, stretch.covariates, stretch.times[positions], members)
