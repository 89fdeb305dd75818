"""Read a table of measurements: each fault with its line and column, all of them at once.

Long form: a row for each measurement, with ``id``, ``time [unit]``, ``observable``, ``value [unit]`` (or a column ``unit``) and, if
there is one, ``error [unit]``. Wide form: a column for each observable. Columns ``dose STATE [unit]`` and ``switch INPUT [unit]`` say
what a person is given at the time of the row, ``course INPUT [unit]`` gives an input that follows the column, linear between rows, and
columns named as parameters or inputs say in which values people differ.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...base.cell_places import cell_place
from ...base.clinical import Kind, convert_labelled
from ...base.delimited import (
    DelimitedTable,
    cell_number,
    clean_cell,
    decode,
    marks,
    quote_cell,
    read_bytes,
    read_delimited,
    text_lines,
)
from ...base.errors import BetapodError, Location, Problem, did_you_mean
from ...engine.schedule import Dose, Schedule, Switch
from ...model import Model
from ...model.parameters.possible_values import impossible_value
from .measured_people import MeasuredObservable, MeasuredPerson, followed_course
from .measurement_columns import GIVEN, ColumnReader, MeasurementColumn

#: What stands for a measurement that was not made.
MISSING = frozenset({"", ".", "na", "n/a", "nan", "missing"})
#: Numbers beyond this are slips, and would overflow where they are squared.
_LARGEST = 1e30
_CENSORED = re.compile(r"\s*[<>≤≥]")
#: Columns whose cells are numbers.
_NUMBERS = frozenset({"time", "value", "error", "duration", "wide", "covariate", *GIVEN})
#: A unit, and where the table says it.
_Unit = tuple[str, Location | None]


@dataclass
class _Person:
    """What the rows of a person say."""

    times: list[float] = field(default_factory=list)
    observable: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    covariates: dict[str, tuple[float, int]] = field(default_factory=dict)
    doses: list[Dose] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)
    courses: dict[str, dict[float, float]] = field(default_factory=dict)


def _some(lines: Sequence[str]) -> str:
    return ", ".join(lines[:5]) + (f" and {len(lines) - 5} more" if len(lines) > 5 else "")


class MeasurementReader:
    """Reads the rows of one table.

    Attributes
    ----------
    problems
        Everything that is wrong, with places.
    notes
        How the table was read where that is not plain.
    unused
        Headings that are renamed and that the table has not, each with a hint.
    """

    def __init__(
        self,
        path: Path,
        model: Model,
        observables: Sequence[MeasuredObservable],
        renamed: dict[str, str],
        begin: float,
        common: Schedule,
    ) -> None:
        self.path, self.model, self.begin, self.common = path, model, begin, common
        self.observables = {observable.name: (n, observable) for n, observable in enumerate(observables)}
        self.columns = ColumnReader(model, observables, renamed)
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self.unused: dict[str, str] = {}
        self._people: dict[str, _Person] = {}
        self._not_made = 0

    def people(self) -> list[MeasuredPerson]:
        """Return the people in the order of the table; what is wrong is in `problems`."""
        table = read_delimited(self.path, lambda cell: self.columns.read(cell) is not None)
        self.problems += table.problems
        self.notes += table.notes
        self._lines = text_lines(decode(read_bytes(self.path), str(self.path))[0])
        self._table = table
        places = [self._place(table.line, number) for number in range(len(table.header))]
        headings, wrong = self.columns.columns(table.header, places)
        self.unused = self.columns.unused(table.header)
        self.problems += wrong
        if any(problem.kind in ("missing-column", "missing-unit", "unknown-name") for problem in wrong):
            return []
        self._decimal = self._mark(table, headings)
        for line, cells in table.rows:
            self._row(line, headings, cells)
        self._remark()
        if self._not_made:
            self.notes.append(f"measurements that were not made: {self._not_made}, empty cells")
        return [self._person(name, entry) for name, entry in self._people.items()]

    def _remark(self) -> None:
        """Note what is allowed and often a slip: the same measured twice at a time, a 0 whose error is a share of it."""
        first: dict[tuple[str, float, int], int] = {}
        twice, nought = [], []
        for name, person in self._people.items():
            for time, number, value, line in zip(
                person.times, person.observable, person.values, person.lines, strict=True
            ):
                before = first.setdefault((name, time, number), line)
                twice += [f"{before} and {line}"] * (before != line)
                form = list(self.observables.values())[number][1].error.form
                nought += [str(line)] * (value == 0.0 and form == "proportional")
        if twice:
            self.notes.append(f"the same is measured twice at a time, and both count (lines {_some(twice)})")
        if nought:
            self.notes.append(
                f"0 is far off for a proportional error; leave it empty if it means 'below the limit' (line {_some(nought)})"
            )

    def _mark(self, table: DelimitedTable, headings: Sequence[MeasurementColumn]) -> str:
        cells = [
            (cell, Location(table.file, line))
            for line, row in table.rows
            for cell, heading in zip(row, headings, strict=True)
            if heading.kind in _NUMBERS
        ]
        return marks(cells, table.separator).decimal

    # -- rows --------------------------------------------------------------------------------------------------------

    def _row(self, line: int, headings: Sequence[MeasurementColumn], cells: Sequence[str]) -> None:
        at = {(heading.kind, heading.name): n for n, heading in enumerate(headings)}
        name = clean_cell(cells[at["id", ""]])
        if not name:
            message = "this row names no person"
            self.problems.append(Problem("missing-id", message, self._place(line, at["id", ""])))
            return
        person = self._people.setdefault(name, _Person())
        time = self._number(line, at["time", ""], headings, cells, needed=True)
        for n, heading in enumerate(headings):
            if heading.kind == "covariate":
                self._covariate(person, line, n, headings, cells)
        if time is None:
            return
        time -= self.begin
        if time < 0.0:
            hint = "The problem file says with 'begin' at which time of the table the simulation begins."
            location = self._place(line, at["time", ""])
            quoted = quote_cell(clean_cell(cells[at["time", ""]]))
            self.problems.append(
                Problem("bad-time", "this is before the simulation begins", location, quoted, hint=hint)
            )
            return
        self._treatment(person, time, line, headings, cells)
        self._measured(person, time, line, headings, cells)

    def _measured(
        self, person: _Person, time: float, line: int, headings: Sequence[MeasurementColumn], cells: Sequence[str]
    ) -> None:
        """Keep the measurements of a row, in long and in wide form."""
        at = {heading.kind: n for n, heading in enumerate(headings)}
        if "value" in at:
            observable = self._observable(line, at.get("observable"), at["value"], cells)
            if observable is not None:
                unit = self._unit(line, headings, cells, at, observable)
                value = self._quantity(line, at["value"], cells, unit, observable)
                error = self._quantity(line, at["error"], cells, unit, observable, True) if "error" in at else None
                self._keep(person, time, line, observable, value, error)
        for n, heading in enumerate(headings):
            if heading.kind == "wide":
                observable = self.observables[heading.name][1]
                unit_place = self._place(self._table.line, n) if heading.unit else None
                value = self._quantity(line, n, cells, (heading.unit or "1", unit_place), observable)
                self._not_made += value is None
                self._keep(person, time, line, observable, value, None)

    def _observable(self, line: int, n: int | None, value: int, cells: Sequence[str]) -> MeasuredObservable | None:
        empty = clean_cell(cells[value]).lower() in MISSING
        if n is None:
            self._not_made += empty
            return None if empty else next(iter(self.observables.values()))[1]
        name = clean_cell(cells[n])
        if name in self.observables:
            self._not_made += empty
            return None if empty else self.observables[name][1]
        if name or not empty:
            message = f"{name!r} is not measured in this problem" if name else "the row does not say what was measured"
            expected = ", ".join(self.observables)
            hint = did_you_mean(name, self.observables)
            self.problems.append(Problem("unknown-observable", message, self._place(line, n), "", expected, hint))
        return None

    def _unit(
        self,
        line: int,
        headings: Sequence[MeasurementColumn],
        cells: Sequence[str],
        at: dict[str, int],
        of: MeasuredObservable,
    ) -> _Unit:
        if "unit" in at and (of_row := clean_cell(cells[at["unit"]])):
            return of_row, self._place(line, at["unit"])
        of_heading = headings[at["value"]].unit
        return (of_heading, self._place(self._table.line, at["value"])) if of_heading else (of.table_unit, None)

    def _quantity(
        self, line: int, n: int, cells: Sequence[str], unit: _Unit, observable: MeasuredObservable, error: bool = False
    ) -> float | None:
        """Return a measurement or its error in the unit of the output; None where the cell is empty or wrong."""
        text, location, (unit_text, unit_place) = clean_cell(cells[n]), self._place(line, n), unit
        if text.lower() in MISSING:
            return None
        number = self._plain(text, location)
        if number is None:
            return None
        if not unit_text and observable.unit not in ("", "1"):
            expected = f"a heading 'value [{observable.unit}]', a column 'unit', or 'unit' in the problem file"
            self._once(Problem("missing-unit", "nothing says in which unit this is", location, "", expected))
            return None
        try:
            kind: Kind = "difference" if error else "level"
            value = convert_labelled(number, unit_text or "1", observable.unit, observable.label, kind, location)
        except BetapodError as wrong:
            # A unit is wrong where it stands.
            self._once(
                *(replace(p, location=unit_place) if unit_place and "unit" in p.kind else p for p in wrong.problems)
            )
            return None
        if error and not value > 0.0:
            self.problems.append(Problem("bad-error", "the SD of a measurement is above 0", location, text))
            return None
        return value

    def _keep(
        self,
        person: _Person,
        time: float,
        line: int,
        observable: MeasuredObservable,
        value: float | None,
        error: float | None,
    ) -> None:
        if value is None:
            return
        if observable.error.form == "column" and error is None:
            hint = "Fill in the column 'error', or state another error in the problem file."
            message = f"the error of {observable.name!r} is taken from the table, and this row has none"
            self.problems.append(Problem("missing-error", message, Location(str(self.path), line), hint=hint))
        person.times.append(time)
        person.observable.append(self.observables[observable.name][0])
        person.values.append(value)
        person.errors.append(float("nan") if error is None else error)
        person.lines.append(line)

    # -- what people are given, and how they differ ------------------------------------------------------------------

    def _treatment(
        self, person: _Person, time: float, line: int, headings: Sequence[MeasurementColumn], cells: Sequence[str]
    ) -> None:
        lengths = [n for n, heading in enumerate(headings) if heading.kind == "duration"]
        duration = self._number(line, lengths[0], headings, cells) if lengths else None
        for n, heading in enumerate(headings):
            if heading.kind not in GIVEN:
                continue
            value = self._number(line, n, headings, cells)
            if value is None:
                continue
            try:
                if heading.kind == "dose":
                    order = Dose(heading.name, value, time, duration=duration or 0.0)
                    Schedule((order,)).check(self.model)
                    person.doses.append(order)
                else:
                    change = Switch(heading.name, value, time)
                    Schedule((), (change,)).check(self.model)
                    if heading.kind == "switch":
                        person.switches.append(change)
                    else:
                        person.courses.setdefault(heading.name, {})[time] = value
            except BetapodError as wrong:
                location = self._place(line, n)
                self.problems += [
                    Problem(p.kind, p.message, location, p.found, p.expected, p.hint) for p in wrong.problems
                ]

    def _covariate(
        self, person: _Person, line: int, n: int, headings: Sequence[MeasurementColumn], cells: Sequence[str]
    ) -> None:
        name = headings[n].name
        value = self._number(line, n, headings, cells)
        if value is None:
            return
        before = person.covariates.setdefault(name, (value, line))
        if (wrong := impossible_value(self.columns.rows[name], value, self._place(line, n))) is not None:
            self._once(wrong)
        if before[0] != value:
            hint = (
                f"What changes with time is an input: head its column 'switch {name}'."
                if name in self.model.inputs
                else ""
            )
            message = f"{name!r} of a person does not change, and line {before[1]} has another value"
            quoted = quote_cell(clean_cell(cells[n]))
            self.problems.append(Problem("covariate-changes", message, self._place(line, n), quoted, hint=hint))

    def _person(self, name: str, entry: _Person) -> MeasuredPerson:
        order = np.argsort(np.array(entry.times), kind="stable")
        schedule = self.common
        for name_of_input, values in entry.courses.items():
            entry.switches += followed_course(name_of_input, values)
        if entry.doses or entry.switches:
            schedule = Schedule((*self.common.doses, *entry.doses), (*self.common.switches, *entry.switches))
        return MeasuredPerson(
            name,
            np.array(entry.times, dtype=np.float64)[order],
            np.array(entry.observable, dtype=np.int64)[order],
            np.array(entry.values, dtype=np.float64)[order],
            np.array(entry.errors, dtype=np.float64)[order],
            np.array(entry.lines, dtype=np.int64)[order],
            schedule,
            {key: value for key, (value, _) in entry.covariates.items()},
        )

    # -- cells -------------------------------------------------------------------------------------------------------

    def _number(
        self, line: int, n: int, headings: Sequence[MeasurementColumn], cells: Sequence[str], needed: bool = False
    ) -> float | None:
        """Return a number in the unit that its column is converted to; None where the cell is empty or wrong."""
        text, location, heading = clean_cell(cells[n]), self._place(line, n), headings[n]
        if text.lower() in MISSING:
            if needed:
                self.problems.append(Problem("missing-time", "this row has no time", location))
            return None
        number = self._plain(text, location)
        target = self.columns.needed_unit(heading)
        if number is None or heading.unit is None or not target:
            return number
        label = "" if heading.kind in ("time", "duration") else self._label(heading.name)
        try:
            return convert_labelled(number, heading.unit or "1", target, label, "level", location)
        except BetapodError as wrong:
            self._once(*wrong.problems)
            return None

    def _label(self, name: str) -> str:
        row = self.columns.rows.get(name)
        return row.label if row is not None else self.model.labels.get(name, "")

    def _plain(self, text: str, location: Location) -> float | None:
        if _CENSORED.match(text):
            hint = "Leave the cell empty, or write the number that you want to be used; censored values are not fitted."
            self.problems.append(
                Problem("censored-value", "this says only that it is beyond a limit", location, text, hint=hint)
            )
            return None
        number = cell_number(text, self._decimal)
        if number is not None and abs(number) > _LARGEST:
            message = "nothing that is measured is as large"
            self.problems.append(Problem("out-of-range", message, location, text, f"at most {_LARGEST:g}"))
            return None
        if number is None:
            quoted = quote_cell(text)
            self.problems.append(
                Problem("bad-number", "this is not a number", location, quoted, "a number, or nothing")
            )
        return number

    def _once(self, *problems: Problem) -> None:
        """Keep a problem of a whole column or of a unit once, at its first row."""
        told = {(problem.kind, problem.message, problem.found) for problem in self.problems}
        self.problems += [p for p in problems if (p.kind, p.message, p.found) not in told]

    def _place(self, line: int, n: int) -> Location:
        """Return the place of a cell: file, line and column."""
        return cell_place(str(self.path), self._lines, line, n, self._table.separator)
