"""Columns of a table of measurements: what each heading means, and in which unit its numbers are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...base.errors import Location, Problem, did_you_mean
from ...model import Model
from .measured_people import MeasuredObservable

#: A name with a unit in brackets.
_HEADING = re.compile(r"\s*(?P<name>[^\[\]]*?)\s*(?:\[(?P<unit>[^\[\]]*)\])?\s*")
#: Columns that are named as here, whether their numbers have a unit, and what they hold.
PLAIN = {
    "id": (False, "person"),
    "time": (True, "time of the row"),
    "observable": (False, "what was measured"),
    "value": (True, "what came out"),
    "unit": (False, "unit of the value and of the error"),
    "error": (True, "SD of the measurement"),
    "duration": (True, "how long the doses of the row take"),
}
#: First words of columns that say what people are given.
GIVEN = ("dose", "switch", "course")


@dataclass(frozen=True)
class MeasurementColumn:
    """One column.

    Attributes
    ----------
    kind
        One of `PLAIN`, or ``dose``, ``switch``, ``course`` (an input that follows the column), ``wide`` (measurements of one observable), ``covariate``, ``ignore``.
    name
        State, input, observable or parameter that it is about.
    unit
        As written in the heading; None without brackets.
    """

    kind: str
    name: str
    unit: str | None
    heading: str


class ColumnReader:
    """Understands headings, with the model and the observables in view.

    Parameters
    ----------
    renamed
        Heading of the table -> heading that is meant, or ``ignore``.
    """

    def __init__(self, model: Model, observables: Sequence[MeasuredObservable], renamed: Mapping[str, str]) -> None:
        self.model, self.renamed = model, renamed
        self.observables = {observable.name: observable for observable in observables}
        self.rows = {**model.parameters, **model.inputs}

    def read(self, heading: str) -> MeasurementColumn | None:
        """Return what a heading means; None where it means nothing."""
        meant = self.renamed.get(heading, heading)
        match = _HEADING.fullmatch(meant)
        name = match["name"] if match else meant
        unit = match["unit"] if match else None
        first, _, rest = name.partition(" ")
        if name.lower() in PLAIN:
            return MeasurementColumn(name.lower(), "", unit, heading)
        if meant == "ignore":
            return MeasurementColumn("ignore", "", None, heading)
        if first.lower() in GIVEN and rest.strip():
            return MeasurementColumn(first.lower(), rest.strip(), unit, heading)
        if name in self.observables:
            return MeasurementColumn("wide", name, unit or self.observables[name].table_unit or None, heading)
        return MeasurementColumn("covariate", name, unit, heading) if name in self.rows else None

    def columns(
        self, headings: Sequence[str], places: Sequence[Location]
    ) -> tuple[list[MeasurementColumn], list[Problem]]:
        """Return all columns, and everything that is wrong with the headings."""
        columns, problems = [], []
        seen_before: dict[tuple[str, str], str] = {}
        for heading, location in zip(headings, places, strict=True):
            column = self.read(heading)
            if column is None:
                problems.append(self._unknown(heading, location))
                columns.append(MeasurementColumn("ignore", "", None, heading))
                continue
            key = (column.kind, column.name)
            if column.kind != "ignore" and key in seen_before:
                message = f"two columns mean the same: {seen_before[key]!r} and {heading!r}"
                problems.append(Problem("duplicate-column", message, location))
            seen_before[key] = heading
            problems += self._faults(column, location)
            columns.append(column)
        return columns, problems + self._missing(columns, places)

    def unused(self, headings: Sequence[str]) -> dict[str, str]:
        """Return the renamed headings that a table has not, each with a hint."""
        bare = {match["name"]: heading for heading in headings if (match := _HEADING.fullmatch(heading))}
        hints = {}
        for name in self.renamed:
            if name not in headings:
                near = [bare[name]] if name in bare else []
                hints[name] = f"Did you mean {near[0]!r}?" if near else did_you_mean(name, headings)
        return hints

    def _unknown(self, heading: str, location: Location) -> Problem:
        names = [*PLAIN, *self.observables, *self.rows]
        bare = _HEADING.fullmatch(heading)
        hint = did_you_mean(bare["name"] if bare else heading, names)
        key = '"' + heading.replace('"', '\\"') + '"'  # brackets and commas mean something in YAML
        hint = f"{hint} ".lstrip() + f"In the problem file, columns: {{{key}: ...}} says what it is, or 'ignore'."
        expected = (
            "id, time [unit], value [unit] and the like, 'dose STATE [unit]', 'switch INPUT [unit]', 'course INPUT [unit]', "
            "a measured quantity, or a parameter"
        )
        return Problem("unknown-column", "this column means nothing here", location, repr(heading), expected, hint)

    def _faults(self, column: MeasurementColumn, location: Location) -> list[Problem]:
        """Return what is wrong with one column: names that the model has not, a unit that is missing."""
        inputs = tuple(self.model.inputs)
        allowed = {"dose": self.model.state_names, "switch": inputs, "course": inputs}.get(column.kind)
        if allowed is not None and column.name not in allowed:
            noun = "a state" if column.kind == "dose" else "an input"
            message = f"{column.name!r} is not {noun} of the model"
            hint = did_you_mean(column.name, allowed)
            if column.name in self.model.parameters and noun == "an input":
                row = self.model.parameters[column.name]
                hint = f"To make it one, write 'reads {row.id} [{row.unit}]' into the model."
            return [Problem("unknown-name", message, location, repr(column.heading), hint=hint)]
        unit = self.needed_unit(column)
        if column.unit is None and unit not in ("", "1"):
            expected = f"'{column.heading} [{unit}]' or another unit that fits"
            return [Problem("missing-unit", "the heading names no unit", location, repr(column.heading), expected)]
        return []

    def needed_unit(self, column: MeasurementColumn) -> str:
        """Return the unit that numbers of a column are converted to; empty where they need none in the heading."""
        if column.kind in ("time", "duration"):
            return self.model.time_unit
        if column.kind in GIVEN:
            return self.model.units.get(column.name, "")
        if column.kind == "wide":
            return self.observables[column.name].unit
        return self.rows[column.name].unit if column.kind == "covariate" else ""

    def _missing(self, columns: Sequence[MeasurementColumn], places: Sequence[Location]) -> list[Problem]:
        kinds = {column.kind for column in columns}
        location = Location(places[0].file, places[0].line) if places else Location()
        needed = ["id", "time"] + (["value"] if "wide" not in kinds else [])
        if "value" in kinds and len(self.observables) > 1 and "wide" not in kinds:
            needed.append("observable")
        return [
            Problem("missing-column", f"there is no column {name!r}", location, expected=f"{name}: {PLAIN[name][1]}")
            for name in needed
            if name not in kinds
        ]
